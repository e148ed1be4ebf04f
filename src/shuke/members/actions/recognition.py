"""Who is this? The decision of docs/algorithms/recognition.md for a whole batch, and then its writing.

The batch is read with a handful of statements (reading.py), decided person by person in memory as if each had come
alone, and written with a handful of statements (writing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from shuke.engine.facts import Person
from shuke.kit import bulk
from shuke.members.actions import writing
from shuke.members.actions.deciding import Plan
from shuke.members.actions.gathering import Sighting, gather
from shuke.members.actions.reading import read
from shuke.members.queries.keys import Blinds
from shuke.shops.models import Merchant


class Recognised(NamedTuple):
    """The answer for one person of a batch, in the order asked."""

    member_id: int | None  # None: a guest, nothing usable says who this is
    created: bool = False  # made by this call (at its first appearance), or woken from an undone import
    woken: bool = False  # it had been made by an import that was undone
    by: str = ""  # engine.facts.IdentityKind that decided, "" for a new member
    joined_at: datetime | None = None
    rebooked: bool = False  # a birthday became known or the joining day moved: what the books were reckoned by
    via: int | None = None  # the record that was recognised, where it has been merged into `member_id`


class Seen(NamedTuple):
    """What `recognise` would answer, without having written anything."""

    member_id: int | None
    newcomer: int = 0  # 1, 2, … : the how-manieth member that would be made; 0: known, or a guest
    by: str = ""


class Newcomers:
    """Carries a preview from chunk to chunk of one file, so that a new member is counted once."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str, bytes], int] = {}
        self.count = 0


def recognise(
    *,
    merchant: Merchant,
    people: Sequence[Person | None],
    now: datetime,
    batch_id: int | None = None,
    seen_at: Sequence[datetime | None] | None = None,
) -> list[Recognised]:
    """Find or make the member behind each person; one answer per person, in order. Never merges members.

    `seen_at` says when each was met (the order's moment; None: now), the same length as `people`; `batch_id` is
    noted as where a new member came from. In one transaction, in this order: members made, gaps of known profiles
    filled, undone members woken; identities; contacts sealed; search terms; custom attributes and their definitions;
    consents; suspicions; a "joined" line on each new member's timeline.

    Two runs at once: whoever has something to write takes the merchant's row, reads again and decides again, so the
    second sees what the first made. A batch that only meets known members takes no lock (PostgreSQL; SQLite writers
    come one at a time anyway).
    """
    if seen_at is not None and len(seen_at) != len(people):
        raise ValueError(f"seen_at has {len(seen_at)} entries for {len(people)} people.")
    if not any(people):
        return [Recognised(None)] * len(people)
    with transaction.atomic(savepoint=False):
        blinds = Blinds(merchant.id, writing=True)
        sightings, answers_of = gather(people, seen_at, now, blinds)
        plan = read(Plan(blinds, sightings, now), bulk_locks=False).decide()
        if plan.changes_members() and connection.vendor == "postgresql":
            bulk.execute("SELECT 1 FROM shops_merchant WHERE id = %s FOR NO KEY UPDATE", [merchant.id])
            plan = read(Plan(blinds, sightings, now), bulk_locks=True).decide()
        writing.write(plan, merchant, batch_id)
    return _answers(plan, sightings, answers_of)


def _answers(plan: Plan, sightings: list[Sighting], answers_of: list[int]) -> list[Recognised]:
    guest = Recognised(None)
    first: list[Recognised | None] = []
    again: list[Recognised | None] = [None] * len(sightings)
    for sighting in sightings:
        member = sighting.member
        first.append(
            guest
            if member is None
            else Recognised(
                member.id,
                sighting.made or sighting.woke,
                sighting.woke,
                sighting.by,
                member.joined_at,
                member.rebooked,
                sighting.via,
            )
        )
    answers = []
    for place in answers_of:
        if place < 0:
            answers.append(guest)
        elif (once := first[place]) is not None:
            answers.append(once)
            first[place] = None if once.member_id is not None else once
        else:
            answer = again[place]
            if answer is None:
                member = sightings[place].member
                assert member is not None
                by = plan.decides(sightings[place])
                answer = again[place] = Recognised(
                    member.id, False, False, by, member.joined_at, member.rebooked, sightings[place].via
                )
            answers.append(answer)
    return answers


def preview(
    *, merchant: Merchant, people: Sequence[Person | None], now: datetime, newcomers: Newcomers | None = None
) -> list[Seen]:
    """What `recognise` would decide, writing nothing. Pass the same `newcomers` for every chunk of a file."""
    newcomers = newcomers or Newcomers()
    if not any(people):
        return [Seen(None)] * len(people)
    blinds = Blinds(merchant.id)
    sightings, answers_of = gather(people, None, now, blinds)
    plan = read(Plan(blinds, sightings, now, unborn=newcomers.numbers), bulk_locks=False).decide()
    seen = []
    numbers: dict[int, int] = {}
    for sighting in sightings:
        member = sighting.member
        if member is None:
            seen.append(Seen(None))
        elif member.id < 0 or member.is_new or member.woken:
            if member.id < 0:
                number = -member.id
            elif member.id in numbers:
                number = numbers[member.id]
            else:
                newcomers.count += 1
                number = numbers[member.id] = newcomers.count
            for claim in sighting.claims:
                if plan.owners[claim.key].member is member:
                    newcomers.numbers.setdefault(claim.key, number)
            seen.append(Seen(None, number, sighting.by))
        else:
            seen.append(Seen(member.id, 0, sighting.by))
    return [seen[place] if place >= 0 else Seen(None) for place in answers_of]
