"""What a charter takes off prices: tier prices and offers over baskets of the past, and coupons that its rules would issue.

History knows what was paid, not what stood on the label, and not what members would have bought at other prices. So the amounts
on the lines stand for list prices, on both sides alike: what one reads is the difference between the two. Baskets are priced by
the till's own engine; of many every so manieth, in the order of members and orders, which stands for the others.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from shuke.engine.calendar.birthdays import celebrated
from shuke.engine.charter.selling import Coupon as Template
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.checkout import Asks, Basket, Coupon, Holdings, Line, price
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold
from shuke.engine.ledger.run import Birthdays
from shuke.engine.simulation.history import History
from shuke.kit.clock import day_start

BASKETS = 2_000  # so many are priced for each charter
TRIED = 400  # and with each coupon of those so many
KNOWN = ("birthday", "joined", "tier_up", "first_purchase", "win_back")  # occasions that history tells
LEAST = 50  # so many issued coupons say how many are used
GUESS = 0.15  # of the coupons issued are used, where nothing is known


@dataclass(slots=True)
class Selling:
    """Sums over the priced baskets, to be multiplied; and coupons issued in all."""

    baskets: int = 0  # that there were
    priced: int = 0
    list_minor: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    rules: dict[str, list[int]] = field(default_factory=dict)  # key → how often, minor units
    issued: dict[str, int] = field(default_factory=dict)  # template → coupons
    tried: dict[str, list[int]] = field(default_factory=dict)  # template → baskets it applied to, minor units

    def merge(self, other: Selling) -> None:
        for name in ("baskets", "priced", "list_minor"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("steps", "issued"):
            mine = getattr(self, name)
            for key, n in getattr(other, name).items():
                mine[key] = mine.get(key, 0) + n
        for name in ("rules", "tried"):
            mine = getattr(self, name)
            for key, pair in getattr(other, name).items():
                mine[key] = [a + b for a, b in zip(mine.get(key, [0, 0]), pair, strict=True)]


class Pricer:
    """Prices what was bought under one side's charters. Cheap where they have neither prices, offers nor coupons by rule."""

    def __init__(self, history: History, versions: Versions, until: datetime) -> None:
        every = [terms.charter.selling for _, terms in versions.begun]
        self.prices = any(s.prices or s.offers for s in every)
        self.ruled = any(t.issue for s in every for t in s.coupons)
        self.on = self.prices or self.ruled
        self.history, self.versions, self.until = history, versions, until
        self.each = max(1, -(-history.purchases // BASKETS))
        self.each_tried = max(1, -(-history.purchases // TRIED))
        self.found = Selling()

    def look(self, fold: Fold, bought: Sequence[tuple[int, ev.Purchase]], birthdays: Birthdays) -> None:
        """One member: purchases by their row, in order; the fold knows the tiers."""
        moves = [(move.at, move.after) for move in fold.moves]
        moved = [at for at, _ in moves]
        self.found.baskets += len(bought)
        for place, (row, one) in enumerate(bought):
            if row % self.each:
                continue
            at = bisect_left(moved, one.at)
            tier = moves[at - 1][1] if at else ""
            who = Holdings(tier=tier, purchases=place, birthday=birthdays[-1][1] if birthdays else None)
            self._price(row, one, who)
        if self.ruled:
            self._occasions(fold, [one for _, one in bought], birthdays)

    def _price(self, row: int, one: ev.Purchase, who: Holdings) -> None:
        terms, found = self.versions.at(one.at), self.found
        basket = self._basket(row, one, terms.currency)
        if not basket.lines:
            return
        found.priced += 1
        found.list_minor += sum(line.amount for line in basket.lines)
        if self.prices:
            for applied in price(terms, basket, who, one.at).applied:
                found.steps[applied.step] = found.steps.get(applied.step, 0) + applied.amount
                pair = found.rules.setdefault(applied.key, [0, 0])
                pair[0], pair[1] = pair[0] + 1, pair[1] + applied.amount
        if self.ruled and not row % self.each_tried:
            for template in terms.charter.selling.coupons:
                if template.issue:
                    self._try(template, terms, basket, who, one.at)

    def _try(self, template: Template, terms: Terms, basket: Basket, who: Holdings, at: datetime) -> None:
        """What one coupon would have taken off this basket."""
        coupon = Coupon("c", template.key, terms=template)
        asked = Basket(basket.currency, basket.lines, basket.store, basket.platform, basket.channel, Asks(("c",)))
        mine = Holdings(tier=who.tier, purchases=who.purchases, birthday=who.birthday, coupons=(coupon,))
        off = sum(a.amount for a in price(terms, asked, mine, at).applied if a.step == "coupons")
        if off:
            pair = self.found.tried.setdefault(template.key, [0, 0])
            pair[0], pair[1] = pair[0] + 1, pair[1] + off

    def _basket(self, row: int, one: ev.Purchase, currency: str) -> Basket:
        goods = self.history.lines.of(row, row + 1)
        products = self.history.products
        lines = []
        for n, (product, amount, pieces) in enumerate(
            zip(goods.product.tolist(), goods.amount.tolist(), goods.pieces.tolist(), strict=True)
        ):
            if amount > 0:
                category, code, brand = products[product]
                lines.append(Line(str(n), amount, max(pieces, 1), 0, code, category, brand))
        if freight := self.history.freight(row):
            lines.append(Line("freight", freight, freight=True))
        return Basket(currency, tuple(lines), one.store, one.platform, one.channel)

    # ---- coupons by rule ----------------------------------------------------------------------------------------------

    def _occasions(self, fold: Fold, bought: Sequence[ev.Purchase], birthdays: Birthdays) -> None:
        mine: dict[str, int] = {}
        tiers = [(move.at, move.after) for move in fold.moves]
        quiet = {
            rule.days
            for _, terms in self.versions.begun
            for template in terms.charter.selling.coupons
            for rule in template.issue
            if rule.on == "win_back"
        }
        for at, what, days in occasions(fold, bought, birthdays, quiet, self.versions, self.until):
            tier = next((after for since, after in reversed(tiers) if since <= at), "")
            for template in self.versions.at(at).charter.selling.coupons:
                for rule in template.issue:
                    if rule.on != what or (rule.tiers and tier not in rule.tiers) or (days and rule.days != days):
                        continue
                    count, most = rule.count, template.limits.per_member
                    if most is not None and mine.get(template.key, 0) + count > most:
                        continue
                    mine[template.key] = mine.get(template.key, 0) + count
        for key, count in mine.items():
            self.found.issued[key] = self.found.issued.get(key, 0) + count


def occasions(
    fold: Fold,
    bought: Sequence[ev.Purchase],
    birthdays: Birthdays,
    quiet: set[int],
    versions: Versions,
    until: datetime,
) -> Iterator[tuple[datetime, str, int]]:
    """When a member had reason to get a coupon, and of which kind; of win-back also after how many days."""
    zone = versions.last.zone
    joined = fold.moves[0].at
    yield joined, "joined", 0
    for move in fold.moves:
        if move.step > 0:
            yield move.at, "tier_up", 0
    if bought:
        yield bought[0].at, "first_purchase", 0
    if birthdays:
        first = versions.at(joined).day(joined)
        for year in range(first.year, versions.last.day(until).year + 1):
            day: date | None = celebrated(*birthdays[-1][1], year)
            if day is not None and joined <= (at := day_start(day, zone)) <= until:
                yield at, "birthday", 0
    for days in sorted(quiet):
        for n, one in enumerate(bought):
            at = day_start(versions.last.day(one.at) + timedelta(days=days), zone)
            back = bought[n + 1].at if n + 1 < len(bought) else until
            if at < back:
                yield at, "win_back", days


# ---- what is told of it -------------------------------------------------------------------------------------------------


def plain(found: Selling, coupons: Mapping[str, Template], used: Mapping[str, float], unit: int) -> dict[str, Any]:
    """Sums for all baskets. `used`: the share of coupons that are used, by template; "" of those nothing is known of."""
    scale = found.baskets / found.priced if found.priced else 0.0
    told: list[dict[str, Any]] = []
    for key in sorted(found.issued):
        template, (baskets, off) = coupons.get(key), found.tried.get(key, [0, 0])
        issued = found.issued[key]
        if template is not None and template.limits.issued is not None:
            issued = min(issued, template.limits.issued)
        share = used.get(key, used.get("", GUESS))
        cost = round(issued * share * off / baskets) if baskets else 0
        if template is not None and template.limits.budget is not None:
            cost = min(cost, int(template.limits.budget * unit))
        told.append({"key": key, "issued": issued, "used_share": share, "cost_minor": cost})
    steps = {step: round(found.steps.get(step, 0) * scale) for step in ("tier_price", "offers")}
    whole = sum(steps.values()) + sum(one["cost_minor"] for one in told)
    return {
        "list_minor": round(found.list_minor * scale),
        "tier_price_minor": steps["tier_price"],
        "offers_minor": steps["offers"],
        "coupons_minor": sum(one["cost_minor"] for one in told),
        "discounts_minor": whole,
        "rules": [
            {"key": key, "baskets": round(n * scale), "minor": round(minor * scale)}
            for key, (n, minor) in sorted(found.rules.items())
        ],
        "coupons": told,
        "baskets": found.baskets,
        "priced": found.priced,
    }


ASSUMED = {
    "list_prices": (
        "What stood on the lines of past orders is taken for the list price, on both sides alike, and members buy the same as "
        "before: read the difference, not the sums.",
        "以历史订单明细上的金额作为原价，两边相同，并假定会员照旧购买：请看两边之差，而不是总额。",
    ),
    "sampled": (
        "{priced} of {baskets} baskets were priced and stand for the others.",
        "共 {baskets} 单，其中 {priced} 单重新计价，代表全部。",
    ),
    "used_own": (
        "Of the coupons {key} {percent} % are used, as of those issued so far.",
        "券 {key} 按迄今的使用率 {percent}% 估计。",
    ),
    "used_all": (
        "Of the coupons {key} {percent} % are used: so many of all coupons issued so far were.",
        "券 {key} 没有自己的记录，按全部已发券的使用率 {percent}% 估计。",
    ),
    "used_guess": (
        "Of the coupons {key} {percent} % are used: a guess, nothing is known yet.",
        "券 {key} 尚无记录，假定使用率为 {percent}%。",
    ),
    "not_issued": (
        "Coupons for {kinds} are not counted: history does not tell when there would have been one.",
        "未计入因 {kinds} 而发的券：历史数据无法得知何时会发。",
    ),
    "asked": (
        "Coupons that members claim, points paid with, and codes are not counted.",
        "会员自行领取的券、积分抵扣和券码未计入。",
    ),
}


def assumed(
    sides: Sequence[Selling], charters: Sequence[Any], used: Mapping[str, float], known: set[str]
) -> list[dict[str, Any]]:
    """Everything the figures rest on, as code, figures and a sentence in both languages. `known`: templates with a record."""
    told: list[tuple[str, dict[str, Any]]] = []
    if any(side.priced for side in sides):
        told.append(("list_prices", {}))
        most = max(sides, key=lambda side: side.baskets)
        if most.priced < most.baskets:
            told.append(("sampled", {"priced": f"{most.priced:,}", "baskets": f"{most.baskets:,}"}))
    for key in sorted({key for side in sides for key in side.issued}):
        code = "used_own" if key in known else "used_all" if "" in used else "used_guess"
        share = used.get(key, used.get("", GUESS))
        told.append((code, {"key": key, "percent": f"{100 * share:.0f}"}))
    missing = {rule.on for c in charters for t in c.selling.coupons for rule in t.issue} - set(KNOWN)
    if missing:
        told.append(("not_issued", {"kinds": ", ".join(sorted(missing))}))
    if told:
        told.append(("asked", {}))
    return [
        {
            "code": code,
            **figures,
            "say": {"en": ASSUMED[code][0].format(**figures), "zh": ASSUMED[code][1].format(**figures)},
        }
        for code, figures in told
    ]
