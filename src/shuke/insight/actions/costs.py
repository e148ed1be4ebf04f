"""What the seller states about costs: margins of goods, what newcomers of channels and stores cost, uplift and years."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from shuke.engine.insight.profit_words import Refused
from shuke.insight.models import ProfitPolicy, StatedCost
from shuke.kit import audit, money
from shuke.kit.tabular import open_table
from shuke.kit.tabular.header import normal
from shuke.orders.models import Product
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

GOODS = ("product", "category")
NEWCOMERS = ("channel", "store")
WHAT = GOODS + NEWCOMERS
MOST_MARGIN = 1000  # permille: all of the price
LEAST_MARGIN = -1000  # sold at half of what it cost


class BadStatement(Refused):
    """A margin or cost that cannot be; `code` and the message say why. Nothing of the call was kept."""


class Statement(NamedTuple):
    """A margin (permille of the price) or a cost (minor units), of a product, category, channel or store. Neither: take it back."""

    what: str
    key: str
    margin_permille: int | None = None
    cost_minor: int | None = None


class Reject(NamedTuple):
    """A row of a list that was not taken: its number as a spreadsheet shows it, its cells, and why."""

    row: int
    cells: list[str]
    why: BadStatement


class Taken(NamedTuple):
    stated: int
    rejected: list[Reject]


def state_costs(*, merchant: Merchant, statements: Iterable[Statement], now: datetime, actor: str) -> int:
    """Keep what is stated, all or none; how many. The next report counts by it.

    Raises BadStatement: bad_what, no_key, unknown_product, unknown_category, unknown_store, both, bad_margin, bad_cost.
    """
    wanted = {(one.what, one.key.strip()): one._replace(key=one.key.strip()) for one in statements}
    known = _Known(merchant, [one for one in wanted.values() if one.what in WHAT])
    for one in wanted.values():
        if wrong := known.wrong(one):
            raise wrong
    with transaction.atomic():
        for (what, key), one in wanted.items():
            if one.margin_permille is None and one.cost_minor is None:
                StatedCost.objects.filter(merchant=merchant, what=what, key=key).delete()
                continue
            StatedCost.objects.update_or_create(
                merchant=merchant,
                what=what,
                key=key,
                defaults={
                    "margin_permille": one.margin_permille,
                    "cost_minor": one.cost_minor,
                    "stated_at": now,
                    "actor": actor[:80],
                },
            )
        # Also when the last one was taken back: the next report must be made anew.
        _policy(merchant, now, actor).save()
        audit.record(
            merchant_id=merchant.pk, at=now, actor=actor, verb="costs.stated",
            detail={"statements": [f"{what}:{key}" for what, key in list(wanted)[:100]], "count": len(wanted)},
        )  # fmt: skip
    return len(wanted)


def set_terms(
    *,
    merchant: Merchant,
    now: datetime,
    actor: str,
    margin_permille: int | None,
    uplift_permille: int | None,
    years_tenths: int | None,
    uplift_source: str = "",
) -> None:
    """The shop's own margin, uplift and years; None gives one up, and the assumption stands in again.

    uplift_source: what measured the uplift (a campaign's control group); empty: it stays an assumption.
    Raises BadStatement: bad_margin, bad_uplift, bad_years.
    """
    if margin_permille is not None and not LEAST_MARGIN <= margin_permille <= MOST_MARGIN:
        raise BadStatement("bad_margin", key=f"{margin_permille / 10:g} %")
    if uplift_permille is not None and not 0 <= uplift_permille <= 1000:
        raise BadStatement("bad_uplift")
    if years_tenths is not None and not 1 <= years_tenths <= 200:
        raise BadStatement("bad_years")
    policy = _policy(merchant, now, actor)
    policy.margin_permille, policy.uplift_permille, policy.years_tenths = margin_permille, uplift_permille, years_tenths
    policy.uplift_source = uplift_source.strip()[:80] if uplift_permille is not None else ""
    with transaction.atomic():
        policy.save()
        audit.record(
            merchant_id=merchant.pk, at=now, actor=actor, verb="profit.terms",
            detail={"margin": margin_permille, "uplift": uplift_permille, "source": policy.uplift_source, "years": years_tenths},
        )  # fmt: skip


def take_list(*, merchant: Merchant, path: Path, now: datetime, actor: str) -> Taken:
    """Take a list of margins and costs. Rows that cannot be are left out and come back with the reason; the others are kept.

    Columns, in any order, in Chinese or English: what (product, category, channel, store; left out: product), code, and margin
    (30 % or 0.3) or cost. Raises TabularError for a file that is no table, BadStatement("no_columns") without code and margin or cost.
    """
    rows = ((number, row) for number, row in enumerate(open_table(path).rows(), 1) if any(cell.strip() for cell in row))
    places = _places(next(rows, (0, []))[1])
    read: list[tuple[int, list[str], Statement]] = []
    rejected: list[Reject] = []
    for number, cells in rows:
        try:
            read.append((number, cells, _read(cells, places, merchant.currency)))
        except BadStatement as error:
            rejected.append(Reject(number, cells, error))
    known = _Known(merchant, [one for _number, _cells, one in read])
    good = []
    for number, cells, one in read:
        if wrong := known.wrong(one):
            rejected.append(Reject(number, cells, wrong))
        else:
            good.append(one)
    if good:
        state_costs(merchant=merchant, statements=good, now=now, actor=actor)
    return Taken(len(good), sorted(rejected, key=lambda one: one.row))


class _Known:
    """What the shop's products, categories and stores are called, as far as these statements name them."""

    def __init__(self, merchant: Merchant, statements: Sequence[Statement]) -> None:
        codes = {one.key for one in statements if one.what == "product"}
        self.codes = set(_in_parts(merchant, codes))
        self.categories: set[str] = set()
        if any(one.what == "category" for one in statements):
            found = Product.objects.filter(merchant=merchant).exclude(category="").values_list("category", flat=True)
            for category in found.distinct():
                levels = category.split("/")
                self.categories |= {"/".join(levels[:depth]).strip() for depth in range(1, len(levels) + 1)}
        self.stores = {store.name for store in shops.stores(merchant)}

    def wrong(self, one: Statement) -> BadStatement | None:
        """Why this cannot be kept, if so."""
        if one.what not in WHAT:
            return BadStatement("bad_what", what=one.what, all=", ".join(WHAT))
        if not one.key or len(one.key) > 160:
            return BadStatement("no_key")
        if one.what == "product" and one.key not in self.codes:
            return BadStatement("unknown_product", key=one.key)
        if one.what == "category" and one.key not in self.categories:
            return BadStatement("unknown_category", key=one.key)
        if one.what == "store" and one.key not in self.stores:
            return BadStatement("unknown_store", key=one.key, all=", ".join(sorted(self.stores)))
        if one.margin_permille is not None and one.cost_minor is not None:
            return BadStatement("both", key=one.key)
        if one.margin_permille is not None:
            if one.what not in GOODS or not LEAST_MARGIN <= one.margin_permille <= MOST_MARGIN:
                return BadStatement("bad_margin", key=one.key)
        elif one.cost_minor is not None and (one.what == "category" or not 0 <= one.cost_minor <= 10**12):
            return BadStatement("bad_cost", key=one.key)
        return None


def _in_parts(merchant: Merchant, codes: set[str]) -> Iterator[str]:
    listed = sorted(codes)
    for low in range(0, len(listed), 5_000):
        yield from Product.objects.filter(merchant=merchant, code__in=listed[low : low + 5_000]).values_list(
            "code", flat=True
        )


_NAMES = {
    "what": ("what", "kind", "类型", "对象"),
    "key": ("code", "key", "item", "product", "商品编码", "商家编码", "编码", "名称"),
    "margin": ("margin", "毛利率", "毛利"),
    "cost": ("cost", "unit cost", "成本", "单位成本", "成本价"),
}
_WHAT_NAMES = {
    "": "product", "商品": "product", "item": "product", "类目": "category", "分类": "category", "品类": "category",
    "渠道": "channel", "门店": "store", "店铺": "store",
}  # fmt: skip


def _places(header: Sequence[str]) -> dict[str, int]:
    plain = [normal(cell) for cell in header]
    found = {
        field: next(place for place, name in enumerate(plain) if name in {normal(one) for one in names})
        for field, names in _NAMES.items()
        if any(name in {normal(one) for one in names} for name in plain)
    }
    if "key" not in found or not found.keys() & {"margin", "cost"}:
        raise BadStatement("no_columns")
    return found


def _read(cells: Sequence[str], places: dict[str, int], currency: str) -> Statement:
    def cell(field: str) -> str:
        place = places.get(field, -1)
        return cells[place].strip() if 0 <= place < len(cells) else ""

    what = cell("what").lower()
    margin, cost = cell("margin"), cell("cost")
    if not margin and not cost:
        raise BadStatement("nothing_stated")
    try:
        minor = money.parse(cost, currency) if cost else None
    except money.NotMoney:
        raise BadStatement("bad_cost", key=cost) from None
    return Statement(_WHAT_NAMES.get(what, what), cell("key"), share_of(margin) if margin else None, minor)


def share_of(text: str) -> int:
    """Thousandths of '30 %', '30％' or '0.3'. Raises BadStatement(bad_margin)."""
    plain = text.strip().replace("％", "%")
    percent = plain.endswith("%")
    try:
        value = float(plain.rstrip("% ").replace(",", "."))
    except ValueError:
        raise BadStatement("bad_margin", key=text) from None
    if not percent and abs(value) > 1:
        raise BadStatement("bad_margin", key=text)
    return round(value * (10 if percent else 1000))


def _policy(merchant: Merchant, now: datetime, actor: str) -> ProfitPolicy:
    policy = ProfitPolicy.objects.filter(merchant=merchant).first() or ProfitPolicy(merchant=merchant)
    policy.stated_at, policy.actor = now, actor[:80]
    return policy
