"""Gift cards: made in bulk, sold, redeemed into a member's stored value or spent by whoever has the code, renewed, void.

A code is 60 random bits and a check sign, as a coupon's (engine.checkout.codes): it follows from the batch's seed, its
number and the master key, and the database holds only its keyed hash. Until it is sold a card is worth nothing.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from shuke.engine.charter.stored import minor
from shuke.engine.checkout import codes
from shuke.engine.stored.judging import above_balance
from shuke.kit import audit, bulk, crypto, ids
from shuke.kit.clock import add_months, day_start
from shuke.loyalty.actions.stored.asking import Answer, Ask, KeyReused, payload_of
from shuke.loyalty.actions.stored.ledger import Ledger, lock_card, lock_members
from shuke.loyalty.actions.stored.refusals import StoredRefused
from shuke.loyalty.models import GiftCard, GiftCardBatch, StoredPurse, StoredTxn
from shuke.loyalty.queries.stored.terms import terms_of
from shuke.members.queries.keys import span
from shuke.shops.models import Merchant

CHUNK = 5_000
MOST = 200_000


@transaction.atomic
def begin_cards(
    *, merchant: Merchant, count: int, value: int, price: int | None = None, label: str = "", now: datetime, actor: str
) -> GiftCardBatch:
    """Order so many cards of a value; `make_cards` makes them. Sold below their value, the difference is bonus."""
    terms = terms_of(merchant, now)
    if terms is None:
        raise StoredRefused("stored_value_off")
    currency = merchant.currency
    price = value if price is None else price
    if not 1 <= count <= MOST:
        raise StoredRefused("too_many_cards", count=MOST)
    if value <= 0 or price < 0:
        raise StoredRefused("not_positive")
    if price > value:
        raise StoredRefused("price_above_value", currency, amount=value)
    most = minor(terms.cards.most, currency)
    if most and value > most:
        raise StoredRefused("above_card_limit", currency, amount=value, most=most)
    batch = GiftCardBatch.objects.create(
        merchant=merchant, label=label[:80], count=count, value_minor=value, price_minor=price, months=terms.cards.months,
        seed=os.urandom(16), key_number=span().newest, made_at=now, made_by=actor,
    )  # fmt: skip
    _audit(merchant, "cards_begun", f"gift card batch {batch.pk}", now, actor, count=count, value_minor=value)
    return batch


def make_cards(*, batch_id: int) -> int:
    """Make what is missing of a batch; how many were made now. Each chunk commits with the batch's own count."""
    made = 0
    while done := _make_chunk(batch_id):
        made += done
    return made


def _make_chunk(batch_id: int) -> int:
    for salt in range(100):
        try:
            with transaction.atomic():
                return _try_chunk(batch_id, salt)
        except IntegrityError:
            continue  # one of the codes exists already: once in a million chunks
    raise StoredRefused("no_such_batch")


def _try_chunk(batch_id: int, salt: int) -> int:
    batch = GiftCardBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
    count = min(CHUNK, batch.count - batch.made)
    if count <= 0:
        return 0
    if salt:
        batch.salts[str(batch.made // CHUNK)] = salt
    blind = crypto.coder("giftcard", batch.merchant_id, batch.key_number)
    first = batch.made + 1
    bulk.insert(
        "loyalty_gift_card",
        ("id", "merchant_id", "batch_id", "number", "blind", "hint", "state"),
        [
            (own, batch.merchant_id, batch_id, first + place, blind(code), code[-4:], "made")
            for place, (own, code) in enumerate(zip(ids.take(count), card_codes(batch, batch.made, count), strict=True))
        ],
    )
    batch.made += count
    if batch.made == batch.count:
        batch.state = "done"
    batch.save(update_fields=["made", "salts", "state"])
    return count


def card_codes(batch: GiftCardBatch, first: int = 0, count: int | None = None) -> Iterator[str]:
    """The codes of a batch from place `first` (from 0) on, without dashes."""
    key = crypto.key_for("giftcard/codes", batch.merchant_id, batch.key_number)
    seed = bytes(batch.seed)
    for place in range(first, batch.made if count is None else first + count):
        salt = batch.salts.get(str(place // CHUNK), 0)
        drawn = hmac.digest(key, seed + place.to_bytes(8, "big") + bytes([salt]), "sha256")
        yield codes.code_of(int.from_bytes(drawn[:8], "big") >> (64 - codes.BITS))


@transaction.atomic
def sell_cards(
    *, merchant: Merchant, cards: Sequence[int], key: str, paid_by: str = "", now: datetime, actor: str
) -> list[Answer]:
    """These cards were paid for: from now on they are money. All or none; the same key again gives the same."""
    terms = terms_of(merchant, now)
    if terms is None:
        raise StoredRefused("stored_value_off")
    if not 1 <= len(key) <= 160:
        raise StoredRefused("no_key")
    rows = list(
        GiftCard.objects.select_for_update(no_key=True, of=("self",))
        .select_related("batch")
        .filter(merchant=merchant, pk__in=list(cards))
        .order_by("id")
    )
    if len(rows) < len(set(cards)) or not rows:
        raise StoredRefused("no_such_card")
    return [_sell(merchant, row, key, paid_by, now, actor) for row in rows]


def _sell(merchant: Merchant, row: GiftCard, key: str, paid_by: str, now: datetime, actor: str) -> Answer:
    own = f"{key}|card{row.pk}"
    batch = row.batch
    one = Ask(own, "top_up", amount=batch.price_minor, card_id=row.pk, paid_by=paid_by)
    before = StoredTxn.objects.filter(merchant=merchant, key=own).first()
    if before is not None:
        if bytes(before.payload) != payload_of(one):
            raise KeyReused(key)
        return Answer(own, True, "", before.answer["figures"], True)
    if row.state != "made":
        raise StoredRefused("card_not_for_sale", ref=told_as(row), state=row.state)
    row.state, row.sold_at = "active", now
    if batch.months:
        last = add_months(now.astimezone(merchant.tz).date(), batch.months)
        row.expires_at = day_start(last + timedelta(days=1), merchant.tz)
    row.save(update_fields=["state", "sold_at", "expires_at"])
    purse = StoredPurse.objects.create(merchant=merchant, card=row, currency=merchant.currency)
    ledger = Ledger(merchant, [purse], now=now, actor=actor)
    effect = ledger.purse([purse]).top_up(
        own, batch.price_minor, batch.value_minor - batch.price_minor, now, purse=purse.pk
    )
    figures = {
        "amount": batch.price_minor, "principal": batch.price_minor, "bonus": batch.value_minor - batch.price_minor,
        "available": batch.value_minor,
    }  # fmt: skip
    answer = {"done": True, "code": "", "figures": figures}
    request = {"amount": batch.price_minor, "ref": told_as(row), "paid_by": paid_by}
    ledger.post(effect, purse.pk, own, payload=payload_of(one), request=request, answer=answer)
    ledger.finish()
    return Answer(own, True, "", figures)


@transaction.atomic
def redeem_card(*, merchant: Merchant, card_id: int, member_id: int, key: str, now: datetime, actor: str) -> Answer:
    """All that is on a card becomes a member's stored value; the card is used up. The same key again gives the same."""
    terms = terms_of(merchant, now)
    if terms is None:
        raise StoredRefused("stored_value_off")
    if not 1 <= len(key) <= 200:
        raise StoredRefused("no_key")
    one = Ask(key, "top_up", ref=f"card{card_id}")
    own = lock_members(merchant, [member_id], make=True)[member_id]  # then the card: as a basket that uses both does
    row = _locked(merchant, card_id)
    before = StoredTxn.objects.filter(merchant=merchant, key=key).first()
    if before is not None:
        if bytes(before.payload) != payload_of(one) or before.purse_id not in {p.pk for p in own}:
            raise KeyReused(key)
        return Answer(key, True, "", before.answer["figures"], True)
    usable(row, now)
    cards = lock_card(merchant, card_id)
    ledger = Ledger(merchant, [*own, *cards], now=now, actor=actor)
    mine, theirs = ledger.purse(own), ledger.purse(cards)
    if theirs.holds:
        raise StoredRefused("card_held", ref=told_as(row))
    money = theirs.available(now, "principal")
    code, figures = above_balance(minor(terms.most_balance, merchant.currency), money, mine.balance("principal"))
    if code:
        raise StoredRefused(code, merchant.currency, **figures)
    effect = mine.take_over(key, theirs, now, purse=own[0].pk)
    bonus = sum(lot.granted for lot in effect.lots if lot.kind == "bonus")
    told = {"amount": money + bonus, "principal": money, "bonus": bonus, "available": mine.available(now)}
    ledger.post(
        effect, own[0].pk, key, payload=payload_of(one), request={"amount": money + bonus, "ref": told_as(row)},
        answer={"done": True, "code": "", "figures": told},
    )  # fmt: skip
    ledger.finish()
    row.state, row.member_id = "redeemed", own[0].member_id
    row.save(update_fields=["state", "member"])
    return Answer(key, True, "", told)


@transaction.atomic
def void_card(
    *, merchant: Merchant, card_id: int, reason: str, paid_out: bool = False, now: datetime, actor: str
) -> int:
    """Make a card useless (lost, stolen, sold by mistake); what was on it, in minor units. `paid_out`: its money was given
    back, else it is written off. A card that is void already stays so."""
    if not reason.strip():
        raise StoredRefused("no_reason")
    row = _locked(merchant, card_id)
    if row.state == "void":
        return 0
    if row.state == "redeemed":
        raise StoredRefused("card_not_active", ref=told_as(row), state=row.state)
    gone = 0
    if row.state == "active":
        cards = lock_card(merchant, card_id)
        ledger = Ledger(merchant, cards, now=now, actor=actor)
        purse = ledger.purse(cards)
        if purse.holds:
            raise StoredRefused("card_held", ref=told_as(row))
        gone = purse.available(now)
        effect = purse.empty(now, "paid_out" if paid_out else "voided")
        request = {"amount": gone, "ref": told_as(row), "reason": reason.strip()[:200]}
        ledger.post(effect, cards[0].pk, f"card{row.pk}|void", request=request)
        ledger.finish()
    row.state = "void"
    row.save(update_fields=["state"])
    _audit(merchant, "card_voided", f"gift card {row.pk}", now, actor, minor=gone, reason=reason.strip()[:200])
    return gone


@transaction.atomic
def renew_card(*, merchant: Merchant, card_id: int, until: datetime, now: datetime, actor: str) -> GiftCard:
    """A card that ran out, or will, can be used until then. What is on it was never lost."""
    row = _locked(merchant, card_id)
    if row.state != "active":
        raise StoredRefused("card_not_active", ref=told_as(row), state=row.state)
    if until <= now:
        raise StoredRefused("not_later")
    row.expires_at = until
    row.save(update_fields=["expires_at"])
    _audit(merchant, "card_renewed", f"gift card {row.pk}", now, actor, until=until.isoformat())
    return row


def usable(row: GiftCard, now: datetime) -> None:
    """Unsold, used, void and expired cards are all refused alike: whoever tries codes learns nothing."""
    if row.state != "active" or (row.expires_at is not None and row.expires_at <= now):
        raise StoredRefused("card_refused")


def told_as(row: GiftCard) -> str:
    """How a card is named where its code must not be."""
    return f"…{row.hint}"


def _locked(merchant: Merchant, card_id: int) -> GiftCard:
    row = GiftCard.objects.select_for_update(no_key=True).filter(merchant=merchant, pk=card_id).first()
    if row is None:
        raise StoredRefused("no_such_card", ref=str(card_id))
    return row


def _audit(merchant: Merchant, verb: str, about: str, now: datetime, actor: str, **detail: object) -> None:
    audit.record(merchant_id=merchant.pk, at=now, actor=actor, verb=f"giftcard.{verb}", object=about, detail=detail)
