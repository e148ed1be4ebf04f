"""Charters in the making over the wire: begun, saved on top of what was seen, checked, discarded, published."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from shuke.doors.api.charters import ProblemOut, Told, VersionOut, problems_of, version_plain, warnings_of
from shuke.doors.api.deeds import REFUSED, KeyHeader, OwnKey, desk, once
from shuke.doors.api.shapes import Body
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request, office
from shuke.engine.charter import document, telling
from shuke.flows import publish_charter
from shuke.kit import clock
from shuke.kit.refusal import Refusal
from shuke.loyalty.actions import CharterRefused
from shuke.loyalty.actions import drafts as actions
from shuke.loyalty.models import CharterDraft
from shuke.loyalty.queries import charters
from shuke.shops.models import Merchant

router = Router(tags=["charter"])
Title = Annotated[str, Field(max_length=100)]
Revision = Annotated[int, Field(ge=1, le=10**9, description="the one that was seen")]


class DraftRefused(Refusal):
    """`code` no_such_draft | draft_changed | draft_closed | charter_invalid."""

    sentences = {
        "no_such_draft": ("There is no charter draft {draft}.", "没有章程草稿 {draft}。"),
        "draft_changed": (
            "{by} saved this draft meanwhile, it is at revision {revision}. Nothing was overwritten: read it, then make your change again.",
            "{by} 已保存过此草稿，现为第 {revision} 版。未覆盖任何内容：请先读取，再重新修改。",
        ),
        "draft_closed": (
            "This draft is {state} already; begin another from it.",
            "此草稿已{state}，请另建草稿。",
        ),
        "charter_invalid": (
            "This draft is no valid charter yet: {first} `problems` of the draft lists everything.",
            "此草稿还不是有效的章程：{first} 草稿的 problems 列出了全部问题。",
        ),
    }


class DraftOut(Schema):
    number: str
    title: str
    state: str = Field(description="open, published or discarded")
    revision: int
    based_on: int | None = Field(description="version it was begun from")
    version: int | None = Field(description="what it was published as")
    saved_at: datetime
    saved_by: str


class DraftWhole(DraftOut):
    yaml: str
    problems: list[ProblemOut]
    warnings: list[ProblemOut]


class DraftIn(Told):
    """A charter as a document or as YAML text, in whatever state; without either it is begun from `version`, else from the one
    in force."""

    title: Title = ""
    version: Annotated[int, Field(ge=1, le=10**6)] | None = None
    key: OwnKey = ""


class DraftSaveIn(Told):
    revision: Revision
    title: Title | None = None


class DraftSeen(Body):
    revision: Revision


class DraftPublish(Body):
    revision: Revision
    day: date | None = Field(None, description="in force from the start of this shop day; null or today: at once")
    note: Annotated[str, Field(max_length=200)] = ""
    key: OwnKey = ""


@router.get("/charter/drafts", response={200: list[DraftOut], **REFUSED})
def listed(request: Request) -> Any:
    """Drafts that are open, the latest saved first."""
    rows = CharterDraft.objects.filter(merchant=office(request.auth).merchant, state=CharterDraft.State.OPEN)
    return [_plain(row) for row in rows.order_by("-saved_at", "-id")]


@router.post("/charter/drafts", response={200: DraftOut, **REFUSED})
def begin(request: Request, told: DraftIn, idempotency_key: KeyHeader = "") -> Any:
    """Begin a draft. With a key once, however often it is sent."""
    call = desk(request)

    def do() -> dict[str, Any]:
        text, based = _text(call.merchant, told, call.now)
        return _answer(
            actions.begin_draft(
                merchant=call.merchant, title=told.title, text=text, based_on=based, now=call.now, actor=call.actor
            )
        )

    asked = ["draft", told.title, told.charter, told.yaml, told.version]
    return once(call, told.key or idempotency_key, asked, do)[0]


@router.get("/charter/drafts/{number}", response={200: DraftWhole, **REFUSED})
def one(request: Request, number: int) -> Any:
    """A draft with its text, what would keep it from being published, and names the shop has never heard of."""
    return _whole(request, _draft(office(request.auth).merchant, number))


@router.post("/charter/drafts/{number}", response={200: DraftWhole, **REFUSED})
def save(request: Request, number: int, told: DraftSaveIn) -> Any:
    """Save on top of the revision that was seen; what somebody else saved meanwhile is never overwritten. Sent again it
    changes nothing."""
    call = desk(request)
    row = _draft(call.merchant, number)
    text = telling.write_text(told.charter) if told.charter is not None else told.yaml
    text = row.text if text is None else text
    title = told.title if told.title is not None else row.title
    if row.revision == told.revision + 1 and (row.text, row.title) == (text, title.strip()[:100] or row.title):
        return _whole(request, row)  # this very request was answered before, and the answer was lost
    with _Refusing(number):
        row = actions.save_draft(
            merchant=call.merchant, draft_id=number, revision=told.revision, text=text, title=title, now=call.now,
            actor=call.actor,
        )  # fmt: skip
    return _whole(request, row)


@router.post("/charter/drafts/{number}/discard", response={200: DraftOut, **REFUSED})
def discard(request: Request, number: int, told: DraftSeen) -> Any:
    """Put a draft away. Sent again it answers alike."""
    call = desk(request)
    row = _draft(call.merchant, number)
    if row.state != CharterDraft.State.DISCARDED:
        with _Refusing(number):
            row = actions.discard_draft(
                merchant=call.merchant, draft_id=number, revision=told.revision, now=call.now, actor=call.actor
            )
    return _plain(row)


@router.post("/charter/drafts/{number}/publish", response={200: VersionOut, **REFUSED})
def publish(request: Request, number: int, told: DraftPublish, idempotency_key: KeyHeader = "") -> Any:
    """Put a draft in force from a day on; it is closed with that. With a key once."""
    call = desk(request)
    today = clock.day_of(call.now, call.merchant.tz)
    day = told.day or today

    def do() -> dict[str, Any]:
        row = _draft(call.merchant, number)
        if row.state == CharterDraft.State.OPEN and row.revision != told.revision:
            raise _refused(number, actions.DraftChanged(row))
        if row.state != CharterDraft.State.OPEN:
            raise _refused(number, actions.DraftClosed("", row))
        if found := problems_of(Told(yaml=row.text, language=None), request):
            raise DraftRefused("charter_invalid", first=f"{found[0].label}: {found[0].text}")
        with _Refusing(number):
            made = publish_charter.publish(
                merchant=call.merchant,
                charter=document.from_plain(telling.read_text(row.text)),
                effective_from=call.now if day == today else datetime.combine(day, time.min, tzinfo=call.merchant.tz),
                now=call.now,
                actor=call.actor,
                note=told.note,
                draft=row,
                address=request.META.get("REMOTE_ADDR", ""),
            )
        return VersionOut(**version_plain(request, made)).model_dump(mode="json")

    asked = ["publish draft", number, told.revision, told.day, told.note]
    return once(call, told.key or idempotency_key, asked, do)[0]


class _Refusing:
    """What the drafts' actions raise, as an answer with a code."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (actions.DraftChanged, actions.DraftClosed)):
            raise _refused(self.number, error) from error


def _refused(number: int, error: actions.DraftChanged | actions.DraftClosed) -> DraftRefused:
    row = error.draft
    if isinstance(error, actions.DraftChanged):
        return DraftRefused("draft_changed", draft=number, by=row.saved_by, revision=row.revision)
    return DraftRefused("draft_closed", draft=number, state=row.state)


def _draft(merchant: Merchant, number: int) -> CharterDraft:
    row = CharterDraft.objects.filter(merchant=merchant, pk=number).first()
    if row is None:
        raise DraftRefused("no_such_draft", draft=number)
    return row


def _text(merchant: Merchant, told: DraftIn, now: datetime) -> tuple[str, int | None]:
    """What a draft begins with, and the version it is based on."""
    rows = charters.history(merchant)
    try:
        in_force = charters.in_force(merchant, now).version
    except charters.NoCharter:
        in_force = None
    if told.yaml is not None or told.charter is not None:
        return (told.yaml if told.yaml is not None else telling.write_text(told.charter or {})), in_force
    wanted = told.version or in_force
    row = next((one for one in rows if one.version == wanted), None)
    if row is None:
        raise CharterRefused("no_such_version", version=wanted or 0)
    return telling.write_text(row.document), row.version


def _plain(row: CharterDraft) -> DraftOut:
    return DraftOut(
        number=str(row.pk), title=row.title, state=row.state, revision=row.revision, based_on=row.based_on,
        version=row.version, saved_at=row.saved_at, saved_by=row.saved_by,
    )  # fmt: skip


def _answer(row: CharterDraft) -> dict[str, Any]:
    return _plain(row).model_dump(mode="json")


def _whole(request: Request, row: CharterDraft) -> DraftWhole:
    told = Told(yaml=row.text, language=language(request))
    return DraftWhole(
        **_plain(row).model_dump(),
        yaml=row.text,
        problems=problems_of(told, request),
        warnings=warnings_of(told, request),
    )
