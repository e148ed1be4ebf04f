"""Why members come back, who is of quality and who is costly, and what was told of attitudes."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shuke.doors.console import figure_table, profit_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views.profit import needs_insight
from shuke.engine.insight import profit_words
from shuke.insight.queries import profit as told
from shuke.insight.queries.profit_inputs import TOLD, fields_kept
from shuke.members.actions import Definition, define_attributes
from shuke.shops import queries as shops

NUMBERS = ("recommend", "decision_days", "wallet_share")


@console()
@require_http_methods(["GET", "POST"])
def loyalty(request: StaffRequest) -> HttpResponse:
    """The types and qualities; a POST makes the fields in which what members say is kept."""
    needs_insight(request)
    if request.method == "POST":
        if not shops.may(request.staff, "adjust"):
            raise PermissionDenied
        missing = set(TOLD) - fields_kept(request.merchant)
        define_attributes(merchant=request.merchant, definitions=[_definition(key) for key in TOLD if key in missing])
        messages.success(request, _("The fields stand on every member's form now."))
        return redirect("console:insight-loyalty")
    found = told.report(request.merchant)
    if found is None:
        return render(
            request,
            "console/insight_empty.html",
            {"tab": "loyalty", "making": told.unreported(request.merchant, request.now)},
        )
    pages = profit_pages.Tables(request, found)
    price = pages.price()
    tables = [*pages.types(), *([price] if price else [])]
    if (file := figure_table.download(request, tables, "loyalty")) is not None:
        return file
    kept = fields_kept(request.merchant)
    context = {
        "tab": "loyalty",
        "told": found,
        "as_of": datetime.fromisoformat(found["made_at"]),
        "tables": tables,
        "no_promotions": price is None,
        "fields": [(words.said(label), key in kept) for key, label in profit_words.SAID_BY_HAND.items()],
        "missing": set(TOLD) - kept,
        "may_make": shops.may(request.staff, "adjust"),
    }
    return render(request, "console/insight_loyalty.html", context)


def _definition(key: str) -> Definition:
    label = profit_words.SAID_BY_HAND[key]
    kind = "number" if key in NUMBERS else "choice"
    options = {
        "competitors": (_("stays with us"), _("compares"), _("prefers others")),
        "tolerance": (_("forgives"), _("complains"), _("leaves")),
    }
    return Definition(key, kind, label.zh, label.en, options.get(key, ()))
