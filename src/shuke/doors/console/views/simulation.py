"""What a draft would have done: begun as a job, watched, and read beside today's charter."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.person import Says
from shuke.doors.console.views.drafts import charter_of, draft_of, may, or_closed, tongue
from shuke.engine.charter import document
from shuke.flows import simulate_charter as flow
from shuke.kit import clock, jobs
from shuke.kit.models import Job
from shuke.loyalty.queries import charters
from shuke.members.models import Member

PAST = 10
LISTED = 50


@console()
@require_http_methods(["GET", "HEAD", "POST"])
@or_closed
def simulate(request: StaffRequest, draft_id: int) -> HttpResponse:
    """Simulations of a draft; a POST begins one."""
    draft = draft_of(request, draft_id)
    charter = charter_of(draft)
    if request.method == "POST":
        if charter is None:
            messages.warning(request, _("This draft is not a charter yet. Mend what is marked first."))
            return redirect("console:charter-draft", draft.pk)
        since = None
        if request.POST.get("when") == "from":
            try:
                since = date.fromisoformat(request.POST.get("day", ""))
            except ValueError:
                messages.warning(request, _("Choose a day."))
                return redirect("console:charter-simulate", draft.pk)
        try:
            job_id = flow.simulate_later(
                merchant=request.merchant,
                charter=charter,
                since=since,
                draft=(draft.pk, draft.revision),
                now=request.now,
                actor=request.staff.username,
            )
        except flow.TooFar as error:
            messages.warning(request, error.say(tongue()))
            return redirect("console:charter-simulate", draft.pk)
        return redirect("console:charter-simulation", job_id)
    past = [
        job
        for job in Job.objects.filter(merchant_id=request.merchant.pk, name=flow.JOB).order_by("-made_at")[:200]
        if (job.arguments.get("draft") or [0])[0] == draft.pk
    ][:PAST]
    today = clock.day_of(request.now, request.merchant.tz)
    next_month = clock.add_months(today.replace(day=1), 1)
    context = {"draft": draft, "valid": charter is not None, "past": past, "next_month": next_month.isoformat()}
    return render(request, "console/charter_simulate.html", context)


@console()
@require_GET
def simulation(request: StaffRequest, job_id: int) -> HttpResponse:
    """How far it is; then both charters beside each other."""
    job = _job(request, job_id)
    seen = flow.result(request.merchant.pk, job.pk) if job.state == "done" else None
    draft_id = (job.arguments.get("draft") or [0])[0]
    context: dict[str, Any] = {
        "job": job,
        "draft": charters.draft(request.merchant, draft_id),
        "gone": job.state == "done" and seen is None,
        "done": job.progress.get("done") or 0,
        "total": job.progress.get("total"),
        "stage": job.progress.get("note", ""),
    }
    if seen is not None:
        context |= _result(request, job, seen)
    template = "console/charter_simulation_state.html" if request.htmx else "console/charter_simulation.html"
    response = render(request, template, context)
    if request.htmx and job.state in ("done", "failed"):  # the whole page, once, with its tables
        response["HX-Refresh"] = "true"
    return response


def _job(request: StaffRequest, job_id: int) -> Job:
    may(request)
    job = jobs.find(job_id, merchant_id=request.merchant.pk)
    if job is None or job.name != flow.JOB:
        raise Http404
    return job


def _result(request: StaffRequest, job: Job, seen: dict[str, Any]) -> dict[str, Any]:
    language = tongue()
    names = {t["key"]: t["name"][language] for t in [*seen["tiers_before"], *seen["tiers_after"]]}
    before, after = seen["before"], seen["after"]
    most = max([1, *(n for side in (before, after) if side for n in side["tiers"].values())])
    keys = dict.fromkeys([t["key"] for t in [*reversed(seen["tiers_after"]), *reversed(seen["tiers_before"])]])
    ladder = [
        {
            "name": names[key],
            "before": (before or {}).get("tiers", {}).get(key, 0),
            "after": after["tiers"].get(key, 0),
            "most": most,
            "new": key not in {t["key"] for t in seen["tiers_before"]},
            "gone": key not in {t["key"] for t in seen["tiers_after"]},
        }
        for key in keys
    ]
    listed = seen["movers"][:LISTED] if len(seen["movers"]) <= LISTED else _both_ways(seen["movers"])
    people = {
        m.pk: m for m in Member.objects.filter(merchant=request.merchant, pk__in=[m["member_id"] for m in listed])
    }
    movers = [
        m
        | {
            "who": str(people.get(m["member_id"], m["member_id"])),
            "before": names.get(m["before"], m["before"]),
            "after": names.get(m["after"], m["after"]),
            "url": f"{reverse('console:charter-simulated-member', args=[job.pk, m['member_id']])}",
        }
        for m in listed
    ]
    return {
        "seen": seen,
        "ladder": ladder,
        "figures": _figures(before, after),
        "assumed": [one["say"][tongue()] for one in seen.get("assumed", [])],
        "months": _months(before, after),
        "moves": [
            {"before": names.get(b, b), "after": names.get(a, a), "count": n} for b, a, n in seen["moves"] if b != a
        ],
        "movers": movers,
        "more": len(seen["movers"]) - len(listed),
    }


def _both_ways(movers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    down, up = [m for m in movers if not m["up"]], [m for m in movers if m["up"]]
    half = LISTED // 2
    return down[: max(half, LISTED - len(up))] + up[: max(half, LISTED - len(down))]


def _figures(before: dict[str, Any] | None, after: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of the comparison: name, kind, both sides."""
    named = [
        (_("Points issued"), "issued", "count"),
        (_("Points spent"), "spent", "count"),
        (_("Points expired"), "expired", "count"),
        (_("Points members have left"), "outstanding", "count"),
        (_("Points owed by members"), "debt", "count"),
        (_("What the points left would cost"), "liability_minor", "money"),
        (_("What all points granted cost, if spent"), "granted_minor", "money"),
        (_("Cost of points spent"), "spent_minor", "money"),
        (_("Saved by expiry"), "expired_minor", "money"),
        (_("Share that lapsed, of points past their expiry"), "breakage_rate", "rate"),
        (_("Growth value of all members"), "growth", "count"),
    ]
    if any(side and side.get("discounts_minor") for side in (before, after)):
        named += [
            (_("Taken off by tier prices"), "tier_price_minor", "money"),
            (_("Taken off by offers"), "offers_minor", "money"),
            (_("Taken off by coupons of its rules (estimate)"), "coupons_minor", "money"),
            (_("All discounts"), "discounts_minor", "money"),
        ]
    return [
        {"name": name, "kind": kind, "before": (before or {}).get(key), "after": after.get(key)}
        for name, key, kind in named
    ]


def _months(before: dict[str, Any] | None, after: dict[str, Any]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    quiet = dict.fromkeys(("issued", "spent", "expired", "up", "down"), 0)
    for side, told in (("before", before), ("after", after)):
        for line in (told or {}).get("months", []):
            row = found.setdefault(line["month"], {"month": line["month"], "before": quiet, "after": quiet})
            row[side] = line
    return [found[month] for month in sorted(found, reverse=True)]


@console()
@require_GET
def member(request: StaffRequest, job_id: int, pk: int) -> HttpResponse:
    """One member under both charters, every point and every tier explained."""
    job = _job(request, job_id)
    who = Member.objects.filter(merchant=request.merchant, pk=pk).first()
    if who is None:
        raise Http404
    asked = job.arguments
    charter = document.from_plain(asked["document"])
    since = date.fromisoformat(asked["since"]) if asked["since"] else None
    told = flow.explain(merchant=request.merchant, charter=charter, member_id=pk, since=since, now=request.now)
    if told is None:
        raise Http404
    today = charters.published(request.merchant)
    names: dict[str, str] = {}
    for found in [*(document.published(v.document) for v in today), charter]:
        names |= {t.key: getattr(t.name, tongue()) for t in found.tiers}
        names |= {r.key: getattr(r.name, tongue()) for r in found.earning}
    sides = [name for name in ("before", "after") if name in told["sides"]]
    says = Says(request)
    events = [
        {
            "at": e["at"][:10],
            "event": says.event(e["event"]) or e["event"],
            "kind": says.posting(e["kind"]),
            "sides": [_side(e.get(name), names) for name in sides],
            "differs": len({(e.get(name) or {}).get("points") for name in sides}) > 1,
        }
        for e in told["events"]
    ]
    context = {
        "job": job,
        "who": who,
        "sides": [_told_side(told["sides"][name], name) for name in sides],
        "names": names,
        "events": sorted(events, key=lambda e: e["at"], reverse=True),
        "differing": sum(e["differs"] for e in events),
    }
    return render(request, "console/charter_simulated_member.html", context)


def _told_side(side: dict[str, Any], name: str) -> dict[str, Any]:
    causes = {
        "joined": _("everybody starts here"),
        "reached": _("reached by purchases"),
        "review": _("result of the review"),
        "manual": _("given by hand"),
        "invited": _("by invitation"),
        "charter": _("by a change of the charter"),
    }
    moves = [move | {"cause": causes.get(move["cause"], move["cause"])} for move in side["moves"]]
    return side | {"key": name, "moves": moves}


def _side(side: dict[str, Any] | None, names: dict[str, str]) -> dict[str, Any]:
    if side is None:
        return {"points": None, "why": []}
    why = [
        {
            "name": names.get(w["rule"].removeprefix("tier:"), w["rule"]),
            "points": w["points"],
            "times": w.get("times", ""),
        }
        for w in side["why"]
        if isinstance(w, dict) and "rule" in w and "points" in w
    ]
    return {"points": side["points"], "why": why}
