"""What profit is computed from: every purchase with its margin, the members with their scores, what was stated and booked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db import connection

from shuke.engine.insight import kpi, profit, traits
from shuke.engine.insight.budget import ASSUMED_UPLIFT
from shuke.engine.insight.port import Columns
from shuke.engine.insight.profit import Stated
from shuke.insight.models import ProfitPolicy, StatedCost
from shuke.insight.queries import analytics
from shuke.insight.queries.goods_sales import files_of, living
from shuke.kit import bulk, clock
from shuke.loyalty.queries import member_costs, taken_off
from shuke.members.models import AttributeKind, Member, MemberState
from shuke.members.queries.costs import booked
from shuke.orders.models import Product
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

RECOMMEND, WALLET_SHARE = "recommend", "wallet_share"
TOLD = (RECOMMEND, "competitors", "tolerance", "decision_days", WALLET_SHARE)  # attributes a shop may keep by hand


class Terms(NamedTuple):
    """What the shop states, or what is assumed until it does."""

    margin: int  # permille
    margin_assumed: bool
    uplift: int
    uplift_stated: bool
    uplift_source: str  # what measured it; "" = an assumption, also when the shop stated it
    years_tenths: int
    years_assumed: bool


class People(NamedTuple):
    """Living members, one row each, ids ascending; -1 or nan: not known."""

    member: np.ndarray
    joined_s: np.ndarray
    acquisition: np.ndarray
    orders: np.ndarray
    order_days: np.ndarray
    year_days: np.ndarray
    refunded: np.ndarray
    gap: np.ndarray  # float
    span_days: np.ndarray  # first to last purchase
    recommend: np.ndarray
    wallet: np.ndarray  # share of what they spend on such goods that they spend here, permille
    groups: dict[str, list[str]]  # tier | layer | rfm | stage → of each member


ASSUMED_YEARS = 30  # tenths


def terms_of(merchant: Merchant) -> Terms:
    said = ProfitPolicy.objects.filter(merchant=merchant).first()
    margin = said.margin_permille if said else None
    uplift = said.uplift_permille if said else None
    years = said.years_tenths if said else None
    return Terms(
        merchant.margin_permille if margin is None else margin,
        margin is None,
        ASSUMED_UPLIFT if uplift is None else uplift,
        uplift is not None,
        said.uplift_source if said and uplift is not None else "",
        ASSUMED_YEARS if years is None else years,
        years is None,
    )


def stated(merchant: Merchant) -> dict[str, dict[str, Stated]]:
    """By what (product | category | channel | store), then by key."""
    found: dict[str, dict[str, Stated]] = {what: {} for what in ("product", "category", "channel", "store")}
    for row in StatedCost.objects.filter(merchant=merchant):
        found[row.what][row.key] = Stated(row.margin_permille, row.cost_minor)
    return found


def purchases(merchant: Merchant, day: date, told: dict[str, dict[str, Stated]], default: int) -> Columns:
    """Every purchase of a living member up to the end of `day` (sql/profit_orders.sql), from the columns the night keeps."""
    of_product: dict[int, Stated] = {}
    if told["product"] or told["category"]:
        rows = Product.objects.filter(merchant=merchant).values_list("pk", "code", "category")
        of_product = profit.margin_of_products(rows.iterator(chunk_size=20_000), told["product"], told["category"])
    columns = [
        (product, -1 if one.margin_permille is None else one.margin_permille, -1 if one.cost_minor is None else one.cost_minor)
        for product, one in of_product.items()
    ]  # fmt: skip
    table = np.array(columns, dtype=np.int64).reshape(-1, 3)
    taken = np.array(list(taken_off.by_order(merchant).items()), dtype=np.int64).reshape(-1, 2)
    with analytics.opened(memory=300 << 20) as engine:
        for name, files in files_of(merchant).items():
            engine.files(name, files)
        engine.table("members", living(merchant))
        engine.table("margins", {"product": table[:, 0], "permille": table[:, 1], "cost": table[:, 2]})
        engine.table("taken_off", {"order_id": taken[:, 0], "minor": taken[:, 1]})
        return engine.run("profit_orders", as_of=kpi.day_number(day), default_margin=default)


class Bought(NamedTuple):
    """Per member of `people`: sums of what they bought."""

    net: np.ndarray
    year_net: np.ndarray
    margin: np.ndarray
    year_margin: np.ndarray
    kept: np.ndarray
    stated: np.ndarray
    price: traits.Price | None
    halves: dict[
        str, tuple[float, int]
    ]  # split-half: correlation and members, by how many orders each half has at least


_PEOPLE = """
SELECT m.id, {joined}, COALESCE(m.acquisition_cost_minor, -1), m.acquired_by, m.home_store_id, s.order_count, s.order_days,
  s.year_order_days, s.refunded_minor, s.usual_gap_days, {first}, {last}, w.tier, s.layer, s.rfm, s.stage
FROM members_member m LEFT JOIN insight_member_score s ON s.member_id = m.id LEFT JOIN loyalty_wallet w ON w.member_id = m.id
WHERE m.merchant_id = %s AND m.state = %s AND m.joined_at < %s ORDER BY m.id
"""


def people(merchant: Merchant, day: date, told: dict[str, dict[str, Stated]], now: datetime) -> People:
    """Everybody who was a member at the end of `day`, with their scores and what they cost to win."""
    epoch = "FLOOR(EXTRACT(EPOCH FROM {}))::bigint" if bulk.is_postgres() else "CAST(strftime('%%s', {}) AS INTEGER)"
    sql = _PEOPLE.format(
        joined=epoch.format("m.joined_at"), first=epoch.format("s.first_paid_at"), last=epoch.format("s.last_paid_at")
    )
    friends = member_costs.friends_cost(merchant, now=now)
    channels = {key: one.cost_minor or 0 for key, one in told["channel"].items()}
    names = {store.name: store.pk for store in shops.stores(merchant)}
    stores = {names[key]: one.cost_minor or 0 for key, one in told["store"].items() if key in names}
    numbers: list[np.ndarray] = []
    gaps: list[float] = []
    groups: dict[str, list[str]] = {"tier": [], "layer": [], "rfm": [], "stage": []}
    end = clock.day_start(day + timedelta(days=1), merchant.tz)
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, [merchant.pk, MemberState.ACTIVE, bulk.moment()(end)])
        while rows := cursor.fetchmany(20_000):
            part = []
            for pk, joined, own, by, store, orders, days, year, back, gap, first, last, tier, layer, rfm, stage in rows:
                cost = own if own >= 0 else friends.get(pk, channels.get(by, 0) or stores.get(store, 0))
                span = (last - first) // 86_400 if first is not None and last is not None else 0
                part.append((pk, joined, cost, orders or 0, days or 0, year or 0, back or 0, span))
                gaps.append(float("nan") if gap is None else gap)
                for what, value in (("tier", tier), ("layer", layer), ("rfm", rfm), ("stage", stage)):
                    groups[what].append(value or "")
            numbers.append(np.array(part, dtype=np.int64))
    table = np.concatenate(numbers) if numbers else np.empty((0, 8), np.int64)
    kept = dict(_kept(merchant))
    said = np.array([kept.get(pk, (-1, -1)) for pk in table[:, 0].tolist()], np.int64).reshape(-1, 2)
    return People(
        table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4], table[:, 5], table[:, 6],
        np.array(gaps, np.float64), table[:, 7], said[:, 0], said[:, 1], groups,
    )  # fmt: skip


def _kept(merchant: Merchant) -> Iterator[tuple[int, tuple[int, int]]]:
    """Members with a word of their own: whether they would recommend the shop (0 … 10), and their wallet share (permille)."""
    for pk, attributes in with_attributes(merchant, (RECOMMEND, WALLET_SHARE)):
        yield pk, told_of(attributes)


def told_of(attributes: dict[str, Any]) -> tuple[int, int]:
    """Recommend (0 … 10) and wallet share (permille) as attributes hold them; -1: not told, or no such figure."""
    recommend, share = _number(attributes.get(RECOMMEND)), _number(attributes.get(WALLET_SHARE))
    return (
        round(recommend) if recommend is not None and 0 <= recommend <= 10 else -1,
        round(share * 10) if share is not None and 0 < share <= 100 else -1,
    )


def fields_kept(merchant: Merchant) -> set[str]:
    """Which of the attributes members are asked for this shop keeps."""
    return set(AttributeKind.objects.filter(merchant=merchant, key__in=TOLD).values_list("key", flat=True))


def with_attributes(merchant: Merchant, keys: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Living members who have a value of one of these keys. Nobody, quickly, where the shop keeps none of them."""
    have = list(AttributeKind.objects.filter(merchant=merchant, key__in=keys).values_list("key", flat=True))
    if have:
        told = Member.objects.filter(
            merchant=merchant, state=MemberState.ACTIVE, attributes__has_any_keys=have
        ).values_list("pk", "attributes")
        yield from told.iterator(chunk_size=5_000)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


class Costs(NamedTuple):
    """Of each kind, of each member of `people`: ever and within the year (int64)."""

    ever: dict[str, np.ndarray]
    year: dict[str, np.ndarray]


def costs(merchant: Merchant, who: People, day: date) -> Costs:
    """What was booked on members, what rewards cost, what winning them cost."""
    first = day - timedelta(days=kpi.WINDOW_DAYS - 1)
    since, until = clock.day_start(first, merchant.tz), clock.day_start(day + timedelta(days=1), merchant.tz)
    place = {member: i for i, member in enumerate(who.member.tolist())}
    ever = {kind: np.zeros(who.member.size, np.int64) for kind in profit.KINDS}
    year = {kind: np.zeros(who.member.size, np.int64) for kind in profit.KINDS}
    ever["acquisition"] += who.acquisition
    year["acquisition"] += np.where(who.joined_s >= since.timestamp(), who.acquisition, 0)
    for one in booked(merchant, since=since, until=until):
        if (i := place.get(one.member_id)) is not None:
            ever[one.kind][i] += one.minor
            year[one.kind][i] += one.recent_minor
    for member, (all_of_it, recent) in member_costs.by_member(merchant, since=since, until=until).items():
        if (i := place.get(member)) is not None:
            ever["reward"][i] += all_of_it
            year["reward"][i] += recent
    return Costs(ever, year)


def bought(sold: Columns, who: People, day: date, default: int) -> Bought:
    """Purchases added up by member. `default`: the margin, in thousandths, of orders of which no line is known."""
    members = who.member.size
    place = np.minimum(np.searchsorted(who.member, sold["who"]), max(members - 1, 0))
    here = who.member[place] == sold["who"] if members else np.zeros(0, bool)
    sold = {name: column[here].astype(np.int64) for name, column in sold.items()}
    place = place[here]
    taken = profit.left_of(sold["taken"], sold["net_paid"], sold["given_back"])
    margin = profit.margins(
        sold["net_paid"], sold["kept"], sold["weighted"], sold["costed"], sold["cost_milli"], taken, default=default
    )
    recent = sold["on_day"] > kpi.day_number(day) - kpi.WINDOW_DAYS

    def sums(column: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
        weights = column if chosen is None else column * chosen
        return np.bincount(place, weights=weights, minlength=members).astype(np.int64)

    asked = sold["asked"] > 0
    share = sold["reduced"][asked] / sold["asked"][asked]
    return Bought(
        sums(sold["net_paid"]), sums(sold["net_paid"], recent), sums(margin), sums(margin, recent),
        sums(sold["kept"]), sums(sold["stated"]),
        traits.price_sensitivity(place[asked], share, members),
        {
            str(least): traits.split_half(place[asked], share, members, least=least)
            for least in (1, traits.ORDERS_NEEDED)
        },
    )  # fmt: skip
