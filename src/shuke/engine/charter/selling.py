"""What the charter says about the till: prices by tier, offers, coupons, points as money, and in which order.

Prices and offers apply by themselves; coupons and points when the member asks for them. Amounts are in major units as
in the rest of the charter, `percent: 12` is 12 % off (8.8 折).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from shuke.engine.charter.faults import Fault
from shuke.engine.charter.occasions import check_days, check_span
from shuke.engine.charter.parts import Amount, Count, Key, Name, Part, Positive, When

Step = Literal["tier_price", "offers", "coupons", "points", "gift_cards", "stored_value"]
STEPS: tuple[Step, ...] = ("tier_price", "offers", "coupons", "points", "gift_cards", "stored_value")
PREPAID: tuple[Step, ...] = ("gift_cards", "stored_value")  # means of payment, no discounts: they come last
Tender = Literal["points", "gift_cards", "stored_value", "cash"]
TENDERS: tuple[Tender, ...] = ("points", "gift_cards", "stored_value", "cash")
Percent = Annotated[Decimal, Field(gt=0, le=100, max_digits=7, decimal_places=4)]
Days = Annotated[int, Field(ge=1, le=3650)]


class Goods(Part):
    """A choice of lines. Nothing named means all goods."""

    categories: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()


class Where(When):
    """The charter's `when`, and what only a basket has. `min_amount` is of the chosen goods."""

    without: Goods = Goods()  # these never count, whatever is chosen above


class Rung(Part):
    """One step of a spend ladder: from so much on, so much off."""

    at_least: Positive
    off: Amount | None = None
    percent: Percent | None = None


class _Rule(Part):
    """What prices, offers and coupons have in common: how they get on with one another."""

    key: Key
    name: Name
    when: Where = Where()
    group: Key | None = None  # at most one of a group applies
    not_with: tuple[Key, ...] = ()  # keys, groups or steps it does not go together with
    alone: bool = False  # with no other price, offer or coupon
    on_discounted: bool = True  # False: only goods at their full price


class Price(_Rule):
    """Tier price 会员价. Exactly one of percent, price, off_each. Of several a line takes the lowest; they never add up."""

    percent: Percent | None = None
    price: Amount | None = None  # of one piece
    off_each: Positive | None = None  # so much less for one piece


class Offer(_Rule):
    """An offer that applies by itself.

    percent, amount, price, off_each: off the chosen goods. ladder: the more, the more off (满减). buy_get: buy n, get m
    of the cheapest for less or nothing. freight: no or less freight.
    """

    kind: Literal["percent", "amount", "price", "off_each", "ladder", "buy_get", "freight"]
    percent: Percent | None = None  # percent; buy_get: off the pieces given, None = free
    amount: Positive | None = None  # amount; freight: at most so much of it; price, off_each: of one piece
    rungs: tuple[Rung, ...] = ()  # ladder
    measure: Literal["amount", "pieces"] = "amount"  # ladder: what the rungs count
    repeat: bool = False  # ladder: again for every full `at_least` of the last rung (每满减); buy_get always repeats
    buy: Annotated[int, Field(ge=0, le=1000)] = 0  # buy_get
    get: Annotated[int, Field(ge=1, le=1000)] = 1
    of: Goods | None = None  # buy_get: what is given; None: the cheapest of the same goods
    most_times: Annotated[int, Field(ge=1)] | None = None  # ladder with repeat, buy_get
    cap: Positive | None = None  # at most so much off in all


class Validity(Part):
    """When an issued coupon can be used: a fixed window, or days counted from its issue. Ends are last days."""

    from_date: date | None = None
    until_date: date | None = None
    days: Days | None = None  # after issue; the sooner of days and until_date counts
    after_days: Annotated[int, Field(ge=0, le=365)] = 0  # usable only so many days after issue


class Issue(Part):
    """A rule by which members get the coupon."""

    on: Literal["birthday", "tier_up", "first_purchase", "win_back", "complaint", "joined", "referral"]
    tiers: tuple[Key, ...] = ()  # only members of these tiers (tier_up: who reached one of them)
    days: Annotated[int, Field(ge=0, le=3650)] = 0  # birthday: so many days before; win_back: quiet for so many days
    count: Annotated[int, Field(ge=1, le=50)] = 1


class Limits(Part):
    """How many, to whom, and for how much money."""

    issued: Annotated[int, Field(ge=1)] | None = None  # in all
    redeemed: Annotated[int, Field(ge=1)] | None = None  # in all
    per_member: Annotated[int, Field(ge=1)] | None = None  # issued to one member
    per_order: Annotated[int, Field(ge=1, le=50)] = 1
    budget: Positive | None = None  # sum of all discounts given; a hard stop


class Coupon(_Rule):
    """A coupon template 券模板. percent, amount: off the chosen goods. item: so many pieces of them for nothing (兑换券)."""

    kind: Literal["percent", "amount", "item", "freight"]
    percent: Percent | None = None
    amount: Positive | None = None  # amount; freight: at most so much of it
    pieces: Annotated[int, Field(ge=1, le=100)] = 1  # item
    cap: Positive | None = None  # percent: at most so much off
    codes: Literal["none", "shared", "unique"] = "none"
    valid: Validity = Validity()
    limits: Limits = Limits()
    issue: tuple[Issue, ...] = ()
    claim: bool = False  # members may take it by themselves
    returned: Literal["give_back", "keep"] = "give_back"  # when the whole order it was used on comes back
    returned_grace_days: Annotated[int, Field(ge=0, le=366)] = 7  # if it ran out meanwhile; 0: then it is lost


class PointsAsMoney(Part):
    """Points pay part of the bill. What one point is worth says `points.value`, unless `worth` says otherwise here."""

    worth: Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=8)] | None = None  # of one point, in money
    step: Annotated[int, Field(ge=1)] = 1  # only whole multiples
    least: Count = 0  # fewer points than this cannot be used
    most: Annotated[int, Field(ge=1)] | None = None  # on one order
    share: Percent = Decimal(100)  # at most so much of the order
    min_order: Amount = Decimal(0)
    freight: bool = False  # may pay freight too
    without: Goods = Goods()
    not_with: tuple[Key, ...] = ()


class Group(Part):
    """An exclusivity group: at most one of it on an order, or on each line."""

    key: Key
    per: Literal["order", "line"] = "order"


class Selling(Part):
    """Everything that changes what a basket costs."""

    order: tuple[Step, ...] = STEPS
    choose: Literal["best", "first"] = "best"  # of what cannot go together: what saves most, or what stands first
    thresholds: Literal["after", "list"] = "after"  # `min_amount` is looked at after earlier steps, or before all
    rounding: Literal["total", "line"] = "total"  # a percentage is rounded once, or on each line
    most_coupons: Annotated[int, Field(ge=0, le=100)] | None = None  # on one order
    effort: Annotated[int, Field(ge=1, le=1_000_000)] = 250  # steps of the search for the best combination
    groups: tuple[Group, ...] = ()
    prices: Annotated[tuple[Price, ...], Field(max_length=500)] = ()
    offers: Annotated[tuple[Offer, ...], Field(max_length=500)] = ()
    coupons: Annotated[tuple[Coupon, ...], Field(max_length=500)] = ()
    points: PointsAsMoney | None = None  # None: points do not pay
    # Goods that come back are refunded to these first, each up to what it paid; (): to all in proportion, line by line
    back_to: Annotated[tuple[Tender, ...], Field(max_length=4)] = ()


def every(back_to: Sequence[Tender]) -> tuple[Tender, ...]:
    """All tenders: those a charter names in its order, then the others in the order in which they pay."""
    return (*back_to, *(tender for tender in TENDERS if tender not in back_to))


def check_selling(selling: Selling, tiers: Collection[str]) -> list[Fault]:
    """Contradictions that types cannot see. `tiers` are the keys of the charter's tiers."""
    faults: list[Fault] = []
    if len(set(selling.order)) < len(selling.order):
        faults.append(Fault("selling.order", "step_twice"))
    late = [step in PREPAID for step in selling.order]
    if late != sorted(late):
        faults.append(Fault("selling.order", "tender_last"))
    if len(set(selling.back_to)) < len(selling.back_to):
        faults.append(Fault("selling.back_to", "step_twice"))
    rules = list(_rules(selling))
    seen: dict[str, str] = {}
    for where, rule in rules:
        if rule.key in seen or rule.key in STEPS:
            faults.append(Fault(f"{where}.key", "key_twice", key=rule.key, other=seen.get(rule.key, "selling.order")))
        seen[rule.key] = where
    groups = {g.key for g in selling.groups} | {r.group for _, r in rules if r.group}
    known = groups | seen.keys() | set(STEPS)
    named: list[tuple[str, tuple[str, ...]]] = [(f"{where}.not_with", rule.not_with) for where, rule in rules]
    if selling.points is not None:
        named.append(("selling.points.not_with", selling.points.not_with))
    for where, keys in named:
        faults += [Fault(where, "unknown_rule", key=key) for key in keys if key not in known]
    for where, rule in rules:
        faults += check_rule(where, rule, tiers)
    return faults


def check_rule(where: str, rule: Price | Offer | Coupon, tiers: Collection[str]) -> list[Fault]:
    """One price, offer or coupon template by itself."""
    faults: list[Fault] = []
    kind = "price" if isinstance(rule, Price) else rule.kind
    if isinstance(rule, Price):
        told = [n for n in ("percent", "price", "off_each") if getattr(rule, n) is not None]
        if len(told) != 1:
            faults.append(Fault(where, "one_price"))
    elif kind == "ladder":
        faults += _check_ladder(where, rule)
    elif kind == "buy_get":
        assert isinstance(rule, Offer)
        if rule.buy == 0 and rule.of is None:
            faults.append(Fault(f"{where}.buy", "buys_nothing", rule=rule.key))
    elif kind not in ("freight", "item"):
        wanted = "percent" if kind == "percent" else "amount"
        if getattr(rule, wanted) is None:
            faults.append(Fault(f"{where}.{wanted}", "rule_needs", rule=rule.key, kind=kind, field=wanted))
    for key in rule.when.tiers:
        if key not in tiers:
            faults.append(Fault(f"{where}.when.tiers", "unknown_tier", key=key, known=", ".join(sorted(tiers))))
    faults += check_span(f"{where}.when", rule.when.from_date, rule.when.until_date)
    faults += check_days(f"{where}.when.days", rule.when.days)
    if isinstance(rule, Coupon):
        faults += check_span(f"{where}.valid", rule.valid.from_date, rule.valid.until_date)
        faults += _check_coupon(where, rule, tiers)
    return faults


def _check_ladder(where: str, rule: Any) -> Iterator[Fault]:
    if not rule.rungs:
        yield Fault(f"{where}.rungs", "no_rungs", rule=rule.key)
    before = None
    for i, rung in enumerate(rule.rungs):
        if (rung.off is None) == (rung.percent is None):
            yield Fault(f"{where}.rungs.{i}", "one_of_off", rule=rule.key)
        if before is not None and rung.at_least <= before:
            yield Fault(f"{where}.rungs.{i}.at_least", "rungs_rise", rule=rule.key, figure=str(rung.at_least))
        before = rung.at_least
    if rule.repeat and rule.rungs and rule.rungs[-1].off is None:
        yield Fault(f"{where}.repeat", "repeat_needs_off", rule=rule.key)
    if rule.measure == "amount":
        for i, rung in enumerate(rule.rungs):
            if rung.off is not None and rung.off > rung.at_least:
                yield Fault(f"{where}.rungs.{i}.off", "less_than_nothing", rule=rule.key)


def _check_coupon(where: str, rule: Coupon, tiers: Collection[str]) -> Iterator[Fault]:
    if rule.kind == "amount" and rule.amount and rule.when.min_amount and rule.amount > rule.when.min_amount:
        yield Fault(f"{where}.amount", "less_than_nothing", rule=rule.key)
    if rule.limits.budget and rule.amount and rule.kind == "amount" and rule.limits.budget < rule.amount:
        yield Fault(f"{where}.limits.budget", "budget_below_one", rule=rule.key)
    for i, issue in enumerate(rule.issue):
        for key in issue.tiers:
            if key not in tiers:
                yield Fault(f"{where}.issue.{i}.tiers", "unknown_tier", key=key, known=", ".join(sorted(tiers)))
        if issue.on == "win_back" and not issue.days:
            yield Fault(f"{where}.issue.{i}.days", "quiet_days", rule=rule.key)


def _rules(selling: Selling) -> Iterator[tuple[str, Price | Offer | Coupon]]:
    for name in ("prices", "offers", "coupons"):
        for i, rule in enumerate(getattr(selling, name)):
            yield f"selling.{name}.{i}", rule
