"""Model instances read by a statement of one's own.

Django composes each query anew, in Python, and hands it over with its values pasted in: for one row by key that takes several times
as long as the database does. What a till asks for with every sale is read here instead, by a constant text that the
database keeps prepared (see `bulk`). Everything else stays with the ORM.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connections
from django.db.models import Model

from shuke.kit import bulk

M = TypeVar("M", bound=Model)
Converters = tuple[tuple[int, tuple[Callable, ...], Any], ...]


def read(model: type[M], rest: str, parameters: Sequence[Any]) -> list[M]:
    """All rows of one table; `rest` is what follows FROM table: conditions on its own columns, order, limit."""
    table = model._meta.db_table
    return [row[0] for row in read_joined({table: model}, f"FROM {table} {rest}", parameters)]


def read_joined(models: dict[str, type[Model]], rest: str, parameters: Sequence[Any]) -> list[tuple]:
    """Rows of joined tables as tuples of instances, in the order of `models` (alias → model); `rest` begins at FROM."""
    parts = [_reading(model, alias) for alias, model in models.items()]
    sql = f"SELECT {', '.join(columns for columns, _, _ in parts)} {rest}"
    connection = connections["default"]
    found = []
    for row in bulk.select(sql, parameters):
        made, start = [], 0
        for model, (_, names, converters) in zip(models.values(), parts, strict=True):
            values = list(row[start : start + len(names)])
            start += len(names)
            for place, convert, column in converters:
                for one in convert:
                    values[place] = one(values[place], column, connection)
            made.append(model.from_db("default", names, values))
        found.append(tuple(made))
    return found


@lru_cache(maxsize=200)
def _reading(model: type[Model], alias: str) -> tuple[str, list[str], Converters]:
    """The columns of a model as SQL, their names, and what turns a stored value into the model's: as the ORM would."""
    connection = connections["default"]
    fields = model._meta.concrete_fields
    converters = []
    for place, field in enumerate(fields):
        column = field.get_col(model._meta.db_table)
        convert = (*connection.ops.get_db_converters(column), *column.get_db_converters(connection))
        if convert:
            converters.append((place, convert, column))
    columns = ", ".join(f'{alias}."{field.column}"' for field in fields)
    return columns, [field.attname for field in fields], tuple(converters)
