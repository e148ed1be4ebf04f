"""The filters of the member directory as one frozen value, and how they are written in an address.

A filtered list is shared, bookmarked and linked from every figure of the dashboard, so the address is the only place
its state lives. What does not parse is kept in `ignored` and said on the page; it never becomes an unfiltered list
without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import NamedTuple

from shuke.engine.insight.budget import ADVICE
from shuke.engine.insight.profit import KINDS
from shuke.kit import numbers

# The tabs above the list and the lifecycle stages behind them. "dormant" is a plain rule of the field beside the stages
# (which judge by each member's own rhythm), so the two may overlap.
VIEWS: dict[str, tuple[str, ...]] = {
    "new": ("observing",),
    "active": ("forming", "stable"),
    "at_risk": ("degrading",),
    "dormant": (),
    "lost": ("lost",),
}
DORMANT_DAYS = 180  # without a purchase
STAGES = ("observing", "forming", "stable", "degrading", "lost")
LAYERS = ("key", "main", "potential", "target")
BONDS = ("loyal", "drifting", "potential")
SORTS = ("last", "spent", "orders", "points", "joined", "expects")
DEFAULT_SORT = "-last"
_RFM = re.compile(r"[12]{3}")
_CELL = re.compile(r"([1-5])-([1-5])")
_CHANCE = re.compile(r"(30|90)-(likely|possible|unlikely)")
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_CODE = re.compile(r"[\w-]{1,30}")
_PLATFORM = re.compile(r"[\w-]{1,20}")
NOT_STATED = "-"
_STOOD = re.compile(r"(rfm|layer|stage):([a-z0-9]{0,12}):(\d{4}-\d\d-\d\d)")
_MOVED = re.compile(r"(rfm|layer|stage):([a-z0-9]{0,12}):([a-z0-9]{0,12}):(\d{4}-\d\d-\d\d)(?::(\d{4}-\d\d-\d\d))?")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which members. Empty means no restriction; values of one kind mean any of them (of tags: all); kinds all hold."""

    text: str = ""
    view: str = ""
    stages: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    rfm: tuple[str, ...] = ()
    cells: tuple[tuple[int, int], ...] = ()  # (R, F) quintiles, 5 is best
    layers: tuple[str, ...] = ()
    bonds: tuple[str, ...] = ()  # loyalty layers
    money: tuple[str, ...] = ()  # M quintiles, 5 is best
    stores: tuple[int, ...] = ()  # home store; 0: none
    home_on: str = ""  # the platform of the home store; "-": no home store
    joined: str = ""  # a period: 2017, 2017-05, 2017-05-12, or 2017-05..2017-07-03, either end open; the shop's days
    first: str = ""  # a period: that of the first purchase
    first_in: int | None = None  # the store of the first purchase
    first_on: str = ""  # its platform
    tags: tuple[str, ...] = ()
    acquired_by: tuple[str, ...] = ()  # "-": not stated
    points_from: int | None = None
    points_to: int | None = None  # inclusive, as people say it
    last_from: date | None = None
    last_to: date | None = None  # inclusive
    chances: tuple[str, ...] = ()  # 30-likely, 90-possible, …: to buy within so many days
    expects_from: int | None = None  # net spend expected within 12 months, minor units, at least
    expects_to: int | None = None  # and less than
    loyalty: tuple[str, ...] = ()  # habit, price, high, or none
    quality: tuple[str, ...] = ()  # quality, costly, or none
    advice: tuple[str, ...] = ()  # at_ease, keep, win_back, let_go, or unknown
    cost: tuple[str, ...] = ()  # kinds of cost they caused within 365 days
    profit: str = ""  # gain | loss within 365 days
    year_from: int | None = None  # net spend within 365 days, minor units, at least
    bought: str = ""  # ever | never | year (within 365 days) | again (two days or more of them) | idle (none of them)
    bought_in: int | None = None  # a store they bought in, within `paid` or else 365 days
    bought_on: str = ""  # a platform they bought on, likewise
    paid: str = ""  # a period they bought in
    paid_days: int | None = None  # on so many days of it at least
    unpaid: str = ""  # a period they bought nothing in; with a store or platform: nothing there
    expires: str = ""  # hold points that lapse in this month, or "never"
    holding: str = ""  # pending | held | debt: points in that state
    moved: str = (
        ""  # stage:stable:degrading:2017-11-30, rfm:… or layer:…: what, from, to, since the end of that day[:until]
    )
    stood: str = ""  # rfm:222:2017-11-30: what, where, at the end of which day
    ignored: tuple[tuple[str, str], ...] = ()  # parameters of the address that made no sense

    @property
    def any(self) -> bool:
        """Whether anything at all is restricted."""
        return self.params() != []

    @property
    def of_profit(self) -> bool:
        """Whether rows of the profit report are asked."""
        return bool(self.loyalty or self.quality or self.advice or self.cost or self.profit)

    def params(self) -> list[tuple[str, str]]:
        """The canonical address parameters: fixed order, nothing empty. `parse` reads them back to an equal value."""
        pairs: list[tuple[str, str]] = []
        if self.text:
            pairs.append(("q", self.text))
        if self.view:
            pairs.append(("view", self.view))
        for name, values in (
            ("stage", self.stages), ("tier", self.tiers), ("rfm", self.rfm), ("m", self.money),
            ("cell", [f"{r}-{f}" for r, f in self.cells]),
            ("layer", self.layers), ("bond", self.bonds), ("store", self.stores), ("tag", self.tags), ("by", self.acquired_by), ("chance", self.chances),
            ("loyalty", self.loyalty), ("quality", self.quality), ("advice", self.advice), ("cost", self.cost),
        ):  # fmt: skip
            pairs += [(name, str(value)) for value in values]
        for name, value in (
            ("home_on", self.home_on), ("joined", self.joined), ("first", self.first), ("first_in", self.first_in), ("first_on", self.first_on),
            ("points_from", self.points_from), ("points_to", self.points_to),
            ("last_from", self.last_from), ("last_to", self.last_to), ("bought", self.bought), ("bought_in", self.bought_in), ("bought_on", self.bought_on),
            ("expects_from", self.expects_from), ("expects_to", self.expects_to),
            ("profit", self.profit), ("year_from", self.year_from), ("paid", self.paid), ("paid_days", self.paid_days), ("unpaid", self.unpaid),
            ("expires", self.expires), ("holding", self.holding),
            ("moved", self.moved), ("stood", self.stood),
        ):  # fmt: skip
            if value not in ("", None):
                pairs.append((name, str(value)))
        return pairs

    def without(self, name: str, value: str = "") -> Filters:
        """The same filters less one chip. `name` and `value` as in `params`."""
        return parse((n, v) for n, v in self.params() if n != name or (value and v != value))

    def wanted_stages(self) -> tuple[str, ...] | None:
        """Stages asked for by tab and filter together; None = any, () = the two exclude each other."""
        if not self.view:
            return self.stages or None
        tab = VIEWS[self.view]
        if not tab:
            return self.stages or None
        return tuple(s for s in tab if s in self.stages) if self.stages else tab


def period(text: str) -> tuple[date | None, date | None] | None:
    """First day and the day after the last of '2017', '2017-05', '2017-05-12' or two of these with '..' between.

    None if it is no such thing. Either end may be open: '..2017-05' gives no first day.
    """
    if ".." not in text:
        return _calendar(text)
    start, _dots, end = text.partition("..")
    first, last = _calendar(start) if start else (None, None), _calendar(end) if end else (None, None)
    if first is None or last is None or not (start or end):
        return None
    if first[0] is not None and last[1] is not None and first[0] >= last[1]:
        return None
    return first[0], last[1]


def _calendar(text: str) -> tuple[date, date] | None:
    found = _PERIOD.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(g) if g else 0 for g in found.groups())
    try:
        if not month:
            return date(year, 1, 1), date(year + 1, 1, 1)
        if not day:
            return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
        return date(year, month, day), date(year, month, day) + timedelta(days=1)
    except ValueError:
        return None


class Moved(NamedTuple):
    """One flow between classes, layers or stages; "" = in none."""

    what: str
    before: str
    after: str
    since: date
    until: date | None = None  # today


def flow(text: str) -> Moved | None:
    """The parts of a `moved` filter; None if it is no such thing."""
    found = _MOVED.fullmatch(text)
    if not found:
        return None
    since, until = _day(found[4]), _day(found[5] or "")
    if since is None or (found[5] and until is None):
        return None
    return Moved(found[1], found[2], found[3], since, until)


class Stood(NamedTuple):
    what: str
    place: str  # "" = in none
    day: date


def stand(text: str) -> Stood | None:
    """The parts of a `stood` filter; None if it is no such thing."""
    found = _STOOD.fullmatch(text)
    day = _day(found[3]) if found else None
    return Stood(found[1], found[2], day) if found and day else None


def parse(pairs: Iterable[tuple[str, str]] | Mapping[str, str]) -> Filters:
    """Read the parameters of an address. Unknown names belong to others (page, sort); bad values land in `ignored`."""
    many: dict[str, list[str]] = {}
    one: dict[str, object] = {}
    ignored: list[tuple[str, str]] = []
    for name, raw in pairs.items() if isinstance(pairs, Mapping) else pairs:
        value = raw.strip()
        if not value or name not in _READERS:
            continue
        field, read, plural = _READERS[name]
        found = read(value)
        if found is None:
            ignored.append((name, value[:60]))
        elif plural:
            into = many.setdefault(field, [])
            if found not in into:
                into.append(found)
        else:
            one[field] = found
    return Filters(**{k: tuple(v) for k, v in many.items()}, **one, ignored=tuple(ignored))  # type: ignore[arg-type]


def parse_sort(text: str) -> str:
    """A known sort key, '-' for largest first; anything else is the default."""
    return text if text.removeprefix("-") in SORTS else DEFAULT_SORT


def _closed(text: str) -> bool:
    """Whether this is a period with both ends: orders are searched day by day, not without end."""
    found = period(text)
    return found is not None and None not in found


def _among(allowed: Iterable[str]):
    known = frozenset(allowed)
    return lambda text: text if text in known else None


def _matching(pattern: re.Pattern[str]):
    return lambda text: text if pattern.fullmatch(text) else None


def _cell(text: str) -> tuple[int, int] | None:
    found = _CELL.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_READERS = {
    "q": ("text", lambda t: t[:100], False),
    "view": ("view", _among(VIEWS), False),
    "stage": ("stages", _among(STAGES), True),
    "tier": ("tiers", _matching(_CODE), True),
    "rfm": ("rfm", _matching(_RFM), True),
    "cell": ("cells", _cell, True),
    "layer": ("layers", _among(LAYERS), True),
    "bond": ("bonds", _among(BONDS), True),
    "store": ("stores", numbers.whole, True),
    "tag": ("tags", lambda t: t[:60], True),
    "by": ("acquired_by", lambda t: t[:60], True),
    "home_on": ("home_on", _matching(_PLATFORM), False),
    "joined": ("joined", lambda t: t if period(t) else None, False),
    "first": ("first", lambda t: t if period(t) else None, False),
    "first_in": ("first_in", numbers.whole, False),
    "first_on": ("first_on", _matching(_PLATFORM), False),
    "m": ("money", _among("12345"), True),
    "chance": ("chances", _matching(_CHANCE), True),
    "expects_from": ("expects_from", numbers.whole, False),
    "expects_to": ("expects_to", numbers.whole, False),
    "year_from": ("year_from", numbers.whole, False),
    "paid": ("paid", lambda t: t if _closed(t) else None, False),
    "paid_days": (
        "paid_days",
        lambda t: int(t) if t.isascii() and t.isdigit() and 0 < int(t[:4]) <= 366 else None,
        False,
    ),
    "unpaid": ("unpaid", lambda t: t if _closed(t) else None, False),
    "expires": ("expires", _matching(re.compile(r"never|\d{4}-(0[1-9]|1[0-2])")), False),
    "holding": ("holding", _among(("pending", "held", "debt")), False),
    "points_from": ("points_from", numbers.whole, False),
    "points_to": ("points_to", numbers.whole, False),
    "last_from": ("last_from", _day, False),
    "last_to": ("last_to", _day, False),
    "bought": ("bought", _among(("ever", "never", "year", "again", "idle")), False),
    "bought_in": ("bought_in", numbers.whole, False),
    "bought_on": ("bought_on", _matching(_PLATFORM), False),
    "stood": ("stood", lambda t: t if stand(t) else None, False),
    "loyalty": ("loyalty", _among(("habit", "price", "high", "none")), True),
    "quality": ("quality", _among(("quality", "costly", "none")), True),
    "advice": ("advice", _among((*ADVICE[1:], "unknown")), True),
    "cost": ("cost", _among(KINDS), True),
    "profit": ("profit", _among(("gain", "loss")), False),
    "moved": ("moved", lambda t: t if flow(t) else None, False),
}
assert {r[0] for r in _READERS.values()} | {"ignored"} == {f.name for f in fields(Filters)}
