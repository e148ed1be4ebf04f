"""The rows of baskets: placed, resolved exactly once, and what came back of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from shuke.loyalty.models import Checkout, CheckoutReturn
from shuke.shops.models import Merchant


def place_checkout(
    *,
    merchant: Merchant,
    key: str,
    payload: bytes,
    member_id: int | None,
    times_out_at: datetime,
    now: datetime,
    actor: str,
) -> Checkout | None:
    """The row of a new basket, to be filled in the same transaction; None when the key is taken.

    Of two callers with one key the second waits here for the first, and then finds it taken.
    """
    row = Checkout(
        merchant=merchant, key=key, payload=payload, member_id=member_id, basket={}, priced={}, placed_at=now,
        times_out_at=times_out_at, actor=actor[:60],
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return None
    return row


def fill_checkout(
    *,
    row: Checkout,
    basket: Mapping[str, Any],
    priced: Mapping[str, Any],
    points: int,
    stored_value: int,
    gift_cards: Mapping[str, int],
    due: int,
) -> None:
    """What was asked, what was answered, and what is set aside. `gift_cards`: card → minor units."""
    row.basket, row.priced = dict(basket), dict(priced)
    row.points, row.stored_value_minor, row.due_minor = points, stored_value, due
    row.gift_cards = {card: [n, 0] for card, n in gift_cards.items()}
    row.gift_cards_minor = sum(gift_cards.values())
    row.save(
        update_fields=[
            "basket", "priced", "points", "stored_value_minor", "gift_cards", "gift_cards_minor", "due_minor",
        ]
    )  # fmt: skip


def resolve_checkout(*, row: Checkout, state: str, now: datetime, order_event: str = "") -> bool:
    """Captured, released or timed out: whoever comes first; False when it was resolved before."""
    open_one = Checkout.objects.filter(pk=row.pk, state="open")
    return bool(open_one.update(state=state, resolved_at=now, order_event=order_event))


def note_booked(*, row: Checkout) -> None:
    """The basket itself told the archive its order."""
    row.booked = True
    row.save(update_fields=["booked"])


def record_return(
    *,
    row: Checkout,
    key: str,
    payload: bytes,
    returned: Mapping[str, int],
    back: Mapping[str, Any],
    now: datetime,
    actor: str,
) -> None:
    """One return: the row of it, and the sums on the basket. In the transaction that gives the points back."""
    row.returned = dict(returned)
    row.returned_due_minor += back["due_minor"]
    row.returned_points += back["points"]
    row.returned_stored_minor += back["stored_value_minor"]
    for card in back["gift_cards"]:
        row.gift_cards[card["ref"]][1] += card["amount_minor"]
        row.returned_cards_minor += card["amount_minor"]
    row.save(
        update_fields=[
            "returned", "returned_due_minor", "returned_points", "returned_stored_minor", "gift_cards", "returned_cards_minor",
        ]
    )  # fmt: skip
    CheckoutReturn.objects.create(
        merchant_id=row.merchant_id, checkout=row, key=key, payload=payload, at=now, back=dict(back), actor=actor[:60]
    )


def tell_goods(*, row: Checkout, returned: Mapping[str, int]) -> None:
    """From here on the goods that came back count, and no more the refunds of the order."""
    row.returned = dict(returned)
    row.save(update_fields=["returned"])


def follow_points(*, row: Checkout, points: int) -> None:
    """So many points of the basket have come back by now, which the books decide: fewer, if a refund was corrected."""
    if points != row.returned_points:
        row.returned_points = points
        row.save(update_fields=["returned_points"])
