"""Puts a decided batch into the tables, in a handful of statements. Only recognition calls it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from shuke.kit import bulk, crypto, ids
from shuke.members import terms, values
from shuke.members.actions.attributes import take_texts
from shuke.members.actions.consents import Statement, consent
from shuke.members.actions.deciding import Held, Known, Plan
from shuke.members.actions.gathering import Reach
from shuke.members.actions.reading import at, attributes_of
from shuke.members.actions.timeline import Note, note
from shuke.members.queries.keys import Blinds
from shuke.members.queries.reaching import contact_place, keys_of
from shuke.shops.models import Merchant

_MEMBER = (
    "state", "name", "nickname", "nickname_at", "gender", "birth_year", "birth_month", "birth_day", "birth_lunar",
    "province", "city", "phone_hint", "home_store_id", "acquired_by", "joined_at", "attributes", "note",
)  # fmt: skip

_CONTACT = (
    "id", "merchant_id", "member_id", "kind", "blind", "generation", "sealed", "role", "virtual", "masked", "usable_until",
    "last_seen_at",
)  # fmt: skip


def write(plan: Plan, merchant: Merchant, batch_id: int | None) -> None:
    """Everything a decided plan asks for; the caller has the transaction."""
    _take_attributes(plan, merchant)
    _write_members(plan, merchant)
    _write_identities(plan)
    _write_contacts(plan)
    find_by(plan.merchant, plan.new_names)
    _write_consents(plan, merchant, batch_id)
    if plan.suspicions:
        noted = bulk.moment()(plan.now)
        bulk.insert_new(
            "members_suspicion",
            ("id", "merchant_id", "member_id", "other_id", "reason", "state", "noted_at"),
            [
                (id, plan.merchant, one, other, reason, "open", noted)
                for id, (one, other, reason) in zip(
                    ids.take(len(plan.suspicions)), sorted(plan.suspicions), strict=True
                )
            ],
        )
    ref = f"batch:{batch_id}" if batch_id is not None else ""
    born = [s for s in plan.sightings if s.made or s.woke]
    lines = []
    for sighting in born:
        assert sighting.member is not None
        claim = sighting.claims[0].key
        body = {"by": claim[0], "realm": claim[1]} if sighting.made else {"woken": True}
        kind = "joined" if sighting.made else "woken"
        lines.append(Note(sighting.member.id, sighting.member.joined_at, kind, ref, body))
    note(merchant=merchant, lines=lines, now=plan.now)
    moved = [m for m in plan.members.values() if m.joined_before is not None and not m.is_new]
    if moved:  # the one line whose date may be corrected: an older file tells of an earlier beginning
        write_moment = bulk.moment()
        for member in moved:
            bulk.execute(
                "UPDATE members_timeline SET at = %s WHERE merchant_id = %s AND member_id = %s AND kind = 'joined'",
                [write_moment(member.joined_at), plan.merchant, member.id],
            )


def take_cards(merchant: int, count: int) -> list[str]:
    """The merchant's next card numbers; holds its row until the transaction ends."""
    if not count:
        return []
    ((after,),) = bulk.select(
        "UPDATE shops_merchant SET next_card = next_card + %s WHERE id = %s RETURNING next_card", [count, merchant]
    )
    return [values.card_number(serial) for serial in range(after - count, after)]


def _take_attributes(plan: Plan, merchant: Merchant) -> None:
    speaking = [s for s in plan.sightings if s.person.attributes and s.member is not None]
    if not speaking:
        return
    speaking.sort(key=lambda s: s.last_place)  # what was said last holds
    told: dict[int, dict[str, str]] = {}
    known: dict[int, Known] = {}
    for sighting in speaking:
        assert sighting.member is not None
        known[sighting.member.id] = sighting.member
        told.setdefault(sighting.member.id, {}).update((k, v) for k, v in sighting.person.attributes if v.strip())
    for member_id, read in take_texts(merchant=merchant, told=told).items():
        member = known[member_id]
        before = attributes_of(member)
        if any(before.get(key) != value for key, value in read.items()):
            member.attributes = before | read
            member.changed = True


def _row(member: Known, write_moment) -> tuple:
    return (
        member.state, member.name, member.nickname, write_moment(member.nickname_at), member.gender, *member.birth[:3],
        bool(member.birth[3]), member.province, member.city, member.phone_hint, member.home_store_id, member.acquired_by,
        write_moment(member.joined_at), json.dumps(attributes_of(member), ensure_ascii=False), member.note,
    )  # fmt: skip


def _write_members(plan: Plan, merchant: Merchant) -> None:
    new = [m for m in plan.members.values() if m.is_new]
    changed = sorted((m for m in plan.members.values() if m.changed and not m.is_new), key=lambda m: m.id)
    write_moment = bulk.moment()
    if new:
        for member, card in zip(new, take_cards(plan.merchant, len(new)), strict=True):
            member.card = card
        bulk.insert(
            "members_member",
            ("id", "merchant_id", "card", "tags", *_MEMBER),
            [(m.id, plan.merchant, m.card, "[]", *_row(m, write_moment)) for m in new],
        )
    if changed:
        bulk.update("members_member", _MEMBER, [(*_row(m, write_moment), m.id) for m in changed])


def _write_identities(plan: Plan) -> None:
    write_moment = bulk.moment()
    new, moved = [], []
    for key, owner in plan.owners.items():
        if owner.id is None:
            new.append((key, owner))
        elif owner.changed and owner.id:
            moved.append((owner.verified, write_moment(owner.first), write_moment(owner.last), owner.id))
    if new:
        bulk.insert(
            "members_identity",
            (
                "id",
                "merchant_id",
                "member_id",
                "kind",
                "realm",
                "blind",
                "generation",
                "shown",
                "verified",
                "first_seen_at",
                "last_seen_at",
            ),
            [
                (
                    id,
                    plan.merchant,
                    o.via or o.member.id,
                    *key,
                    plan.blinds.span.newest,
                    o.shown,
                    o.verified,
                    write_moment(o.first),
                    write_moment(o.last),
                )
                for id, (key, o) in zip(ids.take(len(new)), new, strict=True)
            ],
        )
    if moved:
        moved.sort(key=lambda row: row[3])
        bulk.update("members_identity", ("verified", "first_seen_at", "last_seen_at"), moved)


def _write_contacts(plan: Plan) -> None:
    write_moment = bulk.moment()
    new: list[tuple[int, Held]] = []
    moved = []
    newest_virtual: dict[int, tuple[datetime, bytes, Held]] = {}
    for (member, _, blind), held in plan.contacts.items():
        if held.id is not None:
            if held.changed:
                moved.append((write_moment(held.last), held.id))
            continue
        member = held.via or member
        if held.reach is not None and held.reach.virtual:
            best = newest_virtual.get(member)
            if best is None or (held.last, blind) > best[:2]:  # of two in one statement always the same one
                newest_virtual[member] = (held.last, blind, held)
        else:
            new.append((member, held))
    if moved:  # first: which virtual number is the latest is asked of the stored rows
        moved.sort(key=lambda row: row[1])
        bulk.update("members_contact", ("last_seen_at",), moved)
    if newest_virtual:
        new += _make_way(plan.merchant, newest_virtual)
    if not new:
        return
    store_contacts(plan.blinds, [(member, held.reach, held.last) for member, held in new if held.reach is not None])


def store_contacts(blinds: Blinds, new: list[tuple[int, Reach, datetime]]) -> None:
    """Seal and store contacts the members do not have yet, and make real phones findable.

    While the indexes climb, what others have of the same value climbs first: of one value all rows are of one generation.
    """
    merchant, newest = blinds.merchant, blinds.span.newest
    climb_contacts(
        merchant, newest, [(r.kind, old, r.blind) for _, r, _ in new for old in blinds.older.get(r.blind, ())]
    )
    write_moment = bulk.moment()
    keys = data_keys(merchant, sorted({member for member, _, _ in new}))
    rows, pairs = [], []
    for id, (member, reach, seen) in zip(ids.take(len(new)), new, strict=True):
        sealed = crypto.seal(reach.text.encode(), keys[member], contact_place(member, reach.kind))
        rows.append(
            (id, merchant, member, reach.kind, reach.blind, newest, sealed, reach.role, reach.virtual, reach.masked,
             write_moment(reach.expires_at), write_moment(seen))
        )  # fmt: skip
        if reach.real:
            pairs += [(piece, member) for piece in terms.grams_of(reach.text, merchant, newest)]
    bulk.insert("members_contact", _CONTACT, rows)
    post(merchant, pairs, newest)


def climb_contacts(merchant: int, generation: int, steps: Iterable[tuple[str, bytes, bytes]]) -> None:
    """All rows of these values (kind, old form, new form) are of the new generation afterwards."""
    for kind, old, new in dict.fromkeys(steps):
        bulk.execute(
            "UPDATE members_contact SET blind = %s, generation = %s WHERE merchant_id = %s AND kind = %s AND blind = %s",
            [new, generation, merchant, kind, old],
        )


def _make_way(merchant: int, newest: dict[int, tuple[datetime, bytes, Held]]) -> list[tuple[int, Held]]:
    """A virtual number changes with every order: only the latest of a member is kept. Returns those to be stored."""
    condition, parameter = bulk.among("member_id", sorted(newest))
    rows = bulk.select(
        "SELECT id, member_id, last_seen_at, blind FROM members_contact "
        f"WHERE merchant_id = %s AND virtual = %s AND {condition}",
        [merchant, True, parameter],
    )
    gone = []
    for id, member, last, blind in rows:
        if member in newest:
            if (at(last), bytes(blind)) > newest[member][:2]:
                del newest[member]
            else:
                gone.append(id)
    if gone:
        condition, parameter = bulk.among("id", gone)
        bulk.execute(f"DELETE FROM members_contact WHERE merchant_id = %s AND {condition}", [merchant, parameter])
    return [(member, held) for member, (_, _, held) in newest.items()]


def data_keys(merchant: int, members: list[int]) -> dict[int, bytes]:
    """Data keys of these members, made where they are missing."""
    keys = keys_of(merchant, members)
    missing = [member for member in members if member not in keys]
    if missing:
        made = crypto.new_data_keys(missing, merchant)
        version = crypto.newest_version()
        bulk.insert(
            "members_data_key",
            ("member_id", "merchant_id", "wrapped", "version"),
            [(member, merchant, wrapped, version) for member, (_, wrapped) in zip(missing, made, strict=True)],
        )
        keys.update((member, key) for member, (key, _) in zip(missing, made, strict=True))
    return keys


def post(merchant: int, pairs: list[tuple[bytes, int]], generation: int) -> None:
    """Make phones findable. Sorted, so that neighbours in the table say nothing about belonging together."""
    if pairs:
        blocks = crypto.postings(pairs, merchant, generation)
        rows = sorted((piece, block) for (piece, _), block in zip(pairs, blocks, strict=True))
        bulk.insert_new("members_phone_gram", ("merchant_id", "gram", "posting"), [(merchant, *row) for row in rows])


def unpost(merchant: int, pairs: list[tuple[bytes, int]], generation: int) -> None:
    """Take phones out of the search again."""
    for (piece, _), block in zip(pairs, crypto.postings(pairs, merchant, generation), strict=True):
        bulk.execute(
            "DELETE FROM members_phone_gram WHERE merchant_id = %s AND gram = %s AND posting = %s",
            [merchant, piece, block],
        )


def find_by(merchant: int, names: list[tuple[int, str]]) -> None:
    """Make members findable by these names and nicknames."""
    rows = {(term, member) for member, name in names for term in terms.of_text(name)}
    if rows:
        bulk.insert_new(
            "members_search_term",
            ("merchant_id", "term", "member_id"),
            [(merchant, term, member) for term, member in sorted(rows)],
        )


def _write_consents(plan: Plan, merchant: Merchant, batch_id: int | None) -> None:
    statements = [
        Statement(
            s.via or s.member.id,
            channel,
            purpose,
            granted,
            moment,
            source=f"import:{batch_id}" if batch_id else "import",
        )
        for s in plan.sightings
        if s.moments and s.member is not None
        for moment in s.moments
        for channel, purpose, granted in s.person.consents
    ]
    if statements:
        consent(merchant=merchant, statements=statements, now=plan.now)
