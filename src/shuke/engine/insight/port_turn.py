"""The text of an analysis as another engine wants it: checked against the tables of the port, then turned by sqlglot.

sqlglot comes with the extra `[spark]`; the engine in this process reads the texts as they are.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from shuke.engine.insight import port


def turned(name: str, dialect: str, parameters: dict[str, int | float]) -> str:
    """Analysis `name` for `dialect` ("spark", "postgres", …), its parameters written in.

    Parameters are numbers, so writing them in is safe and spares each engine its own way of binding. A column that no table
    of the port has is an error here, before any engine sees it.
    """
    tree = sqlglot.parse_one(port.text_of(name), read="duckdb")
    for mark in list(tree.find_all(exp.Placeholder)):
        mark.replace(exp.Literal.number(parameters[mark.name]))
    qualify(tree.copy(), schema={**port.TABLES}, dialect="duckdb")
    return tree.sql(dialect=dialect, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
