"""The estimate against published figures, and what must hold of it for every triangle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.finance import breakage
from shuke.engine.finance.breakage import Cohort, Use

# Taylor and Ashe (1983), cumulative; the triangle Mack (1993) shows his method on.
TAYLOR_ASHE = """
357848 1124788 1735330 2218270 2745596 3319994 3466336 3606286 3833515 3901463
352118 1236139 2170033 3353322 3799067 4120063 4647867 4914039 5339085
290507 1292306 2218525 3235179 3985995 4132918 4628910 4909315
310608 1418858 2195047 3757447 4029929 4381982 4588268
443160 1136350 2128333 2897821 3402672 3873311
396132 1333217 2180715 2985752 3691712
440832 1288463 2419861 3483130
359480 1421128 2864498
376686 1363294
344014
"""


def test_mack_s_published_reserves_and_standard_errors(monkeypatch):
    monkeypatch.setattr(breakage, "YOUNG", 0.0)  # he multiplies the youngest year too
    rows = [tuple(map(int, line.split())) for line in TAYLOR_ASHE.split("\n") if line]
    triangle = [Cohort(year, 10**9, row, (0,) * len(row)) for year, row in enumerate(rows)]
    found = breakage.estimate(triangle, until=9)
    reserves = [round(e.ultimate - e.cohort.used[-1]) for e in found.cohorts]
    errors = [round(e.error) for e in found.cohorts]
    assert reserves == [0, 94634, 469511, 709638, 984889, 1419459, 2177641, 3920301, 4278972, 4625811]
    assert errors == [0, 75535, 121699, 133549, 261406, 411010, 558317, 875328, 971258, 1363155]
    assert round(found.error * 10 * 10**9) == 2447095


def steady(count: int, *, rate: float = 0.6, life: int = 4) -> tuple[dict[int, int], list[Use]]:
    """Months of 1,000 points, used evenly over their life, the rest lapses with it."""
    grants = dict.fromkeys(range(count), 1000)
    each = round(1000 * rate / life)
    uses = [Use(c, c + age, "used", each) for c in grants for age in range(life)]
    return grants, uses + [Use(c, c + life - 1, "lapsed", 1000 - each * life) for c in grants]


@pytest.mark.parametrize("rate", [0.2, 0.6, 1.0])
def test_a_steady_shop_is_foretold_exactly(rate):
    grants, uses = steady(12, rate=rate)
    found = breakage.estimate(breakage.cohorts(grants, uses, until=11), until=11)
    assert found.firm
    assert found.rate == pytest.approx(rate)
    for hidden in (1, 2, 3):
        test = breakage.backtest(grants, uses, until=11, hidden=hidden)
        assert test.predicted == test.actual > 0


@pytest.mark.parametrize(
    ("months", "thin"), [(3, "few_months"), (5, "not_run_off")], ids=["three months", "two of five are over"]
)
def test_too_little_is_said_to_be_too_little(months, thin):
    grants, uses = steady(months)
    found = breakage.estimate(breakage.cohorts(grants, uses, until=months - 1), until=months - 1)
    assert thin in found.thin
    assert not found.firm


def test_points_nobody_redeemed_are_no_proof_that_nobody_will():
    grants, uses = steady(12, rate=0.0)
    found = breakage.estimate(breakage.cohorts(grants, [u for u in uses if u.points], until=11), until=11)
    assert (found.rate, found.firm) == (0.0, False)
    assert "nobody_redeemed" in found.thin


def test_points_that_never_lapse_leave_the_tail_open():
    grants = dict.fromkeys(range(30), 1000)
    uses = [Use(c, c + age, "used", 20) for c in grants for age in range(20)]
    found = breakage.estimate(breakage.cohorts(grants, uses, until=29), until=29)
    assert {"not_run_off", "open_tail"} <= set(found.thin)
    assert "one_season" not in found.thin


def test_a_season_that_is_coming_is_not_foreseen_and_the_held_out_months_say_so():
    grants, uses = steady(18)
    rush = [u._replace(points=u.points * 2) if u.month == 17 and u.kind == "used" else u for u in uses]
    calm = breakage.backtest(grants, uses, until=17, hidden=1)
    test = breakage.backtest(grants, rush, until=17, hidden=1)
    assert calm.error == 0
    assert test.error < -0.01


@st.composite
def histories(draw):
    """Any months of issue with any uses that leave nothing below zero."""
    count = draw(st.integers(1, 14))
    grants, uses = {}, []
    for cohort in range(count):
        left = grants[cohort] = draw(st.integers(1, 5000))
        for month in range(cohort, count):
            kind = draw(st.sampled_from(["used", "lapsed", "taken", ""]))
            points = draw(st.integers(0, left))
            if kind and points:
                uses.append(Use(cohort, month, kind, points))
                left -= points
    return grants, uses, count - 1


@given(histories())
def test_what_is_expected_lies_between_what_was_used_and_what_can_be(history):
    grants, uses, until = history
    triangle = breakage.cohorts(grants, uses, until=until)
    found = breakage.estimate(triangle, until=until)
    for one in found.cohorts:
        assert one.cohort.used[-1] <= one.ultimate + 1e-6
        assert one.ultimate <= one.cohort.issued - one.cohort.lapsed[-1] + 1e-6
    assert sum(c.issued for c in triangle) == sum(grants.values()) - sum(u.points for u in uses if u.kind == "taken")
    if found.rate is not None:
        assert 0 <= found.rate <= 1


@given(histories(), st.integers(1, 3))
def test_hidden_months_are_not_looked_at(history, hidden):
    grants, uses, until = history
    test = breakage.backtest(grants, uses, until=until, hidden=hidden)
    later = [u._replace(points=u.points + 7) if u.month > until - hidden else u for u in uses]
    other = breakage.backtest(grants, later, until=until, hidden=hidden)
    assert (test is None) == (other is None)
    if test and other:
        assert (test.predicted, test.cohorts, test.issued) == (other.predicted, other.cohorts, other.issued)
