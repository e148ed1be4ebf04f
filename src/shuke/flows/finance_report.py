"""The finance figures of a shop as reports: figures, notes and tables, ready for a page, a terminal or a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from shuke.connect.exporters import bookkeeping
from shuke.engine.charter.terms import Terms
from shuke.engine.finance import months, tables, wording
from shuke.engine.finance.journal import Entry
from shuke.engine.finance.policy import ROLES
from shuke.engine.finance.tables import Table
from shuke.engine.insight.wording import Wording
from shuke.kit import clock
from shuke.loyalty.queries import as_of, charters, cohorts, finance, partner_cards
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

REPORTS = ("liability", "movements", "breakage", "deferral", "lapsing", "entries")
SPAN = 12  # months shown where nobody said which


class Figure(NamedTuple):
    name: str
    value: Any
    kind: str  # as of engine.finance.tables.Column


class Report(NamedTuple):
    """`plain`: the same for programs. `ok`: everything that must agree agrees."""

    key: str
    title: str
    told: str  # as of when, or which time
    figures: list[Figure]
    notes: list[str]
    tables: list[Table]
    plain: dict[str, Any]
    ok: bool = True


_W = {
    "liability": Wording("积分负债", "Points liability"),
    "movements": Wording("积分变动表", "Movements of points"),
    "breakage": Wording("沉淀与兑换率", "Breakage and redemption"),
    "deferral": Wording("递延与计提", "Deferral and provision"),
    "lapsing": Wording("到期预测", "What will lapse"),
    "entries": Wording("记账凭证", "Entries"),
    "as_of": Wording("截至 {day} 日终", "as of the end of {day}"),
    "since": Wording("{first} 至 {last}", "{first} to {last}"),
    "outstanding": Wording("未兑换积分", "Points outstanding"),
    "cost": Wording("按批次成本", "At each lot's cost"),
    "available": Wording("可用", "Available"),
    "pending": Wording("待生效", "Pending"),
    "held": Wording("冻结", "Set aside"),
    "debt": Wording("会员欠分", "Owed back"),
    "members": Wording("持有会员", "Members holding"),
    "rate": Wording("最终兑换率", "Redeemed in the end"),
    "breakage_rate": Wording("沉淀率", "Breakage"),
    "error": Wording("标准误", "Standard error"),
    "months": Wording("完整月份", "Whole months"),
    "balance": Wording("负债余额", "Liability"),
    "method": Wording("方法", "Method"),
    "expected": Wording("预计兑换率", "Expected to be used"),
    "lapse_next": Wording("本月预计过期", "Will lapse this month"),
    "lapse_all": Wording("今后预计过期合计", "Will lapse in all"),
    "agrees": Wording(
        "与复式账逐分核对：期初、期末、扣除欠分后的净额及各科目合计，差额均为 0。",
        "Agrees with the double entry to the point: opening, closing, net of debt and all accounts together differ by 0.",
    ),
    "differs": Wording(
        "与复式账不符：{what}。请运行 `shuke ledger verify`。",
        "Does not agree with the double entry: {what}. Run `shuke ledger verify`.",
    ),
    "as_known": Wording(
        "过去的数字以今天所知为准；当时报出的数字保存在已结账的月份里。",
        "Figures of the past are as known today; what was reported then is kept in the closed months.",
    ),
    "lapsed": Wording(
        "另有 {n} 分已过有效期、尚未入账，不再是负债。", "Another {n} points are past their expiry and not booked yet; nobody is owed them."
    ),
    "no_cost": Wording(
        "由退货转为欠分的部分没有批次，因而没有成本，只列在欠分一栏。",
        "Points a refund turned into a debt have no lot and so no cost; they show as owed back only.",
    ),
    "firm": Wording("样本足够，可以据此入账。", "There is enough past for breakage to be put into the books."),
    "not_firm": Wording(
        "样本不足，入账时按全部会兑换处理。", "There is too little past: the books take all points to be redeemed."
    ),
    "by_hand": Wording("预计兑换率由本店设定为 {percent}%。", "The shop has set the share expected to {percent}%."),
    "estimated": Wording(
        "预计兑换率每月按链梯法重新估计，差额当月补记。",
        "The share expected is estimated anew every month by chain ladder; what changes is caught up in that month.",
    ),
    "thin_past": Wording(
        "没有参照月份的，到期积分可能全部过期。", "Where there are no past months, all that is due may lapse."
    ),
    "prolonged": Wording("有效期会顺延的积分按目前的到期月份列示。", "Points whose life is prolonged stand by the month they end in now."),
    "closed": Wording("已于 {when} 结账，数字不再变动。", "Closed on {when}: these figures do not change any more."),
    "open": Wording("尚未结账，以下为草稿。", "Not closed yet: this is a draft."),
    "late": Wording("编号 000 为以前月份补记。", "Number 000 is what became known of earlier months."),
    "nothing": Wording("还没有发放过积分。", "No points have been issued yet."),
    "no_entries": Wording("本月没有需要入账的分录。", "There is nothing to book for this month."),
}  # fmt: skip


def say(key: str, language: str, **params: object) -> str:
    return _W[key].said(language, **params)


def last_whole_month(merchant: Merchant, now: datetime) -> int:
    return finance.this_month(merchant, now) - 1


def liability(merchant: Merchant, day: date, now: datetime, language: str) -> Report:
    """What is owed at the end of a day; of today: at this moment."""
    end = as_of.end_of(merchant, day)
    told = as_of.as_of(merchant, min(end, now) if end > now else end)
    names = _names(merchant, now, language)
    found = [
        tables.parts(f"by_{kind}", getattr(told, f"by_{kind}"), names[kind], language)
        for kind in ("age", "expiry", "tier", "funder", "store")
        if kind != "funder" or {part.key for part in told.by_funder} - {None}  # else it is the shop alone
    ]
    wrong = {name: n for name, n in told.differences.items() if n}
    notes = [_agreement(wrong, language)]
    if told.lapsed_unbooked:
        notes.append(say("lapsed", language, n=f"{told.lapsed_unbooked:,}"))
    if end <= now:
        notes.append(say("as_known", language))
    figures = [
        Figure(say("outstanding", language), told.points, "count"),
        Figure(say("cost", language), told.money_minor, "money"),
        *(Figure(say(k, language), getattr(told, k), "count") for k in ("available", "pending", "held", "debt", "members")),
    ]  # fmt: skip
    plain = told._asdict() | {"differences": told.differences, "currency": merchant.currency}
    return Report("liability", say("liability", language), say("as_of", language, day=day), figures, notes, found, plain, not wrong)  # fmt: skip


def movements(merchant: Merchant, first: int, last: int, now: datetime, language: str) -> Report:
    """Month by month from `first` to `last`; a month that is not over goes up to now."""
    marks = [clock.day_start(months.first_day(first), merchant.tz), *cohorts.month_ends(merchant, first, last)]
    marks = [mark for mark in marks if mark < now] + ([now] if marks[-1] >= now else [])
    rolled = cohorts.roll_forwards(merchant, marks)
    labels = [months.label(first + n) for n in range(len(rolled))]
    wrong = {f"{label} {k}": n for label, r in zip(labels, rolled, strict=True) for k, n in r.differences.items() if n}
    told = [(label, r.table) for label, r in zip(labels, rolled, strict=True)]
    notes = [_agreement(wrong, language), say("as_known", language)]
    if any(r.table.owed_after for r in rolled):
        notes.append(say("no_cost", language))
    plain = {
        "currency": merchant.currency,
        "months": [{"month": label, **r._asdict()} for label, r in zip(labels, rolled, strict=True)],
    }
    span = say("since", language, first=labels[0], last=labels[-1]) if labels else ""
    found = [tables.movements(told, language, in_money=in_money) for in_money in (False, True)]
    return Report("movements", say("movements", language), span, [], notes, found, plain, not wrong)


def breakage(merchant: Merchant, now: datetime, language: str) -> Report:
    """Raises finance.NothingIssued."""
    found = finance.breakage_of(merchant, now)
    told = found.estimate
    notes = [wording.named(wording.THIN, code, language) for code in told.thin]
    notes.insert(0, say("firm" if told.firm else "not_firm", language))
    rate = told.rate
    figures = [
        Figure(say("rate", language), rate, "share"),
        Figure(say("breakage_rate", language), None if rate is None else 1 - rate, "share"),
        Figure(say("error", language), told.error, "share"),
        Figure(say("months", language), len(told.cohorts), "count"),
    ]
    until = clock.add_months(months.first_day(told.until), 1) - timedelta(days=1)
    plain = {
        "until": until, "rate": rate, "error": told.error, "firm": told.firm, "thin": told.thin, "factors": told.factors,
        "cohorts": [
            {"month": months.label(e.cohort.month), "issued": e.cohort.issued, "used": e.cohort.used, "lapsed": e.cohort.lapsed,
             "ultimate": round(e.ultimate, 2), "share": e.share, "error": e.error, "method": e.method}
            for e in told.cohorts
        ],
        "held_out": [test._asdict() | {"error": test.error} for test in found.tests],
    }  # fmt: skip
    both = [tables.triangle(told, language), tables.held_out(found.tests, language)]
    return Report("breakage", say("breakage", language), say("as_of", language, day=until), figures, notes, both, plain)


def deferral(merchant: Merchant, day: date, now: datetime, language: str) -> Report:
    """Running totals under the shop's method. Raises finance.NothingIssued."""
    found = finance.books(merchant, min(as_of.end_of(merchant, day), now))
    chosen = found.policy
    method = wording.named(wording.METHODS, chosen.method, language)
    percent = chosen.expected_percent
    notes = [say("estimated", language) if percent is None else say("by_hand", language, percent=percent)]
    last = found.months[-1] if found.months else None
    figures = [
        Figure(say("method", language), method, "text"),
        Figure(say("balance", language), last.balance if last else 0, "money"),
    ]
    with_price = chosen.method == "deferral"
    both = [tables.issues(found.issues, found.shares, language, with_price=with_price)]
    if found.months:
        both.insert(0, tables.balances(found.months, chosen.method, language))
    plain = {
        "currency": merchant.currency,
        "policy": chosen.model_dump(mode="json"),
        "months": [
            {"month": months.label(m.month), "first": m.first, "second": m.second, "balance": m.balance}
            for m in found.months
        ],
        "shares_millionths": {months.label(month): share for month, share in found.shares.items()},
    }
    return Report("deferral", say("deferral", language), say("as_of", language, day=day), figures, notes, both, plain)


def lapsing(merchant: Merchant, now: datetime, language: str) -> Report:
    found = finance.lapsing(merchant, now)
    current = finance.this_month(merchant, now)
    known = [one.lapse for one in found if one.lapse is not None]
    this = next((one.lapse for one in found if one.month == current), None)
    figures = [
        Figure(say("lapse_next", language), this, "count"),
        Figure(say("lapse_all", language), sum(known) if known else None, "count"),
    ]
    notes = [say("nothing", language)] if not found else []
    if any(one.lapse is None for one in found):
        notes.append(say("thin_past", language))
    if any(terms.rolling_expiry for terms in _charters(merchant, now)):
        notes.append(say("prolonged", language))
    plain = {
        "currency": merchant.currency,
        "months": [one._asdict() | {"month": months.label(one.month)} for one in found],
    }
    day = clock.day_of(now, merchant.tz)
    told = say("as_of", language, day=day)
    return Report("lapsing", say("lapsing", language), told, figures, notes, [tables.lapsing(found, language)], plain)


def entries(merchant: Merchant, month: int, now: datetime, language: str, per: str = "") -> Report:
    """Raises finance.NotInTheBooks, finance.NothingIssued."""
    sheet = finance.sheet(merchant, month, now)
    found = sheet.entries(per)
    notes = []
    if sheet.closed is None:
        notes.append(say("open", language))
    else:
        when = sheet.closed.closed_at.astimezone(merchant.tz)
        notes.append(say("closed", language, when=f"{when:%Y-%m-%d %H:%M}"))
    if any(sheet.document["late"].values()):
        notes.append(say("late", language))
    if not found:
        notes.append(say("no_entries", language))
    figures = [
        Figure(say("method", language), wording.named(wording.METHODS, sheet.document["policy"]["method"], language), "text"),
        Figure(say("balance", language), sheet.document["figures"]["balance"], "money"),
    ]  # fmt: skip
    plain = sheet.document | {
        "closed_at": sheet.closed.closed_at if sheet.closed else None,
        "digest": bytes(sheet.closed.digest).hex() if sheet.closed else "",
    }
    return Report(
        "entries", say("entries", language), months.label(month), figures, notes, [tables.entries(found, language)], plain
    )  # fmt: skip


def _agreement(wrong: Mapping[str, int], language: str) -> str:
    if not wrong:
        return say("agrees", language)
    return say("differs", language, what=", ".join(f"{name} {n:+,}" for name, n in wrong.items()))


def _names(merchant: Merchant, now: datetime, language: str) -> dict[str, dict[Any, str]]:
    tiers = {
        tier.key: tier.name.zh if language.startswith("zh") else tier.name.en
        for terms in _charters(merchant, now)
        for tier in terms.charter.tiers
    }
    return {
        "age": {"last": str(as_of.AGES[-1])} | dict(zip(as_of.AGES[1:], map(str, as_of.AGES), strict=False)),
        "expiry": {},
        "tier": tiers,
        "store": {store.pk: store.name for store in shops.stores(merchant)},
        "funder": {one.pk: one.name for one in shops.merchants()}
        | {one.pk: one.issuer or one.name for one in partner_cards.programmes(merchant)},
    }


def _charters(merchant: Merchant, now: datetime) -> list[Terms]:
    """Those that were in force one after the other, the present one last: its names win."""
    try:
        versions = charters.versions(merchant)
    except charters.NoCharter:
        return []
    begun = [one.effective_from for one in charters.history(merchant) if one.effective_from <= now]
    return [versions.at(moment) for moment in sorted(begun)] or [versions.at(now)]


def roles(language: str) -> list[tuple[str, str]]:
    return [(role, wording.named(wording.ROLES, role, language)) for role in ROLES]


class NoSuchFile(ValueError):
    """This report is not written in that format."""


FORMATS = ("csv", "xlsx", "json", "hledger")


def as_file(report: Report, kind: str, currency: str, language: str, *, table: str = "") -> bytes:
    """One table as CSV or XLSX, everything as JSON, entries for plain-text bookkeeping. The same report, the same bytes
    (XLSX: the same cells)."""
    if kind == "json":
        return json.dumps(report.plain, ensure_ascii=False, indent=1, sort_keys=True, default=_as_text).encode() + b"\n"
    one = next((t for t in report.tables if t.key == table), report.tables[0])
    if kind == "hledger":
        if report.key != "entries":
            raise NoSuchFile("Only entries are written as hledger; choose csv, xlsx or json.")
        return bookkeeping.hledger(_entries_of(one), currency, language)
    header, rows = tables.sheet(one, currency)
    if kind == "csv":
        return bookkeeping.csv_bytes(header, rows)
    return bookkeeping.xlsx_bytes(header, rows, sheet=one.key)


def _entries_of(table: Table) -> list[Entry]:
    return [
        Entry(number, day, Wording(said, said), account, name, debit or 0, credit or 0)
        for number, day, said, account, name, debit, credit in table.rows
    ]


def _as_text(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)
