"""Signing in, out, the brake on guessing, and the language of pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import translation
from django.views.defaults import server_error

from shuke.doors.console import attempts
from shuke.kit.models import AuditLine
from shuke.shops import actions
from shuke.shops.models import Staff
from tests import cast


def try_to_sign_in(client: Client, username: str, password: str, **extra):
    return client.post("/sign-in", {"username": username, "password": password}, **extra)


def test_the_right_password_opens_the_page_that_was_asked_for(client, lan):
    assert client.get("/charter").headers["Location"] == "/sign-in?next=/charter"
    answer = client.post("/sign-in", {"username": "lan.owner", "password": cast.PASSWORD, "next": "/charter"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/charter")
    assert client.get("/charter").status_code == 200


def test_it_never_leads_to_another_site_afterwards(client, lan):
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"):
        answer = client.post("/sign-in", {"username": "lan.owner", "password": cast.PASSWORD, "next": elsewhere})
        assert answer.headers["Location"] == "/"
        client.post("/sign-out")


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(client, lan):
    client.cookies["django_language"] = "en"
    name = try_to_sign_in(client, "nobody", cast.PASSWORD)
    word = try_to_sign_in(client, "lan.owner", "wrong")
    assert name.status_code == word.status_code == 422
    for answer in (name, word):
        assert "User name and password do not match." in answer.content.decode()


def test_somebody_who_left_cannot_sign_in(client, lan):
    lan.assistant.is_active = False
    lan.assistant.save(update_fields=["is_active"])
    assert try_to_sign_in(client, "lan.assistant", cast.PASSWORD).status_code == 422


def test_the_sixth_guess_has_to_wait_even_with_the_right_password(client, lan):
    for _ in range(attempts.PER_ACCOUNT):
        assert try_to_sign_in(client, "lan.owner", "guess").status_code == 422
    answer = try_to_sign_in(client, "lan.owner", cast.PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) in (14 * 60, 15 * 60)
    assert "_auth_user_id" not in client.session


def test_guesses_from_elsewhere_do_not_lock_out_the_owner(client, lan):
    for _ in range(attempts.PER_ACCOUNT):
        try_to_sign_in(client, "lan.owner", "guess", REMOTE_ADDR="203.0.113.9")
    assert try_to_sign_in(client, "lan.owner", cast.PASSWORD).status_code == 302


def test_one_address_cannot_go_on_with_other_accounts_for_ever(client, lan):
    for number in range(attempts.PER_ADDRESS):
        try_to_sign_in(client, f"account{number}", "guess")
    assert try_to_sign_in(client, "lan.owner", cast.PASSWORD).status_code == 429


def test_waiting_ends_a_quarter_of_an_hour_after_the_oldest_guess(lan):
    for minute in range(attempts.PER_ACCOUNT):
        attempts.note_failure(username="x", address="192.0.2.1", now=cast.NOON + timedelta(minutes=minute))
    told = [
        attempts.wait_minutes(username=" X", address="192.0.2.1", now=cast.NOON + timedelta(minutes=minute))
        for minute in (4, 10, 14, 15)
    ]
    assert told == [11, 5, 1, 0]


def test_the_log_tells_of_tries_but_never_what_was_typed(client, lan):
    try_to_sign_in(client, "correct horse battery", "lan.owner")
    try_to_sign_in(client, "lan.owner", cast.PASSWORD)
    lines = AuditLine.objects.filter(verb__startswith="staff.sign").order_by("at", "id")
    assert [(line.verb, line.actor) for line in lines] == [
        ("staff.sign_in_failed", "nobody"),
        ("staff.signed_in", "lan.owner"),
    ]
    assert "horse" not in lines[0].object


def test_signing_out_is_a_post_and_ends_the_session(client, lan):
    client.force_login(lan.owner)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert client.get("/").headers["Location"] == "/sign-in"


def test_a_form_without_its_token_is_refused_in_plain_words(lan):
    client = Client(enforce_csrf_checks=True)
    client.cookies["django_language"] = "en"
    answer = try_to_sign_in(client, "lan.owner", cast.PASSWORD)
    assert answer.status_code == 403
    assert "This form has gone stale" in answer.content.decode()


@pytest.mark.parametrize(
    ("cookie", "asked", "language"),
    [
        ("", "", "zh-Hans"),
        ("", "fr", "zh-Hans"),
        ("", "en-GB", "en"),
        ("", "zh-CN", "zh-Hans"),
        ("zh-hans", "en", "zh-Hans"),
    ],
)
def test_pages_speak_chinese_unless_the_browser_or_the_person_asks_for_english(client, db, cookie, asked, language):
    if cookie:
        client.cookies["django_language"] = cookie
    page = client.get("/sign-in", headers={"Accept-Language": asked} if asked else {}).content.decode()
    assert f'<html lang="{language}"' in page


def test_the_language_switch_stays_on_the_page_and_is_remembered(client, lan):
    client.force_login(lan.owner)
    answer = client.post("/language", {"language": "en", "next": "/charter"})
    assert answer.headers["Location"] == "/charter"
    assert '<html lang="en"' in client.get("/charter").content.decode()
    client.post("/language", {"language": "xx", "next": "/"})
    assert '<html lang="en"' in client.get("/charter").content.decode()


def test_a_new_password_ends_sessions_that_are_open(client, lan):
    client.force_login(lan.assistant)
    assert client.get("/charter").status_code == 200
    actions.set_password(staff=lan.assistant, password="a lantern in the rain", now=cast.NOON)
    assert client.get("/").headers["Location"] == "/sign-in"


def test_somebody_who_left_is_out_at_once(client, lan):
    client.force_login(lan.assistant)
    Staff.objects.filter(pk=lan.assistant.pk).update(is_active=False)
    assert client.get("/").headers["Location"] == "/sign-in"


def test_a_broken_page_says_so_without_needing_anything_that_may_be_broken(rf, db):
    """500.html is drawn without request or context, so it must not ask for either."""
    with translation.override("en"):
        answer = server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
