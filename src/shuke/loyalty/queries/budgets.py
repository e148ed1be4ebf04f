"""What budgets have given and still have."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger.purse import ClosedPurse, Grant
from shuke.kit import bulk
from shuke.loyalty.queries import charters
from shuke.shops.models import Merchant


class Budgeted(NamedTuple):
    """A rule's budget: what the charter in force sets aside, what was given, how many events asked in vain."""

    rule: str
    points: int
    taken: int
    left: int
    short: int  # events that got less than they wanted


def budgets(merchant: Merchant, now: datetime) -> list[Budgeted]:
    """Budgets of the charter in force. Raises NoCharter."""
    terms = charters.in_force(merchant, now)
    taken = dict(bulk.select("SELECT rule, taken FROM loyalty_budget WHERE merchant_id = %s", [merchant.pk]))
    short = dict(
        bulk.select(
            "SELECT rule, COUNT(*) FROM loyalty_grant WHERE merchant_id = %s AND granted < wanted GROUP BY rule",
            [merchant.pk],
        )
    )
    return [
        Budgeted(
            r.key,
            r.budget.points,
            taken.get(r.key, 0),
            max(0, r.budget.points - taken.get(r.key, 0)),
            short.get(r.key, 0),
        )
        for r in terms.rules
        if r.budget is not None
    ]


def closed_purse(merchant: Merchant, versions: Versions, members: Iterable[int]) -> ClosedPurse | None:
    """What these members' events drew, for folding them without drawing anything."""
    if not versions.has_budgets:
        return None
    where, values = bulk.among("member_id", members)
    rows = bulk.select(
        f"SELECT event, rule, wanted, granted, returned FROM loyalty_grant WHERE merchant_id = %s AND {where}",
        [merchant.pk, values],
    )
    return ClosedPurse(
        {(event, rule): Grant(wanted, granted, returned) for event, rule, wanted, granted, returned in rows}
    )
