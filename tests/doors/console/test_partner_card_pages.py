"""Co-branded cards in the console: a programme, members' cards, a file looked at and taken, what waits, what is owed."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from shuke.doors.console import uploads
from shuke.flows import partner_card as flow
from shuke.kit.models import Job
from shuke.loyalty import queries
from shuke.loyalty.models import CardFile, CardProgramme, CardTerms, PartnerCard
from shuke.shops import queries as shops
from tests.flows.test_partner_card import HASHES, HEADER, PAN, ROWS, programme
from tests.loyalty.books import member, publish
from tests.loyalty.partners import DAY, NOW, PLAIN

TERMS = {"points": "1", "per": "10", "pays": "0.008", "most": "", "rules": ""}
NEW = {"do": "make", "key": "bank", "name": "银行联名卡", "issuer": "某银行", "token": "hash", "unit": "major", "starts": "2025-01-01"}  # fmt: skip


@pytest.fixture
def shop(lan, monkeypatch, settings, tmp_path):
    settings.SHUKE_HOME = tmp_path
    publish(lan.merchant, PLAIN)
    for n in (1, 2):
        member(lan.merchant, n)
    moment = {"now": NOW}
    monkeypatch.setattr(shops, "now", lambda merchant: moment["now"])
    return lan, moment


def reader(staff, language="en"):
    client = Client()
    client.force_login(staff)
    client.cookies["django_language"] = language
    return client


def sheet(rows, header=HEADER, name="jan.csv"):
    text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in [header, *rows])
    return SimpleUploadedFile(name, text.encode())


def upload(client, file, key="bank"):
    return client.post("/partner-cards", {"programme": key, "file": file}, follow=True)


def at(path, client, **told):
    return client.post(path, told, follow=True).content.decode()


def test_from_the_agreement_to_the_statement(shop):
    lan, moment = shop
    owner = reader(lan.owner)
    assert "New programme" in owner.get("/partner-cards").content.decode()
    assert "Now bind members" in at("/partner-cards", owner, **NEW, **TERMS)
    who = [queries_member(lan, f"0000000{n}") for n in (1, 2)]
    till = reader(lan.assistant)
    for n, pk in enumerate(who):
        said = at(
            f"/members/{pk}/partner-cards", till, do="bind", programme="bank", token=HASHES[n], since="2025-01-01"
        )
        assert f"···{HASHES[n][-4:]}" in said
    assert "card number in clear" in at(
        f"/members/{who[0]}/partner-cards", till, do="bind", programme="bank", token=PAN
    )

    page = upload(owner, sheet(ROWS))
    html = page.content.decode()
    (file,) = CardFile.objects.all()
    assert (file.state, page.redirect_chain[-1][0]) == ("waiting", f"/partner-cards/files/{file.pk}")
    assert (page.context["tally"].points, page.context["tally"].rejected) == (112, 7)
    for text in ("What would happen", "Take all but the rejected rows", "“thirty” is no amount", "No member has bound"):
        assert text in html
    assert PAN not in html
    assert queries.balance(lan.merchant, who[0], NOW).available == 0
    here = f"/partner-cards/files/{file.pk}"
    assert "112 points given, 2 taken back, 7 rows rejected, 1 wait" in at(here, owner, do="take")
    assert queries.balance(lan.merchant, who[0], NOW).available == 10
    assert "taken before" in upload(owner, sheet(ROWS)).content.decode()
    rejected = owner.get(f"{here}/rejected").content.decode("utf-8-sig")
    assert rejected.count("\r\n") == 8
    assert PAN not in rejected

    waiting = owner.get("/partner-cards/waiting").content.decode()
    number = re.search(r'name="number" value="(\d+)"', waiting).group(1)
    assert "No member fits" in at("/partner-cards/waiting", owner, number=number, member="nobody")
    assert "1 waiting rows are theirs" in at("/partner-cards/waiting", owner, number=number, member="00000002")
    assert "No card waits" in owner.get("/partner-cards/waiting").content.decode()

    moment["now"] = NOW + 20 * DAY
    there = "/partner-cards/programmes/bank"
    assert "Statement 1 is closed" in at(there, owner, do="close")
    assert "¥0.92" in owner.get(there).content.decode()
    for kind in ("json", "csv"):
        first = owner.get(f"{there}/statements/1.{kind}").content
        assert first == owner.get(f"{there}/statements/1.{kind}").content
    assert owner.get(f"{there}/statements/1.pdf").status_code == 404
    assert owner.get(f"{there}/statements/2.csv").status_code == 404

    assert "Taken back: 5 rows" in at(here, owner, do="undo")
    assert "taken back already" in at(here, owner, do="undo")
    card = PartnerCard.objects.get(member_id=who[0])
    assert "earns no more" in at(f"/members/{who[0]}/partner-cards", till, do="unbind", number=str(card.pk))
    assert "no such card" in at(f"/members/{who[0]}/partner-cards", till, do="unbind", number="x")
    assert queries.verify(lan.merchant).findings == []


def queries_member(lan, card):
    from shuke.members import queries as members

    return members.member_of(lan.merchant.pk, card).pk


def test_unusual_columns_are_told_once_and_nothing_of_the_file_is_kept(shop, tmp_path):
    lan, _ = shop
    programme(lan.merchant)
    client = reader(lan.owner)
    header = ("K", "Betrag", "Tag", "")
    page = upload(client, sheet([(HASHES[0], "12", "2025-01-10", "x"), (PAN, "1", "2025-01-10", "")], header))
    html = page.content.decode()
    assert (page.status_code, "What “Betrag” means" in html, PAN in html, CardFile.objects.count()) == (422, True, False, 0)  # fmt: skip
    assert list(tmp_path.rglob("card-*")) == []
    told = {"field-0": "token", "header-0": "K", "field-1": "amount", "header-1": "Betrag", "field-2": "spent_on", "header-2": "Tag"}  # fmt: skip
    assert "send the file again" in at("/partner-cards/programmes/bank", client, do="columns", **told)
    page = upload(client, sheet([(HASHES[0], "12", "2025-01-10", "x")], header))
    assert page.context["tally"].unmatched == 1
    file = CardFile.objects.get()
    (kept,) = tmp_path.rglob("card-*")
    text = kept.read_text()
    kept.unlink()
    assert "send the very same file again" in client.get(f"/partner-cards/files/{file.pk}").content.decode()
    kept.write_text(text)
    assert "nothing was written" in at(f"/partner-cards/files/{file.pk}", client, do="discard")
    assert (CardFile.objects.count(), list(tmp_path.rglob("card-*"))) == (0, [])
    # A file whose first row is data: its card number is neither shown nor remembered.
    bad = {"field-0": "token", "header-0": PAN}
    assert "number in clear" in at("/partner-cards/programmes/bank", client, do="columns", **bad)


def test_a_large_file_is_the_worker_s(shop, monkeypatch):
    lan, _ = shop
    programme(lan.merchant)
    client = reader(lan.manager)
    upload(client, sheet(ROWS))
    monkeypatch.setattr(flow, "WHILE_ASKED", 5)
    file = CardFile.objects.get()
    assert "the worker takes it" in at(f"/partner-cards/files/{file.pk}", client, do="take")
    assert Job.objects.filter(name=flow.JOB, arguments__file_id=file.pk).count() == 1


def test_terms_change_forward_only(shop):
    lan, _ = shop
    programme(lan.merchant)
    client = reader(lan.owner, "zh-hans")
    there = "/partner-cards/programmes/bank"
    assert "须从某月 1 日起" in at(there, client, do="terms", starts="2025-02-02", **TERMS)
    assert "条款有误" in at(there, client, do="terms", starts="2025-02-01", **TERMS | {"rules": "5411"})
    assert "条款有误" in at(there, client, do="terms", starts="", **TERMS)
    assert "已保存" in at(
        there, client, do="terms", starts="2025-02-01", **TERMS | {"rules": "5411=3", "most": "5,000"}
    )
    assert (CardTerms.objects.latest("starts_on").month_most, CardTerms.objects.count()) == (5000, 2)
    assert "已保存" in at(there, client, do="save", name="新名", issuer="", unit="minor", ends="2026-01-01")
    one = CardProgramme.objects.get()
    assert (one.name, one.in_minor, one.token_kind, str(one.ends_on)) == ("新名", True, "hash", "2026-01-01")
    assert client.post(there, {"do": "dance"}).status_code == 404


def test_what_is_refused_is_said(shop):
    lan, _ = shop
    programme(lan.merchant)
    client = reader(lan.owner)
    assert "Choose a file" in at("/partner-cards", client, programme="bank")
    assert "no card programme none" in upload(client, sheet(ROWS), key="none").content.decode()
    assert "alert" in upload(client, SimpleUploadedFile("a.xlsx", b"PK\x03\x04nonsense")).content.decode()
    limit = uploads.TAKES_FILES["console:finance-partner-cards"]
    try:
        uploads.TAKES_FILES["console:finance-partner-cards"] = 100
        assert "in parts" in upload(client, sheet(ROWS)).content.decode()
    finally:
        uploads.TAKES_FILES["console:finance-partner-cards"] = limit


def test_who_may(shop, mingde):
    lan, _ = shop
    programme(lan.merchant)
    upload(reader(lan.owner), sheet(ROWS))
    file = CardFile.objects.get()
    here = f"/partner-cards/files/{file.pk}"
    auditor, assistant, manager = (reader(one) for one in (lan.auditor, lan.assistant, lan.manager))
    for path in ("/partner-cards", "/partner-cards/waiting", "/partner-cards/programmes/bank", here):
        assert (auditor.get(path).status_code, assistant.get(path).status_code) == (200, 403)
    assert auditor.post(here, {"do": "take"}).status_code == 403
    assert manager.post("/partner-cards", {**NEW, **TERMS}).status_code == 403
    assert manager.post("/partner-cards/programmes/bank", {"do": "close"}).status_code == 403
    assert reader(mingde.owner).get(here).status_code == 404
    assert reader(mingde.owner).get("/partner-cards/programmes/bank").status_code == 404
    who = queries_member(lan, "00000001")
    assert reader(mingde.owner).get(f"/members/{who}/partner-cards").status_code == 404
    assert assistant.get(f"/members/{who}/partner-cards").status_code == 200
