"""What the search box of the top bar shows while somebody types."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from shuke.doors.console import finding
from shuke.doors.console.access import StaffRequest, console

SHOWN = 8


@console()
@require_GET
def hits(request: StaffRequest) -> HttpResponse:
    """The closest few, digits that were typed standing open; without htmx the full list answers."""
    text = request.GET.get("q", "").strip()
    every = f"{reverse('console:members')}?{urlencode({'q': text})}"
    if not request.htmx:
        return redirect(every if text else "console:members")
    found = finding.closest(request.merchant, text, SHOWN + 1)
    context = {"text": text, "hits": found[:SHOWN], "more": len(found) > SHOWN, "every": every}
    return render(request, "console/search_hits.html", context)
