"""Shorthand for tests of arrival: buyers that orders name, and what a merchant looks like when everything has come in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shuke.engine import facts
from shuke.flows.take_orders import take_orders
from shuke.loyalty import actions, queries
from shuke.orders.models import Order
from shuke.shops.models import Merchant
from tests.loyalty.books import NOW, publish

Told = facts.Order | facts.Refund


def buyer(n: int) -> facts.Person:
    return facts.Person(
        claims=(facts.Claim(facts.IdentityKind.NICKNAME, f"买家{n}", "taobao"),),
        nickname=f"买家{n}",
        phones=(facts.Phone(f"+861380000{n:04d}"),),
    )


def come_in(
    merchant: Merchant, parts: Iterable[Sequence[Told]], *, charter: dict | None = None
) -> tuple[str, list[tuple]]:
    """Take the parts in, one after the other; the hash of the books and every order as it then stands."""
    publish(merchant, charter)
    for part in parts:
        take_orders(
            merchant=merchant,
            orders=[x for x in part if isinstance(x, facts.Order)],
            refunds=[x for x in part if isinstance(x, facts.Refund)],
            now=NOW,
            actor="test",
        )
    actions.run_clock(merchant=merchant, now=NOW)
    actions.seal(merchant=merchant, now=NOW)
    assert queries.verify(merchant).findings == []
    rows = Order.objects.filter(merchant=merchant).order_by("number")
    return queries.state_hash(merchant), list(
        rows.values_list(
            "number", "status", "paid_at", "finished_at", "refunded_minor", "refunded_at", "net_minor", "line_count"
        )
    )
