"""`shuke insight profit|budget|loyalty|margins|terms|book-cost` on a small shop."""

import copy

import pytest

from shuke.members.models import MemberCost
from tests import cast
from tests.insight import profits
from tests.insight.till import night

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def opened(kept):
    return kept(lambda: profits.shop(cast.lan()))


@pytest.fixture
def shop(db, opened, monkeypatch):
    monkeypatch.setattr("shuke.shops.queries.now", lambda merchant: night(opened, "2026-12-31"))
    return copy.deepcopy(opened)


@pytest.mark.parametrize("words", [("profit",), ("profit", "--by", "layer"), ("profit", "--best", "3"), ("budget",), ("loyalty",), ("margins",), ("terms",)])  # fmt: skip
def test_every_table_is_said(shop, shuke, words):
    assert shuke("insight", *words).code == 0


def test_one_member_with_reasons_and_what_is_not_known(shop, shuke):
    told = shuke("insight", "profit", "--member", shop.wen.card)
    assert "¥1,061.00" in told.out
    plain = shuke("insight", "profit", "--member", shop.chi.card, "--json").json
    assert (plain["quality"], plain["year"]["service"], plain["budget_minor"]) == ("costly", 4_500, None)
    assert [one["card"] for one in shuke("insight", "profit", "--worst", "1", "--json").json] == [shop.chi.card]


def test_margins_are_stated_listed_and_taken_back(shop, shuke, tmp_path):
    assert shuke("insight", "margins", "--product", "K", "--margin", "40%", "--json").json == {"stated": 1}
    assert shuke("insight", "margins", "--json").json["stated"]["product"]["K"]["margin_permille"] == 400
    assert shuke("insight", "margins", "--product", "K", "--drop").code == 0
    assert "K" not in shuke("insight", "margins", "--json").json["stated"]["product"]
    assert shuke("insight", "margins", "--product", "Z", "--margin", "40%").code == 1
    assert shuke("insight", "margins", "--product", "K").code == 2
    listed, left = tmp_path / "costs.csv", tmp_path / "rejects.csv"
    listed.write_text("code,margin\nK,30%\nZ,30%\n")
    told = shuke("insight", "margins", "--file", str(listed), "--rejects", str(left), "--json")
    assert (told.json["stated"], told.json["rejected"][0]["code"]) == (1, "unknown_product")
    assert "Z" in left.read_text(encoding="utf-8-sig")


def test_terms_keep_what_is_not_named(shop, shuke):
    shuke("insight", "terms", "--margin", "38%")
    told = shuke("insight", "terms", "--uplift", "6%", "--source", "五月对照组", "--json").json
    assert (told["margin"], told["margin_assumed"], told["uplift"], told["uplift_source"]) == (
        380,
        False,
        60,
        "五月对照组",
    )
    told = shuke("insight", "terms", "--uplift", "assumed", "--years", "2.5", "--json").json
    assert (told["uplift"], told["uplift_stated"], told["margin"], told["years_tenths"]) == (100, False, 380, 25)


def test_costs_by_hand(shop, shuke):
    booked = shuke("insight", "book-cost", shop.bo.card, "care", "30", "--note", "生日礼", "--key", "k1", "--json").json
    assert booked == {"booked": 1, "key": "k1"}
    assert shuke("insight", "book-cost", shop.bo.card, "care", "30", "--key", "k1").code == 0
    assert shuke("insight", "book-cost", shop.bo.card, "care", "30", "--back").code == 0
    assert sorted(MemberCost.objects.filter(member=shop.bo).values_list("amount_minor", flat=True)) == [-3_000, 3_000]
    assert shuke("insight", "book-cost", shop.bo.card, "care", "many").code == 1
