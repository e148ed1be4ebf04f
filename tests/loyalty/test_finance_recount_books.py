"""Breakage, deferral and entries counted anew with pencil and paper: plain rows and the formulas of docs/algorithms/finance.md,
written out once more, with nothing of the engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

import pytest

from shuke.engine.finance.policy import Policy
from shuke.loyalty import actions
from shuke.loyalty.actions import Ask
from shuke.loyalty.actions.closing import close_month, set_finance_policy
from shuke.loyalty.queries import finance
from tests.loyalty.books import START, member, order, publish, refund, take
from tests.loyalty.test_finance_recount import moment, rows

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")
JANUARY, AUGUST = 2025 * 12, 2025 * 12 + 7
NOW = datetime(2025, 9, 10, tzinfo=UTC)  # eight months are over, the ninth is not


def month_of(at: datetime) -> int:
    day = at.astimezone(SHANGHAI)
    return day.year * 12 + day.month - 1


def half_up(figure: Fraction) -> int:
    return floor(figure + Fraction(1, 2)) if figure >= 0 else -floor(-figure + Fraction(1, 2))


@pytest.fixture
def eight_months(lan):
    """Two members buy, spend, let lapse and give back, some of it in a later month than they bought; one gets points by hand."""
    merchant = lan.merchant
    publish(merchant)
    ann, bo = member(merchant, 1), member(merchant, 2)
    spent = [600, 900, 0, 1100, 400, 1500, 300, 800]
    back = {1: ("a1", 45, 100, ann), 3: ("b2", 100, 120, bo), 6: ("a5", 200, 300, ann)}
    for n, yuan in enumerate((900, 700, 650, 800, 500, 760, 640, 580)):
        day, now = 31 * n + 3, START + timedelta(days=31 * n + 20)
        take(merchant, ann, order(f"a{n}", day, yuan), now=now)
        take(merchant, bo, order(f"b{n}", day + 9, 200 + 10 * n, freight_minor=900), now=now)
        if n in back:
            number, on, amount, who = back[n]
            take(merchant, who, refund(f"r-{number}", number, on, amount), now=now)
        for name, who, points in (("a", ann, spent[n]), ("b", bo, spent[n] // 6)):
            if points:
                one = Ask(f"{name}-spent{n}", "burn", who, points)
                [done] = actions.ask(merchant=merchant, asks=[one], now=now, actor="till")
                assert done.done
    take(merchant, ann, refund("r-a7", "a7", 249, 80), now=NOW)  # in the month after
    by_hand = Ask("hand", "adjust", ann, 70, reason="a gift")
    assert actions.ask(merchant=merchant, asks=[by_hand], now=START + timedelta(days=239), actor="till")[0].done
    actions.run_clock(merchant=merchant, now=NOW)
    return merchant


def moves(*, sales_only: bool):
    """Month of issue → points, and their cost; (month of issue, kind) → month → points."""
    issued, cost, lots = Counter(), Counter(), {}
    became: dict[tuple[int, str], Counter] = defaultdict(Counter)
    for pk, key, earned, granted, micro in rows("SELECT id, key, earned_at, granted, cost_micro FROM loyalty_lot"):
        if granted and (key.startswith("order:") or not sales_only):
            lots[pk] = month_of(moment(earned))
            issued[lots[pk]] += granted
            cost[lots[pk]] += granted * micro
    for lot, kind, amount, at in rows("SELECT u.lot_id, u.kind, u.amount, t.at FROM loyalty_use u JOIN loyalty_txn t ON t.id = u.txn_id"):  # fmt: skip
        if lot in lots:
            when = (
                moment(at) - timedelta(microseconds=1) if kind == "expire" else moment(at)
            )  # lapses with the last day
            fate = {"burn": "used", "debt": "used", "expire": "lapsed"}.get(kind, "taken")
            became[lots[lot], fate][max(month_of(when), lots[lot])] += amount
    return issued, cost, became


def until(by_month: Counter, last: int) -> int:
    return sum(points for month, points in by_month.items() if month <= last)


def ladder(issued, became, last: int):
    """Month of issue → (issued, used by age, lapsed, share expected, how), the rate of all, and whether it may be booked."""
    told = {}
    for month in sorted(m for m in issued if m <= last):
        used = [until(became[month, "used"], m) for m in range(month, last + 1)]
        told[month] = (issued[month] - until(became[month, "taken"], last), used, until(became[month, "lapsed"], last))
    oldest = max((len(used) for _n, used, _l in told.values()), default=1)
    factors = []
    for age in range(oldest - 1):
        both = [used for _n, used, _l in told.values() if len(used) > age + 1]
        before, after = sum(u[age] for u in both), sum(u[age + 1] for u in both)
        factors.append(after / before if before else 1.0)

    def growth(used: list[int]) -> float:
        whole = 1.0
        for factor in factors[len(used) - 1 :]:
            whole *= factor
        return whole

    due = sum(n / growth(used) for n, used, _l in told.values())
    usual = min(1.0, sum(used[-1] for _n, used, _l in told.values()) / due) if due else 0.0
    found, whole = {}, 0.0
    for month, (n, used, lapsed) in told.items():
        rest = growth(used)
        if n - used[-1] - lapsed <= 0:
            how, comes_to = "done", float(used[-1])
        elif used[-1] and rest <= 4:
            how, comes_to = "ladder", max(used[-1], min(used[-1] * rest, n - lapsed))
        else:
            how, comes_to = "rate", max(used[-1], min(used[-1] + n * usual * (1 - 1 / rest), n - lapsed))
        found[month], whole = (n, used, lapsed, comes_to / n, how), whole + comes_to
    run_off = [n - used[-1] - lapsed <= 0.01 * n for n, used, lapsed in told.values()]
    firm = len(told) >= 4 and any(used[-1] for _n, used, _l in told.values()) and sum(run_off) >= 3
    return found, whole / sum(n for n, _u, _l in told.values()), firm


def deferred(last: int, at_month: int, tax_permille: int, percent: int | None) -> tuple[int, int]:
    """Deferred and recognised up to the end of `at_month`, of what is known of the months up to `last`."""
    issued, cost, became = moves(sales_only=True)
    every = moves(sales_only=False)
    price: dict[int, Counter] = defaultdict(Counter)
    for paid_at, paid, freight, back, back_at in rows(
        "SELECT paid_at, paid_minor, freight_minor, refunded_minor, refunded_at FROM orders_order"
    ):
        bought = month_of(moment(paid_at))
        price[bought][bought] += paid - freight
        if back:
            price[bought][month_of(moment(back_at))] -= min(back, paid - freight)

    def share(of: int, known: int) -> int:
        if percent is not None:
            return percent * 10_000
        found, usual, firm = ladder(every[0], every[2], known)
        return (round(found[of][3] * 10**6) if of in found else round(usual * 10**6)) if firm else 10**6

    first = second = 0
    for month in (m for m in issued if m <= at_month):
        n = issued[month] - until(became[month, "taken"], at_month)
        used, lapsed = (until(became[month, kind], at_month) for kind in ("used", "lapsed"))
        goods = until(price[month], at_month)
        value = half_up(Fraction(cost[month], issued[month]))
        alone = half_up(Fraction(n * value * share(month, month), 10**12))
        part = half_up(Fraction(goods * alone, goods + alone))
        expected = min(
            max(used, half_up(Fraction(n * share(month, at_month), 10**6))), used + max(0, n - used - lapsed)
        )
        earned = part if expected <= used and used else half_up(Fraction(part * used, expected)) if used else 0
        first, second = first + part, second + (part if n - used - lapsed <= 0 else earned)
    net = Fraction(1000, 1000 + tax_permille)
    return half_up(first * net), half_up(second * net)


def test_breakage_is_what_the_rows_say(eight_months):
    told = finance.breakage_of(eight_months, NOW).estimate
    issued, _cost, became = moves(sales_only=False)
    counted, rate, firm = ladder(issued, became, AUGUST)
    assert [e.cohort.month for e in told.cohorts] == list(counted) == list(range(JANUARY, AUGUST + 1))
    for one in told.cohorts:
        points, used, lapsed, share, how = counted[one.cohort.month]
        assert (one.cohort.issued, list(one.cohort.used), one.cohort.lapsed[-1], one.method) == (
            points,
            used,
            lapsed,
            how,
        )
        assert one.share == pytest.approx(share, rel=1e-12)
    assert told.rate == pytest.approx(rate, rel=1e-12)
    assert {how for *_rest, how in counted.values()} >= {"done", "rate"}, "the months differ"
    assert (told.firm, firm) == (True, True)
    assert any(became[m, "taken"] for m in issued), "something was taken back"
    assert any(became[m, "lapsed"] for m in issued), "something lapsed"


@pytest.mark.parametrize(("tax", "percent"), [(0, None), (130, None), (60, 80)])
def test_deferral_and_entries_are_what_the_rows_say(eight_months, tax, percent):
    """Each month is closed in its turn, and every amount in it worked out from rows."""
    policy = Policy(tax_permille=tax, expected_percent=percent)
    set_finance_policy(merchant=eight_months, policy=policy, now=NOW, actor="owner")
    booked = (0, 0)
    for month in range(JANUARY, AUGUST + 1):
        kept = close_month(merchant=eight_months, month=month, now=NOW, actor="owner").document
        total = deferred(month, month, tax, percent)
        assert tuple(kept["totals"].values()) == total, kept["month"]
        # The price is known to be what it is only once it was paid back: nothing comes late in this history.
        added = {"deferred": total[0] - booked[0], "recognised": total[1] - booked[1]}
        assert (kept["own"], set(kept["late"].values())) == (added, {0}), kept["month"]
        liability, revenue = "2205", "6001"
        want = Counter()
        for amount, debit, credit in (
            (added["deferred"], revenue, liability),
            (added["recognised"], liability, revenue),
        ):
            want[debit, "debit" if amount > 0 else "credit"] += abs(amount)
            want[credit, "credit" if amount > 0 else "debit"] += abs(amount)
        for per in ("month", "day"):
            sums, vouchers = Counter(), Counter()
            for number, day, _zh, _en, account, _name, debit, credit in kept["entries"][per]:
                assert min(debit, credit) == 0 < max(debit, credit)
                assert day.startswith(kept["month"])
                sums[account, "debit"] += debit
                sums[account, "credit"] += credit
                vouchers[number] += debit - credit
            assert +sums == +want, (per, kept["month"])
            assert set(vouchers.values()) == {0}
        booked = total
    assert booked[0] > booked[1] > 0
