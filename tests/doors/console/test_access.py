"""Who may open what: over the whole table of addresses, so that a new page cannot be forgotten."""

from __future__ import annotations

import pytest
from django.urls import URLPattern, reverse
from django.utils import translation

from shuke.doors.console import navigation
from shuke.doors.console.urls import urlpatterns
from shuke.kit.models import Job
from shuke.loyalty.models import CharterDraft
from shuke.members.models import Member
from shuke.orders.models import ImportBatch
from shuke.shops.models import Role
from tests import cast

PAGES = {pattern.name: pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)}
PUBLIC = {"sign-in", "sign-in-code", "language", "handbook", "handbook-pdf", "invite"}


def arguments(pattern: URLPattern) -> list[str]:
    return list(pattern.pattern.converters)


def test_every_view_says_who_may_call_it():
    undeclared = [name for name, pattern in PAGES.items() if not hasattr(pattern.callback, "console_roles")]
    assert undeclared == []
    assert {name for name, p in PAGES.items() if p.callback.console_roles is None} == PUBLIC


@pytest.mark.parametrize("name", sorted(set(PAGES) - PUBLIC))
def test_nobody_gets_in_without_signing_in(client, db, name):
    url = reverse(f"console:{name}", kwargs=dict.fromkeys(arguments(PAGES[name]), 1))
    for answer in (client.get(url), client.post(url)):
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in")


def test_a_fragment_sends_the_whole_page_to_sign_in(client, db):
    answer = client.get(
        "/members?q=1", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/members?q=1"}
    )
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in?next=/members%3Fq%3D1")


@pytest.mark.parametrize(
    "name", sorted(name for name, p in PAGES.items() if arguments(p) not in ([], ["key"]) and name not in PUBLIC)
)
def test_another_merchants_things_are_not_found(client, lan, mingde, name):
    member = Member.objects.create(merchant=mingde.merchant, card="2000000008", joined_at=cast.OPENED, name="Not Lan's")
    job = Job.objects.create(merchant_id=mingde.merchant.pk, name="members.export", due_at=cast.NOON, made_at=cast.NOON)
    batch = ImportBatch.objects.create(merchant=mingde.merchant, state="done", started_at=cast.NOON)
    draft = CharterDraft.objects.create(
        merchant=mingde.merchant, title="Not Lan's", text="", made_at=cast.NOON, saved_at=cast.NOON
    )
    # A sample file has a key and no owner; everything else in an address belongs to somebody.
    foreign = {
        "pk": member.pk,
        "job_id": job.pk,
        "batch_id": batch.pk,
        "contact_id": member.pk,
        "merge_id": 1,
        "correction_id": 1,
        "referral_id": 1,
        "complaint_id": 1,
        "place": 0,
    }
    foreign |= {"number": 1, "file": "settlement"}
    foreign |= {"draft_id": draft.pk, "version": 1, "key": "theirs", "kind": "json"}
    client.force_login(lan.owner)
    url = reverse(f"console:{name}", kwargs={key: foreign[key] for key in arguments(PAGES[name])})
    answers = {client.get(url).status_code, client.post(url).status_code}
    assert answers <= {404, 405}
    assert 404 in answers


@pytest.mark.parametrize("name", sorted(set(PAGES) - PUBLIC))
def test_a_role_that_is_not_named_is_refused(client, lan, name):
    roles = PAGES[name].callback.console_roles
    staff = {
        Role(person.role): person for person in (lan.owner, lan.manager, lan.specialist, lan.assistant, lan.auditor)
    }
    url = reverse(f"console:{name}", kwargs=dict.fromkeys(arguments(PAGES[name]), 1))
    for role in set(Role) - set(roles or Role):
        client.force_login(staff[role])
        assert client.get(url).status_code == 403, role


def test_the_menu_has_no_dead_links_and_at_most_nine_items(client, lan):
    items = navigation.items("console:dashboard", lan.owner)
    assert len(items) == len(navigation.MENU) <= 9
    assert [item.current for item in items] == [True] + [False] * (len(items) - 1)
    client.force_login(lan.owner)
    assert [client.get(item.url).status_code for item in items] == [200] * len(items)


@pytest.mark.parametrize("role", ["owner", "manager", "specialist", "assistant", "auditor"])
def test_every_page_below_an_entry_opens_for_whoever_sees_it(see, lan, role):
    staff = getattr(lan, role)
    client = see(staff)
    items = navigation.items("console:reward-draws", staff)
    assert len(navigation.thumbs(items)) <= navigation.THUMBS
    told = {page.url: client.get(page.url).status_code for item in items for page in item.below}
    assert set(told.values()) <= {200}, told
    if role == "owner":
        assert [str(p.label) for item in items for p in item.below if p.current] == ["Lucky draws"]
        assert [str(item.label) for item in items if item.current] == ["Rewards"]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("owner", ["Dashboard", "Members", "Counter", "Charter", "Rewards", "Coupons", "Insight", "Finance", "Import"]),
        (
            "specialist",
            ["Dashboard", "Members", "Counter", "Charter", "Rewards", "Coupons", "Insight", "Finance", "Import"],
        ),
        ("auditor", ["Dashboard", "Members", "Charter", "Rewards", "Coupons", "Insight", "Finance"]),
        ("assistant", ["Members", "Counter", "Charter", "Coupons"]),
    ],
)
def test_the_menu_shows_what_a_role_opens_and_nothing_else(see, lan, role, expected):
    staff = getattr(lan, role)
    with translation.override("en"):
        assert [str(item.label) for item in navigation.items("", staff)] == expected
    client = see(staff)
    assert client.get("/imports").status_code == (200 if "Import" in expected else 403)
    home = client.get("/")
    if "Dashboard" in expected:
        assert home.status_code == 200
    else:
        assert home.headers["Location"] == "/members"


def test_pages_are_private_and_let_nothing_in_from_elsewhere(client, lan):
    client.force_login(lan.owner)
    answer = client.get("/charter")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
        "frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
    )
    assert {"HX-Request", "Cookie", "Accept-Language"} <= {v.strip() for v in answer.headers["Vary"].split(",")}
    assert answer.headers["Server-Timing"].startswith("app;dur=")


@pytest.mark.parametrize(("language", "words"), [("en", "There is no such page"), ("zh-hans", "没有这个页面")])
def test_a_missing_page_says_so_in_the_readers_language(client, lan, language, words):
    client.cookies["django_language"] = language
    answer = client.get("/no-such-page")
    assert answer.status_code == 404
    assert words in answer.content.decode()
