"""The gift catalogue: what is offered, its stock and picture, orders and what became of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import tiers
from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views.rewards import READERS, coupons_to_choose
from shuke.kit import ids, money, numbers
from shuke.kit.clock import day_start
from shuke.loyalty.actions import gifts as actions
from shuke.loyalty.actions.gifts import GiftWrong
from shuke.loyalty.models import Gift, GiftMove, GiftOrder, GiftPicture
from shuke.loyalty.queries import gifts as stored
from shuke.shops.models import Role

EDITORS = (Role.OWNER, Role.MANAGER, Role.SPECIALIST)
LINES = 50


@console(*READERS)
@require_GET
def gifts(request: StaffRequest) -> HttpResponse:
    """All gifts with what became of them; donations with what was given to whom."""
    context = {
        "totals": stored.totals(request.merchant),
        "pictures": set(GiftPicture.objects.filter(merchant=request.merchant).values_list("gift_id", flat=True)),
        "wrong": {g.pk: n for g, n in stored.stock_that_does_not_add_up(request.merchant)},
        "may_edit": request.staff.role in EDITORS,
        "merchant": request.merchant,
        "tab": "gifts",
    }
    return render(request, "console/reward_gifts.html", context)


@console(*EDITORS)
@require_http_methods(["GET", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    return _edit(request, None)


@console(*EDITORS)
@require_http_methods(["GET", "POST"])
def gift(request: StaffRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Gift, merchant=request.merchant, pk=pk))


def _edit(request: StaffRequest, row: Gift | None) -> HttpResponse:
    told = {k: str(v) for k, v in request.POST.items()} if request.method == "POST" else _told(request, row)
    wrong = ""
    if request.method == "POST":
        try:
            values = _values(request, row)
            code = row.code if row is not None else told.get("code", "")
            if row is None and stored.gift(request.merchant, code.strip()) is not None:
                raise ValueError(_("A gift with this code exists already; choose another."))
            saved = actions.save_gift(
                merchant=request.merchant,
                code=code,
                values=values,
                now=request.now,
                actor=request.staff.username,
                seen=request.POST.get("seen"),
            )
            if picture := request.FILES.get("picture"):
                actions.set_picture(
                    merchant=request.merchant, code=saved.code, body=picture.read(actions.PICTURE_BYTES + 1),
                    now=request.now, actor=request.staff.username,
                )  # fmt: skip
        except GiftWrong as error:
            wrong = error.say(get_language() or "zh")
        except ValueError as error:
            wrong = str(error)
        else:
            messages.success(request, _("Saved: %(gift)s") % {"gift": saved})
            return redirect("console:reward-gifts")
    context = {
        "row": row,
        "told": told,
        "code": row.code if row is not None else told.get("code", ""),
        "wrong": wrong,
        # Of the row as it was read for this page: where it was refused, of the newer one, so that saving again is a decision.
        "seen": actions.seen_as(row),
        "chosen_tiers": request.POST.getlist("tiers") if request.method == "POST" else (row.tiers if row else []),
        "tiers": [(code, name) for code, (name, _shade) in tiers.every(request).items()],
        "templates": coupons_to_choose(request),
        "moves": GiftMove.objects.filter(gift=row).order_by("-at", "-id")[:10] if row else [],
        "has_picture": row is not None and GiftPicture.objects.filter(gift=row).exists(),
        "kinds": [("goods", _("Goods")), ("donation", _("Donation")), ("coupon", _("Coupon"))],
        "merchant": request.merchant,
        "tab": "gifts",
    }
    return render(request, "console/reward_gift.html", context, status=422 if wrong else 200)


def _told(request: StaffRequest, row: Gift | None) -> dict[str, str]:
    """What the form shows at first."""
    if row is None:
        return {"kind": "goods", "hold_days": "7", "active": "1"}
    zone, places = request.merchant.tz, money.digits(request.merchant.currency)

    def plain(minor: int) -> str:
        return f"{minor / 10**places:.{places}f}" if minor else ""

    told: dict[str, Any] = {
        **{name: getattr(row, name) for name in ("kind", "name_zh", "name_en", "about_zh", "about_en", "points", "coupon", "hold_days")},
        "cash": plain(row.cash_minor), "cost": plain(row.cost_minor), "per_member": row.per_member or "",
        "from": f"{row.from_at.astimezone(zone):%Y-%m-%d}" if row.from_at else "",
        "until": f"{(row.until_at - timedelta(seconds=1)).astimezone(zone):%Y-%m-%d}" if row.until_at else "",
        "ship": "1" if row.ship else "", "active": "1" if row.active else "",
    }  # fmt: skip
    return {k: str(v) for k, v in told.items()}


def _values(request: StaffRequest, row: Gift | None) -> dict[str, Any]:
    """The form as values of a gift. Raises ValueError with a sentence."""
    post, currency = request.POST, request.merchant.currency

    def whole(name: str, label: str) -> int | None:
        text = post.get(name, "").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 12):
            raise ValueError(_("%(label)s: a whole number, not “%(text)s”.") % {"label": label, "text": text})
        return int(text)

    def amount(name: str) -> int:
        try:
            return money.parse(post.get(name, "").strip() or "0", currency)
        except money.NotMoney as error:
            raise ValueError(_("“%(text)s” is no amount of money.") % {"text": post.get(name)}) from error

    def day(name: str, after: bool) -> datetime | None:
        text = post.get(name, "").strip()
        if not text:
            return None
        try:
            return day_start(date.fromisoformat(text) + timedelta(days=1 if after else 0), request.merchant.tz)
        except ValueError as error:
            raise ValueError(_("“%(text)s” is no day.") % {"text": text}) from error

    values = {
        "kind": post.get("kind") if post.get("kind") in Gift.Kind.values else "goods",
        **{name: post.get(name, "").strip()[:300] for name in ("about_zh", "about_en")},
        **{name: post.get(name, "").strip()[:80] for name in ("name_zh", "name_en")},
        "points": whole("points", _("Points")) or 0,
        "cash_minor": amount("cash"),
        "cost_minor": amount("cost"),
        "per_member": whole("per_member", _("For each member")) or None,
        "tiers": [t for t in post.getlist("tiers") if t in tiers.every(request)],
        "coupon": post.get("coupon", "")[:30],
        "hold_days": min(90, whole("hold_days", _("Days")) or 0),
        "ship": bool(post.get("ship")),
        "active": bool(post.get("active")),
        "from_at": day("from", False),
        "until_at": day("until", True),
    }
    if row is None:
        values["stock"] = whole("stock", _("Stock"))
    return values


@console(*EDITORS)
@require_POST
def stock(request: StaffRequest, pk: int) -> HttpResponse:
    """Pieces that came in, or what a count found."""
    row = get_object_or_404(Gift, merchant=request.merchant, pk=pk)
    text = request.POST.get("amount", "").strip()
    try:
        if numbers.whole(text.lstrip("+-")) is None or len(text) > 9:
            raise GiftWrong("amount")
        actions.add_stock(
            merchant=request.merchant, code=row.code, amount=int(text), corrected=bool(request.POST.get("corrected")),
            remark=request.POST.get("remark", "").strip(), now=request.now, actor=request.staff.username,
        )  # fmt: skip
    except GiftWrong as error:
        messages.warning(request, error.say(get_language() or "zh"))
    else:
        messages.success(request, _("The stock is changed."))
    return redirect("console:reward-gift", pk)


@console()
@require_GET
def picture(request: StaffRequest, pk: int) -> HttpResponse:
    """The picture of a gift. Its type was told by its bytes; the browser must not guess another."""
    row = GiftPicture.objects.filter(merchant=request.merchant, gift_id=pk).first()
    if row is None:
        raise Http404
    return HttpResponse(bytes(row.body), content_type=row.type, headers={"X-Content-Type-Options": "nosniff"})


@console(*READERS)
@require_GET
def orders(request: StaffRequest) -> HttpResponse:
    """Orders of gifts; those that wait first asked for."""
    state = request.GET.get("state", "held")
    if state not in (*GiftOrder.State.values, "all"):
        state = "held"
    rows = stored.orders(request.merchant, state="" if state == "all" else state)
    context = {
        "page": Paginator(rows, LINES).get_page(request.GET.get("page")),
        "state": state,
        "states": [*GiftOrder.State.values, "all"],
        "may_edit": request.staff.role in EDITORS,
        "merchant": request.merchant,
        "tab": "orders",
    }
    return render(request, "console/reward_orders.html", context)


@console(*EDITORS)
@require_POST
def order(request: StaffRequest, pk: int) -> HttpResponse:
    """Hand over or send, cancel, or take back."""
    if not GiftOrder.objects.filter(merchant=request.merchant, pk=pk).exists():
        raise Http404
    same: dict[str, Any] = {
        "merchant": request.merchant,
        "order_id": pk,
        "now": request.now,
        "actor": request.staff.username,
    }
    deed = request.POST.get("do", "done")
    if deed == "cancel":
        told = actions.cancel(**same, because=request.POST.get("because", ""))
    elif deed == "back":
        told = actions.give_back(**same, key=f"console:{request.POST.get('token') or ids.new()}")
    else:
        told = actions.hand_over(**same, receipt=request.POST.get("receipt", ""))
    if told.done:
        messages.success(request, _("Done."))
    else:
        messages.warning(request, told.say(get_language() or "zh"))
    return redirect("console:reward-orders")
