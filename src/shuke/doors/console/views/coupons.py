"""Coupon templates in the console: the list with its figures, one template, making and changing it, issuing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import coupon_form, tiers, words
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.charter.describe_selling import Words
from shuke.flows import coupons as flow
from shuke.kit import numbers
from shuke.loyalty.actions import coupons
from shuke.loyalty.actions.coupons import CouponRefused, Issue
from shuke.loyalty.queries import charters
from shuke.loyalty.queries import coupons as stored
from shuke.loyalty.queries.charters import NoCharter
from shuke.members import queries as members
from shuke.shops import queries as shops

AT_ONCE = 500  # members whose cards may be pasted into one form


@console()
@require_GET
def templates(request: StaffRequest) -> HttpResponse:
    """All templates: what they give, what was issued and used, what is left; and what they cost in a month."""
    flow.adopt_charter(merchant=request.merchant, now=request.now)
    say = speaker(request)
    today = shops.today(request.merchant)
    since, until = _day(request, "from", today.replace(day=1)), _day(request, "to", today)
    known = stored.overview(request.merchant)
    named = {one.row.key: say.name(one.terms) for one in known}
    report = stored.report(request.merchant, since, until + timedelta(days=1))
    context = {
        "templates": [{"view": one, "says": say.sentence(one.terms), "name": say.name(one.terms)} for one in known],
        "report": [(named.get(row.key, row.key), row) for row in report],
        "since": since,
        "until": until,
        "may_edit": shops.may(request.staff, "members"),
    }  # fmt: skip
    return render(request, "console/coupons.html", context)


@console()
@require_GET
def template(request: StaffRequest, key: str) -> HttpResponse:
    """One template: its sentence, figures, versions, codes and the form to issue it."""
    flow.adopt_charter(merchant=request.merchant, now=request.now)
    view = _view(request, key)
    say = speaker(request)
    context = {
        "view": view,
        "name": say.name(view.terms),
        "says": say.sentence(view.terms),
        "versions": [{"row": row, "says": say.sentence(stored.terms_of(row))} for row in stored.versions(request.merchant, key)],
        "batches": stored.batches(request.merchant, key),
        "shared": stored.shared_codes(request.merchant, key),
        "may_edit": shops.may(request.staff, "members"),
        "may_export": shops.may(request.staff, "export"),
    }  # fmt: skip
    return render(request, "console/coupon_template.html", context)


@console()
@require_http_methods(["GET", "POST"])
def edit(request: StaffRequest, key: str = "") -> HttpResponse:
    """Make a template, or a new version of one."""
    _allowed(request)
    view = _view(request, key) if key else None
    if view is not None and view.row.source == "charter":
        messages.warning(request, refusal(CouponRefused("template_of_charter", key=key)))
        return redirect("console:coupon-template", key)
    document = view.row.document if view else {"returned_grace_days": 7, "limits": {"per_member": 1}}
    told = {name: str(value) for name, value in request.POST.items()} if request.method == "POST" else None
    wrong: list[tuple[Any, str]] = []
    if told is not None:
        if key:
            told["key"] = key
        try:
            made = coupon_form.read(told, document, _tier_keys(request), words.language())
            coupons.save_template(
                merchant=request.merchant,
                template=made,
                now=request.now,
                actor=request.staff.username,
                upon=numbers.whole(request.POST["upon"]) if "upon" in request.POST else None,
            )
        except coupon_form.Wrong as error:
            wrong = error.faults
        except CouponRefused as error:
            wrong = [("", refusal(error))]
        except NoCharter as error:
            wrong = [("", str(error))]
        else:
            messages.success(request, _("Saved."))
            return redirect("console:coupon-template", made.key)
    context = {
        "groups": coupon_form.shown(document, _tier_keys(request), told),
        "wrong": wrong,
        "key": key,
        "upon": view.row.version if view else 0,
    }
    return render(request, "console/coupon_form.html", context, status=422 if wrong else 200)


@console()
@require_POST
def act(request: StaffRequest, key: str) -> HttpResponse:
    """Pause, resume, issue to members, make or end a shared code, order unique codes."""
    _allowed(request)
    view = _view(request, key)
    what = request.POST.get("do", "")
    told: dict[str, Any] = {"merchant": request.merchant, "now": request.now, "actor": request.staff.username}
    try:
        if what in ("pause", "resume"):
            coupons.pause_template(key=key, paused=what == "pause", **told)
        elif what == "issue":
            _issue(request, view.row.key)
        elif what == "code":
            coupons.make_shared_code(key=key, code=request.POST.get("code", ""), **told)
            messages.success(request, _("The code can be used."))
        elif what == "end-code":
            coupons.end_shared_code(merchant=request.merchant, code=request.POST.get("code", ""), now=request.now)
        elif what == "codes":
            count = request.POST.get("count", "").strip().replace(",", "")
            ordered = flow.order_codes(
                key=key, count=numbers.whole(count) or 0, label=request.POST.get("label", ""), **told
            )
            messages.success(
                request,
                _("%(count)s codes are being made. The list below shows how far.") % {"count": f"{ordered.batch.count:,}"},
            )  # fmt: skip
        else:
            raise Http404
    except CouponRefused as error:
        messages.warning(request, refusal(error))
    return redirect("console:coupon-template", key)


def _issue(request: StaffRequest, key: str) -> None:
    """To the cards or numbers that were pasted, one a line or with commas."""
    named = list(dict.fromkeys(request.POST.get("members", "").replace("，", ",").replace("\n", ",").split(",")))
    named = [one.strip() for one in named if one.strip()][:AT_ONCE]
    people, unknown = [], []
    for one in named:
        try:
            people.append(members.member_of(request.merchant.pk, one))
        except members.NoSuchMember:
            unknown.append(one)
    count = request.POST.get("count", "1")
    copies = min(50, max(1, numbers.whole(count) or 1))
    ref = request.POST.get("ref", "").strip()[:80]
    done = coupons.issue(
        merchant=request.merchant,
        issues=[Issue(key, who.pk, "hand", ref, copies) for who in people],
        now=request.now,
        actor=request.staff.username,
    )
    given = sum(len(one.coupons) for one in done)
    messages.success(request, ngettext("%(n)s coupon issued.", "%(n)s coupons issued.", given) % {"n": f"{given:,}"})
    refused = {told.code: told for told in done if told.code}  # each reason once
    for told in refused.values():
        messages.warning(request, refusal(flow.refusal_of(request.merchant, told)))
    if any(one.again for one in done):
        messages.warning(request, _("Some had it for this before and got nothing more."))
    if unknown:
        messages.warning(request, _("Nobody is known by: %(names)s") % {"names": ", ".join(unknown[:10])})


def _tier_keys(request: StaffRequest) -> dict[str, str]:
    """Name in the reader's language → key."""
    return {name: key for key, (name, _shade) in tiers.every(request).items()}


def speaker(request: StaffRequest) -> Words:
    """Templates as sentences in the language of the page."""
    language = "zh" if words.language().startswith("zh") else "en"
    return Words(request.merchant.currency, language, charters.document_in_force(request.merchant, request.now))


def refusal(error: CouponRefused) -> str:
    return error.say(words.language())


def _view(request: StaffRequest, key: str) -> stored.Overview:
    found = stored.overview(request.merchant, key)
    if not found:
        raise Http404
    return found[0]


def _allowed(request: StaffRequest) -> None:
    if not shops.may(request.staff, "members"):
        raise PermissionDenied


def _day(request: StaffRequest, name: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return otherwise
