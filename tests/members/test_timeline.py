"""The timeline as the bus: lines are appended, claimed once, and read page by page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from shuke.members import queries
from shuke.members.actions import Note, add_note, add_tags, claim, note, recognise, remove_tags
from shuke.members.actions.profile import BadProfile
from shuke.members.models import Member
from tests.cast import NOON
from tests.members.people import nick, person


def members(shop, count):
    people = [person(nick(f"n{i}")) for i in range(count)]
    return [answer.member_id for answer in recognise(merchant=shop.merchant, people=people, now=NOON)]


def test_what_is_noted_is_read_back_as_it_was(lan):
    (one,) = members(lan, 1)
    at = NOON - timedelta(days=3, microseconds=7)
    body = {"paid": 12345, "goods": ["面霜", "it's"], "deep": {"null": None}}
    note(
        merchant=lan.merchant,
        lines=[Note(one, at, "order.paid", "order:7:88", body), Note(one, NOON, "bare")],
        now=NOON,
    )
    lines = queries.timeline(lan.merchant, one, kinds=["order.paid", "bare"])
    assert [(x.at, x.noted_at, x.kind, x.ref, x.body, x.claimed_at) for x in lines] == [
        (NOON, NOON, "bare", "", {}, None),
        (at, NOON, "order.paid", "order:7:88", body, None),
    ]


def test_a_line_is_claimed_once_and_only_by_those_who_asked_for_its_kind(lan, mingde):
    one, other = members(lan, 2)
    lines = [Note(m, NOON, kind) for m in (one, other) for kind in ("order.paid", "tier.up")]
    note(merchant=lan.merchant, lines=lines, now=NOON)
    assert claim(merchant=mingde.merchant, kinds=["order.paid"], limit=9, now=NOON) == []
    first = claim(merchant=lan.merchant, kinds=["order.paid"], limit=1, now=NOON)
    rest = claim(merchant=lan.merchant, kinds=["order.paid", "tier.up"], limit=9, now=NOON)
    assert [(c.member_id, c.kind, c.at, c.body) for c in first + rest] == [
        (one, "order.paid", NOON, {}), (one, "tier.up", NOON, {}), (other, "order.paid", NOON, {}), (other, "tier.up", NOON, {}),
    ]  # fmt: skip
    assert claim(merchant=lan.merchant, kinds=["order.paid", "tier.up"], limit=9, now=NOON) == []


def test_a_claim_that_fails_gives_its_lines_back(lan):
    (one,) = members(lan, 1)
    with transaction.atomic():
        assert len(claim(merchant=lan.merchant, kinds=["joined"], limit=9, now=NOON)) == 1
        transaction.set_rollback(True)  # the power went
    assert [c.member_id for c in claim(merchant=lan.merchant, kinds=["joined"], limit=9, now=NOON)] == [one]


def test_pages_of_a_timeline_neither_repeat_nor_skip_lines_of_the_same_moment(lan):
    (one,) = members(lan, 1)
    note(merchant=lan.merchant, lines=[Note(one, NOON, "same", str(i)) for i in range(7)], now=NOON)
    seen, before = [], None
    while page := queries.timeline(lan.merchant, one, kinds=["same"], before=before, limit=3):
        seen += [line.ref for line in page]
        before = (page[-1].at, page[-1].id)
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_tags_come_and_go_with_a_line_that_says_who(lan):
    one, other = members(lan, 2)
    assert (
        add_tags(merchant=lan.merchant, member_ids=[one, other], tags=["VIP", " 易退货 "], now=NOON, actor="lan") == 2
    )
    assert add_tags(merchant=lan.merchant, member_ids=[one], tags=["VIP"], now=NOON, actor="lan") == 0
    assert remove_tags(merchant=lan.merchant, member_ids=[one, other], tags=["VIP", "nix"], now=NOON, actor="li") == 2
    assert Member.objects.get(id=one).tags == ["易退货"]
    assert [line.body for line in queries.timeline(lan.merchant, one, kinds=["tags.changed"])] == [
        {"added": [], "removed": ["VIP"], "by": "li"},
        {"added": ["VIP", "易退货"], "removed": [], "by": "lan"},
    ]


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_remark_is_refused(lan, text):
    (one,) = members(lan, 1)
    with pytest.raises(BadProfile, match="nothing written"):
        add_note(merchant=lan.merchant, member_id=one, text=text, now=NOON, actor="lan")


def test_nobody_writes_on_another_merchants_member(lan, mingde):
    (one,) = members(lan, 1)
    with pytest.raises(queries.NoSuchMember):
        add_note(merchant=mingde.merchant, member_id=one, text="hello", now=NOON, actor="mingde")
    with pytest.raises(queries.NoSuchMember):
        add_tags(merchant=mingde.merchant, member_ids=[one], tags=["x"], now=NOON, actor="mingde")
    assert [line.kind for line in queries.timeline(lan.merchant, one)] == ["joined"]
