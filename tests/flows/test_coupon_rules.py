"""Coupons by rule: each occasion once, however often the rules run; codes in bulk by a job; the file of codes."""

from datetime import timedelta

import pytest

from shuke.flows import coupons as flow
from shuke.kit import clock, jobs
from shuke.loyalty.actions import coupons
from shuke.loyalty.models import Coupon
from shuke.loyalty.queries import coupons as stored
from shuke.members.actions import Note, note
from shuke.members.models import Member
from tests import cast
from tests.loyalty.books import NOW, START, member, order, take
from tests.loyalty.till import open_till, template

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    merchant = cast.lan().merchant
    open_till(merchant)
    return merchant


def run(shop, now=NOW):
    return flow.issue_by_rule(merchant=shop, now=now, real_now=clock.utc_now())


def had(who):
    return list(Coupon.objects.filter(member_id=who).order_by("id").values_list("source", flat=True))


def test_a_birthday_gives_its_coupon_once_a_year_also_after_missed_nights(shop):
    template(shop, issue=[{"on": "birthday", "days": 7}])
    soon = member(shop, 1, birth_month=6, birth_day=7)  # NOW is 1 June, noon: in six days
    lunar = member(shop, 2, birth_month=4, birth_day=23, birth_lunar=True)  # 8 June 2026
    later = member(shop, 3, birth_month=6, birth_day=9)
    assert run(shop).issued == 2
    assert run(shop, NOW + timedelta(days=1)).issued == 1
    assert run(shop, NOW + timedelta(days=2)).issued == 0
    assert run(shop, NOW + timedelta(days=365)).issued >= 1
    assert had(soon)[0] == had(lunar)[0] == had(later)[0] == "birthday"


def test_first_purchase_joining_and_staying_away(shop):
    template(shop, "first", issue=[{"on": "first_purchase"}])
    template(shop, "hello", issue=[{"on": "joined"}])
    template(shop, "miss", issue=[{"on": "win_back", "days": 90}])
    new, old = member(shop, 1), member(shop, 2)
    day = (NOW - START).days
    take(shop, new, order("n1", day - 1, 50), now=NOW)
    take(shop, old, order("o1", day - 200, 50), order("o2", day - 91, 50), now=NOW)
    Member.objects.filter(pk=new).update(joined_at=NOW - timedelta(days=1))
    assert run(shop).issued == 3
    assert sorted(had(new)) == ["first_purchase", "joined"]
    assert had(old) == ["win_back"]
    assert run(shop).issued == 0


def test_a_risen_tier_and_a_settled_complaint(shop):
    template(shop, "up", issue=[{"on": "tier_up", "tiers": ["gold"], "count": 2}])
    template(shop, "sorry", issue=[{"on": "complaint"}])
    ann = member(shop)
    day = (NOW - START).days
    take(shop, ann, order("n1", day - 1, 900), now=NOW)
    lines = [Note(ann, NOW - timedelta(hours=1), "complaint.settled", "complaint:1")]
    lines += [Note(ann, NOW - timedelta(hours=1), "tier.up", "tier:gold")]
    lines += [Note(ann, NOW - timedelta(days=300), "tier.up", "tier:long ago")]
    note(merchant=shop, lines=lines, now=NOW)
    run(shop)
    assert had(ann).count("complaint") == 1
    assert had(ann).count("tier_up") in (2, 4)  # the books may have noted the rise themselves
    count = Coupon.objects.count()
    run(shop)
    assert Coupon.objects.count() == count


def test_a_paused_template_and_a_full_member_are_counted_as_refused(shop):
    template(shop, issue=[{"on": "joined"}], limits={"per_member": 1})
    ann = member(shop)
    Member.objects.filter(pk=ann).update(joined_at=NOW)
    coupons.issue(merchant=shop, issues=[coupons.Issue("ten", ann, "hand")], now=NOW, actor="t")
    assert run(shop).refused == {"member_has_enough": 1}
    coupons.pause_template(merchant=shop, key="ten", paused=True, now=NOW, actor="t")
    assert run(shop) == (0, 0, {})


def test_templates_of_the_charter_are_issued_like_others_and_edited_only_there(shop):
    from tests.loyalty.books import CHARTER

    told = {
        "key": "gift",
        "name": {"zh": "礼", "en": "gift"},
        "kind": "amount",
        "amount": "5",
        "issue": [{"on": "joined"}],
    }
    from shuke.engine.charter import document
    from shuke.loyalty import actions

    actions.publish_charter(
        merchant=shop,
        charter=document.from_plain(CHARTER | {"selling": {"coupons": [told]}}),
        effective_from=NOW,
        now=NOW,
        actor="t",
    )
    ann = member(shop)
    Member.objects.filter(pk=ann).update(joined_at=NOW)
    assert run(shop).issued == 1
    assert len(stored.versions(shop, "gift")) == 1
    run(shop)
    assert len(stored.versions(shop, "gift")) == 1
    with pytest.raises(coupons.CouponRefused) as refused:
        template(shop, "gift")
    assert refused.value.code == "template_of_charter"
    later = NOW + timedelta(days=1)
    actions.publish_charter(
        merchant=shop,
        charter=document.from_plain(
            CHARTER | {"selling": {"coupons": [told | {"amount": "6", "limits": {"issued": 3}}]}}
        ),
        effective_from=later,
        now=NOW,
        actor="t",
    )
    bob = member(shop, 2)
    Member.objects.filter(pk=bob).update(joined_at=later)
    coupons.issue(merchant=shop, issues=[coupons.Issue("gift", bob, "hand", copies=4)], now=NOW, actor="t")
    # Five are out, the new charter allows three: nothing is taken back, nothing more is issued, nothing breaks.
    assert run(shop, later).refused == {"all_issued": 1}
    assert [stored.terms_of(row).amount for row in stored.versions(shop, "gift")] == [6, 5]


def test_codes_are_made_by_a_job_and_come_as_a_file(shop):
    template(shop, codes="unique", valid={"until_date": "2026-12-31"})
    ordered = flow.order_codes(merchant=shop, key="ten", count=7, label="flyer", now=NOW, actor="t")
    while running := jobs.claim(worker="w", now=clock.utc_now()):
        assert jobs.run(running) == "done"
    assert jobs.find(ordered.job_id, merchant_id=shop.pk).progress == {"done": 7, "total": 7, "note": "codes"}
    told = "".join(flow.export_codes(merchant=shop, batch_id=ordered.batch.pk, now=NOW, actor="t"))
    head, *rows = told.removeprefix("\ufeff").splitlines()
    assert head == "code,template,valid_from,valid_until"
    assert len(rows) == 7
    assert rows[0].endswith(",ten,,2027-01-01 00:00")
    assert stored.find_code(shop, rows[3].split(",")[0]).coupon.batch_id == ordered.batch.pk
