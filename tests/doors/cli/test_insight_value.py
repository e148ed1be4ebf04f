"""`shuke insight value` and `value-test` on a small shop."""

import pytest

from tests.insight.regulars import regulars

pytestmark = pytest.mark.django_db


def test_value_and_its_test_in_words_as_figures_and_of_one_member(lan, shuke):
    assert shuke("insight", "value").code == 1
    regulars(lan, 210)
    told = shuke("insight", "value", "--json").json
    assert told["spend"]["low"] < told["spend"]["expected"] < told["spend"]["high"]
    assert told["rule_says"] in shuke("insight", "value").out
    one = shuke("insight", "value", "--member", told["top"][0]["card"], "--json").json
    assert one["expected_spend"] == told["top"][0]["expected_spend"]
    assert one["reasons"][0] in shuke("insight", "value", "--member", told["top"][0]["card"]).out
    tested = shuke("insight", "value-test", "--anew", "--json").json
    assert tested["tests"][0]["says"] in shuke("insight", "value-test").out
    assert {row["name"] for row in tested["tests"][0]["methods"]} >= {"past_rate", "recency", "mean"}
