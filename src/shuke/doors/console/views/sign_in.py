"""Signing in, by password and, where somebody has a second factor, a code; signing out; and the language of the page.

Between the two steps nobody is signed in: the session only remembers whose password was right, for ten minutes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from shuke.doors.console import attempts, words
from shuke.doors.console.access import console, public
from shuke.kit import audit, clock
from shuke.shops import actions
from shuke.shops import queries as shops
from shuke.shops.models import Session, Staff

HALF, HALF_FOR = "half_signed_in", timedelta(minutes=10)


class SignInForm(forms.Form):
    username = forms.CharField(max_length=60, label=_("User name"))
    password = forms.CharField(max_length=200, strip=False, label=_("Password"), widget=forms.PasswordInput)


@public
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page. A wrong name and a wrong password get the same answer, after the same work."""
    way = _next(request, "/")
    if request.user.is_authenticated:
        return HttpResponseRedirect(way)
    if request.method != "POST":
        return render(request, "console/sign_in.html", {"form": SignInForm(), "next": way})
    form = SignInForm(request.POST)
    status, wait = 422, 0
    if form.is_valid():
        now = clock.utc_now()
        username, address = form.cleaned_data["username"], request.META.get("REMOTE_ADDR", "")
        wait = attempts.wait_minutes(username=username, address=address, now=now)
        if wait:
            status = 429
        else:
            staff = authenticate(request, username=username, password=form.cleaned_data["password"])
            if staff is not None and staff.one_time_until and staff.one_time_until <= shops.now(staff.merchant):
                form.add_error(None, _("This one-time password has lapsed. Ask the owner for a new one."))
            elif staff is not None and staff.factor_since is not None:
                request.session.cycle_key()
                request.session[HALF] = {
                    "staff": staff.pk, "hash": staff.get_session_auth_hash(), "until": (now + HALF_FOR).isoformat(), "next": way,
                }  # fmt: skip
                return redirect("console:sign-in-code")
            elif staff is not None:
                return _signed_in(request, staff, now, way)
            else:
                attempts.note_failure(username=username, address=address, now=now)
                form.add_error(None, _("User name and password do not match."))
    context = {"form": form, "next": way, "wait": wait}
    response = render(request, "console/sign_in.html", context, status=status)
    if wait:
        response["Retry-After"] = str(wait * 60)
    return response


class CodeForm(forms.Form):
    code = forms.CharField(max_length=40, label=_("Code"))


@public
@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step: the code on the phone, or a recovery code."""
    now, address = clock.utc_now(), request.META.get("REMOTE_ADDR", "")
    staff = _half_signed(request, now)
    if staff is None:
        return redirect("console:sign-in")
    form = CodeForm(request.POST or None)
    status, wait = 200, 0
    if request.method == "POST":
        status, wait = 422, attempts.wait_for_code(staff, address=address, now=now)
        if wait:
            status = 429
        elif form.is_valid():
            by = actions.fits(staff=staff, code=form.cleaned_data["code"], at=now)
            if by:
                way = _next(request, request.session.pop(HALF)["next"])
                if by == "recovery":
                    left = shops.recovery_codes_left(staff)
                    said = _("You came in with a recovery code; %(left)s are left. Make new ones when they run out.")
                    messages.warning(request, said % {"left": left})
                return _signed_in(request, staff, now, way, by)
            attempts.note_wrong_code(staff, address=address, now=now)
            form.add_error("code", actions.StaffRefused("wrong_code").say(words.language()))
    response = render(request, "console/sign_in_code.html", {"form": form, "wait": wait}, status=status)
    if wait:
        response["Retry-After"] = str(wait * 60)
    return response


def _half_signed(request: HttpRequest, now: datetime) -> Staff | None:
    """Whose password was right a moment ago, if they may still come in and the password is still the same."""
    half = request.session.get(HALF)
    if half is None or datetime.fromisoformat(half["until"]) <= now:
        return None
    staff = Staff.objects.filter(pk=half["staff"], is_active=True, factor_since__isnull=False).first()
    return staff if staff is not None and constant_time_compare(staff.get_session_auth_hash(), half["hash"]) else None


def _signed_in(request: HttpRequest, staff: Staff, now: datetime, way: str, by: str = "") -> HttpResponse:
    address, agent = request.META.get("REMOTE_ADDR", ""), request.headers.get("User-Agent", "")
    login(request, staff, backend="django.contrib.auth.backends.ModelBackend")
    request.session.update({Session.BEGUN: now.isoformat(), Session.ADDRESS: address, Session.AGENT: agent[:300]})
    actions.arrived(staff=staff, at=now)
    audit.record(
        merchant_id=staff.merchant_id, at=now, actor=staff.username, verb="staff.signed_in", object=f"staff {staff.pk}",
        detail={"by": by} if by else {}, address=address,
    )  # fmt: skip
    return HttpResponseRedirect(way)


@console()
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; by POST only, so that no link elsewhere can do it."""
    logout(request)
    return redirect("console:sign-in")


@public
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Show pages in another language from now on, on this device."""
    response = HttpResponseRedirect(_next(request, "/"))
    code = request.POST.get("language", "")
    if code in dict(settings.LANGUAGES) and check_for_language(code):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=365 * 86400,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response


def _next(request: HttpRequest, otherwise: str) -> str:
    """Where to go afterwards, if that is a page of this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or otherwise
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else otherwise
