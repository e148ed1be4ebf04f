"""What members' programmes cost in a time, as a report: for the page, the terminal, the API and a file."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from shuke.engine.finance.tables import Column, Table
from shuke.engine.insight.wording import Wording
from shuke.flows.finance_report import Figure, Report
from shuke.kit.clock import day_start
from shuke.loyalty.queries import costs
from shuke.loyalty.queries.costs import Asked
from shuke.members.queries.cards import card_numbers
from shuke.shops.models import Merchant

MOST_LINES = 100_000
KINDS = {
    "gift": Wording("礼品", "Gifts"),
    "benefit": Wording("权益", "Benefits"),
    "coupon": Wording("优惠券", "Coupons"),
    "draw": Wording("抽奖", "Lucky draws"),
    "referral": Wording("老带新", "Bringing friends"),
    "bonus": Wording("储值赠送", "Stored value bonus"),
}
_W = {
    "costs": Wording("会员项目成本", "What programmes cost"),
    "by_kind": Wording("按类别", "By kind"),
    "by_programme": Wording("按项目", "By programme"),
    "lines": Wording("明细", "What is behind it"),
    "kind": Wording("类别", "Kind"),
    "programme": Wording("项目", "Programme"),
    "name": Wording("名称", "Name"),
    "members": Wording("会员数", "Members"),
    "pieces": Wording("次数", "Times"),
    "cost": Wording("成本", "Cost"),
    "received": Wording("会员另付", "Paid by members"),
    "net": Wording("净成本", "Cost less that"),
    "day": Wording("日期", "Day"),
    "member": Wording("会员卡号", "Member"),
    "ref": Wording("单据", "Booked as"),
    "since": Wording("{first} 至 {last}", "{first} to {last}"),
    "how": Wording(
        "礼品按发放时的成本，退回库存的减去；券按实际减免，退回的减去；奖品按价值，发放时计入；储值赠送在用于付款时计入。积分的成本见“积分负债”。",
        "Gifts at their cost when handed over, less what came back to the stock; coupons by what they took off, less what came back; prizes "
        "at their worth when handed over; bonus of stored value when it paid. What points cost stands under liability.",
    ),
    "cut": Wording("只列出最近 {n} 笔。", "Only the latest {n} are listed."),
}


def costs_of(
    merchant: Merchant,
    first: date,
    last: date,
    language: str,
    *,
    kind: str = "",
    programme: str = "",
    member_id: int | None = None,
    lines: int = 0,
) -> Report:
    """From the first day to the end of the last. `lines`: tell so many of the rows behind it, the latest first."""

    def say(name: str, **more: Any) -> str:
        return _W[name].said(language, **more)

    asked = Asked(
        day_start(first, merchant.tz), day_start(last + timedelta(days=1), merchant.tz), kind, programme, member_id
    )
    totals = costs.totals(merchant, asked)
    chosen = "zh" if language.startswith("zh") else "en"
    by_kind: dict[str, list[int]] = {}
    for one in totals:
        sums = by_kind.setdefault(one.kind, [0, 0, 0])
        for place, n in enumerate((one.pieces, one.cost_minor, one.received_minor)):
            sums[place] += n
    kinds = sorted(by_kind, key=lambda one: (-by_kind[one][1], one))
    figures = [("pieces", "count"), ("cost", "money"), ("received", "money"), ("net", "money")]
    columns = [Column(say(name), sort) for name, sort in figures]
    cost, received = sum(t.cost_minor for t in totals), sum(t.received_minor for t in totals)
    rows = costs.lines(merchant, asked, limit=lines + 1) if lines else []
    cards = card_numbers(merchant, [r.member_id for r in rows if r.member_id])
    tables = [
        Table(
            "by_kind",
            say("by_kind"),
            [Column(say("kind"), "text"), *columns],
            [[KINDS[k].said(language), *by_kind[k], by_kind[k][1] - by_kind[k][2]] for k in kinds],
        ),
        Table(
            "by_programme",
            say("by_programme"),
            [Column(say("programme"), "text"), Column(say("name"), "text"), Column(say("kind"), "text"),
             Column(say("members"), "count"), *columns],
            [
                [t.programme, t.name.get(chosen, t.programme), KINDS[t.kind].said(language), t.members, t.pieces,
                 t.cost_minor, t.received_minor, t.cost_minor - t.received_minor]
                for t in totals
            ],
        ),
    ]  # fmt: skip
    if lines:
        tables.append(
            Table(
                "lines",
                say("lines"),
                [Column(say("day"), "day"), Column(say("kind"), "text"), Column(say("programme"), "text"),
                 Column(say("member"), "text"), Column(say("pieces"), "count"), Column(say("cost"), "money"),
                 Column(say("received"), "money"), Column(say("ref"), "text")],
                [
                    [r.at.astimezone(merchant.tz).date(), KINDS[r.kind].said(language), r.programme,
                     cards.get(r.member_id or 0, ""), r.pieces, r.cost_minor, r.received_minor, r.ref]
                    for r in rows[:lines]
                ],
            )
        )  # fmt: skip
    told = _W["since"].said(language, first=first, last=last)
    plain = {
        "from": first,
        "to": last,
        "cost_minor": cost,
        "received_minor": received,
        "kinds": [
            {"kind": k, "pieces": by_kind[k][0], "cost_minor": by_kind[k][1], "received_minor": by_kind[k][2]}
            for k in kinds
        ],
        "programmes": [t._asdict() for t in totals],
        "lines": [{**r._asdict(), "member": cards.get(r.member_id or 0, "")} for r in rows[:lines]],
    }
    notes = [say("how")] + ([say("cut", n=lines)] if len(rows) > lines > 0 else [])
    shown = [
        Figure(say("cost"), cost, "money"),
        Figure(say("received"), received, "money"),
        Figure(say("net"), cost - received, "money"),
    ]
    return Report("costs", say("costs"), told, shown, notes, tables, plain)
