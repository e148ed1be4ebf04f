"""What points mean for the books of the shop: breakage, deferral or provision, forecast, and the entries of a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from shuke.engine.facts import OrderStatus
from shuke.engine.finance import breakage, deferral, forecast, journal, months
from shuke.engine.finance import policy as policies
from shuke.engine.finance.deferral import Issue
from shuke.engine.finance.policy import Policy
from shuke.kit import bulk, clock
from shuke.kit.refusal import Refusal, Sentences
from shuke.loyalty.models import ClosedMonth, FinancePolicy
from shuke.loyalty.queries import cohorts, timing
from shuke.loyalty.queries.cohorts import History
from shuke.shops.models import Merchant

ALL = 1_000_000
BACKTESTS = (1, 2, 3, 6)


class NothingIssued(Refusal):
    """No points were issued up to that moment: there is nothing to report."""

    sentences: ClassVar[Sentences] = {
        "nothing_issued": (
            "No points have been issued up to then, so there is nothing to report.",
            "截至当时还没有发放过积分，没有可报告的内容。",
        )
    }

    def __init__(self) -> None:
        super().__init__("nothing_issued")


class NotInTheBooks(Refusal):
    """The month lies before the first one that was closed, or has not begun."""

    sentences: ClassVar[Sentences] = {
        "closed_before": (
            "{month} lies before {last}, the last month that was closed; what became known of it since is in the entries of "
            "{next}.",
            "{month} 早于最近结账的月份 {last}；此后得知的记在 {next} 的凭证里。",
        ),
        "not_begun": ("{month} has not begun yet.", "{month} 还没有开始。"),
    }


class CannotClose(Refusal):
    """The month is not over, or not the next in turn."""

    sentences: ClassVar[Sentences] = {
        "not_over": ("{month} is not over yet.", "{month} 还没有结束。"),
        "not_in_turn": (
            "Months are closed in turn: the next one is {next}.",
            "须按顺序结账：下一个月份是 {next}。",
        ),
    }


def policy(merchant: Merchant) -> Policy:
    kept = FinancePolicy.objects.filter(merchant=merchant).first()
    return policies.default_for(merchant.currency) if kept is None else policies.of(kept.document)


def closed_months(merchant: Merchant) -> list[ClosedMonth]:
    """Newest first."""
    return list(ClosedMonth.objects.filter(merchant=merchant).order_by("-month"))


def last_closed(merchant: Merchant) -> ClosedMonth | None:
    return ClosedMonth.objects.filter(merchant=merchant).order_by("-month").first()


def this_month(merchant: Merchant, now: datetime) -> int:
    return months.of(clock.day_of(now, merchant.tz))


# ---- breakage ---------------------------------------------------------------------------------------------------------


class Breakage(NamedTuple):
    """`estimate` rests on whole months only; `tests` are what it would have said of months that are known by now."""

    estimate: breakage.Estimate
    tests: list[breakage.Backtest]


def breakage_of(merchant: Merchant, now: datetime) -> Breakage:
    """Raises NothingIssued."""
    told = cohorts.history(merchant, now)
    until = this_month(merchant, now) - 1
    if told is None or told.first > until:
        raise NothingIssued
    grants, uses = _triangle(told)
    found = breakage.estimate(breakage.cohorts(grants, uses, until=until), until=until)
    tests = [breakage.backtest(grants, uses, until=until, hidden=hidden) for hidden in BACKTESTS]
    return Breakage(found, [test for test in tests if test is not None])


def _triangle(told: History) -> tuple[dict[int, int], list[breakage.Use]]:
    grants: dict[int, int] = defaultdict(int)
    for grant in told.grants:
        grants[grant.earned] += grant.points
    return grants, [breakage.Use(f.earned, f.month, f.kind, f.points) for f in told.fates]


def _shares(told: History, chosen: Policy, *, whole_until: int) -> dict[int, dict[int, int]]:
    """Share expected to be redeemed, in millionths: at the end of each month, of each month's points, by what was known."""
    span = range(told.first, told.until + 1)
    if chosen.expected_millionths is not None:
        return {month: dict.fromkeys(span, chosen.expected_millionths) for month in span}
    grants, uses = _triangle(told)
    found: dict[int, dict[int, int]] = {}
    for month in span:
        until = min(month, whole_until)
        seen = breakage.estimate(breakage.cohorts(grants, uses, until=until), until=until)
        usual = round((seen.rate or 0.0) * ALL) if seen.firm else ALL
        found[month] = dict.fromkeys(span, usual)
        if seen.firm:
            found[month] |= {e.cohort.month: min(ALL, round(e.share * ALL)) for e in seen.cohorts}
    return found


# ---- deferral and provision -------------------------------------------------------------------------------------------


class Books(NamedTuple):
    """Running totals month by month under the shop's policy, and the shares they rest on (at the end of the last month)."""

    policy: Policy
    months: list[deferral.Month]
    shares: dict[int, int]  # by month of issue
    issues: list[Issue]


def books(
    merchant: Merchant, at: datetime, *, chosen: Policy | None = None, odd: Sequence[timing.Moved] | None = None
) -> Books:
    """Up to a moment, as the facts are known today. Raises NothingIssued."""
    chosen = chosen or policy(merchant)
    told = cohorts.history(merchant, at, odd)
    if told is None:
        raise NothingIssued
    ended = cohorts.month_ends(merchant, told.until, told.until)[0] <= at
    shares = _shares(told, chosen, whole_until=told.until if ended else told.until - 1)
    span = range(told.first, told.until + 1)
    deferring = chosen.method == "deferral"
    issues = _issues(told, _sales(merchant, told, at) if deferring else {}, sales_only=deferring)
    way = deferral.deferred if deferring else deferral.provided
    found = way(issues, shares, months=span) if chosen.method != "none" else []
    if deferring:
        found = [
            deferral.Month(m, *(deferral.without_tax(amount, chosen.tax_permille) for amount in (first, second)))
            for m, first, second in found
        ]
    return Books(chosen, found, shares[told.until], issues)


def _issues(told: History, prices: Mapping[int, list[int]], *, sales_only: bool) -> list[Issue]:
    """Running totals of each month's points. A point is worth the mean cost of the lots it was issued in."""
    granted: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for grant in told.grants:
        if grant.sale or not sales_only:
            granted[grant.earned][0] += grant.points
            granted[grant.earned][1] += grant.micro
    moved: dict[tuple[int, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for fate in told.fates:
        if fate.sale or not sales_only:
            moved[fate.earned, fate.kind][max(fate.month, fate.earned)] += fate.points
    found = []
    for month, (points, micro) in sorted(granted.items()):
        span = range(month, told.until + 1)
        used, lapsed, taken = (_running(moved[month, kind], span) for kind in ("used", "lapsed", "taken"))
        issued = [points - gone for gone in taken]
        price = prices.get(month, [0] * len(span))
        found.append(Issue(month, price, issued, used, lapsed, (micro + points // 2) // points if points else 0))
    return found


def _running(by_month: Mapping[int, int], span: range) -> list[int]:
    whole, sums = 0, []
    for month in span:
        whole += by_month.get(month, 0)
        sums.append(whole)
    return sums


_SALES = """
SELECT {paid} AS paid, CASE WHEN o.refunded_minor > 0 AND COALESCE(o.refunded_at, o.paid_at) < %s THEN {back} ELSE -1 END AS back,
       CAST(SUM(CASE WHEN o.paid_minor > o.freight_minor THEN o.paid_minor - o.freight_minor ELSE 0 END) AS BIGINT),
       CAST(SUM(CASE WHEN o.paid_minor <= o.freight_minor THEN 0
                     WHEN o.refunded_minor > o.paid_minor - o.freight_minor THEN o.paid_minor - o.freight_minor
                     ELSE o.refunded_minor END) AS BIGINT)
FROM orders_order o
WHERE o.merchant_id = %s AND o.paid_at >= %s AND o.paid_at < %s AND o.member_id IS NOT NULL AND o.excluded = ''
  AND o.status <> %s AND o.status >= %s
GROUP BY 1, 2
"""


def _sales(merchant: Merchant, told: History, at: datetime) -> dict[int, list[int]]:
    """What members paid for goods, by month; less refunds from the month they were made in; those after the moment are of a later month."""
    ends = cohorts.month_ends(merchant, told.first, told.until)
    paid, told_paid = timing.bucket("o.paid_at", ends[:-1])
    back, told_back = timing.bucket("COALESCE(o.refunded_at, o.paid_at)", ends[:-1])
    moment = bulk.moment()
    begin = clock.day_start(months.first_day(told.first), merchant.tz)
    whole: dict[int, int] = defaultdict(int)
    refunds: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for month, returned, price, gone in bulk.select(
        _SALES.format(paid=paid, back=back),
        [*told_paid, moment(at), *told_back, merchant.pk, moment(begin), moment(at), int(OrderStatus.CLOSED_UNPAID), int(OrderStatus.PAID)],
    ):  # fmt: skip
        whole[told.first + month] += price
        if returned >= 0:
            refunds[told.first + month][told.first + max(returned, month)] += gone
    return {
        month: [price - gone for gone in _running(refunds[month], range(month, told.until + 1))]
        for month, price in whole.items()
    }


# ---- what lapses ------------------------------------------------------------------------------------------------------


def lapsing(merchant: Merchant, now: datetime) -> list[forecast.Ahead]:
    """Month by month ahead: what is due to lapse, what of it probably will, and between which bounds."""
    told = cohorts.history(merchant, now)
    if told is None:
        return []
    current = this_month(merchant, now)
    moves = [forecast.Lapse(g.earned, g.last, g.earned, "granted", g.points) for g in told.grants if g.last is not None]
    moves += [forecast.Lapse(f.earned, f.last, f.month, f.kind, f.points) for f in told.fates if f.last is not None]
    open_now: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for grant in told.grants:
        if grant.last is not None and grant.last >= current:
            open_now[grant.last][0] += grant.points
            open_now[grant.last][1] += grant.micro
    for fate in told.fates:
        if fate.last is not None and fate.last >= current:
            open_now[fate.last][0] -= fate.points
            open_now[fate.last][1] -= fate.micro
    due = {month: (points, micro // ALL) for month, (points, micro) in open_now.items() if points > 0}
    return forecast.ahead(due, forecast.shares(moves, current=current), current=current)


# ---- entries of a month -----------------------------------------------------------------------------------------------


class Sheet(NamedTuple):
    """A month's entries: as they were handed over where it is closed, else as they would be now."""

    month: int
    document: dict[str, Any]
    closed: ClosedMonth | None

    def entries(self, per: str = "") -> list[journal.Entry]:
        return journal.entries(self.document, per or self.document["policy"]["per"])


def sheet(merchant: Merchant, month: int, now: datetime) -> Sheet:
    """Raises NotInTheBooks, NothingIssued."""
    kept = ClosedMonth.objects.filter(merchant=merchant, month=month).first()
    if kept is not None:
        return Sheet(month, kept.document, kept)
    last = last_closed(merchant)
    if last is not None and month < last.month:
        raise NotInTheBooks(
            "closed_before",
            month=months.label(month),
            last=months.label(last.month),
            next=months.label(last.month + 1),
        )
    if month > this_month(merchant, now):
        raise NotInTheBooks("not_begun", month=months.label(month))
    return Sheet(month, document(merchant, month, now, last), None)


def document(merchant: Merchant, month: int, now: datetime, last: ClosedMonth | None) -> dict[str, Any]:
    """What closing the month at `now` would keep."""
    begin = clock.day_start(months.first_day(month), merchant.tz)
    end = min(now, cohorts.month_ends(merchant, month, month)[0])
    chosen = policy(merchant)
    odd = timing.moved(merchant)
    found = books(merchant, end, chosen=chosen, odd=odd)
    totals, before = (_totals(chosen, found, m) for m in (month, month - 1))
    if last is None:
        booked: dict[str, int] = {}
    else:
        booked = dict(last.document["totals"]) if last.month == month - 1 else before
    days = cohorts.by_day(merchant, month, odd)
    rolled = cohorts.roll_forward(merchant, begin, end, odd)
    return journal.document(
        chosen,
        month,
        currency=merchant.currency,
        totals=totals,
        before=before,
        booked=booked,
        days={
            "deferred": days["issued"], "recognised": days["used"], "provided": days["issued"], "settled": days["used"],
        },
        figures={
            "opening": list(rolled.table.opening),
            "lines": [list(line) for line in rolled.table.lines],
            "closing": list(rolled.table.closing),
            "owed": [rolled.table.owed_before, rolled.table.owed_after],
            "balance": totals.get("deferred", 0) - totals.get("recognised", 0)
            + totals.get("provided", 0) - totals.get("settled", 0),
        },
    )  # fmt: skip


def _totals(chosen: Policy, found: Books, month: int) -> dict[str, int]:
    names = {"deferral": ("deferred", "recognised"), "provision": ("provided", "settled"), "none": ()}[chosen.method]
    for one in found.months:
        if one.month == month:
            return dict(zip(names, (one.first, one.second), strict=True))
    return dict.fromkeys(names, 0)


def chain_is_whole(merchant: Merchant) -> bool:
    """Whether every closed month is what was handed over, each covering the one before."""
    previous = b"\0" * 32
    for one in reversed(closed_months(merchant)):
        if bytes(one.previous) != previous or journal.digest(previous, one.document) != bytes(one.digest):
            return False
        previous = bytes(one.digest)
    return True


def may_close(merchant: Merchant, month: int, now: datetime) -> CannotClose | None:
    """Why a month cannot be closed now; None if it can. Months are closed in turn, once they are over."""
    last = last_closed(merchant)
    if last is not None and month != last.month + 1:
        return CannotClose("not_in_turn", next=months.label(last.month + 1))
    if cohorts.month_ends(merchant, month, month)[0] > now - timedelta(0):
        return CannotClose("not_over", month=months.label(month))
    return None
