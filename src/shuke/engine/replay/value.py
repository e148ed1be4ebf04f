"""Stored value while the list runs: one purse per member, judged and changed by the engine's own rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shuke.engine.charter.stored import Stored
from shuke.engine.charter.terms import Versions
from shuke.engine.replay.outcome import Answer, Names
from shuke.engine.stored import Lot, Purse
from shuke.engine.stored.judging import Request, carry_out, figures_of, judge

OPENING = ("top_up", "spend", "hold")  # what nobody can do where there is no stored value


class Value:
    def __init__(self, versions: Versions) -> None:
        self.versions = versions
        self.purses: dict[str, Purse] = {}
        self.used: dict[tuple[str, str], dict[str, int]] = {}  # member, key of a payment → lot → what did not come back

    def is_on(self, at: datetime) -> bool:
        return self.versions.at(at).charter.stored is not None

    def purse(self, member: str) -> Purse:
        return self.purses.setdefault(member, Purse())

    def available(self, member: str, at: datetime) -> int:
        purse = self.purses.get(member)
        return purse.available(at) if purse is not None and self.is_on(at) else 0

    def advance(self, at: datetime) -> None:
        for purse in self.purses.values():
            purse.advance(at)

    def ask(self, member: str, key: str, what: str, amount: int, ref: str, at: datetime, *, kind: str = "") -> Answer:
        """`kind`: what it is called where it is printed."""
        terms = self.versions.at(at)
        part: Stored | None = terms.charter.stored
        if part is None:
            return Answer(False, "stored_value_off")
        purse = self.purse(member)
        purse.advance(at)
        one = Request(key, what, amount, ref, left=self.used.get((member, ref)) if what == "return" else None)
        code, figures = judge(part, terms.currency, one, purse, at)
        if code:
            return Answer(False, code, dict(figures) | ({"ref": ref} if ref else {}))
        effect = carry_out(part, terms.currency, terms.zone, one, purse, at)
        told = figures_of(one, effect, purse, at)
        if what in ("spend", "capture"):
            self.used[member, key] = _sums(effect.uses, "spend")
        elif what == "return":
            left = self.used[member, ref]
            for lot, n in _sums(effect.uses, "back").items():
                left[lot] += n  # uses that give back are below 0
        purse.advance(at)
        return Answer(True, figures=dict(told), did=[did(kind or what, told)])

    def end(self, member: str, until: datetime, names: Names) -> dict[str, Any]:
        purse = self.purses.get(member)
        return standing(purse.lots.values() if purse else (), purse, until, names)


def _sums(uses: Iterable[tuple[str, str, int]], what: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for lot, kind, n in uses:
        if kind == what:
            found[lot] = found.get(lot, 0) + n
    return found


def did(kind: str, figures: dict[str, int]) -> dict[str, Any]:
    return {"kind": kind, **{f"{name}_minor": n for name, n in figures.items()}}


def standing(lots: Iterable[Lot], purse: Purse | None, until: datetime, names: Names) -> dict[str, Any]:
    """Stored value as it is printed at the end."""
    open_ = sorted((lot for lot in lots if lot.remaining), key=lambda lot: (lot.at, lot.key))
    live = [lot for lot in open_ if lot.expires_at is None or lot.expires_at > until]
    return {
        "available_minor": purse.available(until) if purse else 0,
        "principal_minor": sum(lot.remaining for lot in live if lot.kind == "principal"),
        "bonus_minor": sum(lot.remaining for lot in live if lot.kind == "bonus"),
        "held_minor": purse.held(until) if purse else 0,
        "lots": [
            {
                "key": names.event(lot.key),
                "kind": lot.kind,
                "granted_minor": lot.granted,
                "remaining_minor": lot.remaining,
                "at": lot.at.isoformat(),
                "expires_at": lot.expires_at.isoformat() if lot.expires_at else None,
            }
            for lot in open_
        ],
    }
