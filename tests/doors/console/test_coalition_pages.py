"""Coalition points in the console: begin, invite, join, link a member, spend, close, and the papers of a period."""

import re

import pytest
from django.test import Client

from shuke.loyalty import queries
from shuke.loyalty.models import CoalitionPack, CoalitionPartner, CoalitionPeriod, CoalitionTerms
from shuke.shops import queries as shops
from shuke.shops.models import Role
from tests.loyalty.books import member, order, publish, take
from tests.loyalty.partners import DAY, NOW, PLAIN


@pytest.fixture
def street(lan, mingde, monkeypatch):
    moment = {"now": NOW}
    monkeypatch.setattr(shops, "now", lambda merchant: moment["now"])
    people = []
    for shop in (lan, mingde):
        publish(shop.merchant, PLAIN)
        people.append(member(shop.merchant, 1))
        take(shop.merchant, people[-1], order("a", 5, 100), now=NOW)
    return moment, lan, mingde, people


def reader(staff, language="en"):
    client = Client()
    client.force_login(staff)
    client.cookies["django_language"] = language
    return client


TERMS = {"issue": "0.005", "redeem": "0.004", "prepaid": "", "warn_below": "", "limit": "", "most_per_day": ""}


def act(client, do, **told):
    return client.post("/coalition", {"do": do, **told}, follow=True).content.decode()


def at_till(client, who, do, **told):
    return client.post(f"/members/{who}/coalition", {"do": do, **told}, follow=True).content.decode()


def test_from_beginning_to_settlement(street):
    moment, lan, mingde, (here, there) = street
    one, two = reader(lan.owner), reader(mingde.owner)
    assert "Now invite partners" in act(one, "found", name="Street", notice_days="30", **TERMS)
    act(one, "invite", partner=mingde.merchant.name, **TERMS | {"prepaid": "1", "warn_below": "500"})
    page = two.get("/coalition").content.decode()
    assert ("you would pay 0.005 CNY per point" in page, "Accept these prices" in page) == (True, True)
    act(two, "accept")
    assert set(CoalitionPartner.objects.values_list("state", flat=True)) == {"in"}

    at_till(one, here, "link", evidence="form 7")
    code = re.search(r"<b>([0-9A-Z-]{13,})</b>", at_till(one, here, "code")).group(1)
    at_till(two, there, "link", evidence="form 8", code=code)
    key = re.search(r'name="key" value="([^"]+)"', two.get(f"/members/{there}/coalition").content.decode()).group(1)
    for _ in range(2):  # pressed twice
        said = at_till(two, there, "spend", key=key, points="150")
    assert "150 points spent." in said
    assert "150 points spent here, 150 can be given back" in said
    assert "There is no spend" in at_till(one, here, "return", key="k9", of=key, points="1"), "another member's"
    assert (
        queries.balance(mingde.merchant, there, NOW).available + queries.balance(lan.merchant, here, NOW).available
        == 50
    )
    back = at_till(two, there, "return", key=key + "r", of=key, points="30")
    assert "30 points given back." in back
    assert "150 points spent here, 120 can be given back" in back
    assert "available are 80" in at_till(two, there, "spend", key="k2", points="500")

    act(one, "pack", partner=mingde.merchant.name, points="300", key="p1")
    assert CoalitionPack.objects.get().paid_minor == 150
    act(one, "propose", partner=mingde.merchant.name, since="2025-03-01", **TERMS | {"issue": "0.006"})
    assert "New prices wait for you" in two.get("/coalition").content.decode()
    act(two, "agree", version="2")
    assert CoalitionTerms.objects.filter(agreed_at=None).count() == 0

    moment["now"] = NOW + 20 * DAY
    for _ in range(2):
        assert "Period 1 is closed" in act(one, "close") or CoalitionPeriod.objects.count() == 1
    page = one.get("/coalition/periods/1").content.decode()
    files = re.findall(r'href="(/coalition/periods/1/[^"]+)"', page)
    assert len(files) == 5
    first = [one.get(file).content for file in files]
    assert [one.get(file).content for file in files] == first
    theirs = re.findall(r'href="(/coalition/periods/1/[^"]+)"', two.get("/coalition/periods/1").content.decode())
    assert len(theirs) == 3
    not_theirs = [file for file in files if file not in theirs]
    assert {two.get(file).status_code for file in not_theirs} == {404}
    assert "evenness" in one.get("/coalition").content.decode()

    assert "30 days" in act(two, "leave", at="2025-02-12", because="moves")
    act(two, "leave", at="2025-06-01", because="moves")
    assert "leaves 2025-06-01" in two.get("/coalition").content.decode()
    at_till(two, there, "unlink", because="asked")
    assert queries.verify(lan.merchant).findings == queries.verify(mingde.merchant).findings == []


def test_refusals_are_sentences_in_both_languages(street):
    _, lan, _mingde, (here, _) = street
    told = act(reader(lan.owner), "found", name="x", **TERMS | {"issue": "cheap"})
    assert "not cheap" in told
    assert "not 1.5" in act(reader(lan.owner), "found", name="x", **TERMS | {"warn_below": "1.5"})
    assert "not a lot" in act(reader(lan.owner), "found", name="x", **TERMS | {"limit": "a lot"})
    chinese = reader(lan.owner, "zh-hans")
    act(chinese, "found", name="街区", **TERMS | {"limit": "500.00"})
    assert CoalitionTerms.objects.get().credit_limit_minor == 50_000
    assert "没有名为“谁”的商家" in act(chinese, "invite", partner="谁", **TERMS)
    assert "请填写会员同意的依据" in at_till(chinese, here, "link", evidence=" ")
    assert "此关联码不可用" in at_till(chinese, here, "link", evidence="表", code="123")


def test_only_the_owner_acts_and_nobody_sees_another_members_page(street):
    _, lan, _mingde, (here, there) = street
    assert reader(lan.manager).post("/coalition", {"do": "found", "name": "x", **TERMS}).status_code == 403
    assert reader(lan.owner).get(f"/members/{there}/coalition").status_code == 404
    assert reader(lan.owner).post("/coalition", {"do": "dance"}).status_code == 404
    assert reader(lan.assistant).get(f"/members/{here}/coalition").status_code == 200
    assert lan.auditor.role == Role.AUDITOR
    assert reader(lan.auditor).get("/coalition").status_code == 200
