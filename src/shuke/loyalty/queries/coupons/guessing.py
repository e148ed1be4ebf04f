"""How long a caller has to wait before another code is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from shuke.loyalty.models import CodeTry
from shuke.shops.models import Merchant

WINDOW, PER_CALLER = timedelta(minutes=15), 10
ALARM, IN_ALL = timedelta(minutes=10), 300
TRICKLE = timedelta(seconds=10)  # after the alarm one code is looked at in so long


def wait_minutes(merchant: Merchant, callers: Sequence[str], now: datetime) -> int:
    """Minutes until the next code of this caller is looked at; 0 = now."""
    until = now
    for caller in callers:
        digest = hashlib.sha256(caller.encode()).digest()[:8]
        mine = CodeTry.objects.filter(merchant=merchant, caller=digest, at__gt=now - WINDOW)
        recent = list(mine.order_by("-at").values_list("at", flat=True)[:PER_CALLER])
        if len(recent) >= PER_CALLER:
            until = max(until, recent[-1] + WINDOW)
    everybody = CodeTry.objects.filter(merchant=merchant, at__gt=now - ALARM).order_by("-at")
    latest = list(everybody.values_list("at", flat=True)[:IN_ALL])
    if len(latest) >= IN_ALL:
        until = max(until, latest[0] + TRICKLE)
    return -(-int((until - now).total_seconds() * 1000) // 60_000)
