"""The rules of a coalition without a database: drawing, charging, rounding, netting, strength."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.coalition import charging, netting, settling, strength
from shuke.engine.coalition.charging import Flow, Posting, Used
from shuke.engine.coalition.drawing import draw
from shuke.engine.coalition.prices import MICRO, Prices, prices_at
from shuke.engine.coalition.settling import Line, Opening
from shuke.engine.ledger.books import Lot

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def lot(key, free, ends, earned=0):
    return Lot(key, free, free, DAY + timedelta(days=earned), DAY, None if ends is None else DAY + timedelta(days=ends))


def test_what_ends_first_goes_first_wherever_it_is():
    accounts = {1: [lot("a", 100, 30), lot("b", 50, 10)], 2: [lot("c", 80, 20)], 3: [lot("d", 500, None)]}
    assert draw(accounts, 140, 3) == {1: 60, 2: 80}
    assert draw(accounts, 731, 3) is None
    assert draw(accounts, 730, 3) == {1: 150, 2: 80, 3: 500}


def test_between_equals_the_tills_own_points_go_first():
    accounts = {1: [lot("a", 100, 30)], 2: [lot("a", 100, 30)]}
    assert draw(accounts, 100, 2) == {2: 100}
    assert draw(accounts, 150, 1) == {1: 100, 2: 50}


@given(
    st.dictionaries(st.integers(1, 5), st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), max_size=4), max_size=4),
    st.integers(0, 300),
)  # fmt: skip
def test_no_point_that_ends_earlier_stays_behind(plain, amount):
    accounts = {m: [lot(f"{i}", n, ends) for i, (n, ends) in enumerate(lots)] for m, lots in plain.items()}
    whole = sum(x.free for lots in accounts.values() for x in lots)
    taken = draw(accounts, amount, 1)
    if amount > whole:
        assert taken is None
        return
    assert sum(taken.values()) == amount
    last, first_left = DAY, DAY + timedelta(days=99)
    for merchant, lots in accounts.items():
        rest = taken.get(merchant, 0)
        for one in sorted(lots, key=Lot.oldest_first):
            used = min(rest, one.free)
            rest -= used
            if used:
                last = max(last, one.expires_at)
            if used < one.free:
                first_left = min(first_left, one.expires_at)
    assert last <= first_left


LINKED = DAY
OLD = DAY + timedelta(days=3)


def flows(*legs, uses=(), of_pool=False):
    return charging.flows(Posting(DAY + timedelta(days=9), *legs, uses), linked_at=LINKED, of_pool=of_pool)


NINTH = DAY + timedelta(days=9)
EXAMPLES = [
    # what, (member, spent, settlement), uses → flows; the table in docs/algorithms/coalition.md
    ("earns 120", (120, 0, 0), (), [Flow("issued", 120, NINTH)]),
    ("spends 130 here", (-130, 130, 0), (Used("burn", 130, OLD),), [Flow("redeemed", 130, NINTH)]),
    ("70 lapse", (-70, 0, 0), (Used("expire", 70, OLD),), [Flow("lapsed", 70, OLD)]),
    ("100 taken back, 80 of them owed", (-20, 0, 0), (Used("claw", 20, OLD),), [Flow("taken_back", 20, OLD)]),
    ("50 earned, all for the debt", (0, 0, 0), (Used("debt", 50, NINTH),), []),
    ("spends 90 at a partner's", (-90, 0, 90), (Used("transfer", 90, OLD),), []),
    ("they come back after their day", (0, 0, -90), (Used("transfer", -90, OLD), Used("expire", 90, OLD)), [Flow("lapsed", 90, OLD)]),
    ("an order turns out smaller", (-30, 0, 0), (), [Flow("taken_back", 30, NINTH)]),
]  # fmt: skip


def test_what_a_posting_means():
    for what, legs, uses, expected in EXAMPLES:
        assert flows(*legs, uses=uses) == expected, what
    assert flows(-10, 25, -15, uses=(Used("burn", 10, OLD),), of_pool=True) == []


def test_prices_are_those_of_the_time():
    first, second = Prices(DAY, 500_000, 400_000), Prices(NINTH, 700_000, 600_000)
    assert [prices_at([first, second], at).issue_micro for at in (LINKED - timedelta(days=1), OLD, NINTH)] == [500_000, 500_000, 700_000]  # fmt: skip


def charge(points, price=500_000, kind="issued"):
    return Line(kind, None, price, 1, points, charging.amount_micro(kind, points, price, price))


def test_packs_pay_what_members_are_given_and_run_down():
    one = settling.statement([charge(1000), charge(300, kind="redeemed")], Opening(0, 400 * MICRO, True))
    assert (one.due, one.deposit_micro) == (150 - 500 + 400, 0)
    two = settling.statement([charge(100)], Opening(0, 400 * MICRO, True))
    assert (two.due, two.deposit_micro) == (0, 350 * MICRO)
    back = settling.statement([charge(100, kind="taken_back")], Opening(0, 0, True))
    assert (back.due, back.deposit_micro) == (0, 50 * MICRO)
    bill = settling.statement([charge(100, kind="taken_back")], Opening(0, 0, False))
    assert (bill.due, bill.deposit_micro) == (50, 0)


@st.composite
def books(draw_):
    lines = []
    for _ in range(draw_(st.integers(0, 6))):
        kind = draw_(st.sampled_from(sorted(charging.KINDS)))
        lines.append(charge(draw_(st.integers(-500, 5000)), draw_(st.integers(0, 3 * MICRO)), kind))
    half = MICRO // 2
    return lines, Opening(draw_(st.integers(-half, half)), draw_(st.integers(0, 10**10)), draw_(st.booleans()))


@given(st.lists(books(), min_size=1, max_size=6))
def test_statements_add_up_to_zero_and_lose_nothing(partners):
    made = {n: settling.statement(lines, opening) for n, (lines, opening) in enumerate(partners)}
    assert sum(one.due for one in made.values()) + settling.pool_due(made) == 0
    for (lines, opening), one in zip(partners, made.values(), strict=True):
        assert sum(line.minor for line in one.lines) == one.due
        exact = opening.carry_micro + sum(line.micro for line in lines) + one.covered_micro
        assert exact == one.due * MICRO + one.carry_micro
        assert abs(one.carry_micro) <= MICRO // 2
        assert one.deposit_micro == opening.deposit_micro - one.covered_micro >= 0


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=13))
def test_netting_settles_everybody_with_as_few_payments_as_can_be(amounts):
    balances = {f"m{n:02d}": minor for n, minor in enumerate([*amounts, -sum(amounts)])}
    payments = netting.net(balances)
    left = dict(balances)
    for one in payments:
        assert one.minor > 0
        left[one.payer] += one.minor
        left[one.payee] -= one.minor
    assert not any(left.values())
    parties = sum(1 for minor in balances.values() if minor)
    assert len(payments) <= max(0, parties - 1)
    assert netting.net(dict(reversed(balances.items()))) == payments


def test_netting_finds_groups_that_settle_among_themselves():
    told = netting.net({"a": 70, "b": -70, "c": 30, "d": 20, "e": -50})
    assert [tuple(p) for p in told] == [("b", "a", 70), ("e", "c", 30), ("e", "d", 20)]
    assert all(one <= two for one, two in pairwise(told))


def test_strength():
    month = {1: strength.Month(issued=1000, used_elsewhere=300, taken=100), 2: strength.Month(issued=500, used_elsewhere=100, taken=300)}  # fmt: skip
    assert strength.fairness(month) == 500
    assert [s.evenness for s in strength.shares(month).values()] == [333, 333]
    assert [s.issued for s in strength.shares(month).values()] == [667, 333]
    assert strength.fairness({1: strength.Month(issued=5)}) is None
