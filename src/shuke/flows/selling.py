"""A basket becomes an order here: paid, put into the archive and earning in one deed, and its goods come back the same way.

No second path: what pays is captured as for any till (flows.checkout), and the order is told to the archive as any till tells
one (flows.take_orders). Who has a cash register whose list comes later types its number: the list then meets the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.checkout import Basket, sale
from shuke.engine.checkout.sale import Place
from shuke.engine.facts import Claim, IdentityKind, Person, Refund
from shuke.flows import checkout
from shuke.flows.checkout import CheckoutRefused, Held, Returned
from shuke.flows.take_orders import take_orders
from shuke.kit.money import show
from shuke.loyalty.actions import checkouts
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import checkouts as stored
from shuke.loyalty.queries.facts import order_event
from shuke.loyalty.queries.member import earned_by_event
from shuke.members.models import Member
from shuke.members.queries.families import survivors_of
from shuke.orders import actions as archive
from shuke.orders.merging import digest_of
from shuke.orders.models import Order
from shuke.orders.queries.archive import by_event
from shuke.shops import queries as shops
from shuke.shops.actions import create_store
from shuke.shops.models import Merchant

MINUTES = 15
TWICE = timedelta(minutes=3)  # the same goods for the same member within it are asked about


class Sold(NamedTuple):
    """A basket that was paid and became an order."""

    held: Held
    place: Place
    booked: bool  # False: the archive had heard of the order before, and nothing was told twice
    points: int  # what the order earned
    replayed: bool = False


def sell(
    *,
    merchant: Merchant,
    key: str,
    platform: str = "pos",
    store: str,
    number: str = "",
    paid_by: str = "",
    with_lines: bool = True,
    staff: str = "",
    ask_twice: bool = False,
    now: datetime,
    actor: str,
) -> Sold:
    """Capture a held basket and book the order it became. Again with the same key: the same.

    `number`: of the receipt; "" makes one. An order that the archive has already is not told again: it must be this member's (or
    nobody's, then it becomes theirs) and have cost as much. With `ask_twice` the same goods for the same member a moment ago are refused.
    """
    row = stored.checkout(merchant, key)
    if row is None:
        raise CheckoutRefused("no_such_checkout", key=key)
    store = store or _only_store(merchant)
    place = Place(platform, store, number or sale.number_of(key, row.placed_at.astimezone(merchant.tz)))
    event = order_event(*place)
    with transaction.atomic():
        archive.hold_event_still(merchant, event)  # first, as capturing and taking orders in do
        row = stored.checkout(merchant, key, lock=True)
        assert row is not None
        done_before = row.state == "captured"
        if not done_before:
            if ask_twice:
                _not_twice(merchant, row, now)
            buyer = _buyer(merchant, row)
            told = sale.order(
                place, row.basket, stored.lines_of(row), currency=merchant.currency, at=now, paid_by=paid_by, buyer=buyer, staff=staff,
                with_lines=with_lines,
            )  # fmt: skip
            known = _known(merchant, event, row, told.paid_minor or 0)
        held = checkout.capture(merchant=merchant, key=key, order_event=event, now=now, actor=actor)
        if not done_before:
            if known is None:
                checkouts.note_booked(row=row)
                take_orders(merchant=merchant, orders=[told], now=now, actor=actor)
            elif known.member_id is None and buyer is not None:
                take_orders(merchant=merchant, orders=[sale.whose(place, buyer, now)], now=now, actor=actor)
    earned = earned_by_event(merchant, [event]) if row.member_id is not None else {}
    return Sold(held, place, row.booked, earned.get(event, 0), done_before)


def hold_and_sell(
    *,
    merchant: Merchant,
    key: str,
    basket: Basket,
    told: Mapping[str, Any],
    member_id: int | None,
    expect_due: int | None,
    callers: Sequence[str],
    now: datetime,
    actor: str,
    **selling: Any,
) -> Sold:
    """Priced, paid and booked in one go. What is refused holds nothing."""
    held = checkout.hold(
        merchant=merchant, key=key, basket=basket, told=told, member_id=member_id, minutes=MINUTES, expect_due=expect_due, now=now,
        actor=actor, callers=callers,
    )  # fmt: skip
    try:
        return sell(merchant=merchant, key=key, now=now, actor=actor, **selling)
    except CheckoutRefused:
        if held.state == "open":
            checkout.release(merchant=merchant, key=key, now=now, actor=actor)
        raise


def take_back(
    *, merchant: Merchant, key: str, return_key: str, quantities: Mapping[str, int] | None, now: datetime, actor: str
) -> Returned:
    """So much of these lines comes back, and where the till had booked the order, the archive hears of it: what they earned goes
    with them. The same return key again: the same."""
    with transaction.atomic():
        row = stored.checkout(merchant, key)
        booked = row is not None and row.booked
        if booked:
            assert row is not None
            archive.hold_event_still(merchant, row.order_event)
        done = checkout.give_back(
            merchant=merchant, key=key, return_key=return_key, quantities=quantities, now=now, actor=actor
        )
        if booked and not done.replayed:
            assert row is not None
            _tell_return(merchant, row, done, now, actor)
        return done


def _only_store(merchant: Merchant) -> str:
    """A shop that never named a street store has one all the same, as soon as it sells over the counter."""
    streets = [one.code for one in shops.stores(merchant) if one.platform == "pos"]
    if len(streets) > 1:
        raise CheckoutRefused("store_missing")
    return streets[0] if streets else create_store(merchant=merchant, platform="pos", code="1", name=merchant.name).code


def _tell_return(merchant: Merchant, before: Checkout, done: Returned, now: datetime, actor: str) -> None:
    """A document of what was paid back, on its day; and which goods they were, unless a list has told the goods its own way since."""
    pk = by_event(merchant, before.order_event)
    row = stored.checkout(merchant, before.key)
    if pk is None or row is None:  # the import that told the order anew was undone
        return
    order = Order.objects.select_related("store").get(pk=pk)
    place = Place(order.store.platform, order.store.code, order.number)
    lines = stored.lines_of(row)
    goods = sale.lines_after(row.basket, lines, before.returned)
    ours = order.lines_digest is not None and bytes(order.lines_digest) == _digest(goods)
    told = sale.came_back(
        place, currency=order.currency, whole=bool(done.back["whole"]), at=now,
        lines=sale.lines_after(row.basket, lines, row.returned) if ours else None,
    )  # fmt: skip
    back = done.back
    paid_back = (
        back["due_minor"] + back["stored_value_minor"] + sum(card["amount_minor"] for card in back["gift_cards"])
    )
    document = Refund(
        place.platform, place.store, place.number, f"{place.number[:52]}-R{stored.nth_return(row, done.key)}", paid_back, now, now,
        currency=order.currency, lines=sale.lines_back(row.basket, lines, before.returned, row.returned) if ours else (),
    )  # fmt: skip
    take_orders(merchant=merchant, orders=[told], refunds=[document] if paid_back else [], now=now, actor=actor)


def _digest(lines: Any) -> bytes | None:
    return digest_of(sale.came_back(Place("", "", ""), currency="", whole=False, at=datetime.min, lines=lines))[1]


def _buyer(merchant: Merchant, row: Checkout) -> Person | None:
    """By the card: who was merged lives on in somebody, who has one."""
    if row.member_id is None:
        return None
    heirs = survivors_of(merchant.pk, [row.member_id])
    card = Member.objects.values_list("card", flat=True).get(
        merchant=merchant, pk=heirs.get(row.member_id, row.member_id)
    )
    return Person(claims=(Claim(IdentityKind.CARD, card, "", True),))


def _known(merchant: Merchant, event: str, row: Checkout, paid: int) -> Order | None:
    """The order of that number, if a list or another program was quicker. Raises CheckoutRefused where it must be another one."""
    pk = by_event(merchant, event)
    if pk is None or stored.of_orders(merchant, [event]):  # another basket's: capturing says so
        return None
    order = Order.objects.get(pk=pk)
    both = {one for one in (order.member_id, row.member_id) if one is not None}
    heirs = survivors_of(merchant.pk, both)
    if len({heirs.get(one, one) for one in both}) > 1:
        raise CheckoutRefused("order_of_another", order=order.number)
    if order.paid_minor != paid:
        shown = [show(minor, merchant.currency) for minor in (order.paid_minor, paid)]
        raise CheckoutRefused("order_differs", order=order.number, there=shown[0], here=shown[1])
    return order


def _not_twice(merchant: Merchant, row: Checkout, now: datetime) -> None:
    alike = stored.booked_alike(merchant, row, now - TWICE)
    if alike is not None:
        raise CheckoutRefused("sold_just_now", order=alike.order_event.rpartition(":")[2])
