"""Which goods a charter treats alike: one bit per rule, as the database adds lines up (`loyalty.queries.facts`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def bits(rules: Sequence[Any], category: str, code: str, brand: str) -> int:
    """One bit per rule that chooses these goods. Goods without a row in the catalogue have nothing to be chosen by."""
    return sum(
        1 << i
        for i, rule in enumerate(rules)
        if any(category == c or category.startswith(c + "/") for c in rule.categories)
        or code in rule.products
        or brand in rule.brands
    )
