"""Somebody becomes a member by hand: at the counter, on the phone, by a form. Called by flows.join."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.engine.facts import Claim, Person
from shuke.kit import audit, ids
from shuke.kit.refusal import Refusal
from shuke.members import values
from shuke.members.actions.gathering import Usable, shown
from shuke.members.actions.timeline import Note, note
from shuke.members.actions.writing import find_by, take_cards
from shuke.members.models import Identity, Member, SpecialDay
from shuke.members.queries import NoSuchMember
from shuke.members.queries.keys import Blinds
from shuke.shops.models import Merchant

IN_CHINESE = {"phone": "手机号", "nickname": "平台账号", "email": "邮箱", "card": "卡号", "platform_id": "平台编号"}


class IdentityTaken(Refusal):
    """Somebody else has this number or name: `holder` is the member it belongs to."""

    sentences = {
        "identity_taken": (
            "This {kind} belongs to card {card}. Open that member, or merge the two if they are one person.",
            "该{kind}属于卡号 {card} 的会员。请打开那位会员；若为同一人，请合并。",
        )
    }

    def __init__(self, kind: str, holder: Member) -> None:
        self.kind, self.holder = kind, holder
        super().__init__("identity_taken", kind={"en": kind, "zh": IN_CHINESE.get(kind, kind)}, card=holder.card)


class Day(NamedTuple):
    """A special day as told. Year 0: not told."""

    kind: str  # wedding | child | other
    name: str
    year: int
    month: int
    day: int
    lunar: bool = False


class BadDay(Refusal):
    """A day that is in no calendar."""

    sentences = {"bad_day": ("There is no day {day} of month {month} ({kind}).", "{month} 月没有 {day} 日（{kind}）。")}


def enrol(*, merchant: Merchant, now: datetime, actor: str) -> Member:
    """A member with a card and nothing else; the rest is told by the other actions, in the caller's transaction."""
    with transaction.atomic():
        (card,) = take_cards(merchant.pk, 1)
        member = Member.objects.create(id=ids.new(), merchant=merchant, card=card, joined_at=now)
        note(merchant=merchant, lines=[Note(member.pk, now, "joined", "", {"by": "staff", "actor": actor})], now=now)
        audit.record(
            merchant_id=merchant.pk, at=now, actor=actor, verb="member.joined", object=f"member {member.pk}", detail={}
        )
    return member


def claim_identities(*, merchant: Merchant, member_id: int, claims: Sequence[Claim], now: datetime, actor: str) -> int:
    """Say who a member is elsewhere; returns how many were new. Raises IdentityTaken for what somebody else has:
    no identity changes hands."""
    with transaction.atomic():
        if not Member.objects.filter(merchant=merchant, pk=member_id).select_for_update().exists():
            raise NoSuchMember(member_id)
        new, blinds = [], Blinds(merchant.pk, writing=True)
        for claim in claims:
            kind = str(claim.kind.value)
            value = values.usable(claim, kind, Person(claims=(claim,)))
            if not value:
                continue
            key = (kind, claim.realm[:20], blinds(kind, value))
            held = Identity.objects.filter(
                merchant=merchant, kind=kind, realm=key[1], blind__in=blinds.forms(kind, value)
            )
            found = held.select_related("member__merged_into").first()
            if found is not None:
                holder = found.member.merged_into or found.member
                if holder.pk != member_id:
                    raise IdentityTaken(kind, holder)
                continue
            Identity.objects.create(
                merchant=merchant, member_id=member_id, kind=kind, realm=key[1], blind=key[2], generation=blinds.span.newest,
                shown=shown(Usable(key, 1, claim.verified, value)), verified=claim.verified, first_seen_at=now, last_seen_at=now,
            )  # fmt: skip
            new.append(kind)
            if kind == "nickname":
                find_by(merchant.pk, [(member_id, values.without_contacts(value))])
        if new:
            told = {"kinds": new, "by": actor}
            note(merchant=merchant, lines=[Note(member_id, now, "identity.added", "", told)], now=now)
    return len(new)


def set_special_days(*, merchant: Merchant, member_id: int, days: Sequence[Day], now: datetime, actor: str) -> bool:
    """Replace a member's special days; whether anything changed. Raises BadDay."""
    for one in days:
        if not (1 <= one.month <= 12 and 1 <= one.day <= (30 if one.lunar else 31)) or one.kind not in KINDS:
            raise BadDay("bad_day", day=one.day, month=one.month, kind=one.kind)
    with transaction.atomic():
        rows = SpecialDay.objects.filter(merchant=merchant, member_id=member_id)
        held = [Day(r.kind, r.name, r.year, r.month, r.day, r.lunar) for r in rows.order_by("month", "day", "id")]
        wanted = sorted(
            {d._replace(name=d.name.strip()[:40]) for d in days}, key=lambda d: (d.month, d.day, d.kind, d.name)
        )
        if sorted(held) == sorted(wanted):
            return False
        rows.delete()
        SpecialDay.objects.bulk_create(
            SpecialDay(id=ids.new(), merchant=merchant, member_id=member_id, **d._asdict()) for d in wanted
        )
        told = {"fields": ["special_days"], "by": actor}
        note(merchant=merchant, lines=[Note(member_id, now, "profile.edited", "", told)], now=now)
    return True


KINDS = ("wedding", "child", "other")
