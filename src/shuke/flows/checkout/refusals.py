"""Why the till is refused: stable codes, with a sentence each."""

from __future__ import annotations

from shuke.kit.refusal import Refusal

REFUSALS = {
    "key_reused": (
        "The key {key} was used before for another request. Use a new key for a new request.",
        "键 {key} 已用于另一请求，新请求请用新键。",
    ),
    "price_changed": (
        "The basket now costs {due}, not {expected}. Price it again and ask the member.",
        "购物车现在应付 {due}，而不是 {expected}，请重新试算并征得会员同意。",
    ),
    "busy": (
        "Points or coupons of this basket were used elsewhere at this moment. Try again.",
        "本单的积分或券刚刚在别处被使用，请重试。",
    ),
    "no_such_checkout": ("There is no held basket {key}.", "没有冻结的购物车 {key}。"),
    "checkout_over": (
        "The basket {key} is {state}; price and hold it anew.",
        "购物车 {key} 的状态为 {state}，请重新试算并冻结。",
    ),
    "other_order": (
        "The basket {key} became order {order} already.",
        "购物车 {key} 已对应订单 {order}。",
    ),
    "order_taken": (
        "Order {order} has a basket already.",
        "订单 {order} 已对应另一购物车。",
    ),
    "order_of_another": (
        "Order {order} of this store belongs to another member. Check the number on the receipt; nothing was taken.",
        "本店订单 {order} 属于另一位会员，请核对小票号。未做任何扣减。",
    ),
    "order_differs": (
        "Order {order} of this store is in the books with {there}, this basket comes to {here}. Check the number on the receipt "
        "and the amounts; nothing was taken.",
        "本店订单 {order} 已入账 {there}，而本单为 {here}，请核对小票号与金额。未做任何扣减。",
    ),
    "sold_just_now": (
        "The same was booked for this member a moment ago, as order {order}. Nothing was taken. Book it again only if it was bought twice.",
        "刚刚已为该会员记过同样的一单（订单 {order}），本次未做任何扣减。确实买了两次才再记一次。",
    ),
    "order_missing": (
        "Name the order the basket became: its store and, unless it is booked here, its number.",
        "请指明购物车对应的订单：门店；若不在此记单，还须订单号。",
    ),
    "store_missing": (
        "Say which store sold it: its code, as the list of stores has it.",
        "请指明售出门店：填写门店列表中的门店编码。",
    ),
    "not_captured": (
        "The basket {key} is {state}; only what was paid can come back.",
        "购物车 {key} 的状态为 {state}，只有已付款的才能退回。",
    ),
    "return_refused": ("{problem}", "{problem}"),
    "void_card": (
        "{amount} of the refund belong on gift card {card}, which is void. Give the buyer {amount} another way, or a new card.",
        "退款中的 {amount} 应退回礼品卡 {card}，但该卡已作废。请以其他方式退给买家，或补发新卡。",
    ),
    "key_missing": (
        "Give the basket a key of 1 to 160 characters without / (the header Idempotency-Key, or `key`), so that it can be sent again.",
        "请为购物车提供 1 至 160 个字符、不含 / 的键（请求头 Idempotency-Key 或字段 key），以便安全重发。",
    ),
    "hold_too_long": ("A basket can be held for 1 to {most} minutes.", "购物车可冻结 1 至 {most} 分钟。"),
}  # fmt: skip


class CheckoutRefused(Refusal):
    """What was asked of the till cannot be done. Nothing of it was done."""

    sentences = REFUSALS

    @property
    def amount_minor(self) -> int | None:
        """The money it is about, where it is about one amount."""
        minor = self.figures.get("minor")
        return minor if isinstance(minor, int) else None
