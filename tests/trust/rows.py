"""Everything that is in the database, as one figure: whether anything was written at all."""

from __future__ import annotations

import hashlib

from django.db import connection

POSTGRES = (
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1"
)
SQLITE = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"


def rows(other=None) -> str:
    """A hash of every row of every table: as Django's connection sees them, or `other`, a driver's own."""
    cursor = other.cursor() if other is not None else connection.cursor()
    told = hashlib.blake2b()
    postgres = connection.vendor == "postgresql"
    cursor.execute(POSTGRES if postgres else SQLITE)
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1" if postgres else f"SELECT * FROM {table} ORDER BY 1")
        told.update(f"{table}{cursor.fetchall()}".encode())
    return told.hexdigest()
