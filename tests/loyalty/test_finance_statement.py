"""A member's statement for any time adds up to what the member had."""

from datetime import timedelta
from itertools import pairwise

import pytest

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask
from shuke.loyalty.models import Wallet
from shuke.loyalty.queries import as_of
from shuke.loyalty.queries.statements import member_statement
from tests.loyalty.books import NOW, START, member, order, publish, refund, take
from tests.loyalty.test_finance_as_of import lived, midnights, vanish

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", range(4))
def test_statements_follow_on_each_other_and_end_where_the_books_do(lan, seed):
    buyers = lived(lan, seed)
    marks = sorted({START - timedelta(days=1), *midnights(lan, seed)})
    for at in marks:
        told = as_of.as_of(lan.merchant, at)
        statements = [member_statement(lan.merchant, buyer, START - timedelta(days=1), at) for buyer in buyers]
        assert sum(s.closing for s in statements) == told.points + told.lapsed_unbooked - told.debt, at
        assert sum(s.owed for s in statements) == told.debt
        for one in statements:
            assert one.opening == 0
            assert one.closing == sum(line.amount for line in one.lines) == sum(lot.left for lot in one.lots) - one.owed
    for buyer in buyers:
        for (since, until), (_, later) in pairwise(pairwise(marks)):
            first, second = member_statement(lan.merchant, buyer, since, until), member_statement(lan.merchant, buyer, until, later)  # fmt: skip
            assert first.closing == second.opening
            assert first.opening + sum(first.totals.values()) == first.closing
        wallet = Wallet.objects.get(member=buyer)
        assert (
            member_statement(lan.merchant, buyer, marks[0], NOW + timedelta(days=1)).closing
            == wallet.balance - wallet.debt
        )
    assert queries.verify(lan.merchant).findings == []


def test_each_line_says_what_it_was_and_what_became_of_it(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 10, 100), order("b", 20, 60))
    actions.ask(merchant=lan.merchant, asks=[Ask("k", "burn", buyer, 30)], now=START + timedelta(days=30), actor="till")
    take(lan.merchant, buyer, refund("r", "a", 34, 50))
    vanish(lan, "b", NOW)
    told = member_statement(lan.merchant, buyer, START, START + timedelta(days=40))
    assert [(line.kind, line.amount, line.balance, line.was) for line in told.lines] == [
        ("earn", 153, 153, None),
        ("cancelled", 0, 153, 80),
        ("burn", -30, 123, None),
        ("refund", -67, 56, None),
    ]
    assert [(lot.event.split(":")[-1], lot.granted, lot.left) for lot in told.lots] == [("a", 153, 56)]
    assert told.totals == {"earn": 153, "cancelled": 0, "burn": -30, "refund": -67}


def test_a_statement_knows_no_other_member_and_no_later_event(lan):
    publish(lan.merchant)
    one, other = member(lan.merchant, 1), member(lan.merchant, 2)
    take(lan.merchant, one, order("a", 10, 100))
    take(lan.merchant, other, order("b", 12, 500))
    told = member_statement(lan.merchant, one, START, START + timedelta(days=10))
    assert (told.lines, told.closing, told.lots) == ([], 0, [])
    assert member_statement(lan.merchant, one, START, NOW).lines[0].event == "order:taobao:兰记护肤:a"
