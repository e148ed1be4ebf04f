"""Money: minor units, no floats, parts that add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.kit import money


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1,234.50", "CNY", 123450),
        ("¥88", "CNY", 8800),
        ("￥0.01", "CNY", 1),
        ("12元", "CNY", 1200),
        ("-3.5", "USD", -350),
        ("1，000", "CNY", 100000),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
    ],
)
def test_amounts_as_people_write_them(text, currency, minor):
    assert money.parse(text, currency) == minor


@pytest.mark.parametrize("text", ["", "abc", "1.234", "NaN", "Infinity", "1.2.3", "--1"])
def test_what_is_no_amount_is_refused_and_never_rounded(text):
    with pytest.raises(money.NotMoney):
        money.parse(text, "CNY")


def test_amounts_are_shown_with_the_sign_before_the_symbol():
    assert [money.show(n, "CNY") for n in (123450, -1, 0)] == ["¥1,234.50", "-¥0.01", "¥0.00"]
    assert money.show(500, "JPY") == "JP¥500"
    assert money.show(1234, "KWD") == "KWD 1.234"


@given(st.integers(-(10**12), 10**12), st.sampled_from(["CNY", "JPY", "KWD", "USD"]))
def test_what_is_shown_can_be_read_again(minor, currency):
    shown = money.show(minor, currency).replace("JP", "").replace("KWD ", "")
    assert money.parse(shown.replace("-¥", "-").replace("-$", "-"), currency) == minor


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_the_parts_add_up_to_the_whole_and_none_is_off_by_more_than_one(total, weights):
    parts = money.allocate(total, weights)
    assert sum(parts) == total
    if whole := sum(weights):
        assert all(abs(part - total * weight / whole) <= 1 + 1e-3 for part, weight in zip(parts, weights, strict=True))


def test_ties_go_to_the_earlier_part_and_nothing_to_nobody():
    assert money.allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert money.allocate(-100, [1, 1, 1]) == [-34, -33, -33]
    assert money.allocate(5, [0, 0]) == [5, 0]
    assert money.allocate(5, []) == []
