"""Geometry of the server-drawn charts: numbers in, SVG coordinates out. No colours, no words, no request.

SVG from the server prints, needs no script, and its bars and layers are ordinary links. Coordinates are texts with one
decimal, ready for an attribute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

LEAST_SLOTS = 6


class Tick(NamedTuple):
    at: str  # coordinate along its axis
    value: float


class Bar(NamedTuple):
    x: str
    y: str
    width: str
    height: str
    middle: str  # x of its middle, for a label
    value: float | None


class Frame(NamedTuple):
    """The plot area inside a chart's view box."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float

    @property
    def inner_width(self) -> float:
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> float:
        return self.height - self.top - self.bottom

    def x(self, share: float) -> float:
        return self.left + share * self.inner_width

    def y(self, share: float) -> float:
        """From the bottom up."""
        return self.top + (1 - share) * self.inner_height


def one(value: float) -> str:
    """A coordinate: one decimal, no '-0.0'."""
    return f"{value + 0.0:.1f}"


def nice_top(highest: float, ticks: int = 4) -> tuple[float, float]:
    """A round upper end at or above the highest value, and the step between its ticks."""
    if highest <= 0:
        return 1.0, 1.0
    rough = highest / ticks
    scale = 10 ** math.floor(math.log10(rough))
    step = next(s * scale for s in (1, 2, 2.5, 5, 10) if s * scale >= rough - 1e-12)
    return math.ceil(highest / step - 1e-9) * step, step


def ticks(top: float, step: float, frame: Frame) -> list[Tick]:
    """Marks of the value axis from 0 to its top."""
    return [Tick(one(frame.y(i * step / top)), i * step) for i in range(round(top / step) + 1)]


def _slot(count: int, frame: Frame) -> float:
    """Width of one of `count` equal slots; few values do not make giants, they leave the right side empty."""
    return frame.inner_width / max(count, LEAST_SLOTS)


def bars(values: Sequence[float | None], top: float, frame: Frame, *, gap: float = 0.28) -> list[Bar]:
    """One bar per value over equal slots; a value not known is a bar without height."""
    if not values:
        return []
    slot = _slot(len(values), frame)
    drawn = []
    for i, value in enumerate(values):
        share = 0.0 if not value else max(0.0, min(1.0, value / top))
        left = frame.left + i * slot + slot * gap / 2
        drawn.append(
            Bar(
                one(left),
                one(frame.y(share)),
                one(slot * (1 - gap)),
                one(share * frame.inner_height),
                one(frame.left + (i + 0.5) * slot),
                value,
            )
        )
    return drawn


def lines(values: Sequence[float | None], top: float, frame: Frame) -> list[str]:
    """Polyline points over the middles of equal slots; broken where a value is not known."""
    pieces: list[list[str]] = [[]]
    slot = _slot(len(values), frame)
    for i, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            share = max(0.0, min(1.0, value / top))
            pieces[-1].append(f"{one(frame.left + (i + 0.5) * slot)},{one(frame.y(share))}")
    return [" ".join(piece) for piece in pieces if piece]


def curve(points: Sequence[Sequence[float]], frame: Frame) -> str:
    """Polyline points of shares in both directions."""
    return " ".join(f"{one(frame.x(x))},{one(frame.y(y))}" for x, y in points)


def curve_at(points: Sequence[Sequence[float]], share: float) -> float:
    """The curve's height at a share, straight between its points."""
    before = points[0]
    for point in points:
        if point[0] >= share:
            width = point[0] - before[0]
            return point[1] if width == 0 else before[1] + (share - before[0]) / width * (point[1] - before[1])
        before = point
    return points[-1][1]


def layers(count: int, *, width: float, height: float, gap: float = 3) -> list[str]:
    """Polygon points of a pyramid of equal layers, top first."""
    step = height / count
    drawn = []
    for i in range(count):
        upper, lower = i * step, (i + 1) * step - gap
        corners = [
            (width / 2 * (1 - upper / height), upper),
            (width / 2 * (1 + upper / height), upper),
            (width / 2 * (1 + lower / height), lower),
            (width / 2 * (1 - lower / height), lower),
        ]
        drawn.append(" ".join(f"{one(x)},{one(y)}" for x, y in corners))
    return drawn


class Piece(NamedTuple):
    x: str
    width: str
    share: float


def stack(values: Sequence[float], *, width: float, gap: float = 1.5) -> list[Piece]:
    """Pieces of one bar side by side. Something that exists stays visible: at least two units wide."""
    whole = sum(values)
    if whole <= 0:
        return [Piece("0.0", "0.0", 0.0) for _ in values]
    least = 2.0
    wanted = [max(v / whole * width, least) if v else 0.0 for v in values]
    scale = width / sum(wanted)
    drawn, x = [], 0.0
    for value, wide in zip(values, wanted, strict=True):
        drawn.append(Piece(one(x), one(max(wide * scale - gap, 0.0) if value else 0.0), value / whole))
        x += wide * scale
    return drawn


def heat(value: float, highest: float) -> int:
    """0 … 5 for a cell. By square root, because a few full cells would leave all others pale."""
    if value <= 0 or highest <= 0:
        return 0
    return max(1, min(5, math.ceil(math.sqrt(value / highest) * 5)))


def every(count: int, most: int) -> int:
    """Label every n-th of `count` slots so that at most `most` are labelled."""
    return max(1, -(-count // most))


class Node(NamedTuple):
    """One end of a flow: a bar of this height; `middle` is where its label stands, never over another's."""

    key: str
    y: str
    height: str
    middle: str
    size: int


class Band(NamedTuple):
    before: str
    after: str
    path: str
    size: int


def flow(
    counts: dict[tuple[str, str], int], order: Sequence[str], frame: Frame, *, bar: float = 10, gap: float = 7
) -> tuple[list[Node], list[Node], list[Band]]:
    """Nodes on the left, nodes on the right, and the bands between, all in `order`; widths as the counts say."""
    whole = sum(counts.values())
    if not whole:
        return [], [], []
    lefts = {key: sum(n for (b, _a), n in counts.items() if b == key) for key in order}
    rights = {key: sum(n for (_b, a), n in counts.items() if a == key) for key in order}
    most = max(sum(map(bool, lefts.values())), sum(map(bool, rights.values())))
    scale = (frame.inner_height - gap * (most - 1)) / whole

    def stacked(sizes: dict[str, int]) -> tuple[list[Node], dict[str, float]]:
        nodes, tops, y = [], {}, frame.top
        for key in order:
            if sizes[key]:
                high = sizes[key] * scale
                tops[key] = y
                nodes.append(Node(key, one(y), one(max(high, 1.0)), one(y + high / 2), sizes[key]))
                y += high + gap
        return _labelled(nodes, frame), tops

    left, at_left = stacked(lefts)
    right, at_right = stacked(rights)
    start, end = frame.left + bar, frame.width - frame.right - bar
    half = (start + end) / 2
    bands = []
    for before in order:
        for after in order:
            size = counts.get((before, after), 0)
            if not size:
                continue
            high, y0, y1 = size * scale, at_left[before], at_right[after]
            at_left[before] += high
            at_right[after] += high
            high = max(high, 0.8)  # one member in thousands is still a line
            upper = f"M{one(start)},{one(y0)} C{one(half)},{one(y0)} {one(half)},{one(y1)} {one(end)},{one(y1)}"
            lower = f"L{one(end)},{one(y1 + high)} C{one(half)},{one(y1 + high)} {one(half)},{one(y0 + high)} {one(start)},{one(y0 + high)} Z"
            bands.append(Band(before, after, f"{upper} {lower}", size))
    return left, right, bands


_LINE = 20.0  # height of a label on a phone, where texts are drawn larger


def _labelled(nodes: list[Node], frame: Frame) -> list[Node]:
    """Labels of thin neighbours pushed apart: down from the top, then up again from the bottom."""
    places = [float(node.middle) for node in nodes]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + _LINE)
    if places:
        places[-1] = min(places[-1], frame.height - frame.bottom)
    for i in range(len(places) - 2, -1, -1):
        places[i] = min(places[i], places[i + 1] - _LINE)
    return [node._replace(middle=one(place)) for node, place in zip(nodes, places, strict=True)]
