"""A charter is read, checked and written again; contradictions come back as sentences that say where and what to do."""

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.describe import describe


@pytest.mark.parametrize("name", ["general", "grocer", "beauty", "kids", "cafe"])
def test_ready_charters_are_valid_and_survive_writing(name):
    charter = document.ready(name)
    assert document.read(document.to_yaml(charter)) == charter
    assert document.read(document.to_json(charter)) == charter
    for language in ("zh", "en"):
        sections = describe(charter, language)
        assert all(s.title and s.sentences and all(s.sentences) for s in sections)


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(document.CharterInvalid) as caught:
        document.read(text)
    for fault in caught.value.faults:
        assert fault.say("zh") != fault.say("en")
    return [(f.where, f.code) for f in caught.value.faults]


HEAD = "name: {zh: 章, en: c}\ncurrency: CNY\n"


def test_two_tiers_with_the_same_threshold_are_refused_with_the_place():
    text = (
        HEAD
        + """
tiers:
  - {key: a, name: {zh: 甲, en: A}}
  - {key: b, name: {zh: 乙, en: B}, reach: {measure: amount, at_least: 1000}}
  - {key: c, name: {zh: 丙, en: C}, reach: {any: [{measure: amount, at_least: 1000}, {measure: orders, at_least: 9}]}}
"""
    )
    assert faults(text) == [("tiers.2.reach", "same_threshold")]


def test_every_fault_is_told_not_only_the_first():
    text = (
        HEAD
        + """
tiers:
  - {key: a, name: {zh: 甲, en: A}, reach: {measure: amount, at_least: 1}}
  - {key: a, name: {zh: 乙, en: B}}
earning:
  - {key: x, name: {zh: 加, en: X}, kind: fixed, when: {tiers: [gold], from_date: 2026-02-01, until_date: 2026-01-01}}
points: {expiry: {kind: fixed}}
grading: {review: {kind: yearly, month: 2, day: 30}}
"""
    )
    assert faults(text) == [
        ("tiers.1.key", "key_twice"),
        ("tiers.0.reach", "lowest_has_reach"),
        ("tiers.1.reach", "no_reach"),
        ("earning.0.when.tiers", "unknown_tier"),
        ("earning.0.when", "ends_before_start"),
        ("points.expiry.on", "no_fixed_date"),
        ("grading.review", "no_such_day"),
    ]


def test_contradictions_of_tiers_activities_groups_and_days_are_told():
    text = (
        HEAD
        + """
points: {groups: [{key: g}]}
tiers:
  - {key: a, name: {zh: 甲, en: A}}
  - {key: b, name: {zh: 乙, en: B}, paid_only: true, reach: {measure: orders, at_least: 1}, review: {kind: quarterly, month: 4, day: 30}}
memberships: [{key: m, name: {zh: 卡, en: Card}, tier: gold, months: 0}]
grading: {upgrade: at_review, review: {kind: never}}
earning:
  - {key: x, name: {zh: 到, en: X}, kind: activity, activity: check_in, group: g}
  - {key: y, name: {zh: 答, en: Y}, kind: fixed, activity: survey, streaks: [{days: 2, points: 1}], group: h}
  - {key: z, name: {zh: 长, en: Z}, kind: fixed, gives: growth, budget: {points: 5},
     when: {days: [{nth: 1}, {festival: easter}, {month_day: 3, before: 1}]}}
"""
    )
    assert faults(text) == [
        ("tiers.1.reach", "paid_only_has_reach"),
        ("earning.0.limits", "activity_without_limit"),
        ("earning.0.group", "group_of_purchases"),
        ("earning.1.activity", "activity_kind"),
        ("earning.1.streaks", "streaks_kind"),
        ("earning.1.group", "unknown_group"),
        ("earning.2.budget", "budget_of_growth"),
        ("earning.2.when.days.0", "one_day"),
        ("earning.2.when.days.1.festival", "unknown_festival"),
        ("earning.2.when.days.2", "days_around"),
        ("points.groups.0", "small_group"),
        ("memberships.0.tier", "unknown_tier"),
        ("memberships.0", "no_duration"),
        ("grading.upgrade", "never_reviewed"),
        ("tiers.1.review", "late_day"),
        ("tiers.1.review", "quarter_month"),
    ]


def test_misspelt_fields_and_broken_yaml_name_the_place():
    assert faults(HEAD + "tiers: [{key: a, nmae: {zh: 甲, en: A}}]") == [
        ("tiers.0.name", "field"),
        ("tiers.0.nmae", "field"),
    ]
    assert faults("name: [unclosed") == [("line 1, column 16", "not_yaml")]
    assert faults("just words") == [("document", "not_a_charter")]


def test_money_in_yaml_is_never_a_float():
    charter = document.read(HEAD + "tiers: [{key: a, name: {zh: 甲, en: A}}]\npoints: {value: 0.1}")
    assert str(charter.points.value) == "0.1"


def test_what_was_published_is_read_though_more_is_checked_today():
    raw = document.to_plain(document.ready("general"))
    raw["rights"] = {"benefits": [{"key": "off", "name": {"zh": "折", "en": "Off"}, "kind": "discount", "percent": 10}]}
    with pytest.raises(document.CharterInvalid):
        document.from_plain(raw)
    assert document.published(raw).rights.benefits[0].percent == 10
