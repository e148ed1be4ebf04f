"""What grading and caps must remember of a member between two events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

# Columns of a daily bucket and of the lifetime totals.
AMOUNT, ORDERS, SINGLE, GROWTH, POINTS = range(5)


@dataclass(slots=True)
class Standing:
    """What grading and caps must remember. A cache: folding all events again gives the same (verify checks it)."""

    joined: date
    tier: str = ""  # by the rules alone
    rank: int = 0
    since: datetime | None = None
    review_at: datetime | None = None
    in_grace: bool = False
    floors: list[tuple[str, datetime | None]] = field(default_factory=list)
    invited: list[str] = field(default_factory=list)
    purchases: int = 0
    totals: list[int] = field(default_factory=lambda: [0, 0, 0, 0, 0])
    days: dict[int, list[int]] = field(default_factory=dict)  # ordinal day → bucket
    counters: dict[str, list[int]] = field(default_factory=dict)  # rule → [day, n, month, n, n in all]

    def to_json(self) -> dict[str, Any]:
        return {
            "joined": self.joined.toordinal(),
            "tier": self.tier,
            "rank": self.rank,
            "since": _stamp(self.since),
            "review": _stamp(self.review_at),
            "grace": self.in_grace,
            "floors": [[t, _stamp(u)] for t, u in self.floors],
            "invited": self.invited,
            "purchases": self.purchases,
            "totals": self.totals,
            "days": [[d, *b] for d, b in sorted(self.days.items())],
            "counters": dict(sorted(self.counters.items())),
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Standing:
        return cls(
            joined=date.fromordinal(raw["joined"]),
            tier=raw["tier"],
            rank=raw["rank"],
            since=_moment(raw["since"]),
            review_at=_moment(raw["review"]),
            in_grace=raw["grace"],
            floors=[(t, _moment(u)) for t, u in raw["floors"]],
            invited=list(raw["invited"]),
            purchases=raw["purchases"],
            totals=list(raw["totals"]),
            days={d: b for d, *b in raw["days"]},
            counters={k: list(v) for k, v in raw["counters"].items()},
        )


def _stamp(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)
