"""Who has reason to get a coupon: birthdays, new members, risen tiers, first purchases, the long absent, complaints.

Each question looks back a few days, so that nights without a worker lose nothing; that an occasion gives its coupon once
is kept by what the coupon was issued for (Coupon.source_ref), not by remembering how far one has looked. Lines of the
timeline are read and not claimed: care rules have a reason to hear of the same ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from shuke.engine.charter.selling import Issue as Rule
from shuke.engine.checkout.occasions import BACK, RECENT, birthday_years, quiet_between
from shuke.engine.ledger.books import LONG_AGO
from shuke.kit import bulk, ids
from shuke.kit.clock import day_of
from shuke.loyalty.models import Wallet
from shuke.loyalty.queries import charters
from shuke.shops.models import Merchant


class Occasion(NamedTuple):
    """A member and what the coupon would be for."""

    member_id: int
    ref: str


def occasions(merchant: Merchant, rule: Rule, now: datetime, real_now: datetime) -> list[Occasion]:
    """Everybody with reason by this rule, given before or not, who is longest a member first: where a limit lets not all
    have one, it is they. `real_now` is the clock that ids are made by."""
    return sorted(in_tiers(merchant, rule, list(_ASKED[rule.on](merchant, rule, now, real_now)), now))


def in_tiers(merchant: Merchant, rule: Rule, found: list[Occasion], now: datetime) -> list[Occasion]:
    """Those of these members whose tier the rule gives to."""
    if not rule.tiers:
        return found
    tiers = _tiers(merchant, [one.member_id for one in found], now)
    versions = charters.versions(merchant)
    meant = {tier for tier in set(tiers.values()) if not versions.named(tier, now).isdisjoint(rule.tiers)}
    return [one for one in found if tiers.get(one.member_id, "") in meant]


def of_complaint(member_id: int, ref: str) -> Occasion:
    """What a settled complaint is to the rules; `ref` is that of its line on the timeline."""
    return Occasion(member_id, f"complaint:{ref}")


def _tiers(merchant: Merchant, members: Collection[int], now: datetime) -> dict[int, str]:
    """By the charter in force; the books may still have what one before it called them."""
    if not members:
        return {}
    versions = charters.versions(merchant)
    condition, parameter = bulk.among("member_id", sorted(set(members)))
    rows = bulk.select(
        f"SELECT member_id, tier, settled_to FROM {Wallet._meta.db_table} WHERE +merchant_id = %s AND {condition}",
        [merchant.pk, parameter],
    )
    return {
        member: versions.as_called([(bulk.read_moment(reached) or LONG_AGO, tier)], now)[0][1]
        for member, tier, reached in rows
    }


def _birthday(merchant: Merchant, rule: Rule, now: datetime, real_now: datetime) -> Iterator[Occasion]:
    today = day_of(now, merchant.tz)
    rows = bulk.select(
        "SELECT id, birth_month, birth_day, birth_lunar FROM members_member WHERE merchant_id = %s AND state = 'active' "
        "AND birth_month IS NOT NULL AND birth_day IS NOT NULL",
        [merchant.pk],
    )
    for member, month, day, lunar in rows:
        for year in birthday_years((month, day, bool(lunar)), rule.days, today):
            yield Occasion(member, f"birthday:{year}")


def _joined(merchant: Merchant, rule: Rule, now: datetime, real_now: datetime) -> Iterator[Occasion]:
    at = bulk.moment()
    rows = bulk.select(
        "SELECT id FROM members_member WHERE merchant_id = %s AND state = 'active' AND joined_at > %s AND joined_at <= %s",
        [merchant.pk, at(now - BACK), at(now)],
    )
    return (Occasion(member, "joined") for (member,) in rows)


def _tier_up(merchant: Merchant, rule: Rule, now: datetime, real_now: datetime) -> Iterator[Occasion]:
    """Rises that became known lately and happened not long ago: an import of old years congratulates nobody."""
    lines = _timeline(merchant, "tier.up", now, real_now)
    return (Occasion(member, f"tier_up:{ref or at.isoformat()}") for member, at, ref in lines)


def _complaint(merchant: Merchant, rule: Rule, now: datetime, real_now: datetime) -> Iterator[Occasion]:
    lines = _timeline(merchant, "complaint.settled", now, real_now)
    return (of_complaint(member, ref or at.isoformat()) for member, at, ref in lines)


def _timeline(merchant: Merchant, kind: str, now: datetime, real_now: datetime) -> Iterator[tuple[int, datetime, str]]:
    since = (int((real_now - BACK).timestamp() * 1000) - ids.EPOCH_MS) * ids.MILLISECOND
    rows = bulk.select(
        "SELECT member_id, at, ref FROM members_timeline WHERE id >= %s AND +merchant_id = %s AND kind = %s AND at > %s",
        [max(0, since), merchant.pk, kind, bulk.moment()(now - RECENT)],
    )
    for member, at, ref in rows:
        moment = bulk.read_moment(at)
        assert moment is not None
        yield member, moment, ref


def _first_purchase(merchant: Merchant, rule: Rule, now: datetime, real_now: datetime) -> Iterator[Occasion]:
    at = bulk.moment()
    rows = bulk.select(
        "SELECT o.member_id FROM orders_order o WHERE o.merchant_id = %s AND o.paid_at > %s AND o.paid_at <= %s "
        "AND o.member_id IS NOT NULL AND o.net_minor > 0 AND NOT EXISTS (SELECT 1 FROM orders_order e "
        "WHERE e.merchant_id = o.merchant_id AND e.member_id = o.member_id AND e.paid_at < o.paid_at AND e.net_minor > 0) "
        "GROUP BY o.member_id",
        [merchant.pk, at(now - BACK), at(now)],
    )
    return (Occasion(member, "first_purchase") for (member,) in rows)


def _win_back(merchant: Merchant, rule: Rule, now: datetime, real_now: datetime) -> Iterator[Occasion]:
    at = bulk.moment()
    since, until = quiet_between(rule.days, day_of(now, merchant.tz), merchant.tz)
    rows = bulk.select(
        "SELECT o.member_id, o.paid_at FROM orders_order o WHERE o.merchant_id = %s AND o.paid_at >= %s AND o.paid_at < %s "
        "AND o.member_id IS NOT NULL AND o.net_minor > 0 AND NOT EXISTS (SELECT 1 FROM orders_order e "
        "WHERE e.merchant_id = o.merchant_id AND e.member_id = o.member_id AND e.paid_at > o.paid_at AND e.net_minor > 0)",
        [merchant.pk, at(since), at(until)],
    )
    for member, paid in rows:
        moment = bulk.read_moment(paid)
        assert moment is not None
        yield Occasion(member, f"win_back:{day_of(moment, merchant.tz).isoformat()}")


def _nobody(merchant: Merchant, rule: Rule, now: datetime, real_now: datetime) -> Iterator[Occasion]:
    """Rewards for bringing somebody along are issued by the referral itself."""
    return iter(())


_ASKED = {
    "birthday": _birthday,
    "joined": _joined,
    "tier_up": _tier_up,
    "complaint": _complaint,
    "first_purchase": _first_purchase,
    "win_back": _win_back,
    "referral": _nobody,
}
