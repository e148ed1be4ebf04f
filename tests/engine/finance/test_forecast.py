"""What will lapse: which past it looks at."""

from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.finance import forecast
from shuke.engine.finance.forecast import Lapse


def test_at_a_distance_only_points_that_were_there_count():
    """Points of a year end together with it: those earned in December were not there in October."""
    moves = [
        Lapse(1, 12, 1, "granted", 100), Lapse(1, 12, 5, "used", 40), Lapse(1, 12, 12, "lapsed", 60),
        Lapse(12, 12, 12, "granted", 900), Lapse(12, 12, 12, "lapsed", 900),
    ]  # fmt: skip
    past = forecast.shares(moves, current=13)
    assert past[2] == [(60, 60)]
    assert past[8] == [(100, 60)]  # in April all 100 were open
    assert 0 not in past or past[0] == [(60, 60)]


def test_a_month_that_is_not_over_and_what_is_long_past_are_not_looked_at():
    def month(last: int) -> list[Lapse]:
        return [Lapse(last - 2, last, last - 2, "granted", 10), Lapse(last - 2, last, last, "lapsed", 10)]

    moves = [move for last in (100, 99, 86, 60) for move in month(last)]
    assert forecast.shares(moves, current=100) == {0: [(10, 10)], 1: [(10, 10)]}


def test_without_a_past_nothing_is_foretold():
    (one,) = forecast.ahead({5: (100, 100)}, {}, current=4)
    assert (one.lapse, one.low, one.high, one.rests_on) == (None, None, None, 0)


def test_two_months_give_a_share_but_no_interval():
    (one,) = forecast.ahead({5: (100, 200)}, {1: [(10, 5), (30, 3)]}, current=4)
    assert (one.lapse, one.lapse_minor, one.low, one.high) == (20, 40, None, None)


def test_ten_months_cut_off_the_oddest_tenth_at_each_end():
    past = [(100, n) for n in (0, 40, 41, 42, 43, 44, 45, 46, 47, 100)]
    (one,) = forecast.ahead({5: (1000, 1000)}, {1: past}, current=4)
    assert (one.low, one.high) == (360, 523)


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)).map(lambda p: (p[0], min(p))), max_size=15),
    st.integers(1, 10**9),
)
def test_no_more_lapses_than_is_due_and_the_share_lies_in_its_interval(past, due):
    (one,) = forecast.ahead({5: (due, due)}, {1: past}, current=4)
    if one.lapse is not None:
        assert 0 <= one.lapse <= due
    if one.low is not None:
        assert 0 <= one.low <= one.lapse <= one.high <= due
