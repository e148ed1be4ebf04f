"""Co-branded cards in the console: programmes and terms, spend files looked at and taken, cards that wait, what is owed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from shuke.connect.importers.partner_card import FIELDS, is_clear
from shuke.doors.console import card_pages, finance_pages, uploads, words
from shuke.doors.console.access import StaffRequest, console
from shuke.flows import partner_card as flow
from shuke.kit import clock
from shuke.kit.tabular import TabularError
from shuke.loyalty.actions import partner_cards as cards
from shuke.loyalty.actions.partner_cards import CardRefused
from shuke.loyalty.models import CardFile, CardProgramme
from shuke.loyalty.queries import card_statements
from shuke.loyalty.queries import partner_cards as stored
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.shops.models import Role

SEES = (Role.OWNER, Role.MANAGER, Role.AUDITOR)
TAKES = (Role.OWNER, Role.MANAGER)
HOME = "console:finance-partner-cards"


@console(*SEES)
@require_http_methods(["GET", "POST"])
def home(request: StaffRequest) -> HttpResponse:
    """Programmes, files, what waits; a POST makes a programme or takes a file to be looked at."""
    if request.method == "POST":
        files = request.FILES.getlist("file")  # parses the request, on which the guard may refuse it
        if request.POST.get("do") == "make":
            return _make(request)
        _may(request, *TAKES)
        return _upload(request, files)
    bound, today = stored.bound(request.merchant), card_pages.today(request)
    return render(
        request,
        "console/partner_cards.html",
        {
            **_tabs(),
            "programmes": [
                {"one": one, "terms": card_pages.terms(request, stored.terms_now(one, today)), "cards": bound.get(one.pk, 0)}
                for one in stored.programmes(request.merchant)
            ],
            "files": [card_pages.file(request, one, tally) for one, tally in stored.files(request.merchant)],
            "waiting": stored.waiting_count(request.merchant),
            "may_take": request.staff.role in TAKES,
            "may_make": request.staff.role == Role.OWNER,
            "limit_mb": uploads.TAKES_FILES[HOME] >> 20,
            "today": today,
        },
    )  # fmt: skip


def _make(request: StaffRequest) -> HttpResponse:
    _may(request, Role.OWNER)
    key = request.POST.get("key", "").strip().lower()
    try:
        if stored.programme(request.merchant, key) is not None:
            raise CardRefused("programme_invalid", problem=key)
        told = card_pages.terms_told(request)
        cards.save_programme(**card_pages.programme_told(request, key))
        cards.set_terms(programme=key, terms=told, **_who(request))
    except CardRefused as error:
        return _sorry(request, error, redirect(HOME))
    messages.success(request, _("Saved. Now bind members' cards, and drop the partner's file here."))
    return redirect("console:finance-card-programme", key)


def _upload(request: StaffRequest, files: list[Any]) -> HttpResponse:
    key = request.POST.get("programme", "")
    file = next((one for one in files if isinstance(one, TemporaryUploadedFile)), None)
    if file is None:
        too_big = _("That is more than %(mb)s MB. Send the file in parts.") % {"mb": uploads.TAKES_FILES[HOME] >> 20}
        messages.error(request, too_big if getattr(request, "upload_refused", "") else _("Choose a file."))
        return redirect(HOME)
    path, name = Path(file.temporary_file_path()), file.name or ""
    try:
        kept = flow.keep(programme=key, path=path, name=name, **_who(request))
    except flow.NoColumns as error:
        return _ask_columns(request, key, path, error)
    except CardRefused as error:
        return _sorry(request, error, redirect(HOME))
    except TabularError as error:
        messages.error(request, flow.unreadable(error, words.language()))
        return redirect(HOME)
    if kept.state in ("done", "running"):
        messages.info(request, _("This very file was taken before; nothing was done."))
    return redirect("console:finance-card-file", kept.pk)


def _ask_columns(request: StaffRequest, key: str, path: Path, error: flow.NoColumns) -> HttpResponse:
    """Nothing of the file is kept: which column is what is said first, then it is sent again."""
    one = stored.programme(request.merchant, key)
    if one is None:
        raise Http404
    rows = flow.sample(request.merchant, path, error.layout)
    columns = [
        (header, [row[n] for row in rows if n < len(row)]) for n, header in enumerate(error.layout.header)
        if header.strip() and not is_clear(header)
    ]  # fmt: skip
    guess = {error.layout.header[place]: field for field, place in error.layout.places.items()}
    context = {
        **_tabs(),
        "programme": one,
        "why": error.say(words.language()),
        "columns": [{"header": header, "cells": cells, "field": guess.get(header, "")} for header, cells in columns],
        "fields": card_pages.fields(),
    }
    return render(request, "console/partner_card_columns.html", context, status=422)


@console(*SEES)
@require_http_methods(["GET", "POST"])
def programme(request: StaffRequest, key: str) -> HttpResponse:
    """One programme: its terms from when to when, what the partner owes, how its file is read."""
    one = stored.programme(request.merchant, key)
    if one is None:
        raise Http404
    if request.method == "POST":
        deed = DEEDS.get(request.POST.get("do", ""))
        if deed is None:
            raise Http404
        _may(request, Role.OWNER)
        try:
            deed(request, one)
        except CardRefused as error:
            return _sorry(request, error, redirect("console:finance-card-programme", key))
        return redirect("console:finance-card-programme", key)
    until = flow.month_end(request.merchant, request.now)
    context = {
        **_tabs(),
        "programme": one,
        "cards": stored.bound(request.merchant).get(one.pk, 0),
        "terms": [card_pages.terms(request, told) for told in reversed(stored.terms(one))],
        "statements": [card_pages.statement(request, made) for made in stored.statements(one)],
        "open": stored.open_points(one, until),
        "until": until,
        "columns": [(label, one.columns.get(field, "")) for field, label in card_pages.fields()],
        "may_make": request.staff.role == Role.OWNER,
        "next_month": card_pages.next_month(card_pages.today(request)),
    }
    return render(request, "console/partner_card_programme.html", context)


def _change(request: StaffRequest, one: CardProgramme) -> None:
    cards.save_programme(**card_pages.programme_told(request, one.key) | {"token_kind": one.token_kind})
    messages.success(request, _("Saved."))


def _terms(request: StaffRequest, one: CardProgramme) -> None:
    cards.set_terms(programme=one.key, terms=card_pages.terms_told(request), **_who(request))
    messages.success(request, _("Saved. The terms hold from their day on."))


def _columns(request: StaffRequest, one: CardProgramme) -> None:
    told: dict[str, str] = {}
    for n in range(200):
        field, header = request.POST.get(f"field-{n}", ""), request.POST.get(f"header-{n}", "")
        if field in FIELDS and header:
            told[field] = header
    cards.remember_columns(programme=one.key, columns=told, **_who(request))
    messages.success(request, _("The columns are remembered. Now send the file again."))


def _close(request: StaffRequest, one: CardProgramme) -> None:
    until = flow.month_end(request.merchant, request.now)
    done = cards.close(programme=one.key, until=until, **_who(request))
    messages.success(request, _("Statement %(number)s is closed.") % {"number": done.statement.number})


DEEDS: dict[str, Callable[[StaffRequest, CardProgramme], None]] = {
    "save": _change,
    "terms": _terms,
    "columns": _columns,
    "close": _close,
}


@console(*SEES)
@require_http_methods(["GET", "POST"])
def file(request: StaffRequest, pk: int) -> HttpResponse:
    """One file: what it would do, or what became of it."""
    one = _file(request, pk)
    if request.method == "POST":
        _may(request, *TAKES)
        return _file_deed(request, one)
    context: dict[str, Any] = {**_tabs(), "file": one, "may_take": request.staff.role in TAKES}
    if one.state == "waiting":
        try:
            seen = flow.preview_kept(one, request.now)
        except CardRefused as error:  # its rows were taken away by hand
            messages.warning(request, error.say(words.language()))
            seen = flow.Preview(stored.Tally(), [], 0)
        context |= {"tally": seen.tally, "parts": card_pages.parts(request, seen.rows)}
    else:
        tally = stored.tally(one)
        context |= {"tally": tally, "parts": card_pages.parts(request, card_pages.seen(one))}
    context |= {"counts": card_pages.counts(context["tally"]), "shown": card_pages.file(request, one, context["tally"])}
    return render(request, "console/partner_card_file.html", context)


def _file_deed(request: StaffRequest, one: CardFile) -> HttpResponse:
    here = redirect("console:finance-card-file", one.pk)
    do = request.POST.get("do")
    try:
        if do == "take":
            if one.state == "waiting" and flow.rows_kept(one) > flow.WHILE_ASKED:
                flow.take_later(file=one, actor=request.staff.username, now=clock.utc_now())
                messages.info(request, _("A large file: the worker takes it. You can leave this page meanwhile."))
                return here
            done = flow.take_kept(file_id=one.pk, **_who(request))
            messages.success(request, card_pages.told(done.tally))
        elif do == "discard":
            flow.discard(merchant=request.merchant, file_id=one.pk)
            messages.success(request, _("The file is forgotten; nothing was written."))
            return redirect(HOME)
        elif do == "undo":
            count = cards.undo_file(file_id=one.pk, **_who(request))
            messages.success(request, _("Taken back: %(n)s rows.") % {"n": f"{count:,}"})
        else:
            raise Http404
    except CardRefused as error:
        return _sorry(request, error, here)
    return here


@console(*SEES)
@require_GET
def rejects(request: StaffRequest, pk: int) -> HttpResponse:
    """The rejected rows with row, column and reason: corrected, they can be sent as they are."""
    one = _file(request, pk)
    out = io.StringIO()
    csv.writer(out).writerows(flow.rejects(one, words.language()))
    name = f"{Path(one.name).stem or 'rows'}-rejected.csv"
    return card_pages.download(("﻿" + out.getvalue()).encode(), name, "text/csv; charset=utf-8")


@console(*SEES)
@require_http_methods(["GET", "POST"])
def waiting(request: StaffRequest) -> HttpResponse:
    """Cards that nobody has bound, or that could be several members'; somebody says whose they are."""
    if request.method == "POST":
        _may(request, *TAKES)
        return _match(request)
    found = stored.waiting(request.merchant)
    names = {one.pk: one for one in Member.objects.filter(merchant=request.merchant, pk__in={pk for x in found for pk in x.members})}  # fmt: skip
    context = {
        **_tabs(),
        "found": [
            {"one": one, "members": [names[pk] for pk in one.members if pk in names]} for one in found
        ],
        "may_take": request.staff.role in TAKES,
    }  # fmt: skip
    return render(request, "console/partner_card_waiting.html", context)


def _match(request: StaffRequest) -> HttpResponse:
    here = redirect("console:finance-card-waiting")
    asked = request.POST.get("member", "").strip()
    try:
        who = members.member_of(request.merchant.pk, asked)
    except members.NoSuchMember:
        hits = members.find(request.merchant, asked, 6) if asked else []
        if len(hits) != 1:
            several = _("Several members fit “%(asked)s”: give the membership card's number.") % {"asked": asked}
            messages.warning(request, several if hits else _("No member fits “%(asked)s”.") % {"asked": asked or "–"})
            return here
        who = members.member_of(request.merchant.pk, hits[0].member_id)
    number = request.POST.get("number", "")
    try:
        card, count = cards.match(
            line_id=int(number) if number.isdecimal() and len(number) < 20 else 0, member_id=who.pk, **_who(request)
        )
    except CardRefused as error:
        return _sorry(request, error, here)
    told = {"who": str(who), "end": card.shown, "n": f"{count:,}"}
    messages.success(request, _("Card ···%(end)s is %(who)s's; %(n)s waiting rows are theirs.") % told)
    return here


@console(*SEES)
@require_GET
def paper(request: StaffRequest, key: str, number: int, kind: str) -> HttpResponse:
    """A statement or its movements; the same bytes whenever it is asked for."""
    one = stored.programme(request.merchant, key)
    found = stored.statement(one, number) if one is not None else None
    if found is None or kind not in ("json", "csv"):
        raise Http404
    name, data = next(item for item in card_statements.files(found).items() if item[0].endswith(kind))
    return card_pages.download(data, name, "application/json" if kind == "json" else "text/csv; charset=utf-8")


@console(Role.OWNER, Role.MANAGER, Role.SPECIALIST, Role.ASSISTANT)
@require_http_methods(["GET", "POST"])
def of_member(request: StaffRequest, pk: int) -> HttpResponse:
    """A member's co-branded cards: bind one by its token, take one out."""
    who = Member.objects.filter(merchant=request.merchant, pk=pk).first()
    if who is None:
        raise Http404
    if request.method == "POST":
        try:
            _member_deed(request, who)
        except CardRefused as error:
            messages.warning(request, error.say(words.language()))
        return redirect("console:member-partner-cards", pk)
    context = {
        "who": who,
        "title": str(who),
        "cards": stored.cards(request.merchant, pk),
        "programmes": stored.programmes(request.merchant),
        "today": card_pages.today(request),
    }
    return render(request, "console/member_partner_cards.html", context)


def _member_deed(request: StaffRequest, who: Member) -> None:
    do, today = request.POST.get("do"), card_pages.today(request)
    if do == "bind":
        since: date = card_pages.day(request, "since") or today
        card = cards.bind(
            programme=request.POST.get("programme", ""), member_id=who.pk, token=request.POST.get("token", "")[:200],
            since=since, **_who(request),
        )  # fmt: skip
        messages.success(request, _("Card ···%(end)s earns from %(day)s on.") % {"end": card.shown, "day": card.since})
    elif do == "unbind":
        number = request.POST.get("number", "")
        card_id = int(number) if number.isdecimal() and len(number) < 20 else 0
        cards.unbind(member_id=who.pk, card_id=card_id, on=today, **_who(request))
        messages.success(request, _("The card earns no more."))
    else:
        raise Http404


# ---- together -----------------------------------------------------------------------------------------------------


def _tabs() -> dict[str, Any]:
    return {"tab": "partner-cards", "tabs": finance_pages.TABS}


def _who(request: StaffRequest) -> dict[str, Any]:
    return {"merchant": request.merchant, "now": request.now, "actor": request.staff.username}


def _may(request: StaffRequest, *roles: Role) -> None:
    if request.staff.role not in roles:
        raise PermissionDenied


def _file(request: StaffRequest, pk: int) -> CardFile:
    one = stored.file(request.merchant, pk)
    if one is None:
        raise Http404
    return one


def _sorry(request: StaffRequest, error: CardRefused, answer: HttpResponse) -> HttpResponse:
    messages.warning(request, error.say(words.language()))
    return answer
