"""Gifts: the catalogue, its stock, and points exchanged for it.

An order sets aside points (a hold in the ledger) and a piece of the stock (one conditional update, so that it never falls below
0), both until it is handed over, cancelled, or its time is up. Idempotent by key; a refusal is remembered.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from shuke.engine.gifts import waits_until, why_not
from shuke.kit import money
from shuke.kit.refusal import sentence
from shuke.loyalty.actions.asking import LONGEST_REWARD_KEY, Ask, KeyReused, check_asked, check_reason
from shuke.loyalty.actions.coupons.issuing import Issue, issue
from shuke.loyalty.actions.gift_shelf import (
    PICTURE_BYTES,
    GiftWrong,
    add_stock,
    move_stock,
    save_gift,
    seen_as,
    set_picture,
)
from shuke.loyalty.actions.requests import ask
from shuke.loyalty.actions.settling import lock_heads
from shuke.loyalty.models import Gift, GiftOrder
from shuke.loyalty.queries import gifts as stored
from shuke.loyalty.queries.benefits import known
from shuke.members.actions.timeline import Note, note
from shuke.members.queries.families import survivors_of
from shuke.shops.models import Merchant, Store

__all__ = [
    "PICTURE_BYTES",
    "GiftWrong",
    "add_stock",
    "cancel",
    "give_back",
    "hand_over",
    "lapse_orders",
    "order",
    "save_gift",
    "seen_as",
    "set_picture",
]

REFUSALS = {
    "no_such_gift": ("There is no gift {gift}.", "没有礼品 {gift}。"),
    "inactive": ("{name} is not offered any more.", "{name}已下架。"),
    "not_begun": ("{name} is not offered yet.", "{name}尚未开始兑换。"),
    "over": ("{name} is over.", "{name}已结束兑换。"),
    "not_this_tier": ("{name} is not for this member's tier.", "该会员的等级不能兑换{name}。"),
    "limit": ("{name}: at most {limit} for each member.", "{name}每位会员限兑 {limit} 件。"),
    "out_of_stock": ("{name}: {left} left, {count} asked for.", "{name}库存 {left}，需要 {count}。"),
    "not_enough": ("{name} takes {points} points; {available} are available.", "{name}需要 {points} 积分，可用 {available}。"),
    "frozen": ("This member is frozen.", "该会员已冻结。"),
    "no_coupon": ("{name}: its coupon cannot be issued now ({why}).", "{name}：券暂时无法发放（{why}）。"),
    "no_shipping": ("{name} can only be picked up.", "{name}只能到店领取。"),
    "no_such_order": ("There is no such order of a gift.", "没有这笔礼品兑换。"),
    "not_waiting": ("This order is {state}; only one that waits can be handed over or cancelled.", "该兑换的状态为 {state}，只有待领取的可以发放或取消。"),
    "merged": ("This member has been merged into another since; give the points back there by an adjustment.", "该会员此后已并入另一会员，请在那位会员处以人工调整退回积分。"),
    "not_handed_over": ("Only what was handed over can come back; {left} pieces of it are left.", "只有已发放的可以退回，还可退 {left} 件。"),
}  # fmt: skip


class Ordered(NamedTuple):
    """`code` is "" when it was done. A replay gives the first answer again."""

    done: bool
    code: str
    order: GiftOrder | None
    figures: dict[str, Any]
    replayed: bool = False

    def say(self, language: str) -> str:
        return sentence(REFUSALS, self.code, self.figures, language) if self.code else ""


class _Stop(Exception):
    """Nothing of an order is done; why."""

    def __init__(self, code: str, **figures: Any) -> None:
        self.code, self.figures = code, figures
        super().__init__(code)


# -- orders -------------------------------------------------------------------------------------------------------


@transaction.atomic
def order(
    *,
    merchant: Merchant,
    member_id: int,
    gift: str,
    key: str,
    now: datetime,
    actor: str,
    count: int = 1,
    at_once: bool = False,
    way: str = "pickup",
    store: Store | None = None,
    receipt: str = "",
) -> Ordered:
    """Exchange points for a gift: handed over now (`at_once`), or set aside until it is picked up or sent.

    Raises NoCharter, KeyReused, NotAsked. Donations and coupons are always done at once. Effects: wallet locked; stock and points
    taken or set aside, or neither; one row, one timeline line.
    """
    check_asked(key, most=LONGEST_REWARD_KEY)
    lock_heads(merchant, [member_id])
    payload = hashlib.blake2b(
        json.dumps([member_id, gift, count, at_once, way]).encode(), digest_size=16
    ).digest()  # fmt: skip
    before = GiftOrder.objects.filter(merchant=merchant, key=key).select_related("gift").first()
    if before is not None:
        return _replay(before, payload)
    what = stored.gift(merchant, gift)
    if what is None or count < 1:
        return Ordered(False, "no_such_gift", None, {"gift": gift})
    at_once = at_once or what.kind != Gift.Kind.GOODS
    row = GiftOrder(
        merchant=merchant,
        key=key,
        payload=payload,
        member_id=member_id,
        gift=what,
        count=count,
        points=what.points * count,
        cash_minor=what.cash_minor * count,
        cost_minor=what.cost_minor * count,
        way=way,
        state=GiftOrder.State.DONE if at_once else GiftOrder.State.HELD,
        placed_at=now,
        until=None if at_once else waits_until(now, what.hold_days, merchant.tz),
        closed_at=now if at_once else None,
        closed_by=actor[:60] if at_once else "",
        store=store,
        actor=actor[:60],
        receipt=receipt.strip()[:60],
    )
    figures = {"name": {"zh": what.name_zh, "en": what.name_en}, "points": row.points, "count": count}
    try:
        with transaction.atomic():
            _take(merchant, row, what, at_once, now, actor)
    except _Stop as stop:
        row.state, row.code, row.until = GiftOrder.State.REFUSED, stop.code, None
        row.closed_at, row.closed_by = now, ""
        row.figures = {**figures, **stop.figures}
        _save(row)
        return Ordered(False, stop.code, row, row.figures)
    _save(row)
    _note(merchant, row, "gift.taken" if at_once else "gift.ordered", now)
    return Ordered(True, "", row, figures)


def _take(merchant: Merchant, row: GiftOrder, what: Gift, at_once: bool, now: datetime, actor: str) -> None:
    """Stock, points and coupon, all or none of it."""
    if row.way == "ship" and not what.ship:
        raise _Stop("no_shipping")
    seen = known(merchant, row.member_id, now)
    if seen.who.frozen:
        raise _Stop("frozen")
    had = stored.taken(merchant, row.member_id, [what.pk]).get(what.pk, 0)
    if code := why_not(what, seen.named, had, row.count, now):
        raise _Stop(code, limit=what.per_member)
    if what.stock is not None and not move_stock(merchant, what.pk, -row.count, "taken", row.key, now, actor):
        raise _Stop("out_of_stock", left=Gift.objects.get(pk=what.pk).stock)
    kind, until = ("burn", None) if at_once else ("hold", row.until)
    told = ask(
        merchant=merchant,
        asks=[Ask(f"gift:{row.key}", kind, row.member_id, row.points, until=until, reason=what.code)],
        now=now,
        actor=actor,
    )[0]
    if not told.done:
        raise _Stop(told.code if told.code in REFUSALS else "not_enough", available=told.figures.get("available", 0))
    if what.kind == Gift.Kind.COUPON:
        wanted = Issue(what.coupon, row.member_id, "gift", f"gift:{row.pk}", row.count, now)
        issued = issue(merchant=merchant, issues=[wanted], now=now, actor=actor)[0]
        if issued.code:
            raise _Stop("no_coupon", why=issued.code)


def _save(row: GiftOrder) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise KeyReused(row.key) from error


def _replay(before: GiftOrder, payload: bytes) -> Ordered:
    if bytes(before.payload) != payload:
        raise KeyReused(before.key)
    name = {"zh": before.gift.name_zh, "en": before.gift.name_en}
    unknown = dict.fromkeys(("left", "limit", "available", "why"), "–")  # of refusals older than `figures`
    figures = before.figures or {**unknown, "name": name, "points": before.points, "count": before.count}
    refused = before.state == GiftOrder.State.REFUSED
    return Ordered(not refused, before.code, before, figures, True)


@transaction.atomic
def hand_over(
    *, merchant: Merchant, order_id: int, now: datetime, actor: str, store: Store | None = None, receipt: str = ""
) -> Ordered:
    """What was set aside is given out: its points are spent. The same call again says it was done."""
    row = _locked(merchant, order_id)
    if row is None:
        return Ordered(False, "no_such_order", None, {})
    if row.state == GiftOrder.State.DONE:
        return Ordered(True, "", row, {}, True)
    if row.state == GiftOrder.State.HELD and row.until is not None and row.until <= now:
        _lapse(merchant, row, now)
    if row.state != GiftOrder.State.HELD:
        return Ordered(False, "not_waiting", row, {"state": row.state})
    told = ask(
        merchant=merchant,
        asks=[Ask(f"gift:{row.key}:done", "capture", row.member_id, row.points, f"gift:{row.key}")],
        now=now,
        actor=actor,
    )[0]
    assert told.done, told  # its hold lasts as long as the order waits
    row.state, row.closed_at, row.closed_by = GiftOrder.State.DONE, now, actor[:60]
    row.store, row.receipt = store or row.store, receipt.strip()[:60] or row.receipt
    row.save(update_fields=["state", "closed_at", "closed_by", "store", "receipt"])
    _note(merchant, row, "gift.taken", now)
    return Ordered(True, "", row, {})


@transaction.atomic
def cancel(*, merchant: Merchant, order_id: int, now: datetime, actor: str, because: str = "") -> Ordered:
    """What was set aside goes back, points and stock. The same call again says it was done. Raises NotAsked."""
    because = because.strip()
    check_reason(because)
    row = _locked(merchant, order_id)
    if row is None:
        return Ordered(False, "no_such_order", None, {})
    if row.state in (GiftOrder.State.CANCELLED, GiftOrder.State.TIMED_OUT):
        return Ordered(True, "", row, {}, True)
    if row.state != GiftOrder.State.HELD:
        return Ordered(False, "not_waiting", row, {"state": row.state})
    ask(
        merchant=merchant,
        asks=[Ask(f"gift:{row.key}:release", "release", row.member_id, 0, f"gift:{row.key}")],
        now=now,
        actor=actor,
    )
    row.state, row.closed_at, row.closed_by, row.note = GiftOrder.State.CANCELLED, now, actor[:60], because
    row.save(update_fields=["state", "closed_at", "closed_by", "note"])
    _restock(merchant, row, row.count, now, actor)
    _note(merchant, row, "gift.cancelled", now)
    return Ordered(True, "", row, {})


@transaction.atomic
def give_back(
    *,
    merchant: Merchant,
    order_id: int,
    key: str,
    now: datetime,
    actor: str,
    count: int = 1,
    restock: bool = True,
    because: str = "",
) -> Ordered:
    """Pieces that were handed over come back: their points return to the lots they came from, the pieces to the stock
    unless they cannot be given again (`restock`). Idempotent by key. Raises NotAsked."""
    because = because.strip()
    check_asked(key, because, LONGEST_REWARD_KEY)
    row = _locked(merchant, order_id)
    if row is None:
        return Ordered(False, "no_such_order", None, {})
    if survivors_of(merchant.pk, [row.member_id]):
        return Ordered(False, "merged", row, {})
    left = row.count - row.returned if row.state == GiftOrder.State.DONE else 0
    ledger_key = f"gift:back:{key}"
    burn = f"gift:{row.key}" if row.until is None else f"gift:{row.key}:done"
    if not 0 < count <= left:
        # The last piece may have come back by this very key: the ledger remembers.
        points = row.points // row.count * count
        if 0 < count <= row.returned and (told := _asked_before(merchant, row, ledger_key, points, burn, now, actor)):
            return told
        return Ordered(False, "not_handed_over", row, {"left": left})
    points = row.points // row.count * count
    told_ = ask(
        merchant=merchant, asks=[Ask(ledger_key, "return", row.member_id, points, burn)], now=now, actor=actor
    )[0]  # fmt: skip
    if not told_.done:
        return Ordered(False, "not_handed_over", row, {"left": left})
    if told_.replayed:
        return Ordered(True, "", row, {}, True)
    row.returned += count
    if row.returned == row.count:
        row.state = GiftOrder.State.RETURNED
    row.note = because or row.note
    row.save(update_fields=["returned", "state", "note"])
    if restock:
        _restock(merchant, row, count, now, actor)
    _note(merchant, row, "gift.returned", now, count)
    return Ordered(True, "", row, {"cash": money.show(row.cash_minor // row.count * count, merchant.currency)})


def _asked_before(
    merchant: Merchant, row: GiftOrder, key: str, points: int, burn: str, now: datetime, actor: str
) -> Ordered | None:
    from shuke.loyalty.queries.facts import known_requests

    if not known_requests(merchant, [key]):
        return None
    ask(merchant=merchant, asks=[Ask(key, "return", row.member_id, points, burn)], now=now, actor=actor)
    return Ordered(True, "", row, {}, True)


def lapse_orders(*, merchant: Merchant, now: datetime) -> int:
    """Orders nobody picked up: their stock comes back; the points did with the time-out of their hold."""
    due = GiftOrder.objects.filter(merchant=merchant, state=GiftOrder.State.HELD, until__lte=now)
    done = 0
    for pk in list(due.order_by("until").values_list("pk", flat=True)):
        with transaction.atomic():
            row = _locked(merchant, pk)
            if row is not None and row.state == GiftOrder.State.HELD:
                _lapse(merchant, row, now)
                done += 1
    return done


def _lapse(merchant: Merchant, row: GiftOrder, now: datetime) -> None:
    row.state, row.closed_at = GiftOrder.State.TIMED_OUT, row.until
    row.save(update_fields=["state", "closed_at"])
    _restock(merchant, row, row.count, now, "clock")
    _note(merchant, row, "gift.cancelled", now)


def _restock(merchant: Merchant, row: GiftOrder, count: int, now: datetime, actor: str) -> None:
    move_stock(merchant, row.gift_id, count, "given_back", row.key, now, actor)


def _locked(merchant: Merchant, order_id: int) -> GiftOrder | None:
    """The order as it stands once its member's wallet is ours."""
    member = GiftOrder.objects.filter(merchant=merchant, pk=order_id).values_list("member_id", flat=True).first()
    if member is None:
        return None
    lock_heads(merchant, [member])
    row = GiftOrder.objects.select_related("gift").get(merchant=merchant, pk=order_id)
    return None if row.state == GiftOrder.State.REFUSED else row


def _note(merchant: Merchant, row: GiftOrder, kind: str, now: datetime, count: int | None = None) -> None:
    body: dict[str, Any] = {
        "gift": row.gift.code,
        "label": {"zh": row.gift.name_zh, "en": row.gift.name_en},
        "count": count or row.count,
        "points": row.points // row.count * (count or row.count),
    }
    if row.cost_minor and kind == "gift.taken":
        body["cost_minor"] = row.cost_minor
    note(merchant=merchant, lines=[Note(row.member_id, now, kind, f"gift:{row.pk}", body)], now=now)
