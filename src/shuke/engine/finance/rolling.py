"""The roll-forward of a period: opening + issued − redeemed − expired ± the rest = closing, in points and money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

# Rows in the order an accountant reads them. `debt`: points that only moved between what members hold and what they owe.
ROWS = (
    "issued",
    "taken_back",
    "opened",
    "adjusted",
    "redeemed",
    "given_back",
    "expired",
    "reinstated",
    "transferred",
    "written_off",
    "debt",
)


class Move(NamedTuple):
    """What one kind of movement did to the points that members hold. `micro` is at each lot's own cost."""

    row: str
    points: int
    micro: int = 0


class Line(NamedTuple):
    row: str
    points: int
    money_minor: int


class RollForward(NamedTuple):
    """`opening` and `closing` are points in lots, `owed` what members owe back beside them."""

    opening: Line
    lines: list[Line]
    closing: Line
    owed_before: int
    owed_after: int


def rolled(
    *, opening_points: int, opening_micro: int, moves: Iterable[Move], owed_before: int, owed_after: int
) -> RollForward:
    """Rows with money in minor units that adds up: each amount is the difference of two rounded running sums."""
    points: dict[str, int] = {}
    micro: dict[str, int] = {}
    for move in moves:
        points[move.row] = points.get(move.row, 0) + move.points
        micro[move.row] = micro.get(move.row, 0) + move.micro
    order = [row for row in ROWS if row in points] + sorted(row for row in points if row not in ROWS)
    running, said = opening_micro, minor(opening_micro)
    opening = Line("opening", opening_points, said)
    lines = []
    for row in order:
        running += micro[row]
        after = minor(running)
        if points[row] or after != said:
            lines.append(Line(row, points[row], after - said))
        said = after
    closing = Line("closing", opening_points + sum(points.values()), said)
    return RollForward(opening, lines, closing, owed_before, owed_after)


def minor(micro: int) -> int:
    """Millionths of a minor unit → minor units, half up, the same on both sides of zero."""
    return (micro + 500_000) // 1_000_000 if micro >= 0 else -((-micro + 500_000) // 1_000_000)


def net(sums: Mapping[str, int]) -> int:
    """What members hold less what they owe, from the accounts of the double entry."""
    return sums.get("member", 0) + sums.get("debt", 0)
