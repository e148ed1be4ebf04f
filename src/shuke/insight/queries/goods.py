"""Goods: the report of a day, what one member needs next, and the members behind a figure.

`GoodsReport.figures` has this shape; goods are named by a key (product id, or the kind itself) with `…_name` beside. Shares are 0 … 1.

    {"as_of", "level": "product" | "kind", "main": level to show first, "items", "covered": share of sales in these items, "orders",
     "first_day", "last_day", "window_days": 90,
     "groups": [{"key": "all" | "layer:key" | "stage:…" | "rfm:222", "buyers", "hot": [{"item", "item_name", "buyers", "share",
        "share_of_others" | null, "surely": -1 | 0 | 1, "bought", "before", "net"}], "slow": [{"item", "bought", "before", "expected", "missing", "last_day"}]}],
     "opening": {"judged", "again", "too_new", "unseen", "follow_days", "items": [{"item", "begun", "share", "share_later", "again", "rate", "low", "high", "others", "surely"}]},
     "together": {"orders", "all", "pairs": [{"item", "with", "both", "with_first", "with_second", "support", "confidence", "confidence_back", "lift", "extra"}]},
     "again": {"pull", "shop_gap" | null, "members_due", "members_overdue", "items": [{"item", "gap" | null, "gaps", "buyers", "again", "due", "overdue"}]},
     "ladder": [{"from", "to", "satisfied", "steppers", "went", "share", "expected", "lift", "days"}], "durable": [{"item"}],
     "check": {"made_on", "earned", "sure", "splits": [{"cut", "within": 0 | 30, "members", "every": [{"method", "members", "hits", "rate", "surely"}], "new": […]}]}}
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np

from shuke.engine.facts import OrderStatus
from shuke.engine.insight import kpi
from shuke.engine.insight.goods import again, fresh, hiding, ladder, opening, selling
from shuke.engine.insight.goods.sales import Sales, visits
from shuke.insight.models import GoodsReport
from shuke.insight.queries import figures
from shuke.insight.queries.goods_model import Learnt, learnt
from shuke.insight.queries.goods_sales import LEVELS, Shelf, names_of, shelf, sold
from shuke.kit import clock
from shuke.members.models import Member
from shuke.orders.models import Order, OrderLine
from shuke.orders.queries.came_back import of_lines
from shuke.shops.models import Merchant

MOST_UP = 5
FIGURES = ("bought", "stopped", "began", "returned", "together", "due", "overdue", "satisfied", "step")


class NoSuchGoods(LookupError):
    """The figure or the goods it is asked of are not known."""


def report(merchant: Merchant, level: str = "", day: date | None = None) -> dict[str, Any] | None:
    """The latest report of a level (default: the one to show first), or the last up to `day`. None before the first."""
    kept = GoodsReport.objects.filter(merchant=merchant).order_by("-day")
    if day is not None:
        kept = kept.filter(day__lte=day)
    if level:
        kept = kept.filter(level=level)
    found = kept.first()
    if found is None or level or found.figures["main"] == found.level:
        return found.figures | {"made_at": found.made_at.isoformat()} if found else None
    return report(merchant, found.figures["main"], day) or found.figures


def told(merchant: Merchant, level: str = "") -> dict[str, Any]:
    """The latest report of a level. Raises NoFigures: before the first, and where goods are not told at this level."""
    found = report(merchant, level)
    if found is None and levels(merchant):
        raise figures.NoFigures("no_such_level")
    return figures.there(found)


def unreported(merchant: Merchant, now: datetime) -> bool:
    """Whether a snapshot is there and its day's goods have no report yet."""
    day = figures.last_day(merchant)
    return day is not None and not GoodsReport.objects.filter(merchant=merchant, day__gte=day).exists()


def levels(merchant: Merchant) -> list[str]:
    """Levels there is a report of."""
    kept = set(GoodsReport.objects.filter(merchant=merchant).values_list("level", flat=True))
    return [level for level in LEVELS if level in kept]


class Next(NamedTuple):
    """One thing a member may want next. `why`: again, ladder, like, bestseller."""

    item: str
    name: str
    why: str
    due: date | None = None
    state: str = ""  # again.STATES
    last: date | None = None
    times: int = 0
    gap_days: float = 0.0
    own: bool = False  # the member's own gap speaks too
    because: str = ""  # the name of the owned item that speaks most for it, or that it leads on from
    buyers: int = 0  # members who bought both; of a bestseller, who bought it; of the ladder, who went that way


class Wanted(NamedTuple):
    again: list[Next]
    ladder: list[Next]  # where those went who were satisfied with what this member is satisfied with
    new: list[Next]
    hidden: int  # left out: out of stock, or a durable just bought
    as_of: date


def for_member(merchant: Merchant, member: Member, level: str, *, now: datetime, top: int = 10) -> Wanted | None:
    """What this member buys again and when it is due, and what is new and likely; None before the first night.

    From the member's orders as they are now, and what the last night learnt about items.
    """
    known = learnt(merchant, level)
    told = report(merchant, level)
    if known is None or told is None or not known.items.size:
        return None
    shelves = shelf(merchant)
    today = kpi.day_number(clock.day_of(now, merchant.tz))
    own = _history(merchant, member, shelves, level, known)
    hidden = _hidden(shelves, level, known, own, today)
    due = again.due(own, known.rhythm, as_of=today)
    state = again.state(today - due.last, due.gap)
    rows = [i for i in range(due.item.size) if not hidden[due.item[i]]][:top]
    earned = (told.get("check") or {}).get("earned", "bestsellers")
    suggested = _new(known, own, hidden, earned, top)
    used = {
        int(known.items[i])
        for i in [*due.item[rows], *(one[0] for one in suggested), *(one[1] for one in suggested if one[1] >= 0)]
    }
    names = names_of(merchant, shelves, level, used)

    def named(place: int) -> tuple[str, str]:
        item = int(known.items[place])
        return shelves.key(level, item), names.get(item, str(item))

    day_of = kpi.day_of_number
    return Wanted(
        [
            Next(
                *named(due.item[i]), "again", day_of(int(due.due[i])), again.STATES[state[i]], day_of(int(due.last[i])),
                int(due.days[i]), round(float(due.gap[i]), 1), bool(due.own[i]),
            )
            for i in rows
        ],
        _up(told["ladder"], known, shelves, level, own, hidden),
        [
            Next(
                *named(place), "like" if because >= 0 else "bestseller", because=named(because)[1] if because >= 0 else "",
                buyers=both,
            )
            for place, because, both in suggested
        ],
        int(hidden.sum()),
        day_of(today),
    )  # fmt: skip


def _up(
    steps: list[dict[str, Any]], known: Learnt, shelves: Shelf, level: str, own: Sales, hidden: np.ndarray
) -> list[Next]:
    """Steps from what this member kept and bought on two days or more to what was never bought; most frequent first, each aim once."""
    seen = visits(own)
    kinds, days = np.unique(seen.item, return_counts=True)
    content = {shelves.key(level, int(known.items[i])) for i in kinds[days >= 2]}
    had = {shelves.key(level, int(known.items[i])) for i in kinds}
    hide = {shelves.key(level, int(known.items[i])) for i in np.flatnonzero(hidden)}
    found: dict[str, Next] = {}
    for row in sorted(steps, key=lambda row: (-row["share"], row["to"])):
        if row["from"] in content and row["to"] not in had and row["to"] not in hide and row["to"] not in found:
            found[row["to"]] = Next(row["to"], row["to_name"], "ladder", because=row["from_name"], buyers=row["went"])
    return list(found.values())[:MOST_UP]


def _new(known: Learnt, own: Sales, hidden: np.ndarray, earned: str, top: int) -> list[tuple[int, int, int]]:
    """(item, because, members) of new items; bestsellers where this shop's past has not earned more, or nothing is known."""
    have = np.unique(own.item[own.kept])
    if earned != "bestsellers" and have.size:
        told = fresh.suggest(known.model, own, np.zeros(1, np.int64), top=top, hidden=hidden[None, :])
        if told.item.size:
            columns = (told.item, told.because, told.buyers_both)
            return [(int(a), int(b), int(c)) for a, b, c in zip(*columns, strict=True)]
    buyers = np.where(hidden, 0, known.model.buyers).astype(np.int64)
    buyers[have] = 0
    best = np.lexsort((np.arange(buyers.size), -buyers))[:top]
    return [(int(i), -1, int(buyers[i])) for i in best if buyers[i] >= fresh.LEAST_BUYERS]


def _history(merchant: Merchant, member: Member, shelves: Shelf, level: str, known: Learnt) -> Sales:
    """The member's own purchases, with items by their places in what was learnt."""
    orders = (
        Order.objects.filter(merchant=merchant, member_id=member.pk, paid_at__isnull=False, excluded="")
        .exclude(status__in=[OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID])
        .exclude(net_minor__lte=0, refunded_minor__gt=0)
    )
    paid = {pk: clock.day_of(at, merchant.tz) for pk, at in orders.values_list("pk", "paid_at") if at}
    lines = OrderLine.objects.filter(merchant=merchant, order__in=list(paid), product__isnull=False).values_list(
        "id", "order_id", "product_id", "amount_minor"
    )
    back = of_lines(merchant, paid)
    rows = [(order, what, amount, back.get(order, {}).get(line, 0)) for line, order, what, amount in lines]
    table = np.array(rows, np.int64).reshape(-1, 4)
    product = np.searchsorted(shelves.product, table[:, 1])
    item = shelves.item_of(level)[product] if table.size else table[:, 1]
    place = np.searchsorted(known.items, item)
    place[place == known.items.size] = 0
    here = known.items[place] == item if table.size else np.zeros(0, bool)
    order_at = {order: i for i, order in enumerate(sorted(paid))}
    day = np.array([kpi.day_number(paid[int(order)]) for order in table[:, 0]], np.int32)
    order_no = np.array([order_at[int(order)] for order in table[:, 0]], np.int32)
    return Sales(
        order_no[here], np.zeros(int(here.sum()), np.int32), day[here], place[here].astype(np.int32), table[here, 2] - table[here, 3],
        (table[here, 2] > table[here, 3]) | (table[here, 3] == 0), len(paid), np.array([member.pk]), known.items,
    )  # fmt: skip


def _hidden(shelves: Shelf, level: str, known: Learnt, own: Sales, today: int) -> np.ndarray:
    kind_of = shelves.kind_of(level, known.items)
    durable = np.zeros(int(kind_of.max(initial=0)) + 1, bool)
    durable[kind_of[known.durable]] = True
    durable[0] = False  # goods of no known kind
    return hiding.hidden(
        known.items, kind_of, absent=shelves.absent_of(level, known.items), durable=durable,
        bought_kind=kind_of[own.item[own.kept]], bought_day=own.day[own.kept], as_of=today,
    )  # fmt: skip


class Behind(NamedTuple):
    """A member behind a figure, with the day that put them there."""

    member: int
    day: date


def members_behind_goods(
    merchant: Merchant, figure: str, level: str, key: str, other: str = "", *, day: date | None = None
) -> list[Behind]:
    """The members a figure of the report of `day` (default: the latest) counts, latest day first. Raises NoSuchGoods.

    bought, stopped (in the window, in the window before but not since), began, returned (first basket; of these came again), together (key with
    other in one order), due, overdue (again.STATES), satisfied, step (key, then other).
    """
    told = report(merchant, level, day)
    shelves = shelf(merchant)
    wanted = [shelves.item(level, one) for one in (key, *([other] if other else []))]
    if figure not in FIGURES or level not in LEVELS or told is None or None in wanted:
        raise NoSuchGoods(f"Nothing is known of {figure} {key!r}. Figures are {', '.join(FIGURES)}.")
    if figure in ("together", "step") and not other:
        raise NoSuchGoods(f"{figure} takes two goods.")
    rows, _share = sold(merchant, shelves, level, date.fromisoformat(told["as_of"]))
    places = np.searchsorted(rows.items, np.array(wanted, np.int64))
    if (places >= rows.items.size).any() or (rows.items[np.minimum(places, rows.items.size - 1)] != wanted).any():
        return []
    today = kpi.day_number(date.fromisoformat(told["as_of"]))
    who, on = _members(rows, figure, [int(one) for one in places], today)
    order = np.lexsort((who, -on.astype(np.int64)))
    return [Behind(int(rows.members[who[i]]), kpi.day_of_number(int(on[i]))) for i in order]


def _members(rows: Sales, figure: str, places: list[int], today: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of members, each once, with a day number."""
    item = places[0]
    mine = rows.known & rows.kept & (rows.item == item)
    size = rows.members.size
    last = np.full(size, -1, np.int64)
    np.maximum.at(last, rows.member[mine], rows.day[mine])
    if figure in ("bought", "stopped"):
        lately = last > today - selling.WINDOW_DAYS
        found = lately if figure == "bought" else ~lately & (last > today - 2 * selling.WINDOW_DAYS)
        return np.flatnonzero(found), last[found]
    if figure in ("due", "overdue"):
        due = again.due(rows.where(mine), again.rhythm(rows), as_of=today)
        chosen = again.state(today - due.last, due.gap) == again.STATES.index(figure)
        return due.member[chosen], due.due[chosen]
    if figure in ("began", "returned"):
        return _beginners(rows, item, today, opening.LEAD_DAYS, came=figure == "returned")
    if figure == "together":
        with_both = np.intersect1d(rows.order[mine], rows.order[rows.kept & (rows.item == places[1])])
        at = mine & np.isin(rows.order, with_both)
        last[:] = -1
        np.maximum.at(last, rows.member[at], rows.day[at])
        return np.flatnonzero(last >= 0), last[last >= 0]
    return _stepped(rows, item, places[1] if figure == "step" else -1)


def _beginners(rows: Sales, item: int, today: int, lead: int, *, came: bool) -> tuple[np.ndarray, np.ndarray]:
    known = rows.where(rows.known)
    if not known.day.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    first = np.full(rows.members.size, np.iinfo(np.int32).max, np.int64)
    np.minimum.at(first, known.member, known.day)
    judged = (first >= int(known.day.min()) + lead) & (first <= today - opening.FOLLOW_DAYS)
    at = judged[known.member] & (known.day == first[known.member]) & (known.item == item)
    found = np.zeros(rows.members.size, bool)
    found[known.member[at]] = True
    if came:
        later = (known.day > first[known.member]) & (known.day <= first[known.member] + opening.FOLLOW_DAYS)
        back = np.zeros(rows.members.size, bool)
        back[known.member[later]] = True
        found &= back
    return np.flatnonzero(found), first[found]


def _stepped(rows: Sales, item: int, to: int) -> tuple[np.ndarray, np.ndarray]:
    told = visits(rows)
    if to >= 0:
        return ladder.went(rows, item, to)
    own = told.item == item
    who, first, count = np.unique(told.member[own], return_index=True, return_counts=True)
    content = count >= 2
    return who[content], told.day[own][first[content] + 1]
