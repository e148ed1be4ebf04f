"""A complaint is written down once, settled once, opened again; what the charter gives for it is given once, and said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shuke.flows import complaints, coupons
from shuke.flows.merge_members import merge, unmerge
from shuke.kit import clock
from shuke.loyalty.actions.coupons import Issue, given_before, issue
from shuke.loyalty.models import Coupon
from shuke.members.models import TimelineLine
from shuke.service import actions, queries
from shuke.service.actions import ComplaintRefused
from tests.loyalty.books import NOW, member, order, take
from tests.loyalty.till import open_till, template


@pytest.fixture
def shop(lan):
    open_till(lan.merchant)
    return lan.merchant


@pytest.fixture
def ann(shop):
    who = member(shop)
    take(shop, who, order("a", 480, 100))
    return who


def told(shop, who, key="k", what="The jar leaked", **more):
    asked = {"channel": "counter", "now": NOW, "actor": "mei"} | more
    return actions.open_complaint(merchant=shop, key=key, member_id=who, what=what, **asked)


def settle(shop, one, note="New jar", now=NOW):
    return complaints.settle(merchant=shop, complaint_id=one.pk, note=note, now=now, actor="lin")


def reopen(shop, one):
    return actions.reopen(merchant=shop, complaint_id=one.pk, reason="Leaked too", now=NOW, actor="mei")


def code(refused):
    return refused.value.code


def kinds(who):
    rows = TimelineLine.objects.filter(member_id=who, kind__startswith="complaint.").order_by("id")
    return list(rows.values_list("kind", flat=True))


def test_settled_it_gives_the_coupon_of_the_rule_at_once_and_once(shop, ann):
    template(shop, "sorry", issue=[{"on": "complaint"}])
    one, again = told(shop, ann, order_number="a").complaint, told(shop, ann, order_number="a")
    assert (again.complaint, again.replayed, one.order_number) == (one, True, "a")
    done = settle(shop, one)
    assert (done.coupons, done.say("en"), done.say("zh")) == (1, "The member gets a coupon for it: sorry.", "已按章程发给会员优惠券：券sorry。")  # fmt: skip
    with pytest.raises(ComplaintRefused) as refused:
        settle(shop, one)
    assert (code(refused), "by lin: “New jar”" in str(refused.value)) == ("settled_before", True)
    assert reopen(shop, one).reopened == 1
    second = settle(shop, one, "Money back", NOW + timedelta(days=1))
    assert (second.coupons, "given once" in second.say("en")) == (0, True)
    coupons.issue_by_rule(
        merchant=shop, now=NOW + timedelta(days=1), real_now=clock.utc_now()
    )  # the hour comes as well
    assert Coupon.objects.filter(member_id=ann).count() == 1
    assert kinds(ann) == ["complaint.opened", "complaint.settled", "complaint.reopened", "complaint.settled"]
    assert (second.complaint.note, second.complaint.settled_by) == ("Money back", "lin")


def test_another_complaint_is_another_reason_and_limits_are_said(shop, ann):
    template(shop, "sorry", issue=[{"on": "complaint"}], limits={"per_member": 1})
    assert settle(shop, told(shop, ann, "k1").complaint).coupons == 1
    done = settle(shop, told(shop, ann, "k2").complaint)
    assert (done.coupons, "sorry is not given:" in done.say("en"), "未发" in done.say("zh")) == (0, True, True)


def test_a_rule_for_other_tiers_or_none_gives_nothing(shop, ann):
    template(shop, "gold", issue=[{"on": "complaint", "tiers": ["gold"]}])
    template(shop, "hello", issue=[{"on": "joined"}])
    done = settle(shop, told(shop, ann).complaint)
    assert (done.coupons, done.say("en")) == (0, "The charter gives no coupon for it.")


def test_a_shop_without_a_charter_settles_too(mingde):
    who = member(mingde.merchant)
    assert settle(mingde.merchant, told(mingde.merchant, who).complaint).coupons == 0


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"what": "  "}, "what_missing"),
        ({"what": "x" * 2001}, "what_missing"),
        ({"channel": "pigeon"}, "no_such_channel"),
        ({"order_number": "nobody's"}, "no_such_order"),
        ({"key": ""}, "key_missing"),
        ({"what": "another", "key": "taken"}, "key_reused"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(shop, ann, more, wrong):
    told(shop, ann, "taken")
    with pytest.raises(ComplaintRefused) as refused:
        told(shop, ann, **({"key": "k"} | more))
    assert code(refused) == wrong
    assert len(queries.complaints_of(shop, ann)) == 1


def test_a_note_is_needed_and_the_complaint_must_be_there_and_ones_own(shop, ann, mingde):
    one = told(shop, ann).complaint
    for deed, wrong in [
        (lambda: settle(shop, one, " "), "note_missing"),
        (lambda: settle(mingde.merchant, one), "no_such_complaint"),
        (lambda: reopen(shop, one), "open_already"),
    ]:
        with pytest.raises(ComplaintRefused) as refused:
            deed()
        assert code(refused) == wrong
    assert queries.complaints(shop, only_open=True) == [one]


def test_of_a_merged_member_it_is_the_survivors(shop, ann):
    bob = member(shop, 2)
    one = told(shop, bob).complaint
    merge(merchant=shop, survivor_id=ann, absorbed_id=bob, reason="same", now=NOW, actor="x")
    template(shop, "sorry", issue=[{"on": "complaint"}])
    assert queries.complaints_of(shop, ann) == [one]
    assert settle(shop, one).coupons == 1
    assert Coupon.objects.get().member_id == ann
    assert kinds(ann) == ["complaint.settled"]


def join(shop, survivor, absorbed):
    return merge(merchant=shop, survivor_id=survivor, absorbed_id=absorbed, reason="same", now=NOW, actor="x")


def every_hour(shop, now=NOW + timedelta(days=1)):
    return coupons.issue_by_rule(merchant=shop, now=now, real_now=clock.utc_now()).issued


def test_a_merge_between_two_settlings_gives_no_second_coupon(shop, ann):
    bob = member(shop, 2)
    template(shop, "sorry", issue=[{"on": "complaint"}])
    one = told(shop, bob).complaint
    assert settle(shop, one).coupons == 1
    join(shop, ann, bob)
    assert every_hour(shop) == 0
    reopen(shop, one)
    done = settle(shop, one, "Money back", NOW + timedelta(days=1))
    assert (done.coupons, "given once" in done.say("en"), every_hour(shop)) == (0, True, 0)
    assert Coupon.objects.count() == 1


def test_nor_does_a_merge_that_was_taken_back(shop, ann):
    bob = member(shop, 2)
    template(shop, "sorry", issue=[{"on": "complaint"}])
    one = told(shop, bob).complaint
    merged = join(shop, ann, bob)
    assert settle(shop, one).coupons == 1  # the survivor's
    unmerge(merchant=shop, merge_id=merged.merge.pk, reason="two people", now=NOW, actor="x")
    reopen(shop, one)
    assert (settle(shop, one, "Again", NOW + timedelta(days=1)).coupons, every_hour(shop)) == (0, 0)
    other = told(shop, bob, "k2").complaint  # another complaint is another reason
    assert settle(shop, other, now=NOW + timedelta(days=1)).coupons == 1


def test_what_was_given_before_a_merge_is_not_given_again(shop, ann):
    """Birthdays, first purchases, a campaign sent again, a program that did not hear the answer."""
    bob = member(shop, 2)
    template(shop, "gift")
    wish = Issue("gift", bob, "hand", "new-year", 2)
    (first,) = issue(merchant=shop, issues=[wish], now=NOW, actor="x")
    join(shop, ann, bob)
    again = wish._replace(member_id=ann)
    (second,) = issue(merchant=shop, issues=[again], now=NOW, actor="x")
    assert (len(first.coupons), second.coupons, second.again) == (2, (), True)
    assert given_before(merchant=shop, one=again) == list(first.coupons)
    (other,) = issue(merchant=shop, issues=[again._replace(ref="spring")], now=NOW, actor="x")
    assert len(other.coupons) == 2
