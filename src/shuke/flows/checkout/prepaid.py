"""What was paid in advance pays: stored value of the member and gift cards, held with the basket, captured, let go, given back.

A gift card's code is as good as money. It is looked up once, at the door of the till; from there on a card is known by its
number, and by the last four signs of its code where people read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine.checkout import Asks, Basket, GiftCard, Priced
from shuke.engine.checkout.returning import Back
from shuke.kit import crypto
from shuke.kit.refusal import LANGUAGES
from shuke.loyalty.actions import coupons as coupon_actions
from shuke.loyalty.actions import stored as stored_value
from shuke.loyalty.actions.stored import Ask, StoredRefused
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import coupons as tried
from shuke.loyalty.queries import stored as money
from shuke.shops.models import Merchant


class Cards(NamedTuple):
    """The gift cards of a basket, looked up: their numbers by the code told, and why others are refused."""

    ids: Mapping[str, int]
    refused: Mapping[str, str]

    def ref(self, code: str) -> str:
        """How a card is called once its code was read."""
        return str(self.ids[code]) if code in self.ids else f"…{code[-4:]}"


def look_up(merchant: Merchant, asks: Asks, callers: Sequence[str], now: datetime) -> Cards:
    """Which cards these codes are of. A bad one counts against its caller, so this stands before any transaction."""
    ids: dict[str, int] = {}
    refused: dict[str, str] = {}
    if asks.gift_cards and not money.is_on(merchant, now):
        return Cards(ids, refused)
    for code in asks.gift_cards:
        if tried.wait_minutes(merchant, callers, now):
            refused[code] = "try_later"
            continue
        card = money.find_card(merchant, code)
        if card is not None and money.seen(merchant, card, now).state == "active":
            ids[code] = card.pk
        else:
            refused[code] = "card_refused"
            coupon_actions.note_bad_code(merchant=merchant, callers=[*callers] or ["nobody"], now=now)
    return Cards(ids, refused)


def without_codes(basket: Basket, cards: Cards) -> Basket:
    refs = tuple(dict.fromkeys(cards.ref(code) for code in basket.asks.gift_cards))
    return replace(basket, asks=replace(basket.asks, gift_cards=refs))


def hidden(merchant: Merchant, told: Mapping[str, Any], cards: Cards | None = None) -> dict[str, Any]:
    """The basket as it came, its codes replaced: by keyed hashes to compare it with another, by refs to keep it."""
    codes = told.get("asks", {}).get("gift_cards") or []
    if not codes:
        return dict(told)
    names = [
        crypto.blind(code, "giftcard/basket", merchant.pk).hex() if cards is None else cards.ref(code) for code in codes
    ]
    return {**told, "asks": {**told["asks"], "gift_cards": names}}


def on_cards(merchant: Merchant, cards: Cards, now: datetime) -> tuple[GiftCard, ...]:
    """What is on them at this moment, read anew: between looking up and now somebody may have used one."""
    found = []
    for pk in dict.fromkeys(cards.ids.values()):
        card = money.card_of(merchant, pk)
        assert card is not None
        seen = money.seen(merchant, card, now)
        found.append(GiftCard(str(pk), seen.balance.available if seen.state == "active" else 0, f"…{card.hint}"))
    return tuple(found)


def hold(merchant: Merchant, row: Checkout, priced: Priced, minutes: int, now: datetime, actor: str) -> bool:
    """Set aside what the basket uses; False where somebody was quicker."""
    asks = [
        Ask(_card_key(row, one.ref), "hold", amount=one.amount, minutes=minutes, card_id=int(one.ref))
        for one in priced.applied
        if one.step == "gift_cards"
    ]
    if priced.stored_value and row.member_id is not None:
        asks.append(Ask(_stored_key(row), "hold", row.member_id, priced.stored_value, minutes=minutes))
    return _all_done(merchant, asks, now, actor)


def capture(merchant: Merchant, row: Checkout, now: datetime, actor: str) -> bool:
    """What was held is spent; False where a hold is over."""
    asks = [
        Ask(f"{_card_key(row, card)}:paid", "capture", amount=paid, ref=_card_key(row, card), card_id=int(card))
        for card, (paid, _) in row.gift_cards.items()
    ]
    if row.stored_value_minor and row.member_id is not None:
        key = _stored_key(row)
        asks.append(Ask(f"{key}:paid", "capture", row.member_id, row.stored_value_minor, ref=key))
    return _all_done(merchant, asks, now, actor)


def release(merchant: Merchant, row: Checkout, now: datetime, actor: str) -> None:
    """What was held is free again; refused where the hold timed out: free then too."""
    asks = [
        Ask(f"{_card_key(row, card)}:release", "release", ref=_card_key(row, card), card_id=int(card))
        for card in row.gift_cards
    ]
    if row.stored_value_minor and row.member_id is not None:
        key = _stored_key(row)
        asks.append(Ask(f"{key}:release", "release", row.member_id, ref=key))
    if asks:
        stored_value.ask(merchant=merchant, asks=asks, now=now, actor=actor)


class Void(NamedTuple):
    """A gift card that is void by now, and what of its payment came back."""

    card: int
    hint: str
    amount_minor: int


def without_void(merchant: Merchant, row: Checkout, back: Back) -> tuple[Back, tuple[Void, ...]]:
    """What can come back, if cards that are void take nothing back."""
    void = money.void_among(merchant, [int(card) for card, _ in back.gift_cards])
    kept = tuple((card, row.gift_cards[card][1] if int(card) in void else n) for card, n in back.gift_cards)
    lost = [
        Void(int(card), f"…{void[int(card)]}", n - row.gift_cards[card][1])
        for card, n in back.gift_cards
        if int(card) in void and n > row.gift_cards[card][1]
    ]
    return replace(back, gift_cards=kept), tuple(lost)


def give_back(merchant: Merchant, row: Checkout, back: Back, now: datetime, actor: str) -> dict[str, str] | None:
    """Bring each tender to what came back to it in all; why not, in both languages, or None."""
    asks = []
    for card, in_all in back.gift_cards:
        if part := in_all - row.gift_cards[card][1]:
            key = _card_key(row, card)
            asks.append(Ask(f"{key}:back:{in_all}", "return", amount=part, ref=f"{key}:paid", card_id=int(card)))
    part = back.stored_value - row.returned_stored_minor
    if part and row.member_id is not None:
        key = _stored_key(row)
        asks.append(Ask(f"{key}:back:{back.stored_value}", "return", row.member_id, part, ref=f"{key}:paid"))
    if not asks:
        return None
    try:
        answers = stored_value.ask(merchant=merchant, asks=asks, now=now, actor=actor)
    except StoredRefused as refused:
        return {spoken: refused.say(spoken) for spoken in LANGUAGES}
    for one, answer in zip(asks, answers, strict=True):
        if not answer.done:
            return {spoken: stored_value.why_refused(one, answer, merchant.currency, spoken) for spoken in LANGUAGES}
    return None


def _all_done(merchant: Merchant, asks: Sequence[Ask], now: datetime, actor: str) -> bool:
    if not asks:
        return True
    try:
        answers = stored_value.ask(merchant=merchant, asks=asks, now=now, actor=actor)
    except StoredRefused:
        return False
    return all(answer.done for answer in answers)


def _stored_key(row: Checkout) -> str:
    return f"checkout:{row.pk}:stored"


def _card_key(row: Checkout, card: str) -> str:
    return f"checkout:{row.pk}:card:{card}"
