"""Who may stand at the counter: everybody who signed in looks, whoever may record acts."""

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
from django.utils.cache import patch_cache_control, patch_vary_headers

from shuke.shops import queries as shops
from shuke.shops.models import Merchant, Staff

View = Callable[..., HttpResponseBase]


class CounterRequest(HttpRequest):
    """A request after @counter: the person, the business and its clock are known."""

    staff: Staff
    merchant: Merchant
    now: datetime
    htmx: Any


def counter(*, acts: bool = False) -> Callable[[View], View]:
    """Declare a view. `acts`: it writes, so it takes only POST from somebody who may record."""

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            request.staff, request.merchant = request.user, request.user.merchant
            request.now = shops.now(request.merchant)
            if acts and request.method != "POST":
                return HttpResponse(status=405, headers={"Allow": "POST"})
            if acts and not shops.may(request.staff, "record"):
                raise PermissionDenied
            response = view(request, *args, **kwargs)
            patch_cache_control(response, private=True, no_cache=True)
            patch_vary_headers(response, ["HX-Request"])
            return response

        guarded.counter_acts = acts  # type: ignore[attr-defined]
        return guarded

    return declare


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if getattr(request, "htmx", None):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = f"{settings.LOGIN_URL}?next=/counter"
        return response
    back = request.get_full_path() if request.method == "GET" else "/counter"
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?next={quote(back)}")
