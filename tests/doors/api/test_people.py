"""Members over the wire: joined once however often it is sent, nothing of what they told kept beside them."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from shuke.loyalty.models import CouponBatch, DeedRequest
from shuke.members.models import Member
from shuke.shops import actions
from tests import cast
from tests.doors.counter.shop import furnish


class Desk:
    def __init__(self, merchant, *, office=True):
        _, token = actions.make_token(
            merchant=merchant, name="office", may_write=True, may_decide=office, now=cast.OPENED
        )
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def __call__(self, path, **body):
        told = self.client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
        return told.status_code, told.json()

    def get(self, path):
        told = self.client.get(f"/api/v1/{path}")
        return told.status_code, told.json()


@pytest.fixture
def ask(lan):
    return Desk(lan.merchant)


LAN = {"name": "陈小兰", "phones": ["13800001234"], "key": "app-1"}


def test_who_sends_it_again_has_joined_once(ask, lan):
    first = ask("members", **LAN)
    again = ask("members", **LAN)
    assert (first[0], again) == (200, (200, first[1] | {"replayed": True}))
    assert Member.objects.count() == 1
    status, told = ask("members", **LAN | {"phones": ["13900009999"]})
    assert (status, told["code"]) == (422, "key_reused"), "another person under the same key"
    kept = DeedRequest.objects.get()
    assert "1380000" not in json.dumps(kept.answer)
    assert "陈" not in json.dumps(kept.answer, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"phones": ["138****1234"]}, 422, "bad_phone"),
        ({"name": "x", "email": "nobody"}, 422, "bad_email"),
        ({"name": "x", "store": "NOWHERE"}, 404, "no_such_store"),
        ({"name": "x", "code": "K7QM2-XWD9P"}, 404, "no_such_code"),
        ({"name": "x", "birthday": "1990-13-01"}, 400, "not_understood"),
        ({"name": "x", "attributes": {"skin": "dry"}}, 422, "not_defined"),
        ({"name": "x" * 101}, 400, "not_understood"),
        ({"nmae": "x"}, 400, "not_understood"),
        ({}, 422, "nothing_told"),
    ],
)
def test_what_cannot_be_is_refused_and_nobody_joins(ask, body, status, code):
    found = ask("members", **body)
    assert (found[0], found[1]["code"]) == (status, code)
    assert Member.objects.count() == 0


def test_the_february_that_has_no_thirtieth(ask):
    assert ask("members", name="x", days=[{"kind": "wedding", "day": "02-30"}])[0] in (200, 422)


def test_deliveries_and_batches_sent_again_come_once(ask, lan):
    furnish(lan)
    told = [ask("gifts/mug/stock", pieces=3, key="d1")[1]["stock"] for _ in range(2)]
    assert told == [8, 8]
    assert ask("gifts/mug/stock", pieces=4, key="d1")[1]["code"] == "key_reused"
    assert ask("gifts/mug/stock", pieces=-99, correct=True)[1]["code"] == "too_few"
    assert ask("gifts/none/stock", pieces=1)[0] == 404
    template = {
        "key": "flyer",
        "name": {"zh": "传单券", "en": "Flyer"},
        "kind": "amount",
        "amount": 5,
        "codes": "unique",
    }
    assert ask("coupons/templates", template=template)[0] == 200
    numbers = {ask("coupons/batches", template="flyer", count=10, key="b1")[1]["number"] for _ in range(3)}
    assert len(numbers) == CouponBatch.objects.count() == 1
    assert ask("coupons/batches", template="none", count=10)[1]["code"] == "no_such_template"
    assert ask.get("coupons/batches/7")[1]["code"] == "no_such_batch"
    assert ask.get("coupons/batches/7/codes")[1]["code"] == "no_such_batch"


def test_a_decision_sent_again_by_the_same_hand_answers_alike(ask, lan):
    card = Member.objects.get(pk=furnish(lan)).card
    ask(f"members/{card}/points/adjust", points=5000, reason="moved", key="a1")
    number = ask.get("points/corrections")[1][0]["number"]
    other = Desk(lan.merchant)
    assert ask(f"points/corrections/{number}/agree")[1]["code"] == "same_person"
    first, again = (other(f"points/corrections/{number}/agree") for _ in range(2))
    assert first == again
    assert first[1]["state"] == "done"
    assert other(f"points/corrections/{number}/decline", reason="no")[1]["code"] == "decided"
    assert other("points/corrections/7/agree")[0] == 404


def test_families_are_joined_at_will_and_no_one_is_in_two(ask, lan):
    a, b, c, d = (ask("members", name=n)[1]["card"] for n in "abcd")
    first = ask(f"members/{a}/family", members=[b], name="ab")
    assert ask(f"members/{a}/family", members=[b]) == first
    assert ask(f"members/{c}/family", members=[d])[0] == 200
    assert ask(f"members/{a}/family", members=[c])[1]["code"] == "in_another"
    assert ask(f"members/{a}/family", members=["404"])[1]["code"] == "no_such_member"
    assert ask(f"members/{a}/family/leave")[1]["left"] is True
    assert ask(f"members/{a}/family/leave")[1]["left"] is False
    assert ask.get(f"members/{b}/family")[1]["code"] == "no_such_family"
    assert ask(f"members/{b}/family", members=[b])[1]["code"] == "empty"


def test_another_merchants_things_are_not_there(ask, lan, mingde):
    furnish(lan)
    stranger = Desk(mingde.merchant)
    assert stranger.get("draws/summer")[1]["code"] == "no_such_draw"
    assert stranger("gifts/mug/stock", pieces=1)[0] == 404
    assert stranger.get("gifts")[1] == []
    assert stranger.get("benefits/log")[1] == {"lines": [], "next": None}
