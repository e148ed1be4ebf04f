"""T4 for everything a till can ask: the answer got lost, so the request is sent again. It was done once, and says what it said."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connections

from shuke.doors.api.urls import api
from shuke.loyalty import queries
from tests.doors.api.test_examples import examples
from tests.trust import SEED, SOAK
from tests.trust.deeds import DEEDS, Deed, EveryTill
from tests.trust.rows import rows
from tests.trust.shop import LATER

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def the_answer_lost(nth: int):
    """The nth commit is done, and before anybody hears of it the connection is gone."""
    wrapper, seen = connections["default"], []
    commit = wrapper._commit

    def commits():
        commit()
        seen.append(1)
        if len(seen) == nth:
            wrapper.close_if_unusable_or_obsolete()
            raise OperationalError("the connection was lost")

    wrapper._commit = commits
    try:
        yield seen
    finally:
        del wrapper._commit


def every_answer_gets_lost_once(till: EveryTill, deed: Deed) -> list[str]:
    wrong, n = [], 1
    while not wrong:
        send = till.make_ready(deed, f"{deed.name.replace(' ', '-')}-lost-{n}")
        with the_answer_lost(n) as commits:
            status, told = send()
        if len(commits) < n:
            return wrong if n > 1 else [f"{deed.name}: nothing was committed"]
        if (status, told.get("code")) != (503, "no_database"):
            wrong.append(f"{deed.name}, commit {n}: {status} {told}")
        status, first = send()
        after = rows()
        again = send()
        if status != 200 or again[0] != 200 or (deed.again == "answer" and _plain(again[1]) != _plain(first)):
            wrong.append(f"{deed.name}, commit {n}: {status} {first}, then {again}")
        if rows() != after:
            wrong.append(f"{deed.name}, commit {n}: it was written again")
        n += 1
    return wrong


def test_what_was_done_and_not_heard_of_is_answered_when_it_is_asked_again(monkeypatch):
    monkeypatch.setattr("shuke.kit.clock.utc_now", lambda: LATER)
    till, wrong = EveryTill(), []
    for deed in DEEDS if SOAK else DEEDS[SEED % 6 :: 6]:
        wrong += every_answer_gets_lost_once(till, deed)
    assert not wrong, "\n".join(wrong)
    assert queries.verify(till.merchant).findings == []
    connections.close_all()


# Writes of the API that are not done above: where it is tested what they answer when they are sent again, or why they may.
ELSEWHERE = {
    "charter/publish": "tests/doors/api/test_charter_api.py",
    "charter/versions/*/withdraw": "tests/doors/api/test_charter_api.py",
    "charter/simulate": "writes no book: each is one more simulation, gone in a week",
    "charter/validate": "writes nothing",
    "checkout/price": "writes nothing",
    "finance/close": "tests/doors/api/test_finance.py",
    "gift-cards/balance": "writes only that a code was wrong",
    "gift-orders/*/*": "above, deed by deed",
    "insight/costs": "says how things are: the same again is the same",
    "insight/goods/marks": "says how things are: the same again is the same",
    "members/*/coalition": "tests/doors/api/test_coalition.py",
    "members/*/coalition/code": "tests/doors/api/test_coalition.py",
    "members/*/coalition/leave": "tests/doors/api/test_coalition.py",
    "members/*/coalition/return": "tests/doors/api/test_coalition.py",
    "members/*/coalition/spend": "tests/doors/api/test_coalition.py",
    "members/*/partner-cards": "tests/doors/api/test_partner_cards.py",
    "members/*/partner-cards/*/end": "tests/doors/api/test_partner_cards.py",
    "members/*/points/reinstate": "one of points' requests, which answer alike: tests/doors/api/test_points.py",
    "partner-cards/*/spendings": "tests/doors/api/test_partner_cards.py",
}


def test_no_write_of_the_api_is_forgotten():
    known = {re.sub(r"\{\w+\}", "*", deed.path) for deed in DEEDS} | set(ELSEWHERE)
    told = {
        re.sub(r"\{[\w:]+\}", "*", path.removeprefix("/api/v1/"))
        for path, ways in api.get_openapi_schema()["paths"].items()
        if set(ways) - {"get"}
    }
    life = {re.sub(r"<[a-z-]+>", "1", one.path.partition("?")[0])[1:] for one in examples() if one.status == 200}
    untold = {path for path in told - known if not any(re.fullmatch(path.replace("*", "[^/]+"), one) for one in life)}
    assert untold == set()  # docs/api-examples.md is sent again line by line: tests/doors/api/test_examples.py
    assert set(ELSEWHERE) <= told


def _plain(told):
    return told | {"replayed": None} if isinstance(told, dict) else told


def test_what_was_done_is_not_done_twice(monkeypatch):
    """Sent again a minute later: what is compared with the first request may not come from the clock. (An order said again later is
    the same order, stated later.)"""
    clock = [LATER]
    monkeypatch.setattr("shuke.kit.clock.utc_now", lambda: clock[0])
    till, wrong = EveryTill(), []
    for deed in DEEDS:
        send = till.make_ready(deed, deed.name.replace(" ", "-"))
        before = rows()
        status, told = send()
        after = rows()
        clock[0] += timedelta(minutes=deed.again == "answer")
        if status != 200 or after == before:
            wrong.append(f"{deed.name}: {status} {told}")
        status, again = send()
        if status != 200 or (deed.again == "answer" and _plain(again) != _plain(told)):
            wrong.append(f"{deed.name}: {told}, then {status} {again}")
        if rows() != after:
            wrong.append(f"{deed.name}: it was written again")
    assert not wrong, "\n".join(wrong)
    assert queries.verify(till.merchant).findings == []
    connections.close_all()
