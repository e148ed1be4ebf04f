"""The charter as sentences, Chinese and English, exact enough that a member can compute their own points from it."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from shuke.engine.charter.document import Charter
from shuke.engine.charter.earning import Caps, Earning, Expiry
from shuke.engine.charter.parts import Name, When
from shuke.engine.charter.tiering import Condition, Review, Window
from shuke.kit.money import SYMBOLS


class Section(NamedTuple):
    """A heading and its sentences."""

    key: str
    title: str
    sentences: list[str]


def describe(charter: Charter, language: str = "zh") -> list[Section]:
    """The member handbook's text: points, expiry, tiers, review, returns, duties."""
    say = _Chinese(charter) if language.startswith("zh") else _English(charter)
    tiers: list[str] = []
    for i, tier in enumerate(charter.tiers):
        tiers.append(say.tier(i))
        tiers += [say.benefit(tier.name, b) for b in tier.benefits]
    return [
        Section(
            "earning",
            say.titles["earning"],
            [say.rule(r) for r in charter.earning] + [say.rounding(), say.tiers_multiply()],
        ),
        Section("points", say.titles["points"], [say.pending(), say.expiry(charter.points.expiry), say.value()]),
        Section("tiers", say.titles["tiers"], tiers),
        Section("review", say.titles["review"], [say.upgrade(), say.review(charter.grading.review), say.fall()]),
        Section("returns", say.titles["returns"], say.returns()),
        *(
            [Section("duties", say.titles["duties"], [getattr(d, say.code) for d in charter.duties])]
            if charter.duties
            else []
        ),
    ]


def _number(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class _English:
    code = "en"
    titles = {
        "earning": "How you earn points",
        "points": "Your points",
        "tiers": "Tiers",
        "review": "How tiers are reviewed",
        "returns": "Returns",
        "duties": "Duties",
    }
    weekdays = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

    def __init__(self, charter: Charter) -> None:
        self.charter = charter
        self.symbol = SYMBOLS.get(charter.currency, charter.currency + " ")
        self.points_name = getattr(charter.points.name, self.code)

    def some(self, points: int) -> str:
        name = self.points_name
        return f"{points:,} {name[:-1] if points == 1 and name.endswith('s') else name}"

    def money(self, amount: Decimal) -> str:
        return self.symbol + _number(amount)

    def window(self, window: Window | None) -> str:
        window = window or self.charter.grading.window
        return {
            "rolling": f"in the last {window.months} months",
            "calendar_year": "in the calendar year",
            "anniversary": "in your membership year",
            "lifetime": "since you joined",
        }[window.kind]

    def condition(self, c: Condition, inner: bool = False) -> str:
        for parts, word in ((c.all, " and "), (c.any, " or ")):
            if parts is not None:
                text = word.join(self.condition(p, True) for p in parts)
                return f"({text})" if inner and len(parts) > 1 else text
        figure = c.at_least or Decimal(0)
        return {
            "amount": f"spend {self.money(figure)} {self.window(c.window)}",
            "orders": f"buy {_number(figure)} times {self.window(c.window)}",
            "single_order": f"buy for {self.money(figure)} in one order {self.window(c.window)}",
            "growth": f"collect {_number(figure)} growth value {self.window(c.window)}",
            "points": f"earn {_number(figure)} {self.points_name} {self.window(c.window)}",
            "invited": "be invited by the shop",
        }[str(c.measure)]

    def tier(self, i: int) -> str:
        t = self.charter.tiers[i]
        if t.reach is None:
            return f"{t.name.en}: everybody, from joining on."
        text = f"{t.name.en}: {self.condition(t.reach)}."
        if t.keep is not None:
            text += f" To keep it: {self.condition(t.keep)}."
        if t.multiplier != 1:
            text += f" Points on purchases × {_number(t.multiplier)}."
        return text

    def benefit(self, tier: Name, benefit: Name) -> str:
        return f"{tier.en}: {benefit.en}."

    def rule(self, r: Earning) -> str:
        what = {
            "per_amount": f"{self.some(r.points)} for each {self.money(r.per)}",
            "fixed": self.some(r.points),
            "multiply": f"points on purchases × {_number(r.times)}",
        }[r.kind]
        text = f"{r.name.en}: {what}{self.when(r.when)}.{self.caps(r.caps)}"
        return text + (" Other rules per amount do not apply to these goods." if r.exclusive else "")

    def when(self, w: When) -> str:
        parts = []
        if w.first_purchase:
            parts.append("on your first purchase")
        if w.birthday:
            parts.append("on your birthday" if w.birthday == "day" else "in the month of your birthday")
        if w.month_days:
            parts.append("on day " + ", ".join(map(str, w.month_days)) + " of the month")
        if w.weekdays:
            parts.append("on " + ", ".join(self.weekdays[d - 1] for d in w.weekdays))
        if w.from_date:
            parts.append(f"from {w.from_date}")
        if w.until_date:
            parts.append(f"until {w.until_date} inclusive")
        if w.min_amount:
            parts.append(f"for orders of {self.money(w.min_amount)} or more")
        for label, values in (
            ("on goods of", w.categories), ("on the goods", w.products), ("on the brands", w.brands), ("in the stores", w.stores),
            ("on", w.platforms), ("through", w.channels),
        ):  # fmt: skip
            if values:
                parts.append(f"{label} {', '.join(values)}")
        if w.tiers:
            names = {t.key: t.name.en for t in self.charter.tiers}
            parts.append("for " + ", ".join(names[t] for t in w.tiers))
        return "".join(", " + p if i else " " + p for i, p in enumerate(parts))

    def caps(self, c: Caps) -> str:
        told = [
            f"{n:,} {span}"
            for n, span in (
                (c.per_order, "per order"),
                (c.per_day, "per day"),
                (c.per_month, "per month"),
                (c.per_member, "in all"),
            )
            if n is not None
        ]
        return f" At most {', '.join(told)}." if told else ""

    def rounding(self) -> str:
        return (
            "Counted is what you paid for goods after discounts, without freight. Rules add up; multipliers apply to points "
            "on purchases, not to fixed bonuses; the fraction of a point is dropped once per order."
        )

    def tiers_multiply(self) -> str:
        if self.charter.points.multipliers == "best":
            return "Where several multipliers apply, the largest one counts."
        return "Where several multipliers apply, they multiply each other."

    def pending(self) -> str:
        days = self.charter.points.pending_days
        if not days:
            return "Points can be used at once."
        return f"Points can be used from the start of day {days} after payment, when the return window has closed."

    def expiry(self, e: Expiry) -> str:
        return {
            "never": "Points do not expire.",
            "months": f"Points can be used until {'the end of ' if e.to_month_end else ''}month {e.months} after they were earned"
            if e.to_month_end
            else f"Points can be used for {e.months} months",
            "days": f"Points can be used for {e.days} days",
            "year_end": [
                "Points can be used until the end of the year",
                "Points can be used until the end of the next year",
            ][e.years]
            if e.years < 2
            else f"Points can be used until the end of the {e.years}th year after",
            "fixed": f"Points can be used until {e.on}",
        }[e.kind].rstrip(".") + ". The oldest are used first."

    def value(self) -> str:
        return f"100 {self.points_name} are worth {self.money(self.charter.points.value * 100)}."

    def upgrade(self) -> str:
        return "You rise as soon as you reach a tier."

    def review(self, r: Review) -> str:
        return {
            "never": "A tier once reached is kept.",
            "after_months": f"A tier is reviewed {r.months} months after you reached or last kept it.",
            "yearly": f"Tiers are reviewed every year on {r.month}/{r.day}.",
            "join_anniversary": "Tiers are reviewed on each anniversary of joining.",
        }[r.kind]

    def fall(self) -> str:
        g = self.charter.grading
        grace = f"you have {g.grace_days} more days to make up for it; after that " if g.grace_days else ""
        step = "you go down by one tier" if g.fall == "one_step" else "you go to the tier your figures reach"
        return f"If the review finds too little, {grace}{step}."

    def returns(self) -> list[str]:
        return [
            "When you return goods, the points these goods earned are taken back; what is left is what the rest of the order "
            "would have earned.",
            "Points that were spent already become a debt, taken from the next points you earn.",
            f"Points you had spent on a returned order come back to where they came from; if they expired meanwhile, they can be "
            f"used for another {self.charter.points.returned_grace_days} days.",
            "A tier is not lowered by a return at once, but at its next review.",
        ]


class _Chinese(_English):
    code = "zh"
    titles = {
        "earning": "如何获得积分",
        "points": "积分的使用",
        "tiers": "会员等级",
        "review": "等级评定",
        "returns": "退货",
        "duties": "会员义务",
    }
    weekdays = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")

    def window(self, window: Window | None) -> str:
        window = window or self.charter.grading.window
        return {
            "rolling": f"近 {window.months} 个月内",
            "calendar_year": "当年内",
            "anniversary": "本会员年度内",
            "lifetime": "入会以来",
        }[window.kind]

    def condition(self, c: Condition, inner: bool = False) -> str:
        for parts, word in ((c.all, "，且"), (c.any, "，或")):
            if parts is not None:
                text = word.join(self.condition(p, True) for p in parts)
                return f"（{text}）" if inner and len(parts) > 1 else text
        figure = c.at_least or Decimal(0)
        return {
            "amount": f"{self.window(c.window)}累计消费满 {self.money(figure)}",
            "orders": f"{self.window(c.window)}购买满 {_number(figure)} 次",
            "single_order": f"{self.window(c.window)}单笔消费满 {self.money(figure)}",
            "growth": f"{self.window(c.window)}成长值满 {_number(figure)}",
            "points": f"{self.window(c.window)}获得{self.points_name}满 {_number(figure)}",
            "invited": "由本店邀请",
        }[str(c.measure)]

    def tier(self, i: int) -> str:
        t = self.charter.tiers[i]
        if t.reach is None:
            return f"{t.name.zh}：入会即为。"
        text = f"{t.name.zh}：{self.condition(t.reach)}。"
        if t.keep is not None:
            text += f"保级条件：{self.condition(t.keep)}。"
        if t.multiplier != 1:
            text += f"消费积分 × {_number(t.multiplier)}。"
        return text

    def benefit(self, tier: Name, benefit: Name) -> str:
        return f"{tier.zh}权益：{benefit.zh}。"

    def rule(self, r: Earning) -> str:
        what = {
            "per_amount": f"每消费 {self.money(r.per)} 得 {r.points:,} {self.points_name}",
            "fixed": f"得 {r.points:,} {self.points_name}",
            "multiply": f"消费积分 × {_number(r.times)}",
        }[r.kind]
        text = f"{r.name.zh}：{self.when(r.when)}{what}。{self.caps(r.caps)}"
        return text + ("这些商品不再适用其他按金额积分的规则。" if r.exclusive else "")

    def when(self, w: When) -> str:
        parts = []
        if w.first_purchase:
            parts.append("首次购买")
        if w.birthday:
            parts.append("生日当天" if w.birthday == "day" else "生日当月")
        if w.month_days:
            parts.append("每月 " + "、".join(map(str, w.month_days)) + " 日")
        if w.weekdays:
            parts.append("、".join(self.weekdays[d - 1] for d in w.weekdays))
        if w.from_date:
            parts.append(f"{w.from_date} 起")
        if w.until_date:
            parts.append(f"至 {w.until_date}（含）")
        if w.min_amount:
            parts.append(f"单笔满 {self.money(w.min_amount)}")
        for label, values in (
            ("商品类目", w.categories), ("商品", w.products), ("品牌", w.brands), ("门店", w.stores), ("平台", w.platforms),
            ("渠道", w.channels),
        ):  # fmt: skip
            if values:
                parts.append(f"{label}为 {'、'.join(values)}")
        if w.tiers:
            names = {t.key: t.name.zh for t in self.charter.tiers}
            parts.append("限" + "、".join(names[t] for t in w.tiers))
        return "，".join(parts) + "，" if parts else ""

    def caps(self, c: Caps) -> str:
        told = [
            f"{span} {n:,}"
            for n, span in (
                (c.per_order, "每单"),
                (c.per_day, "每天"),
                (c.per_month, "每月"),
                (c.per_member, "每人累计"),
            )
            if n is not None
        ]
        return f"最多{'、'.join(told)} {self.points_name}。" if told else ""

    def rounding(self) -> str:
        return "计分金额为扣除各项优惠后的实付商品金额，不含运费。各规则相加；倍数只作用于消费积分，不作用于固定奖励；每单最后舍去不足 1 分的部分。"

    def tiers_multiply(self) -> str:
        return (
            "同时满足多个倍数时，取最高的一个。"
            if self.charter.points.multipliers == "best"
            else "同时满足多个倍数时，倍数相乘。"
        )

    def pending(self) -> str:
        days = self.charter.points.pending_days
        return f"付款后第 {days} 天零点起（退货期满）积分可用。" if days else "积分即时可用。"

    def expiry(self, e: Expiry) -> str:
        text = {
            "never": "积分长期有效",
            "months": f"积分自获得起 {e.months} 个月{'后的当月月底' if e.to_month_end else ''}前有效",
            "days": f"积分自获得起 {e.days} 天内有效",
            "year_end": f"积分{['当年', '次年'][e.years] if e.years < 2 else f'第 {e.years} 年'}年底前有效",
            "fixed": f"积分至 {e.on} 有效",
        }[e.kind]
        return text + "，先到期的先使用。"

    def value(self) -> str:
        return f"100 {self.points_name}价值 {self.money(self.charter.points.value * 100)}。"

    def upgrade(self) -> str:
        return "达到条件即时升级。"

    def review(self, r: Review) -> str:
        return {
            "never": "等级一经达到长期保留。",
            "after_months": f"升级或保级满 {r.months} 个月后重新评定。",
            "yearly": f"每年 {r.month} 月 {r.day} 日评定。",
            "join_anniversary": "每个入会周年日评定。",
        }[r.kind]

    def fall(self) -> str:
        g = self.charter.grading
        grace = f"有 {g.grace_days} 天宽限期补足；期满仍未达到的，" if g.grace_days else ""
        step = "降一级" if g.fall == "one_step" else "按实际数据定级"
        return f"评定未达保级条件的，{grace}{step}。"

    def returns(self) -> list[str]:
        return [
            "退货时收回该部分商品所得积分，保留的积分等于剩余商品应得的积分。",
            "已经用掉的积分记为欠账，从以后获得的积分中扣除。",
            f"退货订单上用掉的积分退回原批次；若已过期，可再使用 {self.charter.points.returned_grace_days} 天。",
            "退货不会立即降级，在下次评定时计算。",
        ]
