"""Points pay for a basket: this shop's own, which are held, or those of all the member's accounts in the coalition.

Nobody can set points aside in several merchants' books until a till makes up its mind: coalition points are spent when the basket
is held, and given back to the very lots when it is let go. Captured, they have been paid already.
"""

from __future__ import annotations

from collections.abc import Iterable
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
from shuke.members.queries.families import survivors_of
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


def give_back(
    merchant: Merchant, row: Checkout, in_all: int, given: int, now: datetime, actor: str
) -> dict[str, str] | None:
    """Bring points from what was given back to what came back of them in all by goods; why not, in both languages, or None."""
    if not row.points or row.member_id is None:
        return None
    if of_coalition(row):
        return _give_back_pooled(merchant, row, in_all, now, actor)
    points = in_all - given
    if points <= 0:
        return None
    asked = Ask(f"checkout:{row.pk}:back:{in_all}", "return", row.member_id, points, ref=capture_key(row))
    (answer,) = loyalty.ask(merchant=merchant, asks=[asked], now=now, actor=actor)
    return None if answer.done else {one: loyalty.why_refused(asked, answer, one) for one in LANGUAGES}


def follow(merchant: Merchant, row: Checkout, in_all: int, now: datetime, actor: str) -> dict[str, str] | None:
    """The order was refunded, so much came back in all. The shop's own points follow by themselves, on the day of the refund
    (`settle_buyers`); what was spent in partners' books was settled between merchants, and comes back now."""
    return _give_back_pooled(merchant, row, in_all, now, actor) if of_coalition(row) else None


def _give_back_pooled(
    merchant: Merchant, row: Checkout, in_all: int, now: datetime, actor: str
) -> dict[str, str] | None:
    points = in_all - row.returned_points
    if points <= 0:
        return None
    key = f"checkout:{row.pk}:back:{in_all}"
    told = coalition.give_back(merchant=merchant, key=key, of=hold_key(row), amount=points, now=now, actor=actor)
    if told.done:
        return None
    return {one: coalition.sentence(told.code, told.figures, hold_key(row), one) for one in LANGUAGES}


def settle_buyers(merchant: Merchant, rows: Iterable[Checkout], now: datetime, actor: str) -> None:
    """The orders these baskets became have other refunds than before: the books of whoever paid them with points follow."""
    payers = {row.member_id for row in rows if row.points and row.member_id is not None and not of_coalition(row)}
    if payers:
        heirs = survivors_of(merchant.pk, payers)
        members = {heirs.get(member, member) for member in payers}
        loyalty.settle(merchant=merchant, order_ids=[], also_members=members, now=now, actor=actor)
