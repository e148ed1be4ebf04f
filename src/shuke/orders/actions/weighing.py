"""Weigh statements about orders against what is known: new, changed or the same. Reads only; recording.py writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from shuke.engine.facts import Order as OrderFact
from shuke.engine.facts import OrderStatus
from shuke.kit import bulk
from shuke.orders import merging
from shuke.orders.actions import rows
from shuke.orders.actions.rows import AT, BOOKKEEPING, Stored
from shuke.orders.models import Order, Refund

Key = tuple[int, str]  # store id and order number: what an order is found by
Digests = tuple[bytes, bytes | None]  # of the statement, of its lines (merging.digest_of)


class Place(Protocol):
    """A store, as far as weighing needs it."""

    @property
    def id(self) -> int: ...

    @property
    def platform(self) -> str: ...

    @property
    def code(self) -> str: ...


class Outcome(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


class News(NamedTuple):
    """A real change worth a line on the member's timeline."""

    kind: str  # order.placed | order.paid | order.shipped | order.finished | order.refunded | order.closed
    at: datetime | None  # when it happened, as far as the order tells
    body: dict[str, Any]


class Recorded(NamedTuple):
    """What became of one order."""

    order_id: int
    outcome: Outcome
    member_id: int | None
    former_member_id: int | None  # differs when a statement showed another buyer: both must be settled
    oddities: tuple[str, ...]  # codes of connect/importers/problems.py
    key: str  # order:<platform>:<store code>:<number>, the order's event key
    news: tuple[News, ...]
    again: bool = False  # this very batch had changed (or made) it before: count it once


class Asked(NamedTuple):
    """One order as this call states it."""

    store: Place
    number: str
    known: merging.Known
    digests: tuple[bytes, ...]

    def digest(self) -> bytes:
        one = sorted(set(self.digests))
        return one[0] if len(one) == 1 else blake2b(b"".join(one), digest_size=16).digest()


class Known(NamedTuple):
    """An order found in the table: enough to see whether a statement says the same again."""

    id: int
    digest: bytes
    member_id: int | None


class Weighed(NamedTuple):
    """One order with what this call makes of it. `body` None: the same again, nothing was even merged."""

    key: Key
    ask: Asked
    order_id: int | None  # None: new
    outcome: Outcome
    body: tuple[Any, ...] | None
    known: merging.Known | None  # all that is known now
    before: Stored | None
    oddities: tuple[str, ...]
    member_id: int | None

    @property
    def moved(self) -> bool:
        """Whether the row must be written: also where only the moment of a statement is news."""
        return self.before is not None and self.body is not None and moved(self.before.body, self.body)


def weigh(
    asked: Mapping[Key, Asked],
    known: Mapping[Key, Known],
    stored: Mapping[int, Stored],
    documents: Mapping[Key, tuple[int, datetime | None]],
) -> list[Weighed]:
    """Decide for each order. `stored` has those whose digest differs; `documents` their finished refunds."""
    found = []
    for key, ask in asked.items():
        row = known.get(key)
        digest = ask.digest()
        if row is None:
            drawn = merging.drawn(ask.known, *documents.get(key, (0, None)))
            body = rows.laid_out(ask.known, drawn, digest)
            found.append(Weighed(key, ask, None, Outcome.NEW, body, ask.known, None, drawn.oddities, body[0]))
            continue
        before = stored.get(row.id)
        if before is None:
            found.append(Weighed(key, ask, row.id, Outcome.SAME, None, None, None, (), row.member_id))
            continue
        both = merging.merged(before.known, ask.known)
        drawn = merging.drawn(both, *documents.get(key, (0, None)))
        body = rows.laid_out(both, drawn, digest)
        outcome = compared(before.body, body)
        oddities = drawn.oddities if outcome is Outcome.CHANGED else ()
        found.append(Weighed(key, ask, row.id, outcome, body, both, before, oddities, body[0]))
    return found


def put_together(
    orders: Sequence[OrderFact],
    member_ids: Sequence[int | None],
    stores: Mapping[tuple[str, str], Place],
    digests: Sequence[Digests] | None,
) -> dict[Key, Asked]:
    """Each order once, with all this call states about it, by store id and number."""
    asked: dict[Key, Asked] = {}
    places: dict[tuple[str, str, str], tuple[Place, int | None]] = {}
    for index, (order, member_id) in enumerate(zip(orders, member_ids, strict=True)):
        named = (order.platform, order.shop, order.store_code)
        place = places.get(named)
        if place is None:
            sold_at = stores["pos", order.store_code[:60]].id if order.store_code else None
            place = places[named] = (stores[numbering_store(*named)], sold_at)
        store, sold_at = place
        digest, lines_digest = digests[index] if digests else merging.digest_of(order)
        known = merging.stated(order, lines_digest, sold_at, member_id)
        key = (store.id, order.number[:60])
        first = asked.get(key)
        if first is not None:
            known, all_digests = merging.merged(first.known, known), (*first.digests, digest)
        else:
            all_digests = (digest,)
        asked[key] = Asked(store, key[1], known, all_digests)
    return asked


def look_up(merchant_id: int, keys: Iterable[Key]) -> dict[Key, Known]:
    """The orders that are known already."""
    wanted = set(keys)
    condition, values = bulk.among("number", {number for _, number in wanted})
    found = bulk.select(
        f"SELECT store_id, number, id, digest, member_id FROM {Order._meta.db_table} "
        f"WHERE merchant_id = %s AND {condition}",
        [merchant_id, values],
    )
    return {(r[0], r[1]): Known(r[2], bytes(r[3]), r[4]) for r in found if (r[0], r[1]) in wanted}


def said_before(
    merchant_id: int, orders: Sequence[OrderFact], stores: Mapping[tuple[str, str], Place]
) -> tuple[list[Digests], dict[int, Known]]:
    """Digests of all statements, and by index those that say exactly what their order was last told: nothing to do."""
    digests = [merging.digest_of(order) for order in orders]
    keys: dict[int, Key] = {}
    places = {
        named: stores.get(numbering_store(*named)) for named in {(o.platform, o.shop, o.store_code) for o in orders}
    }
    for index, order in enumerate(orders):
        store = places[order.platform, order.shop, order.store_code]
        if store is not None:
            keys[index] = (store.id, order.number[:60])
    if not keys:
        return digests, {}
    known = look_up(merchant_id, keys.values())
    same = {}
    for index, key in keys.items():
        row = known.get(key)
        if row is not None and row.digest == digests[index][0]:
            same[index] = row
    return digests, same


def compared(before: Sequence[Any], after: Sequence[Any]) -> Outcome:
    """Whether a reader of the order would see a difference."""
    differs = any(a != b for i, (a, b) in enumerate(zip(before, after, strict=True)) if i not in BOOKKEEPING)
    return Outcome.CHANGED if differs else Outcome.SAME


def moved(before: Sequence[Any], after: Sequence[Any]) -> bool:
    """Whether the row must be written: also where only the moment of a statement is news. The digest alone is not."""
    digest = AT["digest"]
    return any(a != b for i, (a, b) in enumerate(zip(before, after, strict=True)) if i != digest)


def order_key(platform: str, store_code: str, number: str) -> str:
    """The order's name in the books and on the timeline."""
    return f"order:{platform}:{store_code}:{number}"


def store_keys(orders: Iterable[OrderFact]) -> dict[tuple[str, str], str]:
    """The stores these orders speak of, with a name to give them if they are new.

    An order's number belongs to the shop of its platform; a till's to its street store. `store_code` names the street
    store where it was sold, whatever system wrote the file.
    """
    found: dict[tuple[str, str], str] = {}
    for platform, shop, store_code in dict.fromkeys((o.platform, o.shop, o.store_code) for o in orders):
        found[numbering_store(platform, shop, store_code)] = shop or store_code
        if store_code:
            found[("pos", store_code[:60])] = store_code
    return found


def numbering_store(platform: str, shop: str, store_code: str = "") -> tuple[str, str]:
    """Whose numbering an order number belongs to, as (platform, code)."""
    if platform == "pos" and not shop:
        shop = store_code
    return platform[:20], shop[:60]


def refunds_of(merchant_id: int, keys: Iterable[Key]) -> dict[Key, tuple[int, datetime | None]]:
    """Sum and last moment of finished refund documents, by store id and order number."""
    by_store: dict[int, list[str]] = {}
    for store_id, number in keys:
        by_store.setdefault(store_id, []).append(number)
    found: dict[Key, tuple[int, datetime | None]] = {}
    for store_id, numbers in by_store.items():
        condition, values = bulk.among("order_number", numbers)
        for number, total, last in bulk.select(
            f"SELECT order_number, SUM(amount_minor), MAX(finished_at) FROM {Refund._meta.db_table} "
            f"WHERE merchant_id = %s AND store_id = %s AND done AND {condition} GROUP BY order_number",
            [merchant_id, store_id, values],
        ):
            found[store_id, number] = (int(total), bulk.read_moment(last))
    return found


_STAGES = (
    # the status from which on the stage is reached, what to call it, whose moment it is
    (OrderStatus.PAID, "order.paid", "paid_at"),
    (OrderStatus.SHIPPED, "order.shipped", "shipped_at"),
    (OrderStatus.FINISHED, "order.finished", "finished_at"),
)


def news_of(number: str, before: Sequence[Any] | None, after: Sequence[Any]) -> tuple[News, ...]:
    """What happened to an order between two of its states. A purchase long past brings one line, not its whole life."""
    status, was = after[AT["status"]], before[AT["status"]] if before else 0
    body = {
        "number": number,
        "net_minor": after[AT["net_minor"]],
        "paid_minor": after[AT["paid_minor"]],
        "currency": after[AT["currency"]],
    }
    found = []
    if status == OrderStatus.CLOSED_UNPAID:
        if was != status:
            found.append(News("order.closed", after[AT["closed_at"]] or after[AT["created_at"]], body))
        return tuple(found)
    if status == OrderStatus.UNPAID:
        if not before:
            found.append(News("order.placed", after[AT["created_at"]], body))
        return tuple(found)
    bought_before = was not in (0, OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
    if not bought_before:
        found.append(News("order.paid", after[AT["paid_at"]], body))
    elif status < OrderStatus.CLOSED_UNPAID:
        for rank, kind, column in _STAGES[1:]:
            if was < rank <= status:
                found.append(News(kind, after[AT[column]], body))
    refunded = after[AT["refunded_minor"]] - (before[AT["refunded_minor"]] if before else 0)
    if refunded > 0:
        found.append(News("order.refunded", after[AT["refunded_at"]], {**body, "refunded_minor": refunded}))
    return tuple(found)
