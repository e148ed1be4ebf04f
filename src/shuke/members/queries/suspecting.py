"""Pairs of members that may be one person, with what speaks for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from shuke.members.models import Member, MemberState, Suspicion
from shuke.members.queries.families import family, survivors_of
from shuke.shops.models import Merchant


class Pair(NamedTuple):
    """Two members, the older record first, and the reasons why they may be one."""

    one: Member
    other: Member
    reasons: tuple[str, ...]
    noted_at: datetime
    state: str = "open"  # open | different


def suspicions(merchant: Merchant, limit: int = 100, *, state: str = "open", offset: int = 0) -> list[Pair]:
    """Pairs that a person should look at (or, with `state` "different", has told apart), oldest first, each once."""
    rows = Suspicion.objects.filter(merchant=merchant).exclude(state="merged")
    return _pairs(merchant, rows, state)[offset : offset + limit]


def suspicions_of(merchant: Merchant, member_id: int) -> list[Pair]:
    """Who else this member may be."""
    own = family(merchant.id, member_id)
    rows = Suspicion.objects.filter(Q(member_id__in=own) | Q(other_id__in=own), merchant=merchant)
    return _pairs(merchant, rows.exclude(state="merged"), "open")


def pair_of(merchant: Merchant, one: int, other: int) -> Pair | None:
    """What is on record about two members, whatever was decided."""
    rows = Suspicion.objects.filter(merchant=merchant, member_id=min(one, other), other_id=max(one, other))
    found = _pairs(merchant, rows, "open") or _pairs(merchant, rows, "different")
    return found[0] if found else None


def _pairs(merchant: Merchant, rows: Iterable[Suspicion], state: str) -> list[Pair]:
    """Suspicions gathered by the people they are about now: of somebody merged away, the survivor. A pair that was told
    apart once stays so, whatever reason came later."""
    told = sorted(rows, key=lambda row: (row.noted_at, row.id))
    mentioned = {row.member_id for row in told} | {row.other_id for row in told}
    moved = survivors_of(merchant.id, mentioned)
    gathered: dict[tuple[int, int], list[Suspicion]] = {}
    for row in told:
        one, other = (moved.get(pk, pk) for pk in (row.member_id, row.other_id))
        if one != other:
            gathered.setdefault((min(one, other), max(one, other)), []).append(row)
    wanted = {
        pair: reasons
        for pair, reasons in gathered.items()
        if any(row.state == "different" for row in reasons) == (state == "different")
    }
    people = Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE).in_bulk(
        sorted({pk for pair in wanted for pk in pair})
    )
    return [
        Pair(people[one], people[other], tuple(dict.fromkeys(r.reason for r in reasons)), reasons[0].noted_at, state)
        for (one, other), reasons in wanted.items()
        if one in people and other in people
    ]
