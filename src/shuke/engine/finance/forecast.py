"""How many points lapse in the months ahead: what is due to, times the share that did in past months at the same distance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

PAST = 12  # months looked back on: what members did years ago under other rules says little
FEWEST = 3  # with fewer past months there is a share, but no interval
DECILES = 10  # from so many on the interval runs from the first to the ninth decile, below from lowest to highest


class Lapse(NamedTuple):
    """Points of lots earned in month `earned` whose last day is in month `last`, by what happened in month `month`.

    `kind`: granted (then `month` = `earned`) | used | lapsed | taken.
    """

    earned: int
    last: int
    month: int
    kind: str
    points: int


class Ahead(NamedTuple):
    """One month to come. Without a past at this distance `lapse` is None, and all that is due may lapse."""

    month: int
    due: int  # points that lapse unless they are used before
    due_minor: int
    lapse: int | None
    lapse_minor: int | None
    low: int | None
    high: int | None
    rests_on: int  # past months
    share: float | None


def shares(moves: Iterable[Lapse], *, current: int) -> dict[int, list[tuple[int, int]]]:
    """Distance in months → (open then, lapsed of it) for each past month of expiry, newest first.

    Open at distance d is what was left at the beginning of the month d before the last month of the lots.
    """
    by_last: dict[int, list[Lapse]] = {}
    for move in moves:
        if current - PAST <= move.last < current:
            by_last.setdefault(move.last, []).append(move)
    found: dict[int, list[tuple[int, int]]] = {}
    for last in sorted(by_last, reverse=True):
        told = by_last[last]
        first = min(move.earned for move in told)
        for distance in range(last - first + 1):
            then = last - distance
            left = lapsed = 0
            for move in told:
                if move.earned >= then:
                    continue
                if move.month < then:
                    left += move.points if move.kind == "granted" else -move.points
                elif move.kind == "lapsed":
                    lapsed += move.points
            if left > 0:
                found.setdefault(distance, []).append((left, max(0, min(lapsed, left))))
    return found


def ahead(
    due: Mapping[int, tuple[int, int]], past: Mapping[int, Sequence[tuple[int, int]]], *, current: int
) -> list[Ahead]:
    """`due`: month → (points, cost in minor units) open now whose last day is in it."""
    found = []
    for month in sorted(due):
        points, cost = due[month]
        told = past.get(month - current, ())
        whole = sum(left for left, _ in told)
        if not whole or not points:
            found.append(Ahead(month, points, cost, None, None, None, None, 0, None))
            continue
        share = sum(lapsed for _, lapsed in told) / whole
        low, high = _interval([lapsed / left for left, lapsed in told])
        found.append(
            Ahead(
                month,
                points,
                cost,
                round(points * share),
                round(cost * share),
                None if low is None else min(round(points * low), round(points * share)),
                None if high is None else max(round(points * high), round(points * share)),
                len(told),
                share,
            )
        )
    return found


def _interval(shares: list[float]) -> tuple[float | None, float | None]:
    if len(shares) < FEWEST:
        return None, None
    ordered = sorted(shares)
    if len(ordered) < DECILES:
        return ordered[0], ordered[-1]
    return _quantile(ordered, 0.1), _quantile(ordered, 0.9)


def _quantile(ordered: list[float], q: float) -> float:
    place = q * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
