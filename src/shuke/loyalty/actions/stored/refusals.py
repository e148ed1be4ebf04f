"""Why something about stored value or gift cards is refused: stable codes, with a sentence each.

Amounts among the figures are minor units; `say` shows them as money.
"""

from __future__ import annotations

from collections.abc import Mapping

from shuke.kit import money
from shuke.loyalty.actions.corrections import DECIDING

REFUSALS = {
    "stored_value_off": (
        "This shop has no stored value and no gift cards: the charter in force says nothing of them. Add the section “stored value” "
        "to the charter and publish it.",
        "本店未开通储值与礼品卡：现行章程没有这一节。请在章程中加入“储值与礼品卡”并发布。",
    ),
    "not_positive": ("The amount must be above 0.", "金额必须大于 0。"),
    "not_enough": (
        "{amount} are asked for, {available} are there. Ask for less, or top up first.",
        "需要 {amount}，可用 {available}。请减少金额，或先充值。",
    ),
    "frozen": (
        "This member is frozen: stored value can neither be spent nor paid out. Unfreeze the member first.",
        "该会员已冻结，储值不能使用、预留或退还。请先解冻。",
    ),
    "below_least": ("A top-up is at least {least}, not {amount}.", "每次充值至少 {least}，不能是 {amount}。"),
    "above_balance": (
        "A member can store at most {most}; {balance} are there already, so at most {room} can be paid in.",
        "每位会员最多储值 {most}，现有 {balance}，最多还能充 {room}。",
    ),
    "no_refunds": ("The charter in force does not pay stored value out.", "现行章程规定储值不办理退款。"),
    "not_enough_money": (
        "{amount} are asked back, but of the money paid in {available} are left. Bonus is not paid out.",
        "要求退还 {amount}，但本金只剩 {available}。赠送金额不能退还。",
    ),
    "no_such_hold": (
        "There is no open hold {ref}; it was resolved or has timed out.",
        "没有未结的预留 {ref}，它已处理或已超时。",
    ),
    "more_than_held": ("Hold {ref} set aside {held}; {amount} cannot be captured.", "预留 {ref} 共 {held}，无法扣除 {amount}。"),
    "no_such_spend": ("There is no payment {ref} from this stored value.", "该储值没有支付记录 {ref}。"),
    "more_than_spent": (
        "Of payment {ref} {left} can still come back, not {amount}.",
        "支付 {ref} 还可退回 {left}，不能退 {amount}。",
    ),
    "no_key": (
        "Every request needs a key of your own, of 1 to 200 characters, so that it can be sent again.",
        "每个请求都需要一个 1 至 200 个字符的幂等键，以便安全重发。",
    ),
    "no_reason": ("Say why: a correction by hand needs a reason.", "请填写原因：手工更正必须说明理由。"),
    "same_person": (
        "Who asked for a correction cannot agree to it. Let somebody else look at it.",
        "提出更正的人不能自己审批，请由另一位同事审核。",
    ),
    **DECIDING,
    "decided": ("This correction was decided already.", "这笔更正已经处理过了。"),
    "no_such_correction": ("There is no such correction.", "没有这笔更正。"),
    # gift cards
    "too_many_cards": ("A batch has 1 to {count} cards.", "每批 1 至 {count} 张。"),
    "above_card_limit": (
        "A gift card is worth at most {most} by the charter; {amount} is more.",
        "按章程，每张礼品卡面值不超过 {most}，{amount} 超出上限。",
    ),
    "price_above_value": ("A card worth {amount} cannot cost more than that.", "面值 {amount} 的卡，售价不能更高。"),
    "no_such_batch": ("There is no such batch of gift cards.", "没有这一批礼品卡。"),
    "no_such_card": ("There is no gift card {ref}.", "没有礼品卡 {ref}。"),
    "card_refused": (
        "This gift card cannot be used. Check the code, or ask the shop.",
        "此礼品卡不可用，请核对卡号或联系店铺。",
    ),
    "try_later": (
        "Too many wrong codes. Wait {minutes} minutes and try again.",
        "输错次数过多，请 {minutes} 分钟后再试。",
    ),
    "card_not_for_sale": ("Gift card {ref} is {state}; only a new one can be sold.", "礼品卡 {ref} 的状态为 {state}，只能售出新卡。"),
    "card_not_active": (
        "Gift card {ref} is {state}; only one that was sold and not used up can be changed.",
        "礼品卡 {ref} 的状态为 {state}，只能处理已售出且未用完的卡。",
    ),
    "card_held": (
        "Part of gift card {ref} is set aside for a basket. Wait until that is paid or let go.",
        "礼品卡 {ref} 有金额正被订单预留，请等其付款或释放。",
    ),
    "not_later": ("The new last day lies in the past.", "新的到期日已经过去。"),
}  # fmt: skip
MONEY = {"amount", "available", "least", "most", "balance", "room", "held", "left"}


class StoredRefused(ValueError):
    """What was asked cannot be done, and nothing of it was. `code` is stable, `figures` fill the sentence."""

    def __init__(self, code: str, currency: str = "CNY", **figures: object) -> None:
        self.code, self.currency, self.figures = code, currency, figures
        super().__init__(self.say())

    def say(self, language: str = "en") -> str:
        return say(self.code, self.figures, self.currency, language)


def say(code: str, figures: Mapping[str, object], currency: str, language: str) -> str:
    told = {"ref": "", "minutes": 1, "state": "", "count": 0} | dict.fromkeys(MONEY, 0) | dict(figures)
    shown = {k: money.show(int(str(v)), currency) if k in MONEY else v for k, v in told.items()}
    return REFUSALS[code][1 if language.startswith("zh") else 0].format(**shown)
