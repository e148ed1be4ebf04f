"""Profit per member and the retention budget; margins and costs as the shop states them; costs booked on a member by hand."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from shuke.doors.console import figure_table, profit_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.insight import profit_words
from shuke.engine.insight.profit import KINDS
from shuke.engine.insight.profit_words import Refused
from shuke.insight import actions
from shuke.insight.queries import profit as told
from shuke.insight.queries.profit_inputs import stated, terms_of
from shuke.kit import clock, ids, money
from shuke.kit.tabular import TabularError
from shuke.members.actions import Cost, book_costs
from shuke.members.models import Member, MemberState
from shuke.members.queries.costs import costs_of
from shuke.shops import queries as shops

MAY_STATE = "adjust"  # owner and managers; everybody with insight may look
LISTED = 200
KEPT_SECONDS = 900
HOME = "console:insight-costs"


@console()
@require_GET
def profit(request: StaffRequest) -> HttpResponse:
    """What members brought and cost, by group, and the best and worst with reasons."""
    needs_insight(request)
    found = told.report(request.merchant)
    if found is None:
        return render(
            request,
            "console/insight_empty.html",
            {"tab": "profit", "making": told.unreported(request.merchant, request.now)},
        )
    by = request.GET.get("by", "")
    by = by if by in profit_pages.GROUPS else "tier"
    pages = profit_pages.Tables(request, found)
    meaning = _("By profit within 365 days, with what made them so.")
    tables = [
        *pages.profit(by),
        pages.members(_("Best members"), told.best(request.merchant), meaning, "best"),
        pages.members(_("Costly members"), told.worst(request.merchant), words.said(profit_words.QUALITY_MEANINGS["costly"]), "worst", empty=_("Nobody is costly.")),
    ]  # fmt: skip
    if (file := figure_table.download(request, tables, "profit")) is not None:
        return file
    context = _head(request, found, "profit") | {
        "tables": tables,
        "by": by,
        "groups": [("tier", _("Tier")), ("layer", _("Layer")), ("rfm", _("RFM class"))],
        "stated_share": profit_pages.percent(found["stated_share"]),
        "costs_known": any(found["with_costs"][kind] for kind in ("acquisition", "care", "service", "recovery")),
    }
    return render(request, "console/insight_profit.html", context)


@console()
@require_GET
def budget(request: StaffRequest) -> HttpResponse:
    """What it is worth at most to keep or win back, and whom to let go."""
    needs_insight(request)
    found = told.report(request.merchant)
    if found is None:
        return render(
            request,
            "console/insight_empty.html",
            {"tab": "budget", "making": told.unreported(request.merchant, request.now)},
        )
    pages = profit_pages.Tables(request, found)
    tables = [pages.budgets()]
    for advice, title in (("win_back", _("Worth winning back")), ("keep", _("Worth keeping")), ("let_go", _("Let go"))):
        listed = told.worth_keeping(request.merchant, advice, 10)
        if listed:
            tables.append(
                pages.members(title, listed, words.said(profit_words.ADVICE_MEANINGS[advice]), advice, budget=True)
            )
    if (file := figure_table.download(request, tables, "budget")) is not None:
        return file
    known = sum(one["members"] for one in found["budgets"] if one["key"])
    return render(
        request, "console/insight_budget.html", _head(request, found, "budget") | {"tables": tables, "known": known}
    )


def _head(request: StaffRequest, found: dict, tab: str) -> dict:
    terms = terms_of(request.merchant)
    return {
        "tab": tab,
        "told": found,
        "as_of": datetime.fromisoformat(found["made_at"]),
        "terms": terms,
        "terms_said": profit_pages.terms_said(terms),
        "years": f"{terms.years_tenths / 10:g}",
    }


@console()
@require_http_methods(["GET", "POST"])
def costs(request: StaffRequest) -> HttpResponse:
    """Margins, costs of newcomers, uplift and years. A POST states one, takes one back, sets the terms, or takes a list."""
    needs_insight(request)
    if request.method == "POST":
        files = request.FILES.getlist("file")  # parses the request, on which the guard may refuse it
        if not shops.may(request.staff, MAY_STATE):
            raise PermissionDenied
        try:
            return _state(request, files)
        except Refused as error:
            messages.error(request, error.say(words.language()))
            return redirect(HOME)
    kept = stated(request.merchant)
    rows = [(what, key, one) for what, keys in kept.items() for key, one in sorted(keys.items())]
    terms = terms_of(request.merchant)
    context = {
        "tab": "costs",
        "may_state": shops.may(request.staff, MAY_STATE),
        "rows": [
            {
                "what": what, "label": what_names()[what], "key": key,
                "margin": "" if one.margin_permille is None else profit_pages.percent(one.margin_permille),
                "cost": "" if one.cost_minor is None else money.show(one.cost_minor, request.merchant.currency),
            }
            for what, key, one in rows[:LISTED]
        ],
        "left_out": max(len(rows) - LISTED, 0),
        "what_names": what_names(),
        "terms": terms,
        "terms_said": profit_pages.terms_said(terms),
        "typed": {
            "margin": "" if terms.margin_assumed else f"{terms.margin / 10:g} %",
            "uplift": f"{terms.uplift / 10:g} %" if terms.uplift_stated else "",
            "years": "" if terms.years_assumed else f"{terms.years_tenths / 10:g}",
        },
        "stores": [store.name for store in shops.stores(request.merchant)],
        "rejects": cache.get(_rejects_key(request)),
    }  # fmt: skip
    return render(request, "console/insight_costs.html", context)


def _state(request: StaffRequest, files: list) -> HttpResponse:
    who: dict[str, Any] = {"merchant": request.merchant, "now": request.now, "actor": request.staff.username}
    post = request.POST
    if files or post.get("do") == "list":
        return _take_list(request, files)
    if post.get("do") == "terms":
        source = post.get("source", "")
        actions.set_terms(
            **who, margin_permille=_share(post.get("margin", "")), uplift_permille=_share(post.get("uplift", "")),
            years_tenths=_years(post.get("years", "")), uplift_source=source,
        )  # fmt: skip
    else:
        margin, cost = post.get("margin", "").strip(), post.get("cost", "").strip()
        if post.get("do") != "drop" and not margin and not cost:
            raise Refused("nothing_stated")
        try:
            minor = money.parse(cost, request.merchant.currency) if cost else None
        except money.NotMoney:
            raise Refused("bad_cost", key=cost) from None
        said = actions.Statement(post.get("what", ""), post.get("key", ""), _share(margin), minor)
        if post.get("do") == "drop":
            said = actions.Statement(said.what, said.key)
        actions.state_costs(**who, statements=[said])
    messages.success(request, _("Kept. The figures are made anew within minutes."))
    return redirect(HOME)


def _take_list(request: StaffRequest, files: list) -> HttpResponse:
    file = next((one for one in files if isinstance(one, TemporaryUploadedFile)), None)
    if file is None:
        messages.error(
            request, _("That file is too large.") if getattr(request, "upload_refused", "") else _("Choose a file.")
        )
        return redirect(HOME)
    try:
        taken = actions.take_list(
            merchant=request.merchant,
            path=Path(file.temporary_file_path()),
            now=request.now,
            actor=request.staff.username,
        )
    except TabularError:
        messages.error(request, _("This file is no table that can be read. Save it as CSV or XLSX and send it again."))
        return redirect(HOME)
    rejects = [(one.row, one.why.say(words.language()), one.cells) for one in taken.rejected]
    cache.set(_rejects_key(request), rejects, KEPT_SECONDS)
    said = _("%(kept)s rows kept, %(rejected)s rejected.") % {"kept": taken.stated, "rejected": len(rejects)}
    (messages.warning if rejects else messages.success)(request, said)
    return redirect(HOME)


@console()
@require_GET
def rejects(request: StaffRequest) -> HttpResponse:
    """The rows of the last list that were not taken, with the reason, to be mended and sent again."""
    needs_insight(request)
    rows = cache.get(_rejects_key(request))
    if not rows:
        raise Http404
    out = io.StringIO()
    csv.writer(out).writerows([number, reason, *cells] for number, reason, cells in rows)
    answer = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="rejected.csv"'
    return answer


def _rejects_key(request: StaffRequest) -> str:
    return f"console:costs:{request.merchant.pk}:{request.staff.pk}"


def _share(text: str) -> int | None:
    return actions.share_of(text) if text.strip() else None


def _years(text: str) -> int | None:
    try:
        return round(float(text) * 10) if text.strip() else None
    except ValueError:
        raise Refused("bad_years") from None


def what_names() -> dict[str, str]:
    return {"product": _("Product"), "category": _("Category"), "channel": _("Channel"), "store": _("Store")}


@console()
@require_http_methods(["GET", "POST"])
def member_costs(request: StaffRequest, pk: int) -> HttpResponse:
    """One member's profit line by line, why they are of their type, the budget, what was booked on them; a POST books a cost."""
    needs_insight(request)
    who = get_object_or_404(Member, merchant=request.merchant, pk=pk, state=MemberState.ACTIVE)
    if request.method == "POST":
        if not shops.may(request.staff, "record"):
            raise PermissionDenied
        _book(request, who)
        return redirect("console:member-costs", pk)
    found, report = told.of_member(request.merchant, pk), told.report(request.merchant)
    terms = terms_of(request.merchant)
    context = {
        "who": who,
        "title": who.name or who.nickname or who.card,
        "told": found,
        "as_of": report["as_of"] if report else "",
        "lines": [
            (words.said(profit_words.COSTS[kind]), getattr(found.row, f"year_{kind}_minor"), getattr(found.row, f"{kind}_minor"))
            for kind in KINDS
        ] if found else [],
        "booked": [
            (one, words.said(profit_words.COSTS[one.kind]), clock.day_of(one.at, request.merchant.tz))
            for one in costs_of(request.merchant, pk)
        ],
        "kinds": [(kind, words.said(profit_words.COSTS[kind])) for kind in KINDS],
        "may_book": shops.may(request.staff, "record"),
        "today": clock.day_of(request.now, request.merchant.tz),
        "key": f"manual:{ids.new()}",
        "terms_said": profit_pages.terms_said(terms),
        "years": f"{terms.years_tenths / 10:g}",
        **profit_pages.member_words(found, request.merchant.currency),
        "said_by_hand": profit_pages.said_by_hand(who.attributes),
    }  # fmt: skip
    return render(request, "console/member_costs.html", context)


def _book(request: StaffRequest, who: Member) -> None:
    post = request.POST
    try:
        minor = money.parse(post.get("amount", ""), request.merchant.currency) * (-1 if post.get("back") else 1)
        day = date.fromisoformat(post.get("day", ""))
    except (money.NotMoney, ValueError):
        messages.error(request, _("Write an amount of money and a day."))
        return
    at = min(clock.day_start(day, request.merchant.tz), request.now) if day <= clock.day_of(request.now, request.merchant.tz) else clock.day_start(day, request.merchant.tz)  # fmt: skip
    cost = Cost(who.pk, post.get("kind", ""), minor, at, post.get("key", ""), note=post.get("note", ""))
    try:
        book_costs(merchant=request.merchant, costs=[cost], now=request.now, actor=request.staff.username)
    except Refused as error:
        messages.error(request, error.say(words.language()))
        return
    messages.success(request, _("Booked. Tonight's figures count it."))


def needs_insight(request: StaffRequest) -> None:
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
