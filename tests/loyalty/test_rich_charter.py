"""The books under a charter that uses everything: growth value, activities, budgets, paid membership, rolling expiry."""

import random
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine import facts
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask
from shuke.loyalty.models import Budget, Entry, Grant, Lot, TierChange, Txn, Wallet
from shuke.loyalty.queries.budgets import budgets
from shuke.loyalty.queries.statements import member_statement
from shuke.members.models import TimelineLine
from shuke.orders.models import Order
from tests.loyalty.books import CHARTER, NOW, START, member, order, publish, refund, take

pytestmark = pytest.mark.django_db


def name(text: str) -> dict:
    return {"zh": text, "en": text}


RICH = {
    **CHARTER,
    "points": {
        "pending_days": 5, "expiry": {"kind": "months", "months": 2, "to": "quarter"}, "groups": [{"key": "one"}],
        "caps": {"per_day": 5000},
    },
    "tiers": [
        {"key": "member", "name": name("普通")},
        {"key": "silver", "name": name("银"), "reach": {"measure": "growth", "at_least": 600}, "multiplier": "1.2"},
        {"key": "gold", "name": name("金"), "multiplier": "1.5", "keep": {"measure": "amount", "at_least": 900},
         "reach": {"all": [{"measure": "orders", "at_least": 3}, {"measure": "amount", "at_least": 1200}]}},
    ],
    "memberships": [{"key": "plus", "name": name("卡"), "tier": "gold", "months": 2, "price": 88, "products": ["B1"]}],
    "grading": {
        "window": {"kind": "rolling", "months": 3}, "review": {"kind": "quarterly"}, "grace_days": 7, "notice_days": 20,
        "protection_days": 15, "growth_loss": {"months": 4},
    },
    "earning": [
        {"key": "base", "name": name("消费"), "kind": "per_amount"},
        {"key": "care", "name": name("护肤"), "kind": "per_amount", "per": 2, "when": {"categories": ["护肤"]}, "group": "one"},
        {"key": "piece", "name": name("每件"), "kind": "per_item", "points": 9, "when": {"categories": ["护肤"]}, "group": "one"},
        {"key": "big", "name": name("满额"), "kind": "fixed", "points": 50, "when": {"min_amount": 150}, "limits": {"per_week": 1},
         "budget": {"points": 100_000}},
        {"key": "sign", "name": name("签到"), "kind": "activity", "activity": "check_in", "points": 2, "limits": {"per_day": 1},
         "streaks": [{"days": 2, "points": 3}]},
        {"key": "friend", "name": name("推荐"), "kind": "activity", "activity": "referral", "gives": "growth", "points": 150,
         "limits": {"per_month": 1}},
        {"key": "joining", "name": name("入会"), "kind": "activity", "activity": "join", "points": 5},
    ],
}  # fmt: skip
ROLLING = {
    **RICH,
    "points": {"expiry": {"kind": "activity", "months": 2}, "round_per": "line", "rounding": "half_up", "clawback": "balance",
               "groups": [{"key": "one", "take": "first"}], "pending_from": "completion", "pending_days": 2},
    "grading": {"upgrade": "at_review", "review": {"kind": "monthly"}, "on_refund": "at_once", "fall": "to_fit",
                "growth_loss": {"yearly_percent": 20, "month": 3}},
}  # fmt: skip


def half_year(seed: int) -> list[facts.Order | facts.Refund]:
    """Six months of one buyer, some with the second line bought as a membership (every lipstick is one: product B1)."""
    rng = random.Random(seed)
    what: list[facts.Order | facts.Refund] = []
    for n in range(14):
        yuan, day = rng.choice([19.9, 88, 150, 320.5, 700]), rng.uniform(0, 180)
        lines = (facts.Line("面霜", 2000, round(yuan * 100), "A1", category="护肤/面霜"),)
        changes = {} if n % 5 == 0 else {"lines": lines}
        what.append(order(f"T{n}", day, yuan, **changes))
        if n % 4 == 0:
            what += [refund(f"R{n}a", f"T{n}", day + 2, yuan / 4), refund(f"R{n}b", f"T{n}", day + 40, yuan * 3 / 4)]
    return what


ASKS = [
    (30, "activity", "check_in", 0), (30.2, "activity", "check_in", 0), (31, "activity", "check_in", 0),
    (45, "activity", "referral", 0), (46, "activity", "referral", 0), (60, "membership", "plus", 0), (70, "growth", "", 120), (100, "growth", "", -50), (150, "activity", "check_in", 0),
]  # fmt: skip


def state(owner, charter: dict, parts: list[list]) -> str:
    """Facts in parts; the requests at their times, between the parts as often as there are parts."""
    publish(owner.merchant, charter)
    buyer = member(owner.merchant)
    waiting = list(ASKS)
    for i, part in enumerate(parts):
        take(owner.merchant, buyer, *part)
        due = len(waiting) if i == len(parts) - 1 else len(ASKS) // len(parts)
        for day, kind, ref, amount in waiting[:due]:
            one = Ask(f"{kind}{day:g}", kind, buyer, amount, ref)
            (answer,) = actions.ask(merchant=owner.merchant, asks=[one], now=START + timedelta(days=day), actor="test")
            assert answer.done, answer
        waiting = waiting[due:]
    actions.run_clock(merchant=owner.merchant, now=NOW)
    assert queries.verify(owner.merchant).findings == []
    return queries.state_hash(owner.merchant)


@pytest.mark.parametrize("charter", [RICH, ROLLING], ids=["rich", "rolling"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 20), min_size=1, max_size=4), shuffle=st.randoms())
def test_any_split_and_order_ends_in_the_same_state(lan, mingde, charter, seed, cuts, shuffle):
    what = half_year(seed)
    mixed = [*what, *what[::3]]  # some come twice
    shuffle.shuffle(mixed)
    bounds = sorted({0, len(mixed), *(c for c in cuts if c < len(mixed))})
    parts = [mixed[a:b] for a, b in pairwise(bounds)]
    with transaction.atomic():
        assert state(lan, charter, [what]) == state(mingde, charter, parts)
        transaction.set_rollback(True)


def test_growth_value_is_booked_like_points_and_a_late_order_posts_the_difference(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    care = {"lines": (facts.Line("面霜", 1000, 30_000, "A1", category="护肤/面霜"),)}
    take(lan.merchant, buyer, order("a", 10, 300, **care))
    take(lan.merchant, buyer, order("a", 10, 250, stated_at=START + timedelta(days=30), lines=care["lines"]))
    booked = list(Txn.objects.exclude(growth=None).order_by("id").values_list("event", "kind", "growth"))
    assert booked == [("order:taobao:兰记护肤:a", "earn", 300), ("order:taobao:兰记护肤:a", "correct", -50)]
    assert Wallet.objects.get(member_id=buyer).growth == 250
    Order.objects.all().delete()
    actions.settle(merchant=lan.merchant, order_ids=[], also_members=[buyer], now=NOW, actor="test")
    assert Wallet.objects.get(member_id=buyer).growth == 0
    assert queries.verify(lan.merchant).findings == []


def test_what_was_booked_of_growth_value_cannot_be_changed(lan):
    publish(lan.merchant, RICH)
    take(lan.merchant, member(lan.merchant), order("a", 10, 300))
    with pytest.raises(IntegrityError), transaction.atomic():
        Txn.objects.exclude(growth=None).update(growth=9, seal=1)


def test_verify_finds_growth_value_that_does_not_add_up(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 10, 300))
    Wallet.objects.filter(member_id=buyer).update(growth=9)
    assert [f.invariant for f in queries.verify(lan.merchant).findings] == ["I19"]


BUDGET = {**CHARTER, "earning": [
    CHARTER["earning"][0],
    {"key": "big", "name": name("满额"), "kind": "fixed", "points": 40, "when": {"min_amount": 100}, "budget": {"points": 100}},
]}  # fmt: skip


def test_a_budget_goes_to_who_comes_first_and_nobody_loses_what_they_got(lan):
    publish(lan.merchant, BUDGET)
    buyers = [member(lan.merchant, n) for n in range(4)]
    for n, buyer in enumerate(buyers):
        take(lan.merchant, buyer, order(f"T{n}", 10 - n, 100))  # the later ones bought earlier
    granted = dict(Lot.objects.values_list("member_id", "granted"))
    assert [granted[b] for b in buyers] == [140, 140, 120, 100]
    (told,) = budgets(lan.merchant, NOW)
    assert (told.taken, told.left, told.short) == (100, 0, 2)
    # A return gives back what it took; the next one gets it, and nobody else's points change.
    take(lan.merchant, buyers[0], refund("R0", "T0", 20, 100))
    take(lan.merchant, buyers[3], order("T9", 30, 100))
    assert Budget.objects.get().taken == 100
    assert dict(Lot.objects.filter(member_id__in=buyers[1:3]).values_list("member_id", "granted")) == {
        buyers[1]: 140, buyers[2]: 120,
    }  # fmt: skip
    assert Lot.objects.get(key__endswith=":T9").granted == 140
    assert queries.verify(lan.merchant).findings == []


def test_an_order_that_vanishes_gives_its_grant_back(lan):
    publish(lan.merchant, BUDGET)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 100), order("b", 2, 100))
    Order.objects.filter(number="a").delete()
    actions.settle(merchant=lan.merchant, order_ids=[], also_members=[buyer], now=NOW, actor="test")
    assert Budget.objects.get().taken == 40
    take(lan.merchant, buyer, order("a", 1, 100))
    assert Budget.objects.get().taken == 80
    assert Grant.objects.count() == 2
    assert queries.verify(lan.merchant).findings == []


def test_verify_finds_an_overdrawn_budget(lan):
    publish(lan.merchant, BUDGET)
    take(lan.merchant, member(lan.merchant), order("a", 1, 100))
    Budget.objects.update(taken=400)
    assert {f.invariant for f in queries.verify(lan.merchant).findings} == {"I20", "I21"}


def ask(
    merchant, buyer: int, kind: str, ref: str = "", amount: int = 0, key: str = "", day: float = 400
) -> actions.Answer:
    one = Ask(key or f"{kind}-{ref}-{day}", kind, buyer, amount, ref)
    return actions.ask(merchant=merchant, asks=[one], now=START + timedelta(days=day), actor="test")[0]


def test_an_activity_is_told_once_per_key_and_answers_what_it_gave(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    assert ask(lan.merchant, buyer, "activity", "check_in", key="k1").figures == {"amount": 2, "growth": 0}
    again = ask(lan.merchant, buyer, "activity", "check_in", key="k1")
    assert (again.replayed, again.figures) == (True, {"amount": 2, "growth": 0})
    assert ask(lan.merchant, buyer, "activity", "check_in", key="k2", day=400.1).figures["amount"] == 0
    assert ask(lan.merchant, buyer, "activity", "check_in", key="k3", day=401).figures["amount"] == 5
    assert ask(lan.merchant, buyer, "activity", "referral", key="k4").figures == {"amount": 0, "growth": 150}
    refused = ask(lan.merchant, buyer, "activity", "dancing", key="k5")
    assert (refused.done, refused.code) == (False, "no_such_activity")
    assert ask(lan.merchant, buyer, "activity", "join", key="k6").code == "joins_once", "the books tell it, once"
    assert queries.verify(lan.merchant).findings == []


def test_a_membership_is_bought_and_given_back(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    assert ask(lan.merchant, buyer, "membership", "silver-card").code == "no_such_membership"
    assert ask(lan.merchant, buyer, "membership", "plus", key="m1").done
    assert Wallet.objects.get(member_id=buyer).tier == "gold"
    assert ask(lan.merchant, buyer, "membership_end", "m1", key="e1", day=410).done
    assert ask(lan.merchant, buyer, "membership_end", "m1", key="e2", day=411).code == "no_such_membership"
    causes = (
        TierChange.objects.filter(member_id=buyer, superseded_at=None).order_by("at").values_list("cause", flat=True)
    )
    assert list(causes) == ["joined", "bought", "membership_back"]
    assert queries.verify(lan.merchant).findings == []


def test_a_membership_ends_by_the_clock(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    ask(lan.merchant, buyer, "membership", "plus", day=100)
    actions.run_clock(merchant=lan.merchant, now=START + timedelta(days=200))
    assert Wallet.objects.get(member_id=buyer).tier == "member"


def test_lapsed_points_are_given_back_up_to_what_lapsed(lan):
    publish(lan.merchant, CHARTER)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 100))
    now = START + timedelta(days=150)
    actions.run_clock(merchant=lan.merchant, now=now)
    assert queries.balance(lan.merchant, buyer, now).available == 0
    assert ask(lan.merchant, buyer, "reinstate", amount=9999, day=150).figures["lapsed"] == 153
    answer = ask(lan.merchant, buyer, "reinstate", amount=50, key="r", day=150)
    assert (answer.done, answer.figures["amount"]) == (True, 50)
    assert queries.balance(lan.merchant, buyer, now).available == 50
    assert queries.verify(lan.merchant).findings == []
    assert not Entry.objects.filter(account="adjusted").exists()


def test_a_notice_stands_on_the_timeline_once(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    care = (facts.Line("面霜", 1000, 70_000, "A1", category="护肤/面霜"),)
    take(lan.merchant, buyer, *(order(f"T{n}", 150 + n, 700, lines=care) for n in range(3)))
    # Gold from 2 June on; the review of 1 October would find July to September empty.
    for day in (255, 256, 257):
        actions.run_clock(merchant=lan.merchant, now=START + timedelta(days=day))
    actions.settle(
        merchant=lan.merchant, order_ids=[], also_members=[buyer], now=START + timedelta(days=258), actor="t"
    )
    (line,) = TimelineLine.objects.filter(member_id=buyer, kind="tier.at_risk")
    assert (line.body["tier"], line.body["falls_to"], line.body["keep"]["missing"]) == ("gold", "silver", 90_000)
    assert line.body["review_at"].startswith("2025-09-30T16:00")


def test_why_and_what_is_missing_for_trees(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    care = (facts.Line("面霜", 1000, 70_000, "A1", category="护肤/面霜"),)
    take(lan.merchant, buyer, order("a", 150, 700, lines=care))
    why = queries.why_tier(lan.merchant, buyer, START + timedelta(days=151))
    assert (why.tier, why.next_tier, why.growth) == ("silver", "gold", 700)
    # Gold needs both: two more orders, and 500 more.
    assert [[(leaf["measure"], leaf["missing"]) for leaf in way] for way in why.missing_ways] == [
        [("orders", 2), ("amount", 50_000)]
    ]
    # Silver needs growth value in the window of the next review, 1 October: July to September, nothing yet.
    assert why.review_at is not None
    assert [(leaf["measure"], leaf["missing"], leaf["from"], leaf["to"]) for (leaf,) in why.keep_ways] == []
    later = queries.why_tier(lan.merchant, buyer, START + timedelta(days=260))
    assert [(leaf["measure"], leaf["missing"], leaf["from"], leaf["to"]) for (leaf,) in later.keep_ways] == [
        ("growth", 600, "2025-07-01", "2025-09-30")
    ]


def test_the_growth_ledger_and_the_statement_add_up(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    care = (facts.Line("面霜", 1000, 30_000, "A1", category="护肤/面霜"),)
    take(lan.merchant, buyer, order("a", 10, 300, lines=care), refund("R", "a", 30, 100))
    ask(lan.merchant, buyer, "activity", "referral", day=40)
    actions.run_clock(merchant=lan.merchant, now=NOW)
    lines = queries.growth_lines(lan.merchant, buyer)
    assert [(x.kind, x.amount, x.balance_after) for x in lines[::-1]] == [
        ("earn", 300, 300), ("refund", -100, 200), ("activity", 150, 350), ("growth_lapse", -200, 150), ("growth_lapse", -150, 0),
    ]  # fmt: skip
    told = member_statement(lan.merchant, buyer, START + timedelta(days=20), START + timedelta(days=100))
    assert told.opening + sum(x.amount for x in told.lines) == told.closing
    assert [(x.kind, x.amount) for x in told.lines] == [("refund", -150), ("expire", -355)]
    whole = member_statement(lan.merchant, buyer, START, NOW)
    balance = queries.balance(lan.merchant, buyer, NOW)
    assert whole.closing == balance.balance


def test_a_hold_whose_ground_vanishes_holds_what_is_left(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 1, 5))
    now = START + timedelta(days=20)
    held = Ask("h", "hold", buyer, 8, until=now + timedelta(days=2))
    assert actions.ask(merchant=lan.merchant, asks=[held], now=now, actor="till")[0].done
    Order.objects.all().delete()
    actions.settle(merchant=lan.merchant, order_ids=[], also_members=[buyer], now=now, actor="undo")
    assert queries.balance(lan.merchant, buyer, now).held == 5  # what joining gave
    assert queries.verify(lan.merchant).findings == []
