"""An empty database with all tables, as a file: `python -m tests.tables FILE`. Saves short runs the migrations."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def save(file: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    connection.creation.create_test_db(verbosity=0, serialize=False)
    copy(file)


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


if __name__ == "__main__":
    save(Path(sys.argv[1]))
