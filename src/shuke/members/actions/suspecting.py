"""What people decide about two members who may be one person: the same, not the same, or to be looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from shuke.kit import audit, bulk, ids
from shuke.members.models import Member, Suspicion
from shuke.members.queries import NoSuchMember
from shuke.shops.models import Merchant

TOLD = "told"  # the reason of a pair that no file, but a person brought up


def suspect(*, merchant: Merchant, pairs: Iterable[tuple[int, int]], reason: str, now: datetime) -> None:
    """Raise a suspicion about pairs of members. A pair is suspected once for each reason; what was decided stays."""
    wanted = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    noted = bulk.moment()(now)
    bulk.insert_new(
        "members_suspicion",
        ("id", "merchant_id", "member_id", "other_id", "reason", "state", "noted_at"),
        [
            (id, merchant.pk, one, other, reason, "open", noted)
            for id, (one, other) in zip(ids.take(len(wanted)), wanted, strict=True)
        ],
    )


def tell_apart(*, merchant: Merchant, one: int, other: int, now: datetime, actor: str) -> None:
    """These are two people: remembered, and never suggested again, whatever further reason a file may bring."""
    with transaction.atomic():
        _known(merchant, one, other)
        decide_pair(merchant=merchant, one=one, other=other, state="different", now=now, actor=actor, told=True)
        _audit(merchant, "members.told_apart", one, other, now, actor)


def doubt_again(*, merchant: Merchant, one: int, other: int, now: datetime, actor: str) -> None:
    """Take `tell_apart` back: the pair is a suspicion again."""
    with transaction.atomic():
        _known(merchant, one, other)
        decide_pair(merchant=merchant, one=one, other=other, state="open", now=now, actor=actor, told=False)
        _audit(merchant, "members.doubted_again", one, other, now, actor)


def decide_pair(*, merchant: Merchant, one: int, other: int, state: str, now: datetime, actor: str, told: bool) -> None:
    """Set every suspicion of a pair to a state; `told` keeps the decision also where no file had raised one."""
    low, high = min(one, other), max(one, other)
    rows = Suspicion.objects.filter(merchant=merchant, member_id=low, other_id=high)
    if not rows.update(state=state) and told:
        Suspicion.objects.create(
            id=ids.new(), merchant=merchant, member_id=low, other_id=high, reason=TOLD, state=state, noted_at=now
        )


def _known(merchant: Merchant, one: int, other: int) -> None:
    found = set(Member.objects.filter(merchant=merchant, id__in=(one, other)).values_list("id", flat=True))
    for asked in (one, other):
        if asked not in found:
            raise NoSuchMember(asked)


def _audit(merchant: Merchant, verb: str, one: int, other: int, now: datetime, actor: str) -> None:
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb=verb, object=f"member {one}", detail={"other": str(other)}
    )
