"""Cards that are lost, found, replaced; members who are frozen."""

from __future__ import annotations

import pytest

from shuke.kit.models import AuditLine
from shuke.members import actions, queries
from shuke.members.models import Member
from shuke.members.values import is_card
from tests.cast import NOON
from tests.members.people import card, nick, person


@pytest.fixture
def ann(lan):
    (found,) = actions.recognise(merchant=lan.merchant, people=[person(nick("安安"))], now=NOON)
    return Member.objects.get(pk=found.member_id)


def told(lan, **more):
    return {"merchant": lan.merchant, "now": NOON, "actor": "lan", **more}


def test_a_lost_card_freezes_until_it_is_found(lan, ann):
    actions.report_lost(**told(lan, member_id=ann.pk, reason="on the bus"))
    actions.report_lost(**told(lan, member_id=ann.pk, reason="again"))
    ann.refresh_from_db()
    assert ann.frozen_at == NOON
    assert queries.card_said(lan.merchant, ann.card).state == "lost"
    actions.found_again(**told(lan, member_id=ann.pk))
    ann.refresh_from_db()
    assert (ann.frozen_at, queries.card_said(lan.merchant, ann.card).state) == (None, "in_use")


def test_a_replaced_card_says_so_and_still_finds_the_member(lan, ann):
    old = ann.card
    actions.report_lost(**told(lan, member_id=ann.pk, reason=""))
    new = actions.replace_card(**told(lan, member_id=ann.pk, reason="lost"))
    assert is_card(new)
    assert new != old
    said = queries.card_said(lan.merchant, old)
    assert (said.member.pk, said.state, said.replaced_by) == (ann.pk, "replaced", new)
    assert Member.objects.get(pk=ann.pk).frozen_at is None
    assert queries.member_of(lan.merchant.pk, old).pk == ann.pk
    assert [h.member_id for h in queries.find(lan.merchant, old)] == [ann.pk]
    (met,) = actions.recognise(merchant=lan.merchant, people=[person(card(old))], now=NOON)
    assert met.member_id == ann.pk
    assert Member.objects.count() == 1


def test_a_number_nobody_has_and_one_with_a_wrong_digit_are_told_apart(lan, ann):
    wrong = ann.card[:-1] + str((int(ann.card[-1]) + 1) % 10)
    assert queries.card_said(lan.merchant, wrong).state == "wrong_digit"
    assert queries.card_said(lan.merchant, "660000099998").state in ("unknown", "wrong_digit")
    assert queries.card_said(lan.merchant, "").state == "wrong_digit"


def test_freezing_needs_a_reason_is_kept_through_a_replacement_and_is_audited(lan, ann):
    with pytest.raises(actions.CardRefused, match="Say why"):
        actions.freeze(**told(lan, member_ids=[ann.pk], reason=" "))
    assert actions.freeze(**told(lan, member_ids=[ann.pk], reason="sold points")) == 1
    assert actions.freeze(**told(lan, member_ids=[ann.pk], reason="sold points")) == 0
    actions.replace_card(**told(lan, member_id=ann.pk, reason="worn"))
    assert Member.objects.get(pk=ann.pk).frozen_because == "sold points"
    assert actions.unfreeze(**told(lan, member_ids=[ann.pk], reason="cleared")) == 1
    assert Member.objects.get(pk=ann.pk).frozen_at is None
    verbs = AuditLine.objects.filter(verb__contains="frozen").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["member.frozen", "member.unfrozen"]


def test_another_merchants_member_and_a_card_that_is_not_lost_are_refused(lan, mingde, ann):
    with pytest.raises(queries.NoSuchMember):
        actions.report_lost(merchant=mingde.merchant, member_id=ann.pk, reason="", now=NOON, actor="x")
    with pytest.raises(actions.CardRefused, match="not reported lost"):
        actions.found_again(**told(lan, member_id=ann.pk))
