"""The analytics engine the operator chose, and whether this machine still suits the history."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from django.conf import settings
from django.db.models import Sum

from shuke.engine.insight import port_choice
from shuke.engine.insight.port import Port
from shuke.engine.insight.port_estimate import Machine, Outlook, Size, outlook
from shuke.members.models import Member, MemberState
from shuke.orders.models import Order
from shuke.shops.models import Merchant

MEMORY = 400 << 20  # of the engine in this process, which shares the machine with database and console
_NIGHT = 4 * 3600  # seconds a night may take: from two o'clock until the shop opens, with room for the books
_SPILL = 8 << 30


def address() -> str:
    """SHUKE_ANALYTICS: empty for the engine in this process."""
    return settings.SHUKE_ANALYTICS


def on_cluster() -> bool:
    return address() not in ("", "duckdb")


def temp() -> Path:
    """Where the engine spills; on a cluster, where workers find the tables that are brought."""
    return Path(settings.SHUKE_HOME) / "tmp" / "engine"


def opened(*, memory: int = MEMORY) -> Port:
    """The engine, to be closed (use `with`). Memory and spill are bounded. Raises EngineFailed with what to do."""
    return port_choice.opened(address(), temp=temp(), memory=f"{memory >> 20}MB", temp_limit=f"{_SPILL >> 30}GB")


def size_of(merchant: Merchant) -> Size:
    """What the night has to read, and how much of it was there last night."""
    orders = Order.objects.filter(merchant=merchant)
    told = orders.aggregate(lines=Sum("line_count"))
    members = Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE).count()
    return Size(orders=orders.count(), lines=told["lines"] or 0, members=members, fresh=not _has_files(merchant))


def outlook_of(merchant: Merchant) -> Outlook:
    """What a night costs here, and whether another engine is due."""
    home = Path(settings.SHUKE_HOME)
    near = next((place for place in (home, *home.parents) if place.exists()), Path("/"))
    machine = Machine(
        cores=os.cpu_count() or 1, memory=MEMORY, free_disk=shutil.disk_usage(near).free, window=_NIGHT, spill=_SPILL
    )
    return outlook(size_of(merchant), machine)


def _has_files(merchant: Merchant) -> bool:
    try:
        path = Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.pk) / "manifest.json"
        return bool(json.loads(path.read_text()).get("months"))
    except (FileNotFoundError, ValueError):
        return False
