"""What rewards cost the shop, by member: points at their cost, gifts, benefits, draws, freight coupons, bonus of stored value.

Nothing is counted twice. Points cost when they are earned; those that lapsed, went to somebody else or were paid with at a till
cost nothing more (a till takes them off what is paid, so they are less revenue already). So are coupons: the order they were used on
counts as less. Freight is no revenue, so a freight coupon is a cost of its own. Gifts ordered with points were paid for by these
points; points brought along from another system were not given for purchases here. What was given for bringing a friend is what that
friend cost (`friends_cost`), no reward of the referrer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models.functions import Coalesce

from shuke.kit import bulk
from shuke.loyalty.models import CouponTemplate, Referral
from shuke.loyalty.queries import charters, costs
from shuke.loyalty.queries.costs import Asked
from shuke.shops.models import Merchant

ONE = 1_000_000  # millionths of a minor unit
Sums = dict[int, list[int]]  # member → [ever, from `since` on], minor units

_POINTS = """
SELECT COALESCE(m.merged_into_id, m.id), CAST(SUM((l.granted - COALESCE(gone.n, 0)) * l.cost_micro) AS BIGINT),
       CAST(SUM(CASE WHEN l.earned_at >= %s THEN (l.granted - COALESCE(gone.n, 0)) * l.cost_micro ELSE 0 END) AS BIGINT)
FROM loyalty_lot l JOIN members_member m ON m.id = l.member_id
LEFT JOIN (
  SELECT u.lot_id, SUM(u.amount) AS n FROM loyalty_use u JOIN loyalty_txn t ON t.id = u.txn_id
  WHERE u.merchant_id = %s AND (u.kind IN ('expire', 'transfer') OR (u.kind = 'burn' AND t.event LIKE '%%checkout:%%'))
  GROUP BY u.lot_id
) AS gone ON gone.lot_id = l.id
WHERE l.merchant_id = %s AND l.granted > 0 AND l.earned_at < %s AND (l.funder_id IS NULL OR l.funder_id = %s)
  AND l.key NOT LIKE '%%referral:%%' AND l.key NOT LIKE 'opening:%%'
  AND (l.key NOT LIKE 'return:%%' OR l.key LIKE '%%checkout:%%')
GROUP BY COALESCE(m.merged_into_id, m.id)
"""

# Uses of coupons, and uses that came back; {} narrows them down.
_USED = (
    "FROM loyalty_coupon_move m JOIN loyalty_coupon c ON c.id = m.coupon_id "
    "WHERE m.merchant_id = %s AND m.kind IN ('redeem', 'return'){}"
)
# Those given for a bond: `source_ref` begins with referral:BOND:SIDE (actions/referral/rewarding.py).
_OF_FRIENDS = " AND c.source = 'referral'"


def by_member(merchant: Merchant, *, since: datetime, until: datetime) -> Sums:
    """Of each living member with any, what was caused before `until`."""
    at = bulk.moment()
    found: Sums = {}
    rows = bulk.select(_POINTS, [at(since), merchant.pk, merchant.pk, at(until), merchant.pk])
    for member, ever, recent in rows:
        found[member] = [int(ever) // ONE, int(recent) // ONE]
    told, values = costs.rows_of(merchant, Asked(datetime(1970, 1, 1, tzinfo=until.tzinfo), until))
    by_points = "SELECT key FROM loyalty_gift_order WHERE merchant_id = %s AND points > 0"  # these gifts cost the points they took
    rows = bulk.select(
        "SELECT COALESCE(m.merged_into_id, m.id), CAST(SUM(f.cost - f.received) AS BIGINT), "
        "CAST(SUM(CASE WHEN f.at >= %s THEN f.cost - f.received ELSE 0 END) AS BIGINT) "
        f"FROM ({told}) AS f JOIN members_member m ON m.id = f.member_id "
        f"WHERE f.kind <> 'referral' AND NOT (f.kind = 'gift' AND f.ref IN ({by_points})) "
        f"AND (f.kind <> 'coupon' OR f.id IN (SELECT m.id {_USED.format(_freight(merchant))} AND c.source <> 'referral')) "
        "GROUP BY COALESCE(m.merged_into_id, m.id)",
        [at(since), *values, merchant.pk, merchant.pk],
    )
    for member, ever, recent in rows:
        sums = found.setdefault(member, [0, 0])
        sums[0] += int(ever)
        sums[1] += int(recent)
    return found


def _freight(merchant: Merchant) -> str:
    """Narrows uses of coupons down to freight coupons."""
    told = CouponTemplate.objects.filter(merchant=merchant, document__kind="freight").values_list("pk", flat=True)
    return f" AND c.template_id IN ({', '.join(map(str, told)) or 'NULL'})"


def friends_coupons(merchant: Merchant, *, freight: bool = False, side: str = "") -> dict[int, int]:
    """What coupons given for a bond took off where they were used, by bond (referral id), as booked; one that came back counts no more.

    freight: only freight coupons. side: only what "referrer" or "friend" was given.
    """
    rows = bulk.select(
        "SELECT c.source_ref, CAST(SUM(CASE WHEN m.kind = 'redeem' THEN m.amount_minor ELSE -m.amount_minor END) AS BIGINT) "
        f"{_USED.format(_OF_FRIENDS + (_freight(merchant) if freight else ''))} GROUP BY c.source_ref",
        [merchant.pk],
    )
    found: dict[int, int] = {}
    for ref, cost in rows:
        bond, given_to = int(ref.split(":")[1]), ref.split(":")[2]
        if side and given_to != side:
            continue
        found[bond] = found.get(bond, 0) + int(cost)
    return found


def friends_cost(merchant: Merchant, *, now: datetime) -> dict[int, int]:
    """What was given on both sides for each newcomer who was brought: points at the charter's cost, gifts handed over, freight coupons.

    0: other coupons alone, which are less revenue already. Who is not listed was not brought, or nothing was given for it.
    """
    try:
        micro = charters.in_force(merchant, now).cost_micro
    except charters.NoCharter:
        micro = 0
    rows: list[Any] = bulk.select(
        "SELECT COALESCE(m.merged_into_id, m.id), "
        "CAST(SUM(CASE WHEN w.kind = 'points' THEN w.amount ELSE 0 END) AS BIGINT), "
        "CAST(SUM(CASE WHEN w.kind = 'gift' AND w.handed_at IS NOT NULL THEN w.cost_minor ELSE 0 END) AS BIGINT) "
        "FROM loyalty_referral_reward w JOIN loyalty_referral r ON r.id = w.referral_id "
        "JOIN members_member m ON m.id = r.newcomer_id WHERE w.merchant_id = %s GROUP BY COALESCE(m.merged_into_id, m.id)",
        [merchant.pk],
    )
    costs_of = {member: int(points) * micro // ONE + int(gifts) for member, points, gifts in rows}
    costs_of = {member: cost for member, cost in costs_of.items() if cost}
    used, of_freight = friends_coupons(merchant), friends_coupons(merchant, freight=True)
    bonds = Referral.objects.filter(merchant=merchant, pk__in=list(used)).values_list(
        "pk", Coalesce("newcomer__merged_into_id", "newcomer_id")
    )
    for bond, newcomer in bonds:
        costs_of[newcomer] = costs_of.get(newcomer, 0) + of_freight.get(bond, 0)
    return costs_of


def friends_bought(merchant: Merchant) -> dict[int, int]:
    """How many of those a member brought have bought: bonds of the referral rules, and what profiles say."""
    rows = bulk.select(
        "SELECT COALESCE(a.merged_into_id, a.id), COUNT(DISTINCT n.id) FROM ("
        "SELECT referred_by_id AS referrer, id AS newcomer FROM members_member WHERE merchant_id = %s AND referred_by_id IS NOT NULL "
        "UNION SELECT referrer_id, newcomer_id FROM loyalty_referral WHERE merchant_id = %s) AS b "
        "JOIN members_member a ON a.id = b.referrer JOIN members_member n ON n.id = b.newcomer WHERE n.state = 'active' AND EXISTS "
        "(SELECT 1 FROM orders_order o WHERE o.merchant_id = n.merchant_id AND o.member_id = n.id AND o.paid_at IS NOT NULL "
        "AND o.excluded = '' AND o.net_minor > 0) GROUP BY COALESCE(a.merged_into_id, a.id)",
        [merchant.pk, merchant.pk],
    )
    return {member: int(count) for member, count in rows}
