"""Finance over the wire: what is owed, how it moves, what lapses, entries of a month, closing it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from shuke.doors.api.shapes import FIRST_DAY, LAST_DAY, Body, CodedRefusal
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request, office
from shuke.engine.finance import months
from shuke.engine.finance import policy as policies
from shuke.flows import costs_report, finance_report
from shuke.flows.finance_report import SPAN, Report
from shuke.kit.clock import day_of
from shuke.kit.refusal import Refusal, Sentences, sentence
from shuke.loyalty.actions.closing import close_month, set_finance_policy
from shuke.loyalty.queries import finance
from shuke.loyalty.queries.finance import CannotClose
from shuke.members.queries import member_of
from shuke.shops.queries import now as shop_now

router = Router(tags=["finance"])
Month = Query(..., pattern=r"^\d{4}-\d{2}$", description="2026-03")


class ClosedOut(Schema):
    month: str
    closed_at: str
    digest: str


class ClosedMonthsOut(Schema):
    whole: bool
    months: list[ClosedOut]


class PolicyIn(Body):
    """What is told is changed."""

    method: Annotated[str, Field(pattern="^(deferral|provision|none)$")] = "deferral"
    expected_percent: Annotated[Decimal | None, Field(ge=0, le=100, max_digits=6, decimal_places=3)] = Field(
        None, description="null: estimated from the past"
    )
    tax_permille: Annotated[int, Field(ge=0, le=500, description="value-added tax within prices: 130 is 13%")] = 0
    chart: Annotated[str, Field(pattern="^(cas|small|ifrs)$")] = "cas"
    per: Annotated[str, Field(pattern="^(month|day)$")] = "month"
    prefix: Annotated[str, Field(pattern=r"^[0-9A-Za-z一-鿿-]{0,8}$", description="voucher numbers begin with it")] = (
        "P"
    )
    accounts: dict[policies.Role, Annotated[str, Field(pattern=r"^([0-9A-Za-z][0-9A-Za-z .:_-]{0,29})?$")]] = Field(
        {}, description="role → account code of your own; an empty code takes it back"
    )


class PolicyOut(Schema):
    method: str
    expected_percent: Any = Field(description="null: estimated from the past")
    tax_permille: int
    chart: str
    per: str
    prefix: str
    accounts: dict[str, str]


KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "hledger": "text/plain; charset=utf-8",
}
ANSWERS: dict[Any, Any] = {200: dict, 400: CodedRefusal, 409: CodedRefusal}


def _plain(report: Report) -> dict[str, Any]:
    """The report's figures as JSON knows them; what they are called is in docs/api.md."""
    return {"report": report.key, "ok": report.ok, **_values(report.plain)}


def _values(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return _values(value._asdict())
    if isinstance(value, dict):
        return {str(key): _values(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_values(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


CODES = {finance.NotInTheBooks: "not_in_the_books", CannotClose: "cannot_close"}  # whichever of the reasons it is
SENTENCES: Sentences = {
    "from_after_to": ("The first day {first} lies after the last, {last}.", "首日 {first} 晚于末日 {last}。"),
    "bad_day": ("{day} is no day of this shop.", "{day} 不是本店的日期。"),
    "bad_span": (
        "`since` lies after `until`, or more than ten years before it.",
        "since 晚于 until，或比它早十年以上。",
    ),
}


def _refused(request: Request, error: Refusal, status: int = 409) -> Status:
    return Status(status, {"error": error.say(language(request)), "code": CODES.get(type(error), error.code)})


def _bad(request: Request, code: str, **told: object) -> Status:
    return Status(400, {"error": sentence(SENTENCES, code, told, language(request)), "code": code})


@router.get("/finance/costs", response=ANSWERS)
def costs(
    request: Request,
    first: Annotated[date, Query(alias="from", ge=FIRST_DAY, le=LAST_DAY, description="first day")],
    last: Annotated[date, Query(alias="to", ge=FIRST_DAY, le=LAST_DAY, description="last day")],
    kind: Annotated[str, Query(pattern=r"^(gift|benefit|coupon|draw|referral|bonus)?$")] = "",
    programme: Annotated[str, Query(max_length=80)] = "",
    member: Annotated[str, Query(max_length=40, description="card")] = "",
    lines: Annotated[int, Query(ge=0, le=1000, description="so many rows behind it, the latest first")] = 0,
) -> Any:
    """What gifts, benefits, coupons, draws and bonus cost in a time, by kind and programme."""
    if first > last:
        return _bad(request, "from_after_to", first=first, last=last)
    merchant = request.auth.merchant
    who = member_of(merchant.pk, member).pk if member else None
    return _plain(
        costs_report.costs_of(merchant, first, last, "en", kind=kind, programme=programme, member_id=who, lines=lines)
    )


@router.get("/finance/liability", response=ANSWERS)
def liability(request: Request, at: date | None = None) -> Status:
    """What is owed in points at the end of a day (today: now), by age, expiry, tier, store and who pays; exact for any day."""
    merchant = request.auth.merchant
    now = shop_now(merchant)
    day = at or day_of(now, merchant.tz)
    if not 1970 < day.year < 9998:
        return _bad(request, "bad_day", day=day)
    return Status(200, _plain(finance_report.liability(merchant, day, now, "en")))


@router.get("/finance/movements", response=ANSWERS)
def movements(request: Request, since: str = "", until: str = "") -> Status:
    """Opening, movements and closing of each month from `since` to `until` (2026-03), checked against the double entry."""
    merchant = request.auth.merchant
    now = shop_now(merchant)
    try:
        last = months.read(until) if until else finance.this_month(merchant, now)
        first = months.read(since) if since else last - SPAN + 1
    except months.NotAMonth as error:
        return _refused(request, error, 400)
    if not 0 <= last - first < 10 * SPAN:
        return _bad(request, "bad_span")
    return Status(200, _plain(finance_report.movements(merchant, first, last, now, "en")))


@router.get("/finance/breakage", response=ANSWERS)
def breakage(request: Request) -> Status:
    """Points by month of issue: used and lapsed by age, expected in the end, and the error on held-out months."""
    merchant = request.auth.merchant
    try:
        return Status(200, _plain(finance_report.breakage(merchant, shop_now(merchant), "en")))
    except finance.NothingIssued as error:
        return _refused(request, error)


@router.get("/finance/deferral", response=ANSWERS)
def deferral(request: Request, at: date | None = None) -> Status:
    """Deferred revenue or provision month by month, by the shop's own method."""
    merchant = request.auth.merchant
    now = shop_now(merchant)
    day = at or day_of(now, merchant.tz)
    if not 1970 < day.year < 9998:
        return _bad(request, "bad_day", day=day)
    try:
        return Status(200, _plain(finance_report.deferral(merchant, day, now, "en")))
    except finance.NothingIssued as error:
        return _refused(request, error)


@router.get("/finance/lapsing", response=ANSWERS)
def lapsing(request: Request) -> Status:
    """What is due to lapse in each month ahead, what of it probably will, between which bounds."""
    merchant = request.auth.merchant
    return Status(200, _plain(finance_report.lapsing(merchant, shop_now(merchant), "en")))


@router.get("/finance/entries", response=ANSWERS)
def entries(request: Request, month: str = Month) -> Status:  # type: ignore[assignment]
    """Balanced entries of a month, per month and per day; of a closed month those that were handed over."""
    merchant = request.auth.merchant
    try:
        return Status(200, _plain(finance_report.entries(merchant, months.read(month), shop_now(merchant), "en")))
    except months.NotAMonth as error:
        return _refused(request, error, 400)
    except finance.NotInTheBooks as error:
        return _refused(request, error)
    except finance.NothingIssued as error:
        return _refused(request, error)


@router.get("/finance/entries/file", response={200: str, 400: CodedRefusal, 409: CodedRefusal})
def entries_file(
    request: Request,
    month: str = Month,  # type: ignore[assignment]
    kind: Annotated[str, Query(pattern="^(csv|xlsx|json|hledger)$")] = "csv",
    per: Annotated[str, Query(pattern="^(month|day)?$", description="one voucher for the month, or one a day")] = "",
) -> Any:
    """The entries of a month as a file for the bookkeeper; of a closed month as it was handed over, to the byte."""
    merchant = request.auth.merchant
    try:
        report = finance_report.entries(merchant, months.read(month), shop_now(merchant), language(request), per)
    except months.NotAMonth as error:
        return _refused(request, error, 400)
    except (finance.NotInTheBooks, finance.NothingIssued) as error:
        return _refused(request, error)
    body = finance_report.as_file(report, kind, merchant.currency, language(request))
    name = f"entries-{month}.{kind}"
    return HttpResponse(
        body, content_type=KINDS[kind], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@router.get("/finance/closed", response=ClosedMonthsOut)
def closed(request: Request) -> Any:
    """The months that are closed, and whether each is still what was handed over (`whole`)."""
    merchant = request.auth.merchant
    return ClosedMonthsOut(
        whole=finance.chain_is_whole(merchant),
        months=[
            ClosedOut(month=months.label(c.month), closed_at=c.closed_at.isoformat(), digest=bytes(c.digest).hex())
            for c in finance.closed_months(merchant)
        ],
    )


@router.get("/finance/policy", response=PolicyOut)
def policy(request: Request) -> Any:
    """By which method, expectation and accounts points are put into the books."""
    return _policy(finance.policy(request.auth.merchant))


@router.post("/finance/policy", response={200: PolicyOut, 403: CodedRefusal, 422: CodedRefusal})
def set_policy(request: Request, told: PolicyIn) -> Any:
    """Changes what is told of it, from the next open month on. Sent again it changes nothing."""
    token = office(request.auth)
    merchant = token.merchant
    plain = finance.policy(merchant).model_dump(mode="json")
    changes = told.model_dump(exclude_unset=True, mode="json")
    accounts = plain["accounts"] | {role: {"code": code} for role, code in changes.pop("accounts", {}).items() if code}
    gone = {role for role, code in told.accounts.items() if not code}
    plain["accounts"] = {role: one for role, one in accounts.items() if role not in gone}
    chosen = policies.of(plain | changes)
    set_finance_policy(merchant=merchant, policy=chosen, now=shop_now(merchant), actor=f"token:{token.pk}")
    return _policy(chosen)


def _policy(chosen: policies.Policy) -> PolicyOut:
    return PolicyOut(
        **chosen.model_dump(mode="json", exclude={"accounts"}),
        accounts={role: chosen.account(role).code for role in policies.ROLES},
    )


@router.post("/finance/close", response={200: ClosedOut, 400: CodedRefusal, 403: dict, 409: CodedRefusal})
def close(request: Request, month: str = Month) -> Status:  # type: ignore[assignment]
    """Close a month that is over, for ever. Closed before, it is answered with what was kept then."""
    token = office(request.auth)
    try:
        kept = close_month(
            merchant=token.merchant, month=months.read(month), now=shop_now(token.merchant), actor=f"token:{token.pk}"
        )
    except months.NotAMonth as error:
        return _refused(request, error, 400)
    except CannotClose as error:
        return _refused(request, error)
    except finance.NothingIssued as error:
        return _refused(request, error)
    digest = bytes(kept.digest).hex()
    return Status(200, {"month": month, "closed_at": kept.closed_at.isoformat(), "digest": digest})
