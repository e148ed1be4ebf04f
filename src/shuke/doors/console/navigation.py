"""The menu: at most nine items, the same on the side, and the first five at the bottom of a phone."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _


class Item(NamedTuple):
    label: str
    icon: str
    url: str
    current: bool


def _entry(name: str, label: str, *, icon: str, pages: str) -> tuple[str, str, str, str]:
    return name, label, icon, pages


# View name, label, icon, and the prefix of the view names under which the entry is shown as the current one.
MENU = [
    _entry("console:dashboard", _("Dashboard"), icon="gauge", pages="console:dashboard"),
    _entry("console:members", _("Members"), icon="users", pages="console:member"),
    _entry("console:imports", _("Import"), icon="upload", pages="console:import"),
    _entry("console:charter", _("Charter"), icon="book-2", pages="console:charter"),
]


def items(view_name: str) -> list[Item]:
    """The menu as seen from one page."""
    found = []
    for name, label, icon, pages in MENU:
        try:
            url = reverse(name)
        except NoReverseMatch:
            continue
        found.append(Item(label, icon, url, view_name.startswith(pages)))
    return found
