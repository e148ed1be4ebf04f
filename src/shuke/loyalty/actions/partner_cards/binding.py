"""Whose card it is: bound at the counter or by the portal, matched later to spendings that wait, ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from django.db import transaction

from shuke.connect.importers.partner_card import refuses, token_of
from shuke.engine.partner_cards import judging
from shuke.kit.clock import day_of
from shuke.loyalty.actions.partner_cards import posting
from shuke.loyalty.actions.partner_cards.posting import Post
from shuke.loyalty.actions.partner_cards.programmes import note, programme_of
from shuke.loyalty.actions.partner_cards.refusals import CardRefused
from shuke.loyalty.models import CardLine, CardProgramme, PartnerCard
from shuke.loyalty.queries import partner_cards as stored
from shuke.loyalty.queries.card_state import Reader
from shuke.members.actions import Note
from shuke.members.actions import note as note_timeline
from shuke.members.models import Member, MemberState
from shuke.members.queries.families import living, survivors_of
from shuke.shops.models import Merchant


@transaction.atomic
def bind(
    *, merchant: Merchant, programme: str, member_id: int, token: str, since: date, now: datetime, actor: str
) -> PartnerCard:
    """A member's card earns from a day on, also what waited for it. Raises CardRefused. Bound already: the same card."""
    one = programme_of(merchant, programme)
    if refuses(token.strip(), one.token_kind):
        raise CardRefused("clear_number")
    plain = token_of(token, one.token_kind)
    if plain is None:
        raise CardRefused("bad_token", value=token[:40])
    one = _lock(one)
    card = _bound(one, member_id, stored.blind_of(one, plain), plain[-4:], since, now, actor)
    _settle(one, bytes(card.blind), now, actor)
    return card


@transaction.atomic
def match(
    *, merchant: Merchant, line_id: int, member_id: int, since: date | None = None, now: datetime, actor: str
) -> tuple[PartnerCard, int]:
    """Somebody says whose card it is that a waiting spending was paid with: it is bound from its first waiting spending on, or
    from `since`, and all that waits for it earns. Returns the card and how many spendings. Raises CardRefused."""
    line = CardLine.objects.filter(merchant=merchant, pk=line_id, state="unmatched").select_related("programme").first()
    if line is None or line.card is None:
        raise CardRefused("no_such_line", number=line_id)
    one = _lock(line.programme)
    blind = bytes(line.card)
    waiting = CardLine.objects.filter(merchant=merchant, programme=one, card=blind, state="unmatched")
    first = waiting.order_by("spent_on").values_list("spent_on", flat=True).first()
    assert first is not None
    card = _bound(one, member_id, blind, line.shown, since or first, now, actor)
    return card, _settle(one, blind, now, actor, owner=_member(merchant, member_id).pk)


@transaction.atomic
def unbind(*, merchant: Merchant, member_id: int, card_id: int, on: date, now: datetime, actor: str) -> None:
    """The card earns no more from a day on; ended before, nothing is done. Raises CardRefused."""
    mine = PartnerCard.objects.select_for_update(no_key=True, of=("self",)).select_related("programme")
    card = mine.filter(merchant=merchant, member_id=member_id, pk=card_id).first()
    if card is None:
        raise CardRefused("no_such_card")
    if card.ended_at is not None:
        return
    card.ended_at, card.ended_on = now, on
    card.save(update_fields=["ended_at", "ended_on"])
    note(merchant, "card.ended", f"member {member_id}", now, actor)
    told = Note(card.member_id, now, "cobrand.ended", f"partner-card:{card.pk}", _about(card))
    note_timeline(merchant=merchant, lines=[told], now=now)


def _lock(one: CardProgramme) -> CardProgramme:
    merchant = one.merchant
    locked = CardProgramme.objects.select_for_update(no_key=True).get(pk=one.pk)
    locked.merchant = merchant
    return locked


def _member(merchant: Merchant, member_id: int) -> Member:
    heir = living(merchant.pk, member_id)
    found = Member.objects.filter(merchant=merchant, pk=heir).exclude(state=MemberState.FORGOTTEN).first()
    if found is None:
        raise CardRefused("no_such_member")
    return found


def _bound(
    one: CardProgramme, member_id: int, blind: bytes, shown: str, since: date, now: datetime, actor: str
) -> PartnerCard:
    merchant = one.merchant
    member = _member(merchant, member_id)
    there = list(PartnerCard.objects.filter(merchant=merchant, programme=one, blind=blind, ended_at__isnull=True))
    heirs = survivors_of(merchant.pk, [card.member_id for card in there])
    for card in there:
        if heirs.get(card.member_id, card.member_id) == member.pk:
            return card
    # A hash is one card; masked numbers of two cards can be the same, and spending that says only that waits.
    if one.token_kind == "hash" and there:
        raise CardRefused("token_taken")
    card = PartnerCard.objects.create(
        merchant=merchant, programme=one, member=member, blind=blind, shown=shown, since=since, bound_at=now, bound_by=actor,
    )  # fmt: skip
    note(merchant, "card.bound", f"member {member.pk}", now, actor)
    told = Note(member.pk, now, "cobrand.bound", f"partner-card:{card.pk}", _about(card))
    note_timeline(merchant=merchant, lines=[told], now=now)
    return card


def _about(card: PartnerCard) -> dict[str, str]:
    return {"name": card.programme.name, "end": card.shown}


def _settle(one: CardProgramme, blind: bytes, now: datetime, actor: str, owner: int | None = None) -> int:
    """Spendings that waited for this card earn, as far as it is sure whose they are; `owner`: somebody said so."""
    merchant = one.merchant
    rows = CardLine.objects.filter(merchant=merchant, programme=one, card=blind, state="unmatched")
    waiting = list(rows.order_by("spent_on", "id").values_list("id", flat=True))
    if not waiting:
        return 0
    reader = Reader(one, day_of(now, merchant.tz))
    reader.read([])
    reader.read_cards({blind})
    reader.read_lines(waiting)
    whose = _whose(reader, blind, owner)
    posts: list[Post] = []
    states: dict[int, str] = {}
    points: dict[int, int] = {}
    for pk in waiting:
        line = reader.by_id[pk]
        member = whose(line.day)
        if member is None:
            continue
        points[pk] = judging.settle(reader.state, line, member)
        states[pk] = "earned" if points[pk] else "nothing"
        if points[pk]:
            posts.append(Post(pk, line, points[pk], "given"))
    posting.write(one, posts, versions=reader.state.terms, ref=f"card-match:{waiting[0]}", now=now, actor=actor)
    posting.charge(one, posts, versions=reader.state.terms, now=now)
    posting.stand([reader.by_id[pk] for pk in states], points, states)
    return len(states)


def _whose(reader: Reader, blind: bytes, owner: int | None) -> Callable[[date], int | None]:
    cards: Sequence[judging.Card] = reader.state.cards[blind]
    if owner is not None:
        cards = [card for card in cards if card.member == owner]
    return lambda day: judging.whose(cards, day)[0]
