"""The analyses stay in the part of SQL that other engines understand too (SCALE: conformance set)."""

import re

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from shuke.engine.insight import port


def parsed(name: str) -> exp.Expression:
    return sqlglot.parse_one(port.text_of(name), read="duckdb")


def test_the_folder_holds_the_analyses_that_the_product_knows():
    assert port.names() == [
        "cohorts", "days", "everyone", "gaps", "goods_lines", "growth_sales", "growth_spans", "habit_kinds", "habit_orders", "history", "member_totals", "months", "order_sums",
        "profit_orders",
        "spans", "steps", "store_months", "stores", "visits", "window_sales",
    ]  # fmt: skip


@pytest.mark.parametrize("name", port.names())
def test_every_column_resolves_against_the_tables_that_the_port_promises(name):
    qualify(parsed(name), schema=port.TABLES, dialect="duckdb")


def test_a_misspelt_column_is_found_before_any_engine_sees_it():
    with pytest.raises(sqlglot.errors.OptimizeError, match="nett"):
        qualify(
            sqlglot.parse_one("SELECT SUM(nett) AS s FROM heads", read="duckdb"), schema=port.TABLES, dialect="duckdb"
        )


@pytest.mark.parametrize("name", port.names())
def test_only_functions_that_mean_the_same_everywhere_are_called(name):
    called = {
        (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).upper()
        for node in parsed(name).find_all(exp.Func)
    }
    assert called - port.ALLOWED == set()


@pytest.mark.parametrize("name", port.names())
def test_every_sum_of_whole_numbers_is_cast_back_to_64_bits(name):
    for node in parsed(name).find_all(exp.Sum):
        inside = node.find_ancestor(exp.Cast)
        if node.find(exp.Ln):  # sums of logarithms are no money
            continue
        assert inside is not None, f"{name}: {node.sql()}"
        assert inside.to.is_type("bigint"), f"{name}: {node.sql()}"


@pytest.mark.parametrize("name", port.names())
def test_no_result_takes_the_name_of_something_it_is_computed_from(name):
    for node in parsed(name).find_all(exp.Alias):
        read = {column.name for column in node.this.find_all(exp.Column)}
        assert node.alias not in read, f"{name}: {node.sql()}"


@pytest.mark.parametrize("name", port.names())
@pytest.mark.parametrize("dialect", ["postgres", "spark"])
def test_the_texts_can_be_written_for_other_engines(name, dialect):
    written = sqlglot.transpile(
        port.text_of(name), read="duckdb", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE
    )[0]
    assert sqlglot.parse_one(written, read=dialect).find(exp.Select)


@pytest.mark.parametrize("name", port.names())
def test_every_text_says_what_it_is_about(name):
    assert re.match(r"-- \S.{15,}", port.text_of(name))
