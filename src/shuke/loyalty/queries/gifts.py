"""The catalogue as a member sees it, orders, totals, and whether the stock adds up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum

from shuke.engine.gifts import why_not
from shuke.loyalty.models import Gift, GiftMove, GiftOrder, GiftPicture
from shuke.loyalty.queries import charters
from shuke.loyalty.queries.member import balance
from shuke.members.models import Member
from shuke.members.queries.families import family
from shuke.shops.models import Merchant

TAKEN = (GiftOrder.State.HELD, GiftOrder.State.DONE, GiftOrder.State.RETURNED)


class Offer(NamedTuple):
    """One gift for one member: `code` says why not, "" = it can be had. `missing` points."""

    gift: Gift
    code: str  # "" | inactive | not_begun | over | not_this_tier | out_of_stock | limit | not_enough | frozen
    left: int | None  # for this member by the limit; None: without limit
    missing: int


def gifts(merchant: Merchant, *, with_inactive: bool = False) -> list[Gift]:
    rows = Gift.objects.filter(merchant=merchant)
    return list((rows if with_inactive else rows.filter(active=True)).order_by("points", "code"))


def gift(merchant: Merchant, code: str) -> Gift | None:
    return Gift.objects.filter(merchant=merchant, code=code).first()


def taken(merchant: Merchant, member_id: int, gift_ids: Sequence[int]) -> dict[int, int]:
    """How many of each gift the member has taken or ordered, less what came back."""
    rows = GiftOrder.objects.filter(
        merchant=merchant, member_id__in=family(merchant.pk, member_id), gift_id__in=gift_ids, state__in=TAKEN
    )
    return {r["gift_id"]: r["n"] for r in rows.values("gift_id").annotate(n=Sum(F("count") - F("returned")))}


def offers(merchant: Merchant, member_id: int, tier: str, now: datetime) -> list[Offer]:
    """The active catalogue for a member of this tier, cheapest first."""
    shown = gifts(merchant)
    had = taken(merchant, member_id, [g.pk for g in shown])
    points = balance(merchant, member_id, now).available
    frozen = Member.objects.filter(merchant=merchant, pk=member_id, frozen_at__isnull=False).exists()
    names = charters.versions(merchant).named(tier, now)
    found = []
    for one in shown:
        code = "frozen" if frozen else why_not(one, names, had.get(one.pk, 0), 1, now)
        if not code and one.stock == 0:
            code = "out_of_stock"
        if not code and points < one.points:
            code = "not_enough"
        left = None if one.per_member is None else max(0, one.per_member - had.get(one.pk, 0))
        found.append(Offer(one, code, left, max(0, one.points - points)))
    return found


def orders(
    merchant: Merchant, *, state: str = "", gift_id: int | None = None, member_id: int | None = None
) -> QuerySet[GiftOrder]:
    """Latest first; refusals only where they are asked for."""
    rows = GiftOrder.objects.filter(merchant=merchant).select_related("gift", "member", "store")
    rows = rows.filter(state=state) if state else rows.exclude(state=GiftOrder.State.REFUSED)
    if gift_id is not None:
        rows = rows.filter(gift_id=gift_id)
    if member_id is not None:
        rows = rows.filter(member_id__in=family(merchant.pk, member_id))
    return rows.order_by("-placed_at", "-id")


class Total(NamedTuple):
    """What became of one gift: pieces handed over less returned, waiting, points, money, cost; `members` who had it."""

    gift: Gift
    done: int
    waiting: int
    points: int
    cash_minor: int
    cost_minor: int
    members: int


def totals(merchant: Merchant) -> list[Total]:
    """Per gift; of donations: how many points went to whom."""
    kept = F("count") - F("returned")
    over = Q(state__in=(GiftOrder.State.DONE, GiftOrder.State.RETURNED))
    rows = (
        GiftOrder.objects.filter(merchant=merchant)
        .values("gift_id")
        .annotate(
            done=Sum(kept, filter=over),
            waiting=Sum("count", filter=Q(state=GiftOrder.State.HELD)),
            points=Sum(F("points") * kept / F("count"), filter=over),
            cash=Sum(F("cash_minor") * kept / F("count"), filter=over),
            cost=Sum(F("cost_minor") * kept / F("count"), filter=over),
            who=Count("member_id", distinct=True, filter=over),
        )
    )
    told = {r["gift_id"]: r for r in rows}
    none = dict.fromkeys(("done", "waiting", "points", "cash", "cost", "who"), 0)
    return [
        Total(g, *(told.get(g.pk, none)[k] or 0 for k in ("done", "waiting", "points", "cash", "cost", "who")))
        for g in gifts(merchant, with_inactive=True)
    ]


def stock_that_does_not_add_up(merchant: Merchant) -> list[tuple[Gift, int]]:
    """Gifts whose stock is not the sum of its moves, with that sum."""
    sums = GiftMove.objects.filter(merchant=merchant).values("gift_id").annotate(n=Sum("amount"))
    added = {r["gift_id"]: r["n"] for r in sums}
    return [
        (g, added.get(g.pk, 0))
        for g in gifts(merchant, with_inactive=True)
        if g.stock is not None and g.stock != added.get(g.pk, 0)
    ]


def picture(merchant: Merchant, code: str) -> GiftPicture | None:
    """Of the gift with this code."""
    return GiftPicture.objects.filter(merchant=merchant, gift__code=code).first()
