"""What must hold for every history under every kind of charter: Hypothesis makes them up."""

import copy
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.engine.charter.standing import Standing
from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold, replay
from shuke.engine.ledger.purse import ClosedPurse, Purse
from tests.engine.ledger.test_fold import JOINED, charter

END = JOINED + timedelta(days=500)
MINUTES = 400 * 24 * 60


def _name(text: str) -> dict:
    return {"zh": text, "en": text}


TIERS = [
    {"key": "member", "name": _name("m")},
    {"key": "silver", "name": _name("s"), "reach": {"measure": "growth", "at_least": 400}, "multiplier": "1.2"},
    {"key": "gold", "name": _name("g"), "multiplier": 2,
     "reach": {"any": [{"all": [{"measure": "orders", "at_least": 3}, {"measure": "amount", "at_least": 1500}]},
                       {"measure": "single_order", "at_least": 2500}]},
     "keep": {"measure": "amount", "at_least": 800}},
]  # fmt: skip
RULES = [
    {"key": "base", "name": _name("b"), "kind": "per_amount", "caps": {"per_month": 4000}},
    {"key": "tea", "name": _name("t"), "kind": "per_amount", "per": 2, "when": {"categories": ["TEA"]}, "group": "one"},
    {"key": "piece", "name": _name("p"), "kind": "per_item", "points": 3, "when": {"categories": ["TEA"]}, "group": "one"},
    {"key": "day", "name": _name("d"), "kind": "multiply", "times": "1.5", "when": {"days": [{"nth": 1, "weekday": 3}]}},
    {"key": "big", "name": _name("x"), "kind": "fixed", "points": 40, "when": {"min_amount": 500}, "limits": {"per_week": 1},
     "budget": {"points": 130}},
    {"key": "first", "name": _name("f"), "kind": "fixed", "points": 20, "when": {"first_purchase": True}},
    {"key": "sign", "name": _name("i"), "kind": "activity", "activity": "check_in", "points": 2, "limits": {"per_day": 1},
     "streaks": [{"days": 2, "points": 3}]},
    {"key": "friend", "name": _name("r"), "kind": "activity", "activity": "referral", "gives": "growth", "points": 150,
     "limits": {"per_month": 2}},
    {"key": "joining", "name": _name("j"), "kind": "activity", "activity": "join", "points": 5},
]  # fmt: skip
PLUS = [{"key": "plus", "name": _name("+"), "tier": "gold", "months": 2, "price": 50, "products": ["PLUS"]}]
CHARTERS: dict[str, Versions] = {
    "plain": charter(points={"pending_days": 5}),
    "rich": charter(
        points={"pending_days": 5, "groups": [{"key": "one"}], "caps": {"per_day": 900}}, tiers=TIERS, earning=RULES,
        memberships=PLUS, grading={"notice_days": 20, "protection_days": 30, "growth_loss": {"months": 4}},
    ),
    "rolling": charter(
        points={"expiry": {"kind": "activity", "months": 2}, "rounding": "half_up", "round_per": "line", "clawback": "balance",
                "groups": [{"key": "one", "take": "first"}], "stacking": "best"},
        tiers=TIERS, earning=RULES, memberships=PLUS,
        grading={"upgrade": "at_review", "review": {"kind": "quarterly"}, "on_refund": "at_once", "fall": "to_fit",
                 "window": {"kind": "calendar_quarter"}, "growth_loss": {"yearly_percent": 20, "month": 3}},
    ),
    "completion": charter(
        points={"pending_from": "completion", "pending_days": 3, "base": {"freight": True, "points": True}, "clawback": "lot",
                "expiry": {"kind": "months", "months": 2, "to": "quarter"}, "groups": [{"key": "one"}]},
        tiers=TIERS, earning=RULES, memberships=PLUS, grading={"window": {"kind": "anniversary"}},
    ),
}  # fmt: skip


@st.composite
def histories(draw) -> list[ev.Event]:
    """Everything that can happen, at any time; refunds never exceed their order, holds and spends are ended or not."""
    found: list[ev.Event] = []
    moment = st.integers(0, MINUTES).map(lambda m: JOINED + timedelta(minutes=m))
    for i in range(draw(st.integers(0, 8))):
        when, net = draw(moment), draw(st.integers(0, 300_000))
        plus = draw(st.integers(0, 5)) == 0
        tea = draw(st.integers(0, net))
        gone = draw(st.sampled_from([0, tea]))  # came back with the first refund
        lines = (
            ev.GoodsLine(tea, "TEA/GREEN", "T", "", 2000),
            ev.GoodsLine(net - tea, "CUP", "PLUS" if plus else "C", "", 1000),
        )
        done = draw(st.none() | st.integers(0, 40).map(lambda d, when=when: when + timedelta(days=d)))
        parts = draw(st.none() | st.just(ev.Parts(freight=800, points=500)))
        found.append(ev.Purchase(f"order:{i}", when, net, lines, done_at=done, parts=parts))
        left = net
        for j in range(draw(st.integers(0, 2))):
            part = draw(st.integers(0, left))
            left -= part
            later = when + timedelta(minutes=draw(st.integers(0, 100_000)))
            back = (ev.Back(0, gone, 2000),) if gone and not j else ()
            found.append(ev.Refunded(f"refund:{i}:{j}", later, f"order:{i}", part, back))
    for i in range(draw(st.integers(0, 3))):
        found.append(ev.Burn(f"burn:{i}", when := draw(moment), amount := draw(st.integers(1, 2000))))
        if draw(st.booleans()):
            after = when + timedelta(minutes=draw(st.integers(0, 200_000)))
            found.append(ev.BurnReturned(f"return:{i}", after, f"burn:{i}", draw(st.integers(1, amount))))
    for i in range(draw(st.integers(0, 2))):
        found.append(ev.Adjusted(f"adjust:{i}", draw(moment), draw(st.integers(-300, 500).filter(bool))))
        found.append(ev.GrowthAdjusted(f"growth:{i}", draw(moment), draw(st.integers(-300, 500))))
    for i in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["check_in", "referral", "unknown"]))
        found.append(ev.Activity(f"activity:{i}", draw(moment), kind))
    for i in range(draw(st.integers(0, 2))):
        found.append(ev.MembershipBought(f"membership:{i}", when := draw(moment), "plus"))
        if draw(st.booleans()):
            after = when + timedelta(minutes=draw(st.integers(0, 100_000)))
            found.append(ev.MembershipEnded(f"membership_end:{i}", after, f"membership:{i}"))
    for i in range(draw(st.integers(0, 1))):
        found.append(ev.Reinstated(f"reinstate:{i}", draw(moment), draw(st.integers(1, 300))))
        until = draw(st.none() | moment)
        found.append(
            ev.TierGiven(f"tier:{i}", draw(moment), "gold", until, draw(st.sampled_from(["manual", "invited"])))
        )
    return found


every_charter = pytest.mark.parametrize("name", CHARTERS)


def state(fold: Fold):
    lots = sorted(
        (x.key, x.granted, x.remaining, x.held, x.expires_at, x.available_at) for x in fold.books.lots.values()
    )
    return lots, fold.books.debt, fold.books.standing.to_json(), fold.moves, fold.notices


@every_charter
@given(happenings=histories(), random=st.randoms())
def test_arrival_order_does_not_matter(name, happenings, random):
    shuffled = list(happenings)
    random.shuffle(shuffled)
    versions = CHARTERS[name]
    assert state(replay(versions, happenings, joined_at=JOINED)) == state(replay(versions, shuffled, joined_at=JOINED))


@every_charter
@given(happenings=histories())
def test_the_books_balance_after_every_event(name, happenings):
    fold = replay(CHARTERS[name], happenings, joined_at=JOINED, until=END)
    silent = replay(CHARTERS[name], happenings, joined_at=JOINED, until=END, tells=False)
    assert [replace(move, why={}) for move in silent.moves] == [replace(move, why={}) for move in fold.moves]
    silent.moves = fold.moves  # they differ in why
    assert state(silent) == state(fold)
    member = debt = growth = 0
    for effect in fold.effects:
        assert sum(effect.legs.values()) == 0  # I1
        member += effect.legs.get("member", 0)
        debt -= effect.legs.get("debt", 0)
        growth += effect.growth
        assert member >= 0
        assert debt >= 0
        assert growth >= 0
    books = fold.books
    assert member == books.balance  # I2, I6
    assert debt == books.debt
    assert growth == books.standing.totals[3]  # I19
    for lot in books.lots.values():
        assert 0 <= lot.held <= lot.remaining <= lot.granted  # I4
        uses = sum(n for e in fold.effects for k, _, n in e.uses if k == lot.key)
        assert lot.granted - lot.remaining == uses  # I5
    if books.debt:
        assert books.balance == books.held()  # I7


@every_charter
@given(happenings=histories())
def test_a_fully_refunded_order_leaves_no_points_and_no_growth_value(name, happenings):
    fold = replay(CHARTERS[name], happenings, joined_at=JOINED)
    for event in happenings:
        if isinstance(event, ev.Purchase):
            sale = fold._sales[event.event]
            mine = [
                e for e in fold.effects if e.event == event.event or e.event.startswith(f"refund:{event.event[6:]}:")
            ]
            assert sum(-e.legs.get("issued", 0) for e in mine) == sale.points  # I11
            if sale.refunded >= event.net and sale.refunded:
                assert (sale.points, sale.growth) == (0, 0)


@every_charter
@given(happenings=histories())
def test_a_budget_is_never_overdrawn_and_a_second_fold_finds_what_the_first_drew(name, happenings):
    purse = Purse()
    first = replay(CHARTERS[name], happenings, joined_at=JOINED, purse=purse)
    assert sum(g.taken for g in purse.grants.values()) == purse.taken.get("big", 0) <= 130
    again = replay(CHARTERS[name], happenings, joined_at=JOINED, purse=ClosedPurse(copy.deepcopy(purse.grants), {}))
    assert first.effects == again.effects


@every_charter
@settings(max_examples=60)
@given(happenings=histories(), cut=st.integers(0, 25))
def test_going_on_from_stored_books_ends_like_folding_all_at_once(name, happenings, cut):
    versions = CHARTERS[name]
    told = sorted(happenings, key=ev.order_of)
    whole = replay(versions, told, joined_at=JOINED, until=END)
    purse = Purse()
    first = replay(versions, told[:cut], joined_at=min([JOINED, *(e.at for e in told[:1])]), purse=purse)
    later = told[cut:]
    if any(isinstance(e, ev.Refunded | ev.BurnReturned | ev.Reinstated) for e in later):
        return  # those go by refolding
    books = first.books
    books.standing = Standing.from_json(books.standing.to_json())  # as it comes out of the database
    second = Fold(versions, books, purse=purse)
    second.run(later)
    second.advance(END)
    assert sorted(map(str, books.lots.values())) == sorted(map(str, whole.books.lots.values()))
    assert books.standing.to_json() == whole.books.standing.to_json()
    assert first.effects + second.effects == whole.effects
    assert first.moves + second.moves == whole.moves
    assert first.notices + second.notices == whole.notices
