"""The pure part: codes, what becomes of a bond, ranks and caps, what looks wrong, the tree."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.charter import document
from shuke.engine.charter.describe import describe
from shuke.engine.charter.document import CharterInvalid
from shuke.engine.charter.referring import ReferralWatch
from shuke.engine.charter.terms import Terms
from shuke.engine.referral import codes, tree, watching
from shuke.engine.referral.judging import Bond, Bought, judge
from shuke.engine.referral.ranking import Case, fold
from shuke.engine.referral.watching import Signal
from tests.loyalty.books import CHARTER

ZONE = ZoneInfo("Asia/Shanghai")
BOUND = datetime(2026, 3, 1, 4, tzinfo=UTC)
PART = {"friend": {"points": 50}, "steps": [{"points": 100}], "min_amount": 100, "pending_days": 7, "order_days": 30}


def charter(**part):
    return document.from_plain(CHARTER | {"referral": PART | part})


def terms(**part):
    return Terms(charter(**part), ZONE)


def on(day: float) -> datetime:
    return BOUND + timedelta(days=day)


def bought(name, day, yuan, *back):
    return Bought(name, on(day), round(yuan * 100), tuple((on(d), round(y * 100)) for d, y in back))


BOND = Bond(1, 11, 10, BOUND)


# ---- codes ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, (1 << codes.BITS) - 1), st.data())
def test_one_wrong_sign_or_two_swapped_are_seen(number, data):
    code = codes.code_of(number)
    assert codes.read(codes.shown(code).lower()) == code
    at = data.draw(st.integers(0, codes.LENGTH - 1))
    wrong = data.draw(st.sampled_from([s for s in codes.ALPHABET if s != code[at]]))
    assert codes.read(code[:at] + wrong + code[at + 1 :]) is None
    at = data.draw(st.integers(0, codes.LENGTH - 2))
    swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    assert swapped == code or codes.read(swapped) is None


def test_look_alikes_are_put_right():
    code = next(c for n in range(10_000) if "0" in (c := codes.code_of(n * 7919)) and "1" in c)
    assert codes.read(code.replace("0", "o").replace("1", "l")) == code
    assert codes.read("") is None
    assert codes.read("推荐码") is None


# ---- one bond -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orders", "now", "state", "code"),
    [
        ([], 10, "waiting", ""),
        ([], 31, "missed", "too_late"),
        ([("a", 2, 150)], 5, "pending", ""),
        ([("a", 2, 150)], 9, "due", ""),
        ([("a", 2, 99)], 9, "missed", "too_little"),
        ([("a", 2, 150, (5, 150))], 6, "missed", "refunded"),
        ([("a", 2, 150, (5, 40))], 9, "due", ""),
        ([("a", 2, 150, (5, 60))], 9, "missed", "refunded"),
        ([("a", -1, 150)], 9, "missed", "not_new"),
        ([("a", -1, 150), ("b", 2, 150)], 9, "missed", "not_new"),
        ([("a", 31, 150)], 60, "missed", "too_late"),
        ([("a", 2, 150, (5, 150)), ("b", 3, 150)], 20, "missed", "refunded"),
    ],
)
def test_what_becomes_of_a_bond(orders, now, state, code):
    found = judge(terms(), BOND, [bought(*o) for o in orders], on(now))
    assert (found.state, found.code) == (state, code)


def test_the_return_window_ends_at_midnight_of_the_shop():
    """Paid on 3 March at noon; seven whole days; the reward is due on 10 March, 00:00 in Shanghai."""
    due = judge(terms(), BOND, [bought("a", 2, 150)], on(30)).due_at
    assert due.astimezone(ZONE) == datetime(2026, 3, 10, tzinfo=ZONE)
    before, after = due - timedelta(seconds=1), due
    for at, state in ((before, "missed"), (after, "due")):
        one = Bought("a", on(2), 15000, ((at, 15000),))
        assert judge(terms(), BOND, [one], on(30)).state == state


def test_with_any_order_a_later_one_may_count():
    orders = [bought("a", 2, 150, (3, 150)), bought("b", 5, 200)]
    found = judge(terms(order="any"), BOND, orders, on(20))
    assert (found.state, found.order) == ("due", "b")


def test_a_refund_after_the_reward_is_told_apart():
    found = judge(terms(), BOND, [bought("a", 2, 150, (20, 30), (25, 40))], on(26))
    assert (found.state, found.back_at) == ("due", on(25))


def test_an_order_from_a_till_whose_clock_runs_ahead_is_looked_at_when_its_time_has_come():
    for way in ("first", "any"):
        early = judge(terms(order=way), BOND, [bought("a", 2, 150)], on(1.9))
        assert (early.state, early.look_at) == ("waiting", on(2))
        assert judge(terms(order=way), BOND, [bought("a", 2, 150)], early.look_at).state == "pending"


@given(st.permutations([bought("a", 2, 150, (5, 20)), bought("b", 3, 90), bought("c", 8, 500, (9, 500))]))
def test_the_order_in_which_facts_are_told_does_not_matter(orders):
    assert judge(terms(order="any"), BOND, orders, on(25)).order == "a"


# ---- all bonds of a referrer ------------------------------------------------------------------------------------------


def cases(*days, hold=(), decision=None, **part):
    t = terms(**part)
    found = []
    for n, day in enumerate(days):
        bond = Bond(n, 100 + n, 10, BOUND, (decision or {}).get(n, ""))
        orders = [bought(f"o{n}", day, 150)] if day is not None else []
        found.append(Case(bond, t, judge(t, bond, orders, on(120)), n in hold))
    return found


def points(outcomes, side):
    return {k: sum(g.amount for g in o.gives if (g.side, g.kind) == (side, "points")) for k, o in outcomes.items()}


def test_steps_count_successes_in_the_order_in_which_they_fell_due():
    part = {"steps": [{"points": 100}, {"at_least": 3, "points": 300, "honour": {"zh": "大使", "en": "Ambassador"}}]}
    told = cases(9, 1, 5, None, **part)
    outcomes = fold(told)
    assert {k: o.rank for k, o in outcomes.items()} == {1: 1, 2: 2, 0: 3, 3: 0}
    assert points(outcomes, "referrer") == {1: 100, 2: 100, 0: 300, 3: 0}
    assert [g.name[1] for g in outcomes[0].gives if g.kind == "honour"] == ["Ambassador"]
    assert fold(reversed(told)) == outcomes


def test_caps_stop_the_referrers_reward_and_not_the_friends():
    outcomes = fold(cases(1, 2, 3, 29, caps={"per_month": 2}))
    assert points(outcomes, "referrer") == {0: 100, 1: 100, 2: 0, 3: 100}  # the fourth falls due in April
    assert points(outcomes, "friend") == {0: 50, 1: 50, 2: 50, 3: 50}
    assert outcomes[2].code == "cap"


def test_held_and_declined_ones_take_no_place():
    outcomes = fold(cases(1, 2, 3, hold={0}, decision={1: "declined"}))
    assert [outcomes[n].state for n in range(3)] == ["held", "missed", "rewarded"]
    assert outcomes[2].rank == 1
    assert outcomes[0].gives == outcomes[1].gives == ()


def test_what_comes_back_later_is_returned_or_kept_as_the_charter_says():
    for policy, state, n in (("return", "returned", 0), ("keep", "rewarded", 100)):
        t = terms(on_refund=policy)
        found = fold([Case(BOND, t, judge(t, BOND, [bought("a", 2, 150, (20, 150))], on(30)))])
        assert (found[1].state, points(found, "referrer")[1]) == (state, n)


# ---- what looks wrong -------------------------------------------------------------------------------------------------


def test_rings_of_any_length_are_found_and_chains_are_none():
    chain = {n: (n - 1, BOUND) for n in range(1, 60)}  # 59 was brought by 58, … 1 by 0
    assert watching.ring(chain, Bond(1, 60, 59, BOUND), on(1)) is None
    found = watching.ring(chain, Bond(1, 0, 59, BOUND), on(1))
    assert found.figure == 60
    assert found.members[:2] == (0, 59)
    assert watching.ring({2: (1, BOUND)}, Bond(1, 1, 2, BOUND), on(1)).members == (1, 2, 1)
    assert watching.ring({2: (1, on(3))}, Bond(1, 1, 2, BOUND), on(1)) is None  # closed only later


def test_many_at_once_are_a_rush():
    watch = ReferralWatch(rush=5, rush_days=2)
    close = [on(n / 4) for n in range(5)]
    spread = [on(n) for n in range(5)]
    assert watching.rush(close, BOND, on(9), watch) == Signal("rush", (), 5)
    assert watching.rush(spread, BOND, on(9), watch) is None
    assert watching.rush(close, Bond(2, 3, 4, on(8)), on(9), watch) is None


def test_friends_who_never_come_back():
    watch = ReferralWatch(once_only=4, once_share=75, once_days=10)
    friends = {n: [bought(f"a{n}", n, 150)] for n in range(4)}
    assert watching.once_only(friends, Bond(1, 9, 10, BOUND), on(30), watch) == Signal("once_only", (), 100)
    friends[0] += [bought("again", 5, 10)]
    assert watching.once_only(friends, Bond(1, 9, 10, BOUND), on(30), watch).figure == 75
    friends[1] += [bought("again", 6, 10)]
    assert watching.once_only(friends, Bond(1, 9, 10, BOUND), on(30), watch) is None
    assert watching.once_only(friends, Bond(1, 9, 10, BOUND), on(5), watch) is None  # too early to say


def test_signals_hold_what_is_unpaid_and_dated_ones_also_what_was_paid():
    shared, ring = Signal("phone", (3,), 1), Signal("ring", (1, 2, 1), 2)
    assert watching.holds([shared], paid=False, decision="")
    assert not watching.holds([shared], paid=True, decision="")
    assert watching.holds([ring], paid=True, decision="")
    assert not watching.holds([ring, shared], paid=False, decision="approved")


# ---- the tree ---------------------------------------------------------------------------------------------------------


def test_a_tree_adds_up_its_branches_and_is_cut_where_it_goes_round():
    below = tree.edges([(2, 1), (3, 1), (4, 2), (1, 4)])  # 4 brought 1: a ring
    worth = {n: tree.Worth(1, 1, n, n * 100, 0) for n in (2, 3, 4)}
    root = tree.branch(below, worth, 1)
    assert [c.member for c in root.children] == [2, 3]
    assert root.branch == tree.Worth(3, 3, 9, 900, 0)
    assert root.children[0].children[0].children[0].ring
    shallow = tree.branch(below, worth, 1, depth=1)
    assert shallow.branch == root.branch
    assert shallow.children[0].deeper


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=31, unique_by=lambda e: e[0]))
def test_any_graph_ends_and_counts_everybody_once(pairs):
    below = tree.edges((a, b) for a, b in pairs if a != b)
    worth = {n: tree.Worth(1) for n in range(31)}
    for depth in (1, 3, 40):
        assert tree.branch(below, worth, 0, depth).branch.friends == tree.reach(below, worth, 0).friends <= 30


# ---- the charter's part -----------------------------------------------------------------------------------------------


def test_the_handbook_says_it_in_both_languages():
    part = {"steps": [{"points": 100}, {"at_least": 5, "points": 200}], "caps": {"per_month": 3}, "budget": 10_000}
    for language, words in (
        ("zh", ("推荐码", "从第 5 位起", "10000")),
        ("en", ("short code", "From friend 5 on", "10000")),
    ):
        [section] = [s for s in describe(charter(**part), language) if s.key == "referral"]
        for word in words:
            assert word in " ".join(section.sentences)
    assert not [s for s in describe(document.from_plain(CHARTER)) if s.key == "referral"]


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ({"friend": {}, "steps": []}, "referral"),
        ({"steps": [{"points": 1}, {"points": 2}]}, "referral.steps.1.at_least"),
        ({"steps": [{"at_least": 2}]}, "referral.steps.0"),
        ({"caps": {"per_month": 5, "per_member": 3}}, "referral.caps.per_month"),
        ({"budget": 60}, "referral.budget"),
    ],
)
def test_contradictions_are_told_with_their_place(part, where):
    with pytest.raises(CharterInvalid) as told:
        charter(**part)
    assert [f.where for f in told.value.faults] == [where]


def test_the_worked_table_of_the_page():
    page = Path(__file__).parents[3] / "docs" / "algorithms" / "referral.md"
    table = page.read_text(encoding="utf-8").split("Worked:")[1].split("\n\n")[1]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert len(lines) == 10
    for told, day, state in lines:
        orders = []
        for n, part in enumerate(told.split(";") if told != "–" else ()):
            paid, *back = part.split(", back ")
            at, amount = paid.split(":")
            refunds = [(float(b.split(" on ")[1]), float(b.split(" on ")[0])) for b in back]
            orders.append(bought(f"o{n}", float(at), float(amount), *refunds))
        found = judge(terms(), BOND, orders, on(float(day)))
        assert f"{found.state} {found.code}".strip() == state, told
