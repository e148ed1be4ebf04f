"""Whole numbers as people and programs write them, and what only looks like one."""

import pytest

from shuke.kit.numbers import MOST, whole


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), (str(MOST), MOST)])
def test_a_whole_number(text, number):
    assert whole(text) == number


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.0", "1e3", " 1", "²", "٣", "９", "x", "\0", str(MOST + 1), "9" * 5000]
)
def test_what_no_column_holds_is_none(text):
    assert whole(text) is None
