"""Lists as conditions, of any length, on both databases."""

import pytest

from shuke.kit import bulk


@pytest.mark.parametrize(
    ("column", "values", "found"), [("name", ["兰记"], 1), ("name", [], 0), ("id", [], 0), ("id", [1], 0)]
)
def test_one_of_a_list_also_of_an_empty_one(lan, column, values, found):
    wanted = ["Lan's Shop 兰记" if value == "兰记" else value for value in values]
    condition, parameter = bulk.among(column, wanted)
    assert len(bulk.select(f"SELECT id FROM shops_merchant WHERE {condition}", [parameter])) == found
