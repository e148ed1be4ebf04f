"""What a list page was asked for, in and out of its address; tabs and columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy

from shuke.doors.console import words
from shuke.doors.console.access import StaffRequest
from shuke.engine.insight import wording
from shuke.insight.queries.filters import (
    DEFAULT_SORT,
    DORMANT_DAYS,
    VIEWS,
    Filters,
    parse,
    parse_sort,
)

COLUMNS_KEY = "member_columns"


# Key → heading. The keys are also the columns of flows.export_members.
HEADINGS: dict[str, Any] = {
    "name": gettext_lazy("Member"),
    "card": gettext_lazy("Card"),
    "nickname": gettext_lazy("Nickname"),
    "phone": gettext_lazy("Phone"),
    "tier": gettext_lazy("Tier"),
    "last": gettext_lazy("Last purchase"),
    "first": gettext_lazy("First purchase"),
    "spent": gettext_lazy("Net spend"),
    "year": gettext_lazy("Net spend, 365 days"),
    "profit": gettext_lazy("Profit, 365 days"),
    "budget": gettext_lazy("Retention budget"),
    "loyalty": gettext_lazy("Loyalty type"),
    "quality": gettext_lazy("Quality"),
    "orders": gettext_lazy("Orders"),
    "gap": gettext_lazy("Usual gap, days"),
    "chance": gettext_lazy("Buys within 30 days"),
    "expects": gettext_lazy("Expected in 12 months"),
    "points": gettext_lazy("Points"),
    "stage": gettext_lazy("Stage"),
    "rfm": gettext_lazy("RFM class"),
    "scores": gettext_lazy("R-F-M"),
    "layer": gettext_lazy("Layer"),
    "bond": gettext_lazy("Loyalty layer"),
    "joined": gettext_lazy("Joined"),
    "store": gettext_lazy("Home store"),
    "by": gettext_lazy("Came by"),
    "city": gettext_lazy("City"),
    "gender": gettext_lazy("Gender"),
    "tags": gettext_lazy("Tags"),
}


CHOICE = tuple(k for k in HEADINGS if k not in ("name", "gender"))  # the name is always there
DEFAULT_COLUMNS = ("phone", "tier", "last", "spent", "points", "stage", "rfm")
SORTED_BY = {
    "last": "last",
    "spent": "spent",
    "orders": "orders",
    "points": "points",
    "joined": "joined",
    "expects": "expects",
}
NUMBERS = frozenset(
    {"spent", "expects", "year", "profit", "budget", "orders", "gap", "points", "last", "first", "joined"}
)


VIEW_NAMES: dict[str, tuple[Any, Any]] = {
    "": (gettext_lazy("All"), gettext_lazy("Everybody who is a member today.")),
    "new": (gettext_lazy("New"), wording.STAGE_MEANINGS["observing"]),
    "active": (gettext_lazy("Active"), gettext_lazy("Bought on two days or more and not overdue by their own rhythm.")),
    "at_risk": (gettext_lazy("At risk"), wording.STAGE_MEANINGS["degrading"]),
    "dormant": (gettext_lazy("Dormant"), gettext_lazy("No purchase for 180 days or more, whatever their own rhythm.")),
    "lost": (gettext_lazy("Lost"), wording.STAGE_MEANINGS["lost"]),
}


assert list(VIEW_NAMES) == ["", *VIEWS]
assert DORMANT_DAYS == 180  # said in the tab's explanation


class Link(NamedTuple):
    label: str
    url: str
    current: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks of the list."""

    filters: Filters
    sort: str
    number: int

    def pairs(self) -> list[tuple[str, str]]:
        """The canonical parameters without the place in the list."""
        found = self.filters.params()
        if self.sort != DEFAULT_SORT:
            found.append(("sort", self.sort))
        return found

    def url(self, **changes: str | int) -> str:
        """The list's address, with `changes` appended."""
        pairs = [*self.pairs(), *((k, str(v)) for k, v in changes.items() if v not in ("", None))]
        return reverse("console:members") + (f"?{urlencode(pairs)}" if pairs else "")

    def query(self) -> str:
        """The list as a form or a member's address carries it: what `read` understands again."""
        return urlencode(self.pairs())


def read(parameters: QueryDict | Mapping[str, str]) -> Asked:
    """Understand an address (or the `list` a form carried)."""
    pairs = (
        [(name, value) for name, values in parameters.lists() for value in values]
        if isinstance(parameters, QueryDict)
        else list(parameters.items())
    )
    one = dict(pairs)
    number = one.get("page", "")
    return Asked(
        filters=parse(pairs),
        sort=parse_sort(one.get("sort", "")),
        number=int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1,
    )


# Filters the form has no box for; they come from figures and stay in force while others are ticked.
NOT_IN_FORM = (
    "cell",
    "m",
    "first",
    "bought_in",
    "chance",
    "expects_from",
    "expects_to",
    "cost",
    "profit",
    "year_from",
    "paid",
    "paid_days",
    "unpaid",
    "expires",
    "holding",
    "moved",
)


def hidden(asked: Asked) -> list[tuple[str, str]]:
    """What the filter form must carry along unseen."""
    return [(name, value) for name, value in asked.filters.params() if name in NOT_IN_FORM]


def tabs(asked: Asked) -> list[Link]:
    """The saved views. A view starts afresh: filters of another view would only confuse it."""
    base = reverse("console:members")
    return [
        Link(
            str(label),
            f"{base}?view={key}" if key else base,
            asked.filters.view == key and (bool(key) or not asked.filters.any),
            words.said(meaning) if isinstance(meaning, wording.Wording) else str(meaning),
        )
        for key, (label, meaning) in VIEW_NAMES.items()
    ]


def columns(request: StaffRequest) -> list[str]:
    """The columns this reader chose, in the table's order; kept in the session."""
    chosen = request.session.get(COLUMNS_KEY, DEFAULT_COLUMNS)
    return [key for key in CHOICE if key in chosen]
