"""What a member has, lot by lot and change by change."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine import stored as engine
from shuke.loyalty.models import StoredCorrection, StoredHold, StoredLeg, StoredLot, StoredPurse, StoredTxn
from shuke.members.queries.families import family, living
from shuke.shops.models import Merchant


class Balance(NamedTuple):
    """Minor units. Available is what can be spent now; what lapsed or timed out unbooked is counted as it is by dates."""

    available: int
    principal: int
    bonus: int
    held: int
    currency: str
    next_expiry: list[tuple[datetime, int]]  # bonus: when how much lapses


class Line(NamedTuple):
    """One posting as a statement tells it; both balances after it, over all purses of the member."""

    id: int
    at: datetime
    kind: str
    principal: int
    bonus: int
    principal_after: int
    bonus_after: int
    key: str
    ref: str
    paid_by: str
    reason: str
    actor: str


def purses_of(merchant: Merchant, member_id: int) -> list[int]:
    home = living(merchant.pk, member_id)
    mine = StoredPurse.objects.filter(merchant=merchant, member_id__in=family(merchant.pk, home))
    return list(mine.order_by("id").values_list("id", flat=True))


def read_purse(merchant: Merchant, purses: list[int]) -> engine.Purse:
    """Purses as the engine reads them, not locked."""
    lots = [
        engine.Lot(
            row.key, row.kind, row.source, row.granted, row.remaining, row.at, row.expires_at, row.held, row.purse_id
        )
        for row in StoredLot.objects.filter(merchant=merchant, purse_id__in=purses, remaining__gt=0)
    ]
    open_ = StoredHold.objects.filter(merchant=merchant, purse_id__in=purses, state="open")
    return engine.Purse(lots, [engine.Hold(h.key, h.times_out_at, [(key, n) for key, n in h.parts]) for h in open_])


def balance(merchant: Merchant, member_id: int, now: datetime) -> Balance:
    return balance_of(merchant, purses_of(merchant, member_id), now)


def balance_of(merchant: Merchant, purses: list[int], now: datetime) -> Balance:
    found = read_purse(merchant, purses) if purses else engine.Purse()
    live = [lot for lot in found.lots.values() if lot.expires_at is None or lot.expires_at > now]
    ends: dict[datetime, int] = defaultdict(int)
    for lot in live:
        if lot.expires_at is not None and lot.remaining:
            ends[lot.expires_at] += lot.remaining
    held = found.held(now)
    return Balance(
        found.available(now),
        sum(lot.remaining for lot in live if lot.kind == engine.PRINCIPAL),
        sum(lot.remaining for lot in live if lot.kind == engine.BONUS),
        held,
        merchant.currency,
        sorted(ends.items()),
    )


def open_lots(merchant: Merchant, member_id: int) -> list[StoredLot]:
    """What the stored value is made of, in the order in which each kind is used."""
    rows = StoredLot.objects.filter(merchant=merchant, purse_id__in=purses_of(merchant, member_id), remaining__gt=0)
    return sorted(
        rows, key=lambda row: (row.kind != "principal", row.expires_at is None, row.expires_at or row.at, row.at)
    )


def statement(
    merchant: Merchant,
    member_id: int,
    *,
    first: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = None,
) -> list[Line]:
    """Every change, newest first: from `first` on, before `end`. Holds and refusals change nothing and are not told."""
    return lines_of(merchant, purses_of(merchant, member_id), first=first, end=end, limit=limit)


def lines_of(
    merchant: Merchant,
    purses: list[int],
    *,
    first: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = None,
) -> list[Line]:
    moved: dict[int, dict[str, int]] = defaultdict(lambda: {"principal": 0, "bonus": 0})
    for txn, account, amount in StoredLeg.objects.filter(merchant=merchant, purse_id__in=purses).values_list(
        "txn_id", "account", "amount"
    ):
        moved[txn][account] += amount
    after = {"principal": 0, "bonus": 0}
    told: list[Line] = []
    rows: list[StoredTxn] = sorted(
        StoredTxn.objects.filter(merchant=merchant, pk__in=list(moved)), key=lambda t: (t.at, t.pk)
    )
    for row in rows:
        change = moved[row.pk]
        after = {name: n + change[name] for name, n in after.items()}
        if (first is None or row.at >= first) and (end is None or row.at < end):
            told.append(_line(row, change, after))
    told.reverse()
    return told[:limit]


def _line(row: StoredTxn, change: dict[str, int], after: dict[str, int]) -> Line:
    asked: dict[str, Any] = row.request
    return Line(
        row.pk, row.at, row.kind, change["principal"], change["bonus"], after["principal"], after["bonus"], row.key,
        asked.get("ref", ""), asked.get("paid_by", ""), asked.get("reason", ""), row.actor,
    )  # fmt: skip


def corrections(merchant: Merchant, *, limit: int = 50) -> list[StoredCorrection]:
    """Waiting ones first, then the latest decided."""
    rows = StoredCorrection.objects.filter(merchant=merchant).select_related("member")
    waiting = list(rows.filter(state="waiting").order_by("asked_at"))  # all of them, however old
    return waiting + list(rows.exclude(decided_by="").order_by("-decided_at")[:limit])


def corrections_waiting(merchant: Merchant) -> int:
    return StoredCorrection.objects.filter(merchant=merchant, state="waiting").count()


def has_correction(merchant: Merchant, pk: int) -> bool:
    return StoredCorrection.objects.filter(merchant=merchant, pk=pk).exists()
