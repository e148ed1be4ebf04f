"""All purchases of a shop held as columns, which answer the analyses of growth and cohorts for many questions in one reading.

The SQL texts `growth_sales`, `growth_spans` and `cohorts` say what the answers are, on any engine; each reads all orders. A night
wants some thirty answers about the same orders, so here they are sorted once and the rest is counting. Same figures, which
tests/engine/insight/test_purchases.py demands; spans come as sums by day (`spans.sql` does the same) rather than one by one.

`Purchases` stands in for an engine where `growth.grown` and `growth.cohorts` ask one. Stretches must ascend with the days.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shuke.engine.insight.port import Columns

COLUMNS = ("member", "store", "day", "paid_s", "net", "items_milli", "counted")  # of the table `heads`
_NEVER = 1_000_000


class _Division:
    """The purchases by parts of the shop: the part of each row, and who bought on which days in which part, in that order."""

    def __init__(self, part: np.ndarray, who: np.ndarray, day: np.ndarray, known: np.ndarray, *, sorted_: bool) -> None:
        self.part = part
        self.count = int(part.max(initial=0)) + 2  # -1 are guests
        who, mine, day = who[known], part[known], day[known]
        if not sorted_:
            order = np.argsort(who * self.count + mine, kind="stable")
            who, mine, day = who[order], mine[order], day[order]
        new = np.ones(who.size, dtype=bool)
        new[1:] = (who[1:] != who[:-1]) | (mine[1:] != mine[:-1])
        first = new.copy()
        new[1:] |= day[1:] != day[:-1]
        self.who, self.mine, self.day, self.begins = who[new], mine[new], day[new], first[new]
        self.spans: Columns | None = None


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
        self._slot_of, self._slots = np.empty(0, np.int64), 0
        self._stores: Mapping[str, np.ndarray] = {}
        self._units: Mapping[str, np.ndarray] = {}
        self._divisions: dict[int, _Division] = {}
        self._visits: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None

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
            if division.spans is None:
                division.spans = self._spans(division, int(parameters["active_days"]), int(parameters["window_days"]))
            return division.spans
        return self._cohorts(division)

    def _divide_days(self, day: np.ndarray, bucket: np.ndarray) -> None:
        slot_of = np.full(self._as_of - self._low + 1, -1, dtype=np.int64)
        here = (day >= self._low) & (day <= self._as_of)
        slot_of[day[here] - self._low] = bucket[here]
        if not np.array_equal(slot_of, self._slot_of):
            self._slot_of, self._visits = slot_of, None
        self._slots = int(bucket.max(initial=0)) + 1

    def _slot(self, day: np.ndarray) -> np.ndarray:
        return self._slot_of[day - self._low]

    def _division(self, by_member: int) -> _Division:
        if by_member not in self._divisions:
            if by_member:
                part = np.where(self._known, self._mine()[self._who], -1) if self._units["unit"].size else self._who
            else:
                part = _looked_up(self._store, self._stores["store"], self._stores["unit"])
            plain = bool(by_member) or not self._stores["unit"].size
            self._divisions[by_member] = _Division(part, self._who, self._day, self._known, sorted_=plain)
        return self._divisions[by_member]

    def _mine(self) -> np.ndarray:
        return self._units["unit"][self._order]

    def _sales(self, division: _Division) -> Columns:
        slot = self._slot(self._day)
        rows = slot >= 0
        slot, who, net = slot[rows], self._who[rows], self._net[rows]
        cell = (division.part[rows] + 1) * self._slots + slot
        known = who >= 0
        size = division.count * self._slots

        def summed(at: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
            # Sums of whole numbers below 2⁵³ are exact in the floating point that bincount counts in.
            return np.bincount(at, weights=values, minlength=size).astype(np.int64)

        items = self._items[rows]
        fresh = known.copy()
        fresh[known] = self._slot(self._first_day[who[known]]) == slot[known]
        went = self._slot(division.day)
        here = went >= 0
        went, buyer, part = went[here], division.who[here], division.mine[here]
        begins = np.ones(went.size, dtype=bool)
        begins[1:] = (buyer[1:] != buyer[:-1]) | (part[1:] != part[:-1]) | (went[1:] != went[:-1])
        starts = np.flatnonzero(begins)
        times = np.diff(np.append(starts, went.size))
        at = (part[starts] + 1) * self._slots + went[starts]
        orders = summed(cell)
        found = np.flatnonzero(orders)
        values = {
            "orders": orders,
            "net_sum": summed(cell, net),
            "items_sum": summed(cell, items),
            "itemed": summed(cell[items > 0]),
            "known_net": summed(cell[known], net[known]),
            "buyers": summed(at),
            "came_again": summed(at[times >= 2]),
            "newcomers": summed(at[self._slot(self._first_day[buyer[starts]]) == went[starts]]),
            "new_net": summed(cell[fresh], net[fresh]),
        }
        return {"in_part": found // self._slots - 1, "in_slot": found % self._slots} | {
            name: column[found] for name, column in values.items()
        }

    def _spans(self, division: _Division, active: int, window: int) -> Columns:
        day, begins = division.day, division.begins
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
            part, steps = division.mine[real], np.zeros(division.count * length, dtype=np.int64)
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
        if self._visits is None:
            self._visits = self._by_stretch()
        who, slot, days, net = self._visits
        first = np.flatnonzero(self._known)
        first = first[self._paid[first] == self._first_paid[self._who[first]]]
        begun = np.unique(self._who[first] * division.count + division.part[first])
        member, part = begun // division.count, begun % division.count
        # Nearly everybody began in one part; who paid in two of them in the same second began in both.
        least, most = np.searchsorted(who, member), np.searchsorted(who, member, side="right")
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

    def _by_stretch(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
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
