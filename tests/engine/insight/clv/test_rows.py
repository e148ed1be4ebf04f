import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight.clv.rows import BadRows, group, group_with_places

customers = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40), st.integers(0, 30)), min_size=1, max_size=60)


def columns(people, unit):
    x = np.array([float(x) for x, _t, _more in people])
    t_x = np.array([t / unit if x else 0.0 for x, t, _more in people])
    return x, t_x, np.array([(t + more) / unit for _x, t, more in people])


@given(customers, st.sampled_from([1.0, 7.0, 100.0, np.pi]))
def test_grouping_loses_nobody_and_joins_only_equals(people, unit):
    x, t_x, T = columns(people, unit)
    rows, places = group_with_places(x, t_x, T)
    assert rows.customers == len(people)
    assert len({*zip(rows.x, rows.t_x, rows.T, strict=True)}) == rows.x.size
    for wide, narrow in ((x, rows.x), (t_x, rows.t_x), (T, rows.T)):
        assert narrow[places] == pytest.approx(wide, abs=1e-9)
    again = group(x, t_x, T)
    assert sorted(again.n) == sorted(rows.n)
    assert np.sort(again.T) == pytest.approx(np.sort(rows.T), abs=1e-9)


def test_rows_that_are_groups_already_keep_their_counts():
    rows = group(np.array([1.0, 0, 1]), np.array([2.0, 0, 2]), np.array([3.0, 3, 3]), np.array([4.0, 7, 5]))
    assert dict(zip(rows.x, rows.n, strict=True)) == {0.0: 7.0, 1.0: 9.0}
    assert rows.repeaters == 9


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("order", (1, 5, 4)),
        ("order", (2, 0, 4)),
        ("negative", (-1, 0, 4)),
        ("whole", (1.5, 2, 4)),
        ("number", (1, float("nan"), 4)),
    ],
)
def test_rows_no_history_can_have_are_refused_with_a_reason(code, row):
    with pytest.raises(BadRows) as refused:
        group(*(np.array([1.0, float(value)]) for value in row))
    assert refused.value.code == code


def test_no_rows_and_rows_of_other_lengths_are_refused():
    with pytest.raises(BadRows, match="no customers"):
        group(np.array([]), np.array([]), np.array([]))
    with pytest.raises(BadRows, match="equally long"):
        group(np.array([1.0]), np.array([1.0, 2.0]), np.array([3.0]))
