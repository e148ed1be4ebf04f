"""How tiers look: their names come from the charter in force, their colour from their rank."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuke.insight.queries.filters import NOT_STATED
from shuke.loyalty.queries import charters
from shuke.shops import queries as shops

SHADES = 5  # c-tier-0 … c-tier-4 in app.css


def look(request: HttpRequest, code: str) -> tuple[str, int]:
    """Name in the reader's language and shade of one tier; one the charter no longer has is called as it last was. "-": none."""
    if code == NOT_STATED:
        return _("No tier"), 0
    return every(request).get(code) or (_before(request).get(code, code), 0)


def every(request: HttpRequest) -> dict[str, tuple[str, int]]:
    """code → (name, shade) of the charter in force, lowest first; read once per request."""
    found = getattr(request, "_tier_looks", None)
    if found is None:
        found = _read(request)
        request._tier_looks = found  # type: ignore[attr-defined]
    return found


def _before(request: HttpRequest) -> dict[str, str]:
    """code → name in all versions of the charter, the last of them counts; read once per request, where one is asked for."""
    found = getattr(request, "_tiers_before", None)
    if found is None:
        try:
            begun = charters.versions(request.user.merchant).begun  # type: ignore[union-attr]
        except charters.NoCharter:
            begun = ()
        told = [tier for _since, terms in begun for tier in terms.charter.tiers]
        found = request._tiers_before = {tier.key: getattr(tier.name, _language()) for tier in told}  # type: ignore[attr-defined]
    return found


def _language() -> str:
    return "zh" if (get_language() or "zh").startswith("zh") else "en"


def _read(request: HttpRequest) -> dict[str, tuple[str, int]]:
    merchant = request.user.merchant  # type: ignore[union-attr]
    try:
        tiers = charters.in_force(merchant, shops.now(merchant)).charter.tiers
    except charters.NoCharter:
        return {}
    return {tier.key: (getattr(tier.name, _language()), shade(rank, len(tiers))) for rank, tier in enumerate(tiers)}


def shade(rank: int, count: int) -> int:
    """The colour of a rank; more tiers than colours share them, lowest and highest keep their own."""
    return rank if count <= SHADES else round(rank * (SHADES - 1) / (count - 1))
