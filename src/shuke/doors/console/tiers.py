"""How tiers look: their names come from the charter in force, their colour from their rank."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language

from shuke.loyalty.models import PublishedCharter
from shuke.shops import queries as shops

SHADES = 5  # c-tier-0 … c-tier-4 in app.css


def look(request: HttpRequest, code: str) -> tuple[str, int]:
    """Name in the reader's language and shade of one tier; a tier the charter no longer has keeps its code."""
    known = every(request)
    return known.get(code, (code, 0))


def every(request: HttpRequest) -> dict[str, tuple[str, int]]:
    """code → (name, shade) of the charter in force, lowest first; read once per request."""
    found = getattr(request, "_tier_looks", None)
    if found is None:
        found = _read(request)
        request._tier_looks = found  # type: ignore[attr-defined]
    return found


def _read(request: HttpRequest) -> dict[str, tuple[str, int]]:
    merchant = request.user.merchant  # type: ignore[union-attr]
    document = (
        PublishedCharter.objects.filter(merchant=merchant, effective_from__lte=shops.now(merchant))
        .order_by("-effective_from")
        .values_list("document", flat=True)
        .first()
    )
    tiers: list[dict[str, Any]] = document.get("tiers", []) if document else []
    chinese = (get_language() or "").startswith("zh")
    last = max(len(tiers) - 1, 1)
    return {
        tier["key"]: (
            tier["name"]["zh" if chinese else "en"],
            rank if len(tiers) <= SHADES else round(rank * (SHADES - 1) / last),
        )
        for rank, tier in enumerate(tiers)
    }
