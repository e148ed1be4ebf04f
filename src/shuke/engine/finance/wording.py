"""What the rows, kinds and reasons of the finance pages are called, in Chinese and English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shuke.engine.insight.wording import Wording

ROWS = {
    "opening": Wording("期初", "Opening"),
    "issued": Wording("发放", "Issued"),
    "taken_back": Wording("退货扣回", "Taken back for refunds"),
    "opened": Wording("由旧系统转入", "Brought from another system"),
    "adjusted": Wording("人工调整", "Adjusted by hand"),
    "redeemed": Wording("兑换", "Redeemed"),
    "given_back": Wording("兑换退回", "Redemptions given back"),
    "expired": Wording("过期", "Expired"),
    "reinstated": Wording("过期恢复", "Reinstated after expiry"),
    "transferred": Wording("会员之间转让", "Between members"),
    "written_off": Wording("豁免", "Written off"),
    "debt": Wording("欠分的发生与抵还", "Moved to and from debt"),
    "closing": Wording("期末", "Closing"),
}

KINDS = {
    "earn": Wording("消费获得", "Earned"),
    "activity": Wording("活动获得", "Earned by an activity"),
    "activity_undo": Wording("撤销活动", "Activity taken back"),
    "burn": Wording("兑换", "Redeemed"),
    "capture": Wording("兑换（先冻结）", "Redeemed from what was set aside"),
    "expire": Wording("过期", "Expired"),
    "refund": Wording("退货扣回", "Taken back for a refund"),
    "return": Wording("兑换退回", "Given back"),
    "adjust": Wording("人工调整", "Adjusted by hand"),
    "opening": Wording("由旧系统转入", "Brought from another system"),
    "reinstate": Wording("过期恢复", "Reinstated after expiry"),
    "hold": Wording("冻结", "Set aside for a basket"),
    "release": Wording("解冻", "Set free again"),
    "timeout": Wording("冻结超时解冻", "Set free, the basket was forgotten"),
    "handed": Wording("转赠给其他会员", "Handed to another member"),
    "taken": Wording("其他会员转赠", "Received from another member"),
    "pool_out": Wording("在联盟伙伴处使用", "Spent at a partner of the coalition"),
    "pool_back": Wording("联盟伙伴处退回", "Back from a partner of the coalition"),
    "partner": Wording("联名卡消费获得", "Earned with the co-branded card"),
    "partner_undo": Wording("联名卡文件撤销", "Co-branded card file taken back"),
    "correct": Wording("更正", "Corrected"),
    "cancelled": Wording("已撤销", "Cancelled"),
}

THIN = {
    "few_months": Wording("不足 4 个月的数据，无法估计。", "Fewer than four months of data: nothing can be estimated."),
    "nobody_redeemed": Wording(
        "至今没有任何积分被兑换；若刚开放兑换，请手工设定兑换率。",
        "No point has been redeemed so far; if redeeming has only just begun, set the expected share by hand.",
    ),
    "not_run_off": Wording(
        "用完或过期的月份不足 3 个，最终兑换率只能粗略估计，入账时按不沉淀处理。",
        "Fewer than three months of issue are used up or lapsed: the final rate is rough, and no breakage is booked on it.",
    ),
    "open_tail": Wording(
        "最早发放的积分仍有未用的，此后的兑换无从得知。",
        "Even the oldest points are partly open: what becomes of them later is unknown.",
    ),
    "one_season": Wording(
        "数据不足两年，旺季与趋势无法区分。", "Less than two years of data: a season cannot be told from a trend."
    ),
}

METHODS = {
    "deferral": Wording("递延收入（合同负债）", "Deferred revenue (contract liability)"),
    "provision": Wording("计提费用（预计负债）", "Expense and provision"),
    "none": Wording("不入账，仅备查", "Not booked, memorandum only"),
}

ROLES = {
    "revenue": Wording("收入", "Revenue"),
    "contract_liability": Wording("合同负债", "Contract liability"),
    "expense": Wording("费用", "Expense"),
    "provision": Wording("预计负债", "Provision"),
    "redeemed": Wording("兑换对方科目", "Contra of redemptions"),
}

CHARTS = {
    "cas": Wording("企业会计准则", "Chinese accounting standards (CAS)"),
    "small": Wording("小企业会计准则", "Chinese small enterprises"),
    "ifrs": Wording("国际财务报告准则", "IFRS"),
}

_WHY = {
    "base": Wording("{name}：{base} 得 {points} 分", "{name}: {points} points on {base}"),
    "times": Wording("{name} ×{times}：多得 {points} 分", "{name} ×{times}: {points} points more"),
    "points": Wording("{name}：{points} 分", "{name}: {points} points"),
    "rounding": Wording("舍去小数 {points}", "fraction dropped {points}"),
    "order": Wording(
        "剩余净额 {net}，应得 {earned} 分，扣回 {taken} 分", "{net} net left earn {earned}; {taken} taken back"
    ),
    "prolonged": Wording("余额有效期顺延", "the balance lives longer"),
    "goods_not_told": Wording(
        "未说明退回哪些商品，按比例分摊到各商品", "which goods came back was not told: shared among them all"
    ),
    "written_off": Wording("豁免 {points} 分", "{points} points written off"),
    "taken_back": Wording("登记有误，已撤销", "noted by mistake and taken back"),
    "was": Wording("原为 {points} 分", "it had been {points}"),
}
_EVENTS = {
    "order": Wording("订单 {number}", "order {number}"),
    "refund": Wording("订单 {number} 的退款", "refund of order {number}"),
}
# Of what a posting is that no order made: the first word of its key.
FOR = {
    "gift": Wording("礼品", "gift"),
    "draw": Wording("抽奖", "lucky draw"),
    "benefit": Wording("权益", "benefit"),
    "referral": Wording("推荐有礼", "bringing a friend"),
    "family": Wording("家庭", "family"),
}


def named(table: Mapping[str, Wording], key: str, language: str) -> str:
    """The name in the reader's language; the key itself where we have no word for it."""
    return table[key].said(language) if key in table else key


def about(event: str, language: str) -> str:
    """What a posting is about: the order's number out of its full name."""
    parts = event.split(":")
    if parts[0] == "order" and len(parts) >= 4:
        return _EVENTS["order"].said(language, number=":".join(parts[3:]))
    if parts[:2] == ["refund", "order"] and len(parts) >= 5:
        return _EVENTS["refund"].said(language, number=parts[4])
    return ""


def reason(why: Mapping[str, Any], language: str, *, money: Callable[[int], str], rules: Mapping[str, Wording]) -> str:
    """One step of how a figure came about, as a sentence part. `rules`: names of the charter's rules by key."""
    if "order" in why:
        return _WHY["order"].said(
            language, net=money(int(why.get("net", 0))), earned=why.get("earned", 0), taken=why.get("taken_back", 0)
        )
    rule, points = str(why.get("rule", "")), why.get("points", "")
    if rule in ("rounding", "written_off", "prolonged", "goods_not_told", "taken_back"):
        return _WHY[rule].said(language, points=points)
    name = named(rules, rule, language)
    if "base" in why:
        return _WHY["base"].said(language, name=name, base=money(int(why["base"])), points=points)
    if "times" in why:
        return _WHY["times"].said(language, name=name, times=why["times"], points=points)
    if points not in ("", None):
        return _WHY["points"].said(language, name=name, points=points) if name else str(points)
    return name


def was(points: int, language: str) -> str:
    return _WHY["was"].said(language, points=f"{points:+,}")
