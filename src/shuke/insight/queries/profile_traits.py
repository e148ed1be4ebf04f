"""What is known of every member, as columns for the profiles: told by them, or seen in their purchases of the last 365 days.

Computed after the night (`insight.actions.profile_traits`) and kept as a file beside the other columns; without it the pages say
that figures are still being made. The file names members by id only and is written anew every night, so whoever was forgotten is gone
from it; figures count living members only in the meantime.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from shuke.engine.insight import kpi, profiles
from shuke.engine.insight.port import Columns, Port
from shuke.engine.insight.profiles import Trait
from shuke.insight.models import MemberScore
from shuke.insight.queries import analytics, profile_told
from shuke.insight.queries.goods_sales import files_of, living, names_of, shelf, short
from shuke.shops.models import Merchant, Store

FORMAT = 1
MOST_OPTIONS = 12  # named one by one; the rest is OTHER
MOST_KINDS = 24
MANY_KINDS = 40  # more kinds than this are taken together by the first level of their name
OTHER = "*"
HOURS = (6, 10, 14, 18, 22)
TENURE = (90, 365, 730, 1826)  # days since joining
FREQUENCY = (1, 2, 4, 7, 13, 27, 53)  # days with a purchase within the window
STANDS = ("layer", "stage", "bond", "rfm")


class Known(NamedTuple):
    """All members, ascending by id, and what is known of them."""

    day: date
    members: np.ndarray
    traits: list[Trait]
    about: dict[
        str, dict[str, Any]
    ]  # trait → {"topic", "label": [zh, en] | None, "names": [name of each option] | None}
    net: np.ndarray  # int64, within the window
    days: np.ndarray  # int32, days with a purchase within the window
    basket: np.ndarray  # float, mean of an order; NaN: none
    stands: dict[str, tuple[list[str], np.ndarray]]  # layer, stage … → names and code of each member


def path(merchant: Merchant) -> Path:
    return Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.pk) / "profiles.npz"


def mark(merchant: Merchant) -> str:
    """Another text whenever the file is another one; empty: there is none."""
    try:
        found = path(merchant).stat()
    except FileNotFoundError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_size}"


def day_of(merchant: Merchant) -> date | None:
    """The day the file is of, without reading the rest of it."""
    try:
        with np.load(path(merchant), allow_pickle=False) as file:
            words = json.loads(file["words"].tobytes())
            return date.fromisoformat(words["day"]) if words["format"] == FORMAT else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def compute(merchant: Merchant, day: date) -> Known:
    """Everything as of the end of `day`. The columns of orders must be fresh. Works through the history month by month."""
    told = profile_told.told(merchant, day)
    size = told.members.size
    habits = _habits(merchant, told.members, day)
    scores = {
        row[0]: row[1:] for row in MemberScore.objects.filter(merchant=merchant).values_list("member_id", *STANDS)
    }
    stands = {
        what: _coded([scores.get(int(member), ("",) * len(STANDS))[i] for member in told.members])
        for i, what in enumerate(STANDS)
    }
    basket = np.divide(habits.net, habits.orders, out=np.full(size, np.nan), where=habits.orders > 0)
    cuts = [_round(cut) for cut in profiles.fifths(np.where(basket > 0, basket, np.nan))]
    traits = [*told.traits]
    about = dict(told.about)

    def add(trait: Trait, topic: str, names: list[str] | None = None) -> None:
        if len(trait.options) > 1 and trait.known().any():
            traits.append(trait)
            about[trait.key] = {"topic": topic, "label": None, "names": names}

    add(profiles.split("platform", habits.platforms, habits.by_platform), "place")
    if len(habits.stores) > len(habits.platforms):
        add(profiles.split("bought_at", habits.stores, habits.by_store), "place", habits.store_names)
    add(profiles.split("kinds", habits.kinds, habits.by_kind), "need", habits.kind_names)
    add(profiles.split("weekday", [str(n) for n in range(1, 8)], habits.by_weekday), "habit")
    add(profiles.split("hour", between(HOURS, "0", "24"), habits.by_hour), "habit")
    add(
        profiles.codes("frequency", between(FREQUENCY, "0"), profiles.bands(habits.days.astype(float), FREQUENCY)),
        "habit",
    )
    add(profiles.codes("basket", between(cuts), profiles.bands(basket, cuts)), "habit")
    add(profiles.codes("tenure", between(TENURE, "0"), profiles.bands(told.since.astype(float), TENURE)), "habit")
    return Known(day, told.members, traits, about, habits.net, habits.days, basket, stands)


class _Habits(NamedTuple):
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


def _habits(merchant: Merchant, members: np.ndarray, day: date) -> _Habits:
    size = members.size
    last = kpi.day_number(day)
    since = last - kpi.WINDOW_DAYS
    stores = {pk: (platform, name) for pk, platform, name in _stores(merchant)}
    store_ids = np.array(sorted(stores), np.int64)
    platforms = sorted({platform for platform, _name in stores.values()})
    of_store = np.array([platforms.index(stores[int(pk)][0]) for pk in store_ids], np.int64)
    net, orders, days = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int32)
    weekday, hour = np.zeros((size, 7), np.float32), np.zeros((size, len(HOURS) + 1), np.float32)
    platform, store = np.zeros((size, len(platforms)), np.float32), np.zeros((size, store_ids.size), np.float32)
    goods, kinds, kind_names = _goods(merchant, since, last)
    kind = np.zeros((size, len(kinds)), np.float32)
    for rows, bought in _months(merchant, goods, since, last):
        who = np.searchsorted(members, rows["who"])
        here = _found(members, who, rows["who"])
        who, told = who[here], {name: column[here] for name, column in rows.items()}
        np.add.at(net, who, told["paid"])
        np.add.at(orders, who, 1)
        np.add.at(days, np.unique(np.stack([who, told["on_day"]]), axis=1)[0], 1)
        np.add.at(weekday, (who, (told["on_day"] + 3) % 7), 1)  # day 0 was a Thursday
        clock = _seconds_of_day(told["at_second"], merchant.tz)
        timed = clock != 0  # an order of midnight sharp is one whose time nobody wrote down
        np.add.at(hour, (who[timed], np.digitize(clock[timed] // 3600, HOURS)), 1)
        if store_ids.size:
            at = np.minimum(np.searchsorted(store_ids, told["at_store"]), store_ids.size - 1)
            np.add.at(store, (who, at), 1)
            np.add.at(platform, (who, of_store[at]), 1)
        whose = np.searchsorted(members, bought["who"])
        known = _found(members, whose, bought["who"]) & (bought["kept"] > 0)
        np.add.at(kind, (whose[known], bought["what"][known] - 1), bought["kept"][known])
    store, chosen = _most(store, MOST_OPTIONS)
    platform, used = _most(platform, MOST_OPTIONS)
    platforms = [platforms[i] for i in used] + ([OTHER] if platform.shape[1] > len(used) else [])
    codes = [str(store_ids[i]) for i in chosen]
    names = [stores[int(store_ids[i])][1] for i in chosen]
    rest = [OTHER] if store.shape[1] > len(codes) else []
    return _Habits(
        net, orders, days, weekday, hour, platforms, platform, codes + rest, names + rest, store, kinds, kind_names, kind
    )  # fmt: skip


def _stores(merchant: Merchant) -> Iterable[tuple[int, str, str]]:
    return Store.objects.filter(merchant=merchant).order_by("id").values_list("id", "platform", "name")


def _found(members: np.ndarray, place: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    inside = place < members.size
    inside[inside] = members[place[inside]] == wanted[inside]
    return inside


def _goods(merchant: Merchant, since: int, last: int) -> tuple[Columns, list[str], list[str]]:
    """Which bar (from 1) each product belongs to: the goods members bought most often, and one for all others."""
    shelves = shelf(merchant)
    by_kind = bool(shelves.kinds) and (shelves.kind > 0).mean() > 0.5
    if by_kind:
        first = [kind.split("/")[0].strip() if len(shelves.kinds) > MANY_KINDS else kind for kind in shelves.kinds]
        bars = sorted(set(first))
        number = {name: i for i, name in enumerate(bars, start=1)}
        of_kind = np.array([0, *(number[name] for name in first)], np.int64)
        item = of_kind[shelves.kind]
    else:
        item = shelves.product
    with _engine(merchant, files_of(merchant)) as engine:
        engine.table("goods", {"product": shelves.product[item > 0], "item": item[item > 0]})
        counted = engine.run("habit_goods", window_from=since, as_of=last)
    order = np.lexsort((counted["what"], -counted["times"]))
    top = [int(one) for one in counted["what"][order[:MOST_KINDS]]]
    place = {one: i for i, one in enumerate(top, start=1)}
    rest = len(top) + 1
    bar = np.array([place.get(int(one), rest if one else 0) for one in item], np.int64)
    if by_kind:
        codes, names = [bars[one - 1] for one in top], [short(bars[one - 1]) for one in top]
    else:
        called = names_of(merchant, shelves, "product", set(top))
        codes, names = [str(one) for one in top], [called.get(one, str(one)) for one in top]
    more = [OTHER] if order.size > MOST_KINDS else []
    used = bar > 0 if more else (bar > 0) & (bar < rest)
    return {"product": shelves.product[used], "item": bar[used]}, codes + more, names + more


def _months(merchant: Merchant, goods: Columns, since: int, last: int) -> Iterator[tuple[Columns, Columns]]:
    """Purchases, and what was spent on which goods, a month at a time: memory holds one."""
    listed = files_of(merchant)
    for heads, lines in zip(listed["heads"], listed["lines"], strict=True):
        month = date.fromisoformat(f"{heads.stem.removeprefix('head-')}-01")
        if kpi.day_number(month) + 31 < since:
            continue
        with _engine(merchant, {"heads": [heads], "lines": [lines]}) as engine:
            engine.table("goods", goods)
            yield (
                engine.run("habit_orders", window_from=since, as_of=last),
                engine.run("habit_kinds", window_from=since, as_of=last),
            )


def _engine(merchant: Merchant, listed: dict[str, list[Path]]) -> Port:
    engine = analytics.opened()
    for name, paths in listed.items():
        engine.files(name, paths)
    engine.table("members", living(merchant))
    return engine


def _seconds_of_day(seconds: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """Since the shop's midnight. The zone's offset is asked for once per quarter of an hour that occurs."""
    quarters, place = np.unique(seconds // 900, return_inverse=True)
    offsets = np.array([_offset(int(quarter) * 900, zone) for quarter in quarters], np.int64)
    return (seconds + offsets[place]) % 86_400 if seconds.size else seconds


def _offset(seconds: int, zone: ZoneInfo) -> int:
    return int((datetime.fromtimestamp(seconds, zone).utcoffset() or timedelta()).total_seconds())


def _most(table: np.ndarray, most: int) -> tuple[np.ndarray, list[int]]:
    """The `most` columns with the largest sums, largest first, and what is left of the others as one more column."""
    sums = table.sum(axis=0, dtype=np.float64)
    order = [int(i) for i in np.lexsort((np.arange(sums.size), -sums)) if sums[i] > 0]
    chosen, rest = order[:most], order[most:]
    if not rest:
        return table[:, chosen], chosen
    return np.concatenate([table[:, chosen], table[:, rest].sum(axis=1, keepdims=True)], axis=1), chosen


def _coded(values: list[str]) -> tuple[list[str], np.ndarray]:
    names = sorted(set(values) - {""})
    number = {name: i for i, name in enumerate(names)} | {"": -1}
    return names, np.array([number[value] for value in values], np.int16)


def between(cuts: Iterable[float], first: str = "", last: str = "") -> list[str]:
    """Codes of the bands that cuts make, from each bound up to before the next: "0..6", "6..10"; "27.." is open."""
    bounds = [first, *(f"{cut:.0f}" for cut in cuts), last]
    return [f"{low}..{high}" for low, high in pairwise(bounds)]


def _round(value: float) -> float:
    """Two significant digits: a cut that people can say."""
    scale = 10 ** max(len(str(int(abs(value)))) - 2, 0)
    return float(round(value / scale) * scale)


# ---- the file ----------------------------------------------------------------------------------------------------------


def keep(merchant: Merchant, known: Known, told: Mapping[str, dict[str, Any]]) -> None:
    """Write it in one step, with answers that are asked for every day (`answer`) beside it."""
    final = path(merchant)
    final.parent.mkdir(parents=True, exist_ok=True)
    listed = [
        {"key": t.key, "options": t.options, "several": t.several, "coded": t.code is not None} for t in known.traits
    ]
    words = {
        "format": FORMAT, "day": known.day.isoformat(), "traits": listed, "about": known.about,
        "stands": {what: names for what, (names, _codes) in known.stands.items()},
    }  # fmt: skip
    columns = {
        f"t{i}": trait.code if trait.code is not None else np.asarray(trait.share, np.float16)
        for i, trait in enumerate(known.traits)
    } | {f"in_{what}": codes for what, (_names, codes) in known.stands.items()}
    part = final.with_suffix(".part")
    with part.open("wb") as out:
        np.savez(
            out, words=_letters(words), members=known.members, net=known.net, days=known.days,
            basket=known.basket, **columns, **{f"told_{one}": _letters(answer) for one, answer in told.items()},  # type: ignore[arg-type]
        )  # fmt: skip
    part.replace(final)


def _letters(words: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(json.dumps(words).encode(), np.uint8)


def answer(merchant: Merchant, question: str) -> dict[str, Any] | None:
    """What was kept under that name; only this is read of the file."""
    try:
        with np.load(path(merchant), allow_pickle=False) as file:
            if json.loads(file["words"].tobytes())["format"] != FORMAT or f"told_{question}" not in file:
                return None
            found: dict[str, Any] = json.loads(file[f"told_{question}"].tobytes())
            return found
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def kept(merchant: Merchant, only: str = "") -> Known | None:
    """What the last night found; None before the first, or when the file is gone, cut off or of another format.

    only: of the traits this one alone, where a million members are known by dozens of them.
    """
    try:
        with np.load(path(merchant), allow_pickle=False) as file:
            words = json.loads(file["words"].tobytes())
            if words["format"] != FORMAT:
                return None
            traits = [
                Trait(
                    one["key"], one["options"], file[f"t{i}"] if one["coded"] else None, None if one["coded"] else file[f"t{i}"],
                    one["several"],
                )
                for i, one in enumerate(words["traits"])
                if only in ("", one["key"])
            ]  # fmt: skip
            stands = {what: (names, file[f"in_{what}"]) for what, names in words["stands"].items()}
            return Known(
                date.fromisoformat(words["day"]), file["members"], traits, words["about"], file["net"], file["days"], file["basket"],
                stands,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
