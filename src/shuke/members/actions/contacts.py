"""Contacts by hand: added, removed, and shown in the clear with a trace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.engine.facts import Address, Phone
from shuke.kit import audit
from shuke.kit.refusal import Refusal
from shuke.members import terms, values
from shuke.members.actions.gathering import Reach
from shuke.members.actions.timeline import Note, note
from shuke.members.actions.writing import store_contacts, unpost
from shuke.members.models import Contact, Member
from shuke.members.queries import NoSuchMember
from shuke.members.queries.keys import Blinds, span
from shuke.members.queries.reaching import numbers_of, open_contacts
from shuke.shops.models import Merchant

REFUSALS = {
    "bad_phone": (
        "A phone needs its whole number in international form, such as +8613800138000, without stars.",
        "电话须为完整的国际格式，如 +8613800138000，不含星号。",
    ),
    "bad_address": ("An address needs at least its detail line.", "地址至少需要详细地址一行。"),
    "bad_email": (
        "An e-mail address looks like name@example.org, without stars or spaces.",
        "邮箱应形如 name@example.org，不含星号或空格。",
    ),
}


class BadContact(Refusal):
    """A number or address that cannot be one; the message says what is expected."""

    sentences = REFUSALS


class NewContact(NamedTuple):
    """A way to reach a member, as somebody typed it in."""

    member_id: int
    value: Phone | Address | str  # a str is an e-mail address
    role: str = "member"


def add_contacts(*, merchant: Merchant, contacts: Sequence[NewContact], now: datetime, actor: str) -> int:
    """Store contacts the members do not have yet; returns how many were new.

    They make members reachable and findable. They identify nobody: recognition goes by identities. Raises BadContact,
    NoSuchMember, and then nothing is stored.
    """
    with transaction.atomic():
        blinds = Blinds(merchant.id, writing=True)
        reaches = [(contact.member_id, _reach(blinds, contact)) for contact in contacts]
        wanted = {member for member, _ in reaches}
        members = {
            m.id: m for m in Member.objects.filter(merchant=merchant, id__in=wanted).select_for_update().order_by("id")
        }
        if missing := sorted(wanted - set(members)):
            raise NoSuchMember(missing[0])
        held = {
            (member, kind, blinds.newest(bytes(blind)))
            for member, kind, blind in Contact.objects.filter(merchant=merchant, member_id__in=wanted).values_list(
                "member_id", "kind", "blind"
            )
        }
        new = {(member, reach.kind, reach.blind): reach for member, reach in reaches}
        stored = [(key[0], reach, now) for key, reach in new.items() if key not in held]
        if not stored:
            return 0
        store_contacts(blinds, stored)
        for member_id, reach, _ in stored:
            member = members[member_id]
            if reach.kind == "phone" and (reach.role == "member" or not member.phone_hint):
                member.phone_hint = values.masked_number(reach.text)
                member.save(update_fields=["phone_hint"])
        note(
            merchant=merchant,
            lines=[
                Note(member, now, "contact.added", "", {"kind": reach.kind, "by": actor}) for member, reach, _ in stored
            ],
            now=now,
        )
    return len(stored)


def _reach(blinds: Blinds, contact: NewContact) -> Reach:
    value = contact.value
    if isinstance(value, Phone):
        if not values.is_real_number(value):
            raise BadContact("bad_phone")
        return Reach("phone", blinds("phone", value.number), value.number, contact.role[:10], real=True)
    if isinstance(value, Address):
        if not value.text.strip():
            raise BadContact("bad_address")
        blind = blinds("address", values.plain_address(value))
        return Reach("address", blind, "\n".join(value), contact.role[:10])
    mail = value.strip().casefold()
    if "@" not in mail.strip("@") or values.is_masked(mail) or " " in mail:
        raise BadContact("bad_email")
    return Reach("email", blinds("email", mail), mail, contact.role[:10])


def remove_contacts(*, merchant: Merchant, contact_ids: Sequence[int], now: datetime, actor: str) -> int:
    """Forget contacts of this merchant, and stop finding their members by them; returns how many there were."""
    with transaction.atomic():
        rows = list(
            Contact.objects.filter(merchant=merchant, id__in=list(contact_ids)).select_for_update().order_by("id")
        )
        clear = open_contacts(merchant.id, rows)
        Contact.objects.filter(merchant=merchant, id__in=[row.id for row in rows]).delete()
        phones = [row for row in rows if row.kind == "phone" and not row.masked and not row.virtual]
        left = numbers_of(merchant.id, sorted({row.member_id for row in phones}))
        for row in phones:
            own = left.get(row.member_id, [])
            for generation in span(writing=True).every:
                still: set[bytes] = set().union(*[terms.grams_of(number, merchant.id, generation) for number in own])
                gone = terms.grams_of(clear[row.id], merchant.id, generation) - still
                unpost(merchant.id, [(gram, row.member_id) for gram in gone], generation)
            hint = values.masked_number(own[0]) if own else ""
            Member.objects.filter(merchant=merchant, id=row.member_id).update(phone_hint=hint)
        note(
            merchant=merchant,
            lines=[Note(row.member_id, now, "contact.removed", "", {"kind": row.kind, "by": actor}) for row in rows],
            now=now,
        )
    return len(rows)


def reveal(
    *, merchant: Merchant, contact_id: int, now: datetime, actor: str, reason: str = "", address: str = ""
) -> str:
    """One contact in the clear, and a line in the audit log that `actor` saw it. `address`: where the request came from.

    An address has its parts on six lines: detail, province, city, district, town, postcode. Raises NoSuchMember for a
    contact that this merchant does not have. The caller has checked that the actor may see it.
    """
    with transaction.atomic():
        row = Contact.objects.filter(merchant=merchant, id=contact_id).first()
        if row is None:
            raise NoSuchMember(f"contact {contact_id}")
        clear = open_contacts(merchant.id, [row])[row.id]
        audit.record(
            merchant_id=merchant.id, at=now, actor=actor, verb="contact.revealed", object=f"member {row.member_id}",
            detail={"contact": row.id, "kind": row.kind, "reason": reason}, address=address,
        )  # fmt: skip
    return clear
