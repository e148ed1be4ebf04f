"""What happens to every request of somebody signed in before its page: they are noted as here; whoever came in with a
password that somebody else made chooses their own before anything else; and whoever the shop asks for a second factor sets one up."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url

from shuke.kit import clock
from shuke.shops import actions as shops
from shuke.shops import queries
from shuke.shops.models import Staff

NOTED_EVERY = timedelta(minutes=5)  # a write per page would be one too many
OWN_PASSWORD = "console:account-password"
SECOND_FACTOR = "console:account-factor"
STAYS_OPEN = {OWN_PASSWORD, SECOND_FACTOR, "console:sign-out"}


class Arriving:
    """After the session and the person are known. Public pages and programs pass."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        staff_page = getattr(view, "console_roles", None) is not None or hasattr(view, "counter_acts")
        if not staff_page or settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return None
        row, at = request.session.row, clock.utc_now()
        if row is not None and at - row.seen_at > NOTED_EVERY:
            with suppress(DatabaseError):  # a database that cannot be written to now still shows its pages
                shops.seen(session=row, at=at)
        first = _first(request.user)
        if first is None or request.resolver_match.view_name in STAYS_OPEN - ({SECOND_FACTOR} - {first}):
            return None
        if getattr(request, "htmx", None):
            return HttpResponse(status=204, headers={"HX-Redirect": resolve_url(first)})
        return redirect(first)


def _first(staff: Staff) -> str | None:
    """What comes before any other page."""
    if staff.one_time_until is not None:
        return OWN_PASSWORD
    return SECOND_FACTOR if staff.factor_since is None and queries.factor_asked_of(staff) else None
