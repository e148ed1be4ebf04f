"""When things happen by themselves. Schedules are data; `tick` turns what is due into jobs, at most one per key.

Times of day are the shop's own. Two workers that tick at the same moment make the same keys, and the table keeps one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from importlib import import_module
from typing import NamedTuple

from shuke.flows import coalition
from shuke.flows.coupons import rules_wanted
from shuke.insight.queries.goods import unreported as goods_unreported
from shuke.insight.queries.profiles import wanted as profiles_wanted
from shuke.insight.queries.profit import unreported as profit_unreported
from shuke.kit import clock, jobs
from shuke.loyalty.models import Hold
from shuke.loyalty.queries.chain import POINTS
from shuke.loyalty.queries.checkouts import any_timed_out
from shuke.loyalty.queries.referral import any_due
from shuke.loyalty.queries.stored.chain import STORED
from shuke.shops.models import Merchant
from shuke.shops.queries import merchants


class Daily(NamedTuple):
    """Once per shop day, at this time. The job is about the day before, which is over."""

    job: str
    at: time


class Often(NamedTuple):
    """Again and again, but only while there is something to do."""

    job: str
    every: timedelta
    wanted: Callable[[Merchant, datetime], bool]


def _unsealed(merchant: Merchant, now: datetime) -> bool:
    return any(chain.unsealed(merchant, 1, count=False) for chain in (POINTS, STORED))


def _held_too_long(merchant: Merchant, now: datetime) -> bool:
    return Hold.objects.filter(merchant=merchant, state="open", times_out_at__lte=now).exists()


NIGHT = Daily("night", time(2, 0))
TIMETABLE: tuple[Daily | Often, ...] = (
    NIGHT,
    Daily("verify", time(3, 30)),
    Often("seal", timedelta(minutes=1), _unsealed),
    Often("holds", timedelta(minutes=1), _held_too_long),
    Often("baskets", timedelta(minutes=1), any_timed_out),
    Often("coupons", timedelta(hours=1), rules_wanted),
    Often("referral", timedelta(minutes=5), any_due),
    Often("coalition", coalition.EVERY, coalition.wanted),
    Often("goods", timedelta(minutes=5), goods_unreported),
    Often("profit", timedelta(minutes=5), profit_unreported),
    Often("profiles", timedelta(minutes=5), profiles_wanted),
)

# Where the handlers live; importing a module installs its handlers.
HANDLERS = (
    "shuke.flows.handlers",
    "shuke.flows.coupons",
    "shuke.flows.referral",
    "shuke.flows.coalition",
    "shuke.flows.night",
    "shuke.flows.imports",
    "shuke.flows.import_jobs",
    "shuke.flows.partner_card",
    "shuke.flows.export_members",
    "shuke.flows.publish_charter",
    "shuke.flows.simulate_charter",
    "shuke.flows.stored",
)


def install() -> None:
    """Load every handler a worker needs."""
    for module in HANDLERS:
        import_module(module)


def key_of(entry: Daily, merchant: Merchant, day: date) -> str:
    return f"{entry.job}:{merchant.pk}:{day.isoformat()}"


def night_due(merchant: Merchant, now: datetime) -> date | None:
    """The day whose night run should have begun by `now` (merchant's time), or None before its first night.

    Only the latest: a night run catches up with everything due by then, so nights missed while no worker ran need no
    run of their own.
    """
    return due(NIGHT, merchant, now)


def due(entry: Daily, merchant: Merchant, now: datetime) -> date | None:
    """The latest day that is over and this is about, by `now` (merchant's time); None before the shop's first day is over."""
    local = now.astimezone(merchant.tz)
    begun = local.date() if local.time() >= entry.at else local.date() - timedelta(days=1)
    day = begun - timedelta(days=1)
    return day if day >= merchant.created_at.astimezone(merchant.tz).date() else None


def tick(now: datetime) -> int:
    """Enqueue whatever is due at the real time `now`, for every merchant; how many jobs are new."""
    wanted: dict[str, tuple[str, dict, int]] = {}
    for merchant in merchants():
        shop_now = now + timedelta(seconds=merchant.clock_shift)
        for entry in TIMETABLE:
            if isinstance(entry, Daily):
                if (day := due(entry, merchant, shop_now)) is not None:
                    wanted[key_of(entry, merchant, day)] = (entry.job, {"date": day.isoformat()}, merchant.pk)
            elif entry.wanted(merchant, shop_now):
                slot = int(now.timestamp() // entry.every.total_seconds())
                wanted[f"{entry.job}:{merchant.pk}:{slot}"] = (entry.job, {}, merchant.pk)
    known = jobs.known_keys(list(wanted))
    for key, (job, arguments, merchant_id) in wanted.items():
        if key not in known:
            jobs.enqueue(job, arguments, merchant_id=merchant_id, now=now, key=key)
    return len(wanted.keys() - known)


def book_night(merchant: Merchant, day: date) -> None:
    """Say that a night was run by hand (`shuke night`, the demo), so that the worker does not run it again."""
    jobs.book_done(NIGHT.job, key=key_of(NIGHT, merchant, day), merchant_id=merchant.pk, now=clock.utc_now())
