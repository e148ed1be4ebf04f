"""A coalition over time: books are gathered every hour, partners whose time is over go, months are offered for closing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from shuke.engine.coalition.prices import Prices, prices_at
from shuke.kit import clock, jobs
from shuke.loyalty.actions.coalition.gathering import is_behind
from shuke.loyalty.actions.coalition.settlement import bring_up_to_date
from shuke.loyalty.models import Coalition, CoalitionMovement, CoalitionPartner
from shuke.loyalty.queries import balance
from shuke.loyalty.queries import coalition as stored
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now


class Seat(NamedTuple):
    """A partner with what holds for it now."""

    partner: CoalitionPartner
    prices: Prices | None
    pack: stored.Pack | None
    members: int


class Overview(NamedTuple):
    """A coalition as one of its partners sees it."""

    coalition: Coalition
    mine: CoalitionPartner
    is_founder: bool
    seats: list[Seat]
    open_since: datetime
    closable_until: datetime | None  # the end of the last whole month, if it is not closed
    warnings: list[tuple[str, str]]  # (code, partner's name): low_pack | over_limit | no_charter …


def overview(merchant: Merchant, partner: CoalitionPartner, now: datetime) -> Overview:
    coalition = partner.coalition
    agreed = stored.agreed(coalition)
    seats = []
    warnings: list[tuple[str, str]] = []
    for one in stored.partners(coalition):
        prices = prices_at(agreed[one.merchant_id], now) if one.merchant_id in agreed else None
        pack = stored.pack_of(one, prices) if prices is not None and one.state == "in" else None
        seats.append(Seat(one, prices, pack, stored.members_linked(coalition, one.merchant)))
        if pack is not None and pack.warn:
            warnings.append(("low_pack", one.merchant.name))
        if pack is not None and pack.over_limit:
            warnings.append(("over_limit", one.merchant.name))
    last = next(iter(stored.periods(coalition)), None)
    since = last.until if last else coalition.starts_at
    until = month_end(coalition.merchant, now)
    return Overview(
        coalition,
        partner,
        coalition.merchant_id == merchant.pk,
        seats,
        since,
        until if until > since else None,
        warnings,
    )


def month_end(founder: Merchant, now: datetime) -> datetime:
    """The end of the last month that is over, in the founder's zone."""
    return clock.day_start(now.astimezone(founder.tz).date().replace(day=1), founder.tz)


class Standing(NamedTuple):
    """What a till sees of a member in a coalition: never anything but a number and points."""

    number: str
    linked_at: datetime
    available_here: int
    available_elsewhere: int


def standing(merchant: Merchant, member_id: int, now: datetime) -> Standing | None:
    link = stored.link_of(merchant, member_id)
    if link is None:
        return None
    seats = [p.merchant_id for p in stored.partners(link.coalition) if stored.takes_part(p, now)]
    elsewhere = sum(
        balance(one.merchant, one.member_id, now).available
        for one in stored.accounts(link.coalition, link.number, seats)
        if one.merchant_id != merchant.pk
    )
    return Standing(link.number, link.linked_at, balance(merchant, member_id, now).available, elsewhere)


def wanted(merchant: Merchant, now: datetime) -> bool:
    """Whether the coalition this merchant founded has something to gather or somebody to see off."""
    mine = CoalitionPartner.objects.filter(merchant=merchant, state="in", coalition__merchant=merchant)
    seat = mine.select_related("coalition__merchant").first()
    if seat is None:
        return False
    leaving = any(
        one.state == "in" and not stored.takes_part(one, now) and one.coalition.starts_at <= now
        for one in stored.partners(seat.coalition)
    )
    return leaving or is_behind(seat.coalition)


EVERY = timedelta(hours=1)


@jobs.handler("coalition")
def look_after(running: jobs.Running) -> None:
    """Gather what linked members' books say, and see off partners whose time is over."""
    founder = Merchant.objects.get(pk=running.merchant_id)
    for one in Coalition.objects.filter(merchant=founder).select_related("merchant"):
        if CoalitionPartner.objects.filter(merchant=founder, coalition=one, state="in").exists():
            running.progress(bring_up_to_date(coalition=one, now=shop_now(founder)))


def last_movements(coalition: Coalition, merchant: Merchant, limit: int = 50) -> list[CoalitionMovement]:
    """A partner's newest movements, for its page."""
    mine = CoalitionMovement.objects.filter(merchant=merchant, coalition=coalition).select_related("other")
    return list(mine.order_by("-at", "-id")[:limit])
