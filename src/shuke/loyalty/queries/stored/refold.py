"""Stored value folded anew: every posting is what the charter of its moment and the engine make of what was asked (S13).

The postings are the events. Purses are folded from nothing, in the order of booking; of each posting legs, lots and uses
are compared, and at the end what is left in every lot and every open hold. Members who are merged are read as one: which
purses those were each posting says itself. Numbers of postings and of merges could not tell it: a till may have asked who is
who just before a merge, and numbers of two processes are in order to the millisecond only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from shuke.engine import stored as engine
from shuke.engine.charter.stored import Stored
from shuke.engine.stored import judging
from shuke.loyalty.models import GiftCard, StoredHold, StoredLeg, StoredLot, StoredPurse, StoredTxn, StoredUse
from shuke.loyalty.queries import charters
from shuke.shops.models import Merchant

CHUNK = 2_000
BY_THE_CLOCK = ("lapse", "timeout")  # what time does: the fold does it by itself
MINUTE = timedelta(minutes=1)


def faults(merchant: Merchant) -> Iterator[tuple[str, str]]:
    """Row and problem of everything that is not what the facts give."""
    if not StoredPurse.objects.filter(merchant=merchant).exists():
        return
    fold = _Fold(merchant)
    rows = StoredTxn.objects.filter(merchant=merchant).exclude(kind="refused").order_by("id")
    chunk: list[StoredTxn] = []
    for row in rows.iterator(chunk_size=CHUNK):
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield from fold.take(chunk)
            chunk = []
    yield from fold.take(chunk)
    yield from fold.end()


class _Fold:
    def __init__(self, merchant: Merchant) -> None:
        self.merchant = merchant
        self.versions = charters.versions(merchant)
        holders = StoredPurse.objects.filter(merchant=merchant).values_list("id", "member_id", "card_id")
        self.known = {pk: (member, card) for pk, member, card in holders}
        self.purses = {pk: engine.Purse() for pk in self.known}
        self.lots: dict[str, engine.Lot] = {}
        self.lost: set[int] = set()  # purses that a posting which cannot have been took the ground from
        self.of_card = {card: pk for pk, (_, card) in self.known.items() if card is not None}
        self.paid: dict[
            tuple[int, str], dict[str, int]
        ] = {}  # purse and key of a payment → what did not come back of each lot
        self.ends = dict(StoredHold.objects.filter(merchant=merchant).values_list("key", "times_out_at"))

    def take(self, rows: list[StoredTxn]) -> Iterator[tuple[str, str]]:
        if not rows:
            return
        booked = _booked(self.merchant, rows[0].pk, rows[-1].pk)
        for row in rows:
            together = self._together(row)
            if self.lost.intersection(together):
                continue
            purse = self._read_as_one(together)
            purse.advance(row.at)
            if row.kind in BY_THE_CLOCK:
                self._put_back(together, purse, row)
                continue
            try:
                effect = self._again(row, purse, together)
            except (engine.StoredValueError, KeyError) as error:
                yield f"posting {row.pk}", f"stored value: posting {row.pk} ({row.kind}) cannot have been: {error}"
                self.lost.update(together)  # what follows has lost its ground
                continue
            self._put_back(together, purse, row)
            target = _told(effect)
            if target != (now := booked.get(row.pk, {})):
                both = sorted(set(target) ^ set(now) | {k for k in target if target[k] != now.get(k)})
                shown = ", ".join(f"{' '.join(k)} {now.get(k, 0)} instead of {target.get(k, 0)}" for k in both[:4])
                yield f"posting {row.pk}", f"stored value: posting {row.pk} ({row.kind}) has {shown}"

    def _together(self, row: StoredTxn) -> list[int]:
        """Purses that were one when this was booked: the survivor's, then those of members who live on in it."""
        told = [pk for pk in row.request.get("purses", ()) if pk in self.purses]
        return told if row.purse_id in told else [row.purse_id]

    def _read_as_one(self, together: list[int]) -> engine.Purse:
        if len(together) == 1:
            return self.purses[together[0]]
        mine = [self.purses[pk] for pk in together]
        return engine.Purse(
            [lot for one in mine for lot in one.lots.values()], [hold for one in mine for hold in one.holds.values()]
        )

    def _put_back(self, together: list[int], purse: engine.Purse, row: StoredTxn) -> None:
        """Each lot to the purse it stands in, each hold to the one that placed it."""
        for key, lot in list(purse.lots.items()):
            self.lots[key] = self.purses[lot.purse].lots[key] = lot
            if lot.purse not in together:  # what came back to somebody who was one with this member when they paid
                del purse.lots[key]
        fresh = purse.holds.keys() - {key for pk in together for key in self.purses[pk].holds}
        for pk in together:
            self.purses[pk].holds = {k: h for k, h in self.purses[pk].holds.items() if k in purse.holds}
        self.purses[row.purse_id].holds |= {key: purse.holds[key] for key in fresh}

    def _again(self, row: StoredTxn, purse: engine.Purse, together: list[int]) -> engine.Effect:
        """The same event once more."""
        terms = self.versions.at(row.at).charter.stored or Stored()
        told: dict[str, Any] = row.request
        amount, ref = int(told.get("amount", 0)), str(told.get("ref", ""))
        card = self.known[row.purse_id][1]
        if row.kind == "top_up" and card is not None:
            batch = GiftCard.objects.select_related("batch").get(pk=card).batch
            price = batch.price_minor
            return purse.top_up(row.key, price, batch.value_minor - price, row.at, purse=row.purse_id)
        if row.kind == "redeem":
            return self._redeem(row, purse)
        if row.kind == "void":
            out = StoredLeg.objects.filter(merchant=self.merchant, txn=row, account="paid_out").exists()
            return purse.empty(row.at, "paid_out" if out else "voided")
        minutes = (self.ends[row.key] - row.at) // MINUTE if row.kind == "hold" else 15
        left = None
        if row.kind == "return":
            left = next(self.paid[pk, ref] for pk in together if (pk, ref) in self.paid)
            purse.lots |= {lot: self.lots[lot] for lot in left}
        asked = judging.Request(row.key, row.kind, amount, ref, minutes, str(told.get("account", "principal")), left)
        effect = judging.carry_out(
            terms, self.merchant.currency, self.merchant.tz, asked, purse, row.at, own=row.purse_id
        )
        if row.kind in ("spend", "capture"):
            spent: dict[str, int] = defaultdict(int)
            for lot, what, n in effect.uses:
                spent[lot] += n if what == "spend" else 0
            self.paid[row.purse_id, row.key] = dict(spent)
        elif left is not None:
            for lot, what, n in effect.uses:
                left[lot] += n if what == "back" else 0
        purse.advance(row.at)  # what was held beyond its end and is free again
        return effect

    def _redeem(self, row: StoredTxn, purse: engine.Purse) -> engine.Effect:
        other = (
            StoredLeg.objects.filter(merchant=self.merchant, txn=row, purse__card__isnull=False)
            .order_by()
            .values_list("purse_id", flat=True)
            .first()
        )
        theirs = self.purses[other] if other is not None else engine.Purse()  # nothing was left on the card
        theirs.advance(row.at)
        return purse.take_over(row.key, theirs, row.at, purse=row.purse_id)

    def end(self) -> Iterator[tuple[str, str]]:
        """What is left, lot by lot and hold by hold."""
        lots: dict[int, dict[str, tuple[int, int, int]]] = defaultdict(dict)
        rows = StoredLot.objects.filter(merchant=self.merchant).values_list(
            "purse_id", "key", "granted", "remaining", "held"
        )
        for pk, key, *figures in rows.iterator(chunk_size=CHUNK):
            lots[pk][key] = (figures[0], figures[1], figures[2])
        holds: dict[int, dict[str, int]] = defaultdict(dict)
        for pk, key, amount in StoredHold.objects.filter(merchant=self.merchant, state="open").values_list(
            "purse_id", "key", "amount"
        ):
            holds[pk][key] = amount
        for pk, purse in self.purses.items():
            if pk in self.lost:
                continue
            target = {key: (lot.granted, lot.remaining, lot.held) for key, lot in purse.lots.items()}
            for key in sorted({*target, *lots[pk]}):
                if target.get(key) != lots[pk].get(key):
                    yield (
                        f"purse {pk}, lot {key}",
                        f"stored value: lot {key}: by its postings {_lot(target.get(key))}, the books have {_lot(lots[pk].get(key))}",
                    )
            open_ = {key: hold.amount for key, hold in purse.holds.items()}
            if open_ != holds[pk]:
                yield f"purse {pk}", f"stored value: purse {pk} holds {holds[pk]}, by its postings {open_}"


def _told(effect: engine.Effect) -> dict[tuple[str, ...], int]:
    """Legs, uses and granted lots of one effect as one table."""
    found: dict[tuple[str, ...], int] = defaultdict(int)
    for (_, account), n in effect.legs.items():
        found["leg", account] += n
    for lot, what, n in effect.uses:
        found["use", what, lot] += n
    for granted in effect.lots:
        end = granted.expires_at.timestamp() if granted.expires_at else 0
        found["lot", granted.key, granted.kind, f"{end:.6f}"] += granted.granted
    return {key: n for key, n in found.items() if n}


def _booked(merchant: Merchant, first: int, last: int) -> dict[int, dict[tuple[str, ...], int]]:
    """The same of what is booked, by posting."""
    found: dict[int, dict[tuple[str, ...], int]] = defaultdict(lambda: defaultdict(int))
    mine = {"merchant": merchant, "txn_id__gte": first, "txn_id__lte": last}
    for txn, account, n in StoredLeg.objects.filter(**mine).values_list("txn_id", "account", "amount"):
        found[txn]["leg", account] += n
    for txn, lot, what, n in StoredUse.objects.filter(**mine).values_list("txn_id", "lot__key", "kind", "amount"):
        found[txn]["use", what, lot] += n
    for txn, key, kind, end, n in StoredLot.objects.filter(**mine).values_list(
        "txn_id", "key", "kind", "expires_at", "granted"
    ):
        found[txn]["lot", key, kind, f"{end.timestamp() if end else 0:.6f}"] += n
    return {txn: {key: n for key, n in table.items() if n} for txn, table in found.items()}


def _lot(figures: tuple[int, int, int] | None) -> str:
    return "nothing" if figures is None else f"granted {figures[0]}, remaining {figures[1]}, held {figures[2]}"
