"""Suspicions and merging in the console: seen side by side, shown before it is done, taken back."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from shuke.engine.facts import Claim, IdentityKind, Person, Phone
from shuke.kit import clock
from shuke.members import actions, queries
from shuke.members.models import Member, Merge
from tests.loyalty.books import publish

pytestmark = pytest.mark.django_db


def buyer(account: str) -> Person:
    number = "+8613812345678"
    return Person(claims=(Claim(IdentityKind.NICKNAME, account, "taobao"),), name="张小明", phones=(Phone(number),))


@pytest.fixture
def pair(lan):
    """The same phone and name under two accounts."""
    publish(lan.merchant)
    found = actions.recognise(merchant=lan.merchant, people=[buyer("旧名"), buyer("新名")], now=clock.utc_now())
    return [Member.objects.get(pk=one.member_id) for one in found]


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_pairs_stand_side_by_side_with_what_speaks_for_it(see, lan, pair):
    said = text(see(lan.owner).get(reverse("console:suspicions")))
    assert "same phone number" in said
    assert all(one.card in said for one in pair)
    assert "+86" not in said


def test_two_people_are_remembered_as_two_and_can_be_looked_at_again(see, lan, pair):
    client = see(lan.specialist)
    told = {"one": pair[0].pk, "other": pair[1].pk}
    assert client.post(reverse("console:suspicion"), {**told, "say": "apart"}).status_code == 302
    actions.recognise(merchant=lan.merchant, people=[buyer("旧名"), buyer("新名")], now=clock.utc_now())
    assert queries.suspicions(lan.merchant) == []
    assert pair[0].card in text(client.get(reverse("console:suspicions") + "?show=different"))
    client.post(reverse("console:suspicion"), {**told, "say": "again"})
    assert len(queries.suspicions(lan.merchant)) == 1


def test_a_merge_is_shown_then_done_then_taken_back(see, lan, pair):
    one, other = pair
    client = see(lan.owner)
    address = reverse("console:member-merge", args=[one.pk])
    shown = client.get(address, {"with": other.pk})
    assert "Nothing has been changed yet" in text(shown)
    assert not Merge.objects.exists()
    refused = client.post(address, {"with": other.pk, "reason": ""})
    assert refused.status_code == 422
    assert "Say in a few words" in text(refused)
    client.post(address, {"with": other.pk, "reason": "same voice", "take-nickname": "absorbed"})
    merge = Merge.objects.get()
    assert Member.objects.get(pk=one.pk).nickname == other.nickname
    led = client.get(reverse("console:member", args=[other.pk]), follow=True)
    assert led.redirect_chain[-1][0] == reverse("console:member", args=[one.pk])
    assert f"Card {other.card} was merged into this member." in text(led)
    assert "same voice" in text(led)
    again = client.get(reverse("console:member-merge", args=[other.pk]), {"with": one.pk})
    assert "was merged into another member already" in text(again)
    client.post(reverse("console:member-unmerge", args=[one.pk, merge.pk]), {"reason": "sisters"})
    assert client.get(reverse("console:member", args=[other.pk])).status_code == 200


def test_the_other_record_is_searched_for(see, lan, pair):
    said = text(see(lan.owner).get(reverse("console:member-merge", args=[pair[0].pk]), {"text": "新名"}))
    assert pair[1].card in said


def test_who_may_and_whose_members(see, lan, mingde, pair):
    one, other = pair
    address = reverse("console:member-merge", args=[one.pk])
    assert see(lan.assistant).get(address, {"with": other.pk}).status_code == 403
    assert see(lan.auditor).post(reverse("console:suspicion"), {"one": one.pk, "other": other.pk}).status_code == 403
    assert see(mingde.owner).get(address, {"with": other.pk}).status_code == 404
    assert see(mingde.owner).post(reverse("console:suspicion"), {"one": one.pk, "other": other.pk}).status_code == 404
    assert see(lan.assistant).get(reverse("console:suspicions")).status_code == 200


@pytest.mark.parametrize("asked", ["x", "9" * 30])
def test_nonsense_is_not_found(see, lan, pair, asked):
    assert see(lan.owner).get(reverse("console:member-merge", args=[pair[0].pk]), {"with": asked}).status_code == 404
