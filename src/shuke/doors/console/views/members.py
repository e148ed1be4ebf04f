"""The member list: filter, sort, page, choose columns, take the list out as a file."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from shuke.doors.console import behind, finding, member_list
from shuke.doors.console.access import StaffRequest, console
from shuke.flows import export_members as flow
from shuke.insight.queries.directory import count, directory, every_row
from shuke.kit import jobs, numbers
from shuke.members import actions as members_actions
from shuke.shops import queries as shops

TICKED_AT_MOST = 1_000  # more than a page shows; the rest is “all matching”
TAGGED_AT_MOST = 5_000  # while the page waits


@console()
@require_GET
def members(request: StaffRequest) -> HttpResponse:
    """The page, or only its list when htmx asks; either way the address says everything."""
    asked = member_list.read(request.GET)
    hits = finding.hits(request.merchant, asked.filters.text)
    page = directory(
        request.merchant,
        asked.filters,
        now=request.now,
        sort=asked.sort,
        number=asked.number,
        found=None if hits is None else list(hits),
    )
    shown = member_list.columns(request)
    context = {
        "asked": asked,
        "filters": asked.filters,
        "rows": member_list.table(request, page.rows, shown, asked, hits or {}),
        "place": member_list.pager(asked, page),
        "hidden": member_list.hidden(asked),
        "tabs": member_list.tabs(asked),
        "menus": member_list.menus(request, asked),
        "more": member_list.more_menus(request, asked),
        "chips": member_list.chips(request, asked),
        "heads": member_list.heads(asked, shown),
        "columns": shown,
        "column_choice": [(key, member_list.HEADINGS[key], key in shown) for key in member_list.CHOICE],
        "list_query": asked.query(),
        "may_export": shops.may(request.staff, "export"),
        "may_profile": shops.may(request.staff, "insight"),
        "may_reveal": shops.may(request.staff, "reveal"),
        "may_import": shops.may(request.staff, "import"),
        "may_record": shops.may(request.staff, "record"),
        "may_tick": shops.may(request.staff, "export") or shops.may(request.staff, "record"),
        "found_all": hits is not None and len(hits) >= finding.MOST,
    }
    fragment = request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request
    response = render(request, "console/members_list.html" if fragment else "console/members.html", context)
    if fragment:
        response["HX-Push-Url"] = asked.url(**({"page": page.number} if page.number > 1 else {}))
    return response


@console()
@require_POST
def columns(request: StaffRequest) -> HttpResponse:
    """Remember which columns this reader wants, for this session, and go back to the list."""
    chosen = [key for key in request.POST.getlist("column") if key in member_list.CHOICE]
    if request.POST.get("usual"):
        request.session.pop(member_list.COLUMNS_KEY, None)
    else:
        request.session[member_list.COLUMNS_KEY] = chosen
    return HttpResponseRedirect(_back(request))


@console()
@require_POST
def export(request: StaffRequest) -> HttpResponse | FileResponse:
    """Give the ticked members, or all of the list, out as a file; a long list becomes a job with a page of its own."""
    if not shops.may(request.staff, "export"):
        raise PermissionDenied
    asked = member_list.read(QueryDict(request.POST.get("list", "")))
    whole = request.POST.get("whole", "")
    form = whole or request.POST.get("form", "")
    if form not in flow.WRITERS:
        raise Http404
    only = None
    if not whole and not request.POST.get("all"):
        only = [pk for i in request.POST.getlist("ids")[:TICKED_AT_MOST] if (pk := numbers.whole(i)) is not None]
        if not only:
            messages.warning(request, _("Tick some members first, or export the whole list."))
            return HttpResponseRedirect(_back(request))
    shown = ["name", *member_list.columns(request)]
    if "card" not in shown:
        shown.insert(0, "card")
    hits = finding.hits(request.merchant, asked.filters.text)
    ready = flow.export_members(
        merchant=request.merchant,
        staff=request.staff,
        filters=asked.filters,
        columns=shown,
        headings=[str(member_list.HEADINGS[key]) for key in shown],
        words=behind.words_of(request),
        form=form,
        now=request.now,
        sort=asked.sort,
        found=None if hits is None else list(hits),
        only=only,
        clear=bool(request.POST.get("clear")) and shops.may(request.staff, "reveal"),
        address=request.META.get("REMOTE_ADDR", ""),
    )
    if ready.path is None:
        return redirect("console:member-export", ready.job_id)
    response = FileResponse(ready.path.open("rb"), as_attachment=True, filename=_filename(request, form))
    response["Cache-Control"] = "no-store"
    return response


@console()
@require_POST
def tag(request: StaffRequest) -> HttpResponse:
    """Put a tag on the ticked members, or on all of the list; each leaves a line on the member's timeline."""
    if not shops.may(request.staff, "record"):
        raise PermissionDenied
    asked = member_list.read(QueryDict(request.POST.get("list", "")))
    text = request.POST.get("tag", "").strip()
    hits = finding.hits(request.merchant, asked.filters.text)
    found = None if hits is None else list(hits)
    only = None
    if not request.POST.get("all"):
        only = [pk for i in request.POST.getlist("ids")[:TICKED_AT_MOST] if (pk := numbers.whole(i)) is not None]
    if not text:
        messages.warning(request, _("Write the tag first."))
    elif only == []:
        messages.warning(request, _("Tick some members first."))
    elif only is None and count(request.merchant, asked.filters, now=request.now, found=found) > TAGGED_AT_MOST:
        messages.warning(
            request, _("At most %(n)s members at once. Narrow the list first.") % {"n": f"{TAGGED_AT_MOST:,}"}
        )
    else:
        _tag(request, asked, text, found, only)
    return HttpResponseRedirect(_back(request))


def _tag(
    request: StaffRequest, asked: member_list.Asked, text: str, found: list[int] | None, only: list[int] | None
) -> None:
    changed = 0
    chunks = every_row(request.merchant, asked.filters, now=request.now, sort=asked.sort, found=found, only=only)
    try:
        with transaction.atomic():
            for rows in list(chunks):  # read before writing: the tag may be one of the filters
                changed += members_actions.add_tags(
                    merchant=request.merchant,
                    member_ids=[row.id for row in rows],
                    tags=[text],
                    now=request.now,
                    actor=request.staff.username,
                )
    except members_actions.BadProfile:
        messages.warning(request, _("A tag has 1 to 30 characters."))
        return
    member_list.forget_choices(request.merchant)
    said = ngettext("%(n)s member was tagged “%(tag)s”.", "%(n)s members were tagged “%(tag)s”.", changed)
    messages.success(request, said % {"n": f"{changed:,}", "tag": text})


@console()
@require_GET
def export_job(request: StaffRequest, job_id: int) -> HttpResponse | FileResponse:
    """How far a long export is; the file when it is done."""
    if not shops.may(request.staff, "export"):
        raise PermissionDenied
    job = jobs.find(job_id, merchant_id=request.merchant.id)
    if job is None or job.name != flow.JOB:
        raise Http404
    path = flow.file_of(request.merchant.id, job.id, job.arguments["form"])
    if job.state == "done" and request.GET.get("file"):
        if not path.exists():
            raise Http404
        name = _filename(request, job.arguments["form"])
        response = FileResponse(path.open("rb"), as_attachment=True, filename=name)
        response["Cache-Control"] = "no-store"
        return response
    context = {
        "job": job,
        "done": job.progress.get("done") or 0,
        "total": job.progress.get("total"),
        "gone": job.state == "done" and not path.exists(),
        "size": path.stat().st_size if path.exists() else 0,
    }
    return render(
        request, "console/members_export_state.html" if request.htmx else "console/members_export.html", context
    )


def _filename(request: StaffRequest, form: str) -> str:
    day = request.now.astimezone(request.merchant.tz)
    return f"{_('members')}-{day:%Y%m%d-%H%M}.{form}"


def _back(request: StaffRequest) -> str:
    """The list the form was on. Only its understood parameters return, so nothing foreign comes in."""
    return member_list.read(QueryDict(request.POST.get("list", ""))).url()
