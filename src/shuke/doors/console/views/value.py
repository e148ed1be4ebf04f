"""Value: what members will probably buy and spend, and how good that is; each figure opens to the members behind it."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shuke.doors.console import figure_table, value_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.insight.queries import value_told
from shuke.insight.queries.value import GOOD, QUIET
from shuke.shops import queries as shops


@console()
@require_GET
def value(request: StaffRequest) -> HttpResponse:
    """Totals with their bands, who will buy, by layer and band, and those of whom most is expected."""
    _needs_insight(request)
    told = value_told.told(request.merchant, words.language(), now=request.now)
    if told is None:
        return render(request, "console/insight_empty.html", {"tab": "value"})
    tables = value_pages.tables(told) if told["bands"] else []
    if (file := figure_table.download(request, tables, "value")) is not None:
        return file
    likely = told["bands"]["30"]["likely"] if told["bands"] else 0
    context = {
        "tab": "value",
        "told": told,
        "as_of": datetime.fromisoformat(told["made_at"]),
        "tables": tables,
        "likely": likely,
        "likely_url": value_pages.members_url(("chance", "30-likely")),
        "quiet_url": value_pages.members_url(*(("layer", one) for one in GOOD), *(("stage", one) for one in QUIET)),
        "spend_band": value_pages.band(told["spend"]["low"], told["spend"]["high"], told["currency"]) if told["spend"] else "",
        "plain_url": value_pages.members_url(("bought", "year")),
    }  # fmt: skip
    return render(request, "console/insight_value.html", context)


@console()
@require_GET
def test(request: StaffRequest) -> HttpResponse:
    """How good is this: the tests on the shop's own past, in one sentence, two charts and their tables."""
    _needs_insight(request)
    told = value_told.tested(request.merchant, words.language(), now=request.now)
    if told is None:
        return render(request, "console/insight_empty.html", {"tab": "value-test"})
    tests, tables = told["tests"], []
    if tests:
        tables = [value_pages.methods(tests[0]), value_pages.deciles(tests[0])]
    chances = [one for one in told["chances"] if one["tested"]]
    tables += [value_pages.chance_table(one) for one in chances]
    if (file := figure_table.download(request, tables, "value-test")) is not None:
        return file
    light = {
        "green": _("The data carry this well."),
        "amber": _("The data carry this, with care."),
        "red": _("The data carry little."),
    }
    context = {
        "tab": "value-test",
        "told": told,
        "as_of": datetime.fromisoformat(told["made_at"]),
        "latest": tests[0] if tests else None,
        "earlier": tests[1] if len(tests) > 1 else None,
        "tables": tables,
        "deciles": value_pages.decile_chart(tests[0]) if tests else None,
        "chances": [
            {"told": one, "chart": value_pages.reliability_chart(one), "shown": one["model"] if one["shown"] == "model" else one["plain"]}
            for one in chances
        ],
        "badge": value_pages.badge_lines(told),
        "light_says": light[told["badge"]["light"]],
        "last_import": datetime.fromisoformat(told["last_import"]) if told["last_import"] else None,
    }  # fmt: skip
    return render(request, "console/insight_value_test.html", context)


def _needs_insight(request: StaffRequest) -> None:
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
