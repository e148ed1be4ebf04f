"""What must hold for every history: Hypothesis makes them up."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.engine.charter.standing import Standing
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold, replay
from tests.engine.ledger.test_fold import JOINED, charter

VERSIONS = charter(points={"pending_days": 5})
END = JOINED + timedelta(days=500)


@st.composite
def histories(draw) -> list[ev.Event]:
    """Purchases, refunds of them, spends and adjustments at any time; refunds never exceed their order."""
    found: list[ev.Event] = []
    moment = st.integers(0, 400 * 24 * 60).map(lambda m: JOINED + timedelta(minutes=m))
    for i in range(draw(st.integers(0, 8))):
        when, net = draw(moment), draw(st.integers(0, 300_000))
        found.append(ev.Purchase(f"order:{i}", when, net))
        left = net
        for j in range(draw(st.integers(0, 2))):
            part = draw(st.integers(0, left))
            left -= part
            later = when + timedelta(minutes=draw(st.integers(0, 100_000)))
            found.append(ev.Refunded(f"refund:{i}:{j}", later, f"order:{i}", part))
    for i in range(draw(st.integers(0, 3))):
        found.append(ev.Burn(f"burn:{i}", draw(moment), draw(st.integers(1, 2000))))
    for i in range(draw(st.integers(0, 2))):
        found.append(ev.Adjusted(f"adjust:{i}", draw(moment), draw(st.integers(1, 500))))
    return found


def state(fold: Fold):
    lots = sorted((x.key, x.granted, x.remaining, x.held, x.expires_at) for x in fold.books.lots.values())
    return lots, fold.books.debt, fold.books.standing.to_json(), fold.moves


@given(histories(), st.randoms())
def test_arrival_order_does_not_matter(happenings, random):
    shuffled = list(happenings)
    random.shuffle(shuffled)
    assert state(replay(VERSIONS, happenings, joined_at=JOINED)) == state(replay(VERSIONS, shuffled, joined_at=JOINED))


@given(histories())
def test_the_books_balance_after_every_event(happenings):
    fold = replay(VERSIONS, happenings, joined_at=JOINED, until=END)
    member = debt = 0
    for effect in fold.effects:
        assert sum(effect.legs.values()) == 0  # I1
        member += effect.legs.get("member", 0)
        debt -= effect.legs.get("debt", 0)
        assert member >= 0
        assert debt >= 0
    books = fold.books
    assert member == books.balance  # I2, I6
    assert debt == books.debt
    for lot in books.lots.values():
        assert 0 <= lot.held <= lot.remaining <= lot.granted  # I4
        uses = sum(n for e in fold.effects for k, _, n in e.uses if k == lot.key)
        assert lot.granted - lot.remaining == uses  # I5
    if books.debt:
        assert books.balance == books.held()  # I7


@given(histories())
def test_a_fully_refunded_order_leaves_no_points(happenings):
    fold = replay(VERSIONS, happenings, joined_at=JOINED)
    for event in happenings:
        if isinstance(event, ev.Purchase):
            issued = sum(
                -e.legs.get("issued", 0)
                for e in fold.effects
                if e.event == event.event or e.event.startswith(f"refund:{event.event[6:]}:")
            )
            assert issued == fold._sales[event.event].points  # I11
            if fold._sales[event.event].net == 0:
                assert issued == 0


@settings(max_examples=60)
@given(histories(), st.integers(0, 20))
def test_going_on_from_stored_books_ends_like_folding_all_at_once(happenings, cut):
    told = sorted(happenings, key=ev.order_of)
    whole = replay(VERSIONS, told, joined_at=JOINED, until=END)
    first = replay(VERSIONS, told[:cut], joined_at=min([JOINED, *(e.at for e in told[:1])]))
    later = told[cut:]
    if any(isinstance(e, ev.Refunded) for e in later):
        return  # those go by refolding
    books = first.books
    books.standing = Standing.from_json(books.standing.to_json())  # as it comes out of the database
    second = Fold(VERSIONS, books)
    second.run(later)
    second.advance(END)
    assert sorted(map(str, books.lots.values())) == sorted(map(str, whole.books.lots.values()))
    assert books.standing.to_json() == whole.books.standing.to_json()
    assert first.effects + second.effects == whole.effects
    assert first.moves + second.moves == whole.moves
