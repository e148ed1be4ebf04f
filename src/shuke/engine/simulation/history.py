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

from shuke.engine.charter.terms import Rule
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Birthdays

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
    """What was bought: positions of purchase and product, amounts. Sorted by purchase."""

    purchase: np.ndarray
    product: np.ndarray  # 0: goods nobody knows
    amount: np.ndarray
    refunded: np.ndarray


def no_lines() -> Lines:
    return Lines(*(np.zeros(0, np.int64) for _ in range(4)))


@dataclass(slots=True)
class History:
    """All members of a shop with all that ever happened to their books."""

    members: np.ndarray
    joined: np.ndarray
    birthdays: list[list[Any]]  # of each member: [since in microseconds or None, month, day, lunar]
    kinds: dict[str, Rows] = field(default_factory=dict)
    lines: Lines = field(default_factory=no_lines)
    products: list[tuple[str, str, str]] = field(default_factory=lambda: [("", "", "")])  # category, code, brand

    @property
    def purchases(self) -> int:
        rows = self.kinds.get("Purchase")
        return 0 if rows is None else len(rows.owner)

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
                made = [p._replace(lines=goods.of(low + i)) for i, p in enumerate(made)] if goods.any else made
            for owner, event in zip(rows.owner[low:high].tolist(), made, strict=True):
                found[owner].append(event)
        for n in range(first, stop):
            birthdays = [(None if s is None else _moment(s), (m, d, lunar)) for s, m, d, lunar in self.birthdays[n]]
            yield Life(int(self.members[n]), _moment(int(self.joined[n])), birthdays, found.pop(n, []))


class Goods:
    """The lines of each purchase, those that all rules treat alike as one: what settling reads from the database."""

    def __init__(self, history: History, rules: Sequence[Rule]) -> None:
        self.any = bool(rules) and bool(len(history.lines.purchase))
        if not self.any:
            return
        lines = history.lines
        if len(rules) > 60:  # as loyalty.queries.facts has it: every product is a class of its own
            kinds = np.arange(len(history.products), dtype=np.int64)
        else:
            kinds = np.array([_bits(rules, *goods) for goods in history.products], np.int64)
        kind = kinds[lines.product]
        order = np.lexsort((kind, lines.purchase))
        purchase, kind = lines.purchase[order], kind[order]
        starts = np.flatnonzero(np.r_[True, (purchase[1:] != purchase[:-1]) | (kind[1:] != kind[:-1])])
        self._purchase = purchase[starts]
        self._amount = np.add.reduceat(lines.amount[order], starts).tolist()
        self._refunded = np.add.reduceat(lines.refunded[order], starts).tolist()
        # 0 stands for goods nobody knows; one of known goods speaks for the class, as MIN leaves out NULL.
        product = lines.product[order].astype(np.int64)
        product[product == 0] = _NOBODY
        spokesman = np.minimum.reduceat(product, starts)
        spokesman[spokesman == _NOBODY] = 0
        self._product = spokesman.tolist()
        self._goods = history.products
        self._from = np.searchsorted(self._purchase, np.arange(history.purchases + 1)).tolist()

    def of(self, purchase: int) -> tuple[ev.GoodsLine, ...]:
        low, high = self._from[purchase], self._from[purchase + 1]
        return tuple(
            ev.GoodsLine(self._amount[i], self._refunded[i], *self._goods[self._product[i]]) for i in range(low, high)
        )


def _bits(rules: Sequence[Rule], category: str, code: str, brand: str) -> int:
    """One bit per rule that chooses these goods. Goods without a row in the catalogue have nothing to be chosen by."""
    return sum(
        1 << i
        for i, rule in enumerate(rules)
        if any(category == c or category.startswith(c + "/") for c in rule.categories)
        or code in rule.products
        or brand in rule.brands
    )


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
    return "other", [_plain(v) for v in values]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": ticks(value)}
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
        if how == "instant":
            part = kept[low:high].tolist()
            fields.append([None if t == NEVER else EPOCH + timedelta(microseconds=t) for t in part])
        elif how == "number":
            fields.append(kept[low:high].tolist())
        elif how == "text":
            places, words = kept
            fields.append([words[n] for n in places[low:high].tolist()])
        else:
            fields.append([_value(v) for v in kept[low:high]])
    return [made(*values) for values in zip(*fields, strict=True)]


# -- the file -------------------------------------------------------------------------------------------------------------


def save(history: History, path: Path) -> None:
    """Whole or not at all."""
    arrays: dict[str, np.ndarray] = {"members": history.members, "joined": history.joined}
    kinds: dict[str, dict[str, Any]] = {}
    for kind, rows in history.kinds.items():
        arrays[f"{kind}/owner"] = rows.owner
        fields: dict[str, Any] = {}
        for name, (how, kept) in rows.columns.items():
            fields[name] = [how, None]
            if how == "other":
                fields[name][1] = kept
            elif how == "text":
                arrays[f"{kind}/{name}"], fields[name][1] = kept
            else:
                arrays[f"{kind}/{name}"] = kept
        kinds[kind] = fields
    for name in Lines.__slots__:
        arrays[f"lines/{name}"] = getattr(history.lines, name)
    told = {"birthdays": history.birthdays, "products": history.products, "kinds": kinds}
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
            columns: dict[str, tuple[str, Any]] = {}
            for name, (how, kept) in fields.items():
                if how == "other":
                    columns[name] = (how, kept)
                elif how == "text":
                    columns[name] = (how, (arrays[f"{kind}/{name}"], kept))
                else:
                    columns[name] = (how, arrays[f"{kind}/{name}"])
            kinds[kind] = Rows(arrays[f"{kind}/owner"], columns)
        return History(
            arrays["members"],
            arrays["joined"],
            told["birthdays"],
            kinds,
            Lines(*(arrays[f"lines/{name}"] for name in Lines.__slots__)),
            [(c, p, b) for c, p, b in told["products"]],
        )
