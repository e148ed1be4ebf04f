"""Why something applied or did not: a stable code for machines, a sentence for people in both languages."""

from __future__ import annotations

from typing import NamedTuple

from shuke.kit import money

REASONS: dict[str, tuple[str, str]] = {
    # applied
    "applied": ("{name}: {amount} off.", "{name}：优惠 {amount}。"),
    "points_used": ("{points} points pay {amount}.", "使用 {points} 积分抵扣 {amount}。"),
    "points_capped": (
        "{points} points pay {amount}; more cannot be used here ({cap}).",
        "使用 {points} 积分抵扣 {amount}；本单不能再多（{cap}）。",
    ),
    "stored_value_used": ("{amount} are paid from stored value.", "储值支付 {amount}。"),
    "stored_value_capped": (
        "{amount} are paid from stored value; there is no more.",
        "储值支付 {amount}，余额已用完。",
    ),
    "card_used": ("{name} pays {amount}; {left} are left on it.", "{name} 支付 {amount}，卡内余额 {left}。"),
    # skipped: it could apply, but something else stands against it
    "excluded_by": ("{name} does not go together with {other}.", "{name} 与 {other} 不能同时使用。"),
    "better_without": ("{name} would make the basket dearer in all.", "使用 {name} 反而总价更高，未使用。"),
    "too_many_coupons": ("{name}: at most {most} coupons on one order.", "{name}：每单最多使用 {most} 张券。"),
    "per_order": ("{name}: at most {most} of it on one order.", "{name}：每单最多使用 {most} 张。"),
    "nothing_left": ("{name}: nothing of its goods is left to pay.", "{name}：可用商品已无应付金额。"),
    "lower_price": ("{name}: another price is lower.", "{name}：已有更低的价格。"),
    # inapplicable: a condition does not hold
    "below_threshold": (
        "{name}: spend {missing} more on its goods ({threshold} in all).",
        "{name}：适用商品满 {threshold} 可用，还差 {missing}。",
    ),
    "too_few_pieces": (
        "{name}: {missing_pieces} more of its goods are needed.",
        "{name}：适用商品还差 {missing_pieces} 件。",
    ),
    "no_goods": ("{name}: none of its goods are in the basket.", "{name}：购物车中没有适用商品。"),
    "only_discounted_goods": (
        "{name} is for goods at their full price only.",
        "{name} 仅限原价商品。",
    ),
    "no_freight": ("{name}: there is no freight to pay.", "{name}：本单没有运费。"),
    "other_store": ("{name} is not for this store.", "{name} 不适用于本店。"),
    "other_channel": ("{name} is not for this channel.", "{name} 不适用于此渠道。"),
    "other_tier": ("{name} is for members of another tier.", "{name} 不适用于当前会员等级。"),
    "other_day": ("{name} is not for this day or hour.", "{name} 不适用于当前日期或时段。"),
    "not_birthday": ("{name} is for the birthday.", "{name} 仅限生日期间使用。"),
    "not_first": ("{name} is for certain purchases only, such as the first.", "{name} 仅限指定次数的购买（如首单）。"),
    "not_yet": ("{name} can be used from {day} on.", "{name} 自 {day} 起可用。"),
    "expired": ("{name} could be used until {day}.", "{name} 已于 {day} 到期。"),
    "not_open": ("{name} cannot be used: it is {state}.", "{name} 不可用：{state}。"),
    "budget_exhausted": (
        "{name} would take {amount} off, and only {left} are left of its budget.",
        "{name} 需优惠 {amount}，其预算只剩 {left}。",
    ),
    "no_such_template": ("There is no coupon template {name}.", "没有券模板 {name}。"),
    "code_refused": (
        "The code {name} cannot be used. Check it, or ask the shop.",
        "券码 {name} 不可用，请核对或联系店铺。",
    ),
    "try_later": (
        "Too many codes were tried. Wait a while and try again.",
        "尝试次数过多，请稍后再试。",
    ),
    "not_held": ("The member has no coupon {name}.", "该会员没有券 {name}。"),
    "points_off": ("Points cannot pay here.", "本店积分不能抵现。"),
    "points_frozen": ("The member is frozen: points cannot be used.", "该会员已冻结，积分不能使用。"),
    "no_coalition": ("This shop is in no coalition.", "本店未加入积分联盟。"),
    "not_linked": (
        "The member takes no part in the coalition. Link them first, with their consent.",
        "该会员尚未加入积分联盟，请征得同意后先关联。",
    ),
    "no_points": (
        "{available} points are available, at least {least} are needed.",
        "可用积分 {available}，至少需要 {least}。",
    ),
    "order_too_small": (
        "Points pay from {threshold} on; {missing} are missing.",
        "满 {threshold} 可用积分抵扣，还差 {missing}。",
    ),
    "nothing_to_pay": ("Nothing is left to pay.", "已无应付金额。"),
    "stored_value_off": ("This shop has no stored value.", "本店未开通储值。"),
    "no_stored_value": ("There is no stored value.", "没有储值余额。"),
    "card_refused": (
        "{name} cannot be used. Check the code, or ask the shop.",
        "{name} 不可用，请核对卡号或联系店铺。",
    ),
    "card_empty": ("Nothing is left on {name}.", "{name} 余额已用完。"),
    "step_off": ("The charter has no step {name}.", "章程中没有步骤 {name}。"),
}
CAPS = {
    "available": ("all that are available", "已用完可用积分"),
    "most": ("the most on one order", "单笔上限"),
    "share": ("the largest share of an order", "抵扣比例上限"),
    "due": ("nothing is left to pay", "已全部抵扣"),
    "step": ("only whole steps", "须为整数倍"),
}
STATES = {
    "held": ("set aside for another basket", "已被另一购物车占用"),
    "redeemed": ("used", "已使用"),
    "void": ("void", "已作废"),
}
_MONEY = ("amount", "missing", "threshold", "left")


class Reason(NamedTuple):
    """Code and figures; `say` puts them into a sentence."""

    code: str
    figures: tuple[tuple[str, int | str], ...] = ()

    def say(self, name: tuple[str, str], currency: str, language: str = "en") -> str:
        """`name` is the rule's name: Chinese, English."""
        chinese = language.startswith("zh")
        told = {k: money.show(int(v), currency) if k in _MONEY else v for k, v in self.figures}
        if "cap" in told:
            told["cap"] = CAPS[str(told["cap"])][chinese]
        if "state" in told:
            told["state"] = STATES[str(told["state"])][chinese]
        return REASONS[self.code][chinese].format(name=name[0] if chinese else name[1], **told)
