"""My own account: what I may do, my password, and the browsers in which I am signed in."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import attempts, devices, person, words
from shuke.doors.console.access import StaffRequest, console
from shuke.kit import clock
from shuke.shops import actions
from shuke.shops import queries as shops
from shuke.shops.models import Session


@console()
@require_GET
def account(request: StaffRequest) -> HttpResponse:
    """Who I am here, and where I am signed in."""
    says, shift = person.Says(request), timedelta(seconds=request.merchant.clock_shift)
    here = request.session.session_key
    context = {
        "may": words.may_do(request.staff.role),
        "stores": shops.posts(request.staff),
        "sessions": [
            {
                "handle": _handle(row),
                "device": devices.device(row.agent),
                "address": row.address,
                "begun": says.minute(row.begun_at + shift),
                "seen": says.minute(row.seen_at + shift),
                "here": row.pk == here,
            }
            for row in shops.sessions(request.staff, clock.utc_now())
        ],
    }
    return render(request, "console/account.html", context)


class PasswordForm(forms.Form):
    present = forms.CharField(max_length=200, strip=False, label=gettext_lazy("Present password"))
    password = forms.CharField(max_length=200, strip=False, label=gettext_lazy("New password"))
    again = forms.CharField(max_length=200, strip=False, label=gettext_lazy("New password once more"))


@console()
@never_cache
@sensitive_post_parameters("present", "password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: StaffRequest) -> HttpResponse:
    """Choose one's own password; wrong guesses at the present one are braked as at the sign-in."""
    staff, form = request.staff, PasswordForm(request.POST or None)
    status, wait = 200, 0
    if request.method == "POST":
        status = 422
        address, at = request.META.get("REMOTE_ADDR", ""), clock.utc_now()
        wait = attempts.wait_minutes(username=staff.username, address=address, now=at)
        if wait:
            status = 429
        elif form.is_valid():
            told = form.cleaned_data
            if told["password"] != told["again"]:
                form.add_error("again", _("The two new passwords are not the same."))
            else:
                first = staff.one_time_until is not None
                try:
                    actions.set_own_password(
                        staff=staff, present=told["present"], password=told["password"], now=request.now,
                        keep=request.session.session_key or "", address=address,
                    )  # fmt: skip
                except actions.StaffRefused as refused:
                    if refused.code == "wrong_password":
                        attempts.note_failure(username=staff.username, address=address, now=at)
                    form.add_error(
                        "present" if refused.code == "wrong_password" else "password", refused.say(words.language())
                    )
                except actions.WeakPassword as weak:
                    form.add_error("password", str(weak))
                else:
                    update_session_auth_hash(request, staff)
                    messages.success(
                        request, _("Your new password holds from now on. Your other browsers are signed out.")
                    )
                    return redirect("console:dashboard" if first else "console:account")
    context = {"form": form, "wait": wait, "first": staff.one_time_until is not None}
    return render(request, "console/account_password.html", context, status=status)


@console()
@require_POST
def sessions(request: StaffRequest) -> HttpResponse:
    """Sign out another browser of one's own, or all others."""
    staff, here = request.staff, request.session.session_key or ""
    told = {"staff": staff, "now": request.now, "address": request.META.get("REMOTE_ADDR", "")}
    if request.POST.get("do") == "all":
        actions.end_other_sessions(keep=here, **told)
        messages.success(request, _("You are signed out everywhere else."))
        return redirect("console:account")
    mine = {_handle(row): row.pk for row in shops.sessions(staff, clock.utc_now()) if row.pk != here}
    key = mine.get(request.POST.get("which", ""))
    if key and actions.end_session(key=key, **told):
        messages.success(request, _("That browser is signed out."))
    else:
        messages.info(request, _("That browser was signed out already."))
    return redirect("console:account")


def _handle(row: Session) -> str:
    """Names a session on a page; its key would open it."""
    return hashlib.sha256(row.pk.encode()).hexdigest()[:20]
