"""The analyses give the same rows on the store's own engine, turned by sqlglot: PostgreSQL or SQLite, whichever runs the suite.

This is what lets a cluster take over one day, and it watches the engine we use: DuckDB 2.0.0 has already been caught.
"""

from random import Random

import numpy as np
import pytest
import sqlglot
from django.db import connection
from sqlglot import exp

from shuke.engine.insight import port

pytestmark = pytest.mark.django_db
DAY = 20_757
PARAMETERS = {"as_of": DAY, "window_from": DAY - 365, "active_from": DAY - 90, "active_days": 90, "window_days": 365}
KINDS = {"BIGINT": np.int64, "INTEGER": np.int32}


def made_up(seed: int) -> dict[str, list[dict[str, int]]]:
    luck = Random(seed)
    heads = []
    for number in range(1, 601):
        day = DAY - int(luck.triangular(-10, 800, 0))
        refunded = luck.choice((0, 0, 0, 700))
        net = 0 if refunded and luck.random() < 0.5 else luck.choice((0, 128, 255, 32_768, luck.randint(1, 10**10)))
        row = dict.fromkeys(port.TABLES["heads"], 0)
        row |= {
            "order_id": number, "member": luck.choice((0, 99, *range(1, 60))), "store": luck.randint(1, 4), "day": day,
            "month": 24_000 + day // 30, "paid_s": day * 86_400 + luck.randint(0, 86_399), "net": net, "refunded": refunded,
            "items_milli": luck.randint(0, 9) * 1_000, "line_count": luck.randint(1, 9), "counted": int(not (net <= 0 and refunded > 0)),
        }  # fmt: skip
        heads.append(row)
    members = [
        {"member": m, "joined": DAY - luck.randint(-20, 900), "home_store": luck.randint(0, 4)} for m in range(1, 60)
    ]
    lines = [
        {"order_id": head["order_id"], "product": luck.randint(0, 12), "quantity_milli": 1_000, "amount": luck.randint(1, 10**6),
         "discount": 0, "refunded": luck.choice((0, 0, 500))}
        for head in heads for _ in range(luck.randint(1, 4))
    ]  # fmt: skip
    goods = [{"product": product, "item": 1 + product % 5} for product in range(1, 11)]
    chosen = [{"store_id": 1}, {"store_id": 3}]
    return {"heads": heads, "lines": lines, "members": members, "chosen": chosen, "goods": goods}


def on_our_engine(tables, name: str) -> list[tuple]:
    with port.Engine() as engine:
        for table, rows in tables.items():
            kinds = port.TABLES[table]
            engine.table(table, {c: np.array([row[c] for row in rows], dtype=KINDS[kind]) for c, kind in kinds.items()})
        wanted = {node.name for node in sqlglot.parse_one(port.text_of(name), read="duckdb").find_all(exp.Placeholder)}
        columns = engine.run(name, **{key: PARAMETERS[key] for key in wanted})
    return list(zip(*(values.tolist() for values in columns.values()), strict=True))


def on_the_store(tables, name: str) -> list[tuple]:
    dialect = "postgres" if connection.vendor == "postgresql" else "sqlite"
    tree = sqlglot.parse_one(port.text_of(name), read="duckdb")
    for node in list(tree.find_all(exp.Placeholder)):
        node.replace(exp.Literal.number(PARAMETERS[node.name]))
    with connection.cursor() as cursor:
        for table, kinds in port.TABLES.items():
            listed = ", ".join(f'"{column}" {kind}' for column, kind in kinds.items())
            cursor.execute(f"CREATE TEMP TABLE {table} ({listed})")
            marks = ", ".join(["%s"] * len(kinds))
            cursor.executemany(
                f"INSERT INTO {table} VALUES ({marks})", [tuple(row.values()) for row in tables.get(table, [])]
            )
        cursor.execute(tree.sql(dialect=dialect).replace("%", "%%"))
        rows = cursor.fetchall()
        for table in port.TABLES:
            cursor.execute(f"DROP TABLE {table}")
    return rows


@pytest.mark.parametrize("name", port.names())
def test_an_analysis_gives_the_same_rows_on_another_engine(name):
    tables = made_up(len(name))
    ours, theirs = on_our_engine(tables, name), on_the_store(tables, name)
    if "ORDER BY" not in port.text_of(name):
        ours, theirs = sorted(ours), sorted(theirs)
    assert len(ours) > 0
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == pytest.approx(tuple(float(v) if isinstance(v, float) else int(v) for v in other), rel=1e-9)
        assert [v for v in mine if isinstance(v, int)] == [
            int(v) for v, m in zip(other, mine, strict=True) if isinstance(m, int)
        ]
