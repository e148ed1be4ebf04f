"""All purchases of a shop held as columns, which answer the analyses of growth and cohorts for many questions in one reading.

The SQL texts `growth_sales`, `growth_spans` and `cohorts` say what the answers are, on any engine; each reads all orders. A night
wants some thirty answers about the same orders, so here they are sorted once and the rest is counting. Same figures, which
tests/engine/insight/test_purchases.py demands; spans come as sums by day (`spans.sql` does the same) rather than one by one.

`Purchases` stands in for an engine where `growth.grown` and `growth.cohorts` ask one. Stretches must ascend with the days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from shuke.engine.insight.port import Columns

COLUMNS = ("member", "store", "day", "paid_s", "net", "items_milli", "counted")  # of the table `heads`
_NEVER = 1_000_000
_NEAR = 200  # days


class _Visits(NamedTuple):
    """Who bought on which days in which part of the shop, for how much, in that order."""

    who: np.ndarray
    part: np.ndarray
    day: np.ndarray
    net: np.ndarray

    def since(self, day: int) -> _Visits:
        rows = np.flatnonzero(self.day >= day)
        return _Visits(*(column[rows] for column in self))

    def begins(self, then: np.ndarray) -> np.ndarray:
        """Where a member, a part or `then` is another than in the row before."""
        new = np.ones(self.who.size, dtype=bool)
        new[1:] = (self.who[1:] != self.who[:-1]) | (self.part[1:] != self.part[:-1]) | (then[1:] != then[:-1])
        return new


class _Division:
    """The purchases by parts of the shop: sums by part and day, visits of members, and in which part they began.

    whole: all members together, where all of them bought in the one part `only`; then nobody is counted twice over.
    """

    def __init__(
        self,
        count: int,
        sums: Columns,
        visits: _Visits,
        begun: tuple[np.ndarray, np.ndarray],
        whole: _Division | None = None,
        only: int = 0,
    ) -> None:
        self.count = count
        self.visits, self.sums, self.begun = visits, sums, begun
        self.whole, self.only = whole, only
        self.kept: dict[tuple, Columns] = {}  # answers, by question
        self._recent: tuple[int, _Visits] | None = None

    def recent(self, day: int) -> _Visits:
        """Visits from that day on, and perhaps some before it: several questions ask about the last year."""
        if self._recent is None or not 0 <= day - self._recent[0] <= _NEAR:
            self._recent = day, self.visits.since(day)
        return self._recent[1]


class Purchases:
    def __init__(self, heads: Columns, member: np.ndarray, joined: np.ndarray, *, as_of: int) -> None:
        """`heads` with COLUMNS; members as they are in `growth.Parts`. Orders after the day `as_of` are left out."""
        self._order = np.argsort(member, kind="stable")
        ids, here = member[self._order], joined[self._order] <= as_of
        rows = (heads["counted"] == 1) & (heads["day"] <= as_of)
        whose, paid = heads["member"][rows], heads["paid_s"][rows].astype(np.int64)
        at = np.minimum(np.searchsorted(ids, whose), max(ids.size - 1, 0))
        who = np.where((ids[at] == whose) & here[at], at, -1) if ids.size else np.full(whose.size, -1, np.int64)
        paid -= paid.min(initial=0)
        order = np.argsort(who * (int(paid.max(initial=0)) + 1) + paid, kind="stable")
        self._who, self._paid = who[order], paid[order]
        self._day, self._store, self._net, self._items = (
            heads[name][rows][order].astype(np.int64) for name in ("day", "store", "net", "items_milli")
        )
        self._known = self._who >= 0
        self._as_of = as_of
        self._low = int(self._day.min(initial=as_of))
        # Rows are in the order of payment: the first of a member is the first purchase.
        firsts = np.flatnonzero(self._known & np.append(True, self._who[1:] != self._who[:-1])[: self._who.size])
        self._first_day, self._first_paid = np.full((2, ids.size), _NEVER, dtype=np.int64)
        self._first_day[self._who[firsts]], self._first_paid[self._who[firsts]] = self._day[firsts], self._paid[firsts]
        self._slot_of, self._slots = np.empty(0, np.int32), 0
        self._stores: Mapping[str, np.ndarray] = {}
        self._units: Mapping[str, np.ndarray] = {}
        self._divisions: dict[int, _Division] = {}
        self._whole: _Division | None = None
        self._stays: dict[bytes, tuple[np.ndarray, ...]] = {}  # by how the days are divided

    def table(self, name: str, columns: Mapping[str, np.ndarray]) -> None:
        if name == "buckets":
            self._divide_days(columns["day"], columns["bucket"])
        elif name == "store_units":
            if self._stores.get("unit") is not columns["unit"]:
                self._stores = columns
                self._divisions.clear()
        elif self._units.get("unit") is not columns["unit"]:
            self._units = columns
            self._divisions.clear()

    def run(self, name: str, **parameters: int | float) -> Columns:
        division = self._division(int(parameters["by_member"]))
        if name == "growth_sales":
            return self._sales(division)
        if name == "growth_spans":
            active, window = int(parameters["active_days"]), int(parameters["window_days"])
            return self._answer(division, (name, active, window), lambda one: self._spans(one, active, window))
        return self._answer(division, (name, self._slot_of.tobytes()), self._cohorts)

    def _answer(self, division: _Division, question: tuple, ask: Callable[[_Division], Columns]) -> Columns:
        """Rows by part; of divisions that part no member from another they are found once."""
        asked = division.whole or division
        if question not in asked.kept:
            asked.kept[question] = ask(asked)
        found = asked.kept[question]
        return found if asked is division else found | {"in_part": np.full(found["in_part"].size, division.only)}

    def _divide_days(self, day: np.ndarray, bucket: np.ndarray) -> None:
        slot_of = np.full(self._as_of - self._low + 1, -1, dtype=np.int32)
        here = (day >= self._low) & (day <= self._as_of)
        slot_of[day[here] - self._low] = bucket[here]
        self._slot_of = slot_of
        self._slots = int(bucket.max(initial=0)) + 1

    def _slot(self, day: np.ndarray) -> np.ndarray:
        return self._slot_of[day - self._low]

    def _division(self, by_member: int) -> _Division:
        if by_member not in self._divisions:
            if by_member:
                part = np.where(self._known, self._mine()[self._who], -1) if self._units["unit"].size else self._who
            else:
                part = _looked_up(self._store, self._stores["store"], self._stores["unit"])
            self._divisions[by_member] = self._divided(part, bool(by_member) or not self._stores["unit"].size)
        return self._divisions[by_member]

    def _divided(self, part: np.ndarray, whole: bool) -> _Division:
        """whole: rows are in the order of members already."""
        count, sums, mine = int(part.max(initial=0)) + 2, self._summed(part), part[self._known]  # -1 are guests
        if mine.size and (mine == mine[0]).all():
            if self._whole is None:
                nobody = np.zeros(part.size, np.int64)
                self._whole = _Division(2, {}, self._by_day(nobody, True), self._begun(nobody))
            return _Division(count, sums, self._whole.visits, self._whole.begun, self._whole, int(mine[0]))
        return _Division(count, sums, self._by_day(part, whole), self._begun(part))

    def _by_day(self, part: np.ndarray, whole: bool) -> _Visits:
        rows = _Visits(*(one[self._known] for one in (self._who, part, self._day, self._net)))
        if not whole:
            order = np.argsort(rows.who * (int(part.max(initial=0)) + 1) + rows.part, kind="stable")
            rows = _Visits(*(column[order] for column in rows))
        starts = np.flatnonzero(rows.begins(rows.day))
        net = np.add.reduceat(rows.net, starts) if starts.size else rows.net
        who, mine, day = (column[starts].astype(np.int32) for column in rows[:3])
        return _Visits(who, mine, day, net)

    def _summed(self, part: np.ndarray) -> Columns:
        """Sums by part (guests first) and day: whole numbers below 2⁵³, exact in the floating point that bincount counts in."""
        length = self._as_of - self._low + 1
        size = (int(part.max(initial=0)) + 2) * length
        cell = (part + 1) * length + self._day - self._low

        def summed(rows: np.ndarray | slice, values: np.ndarray | None = None) -> np.ndarray:
            of_rows = None if values is None else values[rows]
            return np.bincount(cell[rows], weights=of_rows, minlength=size).astype(np.int64).reshape(-1, length)

        every = slice(None)
        return {
            "orders": summed(every), "net_sum": summed(every, self._net), "items_sum": summed(every, self._items),
            "itemed": summed(self._items > 0), "known_net": summed(self._known, self._net),
        }  # fmt: skip

    def _begun(self, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Members by the part of the first purchase; who paid in two of them in the same second began in both."""
        first = np.flatnonzero(self._known)
        first = first[self._paid[first] == self._first_paid[self._who[first]]]
        count = int(part.max(initial=0)) + 1
        both = np.sort(self._who[first] * count + part[first])
        both = both[np.append(True, both[1:] != both[:-1])[: both.size]]
        return both // count, both % count

    def _mine(self) -> np.ndarray:
        return self._units["unit"][self._order]

    def _sales(self, division: _Division) -> Columns:
        here = np.flatnonzero(self._slot_of >= 0)
        slot = self._slot_of[here]
        starts = np.flatnonzero(np.diff(slot, prepend=-1))
        sums: Columns = {}
        for name, values in division.sums.items():
            sums[name] = np.zeros(division.count * self._slots, dtype=np.int64)
            if here.size:
                by_slot = np.add.reduceat(values[:, here], starts, axis=1)
                sums[name].reshape(-1, self._slots)[:, slot[starts]] = by_slot
        people = self._answer(division, ("people", self._slot_of.tobytes()), self._people)
        cell = (people["in_part"] + 1) * self._slots + people["in_slot"]
        for name in ("buyers", "came_again", "newcomers", "new_net"):
            sums[name] = np.zeros(division.count * self._slots, dtype=np.int64)
            sums[name][cell] = people[name]
        found = np.flatnonzero(sums["orders"])
        return {"in_part": found // self._slots - 1, "in_slot": found % self._slots} | {
            name: column[found] for name, column in sums.items()
        }

    def _people(self, division: _Division) -> Columns:
        """Buyers, who of them came again or was new, and what the new ones bought: by part and stretch."""
        size = division.count * self._slots
        visits = division.recent(self._low + int(np.argmax(self._slot_of >= 0)))
        slot = self._slot(visits.day)
        rows = slot >= 0
        if not rows.all():
            visits, slot = _Visits(*(column[rows] for column in visits)), slot[rows]
        starts = np.flatnonzero(visits.begins(slot))
        times = np.diff(np.append(starts, slot.size))
        cell = (visits.part + 1) * self._slots + slot
        fresh = self._slot(self._first_day[visits.who]) == slot
        at = cell[starts]
        buyers = np.bincount(at, minlength=size)
        found = np.flatnonzero(buyers)
        return {
            "in_part": found // self._slots - 1,
            "in_slot": found % self._slots,
            "buyers": buyers[found],
            "came_again": np.bincount(at[times >= 2], minlength=size)[found],
            "newcomers": np.bincount(at[fresh[starts]], minlength=size)[found],
            "new_net": np.bincount(cell[fresh], weights=visits.net[fresh], minlength=size)[found].astype(np.int64),
        }

    def _spans(self, division: _Division, active: int, window: int) -> Columns:
        visits = division.visits
        day, begins = visits.day, visits.begins(np.zeros(visits.day.size))
        before = np.append(-_NEVER, day[:-1])[: day.size]
        later = np.append(day[1:], _NEVER)[-day.size :] if day.size else day
        before[begins] = -_NEVER
        later[np.append(begins[1:], True)[: day.size]] = _NEVER
        length = self._as_of - self._low + 1
        found = []
        for kind, start, end in (
            (1, day, np.minimum(later, day + active)),
            (2, day + active, np.minimum(later, day + 2 * active)),
            (3, day, np.minimum(later, day + window)),
            (4, day, np.minimum(later, before + window)),
        ):
            real = end > start
            part, steps = visits.part[real], np.zeros(division.count * length, dtype=np.int64)
            for at, sign in ((start[real], 1), (end[real], -1)):
                seen = at <= self._as_of
                steps += sign * np.bincount(part[seen] * length + at[seen] - self._low, minlength=steps.size)
            cells = np.flatnonzero(steps)
            found.append((cells // length, np.full(cells.size, kind), cells % length + self._low, steps[cells]))
        part, kind_, from_day, spans = (np.concatenate(column) for column in zip(*found, strict=True))
        return {
            "in_part": part, "kind": kind_, "from_day": from_day, "to_day": np.full(part.size, _NEVER), "spans": spans,
        }  # fmt: skip

    def _cohorts(self, division: _Division) -> Columns:
        """By member and stretch how often and for how much; then by the part and the stretch of the first purchase."""
        key = self._slot_of.tobytes()
        if key not in self._stays:
            self._stays[key] = self._by_stretch()
        who, slot, days, net = self._stays[key]
        member, part = division.begun
        # Of each member all stretches, and again for every part the member began in: nearly everybody began in one.
        ends = np.cumsum(np.bincount(who, minlength=int(member.max(initial=0)) + 1))
        most = ends[member]
        least = np.where(member > 0, ends[np.maximum(member - 1, 0)], 0)
        times = most - least
        rows = np.repeat(least - np.append(0, np.cumsum(times)[:-1])[: times.size], times) + np.arange(times.sum())
        whole = np.repeat(part, times)
        start = self._slot(self._first_day[who[rows]])
        cell = (whole * self._slots + start) * self._slots + slot[rows] - start
        size = division.count * self._slots**2
        buyers = np.bincount(cell, minlength=size)
        found = np.flatnonzero(buyers)
        sums = [np.bincount(cell, weights=one[rows], minlength=size)[found].astype(np.int64) for one in (days, net)]
        rest, since = np.divmod(found, self._slots)
        return {
            "in_part": rest // self._slots, "cohort": rest % self._slots, "since": since, "buyers": buyers[found],
            "days_sum": sums[0], "net_sum": sums[1],
        }  # fmt: skip

    def _by_stretch(self) -> tuple[np.ndarray, ...]:
        """Who bought in which stretch, on how many days, for how much net."""
        who, day, net = self._who[self._known], self._day[self._known], self._net[self._known]
        slot = self._slot(day)
        if not who.size:
            return who, slot, day, net
        new = np.append(True, (who[1:] != who[:-1]) | (slot[1:] != slot[:-1]))
        another = new | np.append(True, day[1:] != day[:-1])
        starts = np.flatnonzero(new)
        return (
            who[starts],
            slot[starts],
            np.add.reduceat(another.astype(np.int64), starts),
            np.add.reduceat(net, starts),
        )


def _looked_up(values: np.ndarray, keys: np.ndarray, found: np.ndarray) -> np.ndarray:
    """What stands beside each value in a small table; 0 where it is not in it."""
    if not keys.size:
        return np.zeros(values.size, dtype=np.int64)
    order = np.argsort(keys)
    keys, found = keys[order], found[order]
    at = np.minimum(np.searchsorted(keys, values), keys.size - 1)
    return np.where(keys[at] == values, found[at], 0)
