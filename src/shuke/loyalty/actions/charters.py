"""Publishing a charter version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from shuke.engine.charter import document
from shuke.loyalty.models import PublishedCharter
from shuke.shops.models import Merchant


class CharterRefused(ValueError):
    """This charter cannot be published as asked; the message says why and what to do."""


@transaction.atomic
def publish_charter(
    *,
    merchant: Merchant,
    charter: document.Charter | dict[str, Any],
    effective_from: datetime,
    now: datetime,
    actor: str,
    note: str = "",
) -> PublishedCharter:
    """A new version, in force from `effective_from` on. Raises CharterInvalid or CharterRefused.

    The first version may begin in the past, so that an imported history is settled by it. A later one may not begin
    before `now`: what members were told they earned is not rewritten.
    """
    if isinstance(charter, dict):
        charter = document.from_plain(charter)
    Merchant.objects.select_for_update().get(pk=merchant.pk)  # one publication at a time
    if charter.currency != merchant.currency:
        raise CharterRefused(
            f"The charter counts in {charter.currency}, but {merchant.name} sells in {merchant.currency}. "
            "Change `currency` in the charter."
        )
    last = PublishedCharter.objects.filter(merchant=merchant).order_by("-version").first()
    if last is not None:
        if effective_from < now:
            raise CharterRefused(
                f"Version {last.version} is in force; a new version cannot begin in the past ({effective_from:%Y-%m-%d %H:%M} "
                f"UTC). Choose a date from today on."
            )
        if effective_from <= last.effective_from:
            raise CharterRefused(
                f"Version {last.version} begins on {last.effective_from:%Y-%m-%d %H:%M} UTC; the next one must begin later."
            )
    return PublishedCharter.objects.create(
        merchant=merchant,
        version=1 if last is None else last.version + 1,
        effective_from=effective_from,
        document=document.to_plain(charter),
        published_at=now,
        published_by=actor,
        note=note,
    )
