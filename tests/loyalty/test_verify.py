"""`ledger verify` must find what a hand in the database did. Triggers are taken away first, as a thief would."""

import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shuke.loyalty import actions, queries
from shuke.loyalty.models import Entry, Lot, Seal, Txn, Use, Wallet
from shuke.loyalty.queries import chain
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
    "a leg's amount": ("UPDATE loyalty_entry SET amount = amount + 7 WHERE account = 'issued'", "I1 I3 I18"),
    "a leg's account": ("UPDATE loyalty_entry SET account = 'transferred' WHERE account = 'spent'", "I16 I17 I18"),
    "a leg that left the shop": ("UPDATE loyalty_entry SET account = 'settlement' WHERE account = 'spent'", "I16 I17"),
    "a leg of nobody": ("UPDATE loyalty_entry SET member_id = member_id + 1 WHERE seq = 1", "I2 I14 I18"),
    "a leg's number": ("UPDATE loyalty_entry SET seq = 9 WHERE seq = 2", "I14 I17"),
    "both legs of a posting": (
        "UPDATE loyalty_entry SET amount = amount + CASE WHEN account = 'member' THEN 7 ELSE -7 END "
        "WHERE txn_id = (SELECT MIN(txn_id) FROM loyalty_entry)",
        "I2",
    ),
    "a balance": ("UPDATE loyalty_wallet SET balance = balance + 7", "I2 I6"),
    "a wallet's count of legs": ("UPDATE loyalty_wallet SET seq = seq + 1", "I14"),
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
def test_verify_names_the_invariants_that_were_broken(books, what):
    sql, invariants = TAMPERINGS[what]
    _without_triggers()
    _sql(sql)
    found = {f.invariant for f in queries.verify(books).findings}
    assert found >= set(invariants.split())


def test_legs_of_a_debt_have_a_running_balance_of_their_own(lan):
    publish(lan.merchant)
    owing, day = member(lan.merchant), timedelta(days=1)
    take(lan.merchant, owing, order("a", 1, 900), now=START + 5 * day)
    ask = actions.Ask("k", "burn", owing, 890)
    assert actions.ask(merchant=lan.merchant, asks=[ask], now=START + 40 * day, actor="till")[0].done
    for n in (1, 2):
        take(lan.merchant, owing, refund(f"R{n}", "a", 40 + n, 300), now=START + (50 + n) * day)
    take(lan.merchant, owing, order("b", 60, 100), now=START + 65 * day)
    assert Entry.objects.filter(account="debt").count() == 3
    assert queries.verify(lan.merchant).findings == []
    _without_triggers()
    _sql("UPDATE loyalty_entry SET balance_after = balance_after + 1 WHERE account = 'debt' AND amount > 0")
    assert {f.invariant for f in queries.verify(lan.merchant).findings} >= {"I14"}


def test_what_one_query_finds_is_told_to_each_question_in_its_own_words(books):
    _without_triggers()
    _sql("UPDATE loyalty_wallet SET balance = balance + 7, seq = seq + 2")
    told = [f.problem for f in queries.verify(books).findings]
    [wallet] = Wallet.objects.all()
    assert f"member {wallet.pk}: balance {wallet.balance} but legs {wallet.balance - 7}; debt 0 but legs 0" in told
    assert f"member {wallet.pk}: {wallet.seq} legs by the wallet, {wallet.seq - 2} found" in told


@pytest.mark.parametrize("moment", ["2025-03-01 04:05:06.000007", "1969-12-31 23:59:58.25", "1931-01-01 00:00:00"])
def test_the_chain_tells_a_moment_alike_on_every_engine(books, moment):
    _without_triggers()
    zone = "+00" if connection.vendor == "postgresql" else ""
    _sql(f"UPDATE loyalty_txn SET at = '{moment}{zone}' WHERE kind = 'burn'")
    txn = Txn.objects.get(kind="burn")
    lines = [line for line in chain.content_of(books, txn.seal, None, None) if line.startswith(f"t|{txn.pk}|")]
    assert lines == [f"t|{txn.pk}|{txn.key}|burn|{txn.member_id}|{txn.at.timestamp():.6f}|[]"]


MARKS = '"{}[]:, \\\nab0-1é'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(MARKS, max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(MARKS, max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=40)
@given(
    st.lists(st.dictionaries(st.sampled_from(("a", "ab", "b", "b,", '"', "é")), VALUES, max_size=3), max_size=3)
    | VALUES,
    st.sampled_from([(",", ":"), (", ", ": ")]),
    st.booleans(),
)
@example(
    [{"rule": "base", "base": 21153, "points": "211.53"}, {"rule": "rounding", "points": "-0.53"}], (", ", ": "), True
)
@example([{"b": "x},{y", "a": [{"z": 1}, {"c": 2}]}, {"b": "x,", "a": ":y"}], (",", ":"), True)
def test_the_chain_reads_a_reason_alike_however_it_is_spelt(why, separators, ascii_only):
    spelt = json.dumps(why, separators=separators, ensure_ascii=ascii_only)
    assert chain._text(spelt) == json.dumps(why, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


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
