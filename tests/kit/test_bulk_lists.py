"""Lists as conditions, of any length, on both databases."""

import pytest
from django.db import connection

from shuke.kit import bulk


@pytest.mark.parametrize(
    ("column", "values", "found"), [("name", ["兰记"], 1), ("name", [], 0), ("id", [], 0), ("id", [1], 0)]
)
def test_one_of_a_list_also_of_an_empty_one(lan, column, values, found):
    wanted = ["Lan's Shop 兰记" if value == "兰记" else value for value in values]
    condition, parameter = bulk.among(column, wanted)
    assert len(bulk.select(f"SELECT id FROM shops_merchant WHERE {condition}", [parameter])) == found


@pytest.fixture
def prepared(db):
    """Names of the statements PostgreSQL keeps for this connection; the connection is a new one."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's driver keeps its statements by itself.")

    def look() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements WHERE NOT from_sql")
            return [row[0] for row in cursor.fetchall()]

    driver = connection.connection
    had, driver._shuke_cursor = driver.prepare_threshold, None
    driver.prepare_threshold = None
    yield look
    driver.prepare_threshold, driver._shuke_cursor = had, None


def test_postgresql_keeps_the_statements_of_a_till_prepared_but_not_those_with_long_lists(prepared):
    marked = "SELECT 17 FROM shops_merchant WHERE id = ANY(%s)"
    bulk.select(marked, [list(range(1000))])
    assert not [sql for sql in prepared() if "SELECT 17" in sql]
    bulk.select(marked, [[1, 2]])
    assert [sql for sql in prepared() if "SELECT 17" in sql]


def test_a_pooler_that_cannot_keep_statements_is_spared(prepared, settings):
    settings.SHUKE_PG_PREPARE = False
    bulk.select("SELECT 18 FROM shops_merchant WHERE id = ANY(%s)", [[1, 2]])
    assert not [sql for sql in prepared() if "SELECT 18" in sql]


def test_a_doubled_percent_sign_before_an_s_is_no_parameter(db):
    assert bulk.select("SELECT '%%s' || %s", ["x"]) == [("%sx",)]
