"""Programmes with card partners, and what was agreed with them from a day on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from shuke.connect.importers.partner_card import FIELDS, KINDS, is_clear
from shuke.engine.partner_cards import terms as agreement
from shuke.engine.partner_cards.terms import BadTerms, Terms
from shuke.kit import audit
from shuke.loyalty.actions.partner_cards.refusals import CardRefused
from shuke.loyalty.models import CardLine, CardProgramme, CardTerms, PartnerCard
from shuke.loyalty.models.partner_card import LIVE
from shuke.loyalty.queries import partner_cards as stored
from shuke.members.queries.keys import span
from shuke.shops.models import Merchant


@transaction.atomic
def save_programme(
    *,
    merchant: Merchant,
    key: str,
    name: str,
    token_kind: str,
    issuer: str = "",
    columns: Mapping[str, str] | None = None,
    in_minor: bool = False,
    ends_on: date | None = None,
    now: datetime,
    actor: str,
) -> CardProgramme:
    """Make a programme or change it; `columns` None leaves them. How cards are told apart stays once there are cards. Raises
    CardRefused."""
    problem = ""
    if not key.replace("-", "").replace("_", "").isalnum() or not key.isascii() or len(key) > 40:
        problem = "key"
    elif not name.strip():
        problem = "name"
    elif token_kind not in KINDS:
        problem = "token"
    if problem:
        raise CardRefused("programme_invalid", problem=problem)
    told: dict[str, Any] = {
        "name": name.strip()[:60], "issuer": issuer.strip()[:60], "token_kind": token_kind, "in_minor": in_minor,
        "ends_on": ends_on,
    }  # fmt: skip
    if columns is not None:
        told["columns"] = _columns(columns)
    found = CardProgramme.objects.select_for_update(no_key=True).filter(merchant=merchant, key=key).first()
    if found is None:
        number = span().newest
        found = CardProgramme.objects.create(
            merchant=merchant, key=key, key_number=number, made_at=now, made_by=actor, **told
        )
    else:
        if found.token_kind != token_kind and PartnerCard.objects.filter(merchant=merchant, programme=found).exists():
            raise CardRefused("changed", key=key)
        last = last_spending(found)
        if ends_on is not None and last is not None and ends_on <= last and ends_on != found.ends_on:
            raise CardRefused("ends_early", day=last.isoformat())
        for field, value in told.items():
            setattr(found, field, value)
        found.save(update_fields=list(told))
    note(merchant, "card.programme", f"programme {found.pk}", now, actor)
    return found


def remember_columns(
    *, merchant: Merchant, programme: str, columns: Mapping[str, str], now: datetime, actor: str
) -> CardProgramme:
    """The partner's headers, where they are unusual. Raises CardRefused."""
    one = programme_of(merchant, programme)
    one.columns = _columns(columns)
    one.save(update_fields=["columns"])
    note(merchant, "card.columns", f"programme {one.pk}", now, actor)
    return one


def _columns(columns: Mapping[str, str]) -> dict[str, str]:
    unknown = [field for field in columns if field not in FIELDS]
    if unknown:
        raise CardRefused("programme_invalid", problem=", ".join(unknown))
    if any(is_clear(header) for header in columns.values()):  # a file without headers: what stands there is a row
        raise CardRefused("clear_number")
    return {field: header.strip()[:80] for field, header in columns.items() if header.strip()}


@transaction.atomic
def set_terms(*, merchant: Merchant, programme: str, terms: Terms, now: datetime, actor: str) -> CardTerms:
    """What holds from `terms.starts` on; terms that begin on the same day are replaced. Raises CardRefused."""
    one = programme_of(merchant, programme)
    CardProgramme.objects.select_for_update(no_key=True).get(pk=one.pk)
    try:
        agreement.check(terms)
    except BadTerms as error:
        raise CardRefused("terms_invalid", problem=error.problem) from error
    there = CardTerms.objects.filter(merchant=merchant, programme=one)
    if there.filter(starts_on__lt=terms.starts).exists() and terms.starts.day != 1:
        raise CardRefused("terms_month", day=terms.starts.isoformat())
    last = last_spending(one)
    if last is not None and terms.starts <= last:
        raise CardRefused("terms_late", day=last.isoformat())
    row, _ = CardTerms.objects.update_or_create(
        merchant=merchant,
        programme=one,
        starts_on=terms.starts,
        defaults={
            "points": terms.points,
            "per_minor": terms.per_minor,
            "price_micro": terms.price_micro,
            "month_most": terms.month_most,
            "rules": [[list(rule.categories), rule.points] for rule in terms.rules],
            "set_at": now,
            "set_by": actor,
        },
    )
    note(merchant, "card.terms", f"programme {one.pk}", now, actor)
    return row


def last_spending(one: CardProgramme) -> date | None:
    """The last day whose spending was taken."""
    mine = CardLine.objects.filter(merchant_id=one.merchant_id, programme=one, state__in=LIVE)
    return mine.aggregate(last=Max("spent_on"))["last"]


def programme_of(merchant: Merchant, key: str) -> CardProgramme:
    found = stored.programme(merchant, key)
    if found is None:
        raise CardRefused("no_such_programme", key=key)
    return found


def note(merchant: Merchant, verb: str, what: str, now: datetime, actor: str) -> None:
    audit.record(merchant_id=merchant.pk, at=now, actor=actor, verb=verb, object=what)
