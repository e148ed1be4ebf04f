"""What the members' scores were, what they are now, and who moved between the two.

A million rows are compared as columns of whole numbers. Of a row only the columns that differ are written, all rows together of which
the same ones do: on the day on which cut points are refreshed the usual gap of nearly everybody becomes another by a little, and an
update that named more columns would go through the indexes of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple, Self

import numpy as np

from shuke.engine.insight import lifecycle, pyramid
from shuke.engine.insight.port import Columns
from shuke.engine.insight.standing import Members
from shuke.insight.actions import kept_rows
from shuke.insight.actions.differing import alike
from shuke.insight.queries.kept_rows import places
from shuke.insight.queries.score_columns import COLUMNS as _COLUMNS
from shuke.insight.queries.score_columns import TABLE as _TABLE
from shuke.insight.queries.score_columns import read
from shuke.kit import bulk, ids
from shuke.shops.models import Merchant

_CHUNK = 20_000
_COUNTED, _GAP, _R5, _M5, _RFM, _LAYER, _STAGE, _BOND = 2, 8, 9, 11, 12, 13, 14, 15
_NAMES = {_LAYER: pyramid.LAYERS, _STAGE: lifecycle.STAGES, _BOND: pyramid.BONDS}  # as in score_columns.NAMES
_NOTHING = np.array([0] * 8 + [-1] + [0] * 4 + [-1] * 3, dtype=np.int64)  # as `_codes` has it, of nobody
WHATS = ("rfm", "layer", "stage")
_MOVING = (_RFM, _LAYER, _STAGE)  # the columns of WHATS


class Move(NamedTuple):
    member: int
    what: str  # rfm | layer | stage
    before: str  # "" = in none
    after: str


class Moves(NamedTuple):
    """The same by columns, of any number of people: `what` is a place in WHATS, before and after are codes of `place_name`."""

    member: np.ndarray
    what: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @classmethod
    def together(cls, parts: list[Self]) -> Moves:
        nothing = (np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.int16), np.empty(0, np.int16))
        return Moves(*(np.concatenate(column) for column in zip(nothing, *parts, strict=True)))

    def named(self) -> list[Move]:
        return [
            Move(member, WHATS[what], place_name(what, before), place_name(what, after))
            for member, what, before, after in zip(*(column.tolist() for column in self), strict=True)
        ]

    def counted(self) -> Counter[tuple[str, str, str]]:
        """How many went from where to where: by what, before, after."""
        key = (self.what.astype(np.int64) * 1_000 + self.before + 1) * 1_000 + self.after + 1
        found: Counter[tuple[str, str, str]] = Counter()
        for one, count in zip(*(column.tolist() for column in np.unique(key, return_counts=True)), strict=True):
            what, before, after = one // 1_000_000, one // 1_000 % 1_000 - 1, one % 1_000 - 1
            found[WHATS[what], place_name(what, before), place_name(what, after)] = count
        return found


def place_name(what: int, code: int) -> str:
    if what == 0:
        return str(code) if code else ""
    return _NAMES[_MOVING[what]][code] if code >= 0 else ""


def chunks(members: Members) -> Iterator[tuple[int, int]]:
    for low in range(0, members.member.size, _CHUNK):
        yield low, min(low + _CHUNK, members.member.size)


def write(
    *, merchant: Merchant, members: Members, low: int, high: int, day: date, copy: Columns | None = None
) -> Moves:
    """Bring MemberScore to those of `members` from `low` below `high`, writing only rows that differ, and say who moved.

    copy: what the rows of all members say, where that is known (`score_columns.copied`).
    """
    member, now = members.member[low:high], _codes(members, low, high)
    first, last = int(member[0]), int(member[-1])
    there_now = read(merchant, first, last) if copy is None else _between(copy, first, last)
    known, kept = there_now["member"], np.stack([there_now[name].astype(np.int64) for name in _COLUMNS], axis=1)
    at, there = places(known, member)
    before = np.where(there[:, None], kept[at], _NOTHING) if known.size else np.tile(_NOTHING, (member.size, 1))
    bulk.insert(
        _TABLE,
        ("member_id", "merchant_id", "day", *_COLUMNS),
        [
            (one, merchant.pk, day.isoformat(), *row)
            for one, row in zip(member[~there].tolist(), _rows(now[~there]), strict=True)
        ],
    )
    for rows, listed in alike((before != now) & there[:, None]):
        values = zip(*_texts(now[rows], listed), member[rows].tolist(), strict=True)
        names = ("day", *(_COLUMNS[column] for column in listed))
        bulk.update(_TABLE, names, [(day.isoformat(), *row) for row in values], key="member_id")
    return _moves(member, [(before[:, column], now[:, column]) for column in _MOVING])


def leave_out(merchant: Merchant) -> None:
    """Rows of people who are no longer members (merged, erased, undone) go away."""
    bulk.execute(
        f"DELETE FROM {_TABLE} WHERE merchant_id = %s AND member_id IN "
        "(SELECT id FROM members_member WHERE merchant_id = %s AND state <> 'active')",
        [merchant.id, merchant.id],
    )


def between(before: Members, after: Members) -> Moves:
    """Who moved from one day to another, without asking the database. Members of `before` who have gone are left out."""
    at = np.minimum(np.searchsorted(before.member, after.member), max(before.member.size - 1, 0))
    known = before.member[at] == after.member if before.member.size else np.zeros(after.member.size, dtype=bool)

    def then(values: np.ndarray, nobody: int) -> np.ndarray:
        return np.where(known, values[at], nobody) if values.size else np.full(known.size, nobody)

    pairs = [
        (then(before.rfm, 0), after.rfm),
        (then(before.layer, -1), after.layer),
        (then(before.stage, -1), after.stage),
    ]
    return _moves(after.member, pairs)


def _moves(member: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]) -> Moves:
    """Of each of WHATS the codes before and after, side by side with the members."""
    found = []
    for what, (was, has) in enumerate(pairs):
        rows = np.flatnonzero(was != has)
        kind = np.full(rows.size, what, np.int8)
        found.append(Moves(member[rows], kind, was[rows].astype(np.int16), has[rows].astype(np.int16)))
    return Moves.together(found)


def movement_rows(merchant: Merchant, moved: list[Move], day: date) -> Iterator[tuple]:
    fresh, on = ids.take(len(moved)), day.isoformat()
    for id_, move in zip(fresh, moved, strict=True):
        yield (id_, merchant.id, move.member, on, move.what, move.before, move.after)


def _codes(members: Members, low: int, high: int) -> np.ndarray:
    """One row of whole numbers per member, in the order of `_COLUMNS`; gaps in hundredths of a day, -1 for none."""
    part = slice(low, high)
    gap = np.nan_to_num(np.rint(members.usual_gap[part] * 100), nan=-1)
    columns = (
        members.first_s, members.last_s, members.orders, members.order_days, members.window_days, members.net, members.window_net,
        members.refunded,
    )  # fmt: skip
    places = (members.r5, members.f5, members.m5, members.rfm, members.layer, members.stage, members.bond)
    listed = [*(one[part] for one in columns), gap, *(one[part] for one in places)]
    return np.stack([one.astype(np.int64) for one in listed], axis=1)


def _rows(codes: np.ndarray) -> Iterator[tuple]:
    """As the table has them, in the order of `_COLUMNS`."""
    return zip(*_texts(codes, range(len(_COLUMNS))), strict=True)


def _texts(codes: np.ndarray, listed: Iterable[int]) -> Iterator[list]:
    """Some columns of `codes` as the table has them."""
    for column in listed:
        values = codes[:, column].tolist()
        if column < _COUNTED:
            moment = bulk.moment()
            yield [moment(datetime.fromtimestamp(seconds, UTC)) if seconds else None for seconds in values]
        elif column == _GAP:
            yield [None if gap < 0 else gap / 100 for gap in values]
        elif _R5 <= column <= _M5:
            yield [fifth or None for fifth in values]
        elif column == _RFM:
            yield [str(code) if code else "" for code in values]
        elif column in _NAMES:
            yield [_NAMES[column][code] if code >= 0 else "" for code in values]
        else:
            yield values


def _between(copy: Columns, first: int, last: int) -> Columns:
    low, high = np.searchsorted(copy["member"], (first, last + 1)).tolist()
    return {name: values[low:high] for name, values in copy.items()}


def leave_copy(merchant: Merchant, members: Members, mark: str) -> None:
    """All rows are as `members` has them: the next night need not read them."""
    codes = _codes(members, 0, members.member.size)
    kept_rows.leave(
        merchant, _TABLE, mark, {"member": members.member} | {name: codes[:, i] for i, name in enumerate(_COLUMNS)}
    )
