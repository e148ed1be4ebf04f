"""What a member may have, what they are close to, and the log of what was handed out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, QuerySet, Sum

from shuke.engine.benefits import Close, Doing, Done, Given, Right, Someone, Streak, doings, progress, rights
from shuke.engine.benefits.counting import Kept, Part, by_line, counted
from shuke.engine.benefits.progress import plan_span
from shuke.engine.charter.rights import Plan
from shuke.engine.charter.terms import Terms
from shuke.engine.facts import OrderStatus
from shuke.engine.ledger.fold import Fold, begin
from shuke.loyalty.models import BenefitUse, TierChange
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters
from shuke.loyalty.queries.facts import came_back, order_event
from shuke.members.models import Member, SpecialDay
from shuke.members.queries.families import family
from shuke.orders.models import Order, OrderLine
from shuke.shops.models import Merchant


class Known(NamedTuple):
    """A member as the charter's benefits see them at a moment."""

    terms: Terms
    who: Someone
    fold: Fold
    named: frozenset[str]  # the tier and what earlier charters called it

    @property
    def tier(self) -> str:
        return self.who.tiers[-1][1]


def known(merchant: Merchant, member_id: int, now: datetime) -> Known:
    """Raises NoCharter. What is due by `now` is folded in memory; nothing is written."""
    versions = charters.versions(merchant)
    terms = versions.at(now)
    member = Member.objects.get(merchant=merchant, pk=member_id)
    head = stored.heads(merchant, [member_id]).get(member_id)
    if head is None or not head.is_settled:
        fold = begin(versions, joined_at=member.joined_at)
    else:
        fold = Fold(versions, stored.open_books(merchant, versions, [head], with_lots={member_id})[member_id].books)
    fold.advance(now)
    rows = TierChange.objects.filter(merchant=merchant, member_id=member_id, superseded_at=None).order_by("at", "id")
    tiers = [*rows.values_list("at", "after"), *((m.at, m.after) for m in fold.moves)]
    tiers = versions.as_called((t for t in tiers if t[0] <= now), now) or [(member.joined_at, fold.tier_at(terms))]
    own = family(merchant.pk, member_id)
    days = SpecialDay.objects.filter(merchant=merchant, member_id__in=own)
    given = BenefitUse.objects.filter(merchant=merchant, member_id__in=own, state=BenefitUse.State.DONE)
    who = Someone(
        terms.day(member.joined_at),
        tiers,
        (member.birth_month, member.birth_day, member.birth_lunar) if member.birth_month and member.birth_day else None,
        list(days.values_list("kind", "month", "day", "lunar")),
        [Given(*row) for row in given.values_list("benefit", "at")],
        member.frozen_at is not None,
    )
    return Known(terms, who, fold, versions.named(tiers[-1][1], now))


def rights_of(merchant: Merchant, member_id: int, now: datetime, store: str = "") -> list[Right]:
    """Every benefit of the charter as it stands for this member. Raises NoCharter."""
    seen = known(merchant, member_id, now)
    return rights(seen.terms, seen.who, now, store)


def close_to(merchant: Merchant, member_id: int, now: datetime) -> list[Close]:
    """What this member is close to. Raises NoCharter."""
    return progress_of(merchant, member_id, known(merchant, member_id, now), now)


def progress_of(merchant: Merchant, member_id: int, seen: Known, now: datetime) -> list[Close]:
    plans = seen.terms.charter.rights.plans
    day = seen.terms.day(now)
    spans = {plan.key: plan_span(seen.terms, plan, day, seen.who.joined) for plan in plans}
    claimed: dict[str, int] = {}
    for given in seen.who.given:
        key = given.benefit.partition(".")[0]
        if key in spans and "." in given.benefit and spans[key].holds(given.at):
            claimed[given.benefit] = claimed.get(given.benefit, 0) + 1
    so_far = _counted(merchant, member_id, seen, plans, now)
    return progress(seen.terms, Done(seen.who.joined, seen.tier, so_far, claimed, _streaks(seen)), now)


def doings_of(seen: Known, now: datetime) -> list[Doing]:
    """What this member can do beside buying that the charter rewards, with their rows of days."""
    return doings(seen.terms, _streaks(seen), now)


def _streaks(seen: Known) -> dict[str, Streak]:
    return {
        activity: Streak(activity, date.fromordinal(last), days)
        for activity, (last, days) in seen.fold.books.standing.streaks.items()
    }


# -- what plans count ---------------------------------------------------------------------------------------------


def _counted(merchant: Merchant, member_id: int, seen: Known, plans: Sequence[Plan], now: datetime) -> dict[str, int]:
    found: dict[str, int] = {}
    if not plans:
        return found
    day = seen.terms.day(now)
    bought = (
        Order.objects.filter(merchant=merchant, member_id=member_id, paid_at__isnull=False, excluded="")
        .filter(status__gte=int(OrderStatus.PAID))
        .exclude(status=int(OrderStatus.CLOSED_UNPAID))
    )
    for plan in plans:
        span = plan_span(seen.terms, plan, day, seen.who.joined)
        mine = bought.filter(paid_at__gte=span.start, net_minor__gt=0)
        if span.end is not None:
            mine = mine.filter(paid_at__lt=span.end)
        if plan.stores:
            mine = mine.filter(store__code__in=plan.stores) | mine.filter(sold_at__code__in=plan.stores)
        if by_line(plan):
            found[plan.key] = counted(plan, _orders(merchant, mine))
        elif plan.counts == "orders":
            found[plan.key] = mine.count()
        else:
            found[plan.key] = mine.aggregate(n=Sum("net_minor"))["n"] or 0
    return found


def _orders(merchant: Merchant, orders: QuerySet[Order]) -> list[Kept]:
    """Those that have lines, with them."""
    told = orders.values_list("pk", "net_minor", "refunded_minor", "store__platform", "store__code", "number")
    nets = {pk: (net, refunded) for pk, net, refunded, *_ in told}
    events = {pk: order_event(*named) for pk, _, refunded, *named in told if refunded}
    back = came_back(merchant, list(events)) if events else {}
    lines: dict[int, list[Part]] = {}
    rows = OrderLine.objects.filter(merchant=merchant, order_id__in=list(nets)).order_by("order_id", "id")
    for pk, amount, quantity, *names in rows.values_list(
        "order_id", "amount_minor", "quantity_milli", "product__category", "product__code", "product__brand"
    ):
        theirs = lines.setdefault(pk, [])
        gone = back.get(events.get(pk, ""), {}).get(len(theirs), 0)
        theirs.append(Part(amount, gone, quantity, *(name or "" for name in names)))
    return [Kept(*nets[pk], theirs) for pk, theirs in lines.items()]


# -- the log ------------------------------------------------------------------------------------------------------


class Filter(NamedTuple):
    """Which lines of the log. Empty = all."""

    benefit: str = ""
    state: str = ""
    actor: str = ""
    store_id: int | None = None
    tier: str = ""
    member_id: int | None = None
    since: datetime | None = None
    before: datetime | None = None


def log(merchant: Merchant, wanted: Filter = Filter()) -> QuerySet[BenefitUse]:  # noqa: B008 - a frozen value
    """Hand-outs, takings back and refusals, latest first."""
    rows = BenefitUse.objects.filter(merchant=merchant).select_related("member", "store")
    exact = {"benefit": wanted.benefit, "state": wanted.state, "actor": wanted.actor, "tier": wanted.tier}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if wanted.store_id is not None:
        rows = rows.filter(store_id=wanted.store_id)
    if wanted.member_id is not None:
        rows = rows.filter(member_id__in=family(merchant.pk, wanted.member_id))
    if wanted.since is not None:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.before is not None:
        rows = rows.filter(at__lt=wanted.before)
    return rows.order_by("-at", "-id")


def things_waiting(merchant: Merchant, member_id: int | None = None) -> QuerySet[BenefitUse]:
    """What goes with the points of a plan's step and was not handed over yet, oldest first."""
    rows = BenefitUse.objects.filter(merchant=merchant, waits=True)
    if member_id is not None:
        rows = rows.filter(member_id__in=family(merchant.pk, member_id))
    return rows.select_related("member").order_by("at", "id")


class Used(NamedTuple):
    """How often one benefit was handed out to one tier, to how many members, and what it cost."""

    benefit: str
    label: dict[str, str]
    tier: str
    times: int
    members: int
    cost_minor: int


def report(merchant: Merchant, since: datetime, before: datetime) -> list[Used]:
    """Use per benefit and tier of a stretch of time."""
    rows = BenefitUse.objects.filter(
        merchant=merchant, state=BenefitUse.State.DONE, at__gte=since, at__lt=before
    )  # fmt: skip
    grouped = rows.values("benefit", "tier").annotate(
        times=Count("id"), members=Count("member_id", distinct=True), cost=Sum("cost_minor")
    )
    labels = {}
    for benefit, label in rows.order_by("at").values_list("benefit", "label"):
        labels[benefit] = label
    return [
        Used(g["benefit"], labels[g["benefit"]], g["tier"], g["times"], g["members"], g["cost"] or 0)
        for g in grouped.order_by("benefit", "tier")
    ]


def costs_of(merchant: Merchant, member_ids: Iterable[int]) -> dict[int, int]:
    """What benefits cost for each of these members, in all."""
    rows = BenefitUse.objects.filter(
        merchant=merchant, member_id__in=list(member_ids), state=BenefitUse.State.DONE
    )  # fmt: skip
    return {row["member_id"]: row["n"] for row in rows.values("member_id").annotate(n=Sum("cost_minor"))}
