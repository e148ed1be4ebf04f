"""A coupon's life as the charter has it: when it can be used, whether one more is issued, whether it comes back.

Books and replay ask the same. What a coupon takes off a basket is decided by pricing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shuke.engine.charter.selling import Coupon as Template
from shuke.kit.clock import day_of, day_start


class Count(NamedTuple):
    """Figures of one template over all its versions, and its limits (None: without)."""

    issued: int = 0
    held: int = 0
    redeemed: int = 0
    held_minor: int = 0
    spent_minor: int = 0
    most_issued: int | None = None
    most_redeemed: int | None = None
    budget_minor: int | None = None
    paused: bool = False

    def why_none_issued(self, count: int) -> str:
        """Why not so many more: "" where nothing stands against it."""
        if self.paused:
            return "paused"
        return "all_issued" if self.most_issued is not None and self.issued + count > self.most_issued else ""

    def budget_left(self) -> int | None:
        """Money the template may still give; nothing, when it was redeemed as often as it may. None: no budget."""
        if self.most_redeemed is not None and self.held + self.redeemed >= self.most_redeemed:
            return 0
        return None if self.budget_minor is None else self.budget_minor - self.held_minor - self.spent_minor

    def may_hold(self, count: int, amount: int) -> bool:
        money = self.budget_minor is None or self.held_minor + self.spent_minor + amount <= self.budget_minor
        return money and (self.most_redeemed is None or self.held + self.redeemed + count <= self.most_redeemed)


def validity(template: Template, at: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """From when until when (exclusive) a coupon issued at `at` can be used."""
    valid, day = template.valid, day_of(at, zone)
    start = day_start(valid.from_date, zone) if valid.from_date else None
    if valid.after_days:
        later = day_start(day + timedelta(days=valid.after_days), zone)
        start = later if start is None else max(start, later)
    ends = []
    if valid.until_date:
        ends.append(day_start(valid.until_date + timedelta(days=1), zone))
    if valid.days:
        ends.append(day_start(day + timedelta(days=valid.after_days + valid.days + 1), zone))
    return start, min(ends) if ends else None


def is_over(valid_until: datetime | None, now: datetime) -> bool:
    return valid_until is not None and valid_until <= now


def has_enough(template: Template, had: int, count: int) -> bool:
    """Would a member who ever got `had` of it have more than the template lets one have?"""
    return template.limits.per_member is not None and had + count > template.limits.per_member


def comes_back(
    template: Template, valid_until: datetime | None, now: datetime, zone: ZoneInfo
) -> tuple[bool, datetime | None]:
    """The whole order came back: does its coupon, and until when can it be used? One that ran out lives on for its grace."""
    if template.returned != "give_back":
        return False, valid_until
    if not is_over(valid_until, now):
        return True, valid_until
    if not template.returned_grace_days:
        return False, valid_until
    return True, day_start(day_of(now, zone) + timedelta(days=template.returned_grace_days + 1), zone)
