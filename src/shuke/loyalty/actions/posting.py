"""Writing effects into the books: rows are gathered for a whole batch and go in with a handful of statements."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shuke.engine.charter.standing import GROWTH
from shuke.engine.charter.terms import Versions
from shuke.engine.ledger.books import FAR, Books, Effect, Lot, Notice, TierMove
from shuke.engine.ledger.fold import Fold
from shuke.kit import bulk, ids
from shuke.loyalty.actions.budgets import Budgets
from shuke.loyalty.queries.books import Head, StoredBooks
from shuke.members.actions import Note, note
from shuke.shops.models import Merchant

_TXN = (
    "id", "merchant_id", "key", "payload", "member_id", "event", "kind", "at", "posted_at", "actor", "charter_version",
    "why", "outcome", "growth", "growth_expires_at",
)  # fmt: skip
_ENTRY = ("id", "merchant_id", "txn_id", "account", "member_id", "amount", "seq", "balance_after")
_LOT = (
    "id", "merchant_id", "member_id", "key", "txn_id", "granted", "remaining", "held", "earned_at", "available_at",
    "expires_at", "cost_micro", "funder_id",
)  # fmt: skip
_LOT_CHANGE = ("granted", "remaining", "held", "earned_at", "available_at", "expires_at")
_USE = ("id", "merchant_id", "txn_id", "lot_id", "kind", "amount")
_MOVE = ("id", "merchant_id", "member_id", "at", "before", "after", "cause", "why", "event", "charter_version")


compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _plain_birthdays(head: Head) -> str:
    return compact([[None if since is None else since.isoformat(), *day] for since, day in head.birthdays])


@dataclass(slots=True)
class Request:
    """What makes a posting the answer to a caller: its key, the hash of what was asked, and the answer."""

    key: str
    payload: bytes
    outcome: dict[str, Any]
    told: Callable[[Effect], None] | None = None  # completes the answer by what the request came to


@dataclass(slots=True)
class Sheet:
    """One member's place in the batch: running number and balances while rows are gathered."""

    head: Head
    seq: int = 0
    balance: int = 0
    debt: int = 0
    lot_ids: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, head: Head) -> Sheet:
        return cls(head, head.seq, head.balance, head.debt)


class Batch:
    """Gathers rows of many members; `write` puts them into the database within the caller's transaction."""

    def __init__(self, merchant: Merchant, *, now: datetime, actor: str) -> None:
        self.merchant, self.now, self.actor = merchant, now, actor
        self._merchant_id = merchant.pk
        self._moment = bulk.moment()
        self.txns: list[tuple] = []
        self.entries: list[tuple] = []
        self.new_lots: list[tuple] = []
        self.lot_changes: list[tuple] = []
        self.uses: list[tuple] = []
        self.moves: list[tuple] = []
        self.wallets: dict[tuple[str, ...], list[tuple]] = defaultdict(list)  # columns that changed → rows
        self.notes: list[Note] = []
        self._budgets: Budgets | None = None
        self._ids: list[int] = []
        self._taken = 2

    def budgets(self, versions: Versions, members: Iterable[int], events: Iterable[str]) -> Budgets | None:
        """The purse these members draw from; None where no version of the charter has a budget."""
        if not versions.has_budgets:
            return None
        if self._budgets is None:
            self._budgets = Budgets(self.merchant, versions)
        self._budgets.load(members, events)
        return self._budgets

    def _id(self) -> int:
        if not self._ids:  # a single sale needs a few, an import millions
            self._taken = min(4000, self._taken * 4)
            self._ids = ids.take(self._taken)
            self._ids.reverse()
        return self._ids.pop()

    def post(
        self,
        sheet: Sheet,
        effect: Effect,
        *,
        revision: int = 1,
        request: Request | None = None,
        kind: str | None = None,
    ) -> int:
        """One posting with its legs and uses. Lots of `effect.lots` are inserted; ids of older ones are in the sheet."""
        assert sum(effect.legs.values()) == 0, effect
        at = self._moment
        member = sheet.head.member_id
        txn = self._id()
        if request is not None and request.told is not None:
            request.told(effect)
        self.txns.append(
            (
                txn,
                self._merchant_id,
                request.key if request else f"{member}|{effect.event}#{revision}",
                request.payload if request else b"",
                member,
                effect.event,
                kind or effect.kind,
                at(effect.at),
                at(self.now),
                self.actor,
                effect.version,
                compact(effect.why),
                compact(request.outcome) if request else None,
                effect.growth or None,
                at(effect.growth_expires_at),
            )
        )
        for account, amount in sorted(effect.legs.items()):
            seq = after = owner = None
            if account in ("member", "debt"):
                sheet.seq += 1
                seq, owner = sheet.seq, member
                if account == "member":
                    sheet.balance += amount
                    after = sheet.balance
                else:
                    sheet.debt -= amount
                    after = -sheet.debt
            self.entries.append((self._id(), self._merchant_id, txn, account, owner, amount, seq, after))
        for lot in effect.lots:
            self.insert_lot(sheet, lot, txn)
        for key, kind_, amount in effect.uses:
            self.uses.append((self._id(), self._merchant_id, txn, sheet.lot_ids[key], kind_, amount))
        return txn

    def refuse(self, head: Head, request: Request, at: datetime) -> None:
        """A refusal is remembered for ever, like a success: a posting without legs."""
        self.post(Sheet.of(head), Effect(f"refused:{request.key}", "refused", at, 0), request=request)

    def insert_lot(self, sheet: Sheet, lot: Lot, txn: int) -> None:
        """`lot` is the engine's own object: its figures are read when the batch is written, after the fold ended."""
        pk = sheet.lot_ids[lot.key] = self._id()
        at = self._moment
        self.new_lots.append(
            (
                pk,
                self._merchant_id,
                sheet.head.member_id,
                lot.key,
                txn,
                lot.granted,
                lot.remaining,
                lot.held,
                at(lot.earned_at),
                at(lot.available_at),
                at(lot.expires_at),
                lot.cost_micro,
                lot.funder or None,
            )
        )

    def change_lot(self, pk: int, lot: Lot) -> None:
        at = self._moment
        moments = at(lot.earned_at), at(lot.available_at), at(lot.expires_at)
        self.lot_changes.append((lot.granted, lot.remaining, lot.held, *moments, pk))

    def move(self, member: int, change: TierMove) -> None:
        self.moves.append(
            (
                self._id(),
                self._merchant_id,
                member,
                self._moment(change.at),
                change.before,
                change.after,
                change.cause,
                compact(change.why),
                change.event,
                change.version,
            )
        )
        if change.cause != "joined":
            kind = "tier.up" if change.step > 0 else "tier.down" if change.step < 0 else "tier.renamed"
            body = {"before": change.before, "after": change.after, "cause": change.cause}
            self.notes.append(Note(member, change.at, kind, change.event[:120], body))

    def expired(self, member: int, effect: Effect) -> None:
        lapsed = effect.legs.get("breakage", 0)
        if effect.kind == "expire" and lapsed > 0:
            self.notes.append(Note(member, effect.at, "points.expired", effect.event, {"points": lapsed}))

    def at_risk(self, member: int, notice: Notice, *, after: datetime | None) -> None:
        """Tell that a tier is at risk, unless that was told before or the review is over."""
        if notice.review_at <= self.now or (after is not None and notice.at <= after):
            return
        body = {
            "tier": notice.tier,
            "falls_to": notice.falls_to,
            "review_at": notice.review_at.isoformat(),
            "keep": notice.keep,
        }
        self.notes.append(Note(member, notice.at, "tier.at_risk", notice.event, body))

    def close(self, sheet: Sheet, fold: Fold, *, held: int) -> None:
        """The wallet row as it stands after the fold: what of it changed, so that no index is touched in vain."""
        at = self._moment
        books: Books = fold.books
        head = sheet.head
        settled_to = fold.last_at if fold.last_at is not None else head.settled_to
        now: dict[str, Any] = {
            "balance": sheet.balance,
            "held": held,
            "debt": sheet.debt,
            "seq": sheet.seq,
            "next_expiry_at": None if books.next_expiry == FAR else books.next_expiry,
            "settled_to": settled_to,
        }
        written: dict[str, Any] = {}
        # Books whose standing nobody read have the one they had.
        if not isinstance(books, StoredBooks) or books.has_read_standing or books.holds or head.held:
            standing = books.standing
            dues = standing.dues() + [h.times_out_at for h in books.holds.values()]
            now["tier"] = fold.tier_at(fold.versions.at(settled_to or self.now))
            now["next_review_at"] = min(dues, default=None)
            written = {
                "tier_since": at(standing.since),
                "growth": standing.totals[GROWTH],
                "birthdays": _plain_birthdays(head),
                "standing": compact(standing.to_json()),
            }
        for column, value in now.items():
            if value != getattr(head, column):
                written[column] = at(value) if column.endswith(("_at", "_to")) else value
        if written:
            self.wallets[tuple(written)].append((*written.values(), head.member_id))

    def write(self) -> None:
        """Parents first; entries of a posting in one statement, so that the database can check that they add up."""
        inserts = [
            ("loyalty_txn", _TXN, self.txns),
            ("loyalty_entry", _ENTRY, self.entries),
            ("loyalty_lot", _LOT, self.new_lots),
            ("loyalty_use", _USE, self.uses),
            ("loyalty_tier_change", _MOVE, self.moves),
        ]
        updates: list[bulk.Rows] = [("loyalty_lot", _LOT_CHANGE, self.lot_changes, "id")]
        updates += [("loyalty_wallet", columns, rows, "member_id") for columns, rows in self.wallets.items()]
        if sum(len(told[2]) for told in inserts + updates) <= bulk.FEW:
            bulk.write_few(inserts, updates)
        else:
            for table, columns, rows in inserts:
                bulk.insert(table, columns, rows)
            for table, columns, rows, key in updates:
                bulk.update(table, columns, rows, key=key)
        if self._budgets is not None:
            self._budgets.write()
        if self.notes:
            note(merchant=self.merchant, lines=self.notes, now=self.now)
