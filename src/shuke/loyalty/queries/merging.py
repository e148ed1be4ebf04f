"""What two members' books would be as one: folded in memory, nothing is written."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shuke.engine.ledger.fold import Birthdays, Fold, replay
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters, facts
from shuke.members.models import Member
from shuke.shops.models import Merchant


class Standing(NamedTuple):
    """Points and tier at a moment."""

    available: int
    pending: int
    debt: int
    tier: str
    tier_name: dict[str, str]


def standings(merchant: Merchant, groups: list[list[Member]], now: datetime) -> list[Standing]:
    """Points and tier of each group of members as if its facts were one member's. The first of a group gives the
    birthday, if it has one. Raises NoCharter."""
    versions = charters.versions(merchant)
    members = sorted({member.pk for group in groups for member in group})
    bought = facts.bought(merchant, versions, member_ids=members).events
    asked = facts.requests(merchant, members)
    heads = stored.heads(merchant, members)
    found = []
    for group in groups:
        told = [event for member in group for event in bought.get(member.pk, []) + asked.get(member.pk, [])]
        birthdays: Birthdays = ()
        for member in reversed(group):
            head = heads.get(member.pk)
            if head is not None and head.birthdays:
                birthdays = head.birthdays
        fold = replay(versions, told, joined_at=min(m.joined_at for m in group), birthdays=birthdays, until=now)
        found.append(_standing(fold, now))
    return found


def _standing(fold: Fold, now: datetime) -> Standing:
    terms = fold.versions.at(now)
    tier = fold.tier_at(terms)
    name = terms.charter.tiers[terms.rank[tier]].name.model_dump()
    return Standing(fold.books.available(now), fold.books.pending(now), fold.books.debt, tier, name)
