"""A look at what was booked since the last one: it sees what is wrong with it, remembers, and everything is looked at weekly."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from shuke.loyalty import actions, queries
from shuke.loyalty.models import Seal, Verification
from shuke.loyalty.queries import verify_recent
from tests.loyalty.books import NOW, START, member, order, publish, take
from tests.loyalty.test_verify import _without_triggers

pytestmark = pytest.mark.django_db
LATER = START + timedelta(days=100)


@pytest.fixture
def shop(lan):
    """Ann's books were looked at; Bo has bought since."""
    publish(lan.merchant)
    ann, bo = member(lan.merchant, 1), member(lan.merchant, 2)
    take(lan.merchant, ann, order("a", 1, 900))
    actions.seal(merchant=lan.merchant, now=NOW)
    told = look(lan.merchant)
    assert (told.row.whole, told.row.ok, told.row.seal, told.row.members) == (True, True, 1, 1)
    take(lan.merchant, bo, order("b", 2, 500))
    ask = actions.Ask("s", "burn", bo, 50)
    assert actions.ask(merchant=lan.merchant, asks=[ask], now=LATER, actor="till")[0].done
    return lan.merchant, ann, bo


def look(merchant, now=NOW, **more):
    return actions.verify_books(merchant=merchant, now=now, **more)


def sql(text: str) -> None:
    _without_triggers()
    with connection.cursor() as cursor:
        cursor.execute(text)


@pytest.mark.parametrize("sealed", [True, False])
def test_only_what_was_booked_since_is_looked_at(shop, sealed):
    merchant, *_ = shop
    if sealed:
        actions.seal(merchant=merchant, now=NOW)
    told = look(merchant)
    assert (told.row.whole, told.row.ok, told.row.members, told.row.seal) == (False, True, 1, 1 + sealed)
    assert told.report.figures == {"members": 1, "seal": int(sealed)}
    again = look(merchant)
    assert (again.row.whole, again.row.members) == (False, 0 if sealed else 1)
    assert queries.last_verification(merchant) == again.row


def test_everything_once_a_week_or_when_asked_or_when_the_last_look_found_something(shop):
    merchant, _, bo = shop
    assert not look(merchant).row.whole
    assert look(merchant, whole=True).row.whole
    assert not look(merchant, now=NOW + timedelta(days=6)).row.whole
    assert look(merchant, now=NOW + timedelta(days=7)).row.whole
    sql(f"UPDATE loyalty_wallet SET growth = growth + 7 WHERE member_id = {bo}")
    told = look(merchant, now=NOW + timedelta(days=8))
    assert not told.row.whole
    assert {row[0] for row in told.row.findings} >= {"I19"}
    assert look(merchant, now=NOW + timedelta(days=9)).row.whole


TAMPERINGS = {
    "a leg": ("UPDATE loyalty_entry SET amount = amount + 7 WHERE account = 'spent'", "I1"),
    "a balance": ("UPDATE loyalty_wallet SET balance = balance + 7 WHERE member_id = {bo}", "I2"),
    "a lot": ("UPDATE loyalty_lot SET granted = granted + 7, remaining = remaining + 7 WHERE member_id = {bo}", "I11"),
    "a use": ("DELETE FROM loyalty_use WHERE kind = 'burn'", "I5"),
    "a number": ("UPDATE loyalty_entry SET seq = seq + 5 WHERE member_id = {bo}", "I14"),
    "growth value": ("UPDATE loyalty_wallet SET growth = growth + 7 WHERE member_id = {bo}", "I19"),
    "an order": ("UPDATE orders_order SET paid_minor = 2 * paid_minor, net_minor = 2 * net_minor WHERE number = 'b'", "I11"),
    "a new link": ("UPDATE loyalty_txn SET actor = actor, why = '[]' WHERE kind = 'earn' AND seal = 2", "I17"),
    "the link that was right": ("UPDATE loyalty_seal SET digest = previous WHERE number = 1", "I17"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_is_wrong_with_it_is_named(shop, what):
    merchant, _, bo = shop
    actions.seal(merchant=merchant, now=NOW)
    text, invariant = TAMPERINGS[what]
    sql(text.format(bo=bo))
    told = look(merchant)
    assert not told.row.whole
    assert invariant in {found.invariant for found in told.report.findings}
    assert not told.row.ok


def test_what_was_changed_behind_others_shows_in_the_whole(shop):
    merchant, ann, _ = shop
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE loyalty_wallet SET growth = growth + 7 WHERE member_id = {ann}")
    assert look(merchant).row.ok
    assert {found.invariant for found in look(merchant, whole=True).report.findings} == {"I19"}


def test_a_posting_that_was_written_late_is_looked_at_however_old_its_id(shop):
    """It took longer than the seals that passed it: the next seal begins with it."""
    merchant, ann, bo = shop
    actions.seal(merchant=merchant, now=NOW)
    first = Seal.objects.get(merchant=merchant, number=2).first_id
    _without_triggers()
    with connection.cursor() as cursor:  # as if ann's first posting were only sealed now
        cursor.execute("UPDATE loyalty_txn SET seal = 2 WHERE seal = 1")
        cursor.execute(f"UPDATE loyalty_seal SET first_id = {first - 10**15} WHERE number = 2")
    assert verify_recent._since(merchant, 1)[1] == sorted([ann, bo])


def test_so_much_that_everything_is_sooner_looked_at(shop, monkeypatch):
    merchant, *_ = shop
    monkeypatch.setattr(verify_recent, "MOST_MEMBERS", 0)
    assert look(merchant, whole=False).row.whole


def test_without_an_earlier_look_everything_is_looked_at(lan):
    assert look(lan.merchant, whole=False).row.whole
    assert Verification.objects.get().seal == 0
