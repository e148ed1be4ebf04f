"""How long somebody waits who told codes that nobody has: the brake on guessing, decided from the times of bad tries.

Books and replay ask the same (docs/algorithms/coupons.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

WINDOW, PER_CALLER = timedelta(minutes=15), 10
ALARM, IN_ALL = timedelta(minutes=10), 300
TRICKLE = timedelta(seconds=10)  # after the alarm one code is looked at in so long


def free_again(mine: Sequence[datetime], everybody: Sequence[datetime], now: datetime) -> datetime:
    """When the next code of this caller is looked at. Bad tries, latest first: its own, and those of all callers."""
    until = now
    recent = [at for at in mine if at > now - WINDOW][:PER_CALLER]
    if len(recent) >= PER_CALLER:
        until = recent[-1] + WINDOW
    latest = [at for at in everybody if at > now - ALARM][:IN_ALL]
    if len(latest) >= IN_ALL:
        until = max(until, latest[0] + TRICKLE)
    return until


def minutes(until: datetime, now: datetime) -> int:
    """Whole minutes to wait, rounded up; 0 = now."""
    return -(-int((until - now).total_seconds() * 1000) // 60_000)
