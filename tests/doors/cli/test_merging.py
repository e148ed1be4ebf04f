"""`shuke members suspicions|apart|merge|unmerge`."""

from __future__ import annotations

import pytest

from shuke.engine.facts import Claim, IdentityKind, Person, Phone
from shuke.flows.open_shop import open_shop
from shuke.members.actions import recognise
from shuke.members.models import Member
from tests import cast


@pytest.fixture
def pair(db):
    merchant = open_shop(name="兰记", now=cast.OPENED).merchant
    people = [
        Person(claims=(Claim(IdentityKind.NICKNAME, n, "taobao"),), name="张小明", phones=(Phone("+8613812345678"),))
        for n in ("旧名", "新名")
    ]
    found = recognise(merchant=merchant, people=people, now=cast.NOON)
    return [Member.objects.get(pk=one.member_id).card for one in found]


def test_a_pair_is_listed_told_apart_and_suggested_again(pair, shuke):
    listed = shuke("members", "suspicions", "--json").json
    assert [(p["one"]["card"], p["other"]["card"], p["reasons"]) for p in listed] == [(*pair, ["same_phone"])]
    assert shuke("members", "apart", *pair).code == 0
    assert shuke("members", "suspicions", "--json").json == []
    assert len(shuke("members", "suspicions", "--apart", "--json").json) == 1
    assert "suggested again" in shuke("members", "apart", *pair, "--again").out
    assert pair[0] in shuke("members", "suspicions").out


def test_a_merge_is_previewed_done_once_and_taken_back(pair, shuke):
    seen = shuke("members", "merge", *pair, "--preview", "--json").json
    assert (seen["survivor"]["card"], seen["absorbed"]["card"]) == tuple(pair)
    assert Member.objects.filter(state="merged").count() == 0
    assert "together" in shuke("members", "merge", *pair, "--preview").out
    assert shuke("members", "merge", *pair).code == 1  # without a reason
    done = shuke("members", "merge", *pair, "--reason", "told us", "--take", "nickname=absorbed", "--json").json
    assert shuke("members", "merge", *pair, "--reason", "told us", "--json").json["replayed"]
    assert shuke("members", "show", pair[1], "--json").json["card"] == pair[0]
    assert shuke("members", "unmerge", pair[1], "--reason", "sisters", "--json").json["merge"] == done["merge"]
    assert shuke("members", "show", pair[1], "--json").json["card"] == pair[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--reason", "x", "--take", "shoe=absorbed"), "cannot be chosen"),
        (("--reason", "x", "--take", "name=left"), "choose survivor or absorbed"),
        ((), "Say in a few words"),
    ],
)
def test_what_is_written_wrongly_is_refused_with_a_sentence(pair, shuke, arguments, said):
    answer = shuke("members", "merge", *pair, *arguments)
    assert answer.code == 1
    assert said in answer.err


def test_nothing_to_take_back_says_so(pair, shuke):
    answer = shuke("members", "unmerge", pair[0])
    assert answer.code == 1
    assert "Which merge?" in answer.err


def test_a_card_is_lost_replaced_and_still_finds_its_member(pair, shuke):
    assert shuke("members", "card", pair[0], "--lost", "--reason", "bus", "--json").json["state"] == "lost"
    told = shuke("members", "card", pair[0], "--replace", "--json").json
    assert told["former"][0]["replaced_by"] == told["card"]
    assert shuke("members", "show", pair[0], "--json").json["card"] == told["card"]
    assert "replaced" in shuke("members", "card", pair[0]).out


def test_freezing_needs_a_reason_and_ends(pair, shuke):
    assert shuke("members", "freeze", *pair).code == 1
    assert shuke("members", "freeze", *pair, "--reason", "sold on", "--json").json == {"changed": 2}
    assert "sold on" in shuke("members", "card", pair[0]).out
    assert shuke("members", "unfreeze", pair[0]).out == "1 set free.\n"
