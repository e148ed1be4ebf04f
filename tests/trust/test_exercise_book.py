"""The engine against an exercise book kept by other rules of thumb: thousands of made-up histories, no database."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import replay
from tests.trust import size
from tests.trust.exercise_book import CHARTER, ExerciseBook, Fact

ZONE = ZoneInfo("Asia/Shanghai")
JOINED = datetime(2025, 1, 10, 4, tzinfo=UTC)
VERSIONS = Versions([(JOINED, Terms(document.from_plain(CHARTER), ZONE, 1))])

moments = st.integers(0, 300 * 24 * 4).map(lambda n: JOINED + timedelta(minutes=15 * n))


@st.composite
def histories(draw) -> list[Fact]:
    """What may have been granted at the time and looks impossible now: spends without cover, refunds told late."""
    facts: list[Fact] = []
    for i in range(draw(st.integers(0, 6))):
        at, left = draw(moments), draw(st.integers(0, 300)) * 100 + draw(st.integers(0, 99))
        facts.append(Fact("order", f"order:{i}", at, left))
        for j in range(draw(st.integers(0, 2))):
            part = draw(st.integers(0, left))
            left -= part
            facts.append(
                Fact("refund", f"refund:{i}:{j}", at + timedelta(hours=draw(st.integers(0, 4000))), part, f"order:{i}")
            )
    for i in range(draw(st.integers(0, 2))):
        facts.append(Fact("adjust", f"adjust:{i}", draw(moments), draw(st.integers(-80, 80).filter(bool))))
    for i in range(draw(st.integers(0, 3))):
        at, left = draw(moments), draw(st.integers(1, 250))
        facts.append(Fact("burn", f"burn:{i}", at, left))
        for j in range(draw(st.integers(0, 2))):
            part = draw(st.integers(0, left))
            left -= part
            if part:
                at += timedelta(hours=draw(st.integers(0, 3000)))
                facts.append(Fact("return", f"return:{i}:{j}", at, part, f"burn:{i}"))
    for i in range(draw(st.integers(0, 2))):
        at, amount = draw(moments), draw(st.integers(1, 200))
        until = at + timedelta(hours=draw(st.integers(1, 200)))
        facts.append(Fact("hold", f"hold:{i}", at, amount, until=until))
        end = at + (until - at) * draw(st.integers(0, 99)) / 100
        how = draw(st.sampled_from(["capture", "release", "time out"]))
        if how == "capture":
            facts.append(Fact("capture", f"capture:{i}", end, draw(st.integers(1, amount)), f"hold:{i}"))
        elif how == "release":
            facts.append(Fact("release", f"release:{i}", end, 0, f"hold:{i}"))
    return facts


def told(fact: Fact) -> ev.Event:
    match fact.kind:
        case "order":
            return ev.Purchase(fact.name, fact.at, fact.amount)
        case "refund":
            return ev.Refunded(fact.name, fact.at, fact.of, fact.amount)
        case "adjust":
            return ev.Adjusted(fact.name, fact.at, fact.amount)
        case "burn":
            return ev.Burn(fact.name, fact.at, fact.amount)
        case "return":
            return ev.BurnReturned(fact.name, fact.at, fact.of, fact.amount)
        case "hold":
            assert fact.until is not None
            return ev.HoldPlaced(fact.name, fact.at, fact.amount, fact.until)
        case "capture":
            return ev.HoldCaptured(fact.name, fact.at, fact.of, fact.amount)
        case _:
            return ev.HoldReleased(fact.name, fact.at, fact.of)


def _at(day: int) -> datetime:
    return JOINED + timedelta(days=day)


# One line pays twice into one return: as what was spent, and as what later repaid a debt. Both halves come back after the
# line's end, into one line of grace. Chance seldom finds it.
TWICE_INTO_ONE_GRACE = [
    Fact("order", "order:0", _at(0), 10_000),
    Fact("burn", "burn:0", _at(10), 40),
    Fact("burn", "burn:1", _at(11), 100),
    Fact("return", "return:0:0", _at(12), 40, "burn:0"),
    Fact("return", "return:1:0", _at(150), 100, "burn:1"),
]


@settings(max_examples=size(600, 60_000), deadline=None)
@example(TWICE_INTO_ONE_GRACE, [_at(13), _at(151), _at(170), _at(200)])
@given(histories(), st.lists(moments, min_size=1, max_size=3))
def test_the_engine_and_the_exercise_book_agree_at_any_moment(facts, looks):
    book = ExerciseBook(ZONE, facts)
    for now in looks:
        page = book.page(now)
        fold = replay(VERSIONS, [told(f) for f in facts if f.at <= now], joined_at=JOINED, until=now)
        books = fold.books
        assert books.debt >= 0
        assert (books.available(now), books.pending(now), books.held(), books.debt) == (
            page.available, page.pending, page.held, page.debt,
        )  # fmt: skip
        assert {lot.key: lot.remaining for lot in books.lots.values() if lot.remaining} == page.left
