"""Coupons while the list runs: issued, claimed, held and redeemed with a basket, given back, void, run out.

`rules` says who gets them by rule, `codes` what a code stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine.charter.selling import Coupon as Template
from shuke.engine.charter.terms import Versions
from shuke.engine.checkout import Coupon
from shuke.engine.checkout.vouchers import Count, comes_back, has_enough, is_over, validity
from shuke.engine.replay.outcome import Answer, own_name


class Move(NamedTuple):
    at: datetime
    kind: str  # issue | claim | hold | redeem | return | void | expire
    after: str
    amount: int = 0


@dataclass(slots=True)
class Voucher:
    """One coupon. `number`: the how manieth of all, as the till knows it."""

    name: str
    number: str
    template: Template
    member: str
    source: str
    issued_at: datetime
    valid_from: datetime | None
    valid_until: datetime | None
    ref: str = ""  # what for
    state: str = "open"
    amount: int = 0
    basket: str = ""
    moves: list[Move] = field(default_factory=list)

    def move(self, at: datetime, kind: str, after: str, amount: int = 0) -> None:
        self.state = after
        self.moves.append(Move(at, kind, after, amount))


class Vouchers:
    def __init__(self, versions: Versions, taken: set[str]) -> None:
        self.versions, self.taken = versions, taken
        self.all: dict[str, Voucher] = {}
        self.bearer: list[Voucher] = []  # of nobody's, until somebody claims their code
        self.counts: dict[str, Count] = {}
        self.made = 0

    def template(self, key: str, at: datetime) -> Template | None:
        return next((t for t in self.versions.at(at).charter.selling.coupons if t.key == key), None)

    def count(self, template: Template) -> Count:
        if template.key not in self.counts:
            limits = template.limits
            budget = None if limits.budget is None else self.versions.last.minor(limits.budget)
            self.counts[template.key] = Count(
                most_issued=limits.issued, most_redeemed=limits.redeemed, budget_minor=budget
            )
        return self.counts[template.key]

    # ---- issuing ----------------------------------------------------------------------------------------------------

    def why_not(self, key: str, member: str, count: int, at: datetime) -> str:
        template = self.template(key, at)
        if template is None:
            return "no_such_template"
        _, end = validity(template, at, self.versions.last.zone)
        if is_over(end, at):
            return "window_over"
        if code := self.count(template).why_none_issued(count):
            return code
        had = sum(v.member == member and v.template.key == key and v.state != "void" for v in self.all.values())
        return "member_has_enough" if has_enough(template, had, count) else ""

    def issue(
        self, key: str, member: str, count: int, source: str, at: datetime, *, named: str = "", ref: str = ""
    ) -> Answer:
        """`named`: what the line of the list calls it; else it is called by its source."""
        if code := self.why_not(key, member, count, at):
            return Answer(False, code, {"template": key})
        template = self.template(key, at)
        assert template is not None
        start, end = validity(template, at, self.versions.last.zone)
        before = self.count(template)
        self.counts[key] = before._replace(issued=before.issued + count)
        names = []
        for n in range(1, count + 1):
            name = (named if count == 1 else f"{named}-{n}") if named else own_name(source, self.taken)
            self.taken.add(name)
            one = self.make(name, template, member, source, at, start, end, ref)
            one.move(at, "issue", "open")
            self.all[name] = one
            names.append(name)
        return Answer(True, did=[issued(key, names)])

    def make(
        self,
        name: str,
        template: Template,
        member: str,
        source: str,
        at: datetime,
        start: datetime | None,
        end: datetime | None,
        ref: str = "",
    ) -> Voucher:
        self.made += 1
        return Voucher(name, f"{self.made:019d}", template, member, source, at, start, end, ref)

    def take(self, one: Voucher, name: str, member: str, at: datetime) -> None:
        """A coupon of nobody's becomes a member's."""
        self.bearer.remove(one)
        one.name, one.member = name, member
        one.move(at, "claim", "open")
        self.all[name] = one
        self.all = dict(sorted(self.all.items(), key=lambda named: named[1].number))

    def claim(self, key: str, member: str, at: datetime, named: str) -> Answer:
        template = self.template(key, at)
        if template is not None and not template.claim:
            return Answer(False, "not_claimable", {"template": key})
        return self.issue(key, member, 1, "claim", at, named=named)

    def void(self, name: str, at: datetime) -> Answer:
        one = self.all.get(name)
        if one is None:
            return Answer(False, "no_such_coupon", {"coupon": name})
        if one.state != "open":
            return Answer(False, "not_open", {"coupon": name, "state": one.state})
        one.move(at, "void", "void")
        return Answer(True, did=[{"kind": "coupon_void", "coupon": name}])

    def take_away(self, key: str, ref: str, count: int, at: datetime) -> int:
        """Void the newest open ones that were given for something; how many there were."""
        mine = [v for v in self.all.values() if (v.template.key, v.ref, v.state) == (key, ref, "open")]
        for one in mine[::-1][:count]:
            one.move(at, "void", "void")
        return min(count, len(mine))

    def expire(self, at: datetime) -> None:
        for one in self._every():
            if one.state == "open" and is_over(one.valid_until, at):
                one.move(at, "expire", "expired")

    # ---- the till ---------------------------------------------------------------------------------------------------

    def of_member(self, member: str, asked: set[str], best: bool, at: datetime) -> list[Voucher]:
        """Those named, whatever became of them; with `best` also all that can be used."""
        return [
            v
            for v in self.all.values()
            if v.member == member
            and (v.name in asked or (best and v.state == "open" and not is_over(v.valid_until, at)))
        ]

    def for_till(self, one: Voucher, ref: str = "") -> Coupon:
        """`ref`: how the basket names it, if not by number."""
        left, template = self.count(one.template).budget_left(), one.template
        return Coupon(
            ref or one.number, template.key, one.valid_from, one.valid_until, one.state, left, template, one.number
        )

    def _every(self) -> list[Voucher]:
        """In the order in which they were made."""
        return (
            sorted([*self.all.values(), *self.bearer], key=lambda v: v.number) if self.bearer else [*self.all.values()]
        )

    def hold(self, uses: dict[str, int], basket: str, at: datetime) -> bool:
        """All coupons of a basket with what they give, or none: by number."""
        mine = [v for v in self._every() if v.number in uses]
        if not self.may_hold(uses, {}):
            return False
        for one in mine:
            one.basket, one.amount = basket, uses[one.number]
            one.move(at, "hold", "held", one.amount)
            self._add(one, held=1, held_minor=one.amount)
        return True

    def may_hold(self, uses: dict[str, int], keys_of: dict[str, str]) -> bool:
        """Do the budgets suffice? `keys_of`: the templates of what is named by a code."""
        keys: dict[str, list[int]] = {}
        known = {v.number: v.template.key for v in self._every()}
        for ref, amount in uses.items():
            if (key := keys_of.get(ref) or known.get(ref, "")) in self.counts:
                keys.setdefault(key, []).append(amount)
        return all(self.counts[key].may_hold(len(amounts), sum(amounts)) for key, amounts in keys.items())

    def redeem(self, basket: str, at: datetime) -> list[dict[str, Any]]:
        told = []
        for one in self._of(basket, "held"):
            one.move(at, "redeem", "redeemed", one.amount)
            self._add(one, held=-1, held_minor=-one.amount, redeemed=1, spent_minor=one.amount)
            told.append({"kind": "coupon_redeem", "coupon": one.name, "amount_minor": one.amount})
        return told

    def give_back(self, basket: str, at: datetime) -> list[dict[str, Any]]:
        """The whole basket came back."""
        told = []
        for one in self._of(basket, "redeemed"):
            comes, end = comes_back(one.template, one.valid_until, at, self.versions.last.zone)
            if not comes:
                continue
            self._add(one, redeemed=-1, spent_minor=-one.amount)
            one.move(at, "return", "open", one.amount)
            one.valid_until, one.basket, one.amount = end, "", 0
            told.append({"kind": "coupon_return", "coupon": one.name})
        return told

    def _of(self, basket: str, state: str) -> list[Voucher]:
        return [v for v in self._every() if v.basket == basket and v.state == state]

    def _add(self, one: Voucher, **more: int) -> None:
        count = self.counts[one.template.key]
        self.counts[one.template.key] = count._replace(**{k: getattr(count, k) + n for k, n in more.items()})

    # ---- the end ----------------------------------------------------------------------------------------------------

    def end(self, member: str) -> list[dict[str, Any]]:
        return [self._told(v) for v in self.all.values() if v.member == member]

    def end_of_bearers(self) -> list[dict[str, Any]]:
        """Those that nobody claimed and that something happened to."""
        return [self._told(v) for v in self.bearer if v.moves]

    def _told(self, v: Voucher) -> dict[str, Any]:
        return told(
            v.name, v.template.key, v.source, v.state, v.issued_at, v.valid_from, v.valid_until, v.amount, v.moves
        )


def issued(template: str, names: list[str]) -> dict[str, Any]:
    return {"kind": "coupon_issue", "template": template, "coupons": names}


def claimed(template: str, name: str) -> dict[str, Any]:
    return {"kind": "coupon_claim", "template": template, "coupons": [name]}


def told(
    name: str,
    template: str,
    source: str,
    state: str,
    issued_at: datetime,
    valid_from: datetime | None,
    valid_until: datetime | None,
    amount: int,
    moves: list[Move],
) -> dict[str, Any]:
    """A coupon as it is printed at the end."""
    return {
        "id": name,
        "template": template,
        "source": source,
        "state": state,
        "issued_at": issued_at.isoformat(),
        "valid_from": valid_from.isoformat() if valid_from else None,
        "valid_until": valid_until.isoformat() if valid_until else None,
        "amount_minor": amount,
        "history": [
            {"at": m.at.isoformat(), "kind": m.kind, "after": m.after, "amount_minor": m.amount} for m in moves
        ],
    }
