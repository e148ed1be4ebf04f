"""Grading within the fold: tiers reached, kept, bought, given and lost; growth value; notices before a fall."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shuke.engine.charter import grade
from shuke.engine.charter.standing import GROWTH, Paid
from shuke.engine.charter.terms import Terms
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import Effect, Notice, TierMove
from shuke.engine.ledger.run import Run
from shuke.kit.clock import add_months


class Grades(Run):
    """The part of the fold that grades."""

    def tier_at(self, terms: Terms) -> str:
        """The tier that counts: by the rules, or a higher one bought or given by hand."""
        return self.books.standing.tier_under(terms)

    def _next_grading(self, due: datetime) -> tuple[datetime, Callable[[datetime], None]] | None:
        """What of grading falls due first, if that is before `due`."""
        standing = self.books.standing
        act: Callable[[datetime], None] | None = None
        for _, end in standing.floors:
            if end is not None and end < due:
                due, act = end, self._end_floor
        for paid in standing.paid:
            if paid.end < due:
                due, act = paid.end, self._end_paid
        if standing.growth_lots:
            first = datetime.fromtimestamp(min(stamp for _, _, stamp in standing.growth_lots), UTC)
            if first < due:
                due, act = first, self._growth_lapses
        if standing.fades_at is not None and standing.fades_at < due:
            due, act = standing.fades_at, self._growth_fades
        if standing.notice_at is not None and standing.notice_at < due:
            due, act = standing.notice_at, self._notice
        if standing.review_at is not None and standing.review_at < due:
            due, act = standing.review_at, self._review
        return None if act is None else (due, act)

    # -- up -----------------------------------------------------------------------------------------------------

    def _grade_up(self, terms: Terms, at: datetime, day: date, event: str, *, invited: bool = False) -> None:
        """Upgrades come at once, unless the charter waits for review days; an invitation never waits."""
        if terms.reviews_all and not invited:
            return
        now = self.books.standing.rank_under(terms)
        if now == len(terms.tiers) - 1:
            return
        figures = grade.Figures(self.books.standing, terms, day)
        rank = grade.reached(terms, figures, now)
        if rank > now:
            tier = terms.tiers[rank]
            why = {"reach": grade.explain(tier.reach, figures, tier.key)} if self.tells else {}
            self._set_tier(terms, rank, at, "reached", event, why)

    def _set_tier(self, terms: Terms, rank: int, at: datetime, cause: str, event: str, why: dict) -> None:
        standing = self.books.standing
        before = self.tier_at(terms)
        standing.tier, standing.rank, standing.since, standing.in_grace = terms.tiers[rank].key, rank, at, False
        self._plan_review(terms, at)
        self._moved(terms, at, before, cause, event, why)

    def _moved(
        self, terms: Terms, at: datetime, before: str, cause: str, event: str, why: dict[str, Any] | None = None
    ) -> None:
        after = self.tier_at(terms)
        if after != before:
            step = terms.rank[after] - terms.rank.get(before, 0)
            self.moves.append(TierMove(at, before, after, cause, event, terms.version, why or {}, step))

    # -- another charter ----------------------------------------------------------------------------------------

    def _charter_begins(self, at: datetime) -> None:
        """A version that grades otherwise comes into force. Who holds a tier holds the one that takes it over, whoever reaches
        more by it rises at once, and nobody falls before a review, but from a tier that is no more."""
        assert self._next_charter is not None
        _, before, terms, heir = self._next_charter
        self._next_charter = self.versions.next_regrading(at)
        standing = self.books.standing
        was, rule = self.tier_at(before), before.review_rule(standing.rank_under(before))

        def named(key: str) -> str:
            return heir[key].key if key in heir else key

        if standing.tier not in heir:  # of a version still earlier, which books kept before versions were followed
            standing.tier = before.tiers[standing.rank_under(before)].key
        standing.tier = named(standing.tier)
        standing.rank = terms.rank[standing.tier]
        standing.floors = [(named(key), until) for key, until in standing.floors]
        standing.invited = [named(key) for key in standing.invited]
        for paid in standing.paid:
            paid.tier = named(paid.tier)
        why: dict[str, Any] = {"charter": heir[was].how}
        rank = standing.rank
        if not terms.reviews_all:
            figures = grade.Figures(standing, terms, terms.day(at))
            rank = grade.reached(terms, figures, rank)
            if rank > standing.rank:
                if self.tells:
                    why["reach"] = grade.explain(terms.tiers[rank].reach, figures, terms.tiers[rank].key)
                standing.tier, standing.rank, standing.since = terms.tiers[rank].key, rank, at
                rule = None
        if terms.review_rule(rank) != rule:
            standing.in_grace = False
            self._plan_review(terms, at)
        elif before.charter.grading.notice_days != terms.charter.grading.notice_days:
            self._plan_notice(terms, at)
        if before.charter.grading.growth_loss != terms.charter.grading.growth_loss and standing.totals[GROWTH] > 0:
            standing.fades_at = terms.growth_fades_at(terms.day(at))
        after = self.tier_at(terms)
        if after != was:
            step = terms.rank[after] - terms.rank[heir[was].key]
            if heir[was].how == "removed" and step == 0:
                step = -1
            self.moves.append(TierMove(at, was, after, "charter", f"charter:{terms.version}", terms.version, why, step))

    # -- review -------------------------------------------------------------------------------------------------

    def _plan_review(self, terms: Terms, at: datetime) -> None:
        standing = self.books.standing
        reviewed = standing.rank or terms.reviews_all
        day = terms.review_day(terms.day(at), standing.joined, standing.rank) if reviewed else None
        standing.review_at = None if day is None else terms.start(day)
        self._plan_notice(terms, at)

    def _plan_notice(self, terms: Terms, at: datetime) -> None:
        standing = self.books.standing
        days = terms.charter.grading.notice_days
        if not days or not standing.rank or standing.review_at is None:
            standing.notice_at = None
            return
        due = terms.start(terms.day(standing.review_at) - timedelta(days=days))
        standing.notice_at = due if due > at else None

    def _notice(self, at: datetime) -> None:
        """Some days before a review the member is told what is missing, as the review would find it today."""
        terms = self.versions.at(at)
        standing = self.books.standing
        standing.notice_at = None
        if standing.review_at is not None:
            self._tell(terms, at, standing.review_at)

    def _tell(self, terms: Terms, at: datetime, review_at: datetime) -> None:
        rank = self.books.standing.rank_under(terms)
        tier = terms.tiers[rank]
        figures = grade.Figures(self.books.standing, terms, terms.day(review_at) - timedelta(days=1))
        if not rank or grade.meets(tier.keep, figures, tier.key):
            return
        falls_to = terms.tiers[self._lower(terms, figures, rank)].key
        keep = grade.explain(tier.keep, figures, tier.key)
        event = f"notice:{terms.day(review_at)}"
        self.notices.append(Notice(at, tier.key, falls_to, review_at, event, keep))

    def _lower(self, terms: Terms, figures: grade.Figures, rank: int) -> int:
        """Where a member of `rank` falls to."""
        fits = grade.reached(terms, figures, 0)
        if terms.charter.grading.fall == "one_step":
            fits = max(fits, rank - 1)
        while fits and not terms.tiers[fits].reachable:  # a tier that is only bought is no step on the way down
            fits -= 1
        return min(fits, rank - 1) if rank else 0

    def _review(self, at: datetime) -> None:
        """A review looks at the window that ended the day before. Rise, keep, wait, or fall softly."""
        terms = self.versions.at(at)
        standing = self.books.standing
        rank = self.books.standing.rank_under(terms)
        figures = grade.Figures(standing, terms, terms.day(at) - timedelta(days=1))
        tier = terms.tiers[rank]
        event = f"review:{terms.day(at)}"
        if terms.reviews_all:
            higher = grade.reached(terms, figures, rank)
            if higher > rank:
                why = {"reach": grade.explain(terms.tiers[higher].reach, figures, terms.tiers[higher].key)}
                self._set_tier(terms, higher, at, "reached", event, why)
                return
        if not rank or grade.meets(tier.keep, figures, tier.key):
            standing.in_grace = False
            self._plan_review(terms, at)
            return
        grading = terms.charter.grading
        if grading.protection_days and standing.since is not None:
            safe = terms.start(terms.day(standing.since) + timedelta(days=grading.protection_days))
            if safe > at:
                standing.review_at = safe
                self._plan_notice(terms, at)
                return
        if grading.grace_days and not standing.in_grace:
            standing.in_grace = True
            standing.review_at = terms.start(terms.day(at) + timedelta(days=grading.grace_days))
            if grading.notice_days:
                self._tell(terms, at, standing.review_at)
            return
        why = {"keep": grade.explain(tier.keep, figures, tier.key)}
        self._set_tier(terms, self._lower(terms, figures, rank), at, "review", event, why)

    def _fall_after_refund(self, at: datetime, event: str) -> None:
        """Where the charter says so, a return is looked at like a review, without grace."""
        terms = self.versions.at(at)
        rank = self.books.standing.rank_under(terms)
        tier = terms.tiers[rank]
        figures = grade.Figures(self.books.standing, terms, terms.day(at))
        if not rank or grade.meets(tier.keep, figures, tier.key) or grade.meets(tier.reach, figures, tier.key):
            return
        why = {"keep": grade.explain(tier.keep, figures, tier.key)}
        self._set_tier(terms, self._lower(terms, figures, rank), at, "refund", event, why)

    # -- by hand ------------------------------------------------------------------------------------------------

    def _tier_given(self, g: ev.TierGiven) -> None:
        terms = self.versions.at(g.at)
        standing = self.books.standing
        if g.cause == "invited":  # an invitation is one way to reach a tier; the charter says which
            if g.tier not in standing.invited:
                standing.invited.append(g.tier)
            self._grade_up(terms, g.at, terms.day(g.at), g.event, invited=True)
            return
        before = self.tier_at(terms)
        standing.floors = [(g.tier, g.until)]
        self._moved(terms, g.at, before, "manual", g.event)

    def _end_floor(self, at: datetime) -> None:
        terms = self.versions.at(at)
        before = self.tier_at(terms)
        standing = self.books.standing
        standing.floors = [f for f in standing.floors if f[1] is None or f[1] > at]
        self._moved(terms, at, before, "floor_end", f"floor_end:{terms.day(at)}")

    # -- bought -------------------------------------------------------------------------------------------------

    def _begin_membership(self, terms: Terms, key: str, event: str, at: datetime) -> None:
        sold = terms.memberships.get(key)
        if sold is None:
            return
        standing = self.books.standing
        before = self.tier_at(terms)
        running = [p for p in standing.paid if p.key == key]
        start = at
        if running and sold.renewal == "extend":
            start = max(p.end for p in running)
        elif running:
            standing.paid = [p for p in standing.paid if p.key != key]
        first = min((p.start for p in running), default=start) if start > at else start
        end = _months_on(terms.day(first), terms.day(start), sold.months) + timedelta(days=sold.days)
        standing.paid.append(Paid(key, sold.tier, start, terms.start(end), event))
        self._moved(terms, at, before, "bought", event, {"membership": key, "until": terms.start(end).isoformat()})

    def _membership_bought(self, m: ev.MembershipBought) -> None:
        self._effect(m.event, "membership", m.at)
        self._begin_membership(self.versions.at(m.at), m.key, m.event, m.at)

    def _membership_ended(self, m: ev.MembershipEnded) -> None:
        self._effect(m.event, "membership_end", m.at)
        self._end_membership(m.bought, m.at, "membership_back", m.event)

    def _end_membership(self, bought: str, at: datetime, cause: str, event: str = "") -> None:
        """What one purchase bought ends now; what was bought after it moves up."""
        standing = self.books.standing
        gone = next((p for p in standing.paid if p.event == bought), None)
        if gone is None:
            return
        terms = self.versions.at(at)
        before = self.tier_at(terms)
        standing.paid.remove(gone)
        end = max(at, gone.start)
        day = terms.day(end)
        for later in sorted((p for p in standing.paid if p.key == gone.key and p.start >= gone.end), key=_begins):
            day += terms.day(later.end) - terms.day(later.start)
            later.start, later.end = end, terms.start(day)
            end = later.end
        self._moved(terms, at, before, cause, event or bought, {"membership": gone.key})

    def _end_paid(self, at: datetime) -> None:
        terms = self.versions.at(at)
        before = self.tier_at(terms)
        standing = self.books.standing
        standing.paid = [p for p in standing.paid if p.end > at]
        self._moved(terms, at, before, "membership_end", f"membership_end:{terms.day(at)}")

    # -- growth value -------------------------------------------------------------------------------------------

    def _grow(self, terms: Terms, effect: Effect, key: str, amount: int, day: date) -> None:
        """Book growth value that the day's figures have counted already."""
        effect.growth += amount
        if not terms.growth_fades:
            return
        expires = effect.growth_expires_at = terms.growth_expires(day)
        standing = self.books.standing
        if expires is not None:
            standing.growth_lots.append([key, amount, expires.timestamp()])
        if standing.fades_at is None:
            standing.fades_at = terms.growth_fades_at(day)

    def _shrink(self, effect: Effect, key: str, amount: int, day: date, *, dated: bool) -> None:
        """Take back growth value a purchase gave, as far as it has not lapsed; its day loses all of it."""
        standing = self.books.standing
        bucket = standing.days.get(day.toordinal())
        if bucket is not None:
            bucket[GROWTH] -= amount
        lot = next((lot for lot in standing.growth_lots if lot[0] == key), None) if dated else None
        if dated:
            left = lot[1] if lot is not None else 0
        else:
            left = standing.totals[GROWTH] - sum(n for _, n, _ in standing.growth_lots)
        taken = max(0, min(amount, left))
        if lot is not None:
            lot[1] -= taken
            if not lot[1]:
                standing.growth_lots.remove(lot)
        standing.totals[GROWTH] -= taken
        effect.growth -= taken

    def _growth_lapses(self, at: datetime) -> None:
        standing = self.books.standing
        stamp = at.timestamp()
        gone = [lot for lot in standing.growth_lots if lot[2] <= stamp]
        standing.growth_lots = [lot for lot in standing.growth_lots if lot[2] > stamp]
        lost = sum(n for _, n, _ in gone)
        if lost:
            standing.totals[GROWTH] -= lost
            effect = self._effect(f"growth_lapse:{at:%Y-%m-%dT%H:%M}", "growth_lapse", at)
            effect.growth = -lost
            effect.why = [{"order": key, "growth": str(-n)} for key, n, _ in gone]

    def _growth_fades(self, at: datetime) -> None:
        """The yearly share is taken off what is there, from what lapses soonest."""
        terms = self.versions.at(at)
        standing = self.books.standing
        standing.fades_at = terms.growth_fades_at(terms.day(at))
        percent = terms.charter.grading.growth_loss.yearly_percent
        lost = standing.totals[GROWTH] * percent // 100
        if lost <= 0:
            return
        standing.totals[GROWTH] -= lost
        rest = lost
        for lot in sorted(standing.growth_lots, key=lambda x: (x[2], x[0])):
            x = min(rest, lot[1])
            lot[1] -= x
            rest -= x
        standing.growth_lots = [lot for lot in standing.growth_lots if lot[1]]
        effect = self._effect(f"growth_fade:{terms.day(at)}", "growth_fade", at)
        effect.growth = -lost
        effect.why = [{"rule": "growth_loss", "percent": percent, "growth": str(-lost)}]

    def _growth_adjusted(self, g: ev.GrowthAdjusted) -> None:
        terms = self.versions.at(g.at)
        day = terms.day(g.at)
        standing = self.books.standing
        effect = self._effect(g.event, "growth", g.at)
        effect.why = [{"rule": g.account, "growth": str(g.amount)}]
        amount = max(g.amount, -standing.totals[GROWTH])  # never below nothing
        bucket = standing.days.setdefault(day.toordinal(), [0, 0, 0, 0, 0])
        bucket[GROWTH] += amount
        standing.totals[GROWTH] += amount
        if amount > 0:
            self._grow(terms, effect, g.event, amount, day)
            self._grade_up(terms, g.at, day, g.event)
            return
        effect.growth = amount
        dated = sum(n for _, n, _ in standing.growth_lots)
        rest = max(0, dated - standing.totals[GROWTH])  # what has no end goes first
        for lot in sorted(standing.growth_lots, key=lambda x: (x[2], x[0])):
            x = min(rest, lot[1])
            lot[1] -= x
            rest -= x
        standing.growth_lots = [lot for lot in standing.growth_lots if lot[1]]


def _months_on(first: date, day: date, months: int) -> date:
    """So many months after `day`, which may be `first` some months on, cut short by a short month: of 31 January and 29 February 31 March."""
    gone = 12 * (day.year - first.year) + day.month - first.month
    return add_months(first, gone + months) if add_months(first, gone) == day else add_months(day, months)


def _begins(paid: Paid) -> datetime:
    return paid.start
