"""How much there is of everything: the figures of `shuke stats`."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Count, Q, Sum

from shuke.loyalty.models import Entry, Lot, Txn
from shuke.members.models import Member, MemberState
from shuke.orders.models import Order, OrderLine, Refund
from shuke.shops.models import Merchant, Store


class Stats(NamedTuple):
    """Counts of one merchant; money in minor units of its currency."""

    merchant: str
    currency: str
    stores: int
    members: int  # active ones
    orders: int
    purchases: int  # orders that were paid and count as one
    lines: int
    refunds: int  # orders with money given back
    refund_documents: int
    net_minor: int
    postings: int
    entries: int
    lots: int
    points: int  # held by members now: what is left in lots, less debts


def stats(merchant: Merchant) -> Stats:
    """Count everything of a merchant."""
    orders = Order.objects.filter(merchant=merchant).aggregate(
        count=Count("pk"),
        purchases=Count("pk", filter=Q(paid_at__isnull=False, excluded="")),
        refunds=Count("pk", filter=Q(refunded_minor__gt=0)),
        net=Sum("net_minor"),
    )
    held = Entry.objects.filter(merchant=merchant, account__in=["member", "debt"]).aggregate(sum=Sum("amount"))
    return Stats(
        merchant=merchant.name,
        currency=merchant.currency,
        stores=Store.objects.filter(merchant=merchant).count(),
        members=Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE).count(),
        orders=orders["count"],
        purchases=orders["purchases"],
        lines=OrderLine.objects.filter(merchant=merchant).count(),
        refunds=orders["refunds"],
        refund_documents=Refund.objects.filter(merchant=merchant).count(),
        net_minor=orders["net"] or 0,
        postings=Txn.objects.filter(merchant=merchant).count(),
        entries=Entry.objects.filter(merchant=merchant).count(),
        lots=Lot.objects.filter(merchant=merchant).count(),
        points=held["sum"] or 0,
    )
