"""What members do, seen in their purchases of the last 365 days: how often and how much, when, where, which goods.

In one process the months' files are read as they are; on a cluster its analyses say the same (habit_orders, habit_kinds).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from shuke.engine.insight import kpi
from shuke.engine.insight.goods.reading import found, found_by_turn
from shuke.engine.insight.goods.sales import distinct, groups_begin, places
from shuke.engine.insight.port import Columns, Engine, Port
from shuke.insight.queries import analytics
from shuke.insight.queries.goods_sales import Shelf, files_of, living, names_of, shelf, short
from shuke.insight.queries.order_columns import offsets
from shuke.shops.models import Merchant, Store

MOST_OPTIONS = 12  # named one by one; the rest is OTHER
MOST_KINDS = 24
MANY_KINDS = 40  # more kinds than this are taken together by the first level of their name
OTHER = "*"
HOURS = (6, 10, 14, 18, 22)
_HEADS = ("order_id", "member", "day", "paid_s", "store", "net", "counted")
_LINES = ("order_id", "product", "amount", "refunded")


class Habits(NamedTuple):
    net: np.ndarray
    orders: np.ndarray
    days: np.ndarray
    by_weekday: np.ndarray
    by_hour: np.ndarray
    platforms: list[str]
    by_platform: np.ndarray
    stores: list[str]
    store_names: list[str]
    by_store: np.ndarray
    kinds: list[str]
    kind_names: list[str]
    by_kind: np.ndarray


class _Month(NamedTuple):
    """Purchases of living members, by their places: one element an order, then one per member and item (see `_Bars`)."""

    who: np.ndarray
    on_day: np.ndarray
    at_second: np.ndarray
    at_store: np.ndarray
    paid: np.ndarray
    whose: np.ndarray
    what: np.ndarray
    kept: np.ndarray  # spent, less what was given back
    times: np.ndarray  # lines


class _Bars(NamedTuple):
    """Items that may become bars: products, or kinds of goods taken together. 0: none."""

    product: np.ndarray
    item: np.ndarray  # of each product
    names: list[str]  # of kinds, item 1 is the first; none: items are products

    @property
    def most(self) -> int:
        return int(self.item.max(initial=0)) + 1


def habits(merchant: Merchant, members: np.ndarray, day: date) -> Habits:
    """Of `members` (ids ascending), as of the end of `day`. The columns of orders must be fresh."""
    size, last = members.size, kpi.day_number(day)
    shelves = shelf(merchant)
    bars = _bars(shelves)
    read = _on_the_cluster if analytics.on_cluster() else _here
    months = list(read(merchant, members, bars, last - kpi.WINDOW_DAYS, last))
    who, on_day, at_second, at_store, paid = (_all(month[place] for month in months) for place in range(5))
    stores = {pk: (platform, name) for pk, platform, name in _stores(merchant)}
    store_ids = np.array(sorted(stores), np.int64)
    platforms = sorted({platform for platform, _name in stores.values()})
    of_store = np.array([platforms.index(stores[int(pk)][0]) for pk in store_ids], np.int64)
    at = np.minimum(np.searchsorted(store_ids, at_store), max(store_ids.size - 1, 0))
    clock = (at_second + offsets(at_second, merchant.tz)) % 86_400
    timed = clock != 0  # an order of midnight sharp is one whose time nobody wrote down
    visits = distinct(who.astype(np.int64) * (last + 1) + on_day)
    store = _table(who[: who.size * bool(store_ids.size)], at, size, store_ids.size)
    store, chosen = _most(store, MOST_OPTIONS)
    by_platform = np.zeros((size, 0), np.float32)
    if store_ids.size:
        by_platform = _table(who, of_store[at], size, len(platforms))
    by_platform, used = _most(by_platform, MOST_OPTIONS)
    platforms = [platforms[i] for i in used] + ([OTHER] if by_platform.shape[1] > len(used) else [])
    codes = [str(store_ids[i]) for i in chosen]
    names = [stores[int(store_ids[i])][1] for i in chosen]
    rest = [OTHER] if store.shape[1] > len(codes) else []
    kinds, kind_names, by_kind = _spent(merchant, shelves, bars, months, size)
    return Habits(
        _sum(who, paid, size),
        np.bincount(who, minlength=size),
        np.bincount(visits // (last + 1), minlength=size).astype(np.int32),
        _table(who, (on_day + 3) % 7, size, 7),  # day 0 was a Thursday
        _table(who[timed], np.digitize(clock[timed] // 3600, HOURS), size, len(HOURS) + 1),
        platforms,
        by_platform,
        codes + rest,
        names + rest,
        store,
        kinds,
        kind_names,
        by_kind,
    )


def _all(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _table(who: np.ndarray, option: np.ndarray, size: int, options: int) -> np.ndarray:
    """How often each member did each."""
    if not options:
        return np.zeros((size, 0), np.float32)
    return np.bincount(who * options + option, minlength=size * options).astype(np.float32).reshape(size, options)


def _sum(who: np.ndarray, amount: np.ndarray, size: int) -> np.ndarray:
    total = np.zeros(size, np.int64)
    np.add.at(total, who, amount)
    return total


def _stores(merchant: Merchant) -> Iterable[tuple[int, str, str]]:
    return Store.objects.filter(merchant=merchant).order_by("id").values_list("id", "platform", "name")


# ---- goods -----------------------------------------------------------------------------------------------------------


def _bars(shelves: Shelf) -> _Bars:
    if not (shelves.kinds and (shelves.kind > 0).mean() > 0.5):
        return _Bars(shelves.product, shelves.product, [])
    first = [kind.split("/")[0].strip() if len(shelves.kinds) > MANY_KINDS else kind for kind in shelves.kinds]
    names = sorted(set(first))
    number = {name: i for i, name in enumerate(names, start=1)}
    return _Bars(shelves.product, np.array([0, *(number[name] for name in first)], np.int64)[shelves.kind], names)


def _spent(
    merchant: Merchant, shelves: Shelf, bars: _Bars, months: list[_Month], size: int
) -> tuple[list[str], list[str], np.ndarray]:
    """The goods members bought most often, and one bar for all others; what each member spent on each."""
    items, place = np.unique(_all(month.what for month in months), return_inverse=True)
    times = np.bincount(place, weights=_all(month.times for month in months), minlength=items.size)
    order = np.lexsort((items, -times))
    top = items[order[:MOST_KINDS]].tolist()
    bar = np.full(items.size, len(top), np.int64)
    bar[order[:MOST_KINDS]] = np.arange(len(top))
    if bars.names:
        codes = [bars.names[one - 1] for one in top]
        names = [short(name) for name in codes]
    else:
        called = names_of(merchant, shelves, "product", set(top))
        codes, names = [str(one) for one in top], [called.get(one, str(one)) for one in top]
    more = [OTHER] if items.size > MOST_KINDS else []
    wide = len(top) + len(more)
    spent = np.zeros(size * wide, np.float64)
    begin = 0
    for month in months:
        here = bar[place[begin : begin + month.what.size]]
        begin += month.what.size
        whole, kept = _added(month.whose * wide + here, month.kept)
        good = kept > 0  # a month in which more was given back than bought says nothing of what somebody likes
        spent[whole[good]] += kept[good]
    return codes + more, names + more, spent.reshape(size, wide).astype(np.float32)


def _added(key: np.ndarray, *amounts: np.ndarray) -> tuple[np.ndarray, ...]:
    """Each key once, ascending, with the sums of its amounts."""
    turn = np.argsort(key, kind="stable")
    begin = np.flatnonzero(groups_begin(key[turn]))
    return (
        key[turn][begin],
        *(np.add.reduceat(amount[turn], begin) if begin.size else amount[:0] for amount in amounts),
    )


def _most(table: np.ndarray, most: int) -> tuple[np.ndarray, list[int]]:
    """The `most` columns with the largest sums, largest first, and what is left of the others as one more column."""
    sums = table.sum(axis=0, dtype=np.float64)
    order = [int(i) for i in np.lexsort((np.arange(sums.size), -sums)) if sums[i] > 0]
    chosen, rest = order[:most], order[most:]
    if not rest:
        return table[:, chosen], chosen
    return np.concatenate([table[:, chosen], table[:, rest].sum(axis=1, keepdims=True)], axis=1), chosen


# ---- months ----------------------------------------------------------------------------------------------------------


def _months(merchant: Merchant, since: int) -> Iterator[tuple[Path, Path]]:
    """The files of heads and lines of the months that reach into the window."""
    listed = files_of(merchant)
    for heads, lines in zip(listed["heads"], listed["lines"], strict=True):
        month = date.fromisoformat(f"{heads.stem.removeprefix('head-')}-01")
        if kpi.day_number(month) + 31 >= since:
            yield heads, lines


def _here(merchant: Merchant, members: np.ndarray, bars: _Bars, since: int, last: int) -> Iterator[_Month]:
    with Engine(memory="256MB") as engine:
        for of_heads, of_lines in _months(merchant, since):
            heads, lines = engine.read(of_heads, _HEADS), engine.read(of_lines, _LINES)
            who, there = found_by_turn(members, heads["member"])
            there &= (heads["counted"] == 1) & (heads["day"] > since) & (heads["day"] <= last)
            rows = np.flatnonzero(there)
            at, known = found(heads["order_id"], lines["order_id"])
            product, listed = found(bars.product, lines["product"])
            item = bars.item[product] if bars.item.size else np.zeros(product.size, np.int64)
            bought = np.flatnonzero(known & listed & (item > 0) & (there[at] if there.size else known))
            what, place = places(item[bought])
            key = who[at[bought]].astype(np.int64) * max(what.size, 1) + place
            pairs, kept, times = _added(
                key, lines["amount"][bought] - lines["refunded"][bought], np.ones(key.size, np.int64)
            )
            yield _Month(
                who[rows].astype(np.int64), heads["day"][rows].astype(np.int64), heads["paid_s"][rows], heads["store"][rows], heads["net"][rows],
                pairs // max(what.size, 1), what[pairs % max(what.size, 1)] if what.size else pairs, kept, times,
            )  # fmt: skip


def _on_the_cluster(merchant: Merchant, members: np.ndarray, bars: _Bars, since: int, last: int) -> Iterator[_Month]:
    goods = {"product": bars.product[bars.item > 0], "item": bars.item[bars.item > 0]}
    for heads, lines in _months(merchant, since):
        with _engine(merchant, {"heads": [heads], "lines": [lines]}, goods) as engine:
            rows = engine.run("habit_orders", window_from=since, as_of=last)
            bought = engine.run("habit_kinds", window_from=since, as_of=last)
        (who, here), (whose, known) = found(members, rows["who"]), found(members, bought["who"])
        rows, bought = (
            {name: column[at] for name, column in told.items()} for told, at in ((rows, here), (bought, known))
        )
        yield _Month(
            who[here].astype(np.int64), rows["on_day"].astype(np.int64), rows["at_second"], rows["at_store"], rows["paid"],
            whose[known].astype(np.int64), bought["what"], bought["kept"], bought["times"],
        )  # fmt: skip


def _engine(merchant: Merchant, listed: dict[str, list[Path]], goods: Columns) -> Port:
    engine = analytics.opened()
    for name, paths in listed.items():
        engine.files(name, paths)
    engine.table("members", living(merchant))
    engine.table("goods", goods)
    return engine
