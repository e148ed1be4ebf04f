"""What one member has: lots, holds, debt and standing; and the effects that change them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shuke.engine.charter.standing import Standing

FAR = datetime(9999, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Lot:
    """One credit of points. granted − remaining = Σ uses (I5); 0 ≤ held ≤ remaining ≤ granted (I4)."""

    key: str
    granted: int
    remaining: int
    earned_at: datetime
    available_at: datetime
    expires_at: datetime | None
    cost_micro: int = 0
    held: int = 0
    funder: int = 0  # merchant of the coalition, or card programme, that pays for it; 0: the merchant of these books

    @property
    def free(self) -> int:
        return self.remaining - self.held

    def oldest_first(self) -> tuple[datetime, datetime, str]:
        return self.expires_at or FAR, self.earned_at, self.key


@dataclass(slots=True)
class Held:
    """Points set aside, by lot."""

    key: str
    lots: list[tuple[str, int]]
    times_out_at: datetime


@dataclass(slots=True)
class Effect:
    """What one event does to the books. Legs add up to 0 (I1)."""

    event: str
    kind: str
    at: datetime
    version: int
    legs: dict[str, int] = field(default_factory=dict)  # account → amount
    uses: list[tuple[str, str, int]] = field(default_factory=list)  # lot key, kind, amount (> 0 takes from the lot)
    lots: list[Lot] = field(default_factory=list)  # granted by this event
    why: list[dict[str, Any]] = field(default_factory=list)
    growth: int = 0  # change of growth value, which has one account per member and no contra
    growth_expires_at: datetime | None = None

    def move(self, account: str, amount: int) -> None:
        if amount:
            whole = self.legs.get(account, 0) + amount
            if whole:
                self.legs[account] = whole
            else:
                del self.legs[account]


@dataclass(frozen=True, slots=True)
class TierMove:
    """A change of grade with its cause."""

    at: datetime
    before: str
    after: str
    cause: str  # joined | reached | review | refund | manual | floor_end | bought | membership_end | membership_back | charter
    event: str
    version: int
    why: dict[str, Any] = field(default_factory=dict)
    step: int = 0  # so many tiers up, or down where below 0; 0: the same under another name, or the first


@dataclass(frozen=True, slots=True)
class Notice:
    """A member is told before a review that their tier is at risk: what is missing, until when."""

    at: datetime
    tier: str
    falls_to: str
    review_at: datetime
    event: str
    keep: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Books:
    """Everything of one member. `complete` is False when old lots were not loaded because nothing could touch them.

    Nothing falls due before `quiet_until`, so that the clock need not look: who loads books may know. Versions of the charter
    that began up to `reached` have been seen to.
    """

    standing: Standing
    lots: dict[str, Lot] = field(default_factory=dict)
    holds: dict[str, Held] = field(default_factory=dict)
    debt: int = 0
    complete: bool = True
    next_expiry: datetime = FAR
    quiet_until: datetime = LONG_AGO
    reached: datetime = LONG_AGO

    @property
    def balance(self) -> int:
        """What is left in all lots: available, pending and held (only where `complete`)."""
        return sum(lot.remaining for lot in self.lots.values())

    def available(self, now: datetime) -> int:
        """What can be spent at `now`; correct also before the expiry job has run (TRUST §3.7)."""
        return sum(lot.free for lot in self.spendable(now))

    def pending(self, now: datetime) -> int:
        return sum(lot.free for lot in self.lots.values() if lot.available_at > now and (lot.expires_at or FAR) > now)

    def held(self) -> int:
        return sum(lot.held for lot in self.lots.values())

    def spendable(self, now: datetime) -> list[Lot]:
        """Lots with free points that are available and not past expiry, oldest expiry first."""
        found = [
            lot
            for lot in self.lots.values()
            if lot.remaining > lot.held and lot.available_at <= now and (lot.expires_at is None or lot.expires_at > now)
        ]
        return sorted(found, key=Lot.oldest_first)

    def open_lots(self) -> list[Lot]:
        """Lots with free points, pending ones too, oldest expiry first."""
        return sorted((lot for lot in self.lots.values() if lot.remaining > lot.held), key=Lot.oldest_first)
