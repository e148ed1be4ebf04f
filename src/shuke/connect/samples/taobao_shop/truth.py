"""What really happened in the made-up shop: the yardstick for tests of reading, recognising, refunding and grading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shuke.engine.facts import OrderStatus


@dataclass(frozen=True)
class TruePerson:
    """One human being. All phones are eleven digits without country code."""

    key: str
    name: str
    kind: str  # regular | one_off | wholesale | brusher | mini_only
    accounts: tuple[tuple[str, ...], ...]  # each Taobao account with all its names, oldest first
    phone: str
    family: str  # same text = same household, one receiver; still different people
    mini_program: bool  # bought in the mini-program with the verified phone
    card: str  # counter card; "" = none
    told_account: bool  # the counter list links card, phone and Taobao name


@dataclass(frozen=True)
class TrueOrder:
    """An order as all files together tell it. Money in fen. `person` is "" if every file masks the buyer."""

    platform: str
    number: str
    person: str
    status: OrderStatus
    created_at: datetime
    paid_at: datetime | None
    paid_minor: int
    freight_minor: int
    refunded_minor: int
    line_count: int
    excluded: str  # "brushing" | ""

    @property
    def purchase(self) -> bool:
        """Counts for grading: paid, not brushed, not wholly given back."""
        return self.paid_at is not None and not self.excluded and self.net_minor > 0

    @property
    def net_minor(self) -> int:
        """What was spent in the end: paid less freight and refunds."""
        return max(0, self.paid_minor - self.freight_minor - self.refunded_minor) if self.paid_at else 0


@dataclass(frozen=True)
class TrueRefund:
    platform: str
    number: str
    order_number: str
    amount_minor: int
    done: bool
    finished_at: datetime | None


@dataclass(frozen=True)
class TrueReject:
    """A row that must not get in. `row` as a spreadsheet counts it."""

    file: str
    row: int
    why: str  # lost_id | negative_amount | not_a_date | totals_row


@dataclass(frozen=True)
class Truth:
    shop: str
    files: tuple[str, ...]  # relative to the folder, in the order in which the shop exported them
    people: tuple[TruePerson, ...]
    orders: tuple[TrueOrder, ...]
    refunds: tuple[TrueRefund, ...]
    rejects: tuple[TrueReject, ...]
    shown_names: frozenset[str]  # account names that occur unmasked in some order file
    linked_names: tuple[tuple[str, str], ...]  # old, new name of one account, proven by one order in two exports

    def order(self, number: str) -> TrueOrder:
        return next(order for order in self.orders if order.number == number)
