"""Order facts leave the store as columns: one Parquet file of order heads and one of order lines per month and merchant.

The files are a cache of the store under SHUKE_HOME/snapshots, never the truth: delete them and the next night writes them
anew. A month is rewritten only when its fingerprint in the database has changed (a late statement, a refund, a merge, an
undone import), so a usual night touches one or two months whatever the size of the history. Works from SQLite and
PostgreSQL alike; memory holds one month.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import connection

from shuke.engine.facts import OrderStatus
from shuke.engine.insight import kpi
from shuke.engine.insight.port import Columns, Engine
from shuke.kit import bulk, clock
from shuke.kit.progress import Progress, Silent
from shuke.shops.models import Merchant

FORMAT = 1  # of the files: a higher number rewrites them all
_BATCH = 20_000
_UNBOUGHT = (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
# A line of more pieces than this is measured goods (petrol, cloth by the centimetre): one piece, as is anything weighed.
_MOST_PIECES = 99


def folder(merchant: Merchant) -> Path:
    return Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.id)


def refresh(*, merchant: Merchant, progress: Progress | None = None) -> dict[str, int]:
    """Bring the merchant's files up to date with the store. Safe to kill: a month counts once the manifest names it.

    Returns counts: months, rewritten, orders, lines (the last two of what was rewritten).
    """
    with _alone(folder(merchant)) as home:
        known = _manifest(home)
        if known.get("format") != FORMAT or known.get("zone") != merchant.zone:
            known = {"format": FORMAT, "zone": merchant.zone, "months": {}}
        wanted = dict(_fingerprints(merchant))
        changed = [month for month in wanted if known["months"].get(month) != wanted[month] or not _here(home, month)]
        shown = progress or Silent()
        shown.total(len(changed), "months")
        counts = {"months": len(wanted), "rewritten": len(changed), "orders": 0, "lines": 0}
        if changed or known["months"].keys() != wanted.keys():
            with Engine(memory="256MB") as engine:
                for month in changed:
                    orders, lines = _rewrite(engine, merchant, home, month)
                    counts["orders"] += orders
                    counts["lines"] += lines
                    known["months"][month] = wanted[month]
                    _keep_manifest(home, known)
                    shown.advance()
            for month in known["months"].keys() - wanted.keys():
                del known["months"][month]
                for kind in ("head", "line"):
                    (home / f"{kind}-{month}.parquet").unlink(missing_ok=True)
            _keep_manifest(home, known)
        return counts


def files(merchant: Merchant) -> dict[str, list[Path]]:
    """The files to read, by table name (`heads`, `lines`), oldest month first."""
    home = folder(merchant)
    months = sorted(_manifest(home).get("months", {}))
    return {f"{kind}s": [home / f"{kind}-{month}.parquet" for month in months] for kind in ("head", "line")}


def _here(home: Path, month: str) -> bool:
    return all((home / f"{kind}-{month}.parquet").exists() for kind in ("head", "line"))


@contextmanager
def _alone(home: Path) -> Iterator[Path]:
    """One writer per merchant at a time; released by the operating system however the process ends."""
    home.mkdir(parents=True, exist_ok=True)
    handle = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield home
    finally:
        os.close(handle)


def _manifest(home: Path) -> dict:
    try:
        return json.loads((home / "manifest.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}


def _keep_manifest(home: Path, known: dict) -> None:
    part = home / "manifest.part"
    part.write_text(json.dumps(known, indent=1, sort_keys=True))
    part.replace(home / "manifest.json")


def _fingerprints(merchant: Merchant) -> Iterator[tuple[str, list[int]]]:
    """Month text and what its orders add up to. Every value is weighed by its order's id, so that a swap shows too."""
    if bulk.is_postgres():
        digest = "(get_byte({0}, 0) * 65536 + get_byte({0}, 1) * 256 + get_byte({0}, 2))"
        paid = "FLOOR(EXTRACT(EPOCH FROM paid_at))::bigint"
        cast = "CAST(SUM({}) AS bigint)"
    else:
        digest = "(unicode(hex({0})) * 65536 + unicode(substr(hex({0}), 2)) * 256 + unicode(substr(hex({0}), 3)))"
        paid = "CAST(strftime('%%s', paid_at) AS INTEGER)"
        cast = "SUM({})"
    terms = [
        digest.format("digest"),
        f"COALESCE({digest.format('lines_digest')}, 0)",
        f"{paid} %% 999983",
        "net_minor %% 999983",
        "refunded_minor %% 999983",
        "COALESCE(member_id, 0) %% 999983",
        "COALESCE(sold_at_id, store_id) %% 999983",
        "line_count",
        "status",
    ]
    sums = ", ".join(cast.format(f"(({term}) * (id %% 99991)) %% 1000000007") for term in terms)
    sql = f"SELECT COUNT(*), {sums} FROM orders_order WHERE {_PAID} AND paid_at >= %s AND paid_at < %s"
    for month, start, end in _months(merchant):
        row = bulk.select(sql, [merchant.id, *_UNBOUGHT, *_bounds(start, end)])[0]
        if row[0]:
            yield month, [int(value or 0) for value in row]


_PAID = "merchant_id = %s AND status NOT IN (%s, %s) AND excluded = ''"


def _months(merchant: Merchant) -> Iterator[tuple[str, datetime, datetime]]:
    """Every month of the merchant's zone with orders, with its first instant and the first one after it."""
    row = bulk.select("SELECT MIN(paid_at), MAX(paid_at) FROM orders_order WHERE merchant_id = %s", [merchant.id])[0]
    first, last = bulk.read_moment(row[0]), bulk.read_moment(row[1])
    if first is None or last is None:
        return
    day = clock.day_of(first, merchant.tz).replace(day=1)
    while day <= clock.day_of(last, merchant.tz):
        following = clock.add_months(day, 1)
        yield f"{day:%Y-%m}", clock.day_start(day, merchant.tz), clock.day_start(following, merchant.tz)
        day = following


def _bounds(start: datetime, end: datetime) -> list:
    moment = bulk.moment()
    return [moment(start), moment(end)]


def _rewrite(engine: Engine, merchant: Merchant, home: Path, month: str) -> tuple[int, int]:
    """Write one month; numbers of orders and lines."""
    day = date.fromisoformat(f"{month}-01")
    bounds = _bounds(clock.day_start(day, merchant.tz), clock.day_start(clock.add_months(day, 1), merchant.tz))
    epoch = (
        "FLOOR(EXTRACT(EPOCH FROM paid_at))::bigint"
        if bulk.is_postgres()
        else "CAST(strftime('%%s', paid_at) AS INTEGER)"
    )
    own = "id, COALESCE(member_id, 0), COALESCE(sold_at_id, store_id), net_minor, refunded_minor, pieces_milli, line_count"
    heads = _fetch(
        f"SELECT {own}, {epoch} FROM orders_order WHERE {_PAID} AND paid_at >= %s AND paid_at < %s ORDER BY id",
        [merchant.id, *_UNBOUGHT, *bounds],
        ("order_id", "member", "store", "net", "refunded", "items_milli", "line_count", "paid_s"),
    )
    lines = _fetch(
        "SELECT l.order_id, COALESCE(l.product_id, 0), l.quantity_milli, l.amount_minor, l.discount_minor, l.refunded_minor "
        "FROM orders_order JOIN orders_line l ON l.merchant_id = orders_order.merchant_id AND l.order_id = orders_order.id "
        f"WHERE {_PAID.replace('merchant_id', 'orders_order.merchant_id')} AND paid_at >= %s AND paid_at < %s",
        [merchant.id, *_UNBOUGHT, *bounds],
        ("order_id", "product", "quantity_milli", "amount", "discount", "refunded"),
    )
    _count_items(heads, lines)
    heads["day"] = shop_days(heads["paid_s"], merchant.tz)
    heads["month"] = np.full(heads["day"].size, kpi.month_number(day), dtype=np.int32)
    heads["counted"] = (~((heads["net"] <= 0) & (heads["refunded"] > 0))).astype(np.int32)
    engine.write("lines", lines, home / f"line-{month}.parquet")
    engine.write("heads", heads, home / f"head-{month}.parquet")
    return heads["order_id"].size, lines["order_id"].size


def _fetch(sql: str, parameters: list, names: tuple[str, ...]) -> Columns:
    """All rows of a query of integers, as columns. The rows never exist as Python tuples all at once."""
    width = len(names)
    parts = []
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_BATCH):
            flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=len(rows) * width)
            parts.append(flat.reshape(-1, width))
    table = np.concatenate(parts) if parts else np.empty((0, width), dtype=np.int64)
    return {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(names)}


def _count_items(heads: Columns, lines: Columns) -> None:
    """Replace the stated pieces of each order by what its lines count as; orders without lines keep what is stated."""
    quantity = lines["quantity_milli"]
    pieces = np.where((quantity % 1000 == 0) & (quantity <= _MOST_PIECES * 1000), np.maximum(quantity, 0), 1000)
    at = np.searchsorted(heads["order_id"], lines["order_id"])
    # The lines are read a moment after the heads: an order that came in between is left for the next night.
    here = at < heads["order_id"].size
    here[here] = heads["order_id"][at[here]] == lines["order_id"][here]
    at, pieces = at[here], pieces[here]
    items = np.zeros(heads["order_id"].size, dtype=np.int64)
    count = np.zeros(heads["order_id"].size, dtype=np.int64)
    np.add.at(items, at, pieces)
    np.add.at(count, at, 1)
    heads["items_milli"] = np.where(count > 0, items, heads["items_milli"])


def shop_days(seconds: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """Day numbers in the shop's zone (int32) of instants in seconds since 1970 UTC.

    The offset is asked for once per UTC day, and by the quarter of an hour only on days on which it changes.
    """
    days = seconds // 86_400
    offsets = np.zeros(seconds.size, dtype=np.int64)
    for day in np.unique(days):
        rows = days == day
        start, end = _offset(int(day) * 86_400, zone), _offset(int(day) * 86_400 + 86_399, zone)
        if start == end:
            offsets[rows] = start
            continue
        quarters = seconds[rows] // 900
        found = {int(q): _offset(int(q) * 900, zone) for q in np.unique(quarters)}
        offsets[rows] = [found[int(q)] for q in quarters]
    return ((seconds + offsets) // 86_400).astype(np.int32)


def _offset(seconds: int, zone: ZoneInfo) -> int:
    offset = (datetime(1970, 1, 1, tzinfo=clock.UTC) + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    return int((offset or timedelta()).total_seconds())
