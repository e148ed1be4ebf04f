"""What grading and caps must remember of a member between two events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shuke.engine.charter.terms import Terms

# Columns of a daily bucket and of the lifetime totals.
AMOUNT, ORDERS, SINGLE, GROWTH, POINTS = range(5)


@dataclass(slots=True)
class Paid:
    """A paid membership that runs or will follow on one that runs."""

    key: str
    tier: str
    start: datetime
    end: datetime
    event: str  # that bought it


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
    # What only some charters need; left out of the stored text while empty.
    weeks: dict[str, list[int]] = field(default_factory=dict)  # rule → [Monday, n]
    streaks: dict[str, list[int]] = field(default_factory=dict)  # activity → [last day, days in a row]
    paid: list[Paid] = field(default_factory=list)
    notice_at: datetime | None = None
    growth_lots: list[list] = field(default_factory=list)  # [event, left, stamp of expiry], those that lapse
    fades_at: datetime | None = None  # when the yearly share of growth value is taken off
    rolling_until: datetime | None = None  # when the whole balance lapses without another activity

    def rank_under(self, terms: Terms) -> int:
        """By the rules alone. A charter that has no tier of this name has one in its place, the highest at most."""
        known = terms.rank.get(self.tier)
        return min(self.rank, len(terms.tiers) - 1) if known is None else known

    def tier_under(self, terms: Terms) -> str:
        """The tier that counts: by the rules, or a higher one bought or given by hand."""
        given = [key for key, _ in self.floors] + [paid.tier for paid in self.paid]
        return terms.tiers[max((self.rank_under(terms), *(terms.rank.get(key, 0) for key in given)))].key

    def dues(self) -> list[datetime]:
        """When the clock must look at this member, points and holds aside."""
        found = [end for _, end in self.floors if end is not None] + [p.end for p in self.paid]
        found += [due for due in (self.review_at, self.notice_at, self.fades_at) if due is not None]
        if self.growth_lots:
            found.append(datetime.fromtimestamp(min(stamp for _, _, stamp in self.growth_lots), UTC))
        return found

    def to_json(self) -> dict[str, Any]:
        plain = {
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
        rare = {
            "weeks": dict(sorted(self.weeks.items())),
            "streaks": dict(sorted(self.streaks.items())),
            "paid": [[p.key, p.tier, _stamp(p.start), _stamp(p.end), p.event] for p in self.paid],
            "notice": _stamp(self.notice_at),
            "growth_lots": self.growth_lots,
            "fades": _stamp(self.fades_at),
            "rolling": _stamp(self.rolling_until),
        }
        return plain | {k: v for k, v in rare.items() if v}

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
            weeks={k: list(v) for k, v in raw.get("weeks", {}).items()},
            streaks={k: list(v) for k, v in raw.get("streaks", {}).items()},
            paid=[Paid(k, t, _surely(a), _surely(b), e) for k, t, a, b, e in raw.get("paid", ())],
            notice_at=_moment(raw.get("notice")),
            growth_lots=[list(x) for x in raw.get("growth_lots", ())],
            fades_at=_moment(raw.get("fades")),
            rolling_until=_moment(raw.get("rolling")),
        )


def _stamp(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)


def _surely(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
