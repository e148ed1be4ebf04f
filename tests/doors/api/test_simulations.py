"""Simulation over the wire: begun, watched, read, with one member explained."""

from __future__ import annotations

import pytest

from shuke.engine.charter import document
from shuke.flows import simulate_charter as flow
from shuke.kit import clock, jobs
from shuke.orders.actions import record
from tests.doors.api.test_api import Till
from tests.doors.api.test_charter_api import post
from tests.loyalty.books import CHARTER, NOW, member, order, publish

pytestmark = pytest.mark.django_db
DOUBLE = CHARTER | {"earning": [CHARTER["earning"][0] | {"points": 2}]}


@pytest.fixture(autouse=True)
def _home(tmp_path, settings):
    settings.SHUKE_HOME = tmp_path


@pytest.fixture
def till(lan, monkeypatch):
    monkeypatch.setattr("shuke.shops.queries.clock.utc_now", lambda: NOW)
    publish(lan.merchant)
    return Till(lan.merchant, may_write=True)


def test_a_simulation_is_begun_watched_and_read(till, lan):
    who = member(lan.merchant)
    record(merchant=lan.merchant, orders=[order("1", 400, 100)], member_ids=[who], now=NOW)
    status, begun = post(till, "/charter/simulate", charter=DOUBLE)
    assert (status, begun["state"], begun["result"]) == (200, "ready", None)
    path = f"/charter/simulations/{begun['simulation']}"
    assert till.get(path)[1]["state"] == "ready"
    job = jobs.claim(worker="test", now=clock.utc_now())
    assert jobs.run(job) == "done"
    status, told = till.get(path)
    assert (status, told["state"], told["error"]) == (200, "done", "")
    assert told["result"]["after"]["issued"] == 200
    assert all("member_id" not in one for one in told["result"]["movers"])
    status, one = till.get(f"{path}/members/00000001")
    assert (status, one["card"], sorted(one["sides"])) == (200, "00000001", ["after", "before"])
    assert till.get(f"{path}/members/nobody")[1]["code"] == "no_such_member"


def test_what_cannot_be_simulated_is_refused_with_a_sentence_and_a_code(till, lan, mingde):
    status, told = post(till, "/charter/simulate", charter=DOUBLE, since="2031-01-01")
    assert (status, told["code"], "too far ahead" in told["error"]) == (422, "too_far_ahead", True)
    till.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh"
    assert "太远" in post(till, "/charter/simulate", charter=DOUBLE, since="2031-01-01")[1]["error"]
    status, told = post(till, "/charter/simulate", charter=DOUBLE | {"currency": 7})
    assert (status, told["code"]) == (422, "charter_invalid")
    assert till.get("/charter/simulations/17")[1]["code"] == "no_such_simulation"
    theirs = flow.simulate_later(
        merchant=mingde.merchant, charter=document.from_plain(DOUBLE), since=None, draft=None, now=NOW, actor="x"
    )
    assert till.get(f"/charter/simulations/{theirs}")[0] == 404
