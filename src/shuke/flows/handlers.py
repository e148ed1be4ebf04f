"""The jobs of the timetable that are one call each."""

from __future__ import annotations

from shuke.flows import checkout
from shuke.insight import actions as insight
from shuke.insight.queries import figures
from shuke.kit import jobs
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions import gifts
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now


@jobs.handler("seal")
def seal(running: jobs.Running) -> None:
    """Add what was posted since the last seal to the hash chains, of points and of stored value."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    now = shop_now(merchant)
    loyalty.seal(merchant=merchant, now=now, count=False)
    loyalty.seal_stored(merchant=merchant, now=now, count=False)


@jobs.handler("verify")
def verify(running: jobs.Running) -> None:
    """Look at what was booked since the last look; once a week, and after something was found, at everything."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    told = loyalty.verify_books(merchant=merchant, now=shop_now(merchant))
    running.progress(1, 1, whole=told.row.whole, members=told.row.members, findings=told.row.count)


@jobs.handler("goods")
def goods(running: jobs.Running) -> None:
    """What members buy, open with, buy together and again, as of the last snapshot. After the night, not in it: it takes
    more memory than all the rest."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    day = figures.last_day(merchant)
    if day is not None:
        insight.goods_report(merchant=merchant, day=day, now=shop_now(merchant))


@jobs.handler("profiles")
def profiles(running: jobs.Running) -> None:
    """What is known of every member as of the last snapshot, for the profiles of groups."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    day = figures.last_day(merchant)
    if day is not None:
        insight.profile_columns(merchant=merchant, day=day, now=shop_now(merchant))


@jobs.handler("profit")
def profit(running: jobs.Running) -> None:
    """What members earned and cost, why they come back and what keeping them is worth, as of the last snapshot. After the night,
    and again when value, margins or terms have changed since."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    day = figures.last_day(merchant)
    if day is not None:
        insight.profit_report(merchant=merchant, day=day, now=shop_now(merchant))


@jobs.handler("holds")
def holds(running: jobs.Running) -> None:
    """Release points whose basket was forgotten, and the gifts nobody picked up."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    now = shop_now(merchant)
    gifts.lapse_orders(merchant=merchant, now=now)
    loyalty.run_clock(merchant=merchant, now=now)


@jobs.handler("baskets")
def baskets(running: jobs.Running) -> None:
    """Let go what forgotten baskets hold."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    checkout.release_timed_out(merchant=merchant, now=shop_now(merchant))
