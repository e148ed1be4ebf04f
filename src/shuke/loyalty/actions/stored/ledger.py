"""Purses locked and read as the engine knows them, and its effects written as postings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from shuke.engine import stored as engine
from shuke.kit import bulk, ids
from shuke.loyalty.models import StoredHold, StoredLeg, StoredLot, StoredPurse, StoredTxn, StoredUse
from shuke.members.actions.timeline import Note, note
from shuke.members.queries.families import absorbed_by, survivors_of
from shuke.shops.models import Merchant

Purses = list[StoredPurse]
NEWS = {
    "top_up": "stored.top_up", "spend": "stored.spent", "capture": "stored.spent", "return": "stored.returned",
    "withdraw": "stored.paid_out", "adjust": "stored.adjusted", "redeem": "stored.redeemed", "lapse": "stored.lapsed",
}  # fmt: skip


def lock_members(merchant: Merchant, members: Collection[int], *, make: bool) -> dict[int, Purses]:
    """Lock the purses of these members: their own first, then those of members who live on in them. `make`: who has none
    gets one; a row that is not there could not be locked."""
    homes, absorbed = _who_is_one(merchant, members)
    while True:
        everybody = sorted({*homes.values(), *absorbed})
        if make:
            _make(merchant, sorted(set(homes.values())))
        locked = StoredPurse.objects.select_for_update(no_key=True).filter(merchant=merchant, member_id__in=everybody)
        rows = list(locked.order_by("id"))
        # Merging and parting lock the purses too: whoever waited for that asks again who is one with whom.
        before, (homes, absorbed) = (homes, absorbed), _who_is_one(merchant, members)
        if before == (homes, absorbed):
            break
    mine: dict[int, Purses] = {home: [] for home in homes.values()}
    for row in rows:
        assert row.member_id is not None
        home = absorbed.get(row.member_id, row.member_id)
        if row.member_id == home:
            mine[home].insert(0, row)
        else:
            mine[home].append(row)
    return {m: mine[home] for m, home in homes.items()}


def _who_is_one(merchant: Merchant, members: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
    """In whom each of these lives on (perhaps themselves), and who lives on in those."""
    heirs = survivors_of(merchant.pk, members)
    homes = {m: heirs.get(m, m) for m in members}
    return homes, absorbed_by(merchant.pk, homes.values())


def _make(merchant: Merchant, members: Sequence[int]) -> None:
    known = set(
        StoredPurse.objects.filter(merchant=merchant, member_id__in=members).values_list("member_id", flat=True)
    )
    bulk_rows = [
        (pk, merchant.pk, member, merchant.currency, 0, 0, 0, 0)
        for pk, member in zip(ids.take(len(members)), members, strict=True)
        if member not in known
    ]
    columns = ("id", "merchant_id", "member_id", "currency", "principal_minor", "bonus_minor", "held_minor", "seq")
    if bulk_rows:
        bulk.insert_new("loyalty_stored_purse", columns, bulk_rows)


def lock_card(merchant: Merchant, card_id: int) -> Purses:
    return list(StoredPurse.objects.select_for_update(no_key=True).filter(merchant=merchant, card_id=card_id))


class Ledger:
    """Everything that is booked in one transaction, in purses that are locked already."""

    def __init__(self, merchant: Merchant, purses: Iterable[StoredPurse], *, now: datetime, actor: str) -> None:
        self.merchant, self.now, self.actor = merchant, now, actor
        self.rows = {row.pk: row for row in purses}
        self.lots: dict[str, engine.Lot] = {}
        self._ids: dict[str, int] = {}  # lot → row
        self._stored: dict[str, tuple[int, int]] = {}  # lot → remaining, held as the table has them
        self._read(StoredLot.objects.filter(merchant=merchant, purse_id__in=list(self.rows), remaining__gt=0))
        self._holds: dict[int, list[engine.Hold]] = {pk: [] for pk in self.rows}
        open_ = StoredHold.objects.filter(merchant=merchant, purse_id__in=list(self.rows), state="open")
        for hold in open_.order_by("id"):
            parts = [(key, n) for key, n in hold.parts]
            self._holds[hold.purse_id].append(engine.Hold(hold.key, hold.times_out_at, parts))
        self._purses: list[engine.Purse] = []
        self._read_as_one: dict[int, list[int]] = {}
        self._news: list[Note] = []

    def _read(self, rows: Iterable[StoredLot]) -> None:
        for row in rows:
            if row.key not in self.lots:
                lot = engine.Lot(
                    row.key,
                    row.kind,
                    row.source,
                    row.granted,
                    row.remaining,
                    row.at,
                    row.expires_at,
                    row.held,
                    row.purse_id,
                )
                self.lots[row.key], self._ids[row.key] = lot, row.pk
                self._stored[row.key] = (row.remaining, row.held)

    def purse(self, purses: Sequence[StoredPurse]) -> engine.Purse:
        """These purses read as one, with the clock moved up to now and what that did booked."""
        mine = {row.pk for row in purses}
        if len(mine) > 1:
            self._read_as_one |= {pk: [row.pk for row in purses] for pk in mine}
        own = [lot for lot in self.lots.values() if lot.purse in mine]
        found = engine.Purse(own, [hold for pk in mine for hold in self._holds[pk]])
        self._purses.append(found)
        for effect in found.advance(self.now):
            if effect.kind == "timeout":
                self.close_hold(effect.ref, "timed_out", at=effect.at)
            told = {"amount": -sum(n for _, n in effect.legs.items() if n < 0), "ref": effect.ref}
            first = self.lots[effect.ref].purse if effect.kind == "lapse" else purses[0].pk
            self.post(effect, first, f"{effect.kind}|{ids.new()}", request=told, at=effect.at, actor="clock")
        return found

    def reopen(self, found: engine.Purse, lot_ids: Collection[int]) -> dict[int, str]:
        """Bring lots into a purse that may be used up, for what comes back to them; row → key."""
        rows = list(StoredLot.objects.filter(merchant=self.merchant, pk__in=list(lot_ids)))
        self._read(rows)
        for row in rows:
            found.lots.setdefault(row.key, self.lots[row.key])
        return {row.pk: row.key for row in rows}

    def post(
        self,
        effect: engine.Effect | None,
        purse_id: int,
        key: str,
        *,
        kind: str = "",
        payload: bytes = b"",
        request: dict[str, Any] | None = None,
        answer: dict[str, Any] | None = None,
        about: int | None = None,
        at: datetime | None = None,
        actor: str | None = None,
    ) -> StoredTxn:
        """One posting with its legs, lots and uses. Without an effect: a refusal that is remembered, or a mere note. It says
        which purses were read as one, so that it can be folded anew (queries/stored/refold.py)."""
        together = {"purses": self._read_as_one[purse_id]} if purse_id in self._read_as_one else {}
        txn = StoredTxn.objects.create(
            merchant=self.merchant,
            purse_id=purse_id,
            key=key,
            payload=payload,
            kind=kind or (effect.kind if effect else "refused"),
            about=about,
            at=at or self.now,
            actor=(self.actor if actor is None else actor)[:60],
            request=(request or {}) | together,
            answer=answer or {},
        )
        if effect is None:
            return txn
        for lot in effect.lots:
            self._grant(lot, txn)
        StoredUse.objects.bulk_create(
            StoredUse(merchant=self.merchant, txn=txn, lot_id=self._ids[lot_key], kind=what, amount=n)
            for lot_key, what, n in effect.uses
        )
        legs = []
        for (holder, account), n in effect.legs.items():
            if not n:
                continue
            leg = StoredLeg(merchant=self.merchant, txn=txn, account=account, amount=n)
            if account in ("principal", "bonus"):
                row = self.rows[holder]
                row.seq += 1
                name = f"{account}_minor"
                setattr(row, name, getattr(row, name) + n)
                leg.purse, leg.seq, leg.balance_after = row, row.seq, getattr(row, name)
            legs.append(leg)
        assert sum(leg.amount for leg in legs) == 0, "legs add up to 0"
        self._tell(txn, legs)
        StoredLeg.objects.bulk_create(legs)
        return txn

    def _tell(self, txn: StoredTxn, legs: Iterable[StoredLeg]) -> None:
        """A line on the timeline of whoever's money it is. Of a gift card only what became a member's."""
        mine = [leg for leg in legs if leg.purse is not None and leg.purse.member_id is not None]
        if not mine or txn.kind not in NEWS:
            return
        body = {
            f"{kind}_minor": sum(leg.amount for leg in mine if leg.account == kind) for kind in ("principal", "bonus")
        }
        told = {k: v for k, v in {**body, "by": txn.actor}.items() if v}
        member = mine[0].purse.member_id if mine[0].purse else None
        assert member is not None
        self._news.append(Note(member, txn.at, NEWS[txn.kind], f"stored:{txn.pk}", told))

    def _grant(self, lot: engine.Lot, txn: StoredTxn) -> None:
        row = StoredLot.objects.create(
            merchant=self.merchant,
            purse_id=lot.purse,
            txn=txn,
            key=lot.key,
            kind=lot.kind,
            source=lot.source,
            granted=lot.granted,
            remaining=lot.granted,
            at=lot.at,
            expires_at=lot.expires_at,
        )
        self.lots[lot.key], self._ids[lot.key], self._stored[lot.key] = lot, row.pk, (lot.granted, 0)

    def place_hold(self, hold: engine.Hold, purse_id: int) -> None:
        StoredHold.objects.create(
            merchant=self.merchant,
            purse_id=purse_id,
            key=hold.key,
            amount=hold.amount,
            placed_at=self.now,
            times_out_at=hold.times_out_at,
            parts=hold.parts,
        )

    def close_hold(self, key: str, state: str, *, at: datetime | None = None, captured: int = 0) -> None:
        found = StoredHold.objects.filter(merchant=self.merchant, key=key, state="open")
        assert found.update(state=state, resolved_at=at or self.now, captured=captured) == 1, "resolved once"

    def finish(self) -> None:
        """Write what became of lots and purses. The check constraints look once more."""
        changed = [
            (lot.remaining, lot.held, self._ids[key])
            for key, lot in self.lots.items()
            if self._stored[key] != (lot.remaining, lot.held)
        ]
        bulk.update("loyalty_stored_lot", ("remaining", "held"), changed)
        ends = self._open_ends()
        for row in self.rows.values():
            row.held_minor = 0
        for lot in self.lots.values():
            if (holder := self.rows.get(lot.purse)) is not None:
                holder.held_minor += lot.held
                if lot.expires_at is not None and lot.free > 0:
                    ends[holder.pk].append(lot.expires_at)
        at = bulk.moment()
        bulk.update(
            "loyalty_stored_purse",
            ("principal_minor", "bonus_minor", "held_minor", "seq", "next_due_at"),
            [
                (r.principal_minor, r.bonus_minor, r.held_minor, r.seq, at(min(ends[r.pk], default=None)), r.pk)
                for r in self.rows.values()
            ],
        )
        note(merchant=self.merchant, lines=self._news, now=self.now)
        self._news = []

    def _open_ends(self) -> dict[int, list[datetime]]:
        """When the holds of each purse time out."""
        ends: dict[int, list[datetime]] = {pk: [] for pk in self.rows}
        open_ = StoredHold.objects.filter(merchant=self.merchant, purse_id__in=list(self.rows), state="open")
        for purse, end in open_.values_list("purse_id", "times_out_at"):
            ends[purse].append(end)
        return ends
