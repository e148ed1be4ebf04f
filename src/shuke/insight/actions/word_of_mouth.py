"""What a shop assumes about word of mouth, stated and given up."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.engine.insight import word_of_mouth as engine
from shuke.insight.models import MouthPolicy
from shuke.kit import audit
from shuke.shops.models import Merchant


def assume_mouth(
    *,
    merchant: Merchant,
    now: datetime,
    actor: str,
    anyway_permille: int | None = None,
    hear: int | None = None,
    want: int | None = None,
    buy: int | None = None,
) -> None:
    """State the assumptions; None gives one up, and the usual one stands in again. Raises engine.BadAssumption."""
    engine.check(anyway_permille, (hear, want, buy))
    stated = {"anyway_permille": anyway_permille, "hear": hear, "want": want, "buy": buy}
    with transaction.atomic():
        MouthPolicy.objects.update_or_create(
            merchant=merchant, defaults=stated | {"stated_at": now, "actor": actor[:80]}
        )
        audit.record(merchant_id=merchant.pk, at=now, actor=actor, verb="mouth.assumed", detail=stated)
