"""What a charter names that the shop does not have: rules that would never apply, rewards that could never be given.

The document by itself is checked by the engine; this looks at what stands beside it in the shop.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from pydantic import BaseModel

from shuke.engine.charter.document import Charter
from shuke.engine.charter.faults import Fault
from shuke.loyalty.models import CouponTemplate
from shuke.shops.models import Merchant, Store


def missing(merchant: Merchant, charter: Charter) -> list[Fault]:
    """Each place that names a coupon or a store there is not, and another currency than the shop's."""
    return [*_currency(merchant, charter), *_coupons(merchant, charter), *_stores(merchant, charter)]


def _currency(merchant: Merchant, charter: Charter) -> Iterator[Fault]:
    if charter.currency != merchant.currency:
        yield Fault("currency", "not_the_shops_currency", currency=charter.currency, expected=merchant.currency)


def _coupons(merchant: Merchant, charter: Charter) -> Iterator[Fault]:
    if charter.referral is None:
        return
    rewards = [("referral.friend", charter.referral.friend)]
    rewards += [(f"referral.steps.{i}", step) for i, step in enumerate(charter.referral.steps)]
    if not any(reward.coupon for _, reward in rewards):
        return
    known = {coupon.key for coupon in charter.selling.coupons}
    known |= set(CouponTemplate.objects.filter(merchant=merchant, source="shop").values_list("key", flat=True))
    for where, reward in rewards:
        if reward.coupon is not None and reward.coupon not in known:
            yield Fault(f"{where}.coupon", "unknown_coupon", key=reward.coupon, known=_listed(known))


def _stores(merchant: Merchant, charter: Charter) -> Iterator[Fault]:
    named = list(places_of(charter, ("stores",)))
    if not named:
        return
    known = set(Store.objects.filter(merchant=merchant).values_list("code", flat=True))
    for where, _, code in named:
        if code not in known:
            yield Fault(where, "unknown_store", store=code, known=_listed(known))


def places_of(part: BaseModel, fields: Container[str], where: str = "") -> Iterator[tuple[str, str, str]]:
    """Every name in one of these fields, wherever it stands in the document: place, field, name."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        if name in fields and isinstance(value, tuple):
            yield from ((f"{where}{name}", name, one) for one in value if isinstance(one, str))
        elif isinstance(value, BaseModel):
            yield from places_of(value, fields, f"{where}{name}.")
        elif isinstance(value, tuple):
            for i, one in enumerate(value):
                if isinstance(one, BaseModel):
                    yield from places_of(one, fields, f"{where}{name}.{i}.")


def _listed(known: set[str]) -> str:
    return ", ".join(sorted(known)) or "–"
