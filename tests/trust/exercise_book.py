"""One member's points as a careful shopkeeper keeps them in an exercise book: slow, plain, and written from the rules of
docs/algorithms/ledger.md without a look at the engine. The engine and the database must agree with it, to the point.

The charter it knows: one point for each full yuan of an order's net, pending for 5 days, good until the end of the third
month after; points that come back after their expiry live 30 days more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

PENDING_DAYS, MONTHS, GRACE_DAYS = 5, 3, 30
# At the same moment: purchases first, then refunds, hand bookings, holds, spends, captures, releases, returns.
ORDER = ("order", "refund", "adjust", "hold", "burn", "capture", "release", "return", "handed", "taken")

CHARTER = {
    "name": {"zh": "练习簿", "en": "Exercise book"},
    "currency": "CNY",
    "points": {
        "pending_days": PENDING_DAYS,
        "expiry": {"kind": "months", "months": MONTHS, "to_month_end": True},
        "returned_grace_days": GRACE_DAYS,
    },
    "tiers": [{"key": "member", "name": {"zh": "会员", "en": "Member"}}],
    "earning": [{"key": "base", "name": {"zh": "消费", "en": "Purchases"}, "kind": "per_amount"}],
}


@dataclass
class Line:
    """Points that came in together."""

    name: str
    came: datetime
    usable: datetime
    ends: datetime
    free: int
    lapsed: int = 0


@dataclass
class Fact:
    kind: str
    name: str
    at: datetime
    amount: int = 0
    of: str = ""  # the order, spend or hold it is about
    until: datetime | None = None
    parcels: tuple[tuple[int, datetime, datetime], ...] = ()  # points, when they came in, when they end


@dataclass
class Page:
    """The figures at one moment."""

    available: int
    pending: int
    held: int
    debt: int
    left: dict[str, int]  # what is left of each line, held points included


@dataclass
class ExerciseBook:
    """Facts in any order; `page(now)` works everything out from the first line, every time."""

    zone: ZoneInfo
    facts: list[Fact] = field(default_factory=list)

    def page(self, now: datetime) -> Page:
        self._lines: list[Line] = []
        self._held: dict[str, tuple[list[tuple[Line, int]], datetime]] = {}
        self._spent: dict[str, list[list]] = {}  # spend → [line or None, points, given back]
        self._debt = 0
        self._repaid: list[tuple[Line, int]] = []
        self._orders: dict[str, tuple[int, int]] = {}  # order → net, refunded so far
        for fact in sorted(self.facts, key=lambda f: (f.at, ORDER.index(f.kind), f.name)):
            if fact.at > now:
                break
            self._time_passes(fact.at)
            getattr(self, f"_{fact.kind}")(fact)
        self._time_passes(now)
        held: dict[str, int] = {}
        for parts, _ in self._held.values():
            for line, n in parts:
                held[line.name] = held.get(line.name, 0) + n
        return Page(
            available=sum(x.free for x in self._lines if x.usable <= now),
            pending=sum(x.free for x in self._lines if x.usable > now),
            held=sum(held.values()),
            debt=self._debt,
            left=self._left(held),
        )

    def _left(self, held: dict[str, int]) -> dict[str, int]:
        left = dict(held)
        for line in self._lines:
            left[line.name] = left.get(line.name, 0) + line.free
        return {name: n for name, n in left.items() if n}

    # -- the clock ----------------------------------------------------------------------------------------------

    def _time_passes(self, until: datetime) -> None:
        while True:
            ends = [x.ends for x in self._lines if x.free and x.ends <= until]
            outs = [end for _, end in self._held.values() if end <= until]
            if not ends and not outs:
                return
            moment = min(ends + outs)
            for name in [n for n, (_, end) in self._held.items() if end == moment]:
                self._give_back_held(name, moment)
            for line in self._lines:
                if line.ends <= moment:
                    line.lapsed += line.free
                    line.free = 0

    def _give_back_held(self, name: str, at: datetime) -> None:
        parts = self._held.pop(name)[0]
        for line, n in parts:
            line.free += n
        self._set_free([line for line, _ in parts], at)

    # -- what happens -------------------------------------------------------------------------------------------

    def _order(self, f: Fact) -> None:
        self._orders[f.name] = (f.amount, 0)
        day = f.at.astimezone(self.zone).date()
        if f.amount // 100:
            self._come_in(Line(f.name, f.at, self._midnight(day, PENDING_DAYS), self._month_end(day), f.amount // 100))

    def _refund(self, f: Fact) -> None:
        net, before = self._orders[f.of]
        self._orders[f.of] = (net, before + f.amount)
        rest = max(0, net - before) // 100 - max(0, net - before - f.amount) // 100
        own = [x for x in self._lines if x.name == f.of]
        for line in own:
            n = min(rest, line.free)
            line.free -= n
            rest -= n
            n = min(rest, line.lapsed)  # what lapsed unused was never of any good
            line.lapsed -= n
            rest -= n
        self._take_from_anything(rest)

    def _adjust(self, f: Fact) -> None:
        if f.amount > 0:
            day = f.at.astimezone(self.zone).date()
            self._come_in(Line(f.name, f.at, f.at, f.until or self._month_end(day), f.amount))
            return
        rest = -f.amount - sum(n for _, n in self._take_usable(-f.amount, f.at))
        self._take_from_anything(rest)

    def _burn(self, f: Fact) -> None:
        self._spend(f.name, self._take_usable(f.amount, f.at), f.amount)

    def _hold(self, f: Fact) -> None:
        assert f.until is not None
        self._held[f.name] = (self._take_usable(f.amount, f.at), f.until)

    def _capture(self, f: Fact) -> None:
        rest = f.amount
        taken = []
        back = []
        for line, n in self._held.pop(f.of)[0]:
            x = min(rest, n)
            rest -= x
            if x:
                taken.append((line, x))
            back.append((line, n - x))
        for line, n in back:
            line.free += n
        self._spend(f.name, taken, f.amount)
        self._set_free([line for line, _ in back], f.at)

    def _set_free(self, lines: list[Line], at: datetime) -> None:
        """What was held and nobody spent: over, it lapses; else a debt made meanwhile is paid first."""
        for line in lines:
            if line.ends <= at:
                line.lapsed += line.free
                line.free = 0
        for line in lines:
            self._pay_debt(line)

    def _release(self, f: Fact) -> None:
        if f.of in self._held:
            self._give_back_held(f.of, f.at)

    def _return(self, f: Fact) -> None:
        parts = self._spent[f.of]
        for part, n in zip(parts, _shares(f.amount, [p[1] - p[2] for p in parts]), strict=True):
            if not n:
                continue
            part[2] += n
            if part[0] is None:  # these had been owed, not paid: the debt goes first
                owed = min(n, self._debt)
                self._debt -= owed
                self._undo_repayment(n - owed, f)
            else:
                self._put_back(part[0], n, f)

    def _handed(self, f: Fact) -> None:
        self._take_from_anything(f.amount - sum(n for _, n in self._take_usable(f.amount, f.at)))

    def _taken(self, f: Fact) -> None:
        for i, (points, came, ends) in enumerate(f.parcels):
            self._come_in(Line(f"{f.name}#{i}" if i else f.name, came, f.at, ends, points))

    def parcels(self, now: datetime, points: int) -> tuple[tuple[int, datetime, datetime], ...]:
        """What somebody would get who is given so many points now."""
        self.page(now)
        return tuple((n, line.came, line.ends) for line, n in self._take_usable(points, now))

    # -- moving points ------------------------------------------------------------------------------------------

    def _come_in(self, line: Line) -> None:
        self._lines.append(line)
        self._pay_debt(line)

    def _pay_debt(self, line: Line) -> None:
        n = min(self._debt, line.free)
        if n:
            self._debt -= n
            line.free -= n
            self._repaid.append((line, n))

    def _put_back(self, line: Line, n: int, f: Fact) -> None:
        if line.ends <= f.at:  # a line of its own, for the days of grace
            ends = self._midnight(f.at.astimezone(self.zone).date(), GRACE_DAYS + 1)
            self._come_in(Line(f"{f.name}/{line.name}", f.at, f.at, ends, n))
        else:
            line.free += n
            self._pay_debt(line)

    def _undo_repayment(self, n: int, f: Fact) -> None:
        """Points that had paid a debt which turned out not to be one go back to their lines, the latest payment first."""
        while n:
            line, paid = self._repaid.pop()
            x = min(n, paid)
            n -= x
            if paid > x:
                self._repaid.append((line, paid - x))
            self._put_back(line, x, f)

    def _spend(self, name: str, taken: list[tuple[Line, int]], amount: int) -> None:
        """What a spend was granted is spent, whatever turned out later: pending points, then debt."""
        parts: list[list] = [[line, n, 0] for line, n in taken]
        rest = amount - sum(n for _, n in taken)
        more, owed = self._from_anything(rest)
        parts += [[line, n, 0] for line, n in more]
        if owed:
            self._debt += owed
            parts.append([None, owed, 0])
        self._spent[name] = parts

    def _take_usable(self, amount: int, at: datetime) -> list[tuple[Line, int]]:
        return self._take(amount, [x for x in self._lines if x.usable <= at])

    def _take_from_anything(self, amount: int) -> None:
        self._debt += self._from_anything(amount)[1]

    def _from_anything(self, amount: int) -> tuple[list[tuple[Line, int]], int]:
        taken = self._take(amount, self._lines)
        return taken, amount - sum(n for _, n in taken)

    def _take(self, amount: int, lines: list[Line]) -> list[tuple[Line, int]]:
        """Oldest end first."""
        taken = []
        for line in sorted(lines, key=lambda x: (x.ends, x.came, x.name)):
            n = min(amount, line.free)
            if n:
                line.free -= n
                amount -= n
                taken.append((line, n))
        return taken

    # -- days ---------------------------------------------------------------------------------------------------

    def _midnight(self, day: date, later: int) -> datetime:
        return datetime.combine(day + timedelta(days=later), time(), self.zone)

    def _month_end(self, day: date) -> datetime:
        month = day.year * 12 + day.month - 1 + MONTHS + 1
        return datetime.combine(date(month // 12, month % 12 + 1, 1), time(), self.zone)


def _shares(amount: int, weights: list[int]) -> list[int]:
    """Largest remainders; the first of equals gets the odd one."""
    total = sum(weights)
    exact = [Fraction(amount * w, total) if total else Fraction(0) for w in weights]
    whole = [int(x) for x in exact]
    for i in sorted(range(len(weights)), key=lambda i: (-(exact[i] - whole[i]), i))[: amount - sum(whole)]:
        whole[i] += 1
    return whole
