"""What the counter asks of the books: each answer is given once, for ever."""

from datetime import timedelta

import pytest

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, KeyReused
from shuke.loyalty.models import Hold, ManualTier, Txn
from tests.loyalty.books import NOW, START, member, order, publish, refund, take

pytestmark = pytest.mark.django_db
LATER = START + timedelta(days=20)


@pytest.fixture
def buyer(lan):
    """Holds 1,230 points, available from day 5 on."""
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 900))
    return buyer


def ask(lan, *asks: Ask, now=LATER):
    return actions.ask(merchant=lan.merchant, asks=asks, now=now, actor="till")


def test_spending_takes_what_is_available_and_no_more(lan, buyer):
    done, refused = ask(lan, Ask("k1", "burn", buyer, 1000), Ask("k2", "burn", buyer, 500))
    assert (done.done, done.figures) == (True, {"amount": 1000, "available": 230})
    assert (refused.done, refused.code, refused.figures) == (False, "not_enough", {"amount": 500, "available": 230})
    assert queries.balance(lan.merchant, buyer, LATER).available == 230
    assert queries.verify(lan.merchant).findings == []


def test_pending_points_cannot_be_spent(lan, buyer):
    answer = ask(lan, Ask("k1", "burn", buyer, 1), now=START + timedelta(days=2))[0]
    assert answer.code == "not_enough"


def test_the_same_key_again_gives_the_same_answer_and_does_nothing(lan, buyer):
    first = ask(lan, Ask("k1", "burn", buyer, 1000))[0]
    again = ask(lan, Ask("k1", "burn", buyer, 1000), now=LATER + timedelta(days=30))[0]
    assert again == first._replace(replayed=True)
    assert Txn.objects.filter(kind="burn").count() == 1


def test_a_refusal_is_remembered_even_when_it_would_succeed_now(lan, buyer):
    assert ask(lan, Ask("k1", "burn", buyer, 2000))[0].code == "not_enough"
    ask(lan, Ask("k2", "adjust", buyer, 5000))
    again = ask(lan, Ask("k1", "burn", buyer, 2000))[0]
    assert (again.done, again.code, again.replayed) == (False, "not_enough", True)


def test_the_same_key_for_something_else_is_an_error_and_nothing_is_done(lan, buyer):
    ask(lan, Ask("k1", "burn", buyer, 1000))
    with pytest.raises(actions.KeyReused):
        ask(lan, Ask("k9", "burn", buyer, 1), Ask("k1", "burn", buyer, 900))
    assert not Txn.objects.filter(key="k9").exists()


def test_the_same_key_twice_in_one_call_is_done_once(lan, buyer):
    answers = ask(lan, Ask("k1", "burn", buyer, 100), Ask("k1", "burn", buyer, 100))
    assert [a.done for a in answers] == [True, True]
    assert queries.balance(lan.merchant, buyer, LATER).available == 1130


def test_a_hold_is_resolved_once(lan, buyer):
    until = LATER + timedelta(minutes=15)
    ask(lan, Ask("h", "hold", buyer, 300, until=until))
    assert queries.balance(lan.merchant, buyer, LATER)[:3] == (930, 0, 300)
    assert ask(lan, Ask("c", "capture", buyer, 200, ref="h"))[0].done
    assert ask(lan, Ask("c2", "capture", buyer, 100, ref="h"))[0].code == "no_such_hold"
    assert ask(lan, Ask("r", "release", buyer, ref="h"))[0].code == "no_such_hold"
    assert queries.balance(lan.merchant, buyer, LATER)[:3] == (1030, 0, 0)
    assert list(Hold.objects.values_list("state", "captured")) == [("captured", 200)]
    assert queries.verify(lan.merchant).findings == []


def test_a_hold_that_nobody_resolves_times_out(lan, buyer):
    ask(lan, Ask("h", "hold", buyer, 300, until=LATER + timedelta(minutes=15)))
    actions.run_clock(merchant=lan.merchant, now=LATER + timedelta(hours=1))
    assert list(Hold.objects.values_list("state", flat=True)) == ["timed_out"]
    assert queries.balance(lan.merchant, buyer, LATER + timedelta(hours=1)).available == 1230
    assert ask(lan, Ask("c", "capture", buyer, 10, ref="h"), now=LATER + timedelta(hours=1))[0].code == "no_such_hold"
    assert queries.verify(lan.merchant).findings == []


def test_a_spend_is_given_back_in_parts_but_never_more_than_it_was(lan, buyer):
    ask(lan, Ask("k1", "burn", buyer, 1000))
    assert ask(lan, Ask("r1", "return", buyer, 600, ref="k1"))[0].done
    assert ask(lan, Ask("r2", "return", buyer, 500, ref="k1"))[0].code == "more_than_burnt"
    assert ask(lan, Ask("r3", "return", buyer, 400, ref="k1"))[0].done
    assert queries.balance(lan.merchant, buyer, LATER).available == 1230
    assert ask(lan, Ask("r4", "return", buyer, 1, ref="never"))[0].code == "no_such_burn"
    assert queries.verify(lan.merchant).findings == []


def test_a_refund_after_spending_makes_a_debt_and_the_next_order_repays_it(lan, buyer):
    ask(lan, Ask("k1", "burn", buyer, 1200))
    take(lan.merchant, buyer, refund("R", "a", 25, 900))
    held = queries.balance(lan.merchant, buyer, START + timedelta(days=26))
    assert (held.available, held.debt) == (0, 1200)
    take(lan.merchant, buyer, order("b", 30, 1000))
    after = queries.balance(lan.merchant, buyer, START + timedelta(days=36))
    # 1,000 + 333 skin care, × 1.5 as gold (a refund lowers no tier at once), + 10 for a big order, less the debt
    assert (after.debt, after.available) == (0, 1999 + 10 - 1200)
    assert after.balance == sum(line.amount for line in queries.explain(lan.merchant, buyer))
    assert queries.verify(lan.merchant).findings == []


def test_a_late_order_beneath_a_spend_leaves_the_spend_and_mends_its_lots(lan, buyer):
    take(lan.merchant, buyer, order("b", 10, 300))
    ask(lan, Ask("k1", "burn", buyer, 1300))
    take(lan.merchant, buyer, order("late", 0.5, 100))
    assert queries.verify(lan.merchant).findings == []
    assert queries.balance(lan.merchant, buyer, LATER).debt == 0


def test_manual_points_and_opening_balances_are_explained(lan, buyer):
    actions.open_balances(merchant=lan.merchant, balances=[(buyer, 500)], source="youzan", now=LATER, actor="import")
    actions.open_balances(merchant=lan.merchant, balances=[(buyer, 500)], source="youzan", now=LATER, actor="import")
    ask(lan, Ask("m", "adjust", buyer, -30, reason="counted twice"))
    lines = queries.explain(lan.merchant, buyer)
    assert [(x.kind, x.amount) for x in lines] == [("adjust", -30), ("opening", 500), ("earn", 1230)]
    assert queries.verify(lan.merchant).findings == []


def test_a_tier_by_hand_is_explained_and_ends(lan, buyer):
    other = member(lan.merchant, 2)
    actions.give_tier(
        merchant=lan.merchant, member_id=other, tier="gold", until=LATER + timedelta(days=30), reason="partner", now=LATER,
        actor="owner",
    )  # fmt: skip
    why = queries.why_tier(lan.merchant, other, LATER + timedelta(days=1))
    assert (why.tier, why.cause, why.floor_until) == ("gold", "manual", LATER + timedelta(days=30))
    after = queries.why_tier(lan.merchant, other, LATER + timedelta(days=31))
    assert after.tier == "member"
    actions.run_clock(merchant=lan.merchant, now=LATER + timedelta(days=31))
    assert queries.verify(lan.merchant).findings == []


def test_why_this_tier_names_figures_and_what_is_missing(lan, buyer):
    other = member(lan.merchant, 2)
    take(lan.merchant, other, order("x", 3, 300))
    why = queries.why_tier(lan.merchant, other, LATER)
    assert (why.tier, why.next_tier) == ("member", "gold")
    assert why.missing == {
        "met": False,
        "any": [
            {"met": False, "measure": "amount", "figure": 30000, "at_least": 80000, "missing": 50000, "from": "2024-10-22", "to": "2025-01-21"},
            {"met": False, "measure": "orders", "figure": 1, "at_least": 5, "missing": 4, "from": "2024-10-22", "to": "2025-01-21"},
        ],
    }  # fmt: skip
    assert queries.why_tier(lan.merchant, buyer, LATER).cause == "reached"


def test_liability_adds_up_by_month_and_state(lan, buyer):
    take(lan.merchant, buyer, order("b", 18, 300))
    owed = queries.liability(lan.merchant, LATER)
    assert owed.points == owed.available + owed.pending + owed.held == sum(n for _, n, _ in owed.by_month)
    assert (owed.available, owed.by_month) == (1230, [("2025-04", owed.points, owed.points)])
    assert NOW > LATER


def test_a_tier_by_hand_with_a_key_is_given_once(lan):
    publish(lan.merchant)
    who = member(lan.merchant)
    same = {
        "merchant": lan.merchant,
        "member_id": who,
        "until": None,
        "reason": "moved",
        "now": NOW,
        "actor": "t",
        "key": "k",
    }
    for _ in range(2):
        actions.give_tier(tier="gold", **same)
    assert ManualTier.objects.count() == 1
    with pytest.raises(KeyReused):
        actions.give_tier(tier="member", **same)
    with pytest.raises(KeyReused):
        actions.give_tier(tier="gold", **same | {"member_id": member(lan.merchant, 2)})
    assert queries.verify(lan.merchant).findings == []
