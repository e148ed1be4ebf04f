"""Taking back an activity that was tapped for the wrong member, or by mistake."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.kit import audit, clock
from shuke.loyalty.actions.asking import Answer, Ask
from shuke.loyalty.actions.requests import ask
from shuke.loyalty.models import Txn
from shuke.loyalty.queries import activities
from shuke.members.actions import Note, note
from shuke.members.queries.families import living
from shuke.shops.models import Merchant
from shuke.shops.queries import person_behind


@transaction.atomic
def take_back_activity(
    *, merchant: Merchant, key: str, member_id: int, activity: str, now: datetime, actor: str, late: bool = False
) -> Answer:
    """Take back the activity told under the key `activity`: it counts as if it had not been, for points, growth value, tier,
    rows of days, limits and budgets alike; points that were spent meanwhile are owed.

    Who told it may do so on the same day of the shop; `late`: the caller may at any time, and for others (an owner, a manager).
    The same `key` again gives the first answer. Raises NoCharter, KeyReused, NotAsked.
    Effects: the books folded anew and the difference posted; one timeline line; an entry in the log where it was late.
    """
    one = Ask(key, "activity_undo", member_id, ref=activity)
    who = living(merchant.pk, member_id)
    found = next(iter(activities.of_member(merchant, who, key=activity)), None) if activity else None
    own = found is not None and _own(merchant, found, now, actor)
    if found is not None and not late and not own and not Txn.objects.filter(merchant=merchant, key=key).exists():
        return Answer(key, False, "not_yours_to_undo", {"amount": found.points, "growth": found.growth})
    (answer,) = ask(merchant=merchant, asks=[one], now=now, actor=actor)
    if not answer.done or answer.replayed or found is None:
        return answer
    body = {
        "activity": found.activity,
        "points": answer.figures["amount"],
        "growth": answer.figures["growth"],
        "noted_at": found.at.isoformat(),
        "noted_by": found.actor,
        "by": actor,
    }
    note(merchant=merchant, lines=[Note(who, now, "activity.undone", f"activity:{found.pk}", body)], now=now)
    if not own:
        audit.record(
            merchant_id=merchant.pk, at=now, actor=actor, verb="activity.undone", object=f"activity {found.pk}"
        )  # fmt: skip
    return answer


def may_take_back(merchant: Merchant, found: activities.Doing, *, now: datetime, actor: str, late: bool) -> bool:
    """Whether it still stands and this person may take it back now."""
    return found.undone_at is None and (late or _own(merchant, found, now, actor))


def _own(merchant: Merchant, found: activities.Doing, now: datetime, actor: str) -> bool:
    same_day = clock.day_of(found.at, merchant.tz) == clock.day_of(now, merchant.tz)
    return same_day and person_behind(merchant, found.actor) == person_behind(merchant, actor)
