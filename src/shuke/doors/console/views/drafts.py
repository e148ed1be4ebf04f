"""Charters in the making: begun from what there is, edited part by part or as YAML, checked while one types, published on a day.

Every button of the form saves first, so that nothing typed is lost; a save on top of somebody else's is refused with what
they did, and what one typed oneself is shown again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import words
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.charter import compare, document, form, telling
from shuke.engine.charter.faults import CharterInvalid
from shuke.flows import publish_charter
from shuke.loyalty.actions import drafts
from shuke.loyalty.models import CharterDraft, PublishedCharter
from shuke.loyalty.queries import charters
from shuke.shops import queries as shops

YAML = "yaml"
READY = ("general", "beauty", "kids", "grocer", "cafe")
# What a part is for, of those that a shop may do without.
ABOUT = {
    "memberships": gettext_lazy("A fee members pay for a tier and its benefits. Leave it empty if you have none."),
    "selling": gettext_lazy(
        "What applies at the till by itself: prices by tier, offers, coupons by rule, points as money. Coupons you hand out "
        "now and then need no charter; make them under Coupons."
    ),
    "rights": gettext_lazy(
        "What members may have beside points, so often a month: a gift wrap, a birthday gift. It is handed out at the counter "
        "with two taps. A plan adds up what somebody buys: ten bought, one free."
    ),
    "referral": gettext_lazy(
        "A member brings a friend and both get something after the friend's first order. Without this part nobody does."
    ),
    "stored": gettext_lazy("Money members pay in advance, and gift cards. Without this part there is neither."),
}


def or_closed(view: Any) -> Any:
    """A page of a draft that somebody published or discarded meanwhile says who and when, and leads to where it went."""

    @wraps(view)
    def shown(request: StaffRequest, draft_id: int, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, draft_id, *args, **kwargs)
        except drafts.DraftClosed as closed:
            draft = closed.draft
            told = {
                "who": draft.saved_by,
                "title": draft.title,
                "n": draft.version,
                "when": f"{draft.saved_at.astimezone(request.merchant.tz):%Y-%m-%d %H:%M}",
            }
            if draft.state == CharterDraft.State.PUBLISHED:
                said = _(
                    "%(who)s published “%(title)s” as version %(n)s at %(when)s. Begin a new draft from that version."
                )
            else:
                said = _("%(who)s discarded “%(title)s” at %(when)s.")
            messages.warning(request, said % told)
            return redirect("console:charter-drafts")

    return shown


@console()
@require_http_methods(["GET", "HEAD", "POST"])
def drafts_page(request: StaffRequest) -> HttpResponse:
    """All drafts, and what one can begin from; a POST begins one."""
    may(request)
    if request.method == "POST":
        return _begin(request)
    history = charters.history(request.merchant)
    context = {
        "drafts": charters.drafts(request.merchant),
        "versions": history,
        "ready": [(name, _name(document.ready(name))) for name in _ready_names()],
    }
    return render(request, "console/charter_drafts.html", context)


def _begin(request: StaffRequest) -> HttpResponse:
    source, _sign, which = request.POST.get("from", "").partition(":")
    based_on: int | None = None
    if source == "version":
        row = version_of(request, which)
        raw, title, based_on = row.document, _("After version %(n)s") % {"n": row.version}, row.version
    elif source == "ready" and which in _ready_names():
        found = document.ready(which).model_copy(update={"currency": request.merchant.currency})
        raw, title = document.to_plain(found), _name(found)
    elif source == "file" and "file" in request.FILES:
        return _from_file(request)
    else:
        raise Http404
    draft = drafts.begin_draft(
        merchant=request.merchant,
        title=request.POST.get("title", "") or title,
        text=telling.write_text(raw),
        based_on=based_on,
        now=request.now,
        actor=request.staff.username,
    )
    return redirect("console:charter-draft", draft.pk)


def _from_file(request: StaffRequest) -> HttpResponse:
    sent = request.FILES["file"]
    assert isinstance(sent, UploadedFile)
    try:
        text = sent.read(drafts.LONGEST + 1).decode("utf-8-sig")
    except UnicodeDecodeError:
        messages.error(request, _("This file is not text in UTF-8. Save it as UTF-8 and try again."))
        return redirect("console:charter-drafts")
    if len(text) > drafts.LONGEST:
        messages.error(request, _("This file is larger than 1 MB; a charter is a few pages of text."))
        return redirect("console:charter-drafts")
    draft = drafts.begin_draft(
        merchant=request.merchant,
        title=(sent.name or "").rpartition(".")[0],
        text=text,
        based_on=None,
        now=request.now,
        actor=request.staff.username,
    )
    return redirect("console:charter-draft", draft.pk)


@console()
@require_http_methods(["GET", "HEAD", "POST"])
@or_closed
def draft_page(request: StaffRequest, draft_id: int) -> HttpResponse:
    """One part of a draft as a form, or all of it as YAML. A POST saves, and does what the button says."""
    draft = draft_of(request, draft_id)
    part = _part(request.POST.get("part") or request.GET.get("part", ""))
    if request.method == "POST":
        return _save(request, draft, part)
    return _editor(request, draft, part, draft.text, draft.revision)


def _save(request: StaffRequest, draft: CharterDraft, part: str) -> HttpResponse:
    sent = request.POST
    revision = int(sent["revision"]) if sent.get("revision", "").isdecimal() else 0
    deed, _sign, place = sent.get("do", "").partition(" ")
    text = _typed(draft, part, sent.items(), deed, place)
    try:
        drafts.save_draft(
            merchant=request.merchant,
            draft_id=draft.pk,
            revision=revision,
            text=text,
            title=sent.get("title"),
            now=request.now,
            actor=request.staff.username,
        )
    except drafts.DraftChanged as error:
        theirs = error.draft
        words_ = _(
            "%(who)s saved this draft at %(when)s, after you had opened it. Nothing was overwritten. Below is what you typed; "
            "saving again puts your part in place of theirs, the other parts stay as they saved them."
        ) % {"who": theirs.saved_by, "when": f"{theirs.saved_at.astimezone(request.merchant.tz):%H:%M}"}
        messages.warning(request, words_)
        mine = _typed(theirs, part, sent.items(), "", "")
        return _editor(request, theirs, part, mine, theirs.revision, status=409)
    go = sent.get("go", "")
    if go == "publish":
        return redirect("console:charter-publish", draft.pk)
    if go == "simulate":
        return redirect("console:charter-simulate", draft.pk)
    anchor = f"#at-{place}" if deed in ("add", "put", "up", "down") else ""
    return redirect(f"{reverse('console:charter-draft', args=[draft.pk])}?part={_part(go or part)}{anchor}")


def _typed(draft: CharterDraft, part: str, sent: Iterable[tuple[str, Any]], deed: str, place: str) -> str:
    """The draft's text with what was typed in one part."""
    told = [(name, str(value)) for name, value in sent]
    if part == YAML:
        return dict(told).get("text", draft.text).replace("\r\n", "\n")
    try:
        raw = telling.read_text(draft.text)
    except CharterInvalid:
        return draft.text  # only the YAML view can mend it
    for name, value in form.read_form(part, told).items():
        if value is None:
            raw.pop(name, None)
        else:
            raw[name] = value
    if deed in ("add", "put", "remove", "up", "down"):
        form.change(raw, deed, place)
    return telling.write_text(raw)


def _editor(
    request: StaffRequest, draft: CharterDraft, part: str, text: str, revision: int, status: int = 200
) -> HttpResponse:
    language = tongue()
    raw, unreadable = read_draft(text, language)
    if unreadable:
        part = YAML
    problems = unreadable or publish_charter.problems(request.merchant, raw, language)
    context = {
        "draft": draft,
        "revision": revision,
        "part": part,
        "text": text,
        "parts": _parts(problems, language),
        "node": None if part == YAML else form.tree(raw, part, language),
        "problems": [p._asdict() | {"part": section_of(p.where)} for p in problems],
        "warnings": warnings_of(request, raw, unreadable, language),
        "at_place": _by_place(problems),
        "changes": changes_of(request, raw, problems, language),
        "about": ABOUT.get(part, ""),
        "part_name": dict(form.sections(language)).get(part, "YAML"),
    }
    return render(request, "console/charter_draft.html", context, status=status)


def warnings_of(
    request: StaffRequest, raw: Mapping[str, Any], unreadable: Sequence[telling.Problem], language: str
) -> list[dict[str, Any]]:
    """Names this shop has never heard of, each with the part of the charter it is in."""
    found = [] if unreadable else publish_charter.warnings(request.merchant, raw, language)
    return [one._asdict() | {"part": section_of(one.where)} for one in found]


@console()
@require_POST
@or_closed
def check(request: StaffRequest, draft_id: int) -> HttpResponse:
    """What is wrong with what is typed so far, and what it would change. Saves nothing."""
    draft = draft_of(request, draft_id)
    language = tongue()
    text = _typed(draft, _part(request.POST.get("part", "")), request.POST.items(), "", "")
    raw, unreadable = read_draft(text, language)
    problems = unreadable or publish_charter.problems(request.merchant, raw, language)
    counts: dict[str, int] = {}
    for one in problems:
        counts[section_of(one.where)] = counts.get(section_of(one.where), 0) + 1
    return JsonResponse(
        {
            "problems": [p._asdict() | {"part": section_of(p.where)} for p in problems],
            "warnings": warnings_of(request, raw, unreadable, language),
            "counts": counts,
            "changes": [c._asdict() for c in changes_of(request, raw, problems, language)],
        }
    )


@console()
@require_GET
@or_closed
def draft_yaml(request: StaffRequest, draft_id: int) -> HttpResponse:
    """The draft as a file."""
    return yaml_file(draft_of(request, draft_id).text, f"charter-draft-{draft_id}.yaml")


@console()
@require_GET
def version_yaml(request: StaffRequest, version: int) -> HttpResponse:
    """A published version as a file."""
    row = version_of(request, str(version))
    return yaml_file(document.to_yaml(document.published(row.document)), f"charter-{version}.yaml")


@console()
@require_POST
@or_closed
def discard(request: StaffRequest, draft_id: int) -> HttpResponse:
    draft = draft_of(request, draft_id)
    try:
        drafts.discard_draft(
            merchant=request.merchant,
            draft_id=draft.pk,
            revision=int(request.POST.get("revision", "0") or 0),
            now=request.now,
            actor=request.staff.username,
        )
    except drafts.DraftChanged:
        messages.warning(
            request, _("Somebody changed this draft meanwhile, so it was not discarded. Look at it again.")
        )
        return redirect("console:charter-draft", draft.pk)
    messages.success(request, _("“%(title)s” was discarded.") % {"title": draft.title})
    return redirect("console:charter-drafts")


# -- shared with the simulation ---------------------------------------------------------------------------------------


def may(request: StaffRequest) -> None:
    if not shops.may(request.staff, "charter"):
        raise PermissionDenied


def draft_of(request: StaffRequest, draft_id: int) -> CharterDraft:
    """An open draft of this merchant; else 404 or 403. Raises DraftClosed where it was published or discarded meanwhile."""
    may(request)
    found = charters.draft(request.merchant, draft_id)
    if found is None:
        raise Http404
    if found.state != CharterDraft.State.OPEN:
        raise drafts.DraftClosed(found.state, found)
    return found


def tongue() -> str:
    return "zh" if words.language().startswith("zh") else "en"


def section_of(where: str) -> str:
    """The part of the form a place is in."""
    top = where.partition(".")[0]
    known = [key for key, _name in form.sections("en")]
    return top if top in known else YAML if " " in top or top == "document" else form.BASICS


def charter_of(draft: CharterDraft) -> document.Charter | None:
    try:
        return document.from_plain(telling.read_text(draft.text))
    except CharterInvalid:
        return None


def version_of(request: StaffRequest, number: str) -> PublishedCharter:
    may(request)
    row = next((v for v in charters.history(request.merchant) if str(v.version) == number), None)
    if row is None:
        raise Http404
    return row


def _part(asked: str) -> str:
    known = [key for key, _name in form.sections("en")]
    return asked if asked in (*known, YAML) else form.BASICS


def _parts(problems: list[telling.Problem], language: str) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    for one in problems:
        counts[section_of(one.where)] = counts.get(section_of(one.where), 0) + 1
    named = [*form.sections(language), (YAML, "YAML")]
    return [{"key": key, "name": name, "problems": counts.get(key, 0)} for key, name in named]


def _by_place(problems: list[telling.Problem]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in problems:
        found.setdefault(one.where, []).append(one.text)
    return found


def read_draft(text: str, language: str) -> tuple[dict[str, Any], list[telling.Problem]]:
    try:
        return telling.read_text(text), []
    except CharterInvalid as error:
        told = [fault.say(language).removeprefix(f"{fault.where}: ") for fault in error.faults]
        return {}, [
            telling.Problem(fault.where, fault.where, words_, fault.code)
            for fault, words_ in zip(error.faults, told, strict=True)
        ]


def changes_of(
    request: StaffRequest, raw: dict[str, Any], problems: list[telling.Problem], language: str
) -> list[compare.Change]:
    """What a reader of the handbook would find changed; nothing while the draft is not whole."""
    if problems:
        return []
    try:
        old = charters.in_force(request.merchant, request.now).charter
    except charters.NoCharter:
        return []
    return compare.compare(old, document.from_plain(raw), language)


def _name(charter: document.Charter) -> str:
    return charter.name.zh if tongue() == "zh" else charter.name.en


def _ready_names() -> list[str]:
    from importlib.resources import files

    there = {path.name[:-5] for path in (files("shuke.engine.charter") / "ready").iterdir()}
    return [name for name in READY if name in there]


def yaml_file(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
