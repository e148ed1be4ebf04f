"""A new member by the form, changes to a known one, and the shop's own attributes."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from shuke.members import actions, queries
from shuke.members.actions import Definition
from shuke.members.models import AttributeKind, Contact, Member

pytestmark = pytest.mark.django_db


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def form(**told):
    return {"name": "张小明", "phone": "138 1234 5678", **told}


def test_a_member_joins_by_the_form(see, lan):
    actions.define_attributes(
        merchant=lan.merchant, definitions=[Definition("skin", "choices", options=("dry", "oily"))]
    )
    told = form(
        gender="f", birth_month="8", birth_day="15", birth_lunar="on", street="中山路1号", city="上海", occupation="教师",
        tags="老客，敏感肌", cost="12.5", home_store=lan.street.pk, day0_kind="wedding", day0_month="10", day0_day="1",
        **{"attribute:skin": ["dry", "oily"], "consent:sms:promotion": "yes", "consent:phone:care": "no"}, evidence="form 17",
    )  # fmt: skip
    response = see(lan.assistant).post(reverse("console:person-new"), told)
    ann = Member.objects.get()
    assert response.headers["Location"] == reverse("console:member", args=[ann.pk])
    assert (ann.birth_lunar, ann.acquisition_cost_minor, ann.tags) == (True, 1250, ["老客", "敏感肌"])
    assert ann.attributes == {"skin": ["dry", "oily"]}
    held = queries.current_consents(lan.merchant, ann.pk)
    assert {k: (c.granted, c.evidence) for k, c in held.items()} == {
        ("sms", "promotion"): (True, "form 17"),
        ("phone", "care"): (False, "form 17"),
    }
    page = text(see(lan.owner).get(reverse("console:member", args=[ann.pk])))
    assert "教师" in page
    assert "10-01" in page


def test_a_phone_that_is_known_is_said_while_it_is_typed_and_when_it_is_sent(see, lan):
    client = see(lan.assistant)
    client.post(reverse("console:person-new"), form())
    ann = Member.objects.get()
    typed = client.get(reverse("console:person-phone"), {"phone": "13812345678"})
    assert ann.card in text(typed)
    assert reverse("console:member", args=[ann.pk]) in typed.content.decode()
    again = client.post(reverse("console:person-new"), form(name="李雷"))
    assert again.status_code == 422
    assert ann.card in text(again)
    assert "李雷" in again.content.decode()  # nothing typed is lost
    assert client.post(reverse("console:person-new"), form(name="李雷", anyway="1")).status_code == 302
    assert Member.objects.count() == 2


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"birth_month": "8"}, "A birthday needs month and day"),
        ({"account": "小猪"}, "Say on which platform"),
        ({"referred_by": "123"}, "No member has this card"),
        ({"phone": "138****5678"}, "needs its whole number"),
        ({"day1_kind": "wedding"}, "A special day needs month and day"),
        ({"day1_kind": "wedding", "day1_month": "6", "day1_day": "31", "day1_lunar": "on"}, "in no calendar"),
    ],
)
def test_what_is_written_wrongly_is_said_and_nobody_joins(see, lan, told, said):
    response = see(lan.owner).post(reverse("console:person-new"), form(**told))
    assert response.status_code == 422
    assert said in text(response)
    assert Member.objects.count() == 0


def test_a_profile_is_changed_and_what_is_not_asked_stays(see, lan):
    client = see(lan.owner)
    client.post(reverse("console:person-new"), form(tags="老客", gender="f", **{"consent:sms:care": "yes"}))
    ann = Member.objects.get()
    shown = client.get(reverse("console:person-edit", args=[ann.pk])).content.decode()
    assert "张小明" in shown
    assert "5678" not in shown
    told = {"name": "张晓明", "gender": "f", "tags": "敏感肌", "email": "ming@example.org"}
    assert client.post(reverse("console:person-edit", args=[ann.pk]), told).status_code == 302
    ann.refresh_from_db()
    assert (ann.name, ann.tags) == ("张晓明", ["敏感肌"])
    assert sorted(c.kind for c in queries.contacts_of(lan.merchant, ann.pk)) == ["email", "phone"]
    assert queries.current_consents(lan.merchant, ann.pk)["sms", "care"].granted
    mail = Contact.objects.get(kind="email")
    client.post(reverse("console:person-contact-remove", args=[ann.pk, mail.pk]))
    assert not Contact.objects.filter(kind="email").exists()


def test_the_shops_own_attributes_are_defined_and_refused_with_a_sentence(see, lan):
    client = see(lan.specialist)
    address = reverse("console:attributes")
    assert (
        client.post(address, {"key": "skin", "type": "choice", "label_zh": "肤质", "options": "干性，油性"}).status_code
        == 302
    )
    assert AttributeKind.objects.get().options == ["干性", "油性"]
    wrong = client.post(address, {"key": "x", "type": "choice"})
    assert wrong.status_code == 422
    assert "needs at least one option" in text(wrong)
    assert "肤质" in text(client.get(address))


def test_who_may(see, lan):
    assert see(lan.auditor).get(reverse("console:person-new")).status_code == 403
    assert see(lan.assistant).get(reverse("console:attributes")).status_code == 403


def test_a_form_has_room_for_every_special_day_and_drops_none(see, lan):
    client = see(lan.assistant)
    six = {f"day{i}_{part}": value for i in range(6) for part, value in
           (("kind", "child"), ("name", f"child {i}"), ("month", "3"), ("day", str(i + 1)))}  # fmt: skip
    client.post(reverse("console:person-new"), form(**six))
    ann = Member.objects.get()
    edit = reverse("console:person-edit", args=[ann.pk])
    shown = client.get(edit).content.decode()
    assert shown.count('value="child ') == 6
    assert 'name="day6_kind"' in shown  # and one more
    client.post(edit, form(**six, occupation="教师"))
    assert len(queries.special_days(lan.merchant, ann.pk)) == 6
