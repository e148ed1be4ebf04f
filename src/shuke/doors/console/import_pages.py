"""The parts of the import pages: steps, files as they were recognised, column choices, counts, refusals in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from shuke.connect.importers import TabularError, guess_mapping, sentence
from shuke.connect.importers.mapping import FIELDS, BadMapping, checked
from shuke.connect.importers.unnumbered import WHOLE_ROW, identity_columns
from shuke.connect.samples import layouts as samples
from shuke.doors.console import uploads, words
from shuke.doors.console.access import StaffRequest
from shuke.engine.facts import Problem
from shuke.flows import import_jobs, imports
from shuke.flows.imports import Preview
from shuke.flows.imports.tally import problem_of
from shuke.flows.undo_import import Undone
from shuke.kit.models import Job
from shuke.kit.tabular import open_table
from shuke.orders.models import ImportBatch

State = ImportBatch.State
SAMPLE_ROWS = 3


def language() -> str:
    return "zh" if words.language().startswith("zh") else "en"


def quoted(name: str) -> str:
    return quote(name, safe="")


def sample_names() -> list[tuple[str, str]]:
    return [(one.key, one.chinese if language() == "zh" else one.english) for one in samples.CATALOGUE]


def line(request: StaffRequest, batch: ImportBatch) -> dict[str, Any]:
    """One past import in the list."""
    names = [file["name"] for file in batch.files]
    return {
        "id": batch.pk,
        "at": batch.started_at.astimezone(request.merchant.tz).strftime("%Y-%m-%d %H:%M"),
        "names": ", ".join(names[:3]) + (" …" if len(names) > 3 else "") or "–",
        "state": state_name(batch.state),
        "tone": _TONES[ImportBatch.State(batch.state)],
        "actor": batch.actor,
        "counts": batch.counts,
        "orders": int(batch.counts.get("orders_new", 0)) + int(batch.counts.get("orders_changed", 0)),
        "members": int(batch.counts.get("members_new", 0)),
        "rejected": int(batch.counts.get("rejected", 0)),
    }


_TONES = {
    State.PREVIEWED: "plain",
    State.RUNNING: "info",
    State.DONE: "good",
    State.FAILED: "bad",
    State.UNDONE: "warn",
}


def state_name(state: str) -> str:
    return {
        State.PREVIEWED: _("Not begun"),
        State.RUNNING: _("Running"),
        State.DONE: _("Done"),
        State.FAILED: _("Stopped"),
        State.UNDONE: _("Undone"),
    }[State(state)]


def steps(batch: ImportBatch, unmapped: bool) -> list[tuple[str, str]]:
    """(name, state) of the five steps: done, now or later."""
    names = [_("Upload"), _("Meaning of columns"), _("Check"), _("Import"), _("Result")]
    if not batch.files:
        at = 0
    elif batch.state == State.PREVIEWED:
        at = 1 if unmapped else 2
    elif batch.state == State.RUNNING:
        at = 3
    else:
        at = 4
    return [(name, "done" if i < at else "now" if i == at else "later") for i, name in enumerate(names)]


def page(
    request: StaffRequest,
    batch: ImportBatch,
    *,
    retold: Mapping[int, Mapping[str, Any]] | None = None,
    wrong: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Everything the page of one import shows. `retold`: answers to the column step that were not taken yet."""
    files = [
        _file(batch, i, file, (retold or {}).get(i), (wrong or {}).get(i, "")) for i, file in enumerate(batch.files)
    ]
    unmapped = batch.state == State.PREVIEWED and any(file["ask"] for file in files)
    run_job = import_jobs.latest_job(batch, "import")
    undo_job = import_jobs.latest_job(batch, import_jobs.UNDO)
    working = next((job for job in (undo_job, run_job) if job is not None and job.state in ("ready", "running")), None)
    stuck = run_job is not None and run_job.state == "failed" and batch.state == State.RUNNING
    refused = undo_job.progress.get("refused") if undo_job is not None and undo_job.state == "failed" else None
    return {
        "batch": batch,
        "one": line(request, batch),
        "files": files,
        "unmapped": unmapped,
        "steps": steps(batch, unmapped),
        "ready": batch.state == State.PREVIEWED and not unmapped and working is None,
        "working": working,
        "undoing": working is not None and working is undo_job,
        "stuck": stuck,
        "done_rows": int(batch.counts.get("rows", 0)),
        "whole_rows": batch.total or import_jobs.rows_of(batch),
        "counts": counts(batch.counts),
        "bad": [_where(problem_of(told)) for told in batch.counts.get("bad", [])],
        "odd": _odd(batch.counts.get("odd", {}), batch.counts.get("examples", {})),
        "twice": _twice(batch.counts.get("odd", {}), batch.counts.get("examples", {})),
        "rejects": bool(batch.rejects_path) and (Path(settings.SHUKE_HOME) / batch.rejects_path).is_file(),
        "resumable": batch.state == State.FAILED and bool(batch.files) and working is None,
        "undo_refusal": undo_refused(refused["code"], refused["params"]) if refused else "",
    }


def preview(request: StaffRequest, batch: ImportBatch, seen: Preview | None, job: Job | None) -> dict[str, Any]:
    """The check's result, or how far it is."""
    context: dict[str, Any] = {"batch": batch, "seen": seen, "job": job, "one": line(request, batch)}
    if seen is not None:
        context |= {
            "counts": counts(seen.counts),
            "bad": [_where(problem) for problem in seen.bad],
            "rejected": seen.counts.get("rejected", 0),
            "odd": _odd(seen.odd, seen.examples),
            "twice": _twice(seen.odd, seen.examples),
            "failure": sentence(seen.failure, language()) if seen.failure else "",
            "nothing": not any(
                v for k, v in seen.counts.items() if k.endswith(("_new", "_changed")) or k == "customers"
            ),
        }
    return context


def counts(told: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """(key, name, number) in the order people ask: new, changed, the same, who, what was kept out."""
    names = {
        "orders_new": _("New orders"),
        "orders_changed": _("Changed orders"),
        "orders_same": _("Orders that say the same"),
        "refunds_new": _("New refunds"),
        "refunds_changed": _("Changed refunds"),
        "refunds_same": _("Refunds that say the same"),
        "refunds_parked": _("Refunds waiting for their order"),
        "members_new": _("New members"),
        "customers": _("Customer records"),
        "openings": _("Point balances taken over"),
        "products": _("Products"),
        "coupons": _("Coupon uses"),
        "rejected": _("Rows kept out"),
        "oddities": _("Oddities"),
    }
    always = ("orders_new", "orders_changed", "orders_same", "members_new", "rejected")
    found = [(key, name, int(told.get(key, 0))) for key, name in names.items()]
    return [one for one in found if one[2] or one[0] in always]


def _where(problem: Problem) -> tuple[str, str]:
    """(place, reason) of a row that was kept out."""
    row = _("row %(n)s") % {"n": f"{problem.row:,}"} if problem.row else ""
    return ", ".join(part for part in (problem.file, row) if part), sentence(problem, language())


_TWICE = "refund_told_twice"  # stands above the oddities: what is overlooked here counts twice


def _twice(odd: Mapping[str, int], examples: Mapping[str, Any]) -> tuple[list[str], int]:
    """What may be told a second time, and how many more than are shown."""
    some = [one if isinstance(one, Problem) else problem_of(one) for one in examples.get(_TWICE, ())]
    return [sentence(one, language()) for one in some], odd.get(_TWICE, 0) - len(some)


def _odd(odd: Mapping[str, int], examples: Mapping[str, Any]) -> list[tuple[int, str]]:
    """How many of each other oddity, and what one looks like."""
    found = []
    for code, number in sorted(odd.items(), key=lambda item: -item[1]):
        if code == _TWICE:
            continue
        some = examples.get(code) or []
        first = some[0] if some else Problem(code, 0, reject=False)
        problem = first if isinstance(first, Problem) else problem_of(first)
        found.append((number, sentence(problem, language())))
    return found


# ---- files and columns --------------------------------------------------------------------------------------------


def _file(
    batch: ImportBatch, place: int, file: Mapping[str, Any], retold: Mapping[str, Any] | None, wrong: str
) -> dict[str, Any]:
    title = "title_zh" if language() == "zh" else "title_en"
    inside = [(one["name"], one[title], one["generation"] or "", one["layout"]) for one in file.get("members", ())]
    unknown = file["layout"] == "unknown"
    plain = (unknown or file["layout"].startswith("plain.")) and not inside and not batch.options.get("layout")
    mapped = bool(file.get("mapping") or batch.options.get("mapping"))
    ask = plain and ((unknown and not mapped) or retold is not None)
    told = retold or file.get("mapping") or (None if unknown else {"kind": file["layout"].removeprefix("plain.")})
    return {
        "place": place,
        "name": file["name"],
        "title": file[title],
        "generation": file["generation"] or "",
        "rows": file.get("rows") or 0,
        "encoding": file.get("encoding", ""),
        "header_row": file.get("header_row", 0),
        "missing": file.get("missing", ()),
        "unknown": len(file.get("unknown", ())),
        "inside": inside,
        "known": not unknown,
        "mapping_name": file.get("mapping_name", "") if plain and mapped else "",
        "mapped": [
            (_field_name(file["mapping"]["kind"], field), _column(file, column))
            for field, column in file["mapping"].get("columns", {}).items()
        ]
        if plain and file.get("mapping")
        else [],
        "ask": ask,
        "wrong": wrong,
        "form": _form(file, told) if plain and batch.state == State.PREVIEWED else None,
    }


def _column(file: Mapping[str, Any], column: int | str) -> str:
    names = file["columns"]
    return names[column] if isinstance(column, int) and column < len(names) else str(column)


def _field_name(kind: str, key: str) -> str:
    field = next((f for f in FIELDS.get(kind, ()) if f.key == key), None)
    return key if field is None else field.title_zh if language() == "zh" else field.title_en


def kind_names() -> list[tuple[str, str]]:
    return [
        ("orders", pgettext("kind of file", "Orders")),
        ("customers", pgettext("kind of file", "Customers")),
        ("products", pgettext("kind of file", "Products")),
        ("refunds", pgettext("kind of file", "Refunds")),
    ]


def _form(file: Mapping[str, Any], retold: Mapping[str, Any] | None) -> dict[str, Any]:
    """The column step: each column with sample cells and the likeliest meaning, or what was chosen last."""
    header = list(file["columns"])
    rows = sample_rows(file)
    guess = guess_mapping(header, rows, kind=retold["kind"] if retold else None)
    chosen = retold["columns"] if retold and retold.get("columns") else {k: c.place for k, c in guess.columns.items()}
    by_place = {place: field for field, place in chosen.items()}
    sure = {c.place: c.confidence for c in guess.columns.values()}
    options = [(f.key, f.title_zh if language() == "zh" else f.title_en) for f in FIELDS[guess.kind]]
    return {
        "kind": guess.kind,
        "kinds": kind_names(),
        "fields": options,
        "columns": [
            {
                "place": place,
                "header": name or _("(column %(n)s)") % {"n": place + 1},
                "cells": [row[place] for row in rows[:SAMPLE_ROWS] if place < len(row) and row[place].strip()],
                "field": by_place.get(place, ""),
                "sure": sure.get(place, 0) >= 0.8,
            }
            for place, name in enumerate(header)
        ],
        "unit": (retold or {}).get("money_unit", "major"),
        "unnumbered": guess.kind == "orders" and "number" not in chosen,
        "identity": (retold or {}).get("identity", ""),
        "told_by": identity_columns(header, {"columns": chosen}),
    }


def sample_rows(file: Mapping[str, Any]) -> list[list[str]]:
    """The first rows below the header; none if the file is gone or unreadable by now."""
    try:
        path = Path(settings.SHUKE_HOME) / file["path"]
        head = open_table(path, limits=imports.limits_of({})).head(file["header_row"] + 20)
    except (OSError, TabularError):
        return []
    return [row for row in head[file["header_row"] :] if row]


def asked_mapping(form: QueryDict, file: Mapping[str, Any]) -> dict[str, Any]:
    """The column step's answer as the importers' mapping. A field chosen twice keeps its first column."""
    kind = form.get("kind", "orders")
    kind = kind if kind in FIELDS else "orders"
    fields = {f.key for f in FIELDS[kind]}
    columns: dict[str, int] = {}
    if form.get("kind_was", kind) == kind:
        for place in range(len(file["columns"])):
            field = form.get(f"column-{place}", "")
            if field in fields:
                columns.setdefault(field, place)
    return {
        "kind": kind,
        "columns": columns,
        "date_formats": [],
        "money_unit": "minor" if form.get("unit") == "minor" else "major",
        "defaults": {},
        "status_words": {},
        "header_row": file["header_row"],
        **({"identity": WHOLE_ROW} if form.get("identity") == WHOLE_ROW and "number" not in columns else {}),
    }


def wrong_mapping(mapping: Mapping[str, Any]) -> str:
    """What a mapping lacks, as a sentence; "" if it can be used."""
    try:
        checked(mapping)
    except BadMapping as error:
        fields = [part.strip() for part in error.params.get("field", "").split("/") if part.strip()]
        if error.code == "mapping_lacks":
            names = _(" or ").join(_field_name(mapping["kind"], field) for field in fields)
            return _("Say which column holds: %(fields)s.") % {"fields": names}
        return sentence(Problem(error.code, 0, params=tuple(error.params.items())), language())
    return ""


# ---- refusals and results -----------------------------------------------------------------------------------------


def upload_refused(why: str) -> str:
    if why == "size":
        return _("That is more than %(mb)s MB at once. Send the files in several parts, or zipped.") % {
            "mb": f"{uploads.LIMIT >> 20:,}"
        }
    if why == "files":
        return _("At most %(n)s files at once. Send the rest afterwards, or put them into one ZIP.") % {
            "n": uploads.MOST_FILES
        }
    return _("Choose at least one file.")


def undo_refused(code: str, params: Mapping[str, Any]) -> str:
    """Why an import cannot be taken back, and what to do about it."""
    if code == "undone":
        return _("This import was undone already.")
    if code == "running":
        return _("This import is still running. Wait until it has ended, then undo it.")
    if code == "changed_later":
        orders = int(params.get("orders", 0))
        text = ngettext(
            "%(n)s order of this import was changed after it, so it cannot simply be taken back.",
            "%(n)s orders of this import were changed after it, so it cannot simply be taken back.",
            orders,
        ) % {"n": f"{orders:,}"}
        if params.get("later"):
            return text + " " + _("Undo the later imports first: %(numbers)s.") % {"numbers": params["later"]}
        return text + " " + _("They were changed one by one since, at the till or by other software.")
    if code == "points_spent":
        return _(
            "Members have spent, or set aside, %(points)s of the points these orders earned. Give those points back first, "
            "then undo the import."
        ) % {"points": params.get("points", "")}
    if code == "opening_spent":
        return _(
            "Members have spent, or set aside, %(points)s of the points this import took over from another system. Give those "
            "points back first, then undo the import."
        ) % {"points": params.get("points", "")}
    return _("This import cannot be undone.")


def undone(result: Undone) -> str:
    told = [
        _("Undone: %(removed)s orders removed, %(restored)s put back as they were, %(members)s members put away.")
        % {
            "removed": f"{result.orders_removed:,}",
            "restored": f"{result.orders_restored:,}",
            "members": f"{result.members_put_away:,}",
        }
    ]
    if result.profiles_restored:
        told.append(
            ngettext(
                "The profile of %(n)s member was put back.",
                "The profiles of %(n)s members were put back.",
                result.profiles_restored,
            )
            % {"n": f"{result.profiles_restored:,}"}
        )
    if result.fields_kept:
        told.append(
            ngettext(
                "%(n)s value was changed again since and stays.",
                "%(n)s values were changed again since and stay.",
                result.fields_kept,
            )
            % {"n": f"{result.fields_kept:,}"}
        )
    if result.members_kept:
        told.append(
            ngettext(
                "%(n)s member it had made stays: somebody has dealt with them since, or they bought elsewhere.",
                "%(n)s members it had made stay: somebody has dealt with them since, or they bought elsewhere.",
                result.members_kept,
            )
            % {"n": f"{result.members_kept:,}"}
        )
    return " ".join(told)
