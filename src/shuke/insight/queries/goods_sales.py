"""The sales of a merchant for the analyses of goods: from the columns the night keeps, by product or by kind of goods."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from django.conf import settings
from django.db import connection

from shuke.engine.insight import kpi
from shuke.engine.insight.goods import reading
from shuke.engine.insight.goods import sales as engine_sales
from shuke.engine.insight.goods.reading import Stood
from shuke.engine.insight.goods.sales import Sales
from shuke.engine.insight.port import Engine
from shuke.insight.models import GoodsMark
from shuke.insight.queries import analytics, month_sales
from shuke.members.models import MemberState
from shuke.orders.models import Product
from shuke.shops.models import Merchant

LEVELS = ("product", "kind")
MOST_ITEMS = 3_000  # pairs of more would not fit into memory; the page says what share of sales they are
STRETCH = 2 << 20  # bytes of files that are read at once: some 350,000 lines
MANY_PRODUCTS = 500  # from here on single products are bought too seldom, and kinds are shown first


class Shelf(NamedTuple):
    """All goods. Kinds are numbered from 1 in the order of their names; 0: no kind is known."""

    product: np.ndarray  # int64, ascending
    kind: np.ndarray  # int64 of each product
    kinds: list[str]  # name of kind number i + 1
    absent: np.ndarray  # bool of each product
    durable: dict[int, bool]  # kind → what the seller says

    def item_of(self, level: str) -> np.ndarray:
        return self.product if level == "product" else self.kind

    def key(self, level: str, item: int) -> str:
        return str(item) if level == "product" else self.kinds[item - 1]

    def item(self, level: str, key: str) -> int | None:
        """The item a key names."""
        if level == "product":
            return int(key) if key.isascii() and key.isdigit() and len(key) < 19 else None
        return self.kinds.index(key) + 1 if key in self.kinds else None

    def kind_of(self, level: str, items: np.ndarray) -> np.ndarray:
        if level == "kind" or not self.product.size:
            return items if level == "kind" else np.zeros(items.size, np.int64)
        return self.kind[np.minimum(np.searchsorted(self.product, items), self.product.size - 1)]

    def absent_of(self, level: str, items: np.ndarray) -> np.ndarray:
        """A kind cannot be had when none of its products can."""
        gone = self.item_of(level)[self.absent]
        there = self.item_of(level)[~self.absent]
        return np.isin(items, gone) & ~np.isin(items, there)

    def main_level(self) -> str:
        """Kinds, where most products have one and there are too many products to speak of each."""
        return "kind" if self.product.size > MANY_PRODUCTS and (self.kind > 0).mean() > 0.5 else "product"


def shelf(merchant: Merchant) -> Shelf:
    marks = {
        product: (need, durable, gone)
        for product, need, durable, gone in GoodsMark.objects.filter(merchant=merchant).values_list(
            "product_id", "need", "durable", "out_of_stock"
        )
    }
    # Streamed: of a hundred thousand products the rows would weigh more than everything that is kept of them.
    product, name_of = array("q"), array("q")
    seen: dict[str, int] = {}
    durable_names: dict[str, bool] = {}
    rows = Product.objects.filter(merchant=merchant).order_by("id").values_list("id", "category")
    for pk, category in rows.iterator(chunk_size=20_000):
        need, durable, _gone = marks.get(pk, ("", None, False))
        name = (need or category).strip()
        product.append(pk)
        name_of.append(seen.setdefault(name, len(seen)))
        if name and durable is not None:
            durable_names[name] = durable
    kinds = sorted(seen.keys() - {""})
    number = {name: i for i, name in enumerate(kinds, start=1)} | {"": 0}
    products = np.array(product, np.int64)
    gone = [pk for pk, (_need, _durable, out) in marks.items() if out]
    return Shelf(
        products,
        np.array([number[name] for name in seen], np.int64)[np.array(name_of, np.int64)],
        kinds,
        np.isin(products, np.array(gone, np.int64)),
        {number[name]: said for name, said in durable_names.items()},
    )


Leave = Callable[[Path, str, str, Stood], None]


def sold(
    merchant: Merchant, shelves: Shelf, level: str, day: date, *, most: int = MOST_ITEMS, leave: Leave | None = None
) -> tuple[Sales, float]:
    """Everything sold up to the end of `day`, of the `most` items members bought, and the share of all rows these are.

    leave: what keeps a month that had to be made anew for the next time (file of lines, level, mark, month).
    """
    last = kpi.day_number(day)
    if analytics.on_cluster():
        parts = _on_the_cluster(merchant, shelves.product, shelves.item_of(level), last)
    else:
        parts = _here(merchant, shelves, level, last, leave)
    whole = engine_sales.joined(list(parts))
    chosen = whole.most(most)
    return chosen, chosen.item.size / max(whole.item.size, 1)


def _on_the_cluster(merchant: Merchant, products: np.ndarray, item: np.ndarray, as_of: int) -> Iterator[Sales]:
    with analytics.opened() as engine:
        engine.table("members", living(merchant))
        engine.table("goods", {"product": products[item > 0], "item": item[item > 0]})
        for months in stretches(files_of(merchant)):
            engine.files("heads", months["heads"])
            engine.files("lines", months["lines"])
            rows = engine.run("goods_lines", as_of=as_of)
            columns = (rows.pop(name) for name in ("at_order", "who", "on_day", "what", "paid", "back"))
            yield engine_sales.sales(*columns)


def _here(merchant: Merchant, shelves: Shelf, level: str, as_of: int, leave: Leave | None) -> Iterator[Sales]:
    item, members = shelves.item_of(level), np.sort(living(merchant)["member"])
    products, listed = month_sales.of_products(shelves.product, item), files_of(merchant)
    with Engine(memory="256MB") as engine:
        for heads, lines in zip(listed["heads"], listed["lines"], strict=True):
            marked = month_sales.mark(lines, products)
            told = month_sales.kept(lines, level, marked)
            if told is None:
                told = reading.stood(engine.read(lines, reading.LINES), shelves.product, item)
                if leave is not None and month_sales.mark(lines, products) == marked:  # no night came in between
                    leave(lines, level, marked, told)
            yield reading.taken(engine.read(heads, reading.HEADS), told, members, as_of=as_of)


def files_of(merchant: Merchant) -> dict[str, list[Path]]:
    """The columns that insight.actions.columns keeps: a month counts once its manifest names it."""
    home = Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.pk)
    try:
        months = sorted(json.loads((home / "manifest.json").read_text())["months"])
    except (FileNotFoundError, ValueError, KeyError):
        months = []
    return {f"{kind}s": [home / f"{kind}-{month}.parquet" for month in months] for kind in ("head", "line")}


def stretches(listed: dict[str, list[Path]], *, most: int = STRETCH) -> Iterator[dict[str, list[Path]]]:
    """The months' files some at a time, oldest first: a month at least, and further ones while their lines stay below `most` bytes."""
    begin, held = 0, 0
    sizes = [path.stat().st_size for path in listed["lines"]]
    for place, size in enumerate(sizes):
        if place > begin and held + size > most:
            yield {kind: paths[begin:place] for kind, paths in listed.items()}
            begin, held = place, 0
        held += size
    yield {kind: paths[begin:] for kind, paths in listed.items()}


def living(merchant: Merchant) -> dict[str, np.ndarray]:
    """The engine's table of members, without their joining days and stores."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT id FROM members_member WHERE merchant_id = %s AND state = %s", [merchant.pk, MemberState.ACTIVE]
        )
        parts = []
        while rows := cursor.fetchmany(20_000):
            parts.append(np.array(rows, dtype=np.int64)[:, 0])
    member = np.concatenate(parts) if parts else np.empty(0, np.int64)
    nothing = np.zeros(member.size, np.int64)
    return {"member": member, "joined": nothing.astype(np.int32), "home_store": nothing}


def names_of(merchant: Merchant, shelves: Shelf, level: str, items: set[int]) -> dict[int, str]:
    """What people call the items: title or code of a product, the last two levels of a category."""
    if level == "kind":
        return {item: short(shelves.kinds[item - 1]) for item in items}
    found = Product.objects.filter(merchant=merchant, pk__in=items).values_list("pk", "title", "code")
    return {product: title or code for product, title, code in found}


def short(kind: str) -> str:
    """'GROCERY/CHEESE/CREAM CHEESE' → 'Cheese / Cream cheese'."""
    levels = [level.strip() for level in kind.split("/") if level.strip()][-2:]
    if len(levels) == 2 and levels[0].lower() == levels[1].lower():
        levels = levels[1:]
    return " / ".join(level.capitalize() if level.isascii() and level.isupper() else level for level in levels)
