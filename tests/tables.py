"""An empty database with all tables, as a file: `python -m tests.tables FILE`. Saves short runs the migrations."""

from __future__ import annotations

import os
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


def copy(file: Path) -> None:
    """What is committed in the database of this very run."""
    from django.db import connection

    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as ours, closing(sqlite3.connect(file)) as theirs:
        ours.backup(theirs)


if __name__ == "__main__":
    save(Path(sys.argv[1]))
