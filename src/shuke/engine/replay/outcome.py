"""What came of a list of events, whoever computed it: the engine alone, or the books of a database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Answer:
    """To one line. `code` is "" when it was done; else why not, with the figures of its sentence."""

    done: bool
    code: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    priced: dict[str, Any] | None = None  # baskets
    did: list[dict[str, Any]] = field(default_factory=list)  # what moved that is no points: coupons, money, gifts
    left: list[dict[str, Any]] = field(default_factory=list)  # what had reason and was refused: coupons by rule
    events: list[tuple[str, str]] = field(default_factory=list)  # member, name of the posting in their books


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
    """How a member stands at the end. What is no points is told as it is printed."""

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
    coupons: list[dict[str, Any]] = field(default_factory=list)
    value: dict[str, Any] = field(default_factory=dict)
    gifts: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    benefits: list[dict[str, Any]] = field(default_factory=list)
    family: list[str] = field(default_factory=list)  # members, who joined first first
    brought: dict[str, Any] | None = None  # by whom, and what both got for it


@dataclass(slots=True)
class Outcome:
    until: datetime
    answers: dict[int, Answer]  # by line
    members: dict[str, MemberEnd]
    clock: list[dict[str, Any]] = field(default_factory=list)  # what is no points and happened between the events
    cards: dict[str, Any] = field(default_factory=dict)  # gift cards as they are printed at the end
    bearers: list[dict[str, Any]] = field(default_factory=list)  # coupons that nobody claimed and somebody used


class Names:
    """Baskets and bonds have numbers in the books; what is printed calls them as the list does."""

    def __init__(self) -> None:
        self.baskets: dict[str, str] = {}  # number → order or id of the redemption
        self.bonds: dict[str, str] = {}  # number → newcomer
        self.benefits: dict[str, str] = {}  # number → id of the hand-out
        self.rows: dict[str, str] = {}  # number of a row of a card partner → its id

    def event(self, text: str) -> str:
        """The name of a posting or of a lot."""
        text = re.sub(r"\bcheckout:(\d+)", lambda m: f"checkout:{self.baskets.get(m[1], m[1])}", text)
        text = re.sub(r"\bbenefit:(\d+)", lambda m: f"benefit:{self.benefits.get(m[1], m[1])}", text)
        text = re.sub(r"\b(partner(?:-undo)?):(\d{9,})", lambda m: f"{m[1]}:{self.rows.get(m[2], m[2])}", text)
        return re.sub(r"\breferral:(\d+)", lambda m: f"referral:{self.bonds.get(m[1], m[1])}", text)

    def booked(self, one: Booked) -> Booked:
        one.event = self.event(one.event)
        one.why = _inside(one.why, self.event)
        return one

    def lot(self, one: LotEnd) -> LotEnd:
        one.key = self.event(one.key)
        return one


def with_names(priced: Any, names: Mapping[str, str]) -> Any:
    """A priced basket with its coupons called as the list calls them. `names`: the till's number of a coupon → its name."""
    if not names:
        return priced
    pattern = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)))
    return _inside(priced, lambda text: pattern.sub(lambda m: names[m[0]], text))


def _inside(told: Any, change: Any) -> Any:
    if isinstance(told, str):
        return change(told)
    if isinstance(told, dict):
        return {key: _inside(value, change) for key, value in told.items()}
    if isinstance(told, list):
        return [_inside(value, change) for value in told]
    return told


def own_name(source: str, taken: set[str]) -> str:
    """What a coupon is called that no line of the list named: a gift's, a referral's, a prize's."""
    n = 1
    while (name := f"{source}-{n}") in taken:
        n += 1
    taken.add(name)
    return name
