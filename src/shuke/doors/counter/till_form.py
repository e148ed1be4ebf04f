"""The till's form: what stands in its fields, and the basket it means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from shuke.doors.counter.access import CounterRequest
from shuke.engine import tenders
from shuke.engine.checkout import Basket
from shuke.engine.checkout.document import MOST_MINOR, basket, from_plain
from shuke.kit import money
from shuke.orders.queries.archive import goods_by_code
from shuke.shops import queries as shops
from shuke.shops.models import Store

MOST_LINES = 60
WHOLE = "amount"  # the one line of a purchase of which only the amount was told
MOST_WHOLE = 10**9
WAYS = (*tenders.TAKEN, "other")
# As the basket takes it: above zero, 999,999.999 at most.
_QUANTITY = re.compile(r"(?=.*[1-9])[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)
_CODE = re.compile(r"[\w.\-/]+", re.ASCII)


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
    freight: str = ""
    book: bool = False
    paid_by: str = ""
    again: bool = False


def read(request: CounterRequest) -> Told:
    posted = request.POST
    columns = [[text.strip()[:80] for text in posted.getlist(name)] for name in ("code", "quantity", "amount")]
    rows = [dict(zip(("code", "quantity", "amount"), row, strict=True)) for row in zip(*columns, strict=False)]
    texts = {
        name: posted.get(name, "").strip()[:1000]
        for name in ("codes", "points", "cards", "stored", "number", "store", "freight")
    }
    told = Told(
        rows[:MOST_LINES], posted.getlist("coupon")[:50], best=bool(posted.get("best")),
        coalition=bool(posted.get("coalition")), book=bool(posted.get("book")), paid_by=way(request),
        again=bool(posted.get("again")), **texts,
    )  # fmt: skip
    told.number = told.number[:60]
    for name in ("points", "stored"):
        if posted.get(f"{name}_most"):
            setattr(told, name, "most")
    return told


def way(request: CounterRequest) -> str:
    """How the money was paid; "" where nothing was said that is known."""
    told = request.POST.get("paid_by", "")
    return told if told in WAYS else ""


def make(request: CounterRequest, told: Told) -> tuple[Basket, dict[str, Any]]:
    """The basket, and the document it is kept as. Raises NotUnderstood, BasketInvalid."""
    currency = request.merchant.currency
    rows = [(n, row) for n, row in enumerate(told.lines, 1) if row["amount"]]
    if not rows:
        raise NotUnderstood(_("Write what is bought: an amount in the first line at least."))
    goods = goods_by_code(request.merchant, {row["code"] for _n, row in rows if row["code"]})
    lines: list[dict[str, Any]] = []
    for n, row in rows:
        category, brand = goods.get(row["code"], ("", ""))
        where = _("line %(n)s") % {"n": n}
        quantity, price = _quantity(row["quantity"], where), amount(row["amount"], currency, where)
        if price * Decimal(quantity) > MOST_MINOR:
            raise NotUnderstood(_("%(where)s: quantity × amount is more than a basket can be.") % {"where": where})
        is_code = row["code"] in goods or _CODE.fullmatch(row["code"])  # else it is what the goods are called
        lines.append(
            {
                "key": str(n),
                "sku" if is_code else "title": row["code"],
                "category": category,
                "brand": brand,
                "quantity": quantity,
                "price_minor": price,
            }
        )
    if freight := amount(told.freight, currency, _("freight")):
        lines.append({"key": "freight", "title": "", "quantity": "1", "price_minor": freight, "freight": True})
    asks = {
        "coupons": [*told.coupons, *told.codes.split()],
        "best": told.best,
        "points": _points(told.points),
        "coalition": told.coalition,
        "gift_cards": told.cards.split(),
        "stored_value_minor": "most" if told.stored == "most" else amount(told.stored, currency, _("stored value")),
    }
    store = store_of(request, told.store)
    if (told.number or told.book) and not store and street_stores(request):
        raise NotUnderstood(_("Choose the store that sells it."))
    document = {"store": store, "platform": "pos", "lines": lines, "asks": asks}
    return basket(from_plain(document), currency), document


def whole(request: CounterRequest, text: str, store: str) -> tuple[Basket, dict[str, Any]]:
    """A basket of which only the amount is told: what was paid, at no other price. Its one line has as many thousandths as the amount
    has minor units, so that any part of the money can come back. Raises NotUnderstood."""
    minor = amount(text, request.merchant.currency, _("Amount paid"))
    if not 0 < minor <= MOST_WHOLE:
        raise NotUnderstood(
            _("%(where)s: write an amount of money, such as 100 or 39.90.") % {"where": _("Amount paid")}
        )
    if not store and street_stores(request):
        raise NotUnderstood(_("Choose the store that sells it."))
    line = {"key": WHOLE, "quantity": str(Decimal(minor) / 1000), "amount_minor": minor, "excluded": True}
    document = {"store": store, "platform": "pos", "lines": [line], "asks": {}}
    return basket(from_plain(document), request.merchant.currency), document


def amount(text: str, currency: str, where: str) -> int:
    try:
        minor = -1 if "e" in text.lower() else money.parse(text, currency) if text else 0
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


def street_stores(request: CounterRequest) -> list[Store]:
    """Where whoever belongs to no street store may choose one."""
    if request.staff.store and request.staff.store.platform == "pos":
        return []
    places = shops.posts(request.staff) or shops.stores(request.merchant)
    return [one for one in places if one.platform == "pos"]


def store_of(request: CounterRequest, told: str) -> str:
    """The code of the street store that sells: the cashier's own, the one chosen, or the only one there is."""
    own = request.staff.store
    if own and own.platform == "pos":
        return own.code
    codes = [one.code for one in street_stores(request)]
    return codes[0] if len(codes) == 1 else told if told in codes else ""
