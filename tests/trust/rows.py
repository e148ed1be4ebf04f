"""Everything that is in the database, as one figure: whether anything was written at all."""

from __future__ import annotations

import hashlib

from django.db import connection

POSTGRES = (
    "SELECT string_agg(format('SELECT %L AS name, md5(string_agg(t::text, ''|'' ORDER BY t::text)) AS told FROM %I t', "
    "c.relname, c.relname), ' UNION ALL ') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND n.nspname = 'public'"
)
SQLITE = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"


def rows(other=None) -> str:
    """A hash of every row of every table: as Django's connection sees them, or `other`, a driver's own."""
    cursor = other.cursor() if other is not None else connection.cursor()
    if connection.vendor == "postgresql":
        cursor.execute(POSTGRES)
        cursor.execute(f"SELECT md5(string_agg(name || told, '|' ORDER BY name)) FROM ({cursor.fetchone()[0]}) x")
        return cursor.fetchone()[0]
    cursor.execute(SQLITE)
    told = hashlib.blake2b()
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
        told.update(f"{table}{cursor.fetchall()}".encode())
    return told.hexdigest()
