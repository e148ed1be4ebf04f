"""Who may have which benefit when, and how often."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.benefits import Given, right, rights
from shuke.engine.benefits.periods import span
from shuke.engine.charter.document import CharterInvalid
from shuke.engine.charter.rights import KINDS
from tests.engine.benefits.people import SHANGHAI, at, benefit, named, someone, terms

NOON = at("2026-06-10 12:00")


def one(told: dict, who=None, when=NOON, store=""):
    charter = terms(told)
    return right(charter, charter.charter.rights.benefits[0], who or someone(), when, store)


def test_what_is_left_after_some_were_handed_out():
    used = someone(
        given=[Given("ironing", at("2026-06-01")), Given("ironing", at("2026-05-31 23:59")), Given("other", NOON)]
    )
    told = one(benefit(), used)
    assert (told.code, told.allowed, told.used, told.left) == ("", 2, 1, 1)


def test_a_used_up_quota_comes_back_with_the_next_period():
    who = someone(given=[Given("ironing", at("2026-06-01")), Given("ironing", at("2026-06-02"))])
    assert one(benefit(), who).code == "used_up"
    assert one(benefit(), who, at("2026-06-30 23:59")).code == "used_up"
    assert one(benefit(), who, at("2026-07-01")).code == ""


@pytest.mark.parametrize(
    ("per", "start", "end"),
    [
        ("day", "2026-06-10", "2026-06-11"),
        ("week", "2026-06-08", "2026-06-15"),
        ("month", "2026-06-01", "2026-07-01"),
        ("quarter", "2026-04-01", "2026-07-01"),
        ("year", "2026-01-01", "2027-01-01"),
        ("member_year", "2026-03-05", "2027-03-05"),
    ],
)
def test_periods_are_the_shops_own_days(per, start, end):
    found = span(per, date(2026, 6, 10), date(2025, 3, 5), SHANGHAI)
    assert found == (at(start), at(end))


def test_a_membership_year_of_somebody_who_joined_on_a_leap_day():
    assert span("member_year", date(2026, 2, 28), date(2024, 2, 29), SHANGHAI).start == at("2026-02-28")
    assert span("member_year", date(2026, 2, 27), date(2024, 2, 29), SHANGHAI).start == at("2025-02-28")


def test_the_tiers_own_period_begins_when_it_was_reached():
    told = benefit(per="tier", grants=[{"tiers": ["gold"], "times": 1}])
    before = Given("ironing", at("2026-01-01"))
    assert one(told, someone(("2025-01-01", "gold"), given=[before])).code == "used_up"
    again = someone(("2025-01-01", "gold"), ("2026-02-01", "member"), ("2026-05-01", "gold"), given=[before])
    assert one(told, again).code == ""


def test_each_reason_why_not():
    gold_only = benefit(grants=[{"tiers": ["gold"], "times": 1}])
    assert one(gold_only).code == "not_this_tier"
    assert one(benefit(when={"birthday": "month"})).code == "no_birthday"
    assert one(benefit(when={"special_days": ["wedding"]})).code == "no_special_day"
    assert one(benefit(when={"stores": ["XH"]})).code == "not_here"
    assert one(benefit(when={"stores": ["XH"]}), store="XH").code == ""
    assert one(benefit(when={"until_date": "2026-06-09"})).code == "over"
    assert one(benefit(kind="discount", grants=[{}])).code == "automatic"
    assert one(benefit(), someone(frozen=True)).code == "frozen"
    late = one(benefit(when={"month_days": [8]}))
    assert (late.code, late.next_on) == ("not_now", date(2026, 7, 8))


def test_birthdays_and_special_days():
    born = someone(birthday=(6, 30, False))
    assert one(benefit(when={"birthday": "month"}), born).code == ""
    assert one(benefit(when={"birthday": "day"}), born).next_on == date(2026, 6, 30)
    assert one(benefit(when={"birthday": "week"}), born, at("2026-06-29 10:00")).code == ""
    turn = someone(birthday=(1, 1, False))  # the week of New Year's Day begins in the year before
    assert one(benefit(when={"birthday": "week"}), turn, at("2026-12-31 10:00")).code == ""
    moon = someone(birthday=(5, 5, True))  # Dragon Boat day of 2026 is the 19th of June
    assert one(benefit(when={"birthday": "day"}), moon, at("2026-06-19 10:00")).code == ""
    wed = someone(special_days=[("wedding", 6, 12, False)])
    around = benefit(when={"special_days": ["wedding"], "before": 3, "after": 1})
    assert [one(around, wed, at(f"2026-06-{d:02d} 10:00")).code for d in (8, 9, 13, 14)] == [
        "not_now",
        "",
        "",
        "not_now",
    ]


def test_hours_are_the_shops():
    told = benefit(when={"hours": [14, 15]})
    assert one(told, when=at("2026-06-10 14:00")).code == ""
    assert one(told, when=at("2026-06-10 16:00")).code == "not_now"


def test_an_own_kind_needs_no_code():
    charter = terms(benefit(kind="tea_table"), rights={"kinds": [{"key": "tea_table", "name": named("茶席")}]})
    assert rights(charter, someone(), NOON)[0].code == ""
    silent = {"key": "tea_table", "name": named("茶席"), "handed_out": False}
    charter = terms(benefit(kind="tea_table", grants=[{}]), rights={"kinds": [silent]})
    assert rights(charter, someone(), NOON)[0].code == "automatic"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_house_can_be_written_into_a_charter(kind):
    told = (
        benefit(kind=kind) if KINDS[kind][2] else benefit(kind=kind, grants=[{}])
    )  # what nobody hands out is not counted
    assert one(told).code == ("" if KINDS[kind][2] else "automatic")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (benefit(kind="massage"), "unknown_kind"),
        (benefit(grants=[{"tiers": ["platinum"], "times": 1}]), "unknown_tier"),
        (benefit(grants=[{"tiers": ["gold"]}, {"tiers": ["gold"], "times": 1}]), "granted_twice"),
        (benefit(on_tier_change="prorate", per="tier"), "cannot_prorate"),
        (benefit(on_tier_change="prorate", grants=[{}]), "cannot_prorate"),
        (benefit(when={"before": 3}), "days_around_special"),
        (benefit(kind="discount", percent=10, grants=[{}]), "not_at_the_till"),
        (benefit(kind="discount"), "never_counted"),
        (benefit(when={"from_date": "2026-02-01", "until_date": "2026-01-01"}), "ends_before_start"),
        (benefit(when={"days": [{"festival": "no_such_day"}]}), "unknown_festival"),
    ],
)
def test_contradictions_are_told(wrong, code):
    with pytest.raises(CharterInvalid) as told:
        terms(wrong)
    assert [f.code for f in told.value.faults] == [code]
    assert all(f.say("zh") != f.say("en") for f in told.value.faults)


def test_a_discount_is_promised_to_those_who_get_it_at_the_till():
    gold = benefit(kind="discount", percent=10, grants=[{"tiers": ["gold"]}])
    born = benefit(kind="birthday_discount", percent=10, grants=[{"tiers": ["gold"]}])
    price = {"key": "p", "name": named("p"), "percent": 10}
    fits = [
        (gold, {}, True),
        (gold, {"tiers": ["gold"]}, True),
        (gold, {"tiers": ["member"]}, False),
        (born, {"tiers": ["gold"]}, False),
        (born, {"birthday": "month"}, True),
    ]
    for promised, when, kept in fits:
        selling = {"prices": [price | {"when": when}]}
        if kept:
            assert terms(promised, selling=selling)
            continue
        with pytest.raises(CharterInvalid, match="the till takes nothing off"):
            terms(promised, selling=selling)


def test_contradictions_of_plans_are_told():
    steps = [{"at_least": 10, "name": named("a")}, {"at_least": 10, "name": named("b"), "points": 5}]
    with pytest.raises(CharterInvalid) as told:
        terms(plans=[{"key": "p", "name": named("p"), "steps": steps, "honour": True}])
    assert [f.code for f in told.value.faults] == ["steps_rise", "honour_gives"]


# -- laws ---------------------------------------------------------------------------------------------------------

CHANGES = st.lists(st.integers(1, 29), max_size=5, unique=True).map(sorted)
QUOTAS = st.integers(1, 20)


@given(CHANGES, QUOTAS, QUOTAS, st.integers(0, 29))
def test_prorate_lies_between_the_smallest_and_the_best_and_all_agree_without_a_change(days, low, high, today):
    held = [("2025-01-01", "member")]
    now = at("2026-06-01 12:00") + timedelta(days=today)
    for i, day in enumerate(d for d in days if d <= today):
        held.append((str(date(2026, 6, 1) + timedelta(days=day)), "gold" if i % 2 == 0 else "member"))
    who = someone(*held)
    grants = [{"tiers": ["gold"], "times": high}, {"times": low}]
    keep, share, present = (
        one(benefit(grants=grants, on_tier_change=p), who, now).allowed for p in ("keep", "prorate", "now")
    )
    tiers = {tier for _, tier in held}
    quotas = [high if tier == "gold" else low for tier in tiers]
    assert keep == max(quotas)
    assert min(quotas) <= share <= keep
    assert present <= keep
    if len(tiers) == 1:
        assert keep == share == present


@given(st.lists(st.integers(0, 60), max_size=30), QUOTAS)
def test_what_is_left_and_what_was_used_add_up(days, quota):
    who = someone(given=[Given("ironing", at("2026-05-01 12:00") + timedelta(days=d)) for d in days])
    told = one(benefit(grants=[{"times": quota}]), who)
    assert told.used == sum(1 for d in days if 31 <= d <= 60)
    assert told.left == max(0, quota - told.used)
    assert (told.code == "") == (told.left > 0)
