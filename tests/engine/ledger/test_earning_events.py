"""Activities, budgets, other bases, expiry shapes and reinstatement, as stories of one member's points."""

from datetime import UTC, datetime, timedelta

import pytest

from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold, replay
from shuke.engine.ledger.purse import ClosedPurse, Purse
from tests.engine.ledger.test_fold import JOINED, at, back, buy, charter, life, lots

SIGN = {
    "key": "sign", "name": {"zh": "签", "en": "Sign-in"}, "kind": "activity", "activity": "check_in", "points": 2,
    "limits": {"per_day": 1, "per_week": 4}, "streaks": [{"days": 3, "points": 10}],
}  # fmt: skip


def sign(month: int, day: int, hour: int = 4) -> ev.Activity:
    return ev.Activity(f"activity:{month}-{day}-{hour}", at(month, day, hour), "check_in")


def given(fold: Fold) -> list[int]:
    return [e.legs.get("member", 0) for e in fold.effects]


def test_a_streak_counts_days_in_a_row_and_a_second_time_of_the_day_counts_for_nothing():
    days = [sign(1, 5), sign(1, 5, 8), sign(1, 6), sign(1, 7), sign(1, 9)]
    assert given(life(*days, earning=[SIGN])) == [2, 0, 2, 12, 2]


def test_a_week_ends_on_sunday():
    # 5 January 2026 is a Monday.
    days = [sign(1, d) for d in (5, 6, 7, 8, 9, 10, 11, 12)]
    assert given(life(*days, earning=[SIGN | {"streaks": []}])) == [2, 2, 2, 2, 0, 0, 0, 2]


BUDGET = [{"key": "base", "name": {"zh": "消", "en": "Base"}, "kind": "per_amount", "budget": {"points": 150}}]


def test_a_budget_is_shared_by_all_members_and_never_overdrawn():
    purse = Purse()
    versions = charter(earning=BUDGET)
    first = replay(versions, [buy("a", at(1, 5), 100)], joined_at=JOINED, purse=purse)
    second = replay(versions, [buy("b", at(1, 4), 100)], joined_at=JOINED, purse=purse)
    assert (given(first), given(second)) == ([100], [50])
    assert purse.taken == {"base": 150}
    # Folded anew, in whatever order, each has what it had.
    again = replay(versions, [buy("b", at(1, 4), 100)], joined_at=JOINED, purse=ClosedPurse(purse.grants, purse.taken))
    assert given(again) == [50]


@pytest.mark.parametrize(("returns", "other"), [(True, 100), (False, 50)])
def test_what_a_return_takes_back_can_be_given_again_if_the_charter_says_so(returns, other):
    rules = [BUDGET[0] | {"budget": {"points": 150, "refunds_return": returns}}]
    purse = Purse()
    first = replay(
        charter(earning=rules), [buy("a", at(1, 5), 100), back("a", at(1, 6), 50)], joined_at=JOINED, purse=purse
    )
    second = replay(charter(earning=rules), [buy("b", at(1, 7), 100)], joined_at=JOINED, purse=purse)
    assert (given(first), given(second)) == ([100, -50], [other])
    again = replay(
        charter(earning=rules), [buy("a", at(1, 5), 100), back("a", at(1, 6), 50)], joined_at=JOINED, purse=purse
    )
    assert given(again) == [100, -50]


BASES = {
    "as it is": ({}, 100),
    "with freight": ({"freight": True}, 112),
    "without tax": ({"tax": False}, 91),
    "before discounts": ({"discounts": True}, 108),
    "with coupons": ({"coupons": True}, 105),
    "with points": ({"points": True}, 103),
    "without stored value": ({"stored_value": False}, 80),
    "without a tender": ({"without_tenders": ["meal card"]}, 60),
    "everything": ({"freight": True, "discounts": True, "coupons": True, "points": True}, 128),
}
PARTS = ev.Parts(1200, 900, 800, 500, 300, 2000, (("meal card", 4000), ("wechat", 4000)))


@pytest.mark.parametrize("what", BASES)
def test_the_base_of_earning(what):
    base, points = BASES[what]
    bought = ev.Purchase("order:a", at(1, 5), 10_000, parts=PARTS)
    assert given(life(bought, points={"base": base})) == [points]
    whole = life(bought, back("a", at(1, 6), 33), back("a", at(1, 7), 67, 2), points={"base": base})
    assert whole.books.balance == 0


def test_points_wait_for_the_goods_to_arrive():
    def available(done_at: datetime | None, when: datetime) -> int:
        bought = ev.Purchase("order:a", at(1, 5), 10_000, done_at=done_at)
        fold = life(bought, points={"pending_from": "completion", "pending_days": 2, "pending_most_days": 20})
        return fold.books.available(when)

    assert available(at(1, 9), at(1, 10)) == 0
    assert available(at(1, 9), at(1, 11)) == 100
    assert available(None, at(1, 24)) == 0
    assert available(None, at(1, 25)) == 100


EXPIRIES = {
    "to the day": ({"kind": "months", "months": 1, "to_month_end": False}, (2, 15)),
    "to the month's end": ({"kind": "months", "months": 1}, (2, 28)),
    "to the quarter's end": ({"kind": "months", "months": 1, "to": "quarter"}, (3, 31)),
    "to the half year's end": ({"kind": "months", "months": 1, "to": "half_year"}, (6, 30)),
    "to the year's end": ({"kind": "months", "months": 1, "to": "year"}, (12, 31)),
    "days": ({"kind": "days", "days": 10}, (1, 25)),
    "this year": ({"kind": "year_end", "years": 0}, (12, 31)),
    "a year that ends in March": ({"kind": "year_end", "years": 0, "month": 3}, (3, 31)),
    "a fixed date": ({"kind": "fixed", "on": "2026-05-05"}, (5, 5)),
    "never": ({"kind": "never"}, None),
}


@pytest.mark.parametrize("shape", EXPIRIES)
def test_expiry_shapes(shape):
    rule, last = EXPIRIES[shape]
    lot = life(buy("a", at(1, 15), 10), points={"expiry": rule}).books.lots["order:a"]
    if last is None:
        assert lot.expires_at is None
    else:  # midnight in Shanghai after that day
        assert lot.expires_at == datetime(2026, *last, 16, tzinfo=UTC)


ROLLING = {"expiry": {"kind": "activity", "months": 2, "to": "day"}}


def test_each_activity_prolongs_the_whole_balance():
    fold = life(buy("a", at(1, 10), 100), buy("b", at(3, 1), 50), until=at(5, 1), points=ROLLING)
    assert fold.books.balance == 150
    assert {lot.expires_at for lot in fold.books.lots.values()} == {datetime(2026, 5, 1, 16, tzinfo=UTC)}
    assert life(buy("a", at(1, 10), 100), buy("b", at(3, 20), 50), until=at(3, 21), points=ROLLING).books.balance == 50
    spent = life(buy("a", at(1, 10), 100), ev.Burn("burn:x", at(3, 1), 30), until=at(4, 30), points=ROLLING)
    assert spent.books.balance == 70
    assert life(buy("a", at(1, 10), 100), until=at(3, 11), points=ROLLING).books.balance == 0


def test_lapsed_points_come_back_for_the_grace_and_never_more_than_lapsed():
    lapsed = buy("a", at(1, 15), 100)  # until 30 April
    fold = life(lapsed, ev.Reinstated("reinstate:1", at(5, 20), 60), ev.Reinstated("reinstate:2", at(5, 21), 60))
    assert [e.legs for e in fold.effects[1:]] == [
        {"member": -100, "breakage": 100}, {"breakage": -60, "member": 60}, {"breakage": -40, "member": 40},
    ]  # fmt: skip
    assert fold.books.lots["reinstate:1"].expires_at == datetime(2026, 6, 19, 16, tzinfo=UTC)
    late = life(lapsed, ev.Reinstated("reinstate:1", at(5, 20) + timedelta(days=80), 60), points={"reinstate_days": 90})
    assert late.books.balance == 0


@pytest.mark.parametrize(("how", "legs", "left"), [
    ("debt", {"member": -30, "issued": 100, "debt": -70}, 0),
    ("balance", {"member": -30, "issued": 100, "written_off": -70}, 0),
    ("lot", {"issued": 100, "written_off": -100}, 30),
])  # fmt: skip
def test_points_already_spent_are_owed_or_as_far_as_there_are_any(how, legs, left):
    fold = life(
        buy("a", at(1, 15), 100), ev.Burn("burn:x", at(1, 16), 100), buy("b", at(1, 17), 30), back("a", at(1, 20), 100),
        points={"clawback": how},
    )  # fmt: skip
    assert fold.effects[-1].legs == legs
    assert fold.books.balance == left
    assert lots(fold)["order:a"] == (100, 0)
