"""Django's SQLite with one difference: big integers are declared `integer`, so that an id is the row's own key.

A `bigint` primary key is a second tree beside the rows in SQLite, an `integer` one is the rows' tree itself: inserts cost
a tenth less and the file is a fifth smaller (docs/decisions/0008-integer-keys.md). Values are 64 bits either way.
"""
