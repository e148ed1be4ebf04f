"""All members of a merchant as lists filter and sort them, in memory and up to this moment: who lives, where, since when, tier, points.

A process reads everybody once (from the file that the night left, else from the tables: two seconds a million), and from then on only
those who were touched since (queries/touched.py). Of a million members 40 MB.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from django.db import connection

from shuke.insight.queries import kept_rows, touched
from shuke.insight.queries.coded import Texts, fetch, seconds
from shuke.insight.queries.cut_points import mark_of
from shuke.insight.queries.kept_rows import places
from shuke.insight.queries.score_columns import latest
from shuke.kit import bulk
from shuke.shops.models import Merchant

TABLE = "members_at_hand"  # the name of the file; there is no such table
NUMBERS = ("member", "joined", "store", "alive", "points")
TEXTS = ("source", "tier")
NO_ACCOUNT = -1  # points
_DEAR = 8  # so much longer it takes to look a member up than to read one after the other
_MOST = 16  # merchants at once


@dataclass(frozen=True, eq=False)
class Crowd:
    """Columns side by side, ids ascending; nothing in them is ever changed."""

    member: np.ndarray  # int64
    joined: np.ndarray  # seconds since 1970, UTC
    store: np.ndarray  # home store; 0: none
    alive: np.ndarray  # bool: neither merged, nor undone, nor forgotten
    points: np.ndarray  # balance; NO_ACCOUNT
    source: Texts  # how they came
    tier: Texts  # "": none, or no account

    def columns(self) -> dict[str, np.ndarray]:
        """As a file has them (`of_columns`)."""
        found = {name: getattr(self, name) for name in NUMBERS}
        for name in TEXTS:
            values, code = getattr(self, name)
            found |= {f"{name}_code": code, f"{name}_values": np.array(values)}
        return found

    def place(self, ids: Any) -> np.ndarray:
        """bool of each member: whether the id is among these (any order, any ids)."""
        wanted = np.unique(np.asarray(ids, np.int64))
        at, there = places(self.member, wanted)
        found = np.zeros(self.member.size, bool)
        found[at[there]] = True
        return found


class Held(NamedTuple):
    """A crowd, and how far the log was read for it."""

    seen: touched.Seen
    crowd: Crowd


_held: OrderedDict[int, Held] = OrderedDict()
_lock = threading.Lock()


def crowd(merchant: Merchant) -> Crowd:
    """Everybody, as the database has them now."""
    if connection.in_atomic_block:  # what is not committed is nothing to keep
        return _read(merchant)
    with _lock:
        found = _held.get(merchant.pk)
    current = touched.now()
    if found is None or not touched.stands(found.seen):
        found = _from_file(merchant)
    now = _read(merchant) if found is None else _caught_up(merchant, *found)
    if current is not None:
        with _lock:
            _held[merchant.pk] = Held(current, now)
            _held.move_to_end(merchant.pk)
            while len(_held) > _MOST:
                _held.popitem(last=False)
    return now


def _caught_up(merchant: Merchant, seen: touched.Seen, before: Crowd) -> Crowd:
    """The same with those who were touched since as they are now."""
    changed = touched.since(merchant, seen)
    if changed.size * _DEAR > before.member.size + 100 * _DEAR:
        return _read(merchant)
    if not changed.size:
        return before
    fresh = _read(merchant, changed)
    after = with_these(before, fresh)
    gone = np.setdiff1d(changed, fresh.member, assume_unique=True)
    left = after.alive & ~after.place(gone) if gone.size else after.alive
    return after if np.array_equal(left, after.alive) else replace(after, alive=left)


def _from_file(merchant: Merchant) -> Held | None:
    """As the latest night left them, if the log still tells all that came after."""
    snapshot = latest(merchant)
    path = kept_rows.path(merchant, TABLE)
    found = kept_rows.taken(path, f"{kept_rows.FORMAT} {mark_of(snapshot)}") if snapshot else None
    if found is None:
        return None
    seen = touched.Seen(*found["seen"].tolist())
    return Held(seen, of_columns(found)) if touched.stands(seen) else None


def of_columns(found: Mapping[str, np.ndarray]) -> Crowd:
    columns: dict[str, Any] = {name: found[name] for name in NUMBERS}
    columns |= {name: Texts(found[f"{name}_values"].tolist(), found[f"{name}_code"]) for name in TEXTS}
    return Crowd(**columns)


def _read(merchant: Merchant, only: np.ndarray | None = None) -> Crowd:
    """From the tables; only: members of these ids, a few thousand at a time."""
    parts = [None] if only is None else np.array_split(only, -(-only.size // 5_000))
    found = [_rows(merchant, part) for part in parts]
    return found[0] if len(found) == 1 else of_columns(_one_below_the_other(found))


def _rows(merchant: Merchant, only: np.ndarray | None) -> Crowd:
    sql = (
        f"SELECT m.id, {seconds('m.joined_at')}, COALESCE(m.home_store_id, 0), CASE m.state WHEN 'active' THEN 1 ELSE 0 END, "
        f"COALESCE(w.balance, {NO_ACCOUNT}), m.acquired_by, COALESCE(w.tier, '') "
        "FROM members_member m LEFT JOIN loyalty_wallet w ON w.member_id = m.id WHERE "
    )
    parameters: list[Any] = [merchant.pk]
    if only is None:
        # The plus keeps SQLite from an index: both tables are read side by side in the order of members.
        sql += "+m.merchant_id = %s ORDER BY m.id"
    else:
        condition, ids = bulk.among("m.id", only.tolist())
        sql += f"m.merchant_id = %s AND {condition} ORDER BY m.id"
        parameters.append(ids)
    (member, joined, store, alive, points), (source, tier) = fetch(sql, parameters, len(NUMBERS), len(TEXTS))
    return Crowd(member, joined, store, alive.astype(bool), points, source, tier)


def with_these(before: Crowd, fresh: Crowd) -> Crowd:
    """The same with the rows of these members in place of their earlier ones, or added."""
    at, there = places(before.member, fresh.member)
    if not there.all():
        before = _with_newcomers(before, fresh, ~there)
        at, there = places(before.member, fresh.member)
    elif _says_the_same(before, at, fresh):
        return before
    changed: dict[str, Any] = {}
    for name in NUMBERS[1:]:
        changed[name] = _put(getattr(before, name), at, getattr(fresh, name))
    for name in TEXTS:
        known, told = getattr(before, name), getattr(fresh, name)
        values, code = _in_words_of(known.values, told)
        changed[name] = Texts(values, _put(known.code, at, code))
    return replace(before, **changed)


def _says_the_same(before: Crowd, at: np.ndarray, fresh: Crowd) -> bool:
    """Whether nothing is new: on PostgreSQL rows of the log are read again as long as an older transaction is open."""

    def words(texts: Texts, code: np.ndarray) -> list[str]:
        return [texts.values[one] for one in code.tolist()]

    numbers = all(np.array_equal(getattr(before, name)[at], getattr(fresh, name)) for name in NUMBERS)
    return numbers and all(
        words(getattr(before, name), getattr(before, name).code[at])
        == words(getattr(fresh, name), getattr(fresh, name).code)
        for name in TEXTS
    )


def _with_newcomers(before: Crowd, fresh: Crowd, new: np.ndarray) -> Crowd:
    """Rows of nobody in particular at the places of newcomers; `with_these` fills them."""
    ids = np.concatenate([before.member, fresh.member[new]])
    order = np.argsort(ids, kind="stable")
    blank = np.zeros(int(new.sum()), np.int64)

    def longer(column: np.ndarray) -> np.ndarray:
        return np.concatenate([column, blank.astype(column.dtype)])[order]

    columns: dict[str, Any] = {name: longer(getattr(before, name)) for name in NUMBERS[1:]}
    columns |= {name: Texts(getattr(before, name).values, longer(getattr(before, name).code)) for name in TEXTS}
    return Crowd(member=ids[order], **columns)


def _put(column: np.ndarray, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A changed column, wide enough for what is put in."""
    found = column.astype(np.promote_types(column.dtype, values.dtype))
    found[at] = values
    return found


def _in_words_of(values: list[str], told: Texts) -> tuple[list[str], np.ndarray]:
    """The texts there are, those of `told` added, and what `told` says by their places."""
    every = [*values, *(word for word in told.values if word not in values)]
    place = {word: i for i, word in enumerate(every)}
    return every, np.array([place[word] for word in told.values], np.int32)[told.code]


def _one_below_the_other(parts: list[Crowd]) -> dict[str, np.ndarray]:
    """Columns of parts whose ids ascend from one to the next."""
    found = {name: np.concatenate([getattr(one, name) for one in parts]) for name in NUMBERS}
    for name in TEXTS:
        values: list[str] = [""]
        codes = []
        for one in parts:
            values, code = _in_words_of(values, getattr(one, name))
            codes.append(code)
        found |= {f"{name}_code": np.concatenate(codes), f"{name}_values": np.array(values)}
    return found
