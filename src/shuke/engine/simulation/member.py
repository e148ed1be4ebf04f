"""One member under both charters, beside each other and explained: what each order gave, what each tier came of."""

from __future__ import annotations

from typing import Any

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger.fold import Fold
from shuke.engine.simulation.history import Goods, History, Life
from shuke.engine.simulation.share import Setting, fold_of, purse_for


def beside(history: History, position: int, sides: dict[str, Setting]) -> dict[str, Any]:
    """Each side's end, its tier moves with their causes, and every event with what each charter makes of it."""
    told: dict[str, Any] = {"member": int(history.members[position]), "sides": {}}
    events: dict[str, dict[str, Any]] = {}
    for name, setting in sides.items():
        versions = setting.compiled()
        (life,) = history.lives(Goods(history, versions, position, position + 1), position, position + 1)
        fold = fold_of(life, setting, versions, purse_for(history, setting, versions))
        told["sides"][name] = _end(fold, versions, setting)
        for line in _events(fold, life):
            row = events.setdefault(line["event"], {"event": line["event"], "at": line["at"], "kind": line["kind"]})
            row[name] = {"points": line["points"], "why": line["why"], "version": line["version"]}
    told["events"] = sorted(events.values(), key=lambda e: (e["at"], e["event"]))
    return told


def _end(fold: Fold, versions: Versions, setting: Setting) -> dict[str, Any]:
    books, until = fold.books, setting.until
    return {
        "tier": fold.tier_at(versions.at(until)),
        "available": books.available(until),
        "pending": books.pending(until),
        "held": books.held(),
        "debt": books.debt,
        "growth": books.standing.totals[3],
        "issued": -sum(e.legs.get("issued", 0) for e in fold.effects),
        "spent": sum(e.legs.get("spent", 0) for e in fold.effects),
        "expired": sum(e.legs.get("breakage", 0) for e in fold.effects),
        "review_at": books.standing.review_at.isoformat() if books.standing.review_at else None,
        "moves": [
            {
                "at": move.at.isoformat(),
                "before": move.before,
                "after": move.after,
                "cause": move.cause,
                "version": move.version,
                "why": move.why,
            }
            for move in fold.moves
        ],
    }


def _events(fold: Fold, life: Life) -> list[dict[str, Any]]:
    """What changed the member's points, and purchases that gave none: that nothing was given is an answer, too."""
    found = [
        {
            "event": effect.event,
            "at": effect.at.isoformat(),
            "kind": effect.kind,
            "points": effect.legs.get("member", 0) + effect.legs.get("debt", 0),
            "why": effect.why,
            "version": effect.version,
        }
        for effect in fold.effects
    ]
    given = {line["event"] for line in found}
    found += [
        {"event": e.event, "at": e.at.isoformat(), "kind": "earn", "points": 0, "why": [], "version": None}
        for e in life.events
        if type(e).__name__ == "Purchase" and e.event not in given
    ]
    return found
