"""What sellers said of their products, and products to say something of."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Q

from shuke.insight.models import GoodsMark
from shuke.orders.models import Product
from shuke.shops.models import Merchant

PAGE = 50


class Marked(NamedTuple):
    """One product as the page of marks shows it."""

    code: str
    title: str
    category: str
    need: str
    durable: str  # "yes" | "no" | "": as its buyers show
    out_of_stock: bool


def products(
    merchant: Merchant, text: str = "", *, only_marked: bool = False, page: int = 1
) -> tuple[list[Marked], bool]:
    """Products whose code, title or category holds the text, by code; and whether there are more than this page."""
    found = Product.objects.filter(merchant=merchant).order_by("code", "pk")
    marks = GoodsMark.objects.filter(merchant=merchant)
    if text:
        found = found.filter(Q(code__icontains=text) | Q(title__icontains=text) | Q(category__icontains=text))
    if only_marked:
        found = found.filter(pk__in=marks.exclude(need="", durable=None, out_of_stock=False).values("product"))
    start = (page - 1) * PAGE
    rows = list(found[start : start + PAGE + 1])
    said = {one.product_id: one for one in marks.filter(product__in=[one.pk for one in rows])}
    return [_shown(one, said.get(one.pk)) for one in rows[:PAGE]], len(rows) > PAGE


def _shown(product: Product, mark: GoodsMark | None) -> Marked:
    durable = {True: "yes", False: "no"}.get(mark.durable, "") if mark is not None and mark.durable is not None else ""
    return Marked(
        product.code, product.title or product.code, product.category, mark.need if mark else "", durable,
        mark.out_of_stock if mark else False,
    )  # fmt: skip


def needs(merchant: Merchant) -> list[str]:
    """Needs that were written so far, to choose from again."""
    found = GoodsMark.objects.filter(merchant=merchant).exclude(need="").values_list("need", flat=True)
    return sorted(set(found.order_by().distinct()))
