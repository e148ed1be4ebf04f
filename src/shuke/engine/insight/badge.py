"""How much a shop's data can carry, as a traffic light: months of history, repeat buyers, identified share, last order."""

from __future__ import annotations

from typing import NamedTuple

LIGHTS = ("green", "amber", "red")
# Green from, amber from; of days since the last order: green up to, amber up to.
MONTHS, REPEATERS, IDENTIFIED, SILENCE = (11.9, 6.0), (200.0, 50.0), (0.8, 0.5), (7.0, 31.0)


class Part(NamedTuple):
    key: str  # months | repeaters | identified | silence
    value: float | None  # None: not known
    light: str


class Badge(NamedTuple):
    light: str  # the worst of its parts
    parts: tuple[Part, ...]


def badge(*, history_days: int, repeaters: int, identified: float | None, days_since_last: int | None) -> Badge:
    """identified: share of the revenue with a known buyer, 0 … 1."""
    months = history_days / 30.4375
    parts = (
        Part("months", months, _light(months, MONTHS)),
        Part("repeaters", float(repeaters), _light(float(repeaters), REPEATERS)),
        Part("identified", identified, _light(identified, IDENTIFIED)),
        Part("silence", None if days_since_last is None else float(days_since_last), _short(days_since_last)),
    )
    return Badge(LIGHTS[max(LIGHTS.index(part.light) for part in parts)], parts)


def _light(value: float | None, bounds: tuple[float, float]) -> str:
    if value is None:
        return "red"
    return "green" if value >= bounds[0] else "amber" if value >= bounds[1] else "red"


def _short(days: int | None) -> str:
    if days is None:
        return "red"
    return "green" if days <= SILENCE[0] else "amber" if days <= SILENCE[1] else "red"
