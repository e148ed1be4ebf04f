"""A member's statement for any time: on the screen, on paper, as CSV."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from shuke.connect.exporters import bookkeeping
from shuke.doors.console import finance_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.flows.statement_words import Saying, statement_rows
from shuke.kit.clock import add_months, day_of, day_start
from shuke.loyalty.queries.statements import member_statement
from shuke.members.models import Member


@console()
@require_GET
def statement(request: StaffRequest, pk: int) -> HttpResponse:
    """Opening, every event with its reason, closing, and the lots that are then left."""
    who = Member.objects.filter(merchant=request.merchant, pk=pk).first()
    if who is None:
        raise Http404
    merchant = request.merchant
    today = day_of(request.now, merchant.tz)
    last = finance_pages.day_of(request.GET.get("to", ""), today, latest=today)
    usual = add_months(last, -12) + timedelta(days=1)
    first = finance_pages.day_of(request.GET.get("from", ""), usual, latest=last)
    told = member_statement(
        merchant, pk, day_start(first, merchant.tz), day_start(last + timedelta(days=1), merchant.tz)
    )
    saying = Saying(merchant, words.language())
    if request.GET.get("file") == "csv":
        header, rows = statement_rows(told, saying)
        answer = HttpResponse(bookkeeping.csv_bytes(header, rows), content_type=finance_pages.TYPES["csv"])
        answer["Content-Disposition"] = f'attachment; filename="shuke-statement-{who.card}-{first}-{last}.csv"'
        return answer
    context = {
        "who": who,
        "title": who.name or who.nickname or who.card,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "today": today.isoformat(),
        "told": told,
        "lines": [(saying.minute(x.at), saying.kind(x), saying.about(x), saying.why(x), x.amount, x.balance) for x in told.lines],
        "lots": [(saying.day(x.earned_at), saying.lot(x), x.granted, x.left, saying.last_day(x)) for x in told.lots],
    }  # fmt: skip
    return render(request, "console/statement.html", context)
