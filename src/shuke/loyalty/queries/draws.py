"""Draws, the tickets and chances of a member, and the file anybody can check (docs/algorithms/draws.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from shuke.engine import draws as engine
from shuke.engine.draws import asking
from shuke.engine.draws.drawing import moment_text
from shuke.engine.facts import OrderStatus
from shuke.loyalty.models import Draw, DrawTicket, Txn
from shuke.loyalty.queries.activities import undone_events
from shuke.loyalty.queries.facts import order_event
from shuke.loyalty.queries.member import balance
from shuke.members.queries.families import family
from shuke.orders.models import Order
from shuke.shops.models import Merchant


def draws(merchant: Merchant) -> list[Draw]:
    """Latest first."""
    return list(Draw.objects.filter(merchant=merchant).order_by("-opens_at", "-id"))


def draw(merchant: Merchant, code: str) -> Draw | None:
    return Draw.objects.filter(merchant=merchant, code=code).first()


def public_name(one: Draw) -> str:
    """The last part of the address of its public page; the merchant is in it, so that it is found by one key."""
    return f"{one.merchant_id:x}-{one.public}"


def by_public_name(name: str) -> Draw | None:
    """A draw whose commitment is out, by what stands in its public address."""
    merchant, _, token = name.partition("-")
    try:
        merchant_id = int(merchant, 16)
    except ValueError:
        return None
    if not 0 < merchant_id < 1 << 63:
        return None
    found = Draw.objects.filter(merchant_id=merchant_id, public=token).select_related("merchant").first()
    return None if found is None or found.state == Draw.State.DRAFT else found


def is_open(one: Draw, now: datetime) -> bool:
    return one.state == Draw.State.COMMITTED and one.opens_at <= now < one.closes_at


def tickets(one: Draw) -> QuerySet[DrawTicket]:
    """Those that were drawn, in their order."""
    rows = DrawTicket.objects.filter(merchant_id=one.merchant_id, draw=one, number__isnull=False)
    return rows.order_by("number")


def file(one: Draw) -> dict[str, Any]:
    """The published file: everything needed to check the draw, nobody's name."""
    return {
        "terms": one.terms,
        "commitment": one.commitment,
        "committed_at": moment_text(one.committed_at) if one.committed_at else "",
        "seed": one.seed,
        "revealed_at": moment_text(one.revealed_at) if one.revealed_at else "",
        "tickets": [
            {
                "number": t.number,
                "word": t.word,
                "who": t.who,
                "at": moment_text(t.at),
                "way": t.way,
                "drew": t.drew,
                "won": t.won,
                "link": t.link,
            }
            for t in tickets(one).iterator()
        ],
        "head": one.head,
    }


def prize(one: Draw, key: str) -> Mapping[str, Any]:
    """A prize as the terms state it; {} for nothing."""
    return next((p for p in one.terms.get("prizes", []) if p["key"] == key), {})


class Chances(NamedTuple):
    """What a member can draw with now. `price` is None where points buy no ticket."""

    price: int | None
    affordable: bool
    orders: list[str]  # events that have given no ticket yet
    activities: list[str]
    left: int | None  # by the limits; None: without limit

    @property
    def any(self) -> bool:
        return self.left != 0 and bool(self.affordable or self.orders or self.activities)


def chances(merchant: Merchant, one: Draw, member_id: int, now: datetime) -> Chances:
    terms = engine.read_terms(one.terms)
    own = family(merchant.pk, member_id)
    price = int(terms.ways["points"]) if "points" in terms.ways else None
    return Chances(
        price,
        price is not None and balance(merchant, member_id, now).available >= price,
        unused(one, _orders(merchant, terms, own, now)),
        unused(one, _activities(merchant, terms, own)),
        left(one, terms, own, now),
    )


def left(one: Draw, terms: engine.DrawTerms, own: Any, now: datetime) -> int | None:
    """How many tickets the limits still allow."""
    mine = DrawTicket.objects.filter(
        merchant_id=one.merchant_id, draw=one, member_id__in=own, number__isnull=False
    )  # fmt: skip
    today = mine.filter(at__gte=asking.day_begins(terms, now)).count() if terms.per_day is not None else 0
    return asking.left(terms, mine.count() if terms.per_member is not None else 0, today)


def unused(one: Draw, sources: list[str]) -> list[str]:
    """Sources that have given no ticket of this draw yet, in their order."""
    if not sources:
        return []
    used = set(
        DrawTicket.objects.filter(
            merchant_id=one.merchant_id, draw=one, number__isnull=False, source__in=sources
        ).values_list("source", flat=True)
    )
    return [s for s in sources if s not in used]


def sources(merchant: Merchant, terms: engine.DrawTerms, way: str, own: Any, now: datetime) -> list[str]:
    return _orders(merchant, terms, own, now) if way == "order" else _activities(merchant, terms, own)


def _orders(merchant: Merchant, terms: engine.DrawTerms, own: Any, now: datetime) -> list[str]:
    """Orders within the draw's time that are large enough, past the days to wait, and not given back."""
    span = asking.orders_between(terms, now)
    if span is None:
        return []
    first, end, least = span
    rows = (
        Order.objects.filter(merchant=merchant, member_id__in=own, excluded="", status__gte=int(OrderStatus.PAID))
        .exclude(status=int(OrderStatus.CLOSED_UNPAID))
        .filter(paid_at__gte=first, paid_at__lt=end, net_minor__gte=least)
    )
    return [
        order_event(*row)
        for row in rows.order_by("paid_at", "id").values_list("store__platform", "store__code", "number")
    ]


def _activities(merchant: Merchant, terms: engine.DrawTerms, own: Any) -> list[str]:
    kind = terms.ways.get("activity")
    if not kind:
        return []
    rows = Txn.objects.filter(
        merchant=merchant, member_id__in=own, kind="activity", at__gte=terms.opens_at, at__lt=terms.closes_at
    )
    told = rows.order_by("at", "id").values_list("event", "outcome")
    members = own.values_list("pk", flat=True)
    undone = {event for events in undone_events(merchant, members).values() for event in events}
    return [
        event
        for event, outcome in told
        if ((outcome or {}).get("request") or {}).get("activity") == kind and event not in undone
    ]


def tickets_of(merchant: Merchant, member_id: int) -> QuerySet[DrawTicket]:
    """A member's tickets, latest first."""
    rows = DrawTicket.objects.filter(
        merchant=merchant, member_id__in=family(merchant.pk, member_id), number__isnull=False
    )
    return rows.select_related("draw").order_by("-at", "-id")


def prizes_waiting(merchant: Merchant, member_id: int | None = None) -> QuerySet[DrawTicket]:
    """Prizes that were won and not handed over yet, oldest first."""
    rows = DrawTicket.objects.filter(merchant=merchant, number__isnull=False, handed_at=None).exclude(won="")
    if member_id is not None:
        rows = rows.filter(member_id__in=family(merchant.pk, member_id))
    return rows.select_related("draw", "member").order_by("at", "id")
