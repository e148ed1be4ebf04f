"""Simulation over the wire: what the whole history would come to under a changed charter. Begun as a job, then asked for."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from ninja import Router, Schema, Status
from pydantic import Field

from shuke.doors.api.charters import NotPublished, Told, problems_of
from shuke.doors.api.shapes import CodedRefusal
from shuke.doors.api.tokens import Request, writer
from shuke.engine.charter import document
from shuke.flows import simulate_charter as flow
from shuke.kit import jobs
from shuke.kit.models import Job
from shuke.kit.refusal import Refusal, Sentences
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.shops.queries import now as shop_now

router = Router(tags=["charter"])


class NoSimulation(Refusal):
    sentences: ClassVar[Sentences] = {
        "no_such_simulation": (
            "There is no simulation {number}, or it is older than a week. Begin one: POST charter/simulate.",
            "没有试算 {number}，或已超过一周。请重新发起：POST charter/simulate。",
        ),
        "no_history": ("{card} has no history to simulate.", "{card} 没有可试算的历史。"),
    }


class Simulate(Told):
    since: date | None = Field(None, description="the charter counts from this day on; null: for all of history")


class SimulationOut(Schema):
    simulation: str = Field(description="number to ask for")
    state: str = Field(description="ready, running, done or failed")
    done: int
    total: int | None
    error: str
    result: dict[str, Any] | None = Field(
        None, description="when it is done: `before` (today's charter), `after`, `moves`, `movers`, `assumed` …"
    )


@router.post("/charter/simulate", response={200: SimulationOut, 403: CodedRefusal, 422: NotPublished})
def begin(request: Request, told: Simulate) -> Status:
    """Replay the whole history under a changed charter, beside today's. Never touches the books; takes seconds to minutes."""
    token = writer(request.auth)
    if found := problems_of(told, request):
        return Status(422, {"error": found[0].text, "code": "charter_invalid", "problems": found})
    number = flow.simulate_later(
        merchant=token.merchant,
        charter=document.from_plain(told.raw()),
        since=told.since,
        draft=None,
        now=shop_now(token.merchant),
        actor=f"token:{token.pk}",
    )
    return Status(200, SimulationOut(simulation=str(number), state="ready", done=0, total=None, error="", result=None))


@router.get("/charter/simulations/{number}", response={200: SimulationOut, 404: CodedRefusal})
def simulation(request: Request, number: int) -> SimulationOut:
    """How far it is; when it is done, both charters beside each other."""
    job = _job(request, number)
    found = flow.result(request.auth.merchant.pk, job.pk) if job.state == "done" else None
    if job.state == "done" and found is None:
        raise NoSimulation("no_such_simulation", number=number)
    if found is not None:
        cards = _cards(request, [one["member_id"] for one in found["movers"]])
        found["movers"] = [_named(one, cards) for one in found["movers"]]
    return SimulationOut(
        simulation=str(job.pk),
        state=job.state,
        done=job.progress.get("done") or 0,
        total=job.progress.get("total"),
        error=job.error if job.state == "failed" else "",
        result=found,
    )


@router.get("/charter/simulations/{number}/members/{card}", response={200: dict[str, Any], 404: CodedRefusal})
def of_member(request: Request, number: int, card: str) -> Any:
    """One member under both charters, every point and every tier explained."""
    job = _job(request, number)
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    asked = job.arguments
    told = flow.explain(
        merchant=merchant,
        charter=document.published(asked["document"]),
        member_id=who.pk,
        since=date.fromisoformat(asked["since"]) if asked["since"] else None,
        now=shop_now(merchant),
    )
    if told is None:
        raise NoSimulation("no_history", card=card)
    return {"card": who.card, **told}


def _job(request: Request, number: int) -> Job:
    job = jobs.find(number, merchant_id=request.auth.merchant.pk)
    if job is None or job.name != flow.JOB:
        raise NoSimulation("no_such_simulation", number=number)
    return job


def _cards(request: Request, ids: list[int]) -> dict[int, str]:
    return dict(Member.objects.filter(merchant=request.auth.merchant, pk__in=ids).values_list("pk", "card"))


def _named(mover: dict[str, Any], cards: dict[int, str]) -> dict[str, Any]:
    rest = {name: value for name, value in mover.items() if name != "member_id"}
    return {"card": cards.get(mover["member_id"], ""), **rest}
