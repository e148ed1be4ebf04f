"""A large correction from asking to deciding, with two people in two browsers, and everything that may happen in between."""

import multiprocessing
import re

import pytest

from shuke.engine.charter import document
from shuke.kit.models import AuditLine
from shuke.loyalty import actions, queries
from shuke.loyalty.models import Correction
from shuke.shops import actions as shops
from shuke.shops.queries import now
from tests import cast
from tests.doors.console.test_people_pages import browser, page
from tests.loyalty.books import START, member
from tests.trust.exercise_book import CHARTER


def open_shop(lan):
    plain = CHARTER | {"points": CHARTER["points"] | {"expiry": {"kind": "never"}, "second_person_above": 100}}
    actions.publish_charter(
        merchant=lan.merchant, charter=document.from_plain(plain), effective_from=START, now=cast.OPENED, actor="t"
    )
    return member(lan.merchant, 1)


@pytest.fixture
def who(lan):
    return open_shop(lan)


def held(lan, who):
    return queries.balance(lan.merchant, who, now(lan.merchant)).available


def ask(client, who, points, way="give", reason="lost receipts", **more):
    told = {"do": "adjust", "points": points, "way": way, "reason": reason} | more
    answer = client.post(f"/members/{who}/points/change", told, follow=True)
    return answer, Correction.objects.order_by("-id").first()


def decide(client, one, do="agree", because=""):
    return page(client.post(f"/points/corrections/{one.pk}", {"do": do, "because": because}, follow=True))


def test_one_asks_sees_it_waiting_and_the_other_agrees(lan, who):
    manager, owner = browser("lan.manager"), browser("lan.owner")
    answer, one = ask(manager, who, 101)
    assert "Somebody else has to agree" in page(answer)
    assert "somebody else decides" in page(manager.get("/points/corrections"))
    assert ">Agree<" not in manager.get("/points/corrections").content.decode()
    assert "cannot agree to it" in decide(manager, one)
    assert "1 change of points by hand waits" in page(owner.get("/"))
    assert "lost receipts" in page(owner.get("/points/corrections"))
    assert "+101 points by hand." in decide(owner, one)
    assert held(lan, who) == 101
    assert "decided already" in decide(owner, one, "decline", "changed my mind")
    assert held(lan, who) == 101
    assert "waits for a second person" not in page(owner.get("/"))
    lines = AuditLine.objects.filter(verb__startswith="correction.").order_by("id")
    assert [(line.verb, line.actor) for line in lines] == [
        ("correction.asked", "lan.manager"),
        ("correction.done", "lan.owner"),
    ]
    assert queries.verify(lan.merchant).findings == []


def test_declining_needs_a_reason_which_who_asked_reads(lan, who):
    manager, owner = browser("lan.manager"), browser("lan.owner")
    _, one = ask(manager, who, 500)
    assert "Say why you decline" in decide(owner, one, "decline", "  ")
    assert Correction.objects.get().state == "waiting"
    assert "Declined." in decide(owner, one, "decline", "no receipt, no points")
    assert "no receipt, no points" in page(manager.get("/points/corrections"))
    assert AuditLine.objects.get(verb="correction.declined").detail["because"] == "no receipt, no points"
    assert held(lan, who) == 0


def test_who_asked_takes_it_back(lan, who):
    manager = browser("lan.manager")
    _, one = ask(manager, who, 500)
    assert "Taken back." in decide(manager, one, "decline")
    assert "decided already" in decide(browser("lan.owner"), one)
    assert (Correction.objects.get().state, held(lan, who)) == ("withdrawn", 0)


def test_what_was_asked_for_through_ones_token_is_ones_own(client, lan, who):
    token, text = shops.make_token(
        merchant=lan.merchant, name="sheet", may_write=True, now=cast.NOON, staff=lan.manager
    )
    told = client.post(
        "/api/v1/members/00000001/points/adjust",
        {"points": 500, "reason": "lost receipts", "key": "a"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {text}"},
    )
    assert told.json()["state"] == "waiting"
    one = Correction.objects.get()
    assert one.asked_by == f"token:{token.pk}"
    manager = browser("lan.manager")
    assert "somebody else decides" in page(manager.get("/points/corrections"))
    assert "cannot agree to it" in decide(manager, one)
    assert "+500 points by hand." in decide(browser("lan.owner"), one)


def test_roles_below_cannot_decide_and_other_shops_see_nothing(lan, mingde, who):
    _, one = ask(browser("lan.manager"), who, 500)
    for name in ("lan.assistant", "lan.specialist", "lan.auditor"):
        client = browser(name)
        assert client.post(f"/points/corrections/{one.pk}", {"do": "agree"}).status_code == 403
    assert ">Agree<" not in browser("lan.auditor").get("/points/corrections").content.decode()
    for name in ("lan.assistant", "lan.specialist"):
        assert browser(name).get("/points/corrections").status_code == 403
    assert browser("mingde.owner").post(f"/points/corrections/{one.pk}", {"do": "agree"}).status_code == 404
    assert held(lan, who) == 0


def test_an_approver_who_was_closed_or_made_less_meanwhile_decides_nothing(lan, who):
    owner, manager = browser("lan.owner"), browser("lan.manager")
    _, one = ask(owner, who, 500)
    assert manager.get("/points/corrections").status_code == 200  # the page stays open
    told = {"merchant": lan.merchant, "username": "lan.manager", "reason": "x", "now": cast.NOON}
    shops.change_staff(role="auditor", **told)
    with pytest.raises(actions.CorrectionRefused) as refused:  # their request was on its way already
        actions.decide_correction(
            merchant=lan.merchant, correction_id=one.pk, agree=True, now=now(lan.merchant), actor="lan.manager"
        )
    assert refused.value.code == "may_not_decide"
    shops.close_staff(**told)
    answer = manager.post(f"/points/corrections/{one.pk}", {"do": "agree"})
    assert answer.headers["Location"].startswith("/sign-in")
    assert (Correction.objects.get().state, held(lan, who)) == ("waiting", 0)
    assert "nobody else here may decide yet" in page(owner.get("/points/corrections"))
    shops.add_staff(
        merchant=lan.merchant,
        username="kai",
        role="manager",
        reason="second person",
        now=cast.NOON,
        password="a lantern in the rain",
    )
    assert "nobody else" not in page(owner.get("/points/corrections"))
    decide(browser("kai", "a lantern in the rain"), one)
    assert held(lan, who) == 500


def test_what_was_asked_by_somebody_who_left_can_still_be_decided(lan, who):
    _, one = ask(browser("lan.manager"), who, 500)
    shops.close_staff(merchant=lan.merchant, username="lan.manager", reason="left", now=cast.NOON)
    owner = browser("lan.owner")
    assert "lan.manager" in page(owner.get("/points/corrections"))
    assert "+500 points by hand." in decide(owner, one)


def test_the_balance_changed_meanwhile(lan, who):
    manager, owner = browser("lan.manager"), browser("lan.owner")
    for _ in range(3):
        decide(owner, ask(manager, who, 101)[1])
    _, one = ask(manager, who, 250, "take", "counted twice")
    assert "303 points can be used now." in page(owner.get("/points/corrections"))
    ask(manager, who, 60, "take", "gone meanwhile")
    assert "243 points can be used now." in page(owner.get("/points/corrections"))
    said = decide(owner, one)
    assert "243" in said
    one.refresh_from_db()
    assert (one.state, held(lan, who)) == ("refused", 243)
    assert "refused by the books" in page(owner.get("/points/corrections"))
    assert queries.verify(lan.merchant).findings == []


def test_a_form_sent_twice_asks_once_and_with_something_else_not_at_all(lan, who):
    manager, owner = browser("lan.manager"), browser("lan.owner")
    form = manager.get(f"/members/{who}/points/change").content.decode()
    key = re.search(r'name="key" value="([^"]+)"', form).group(1)
    for _ in range(2):
        ask(manager, who, 500, key=key)
    assert Correction.objects.count() == 1
    answer, _one = ask(manager, who, 600, key=key)
    assert "was sent before with something else" in page(answer)
    ask(owner, who, 50, key="console:small")  # booked at once; the same form with more can then not wait
    answer, _one = ask(owner, who, 500, key="console:small")
    assert "was sent before with something else" in page(answer)
    assert [one.amount for one in Correction.objects.filter(state="waiting")] == [500]
    assert held(lan, who) == 50


# ---- two agree at once ----------------------------------------------------------------------------------------------


def _decide(merchant_id, one, actor, agree, answers):
    from django.db import connections

    connections.close_all()
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    try:
        found, _answer = actions.decide_correction(
            merchant=merchant, correction_id=one, agree=agree, now=now(merchant), actor=actor, reason="no"
        )
        answers.put(found.state)
    except actions.CorrectionRefused as refused:
        answers.put(refused.code)
    connections.close_all()


@pytest.mark.parametrize("second", [True, False])
def test_two_decide_at_once_and_one_of_them_counts(transactional_db, second):
    from django.db import connections

    lan = cast.lan()
    who = open_shop(lan)
    shops.add_staff(
        merchant=lan.merchant,
        username="kai",
        role="manager",
        reason="x",
        now=cast.NOON,
        password="a lantern in the rain",
    )
    for n in range(4):
        one = actions.correct(
            merchant=lan.merchant,
            key=f"k{n}",
            member_id=who,
            amount=500,
            reason="x",
            now=now(lan.merchant),
            actor="lan.owner",
        )
        before = held(lan, who)
        connections.close_all()
        fork = multiprocessing.get_context("fork")
        answers = fork.Queue()
        people = [
            fork.Process(target=_decide, args=(lan.merchant.pk, one.pk, actor, agree, answers))
            for actor, agree in (("lan.manager", True), ("kai", second))
        ]
        for each in people:
            each.start()
        said = sorted(answers.get(timeout=120) for _ in people)
        for each in people:
            each.join(timeout=60)
        one.refresh_from_db()
        assert said == sorted(["decided", one.state])
        assert held(lan, who) - before == (500 if one.state == "done" else 0)
    assert queries.verify(lan.merchant).findings == []
