"""The pages of Insight, in one list: what the tabs above each of them and the menu show.

A new page adds one line to the group it belongs to, and gives its template `tab` (the key) before it includes
console/parts/insight_tabs.html. Two short rows of tabs read well on a phone; one row of twelve does not.
"""

from __future__ import annotations

from typing import NamedTuple

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Label = str | Promise


class Tab(NamedTuple):
    key: str
    view: str
    label: Label


class Group(NamedTuple):
    """Pages that answer one question. The group's own link is its first page."""

    label: Label
    tabs: tuple[Tab, ...]


class Shown(NamedTuple):
    label: Label
    url: str
    current: bool


GROUPS: tuple[Group, ...] = (
    Group(
        _("Members"),
        (
            Tab("rfm", "console:insight-rfm", _("RFM")),
            Tab("pyramid", "console:insight-pyramid", _("Pyramid and layers")),
            Tab("movement", "console:insight-movement", _("Who went where")),
            Tab("loyalty", "console:insight-loyalty", _("Loyalty types")),
            Tab("profiles", "console:insight-profiles", _("Profiles")),
        ),
    ),
    Group(
        _("Growth"),
        (
            Tab("growth", "console:insight-growth", _("Growth")),
            Tab("cohorts", "console:insight-cohorts", _("Cohorts")),
            Tab("word-of-mouth", "console:insight-word-of-mouth", _("Word of mouth")),
        ),
    ),
    Group(
        pgettext_lazy("insight", "Value"),
        (
            Tab("value", "console:insight-value", _("What to expect")),
            Tab("value-test", "console:insight-value-test", _("How good is this?")),
            Tab("profit", "console:insight-profit", _("Profit")),
            Tab("budget", "console:insight-budget", _("Retention budget")),
            Tab("costs", "console:insight-costs", _("Margins and costs")),
            Tab("points", "console:insight-points", _("Points liability")),
        ),
    ),
    Group(
        pgettext_lazy("insight", "Goods"),
        (Tab("goods", "console:insight-goods", _("Goods and needs")),),
    ),
)


def tabs() -> list[Tab]:
    """All pages, in the order of the tabs."""
    return [tab for group in GROUPS for tab in group.tabs]


def rows(current: str) -> tuple[list[Shown], list[Shown]]:
    """The groups, and the pages of the group in which `current` stands (none where it is the only one)."""
    upper, lower = [], []
    for group in GROUPS:
        here = any(tab.key == current for tab in group.tabs)
        upper.append(Shown(group.label, reverse(group.tabs[0].view), here))
        if here and len(group.tabs) > 1:
            lower = [Shown(tab.label, reverse(tab.view), tab.key == current) for tab in group.tabs]
    return upper, lower
