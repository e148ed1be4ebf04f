"""What the books know of a request before the engine judges it, and how its answer is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger import judging
from shuke.engine.ledger.books import Books, Effect
from shuke.engine.ledger.fold import Fold
from shuke.loyalty.actions.asking import BY_EFFECT, Answer, Ask
from shuke.loyalty.actions.posting import Request
from shuke.loyalty.models import Txn
from shuke.loyalty.queries import activities, facts
from shuke.loyalty.queries import books as stored
from shuke.shops.models import Merchant


def touches_lots(asks: Sequence[Ask], head: stored.Head, now: datetime) -> bool:
    """Points that only come in leave old lots alone, unless some expire first or are held."""
    credits = all(one.kind in BY_EFFECT or (one.kind in ("adjust", "opening") and one.amount > 0) for one in asks)
    return not credits or head.held > 0 or (head.next_expiry_at is not None and head.next_expiry_at <= now)


def judge(
    one: Ask, books: Books, burnt: tuple[str, int] | None, now: datetime, *, frozen: bool = False
) -> tuple[Answer, ev.Event | None]:
    verdict = judging.judge(one, books, burnt, now, frozen=frozen)
    return Answer(one.key, not verdict.code, verdict.code, verdict.figures), verdict.event


def judge_fact(
    merchant: Merchant, versions: Versions, one: Ask, fold: Fold, now: datetime
) -> tuple[Answer, ev.Event | None]:
    """Requests that state something that happened: what it gives is the charter's affair."""

    def lapsed_since(since: datetime) -> int:
        booked = facts.lapsed_since(merchant, one.member_id, since)
        return booked + sum(e.legs.get("breakage", 0) for e in fold.effects)

    if one.kind == "activity_undo":
        verdict = judging.judge_undo(one, activities.told(merchant, one.member_id, one.ref), now)
    else:
        verdict = judging.judge_fact(versions.at(now), one, fold.books.standing, lapsed_since, now)
    return Answer(one.key, not verdict.code, verdict.code, verdict.figures), verdict.event


def answering(one: Ask, request: Request, answers: dict[str, Answer]) -> Callable[[Effect], None]:
    """Completes the answer, kept and given, when the effect of the request is known."""

    def told(effect: Effect) -> None:
        points = effect.legs.get("member", 0) + effect.legs.get("debt", 0)
        figures = {"amount": points, "growth": effect.growth}
        answers[one.key] = answers[one.key]._replace(figures=figures)
        request.outcome["answer"]["figures"] = figures

    return told


def burnt(merchant: Merchant, member: int, key: str) -> tuple[str, int] | None:
    """Event of a spend by its key, and what of it was not given back yet."""
    mine = Txn.objects.filter(merchant=merchant, pk__in=facts.request_ids(merchant, member))
    spend = mine.filter(key=key, kind__in=("burn", "capture")).values_list("event", "outcome").first()
    if spend is None:
        return None
    event, outcome = spend
    told = [o["request"] for o in mine.filter(kind="return").values_list("outcome", flat=True) if o]
    return event, (outcome or {})["request"]["amount"] - sum(r["amount"] for r in told if r.get("burn") == event)


def outcome(one: Ask, answer: Answer, event: ev.Event | None) -> dict[str, Any]:
    request: dict[str, Any] = {"amount": one.amount}
    if isinstance(event, ev.BurnReturned):
        request["burn"] = event.burn
    if one.kind in ("capture", "release"):
        request["hold"] = f"hold:{one.ref}"
    if isinstance(event, ev.Activity):
        request["activity"] = event.kind
    elif isinstance(event, ev.ActivityUndone):
        request["undone"] = event.activity
    elif isinstance(event, ev.GrowthAdjusted):
        request["account"] = event.account
    elif isinstance(event, ev.MembershipBought):
        request["membership"] = event.key
    elif isinstance(event, ev.MembershipEnded):
        request["bought"] = event.bought
    if event is not None and (nth := getattr(event, "nth", 0)):
        request["nth"] = nth
    if one.until is not None:
        request["until"] = one.until.isoformat()
    if one.expires_at is not None:
        request["expires_at"] = one.expires_at.isoformat()
    if one.reason:
        request["reason"] = one.reason
    return {"request": request, "answer": {"done": answer.done, "code": answer.code, "figures": answer.figures}}
