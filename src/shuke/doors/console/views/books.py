"""Are the books right? What was found when Shuke last looked, in words, and what to do."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from shuke.doors.console import finance_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views.finance import needs_insight
from shuke.loyalty.models import Verification
from shuke.loyalty.queries import last_verification
from shuke.loyalty.queries.book_words import say

# What is behind an invariant, by its code: the words, and what usually is the matter.
SEALED = ("I13", "I17", "S11", "S12")
FOLDED = ("I10", "I11", "S13")
ABOUT = {
    "sealed": (
        gettext_lazy("What was booked has been changed, or its protection is missing"),
        gettext_lazy("Somebody with access to the database has changed rows or taken a trigger away. Find out who had access."),
    ),
    "folded": (
        gettext_lazy("Points or stored value are not what orders, requests and the charter give"),
        gettext_lazy("Somebody has changed figures in the database, or the program has a fault: send the rows below to its makers."),
    ),
    "pool": (
        gettext_lazy("Statements of the coalition or of a card partner do not agree with the books"),
        gettext_lazy("Send no statement to a partner until this is cleared up."),
    ),
    "draws": (
        gettext_lazy("The tickets of a lucky draw do not agree with what was promised"),
        gettext_lazy("Hand out no prize of this draw until this is cleared up."),
    ),
    "sums": (
        gettext_lazy("Balances and what was booked do not add up"),
        gettext_lazy("Somebody has changed figures in the database, or the program has a fault: send the rows below to its makers."),
    ),
}  # fmt: skip


def health(request: StaffRequest) -> dict[str, Any]:
    """One line for the finance pages: when somebody last looked, and whether the books were right."""
    return {"last": last_verification(request.merchant), "whole": last_verification(request.merchant, whole=True)}


@console()
@require_GET
def books(request: StaffRequest) -> HttpResponse:
    """The last look at the books, what it found by kind, and what to do about it."""
    needs_insight(request)
    seen = health(request)
    last: Verification | None = seen["last"]
    kinds: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for code, row, problem in last.findings if last is not None else []:
        kinds[_kind(code)].append((code, say(row, words.language()), say(problem, words.language())))
    groups = [(*ABOUT[kind], kinds[kind]) for kind in ABOUT if kind in kinds]
    shown = sum(len(rows) for rows in kinds.values())
    context = seen | {"groups": groups, "more": (last.count - shown) if last else 0, "tabs": finance_pages.TABS}
    return render(request, "console/finance_books.html", context | {"title": _("Are the books right?")})


def _kind(code: str) -> str:
    if code in SEALED:
        return "sealed"
    if code in FOLDED:
        return "folded"
    return "pool" if code == "I16" else "draws" if code.startswith("D") else "sums"
