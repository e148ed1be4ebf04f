"""The Chinese sentences of the member handbook."""

from __future__ import annotations

from decimal import Decimal

from shuke.engine.calendar.festivals import FESTIVALS
from shuke.engine.charter.earning import Caps, Earning, Expiry, Group
from shuke.engine.charter.parts import Day, Name, When
from shuke.engine.charter.sentences_en import English, hours, number
from shuke.engine.charter.tiering import Condition, Limits, Membership, Review, Window


class Chinese(English):
    code = "zh"
    titles = {
        "joining": "如何入会",
        "earning": "如何获得{points}",
        "activities": "互动{points}",
        "points": "{points}的使用",
        "tiers": "会员等级",
        "growth": "成长值",
        "memberships": "付费会员",
        "review": "等级评定",
        "returns": "退货",
        "duties": "会员义务",
    }
    weekdays = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")

    # -- tiers --------------------------------------------------------------------------------------------------

    def window(self, window: Window | None) -> str:
        window = window or self.charter.grading.window
        return {
            "rolling": f"近 {window.months} 个月内",
            "calendar_year": "当年内",
            "calendar_quarter": "本季度内",
            "calendar_month": "当月内",
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
            "orders": f"{self.window(c.window)}购买满 {number(figure)} 次",
            "single_order": f"{self.window(c.window)}单笔消费满 {self.money(figure)}",
            "growth": f"{self.window(c.window)}成长值满 {number(figure)}",
            "points": f"{self.window(c.window)}获得{self.points_name}满 {number(figure)}",
            "invited": "由本店邀请",
        }[str(c.measure)]

    def tier(self, i: int) -> str:
        t = self.charter.tiers[i]
        if t.paid_only:
            text = f"{t.name.zh}：仅限付费开通或由本店授予。"
        elif t.reach is None:
            text = f"{t.name.zh}：入会即为。"
        else:
            text = f"{t.name.zh}：{self.condition(t.reach)}。"
        if t.keep is not None:
            text += f"保级条件：{self.condition(t.keep)}。"
        if t.multiplier != 1:
            text += f"消费{self.points_name} × {number(t.multiplier)}。"
        return text

    def benefit(self, tier: Name, benefit: Name) -> str:
        return f"{tier.zh}权益：{benefit.zh}。"

    def membership(self, m: Membership) -> str:
        lasts = (f"{m.months} 个月" if m.months else "") + (f"{m.days} 天" if m.days else "")
        text = f"{m.name.zh}：{self.money(m.price)}，有效期 {lasts}，期间至少享有{self.tier_names[m.tier]}等级。"
        text += "有效期内续费，从到期日起顺延。" if m.renewal == "extend" else "有效期内续费，自续费之时重新计算。"
        text += "会费与其他消费一样计分、计入等级。" if m.earns else f"会费不计{self.points_name}，也不计入等级。"
        if m.products:
            text += f"购买 {'、'.join(m.products)} 即开通。"
        return text + "退费后立即失效。"

    # -- growth value -------------------------------------------------------------------------------------------

    def growth_base(self) -> list[str]:
        per = self.charter.grading.growth_per
        return [f"每消费 {self.money(per)} 得 1 成长值，每单舍去不足 1 的部分。"] if per else []

    def growth_loss(self) -> list[str]:
        loss = self.charter.grading.growth_loss
        told = []
        if loss.months:
            told.append(f"成长值自获得起 {loss.months} 个月{'后的当月月底' if loss.to_month_end else ''}前有效。")
        if loss.yearly_percent:
            told.append(f"每年 {loss.month} 月 {loss.day} 日扣减成长值的 {loss.yearly_percent}%。")
        return told

    # -- earning ------------------------------------------------------------------------------------------------

    def rule(self, r: Earning) -> str:
        text = f"{r.name.zh}：{self.when(r.when)}{self.gives(r)}。"
        for streak in r.streaks:
            text += f"每连续 {streak.days} 天另得 {self.unit(r, streak.points)}。"
        text += self.limits(r.limits) + self.caps(r.caps, r)
        if r.budget is not None:
            text += f"总量 {r.budget.points:,} {self.points_name}，送完为止。"
        return text + ("这些商品不再适用其他按金额计算的规则。" if r.exclusive else "")

    def unit(self, r: Earning, points: int) -> str:
        return f"{points:,} {'成长值' if r.gives == 'growth' else self.points_name}"

    def gives(self, r: Earning) -> str:
        return {
            "per_amount": f"每{'满' if r.whole else '消费'} {self.money(r.per)} 得 {self.unit(r, r.points)}",
            "per_item": f"每件得 {self.unit(r, r.points)}",
            "fixed": f"得 {self.unit(r, r.points)}",
            "multiply": f"{'消费成长值' if r.gives == 'growth' else f'消费{self.points_name}'} × {number(r.times)}",
            "activity": f"得 {self.unit(r, r.points)}",
        }[r.kind]

    @classmethod
    def day(cls, d: Day) -> str:
        if d.month_day is not None:
            return f"每月 {d.month_day} 日"
        if d.nth is not None:
            which = "最后一个" if d.nth == -1 else f"第 {d.nth} 个"
            return f"每月{which}{cls.weekdays[(d.weekday or 1) - 1]}"
        text = str(d.date) if d.date else FESTIVALS[str(d.festival)].zh
        around = [f"{word} {n} 天" for n, word in ((d.before, "前"), (d.after, "后")) if n]
        return f"{text}（含{'、'.join(around)}）" if around else text

    @classmethod
    def moments(cls, w: When) -> list[str]:
        parts = []
        if w.first_purchase:
            parts.append("首次购买")
        if w.nth_purchases:
            parts.append("第 " + "、".join(map(str, w.nth_purchases)) + " 次购买")
        if w.birthday:
            parts.append({"day": "生日当天", "week": "生日所在周（周一至周日）", "month": "生日当月"}[w.birthday])
        if w.month_days:
            parts.append("每月 " + "、".join(map(str, w.month_days)) + " 日")
        if w.weekdays:
            parts.append("、".join(cls.weekdays[d - 1] for d in w.weekdays))
        if w.days:
            parts.append("或".join(cls.day(d) for d in w.days))
        if w.hours:
            parts.append(hours(w.hours, "", "至", "或"))
        return parts

    def when(self, w: When) -> str:
        parts = self.moments(w)
        if w.from_date:
            parts.append(f"{w.from_date} 起")
        if w.until_date:
            parts.append(f"至 {w.until_date}（含）")
        if w.min_amount:
            what = {"goods": "此类商品", "before_discounts": "优惠前", "paid": "实付总额"}.get(w.min_amount_of, "")
            parts.append(f"单笔{what}满 {self.money(w.min_amount)}")
        if w.min_pieces:
            parts.append(f"满 {w.min_pieces} 件")
        for label, values in (
            ("商品类目", w.categories), ("商品", w.products), ("品牌", w.brands), ("门店", w.stores), ("平台", w.platforms),
            ("渠道", w.channels),
        ):  # fmt: skip
            if values:
                parts.append(f"{label}为 {'、'.join(values)}")
        if w.tiers:
            parts.append("限" + "、".join(self.tier_names[t] for t in w.tiers))
        return "，".join(parts) + "，" if parts else ""

    def caps(self, c: Caps, r: Earning | None = None) -> str:
        spans = ((c.per_order, "每单"), (c.per_day, "每天"), (c.per_week, "每周（周一至周日）"), (c.per_month, "每月"),
                 (c.per_member, "每人累计"))  # fmt: skip
        told = [f"{span} {n:,}" for n, span in spans if n is not None]
        more = "多得部分" if r is not None and r.kind == "multiply" else ""
        before = "（倍数计算前）" if self.is_multiplied(r) else ""
        unit = "成长值" if r is not None and r.gives == "growth" else self.points_name
        return f"{more}最多{'、'.join(told)} {unit}{before}。" if told else ""

    def limits(self, c: Limits) -> str:
        spans = (
            (c.per_day, "每天"),
            (c.per_week, "每周（周一至周日）"),
            (c.per_month, "每月"),
            (c.per_member, "每人共"),
        )
        told = [f"{span} {n:,} 次" for n, span in spans if n is not None]
        return f"最多{'、'.join(told)}。" if told else ""

    def group(self, group: Group, rules: list[Earning]) -> str:
        names = "、".join(r.name.zh for r in rules)
        if group.take == "best":
            return f"{names}：每单只计其中所得最多的一项。"
        order = "、".join(r.name.zh for r in sorted(rules, key=lambda r: -r.priority))
        return f"{names}：每单只计一项，按此顺序取第一个适用的：{order}。"

    def base(self) -> str:
        base = self.charter.points.base
        more = [
            word
            for told, word in (
                (base.freight, "运费"), (base.discounts, "店铺优惠金额"), (base.coupons, "用券金额"), (base.points, "积分抵现金额"),
            )
            if told
        ]  # fmt: skip
        less = [word for told, word in ((not base.tax, "税额"), (not base.stored_value, "储值支付金额")) if told]
        less += [f"{name}支付金额" for name in base.without_tenders]
        if not base.freight:
            less.insert(0, "运费")
        text = "计分金额为扣除各项优惠后的实付商品金额"
        if more:
            text += "，并计入" + "、".join(more)
        return text + (f"，不含{'、'.join(less)}" if less else "") + "。"

    def rounding(self) -> str:
        points = self.charter.points
        what = {"floor": "舍去不足 1 分的部分", "half_up": "四舍五入到整数", "ceil": "不足 1 分的部分进为 1 分"}[
            points.rounding
        ]
        return f"每{'行商品' if points.round_per == 'line' else '单'}最后{what}。"

    def together(self) -> list[str]:
        points = self.charter.points
        text = {
            "add": "各规则相加",
            "best": "多项规则同时适用时，只计所得最多的一项",
            "first": "多项规则同时适用时，只计最先适用的一项",
        }[points.stacking]
        how = {"best": "取最高的一个", "multiply": "倍数相乘", "add": "各倍数增加的部分相加"}[points.multipliers]
        return [
            f"{text}；倍数只作用于消费{self.points_name}，不作用于固定奖励。",
            f"同时满足多个倍数时，{how}。",
            *self.tier_before(),
        ]

    def tier_before(self) -> list[str]:
        if all(tier.multiplier == 1 for tier in self.charter.tiers):
            return []
        return ["每单按付款前的等级计算；因本单升级的，新等级从下一单起适用。"]

    def all_caps(self) -> list[str]:
        told = self.caps(self.charter.points.caps)
        return [f"各规则合计，{told}"] if told else []

    # -- points -------------------------------------------------------------------------------------------------

    def pending(self) -> str:
        points = self.charter.points
        days = points.pending_days
        if points.pending_from == "completion":
            when = f"确认收货后第 {days} 天零点起" if days else "确认收货后"
            return f"{when}{self.points_name}可用，最迟为付款后 {points.pending_most_days} 天。"
        return (
            f"付款后第 {days} 天零点起（退货期满）{self.points_name}可用。" if days else f"{self.points_name}即时可用。"
        )

    def expiry(self, e: Expiry) -> str:
        to = e.to or ("month" if e.to_month_end else "day")
        end = {"month": "当月月底", "quarter": "当季季末", "half_year": "当半年末", "year": "当年年底"}.get(to, "")
        if e.kind == "activity":
            after = f" {e.months} 个月后{'的' + end if end else ''}"
            return f"最近一次消费、使用{self.points_name}或互动{after}，全部{self.points_name}失效；每次互动都会顺延。"
        if e.kind == "months":
            text = (
                f"{self.points_name}自获得起 {e.months} 个月{'后的' + end if end else ''}前有效"
                if e.months
                else f"{self.points_name}获得{end}前有效"
            )
        elif e.kind == "year_end":
            year = "年底" if e.month == 12 else f" {e.month} 月底"
            text = f"{self.points_name}{['当年', '次年'][e.years] if e.years < 2 else f'第 {e.years} 年'}{year}前有效"
        else:
            text = {
                "never": f"{self.points_name}长期有效",
                "days": f"{self.points_name}自获得起 {e.days} 天内有效",
                "fixed": f"{self.points_name}至 {e.on} 有效",
            }[e.kind]
        return text + "，先到期的先使用。"

    def value(self) -> str:
        return f"100 {self.points_name}价值 {self.money(self.charter.points.value * 100)}。"

    def handing(self) -> list[str]:
        points = self.charter.points
        if points.transfer == "no":
            return [f"{self.points_name}不可转给他人。"]
        to = {"family": "同一家庭的会员", "anyone": "其他会员"}[points.transfer]
        most = points.transfer_most_per_day
        return [
            f"{self.points_name}可转给{to}，有效期不变{f'，每天最多 {most:,}' if most is not None else ''}。",
            f"经本店登记为家庭的会员可共用{self.points_name}：付款时不足的部分由家人补足。",
        ]

    def lapsed(self) -> list[str]:
        days = self.charter.points.reinstate_days
        return [f"{self.points_name}过期后 {days} 天内，有正当理由的，本店可以恢复。"] if days else []

    # -- review -------------------------------------------------------------------------------------------------

    def upgrade(self) -> str:
        if self.charter.grading.upgrade == "at_review":
            return "在评定日按数据升级。"
        return "达到条件即时升级。"

    def reviews(self) -> list[str]:
        told = [self.review(self.charter.grading.review)]
        told += [f"{t.name.zh}：{self.review(t.review)}" for t in self.charter.tiers if t.review is not None]
        return told

    def review(self, r: Review) -> str:
        return {
            "never": "等级一经达到长期保留。",
            "after_months": f"升级或保级满 {r.months} 个月后重新评定。",
            "after_days": f"升级或保级满 {r.days} 天后重新评定。",
            "yearly": f"每年 {r.month} 月 {r.day} 日评定。",
            "quarterly": f"每季度第 {r.month} 个月的 {r.day} 日评定。",
            "monthly": f"每月 {r.day} 日评定。",
            "join_anniversary": "每个入会周年日评定。",
        }[r.kind]

    def protection(self) -> list[str]:
        days = self.charter.grading.protection_days
        return [f"升级后 {days} 天保护期内不降级。"] if days else []

    def fall(self) -> str:
        g = self.charter.grading
        grace = f"有 {g.grace_days} 天宽限期补足；期满仍未达到的，" if g.grace_days else ""
        step = "降一级" if g.fall == "one_step" else "按实际数据定级"
        return f"评定未达保级条件的，{grace}{step}。"

    def notice(self) -> list[str]:
        days = self.charter.grading.notice_days
        return [f"评定前 {days} 天仍未达到保级条件的，我们会告知还差多少。"] if days else []

    def returns(self) -> list[str]:
        points = self.charter.points
        spent = {
            "debt": f"已经用掉的{self.points_name}记为欠账，从以后获得的{self.points_name}中扣除。",
            "balance": f"已经用掉的{self.points_name}从其他{self.points_name}中扣除，不足部分不再追收。",
            "lot": f"该订单已经用掉的{self.points_name}不再收回。",
        }[points.clawback]
        return [
            f"退货时收回该部分商品所得{self.points_name}，保留的{self.points_name}等于剩余商品应得的{self.points_name}。",
            spent,
            f"退货订单上用掉的{self.points_name}退回原批次；若已过期，可再使用 {points.returned_grace_days} 天。",
            "退货后达不到现有等级条件的，立即降级。"
            if self.charter.grading.on_refund == "at_once"
            else "退货不会立即降级，在下次评定时计算。",
        ]
