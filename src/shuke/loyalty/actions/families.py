"""Families that share points."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from shuke.kit import audit
from shuke.kit.refusal import Refusal
from shuke.loyalty.models import Family, Relative
from shuke.members.models import Member
from shuke.shops.models import Merchant

MOST = 12


REFUSALS = {
    "in_another": (
        "Member {card} is in a family already. Leave that one first.",
        "会员 {card} 已在另一个家庭中，请先退出。",
    ),
    "too_many": ("A family has at most {most} members.", "一个家庭最多 {most} 人。"),
    "empty": ("A family needs at least two members.", "家庭至少需要两位会员。"),
    "no_such_family": ("There is no such family.", "没有这个家庭。"),
}


class FamilyRefused(Refusal):
    """A member cannot be in this family. `code`: in_another | too_many | empty | no_such_family."""

    sentences = REFUSALS


@transaction.atomic
def found_family(*, merchant: Merchant, name: str, members: Sequence[int], now: datetime, actor: str) -> Family:
    """Members begin to share. Raises FamilyRefused."""
    wanted = list(dict.fromkeys(members))
    if len(wanted) < 2:
        raise FamilyRefused("empty")
    family = Family.objects.create(merchant=merchant, name=name.strip()[:60] or "·", made_at=now, made_by=actor)
    join_family(merchant=merchant, family_id=family.pk, members=wanted, now=now, actor=actor)
    return family


@transaction.atomic
def join_family(*, merchant: Merchant, family_id: int, members: Sequence[int], now: datetime, actor: str) -> None:
    """Raises FamilyRefused: somebody is in a family already, or there would be too many."""
    family = Family.objects.select_for_update(no_key=True).filter(merchant=merchant, pk=family_id).first()
    if family is None:
        raise FamilyRefused("no_such_family")
    there = Relative.objects.filter(merchant=merchant, family=family).count()
    if there + len(members) > MOST:
        raise FamilyRefused("too_many", most=MOST)
    for member in Member.objects.filter(merchant=merchant, pk__in=members).order_by("pk"):
        try:
            with transaction.atomic():
                Relative.objects.create(merchant=merchant, family=family, member=member, joined_at=now)
        except IntegrityError as error:
            raise FamilyRefused("in_another", card=member.card) from error
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb="family.joined", object=f"family {family.pk}",
        detail={"members": [str(m) for m in members]},
    )  # fmt: skip


@transaction.atomic
def leave_family(*, merchant: Merchant, member_id: int, now: datetime, actor: str) -> bool:
    """A member leaves; a family of one is none. False: was in no family. Points stay with who has them."""
    mine = Relative.objects.filter(merchant=merchant, member_id=member_id).first()
    if mine is None:
        return False
    mine.delete()
    left = Relative.objects.filter(merchant=merchant, family_id=mine.family_id)
    if left.count() < 2:
        left.delete()
        Family.objects.filter(merchant=merchant, pk=mine.family_id).delete()
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb="family.left", object=f"family {mine.family_id}",
        detail={"member": str(member_id)},
    )  # fmt: skip
    return True
