"""A till tells refund by refund which goods came back; the points of those very goods go."""

import json

import pytest
from django.test import Client

from shuke.loyalty.models import Txn
from shuke.members.models import Member
from shuke.shops import actions
from tests import cast
from tests.flows.test_returns_by_line import RULED
from tests.loyalty.books import member, publish

pytestmark = pytest.mark.django_db
ORDER = {
    "number": "7", "store": "XH", "created_at": "2026-03-02T10:00:00+08:00", "paid_minor": 10_000,
    "lines": [
        {"title": "面霜", "quantity": 2, "amount_minor": 6000, "product_code": "A1", "category": "护肤"},
        {"title": "口红", "quantity": 1, "amount_minor": 4000, "product_code": "B1", "category": "彩妆"},
    ],
}  # fmt: skip


@pytest.fixture
def tell(lan):
    publish(lan.merchant, RULED)
    card = Member.objects.get(pk=member(lan.merchant)).card
    _, token = actions.make_token(merchant=lan.merchant, name="till", may_write=True, now=cast.OPENED)
    client = Client(headers={"authorization": f"Bearer {token}"})

    def post(*refunds, language="en"):
        body = {"orders": [ORDER | {"buyer": {"card": card}, "refunds": list(refunds)}]}
        headers = {"Accept-Language": language}
        answer = client.post("/api/v1/orders", json.dumps(body), content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    return post


def gone(number: str) -> int:
    entries = [e for txn in Txn.objects.filter(event__endswith=f":{number}") for e in txn.entry_set.all()]
    return sum(e.amount for e in entries if e.account == "issued")


def back(number: str, day: int, money: int, *lines: dict) -> dict:
    at = f"2026-03-{day:02d}T10:00:00+08:00"
    return {"number": number, "amount_minor": money, "refunded_at": at, "lines": list(lines)}


def test_each_refund_takes_the_points_of_its_own_goods(tell):
    """100 + 2 × 60 + 7 for the stick = 227; one cream less: 90; the stick: 40 and 7; the other cream: 90."""
    refunds = [
        back("R1", 3, 3000, {"line": 1, "quantity": 1}),
        back("R2", 5, 4000, {"product_code": "B1"}),
        back("R3", 9, 3000, {"product_code": "A1", "amount_minor": 3000}),
    ]
    assert tell(refunds[1])[0] == 200
    assert gone("R2") == 47
    assert tell(*refunds)[0] == 200
    assert [gone(name) for name in ("R1", "R2", "R3")] == [90, 47, 90]
    assert tell(*refunds)[1]["same"] == 1


@pytest.mark.parametrize(
    "line", [{"line": 3}, {"product_code": "C1"}, {"quantity": 1}, {"line": 1, "product_code": "A1"}]
)
def test_a_line_that_is_not_there_is_refused(tell, line):
    status, told = tell(back("R1", 3, 3000, line))
    assert (status, told["code"]) == (422, "no_such_refund_line")
    assert "R1" in tell(back("R1", 3, 3000, line), language="zh")[1]["error"]
    assert Txn.objects.count() == 0
