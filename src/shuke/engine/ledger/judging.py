"""Whether a request is granted, and which fact of a member's history it becomes. Books and replay ask the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from shuke.engine.charter.standing import Standing
from shuke.engine.charter.terms import Terms
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.books import Books


class Asked(Protocol):
    """A request as callers tell it: `loyalty.actions.Ask` is one."""

    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def ref(self) -> str: ...
    @property
    def until(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime | None: ...


class Verdict(NamedTuple):
    """`code` says why not; granted, the request is this event."""

    code: str
    figures: dict[str, Any]
    event: ev.Event | None = None


def judge(one: Asked, books: Books, burnt: tuple[str, int] | None, now: datetime, *, frozen: bool = False) -> Verdict:
    """Requests about points that are there. `burnt`: event of the spend a return names, and what of it is left."""
    available = books.available(now)

    def refuse(code: str, **figures: int) -> Verdict:
        return Verdict(code, {"amount": one.amount, "available": available, **figures})

    after, ref = available, one.ref
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
        ref = burnt[0]
        after = available + one.amount
    figures = {"amount": one.amount, "available": after}
    if one.amount > 0 and one.kind in ("adjust", "opening"):
        figures = {"amount": one.amount}  # what is free of it only the posting knows: debt is paid first
    return Verdict("", figures, _event(one, ref, now))


def _event(one: Asked, ref: str, now: datetime) -> ev.Event:
    """The fact a granted request becomes. Events are named by the caller's key."""
    name = f"{one.kind}:{one.key}"
    if one.kind == "burn":
        return ev.Burn(name, now, one.amount)
    if one.kind == "return":
        return ev.BurnReturned(name, now, ref, one.amount)
    if one.kind == "hold":
        assert one.until is not None
        return ev.HoldPlaced(name, now, one.amount, one.until)
    if one.kind == "capture":
        return ev.HoldCaptured(name, now, f"hold:{ref}", one.amount)
    if one.kind == "release":
        return ev.HoldReleased(name, now, f"hold:{ref}")
    return ev.Adjusted(name, now, one.amount, "opening" if one.kind == "opening" else "adjusted", one.expires_at)


def judge_fact(
    terms: Terms, one: Asked, standing: Standing, lapsed_since: Callable[[datetime], int], now: datetime
) -> Verdict:
    """Requests that state something that happened: what it gives is the charter's affair."""
    name = f"{one.kind}:{one.key}"

    def refuse(code: str, **figures: Any) -> Verdict:
        return Verdict(code, {"amount": one.amount, **figures})

    event: ev.Event
    if one.kind == "activity":
        if one.ref == "join":  # the fold tells it, once, when a member comes
            return refuse("joins_once")
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
        lapsed = lapsed_since(now - timedelta(days=terms.charter.points.reinstate_days))
        if one.amount > lapsed:
            return refuse("more_than_lapsed", lapsed=lapsed)
        event = ev.Reinstated(name, now, one.amount, one.expires_at)
    elif one.kind == "membership":
        if one.ref not in terms.memberships:
            return refuse("no_such_membership")
        event = ev.MembershipBought(name, now, one.ref)
    else:
        bought, running = f"membership:{one.ref}", {paid.event for paid in standing.paid}
        if not {bought, one.ref} & running:
            return refuse("no_such_membership")
        event = ev.MembershipEnded(name, now, bought if bought in running else one.ref)
    return Verdict("", {"amount": one.amount}, event)


class Told(NamedTuple):
    """An activity of this member, as the books or the list know it: what it gave, and what stands in the way of taking it back."""

    event: str
    points: int
    growth: int
    undone: bool
    drawn: bool  # a ticket of a lucky draw was drawn for it


def judge_undo(one: Asked, told: Told | None, now: datetime) -> Verdict:
    """An activity told by mistake is taken back. A ticket that was drawn for it is drawn: draws are never drawn again."""
    if told is None:
        return Verdict("no_such_doing", {"amount": 0, "growth": 0})
    figures = {"amount": told.points, "growth": told.growth}
    if told.undone or told.drawn:
        return Verdict("undone_before" if told.undone else "ticket_drawn", figures)
    return Verdict("", figures, ev.ActivityUndone(f"{one.kind}:{one.key}", now, told.event))
