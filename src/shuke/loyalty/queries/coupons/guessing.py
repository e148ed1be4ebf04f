"""How long a caller has to wait before another code is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from shuke.engine.checkout import guessing
from shuke.loyalty.models import CodeTry
from shuke.shops.models import Merchant


def wait_minutes(merchant: Merchant, callers: Sequence[str], now: datetime) -> int:
    """Minutes until the next code of this caller is looked at; 0 = now."""
    tries = CodeTry.objects.filter(merchant=merchant).order_by("-at")
    everybody = list(tries.filter(at__gt=now - guessing.ALARM).values_list("at", flat=True)[: guessing.IN_ALL])
    until = guessing.free_again((), everybody, now)
    for caller in callers:
        digest = hashlib.sha256(caller.encode()).digest()[:8]
        mine = tries.filter(caller=digest, at__gt=now - guessing.WINDOW).values_list("at", flat=True)
        until = max(until, guessing.free_again(list(mine[: guessing.PER_CALLER]), (), now))
    return guessing.minutes(until, now)
