"""The law of the archive: the same statements end in the same rows, whichever comes first, once or several times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine.facts import Line, LineBack, Order, OrderStatus, Refund
from shuke.orders import merging, refund_merging
from shuke.orders.actions import record, record_refunds
from shuke.orders.actions.rows import BODY
from shuke.orders.models import Order as OrderRow
from shuke.orders.models import OrderLine
from shuke.orders.models import Refund as RefundRow

STATED = ("amount_minor", "requested_at", "finished_at", "done", "status", "reason", "sub_number", "lines", "older")
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
    order_number=st.sampled_from(["1001", "1002", "1"]),  # the last is a line's
    number=st.sampled_from(["R1", "R2"]),
    amount_minor=st.sampled_from([0, 100, 900]),
    finished_at=moments,
    requested_at=moments,
    done=st.booleans(),
    status=texts,
    reason=texts,
    sub_number=st.sampled_from(["", "1", "2"]),
    lines=st.lists(
        st.builds(
            LineBack,
            sub_number=st.sampled_from(["", "1"]),
            position=st.integers(0, 2),
            product_code=st.sampled_from(["", "P1"]),
            quantity_milli=st.sampled_from([None, 1000]),
            amount_minor=st.sampled_from([None, 100, 900]),
        ),
        max_size=2,
    ).map(tuple),
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
        .values_list("number", "order_number", "order__number", *STATED)
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


@given(refunds, refunds, refunds)
def test_what_is_said_of_a_refund_is_commutative_associative_and_idempotent(a, b, c):
    a, b, c = (refund_merging.said(one) for one in (a, b, c))
    both = refund_merging.merged
    assert both(a, b) == both(b, a)
    assert both(both(a, b), c) == both(a, both(b, c))
    assert both(a, a) == a
    # What is written and read again is the same knowledge.
    known = both(both(a, b), c)
    requested, reason, sub_number, _ = known.values
    seen = (requested, reason, sub_number, known.lines)
    assert refund_merging.read(known.mark, known.status, seen, refund_merging.older(known)) == known


CREAM = LineBack(product_code="P1", quantity_milli=1000)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lines", "later", "stays"),
    [
        ((CREAM,), {}, True),  # told again without goods
        ((CREAM,), {"amount_minor": 900}, True),  # more was given back: of that nobody told
        ((CREAM,), {"amount_minor": 99}, False),  # a piece that brought back 1.00 does not fit into less
        ((CREAM._replace(amount_minor=60), LineBack(position=2, amount_minor=30)), {"amount_minor": 90}, True),
        ((CREAM._replace(amount_minor=60), LineBack(position=2, amount_minor=30)), {"amount_minor": 89}, False),
        ((LineBack(position=1),), {"amount_minor": 1}, True),  # which line it was, and nothing of how much
        ((CREAM,), {"order_number": "1002"}, False),  # another order's lines
        ((CREAM,), {"done": False}, True),
    ],
)
def test_a_refund_told_again_without_its_goods_keeps_them_as_long_as_they_fit(lan, lines, later, stays):
    first = Refund("taobao", "兰记护肤", "1001", "R1", 100, DAY, DAY, reason="a", lines=lines)
    again = first._replace(finished_at=DAY + timedelta(days=2), requested_at=None, reason="", lines=())._replace(
        **later
    )
    kept = []
    for turn in ([first], [again]), ([again], [first]), ([first, again],):
        with transaction.atomic():
            for batch in turn:
                record_refunds(merchant=lan.merchant, refunds=batch, now=NOW)
            row = RefundRow.objects.get(merchant=lan.merchant)
            kept.append(bool(row.lines))
            assert (row.reason, row.requested_at) == ("a", DAY)
            # Told again as it was first, by somebody who knows: the goods are there again.
            record_refunds(
                merchant=lan.merchant, refunds=[first._replace(finished_at=DAY + timedelta(days=3))], now=NOW
            )
            assert RefundRow.objects.get(merchant=lan.merchant).lines
            transaction.set_rollback(True)
    assert kept == [stays] * 3


@pytest.mark.django_db
def test_two_files_of_one_moment_that_contradict_each_other_are_decided_by_content(lan):
    low = Order("taobao", "兰记护肤", "7", OrderStatus.PAID, paid_at=DAY, paid_minor=100, stated_at=DAY)
    high = low._replace(paid_minor=200)
    assert told(lan.merchant, [[low], [high]]) == told(lan.merchant, [[high], [low]])
