"""What the shop owed in points at any moment: by age of lot, month of expiry, tier, store and funder; exact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q

from shuke.engine.finance import months
from shuke.engine.finance.rolling import minor
from shuke.engine.ledger.books import FAR
from shuke.engine.ledger.fold import replay
from shuke.kit import bulk, clock
from shuke.loyalty.models import Hold
from shuke.loyalty.queries import books, charters, facts, timing
from shuke.loyalty.queries.budgets import closed_purse
from shuke.shops.models import Merchant

AGES = (1, 3, 6, 12, 24)  # months; a lot is in the first band it is not older than


class Part(NamedTuple):
    """One row of a breakdown. `key`: upper age in months, expiry month, tier, store or funder; None: none."""

    key: str | int | None
    points: int
    money_minor: int


class AsOf(NamedTuple):
    """Points outstanding at a moment, money at each lot's own cost. available + pending + held = points."""

    at: datetime
    points: int
    money_minor: int
    available: int
    pending: int
    held: int
    debt: int
    members: int
    by_age: list[Part]
    by_expiry: list[Part]
    by_tier: list[Part]
    by_store: list[Part]
    by_funder: list[Part]
    accounts: dict[str, int]  # sums of the double entry at that moment
    lapsed_unbooked: int  # past their expiry, the clock has not booked it

    @property
    def differences(self) -> dict[str, int]:
        """Must all be 0: what the lots say less what the accounts say."""
        return {
            "lots": self.points + self.lapsed_unbooked - self.accounts.get("member", 0),
            "debt": self.debt + self.accounts.get("debt", 0),
            "accounts": sum(self.accounts.values()),
        }


# Which store sold is known by the order's time, which has an index; of two orders of a member in one second one counts.
_LOTS = """
SELECT l.member_id, {age} AS age, CASE WHEN l.expires_at IS NULL THEN -1 ELSE {expiry} END AS ending,
       CASE WHEN l.expires_at <= %s THEN 2 WHEN l.available_at > %s THEN 1 ELSE 0 END AS state,
       (SELECT MIN(COALESCE(o.sold_at_id, o.store_id)) FROM orders_order o WHERE o.merchant_id = l.merchant_id
          AND o.member_id = l.member_id AND o.paid_at = l.earned_at AND l.key LIKE 'order:%%') AS store,
       l.funder_id, l.cost_micro, l.remaining + COALESCE(back.n, 0) AS points
FROM loyalty_lot l LEFT JOIN (
  SELECT lot_id, CAST(SUM(n) AS BIGINT) AS n FROM (
    SELECT u.lot_id, u.amount AS n FROM loyalty_txn t CROSS JOIN loyalty_use u
    WHERE u.txn_id = t.id AND u.merchant_id = t.merchant_id AND t.merchant_id = %s AND t.at >= %s AND ({number}) = 1{rest}
    UNION ALL SELECT u.lot_id, u.amount FROM loyalty_use u WHERE u.merchant_id = %s AND {later}
  ) moved GROUP BY lot_id
) back ON back.lot_id = l.id
WHERE l.merchant_id = %s AND {appears} < %s AND l.remaining + COALESCE(back.n, 0) > 0
"""
_TIERS = """
SELECT member_id, after AS tier FROM (
  SELECT member_id, after, ROW_NUMBER() OVER (PARTITION BY member_id ORDER BY at DESC, id DESC) AS place
  FROM loyalty_tier_change WHERE merchant_id = %s AND superseded_at IS NULL AND at < %s) history WHERE place = 1
"""


def end_of(merchant: Merchant, day: date) -> datetime:
    """The moment a day is over: as of a day means as of then."""
    return clock.day_start(day + timedelta(days=1), merchant.tz)


def as_of(merchant: Merchant, at: datetime) -> AsOf:
    """The liability at a moment, by what is known today; lots are what they were, whatever was used of them since."""
    present = timing.all_before(merchant, at)
    odd = [] if present else timing.moved(merchant)
    accounts = timing.totals(merchant) if present else timing.account_sums(merchant, [at], odd)[0]
    held = _held(merchant, at)
    tier_of: dict[int, str] = dict(bulk.select(_TIERS, [merchant.pk, bulk.moment()(at)]))
    first = months.of(clock.day_of(at, merchant.tz))
    tables: list[dict[str | int | None, list[int]]] = [defaultdict(lambda: [0, 0]) for _ in range(5)]
    points = micro = pending = lapsed = 0
    holders = set()
    for member, band, ending, state, store, funder, cost, left in _lots(merchant, at, odd, first):
        if state == 2:
            lapsed += left
            continue
        worth = left * cost
        points += left
        micro += worth
        holders.add(member)
        if state:
            pending += left
        age = AGES[len(AGES) - band] if band else None
        last = None if ending < 0 else first + ending - 1
        for table, key in zip(tables, (age, last, tier_of.get(member), store, funder), strict=True):
            sums = table[key]
            sums[0] += left
            sums[1] += worth
    by_age, by_expiry, by_tier, by_store, by_funder = tables
    return AsOf(
        at=at,
        points=points,
        money_minor=minor(micro),
        available=points - pending - held,
        pending=pending,
        held=held,
        debt=-accounts.get("debt", 0),
        members=len(holders),
        by_age=_parts(by_age, _rising),
        by_expiry=[p._replace(key=_label(p.key)) for p in _parts(by_expiry, _rising)],
        by_tier=_parts(by_tier),
        by_store=_parts(by_store),
        by_funder=_parts(by_funder),
        accounts=accounts,
        lapsed_unbooked=lapsed,
    )


def _lots(merchant: Merchant, at: datetime, odd: Sequence[timing.Moved], first: int) -> list[tuple]:
    """Lots as they were: what is left now, plus what later postings took, less what they gave back."""
    moment = bulk.moment()(at)
    day = clock.day_of(at, merchant.tz)
    bands = sorted(clock.day_start(clock.add_months(day, -age), merchant.tz) for age in AGES)
    age, told_age = timing.bucket("l.earned_at", bands)
    expiry, told_expiry = timing.bucket("l.expires_at", _month_starts(merchant, first), ends_with="1 = 1")
    number, told_number = timing.posting_bucket([at])
    rest, told_rest = timing.without(odd)
    later = [one.txn for one in odd if timing.number_of([at], one.at, by_clock=one.by_clock)]
    where, told_later = bulk.among("u.txn_id", later or [0])
    return bulk.select(
        _LOTS.format(appears=timing.APPEARS, age=age, expiry=expiry, number=number, rest=rest, later=where),
        [
            *told_age, *told_expiry, moment, moment, merchant.pk, moment, *told_number, *told_rest, merchant.pk,
            told_later, merchant.pk, moment,
        ],
    )  # fmt: skip


def _rising(key: Any) -> tuple[bool, Any]:
    return key is None, key


def _label(month: Any) -> str | None:
    return None if month is None else months.label(month)


def _month_starts(merchant: Merchant, first: int) -> list[datetime]:
    """From the month of the moment to that of the last expiry there is."""
    (last,) = bulk.select("SELECT MAX(expires_at) FROM loyalty_lot WHERE merchant_id = %s", [merchant.pk])[0]
    moment = bulk.read_moment(last)
    until = first if moment is None else max(first, months.of(clock.day_of(moment, merchant.tz)))
    return [clock.day_start(months.first_day(m), merchant.tz) for m in range(first, until + 1)]


def _held(merchant: Merchant, at: datetime) -> int:
    """Points set aside then, of lots that had not expired. Which lots a hold takes is decided by the fold alone, and a
    hold that was told late keeps no note of it: so the few members who had one are folded up to that moment."""
    members = list(
        Hold.objects.filter(merchant=merchant, placed_at__lt=at, times_out_at__gt=at)
        .filter(Q(resolved_at__isnull=True) | Q(resolved_at__gte=at))
        .values_list("member_id", flat=True)
        .distinct()
    )
    if not members:
        return 0
    versions = charters.versions(merchant)
    heads = books.heads(merchant, members)
    bought = facts.bought(merchant, versions, member_ids=members).events
    purse = closed_purse(merchant, versions, members)
    asked = facts.requests(merchant, members)
    found = 0
    for member, head in heads.items():
        told = [e for e in bought.get(member, []) + asked.get(member, []) if e.at < at]
        fold = replay(versions, told, joined_at=head.joined_at, birthdays=head.birthdays, until=at, purse=purse)
        found += sum(lot.held for lot in fold.books.lots.values() if (lot.expires_at or FAR) > at)
    return found


def _parts(table: Mapping[str | int | None, list[int]], order: Callable[[Any], Any] | None = None) -> list[Part]:
    """Largest first, or in the order of the key; money rounded so that the parts add up to the whole."""
    keys = sorted(table, key=order) if order else sorted(table, key=lambda k: (-table[k][0], str(k)))
    found, running, said = [], 0, 0
    for key in keys:
        running += table[key][1]
        found.append(Part(key, table[key][0], minor(running) - said))
        said = minor(running)
    return found
