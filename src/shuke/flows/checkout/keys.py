"""What a basket's requests are called in the books, and the mark by which two baskets are told apart."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from shuke.loyalty.models import Checkout


def hash_of(told: Any) -> bytes:
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def hold_key(row: Checkout) -> str:
    return f"checkout:{row.pk}:points"


def capture_key(row: Checkout) -> str:
    return f"checkout:{row.pk}:paid"
