"""Who a group of members is: how it falls on the options of each trait, against all members, and how surely it differs.

    from shuke.engine.insight import profiles
    age = profiles.codes("age", ["18-24", "25-34"], np.array([0, 1, 1, -1]))      # -1: unknown
    told = profiles.profile([age], group)                                          # group: bool per member
    told.facets[0].bars[0].index                                                   # 100 = as among all members

Every member counts the same: of a habit (weekdays of the orders) each member's own split is averaged, so that one wholesaler
makes no habit of a thousand. The interval is wide enough to hold for all bars of the profile at once. Definitions and a worked
table: docs/algorithms/profiles.md. NumPy only; no database, no Django.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

LEAST_KNOWN = 30  # members of the group of whom a trait is known, and of the others: fewer are not compared
LEAST_EXPECTED = 5.0  # members that an option must be expected to have on each side, before it is judged
SURE = 0.05  # the chance that any bar at all of a profile is wrongly called different
FARTHEST = 15.0  # a ratio of e^15 is as good as any
BLOCK = 20_000  # members at once, where shares are added up: their table stays near the processor


class Trait(NamedTuple):
    """One thing known of members. Either `code` (one option each) or `share` (each member's split) is there.

    code: int16, place of the option, -1 unknown. share: float [members, options], a row of zeros is unknown; `several`: rows need
    not add up to one (a member may have many needs).
    """

    key: str
    options: list[str]
    code: np.ndarray | None = None
    share: np.ndarray | None = None
    several: bool = False

    @property
    def members(self) -> int:
        return len(self.code if self.code is not None else self.share)  # type: ignore[arg-type]

    def known(self) -> np.ndarray:
        if self.code is not None:
            return self.code >= 0
        assert self.share is not None
        return np.concatenate([(part > 0).any(axis=1) for part in _blocks(self.share)] or [np.empty(0, bool)])

    def holds(self, option: int) -> np.ndarray:
        """float per member: how much of the member falls on the option."""
        if self.code is not None:
            return (self.code == option).astype(np.float32)
        assert self.share is not None
        return self.share[:, option].astype(np.float32)


def codes(key: str, options: Sequence[str], code: np.ndarray) -> Trait:
    return Trait(key, list(options), code=np.asarray(code, np.int16))


def split(key: str, options: Sequence[str], amount: np.ndarray) -> Trait:
    """From how often (or how much) each member did each: the member's shares. What is below 0 counts as nothing."""
    kept = np.maximum(np.asarray(amount, np.float32), 0)
    whole = kept.sum(axis=1, keepdims=True)
    return Trait(key, list(options), share=np.divide(kept, whole, out=np.zeros_like(kept), where=whole > 0))


def several(key: str, options: Sequence[str], has: np.ndarray) -> Trait:
    """Each member has any number of the options; who has none is unknown."""
    return Trait(key, list(options), share=np.asarray(has, np.float32), several=True)


def bands(values: np.ndarray, cuts: Sequence[float]) -> np.ndarray:
    """Code of the band of each value: 0 below the first cut, then from each cut on. NaN: -1."""
    found = np.digitize(np.nan_to_num(values), np.asarray(cuts, np.float64)).astype(np.int16)
    return np.where(np.isnan(values), np.int16(-1), found)


def fifths(values: np.ndarray) -> list[float]:
    """Cuts that part the known values into five about equal bands; fewer where values repeat."""
    known = values[~np.isnan(values)]
    if known.size < 5:
        return []
    cuts = np.unique(np.quantile(known, [0.2, 0.4, 0.6, 0.8], method="higher"))
    return [float(cut) for cut in cuts if cut > known.min()]


@dataclass(frozen=True, slots=True)
class Bar:
    """One option of a trait. Shares are 0 … 1 of those of whom the trait is known; 100 is as among all."""

    option: str
    members: int  # of the group, on whom any of it falls
    share: float
    of_all: float
    index: float | None  # None: nobody at all
    low: float | None  # None, both: too few to be judged
    high: float | None
    surely: int  # 1 surely more than the other members, -1 surely less, 0 cannot be told

    @property
    def weight(self) -> float:
        """How much it tells: what differs much, and concerns many."""
        if not self.index or not self.of_all:
            return self.of_all
        return abs(self.share - self.of_all) * abs(log(self.index / 100))


class Facet(NamedTuple):
    """One trait of the group. `refused`: "" | "few" (too few known) | "few_others" | "everybody": shares, but no comparison."""

    key: str
    of: int  # members of the group
    known: int
    all: int
    all_known: int
    bars: list[Bar]
    refused: str
    several: bool

    @property
    def unknown(self) -> float:
        return 1 - self.known / self.of if self.of else 0.0

    @property
    def all_unknown(self) -> float:
        return 1 - self.all_known / self.all if self.all else 0.0


class Profile(NamedTuple):
    of: int
    all: int
    facets: list[Facet]
    judged: int  # bars that were compared: the interval holds for all of them together

    def telling(self, most: int = 6) -> list[tuple[Facet, Bar]]:
        """What surely differs, what tells most first."""
        found = [(facet, bar) for facet in self.facets for bar in facet.bars if bar.surely]
        return sorted(found, key=lambda one: (-one[1].weight, one[0].key, one[1].option))[:most]


def profile(traits: Sequence[Trait], group: np.ndarray) -> Profile:
    """How the group falls on all options. group: bool, one element per member, in the order of the traits."""
    return Cells(traits, np.asarray(group, np.int64), 2).profile([1])


class Cells:
    """Members parted into cells, each trait added up once per cell: the profile of any group that is made of whole cells costs
    no further look at the members."""

    def __init__(self, traits: Sequence[Trait], cell: np.ndarray, cells: int) -> None:
        """cell: of each member, 0 … cells - 1, in the order of the traits."""
        self._traits = traits
        self._members = np.bincount(cell, minlength=cells)
        self._sums = [_of_cells(trait, cell, cells) for trait in traits]

    def profile(self, group: Sequence[int]) -> Profile:
        """Of the members in these cells, against all others."""
        inside = np.zeros(self._members.size, bool)
        inside[list(group)] = True
        sums = [_sums(one, inside) for one in self._sums]
        judged = sum(int(_judged(one).sum()) for one in sums)
        z = NormalDist().inv_cdf(1 - SURE / 2 / max(judged, 1))
        of, everybody = int(self._members[inside].sum()), int(self._members.sum())
        facets = [_facet(trait, one, of, everybody, z) for trait, one in zip(self._traits, sums, strict=True)]
        return Profile(of, everybody, facets, judged)


class _OfCells(NamedTuple):
    """Per cell: members known, and per option the sum of shares, of their squares, and members on it."""

    known: np.ndarray
    total: np.ndarray  # [cells, options]
    squares: np.ndarray
    members: np.ndarray


def _of_cells(trait: Trait, cell: np.ndarray, cells: int) -> _OfCells:
    size = len(trait.options)
    if trait.code is not None:
        rows = np.flatnonzero(trait.code >= 0)
        counts = np.bincount(cell[rows] * size + trait.code[rows], minlength=cells * size).reshape(cells, size)
        return _OfCells(counts.sum(axis=1), counts.astype(np.float64), counts.astype(np.float64), counts)
    assert trait.share is not None
    known = np.zeros(cells, np.int64)
    total, squares, on = np.zeros((cells, size)), np.zeros((cells, size)), np.zeros((cells, size), np.int64)
    for start, part in enumerate(_blocks(trait.share)):
        here = cell[start * BLOCK : start * BLOCK + len(part)]
        any_of_it = np.zeros(len(part), bool)
        for option in range(size):
            told = np.ascontiguousarray(part[:, option], np.float64)
            rows = np.flatnonzero(told > 0)
            any_of_it[rows] = True
            of, told = here[rows], told[rows]
            on[:, option] += np.bincount(of, minlength=cells)
            total[:, option] += np.bincount(of, weights=told, minlength=cells)
            squares[:, option] += np.bincount(of, weights=told * told, minlength=cells)
        known += np.bincount(here[any_of_it], minlength=cells)
    return _OfCells(known, total, squares, on)


class _Sums(NamedTuple):
    """Of group and of the others, in this order: as _OfCells."""

    known: tuple[int, int]
    total: np.ndarray  # [2, options]
    squares: np.ndarray
    members: np.ndarray


def _sums(one: _OfCells, inside: np.ndarray) -> _Sums:
    mine, others = int(one.known[inside].sum()), int(one.known[~inside].sum())
    both = (np.stack([column[side].sum(axis=0) for side in (inside, ~inside)]) for column in one[1:])
    return _Sums((mine, others), *both)


def _blocks(table: np.ndarray) -> list[np.ndarray]:
    return [table[start : start + BLOCK] for start in range(0, len(table), BLOCK)]


def _refused(known: tuple[int, int]) -> str:
    return "few" if known[0] < LEAST_KNOWN else "few_others" if known[1] < LEAST_KNOWN else ""


def _judged(one: _Sums) -> np.ndarray:
    """Which options can be compared: enough members would be expected on both sides if there were no difference."""
    if _refused(one.known):
        return np.zeros(one.total.shape[1], bool)
    of_all = one.total.sum(axis=0) / sum(one.known)
    return of_all * min(one.known) >= LEAST_EXPECTED


def _facet(trait: Trait, one: _Sums, of: int, everybody: int, z: float) -> Facet:
    mine, others = one.known
    refused = "everybody" if of == everybody else _refused(one.known)
    judged = _judged(one)
    bars = []
    for i, option in enumerate(trait.options):
        share = float(one.total[0, i]) / mine if mine else 0.0
        of_all = float(one.total[:, i].sum()) / (mine + others) if mine + others else 0.0
        index = 100 * share / of_all if of_all and mine else None
        low = high = None
        surely = 0
        if judged[i] and index is not None:
            low, high, surely = _interval(one, i, index, z)
        bars.append(Bar(option, int(one.members[0, i]), share, of_all, index, low, high, surely))
    return Facet(trait.key, of, mine, everybody, mine + others, bars, refused, trait.several)


def _interval(one: _Sums, option: int, index: float, z: float) -> tuple[float, float, int]:
    """Bounds of the index: of the ratio to the other members, then the group's own part in "all" taken into account."""
    sides = [_as_counts(one.known[i], float(one.total[i, option]), float(one.squares[i, option])) for i in (0, 1)]
    weight = one.known[0] / sum(one.known)

    def against_all(ratio: float) -> float:
        return 100 * ratio / (weight * ratio + 1 - weight) if isfinite(ratio) else 100 / weight

    low, high = (against_all(ratio) for ratio in ratio_bounds(*sides[0], *sides[1], z))
    return min(low, index), max(high, index), int(low > 100) - int(high < 100)


def ratio_bounds(x: float, n: float, other_x: float, other_n: float, z: float) -> tuple[float, float]:
    """Interval of the ratio of two shares, x / n to other_x / other_n: ratios at which the likelihood is not z²/2 worse than
    at its best. Sound for rare options too, where the usual error of the logarithm calls too much sure."""
    best = _loglik(x, n, x / n) + _loglik(other_x, other_n, other_x / other_n)

    def bad(log_ratio: float) -> bool:
        ratio = exp(log_ratio)
        # The other share that fits best at this ratio: the smaller root of a quadratic.
        a, b, c = (n + other_n) * ratio, -(n * ratio + x + other_n + other_x * ratio), x + other_x
        share = (-b - sqrt(max(b * b - 4 * a * c, 0.0))) / (2 * a)
        there = _loglik(x, n, min(ratio * share, 1.0)) + _loglik(other_x, other_n, min(share, 1.0))
        return 2 * (best - there) > z * z

    middle = log((x + 0.5) * (other_n + 1) / ((other_x + 0.5) * (n + 1)))
    low = 0.0 if x == 0 else exp(_edge(bad, middle, -FARTHEST))
    high = float("inf") if other_x == 0 else exp(_edge(bad, middle, FARTHEST))
    return low, high


def _edge(bad: Callable[[float], bool], good: float, end: float) -> float:
    for _step in range(50):
        middle = (good + end) / 2
        good, end = (good, middle) if bad(middle) else (middle, end)
    return good


def _loglik(x: float, n: float, share: float) -> float:
    hit = x * log(max(share, 1e-300)) if x else 0.0
    return hit + ((n - x) * log(max(1 - share, 1e-300)) if n > x else 0.0)


def _as_counts(n: int, total: float, squares: float) -> tuple[float, float]:
    """Hits and tries that scatter as these shares do. Of one option each they are the counts themselves; shares between nothing
    and all scatter less, and speak like more members."""
    p = total / n
    spread = (squares - n * p * p) / max(n - 1, 1)
    if not 0 < p < 1 or spread <= 0:
        return total, float(n)
    tries = n * max(p * (1 - p) / spread, 1.0)
    return p * tries, tries
