"""Profit and retention budgets over the wire, what the seller states about costs, and costs booked on members."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import AwareDatetime, Field

from shuke.doors.api.shapes import Body, CodedRefusal, Minor, Refusal
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request, writer
from shuke.engine.insight.profit_words import Refused
from shuke.insight import actions
from shuke.insight.queries import figures, profit_inputs
from shuke.insight.queries import profit as told
from shuke.insight.queries.profit_told import member_plain, row_plain
from shuke.members.actions import Cost, book_costs
from shuke.members.queries import member_of
from shuke.shops.queries import now as shop_now

router = Router(tags=["insight"])


class CostIn(Body):
    kind: Literal["acquisition", "care", "service", "reward", "recovery"]
    amount_minor: Minor = Field(description="below 0 takes one back")
    key: Annotated[str, Field(min_length=1, max_length=120, description="the same key again books nothing")]
    at: AwareDatetime | None = Field(None, description="when it was caused; left out: now")
    note: Annotated[str, Field(max_length=200)] = ""


class BookedOut(Schema):
    booked: int


class StatementIn(Body):
    what: Literal["product", "category", "channel", "store"]
    key: Annotated[str, Field(min_length=1, max_length=160)]
    margin_permille: int | None = None
    cost_minor: Minor | None = None


class StatementsIn(Body):
    statements: Annotated[list[StatementIn], Field(min_length=1, max_length=1000)]


class StatedOut(Schema):
    stated: int


ANSWERS: dict[Any, Any] = {200: dict, 404: Refusal}
WRITES: dict[Any, Any] = {400: CodedRefusal, 403: Refusal, 404: Refusal}


@router.get("/insight/profit", response={200: dict, 409: CodedRefusal})
def profit(request: Request) -> Any:
    """Profit, costs, loyalty types, qualities and budgets of all members, as of the last report."""
    return figures.there(told.report(request.auth.merchant))


@router.get("/insight/budgets", response=list[dict])
def budgets(
    request: Request,
    advice: Annotated[Literal["keep", "win_back", "let_go", "at_ease"], Query()] = "win_back",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Any:
    """Members with this advice and what each is worth at most, largest budget first."""
    return [row_plain(one) for one in told.worth_keeping(request.auth.merchant, advice, limit)]


@router.get("/members/{card}/profit", response=ANSWERS)
def of_member(request: Request, card: str) -> Any:
    """What one member earned and cost, of which loyalty type and quality they are and why, and the retention budget."""
    merchant = request.auth.merchant
    who = member_of(merchant.pk, card)
    found = member_plain(merchant, who)
    return (
        Status(404, {"error": f"{who.card} is in no report yet: it is made after the night."})
        if found is None
        else found
    )


@router.post("/members/{card}/costs", response={200: BookedOut, **WRITES})
def book(request: Request, card: str, cost: CostIn) -> Any:
    """Book a cost on a member. Sent again with the same key it books nothing."""
    token = writer(request.auth)
    merchant, now = token.merchant, shop_now(token.merchant)
    at: datetime = cost.at or now
    one = Cost(member_of(merchant.pk, card).pk, cost.kind, cost.amount_minor, at, cost.key, "api", cost.note)
    return _refusing(
        request, lambda: {"booked": book_costs(merchant=merchant, costs=[one], now=now, actor=f"token:{token.pk}")}
    )


@router.get("/insight/costs", response=dict)
def stated(request: Request) -> Any:
    """Margins and costs as stated, and the terms in force with what of them is an assumption."""
    merchant = request.auth.merchant
    kept = profit_inputs.stated(merchant)
    return {
        "terms": profit_inputs.terms_of(merchant)._asdict(),
        "stated": {what: {key: one._asdict() for key, one in keys.items()} for what, keys in kept.items()},
    }


@router.post("/insight/costs", response={200: StatedOut, **WRITES})
def state(request: Request, sent: StatementsIn) -> Any:
    """State margins of goods or costs of goods, channels and stores, all or none; neither of the two takes one back."""
    token = writer(request.auth)
    merchant = token.merchant
    statements = [actions.Statement(one.what, one.key, one.margin_permille, one.cost_minor) for one in sent.statements]
    return _refusing(
        request,
        lambda: {
            "stated": actions.state_costs(
                merchant=merchant, statements=statements, now=shop_now(merchant), actor=f"token:{token.pk}"
            )
        },
    )


def _refusing(request: Request, call: Any) -> Any:
    try:
        return call()
    except Refused as error:
        return Status(400, {"error": error.say(language(request)), "code": error.code})
