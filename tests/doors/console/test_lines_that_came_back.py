"""A member's orders say which lines came back, whoever told of it: the counter, a program or a file."""

import json
import re

import pytest
from django.test import Client

from shuke.loyalty.models import Checkout
from shuke.loyalty.queries.checkouts import lines_of
from shuke.members.models import Member
from shuke.shops import actions
from tests.doors.api.test_returned_lines import ORDER, back
from tests.doors.counter.test_selling import GOODS, HTMX
from tests.loyalty.books import CHARTER, member, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def who(lan, see):
    publish(lan.merchant, CHARTER | {"selling": {"points": {"share": 50}}})
    see(lan.owner)
    return member(lan.merchant)


def marks(client, who, language="en"):
    """What stands beside each line of the member's one order."""
    client.cookies["django_language"] = language
    page = client.get(f"/members/{who}/orders").content.decode()
    (goods,) = re.findall(r'<ul class="c-goods">(.*?)</ul>', page, re.S)
    return [
        re.sub(r"<svg.*?</svg>|<.*?>", "", one).split("×")[0].replace("✕", "").strip()
        for one in goods.split("<li>")[1:]
    ]


def test_what_a_program_tells_of_a_refund_is_marked(lan, who, client):
    _, token = actions.make_token(merchant=lan.merchant, name="till", may_write=True, now=lan.merchant.created_at)
    till = Client(headers={"authorization": f"Bearer {token}"})
    refunds = [back("R1", 3, 3000, {"line": 1, "quantity": 1}), back("R2", 4, 4000, {"product_code": "B1"})]
    order = ORDER | {"buyer": {"card": Member.objects.get(pk=who).card}, "refunds": refunds}
    later = [{**one, "lines": [], "refunded_at": "2026-03-09T10:00:00+08:00"} for one in refunds]
    for told in (order, order | {"refunds": later}):  # told again later, without goods
        answer = till.post("/api/v1/orders", json.dumps({"orders": [told]}), content_type="application/json")
        assert answer.status_code == 200, answer.content
        assert marks(client, who) == ["面霜 ¥30.00 refunded", "口红 refunded"]
        assert marks(client, who, "zh-hans") == ["面霜 退款 ¥30.00", "口红 已退款"]


def test_what_the_counter_takes_back_is_marked(client, who):
    def post(deed, **told):
        return client.post(f"/counter/m/{who}/{deed}", {"token": "t1", "store": "XH", **told}, headers=HTMX)

    assert post("till/take", **GOODS, due="10900", book="1", number="0009").status_code == 200
    row = Checkout.objects.get()
    second = lines_of(row)[1].key
    assert post("returns/take", basket=row.key, token="r1", **{f"line:{second}": "1"}).status_code == 200
    assert marks(client, who)[1] == "竹蜻蜓 ¥20.50 refunded"
    assert post("returns/take", basket=row.key, token="r2", **{f"line:{second}": "1"}).status_code == 200
    assert [one.endswith("refunded") for one in marks(client, who)] == [False, True]
    assert marks(client, who)[1] == "竹蜻蜓 refunded"
