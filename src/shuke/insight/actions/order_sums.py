"""What the lines of each order say about margin and price, kept month by month beside the columns of lines.

Adding up the lines is most of the work of a profit report, and what they say changes only with the lines of the month or with what the
seller stated of goods. So a file of sums is made anew where the file of lines is another one than last time, all of them where margins
or piece costs are. Who bought, and what counts as paid, is not in it: merges and the window of a year cost nothing here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np

from shuke.engine.insight import kpi, profit_orders
from shuke.engine.insight.port import TABLES, Columns, Engine, Port
from shuke.insight.actions import columns
from shuke.insight.queries import analytics
from shuke.insight.queries.goods_sales import living
from shuke.shops.models import Merchant

FORMAT = 1


def purchases(
    merchant: Merchant, day: date, margins: Columns, default: int, taken: tuple[np.ndarray, np.ndarray]
) -> Iterator[Columns]:
    """Every purchase up to the end of `day` (sql/profit_orders.sql), a part of the history at a time, the oldest first.

    margins: the engine's table of what is stated of products. default: the shop's margin in thousandths. taken: ascending orders, and
    what was taken off each at the till.
    """
    as_of = kpi.day_number(day)
    if analytics.on_cluster():
        with analytics.opened() as engine:
            yield whole(engine, merchant, margins, default, taken, as_of)
        return
    # No night writes columns in the meantime.
    with columns.alone(columns.folder(merchant)) as home, Engine(memory="256MB") as engine:
        for heads, sums in _months(engine, home, columns.files(merchant), margins, default):
            yield profit_orders.of_month(engine.read(heads, profit_orders.HEADS), sums, taken, as_of=as_of)


def whole(
    engine: Port, merchant: Merchant, margins: Columns, default: int, taken: tuple[np.ndarray, np.ndarray], as_of: int
) -> Columns:
    """The same from all orders and lines at once, by member."""
    for name, files in columns.files(merchant).items():
        engine.files(name, files)
    engine.table("members", living(merchant))
    engine.table("margins", margins)
    engine.table("taken_off", {"order_id": taken[0], "minor": taken[1]})
    engine.keep("order_sums", default_margin=default)
    return engine.run("profit_orders", as_of=as_of)


def _months(
    engine: Engine, home: Path, files: dict[str, list[Path]], margins: Columns, default: int
) -> Iterator[tuple[Path, Columns]]:
    """The file of heads of each month, and the sums of its orders, ascending."""
    known, of = _manifest(home), _told(margins, default)
    if known.get("of") != of:
        known = {"of": of, "months": {}}
        _keep(home, known)  # before the first file is another one
    engine.table("margins", margins)
    names = {f"sums-{lines.name.removeprefix('line-')}" for lines in files["lines"]}
    for left in home.glob("sums-*.parquet"):
        if left.name not in names:
            left.unlink(missing_ok=True)
    for heads, lines in zip(files["heads"], files["lines"], strict=True):
        path = home / f"sums-{lines.name.removeprefix('line-')}"
        stat = lines.stat()
        mark = [stat.st_mtime_ns, stat.st_ino, stat.st_size]
        if known["months"].get(path.name) == mark and path.exists():
            yield heads, engine.read(path, tuple(TABLES["order_sums"]))
            continue
        engine.files("lines", [lines])
        sums = engine.run("order_sums", default_margin=default)
        order = np.argsort(sums["of_order"])
        sums = {name: values[order] for name, values in sums.items()}
        engine.write("order_sums", sums, path)
        known["months"][path.name] = mark
        _keep(home, known)
        yield heads, sums


def _told(margins: Columns, default: int) -> str:
    found = hashlib.sha256(f"{FORMAT} {default}".encode())
    for name, values in sorted(margins.items()):
        found.update(name.encode() + values.tobytes())
    return found.hexdigest()


def _manifest(home: Path) -> dict:
    try:
        return json.loads((home / "sums.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}


def _keep(home: Path, known: dict) -> None:
    part = home / "sums.json.part"
    part.write_text(json.dumps(known, sort_keys=True))
    part.replace(home / "sums.json")
