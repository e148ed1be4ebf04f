"""Gift cards: by code, by batch, and what is on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Sum

from shuke.engine.checkout import codes
from shuke.loyalty.models import GiftCard, GiftCardBatch, StoredPurse
from shuke.loyalty.queries.stored.views import Balance, balance_of
from shuke.loyalty.queries.under_keys import code_forms
from shuke.shops.models import Merchant


class CardSeen(NamedTuple):
    """A card with what is on it. `state` says `expired` where its last day is over."""

    card: GiftCard
    state: str  # made | active | expired | redeemed | void
    balance: Balance


class BatchSeen(NamedTuple):
    batch: GiftCardBatch
    states: dict[str, int]  # made, active, redeemed, void → how many
    left_minor: int  # on the cards of it that are out


def find_card(merchant: Merchant, told: str) -> GiftCard | None:
    """The card of a code that somebody typed or scanned."""
    plain = codes.unique_code(told)
    forms = code_forms(merchant, "giftcard", plain or "")
    return GiftCard.objects.select_related("batch").filter(merchant=merchant, blind__in=forms).first()


def card_of(merchant: Merchant, pk: int) -> GiftCard | None:
    return GiftCard.objects.select_related("batch", "member").filter(merchant=merchant, pk=pk).first()


def void_among(merchant: Merchant, cards: Sequence[int]) -> dict[int, str]:
    """Which of these are void: card → the last four signs of its code."""
    rows = GiftCard.objects.filter(merchant=merchant, pk__in=cards, state="void") if cards else GiftCard.objects.none()
    return dict(rows.values_list("pk", "hint"))


def purses_of_card(merchant: Merchant, pk: int) -> list[int]:
    return list(StoredPurse.objects.filter(merchant=merchant, card_id=pk).values_list("id", flat=True))


def seen(merchant: Merchant, card: GiftCard, now: datetime) -> CardSeen:
    over = card.state == "active" and card.expires_at is not None and card.expires_at <= now
    return CardSeen(
        card, "expired" if over else card.state, balance_of(merchant, purses_of_card(merchant, card.pk), now)
    )


def batch(merchant: Merchant, pk: int) -> GiftCardBatch | None:
    return GiftCardBatch.objects.filter(merchant=merchant, pk=pk).first()


def batches(merchant: Merchant, *, limit: int = 100) -> list[BatchSeen]:
    """The latest batches with how many of their cards are where."""
    rows = list(GiftCardBatch.objects.filter(merchant=merchant).order_by("-made_at", "-id")[:limit])
    states: dict[int, dict[str, int]] = {row.pk: {} for row in rows}
    cards = GiftCard.objects.filter(merchant=merchant, batch__in=rows)
    for pk, state, n in cards.values_list("batch_id", "state").annotate(n=Count("id")).order_by():
        states[pk][state] = n
    left = dict(
        StoredPurse.objects.filter(merchant=merchant, card__batch__in=rows)
        .values_list("card__batch_id")
        .annotate(n=Sum("principal_minor") + Sum("bonus_minor"))
        .order_by()
    )
    return [BatchSeen(row, states[row.pk], left.get(row.pk, 0)) for row in rows]


def cards_of_batch(merchant: Merchant, batch_id: int, first: int, last: int) -> list[GiftCard]:
    """Cards by their printed numbers, both ends included."""
    return list(
        GiftCard.objects.filter(merchant=merchant, batch_id=batch_id, number__gte=first, number__lte=last).order_by(
            "number"
        )
    )
