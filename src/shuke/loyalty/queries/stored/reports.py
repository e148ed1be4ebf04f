"""What the shop owes, and whether money that came in is all accounted for."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, Sum

from shuke.loyalty.models import StoredLeg, StoredLot
from shuke.shops.models import Merchant

MONEY = ("received", "adjusted", "sold", "paid_out", "voided")
BONUS = ("granted", "adjusted_bonus", "sold_bonus", "forfeited", "lapsed")
_IN = {"received", "granted", "adjusted", "adjusted_bonus"}


class Side(NamedTuple):
    """Money or bonus over a time: opening + came in − went out = closing. Signs as a shopkeeper reads them."""

    opening: int
    moves: dict[str, int]  # account → minor units; what came in and corrections count up, all others down
    closing: int
    of_members: int  # of the closing balance
    of_cards: int

    @property
    def adds_up(self) -> bool:
        change = sum(n if name in _IN else -n for name, n in self.moves.items())
        return self.opening + change == self.closing == self.of_members + self.of_cards


class Report(NamedTuple):
    first: datetime | None
    end: datetime
    money: Side  # what was received and is not used yet: a liability in full
    bonus: Side
    received_by: dict[str, int]  # cash, wechat, card …
    paid_out_by: dict[str, int]
    lapsing: list[tuple[str, int]]  # bonus by the month in which it lapses, as things stand now

    @property
    def adds_up(self) -> bool:
        return self.money.adds_up and self.bonus.adds_up


def report(merchant: Merchant, end: datetime, *, first: datetime | None = None) -> Report:
    """Everything before `end`, and of it what moved from `first` on."""
    legs = StoredLeg.objects.filter(merchant=merchant, txn__at__lt=end)
    before: dict[str, int] = defaultdict(int)
    if first is not None:
        before |= dict(legs.filter(txn__at__lt=first).values_list("account").annotate(n=Sum("amount")).order_by())
    totals: dict[str, int] = defaultdict(int)
    totals |= dict(legs.values_list("account").annotate(n=Sum("amount")).order_by())
    holders: dict[tuple[str, bool], int] = defaultdict(int)
    held = legs.filter(account__in=("principal", "bonus"))
    for account, member, card in (
        held.values_list("account")
        .annotate(
            members=Sum("amount", filter=Q(purse__member__isnull=False)),
            cards=Sum("amount", filter=Q(purse__card__isnull=False)),
        )
        .order_by()
    ):
        holders[account, True], holders[account, False] = member or 0, card or 0

    def side(own: str, names: tuple[str, ...]) -> Side:
        moves = {name: (totals[name] - before[name]) * (-1 if name in _IN else 1) for name in names}
        return Side(before[own], moves, totals[own], holders[own, True], holders[own, False])

    return Report(
        first,
        end,
        side("principal", MONEY),
        side("bonus", BONUS),
        _by_way(merchant, "received", first, end, -1),
        _by_way(merchant, "paid_out", first, end, 1),
        _lapsing(merchant),
    )


def _by_way(merchant: Merchant, account: str, first: datetime | None, end: datetime, sign: int) -> dict[str, int]:
    """How it was paid: what stands in the request, added up here, for JSON is read differently by each engine."""
    legs = StoredLeg.objects.filter(merchant=merchant, account=account, txn__at__lt=end)
    if first is not None:
        legs = legs.filter(txn__at__gte=first)
    told: dict[str, int] = defaultdict(int)
    for request, amount in legs.values_list("txn__request", "amount").iterator():
        told[request.get("paid_by", "")] += sign * amount
    return dict(sorted(told.items()))


def _lapsing(merchant: Merchant) -> list[tuple[str, int]]:
    months: dict[str, int] = defaultdict(int)
    rows = StoredLot.objects.filter(merchant=merchant, remaining__gt=0, expires_at__isnull=False)
    for end, n in rows.values_list("expires_at").annotate(n=Sum("remaining")).order_by():
        months[f"{end.astimezone(merchant.tz):%Y-%m}"] += n
    return sorted(months.items())
