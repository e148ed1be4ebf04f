"""Personal values are in no table in the clear, and nobody sees them without leaving a trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from shuke.engine.facts import Address, Claim, Phone
from shuke.kit.models import AuditLine
from shuke.members import queries
from shuke.members.actions import (
    BadContact,
    NewContact,
    add_contacts,
    add_note,
    edit_profile,
    recognise,
    remove_contacts,
    reveal,
)
from shuke.members.models import Contact, Member
from tests.cast import NOON
from tests.members.people import K, nick, person, phone

# Canaries: each would be found wherever it leaked to, also inside a longer text.
NUMBERS = ["13812340001", "13812340002", "13812340003", "13812340004", "13812340005", "13812340006"]
MAILS = ["canary.one@example.org", "canary.two@example.org", "canary.three@example.org"]
PLACES = ["金丝雀弄堂七号", "金丝雀弄堂九号"]


def sing(shop) -> int:
    """Bring every canary in by every way there is."""
    one, two, three, four, five, six = NUMBERS
    mail, other, third = MAILS
    answers = recognise(
        merchant=shop.merchant,
        people=[
            person(
                nick("甲"), phone("+86" + one, verified=True), Claim(K.EMAIL, mail), name=f"张小明{five}", phones=("+86" + two,),
                email=other, address=Address(PLACES[0], "上海", "上海"), note=f"老公电话{three}，邮箱{third}",
            ),
            person(nick(six), nick(mail), nickname=f"tb_{six}"),
        ],
        now=NOON,
    )  # fmt: skip
    member = answers[0].member_id
    added = [NewContact(member, Phone("+86" + four)), NewContact(member, Address(PLACES[1]))]
    add_contacts(merchant=shop.merchant, contacts=added, now=NOON, actor="lan")
    add_note(merchant=shop.merchant, member_id=member, text=f"请打{four}", now=NOON, actor="lan")
    edit_profile(merchant=shop.merchant, member_id=member, changes={"note": f"改打{four}"}, now=NOON, actor="lan")
    return member


def everything_stored() -> bytes:
    """All bytes of all tables, as a thief of the database would have them."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        name = Path(connection.settings_dict["NAME"])
        return b"".join(p.read_bytes() for p in (name, name.with_name(name.name + "-wal")) if p.exists())
    with connection.cursor() as cursor:
        stored = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            stored += [row[0] for row in cursor.fetchall()]
    # bytea is shown in hexadecimal: look into it as well
    whole = "\n".join(stored)
    return whole.encode() + b"".join(bytes.fromhex(part.split(",")[0].rstrip(')"')) for part in _hex_parts(whole))


def _hex_parts(text: str) -> list[str]:
    import re

    return [found[: len(found) // 2 * 2] for found in re.findall(r"\\\\x([0-9a-f]+)", text)]


@pytest.mark.django_db(transaction=True)
def test_a_stolen_database_has_no_phone_no_mail_and_no_address_in_it(lan):
    sing(lan)
    stored = everything_stored()
    assert "快乐".encode() not in stored
    assert "甲".encode() in stored  # or we would be looking in the wrong place
    for canary in [*NUMBERS, *MAILS, *PLACES]:
        assert canary.encode() not in stored, canary


def test_what_was_masked_in_texts_is_kept_among_the_contacts(lan):
    member = sing(lan)
    numbers = queries.numbers_of(lan.merchant.id, [member])[member]
    assert {"+86" + n for n in (NUMBERS[0], NUMBERS[1], NUMBERS[2], NUMBERS[3])} <= set(numbers)
    assert Member.objects.get(id=member).note == "改打138****0004"


def test_contacts_are_shown_masked(lan):
    member = sing(lan)
    shown = {contact.shown for contact in queries.contacts_of(lan.merchant, member)}
    assert {"138****0001", "138****0004", "c***@example.org", "上海 上海 ***", "***"} <= shown
    assert not any(n in s for n in NUMBERS + MAILS + PLACES for s in shown)


def test_seeing_a_contact_leaves_a_line_in_the_audit_log_and_not_the_value(lan):
    member = sing(lan)
    contact = Contact.objects.filter(member_id=member, kind="phone", role="receiver").get()
    clear = reveal(
        merchant=lan.merchant, contact_id=contact.id, now=NOON, actor="lan.assistant", reason="回访", address="10.0.0.7"
    )
    assert clear == "+86" + NUMBERS[1]
    line = AuditLine.objects.get(merchant_id=lan.merchant.id, verb="contact.revealed")
    assert (line.at, line.actor, line.object, line.detail, line.address) == (
        NOON, "lan.assistant", f"member {member}", {"contact": contact.id, "kind": "phone", "reason": "回访"}, "10.0.0.7",
    )  # fmt: skip


def test_another_merchant_can_neither_see_nor_remove_a_contact(lan, mingde):
    contact = Contact.objects.filter(member_id=sing(lan)).first()
    with pytest.raises(queries.NoSuchMember):
        reveal(merchant=mingde.merchant, contact_id=contact.id, now=NOON, actor="mingde.owner")
    assert remove_contacts(merchant=mingde.merchant, contact_ids=[contact.id], now=NOON, actor="mingde.owner") == 0
    assert Contact.objects.filter(id=contact.id).exists()
    assert AuditLine.objects.filter(verb="contact.revealed").count() == 0


def test_a_member_is_fetched_only_by_staff_of_the_same_merchant(lan, mingde):
    member = Member.objects.get(id=sing(lan))
    for asked in (member.id, str(member.id), member.card, f"{member.card[:4]} {member.card[4:]}"):
        assert queries.member_for(lan.assistant, asked) == member
        with pytest.raises(queries.NoSuchMember, match="No member with card or id"):
            queries.member_for(mingde.owner, asked)


@pytest.mark.parametrize(
    "value", [Phone("138****5678"), Phone("+8618400000001", virtual=True), "no mail", "w***@x.org", "@", Address(" ")]
)
def test_what_cannot_reach_anybody_is_not_taken_as_a_contact(lan, value):
    (answer,) = recognise(merchant=lan.merchant, people=[person(nick("甲"))], now=NOON)
    with pytest.raises(BadContact):
        add_contacts(merchant=lan.merchant, contacts=[NewContact(answer.member_id, value)], now=NOON, actor="lan")
    assert Contact.objects.count() == 0
