import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.insight import triangle
from shuke.engine.insight.clv.history import visits
from tests.engine.insight.worked import table

orders = st.lists(
    st.tuples(st.integers(1, 6), st.integers(20_000, 20_400), st.integers(1, 90)), min_size=1, max_size=60
)


def month(day: int) -> np.datetime64:
    return np.datetime64(day, "D").astype("datetime64[M]")


@given(orders, st.integers(20_100, 20_430))
def test_each_cell_is_what_counting_customer_by_customer_gives(rows, end):
    seen = visits(*(np.array(column) for column in zip(*rows, strict=True)))
    told = triangle.triangle(seen, end=end)
    days: dict[int, dict[int, int]] = {}
    for who, day, amount in rows:
        if day <= end:
            days.setdefault(who, {}).setdefault(day, 0)
            days[who][day] += amount
    first = {who: month(min(when)) for who, when in days.items()}
    assert told.months.tolist() == sorted({one.tolist() for one in first.values()})
    for i, cohort in enumerate(told.months):
        members = [who for who, when in first.items() if when == cohort]
        assert told.size[i] == len(members)
        for since in range(told.buyers.shape[1]):
            then = cohort + since
            if int((then + 1).astype("datetime64[D]").astype(int)) > end + 1:  # not over
                assert np.isnan([told.buyers[i, since], told.orders[i, since], told.spend[i, since]]).all()
                continue
            bought = [[amount for day, amount in days[who].items() if month(day) == then] for who in members]
            assert told.buyers[i, since] == sum(bool(one) for one in bought)
            assert told.orders[i, since] == sum(map(len, bought))
            assert told.spend[i, since] == sum(map(sum, bought))


def test_nobody_yet_is_an_empty_triangle():
    seen = visits(np.array([1]), np.array([20_000]), np.array([5.0]))
    assert triangle.triangle(seen, end=19_999).months.size == 0


def test_the_worked_table():
    def day(text: str) -> int:
        return int(np.datetime64(f"2026-{text}").astype(int))

    ada, ben, cui = 1, 2, 3
    rows = [(ada, "01-05", 30), (ada, "02-09", 30), (ben, "02-01", 5), (cui, "02-10", 100), (cui, "03-20", -40)]
    seen = visits(
        np.array([w for w, _d, _a in rows]), np.array([day(d) for _w, d, _a in rows]), np.array([a for *_wd, a in rows])
    )
    told = triangle.triangle(seen, end=day("03-20"))

    def shown(value: float, form: str) -> str:
        return "" if np.isnan(value) else form.format(value)

    for i, line in enumerate(table("cohorts", "first bought")):
        assert [line["first bought"], line["customers"]] == [str(told.months[i]), f"{told.size[i]:g}"]
        for since in range(3):
            assert line[f"+{since}"] == shown(told.retention[i, since], "{:.0%}")
        for since in range(2):
            told_there = line[f"spend +{since}"]
            assert told_there == "" or float(told_there) == told.spend_per_head[i, since]
            assert bool(told_there) != np.isnan(told.spend_per_head[i, since])
    later = triangle.triangle(seen, end=day("03-31"))
    assert later.retention[0, 2] == later.retention[1, 1] == 0
    assert later.spend_per_head[1, 1] == 32.5
