"""The real thing: hold what a basket uses, then capture or release it, or let it time out. Each exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.checkout import Basket
from shuke.flows.checkout import pooled, prepaid
from shuke.flows.checkout.keys import hash_of
from shuke.flows.checkout.pricing import Codes, Seen, look_up_codes, see
from shuke.flows.checkout.refusals import CheckoutRefused
from shuke.flows.checkout.returning import follow_event
from shuke.kit import money
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions import checkouts
from shuke.loyalty.actions import coupons as coupon_actions
from shuke.loyalty.actions.coupons import CouponRefused, Issue, Use
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import checkouts as stored
from shuke.orders import actions as archive
from shuke.shops.models import Merchant

MOST_MINUTES = 24 * 60
TRIES = 3


class Held(NamedTuple):
    """A basket that was held, captured or released."""

    id: int
    key: str
    state: str
    times_out_at: datetime
    priced: dict[str, Any]
    order_event: str = ""
    replayed: bool = False


class _Lost(Exception):
    """Somebody was quicker with a point or a coupon: price again with what is left."""


def hold(
    *,
    merchant: Merchant,
    key: str,
    basket: Basket,
    told: Mapping[str, Any],
    member_id: int | None,
    minutes: int = 15,
    expect_due: int | None = None,
    now: datetime,
    actor: str,
    callers: Sequence[str] = (),
) -> Held:
    """Price the basket and set aside what it uses. `told` is the basket as it came, kept beside the answer.

    The same key with the same basket gives the first answer, for ever; with another one it is an error. Effects, in one
    transaction: codes looked up (before it); points held; shared codes turned into coupons; coupons and their budgets held;
    the basket's row. With `expect_due` nothing is held at another price.
    """
    if not 1 <= minutes <= MOST_MINUTES:
        raise CheckoutRefused("hold_too_long", most=MOST_MINUTES)
    payload = hash_of(
        {"basket": prepaid.hidden(merchant, told), "member": member_id, "minutes": minutes, "expect": expect_due}
    )
    before = stored.checkout(merchant, key)
    if before is not None:
        return _replay(before, payload)
    codes = look_up_codes(merchant, basket.asks, callers or [actor], now)
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                return _hold(merchant, key, payload, basket, told, member_id, minutes, expect_due, now, actor, codes)
        except _Lost:
            continue
    raise CheckoutRefused("busy")


def _hold(
    merchant: Merchant,
    key: str,
    payload: bytes,
    basket: Basket,
    told: Mapping[str, Any],
    member_id: int | None,
    minutes: int,
    expect_due: int | None,
    now: datetime,
    actor: str,
    codes: Codes,
) -> Held:
    until = now + timedelta(minutes=minutes)
    row = checkouts.place_checkout(
        merchant=merchant, key=key, payload=payload, member_id=member_id, times_out_at=until, now=now, actor=actor
    )
    if row is None:
        before = stored.checkout(merchant, key)
        assert before is not None
        return _replay(before, payload)
    seen = see(merchant, basket, member_id, codes, now)
    priced = seen.priced
    if expect_due is not None and priced.due != expect_due:
        shown = [money.show(minor, priced.currency) for minor in (priced.due, expect_due)]
        raise CheckoutRefused("price_changed", due=shown[0], expected=shown[1])
    if not pooled.hold(merchant, row, priced, basket.asks, until, now, actor):
        raise _Lost
    if not prepaid.hold(merchant, row, priced, minutes, now, actor):
        raise _Lost
    _hold_coupons(merchant, row, seen, member_id, now, actor)
    answer_plain = priced.to_plain()
    checkouts.fill_checkout(
        row=row,
        basket=prepaid.hidden(merchant, told, codes.cards),
        priced=answer_plain,
        points=priced.points,
        stored_value=priced.stored_value,
        gift_cards={one.ref: one.amount for one in priced.applied if one.step == "gift_cards"},
        due=priced.due,
    )
    return _told(row)


def _hold_coupons(
    merchant: Merchant, row: Checkout, seen: Seen, member_id: int | None, now: datetime, actor: str
) -> None:
    uses = []
    for one in seen.priced.applied:
        if one.step != "coupons":
            continue
        if one.ref in seen.shared:
            coupon_id = _from_shared_code(merchant, seen.shared[one.ref], member_id, row, now, actor)
        else:
            coupon_id = seen.rows[one.ref].pk
        uses.append(Use(coupon_id, one.amount))
    try:
        coupon_actions.hold(
            merchant=merchant, uses=uses, checkout_id=row.pk, ref=f"checkout:{row.key}", now=now, actor=actor
        )
    except CouponRefused as error:
        raise _Lost from error


def _from_shared_code(
    merchant: Merchant, key: str, member_id: int | None, row: Checkout, now: datetime, actor: str
) -> int:
    """Whoever uses a shared code gets a coupon of their own by it; its limits are those of issuing."""
    if member_id is None:
        try:
            return coupon_actions.issue_bearer(merchant=merchant, key=key, source="code", now=now, actor=actor)
        except CouponRefused as error:
            raise _Lost from error
    issues = [Issue(key, member_id, "code")]
    (issued,) = coupon_actions.issue(merchant=merchant, issues=issues, now=now, actor=actor)
    if not issued.coupons:
        raise _Lost
    return issued.coupons[0]


def capture(*, merchant: Merchant, key: str, order_event: str, now: datetime, actor: str) -> Held:
    """The basket was paid and became this order: points are spent, coupons redeemed. Again for the same order: the same."""
    with transaction.atomic():
        if order_event:  # what the archive hears of it at the same moment is looked at before, or behind it
            archive.hold_event_still(merchant, order_event)
        row = _locked(merchant, key)
        if row.state == "captured":
            if row.order_event != order_event:
                raise CheckoutRefused("other_order", key=key, order=row.order_event)
            return _told(row, replayed=True)
        if row.state != "open" or row.times_out_at <= now:
            raise CheckoutRefused("checkout_over", key=key, state=row.state if row.state != "open" else "timed_out")
        if order_event and stored.of_orders(merchant, [order_event]):
            raise CheckoutRefused("order_taken", order=order_event)
        if not pooled.capture(merchant, row, now, actor) or not prepaid.capture(merchant, row, now, actor):
            raise CheckoutRefused("checkout_over", key=key, state="timed_out")
        checkouts.resolve_checkout(row=row, state="captured", now=now, order_event=order_event)
        if order_event and row.member_id is not None:
            loyalty.settle_paid(merchant=merchant, member_id=row.member_id, now=now, actor=actor)
        ref = order_event or f"checkout:{key}"
        coupon_actions.redeem(merchant=merchant, checkout_id=row.pk, ref=ref, now=now, actor=actor)
        if order_event:  # the archive may have heard of the order, and of refunds, before the till told whose it is
            follow_event(merchant=merchant, event=order_event, now=now, actor=actor)
        return _told(_locked(merchant, key))


def release(*, merchant: Merchant, key: str, now: datetime, actor: str) -> Held:
    """The basket came to nothing: what it held is free again. Again: the same."""
    with transaction.atomic():
        row = _locked(merchant, key)
        if row.state in ("released", "timed_out"):
            return _told(row, replayed=True)
        if row.state != "open":
            raise CheckoutRefused("checkout_over", key=key, state=row.state)
        _let_go(merchant, row, "released", now, actor)
        return _told(_locked(merchant, key))


def release_timed_out(*, merchant: Merchant, now: datetime) -> int:
    """Let go what forgotten baskets hold; how many. Points time out by the books' own clock as well."""
    count = 0
    for due in stored.timed_out(merchant, now):
        with transaction.atomic():
            row = _locked(merchant, due.key)
            if row.state == "open":
                _let_go(merchant, row, "timed_out", now, "clock")
                count += 1
    return count


def _let_go(merchant: Merchant, row: Checkout, state: str, now: datetime, actor: str) -> None:
    pooled.release(merchant, row, now, actor)
    prepaid.release(merchant, row, now, actor)
    checkouts.resolve_checkout(row=row, state=state, now=now)
    coupon_actions.release(merchant=merchant, checkout_id=row.pk, ref=f"checkout:{row.key}", now=now, actor=actor)


def _locked(merchant: Merchant, key: str) -> Checkout:
    row = stored.checkout(merchant, key, lock=True)
    if row is None:
        raise CheckoutRefused("no_such_checkout", key=key)
    return row


def _replay(row: Checkout, payload: bytes) -> Held:
    if bytes(row.payload) != payload:
        raise CheckoutRefused("key_reused", key=row.key)
    return _told(row, replayed=True)


def _told(row: Checkout, *, replayed: bool = False) -> Held:
    return Held(row.pk, row.key, row.state, row.times_out_at, row.priced, row.order_event, replayed)
