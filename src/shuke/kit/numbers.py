"""Numbers that somebody wrote, in a form or an address, where anything may stand."""

from __future__ import annotations

MOST = 2**63 - 1  # what a column of the database holds


def whole(text: str) -> int | None:
    """The whole number from 0 on that `text` is; None where it is none, or more than any id or amount can be."""
    # A digit more than MOST has: Python itself refuses to read thousands of them. `isdigit` alone also knows ² and ٣.
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if number <= MOST else None
