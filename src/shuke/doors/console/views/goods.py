"""Goods: what sells, opens, goes together, is due and leads on; the members behind each figure; what one member needs next."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2s

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from shuke.doors.console import behind as lists
from shuke.doors.console import figure_table, goods_pages
from shuke.doors.console.access import StaffRequest, console
from shuke.insight.queries import goods as told
from shuke.insight.queries.goods_sales import names_of, shelf
from shuke.insight.queries.members_behind import in_group
from shuke.kit import numbers
from shuke.members.models import Member, MemberState
from shuke.shops import queries as shops

PAGE = 50
KEPT_SECONDS = 600


@console()
@require_GET
def goods(request: StaffRequest) -> HttpResponse:
    """One view of the report of the last night."""
    _needs_insight(request)
    levels = told.levels(request.merchant)
    asked = request.GET.get("level", "")
    report = told.report(request.merchant, asked if asked in levels else "")
    if report is None:
        return render(
            request,
            "console/insight_empty.html",
            {"tab": "goods", "making": told.unreported(request.merchant, request.now)},
        )
    view = request.GET.get("view", "")
    view = view if view in goods_pages.VIEWS else "hot"
    groups = [one["key"] for one in report["groups"]]
    group = request.GET.get("group", "")
    group = group if group in groups else "all"
    tables = goods_pages.tables(report, view, group, request.merchant.currency)
    if (file := figure_table.download(request, tables, f"goods-{view}")) is not None:
        return file
    context = {
        "tab": "goods",
        "report": report,
        "as_of": datetime.fromisoformat(report["made_at"]),
        "view": view,
        "views": goods_pages.view_names(),
        "levels": [(one, _("Single products") if one == "product" else _("Kinds of goods")) for one in levels],
        "groups": [(key, goods_pages.group_name(key)) for key in groups] if view in ("hot", "slow") else [],
        "group": group,
        "tables": tables,
    }
    return render(request, "console/insight_goods.html", context)


@console()
@require_http_methods(["GET", "POST"])
def behind(request: StaffRequest) -> HttpResponse | FileResponse:
    """The members a figure counts, as of the report's day."""
    _needs_insight(request)
    figure, level, item, other = (request.GET.get(name, "") for name in ("figure", "level", "item", "other"))
    report = told.report(request.merchant, level) if level in told.LEVELS else None
    if report is None:
        raise Http404
    asked = blake2s("\n".join((figure, level, item, other)).encode(), digest_size=12).hexdigest()
    key = f"console:goods:{request.merchant.pk}:{report['made_at']}:{asked}"
    found = cache.get(key)
    try:
        if found is None:
            found = told.members_behind_goods(request.merchant, figure, level, item, other)
            cache.set(key, found, KEPT_SECONDS)
    except told.NoSuchGoods as error:
        raise Http404(str(error)) from error
    what, _colon, code = request.GET.get("group", "").partition(":")
    if what in ("layer", "stage", "rfm"):
        among = in_group(request.merchant, what, code)
        found = [one for one in found if one.member in among]
    if request.method == "POST":
        return lists.export(request, [one.member for one in found])
    number = request.GET.get("page", "1")
    page = min(max(numbers.whole(number) or 1, 1), 10_000)
    part = found[(page - 1) * PAGE : page * PAGE]
    people = Member.objects.filter(merchant=request.merchant, state=MemberState.ACTIVE).in_bulk(
        [one.member for one in part]
    )
    shelves = shelf(request.merchant)
    items = [one for text in (item, other) if text and (one := shelves.item(level, text)) is not None]
    names = names_of(request.merchant, shelves, level, set(items))
    context = {
        "tab": "goods",
        "group": goods_pages.group_name(f"{what}:{code}") if what in ("layer", "stage", "rfm") else "",
        "title": _TITLES[figure]() % {"one": names.get(items[0], item), "two": names.get(items[-1], other)},
        "rows": [(people[one.member], one.day) for one in part if one.member in people],
        "count": len(found),
        "may_export": shops.may(request.staff, "export") and 0 < len(found) <= lists.MOST_EXPORTED,
        "as_of": report["as_of"],
        "due": figure in ("due", "overdue"),
        "level": level,
        "page": page,
        "more": len(found) > page * PAGE,
        "back": request.GET.get("view", _VIEW_OF[figure]),
    }
    return render(request, "console/insight_goods_members.html", context)


_TITLES = {
    "bought": lambda: _("Bought %(one)s within 90 days"),
    "stopped": lambda: _("Bought %(one)s in the 90 days before, and not since"),
    "began": lambda: _("Began with %(one)s"),
    "returned": lambda: _("Began with %(one)s and came again"),
    "together": lambda: _("Bought %(one)s and %(two)s in one order"),
    "due": lambda: _("%(one)s is due"),
    "overdue": lambda: _("%(one)s is overdue"),
    "satisfied": lambda: _("Satisfied with %(one)s"),
    "step": lambda: _("Satisfied with %(one)s, took up %(two)s next"),
}
_VIEW_OF = {
    "bought": "hot", "stopped": "slow", "began": "opening", "returned": "opening", "together": "together", "due": "again",
    "overdue": "again", "satisfied": "ladder", "step": "ladder",
}  # fmt: skip


@console()
@require_GET
def member(request: StaffRequest, pk: int) -> HttpResponse:
    """What one member buys again and when it is due, and what is new and likely."""
    _needs_insight(request)
    who = get_object_or_404(Member, merchant=request.merchant, pk=pk, state=MemberState.ACTIVE)
    levels = told.levels(request.merchant)
    asked = request.GET.get("level", "")
    report = told.report(request.merchant, asked if asked in levels else "")
    wanted = told.for_member(request.merchant, who, report["level"], now=request.now) if report else None
    if wanted is None:
        return render(request, "console/insight_empty.html", {"tab": "goods"})
    states = {"not_yet": _("not yet"), "due": _("due now"), "overdue": _("overdue"), "given_up": _("long silent")}
    context = {
        "tab": "goods",
        "who": who,
        "wanted": wanted,
        "states": states,
        "level": report["level"] if report else "",
        "levels": [(one, _("Single products") if one == "product" else _("Kinds of goods")) for one in levels],
        "rows": [(one, states[one.state]) for one in wanted.again],
    }
    return render(request, "console/insight_goods_member.html", context)


@console()
@require_GET
def card(request: StaffRequest, pk: int) -> HttpResponse:
    """The most important of it, for the member's own page: due again, one step up, one new thing."""
    _needs_insight(request)
    who = get_object_or_404(Member, merchant=request.merchant, pk=pk, state=MemberState.ACTIVE)
    report = told.report(request.merchant)
    wanted = told.for_member(request.merchant, who, report["level"], now=request.now, top=3) if report else None
    lines = goods_pages.card(wanted) if wanted is not None else []
    return render(request, "console/insight_goods_card.html", {"wanted": wanted, "lines": lines})


def _needs_insight(request: StaffRequest) -> None:
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
