"""Points over the wire: each call once, whoever sends it how often; refusals with a code."""

import json

import pytest
from django.test import Client

from shuke.engine.charter import document
from shuke.flows.merge_members import merge, unmerge
from shuke.loyalty import actions as loyalty
from shuke.loyalty import queries
from shuke.members.models import Member
from shuke.shops import actions
from shuke.shops.queries import now as shop_now
from tests import cast
from tests.loyalty.books import NOW, START, member, order, take
from tests.trust.exercise_book import CHARTER


@pytest.fixture
def shop(lan):
    plain = CHARTER | {
        "points": CHARTER["points"] | {"transfer": "anyone", "second_person_above": 100, "expiry": {"kind": "never"}},
        "earning": [
            *CHARTER["earning"],
            {"key": "daily", "name": {"zh": "签到", "en": "Check-in"}, "kind": "activity", "activity": "check_in", "points": 5,
             "limits": {"per_day": 1}},
        ],
    }  # fmt: skip
    loyalty.publish_charter(
        merchant=lan.merchant, charter=document.from_plain(plain), effective_from=START, now=NOW, actor="t"
    )
    buyers = [member(lan.merchant, n) for n in (1, 2)]
    take(lan.merchant, buyers[0], order("a", 500, 300, stated_at=NOW))
    return lan.merchant


class Till:
    def __init__(self, merchant, may_write=True):
        _, token = actions.make_token(merchant=merchant, name=f"till{may_write}", may_write=may_write, now=cast.OPENED)
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def __call__(self, path, headers=None, **body):
        answer = self.client.post(
            f"/api/v1/members/{path}", json.dumps(body), content_type="application/json", headers=headers or {}
        )
        return answer.status_code, answer.json()


@pytest.fixture
def till(shop):
    return Till(shop)


def test_spend_and_return_once_each(till, shop):
    first = till("00000001/points/spend", points=120, key="s1")
    assert first == (200, {"card": "00000001", "points": 120, "available": 180, "replayed": False})
    assert till("00000001/points/spend", points=120, key="s1") == (200, first[1] | {"replayed": True})
    status, told = till("00000001/points/spend", points=121, key="s1")
    assert (status, told["code"]) == (422, "key_reused")
    assert till("00000001/points/return", points=20, of="s1", key="r1")[1]["available"] == 200
    status, told = till("00000001/points/return", points=101, of="s1", key="r2")
    assert (status, told["code"], told["figures"]["left"]) == (409, "more_than_burnt", 100)
    assert queries.verify(shop).findings == []


def test_the_key_may_stand_in_the_header_and_must_stand_somewhere(till):
    assert till("00000001/points/spend", {"idempotency-key": "h1"}, points=5)[0] == 200
    assert till("00000001/points/spend", {"idempotency-key": "h1"}, points=5)[1]["replayed"]
    status, told = till("00000001/points/spend", points=5)
    assert (status, told["code"]) == (400, "no_key")


def test_refusals_have_a_code_and_a_sentence_in_the_callers_language(till):
    status, told = till("00000001/points/spend", points=301, key="x")
    assert (status, told["code"], told["figures"]["available"]) == (409, "not_enough", 300)
    assert "available are 300" in told["error"]
    assert "可用 300" in till("00000001/points/spend", {"accept-language": "zh-CN"}, points=301, key="x")[1]["error"]
    assert till("99999999/points/spend", points=1, key="y")[0] == 404
    assert till("00000001/points/spend", points=0, key="z")[0] == 400


def test_hold_capture_release(till):
    assert till("00000001/points/hold", points=200, key="basket")[1]["available"] == 100
    assert till("00000001/points/spend", points=101, key="other")[1]["code"] == "not_enough"
    assert till("00000001/points/capture", points=150, hold="basket", key="paid")[1]["available"] == 150
    status, told = till("00000001/points/release", hold="basket", key="late")
    assert (status, told["code"]) == (409, "no_such_hold")


def test_points_are_handed_on_and_small_corrections_done_at_once(till):
    assert till("00000001/points/give", to="00000002", points=50, key="g")[1]["available"] == 250
    assert till("00000002/points/spend", points=50, key="s")[1]["available"] == 0
    told = till("00000002/points/adjust", points=100, reason="late coupon", key="a")[1]
    assert told == {"card": "00000002", "state": "done", "points": 100, "because": "", "replayed": False}
    assert till("00000002/points/adjust", points=101, reason="late coupon", key="b")[1]["state"] == "waiting"
    assert till("00000002/points/adjust", points=-300, reason="oops", key="c")[1]["state"] == "waiting"
    assert till("00000002/points/adjust", points=5, reason=" ", key="d")[1]["code"] == "no_reason"


def test_activities_give_what_the_charter_says(till):
    assert till("00000002/activities", activity="check_in", key="m1")[1] == {
        "card": "00000002", "points": 5, "growth": 0, "replayed": False,
    }  # fmt: skip
    assert till("00000002/activities", activity="check_in", key="m2")[1]["points"] == 0
    assert till("00000002/activities", activity="dance", key="m3")[1]["code"] == "no_such_activity"


def test_a_reading_token_moves_nothing(shop):
    reader = Till(shop, may_write=False)
    for path, body in {
        "spend": {"points": 1}, "return": {"points": 1, "of": "x"}, "hold": {"points": 1}, "release": {"hold": "x"},
        "capture": {"points": 1, "hold": "x"}, "give": {"points": 1, "to": "00000002"},
        "adjust": {"points": 1, "reason": "x"},
    }.items():  # fmt: skip
        assert reader(f"00000001/points/{path}", key="k", **body)[0] == 403
    assert reader("00000001/activities", activity="check_in", key="k")[0] == 403


def test_the_card_of_a_record_that_was_merged_is_that_records_again_when_they_are_parted(till, shop):
    one, other = Member.objects.order_by("card").values_list("pk", flat=True)
    done = merge(merchant=shop, survivor_id=one, absorbed_id=other, reason="told us", now=NOW, actor="lan").merge
    assert till("00000002/points/adjust", points=50, reason="kind", key="k1")[1]["card"] == "00000001"
    assert till("00000002/points/spend", points=20, key="s1")[1]["available"] == 330
    assert till("00000001/points/spend", points=100, key="s2")[1]["available"] == 230
    assert till("00000001/points/return", points=5, of="s1", key="r1")[1]["available"] == 235
    unmerge(merchant=shop, merge_id=done.pk, reason="two", now=NOW, actor="lan")
    later = shop_now(shop)
    assert [queries.balance(shop, m, later).available for m in (one, other)] == [200, 35]
    assert till("00000002/points/spend", points=20, key="s1")[1]["replayed"] is True


def test_an_activity_told_by_mistake_is_taken_back_once(till, shop):
    assert till("00000001/activities", activity="check_in", key="a1")[1]["points"] == 5
    status, told = till("00000001/activities/undo", of="a1", key="u1")
    assert (status, told) == (200, {"card": "00000001", "points": 5, "growth": 0, "replayed": False})
    assert till("00000001/activities/undo", of="a1", key="u1") == (200, told | {"replayed": True})
    status, again = till("00000001/activities/undo", of="a1", key="u2")
    assert (status, again["code"]) == (409, "undone_before")
    assert till("00000002/activities/undo", of="a1", key="u3")[1]["code"] == "no_such_doing"
    assert till("00000001/activities/undo", of="a1")[1]["code"] == "no_key"
    assert till("00000001/activities", activity="check_in", key="a2")[1]["points"] == 5  # the day's one is free again
    listed = till.client.get("/api/v1/members/00000001/activities").json()
    assert [(x["key"], x["points"], x["undone_at"] is None) for x in listed] == [("a2", 5, True), ("a1", 5, False)]
    assert queries.verify(shop).findings == []


def test_another_till_needs_the_office(shop, till):
    till("00000001/activities", activity="check_in", key="a1")
    _, token = actions.make_token(merchant=shop, name="other", may_write=True, now=cast.OPENED)
    other = Client(headers={"authorization": f"Bearer {token}"})
    path, body = "/api/v1/members/00000001/activities/undo", {"of": "a1", "key": "u1"}
    refused = other.post(path, body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_yours_to_undo")
    _, token = actions.make_token(merchant=shop, name="office", may_write=True, may_decide=True, now=cast.OPENED)
    office = Client(headers={"authorization": f"Bearer {token}"})
    assert office.post(path, body, content_type="application/json").json()["points"] == 5
