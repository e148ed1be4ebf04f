"""Profit, retention budget, loyalty types, margins and costs: every figure opens, statements are kept, costs are booked by who may."""

import copy
import re
from datetime import date
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from shuke.insight import actions
from shuke.insight.models import MemberValue, ProfitPolicy, StatedCost
from shuke.members.models import AttributeKind, MemberCost
from shuke.shops.models import Merchant
from tests import cast
from tests.insight import profits
from tests.insight.till import night

pytestmark = pytest.mark.django_db
PAGES = ["profit", "profit?by=layer", "profit?by=rfm", "budget", "loyalty", "costs"]


def build():
    """The small shop with a value for two of its members."""
    lan = cast.lan()
    made = profits.shop(lan)
    for who, orders, spend in ((made.wen, 10_000, 100_000), (made.chi, 2_000, 12_000)):
        MemberValue.objects.create(
            merchant=lan.merchant, member=who, as_of=date(2026, 12, 31), chance_30=500, chance_90=900,
            expected_orders=orders, expected_spend=spend, spend_low=spend // 2, spend_high=spend * 2, rule="model",
        )  # fmt: skip
    actions.profit_report(merchant=lan.merchant, day=profits.DAY, now=night(lan, "2026-12-31"))
    return made


@pytest.fixture(scope="module")
def opened(kept):
    return kept(build)


@pytest.fixture
def shop(db, opened, monkeypatch):
    monkeypatch.setattr("shuke.shops.queries.now", lambda merchant: night(opened, "2026-12-31"))
    return copy.deepcopy(opened)


def page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return unescape(answer.content.decode())


@pytest.mark.parametrize("path", PAGES)
def test_every_figure_opens_to_as_many_members(see, shop, path):
    client = see(shop.owner)
    text = page(client, f"/insight/{path}")
    for link, figure in re.findall(r'href="(/members\?[^"]+)"[^>]*data-figure="(\d+)"', text):
        told = page(client, link)
        assert f"1–{figure} " in told, (link, figure)
    assert ("data-figure" in text) == (path != "costs")


def test_a_first_report_that_is_being_made_is_said_to_be(see, mingde, monkeypatch):
    def told():
        return [page(see(mingde.owner), f"/insight/{path}") for path in ("profit", "budget", "loyalty", "goods")]

    assert all("Nothing to compare yet" in text for text in told())  # no night yet
    now = night(mingde, "2026-12-31")
    monkeypatch.setattr("shuke.shops.queries.now", lambda merchant: now)
    profits.shop(mingde, snapshot=False)
    actions.snapshot(merchant=mingde.merchant, day=profits.DAY, now=now)
    for text in told():
        assert "The first report is being made" in text
        assert "Nothing to compare yet" not in text


@pytest.mark.parametrize("path", ["profit?file=csv&table=groups", "budget?file=xlsx", "loyalty?file=csv&table=types"])
def test_tables_are_taken_along(see, shop, path):
    answer = see(shop.owner).get(f"/insight/{path}")
    assert "attachment" in answer["Content-Disposition"]
    assert answer.content


def test_assumptions_are_named_until_they_are_stated(see, shop):
    client = see(shop.owner)
    for path in ("profit", "budget"):
        assert "alert-warning" in page(client, f"/insight/{path}")
    sent = client.post(
        "/insight/costs", {"do": "terms", "margin": "38 %", "uplift": "6 %", "source": "五月对照组", "years": "2.5"}
    )
    assert sent.status_code == 302
    kept = ProfitPolicy.objects.get(merchant=shop.merchant)
    assert (kept.margin_permille, kept.uplift_permille, kept.uplift_source, kept.years_tenths) == (
        380,
        60,
        "五月对照组",
        25,
    )
    actions.profit_report(merchant=shop.merchant, day=profits.DAY, now=night(shop, "2026-12-31"))
    assert "alert-warning" not in page(client, "/insight/profit")
    assert "五月对照组" in page(client, "/insight/budget")
    client.post("/insight/costs", {"do": "terms", "margin": "", "uplift": "2", "source": "", "years": ""})
    kept.refresh_from_db()
    assert kept.margin_permille == 380  # 2 is no share: nothing of the form was kept


def test_margins_one_by_one_and_as_a_list_with_rejects(see, shop):
    client = see(shop.owner)
    client.post("/insight/costs", {"do": "one", "what": "product", "key": "K", "margin": "40 %"})
    assert StatedCost.objects.get(what="product", key="K").margin_permille == 400
    client.post("/insight/costs", {"do": "one", "what": "product", "key": "K"})
    assert StatedCost.objects.filter(key="K").exists()  # nothing stated is a slip, not a taking back
    client.post("/insight/costs", {"do": "drop", "what": "product", "key": "K"})
    assert not StatedCost.objects.filter(key="K").exists()
    listed = SimpleUploadedFile("毛利.csv", "商品编码,毛利率\nK,35%\nZ,1%\n".encode(), "text/csv")
    text = unescape(client.post("/insight/costs", {"do": "list", "file": listed}, follow=True).content.decode())
    assert StatedCost.objects.get(key="K").margin_permille == 350
    assert "“Z”" in text
    assert "Z" in client.get("/insight/costs/rejected").content.decode("utf-8-sig")
    bad = SimpleUploadedFile("x.csv", b"a,b\n1,2\n", "text/csv")
    assert client.post("/insight/costs", {"do": "list", "file": bad}).status_code == 302


def test_one_member_line_by_line_and_a_cost_booked(see, shop):
    client = see(shop.owner)
    card = page(client, f"/members/{shop.wen.pk}")
    assert f"/members/{shop.wen.pk}/costs" in card
    text = page(client, f"/members/{shop.wen.pk}/costs")
    assert "¥1,061.00" in text
    key = re.search(r'name="key" value="(manual:\d+)"', text)[1]
    form = {"kind": "care", "amount": "25", "day": "2026-12-31", "note": "生日礼", "key": key}
    for _twice in range(2):
        client.post(f"/members/{shop.wen.pk}/costs", form)
    assert list(MemberCost.objects.filter(key=key).values_list("amount_minor", "kind")) == [(2_500, "care")]
    assert "生日礼" in page(client, f"/members/{shop.wen.pk}/costs")
    client.post(f"/members/{shop.wen.pk}/costs", form | {"key": "k2", "day": "2027-06-01"})
    client.post(f"/members/{shop.wen.pk}/costs", form | {"key": "k3", "amount": "?"})
    assert not MemberCost.objects.filter(key__in=["k2", "k3"]).exists()


def test_who_may_look_and_who_may_state(see, shop):
    assistant = see(shop.assistant)
    for path in [*(f"/insight/{name}" for name in PAGES), f"/members/{shop.wen.pk}/costs"]:
        assert assistant.get(path).status_code == 403
    specialist = see(shop.specialist)
    assert specialist.get("/insight/costs").status_code == 200
    assert specialist.post("/insight/costs", {"do": "drop", "what": "product", "key": "C"}).status_code == 403
    assert specialist.post("/insight/loyalty").status_code == 403


def test_the_fields_for_what_members_say_are_made_once(see, shop):
    client = see(shop.owner)
    for _twice in range(2):
        assert client.post("/insight/loyalty").status_code == 302
    assert AttributeKind.objects.filter(merchant=shop.merchant).count() == 5


def test_the_list_knows_filters_and_columns(see, shop):
    client = see(shop.owner)
    client.post("/members/columns", {"column": ["profit", "budget", "loyalty", "quality"]})
    text = page(client, "/members?loyalty=high&quality=quality&profit=gain")
    assert "文" in text
    assert "¥1,061.00" in text
    assert "1–1 " in text
    told = client.post("/members/export", {"list": "quality=costly", "whole": "csv"})
    body = b"".join(told.streaming_content) if told.streaming else told.content
    assert "池" in body.decode("utf-8-sig")


def test_before_the_first_report_the_pages_say_what_is_missing(see, mingde):
    client, merchants = see(mingde.owner), Merchant.objects.count()
    for path in ("profit", "budget", "loyalty"):
        assert "c-empty" in page(client, f"/insight/{path}")
    assert Merchant.objects.count() == merchants
