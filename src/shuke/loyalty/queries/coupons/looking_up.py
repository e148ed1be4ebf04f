"""Templates by key, coupons by code or member: what issuing and the till ask."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db.models import Q

from shuke.engine.charter.selling import Coupon as Template
from shuke.engine.checkout import codes, vouchers
from shuke.kit import bulk
from shuke.loyalty.models import Coupon, CouponState, CouponTally, CouponTemplate, SharedCode
from shuke.loyalty.queries.under_keys import code_forms
from shuke.members.queries.families import family
from shuke.shops.models import Merchant


class Found(NamedTuple):
    """What a code stands for: one coupon, or a code that many share. Neither: nobody knows it."""

    coupon: Coupon | None = None
    shared: SharedCode | None = None

    def __bool__(self) -> bool:
        return self.coupon is not None or self.shared is not None


@lru_cache(maxsize=2048)
def _parsed(pk: int, text: str) -> Template:
    return Template.model_validate_json(text)


def terms_of(row: CouponTemplate) -> Template:
    """A template version as the engine knows it. Versions never change, so each is read once."""
    import json

    return _parsed(row.pk, json.dumps(row.document))


def latest(merchant: Merchant, key: str, *, lock: bool = False) -> CouponTemplate | None:
    rows = CouponTemplate.objects.filter(merchant=merchant, key=key).order_by("-version")
    return (rows.select_for_update(no_key=True) if lock else rows).first()


def latest_of(merchant: Merchant, keys: Collection[str]) -> dict[str, CouponTemplate]:
    rows = CouponTemplate.objects.filter(merchant=merchant, key__in=list(keys)).order_by("version")
    return {row.key: row for row in rows}


def tally(merchant: Merchant, key: str) -> CouponTally | None:
    return CouponTally.objects.filter(merchant=merchant, key=key).first()


def figures_of(row: CouponTally) -> vouchers.Count:
    """A tally as the engine judges by it."""
    return vouchers.Count(*(getattr(row, name) for name in vouchers.Count._fields))


def tallies(merchant: Merchant, keys: Collection[str]) -> dict[str, CouponTally]:
    return {t.key: t for t in CouponTally.objects.filter(merchant=merchant, key__in=list(keys))}


def count_of_member(merchant: Merchant, key: str, member_id: int) -> int:
    """How many of a template a member ever got, with those of members merged into them."""
    mine = Coupon.objects.filter(merchant=merchant, key=key, member_id__in=family(merchant.pk, member_id))
    return mine.exclude(state=CouponState.VOID).count()


def sources_given(merchant: Merchant, wanted: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of (template, source_ref) pairs those that have a coupon already. Wants refs as issuing writes them."""
    refs = list(dict.fromkeys(wanted))
    if not refs:
        return set()
    condition, parameter = bulk.among("source_ref", [ref for _, ref in refs])
    rows = bulk.select(
        f"SELECT key, source_ref FROM loyalty_coupon WHERE merchant_id = %s AND source_ref <> '' AND {condition}",
        [merchant.pk, parameter],
    )
    return set(rows)


def given_for(merchant: Merchant, key: str, ref: str) -> bool:
    """Whether anybody has a coupon of a template for what this names."""
    return Coupon.objects.filter(merchant=merchant, key=key, source_ref__startswith=f"{ref}:").exists()


def of_sources(merchant: Merchant, key: str, refs: Sequence[str]) -> list[int]:
    """Coupons of a template by their refs as issuing writes them, in the order in which they were issued."""
    mine = Coupon.objects.filter(merchant=merchant, key=key, source_ref__in=refs)
    return list(mine.order_by("id").values_list("pk", flat=True))


def find_code(merchant: Merchant, told: str) -> Found:
    """What somebody typed or scanned. The same questions are asked whatever it is."""
    plain = codes.unique_code(told)
    forms = code_forms(merchant, "coupon", plain or "")
    coupon = Coupon.objects.select_related("template").filter(merchant=merchant, blind__in=forms).first()
    shared = SharedCode.objects.filter(merchant=merchant, code=codes.plain(told)[:30], ended_at=None).first()
    return Found(coupon, shared)


def held_by_member(merchant: Merchant, member_id: int, now: datetime, *, refs: Collection[int] = ()) -> list[Coupon]:
    """Coupons a member can use now, and those of `refs` that are theirs, whatever became of them."""
    usable = Q(state=CouponState.OPEN) & (Q(valid_until=None) | Q(valid_until__gt=now))
    mine = Coupon.objects.filter(merchant=merchant, member_id__in=family(merchant.pk, member_id))
    rows = mine.filter(usable | Q(pk__in=list(refs))) if refs else mine.filter(usable)
    return list(rows.select_related("template").order_by("valid_until", "pk")[:500])
