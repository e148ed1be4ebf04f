"""What came of a list of events, whoever computed it: the engine alone, or the books of a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Answer:
    """To one line. `code` is "" when it was done; else why not, with the figures of its sentence."""

    done: bool
    code: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    priced: dict[str, Any] | None = None  # price


@dataclass(slots=True)
class Booked:
    """One event in one member's books: what it moved and why."""

    event: str
    kind: str
    at: datetime
    legs: dict[str, int]
    growth: int
    why: list[dict[str, Any]]

    @property
    def points(self) -> int:
        return self.legs.get("member", 0) + self.legs.get("debt", 0)


@dataclass(slots=True)
class LotEnd:
    key: str
    granted: int
    remaining: int
    held: int
    earned_at: datetime
    available_at: datetime
    expires_at: datetime | None


@dataclass(slots=True)
class MemberEnd:
    """How a member stands at the end."""

    available: int
    pending: int
    held: int
    debt: int
    growth: int
    tier: str
    review_at: datetime | None
    lots: list[LotEnd]
    history: list[tuple[datetime, str, str, str]]  # at, before, after, cause
    booked: list[Booked]  # in the order of events


@dataclass(slots=True)
class Outcome:
    until: datetime
    answers: dict[int, Answer]  # by line
    members: dict[str, MemberEnd]
