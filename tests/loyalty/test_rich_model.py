"""Whatever happens under a charter that uses everything, in whatever order it is told: the books are the fold of the facts.

Beside tests/trust/test_model.py, which keeps an exercise book of its own for the points of a plain charter; here the facts are of
all kinds and `verify` folds them anew after every step.
"""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from shuke.engine import facts
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask
from shuke.orders.models import Order
from tests import cast
from tests.loyalty.books import START, member, order, publish, refund, take
from tests.loyalty.test_rich_charter import RICH, ROLLING
from tests.trust import size

pytestmark = pytest.mark.django_db

people = st.integers(0, 1)
few = st.integers(1, 150)
TIGHT = {**RICH, "earning": [
    {**r, "budget": {"points": 130}} if r["key"] == "big" else r for r in RICH["earning"]
]}  # fmt: skip


class Books(RuleBasedStateMachine):
    """Two members of one shop; `now` runs forward, orders may be told late."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.now = START + timedelta(days=60)
        self.n = 0
        self.orders: list[tuple[int, facts.Order]] = []
        self.refunded: dict[str, float] = {}
        self.spends: list[tuple[int, str, int]] = []
        self.memberships: list[tuple[int, str]] = []
        self.asked: list[tuple[Ask, actions.Answer]] = []

    @initialize(charter=st.sampled_from([RICH, ROLLING, TIGHT]))
    def open_shop(self, charter: dict) -> None:
        self.merchant = cast.lan().merchant
        publish(self.merchant, charter)
        self.people = [member(self.merchant, n) for n in (1, 2)]

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def key(self, kind: str) -> str:
        self.n += 1
        return f"{kind}{self.n}"

    def ask(self, who: int, kind: str, amount: int = 0, ref: str = "", **more) -> actions.Answer:
        self.now += timedelta(minutes=7)
        one = Ask(self.key(kind), kind, self.people[who], amount, ref, **more)
        (answer,) = actions.ask(merchant=self.merchant, asks=[one], now=self.now, actor="till")
        self.asked.append((one, answer))
        return answer

    @rule(
        who=people, yuan=st.integers(5, 800), ago=st.integers(0, 120), kind=st.sampled_from(["cream", "both", "card"])
    )
    def an_order_now_or_told_late(self, who: int, yuan: int, ago: int, kind: str) -> None:
        fen = yuan * 100
        lines = {
            "cream": (facts.Line("面霜", 2000, fen, "A1", category="护肤/面霜"),),
            "card": (facts.Line("卡", 1000, fen, "B1"),),
            "both": (
                facts.Line("面霜", 1000, fen // 2, "A1", category="护肤/面霜"),
                facts.Line("卡", 1000, fen - fen // 2, "B1"),
            ),
        }[kind]
        day = (self.now - START) / timedelta(days=1) - ago
        one = order(self.key("T"), max(day, 0), yuan, lines=lines, finished_at=None)
        self.orders.append((who, one))
        take(self.merchant, self.people[who], one, now=self.now)

    @rule(pick=st.randoms(use_true_random=False), days=st.integers(0, 9), yuan=st.integers(5, 800))
    def an_order_told_anew_with_another_price(self, pick, days: int, yuan: int) -> None:
        left = [i for i, (_, o) in enumerate(self.orders) if o.number not in self.refunded]
        if not left:
            return
        i = pick.choice(left)
        who, one = self.orders[i]
        lines = (facts.Line("面霜", 1000, yuan * 100, "A1", category="护肤/面霜"),)
        again = one._replace(paid_minor=yuan * 100, goods_minor=yuan * 100, lines=lines, stated_at=self.now)
        again = again._replace(finished_at=one.paid_at + timedelta(days=days))
        self.orders[i] = (who, again)
        take(self.merchant, self.people[who], again, now=self.now)

    @rule(pick=st.randoms(use_true_random=False), whole=st.booleans(), wait=st.integers(0, 40))
    def a_refund_of_a_part_or_of_all(self, pick, whole: bool, wait: int) -> None:
        if not self.orders:
            return
        who, one = pick.choice(self.orders)
        left = one.paid_minor / 100 - self.refunded.get(one.number, 0)
        amount = left if whole else round(left / 3, 2)
        if amount < 0.01:
            return
        self.refunded[one.number] = self.refunded.get(one.number, 0) + amount
        day = (one.paid_at - START) / timedelta(days=1) + wait
        take(self.merchant, self.people[who], refund(self.key("R"), one.number, day, amount), now=self.now)

    @rule(pick=st.randoms(use_true_random=False))
    def an_order_vanishes(self, pick) -> None:
        left = [x for x in self.orders if x[1].number not in self.refunded]
        if not left:
            return
        who, one = pick.choice(left)
        self.orders.remove((who, one))
        Order.objects.filter(merchant=self.merchant, number=one.number).delete()
        actions.settle(
            merchant=self.merchant, order_ids=[], also_members=[self.people[who]], now=self.now, actor="undo"
        )

    @rule(pick=st.randoms(use_true_random=False))
    def an_old_order_again(self, pick) -> None:
        if self.orders:
            who, one = pick.choice(self.orders)
            take(self.merchant, self.people[who], one, now=self.now)

    @rule(who=people)
    def a_sign_in(self, who: int) -> None:
        assert self.ask(who, "activity", ref="check_in").done

    @rule(who=people)
    def a_friend_recommended(self, who: int) -> None:
        assert self.ask(who, "activity", ref="referral").figures["growth"] in (0, 150)

    @rule(who=people, amount=st.integers(-400, 400).filter(bool))
    def growth_value_by_hand(self, who: int, amount: int) -> None:
        assert self.ask(who, "growth", amount).done

    @rule(who=people)
    def a_membership_bought(self, who: int) -> None:
        assert self.ask(who, "membership", ref="plus").done
        self.memberships.append((who, self.asked[-1][0].key))

    @rule(pick=st.randoms(use_true_random=False))
    def a_membership_given_back(self, pick) -> None:
        if self.memberships:
            who, key = pick.choice(self.memberships)
            self.ask(who, "membership_end", ref=key)

    @rule(who=people, points=few)
    def a_spend(self, who: int, points: int) -> None:
        if self.ask(who, "burn", points).done:
            self.spends.append((who, self.asked[-1][0].key, points))

    @rule(pick=st.randoms(use_true_random=False), points=few)
    def a_spend_given_back(self, pick, points: int) -> None:
        if self.spends:
            who, key, spent = pick.choice(self.spends)
            self.ask(who, "return", min(points, spent), key)

    @rule(who=people, points=st.integers(-100, 200).filter(bool))
    def points_by_hand(self, who: int, points: int) -> None:
        self.ask(who, "adjust", points)

    @rule(who=people, points=few, end=st.sampled_from(["capture", "release", "time out"]))
    def a_hold(self, who: int, points: int, end: str) -> None:
        if not self.ask(who, "hold", points, until=self.now + timedelta(hours=30)).done:
            return
        key = self.asked[-1][0].key
        if end == "capture":
            self.ask(who, "capture", max(1, points // 2), key)
        elif end == "release":
            self.ask(who, "release", ref=key)

    @rule(who=people, points=few)
    def lapsed_points_given_back(self, who: int, points: int) -> None:
        answer = self.ask(who, "reinstate", points)
        assert answer.done == (answer.code == "")
        assert not answer.done or answer.figures["amount"] == points

    @rule(who=people, days=st.integers(1, 60), invited=st.booleans())
    def a_tier_by_hand(self, who: int, days: int, invited: bool) -> None:
        self.now += timedelta(minutes=1)
        actions.give_tier(
            merchant=self.merchant, member_id=self.people[who], tier="gold", until=self.now + timedelta(days=days),
            reason="test", now=self.now, actor="owner", invited=invited,
        )  # fmt: skip

    @rule(days=st.integers(1, 50))
    def time_passes_and_the_clock_runs(self, days: int) -> None:
        self.now += timedelta(days=days)
        actions.run_clock(merchant=self.merchant, now=self.now)

    @rule(days=st.integers(1, 20))
    def time_passes_and_no_clock_runs(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(pick=st.randoms(use_true_random=False))
    def an_old_request_again(self, pick) -> None:
        if self.asked:
            one, answer = pick.choice(self.asked)
            (again,) = actions.ask(merchant=self.merchant, asks=[one], now=self.now, actor="till")
            assert again == answer._replace(replayed=True)

    @invariant()
    def the_books_are_the_fold_of_the_facts(self) -> None:
        if hasattr(self, "people"):
            assert queries.verify(self.merchant).findings == []


def test_the_books_are_the_fold_of_the_facts_whatever_happens(db):
    # Every step opens a database's worth of books: a failing history is told as found, not made short for minutes.
    told = (Phase.explicit, Phase.reuse, Phase.generate)
    some = settings(max_examples=size(8, 4_000), stateful_step_count=25, deadline=None, phases=told)
    run_state_machine_as_test(Books, settings=some)
