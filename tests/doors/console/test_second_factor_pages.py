"""Signing in with a second factor, and one's own page of it: set up, come in, lose the phone, be asked by the shop."""

import re
from datetime import timedelta
from html import unescape

import pytest

from shuke.doors.console import attempts
from shuke.kit import clock
from shuke.kit.models import AuditLine
from shuke.shops import actions
from shuke.shops.models import Session, Staff
from tests import cast
from tests.doors.console.test_people_pages import browser, one, page
from tests.shops.test_second_factor import phone

PAGE = "/account/second-factor"


class Time:
    """The real clock, moved on so that a code is not asked for twice."""

    def __init__(self, monkeypatch):
        self.now = clock.utc_now()
        monkeypatch.setattr(clock, "utc_now", lambda: self.now)

    def pass_(self, **more):
        self.now += timedelta(**more)


@pytest.fixture
def time(monkeypatch):
    return Time(monkeypatch)


def set_up(client, time, **more):
    """Scans what the page shows, confirms it; the letters and the recovery codes."""
    answer = client.post(PAGE, {"do": "begin"}, follow=True)
    assert answer.status_code == 200
    assert "<svg" in answer.content.decode()
    letters = re.search(r"<code>([A-Z2-7 ]{32,})</code>", answer.content.decode()).group(1).replace(" ", "")
    told = {"do": "confirm", "password": cast.PASSWORD, "code": phone(letters, time.now)} | more
    answer = client.post(PAGE, told)
    assert answer.status_code == 200, page(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    return letters, re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", answer.content.decode())


def half_in(username="lan.owner", **more):
    client = browser()
    answer = client.post("/sign-in", {"username": username, "password": cast.PASSWORD} | more)
    assert answer.headers["Location"] == "/sign-in/code"
    return client


def is_in(client):
    return client.get("/members").status_code == 200


def test_the_password_alone_opens_nothing_any_more(lan, time):
    letters, codes = set_up(browser("lan.owner"), time)
    assert len(codes) == 10
    time.pass_(minutes=1)
    client = half_in(next="/charter")
    assert not is_in(client)
    assert client.get("/counter").headers["Location"].startswith("/sign-in")
    assert Session.objects.filter(staff=lan.owner).count() == 1, "only the browser in which it was set up"
    answer = client.post("/sign-in/code", {"code": "000000"})
    assert (answer.status_code, "That code does not fit." in page(answer), is_in(client)) == (422, True, False)
    answer = client.post("/sign-in/code", {"code": phone(letters, time.now)})
    assert (answer.status_code, answer.headers["Location"], is_in(client)) == (302, "/charter", True)
    assert AuditLine.objects.filter(verb="staff.signed_in").order_by("-id").first().detail == {"by": "phone"}
    again = half_in()
    assert again.post("/sign-in/code", {"code": phone(letters, time.now)}).status_code == 422, "spent"


def test_between_the_two_steps_it_never_leads_to_another_site(lan, time):
    letters, _codes = set_up(browser("lan.owner"), time)
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        time.pass_(minutes=1)
        client = half_in(next=elsewhere)
        assert client.post("/sign-in/code", {"code": phone(letters, time.now)}).headers["Location"] == "/"


def test_the_second_step_waits_ten_minutes_and_for_the_same_password(lan, time):
    letters, _codes = set_up(browser("lan.owner"), time)
    assert browser().get("/sign-in/code").headers["Location"] == "/sign-in", "nobody's password was right here"
    client = half_in()
    assert client.get("/sign-in/code").status_code == 200
    time.pass_(minutes=10)
    assert client.post("/sign-in/code", {"code": phone(letters, time.now)}).headers["Location"] == "/sign-in"
    client = half_in()
    actions.set_password(staff=Staff.objects.get(pk=lan.owner.pk), password="another lantern entirely", now=time.now)
    assert client.post("/sign-in/code", {"code": phone(letters, time.now)}).headers["Location"] == "/sign-in"
    assert not is_in(client)


def test_somebody_shut_out_between_the_two_steps_stays_out(lan, time):
    letters, _codes = set_up(browser("lan.manager"), time)
    time.pass_(minutes=1)
    client = half_in("lan.manager")
    actions.close_staff(merchant=lan.merchant, username="lan.manager", reason="left", now=time.now, by=lan.owner)
    assert client.post("/sign-in/code", {"code": phone(letters, time.now)}).headers["Location"] == "/sign-in"


def test_without_the_phone_a_recovery_code_once(lan, time):
    _letters, codes = set_up(browser("lan.owner"), time)
    client = half_in()
    answer = client.post("/sign-in/code", {"code": codes[0]}, follow=True)
    assert "9 are left" in page(answer)
    assert half_in().post("/sign-in/code", {"code": codes[0]}).status_code == 422
    assert "with a recovery code" in page(browser_of_auditor().get(f"/people/{lan.owner.pk}"))


def browser_of_auditor():
    return browser("lan.auditor")


def test_guessing_codes_is_braked_at_this_address_and_then_for_the_account(lan, time):
    letters, codes = set_up(browser("lan.owner"), time)
    client = half_in()
    for _ in range(attempts.PER_ACCOUNT):
        assert client.post("/sign-in/code", {"code": "000000"}).status_code == 422
    answer = client.post("/sign-in/code", {"code": codes[0]})
    assert (answer.status_code, "Retry-After" in answer.headers, is_in(client)) == (429, True, False)
    for n in range(attempts.PER_CODE - attempts.PER_ACCOUNT):  # whoever knows the password comes from many addresses
        time.pass_(minutes=1)
        elsewhere = browser()
        told = {"username": "lan.owner", "password": cast.PASSWORD}
        elsewhere.post("/sign-in", told, REMOTE_ADDR=f"203.0.113.{n}")
        assert elsewhere.post("/sign-in/code", {"code": "000000"}, REMOTE_ADDR=f"203.0.113.{n}").status_code == 422
    fresh = browser()
    fresh.post("/sign-in", {"username": "lan.owner", "password": cast.PASSWORD}, REMOTE_ADDR="198.51.100.7")
    answer = fresh.post("/sign-in/code", {"code": phone(letters, time.now)}, REMOTE_ADDR="198.51.100.7")
    assert answer.status_code == 429
    assert "Wrong code after the right password" in page(browser_of_auditor().get(f"/people/{lan.owner.pk}"))
    time.pass_(hours=1)
    assert half_in().post("/sign-in/code", {"code": phone(letters, time.now)}).status_code == 302


def test_guesses_on_ones_own_page_are_braked_too(lan, time):
    client = browser("lan.owner")
    client.post(PAGE, {"do": "begin"})
    for _ in range(attempts.PER_ACCOUNT):
        answer = client.post(PAGE, {"do": "confirm", "password": "guess", "code": "000000"})
        assert answer.status_code == 422
    assert "<svg" in answer.content.decode(), "what was to be scanned is still there"
    assert client.post(PAGE, {"do": "confirm", "password": cast.PASSWORD, "code": "000000"}).status_code == 429


def test_the_secret_is_shown_only_while_it_is_set_up(lan, time):
    client = browser("lan.owner")
    letters, codes = set_up(client, time)
    for address in (PAGE, f"{PAGE}?step=scan", "/account"):
        told = unescape(client.get(address).content.decode()).replace(" ", "")
        assert letters not in told
        assert not any(code in told for code in codes)
    assert letters not in str(list(AuditLine.objects.values()))
    assert client.post(PAGE, {"do": "dance"}).status_code == 404


def test_another_phone_other_codes_and_none_any_more(lan, time):
    client = browser("lan.owner")
    letters, codes = set_up(client, time)
    second, more = set_up(client, time, present=codes[0])
    time.pass_(minutes=1)
    assert client.post(PAGE, {"do": "codes", "code": phone(letters, time.now)}).status_code == 422
    answer = client.post(PAGE, {"do": "codes", "code": phone(second, time.now)})
    assert not set(re.findall(r"[a-z0-9]{5}-[a-z0-9]{5}", answer.content.decode())) & set(codes + more)
    time.pass_(minutes=1)
    told = {"do": "drop", "code": phone(second, time.now), "password": cast.PASSWORD}
    assert "Your password alone signs you in again." in page(client.post(PAGE, told, follow=True))
    assert is_in(browser("lan.owner"))


def test_of_whom_the_shop_asks_it_nothing_else_opens_before(lan, time):
    owner, assistant, manager = browser("lan.owner"), browser("lan.assistant"), browser("lan.manager")
    assert manager.post("/people", {"do": "factor", "asked": "all", "reason": "x"}).status_code == 403
    answer = owner.post("/people", {"do": "factor", "asked": "office", "reason": "members' data"}, follow=True)
    # The owner is asked as well, at their very next page.
    assert answer.redirect_chain[-1][0] == PAGE
    assert "This shop asks for more than a password" in page(answer)
    assert is_in(assistant)
    for address in ("/members", "/", "/account", "/people", "/counter"):
        assert manager.get(address).headers["Location"] == PAGE, address
    assert manager.get("/members", headers={"HX-Request": "true"}).headers["HX-Redirect"] == PAGE
    set_up(manager, time)
    assert is_in(manager)
    # A newcomer: first their own password, then the phone.
    set_up(owner, time)
    _mei, password = actions.add_staff(
        merchant=lan.merchant, username="mei", role="manager", reason="new", now=time.now, by=lan.owner
    )
    mei = browser("mei", password)
    assert mei.get(PAGE).headers["Location"] == "/account/password"
    own = "a lantern in the rain"
    mei.post("/account/password", {"present": password, "password": own, "again": own})
    assert mei.get("/").headers["Location"] == PAGE
    assert mei.post("/sign-out").headers["Location"] == "/sign-in"


def test_an_owner_takes_it_away_when_the_phone_is_lost(lan, time):
    set_up(browser("lan.manager"), time)
    owner = browser("lan.owner")
    assert "second factor" in page(owner.get("/people"))
    answer = one(owner, lan, "lan.manager", "factor")
    assert "signs in with the password alone" in page(answer)
    assert is_in(browser("lan.manager"))
    assert one(browser("lan.auditor"), lan, "lan.manager", "factor").status_code == 403


def test_ones_own_page_says_in_chinese_whether_it_is_set_up(lan, time):
    client = browser("lan.owner", language="zh-hans")
    assert "未开启" in page(client.get("/account"))
    set_up(client, time)
    assert "已开启" in page(client.get("/account"))
