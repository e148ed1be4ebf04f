"""Gift cards of a replayed list, through the actions of a running Shuke."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from shuke.engine.replay.cards import made, moved, standing
from shuke.engine.replay.fields import Line
from shuke.engine.replay.outcome import Answer
from shuke.flows import stored as flow
from shuke.flows.replay_books.shop import ACTOR, Shop
from shuke.loyalty.actions import stored
from shuke.loyalty.actions.stored import Ask, StoredRefused
from shuke.loyalty.models import GiftCard, GiftCardBatch
from shuke.loyalty.queries import stored as books

TOLD = {"try_later": ("minutes",), "above_card_limit": ("amount", "most"), "price_above_value": ("amount",),
        "card_not_for_sale": ("state",), "card_not_active": ("state",),
        "above_balance": ("amount", "most", "balance", "room")}  # fmt: skip


class Cards:
    """Codes are the shop's own random ones; the list goes on calling the cards as it did."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.codes: dict[str, str] = {}  # card of the list → its code
        self.rows: dict[str, int] = {}

    def do(self, line: Line) -> Answer:
        doing: dict[str, Callable[[Line], Answer]] = {
            "card_make": self._make,
            "card_sell": self._sell,
            "card_redeem": self._redeem,
            "card_spend": self._use,
            "card_give_back": self._use,
            "card_void": self._void,
            "card_renew": self._renew,
        }
        try:
            return doing[line.event](line)
        except StoredRefused as refused:
            figures = {name: refused.figures[name] for name in TOLD.get(refused.code, ())}
            if line.event != "card_make" and refused.code != "stored_value_off":
                figures["card"] = line.ref
            return Answer(False, refused.code, figures)

    def _make(self, line: Line) -> Answer:
        batch = stored.begin_cards(
            merchant=self.shop.merchant,
            count=len(line.codes),
            value=line.paid,
            price=line.price,
            now=line.at,
            actor=ACTOR,
        )
        stored.make_cards(batch_id=batch.pk)
        batch = GiftCardBatch.objects.get(pk=batch.pk)
        rows = GiftCard.objects.filter(merchant=self.shop.merchant, batch=batch).order_by("number")
        self.rows |= dict(zip(line.codes, rows.values_list("pk", flat=True), strict=True))
        self.codes |= dict(zip(line.codes, stored.card_codes(batch), strict=True))
        return Answer(True, did=[made(len(line.codes), line.paid)])

    def _sell(self, line: Line) -> Answer:
        (told,) = stored.sell_cards(
            merchant=self.shop.merchant, cards=[self.rows.get(line.ref, 0)], key=line.id, now=line.at, actor=ACTOR
        )
        return Answer(True, did=[moved("card_sell", line.ref, told.figures)])

    def _redeem(self, line: Line) -> Answer:
        member = self.shop.member(line.member)
        told = flow.redeem_code(
            merchant=self.shop.merchant, code=self.codes.get(line.ref, line.ref), member_id=member, key=line.id,
            callers=[f"member:{member}"], now=line.at, actor=ACTOR,
        )  # fmt: skip
        return Answer(True, did=[moved("card_redeem", line.ref, told.figures)])

    def _use(self, line: Line) -> Answer:
        kind = "spend" if line.event == "card_spend" else "return"
        told = flow.use_code(
            merchant=self.shop.merchant, code=self.codes.get(line.ref, line.ref),
            one=Ask(line.id, kind, amount=line.paid, ref=line.spend), callers=[ACTOR], now=line.at, actor=ACTOR,
        )  # fmt: skip
        if not told.done:
            return Answer(False, told.code, {"card": line.ref, **told.figures})
        return Answer(True, did=[moved(line.event, line.ref, told.figures)])

    def _void(self, line: Line) -> Answer:
        pk = self.rows.get(line.ref, 0)
        was = GiftCard.objects.filter(merchant=self.shop.merchant, pk=pk).values_list("state", flat=True).first()
        gone = stored.void_card(
            merchant=self.shop.merchant, card_id=pk, reason=ACTOR, paid_out=line.paid_out, now=line.at, actor=ACTOR
        )
        return Answer(True, did=[] if was == "void" else [moved("card_void", line.ref, {"amount": gone})])

    def _renew(self, line: Line) -> Answer:
        assert line.until is not None
        stored.renew_card(
            merchant=self.shop.merchant, card_id=self.rows.get(line.ref, 0), until=line.until, now=line.at, actor=ACTOR
        )
        return Answer(True, did=[moved("card_renew", line.ref, {})])

    # ---- the till -----------------------------------------------------------------------------------------------------

    def in_basket(self, plain: dict[str, Any]) -> dict[str, Any]:
        """The basket with the codes that were made for its cards."""
        asks = plain.get("asks")
        if not isinstance(asks, dict) or not asks.get("gift_cards"):
            return plain
        return {**plain, "asks": {**asks, "gift_cards": [self.codes.get(c, c) for c in asks["gift_cards"]]}}

    def numbers(self) -> dict[str, str]:
        """How the till calls each card, and what the list calls it."""
        by_hint = {f"…{code[-4:]}": name for name, code in self.codes.items()}
        return {str(pk): name for name, pk in self.rows.items()} | by_hint

    def end(self, until: datetime) -> dict[str, Any]:
        found = {}
        for name, pk in self.rows.items():
            row = GiftCard.objects.select_related("batch").get(merchant=self.shop.merchant, pk=pk)
            seen = books.seen(self.shop.merchant, row, until)
            found[name] = standing(seen.state, row.batch.value_minor, seen.balance.available, row.expires_at)
        return found
