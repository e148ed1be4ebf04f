"""What stands under which master key: codes of coupons and gift cards, hashes of partners' cards.

A code is printed and its value is stored nowhere, so it cannot come under another key. A batch and a card programme keep the
key they began with and end with it; what is begun later is under the newest. So an old key is needed until the last of
them has ended, and then for nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max, Q

from shuke.kit import crypto
from shuke.loyalty.models import CardProgramme, Coupon, CouponState, GiftCard
from shuke.members.queries.keys import span
from shuke.shops.models import Merchant


class Dependent(NamedTuple):
    """Something in use that an older master key is needed for; `until`: None, as long as nobody ends it."""

    what: str  # coupons | gift_cards | partner_cards
    merchant: str
    name: str
    number: int  # of the master key
    left: int
    until: datetime | None


def code_forms(merchant: Merchant, purpose: str, plain: str) -> list[bytes]:
    """What a code may be stored as: batches of any key are in use."""
    return [crypto.coder(purpose, merchant.pk, number)(plain) for number in range(1, span().newest + 1)]


def dependents(now: datetime) -> list[Dependent]:
    """All that still needs a key older than the newest, over all merchants; what ends last comes last."""
    newest = crypto.newest_version()
    found = _coupons(newest, now) + _gift_cards(newest, now) + _programmes(newest, now)
    return sorted(found, key=lambda one: (one.until is None, one.until or now, one.merchant, one.name))


def _coupons(newest: int, now: datetime) -> list[Dependent]:
    usable = Q(state__in=(CouponState.OPEN, CouponState.HELD)) & (Q(valid_until=None) | Q(valid_until__gt=now))
    rows = Coupon.objects.filter(usable, batch__key_number__lt=newest, blind__isnull=False)
    told = rows.values_list("merchant__name", "key", "batch__label", "batch__key_number").annotate(
        n=Count("pk"), last=Max("valid_until"), endless=Count("pk", filter=Q(valid_until=None))
    )
    return [
        Dependent("coupons", shop, f"{key} {label}".strip(), number, n, None if endless else last)
        for shop, key, label, number, n, last, endless in told
    ]


def _gift_cards(newest: int, now: datetime) -> list[Dependent]:
    usable = Q(state="made") | (Q(state="active") & (Q(expires_at=None) | Q(expires_at__gt=now)))
    rows = GiftCard.objects.filter(usable, batch__key_number__lt=newest)
    told = rows.values_list("merchant__name", "batch__label", "batch_id", "batch__key_number").annotate(
        n=Count("pk"), last=Max("expires_at"), endless=Count("pk", filter=Q(expires_at=None))
    )
    return [
        Dependent("gift_cards", shop, label or str(batch), number, n, None if endless else last)
        for shop, label, batch, number, n, last, endless in told
    ]


def _programmes(newest: int, now: datetime) -> list[Dependent]:
    found = []
    rows = CardProgramme.objects.filter(key_number__lt=newest).select_related("merchant")
    bound = Count("partnercard", filter=Q(partnercard__ended_at__isnull=True))
    for one in rows.annotate(cards=bound):
        zone = one.merchant.tz
        ends = None if one.ends_on is None else datetime(*one.ends_on.timetuple()[:3], tzinfo=zone)
        if ends is None or ends > now:
            found.append(Dependent("partner_cards", one.merchant.name, one.name, one.key_number, one.cards, ends))
    return found
