"""Purchases, their refunds, activities: what earns, what is taken back, and the counters of caps and windows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from shuke.engine.charter.activity import reward
from shuke.engine.charter.earn import ALL, Basket, Draw, Earned, Slice, earn
from shuke.engine.charter.rules import Rule
from shuke.engine.charter.standing import AMOUNT, GROWTH, ORDERS, POINTS, SINGLE
from shuke.engine.charter.terms import Terms
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import Effect
from shuke.engine.ledger.goods import in_full, slices_of
from shuke.engine.ledger.grades import Grades
from shuke.engine.ledger.run import MissingLots
from shuke.kit.money import allocate


@dataclass(slots=True)
class Sale:
    """What is remembered of a purchase while its refunds are folded."""

    purchase: ev.Purchase
    terms: Terms
    basket: Basket
    room: dict[str, int]
    points: int
    counted: dict[str, int]
    growth: int
    net: int  # what counts for tiers
    whole: int  # the same before any refund
    refunded: int = 0
    fee: int = 0  # beside it, for a membership, which counts for nothing
    drawn: dict[str, int] = field(default_factory=dict)
    grown: dict[str, int] = field(default_factory=dict)  # counters of growth rules
    back: list[list[int]] = field(default_factory=list)  # of each line: amount and pieces that came back

    def take_back(self, r: ev.Refunded) -> None:
        self.refunded += r.amount
        if not self.back:
            self.back = [[0, 0] for _ in self.purchase.lines]
        for one in r.back:
            self.back[one.line][0] += one.amount
            self.back[one.line][1] += one.pieces_milli


class Sales(Grades):
    """The part of the fold that earns."""

    _sales: dict[str, Sale]
    _day_sales: dict[int, list[Sale]]
    undone: set[str]  # activities that were taken back

    def _purchase(self, p: ev.Purchase) -> None:
        terms = self.versions.at(p.at)
        standing = self.books.standing
        day = terms.day(p.at)
        fee = 0
        slices: tuple[Slice, ...] = ()
        tier = self.tier_at(terms)  # that of before the purchase, also where it buys a membership
        if terms.needs_lines and p.lines:
            slices = slices_of(terms, p, p.net)
            if terms.memberships:
                slices, fee = self._sell_memberships(terms, p, slices, day)
        net = p.net - fee
        basket = Basket(
            net,
            day,
            tier,
            slices,
            p.store,
            p.platform,
            p.channel,
            standing.purchases == 0,
            self._birthday(p.at) if self.birthdays else None,
        )
        if terms.needs_more:
            basket = in_full(terms, p, basket, standing.purchases + 1)
        room = self._room(terms, day) if terms.counted or terms.capped else {}
        draw = self._draws(p.event) if terms.has_budgets else None
        earned = earn(terms, basket, room, draw=draw, tells=self.tells)
        growth, grown, why = self._growth_of(terms, basket, room, net)
        sale = Sale(
            p, terms, basket, room, earned.points, earned.counted, growth, net, net, 0, fee, earned.drawn, grown
        )
        self._sales[p.event] = sale
        self._day_sales.setdefault(day.toordinal(), []).append(sale)
        if net > 0:
            standing.purchases += 1
        if earned.counted:
            self._count(day, earned.counted, 1)
        if grown:
            self._count(day, grown, 1)
        self._add_to_day(day, net, 1 if net > 0 else 0, growth, earned.points)
        effect = None
        if earned.points or growth:
            effect = self._effect(p.event, "earn", p.at, terms)
            effect.why = earned.why + why
            if growth:
                self._grow(terms, effect, p.event, growth, day)
            if earned.points:
                self._grant(effect, p.event, earned.points, "issued", terms, day, done_at=p.done_at)
        if terms.rolling_expiry:
            self._prolong(terms, effect, p.event, p.at)
        if net > 0:
            self._grade_up(terms, p.at, day, p.event)

    def _growth_of(
        self, terms: Terms, basket: Basket, room: dict[str, int], net: int
    ) -> tuple[int, dict[str, int], list[dict[str, Any]]]:
        """Growth value of a purchase, counters of the rules that add to it, and why."""
        growth = net // terms.growth_per if terms.growth_per else 0
        if terms.growth is None:
            return growth, {}, []
        more = earn(terms, basket, room, rules=terms.growth)
        why = [{("growth" if k == "points" else k): v for k, v in row.items()} for row in more.why]
        return growth + more.points, more.counted, [{"rule": "growth", "growth": str(growth)}, *why]

    def _sell_memberships(
        self, terms: Terms, p: ev.Purchase, slices: tuple[Slice, ...], day: date
    ) -> tuple[tuple[Slice, ...], int]:
        """Memberships among the goods begin; their fee counts for nothing, unless the charter says that it does."""
        fee = 0
        left: list[Slice] = []
        for part in slices:
            sold = [
                k[11:] for k in terms.chosen_by(part.category, part.product, part.brand) if k.startswith("membership:")
            ]
            if sold and part.net > 0:
                self._begin_membership(terms, sold[0], p.event, p.at)
                if not terms.memberships[sold[0]].earns:
                    fee += part.net
                    continue
            left.append(part)
        return tuple(left), fee

    def _refunded(self, r: ev.Refunded) -> None:
        sale = self._sales.get(r.order)
        if sale is None:
            raise AssertionError(f"Refund {r.event} was folded without its order {r.order}.")
        terms, p = sale.terms, sale.purchase
        sale.take_back(r)
        whole = max(0, p.net - sale.refunded)
        slices: tuple[Slice, ...] = ()
        fee = sale.fee
        if terms.needs_lines and p.lines:
            slices = slices_of(terms, p, whole, sale.back)
            if terms.memberships:
                slices, fee = self._take_memberships_back(terms, sale, slices, whole, r.at)
        net = max(0, whole - fee)
        basket = sale.basket._replace(net=net, slices=slices)
        if terms.needs_more:
            basket = _in_part(sale, slices, net)
        left = earn(terms, basket, sale.room, draw=self._keeps(sale) if terms.has_budgets else None)
        if left.points > sale.points:  # a refund never gives points
            left = Earned(sale.points, left.why, sale.counted, sale.drawn)
        growth, grown, _ = self._growth_of(terms, basket, sale.room, net)
        growth = min(growth, sale.growth)
        lost, shrunk = sale.points - left.points, sale.growth - growth
        day = sale.basket.day
        if sale.counted:
            self._count(day, {k: n - left.counted.get(k, 0) for k, n in sale.counted.items()}, -1)
        if sale.grown:
            self._count(day, {k: n - grown.get(k, 0) for k, n in sale.grown.items()}, -1)
        gone_order = 1 if sale.net > 0 and net == 0 else 0
        self._take_from_day(sale, sale.net - net, gone_order, lost, net)
        for key, n in sale.drawn.items():
            if left.drawn.get(key, 0) < n:
                self.purse.keep(terms.by_key[key], p.event, left.drawn.get(key, 0))
        sale.points, sale.counted, sale.growth, sale.net = left.points, left.counted, growth, net
        sale.drawn, sale.grown = left.drawn, grown
        if lost or shrunk:
            effect = self._effect(r.event, "refund", r.at, terms)
            effect.why = [{"order": r.order, "net": net, "earned": left.points, "taken_back": lost}, *left.why]
            if len(slices) > 1 and not r.told:
                effect.why.insert(1, {"rule": "goods_not_told"})
            if shrunk:
                self._shrink(effect, p.event, shrunk, day, dated=terms.charter.grading.growth_loss.months > 0)
            if lost:
                self._claw_back(effect, r.order, lost, terms.charter.points.clawback)
        if terms.charter.grading.on_refund == "at_once":
            self._fall_after_refund(r.at, r.event)

    def _take_memberships_back(
        self, terms: Terms, sale: Sale, slices: tuple[Slice, ...], whole: int, at: datetime
    ) -> tuple[tuple[Slice, ...], int]:
        """A membership whose goods were given back ends; with goods nobody names, when the whole order is given back."""
        p, ended = sale.purchase, whole == 0
        left: list[Slice] = []
        rest = 0
        back = {line.product for line, (gone, _) in zip(p.lines, sale.back, strict=True) if 0 < line.amount <= gone}
        for part in slices:
            sold = [
                k[11:] for k in terms.chosen_by(part.category, part.product, part.brand) if k.startswith("membership:")
            ]
            if sold and part.product in back:
                ended = True
            if sold and not terms.memberships[sold[0]].earns:
                rest += part.net
            else:
                left.append(part)
        if ended:
            self._end_membership(p.event, at, "membership_back")
        return tuple(left), min(sale.fee, rest)

    # -- activities ---------------------------------------------------------------------------------------------

    def _activity(self, a: ev.Activity) -> None:
        """Sign-in and the like: points and growth value by the charter's rules; the fact stays even if it gives nothing."""
        terms = self.versions.at(a.at)
        day = terms.day(a.at)
        basket = Basket(0, day, self.tier_at(terms), birthday=self._birthday(a.at))
        if terms.needs_hour:
            basket = basket._replace(hour=a.at.astimezone(terms.zone).hour)
        streak = self._streak(terms, a.kind, day)
        room = self._room(terms, day) if terms.counted or terms.capped else {}
        given = reward(terms, a.kind, basket, room, streak, self._draws(a.event) if terms.has_budgets else None)
        if given.counted:
            self._count(day, given.counted, 1)
        self._add_to_day(day, 0, 0, given.growth, given.points)
        effect = self._effect(a.event, "activity", a.at, terms)
        effect.why = [{"activity": a.kind}, *given.why]
        if given.growth:
            self._grow(terms, effect, a.event, given.growth, day)
        if given.points:
            self._grant(effect, a.event, given.points, "issued", terms, day, at_once=True)
        if terms.rolling_expiry:
            self._prolong(terms, effect, a.event, a.at)
        if given.growth or given.points:
            self._grade_up(terms, a.at, day, a.event)

    def _activity_undone(self, a: ev.ActivityUndone) -> None:
        """What it undid is not among the events any more; here it only stands in the books that somebody took it back."""
        self._effect(a.event, "activity_undo", a.at).why = [{"undone": a.activity}]
        self.undone.add(a.activity)

    def _streak(self, terms: Terms, kind: str, day: date) -> int:
        """How many days in a row the activity has been done; 0 on the second time of a day."""
        if not any(rule.streaks for rule in terms.activities.get(kind, ())):
            return 0
        last = self.books.standing.streaks.setdefault(kind, [0, 0])
        today = day.toordinal()
        if last[0] == today:
            return 0
        last[1] = last[1] + 1 if last[0] == today - 1 else 1
        last[0] = today
        return last[1]

    # -- budgets ------------------------------------------------------------------------------------------------

    def _draws(self, event: str) -> Draw:
        return lambda rule, wanted: self.purse.draw(rule, event, wanted)

    def _keeps(self, sale: Sale) -> Draw:
        """After a refund a rule with a budget gives at most what the purchase was granted."""

        def keeps(rule: Rule, wanted: int) -> int:
            return min(wanted, sale.drawn.get(rule.key, 0))

        return keeps

    # -- taking back --------------------------------------------------------------------------------------------

    def _claw_back(self, effect: Effect, key: str, amount: int, how: str) -> None:
        """Take back what an order earned: its own lot, what of it lapsed, other lots, then debt (TRUST §3.3)."""
        if not self.books.complete:
            raise MissingLots(f"{effect.event} takes points back but old lots were not loaded.")
        own = self.books.lots.get(key)
        rest = amount
        if own is not None:
            x = min(rest, own.free)
            if x:
                self._take(effect, own, x, "claw", "issued")
                rest -= x
            lapsed = min(rest, self._lapsed(own))
            if lapsed:  # they expired unused: the member never had the good of them, nothing more is taken
                effect.uses += [(key, "expire", -lapsed), (key, "claw", lapsed)]
                effect.move("breakage", -lapsed)
                effect.move("issued", lapsed)
                rest -= lapsed
        if how == "debt":
            self._owe(effect, rest, "claw", "issued")
        else:
            short = rest if how == "lot" else self._take_free(effect, rest, "claw", "issued")[1]
            if short:  # the charter lets the member keep what is spent already
                effect.move("issued", short)
                effect.move("written_off", -short)
                effect.why.append({"rule": "written_off", "points": str(short)})
        self._find_next_expiry()

    # -- caps and daily figures ---------------------------------------------------------------------------------

    def _room(self, terms: Terms, day: date) -> dict[str, int]:
        """What capped rules may still give, and how often limited ones."""
        room: dict[str, int] = {}
        for rule in terms.counted:
            _, *caps = rule.caps
            self._room_of(room, rule.key, caps, day)
            if rule.limited:
                self._room_of(room, rule.key + "#", rule.limits, day)
        if terms.capped:
            self._room_of(room, ALL, terms.all_caps[1:], day)
        return room

    def _room_of(self, room: dict[str, int], key: str, most: Any, day: date) -> None:
        per_day, per_week, per_month, per_member = most
        used = self.books.standing.counters.get(key, _UNUSED)
        left = []
        if per_day is not None:
            left.append(per_day - (used[1] if used[0] == day.toordinal() else 0))
        if per_week is not None:
            week = self.books.standing.weeks.get(key, _UNUSED)
            left.append(per_week - (week[1] if week[0] == _monday(day) else 0))
        if per_month is not None:
            left.append(per_month - (used[3] if used[2] == day.year * 12 + day.month else 0))
        if per_member is not None:
            left.append(per_member - used[4])
        if left:
            room[key] = max(0, min(left))

    def _count(self, day: date, points: dict[str, int], sign: int) -> None:
        standing = self.books.standing
        for key, n in points.items():
            if not n:
                continue
            used = standing.counters.setdefault(key, [0, 0, 0, 0, 0])
            month = day.year * 12 + day.month
            if sign > 0 and used[0] != day.toordinal():
                used[0], used[1] = day.toordinal(), 0
            if sign > 0 and used[2] != month:
                used[2], used[3] = month, 0
            if used[0] == day.toordinal():
                used[1] += sign * n
            if used[2] == month:
                used[3] += sign * n
            used[4] += sign * n
            if key in self.versions.weekly:
                week = standing.weeks.setdefault(key, [0, 0])
                if sign > 0 and week[0] != _monday(day):
                    week[0], week[1] = _monday(day), 0
                if week[0] == _monday(day):
                    week[1] += sign * n

    def _add_to_day(self, day: date, net: int, orders: int, growth: int, points: int) -> None:
        standing = self.books.standing
        self._forget_old_days(day)
        bucket = standing.days.setdefault(day.toordinal(), [0, 0, 0, 0, 0])
        for into in (bucket, standing.totals):
            into[AMOUNT] += net
            into[ORDERS] += orders
            if net > into[SINGLE]:
                into[SINGLE] = net
            into[GROWTH] += growth
            into[POINTS] += points

    def _forget_old_days(self, day: date) -> None:
        """Daily figures older than any window live on in the totals only. Days are in time order."""
        days = self.books.standing.days
        low = day.toordinal() - self.versions.longest_window_days
        while days and (first := next(iter(days))) < low:
            del days[first]

    def _take_from_day(self, sale: Sale, net: int, orders: int, points: int, left: int) -> None:
        """A refund lowers the day of its order, so that both leave the window together. Growth value: see `_shrink`."""
        standing = self.books.standing
        day = sale.basket.day.toordinal()
        bucket = standing.days.get(day)
        for into in (bucket, standing.totals):
            if into is not None:
                into[AMOUNT] -= net
                into[ORDERS] -= orders
                into[POINTS] -= points
        sale.net = left
        if bucket is not None:
            bucket[SINGLE] = max(s.net for s in self._day_sales[day])
        standing.totals[SINGLE] = max(s.net for s in self._sales.values())


_UNUSED = [0, 0, 0, 0, 0]


def _monday(day: date) -> int:
    return day.toordinal() - day.weekday()


def _in_part(sale: Sale, slices: tuple[Slice, ...], net: int) -> Basket:
    """The same after a refund: all figures shrink with the net, so that nothing is left of an order given back."""
    first, whole = sale.basket, sale.whole

    def shrunk(figure: int) -> int:
        return figure if figure < 0 else figure * net // whole if whole else 0

    base = shrunk(first.net)
    if slices:
        shares = allocate(base, [s.net for s in slices])
        slices = tuple(s._replace(net=share) for s, share in zip(slices, shares, strict=True))
    return first._replace(net=base, slices=slices, paid=shrunk(first.paid), gross=shrunk(first.gross))
