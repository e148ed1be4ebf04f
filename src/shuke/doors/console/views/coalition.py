"""Coalition points in the console: partners, prices and settlement; and whether a member takes part."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from shuke.doors.console import finance_pages, words
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.coalition.prices import Prices
from shuke.engine.coalition.settling import nearest
from shuke.engine.coalition.strength import fairness, shares
from shuke.flows import coalition as flow
from shuke.kit import ids, money
from shuke.kit.clock import add_months, day_start
from shuke.kit.money import digits
from shuke.loyalty.actions import KeyReused, coalition
from shuke.loyalty.actions.coalition import CoalitionRefused
from shuke.loyalty.models import CoalitionPartner, CoalitionPeriod
from shuke.loyalty.queries import coalition as stored
from shuke.loyalty.queries import settlement
from shuke.shops import queries as shops
from shuke.shops.models import Merchant, Role

MONTHS = 3


@console(Role.OWNER, Role.MANAGER, Role.AUDITOR)
@require_http_methods(["GET", "POST"])
def home(request: StaffRequest) -> HttpResponse:
    """The coalition this merchant is in: partners, what is open, closed periods, who brings and who takes."""
    if request.method == "POST":
        if request.staff.role != Role.OWNER:
            raise PermissionDenied
        deed = DEEDS.get(request.POST.get("do", ""))
        if deed is None:
            raise Http404
        try:
            deed(request)
        except (CoalitionRefused, KeyReused) as error:
            messages.warning(request, error.say(words.language()))
        return redirect("console:finance-coalition")
    seat = _seat(request)
    context: dict[str, Any] = {
        "tab": "coalition",
        "tabs": finance_pages.TABS,
        "seat": seat,
        "may_act": request.staff.role == Role.OWNER,
        "key": f"console:{ids.new()}",
        "today": request.now.astimezone(request.merchant.tz).date(),
    }
    if seat is not None and seat.state in ("in", "left"):
        context |= _inside(request, seat)
    elif seat is not None:
        terms = stored.waiting_terms(request.merchant, seat.coalition)
        context["asked"] = _shown(request, stored.prices_of(terms)) if terms else None
    return render(request, "console/coalition.html", context)


def _seat(request: StaffRequest) -> CoalitionPartner | None:
    seats = [one for one in stored.places(request.merchant) if one.state != "declined"]
    return min(seats, key=lambda one: ("in", "invited", "left").index(one.state)) if seats else None


def _inside(request: StaffRequest, seat: CoalitionPartner) -> dict[str, Any]:
    told = flow.overview(request.merchant, seat, request.now)
    names = {one.partner.merchant_id: one.partner.merchant.name for one in told.seats}
    waiting = stored.waiting_terms(request.merchant, seat.coalition)
    last = request.now.astimezone(seat.coalition.merchant.tz).date()
    months = stored.strength(seat.coalition, add_months(last.replace(day=1), 1 - MONTHS), last)
    return {
        "told": told,
        "seats": [{"one": one, "prices": _shown(request, one.prices), "mine": one.partner.merchant_id == request.merchant.pk} for one in told.seats],
        "waiting": waiting,
        "waiting_prices": _shown(request, stored.prices_of(waiting)) if waiting else None,
        "warnings": [_warning(code, name) for code, name in told.warnings],
        "periods": stored.periods(seat.coalition),
        "until": told.closable_until,
        "earliest": (request.now + timedelta(days=seat.coalition.notice_days + 1)).astimezone(request.merchant.tz).date(),
        "strength": [
            {
                "month": f"{one.month:%Y-%m}",
                "even": _percent(fairness(one.partners)),
                "rows": [
                    {"name": names[pk], "figures": m, "money": nearest(m.balance_micro), "even": _percent(shares(one.partners)[pk].evenness)}
                    for pk, m in one.partners.items()
                ],
            }
            for one in reversed(months)
            if any(any(m) for m in one.partners.values())
        ],
    }  # fmt: skip


def _percent(permille: int | None) -> str:
    return "–" if permille is None else f"{permille / 10:g}%"


def _shown(request: StaffRequest, prices: Prices | None) -> dict[str, str] | None:
    """Prices in money per point, as short as they can be said."""
    if prices is None:
        return None
    places = -6 - digits(request.merchant.currency)

    def plain(micro: int) -> str:
        return f"{Decimal(micro).scaleb(places).normalize():f}"

    return {"issue": plain(prices.issue_micro), "redeem": plain(prices.redeem_micro)}


def _warning(code: str, name: str) -> str:
    if code == "low_pack":
        return _("{name}: the prepaid pack is running out.").format(name=name)
    return _("{name} owes more than it may: its points are good at its own till only.").format(name=name)


# ---- what an owner can do -----------------------------------------------------------------------------------------


def _price(request: StaffRequest, name: str) -> int:
    told = request.POST.get(name, "").strip().replace("，", ".").replace(",", ".")
    try:
        micro = Decimal(told).scaleb(digits(request.merchant.currency) + 6)
    except InvalidOperation as error:
        raise CoalitionRefused("price_invalid", told=told or "–") from error
    if not micro.is_finite() or micro != micro.to_integral_value() or micro < 0:
        raise CoalitionRefused("price_invalid", told=told)
    return int(micro)


def number(request: StaffRequest, name: str) -> int | None:
    """A whole number, if one was told. Raises CoalitionRefused: what cannot be read is not taken for nothing."""
    told = request.POST.get(name, "").strip().replace(",", "")
    if told and not (told.isdecimal() and len(told) < 13):
        raise CoalitionRefused("number_invalid", told=told)
    return int(told) if told else None


def _money(request: StaffRequest, name: str) -> int | None:
    told = request.POST.get(name, "").strip()
    try:
        minor = money.parse(told, request.merchant.currency) if told else None
    except ValueError as error:
        raise CoalitionRefused("money_invalid", told=told) from error
    if minor is not None and not 0 <= minor < 10**13:
        raise CoalitionRefused("money_invalid", told=told)
    return minor


def _prices(request: StaffRequest, since: datetime) -> Prices:
    return Prices(
        since,
        _price(request, "issue"),
        _price(request, "redeem"),
        request.POST.get("prepaid") == "1",
        number(request, "warn_below") or 0,
        _money(request, "limit"),
        number(request, "most_per_day"),
    )


def _day(request: StaffRequest, name: str) -> datetime:
    try:
        return day_start(date.fromisoformat(request.POST.get(name, "")), request.merchant.tz)
    except ValueError:
        return request.now


def _partner(request: StaffRequest) -> Merchant:
    name = request.POST.get("partner", "").strip()
    try:
        return shops.merchant_by_name(name)
    except shops.NoMerchant as error:
        raise CoalitionRefused("no_such_merchant", name=name) from error


def _common(request: StaffRequest) -> dict[str, Any]:
    seat = _seat(request)
    if seat is None:
        raise CoalitionRefused("no_coalition", merchant=request.merchant.name)
    return {
        "merchant": request.merchant,
        "coalition_id": seat.coalition_id,
        "now": request.now,
        "actor": request.staff.username,
    }


def _found(request: StaffRequest) -> None:
    made = coalition.found(
        merchant=request.merchant,
        name=request.POST.get("name", ""),
        prices=_prices(request, request.now),
        notice_days=number(request, "notice_days") or 0,
        now=request.now,
        actor=request.staff.username,
    )
    messages.success(request, _("%(name)s has begun. Now invite partners.") % {"name": made.name})


def _invite(request: StaffRequest) -> None:
    partner = _partner(request)
    coalition.invite(partner=partner, prices=_prices(request, request.now), **_common(request))
    messages.success(request, _("%(name)s is invited.") % {"name": partner.name})


def _propose(request: StaffRequest) -> None:
    since = max(_day(request, "since"), request.now)
    coalition.propose(partner=_partner(request), prices=_prices(request, since), **_common(request))
    messages.success(request, _("Proposed. It holds when the partner agrees; your own holds from its day."))


def _accept(request: StaffRequest) -> None:
    coalition.accept(**_common(request))


def _decline(request: StaffRequest) -> None:
    coalition.decline(**_common(request))


def _agree(request: StaffRequest) -> None:
    coalition.agree(version=number(request, "version") or 0, **_common(request))


def _pack(request: StaffRequest) -> None:
    made = coalition.buy_pack(
        partner=_partner(request), key=request.POST.get("key", ""), points=number(request, "points") or 0, **_common(request)
    )  # fmt: skip
    messages.success(request, _("Booked: %(points)s points.") % {"points": f"{made.points:,}"})


def _leave(request: StaffRequest) -> None:
    common = _common(request)
    at = _day(request, "at")
    if request.POST.get("whole") == "1":
        coalition.end(at=at, **common)
    else:
        partner = _partner(request) if request.POST.get("partner") else request.merchant
        coalition.leave(partner=partner, at=at, because=request.POST.get("because", ""), **common)
    messages.success(request, _("Noted. Until then everything goes on as it is."))


def _close(request: StaffRequest) -> None:
    until = flow.month_end(request.merchant, request.now)
    done = coalition.close(until=until, **_common(request))
    messages.success(request, _("Period %(number)s is closed.") % {"number": done.period.number})


DEEDS: dict[str, Callable[[StaffRequest], None]] = {
    "found": _found,
    "invite": _invite,
    "accept": _accept,
    "decline": _decline,
    "propose": _propose,
    "agree": _agree,
    "pack": _pack,
    "leave": _leave,
    "close": _close,
}


# ---- closed periods -----------------------------------------------------------------------------------------------


@console(Role.OWNER, Role.MANAGER, Role.AUDITOR)
@require_GET
def period(request: StaffRequest, number: int) -> HttpResponse:
    """Who pays whom, and this merchant's own lines."""
    found = _period(request, number)
    names = {str(s.merchant_id): s.merchant.name for s in stored.statements(found)}
    mine = next((s for s in stored.statements(found) if s.merchant_id == request.merchant.pk), None)
    alone = None if found.merchant_id == request.merchant.pk else request.merchant
    context = {
        "tab": "coalition",
        "tabs": finance_pages.TABS,
        "period": found,
        "payments": [
            {"from": _pool(p["from_name"]), "to": _pool(p["to_name"]), "minor": p["minor"]}
            for p in found.document["payments"]
        ],
        "lines": [
            {**x, "what": movement(x["kind"]), "with": names.get(x["other"] or "", ""), "price": _shown(request, Prices(found.until, x["price_micro"], 0)) if x["price_micro"] else None}
            for x in (mine.document["lines"] if mine else [])
        ],
        "mine": mine,
        "files": [(one.key, one.name) for one in settlement.papers(found, alone)],
        "partners": found.document["partners"],
    }  # fmt: skip
    return render(request, "console/coalition_period.html", context)


@console(Role.OWNER, Role.MANAGER, Role.AUDITOR)
@require_GET
def paper(request: StaffRequest, number: int, file: str) -> HttpResponse:
    """One of the files of a period; the same bytes whenever it is asked for."""
    found = _period(request, number)
    alone = None if found.merchant_id == request.merchant.pk else request.merchant
    asked = next((one for one in settlement.papers(found, alone) if one.key == file), None)
    if asked is None:
        raise Http404
    kind = "text/csv; charset=utf-8" if asked.name.endswith(".csv") else "application/json"
    called = content_disposition_header(True, asked.name) or "attachment"
    return HttpResponse(asked.made(), content_type=kind, headers={"Content-Disposition": called})


def _period(request: StaffRequest, number: int) -> CoalitionPeriod:
    for seat in stored.places(request.merchant):
        found = stored.period(seat.coalition, number)
        if found is not None and any(s.merchant_id == request.merchant.pk for s in stored.statements(found)):
            return found
    raise Http404


def _pool(name: str) -> str:
    return _("the pool") if name == "pool" else name


def movement(kind: str) -> str:
    return {
        "brought": _("had when they joined"),
        "issued": _("given to members"),
        "taken_back": _("taken back"),
        "lapsed": _("expired"),
        "withdrawn": _("left with the member"),
        "used": _("spent at partners"),
        "redeemed": _("spent at this till"),
        "pack": _("from prepaid packs"),
        "carried": _("carried over"),
    }.get(kind, kind)
