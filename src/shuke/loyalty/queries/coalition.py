"""Reads of a coalition: who is in it, what was agreed, whose accounts belong together, what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Q

from shuke.engine.coalition.prices import MICRO, Prices, prices_at
from shuke.engine.coalition.strength import Month
from shuke.kit import bulk, clock
from shuke.loyalty.models import (
    Coalition,
    CoalitionLink,
    CoalitionPack,
    CoalitionPartner,
    CoalitionPeriod,
    CoalitionStatement,
    CoalitionTerms,
    Txn,
)
from shuke.loyalty.queries.member import balance
from shuke.members.models import Member
from shuke.shops.models import Merchant


def partner_of(merchant: Merchant, now: datetime) -> CoalitionPartner | None:
    """This merchant's place in the coalition it takes part in now."""
    found = CoalitionPartner.objects.filter(merchant=merchant, state="in").select_related("coalition__merchant").first()
    return found if found is not None and takes_part(found, now) else None


def takes_part(partner: CoalitionPartner, now: datetime) -> bool:
    coalition = partner.coalition
    return (
        partner.state == "in"
        and coalition.starts_at <= now
        and (coalition.ends_at is None or now < coalition.ends_at)
        and (partner.leaves_at is None or now < partner.leaves_at)
    )


def places(merchant: Merchant) -> list[CoalitionPartner]:
    """Every coalition this merchant is, was or may be in, the latest first."""
    return list(
        CoalitionPartner.objects.filter(merchant=merchant).select_related("coalition__merchant").order_by("-invited_at", "-id")
    )  # fmt: skip


def partners(coalition: Coalition) -> list[CoalitionPartner]:
    return list(
        CoalitionPartner.objects.filter(coalition=coalition).select_related("merchant", "coalition").order_by("merchant_id")
    )  # fmt: skip


def agreed(coalition: Coalition) -> dict[int, list[Prices]]:
    """What each partner agreed to, by time. Of two that begin at one moment the later one holds."""
    rows = CoalitionTerms.objects.filter(coalition=coalition, agreed_at__isnull=False).order_by(
        "effective_from", "version"
    )
    found: dict[int, list[Prices]] = {}
    for row in rows:
        found.setdefault(row.merchant_id, []).append(prices_of(row))
    return found


def prices_of(row: CoalitionTerms) -> Prices:
    return Prices(
        row.effective_from,
        row.issue_micro,
        row.redeem_micro,
        row.prepaid,
        row.warn_below,
        row.credit_limit_minor,
        row.spend_most_per_day,
    )


def waiting_terms(merchant: Merchant, coalition: Coalition) -> CoalitionTerms | None:
    """The newest terms this merchant has not agreed to yet."""
    newest = CoalitionTerms.objects.filter(merchant=merchant, coalition=coalition).order_by("-version").first()
    return newest if newest is not None and newest.agreed_at is None else None


def link_of(merchant: Merchant, member_id: int) -> CoalitionLink | None:
    return (
        CoalitionLink.objects.filter(merchant=merchant, member_id=member_id, ended_at__isnull=True)
        .select_related("coalition__merchant")
        .first()
    )


def accounts(coalition: Coalition, number: str, merchant_ids: Iterable[int]) -> list[CoalitionLink]:
    """One person's accounts with these partners, in the order everybody locks them."""
    found = CoalitionLink.objects.filter(
        merchant_id__in=list(merchant_ids), coalition=coalition, number=number, ended_at__isnull=True
    )
    return list(found.select_related("merchant").order_by("merchant_id", "member_id"))


class Spendable(NamedTuple):
    """What a person can spend at a till now, and why nothing, if so."""

    points: int
    code: str = ""  # no_coalition | not_linked


def spendable(merchant: Merchant, member_id: int, now: datetime) -> Spendable:
    """Points of all accounts this till may take from, within what it takes of one member a day."""
    link = link_of(merchant, member_id)
    if link is None:
        return Spendable(0, "not_linked" if partner_of(merchant, now) else "no_coalition")
    seats = {p.merchant_id: p for p in partners(link.coalition) if takes_part(p, now)}
    if merchant.pk not in seats:
        return Spendable(0, "no_coalition")
    agreed_of = agreed(link.coalition)
    points = 0
    for one in accounts(link.coalition, link.number, seats):
        mine = one.merchant_id == merchant.pk
        if Member.objects.filter(pk=one.member_id, frozen_at__isnull=False).exists() or not (
            mine or not over_limit(seats[one.merchant_id], prices_at(agreed_of[one.merchant_id], now))
        ):
            continue
        points += max(0, balance(one.merchant, one.member_id, now).available)
    most = prices_at(agreed_of[merchant.pk], now).spend_most_per_day
    if most is not None:
        day = clock.day_start(now.astimezone(merchant.tz).date(), merchant.tz)
        points = min(points, max(0, most - spent_since(merchant, member_id, day)))
    return Spendable(points)


def over_limit(seat: CoalitionPartner, prices: Prices) -> bool:
    """A partner that owes more than it may: its points are good at its own till only, until it has paid."""
    return prices.credit_limit_minor is not None and pack_of(seat, prices).over_limit


def spent_since(merchant: Merchant, member: int, since: datetime) -> int:
    """Coalition points one member spent at this merchant's till, less what came back."""
    rows = bulk.select(
        "SELECT CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) FROM loyalty_txn t JOIN loyalty_entry e "
        "ON e.merchant_id = t.merchant_id AND e.txn_id = t.id WHERE t.merchant_id = %s AND t.member_id = %s AND t.at >= %s "
        "AND t.kind IN ('pool_spent', 'pool_returned') AND e.account = 'spent'",
        [merchant.pk, member, bulk.moment()(since)],
    )
    return rows[0][0]


class Pack(NamedTuple):
    """What is left of what a partner prepaid, as last gathered."""

    left_micro: int
    left_points: int
    warn: bool
    owed_minor: int  # beyond the packs
    over_limit: bool


def pack_of(partner: CoalitionPartner, prices: Prices) -> Pack:
    deposit = deposit_micro(partner)
    charged = max(0, -partner.open_micro)
    left = max(0, deposit - charged)
    points = left // prices.issue_micro if prices.issue_micro else 0
    owed = -(-max(0, charged - deposit) // MICRO)
    over = prices.credit_limit_minor is not None and owed > prices.credit_limit_minor
    return Pack(left, points, prices.prepaid and points < prices.warn_below, owed, over)


def deposit_micro(partner: CoalitionPartner) -> int:
    """Packs not used up at the last closing, and those bought since."""
    last = last_statement(partner.merchant_id, partner.coalition)
    since = CoalitionPack.objects.filter(
        merchant_id=partner.merchant_id, coalition=partner.coalition, period__isnull=True
    ).values_list("paid_minor", flat=True)
    return (last.document["deposit_micro"] if last else 0) + sum(since) * MICRO


def last_statement(merchant_id: int, coalition: Coalition) -> CoalitionStatement | None:
    mine = CoalitionStatement.objects.filter(merchant_id=merchant_id, period__coalition=coalition)
    return mine.order_by("-period__number").first()


def periods(coalition: Coalition) -> list[CoalitionPeriod]:
    return list(
        CoalitionPeriod.objects.filter(merchant_id=coalition.merchant_id, coalition=coalition).order_by("-number")
    )


def period(coalition: Coalition, number: int) -> CoalitionPeriod | None:
    mine = CoalitionPeriod.objects.filter(merchant_id=coalition.merchant_id, coalition=coalition, number=number)
    return mine.select_related("coalition").first()


def statements(found: CoalitionPeriod) -> list[CoalitionStatement]:
    return list(CoalitionStatement.objects.filter(period=found).select_related("merchant").order_by("merchant_id"))


def members_linked(coalition: Coalition, merchant: Merchant) -> int:
    return CoalitionLink.objects.filter(merchant=merchant, coalition=coalition, ended_at__isnull=True).count()


# ---- strength -----------------------------------------------------------------------------------------------------


class Strength(NamedTuple):
    """One month of all partners, by merchant."""

    month: date
    partners: dict[int, Month]


def strength(coalition: Coalition, first: date, last: date) -> list[Strength]:
    """Month by month, from the month of `first` to that of `last`, in the founder's zone."""
    zone = coalition.merchant.tz
    ids = [p.merchant_id for p in partners(coalition)]
    told = []
    month = first.replace(day=1)
    while month <= last:
        following = clock.add_months(month, 1)
        told.append(
            Strength(month, _month(coalition, ids, clock.day_start(month, zone), clock.day_start(following, zone)))
        )
        month = following
    return told


def _month(coalition: Coalition, ids: list[int], since: datetime, until: datetime) -> dict[int, Month]:
    at = bulk.moment()
    where, values = bulk.among("merchant_id", ids)
    figures = {pk: dict.fromkeys(Month._fields, 0) for pk in ids}
    for merchant, kind, other, points, micro in bulk.select(
        "SELECT merchant_id, kind, other_id, CAST(SUM(points) AS BIGINT), CAST(SUM(amount_micro) AS BIGINT) "
        f"FROM loyalty_coalition_movement WHERE {where} AND coalition_id = %s AND at >= %s AND at < %s "
        "GROUP BY merchant_id, kind, other_id",
        [values, coalition.pk, at(since), at(until)],
    ):
        mine = figures[merchant]
        mine["balance_micro"] += micro
        if kind == "used":
            mine["used_elsewhere"] += points
        elif kind == "redeemed":
            mine["own" if other == merchant else "taken"] += points
        elif kind in ("issued", "taken_back"):
            mine["issued"] += points if kind == "issued" else -points
    first = Q(merchant_id__in=ids, coalition=coalition, linked_at__gte=since, linked_at__lt=until)
    for merchant, brought_by in CoalitionLink.objects.filter(first).values_list("merchant_id", "brought_by_id"):
        if merchant == brought_by:
            figures[merchant]["members"] += 1
    return {pk: Month(**mine) for pk, mine in figures.items()}


class Spend(NamedTuple):
    """Points a member spent at this merchant's till from all accounts: how many, and how many have not come back."""

    key: str
    at: datetime
    points: int
    left: int


def spends(merchant: Merchant, member_id: int, most: int = 5) -> list[Spend]:
    """The latest of a member of which something can still be given back."""
    mine = Txn.objects.filter(merchant=merchant, member_id=member_id)
    back: dict[str, int] = defaultdict(int)
    for outcome in mine.filter(kind="pool_returned").values_list("outcome", flat=True):
        request = outcome["request"] if outcome else {}
        back[request.get("burn", "")] += request.get("amount", 0)
    found = []
    spent = mine.filter(kind="pool_spent", outcome__isnull=False).order_by("-at", "-id")
    for key, event, at, outcome in spent.values_list("key", "event", "at", "outcome"):
        points = outcome["request"]["amount"] if outcome else 0
        if points > back[event]:
            found.append(Spend(key, at, points, points - back[event]))
        if len(found) == most:
            break
    return found


def members_by_number(merchant: Merchant, coalition: Coalition, number: str) -> Member | None:
    """Who takes part under this number here, for a till that is told only the number."""
    found = CoalitionLink.objects.filter(merchant=merchant, coalition=coalition, number=number, ended_at__isnull=True)
    link = found.select_related("member").first()
    return link.member if link else None
