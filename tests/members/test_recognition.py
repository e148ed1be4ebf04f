"""Who is this? Stories of docs/algorithms/recognition.md."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shuke.engine.facts import Birthday, Claim, Person, Phone
from shuke.members import queries
from shuke.members.actions import Newcomers, preview, recognise, undo_created
from shuke.members.models import Contact, Identity, Member, Suspicion, TimelineLine
from shuke.members.values import is_card
from tests.cast import NOON
from tests.members.people import HOME, MING, K, card, nick, person, phone, uid


def meet(shop, *people, at=None, **more):
    answers = recognise(merchant=shop.merchant, people=people, now=NOON, seen_at=at, **more)
    return [answer.member_id for answer in answers]


def doubts(shop):
    return sorted(Suspicion.objects.filter(merchant=shop.merchant).values_list("reason", flat=True))


def test_the_same_nickname_is_the_same_member(lan):
    one, again = meet(lan, person(nick("快乐小猪"))), meet(lan, person(nick("快乐小猪")))
    assert one == again


def test_the_same_person_many_times_in_a_batch_becomes_one_member(lan):
    answers = recognise(merchant=lan.merchant, people=[person(nick("快乐小猪"))] * 50, now=NOON)
    assert len({a.member_id for a in answers}) == 1
    assert [a.created for a in answers] == [True] + [False] * 49
    assert Member.objects.filter(merchant=lan.merchant).count() == 1


def test_a_nickname_belongs_to_its_platform(lan):
    assert len(set(meet(lan, person(nick("小雨", "taobao")), person(nick("小雨", "jd"))))) == 2


def test_nobody_and_people_without_a_usable_claim_are_guests(lan):
    people = [None, Person(), person(name="张小明", phones=(MING,)), person(nick("  "))]
    assert meet(lan, *people) == [None] * 4
    assert Member.objects.count() == 0


@pytest.mark.parametrize(
    "nobody",
    [
        Person(claims=(nick("t**1"),)),
        Person(claims=(phone("+86138****5678"),)),
        Person(claims=(Claim(K.EMAIL, "w***@example.org"),)),
        Person(claims=(phone("18400913965-7576"),)),
        Person(claims=(phone(MING),), phones=(Phone(MING, virtual=True),)),
        Person(claims=(Claim(K.NAME_ADDRESS, "张小明 上海"),)),
    ],
    ids=["masked nickname", "masked phone", "masked e-mail", "extension", "virtual number", "name and address"],
)
def test_what_looks_alike_for_different_people_never_says_who_somebody_is(lan, nobody):
    assert meet(lan, nobody, nobody) == [None, None]


def test_two_members_with_the_same_masked_or_virtual_phone_stay_two_without_suspicion(lan):
    starred = Phone("138****5678", masked=True)
    rented = Phone("+8618400913965", virtual=True)
    people = [Person(claims=(nick(n),), name="张小明", phones=(starred, rented)) for n in ("甲", "乙")]
    assert len(set(meet(lan, *people))) == 2
    assert doubts(lan) == []
    assert queries.find(lan.merchant, "3965") == []


def test_the_platforms_own_number_outweighs_a_changed_nickname(lan):
    (before,) = meet(lan, person(uid("u1"), nick("旧名"), nickname="旧名"), at=[NOON - timedelta(days=9)])
    (after,) = meet(lan, person(uid("u1"), nick("新名"), nickname="新名"))
    assert after == before
    assert Member.objects.get(id=before).nickname == "新名"
    assert meet(lan, person(nick("旧名")), person(nick("新名"))) == [before, before]


def test_an_older_file_does_not_bring_an_old_nickname_back(lan):
    (member,) = meet(lan, person(uid("u1"), nickname="新名"))
    meet(lan, person(uid("u1"), nickname="旧名"), at=[NOON - timedelta(days=400)])
    assert Member.objects.get(id=member).nickname == "新名"
    assert [hit.member_id for hit in queries.find(lan.merchant, "旧名")] == [member]


def test_a_new_nickname_with_the_old_phone_and_name_is_a_new_member_and_a_suspicion(lan):
    one, other = meet(
        lan,
        person(nick("旧名"), name="张小明", phones=(MING,)),
        person(nick("新名"), name="张小明", phones=(MING,)),
    )
    assert one != other
    assert doubts(lan) == ["same_phone"]
    (suspicion,) = queries.suspicions(lan.merchant)
    assert {suspicion.one.pk, suspicion.other.pk} == {one, other}


def test_a_parcel_sent_to_a_friend_raises_no_suspicion(lan):
    meet(lan, person(nick("甲"), name="张小明", phones=(MING,)), person(nick("乙"), name="李红梅", phones=(MING,)))
    assert doubts(lan) == []


def test_a_number_that_a_whole_village_receives_parcels_at_says_nothing(lan):
    meet(lan, *[person(nick(f"邻居{i}"), name="代收点", phones=(MING,)) for i in range(30)])
    assert Suspicion.objects.count() < 30


def test_the_same_name_at_the_same_address_is_only_a_suspicion(lan):
    people = [person(nick(n), name="张小明", address=HOME) for n in ("甲", "乙")]
    assert len(set(meet(lan, *people))) == 2
    assert doubts(lan) == ["same_name_address"]


def test_a_masked_name_at_the_same_address_is_not_even_that(lan):
    meet(lan, *[person(nick(n), name="张**", address=HOME) for n in ("甲", "乙")])
    assert doubts(lan) == []


def test_of_two_matches_the_stronger_wins_and_the_two_are_not_merged(lan):
    by_uid, by_phone = meet(lan, person(uid("u1")), person(phone(MING, verified=True)))
    assert meet(lan, person(phone(MING, verified=True), uid("u1"))) == [by_uid]
    assert meet(lan, person(phone(MING, verified=True))) == [by_phone]
    assert doubts(lan) == ["two_matches"]


def test_a_verified_phone_outweighs_a_nickname_and_an_unverified_one_does_not(lan):
    nicked, phoned = meet(lan, person(nick("甲")), person(phone(MING, verified=True)))
    assert meet(lan, person(nick("甲"), phone(MING, verified=False))) == [nicked]
    assert meet(lan, person(nick("甲"), phone(MING, verified=True))) == [phoned]


def test_somebody_with_another_platform_number_who_took_over_a_nickname_is_somebody_else(lan):
    (former,) = meet(lan, person(uid("u1"), nick("好名字")))
    (heir,) = meet(lan, person(uid("u2"), nick("好名字")))
    assert heir != former
    assert meet(lan, person(uid("u2"), nick("好名字"))) == [heir]
    assert doubts(lan) == ["other_platform_id"]


def test_weaker_claims_are_learned_from_a_stronger_match(lan):
    (member,) = meet(lan, person(uid("u1")))
    meet(lan, person(uid("u1"), nick("小雨"), phone(MING, verified=True)))
    assert meet(lan, person(nick("小雨")), person(phone(MING))) == [member, member]


def test_our_own_card_finds_its_member_and_a_foreign_one_is_learned(lan):
    (member,) = meet(lan, person(nick("甲")))
    own = Member.objects.get(id=member).card
    assert is_card(own)
    assert meet(lan, person(card(own[:4] + " " + own[4:]), card("OLD-77"))) == [member]
    assert meet(lan, person(card("OLD77"))) == [member]


def test_cards_are_numbered_one_after_the_other_with_a_check_digit(lan):
    meet(lan, *[person(nick(str(i))) for i in range(30)])
    cards = list(Member.objects.filter(merchant=lan.merchant).order_by("card").values_list("card", flat=True))
    assert [int(c[2:11]) for c in cards] == list(range(1, 31))
    assert all(is_card(c) for c in cards)


def test_two_merchants_never_share_a_member(lan, mingde):
    ming = person(uid("u1"), nick("快乐小猪"), phone(MING, verified=True), name="张小明", address=HOME)
    (hers,) = meet(lan, ming)
    (his,) = meet(mingde, ming)
    assert hers != his
    assert doubts(lan) == doubts(mingde) == []
    for shop, own in ((lan, hers), (mingde, his)):
        for text in ("5678", MING, "张小明", "zxm", "快乐", "u1"):
            assert [hit.member_id for hit in queries.find(shop.merchant, text)] == [own], text
    blinds = [set(Identity.objects.filter(merchant=s.merchant).values_list("blind", flat=True)) for s in (lan, mingde)]
    assert not {bytes(b) for b in blinds[0]} & {bytes(b) for b in blinds[1]}


def test_a_profile_is_filled_and_never_emptied(lan):
    full = person(
        nick("甲"), name="张小明", gender="f", birthday=Birthday(1990, 3, 2), address=HOME, phones=(MING,),
        store_code="XH", acquired_by="抖音", note="皮肤敏感",
    )  # fmt: skip
    (member,) = meet(lan, person(nick("甲"), name="张**"))
    meet(lan, full)
    meet(lan, person(nick("甲"), name="李四", gender="m", birthday=Birthday(0, 1, 1), store_code="JA", note="别的"))
    meet(lan, person(nick("甲")))
    row = Member.objects.get(id=member)
    assert (row.name, row.nickname, row.gender, row.birth_year, row.birth_month, row.birth_day) == (
        "张小明", "甲", "f", 1990, 3, 2,
    )  # fmt: skip
    assert (row.province, row.city, row.phone_hint, row.home_store_id, row.acquired_by, row.note) == (
        "上海", "上海", "138****5678", lan.street.id, "抖音", "皮肤敏感",
    )  # fmt: skip


def test_an_attribute_nobody_defined_defines_itself_and_the_last_word_holds(lan):
    (member,) = meet(lan, person(nick("甲"), attributes=(("肤质", "干性"), ("童装码", "90"))))
    meet(lan, person(nick("甲"), attributes=(("肤质", "敏感"), ("童装码", ""))))
    assert Member.objects.get(id=member).attributes == {"肤质": "敏感", "童装码": "90"}
    assert [(k.key, k.type) for k in queries.attribute_kinds(lan.merchant)] == [("童装码", "text"), ("肤质", "text")]


def test_a_member_joined_when_first_met_in_whatever_order_files_come(lan):
    days = [NOON - timedelta(days=d) for d in (30, 90, 10)]
    (member, *_) = meet(lan, *[person(nick("甲"))] * 2, at=days[:1] + days[2:])
    meet(lan, person(nick("甲")), at=days[1:2])
    assert Member.objects.get(id=member).joined_at == days[1]
    (line,) = TimelineLine.objects.filter(member_id=member, kind="joined")
    assert line.at == days[1]


def test_a_customer_file_may_know_an_earlier_day_of_joining(lan):
    (member,) = meet(lan, person(nick("甲"), joined_at=NOON - timedelta(days=900)))
    assert Member.objects.get(id=member).joined_at == NOON - timedelta(days=900)


def test_meeting_known_people_again_changes_nothing_but_when_they_were_last_met(lan):
    people = [person(uid("u1"), nick("甲"), name="张小明", phones=(MING,), address=HOME, attributes=(("肤质", "干"),),
                     consents=(("sms", "promotion", True),))]  # fmt: skip

    def everything():
        tables = (Member, Identity, Contact, Suspicion, TimelineLine)
        return {t: list(t.objects.order_by("id").values_list("id", flat=True)) for t in tables} | {
            "members": list(Member.objects.values()), "consents": lan.merchant.consent_set.count(),
        }  # fmt: skip

    meet(lan, *people)
    before = everything()
    meet(lan, *people)
    assert everything() == before


def test_an_undone_member_is_not_found_and_wakes_up_when_met_again(lan):
    (member,) = meet(lan, person(nick("甲"), name="张小明"))
    assert undo_created(merchant=lan.merchant, member_ids=[member], now=NOON) == 1
    assert queries.find(lan.merchant, "张小明") == []
    assert preview(merchant=lan.merchant, people=[person(nick("甲"))], now=NOON)[0].newcomer == 1
    first, second = recognise(merchant=lan.merchant, people=[person(nick("甲"))] * 2, now=NOON)
    assert (first.member_id, first.created, first.woken) == (member, True, True)
    assert (second.member_id, second.created, second.woken) == (member, False, False)
    assert [hit.member_id for hit in queries.find(lan.merchant, "张小明")] == [member]


def test_a_preview_says_the_same_and_writes_nothing(lan):
    known = person(uid("u1"))
    (member,) = meet(lan, known)
    newcomers = Newcomers()
    chunks = [
        [known, person(nick("甲")), None],
        [person(nick("甲")), person(nick("乙"), phone(MING)), person(phone(MING))],
    ]
    seen = [
        [(s.member_id, s.newcomer) for s in preview(merchant=lan.merchant, people=c, now=NOON, newcomers=newcomers)]
        for c in chunks
    ]
    assert seen == [[(member, 0), (None, 1), (None, 0)], [(None, 1), (None, 2), (None, 2)]]
    assert Member.objects.count() == 1


def test_only_the_latest_rented_number_of_a_buyer_is_kept_and_an_expired_one_not_at_all(lan):
    def order(number, days_ago, expires):
        rented = Phone(number, virtual=True, expires_at=expires)
        return meet(lan, Person(claims=(nick("甲"),), phones=(rented,)), at=[NOON - timedelta(days=days_ago)])

    (member,) = order("+8618400000001", 9, NOON + timedelta(days=3))
    order("+8618400000003", 2, NOON + timedelta(days=5))
    order("+8618400000002", 5, NOON + timedelta(days=5))
    order("+8618400000004", 1, NOON - timedelta(hours=1))
    shown = [(c.shown, c.virtual) for c in queries.contacts_of(lan.merchant, member)]
    assert shown == [("184****0003", True)]


def test_the_lists_must_be_as_long_as_each_other(lan):
    with pytest.raises(ValueError, match="2 entries for 1 people"):
        recognise(merchant=lan.merchant, people=[None], now=NOON, seen_at=[None, None])


def test_the_same_number_under_a_starred_name_is_a_suspicion_and_under_another_name_is_none(lan):
    meet(
        lan,
        person(nick("甲"), name="张小明", phones=(MING,)),
        person(nick("乙"), name="张**", phones=(MING,)),
        person(nick("丙"), name="李**", phones=(MING,)),
    )
    assert doubts(lan) == ["same_number"]
