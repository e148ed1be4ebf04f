"""Drawing on budgets: one row per rule, locked by whoever draws, after the wallets (decision 0013)."""

from __future__ import annotations

from collections.abc import Iterable

from shuke.engine.charter.rules import Rule
from shuke.engine.charter.terms import Versions
from shuke.engine.ledger.purse import Grant, Purse
from shuke.kit import bulk, ids
from shuke.shops.models import Merchant


class Budgets(Purse):
    """The merchant's budgets as the fold asks them: read and locked when first touched, written at the end."""

    def __init__(self, merchant: Merchant, versions: Versions) -> None:
        super().__init__()
        self._merchant, self._versions = merchant, versions
        self._locked = False
        self._taken_before: dict[str, int] = {}
        self._owner: dict[tuple[str, str], int] = {}
        self._rows: dict[tuple[str, str], tuple[int, ...]] = {}  # id, member and figures as stored
        self.member = 0  # whose events are being folded

    def load(self, members: Iterable[int], events: Iterable[str]) -> None:
        """What these members and these events drew before. Their wallets are locked, so nobody else changes it."""
        for column, wanted_ones in (("member_id", members), ("event", events)):
            where, values = bulk.among(column, wanted_ones)  # type: ignore[arg-type]
            for pk, member, event, rule, wanted, granted, returned in bulk.select(
                "SELECT id, member_id, event, rule, wanted, granted, returned FROM loyalty_grant "
                f"WHERE merchant_id = %s AND {where}",
                [self._merchant.pk, values],
            ):
                if (event, rule) not in self._rows:
                    self._owner[event, rule] = member
                    self._rows[event, rule] = (pk, member, wanted, granted, returned)
                    self.grants[event, rule] = Grant(wanted, granted, returned)

    def draw(self, rule: Rule, event: str, wanted: int) -> int:
        self._owner[event, rule.key] = self.member
        grant = self.grants.get((event, rule.key))
        if grant is None or wanted > grant.wanted:
            self._lock()
        return super().draw(rule, event, wanted)

    def keep(self, rule: Rule, event: str, kept: int) -> None:
        grant = self.grants.get((event, rule.key))
        if grant is not None and rule.budget is not None and max(0, grant.granted - kept) != grant.returned:
            self._lock()
            super().keep(rule, event, kept)

    def forget(self, member: int) -> None:
        """After a member was folded whole: grants of events that are no longer theirs go back to the budget."""
        for place, owner in self._owner.items():
            grant = self.grants.get(place)
            if owner == member and grant is not None and place not in self.touched and grant.wanted:
                self._lock()
                self.taken[place[1]] = self.taken.get(place[1], 0) - grant.taken
                self.grants[place] = Grant(0, 0, 0)

    def _lock(self) -> None:
        """All budget rows of the merchant at once and in one order, so that two who draw never wait in a circle."""
        if self._locked:
            return
        self._locked = True
        rules = sorted({r.key for r in self._versions.budgeted})
        bulk.insert_new(
            "loyalty_budget",
            ("id", "merchant_id", "rule", "taken"),
            [(ids.new(), self._merchant.pk, rule, 0) for rule in rules],
        )
        rows = bulk.select(
            "SELECT rule, taken FROM loyalty_budget WHERE merchant_id = %s ORDER BY rule"
            + (" FOR NO KEY UPDATE" if bulk.is_postgres() else ""),
            [self._merchant.pk],
        )
        self._taken_before = dict(rows)
        # Before the lock nothing was drawn or given back, so the figures are whole.
        self.taken = dict(rows)

    def write(self) -> None:
        """What was drawn and given back, in the caller's transaction."""
        if not self._locked:
            self.taken = {}
        for rule, taken in self.taken.items():
            if taken != self._taken_before.get(rule):
                bulk.execute(
                    "UPDATE loyalty_budget SET taken = %s WHERE merchant_id = %s AND rule = %s",
                    [taken, self._merchant.pk, rule],
                )
        fresh, changed = [], []
        for place, grant in self.grants.items():
            figures = (self._owner[place], grant.wanted, grant.granted, grant.returned)
            stored = self._rows.get(place)
            if stored is None:
                fresh.append((ids.new(), self._merchant.pk, figures[0], *place, *figures[1:]))
            elif stored[1:] != figures:
                changed.append((*figures, stored[0]))
        bulk.insert(
            "loyalty_grant",
            ("id", "merchant_id", "member_id", "event", "rule", "wanted", "granted", "returned"),
            fresh,
        )
        bulk.update("loyalty_grant", ("member_id", "wanted", "granted", "returned"), changed)
