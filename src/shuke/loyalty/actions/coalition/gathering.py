"""Looking through linked members' books for points that came into the pool or left it since they were last looked at.

Legs in a member's books are numbered without gap under the wallet's lock, so "looked at up to number n" is exact: nothing with
a lower number can still appear. Nothing is locked but the links.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.coalition.charging import CHARGED, Posting, Used, flows
from shuke.engine.coalition.prices import Prices
from shuke.kit import bulk
from shuke.loyalty.actions.coalition.movements import Moved, of_flows, write
from shuke.loyalty.models import Coalition, CoalitionPartner
from shuke.loyalty.queries import coalition as stored
from shuke.loyalty.queries.refunds import spend_of

AT_ONCE = 500  # links in one transaction
# What crosses between merchants is written when it crosses.
CROSSING = ("pool_out", "pool_back", "pool_spent", "pool_returned")


class Linked(NamedTuple):
    """A link as gathering needs it."""

    id: int
    member: int
    number: str
    linked_at: datetime
    gathered: int


def gather(*, coalition: Coalition, now: datetime) -> int:
    """Bring the movements of all partners up to date; how many were written. Each step commits by itself."""
    agreed = stored.agreed(coalition)
    written = 0
    for seat in stored.partners(coalition):
        if seat.state != "in":
            continue
        while True:
            with transaction.atomic():
                some = _behind(coalition, seat.merchant_id)
                written += gather_links(coalition, seat.merchant_id, agreed, some, now)
            if len(some) < AT_ONCE:
                break
        with transaction.atomic():
            CoalitionPartner.objects.filter(merchant=seat.merchant, coalition=coalition).update(
                open_micro=_open(coalition, seat.merchant_id)
            )
    return written


def is_behind(coalition: Coalition) -> bool:
    """Whether anybody's books went on since they were looked at."""
    where, values = bulk.among("l.merchant_id", [p.merchant_id for p in stored.partners(coalition)])
    return bool(
        bulk.select(
            "SELECT 1 FROM loyalty_coalition_link l JOIN loyalty_wallet w ON w.member_id = l.member_id "
            f"WHERE {where} AND l.coalition_id = %s AND l.ended_at IS NULL AND w.seq > l.gathered LIMIT 1",
            [values, coalition.pk],
        )
    )


_LINK = """
SELECT l.id, l.member_id, l.number, l.linked_at, l.gathered FROM loyalty_coalition_link l
JOIN loyalty_wallet w ON w.member_id = l.member_id
WHERE l.merchant_id = %s AND l.coalition_id = %s AND l.ended_at IS NULL AND w.seq > l.gathered {which} ORDER BY l.id LIMIT %s
"""


def _behind(coalition: Coalition, merchant: int) -> list[Linked]:
    sql = _LINK.format(which="") + (" FOR NO KEY UPDATE OF l" if bulk.is_postgres() else "")
    return _linked(bulk.select(sql, [merchant, coalition.pk, AT_ONCE]))


def _linked(rows: Sequence[tuple]) -> list[Linked]:
    found = []
    for pk, member, number, since, gathered in rows:
        linked_at = bulk.read_moment(since)
        assert linked_at is not None
        found.append(Linked(pk, member, number, linked_at, gathered))
    return found


def gather_links(
    coalition: Coalition, merchant: int, agreed: Mapping[int, Sequence[Prices]], links: Sequence[Linked], now: datetime
) -> int:
    """The new legs of these links, which the caller has locked, as movements."""
    if not links:
        return 0
    where, values = bulk.among("l.id", [link.id for link in links])
    last: dict[int, int] = {}
    owner: dict[int, int] = {}  # posting → member
    for txn, member, seq in bulk.select(
        "SELECT e.txn_id, e.member_id, MAX(e.seq) FROM loyalty_coalition_link l CROSS JOIN loyalty_entry e "
        "WHERE e.merchant_id = l.merchant_id AND e.member_id = l.member_id AND e.seq > l.gathered "
        f"AND +l.merchant_id = %s AND {where} GROUP BY e.txn_id, e.member_id",
        [merchant, values],
    ):
        owner[txn] = member
        last[member] = max(last.get(member, 0), seq)
    by_member = {link.member: link for link in links}
    moved: list[Moved] = []
    for txn, (kind, posting) in sorted(_postings(merchant, owner).items()):
        if kind in CROSSING:
            continue
        link = by_member[owner[txn]]
        told = flows(posting, linked_at=link.linked_at)
        moved += of_flows(told, merchant=merchant, member=link.member, number=link.number, at=posting.at, txn=txn)
    bulk.update(
        "loyalty_coalition_link", ("gathered",), [(last[link.member], link.id) for link in links if link.member in last]
    )
    return write(coalition, agreed, moved, now)


def _postings(merchant: int, owner: Mapping[int, int]) -> dict[int, tuple[str, Posting]]:
    if not owner:
        return {}
    where, values = bulk.among("txn_id", owner)
    legs: dict[int, dict[str, int]] = defaultdict(dict)
    for txn, account, amount in bulk.select(
        "SELECT txn_id, account, CAST(SUM(amount) AS BIGINT) FROM loyalty_entry "
        f"WHERE +merchant_id = %s AND {where} GROUP BY txn_id, account",
        [merchant, values],
    ):
        legs[txn][account] = amount
    uses: dict[int, list[Used]] = defaultdict(list)
    where, values = bulk.among("u.txn_id", owner)
    for txn, kind, amount, earned in bulk.select(
        "SELECT u.txn_id, u.kind, u.amount, l.earned_at FROM loyalty_use u JOIN loyalty_lot l ON l.id = u.lot_id "
        f"WHERE +u.merchant_id = %s AND {where}",
        [merchant, values],
    ):
        at = bulk.read_moment(earned)
        assert at is not None
        uses[txn].append(Used(kind, amount, at))
    where, values = bulk.among("id", owner)
    rows = bulk.select(
        f"SELECT id, kind, at, event, outcome FROM loyalty_txn WHERE +merchant_id = %s AND {where}", [merchant, values]
    )
    burnt = {pk: _burn(event, outcome) for pk, kind, _, event, outcome in rows if kind == "return"}
    spends = _spends(merchant, [(owner[pk], burn) for pk, burn in burnt.items()])
    found = {}
    for pk, kind, at, _, _ in rows:
        moment = bulk.read_moment(at)
        assert moment is not None
        sums = legs[pk]
        spent_at = spends.get((owner[pk], burnt[pk])) if kind == "return" else None
        found[pk] = (
            kind,
            Posting(
                moment,
                sums.get("member", 0),
                sums.get("spent", 0),
                sums.get("settlement", 0),
                tuple(uses[pk]),
                spent_at,
            ),
        )
    return found


def _burn(event: str, outcome: Any) -> str:
    """The spend of which something is given back: a request names it; what follows an order's refund is named by it."""
    told = json.loads(outcome) if isinstance(outcome, str) else outcome
    return (told or {}).get("request", {}).get("burn") or spend_of(event)


def _spends(merchant: int, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], datetime]:
    """When the spends were of which something is given back: the till owes what it was paid for them."""
    if not wanted:
        return {}
    where, values = bulk.among("member_id", {member for member, _ in wanted})
    found = {}
    for member, event, at in bulk.select(
        f"SELECT member_id, event, at FROM loyalty_txn WHERE merchant_id = %s AND {where} AND kind IN ('burn', 'capture')",
        [merchant, values],
    ):
        moment = bulk.read_moment(at)
        assert moment is not None
        found[member, event] = moment
    return found


def _open(coalition: Coalition, merchant: int) -> int:
    kinds = ", ".join(["%s"] * len(CHARGED))
    return bulk.select(
        "SELECT CAST(COALESCE(SUM(amount_micro), 0) AS BIGINT) FROM loyalty_coalition_movement "
        f"WHERE merchant_id = %s AND coalition_id = %s AND period_id IS NULL AND kind IN ({kinds})",
        [merchant, coalition.pk, *CHARGED],
    )[0][0]
