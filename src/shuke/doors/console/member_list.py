"""The parts of a member list page: tabs, filter menus, chips, columns, and addresses that say all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuke.doors.console import tiers, words
from shuke.doors.console.access import StaffRequest
from shuke.doors.console.templatetags.console import masked_phone, money
from shuke.engine.insight import wording
from shuke.insight.queries import directory as members_directory
from shuke.insight.queries.directory import OFFSET_PAGES, Page, Row
from shuke.insight.queries.filters import (
    BONDS,
    DEFAULT_SORT,
    DORMANT_DAYS,
    LAYERS,
    STAGES,
    VIEWS,
    Filters,
    flow,
    parse,
    parse_sort,
)
from shuke.members.queries import Hit
from shuke.shops import queries as shops
from shuke.shops.models import Merchant, Store

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
    "orders": gettext_lazy("Orders"),
    "gap": gettext_lazy("Usual gap, days"),
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
SORTED_BY = {"last": "last", "spent": "spent", "orders": "orders", "points": "points", "joined": "joined"}
NUMBERS = frozenset({"spent", "year", "orders", "gap", "points", "last", "first", "joined"})
DASH = "–"
COLUMNS_KEY = "member_columns"
MOST_BOXES = 40

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


class Head(NamedTuple):
    key: str
    label: str
    number: bool
    url: str  # "" where the list cannot be sorted by it
    direction: str  # ascending | descending | ""


class Choice(NamedTuple):
    value: str
    label: str
    ticked: bool


class Menu(NamedTuple):
    name: str
    label: str
    choices: list[Choice]
    count: int  # type: ignore[assignment] # a tuple's own count() is not missed here


class Cell(NamedTuple):
    key: str
    label: str
    number: bool
    shown: str


class TableRow(NamedTuple):
    id: int
    name: str
    url: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks of the list."""

    filters: Filters
    sort: str
    number: int
    after: str
    before: str

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
        after=one.get("after", ""),
        before=one.get("before", ""),
    )


# Filters the form has no box for; they come from figures and stay in force while others are ticked.
NOT_IN_FORM = (
    "cell",
    "m",
    "first",
    "bought_in",
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
    sources = _kept(merchant, "sources", members_directory.sources_in_use)
    tags = _kept(merchant, "tags", members_directory.tags_in_use)
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
    if sources:
        found.append(
            Menu(
                "by", _("Came by"), [Choice(s, s, s in filters.acquired_by) for s in sources], len(filters.acquired_by)
            )
        )
    if tags:
        found.append(Menu("tag", _("Tags"), [Choice(t, t, t in filters.tags) for t in tags], len(filters.tags)))
    return found


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
        rest = Asked(filters.without(name, value), asked.sort, 1, "", "")
        found.append(Link(chip_label(request, name, value, asked_period=bool(filters.paid)), rest.url()))
    return found


def chip_label(request: StaffRequest, name: str, value: str, *, asked_period: bool = False) -> str:
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
    elif name in ("store", "bought_in"):
        value = next((s.name for s in _stores(request) if str(s.id) == value), value)
    elif name == "cell":
        r, _dash, f = value.partition("-")
        return _("Recency %(r)s of 5, frequency %(f)s of 5") % {"r": r, "f": f}
    elif name == "moved":
        moved = flow(value)
        assert moved is not None
        return words.flow(moved.what, moved.before, moved.after)
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
    elif name == "year_from":
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
        "m": _("Money %(value)s of 5"),
        "paid": _("Bought %(value)s"),
        "paid_days": _("On %(value)s days or more"),
        "unpaid": _("Bought nothing %(value)s"),
        "expires": _("Points that lapse in %(value)s"),
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


def columns(request: StaffRequest) -> list[str]:
    """The columns this reader chose, in the table's order; kept in the session."""
    chosen = request.session.get(COLUMNS_KEY, DEFAULT_COLUMNS)
    return [key for key in CHOICE if key in chosen]


def heads(asked: Asked, shown: list[str]) -> list[Head]:
    found = []
    for key in ["name", *shown]:
        sort = SORTED_BY.get(key, "")
        current = sort != "" and asked.sort.removeprefix("-") == sort
        down = asked.sort.startswith("-")
        turned = sort if current and down else f"-{sort}"
        found.append(
            Head(
                key,
                str(HEADINGS[key]),
                key in NUMBERS,
                Asked(asked.filters, turned, 1, "", "").url() if sort else "",
                ("descending" if down else "ascending") if current else "",
            )
        )
    return found


def table(
    request: StaffRequest, rows: list[Row], shown: list[str], asked: Asked, hits: Mapping[int, Hit]
) -> list[TableRow]:
    """The rows as they are shown; of a phone found by digits, those typed stand open in it (`hits`).

    Built here and not in the template: fifty rows of seven choices each would be slow."""
    query = asked.query()
    tail = f"?{query}" if query else ""
    labels = {key: (str(HEADINGS[key]), key in NUMBERS) for key in shown}
    show = _Shower(request, hits)
    found = []
    for row in rows:
        cells = [Cell(key, *labels[key], getattr(show, key)(row)) for key in shown]
        name = row.name or row.nickname or row.card
        found.append(TableRow(row.id, name, reverse("console:member", args=[row.id]) + tail, cells))
    return found


class _Shower:
    """How each column shows its figure; one method per column, a dash where nothing is known."""

    def __init__(self, request: StaffRequest, hits: Mapping[int, Hit]) -> None:
        self._hits = hits
        self._request, self._zone, self._currency = request, request.merchant.tz, request.merchant.currency

    def _day(self, moment: datetime | None) -> str:
        return DASH if moment is None else f"{moment.astimezone(self._zone):%Y-%m-%d}"

    def phone(self, row: Row) -> str:
        hit = self._hits.get(row.id)
        return masked_phone(hit.phone_shown if hit else row.phone_hint) or DASH

    def tier(self, row: Row) -> str:
        if not row.tier:
            return DASH
        name, shade = tiers.look(self._request, row.tier)
        return format_html('<span class="c-tier c-tier-{}">{}</span>', shade, name)

    def stage(self, row: Row) -> str:
        if not row.stage:
            return DASH
        return format_html('<span class="c-stage c-stage-{}">{}</span>', row.stage, words.stage(row.stage))

    def rfm(self, row: Row) -> str:
        if not row.rfm:
            return DASH
        return format_html('{} <span class="c-quiet c-small">{}</span>', words.rfm_class(row.rfm), row.rfm)

    def tags(self, row: Row) -> str:
        return format_html_join(" ", '<span class="c-tag">{}</span>', ((tag,) for tag in row.tags[:4])) or DASH

    def gap(self, row: Row) -> str:
        return DASH if row.usual_gap_days is None else f"{row.usual_gap_days:.0f}"

    def scores(self, row: Row) -> str:
        return DASH if row.r5 is None else f"{row.r5}-{row.f5}-{row.m5}"

    def layer(self, row: Row) -> str:
        return words.layer(row.layer) or DASH

    def bond(self, row: Row) -> str:
        return words.bond(row.bond) or DASH

    def gender(self, row: Row) -> str:
        return {"f": _("female"), "m": _("male")}.get(row.gender, DASH)

    def last(self, row: Row) -> str:
        return self._day(row.last_paid_at)

    def first(self, row: Row) -> str:
        return self._day(row.first_paid_at)

    def joined(self, row: Row) -> str:
        return self._day(row.joined_at)

    def spent(self, row: Row) -> str:
        return money(row.net_minor, self._currency)

    def year(self, row: Row) -> str:
        return money(row.year_net_minor, self._currency)

    def points(self, row: Row) -> str:
        return DASH if row.points is None else f"{row.points:,}"

    def orders(self, row: Row) -> str:
        return DASH if row.orders is None else f"{row.orders:,}"

    def card(self, row: Row) -> str:
        return row.card

    def nickname(self, row: Row) -> str:
        return row.nickname or DASH

    def store(self, row: Row) -> str:
        return row.store or DASH

    def by(self, row: Row) -> str:
        return row.acquired_by or DASH

    def city(self, row: Row) -> str:
        return row.city or DASH


def pager(asked: Asked, page: Page) -> dict[str, Any]:
    """Which rows of how many, and the way to the others: by number up to page 50, by cursor beyond."""
    number = page.number if not (asked.after or asked.before) else asked.number
    near = number < OFFSET_PAGES
    previous = ""
    if number > 1 and page.rows:
        previous = (
            asked.url(page=number - 1 if number > 2 else "")
            if number <= OFFSET_PAGES
            else asked.url(before=page.before, page=number - 1)
        )
    return {
        "first": page.first,
        "last": page.first + len(page.rows) - 1 if page.rows else 0,
        "total": page.total,
        "capped": page.capped,
        "previous": previous,
        "next": (asked.url(page=number + 1) if near else asked.url(after=page.after, page=number + 1))
        if page.has_next
        else "",
    }
