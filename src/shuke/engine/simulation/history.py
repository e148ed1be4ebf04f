"""Everybody's events as columns: small in memory, quick to write to a file and to read again.

Events are the engine's own named tuples; each kind is kept with one array per field, so a kind or a field that is added
to `engine.ledger.events` needs nothing here. The goods of purchases are kept by product, because which products a rule
chooses depends on the charter; `Goods` adds them up for one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Birthdays
from shuke.engine.simulation.classes import bits

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NEVER = np.iinfo(np.int64).min  # an instant that is None
_NOBODY = np.iinfo(np.int64).max


class Life(NamedTuple):
    """One member as the fold takes it."""

    member: int
    joined_at: datetime
    birthdays: Birthdays
    events: list[ev.Event]


@dataclass(slots=True)
class Rows:
    """All events of one kind, sorted by owner (a position among the members)."""

    owner: np.ndarray
    columns: dict[str, tuple[str, Any]]  # field → (how it is kept, the values)


@dataclass(slots=True)
class Lines:
    """What was bought: positions of purchase and product, amounts, pieces. Sorted by purchase, then as the books number them."""

    purchase: np.ndarray
    product: np.ndarray  # 0: goods nobody knows
    amount: np.ndarray
    pieces: np.ndarray  # thousandths

    def of(self, first: int, last: int) -> Lines:
        """Those of purchases `first` to `last`."""
        low, high = np.searchsorted(self.purchase, (first, last))
        return Lines(*(getattr(self, name)[low:high] for name in Lines.__slots__))


def no_lines() -> Lines:
    return Lines(*(np.zeros(0, np.int64) for _ in Lines.__slots__))


@dataclass(slots=True)
class History:
    """All members of a shop with all that ever happened to their books."""

    members: np.ndarray
    joined: np.ndarray
    birthdays: list[list[Any]]  # of each member: [since in microseconds or None, month, day, lunar]
    kinds: dict[str, Rows] = field(default_factory=dict)
    lines: Lines = field(default_factory=no_lines)
    products: list[tuple[str, str, str]] = field(default_factory=lambda: [("", "", "")])  # category, code, brand
    grants: list[tuple[str, str, int, int, int]] = field(default_factory=list)  # what events drew from budgets

    @property
    def purchases(self) -> int:
        rows = self.kinds.get("Purchase")
        return 0 if rows is None else len(rows.owner)

    def rows_of(self, first: int, last: int | None) -> tuple[int, int]:
        """Purchases of members `first` to `last`, as rows."""
        rows = self.kinds.get("Purchase")
        if rows is None:
            return 0, 0
        low, high = np.searchsorted(rows.owner, (first, len(self.members) if last is None else last))
        return int(low), int(high)

    def names(self, first: int, last: int) -> list[str]:
        """Of the purchases in these rows."""
        how, kept = self.kinds["Purchase"].columns["event"]
        return _values(how, kept, first, last)

    def freight(self, row: int) -> int:
        """Of one purchase, minor units."""
        how, kept = self.kinds["Purchase"].columns["parts"]
        if how != "tuple" or not kept[1][row]:
            return 0
        place = int(kept[1][:row].sum())
        how, values = kept[2]["freight"]
        return int(_values(how, values, place, place + 1)[0])

    def outline(self) -> History:
        """Who there is and how much they bought, without what: all that is needed once the whole lies in a file."""
        rows = self.kinds.get("Purchase")
        kept = {} if rows is None else {"Purchase": Rows(rows.owner, {})}
        return History(self.members, self.joined, [], kept)

    def lives(self, goods: Goods, first: int = 0, last: int | None = None) -> Iterator[Life]:
        """Members `first` to `last` with their events, as one charter's goods rules see them."""
        stop = len(self.members) if last is None else last
        found: dict[int, list[ev.Event]] = defaultdict(list)
        for kind, rows in self.kinds.items():
            low, high = (int(x) for x in np.searchsorted(rows.owner, (first, stop)))
            if low == high:
                continue
            made: Sequence[Any] = _events(kind, rows, low, high)
            if kind == "Purchase":
                made = goods.into(made, low)
            elif kind == "Refunded":
                made = goods.came_back(made)
            for owner, event in zip(rows.owner[low:high].tolist(), made, strict=True):
                found[owner].append(event)
        for n in range(first, stop):
            birthdays = [(None if s is None else _moment(s), (m, d, lunar)) for s, m, d, lunar in self.birthdays[n]]
            yield Life(int(self.members[n]), _moment(int(self.joined[n])), birthdays, found.pop(n, []))


class Goods:
    """What one charter looks at of each purchase: lines that all its rules treat alike as one, and what made its price.

    The same classes, order and spokesmen as `loyalty.queries.facts` reads for settling; a test holds them together.
    """

    def __init__(self, history: History, versions: Versions, first: int = 0, last: int | None = None) -> None:
        """Of the purchases of members `first` to `last`."""
        self._parts = versions.needs_parts
        self._first, end = history.rows_of(first, last)
        lines = history.lines.of(self._first, end)
        self._any = (bool(versions.goods_rules) or versions.needs_lines) and bool(len(lines.purchase))
        self._history = history
        self._places: dict[str, int] = {}  # of purchases by name, once a refund asks
        if not self._any:
            return
        if versions.each_line:
            purchase, order = lines.purchase, np.arange(len(lines.purchase))
            starts = order
        else:
            kind = _classes(history.products, versions.goods_rules)[lines.product]
            order = np.lexsort((kind, lines.purchase))
            purchase, kind = lines.purchase[order], kind[order]
            starts = np.flatnonzero(np.r_[True, (purchase[1:] != purchase[:-1]) | (kind[1:] != kind[:-1])])
        self._amount, self._pieces = (
            np.add.reduceat(column[order], starts).tolist()
            for column in (lines.amount, np.where(lines.amount > 0, lines.pieces, 0))
        )
        self._class = np.empty(len(lines.purchase), np.int64)  # of each line by itself
        self._class[order] = np.searchsorted(starts, np.arange(len(order)), side="right") - 1
        self._line_from = np.searchsorted(lines.purchase, np.arange(self._first, end + 1))
        # 0 stands for goods nobody knows; one of known goods speaks for the class, as MIN leaves out NULL.
        product = lines.product[order].astype(np.int64)
        product[product == 0] = _NOBODY
        spokesman = np.minimum.reduceat(product, starts)
        spokesman[spokesman == _NOBODY] = 0
        self._product = spokesman.tolist()
        self._goods = history.products
        self._from = np.searchsorted(purchase[starts], np.arange(self._first, end + 1)).tolist()

    def into(self, purchases: Sequence[ev.Purchase], first: int) -> Sequence[ev.Purchase]:
        """Purchases (rows from `first` on) as this charter sees them."""
        if self._any:
            purchases = [p._replace(lines=self._of(first + i)) for i, p in enumerate(purchases)]
        return purchases if self._parts else [p._replace(parts=None) for p in purchases]

    def came_back(self, refunds: Sequence[ev.Refunded]) -> Sequence[ev.Refunded]:
        """Refunds with what came back of the lines as this charter sees them."""
        return [r if not r.back else r._replace(back=self._added_up(r)) for r in refunds]

    def _added_up(self, refund: ev.Refunded) -> tuple[ev.Back, ...]:
        if not self._any:
            return ()
        if not self._places:
            rows = range(self._first, self._first + len(self._from) - 1)
            self._places = {name: n for n, name in zip(rows, self._history.names(rows.start, rows.stop), strict=True)}
        n = self._places[refund.order] - self._first
        sums: dict[int, list[int]] = {}
        for one in refund.back:
            of = sums.setdefault(int(self._class[self._line_from[n] + one.line] - self._from[n]), [0, 0])
            of[0] += one.amount
            of[1] += one.pieces_milli
        return tuple(ev.Back(place, amount, pieces) for place, (amount, pieces) in sorted(sums.items()))

    def _of(self, purchase: int) -> tuple[ev.GoodsLine, ...]:
        low, high = self._from[purchase - self._first], self._from[purchase - self._first + 1]
        goods = (self._goods[n] for n in self._product[low:high])
        return tuple(
            ev.GoodsLine(amount, category, code, brand, pieces)
            for amount, (category, code, brand), pieces in zip(
                self._amount[low:high], goods, self._pieces[low:high], strict=True
            )
        )


def _classes(products: Sequence[tuple[str, str, str]], rules: Sequence[Any]) -> np.ndarray:
    if len(rules) > 60:  # as loyalty.queries.facts has it: every product is a class of its own
        return np.arange(len(products), dtype=np.int64)
    return np.array([bits(rules, *goods) for goods in products], np.int64)


def _moment(ticks: int) -> datetime:
    return EPOCH + timedelta(microseconds=ticks)


def ticks(moment: datetime) -> int:
    return (moment - EPOCH) // TICK


# -- events into columns and back ---------------------------------------------------------------------------------------


class Gathering:
    """Takes events in, member by member, and makes the columns of them."""

    def __init__(self) -> None:
        self._owners: dict[str, list[int]] = defaultdict(list)
        self._events: dict[str, list[Any]] = defaultdict(list)

    def add(self, owner: int, events: Sequence[ev.Event]) -> None:
        """Owners come in ascending order."""
        for event in events:
            kind = type(event).__name__
            self._owners[kind].append(owner)
            self._events[kind].append(event)

    def purchases(self) -> list[str]:
        """Names of all purchases, in the order of their rows."""
        return [p.event for p in self._events["Purchase"]]

    def kinds(self) -> dict[str, Rows]:
        found = {}
        for kind, told in self._events.items():
            if told:
                columns = {
                    name: _column([event[i] for event in told])
                    for i, name in enumerate(type(told[0])._fields)
                    if not (kind == "Purchase" and name == "lines")
                }
                found[kind] = Rows(np.array(self._owners[kind], np.int32), columns)
        return found


def _column(values: list[Any]) -> tuple[str, Any]:
    """How a field is kept: instants and numbers as integers, texts once each, anything else as JSON."""
    types = {type(v) for v in values}
    if types <= {datetime, type(None)}:
        return "instant", np.array([NEVER if v is None else ticks(v) for v in values], np.int64)
    if types == {int}:
        return "number", np.array(values, np.int64)
    if types == {str}:
        seen: dict[str, int] = {}
        places = np.array([seen.setdefault(v, len(seen)) for v in values], np.int32)
        return "text", (places, list(seen))
    (kind, *more) = types - {type(None)} or {type(None)}
    if not more and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        there = [v for v in values if v is not None]
        fields = {name: _column([v[i] for v in there]) for i, name in enumerate(kind._fields)}
        return "tuple", (kind.__name__, np.array([v is not None for v in values], bool), fields)
    if all(v == values[0] for v in values):
        return "same", _plain(values[0])
    return "other", [_plain(v) for v in values]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": ticks(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"named": [type(value).__name__, *(_plain(v) for v in value)]}
    if isinstance(value, (tuple, list)):
        return {"all": [_plain(v) for v in value]}
    if isinstance(value, (frozenset, set)):
        return {"set": sorted(value)}
    if isinstance(value, Mapping):
        return {"map": [[k, _plain(v)] for k, v in value.items()]}
    return value


def _value(told: Any) -> Any:
    if isinstance(told, dict):
        (kind, inner), *_ = told.items()
        if kind == "at":
            return _moment(inner)
        if kind == "named":
            return getattr(ev, inner[0])(*(_value(v) for v in inner[1:]))
        if kind == "set":
            return frozenset(inner)
        if kind == "map":
            return {k: _value(v) for k, v in inner}
        return tuple(_value(v) for v in inner)
    return told


def _events(kind: str, rows: Rows, low: int, high: int) -> list[Any]:
    made = getattr(ev, kind)
    fields: list[list[Any]] = []
    for name in made._fields:
        if name not in rows.columns:
            fields.append([()] * (high - low))
            continue
        how, kept = rows.columns[name]
        fields.append(_values(how, kept, low, high))
    return [made(*values) for values in zip(*fields, strict=True)]


def _values(how: str, kept: Any, low: int, high: int) -> list[Any]:
    if how == "instant":
        return [None if t == NEVER else EPOCH + timedelta(microseconds=t) for t in kept[low:high].tolist()]
    if how == "number":
        return kept[low:high].tolist()
    if how == "text":
        places, words = kept
        return [words[n] for n in places[low:high].tolist()]
    if how == "same":
        return [_value(kept)] * (high - low)
    if how == "tuple":
        name, there, fields = kept
        before = int(there[:low].sum())
        count = int(there[low:high].sum())
        columns = [_values(inner, values, before, before + count) for inner, values in fields.values()]
        made = iter([getattr(ev, name)(*values) for values in zip(*columns, strict=True)])
        return [next(made) if is_there else None for is_there in there[low:high].tolist()]
    return [_value(v) for v in kept[low:high]]


# -- the file -------------------------------------------------------------------------------------------------------------


def save(history: History, path: Path) -> None:
    """Whole or not at all."""
    arrays: dict[str, np.ndarray] = {"members": history.members, "joined": history.joined}
    kinds: dict[str, dict[str, Any]] = {}
    for kind, rows in history.kinds.items():
        arrays[f"{kind}/owner"] = rows.owner
        kinds[kind] = {name: _away(arrays, f"{kind}/{name}", column) for name, column in rows.columns.items()}
    for name in Lines.__slots__:
        arrays[f"lines/{name}"] = getattr(history.lines, name)
    told = {"birthdays": history.birthdays, "products": history.products, "kinds": kinds, "grants": history.grants}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    arrays["told"] = np.frombuffer(text, np.uint8)
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    draft.replace(path)


def load(path: Path) -> History:
    with np.load(path) as arrays:
        told = json.loads(arrays["told"].tobytes())
        kinds = {}
        for kind, fields in told["kinds"].items():
            columns = {name: _back(arrays, f"{kind}/{name}", column) for name, column in fields.items()}
            kinds[kind] = Rows(arrays[f"{kind}/owner"], columns)
        return History(
            arrays["members"],
            arrays["joined"],
            told["birthdays"],
            kinds,
            Lines(*(arrays[f"lines/{name}"] for name in Lines.__slots__)),
            [(c, p, b) for c, p, b in told["products"]],
            [(event, rule, *figures) for event, rule, *figures in told["grants"]],
        )


def _away(arrays: dict[str, np.ndarray], place: str, column: tuple[str, Any]) -> list[Any]:
    """A column's arrays into the file, the rest as JSON."""
    how, kept = column
    if how in ("other", "same"):
        return [how, kept]
    if how == "text":
        arrays[place], words = kept
        return [how, words]
    if how == "tuple":
        name, arrays[place], fields = kept
        return [how, [name, {n: _away(arrays, f"{place}.{n}", c) for n, c in fields.items()}]]
    arrays[place] = kept
    return [how, None]


def _back(arrays: Mapping[str, np.ndarray], place: str, column: list[Any]) -> tuple[str, Any]:
    how, kept = column
    if how in ("other", "same"):
        return how, kept
    if how == "text":
        return how, (arrays[place], kept)
    if how == "tuple":
        name, fields = kept
        return how, (name, arrays[place], {n: _back(arrays, f"{place}.{n}", c) for n, c in fields.items()})
    return how, arrays[place]
