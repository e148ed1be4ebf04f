"""Who moved, as rows, and as lines of timelines so that care can act on a change of stage. A past day notes nobody twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
from django.db import transaction

from shuke.insight.actions.scores import WHATS, Move, Moves, movement_rows, place_name
from shuke.insight.models import Movement
from shuke.insight.queries.order_columns import fetch
from shuke.kit import bulk, clock, ids
from shuke.members.actions import note_alike
from shuke.shops.models import Merchant

_AT_ONCE = 50_000
_TABLE = "insight_movement"
_COLUMNS = ("id", "merchant_id", "member_id", "day", "what", "before", "after")
_STAGE = WHATS.index("stage")  # classes and layers are not noted: they change more often than anybody wants to read
Went = dict[tuple[int, str], tuple[str, str]]  # by member and what: before, after


def move(merchant: Merchant, moved: list[Move], day: date, now: datetime, *, earlier: Went) -> None:
    """Write who moved on a day, on top of what an earlier run of the same day had written of the same people."""
    if earlier:
        condition, parameter = bulk.among("member_id", {member for member, _what in earlier})
        bulk.execute(
            f"DELETE FROM {_TABLE} WHERE +merchant_id = %s AND {condition} AND day = %s",
            [merchant.pk, parameter, day.isoformat()],
        )
        moved = _whole_day(moved, earlier)
    bulk.insert(_TABLE, _COLUMNS, movement_rows(merchant, moved, day))
    told = {(member, *went) for (member, what), went in earlier.items() if what == "stage"}
    noted = [(one.member, one.before, one.after) for one in moved if one.what == "stage"]
    _note(merchant, [(who, (day, was, has)) for who, was, has in noted if (who, was, has) not in told], now)


def _whole_day(moved: list[Move], earlier: Went) -> list[Move]:
    """Movement of the whole day: what this run changed, on top of what an earlier run of the same day had changed."""
    whole = dict(earlier)
    for one in moved:
        before = whole.get((one.member, one.what), (one.before,))[0]
        whole[one.member, one.what] = (before, one.after)
    return [Move(member, what, before, after) for (member, what), (before, after) in whole.items() if before != after]


class History:
    """Who moved on many days of the past. All of it is written at once, member by member: day by day, each would go through
    the whole of the indexes."""

    def __init__(self) -> None:
        self._days: list[date] = []
        self._moves: list[Moves] = []

    def add(self, day: date, moves: Moves) -> None:
        self._days.append(day)
        self._moves.append(moves)

    def write(self, merchant: Merchant, now: datetime) -> None:
        """A part is written with its lines or not at all; what a killed run had written stays."""
        moves = Moves.together(self._moves)
        day = np.repeat(np.arange(len(self._moves), dtype=np.int16), [one.member.size for one in self._moves])
        order = np.lexsort((moves.what, day, moves.member))
        moves, day = Moves(*(column[order] for column in moves)), day[order]
        fresh = np.flatnonzero(~self._written(merchant, moves, day))
        for low in range(0, fresh.size, _AT_ONCE):
            part = fresh[low : low + _AT_ONCE]
            with transaction.atomic():
                self._write(merchant, Moves(*(column[part] for column in moves)), day[part], now)

    def _write(self, merchant: Merchant, moves: Moves, day: np.ndarray, now: datetime) -> None:
        texts = [one.isoformat() for one in self._days]
        member, what, before, after = (column.tolist() for column in moves)
        places: dict[tuple[int, int], str] = {}
        for kind in range(len(WHATS)):
            mine = moves.what == kind
            codes = {*np.unique(moves.before[mine]).tolist(), *np.unique(moves.after[mine]).tolist()}
            places |= {(kind, code): place_name(kind, code) for code in codes}
        rows = [
            (id_, merchant.pk, who, texts[on], WHATS[kind], places[kind, was], places[kind, has])
            for id_, who, on, kind, was, has in zip(
                ids.take(len(member)), member, day.tolist(), what, before, after, strict=True
            )
        ]
        bulk.insert(_TABLE, _COLUMNS, rows)
        lines = [
            (who, (self._days[on], places[kind, was], places[kind, has]))
            for who, on, kind, was, has in zip(member, day.tolist(), what, before, after, strict=True)
            if kind == _STAGE
        ]
        _note(merchant, lines, now)

    def _written(self, merchant: Merchant, moves: Moves, day: np.ndarray) -> np.ndarray:
        """Which of these are there already."""
        if not self._days or not Movement.objects.filter(merchant=merchant, day__in=self._days).exists():
            return np.zeros(day.size, dtype=bool)
        days = " ".join(f"WHEN '{one.isoformat()}' THEN {number}" for number, one in enumerate(self._days))
        whats = " ".join(f"WHEN '{one}' THEN {number}" for number, one in enumerate(WHATS))
        kept = fetch(
            f"SELECT member_id, CASE day {days} ELSE -1 END, CASE what {whats} ELSE -1 END FROM {_TABLE} WHERE merchant_id = %s",
            [merchant.pk],
            ("member", "day", "what"),
        )
        people = np.unique(np.concatenate((moves.member, kept["member"])))

        def key(member: np.ndarray, on: np.ndarray, what: np.ndarray) -> np.ndarray:
            return (np.searchsorted(people, member) * (len(self._days) + 1) + on + 1) * len(WHATS) + what

        return np.isin(key(moves.member, day, moves.what), key(kept["member"], kept["day"], kept["what"]))


def _note(merchant: Merchant, lines: list[tuple[int, tuple[date, str, str]]], now: datetime) -> None:
    """Lines of members: on which day they went from which stage to which."""
    forms = {form: number for number, form in enumerate(dict.fromkeys(form for _member, form in lines))}
    said = []
    for day, before, after in forms:
        at = clock.day_start(day + timedelta(days=1), merchant.tz) - timedelta(seconds=1)
        said.append((at, f"day:{day.isoformat()}", {"before": before, "after": after}))
    note_alike(
        merchant=merchant, kind="stage.changed", forms=said, lines=[(who, forms[form]) for who, form in lines], now=now
    )
