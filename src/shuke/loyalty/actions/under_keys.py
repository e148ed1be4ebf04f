"""What the office does under a caller's key is done once, and answered alike for ever."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from shuke.loyalty.actions.asking import KeyReused
from shuke.loyalty.models import DeedRequest
from shuke.shops.models import Merchant


def once(
    *,
    merchant: Merchant,
    key: str,
    asked: Sequence[object],
    deed: Callable[[], dict[str, Any]],
    now: datetime,
    actor: str,
) -> tuple[dict[str, Any], bool]:
    """The answer of `deed`, and whether it is an earlier one. Raises KeyReused, and what the deed raises: a refusal did nothing,
    so the same key may try again.

    Of two with one key at the same moment the second finds it taken when writing: what it did is undone.
    """
    payload = hashlib.blake2b(json.dumps(list(asked), sort_keys=True, default=str).encode(), digest_size=16).digest()
    before = _before(merchant, key)
    if before is None:
        try:
            with transaction.atomic():
                Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)  # one such deed at a time
                if (before := _before(merchant, key)) is None:
                    answer = deed()
                    DeedRequest.objects.create(
                        merchant=merchant, key=key, payload=payload, answer=answer, at=now, actor=actor[:60]
                    )
                    return answer, False
        except IntegrityError:
            before = _before(merchant, key)
            if before is None:
                raise
    if bytes(before.payload) != payload:
        raise KeyReused(key)
    return before.answer, True


def _before(merchant: Merchant, key: str) -> DeedRequest | None:
    return DeedRequest.objects.filter(merchant=merchant, key=key).first()
