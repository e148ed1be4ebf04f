"""The analytics engine the operator chose, and whether this machine still suits the history."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Sum

from shuke.engine.insight import port_choice
from shuke.engine.insight.port import Port
from shuke.engine.insight.port_estimate import Machine, Outlook, Size, outlook
from shuke.members.models import Member, MemberState
from shuke.orders.models import Order
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

MEMORY = 400 << 20  # of the engine in this process, which shares the machine with database and console
_MOST_MEMORY = 2 << 30  # however large the history: what exceeds it spills
_EACH = 100  # bytes of an order in the tables that a night keeps
_NIGHT = 4 * 3600  # seconds a night may take: from two o'clock until the shop opens, with room for the books
_SPILL = 8 << 30
PAGE = 100  # seconds a page may take to compute; the server gives up at 120


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


def memory_of_a_night(orders: int) -> int:
    """The tables that a night keeps must not spill: the month ends of years read them again and again."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else _MOST_MEMORY
    return max(MEMORY, min(MEMORY + orders * _EACH, _MOST_MEMORY, machine // 4))


@contextmanager
def at_most(engine: Port, seconds: float | None) -> Iterator[None]:
    """What runs longer than that ends with EngineStopped: somebody waits for the page, and the next ones need the engine too."""
    timer = threading.Timer(seconds or 0, engine.cancel)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def sizes() -> dict[int, Size]:
    """By merchant: what the night has to read, and whether anything of it was there last night."""
    ordered = Order.objects.values_list("merchant_id").annotate(Count("pk"), Sum("line_count")).order_by()
    orders = {pk: (count, lines or 0) for pk, count, lines in ordered}
    counted = Member.objects.filter(state=MemberState.ACTIVE).values_list("merchant_id").annotate(Count("pk"))
    members = dict(counted.order_by())
    return {
        one.pk: Size(*orders.get(one.pk, (0, 0)), members.get(one.pk, 0), fresh=not _has_files(one))
        for one in shops.merchants()
    }


def outlooks() -> dict[int, Outlook]:
    """By merchant: what a night costs here, and whether another engine is due."""
    home = Path(settings.SHUKE_HOME)
    near = next((place for place in (home, *home.parents) if place.exists()), Path("/"))
    machine = Machine(
        cores=os.cpu_count() or 1, memory=MEMORY, free_disk=shutil.disk_usage(near).free, window=_NIGHT, spill=_SPILL
    )
    found = sizes()
    return {
        pk: outlook(size, machine, [other for own, other in found.items() if own != pk]) for pk, size in found.items()
    }


def _has_files(merchant: Merchant) -> bool:
    try:
        path = Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.pk) / "manifest.json"
        return bool(json.loads(path.read_text()).get("months"))
    except (FileNotFoundError, ValueError):
        return False
