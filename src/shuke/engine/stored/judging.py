"""Whether a request of stored value is granted, and what it then does to the purse. Books and replay ask the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shuke.engine.charter.stored import Stored, bonus_for, minor
from shuke.engine.stored.purse import PRINCIPAL, Effect, Purse
from shuke.kit.clock import add_months, day_of, day_start

Why = tuple[str, dict[str, int]]  # code, "" where nothing stands against it; figures in minor units


class Request(NamedTuple):
    """What is asked. `left`: of a return, what of each lot the payment used did not come back yet; None: no such payment."""

    key: str
    kind: str  # top_up | spend | hold | capture | release | return | withdraw | adjust
    amount: int = 0
    ref: str = ""
    minutes: int = 15
    account: str = PRINCIPAL
    left: Mapping[str, int] | None = None


def judge(terms: Stored, currency: str, one: Request, purse: Purse, now: datetime, *, frozen: bool = False) -> Why:
    """Why not. `frozen`: whose it is may not spend."""
    available = purse.available(now)
    if (one.amount == 0 and one.kind != "release") or (one.amount < 0 and one.kind != "adjust"):
        return "not_positive", {"amount": one.amount}
    if frozen and one.kind in ("spend", "hold", "withdraw"):
        return "frozen", {}
    if one.kind == "top_up":
        return may_pay_in(terms, currency, one.amount, purse.balance(PRINCIPAL))
    if one.kind in ("spend", "hold") and one.amount > available:
        return "not_enough", {"amount": one.amount, "available": available}
    if one.kind in ("capture", "release"):
        hold = purse.holds.get(one.ref)
        if hold is None:
            return "no_such_hold", {}
        if one.amount > hold.amount:
            return "more_than_held", {"amount": one.amount, "held": hold.amount}
    if one.kind == "return":
        if one.left is None:
            return "no_such_spend", {}
        if one.amount > (left := sum(one.left.values())):
            return "more_than_spent", {"amount": one.amount, "left": left}
    if one.kind == "withdraw":
        if not terms.refund.allowed:
            return "no_refunds", {}
        if one.amount > (money := purse.available(now, PRINCIPAL)):
            return "not_enough_money", {"amount": one.amount, "available": money}
    if one.kind == "adjust" and one.amount < 0 and -one.amount > (there := purse.available(now, one.account)):
        return "not_enough", {"amount": -one.amount, "available": there}
    return "", {}


def may_pay_in(terms: Stored, currency: str, amount: int, balance: int) -> Why:
    least, most = minor(terms.least, currency), minor(terms.most_balance, currency)
    if amount < least:
        return "below_least", {"amount": amount, "least": least}
    return above_balance(most, amount, balance)


def above_balance(most: int, amount: int, balance: int) -> Why:
    if most and balance + amount > most:
        return "above_balance", {"amount": amount, "most": most, "balance": balance, "room": max(0, most - balance)}
    return "", {}


def carry_out(
    terms: Stored, currency: str, zone: ZoneInfo, one: Request, purse: Purse, now: datetime, *, own: int = 0
) -> Effect:
    """Do what was granted. `own`: whose books new lots stand in."""
    if one.kind == "top_up":
        bonus = bonus_for(terms, one.amount, currency)
        ends = bonus_end(terms, zone, now)
        return purse.top_up(one.key, one.amount, bonus, now, bonus_expires_at=ends, purse=own)
    if one.kind == "spend":
        return purse.spend(one.amount, terms.order, now)
    if one.kind == "hold":
        return purse.hold(one.key, one.amount, terms.order, now, now + timedelta(minutes=one.minutes))
    if one.kind == "capture":
        return purse.capture(one.ref, one.amount, terms.order, now)
    if one.kind == "release":
        return purse.release(one.ref, now)
    if one.kind == "withdraw":
        return purse.withdraw(one.amount, terms.refund.bonus, now)
    if one.kind == "adjust":
        return purse.adjust(one.key, one.account, one.amount, now, purse=own)
    assert one.left is not None, "judged before"
    return purse.give_back(one.key, one.left, one.amount, now, terms.returned_grace_days)


def figures_of(one: Request, effect: Effect, purse: Purse, now: datetime) -> dict[str, int]:
    """What is answered: what came or went of each kind, and what can be spent afterwards."""
    principal, bonus = effect.sum("principal"), effect.sum("bonus")
    figures = {"amount": one.amount, "principal": abs(principal), "bonus": abs(bonus)}
    if one.kind == "withdraw":
        figures |= {"bonus": 0, "forfeited": abs(bonus)}
    return figures | {"available": purse.available(now)}


def bonus_end(terms: Stored, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Bonus can be used to the end of the day so many months later."""
    if not terms.bonus_months:
        return None
    return day_start(add_months(day_of(now, zone), terms.bonus_months) + timedelta(days=1), zone)
