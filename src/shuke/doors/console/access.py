"""Who may open a page. Every view of the console is declared with @console(…): a view without it fails a test.

    @console()                            # everybody who signed in
    @console(Role.OWNER, Role.MANAGER)    # only these
    def page(request): request.staff, request.merchant, request.now

Somebody not signed in is led to the sign-in page, a wrong role gets 403, another merchant's member gets 404, because
views ask their room's queries with `request.merchant` and never fetch by id alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.cache import patch_cache_control, patch_vary_headers

from shuke.shops import queries as shops
from shuke.shops.models import Merchant, Role, Staff

View = Callable[..., HttpResponseBase]


class StaffRequest(HttpRequest):
    """A request after @console: the person, the business and its clock are known."""

    staff: Staff
    merchant: Merchant
    now: datetime
    htmx: Any  # django_htmx.middleware.HtmxDetails


def console(*roles: Role) -> Callable[[View], View]:
    """Declare who may call a view; no roles means everybody who signed in."""

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if not user.is_authenticated:
                return _to_sign_in(request)
            if roles and user.role not in roles:
                raise PermissionDenied
            request.staff = user
            request.merchant = user.merchant
            request.now = shops.now(user.merchant)
            response = view(request, *args, **kwargs)
            # Pages hold personal data: no shared cache may keep them. Fragment and page share an address.
            patch_cache_control(response, private=True, no_cache=True)
            patch_vary_headers(response, ["HX-Request"])
            return response

        guarded.console_roles = roles  # type: ignore[attr-defined]
        return guarded

    return declare


def public(view: View) -> View:
    """Declare that a view is for anybody (sign-in, language). Said out loud so that forgetting @console is seen."""
    view.console_roles = None  # type: ignore[attr-defined]
    return view


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page with a way back; a fragment's caller is told to load it as a whole page."""
    sign_in = resolve_url(settings.LOGIN_URL)
    htmx = getattr(request, "htmx", None)
    if htmx:
        back = htmx.current_url_abs_path or "/"
        response = HttpResponse(status=204)
        response["HX-Redirect"] = f"{sign_in}?next={quote(back)}"
        return response
    back = request.get_full_path() if request.method == "GET" else "/"
    return HttpResponseRedirect(f"{sign_in}?next={quote(back)}" if back != "/" else sign_in)
