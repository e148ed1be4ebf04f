"""The pieces of the profile page: groups to choose from, a group in words, and each trait as bars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from shuke.doors.console import charts, tiers, words
from shuke.doors.console.access import StaffRequest
from shuke.doors.console.member_list import Asked
from shuke.engine.insight import profile_words, wording
from shuke.insight.queries.filters import BONDS, LAYERS, STAGES
from shuke.shops.models import Store

MOST_BARS = 8  # shown at once; the rest unfolds


class Choice(NamedTuple):
    value: str  # the address parameters of the group
    label: str
    current: bool


class Row(NamedTuple):
    """One bar. Coordinates are of a box 100 wide."""

    name: str
    share: float
    of_all: float
    members: int
    url: str
    width: str
    mark: str
    figure: int | None
    low: int | None
    high: int | None
    surely: int
    said: str


class Card(NamedTuple):
    key: str
    name: str
    refused: str
    known: int
    of: int
    unknown: float
    all_unknown: float
    unknown_url: str
    several: bool
    rows: list[Row]
    more: list[Row]


def choices(request: StaffRequest, asked: Asked) -> list[tuple[str, list[Choice]]]:
    """Groups people ask for most; any other comes by its address, from the member list."""
    now = asked.query()
    stores = Store.objects.filter(merchant=request.merchant).order_by("name").values_list("id", "name")[:40]
    kinds: list[tuple[str, str, Iterable[tuple[Any, str]]]] = [
        (_("Pyramid"), "layer", [(one, words.layer(one)) for one in LAYERS]),
        (_("Life cycle"), "stage", [(one, words.stage(one)) for one in STAGES]),
        (_("Loyalty layer"), "bond", [(one, words.bond(one)) for one in BONDS]),
        (_("RFM classes"), "rfm", [(one, f"{one} {words.rfm_class(one)}") for one in wording.RFM_NAMES]),
        (_("Tier"), "tier", [(code, name) for code, (name, _shade) in tiers.every(request).items()]),
        (_("Home store"), "store", stores),
    ]
    found = []
    for label, name, options in kinds:
        listed = [Choice(value := urlencode({name: code}), text, value == now) for code, text in options]
        if listed:
            found.append((label, listed))
    return found


def group_name(layers: tuple[str, ...]) -> str:
    """The three groups of the overview."""
    return {
        ("key", "main"): _("The main group: key and main members"),
        ("potential",): _("The second group: potential members"),
        ("target",): _("All other members"),
    }[layers]


def cards(told: dict[str, Any], asked: Asked, currency: str) -> list[tuple[str, list[Card]]]:
    """The traits by topic, in the order of the topics."""
    language = words.language()
    return [
        (
            name.said(language),
            [_card(one, asked, language, currency) for one in told["traits"] if one["topic"] == topic],
        )
        for topic, name in profile_words.TOPICS.items()
        if any(one["topic"] == topic for one in told["traits"])
    ]


def _card(one: dict[str, Any], asked: Asked, language: str, currency: str) -> Card:
    longest = max((max(bar["share"], bar["of_all"]) for bar in one["bars"]), default=0) or 1
    rows = [
        Row(
            profile_words.option(one, bar, language, currency), bar["share"], bar["of_all"], bar["members"], behind_url(asked, one["key"], bar["option"]),
            charts.one(100 * bar["share"] / longest), charts.one(min(100 * bar["of_all"] / longest, 99)), bar["index"], bar["low"], bar["high"],
            bar["surely"], profile_words.SURELY[bar["surely"]].said(language),
        )
        for bar in one["bars"]
    ]  # fmt: skip
    refused = profile_words.REFUSED[one["refused"]].said(language) if one["refused"] else ""
    return Card(
        one["key"].replace(":", "-"), profile_words.trait(one, language), refused, one["known"], one["of"],
        1 - one["known"] / one["of"] if one["of"] else 0.0, 1 - one["all_known"] / one["all"] if one["all"] else 0.0,
        behind_url(asked, one["key"], "?"), one["several"], rows[:MOST_BARS], rows[MOST_BARS:],
    )  # fmt: skip


def behind_url(asked: Asked, trait: str, option: str) -> str:
    pairs = [*asked.filters.params(), ("trait", trait), ("option", option)]
    return f"{reverse('console:insight-profile-members')}?{urlencode(pairs)}"


def lines(told: dict[str, Any], currency: str) -> list[list[str]]:
    """The whole profile as a table of texts, heads first."""
    language = words.language()
    heads = [
        _("Trait"), _("Option"), _("Members"), _("Known"), _("Share"), _("Share of all"), _("Index"), _("from"), _("to"), _("How sure"),
    ]  # fmt: skip
    found = [heads]
    for one in told["traits"]:
        for bar in one["bars"]:
            figures = [bar[name] for name in ("index", "low", "high")]
            found.append(
                [
                    profile_words.trait(one, language), profile_words.option(one, bar, language, currency), str(bar["members"]), str(one["known"]),
                    f"{bar['share']:.4f}", f"{bar['of_all']:.4f}", *("" if f is None else str(f) for f in figures),
                    profile_words.SURELY[bar["surely"]].said(language),
                ]
            )  # fmt: skip
    return found
