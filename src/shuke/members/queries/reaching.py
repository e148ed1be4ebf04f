"""How members can be reached, and what they agreed to. Values come out masked; in the clear only by actions.reveal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shuke.kit import bulk, crypto
from shuke.members import values
from shuke.members.models import Consent, Contact, DataKey
from shuke.members.queries.families import family
from shuke.shops.models import Merchant


class Reachable(NamedTuple):
    """One contact, masked."""

    id: int
    kind: str  # phone | email | address
    shown: str
    role: str
    virtual: bool
    masked: bool
    usable_until: datetime | None
    last_seen_at: datetime


def contact_place(member: int, kind: str) -> bytes:
    """What a contact's seal is bound to: moved to another member or kind, it does not open."""
    return b"contact %d %s" % (member, kind.encode())


def keys_of(merchant: int, members: Sequence[int]) -> dict[int, bytes]:
    """Data keys of those members that have one."""
    if not members:
        return {}
    condition, parameter = bulk.among("member_id", list(members))
    return {
        member: crypto.unwrap(bytes(wrapped), member, merchant, version)
        for member, wrapped, version in bulk.select(
            f"SELECT member_id, wrapped, version FROM {DataKey._meta.db_table} WHERE merchant_id = %s AND {condition}",
            [merchant, parameter],
        )
    }


def numbers_of(merchant: int, members: Sequence[int]) -> dict[int, list[str]]:
    """Real phone numbers in the clear, latest first, for code that compares or masks them. Never hand them to a door."""
    keys = keys_of(merchant, members)
    if not keys:
        return {}
    condition, parameter = bulk.among("member_id", list(keys))
    numbers: dict[int, list[str]] = {}
    for member, sealed in bulk.select(
        f"SELECT member_id, sealed FROM members_contact WHERE merchant_id = %s AND {condition} AND kind || '' = 'phone' "
        "AND NOT masked AND NOT virtual ORDER BY last_seen_at DESC, id",
        [merchant, parameter],
    ):
        numbers.setdefault(member, []).append(
            crypto.unseal(sealed, keys[member], contact_place(member, "phone")).decode()
        )
    return numbers


def open_contacts(merchant: int, contacts: Iterable[Contact]) -> dict[int, str]:
    """Contacts in the clear, by contact id. An address has six lines: detail, province, city, district, town, postcode."""
    contacts = list(contacts)
    keys = keys_of(merchant, sorted({contact.member_id for contact in contacts}))
    return {
        c.id: crypto.unseal(bytes(c.sealed), keys[c.member_id], contact_place(c.member_id, c.kind)).decode()
        for c in contacts
        if c.member_id in keys
    }


def contacts_of(merchant: Merchant, member_id: int) -> list[Reachable]:
    """A member's contacts, masked, latest first; those of members merged into it too, the same value once."""
    own = family(merchant.id, member_id)
    found = Contact.objects.filter(merchant=merchant, member_id__in=own).order_by("kind", "-last_seen_at", "id")
    rows = list({(row.kind, bytes(row.blind)): row for row in reversed(found)}.values())[::-1]
    clear = open_contacts(merchant.id, rows)
    return [
        Reachable(
            row.id, row.kind, _masked(row.kind, clear.get(row.id, "")), row.role, row.virtual, row.masked,
            row.usable_until, row.last_seen_at,
        )
        for row in rows
    ]  # fmt: skip


def _masked(kind: str, text: str) -> str:
    if kind == "phone":
        return values.masked_number(text)
    if kind == "email":
        return values.masked_email(text)
    detail, *place = [*text.split("\n"), "", "", "", "", ""][:5]
    return " ".join([part for part in place if part] + ["***"]) if detail or any(place) else ""


def current_consents(merchant: Merchant, member_id: int) -> dict[tuple[str, str], Consent]:
    """The statement in force per channel and purpose: the latest one, granted or withdrawn, by whichever record of
    this person. Merging writes a refusal where the two disagreed, so the latest is also the stricter."""
    return consents_of(merchant, family(merchant.id, member_id))


def consents_of(merchant: Merchant, member_ids: Any, *, without: str = "") -> dict[tuple[str, str], Consent]:
    """The latest statement per channel and purpose among these members' own rows; `without` leaves one source out."""
    rows = Consent.objects.filter(merchant=merchant, member_id__in=member_ids).order_by("at", "id")
    return {(row.channel, row.purpose): row for row in rows if not without or row.source != without}
