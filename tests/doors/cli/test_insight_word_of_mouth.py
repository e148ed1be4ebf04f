"""`shuke insight word-of-mouth` on a small shop."""

import pytest

from tests.insight.mouths import talk

pytestmark = pytest.mark.django_db


def test_figures_members_and_assumptions(lan, shuke):
    talk(lan)
    assert "15 friends were brought" in shuke("insight", "word-of-mouth").out
    told = shuke("insight", "word-of-mouth", "--assume", "20", "--saying", "20:5:1", "--json").json
    assert (told["terms"]["anyway_permille"], told["terms"]["hear"]) == (200, 20)
    assert shuke("insight", "word-of-mouth", "--assume", "", "--json").json["terms"]["own"] == ["hear", "want", "buy"]
    assert len(shuke("insight", "word-of-mouth", "--members", "step2", "--json").json) == 3
    assert "朋友0" in shuke("insight", "word-of-mouth", "--members", "matched").out
    for wrong in (
        ("--assume", "120"),
        ("--assume", "many"),
        ("--saying", "1:2"),
        ("--saying", "1:2:3"),
        ("--members", "rumours"),
    ):
        assert shuke("insight", "word-of-mouth", *wrong).code == 1
