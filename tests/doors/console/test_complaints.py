"""Complaints in the console, at the counter and over the wire: one complaint, whoever asks."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from shuke.loyalty.models import Coupon
from shuke.members.models import Member
from shuke.service.models import Complaint
from shuke.shops import actions
from tests import cast
from tests.loyalty.books import member
from tests.loyalty.till import open_till, template

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ann(lan):
    open_till(lan.merchant)
    template(lan.merchant, "sorry", issue=[{"on": "complaint"}])
    return member(lan.merchant)


def test_in_the_console_on_the_members_page_and_in_the_list(see, lan, ann):
    client = see(lan.specialist)
    told = {"key": "k1", "what": "瓶子漏了", "channel": "phone"}
    for _twice in range(2):
        page = client.post(f"/members/{ann}/complaints", told, follow=True).content.decode()
    assert ("Written down" in page, "瓶子漏了" in page, "by phone" in page) == (True, True, True)
    one = Complaint.objects.get()
    assert "瓶子漏了" in client.get("/complaints").content.decode()
    done = client.post(f"/complaints/{one.pk}", {"note": "换新", "back": "list"}, follow=True).content.decode()
    assert "Settled. The member gets a coupon for it: sorry." in done
    assert "No complaint is open." in done
    again = client.post(f"/complaints/{one.pk}", {"note": "x"}, follow=True).content.decode()
    assert "It is settled already" in again
    assert "open again" in client.post(f"/complaints/{one.pk}", {"note": "又漏", "do": "reopen"}, follow=True).content.decode()  # fmt: skip
    assert "Complaint opened again" in client.get(f"/members/{ann}").content.decode()
    assert see(lan.auditor).post(f"/complaints/{one.pk}", {"note": "x"}).status_code == 403
    assert Coupon.objects.count() == 1


def test_somebody_elses_are_not_found(see, lan, ann, mingde):
    client = see(lan.specialist)
    client.post(f"/members/{ann}/complaints", {"key": "k1", "what": "x", "channel": "phone"})
    client = see(mingde.owner)
    assert client.post(f"/complaints/{Complaint.objects.get().pk}", {"note": "x"}).status_code == 404
    assert client.post(f"/members/{ann}/complaints", {"key": "k", "what": "x"}).status_code == 404


def test_at_the_counter(see, lan, ann):
    client = see(lan.assistant)

    def do(deed, **told):
        return client.post(f"/counter/m/{ann}/{deed}", {"token": "t", **told}, headers=HTMX)

    assert "Written down" in do("complaint", what="太吵").content.decode()
    wrong = do("complaint", token="u", what="太吵", number="none")
    assert (wrong.status_code, "no order none" in wrong.content.decode()) == (422, True)
    one = Complaint.objects.get()
    assert do("complaint/settle", complaint="7", note="x").status_code == 422
    said = do("complaint/settle", complaint=str(one.pk), note="换座").content.decode()
    assert "Settled. The member gets a coupon for it: sorry." in said
    assert do("complaint/settle", complaint=str(one.pk), note="换座").status_code == 422
    assert Coupon.objects.count() == 1


def test_over_the_wire(lan, ann):
    _, token = actions.make_token(merchant=lan.merchant, name="crm", may_write=True, now=cast.OPENED)
    client, card = Client(headers={"authorization": f"Bearer {token}"}), Member.objects.get(pk=ann).card

    def post(path, body):
        answer = client.post(f"/api/v1{path}", json.dumps(body), content_type="application/json")
        return answer.status_code, answer.json()

    body = {"key": "k1", "what": "leaked", "channel": "chat"}
    status, one = post(f"/members/{card}/complaints", body)
    assert (status, one["state"], post(f"/members/{card}/complaints", body)[1]["replayed"]) == (200, "open", True)
    assert post(f"/members/{card}/complaints", {"what": "leaked"})[1]["code"] == "key_missing"
    assert [c["id"] for c in client.get("/api/v1/complaints").json()] == [one["id"]]
    status, done = post(f"/complaints/{one['id']}/settle", {"note": "new one"})
    assert (status, done["coupons"], done["says"]) == (200, 1, "The member gets a coupon for it: sorry.")
    assert post(f"/complaints/{one['id']}/settle", {"note": "new one"}) == (409, {"code": "settled_before", "error": done_before()})  # fmt: skip
    assert post(f"/complaints/{one['id']}/reopen", {"reason": "again"})[1]["state"] == "open"
    assert post("/complaints/7/settle", {"note": "x"})[0] == 404
    assert client.get(f"/api/v1/members/{card}/complaints").json()[0]["reopened"] == 1


def done_before():
    by = Complaint.objects.get().settled_by
    return f"It is settled already, by {by}: “new one”. Open it again, if that was not enough."
