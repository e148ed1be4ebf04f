"""Blind indexes rotate: before, between and after everybody is found and nobody is there twice; then the old key can go."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from shuke.engine.facts import Claim, IdentityKind, Phone
from shuke.flows import join
from shuke.kit import crypto
from shuke.kit.models import IndexKeys
from shuke.members import queries
from shuke.members.actions import NewContact, add_contacts, preview, recognise, reindexing, rekeying, remove_contacts
from shuke.members.actions.enrolling import IdentityTaken, claim_identities
from shuke.members.models import Contact, Identity, Member, PhoneGram
from shuke.members.queries.keys import Blinds, KeyMissing, behind, span
from tests.cast import NOON
from tests.members.people import HOME, card, nick, person, phone, uid

OLD, NEW, NEWEST = "11" * 32, "22" * 32, "33" * 32
SHARED = "+8613900000000"


def people(count: int = 6) -> list:
    return [
        person(
            nick(f"n{i}"), uid(f"u{i}"), card(f"K10{i}"), phone(f"+86138001380{i:02d}", True),
            phones=(f"+86138001380{i:02d}", SHARED), name=f"张小{i}", email=f"w{i}@example.org", address=HOME,
        )
        for i in range(count)
    ]  # fmt: skip


@pytest.fixture
def known(lan, settings):
    settings.SHUKE_MASTER_KEY = OLD
    return meet(lan)


def meet(lan, told=None) -> list[int | None]:
    return [one.member_id for one in recognise(merchant=lan.merchant, people=told or people(), now=NOON)]


def found(lan, text: str) -> set[int]:
    return {hit.member_id for hit in queries.find(lan.merchant, text, 50)}


def all_is_as_ever(lan, known) -> None:
    """Found by whatever is known of them, recognised by each, and not one row more."""
    rows = Member.objects.count(), Identity.objects.count(), Contact.objects.count(), PhoneGram.objects.count()
    assert found(lan, SHARED.removeprefix("+86")) == found(lan, "0000") == set(known)
    for i, one in enumerate(known):
        for text in (f"138001380{i:02d}", f"80{i:02d}", f"001380{i:02d}", f"w{i}@example.org", f"u{i}", f"K10{i}"):
            assert one in found(lan, text), text
        claims = (
            nick(f"n{i}"),
            uid(f"u{i}"),
            phone(f"+86138001380{i:02d}"),
            Claim(IdentityKind.EMAIL, f"w{i}@example.org"),
        )
        assert {
            seen.member_id for seen in preview(merchant=lan.merchant, people=[person(c) for c in claims[:3]], now=NOON)
        } == {one}
    assert meet(lan) == known
    assert len(join.holders_of(lan.merchant, SHARED)) == len(known)
    assert (
        Member.objects.count(),
        Identity.objects.count(),
        Contact.objects.count(),
        PhoneGram.objects.count(),
    ) == rows


class Killed(Exception):
    pass


def kill_after(times: int):
    """A progress that stops the run at its n-th transaction."""
    told = iter(range(times))

    def tell(n: int) -> None:
        if n and next(told, None) is None:
            raise Killed

    return tell


def test_killed_after_every_transaction_it_goes_on_and_nothing_is_missed(lan, known, settings, monkeypatch):
    monkeypatch.setattr(reindexing, "PER_TRANSACTION", 7)
    monkeypatch.setattr(crypto, "_gram", crypto._gram.__wrapped__)
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW}"
    all_is_as_ever(lan, known)  # the key is there, nobody has asked to rotate
    assert span() == (1, 1)
    runs = 0
    while True:
        try:
            reindexing.reindex(progress=kill_after(1))
            break
        except Killed:
            runs += 1
        assert span() == (1, 2)
        if runs % 5 == 1:
            all_is_as_ever(lan, known)
    assert runs > 5
    assert span() == (2, 2)
    assert behind() == {"identities": 0, "contacts": 0}
    all_is_as_ever(lan, known)
    assert reindexing.reindex() == 0


def half_done(monkeypatch, settings) -> None:
    """Contacts half climbed, identities too, the phone search in between."""
    monkeypatch.setattr(reindexing, "PER_TRANSACTION", 5)
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW}"
    with pytest.raises(Killed):
        reindexing.reindex(progress=kill_after(3))
    assert behind()["identities"] > 0


def test_newcomers_and_changes_of_hand_meanwhile(lan, known, settings, monkeypatch):
    half_done(monkeypatch, settings)
    (new,) = meet(lan, [person(nick("late"), phones=("+8613911112222", SHARED))])
    assert Contact.objects.filter(member_id=new).values_list("generation", flat=True).distinct().get() == 2
    shared = Contact.objects.filter(blind__in=Blinds(lan.merchant.pk).forms("phone", SHARED))
    assert len({(bytes(c.blind), c.generation) for c in shared}) == 1  # of one value all rows are of one generation
    with pytest.raises(IdentityTaken):
        claim_identities(merchant=lan.merchant, member_id=new, claims=[nick("n5")], now=NOON, actor="t")
    assert claim_identities(merchant=lan.merchant, member_id=known[5], claims=[nick("n5")], now=NOON, actor="t") == 0
    assert add_contacts(merchant=lan.merchant, contacts=[NewContact(known[5], Phone(SHARED))], now=NOON, actor="t") == 0
    gone = Contact.objects.filter(member_id__in=known, blind__in=Blinds(lan.merchant.pk).forms("phone", SHARED))
    assert remove_contacts(merchant=lan.merchant, contact_ids=[c.pk for c in gone], now=NOON, actor="t") == len(known)
    assert found(lan, "0000") == {new}
    reindexing.reindex()
    assert found(lan, "0000") == {new}
    assert found(lan, "13911112222") == {new}


def test_one_value_stays_one_persons_meanwhile(lan, known, settings, monkeypatch):
    """The database itself refuses a second row of a value, whichever form the first has by then."""
    half_done(monkeypatch, settings)
    meet(lan)
    reindexing.reindex()
    row = Identity.objects.filter(kind="nickname").first()
    with pytest.raises(IntegrityError), transaction.atomic():
        Identity.objects.create(
            merchant=lan.merchant, member_id=known[0], kind=row.kind, realm=row.realm, blind=row.blind, generation=2,
            first_seen_at=NOON, last_seen_at=NOON,
        )  # fmt: skip


def test_a_process_of_before_refuses_rather_than_misses(lan, known, settings, monkeypatch):
    half_done(monkeypatch, settings)
    settings.SHUKE_MASTER_KEY = OLD
    for call in (meet, lambda shop: found(shop, "13800138001")):
        with pytest.raises(KeyMissing, match="Restart"), transaction.atomic():
            call(lan)


def test_two_keys_at_once_and_then_only_the_newest(lan, known, settings):
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW}"
    reindexing.reindex()
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW},{NEWEST}"
    with pytest.raises(rekeying.StillNeeded):
        rekeying.retire(now=NOON)
    rekeying.rewrap()
    reindexing.reindex()
    all_is_as_ever(lan, known)
    shown = [[c.shown for c in queries.contacts_of(lan.merchant, one)] for one in known]
    assert rekeying.retire(now=NOON) == 2
    settings.SHUKE_MASTER_KEY = f",,{NEWEST}"
    all_is_as_ever(lan, known)
    assert [[c.shown for c in queries.contacts_of(lan.merchant, one)] for one in known] == shown
    fourth = "44" * 32
    settings.SHUKE_MASTER_KEY = f",,{NEWEST},{fourth}"
    reindexing.reindex()
    rekeying.rewrap()
    assert rekeying.retire(now=NOON) == 3
    settings.SHUKE_MASTER_KEY = f",,,{fourth}"
    all_is_as_ever(lan, known)
    settings.SHUKE_MASTER_KEY = f",,,{'55' * 32}"
    with pytest.raises(crypto.CannotUnseal):
        found(lan, "13800138001")


def test_who_has_the_first_key_and_a_new_copy_of_the_database_cannot_try_phones(lan, known, settings):
    first = {crypto.blind(f"+86138001380{i:02d}", "phone", lan.merchant.pk) for i in range(6)}
    assert first <= {bytes(c.blind) for c in Contact.objects.all()} | {
        bytes(one.blind) for one in Identity.objects.all()
    }
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW}"
    reindexing.reindex()
    held = {bytes(c.blind) for c in Contact.objects.all()} | {bytes(one.blind) for one in Identity.objects.all()}
    assert not first & held
    grams = {crypto.gram(f"{n:04d}", lan.merchant.pk) for n in range(10_000)}
    assert not grams & {bytes(row) for row in PhoneGram.objects.values_list("gram", flat=True)}


def test_without_its_row_it_is_made(lan, known, settings):
    IndexKeys.objects.all().delete()
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW}"
    reindexing.reindex()
    assert span() == (2, 2)
