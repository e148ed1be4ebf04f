"""Prices, offers, coupons and points as money in sentences, Chinese and English, exact enough to compute with."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from shuke.engine.charter.parts import When
from shuke.engine.charter.selling import (
    STEPS,
    Coupon,
    Goods,
    Issue,
    Limits,
    Offer,
    PointsAsMoney,
    Price,
    Selling,
    Validity,
    Where,
    every,
)
from shuke.engine.charter.sentences_en import English
from shuke.engine.charter.sentences_zh import Chinese
from shuke.kit.money import SYMBOLS

if TYPE_CHECKING:
    from shuke.engine.charter.document import Charter

Rule = Price | Offer | Coupon
TITLES = {"zh": "购物优惠", "en": "At the till"}
_STEPS = {
    "tier_price": ("会员价", "tier prices"),
    "offers": ("优惠活动", "offers"),
    "coupons": ("优惠券", "coupons"),
    "gift_cards": ("礼品卡", "gift cards"),
    "stored_value": ("储值", "stored value"),
}
_TENDERS = {**_STEPS, "cash": ("现金及其他付款", "money")}
_ISSUED = {
    "birthday": ("生日", "on the birthday"),
    "tier_up": ("升级时", "on rising to a tier"),
    "first_purchase": ("首次购买后", "after the first purchase"),
    "win_back": ("{days} 天未购买时", "after {days} days without a purchase"),
    "complaint": ("投诉处理后", "after a complaint was settled"),
    "joined": ("入会时", "on joining"),
    "referral": ("推荐好友后", "for bringing a friend"),
}


class Words:
    """Says the selling part of a charter in one language."""

    def __init__(self, currency: str, language: str, charter: Charter | None = None) -> None:
        """`charter` knows what tiers, other rules and points are called; without it they are told by their keys."""
        self.zh = language.startswith("zh")
        self.symbol = SYMBOLS.get(currency, currency + " ")
        self.moments = (Chinese if self.zh else English).moments
        rules = [] if charter is None else _rules(charter.selling)
        self.tiers = {t.key: self.two(t.name.zh, t.name.en) for t in charter.tiers} if charter else {}
        self.names = {rule.key: self.name(rule) for rule in rules}
        for group in {rule.group: None for rule in rules if rule.group}:
            self.names[group] = self.listed(self.name(rule) for rule in rules if rule.group == group)
        self.points_name = (
            self.two(charter.points.name.zh, charter.points.name.en) if charter else self.two("积分", "points")
        )

    def two(self, chinese: str, english: str) -> str:
        return chinese if self.zh else english

    def listed(self, names: Iterable[str]) -> str:
        return self.two("、", ", ").join(names)

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
                "，每满可重复" + ("，上不封顶" if rule.most_times is None else f"，最多 {rule.most_times} 次"),
                ", again for each full amount"
                + ("" if rule.most_times is None else f", at most {rule.most_times} times"),
            )
        return text

    def _buy_get(self, rule: Offer) -> str:
        how = self.two("免费", "free") if rule.percent is None else self.percent(rule.percent)
        if rule.of is None:
            count = rule.buy + rule.get
            text = self.two(
                f"每 {count} 件中最低价的 {rule.get} 件{how}",
                f"of every {count} the cheapest{f' {rule.get}' if rule.get > 1 else ''} {how}",
            )
        elif rule.buy:
            text = self.two(
                f"每买 {rule.buy} 件，{self.goods(rule.of)} {rule.get} 件{how}",
                f"for every {rule.buy} bought {rule.get} of {self.goods(rule.of)} {how}",
            )
        else:
            text = self.two(f"{self.goods(rule.of)} {rule.get} 件{how}", f"{rule.get} of {self.goods(rule.of)} {how}")
        if rule.most_times is not None:
            text += self.two(f"，最多 {rule.most_times} 次", f", at most {rule.most_times} times")
        return text

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
            early = when.min_amount_of == "before_discounts"
            told.append(
                self.two(
                    f"{'优惠前' if early else ''}满 {self.money(when.min_amount)} 可用",
                    f"from {self.money(when.min_amount)}{' before discounts' if early else ''}",
                )
            )
        if when.min_pieces:
            told.append(self.two(f"满 {when.min_pieces} 件可用", f"from {when.min_pieces} pieces"))
        if when.tiers:
            names = self.listed(self.tiers.get(t, t) for t in when.tiers)
            told.append(self.two(f"限 {names}", f"for {names} only"))
        for chinese, english, values in (
            ("门店", "stores", when.stores),
            ("渠道", "channels", when.channels),
            ("平台", "platforms", when.platforms),
        ):
            if values:
                told.append(f"{self.two(chinese, english)} {self.two('、', ', ').join(values)}")
        told += self.moments(when)
        if when.from_date or when.until_date:
            told.append(self.span(when.from_date, when.until_date))
        return told

    def span(self, start: object, end: object) -> str:
        if start and end:
            return self.two(f"{start} 至 {end}", f"{start} to {end}")
        return self.two(f"{start} 起", f"from {start} on") if start else self.two(f"至 {end}", f"until {end}")

    def valid(self, valid: Validity) -> list[str]:
        told = []
        if valid.after_days:
            told.append(self.two(f"领取 {valid.after_days} 天后生效", f"from day {valid.after_days} after issue"))
        if valid.days:
            told.append(self.two(f"有效 {valid.days} 天", f"valid {valid.days} days"))
        if valid.from_date or valid.until_date:
            told.append(self.span(valid.from_date, valid.until_date))
        return told

    def limits(self, limits: Limits) -> list[str]:
        told = []
        if limits.per_member:
            told.append(self.two(f"每人最多 {limits.per_member} 张", f"at most {limits.per_member} per member"))
        if limits.per_order > 1:
            told.append(self.two(f"每单最多 {limits.per_order} 张", f"up to {limits.per_order} on one order"))
        if limits.issued:
            told.append(
                self.two(f"共发放 {limits.issued:,} 张，发完为止", f"{limits.issued:,} in all, while they last")
            )
        if limits.redeemed:
            told.append(self.two(f"前 {limits.redeemed:,} 张使用有效", f"the first {limits.redeemed:,} used count"))
        if limits.budget:
            told.append(
                self.two(
                    f"优惠总额 {self.money(limits.budget)}，用完即止",
                    f"until {self.money(limits.budget)} are given in all",
                )
            )
        return told

    def step(self, key: str) -> str:
        return self.points_name + self.two("抵扣", "") if key == "points" else _STEPS[key][not self.zh]

    def called(self, keys: Iterable[str]) -> str:
        """Rules, groups and steps by their names."""
        return self.listed(self.step(k) if k in STEPS else self.names.get(k, k) for k in keys)

    def issued(self, issue: Issue) -> str:
        """When a rule gives the coupon, to whom and how many."""
        chinese, english = _ISSUED[issue.on]
        tiers = self.listed(self.tiers.get(t, t) for t in issue.tiers)
        if issue.on == "birthday" and issue.days:
            chinese, english = f"生日前 {issue.days} 天", f"{issue.days} days before the birthday"
        elif issue.on == "win_back":
            chinese, english = f"连续 {issue.days} 天未购买时", f"after {issue.days} days without a purchase"
        if tiers and issue.on == "tier_up":
            chinese, english = f"升为{tiers}时", f"on rising to {tiers}"
        elif tiers:
            chinese, english = f"{chinese}向{tiers}", f"{english} to {tiers}"
        return self.two(f"{chinese}发放 {issue.count} 张", f"{issue.count} issued {english}")

    def returned(self, rule: Coupon) -> list[str]:
        """What becomes of it when the whole order comes back; the usual way is said once for all of them."""
        if rule.returned == "keep":
            return [self.two("退货不退回", "lost when the order is returned")]
        if rule.returned_grace_days == Coupon.model_fields["returned_grace_days"].default:
            return []
        days = rule.returned_grace_days
        return [
            self.two(
                f"整单退货时退回，已过期的可再用 {days} 天",
                f"given back with the whole order, for {days} days if it ran out",
            )
        ]

    def alone(self, rule: Rule) -> list[str]:
        told = []
        if rule.alone:
            told.append(self.two("不与其他优惠同享", "with no other offer"))
        elif rule.not_with:
            told.append(self.two(f"不与 {self.called(rule.not_with)} 同享", f"not with {self.called(rule.not_with)}"))
        if not rule.on_discounted:
            told.append(self.two("仅限原价商品", "full-price goods only"))
        return told

    def sentence(self, rule: Rule) -> str:
        """The rule in one sentence: 新客券：减 ¥20，满 ¥150 可用，有效 30 天。"""
        parts = [self.gives(rule), *self.where(rule.when)]
        if isinstance(rule, Coupon):
            parts += [*self.valid(rule.valid), *self.limits(rule.limits)]
            parts += [self.issued(i) for i in rule.issue]
            parts += [self.two("可自行领取", "can be taken by oneself")] if rule.claim else []
            parts += self.returned(rule)
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
        parts = [
            f"100 {self.points_name}" + self.two(f"抵 {self.money(worth * 100)}", f" pay {self.money(worth * 100)}")
        ]
        if pay.step > 1:
            parts.append(self.two(f"须为 {pay.step} 的整数倍", f"in steps of {pay.step}"))
        if pay.least:
            parts.append(self.two(f"至少 {pay.least} {self.points_name}", f"at least {pay.least}"))
        if pay.most:
            parts.append(self.two(f"每单最多 {pay.most} {self.points_name}", f"at most {pay.most} on one order"))
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
        if pay.not_with:
            parts.append(self.two(f"不与 {self.called(pay.not_with)} 同享", f"not with {self.called(pay.not_with)}"))
        named = self.points_name[:1].upper() + self.points_name[1:]
        return self.two(f"{named}抵现：{'，'.join(parts)}。", f"{named} as money: {', '.join(parts)}.")

    def together(self, selling: Selling) -> list[str]:
        """Which rules exclude one another, and what is chosen then."""
        rules, told = _rules(selling), []
        per_line = {g.key for g in selling.groups if g.per == "line"}
        for group in {rule.group: None for rule in rules if rule.group}:
            if sum(rule.group == group for rule in rules) > 1 or group in per_line:
                where = self.two("每件商品", "each article") if group in per_line else self.two("每单", "an order")
                told.append(
                    self.two(
                        f"{self.names[group]}：{where}只享其中一项。",
                        f"{self.names[group]}: only one of them on {where}.",
                    )
                )
        if len(selling.prices) > 1:
            told.append(
                self.two(
                    "有多个会员价时取最低的，不叠加。", "Of several tier prices the lowest counts; they do not add up."
                )
            )
        if selling.most_coupons is not None:
            told.append(
                self.two(
                    f"每单最多使用 {selling.most_coupons} 张券。",
                    f"At most {selling.most_coupons} coupons on one order.",
                )
            )
        if len(rules) > 1:
            told.append(
                self.two(
                    "以上各项取对您最优惠的组合；某项反而使总价更高时不使用。",
                    "Of all this what saves you most together is taken; what would make it dearer is left out.",
                )
                if selling.choose == "best"
                else self.two(
                    "不能同享的，取列在前面的。", "Of what does not go together, what stands first here is taken."
                )
            )
        if any(rule.when.min_amount for rule in rules) or any(rung for r in rules for rung in getattr(r, "rungs", ())):
            after = selling.thresholds == "after"
            told.append(
                self.two(
                    f"门槛金额按{'前面各步优惠之后' if after else '优惠之前'}的金额计算。",
                    f"Amounts to reach are looked at {'after what was taken off before' if after else 'before anything is taken off'}.",
                )
            )
        if any(rule.percent is not None for rule in rules if not (isinstance(rule, Offer) and rule.kind == "buy_get")):
            line = selling.rounding == "line"
            told.append(
                self.two(
                    f"折扣{'逐行' if line else '按合计'}四舍五入到分{'' if line else '，再分摊到各行商品'}。",
                    f"Percentages are rounded {'line by line' if line else 'once, on the sum, and shared out over the lines'}.",
                )
            )
        usual = Coupon.model_fields["returned_grace_days"].default
        if any(isinstance(r, Coupon) and r.returned == "give_back" and r.returned_grace_days == usual for r in rules):
            told.append(
                self.two(
                    f"整单退货时，用掉的券退回；已过期的可再用 {usual} 天。",
                    f"A coupon used on an order comes back with the whole order; if it ran out meanwhile, for {usual} days.",
                )
            )
        return told

    def order(self, selling: Selling) -> str:
        named = [self.step(step) for step in selling.order]
        return self.two(f"计算顺序：{' → '.join(named)}。", f"Applied in this order: {' → '.join(named)}.")

    def returns(self, selling: Selling) -> list[str]:
        """How goods that come back are refunded, where several things paid."""
        if not selling.back_to:
            return []
        named = " → ".join(
            self.points_name if tender == "points" else _TENDERS[tender][not self.zh]
            for tender in every(selling.back_to)
        )
        return [
            self.two(
                f"退货时依次退回：{named}，每项最多退回本单由其支付的部分。",
                f"Goods that come back are refunded to: {named}, to each at most what it paid.",
            )
        ]


def sentences(charter: Charter, language: str) -> list[str]:
    """The selling part for the member handbook; nothing, where the charter says nothing about it."""
    selling, words = charter.selling, Words(charter.currency, language, charter)
    rules = _rules(selling)
    if not rules and selling.points is None:
        return []
    told = [words.sentence(rule) for rule in rules]
    if selling.points is not None:
        told.append(words.points(selling.points, charter.points.value))
    return [*told, *words.together(selling), words.order(selling), *words.returns(selling)]


def _rules(selling: Selling) -> list[Rule]:
    return [*selling.prices, *selling.offers, *selling.coupons]


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
