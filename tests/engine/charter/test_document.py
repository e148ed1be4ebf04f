"""A charter is read, checked and written again; contradictions come back as sentences that say where and what to do."""

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.describe import describe


@pytest.mark.parametrize("name", ["general", "grocer", "beauty"])
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
