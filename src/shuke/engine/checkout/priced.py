"""What `price` answers: what each line costs and why, what applied, what did not, and for which reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shuke.engine.charter.selling import Tender
from shuke.engine.checkout.reasons import Reason


@dataclass(frozen=True, slots=True)
class Applied:
    """Something that made the basket cheaper, or paid for it. `shares` add up to `amount`, by place of the line."""

    step: str  # tier_price | offers | coupons | points | gift_cards | stored_value
    key: str  # of the rule; of a coupon its template; points, stored_value
    ref: str  # the coupon or gift card as the caller named it, else the key
    name: tuple[str, str]  # Chinese, English
    amount: int  # minor units
    shares: tuple[int, ...]
    reason: Reason
    points: int = 0
    point_shares: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """Something that did not apply: `skipped` (it could, but something stands against it) or `inapplicable`."""

    step: str
    key: str
    ref: str
    name: tuple[str, str]
    reason: Reason


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line after everything. list = Σ discounts + points_amount + Σ gift_cards + stored_value + due."""

    key: str
    quantity: int
    list: int
    discounts: tuple[tuple[str, int], ...]  # ref of what applied, share
    points_amount: int
    points: int
    stored_value: int
    due: int
    gift_cards: tuple[tuple[str, int], ...] = ()  # card, share

    @property
    def paid(self) -> int:
        """What it cost, by whatever paid."""
        return self.points_amount + sum(n for _, n in self.gift_cards) + self.stored_value + self.due


@dataclass(frozen=True, slots=True)
class Found:
    """How the combination was found. Not `exact`: the search stopped at its bound, so there may be a better one."""

    steps: int
    bound: int
    exact: bool
    could_save: int  # no combination can save more than this


@dataclass(frozen=True, slots=True)
class Priced:
    currency: str
    at: datetime
    charter_version: int
    lines: tuple[PricedLine, ...]
    applied: tuple[Applied, ...]
    skipped: tuple[Left, ...]
    inapplicable: tuple[Left, ...]
    search: Found
    back_to: tuple[Tender, ...] = ()  # selling.back_to: where goods that come back are refunded to first

    @property
    def list(self) -> int:
        return sum(line.list for line in self.lines)

    @property
    def discount(self) -> int:
        """Off by tier prices, offers and coupons."""
        return sum(a.amount for a in self.applied if a.step not in ("points", "gift_cards", "stored_value"))

    @property
    def points(self) -> int:
        return sum(a.points for a in self.applied)

    @property
    def points_amount(self) -> int:
        return sum(a.amount for a in self.applied if a.step == "points")

    @property
    def stored_value(self) -> int:
        return sum(a.amount for a in self.applied if a.step == "stored_value")

    @property
    def gift_cards(self) -> int:
        return sum(a.amount for a in self.applied if a.step == "gift_cards")

    @property
    def due(self) -> int:
        """What is left to pay with money."""
        return sum(line.due for line in self.lines)

    def to_plain(self) -> dict[str, Any]:
        """For JSON: docs/algorithms/checkout.md describes it."""
        return {
            "currency": self.currency,
            "at": self.at.isoformat(),
            "charter_version": self.charter_version,
            "totals": {
                "list_minor": self.list,
                **{
                    f"{step}_minor": sum(a.amount for a in self.applied if a.step == step)
                    for step in ("tier_price", "offers", "coupons", "points", "gift_cards", "stored_value")
                },
                "points": self.points,
                "due_minor": self.due,
            },
            "lines": [
                {
                    "key": line.key,
                    "quantity_milli": line.quantity,
                    "list_minor": line.list,
                    "discounts": [{"ref": ref, "amount_minor": share} for ref, share in line.discounts],
                    "points": line.points,
                    "points_minor": line.points_amount,
                    "gift_cards": [{"ref": ref, "amount_minor": share} for ref, share in line.gift_cards],
                    "stored_value_minor": line.stored_value,
                    "due_minor": line.due,
                }
                for line in self.lines
            ],
            "applied": [self._plain(a) | {"amount_minor": a.amount, "points": a.points} for a in self.applied],
            "skipped": [self._plain(left) for left in self.skipped],
            "inapplicable": [self._plain(left) for left in self.inapplicable],
            "back_to": [*self.back_to],
            "search": {
                "steps": self.search.steps,
                "bound": self.search.bound,
                "exact": self.search.exact,
                "could_save_minor": self.search.could_save,
            },
        }

    def _plain(self, one: Applied | Left) -> dict[str, Any]:
        return {
            "step": one.step,
            "key": one.key,
            "ref": one.ref,
            "reason": one.reason.code,
            "figures": {
                (f"{k}_minor" if k in ("amount", "missing", "threshold", "left") else k): v
                for k, v in one.reason.figures
            },
            "say": {
                "zh": one.reason.say(one.name, self.currency, "zh"),
                "en": one.reason.say(one.name, self.currency, "en"),
            },
        }
