"""The catalogue, as far as orders and product lists tell it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shuke.engine.facts import Line, Product
from shuke.kit import bulk, ids
from shuke.orders.models import Product as ProductRow
from shuke.shops.models import Merchant

_TABLE = ProductRow._meta.db_table
_COLUMNS = ("id", "merchant_id", "code", "title", "category", "brand", "unit", "reclassified")


def know_products(*, merchant: Merchant, products: Sequence[Product]) -> int:
    """Take in a product list: new goods are added, and what the list says replaces what was known. How many changed."""
    stated = {p.code[:80]: (p.title[:200], p.category[:160], p.brand[:80], p.unit[:30]) for p in products if p.code}
    known = _known(merchant.id, stated)
    changed = []
    for code, row in known.items():
        full = tuple(new or old for new, old in zip(stated[code], row[1:], strict=True))
        if full != row[1:]:
            changed.append((*full, full[1:3] != row[2:4], row[0]))
    new = [(code, *values) for code, values in stated.items() if code not in known]
    _write(merchant.id, new, changed)
    return len(new) + len(changed)


def products_of(merchant_id: int, lines: Iterable[Line]) -> dict[str, tuple[int, str]]:
    """Make sure every good named by these lines is in the catalogue; its id and title by code.

    Lines fill what the catalogue does not know yet, and never replace what it does: a title on an old receipt must not
    undo the product list.
    """
    stated: dict[str, tuple[str, str, str]] = {}
    for line in lines:
        code = line[3]
        if code and code not in stated:
            stated[code] = (line[0][:200], line[6][:160], line[7][:80])
    if not stated:
        return {}
    stated = {code[:80]: values for code, values in stated.items()}
    known = _known(merchant_id, stated)
    new = [(code, *values, "") for code, values in stated.items() if code not in known]
    changed = []
    for code, row in known.items():
        if row[1] and row[2] and row[3]:
            continue  # nothing to fill
        title, category, brand = stated[code]
        full = (row[1] or title, row[2] or category, row[3] or brand, row[4])
        if full != row[1:]:
            changed.append((*full, full[1:3] != row[2:4], row[0]))
            known[code] = (row[0], *full)
    made = _write(merchant_id, new, changed)
    found = {code: (row[0], row[1]) for code, row in known.items()}
    found.update(made)
    return found


def take_reclassified(*, merchant: Merchant) -> list[int]:
    """Members who bought goods whose category or brand has changed since the last call: points may depend on it."""
    moved = bulk.select(f"SELECT id FROM {_TABLE} WHERE merchant_id = %s AND reclassified = %s", [merchant.id, True])
    if not moved:
        return []
    condition, values = bulk.among("id", [pk for (pk,) in moved])
    bulk.execute(
        f"UPDATE {_TABLE} SET reclassified = %s WHERE +merchant_id = %s AND {condition}", [False, merchant.id, values]
    )
    condition, values = bulk.among("l.product_id", [pk for (pk,) in moved])
    rows = bulk.select(
        "SELECT DISTINCT o.member_id FROM orders_line l JOIN orders_order o ON o.id = l.order_id "
        f"WHERE l.merchant_id = %s AND {condition} AND o.member_id IS NOT NULL",
        [merchant.id, values],
    )
    return sorted(member for (member,) in rows)


def _write(
    merchant_id: int, new: list[tuple[str, str, str, str, str]], changed: list[tuple]
) -> dict[str, tuple[int, str]]:
    if changed:
        bulk.update(_TABLE, _COLUMNS[3:], changed)
    if not new:
        return {}
    fresh = ids.take(len(new))
    bulk.insert_new(_TABLE, _COLUMNS, [(i, merchant_id, *row, False) for i, row in zip(fresh, new, strict=True)])
    made = {row[0]: (i, row[1]) for i, row in zip(fresh, new, strict=True)}
    if bulk.is_postgres():  # another process may have been first with some of them
        made = {code: (row[0], row[1]) for code, row in _known(merchant_id, made).items()}
    return made


def _known(merchant_id: int, codes: Iterable[str]) -> dict[str, tuple[int, str, str, str, str]]:
    condition, values = bulk.among("code", codes)
    rows = bulk.select(
        f"SELECT code, id, title, category, brand, unit FROM {_TABLE} WHERE merchant_id = %s AND {condition}",
        [merchant_id, values],
    )
    return {row[0]: row[1:] for row in rows}
