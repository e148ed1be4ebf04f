"""Lucky draws: made by a form, promised, stopped, revealed; their tickets and the public page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.templatetags.rewards import activity
from shuke.doors.console.views.rewards import READERS, coupons_to_choose
from shuke.engine import draws as engine
from shuke.engine.draws import DrawInvalid
from shuke.kit import money
from shuke.loyalty.actions import draws as actions
from shuke.loyalty.actions.draws import DrawRefused
from shuke.loyalty.models import Draw
from shuke.loyalty.queries import draws as stored
from shuke.loyalty.queries.charters import NoCharter, in_force
from shuke.shops.models import Role

PRIZES = 8  # rows of the form
FIRST = 3  # of them shown at first; the others are folded away while they are empty
EDITORS = (Role.OWNER, Role.MANAGER)
STEPS = {"promise": actions.commit_draw, "stop": actions.stop_draw, "reveal": actions.reveal_draw}


@console(*READERS)
@require_GET
def draws(request: StaffRequest) -> HttpResponse:
    context = {
        "draws": stored.draws(request.merchant),
        "may_edit": request.staff.role in EDITORS,
        "merchant": request.merchant,
        "tab": "draws",
    }
    return render(request, "console/reward_draws.html", context)


@console(*READERS)
@require_GET
def draw(request: StaffRequest, pk: int) -> HttpResponse:
    """One draw with its promise, prizes, tickets, and how well they fit the odds."""
    row = get_object_or_404(Draw, merchant=request.merchant, pk=pk)
    drew: dict[str, int] = {}
    for key in stored.tickets(row).values_list("drew", flat=True):
        drew[key] = drew.get(key, 0) + 1
    terms = engine.read_terms(row.terms)
    context = {
        "draw": row,
        "prizes": [
            {
                "name": p.name,
                "odds": p.odds,
                "stock": p.stock,
                "gone": dict(terms.prize(p.when_gone).name) if p.when_gone else None,  # type: ignore[union-attr]
                "drew": drew.get(p.key, 0),
                "expected": float(p.odds) * row.issued,
                "given": row.given.get(p.key, 0),
            }
            for p in terms.prizes
        ],
        "fit": engine.fit(terms, drew, row.issued),
        "tickets": stored.tickets(row).select_related("member").order_by("-number")[:50],
        "public": request.build_absolute_uri(reverse("public:draw", args=[stored.public_name(row)])) if row.commitment else "",
        "may_edit": request.staff.role in EDITORS,
        "over": request.now >= row.closes_at,
        "merchant": request.merchant,
        "tab": "draws",
    }  # fmt: skip
    return render(request, "console/reward_draw.html", context)


@console(*EDITORS)
@require_http_methods(["GET", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    return _edit(request, None)


@console(*EDITORS)
@require_http_methods(["GET", "POST"])
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Draw, merchant=request.merchant, pk=pk))


@console(*EDITORS)
@require_POST
def step(request: StaffRequest, pk: int) -> HttpResponse:
    """Promise, stop or reveal."""
    row = get_object_or_404(Draw, merchant=request.merchant, pk=pk)
    deed = STEPS.get(request.POST.get("do", ""))
    if deed is None:
        return redirect("console:reward-draw", pk)
    try:
        deed(merchant=request.merchant, code=row.code, now=request.now, actor=request.staff.username)
    except (DrawRefused, DrawInvalid) as error:
        messages.warning(request, error.say(get_language() or "zh"))
    else:
        messages.success(request, _("Done."))
    return redirect("console:reward-draw", pk)


def _edit(request: StaffRequest, row: Draw | None) -> HttpResponse:
    wrong = ""
    told: Mapping[str, Any] = request.POST if request.method == "POST" else _told(request, row)
    if request.method == "POST":
        try:
            saved = actions.save_draw(
                merchant=request.merchant,
                code=row.code if row is not None else request.POST.get("code", ""),
                terms=_terms(request),
                now=request.now,
                actor=request.staff.username,
            )
        except (DrawInvalid, DrawRefused) as error:
            wrong = error.say(get_language() or "zh")
        except ValueError as error:
            wrong = str(error)
        else:
            messages.success(request, _("Saved. Nobody sees it before you publish the promise."))
            return redirect("console:reward-draw", saved.pk)
    try:
        known = in_force(request.merchant, request.now).activities
        activities = [(key, activity(key, request.merchant)) for key in sorted(known)]
    except NoCharter:
        activities = []
    fields = ("zh", "en", "odds", "stock", "gone", "points", "coupon", "worth")
    prizes = [{"n": n, **{f: told.get(f"{f}{n}", "") for f in fields}} for n in range(1, PRIZES + 1)]
    shown = max([FIRST, *(p["n"] for p in prizes if p["zh"] or p["en"] or p["odds"])])
    context = {
        "row": row,
        "told": told,
        "code": row.code if row is not None else told.get("code", ""),
        "prizes": prizes[:shown],
        "spare": prizes[shown:],
        "coupons": coupons_to_choose(request),
        "numbers": range(2, PRIZES + 1),
        "activities": activities,
        "wrong": wrong,
        "merchant": request.merchant,
        "tab": "draws",
    }  # fmt: skip
    return render(request, "console/reward_draw_edit.html", context, status=422 if wrong else 200)


def _terms(request: StaffRequest) -> dict[str, Any]:
    """The form as terms. Raises ValueError with a sentence."""
    post, zone, currency = request.POST, request.merchant.tz, request.merchant.currency

    def text(name: str, most: int = 80) -> str:
        return post.get(name, "").strip()[:most]

    def whole(name: str) -> int | None:
        told = text(name)
        if not told:
            return None
        if not (told.isascii() and told.isdigit() and len(told) < 12):
            raise ValueError(_("“%(text)s” is no whole number.") % {"text": told})
        return int(told)

    def amount(name: str) -> int:
        try:
            return money.parse(text(name) or "0", currency)
        except money.NotMoney as error:
            raise ValueError(_("“%(text)s” is no amount of money.") % {"text": text(name)}) from error

    def moment(name: str) -> str:
        try:
            return datetime.fromisoformat(text(name)).replace(tzinfo=zone).isoformat()
        except ValueError as error:
            raise ValueError(_("Say when it opens and closes.")) from error

    prizes = []
    for n in range(1, PRIZES + 1):
        if not (text(f"zh{n}") or text(f"en{n}") or text(f"odds{n}")):
            continue
        name = {"zh": text(f"zh{n}") or text(f"en{n}"), "en": text(f"en{n}") or text(f"zh{n}")}
        prize: dict[str, Any] = {
            "key": f"p{n}",
            "name": name,
            "odds": text(f"odds{n}", 30),
            "stock": whole(f"stock{n}"),
        }
        if text(f"gone{n}"):
            prize["when_gone"] = f"p{text(f'gone{n}', 2)}"
        if points := whole(f"points{n}"):
            prize["points"] = points
        if coupon := text(f"coupon{n}", 30):
            prize["coupon"] = coupon
        if worth := amount(f"worth{n}"):
            prize["worth_minor"] = worth
        prizes.append(prize)
    ways: dict[str, Any] = {}
    if price := whole("way_points"):
        ways["points"] = price
    if text("way_order"):
        ways["order"] = {"min_minor": amount("way_order"), "after_days": whole("way_wait") or 0}
    if text("way_activity"):
        ways["activity"] = text("way_activity", 30)
    if post.get("way_given"):
        ways["given"] = True
    limits = {k: v for k in ("per_member", "per_day") if (v := whole(k))}
    return {
        "name": {"zh": text("name_zh") or text("name_en"), "en": text("name_en") or text("name_zh")},
        "opens_at": moment("opens_at"),
        "closes_at": moment("closes_at"),
        "prizes": prizes,
        "ways": ways,
        "limits": limits,
    }


def _told(request: StaffRequest, row: Draw | None) -> dict[str, str]:
    """What the form shows at first."""
    if row is None:
        return {"way_given": "1"}
    zone, terms, places = request.merchant.tz, row.terms, money.digits(request.merchant.currency)

    def plain(minor: int) -> str:
        return f"{minor / 10**places:.{places}f}"

    ways, limits = terms.get("ways", {}), terms.get("limits", {})
    told = {
        "name_zh": terms["name"]["zh"], "name_en": terms["name"]["en"],
        "opens_at": f"{row.opens_at.astimezone(zone):%Y-%m-%dT%H:%M}",
        "closes_at": f"{row.closes_at.astimezone(zone):%Y-%m-%dT%H:%M}",
        "way_points": ways.get("points", ""), "way_activity": ways.get("activity", ""), "way_given": "1" if ways.get("given") else "",
        "per_member": limits.get("per_member", ""), "per_day": limits.get("per_day", ""),
    }  # fmt: skip
    if order := ways.get("order"):
        told |= {"way_order": plain(order.get("min_minor", 0)), "way_wait": order.get("after_days", 0)}
    for prize in terms["prizes"]:
        n = prize["key"].removeprefix("p")
        told |= {
            f"zh{n}": prize["name"]["zh"], f"en{n}": prize["name"]["en"], f"odds{n}": prize["odds"],
            f"stock{n}": prize.get("stock") or "", f"gone{n}": (prize.get("when_gone") or "").removeprefix("p"),
            f"points{n}": prize.get("points") or "", f"coupon{n}": prize.get("coupon") or "",
            f"worth{n}": plain(prize["worth_minor"]) if prize.get("worth_minor") else "",
        }  # fmt: skip
    return {k: str(v) for k, v in told.items()}
