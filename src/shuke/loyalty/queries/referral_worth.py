"""What bringing friends is worth: lists for people, the tree with its branches, and newcomers of the same months beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from shuke.engine.facts import OrderStatus
from shuke.engine.referral import tree
from shuke.engine.referral.tree import Node, Worth
from shuke.kit import bulk
from shuke.kit.clock import day_of
from shuke.loyalty.models import Referral, ReferralReward
from shuke.loyalty.queries import charters, member_costs
from shuke.members.models import Member
from shuke.members.queries.families import absorbed_by, survivors_of
from shuke.shops.models import Merchant

# As the books count orders for a tier: paid ones of which something was kept.
_ORDERS = "o.paid_at IS NOT NULL AND o.excluded = '' AND o.status >= %s AND o.status <> %s AND o.net_minor > 0"
_PAID = [int(OrderStatus.PAID), int(OrderStatus.CLOSED_UNPAID)]


class Month(NamedTuple):
    """Newcomers of one month: brought by members, and the others. Net is what they bought since, per head."""

    month: str
    brought: int
    brought_buyers: int
    brought_net: int
    others: int
    others_buyers: int
    others_net: int

    @property
    def brought_each(self) -> int | None:
        return self.brought_net // self.brought if self.brought else None

    @property
    def others_each(self) -> int | None:
        return self.others_net // self.others if self.others else None


class Branch(NamedTuple):
    """One who brought friends, with all that came of it, to any depth."""

    member: Member
    direct: Worth
    whole: Worth


class Honoured(NamedTuple):
    """One on the wall of honours."""

    member: Member
    friends: int
    honours: tuple[dict[str, str], ...]


def to_review(merchant: Merchant, limit: int = 100) -> list[Referral]:
    """Bonds a person should look at: held ones first, then paid ones of which something was found out since."""
    rows = Referral.objects.filter(merchant=merchant, decision="").select_related("newcomer", "referrer")
    held = list(rows.filter(state=Referral.State.HELD).order_by("due_at", "id")[:limit])
    paid = rows.filter(state=Referral.State.REWARDED).exclude(signals=[]).order_by("due_at", "id")
    return held + list(paid[: limit - len(held)])


def review_count(merchant: Merchant) -> int:
    return Referral.objects.filter(merchant=merchant, state=Referral.State.HELD, decision="").count()


def listed(merchant: Merchant, *, state: str = "", limit: int = 50, offset: int = 0) -> list[Referral]:
    """Bonds, the latest first."""
    rows = (
        Referral.objects.filter(merchant=merchant).select_related("newcomer", "referrer").order_by("-bound_at", "-id")
    )
    return list((rows.filter(state=state) if state else rows)[offset : offset + limit])


def one(merchant: Merchant, referral_id: int) -> Referral | None:
    rows = Referral.objects.filter(merchant=merchant, pk=referral_id).select_related("newcomer", "referrer")
    return rows.first()


def friends_of(merchant: Merchant, member_id: int, limit: int = 200) -> list[Referral]:
    """Whom this member (or somebody who is one with them) brought, the latest first."""
    family = [member_id, *absorbed_by(merchant.pk, [member_id])]
    rows = Referral.objects.filter(merchant=merchant, referrer_id__in=family).select_related("newcomer")
    return list(rows.order_by("-bound_at", "-id")[:limit])


def rewards_of(merchant: Merchant, referral_ids: Iterable[int]) -> dict[int, list[ReferralReward]]:
    found: dict[int, list[ReferralReward]] = defaultdict(list)
    for reward in ReferralReward.objects.filter(merchant=merchant, referral_id__in=list(referral_ids)).order_by("id"):
        found[reward.referral_id].append(reward)
    return found


def gifts_waiting(merchant: Merchant, member_id: int) -> list[ReferralReward]:
    """Gifts of referral this member can have at the counter."""
    family = [member_id, *absorbed_by(merchant.pk, [member_id])]
    rows = ReferralReward.objects.filter(merchant=merchant, member_id__in=family, kind="gift", amount__gt=0)
    return list(rows.filter(handed_at=None).order_by("id"))


# ---- worth -------------------------------------------------------------------------------------------------------------


class Graph(NamedTuple):
    """`used`: what coupons given for bringing friends took off the orders of whoever brought them. A branch's net knows nothing of
    the orders at its root, so there it is a cost; further down net is lower by it already, as by the coupons of friends."""

    below: dict[int, list[int]]
    worth: dict[int, Worth]
    used: dict[int, int]

    def at_root(self, member: int) -> Worth:
        return Worth(rewards=self.used.get(member, 0))


def graph(merchant: Merchant, now: datetime) -> Graph:
    """Everybody who was brought, as they are known today, and what each bought since."""
    rows = list(
        Referral.objects.filter(merchant=merchant).order_by("bound_at", "id").values_list("newcomer_id", "referrer_id")
    )
    home = survivors_of(merchant.pk, {member for row in rows for member in row})
    bonds: dict[int, int] = {}
    for newcomer, referrer in rows:
        a, b = home.get(newcomer, newcomer), home.get(referrer, referrer)
        if a != b:
            bonds.setdefault(a, b)
    spent = _spent(merchant, list(bonds))
    given = _given(merchant, now, home)
    worth = {
        member: Worth(1, int(spent.get(member, (0, 0))[0] > 0), *spent.get(member, (0, 0)), given.get(member, 0))
        for member in bonds
    }
    return Graph(tree.edges(bonds.items()), worth, _used(merchant, home))


def tree_of(merchant: Merchant, member_id: int, now: datetime, depth: int = tree.DEPTH) -> Node:
    """The tree below one member."""
    told = graph(merchant, now)
    node = tree.branch(told.below, told.worth, member_id, depth)
    return node._replace(branch=node.branch.plus(told.at_root(member_id)))


def branches(merchant: Merchant, now: datetime, limit: int = 50) -> list[Branch]:
    """Who brought most, by what their whole branches bought."""
    told = graph(merchant, now)
    found = []
    for member, friends in told.below.items():
        direct = told.at_root(member)
        for friend in friends:
            direct = direct.plus(told.worth.get(friend, Worth()))
        found.append((member, direct, tree.reach(told.below, told.worth, member).plus(told.at_root(member))))
    found.sort(key=lambda row: (-row[2].net, -row[2].friends, row[0]))
    people = Member.objects.filter(merchant=merchant).in_bulk([row[0] for row in found[:limit]])
    return [Branch(people[m], direct, whole) for m, direct, whole in found[:limit] if m in people]


def _spent(merchant: Merchant, members: Sequence[int]) -> dict[int, tuple[int, int]]:
    if not members:
        return {}
    where, among = bulk.among("o.member_id", sorted(members))
    rows = bulk.select(
        "SELECT o.member_id, COUNT(*), CAST(SUM(o.net_minor) AS BIGINT) FROM orders_order o "
        f"WHERE o.merchant_id = %s AND {_ORDERS} AND {where} GROUP BY o.member_id",
        [merchant.pk, *_PAID, among],
    )
    return {member: (count, net) for member, count, net in rows}


def _given(merchant: Merchant, now: datetime, home: dict[int, int]) -> dict[int, int]:
    """Cost of rewards by newcomer, as far as nobody's net knows it: points at the charter's value, gifts at their cost, freight coupons.

    Other coupons made the orders they were used on count as less; whose these are, `_used` says.
    """
    try:
        micro = charters.in_force(merchant, now).cost_micro
    except charters.NoCharter:
        micro = 0
    rows = bulk.select(
        "SELECT r.newcomer_id, CAST(SUM(CASE WHEN w.kind = 'points' THEN w.amount ELSE 0 END) AS BIGINT), "
        "CAST(SUM(CASE WHEN w.kind = 'gift' THEN w.amount * w.cost_minor ELSE 0 END) AS BIGINT) "
        "FROM loyalty_referral_reward w JOIN loyalty_referral r ON r.id = w.referral_id "
        "WHERE w.merchant_id = %s AND w.amount > 0 GROUP BY r.newcomer_id",
        [merchant.pk],
    )
    found: dict[int, int] = defaultdict(int)
    for newcomer, points, gifts in rows:
        found[home.get(newcomer, newcomer)] += points * micro // 1_000_000 + gifts
    carried = member_costs.friends_coupons(merchant, freight=True)
    for bond, newcomer in _of_bonds(merchant, carried, "newcomer_id"):
        found[home.get(newcomer, newcomer)] += carried[bond]
    return found


def _used(merchant: Merchant, home: dict[int, int]) -> dict[int, int]:
    used = member_costs.friends_coupons(merchant, side="referrer")
    carried = member_costs.friends_coupons(merchant, side="referrer", freight=True)
    found: dict[int, int] = defaultdict(int)
    for bond, referrer in _of_bonds(merchant, used, "referrer_id"):
        found[home.get(referrer, referrer)] += used[bond] - carried.get(bond, 0)
    return found


def _of_bonds(merchant: Merchant, listed: Iterable[int], who: str) -> Iterable[tuple[int, int]]:
    return Referral.objects.filter(merchant=merchant, pk__in=list(listed)).values_list("pk", who)


def months(merchant: Merchant, since: datetime, until: datetime) -> list[Month]:
    """Newcomers month by month: those who were brought beside those who were not. A comparison, no proof: whoever is
    brought differs from others before the first purchase already."""
    at = bulk.moment()
    rows = bulk.select(
        "SELECT m.id, m.joined_at, COUNT(o.id), CAST(COALESCE(SUM(o.net_minor), 0) AS BIGINT), "
        "EXISTS (SELECT 1 FROM loyalty_referral r WHERE r.merchant_id = m.merchant_id AND r.newcomer_id = m.id) "
        f"FROM members_member m LEFT JOIN orders_order o ON o.merchant_id = m.merchant_id AND o.member_id = m.id AND {_ORDERS} "
        "WHERE m.merchant_id = %s AND m.state = 'active' AND m.joined_at >= %s AND m.joined_at < %s "
        "GROUP BY m.id, m.joined_at, m.merchant_id",
        [*_PAID, merchant.pk, at(since), at(until)],
    )
    found: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
    for _member, joined, orders, net, brought in rows:
        moment = bulk.read_moment(joined)
        assert moment is not None
        figures = found[f"{day_of(moment, merchant.tz):%Y-%m}"]
        start = 0 if brought else 3
        figures[start] += 1
        figures[start + 1] += int(orders > 0)
        figures[start + 2] += net
    return [Month(month, *figures) for month, figures in sorted(found.items())]


def wall(merchant: Merchant, limit: int = 100) -> list[Honoured]:
    """The wall of honours: who holds one, by how many friends they brought."""
    rows = ReferralReward.objects.filter(merchant=merchant, kind="honour", amount__gt=0).order_by("id")
    held: dict[int, list[dict[str, str]]] = defaultdict(list)
    told = list(rows.values_list("member_id", "name"))
    home = survivors_of(merchant.pk, {member for member, _ in told})
    for member, name in told:
        held[home.get(member, member)].append(name)
    friends = _successes(merchant, list(held))
    people = Member.objects.filter(merchant=merchant).in_bulk(list(held))
    order = sorted(held, key=lambda m: (-friends.get(m, 0), m))
    return [Honoured(people[m], friends.get(m, 0), tuple(held[m])) for m in order[:limit] if m in people]


def _successes(merchant: Merchant, members: Sequence[int]) -> dict[int, int]:
    halves = absorbed_by(merchant.pk, members)
    found: dict[int, int] = defaultdict(int)
    rows = Referral.objects.filter(merchant=merchant, state=Referral.State.REWARDED)
    for referrer in rows.filter(referrer_id__in=[*members, *halves]).values_list("referrer_id", flat=True):
        found[halves.get(referrer, referrer)] += 1
    return found


class Friendship(NamedTuple):
    """What a member's own page says: who brought them, how many they brought, gifts that wait for them."""

    bond: Referral | None
    brought: int
    rewarded: int
    gifts: int


def friendship(merchant: Merchant, member_id: int) -> Friendship:
    """In two queries, and a third only where there is a bond at all."""
    family = {member_id, *absorbed_by(merchant.pk, [member_id])}
    mine = Q(newcomer_id__in=family) | Q(referrer_id__in=family)
    rows = list(Referral.objects.filter(mine, merchant=merchant).select_related("referrer").order_by("bound_at", "id"))
    brought = [row for row in rows if row.referrer_id in family]
    gifts = 0
    if rows:
        told = ReferralReward.objects.filter(merchant=merchant, member_id__in=family, kind="gift", amount__gt=0)
        gifts = told.filter(handed_at=None).count()
    return Friendship(
        next((row for row in rows if row.newcomer_id in family), None),
        len(brought),
        sum(row.state == Referral.State.REWARDED for row in brought),
        gifts,
    )
