"""What people of the shop gave by hand, for whoever answers for it: who, how much, to whom; and which cards were used at the tills.

Nothing here accuses anybody. It shows where a second look pays: much by one hand, members who never bought, accounts that were
quiet for long, one card used again and again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import NamedTuple

from shuke.kit import bulk
from shuke.kit.clock import day_of, day_start
from shuke.loyalty.models import Checkout, Correction, CouponMove, ManualTier, StoredCorrection, StoredTxn
from shuke.members.models import Member
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

QUIET = timedelta(days=180)  # without an order for so long an account sleeps
SEVERAL = 3  # purchases on one card at one till in a day, from which on somebody should look
KINDS = ("adjust", "reinstate", "growth", "money", "tier", "coupon", "top_up")


class Deed(NamedTuple):
    """One thing somebody gave or took by hand. `amount` by its kind: points, growth value, minor units, coupons; a tier has none."""

    at: datetime
    person: str
    kind: str  # one of KINDS
    member_id: int | None  # None: a gift card that was sold
    amount: int
    told: str  # the reason, or the tier or coupon
    alone: bool  # nobody else agreed to it
    never: bool  # the member had not bought anything before
    quiet: bool  # … or not for half a year


class Basket(NamedTuple):
    """A purchase at a till for which a card was shown."""

    at: datetime
    day: date
    person: str
    member_id: int
    due_minor: int
    points: int
    again: int  # purchases with this card by this person on that day


class Till(NamedTuple):
    person: str
    busiest: date
    cards: int  # different cards on that day
    usual: float  # on a day with purchases, half of them have more
    again: int  # purchases with a card that was there SEVERAL times or more in a day


@dataclass(slots=True)
class Sums:
    """What one person gave by hand."""

    person: str
    count: int = 0
    given: int = 0
    taken: int = 0
    reinstated: int = 0
    growth: int = 0  # given and taken, added up
    money_minor: int = 0  # the same
    top_up_minor: int = 0
    tiers: int = 0
    coupons: int = 0
    never: int = 0
    quiet: int = 0


@dataclass(slots=True)
class Report:
    people: list[Sums]
    tills: list[Till]
    deeds: list[Deed] = field(default_factory=list)
    baskets: list[Basket] = field(default_factory=list)
    members: dict[int, Member] = field(default_factory=dict)


def report(merchant: Merchant, first: date, last: date) -> Report:
    """Of the shop's days from first to last, both included. People by how often, tills by how conspicuous."""
    since, until = day_start(first, merchant.tz), day_start(last + timedelta(days=1), merchant.tz)
    behind = _behind(merchant)
    deeds = _deeds(merchant, since, until, behind)
    baskets = _baskets(merchant, since, until, behind)
    named = {one.member_id for one in deeds if one.member_id is not None} | {one.member_id for one in baskets}
    people = sorted(_sums(deeds), key=lambda one: (-one.count, one.person))
    return Report(people, _tills(baskets), deeds, baskets, Member.objects.in_bulk(named))


def chosen_deeds(found: Report, person: str = "", what: str = "") -> list[Deed]:
    """The deeds behind one number of the report, latest first."""
    wanted = _CHOICES.get(what, lambda _: True)
    return [one for one in found.deeds if (not person or one.person == person) and wanted(one)]


def chosen_baskets(found: Report, person: str = "", what: str = "") -> list[Basket]:
    busiest = {one.person: one.busiest for one in found.tills}
    return [
        one
        for one in found.baskets
        if (not person or one.person == person)
        and (one.again >= SEVERAL if what == "again" else one.day == busiest[one.person])
    ]


_CHOICES: dict[str, Callable[[Deed], bool]] = {
    "given": lambda one: one.kind == "adjust" and one.amount > 0,
    "taken": lambda one: one.kind == "adjust" and one.amount < 0,
    "reinstated": lambda one: one.kind == "reinstate",
    "growth": lambda one: one.kind == "growth",
    "money": lambda one: one.kind == "money",
    "top_up": lambda one: one.kind == "top_up",
    "tiers": lambda one: one.kind == "tier",
    "coupons": lambda one: one.kind == "coupon",
    "never": lambda one: one.never,
    "quiet": lambda one: one.quiet,
}
WHAT = tuple(_CHOICES)
AT_TILLS = ("busiest", "again")


def _behind(merchant: Merchant) -> Callable[[str], str]:
    known: dict[str, str] = {}

    def person(actor: str) -> str:
        if actor not in known:
            known[actor] = shops.person_behind(merchant, actor)
        return known[actor]

    return person


def _deeds(merchant: Merchant, since: datetime, until: datetime, behind: Callable[[str], str]) -> list[Deed]:
    rows: list[tuple[datetime, str, str, int | None, int, str, bool]] = []
    asked = {"merchant": merchant, "state": "done", "asked_at__gte": since, "asked_at__lt": until}
    for one in Correction.objects.filter(**asked):
        rows.append((one.asked_at, one.person or behind(one.asked_by), one.kind, one.member_id, one.amount, one.reason, not one.decided_by))  # fmt: skip
    for money in StoredCorrection.objects.filter(**asked):
        rows.append((money.asked_at, money.person or behind(money.asked_by), "money", money.member_id, money.amount, money.reason, not money.decided_by))  # fmt: skip
    then = {"merchant": merchant, "at__gte": since, "at__lt": until}
    for tier in ManualTier.objects.filter(**then):
        rows.append((tier.at, behind(tier.actor), "tier", tier.member_id, 0, f"{tier.tier} · {tier.reason}", True))
    top_ups = StoredTxn.objects.filter(**then, kind="top_up").select_related("purse")
    for top_up in top_ups.only("at", "actor", "request", "answer", "purse__member_id"):
        paid = top_up.answer.get("figures", {}).get("principal", 0)
        if top_up.answer.get("done"):
            way = top_up.request.get("paid_by", "")
            rows.append((top_up.at, behind(top_up.actor), "top_up", top_up.purse.member_id, paid, way, True))
    given = CouponMove.objects.filter(**then, kind="issue", coupon__source="hand").select_related("coupon__template")
    coupons = Counter((m.at, behind(m.actor), m.coupon.member_id, m.coupon.template.key) for m in given)
    for (at, person, member, key), n in coupons.items():
        rows.append((at, person, "coupon", member, n, key, True))
    bought = _bought(merchant, {row[3] for row in rows if row[3] is not None})
    deeds = []
    for row in rows:
        at, member_id = row[0], row[3]
        days = bought.get(member_id or 0, [])
        before = bisect_left(days, at)
        never = member_id is not None and before == 0
        quiet = member_id is not None and before > 0 and at - days[before - 1] >= QUIET
        deeds.append(Deed(*row, never, quiet))
    return sorted(deeds, key=lambda one: one.at, reverse=True)


def _bought(merchant: Merchant, members: Iterable[int]) -> dict[int, list[datetime]]:
    """When each of these members paid, the earliest first."""
    where, values = bulk.among("member_id", sorted(members))
    found: dict[int, list[datetime]] = defaultdict(list)
    for member, at in bulk.select(
        "SELECT member_id, paid_at FROM orders_order WHERE merchant_id = %s AND paid_at IS NOT NULL "
        f"AND excluded = '' AND {where} ORDER BY member_id, paid_at",
        [merchant.pk, values],
    ):
        moment = bulk.read_moment(at)
        if moment is not None:
            found[member].append(moment)
    return found


def _baskets(merchant: Merchant, since: datetime, until: datetime, behind: Callable[[str], str]) -> list[Basket]:
    rows = Checkout.objects.filter(
        merchant=merchant, state="captured", member__isnull=False, placed_at__gte=since, placed_at__lt=until
    ).order_by("-placed_at")
    told = [
        (at, day_of(at, merchant.tz), behind(actor), member, due, points)
        for at, actor, member, due, points in rows.values_list("placed_at", "actor", "member_id", "due_minor", "points")
        if member is not None
    ]
    times = Counter((day, person, member) for _, day, person, member, _, _ in told)
    return [Basket(*row, times[row[1], row[2], row[3]]) for row in told]


def _tills(baskets: list[Basket]) -> list[Till]:
    cards: dict[str, dict[date, set[int]]] = defaultdict(lambda: defaultdict(set))
    again = Counter[str]()
    for one in baskets:
        cards[one.person][one.day].add(one.member_id)
        again[one.person] += one.again >= SEVERAL
    tills = []
    for person, days in cards.items():
        busiest = max(days, key=lambda day: (len(days[day]), day))
        usual = float(median(len(found) for found in days.values()))
        tills.append(Till(person, busiest, len(days[busiest]), usual, again[person]))
    return sorted(tills, key=lambda one: (-one.again, -one.cards / one.usual, one.person))


def _sums(deeds: Iterable[Deed]) -> list[Sums]:
    found: dict[str, Sums] = {}
    for one in deeds:
        mine = found.setdefault(one.person, Sums(one.person))
        mine.count += 1
        mine.never += one.never
        mine.quiet += one.quiet
        if one.kind == "adjust":
            mine.given += max(0, one.amount)
            mine.taken -= min(0, one.amount)
        elif one.kind == "reinstate":
            mine.reinstated += one.amount
        elif one.kind == "growth":
            mine.growth += abs(one.amount)
        elif one.kind == "money":
            mine.money_minor += abs(one.amount)
        elif one.kind == "top_up":
            mine.top_up_minor += one.amount
        elif one.kind == "tier":
            mine.tiers += 1
        else:
            mine.coupons += one.amount
    return list(found.values())
