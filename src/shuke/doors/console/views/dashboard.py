"""The owner's first page: who the members are, how they are graded, what they hold, how they buy."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext

from shuke.doors.console import board, tiers, words
from shuke.doors.console.access import StaffRequest, console
from shuke.insight.queries import directory
from shuke.insight.queries import figures as insight
from shuke.insight.queries.filters import Filters
from shuke.loyalty.queries import deciding, expiring
from shuke.loyalty.queries.liability import Liability, liability
from shuke.loyalty.queries.member import tier_counts
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

KEPT_SECONDS = 600


@console()
def dashboard(request: StaffRequest) -> HttpResponse:
    """Reads the stored snapshot; shows what to do first where there is none yet."""
    if not shops.may(request.staff, "insight"):
        return redirect("console:members")  # the first page of somebody who serves at the counter
    waits = _waits(request)
    figures = insight.latest(request.merchant)
    if figures is None or not figures["kpi"]["members"]:
        waiting = figures is None and directory.count(request.merchant, Filters(), now=request.now) > 0
        return render(request, "console/dashboard_empty.html", {"waiting": waiting, "waits": waits})
    day = date.fromisoformat(figures["as_of"])
    owed, held, holders = books(figures, request.merchant, request.now)
    context: dict[str, Any] = {
        "as_of": datetime.fromisoformat(figures["made_at"]),
        "day": figures["as_of"],
        "waits": waits,
        "tiles": board.tiles(figures),
        "pyramid": board.pyramid(figures),
        "rfm": board.rfm(figures),
        "lifecycle": board.lifecycle(figures),
        "months": board.months(figures),
        "stores": board.stores(figures),
        "liability": board.liability(owed, request.merchant, holders),
        "movement": board.movement(_moved(request.merchant, day), day - timedelta(days=board.MOVED_DAYS), day),
        "moved_definition": words.definition("movement", figures),
        "grades": board.grades(held, tiers.every(request)),
    }
    return render(request, "console/dashboard.html", context)


def _waits(request: StaffRequest) -> list[tuple[str, str]]:
    """What waits for this person to decide: a sentence, and the page where it is done."""
    found, may = [], {what: shops.may(request.staff, what) for what in ("adjust", "members")}
    counted = deciding.waiting(request.merchant) if any(may.values()) else {}
    if may["adjust"] and (n := counted.get("points")):
        said = ngettext(
            "%(n)s change of points by hand waits for a second person.",
            "%(n)s changes of points by hand wait for a second person.",
            n,
        )
        found.append((said % {"n": n}, reverse("console:corrections")))
    if may["adjust"] and (n := counted.get("stored")):
        said = ngettext(
            "%(n)s correction of stored value waits for a second person.",
            "%(n)s corrections of stored value wait for a second person.",
            n,
        )
        found.append((said % {"n": n}, reverse("console:stored")))
    if may["members"] and (n := counted.get("friends")):
        said = ngettext("%(n)s friend is held until somebody looks.", "%(n)s friends are held until somebody looks.", n)
        found.append((said % {"n": n}, reverse("console:reward-referrals")))
    return found


def books(
    figures: insight.Figures | None, merchant: Merchant, now: datetime
) -> tuple[Liability, dict[str, int], dict[str, int]]:
    """Liability, grades, and holders by month: as the snapshot has them, else added up now (at most every ten minutes)."""
    kept = figures and figures.get("books")
    if kept:
        told = {name: kept[name] for name in Liability._fields}
        return Liability(**told | {"now": datetime.fromisoformat(kept["now"])}), kept["tiers"], kept.get("holders", {})
    key = f"console:books:{merchant.pk}:{merchant.clock_shift}"
    found = cache.get(key)
    if found is None:
        owed = liability(merchant, now)
        lapsing = expiring.holders(merchant, [month for month, _points, _money in owed.by_month], now)
        found = owed, tier_counts(merchant), lapsing
        cache.set(key, found, KEPT_SECONDS)
    return found


def _moved(merchant: Merchant, day: date) -> dict[str, list[insight.Flow]]:
    """Movement of the last 30 days. It changes with the snapshot only, so it is read once for each."""
    key = f"console:moved:{merchant.pk}:{day}"
    found = cache.get(key)
    if found is None:
        since = day - timedelta(days=board.MOVED_DAYS)
        found = {
            what: insight.movement(merchant, what=what, since=since, until=day) for what in ("stage", "layer", "rfm")
        }
        cache.set(key, found, KEPT_SECONDS)
    return found
