"""Points pay for a basket: this shop's own, which are held, or those of all the member's accounts in the coalition.

Nobody can set points aside in several merchants' books until a till makes up its mind: coalition points are spent when the basket
is held, and given back to the very lots when it is let go. Captured, they have been paid already.
"""

from __future__ import annotations

from datetime import datetime

from shuke.engine.checkout import Asks, Priced
from shuke.flows.checkout.keys import capture_key, hold_key
from shuke.kit.refusal import LANGUAGES
from shuke.loyalty import actions as loyalty
from shuke.loyalty import queries
from shuke.loyalty.actions import Ask, coalition
from shuke.loyalty.actions.coalition import CoalitionRefused
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import coalition as stored
from shuke.members.models import Member
from shuke.shops.models import Merchant


def points_of(merchant: Merchant, member_id: int, at: datetime, asks: Asks) -> tuple[int, str]:
    """How many points the basket may ask for, and why none, if so."""
    if Member.objects.filter(merchant=merchant, pk=member_id, frozen_at__isnull=False).exists():
        return 0, "points_frozen"
    if asks.coalition:
        return stored.spendable(merchant, member_id, at)
    return max(0, queries.balance(merchant, member_id, at).available), ""


def of_coalition(row: Checkout) -> bool:
    return bool(row.basket.get("asks", {}).get("coalition"))


def hold(
    merchant: Merchant, row: Checkout, priced: Priced, asks: Asks, until: datetime, now: datetime, actor: str
) -> bool:
    """Set aside what the basket uses; False where somebody was quicker."""
    if not priced.points or row.member_id is None:
        return True
    if asks.coalition:
        try:
            return coalition.spend(
                merchant=merchant,
                key=hold_key(row),
                member_id=row.member_id,
                amount=priced.points,
                now=now,
                actor=actor,
            ).done
        except CoalitionRefused:
            return False
    told = [Ask(hold_key(row), "hold", row.member_id, priced.points, until=until)]
    return loyalty.ask(merchant=merchant, asks=told, now=now, actor=actor)[0].done


def capture(merchant: Merchant, row: Checkout, now: datetime, actor: str) -> bool:
    """Paid with for good; False where the hold timed out."""
    if not row.points or row.member_id is None or of_coalition(row):
        return True
    asks = [Ask(capture_key(row), "capture", row.member_id, row.points, ref=hold_key(row))]
    return loyalty.ask(merchant=merchant, asks=asks, now=now, actor=actor)[0].done


def release(merchant: Merchant, row: Checkout, now: datetime, actor: str) -> None:
    """Free again. Refused where a hold timed out: free then too."""
    if not row.points or row.member_id is None:
        return
    key = f"{hold_key(row)}:release"
    if of_coalition(row):
        coalition.give_back(merchant=merchant, key=key, of=hold_key(row), amount=row.points, now=now, actor=actor)
    else:
        loyalty.ask(
            merchant=merchant, asks=[Ask(key, "release", row.member_id, ref=hold_key(row))], now=now, actor=actor
        )


def give_back(merchant: Merchant, row: Checkout, in_all: int, now: datetime, actor: str) -> dict[str, str] | None:
    """Bring points to what came back of them in all; why not, in both languages, or None."""
    points = in_all - row.returned_points
    if points <= 0 or row.member_id is None:
        return None
    key = f"checkout:{row.pk}:back:{in_all}"
    if of_coalition(row):
        told = coalition.give_back(merchant=merchant, key=key, of=hold_key(row), amount=points, now=now, actor=actor)
        if told.done:
            return None
        return {one: coalition.sentence(told.code, told.figures, hold_key(row), one) for one in LANGUAGES}
    asked = Ask(key, "return", row.member_id, points, ref=capture_key(row))
    (answer,) = loyalty.ask(merchant=merchant, asks=[asked], now=now, actor=actor)
    return None if answer.done else {one: loyalty.why_refused(asked, answer, one) for one in LANGUAGES}
