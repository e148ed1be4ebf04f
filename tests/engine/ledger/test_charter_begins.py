"""A version of the charter that grades otherwise comes into force: everybody is graded by it from that moment on."""

from datetime import UTC, datetime

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold, replay
from tests.engine.ledger.test_fold import JOINED, SHANGHAI, at, back, buy

SECOND = datetime(2026, 5, 31, 16, tzinfo=UTC)  # 1 June in Shanghai


def tier(key, least=None, **more):
    reach = {} if least is None else {"reach": {"measure": "amount", "at_least": least}}
    return {"key": key, "name": {"zh": key, "en": key.title()}} | reach | more


def version(*tiers, earning=(), **grading):
    return {
        "name": {"zh": "章程", "en": "Charter"},
        "currency": "CNY",
        "points": {"pending_days": 0},
        "tiers": list(tiers),
        "grading": {"window": {"kind": "rolling", "months": 12}} | grading,
        "earning": [{"key": "base", "name": {"zh": "基础", "en": "Base"}, "kind": "per_amount"}, *earning],
        "memberships": [{"key": "plus", "name": {"zh": "卡", "en": "Card"}, "tier": tiers[-1]["key"], "price": 99}],
    }


def versions(*told) -> Versions:
    starts = [JOINED, SECOND, datetime(2026, 8, 31, 16, tzinfo=UTC)]
    return Versions(
        [(s, Terms(document.from_plain(v), SHANGHAI, n)) for n, (s, v) in enumerate(zip(starts, told, strict=False), 1)]
    )


def life(told, *happenings, until=SECOND) -> Fold:
    return replay(versions(*told), happenings, joined_at=JOINED, until=until)


FIRST = version(tier("normal"), tier("silver", 1000), tier("gold", 5000), tier("vip", 20000))


def last(fold: Fold):
    move = fold.moves[-1]
    return move.at, move.before, move.after, move.cause, move.why.get("charter"), move.step


def test_a_tier_called_otherwise_is_held_by_whoever_held_it_at_once():
    second = version(tier("normal"), tier("star", 1000), tier("sun", 5000), tier("vip", 20000))
    fold = life([FIRST, second], buy("a", at(3, 1), 6000))
    assert fold.books.standing.tier == "sun"
    assert last(fold) == (SECOND, "gold", "sun", "charter", "renamed", 0)
    assert fold.books.standing.since == at(3, 1)  # it is the same tier


def test_before_it_begins_nothing_changes():
    second = version(tier("normal"), tier("star", 1000))
    fold = life([FIRST, second], buy("a", at(3, 1), 1500), until=at(5, 31))
    assert (fold.books.standing.tier, fold.moves[-1].cause) == ("silver", "reached")


def test_two_tiers_become_one_where_the_charter_says_so():
    second = version(tier("normal"), tier("star", 3000, was=["silver", "gold"]), tier("vip", 20000))
    assert last(life([FIRST, second], buy("a", at(3, 1), 1500)))[1:] == ("silver", "star", "charter", "merged", 0)
    assert last(life([FIRST, second], buy("a", at(3, 1), 5500)))[1:] == ("gold", "star", "charter", "merged", 0)


def test_of_a_tier_that_is_gone_members_have_the_next_lower_one_or_what_they_reach():
    fewer = version(tier("normal"), tier("silver", 1000), tier("vip", 20000))
    assert last(life([FIRST, fewer], buy("a", at(3, 1), 6000)))[1:] == ("gold", "silver", "charter", "removed", -1)
    easier = version(tier("normal"), tier("silver", 1000), tier("vip", 5500))
    fold = life([FIRST, easier], buy("a", at(3, 1), 6000))
    assert last(fold)[1:] == ("gold", "vip", "charter", "removed", 1)
    assert fold.moves[-1].why["reach"]["figure"] == 600000


def test_whoever_reaches_more_by_the_new_conditions_rises_when_they_begin():
    easier = version(tier("normal"), tier("silver", 1000), tier("gold", 3000), tier("vip", 20000))
    fold = life([FIRST, easier], buy("a", at(3, 1), 4000))
    assert last(fold) == (SECOND, "silver", "gold", "charter", "same", 1)
    assert fold.books.standing.review_at == datetime(2027, 5, 31, 16, tzinfo=UTC)  # a year from then
    waits = version(tier("normal"), tier("silver", 1000), tier("gold", 3000), upgrade="at_review")
    assert life([FIRST, waits], buy("a", at(3, 1), 4000)).books.standing.tier == "silver"


def test_nobody_falls_because_more_is_asked_before_the_review():
    harder = version(tier("normal"), tier("silver", 2000), tier("gold", 9000), tier("vip", 20000))
    fold = life([FIRST, harder], buy("a", at(3, 1), 6000))
    assert fold.books.standing.tier == "gold"
    after = life([FIRST, harder], buy("a", at(3, 1), 6000), until=datetime(2027, 3, 2, tzinfo=UTC))
    assert after.books.standing.tier == "silver"  # one step, at the review a year after it was reached


def test_what_was_given_by_hand_invited_or_bought_follows_its_tier():
    second = version(tier("normal"), tier("star", 1000), tier("sun", 5000), tier("peak", 20000))
    given = life([FIRST, second], ev.TierGiven("g", at(2, 1), "gold", None))
    assert (given.tier_at(given.versions.at(SECOND)), given.books.standing.floors) == ("sun", [("sun", None)])
    bought = life([FIRST, second], ev.MembershipBought("m", at(2, 1), "plus"))
    assert bought.tier_at(bought.versions.at(SECOND)) == "peak"
    assert last(bought)[1:] == ("vip", "peak", "charter", "renamed", 0)


def test_reviews_are_those_of_the_charter_in_force():
    never = FIRST | {"grading": FIRST["grading"] | {"review": {"kind": "never"}}}
    yearly = FIRST | {"grading": FIRST["grading"] | {"review": {"kind": "yearly"}, "notice_days": 30}}
    fold = life([never, yearly], buy("a", at(3, 1), 1500))
    assert fold.books.standing.review_at == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert fold.books.standing.notice_at == datetime(2026, 12, 1, 16, tzinfo=UTC)
    assert life([yearly, never], buy("a", at(3, 1), 1500)).books.standing.review_at is None
    at_review = yearly | {"grading": yearly["grading"] | {"upgrade": "at_review"}}
    assert life([never, at_review]).books.standing.review_at is not None  # the lowest tier is looked at, too


def test_a_charter_that_grades_alike_is_no_event():
    same = version(
        *FIRST["tiers"], earning=[{"key": "more", "name": {"zh": "多", "en": "More"}, "kind": "fixed", "points": 5}]
    )
    fold = life([FIRST, same], buy("a", at(3, 1), 1500))
    assert [m.cause for m in fold.moves] == ["joined", "reached"]
    assert fold.last_at == at(3, 1)


def test_there_and_back_again():
    other = version(tier("normal"), tier("star", 1000), tier("gold", 5000), tier("vip", 20000))
    told = [FIRST, other, FIRST]
    fold = life(told, buy("a", at(3, 1), 1500), until=at(9, 2))
    assert [(m.before, m.after) for m in fold.moves[2:]] == [("silver", "star"), ("star", "silver")]


def test_the_new_charter_counts_for_what_happens_at_its_first_moment():
    """A review due at the very moment is by the new conditions, and knows the new names."""
    yearly = {"review": {"kind": "yearly", "month": 6, "day": 1}}
    first = version(tier("normal"), tier("silver", 1000), **yearly)
    second = version(tier("normal"), tier("star", 2000), **yearly)
    fold = life([first, second], buy("a", at(3, 1), 1500))
    assert [(m.before, m.after, m.cause) for m in fold.moves[2:]] == [
        ("silver", "star", "charter"),
        ("star", "normal", "review"),
    ]


def test_a_refund_before_it_begins_counts():
    easier = version(tier("normal"), tier("silver", 1000), tier("gold", 3000))
    fold = life([FIRST, easier], buy("a", at(3, 1), 4000), back("a", at(4, 1), 1500))
    assert fold.books.standing.tier == "silver"


def test_growth_fades_on_the_days_of_the_charter_in_force():
    fading = {"growth_loss": {"yearly_percent": 50, "month": 7, "day": 1}}
    fold = life([FIRST, FIRST | {"grading": FIRST["grading"] | fading}], buy("a", at(3, 1), 100), until=at(7, 2))
    assert fold.books.standing.totals[3] == 50


def test_as_called_today():
    second = version(tier("normal"), tier("star", 1000), tier("gold", 5000), tier("vip", 20000))
    all_of_them = versions(FIRST, second)
    held = [(JOINED, "normal"), (at(2, 1), "silver"), (SECOND, "star"), (at(7, 1), "gold")]
    assert all_of_them.as_called(held, at(7, 2)) == [(JOINED, "normal"), (at(2, 1), "star"), (at(7, 1), "gold")]
    assert all_of_them.as_called(held[:2], at(4, 1))[-1][1] == "silver"
