"""Stored value folded anew: every posting is what the charter of its moment and the engine make of what was asked (S13).

The postings are the events. Purses are folded from nothing, in the order of booking; of each posting legs, lots and uses
are compared, and at the end what is left in every lot and every open hold. Members who were ever merged are read as one for
a time that the books do not tell: their postings are taken as they stand (S1 to S9 look at them).
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
from shuke.members.models import Merge
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
        merged = {
            m for pair in Merge.objects.filter(merchant=merchant).values_list("survivor", "absorbed") for m in pair
        }
        holders = StoredPurse.objects.filter(merchant=merchant).values_list("id", "member_id", "card_id")
        self.known = {pk: (member, card) for pk, member, card in holders}
        self.purses = {pk: engine.Purse() for pk, (member, _) in self.known.items() if member not in merged}
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
            purse = self.purses.get(row.purse_id)
            if purse is None:
                self._leave(row)
                continue
            purse.advance(row.at)
            if row.kind in BY_THE_CLOCK:
                continue
            try:
                effect = self._again(row, purse)
            except (engine.StoredValueError, KeyError) as error:
                yield f"posting {row.pk}", f"stored value: posting {row.pk} ({row.kind}) cannot have been: {error}"
                del self.purses[row.purse_id]  # what follows has lost its ground
                continue
            target = _told(effect)
            if target != (now := booked.get(row.pk, {})):
                both = sorted(set(target) ^ set(now) | {k for k in target if target[k] != now.get(k)})
                shown = ", ".join(f"{' '.join(k)} {now.get(k, 0)} instead of {target.get(k, 0)}" for k in both[:4])
                yield f"posting {row.pk}", f"stored value: posting {row.pk} ({row.kind}) has {shown}"

    def _again(self, row: StoredTxn, purse: engine.Purse) -> engine.Effect:
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
        left = self.paid[row.purse_id, ref] if row.kind == "return" else None
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
        [other] = (
            StoredLeg.objects.filter(merchant=self.merchant, txn=row, purse__card__isnull=False)
            .order_by()
            .values_list("purse_id", flat=True)
            .distinct()
        )
        theirs = self.purses[other]
        theirs.advance(row.at)
        return purse.take_over(row.key, theirs, row.at, purse=row.purse_id)

    def _leave(self, row: StoredTxn) -> None:
        """A posting that is not folded: a card that it emptied is empty all the same."""
        if row.kind == "redeem":
            for other in set(
                StoredLeg.objects.filter(merchant=self.merchant, txn=row).values_list("purse_id", flat=True)
            ):
                if (theirs := self.purses.get(other or 0)) is not None:
                    theirs.advance(row.at)
                    engine.Purse().take_over(row.key, theirs, row.at, purse=row.purse_id)

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
