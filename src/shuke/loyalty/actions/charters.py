"""Publishing a charter version, and taking it back while it is not in force yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from shuke.engine.charter import document
from shuke.loyalty.models import PublishedCharter, Txn
from shuke.shops.models import Merchant


class CharterRefused(ValueError):
    """This charter cannot be published as asked; the message says why and what to do, `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


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
            "other_currency",
            f"The charter counts in {charter.currency}, but {merchant.name} sells in {merchant.currency}. "
            "Change `currency` in the charter.",
        )
    last = PublishedCharter.objects.filter(merchant=merchant).order_by("-version").first()
    if last is not None:
        if effective_from < now:
            raise CharterRefused(
                "in_the_past",
                f"Version {last.version} is in force; a new version cannot begin in the past ({effective_from:%Y-%m-%d %H:%M} "
                f"UTC). Choose a date from today on.",
            )
        if effective_from <= last.effective_from:
            raise CharterRefused(
                "before_the_last",
                f"Version {last.version} begins on {last.effective_from:%Y-%m-%d %H:%M} UTC; the next one must begin later, "
                "or withdraw that version first.",
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


@transaction.atomic
def withdraw_charter(*, merchant: Merchant, version: int, now: datetime) -> PublishedCharter:
    """Take back the last version while it is not in force; what it said is in the answer. Raises CharterRefused.

    Its number is free again: nothing was ever explained by it, which is looked at here and not assumed.
    """
    Merchant.objects.select_for_update().get(pk=merchant.pk)
    last = PublishedCharter.objects.filter(merchant=merchant).order_by("-version").first()
    row = PublishedCharter.objects.filter(merchant=merchant, version=version).first()
    if row is None or last is None:
        raise CharterRefused("no_such_version", f"There is no version {version}.")
    if row.effective_from <= now:
        raise CharterRefused(
            "in_force",
            f"Version {version} is in force since {row.effective_from:%Y-%m-%d %H:%M} UTC and explains what members earned "
            "since. Publish another version instead.",
        )
    if row.version != last.version:
        raise CharterRefused("not_the_last", f"Version {last.version} comes after it; withdraw that one first.")
    if Txn.objects.filter(merchant=merchant, charter_version=version).exists():
        raise CharterRefused(
            "used", f"Version {version} explains postings dated after its beginning; it can no longer be withdrawn."
        )
    PublishedCharter.objects.filter(pk=row.pk).delete()
    return row
