"""`ledger verify` must find what a hand in the database did. Triggers are taken away first, as a thief would."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from shuke.loyalty import actions, queries
from shuke.loyalty.models import Entry, Lot, Seal, Txn, Use, Wallet
from tests.loyalty.books import NOW, START, member, order, publish, refund, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 900), order("b", 60, 90), refund("R", "b", 70, 30))
    actions.ask(
        merchant=lan.merchant, asks=[actions.Ask("k", "burn", buyer, 50)], now=START + timedelta(days=71), actor="till"
    )
    actions.run_clock(merchant=lan.merchant, now=NOW)
    actions.seal(merchant=lan.merchant, now=NOW)
    assert queries.verify(lan.merchant).findings == []
    return lan.merchant


@pytest.mark.parametrize(
    "change",
    [
        lambda: Txn.objects.first().delete(),
        lambda: Entry.objects.all().delete(),
        lambda: Entry.objects.update(amount=1),
        lambda: Use.objects.update(amount=1),
        lambda: Txn.objects.update(at=NOW),
        lambda: Seal.objects.update(count=9),
    ],
)
def test_the_database_refuses_to_change_what_is_booked(books, change):
    with pytest.raises(DatabaseError), transaction.atomic():
        change()


def _without_triggers() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'loyalty%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")


def _sql(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


TAMPERINGS = {
    "a leg's amount": ("UPDATE loyalty_entry SET amount = amount + 7 WHERE account = 'issued'", "I1"),
    "both legs of a posting": (
        "UPDATE loyalty_entry SET amount = amount + CASE WHEN account = 'member' THEN 7 ELSE -7 END "
        "WHERE txn_id = (SELECT MIN(txn_id) FROM loyalty_entry)",
        "I2",
    ),
    "a balance": ("UPDATE loyalty_wallet SET balance = balance + 7", "I6"),
    "a debt": ("UPDATE loyalty_wallet SET debt = debt + 7 WHERE balance = 0", "I2"),
    "a lot's remainder": ("UPDATE loyalty_lot SET remaining = remaining + 1 WHERE remaining < granted", "I5"),
    "a lot's grant": ("UPDATE loyalty_lot SET granted = granted + 7", "I5"),
    "a lot's expiry": ("UPDATE loyalty_lot SET expires_at = '2030-01-01 00:00:00+00'", "I10"),
    "a deleted leg": ("DELETE FROM loyalty_entry WHERE seq = 2", "I14"),
    "a deleted use": ("DELETE FROM loyalty_use WHERE kind = 'burn'", "I5"),
    "a changed reason": ("UPDATE loyalty_txn SET why = '[]' WHERE kind = 'earn'", "I17"),
    "a running balance": ("UPDATE loyalty_entry SET balance_after = balance_after + 1 WHERE seq = 1", "I14"),
    "a posting's key": ("UPDATE loyalty_txn SET key = key || 'x' WHERE kind = 'burn'", "I17"),
    "a posting's moment": ("UPDATE loyalty_txn SET at = '2025-02-01 00:00:00+00' WHERE kind = 'burn'", "I17"),
    "a link of the chain": ("UPDATE loyalty_seal SET previous = digest", "I17"),
    "a seal": ("UPDATE loyalty_seal SET digest = previous", "I17"),
    "growth value": ("UPDATE loyalty_wallet SET growth = growth + 7", "I19"),
    "a changed order": ("UPDATE orders_order SET paid_minor = paid_minor * 2 WHERE number = 'a'", "I11"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_verify_names_the_invariant_that_was_broken(books, what):
    sql, invariant = TAMPERINGS[what]
    _without_triggers()
    _sql(sql)
    found = {f.invariant for f in queries.verify(books).findings}
    assert invariant in found


def test_missing_triggers_are_a_finding(books):
    if connection.vendor == "postgresql":
        _sql("SET CONSTRAINTS ALL IMMEDIATE")
        _sql("ALTER TABLE loyalty_entry DISABLE TRIGGER loyalty_entry_append_only")
    else:
        _sql("DROP TRIGGER loyalty_entry_no_update")
    assert [f.invariant for f in queries.verify(books).findings] == ["I13"]


def test_constraints_refuse_a_negative_lot_and_points_beside_debt(books):
    for change in (
        lambda: Lot.objects.update(remaining=-1),
        lambda: Lot.objects.update(held=10**6),
        lambda: Wallet.objects.update(balance=10, debt=10),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
