"""The menu: at most nine items in three groups on the side. On a phone four of them stand at the bottom, and "More" opens all
of them with the pages below: nothing is more than two touches away."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from django.urls import resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shuke.doors.console import finance_pages, insight_tabs
from shuke.shops import queries as shops
from shuke.shops.models import Staff

Label = str | Promise


class Below(NamedTuple):
    """A page one gets to from an entry."""

    name: str
    label: Label
    needs: str = ""


class Entry(NamedTuple):
    """A page of the menu, current under all view names that begin with `pages`; `needs` is a permission of shops. `below` are
    the pages one gets to from it, and `thumb` says that it stands at the bottom of a phone."""

    name: str
    label: Label
    icon: str
    pages: str
    needs: str = ""
    below: tuple[Below, ...] = ()
    thumb: bool = False


class Page(NamedTuple):
    """A page below an entry, as one person sees it."""

    label: Label
    url: str
    current: bool


class Item(NamedTuple):
    """An entry as seen from one page by one person; `group` is said by the first of a group."""

    label: Label
    icon: str
    url: str
    current: bool
    group: Label
    below: list[Page]
    thumb: bool


GROUPS: list[tuple[Label, list[Entry]]] = [
    (
        _("Every day"),
        [
            Entry("console:dashboard", _("Dashboard"), icon="gauge", pages="console:dashboard", needs="insight", thumb=True),
            Entry(
                "console:members", _("Members"), icon="users", pages="console:member", thumb=True,
                below=(
                    Below("console:suspicions", _("Maybe the same person")), Below("console:corrections", _("Points by hand")),
                    Below("console:complaints", _("Complaints")),
                ),
            ),
            Entry("counter:home", _("Counter"), icon="cash-register", pages="counter:", needs="record", thumb=True),
        ],
    ),
    (
        _("Loyalty"),
        [
            Entry(
                "console:charter", _("Charter"), icon="book-2", pages="console:charter",
                below=(Below("console:charter-drafts", _("Drafts"), "charter"), Below("console:charter-budgets", _("Budgets"))),
            ),
            Entry(
                "console:reward-gifts", _("Rewards"), icon="gift", pages="console:reward", needs="insight",
                below=(
                    Below("console:reward-gifts", _("Gifts")), Below("console:reward-orders", _("Orders of gifts")),
                    Below("console:reward-draws", _("Lucky draws")), Below("console:reward-log", _("Benefits used")),
                    Below("console:reward-referrals", _("Friends")),
                ),
            ),
            Entry("console:coupons", _("Coupons"), icon="ticket", pages="console:coupon", thumb=True),
        ],
    ),
    (
        _("Figures and files"),
        [
            Entry(
                "console:insight-rfm", _("Insight"), icon="chart-dots", pages="console:insight", needs="insight",
                below=tuple(Below(tab.view, tab.label) for tab in insight_tabs.tabs()),
            ),
            Entry(
                "console:finance", _("Finance"), icon="coins", pages="console:finance", needs="insight",
                below=tuple(Below(url, label) for _key, url, label in finance_pages.TABS),
            ),
            Entry("console:imports", _("Import"), icon="upload", pages="console:import", needs="import"),
        ],
    ),
]  # fmt: skip
MENU = [entry for _label, entries in GROUPS for entry in entries]
THUMBS = 4  # beside "More" at the bottom of a phone


def items(view_name: str, staff: Staff) -> list[Item]:
    """What this person's role opens."""
    found = []
    for label, entries in GROUPS:
        said: Label = label
        for entry in entries:
            if entry.needs and not shops.may(staff, entry.needs):
                continue
            below = [
                Page(page.label, _url(page.name), page.name == view_name)
                for page in entry.below
                if _opens(page.name, staff.role) and (not page.needs or shops.may(staff, page.needs))
            ]
            current = view_name.startswith(entry.pages) or any(page.current for page in below)
            found.append(Item(entry.label, entry.icon, _url(entry.name), current, said, below, entry.thumb))
            said = ""
    return found


def thumbs(found: list[Item]) -> list[Item]:
    """Those at the bottom of a phone: where a role lacks one, the next takes its place."""
    first = [item for item in found if item.thumb]
    more = [item for item in found if not item.thumb]
    chosen = [*first, *more][:THUMBS]
    return [item for item in found if item in chosen]


@lru_cache(maxsize=200)
def _url(view: str) -> str:
    return reverse(view)


@lru_cache(maxsize=400)
def _opens(view: str, role: str) -> bool:
    """Whether the page itself lets this role in."""
    roles = getattr(resolve(reverse(view)).func, "console_roles", ())
    return not roles or role in roles
