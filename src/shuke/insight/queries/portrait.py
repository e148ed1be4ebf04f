"""Who one member is, in the few figures a person would tell a colleague: rhythm, worth, taste, stage."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shuke.engine.facts import OrderStatus
from shuke.engine.insight.lifecycle import DEGRADING_AT, DEGRADING_LEAST, LOST_AT, LOST_LEAST
from shuke.insight.models import MemberScore, Movement
from shuke.kit import clock, once
from shuke.orders.models import Order, OrderLine
from shuke.orders.queries.came_back import of_lines
from shuke.shops.models import Merchant

FAVOURITES = 3
LEAST_SHARE = 0.05  # a category below this is no favourite


class Favourite(NamedTuple):
    """A category the member spends on: its last two levels, and its share of the spend on goods with a category."""

    category: str
    net_minor: int
    share: float


class Portrait(NamedTuple):
    """Figures of the last night run, and silence as of now. Money in minor units; None = not known yet."""

    score: MemberScore | None
    silence_days: int | None  # shop days since the last purchase
    usual_gap_days: float | None
    late: str  # "" in rhythm | "late" | "very_late": by the same measures as the life cycle
    favourites: list[Favourite]
    moved: list[Movement]  # latest changes of class, layer and stage, newest first


def score_of(merchant: Merchant, member_id: int) -> MemberScore | None:
    """What the last night says of the member; None for those it has not met."""
    return once.read(
        ("score", member_id), lambda: MemberScore.objects.filter(merchant=merchant, member_id=member_id).first()
    )


def portrait(merchant: Merchant, member_id: int, *, now: datetime) -> Portrait:
    """Three queries: the scores, what changed, the favourite categories."""
    score = score_of(merchant, member_id)
    moved = list(Movement.objects.filter(merchant=merchant, member_id=member_id).order_by("-day", "-id")[:5])
    silence = gap = None
    late = ""
    if score is not None and score.last_paid_at is not None:
        silence = (clock.day_of(now, merchant.tz) - clock.day_of(score.last_paid_at, merchant.tz)).days
        gap = score.usual_gap_days
        if gap:
            if silence > max(LOST_AT * gap, LOST_LEAST):
                late = "very_late"
            elif silence > max(DEGRADING_AT * gap, DEGRADING_LEAST):
                late = "late"
    return Portrait(score, silence, gap, late, favourites(merchant, member_id), moved)


def favourites(merchant: Merchant, member_id: int) -> list[Favourite]:
    """The categories that take the largest shares of a member's spend, largest first."""
    # The member's orders first, by their own index: as a join SQLite reads every line of the shop.
    orders = Order.objects.filter(merchant=merchant, member_id=member_id, paid_at__isnull=False, excluded="").exclude(
        status__in=(OrderStatus.CLOSED_UNPAID, OrderStatus.CLOSED_REFUNDED)
    )
    lines = OrderLine.objects.filter(merchant=merchant, order__in=orders.values("pk"), product__category__gt="")
    back = of_lines(merchant, orders.filter(refunded_minor__gt=0).values_list("pk", flat=True))
    by_category: dict[str, int] = {}
    for line, order, category, amount in lines.values_list("pk", "order", "product__category", "amount_minor"):
        name = _short(category)
        by_category[name] = by_category.get(name, 0) + amount - back.get(order, {}).get(line, 0)
    whole = sum(v for v in by_category.values() if v > 0)
    top = sorted(by_category.items(), key=lambda item: (-item[1], item[0]))[:FAVOURITES]
    return [Favourite(name, v, v / whole) for name, v in top if whole and v / whole >= LEAST_SHARE]


def _short(category: str) -> str:
    """'GROCERY/CHEESE/CREAM CHEESE' → 'Grocery / Cheese': the second level is what people mean by a kind of goods."""
    levels = [level.strip() for level in category.split("/") if level.strip()][:2]
    return " / ".join(level.capitalize() if level.isascii() and level.isupper() else level for level in levels)
