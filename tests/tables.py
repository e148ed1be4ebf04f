"""An empty database with all tables, as a file: `python -m tests.tables FILE`. Saves whoever begins with it the migrations.

On SQLite the file is a database (SHUKE_TEST_TABLES names it to tests/settings.py), on PostgreSQL the words that make one
(SHUKE_TEST_TABLES_SQL names it to .ci/postgres)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path


def save(file: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    connection.creation.create_test_db(verbosity=0, serialize=False)
    if connection.vendor == "sqlite":
        copy(file)
    else:
        dump(file)


def put(file: Path) -> None:
    """For a program that opens a database of its own: the tables, if they were made beforehand, so that it need not."""
    if made := os.environ.get("SHUKE_TEST_TABLES"):
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, file)


def copy(file: Path) -> None:
    """What is committed in the database of this very run."""
    from django.db import connection

    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as ours, closing(sqlite3.connect(file)) as theirs:
        ours.backup(theirs)


def dump(file: Path) -> None:
    from django.db import connection

    from tests.trust.own_postgres import address, programs

    found = programs()
    assert found is not None
    told = address(connection.get_connection_params())
    subprocess.run([str(found / "pg_dump"), "--no-owner", "-d", told, "-f", str(file)], check=True)


if __name__ == "__main__":
    save(Path(sys.argv[1]))
