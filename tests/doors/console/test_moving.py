"""Points by hand in the console: once however often it is pressed, a second person above the limit, families."""

import re

import pytest

from shuke.engine.charter import document
from shuke.loyalty import actions, queries
from shuke.loyalty.models import Correction, Family
from shuke.shops.queries import now
from tests import cast
from tests.loyalty.books import START, member
from tests.trust.exercise_book import CHARTER


@pytest.fixture
def shop(lan):
    plain = CHARTER | {"points": CHARTER["points"] | {"expiry": {"kind": "never"}, "second_person_above": 100}}
    actions.publish_charter(
        merchant=lan.merchant, charter=document.from_plain(plain), effective_from=START, now=cast.OPENED, actor="t"
    )
    return lan, member(lan.merchant, 1), member(lan.merchant, 2)


def page(client, staff, who):
    client.force_login(staff)
    return client.get(f"/members/{who}/points/change").content.decode()


def held(lan, who):
    return queries.balance(lan.merchant, who, now(lan.merchant)).available


def test_pressing_twice_books_once(client, shop):
    lan, who, _ = shop
    key = re.search(r'name="key" value="([^"]+)"', page(client, lan.manager, who)).group(1)
    told = {"do": "adjust", "key": key, "way": "give", "points": "80", "reason": "late receipt"}
    for _ in range(2):
        assert client.post(f"/members/{who}/points/change", told).status_code == 302
    assert held(lan, who) == 80
    client.post(f"/members/{who}/points/change", told | {"key": "", "way": "take", "points": "30"})
    assert held(lan, who) == 50


def test_what_cannot_be_is_said_and_the_form_keeps_what_was_written(client, shop):
    lan, who, _ = shop
    client.force_login(lan.owner)
    for told, said in (
        ({"points": "-5", "reason": "x"}, "整数"),
        ({"points": "5", "reason": " "}, "原因"),
        ({"way": "take", "points": "5", "reason": "一次"}, "可用 0"),
    ):
        answer = client.post(f"/members/{who}/points/change", {"do": "adjust", **told}).content.decode()
        assert said in answer
        assert f'value="{told["points"]}"' in answer
    answer = client.post(
        f"/members/{who}/points/change", {"do": "give", "to": "nobody", "amount": "5"}
    ).content.decode()
    assert "nobody" in answer
    assert held(lan, who) == 0


def test_a_second_person_decides_and_never_the_first(client, shop):
    lan, who, _ = shop
    client.force_login(lan.manager)
    client.post(f"/members/{who}/points/change", {"do": "adjust", "points": "500", "reason": "lost receipts"})
    one = Correction.objects.get()
    assert (one.state, held(lan, who)) == ("waiting", 0)
    client.post(f"/points/corrections/{one.pk}", {"do": "agree"})
    assert held(lan, who) == 0
    client.force_login(lan.owner)
    assert "lost receipts" in client.get("/points/corrections").content.decode()
    client.post(f"/points/corrections/{one.pk}", {"do": "agree"})
    assert held(lan, who) == 500
    client.force_login(lan.assistant)
    assert client.post(f"/points/corrections/{one.pk}", {"do": "agree"}).status_code == 403


def test_an_assistant_gives_nothing_by_hand_but_sees_to_families(client, shop):
    lan, who, other = shop
    client.force_login(lan.assistant)
    assert (
        client.post(f"/members/{who}/points/change", {"do": "adjust", "points": "5", "reason": "x"}).status_code == 403
    )
    client.post(f"/members/{who}/points/change", {"do": "join", "with": "00000002", "name": "王家"})
    assert Family.objects.get().name == "王家"
    client.force_login(lan.owner)
    client.post(f"/members/{who}/points/change", {"do": "adjust", "points": "60", "reason": "x"})
    client.post(f"/members/{who}/points/change", {"do": "give", "to": "00000002", "amount": "25"})
    assert (held(lan, who), held(lan, other)) == (35, 25)
    assert "王家" in page(client, lan.owner, other)
    client.post(f"/members/{who}/points/change", {"do": "leave"})
    assert not Family.objects.exists()
