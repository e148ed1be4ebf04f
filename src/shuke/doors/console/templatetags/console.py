"""Pieces of every page. `{% load console %}`

{% icon "search" %}  {{ minor|money:merchant.currency }}  {{ 12345|count }}  {{ hint|masked_phone }}
{% tier_badge code %}  {% status "good" "Done" %}  {% empty icon="inbox" title=… text=… url=… label=… %}
{% pager page %}  {% filter_chip label=… without="tier" %}  {% query page=2 sort="name" %}
{% delta now before %}  {% definition text as_of %}  {% sparkline values label=… %}  {% share_bar part whole %}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from shuke.doors.console import figure_table, tiers, words
from shuke.doors.console import insight_tabs as insight_pages_list
from shuke.insight.queries import value_told
from shuke.kit import money as kit_money
from shuke.shops import queries as shops

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """A picture beside a word; never the only carrier of a meaning, so it is hidden from readers."""
    return format_html(
        '<svg class="c-icon" width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"></use></svg>',
        size,
        static("vendor/icons.svg"),
        name,
    )


@register.filter
def money(minor: int | None, currency: str) -> str:
    """¥1,234.50; a dash where nothing is known."""
    return "–" if minor is None else kit_money.show(int(minor), currency)


@register.filter
def money_round(minor: int | None, currency: str) -> str:
    """¥1,235: for tiles and charts, where cents are noise."""
    if minor is None:
        return "–"
    unit = 10 ** kit_money.digits(currency)
    whole = (abs(int(minor)) + unit // 2) // unit
    return f"{'-' if minor < 0 else ''}{kit_money.SYMBOLS.get(currency, currency + ' ')}{whole:,}"


@register.filter
def count(number: int | float | None, decimals: int = 0) -> str:
    """12,345; a dash where nothing is known. Grouped by thousands in Chinese too, as till receipts and bank statements are."""
    return "–" if number is None else f"{number:,.{decimals}f}"


@register.filter
def thousandths(number: int | None, decimals: int = 1) -> str:
    """9428 → 9.4: quantities are kept in thousandths."""
    return "–" if number is None else f"{number / 1000:,.{decimals}f}"


@register.simple_tag
def opens(text: str, url: str, members: int | None) -> SafeString | str:
    """A figure as a link to the members behind it; plain where nobody is, or where it is not known who.

    The number of members the list must hold stands in the link, so that a test can walk all of them.
    """
    if not url or not members:
        return text
    return format_html('<a href="{}" data-figure="{}">{}</a>', url, members, text)


@register.filter
def percent(share: float | None, decimals: int = 1) -> str:
    """0.1234 → 12.3%."""
    return "–" if share is None else f"{share * 100:.{decimals}f}%"


@register.filter
def masked_phone(hint: str) -> str:
    """138****5678 → 138 **** 5678."""
    return hint if "****" not in hint else " **** ".join(part.strip() for part in hint.split("****", 1)).strip()


@register.filter
def initial(name: str) -> str:
    """The first letter for a round picture."""
    return name[:1].upper() if name else "?"


@register.simple_tag(takes_context=True)
def tier_badge(context: template.Context, code: str) -> SafeString:
    """A tier by its name in the charter, coloured by its rank."""
    if not code:
        return SafeString("")
    label, shade = tiers.look(context["request"], code)
    return format_html('<span class="c-tier c-tier-{}">{}</span>', shade, label)


@register.filter
def layer_name(code: str) -> str:
    """key → 关键会员."""
    return words.layer(code)


@register.filter
def stage_name(code: str) -> str:
    """degrading → 退化期."""
    return words.stage(code)


@register.filter
def rfm_name(code: str) -> str:
    """222 → 重要价值."""
    return words.rfm_class(code)


@register.filter
def role_name(code: str) -> str:
    """owner → 店主."""
    return str(words.ROLES.get(code, code))


@register.simple_tag
def status(kind: str, label: str) -> SafeString:
    """good | warn | bad | info | plain: colour, word and sign together."""
    sign = {"good": "✓", "warn": "!", "bad": "✕", "info": "i", "plain": "·"}[kind]
    return format_html(
        '<span class="c-status c-status-{}"><span aria-hidden="true">{}</span>{}</span>', kind, sign, label
    )


@register.inclusion_tag("console/parts/empty.html")
def empty(*, title: str, text: str = "", icon: str = "inbox", url: str = "", label: str = "") -> dict[str, Any]:
    """Why there is nothing here, and the one thing to do about it."""
    return {"title": title, "text": text, "picture": icon, "url": url, "label": label}


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The address's query with some parameters changed (None or "" drops one); empty ones never pile up."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in (None, ""):
            parameters[name] = str(value)
    for name in [name for name, value in parameters.items() if value == ""]:
        del parameters[name]
    return "?" + parameters.urlencode()


@register.inclusion_tag("console/parts/pager.html", takes_context=True)
def pager(context: template.Context, page: Any) -> dict[str, Any]:
    """Which rows of how many, and the way to the others. `page` is a django Page, or anything with its names."""
    return {"page": page, "request": context["request"]}


@register.inclusion_tag("console/parts/chip.html", takes_context=True)
def filter_chip(context: template.Context, *, label: str, without: str) -> dict[str, Any]:
    """One filter in force, and a link that takes it away. `without` lists its parameters, separated by spaces."""
    return {"label": label, "url": query(context, page=None, **dict.fromkeys(without.split()))}


@register.simple_tag
def delta(now: float | None, before: float | None, good: str = "up") -> SafeString:
    """▲ 8.1% against a former figure. `good` says which way is welcome: up, down, or none."""
    if now is None or not before:
        return SafeString("")
    change = (now - before) / before
    if abs(change) < 0.0005:
        return format_html('<span class="c-quiet">{}</span>', _("unchanged"))
    welcome = good != "none" and (change > 0) == (good == "up")
    tone = "c-quiet" if good == "none" else "c-good" if welcome else "c-bad"
    sign, word = ("▲", _("up")) if change > 0 else ("▼", _("down"))
    return format_html(
        '<span class="{}"><span aria-hidden="true">{} </span><span class="visually-hidden">{} </span>{}</span>',
        tone,
        sign,
        word,
        f"{abs(change) * 100:,.1f}%",
    )


@register.inclusion_tag("console/parts/definition.html", takes_context=True)
def definition(context: template.Context, text: str, as_of: datetime | None = None, name: str = "") -> dict[str, Any]:
    """What a figure counts, and as of when."""
    return {"text": text, "as_of": as_of, "name": name, "merchant": context.get("merchant")}


@register.inclusion_tag("console/parts/sparkline.html")
def sparkline(values: Sequence[float], label: str = "") -> dict[str, Any]:
    """A small line without axes. `label` says in words what it shows."""
    return {"points": line_points(values, width=96, height=24, pad=2), "label": label}


def line_points(values: Sequence[float], *, width: float, height: float, pad: float) -> str:
    """SVG polyline points of values over equal steps, the lowest at the bottom."""
    if not values:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = (width - 2 * pad) / max(len(values) - 1, 1)
    return " ".join(
        f"{pad + i * step:.1f},{height - pad - (v - low) / span * (height - 2 * pad):.1f}" for i, v in enumerate(values)
    )


@register.simple_tag
def share_bar(part: float, whole: float, label: str = "") -> SafeString:
    """A thin bar filled by part of whole."""
    share = 0 if not whole else max(0.0, min(1.0, part / whole))
    named = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="c-bar" viewBox="0 0 100 8" preserveAspectRatio="none" {}>'
        '<rect class="c-bar-ground" width="100" height="8" rx="2"></rect>'
        '<rect class="c-bar-fill" width="{}" height="8" rx="2"></rect></svg>',
        named,
        f"{share * 100:.1f}",
    )


@register.simple_tag
def insight_tabs(current: str) -> tuple[list[insight_pages_list.Shown], list[insight_pages_list.Shown]]:
    """The two rows of tabs of the insight pages: groups, and the pages of the group one is in."""
    return insight_pages_list.rows(current)


@register.simple_tag(takes_context=True)
def orders_ahead(context: template.Context, current: str) -> str:
    """That orders are dated in the future and count nowhere; "" where there are none, and on pages that say it themselves."""
    if current in ("value", "value-test", "costs", "points"):
        return ""
    return value_told.ahead_says(context["request"].merchant, words.language())


@register.simple_tag
def figure_cell(cell: figure_table.Cell, table: figure_table.Table, place: int) -> SafeString:
    """A cell of a figure table: a link to the members behind it, or plain where nobody is. It bears its column's head where
    rows are told as blocks."""
    kind = "c-num" if cell.number else "c-nowrap"
    head = format_html(' data-head="{}"', table.heads[place][0]) if table.told and cell.number else ""
    tone = f" c-{cell.tone}" if cell.tone.startswith("heat") else f" c-goods-{cell.tone}" if cell.tone else ""
    if cell.url:
        counted = format_html(' data-figure="{}"', cell.members) if cell.members else ""
        return format_html(
            '<td class="{}{}"{}><a href="{}"{}>{}</a></td>', kind, tone, head, cell.url, counted, cell.text
        )
    why = format_html(' data-plain="{}"', cell.plain) if cell.plain else ""
    return format_html('<td class="{}{}"{}{}>{}</td>', kind, tone, head, why, cell.text)


@register.filter
def axis_label(text: str) -> str:
    """2026-03 → 26-03: an axis has little room."""
    return text[2:] if len(text) > 4 and text[:2] in ("19", "20") else text


@register.filter
def split(text: str) -> list[str]:
    return text.split()


@register.filter
def lookup(mapping: dict[Any, Any], key: Any) -> Any:
    """mapping[key] where the key is a variable; None if absent."""
    return mapping.get(key)


@register.filter
def joined(parts: Iterable[str], sign: str = " · ") -> str:
    return sign.join(str(part) for part in parts if part)


@register.filter
def by_whom(actor: str) -> str:
    """Who did it, for people: a user name as it is, a program by the name of its token."""
    kind, _sep, who = actor.partition(":")
    if kind == "token" and (name := shops.token_name(who)):
        return _("program “%(name)s”") % {"name": name}
    if kind == "cli" and who:
        return _("command line (%(name)s)") % {"name": who}
    return actor
