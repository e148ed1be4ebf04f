"""Finance: what gifts, benefits, coupons, draws and bonus cost; every figure opens to what is behind it."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shuke.doors.console import finance_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.finance import tables
from shuke.flows import costs_report
from shuke.kit.clock import day_of
from shuke.loyalty.queries import costs as stored
from shuke.members import queries as members
from shuke.shops import queries as shops

SPAN = timedelta(days=364)


@console()
@require_GET
def costs(request: StaffRequest) -> HttpResponse:
    """What each programme cost in a time; chosen by kind, programme or member, also row by row."""
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
    merchant = request.merchant
    today = day_of(request.now, merchant.tz)
    last = finance_pages.day_of(request.GET.get("to", ""), today, latest=today)
    first = min(finance_pages.day_of(request.GET.get("from", ""), last - SPAN, latest=last), last)
    kind, programme = request.GET.get("kind", ""), request.GET.get("programme", "")[:80]
    kind = kind if kind in stored.KINDS else ""
    card, wrong, member_id = request.GET.get("member", "").strip()[:40], "", None
    if card:
        try:
            member_id = members.member_of(merchant.pk, card).pk
        except members.NoSuchMember:
            wrong = _("There is no member with this card.")
    chosen = bool(kind or programme or member_id)
    file = request.GET.get("file", "")
    most = (
        costs_report.MOST_LINES
        if file and request.GET.get("table") == "lines"
        else stored.LINES * (chosen or bool(file))
    )
    report = costs_report.costs_of(
        merchant, first, last, words.language(), kind=kind, programme=programme, member_id=member_id, lines=most
    )
    told = finance_pages.download(request, report, f"{first}-{last}")
    if told is not None:
        return told
    plain, currency = report.plain, merchant.currency
    language = "zh" if words.language().startswith("zh") else "en"
    return render(
        request,
        "console/finance_costs.html",
        {
            "tabs": finance_pages.TABS,
            "tab": "costs",
            "title": report.title,
            "told": report.told,
            "figures": finance_pages.figures(report, currency),
            "notes": report.notes,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "today": today.isoformat(),
            "kind": kind,
            "programme": programme,
            "member": card,
            "wrong": wrong,
            "chosen": chosen,
            "kinds": [(key, name.said(words.language())) for key, name in costs_report.KINDS.items()],
            "by_kind": [
                {
                    **row,
                    "name": costs_report.KINDS[row["kind"]].said(words.language()),
                    "net": row["cost_minor"] - row["received_minor"],
                }
                for row in plain["kinds"]
            ],
            "programmes": [
                {
                    **row,
                    "name": row["name"].get(language, row["programme"]),
                    "kind_name": costs_report.KINDS[row["kind"]].said(words.language()),
                    "net": row["cost_minor"] - row["received_minor"],
                }
                for row in plain["programmes"]
            ],
            "lines": [
                {
                    **row,
                    "day": row["at"].astimezone(merchant.tz),
                    "kind_name": costs_report.KINDS[row["kind"]].said(words.language()),
                    "cost": tables.shown(row["cost_minor"], "money", currency),
                }
                for row in plain["lines"]
            ],
        },
    )
