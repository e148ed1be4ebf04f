"""Insight over the wire: key figures, RFM, pyramid, movement, growth, cohorts. Each answer says as of when it is and what its figures mean."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from ninja import Query, Router, Status

from shuke.doors.api.shapes import CodedRefusal
from shuke.doors.api.tokens import Request
from shuke.engine.insight import kpi, wording
from shuke.engine.insight.growth import GUESTS, TooManyStretches
from shuke.insight.queries import analytics, cut_points, figures, growth, transitions
from shuke.shops.models import Merchant

router = Router(tags=["insight"])
Grain = Literal["day", "week", "month", "quarter", "year"]
CohortGrain = Literal["week", "month", "quarter", "year"]
By = Literal["", "store", "channel", "acquisition"]
Day = Annotated[date | None, Query(alias="date", description="as of this day; default: the latest there is")]


ANSWERS: dict[Any, Any] = {200: dict, 400: CodedRefusal, 409: CodedRefusal, 503: CodedRefusal}


def _refused(code: str, error: Exception) -> Status:
    return Status(400, {"error": str(error), "code": code})


def _told(merchant: Merchant, day: date | None) -> figures.Figures:
    return figures.told(merchant, day)


def _head(told: figures.Figures, *names: str) -> dict[str, Any]:
    return {
        "as_of": told["as_of"],
        "made_at": told["made_at"],
        "currency": told["currency"],
        "definitions": {name: figures.definition(name, told, "en") for name in names},
        "missing": [
            gap | {"reason": wording.MISSING[gap["code"]].said("en", **gap["params"])} for gap in told["missing"]
        ],
    }


@router.get("/insight/summary", response=ANSWERS)
def summary(request: Request, day: Day = None) -> Any:
    """The key figures of a day, the calendar months up to it, and the stores."""
    told = _told(request.auth.merchant, day)
    named = [name for name in told["kpi"] if name in wording.FIGURES]
    return _head(told, *named) | {
        name: told[name] for name in ("history", "kpi", "months", "stores", "stores_left_out")
    }


@router.get("/insight/rfm", response=ANSWERS)
def rfm(request: Request, day: Day = None) -> Any:
    """Members by the eight classes, by fifths, and the published cut points: which, since when, by whom, until when."""
    merchant = request.auth.merchant
    told = _told(merchant, day)
    classes = [
        row
        | {
            "name": wording.RFM_NAMES[row["code"]].said("en"),
            "strategy": wording.RFM_STRATEGIES[row["code"]].said("en"),
        }
        for row in told["rfm"]["classes"]
    ]
    held = [one for one in cut_points.history(merchant) if one.day.isoformat() <= told["as_of"]]
    published = {"since": held[0].day.isoformat(), "made_at": held[0].made_at.isoformat(), "by": held[0].actor or "night"} if held else None  # fmt: skip
    return _head(told, "rfm") | told["rfm"] | {"classes": classes, "published": published}


@router.get("/insight/pyramid", response=ANSWERS)
def pyramid(request: Request, day: Day = None) -> Any:
    """The layers by spend, the loyalty layers, the curve, and the share of revenue that has a member's name on it."""
    told = _told(request.auth.merchant, day)
    return _head(told, "identified_rate", "pyramid", "bonds", "curve", "gini") | told["pyramid"]


@router.get("/insight/movement", response=ANSWERS)
def movement(
    request: Request,
    what: Literal["rfm", "layer", "stage"] = "rfm",
    since: date | None = None,
    until: date | None = None,
) -> Any:
    """Members by where they stood at the end of two days, those who stayed included. Days without figures mean the last one before."""
    merchant = request.auth.merchant
    told, days = _told(merchant, None), transitions.between(figures.days(merchant), since, until)
    if days is None:
        raise figures.NoFigures("one_night_only")
    flows = transitions.transitions(merchant, what=what, since=days[0], until=days[1])
    recut = cut_points.recut_days(merchant, since=days[0], until=days[1]) if what == "rfm" else []
    return _head(told, "transitions") | {
        "what": what,
        "since": days[0].isoformat(),
        "until": days[1].isoformat(),
        "recut": [one.isoformat() for one in recut],
        "flows": [flow._asdict() for flow in flows],
    }


@router.get("/insight/growth", response=ANSWERS)
def grown(
    request: Request, since: date | None = None, until: date | None = None, grain: Grain = "month", by: By = ""
) -> Any:
    """New members, buyers, newcomers, repeat, churn and baskets by period and part of the shop; each part over all days, too."""
    try:
        told = growth.growth(request.auth.merchant, since=since, until=until, grain=grain, by=by, within=analytics.PAGE)
    except growth.BadQuestion as error:
        return _refused(error.code, error)
    except TooManyStretches as error:
        return _refused("too_many_periods", error)
    meanings = {
        name: both[1].said("en", active_days=kpi.ACTIVE_DAYS, window_days=kpi.WINDOW_DAYS)
        for name, both in wording.GROWTH.items()
    }
    return {
        "as_of": told.as_of.isoformat(),
        "made_at": told.made_at.isoformat(),
        "currency": request.auth.merchant.currency,
        "definitions": meanings,
        "since": told.since.isoformat(),
        "until": told.until.isoformat(),
        "grain": told.grain,
        "by": told.by,
        "parts": [
            {
                "key": part.key,
                "name": part.name,
                "guests": part.number == GUESTS,
                "whole": growth.row_of(told.whole[part.number]),
                "periods": [growth.row_of(row) for row in told.course[part.number]],
            }
            for part in told.parts
        ],
    }


@router.get("/insight/cohorts", response=ANSWERS)
def cohorts(
    request: Request, grain: CohortGrain = "month", by: By = "", part: Annotated[str, Query(max_length=60)] = ""
) -> Any:
    """Members by the period of their first purchase, and what they bought in the periods after it. Periods that are not over are null."""
    try:
        told = growth.cohorts(request.auth.merchant, grain=grain, by=by, within=analytics.PAGE)
        chosen = growth.part_of(told.parts, part) if by and part else told.parts[0] if told.parts else None
    except growth.BadQuestion as error:
        return _refused(error.code, error)
    except TooManyStretches as error:
        return _refused("too_many_periods", error)
    return {
        "as_of": told.as_of.isoformat(),
        "made_at": told.made_at.isoformat(),
        "currency": request.auth.merchant.currency,
        "definitions": {
            "size": "Members who bought for the first time ever in the period, in that part of the shop.",
            "buyers": "Of these, those who bought in the n-th period after it; null: not over yet.",
            "order_days": "Days with a purchase of these in that period.",
            "net_minor": "Net spend of these in that period, refunds taken off the sale.",
        },
        "grain": told.grain,
        "by": told.by,
        "parts": [{"key": one.key, "name": one.name, "size": told.cohorts.together(one.number, 0)[0]} for one in told.parts],
        "part": chosen.key if chosen else "",
        "cohorts": growth.cohort_rows(told, chosen.number) if chosen else [],
        "together": [one._asdict() for one in told.cohorts.together(chosen.number, len(told.cohorts.listed) - 1)[1]] if chosen else [],
    }  # fmt: skip
