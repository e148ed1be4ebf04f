"""Reads of co-branded cards: programmes with their terms, who has which card, files, lines that wait, statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, Max, Min, Sum

from shuke.engine.partner_cards import terms as agreement
from shuke.engine.partner_cards.terms import Rule, Terms
from shuke.kit import crypto
from shuke.loyalty.models import (
    CardFile,
    CardLine,
    CardMove,
    CardProgramme,
    CardStatement,
    CardTerms,
    PartnerCard,
)
from shuke.members.queries.keys import span
from shuke.shops.models import Merchant


class Tally(NamedTuple):
    """What became of the rows of a file, or would. `points` are given, `taken` taken back."""

    earned: int = 0
    nothing: int = 0
    reversed: int = 0
    unmatched: int = 0
    same: int = 0
    rejected: int = 0
    undone: int = 0
    points: int = 0
    taken: int = 0

    @property
    def rows(self) -> int:
        return sum(self[:7])


class Waiting(NamedTuple):
    """Spendings of one card whose member is not known. `number` is one of its lines and stands for the card."""

    number: int
    programme: CardProgramme
    shown: str
    rows: int
    amount_minor: int
    first: date
    last: date
    members: list[int]  # who has bound a card that looks like this


def programmes(merchant: Merchant) -> list[CardProgramme]:
    return list(CardProgramme.objects.filter(merchant=merchant).order_by("key"))


def programme(merchant: Merchant, key: str) -> CardProgramme | None:
    return CardProgramme.objects.filter(merchant=merchant, key=key).first()


def terms(one: CardProgramme) -> list[Terms]:
    rows = CardTerms.objects.filter(merchant_id=one.merchant_id, programme=one).order_by("starts_on")
    return [terms_of(row) for row in rows]


def terms_of(row: CardTerms) -> Terms:
    rules = tuple(Rule(tuple(names), points) for names, points in row.rules)
    return Terms(row.starts_on, row.points, row.per_minor, row.price_micro, row.month_most, rules)


def terms_now(one: CardProgramme, today: date) -> Terms | None:
    """What holds today, or will first."""
    told = terms(one)
    return agreement.at(told, today) or (told[0] if told else None)


def blind_of(one: CardProgramme, token: str) -> bytes:
    return crypto.coder(f"partner-card/{one.pk}", one.merchant_id, one.key_number)(token)


def veil_of(merchant: Merchant, digits: str) -> str:
    """What stands for a card number that a partner's file had where none belongs: equal for equal ones, and no number."""
    return crypto.coder("partner-card-number", merchant.pk, span().newest)(digits).hex()


def cards(merchant: Merchant, member_id: int) -> list[PartnerCard]:
    """A member's cards in force."""
    mine = PartnerCard.objects.filter(merchant=merchant, member_id=member_id, ended_at__isnull=True)
    return list(mine.select_related("programme").order_by("bound_at", "id"))


def bound(merchant: Merchant) -> dict[int, int]:
    """Cards in force by programme."""
    rows = PartnerCard.objects.filter(merchant=merchant, ended_at__isnull=True).values_list("programme_id")
    return dict(rows.annotate(n=Count("id")))


def files(merchant: Merchant, limit: int = 50) -> list[tuple[CardFile, Tally]]:
    found = CardFile.objects.filter(merchant=merchant).select_related("programme").order_by("-taken_at", "-id")[:limit]
    tallies = _tallies(merchant, [one.pk for one in found])
    return [(one, tallies.get(one.pk, Tally())) for one in found]


def file(merchant: Merchant, file_id: int) -> CardFile | None:
    return CardFile.objects.filter(merchant=merchant, pk=file_id).select_related("programme", "merchant").first()


def tally(one: CardFile) -> Tally:
    return _tallies(one.merchant, [one.pk]).get(one.pk, Tally())


def _tallies(merchant: Merchant, ids: Sequence[int]) -> dict[int, Tally]:
    rows = CardLine.objects.filter(merchant=merchant, file_id__in=ids).values_list("file_id", "state")
    counts: dict[int, dict[str, int]] = {}
    for pk, state, n, points in rows.annotate(n=Count("id"), p=Sum("points")):
        told = counts.setdefault(pk, {})
        told[state] = n
        if state in ("earned", "reversed"):
            told["points" if state == "earned" else "taken"] = abs(points)
    return {pk: Tally(**told) for pk, told in counts.items()}


def lines(one: CardFile, *states: str, limit: int = 200) -> list[CardLine]:
    mine = CardLine.objects.filter(merchant_id=one.merchant_id, file=one).select_related("member")
    return list((mine.filter(state__in=states) if states else mine).order_by("row")[:limit])


def rejects(one: CardFile) -> Iterator[CardLine]:
    return CardLine.objects.filter(merchant_id=one.merchant_id, file=one, state="rejected").order_by("row").iterator()


def waiting(merchant: Merchant, limit: int = 200) -> list[Waiting]:
    """Cards of files that nobody has bound, or that could be two members', with what waits; the largest first."""
    rows = (
        CardLine.objects.filter(merchant=merchant, state="unmatched")
        .values("programme_id", "card")
        .annotate(
            number=Min("id"), n=Count("id"), amount=Sum("left_minor"), a=Min("spent_on"), z=Max("spent_on"), s=Max("shown")
        )
        .order_by("-amount", "number")[:limit]
    )  # fmt: skip
    known = {one.pk: one for one in programmes(merchant)}
    owners: dict[tuple[int, bytes], list[int]] = {}
    blinds = [bytes(row["card"] or b"") for row in rows]
    bindings = PartnerCard.objects.filter(merchant=merchant, blind__in=blinds, ended_at__isnull=True)
    for programme_id, blind, member in bindings.order_by("id").values_list("programme_id", "blind", "member_id"):
        owners.setdefault((programme_id, bytes(blind)), []).append(member)
    return [
        Waiting(
            row["number"], known[row["programme_id"]], row["s"], row["n"], row["amount"], row["a"], row["z"],
            owners.get((row["programme_id"], bytes(row["card"] or b"")), []),
        )
        for row in rows
    ]  # fmt: skip


def waiting_count(merchant: Merchant) -> int:
    return CardLine.objects.filter(merchant=merchant, state="unmatched").count()


def statements(one: CardProgramme) -> list[CardStatement]:
    """The newest first."""
    return list(CardStatement.objects.filter(merchant_id=one.merchant_id, programme=one).order_by("-number"))


def statement(one: CardProgramme, number: int) -> CardStatement | None:
    return CardStatement.objects.filter(merchant_id=one.merchant_id, programme=one, number=number).first()


def open_points(one: CardProgramme, until: datetime) -> int:
    """Points before a moment that no statement has yet."""
    mine = CardMove.objects.filter(merchant_id=one.merchant_id, programme=one, statement__isnull=True, at__lt=until)
    return mine.aggregate(n=Sum("points"))["n"] or 0
