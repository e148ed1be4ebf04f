"""A made-up history as the tables of the port, and what an analysis says about it: for comparing one engine with another."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
import sqlglot
from sqlglot import exp

from shuke.engine.insight import kpi, port

DAY = 20_757
PARAMETERS = {
    "as_of": DAY,
    "window_from": DAY - 365,
    "active_from": DAY - 90,
    "active_days": 90,
    "window_days": 365,
    "by_member": 0,
    "default_margin": 300,
}
KINDS = {"BIGINT": np.int64, "INTEGER": np.int32}
Tables = dict[str, list[dict[str, int]]]
Rows = list[tuple]


def made_up(seed: int, *, orders: int = 600, members: int = 60) -> Tables:
    """Guests, strangers, people who join later, orders given back, sums at the edge of every width, days yet to come."""
    luck = Random(seed)
    heads = []
    for number in range(1, orders + 1):
        day = DAY - int(luck.triangular(-10, 800, 0))
        refunded = luck.choice((0, 0, 0, 700))
        net = 0 if refunded and luck.random() < 0.5 else luck.choice((0, 128, 255, 32_768, luck.randint(1, 10**10)))
        row = dict.fromkeys(port.TABLES["heads"], 0)
        row |= {
            "order_id": number, "member": luck.choice((0, 10**6, *range(1, members))), "store": luck.randint(1, 4), "day": day,
            "month": kpi.month_number(kpi.day_of_number(day)), "paid_s": day * 86_400 + luck.randint(0, 86_399), "net": net, "refunded": refunded,
            "items_milli": luck.randint(0, 9) * 1_000, "line_count": luck.randint(1, 9), "counted": int(not (net <= 0 and refunded > 0)),
        }  # fmt: skip
        heads.append(row)
    people = [
        {"member": m, "joined": DAY - luck.randint(-20, 900), "home_store": luck.randint(0, 4)}
        for m in range(1, members)
    ]
    lines = [
        {"order_id": head["order_id"], "product": luck.randint(0, 12), "quantity_milli": 1_000, "amount": luck.randint(1, 10**6),
         "discount": luck.choice((0, 0, 90)), "refunded": luck.choice((0, 0, 500))}
        for head in heads for _ in range(luck.randint(1, 4))
    ]  # fmt: skip
    goods = [{"product": product, "item": 1 + product % 5} for product in range(1, 11)]
    chosen = [{"store_id": 1}, {"store_id": 3}]
    buckets = [{"day": day, "bucket": (day - DAY + 810) // 30} for day in range(DAY - 700, DAY + 1)]
    store_units = [{"store": 1, "unit": 1}, {"store": 2, "unit": 1}, {"store": 3, "unit": 2}]
    who_units = [{"member": one["member"], "unit": one["member"] % 3} for one in people]
    margins = [{"product": p, "permille": 400 if p % 2 else -1, "cost": -1 if p % 2 else 70} for p in range(1, 6)]
    taken = [{"order_id": head["order_id"], "minor": luck.randint(1, 10**9)} for head in heads if luck.random() < 0.3]
    return {
        "taken_off": taken, "margins": margins, "heads": heads, "lines": lines, "members": people, "chosen": chosen, "goods": goods,
        "buckets": buckets, "store_units": store_units, "who_units": who_units, "days": days(heads), "steps": steps(days(heads)),
        "order_sums": order_sums(lines, margins),
    }  # fmt: skip


def days(heads: list[dict[str, int]]) -> list[dict[str, int]]:
    """What the analysis of that name must say, by plain loops."""
    found: dict[tuple[int, int], list[dict[str, int]]] = {}
    for head in heads:
        if head["member"] and head["day"] <= DAY:
            found.setdefault((head["member"], head["day"]), []).append(head)
    rows = []
    for (who, day), orders in found.items():
        bought = [order for order in orders if order["counted"]]
        at = [order["paid_s"] for order in bought]
        rows.append({
            "member": who, "day": day, "orders": len(bought), "net": sum(order["net"] for order in bought),
            "refunded": sum(order["refunded"] for order in orders), "first_s": min(at, default=0), "last_s": max(at, default=0),
        })  # fmt: skip
    return rows


def steps(listed: list[dict[str, int]]) -> list[dict[str, int]]:
    found = []
    for row in (one for one in listed if one["orders"]):
        others = [one["day"] for one in listed if one["orders"] and one["member"] == row["member"]]
        before = max((day for day in others if day < row["day"]), default=-1_000_000)
        after = min((day for day in others if day > row["day"]), default=1_000_000)
        found.append({"member": row["member"], "day": row["day"], "before_day": before, "next_day": after})
    return found


def order_sums(lines: list[dict[str, int]], margins: list[dict[str, int]]) -> list[dict[str, int]]:
    stated = {one["product"]: one for one in margins}
    found: dict[int, dict[str, int]] = {}
    for line in lines:
        sums = found.setdefault(
            line["order_id"], dict.fromkeys(port.TABLES["order_sums"], 0) | {"of_order": line["order_id"]}
        )
        left, told = max(line["amount"] - line["refunded"], 0), stated.get(line["product"])
        permille, cost = (told["permille"], told["cost"]) if told else (PARAMETERS["default_margin"], -1)
        sums["kept_sum"] += left
        sums["weighted_sum"] += left * max(permille, 0)
        sums["costed_sum"] += left if cost >= 0 else 0
        sums["cost_sum"] += max(cost, 0) * line["quantity_milli"] if left else 0
        sums["stated_sum"] += left if told else 0
        sums["asked_sum"] += line["amount"]
        sums["reduced_sum"] += line["amount"] if line["discount"] else 0
    return list(found.values())


def columns(table: str, rows: list[dict[str, int]]) -> port.Columns:
    return {c: np.array([row[c] for row in rows], dtype=KINDS[kind]) for c, kind in port.TABLES[table].items()}


def parameters(name: str) -> dict[str, int]:
    """What analysis `name` asks for."""
    wanted = {node.name for node in sqlglot.parse_one(port.text_of(name), read="duckdb").find_all(exp.Placeholder)}
    return {key: PARAMETERS[key] for key in wanted}


def rows_of(engine: port.Port, name: str) -> Rows:
    found = engine.run(name, **parameters(name))
    return list(zip(*(values.tolist() for values in found.values()), strict=True))


def on_our_engine(tables: Tables, names: list[str]) -> dict[str, Rows]:
    with port.Engine() as engine:
        for table, rows in tables.items():
            engine.table(table, columns(table, rows))
        return {name: rows_of(engine, name) for name in names}


def kept_rows(tables: Tables, name: str) -> Rows:
    """What the engine keeps as a table of that name."""
    with port.Engine() as engine:
        for table, rows in tables.items():
            engine.table(table, columns(table, rows))
        engine.keep(name, **parameters(name))
        return sorted(engine._connection.execute(f'SELECT * FROM "{name}"').fetchall())


def same(name: str, ours: Rows, theirs: Rows) -> None:
    """Every cell: whole numbers exactly, sums of logarithms to the ninth digit, rows in the order the text asks for."""
    if "\nORDER BY" not in port.text_of(name):
        ours, theirs = sorted(ours), sorted(theirs)
    assert len(ours) > 0
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        cells: list[Callable] = [float if isinstance(cell, float) else int for cell in mine]
        told = [kind(cell) for kind, cell in zip(cells, other, strict=True)]
        assert [v for v in mine if isinstance(v, int)] == [v for v in told if isinstance(v, int)]
        assert list(mine) == pytest.approx(told, rel=1e-9)
