"""Orders as columns of whole numbers, and fingerprints that tell which of them changed. Memory holds what is asked for, no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection

from shuke.engine.facts import OrderStatus
from shuke.engine.insight.port import Columns
from shuke.kit import bulk, clock
from shuke.orders.queries import came_back
from shuke.shops.models import Merchant

PRINTS = ("head_print", "line_print")
_BATCH = 2_000  # rows at once: of ten times as many the garbage collector makes the work half as long again
_IDS = 50_000
_UNBOUGHT = (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
_PAID = "o.merchant_id = %s AND o.status NOT IN (%s, %s) AND o.excluded = ''"
PRIME = 1_000_000_007
_LINES_WEIGH = 31
_DIGEST = 16  # bytes
_HEADS = ("order_id", "member", "store", "net", "refunded", "items_milli", "line_count", "paid_s")
_LINES = ("order_id", "product", "quantity_milli", "amount", "discount", "refunded")
# A line of more pieces than this is measured goods (petrol, cloth by the centimetre): one piece, as is anything weighed.
_MOST_PIECES = 99

Span = tuple[datetime, datetime]


def prints(merchant: Merchant, *, most: bool = True) -> Columns:
    """All orders by ascending id: order_id, and one fingerprint of all that the columns say of each (`whole_print`).

    most: of the orders of this database most are this merchant's, so that SQLite reads the table from end to end. By an index it
    would look for each row, which takes half as long again.
    """
    head, line = _prints()
    hint = "" if bulk.is_postgres() or not most else "NOT INDEXED "
    sql = (
        f"SELECT o.id, {head} + {line} * {_LINES_WEIGH}, o.lines_digest FROM orders_order o {hint}"
        f"WHERE {_PAID} AND o.paid_at IS NOT NULL"
    )
    found = _fetch(sql, [merchant.pk, *_UNBOUGHT], ("order_id", "print", "lines"), digest=True)
    found["print"] += found.pop("lines") * _LINES_WEIGH
    if not _ascend(found["order_id"]):
        found = _sorted(found)
    _add_returns(found, "print", _returns(merchant, None), _LINES_WEIGH)
    return found


def paid_seconds(merchant: Merchant, orders: np.ndarray) -> Columns:
    """`order_id` and `paid_s` of these orders, in any order."""
    names = ("order_id", "paid_s")
    parts = [
        _fetch(f"SELECT o.id, {_epoch('o.paid_at')} FROM orders_order o WHERE {_PAID} AND o.paid_at IS NOT NULL AND {where}", [merchant.pk, *_UNBOUGHT, *given], names)
        for where, given in _where(orders)
    ]  # fmt: skip
    return _joined(parts, names)


def whole_print(heads: Columns) -> np.ndarray:
    """Of orders with PRINTS the fingerprint that `prints` gives."""
    return heads["head_print"] + heads["line_print"] * _LINES_WEIGH


def summed(found: Columns) -> list[int]:
    """How many orders, and the sum of their fingerprints, each weighed by its order's id: two orders that swap what they say
    show too."""
    weighed = found["print"] * (found["order_id"] % 99_991) % PRIME
    return [int(found["order_id"].size), int(weighed.sum() % PRIME)]


def heads(merchant: Merchant, wanted: Span | np.ndarray) -> Columns:
    """The orders paid within a span, or of these ids, by ascending id; with their fingerprints, `items_milli` as stated."""
    epoch = _epoch("o.paid_at")
    own = "o.id, COALESCE(o.member_id, 0), COALESCE(o.sold_at_id, o.store_id), o.net_minor, o.refunded_minor, o.pieces_milli"
    listed = ", ".join((own, "o.line_count", epoch, *_prints(), "o.lines_digest"))
    names = (*_HEADS, *PRINTS, "lines")
    parts = [
        _fetch(
            f"SELECT {listed} FROM orders_order o WHERE {_PAID} AND {where}",
            [merchant.pk, *_UNBOUGHT, *given],
            names,
            digest=True,
        )
        for where, given in _where(wanted)
    ]
    found = _sorted(_joined(parts, names))
    found["line_print"] += found.pop("lines")
    _add_returns(found, "line_print", _returns(merchant, wanted))
    return found


def lines(merchant: Merchant, wanted: Span | np.ndarray) -> Columns:
    """The lines of these orders; `discount` holds a line's own and its part of what was taken off the whole order, `refunded` what
    came back of it by all that was told."""
    parts = [
        _fetch(
            "SELECT l.order_id, COALESCE(l.product_id, 0), l.quantity_milli, l.amount_minor, l.discount_minor, l.refunded_minor, l.id "
            "FROM orders_order o JOIN orders_line l ON l.merchant_id = o.merchant_id AND l.order_id = o.id "
            f"WHERE {_PAID} AND {where}",
            [merchant.pk, *_UNBOUGHT, *given],
            (*_LINES, "line"),
        )
        for where, given in _where(wanted)
    ]
    found = _joined(parts, (*_LINES, "line"))
    _share_out(found, _reduced(merchant, wanted))
    _put_back(merchant, found, wanted)
    return found


def _put_back(merchant: Merchant, lines: Columns, wanted: Span | np.ndarray) -> None:
    """What came back of each line of an order of which something was given back and something is left."""
    which = lines.pop("line")
    parts = [
        _fetch(
            f"SELECT o.id FROM orders_order o WHERE {_PAID} AND o.refunded_minor > 0 AND o.net_minor > 0 AND {where}",
            [merchant.pk, *_UNBOUGHT, *given],
            ("order_id",),
        )
        for where, given in _where(wanted)
    ]
    orders = np.sort(_joined(parts, ("order_id",))["order_id"])
    if not (orders.size and which.size):
        return
    lines["refunded"][np.isin(lines["order_id"], orders)] = 0
    turn = np.argsort(which)
    for low in range(0, orders.size, _IDS):
        told = came_back.of_lines(merchant, orders[low : low + _IDS].tolist()).values()
        gone = {line: minor for one in told for line, minor in one.items()}
        line = np.fromiter(gone, np.int64, len(gone))
        at = turn[np.minimum(np.searchsorted(which, line, sorter=turn), which.size - 1)]
        here = which[at] == line  # not one that came in a moment after the lines were read
        lines["refunded"][at[here]] = np.fromiter(gone.values(), np.int64, len(gone))[here]


def _returns(merchant: Merchant, wanted: Span | np.ndarray | None) -> Columns:
    """A fingerprint of the finished refund documents of each order: they say which of its lines came back."""
    sql = (
        "SELECT r.order_id, r.number, r.amount_minor, r.finished_at, r.sub_number, r.named, r.lines, r.older "
        "FROM orders_refund r WHERE r.merchant_id = %s AND r.done AND r.order_id IS NOT NULL"
    )
    found: dict[int, int] = {}
    for where, given in [("", [])] if wanted is None else _where(wanted):
        of = f" AND r.order_id IN (SELECT o.id FROM orders_order o WHERE {_PAID} AND {where})" if where else ""
        head = [merchant.pk, *_UNBOUGHT] if where else []
        for order, *told in bulk.select(sql + of, [merchant.pk, *head, *given]):
            found[order] = (found.get(order, 0) + crc32(repr(told).encode())) % PRIME
    return _sorted(
        {
            "order_id": np.fromiter(found, np.int64, len(found)),
            "told": np.fromiter(found.values(), np.int64, len(found)),
        }
    )


def _add_returns(found: Columns, name: str, returns: Columns, weight: int = 1) -> None:
    """`found` by ascending id."""
    if not (found["order_id"].size and returns["order_id"].size):
        return
    at = np.minimum(np.searchsorted(found["order_id"], returns["order_id"]), found["order_id"].size - 1)
    here = found["order_id"][at] == returns["order_id"]
    found[name][at[here]] += returns["told"][here] * weight


def _reduced(merchant: Merchant, wanted: Span | np.ndarray) -> Columns:
    """Orders that state a discount: how much, and by how much less was paid than lines and freight add up to (0: not told)."""
    names = ("order_id", "discount", "short")
    parts = [
        _fetch(
            "SELECT o.id, o.discount_minor, "
            "CASE WHEN o.paid_minor > 0 THEN o.lines_minor + o.freight_minor - o.paid_minor ELSE 0 END FROM orders_order o "
            f"WHERE {_PAID} AND o.discount_minor > 0 AND {where}",
            [merchant.pk, *_UNBOUGHT, *given],
            names,
        )
        for where, given in _where(wanted)
    ]
    return _sorted(_joined(parts, names))


def _share_out(lines: Columns, reduced: Columns) -> None:
    """Add to the discount of each line its part of its order's, by amount.

    Some files state only what was taken off the whole order, some that and the lines' own together, some the lines' own once
    more. So nothing was taken off the whole where both are equal; else what the lines do not explain, or what is missing of the
    payment, whichever is more.
    """
    if not reduced["order_id"].size:
        return
    at = np.minimum(np.searchsorted(reduced["order_id"], lines["order_id"]), reduced["order_id"].size - 1)
    here = reduced["order_id"][at] == lines["order_id"]
    at, amount = at[here], np.maximum(lines["amount"][here], 0)
    own, asked = (
        np.bincount(at, weights=column, minlength=reduced["order_id"].size)
        for column in (lines["discount"][here], amount)
    )
    beyond = np.maximum(reduced["discount"] - own, np.clip(reduced["short"], 0, reduced["discount"]))
    whole = np.where(reduced["discount"] == own, 0.0, beyond)
    lines["discount"][here] += np.ceil(whole[at] * (amount / np.maximum(asked[at], 1.0))).astype(np.int64)


def count_items(heads: Columns, lines: Columns) -> None:
    """Replace the stated pieces of each order by what its lines count as; orders without lines keep what is stated."""
    quantity = lines["quantity_milli"]
    pieces = np.where((quantity % 1000 == 0) & (quantity <= _MOST_PIECES * 1000), np.maximum(quantity, 0), 1000)
    at = np.searchsorted(heads["order_id"], lines["order_id"])
    # The lines are read a moment after the heads: an order that came in between is left for the next night.
    here = at < heads["order_id"].size
    here[here] = heads["order_id"][at[here]] == lines["order_id"][here]
    at, pieces = at[here], pieces[here]
    items = np.zeros(heads["order_id"].size, dtype=np.int64)
    np.add.at(items, at, pieces)
    count = np.bincount(at, minlength=heads["order_id"].size)
    heads["items_milli"] = np.where(count > 0, items, heads["items_milli"])


def shop_days(seconds: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """Day numbers in the shop's zone (int32) of instants in seconds since 1970 UTC."""
    return ((seconds + offsets(seconds, zone)) // 86_400).astype(np.int32)


def offsets(seconds: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """By how many seconds the shop's clock is ahead of UTC at each instant.

    The offset is asked for once per UTC day, and by the quarter of an hour only on days on which it changes.
    """
    days, where = np.unique(seconds // 86_400, return_inverse=True)
    starts = np.array([_offset(int(day) * 86_400, zone) for day in days], dtype=np.int64)
    ends = np.array([_offset(int(day) * 86_400 + 86_399, zone) for day in days], dtype=np.int64)
    ahead = starts[where]
    for changing in np.flatnonzero(starts != ends):
        rows = where == changing
        quarters = seconds[rows] // 900
        found = {int(q): _offset(int(q) * 900, zone) for q in np.unique(quarters)}
        ahead[rows] = [found[int(q)] for q in quarters]
    return ahead


def span(merchant: Merchant, first: date, after: date | None = None) -> Span:
    """From the first instant of a day to the first one of another, by default of the next."""
    zone = merchant.tz
    return clock.day_start(first, zone), clock.day_start(after or first + timedelta(days=1), zone)


def bounds(wanted: Span) -> list:
    moment = bulk.moment()
    return [moment(wanted[0]), moment(wanted[1])]


def _prints() -> tuple[str, str]:
    """Two numbers of an order in SQL: what its head says, and what its lines and pieces say beside their digest, which is read as
    it is: to take it apart in SQL costs as much as all the rest.

    Both stay far below 2⁶³, or SQLite would go on in floating point.
    """
    terms = ["COALESCE(o.member_id, 0)", "COALESCE(o.sold_at_id, o.store_id)", "o.net_minor", "o.refunded_minor"]
    # Days and their part that is over, as SQLite keeps moments: a third of what its seconds since 1970 cost.
    terms.append(_epoch("o.paid_at") if bulk.is_postgres() else "CAST(julianday(o.paid_at) * 86400 AS INTEGER)")
    figures = ["o.line_count::bigint" if bulk.is_postgres() else "o.line_count", "o.lines_minor", "o.pieces_milli"]
    reduced = "(o.discount_minor * 7 + o.paid_minor * 3 + o.freight_minor)"  # what `_reduced` goes by
    return _mixed(terms), _mixed([*figures, "o.refunded_minor", reduced])


def _digests(found: Sequence[bytes | None]) -> np.ndarray:
    """A whole number below `PRIME` of each digest."""
    told = [one or b"" for one in found]
    if set(map(len, told)) - {_DIGEST}:  # some have none
        told = [one.ljust(_DIGEST, b"\0")[:_DIGEST] for one in told]
    whole = b"".join(told)
    words = np.frombuffer(whole, dtype="<u8").reshape(-1, _DIGEST // 8)
    return ((words[:, 0] ^ (words[:, 1] >> np.uint64(1))) % np.uint64(PRIME)).astype(np.int64)


def _mixed(terms: Sequence[str]) -> str:
    weights = (7_919, 104_729, 611_953, 1_299_709, 15_485_863, 32_452_843, 49_979_687, 67_867_967)
    return (
        "("
        + " + ".join(f"{term} %% 999983 * {weight}" for term, weight in zip(terms, weights, strict=False))
        + f") %% {PRIME}"
    )


def _bigint(value: str) -> str:
    return f"CAST({value} AS bigint)" if bulk.is_postgres() else value


def _epoch(column: str) -> str:
    if bulk.is_postgres():
        return f"FLOOR(EXTRACT(EPOCH FROM {column}))::bigint"
    return f"CAST(strftime('%%s', {column}) AS INTEGER)"


def months(merchant: Merchant) -> Iterator[date]:
    """The first day of every month from the merchant's first payment to the last one."""
    # One question each: SQLite looks at the ends of the index then, and for both together at all of it.
    first, last = (
        bulk.read_moment(
            bulk.select(f"SELECT {end}(paid_at) FROM orders_order WHERE merchant_id = %s", [merchant.pk])[0][0]
        )
        for end in ("MIN", "MAX")
    )
    if first is None or last is None:
        return
    month = clock.day_of(first, merchant.tz).replace(day=1)
    while month <= clock.day_of(last, merchant.tz):
        yield month
        month = clock.add_months(month, 1)


def _where(wanted: Span | np.ndarray) -> Iterator[tuple[str, list]]:
    if isinstance(wanted, tuple):
        yield "o.paid_at >= %s AND o.paid_at < %s", bounds(wanted)
        return
    for low in range(0, wanted.size, _IDS):
        condition, given = bulk.among("o.id", wanted[low : low + _IDS].tolist())
        yield condition, [given]


def _fetch(sql: str, parameters: list, names: tuple[str, ...], *, digest: bool = False) -> Columns:
    """All rows of a query of integers, as columns. The rows never exist as Python tuples all at once.

    digest: the last column is of bytes, and becomes `_digests`.
    """
    width = len(names)
    parts = []
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_BATCH):
            if digest:
                *numbers, told = zip(*rows, strict=True)
                listed = [np.fromiter(column, np.int64, len(rows)) for column in numbers]
                parts.append(np.stack((*listed, _digests(told)), axis=1))
                continue
            flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=len(rows) * width)
            parts.append(flat.reshape(-1, width))
    table = np.concatenate(parts) if parts else np.empty((0, width), dtype=np.int64)
    return {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(names)}


fetch = _fetch  # for other tables of whole numbers


def _joined(parts: list[Columns], names: tuple[str, ...]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    nothing = np.empty(0, dtype=np.int64)
    return {name: np.concatenate([part[name] for part in parts] or [nothing]) for name in names}


def _ascend(values: np.ndarray) -> bool:
    return bool((values[1:] > values[:-1]).all())


def _sorted(columns: Columns) -> Columns:
    order = np.argsort(columns["order_id"], kind="stable")
    return {name: values[order] for name, values in columns.items()}


def _offset(seconds: int, zone: ZoneInfo) -> int:
    offset = (datetime(1970, 1, 1, tzinfo=clock.UTC) + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    return int((offset or timedelta()).total_seconds())
