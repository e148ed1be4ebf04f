"""Why a rule gave nothing for an order: it did not apply, or it did and something else stood before it."""

from __future__ import annotations

from typing import Any

from shuke.engine.charter.earn import Basket, applies
from shuke.engine.charter.rules import Rule
from shuke.engine.charter.terms import Terms
from shuke.engine.checkout.reasons import REASONS

SAY = {
    "other_store": ("bought in another store", "不在指定门店"),
    "other_platform": ("bought on another platform", "不在指定平台"),
    "other_channel": ("bought through another channel", "不在指定渠道"),
    "other_tier": ("for other tiers", "不适用于该等级"),
    "other_weekday": ("on other weekdays", "不在指定星期"),
    "other_day": ("on other days", "不在指定日子"),
    "other_hour": ("at other hours", "不在指定时段"),
    "not_begun": ("has not begun", "尚未开始"),
    "ended": ("has ended", "已结束"),
    "not_first": ("for the first purchase only", "仅限首次购买"),
    "not_nth": ("for other purchases of the member", "不是指定的第几次购买"),
    "too_small": ("the order is too small", "金额未达门槛"),
    "no_birthday": ("it is not the member's birthday", "不在生日期间"),
    "other_goods": ("none of its goods are in the order", "订单中没有指定商品"),
    "no_amount": ("nothing was paid", "没有实付金额"),
    "capped": ("its cap, limit or budget is used up", "上限、次数或预算已用完"),
    "not_enough": ("not enough points available", "可用积分不足"),
    "not_positive": ("the amount must be above 0", "数量必须大于 0"),
    "no_such_hold": ("there is no open hold of this name", "没有这样的未结冻结"),
    "more_than_held": ("more than was set aside", "超过冻结数量"),
    "no_such_burn": ("there is no spend of this name", "没有这样的消耗"),
    "more_than_burnt": ("more than is left of that spend", "超过该次消耗的可退数量"),
    "more_than_paid": ("more than is left of the order", "超过订单可退金额"),
    "joins_once": ("joining counts once, when a member comes", "入会只在加入时计一次"),
    "no_such_activity": ("the charter gives nothing for it", "章程没有此活动的规则"),
    "no_such_doing": ("the member did nothing under this id", "该会员没有此编号的互动"),
    "undone_before": ("it was taken back before", "此前已撤销"),
    "ticket_drawn": ("a ticket of a lucky draw was drawn for it", "已用于一次抽奖"),
    "no_such_membership": ("there is no such membership", "没有这样的付费会员"),
    "more_than_lapsed": ("more than lapsed lately", "超过近期过期的数量"),
    "no_such_tier": ("the charter has no such tier", "章程没有该等级"),
    "no_transfers": ("the charter lets nobody hand points on", "章程不允许转赠"),
    "not_family": ("points change hands within a family only", "仅限家庭成员之间转赠"),
    "same_member": ("giver and receiver are the same", "不能转赠给自己"),
    "too_much_today": ("more than may be given in a day", "超过每日转赠上限"),
    "basket_invalid": ("this is no basket", "购物篮格式不对"),
    "no_such_order": ("its basket was refused, so there is no order", "该单未成交，没有订单"),
    "more_than_bought": ("more than was bought of this line", "超过该明细的购买数量"),
    "told_by_money": (
        "returns of this order were told by money; go on so, or return the whole",
        "该单此前按金额退货，请继续按金额或整单退",
    ),
    "told_by_lines": (
        "returns of this order were told by lines; go on so, or return the whole",
        "该单此前按明细退货，请继续按明细或整单退",
    ),
    "price_changed": ("the basket costs another amount than was told", "应付金额与所写不同"),
    "busy": ("the budget of its coupons does not suffice for all of them", "券的预算不足以支付全部"),
    "no_such_template": ("the charter has no such coupon", "章程没有该券"),
    "window_over": ("the time in which it can be used is over", "券的有效期已过"),
    "paused": ("nothing more is issued of it", "已暂停发放"),
    "all_issued": ("as many as there can be were issued", "已发完"),
    "member_has_enough": ("the member had as many as one may have", "该会员已达领取上限"),
    "not_claimable": ("members cannot take it by themselves", "不支持自行领取"),
    "no_such_coupon": ("there is no coupon of this name", "没有这张券"),
    "not_open": ("the coupon is not open any more", "该券不是未使用状态"),
    "unknown_benefit": ("the charter has no such benefit", "章程没有该权益"),
    "birthday_unknown": ("the member's birthday is not on file", "档案中没有会员生日"),
    "no_special_day": ("no special day of the member is on file", "档案中没有会员的特别日子"),
    "not_here": ("for other stores", "不适用于本店"),
    "not_now": ("it cannot be had now", "现在不可用"),
    "automatic": ("it applies by itself, there is nothing to hand out", "自动生效，无需发放"),
    "used_up": ("used up in this period", "本期已用完"),
    "not_reached": ("not reached, or claimed already", "尚未达到，或已领取"),
    "not_handed_out": ("this was not handed out", "没有这次发放"),
    "too_late_to_undo": ("the time in which it can be taken back is over", "已超过可撤销时间"),
    "points_spent": ("the points given with it are no longer there", "随之发放的积分已不足"),
    "empty_family": ("a family needs at least two members", "家庭至少需要两位会员"),
    "no_such_family": ("there is no such family", "没有这个家庭"),
    "too_many": ("a family has no more members than that", "家庭人数已满"),
    "in_another": ("the member is in a family already", "该会员已在一个家庭中"),
    "in_no_family": ("the member is in no family", "该会员不在任何家庭中"),
    "price_above_value": ("a card cannot cost more than it is worth", "售价不能高于面值"),
    "above_card_limit": ("more than one card may hold", "超过单张卡限额"),
    "no_such_card": ("there is no such gift card", "没有这张礼品卡"),
    "card_not_for_sale": ("only a new card can be sold", "只能售出新卡"),
    "card_not_active": ("the card is not in use", "该卡不在使用中"),
    "card_refused": ("this card cannot be used", "此卡不可用"),
    "not_later": ("the new end must lie ahead", "新的有效期须晚于现在"),
    "return_refused": ("a card that paid for it is void", "支付所用的礼品卡已作废"),
    "token_taken": ("the card is another member's", "该卡已绑定其他会员"),
    "before_enrolment": ("spent before the card was a member's", "消费早于绑卡日期"),
    "no_agreement": ("nothing was agreed with the partner by then", "当时尚无与该机构的约定"),
    "no_original": ("there is no spending it could be about", "找不到对应的原消费"),
    "other_card": ("the spending was with another card", "原消费使用的是另一张卡"),
    "too_much": ("more than is left of that spending", "超过原消费的剩余金额"),
    "no_rise": ("the member rose to no higher tier by it", "未因此升级"),
    "needs_codes": ("this coupon has no codes", "该券不使用券码"),
    "code_refused": ("this code cannot be used", "此券码不可用"),
    "try_later": ("too many codes were tried; wait a while", "尝试次数过多，请稍后再试"),
    "stored_value_off": ("the charter has no stored value", "章程未开通储值"),
    "below_least": ("less than a top-up must be", "低于最低充值金额"),
    "above_balance": ("more than one member may store", "超过每位会员的储值上限"),
    "no_such_spend": ("there is no such payment from stored value", "没有这笔储值支付"),
    "more_than_spent": ("more than is left of that payment", "超过该笔支付的可退金额"),
    "no_refunds": ("the charter pays no stored value out", "章程规定储值不退"),
    "not_enough_money": ("not so much is left of the money paid in", "剩余本金不足"),
    "inactive": ("it is not offered any more", "已下架"),
    "over": ("it is over", "已结束"),
    "not_this_tier": ("not for this tier", "该等级不能兑换"),
    "limit": ("the member has as many as one may have", "已达每人限兑数量"),
    "out_of_stock": ("not so many are there", "库存不足"),
    "no_coupon": ("its coupon cannot be issued", "券无法发放"),
    "no_such_gift_taken": ("nothing was taken under this id", "没有这笔礼品兑换"),
    "not_waiting": ("it does not wait to be handed over", "不是待领取状态"),
    "not_handed_over": ("not so many were handed over and kept", "可退件数不足"),
    "draw_over": ("the draw would close before it begins", "抽奖已过截止时间"),
    "no_such_draw": ("there is no such draw", "没有这个抽奖"),
    "draw_not_open": ("the draw is not open now", "不在抽奖时间内"),
    "draw_limit": ("no tickets are left for this member", "该会员抽奖次数已达上限"),
    "no_such_way": ("the draw gives no tickets that way", "没有这种获得抽奖机会的方式"),
    "word": ("at most 20 letters or digits, and no phone number", "最多 20 个字，且不能是电话号码"),
    "no_source": ("no order or activity is left that gives a ticket", "没有可用于抽奖的订单或活动"),
    "referral_off": ("the charter gives nothing for bringing friends", "章程没有推荐有礼"),
    "own_code": ("nobody can bring themselves", "不能自己推荐自己"),
    "already_bound": ("somebody else brought this member before", "该会员已由他人推荐"),
    "too_late": ("joined too long ago", "入会已超过可填写天数"),
    "has_bought": ("has bought before and is no newcomer", "已有购买记录，不是新客"),
    "outweighed": ("another rule that excludes it counted instead", "已适用与之互斥的其他规则"),
}


def say(code: str) -> dict[str, str]:
    """The sentence of a code. What the till says of a coupon has the till's words."""
    english, chinese = SAY[code] if code in SAY else _by_the_till(code)
    return {"zh": chinese, "en": english}


def _by_the_till(code: str) -> tuple[str, str]:
    english, chinese = REASONS[code]
    return english.partition(":")[2].strip() or english, chinese.partition("：")[2].strip() or chinese


def told(terms: Terms, basket: Basket, given: set[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(skipped, inapplicable): rules for orders that are not among those that gave something, each with its reason."""
    skipped: list[dict[str, Any]] = []
    inapplicable: list[dict[str, Any]] = []
    for rule in terms.rules:
        if rule.kind == "activity" or rule.key in given:
            continue
        code = why_not(terms, rule, basket)
        entry = {"rule": rule.key, "code": code or ("capped" if rule.bounded else "outweighed")}
        (inapplicable if code else skipped).append(entry)
    return skipped, inapplicable


def why_not(terms: Terms, rule: Rule, basket: Basket) -> str:
    """The first condition that does not hold; "" when all do."""
    day = basket.day
    if basket.net <= 0:
        return "no_amount"
    tests = (
        ("other_store", rule.stores is None or basket.store in rule.stores),
        ("other_platform", rule.platforms is None or basket.platform in rule.platforms),
        ("other_channel", rule.channels is None or basket.channel in rule.channels),
        ("other_tier", rule.tiers is None or basket.tier in rule.tiers),
        ("other_weekday", rule.weekdays is None or day.isoweekday() in rule.weekdays),
        ("other_day", rule.month_days is None or day.day in rule.month_days),
        ("not_begun", rule.start is None or day >= rule.start),
        ("ended", rule.end is None or day <= rule.end),
        ("not_first", not rule.first or basket.first),
        ("not_nth", rule.numbers is None or basket.number in rule.numbers),
        ("other_hour", rule.hours is None or basket.hour in rule.hours),
        ("too_small", rule.min_of != "base" or basket.net >= rule.min_minor),
    )
    for code, holds in tests:
        if not holds:
            return code
    if rule.birthday is not None and not applies(rule, basket):
        return "no_birthday"
    if not applies(rule, basket):
        return "other_day" if rule.days else "too_small"
    if rule.goods and not any(
        part.net > 0 and rule.key in terms.chosen_by(part.category, part.product, part.brand) for part in basket.slices
    ):
        return "other_goods"
    return ""
