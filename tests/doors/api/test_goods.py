"""Goods over the wire."""

import pytest

from shuke.insight import actions
from shuke.insight.models import GoodsReport
from shuke.insight.queries import goods
from tests.doors.api.test_points import Till
from tests.insight.shelves import DAY, stock
from tests.insight.till import night

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelves(lan, monkeypatch):
    monkeypatch.setattr("shuke.doors.api.goods.shop_now", lambda merchant: night(lan, "2026-06-30"))
    return stock(lan)


def test_report_members_next_and_marks(shelves):
    client = Till(shelves.merchant).client
    assert client.get("/api/v1/insight/goods").status_code == 409
    assert client.get(f"/api/v1/members/{shelves.people[8].card}/next").status_code == 409
    actions.goods_report(merchant=shelves.merchant, day=DAY, now=night(shelves, "2026-06-30"))
    told = client.get("/api/v1/insight/goods?level=kind").json()
    assert (told["level"], told["groups"][0]["hot"][0]["item"]) == ("kind", "食品/茶")
    item = goods.report(shelves.merchant, "product")["groups"][0]["hot"][0]["item"]
    behind = client.get(f"/api/v1/insight/goods/members?figure=bought&item={item}&limit=5").json()
    assert (behind["count"], len(behind["members"])) == (12, 5)
    assert client.get("/api/v1/insight/goods/members?figure=liked&item=1").status_code == 404

    def wanted():
        return client.get(f"/api/v1/members/{shelves.people[8].card}/next").json()

    assert [(one["name"], one["times"], one["due"]) for one in wanted()["again"]] == [("茶", 8, "2026-06-29")]
    assert [one["why"] for one in wanted()["new"]] == ["bestseller"]
    assert client.get("/api/v1/members/99999999/next").status_code == 404
    said = {"codes": ["C"], "out_of_stock": True}
    assert client.post("/api/v1/insight/goods/marks", said, content_type="application/json").json() == {"marked": 1}
    assert wanted()["new"] == []
    GoodsReport.objects.filter(level="kind").delete()  # as in a shop whose goods have neither category nor need
    refused = client.get("/api/v1/insight/goods?level=kind")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_such_level")
    said = {"codes": ["C", "X9"], "need": "待客"}
    assert client.post("/api/v1/insight/goods/marks", said, content_type="application/json").status_code == 404
