"""Whether a request is granted, and which fact of a member's history it becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import Books, Effect
from shuke.engine.ledger.fold import Fold
from shuke.loyalty.actions.asking import BY_EFFECT, Answer, Ask
from shuke.loyalty.actions.posting import Request
from shuke.loyalty.models import Txn
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import facts
from shuke.shops.models import Merchant


def touches_lots(asks: Sequence[Ask], head: stored.Head, now: datetime) -> bool:
    """Points that only come in leave old lots alone, unless some expire first or are held."""
    credits = all(one.kind in BY_EFFECT or (one.kind in ("adjust", "opening") and one.amount > 0) for one in asks)
    return not credits or head.held > 0 or (head.next_expiry_at is not None and head.next_expiry_at <= now)


def _event(one: Ask, now: datetime) -> ev.Event:
    """The fact a granted request becomes. Events are named by the caller's key."""
    name = f"{one.kind}:{one.key}"
    if one.kind == "burn":
        return ev.Burn(name, now, one.amount)
    if one.kind == "return":
        return ev.BurnReturned(name, now, one.ref, one.amount)
    if one.kind == "hold":
        assert one.until is not None
        return ev.HoldPlaced(name, now, one.amount, one.until)
    if one.kind == "capture":
        return ev.HoldCaptured(name, now, f"hold:{one.ref}", one.amount)
    if one.kind == "release":
        return ev.HoldReleased(name, now, f"hold:{one.ref}")
    return ev.Adjusted(name, now, one.amount, "opening" if one.kind == "opening" else "adjusted", one.expires_at)


def judge(
    one: Ask, books: Books, burnt: tuple[str, int] | None, now: datetime, *, frozen: bool = False
) -> tuple[Answer, ev.Event | None]:
    available = books.available(now)

    def refuse(code: str, **figures: int) -> tuple[Answer, None]:
        return Answer(one.key, False, code, {"amount": one.amount, "available": available, **figures}), None

    after = available
    if one.kind in ("burn", "hold"):
        if one.amount <= 0:
            return refuse("not_positive")
        if frozen:
            return refuse("frozen")
        if one.amount > available:
            return refuse("not_enough")
        after = available - one.amount
    elif one.kind in ("adjust", "opening"):
        if one.amount < 0 and -one.amount > available:
            return refuse("not_enough")
        if one.amount == 0 or (one.kind == "opening" and one.amount < 0):
            return refuse("not_positive")
        after = available + one.amount
    elif one.kind in ("capture", "release"):
        held = books.holds.get(f"hold:{one.ref}")
        if held is None or held.times_out_at <= now:
            return refuse("no_such_hold")
        whole = sum(n for _, n in held.lots)
        if one.kind == "capture":
            if one.amount <= 0:
                return refuse("not_positive")
            if one.amount > whole:
                return refuse("more_than_held", held=whole)
        after = available + whole - one.amount
    elif one.kind == "return":
        if burnt is None:
            return refuse("no_such_burn")
        if one.amount <= 0:
            return refuse("not_positive")
        if one.amount > burnt[1]:
            return refuse("more_than_burnt", left=burnt[1])
        one = one._replace(ref=burnt[0])
        after = available + one.amount
    answer = Answer(one.key, True, "", {"amount": one.amount, "available": after})
    return answer, _event(one, now)


def judge_fact(
    merchant: Merchant, versions: Versions, one: Ask, fold: Fold, now: datetime
) -> tuple[Answer, ev.Event | None]:
    """Requests that state something that happened: what it gives is the charter's affair."""
    terms = versions.at(now)
    name = f"{one.kind}:{one.key}"

    def refuse(code: str, **figures: Any) -> tuple[Answer, None]:
        return Answer(one.key, False, code, {"amount": one.amount, **figures}), None

    event: ev.Event
    if one.kind == "activity":
        if one.ref not in terms.activities:
            return refuse("no_such_activity")
        event = ev.Activity(name, now, one.ref)
    elif one.kind == "growth":
        if not one.amount:
            return refuse("not_positive")
        event = ev.GrowthAdjusted(name, now, one.amount, one.ref or "adjusted")
    elif one.kind == "reinstate":
        if one.amount <= 0:
            return refuse("not_positive")
        lapsed = facts.lapsed_since(
            merchant, one.member_id, now - timedelta(days=terms.charter.points.reinstate_days)
        ) + sum(e.legs.get("breakage", 0) for e in fold.effects)
        if one.amount > lapsed:
            return refuse("more_than_lapsed", lapsed=lapsed)
        event = ev.Reinstated(name, now, one.amount, one.expires_at)
    elif one.kind == "membership":
        if one.ref not in terms.memberships:
            return refuse("no_such_membership")
        event = ev.MembershipBought(name, now, one.ref)
    else:
        bought = f"membership:{one.ref}"
        if all(paid.event not in (bought, one.ref) for paid in fold.books.standing.paid):
            return refuse("no_such_membership")
        running = {paid.event for paid in fold.books.standing.paid}
        event = ev.MembershipEnded(name, now, bought if bought in running else one.ref)
    return Answer(one.key, True, "", {"amount": one.amount}), event


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
