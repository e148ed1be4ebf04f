"""Where a member stands, over the wire: statement, tier, growth value, the charter; and lapsed points given back."""

from datetime import timedelta

import pytest

from shuke.engine.charter import document
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask
from shuke.shops.models import Merchant
from tests.doors.api.test_points import Till
from tests.loyalty.books import NOW, START, member, order, publish, take
from tests.loyalty.test_rich_charter import RICH

NO_ONE = "/api/v1/members/99999999"


@pytest.fixture
def shop(lan, monkeypatch) -> Merchant:
    for place in ("standing", "points"):
        monkeypatch.setattr(f"shuke.doors.api.{place}.shop_now", lambda merchant: NOW)
    publish(lan.merchant, RICH)
    take(lan.merchant, member(lan.merchant), order("a", 10, 700), order("b", 40, 300, lines=()), order("c", 500, 90))
    return lan.merchant


@pytest.fixture
def till(shop):
    return Till(shop)


def get(till, path, **asked):
    answer = till.client.get(f"/api/v1{path}", asked)
    return answer.status_code, answer.json()


def test_a_statement_in_pages_is_the_whole_and_ends_where_the_books_do(till, shop):
    status, whole = get(till, "/members/00000001/points/statement", **{"from": "2025-01-01", "to": "2026-06-01"})
    assert (status, whole["opening"], whole["count"]) == (200, 0, len(whole["lines"]))
    assert whole["count"] > 3
    assert whole["opening"] + sum(line["points"] for line in whole["lines"]) == whole["closing"]
    assert whole["totals"]["expire"] < 0
    pages, offset = [], 0
    while offset is not None:
        page = get(
            till, "/members/00000001/points/statement",
            **{"from": "2025-01-01", "to": "2026-06-01", "limit": "2", "offset": str(offset)},
        )[1]  # fmt: skip
        pages, offset = pages + page["lines"], page["next"]
    assert pages == whole["lines"]
    later = get(till, "/members/00000001/points/statement", **{"from": "2026-06-01", "to": "2026-06-01"})[1]
    assert later["closing"] == whole["closing"]


def test_days_that_make_no_time_are_refused(till):
    for asked in ({"from": "2026-02-01", "to": "2026-01-31"}, {"from": "yesterday"}, {"to": "0001-01-01"}):
        status, said = get(till, "/members/00000001/points/statement", **asked)
        assert (status, bool(said["error"])) == (400, True)


def test_a_tier_is_explained_with_what_is_missing_as_alternatives(till, shop):
    status, told = get(till, "/members/00000001/tier")
    why = queries.why_tier(shop, int(get(till, "/members/00000001")[1]["id"]), NOW)
    assert (status, told["tier"], told["next_tier"]) == (200, why.tier, why.next_tier)
    assert told["missing_ways"] == why.missing_ways
    assert [line["cause"] for line in told["history"]] == [change.cause for change in why.history]
    assert get(till, "/members/99999999/tier")[0] == 404


def test_growth_value_adds_up_line_by_line(till, shop):
    status, told = get(till, "/members/00000001/growth")
    assert status == 200
    assert sum(line["growth"] for line in told["lines"]) == told["growth"]
    first = get(till, "/members/00000001/growth", limit="1")[1]
    assert (first["lines"], first["next"]) == (told["lines"][:1], 1)


def test_the_charter_in_force_reads_back_as_the_same_charter(till):
    status, told = get(till, "/charter")
    assert (status, told["version"], told["effective_from"][:10]) == (200, 1, START.date().isoformat())
    assert document.from_plain(told["charter"]) == document.from_plain(RICH)


def test_without_a_charter_there_is_a_sentence(mingde):
    member(mingde.merchant, 7)
    till = Till(mingde.merchant)
    assert get(till, "/charter")[0] == 409
    status, told = get(till, "/members/00000007/tier")
    assert (status, "no charter in force" in told["error"]) == (409, True)


def test_lapsed_points_come_back_once_and_no_more_than_lapsed(shop, till):
    who = int(get(till, "/members/00000001")[1]["id"])
    soon = NOW - timedelta(days=100)
    actions.ask(
        merchant=shop, asks=[Ask("gift", "adjust", who, 60, expires_at=NOW - timedelta(days=5))], now=soon, actor="t"
    )
    actions.run_clock(merchant=shop, now=NOW)
    before = queries.balance(shop, who, NOW).available
    status, told = till("00000001/points/reinstate", points=61, reason="was ill", key="r0")
    assert (status, told["code"], told["figures"]["lapsed"]) == (409, "more_than_lapsed", 60)
    for replayed in (False, True):
        assert till("00000001/points/reinstate", points=60, reason="was ill", key="r1") == (
            200, {"card": "00000001", "state": "done", "points": 60, "because": "", "replayed": replayed},
        )  # fmt: skip
    assert queries.balance(shop, who, NOW).available == before + 60
    assert till("00000001/points/reinstate", points=1, reason="was ill", key="r2")[0] == 409
    assert till("00000001/points/reinstate", points=1, key="r3")[0] == 400
    assert Till(shop, may_write=False)("00000001/points/reinstate", points=1, reason="x", key="r4")[0] == 403
