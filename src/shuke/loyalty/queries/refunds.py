"""Refunds as the books fold them: of orders, and of the points that paid for a till's basket and follow its order's refunds.

Both are read from the archive whenever a history is folded, and dated by the refund, not by the day somebody told of it: so a
refund told late, twice or before the till said whose order it was ends in the same books.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine.checkout.refunding import Refund, points_back
from shuke.engine.facts import OrderStatus
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.came_back import Money, Sold, came_back
from shuke.kit import bulk
from shuke.loyalty.queries.checkouts import BY_MONEY, plain_lines
from shuke.orders.queries.archive import ids_by_event
from shuke.orders.queries.came_back import Document, documents, of_order
from shuke.shops.models import Merchant

_CAPTURE = re.compile(r"capture:checkout:(\d+):paid")
_FOLLOWS = re.compile(r"return:checkout:(\d+):refund\b")


class Line(NamedTuple):
    """A line of an order that was refunded. `kind`: its class, where the charter's rules treat several alike."""

    sold: Sold
    kind: int


def with_goods(
    refunded: Sequence[ev.Refunded],
    documents: Sequence[Document],
    net: int,
    lines: Sequence[Line],
    kinds: Sequence[int],
) -> list[ev.Refunded]:
    """The refunds of one order with what came back of its lines; as many as there are `kinds`, or each by itself where none
    are given."""
    named = {one.number: one.lines for one in documents}
    told = sorted(refunded, key=ev.order_of)
    prefix = len(f"refund:{told[0].order}:") if told else 0
    came = came_back([one.sold for one in lines], net, [Money(r.amount, named.get(r.event[prefix:], ())) for r in told])
    places = {kind: n for n, kind in enumerate(kinds)}
    found = []
    for one, (parts, known) in zip(told, came, strict=True):
        if not kinds:
            found.append(one._replace(back=parts, told=known))
            continue
        sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for part in parts:
            of = sums[places[lines[part.line].kind]]
            of[0] += part.amount
            of[1] += part.pieces_milli
        back = tuple(ev.Back(n, amount, pieces) for n, (amount, pieces) in sorted(sums.items()))
        found.append(one._replace(back=back, told=known))
    return found


def spend_of(event: str) -> str:
    """The spend that points of a basket go back to, by the name of their return; "" for any other event."""
    follows = _FOLLOWS.match(event)
    return f"capture:checkout:{follows[1]}:paid" if follows else ""


class _Basket(NamedTuple):
    member: int
    paid: ev.HoldCaptured
    given: int  # came back by requests: goods told at the till, and what older versions booked when it was told


def of_baskets(merchant: Merchant, asked: Mapping[int, Sequence[ev.Event]]) -> dict[int, list[ev.BurnReturned]]:
    """Points that follow the refunds of the orders which baskets became, by member. `asked`: requests of the members' books."""
    baskets = _baskets(asked)
    if not baskets:
        return {}
    where, values = bulk.among("id", baskets)
    basket_of = dict(
        bulk.select(
            "SELECT order_event, id FROM loyalty_checkout "
            f"WHERE +merchant_id = %s AND state = 'captured' AND order_event <> '' AND {where}",
            [merchant.pk, values],
        )
    )
    orders = refunded(merchant, ids_by_event(merchant, basket_of))
    where, values = bulk.among("id", [basket_of[event] for event in orders])
    priced = {
        pk: (_read(priced), _read(told))
        for pk, priced, told in bulk.select(
            f"SELECT id, priced, returned FROM loyalty_checkout WHERE +merchant_id = %s AND {where}",
            [merchant.pk, values],
        )
    }
    found: dict[int, list[ev.BurnReturned]] = defaultdict(list)
    for event, order in orders.items():
        pk = basket_of[event]
        document, told = priced[pk]
        if told and BY_MONEY not in told:
            continue  # goods were told at the till: who told them so knows better
        found[baskets[pk].member] += _followed(pk, baskets[pk], order, document)
    return found


def _baskets(asked: Mapping[int, Sequence[ev.Event]]) -> dict[int, _Basket]:
    paid: dict[int, tuple[int, ev.HoldCaptured]] = {}
    given: dict[str, int] = defaultdict(int)
    for member, events in asked.items():
        for one in events:
            if isinstance(one, ev.HoldCaptured) and (named := _CAPTURE.fullmatch(one.event)):
                paid[int(named[1])] = member, one
            elif isinstance(one, ev.BurnReturned):
                given[one.burn] += one.amount
    return {pk: _Basket(member, one, given[one.event]) for pk, (member, one) in paid.items()}


class Refunds(NamedTuple):
    """What the archive says was given back of an order: money in all, of how much paid, and whether that was everything."""

    event: str
    money: int
    paid: int
    whole: bool
    last_at: datetime | None
    documents: Sequence[Document]

    def each(self, since: datetime) -> list[Refund]:
        """In the order in which they happened, none before `since`, named by what tells them: ":number" of a document, or "".
        An order that cost no money came back when it was closed."""
        told = of_order(self.event, since, self.money, self.last_at, self.documents)
        found = [Refund(one.event.removeprefix(f"refund:{self.event}"), one.at, one.amount) for one in told]
        return sorted(found or [Refund("", max(self.last_at or since, since), 0)], key=lambda one: (one.at, one.name))

    def came_back_at(self, since: datetime) -> datetime:
        """When the last of the money came back; what is given beyond it changes nothing."""
        money = 0
        for one in self.each(since):
            money += one.amount
            if 0 < self.paid <= money:
                break
        return one.at


def refunded(merchant: Merchant, orders: Mapping[str, int]) -> dict[str, Refunds]:
    """Those of these orders (event → id) of which something was given back."""
    events = {pk: event for event, pk in orders.items()}
    where, values = bulk.among("id", events)
    rows = bulk.select(
        "SELECT id, refunded_minor, paid_minor, status, refunded_at, closed_at, finished_at FROM orders_order "
        f"WHERE +merchant_id = %s AND (refunded_minor > 0 OR status = %s) AND {where}",
        [merchant.pk, int(OrderStatus.CLOSED_REFUNDED), values],
    )
    told = documents(merchant, [pk for pk, *_ in rows])
    found = {}
    for pk, back, paid, status, *moments in rows:
        whole = status == OrderStatus.CLOSED_REFUNDED or back >= paid
        last = next((at for at in map(bulk.read_moment, moments) if at is not None), None)
        found[events[pk]] = Refunds(events[pk], back, paid, whole, last, told.get(pk, []))
    return found


def _followed(pk: int, basket: _Basket, order: Refunds, priced: dict[str, Any]) -> list[ev.BurnReturned]:
    paid = basket.paid
    points = points_back(
        plain_lines(priced),
        order.each(paid.at),
        paid=order.paid,
        whole=order.whole,
        back_to=priced.get("back_to", ()),
        given=basket.given,
    )
    name = f"return:checkout:{pk}:refund"
    return [
        # At the moment of the payment itself it stands right behind it, and before what was asked for later.
        ev.BurnReturned(f"{name}{one.name}", one.at, paid.event, one.amount, paid.nth if one.at == paid.at else 0)
        for one in points
    ]


def _read(plain: Any) -> Any:
    return json.loads(plain) if isinstance(plain, str) else plain
