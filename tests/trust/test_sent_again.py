"""T4 for everything a till can ask: the answer got lost, so the request is sent again. It was done once, and says what it said."""

from __future__ import annotations

import pytest
from django.db import connections

from shuke.loyalty import queries
from tests.trust.deeds import DEEDS, EveryTill
from tests.trust.rows import rows
from tests.trust.shop import LATER

pytestmark = pytest.mark.django_db(transaction=True)


def _plain(told):
    return told | {"replayed": None} if isinstance(told, dict) else told


def test_what_was_done_is_not_done_twice(monkeypatch):
    monkeypatch.setattr("shuke.kit.clock.utc_now", lambda: LATER)
    till, wrong = EveryTill(), []
    for deed in DEEDS:
        send = till.make_ready(deed, deed.name.replace(" ", "-"))
        before = rows()
        status, told = send()
        after = rows()
        if status != 200 or after == before:
            wrong.append(f"{deed.name}: {status} {told}")
        if not deed.again:
            continue
        status, again = send()
        if status != 200 or (deed.again == "answer" and _plain(again) != _plain(told)):
            wrong.append(f"{deed.name}: {told}, then {status} {again}")
        if rows() != after:
            wrong.append(f"{deed.name}: it was written again")
    assert not wrong, "\n".join(wrong)
    assert queries.verify(till.merchant).findings == []
    connections.close_all()
