"""The finance figures as tables with typed columns, in Chinese or English: one shape for page, terminal, CSV and XLSX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from shuke.engine.finance import breakage, deferral, forecast, journal, months, rolling, wording
from shuke.engine.insight.wording import Wording
from shuke.kit import money


class Column(NamedTuple):
    """`kind`: text | count | money (minor units) | share (1 = all) | day."""

    name: str
    kind: str


class Table(NamedTuple):
    """Rows of values as the columns' kinds say; None where nothing is known. `total`: the last row sums the others."""

    key: str
    title: str
    columns: list[Column]
    rows: list[list[Any]]
    total: bool = False


_W = {
    "by_age": Wording("按积分批次的年龄", "By age of lot"),
    "by_expiry": Wording("按到期月份", "By month of expiry"),
    "by_tier": Wording("按会员等级", "By tier"),
    "by_store": Wording("按门店", "By store"),
    "by_funder": Wording("按出资商家", "By who pays for them"),
    "moves": Wording("各月变动（积分）", "Movements by month, points"),
    "moves_money": Wording("各月变动（金额）", "Movements by month, money"),
    "triangle": Wording(
        "各月发放的积分：去向，及各月龄累计兑换率", "What became of each month's points, and the share used by age"
    ),
    "tests": Wording("回测：隐去最近几个月再预测", "Held out: the last months hidden and predicted"),
    "deferral": Wording("合同负债", "Contract liability"),
    "provision": Wording("预计负债", "Provision"),
    "issues": Wording("各月发放", "By month of issue"),
    "lapsing": Wording("今后各月到期", "What will lapse, month by month"),
    "entries": Wording("凭证分录", "Entries"),
    "age": Wording("年龄", "Age"),
    "expiry": Wording("到期月份", "Month of expiry"),
    "tier": Wording("等级", "Tier"),
    "store": Wording("门店", "Store"),
    "funder": Wording("商家", "Merchant"),
    "points": Wording("积分", "Points"),
    "money": Wording("金额", "Money"),
    "share": Wording("占比", "Share"),
    "month": Wording("月份", "Month"),
    "all": Wording("合计", "All"),
    "never": Wording("不过期", "never"),
    "none": Wording("无", "none"),
    "own": Wording("本店", "the shop itself"),
    "up_to": Wording("{n} 个月以内", "up to {n} months"),
    "between": Wording("{first} 至 {n} 个月", "{first} to {n} months"),
    "over": Wording("{n} 个月以上", "over {n} months"),
    "owed": Wording("会员欠分", "Owed back"),
    "issued": Wording("发放", "Issued"),
    "used_at": Wording("第 {n} 月", "month {n}"),
    "used": Wording("已兑换", "Used"),
    "lapsed": Wording("已过期", "Lapsed"),
    "will_be_used": Wording("预计最终兑换", "Will be used"),
    "error": Wording("标准误 ±", "Error ±"),
    "way": Wording("依据", "Rests on"),
    "done": Wording("已结束", "all known"),
    "ladder": Wording("链梯法", "chain ladder"),
    "rate": Wording("总体兑换率", "the rate of all"),
    "hidden": Wording("隐去月数", "Months hidden"),
    "cohorts": Wording("发放月数", "Months of issue"),
    "predicted": Wording("预测兑换", "Predicted"),
    "actual": Wording("实际兑换", "Used in fact"),
    "off": Wording("误差（占发放）", "Off by, of what was issued"),
    "then": Wording("当时样本", "Known then"),
    "enough": Wording("足够", "enough"),
    "too_thin": Wording("不足", "too little"),
    "others": Wording("其他 {n} 项", "{n} others"),
    "deferred": Wording("累计递延", "Deferred in all"),
    "recognised": Wording("累计确认", "Recognised in all"),
    "provided": Wording("累计计提", "Expensed in all"),
    "settled": Wording("累计冲减", "Settled in all"),
    "balance": Wording("余额", "Balance"),
    "added": Wording("本月递延", "Deferred this month"),
    "taken": Wording("本月确认", "Recognised this month"),
    "charged": Wording("本月计提", "Expensed this month"),
    "released": Wording("本月冲减", "Settled this month"),
    "sales": Wording("会员销售额", "Members' sales"),
    "expected": Wording("预计兑换率", "Expected to be used"),
    "due": Wording("到期", "Due to lapse"),
    "due_money": Wording("到期金额", "Cost"),
    "lapse": Wording("预计过期", "Will lapse"),
    "lapse_money": Wording("预计过期金额", "Cost of that"),
    "low": Wording("最少", "From"),
    "high": Wording("最多", "To"),
    "before": Wording("预计先兑换", "Used before"),
    "rests_on": Wording("参照月数", "Past months"),
    "number": Wording("凭证号", "Number"),
    "day": Wording("日期", "Day"),
    "summary": Wording("摘要", "Summary"),
    "account": Wording("科目代码", "Account"),
    "account_name": Wording("科目名称", "Name"),
    "debit": Wording("借方", "Debit"),
    "credit": Wording("贷方", "Credit"),
}


def word(key: str, language: str, **params: object) -> str:
    return _W[key].said(language, **params)


def _columns(language: str, *told: str) -> list[Column]:
    """ "points:count" → a column by that name and kind."""
    found = []
    for one in told:
        key, kind = one.split(":")
        found.append(Column(word(key, language), kind))
    return found


def _total(rows: Sequence[Sequence[Any]], language: str, summed: Iterable[int]) -> list[Any]:
    last: list[Any] = [None] * len(rows[0])
    last[0] = word("all", language)
    for position in summed:
        last[position] = sum(row[position] for row in rows)
    return last


def parts(key: str, found: Sequence[Any], names: Mapping[Any, str], language: str) -> Table:
    """A breakdown of the liability: rows of (key, points, money)."""
    whole = sum(part.points for part in found) or 1
    rows = [[_part_name(key, p.key, names, language), p.points, p.money_minor, p.points / whole] for p in found]
    if rows:
        rows.append([*_total(rows, language, (1, 2))[:3], 1.0])
    first = key.removeprefix("by_")
    columns = _columns(language, f"{first}:text", "points:count", "money:money", "share:share")
    return Table(key, word(key, language), columns, rows, total=bool(rows))


def _part_name(key: str, value: Any, names: Mapping[Any, str], language: str) -> str:
    if key == "by_age":
        if value is None:
            return word("over", language, n=names["last"])
        before = names.get(value)
        return word("between", language, first=before, n=value) if before else word("up_to", language, n=value)
    if value is None:
        return word({"by_expiry": "never", "by_funder": "own"}.get(key, "none"), language)
    return names.get(value, str(value))


def movements(months_: Sequence[tuple[str, rolling.RollForward]], language: str, *, in_money: bool) -> Table:
    """One row a month: opening, what happened, closing. Only columns in which something happened."""
    kinds = [row for row in rolling.ROWS if any(line.row == row for _, r in months_ for line in r.lines)]
    kinds += sorted({line.row for _, r in months_ for line in r.lines} - set(kinds))
    kind = "money" if in_money else "count"

    def figure(line: rolling.Line) -> int:
        return line.money_minor if in_money else line.points

    rows = []
    for name, told in months_:
        by_row = {line.row: figure(line) for line in told.lines}
        row: list[Any] = [name, figure(told.opening), *(by_row.get(k, 0) for k in kinds), figure(told.closing)]
        rows.append(row if in_money else [*row, told.owed_after])
    columns = [Column(word("month", language), "text")]
    columns += [Column(wording.named(wording.ROWS, k, language), kind) for k in ("opening", *kinds, "closing")]
    if not in_money:
        columns.append(Column(word("owed", language), kind))
    key = "moves_money" if in_money else "moves"
    return Table(key, word(key, language), columns, rows)


def triangle(found: breakage.Estimate, language: str, *, ages: int = 12) -> Table:
    """Cumulative share used by age, and what it comes to."""
    shown = min(ages, max((len(e.cohort.used) for e in found.cohorts), default=0))
    told = ("month:text", "issued:count", "used:share", "lapsed:share", "will_be_used:share", "error:share", "way:text")
    columns = _columns(language, *told)
    columns += [Column(word("used_at", language, n=age), "share") for age in range(shown)]
    rows = []
    for e in found.cohorts:
        c = e.cohort
        by_age = [c.used[age] / c.issued if age < len(c.used) else None for age in range(shown)]
        error = None if e.error is None else e.error / c.issued
        now = [c.used[-1] / c.issued, c.lapsed[-1] / c.issued, e.share, error, word(e.method, language)]
        rows.append([months.label(c.month), c.issued, *now, *by_age])
    return Table("triangle", word("triangle", language), columns, rows)


def held_out(tests: Sequence[breakage.Backtest], language: str) -> Table:
    columns = _columns(
        language,
        "hidden:text",
        "cohorts:count",
        "issued:count",
        "predicted:count",
        "actual:count",
        "off:share",
        "then:text",
    )
    rows = [
        [
            str(t.hidden),
            t.cohorts,
            t.issued,
            t.predicted,
            t.actual,
            t.error,
            word("enough" if t.firm else "too_thin", language),
        ]
        for t in tests
    ]
    return Table("tests", word("tests", language), columns, rows)


def balances(found: Sequence[deferral.Month], method: str, language: str) -> Table:
    """Running totals, what each month added, and the liability that is left."""
    names = ("deferred", "recognised", "added", "taken") if method == "deferral" else ("provided", "settled", "charged", "released")  # fmt: skip
    columns = _columns(language, "month:text", *(f"{n}:money" for n in (*names[2:], *names[:2], "balance")))
    rows: list[list[Any]] = []
    first = second = 0
    for m in found:
        rows.append([months.label(m.month), m.first - first, m.second - second, m.first, m.second, m.balance])
        first, second = m.first, m.second
    return Table("balances", word(method, language), columns, rows)


def issues(found: Sequence[deferral.Issue], shares: Mapping[int, int], language: str, *, with_price: bool) -> Table:
    told = ("sales:money",) if with_price else ()
    columns = _columns(language, "month:text", *told, "issued:count", "used:count", "lapsed:count", "expected:share")
    rows = []
    for one in found:
        price = [one.price[-1]] if with_price else []
        figures = [one.issued[-1], one.used[-1], one.lapsed[-1], shares[one.month] / deferral.MILLION]
        rows.append([months.label(one.month), *price, *figures])
    return Table("issues", word("issues", language), columns, rows)


def lapsing(found: Sequence[forecast.Ahead], language: str) -> Table:
    columns = _columns(
        language, "month:text", "due:count", "due_money:money", "lapse:count", "low:count", "high:count", "lapse_money:money",
        "before:count", "rests_on:count",
    )  # fmt: skip
    rows = [
        [
            months.label(one.month), one.due, one.due_minor, one.lapse, one.low, one.high, one.lapse_minor,
            None if one.lapse is None else one.due - one.lapse, one.rests_on,
        ]
        for one in found
    ]  # fmt: skip
    return Table("lapsing", word("lapsing", language), columns, rows)


def entries(found: Sequence[journal.Entry], language: str) -> Table:
    columns = _columns(
        language, "number:text", "day:day", "summary:text", "account:text", "account_name:text", "debit:money", "credit:money"
    )  # fmt: skip
    rows = [
        [e.number, e.day, e.said.said(language), e.account, e.name, e.debit or None, e.credit or None] for e in found
    ]
    return Table("entries", word("entries", language), columns, rows)


def shortened(table: Table, most: int = 24) -> Table:
    """For a page: the first rows, the others added up, the total. A file has them all."""
    rows = table.rows[:-1] if table.total else table.rows
    if not table.total or len(rows) <= most:
        return table
    rest = rows[most - 1 :]
    said: list[Any] = [word("others", "zh" if _is_chinese(table) else "en", n=len(rest))]
    said += [sum(row[i] for row in rest) for i in range(1, len(table.columns))]
    return table._replace(rows=[*rows[: most - 1], said, table.rows[-1]])


def _is_chinese(table: Table) -> bool:
    return table.title == _W[table.key].zh


# ---- cells ------------------------------------------------------------------------------------------------------------


def shown(value: Any, kind: str, currency: str) -> str:
    """As a person reads it; a dash where nothing is known."""
    if value is None:
        return "–"
    if kind == "money":
        return money.show(value, currency)
    if kind == "share":
        return f"{value * 100:.1f}%"
    return f"{value:,}" if kind == "count" else str(value)


def exported(value: Any, kind: str, currency: str) -> str | int | Decimal | date | None:
    """As a file carries it: money in major units, a share as a number up to 1."""
    if value is None:
        return None
    if kind == "money":
        return Decimal(value).scaleb(-money.digits(currency))
    if kind == "share":
        return Decimal(f"{value:.4f}")
    return value  # type: ignore[no-any-return]


def sheet(table: Table, currency: str) -> tuple[list[str], list[list[Any]]]:
    """Header and rows for a file; money columns carry the currency in their name."""
    header = [f"{c.name} ({currency})" if c.kind == "money" else c.name for c in table.columns]
    rows = [[exported(v, c.kind, currency) for v, c in zip(row, table.columns, strict=True)] for row in table.rows]
    return header, rows
