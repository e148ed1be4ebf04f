"""Finance over the wire."""

from __future__ import annotations

import pytest

from shuke.loyalty.models import ClosedMonth
from shuke.shops import actions
from tests.cast import NOON
from tests.loyalty.books import NOW, member, order, publish, take

pytestmark = pytest.mark.django_db
ANSWERS = ["liability", "movements", "breakage", "deferral", "lapsing"]


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("shuke.doors.api.finance.shop_now", lambda merchant: NOW)


@pytest.fixture
def ask(client, lan):
    """ask("get", "liability?at=…", write=True): the answer to a program of Lan's."""
    publish(lan.merchant)
    take(lan.merchant, member(lan.merchant), order("a", 10, 100), order("b", 40, 300))

    def call(way: str, path: str, *, write: bool = False):
        _row, text = actions.make_token(
            merchant=lan.merchant, name="books", may_write=write, may_decide=write, now=NOON
        )
        return getattr(client, way)(f"/api/v1/finance/{path}", headers={"Authorization": f"Bearer {text}"})

    return call


@pytest.mark.parametrize("name", ANSWERS)
def test_each_report_answers(ask, name):
    answer = ask("get", name)
    assert (answer.status_code, answer.json()["report"], answer.json()["ok"]) == (200, name, True)


@pytest.mark.parametrize("name", ANSWERS)
def test_nobody_is_answered_without_a_token(client, db, name):
    assert client.get(f"/api/v1/finance/{name}").status_code == 401


def test_any_day_and_any_months(ask):
    assert ask("get", "liability?at=2025-01-20").json()["points"] == 153
    told = ask("get", "movements?since=2025-01&until=2025-02").json()["months"]
    assert [m["table"]["closing"]["points"] for m in told] == [153, 563]
    for wrong in ("liability?at=soon", "liability?at=0001-01-01", "movements?since=2025-1", "movements?since=2025-03&until=2025-02", "entries?month=x"):  # fmt: skip
        assert ask("get", wrong).status_code == 400, wrong


def test_a_month_is_closed_once_with_a_token_that_may_write(ask):
    assert ask("post", "close?month=2025-01").status_code == 403
    first = ask("post", "close?month=2025-01", write=True)
    assert first.status_code == 200
    assert ask("post", "close?month=2025-01", write=True).json() == first.json()
    refused = ask("post", "close?month=2025-05", write=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot_close")
    assert ask("get", "entries?month=2024-12").json()["code"] == "not_in_the_books"
    assert ask("get", "entries?month=2025-01").json()["digest"] == first.json()["digest"]
    assert ClosedMonth.objects.count() == 1
