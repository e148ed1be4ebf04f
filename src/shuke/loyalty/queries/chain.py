"""What a seal of the hash chain covers, as text that is the same on every engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from shuke.kit import bulk
from shuke.shops.models import Merchant


def content_of(merchant: Merchant, number: int) -> Iterable[str]:
    """Every posting of a seal with its legs and uses as text lines, in id order; the same on both engines."""
    first = last = 0
    for pk, key, kind, member, at, why in bulk.select(
        "SELECT id, key, kind, member_id, at, why FROM loyalty_txn WHERE merchant_id = %s AND seal = %s ORDER BY id",
        [merchant.pk, number],
    ):
        moment = bulk.read_moment(at)
        assert moment is not None
        first, last = first or pk, pk
        yield f"t|{pk}|{key}|{kind}|{member}|{moment.timestamp():.6f}|{_text(why)}"
    for table, columns in (("entry", "account, amount, seq, balance_after"), ("use", "lot_id, kind, amount")):
        for row in bulk.select(
            # Merchant and span of ids are what the legs' index begins with; without them every leg is looked at.
            f"SELECT x.txn_id, {', '.join('x.' + c for c in columns.split(', '))} FROM loyalty_txn t "
            f"JOIN loyalty_{table} x ON x.merchant_id = t.merchant_id AND x.txn_id = t.id "
            "WHERE t.merchant_id = %s AND t.seal = %s AND x.merchant_id = %s AND x.txn_id BETWEEN %s AND %s "
            "ORDER BY x.txn_id, x.id",
            [merchant.pk, number, merchant.pk, first, last],
        ):
            yield f"{table[0]}|" + "|".join(str(v) for v in row)


def _text(why: object) -> str:
    """JSON in one spelling: PostgreSQL keeps its own."""
    value = json.loads(why) if isinstance(why, str) else why
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(previous: bytes, lines: Iterable[str]) -> bytes:
    digest = hashlib.sha256(previous)
    for line in lines:
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.digest()
