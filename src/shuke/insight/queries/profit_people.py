"""The members a profit report is about, with their scores, what is expected of them, and what was spent on them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from shuke.engine.insight import kpi, lifecycle, pyramid
from shuke.engine.insight.profit import KINDS, Stated
from shuke.insight.queries import score_columns, value
from shuke.insight.queries.kept_rows import places
from shuke.insight.queries.order_columns import fetch
from shuke.insight.queries.profit_inputs import said_by
from shuke.kit import bulk, clock
from shuke.loyalty.queries import member_costs
from shuke.members.models import MemberState
from shuke.members.queries.costs import booked
from shuke.shops import queries as shops
from shuke.shops.models import Merchant


class Named(NamedTuple):
    """A name of each member: its place in `names`."""

    names: list[str]
    code: np.ndarray


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
    groups: dict[str, Named]  # tier | layer | rfm | stage → of each member


class Expected(NamedTuple):
    """Of each of `people` (insight's value); orders -1: nothing is foretold."""

    orders: np.ndarray  # thousandths
    spend: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Costs(NamedTuple):
    """Of each kind, of each member of `people`: ever and within the year (int64)."""

    ever: dict[str, np.ndarray]
    year: dict[str, np.ndarray]


def people(merchant: Merchant, day: date, told: dict[str, dict[str, Stated]], now: datetime) -> People:
    """Everybody who was a member at the end of `day`, with their scores and what they cost to win."""
    table = _members(merchant, day, told)
    member = table["member"]
    scores = score_columns.scores(merchant)
    at, there = places(scores["member"], member)

    def scored(name: str, nobody: int = 0) -> np.ndarray:
        if not scores["member"].size:
            return np.full(member.size, nobody, np.int64)
        return np.where(there, scores[name][at].astype(np.int64), nobody)

    gap = scored("usual_gap_days", -1)
    classes, rfm = np.unique(scored("rfm"), return_inverse=True)
    groups = {
        "tier": _tiers(merchant, member),
        "layer": Named(["", *pyramid.LAYERS], scored("layer", -1) + 1),
        "rfm": Named([str(one) if one else "" for one in classes.tolist()], rfm),
        "stage": Named(["", *lifecycle.STAGES], scored("stage", -1) + 1),
    }
    said = np.full((2, member.size), -1, np.int64)
    for pk, (recommend, wallet) in said_by(merchant):
        place = int(np.searchsorted(member, pk))
        if place < member.size and member[place] == pk:
            said[:, place] = recommend, wallet
    return People(
        member, table["joined"], _won(merchant, table, told, now), scored("order_count"), scored("order_days"),
        scored("year_order_days"), scored("refunded_minor"), np.where(gap >= 0, gap / 100, np.nan),
        (scored("last_paid_at") - scored("first_paid_at")) // 86_400, said[0], said[1], groups,
    )  # fmt: skip


def _members(merchant: Merchant, day: date, told: dict[str, dict[str, Stated]]) -> dict[str, np.ndarray]:
    """`channel_cost` is what the way is said to cost by which they came."""
    joined = "FLOOR(EXTRACT(EPOCH FROM joined_at))::bigint" if bulk.is_postgres() else "CAST(strftime('%%s', joined_at) AS INTEGER)"  # fmt: skip
    channels = [value for key, one in told["channel"].items() for value in (key, one.cost_minor or 0)]
    cost = f"CASE acquired_by {'WHEN %s THEN %s ' * len(told['channel'])}ELSE 0 END" if channels else "0"
    end = clock.day_start(day + timedelta(days=1), merchant.tz)
    return fetch(
        f"SELECT id, {joined}, COALESCE(acquisition_cost_minor, -1), COALESCE(home_store_id, 0), {cost} FROM members_member "
        "WHERE merchant_id = %s AND state = %s AND joined_at < %s ORDER BY id",
        [*channels, merchant.pk, MemberState.ACTIVE, bulk.moment()(end)],
        ("member", "joined", "own", "store", "channel_cost"),
    )


def _won(
    merchant: Merchant, table: dict[str, np.ndarray], told: dict[str, dict[str, Stated]], now: datetime
) -> np.ndarray:
    """What winning each cost: as told of this member, else what was given for bringing them, else their channel, else their store."""
    found = table["channel_cost"].copy()
    names = {store.name: store.pk for store in shops.stores(merchant)}
    for key, one in told["store"].items():
        if key in names:
            found[(found == 0) & (table["store"] == names[key])] = one.cost_minor or 0
    for pk, cost in member_costs.friends_cost(merchant, now=now).items():
        place = int(np.searchsorted(table["member"], pk))
        if place < found.size and table["member"][place] == pk:
            found[place] = cost
    return np.where(table["own"] >= 0, table["own"], found)


def _tiers(merchant: Merchant, member: np.ndarray) -> Named:
    here = "FROM loyalty_wallet WHERE merchant_id = %s AND tier <> ''"
    names = sorted(row[0] for row in bulk.select(f"SELECT DISTINCT tier {here}", [merchant.pk]))
    if not names:
        return Named([""], np.zeros(member.size, np.int64))
    rows = fetch(
        f"SELECT member_id, CASE tier {'WHEN %s THEN %s ' * len(names)}ELSE 0 END {here} ORDER BY member_id",
        [value for i, name in enumerate(names, start=1) for value in (name, i)] + [merchant.pk],
        ("member", "tier"),
    )
    at, there = places(rows["member"], member)
    return Named(["", *names], np.where(there, rows["tier"][at], 0))


def expected(merchant: Merchant, who: People) -> Expected:
    """What insight's value says of each of them."""
    rows = value.columns(merchant)
    size = who.member.size
    if not rows["member"].size:
        nothing = np.zeros(size, np.int64)
        return Expected(np.full(size, -1), nothing, nothing, nothing)
    at, there = places(rows["member"], who.member)
    told = there & (rows["expected_spend"][at] != value.NONE)

    def known(name: str, instead: np.ndarray | int = 0) -> np.ndarray:
        found = rows[name][at].astype(np.int64)
        return np.where(told, np.where(found == value.NONE, 0, found), instead)

    spend = known("expected_spend")
    high = known("spend_high")
    return Expected(known("expected_orders", -1), spend, known("spend_low"), np.where(high == 0, spend, high))


def costs(merchant: Merchant, who: People, day: date) -> Costs:
    """What was booked on members, what rewards cost, what winning them cost."""
    first = day - timedelta(days=kpi.WINDOW_DAYS - 1)
    since, until = clock.day_start(first, merchant.tz), clock.day_start(day + timedelta(days=1), merchant.tz)
    ever = {kind: np.zeros(who.member.size, np.int64) for kind in KINDS}
    year = {kind: np.zeros(who.member.size, np.int64) for kind in KINDS}
    ever["acquisition"] += who.acquisition
    year["acquisition"] += np.where(who.joined_s >= since.timestamp(), who.acquisition, 0)
    spent: dict[str, list[tuple[int, int, int]]] = {kind: [] for kind in KINDS}
    for one in booked(merchant, since=since, until=until):
        spent[one.kind].append((one.member_id, one.minor, one.recent_minor))
    rewards = member_costs.by_member(merchant, since=since, until=until)
    spent["reward"] += [(member, all_of_it, recent) for member, (all_of_it, recent) in rewards.items()]
    for kind, listed in spent.items():
        rows = np.array(listed, np.int64).reshape(-1, 3)
        at, there = places(who.member, rows[:, 0])
        np.add.at(ever[kind], at[there], rows[there, 1])
        np.add.at(year[kind], at[there], rows[there, 2])
    return Costs(ever, year)
