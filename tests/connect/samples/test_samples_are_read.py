"""Whoever downloads an example file and sends it in gets exactly what stands in it, without a word of complaint."""

from __future__ import annotations

from datetime import datetime

import pytest

from shuke.connect import importers
from shuke.connect.samples import layouts
from shuke.engine.facts import IdentityKind, Order, Person, Problem, Refund

AT = datetime(2026, 1, 1, 12)
ABROAD = ("shopify-orders", "shopify-customers", "woocommerce-orders")
KEY_OF = {
    "youzan-customers": IdentityKind.PHONE,
    "shopify-customers": IdentityKind.EMAIL,
    "plain-members": IdentityKind.CARD,
}


def named(fact: object, key: str) -> str:
    if isinstance(fact, Order | Refund):
        return fact.number
    assert isinstance(fact, Person)
    return next(claim.value for claim in fact.claims if claim.kind == KEY_OF[key]).removeprefix("+86")


@pytest.mark.parametrize("layout", layouts.CATALOGUE, ids=lambda layout: layout.key)
def test_a_sample_comes_in_whole(layout, tmp_path):
    made = layouts.write(tmp_path, layout.key, at=AT, count=24)
    options = importers.Options(currency="USD" if layout.key in ABROAD else "CNY")
    read = list(importers.read([made.path], options=options))
    assert [fact for fact in read if isinstance(fact, Problem) and fact.reject] == []
    known = [fact for fact in read if not isinstance(fact, Problem)]
    assert sorted(named(fact, layout.key) for fact in known) == sorted(made.numbers)
    if made.paid:
        told = {fact.number: fact.paid_minor or 0 for fact in known if isinstance(fact, Order)}
        assert told == dict(zip(made.numbers, made.paid, strict=True))
        paid_with = {fact.number: fact.tenders for fact in known if isinstance(fact, Order)}
        assert paid_with == dict(zip(made.numbers, made.tenders, strict=True))


@pytest.mark.parametrize("layout", layouts.CATALOGUE, ids=lambda layout: layout.key)
def test_a_sample_is_recognised_for_what_it_is(layout, tmp_path):
    made = layouts.write(tmp_path, layout.key, at=AT)
    found = importers.recognise_file(made.path)
    platform, what = layout.key.split("-")[:2]
    expected = {"members": "customers", "simple": "orders"}.get(what, what)
    assert found.layout == f"{platform}.{expected}"
