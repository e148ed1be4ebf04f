"""Somebody joins, or tells more about themselves: everything a form, a command or the API says of one member at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.facts import Address, Claim, IdentityKind, Phone
from shuke.flows import referral
from shuke.kit.refusal import Refusal
from shuke.loyalty import actions as loyalty
from shuke.loyalty.models import ReferralCode
from shuke.members import actions as members
from shuke.members import values
from shuke.members.actions import NewContact, Statement
from shuke.members.actions.enrolling import Day, IdentityTaken, claim_identities, enrol, set_special_days
from shuke.members.models import Contact, Member, MemberState
from shuke.members.queries.keys import Blinds
from shuke.shops.models import Merchant

__all__ = ["Day", "IdentityTaken", "Joined", "PhoneKnown", "Said", "holders_of", "join", "tell"]


class Said(NamedTuple):
    """What is told of a member. Only what is there is changed."""

    profile: Mapping[str, Any] = {}  # fields of members.actions.edit_profile
    phones: Sequence[str] = ()  # as typed or in international form
    email: str = ""
    addresses: Sequence[Address] = ()
    nicknames: Sequence[tuple[str, str]] = ()  # platform, name
    attributes: Mapping[str, Any] = {}
    tags: Sequence[str] = ()
    days: Sequence[Day] | None = None  # special days, all of them; None: not spoken of
    consents: Sequence[tuple[str, str, bool]] = ()  # channel, purpose, granted
    wording: str = ""  # version of the text agreed to
    evidence: str = ""  # the paper form's number, the recording …
    code: ReferralCode | None = None  # of the member who brought them; only whoever joins can tell one
    device: bytes | None = None  # the browser it was told from


class Joined(NamedTuple):
    member: Member


class PhoneKnown(Refusal):
    """Somebody has this phone already; `holders` are the members. Say `anyway` for a family that shares one."""

    sentences = {
        "phone_known": (
            "This phone belongs to card {cards}. Open that member, or say that the phone is shared.",
            "该手机号属于卡号 {cards} 的会员。请打开那位会员；若为家人共用，请注明。",
        )
    }

    def __init__(self, holders: list[Member]) -> None:
        self.holders = holders
        super().__init__("phone_known", cards=", ".join(m.card for m in holders))


def holders_of(merchant: Merchant, number: str) -> list[Member]:
    """The members who have this very phone; of somebody merged away, the survivor."""
    rows = Contact.objects.filter(
        merchant=merchant,
        kind="phone",
        blind__in=Blinds(merchant.pk).forms("phone", values.typed_number(number)),
        virtual=False,
        masked=False,
    )
    found = [row.member.merged_into or row.member for row in rows.select_related("member__merged_into")[:10]]
    living = {m.pk: m for m in found if m.state == MemberState.ACTIVE}
    return [living[pk] for pk in sorted(living)]


def join(*, merchant: Merchant, said: Said, anyway: bool = False, source: str, now: datetime, actor: str) -> Joined:
    """A new member with all that is told, or nothing. Raises PhoneKnown (unless `anyway`), IdentityTaken, BadProfile,
    BadContact, BadAttribute, BadDay.

    A phone nobody else has becomes an identity: files that name it as the buyer's own find this member. A shared one only
    reaches them.
    """
    said = _normal(said)
    with transaction.atomic():
        if not anyway:
            for number in said.phones:
                if holders := holders_of(merchant, number):
                    raise PhoneKnown(holders)
        own = [number for number in said.phones if not holders_of(merchant, number)]
        member = enrol(merchant=merchant, now=now, actor=actor)
        claims = [Claim(IdentityKind.PHONE, number) for number in own]
        claim_identities(merchant=merchant, member_id=member.pk, claims=claims, now=now, actor=actor)
        _tell(merchant, member.pk, said, source, now, actor)
        loyalty.settle(merchant=merchant, order_ids=[], also_members=[member.pk], now=now, actor=actor)
        referral.bind_on_joining(
            merchant=merchant,
            newcomer_id=member.pk,
            referrer_id=said.profile.get("referred_by"),
            code=said.code,
            how="link" if said.device else "form" if said.code else "staff",
            now=now,
            actor=actor,
            device=said.device,
        )
        member.refresh_from_db()
    return Joined(member)


def tell(*, merchant: Merchant, member_id: int, said: Said, source: str, now: datetime, actor: str) -> Member:
    """Change what is told of a member, all of it or nothing; the books follow where they depend on it (birthday)."""
    said = _normal(said)
    with transaction.atomic():
        birthday = Member.objects.filter(merchant=merchant, pk=member_id).values_list(
            "birth_month", "birth_day", "birth_lunar"
        )
        before = birthday.first()
        _tell(merchant, member_id, said, source, now, actor)
        if birthday.first() != before:
            loyalty.settle(merchant=merchant, order_ids=[], also_members=[member_id], now=now, actor=actor)
    return Member.objects.get(merchant=merchant, pk=member_id)


def _normal(said: Said) -> Said:
    return said._replace(phones=[values.typed_number(number) for number in said.phones])


def _tell(merchant: Merchant, member_id: int, said: Said, source: str, now: datetime, actor: str) -> None:
    told: dict[str, Any] = {"merchant": merchant, "now": now, "actor": actor}
    if said.profile:
        members.edit_profile(member_id=member_id, changes=said.profile, **told)
    contacts: list[NewContact] = [NewContact(member_id, Phone(number)) for number in said.phones]
    contacts += [NewContact(member_id, said.email)] if said.email else []
    contacts += [NewContact(member_id, address) for address in said.addresses]
    if contacts:
        members.add_contacts(contacts=contacts, **told)
    names = [Claim(IdentityKind.NICKNAME, name, platform) for platform, name in said.nicknames]
    if names:
        claim_identities(member_id=member_id, claims=names, **told)
    if said.attributes:
        members.set_attributes(merchant=merchant, values={member_id: said.attributes})
    if said.tags:
        members.add_tags(member_ids=[member_id], tags=said.tags, **told)
    if said.days is not None:
        set_special_days(member_id=member_id, days=said.days, **told)
    members.consent(
        merchant=merchant,
        statements=[
            Statement(member_id, channel, purpose, granted, now, source, said.wording, actor, said.evidence)
            for channel, purpose, granted in said.consents
        ],
        now=now,
    )
