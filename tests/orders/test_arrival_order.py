"""The law of the archive: the same statements end in the same rows, whichever comes first, once or several times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine.facts import Line, Order, OrderStatus, Refund
from shuke.orders import merging
from shuke.orders.actions import record, record_refunds
from shuke.orders.actions.rows import BODY
from shuke.orders.models import Order as OrderRow
from shuke.orders.models import OrderLine
from shuke.orders.models import Refund as RefundRow

DAY = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
moments = st.none() | st.integers(0, 4).map(lambda d: DAY + timedelta(days=d))
amounts = st.none() | st.sampled_from([0, 100, 2500, -100])
texts = st.sampled_from(["", "a", "b"])
titles = st.sampled_from(["a", "b"])  # a line without one shows the catalogue's, which is not the order's business
lines = st.none() | st.lists(
    st.builds(
        partial(Line),
        title=titles,
        quantity_milli=st.sampled_from([1000, 2000]),
        amount_minor=st.sampled_from([100, 2400]),
        product_code=st.sampled_from(["", "P1", "P2"]),
        sub_number=st.sampled_from(["", "1", "2"]),
    ),
    max_size=2,
).map(tuple)
# partial: builds() would also make up the fields that have a default.
orders = st.builds(
    partial(Order),
    platform=st.just("taobao"),
    shop=st.just("兰记护肤"),
    number=st.sampled_from(["1001", "1002"]),
    status=st.none() | st.sampled_from(list(OrderStatus)),
    created_at=moments,
    paid_at=moments,
    finished_at=moments,
    closed_at=moments,
    close_reason=st.none() | texts,
    goods_minor=amounts,
    freight_minor=amounts,
    paid_minor=amounts,
    refunded_minor=amounts,
    lines=lines,
    store_code=st.sampled_from(["", "XH"]),
    seller_note=st.none() | texts,
    excluded=st.sampled_from(["", "brushing"]),
    stated_at=moments,
    tax_minor=st.none() | st.sampled_from([0, 30, 60]),
    tenders=st.none() | st.sampled_from([(("cash", 100),), (("cash", 60), ("stored_value", 40)), (("自有卡", 2500),)]),
    refunded_at=moments,
)
refunds = st.builds(
    partial(Refund),
    platform=st.just("taobao"),
    shop=st.just("兰记护肤"),
    order_number=st.sampled_from(["1001", "1002"]),
    number=st.sampled_from(["R1", "R2"]),
    amount_minor=st.sampled_from([100, 900]),
    finished_at=moments,
    done=st.booleans(),
    status=texts,
)
statements = st.lists(orders | refunds, min_size=1, max_size=5)


def archive(merchant) -> tuple:
    """All that a reader can see of orders, lines and refunds; without ids, and without the digest of the last word."""
    heads = list(
        OrderRow.objects.filter(merchant=merchant)
        .order_by("number")
        .values_list("number", "store__code", *(c for c in BODY if c != "digest"))
    )
    positions = [
        (
            *(line.order.number, line.position, line.title or (line.product.title if line.product else "")),
            *(line.sub_number, line.quantity_milli, line.amount_minor, line.product.code if line.product else ""),
        )
        for line in OrderLine.objects.filter(merchant=merchant)
        .select_related("order", "product")
        .order_by("order__number", "position")
    ]
    documents = list(
        RefundRow.objects.filter(merchant=merchant)
        .order_by("number")
        .values_list("number", "order_number", "order__number", "amount_minor", "finished_at", "done", "status")
    )
    return heads, positions, documents


def told(merchant, batches) -> tuple:
    """The archive after these batches of statements, on a database that is put back afterwards."""
    with transaction.atomic():
        for batch in batches:
            said = [s for s in batch if isinstance(s, Order)]
            record(merchant=merchant, orders=said, member_ids=[None] * len(said), now=NOW)
            record_refunds(merchant=merchant, refunds=[s for s in batch if isinstance(s, Refund)], now=NOW)
        result = archive(merchant)
        transaction.set_rollback(True)
    return result


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=statements, data=st.data())
def test_any_order_of_arrival_ends_in_the_same_archive(lan, first, data):
    again = data.draw(st.permutations(first))
    doubled = data.draw(st.lists(st.sampled_from(first), max_size=2))
    one_by_one = told(lan.merchant, [[s] for s in [*again, *doubled]])
    assert told(lan.merchant, [first]) == one_by_one


@given(orders, orders, orders)
def test_taking_in_is_commutative_associative_and_idempotent(a, b, c):
    a, b, c = (merging.stated(o, merging.digest_of(o)[1], None, None) for o in (a, b, c))

    def seen(known):
        return known.values, known.at, known.older, known.was_paid, known.sums

    def both(x, y):
        return merging.merged(x, y)

    assert seen(both(a, b)) == seen(both(b, a))
    assert seen(both(both(a, b), c)) == seen(both(a, both(b, c)))
    assert seen(both(a, a)) == seen(a)


@pytest.mark.django_db
def test_two_files_of_one_moment_that_contradict_each_other_are_decided_by_content(lan):
    low = Order("taobao", "兰记护肤", "7", OrderStatus.PAID, paid_at=DAY, paid_minor=100, stated_at=DAY)
    high = low._replace(paid_minor=200)
    assert told(lan.merchant, [[low], [high]]) == told(lan.merchant, [[high], [low]])
