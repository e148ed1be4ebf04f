"""What a member is close to."""

from datetime import date

from shuke.engine.benefits import Done, Streak, progress
from tests.engine.benefits.people import at, named, terms

NOON = at("2026-06-10 12:00")


def plan(key: str, *steps: int, **changes) -> dict:
    told = [{"at_least": n, "name": named(f"{key} {n}")} for n in steps]
    return {"key": key, "name": named(key), "steps": told, **changes}


def done(counted=None, claimed=None, streaks=None, tier="member") -> Done:
    return Done(date(2025, 3, 5), tier, counted or {}, claimed or {}, streaks or {})


def test_what_can_be_claimed_comes_first_then_what_is_nearest():
    charter = terms(plans=[plan("far", 1000), plan("near", 100), plan("due", 50)])
    told = progress(charter, done({"far": 10_000, "near": 9_900, "due": 6_000}), NOON)
    assert [c.key for c in told] == ["due", "near", "far"]
    assert (told[1].missing, told[1].unit) == (100, "minor")
    assert [(i, step.name.en, n) for i, step, n in told[0].due] == [(0, "due 50", 1)]


def test_what_came_back_is_not_taken_away_but_nothing_more_is_due_until_it_is_caught_up():
    charter = terms(plans=[plan("tea", 10, counts="pieces", repeat=True)])
    claimed = {"tea.0": 2}
    assert progress(charter, done({"tea": 19_000}, claimed), NOON)[0].due == ()
    assert progress(charter, done({"tea": 20_000}, claimed), NOON)[0].due == ()
    assert progress(charter, done({"tea": 30_000}, claimed), NOON)[0].due[0][2] == 1


def test_a_plan_runs_within_its_dates_and_for_its_tiers():
    charter = terms(
        plans=[
            plan("past", 1, until_date="2026-06-09"),
            plan("gold", 1, tiers=["gold"]),
            plan("june", 1, from_date="2026-06-05"),
        ]
    )
    told = progress(charter, done(), NOON)
    assert [c.key for c in told] == ["june"]
    assert told[0].span.start == at("2026-06-05")
    assert told[0].span.end == at("2027-01-01")


def test_honours_are_shown_and_never_due():
    charter = terms(plans=[plan("fan", 3, 10, counts="orders", honour=True, per="lifetime")])
    told = progress(charter, done({"fan": 4}), NOON)[0]
    assert (told.kind, told.due, [n for _, _, n in told.reached], told.missing) == ("honour", (), [1], 6)


SIGN_IN = {
    "key": "sign_in", "name": named("签到"), "kind": "activity", "activity": "check_in", "points": 1,
    "limits": {"per_day": 1}, "streaks": [{"days": 3, "points": 5}, {"days": 7, "points": 20}],
}  # fmt: skip


def test_a_streak_says_how_many_days_are_missing():
    charter = terms(earning=[SIGN_IN])

    def told(last: str, days: int):
        found = progress(charter, done(streaks={"check_in": Streak("check_in", date.fromisoformat(last), days)}), NOON)
        return found[0].have, found[0].need, found[0].next_name.en

    assert told("2026-06-10", 2) == (2, 3, "+5 points")
    assert told("2026-06-09", 4) == (4, 6, "+5 points")  # 6 is the second three; the week comes after
    assert told("2026-06-09", 6) == (6, 7, "+20 points")
    assert told("2026-06-08", 6) == (0, 3, "+5 points")  # yesterday was left out


def test_offers_of_the_till_come_last():
    offers = [
        {"key": "full", "name": named("满减"), "kind": "ladder", "rungs": [{"at_least": 200, "off": 25}]},
        {"key": "tea3", "name": named("茶三免一"), "kind": "buy_get", "buy": 2, "get": 1},
        {
            "key": "gold",
            "name": named("金卡"),
            "kind": "ladder",
            "rungs": [{"at_least": 1, "percent": 5}],
            "when": {"tiers": ["gold"]},
        },
    ]
    told = progress(terms(plans=[plan("near", 100)], selling={"offers": offers}), done(), NOON)
    assert [(c.kind, c.key, c.missing) for c in told] == [
        ("plan", "near", 10_000),
        ("offer", "full", 20_000),
        ("offer", "tea3", 2_000),
    ]
    assert [c.next_name.en for c in told[1:]] == ["25 off", "1 free"]
