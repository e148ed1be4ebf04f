"""Closing what a card partner owes: once for a time, the same bytes whenever it is asked for."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.partner_cards.charging import Moved, Statement, statement
from shuke.kit import bulk, ids
from shuke.kit.clock import day_of
from shuke.loyalty.actions.partner_cards.programmes import note, programme_of
from shuke.loyalty.actions.partner_cards.refusals import CardRefused
from shuke.loyalty.models import CardProgramme, CardStatement
from shuke.loyalty.queries import card_statements as papers
from shuke.loyalty.queries import partner_cards as stored
from shuke.loyalty.queries.settlement import instant, text
from shuke.shops.models import Merchant

FORMAT = "shuke-card-statement-1"


class Closed(NamedTuple):
    """A closed statement. `replayed`: it had been closed before."""

    statement: CardStatement
    replayed: bool


def close(*, merchant: Merchant, programme: str, until: datetime, now: datetime, actor: str) -> Closed:
    """Close everything that was posted before `until` and is in no statement yet. Raises CardRefused."""
    one = programme_of(merchant, programme)
    if until > now:
        raise CardRefused("not_over", day=day_of(until, merchant.tz).isoformat())
    with transaction.atomic():
        CardProgramme.objects.select_for_update(no_key=True).get(pk=one.pk)
        told = stored.statements(one)
        again = next((s for s in told if s.until == until), None)
        if again is not None:
            return Closed(again, True)
        last = told[0] if told else None
        if last is not None and until <= last.until:
            raise CardRefused("closed_later", day=day_of(last.until, merchant.tz).isoformat())
        return Closed(_close(one, last, until, now, actor), False)


def _close(one: CardProgramme, last: CardStatement | None, until: datetime, now: datetime, actor: str) -> CardStatement:
    pk = ids.new()
    # The statement goes in whole, when what it is made of is known: its rows are marked by its id first. The foreign key
    # is looked at when the transaction ends.
    bulk.execute(
        "UPDATE loyalty_card_move SET statement_id = %s "
        "WHERE merchant_id = %s AND programme_id = %s AND statement_id IS NULL AND at < %s",
        [pk, one.merchant_id, one.pk, bulk.moment()(until)],
    )
    made = statement(papers.moved(one.merchant_id, pk), last.document["carry_micro"] if last else 0)
    number = last.number + 1 if last else 1
    document = _document(one, made, last, number, pk, until)
    previous = bytes(last.digest) if last else b"\0" * 32
    row = CardStatement(
        pk=pk, merchant_id=one.merchant_id, programme=one, number=number, until=until, due_minor=made.due, document=document,
        digest=hashlib.sha256(previous + text(document)).digest(), closed_at=now, closed_by=actor,
    )  # fmt: skip
    CardStatement.objects.bulk_create([row])
    note(one.merchant, "card.statement.closed", f"programme {one.pk}", now, actor)
    return row


def _document(
    one: CardProgramme, made: Statement, last: CardStatement | None, number: int, pk: int, until: datetime
) -> dict[str, Any]:
    count, sha = papers.movements_digest(one.merchant_id, pk)
    return {
        "format": FORMAT,
        "programme": {"key": one.key, "name": one.name, "issuer": one.issuer},
        "merchant": {"id": str(one.merchant_id), "name": one.merchant.name},
        "statement": number,
        "since": instant(last.until) if last else "",
        "until": instant(until),
        "currency": one.merchant.currency,
        "lines": [_line(moved, minor) for moved, minor in made.lines],
        "due_minor": made.due,
        "carried_micro": last.document["carry_micro"] if last else 0,
        "carry_micro": made.carry_micro,
        "movements": count,
        "movements_sha256": sha,
        "previous": (bytes(last.digest) if last else b"\0" * 32).hex(),
    }


def _line(moved: Moved, minor: int) -> dict[str, Any]:
    return {
        "kind": moved.kind, "month": f"{moved.month // 12:04d}-{moved.month % 12 + 1:02d}" if moved.month else "", "price_micro": moved.price_micro,
        "movements": moved.movements, "points": moved.points, "minor": minor,
    }  # fmt: skip
