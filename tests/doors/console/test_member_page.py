"""One member's page: who may see it, what it says, what is revealed and what that leaves behind."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from shuke.insight.models import MemberScore
from shuke.kit import clock
from shuke.kit.models import AuditLine
from shuke.members import actions
from shuke.members.models import Consent, Contact, Member, TimelineLine
from tests.doors.console import people


@pytest.fixture
def owner(client, lan):
    client.force_login(lan.owner)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def ann(lan):
    return people.make(lan.merchant, 1, clock.utc_now(), [lan.street], tiers=["gold"])[0]


def page(client, who, **asked):
    return client.get(reverse("console:member", args=[who.pk]), asked)


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_every_page_of_a_member_is_404_for_another_merchant(client, lan, mingde, ann):
    client.force_login(mingde.owner)
    contact = Contact.objects.filter(member=ann).first()
    for name in ("member", "member-timeline", "member-points"):
        assert client.get(reverse(f"console:{name}", args=[ann.pk])).status_code == 404
    assert client.post(reverse("console:member-note", args=[ann.pk]), {"text": "x"}).status_code == 404
    reveal = reverse("console:member-reveal", args=[ann.pk, contact.pk])
    assert client.post(reveal, {"reason": "call"}).status_code == 404
    assert not AuditLine.objects.filter(verb="contact.revealed").exists()


def test_contacts_are_masked_on_the_page(owner, ann):
    said = text(page(owner, ann))
    assert ann.phone_hint.split("****")[1] in said
    assert "+86" not in said
    assert "某某路" not in said


def test_the_summary_says_who_this_is_in_words(owner, lan, ann):
    MemberScore.objects.filter(member=ann).update(
        order_count=12, order_days=11, net_minor=123_450, usual_gap_days=34.2, rfm="222",
        first_paid_at=clock.utc_now() - timedelta(days=400), last_paid_at=clock.utc_now() - timedelta(days=60),
    )  # fmt: skip
    said = text(page(owner, ann))
    assert "Bought 12 times since" in said
    assert "for ¥1,234.50 net. Usually comes about every 34 days." in said
    assert "Last purchase 60 days ago, later than usual." in said
    assert "Champions 222 · Bought lately, often and much" in said


@pytest.mark.parametrize(
    ("days", "gap", "ending"),
    [(20, 34.0, "within the usual rhythm."), (60, 34.0, "later than usual."), (120, 34.0, "far later than usual.")],
)
def test_lateness_is_measured_by_the_members_own_gap(owner, ann, days, gap, ending):
    MemberScore.objects.filter(member=ann).update(
        usual_gap_days=gap, order_count=5, order_days=5, last_paid_at=clock.utc_now() - timedelta(days=days)
    )
    assert f"Last purchase {days} days ago, {ending}" in text(page(owner, ann))


def test_somebody_who_joined_today_is_told_so_and_not_as_zeros(owner, lan):
    made = actions.recognise(merchant=lan.merchant, people=[people.person(1)], now=clock.utc_now())
    said = text(owner.get(reverse("console:member", args=[made[0].member_id])))
    assert "Joined since the last night run" in said


def test_consent_is_always_visible(owner, lan, ann):
    Consent.objects.all().delete()
    assert "Without consent, send no promotions." in text(page(owner, ann))
    actions.consent(
        merchant=lan.merchant,
        statements=[actions.Statement(ann.pk, "sms", "promotion", False, clock.utc_now(), "reply")],
        now=clock.utc_now(),
    )
    assert "SMS · promotions ✕ refused" in text(page(owner, ann))


def test_revealing_needs_a_reason_and_leaves_a_line_in_the_audit_log(owner, lan, ann):
    contact = Contact.objects.get(member=ann, kind="phone")
    address = reverse("console:member-reveal", args=[ann.pk, contact.pk])
    assert owner.post(address, {}).status_code == 422
    assert not AuditLine.objects.filter(verb="contact.revealed").exists()
    shown = owner.post(address, {"reason": "call"})
    assert re.search(r"\+86190\d{8}", shown.content.decode())
    assert "no-store" in shown["Cache-Control"]
    line = AuditLine.objects.get(verb="contact.revealed")
    assert (line.actor, line.object, line.detail["reason"]) == ("lan.owner", f"member {ann.pk}", "call")
    assert "+86190" not in str(line.detail)
    assert owner.get(address).status_code == 405


@pytest.mark.parametrize(("role", "status"), [("assistant", 403), ("auditor", 403), ("specialist", 200)])
def test_only_some_roles_may_reveal(client, lan, ann, role, status):
    client.force_login(getattr(lan, role))
    contact = Contact.objects.get(member=ann, kind="phone")
    assert ("contacts/" in page(client, ann).content.decode()) == (status == 200)
    answer = client.post(reverse("console:member-reveal", args=[ann.pk, contact.pk]), {"reason": "call"})
    assert answer.status_code == status


def test_a_contact_of_somebody_else_is_not_revealed_on_this_page(owner, lan, ann):
    other = people.make(lan.merchant, 2, clock.utc_now(), [lan.street], tiers=["gold"], seed=8)[1]
    contact = Contact.objects.filter(member=other, kind="phone").first()
    address = reverse("console:member-reveal", args=[ann.pk, contact.pk])
    assert owner.post(address, {"reason": "call"}).status_code == 404


def test_a_note_is_kept_with_its_author_and_shown_first(owner, client, lan, ann):
    address = reverse("console:member-note", args=[ann.pk])
    fragment = owner.post(address, {"text": "Likes <b>cream</b>, call on Friday"}, headers={"HX-Request": "true"})
    assert "Likes &lt;b&gt;cream&lt;/b&gt;, call on Friday" in fragment.content.decode()
    line = TimelineLine.objects.get(member=ann, kind="comment")
    assert line.body == {"text": "Likes <b>cream</b>, call on Friday", "by": "lan.owner"}
    empty = owner.post(address, {"text": "  "}, headers={"HX-Request": "true"})
    assert empty.status_code == 422
    assert "Write something first" in empty.content.decode()
    client.force_login(lan.auditor)
    assert client.post(address, {"text": "x"}).status_code == 403


def test_older_lines_come_on_asking_each_once(owner, lan, ann):
    now = clock.utc_now()
    actions.note(
        merchant=lan.merchant,
        lines=[actions.Note(ann.pk, now - timedelta(hours=i), "comment", "", {"text": f"line {i:02d}", "by": "x"}) for i in range(40)],
        now=now,
    )  # fmt: skip
    seen, address = [], reverse("console:member-timeline", args=[ann.pk]) + "?show=notes"
    for _ in range(5):
        fragment = owner.get(address, headers={"HX-Request": "true"}).content.decode()
        seen += re.findall(r"line \d\d", fragment)
        more = re.search(r'class="c-older">.*?hx-get="([^"]+)"', fragment)
        if not more:
            break
        address = more[1].replace("&amp;", "&")
    assert seen == [f"line {i:02d}" for i in range(40)]


def test_the_list_one_came_from_leads_to_the_next_member(owner, lan):
    three = people.make(lan.merchant, 3, clock.utc_now(), [lan.street], tiers=["gold"])
    order = list(MemberScore.objects.order_by("-net_minor", "-member_id").values_list("member_id", flat=True))
    middle = Member.objects.get(pk=order[1])
    said = page(owner, middle, sort="-spent").content.decode()
    assert re.search(rf'rel="prev" href="/members/{order[0]}\?sort=-spent"', said)
    assert re.search(rf'rel="next" href="/members/{order[2]}\?sort=-spent"', said)
    assert 'rel="next"' not in page(owner, three[0]).content.decode()


def test_the_page_costs_the_same_queries_whatever_the_member_has(owner, lan, ann, django_assert_num_queries):
    page(owner, ann)
    with django_assert_num_queries(QUERIES):
        page(owner, ann)
    now = clock.utc_now()
    actions.note(merchant=lan.merchant, lines=[actions.Note(ann.pk, now, "comment", "", {"text": "x"})] * 3, now=now)
    actions.add_tags(merchant=lan.merchant, member_ids=[ann.pk], tags=["a", "b"], now=now, actor="x")
    with django_assert_num_queries(QUERIES):
        page(owner, ann)


QUERIES = 28


def test_the_search_box_finds_by_digits_and_opens_them_in_the_phone(owner, lan, ann):
    tail = ann.phone_hint[-4:]
    fragment = owner.get("/members/hits", {"q": tail}, headers={"HX-Request": "true"}).content.decode()
    assert f"/members/{ann.pk}" in fragment
    assert tail in fragment
    assert "+86" not in fragment
    nobody = owner.get("/members/hits", {"q": "zzzz"}, headers={"HX-Request": "true"}).content.decode()
    assert "Nobody is found by “zzzz”" in nobody
    assert owner.get("/members/hits", {"q": ann.card})["Location"] == f"/members?q={ann.card}"
