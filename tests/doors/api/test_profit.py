"""Profit, budgets and costs over the wire."""

import pytest

from shuke.members.models import MemberCost
from shuke.shops import actions as shops
from tests.cast import NOON
from tests.insight import profits
from tests.insight.till import night

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(client, lan, monkeypatch):
    shop = profits.shop(lan)
    monkeypatch.setattr("shuke.doors.api.profit.shop_now", lambda merchant: night(lan, "2026-12-31"))

    def call(way: str, path: str, body=None, *, write: bool = True):
        _row, text = shops.make_token(merchant=lan.merchant, name="till", may_write=write, now=NOON)
        headers = {"Authorization": f"Bearer {text}"}
        more = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(client, way)(f"/api/v1/{path}", headers=headers, **more)

    call.shop = shop
    return call


def test_all_members_and_one(ask):
    told = ask("get", "insight/profit", write=False).json()
    assert (told["whole"]["members"], told["as_of"]) == (4, "2026-12-31")
    one = ask("get", f"members/{ask.shop.wen.card}/profit").json()
    assert (one["loyalty"], one["ever"]["profit"], one["uplift_assumed"]) == ("high", 106_100, True)
    assert one["said"]["tolerance"] is None
    assert {"code": "friends", "n": 1} in one["reasons"]
    assert ask("get", "insight/budgets?advice=let_go").json() == []
    assert ask("get", "members/nobody/profit").status_code == 404


def test_a_cost_is_booked_once_and_only_by_who_may(ask):
    path, cost = f"members/{ask.shop.bo.card}/costs", {"kind": "care", "amount_minor": 300, "key": "gift:7"}
    assert ask("post", path, cost, write=False).status_code == 403
    assert [ask("post", path, cost).json() for _ in range(2)] == [{"booked": 1}, {"booked": 0}]
    assert MemberCost.objects.get(key="gift:7").source == "api"
    taken = ask("post", path, cost | {"amount_minor": 5})
    assert (taken.status_code, taken.json()["code"]) == (400, "key_taken")
    assert ask("post", path, cost | {"kind": "rent"}).status_code == 400


def test_statements_are_kept_all_or_none(ask):
    good = {"what": "product", "key": "K", "margin_permille": 400}
    wrong = ask("post", "insight/costs", {"statements": [good, {"what": "product", "key": "Z", "margin_permille": 1}]})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "unknown_product")
    assert ask("post", "insight/costs", {"statements": [good]}).json() == {"stated": 1}
    kept = ask("get", "insight/costs").json()
    assert kept["stated"]["product"]["K"] == {"margin_permille": 400, "cost_minor": None}
    assert kept["terms"]["margin_assumed"]
