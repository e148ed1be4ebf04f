"""Orders between their table and `merging.Known`: load what is known, lay out a row, write many rows at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine.facts import Line
from shuke.kit import bulk, ids
from shuke.orders import merging
from shuke.orders.merging import BITS, FIELDS, LONG_AGO, Drawn, Known, Sums
from shuke.orders.models import BatchChange, Order, OrderLine

HEAD = ("id", "merchant_id", "store_id", "number")
# What merging decides, in the order rows are laid out here. batch_id and last_batch_id follow when writing.
BODY = (
    "member_id",
    "sold_at_id",
    "status",
    "created_at",
    "paid_at",
    "shipped_at",
    "finished_at",
    "closed_at",
    "close_reason",
    "currency",
    "goods_minor",
    "discount_minor",
    "freight_minor",
    "paid_minor",
    "refunded_minor",
    "stated_refund_minor",
    "refunded_at",
    "net_minor",
    "pieces_milli",
    "line_count",
    "lines_minor",
    "channel",
    "staff_code",
    "buyer_note",
    "seller_note",
    "excluded",
    "tax_minor",
    "tenders",
    "stated_refund_at",
    "digest",
    "lines_digest",
    "said",
    "older",
    "stated_at",
)
AT = {name: index for index, name in enumerate(BODY)}
# Columns that only remember where knowledge comes from: a row that differs in these alone says the same to a reader.
BOOKKEEPING = frozenset(AT[name] for name in ("digest", "said", "older", "stated_at"))
_BINARY = (AT["digest"], AT["lines_digest"])
_TENDERS = AT["tenders"]
_MOMENTS = tuple(AT[n] for n in BODY if n.endswith("_at"))
LINE_COLUMNS = (
    "id",
    "merchant_id",
    "order_id",
    "position",
    "product_id",
    "title",
    "sku",
    "spec",
    "quantity_milli",
    "price_minor",
    "amount_minor",
    "discount_minor",
    "refunded_minor",
    "sub_number",
)


class Stored(NamedTuple):
    """An order as it lies in the table."""

    id: int
    store_id: int
    number: str
    batch_id: int | None
    last_batch_id: int | None
    body: tuple[Any, ...]  # in the order of BODY
    known: Known


class Write(NamedTuple):
    """An order about to be written. `lines` None leaves those in the table alone."""

    id: int
    store_id: int
    number: str
    body: tuple[Any, ...]
    lines: tuple[Line, ...] | None


def laid_out(known: Known, drawn: Drawn, digest: bytes) -> tuple[Any, ...]:
    """The body of a row: what was stated, with blanks filled by what follows from it."""
    v = known.values
    mark = v[20]
    older = {FIELDS[i]: _iso(at) for i, at in sorted(known.older.items())} if known.older else None
    return (
        v[19],
        v[13],
        drawn.status,
        v[1],
        drawn.paid_at,
        v[3],
        v[4],
        v[5],
        v[6] or "",
        v[7],
        drawn.goods_minor,
        v[9] or 0,
        v[10] or 0,
        drawn.paid_minor,
        drawn.refunded_minor,
        v[12] or 0,
        drawn.refunded_at,
        drawn.net_minor,
        known.sums.pieces_milli,
        known.sums.count,
        known.sums.minor,
        v[14] or "",
        v[15] or "",
        v[16] or "",
        v[17] or "",
        v[18] or "",
        v[21],
        v[22],
        v[23],
        digest,
        mark[1] if mark else None,
        known.said(),
        older,
        None if known.at == LONG_AGO else known.at,
    )


def load(merchant_id: int, order_ids: Sequence[int]) -> dict[int, Stored]:
    """What is known of these orders, by id. Their lines stay in the table."""
    if not order_ids:
        return {}
    rows = (
        Order.objects.filter(merchant_id=merchant_id, id__in=order_ids)
        .order_by("id")
        .values_list("id", "store_id", "number", "batch_id", "last_batch_id", *BODY)
    )
    found = {}
    for row in rows:
        body = list(row[5:])
        for index in _BINARY:
            body[index] = None if body[index] is None else bytes(body[index])
        if body[_TENDERS]:
            body[_TENDERS] = tuple((code, minor) for code, minor in body[_TENDERS])
        stored = tuple(body)
        order_id, store_id, number, batch_id, last_batch_id = row[:5]
        found[order_id] = Stored(order_id, store_id, number, batch_id, last_batch_id, stored, known_of(stored))
    return found


def known_of(body: Sequence[Any]) -> Known:
    """Read a row's body back into what was stated; blanks that were filled are left out again."""
    said = body[AT["said"]]
    at = body[AT["stated_at"]] or LONG_AGO
    values: list[Any] = []
    for bit, name in zip(BITS, FIELDS, strict=True):
        if not said & bit:
            values.append(None)
        elif name == "lines":
            values.append((body[AT["line_count"]], body[AT["lines_digest"]]))
        else:
            values.append(body[AT[name]])
    sums = Sums(body[AT["pieces_milli"]], body[AT["line_count"]], body[AT["lines_minor"]])
    older = body[AT["older"]]
    if older:
        moments = {FIELDS.index(n): LONG_AGO if t is None else datetime.fromisoformat(t) for n, t in older.items()}
    else:
        moments = None
    return Known(values, at, bool(said & merging.WAS_PAID), sums, moments)


def insert(merchant_id: int, writes: Sequence[Write], batch_id: int | None) -> None:
    """New orders, without their lines."""
    moment = bulk.moment()
    bulk.insert(
        Order._meta.db_table,
        (*HEAD, *BODY, "batch_id", "last_batch_id"),
        ((w.id, merchant_id, w.store_id, w.number, *_as_sql(w.body, moment), batch_id, batch_id) for w in writes),
    )


def update(writes: Sequence[Write], batch_id: int | None) -> None:
    """Known orders, without their lines."""
    moment = bulk.moment()
    bulk.update(
        Order._meta.db_table,
        (*BODY, "last_batch_id"),
        [(*_as_sql(w.body, moment), batch_id, w.id) for w in writes],
    )


def put_back(former: Sequence[tuple[tuple[Any, ...], int | None, int]]) -> None:
    """Former bodies again, each with its last_batch_id and order id."""
    moment = bulk.moment()
    bulk.update(
        Order._meta.db_table,
        (*BODY, "last_batch_id"),
        [(*_as_sql(body, moment), last_batch_id, order_id) for body, last_batch_id, order_id in former],
    )


def replace_lines(merchant_id: int, writes: Sequence[Write], product_ids: dict[str, tuple[int, str]]) -> None:
    """Lay down the lines of these orders anew. `product_ids`: id and title by code; a title the product has is not
    written twice."""
    bulk.insert(OrderLine._meta.db_table, LINE_COLUMNS, _line_rows(merchant_id, writes, product_ids))


def delete_lines(merchant_id: int, order_ids: Iterable[int]) -> None:
    condition, values = bulk.among("order_id", order_ids)
    bulk.execute(
        f"DELETE FROM {OrderLine._meta.db_table} WHERE merchant_id = %s AND {condition}", [merchant_id, values]
    )


def _line_rows(merchant_id: int, writes: Sequence[Write], product_ids: dict[str, tuple[int, str]]) -> Iterable[tuple]:
    fresh = iter(ids.take(sum(len(w.lines) for w in writes if w.lines)))
    nothing = (None, "")
    for write in writes:
        for position, line in enumerate(write.lines or ()):
            title, quantity, amount, code, sku, spec, _, _, price, discount, sub_number, refunded = line
            product_id, known_title = product_ids[code[:80]] if code else nothing
            if title == known_title:
                title = ""
            yield (
                next(fresh),
                merchant_id,
                write.id,
                position,
                product_id,
                title[:200],
                sku[:80],
                spec[:200],
                quantity,
                price,
                amount,
                discount,
                refunded,
                sub_number[:60],
            )


def remember(merchant_id: int, batch_id: int, stored: Iterable[Stored], lines: dict[int, list[list[Any]]]) -> None:
    """Keep what a batch is about to overwrite. An order the batch has itself made or already changed needs no more.

    `lines`: the former lines of those orders whose lines are replaced, as `former_lines` gives them.
    """
    changes = [
        BatchChange(
            merchant_id=merchant_id,
            batch_id=batch_id,
            what="order",
            object_id=s.id,
            before={"body": plain(s.body), "last_batch_id": s.last_batch_id, "lines": lines.get(s.id)},
        )
        for s in stored
        if s.batch_id != batch_id
    ]
    if changes:
        BatchChange.objects.bulk_create(changes, ignore_conflicts=True, batch_size=1000)


def former_lines(merchant_id: int, order_ids: Sequence[int]) -> dict[int, list[list[Any]]]:
    """Lines by order, each as the values of LINE_COLUMNS after order_id."""
    found: dict[int, list[list[Any]]] = {order_id: [] for order_id in order_ids}
    if order_ids:
        rows = OrderLine.objects.filter(merchant_id=merchant_id, order_id__in=order_ids).order_by(
            "order_id", "position"
        )
        for row in rows.values_list("order_id", *LINE_COLUMNS[3:]):
            found[row[0]].append(list(row[1:]))
    return found


def plain(body: Sequence[Any]) -> dict[str, Any]:
    """A body as JSON can hold it, by name: it is kept for an undo that a later version may be asked for."""
    out = list(body)
    for index in _MOMENTS:
        out[index] = None if out[index] is None else out[index].isoformat()
    for index in _BINARY:
        out[index] = None if out[index] is None else out[index].hex()
    return dict(zip(BODY, out, strict=True))


# Versions before kept a body without names: by its length what was known of an order then. The others nobody had stated.
_CAME_LATER = (("tax_minor", "tenders", "stated_refund_at"), ("stated_refund_at",), ())
_UNNAMED = {len(names): names for later in _CAME_LATER for names in [tuple(n for n in BODY if n not in later)]}


def from_plain(kept: dict[str, Any] | list[Any]) -> tuple[Any, ...]:
    """The body that `plain` was given, also in a version before this one."""
    named = kept if isinstance(kept, dict) else dict(zip(_UNNAMED[len(kept)], kept, strict=True))
    out: list[Any] = [named.get(name) for name in BODY]
    for index in _MOMENTS:
        out[index] = None if out[index] is None else datetime.fromisoformat(out[index])
    for index in _BINARY:
        out[index] = None if out[index] is None else bytes.fromhex(out[index])
    if out[_TENDERS]:
        out[_TENDERS] = tuple((code, minor) for code, minor in out[_TENDERS])
    return tuple(out)


def _as_sql(body: tuple[Any, ...], moment: Any) -> list[Any]:
    out = list(body)
    last = text = None
    for index in _MOMENTS:
        at = out[index]
        if at is not None:
            if at is not last:  # at a till an order is made, paid and finished in one moment
                last, text = at, moment(at)
            out[index] = text
    older = out[AT["older"]]
    if older is not None:
        out[AT["older"]] = json.dumps(older)
    if out[_TENDERS] is not None:
        out[_TENDERS] = json.dumps(out[_TENDERS], ensure_ascii=False)
    return out


def _iso(at: datetime) -> str | None:
    return None if at == LONG_AGO else at.isoformat()
