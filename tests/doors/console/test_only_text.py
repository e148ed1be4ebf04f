"""Letters that are none (U+0000, half of a surrogate pair) in forms, search boxes, addresses and cookies of console and counter: a
page with a sentence, on PostgreSQL as on SQLite, and nothing is written."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.urls import URLPattern, get_resolver

from shuke.kit.models import AuditLine
from shuke.loyalty.actions import Ask, ask, gifts
from shuke.shops import queries
from tests.loyalty.books import member, publish

pytestmark = pytest.mark.django_db
NUL, FORM = "%00", "application/x-www-form-urlencoded"


@pytest.fixture
def shop(lan):
    publish(lan.merchant)
    return lan


def urls() -> list[str]:
    """The address of every page a browser is led to, each with numbers and words in its places."""
    found: list[str] = []

    def walk(patterns, before: str) -> None:
        for one in patterns:
            path = before + str(one.pattern)
            if not isinstance(one, URLPattern):
                walk(one.url_patterns, path)
            elif not getattr(one.callback, "csrf_exempt", False) and not path.startswith(("^", "static")):
                found.append("/" + re.sub(r"<\w+:\w+>|<\w+>", "1", path))

    walk(get_resolver().url_patterns, "")
    return sorted(set(found))


def refused(answer, words: str) -> None:
    page = answer.content.decode()
    assert (answer.status_code, 'data-code="bad_text"' in page, words in page) == (400, True, True), page[:500]


def test_every_page_and_form_refuses_letters_that_are_none(shop, see):
    client = see(shop.owner)
    told = urls()
    assert {"/members", "/members/hits", "/counter/hits", "/counter/m/1/till/price", "/charter"} <= set(told)
    before = AuditLine.objects.count()
    for url in told:
        refused(client.get(f"{url}?q=x{NUL}"), "U+0000")
        refused(client.post(url, f"name=x{NUL}", content_type=FORM), "U+0000")
        refused(client.post(url, f"x{NUL}=1", content_type=FORM), "U+0000")
    assert AuditLine.objects.count() == before


def test_it_is_said_in_the_readers_language(shop, see):
    refused(see(shop.owner, "zh-hans").get(f"/members/hits?q={NUL}"), "含有不能作为文字的字符")


def test_half_a_pair_is_none_either_however_it_is_written(shop, see):
    client = see(shop.owner)
    # UTF-7, read where a form says so, can write half a pair; UTF-8 cannot.
    parts = '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx+2AA-\r\n--b--\r\n'
    told = client.generic("POST", "/charter", parts, content_type="multipart/form-data; boundary=b; charset=utf-7")
    refused(told, "U+0000")
    assert client.get("/members?q=%ED%A0%80").status_code == 200  # no UTF-8, read as a mark that stands for it


def test_a_session_cookie_nobody_was_given_is_no_session(shop, client):
    client.cookies[settings.SESSION_COOKIE_NAME] = "\0" * 32
    answer = client.get("/members")
    assert (answer.status_code, "sign-in" in answer["Location"]) == (302, True)


def test_what_is_text_passes_whatever_it_is(shop, see):
    who = member(shop.merchant, 7)
    client = see(shop.owner)
    assert client.get("/members", {"q": "会员7 \U0001f600 é\x07"}).status_code == 200
    said = "给 \U0001f600 的备注\t"
    assert client.post(f"/members/{who}/note", {"text": said}).status_code < 400


def test_what_no_form_sends_is_refused_with_a_sentence(shop, see):
    """Forms say how long a reason may be; who sends a longer one by hand is told, and nothing is done."""
    who = member(shop.merchant, 2)
    gift = {"name_zh": "马克杯", "name_en": "Mug", "points": 100, "stock": 5}
    told = {"merchant": shop.merchant, "now": queries.now(shop.merchant), "actor": "till"}
    gifts.save_gift(code="mug", values=gift, **told)
    ask(asks=[Ask("some", "adjust", who, 100)], **told)
    waits = gifts.order(member_id=who, gift="mug", key="k", **told).order
    for language, words in (("en", "at most 200 characters"), ("zh-hans", "原因最多 200 个字符")):
        answer = see(shop.manager, language).post(
            f"/rewards/orders/{waits.pk}", {"do": "cancel", "because": "长" * 201}
        )
        page = answer.content.decode()
        assert (answer.status_code, 'data-code="long_reason"' in page, words in page) == (422, True, True), page[:500]
    waits.refresh_from_db()
    assert waits.state == "held"
