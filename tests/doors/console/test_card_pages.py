"""Cards in the console: to be scanned, printed, reported lost, replaced; freezing."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from shuke.kit import clock
from shuke.members.models import Member
from tests.doors.console import people


@pytest.fixture
def ann(lan):
    return people.make(lan.merchant, 1, clock.utc_now(), [lan.street], tiers=["gold"])[0]


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def do(client, who, what, **more):
    return client.post(reverse("console:member-card-change", args=[who.pk]), {"do": what, **more}, follow=True)


def test_the_card_is_drawn_to_be_scanned(see, lan, ann):
    said = see(lan.assistant).get(reverse("console:member-card", args=[ann.pk])).content.decode()
    assert said.count("<svg xmlns") == 2
    assert f"{ann.card[:4]} {ann.card[4:8]} {ann.card[8:]}" in said


def test_loss_replacement_and_freezing(see, lan, ann):
    client = see(lan.owner)
    assert "Frozen since" in text(do(client, ann, "lost", reason="bus"))
    said = text(do(client, ann, "replace", reason="bus"))
    assert ann.card in said
    assert "replaced" in said
    assert Member.objects.get(pk=ann.pk).card != ann.card
    assert "Say why the member is frozen" in text(do(client, ann, "freeze"))
    assert "Frozen since" in text(do(client, ann, "freeze", reason="sold points"))
    assert "Free again" in text(do(client, ann, "unfreeze"))
    assert "not reported lost" in text(do(client, ann, "found"))
    assert do(client, ann, "burn").status_code == 404


def test_an_assistant_reports_a_loss_but_freezes_nobody(see, lan, ann):
    assert do(see(lan.assistant), ann, "lost").status_code == 200
    assert do(see(lan.assistant), ann, "freeze", reason="x").status_code == 403
    assert do(see(lan.auditor), ann, "lost").status_code == 403


def test_the_sheet_prints_one_many_or_the_list_ten_to_a_page(see, lan, mingde, ann):
    more = people.make(lan.merchant, 12, clock.utc_now(), [lan.second], tiers=["gold"], seed=9)
    address = reverse("console:cards-print")
    client = see(lan.assistant)
    one = client.get(address, {"ids": ann.pk}).content.decode()
    assert one.count('k-card"') == 1
    ticked = client.post(address, {"ids": [more[3].pk, ann.pk]}).content.decode()
    assert re.findall(r'k-name">([^<]*)', ticked) == [more[3].name, ann.name]
    listed = client.post(address, {"all": "1", "list": f"store={lan.second.pk}", "ids": [ann.pk]}).content.decode()
    assert (listed.count('k-card"'), listed.count("k-sheet")) == (12, 2)
    assert see(mingde.owner).get(address, {"ids": ann.pk}).content.decode().count('k-card"') == 0
