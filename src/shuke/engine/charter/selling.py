"""What the charter says about the till: prices by tier, offers, coupons, points as money, and in which order."""

from __future__ import annotations

from collections.abc import Collection

from shuke.engine.charter.faults import Fault
from shuke.engine.charter.parts import Part


class Selling(Part):
    """Everything that changes what a basket costs."""


def check_selling(selling: Selling, tiers: Collection[str]) -> list[Fault]:
    """Contradictions that types cannot see. `tiers` are the keys of the charter's tiers."""
    return []
