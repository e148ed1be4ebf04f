"""The search box: what an assistant types, and whom it finds."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine.facts import Address, Phone
from shuke.members import queries, values
from shuke.members.actions import add_contacts, edit_profile, recognise, remove_contacts
from shuke.members.actions.contacts import NewContact
from shuke.members.models import Contact, Member
from shuke.shops.models import Merchant
from tests.cast import NOON
from tests.members.people import card, nick, person, uid


@pytest.fixture
def ming(lan):
    """张小明, 快乐的小猪2020 on Taobao, with one phone and one e-mail; and 李红梅, who is somebody else."""
    answers = recognise(
        merchant=lan.merchant,
        people=[
            person(
                nick("快乐的小猪2020"),
                uid("AAH7x"),
                card("VIP-0088"),
                name="张小明",
                phones=("+8613812345678",),
                email="Ming@Example.org",
            ),
            person(nick("hongmei_tony"), name="李红梅", phones=("+8615987654321",)),
        ],
        now=NOON,
    )
    return answers[0].member_id


@pytest.mark.parametrize(
    ("typed", "by"),
    [
        ("5678", "phone"), ("1381", "phone"), ("234567", "phone"), ("12345678", "phone"), ("13812345678", "phone"),
        ("+86 138 1234 5678", "phone"), ("138-1234-5678", "phone"), ("１２３４５", "phone"),
        ("张小明", "name"), ("张", "name"), ("小明", "name"), ("明", "name"),
        ("快乐", "nickname"), ("小猪2020", "nickname"), ("2020", "nickname"), ("快乐的小猪2020", "nickname"),
        ("zhangxiaoming", "pinyin"), ("zhangx", "pinyin"), ("ZXM", "pinyin"), ("xm", "pinyin"), ("zhang xiao ming", "pinyin"),
        ("kldxz", "pinyin"),
        ("ming@example.org", "email"), ("AAH7x", "platform_id"), ("VIP0088", "card"), ("VIP-0088", "card"),
        ("小明 5678", "phone"), ("zhang 5678", "phone"), ("张 快乐", "name"),
    ],
)  # fmt: skip
def test_it_finds_by(lan, ming, typed, by):
    assert [(hit.member_id, hit.matched_by) for hit in queries.find(lan.merchant, typed)] == [(ming, by)]


def test_it_finds_by_a_whole_card_and_by_the_beginning_of_one(lan, ming):
    own = Member.objects.get(id=ming).card
    assert [(hit.member_id, hit.matched_by) for hit in queries.find(lan.merchant, own)] == [(ming, "card")]
    assert ming in [hit.member_id for hit in queries.find(lan.merchant, own[:9])]


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "9999", "138", "5679", "张小红", "q", "小明 5679", "%", "_", "'", "*", "王 5678", "@", "56785678"],
)
def test_it_does_not_find_by(lan, ming, typed):
    assert queries.find(lan.merchant, typed) == []


def test_those_whose_number_ends_in_the_digits_come_first(lan):
    people = [
        person(nick(str(i)), phones=(f"+8613{n}",)) for i, n in enumerate(("888812345", "812348888", "812888845"))
    ]
    ids = [answer.member_id for answer in recognise(merchant=lan.merchant, people=people, now=NOON)]
    found = [hit.member_id for hit in queries.find(lan.merchant, "8888")]
    assert found[0] == ids[1]
    assert set(found) == set(ids)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("5678", "138****5678"), ("1381", "1381*******"), ("2345", "138*2345***"), ("张", "138****5678")],
)
def test_a_hit_shows_the_first_three_digits_and_exactly_those_typed(lan, ming, typed, shown):
    assert [hit.phone_shown for hit in queries.find(lan.merchant, typed)] == [shown]


def test_a_limit_is_kept(lan):
    recognise(merchant=lan.merchant, people=[person(nick(f"n{i}"), name="张小明") for i in range(30)], now=NOON)
    assert len(queries.find(lan.merchant, "张", limit=7)) == 7


def test_after_a_change_of_name_the_new_one_finds_and_the_old_one_does_not(lan, ming):
    edit_profile(merchant=lan.merchant, member_id=ming, changes={"name": "张晓鸣"}, now=NOON, actor="lan")
    assert [hit.name for hit in queries.find(lan.merchant, "晓鸣")] == ["张晓鸣"]
    assert queries.find(lan.merchant, "小明") == []
    assert [hit.matched_by for hit in queries.find(lan.merchant, "快乐")] == ["nickname"]


def test_a_phone_added_by_hand_finds_until_it_is_removed(lan, ming):
    add_contacts(merchant=lan.merchant, contacts=[NewContact(ming, Phone("+8613777776666"))], now=NOON, actor="lan")
    assert [hit.phone_shown for hit in queries.find(lan.merchant, "7776")] == ["137*7776***"]
    added = Contact.objects.get(merchant=lan.merchant, member_id=ming, role="member")
    assert remove_contacts(merchant=lan.merchant, contact_ids=[added.id], now=NOON, actor="lan") == 1
    assert queries.find(lan.merchant, "7776") == queries.find(lan.merchant, "13777776666") == []
    assert [hit.phone_shown for hit in queries.find(lan.merchant, "5678")] == ["138****5678"]


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    numbers=st.lists(st.from_regex(r"1[3-9][0-3]{9}", fullmatch=True), min_size=1, max_size=6, unique=True),
    start=st.integers(min_value=0, max_value=7),
    length=st.integers(min_value=4, max_value=11),
)
def test_any_four_or_more_digits_find_exactly_the_phones_that_have_them(numbers, start, length):
    merchant = Merchant.objects.create(name="digits", created_at=NOON)
    people = [person(nick(f"n{chr(97 + i)}"), phones=("+86" + number,)) for i, number in enumerate(numbers)]
    ids = [answer.member_id for answer in recognise(merchant=merchant, people=people, now=NOON)]
    typed = numbers[0][start : start + length]
    if len(typed) < 4:
        typed = numbers[0][-4:]
    expected = {id for id, number in zip(ids, numbers, strict=True) if typed in number}
    assert {hit.member_id for hit in queries.find(merchant, typed)} == expected


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    names=st.lists(st.text(alphabet="张王李小明红梅", min_size=2, max_size=10), min_size=1, max_size=6, unique=True),
    start=st.integers(min_value=0, max_value=9),
    length=st.integers(min_value=1, max_value=10),
)
def test_any_piece_of_a_chinese_name_finds_exactly_the_names_that_have_it(names, start, length):
    merchant = Merchant.objects.create(name="names", created_at=NOON)
    people = [person(uid(f"u{i}"), name=name) for i, name in enumerate(names)]
    ids = [answer.member_id for answer in recognise(merchant=merchant, people=people, now=NOON)]
    typed = names[0][start : start + length] or names[0]
    expected = {id for id, name in zip(ids, names, strict=True) if typed in name}
    assert {hit.member_id for hit in queries.find(merchant, typed)} == expected


def test_no_term_and_no_posting_is_left_out_by_signs_that_sort_high(lan):
    """The range of a prefix ends before the next prefix, also where the bytes run high."""
    recognise(
        merchant=lan.merchant,
        people=[person(nick("龥龥"), name="🐷猪猪"), person(nick("龥"), name="\U0003134a")],
        now=NOON,
    )
    assert len(queries.find(lan.merchant, "龥")) == 2
    assert len(queries.find(lan.merchant, "\U0003134a")) == 1


@pytest.mark.parametrize(
    ("number", "typed", "shown"),
    [
        ("+8613812345678", "345678", "138**345678"), ("+8613812345678", "999", "138****5678"), ("+14155550123", "0123", "141****0123"),
        ("138****5678", "5678", "138****5678"), ("12345", "", "***45"),
    ],
)  # fmt: skip
def test_numbers_are_masked_in_one_way(number, typed, shown):
    assert values.number_showing(number, typed) == shown


@given(
    st.integers(min_value=0, max_value=10**9 - 1),
    st.integers(min_value=0, max_value=10),
    st.integers(min_value=1, max_value=9),
)
def test_a_card_with_one_wrong_digit_is_no_card(serial, place, wrong):
    card = values.card_number(serial)
    assert len(card) == 12
    assert values.is_card(card)
    broken = card[:place] + str((int(card[place]) + wrong) % 10) + card[place + 1 :]
    assert not values.is_card(broken)


def test_an_address_can_be_kept_and_is_shown_without_its_detail(lan, ming):
    home = Address("中山路1号302室", "上海", "上海", "黄浦区")
    add_contacts(merchant=lan.merchant, contacts=[NewContact(ming, home, "home")] * 2, now=NOON, actor="lan")
    (kept,) = [c for c in queries.contacts_of(lan.merchant, ming) if c.kind == "address"]
    assert (kept.shown, kept.role) == ("上海 上海 黄浦区 ***", "home")
