"""The charter over the wire: read, checked, published on a day, taken back."""

from __future__ import annotations

import json

import pytest

from shuke.engine.charter import document
from shuke.loyalty.models import PublishedCharter
from tests.doors.api.test_api import Till
from tests.loyalty.books import CHARTER, NOW, publish

pytestmark = pytest.mark.django_db
OTHER = CHARTER | {"earning": CHARTER["earning"][:1]}


@pytest.fixture
def till(lan, monkeypatch):
    monkeypatch.setattr("shuke.shops.queries.clock.utc_now", lambda: NOW)
    publish(lan.merchant)
    return Till(lan.merchant, may_write=True, may_decide=True)


def post(till, path: str, **body):
    answer = till.client.post(f"/api/v1{path}", json.dumps(body, default=str), content_type="application/json")
    return answer.status_code, answer.json()


def test_versions_are_read_with_their_documents(till):
    status, told = till.get("/charter/versions")
    assert (status, [(v["version"], v["state"]) for v in told]) == (200, [(1, "in_force")])
    status, one = till.get("/charter/versions/1")
    assert document.from_plain(one["charter"]) == document.from_plain(CHARTER)
    assert till.get("/charter/versions/9")[0] == 404


def test_a_draft_is_checked_in_the_readers_language_as_document_or_text(till):
    assert post(till, "/charter/validate", charter=OTHER) == (200, {"valid": True, "problems": [], "warnings": []})
    text = document.to_yaml(document.from_plain(OTHER)).replace("'800'", "'-800'")
    status, told = post(till, "/charter/validate", yaml=text, language="zh")
    assert (status, told["valid"]) == (200, False)
    assert told["problems"][0]["where"].endswith("at_least")
    assert post(till, "/charter/validate", yaml=text)[1] != told
    till.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh"
    assert post(till, "/charter/validate", yaml=text)[1] == told
    assert post(till, "/charter/validate", yaml="tiers: [")[1]["problems"][0]["code"] == "not_yaml"
    assert PublishedCharter.objects.count() == 1


def test_it_is_published_on_a_day_and_taken_back(till):
    status, told = post(till, "/charter/publish", charter=OTHER, day="2026-07-01", note="less")
    assert (status, told["version"], told["state"]) == (200, 2, "coming")
    status, again = post(till, "/charter/publish", charter=OTHER, day="2026-07-02")
    assert (status, again["code"]) == (409, "nothing_changes")
    status, back = post(till, "/charter/versions/2/withdraw")
    assert (status, back["withdrawn"]) == (200, 2)
    assert post(till, "/charter/versions/1/withdraw")[1]["code"] == "in_force"


def test_sent_again_under_its_key_it_answers_as_the_first_time(till):
    told = {"charter": OTHER, "day": "2026-07-01", "note": "less", "key": "c-1"}
    first = post(till, "/charter/publish", **told)
    assert first == post(till, "/charter/publish", **told)
    assert post(till, "/charter/publish", **told | {"note": "other"})[1]["code"] == "key_reused"
    back = post(till, "/charter/versions/2/withdraw", key="c-2")
    assert back == post(till, "/charter/versions/2/withdraw", key="c-2")
    assert first == post(till, "/charter/publish", **told)  # for ever: what was done is not done anew
    assert (back[0], PublishedCharter.objects.count()) == (200, 1)
    refused = [post(till, "/charter/versions/1/withdraw", key="c-3") for _twice in range(2)]
    assert refused[0] == refused[1]
    till.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh"
    assert "自" in post(till, "/charter/versions/1/withdraw", key="c-3")[1]["error"]
    assert till.get("/charter/versions/9")[1] == {
        "error": "没有第 9 版；若已撤回，它保存为草稿。",
        "code": "no_such_version",
    }


def test_what_cannot_be_published_is_refused_with_a_code(till, lan):
    status, told = post(till, "/charter/publish", charter=OTHER, day="2020-01-01")
    assert (status, told["code"]) == (409, "in_the_past")
    status, told = post(till, "/charter/publish", charter={"tiers": []})
    assert (status, told["code"]) == (422, "charter_invalid")
    assert told["problems"]
    reader = Till(lan.merchant, may_write=False)
    assert post(reader, "/charter/publish", charter=OTHER)[0] == 403
    assert PublishedCharter.objects.count() == 1


def test_what_the_shop_does_not_have_is_said_alike_when_checked_and_when_published(till):
    asked = CHARTER | {"referral": {"friend": {"coupon": "nobody"}}}
    status, told = post(till, "/charter/validate", charter=asked)
    assert (status, [(p["where"], p["code"]) for p in told["problems"]]) == (
        200,
        [("referral.friend.coupon", "unknown_coupon")],
    )
    status, refused = post(till, "/charter/publish", charter=asked)
    assert (status, refused["code"], refused["problems"]) == (422, "charter_invalid", told["problems"])
