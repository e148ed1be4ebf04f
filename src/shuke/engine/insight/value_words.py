"""What members will probably buy and spend, in words: chances, bands, reasons, and what is missing. Chinese and English.

Console, command line and API say the same. No model is named and no parameter shown: who needs them asks `shuke insight value-test`.
"""

from __future__ import annotations

import math
from typing import Any

from shuke.engine.insight.wording import Wording
from shuke.kit import money

CHANCES = {
    "likely": Wording("很可能购买", "likely"),
    "possible": Wording("有可能购买", "possible"),
    "unlikely": Wording("不太可能购买", "unlikely"),
}
WITHIN = {
    "likely": Wording("{days} 天内很可能购买", "Likely to buy within {days} days"),
    "possible": Wording("{days} 天内有可能购买", "May buy within {days} days"),
    "unlikely": Wording("{days} 天内不太可能购买", "Unlikely to buy within {days} days"),
}
RULES = {
    "model": Wording("模型（已在本店历史上检验）", "the model, tested on this shop's own past"),
    "mbg_nbd": Wording("模型", "The model"),
    "bg_nbd": Wording("模型，另一种形式", "The model, another form"),
    "mbg_cnbd_2": Wording("模型，更规律的间隔", "The model, regular gaps"),
    "mbg_cnbd_3": Wording("模型，很规律的间隔", "The model, very regular gaps"),
    "traits": Wording("模型，分渠道与获客方式", "The model, by channel and acquisition"),
    "past_rate": Wording("照过往频率继续", "Everybody goes on at their past rate"),
    "last_year": Wording("与去年同期相同", "Everybody does what they did a year ago"),
    "recency": Wording("按最近购买排序", "Ranked by their last purchase"),
    "mean": Wording("人人取平均", "The mean of all for everybody"),
}
MISSING = {
    "no_purchases": Wording(
        "还没有会员的购买记录（只有退款或尚未付款的订单不算购买）。",
        "No member has bought anything yet; refunds and unpaid orders are no purchases.",
    ),
    "few_repeaters": Wording(
        "只有 {repeaters} 位会员在不止一天买过，至少需要 50 位才能预测。在此之前，请看有多少首单之后有第二单。",
        "Members who bought on more than one day: {repeaters}; 50 are needed before anything can be foreseen. Until then look at"
        " how many first orders are followed by a second.",
    ),
    "short_history": Wording(
        "历史只有 {history_days} 天，而一半的回购间隔超过 {median_gap_days:g} 天；需要其三倍的历史。",
        "The history is {history_days} days long, and half of all returns take longer than {median_gap_days:g} days; three times that is"
        " needed.",
    ),
    "untested": Wording(
        "几乎所有会员都是最近才首次购买，还无法用过去检验任何预测。再过一段时间即可。",
        "Nearly all members bought for the first time only lately, so nothing can be tested on the past yet. Time will mend that.",
    ),
    "few_customers": Wording(
        "购买会员只有 {customers} 位：可以给出总数与可能性，不给出单个会员的金额；满 200 位后给出。",
        "With {customers} buyers totals and chances can be told, money of single members not; from 200 buyers on it is.",
    ),
    "season": Wording(
        "历史不足一年：十二个月的预测还没有见过完整的四季。",
        "Less than a year of history: a forecast of twelve months has not seen every season yet.",
    ),
    "wholesale": Wording(
        "单笔金额远超他人（高于 {amount}）的会员按批发客看待，共 {members} 位：预测时每单按该金额计。",
        "Taken for wholesalers, since they order far more at once than anybody else (above {amount}): {members}. Each of their orders"
        " ahead is counted with that much.",
    ),
    "future": Wording(
        "{orders} 笔订单的日期在未来，不计入。", "{orders} orders are dated in the future and do not count."
    ),
}
EARLIER = Wording(
    "一年前的同样 {days} 天：预计 {expected} 笔，实际 {came} 笔（{ratio:.0%}）。",
    "As many days ({days}) a year earlier: we expected {expected} orders, {came} came ({ratio:.0%} of what came).",
)
_GATE = {
    "total_good": Wording("总数接近实际", "The total came near"),
    "mae_good": Wording(
        "对单个会员的误差小于过往频率", "Errors on single members are smaller than those of the past rate"
    ),
    "capture_good": Wording(
        "找出最好的五分之一不逊于任何简单规则", "It finds the best fifth as well as any plain rule"
    ),
}
_RHYTHM = Wording("{orders} 天有购买，通常约每 {gap} 天一次", "Bought on {orders} days, usually about every {gap} days")
_ONCE = Wording("目前只买过一次", "Has bought once so far")
_DAYS = Wording("{orders} 天有购买", "Bought on {orders} days")
_LAST = {
    "": Wording("上次购买在 {days} 天前", "last order {days} days ago"),
    "late": Wording("上次购买在 {days} 天前，比平时晚", "last order {days} days ago, later than usual"),
    "very_late": Wording("上次购买在 {days} 天前，比平时晚得多", "last order {days} days ago, much later than usual"),
}
_LIKE = Wording(
    "可能性取自与其购买天数、沉默时长相近的会员",
    "The chance is that of members with as many order days who were silent as long",
)
_CAPPED = Wording("单笔金额远超他人，按批发客计", "Orders far above anybody else's: counted as a wholesaler")


def gate(language: str, told: dict[str, Any]) -> list[tuple[bool, str]]:
    """The three checks a model must pass, each with its outcome."""
    return [(bool(told[name]), words.said(language)) for name, words in _GATE.items()]


def missing(figures: dict[str, Any], language: str, future: int = 0) -> list[str]:
    """What could not be told, or only roughly, and why."""
    check, found = figures["check"], []
    if check["code"] in MISSING:
        found.append(MISSING[check["code"]].said(language, **{k: v for k, v in check.items() if k != "code"}))
    if check["level"] != "none":
        found += [MISSING[code].said(language) for code in check["warnings"]]
    if figures.get("wholesale"):
        amount = money.show(figures["wholesale"]["from"], figures["currency"])
        found.append(MISSING["wholesale"].said(language, members=figures["wholesale"]["members"], amount=amount))
    if future:
        found.append(MISSING["future"].said(language, orders=f"{future:,}"))
    return found


def reasons(
    language: str, *, orders: int, gap: float | None, silence: int, late: str, rule: str, wholesale: bool = False
) -> list[str]:
    """Why a member's chance is what it is, as a colleague would say it."""
    rhythm = _ONCE.said(language) if orders == 1 else _DAYS.said(language, orders=orders)
    if orders > 1 and gap:
        rhythm = _RHYTHM.said(language, orders=orders, gap=round(gap) or 1)
    found = [f"{rhythm}{'；' if language.startswith('zh') else '; '}{_LAST[late].said(language, days=silence)}"]
    if rule == "plain":
        found.append(_LIKE.said(language))
    if wholesale:
        found.append(_CAPPED.said(language))
    return found


def about(minor: int, currency: str) -> int:
    """An amount to two figures, whole units: a band must not look more exact than it is."""
    unit = 10 ** money.digits(currency)
    if abs(minor) < unit:
        return 0
    step = 10 ** max(0, math.floor(math.log10(abs(minor) / unit)) - 1)
    return round(minor / unit / step) * step * unit
