"""Consent: every statement is kept as proof, and the latest holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.members import queries
from shuke.members.actions import Statement, consent, recognise
from shuke.members.models import Consent
from shuke.shops.models import Merchant
from tests.cast import NOON
from tests.members.people import nick, person


def member_of(merchant):
    return recognise(merchant=merchant, people=[person(nick("甲"))], now=NOON)[0].member_id


def say(merchant, member, granted, days_ago, **more):
    told = Statement(member, "sms", "promotion", granted, NOON - timedelta(days=days_ago), "counter", **more)
    return consent(merchant=merchant, statements=[told], now=NOON)


def held(merchant, member):
    return {key: row.granted for key, row in queries.current_consents(merchant, member).items()}


def test_the_latest_statement_holds_and_an_older_one_that_comes_later_takes_its_place_in_time(lan):
    member = member_of(lan.merchant)
    say(lan.merchant, member, False, 3)
    say(lan.merchant, member, True, 9, wording="2026-01", evidence="signed form 7")
    assert held(lan.merchant, member) == {("sms", "promotion"): False}
    oldest = Consent.objects.order_by("at").first()
    assert (oldest.granted, oldest.wording, oldest.evidence, oldest.source) == (
        True,
        "2026-01",
        "signed form 7",
        "counter",
    )


def test_the_same_statement_again_adds_nothing(lan):
    member = member_of(lan.merchant)
    assert [say(lan.merchant, member, True, 3), say(lan.merchant, member, True, 3)] == [1, 0]


def test_a_file_without_moments_adds_a_line_only_where_something_changes(lan):
    people = [person(nick("甲"), consents=(("sms", "promotion", True), ("email", "care", False)))]
    for days in range(3):
        recognise(merchant=lan.merchant, people=people, now=NOON + timedelta(days=days))
    assert Consent.objects.count() == 2
    recognise(
        merchant=lan.merchant,
        people=[person(nick("甲"), consents=(("sms", "promotion", False),))],
        now=NOON + timedelta(days=9),
    )
    (member,) = set(Consent.objects.values_list("member_id", flat=True))
    assert held(lan.merchant, member) == {("sms", "promotion"): False, ("email", "care"): False}


@pytest.mark.django_db
@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(min_value=1, max_value=50)),
        min_size=1,
        max_size=6,
        unique_by=lambda s: s[1],
    ),
    st.randoms(),
)
def test_what_holds_does_not_depend_on_the_order_statements_come_in(statements, chance):
    mixed = list(statements)
    chance.shuffle(mixed)
    outcomes = []
    for order in (statements, mixed):
        merchant = Merchant.objects.create(name="order", created_at=NOON)
        member = member_of(merchant)
        for granted, days in order:
            say(merchant, member, granted, days)
        outcomes.append(
            (
                held(merchant, member),
                list(Consent.objects.filter(merchant=merchant).order_by("at").values_list("at", "granted")),
            )
        )
    assert outcomes[0] == outcomes[1]
