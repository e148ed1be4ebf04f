"""A person looks at a bond that was held, and decides; gifts of referral are handed over."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.kit import audit
from shuke.loyalty.actions.referral.refusals import ReferralRefused
from shuke.loyalty.actions.referral.rewarding import settle_referrals
from shuke.loyalty.models import Referral, ReferralReward
from shuke.members.actions.timeline import Note, note
from shuke.members.queries.families import survivors_of
from shuke.shops import queries as shops
from shuke.shops.models import Merchant


def decide(*, merchant: Merchant, referral_id: int, approve: bool, reason: str, now: datetime, actor: str) -> Referral:
    """Approve or decline, with a reason, once; then the bond is settled. Raises ReferralRefused.

    Something already paid can still be declined: the reward is taken back. Nobody decides about a bond they entered.
    """
    with transaction.atomic():
        found = Referral.objects.select_for_update(no_key=True).filter(merchant=merchant, pk=referral_id).first()
        if found is None:
            raise ReferralRefused("no_such_referral")
        if found.decision:
            raise ReferralRefused("decided", decision=found.decision, by=found.decided_by)
        if not reason.strip():
            raise ReferralRefused("no_reason")
        if approve and shops.person_behind(merchant, found.actor) == shops.person_behind(merchant, actor):
            raise ReferralRefused("own_case")
        found.decision = "approved" if approve else "declined"
        found.decided_at, found.decided_by, found.decided_because = now, actor[:60], reason.strip()[:200]
        found.look_at = now
        found.save(update_fields=["decision", "decided_at", "decided_by", "decided_because", "look_at"])
        audit.record(
            merchant_id=merchant.pk,
            at=now,
            actor=actor,
            verb=f"referral.{found.decision}",
            object=f"referral {found.pk}",
            detail={"reason": found.decided_because, "signals": [s["kind"] for s in found.signals]},
        )
    home = survivors_of(merchant.pk, [found.referrer_id])
    settle_referrals(
        merchant=merchant, referrer_ids=[home.get(found.referrer_id, found.referrer_id)], now=now, actor=actor
    )
    found.refresh_from_db()
    return found


@transaction.atomic
def hand_gift(*, merchant: Merchant, reward_id: int, now: datetime, actor: str) -> ReferralReward:
    """The gift is in the member's hands. The same call again says it was done. Raises ReferralRefused."""
    found = ReferralReward.objects.select_for_update(no_key=True).filter(
        merchant=merchant, pk=reward_id, kind="gift"
    ).first()  # fmt: skip
    if found is None or found.amount < 1:
        raise ReferralRefused("no_such_gift")
    if found.handed_at is None:
        found.handed_at, found.handed_by = now, actor[:60]
        found.save(update_fields=["handed_at", "handed_by"])
        body: dict[str, object] = {"label": found.name, "by": actor}
        if found.cost_minor:
            body["cost_minor"] = found.cost_minor
        line = Note(found.member_id, now, "referral.gift", f"referral:{found.referral_id}", body)
        note(merchant=merchant, lines=[line], now=now)
    return found
