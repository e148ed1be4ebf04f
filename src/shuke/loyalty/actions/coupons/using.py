"""A coupon is held for a basket, redeemed with it, released, given back, voided, expired. Each exactly once.

Every step is a conditional update, so of two tills only one gets the coupon, and of a budget never more is given than there
is: the tally's update and its check constraint are the hard stop.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from shuke.engine.checkout import vouchers
from shuke.kit import audit, bulk, numbers
from shuke.loyalty.actions.coupons.issuing import write_moves
from shuke.loyalty.actions.coupons.refusals import CouponRefused
from shuke.loyalty.models import Coupon, CouponState
from shuke.loyalty.queries import coupons as stored
from shuke.members.actions import Note, note
from shuke.shops.models import Merchant


class Use(NamedTuple):
    """A coupon and the discount it gives in a basket."""

    coupon_id: int
    amount_minor: int


@transaction.atomic
def hold(*, merchant: Merchant, uses: Sequence[Use], checkout_id: int, ref: str, now: datetime, actor: str) -> None:
    """Set coupons aside for a basket, with the money of their budgets. All, or CouponRefused and none."""
    if not uses:
        return
    amounts = {one.coupon_id: one.amount_minor for one in uses}
    keys: dict[str, list[int]] = defaultdict(list)
    for pk in sorted(amounts):
        usable = Coupon.objects.filter(
            Q(valid_until=None) | Q(valid_until__gt=now), merchant=merchant, pk=pk, state=CouponState.OPEN
        )
        if not usable.update(state=CouponState.HELD, checkout_id=checkout_id, amount_minor=amounts[pk]):
            raise CouponRefused("taken", coupon=pk)
    for pk, key in Coupon.objects.filter(pk__in=amounts).values_list("pk", "key"):
        keys[key].append(amounts[pk])
    for key in sorted(keys):
        count, whole = len(keys[key]), sum(keys[key])
        done = bulk.execute(
            "UPDATE loyalty_coupon_tally SET held = held + %s, held_minor = held_minor + %s WHERE merchant_id = %s AND key = %s "
            "AND (budget_minor IS NULL OR held_minor + spent_minor + %s <= budget_minor) "
            "AND (most_redeemed IS NULL OR held + redeemed + %s <= most_redeemed)",
            [count, whole, merchant.pk, key, whole, count],
        )
        if not done:
            raise CouponRefused("budget_exhausted", key=key)
    write_moves(merchant, [(pk, "hold", "open", "held", amounts[pk], ref) for pk in sorted(amounts)], now, actor)


@transaction.atomic
def redeem(*, merchant: Merchant, checkout_id: int, ref: str, now: datetime, actor: str) -> int:
    """The basket was paid: what it held is used; how many."""
    held = _locked(merchant, checkout_id, CouponState.HELD)
    Coupon.objects.filter(pk__in=[c.pk for c in held]).update(state=CouponState.REDEEMED)
    for key, mine in _by_key(held):
        whole = sum(c.amount_minor for c in mine)
        bulk.execute(
            "UPDATE loyalty_coupon_tally SET held = held - %s, redeemed = redeemed + %s, held_minor = held_minor - %s, "
            "spent_minor = spent_minor + %s WHERE merchant_id = %s AND key = %s",
            [len(mine), len(mine), whole, whole, merchant.pk, key],
        )
    write_moves(merchant, [(c.pk, "redeem", "held", "redeemed", c.amount_minor, ref) for c in held], now, actor)
    lines = [
        Note(c.member_id, now, "coupon.redeemed", f"coupon:{c.pk}", {"key": c.key, "amount_minor": c.amount_minor, "order": ref})
        for c in held
        if c.member_id is not None
    ]  # fmt: skip
    note(merchant=merchant, lines=lines, now=now)
    return len(held)


@transaction.atomic
def release(*, merchant: Merchant, checkout_id: int, ref: str, now: datetime, actor: str) -> int:
    """The basket came to nothing: its coupons are open again, or expired if their time is over meanwhile."""
    held = _locked(merchant, checkout_id, CouponState.HELD)
    _reopen(merchant, held, "release", "held", ref, now, actor, {})
    return len(held)


@transaction.atomic
def give_back(
    *, merchant: Merchant, checkout_id: int, ref: str, now: datetime, actor: str, at: datetime | None = None
) -> list[int]:
    """The whole order came back: its coupons too, where their template says so. Expired ones live on for its grace.

    `at`: when it came back, if that is told late: what would have run out since then has.
    """
    used = _locked(merchant, checkout_id, CouponState.REDEEMED)
    back, until = [], {}
    for coupon in used:
        comes, end = vouchers.comes_back(stored.terms_of(coupon.template), coupon.valid_until, at or now, merchant.tz)
        if not comes:
            continue
        if end is not None and end != coupon.valid_until:
            until[coupon.pk] = end
        back.append(coupon)
    _reopen(merchant, back, "return", "redeemed", ref, now, actor, until)
    return [coupon.pk for coupon in back]


def _reopen(
    merchant: Merchant,
    coupons: list[Coupon],
    kind: str,
    before: str,
    ref: str,
    now: datetime,
    actor: str,
    until: dict[int, datetime],
) -> None:
    over = [c.pk for c in coupons if vouchers.is_over(until.get(c.pk, c.valid_until), now)]
    Coupon.objects.filter(pk__in=[c.pk for c in coupons if c.pk not in over]).update(
        state=CouponState.OPEN, checkout_id=None, amount_minor=0
    )
    Coupon.objects.filter(pk__in=over).update(state=CouponState.EXPIRED, checkout_id=None, amount_minor=0)
    for pk, moment in until.items():
        Coupon.objects.filter(pk=pk).update(valid_until=moment)
    figures = ("held", "held_minor") if before == "held" else ("redeemed", "spent_minor")
    for key, mine in _by_key(coupons):
        bulk.execute(
            f"UPDATE loyalty_coupon_tally SET {figures[0]} = {figures[0]} - %s, {figures[1]} = {figures[1]} - %s, "
            "expired = expired + %s WHERE merchant_id = %s AND key = %s",
            [len(mine), sum(c.amount_minor for c in mine), sum(c.pk in over for c in mine), merchant.pk, key],
        )
    moves = [(c.pk, kind, before, "expired" if c.pk in over else "open", c.amount_minor, ref) for c in coupons]
    write_moves(merchant, moves, now, actor)


@transaction.atomic
def void(*, merchant: Merchant, coupon_ids: Iterable[int], reason: str, now: datetime, actor: str) -> int:
    """Make open coupons useless, with a reason; how many. Raises CouponRefused for one that is not open."""
    wanted = sorted({one for one in coupon_ids if one <= numbers.MOST})
    coupons = list(
        Coupon.objects.select_for_update(no_key=True).filter(merchant=merchant, pk__in=wanted).order_by("pk")
    )
    for coupon in coupons:
        if coupon.state != CouponState.OPEN:
            raise CouponRefused("not_open", coupon=coupon.pk, state=coupon.state)
    Coupon.objects.filter(pk__in=[c.pk for c in coupons]).update(state=CouponState.VOID)
    for key, mine in _by_key(coupons):
        bulk.execute(
            "UPDATE loyalty_coupon_tally SET void = void + %s WHERE merchant_id = %s AND key = %s",
            [len(mine), merchant.pk, key],
        )
    write_moves(merchant, [(c.pk, "void", "open", "void", 0, reason) for c in coupons], now, actor)
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb="coupon.voided", detail={"coupons": wanted[:50], "reason": reason}
    )  # fmt: skip
    return len(coupons)


def expire(*, merchant: Merchant, now: datetime, at_once: int = 5000) -> int:
    """Book what ran out, batch by batch. A late run lets nobody use an old coupon: validity is asked at the till."""
    whole = 0
    while True:
        with transaction.atomic():
            coupons = list(
                Coupon.objects.select_for_update(no_key=True, skip_locked=bulk.is_postgres())
                .filter(merchant=merchant, state=CouponState.OPEN, valid_until__lte=now)
                .order_by("valid_until")[:at_once]
            )
            if not coupons:
                return whole
            condition, parameter = bulk.among("id", [c.pk for c in coupons])
            bulk.execute(
                f"UPDATE loyalty_coupon SET state = 'expired' WHERE +merchant_id = %s AND {condition}",
                [merchant.pk, parameter],
            )
            for key, mine in _by_key(coupons):
                bulk.execute(
                    "UPDATE loyalty_coupon_tally SET expired = expired + %s WHERE merchant_id = %s AND key = %s",
                    [len(mine), merchant.pk, key],
                )
            write_moves(merchant, [(c.pk, "expire", "open", "expired", 0, "") for c in coupons], now, "clock")
            whole += len(coupons)


def _locked(merchant: Merchant, checkout_id: int, state: CouponState) -> list[Coupon]:
    rows = Coupon.objects.select_for_update(no_key=True, of=("self",)).filter(
        merchant=merchant, checkout_id=checkout_id, state=state
    )
    return list(rows.select_related("template").order_by("pk"))


def _by_key(coupons: Iterable[Coupon]) -> list[tuple[str, list[Coupon]]]:
    found: dict[str, list[Coupon]] = defaultdict(list)
    for coupon in coupons:
        found[coupon.key].append(coupon)
    return sorted(found.items())
