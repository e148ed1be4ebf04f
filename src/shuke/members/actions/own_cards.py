"""Which member a person of the shop is: nobody gives themselves anything by hand."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.kit import audit
from shuke.members.models import OwnCard
from shuke.shops.models import Merchant, Staff


@transaction.atomic
def tell_own_card(
    *,
    merchant: Merchant,
    staff: Staff,
    member_id: int | None,
    reason: str,
    now: datetime,
    actor: str,
    address: str = "",
) -> bool:
    """This person is that member; None: no member any more. Whether that was news; said again it changes nothing."""
    Staff.objects.select_for_update(no_key=True).get(merchant=merchant, pk=staff.pk)
    before = OwnCard.objects.filter(merchant=merchant, staff=staff).first()
    if (before.member_id if before else None) == member_id:
        return False
    if member_id is None:
        OwnCard.objects.filter(merchant=merchant, staff=staff).delete()
    else:
        OwnCard.objects.update_or_create(merchant=merchant, staff=staff, defaults={"member_id": member_id})
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb="staff.card", object=f"staff {staff.pk}", address=address,
        detail={"member": member_id, "reason": reason.strip()[:200]},
    )  # fmt: skip
    return True
