"""What one order must not say, told at once by a till or a web shop. Files keep such rows out on their own (importers)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from shuke.engine.facts import Line, LineBack, Order, Refund
from shuke.kit.refusal import Refusal, Sentences
from shuke.shops.models import Merchant

CLOCKS = timedelta(
    days=1
)  # so far a till's clock may run ahead; further, all that the member has would have lapsed by then


class OrderRefused(Refusal):
    """An order cannot be taken in as it is told, and with it none of its call."""

    sentences: ClassVar[Sentences] = {
        "other_currency": (
            "Order {number} is in {currency}, the shop keeps its books in {expected}. Send its amounts in {expected}; a shop "
            "that sells in another currency keeps a merchant of its own for it. Nothing of this call was taken in.",
            "订单 {number} 的币种为 {currency}，店铺以 {expected} 记账。请把金额换算为 {expected} 后再提交；另有币种的店铺请单独建一个商户。"
            "本次请求未录入任何内容。",
        ),
        "order_in_future": (
            "Order {number} is dated {at}, which has not come yet (it is {now}). Correct its moments, or check the clock of the "
            "till. Nothing of this call was taken in.",
            "订单 {number} 的时间 {at} 尚未到（现在是 {now}）。请更正订单时间，或检查收银机时钟。本次请求未录入任何内容。",
        ),
        "refund_in_future": (
            "Order {number}: its refund is dated {at}, which has not come yet (it is {now}). Correct refunded_at, or check "
            "the clock of the till. Nothing of this call was taken in.",
            "订单 {number}：退款时间 {at} 尚未到（现在是 {now}）。请更正 refunded_at，或检查收银机时钟。本次请求未录入任何内容。",
        ),
        "refund_before_order": (
            "Order {number}: its refund is dated {at}, before the order was made ({made}). Correct refunded_at. Nothing of "
            "this call was taken in.",
            "订单 {number}：退款时间 {at} 早于下单时间 {made}。请更正 refunded_at。本次请求未录入任何内容。",
        ),
        "refund_without_amount": (
            "Order {number}: refunded_at says when, but nothing says how much. Add refunded_minor (in all so far), or tell "
            "each refund under refunds. Nothing of this call was taken in.",
            "订单 {number}：有退款时间 refunded_at，却没有退款金额。请补充 refunded_minor（累计金额），或在 refunds 中逐笔填写。"
            "本次请求未录入任何内容。",
        ),
        "no_such_refund_line": (
            "Order {number}: refund {refund} names {named}, which is no line of this order. Name each line of lines either by its "
            "place (line: 1 is the first) or by its product_code. Nothing of this call was taken in.",
            "订单 {number}：退款 {refund} 写明的商品 {named} 不是该订单的明细。请在 lines 中用行号（line，从 1 数起）或 product_code "
            "二者之一写明退回的商品。本次请求未录入任何内容。",
        ),
    }


def check(*, merchant: Merchant, orders: Iterable[Order], refunds: Iterable[Refund] = (), now: datetime) -> None:
    """Whether these orders, with their refund documents, can be meant. Raises OrderRefused."""

    def shown(at: datetime) -> str:
        return at.astimezone(merchant.tz).isoformat(sep=" ", timespec="minutes")

    made: dict[tuple[str, str, str], Order] = {}
    dated: list[tuple[str, datetime, datetime | None]] = []
    for order in orders:
        if order.currency != merchant.currency:
            raise OrderRefused(
                "other_currency", number=order.number, currency=order.currency, expected=merchant.currency
            )
        moments = (order.created_at, order.paid_at, order.shipped_at, order.finished_at, order.closed_at)
        latest = max((at for at in moments if at is not None), default=now)
        if latest > now + CLOCKS:
            raise OrderRefused("order_in_future", number=order.number, at=shown(latest), now=shown(now))
        made[order.platform, order.shop, order.number] = order
        if order.refunded_at is not None:
            if not order.refunded_minor:
                raise OrderRefused("refund_without_amount", number=order.number)
            dated.append((order.number, order.refunded_at, order.created_at))
    for refund in refunds:
        told = made.get((refund.platform, refund.shop, refund.order_number))
        if refund.finished_at is not None:
            dated.append((refund.order_number, refund.finished_at, told.created_at if told else None))
        for one in refund.lines:
            if not _is_there(one, told.lines if told else None):
                named = one.product_code or one.position or "–"
                raise OrderRefused("no_such_refund_line", number=refund.order_number, refund=refund.number, named=named)
    for number, at, created in dated:
        if at > now:
            raise OrderRefused("refund_in_future", number=number, at=shown(at), now=shown(now))
        if created is not None and at < created:
            raise OrderRefused("refund_before_order", number=number, at=shown(at), made=shown(created))


def _is_there(one: LineBack, lines: tuple[Line, ...] | None) -> bool:
    """It names a line in one way, and one of these, as far as they were told."""
    if bool(one.position) == bool(one.product_code):
        return False
    if lines is None:
        return True
    return one.position <= len(lines) and (not one.product_code or one.product_code in {g.product_code for g in lines})
