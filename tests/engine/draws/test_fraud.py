"""Everything a dishonest shop might do to the list, and that `verify` names it."""

import copy

import pytest

from shuke.engine import draws
from shuke.engine.draws.drawing import Outcome
from tests.engine.draws.making import SEED, TERMS, run


def codes(file: dict, **receipts: str) -> set[str]:
    return {f.code for f in draws.verify(file, {int(k[1:]): v for k, v in receipts.items()}).findings}


def relink(file: dict) -> dict:
    """The chain computed anew over what stands there now: what a careful cheat would do."""
    link = draws.first_link(file["commitment"])
    for t in file["tickets"]:
        link = t["link"] = draws.link(
            link, t["number"], t["word"], t["who"], t["at"], t["way"], Outcome(t["drew"], t["won"])
        )
    file["head"] = link
    return file


def test_an_honest_draw_holds():
    told = draws.verify(run(700))
    assert told.findings == []
    assert told.holds
    assert told.won["a"] == 2  # the stock
    assert told.tickets == 700


def first(file: dict, prize: str) -> dict:
    return next(t for t in file["tickets"] if t["drew"] == prize)


def swap_the_seed(file):
    file["seed"] = bytes(31).hex() + "01"


def better_odds_on_paper(file):
    file["terms"]["prizes"][0]["odds"] = "1/50"


def more_stock_on_paper(file):
    file["terms"]["prizes"][0]["stock"] = 3


def a_friend_wins(file):
    first(file, "").update(drew="a", won="a")
    relink(file)


def a_winner_loses(file):
    first(file, "b").update(drew="", won="")
    relink(file)


def the_prize_is_kept(file):
    first(file, "b").update(won="")
    relink(file)


def one_more_than_there_were(file):
    [t for t in file["tickets"] if t["drew"] == "a"][2].update(won="a")
    relink(file)


def a_ticket_vanishes(file):
    del file["tickets"][40]
    relink(file)


def a_ticket_vanishes_and_all_are_numbered_anew(file):
    del file["tickets"][40]
    for n, t in enumerate(file["tickets"], 1):
        t["number"] = n
    relink(file)


def the_last_ticket_vanishes(file):
    del file["tickets"][-1]


def two_change_places(file):
    a, b = file["tickets"][10], file["tickets"][11]
    a["who"], b["who"] = b["who"], a["who"]


def another_person_in_the_list(file):
    file["tickets"][10]["who"] = "M9999"


def a_ticket_after_the_end(file):
    file["tickets"][-1]["at"] = "2026-07-01T00:00:00Z"
    relink(file)


def a_ticket_dated_back(file):
    file["tickets"][20]["at"] = file["tickets"][18]["at"]
    relink(file)


def a_way_that_is_not_in_the_terms(file):
    file["tickets"][5]["way"] = "activity"
    relink(file)


def a_friend_with_too_many(file):
    for t in file["tickets"][:12]:
        t["who"] = "M0001"
    relink(file)


def the_word_is_changed(file):
    file["tickets"][3]["word"] = "luck"
    relink(file)


def the_promise_comes_late(file):
    file["committed_at"] = "2026-06-03T00:00:00Z"


def the_secret_is_out_early(file):
    file["revealed_at"] = "2026-06-30T00:00:00Z"


@pytest.mark.parametrize(
    ("fraud", "code"),
    [
        (swap_the_seed, "commitment"),
        (better_odds_on_paper, "commitment"),
        (more_stock_on_paper, "commitment"),
        (a_friend_wins, "drew"),
        (a_winner_loses, "drew"),
        (the_prize_is_kept, "won"),
        (one_more_than_there_were, "won"),
        (a_ticket_vanishes, "number"),
        (a_ticket_vanishes_and_all_are_numbered_anew, "drew"),
        (the_last_ticket_vanishes, "head"),
        (two_change_places, "link"),
        (another_person_in_the_list, "link"),
        (a_ticket_after_the_end, "time"),
        (a_ticket_dated_back, "backwards"),
        (a_way_that_is_not_in_the_terms, "way"),
        (a_friend_with_too_many, "per_member"),
        (a_friend_with_too_many, "per_day"),
        (the_word_is_changed, "drew"),
        (the_promise_comes_late, "committed_late"),
        (the_secret_is_out_early, "seed_early"),
    ],
)
def test_fraud_is_named(fraud, code):
    file = run(600)
    assert codes(file) == set()
    fraud(file)
    assert code in codes(file)
    assert not draws.verify(file).holds


def test_what_only_a_receipt_can_show():
    """Somebody else's name on a winning ticket, the whole chain computed anew: the winner's receipt does not fit any more."""
    file = run(100)
    receipt = first(file, "b")
    number, link = receipt["number"], receipt["link"]
    cheated = copy.deepcopy(file)
    cheated["tickets"][number - 1]["who"] = "M9999"
    relink(cheated)
    assert codes(cheated) == set()
    assert codes(cheated, **{f"t{number}": link}) == {"receipt"}
    assert codes(file, **{f"t{number}": link[:12].upper()}) == set()


def test_before_the_seed_is_out_all_but_the_outcomes_is_checked():
    file = run(50)
    del file["seed"]
    told = draws.verify(file)
    assert (told.holds, told.revealed, [f.code for f in told.findings]) == (True, False, ["no_seed"])
    a_ticket_vanishes(file)
    assert "number" in codes(file)


@pytest.mark.parametrize(
    "broken", [None, [], {}, {"terms": {}}, {"terms": TERMS, "tickets": [None, {"number": "x"}], "seed": "zz"}]
)
def test_rubbish_is_told_and_never_a_crash(broken):
    told = draws.verify(broken)
    assert not told.holds
    assert all(f.say("zh") and f.say("en") for f in told.findings)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"format": "x"}, "not_a_draw"),
        ({"prizes": []}, "no_prizes"),
        ({"closes_at": "2026-06-01T00:00:00Z"}, "times"),
        ({"opens_at": "2026-06-01"}, "field"),
        ({"zone": "Mars"}, "field"),
        ({"ways": {}}, "no_way"),
        ({"ways": {"luck": 1}}, "no_way"),
        ({"limits": {"per_day": 0}}, "field"),
        ({"prizes": [{"key": "a", "odds": "0.1/2"}]}, "odds"),
        ({"prizes": [{"key": "a", "odds": "0"}]}, "odds"),
        ({"prizes": [{"key": "a", "odds": "3/2"}]}, "odds"),
        ({"prizes": [{"key": "a", "odds": "2/3"}, {"key": "b", "odds": "1/2"}]}, "odds_sum"),
        ({"prizes": [{"key": "a", "odds": "1/3"}, {"key": "a", "odds": "1/3"}]}, "key_twice"),
        ({"prizes": [{"key": "a", "odds": "1/3", "stock": 0}]}, "stock"),
        ({"prizes": [{"key": "a", "odds": "1/3", "when_gone": "a"}]}, "when_gone"),
        ({"prizes": [{"key": "a", "odds": "1/1000000000039"}]}, "odds_fine"),
    ],
)
def test_terms_that_are_no_draw(change, code):
    with pytest.raises(draws.DrawInvalid) as told:
        draws.read_terms({**TERMS, **change})
    assert told.value.code == code
    assert told.value.say("zh") != told.value.say("en")


def test_terms_mean_the_same_however_they_are_spelled():
    turned = dict(reversed(TERMS.items()))
    assert draws.commitment(draws.canonical(turned), SEED) == draws.commitment(draws.canonical(TERMS), SEED)
