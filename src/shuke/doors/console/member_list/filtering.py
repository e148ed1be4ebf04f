"""The menus of a list's filters, and the chips that say what is in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuke.doors.console import tiers, words
from shuke.doors.console.access import StaffRequest
from shuke.doors.console.member_list.asked import Asked, Link
from shuke.doors.console.templatetags.console import money
from shuke.engine.insight import profit_words, wording
from shuke.engine.insight.wording import Wording
from shuke.insight.queries import in_use
from shuke.insight.queries.filters import (
    BONDS,
    LAYERS,
    NOT_STATED,
    STAGES,
    flow,
    stand,
)
from shuke.shops import queries as shops
from shuke.shops.models import Merchant, Store

MOST_BOXES = 40


class Choice(NamedTuple):
    value: str
    label: str
    ticked: bool


class Menu(NamedTuple):
    name: str
    label: str
    choices: list[Choice]
    count: int  # type: ignore[assignment] # a tuple's own count() is not missed here


def menus(request: StaffRequest, asked: Asked) -> list[Menu]:
    """The four filters in front: each a list of boxes to tick."""
    filters = asked.filters

    def menu(name: str, label: str, pairs: list[tuple[str, str]], chosen: tuple[str, ...]) -> Menu:
        return Menu(name, label, [Choice(v, t, v in chosen) for v, t in pairs], len(chosen))

    tier_names = [(code, name) for code, (name, _shade) in tiers.every(request).items()]
    found = [
        menu("tier", _("Tier"), tier_names, filters.tiers),
        menu("stage", _("Stage"), [(s, words.stage(s)) for s in STAGES], filters.stages),
        menu("rfm", _("RFM class"), [(c, f"{words.rfm_class(c)} {c}") for c in wording.RFM_NAMES], filters.rfm),
    ]
    stores = _stores(request)
    if len(stores) > 1:
        found.append(
            menu("store", _("Home store"), [(str(s.id), s.name) for s in stores], tuple(map(str, filters.stores)))
        )
    return found


def _stores(request: StaffRequest) -> list[Store]:
    """The merchant's stores, asked once per request."""
    if not hasattr(request, "_stores"):
        request._stores = shops.stores(request.merchant)  # type: ignore[attr-defined]
    return list(request._stores)  # type: ignore[attr-defined]


def more_menus(request: StaffRequest, asked: Asked) -> list[Menu]:
    """The filters behind “More”."""
    filters, merchant = asked.filters, request.merchant
    sources = _kept(merchant, "sources", in_use.sources_in_use)
    tags = _kept(merchant, "tags", in_use.tags_in_use)
    found = [
        Menu("layer", _("Layer"), [Choice(k, words.layer(k), k in filters.layers) for k in LAYERS], len(filters.layers))
    ]
    found.append(
        Menu(
            "bond",
            _("Loyalty layer"),
            [Choice(k, words.bond(k), k in filters.bonds) for k in BONDS],
            len(filters.bonds),
        )
    )
    found += [
        _of_profit("loyalty", _("Loyalty type"), profit_words.TYPES, filters.loyalty),
        _of_profit("quality", _("Quality"), profit_words.QUALITIES, filters.quality),
        _of_profit("advice", _("Advice"), profit_words.ADVICE, filters.advice),
    ]
    if sources:
        found.append(
            Menu(
                "by", _("Came by"), [Choice(s, s, s in filters.acquired_by) for s in sources], len(filters.acquired_by)
            )
        )
    if tags:
        found.append(Menu("tag", _("Tags"), [Choice(t, t, t in filters.tags) for t in tags], len(filters.tags)))
    return found


def _of_profit(name: str, label: str, names: Mapping[str, Wording], chosen: tuple[str, ...]) -> Menu:
    return Menu(name, label, [Choice(k, words.said(names[k]), k in chosen) for k in names if k], len(chosen))


def _kept(merchant: Merchant, name: str, ask: Any) -> list[str]:
    """Choices that take a walk over all members to find: remembered for five minutes."""
    key = f"member-list:{merchant.id}:{name}"
    found = cache.get(key)
    if found is None:
        found = ask(merchant)[:100]
        cache.set(key, found, 300)
    return list(found)


def forget_choices(merchant: Merchant) -> None:
    """Ask anew next time: a tag has just been given."""
    cache.delete(f"member-list:{merchant.id}:tags")


def chips(request: StaffRequest, asked: Asked) -> list[Link]:
    """Each filter in force with a way to take it off."""
    filters = asked.filters
    found = []
    for name, value in filters.params():
        if name == "view":
            continue  # its tab shows it
        rest = Asked(filters.without(name, value), asked.sort, 1)
        found.append(
            Link(
                chip_label(
                    request,
                    name,
                    value,
                    asked_period=bool(filters.paid),
                    there=bool(filters.bought_in or filters.bought_on),
                ),
                rest.url(),
            )
        )
    return found


_PROFIT_WORDS: dict[str, tuple[Any, Mapping[str, Wording]]] = {
    "loyalty": (gettext_lazy("Loyalty type"), profit_words.TYPES),
    "quality": (gettext_lazy("Quality"), profit_words.QUALITIES),
    "advice": (gettext_lazy("Advice"), profit_words.ADVICE),
    "cost": (gettext_lazy("Caused cost within 365 days"), profit_words.COSTS),
}


def chip_label(request: StaffRequest, name: str, value: str, *, asked_period: bool = False, there: bool = False) -> str:
    """One filter in words."""
    if name == "tier":
        value = tiers.look(request, value)[0]
    elif name == "stage":
        value = words.stage(value)
    elif name == "rfm":
        value = f"{words.rfm_class(value)} {value}"
    elif name == "layer":
        value = words.layer(value)
    elif name == "bond":
        value = words.bond(value)
    elif name == "store" and value == "0":
        return _("No home store")
    elif name == "by" and value == NOT_STATED:
        return _("Came by: not stated")
    elif name in ("home_on", "bought_on", "first_on"):
        if value == NOT_STATED:
            return _("No home store")
        value = words.platform(value)
    elif name in ("store", "bought_in", "first_in"):
        value = next((s.name for s in _stores(request) if str(s.id) == value), value)
    elif name == "cell":
        r, _dash, f = value.partition("-")
        return _("Recency %(r)s of 5, frequency %(f)s of 5") % {"r": r, "f": f}
    elif name == "moved":
        moved = flow(value)
        assert moved is not None
        return words.flow(moved.what, moved.before, moved.after)
    elif name == "stood":
        place = stand(value)
        assert place is not None
        return _("On %(day)s: %(where)s") % {"day": place.day, "where": words.where(place.what, place.place)}
    elif name == "holding":
        return {
            "pending": _("Has points that wait for the return window"),
            "held": _("Has points on hold"),
            "debt": _("Owes points back"),
        }[value]
    elif name in ("paid", "unpaid", "joined", "first"):
        value = period_label(value)
    elif name == "expires" and value == "never":
        return _("Has points that never lapse")
    elif name in _PROFIT_WORDS:
        label, names = _PROFIT_WORDS[name]
        return f"{label}: {words.said(names['' if value in ('none', 'unknown') else value])}"
    elif name == "profit":
        return {"gain": _("Brought more than they cost"), "loss": _("Cost more than they brought")}[value]
    elif name == "chance":
        days, _dash, band = value.partition("-")
        return words.chance_within(band, int(days))
    elif name in ("expects_from", "expects_to") or name == "year_from":
        value = money(int(value), request.merchant.currency)
    elif name == "bought":
        return {
            "ever": _("Has bought"),
            "never": _("Never bought"),
            "year": _("Bought within 365 days"),
            "again": _("Came back within 365 days"),
            "idle": _("Nothing bought for 365 days"),
        }[value]
    pattern = {
        "q": _("Found by “%(value)s”"),
        "tier": _("Tier: %(value)s"),
        "stage": _("Stage: %(value)s"),
        "rfm": _("RFM class: %(value)s"),
        "layer": _("Layer: %(value)s"),
        "bond": _("Loyalty layer: %(value)s"),
        "store": _("Home store: %(value)s"),
        "bought_in": _("Bought in %(value)s within 365 days") if not asked_period else _("Bought in %(value)s"),
        "bought_on": _("Bought on %(value)s within 365 days") if not asked_period else _("Bought on %(value)s"),
        "first_in": _("First bought in %(value)s"),
        "first_on": _("First bought on %(value)s"),
        "home_on": _("Home store on %(value)s"),
        "m": _("Money %(value)s of 5"),
        "paid": _("Bought %(value)s"),
        "paid_days": _("On %(value)s days or more"),
        "unpaid": _("Bought nothing there %(value)s") if there else _("Bought nothing %(value)s"),
        "expires": _("Points that lapse in %(value)s"),
        "expects_from": _("Expected to spend %(value)s or more in 12 months"),
        "expects_to": _("Expected to spend less than %(value)s in 12 months"),
        "year_from": _("Spent %(value)s or more within 365 days"),
        "tag": _("Tag: %(value)s"),
        "by": _("Came by: %(value)s"),
        "joined": _("Joined %(value)s"),
        "first": _("First purchase %(value)s"),
        "points_from": _("%(value)s points or more"),
        "points_to": _("%(value)s points or fewer"),
        "last_from": _("Last purchase on or after %(value)s"),
        "last_to": _("Last purchase on or before %(value)s"),
    }[name]
    return pattern % {"value": value}


def period_label(text: str) -> str:
    """2017-05 as it is; 2017-05-01..2017-05-09 as from – to; one open end said in words."""
    start, dots, end = text.partition("..")
    if not dots:
        return text
    if start and end:
        return f"{start} – {end}"
    return _("up to %(day)s") % {"day": end} if end else _("from %(day)s on") % {"day": start}
