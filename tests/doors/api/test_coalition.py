"""A coalition over the wire: linking, spending across merchants, giving back; what a till is told, and what it is not."""

import json

import pytest
from django.test import Client

from shuke.loyalty import queries
from shuke.shops import actions
from shuke.shops import queries as shops
from tests import cast
from tests.loyalty.books import member, order, take
from tests.loyalty.partners import DAY, NOW, close, merchants, together


class Till:
    def __init__(self, merchant, may_write=True):
        _, token = actions.make_token(merchant=merchant, name=f"till{may_write}", may_write=may_write, now=cast.OPENED)
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def post(self, path, headers=None, **body):
        answer = self.client.post(
            f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers or {}
        )
        return answer.status_code, answer.json()

    def get(self, path):
        answer = self.client.get(f"/api/v1/{path}")
        return answer.status_code, answer.json()


@pytest.fixture
def tills(db, monkeypatch):
    partners = merchants(2)
    made = together(partners)
    for merchant in partners:
        take(merchant, member(merchant, 1), order("a", 5, 100), now=NOW)
    monkeypatch.setattr(shops, "now", lambda merchant: NOW)
    for module in ("shuke.doors.api.coalition.shop_now",):
        monkeypatch.setattr(module, lambda merchant: NOW)
    return made, partners, [Till(m) for m in partners]


def test_a_member_earns_at_one_till_and_spends_at_another(tills):
    made, (bakery, florist), (one, two) = tills
    status, told = one.post("members/00000001/coalition", evidence="signed")
    assert (status, told["available_here"], told["available_elsewhere"]) == (200, 100, 0)
    code = one.post("members/00000001/coalition/code")[1]["code"]
    status, there = two.post("members/00000001/coalition", evidence="signed", code=code)
    assert two.post("members/00000001/coalition", evidence="signed", code=code) == (200, there), "sent again"
    assert one.post("members/00000001/coalition", evidence="signed") == (200, told | {"available_elsewhere": 100})
    assert (there["number"], there["available_elsewhere"]) == (told["number"], 100)
    spent = two.post("members/00000001/coalition/spend", points=150, key="k")
    assert spent == (200, {"card": "00000001", "points": 150, "own": 100, "available": 50, "replayed": False})
    assert two.post("members/00000001/coalition/spend", points=150, headers={"Idempotency-Key": "k"})[1]["replayed"]
    back = two.post("members/00000001/coalition/return", points=30, of="k", key="r")
    assert (back[0], back[1]["own"]) == (200, 20)
    assert two.post("members/00000001/coalition/return", points=30, of="k", key="r")[1] == back[1] | {"replayed": True}
    assert queries.verify(bakery).findings == queries.verify(florist).findings == []
    close(made, NOW + DAY)
    status, mine = two.get("coalition/statements/1")
    assert (status, {x["kind"] for x in mine["lines"]} >= {"redeemed", "brought"}) == (200, True)
    assert [p["period"] for p in two.get("coalition/statements")[1]] == [1]
    assert two.post("members/00000001/coalition/leave", reason="asked")[1] == {"card": "00000001", "left": True}
    assert two.post("members/00000001/coalition/leave", reason="asked") == (200, {"card": "00000001", "left": False})


def test_refusals_have_a_code_and_the_readers_language(tills):
    _, (bakery, _), (one, _) = tills
    cases = [
        (one.post("members/00000001/coalition/spend", points=5, key="x"), 404, "not_linked"),
        (one.post("members/00000001/coalition/spend", points=5), 400, "no_key"),
        (one.post("members/00000001/coalition", evidence="e", code="nonsense"), 409, "code_refused"),
        (one.post("members/00000001/coalition/return", points=5, of="no", key="r"), 404, "no_such_spend"),
        (one.get("coalition/statements/9"), 404, "no_such_period"),
        (one.get("members/00000001/coalition"), 404, "not_linked"),
    ]
    for (status, told), expected, code in cases:
        assert (status, told["code"]) == (expected, code)
    _, told = one.post("members/00000001/coalition/spend", points=5, key="x", headers={"Accept-Language": "zh-CN"})
    assert "该会员" in told["error"]
    one.post("members/00000001/coalition", evidence="e")
    status, told = one.post("members/00000001/coalition/spend", points=500, key="y", headers={"Accept-Language": "zh"})
    assert (status, told["code"], told["figures"]["available"], "可用 100" in told["error"]) == (
        409,
        "not_enough",
        100,
        True,
    )
    assert one.post("members/00000001/coalition/spend", points=501, key="y")[1]["code"] == "key_reused"
    assert Till(bakery, may_write=False).post("members/00000001/coalition/spend", points=5, key="z")[0] == 403


def test_partners_and_prices_are_there_to_read_but_nobodys_members(tills):
    _, _, (one, two) = tills
    status, told = one.get("coalition")
    assert (status, [p["issue_micro"] for p in told["partners"]]) == (200, [500_000, 500_000])
    one.post("members/00000001/coalition", evidence="signed")
    assert set(one.get("members/00000001/coalition")[1]) == {
        "card", "number", "linked_at", "available_here", "available_elsewhere",
    }  # fmt: skip
    assert two.get("members/00000001/coalition")[1]["code"] == "not_linked"
