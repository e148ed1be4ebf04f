"""A draft comes into force on a day, after a second look; a version that has not begun is taken back."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views.drafts import (
    changes_of,
    draft_of,
    may,
    or_closed,
    read_draft,
    section_of,
    tongue,
    warnings_of,
)
from shuke.engine.charter import document
from shuke.flows import publish_charter
from shuke.kit import clock
from shuke.loyalty.actions import CharterRefused, drafts
from shuke.loyalty.queries import charters


@console()
@require_http_methods(["GET", "HEAD", "POST"])
@or_closed
def publish(request: StaffRequest, draft_id: int) -> HttpResponse:
    """The second look: what changes, from which day, for whom; the POST that says so publishes it."""
    draft = draft_of(request, draft_id)
    language = tongue()
    raw, unreadable = read_draft(draft.text, language)
    problems = unreadable or publish_charter.problems(request.merchant, raw, language)
    today = clock.day_of(request.now, request.merchant.tz)
    told = request.POST.get("day") or (today.isoformat() if request.method == "POST" else "")
    history = charters.history(request.merchant)
    seen = request.POST.get("upon", "")
    context: dict[str, Any] = {
        "draft": draft,
        "upon": max((row.version for row in history), default=0),
        "problems": [p._asdict() | {"part": section_of(p.where)} for p in problems],
        "warnings": warnings_of(request, raw, unreadable, language),
        "changes": changes_of(request, raw, problems, language),
        "history": history,
        "today": today.isoformat(),
        "day": told,
        "note": request.POST.get("note", ""),
    }
    if request.method != "POST" or problems:
        return render(request, "console/charter_publish.html", context, status=422 if request.method == "POST" else 200)
    try:
        day = date.fromisoformat(told)
    except ValueError:
        messages.error(request, _("Choose a day."))
        return render(request, "console/charter_publish.html", context, status=422)
    since = (
        max(request.now, datetime.combine(day, time.min, tzinfo=request.merchant.tz))
        if day == today
        else clock.day_start(day, request.merchant.tz)
    )
    if request.POST.get("sure") != "yes" or request.POST.get("revision") != str(draft.revision):
        messages.warning(request, _("Look at the changes once more, tick the box, and publish then."))
        return render(request, "console/charter_publish.html", context, status=422)
    try:
        row = publish_charter.publish(
            merchant=request.merchant,
            charter=document.from_plain(raw),
            effective_from=since,
            now=request.now,
            actor=request.staff.username,
            note=request.POST.get("note", "").strip()[:200],
            draft=draft,
            upon=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else None,
            address=request.META.get("REMOTE_ADDR", ""),
        )
    except CharterRefused as error:
        messages.error(request, error.say(tongue()))
        return render(request, "console/charter_publish.html", context, status=422)
    except drafts.DraftChanged:
        messages.warning(request, _("Somebody changed this draft meanwhile. Look at it again before you publish it."))
        return redirect("console:charter-draft", draft.pk)
    messages.success(
        request,
        _("Version %(n)s comes into force on %(day)s.")
        % {"n": row.version, "day": f"{row.effective_from.astimezone(request.merchant.tz):%Y-%m-%d %H:%M}"},
    )
    return redirect(f"{reverse('console:charter')}?version={row.version}")


@console()
@require_POST
def withdraw(request: StaffRequest, version: int) -> HttpResponse:
    """Take a version back that is not in force yet."""
    may(request)
    row = request.POST.get("row", "")
    try:
        draft = publish_charter.withdraw(
            merchant=request.merchant,
            version=version,
            now=request.now,
            actor=request.staff.username,
            address=request.META.get("REMOTE_ADDR", ""),
            row_id=int(row) if row.isascii() and row.isdigit() and len(row) < 20 else None,
        )
    except CharterRefused as error:
        if error.code == "no_such_version" and not row:
            raise Http404 from error
        messages.error(request, error.say(tongue()))
        return redirect("console:charter")
    messages.success(request, _("Version %(n)s is withdrawn; it is kept as this draft.") % {"n": version})
    return redirect("console:charter-draft", draft.pk)
