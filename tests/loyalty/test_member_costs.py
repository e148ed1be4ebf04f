"""What rewards cost, by member, reckoned by hand: points at their cost less what cost nothing more, and what friends' rewards cost."""

from datetime import UTC, datetime, timedelta

import pytest

from shuke.loyalty.actions import coupons
from shuke.loyalty.models import Coupon, CouponMove, Lot, Txn, Use
from shuke.loyalty.queries import member_costs, referral_worth
from tests.insight.mouths import bind
from tests.insight.till import member
from tests.loyalty.till import open_till, template

pytestmark = pytest.mark.django_db
EARNED = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = EARNED + timedelta(days=90)


def lot(lan, who, key, granted, *gone, at=EARNED, cost=1_500_000, funder=None) -> None:
    """Points that cost 1.5 minor units each; `gone`: (kind of use, its event, how many)."""
    txn = Txn.objects.create(
        merchant=lan.merchant, key=f"{who.pk}|{key}", member=who, event=key, kind="earn", at=at, posted_at=at
    )
    kept = granted - sum(amount for _kind, _event, amount in gone)
    mine = Lot.objects.create(
        merchant=lan.merchant, member=who, key=key, txn=txn, granted=granted, remaining=kept, earned_at=at, available_at=at,
        cost_micro=cost, funder=funder,
    )  # fmt: skip
    for n, (kind, event, amount) in enumerate(gone):
        used = Txn.objects.create(
            merchant=lan.merchant, key=f"{key}|{n}", member=who, event=event, kind=kind, at=at, posted_at=at
        )
        Use.objects.create(merchant=lan.merchant, txn=used, lot=mine, kind=kind, amount=amount)


def cost_of(lan, who, since=EARNED) -> tuple[int, ...]:
    return tuple(member_costs.by_member(lan.merchant, since=since, until=UNTIL).get(who.pk, (0, 0)))


def test_points_cost_when_earned_less_what_lapsed_went_on_or_was_paid_with(lan):
    ada = member(lan, "Ada")
    lot(lan, ada, "order:1", 100)
    lot(lan, ada, "order:2", 100, ("expire", "expire:2", 40))
    lot(lan, ada, "order:3", 100, ("transfer", "transfer:3", 30))
    lot(lan, ada, "order:4", 100, ("burn", "capture|checkout:4", 20))
    lot(lan, ada, "order:5", 100, ("burn", "gift:5", 100))  # a gift costs the points it took
    assert cost_of(lan, ada) == (int((100 + 60 + 70 + 80 + 100) * 1.5),) * 2


def test_points_of_others_of_friends_and_of_another_system_cost_this_members_shop_nothing(lan):
    ada, twin = member(lan, "Ada"), member(lan, "Twin")
    lot(lan, ada, "order:1", 10, funder=lan.merchant.pk)
    lot(lan, ada, "order:2", 1_000, funder=lan.merchant.pk + 1)  # a partner of the coalition pays for these
    lot(lan, ada, "referral:7:referrer:points:0", 1_000)
    lot(lan, ada, "opening:2026", 1_000)
    lot(lan, ada, "return:order:9", 1_000)  # came back with what they were spent on: they cost when earned first
    lot(lan, ada, "order:3", 1_000, at=UNTIL)
    lot(lan, twin, "order:4", 20, at=EARNED - timedelta(days=1))
    assert cost_of(lan, ada) == (15, 15)
    twin.state, twin.merged_into = "merged", ada
    twin.save()
    assert cost_of(lan, ada) == (45, 15)  # theirs by now, and earned before the day asked from


def test_a_coupon_is_less_revenue_and_costs_nobody_but_freight_does(lan):
    open_till(lan.merchant)
    template(lan.merchant, "ten")
    template(lan.merchant, "post", kind="freight")
    ada, ben, cai = member(lan, "Ada"), member(lan, "Ben"), member(lan, "Cai")
    bond, other = bind(lan, ben, ada), bind(lan, cai, ada)
    issues = [
        coupons.Issue("ten", ada.pk, "referral", f"referral:{bond.pk}:referrer:0", 2),
        coupons.Issue("ten", ben.pk, "referral", f"referral:{bond.pk}:friend:0", 1),
        coupons.Issue("ten", ada.pk, "hand"),
        coupons.Issue("post", ada.pk, "hand"),
        coupons.Issue("post", cai.pk, "referral", f"referral:{other.pk}:friend:0", 1),
    ]
    told = coupons.issue(merchant=lan.merchant, issues=issues, now=EARNED, actor="test")
    used = [told[0].coupons[0], told[0].coupons[1], *(one.coupons[0] for one in told[1:])]
    moves = [(coupon, "redeem", amount) for coupon, amount in zip(used, (1_000, 900, 800, 700, 60, 50), strict=True)]
    for coupon, kind, amount in (*moves, (used[1], "return", 900)):
        CouponMove.objects.create(
            merchant=lan.merchant, coupon_id=coupon, at=EARNED, kind=kind, after="redeemed", amount_minor=amount
        )
    assert Coupon.objects.filter(source="referral").count() == 4
    # What was given for bonds; in Ada's branch it costs what she used on her own orders, and freight: Ben's net is lower already …
    assert member_costs.friends_coupons(lan.merchant) == {bond.pk: 1_800, other.pk: 50}
    told = referral_worth.graph(lan.merchant, UNTIL)
    assert (told.worth[ben.pk].rewards, told.worth[cai.pk].rewards, told.used) == (0, 50, {ada.pk: 1_000})
    assert referral_worth.tree_of(lan.merchant, ada.pk, UNTIL).branch.rewards == 1_050
    # … and what of it is not in some order's revenue already. Ben was brought by coupons: 0, not unknown.
    assert member_costs.friends_cost(lan.merchant, now=UNTIL) == {ben.pk: 0, cai.pk: 50}
    assert [cost_of(lan, one) for one in (ada, ben, cai)] == [(60, 60), (0, 0), (0, 0)]
