"""What a seal of stored value covers, as text that is the same on every engine; and whether the chain is whole."""

from __future__ import annotations

import json
from collections.abc import Iterable

from shuke.kit import bulk
from shuke.loyalty.models import StoredSeal
from shuke.loyalty.queries.chain import ALWAYS, Chain
from shuke.shops.models import Merchant


def content_of(merchant: Merchant, number: int, first: int | None, last: int | None) -> Iterable[str]:
    """Every posting of a seal with its legs and uses as text lines, in id order."""
    first, last = first or 0, last or ALWAYS
    for pk, key, kind, purse, about, at, request, answer in bulk.select(
        "SELECT id, key, kind, purse_id, about, at, request, answer FROM loyalty_stored_txn "
        "WHERE +merchant_id = %s AND seal = %s AND id BETWEEN %s AND %s ORDER BY id",
        [merchant.pk, number, first, last],
    ):
        moment = bulk.read_moment(at)
        assert moment is not None
        yield f"t|{pk}|{key}|{kind}|{purse}|{about}|{moment.timestamp():.6f}|{_text(request)}|{_text(answer)}"
    for table, columns in (("leg", "account, purse_id, amount, seq, balance_after"), ("use", "lot_id, kind, amount")):
        for row in bulk.select(
            # Both tables are told the span of ids, as those of points are.
            f"SELECT x.txn_id, {', '.join('x.' + c for c in columns.split(', '))} FROM loyalty_stored_txn t "
            f"JOIN loyalty_stored_{table} x ON x.merchant_id = t.merchant_id AND x.txn_id = t.id "
            "WHERE t.merchant_id = %s AND t.seal = %s AND t.id BETWEEN %s AND %s AND x.merchant_id = %s "
            "AND x.txn_id BETWEEN %s AND %s ORDER BY x.txn_id, x.id",
            [merchant.pk, number, first, last, merchant.pk, first, last],
        ):
            yield f"{table[0]}|" + "|".join(str(v) for v in row)


STORED = Chain("loyalty_stored_txn", StoredSeal, content_of)


def broken_seals(merchant: Merchant) -> list[tuple[int, str]]:
    """Seals that do not follow the one before, or whose postings were changed."""
    seals = STORED.links(merchant)
    return [
        (seal.number, f"stored value: {told}")
        for before, seal in zip([None, *seals], seals, strict=False)
        for told in STORED.faults(merchant, before, seal)
    ]


def _text(told: object) -> str:
    value = json.loads(told) if isinstance(told, str) else told
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
