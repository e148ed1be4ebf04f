"""Order facts leave the store as columns: one Parquet file of order heads and one of order lines per month and merchant.

The files are a cache of the store under SHUKE_HOME/snapshots, never the truth: delete them and the next night writes them
anew. What changed is found by fingerprints: of each order the database tells one, and where their sum is not what it was (a late
statement, a refund, a merge, an undone import), they are compared with those kept in the files. Only orders whose own one is another
are read from the store, and lines only where these changed; the rest comes from the files. Fingerprints are read from one end of the
table to the other: asked for by months, the database would look for each row. Works from SQLite and PostgreSQL alike; memory holds
one month, and sixteen bytes of each order.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
from django.conf import settings

from shuke.engine.insight import kpi
from shuke.engine.insight.port import TABLES, Columns, Engine
from shuke.insight.queries import order_columns as store
from shuke.insight.queries.kept_rows import places
from shuke.insight.queries.order_columns import PRINTS
from shuke.insight.queries.order_columns import shop_days as shop_days
from shuke.kit import clock
from shuke.kit.progress import Progress, Silent
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

FORMAT = 5  # of the files: a higher number rewrites them all


def folder(merchant: Merchant) -> Path:
    return Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.id)


def refresh(*, merchant: Merchant, progress: Progress | None = None) -> dict[str, int]:
    """Bring the merchant's files up to date with the store. Safe to kill: a month counts once the manifest names it.

    Returns counts: months, rewritten, orders, lines (the last two of what was read from the store).
    """
    with alone(folder(merchant)) as home, Engine(memory="256MB") as engine:
        known = _manifest(home)
        kept = json.dumps(known)
        if known.get("format") != FORMAT or known.get("zone") != merchant.zone:
            known = {"format": FORMAT, "zone": merchant.zone, "months": {}}
        before = bool(known["months"])  # the very first time there is nothing to compare with
        firsts = {f"{first:%Y-%m}" for first in store.months(merchant)}
        counts = {"months": 0, "rewritten": 0, "orders": 0, "lines": 0}
        shown = progress or Silent()
        shown.total(len(firsts | known["months"].keys()), "months")
        for month in sorted(firsts | known["months"].keys()):
            if month not in known["months"] or not _here(home, month):
                _count(counts, _write_whole(engine, merchant, home, known, month))
                shown.advance()
        if before:
            _write_changed(engine, merchant, home, known, counts, shown)
        counts["months"] = len(known["months"])
        if json.dumps(known) != kept:
            _keep_manifest(home, known)
        return counts


def _count(counts: dict[str, int], read: tuple[int, int] | None) -> None:
    if read is not None:
        counts["rewritten"] += 1
        counts["orders"] += read[0]
        counts["lines"] += read[1]


def complete(merchant: Merchant) -> bool:
    """Whether the files are all there, as the last night left them."""
    home = folder(merchant)
    known = _manifest(home)
    return (known.get("format"), known.get("zone")) == (FORMAT, merchant.zone) and all(
        _here(home, month) for month in known["months"]
    )


def files(merchant: Merchant) -> dict[str, list[Path]]:
    """The files to read, by table name (`heads`, `lines`), oldest month first."""
    home = folder(merchant)
    months = sorted(_manifest(home).get("months", {}))
    return {f"{kind}s": [home / f"{kind}-{month}.parquet" for month in months] for kind in ("head", "line")}


def orders(merchant: Merchant) -> int:
    """How many orders the files hold."""
    return sum(count for count, _print in _manifest(folder(merchant)).get("months", {}).values())


def manifest_text(merchant: Merchant) -> str:
    """Months and fingerprints of the orders in the files: the same text, the same orders."""
    return json.dumps(_manifest(folder(merchant)), sort_keys=True)


def _here(home: Path, month: str) -> bool:
    return all((home / f"{kind}-{month}.parquet").exists() for kind in ("head", "line"))


@contextmanager
def alone(home: Path) -> Iterator[Path]:
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
    part.write_text(json.dumps(known, sort_keys=True))
    part.replace(home / "manifest.json")


def _forget(home: Path, known: dict, month: str) -> None:
    del known["months"][month]
    for kind in ("head", "line"):
        (home / f"{kind}-{month}.parquet").unlink(missing_ok=True)


def _write_whole(engine: Engine, merchant: Merchant, home: Path, known: dict, month: str) -> tuple[int, int] | None:
    """Write one month from the store alone; how many orders and lines were read. None: it has none."""
    whole = _span(merchant, month)
    heads = store.heads(merchant, whole)
    if not heads["order_id"].size:
        if month in known["months"]:
            _forget(home, known, month)
        return None
    lines = store.lines(merchant, whole)
    store.count_items(heads, lines)
    _write(engine, home, known, month, _dated(merchant, month, heads), lines)
    return heads["order_id"].size, lines["order_id"].size


def _write_changed(
    engine: Engine, merchant: Merchant, home: Path, known: dict, counts: dict[str, int], shown: Progress
) -> None:
    """Find out which orders changed, by the fingerprint of each beside the one in the files, and write the months they are in."""
    now = store.prints(merchant, most=_most_are_of(merchant))
    if _total(known) == store.summed(now):
        return
    seen = np.zeros(now["order_id"].size, bool)
    out: dict[str, np.ndarray] = {}
    for month in sorted(known["months"]):
        file = engine.read(home / f"head-{month}.parquet", ("order_id", *PRINTS))
        at, there = places(now["order_id"], file["order_id"])
        same = there & (now["print"][at] == store.whole_print(file)) & ~seen[at] if seen.size else there
        seen[at[same]] = True
        out[month] = file["order_id"][~same]
        known["months"][month] = _summed(file)
    fresh = store.paid_seconds(merchant, now["order_id"][~seen])
    lasting = sorted(known["months"].keys() | {f"{first:%Y-%m}" for first in store.months(merchant)})
    begins = np.array([int(_span(merchant, month)[0].timestamp()) for month in lasting], np.int64)
    place = np.searchsorted(begins, fresh["paid_s"], side="right") - 1
    for number, month in enumerate(lasting):
        mine = np.sort(fresh["order_id"][place == number])
        gone = out.get(month, mine[:0])
        if month not in known["months"]:
            _count(counts, _write_whole(engine, merchant, home, known, month))
        elif mine.size or gone.size:
            _count(counts, _write_changes(engine, merchant, home, known, month, mine, gone[~np.isin(gone, mine)]))
        shown.advance()


def _write_changes(
    engine: Engine, merchant: Merchant, home: Path, known: dict, month: str, fresh: np.ndarray, gone: np.ndarray
) -> tuple[int, int]:
    """Write one month with the orders that changed, and without those that are gone; how many orders and lines were read."""
    old = engine.read(home / f"head-{month}.parquet", (*TABLES["heads"], *PRINTS))
    heads = store.heads(merchant, fresh)
    first, after = (moment.timestamp() for moment in _span(merchant, month))
    here = (heads["paid_s"] >= first) & (heads["paid_s"] < after)  # who moved this moment is found next time
    heads = {name: values[here] for name, values in heads.items()}
    at, there = places(old["order_id"], heads["order_id"])
    if old["order_id"].size:
        reread = heads["order_id"][~(there & (old["line_print"][at] == heads["line_print"]))]
    else:
        reread = heads["order_id"]
    lines = store.lines(merchant, reread)
    store.count_items(heads, lines)
    # An order whose lines are as they were counts the pieces it counted before.
    kept = there & ~np.isin(heads["order_id"], reread)
    heads["items_milli"][kept] = old["items_milli"][at[kept]]
    whole = _replaced(old, np.concatenate((fresh, gone)), _dated(merchant, month, heads))
    if not whole["order_id"].size:
        _forget(home, known, month)
        return heads["order_id"].size, lines["order_id"].size
    of_lines = None
    if reread.size or gone.size:
        before = engine.read(home / f"line-{month}.parquet", tuple(TABLES["lines"]))
        of_lines = _replaced(before, np.concatenate((reread, gone)), lines)
    _write(engine, home, known, month, whole, of_lines)
    return heads["order_id"].size, lines["order_id"].size


def _span(merchant: Merchant, month: str) -> store.Span:
    first = date.fromisoformat(f"{month}-01")
    return store.span(merchant, first, clock.add_months(first, 1))


def _summed(heads: Columns) -> list[int]:
    return store.summed({"order_id": heads["order_id"], "print": store.whole_print(heads)})


def _total(known: dict) -> list[int]:
    """The sums of all months, as `summed` would give them of all orders at once."""
    count, print_ = (sum(column) for column in zip(*known["months"].values(), strict=True)) if known["months"] else (0, 0)  # fmt: skip
    return [count, print_ % store.PRIME]


def _most_are_of(merchant: Merchant) -> bool:
    return 2 * orders(merchant) >= sum(orders(one) for one in shops.merchants())


def _replaced(old: Columns, out: np.ndarray, fresh: Columns) -> Columns:
    """`old` without the orders `out`, and with the rows of `fresh`."""
    stay = ~places(np.sort(out), old["order_id"])[1]
    return {name: np.concatenate((values[stay], fresh[name])) for name, values in old.items()}


def _dated(merchant: Merchant, month: str, heads: Columns) -> Columns:
    """The columns that follow from the others."""
    heads["day"] = store.shop_days(heads["paid_s"], merchant.tz)
    heads["month"] = np.full(heads["day"].size, kpi.month_number(date.fromisoformat(f"{month}-01")), dtype=np.int32)
    heads["counted"] = (~((heads["net"] <= 0) & (heads["refunded"] > 0))).astype(np.int32)
    return heads


def _write(engine: Engine, home: Path, known: dict, month: str, heads: Columns, lines: Columns | None) -> None:
    """Lines first: heads hold the fingerprints, and must not claim lines that a kill kept from being written."""
    if lines is not None:
        engine.write("lines", lines, home / f"line-{month}.parquet")
    order = np.argsort(heads["order_id"], kind="stable")  # what is sorted but for a few rows takes no time
    heads = {name: values[order] for name, values in heads.items()}
    engine.write("heads", heads, home / f"head-{month}.parquet", beside=PRINTS)
    known["months"][month] = _summed(heads)
    _keep_manifest(home, known)
