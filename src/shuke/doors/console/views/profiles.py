"""Profiles of groups of members, and the members behind each bar."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from shuke.doors.console import behind, finding, member_list, profile_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.insight import profile_words
from shuke.insight import actions
from shuke.insight.queries import figures, profile_traits
from shuke.insight.queries import profiles as told
from shuke.members.models import Member
from shuke.shops import queries as shops

AT_ONCE = 20_000  # members for whom the columns are made while the page waits; more are left to the worker


@console()
@require_GET
def profiles(request: StaffRequest) -> HttpResponse:
    """A group that was chosen, or any the member list can filter; without one the main group, the second and the others."""
    _needs_insight(request)
    if group := request.GET.get("group"):
        chosen = member_list.read(QueryDict(group)).filters.params()
        return redirect(_address(chosen))
    asked = member_list.read(request.GET)
    found = _found(request, asked)
    _made(request)
    one = told.profile(request.merchant, asked.filters, now=request.now, found=found)
    if one is None:
        return render(request, "console/insight_empty.html", {"tab": "profiles"})
    language, currency = words.language(), request.merchant.currency
    chosen_group = asked.filters.any
    overview = [] if chosen_group else told.overview(request.merchant, now=request.now)
    context: dict[str, Any] = {
        "tab": "profiles",
        "told": one,
        "as_of": one["as_of"],
        "asked": asked,
        "chosen": chosen_group,
        "chips": member_list.chips(request, asked),
        "choices": profile_pages.choices(request, asked),
        "sentences": profile_words.sentences(one, language, currency),
        "overview": [
            (profile_pages.group_name(layers), profile_words.sentences(group, language, currency), _address([("layer", layer) for layer in layers]))
            for layers, group in overview
        ],
        "topics": profile_pages.cards(one, asked, currency),
        "list_url": asked.url(),
    }  # fmt: skip
    return render(request, "console/insight_profiles.html", context)


@console()
@require_GET
def export(request: StaffRequest) -> HttpResponse:
    """The profile as a table."""
    _needs_insight(request)
    asked = member_list.read(request.GET)
    one = told.profile(request.merchant, asked.filters, now=request.now, found=_found(request, asked))
    if one is None:
        raise Http404
    out = StringIO()
    csv.writer(out).writerows(
        [[_plain(cell) for cell in row] for row in profile_pages.lines(one, request.merchant.currency)]
    )
    headers = {"Content-Disposition": f'attachment; filename="profile-{one["as_of"]}.csv"'}
    return HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


@console()
@require_http_methods(["GET", "POST"])
def members(request: StaffRequest) -> HttpResponseBase:
    """The members of the group on whom a bar falls."""
    _needs_insight(request)
    asked = member_list.read(request.GET)
    trait, option = request.GET.get("trait", ""), request.GET.get("option", "")
    found = _found(request, asked)
    one = told.profile(request.merchant, asked.filters, now=request.now, found=found)
    shown = next((t for t in one["traits"] if t["key"] == trait), None) if one else None
    if one is None or shown is None:
        raise Http404
    try:
        people = told.members_behind_bar(request.merchant, asked.filters, trait, option, now=request.now, found=found)
    except told.NoSuchTrait as error:
        raise Http404(str(error)) from error
    language = words.language()
    bar = next((b for b in shown["bars"] if b["option"] == option), None)
    name = (
        profile_words.option(shown, bar, language, request.merchant.currency)
        if bar
        else profile_words.unknown(language)
    )
    context = {
        "tab": "profiles",
        "title": f"{profile_words.trait(shown, language)}: {name}",
        "as_of": one["as_of"],
        "back": _address(asked.filters.params()),
    }
    return behind.page(
        request, people, member_of=lambda row: row.member, cell=lambda row: f"{row.share:.0%}", heading=_("Share"), context=context
    )  # fmt: skip


def _address(pairs: list[tuple[str, str]]) -> str:
    return reverse("console:insight-profiles") + (f"?{urlencode(pairs)}" if pairs else "")


def _found(request: StaffRequest, asked: member_list.Asked) -> list[int] | None:
    hits = finding.hits(request.merchant, asked.filters.text)
    return None if hits is None else list(hits)


def _made(request: StaffRequest) -> None:
    """A small shop need not wait for the worker."""
    day = figures.last_day(request.merchant)
    if day is None or not told.wanted(request.merchant, request.now):
        return
    if (
        profile_traits.day_of(request.merchant) is None
        and Member.objects.filter(merchant=request.merchant).count() <= AT_ONCE
    ):
        actions.profile_columns(merchant=request.merchant, day=day, now=request.now)


def _plain(text: str) -> str:
    """A spreadsheet must not take a text for a formula."""
    return f"'{text}" if text[:1] in "=+-@" else text


def _needs_insight(request: StaffRequest) -> None:
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
