"""What a fold did to the books, added up over members: points, money, tiers, by month."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger.books import FAR
from shuke.engine.ledger.fold import Fold

MONTHLY = ("issued", "spent", "expired", "up", "down")
_INSTANT = timedelta(microseconds=1)


def _month() -> list[int]:
    return [0] * len(MONTHLY)


def _expiring() -> list[int]:
    return [0, 0]


@dataclass(slots=True)
class Figures:
    """One charter's side. Points are integers; money is millionths of a minor unit (`_micro`), at each lot's own cost."""

    members: int = 0
    tiers: dict[str, int] = field(default_factory=dict)
    legs: dict[str, int] = field(default_factory=dict)  # account → sum: the accounts of the ledger
    available: int = 0
    pending: int = 0
    held: int = 0
    outstanding: int = 0  # what is left in all lots
    debt: int = 0
    owing: int = 0  # members who owe
    holders: int = 0  # members with points left
    growth: int = 0
    granted_micro: int = 0  # everything that came in, less what was taken back
    spent_micro: int = 0
    expired_micro: int = 0
    liability_micro: int = 0
    matured: int = 0  # points granted whose expiry is past, less what was taken back
    matured_expired: int = 0  # of these, lapsed unused
    months: dict[str, list[int]] = field(default_factory=lambda: defaultdict(_month))
    expiring: dict[str, list[int]] = field(default_factory=lambda: defaultdict(_expiring))

    def add(
        self, fold: Fold, versions: Versions, until: datetime, months: dict[tuple[int, int, int, int], str]
    ) -> None:
        """One member, folded up to `until`. `months`: names of months by the hour, kept from member to member."""
        books = fold.books
        zone = versions.last.zone
        lapsed: dict[str, int] = {}
        gone: dict[str, int] = {}
        legs = self.legs
        for effect in fold.effects:
            if effect.legs or effect.uses:
                at = effect.at
                hour = at.year, at.month, at.day, at.hour
                name = months.get(hour)
                if name is None:
                    name = months[hour] = f"{at.astimezone(zone):%Y-%m}"
                month = self.months[name]
                for account, amount in effect.legs.items():
                    legs[account] = legs.get(account, 0) + amount
                month[0] -= effect.legs.get("issued", 0)
                month[1] += effect.legs.get("spent", 0)
                month[2] += effect.legs.get("breakage", 0)
            for key, kind, amount in effect.uses:
                cost = books.lots[key].cost_micro * amount if key in books.lots else 0
                if kind == "burn":
                    self.spent_micro += cost
                elif kind == "expire":
                    self.expired_micro += cost
                    lapsed[key] = lapsed.get(key, 0) + amount
                elif kind in ("claw", "extend"):  # taken back, or granted once more under another lot
                    self.granted_micro -= cost
                    gone[key] = gone.get(key, 0) + amount
        left = free = held = waiting = 0
        for lot in books.lots.values():
            self.granted_micro += lot.granted * lot.cost_micro
            if lot.expires_at is not None and lot.expires_at <= until:
                self.matured += lot.granted - gone.get(lot.key, 0)
                self.matured_expired += lapsed.get(lot.key, 0)
            if not lot.remaining:
                continue
            left += lot.remaining
            held += lot.held
            if (lot.expires_at or FAR) > until:
                if lot.available_at > until:
                    waiting += lot.free
                else:
                    free += lot.free
            self.liability_micro += lot.remaining * lot.cost_micro
            last = None if lot.expires_at is None else lot.expires_at - _INSTANT  # the last day names the month
            bucket = self.expiring["" if last is None else f"{last.astimezone(zone):%Y-%m}"]
            bucket[0] += lot.remaining
            bucket[1] += lot.remaining * lot.cost_micro
        self.members += 1
        self.outstanding += left
        self.available += free
        self.pending += waiting
        self.held += held
        self.debt += books.debt
        self.owing += books.debt > 0
        self.holders += left > 0
        self.growth += books.standing.totals[3]
        tier = fold.tier_at(versions.at(until))
        self.tiers[tier] = self.tiers.get(tier, 0) + 1
        for move in fold.moves:
            if move.step:
                self.months[f"{move.at.astimezone(zone):%Y-%m}"][3 if move.step > 0 else 4] += 1

    def merge(self, other: Figures) -> None:
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, int):
                setattr(self, name, mine + theirs)
                continue
            for key, value in theirs.items():
                if isinstance(value, list):
                    mine[key] = [a + b for a, b in zip(mine[key], value, strict=True)]
                else:
                    mine[key] = mine.get(key, 0) + value

    def plain(self) -> dict[str, Any]:
        """As numbers people read: money in minor units, cut off as the liability report does."""
        micro = 1_000_000
        return {
            "members": self.members,
            "tiers": dict(self.tiers),
            "issued": -self.legs.get("issued", 0),
            "spent": self.legs.get("spent", 0),
            "expired": self.legs.get("breakage", 0),
            "adjusted": -self.legs.get("adjusted", 0),
            "opening": -self.legs.get("opening", 0),
            "outstanding": self.outstanding,
            "available": self.available,
            "pending": self.pending,
            "held": self.held,
            "debt": self.debt,
            "owing_members": self.owing,
            "holders": self.holders,
            "growth": self.growth,
            "liability_minor": self.liability_micro // micro,
            "granted_minor": self.granted_micro // micro,
            "spent_minor": self.spent_micro // micro,
            "expired_minor": self.expired_micro // micro,
            "breakage_rate": round(self.matured_expired / self.matured, 4) if self.matured else None,
            "matured": self.matured,
            "months": [{"month": m, **dict(zip(MONTHLY, v, strict=True))} for m, v in sorted(self.months.items())],
            "expiring": [
                {"month": m, "points": n, "minor": cost // micro}
                for m, (n, cost) in sorted(self.expiring.items(), key=lambda x: x[0] or "9999")
            ],
        }
