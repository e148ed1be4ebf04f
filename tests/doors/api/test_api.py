"""The API as a till uses it: with a token, on the same actions as every other door."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from shuke.flows.open_shop import open_shop
from shuke.members.models import Member
from shuke.orders.models import Order
from shuke.shops import actions
from shuke.shops.models import ApiToken
from tests import cast
from tests.loyalty.books import CHARTER, publish

SALE = {
    "number": "A-1001",
    "store": "XH",
    "created_at": "2026-05-20T10:00:00+08:00",
    "paid_minor": 12_800,
    "lines": [{"title": "洁面乳", "quantity": 2, "amount_minor": 12_800, "product_code": "JM01"}],
    "buyer": {"phone": "13800001234", "name": "张小明"},
}
BASKET = {"lines": [{"key": "a", "amount_minor": 100}]}


@pytest.fixture
def shop(db):
    return open_shop(name="兰记", now=cast.OPENED, stores=[("pos", "XH", "徐汇店")]).merchant


@pytest.fixture
def till(shop):
    return Till(shop, may_write=True)


class Till:
    """A program with a token."""

    def __init__(self, merchant, *, may_write: bool, may_decide: bool = False) -> None:
        _, self.token = actions.make_token(
            merchant=merchant, name="till", may_write=may_write, may_decide=may_decide, now=cast.OPENED
        )
        self.client = Client(headers={"authorization": f"Bearer {self.token}"})

    def get(self, path: str, **query: str):
        answer = self.client.get(f"/api/v1{path}", query)
        return answer.status_code, answer.json()

    def sell(self, *orders: dict):
        answer = self.client.post("/api/v1/orders", json.dumps({"orders": orders}), content_type="application/json")
        return answer.status_code, answer.json()


def test_a_sale_makes_a_member_books_points_and_can_be_sent_again(till, shop):
    status, first = till.sell(SALE)
    assert (status, first["orders"]) == (200, [{"number": "A-1001", "store": "XH", "outcome": "new", "odd": []}])
    assert (first["new"], first["same"], first["members_made"]) == (1, 0, 1)
    member = Member.objects.get()
    status, points = till.get(f"/members/{member.card}/points")
    assert (status, points["balance"], points["currency"]) == (200, 128, "CNY")
    status, again = till.sell(SALE)
    assert (status, again["new"], again["changed"], again["same"], again["postings"]) == (200, 0, 0, 1, 0)
    assert till.get(f"/members/{member.card}/points")[1] == points
    assert Order.objects.count() == 1


def test_a_member_is_found_by_the_last_digits_and_shown_masked(till):
    till.sell(SALE)
    status, hits = till.get("/members", q="1234")
    assert (status, [hit["matched_by"] for hit in hits]) == (200, ["phone"])
    status, member = till.get(f"/members/{hits[0]['card']}")
    assert (status, member["name"], member["id"]) == (200, "张小明", hits[0]["id"])
    assert "13800001234" not in json.dumps([hits, member])
    assert [hit["matched_by"] for hit in till.get("/members", q="A-1001")[1]] == ["order"]


def test_nobody_comes_in_without_a_token_or_with_one_that_was_shut_out(shop, till):
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": f"Bearer {till.token}x"}):
        assert Client(headers=headers).get("/api/v1/members", {"q": "1234"}).status_code == 401
    assert till.get("/members", q="1234")[0] == 200
    row = ApiToken.objects.get()
    assert till.token not in repr(bytes(row.digest)) + row.shown
    assert actions.revoke_token(merchant=shop, token_id=row.pk, now=cast.NOON)
    assert till.get("/members", q="1234")[0] == 401


def test_a_token_that_may_only_read_cannot_sell(shop):
    reader = Till(shop, may_write=False)
    status, said = reader.sell(SALE)
    assert (status, "may only read" in said["error"]) == (403, True)
    assert not Order.objects.exists()


def test_another_merchants_members_are_not_there(till, mingde):
    till.sell(SALE)
    card = Member.objects.get().card
    stranger = Till(mingde.merchant, may_write=True)
    assert stranger.get("/members", q="1234") == (200, [])
    assert stranger.get(f"/members/{card}")[0] == 404
    assert stranger.get(f"/members/{Member.objects.get().pk}/points")[0] == 404


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"paid_minor": "a lot"}, "paid_minor"),
        ({"created_at": "2026-05-20T10:00:00"}, "created_at"),
        ({"number": ""}, "number"),
        ({"status": "bought"}, "status"),
        ({"lines": [{"title": "x", "amount_minor": 1, "quantity": -1}]}, "quantity"),
    ],
)
def test_what_cannot_be_understood_is_named_and_nothing_is_taken_in(till, change, named):
    status, said = till.sell(SALE, {**SALE, "number": "A-2", **change})
    assert (status, named in said["error"]) == (400, True)
    assert not Order.objects.exists()


def test_the_api_describes_itself_and_its_health(db):
    schema = Client().get("/api/v1/openapi.json").json()
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `[A-Z]+ (/[^`?]*)", page, re.M)
    assert {f"/api/v1{path}" for path in documented} == set(schema["paths"])
    assert Client().get("/api/v1/health").json()["status"] == "ok"


def test_what_every_call_can_answer_has_a_code_and_a_sentence_in_both_languages(client, lan):
    _, write = actions.make_token(merchant=lan.merchant, name="till", may_write=True, now=cast.OPENED)
    _, read = actions.make_token(merchant=lan.merchant, name="eyes", may_write=False, now=cast.OPENED)
    spend = {"points": 1, "key": "k"}
    card = Member.objects.create(merchant=lan.merchant, card="00000007", joined_at=cast.OPENED).card
    cases = [
        (write, "members/99999999/points/spend", spend, 404, "no_such_member", "没有卡号"),
        (write, "members/99999999/points/spend", "{", 400, "not_json", "不是有效的 JSON"),
        (write, "members/99999999/points/spend", {"points": 0}, 400, "not_understood", "points: 应不小于 1"),
        (write, "members/99999999/points/spend", {}, 400, "not_understood", "points: 缺少此项"),
        (read, "members/99999999/points/spend", spend, 403, "read_only", "令牌“eyes”只能读取"),
        ("wrong", "members/99999999/points/spend", spend, 401, "no_token", "Authorization"),
        (write, f"members/{card}/points/spend", {"points": 1}, 400, "no_key", "每个请求都要带"),
        (write, "nowhere", {}, 404, "no_such_path", "没有这个地址"),
        (write, "coalition/statements", {}, 405, "no_such_method", "不支持 POST，可用：GET"),
        (write, "checkout/price", BASKET | {"currency": "USD"}, 400, "basket_invalid", "购物车币种为 USD"),
        (write, "checkout/price", BASKET | {"lines": BASKET["lines"] * 2}, 400, "basket_invalid", "重复"),
    ]
    for token, path, body, status, code, chinese in cases:
        for spoken in ("en", "zh-CN"):
            answer = client.post(
                f"/api/v1/{path}",
                body if isinstance(body, str) else json.dumps(body),
                content_type="application/json",
                headers={"authorization": f"Bearer {token}", "accept-language": spoken},
            )
            told = answer.json()
            assert (answer.status_code, told["code"]) == (status, code), told
            assert (chinese in told["error"]) == (spoken == "zh-CN" or chinese.isascii()), told


def test_an_order_that_cannot_be_right_is_taken_and_says_so(till):
    sale = SALE | {"refunded_minor": 20_000}
    till.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh"
    (told,) = till.sell(sale)[1]["orders"]
    assert [one["code"] for one in told["odd"]] == ["refund_over_paid"]
    assert "大于实付金额" in told["odd"][0]["error"]
    assert till.sell(sale)[1]["orders"] == [{"number": "A-1001", "store": "XH", "outcome": "same", "odd": []}]


def test_a_refund_has_its_own_day_and_several_have_theirs(till):
    month = "2026-05-2{}T10:00:00+08:00".format
    till.sell(SALE)
    card = Member.objects.get().card
    late = SALE | {"refunded_minor": 5_000, "refunded_at": month(9)}
    assert till.sell(late)[1]["orders"][0]["outcome"] == "changed"
    assert Order.objects.get().refunded_at.isoformat() == "2026-05-29T02:00:00+00:00"
    each = SALE | {
        "number": "A-1002",
        "refunds": [
            {"number": "R-1", "amount_minor": 2_000, "refunded_at": month(3)},
            {"number": "R-2", "amount_minor": 3_000, "refunded_at": "2026-05-27T02:00:00Z"},
        ],
    }
    assert till.sell(each)[1]["orders"][0]["outcome"] == "new"
    assert till.sell(late, each)[1]["same"] == 2
    each["refunds"].append({"number": "R-3", "amount_minor": 9_000, "refunded_at": month(8)})
    (told,) = till.sell(each)[1]["orders"]
    assert (told["outcome"], [one["code"] for one in told["odd"]]) == ("changed", ["refund_over_paid"])
    lines = till.get(f"/members/{card}/points/statement", **{"from": "2026-05-01", "to": "2026-05-31"})[1]["lines"]
    told = [(line["at"][:10], line["points"]) for line in lines if line["kind"] == "refund"]
    assert told == [("2026-05-23", -20), ("2026-05-27", -30), ("2026-05-28", -78), ("2026-05-29", -50)]


def test_what_came_back_of_a_line_is_what_no_longer_earns(lan):
    """A point for a yuan, and one more for care: of two goods the one that comes back takes its own points along."""
    care = {"key": "care", "name": {"zh": "护肤", "en": "Care"}, "kind": "per_amount", "when": {"categories": ["care"]}}
    base = {"key": "base", "name": {"zh": "消费", "en": "Base"}, "kind": "per_amount"}
    publish(lan.merchant, CHARTER | {"points": {"expiry": {"kind": "never"}}, "earning": [base, care]})
    till = Till(lan.merchant, may_write=True)
    goods = [
        {"title": "霜", "amount_minor": 10_000, "product_code": "C1", "category": "care"},
        {"title": "杯", "amount_minor": 6_000, "product_code": "M1", "category": "mug"},
    ]
    sale = SALE | {"number": "B-1", "paid_minor": 16_000, "lines": goods}
    assert till.sell(sale)[0] == 200
    card = Order.objects.get().member.card
    assert till.get(f"/members/{card}/points")[1]["balance"] == 260
    back = [goods[0], goods[1] | {"refunded_minor": 6_000}]
    assert till.sell(sale | {"lines": back, "refunded_minor": 6_000})[0] == 200
    assert till.get(f"/members/{card}/points")[1]["balance"] == 200


def test_what_is_odd_is_named(till):
    (told,) = till.sell(SALE | {"paid_minor": -5})[1]["orders"]
    assert [one["code"] for one in told["odd"]] == ["negative_amount"]
    assert told["odd"][0]["error"].startswith("paid_minor is negative (-5).")


@pytest.mark.parametrize(
    ("told", "code", "chinese"),
    [
        ({"refunded_minor": 100, "refunded_at": "2026-05-20T09:59:00+08:00"}, "refund_before_order", "早于下单时间"),
        ({"refunded_minor": 100, "refunded_at": "2126-05-20T09:59:00+08:00"}, "refund_in_future", "尚未到"),
        ({"refunded_at": "2026-05-21T10:00:00+08:00"}, "refund_without_amount", "却没有退款金额"),
        ({"created_at": "2126-05-20T10:00:00+08:00"}, "order_in_future", "检查收银机时钟"),
        ({"paid_at": "2126-05-20T10:00:00+08:00"}, "order_in_future", "尚未到"),
        (
            {"refunds": [{"number": "R", "amount_minor": 1, "refunded_at": "2026-05-20T01:59:00Z"}]},
            "refund_before_order",
            "2026-05-20 09:59+08:00",
        ),
        ({"currency": "USD"}, "other_currency", "币种为 USD"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused_with_its_whole_call(till, told, code, chinese):
    assert till.sell(SALE, SALE | {"number": "A-2"} | told)[1]["code"] == code
    till.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh"
    status, answer = till.sell(SALE, SALE | {"number": "A-2"} | told)
    assert (status, answer["code"], chinese in answer["error"]) == (422, code, True)
    assert not Order.objects.exists()
