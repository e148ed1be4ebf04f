"""Codes and single coupons in the console: files and sheets of codes, looking a coupon up, making it void."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views.coupons import refusal, speaker
from shuke.engine.charter.selling import Limits, Validity
from shuke.engine.checkout import codes
from shuke.flows import coupons as flow
from shuke.kit import audit, numbers, symbols
from shuke.loyalty.actions import coupons
from shuke.loyalty.actions.coupons import CouponRefused
from shuke.loyalty.actions.coupons.batches import codes_of
from shuke.loyalty.actions.coupons.issuing import validity
from shuke.loyalty.models import Coupon, CouponBatch
from shuke.loyalty.queries import coupons as stored
from shuke.shops import queries as shops

PRINTED, PER_SHEET = 480, 24  # codes on one print-out: twenty sheets of three by eight
STATES = {
    "open": ("good", gettext_lazy("can be used")),
    "held": ("info", gettext_lazy("in a basket")),
    "redeemed": ("plain", gettext_lazy("used")),
    "void": ("bad", gettext_lazy("void")),
    "expired": ("warn", gettext_lazy("ran out")),
}
MOVES = {
    "issue": gettext_lazy("issued"),
    "claim": gettext_lazy("taken by the member"),
    "hold": gettext_lazy("set aside for a basket"),
    "release": gettext_lazy("free again"),
    "redeem": gettext_lazy("used"),
    "return": gettext_lazy("given back"),
    "void": gettext_lazy("made void"),
    "expire": gettext_lazy("ran out"),
}
SOURCES = {
    "batch": gettext_lazy("code of a batch"),
    "claim": gettext_lazy("taken by the member"),
    "code": gettext_lazy("shared code"),
    "hand": gettext_lazy("by hand"),
    "api": gettext_lazy("another program"),
    "birthday": gettext_lazy("birthday"),
    "joined": gettext_lazy("joining"),
    "first_purchase": gettext_lazy("first purchase"),
    "tier_up": gettext_lazy("a risen tier"),
    "win_back": gettext_lazy("staying away"),
    "complaint": gettext_lazy("a settled complaint"),
    "referral": gettext_lazy("bringing a friend"),
}


@console()
@require_GET
def export(request: StaffRequest, batch_id: int) -> HttpResponseBase:
    """All codes of a batch as a file, streamed; the audit log says who took them."""
    batch = _batch(request, batch_id)
    lines = flow.export_codes(
        merchant=request.merchant, batch_id=batch.pk, now=request.now, actor=request.staff.username
    )
    name = f"codes-{batch.template.key}-{batch.pk}.csv"
    return StreamingHttpResponse(
        lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@console()
@require_GET
def sheet(request: StaffRequest, batch_id: int) -> HttpResponse:
    """Codes to print and cut, with a QR each; `from` says which of a large batch."""
    batch = _batch(request, batch_id)
    start = request.GET.get("from", "0")
    first = min(numbers.whole(start) or 0, batch.made)
    count = min(PRINTED, batch.made - first)
    told = [codes.shown(code) for code in codes_of(batch, first, count)]
    audit.record(
        merchant_id=request.merchant.pk,
        at=request.now,
        actor=request.staff.username,
        verb="coupon.codes_printed",
        object=f"coupon batch {batch.pk}",
        detail={"from": first, "codes": count},
    )
    slips = [{"code": code, "qr": SafeString(symbols.qr_svg(code))} for code in told]
    terms = stored.terms_of(batch.template)
    _start, end = validity(terms, batch.made_at, request.merchant)
    context = {
        "batch": batch,
        "name": speaker(request).name(terms),
        "gives": speaker(request).gives(terms),
        "conditions": speaker(request).conditions(terms.model_copy(update={"valid": Validity(), "limits": Limits()})),
        "until": end.astimezone(request.merchant.tz) - timedelta(minutes=1)
        if end
        else None,  # the last day, not the first after
        "sheets": [slips[i : i + PER_SHEET] for i in range(0, len(slips), PER_SHEET)],
        "count": count,
        "more": first + count if first + count < batch.made else 0,
    }
    return render(request, "console/coupon_sheet.html", context)


@console()
@require_GET
def find(request: StaffRequest) -> HttpResponse:
    """A coupon by code or number; a shared code leads to its template."""
    told = request.GET.get("q", "").strip()[:80]
    pk = numbers.whole(told) if len(told) > 13 else None
    coupon = stored.one(request.merchant, pk) if pk is not None else None
    found = stored.find_code(request.merchant, told) if coupon is None else stored.Found(coupon)
    if found.coupon is not None:
        return redirect("console:coupon", found.coupon.pk)
    if found.shared is not None:
        return redirect("console:coupon-template", found.shared.key)
    messages.warning(request, _("No coupon has the code “%(code)s”.") % {"code": told})
    return redirect("console:coupons")


@console()
@require_GET
def coupon(request: StaffRequest, pk: int) -> HttpResponse:
    """One coupon with everything that happened to it."""
    found = stored.one(request.merchant, pk)
    if found is None:
        raise Http404
    context = {
        **shown(request, found),
        "moves": [{"row": move, "what": MOVES.get(move.kind, move.kind)} for move in stored.history(request.merchant, pk)],
        "may_edit": shops.may(request.staff, "members"),
    }  # fmt: skip
    return render(request, "console/coupon.html", context)


@console()
@require_POST
def void(request: StaffRequest, pk: int) -> HttpResponse:
    """Make one coupon useless, with a reason."""
    if not shops.may(request.staff, "members"):
        raise PermissionDenied
    if stored.one(request.merchant, pk) is None:
        raise Http404
    reason = request.POST.get("reason", "").strip()
    try:
        if reason:
            coupons.void(
                merchant=request.merchant,
                coupon_ids=[pk],
                reason=reason,
                now=request.now,
                actor=request.staff.username,
            )
        else:
            messages.warning(request, _("Say why."))
    except CouponRefused as error:
        messages.warning(request, refusal(error))
    return redirect("console:coupon", pk)


@console()
@require_POST
def void_batch(request: StaffRequest, batch_id: int) -> HttpResponse:
    """A list leaked: all its open codes become useless."""
    batch = _batch(request, batch_id, needs="members")
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.warning(request, _("Say why."))
    else:
        count = coupons.void_batch(
            merchant=request.merchant, batch_id=batch.pk, reason=reason, now=request.now, actor=request.staff.username
        )
        messages.success(request, _("%(count)s codes are void.") % {"count": f"{count:,}"})
    return redirect("console:coupon-template", batch.template.key)


def shown(request: StaffRequest, one: Coupon) -> dict[str, Any]:
    """A coupon as pages show it."""
    terms = stored.terms_of(one.template)
    over = one.state == "open" and one.valid_until is not None and one.valid_until <= request.now
    tone, state = STATES["expired" if over else one.state]
    say = speaker(request)
    return {
        "coupon": one,
        "name": say.name(terms),
        "gives": say.gives(terms),
        "conditions": say.conditions(terms),
        "tone": tone,
        "state": state,
        "source": SOURCES.get(one.source, one.source),
        "usable": one.state == "open" and not over,
    }


def of_member(request: StaffRequest, member_id: int) -> dict[str, Any]:
    """What `console/parts/member_coupons.html` needs: the member page includes it with this context."""
    rows = [shown(request, one) for one in stored.of_member(request.merchant, member_id)]
    return {
        "usable_coupons": [row for row in rows if row["usable"] or row["coupon"].state == "held"],
        "other_coupons": [row for row in rows if not row["usable"] and row["coupon"].state != "held"],
    }


@console()
@require_GET
def member_coupons(request: StaffRequest, pk: int) -> HttpResponse:
    """A member's coupons as a part of their page."""
    from shuke.members import queries as members

    try:
        who = members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
    return render(request, "console/parts/member_coupons.html", {"who": who, **of_member(request, who.pk)})


def _batch(request: StaffRequest, batch_id: int, needs: str = "export") -> CouponBatch:
    if not shops.may(request.staff, needs):
        raise PermissionDenied
    found = stored.batch(request.merchant, batch_id)
    if found is None:
        raise Http404
    return found
