"""Costs booked on members: acquisition, care, service, reward, recovery. One door for every room that spends on somebody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.engine.insight.profit import KINDS
from shuke.engine.insight.profit_words import Refused
from shuke.kit import audit, bulk, ids
from shuke.members.models import Member, MemberCost, MemberState
from shuke.shops.models import Merchant

MOST = 10**12  # minor units of one cost


class BadCost(Refused):
    """A cost that cannot be booked; `code` and the message say why. Nothing of the call was booked."""


class Cost(NamedTuple):
    """Money spent on one member; below 0 it is taken back. `key` names it for ever: a request sent again books nothing."""

    member_id: int
    kind: str  # acquisition | care | service | reward | recovery
    amount_minor: int
    at: datetime
    key: str
    source: str = "manual"  # or the room that caused it
    note: str = ""


def book_costs(*, merchant: Merchant, costs: Sequence[Cost], now: datetime, actor: str) -> int:
    """Book them, all or none; how many were new. Costs of points, coupons, gifts and draws are not booked here: they stand in the
    loyalty books, and the night adds them.

    Raises BadCost: bad_kind, bad_amount, bad_moment, bad_key, no_member, key_taken (same key, another cost).
    """
    wanted: dict[str, Cost] = {}
    for cost in costs:
        _check(cost, now)
        if wanted.setdefault(cost.key, cost) != cost:
            raise BadCost("key_taken", key=cost.key)
    there = set(
        Member.objects.filter(merchant=merchant, pk__in={cost.member_id for cost in wanted.values()})
        .exclude(state=MemberState.FORGOTTEN)
        .values_list("pk", flat=True)
    )
    for cost in wanted.values():
        if cost.member_id not in there:
            raise BadCost("no_member", member=cost.member_id)
    with transaction.atomic():
        known = MemberCost.objects.filter(merchant=merchant, key__in=list(wanted)).in_bulk(field_name="pk")
        for row in known.values():
            told = wanted.pop(row.key)
            if (row.member_id, row.kind, row.amount_minor) != (told.member_id, told.kind, told.amount_minor):
                raise BadCost("key_taken", key=row.key)
        if wanted:
            _write(merchant, list(wanted.values()), now, actor)
            audit.record(
                merchant_id=merchant.pk, at=now, actor=actor, verb="costs.booked",
                detail={"costs": len(wanted), "minor": sum(cost.amount_minor for cost in wanted.values())},
            )  # fmt: skip
    return len(wanted)


def _check(cost: Cost, now: datetime) -> None:
    if cost.kind not in KINDS:
        raise BadCost("bad_kind", kind=cost.kind, kinds=", ".join(KINDS))
    if cost.amount_minor == 0 or abs(cost.amount_minor) > MOST:
        raise BadCost("bad_amount", amount=cost.amount_minor)
    if cost.at > now:
        raise BadCost("bad_moment", day=f"{cost.at:%Y-%m-%d}")
    if not 0 < len(cost.key) <= 120:
        raise BadCost("bad_key")


def _write(merchant: Merchant, costs: list[Cost], now: datetime, actor: str) -> None:
    moment = bulk.moment()
    bulk.insert(
        "members_cost",
        ("id", "merchant_id", "member_id", "kind", "amount_minor", "at", "key", "source", "note", "booked_at", "actor"),
        [
            (pk, merchant.pk, cost.member_id, cost.kind, cost.amount_minor, moment(cost.at), cost.key, cost.source[:20],
             cost.note[:200], moment(now), actor[:80])
            for pk, cost in zip(ids.take(len(costs)), costs, strict=True)
        ],
    )  # fmt: skip
