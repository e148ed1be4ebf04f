"""The charter over the wire: its versions, what is wrong with a draft, publishing and taking back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any

from ninja import Header, Router, Schema, Status
from pydantic import Field

from shuke.doors.api.shapes import Body, Refusal
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request, office
from shuke.engine.charter import document, telling
from shuke.engine.charter.faults import CharterInvalid
from shuke.flows import publish_charter
from shuke.kit import clock
from shuke.loyalty.actions import CharterRefused, under_keys
from shuke.loyalty.models import PublishedCharter
from shuke.loyalty.queries import charters
from shuke.shops.queries import now as shop_now

router = Router(tags=["charter"])
Language = Annotated[str, Field(pattern="^(zh|en)$")]
OwnKey = Annotated[str, Field(max_length=160, description="or the header Idempotency-Key; without one each is another")]
KeyHeader = Annotated[str, Header(alias="Idempotency-Key", max_length=160)]


def status_of(code: str) -> int:
    return 404 if code == "no_such_version" else 409


class VersionOut(Schema):
    version: int
    effective_from: datetime
    state: str = Field(description="in_force, coming or former")
    published_at: datetime
    published_by: str
    note: str


class VersionDocument(VersionOut):
    charter: dict[str, Any]


class Told(Body):
    """A charter as a document, or as YAML text."""

    charter: dict[str, Any] | None = None
    yaml: Annotated[str, Field(max_length=1_000_000)] | None = None
    language: Language | None = Field(None, description="of the sentences; else what Accept-Language says")

    def raw(self) -> dict[str, Any]:
        """Raises CharterInvalid for text that is no YAML."""
        return telling.read_text(self.yaml) if self.yaml is not None else dict(self.charter or {})


class ProblemOut(Schema):
    where: str = Field(description="place in the document: tiers.1.reach.at_least")
    label: str
    text: str
    code: str


class Checked(Schema):
    valid: bool
    problems: list[ProblemOut]
    warnings: list[ProblemOut] = Field([], description="names this shop has never heard of; they refuse nothing")


class Publish(Told):
    day: date | None = Field(None, description="in force from the start of this shop day; null or today: at once")
    note: Annotated[str, Field(max_length=200)] = ""
    key: OwnKey = ""


class Withdraw(Body):
    key: OwnKey = ""


class NotPublished(Refusal):
    code: str
    problems: list[ProblemOut] = []


def problems_of(told: Told, request: Request) -> list[ProblemOut]:
    words = told.language or language(request)
    try:
        found = publish_charter.problems(request.auth.merchant, told.raw(), words)
    except CharterInvalid as error:
        return [
            ProblemOut(where=f.where, label=f.where, text=f.say(words).removeprefix(f"{f.where}: "), code=f.code)
            for f in error.faults
        ]
    return [ProblemOut(**one._asdict()) for one in found]


def warnings_of(told: Told, request: Request) -> list[ProblemOut]:
    """Names this shop has never heard of."""
    try:
        found = publish_charter.warnings(request.auth.merchant, told.raw(), told.language or language(request))
    except CharterInvalid:  # unreadable, which is said as a problem
        return []
    return [ProblemOut(**one._asdict()) for one in found]


@router.get("/charter/versions", response=list[VersionOut])
def versions(request: Request) -> list[VersionOut]:
    """All versions, newest first."""
    return [VersionOut(**version_plain(request, row)) for row in charters.history(request.auth.merchant)]


@router.get("/charter/versions/{number}", response={200: VersionDocument, 404: Refusal})
def version(request: Request, number: int) -> Status:
    """One version with its document: old orders stay explained by the one in force when they were paid."""
    row = next((v for v in charters.history(request.auth.merchant) if v.version == number), None)
    if row is None:
        raise CharterRefused("no_such_version", version=number)
    return Status(200, {**version_plain(request, row), "charter": row.document})


@router.post("/charter/validate", response=Checked)
def validate(request: Request, told: Told) -> Checked:
    """Everything that is wrong with a draft, each with its place and what to do. Publishes nothing."""
    found = problems_of(told, request)
    return Checked(valid=not found, problems=found, warnings=warnings_of(told, request))


@router.post("/charter/publish", response={200: VersionOut, 403: Refusal, 409: NotPublished, 422: NotPublished})
def publish(request: Request, told: Publish, idempotency_key: KeyHeader = "") -> Status:
    """Put a charter in force from a day on. Sent again with its key it answers as the first time; without one, what is in
    force already is refused as `nothing_changes`."""
    token = office(request.auth)
    merchant = token.merchant
    if found := problems_of(told, request):
        told_so = "这不是有效的章程。" if language(request) == "zh" else "This is no valid charter."
        return Status(422, {"error": told_so, "code": "charter_invalid", "problems": found})
    now = shop_now(merchant)
    day = told.day or clock.day_of(now, merchant.tz)
    since = now if day == clock.day_of(now, merchant.tz) else datetime.combine(day, time.min, tzinfo=merchant.tz)

    def do() -> dict[str, Any]:
        row = publish_charter.publish(
            merchant=merchant,
            charter=document.from_plain(told.raw()),
            effective_from=since,
            now=now,
            actor=f"token:{token.pk}",
            note=told.note,
            address=request.META.get("REMOTE_ADDR", ""),
        )
        return VersionOut(**version_plain(request, row)).model_dump(mode="json")

    asked = ["publish", told.raw(), told.day, told.note]
    return Status(200, _once(request, told.key or idempotency_key, asked, do, now))


@router.post(
    "/charter/versions/{number}/withdraw", response={200: dict, 403: Refusal, 409: NotPublished, 422: NotPublished}
)
def withdraw(request: Request, number: int, told: Withdraw | None = None, idempotency_key: KeyHeader = "") -> Status:
    """Take back a version that is not in force yet; it lives on as a draft in the console. Sent again with its key it answers
    as the first time."""
    token = office(request.auth)
    now = shop_now(token.merchant)

    def do() -> dict[str, Any]:
        draft = publish_charter.withdraw(merchant=token.merchant, version=number, now=now, actor=f"token:{token.pk}")
        return {"withdrawn": number, "draft": str(draft.pk)}

    key = (told.key if told else "") or idempotency_key
    return Status(200, _once(request, key, ["withdraw", number], do, now))


def _once(
    request: Request, key: str, asked: Sequence[object], do: Callable[[], dict[str, Any]], now: datetime
) -> dict[str, Any]:
    if not key:
        return do()
    merchant, actor = request.auth.merchant, f"token:{request.auth.pk}"
    return under_keys.once(merchant=merchant, key=key, asked=asked, deed=do, now=now, actor=actor)[0]


def version_plain(request: Request, row: PublishedCharter) -> dict[str, Any]:
    merchant = request.auth.merchant
    now = shop_now(merchant)
    try:
        in_force = charters.in_force(merchant, now).version
    except charters.NoCharter:
        in_force = 0
    state = "coming" if row.effective_from > now else "in_force" if row.version == in_force else "former"
    names = ("version", "effective_from", "published_at", "published_by", "note")
    return {"state": state, **{name: getattr(row, name) for name in names}}
