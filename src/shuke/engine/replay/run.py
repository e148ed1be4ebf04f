"""The list of events folded by the engine, nothing else: one fold per member, one purse of budgets for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold, begin
from shuke.engine.ledger.purse import Purse
from shuke.engine.replay.lines import REQUESTS, Line
from shuke.engine.replay.outcome import Answer, Booked, LotEnd, MemberEnd, Outcome
from shuke.engine.simulation.classes import bits

BY_EFFECT = ("activity", "growth", "reinstate", "membership", "membership_end")


@dataclass(slots=True)
class Member:
    """One member while the list runs."""

    fold: Fold
    burns: dict[str, tuple[str, int]] = field(default_factory=dict)  # key of a spend → event, what can be given back
    handed: list[tuple[datetime, int]] = field(default_factory=list)
    nth: tuple[datetime | None, int] = (None, 0)  # the last moment something was granted, and its place


class Replay:
    """Runs lines in order; `outcome` says what came of them."""

    def __init__(self, versions: Versions) -> None:
        self.versions = versions
        self.purse = Purse() if versions.has_budgets else None
        self.members: dict[str, Member] = {}
        self.owner: dict[str, str] = {}  # order → member
        self.orders: dict[str, Line] = {}
        self.returned: dict[str, int] = {}
        self.answers: dict[int, Answer] = {}

    def run(self, lines: Sequence[Line], until: datetime | None = None) -> Outcome:
        for line in lines:
            if until is not None and line.at > until:
                break
            self.answers[line.number] = self._one(line)
        end = until or max((line.at for line in lines), default=datetime.min)
        for member in self.members.values():
            member.fold.advance(end)
        return Outcome(end, self.answers, {name: self._end(m.fold, end) for name, m in self.members.items()})

    def _one(self, line: Line) -> Answer:
        if line.event == "clock":
            for member in self.members.values():
                member.fold.advance(line.at)
            return Answer(True)
        if line.event == "join":
            birthdays = [(None, line.birthday)] if line.birthday else []
            fold = begin(self.versions, joined_at=line.at, birthdays=birthdays, purse=self.purse)
            fold.last_at = line.at if fold.effects else None
            self.members[line.member] = Member(fold)
            return Answer(True)
        if line.event == "order":
            return self._order(line)
        if line.event == "return":
            return self._return(line)
        if line.event == "price":
            return self._price(line)
        member = self.members[line.member]
        if line.event in ("tier", "invite"):
            terms = self.versions.at(line.at)
            if line.ref not in terms.rank:
                return Answer(False, "no_such_tier", {"tier": line.ref, "known": ", ".join(terms.rank)})
            cause = "invited" if line.event == "invite" else "manual"
            member.fold.run([ev.TierGiven(f"tier:{line.number}", line.at, line.ref, line.until, cause)])
            return Answer(True)
        if line.event == "transfer":
            return self._transfer(line, member)
        return self._request(line, member)

    def _order(self, line: Line) -> Answer:
        self.owner[line.order], self.orders[line.order] = line.member, line
        parts = ev.Parts(line.freight, 0, line.discount) if self.versions.needs_parts else None
        purchase = ev.Purchase(
            line.order_event, line.at, line.paid, self._goods(line), line.store, line.platform, line.channel, line.done, parts
        )  # fmt: skip
        self.members[line.member].fold.run([purchase])
        return Answer(True)

    def _goods(self, line: Line) -> tuple[ev.GoodsLine, ...]:
        """In the order in which the books read them, so that the last fen of a split falls on the same goods."""
        rules = self.versions.goods_rules
        goods = list(line.goods)
        if not self.versions.each_line:
            goods.sort(key=lambda g: bits(rules, g.category, g.product, g.brand))
        return tuple(ev.GoodsLine(g.amount, 0, g.category, g.product, g.brand, g.pieces_milli) for g in goods)

    def _return(self, line: Line) -> Answer:
        sold = self.orders[line.order]
        left = sold.paid + sold.freight - self.returned.get(line.order, 0)
        amount = left if line.whole else line.paid
        if amount > left or amount <= 0:
            return Answer(False, "more_than_paid", {"amount": amount, "left": left})
        self.returned[line.order] = self.returned.get(line.order, 0) + amount
        self.members[self.owner[line.order]].fold.run(
            [ev.Refunded(f"refund:{sold.order_event}:{line.id}", line.at, sold.order_event, amount)]
        )
        return Answer(True, figures={"amount": amount})

    # -- requests ---------------------------------------------------------------------------------------------------

    def _request(self, line: Line, member: Member) -> Answer:
        fold, kind = member.fold, REQUESTS[line.event]
        fold.advance(line.at)
        code, figures = self._why_not(line, kind, member)
        if code:
            return Answer(False, code, figures)
        nth = self._nth(member, line.at)
        event = self._event(line, kind, member)
        before = len(fold.effects)
        fold.run([event._replace(nth=nth)])
        member.nth = (line.at, nth)
        if kind in ("burn", "capture"):
            member.burns[line.id] = (f"{kind}:{line.id}", line.points)
        elif kind == "return":
            named, left = member.burns[line.ref]
            member.burns[line.ref] = (named, left - line.points)
        if kind in BY_EFFECT:
            effect = next((e for e in fold.effects[before:] if e.event == event.event), None)
            points = 0 if effect is None else effect.legs.get("member", 0) + effect.legs.get("debt", 0)
            return Answer(True, figures={"amount": points, "growth": 0 if effect is None else effect.growth})
        if kind in ("adjust", "opening") and line.points > 0:
            return Answer(True, figures={"amount": line.points})
        return Answer(True, figures={"amount": self._amount(line, kind, figures), "available": figures["available"]})

    def _amount(self, line: Line, kind: str, figures: dict[str, Any]) -> int:
        return 0 if kind == "release" else line.points

    def _nth(self, member: Member, at: datetime) -> int:
        """The place among what was granted at the same moment: as `loyalty.queries.facts.next_at` counts."""
        if member.fold.last_at != at:
            return 0
        return 1 + (member.nth[1] if member.nth[0] == at else 0)

    def _why_not(self, line: Line, kind: str, member: Member) -> tuple[str, dict[str, Any]]:
        """The code of a refusal, or "" with what is available afterwards; as `loyalty.actions.judging` judges."""
        books, at, amount = member.fold.books, line.at, line.points
        terms = self.versions.at(at)
        available = books.available(at)
        told = {"amount": amount, "available": available}
        if kind in ("burn", "hold"):
            if amount <= 0:
                return "not_positive", told
            return ("not_enough", told) if amount > available else ("", told | {"available": available - amount})
        if kind in ("adjust", "opening"):
            if amount < 0 and -amount > available:
                return "not_enough", told
            if amount == 0 or (kind == "opening" and amount < 0):
                return "not_positive", told
            return "", told | {"available": available + amount}
        if kind in ("capture", "release"):
            held = books.holds.get(f"hold:{line.ref}")
            if held is None or held.times_out_at <= at:
                return "no_such_hold", told | {"ref": line.ref}
            whole = sum(n for _, n in held.lots)
            if kind == "capture" and amount <= 0:
                return "not_positive", told
            if kind == "capture" and amount > whole:
                return "more_than_held", told | {"held": whole, "ref": line.ref}
            return "", told | {"available": available + whole - amount}
        if kind == "return":
            if line.ref not in member.burns:
                return "no_such_burn", told | {"ref": line.ref}
            if amount <= 0:
                return "not_positive", told
            left = member.burns[line.ref][1]
            if amount > left:
                return "more_than_burnt", told | {"left": left, "ref": line.ref}
            return "", told | {"available": available + amount}
        return self._why_not_fact(line, kind, member, terms)

    def _why_not_fact(self, line: Line, kind: str, member: Member, terms: Terms) -> tuple[str, dict[str, Any]]:
        told: dict[str, Any] = {"amount": line.points, "ref": line.ref}
        standing = member.fold.books.standing
        if kind == "activity" and line.ref not in terms.activities:
            return "no_such_activity", told
        if kind == "growth" and not line.points:
            return "not_positive", told
        if kind == "reinstate":
            if line.points <= 0:
                return "not_positive", told
            since = line.at - timedelta(days=terms.charter.points.reinstate_days)
            lapsed = sum(e.legs.get("breakage", 0) for e in member.fold.effects if e.at >= since)
            if line.points > lapsed:
                return "more_than_lapsed", told | {"lapsed": lapsed}
        if kind == "membership" and line.ref not in terms.memberships:
            return "no_such_membership", told
        if kind == "membership_end" and all(p.event not in (f"membership:{line.ref}", line.ref) for p in standing.paid):
            return "no_such_membership", told
        return "", told

    def _event(self, line: Line, kind: str, member: Member) -> Any:
        name, at = f"{kind}:{line.id}", line.at
        if kind == "burn":
            return ev.Burn(name, at, line.points)
        if kind == "return":
            return ev.BurnReturned(name, at, member.burns[line.ref][0], line.points)
        if kind == "hold":
            assert line.until is not None
            return ev.HoldPlaced(name, at, line.points, line.until)
        if kind == "capture":
            return ev.HoldCaptured(name, at, f"hold:{line.ref}", line.points)
        if kind == "release":
            return ev.HoldReleased(name, at, f"hold:{line.ref}")
        if kind == "activity":
            return ev.Activity(name, at, line.ref)
        if kind == "growth":
            return ev.GrowthAdjusted(name, at, line.points)
        if kind == "reinstate":
            return ev.Reinstated(name, at, line.points)
        if kind == "membership":
            return ev.MembershipBought(name, at, line.ref)
        if kind == "membership_end":
            running = {paid.event for paid in member.fold.books.standing.paid}
            bought = f"membership:{line.ref}"
            return ev.MembershipEnded(name, at, bought if bought in running else line.ref)
        account = "opening" if kind == "opening" else "adjusted"
        return ev.Adjusted(name, at, line.points, account, line.until)

    def _transfer(self, line: Line, giver: Member) -> Answer:
        terms = self.versions.at(line.at)
        receiver = self.members[line.ref]
        for one in {id(m): m for m in (giver, receiver)}.values():
            one.fold.advance(line.at)
        available = giver.fold.books.available(line.at)
        told: dict[str, Any] = {"amount": line.points, "available": available}
        points, amount = terms.charter.points, line.points
        start = terms.start(terms.day(line.at))
        given = sum(n for at, n in giver.handed if at >= start)
        if amount <= 0:
            return Answer(False, "not_positive", told)
        if line.ref == line.member:
            return Answer(False, "same_member", told)
        if points.transfer == "no":
            return Answer(False, "no_transfers", told)
        if points.transfer == "family":  # the list knows no families
            return Answer(False, "not_family", told)
        if amount > available:
            return Answer(False, "not_enough", told)
        most = points.transfer_most_per_day
        if most is not None and given + amount > most:
            return Answer(False, "too_much_today", told | {"most": most, "given": given})
        handed = ev.HandedOver(f"handed:{line.id}", line.at, amount, self._nth(giver, line.at))
        giver.fold.run([handed])
        effect = next(e for e in reversed(giver.fold.effects) if e.event == handed.event)
        lots = giver.fold.books.lots
        parcels = tuple(
            ev.Parcel(n, lots[key].earned_at, lots[key].expires_at, lots[key].cost_micro)
            for key, kind, n in effect.uses
            if kind == "transfer"
        )
        taken = ev.TakenOver(f"taken:{line.id}", line.at, parcels, self._nth(receiver, line.at))
        receiver.fold.run([taken])
        giver.nth, receiver.nth = (line.at, handed.nth), (line.at, taken.nth)
        giver.handed.append((line.at, amount))
        return Answer(True, figures={"amount": amount, "available": available - amount})

    def _price(self, line: Line) -> Answer:
        from shuke.engine.checkout import document, price

        terms = self.versions.at(line.at)
        basket = dict(line.basket or {})
        if line.member:
            basket["member"] = self.figures_of(line.member, line.at) | dict(basket.get("member") or {})
        try:
            told = document.from_plain(basket)
            priced = price(terms, document.basket(told, terms.currency), document.holdings(told), line.at)
        except document.BasketInvalid as error:
            return Answer(False, "basket_invalid", {"places": "; ".join(error.places)})
        return Answer(True, priced=priced.to_plain())

    def figures_of(self, name: str, at: datetime) -> dict[str, Any]:
        fold = self.members[name].fold
        fold.advance(at)
        return {
            "tier": fold.tier_at(self.versions.at(at)),
            "points": fold.books.available(at),
            "purchases": fold.books.standing.purchases,
        }

    # -- the end ----------------------------------------------------------------------------------------------------

    def _end(self, fold: Fold, until: datetime) -> MemberEnd:
        books = fold.books
        return MemberEnd(
            available=books.available(until),
            pending=books.pending(until),
            held=books.held(),
            debt=books.debt,
            growth=books.standing.totals[3],
            tier=fold.tier_at(self.versions.at(until)),
            review_at=books.standing.review_at,
            lots=[
                LotEnd(x.key, x.granted, x.remaining, x.held, x.earned_at, x.available_at, x.expires_at)
                for x in books.lots.values()
                if x.granted
            ],
            history=[(m.at, m.before, m.after, m.cause) for m in fold.moves],
            booked=[Booked(e.event, e.kind, e.at, dict(e.legs), e.growth, e.why) for e in fold.effects],
        )
