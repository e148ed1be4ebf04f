"""Benefits, gifts and draws over the wire: keys, refusals, replays, and that nothing needs more than a card."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from shuke.loyalty.models import BenefitUse, DrawTicket, GiftOrder
from shuke.members.models import Member
from shuke.shops import actions
from tests import cast
from tests.doors.counter.shop import furnish


class Till:
    """A program with a token."""

    def __init__(self, merchant, *, may_write=True) -> None:
        _, token = actions.make_token(merchant=merchant, name="till", may_write=may_write, now=cast.OPENED)
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def post(self, path, body=None):
        return self.client.post(f"/api/v1{path}", json.dumps(body or {}), content_type="application/json")


@pytest.fixture
def card(lan):
    return Member.objects.get(pk=furnish(lan)).card


@pytest.fixture
def till(lan):
    return Till(lan.merchant)


def test_benefits_are_told_handed_out_once_and_taken_back(till, card, lan):
    told = {r["key"]: r for r in till.client.get(f"/api/v1/members/{card}/benefits?store=XH").json()}
    assert (told["wrap"]["left"], told["tea"]["code"], told["price"]["code"]) == (2, "", "automatic")
    body = {"benefit": "wrap", "key": "k1", "store": "XH"}
    first, again = (till.post(f"/members/{card}/benefits", body) for _ in range(2))
    assert (first.status_code, again.json()["replayed"]) == (200, True)
    assert BenefitUse.objects.get().store == lan.street
    assert till.post(f"/members/{card}/benefits", {**body, "benefit": "tea"}).json()["code"] == "key_reused"
    refused = till.post(f"/members/{card}/benefits", {"benefit": "cake", "key": "k2"})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_birthday")
    assert till.post(f"/members/{card}/benefits", {"benefit": "nothing", "key": "k3"}).status_code == 404
    assert till.post(f"/benefits/{first.json()['number']}/undo").status_code == 200
    assert till.post("/benefits/1/undo").status_code == 404
    assert till.client.get(f"/api/v1/members/{card}/benefits").json()[0]["left"] == 2


def test_progress_names_what_can_be_claimed_and_it_is(till, card):
    due = [d for c in till.client.get(f"/api/v1/members/{card}/progress").json() for d in c["due"]]
    assert due
    assert till.post(f"/members/{card}/benefits", {"benefit": due[0], "key": "c"}).status_code == 200


def test_what_was_won_or_reached_waits_until_it_is_handed_over(till, card, lan):
    """The step gives 50 points at once and costs 8 yuan beside them: a thing. The draw has a cream."""
    path = f"/api/v1/members/{card}/waiting"
    claim = {"benefit": "spend.0", "key": "claim"}
    number = till.post(f"/members/{card}/benefits", claim).json()["number"]
    for n in range(12):
        till.post(f"/members/{card}/tickets", {"draw": "summer", "key": f"t{n}"})
    waits = till.client.get(path).json()
    assert [(w["kind"], w["number"], w["of"]) for w in waits if w["kind"] == "benefit"] == [
        ("benefit", number, "spend.0")
    ]
    prize = next(w for w in waits if w["kind"] == "prize")
    assert prize["name"]["en"] == "Cream"
    other = Till(lan.merchant)
    for told in (f"/benefits/{number}/hand-over", f"/prizes/{prize['number']}/hand-over"):
        first, again = (till.post(told, {"store": "XH"}) for _ in range(2))  # no answer came: it is sent again
        assert (first.status_code, first.json()["replayed"], again.json()["replayed"]) == (200, False, True)
        assert other.post(told).status_code == 422  # another till does not hand it out once more
    assert len(till.client.get(path).json()) == len(waits) - 2
    for nothing in ("/benefits/1/hand-over", "/prizes/1/hand-over"):
        assert till.post(nothing).status_code == 404


def test_gifts_are_set_aside_handed_over_and_come_back(till, card):
    told = {g["code"]: g["refused"] for g in till.client.get(f"/api/v1/members/{card}/gifts").json()}
    assert told == {"books": "", "mug": "", "car": "not_enough"}
    held = till.post(f"/members/{card}/gifts", {"gift": "mug", "key": "g1", "count": 2}).json()
    assert (held["state"], held["points"], held["cash_minor"]) == ("held", 600, 1980)
    assert till.post(f"/gift-orders/{held['number']}/done").json()["state"] == "done"
    back = till.post(f"/gift-orders/{held['number']}/back", {"key": "b1"})
    assert (
        back.json()["returned"],
        till.post(f"/gift-orders/{held['number']}/back", {"key": "b1"}).json()["replayed"],
    ) == (1, True)
    assert till.post(f"/gift-orders/{held['number']}/cancel").json()["code"] == "not_waiting"
    assert till.post(f"/members/{card}/gifts", {"gift": "car", "key": "g2"}).json()["code"] == "not_enough"
    assert till.post("/gift-orders/1/done").status_code == 404
    assert till.post(f"/gift-orders/{held['number']}/eat").status_code == 404
    assert GiftOrder.objects.get(key="g1").returned == 1


def test_a_ticket_has_a_receipt_and_is_drawn_once(till, card):
    assert [d["code"] for d in till.client.get("/api/v1/draws").json()] == ["summer"]
    body = {"draw": "summer", "key": "t1", "word": "福"}
    first, again = (till.post(f"/members/{card}/tickets", body).json() for _ in range(2))
    assert (first["receipt"], again["replayed"]) == (again["receipt"], True)
    assert DrawTicket.objects.count() == 1
    assert till.post(f"/members/{card}/tickets", {"draw": "winter", "key": "t2"}).status_code == 404
    assert till.post(f"/members/{card}/tickets", {**body, "key": "t3", "way": "order"}).json()["code"] == "no_such_way"


def test_a_reading_token_changes_nothing_and_another_merchants_card_is_unknown(lan, mingde, card):
    reader = Till(lan.merchant, may_write=False)
    assert reader.post(f"/members/{card}/benefits", {"benefit": "wrap", "key": "k"}).status_code == 403
    assert Till(mingde.merchant).post(f"/members/{card}/benefits", {"benefit": "wrap", "key": "k"}).status_code == 404
