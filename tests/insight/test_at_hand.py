"""What lists keep in memory from one look to the next: it is what the database says, whatever has happened since, in any order."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
from django.db import connection, transaction

from shuke.insight import actions
from shuke.insight.actions import at_hand as at_hand_actions
from shuke.insight.actions.at_hand import leave_crowd
from shuke.insight.models import MemberScore, Touched
from shuke.insight.queries import at_hand, chosen, crowd, kept_rows, score_columns, touched
from shuke.insight.queries.directory import directory, matching
from shuke.insight.queries.filters import Filters
from shuke.loyalty.models import Wallet
from shuke.members.models import Member, MemberState
from tests import cast
from tests.cast import NOON
from tests.insight.till import member, night, sell

DAY = date(2026, 3, 31)


@pytest.fixture
def shop(transactional_db):
    """Five members in a database that commits: three with accounts, two of them bought."""
    crowd._held.clear()
    at_hand._held.clear()
    Touched.objects.create(merchant_id=0, member_id=0)  # emptied by an earlier test, the log has none
    lan = cast.lan()
    people = [member(lan, name) for name in ("ann", "bob", "cat", "dan", "eve")]
    found = SimpleNamespace(merchant=lan.merchant, street=lan.street, people=people)
    for n, one in enumerate(found.people[:3]):
        Wallet.objects.create(merchant=found.merchant, member=one, balance=100 * n, tier="gold" if n else "basic")
    for one, net in zip(found.people[1:3], (20_000, 30_000), strict=True):
        sell(found, one, "2026-03-02", net)
    actions.snapshot(merchant=found.merchant, day=DAY, now=night(found, DAY.isoformat()))
    return found


def listed(shop, sort="-points", **filters):
    return [row.name for row in directory(shop.merchant, Filters(**filters), now=NOON, sort=sort).rows]


def told(one: crowd.Crowd) -> list[tuple]:
    """What is said of each who lives."""
    names = [[texts.values[code] for code in texts.code] for texts in (one.source, one.tier)]
    columns = (one.joined, one.store, one.points)
    rows = zip(one.member.tolist(), *(column.tolist() for column in columns), *names, strict=True)
    return [row for row, alive in zip(rows, one.alive, strict=True) if alive]


CHANGES = {
    "earned": lambda s: Wallet.objects.filter(member=s.people[0]).update(balance=500),
    "graded": lambda s: Wallet.objects.filter(member=s.people[0]).update(tier="platinum"),
    "account opened": lambda s: Wallet.objects.create(merchant=s.merchant, member=s.people[3], balance=7),
    "account closed": lambda s: Wallet.objects.filter(member=s.people[2]).delete(),
    "moved": lambda s: Member.objects.filter(pk=s.people[1].pk).update(home_store=s.street),
    "source told": lambda s: Member.objects.filter(pk=s.people[1].pk).update(acquired_by="抖音"),
    "joined earlier": lambda s: Member.objects.filter(pk=s.people[4].pk).update(joined_at=NOON),
    "merged": lambda s: Member.objects.filter(pk=s.people[0].pk).update(state=MemberState.MERGED),
    "newcomers": lambda s: [member(s, name) for name in ("fay", "gus")],
    "somebody's id was taken early": lambda s: member(s, "early", id=s.people[0].pk - 1),
    "deleted": lambda s: Member.objects.filter(pk=s.people[4].pk).delete(),
    "nothing that lists show": lambda s: Member.objects.filter(pk=s.people[1].pk).update(name="robert"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_at_the_next_look(shop, change):
    before = crowd.crowd(shop.merchant)
    CHANGES[change](shop)
    after = crowd.crowd(shop.merchant)
    assert told(after) == told(crowd._read(shop.merchant))
    assert (after is before) == (change == "nothing that lists show")
    assert crowd.crowd(shop.merchant) is after  # nothing was touched since


def test_all_changes_one_after_the_other_and_at_once(shop):
    crowd.crowd(shop.merchant)
    for name, change in CHANGES.items():
        if name != "account closed":
            change(shop)
    assert told(crowd.crowd(shop.merchant)) == told(crowd._read(shop.merchant))


def test_scores_are_found_for_who_came_between_two_of_them_and_for_who_came_last(shop):
    assert listed(shop, "-spent") == ["cat", "bob", "eve", "dan", "ann"]
    member(shop, "fay")
    assert listed(shop, "-spent") == ["cat", "bob", "eve", "dan", "ann", "fay"]
    member(shop, "early", id=shop.people[0].pk - 1)
    assert listed(shop, "-spent") == ["cat", "bob", "eve", "dan", "ann", "fay", "early"]
    assert listed(shop, "-spent", bought="ever") == ["cat", "bob"]
    assert sorted(listed(shop, bought="never")) == ["ann", "dan", "early", "eve", "fay"]


def test_what_is_rolled_back_leaves_nothing_in_memory(shop):
    assert listed(shop) == ["cat", "bob", "ann", "eve", "dan"]
    with transaction.atomic():
        Wallet.objects.filter(member=shop.people[0]).update(balance=500)
        assert listed(shop)[0] == "ann"  # who writes sees what they wrote
        transaction.set_rollback(True)
    assert listed(shop) == ["cat", "bob", "ann", "eve", "dan"]
    Wallet.objects.filter(member=shop.people[1]).update(balance=300)
    assert listed(shop) == ["bob", "cat", "ann", "eve", "dan"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_who_commits_later_than_a_younger_transaction_is_seen_too(shop):
    ann, bob = shop.people[:2]
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as older:
            older.execute("UPDATE loyalty_wallet SET balance = 900 WHERE member_id = %s", [ann.pk])
            Wallet.objects.filter(member=bob).update(balance=800)  # a younger transaction is through first
            assert listed(shop) == ["bob", "cat", "ann", "eve", "dan"]
            held = crowd.crowd(shop.merchant)
            assert crowd.crowd(shop.merchant) is held  # what is read once more says nothing new
        other.commit()
    finally:
        other.close()
    assert listed(shop) == ["ann", "bob", "cat", "eve", "dan"]


def test_a_new_process_begins_with_the_nights_file_and_what_was_touched_since(shop, monkeypatch):
    Wallet.objects.filter(member=shop.people[0]).update(balance=500)
    crowd._held.clear()
    read = []
    whole = crowd._read
    monkeypatch.setattr(crowd, "_read", lambda merchant, only=None: (read.append(only), whole(merchant, only))[1])
    monkeypatch.setattr(crowd, "_DEAR", 0)  # five members are fewer than it pays for
    assert listed(shop) == ["ann", "cat", "bob", "eve", "dan"]
    [only] = read
    assert shop.people[0].pk in only.tolist()  # not everybody: those touched since the file was written
    if (
        connection.vendor == "sqlite"
    ):  # PostgreSQL adds those touched while any transaction was open in the cluster, also of others
        assert len(only) == 1


def test_who_looked_before_the_log_was_cut_reads_everybody_anew(shop, monkeypatch):
    listed(shop)
    Wallet.objects.filter(member=shop.people[0]).update(balance=500)
    monkeypatch.setattr(touched, "KEPT", 1)
    monkeypatch.setattr(at_hand_actions, "_AT_ONCE", 2)
    held = dict(crowd._held)
    Wallet.objects.filter(member=shop.people[1]).update(balance=900)
    leave_crowd(shop.merchant, "of a night to come")
    assert not Touched.objects.filter(pk=held[shop.merchant.pk].seen.row).exists()
    crowd._held.update(held)  # as another process still has it
    assert listed(shop) == ["bob", "ann", "cat", "eve", "dan"]


def test_who_is_forgotten_leaves_the_copies_and_the_others_stay_in_them(shop):
    gone = shop.people[2]
    actions.forget(merchant=shop.merchant, members=[gone.pk])
    latest = score_columns.latest(shop.merchant)
    copy = score_columns.copied(shop.merchant)
    assert latest is not None
    assert copy is not None
    assert copy["member"].tolist() == sorted(one.pk for one in shop.people if one is not gone)
    at_hand._held.clear()
    assert listed(shop, "-spent", bought="ever") == ["bob"]


def test_without_its_file_the_table_is_read_once(shop):
    kept_rows.path(shop.merchant, score_columns.TABLE).unlink()
    assert listed(shop, "-spent")[:2] == ["cat", "bob"]
    MemberScore.objects.filter(member=shop.people[1]).update(net_minor=90_000)  # nobody but a night writes scores
    assert listed(shop, "-spent")[:2] == ["cat", "bob"]


def test_members_of_another_merchant_are_nobody_here(shop):
    other = cast.mingde()
    member(other, "theirs")
    assert matching(shop.merchant, Filters(), now=NOON).tolist() == sorted(one.pk for one in shop.people)
    assert matching(other.merchant, Filters(), now=NOON).size == 1
    known = chosen.Known(shop.merchant, crowd.crowd(shop.merchant))
    assert not chosen.chosen(known, Filters(), NOON, found=matching(other.merchant, Filters(), now=NOON)).any()


def test_codes_of_texts_stay_right_when_new_words_come():
    before = crowd.Texts(["", "a", "b"], np.array([1, 2, 0], np.int32))
    values, code = crowd._in_words_of(before.values, crowd.Texts(["", "c", "a"], np.array([2, 1], np.int32)))
    assert [values[one] for one in code] == ["a", "c"]
    assert values[:3] == before.values
