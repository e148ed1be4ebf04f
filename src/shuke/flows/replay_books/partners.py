"""Co-branded cards of a replayed list, through the actions of a running Shuke: every row is a file of its own."""

from __future__ import annotations

from shuke.connect.importers.partner_card import Spent
from shuke.engine.replay.fields import Line
from shuke.engine.replay.outcome import Answer
from shuke.engine.replay.partners import agreed, taken, token
from shuke.flows import partner_card as flow
from shuke.flows.replay_books.shop import ACTOR, Shop
from shuke.kit.clock import day_of
from shuke.loyalty.actions import partner_cards as cards
from shuke.loyalty.actions.partner_cards import CardRefused
from shuke.loyalty.models import CardLine, CardMove


class Partners:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def do(self, line: Line) -> Answer:
        merchant, at = self.shop.merchant, line.at
        day = day_of(at, merchant.tz)
        if line.event == "partner":
            cards.save_programme(
                merchant=merchant, key=line.ref, name=line.ref, token_kind="hash", now=at, actor=ACTOR
            )  # fmt: skip
            terms = agreed(line, merchant.tz)
            cards.set_terms(merchant=merchant, programme=line.ref, terms=terms, now=at, actor=ACTOR)
            return Answer(True)
        before = CardMove.objects.filter(merchant=merchant).order_by("-id").values_list("id", flat=True).first() or 0
        if line.event == "partner_card":
            try:
                cards.bind(
                    merchant=merchant, programme=line.partner, member_id=self.shop.member(line.member),
                    token=token(line.ref), since=day, now=at, actor=ACTOR,
                )  # fmt: skip
            except CardRefused as refused:
                return Answer(False, refused.code, {"card": line.ref})
            return Answer(True, events=self._posted(before))
        row = Spent(
            1, token(line.ref), line.paid, day, line.id, line.category, line.event == "partner_return", line.spend
        )
        told = flow.take_told(
            merchant=merchant, programme=line.partner, name=line.id, rows=[row], now=at, actor=ACTOR
        )  # fmt: skip
        made = CardLine.objects.get(merchant=merchant, file=told.file)
        self.shop.names.rows[str(made.pk)] = line.id
        if made.state == "rejected":
            return Answer(False, made.code, {"card": line.ref})
        return Answer(True, did=[taken(line.event, made.state)], events=self._posted(before))

    def _posted(self, before: int) -> list[tuple[str, str]]:
        """What the members' books say of it since."""
        rows = CardMove.objects.filter(merchant=self.shop.merchant, id__gt=before).select_related("line").order_by("id")
        return [
            (
                self.shop.name_of(one.line.member_id or 0),
                self.shop.names.event(f"partner{'' if one.points > 0 else '-undo'}:{one.line_id}"),
            )
            for one in rows
        ]
