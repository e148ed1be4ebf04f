"""What the database knows about the people of a batch, in a handful of statements."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shuke.kit import bulk
from shuke.members.actions.deciding import Held, Known, Owner, Plan
from shuke.members.queries.families import absorbed_by, survivors_of
from shuke.shops.models import Store

_CHUNK = 10_000  # parameters of one statement; SQLite takes 32,766

_COLUMNS = (
    "id, state, card, name, nickname, nickname_at, gender, birth_year, birth_month, birth_day, birth_lunar, province, city, "
    "phone_hint, home_store_id, acquired_by, joined_at, attributes, note, merged_into_id"
)


def at(value: Any) -> datetime:
    """A moment out of a column that is never null."""
    moment = bulk.read_moment(value)
    assert moment is not None
    return moment


def among_bytes(column: str, blinds: Iterable[bytes]) -> Iterable[tuple[str, list[Any]]]:
    """Conditions `column is one of these bytes`, with their parameters, for lists of any length."""
    blinds = list(blinds)
    if bulk.is_postgres():
        if blinds:
            yield f"{column} = ANY(%s::bytea[])", [blinds]
        return
    for start in range(0, len(blinds), _CHUNK):
        part = blinds[start : start + _CHUNK]
        yield f"{column} IN ({', '.join(['%s'] * len(part))})", part


def read(plan: Plan, *, bulk_locks: bool) -> Plan:
    """Fill the plan's knowledge. `bulk_locks`: also lock the members, in id order (PostgreSQL)."""
    found, cards = _identities(plan), _cards(plan)
    holders = _contacts(plan)
    wanted = {row[3] for row in found} | {member for _, member in cards} | {member for _, member in holders}
    merged = _members(plan, wanted, lock=bulk_locks)

    def living(member: int) -> Known:
        while member in merged:
            member = merged[member]
        return plan.members[member]

    for id, kind, realm, member, blind, verified, first, last in (
        (r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]) for r in found
    ):
        owner = plan.owners[kind, realm, plan.blinds.newest(bytes(blind))] = Owner(
            living(member), id, bool(verified), at(first), at(last)
        )
        if member in merged:
            owner.via = member
    for key, member in cards:
        owner = plan.owners.setdefault(key, Owner(living(member), 0, True, plan.now, plan.now))
        if member in merged:
            owner.via = member
    for blind, member in holders:
        holder = living(member).id
        if holder not in plan.holders.setdefault(blind, []):
            plan.holders[blind].append(holder)
    _contacts_of_families(plan)
    unborn: dict[int, Known] = {}
    for key, number in plan.unborn.items():
        if key not in plan.owners:
            plan.owners[key] = Owner(unborn.setdefault(number, Known(-number, plan.now)), 0, False, plan.now, plan.now)
    for number, member in unborn.items():
        plan.members[-number] = member
    _realms(plan)
    _phones(plan)
    if any(s.person.store_code for s in plan.sightings):
        for code, id in (
            Store.objects.filter(merchant_id=plan.merchant).order_by("-platform", "id").values_list("code", "id")
        ):
            plan.stores.setdefault(code, id)
    return plan


def _identities(plan: Plan) -> list[tuple]:
    groups: dict[tuple[str, str], set[bytes]] = {}
    for sighting in plan.sightings:
        for claim in sighting.claims:
            kind, realm, blind = claim.key
            groups.setdefault((kind, realm), set()).add(blind)
        if sighting.hint_key is not None:
            groups.setdefault(sighting.hint_key[:2], set()).add(sighting.hint_key[2])
    rows: list[tuple] = []
    for (kind, realm), blinds in groups.items():
        for condition, parameters in among_bytes("blind", plan.blinds.every(blinds)):
            rows += bulk.select(
                "SELECT id, kind, realm, member_id, blind, verified, first_seen_at, last_seen_at FROM members_identity "
                f"WHERE merchant_id = %s AND kind = %s AND realm = %s AND {condition}",
                [plan.merchant, kind, realm, *parameters],
            )
    return rows


def _cards(plan: Plan) -> list[tuple[tuple[str, str, bytes], int]]:
    """Claims of our own cards, which stand on the member and not among the identities."""
    claims = {c.value: c.key for s in plan.sightings for c in s.claims if c.key[0] == "card"}
    if not claims:
        return []
    condition, parameter = bulk.among("card", list(claims))
    rows = bulk.select(
        f"SELECT card, id FROM members_member WHERE merchant_id = %s AND {condition}", [plan.merchant, parameter]
    )
    condition, parameter = bulk.among("number", list(claims))
    rows += bulk.select(  # a card that was lost or replaced still says who bought
        f"SELECT number, member_id FROM members_card WHERE merchant_id = %s AND {condition}", [plan.merchant, parameter]
    )
    return [(claims[card], member) for card, member in rows]


def _contacts(plan: Plan) -> list[tuple[bytes, int]]:
    """Who has the contacts of this batch; the holders of its real phones are returned."""
    groups: dict[str, set[bytes]] = {}
    real = set()
    for sighting in plan.sightings:
        for reach in sighting.reaches:
            groups.setdefault(reach.kind, set()).add(reach.blind)
            if reach.real:
                real.add(reach.blind)
    holders = []
    for kind, blinds in groups.items():
        for condition, parameters in among_bytes("blind", plan.blinds.every(blinds)):
            for id, member, blind, last in bulk.select(
                f"SELECT id, member_id, blind, last_seen_at FROM members_contact WHERE merchant_id = %s AND kind = %s AND {condition} ORDER BY id",
                [plan.merchant, kind, *parameters],
            ):
                blind = plan.blinds.newest(bytes(blind))
                plan.contacts[member, kind, blind] = Held(id, at(last))
                if blind in real:
                    holders.append((blind, member))
    return holders


def _members(plan: Plan, wanted: set[int], *, lock: bool) -> dict[int, int]:
    """Load members, following those that were merged away; returns who was merged into whom."""
    merged: dict[int, int] = {}
    while wanted:
        condition, parameter = bulk.among("id", sorted(wanted))
        # "+": by id. SQLite, which knows no figures before an ANALYZE, would rather read all members of the merchant.
        sql = f"SELECT {_COLUMNS} FROM members_member WHERE +merchant_id = %s AND {condition}"
        if lock:
            sql += " ORDER BY id FOR NO KEY UPDATE"
        further = set()
        for row in bulk.select(sql, [plan.merchant, parameter]):
            if row[1] == "merged" and row[19] is not None:
                merged[row[0]] = row[19]
                further.add(row[19])
            else:
                plan.members[row[0]] = _known(row)
        wanted = further - set(plan.members) - set(merged)
    return merged


def _known(row: tuple) -> Known:
    member = Known(row[0], at(row[16]))
    (
        _, member.state, member.card, member.name, member.nickname, nickname_at, member.gender, year, month, day, lunar,
        member.province, member.city, member.phone_hint, member.home_store_id, member.acquired_by, _, member.attributes,
        member.note, _,
    ) = row  # fmt: skip
    member.birth = (year, month, day, bool(lunar))
    member.nickname_at = bulk.read_moment(nickname_at)
    return member


def attributes_of(member: Known) -> dict[str, Any]:
    """The custom attributes as a dict; SQLite hands them over as text, and few batches look."""
    held = member.attributes
    if isinstance(held, str):
        held = member.attributes = json.loads(held)
    return held


def _realms(plan: Plan) -> None:
    """On which platforms the candidates have a number, where a claim brings a new one or claims disagree."""
    candidates: set[int] = set()
    for sighting in plan.sightings:
        if len(sighting.claims) > 1 and any(c.key[0] == "platform_id" for c in sighting.claims):
            known = {plan.owners[c.key].member.id for c in sighting.claims if c.key in plan.owners}
            if len(known) > 1 or any(c.key[0] == "platform_id" and c.key not in plan.owners for c in sighting.claims):
                candidates |= known
    if not candidates:
        return
    halves = absorbed_by(plan.merchant, candidates)
    condition, parameter = bulk.among("member_id", sorted(candidates | set(halves)))
    for member, realm in bulk.select(
        f"SELECT member_id, realm FROM members_identity WHERE merchant_id = %s AND kind || '' = 'platform_id' AND {condition}",
        [plan.merchant, parameter],
    ):
        plan.realms.setdefault(halves.get(member, member), set()).add(realm)


def _phones(plan: Plan) -> None:
    """Which known members already have a real phone, where a new one may come."""
    candidates = set()
    for sighting in plan.sightings:
        if any(r.real for r in sighting.reaches):
            candidates |= {plan.owners[c.key].member.id for c in sighting.claims if c.key in plan.owners}
    if not candidates:
        return
    halves = absorbed_by(plan.merchant, candidates)
    condition, parameter = bulk.among("member_id", sorted(candidates | set(halves)))
    plan.with_phone = {
        halves.get(row[0], row[0])
        for row in bulk.select(
            "SELECT DISTINCT member_id FROM members_contact WHERE merchant_id = %s AND kind || '' = 'phone' AND "
            f"virtual = %s AND masked = %s AND {condition}",
            [plan.merchant, False, False, parameter],
        )
    }


def _contacts_of_families(plan: Plan) -> None:
    """A contact of somebody merged away is the survivor's: met again it is moved on in its row, not stored twice."""
    merged = survivors_of(plan.merchant, {member for member, _, _ in plan.contacts})
    for (member, kind, blind), held in list(plan.contacts.items()):
        if member in merged:
            del plan.contacts[member, kind, blind]
            plan.contacts.setdefault((merged[member], kind, blind), held)
