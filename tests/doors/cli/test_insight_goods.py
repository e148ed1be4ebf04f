"""`shuke insight goods|goods-mark` on a small shop."""

import copy

import pytest

from tests import cast
from tests.insight.shelves import stock

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def stocked(kept):
    return kept(lambda: stock(cast.lan()))


@pytest.fixture
def shelves(db, stocked, shuke):
    assert "茶" in shuke("insight", "goods", "--view", "hot").out  # no report yet: made when first asked for
    assert shuke("insight", "goods", "--check").code == 0
    return copy.deepcopy(stocked)


@pytest.mark.parametrize("view", ["hot", "slow", "opening", "together", "again", "ladder", "check"])
def test_every_view_is_said(shelves, shuke, view):
    told = shuke("insight", "goods", "--view", view)
    assert told.code == 0
    assert "2026-06-30" in told.out
    assert ("anew every four weeks" in told.out) == (view == "check")


def test_figures_as_json_are_those_of_the_report(shelves, shuke):
    told = shuke("insight", "goods", "--level", "kind", "--json").json
    assert (told["level"], told["groups"][0]["hot"][0]["item"]) == ("kind", "食品/茶")
    assert told["check"]["earned"] == "bestsellers"


def test_one_member_is_told_what_is_due(shelves, shuke):
    told = shuke("insight", "goods", "--member", shelves.people[8].card, "--json").json
    assert [(one["name"], one["times"]) for one in told["again"]] == [("茶", 8)]
    assert "茶" in shuke("insight", "goods", "--member", shelves.people[8].card).out


def test_a_group_that_is_not_there_is_answered_with_those_that_are(shelves, shuke):
    told = shuke("insight", "goods", "--group", "layer:none")
    assert told.code == 1
    assert "layer:" in told.err
    assert "all" in told.err


def test_marks_are_kept_and_wrong_codes_named(shelves, shuke):
    assert shuke("insight", "goods-mark", "T", "--need", "提神", "--json").json == {"marked": 1}
    shuke("insight", "goods", "--check")
    assert shuke("insight", "goods", "--level", "kind", "--json").json["groups"][0]["hot"][0]["item"] == "提神"
    told = shuke("insight", "goods-mark", "T", "X9", "--out-of-stock")
    assert (told.code, "X9" in told.err) == (1, True)
    assert shuke("insight", "goods-mark", "T").code == 2
