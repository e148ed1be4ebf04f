"""Gift cards as a story: made by a worker, given out as a file, found by their code with a brake on guessing, used."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.engine.checkout import codes
from shuke.kit import audit, clock, jobs, money
from shuke.loyalty.actions import stored
from shuke.loyalty.actions.coupons import note_bad_code
from shuke.loyalty.actions.stored import Answer, Ask, StoredRefused
from shuke.loyalty.models import GiftCard, GiftCardBatch
from shuke.loyalty.queries import stored as books
from shuke.loyalty.queries.coupons import wait_minutes
from shuke.shops.models import Merchant

JOB = "gift-cards"


class Ordered(NamedTuple):
    batch: GiftCardBatch
    job_id: int


def order_cards(
    *, merchant: Merchant, count: int, value: int, price: int | None = None, label: str = "", now: datetime, actor: str
) -> Ordered:
    """A batch of gift cards, to be made by a worker."""
    with transaction.atomic():
        batch = stored.begin_cards(
            merchant=merchant, count=count, value=value, price=price, label=label, now=now, actor=actor
        )
        job_id = jobs.enqueue(
            JOB, {"batch": str(batch.pk)}, merchant_id=merchant.pk, now=clock.utc_now(), key=f"{JOB}:{batch.pk}"
        )
    return Ordered(batch, job_id)


@jobs.handler(JOB)
def make_cards(running: jobs.Running) -> None:
    """Make the cards of one batch. Killed, the next worker goes on after the last whole chunk."""
    stored.make_cards(batch_id=int(running.arguments["batch"]))


def find_card(*, merchant: Merchant, code: str, callers: Sequence[str], now: datetime) -> GiftCard:
    """The card of a code that can be used. Unknown, unsold, used up, void and expired ones are refused alike, and each
    counts against its callers: after ten within a quarter of an hour they wait."""
    if not books.is_shown(merchant, now):
        raise StoredRefused("stored_value_off")
    if minutes := wait_minutes(merchant, callers, now):
        raise StoredRefused("try_later", minutes=minutes)
    card = books.find_card(merchant, code)
    if card is None or books.seen(merchant, card, now).state != "active":
        note_bad_code(merchant=merchant, callers=callers, now=now)
        raise StoredRefused("card_refused")
    return card


def card_balance(*, merchant: Merchant, code: str, callers: Sequence[str], now: datetime) -> books.CardSeen:
    """What is on a card, for whoever knows its code."""
    return books.seen(merchant, find_card(merchant=merchant, code=code, callers=callers, now=now), now)


def redeem_code(
    *, merchant: Merchant, code: str, member_id: int, key: str, callers: Sequence[str], now: datetime, actor: str
) -> Answer:
    """All that is on a card becomes a member's stored value. Sent again with the same key it is answered again."""
    found = books.find_card(merchant, code)
    if (
        found is None or found.state != "redeemed"
    ):  # a card that was redeemed may be redeemed by this very key: ask the books
        found = find_card(merchant=merchant, code=code, callers=callers, now=now)
    try:
        return stored.redeem_card(
            merchant=merchant, card_id=found.pk, member_id=member_id, key=key, now=now, actor=actor
        )
    except StoredRefused as refused:
        if refused.code == "card_refused":
            note_bad_code(merchant=merchant, callers=callers, now=now)
        raise


def use_code(*, merchant: Merchant, code: str, one: Ask, callers: Sequence[str], now: datetime, actor: str) -> Answer:
    """Spend from a card, or bring back to it what a payment took: nobody needs to be known."""
    found = books.find_card(merchant, code)
    if found is None or one.kind == "spend":
        found = find_card(merchant=merchant, code=code, callers=callers, now=now)
    return stored.ask(merchant=merchant, asks=[one._replace(card_id=found.pk)], now=now, actor=actor)[0]


def card_named(*, merchant: Merchant, told: str) -> GiftCard | None:
    """For staff who have a card before them: by code, or `batch/number` as printed."""
    batch, _, number = told.partition("/")
    if number.isdecimal() and batch.isdecimal():
        return next(iter(books.cards_of_batch(merchant, int(batch), int(number), int(number))), None)
    return books.find_card(merchant, told)


def export_cards(*, merchant: Merchant, batch_id: int, now: datetime, actor: str) -> Iterator[str]:
    """The codes of a batch as lines of CSV. The audit log says who took them: they are as good as money once sold."""
    batch = books.batch(merchant, batch_id)
    if batch is None:
        raise StoredRefused("no_such_batch")
    _took(merchant, batch, "cards_exported", batch.made, now, actor)
    return _lines(merchant, batch)


def printed(
    *, merchant: Merchant, batch: GiftCardBatch, first: int, count: int, now: datetime, actor: str
) -> list[tuple[int, str]]:
    """Numbers and codes to print, from place `first` (from 0) on."""
    _took(merchant, batch, "cards_printed", count, now, actor)
    return [(first + 1 + i, codes.shown(code)) for i, code in enumerate(stored.card_codes(batch, first, count))]


def _took(merchant: Merchant, batch: GiftCardBatch, verb: str, count: int, now: datetime, actor: str) -> None:
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb=f"giftcard.{verb}", object=f"gift card batch {batch.pk}",
        detail={"cards": count},
    )  # fmt: skip


def _lines(merchant: Merchant, batch: GiftCardBatch) -> Iterator[str]:
    value = money.show(batch.value_minor, merchant.currency)
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\r\n")
    told.write("\ufeff")
    writer.writerow(["number", "code", "value"])
    for place, code in enumerate(stored.card_codes(batch), 1):
        writer.writerow([f"{batch.pk}/{place}", codes.shown(code), value])
        if place % 2000 == 0:
            yield told.getvalue()
            told.seek(0)
            told.truncate()
    yield told.getvalue()
