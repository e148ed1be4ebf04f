"""`shuke insight profiles` on a small shop."""

import pytest

from tests.insight.crowd import crowd

pytestmark = pytest.mark.django_db


def test_a_group_in_sentences_as_a_table_and_as_members(lan, shuke):
    crowd(lan)
    assert "90" in shuke("insight", "profiles").out
    told = shuke("insight", "profiles", "--where", f"store={lan.online.pk}", "--trait", "weekday")
    assert told.code == 0
    assert "40" in told.out
    assert (
        len(
            shuke(
                "insight",
                "profiles",
                "--where",
                f"store={lan.online.pk}",
                "--trait",
                "weekday",
                "--members",
                "6",
                "--json",
            ).json
        )
        == 40
    )
    assert shuke("insight", "profiles", "--where", "shoe=42").code == 1
    assert "weekday" in shuke("insight", "profiles", "--trait", "shoe").err
    assert "6" in shuke("insight", "profiles", "--trait", "weekday", "--members", "9").err
