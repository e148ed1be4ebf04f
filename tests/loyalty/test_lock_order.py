"""Wallets are locked in one order, whoever asks: two callers who want the same two never wait for each other."""

import os
import re

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from shuke.flows.merge_members import merge
from shuke.loyalty.actions import Ask, ask
from shuke.loyalty.actions.settling import lock_heads
from tests import cast
from tests.loyalty.books import NOW, member, order, take
from tests.loyalty.friends import open_shop

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="on SQLite the transaction itself is the lock"),
]


@pytest.fixture
def shop():
    merchant = cast.lan().merchant
    open_shop(merchant)
    return merchant


def of_wallets(seen: CaptureQueriesContext) -> list[str]:
    """ "make 7", "lock 7 8", "let go", as they came."""
    told = []
    for sql in (q["sql"] for q in seen):
        if 'INTO "loyalty_wallet"' in sql:
            told.append("make")
        elif "FOR NO KEY UPDATE OF w" in sql:
            told.append("lock " + " ".join(re.findall(r"\d{15,}", sql.split("w.member_id", 3)[-1])))
        elif sql.startswith("ROLLBACK TO SAVEPOINT"):
            told.append("let go")
    return told


@pytest.mark.parametrize("lock", ["lock_heads", "ask"])
def test_wallets_are_made_before_any_is_locked(shop, lock):
    """Whoever locked those that are there, and then made the missing one, held it after a later number: a second caller who
    saw the new one took it first and waited for the others, and both waited for ever."""
    new, old = member(shop, 1), member(shop, 2)
    take(shop, old, order("b", 20, 150))
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        if lock == "ask":
            ask(merchant=shop, asks=[Ask(str(m), "adjust", m, 5) for m in (new, old)], now=NOW, actor="x")
        else:
            assert sorted(lock_heads(shop, [new, old])) == [new, old]
    assert of_wallets(seen)[:2] == ["make", f"lock {new} {old}"]
    assert of_wallets(seen).count("make") == 1


def test_who_is_asked_under_a_merged_number_is_locked_after_the_one_who_lives_on(shop):
    """Their wallet has the earlier number; holding the later one while waiting for it would be the wrong way round."""
    lives_on, gone = member(shop, 1), member(shop, 2)
    for who in (lives_on, gone):
        take(shop, who, order(f"b{who}", 20, 150))
    merge(merchant=shop, survivor_id=lives_on, absorbed_id=gone, reason="same", now=NOW, actor="x")
    with CaptureQueriesContext(connection) as seen:
        [told] = ask(merchant=shop, asks=[Ask("k", "adjust", gone, 5)], now=NOW, actor="x")
    assert told.done
    assert of_wallets(seen)[:3] == [f"lock {gone}", "let go", f"lock {lives_on} {gone}"]
