"""Whether the database has the tables of this very version. Looks at files and one table; loads no migration."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.db import connection


class State(StrEnum):
    EMPTY = "empty"  # nothing of ours in it
    OLDER = "older"  # lacks tables or columns this version needs
    CURRENT = "current"
    NEWER = "newer"  # has been changed by a version we do not know


def _ours() -> set[tuple[str, str]]:
    known = set()
    for app in apps.get_app_configs():
        try:
            package = import_module(f"{app.name}.migrations")
        except ModuleNotFoundError:
            continue
        for folder in package.__path__:
            known |= {(app.label, path.stem) for path in Path(folder).glob("[0-9]*.py")}
    return known


def state() -> State:
    """Compare the migrations that were run with those this version brings."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and not Path(name).exists():
        return State.EMPTY  # asking would create the file
    with connection.cursor() as cursor:
        if "django_migrations" not in connection.introspection.table_names(cursor):
            return State.EMPTY
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
    ours = _ours()
    labels = {label for label, _ in ours}
    if any(label in labels for label, _ in applied - ours):
        return State.NEWER
    return State.OLDER if ours - applied else State.CURRENT
