"""Prices, offers, coupons and points as money in sentences, Chinese and English, exact enough to compute with."""

from __future__ import annotations

from decimal import Decimal

from shuke.engine.charter.parts import When
from shuke.engine.charter.selling import (
    Coupon,
    Goods,
    Limits,
    Offer,
    PointsAsMoney,
    Price,
    Selling,
    Validity,
    Where,
    every,
)
from shuke.kit.money import SYMBOLS

Rule = Price | Offer | Coupon
TITLES = {"zh": "购物优惠", "en": "At the till"}
_STEPS = {
    "tier_price": ("会员价", "tier prices"),
    "offers": ("优惠活动", "offers"),
    "coupons": ("优惠券", "coupons"),
    "points": ("积分抵扣", "points"),
    "gift_cards": ("礼品卡", "gift cards"),
    "stored_value": ("储值", "stored value"),
}
_TENDERS = {**_STEPS, "points": ("积分", "points"), "cash": ("现金及其他付款", "money")}
_ISSUED = {
    "birthday": ("生日", "on the birthday"),
    "tier_up": ("升级时", "on rising to a tier"),
    "first_purchase": ("首次购买后", "after the first purchase"),
    "win_back": ("久未购买时", "to members who stayed away"),
    "complaint": ("投诉处理后", "after a complaint was settled"),
    "joined": ("入会时", "on joining"),
    "referral": ("推荐好友后", "for bringing a friend"),
}


class Words:
    """Says the selling part of a charter in one language."""

    def __init__(self, currency: str, language: str, tiers: dict[str, str] | None = None) -> None:
        self.zh = language.startswith("zh")
        self.symbol = SYMBOLS.get(currency, currency + " ")
        self.tiers = tiers or {}

    def two(self, chinese: str, english: str) -> str:
        return chinese if self.zh else english

    def money(self, amount: Decimal | None) -> str:
        return f"{self.symbol}{_number(amount or Decimal(0))}"

    def name(self, rule: Rule) -> str:
        return rule.name.zh if self.zh else rule.name.en

    def percent(self, percent: Decimal) -> str:
        """12 % off; in Chinese as what is paid: 8.8 折."""
        return (
            f"{_number((100 - percent) / 10)} 折"
            if self.zh and percent < 100
            else f"{_number(percent)}% off"
            if not self.zh
            else "免费"
        )

    # ---- what it gives --------------------------------------------------------------------------------------------
    def gives(self, rule: Rule) -> str:
        kind = rule.kind if not isinstance(rule, Price) else ""
        cap = getattr(rule, "cap", None)
        text = getattr(self, f"_{kind or 'tier_price'}")(rule)
        if cap is not None:
            text += self.two(f"（最多优惠 {self.money(cap)}）", f" (at most {self.money(cap)})")
        return text

    def _tier_price(self, rule: Price) -> str:
        if rule.percent is not None:
            return self.percent(rule.percent)
        if rule.price is not None:
            return self.two(f"每件 {self.money(rule.price)}", f"{self.money(rule.price)} each")
        return self.two(f"每件减 {self.money(rule.off_each)}", f"{self.money(rule.off_each)} off each")

    def _percent(self, rule: Offer | Coupon) -> str:
        assert rule.percent is not None
        return self.percent(rule.percent)

    def _amount(self, rule: Offer | Coupon) -> str:
        return self.two(f"减 {self.money(rule.amount)}", f"{self.money(rule.amount)} off")

    def _price(self, rule: Offer) -> str:
        return self.two(f"每件 {self.money(rule.amount)}", f"{self.money(rule.amount)} each")

    def _off_each(self, rule: Offer) -> str:
        return self.two(f"每件减 {self.money(rule.amount)}", f"{self.money(rule.amount)} off each")

    def _freight(self, rule: Offer | Coupon) -> str:
        if rule.amount is None:
            return self.two("包邮", "no freight")
        return self.two(f"运费减 {self.money(rule.amount)}", f"{self.money(rule.amount)} off the freight")

    def _item(self, rule: Coupon) -> str:
        return self.two(f"免费兑换 {rule.pieces} 件", f"{rule.pieces} piece{'s' * (rule.pieces > 1)} for nothing")

    def _ladder(self, rule: Offer) -> str:
        told = []
        for rung in rule.rungs:
            figure = (
                self.two(f"{_number(rung.at_least)} 件", f"{_number(rung.at_least)} pieces")
                if rule.measure == "pieces"
                else self.money(rung.at_least)
            )
            off = (
                self.percent(rung.percent)
                if rung.percent is not None
                else self.two(f"减 {self.money(rung.off)}", f"{self.money(rung.off)} off")
            )
            told.append(self.two(f"满 {figure} {off}", f"from {figure} {off}"))
        text = self.two("，", ", ").join(told)
        if rule.repeat:
            text += self.two(
                "，上不封顶" if rule.most_times is None else f"，最多 {rule.most_times} 次",
                ", again for each full amount",
            )
        return text

    def _buy_get(self, rule: Offer) -> str:
        how = self.two("免费", "free") if rule.percent is None else self.percent(rule.percent)
        which = self.two("最低价的", "the cheapest") if rule.of is None else self.goods(rule.of)
        return self.two(f"买 {rule.buy} 件，{which} {rule.get} 件{how}", f"buy {rule.buy}, {rule.get} of {which} {how}")

    # ---- for what and when ----------------------------------------------------------------------------------------
    def goods(self, goods: Goods | When) -> str:
        names = [*goods.categories, *goods.products, *goods.brands]
        return self.two("、", ", ").join(names) if names else self.two("全部商品", "all goods")

    def where(self, when: Where) -> list[str]:
        told = []
        if when.categories or when.products or when.brands:
            told.append(self.two(f"适用 {self.goods(when)}", f"for {self.goods(when)}"))
        if when.without != Goods():
            told.append(self.two(f"不含 {self.goods(when.without)}", f"not for {self.goods(when.without)}"))
        if when.min_amount:
            told.append(self.two(f"满 {self.money(when.min_amount)} 可用", f"from {self.money(when.min_amount)}"))
        if when.min_pieces:
            told.append(self.two(f"满 {when.min_pieces} 件可用", f"from {when.min_pieces} pieces"))
        if when.tiers:
            names = self.two("、", ", ").join(self.tiers.get(t, t) for t in when.tiers)
            told.append(self.two(f"限 {names}", f"for {names} only"))
        for chinese, english, values in (
            ("门店", "stores", when.stores),
            ("渠道", "channels", when.channels),
            ("平台", "platforms", when.platforms),
        ):
            if values:
                told.append(f"{self.two(chinese, english)} {self.two('、', ', ').join(values)}")
        if when.birthday:
            told.append(self.two("限生日期间", f"in the birthday {when.birthday}"))
        if when.first_purchase:
            told.append(self.two("限首单", "first purchase only"))
        if when.from_date or when.until_date:
            told.append(self.span(when.from_date, when.until_date))
        return told

    def span(self, start: object, end: object) -> str:
        if start and end:
            return self.two(f"{start} 至 {end}", f"{start} to {end}")
        return self.two(f"{start} 起", f"from {start} on") if start else self.two(f"至 {end}", f"until {end}")

    def valid(self, valid: Validity) -> list[str]:
        told = []
        if valid.days:
            late = (
                self.two(f"领取 {valid.after_days} 天后生效，", f"from day {valid.after_days} after issue, ")
                if valid.after_days
                else ""
            )
            told.append(late + self.two(f"有效 {valid.days} 天", f"valid {valid.days} days"))
        if valid.from_date or valid.until_date:
            told.append(self.span(valid.from_date, valid.until_date))
        return told

    def limits(self, limits: Limits) -> list[str]:
        told = []
        if limits.per_member:
            told.append(self.two(f"每人最多 {limits.per_member} 张", f"at most {limits.per_member} per member"))
        if limits.per_order > 1:
            told.append(self.two(f"每单最多 {limits.per_order} 张", f"up to {limits.per_order} on one order"))
        return told

    def alone(self, rule: Rule) -> list[str]:
        told = []
        if rule.alone:
            told.append(self.two("不与其他优惠同享", "with no other offer"))
        elif rule.not_with:
            named = self.two("、", ", ").join(_STEPS[k][not self.zh] if k in _STEPS else k for k in rule.not_with)
            told.append(self.two(f"不与 {named} 同享", f"not with {named}"))
        if not rule.on_discounted:
            told.append(self.two("仅限原价商品", "full-price goods only"))
        return told

    def sentence(self, rule: Rule) -> str:
        """The rule in one sentence: 新客券：减 ¥20，满 ¥150 可用，有效 30 天。"""
        parts = [self.gives(rule), *self.where(rule.when)]
        if isinstance(rule, Coupon):
            parts += [*self.valid(rule.valid), *self.limits(rule.limits)]
            parts += [
                self.two(f"{_ISSUED[i.on][0]}发放 {i.count} 张", f"{i.count} issued {_ISSUED[i.on][1]}")
                for i in rule.issue
            ]
        parts += self.alone(rule)
        return self.two(f"{self.name(rule)}：{'，'.join(parts)}。", f"{self.name(rule)}: {', '.join(parts)}.")

    def conditions(self, rule: Rule) -> str:
        """The sentence without the name and what it gives."""
        parts = [*self.where(rule.when)]
        if isinstance(rule, Coupon):
            parts += [*self.valid(rule.valid), *self.limits(rule.limits)]
        return self.two("，", ", ").join([*parts, *self.alone(rule)])

    def points(self, pay: PointsAsMoney, value: Decimal) -> str:
        worth = pay.worth or value
        parts = [self.two(f"100 积分抵 {self.money(worth * 100)}", f"100 points pay {self.money(worth * 100)}")]
        if pay.step > 1:
            parts.append(self.two(f"须为 {pay.step} 的整数倍", f"in steps of {pay.step}"))
        if pay.least:
            parts.append(self.two(f"至少 {pay.least} 分", f"at least {pay.least}"))
        if pay.most:
            parts.append(self.two(f"每单最多 {pay.most} 分", f"at most {pay.most} on one order"))
        if pay.share < 100:
            parts.append(
                self.two(
                    f"最多抵扣应付的 {_number(pay.share)}%", f"at most {_number(pay.share)}% of what is left to pay"
                )
            )
        if pay.min_order:
            parts.append(self.two(f"满 {self.money(pay.min_order)} 可用", f"from {self.money(pay.min_order)}"))
        parts.append(
            self.two("可抵运费" if pay.freight else "运费不可抵扣", "freight too" if pay.freight else "not the freight")
        )
        if pay.without != Goods():
            parts.append(self.two(f"不含 {self.goods(pay.without)}", f"not for {self.goods(pay.without)}"))
        return self.two(f"积分抵现：{'，'.join(parts)}。", f"Points as money: {', '.join(parts)}.")

    def order(self, selling: Selling) -> str:
        named = [_STEPS[step][not self.zh] for step in selling.order]
        return self.two(f"计算顺序：{' → '.join(named)}。", f"Applied in this order: {' → '.join(named)}.")

    def returns(self, selling: Selling) -> list[str]:
        """How goods that come back are refunded, where several things paid."""
        if not selling.back_to:
            return []
        named = " → ".join(_TENDERS[tender][not self.zh] for tender in every(selling.back_to))
        return [
            self.two(
                f"退货时依次退回：{named}，每项最多退回本单由其支付的部分。",
                f"Goods that come back are refunded to: {named}, to each at most what it paid.",
            )
        ]


def sentences(selling: Selling, *, currency: str, value: Decimal, tiers: dict[str, str], language: str) -> list[str]:
    """The selling part for the member handbook; nothing, where the charter says nothing about it."""
    rules: list[Rule] = [*selling.prices, *selling.offers, *selling.coupons]
    if not rules and selling.points is None:
        return []
    words = Words(currency, language, tiers)
    told = [words.sentence(rule) for rule in rules]
    if selling.points is not None:
        told.append(words.points(selling.points, value))
    return [*told, words.order(selling), *words.returns(selling)]


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
