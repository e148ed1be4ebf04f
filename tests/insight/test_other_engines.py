"""The analyses give the same rows on the store's own engine, turned by sqlglot: PostgreSQL or SQLite, whichever runs the suite.

This is half of the conformance set; the other half runs on a real cluster (tests/engine/insight/test_spark_cluster.py). It also
watches the engine we use: DuckDB 2.0.0 has already been caught.
"""

import pytest
from django.db import connection

from shuke.engine.insight import port
from shuke.engine.insight.port_turn import turned
from tests.engine.insight.made_up import Rows, Tables, made_up, on_our_engine, parameters, same

pytestmark = pytest.mark.django_db


def on_the_store(tables: Tables, name: str) -> Rows:
    dialect = "postgres" if connection.vendor == "postgresql" else "sqlite"
    with connection.cursor() as cursor:
        for table, kinds in port.TABLES.items():
            listed = ", ".join(f'"{column}" {kind}' for column, kind in kinds.items())
            cursor.execute(f"CREATE TEMP TABLE {table} ({listed})")
            marks = ", ".join(["%s"] * len(kinds))
            cursor.executemany(
                f"INSERT INTO {table} VALUES ({marks})", [tuple(row.values()) for row in tables.get(table, [])]
            )
        cursor.execute(turned(name, dialect, parameters(name)).replace("%", "%%"))
        rows = cursor.fetchall()
        for table in port.TABLES:
            cursor.execute(f"DROP TABLE {table}")
    return rows


@pytest.mark.parametrize("name", port.names())
def test_an_analysis_gives_the_same_rows_on_another_engine(name):
    tables = made_up(len(name))
    same(name, on_our_engine(tables, [name])[name], on_the_store(tables, name))
