"""The till at the counter: a basket is priced before the buyer's eyes, and what the buyer has pays for it.

Coupons, points (this shop's or the coalition's), gift cards and stored value pay in the charter's order; what is left is money. First it
is shown, then taken at just that price. The page of nobody known is that of member 0.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shuke.doors.counter.access import CounterRequest, counter
from shuke.doors.counter.views import who_is
from shuke.engine.charter.describe_selling import Words
from shuke.engine.charter.selling import Limits, Validity
from shuke.engine.checkout import Basket, Priced
from shuke.engine.checkout.document import MOST_MINOR, BasketInvalid, basket, from_plain
from shuke.flows import checkout, coupons
from shuke.flows.checkout import CheckoutRefused
from shuke.kit import money
from shuke.loyalty import queries as loyalty
from shuke.loyalty.queries import charters, coalition, stored
from shuke.loyalty.queries import coupons as held
from shuke.loyalty.queries.facts import order_event
from shuke.members.models import Member
from shuke.orders.queries.archive import goods_by_code
from shuke.shops import queries as shops
from shuke.shops.models import Store

FIRST, MORE, MOST_LINES = 3, 3, 60
# As the basket takes it: above zero, 999,999.999 at most.
_QUANTITY = re.compile(r"(?=.*[1-9])[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)
MINUTES = 15
COUPONS = 20  # of a member, shown to be ticked


class NotUnderstood(ValueError):
    """A field of the form cannot be read; the sentence says which and what to write."""


@dataclass(slots=True)
class Told:
    """The form as it was filled in, to be shown again and to make a basket of."""

    lines: list[dict[str, str]] = field(default_factory=list)
    coupons: list[str] = field(default_factory=list)
    best: bool = False
    codes: str = ""
    points: str = ""
    coalition: bool = False
    cards: str = ""
    stored: str = ""
    number: str = ""
    store: str = ""


def _language() -> str:
    return "zh" if (get_language() or "zh").startswith("zh") else "en"


@counter()
@require_GET
def till(request: CounterRequest, pk: int) -> HttpResponse:
    return _page(request, _who(request, pk), Told())


@counter(acts=True)
def price(request: CounterRequest, pk: int) -> HttpResponse:
    """What it costs, and why. Holds nothing."""
    who, told = _who(request, pk), _read(request)
    if request.POST.get("do") == "lines":
        return _page(request, who, told, rows=len(told.lines) + MORE)
    try:
        priced = _priced(request, who, told)
    except (NotUnderstood, BasketInvalid, loyalty.NoCharter) as error:
        return _page(request, who, told, said=_sentence(error), status=422)
    return _page(request, who, told, priced=priced, token=_token(request))


@counter(acts=True)
def take(request: CounterRequest, pk: int) -> HttpResponse:
    """The money is in the till: everything else that pays is taken, at the price that was shown."""
    who, told = _who(request, pk), _read(request)
    key = f"counter:{_token(request)}:till"
    try:
        made, document = _basket(request, told)
        expected = request.POST.get("due", "")
        done = checkout.hold(
            merchant=request.merchant, key=key, basket=made, told=document, member_id=who.pk if who else None,
            minutes=MINUTES, expect_due=int(expected) if expected.isdecimal() else None, now=request.now,
            actor=request.staff.username, callers=_callers(request),
        )  # fmt: skip
        if done.state != "captured":
            event = order_event("pos", made.store, told.number) if told.number else ""
            try:
                done = checkout.capture(
                    merchant=request.merchant, key=key, order_event=event, now=request.now, actor=request.staff.username
                )
            except CheckoutRefused:
                checkout.release(merchant=request.merchant, key=key, now=request.now, actor=request.staff.username)
                raise
    except (NotUnderstood, BasketInvalid, CheckoutRefused, loyalty.NoCharter) as error:
        return _page(request, who, told, said=_sentence(error), status=422)
    due = money.show(done.priced["totals"]["due_minor"], request.merchant.currency)
    said = _("Done: %(due)s in money, the rest is taken.") % {"due": due}
    return _page(request, who, Told(store=told.store), said=said, done=True, taken=_shown(done.priced), taken_key=key)


@counter(acts=True)
def back(request: CounterRequest, pk: int) -> HttpResponse:
    """All of it comes back, whatever paid."""
    who, key = _who(request, pk), request.POST.get("basket", "")[:160]
    try:
        told = checkout.give_back(
            merchant=request.merchant, key=key, return_key=f"{key}:back", quantities=None, now=request.now,
            actor=request.staff.username,
        ).back  # fmt: skip
    except CheckoutRefused as error:
        return _page(request, who, Told(), said=_sentence(error), status=422)
    due = money.show(told["in_all"]["due_minor"], request.merchant.currency)
    said = _("Taken back: give %(due)s of money back; everything else is where it was.") % {"due": due}
    return _page(request, who, Told(), said=said, done=True)


def _who(request: CounterRequest, pk: int) -> Member | None:
    return who_is(request, pk) if pk else None


def _callers(request: CounterRequest) -> list[str]:
    return [f"staff:{request.staff.pk}"]


def _token(request: CounterRequest) -> str:
    return request.POST.get("token", "")[:40] or secrets.token_hex(8)


def _sentence(error: Exception) -> str:
    if isinstance(error, CheckoutRefused | BasketInvalid):
        return error.say(_language())
    if isinstance(error, loyalty.NoCharter):
        return _("There is no charter in force yet. Publish one first.")
    return str(error)


def _read(request: CounterRequest) -> Told:
    posted = request.POST
    columns = [[text.strip()[:80] for text in posted.getlist(name)] for name in ("code", "quantity", "amount")]
    rows = [dict(zip(("code", "quantity", "amount"), row, strict=True)) for row in zip(*columns, strict=False)]
    texts = {
        name: posted.get(name, "").strip()[:1000] for name in ("codes", "points", "cards", "stored", "number", "store")
    }
    told = Told(
        rows[:MOST_LINES], posted.getlist("coupon")[:50], best=bool(posted.get("best")),
        coalition=bool(posted.get("coalition")), **texts,
    )  # fmt: skip
    told.number = told.number[:60]
    for name in ("points", "stored"):
        if posted.get(f"{name}_most"):
            setattr(told, name, "most")
    return told


def _priced(request: CounterRequest, who: Member | None, told: Told) -> Priced:
    made, _document = _basket(request, told)
    coupons.adopt_charter(merchant=request.merchant, now=request.now)
    return checkout.price(
        merchant=request.merchant, basket=made, member_id=who.pk if who else None, now=request.now,
        callers=_callers(request),
    )  # fmt: skip


def _basket(request: CounterRequest, told: Told) -> tuple[Basket, dict[str, Any]]:
    """The basket, and the document it is kept as. Raises NotUnderstood, BasketInvalid."""
    currency = request.merchant.currency
    rows = [(n, row) for n, row in enumerate(told.lines, 1) if row["amount"]]
    if not rows:
        raise NotUnderstood(_("Write what is bought: an amount in the first line at least."))
    goods = goods_by_code(request.merchant, {row["code"] for _n, row in rows if row["code"]})
    lines = []
    for n, row in rows:
        category, brand = goods.get(row["code"], ("", ""))
        where = _("line %(n)s") % {"n": n}
        quantity, price = _quantity(row["quantity"], where), _money(row["amount"], currency, where)
        if price * Decimal(quantity) > MOST_MINOR:
            raise NotUnderstood(_("%(where)s: quantity × amount is more than a basket can be.") % {"where": where})
        lines.append(
            {
                "key": str(n),
                "sku": row["code"],
                "category": category,
                "brand": brand,
                "quantity": quantity,
                "price_minor": price,
            }
        )
    asks = {
        "coupons": [*told.coupons, *told.codes.split()],
        "best": told.best,
        "points": _points(told.points),
        "coalition": told.coalition,
        "gift_cards": told.cards.split(),
        "stored_value_minor": "most" if told.stored == "most" else _money(told.stored, currency, _("stored value")),
    }
    if told.number and not _store(request, told) and _stores(request):
        raise NotUnderstood(_("Choose the store whose receipt this is."))
    document = {"store": _store(request, told), "platform": "pos", "lines": lines, "asks": asks}
    return basket(from_plain(document), currency), document


def _money(text: str, currency: str, where: str) -> int:
    try:
        minor = money.parse(text, currency) if text else 0
    except money.NotMoney:
        minor = -1
    if not 0 <= minor <= MOST_MINOR:
        raise NotUnderstood(_("%(where)s: write an amount of money, such as 100 or 39.90.") % {"where": where})
    return minor


def _quantity(text: str, where: str) -> str:
    """Pieces or, with up to three decimals, kilograms."""
    if text and not _QUANTITY.fullmatch(text):
        raise NotUnderstood(_("%(where)s: write a quantity above zero, such as 2 or 0.350.") % {"where": where})
    return text or "1"


def _points(text: str) -> int | str:
    bare = text.replace(",", "")
    if bare in ("", "most"):
        return bare or 0
    if not (bare.isascii() and bare.isdecimal() and len(bare) < 13):
        raise NotUnderstood(_("Points: write a whole number, such as 500."))
    return int(bare)


def _stores(request: CounterRequest) -> list[Store]:
    """Where whoever belongs to no store may choose one."""
    if request.staff.store:
        return []
    places = shops.posts(request.staff) or shops.stores(request.merchant)
    return [one for one in places if one.platform == "pos"]


def _store(request: CounterRequest, told: Told) -> str:
    return request.staff.store.code if request.staff.store else told.store


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
        "stores": _stores(request),
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
