"""Points by hand in the console: once however often it is pressed, a second person above the limit, families."""

import re
from datetime import timedelta

import pytest

from shuke.engine.charter import document
from shuke.loyalty import actions, queries
from shuke.loyalty.models import Correction, Family
from shuke.loyalty.queries import activities
from shuke.shops.queries import now
from tests import cast
from tests.loyalty.books import START, member, order, publish, take
from tests.loyalty.test_rich_charter import RICH
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
        ({"points": "5", "reason": "x" * 201}, "请缩短"),
        ({"points": "9" * 20, "reason": "一次"}, "一次最多入账 1,000,000,000,000"),
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


# ---- lapsed points, growth value, activities, budgets -------------------------------------------------------------


@pytest.fixture
def rich(lan):
    publish(lan.merchant, RICH)
    return lan, member(lan.merchant, 1)


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_lapsed_points_come_back_with_a_reason_and_no_more_than_lapsed(client, rich):
    lan, who = rich
    at = now(lan.merchant)
    gift = actions.Ask("gift", "adjust", who, 60, expires_at=at - timedelta(days=5))
    actions.ask(merchant=lan.merchant, asks=[gift], now=at - timedelta(days=100), actor="t")
    assert "60 积分" in text(client_of(client, lan.manager).get(f"/members/{who}/points/change"))
    for told, said in (
        ({"back": "61", "why": "was ill"}, "可恢复的积分为 60"),
        ({"back": "20", "why": ""}, "请写明原因"),
        ({"back": "0", "why": "x"}, "整数"),
    ):
        assert said in text(client.post(f"/members/{who}/points/change", {"do": "reinstate", **told}))
    for _ in range(2):
        told = {"do": "reinstate", "back": "60", "why": "was ill", "key": "console:k1"}
        assert client.post(f"/members/{who}/points/change", told).status_code == 302
    assert held(lan, who) == 60
    again = client.post(f"/members/{who}/points/change", told | {"back": "5"})
    assert "用别的内容提交过" in text(again)
    assert queries.verify(lan.merchant).findings == []


def test_growth_value_by_hand_is_booked_in_its_ledger(client, rich):
    lan, who = rich
    client_of(client, lan.manager)
    for direction, amount in (("give", "120"), ("take", "20")):
        told = {"do": "growth", "growth": amount, "direction": direction, "because": "brought along"}
        assert client.post(f"/members/{who}/points/change", told).status_code == 302
    assert [line.amount for line in queries.growth_lines(lan.merchant, who)] == [-20, 120]
    client_of(client, lan.assistant)
    assert client.post(f"/members/{who}/points/change", told).status_code == 403
    assert client.post(f"/members/{who}/points/change", {"do": "reinstate", "back": "1", "why": "x"}).status_code == 403


def test_an_assistant_notes_what_a_member_did_and_hears_what_it_gave(client, rich):
    lan, who = rich
    page_ = text(client_of(client, lan.assistant).get(f"/members/{who}/points/change"))
    assert "签到" in page_
    said = [
        text(client.post(f"/members/{who}/points/change", {"do": "activity", "activity": "check_in"}, follow=True))
        for _ in range(2)
    ]
    assert "2 积分" in said[0]
    assert "不再给" in said[1]  # once a day
    assert held(lan, who) == 2
    refused = client.post(f"/members/{who}/points/change", {"do": "activity", "activity": "dancing"})
    assert "dancing" in text(refused)


def test_what_was_noted_by_mistake_is_taken_back_from_the_page(client, rich):
    lan, who = rich
    path = f"/members/{who}/points/change"
    client_of(client, lan.assistant).post(path, {"do": "activity", "activity": "check_in"})
    [one] = activities.of_member(lan.merchant, who)
    assert f'value="{one.key}"' not in client_of(client, lan.specialist).get(path).content.decode()
    refused = client.post(path, {"do": "activity_back", "did": one.key})
    assert ("登记人" in text(refused), held(lan, who)) == (True, 2)
    assert f'value="{one.key}"' in client_of(client, lan.assistant).get(path).content.decode()
    for _ in range(2):
        assert "已撤销" in text(client.post(path, {"do": "activity_back", "did": one.key}, follow=True))
    assert held(lan, who) == 0
    assert f"由 {lan.assistant.username} 撤销" in text(client.get(path))
    assert "互动登记已撤销" in text(client_of(client, lan.owner).get(f"/members/{who}"))
    assert "登记有误，已撤销" in text(client.get(f"/members/{who}/points"))
    assert client.post(path, {"do": "activity_back", "did": "nothing"}).status_code == 404


def test_budgets_say_what_is_left(client, rich):
    lan, who = rich
    take(lan.merchant, who, order("a", 10, 700))
    said = text(client_of(client, lan.owner).get("/points/budgets"))
    assert "满额 big 100,000 50 99,950 0" in said
    assert "/points/budgets" in client.get("/charter").content.decode()
    assert client_of(client, lan.assistant).get("/points/budgets").status_code == 403


def client_of(client, staff):
    client.force_login(staff)
    return client


def test_the_statement_says_who_why_and_by_what_name(client, shop):
    """What a member reads: the reason they were given, the tier by its name, no word of the machine's."""
    lan, who, other = shop
    client.force_login(lan.manager)
    for told in (
        {"do": "adjust", "points": "90", "reason": "迟到补偿"},
        {"do": "join", "with": "00000002", "name": "王家"},
        {"do": "give", "to": "00000002", "amount": "20"},
    ):
        assert client.post(f"/members/{who}/points/change", told | {"key": ""}).status_code == 302, told
    paper = client.get(f"/members/{who}/statement").content.decode()
    assert "迟到补偿" in paper
    assert "转赠给其他会员" in paper
    assert "其他会员转赠" in client.get(f"/members/{other}/statement").content.decode()
    assert "迟到补偿" in client.get(f"/members/{who}/points").content.decode()
    assert "handed" not in paper


def test_the_statement_calls_tiers_and_rules_by_name(client, lan):
    publish(lan.merchant, document.to_plain(document.ready()))
    who = member(lan.merchant)
    take(lan.merchant, who, order("a", 1, 1200), order("b", 30, 100))
    client.force_login(lan.manager)
    paper = client.get(f"/members/{who}/statement?from=2025-01-01").content.decode()
    assert "银卡会员 ×1.2" in paper
    assert "tier:" not in paper
