"""Custom attributes: typed, and refused with what would be allowed."""

from __future__ import annotations

from datetime import date

import pytest

from shuke.members import queries
from shuke.members.actions import (
    BadAttribute,
    BadDefinition,
    Definition,
    define_attributes,
    recognise,
    set_attributes,
)
from shuke.members.models import Member
from tests.cast import NOON
from tests.members.people import nick, person

KINDS = [
    Definition("skin", "choice", "肤质", "Skin", ("干性", "油性", "敏感")),
    Definition("needs", "choices", "需求", "Needs", ("控油", "美白", "抗皱")),
    Definition("size", "number", "童装码", "Child's size"),
    Definition("due", "date", "预产期", "Due date", sensitive=True),
    Definition("chat", "yes_no", "已加微信", "On WeChat"),
    Definition("hobby", "text"),
]


@pytest.fixture
def member(lan):
    define_attributes(merchant=lan.merchant, definitions=KINDS)
    return recognise(merchant=lan.merchant, people=[person(nick("甲"))], now=NOON)[0].member_id


def kept(member):
    return Member.objects.get(id=member).attributes


@pytest.mark.parametrize(
    ("key", "value", "stored"),
    [
        ("skin", "敏感", "敏感"), ("needs", "抗皱，控油", ["控油", "抗皱"]), ("needs", ["美白"], ["美白"]), ("size", "90", 90),
        ("size", "1,234.5", 1234.5), ("due", "2026/3/1", "2026-03-01"), ("due", "2026年12月31日", "2026-12-31"),
        ("due", date(2026, 1, 2), "2026-01-02"), ("chat", "是", True), ("chat", False, False), ("hobby", " 瑜伽 ", "瑜伽"),
    ],
)  # fmt: skip
def test_a_value_is_kept_as_its_type(lan, member, key, value, stored):
    set_attributes(merchant=lan.merchant, values={member: {key: value}})
    assert kept(member) == {key: stored}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("skin", "蓝色", "“skin” cannot be “蓝色”: it takes one of 干性, 油性, 敏感"), ("needs", "控油,睡觉", "“needs” cannot be “睡觉”"),
        ("size", "大", "a number such as 12"), ("size", "nan", "a number"), ("size", True, "a number"), ("due", "2026-02-30", "a day such as"),
        ("due", "明天", "a day such as"), ("chat", "也许", "yes or no"), ("unknown", "x", "define the attribute first"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_which_what_and_what_is_allowed(lan, member, key, value, says):
    with pytest.raises(BadAttribute, match=says):
        set_attributes(merchant=lan.merchant, values={member: {"hobby": "瑜伽", key: value}})
    assert kept(member) == {}


def test_none_takes_a_value_away(lan, member):
    set_attributes(merchant=lan.merchant, values={member: {"hobby": "瑜伽", "size": 90}})
    set_attributes(merchant=lan.merchant, values={member: {"hobby": None}})
    assert kept(member) == {"size": 90}


def test_a_files_text_that_does_not_fit_its_type_is_left_out_and_the_rest_is_taken(lan, member):
    recognise(
        merchant=lan.merchant, people=[person(nick("甲"), attributes=(("size", "大"), ("skin", "干性")))], now=NOON
    )
    assert kept(member) == {"skin": "干性"}


def test_what_a_platforms_export_tells_has_a_name_in_both_languages_and_anything_else_its_own(lan, member):
    told = (("wechat_region", "广东省"), ("养几只猫", "2"))
    recognise(merchant=lan.merchant, people=[person(nick("甲"), attributes=told)], now=NOON)
    named = {kind.key: (kind.label_zh, kind.label_en) for kind in queries.attribute_kinds(lan.merchant)}
    assert named["wechat_region"] == ("微信地域", "WeChat region")
    assert named["养几只猫"] == ("养几只猫", "养几只猫")


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (Definition("skin", "colour"), "must be one of"), (Definition("", "text"), "1 to 40"), (Definition("x", "choice"), "at least one option"),
        (Definition("hobby", "number"), "card .* has “瑜伽”"), (Definition("skin", "choice", options=("油性",)), "card .* has “干性”"),
    ],
)  # fmt: skip
def test_a_definition_that_makes_no_sense_or_breaks_what_is_kept_is_refused(lan, member, definition, says):
    set_attributes(merchant=lan.merchant, values={member: {"hobby": "瑜伽", "skin": "干性"}})
    with pytest.raises(BadDefinition, match=says):
        define_attributes(merchant=lan.merchant, definitions=[Definition("new", "text"), definition])
    assert [kind.key for kind in queries.attribute_kinds(lan.merchant)] == [
        "chat",
        "due",
        "hobby",
        "needs",
        "size",
        "skin",
    ]


def test_a_text_whose_values_all_fit_can_become_a_choice(lan, member):
    set_attributes(merchant=lan.merchant, values={member: {"hobby": "瑜伽"}})
    (kind,) = define_attributes(
        merchant=lan.merchant, definitions=[Definition("hobby", "choice", "爱好", "Hobby", ("瑜伽", "跑步"))]
    )
    assert (kind.type, kind.label_zh, kind.options) == ("choice", "爱好", ["瑜伽", "跑步"])
