"""Who a group of members is against all members, and the members behind each bar.

`profile` answers in this shape; shares are 0 … 1 of those of whom the trait is known, an index of 100 is as among all members:

    {"as_of", "made_at": the file's mark, "window_days": 365, "of", "all", "stale": members joined since and not in it, "net_minor", "net_share" | null,
     "basket_minor": {"group", "all"}, "days": {"group", "all"}    medians of buyers within the window; null: none
     "judged": bars compared, "traits": [{"key", "topic": who | place | need | habit, "label": [zh, en] | null, "of", "known", "all", "all_known",
        "refused": "" | few | few_others | everybody, "several", "bars": [{"option", "name", "members", "share", "of_all", "index", "low", "high", "surely"}]}],
     "telling": [[place of the trait, place of the bar], …]      what surely differs, what tells most first}
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2s
from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np
from django.core.cache import cache

from shuke.engine.insight import kpi, profiles
from shuke.insight.queries import figures, profile_traits
from shuke.insight.queries.directory import matching
from shuke.insight.queries.filters import Filters
from shuke.insight.queries.profile_habits import OTHER
from shuke.insight.queries.profile_traits import STANDS, Known
from shuke.shops.models import Merchant

KEPT_SECONDS = 3_600
# A group that is made by a trait is not described by it.
_TRIVIAL = {
    "stores": ("home_store",),
    "acquired_by": ("acquired_by",),
    "bought_in": ("bought_at",),
    "joined": ("tenure",),
}
_OWN = {"stages": "stage", "layers": "layer", "bonds": "bond", "rfm": "rfm"}


# How often and how much people buy is what makes these groups: it is shown, and is no news.
_MADE_BY_BUYING = ("layers", "rfm", "bonds", "stages", "cells", "money", "year_from", "bought")
_BUYING = ("frequency", "basket")
MAIN_GROUPS: tuple[tuple[str, ...], ...] = (("key", "main"), ("potential",), ("target",))
TELLING = 8
WORTH_SAYING = 10  # of the index: a sure difference may still be none that matters


class NoSuchTrait(LookupError):
    """The trait or its option is not known."""


def wanted(merchant: Merchant, now: datetime) -> bool:
    """Whether there is a snapshot whose members have no columns yet."""
    day = figures.last_day(merchant)
    known = profile_traits.day_of(merchant)
    return day is not None and (known is None or known < day)


def profile(
    merchant: Merchant, filters: Filters, *, now: datetime, found: list[int] | None = None
) -> dict[str, Any] | None:
    """The profile of whoever the filters let through (`found`: of a text search); None before the first night."""
    mark = profile_traits.mark(merchant)
    if not mark:
        return None
    key = f"insight:profile:{merchant.pk}:{mark}:{figures.mark(merchant)}:{_digest(filters, found)}"
    told = cache.get(key)
    if told is None:
        told = profile_traits.answer(merchant, _digest(filters, found))
        if told is None:
            known = profile_traits.kept(merchant)
            if known is None:
                return None
            told = _profile(known, *_group(merchant, known, filters, now, found), filters)
        told["made_at"] = mark
        cache.set(key, told, KEPT_SECONDS)
    return told


def usual(known: Known) -> dict[str, dict[str, Any]]:
    """The profiles that are asked for every day, under the names by which `profile` finds them: of all, of the main groups, and of
    each layer, class, bond and stage. At a million members each takes a second to compute."""
    groups = [Filters(), *(Filters(layers=layers) for layers in MAIN_GROUPS)]
    for field, what in _OWN.items():
        groups += [Filters(**{field: (name,)}) for name in known.stands[what][0]]  # type: ignore[arg-type]
    cell, stands = _cells(known)
    cells, everybody = profiles.Cells(known.traits, cell, len(stands["layer"])), _Everybody(known)
    found = {}
    for filters in groups:
        of = _in_file(stands, known, filters)
        if of is not None and (name := _digest(filters, None)) not in found:
            found[name] = _told(known, everybody, cells.profile(np.flatnonzero(of).tolist()), of[cell], 0, filters)
    return found


def _cells(known: Known) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Members who stand alike in everything make a cell: of each member the cell, and of each cell its code by STANDS."""
    whole, wide = np.zeros(known.members.size, np.int64), []
    for what in STANDS:
        names, code = known.stands[what]
        whole = whole * (len(names) + 1) + code + 1
        wide.append(len(names) + 1)
    there, cell = np.unique(whole, return_inverse=True)
    codes = {}
    for what, many in zip(reversed(STANDS), reversed(wide), strict=True):
        codes[what] = there % many - 1
        there = there // many
    return cell, codes


def _digest(filters: Filters, found: list[int] | None) -> str:
    return blake2s(repr((filters.params(), found)).encode(), digest_size=12).hexdigest()


def overview(merchant: Merchant, *, now: datetime) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """The main group (key and main members), the second (potential members), and all others: layers and profile of each."""
    found = []
    for layers in MAIN_GROUPS:
        told = profile(merchant, Filters(layers=layers), now=now)
        if told is not None and told["of"]:
            found.append((layers, told))
    return found


def _group(
    merchant: Merchant, known: Known, filters: Filters, now: datetime, found: list[int] | None
) -> tuple[np.ndarray, int]:
    """bool per member of the file, and how many of the group are not in it."""
    codes = {what: code for what, (_names, code) in known.stands.items()}
    if found is None and (whole := _in_file(codes, known, filters)) is not None:
        return whole, 0
    ids = matching(merchant, filters, now=now, found=found)
    place = np.searchsorted(known.members, ids)
    place[place == known.members.size] = 0
    here = known.members[place] == ids if known.members.size else np.zeros(ids.size, bool)
    group = np.zeros(known.members.size, bool)
    group[place[here]] = True
    return group, int(ids.size - here.sum())


def _in_file(codes: dict[str, np.ndarray], known: Known, filters: Filters) -> np.ndarray | None:
    """bool per member (or cell, whose `codes` are given), where the file alone says who is meant: everybody, or those of one class,
    layer, stage or bond."""
    only = {field for field, value in _asked(filters) if value}
    if not only:
        return np.ones(codes["layer"].size, bool)
    if len(only) > 1 or (field := next(iter(only))) not in _OWN:
        return None
    names = known.stands[_OWN[field]][0]
    return np.isin(codes[_OWN[field]], [names.index(one) for one in getattr(filters, field) if one in names])


def _asked(filters: Filters) -> list[tuple[str, Any]]:
    return [(name, getattr(filters, name)) for name in filters.__dataclass_fields__ if name != "ignored"]


class _Everybody:
    """What each profile compares its group with; the same for all of them."""

    def __init__(self, known: Known) -> None:
        self.net = int(known.net.sum())
        self.basket, self.days = _median(known.basket), _median(_bought(known.days))


def _profile(known: Known, group: np.ndarray, stale: int, filters: Filters) -> dict[str, Any]:
    hidden = {trait for field, traits in _TRIVIAL.items() if getattr(filters, field) for trait in traits}
    traits = [trait for trait in known.traits if trait.key not in hidden]
    return _told(known, _Everybody(known), profiles.profile(traits, group), group, stale, filters)


def _told(
    known: Known, everybody: _Everybody, found: profiles.Profile, group: np.ndarray, stale: int, filters: Filters
) -> dict[str, Any]:
    net = int(known.net[group].sum())
    return {
        "as_of": known.day.isoformat(),
        "window_days": kpi.WINDOW_DAYS,
        "of": found.of,
        "all": found.all,
        "stale": stale,
        "net_minor": net,
        "net_share": round(net / everybody.net, 4) if everybody.net > 0 else None,
        "basket_minor": {"group": _median(known.basket[group]), "all": everybody.basket},
        "days": {"group": _median(_bought(known.days[group])), "all": everybody.days},
        "judged": found.judged,
        "traits": [_trait(known, facet) for facet in found.facets],
        "telling": _telling(found, filters),
    }


def _telling(found: profiles.Profile, filters: Filters) -> list[list[int]]:
    """Places of trait and bar: of each trait at most one that is more and one that is less frequent."""
    skipped = set(_BUYING) if any(getattr(filters, field) for field in _MADE_BY_BUYING) else set()
    places = {facet.key: (i, [bar.option for bar in shown(facet)]) for i, facet in enumerate(found.facets)}
    chosen, seen = [], set()
    for facet, bar in found.telling(1_000):
        if (
            facet.key in skipped
            or bar.option == OTHER
            or (facet.key, bar.surely) in seen
            or abs((bar.index or 0) - 100) < WORTH_SAYING
        ):
            continue
        seen.add((facet.key, bar.surely))
        place, options = places[facet.key]
        chosen.append([place, options.index(bar.option)])
    return chosen[:TELLING]


def shown(facet: profiles.Facet) -> list[profiles.Bar]:
    """Options that occur at all."""
    return [bar for bar in facet.bars if bar.of_all > 0]


def _bought(days: np.ndarray) -> np.ndarray:
    return np.where(days > 0, days, np.nan)


def _median(values: np.ndarray) -> int | None:
    told = values[~np.isnan(values)]
    return round(float(np.median(told))) if told.size else None


def _trait(known: Known, facet: profiles.Facet) -> dict[str, Any]:
    about = known.about[facet.key]
    names = dict(zip([bar.option for bar in facet.bars], about["names"] or [""] * len(facet.bars), strict=True))
    return {
        "key": facet.key, "topic": about["topic"], "label": about["label"], "of": facet.of, "known": facet.known, "all": facet.all,
        "all_known": facet.all_known, "refused": facet.refused, "several": facet.several,
        "bars": [
            {
                "option": bar.option, "name": names[bar.option], "members": bar.members, "share": round(bar.share, 4), "of_all": round(bar.of_all, 4),
                "index": _whole(bar.index), "low": _whole(bar.low, -bar.surely), "high": _whole(bar.high, -bar.surely), "surely": bar.surely,
            }
            for bar in shown(facet)
        ],
    }  # fmt: skip


def _whole(value: float | None, away: int = 0) -> int | None:
    """Rounded; the bounds of what is sure (`away`: -1 more, 1 less) never onto the 100 they keep clear of."""
    if value is None:
        return None
    return ceil(value) if away < 0 else floor(value) if away > 0 else round(value)


class Behind(NamedTuple):
    """A member behind a bar, and how much of the member falls on it."""

    member: int
    share: float


def members_behind_bar(
    merchant: Merchant, filters: Filters, trait: str, option: str, *, now: datetime, found: list[int] | None = None
) -> list[Behind]:
    """The members of the group on whom any of the option falls, those with most of it first; option "?": unknown. Raises NoSuchTrait."""
    known = profile_traits.kept(merchant, trait)
    one = next((t for t in known.traits if t.key == trait), None) if known else None
    if known is None or one is None or (option != "?" and option not in one.options):
        raise NoSuchTrait(f"Nothing is known of {trait!r} {option!r}.")
    group, _stale = _group(merchant, known, filters, now, found)
    share = (~one.known()).astype(np.float32) if option == "?" else one.holds(one.options.index(option))
    rows = np.flatnonzero(group & (share > 0))
    rows = rows[np.lexsort((known.members[rows], -share[rows]))]
    return [Behind(int(known.members[row]), round(float(share[row]), 4)) for row in rows]


assert set(_OWN.values()) == set(STANDS)
