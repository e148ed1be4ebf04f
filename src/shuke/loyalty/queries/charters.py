"""Which charter was in force when."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.simulation.share import Version
from shuke.kit import bulk, once
from shuke.loyalty.models import CharterDraft, PublishedCharter
from shuke.shops.models import Merchant


class NoCharter(LookupError):
    """The merchant has published no charter yet."""


def versions(merchant: Merchant) -> Versions:
    """All published versions, ready to compute with. Raises NoCharter."""
    sql = "SELECT id, effective_from, version FROM loyalty_charter WHERE merchant_id = %s ORDER BY effective_from"
    return read_versions(merchant, once.read(("charters", merchant.pk), lambda: bulk.select(sql, [merchant.pk])))


def read_versions(merchant: Merchant, rows: list[tuple]) -> Versions:
    if not rows:
        raise NoCharter(
            f"{merchant.name} has no charter in force. Publish one: shuke charter publish FILE (or --ready general)."
        )
    return _compiled(merchant.pk, merchant.zone, tuple(rows))


@lru_cache(maxsize=512)
def _compiled(merchant_id: int, zone: str, rows: tuple[tuple[int, Any, int], ...]) -> Versions:
    documents = dict(PublishedCharter.objects.filter(merchant_id=merchant_id).values_list("id", "document"))
    begun = [(bulk.read_moment(since), pk, n) for pk, since, n in rows]
    return Versions(
        [
            (since, Terms(document.published(documents[pk]), ZoneInfo(zone), n))
            for since, pk, n in begun
            if since is not None
        ]
    )


def history(merchant: Merchant) -> list[PublishedCharter]:
    """Published versions, newest first."""
    return list(PublishedCharter.objects.filter(merchant=merchant).order_by("-effective_from"))


def published(merchant: Merchant) -> list[Version]:
    """All versions as the simulation takes them, oldest first."""
    rows = PublishedCharter.objects.filter(merchant=merchant).order_by("effective_from")
    return [Version(since, n, plain) for since, n, plain in rows.values_list("effective_from", "version", "document")]


def in_force(merchant: Merchant, now: datetime) -> Terms:
    """The version that counts at `now`. Raises NoCharter."""
    return versions(merchant).at(now)


def document_in_force(merchant: Merchant, now: datetime) -> document.Charter | None:
    """The charter that counts at `now`, for its names; None where there is none."""
    try:
        return in_force(merchant, now).charter
    except NoCharter:
        return None


def drafts(merchant: Merchant) -> list[CharterDraft]:
    """Charters in the making, the latest saved first."""
    return list(
        CharterDraft.objects.filter(merchant=merchant, state=CharterDraft.State.OPEN).order_by("-saved_at", "-id")
    )


def draft(merchant: Merchant, draft_id: int) -> CharterDraft | None:
    return CharterDraft.objects.filter(merchant=merchant, pk=draft_id).first()
