"""What members did that is no purchase, as the books know it: when, told by whom, what it gave, and whether it was taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Sum

from shuke.engine.ledger.judging import Told
from shuke.loyalty.models import DrawTicket, Entry, Txn
from shuke.loyalty.queries import charters, facts
from shuke.shops.models import Merchant


class Doing(NamedTuple):
    """One activity of a member. `points` and `growth`: what it gave, also where it was taken back since."""

    pk: int  # of its posting
    key: str
    activity: str
    at: datetime
    actor: str
    points: int
    growth: int
    undone_at: datetime | None
    undone_by: str


def of_member(
    merchant: Merchant, member_id: int, *, limit: int = 50, since: datetime | None = None, key: str = ""
) -> list[Doing]:
    """A member's activities, latest first; `key`: that one alone."""
    mine = Txn.objects.filter(merchant=merchant, pk__in=facts.request_ids(merchant, member_id))
    rows = mine.filter(kind="activity")
    rows = rows.filter(at__gte=since) if since is not None else rows
    rows = rows.filter(key=key) if key else rows
    page = list(rows.order_by("-at", "-id")[:limit])
    if not page:
        return []
    undone = {one.outcome["request"]["undone"]: one for one in mine.filter(kind="activity_undo").only("outcome", "at", "actor")}  # type: ignore[index]  # fmt: skip
    return [
        Doing(
            one.pk,
            one.key,
            (one.outcome or {})["request"]["activity"],
            one.at,
            one.actor,
            *_given(one),
            undone[one.event].at if one.event in undone else None,
            undone[one.event].actor if one.event in undone else "",
        )
        for one in page
    ]


def name_of(merchant: Merchant, activity: str, now: datetime) -> dict[str, str]:
    """What the charter in force calls an activity; {} where it has it no more."""
    try:
        rules = charters.in_force(merchant, now).charter.earning
    except charters.NoCharter:
        return {}
    found = next((rule.name for rule in rules if rule.kind == "activity" and rule.activity == activity), None)
    return dict(found.model_dump()) if found else {}


def _given(one: Txn) -> tuple[int, int]:
    """As it was answered when it was told. What late facts made of it since is in the statement."""
    figures = (one.outcome or {})["answer"]["figures"]
    return figures.get("amount", 0), figures.get("growth", 0)


def told(merchant: Merchant, member_id: int, key: str) -> Told | None:
    """The activity a member's books have under a key, with what it gives today."""
    found = next(iter(of_member(merchant, member_id, key=key)), None) if key else None
    if found is None:
        return None
    event = f"activity:{key}"
    postings = Txn.objects.filter(merchant=merchant, member_id=member_id, event=event)
    legs = Entry.objects.filter(merchant=merchant, txn__in=postings.values("pk"), account__in=("member", "debt"))
    return Told(
        event,
        legs.aggregate(n=Sum("amount"))["n"] or 0,
        postings.aggregate(n=Sum("growth"))["n"] or 0,
        found.undone_at is not None,
        DrawTicket.objects.filter(merchant=merchant, source=event, number__isnull=False).exists(),
    )


def undone_events(merchant: Merchant, members: Iterable[int]) -> dict[int, set[str]]:
    """Events of activities that were taken back, by member."""
    found: dict[int, set[str]] = {}
    for member in members:
        rows = Txn.objects.filter(merchant=merchant, pk__in=facts.request_ids(merchant, member), kind="activity_undo")
        found[member] = {(outcome or {})["request"]["undone"] for outcome in rows.values_list("outcome", flat=True)}
    return found
