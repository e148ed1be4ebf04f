"""The chance to buy in words: likely, possible, unlikely. Definitions: docs/algorithms/clv.md.

A percentage to a decimal says more than anybody knows of one person; three words are what a manager can act on.
"""

from __future__ import annotations

BANDS = ("likely", "possible", "unlikely")
LIKELY_FROM, POSSIBLE_FROM = 500, 200  # permille
DAYS = (30, 90)


def band(permille: int) -> str:
    """Which word a chance deserves."""
    return "likely" if permille >= LIKELY_FROM else "possible" if permille >= POSSIBLE_FROM else "unlikely"


def bounds(word: str) -> tuple[int, int]:
    """Permille from (inclusive) and to (exclusive) of a band."""
    return {
        "likely": (LIKELY_FROM, 1001),
        "possible": (POSSIBLE_FROM, LIKELY_FROM),
        "unlikely": (0, POSSIBLE_FROM),
    }[word]
