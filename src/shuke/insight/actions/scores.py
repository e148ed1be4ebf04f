"""What the members' scores were, what they are now, and who moved between the two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np

from shuke.engine.insight import lifecycle, pyramid
from shuke.engine.insight.standing import Members
from shuke.kit import bulk, ids
from shuke.shops.models import Merchant

_CHUNK = 20_000
_TABLE = "insight_member_score"
# Column of the table, in the order of `_rows`; `day` says when the row last changed.
_COLUMNS = (
    "first_paid_at",
    "last_paid_at",
    "order_count",
    "order_days",
    "year_order_days",
    "net_minor",
    "year_net_minor",
    "refunded_minor",
    "usual_gap_days",
    "r5",
    "f5",
    "m5",
    "rfm",
    "layer",
    "stage",
    "bond",
)
_MOVING = {"rfm": 12, "layer": 13, "stage": 14}


class Move(NamedTuple):
    member: int
    what: str  # rfm | layer | stage
    before: str  # "" = in none
    after: str


def write(*, merchant: Merchant, members: Members, day: date) -> list[Move]:
    """Bring MemberScore to `members`, writing only rows that differ, and say who moved. One transaction of the caller.

    Rows of people who are no longer members (merged, erased, undone) go away.
    """
    moved: list[Move] = []
    moment = bulk.moment()
    for low, high in _chunks(members.member):
        known = _known(merchant, int(members.member[low]), int(members.member[high - 1]))
        fresh, changed = [], []
        for member, row in zip(members.member[low:high].tolist(), _rows(members, low, high), strict=True):
            before = known.get(member)
            if before == row:
                continue
            stored = (_when(row[0], moment), _when(row[1], moment), *row[2:])
            if before is None:
                fresh.append((member, merchant.id, day.isoformat(), *stored))
            else:
                changed.append((day.isoformat(), *stored, member))
            moved += _moves(member, before or _NOBODY, row)
        bulk.insert(_TABLE, ("member_id", "merchant_id", "day", *_COLUMNS), fresh)
        bulk.update(_TABLE, ("day", *_COLUMNS), changed, key="member_id")
    bulk.execute(
        f"DELETE FROM {_TABLE} WHERE merchant_id = %s AND member_id IN "
        "(SELECT id FROM members_member WHERE merchant_id = %s AND state <> 'active')",
        [merchant.id, merchant.id],
    )
    return moved


def between(before: Members, after: Members) -> list[Move]:
    """Who moved from one day to another, without asking the database. Members of `before` who have gone are left out."""
    at = np.searchsorted(before.member, after.member)
    known = at < before.member.size
    known[known] = before.member[at[known]] == after.member[known]
    then = np.where(known, at, 0)
    moved: list[Move] = []
    for what, was, has, name in (
        ("rfm", before.rfm, after.rfm, _class_name),
        ("layer", before.layer, after.layer, pyramid.LAYERS.__getitem__),
        ("stage", before.stage, after.stage, _stage_name),
    ):
        old = was[then] if was.size else np.zeros(has.size, dtype=has.dtype)
        differs = np.where(known, old != has, [name(int(code)) != "" for code in has])
        for i in np.flatnonzero(differs).tolist():
            moved.append(Move(int(after.member[i]), what, name(int(old[i])) if known[i] else "", name(int(has[i]))))
    return moved


def _moves(member: int, before: tuple, after: tuple) -> list[Move]:
    return [Move(member, what, before[i], after[i]) for what, i in _MOVING.items() if before[i] != after[i]]


def _class_name(code: int) -> str:
    return str(code) if code else ""


def _stage_name(code: int) -> str:
    return lifecycle.STAGES[code] if code >= 0 else ""


def movement_rows(merchant: Merchant, moved: list[Move], day: date) -> list[tuple]:
    fresh = ids.take(len(moved))
    return [
        (id_, merchant.id, move.member, day.isoformat(), move.what, move.before, move.after)
        for id_, move in zip(fresh, moved, strict=True)
    ]


_NOBODY = (0, 0, 0, 0, 0, 0, 0, 0, None, None, None, None, "", "", "", "")


def _chunks(member: np.ndarray) -> Iterator[tuple[int, int]]:
    for low in range(0, member.size, _CHUNK):
        yield low, min(low + _CHUNK, member.size)


def _rows(members: Members, low: int, high: int) -> Iterator[tuple]:
    """One tuple per member, times as seconds, in the order of `_COLUMNS`."""
    part = slice(low, high)
    gap = np.round(members.usual_gap[part], 2)
    return zip(
        members.first_s[part].tolist(),
        members.last_s[part].tolist(),
        members.orders[part].tolist(),
        members.order_days[part].tolist(),
        members.window_days[part].tolist(),
        members.net[part].tolist(),
        members.window_net[part].tolist(),
        members.refunded[part].tolist(),
        [None if value != value else value for value in gap.tolist()],
        [value or None for value in members.r5[part].tolist()],
        [value or None for value in members.f5[part].tolist()],
        [value or None for value in members.m5[part].tolist()],
        [_class_name(code) for code in members.rfm[part].tolist()],
        [pyramid.LAYERS[code] for code in members.layer[part].tolist()],
        [_stage_name(code) for code in members.stage[part].tolist()],
        [pyramid.BONDS[code] for code in members.bond[part].tolist()],
        strict=True,
    )


def _known(merchant: Merchant, first: int, last: int) -> dict[int, tuple]:
    """The rows there are, times as seconds, in the order of `_COLUMNS`."""
    epoch = "COALESCE({}, 0)".format(
        "FLOOR(EXTRACT(EPOCH FROM {}))::bigint" if bulk.is_postgres() else "CAST(strftime('%%s', {}) AS INTEGER)"
    )
    listed = ", ".join((epoch.format(_COLUMNS[0]), epoch.format(_COLUMNS[1]), *_COLUMNS[2:]))
    rows = bulk.select(
        f"SELECT member_id, {listed} FROM {_TABLE} WHERE merchant_id = %s AND member_id BETWEEN %s AND %s",
        [merchant.id, first, last],
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def _when(seconds: int, moment) -> object:  # type: ignore[no-untyped-def] # kit.bulk's writer of instants
    return moment(datetime.fromtimestamp(seconds, UTC)) if seconds else None
