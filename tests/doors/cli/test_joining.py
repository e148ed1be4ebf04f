"""`shuke members add|set`."""

from __future__ import annotations

import pytest

from shuke.flows.open_shop import open_shop
from shuke.members import queries
from shuke.members.models import Member
from tests import cast


@pytest.fixture
def shop(db):
    return open_shop(name="兰记", now=cast.OPENED).merchant


def test_a_member_is_made_and_changed(shop, shuke):
    made = shuke(
        "members", "add", "--name", "张小明", "--phone", "13812345678", "--birthday", "08-15L", "--tag", "vip",
        "--account", "taobao:快乐小猪", "--day", "child:2020-06-01:豆豆", "--consent", "sms:care=yes", "--json",
    ).json  # fmt: skip
    ann = Member.objects.get(card=made["card"])
    assert (ann.birth_month, ann.birth_lunar, ann.tags) == (8, True, ["vip"])
    assert queries.special_days(shop, ann.pk)[0].name == "豆豆"
    assert shuke("members", "set", "快乐小猪", "--occupation", "教师", "--name", "张晓明").code == 0
    ann.refresh_from_db()
    assert (ann.occupation, ann.name, ann.birth_month) == ("教师", "张晓明", 8)
    refused = shuke("members", "add", "--name", "李雷", "--phone", "138 1234 5678")
    assert refused.code == 1
    assert ann.card in refused.err
    assert shuke("members", "add", "--name", "李雷", "--phone", "138 1234 5678", "--anyway").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say at least"),
        (("--name", "x", "--birthday", "soon"), "A day is written"),
        (("--name", "x", "--store", "none"), "no store"),
        (("--name", "x", "--served-by", "nobody"), "Nobody of the staff"),
        (("--name", "x", "--consent", "sms"), "A consent is written"),
        (("--name", "x", "--gender", "?"), "gender"),
        (("--name", "x", "--attribute", "shoe=42"), "define the attribute first"),
    ],
)
def test_what_is_written_wrongly_is_refused_and_nobody_is_made(shop, shuke, arguments, said):
    answer = shuke("members", "add", *arguments)
    assert answer.code == 1
    assert said in answer.err
    assert Member.objects.count() == 0
