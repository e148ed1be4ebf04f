"""What must hold for every file: how it is cut into batches does not matter, and no two people are ever merged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine.facts import Address, Birthday, Claim, Person, Phone
from shuke.members import queries
from shuke.members.actions import Newcomers, preview, recognise
from shuke.members.models import Consent, Contact, Identity, Member, PhoneGram, SearchTerm, Suspicion, TimelineLine
from shuke.shops.models import Merchant
from tests.cast import NOON
from tests.members.people import K

PHONES = ["+8613812345678", "+8613900001111"]
claims = st.sampled_from(
    [
        *[Claim(K.PLATFORM_ID, value, "taobao") for value in ("u1", "u2", "u3")],
        *[Claim(K.NICKNAME, value, "taobao") for value in ("小雨", "好名字", "t**1")],
        *[Claim(K.PHONE, value, "", verified) for value in PHONES for verified in (True, False)],
        *[
            Claim(K.EMAIL, value, "", verified)
            for value in ("a@example.org", "b@example.org")
            for verified in (True, False)
        ],
        *[Claim(K.CARD, value) for value in ("OLD1", "OLD2")],
    ]
)
phones = st.one_of(
    st.sampled_from(PHONES).map(Phone),
    st.just(Phone("138****5678", masked=True)),
    st.sampled_from(["+8618400000001", "+8618400000002"]).map(lambda n: Phone(n, virtual=True)),
)
people = st.fixed_dictionaries(
    {
        "claims": st.lists(claims, max_size=3, unique_by=lambda c: (c.kind, c.value)).map(tuple),
        "name": st.sampled_from(["", "张小明", "李红梅", "张**"]),
        "nickname": st.sampled_from(["", "小雨", "好名字", "x**x"]),
        "phones": st.lists(phones, max_size=2, unique_by=lambda p: "virtual" if p.virtual else p.number).map(
            tuple
        ),  # an order hides its buyer behind one number
        "address": st.sampled_from([None, Address("中山路1号", "上海", "上海"), Address("人民路22号", "江苏", "苏州")]),
        "gender": st.sampled_from(["", "f", "m"]),
        "birthday": st.sampled_from([None, Birthday(1990, 3, 2), Birthday(0, 8, 15, True)]),
        "attributes": st.sampled_from([(), (("肤质", "干性"),), (("肤质", "油性"), ("尺码", "L"))]),
        "consents": st.sampled_from([(), (("sms", "promotion", True),), (("sms", "promotion", False),)]),
        "note": st.sampled_from(["", "电话13700002222", "VIP"]),
    }
).map(lambda fields: Person(**fields))
# Moments differ: of two statements of the very same moment the one that comes later holds, wherever the cut is.
histories = st.lists(
    st.tuples(people, st.integers(min_value=0, max_value=500)), min_size=1, max_size=9, unique_by=lambda h: h[1]
)


def take(merchant, history, sizes):
    """Recognise a history in batches of these sizes (the last one repeats), and say what came of it."""
    answers, rest, sizes = [], history, list(sizes)
    while rest:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        part, rest = rest[:size], rest[size:]
        answers += recognise(
            merchant=merchant,
            people=[person for person, _ in part],
            now=NOON,
            seen_at=[NOON - timedelta(days=days, minutes=1) for _, days in part],  # before now: moments of their own
        )
    return answers


def outcome(merchant, answers):
    """Everything recognition wrote, with members called by the order in which they came up."""
    label = {}
    for answer in answers:
        if answer.member_id is not None:
            label.setdefault(answer.member_id, len(label))
    rows = Member.objects.filter(merchant=merchant)
    contacts = list(Contact.objects.filter(merchant=merchant))
    clear = queries.open_contacts(merchant.id, contacts)
    return {
        "answers": [(label.get(a.member_id), a.created, a.by) for a in answers],
        "members": sorted(
            (label[m.id], m.name, m.nickname, m.nickname_at, m.gender, m.birth_month, m.birth_lunar, m.city, m.phone_hint,
             m.joined_at, sorted(m.attributes.items()), m.note)
            for m in rows
        ),
        "identities": sorted(
            (label[i.member_id], i.kind, i.realm, i.shown, i.verified, i.first_seen_at, i.last_seen_at)
            for i in Identity.objects.filter(merchant=merchant)
        ),
        "contacts": sorted((label[c.member_id], c.kind, clear[c.id], c.role, c.last_seen_at) for c in contacts),
        "suspicions": sorted(
            (*sorted((label[s.member_id], label[s.other_id])), s.reason) for s in Suspicion.objects.filter(merchant=merchant)
        ),
        "terms": sorted((label[t.member_id], bytes(t.term)) for t in SearchTerm.objects.filter(merchant=merchant)),
        "grams": PhoneGram.objects.filter(merchant=merchant).count(),
        "consents": sorted(
            (label[c.member_id], c.at, c.granted) for c in Consent.objects.filter(merchant=merchant)
        ),
        "joined": sorted((label[t.member_id], t.at) for t in TimelineLine.objects.filter(merchant=merchant, kind="joined")),
    }  # fmt: skip


def shop(name):
    return Merchant.objects.create(name=name, created_at=NOON)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories, sizes=st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=4))
def test_it_does_not_matter_how_a_file_is_cut_into_batches(history, sizes):
    singly, together, cut = shop("one by one"), shop("all at once"), shop("in batches")
    expected = outcome(singly, take(singly, history, [1]))
    assert outcome(together, take(together, history, [len(history)])) == expected
    assert outcome(cut, take(cut, history, sizes)) == expected


@pytest.mark.django_db
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories)
def test_the_same_file_again_meets_the_same_members_and_makes_none(history):
    merchant = shop("twice")
    # A phone that becomes verified between the two times may rightly outweigh a nickname the second time.
    history = [
        (person._replace(claims=tuple(claim._replace(verified=True) for claim in person.claims)), days)
        for person, days in history
    ]
    first = take(merchant, history, [3])
    again = take(merchant, history, [2])
    assert [a.member_id for a in again] == [a.member_id for a in first]
    assert not any(a.created for a in again)


@pytest.mark.django_db
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories)
def test_nothing_ever_changes_hands(history):
    """An identity stays with the member who had it first: recognition never merges and never moves."""
    merchant = shop("watched")
    owners: dict = {}
    for entry in history:
        take(merchant, [entry], [1])
        now = dict(Identity.objects.filter(merchant=merchant).values_list("id", "member_id"))
        assert {id: now.get(id) for id in owners} == owners
        owners = now


@pytest.mark.django_db
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories)
def test_a_preview_counts_the_members_that_will_be_made(history):
    merchant, newcomers = shop("previewed"), Newcomers()
    told = []
    for start in range(0, len(history), 2):
        part = [person for person, _ in history[start : start + 2]]
        told += preview(merchant=merchant, people=part, now=NOON, newcomers=newcomers)
    assert not Member.objects.filter(merchant=merchant).exists()
    made = take(merchant, history, [4])
    assert [seen.newcomer > 0 for seen in told] == [answer.member_id is not None for answer in made]
    if all(len(person.claims) < 2 for person, _ in history):  # what two claims teach is only known once it is written
        assert newcomers.count == sum(answer.created for answer in made)
