"""Cards and freezing: a card is reported lost, found again or replaced; a member is frozen and set free."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from shuke.kit import audit
from shuke.kit.refusal import Refusal
from shuke.members.actions.timeline import Note, note
from shuke.members.actions.writing import take_cards
from shuke.members.models import Card, Member, MemberState
from shuke.members.queries import NoSuchMember
from shuke.shops.models import Merchant

REFUSALS = {
    "not_lost": ("Card {card} is not reported lost.", "卡号 {card} 没有挂失。"),
    "no_reason": (
        "Say why the member is frozen: whoever is asked at the till has to explain it.",
        "请写明冻结原因：收银台被问到时需要解释。",
    ),
    "not_active": (
        "Card {card} belongs to a record that is {state}: open the member it is now.",
        "卡号 {card} 所属档案已不再使用（{state}）：请打开现在的会员。",
    ),
}


class CardRefused(Refusal):
    """This cannot be done with the card (or the member) as it stands. `code` is stable; the message says what to do."""

    sentences = REFUSALS


def report_lost(*, merchant: Merchant, member_id: int, reason: str, now: datetime, actor: str) -> Card:
    """The card in use is lost. It still says who its member is, but the member is frozen until it is found or replaced:
    whoever holds it cannot spend. The same report again changes nothing."""
    with transaction.atomic():
        member = _locked(merchant, member_id)
        known = Card.objects.filter(merchant=merchant, number=member.card).first()
        if known is not None:
            return known
        card = Card.objects.create(
            merchant=merchant, member=member, number=member.card, state="lost", at=now, reason=reason[:200], actor=actor
        )
        if member.frozen_at is None:
            _freeze(member, now, f"card {member.card} lost")
        _tell(merchant, member, "card.lost", reason, now, actor)
    return card


def found_again(*, merchant: Merchant, member_id: int, now: datetime, actor: str) -> None:
    """The lost card has turned up before it was replaced; a freeze that came with the loss ends."""
    with transaction.atomic():
        member = _locked(merchant, member_id)
        gone, _ = Card.objects.filter(merchant=merchant, number=member.card, state="lost").delete()
        if not gone:
            raise CardRefused("not_lost", card=member.card)
        _thaw_after_loss(member)
        _tell(merchant, member, "card.found", "", now, actor)


def replace_card(*, merchant: Merchant, member_id: int, reason: str, now: datetime, actor: str) -> str:
    """A new number for the member; the new card. The old one goes on finding the member and says that it was replaced.
    A freeze that came with the loss ends."""
    with transaction.atomic():
        member = _locked(merchant, member_id)
        (number,) = take_cards(merchant.pk, 1)
        Card.objects.update_or_create(
            merchant=merchant,
            number=member.card,
            defaults={
                "member": member, "state": "replaced", "at": now, "reason": reason[:200], "actor": actor,
                "replaced_by": number,
            },
        )  # fmt: skip
        _thaw_after_loss(member)
        member.card = number
        member.save(update_fields=["card"])
        _tell(merchant, member, "card.replaced", reason, now, actor, card=number)
    return number


def freeze(*, merchant: Merchant, member_ids: Sequence[int], reason: str, now: datetime, actor: str) -> int:
    """Points of these members can be neither spent nor set aside until somebody unfreezes them; how many are newly
    frozen. Earning, refunds and expiry go on: they are facts."""
    if not reason.strip():
        raise CardRefused("no_reason")
    with transaction.atomic():
        fresh = [m for m in (_locked(merchant, pk) for pk in sorted(set(member_ids))) if m.frozen_at is None]
        for member in fresh:
            _freeze(member, now, reason.strip())
            _tell(merchant, member, "frozen", reason, now, actor)
    return len(fresh)


def unfreeze(*, merchant: Merchant, member_ids: Sequence[int], reason: str, now: datetime, actor: str) -> int:
    """Set members free again; how many were frozen."""
    with transaction.atomic():
        held = [m for m in (_locked(merchant, pk) for pk in sorted(set(member_ids))) if m.frozen_at is not None]
        for member in held:
            member.frozen_at, member.frozen_because = None, ""
            member.save(update_fields=["frozen_at", "frozen_because"])
            _tell(merchant, member, "unfrozen", reason, now, actor)
    return len(held)


def _locked(merchant: Merchant, member_id: int) -> Member:
    member = Member.objects.filter(merchant=merchant, pk=member_id).select_for_update().first()
    if member is None:
        raise NoSuchMember(member_id)
    if member.state != MemberState.ACTIVE:
        raise CardRefused("not_active", card=member.card, state=member.state)
    return member


def _freeze(member: Member, now: datetime, because: str) -> None:
    member.frozen_at, member.frozen_because = now, because[:200]
    member.save(update_fields=["frozen_at", "frozen_because"])


def _thaw_after_loss(member: Member) -> None:
    """Only the freeze that the loss itself brought: one with a reason of its own stays."""
    if member.frozen_because == f"card {member.card} lost":
        member.frozen_at, member.frozen_because = None, ""
        member.save(update_fields=["frozen_at", "frozen_because"])


def _tell(
    merchant: Merchant, member: Member, kind: str, reason: str, now: datetime, actor: str, card: str = ""
) -> None:
    body = {"card": card or member.card, "reason": reason.strip()[:200], "by": actor}
    note(merchant=merchant, lines=[Note(member.pk, now, kind, "", body)], now=now)
    verb = kind if "." in kind else f"member.{kind}"
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb=verb, object=f"member {member.pk}", detail={"reason": reason}
    )
