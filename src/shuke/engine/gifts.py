"""Whether a gift can be had, until when it waits, and what is handed over besides. Books and replay ask the same."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from shuke.kit.clock import day_of, day_start


class Gift(Protocol):
    """What the shelf says of one gift."""

    @property
    def active(self) -> bool: ...
    @property
    def from_at(self) -> datetime | None: ...
    @property
    def until_at(self) -> datetime | None: ...
    @property
    def tiers(self) -> Collection[str]: ...
    @property
    def per_member(self) -> int | None: ...


def why_not(gift: Gift, tier: Collection[str], taken: int, count: int, now: datetime) -> str:
    """Everything but points and stock, which only the write can tell for sure. `tier`: the member's, by all its names (Versions.named); `taken`: what
    the member had of it before."""
    if not gift.active:
        return "inactive"
    if gift.from_at is not None and now < gift.from_at:
        return "not_begun"
    if gift.until_at is not None and now >= gift.until_at:
        return "over"
    if gift.tiers and not set(tier).intersection(gift.tiers):
        return "not_this_tier"
    if gift.per_member is not None and taken + count > gift.per_member:
        return "limit"
    return ""


def has_thing(cost: int, *, gives: bool) -> bool:
    """Is there a thing to hand over in a prize or a step of a plan? `gives`: points or a coupon, which are there at once. With them
    there is a thing where it costs the shop something beside them; without them it is all there is."""
    return cost > 0 or not gives


def waits_until(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The end of the last day on which it can be picked up."""
    return day_start(day_of(now, zone) + timedelta(days=days + 1), zone)
