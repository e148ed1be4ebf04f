"""The charter's selling part ready to compute with: amounts in minor units, filters as sets, one kind of rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from weakref import WeakKeyDictionary

from shuke.engine.calendar.birthdays import is_birthday
from shuke.engine.charter.parts import Day, Name
from shuke.engine.charter.rules import is_one_of
from shuke.engine.charter.selling import Coupon, Goods, Offer, Price, Selling
from shuke.engine.charter.terms import Terms
from shuke.engine.checkout.basket import Basket, Holdings
from shuke.engine.checkout.reasons import Reason
from shuke.kit.money import digits

Ratio = tuple[int, int]
_MANY = 20_000  # goods remembered per charter version, before beginning anew


@dataclass(slots=True, eq=False)
class Rule:
    """A tier price, an offer or a coupon template. `None` = no filter."""

    step: str
    key: str
    name: tuple[str, str]
    kind: str  # percent | amount | price | off_each | ladder | buy_get | item | freight
    percent: Ratio | None
    amount: int
    rungs: tuple[tuple[int, int | None, Ratio | None], ...]
    by_pieces: bool
    repeat: bool
    buy: int
    get: int
    of: Goods | None
    most_times: int | None
    cap: int | None
    round_lines: bool  # a percentage is rounded on each line
    per_order: int
    group: str | None
    group_per_line: bool
    not_with: frozenset[str]
    alone: bool
    on_discounted: bool
    goods: Goods | None  # None: all
    without: Goods | None
    min_minor: int
    min_of_list: bool
    min_pieces: int
    stores: frozenset[str] | None
    platforms: frozenset[str] | None
    channels: frozenset[str] | None
    tiers: frozenset[str] | None
    weekdays: frozenset[int] | None
    month_days: frozenset[int] | None
    days: tuple[Day, ...]
    hours: frozenset[int] | None
    birthday: str | None
    purchases: frozenset[int] | None
    start: date | None
    end: date | None
    plain: bool  # no order filter at all

    def chooses(self, category: str, sku: str, brand: str) -> bool:
        if self.without is not None and among(self.without, category, sku, brand):
            return False
        return self.goods is None or among(self.goods, category, sku, brand)

    def gives(self, category: str, sku: str, brand: str) -> bool:
        """buy_get: may such a piece be the one that is given?"""
        assert self.of is not None
        return among(self.of, category, sku, brand)

    def stands_against(self, basket: Basket, holdings: Holdings, now: datetime) -> Reason | None:
        """What of the order, the member or the moment does not fit; `now` in the shop's zone."""
        if self.plain:
            return None
        if self.stores is not None and basket.store not in self.stores:
            return Reason("other_store")
        if (self.channels is not None and basket.channel not in self.channels) or (
            self.platforms is not None and basket.platform not in self.platforms
        ):
            return Reason("other_channel")
        if self.tiers is not None and self.tiers.isdisjoint(holdings.named or (holdings.tier,)):
            return Reason("other_tier")
        day = now.date()
        if (
            (self.start is not None and day < self.start)
            or (self.end is not None and day > self.end)
            or (self.weekdays is not None and day.isoweekday() not in self.weekdays)
            or (self.month_days is not None and day.day not in self.month_days)
            or (self.hours is not None and now.hour not in self.hours)
            or (self.days and not is_one_of(self.days, day))
        ):
            return Reason("other_day")
        if self.birthday is not None and not is_birthday(self.birthday, holdings.birthday, day):
            return Reason("not_birthday")
        if self.purchases is not None and (holdings.purchases is None or holdings.purchases + 1 not in self.purchases):
            return Reason("not_first")
        return None


class Rules:
    """All rules of one charter version, in the declared order of steps."""

    def __init__(self, terms: Terms) -> None:
        self.selling: Selling = terms.charter.selling
        self.zone = terms.zone
        self.unit = 10 ** digits(terms.currency)
        self.per_line = frozenset(g.key for g in self.selling.groups if g.per == "line")
        self.steps = self.selling.order
        live: list[Rule] = []
        for step in self.steps:
            told: tuple[Price | Offer, ...] = ()
            if step in ("tier_price", "offers"):
                told = self.selling.prices if step == "tier_price" else self.selling.offers
            live += [self.rule(step, one) for one in told]
        self.live = tuple(live)
        self.nothing = self.rule("points", Offer(key="points", name=Name(zh="积分抵扣", en="Points"), kind="amount"))
        self.templates = {c.key: c for c in self.selling.coupons}
        pay = self.selling.points
        self.point_worth: Ratio = (
            (pay.worth if pay and pay.worth else terms.charter.points.value) * self.unit
        ).as_integer_ratio()
        self._chosen: dict[tuple[str, str, str], int] = {}
        self._coupons: dict[Coupon, Rule] = {}

    def chosen_by(self, category: str, sku: str, brand: str) -> int:
        """Bits of the live rules that choose such a line."""
        goods = (category, sku, brand)
        found = self._chosen.get(goods)
        if found is None:
            if len(self._chosen) >= _MANY:
                self._chosen.clear()
            found = sum(1 << i for i, rule in enumerate(self.live) if rule.chooses(category, sku, brand))
            self._chosen[goods] = found
        return found

    def coupon(self, template: Coupon) -> Rule:
        found = self._coupons.get(template)
        if found is None:
            if len(self._coupons) >= _MANY:
                self._coupons.clear()
            found = self._coupons[template] = self.rule("coupons", template)
        return found

    def minor(self, amount: Decimal | None) -> int:
        return int(amount * self.unit) if amount is not None else 0

    def rule(self, step: str, told: Price | Offer | Coupon) -> Rule:
        when = told.when
        kind, amount, offer = _kind(told), _amount(told), told if isinstance(told, Offer) else None
        by_pieces = offer is not None and offer.measure == "pieces"
        purchases = {*when.nth_purchases, *([1] if when.first_purchase else [])}
        filters = (
            when.stores, when.platforms, when.channels, when.tiers, when.weekdays, when.month_days, when.days, when.hours,
            when.birthday, purchases, when.from_date, when.until_date,
        )  # fmt: skip
        return Rule(
            step=step,
            key=told.key,
            name=(told.name.zh, told.name.en),
            kind=kind,
            percent=_percent(told.percent),
            amount=self.minor(amount),
            rungs=tuple(
                (
                    int(r.at_least) if by_pieces else self.minor(r.at_least),
                    self.minor(r.off) if r.off is not None else None,
                    _percent(r.percent),
                )
                for r in (offer.rungs if offer else ())
            ),
            by_pieces=by_pieces,
            repeat=offer.repeat if offer else False,
            buy=offer.buy if offer else 0,
            get=offer.get if offer else getattr(told, "pieces", 1),
            of=offer.of if offer else None,
            most_times=offer.most_times if offer else None,
            cap=self.minor(cap) if (cap := getattr(told, "cap", None)) is not None else None,
            round_lines=self.selling.rounding == "line",
            per_order=told.limits.per_order if isinstance(told, Coupon) else 1,
            group=told.group,
            group_per_line=told.group in self.per_line,
            not_with=frozenset(told.not_with),
            alone=told.alone,
            on_discounted=told.on_discounted,
            goods=Goods(categories=when.categories, products=when.products, brands=when.brands)
            if when.categories or when.products or when.brands
            else None,
            without=None if when.without == Goods() else when.without,
            min_minor=self.minor(when.min_amount),
            min_of_list=self.selling.thresholds == "list" or when.min_amount_of == "before_discounts",
            min_pieces=when.min_pieces,
            stores=frozenset(when.stores) or None,
            platforms=frozenset(when.platforms) or None,
            channels=frozenset(when.channels) or None,
            tiers=frozenset(when.tiers) or None,
            weekdays=frozenset(when.weekdays) or None,
            month_days=frozenset(when.month_days) or None,
            days=when.days,
            hours=frozenset(when.hours) or None,
            birthday=when.birthday,
            purchases=frozenset(purchases) or None,
            start=when.from_date,
            end=when.until_date,
            plain=not any(filters),
        )


_COMPILED: WeakKeyDictionary[Terms, Rules] = WeakKeyDictionary()


def rules_of(terms: Terms) -> Rules:
    """Made once per charter version."""
    found = _COMPILED.get(terms)
    if found is None:
        found = _COMPILED[terms] = Rules(terms)
    return found


def _kind(told: Price | Offer | Coupon) -> str:
    if not isinstance(told, Price):
        return told.kind
    if told.percent is not None:
        return "percent"
    return "price" if told.price is not None else "off_each"


def _amount(told: Price | Offer | Coupon) -> Decimal | None:
    if isinstance(told, Price):
        return told.price if told.price is not None else told.off_each
    return told.amount


def _percent(value: Decimal | None) -> Ratio | None:
    return None if value is None else (value / 100).as_integer_ratio()


def among(goods: Goods, category: str, sku: str, brand: str) -> bool:
    return (
        sku in goods.products
        or brand in goods.brands
        or any(category == c or category.startswith(c + "/") for c in goods.categories)
    )
