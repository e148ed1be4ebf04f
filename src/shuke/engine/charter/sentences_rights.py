"""Benefits and plans as sentences of the member handbook, so exact that a member can count their own quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shuke.engine.charter.parts import When
from shuke.engine.charter.rights import Benefit, Occasion, Plan

if TYPE_CHECKING:
    from shuke.engine.charter.sentences_en import English

TITLES = {"zh": "会员权益", "en": "Benefits"}
_PER = {
    "day": ("每天", "a day"),
    "week": ("每周（周一至周日）", "a week (Monday to Sunday)"),
    "month": ("每个自然月", "a calendar month"),
    "quarter": ("每季度", "a calendar quarter"),
    "year": ("每个自然年", "a calendar year"),
    "member_year": ("每个会员年度（自入会日起）", "a membership year (from the day you joined)"),
    "tier": ("每次持有该等级期间", "while you hold the tier"),
    "lifetime": ("入会以来共", "in all"),
}
_CHANGE = {
    "keep": (
        "周期内等级变动的，按期内持有过的最优等级计。",
        "If your tier changes within that time, the best one counts.",
    ),
    "prorate": (
        "周期内等级变动的，按各等级天数折算，向上取整。",
        "If your tier changes within that time, each counts for its share of the days, rounded up.",
    ),
    "now": ("周期内等级变动的，按当前等级计。", "If your tier changes within that time, the present one counts."),
}
_SPECIAL = {
    "wedding": ("结婚纪念日", "wedding day"),
    "child": ("孩子生日", "child's birthday"),
    "other": ("您的特别日子", "own special day"),
}


def sentences(say: English) -> list[str]:
    rights = say.charter.rights
    return [_benefit(say, b) for b in rights.benefits] + [_plan(say, p) for p in rights.plans]


def _benefit(say: English, b: Benefit) -> str:
    chinese = say.code == "zh"
    name = getattr(b.name, say.code)
    named = {t for g in b.grants for t in g.tiers}
    who = []
    for grant in b.grants:
        tiers = "、" if chinese else ", "
        others = ("其他等级" if chinese else "other tiers") if named else ("全体会员" if chinese else "every member")
        label = tiers.join(say.tier_names[t] for t in grant.tiers) or others
        who.append(
            f"{label} {_times(grant.times, b.per, chinese)}"
            if chinese
            else f"{label}: {_times(grant.times, b.per, False)}"
        )
    text = f"{name}：" if chinese else f"{name}: "
    text += ("；" if chinese else "; ").join(who)
    when = _when(say, b.when)
    text += when
    if b.percent is not None:
        text += f"，优惠 {b.percent.normalize():f}%" if chinese else f", {b.percent.normalize():f}% off"
    text += "。" if chinese else "."
    if len({g.times for g in b.grants}) > 1 or len(named) > 0:
        change = _CHANGE[b.on_tier_change][0 if chinese else 1]
        if b.per != "tier" and any(g.times is not None for g in b.grants):
            text += change if chinese else f" {change}"
    if b.about is not None:
        text += getattr(b.about, say.code) if chinese else f" {b.about.en}"
    return text


def _times(times: int | None, per: str, chinese: bool) -> str:
    if times is None:
        return "不限次" if chinese else "without limit"
    if chinese:
        return f"{_PER[per][0]} {times} 次"
    return f"{'once' if times == 1 else f'{times} times'} {_PER[per][1]}"


def _when(say: English, when: Occasion) -> str:
    chinese = say.code == "zh"
    rest = When(
        weekdays=when.weekdays, month_days=when.month_days, days=when.days, hours=when.hours, birthday=when.birthday,
        from_date=when.from_date, until_date=when.until_date, stores=when.stores,
    )  # fmt: skip
    text = say.when(rest).strip(" ，,")
    if when.special_days:
        kinds = (" 或" if chinese else " or ").join(_SPECIAL[k][0 if chinese else 1] for k in when.special_days)
        around = ""
        if when.before or when.after:
            around = _around(when.before, when.after, chinese)
        special = f"限{kinds}{around}" if chinese else f"on your {kinds}{around}"
        text = ("，" if chinese else ", ").join(t for t in (text, special) if t)
    return "" if not text else (f"，{text}" if chinese else f", {text}")


def _around(before: int, after: int, chinese: bool) -> str:
    if chinese:
        told = [f"前 {before} 天" if before else "当天", f"后 {after} 天" if after else "当天"]
        return f"（{told[0]}至{told[1]}）"
    days = [f"{n} day{'s' if n > 1 else ''}" for n in (before, after)]
    first = f"from {days[0]} before" if before else "from the day itself"
    return f" ({first} to {f'{days[1]} after' if after else 'the day itself'})"


def _plan(say: English, plan: Plan) -> str:
    chinese = say.code == "zh"
    name = getattr(plan.name, say.code)
    spans = {"month": ("每个自然月内", "in each calendar month"), "quarter": ("每季度内", "in each calendar quarter"),
             "year": ("每个自然年内", "in each calendar year"), "member_year": ("每个会员年度内", "in each membership year"),
             "lifetime": ("", "in all")}  # fmt: skip
    steps = []
    for step in plan.steps:
        figure = say.money(step.at_least) if plan.counts == "amount" else f"{step.at_least.normalize():f}"
        gets = getattr(step.name, say.code)
        if step.points:
            gets += f"（含 {say.some(step.points)}）" if chinese else f" (with {say.some(step.points)})"
        if chinese:
            unit = {"amount": "", "pieces": " 件", "orders": " 单"}[plan.counts]
            steps.append(f"满 {figure}{unit}：{gets}")
        else:
            unit = {"amount": " spent", "pieces": " pieces", "orders": " orders"}[plan.counts]
            steps.append(f"{figure}{unit}: {gets}")
    goods = [*plan.of.categories, *plan.of.products, *plan.of.brands]
    if chinese:
        text = f"{name}：{spans[plan.per][0]}累计（扣除退货）" + "，".join(steps)
        text += f"；限{'、'.join(goods)}" if goods else ""
        text += f"；限{'、'.join(say.tier_names[t] for t in plan.tiers)}" if plan.tiers else ""
        text += f"；门店为 {'、'.join(plan.stores)}" if plan.stores else ""
        text += f"；自 {plan.from_date} 起" if plan.from_date else ""
        text += f"；至 {plan.until_date} 止（含当日）" if plan.until_date else ""
        return text + ("；达到最后一档后重新累计。" if plan.repeat else "。")
    text = f"{name}: {spans[plan.per][1]}, less returns: " + "; ".join(steps)
    text += f"; on {', '.join(goods)}" if goods else ""
    text += f"; for {', '.join(say.tier_names[t] for t in plan.tiers)}" if plan.tiers else ""
    text += f"; in the stores {', '.join(plan.stores)}" if plan.stores else ""
    text += f"; from {plan.from_date}" if plan.from_date else ""
    text += f"; until {plan.until_date} inclusive" if plan.until_date else ""
    return text + (". It begins again after the last step." if plan.repeat else ".")
