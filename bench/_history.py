"""A shop's made-up history, straight into the tables: members, orders, lines. Seeded; realistic skew; no books of points."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

DAYS = 1_095
LAST = date(2026, 10, 31)
_CHUNK = 200_000
_SECOND = np.timedelta64(1, "s")


def fill(
    merchant: Any, stores: list[int], database: Path, *, members: int, lines: int, seed: int = 7
) -> tuple[int, int]:
    """Write the history into an empty shop's tables; how many orders and lines.

    Orders per member: 1 + a gamma-mixed Poisson; members drop out; 2.5 lines an order; products by Zipf; one order in a hundred
    partly given back, one in ten a guest's.
    """
    dice = np.random.default_rng(seed)
    orders = lines * 2 // 5
    mean = orders * 0.9 / members - 1
    count = 1 + np.minimum(dice.poisson(dice.gamma(0.55, mean / 0.55, members)), 400)
    first = dice.integers(0, DAYS - 20, members)
    stays = np.minimum(dice.exponential(DAYS * 0.4, members), DAYS - 1 - first)
    who = np.repeat(np.arange(members), count)
    begins = np.repeat(np.cumsum(count) - count, count) == np.arange(who.size)
    day = np.repeat(first, count) + np.where(begins, 0, (dice.random(who.size) * np.repeat(stays, count)).astype(int))
    guests = orders // 10
    who = np.concatenate((who, np.full(guests, -1)))
    day = np.concatenate((day, dice.integers(0, DAYS, guests)))
    order = np.argsort(day, kind="stable")
    who, day = who[order], day[order]
    at = np.datetime64(LAST) - np.timedelta64(DAYS - 1, "D") + day.astype("timedelta64[D]")
    paid = at.astype("datetime64[s]") + dice.integers(2 * 3600, 14 * 3600, day.size) * _SECOND
    size = np.minimum(dice.geometric(0.4, who.size), 25)
    share = 1 / np.arange(1, 5_001) ** 0.9
    price = np.maximum(100, dice.lognormal(7.6, 0.8, 5_000).astype(np.int64))
    with _writing(database) as to:
        base = _ids(merchant)
        products = base + np.arange(5_000)
        to.executemany(
            "INSERT INTO orders_product (id, merchant_id, code, title, category, brand, unit, reclassified) VALUES (?,?,?,?,?,'','',0)",
            ((int(p), merchant.pk, f"P{i}", f"商品 {i}", f"部类{i % 12}/品类{i % 60}") for i, p in enumerate(products)),
        )
        people = base + 10_000 + np.arange(members)
        joined = _texts(np.datetime64(LAST) - np.timedelta64(DAYS - 1, "D") + first.astype("timedelta64[D]"))
        to.executemany(
            "INSERT INTO members_member (id, merchant_id, card, state, name, nickname, gender, province, city, phone_hint, "
            "acquired_by, birth_lunar, joined_at, attributes, tags, note, occupation, income_band, frozen_because) "
            "VALUES (?,?,?,'active','','','','','','','',0,?,'{}','[]','','','','')",
            ((int(p), merchant.pk, f"{i:09d}", j) for i, (p, j) in enumerate(zip(people, joined, strict=True))),
        )
        written, next_line = 0, base + 2_000_000_000
        for low in range(0, who.size, _CHUNK):
            part = slice(low, low + _CHUNK)
            written += _orders(
                to, merchant, stores, base + 10_000_000 + np.arange(low, low + who[part].size),
                np.where(who[part] < 0, 0, people[who[part]]), paid[part], size[part], products,
                np.searchsorted(np.cumsum(share / share.sum()), dice.random(int(size[part].sum()))).clip(0, 4_999),
                price, dice, next_line + written,
            )  # fmt: skip
    return int(who.size), written


def one_more_day(merchant: Any, stores: list[int], database: Path, *, orders: int, seed: int = 8) -> dict[str, int]:
    """What a day brings, `orders` touched in all: half of them new, a quarter refunds of the last month, a quarter of older orders
    whose buyer turned out to be somebody else (a merge)."""
    dice = np.random.default_rng(seed)
    with _writing(database, indexes=True) as to:
        people = np.array(
            [r[0] for r in to.execute("SELECT id FROM members_member WHERE merchant_id = ?", [merchant.pk])]
        )
        products = np.array(
            [r[0] for r in to.execute("SELECT id FROM orders_product WHERE merchant_id = ?", [merchant.pk])]
        )
        top = int(to.execute("SELECT MAX(id) FROM orders_order").fetchone()[0]) + 1
        line = int(to.execute("SELECT MAX(id) FROM orders_line").fetchone()[0]) + 1
        fresh = orders // 2
        size = np.minimum(dice.geometric(0.4, fresh), 25)
        paid = (
            np.datetime64(LAST + timedelta(days=1)).astype("datetime64[s]")
            + np.sort(dice.integers(7200, 50_400, fresh)) * _SECOND
        )
        _orders(
            to, merchant, stores, top + np.arange(fresh), dice.choice(people, fresh), paid, size, products,
            dice.integers(0, products.size, int(size.sum())), np.full(products.size, 1_900), dice, line,
        )  # fmt: skip
        lately = datetime.combine(LAST - timedelta(days=30), datetime.min.time(), UTC)
        recent = [
            r[0]
            for r in to.execute(
                "SELECT id FROM orders_order WHERE paid_at >= ? AND id < ? AND net_minor > 200", [str(lately)[:19], top]
            )
        ]
        back = dice.choice(recent, orders // 4, replace=False).tolist()
        to.executemany(
            "UPDATE orders_order SET refunded_minor = refunded_minor + 100, net_minor = net_minor - 100 WHERE id = ?",
            [(b,) for b in back],
        )
        to.executemany("UPDATE orders_line SET refunded_minor = refunded_minor + 100 WHERE order_id = ? AND merchant_id = ? AND position = 0",
                       [(b, merchant.pk) for b in back])  # fmt: skip
        moved, found = 0, []
        while moved < orders // 4:
            gone, into = (int(one) for one in dice.choice(people, 2, replace=False))
            moved += to.execute(
                "UPDATE orders_order SET member_id = ? WHERE merchant_id = ? AND member_id = ?",
                [into, merchant.pk, gone],
            ).rowcount
            found.append((into, gone))
        to.executemany("UPDATE members_member SET state = 'merged', merged_into_id = ? WHERE id = ?", found)
    return {"new": fresh, "refunded": len(back), "moved": moved, "merged_members": len(found)}


def _orders(
    to: sqlite3.Connection, merchant: Any, stores: list[int], ids: np.ndarray, who: np.ndarray, paid: np.ndarray, size: np.ndarray,
    products: np.ndarray, product: np.ndarray, price: np.ndarray, dice: np.random.Generator, next_line: int,
) -> int:  # fmt: skip
    amount = price[product]
    ends = np.cumsum(size)
    total = np.add.reduceat(amount, ends - size)
    back = np.where(dice.random(ids.size) < 0.01, total // 2, 0)
    at, store = _texts(paid), dice.choice(stores, ids.size)
    to.executemany(
        "INSERT INTO orders_order (id, merchant_id, store_id, number, member_id, status, created_at, paid_at, finished_at, close_reason, "
        "currency, goods_minor, discount_minor, freight_minor, paid_minor, refunded_minor, stated_refund_minor, net_minor, pieces_milli, "
        "line_count, lines_minor, channel, staff_code, buyer_note, seller_note, excluded, digest, lines_digest, said) "
        "VALUES (?,?,?,?,?,60,?,?,?,'','CNY',?,0,0,?,?,0,?,?,?,?,'','','','','',?,?,0)",
        (
            (i, merchant.pk, s, str(i), w or None, a, a, a, t, t, b, t - b, n * 1000, n, t, (i * 0x9E3779B97F4A7C15 % 2**128).to_bytes(16, "big"),
             (i * 0xC2B2AE3D27D4EB4F % 2**128).to_bytes(16, "little"))
            for i, s, w, a, t, b, n in zip(ids.tolist(), store.tolist(), who.tolist(), at, total.tolist(), back.tolist(), size.tolist(), strict=True)
        ),
    )  # fmt: skip
    position = np.arange(product.size) - np.repeat(ends - size, size)
    to.executemany(
        "INSERT INTO orders_line (id, merchant_id, order_id, position, product_id, title, sku, spec, quantity_milli, amount_minor, "
        "discount_minor, refunded_minor, sub_number) VALUES (?,?,?,?,?,'','','',1000,?,0,?,'')",
        zip(
            range(next_line, next_line + product.size), [merchant.pk] * product.size, np.repeat(ids, size).tolist(), position.tolist(),
            products[product].tolist(), amount.tolist(), np.where(position == 0, np.repeat(back, size), 0).tolist(), strict=True,
        ),
    )  # fmt: skip
    return int(product.size)


def _texts(at: np.ndarray) -> list[str]:
    """Instants as Django stores them on SQLite."""
    return [text.replace("T", " ") for text in np.datetime_as_string(at.astype("datetime64[s]")).tolist()]


def _ids(merchant: Any) -> int:
    """A stretch of numbers nobody has yet, below those the product hands out from now on."""
    return int(merchant.pk) // 2


@contextmanager
def _writing(database: Path, *, indexes: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection that writes quickly: a bench may lose its database. Without `indexes` they are made anew at the end."""
    with closing(sqlite3.connect(database)) as to:
        to.execute("PRAGMA synchronous=OFF")
        to.execute("PRAGMA cache_size=-400000")
        kept = to.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN "
            "('orders_order', 'orders_line', 'members_member')"
        ).fetchall()
        for name, _sql in kept if not indexes else []:
            to.execute(f'DROP INDEX "{name}"')
        yield to
        for _name, sql in kept if not indexes else []:
            to.execute(sql)
        to.commit()
        to.execute("ANALYZE")
        to.execute("PRAGMA wal_checkpoint(TRUNCATE)")
