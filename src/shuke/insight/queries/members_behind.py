"""From a figure to the members it counts, as of the latest snapshot.

    members_behind(merchant, "class", rfm="222")     members_behind(merchant, "map", r=5, f=1)
    members_behind(merchant, "layer", layer="key")   members_behind(merchant, "store", store=7)

Each returns a queryset of `Member`, so that lists page, sort and count it. As many members as the figure says, as long as
nobody was merged, erased or joined since the snapshot: who has gone is not shown, who is new waits for the next night.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from shuke.engine.facts import OrderStatus
from shuke.insight.models import MemberScore
from shuke.insight.queries import figures as stored
from shuke.insight.queries import transitions
from shuke.kit import clock
from shuke.members.models import Member, MemberState
from shuke.orders.models import Order
from shuke.shops.models import Merchant


class NoSuchFigure(LookupError):
    """The name of the figure, or a key it needs, is not known. The message lists what is."""


def members_behind(merchant: Merchant, figure: str, **key: str | int | date) -> QuerySet[Member]:
    """The members that `figure` counts. Nobody before the first snapshot.

    Figures and their keys: members; buyers; new_members (month "2017-05", default the month of the snapshot); active;
    churned; repeat_buyers; class (rfm); map (r, f); monetary (m); unbought; layer (layer); bond (bond); without_purchase;
    stage (stage); store (store, optional month); month (month); moved (what, since, until, optional before, after); stood (what, place, day).
    """
    known = stored.latest(merchant)
    members = Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE)
    if known is None:
        return members.none()
    try:
        condition = _FIGURES[figure]
    except KeyError:
        raise NoSuchFigure(f"There is no figure {figure!r}. Known are: {', '.join(sorted(_FIGURES))}.") from None
    scored = MemberScore.objects.filter(merchant=merchant, member=OuterRef("pk"))
    try:
        return members.filter(condition(merchant, known, scored, **key))
    except TypeError as error:
        raise NoSuchFigure(f"The figure {figure!r} needs other keys: {error}.") from error


def in_group(merchant: Merchant, what: str, code: str) -> set[int]:
    """Ids of the members in a layer, a stage or an RFM class."""
    assert what in ("layer", "stage", "rfm"), what
    return set(MemberScore.objects.filter(merchant=merchant, **{what: code}).values_list("member_id", flat=True))


Scored = QuerySet[MemberScore]
Condition = Callable[..., Q | Exists]


def _score(**filters: object) -> Condition:
    def condition(merchant: Merchant, known: stored.Figures, scored: Scored) -> Exists:
        return Exists(scored.filter(**filters))

    return condition


def _keyed(*names: str) -> Condition:
    """Scores equal to the keys of these names; keys are named as the columns, less the 5 of the quintiles."""

    def condition(merchant: Merchant, known: stored.Figures, scored: Scored, **key: object) -> Exists:
        if key.keys() != set(names):
            raise TypeError(", ".join(names))
        return Exists(
            scored.filter(
                **{name if name in ("rfm", "layer", "stage", "bond") else f"{name}5": key[name] for name in names}
            )
        )

    return condition


def _joined(merchant: Merchant, known: stored.Figures, scored: Scored, month: str = "") -> Q:
    start, end = _month(merchant, month or known["as_of"][:7])
    return Q(joined_at__gte=start, joined_at__lt=min(end, _end(merchant, known)))


def _active(merchant: Merchant, known: stored.Figures, scored: Scored) -> Exists:
    return Exists(scored.filter(last_paid_at__gte=_end(merchant, known, known["active_days"])))


def _churned(merchant: Merchant, known: stored.Figures, scored: Scored) -> Exists:
    back = known["active_days"]
    return Exists(
        scored.filter(last_paid_at__lt=_end(merchant, known, back), last_paid_at__gte=_end(merchant, known, 2 * back))
    )


def _in_store(merchant: Merchant, known: stored.Figures, scored: Scored, store: int, month: str = "") -> Exists:
    start, end = _end(merchant, known, known["window_days"]), _end(merchant, known)
    if month:
        start, end = _month(merchant, month)
        end = min(end, _end(merchant, known))
    here = Q(sold_at_id=store) | Q(sold_at_id__isnull=True, store_id=store)
    return Exists(_purchases(merchant).filter(here, paid_at__gte=start, paid_at__lt=end))


def _in_month(merchant: Merchant, known: stored.Figures, scored: Scored, month: str) -> Exists:
    start, end = _month(merchant, month)
    return Exists(_purchases(merchant).filter(paid_at__gte=start, paid_at__lt=min(end, _end(merchant, known))))


def _moved(
    merchant: Merchant,
    known: stored.Figures,
    scored: Scored,
    what: str,
    since: date,
    until: date,
    before: str | None = None,
    after: str | None = None,
) -> Q:
    """Net movement between the ends of two days, as `transitions` counts it; before and after alike: those who stayed."""
    return transitions.moved(merchant, what=what, since=since, until=until, before=before, after=after)


def _stood(merchant: Merchant, known: stored.Figures, scored: Scored, what: str, place: str, day: date) -> Q:
    return transitions.stood(merchant, what=what, day=day, place=place)


def _purchases(merchant: Merchant) -> QuerySet[Order]:
    """Those of one member that count, beside a query of members."""
    return _paid(merchant).filter(member=OuterRef("pk"))


def _paid(merchant: Merchant) -> QuerySet[Order]:
    """Orders that count: paid, not excluded, and not given back whole. As in insight.actions.columns."""
    return (
        Order.objects.filter(merchant=merchant, excluded="", paid_at__isnull=False)
        .exclude(status__in=[OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID])
        .exclude(net_minor__lte=0, refunded_minor__gt=0)
    )


def _end(merchant: Merchant, known: stored.Figures, days_back: int = 0):  # type: ignore[no-untyped-def] # an instant
    """The end of the snapshot's day, or of one so many days earlier."""
    return clock.day_start(date.fromisoformat(known["as_of"]) + timedelta(days=1 - days_back), merchant.tz)


def _month(merchant: Merchant, month: str):  # type: ignore[no-untyped-def] # two instants
    first = date.fromisoformat(f"{month}-01")
    return clock.day_start(first, merchant.tz), clock.day_start(clock.add_months(first, 1), merchant.tz)


_FIGURES: dict[str, Condition] = {
    "members": lambda merchant, known, scored: Q(joined_at__lt=_end(merchant, known)),
    "buyers": _score(order_days__gt=0),
    "new_members": _joined,
    "active": _active,
    "churned": _churned,
    "repeat_buyers": _score(year_order_days__gte=2),
    "class": _keyed("rfm"),
    "map": _keyed("r", "f"),
    "monetary": _keyed("m"),
    "unbought": _score(order_days=0),
    "layer": _keyed("layer"),
    "bond": _keyed("bond"),
    "without_purchase": _score(year_order_days=0),
    "stage": _keyed("stage"),
    "store": _in_store,
    "month": _in_month,
    "moved": _moved,
    "stood": _stood,
}
