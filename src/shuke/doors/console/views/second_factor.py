"""My second factor: scan, confirm, keep the recovery codes; another phone, other codes, or none any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from shuke.doors.console import attempts, person, words
from shuke.doors.console.access import StaffRequest, console
from shuke.kit import clock
from shuke.kit.symbols import qr_svg
from shuke.shops import actions
from shuke.shops import queries as shops

GUESSES = ("wrong_password", "wrong_code")


@console()
@never_cache
@sensitive_post_parameters("password", "code", "present")
@sensitive_variables("letters", "address_of_secret")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: StaffRequest) -> HttpResponse:
    """What there is, and what can be done with it. Wrong guesses are braked as at the sign-in."""
    staff, status, wait, error = request.staff, 200, 0, ""
    asked, step = shops.factor_asked_of(staff), request.POST.get("do", request.GET.get("step", ""))
    if request.method == "POST":
        deed = DEEDS.get(step)
        if deed is None:
            raise Http404
        address, at = request.META.get("REMOTE_ADDR", ""), clock.utc_now()
        status, wait = 422, 0 if step == "begin" else attempts.wait_for_code(staff, address=address, now=at)
        if wait:
            status = 429
        else:
            try:
                return deed(request, {"staff": staff, "now": request.now, "address": address, "at": at})
            except actions.StaffRefused as refused:
                if refused.code in GUESSES:
                    attempts.note_wrong_code(staff, address=address, now=at)
                error = refused.say(words.language())
    scans = step in ("scan", "confirm")
    address_of_secret, letters = actions.coming_factor(staff=staff) if scans else ("", "")
    context = {
        "since": person.Says(request).minute(staff.factor_since) if staff.factor_since else "",
        "asked": asked,
        "first": asked and staff.factor_since is None,
        "scan": SafeString(qr_svg(address_of_secret)) if letters else "",
        "letters": [letters[n : n + 4] for n in range(0, len(letters), 4)],
        "left": shops.recovery_codes_left(staff),
        "did": step,
        "error": error,
        "wait": wait,
    }
    return render(request, "console/account_factor.html", context, status=status)


Deed = Callable[[StaffRequest, dict[str, Any]], HttpResponse]


def _begin(request: StaffRequest, told: dict[str, Any]) -> HttpResponse:
    actions.begin_factor(staff=told["staff"])
    response = redirect("console:account-factor")
    response["Location"] += "?step=scan"
    return response


@sensitive_variables("codes")
def _confirm(request: StaffRequest, told: dict[str, Any]) -> HttpResponse:
    codes = actions.confirm_factor(
        password=request.POST.get("password", ""), code=request.POST.get("code", ""),
        present=request.POST.get("present", ""), keep=request.session.session_key or "", **told,
    )  # fmt: skip
    return _show(request, codes, _("From now on signing in asks for a code as well."))


@sensitive_variables("codes")
def _codes(request: StaffRequest, told: dict[str, Any]) -> HttpResponse:
    codes = actions.new_recovery_codes(code=request.POST.get("code", ""), **told)
    return _show(request, codes, _("The recovery codes you had do not work any more."))


def _drop(request: StaffRequest, told: dict[str, Any]) -> HttpResponse:
    actions.drop_own_factor(password=request.POST.get("password", ""), code=request.POST.get("code", ""), **told)
    messages.success(request, _("Your password alone signs you in again."))
    return redirect("console:account")


DEEDS: dict[str, Deed] = {"begin": _begin, "confirm": _confirm, "codes": _codes, "drop": _drop}


@sensitive_variables("codes")
def _show(request: StaffRequest, codes: list[str], said: str) -> HttpResponse:
    """The one time they are seen. Nothing is kept of them but hashes."""
    response = render(request, "console/account_codes.html", {"codes": codes, "said": said})
    response["Cache-Control"] = "no-store, private"
    return response
