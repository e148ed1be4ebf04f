"""Goods that come back at the counter: the baskets the till took, and so much of each line as is brought back.

A member's latest baskets stand there; any other is found by the number of its receipt. What goods bring back, the basket
itself says: money, points, cards and stored value as they paid, coupons with the last of them.
"""

from __future__ import annotations

import re
import secrets
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shuke.doors.counter.access import CounterRequest, counter
from shuke.doors.counter.till_form import WHOLE, NotUnderstood, amount
from shuke.doors.counter.views import who_is
from shuke.flows import checkout, selling
from shuke.flows.checkout import CheckoutRefused
from shuke.kit import money
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import checkouts
from shuke.loyalty.queries.facts import order_event
from shuke.members.models import Member
from shuke.members.queries.families import family
from shuke.shops import queries as shops

SHOWN = 10
_QUANTITY = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)


@counter()
@require_GET
def returns(request: CounterRequest, pk: int) -> HttpResponse:
    """The baskets of which something can still come back."""
    return _page(request, who_is(request, pk) if pk else None)


@counter(acts=True)
def take_back(request: CounterRequest, pk: int) -> HttpResponse:
    """So much of these lines is here again."""
    who = who_is(request, pk) if pk else None
    row = checkouts.checkout(request.merchant, request.POST.get("basket", "")[:160])
    token = request.POST.get("token", "")[:40]
    if row is None or not token or not _is_of(request, row, who):
        raise Http404
    rows = [row]
    quantities: dict[str, int] = {}
    for line in checkouts.lines_of(row):
        text = request.POST.get(f"line:{line.key}", "").strip()
        try:
            quantity = _quantity(request, line.key, text) if text else 0
        except NotUnderstood as error:
            return _page(request, who, rows, said=str(error), status=422)
        if quantity:
            quantities[line.key] = quantity
    if not quantities:
        said = _("Nothing is taken back yet: write how much of which line comes back.")
        return _page(request, who, rows, said=said, status=422)
    try:
        done = selling.take_back(
            merchant=request.merchant, key=row.key, return_key=f"counter:{token}:back", quantities=quantities,
            now=request.now, actor=request.staff.username,
        )  # fmt: skip
    except CheckoutRefused as error:
        return _page(request, who, rows, said=error.say(get_language() or "zh"), status=422)
    return _page(request, who, said=_given(request, done), done=True)


def _quantity(request: CounterRequest, line: str, text: str) -> int:
    """Thousandths; of a purchase of which only the amount was told, as many as minor units. Raises NotUnderstood."""
    if line == WHOLE:
        return amount(text, request.merchant.currency, _("Amount that comes back"))
    if not _QUANTITY.fullmatch(text):
        raise NotUnderstood(_("Write how much comes back of each line, such as 1 or 0.350."))
    return int(Decimal(text) * 1000)


def _is_of(request: CounterRequest, row: Checkout, who: Member | None) -> bool:
    """On the page of nobody known every basket may come back; on a member's only their own."""
    return who is None or (
        row.member_id is not None and family(request.merchant.pk, who.pk).filter(pk=row.member_id).exists()
    )


def _given(request: CounterRequest, done: checkout.Returned) -> str:
    """What goes over the counter, what comes back by itself, and what does not."""
    back, currency = done.back, request.merchant.currency
    said = [_("Taken back: give %(due)s of money back.") % {"due": money.show(back["due_minor"], currency)}]
    if back["points"]:
        said.append(_("%(n)s points came back.") % {"n": f"{back['points']:,}"})
    if cards := sum(one["amount_minor"] for one in back["gift_cards"]):
        said.append(_("%(money)s went back to gift cards.") % {"money": money.show(cards, currency)})
    if back["stored_value_minor"]:
        told = {"money": money.show(back["stored_value_minor"], currency)}
        said.append(_("%(money)s went back to stored value.") % told)
    if back["coupons"]:
        said.append(_("Coupons that came back: %(n)s.") % {"n": len(back["coupons"])})
    said += [left.say(get_language() or "zh") for left in done.not_given_back(currency)]
    return " ".join(said)


def _found(request: CounterRequest, who: Member | None, number: str) -> list[Checkout]:
    """By the receipt of this store, or of any where whoever asks belongs to none; else the member's own."""
    merchant = request.merchant
    kin = family(merchant.pk, who.pk) if who is not None else None
    if not number:
        return checkouts.taken_from(merchant, kin) if kin is not None else []
    stores = [request.staff.store] if request.staff.store else shops.posts(request.staff) or shops.stores(merchant)
    found = checkouts.of_orders(merchant, [order_event("pos", one.code, number) for one in stores]).values()
    mine = None if kin is None else {one["pk"] for one in kin}
    return [row for row in found if mine is None or row.member_id in mine]


def _shown(row: Checkout) -> dict[str, Any]:
    """A basket and what of it has not come back."""
    goods = {str(line.get("key") or nth): line for nth, line in enumerate(row.basket["lines"], 1)}
    lines = [
        {
            "key": line.key,
            "sku": _called(goods.get(line.key, {})),
            "whole": line.key == WHOLE,
            "left_minor": line.quantity - row.returned.get(line.key, 0) if line.key == WHOLE else 0,
            "quantity": _plain(line.quantity),
            "left": _plain(line.quantity - row.returned.get(line.key, 0)),
            "paid": line.paid,
        }
        for line in checkouts.lines_of(row)
    ]
    return {"row": row, "lines": lines, "number": row.order_event.rpartition(":")[2]}


def _called(line: dict[str, Any]) -> str:
    if line.get("freight"):
        return _("freight")
    return str(line.get("title") or line.get("sku") or "")


def _plain(thousandths: int) -> str:
    return f"{Decimal(thousandths) / 1000:f}".rstrip("0").rstrip(".") if thousandths else "0"


def _page(
    request: CounterRequest, who: Member | None, rows: list[Checkout] | None = None, *, status: int = 200, **more: Any
) -> HttpResponse:
    number = request.GET.get("number", "").strip()[:60]
    found = [_shown(row) for row in (rows if rows is not None else _found(request, who, number))]
    open_ones = [one for one in found if any(line["left"] != "0" for line in one["lines"])]
    context = {
        "who": who,
        "pk": who.pk if who else 0,
        "title": (who.name or who.nickname or who.card) if who else _("Nobody known"),
        "merchant": request.merchant,
        "number": number,
        "baskets": open_ones[:SHOWN],
        "token": secrets.token_hex(8),
        "may_act": shops.may(request.staff, "record"),
        **more,
    }
    response = render(request, "counter/returns.html", context, status=status)
    patch_cache_control(response, no_store=True)
    return response
