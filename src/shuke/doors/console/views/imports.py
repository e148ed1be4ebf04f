"""The import wizard: upload, say what plain columns mean, see what would happen, run, result, undo.

Every step has an address of its own, so that a reload, the back button or another device shows the same state: it is the
batch's, not the page's.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.connect.samples import layouts as samples
from shuke.doors.console import import_pages, uploads
from shuke.doors.console.access import StaffRequest, console
from shuke.flows import import_jobs, imports
from shuke.flows.imports.starting import header_digest
from shuke.flows.undo_import import UndoRefused, undo
from shuke.kit import clock, numbers
from shuke.orders import actions as orders_actions
from shuke.orders.models import ImportBatch
from shuke.shops import queries as shops

PAST = 20


@console()
@require_http_methods(["GET", "HEAD", "POST"])
def uploads_page(request: StaffRequest) -> HttpResponse:
    """Past imports and the box to drop files into; a POST takes the files in and opens their batch."""
    _may(request)
    if request.method == "POST":
        return _take(request)
    number = request.GET.get("page", "1")
    start = (min(max(numbers.whole(number) or 1, 1), 10_000) - 1) * PAST
    found = list(
        ImportBatch.objects.filter(merchant=request.merchant).order_by("-started_at", "-id")[start : start + PAST + 1]
    )
    context = {
        "batches": [import_pages.line(request, batch) for batch in found[:PAST]],
        "older": start // PAST + 2 if len(found) > PAST else None,
        "newer": start // PAST if start else None,
        "samples": import_pages.sample_names(),
        "stores": shops.stores(request.merchant),
        "limit_mb": uploads.LIMIT >> 20,
    }
    return render(request, "console/imports.html", context)


def _take(request: StaffRequest) -> HttpResponse:
    files = request.FILES.getlist("files")  # parses the request, on which the guard may refuse it
    refused = getattr(request, "upload_refused", "")
    if refused or not files:
        messages.error(request, import_pages.upload_refused(refused))
        return redirect("console:imports")
    shop = request.POST.get("shop", "").strip()[:60]
    store = next((s for s in shops.stores(request.merchant) if str(s.id) == shop), None)
    batch = imports.start(
        merchant=request.merchant,
        files=[
            (Path(file.temporary_file_path()), file.name or "")
            for file in files
            if isinstance(file, TemporaryUploadedFile)
        ],
        options={
            "shop": store.code if store else shop,
            "platform": store.platform if store else "",
            "language": import_pages.language(),
        },
        now=request.now,
        actor=request.staff.username,
    )
    return redirect("console:import", batch.pk)


@console()
@require_GET
def one(request: StaffRequest, batch_id: int) -> HttpResponse:
    """One import at whatever step it is."""
    batch = _batch(request, batch_id)
    return render(request, "console/import.html", import_pages.page(request, batch))


@console()
@require_POST
def mapping(request: StaffRequest, batch_id: int, place: int) -> HttpResponse:
    """What the columns of one plain file mean; kept under the file's header, so the next such file is known."""
    batch = _batch(request, batch_id)
    if not 0 <= place < len(batch.files):
        raise Http404
    asked = import_pages.asked_mapping(request.POST, batch.files[place])
    wrong = import_pages.wrong_mapping(asked)
    if wrong or request.POST.get("look"):  # another kind was chosen, or something needed is missing: show it again
        context = import_pages.page(request, batch, retold={place: asked}, wrong={place: wrong})
        return render(
            request, "console/import.html", context, status=422 if wrong and not request.POST.get("look") else 200
        )
    name = request.POST.get("name", "").strip()[:60] or batch.files[place]["name"][:60]
    if not orders_actions.choose_mapping(batch=batch, place=place, mapping=asked, name=name):
        messages.error(request, _("This import has begun; its columns can no longer be changed."))
        return redirect("console:import", batch.pk)
    orders_actions.save_mapping(
        merchant=request.merchant,
        name=name,
        header_digest=header_digest(batch.files[place]["columns"]),
        mapping=asked,
        now=request.now,
    )
    return redirect("console:import", batch.pk)


@console()
@require_GET
def preview(request: StaffRequest, batch_id: int) -> HttpResponse:
    """What running it would do, every row weighed: at once for small files, by the worker for large ones."""
    batch = _batch(request, batch_id)
    if not request.htmx:
        return redirect("console:import", batch.pk)
    if batch.state != ImportBatch.State.PREVIEWED:
        return render(request, "console/import_state.html", import_pages.page(request, batch))
    if import_jobs.rows_of(batch) <= import_jobs.AT_ONCE_ROWS:
        seen: imports.Preview | None = imports.preview(batch, now=request.now, merchant=request.merchant)
        job = None
    else:
        job = import_jobs.preview_job(batch)
        seen = import_jobs.previewed(job)
    return render(request, "console/import_preview.html", import_pages.preview(request, batch, seen, job))


@console()
@require_POST
def run(request: StaffRequest, batch_id: int) -> HttpResponse:
    """Let the worker take it in. Pressing twice changes nothing: the second job finds the batch done."""
    batch = _batch(request, batch_id)
    job = import_jobs.latest_job(batch, "import")
    waiting = job is not None and job.state in ("ready", "running")
    if batch.state in (ImportBatch.State.PREVIEWED, ImportBatch.State.FAILED) and batch.files and not waiting:
        imports.enqueue(batch, now=clock.utc_now())
    return redirect("console:import", batch.pk)


@console()
@require_GET
def state(request: StaffRequest, batch_id: int) -> HttpResponse:
    """How far it is: asked every second until it has ended."""
    batch = _batch(request, batch_id)
    if not request.htmx:
        return redirect("console:import", batch.pk)
    return render(request, "console/import_state.html", import_pages.page(request, batch))


@console()
@require_POST
def take_back(request: StaffRequest, batch_id: int) -> HttpResponse:
    """Undo it, as long as nothing later depends on it; a large one by the worker."""
    batch = _batch(request, batch_id)
    if sum(int(batch.counts.get(k, 0)) for k in ("orders_new", "orders_changed")) > import_jobs.AT_ONCE_ORDERS:
        job = import_jobs.latest_job(batch, import_jobs.UNDO)
        if job is None or job.state not in ("ready", "running"):
            import_jobs.undo_later(batch=batch, actor=request.staff.username, now=clock.utc_now())
        return redirect("console:import", batch.pk)
    try:
        undone = undo(merchant=request.merchant, batch_id=batch.pk, now=request.now, actor=request.staff.username)
    except UndoRefused as refused:
        messages.error(request, import_pages.undo_refused(refused.code, refused.params))
    else:
        messages.success(request, import_pages.undone(undone))
    return redirect("console:import", batch.pk)


@console()
@require_GET
def rejects(request: StaffRequest, batch_id: int) -> FileResponse:
    """The rows that were kept out, with reasons, to be corrected and sent again."""
    batch = _batch(request, batch_id)
    path = Path(settings.SHUKE_HOME) / batch.rejects_path
    if not batch.rejects_path or not path.is_file():
        raise Http404
    response = FileResponse(path.open("rb"), as_attachment=True, filename=path.name)
    response["Cache-Control"] = "no-store"
    return response


@console()
@require_GET
def sample(request: StaffRequest, key: str) -> HttpResponse:
    """A small made-up file in one of the layouts that are understood."""
    if key not in {layout.key for layout in samples.CATALOGUE}:
        raise Http404
    with tempfile.TemporaryDirectory() as folder:
        at = datetime(2026, 1, 15, 9, 0, tzinfo=UTC).replace(tzinfo=None)
        path = samples.write(Path(folder), key, at=at).path
        data, name = path.read_bytes(), path.name
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{import_pages.quoted(name)}"
    return response


def _may(request: StaffRequest) -> None:
    if not shops.may(request.staff, "import"):
        raise PermissionDenied


def _batch(request: StaffRequest, batch_id: int) -> ImportBatch:
    """The import, if it is one of this merchant's and the reader may import; else 404 or 403."""
    _may(request)
    batch = ImportBatch.objects.filter(merchant=request.merchant, pk=batch_id).first()
    if batch is None:
        raise Http404
    return batch
