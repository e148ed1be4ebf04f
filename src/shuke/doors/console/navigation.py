"""The menu: at most nine items, the same on the side, and the first five at the bottom of a phone."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shuke.shops import queries as shops
from shuke.shops.models import Staff


class Entry(NamedTuple):
    """A page of the menu, current under all view names that begin with `pages`; `needs` is a permission of shops."""

    name: str
    label: str | Promise
    icon: str
    pages: str
    needs: str = ""


class Item(NamedTuple):
    """An entry as seen from one page by one person."""

    label: str | Promise
    icon: str
    url: str
    current: bool


MENU = [
    Entry("console:dashboard", _("Dashboard"), icon="gauge", pages="console:dashboard", needs="insight"),
    Entry("console:members", _("Members"), icon="users", pages="console:member"),
    Entry("counter:home", _("Counter"), icon="cash-register", pages="counter:", needs="record"),
    Entry("console:insight-rfm", _("Insight"), icon="chart-dots", pages="console:insight", needs="insight"),
    Entry("console:reward-gifts", _("Rewards"), icon="gift", pages="console:reward", needs="insight"),
    Entry("console:coupons", _("Coupons"), icon="ticket", pages="console:coupon"),
    Entry("console:finance", _("Finance"), icon="coins", pages="console:finance", needs="insight"),
    Entry("console:imports", _("Import"), icon="upload", pages="console:import", needs="import"),
    Entry("console:charter", _("Charter"), icon="book-2", pages="console:charter"),
]


def items(view_name: str, staff: Staff) -> list[Item]:
    """What this person's role opens."""
    return [
        Item(entry.label, entry.icon, reverse(entry.name), view_name.startswith(entry.pages))
        for entry in MENU
        if not entry.needs or shops.may(staff, entry.needs)
    ]
