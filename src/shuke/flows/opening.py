"""Opening balances: points members bring along from another system, taken over the way an accountant would.

A balance is taken over once per member and system (youzan, the old till …). A later file that says the same changes
nothing. One that says otherwise is not booked and not added up: nobody can tell whether the first was wrong or
points have moved over there since, and those moves may be in our own books already. It is told, with the import that
brought the first; who knows that the first was wrong takes that import back, and its balances with it. Two systems are two
balances. docs/algorithms/opening-balances.md
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from shuke.engine.facts import Person, Problem
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions import Ask
from shuke.loyalty.models import Txn
from shuke.loyalty.queries import charters
from shuke.loyalty.queries.member import spent_from
from shuke.members.queries.families import absorbed_by, survivors_of
from shuke.shops.models import Merchant

PART = 5_000


class Standing(NamedTuple):
    """A balance that was taken over and not taken back."""

    points: int
    batch_id: int  # 0: not by an import
    key: str


class Weighed(NamedTuple):
    """What becomes of the balances some records state."""

    new: dict[tuple[Hashable, str], int]  # (whose, system) → points
    odd: list[Problem]


class Brought(NamedTuple):
    """Balances taken over by one call."""

    balances: int = 0
    odd: tuple[Problem, ...] = ()
    txn_ids: tuple[int, ...] = ()


def weigh(
    people: Sequence[Person],
    whose: Sequence[Hashable | None],
    stands: Mapping[tuple[Hashable, str], Standing],
    *,
    has_charter: bool,
) -> Weighed:
    """Decide for each record that states a balance; `whose` is the member, or whatever stands for one in a preview."""
    new: dict[tuple[Hashable, str], int] = {}
    odd: list[Problem] = []
    for person, member in zip(people, whose, strict=True):
        points = person.opening_points
        if points is None or member is None:
            continue
        place = member, system_of(person)
        stood = stands.get(place)
        before = stood.points if stood is not None else new.get(place)
        if before is None:
            if points > 0 and has_charter:
                new[place] = points
            elif points > 0:
                odd.append(Problem("opening_without_charter", 0, "", str(points), (), False))
        elif before != points:
            by = str(stood.batch_id) if stood is not None and stood.batch_id else "–"
            told = (("stands", str(before)), ("batch", by))
            odd.append(Problem("opening_differs", 0, "", str(points), told, False))
    return Weighed(new, odd)


def bring(
    *,
    merchant: Merchant,
    people: Sequence[Person],
    member_ids: Sequence[int | None],
    now: datetime,
    batch_id: int | None,
    actor: str,
) -> Brought:
    """Take over the balances these records state, each once."""
    if not any(person.opening_points is not None for person in people):
        return Brought()
    stands = standing(merchant, {m for m in member_ids if m is not None})
    found = weigh(people, member_ids, stands, has_charter=has_charter(merchant, now))
    keys: list[str] = []
    for system in sorted({system for _, system in found.new}):
        balances = [(member, points) for (member, of), points in found.new.items() if of == system]
        answers = loyalty.open_balances(
            merchant=merchant,
            balances=[(member, points) for member, points in balances if isinstance(member, int)],
            source=f"{system}:{batch_id or 0}",
            now=now,
            actor=actor,
        )
        keys += [answer.key for answer in answers]
    booked = Txn.objects.filter(merchant=merchant, key__in=keys).values_list("id", flat=True) if keys else ()
    return Brought(len(found.new), tuple(found.odd), tuple(booked))


def has_charter(merchant: Merchant, now: datetime) -> bool:
    """Without one there are no points; the same file brings them once there is one."""
    try:
        charters.in_force(merchant, now)
    except charters.NoCharter:
        return False
    return True


def system_of(person: Person) -> str:
    return person.opening_from.replace(":", " ")[:20] or "import"


def standing(merchant: Merchant, member_ids: Iterable[int]) -> dict[tuple[Hashable, str], Standing]:
    """Balances of these members that stand, by member and system. What a merged half had brought is the survivor's."""
    wanted = sorted(set(member_ids))
    halves = absorbed_by(merchant.pk, wanted)
    found: dict[tuple[Hashable, str], Standing] = {}
    for one in _openings(merchant, [*wanted, *halves]):
        found.setdefault((halves.get(one.member, one.member), one.system), Standing(one.points, one.batch_id, one.key))
    return found


class Opening(NamedTuple):
    """One posting that took a balance over."""

    member: int
    system: str
    batch_id: int
    points: int
    key: str

    @property
    def lot(self) -> str:
        """The lot's name in the books: that of the event."""
        return f"opening:{self.key}"

    @property
    def back(self) -> str:
        """Key of the posting that takes it back."""
        return f"opening-undone:{self.key}"


def _openings(merchant: Merchant, member_ids: Sequence[int]) -> list[Opening]:
    """Those of these members that were not taken back, oldest first."""
    found = []
    for start in range(0, len(member_ids), PART):
        part = member_ids[start : start + PART]
        rows = Txn.objects.filter(merchant=merchant, member_id__in=part, kind="opening").order_by("id")
        opened = [_read(*row) for row in rows.values_list("key", "member_id", "outcome")]
        back = set(
            Txn.objects.filter(merchant=merchant, key__in=[one.back for one in opened]).values_list("key", flat=True)
        )
        found += [one for one in opened if one.back not in back]
    return found


def _read(key: str, member: int, outcome: dict | None) -> Opening:
    _, system, *rest = key.split(":")
    batch_id = int(rest[0]) if len(rest) > 1 and rest[0].isdecimal() else 0
    return Opening(member, system, batch_id, int((outcome or {"request": {}})["request"].get("amount", 0)), key)


# ---- taken back with its import ------------------------------------------------------------------------------------


def of_batch(merchant: Merchant, txn_ids: Sequence[int]) -> list[Opening]:
    """Of the balances an import brought, those that stand. `txn_ids`: as its undo remembers them."""
    rows = Txn.objects.filter(merchant=merchant, pk__in=txn_ids).values_list("member_id", flat=True)
    keys = set(Txn.objects.filter(merchant=merchant, pk__in=txn_ids).values_list("key", flat=True))
    return [one for one in _openings(merchant, sorted({m for m in rows if m is not None})) if one.key in keys]


def spent(merchant: Merchant, openings: Sequence[Opening]) -> int:
    """How many of these points are spent or held."""
    return sum(spent_from(merchant, [one.lot for one in openings]).values())


def take_back(*, merchant: Merchant, openings: Sequence[Opening], now: datetime, actor: str) -> int:
    """Book the opposite of each; how many could not be, because the member no longer has as many."""
    halves = survivors_of(merchant.pk, [one.member for one in openings])
    asks = [
        Ask(one.back, "adjust", halves.get(one.member, one.member), -one.points, reason="undone") for one in openings
    ]
    refused = 0
    for start in range(0, len(asks), PART):
        answers = loyalty.ask(merchant=merchant, asks=asks[start : start + PART], now=now, actor=actor)
        refused += sum(not answer.done for answer in answers)
    return refused
