"""Names in a charter that this shop has never heard of: goods nobody listed or sold, channels and platforms no order came by.

No fault: goods may be listed next week. But a mistyped category is a rule that never applies, and nobody would notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from shuke.engine.charter.document import Charter
from shuke.engine.charter.faults import Fault
from shuke.loyalty.queries.charter_references import places_of
from shuke.orders.models import Order, Product
from shuke.shops.models import Merchant, Store

# Field of the charter → code of the warning.
NAMES = {
    "categories": "unheard_category",
    "products": "unheard_product",
    "brands": "unheard_brand",
    "platforms": "unheard_platform",
    "channels": "unheard_channel",
}


def unheard(merchant: Merchant, charter: Charter) -> list[Fault]:
    """Each place with a name that nothing in this shop has, and the nearest that something has. Where nothing has any
    (a shop that begins), there is nothing to compare with."""
    known: dict[str, set[str]] = {}
    found = []
    for where, field, name in places_of(charter, NAMES):
        if field not in known:
            known[field] = {one for one in _KNOWN[field](merchant) if one}
        if known[field] and name not in known[field]:
            found.append(Fault(where, NAMES[field], name=name, near=nearest(name, known[field])))
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """What was probably meant; "–" where nothing looks alike."""
    plain: dict[str, str] = {}
    for one in sorted(known):
        plain.setdefault(one.casefold().strip(), one)
    close = get_close_matches(name.casefold().strip(), plain, 1, 0.5)
    return plain[close[0]] if close else "–"


def _categories(merchant: Merchant) -> set[str]:
    """Every category of a product, and what it lies below."""
    rows = Product.objects.filter(merchant=merchant).order_by().values_list("category", flat=True).distinct()
    found = set()
    for path in rows:
        levels = path.split("/")
        found |= {"/".join(levels[:n]) for n in range(1, len(levels) + 1)}
    return found


def _of_products(column: str) -> Callable[[Merchant], set[str]]:
    return lambda merchant: set(
        Product.objects.filter(merchant=merchant).order_by().values_list(column, flat=True).distinct()
    )


_KNOWN: dict[str, Callable[[Merchant], set[str]]] = {
    "categories": _categories,
    "products": _of_products("code"),
    "brands": _of_products("brand"),
    "platforms": lambda merchant: set(Store.objects.filter(merchant=merchant).values_list("platform", flat=True)),
    "channels": lambda merchant: set(
        Order.objects.filter(merchant=merchant).order_by().values_list("channel", flat=True).distinct()
    ),
}
