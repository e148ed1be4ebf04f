"""The books in the database against the exercise book, step by step (T6): whatever tills and imports do, in whatever order,
the figures are the same, the invariants hold, and a key has one effect."""

from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Answer, Ask, KeyReused, Transfer, transfer
from tests import cast
from tests.loyalty.books import START, member, order, publish, refund, take
from tests.trust import size
from tests.trust.exercise_book import CHARTER, ExerciseBook, Fact

pytestmark = pytest.mark.django_db

SHOP = "order:taobao:兰记护肤:"
few = st.integers(1, 120)
EXAMPLES = size(60 if connection.vendor == "sqlite" else 25, 25_000)  # of up to 40 steps; each takes PostgreSQL longer


class Books(RuleBasedStateMachine):
    """Two members; `now` only runs forward, facts may be told late."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.merchant = cast.lan().merchant
        publish(self.merchant, CHARTER | {"points": CHARTER["points"] | {"transfer": "anyone"}})
        self.people = [member(self.merchant, n) for n in (1, 2)]
        self.books = {m: ExerciseBook(self.merchant.tz) for m in self.people}
        self.now = START + timedelta(days=100)
        self.n = 0
        self.answers: dict[Ask, Answer] = {}
        self.orders: dict[str, list] = {}  # number → member, day, yuan, what is left of it
        self.spends: dict[str, list] = {}  # key of the ask → member, points not given back
        self.holds: dict[str, tuple[int, int]] = {}  # key → member, points

    def teardown(self) -> None:
        try:
            assert queries.verify(self.merchant).findings == []
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    # -- helpers ------------------------------------------------------------------------------------------------

    def later(self, minutes: int = 1) -> None:
        self.now += timedelta(minutes=minutes)

    def fresh(self, kind: str) -> str:
        self.n += 1
        return f"{kind}{self.n}"

    def tell(self, who: int, kind: str, name: str, amount: int, of: str = "", until=None) -> None:
        self.books[who].facts.append(Fact(kind, name, self.now, amount, of, until))

    def ask(self, one: Ask, expected: bool) -> bool:
        self.later()
        [told] = actions.ask(merchant=self.merchant, asks=[one], now=self.now, actor="till")
        assert told.done == expected, (one, told)
        assert not told.replayed
        self.answers[one] = told
        return told.done

    def page(self, who: int):
        return self.books[who].page(self.now + timedelta(minutes=1))

    # -- rules --------------------------------------------------------------------------------------------------

    @rule(who=st.integers(0, 1), yuan=st.integers(0, 400), ago=st.one_of(st.just(0), st.integers(0, 60 * 24 * 99)))
    def an_order_now_or_told_late(self, who: int, yuan: int, ago: int) -> None:
        self.later()
        number = self.fresh("T")
        at = self.now - timedelta(minutes=ago)
        days = (at - START) / timedelta(days=1)
        take(self.merchant, self.people[who], order(number, days, yuan, stated_at=self.now), now=self.now)
        self.orders[number] = [self.people[who], days, yuan, yuan]
        self.books[self.people[who]].facts.append(
            Fact("order", SHOP + number, START + timedelta(days=days), yuan * 100)
        )

    @precondition(lambda self: any(left for *_, left in self.orders.values()))
    @rule(pick=st.randoms(use_true_random=False), all_of_it=st.booleans(), wait=st.integers(0, 20 * 24 * 60))
    def a_refund_of_a_part_or_of_all(self, pick, all_of_it: bool, wait: int) -> None:
        self.later()
        number = pick.choice([n for n, (*_, left) in self.orders.items() if left])
        who, days, _, left = self.orders[number]
        yuan = left if all_of_it else pick.randint(1, left)
        at = min(START + timedelta(days=days, minutes=wait), self.now)
        paper = self.fresh("R")
        day = (at - START) / timedelta(days=1)
        take(self.merchant, who, refund(paper, number, day, yuan), now=self.now)
        self.orders[number][3] -= yuan
        at = START + timedelta(days=day)
        paid = START + timedelta(days=days)
        self.books[who].facts.append(
            Fact("refund", f"refund:{SHOP}{number}:{paper}", max(at, paid), yuan * 100, SHOP + number)
        )

    @rule(who=st.integers(0, 1), points=few)
    def a_spend(self, who: int, points: int) -> None:
        buyer, key = self.people[who], self.fresh("burn")
        if self.ask(Ask(key, "burn", buyer, points), points <= self.page(buyer).available):
            self.tell(buyer, "burn", f"burn:{key}", points)
            self.spends[key] = [buyer, points]

    @precondition(lambda self: self.spends)
    @rule(pick=st.randoms(use_true_random=False), points=few)
    def a_spend_given_back(self, pick, points: int) -> None:
        spend = pick.choice(sorted(self.spends))
        buyer, left = self.spends[spend]
        key = self.fresh("return")
        if self.ask(Ask(key, "return", buyer, points, ref=spend), points <= left):
            kind = "capture" if spend.startswith("capture") else "burn"
            self.tell(buyer, "return", f"return:{key}", points, f"{kind}:{spend}")
            self.spends[spend][1] -= points

    @rule(who=st.integers(0, 1), points=few)
    def points_by_hand(self, who: int, points: int) -> None:
        buyer, key = self.people[who], self.fresh("adjust")
        if self.ask(Ask(key, "adjust", buyer, points), True):
            self.tell(buyer, "adjust", f"adjust:{key}", points)

    @rule(who=st.integers(0, 1), points=few)
    def points_taken_by_hand(self, who: int, points: int) -> None:
        buyer, key = self.people[who], self.fresh("adjust")
        if self.ask(Ask(key, "adjust", buyer, -points), points <= self.page(buyer).available):
            self.tell(buyer, "adjust", f"adjust:{key}", -points)

    @rule(who=st.integers(0, 1), points=few, days=st.integers(1, 90))
    def a_balance_from_elsewhere(self, who: int, points: int, days: int) -> None:
        buyer, key = self.people[who], self.fresh("opening")
        until = self.now + timedelta(days=days)
        if self.ask(Ask(key, "opening", buyer, points, expires_at=until), True):
            self.tell(buyer, "adjust", f"opening:{key}", points, until=until)

    @rule(who=st.integers(0, 1), points=few, minutes=st.integers(5, 3000))
    def a_hold(self, who: int, points: int, minutes: int) -> None:
        buyer, key = self.people[who], self.fresh("hold")
        until = self.now + timedelta(minutes=minutes)
        if self.ask(Ask(key, "hold", buyer, points, until=until), points <= self.page(buyer).available):
            self.tell(buyer, "hold", f"hold:{key}", points, until=until)
            self.holds[key] = buyer, points

    def is_open(self, key: str) -> bool:
        buyer, _ = self.holds[key]
        book = self.books[buyer]
        book.page(self.now + timedelta(minutes=1))
        return f"hold:{key}" in book._held

    @precondition(lambda self: self.holds)
    @rule(pick=st.randoms(use_true_random=False), points=few)
    def a_capture(self, pick, points: int) -> None:
        hold = pick.choice(sorted(self.holds))
        buyer, _ = self.holds[hold]
        key = self.fresh("capture")
        open_ = self.is_open(hold)
        covered = sum(n for _, n in self.books[buyer]._held[f"hold:{hold}"][0]) if open_ else 0
        if self.ask(Ask(key, "capture", buyer, points, ref=hold), open_ and points <= covered):
            self.tell(buyer, "capture", f"capture:{key}", points, f"hold:{hold}")
            self.spends[key] = [buyer, points]
            del self.holds[hold]

    @precondition(lambda self: self.holds)
    @rule(pick=st.randoms(use_true_random=False))
    def a_release(self, pick) -> None:
        hold = pick.choice(sorted(self.holds))
        buyer, _ = self.holds[hold]
        key = self.fresh("release")
        if self.ask(Ask(key, "release", buyer, ref=hold), self.is_open(hold)):
            self.tell(buyer, "release", f"release:{key}", 0, f"hold:{hold}")
            del self.holds[hold]

    @rule(who=st.integers(0, 1), points=few)
    def points_given_to_the_other(self, who: int, points: int) -> None:
        giver, receiver = self.people[who], self.people[1 - who]
        self.later()
        enough = points <= self.books[giver].page(self.now).available
        key = self.fresh("give")
        move = Transfer(key, giver, receiver, points)
        [told] = transfer(merchant=self.merchant, transfers=[move], now=self.now, actor="till")
        assert told.done == enough
        [again] = transfer(merchant=self.merchant, transfers=[move], now=self.now, actor="till")
        assert again == told._replace(replayed=True)
        if enough:
            parcels = self.books[giver].parcels(self.now, points)
            self.tell(giver, "handed", f"handed:{key}", points)
            self.books[receiver].facts.append(Fact("taken", f"taken:{key}", self.now, points, parcels=parcels))

    @rule(days=st.integers(0, 45))
    def days_pass(self, days: int) -> None:
        self.later(days * 24 * 60 + 1)

    @rule()
    def the_clock_job_runs(self) -> None:
        actions.run_clock(merchant=self.merchant, now=self.now)

    @precondition(lambda self: self.answers)
    @rule(pick=st.randoms(use_true_random=False))
    def an_old_request_again(self, pick) -> None:
        one = pick.choice(sorted(self.answers))
        self.later()
        [told] = actions.ask(merchant=self.merchant, asks=[one], now=self.now, actor="till")
        first = self.answers[one]
        assert told == first._replace(replayed=True)

    @precondition(lambda self: self.answers)
    @rule(pick=st.randoms(use_true_random=False))
    def an_old_key_for_something_else(self, pick) -> None:
        one = pick.choice(sorted(self.answers))
        with pytest.raises(KeyReused):
            actions.ask(merchant=self.merchant, asks=[one._replace(amount=one.amount + 1)], now=self.now, actor="till")

    @precondition(lambda self: self.orders)
    @rule(pick=st.randoms(use_true_random=False))
    def an_old_order_again(self, pick) -> None:
        number = pick.choice(sorted(self.orders))
        who, days, yuan, _ = self.orders[number]
        take(self.merchant, who, order(number, days, yuan), now=self.now)

    @rule(who=st.integers(0, 1), points=few)
    def the_machine_stops_in_the_middle(self, who: int, points: int) -> None:
        """The last thing a request does is to write; what was done before is gone with it."""
        asks = [Ask(self.fresh("lost"), "adjust", self.people[who], points)]
        with (
            mock.patch("shuke.loyalty.actions.posting.bulk.write_few", side_effect=OSError("stopped")),
            pytest.raises(OSError, match="stopped"),
            transaction.atomic(),
        ):
            actions.ask(merchant=self.merchant, asks=asks, now=self.now, actor="till")

    # -- what must hold -----------------------------------------------------------------------------------------

    @invariant()
    def every_figure_is_that_of_the_exercise_book(self) -> None:
        for who in self.people:
            page = self.books[who].page(self.now)
            told = queries.balance(self.merchant, who, self.now)
            assert (told.available, told.pending, told.held, told.debt) == (
                page.available, page.pending, page.held, page.debt,
            )  # fmt: skip


def test_the_books_are_those_of_the_exercise_book(db):
    run_state_machine_as_test(Books, settings=settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None))
