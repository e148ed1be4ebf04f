"""Somebody joins at the counter, and tells more later."""

from __future__ import annotations

import pytest

from shuke.engine.facts import Address, Birthday
from shuke.flows.join import Day, IdentityTaken, PhoneKnown, Said, join, tell
from shuke.loyalty.models import TierChange, Wallet
from shuke.members import actions, queries
from shuke.members.actions import Definition
from shuke.members.models import Member
from tests.cast import NOON
from tests.loyalty.books import publish
from tests.members.people import nick, person, phone

pytestmark = pytest.mark.django_db
MING = "+8613812345678"

ALL = Said(
    profile={
        "name": "张小明", "gender": "f", "birthday": Birthday(1990, 8, 15, True), "occupation": "教师", "income_band": "10-20万",
        "acquired_by": "街边活动", "acquisition_cost_minor": 1250, "note": "喜欢橙色",
    },
    phones=(MING,), email="ming@example.org", addresses=(Address("中山路1号", "上海", "上海市", "黄浦区"),),
    nicknames=(("taobao", "快乐小猪"),), attributes={"skin": "dry"}, tags=("老客",),
    days=(Day("wedding", "", 2015, 10, 1), Day("child", "豆豆", 2020, 6, 1)),
    consents=(("sms", "promotion", True), ("phone", "care", False)), wording="2026-01", evidence="form 17",
)  # fmt: skip


def do(shop, said, **more):
    return join(merchant=shop.merchant, said=said, source="counter", now=NOON, actor="lan", **more).member


def test_everything_told_is_there_and_found(lan):
    publish(lan.merchant)
    actions.define_attributes(
        merchant=lan.merchant, definitions=[Definition("skin", "choice", options=("dry", "oily"))]
    )
    ann = do(lan, ALL)
    assert (ann.name, ann.occupation, ann.income_band, ann.acquisition_cost_minor) == (
        "张小明",
        "教师",
        "10-20万",
        1250,
    )
    assert (ann.birth_month, ann.birth_lunar, ann.attributes, ann.tags) == (8, True, {"skin": "dry"}, ["老客"])
    assert sorted(c.kind for c in queries.contacts_of(lan.merchant, ann.pk)) == ["address", "email", "phone"]
    assert [d.name for d in queries.special_days(lan.merchant, ann.pk)] == ["豆豆", ""]
    held = queries.current_consents(lan.merchant, ann.pk)
    assert {k: (c.granted, c.wording, c.evidence, c.actor) for k, c in held.items()} == {
        ("sms", "promotion"): (True, "2026-01", "form 17", "lan"),
        ("phone", "care"): (False, "2026-01", "form 17", "lan"),
    }
    for text in ("5678", "zxm", "快乐小猪", ann.card):
        assert [h.member_id for h in queries.find(lan.merchant, text)] == [ann.pk], text
    assert Wallet.objects.get(member=ann).tier == "member"
    assert TierChange.objects.get(member=ann).cause == "joined"


def test_files_recognise_who_joined_by_hand(lan):
    actions.define_attributes(merchant=lan.merchant, definitions=[Definition("skin", "text")])
    ann = do(lan, ALL)
    people = [person(nick("快乐小猪")), person(phone(MING))]
    found = actions.recognise(merchant=lan.merchant, people=people, now=NOON)
    assert [one.member_id for one in found] == [ann.pk] * 2


def test_a_known_phone_is_said_and_a_shared_one_only_reaches(lan):
    ann = do(lan, Said(profile={"name": "张小明"}, phones=(MING,)))
    with pytest.raises(PhoneKnown) as known:
        do(lan, Said(profile={"name": "李雷"}, phones=("138 1234 5678",)))
    assert [m.pk for m in known.value.holders] == [ann.pk]
    lei = do(lan, Said(profile={"name": "李雷"}, phones=(MING,)), anyway=True)
    assert {h.member_id for h in queries.find(lan.merchant, "5678")} == {ann.pk, lei.pk}
    (found,) = actions.recognise(merchant=lan.merchant, people=[person(phone(MING))], now=NOON)
    assert found.member_id == ann.pk


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(phones=("138****5678",)), actions.BadContact),
        (Said(profile={"name": "x"}, email="nobody"), actions.BadContact),
        (Said(profile={"gender": "?"}), actions.BadProfile),
        (Said(attributes={"shoe": "42"}), actions.BadAttribute),
        (Said(days=(Day("wedding", "", 0, 13, 1),)), actions.BadDay),
        (Said(nicknames=(("taobao", "快乐小猪"),)), IdentityTaken),
    ],
)
def test_what_cannot_be_is_refused_and_nobody_joins_by_halves(lan, said, error):
    actions.recognise(merchant=lan.merchant, people=[person(nick("快乐小猪"))], now=NOON)
    with pytest.raises(error):
        do(lan, said)
    assert Member.objects.count() == 1


def test_telling_more_changes_only_what_is_told_and_the_same_again_nothing(lan):
    ann = do(lan, Said(profile={"name": "张小明"}, phones=(MING,), days=(Day("wedding", "", 0, 10, 1),)))
    said = Said(profile={"occupation": "教师"}, days=(Day("child", "豆豆", 2020, 6, 1),))
    for _ in range(2):
        ann = tell(merchant=lan.merchant, member_id=ann.pk, said=said, source="counter", now=NOON, actor="lan")
    assert (ann.name, ann.occupation) == ("张小明", "教师")
    assert [d.kind for d in queries.special_days(lan.merchant, ann.pk)] == ["child"]
    edited = [line for line in queries.timeline(lan.merchant, ann.pk) if line.kind == "profile.edited"]
    assert len(edited) == 4  # name; first days; occupation; other days
