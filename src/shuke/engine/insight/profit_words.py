"""What costs, types, qualities, advice and reasons are called, in Chinese and English."""

from __future__ import annotations

from collections.abc import Callable

from shuke.engine.insight.wording import Wording

COSTS = {
    "acquisition": Wording("获客成本", "Acquisition"),
    "care": Wording("关怀成本", "Care"),
    "service": Wording("服务成本", "Service"),
    "reward": Wording("回馈成本", "Rewards"),
    "recovery": Wording("挽回成本", "Recovery"),
}
COST_MEANINGS = {
    "acquisition": Wording(
        "获得这位会员花的钱：资料里写明的，否则老带新奖励，否则渠道或门店的每客成本；另加手工记账。",
        "What winning the member cost: as the profile says, else what was given for bringing them, else the cost of a newcomer "
        "of their channel or store; with what was booked by hand.",
    ),
    "care": Wording("关怀、回访、礼品等维系花的钱。", "Visits, presents and other care that keeps a relation."),
    "service": Wording("售后、投诉、咨询等服务花的钱。", "After-sales, complaints, advice."),
    "reward": Wording(
        "积分按成本在获得时计入（失效、转让、收银时用掉的减去），加礼品、权益、抽奖、包邮券与储值赠送。其他优惠券已使订单少收，不再计入。",
        "Points at their cost when they are earned (less what lapsed, was handed on or paid at a till), gifts, benefits, draws, freight coupons, "
        "bonus. Other coupons made orders count as less already.",
    ),
    "recovery": Wording("挽回流失会员花的钱。", "What winning back cost."),
}
TYPES = {
    "": Wording("未成型", "None yet"),
    "habit": Wording("惰性忠诚", "Habit"),
    "price": Wording("价格忠诚", "Price"),
    "high": Wording("高度忠诚", "High"),
}
TYPE_MEANINGS = {
    "": Wording(
        "一年内购买不足 4 天，或已不在自己的节奏里：谈不上忠诚。",
        "Fewer than 4 buying days within a year, or out of their own rhythm: no loyalty to speak of.",
    ),
    "habit": Wording(
        "按自己的节奏再来，没有看到更深的理由：别打扰，也别让他们有理由看别家。",
        "Come back in their own rhythm, and nothing shows a deeper reason: do not disturb, and give no cause to look elsewhere.",
    ),
    "price": Wording(
        "常来，但一半以上在促销时买，且明显多于其他会员：优惠一停就走。",
        "Come often, but buy half or more on promotion and clearly more so than other members: they go when the offers stop.",
    ),
    "high": Wording(
        "按节奏再来，并且带来了购买的朋友、愿意推荐，或明显比别人更少靠促销。",
        "Come back in rhythm and brought friends who bought, would recommend the shop, or need promotions clearly less than others.",
    ),
}
QUALITIES = {
    "": Wording("一般", "Ordinary"),
    "quality": Wording("优质会员", "Quality member"),
    "costly": Wording("劣质会员", "Costly member"),
}
QUALITY_MEANINGS = {
    "": Wording("不属于以上两类。", "Neither of the two."),
    "quality": Wording("一年利润在盈利会员的前五分之一。", "Among the best fifth of members by yearly profit."),
    "costly": Wording(
        "一年内花的比赚的多，或退掉三成以上（至少三单），或服务与关怀吃掉一半以上的毛利。",
        "Cost more than they brought within a year, gave back 30 % or more of three orders or more, or care and service took half of their margin.",
    ),
}
ADVICE = {
    "": Wording("未知", "Not known"),
    "at_ease": Wording("不必花钱", "Leave at ease"),
    "keep": Wording("留住", "Keep"),
    "win_back": Wording("挽回", "Win back"),
    "let_go": Wording("放手", "Let go"),
}
ADVICE_MEANINGS = {
    "": Wording(
        "预期消费或自己的购买节奏还不知道。", "What they will probably spend, or their own rhythm, is not known yet."
    ),
    "at_ease": Wording(
        "流失的可能不到 5 %：花在留人上的钱几乎没有对象。",
        "Less than 5 % likely to leave: money spent on keeping has nearly nobody to keep.",
    ),
    "keep": Wording(
        "还在自己的节奏里，但可能流失：最多花到预算为止。", "Still in rhythm but may leave: spend up to the budget."
    ),
    "win_back": Wording("已经安静下来：挽回最多花到预算为止。", "Gone quiet: winning back is worth up to the budget."),
    "let_go": Wording(
        "即使留下，一年也不赚钱：放手，把钱花在别人身上。",
        "Even if they stay, a year with them earns nothing: let go, and spend the money on others.",
    ),
}
REASONS = {
    "comes_back": Wording("一年内在 {days} 天里购买，仍在自己的节奏里。", "Bought on {days} days within a year, and still in their rhythm."),
    "too_seldom": Wording("一年内只有 {days} 天购买，不到 {needed} 天。", "Buying days within a year: {days} of the {needed} it takes."),
    "out_of_rhythm": Wording("一年内在 {days} 天里购买，但现在比自己的节奏晚了。", "Bought on {days} days within a year, but is later than their rhythm now."),
    "on_promotion": Wording("{share} 的消费在促销时（会员平均 {mean}）。", "Buys {share} on promotion (members: {mean})."),
    "full_price": Wording("只有 {share} 的消费在促销时（会员平均 {mean}）。", "Buys only {share} on promotion (members: {mean})."),
    "price_usual": Wording("{share} 的消费在促销时（会员平均 {mean}，从 {cut} 起才算冲着价格来）。", "Buys {share} on promotion (members: {mean}; from {cut} on it is for the price)."),
    "price_unknown": Wording("价格敏感度未知：{orders} 单，不到 {needed} 单。", "Price sensitivity is not known: {orders} of {needed} orders."),
    "no_promotions": Wording("价格敏感度未知：订单里没有打折的商品。", "Price sensitivity is not known: no order shows reduced goods."),
    "friends": Wording("带来 {n} 位购买了的朋友。", "Brought {n} friends who bought."),
    "recommends": Wording("愿意推荐本店：{n} 分（满分 10）。", "Would recommend the shop: {n} of 10."),
    "best_fifth": Wording("一年利润 {profit}，属于前五分之一（从 {from} 起）。", "Yearly profit {profit}, among the best fifth (from {from})."),
    "loses": Wording("一年的利润是 {profit}：花在他们身上的比毛利多。", "Yearly profit {profit}: more was spent on them than their margin."),
    "returns": Wording("退掉了购买金额的 {share}。", "Gave back {share} of what was bought."),
    "served": Wording("关怀与服务 {cost}，毛利 {margin}。", "Care and service {cost}, margin {margin}."),
}  # fmt: skip
_MONEY = {"profit", "from", "cost", "margin"}
_SHARES = {"share", "mean", "cut"}
SAID_BY_HAND = {
    "recommend": Wording("愿意推荐（0–10）", "Would recommend (0 to 10)"),
    "competitors": Wording("对竞争者的态度", "Attitude to competitors"),
    "tolerance": Wording("对差错的容忍", "Tolerance of a fault"),
    "decision_days": Wording("决策时间（天）", "Days to decide"),
    "wallet_share": Wording("钱包份额（%）", "Wallet share (%)"),
}
NOT_KNOWN = Wording("未知", "not known")


def reason(code: str, figures: dict[str, int], language: str, money: Callable[[int], str]) -> str:
    """One reason as a sentence; `money` writes an amount of minor units."""
    told = {
        name: money(value) if name in _MONEY else f"{value / 10:.0f} %" if name in _SHARES else value
        for name, value in figures.items()
    }
    return REASONS[code].said(language, **told)


REFUSALS = {
    "bad_kind": Wording("“{kind}”不是成本类别。类别有：{kinds}。", "“{kind}” is no kind of cost. Kinds are: {kinds}."),
    "bad_amount": Wording("{amount} 不能作为成本金额。", "{amount} is no amount of a cost."),
    "bad_moment": Wording("{day} 还没到：成本记在发生的那天。", "{day} lies ahead: a cost is booked on the day it was caused."),
    "bad_key": Wording("成本需要 1 到 120 个字符的编号。", "A cost needs a key of 1 to 120 characters."),
    "key_taken": Wording("编号“{key}”已用于另一笔成本。", "The key “{key}” was used for another cost."),
    "no_member": Wording("没有编号为 {member} 的会员，不能记成本。", "There is no member {member} to book a cost on."),
    "bad_what": Wording("“{what}”不是以下之一：{all}。", "“{what}” is none of {all}."),
    "no_key": Wording(
        "请写明是哪个商品、类目、渠道或门店，最多 160 个字符。", "Say which product, category, channel or store; at most 160 characters."
    ),
    "unknown_product": Wording(
        "没有编码为“{key}”的商品。编码在订单文件的商品编码列。",
        "No product has the code “{key}”. Codes are in the order files, column of item codes.",
    ),
    "unknown_category": Wording(
        "没有属于类目“{key}”的商品。请按文件里的写法，层级之间用“/”。",
        "No product is of the category “{key}”. Write it as in the files, levels joined by “/”.",
    ),
    "unknown_store": Wording("没有叫“{key}”的门店。现有：{all}。", "No store is called “{key}”. There are: {all}."),
    "both": Wording("“{key}”：毛利率与成本只能写一个。", "“{key}”: state a margin or a cost, not both."),
    "bad_margin": Wording(
        "“{key}”：毛利率写成 30 % 或 0.3，在 -100 % 到 100 % 之间，只用于商品与类目。",
        "“{key}”: a margin is of goods, written 30 % or 0.3, between -100 % and 100 % of the price.",
    ),
    "bad_cost": Wording(
        "“{key}”：成本是一个不小于 0 的金额，用于商品、渠道或门店。",
        "“{key}”: a cost is an amount of money not below 0, of a product, a channel or a store.",
    ),
    "bad_uplift": Wording("留住率在 0 % 到 100 % 之间。", "The uplift is between 0 % and 100 % of those who would leave."),
    "bad_years": Wording("年数在 0.1 到 20 之间。", "The years of the plain formula are between 0.1 and 20."),
    "nothing_stated": Wording("这一行既没有毛利率也没有成本。", "Neither a margin nor a cost stands in this row."),
    "no_columns": Wording(
        "第一行须是列名：商品编码，以及毛利率或成本。", "The first row must name the columns: code, and margin or cost (商品编码, 毛利率, 成本)."
    ),
}  # fmt: skip


class Refused(ValueError):
    """What cannot be booked or stated; nothing of the call was kept. `say` tells it in a language."""

    def __init__(self, code: str, **figures: object) -> None:
        self.code, self.figures = code, figures
        super().__init__(self.say("en"))

    def say(self, language: str) -> str:
        return REFUSALS[self.code].said(language, **self.figures)
