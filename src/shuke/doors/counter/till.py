"""The till at the counter: a basket is priced before the buyer's eyes, what the buyer has pays for it, and it becomes an order.

Coupons, points (this shop's or the coalition's), gift cards and stored value pay in the charter's order; what is left is money. First it
is shown, then taken at just that price. The page of nobody known is that of member 0.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shuke.doors.counter import till_form
from shuke.doors.counter.access import CounterRequest, counter
from shuke.doors.counter.till_form import MOST_LINES, NotUnderstood, Told
from shuke.doors.counter.views import who_is
from shuke.engine import tenders
from shuke.engine.charter.describe_selling import Words
from shuke.engine.charter.selling import Limits, Validity
from shuke.engine.checkout import Priced
from shuke.engine.checkout.document import BasketInvalid
from shuke.flows import checkout, coupons, selling
from shuke.flows.checkout import CheckoutRefused
from shuke.flows.selling import Sold
from shuke.kit import money
from shuke.loyalty import queries as loyalty
from shuke.loyalty.queries import charters, coalition, stored
from shuke.loyalty.queries import coupons as held
from shuke.loyalty.queries.facts import order_event
from shuke.members.models import Member
from shuke.shops import queries as shops

FIRST, MORE = 3, 3
COUPONS = 20  # of a member, shown to be ticked
SENT_BEFORE = {"key_reused", "checkout_over", "other_order"}  # who went back in the browser, and changed what was there
PRICED_ANEW = {"price_changed", "busy", "sold_just_now", *SENT_BEFORE}
BOOKS, PAID_BY = "till-books", "till-paid-by"  # in the session: what this cashier chose last


def _language() -> str:
    return "zh" if (get_language() or "zh").startswith("zh") else "en"


def told_last(request: CounterRequest) -> Told:
    """An empty form, with what the cashier chose last."""
    return Told(book=request.session.get(BOOKS, True), paid_by=request.session.get(PAID_BY, "cash"))


@counter()
@require_GET
def till(request: CounterRequest, pk: int) -> HttpResponse:
    return _page(request, _who(request, pk), told_last(request))


@counter(acts=True)
def price(request: CounterRequest, pk: int) -> HttpResponse:
    """What it costs, and why. Holds nothing."""
    who, told = _who(request, pk), till_form.read(request)
    if request.POST.get("do") == "lines":
        return _page(request, who, told, rows=len(told.lines) + MORE)
    try:
        priced = _priced(request, who, told)
    except (NotUnderstood, BasketInvalid, loyalty.NoCharter) as error:
        return _page(request, who, told, said=sentence(error), status=422)
    return _page(request, who, told, priced=priced, token=_token(request))


@counter(acts=True)
def take(request: CounterRequest, pk: int) -> HttpResponse:
    """The money is in the till: everything else that pays is taken, at the price that was shown, and the order is booked."""
    who, told = _who(request, pk), till_form.read(request)
    key = f"counter:{_token(request)}:till"
    try:
        made, document = till_form.make(request, told)
        expected = request.POST.get("due", "")
        asked: dict[str, Any] = {
            "merchant": request.merchant, "key": key, "basket": made, "told": document, "member_id": who.pk if who else None,
            "expect_due": int(expected) if expected.isdecimal() else None, "now": request.now, "actor": request.staff.username,
            "callers": _callers(request),
        }  # fmt: skip
        if told.book:
            sold = selling.hold_and_sell(
                **asked, store=made.store, number=told.number, paid_by=told.paid_by, staff=request.staff.username,
                ask_twice=not told.again,
            )  # fmt: skip
            priced, said = sold.held.priced, say_sold(request, sold)
        else:
            priced = _take(asked, order_event("pos", made.store, told.number) if told.number else "")
            due = money.show(priced["totals"]["due_minor"], request.merchant.currency)
            said = _("Done: %(due)s in money, the rest is taken.") % {"due": due}
    except (NotUnderstood, BasketInvalid, CheckoutRefused, loyalty.NoCharter) as error:
        return _refused(request, who, told, error)
    request.session[BOOKS], request.session[PAID_BY] = told.book, told.paid_by or "cash"
    fresh = told_last(request)
    fresh.store = told.store
    return _page(request, who, fresh, said=said, done=True, taken=_shown(priced), taken_key=key)


def _take(asked: dict[str, Any], event: str) -> dict[str, Any]:
    """Another program books the order; here only what pays is taken."""
    same = {name: asked[name] for name in ("merchant", "key", "now", "actor")}
    done = checkout.hold(**asked, minutes=selling.MINUTES)
    if done.state != "captured":
        try:
            done = checkout.capture(**same, order_event=event)
        except CheckoutRefused:
            checkout.release(**same)
            raise
    return done.priced


def _refused(request: CounterRequest, who: Member | None, told: Told, error: Exception) -> HttpResponse:
    """Why not, and what it costs now: the points or the coupon may have gone at another till."""
    code = error.code if isinstance(error, CheckoutRefused) else ""
    try:
        priced = _priced(request, who, told) if code in PRICED_ANEW else None
    except (NotUnderstood, BasketInvalid, loyalty.NoCharter):
        priced = None
    return _page(request, who, told, priced=priced, said=sentence(error), status=422, ask_again=code == "sold_just_now")


@counter(acts=True)
def back(request: CounterRequest, pk: int) -> HttpResponse:
    """All of it comes back, whatever paid."""
    who, key = _who(request, pk), request.POST.get("basket", "")[:160]
    try:
        told = selling.take_back(
            merchant=request.merchant, key=key, return_key=f"{key}:back", quantities=None, now=request.now,
            actor=request.staff.username,
        ).back  # fmt: skip
    except CheckoutRefused as error:
        return _page(request, who, told_last(request), said=sentence(error), status=422)
    due = money.show(told["in_all"]["due_minor"], request.merchant.currency)
    said = _("Taken back: give %(due)s of money back; everything else is where it was.") % {"due": due}
    return _page(request, who, told_last(request), said=said, done=True)


def say_sold(request: CounterRequest, sold: Sold) -> str:
    due = money.show(sold.held.priced["totals"]["due_minor"], request.merchant.currency)
    figures = {"due": due, "number": sold.place.number, "points": f"{sold.points:,}"}
    if not sold.booked:
        return _("Done: %(due)s in money. Order %(number)s was in the books already and stands there once.") % figures
    if sold.points:
        return _("Booked: %(due)s in money, order %(number)s, %(points)s points earned.") % figures
    return _("Booked: %(due)s in money, order %(number)s.") % figures


def _who(request: CounterRequest, pk: int) -> Member | None:
    return who_is(request, pk) if pk else None


def _callers(request: CounterRequest) -> list[str]:
    return [f"staff:{request.staff.pk}"]


def _token(request: CounterRequest) -> str:
    return request.POST.get("token", "")[:40] or secrets.token_hex(8)


def sentence(error: Exception) -> str:
    if isinstance(error, CheckoutRefused) and error.code in SENT_BEFORE:
        return _("This form was sent before with something else. Look at what is there now, then send it again.")
    if isinstance(error, CheckoutRefused | BasketInvalid):
        return error.say(_language())
    if isinstance(error, loyalty.NoCharter):
        return _("There is no charter in force yet. Publish one first.")
    return str(error)


def _priced(request: CounterRequest, who: Member | None, told: Told) -> Priced:
    made, _document = till_form.make(request, told)
    coupons.adopt_charter(merchant=request.merchant, now=request.now)
    return checkout.price(
        merchant=request.merchant, basket=made, member_id=who.pk if who else None, now=request.now,
        callers=_callers(request),
    )  # fmt: skip


def ways() -> list[tuple[str, str]]:
    return [(code, tenders.name(code, _language())) for code in till_form.WAYS]


def _freight_is_apart(request: CounterRequest) -> bool:
    """Whether the charter treats freight otherwise than goods: it may earn nothing, be let off, or not be paid with points."""
    charter = charters.document_in_force(request.merchant, request.now)
    if charter is None:
        return False
    kinds = {one.kind for one in charter.selling.offers} | {one.kind for one in charter.selling.coupons}
    points = charter.selling.points
    return not charter.points.base.freight or "freight" in kinds or (points is not None and not points.freight)


def _shown(plain: dict[str, Any]) -> dict[str, Any]:
    """A priced basket in sentences."""
    spoken = _language()
    paid = [{"say": one["say"][spoken], "amount": one["amount_minor"]} for one in plain["applied"]]
    left = [one["say"][spoken] for part in ("skipped", "inapplicable") for one in plain[part]]
    return {"paid": paid, "left": left, "list": plain["totals"]["list_minor"], "due": plain["totals"]["due_minor"]}


def _coupons(request: CounterRequest, who: Member) -> list[dict[str, Any]]:
    """What the member could use, in words that tell two of them apart. The end is told as a day, so not among the conditions."""
    merchant, now = request.merchant, request.now
    say = Words(merchant.currency, _language(), charters.document_in_force(merchant, now))
    found = []
    for row in held.held_by_member(merchant, who.pk, now)[:COUPONS]:
        terms = held.terms_of(row.template)
        plain = terms.model_copy(update={"valid": Validity(), "limits": Limits()})
        last = row.valid_until and row.valid_until - timedelta(minutes=1)
        told = {"ref": str(row.pk), "name": say.name(terms), "gives": say.gives(terms), "until": last}
        found.append({**told, "conditions": say.conditions(plain)})
    return found


def _page(
    request: CounterRequest, who: Member | None, told: Told, *, priced: Priced | None = None, token: str = "",
    rows: int = FIRST, status: int = 200, **more: Any,
) -> HttpResponse:  # fmt: skip
    merchant, now = request.merchant, request.now
    blank = {"code": "", "quantity": "", "amount": ""}
    lines = [*told.lines, *[blank] * (min(rows, MOST_LINES) - len(told.lines))]
    context: dict[str, Any] = {
        "who": who,
        "pk": who.pk if who else 0,
        "title": (who.name or who.nickname or who.card) if who else _("Nobody known"),
        "merchant": merchant,
        "told": told,
        "lines": lines,
        "priced": _shown(priced.to_plain()) if priced else None,
        "token": token or secrets.token_hex(8),
        "may_act": shops.may(request.staff, "record"),
        "stores": till_form.street_stores(request),
        "store": till_form.store_of(request, told.store),
        "ways": ways(),
        "has_freight": _freight_is_apart(request),
        "has_stored": stored.is_on(merchant, now),
        **more,
    }
    if who is not None:
        context["points"] = loyalty.balance(merchant, who.pk, now).available
        pool = coalition.spendable(merchant, who.pk, now)
        context["pool"] = None if pool.code else pool.points
        context["money"] = stored.balance(merchant, who.pk, now).available if context["has_stored"] else None
        context["coupons"] = _coupons(request, who)
    response = render(request, "counter/till.html", context, status=status)
    patch_cache_control(response, no_store=True)  # a gift card's code is as good as money
    return response
