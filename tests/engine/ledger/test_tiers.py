"""Tiers by every way the charter knows: windows, trees, growth value, paid membership, reviews, notices. Stories."""

from datetime import UTC, date, datetime

import pytest

from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold
from tests.engine.ledger.test_fold import JOINED, SHANGHAI, at, back, buy, life

MEMBER = {"key": "member", "name": {"zh": "普通", "en": "Member"}}


def gold(reach: dict, **more) -> list[dict]:
    return [MEMBER, {"key": "gold", "name": {"zh": "金", "en": "Gold"}, "reach": reach, **more}]


def history(fold: Fold) -> list[tuple[str, str, date]]:
    return [(m.after, m.cause, m.at.astimezone(SHANGHAI).date()) for m in fold.moves[1:]]


YEARS = {"review": {"kind": "never"}}


@pytest.mark.parametrize(("window", "reached"), [
    ({"kind": "rolling", "months": 2}, False), ({"kind": "rolling", "months": 3}, True),
    ({"kind": "calendar_month"}, False), ({"kind": "calendar_quarter"}, True), ({"kind": "calendar_year"}, True),
    ({"kind": "anniversary"}, True), ({"kind": "lifetime"}, True),
])  # fmt: skip
def test_windows(window, reached):
    tiers = gold({"measure": "amount", "at_least": 200})
    fold = life(buy("a", at(4, 2), 100), buy("b", at(6, 28), 100), tiers=tiers, grading=YEARS | {"window": window})
    assert (fold.tier_at(fold.versions.last) == "gold") == reached


def test_a_quarter_begins_anew():
    tiers = gold({"measure": "amount", "at_least": 200})
    fold = life(
        buy("a", at(3, 31, 1), 100), buy("b", at(4, 1, 1), 100), tiers=tiers,
        grading=YEARS | {"window": {"kind": "calendar_quarter"}},
    )  # fmt: skip
    assert history(fold) == []


def test_and_or_trees():
    both = {"all": [{"measure": "orders", "at_least": 2}, {"measure": "amount", "at_least": 200}]}
    tree = {"any": [both, {"measure": "single_order", "at_least": 500}]}
    assert history(life(buy("a", at(1, 5), 300), tiers=gold(tree))) == []
    assert history(life(buy("a", at(1, 5), 300), buy("b", at(1, 6), 1), tiers=gold(tree)))[0][2] == date(2026, 1, 6)
    assert history(life(buy("a", at(1, 5), 500), tiers=gold(tree)))[0][2] == date(2026, 1, 5)


def test_where_tiers_rise_at_the_review_only_the_lowest_tier_is_reviewed_too():
    grading = {"upgrade": "at_review", "review": {"kind": "monthly", "day": 1}, "window": {"kind": "calendar_month"}}
    fold = life(
        buy("a", at(1, 15), 900), tiers=gold({"measure": "amount", "at_least": 500}), grading=grading, until=at(3, 5)
    )
    assert history(fold) == [("gold", "reached", date(2026, 2, 1))]
    assert fold.books.standing.in_grace  # February had nothing; grace until 11 March


def test_a_tier_for_a_limited_time_has_a_review_of_its_own():
    tiers = gold({"measure": "amount", "at_least": 500}, review={"kind": "after_months", "months": 1})
    grading = {"review": {"kind": "never"}, "window": {"kind": "calendar_month"}, "grace_days": 0}
    fold = life(buy("a", at(1, 15), 900), tiers=tiers, grading=grading, until=at(6, 1))
    assert history(fold) == [("gold", "reached", date(2026, 1, 15)), ("member", "review", date(2026, 2, 15))]


def test_a_review_soon_after_an_upgrade_waits_for_the_protection_to_end():
    grading = {
        "review": {"kind": "yearly", "month": 2, "day": 1}, "window": {"kind": "calendar_month"}, "grace_days": 0,
        "protection_days": 60,
    }  # fmt: skip
    fold = life(
        buy("a", at(1, 30), 900), tiers=gold({"measure": "amount", "at_least": 500}), grading=grading, until=at(12, 1)
    )
    # The review of 1 February finds January's 900. In 2027 it would find nothing; the year ends before.
    assert history(fold) == [("gold", "reached", date(2026, 1, 30))]
    late = life(
        buy("a", at(1, 15), 900), back("a", at(1, 20), 900), tiers=gold({"measure": "amount", "at_least": 500}),
        grading=grading, until=at(12, 1),
    )  # fmt: skip
    assert history(late) == [("gold", "reached", date(2026, 1, 15)), ("member", "review", date(2026, 3, 16))]


def test_a_refund_takes_the_tier_at_once_where_the_charter_says_so():
    tiers = gold({"measure": "amount", "at_least": 500}, keep={"measure": "amount", "at_least": 300})
    fold = life(
        buy("a", at(1, 15), 600), back("a", at(1, 16), 250, 1), back("a", at(1, 17), 150, 2), tiers=tiers,
        grading={"on_refund": "at_once"},
    )  # fmt: skip
    assert history(fold) == [("gold", "reached", date(2026, 1, 15)), ("member", "refund", date(2026, 1, 17))]


def test_a_notice_tells_before_the_review_what_is_missing():
    tiers = gold({"measure": "amount", "at_least": 500}, keep={"measure": "amount", "at_least": 400})
    grading = {"notice_days": 20, "grace_days": 5, "review": {"kind": "after_months", "months": 3},
               "window": {"kind": "rolling", "months": 1}}  # fmt: skip
    fold = life(buy("a", at(1, 15), 600), buy("b", at(4, 1), 100), tiers=tiers, grading=grading, until=at(4, 30))
    first, second = fold.notices
    assert (first.at, first.tier, first.falls_to) == (datetime(2026, 3, 25, 16, tzinfo=UTC), "gold", "member")
    assert first.review_at == datetime(2026, 4, 14, 16, tzinfo=UTC)
    # Seen on 26 March, the window of the review (15 March to 14 April) has nothing yet.
    assert {k: first.keep[k] for k in ("figure", "at_least", "missing", "from", "to")} == {
        "figure": 0, "at_least": 40000, "missing": 40000, "from": "2026-03-15", "to": "2026-04-14",
    }  # fmt: skip
    assert (second.keep["missing"], second.review_at) == (30000, datetime(2026, 4, 19, 16, tzinfo=UTC))
    assert history(fold)[-1] == ("member", "review", date(2026, 4, 20))


def test_nobody_is_told_who_keeps_the_tier():
    grading = {"notice_days": 20, "review": {"kind": "after_months", "months": 3}}
    fold = life(buy("a", at(1, 15), 600), buy("b", at(3, 1), 600), tiers=gold({"measure": "amount", "at_least": 500}),
                grading=grading, until=at(4, 20))  # fmt: skip
    assert fold.notices == []
    assert fold.tier_at(fold.versions.last) == "gold"


CARD = {
    "key": "plus",
    "name": {"zh": "卡", "en": "Plus"},
    "tier": "gold",
    "price": 99,
    "months": 1,
    "products": ["PLUS"],
}
PLUS = {
    "tiers": [MEMBER, {"key": "gold", "name": {"zh": "金", "en": "Gold"}, "paid_only": True, "multiplier": 2}],
    "memberships": [CARD],
}  # fmt: skip


def order_of_plus(name: str, when: datetime, beside: int = 0) -> ev.Purchase:
    lines = [ev.GoodsLine(9900, product="PLUS")]
    if beside:
        lines.append(ev.GoodsLine(beside * 100, product="TEA"))
    return ev.Purchase(f"order:{name}", when, 9900 + beside * 100, tuple(lines))


def test_a_paid_membership_begins_with_its_order_and_ends_after_its_time():
    fold = life(order_of_plus("p", at(1, 10), beside=50), buy("a", at(1, 20), 10), buy("b", at(2, 20), 10), **PLUS)
    assert history(fold) == [("gold", "bought", date(2026, 1, 10)), ("member", "membership_end", date(2026, 2, 10))]
    # The fee earns nothing; beside it 50 as member, then 10 as gold, then 10 as member again.
    assert [e.legs["member"] for e in fold.effects] == [50, 20, 10]
    assert fold.books.standing.totals[:3] == [7000, 3, 5000]


def test_bought_again_it_goes_on_from_its_end_or_begins_anew():
    first, second = (
        ev.MembershipBought("membership:1", at(1, 10), "plus"),
        ev.MembershipBought("membership:2", at(1, 20), "plus"),
    )
    longer = life(first, second, until=at(12, 1), **PLUS)
    assert history(longer)[-1] == ("member", "membership_end", date(2026, 3, 10))
    anew = life(first, second, until=at(12, 1), **(PLUS | {"memberships": [CARD | {"renewal": "restart"}]}))
    assert history(anew)[-1] == ("member", "membership_end", date(2026, 2, 20))


@pytest.mark.parametrize(("days", "ends"), [
    ([(1, 31), (2, 20)], (3, 31)), ([(1, 31), (2, 20), (3, 20)], (4, 30)), ([(1, 31), (2, 20), (3, 20), (4, 20)], (5, 31)),
    ([(1, 31), (2, 1), (2, 2), (2, 3)], (5, 31)), ([(1, 30), (2, 20)], (3, 30)), ([(1, 31), (3, 5)], (4, 5)),
])  # fmt: skip
def test_a_card_of_a_month_does_not_shrink_to_the_shortest_month_it_saw(days, ends):
    """From 31 January to 28 February, then to 31 March; a new one after it has lapsed begins on its own day."""
    bought = [ev.MembershipBought(f"membership:{n}", at(*day), "plus") for n, day in enumerate(days)]
    assert history(life(*bought, until=at(12, 1), **PLUS))[-1] == ("member", "membership_end", date(2026, *ends))


def test_given_back_it_ends_and_what_was_bought_after_it_moves_up():
    first, second = (
        ev.MembershipBought("membership:1", at(1, 10), "plus"),
        ev.MembershipBought("membership:2", at(1, 20), "plus"),
    )
    ended = ev.MembershipEnded("membership_end:1", at(1, 25), "membership:1")
    fold = life(first, second, ended, until=at(12, 1), **PLUS)
    assert history(fold) == [("gold", "bought", date(2026, 1, 10)), ("member", "membership_end", date(2026, 2, 22))]
    alone = life(first, ended, until=at(12, 1), **PLUS)
    assert history(alone)[-1] == ("member", "membership_back", date(2026, 1, 25))


def test_a_refund_of_its_order_ends_it_and_the_tea_stays():
    bought = order_of_plus("p", at(1, 10), beside=50)
    fold = life(bought, ev.Refunded("refund:p", at(1, 12), "order:p", 9900, (ev.Back(0, 9900),)), **PLUS)
    assert history(fold)[-1] == ("member", "membership_back", date(2026, 1, 12))
    assert fold.books.balance == 50


GROWING = gold({"measure": "growth", "at_least": 500, "window": {"kind": "lifetime"}})


def growth(fold: Fold) -> list[tuple[str, int]]:
    return [(e.kind, e.growth) for e in fold.effects if e.growth]


def test_growth_value_comes_by_spending_and_by_activities_and_decides_the_tier():
    rules = [
        {"key": "friend", "name": {"zh": "荐", "en": "Friend"}, "kind": "activity", "activity": "referral", "gives": "growth",
         "points": 200, "limits": {"per_month": 1}},
        {"key": "bonus", "name": {"zh": "双", "en": "Twice"}, "kind": "fixed", "gives": "growth", "points": 7,
         "when": {"min_amount": 100}},
    ]  # fmt: skip
    fold = life(
        buy("a", at(1, 5), 293.5), ev.Activity("activity:1", at(1, 6), "referral"), ev.Activity("activity:2", at(1, 7), "referral"),
        tiers=GROWING, earning=rules, grading={"growth_per": 1},
    )  # fmt: skip
    assert growth(fold) == [("earn", 300), ("activity", 200)]
    assert history(fold) == [("gold", "reached", date(2026, 1, 6))]
    assert fold.books.standing.totals[3] == 500


def test_a_refund_takes_growth_value_back():
    fold = life(buy("a", at(1, 5), 300), back("a", at(1, 9), 100.5), tiers=GROWING)
    assert growth(fold) == [("earn", 300), ("refund", -101)]
    assert fold.books.standing.totals[3] == 199


def test_growth_value_that_has_lapsed_is_not_taken_a_second_time():
    loss = {"growth_loss": {"months": 1, "to_month_end": False}}
    fold = life(buy("a", at(1, 5), 300), back("a", at(3, 9), 100), tiers=GROWING, grading=loss, until=at(4, 1))
    assert growth(fold) == [("earn", 300), ("growth_lapse", -300)]
    assert fold.books.standing.totals[3] == 0
    early = life(buy("a", at(1, 5), 300), back("a", at(1, 9), 100), tiers=GROWING, grading=loss, until=at(4, 1))
    assert growth(early) == [("earn", 300), ("refund", -100), ("growth_lapse", -200)]


def test_a_share_of_growth_value_is_taken_off_each_year():
    loss = {"growth_loss": {"yearly_percent": 30, "month": 6, "day": 1}}
    fold = life(buy("a", at(1, 5), 301), tiers=GROWING, grading=loss, until=datetime(2027, 6, 2, tzinfo=UTC))
    assert growth(fold) == [("earn", 301), ("growth_fade", -90), ("growth_fade", -63)]


def test_growth_value_by_hand_never_goes_below_nothing():
    fold = life(
        ev.GrowthAdjusted("growth:1", at(1, 5), 600), ev.GrowthAdjusted("growth:2", at(1, 6), -900), tiers=GROWING
    )
    assert growth(fold) == [("growth", 600), ("growth", -600)]
    assert history(fold)[0] == ("gold", "reached", date(2026, 1, 5))


def test_what_joining_gives():
    rule = {"key": "join", "name": {"zh": "入", "en": "Join"}, "kind": "activity", "activity": "join", "points": 5}
    fold = life(earning=[rule])
    assert [(e.event, e.legs) for e in fold.effects] == [("joined", {"issued": -5, "member": 5})]
    assert fold.effects[0].at == JOINED
