"""The made-up shop's files, read by the importers and put together, tell exactly what really happened."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shuke.connect import importers
from shuke.connect.samples.taobao_shop import Truth, make
from shuke.engine import facts
from shuke.flows.demo.histories import COUNTER_LIST, COUNTER_MAPPING
from shuke.orders import merging

Shop = tuple[Path, Truth]


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    return folder, make(folder, seed=11, end=datetime(2026, 1, 1), buyers=150)


def read(folder: Path, name: str, **options) -> list:
    made_at = datetime.fromtimestamp((folder / name).stat().st_mtime, UTC)
    return list(importers.read([folder / name], options=importers.Options(stated_at=made_at, **options)))


def taobao_files(truth: Truth) -> list[str]:
    return [name for name in truth.files if "有赞" not in name and name != COUNTER_LIST]


@pytest.mark.parametrize("order", [1, -1], ids=["as exported", "last export first"])
def test_all_reports_together_tell_the_truth_in_whatever_order_they_are_read(shop, order):
    folder, truth = shop
    known: dict[str, merging.Known] = {}
    documents: Counter[str] = Counter()
    for name in taobao_files(truth)[::order]:
        for fact in read(folder, name):
            if isinstance(fact, facts.Order):
                _, lines = merging.digest_of(fact)
                one = merging.stated(fact, lines, None, None)
                known[fact.number] = merging.merged(known[fact.number], one) if fact.number in known else one
            elif isinstance(fact, facts.Refund) and fact.done:
                documents[fact.order_number] += fact.amount_minor
    told = {}
    for number, one in known.items():
        row = merging.drawn(one, documents[number])
        excluded = one.values[merging.FIELDS.index("excluded")] or ""
        told[number] = (
            row.status,
            row.paid_at,
            row.paid_minor,
            row.refunded_minor,
            row.net_minor,
            excluded,
            one.sums.count,
        )
    assert told == {
        order.number: (
            int(order.status),
            order.paid_at,
            order.paid_minor,
            order.refunded_minor,
            0 if order.excluded else order.net_minor,
            order.excluded,
            order.line_count,
        )
        for order in truth.orders
        if order.platform == "taobao"
    }


def test_exactly_the_rows_that_must_not_get_in_are_turned_down(shop):
    folder, truth = shop
    rejected = {
        (name, problem.row)
        for name in taobao_files(truth)
        for problem in read(folder, name)
        if isinstance(problem, facts.Problem) and (problem.reject or problem.code == "totals_row")
    }
    assert rejected == {(reject.file, reject.row) for reject in truth.rejects}


def test_the_accounts_claimed_are_the_accounts_shown_and_no_masked_one(shop):
    folder, truth = shop
    claimed = set()
    for name in taobao_files(truth):
        for fact in read(folder, name):
            if isinstance(fact, facts.Order) and fact.person:
                claimed |= {c.value for c in fact.person.claims if c.kind == facts.IdentityKind.NICKNAME}
                assert all(claim.kind != facts.IdentityKind.PHONE for claim in fact.person.claims)
    assert claimed == truth.shown_names


def test_the_counter_list_brings_cards_accounts_phones_attributes_and_consent(shop):
    folder, truth = shop
    people = {
        claim.value: person
        for person in read(folder, COUNTER_LIST, mapping=COUNTER_MAPPING)
        if isinstance(person, facts.Person)
        for claim in person.claims
        if claim.kind == facts.IdentityKind.CARD
    }
    assert people.keys() == {person.card for person in truth.people if person.card}
    for true in truth.people:
        if not true.card:
            continue
        told = people[true.card]
        expected = [facts.Claim(facts.IdentityKind.CARD, true.card)]
        if true.told_account:
            expected.append(facts.Claim(facts.IdentityKind.NICKNAME, true.accounts[0][-1], "taobao"))
        expected.append(facts.Claim(facts.IdentityKind.PHONE, "+86" + true.phone, "", True))
        assert told.claims == tuple(expected)
        assert told.birthday is not None
        assert [consent[:2] for consent in told.consents] == [("sms", "promotion")]
    assert any(dict(person.attributes).get("child_birthday") for person in people.values())
