"""Shorthand for tests of referral: a charter that rewards it, friends who are bound and buy, and what both got."""

from __future__ import annotations

from datetime import datetime, timedelta

from shuke.flows import referral as flow
from shuke.loyalty.actions import referral
from shuke.loyalty.models import Referral, ReferralReward
from shuke.loyalty.queries.member import balance
from shuke.members.models import Member
from shuke.shops.models import Merchant
from tests.loyalty.books import CHARTER, NOW, START, member, order, publish, take

PLAIN = {k: v for k, v in CHARTER.items() if k not in ("earning", "points")} | {
    "points": {"pending_days": 7, "expiry": {"kind": "never"}},
}
PART = {"friend": {"points": 50}, "steps": [{"points": 100}], "min_amount": 100, "order_days": 0}


def day(n: float) -> datetime:
    return START + timedelta(days=n)


def open_shop(merchant: Merchant, **part) -> None:
    """Points come of referral only, so that balances say what it gave."""
    publish(merchant, PLAIN | {"referral": PART | part})


def someone(merchant: Merchant, n: int, joined: float = 10, **profile) -> int:
    who = member(merchant, n, **profile)
    Member.objects.filter(pk=who).update(joined_at=day(joined))
    return who


def bind(merchant: Merchant, newcomer: int, referrer: int, at: float = 10, **more) -> Referral:
    return referral.bind(
        merchant=merchant, newcomer_id=newcomer, referrer_id=referrer, now=day(at),
        **({"how": "code", "actor": "lan.assistant"} | more),
    )  # fmt: skip


def buy(merchant: Merchant, who: int, *what, now: datetime = NOW) -> None:
    take(merchant, who, *what, now=now)
    flow.follow(merchant=merchant, member_ids=[who], now=now, actor="till")


def settle(merchant: Merchant, now: datetime = NOW):
    return flow.settle_due(merchant=merchant, now=now, actor="clock")


def state(row: Referral) -> tuple[str, str]:
    row.refresh_from_db()
    return row.state, row.reason


def have(merchant: Merchant, who: int, now: datetime = NOW) -> int:
    return balance(merchant, who, now).available


def got(merchant: Merchant) -> dict[tuple[int, str, str], int]:
    """(newcomer, side, kind) → what was given and not taken back."""
    rows = ReferralReward.objects.filter(merchant=merchant, amount__gt=0).select_related("referral")
    return {(r.referral.newcomer_id, r.side, r.kind): r.amount for r in rows}


__all__ = ["NOW", "bind", "buy", "day", "got", "have", "open_shop", "order", "settle", "someone", "state"]
