"""Shorthand for tests of a coalition: merchants with a charter, persons with an account at each."""

from __future__ import annotations

from datetime import datetime, timedelta

from shuke.engine.coalition.prices import MICRO, Prices
from shuke.loyalty.actions import coalition
from shuke.loyalty.models import Coalition
from shuke.shops import actions as shops
from shuke.shops.models import Merchant
from tests.loyalty.books import START, member, publish

DAY = timedelta(days=1)
NOW = START + 20 * DAY

# Every yuan a point, at once, for half a year; nothing else happens.
PLAIN = {
    "name": {"zh": "章程", "en": "Charter"},
    "currency": "CNY",
    "points": {"pending_days": 0, "expiry": {"kind": "days", "days": 180}, "returned_grace_days": 0},
    "tiers": [{"key": "member", "name": {"zh": "普通", "en": "Member"}}],
    "earning": [{"key": "base", "name": {"zh": "消费", "en": "Purchases"}, "kind": "per_amount"}],
}


def prices(issue: str = "0.5", redeem: str = "0.4", since: datetime = NOW, **more) -> Prices:
    """In fen per point."""
    return Prices(since, round(float(issue) * MICRO), round(float(redeem) * MICRO), **more)


def merchants(count: int, charter: dict = PLAIN) -> list[Merchant]:
    made = []
    for n in range(count):
        merchant = shops.create_merchant(name=f"商家{n}", now=START)
        shops.ensure_stores(merchant=merchant, stores=[("taobao", "兰记护肤", "店")])
        publish(merchant, charter)
        made.append(merchant)
    return made


def together(partners: list[Merchant], told: list[Prices] | None = None, now: datetime = NOW, **more) -> Coalition:
    """The first founds, the others are invited and accept."""
    told = told or [prices(since=now)] * len(partners)
    founder = partners[0]
    made = coalition.found(merchant=founder, name="街区联盟", prices=told[0], now=now, actor="owner", **more)
    for partner, its in zip(partners[1:], told[1:], strict=True):
        coalition.invite(merchant=founder, coalition_id=made.pk, partner=partner, prices=its, now=now, actor="owner")
        coalition.accept(merchant=partner, coalition_id=made.pk, now=now, actor="owner")
    return made


def person(partners: list[Merchant], n: int = 1, now: datetime = NOW) -> list[int]:
    """An account with each partner, all linked under one number."""
    accounts = [member(merchant, n) for merchant in partners]
    link(partners[0], accounts[0], now=now)
    for merchant, account in zip(partners[1:], accounts[1:], strict=True):
        code, _ = coalition.make_code(merchant=partners[0], member_id=accounts[0], now=now, actor="till")
        link(merchant, account, code=code, now=now)
    return accounts


def link(merchant: Merchant, who: int, code: str = "", now: datetime = NOW):
    return coalition.link(
        merchant=merchant, member_id=who, source="counter", evidence="signed form 7", code=code, now=now, actor="till"
    )


def spend(merchant: Merchant, key: str, who: int, amount: int, now: datetime = NOW):
    return coalition.spend(merchant=merchant, key=key, member_id=who, amount=amount, now=now, actor="till")


def give_back(merchant: Merchant, key: str, of: str, amount: int, now: datetime = NOW):
    return coalition.give_back(merchant=merchant, key=key, of=of, amount=amount, now=now, actor="till")


def close(made: Coalition, until: datetime, now: datetime | None = None):
    return coalition.close(merchant=made.merchant, coalition_id=made.pk, until=until, now=now or until, actor="finance")
