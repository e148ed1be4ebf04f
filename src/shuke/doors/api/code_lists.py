"""Coupons from the office's side: templates, codes that many share, codes in bulk, looking one up, the report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from django.http import StreamingHttpResponse
from ninja import Query, Schema
from pydantic import Field

from shuke.doors.api.deeds import REFUSED, KeyHeader, OwnKey, Reason, desk, once
from shuke.doors.api.shapes import FIRST_DAY, LAST_DAY, Body
from shuke.doors.api.till import TemplateOut, router, template_out
from shuke.doors.api.tokens import Request
from shuke.engine.charter.selling import Coupon as Template
from shuke.flows import coupons as flow
from shuke.loyalty.actions import coupons as actions
from shuke.loyalty.actions.coupons import CouponRefused
from shuke.loyalty.models import Coupon, CouponBatch
from shuke.loyalty.queries import coupons as stored
from shuke.shops.queries import now as shop_now

Key = Annotated[str, Field(min_length=1, max_length=30, description="of the template")]


class TemplateIn(Body):
    template: Template = Field(description="as a charter states a coupon: docs/algorithms/coupons.md")


class PauseIn(Body):
    paused: bool


class SharedIn(Body):
    code: Annotated[str, Field(min_length=4, max_length=40)]


class SharedOut(Schema):
    template: str
    code: str
    ended_at: datetime | None


class BatchIn(Body):
    template: Key
    count: Annotated[int, Field(ge=1, le=5_000_000)]
    label: Annotated[str, Field(max_length=80)] = ""
    key: OwnKey = ""


class BatchOut(Schema):
    number: str
    template: str
    label: str
    count: int
    made: int = Field(description="so many exist already; a worker makes the rest")
    state: str = Field(description="making, done or void")
    made_at: datetime
    replayed: bool = False


class VoidOut(BatchOut):
    voided: int = Field(description="open codes that became useless by this request")


class VoidCodesIn(Body):
    reason: Reason


class FindIn(Body):
    code: Annotated[str, Field(min_length=1, max_length=60, description="a code, or the id of a coupon")]
    caller: Annotated[str, Field(max_length=80, description="who typed it: the shopper's session or address")] = ""


class MoveOut(Schema):
    at: datetime
    kind: str
    before: str
    after: str
    amount_minor: int
    ref: str
    actor: str


class FoundOut(Schema):
    id: str
    template: str
    version: int
    state: str
    card: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    amount_minor: int
    moves: list[MoveOut]


class ReportOut(Schema):
    template: str
    issued: int
    redeemed: int
    given_back: int
    void: int
    expired: int
    cost_minor: int


@router.post("/coupons/templates", tags=["coupons"], response={200: TemplateOut, **REFUSED})
def save(request: Request, told: TemplateIn) -> Any:
    """Make a template, or a new version of it; what was issued keeps its terms. The same again changes nothing."""
    call = desk(request)
    row = actions.save_template(merchant=call.merchant, template=told.template, now=call.now, actor=call.actor)
    return template_out(stored.overview(call.merchant, row.key)[0])


@router.post("/coupons/templates/{key}/pause", tags=["coupons"], response={200: TemplateOut, **REFUSED})
def pause(request: Request, key: str, told: PauseIn) -> Any:
    """Stop issuing a template (`paused`), or go on. What is out can be used either way."""
    call = desk(request)
    actions.pause_template(merchant=call.merchant, key=key, paused=told.paused, now=call.now, actor=call.actor)
    return template_out(stored.overview(call.merchant, key)[0])


@router.post("/coupons/templates/{key}/codes", tags=["coupons"], response={200: SharedOut, **REFUSED})
def share(request: Request, key: str, told: SharedIn) -> Any:
    """A code that many use, such as SPRING20. There already for this template: the same answer."""
    call = desk(request)
    found = stored.find_code(call.merchant, told.code).shared
    if found is None or found.key != key:
        found = actions.make_shared_code(
            merchant=call.merchant, key=key, code=told.code, now=call.now, actor=call.actor
        )
    return SharedOut(template=found.key, code=found.code, ended_at=found.ended_at)


@router.post("/coupons/templates/{key}/codes/end", tags=["coupons"], response={200: SharedOut, **REFUSED})
def end(request: Request, key: str, told: SharedIn) -> Any:
    """Nobody can use the code from now on."""
    call = desk(request)
    found = stored.find_code(call.merchant, told.code).shared
    if found is None or found.key != key:
        raise CouponRefused("code_refused")
    actions.end_shared_code(merchant=call.merchant, code=told.code, now=call.now)
    return SharedOut(template=key, code=found.code, ended_at=call.now)


def _batch(row: CouponBatch, replayed: bool = False) -> BatchOut:
    return BatchOut(
        number=str(row.pk), template=row.template.key, label=row.label, count=row.count, made=row.made, state=row.state,
        made_at=row.made_at, replayed=replayed,
    )  # fmt: skip


def _found(request: Request, number: int) -> CouponBatch:
    row = stored.batch(request.auth.merchant, number)
    if row is None:
        raise CouponRefused("no_such_batch", batch=number)
    return row


@router.post("/coupons/batches", tags=["coupons"], response={200: BatchOut, **REFUSED})
def order(request: Request, told: BatchIn, idempotency_key: KeyHeader = "") -> Any:
    """Order unique codes of a template, to be made by a worker; how far it is says `GET /coupons/batches/{number}`. With a
    key one batch, however often it is sent."""
    call = desk(request)

    def do() -> dict[str, Any]:
        made = flow.order_codes(
            merchant=call.merchant,
            key=told.template,
            count=told.count,
            label=told.label,
            now=call.now,
            actor=call.actor,
        )
        return {"batch": str(made.batch.pk)}

    asked = ["codes", told.template, told.count, told.label]
    answer, replayed = once(call, told.key or idempotency_key, asked, do)
    return _batch(_found(request, int(answer["batch"])), replayed)


@router.get("/coupons/batches", tags=["coupons"], response=list[BatchOut])
def batches(request: Request, template: Annotated[str, Query(max_length=30)] = "") -> Any:
    """The latest 200 batches of codes."""
    return [_batch(row) for row in stored.batches(request.auth.merchant, template)]


@router.get("/coupons/batches/{int:number}", tags=["coupons"], response={200: BatchOut, **REFUSED})
def batch(request: Request, number: int) -> Any:
    """How far a batch is."""
    return _batch(_found(request, number))


@router.get("/coupons/batches/{int:number}/codes", tags=["coupons"], response={200: str, **REFUSED})
def codes(request: Request, number: int) -> Any:
    """The codes as CSV, a line each. The audit log says who took them: whoever has the codes has the coupons."""
    call = desk(request)
    _found(request, number)
    lines = flow.export_codes(merchant=call.merchant, batch_id=number, now=call.now, actor=call.actor)
    return csv_file(lines, f"codes-{number}.csv")


def csv_file(lines: Iterator[str], name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@router.post("/coupons/batches/{int:number}/void", tags=["coupons"], response={200: VoidOut, **REFUSED})
def void(request: Request, number: int, told: VoidCodesIn) -> Any:
    """Make all open codes of a batch useless (a list that leaked); no more are made. Again it finds none open."""
    call = desk(request)
    _found(request, number)
    count = actions.void_batch(
        merchant=call.merchant, batch_id=number, reason=told.reason, now=call.now, actor=call.actor
    )
    return VoidOut(**_batch(_found(request, number)).model_dump(), voided=count)


@router.post("/coupons/find", tags=["coupons"], response={200: FoundOut, **REFUSED})
def find(request: Request, told: FindIn) -> Any:
    """One coupon by its code or id, and all that happened to it. Wrong codes count against their caller: 429 `try_later`."""
    merchant, now = request.auth.merchant, shop_now(request.auth.merchant)
    plain = told.code.strip()
    coupon = stored.one(merchant, int(plain)) if plain.isdecimal() and 13 < len(plain) < 20 else None
    if coupon is None:
        callers = [f"token:{request.auth.pk}:{told.caller}" if told.caller else f"token:{request.auth.pk}"]
        if minutes := stored.wait_minutes(merchant, callers, now):
            raise CouponRefused("try_later", minutes=minutes)
        coupon = stored.find_code(merchant, plain).coupon
        if coupon is None:
            actions.note_bad_code(merchant=merchant, callers=callers, now=now)
            raise CouponRefused("no_such_coupon", coupon=plain)
    return _coupon(coupon, [MoveOut(**_move(one)) for one in stored.history(merchant, coupon.pk)])


def _move(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("at", "kind", "before", "after", "amount_minor", "ref", "actor")}


def _coupon(coupon: Coupon, moves: list[MoveOut]) -> FoundOut:
    return FoundOut(
        id=str(coupon.pk), template=coupon.key, version=coupon.template.version, state=coupon.state,
        card=coupon.member.card if coupon.member else None, valid_from=coupon.valid_from, valid_until=coupon.valid_until,
        amount_minor=coupon.amount_minor, moves=moves,
    )  # fmt: skip


@router.get("/coupons/report", tags=["coupons"], response={200: list[ReportOut], **REFUSED})
def report(
    request: Request,
    first: Annotated[date, Query(alias="from", ge=FIRST_DAY, le=LAST_DAY, description="first day")],
    last: Annotated[date, Query(alias="to", ge=FIRST_DAY, le=LAST_DAY, description="last day")],
) -> Any:
    """Per template what happened in a time, both days included, and what it cost."""
    rows = stored.report(request.auth.merchant, first, last + timedelta(days=1))
    return [
        ReportOut(
            template=r.key, issued=r.issued, redeemed=r.redeemed, given_back=r.returned, void=r.void, expired=r.expired,
            cost_minor=r.cost_minor,
        )
        for r in rows
    ]  # fmt: skip
