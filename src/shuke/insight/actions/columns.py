"""Order facts leave the store as columns: one Parquet file of order heads and one of order lines per month and merchant.

The files are a cache of the store under SHUKE_HOME/snapshots, never the truth: delete them and the next night writes them
anew. What changed is found by fingerprints, month by month: of each order the database tells one, and where their sum is not
what it was (a late statement, a refund, a merge, an undone import), they are compared with those kept in the file. Only orders
whose own one is another are read from the store, and lines only where these changed; the rest comes from the files. Once
through the fingerprints is enough whatever happened: a few merges touch days all over the history. Works from SQLite and
PostgreSQL alike; memory holds one month.
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
from shuke.insight.queries.order_columns import PRINTS
from shuke.insight.queries.order_columns import shop_days as shop_days
from shuke.kit import clock
from shuke.kit.progress import Progress, Silent
from shuke.shops.models import Merchant

FORMAT = 4  # of the files: a higher number rewrites them all


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
        firsts = list(store.months(merchant))
        shown = progress or Silent()
        shown.total(len(firsts), "months")
        counts = {"months": 0, "rewritten": 0, "orders": 0, "lines": 0}
        for first in firsts:
            month = f"{first:%Y-%m}"
            now = store.prints(merchant, store.span(merchant, first, clock.add_months(first, 1)))
            sums, had = store.summed(now), known["months"].get(month) if _here(home, month) else None
            if sums[0]:
                counts["months"] += 1
                if had != sums:
                    read = (
                        _write_whole(engine, merchant, home, month)
                        if had is None
                        else _write_changes(engine, merchant, home, month, now)
                    )
                    known["months"][month] = sums
                    _keep_manifest(home, known)
                    if read is not None:
                        counts["rewritten"] += 1
                        counts["orders"] += read[0]
                        counts["lines"] += read[1]
            elif month in known["months"]:
                _forget(home, known, month)
            shown.advance()
        for month in known["months"].keys() - {f"{first:%Y-%m}" for first in firsts}:
            _forget(home, known, month)
        if json.dumps(known) != kept:
            _keep_manifest(home, known)
        return counts


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


def _write_whole(engine: Engine, merchant: Merchant, home: Path, month: str) -> tuple[int, int]:
    """Write one month from the store alone; how many orders and lines were read."""
    first = date.fromisoformat(f"{month}-01")
    whole = store.span(merchant, first, clock.add_months(first, 1))
    heads, lines = store.heads(merchant, whole), store.lines(merchant, whole)
    store.count_items(heads, lines)
    _write(engine, home, month, _dated(merchant, month, heads), lines)
    return heads["order_id"].size, lines["order_id"].size


def _write_changes(engine: Engine, merchant: Merchant, home: Path, month: str, now: Columns) -> tuple[int, int] | None:
    """Write one month with the orders that changed; how many of them and of their lines were read. None: nothing had."""
    old = engine.read(home / f"head-{month}.parquet", (*TABLES["heads"], *PRINTS))
    if not old["order_id"].size:
        return _write_whole(engine, merchant, home, month)
    at, there = _places(old["order_id"], now["order_id"])
    fresh = now["order_id"][~(there & (store.whole_print(old)[at] == now["print"]))]
    gone = old["order_id"][~_places(now["order_id"], old["order_id"])[1]]
    if not fresh.size and not gone.size:
        return None
    heads = store.heads(merchant, fresh)
    at, there = _places(old["order_id"], heads["order_id"])
    reread = heads["order_id"][~(there & (old["line_print"][at] == heads["line_print"]))]
    lines = store.lines(merchant, reread)
    store.count_items(heads, lines)
    # An order whose lines are as they were counts the pieces it counted before.
    kept = there & ~np.isin(heads["order_id"], reread)
    heads["items_milli"][kept] = old["items_milli"][at[kept]]
    _write(
        engine,
        home,
        month,
        _replaced(old, np.concatenate((fresh, gone)), _dated(merchant, month, heads)),
        None
        if not reread.size and not gone.size
        else _replaced(
            engine.read(home / f"line-{month}.parquet", tuple(TABLES["lines"])), np.concatenate((reread, gone)), lines
        ),
    )
    return heads["order_id"].size, lines["order_id"].size


def _places(sorted_ids: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where ids stand among ascending ones, and whether they are there at all (elsewhere the place means nothing)."""
    at = np.minimum(np.searchsorted(sorted_ids, wanted), max(sorted_ids.size - 1, 0))
    there = sorted_ids[at] == wanted if sorted_ids.size else np.zeros(wanted.size, dtype=bool)
    return at, there


def _replaced(old: Columns, out: np.ndarray, fresh: Columns) -> Columns:
    """`old` without the orders `out`, and with the rows of `fresh`."""
    stay = ~_places(np.sort(out), old["order_id"])[1]
    return {name: np.concatenate((values[stay], fresh[name])) for name, values in old.items()}


def _dated(merchant: Merchant, month: str, heads: Columns) -> Columns:
    """The columns that follow from the others."""
    heads["day"] = store.shop_days(heads["paid_s"], merchant.tz)
    heads["month"] = np.full(heads["day"].size, kpi.month_number(date.fromisoformat(f"{month}-01")), dtype=np.int32)
    heads["counted"] = (~((heads["net"] <= 0) & (heads["refunded"] > 0))).astype(np.int32)
    return heads


def _write(engine: Engine, home: Path, month: str, heads: Columns, lines: Columns | None) -> None:
    """Lines first: heads hold the fingerprints, and must not claim lines that a kill kept from being written."""
    if lines is not None:
        engine.write("lines", lines, home / f"line-{month}.parquet")
    engine.write("heads", heads, home / f"head-{month}.parquet", order="order_id", beside=PRINTS)
