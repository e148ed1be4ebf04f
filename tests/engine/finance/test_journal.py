"""Deferral, provision and entries: what must hold for every ledger."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.finance import deferral, journal, months
from shuke.engine.finance import policy as policies
from shuke.engine.finance.deferral import Issue
from shuke.engine.finance.policy import Policy

MARCH = months.read("2026-03")


@st.composite
def ledgers(draw):
    """Issues of up to six months, told to the end, with any expectations."""
    count = draw(st.integers(1, 6))
    issues, shares = [], {m: {} for m in range(count)}
    for month in range(count):
        issued, used, lapsed = draw(st.integers(0, 9000)), 0, 0
        price = draw(st.integers(0, 10**7))
        told: list[list[int]] = [[], [], [], []]
        for t in range(month, count):
            used += draw(st.integers(0, issued - used - lapsed))
            lapsed += draw(st.integers(0, issued - used - lapsed))
            for column, value in zip(told, (price, issued, used, lapsed), strict=True):
                column.append(value)
            shares[t][month] = draw(st.integers(0, 1_000_000))
        issues.append(Issue(month, *told, draw(st.integers(0, 10**9))))
    return issues, shares, count


@given(ledgers())
def test_no_more_is_recognised_than_was_deferred_and_all_of_it_in_the_end(ledger):
    issues, shares, count = ledger
    found = deferral.deferred(issues, shares, months=range(count))
    for one in found:
        assert 0 <= one.second <= one.first
        assert one.first <= sum(issue.at(one.month).price for issue in issues if issue.month <= one.month)
    ended = [
        issue._replace(lapsed=[*issue.lapsed[:-1], issue.issued[-1] - issue.used[-1]]) for issue in issues
    ]  # nothing is open at the end
    assert deferral.deferred(ended, shares, months=range(count - 1, count))[0].balance == 0


@given(ledgers())
def test_a_provision_covers_what_is_expected_and_nothing_else(ledger):
    issues, shares, count = ledger
    for one in deferral.provided(issues, shares, months=range(count)):
        most = sum(
            (i.at(one.month).issued - i.at(one.month).used - i.at(one.month).lapsed) * i.value_micro / 10**6 + 1
            for i in issues
            if i.month <= one.month
        )
        assert -len(issues) <= one.balance <= most


def test_a_new_expectation_is_caught_up_at_once_and_undone_by_the_old_one():
    issue = Issue(0, [100_000] * 3, [10_000] * 3, [4500] * 3, [0] * 3, 1_000_000)
    shares = {0: {0: 970_000}, 1: {0: 990_000}, 2: {0: 970_000}}
    first, second, third = deferral.deferred([issue], shares, months=range(3))
    assert second.second < first.second == third.second
    assert first.first == second.first == third.first  # what was allocated at the sale stays


def test_value_added_tax_is_taken_out_half_up():
    assert [deferral.without_tax(amount, 130) for amount in (11300, 100, -100, 0)] == [10000, 88, -88, 0]


def make(policy: Policy, totals, *, before=None, booked=None, days=None):
    return journal.document(
        policy, MARCH, currency="CNY", totals=totals, before=before or {}, booked=booked or {}, days=days or {}, figures={},
    )  # fmt: skip


amounts = st.dictionaries(st.sampled_from(list(journal.FLOWS)), st.integers(-(10**9), 10**9))


@given(amounts, amounts, amounts, st.dictionaries(st.integers(1, 31), st.integers(0, 500)))
def test_every_voucher_balances_and_days_add_up_to_the_month(totals, before, booked, weights):
    days = {"deferred": {date(2026, 3, day): n for day, n in weights.items()}}
    made = make(Policy(), totals, before=before, booked=booked, days=days)
    sums = []
    for per in ("month", "day"):
        entries = journal.entries(made, per)
        assert journal.balanced(entries)
        assert all(e.debit >= 0 and e.credit >= 0 and (e.debit == 0) != (e.credit == 0) for e in entries)
        by_account: dict[str, int] = {}
        for entry in entries:
            by_account[entry.account] = by_account.get(entry.account, 0) + entry.debit - entry.credit
        sums.append({account: n for account, n in by_account.items() if n})
    assert sums[0] == sums[1]
    # Closed months and this one together have booked the running totals, whatever came late.
    for flow in made["totals"]:
        assert booked.get(flow, 0) + made["late"][flow] + made["own"][flow] == totals.get(flow, 0)


def test_a_change_of_method_takes_the_old_way_back_in_the_open_month():
    made = make(Policy(method="provision"), {"provided": 700}, before={"provided": 600}, booked={"deferred": 900, "recognised": 300})  # fmt: skip
    late = {(e.account, e.debit, e.credit) for e in journal.entries(made, "month") if e.number.endswith("-000")}
    assert ("2205", 900, 0) in late  # contract liability is taken back
    assert ("2205", 0, 300) in late
    assert ("6601", 600, 0) in late  # and the expense of all earlier months is booked


def test_numbers_depend_on_month_and_day_alone():
    totals, days = {"deferred": 100}, {"deferred": {date(2026, 3, 5): 1, date(2026, 3, 9): 3}}
    numbers = [e.number for e in journal.entries(make(Policy(prefix="积"), totals, days=days), "day")]
    assert numbers == ["积202603-005", "积202603-005", "积202603-009", "积202603-009"]


def test_the_digest_covers_every_figure_and_the_month_before():
    made = make(Policy(), {"deferred": 100})
    other = make(Policy(), {"deferred": 101})
    assert len({journal.digest(b"", made), journal.digest(b"", other), journal.digest(b"x", made)}) == 3
    assert journal.canonical(made) == journal.canonical(dict(reversed(list(made.items()))))


@pytest.mark.parametrize(
    ("plain", "field"),
    [
        ({"method": "cash"}, "method"),
        ({"expected_percent": 101}, "expected_percent"),
        ({"accounts": {"revenue": {"code": ""}}}, "accounts.revenue.code"),
        ({"accounts": {"cash": {"code": "1001"}}}, "accounts.cash"),
        ({"prefix": "a;b"}, "prefix"),
        ({"colour": 1}, "colour"),
    ],
)
def test_bad_settings_say_where(plain, field):
    with pytest.raises(policies.BadPolicy) as error:
        policies.of(plain)
    assert error.value.field.startswith(field)


def test_own_accounts_stand_before_those_of_the_chart():
    chosen = policies.of({"chart": "small", "accounts": {"revenue": {"code": "5001.02", "name": "会员销售"}}})
    assert (chosen.account("revenue").code, chosen.account("expense").code) == ("5001.02", "5601")
    assert policies.default_for("USD").account("revenue").code == "4000"


@pytest.mark.parametrize("text", ["2026-13", "26-01", "2026-1", "", "2026-01-01"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(months.NotAMonth):
        months.read(text)
