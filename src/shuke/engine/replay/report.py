"""What is printed: for every event what was applied, skipped, inapplicable and why; at the end how everybody stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shuke.engine.replay import reasons
from shuke.engine.replay.fields import Line
from shuke.engine.replay.outcome import Booked, MemberEnd, Outcome
from shuke.engine.replay.run import Replay


def report(lines: Sequence[Line], found: Outcome, engine: Replay) -> dict[str, Any]:
    """`found` is what the engine or the books say; `engine` has run the same lines and knows why a rule gave nothing."""
    owner = {line.order: line.member for line in lines if line.event == "order"}
    told = []
    named: set[tuple[str, str]] = set()
    booked = {name: {b.event: b for b in end.booked} for name, end in found.members.items()}
    for line in lines:
        if line.number not in found.answers:
            continue
        answer = found.answers[line.number]
        member = owner.get(line.order, line.member)
        entry: dict[str, Any] = {"line": line.number, "event": line.event, "at": line.at.isoformat()}
        if member:
            entry["member"] = member
        if answer.priced is not None:
            entry["priced"] = answer.priced
        applied: list[dict[str, Any]] = []
        skipped: list[dict[str, Any]] = []
        inapplicable: list[dict[str, Any]] = []
        if not answer.done:
            inapplicable.append(_reason({"code": answer.code, **dict(sorted(answer.figures.items()))}))
        for who, event in answer.events:
            if (one := booked[who].get(event)) is not None:
                named.add((who, event))
                applied.append(_booked(one, who if who != member else ""))
        applied += [_in_order(one) for one in answer.did]
        if line.event == "order" and answer.done:
            sale = engine.members[line.member].fold._sales[line.order_event]
            given = {w["rule"] for a in applied for w in a.get("why", ()) if "rule" in w}
            left = reasons.told(sale.terms, sale.basket, given)
            skipped, inapplicable = ([_reason(one) for one in part] for part in left)
        skipped += [_reason(one) for one in answer.left]
        inapplicable += [_reason(one) for one in engine.reasons.get(line.number, ())]
        told.append(entry | {"applied": applied, "skipped": skipped, "inapplicable": inapplicable})
    return {
        "until": found.until.isoformat(),
        "events": told,
        "by_the_clock": _clock(found, named),
        "gift_cards": dict(sorted(found.cards.items())),
        "unclaimed": found.bearers,
        "members": {name: _member(end) for name, end in sorted(found.members.items())},
    }


def _reason(entry: dict[str, Any]) -> dict[str, Any]:
    """With its sentence in both languages."""
    return entry | {"say": reasons.say(entry["code"])}


def _booked(one: Booked, member: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "kind": one.kind,
        "points": one.points,
        "legs": dict(sorted(one.legs.items())),
        "why": [_in_order(why) for why in one.why],
    }
    if one.growth:
        entry["growth"] = one.growth
    return entry | ({"member": member} if member else {})


def _in_order(told: dict[str, Any]) -> dict[str, Any]:
    """By name: a database may keep them in an order of its own."""
    return dict(sorted(told.items()))


def _clock(found: Outcome, named: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """What happened between the events: lots lapsed, holds timed out, rewards fell due, rules gave coupons."""
    entries = [
        {"at": b.at.isoformat(), "member": name, "event": b.event, **_booked(b, "")}
        for name, end in found.members.items()
        for b in end.booked
        if (name, b.event) not in named
    ]
    entries += [_reason(one) if "code" in one else one for one in found.clock]
    return sorted(entries, key=lambda e: (e["at"], e["member"], e["event"]))


def _member(end: MemberEnd) -> dict[str, Any]:
    return {
        "available": end.available,
        "pending": end.pending,
        "held": end.held,
        "debt": end.debt,
        "growth": end.growth,
        "tier": end.tier,
        "review_at": _text(end.review_at),
        "lots": [
            {
                "key": lot.key,
                "granted": lot.granted,
                "remaining": lot.remaining,
                "held": lot.held,
                "earned_at": _text(lot.earned_at),
                "available_at": _text(lot.available_at),
                "expires_at": _text(lot.expires_at),
            }
            for lot in sorted(end.lots, key=lambda x: (x.earned_at, x.key))
        ],
        "tier_history": [
            {"at": _text(at), "before": before, "after": after, "cause": cause}
            for at, before, after, cause in sorted(end.history, key=lambda h: h[0])
        ],
        "coupons": end.coupons,
        "stored_value": end.value,
        "gifts": end.gifts,
        "tickets": end.tickets,
        "benefits": end.benefits,
        "family": end.family,
        "brought_by": end.brought,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
