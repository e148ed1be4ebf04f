"""The people of the shop in the console, and one's own account: let in, first sign-in, changed, shut out, two owners at once."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from shuke.doors.console import attempts
from shuke.kit import clock
from shuke.kit.models import AuditLine
from shuke.shops import actions, queries
from shuke.shops.models import Session, Staff
from tests import cast

OWN = "a lantern in the rain"


def browser(
    username=None, password=cast.PASSWORD, language="en", agent="Mozilla/5.0 (Windows NT 10.0) Chrome/126 Safari/537"
):
    client = Client(headers={"User-Agent": agent})
    client.cookies["django_language"] = language
    if username:
        answer = client.post("/sign-in", {"username": username, "password": password})
        assert answer.status_code == 302, answer.content.decode()
    return client


def page(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def revision(lan, username):
    return Staff.objects.get(username=username).revision


def one(client, lan, username, do, **more):
    person = Staff.objects.get(username=username)
    told = {"do": do, "reason": "because", "revision": person.revision} | more
    return client.post(f"/people/{person.pk}", told, follow=True)


def password_in(answer):
    return re.search(r"<code>([a-z0-9-]{19})</code>", answer.content.decode()).group(1)


def test_a_second_person_comes_in_and_chooses_their_own_password(lan):
    owner = browser("lan.owner")
    told = {"username": "mei", "name": "小梅", "role": "manager", "stores": [lan.second.pk], "reason": "second person"}
    answer = owner.post("/people", told)
    password = password_in(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert "小梅 mei" in page(owner.get("/people"))
    assert password not in page(owner.get("/people"))
    # Sent again, as a browser does on reload, it is no second account.
    again = owner.post("/people", told)
    assert (again.status_code, "already signs in as “mei”" in page(again)) == (422, True)

    mei = browser("mei", password)
    for address in ("/", "/members", "/counter", "/account", "/people"):
        assert mei.get(address).headers["Location"] == "/account/password", address
    fragment = mei.get("/counter/hits?q=12", headers={"HX-Request": "true"})
    assert fragment.headers["HX-Redirect"] == "/account/password"
    assert "made by somebody else" in page(mei.get("/account/password"))
    for present, new, again, said in (
        ("wrong", OWN, OWN, "not your present password"),
        (password, OWN, OWN + "x", "not the same"),
        (password, "short", "short", "at least 12"),
        (password, password, password, "the password you have"),
    ):
        answer = mei.post("/account/password", {"present": present, "password": new, "again": again})
        assert answer.status_code == 422
        assert said in page(answer)
    answer = mei.post("/account/password", {"present": password, "password": OWN, "again": OWN})
    assert answer.headers["Location"] == "/"
    assert mei.get("/members").status_code == 200
    assert browser().post("/sign-in", {"username": "mei", "password": password}).status_code == 422
    browser("mei", OWN)
    assert "Chose a password" in page(owner.get(f"/people/{Staff.objects.get(username='mei').pk}"))


def test_a_one_time_password_lapses(lan, monkeypatch):
    _person, password = actions.add_staff(
        merchant=lan.merchant,
        username="mei",
        role="manager",
        reason="x",
        now=clock.utc_now() - timedelta(days=3, minutes=1),
    )
    answer = browser().post("/sign-in", {"username": "mei", "password": password})
    assert answer.status_code == 422
    assert "has lapsed" in page(answer)
    assert not Session.objects.filter(staff__username="mei").exists()


def test_what_each_role_may_do_stands_on_the_page(lan):
    text = page(browser("lan.owner").get("/people"))
    assert "Decides who works here" in text
    chinese = page(browser("lan.owner", language="zh-hans").get("/people"))
    for name in ("店主", "店长", "会员专员", "导购", "财务/审计", "管理员工及其权限"):
        assert name in chinese
    assert "柜台服务" in page(browser("lan.assistant", language="zh-hans").get("/account"))


def test_an_auditor_looks_and_nobody_else_but_the_owner_sees_the_page(lan):
    auditor = browser("lan.auditor")
    text = auditor.get("/people").content.decode()
    assert "lan.manager" in text
    assert 'name="username"' not in text.split("<main")[1]
    person = f"/people/{lan.manager.pk}"
    assert 'name="do"' not in auditor.get(person).content.decode()
    assert auditor.post("/people", {"username": "x"}).status_code == 403
    assert auditor.post(person, {"do": "close", "reason": "x", "revision": 1}).status_code == 403
    for other in ("lan.manager", "lan.specialist", "lan.assistant"):
        client = browser(other)
        assert client.get("/people").status_code == client.get(person).status_code == 403
        assert client.post(person, {"do": "close", "reason": "x", "revision": 1}).status_code == 403
        assert 'href="/people"' not in client.get("/account").content.decode()
    assert Staff.objects.get(pk=lan.manager.pk).is_active


def test_role_and_stores_change_and_the_person_is_signed_out(lan):
    owner, assistant = browser("lan.owner"), browser("lan.assistant")
    answer = one(owner, lan, "lan.assistant", "change", role="specialist", stores=[lan.second.pk], name="Lan assistant")
    assert "saved" in page(answer)
    assert assistant.get("/members").headers["Location"].startswith("/sign-in")
    assert "Shop assistant → Member specialist" in page(answer)
    assert "because" in page(answer)
    assert "JA" in page(answer)
    assert browser("lan.assistant").get("/imports").status_code == 200
    answer = one(owner, lan, "lan.assistant", "change", role="specialist", reason=" ", name="Typed anew")
    assert "Say why" in page(answer)
    assert 'value="Typed anew"' in answer.content.decode()
    assert owner.post(f"/people/{lan.assistant.pk}", {"do": "fire"}).status_code == 404


def test_nobody_changes_their_own_account(lan):
    owner = browser("lan.owner")
    assert 'name="do"' not in owner.get(f"/people/{lan.owner.pk}").content.decode()
    assert "This is you" in page(owner.get(f"/people/{lan.owner.pk}"))
    for do in ("change", "close", "password"):
        assert "Nobody changes their own role" in page(one(owner, lan, "lan.owner", do, role="auditor"))
    assert Staff.objects.get(pk=lan.owner.pk).role == "owner"


def test_closing_is_at_once_and_reopening_gives_a_new_password(lan):
    owner, manager = browser("lan.owner"), browser("lan.manager")
    assert "cannot sign in any more" in page(one(owner, lan, "lan.manager", "close"))
    assert manager.get("/members").headers["Location"].startswith("/sign-in")
    assert browser().post("/sign-in", {"username": "lan.manager", "password": cast.PASSWORD}).status_code == 422
    password = password_in(one(owner, lan, "lan.manager", "reopen"))
    assert browser().post("/sign-in", {"username": "lan.manager", "password": cast.PASSWORD}).status_code == 422
    assert browser("lan.manager", password).get("/members").headers["Location"] == "/account/password"


def test_two_owners_on_one_account_overwrite_nothing(lan):
    actions.change_staff(merchant=lan.merchant, username="lan.manager", role="owner", reason="x", now=cast.NOON)
    first, second = browser("lan.owner"), browser("lan.manager")
    seen = revision(lan, "lan.assistant")
    one(first, lan, "lan.assistant", "change", role="specialist", revision=seen)
    answer = one(second, lan, "lan.assistant", "change", role="auditor", revision=seen)
    assert "was changed meanwhile" in page(answer)
    assert Staff.objects.get(pk=lan.assistant.pk).role == "specialist"
    for odd in ("", "x", "-1", "9" * 40, "²"):
        assert "was changed meanwhile" in page(one(second, lan, "lan.assistant", "close", revision=odd))
    # One of them is made less while their page is open.
    one(first, lan, "lan.manager", "change", role="auditor")
    assert second.post(f"/people/{lan.assistant.pk}", {"do": "close"}).headers["Location"].startswith("/sign-in")


def test_a_page_is_only_of_ones_own_shop(lan, mingde):
    owner = browser("lan.owner")
    assert owner.get(f"/people/{mingde.owner.pk}").status_code == 404
    answer = owner.post("/people", {"username": "mei", "role": "manager", "reason": "x", "stores": [mingde.street.pk]})
    assert "has no store" in page(answer)
    assert queries.staff_by_username(lan.merchant, "mei") is None


# ---- one's own account ----------------------------------------------------------------------------------------------


def test_one_sees_and_ends_ones_own_browsers(lan):
    desk = browser("lan.manager")
    phone = browser("lan.manager", agent="Mozilla/5.0 (iPhone) MicroMessenger/8 Safari")
    other = browser("lan.owner")
    text = page(desk.get("/account"))
    assert "Chrome on Windows" in text
    assert "WeChat on iPhone" in text
    assert "127.0.0.1" in text
    answer = desk.get("/account").content.decode()
    assert all(row.pk not in answer for row in Session.objects.all())  # the key would open it
    [handle] = re.findall(r'name="which" value="(\w+)"', answer)
    assert "is signed out." in page(desk.post("/account/sessions", {"do": "one", "which": handle}, follow=True))
    assert phone.get("/account").headers["Location"].startswith("/sign-in")
    assert "already" in page(desk.post("/account/sessions", {"do": "one", "which": handle}, follow=True))
    assert desk.get("/account").status_code == other.get("/account").status_code == 200
    browser("lan.manager")
    desk.post("/account/sessions", {"do": "all"})
    assert Session.objects.filter(staff=lan.manager).count() == 1
    assert AuditLine.objects.filter(verb="staff.signed_out_elsewhere").count() == 2


def test_a_new_password_keeps_this_browser_and_ends_the_others(lan):
    here, there = browser("lan.assistant"), browser("lan.assistant")
    answer = here.post("/account/password", {"present": cast.PASSWORD, "password": OWN, "again": OWN}, follow=True)
    assert "new password holds" in page(answer)
    assert here.get("/account").status_code == 200
    assert there.get("/account").headers["Location"].startswith("/sign-in")
    assert Session.objects.filter(staff=lan.assistant).count() == 1


def test_guessing_at_ones_own_password_is_braked(lan):
    client = browser("lan.assistant")
    told = {"present": "guess", "password": OWN, "again": OWN}
    for _ in range(attempts.PER_ACCOUNT):
        assert client.post("/account/password", told).status_code == 422
    answer = client.post("/account/password", told | {"present": cast.PASSWORD})
    assert answer.status_code == 429
    assert "Too many tries" in page(answer)
    assert Staff.objects.get(pk=lan.assistant.pk).check_password(cast.PASSWORD)


def test_a_session_ends_when_nobody_uses_it_and_at_the_latest_after_twelve_hours(lan):
    client = browser("lan.assistant")
    now = clock.utc_now()
    row = Session.objects.get()
    assert timedelta(hours=11, minutes=59) < row.expire_date - now <= timedelta(hours=12)
    Session.objects.update(seen_at=now - timedelta(hours=2, minutes=59))
    assert client.get("/members").status_code == 200
    assert Session.objects.get().seen_at >= now  # they are here
    assert Staff.objects.get(pk=lan.assistant.pk).seen_at >= now
    Session.objects.update(seen_at=now - timedelta(hours=3, minutes=1))
    assert client.get("/members").headers["Location"].startswith("/sign-in")
    # Used all day, it ends twelve hours after signing in: saving it does not lengthen it.
    client = browser("lan.assistant")
    session = client.session
    session[Session.BEGUN] = (now - timedelta(hours=11)).isoformat()
    session.save()
    assert Session.objects.get(pk=session.session_key).expire_date <= now + timedelta(hours=1)


def test_looking_writes_no_more_than_every_few_minutes(lan, django_assert_max_num_queries):
    client = browser("lan.assistant")
    before = Session.objects.get().seen_at
    client.get("/members")
    assert Session.objects.get().seen_at == before


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_list_says_when_somebody_was_last_here(lan, language):
    browser("lan.assistant")
    text = page(browser("lan.owner", language=language).get("/people"))
    never, last = ("never seen", "last seen 20") if language == "en" else ("从未登录", "最近使用 20")
    assert text.count(last) == 2
    assert never in text
