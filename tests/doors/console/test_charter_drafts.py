"""Editing a charter: begun, typed, checked, compared, published on a day, taken back; two people at once; nothing lost."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from shuke.engine.charter import document, telling
from shuke.kit.models import AuditLine
from shuke.loyalty.models import CharterDraft, PublishedCharter
from shuke.loyalty.queries import charters
from shuke.shops import queries as shops
from tests.loyalty.books import CHARTER, NOW, START, publish

pytestmark = pytest.mark.django_db
URL = "/charter/drafts"


@pytest.fixture
def client(see, lan, monkeypatch):
    monkeypatch.setattr("shuke.shops.queries.clock.utc_now", lambda: NOW)
    publish(lan.merchant)
    return see(lan.owner)


def begin(client) -> CharterDraft:
    client.post(URL, {"from": "version:1"})
    return CharterDraft.objects.latest("id")


def typed(page: str) -> dict[str, str]:
    """What a browser would send of the form on a page, its buttons left alone."""
    form = page[
        page.index('<form method="post" action="/charter/drafts/') : page.index("</form>", page.index('id="draft"'))
    ]
    found: dict[str, str] = {}
    for tag in re.finditer(
        r"<input ([^>]*)>|<select ([^>]*)>(.*?)</select>|<textarea ([^>]*)>(.*?)</textarea>", form, re.S
    ):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag[1] or tag[2] or tag[4]))
        if "name" not in attributes or (attributes.get("type") == "checkbox" and " checked" not in tag[1]):
            continue
        value = attributes.get("value", "")
        if tag[2]:
            value = next(iter(re.findall(r'<option value="([^"]*)" selected', tag[3])), "")
        found[attributes["name"]] = value
    return found


def page(client, draft, part: str) -> str:
    return client.get(f"{URL}/{draft.pk}?part={part}").content.decode()


def text_of(draft) -> document.Charter:
    draft.refresh_from_db()
    return document.read(draft.text)


@pytest.mark.parametrize(
    "part", ["basics", "points", "tiers", "grading", "memberships", "earning", "selling", "referral", "duties"]
)
def test_saving_a_part_untouched_changes_nothing(client, part):
    draft = begin(client)
    before = text_of(draft)
    answer = client.post(f"{URL}/{draft.pk}", typed(page(client, draft, part)))
    assert answer.status_code == 302
    assert text_of(draft) == before == document.from_plain(CHARTER)


def test_what_is_typed_is_saved_with_who_and_when(client, lan):
    draft = begin(client)
    sent = typed(page(client, draft, "tiers")) | {"tiers.1.multiplier": "3", "title": "Three"}
    client.post(f"{URL}/{draft.pk}", sent)
    assert text_of(draft).tiers[1].multiplier == Decimal(3)
    assert (draft.title, draft.revision, draft.saved_by) == ("Three", 2, lan.owner.username)


def test_buttons_add_move_and_remove_and_save_what_was_typed(client):
    draft = begin(client)
    sent = typed(page(client, draft, "earning")) | {"earning.0.points": "7", "do": "down earning.0"}
    client.post(f"{URL}/{draft.pk}", sent)
    assert [r.key for r in text_of(draft).earning][:2] == ["care", "base"]
    assert text_of(draft).earning[1].points == 7
    client.post(f"{URL}/{draft.pk}", typed(page(client, draft, "earning")) | {"do": "remove earning.0"})
    assert [r.key for r in text_of(draft).earning] == ["base", "welcome", "day", "big"]
    client.post(f"{URL}/{draft.pk}", typed(page(client, draft, "tiers")) | {"do": "add tiers"})
    draft.refresh_from_db()
    assert telling.read_text(draft.text)["tiers"][2] == {}
    problems = {(p.where, p.code) for p in telling.problems(telling.read_text(draft.text), "en")}
    assert {("tiers.2.key", "missing"), ("tiers.2.name", "missing")} <= problems
    sent = typed(page(client, draft, "tiers")) | {
        "tiers.2.key": "black", "tiers.2.name.zh": "黑卡", "tiers.2.name.en": "Black", "do": "put tiers.2.reach"
    }  # fmt: skip
    client.post(f"{URL}/{draft.pk}", sent)
    sent = typed(page(client, draft, "tiers")) | {"tiers.2.reach.measure": "amount", "tiers.2.reach.at_least": "5000"}
    client.post(f"{URL}/{draft.pk}", sent)
    assert text_of(draft).tiers[2].reach.at_least == 5000


def test_two_tiers_that_need_the_same_amount_are_told_at_the_field(client):
    draft = begin(client)
    sent = typed(page(client, draft, "tiers")) | {"do": "add tiers"}
    client.post(f"{URL}/{draft.pk}", sent)
    client.post(f"{URL}/{draft.pk}", typed(page(client, draft, "tiers")) | {"do": "put tiers.2.reach"})
    sent = typed(page(client, draft, "tiers")) | {
        "tiers.2.key": "black", "tiers.2.name.zh": "黑卡", "tiers.2.name.en": "Black",
        "tiers.2.reach.measure": "amount", "tiers.2.reach.at_least": "800",
    }  # fmt: skip
    told = client.post(f"{URL}/{draft.pk}/check", sent).json()
    assert [(p["where"], p["part"]) for p in told["problems"]] == [("tiers.2.reach", "tiers")]
    assert "need the same amount" in told["problems"][0]["text"]
    assert told["counts"] == {"tiers": 1}
    draft.refresh_from_db()
    assert "800" not in draft.text[draft.text.index("earning") :]  # checking saved nothing
    client.cookies["django_language"] = "zh-hans"
    assert "门槛相同" in client.post(f"{URL}/{draft.pk}/check", sent).json()["problems"][0]["text"]


@pytest.mark.parametrize(
    ("part", "field", "value", "said"),
    [
        ("tiers", "tiers.1.multiplier", "-2", "must be more than 0"),
        ("earning", "earning.0.points", "-5", "must be 0 or more"),
        ("points", "points.value", "-0.01", "must be 0 or more"),
        ("points", "points.pending_days", "soon", "must be a whole number"),
        ("basics", "currency", "yuan", "is not written as it must be"),
        ("earning", "earning.2.when.from_date", "the 5th", "must be a date"),
        ("earning", "earning.2.when.tiers", "platinum", "no tier platinum"),
    ],
)
def test_each_fault_is_told_beside_its_field(client, part, field, value, said):
    draft = begin(client)
    client.post(f"{URL}/{draft.pk}", typed(page(client, draft, part)) | {field: value})
    shown = page(client, draft, part)
    slot = re.search(rf'data-fault="{re.escape(field)}">([^<]*)<', shown)
    assert slot is not None, field
    assert said in slot[1]
    assert value in shown  # what was typed is still there


def test_changes_are_sentences_out_and_in(client):
    draft = begin(client)
    sent = typed(page(client, draft, "points")) | {"points.pending_days": "9"}
    told = client.post(f"{URL}/{draft.pk}/check", sent).json()
    assert [(("day 5" in c["before"]), ("day 9" in c["after"])) for c in told["changes"]] == [(True, True)]


def test_two_people_at_once_get_a_sentence_and_nobody_loses_a_word(client, see, lan):
    draft = begin(client)
    mine = typed(page(client, draft, "points")) | {"points.pending_days": "9"}
    theirs = typed(page(client, draft, "tiers")) | {"tiers.1.multiplier": "4"}
    client.post(f"{URL}/{draft.pk}", theirs)
    answer = client.post(f"{URL}/{draft.pk}", mine)
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "after you had opened it" in shown
    assert text_of(draft).points.pending_days == 5
    again = typed(shown)
    assert again["points.pending_days"] == "9"
    client.post(f"{URL}/{draft.pk}", again)
    assert (text_of(draft).points.pending_days, text_of(draft).tiers[1].multiplier) == (9, Decimal(4))


def test_yaml_is_edited_as_it_is_typed_comments_and_all(client):
    draft = begin(client)
    text = "# our own\n" + draft.text.replace("pending_days: 5", "pending_days: 6")
    client.post(f"{URL}/{draft.pk}", {"part": "yaml", "revision": "1", "text": text.replace("\n", "\r\n")})
    draft.refresh_from_db()
    assert draft.text == text
    broken = text + "tiers: [\n"
    client.post(f"{URL}/{draft.pk}", {"part": "yaml", "revision": "2", "text": broken})
    draft.refresh_from_db()
    assert draft.text == broken  # nothing typed is lost
    shown = page(client, draft, "tiers")  # only the text can mend it
    assert "<textarea" in shown
    assert "line" in shown
    assert client.post(f"{URL}/{draft.pk}", {"part": "tiers", "revision": "3", "tiers.0.key": "x"}).status_code == 302
    draft.refresh_from_db()
    assert draft.text == broken


def test_a_file_is_taken_in_and_given_out(client):
    text = document.to_yaml(document.ready("beauty"))
    client.post(URL, {"from": "file:", "file": SimpleUploadedFile("ours.yaml", text.encode())})
    draft = CharterDraft.objects.latest("id")
    assert (draft.title, draft.text) == ("ours", text)
    assert client.get(f"{URL}/{draft.pk}/yaml").content.decode() == text
    assert document.read(client.get("/charter/versions/1/yaml").content.decode()) == document.from_plain(CHARTER)
    client.post(URL, {"from": "file:", "file": SimpleUploadedFile("odd.yaml", b"\xff\xfe\x00")})
    assert CharterDraft.objects.count() == 1


def test_every_ready_charter_begins_a_draft_in_the_shops_currency(client):
    names = re.findall(r'value="ready:(\w+)"', client.get(URL).content.decode())
    assert {"general", "beauty", "grocer"} <= set(names)
    for name in names:
        client.post(URL, {"from": f"ready:{name}"})
        assert text_of(CharterDraft.objects.latest("id")).currency == "CNY"


def publish_it(client, draft, day: str, **more):
    draft.refresh_from_db()
    return client.post(
        f"{URL}/{draft.pk}/publish", {"day": day, "revision": draft.revision, "sure": "yes", "note": "n"} | more
    )


def changed(client) -> CharterDraft:
    draft = begin(client)
    client.post(f"{URL}/{draft.pk}", typed(page(client, draft, "points")) | {"points.pending_days": "9"})
    return draft


def test_a_second_look_then_published_on_a_day_and_audited(client, lan):
    draft = changed(client)
    assert "day 9" in client.get(f"{URL}/{draft.pk}/publish").content.decode()
    assert publish_it(client, draft, "2026-07-01", sure="").status_code == 422
    assert PublishedCharter.objects.count() == 1
    answer = publish_it(client, draft, "2026-07-01")
    assert answer.headers["Location"] == "/charter?version=2"
    row = PublishedCharter.objects.get(version=2)
    assert f"{row.effective_from.astimezone(lan.merchant.tz):%Y-%m-%d %H:%M}" == "2026-07-01 00:00"
    draft.refresh_from_db()
    assert (draft.state, draft.version) == ("published", 2)
    line = AuditLine.objects.get(verb="charter.published")
    assert (line.actor, line.object) == (lan.owner.username, "version 2")
    assert charters.in_force(lan.merchant, NOW).version == 1
    assert charters.in_force(lan.merchant, row.effective_from + timedelta(days=1)).version == 2
    gone = client.get(f"{URL}/{draft.pk}", follow=True)
    assert gone.redirect_chain == [(URL, 302)]
    assert "as version 2" in gone.content.decode()


@pytest.mark.parametrize(
    ("day", "said"), [("2026-05-31", "cannot begin in the past"), ("", "in force"), ("soon", "Choose a day")]
)
def test_the_past_is_not_rewritten(client, day, said):
    draft = changed(client)
    answer = publish_it(client, draft, day, sure="yes" if day else "")
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert PublishedCharter.objects.count() == 1


def test_published_from_today_it_counts_at_once(client):
    draft = changed(client)
    publish_it(client, draft, "2026-06-01")
    assert PublishedCharter.objects.get(version=2).effective_from == NOW


def test_what_changed_after_the_second_look_is_looked_at_again(client):
    draft = changed(client)
    answer = publish_it(client, draft, "2026-07-01", revision="1")
    assert answer.status_code == 422
    assert PublishedCharter.objects.count() == 1


def test_a_draft_with_faults_or_without_news_is_not_published(client):
    draft = begin(client)
    assert "exactly the same" in publish_it(client, draft, "2026-07-01").content.decode()
    client.post(f"{URL}/{draft.pk}", typed(page(client, draft, "tiers")) | {"tiers.1.multiplier": "0"})
    answer = publish_it(client, draft, "2026-07-01")
    assert answer.status_code == 422
    assert "must be more than 0" in answer.content.decode()
    assert PublishedCharter.objects.count() == 1


def test_a_coming_version_is_withdrawn_into_a_draft_one_in_force_never(client):
    publish_it(client, changed(client), "2026-07-01")
    answer = client.post("/charter/versions/2/withdraw")
    draft = CharterDraft.objects.get(state="open")
    assert answer.headers["Location"] == f"{URL}/{draft.pk}"
    assert text_of(draft).points.pending_days == 9
    assert AuditLine.objects.filter(verb="charter.withdrawn").count() == 1
    client.post("/charter/versions/1/withdraw")
    assert [v.version for v in PublishedCharter.objects.all()] == [1]
    publish_it(client, draft, "2026-07-02")
    assert PublishedCharter.objects.get(version=2).effective_from.day == 1  # the start of 2 July in Shanghai


def test_old_orders_are_explained_by_their_version(client, lan):
    publish_it(client, changed(client), "2026-07-01")
    history = {v.version: v for v in charters.history(lan.merchant)}
    assert charters.in_force(lan.merchant, START).version == 1
    assert set(history) == {1, 2}
    assert "day 5" in client.get("/charter?version=1").content.decode()
    assert "day 9" in client.get("/charter?version=2").content.decode()


def test_discarded_is_put_away(client):
    draft = begin(client)
    client.post(f"{URL}/{draft.pk}/discard", {"revision": "7"})
    assert CharterDraft.objects.get().state == "open"
    client.post(f"{URL}/{draft.pk}/discard", {"revision": "1"})
    assert CharterDraft.objects.get().state == "discarded"
    assert draft.title not in client.get(URL).content.decode().split("was discarded")[1]


@pytest.mark.parametrize("role", ["manager", "specialist", "assistant", "auditor"])
def test_only_who_may_change_the_charter_sees_drafts(client, see, lan, role):
    draft = begin(client)
    other = see(getattr(lan, role))
    assert not shops.may(getattr(lan, role), "charter")
    for url in (
        URL,
        f"{URL}/{draft.pk}",
        f"{URL}/{draft.pk}/publish",
        f"{URL}/{draft.pk}/simulate",
        "/charter/versions/1/yaml",
    ):
        assert other.get(url).status_code == 403, url
    assert "/charter/drafts" not in other.get("/charter").content.decode()


def test_the_part_on_bringing_a_friend_is_put_in_and_filled_in(client):
    draft = begin(client)
    client.post(f"{URL}/{draft.pk}", typed(page(client, draft, "referral")) | {"do": "put referral"})
    client.post(f"{URL}/{draft.pk}", typed(page(client, draft, "referral")) | {"do": "add referral.steps"})
    sent = typed(page(client, draft, "referral")) | {"referral.steps.0.points": "100", "referral.friend.points": "50"}
    client.post(f"{URL}/{draft.pk}", sent)
    part = text_of(draft).referral
    assert (part.friend.points, part.steps[0].points) == (50, 100)
