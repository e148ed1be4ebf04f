"""What a seal of stored value covers, as text that is the same on every engine; and whether the chain is whole."""

from __future__ import annotations

import json
from collections.abc import Iterable

from shuke.kit import bulk, ids
from shuke.loyalty.models import StoredSeal
from shuke.loyalty.queries.chain import digest_of
from shuke.shops.models import Merchant

LOOK_BACK = ids.MILLISECOND * 3600_000


def unsealed(merchant: Merchant, limit: int, *, all_of_them: bool = True) -> list[int]:
    """Postings that no seal covers yet, oldest first; without `all_of_them` only those of the last hour, which is where they
    are as a rule, and quick to look through."""
    since = "AND id > (SELECT COALESCE(MAX(id), 0) FROM loyalty_stored_txn) - %s " if not all_of_them else ""
    rows = bulk.select(
        f"SELECT id FROM loyalty_stored_txn WHERE +merchant_id = %s AND seal IS NULL {since}ORDER BY id LIMIT %s",
        [merchant.pk, *([] if all_of_them else [LOOK_BACK]), limit],
    )
    return [pk for (pk,) in rows]


def content_of(merchant: Merchant, number: int) -> Iterable[str]:
    for pk, key, kind, purse, about, at, request, answer in bulk.select(
        "SELECT id, key, kind, purse_id, about, at, request, answer FROM loyalty_stored_txn "
        "WHERE +merchant_id = %s AND seal = %s ORDER BY id",
        [merchant.pk, number],
    ):
        moment = bulk.read_moment(at)
        assert moment is not None
        yield f"t|{pk}|{key}|{kind}|{purse}|{about}|{moment.timestamp():.6f}|{_text(request)}|{_text(answer)}"
    for table, columns in (("leg", "account, purse_id, amount, seq, balance_after"), ("use", "lot_id, kind, amount")):
        for row in bulk.select(
            f"SELECT x.txn_id, {', '.join('x.' + c for c in columns.split(', '))} FROM loyalty_stored_txn t "
            f"JOIN loyalty_stored_{table} x ON x.merchant_id = t.merchant_id AND x.txn_id = t.id "
            "WHERE +t.merchant_id = %s AND t.seal = %s ORDER BY x.txn_id, x.id",
            [merchant.pk, number],
        ):
            yield f"{table[0]}|" + "|".join(str(v) for v in row)


def broken_seals(merchant: Merchant) -> list[tuple[int, str]]:
    """Seals that do not follow the one before, or whose postings were changed."""
    found, previous, number = [], b"\0" * 32, 0
    for one in StoredSeal.objects.filter(merchant=merchant).order_by("number"):
        if one.number != number + 1 or bytes(one.previous) != previous:
            found.append((one.number, f"stored value: seal {one.number} does not follow seal {number}"))
        if digest_of(previous, content_of(merchant, one.number)) != bytes(one.digest):
            found.append((one.number, f"stored value: what seal {one.number} covers was changed after sealing"))
        previous, number = bytes(one.digest), one.number
    return found


def _text(told: object) -> str:
    value = json.loads(told) if isinstance(told, str) else told
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
