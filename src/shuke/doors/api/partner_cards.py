"""Co-branded cards over the wire: whose card it is, spendings as the partner's own program sends them, what it owes.

Cards are named by tokens: a hash, or the number masked. A number in clear is refused and never kept.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Router, Schema
from pydantic import Field

from shuke.connect.importers.partner_card import Odd, Spent, hidden, refuses, token_of
from shuke.doors.api.deeds import paper
from shuke.doors.api.shapes import Body, CodedRefusal
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request, writer
from shuke.flows import partner_card as flow
from shuke.loyalty.actions import partner_cards as cards
from shuke.loyalty.actions.partner_cards import CardRefused
from shuke.loyalty.models import CardProgramme, CardStatement, PartnerCard
from shuke.loyalty.queries import card_statements
from shuke.loyalty.queries import partner_cards as stored
from shuke.members import queries as members
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

router = Router(tags=["partner cards"])
MOST_ROWS = 1000


class TermsOut(Schema):
    starts: date
    points: int = Field(description="for every full `per_minor` of one spending")
    per_minor: int
    price_micro: int = Field(description="the partner pays so many millionths of a minor unit a point")
    month_most: int | None = Field(description="points of a member for one month of spending")
    categories: list[tuple[list[str], int]]


class ProgrammeOut(Schema):
    key: str
    name: str
    issuer: str
    token: str = Field(description="hash or masked")
    ends_on: date | None
    terms: list[TermsOut]


class PartnerCardOut(Schema):
    number: str
    programme: str
    end: str = Field(description="last four characters of the token")
    since: date


class PartnerCardIn(Body):
    programme: Annotated[str, Field(max_length=40)]
    token: Annotated[str, Field(min_length=4, max_length=128)]
    since: date | None = None


class SpendingIn(Body):
    token: Annotated[str, Field(min_length=4, max_length=128)]
    amount_minor: Annotated[int, Field(ge=0, lt=10**15)]
    spent_on: date
    reference: Annotated[str, Field(min_length=1, max_length=80, description="the partner's own number of it")]
    category: Annotated[str, Field(max_length=80, description="merchant category code")] = ""
    returned: Annotated[bool, Field(description="money came back to the card")] = False
    original: Annotated[str, Field(max_length=80, description="reference of what a return is about")] = ""


class SpendingsIn(Body):
    name: Annotated[str, Field(min_length=1, max_length=120, description="what this delivery is called")]
    spendings: Annotated[list[SpendingIn], Field(min_length=1, max_length=MOST_ROWS)]


class RowOut(Schema):
    row: int
    state: str = Field(description="earned, nothing, reversed, unmatched, same or rejected")
    code: str
    error: str
    points: int


class TakenOut(Schema):
    number: str
    replayed: bool = Field(description="this very delivery came before; nothing was done")
    points: int
    taken: int
    rows: list[RowOut]


ANSWERS: Any = dict.fromkeys((403, 404, 409), CodedRefusal)


@router.get("/partner-cards", response={200: list[ProgrammeOut], **ANSWERS})
def programmes(request: Request) -> list[ProgrammeOut]:
    """Programmes of co-branded cards, and what was agreed."""
    return [programme_out(one) for one in stored.programmes(request.auth.merchant)]


def programme_out(one: CardProgramme) -> ProgrammeOut:
    return ProgrammeOut(
        key=one.key, name=one.name, issuer=one.issuer, token=one.token_kind, ends_on=one.ends_on,
        terms=[
            TermsOut(
                starts=t.starts, points=t.points, per_minor=t.per_minor, price_micro=t.price_micro,
                month_most=t.month_most, categories=[(list(rule.categories), rule.points) for rule in t.rules],
            )
            for t in stored.terms(one)
        ],
    )  # fmt: skip


@router.post("/partner-cards/{key}/spendings", response={200: TakenOut, **ANSWERS})
def take(request: Request, key: str, told: SpendingsIn) -> TakenOut:
    """Spendings and returns, taken like a file: once, matched by token or left waiting. Send the same again at will."""
    merchant, actor = _call(request)
    one = stored.programme(merchant, key)
    if one is None:
        raise CardRefused("no_such_programme", key=key)
    rows = [_row(merchant, n, x, one.token_kind) for n, x in enumerate(told.spendings, 1)]
    done = flow.take_told(
        merchant=merchant, programme=key, name=told.name, rows=rows, now=shop_now(merchant), actor=actor
    )
    say = language(request)
    return TakenOut(
        number=str(done.file.pk),
        replayed=done.replayed,
        points=done.tally.points,
        taken=done.tally.taken,
        rows=[
            RowOut(
                row=x.row, state=x.state, code=x.code, error=cards.why(x, say) if x.code else "", points=x.points
            )
            for x in stored.lines(done.file, limit=MOST_ROWS)
        ],
    )  # fmt: skip


def _row(merchant: Merchant, number: int, told: SpendingIn, kind: str) -> Spent | Odd:
    def veiled(text: str) -> str:
        return hidden(text, lambda digits: stored.veil_of(merchant, digits))

    if refuses(told.token, kind):
        return Odd(number, "clear_number", "", ())
    token = token_of(told.token, kind)
    if token is None:
        return Odd(number, "bad_token", veiled(told.token)[:40], ())
    texts = [veiled(text)[:80] for text in (told.reference, told.category, told.original)]
    return Spent(number, token, told.amount_minor, told.spent_on, texts[0], texts[1], told.returned, texts[2])


@router.get("/partner-cards/{key}/statements/{number}", response={200: dict[str, Any], **ANSWERS})
def statement(request: Request, key: str, number: int) -> dict[str, Any]:
    """What the partner owes in a closed statement; the same for ever."""
    found = _statement(request, key, number)
    return found.document | {"file_sha256": card_statements.digest(found), "files": list(card_statements.files(found))}


@router.get("/partner-cards/{key}/statements/{number}/files/{name}", response={200: None, **ANSWERS})
def statement_file(request: Request, key: str, number: int, name: str) -> HttpResponse:
    """One file of a closed statement, as the console and the command line write it: the same bytes for ever."""
    found = card_statements.files(_statement(request, key, number))
    if name not in found:
        raise CardRefused("no_such_paper", name=name)
    return paper(name, found[name])


def _statement(request: Request, key: str, number: int) -> CardStatement:
    one = stored.programme(request.auth.merchant, key)
    if one is None:
        raise CardRefused("no_such_programme", key=key)
    found = stored.statement(one, number)
    if found is None:
        raise CardRefused("no_such_statement", number=number)
    return found


@router.get("/members/{card}/partner-cards", response={200: list[PartnerCardOut], **ANSWERS})
def of_member(request: Request, card: str) -> list[PartnerCardOut]:
    """A member's co-branded cards in force."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    return [card_out(one) for one in stored.cards(merchant, who.pk)]


@router.post("/members/{card}/partner-cards", response={200: PartnerCardOut, **ANSWERS})
def bind(request: Request, card: str, told: PartnerCardIn) -> PartnerCardOut:
    """The card earns from a day on (without: today), also what waited for it. Bound already: the same card."""
    merchant, actor = _call(request)
    who = members.member_of(merchant.pk, card)
    now = shop_now(merchant)
    made = cards.bind(
        merchant=merchant, programme=told.programme, member_id=who.pk, token=told.token,
        since=told.since or now.astimezone(merchant.tz).date(), now=now, actor=actor,
    )  # fmt: skip
    return card_out(made)


@router.post("/members/{card}/partner-cards/{number}/end", response={200: list[PartnerCardOut], **ANSWERS})
def unbind(request: Request, card: str, number: int) -> list[PartnerCardOut]:
    """The card earns no more from today on. Answers those that are left."""
    merchant, actor = _call(request)
    who = members.member_of(merchant.pk, card)
    now: datetime = shop_now(merchant)
    today = now.astimezone(merchant.tz).date()
    cards.unbind(merchant=merchant, member_id=who.pk, card_id=number, on=today, now=now, actor=actor)
    return [card_out(one) for one in stored.cards(merchant, who.pk)]


def card_out(one: PartnerCard) -> PartnerCardOut:
    return PartnerCardOut(number=str(one.pk), programme=one.programme.key, end=one.shown, since=one.since)


def _call(request: Request) -> tuple[Merchant, str]:
    token = writer(request.auth)
    return token.merchant, f"token:{token.pk}"


def status_of(code: str) -> int:
    """404 nothing of that name, 409 not like this."""
    return 404 if code.startswith("no_such") else 409
