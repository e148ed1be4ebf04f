"""What every console page shows around its content: the merchant, the menu, the shop's clock."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest

from shuke.doors.console import navigation
from shuke.loyalty.queries import stored
from shuke.shops.queries import may, now, posts


def shop(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page; nothing but the languages for somebody not signed in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"merchant": None}
    match = request.resolver_match
    menu = navigation.items(match.view_name if match else "", user)
    return {
        "merchant": user.merchant,
        "shop_now": getattr(request, "now", None),
        # Asked only by pages that link to it.
        "stored_shown": cache(lambda: stored.is_shown(user.merchant, now(user.merchant))),
        "own_places": cache(lambda: posts(user)),
        "people_shown": may(user, "audit"),
        "menu": menu,
        "thumbs": navigation.thumbs(menu),
    }
