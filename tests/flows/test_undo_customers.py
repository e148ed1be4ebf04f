"""A file of customers taken back: what it told about people who were known already, and who it had made."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest

from shuke.flows.imports import reading
from shuke.flows.undo_import import undo
from shuke.members import actions as people
from shuke.members.models import Consent, Contact, Identity, Member, SearchTerm, TimelineLine
from shuke.members.queries import find
from tests.cast import NOON as NOW
from tests.flows.test_imports import counted, report, take

pytestmark = pytest.mark.django_db

HEADER = ["卡号", "手机", "姓名", "性别", "生日", "省份", "城市", "入会时间", "备注", "肤质", "同意短信"]
BY = {
    "kind": "customers",
    "columns": {
        "card": "卡号", "phone": "手机", "name": "姓名", "gender": "性别", "birthday": "生日", "province": "省份",
        "city": "城市", "joined_at": "入会时间", "note": "备注",
    },
    "attributes": {"skin": "肤质"},
    "consents": {"sms:promotion": "同意短信"},
    "defaults": {"phone_verified": True},
}  # fmt: skip
LIN = ["C100", "13800000001", "林小满", "女", "1990-05-04", "浙江", "杭州", "2025-12-01 10:00:00", "常客", "干性", "是"]
CHEN = ["C200", "13900000002", "陈大海", "男", "", "", "", "", "", "油性", ""]


def customers(path: Path, *rows: list[str]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def everything(merchant) -> list:
    """All a reader can see of the members, and what they are found by."""
    fields = (
        "card", "state", "name", "nickname", "gender", "birth_year", "birth_month", "birth_day", "province", "city",
        "joined_at", "note", "attributes", "phone_hint",
    )  # fmt: skip
    return [
        list(Member.objects.filter(merchant=merchant).order_by("id").values(*fields)),
        sorted((i.kind, i.shown, i.member_id) for i in Identity.objects.filter(merchant=merchant)),
        sorted((c.kind, c.role, c.member_id) for c in Contact.objects.filter(merchant=merchant)),
        sorted((bytes(t.term), t.member_id) for t in SearchTerm.objects.filter(merchant=merchant)),
        list(
            TimelineLine.objects.filter(merchant=merchant, kind="joined").order_by("id").values_list("member_id", "at")
        ),
    ]


@pytest.fixture
def known(lan):
    """Somebody the till knows by a verified phone, and no more."""
    till = [["T1", "2026-03-01 10:00:00", "88.00", "13800000001"]]
    by = {"kind": "orders", "columns": {"number": 0, "created_at": 1, "paid": 2, "phone": 3}}

    def make(folder: Path) -> Member:
        take(lan, report(folder / "till.csv", till, ["单号", "时间", "金额", "手机"]), mapping=by)
        return Member.objects.get()

    return make


def test_profiles_it_filled_in_are_as_before_and_the_file_can_come_again(lan, tmp_path, known):
    known(tmp_path)
    before = everything(lan.merchant)
    file = customers(tmp_path / "vip.csv", LIN)
    first = take(lan, file, mapping=BY)
    told = everything(lan.merchant)
    assert counted(first)["customers"] == 1
    assert (Member.objects.get().name, Member.objects.get().attributes) == ("林小满", {"skin": "干性"})
    done = undo(merchant=lan.merchant, batch_id=first.pk, now=NOW, actor="lan.owner")
    assert (done.profiles_restored, done.fields_kept, done.members_put_away) == (1, 0, 0)
    assert everything(lan.merchant) == before
    assert not find(lan.merchant, "林小满")
    take(lan, file, mapping=BY)
    assert everything(lan.merchant) == told


def test_what_somebody_corrected_since_stays(lan, tmp_path, known):
    member = known(tmp_path)
    batch = take(lan, customers(tmp_path / "vip.csv", LIN), mapping=BY)
    people.edit_profile(
        merchant=lan.merchant,
        member_id=member.pk,
        changes={"name": "林晓曼", "city": "宁波"},
        now=NOW,
        actor="lan.owner",
    )
    done = undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    now = Member.objects.get()
    assert (now.name, now.province, now.city) == ("林晓曼", "浙江", "宁波")  # a place is put back whole or not at all
    assert (now.gender, now.birth_month, now.note, now.attributes) == ("", None, "", {})
    assert done.fields_kept == 3
    assert find(lan.merchant, "林晓曼")


def test_a_consent_only_the_file_spoke_of_no_longer_holds_and_its_proof_stays(lan, tmp_path, known):
    member = known(tmp_path)
    batch = take(lan, customers(tmp_path / "vip.csv", LIN), mapping=BY)
    undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    said = Consent.objects.filter(member=member).order_by("at", "id").values_list("granted", "source")
    assert list(said) == [(True, f"import:{batch.pk}"), (False, f"undone:{batch.pk}")]


def test_a_file_told_again_after_its_undo_says_what_it_said(lan, tmp_path, known):
    member = known(tmp_path)
    batch = take(lan, customers(tmp_path / "vip.csv", LIN), mapping=BY)
    undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    again = take(lan, customers(tmp_path / "vip.csv", LIN), mapping=BY, now=NOW + timedelta(hours=1))
    said = Consent.objects.filter(member=member).order_by("at", "id").values_list("granted", "source")
    assert said.latest("at", "id") == (True, f"import:{again.pk}")
    count = said.count()
    take(lan, customers(tmp_path / "vip2.csv", LIN), mapping=BY, now=NOW + timedelta(hours=2))
    assert said.count() == count  # and once more changes nothing


def test_a_consent_given_in_person_since_holds(lan, tmp_path, known):
    member = known(tmp_path)
    batch = take(lan, customers(tmp_path / "vip.csv", LIN), mapping=BY)
    given = people.Statement(member.pk, "sms", "promotion", True, NOW - timedelta(hours=1), source="counter")
    people.consent(merchant=lan.merchant, statements=[given], now=NOW)
    undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    said = Consent.objects.filter(member=member).order_by("at", "id").values_list("granted", "source")
    assert [granted for granted, _ in said] == [True] * len(said)
    assert said.latest("at", "id")[0]


def test_an_identity_met_since_stays_and_one_that_nobody_showed_goes(lan, tmp_path, known):
    member = known(tmp_path)
    batch = take(lan, customers(tmp_path / "vip.csv", LIN, [*CHEN[:1], "13800000001", *CHEN[2:]]), mapping=BY)
    cards = Identity.objects.filter(member=member, kind="card")
    assert set(cards.values_list("shown", flat=True)) >= {"C100"}
    by = {"kind": "orders", "columns": {"number": 0, "created_at": 1, "paid": 2, "card": 3}}
    shown = [["T2", "2026-05-30 10:00:00", "9.00", "C100"]]
    take(lan, report(tmp_path / "later.csv", shown, ["单号", "时间", "金额", "卡号"]), mapping=by)
    undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert "C100" in set(cards.values_list("shown", flat=True))


def test_members_it_made_are_put_away_unless_somebody_has_dealt_with_them(lan, tmp_path):
    batch = take(lan, customers(tmp_path / "vip.csv", LIN, CHEN), mapping=BY)
    chen = Member.objects.get(name="陈大海")
    people.add_note(merchant=lan.merchant, member_id=chen.pk, text="来电咨询", now=NOW, actor="lan.owner")
    done = undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert (done.members_put_away, done.members_kept, done.profiles_restored) == (1, 1, 0)
    assert dict(Member.objects.values_list("name", "state")) == {"林小满": "undone", "陈大海": "active"}
    assert Member.objects.get(name="陈大海").attributes == {"skin": "油性"}


def test_told_twice_in_one_file_is_taken_back_to_what_was_before_it(lan, tmp_path, known, monkeypatch):
    monkeypatch.setattr(reading, "FACTS", 1)
    known(tmp_path)
    before = everything(lan.merchant)
    batch = take(lan, customers(tmp_path / "vip.csv", LIN, [*LIN[:9], "混合", "是"]), mapping=BY)
    assert Member.objects.get().attributes == {"skin": "混合"}
    undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert everything(lan.merchant) == before
