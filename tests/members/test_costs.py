"""Costs booked on members: one door, all or none, never twice, never changed."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from shuke.members import actions
from shuke.members.actions import BadCost, Cost
from shuke.members.models import MemberCost
from shuke.members.queries.costs import booked, costs_of
from tests.cast import NOON
from tests.insight.till import member

pytestmark = pytest.mark.django_db


def book(lan, *costs):
    return actions.book_costs(merchant=lan.merchant, costs=costs, now=NOON, actor="lan.owner")


def test_a_cost_is_booked_once_and_taken_back_by_another(lan):
    xu = member(lan, "许静")
    visit = Cost(xu.pk, "care", 3_000, NOON - timedelta(days=400), "visit:1", note="回访礼")
    call = Cost(xu.pk, "service", 500, NOON, "call:1", source="service")
    assert (book(lan, visit, call), book(lan, visit, call)) == (2, 0)
    assert book(lan, Cost(xu.pk, "service", -500, NOON, "call:1:back")) == 1
    sums = {
        (one.kind, one.minor, one.recent_minor)
        for one in booked(lan.merchant, since=NOON - timedelta(days=365), until=NOON + timedelta(days=1))
    }
    assert sums == {("care", 3_000, 0), ("service", 0, 0)}
    assert [one.key for one in costs_of(lan.merchant, xu.pk)] == ["call:1:back", "call:1", "visit:1"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "rent"}, "bad_kind"),
        ({"amount_minor": 0}, "bad_amount"),
        ({"amount_minor": 10**13}, "bad_amount"),
        ({"at": NOON + timedelta(days=1)}, "bad_moment"),
        ({"key": ""}, "bad_key"),
        ({"member_id": 7}, "no_member"),
        ({"key": "told"}, "key_taken"),
    ],
)
def test_one_bad_cost_and_none_is_booked(lan, change, code):
    xu = member(lan, "许静")
    book(lan, Cost(xu.pk, "care", 100, NOON, "told"))
    good = Cost(xu.pk, "care", 200, NOON, "good")
    with pytest.raises(BadCost) as refused:
        book(lan, good, good._replace(key="next")._replace(**change))
    assert refused.value.code == code
    assert MemberCost.objects.count() == 1


def test_members_of_others_are_nobody_here(lan, mingde):
    with pytest.raises(BadCost, match="no member"):
        book(lan, Cost(member(mingde, "别家").pk, "care", 100, NOON, "k"))


def test_the_database_refuses_to_change_or_delete(lan):
    xu = member(lan, "许静")
    book(lan, Cost(xu.pk, "care", 100, NOON, "k", note="王女士"))
    for change in (lambda rows: rows.update(amount_minor=1), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(MemberCost.objects.all())
    MemberCost.objects.update(note="")  # what says who somebody is may go


def test_who_was_merged_away_is_counted_with_the_survivor(lan):
    xu, double = member(lan, "许静"), member(lan, "许静二")
    book(lan, Cost(xu.pk, "care", 100, NOON, "a"), Cost(double.pk, "care", 20, NOON, "b"))
    double.state, double.merged_into = "merged", xu
    double.save()
    [one] = booked(lan.merchant, since=NOON, until=NOON + timedelta(days=1))
    assert (one.member_id, one.minor) == (xu.pk, 120)
    assert len(costs_of(lan.merchant, xu.pk)) == 2
