from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.engine.insight import kpi, lifecycle, pyramid, rfm, standing
from tests.engine.insight.shop import Person, Sale, counted_slowly, take

TODAY = date(2026, 10, 31)
NOW = kpi.day_number(TODAY)
sales = st.lists(
    st.builds(
        Sale,
        member=st.integers(0, 12),
        day=st.integers(NOW - 500, NOW + 20),
        net=st.integers(0, 5_000),
        refunded=st.sampled_from([0, 0, 0, 500]),
        items_milli=st.sampled_from([0, 1_000, 3_000]),
        store=st.integers(1, 3),
    ),
    max_size=80,
)
people = st.lists(
    st.builds(Person, member=st.integers(1, 12), joined=st.integers(NOW - 600, NOW + 10), home_store=st.integers(0, 3)),
    max_size=12,
    unique_by=lambda person: person.member,
)


@settings(max_examples=35, deadline=None)
@given(sales, people)
def test_every_figure_equals_a_slow_count(sales, people):
    figures = take(sales, people, as_of=TODAY).figures
    slow = counted_slowly(sales, people, TODAY)
    got = figures["kpi"]
    known = ("members", "buyers", "active", "window_buyers", "repeat_buyers", "orders", "net_minor")
    assert {name: got[name] for name in known} == {name: slow[name] for name in known}
    assert got["basket_minor"] == kpi.per(slow["net_minor"], slow["orders"])
    assert got["items_milli"] == kpi.per(slow["items"], slow["itemed"])
    assert got["identified_rate"] == kpi.rate(slow["known_net"], slow["net_minor"])
    if got["churn_rate"] is not None:
        assert (got["churn_base"], got["churned"]) == (slow["churn_base"], slow["churned"])
        assert got["churn_rate"] == kpi.rate(slow["churned"], slow["churn_base"])
    by_month = {
        row["month"]: (row["orders"], row["net_minor"], row["buyers"]) for row in figures["months"] if row["orders"]
    }
    assert by_month == slow["months"]
    assert {row["store"]: (row["orders"], row["net_minor"], row["buyers"]) for row in figures["stores"]} == slow[
        "stores"
    ]


@settings(max_examples=35, deadline=None)
@given(sales, people)
def test_every_member_is_in_exactly_one_class_layer_and_stage(sales, people):
    taken = take(sales, people, as_of=TODAY)
    figures, members = taken.figures, taken.members
    count = figures["kpi"]["members"]
    for rows, none in (
        (figures["rfm"]["classes"], figures["rfm"]["none"]),
        (figures["rfm"]["map"], figures["rfm"]["none"]),
        (figures["rfm"]["monetary"], figures["rfm"]["none"]),
        (figures["lifecycle"]["stages"], figures["lifecycle"]["none"]),
        (figures["pyramid"]["layers"], 0),
    ):
        assert sum(row["count"] for row in rows) + none == count
    assert figures["rfm"]["none"] == figures["lifecycle"]["none"] == count - figures["kpi"]["buyers"]
    assert sum(row["net_minor"] for row in figures["rfm"]["classes"]) == int(members.net.sum())
    assert sum(row["net_minor"] for row in figures["pyramid"]["layers"]) == int(members.window_net.sum())
    assert ((members.rfm > 0) == (members.order_days > 0)).all()
    assert ((members.stage >= 0) == (members.order_days > 0)).all()


@settings(max_examples=25, deadline=None)
@given(sales, people)
def test_the_columns_of_a_member_are_the_members_own(sales, people):
    members = take(sales, people, as_of=TODAY).members
    for i, member in enumerate(members.member.tolist()):
        own = [s for s in sales if s.member == member and s.day <= NOW]
        bought = [s for s in own if s.counted]
        assert members.orders[i] == len(bought)
        assert members.order_days[i] == len({s.day for s in bought})
        assert members.net[i] == sum(s.net for s in bought)
        assert members.refunded[i] == sum(s.refunded for s in own)
        assert members.last_day[i] == max((s.day for s in bought), default=0)
        assert members.window_days[i] == len({s.day for s in bought if s.day > NOW - kpi.WINDOW_DAYS})


@settings(max_examples=20, deadline=None)
@given(sales)
def test_counts_for_each_day_equal_counting_that_day(sales):
    everybody = [Person(member, NOW - 700) for member in range(1, 13)]
    upto = take(sales, everybody, as_of=TODAY).figures["months"]
    for row in upto:
        year, month = map(int, row["month"].split("-"))
        end = min(kpi.month_end(year * 12 + month - 1), TODAY)
        slow = counted_slowly(sales, everybody, end)
        assert row["active"] == slow["active"]
        assert row["churn_rate"] is None or row["churn_rate"] == kpi.rate(slow["churned"], slow["churn_base"])
        assert row["repeat_rate"] is None or row["repeat_rate"] == kpi.rate(
            slow["repeat_buyers"], slow["window_buyers"]
        )


def codes(figures: dict) -> list[str]:
    return [gap["code"] for gap in figures["missing"]]


def test_twelve_customers_get_figures_and_a_warning():
    sales = [
        Sale(member, NOW - 20 * visit - member, 1_000 * member)
        for member in range(1, 13)
        for visit in range(13 + member % 3)
    ]
    figures = take(sales, [Person(member, NOW - 400) for member in range(1, 13)], as_of=TODAY).figures
    assert figures["missing"] == [
        {
            "code": "part_of_window",
            "params": {"days": 292, "needed": 365},
            "figures": ["pyramid", "orders", "net_minor", "repeat_rate"],
        },
        {"code": "few_buyers", "params": {"buyers": 12, "needed": 25}, "figures": ["rfm", "pyramid"]},
    ]
    assert [layer["count"] for layer in figures["pyramid"]["layers"]] == [1, 0, 2, 9]
    assert figures["lifecycle"]["shop_gap_days"] == 20.0


def test_one_day_of_history_shows_sales_and_leaves_the_rest_blank():
    sales = [Sale(member, NOW, 500 * member) for member in range(1, 31)]
    figures = take(sales, [Person(member, NOW) for member in range(1, 31)], as_of=TODAY).figures
    assert (figures["kpi"]["net_minor"], figures["kpi"]["basket_minor"]) == (232_500, 7_750)
    assert (figures["kpi"]["churn_rate"], figures["kpi"]["repeat_rate"]) == (None, None)
    assert figures["history"] == {
        "first_day": "2026-10-31",
        "last_day": "2026-10-31",
        "days": 1,
        "orders": 30,
        "lines": 30,
    }
    assert codes(figures) == [
        "short_history",
        "short_history",
        "part_of_window",
        "too_few_gaps",
        "all_alike",
        "all_alike",
    ]
    assert {row["stage"]: row["count"] for row in figures["lifecycle"]["stages"]} == {
        "observing": 30, "forming": 0, "stable": 0, "degrading": 0, "lost": 0,
    }  # fmt: skip


def test_a_shop_that_only_gave_back_has_no_buyers():
    sales = [Sale(member, NOW - member, 0, refunded=900) for member in range(1, 6)]
    taken = take(sales, [Person(member, NOW - 90) for member in range(1, 6)], as_of=TODAY)
    assert codes(taken.figures) == ["no_purchases"]
    assert taken.figures["kpi"]["buyers"] == taken.figures["kpi"]["orders"] == 0
    assert taken.figures["kpi"]["basket_minor"] is None
    assert taken.members.refunded.tolist() == [900] * 5
    assert taken.figures["pyramid"]["curve"] == []


def test_everybody_on_the_same_date_with_the_same_sum_is_in_the_middle():
    sales = [Sale(member, NOW - 40) for member in range(1, 41)]
    figures = take(sales, [Person(member, NOW - 90) for member in range(1, 41)], as_of=TODAY).figures
    assert [cell for cell in figures["rfm"]["map"] if cell["count"]] == [
        {"r": 3, "f": 3, "count": 40, "net_minor": 40_000}
    ]
    assert figures["rfm"]["classes"][-1] == {"code": "111", "count": 40, "net_minor": 40_000}
    assert [gap["params"]["dimension"] for gap in figures["missing"] if gap["code"] == "all_alike"] == ["r", "f", "m"]
    assert "all_spend_alike" in codes(figures)
    assert figures["pyramid"]["gini"] == 0.0


def test_one_giant_does_not_drown_the_others_scores():
    sales = [Sale(1, NOW - day, 10_000_000_000) for day in range(300)]
    sales += [Sale(member, NOW - 5 * member, 100 * member) for member in range(2, 32)]
    figures = take(sales, [Person(member, NOW - 400) for member in range(1, 32)], as_of=TODAY).figures
    assert figures["pyramid"]["layers"][0] == {
        "layer": "key", "count": 1, "net_minor": 3_000_000_000_000, "from_minor": 3_000_000_000_000,
    }  # fmt: skip
    assert figures["pyramid"]["top20_share"] == 1.0
    assert [row["count"] for row in figures["rfm"]["monetary"]] == [6, 6, 6, 6, 7]


def test_a_shop_with_nobody_says_so():
    figures = take([], [], as_of=TODAY).figures
    assert codes(figures) == ["no_members", "no_purchases"]
    assert figures["kpi"]["active_rate"] is None
    assert figures["months"] == figures["stores"] == []


def test_orders_that_name_no_goods_do_not_thin_the_basket():
    sales = [Sale(1, NOW, items_milli=3_000), Sale(1, NOW, items_milli=0), Sale(1, NOW, items_milli=0, store=2)]
    figures = take(sales, [Person(1, NOW)], as_of=TODAY).figures
    assert figures["kpi"]["items_milli"] == figures["months"][0]["items_milli"] == 3_000
    assert {row["name"]: row["items_milli"] for row in figures["stores"]} == {"First": 3_000, "Second": None}
    assert [row["items_milli"] for row in figures["store_months"]["rows"]] == [[3_000], [None]]


def test_purchases_of_the_unknown_count_as_sales_but_for_nobody():
    figures = take(
        [Sale(0, NOW, 3_000), Sale(1, NOW, 1_000), Sale(99, NOW, 4_000)], [Person(1, NOW)], as_of=TODAY
    ).figures
    assert (figures["kpi"]["orders"], figures["kpi"]["buyers"], figures["kpi"]["identified_rate"]) == (3, 1, 0.125)


def test_cut_points_stay_until_the_first_of_the_next_month():
    sales = [Sale(member, NOW - 30 - member, 100 * member) for member in range(1, 51)]
    people = [Person(member, NOW - 90) for member in range(1, 51)]
    first = take(sales, people, as_of=date(2026, 10, 29)).published
    kept = take(sales, people, as_of=TODAY, former=first).published
    anew = take(sales, people, as_of=date(2026, 11, 1), former=first).published
    assert kept == first
    assert (anew.rfm.fixed_on, anew.pyramid.fixed_on) == (date(2026, 11, 1), date(2026, 11, 1))


@pytest.mark.parametrize(
    ("fixed", "following"),
    [
        (date(2026, 10, 31), date(2026, 11, 1)),
        (date(2026, 11, 1), date(2026, 12, 1)),
        (date(2026, 12, 15), date(2027, 1, 1)),
    ],
)
def test_the_refresh_day_is_the_first_of_a_month(fixed, following):
    assert standing.next_refresh(fixed) == following


def test_a_shop_that_has_just_brought_its_history_need_not_wait_a_month():
    few = [Sale(1, NOW - 1, 100), Sale(2, NOW - 2, 200)]
    many = few + [Sale(member, NOW - member, 100 * member) for member in range(3, 60)]
    people = [Person(member, NOW - 90) for member in range(1, 60)]
    early = take(few, people, as_of=date(2026, 10, 30)).published
    assert take(many, people, as_of=TODAY, former=early).published.rfm.fixed_on == TODAY


def test_cut_points_a_shop_set_itself_are_never_made_anew():
    cut = rfm.Cuts((5, 4, 3, 2), 3)
    own = standing.Published(
        rfm.RfmCuts(date(2020, 1, 1), cut, cut, cut, own=True),
        pyramid.Bounds(date(2020, 1, 1), 9, 8, 7),
        lifecycle.Rhythm(20.0, 2.0, 2.9, 1.1, 40),
        1,
    )
    sales = [Sale(member, NOW - member) for member in range(1, 40)]
    published = take(sales, [Person(member, NOW - 90) for member in range(1, 40)], as_of=TODAY, former=own).published
    assert published.rfm == own.rfm
    assert published.pyramid.fixed_on == TODAY  # amounts of the pyramid are made anew all the same
    assert standing.Published.from_json(own.to_json()) == own


def test_stages_are_named_in_the_order_of_life():
    assert lifecycle.STAGES == ("observing", "forming", "stable", "degrading", "lost")
    assert pyramid.LAYERS == ("key", "main", "potential", "target")


def test_means_are_rounded_half_up_and_blank_without_a_count():
    assert [kpi.per(total, 2) for total in (2, 3, 4)] == [1, 2, 2]
    assert kpi.per(5, 0) is None
    assert np.isclose(kpi.rate(1, 3), 0.3333)
