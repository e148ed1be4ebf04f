"""Whether the books are right, where the owner sees it."""

from __future__ import annotations

import re

import pytest

from shuke.loyalty.actions.verifying import verify_books
from shuke.loyalty.models import Wallet
from tests.loyalty.books import NOW, member, order, publish, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def sold(lan):
    publish(lan.merchant)
    pk = member(lan.merchant)
    take(lan.merchant, pk, order("a", 10, 100))
    return pk


def page(see, lan, path, language="en"):
    answer = see(lan.auditor, language).get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_books_that_are_right_are_said_so_on_the_finance_page(see, lan, sold):
    assert "/finance/books" not in page(see, lan, "/finance")  # nobody has looked
    assert "shuke ledger verify" in page(see, lan, "/finance/books")
    verify_books(merchant=lan.merchant, now=NOW)
    (line,) = re.findall(r'finance/books">(.*?)</a>', page(see, lan, "/finance"))
    assert line == "Books checked on 2026-06-01 12:00: right"
    assert "Everything that was looked at is right." in page(see, lan, "/finance/books")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_what_does_not_agree_is_told_with_what_to_do(see, lan, sold, language):
    Wallet.objects.filter(member_id=sold).update(balance=999)
    found = verify_books(merchant=lan.merchant, now=NOW).report.findings
    assert found
    said = page(see, lan, "/finance/books", language)
    assert ("Balances and what was booked do not add up" in said) == (language == "en")
    assert all(one.invariant in said for one in found)
    assert "shuke ledger verify" in said
    assert f"{len(found)} " in page(see, lan, "/finance", language)


def test_an_assistant_does_not_see_it(see, lan, sold):
    assert see(lan.assistant).get("/finance/books").status_code == 403
