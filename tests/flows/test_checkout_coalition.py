"""A basket paid with points of all the member's accounts in a coalition: held, let go, captured, and brought back in parts."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from shuke.flows import checkout
from shuke.loyalty import queries
from shuke.members.models import Member
from tests.flows import test_checkout_tenders as till
from tests.loyalty import partners
from tests.loyalty.books import member, order, take
from tests.loyalty.partners import NOW, PLAIN

hold, capture, give_back = (partial(one, now=NOW) for one in (till.hold, till.capture, till.give_back))
pytestmark = pytest.mark.django_db
WORTH = {"selling": {"points": {"share": 50}}}  # a point pays one fen


@pytest.fixture
def town():
    """A person with 300 points here and 500 at the neighbour's."""
    here, there = partners.merchants(2, PLAIN | WORTH)
    partners.together([here, there])
    mine, theirs = partners.person([here, there])
    take(here, mine, order("a", 1, 300), now=NOW)
    take(there, theirs, order("b", 1, 500), now=NOW)
    return here, mine, there, theirs


def points(town):
    here, mine, there, theirs = town
    return queries.balance(here, mine, NOW).available, queries.balance(there, theirs, NOW).available


def sound(town):
    assert [queries.verify(shop).findings for shop in (town[0], town[2])] == [[], []]


def test_points_of_all_partners_pay_and_come_back_where_they_came_from_to_the_cent(town):
    here, mine, *_ = town
    told = hold(here, mine, "k1", 7.01, 3.02, coalition=True, points="most").priced
    assert (told["totals"]["points"], told["totals"]["due_minor"]) == (501, 502)
    assert sum(points(town)) == 800 - 501
    assert checkout.release(merchant=here, key="k1", now=NOW, actor="till").state == "released"
    assert points(town) == (300, 500)

    hold(here, mine, "k2", 7.01, 3.02, coalition=True, points="most")
    assert hold(here, mine, "k2", 7.01, 3.02, coalition=True, points="most").replayed
    capture(here, "k2")
    after = points(town)
    assert sum(after) == 299
    one, two = give_back(here, "k2", "r1", {"b": 1000}), give_back(here, "k2", "r2", {"a": 1000})
    assert (one["points"], two["points"], one["due_minor"], two["due_minor"]) == (151, 350, 151, 351)
    assert give_back(here, "k2", "r2", {"a": 1000}) == two
    assert points(town) == (300, 500)
    sound(town)


def test_a_basket_nobody_pays_gives_the_points_back_when_its_time_is_over(town):
    here, mine, *_ = town
    hold(here, mine, "k", 4, coalition=True, points=150)
    assert sum(points(town)) == 650
    assert checkout.release_timed_out(merchant=here, now=NOW + timedelta(minutes=16)) == 1
    assert points(town) == (300, 500)


def test_why_no_coalition_points_pay_is_said(town):
    here, mine, _there, theirs = town
    alone = member(here, 9)
    reasons = []
    for who in (alone, mine):
        priced = hold(here, who, f"k{who}", 4, coalition=True, points=100).priced
        reasons += [one["reason"] for one in priced["inapplicable"]]
    assert reasons == ["not_linked"]
    Member.objects.filter(pk=mine).update(frozen_at=NOW)
    for asks in ({"coalition": True}, {}):
        told = hold(here, mine, f"f{asks}", 4, points=100, **asks).priced
        assert [(one["reason"], "冻结" in one["say"]["zh"]) for one in told["inapplicable"]] == [
            ("points_frozen", True)
        ]
    Member.objects.filter(pk=mine).update(frozen_at=None)
    Member.objects.filter(pk=theirs).update(frozen_at=NOW)  # there nothing can be taken, here it goes on
    assert hold(here, mine, "own", 20, coalition=True, points=400).priced["totals"]["points"] == 200


def test_a_till_takes_no_more_of_one_member_in_a_day_than_was_agreed():
    here, there = partners.merchants(2, PLAIN | WORTH)
    partners.together([here, there], [partners.prices(spend_most_per_day=120), partners.prices()])
    mine, theirs = partners.person([here, there])
    take(there, theirs, order("b", 1, 500), now=NOW)
    told = [hold(here, mine, key, 2, coalition=True, points=100).priced["totals"]["points"] for key in ("a", "b", "c")]
    assert told == [100, 20, 0]
