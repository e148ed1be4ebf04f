"""Coupons: templates and versions, issuing within limits, codes in bulk, claims, void, expiry; the books of it all."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from shuke.engine.charter.selling import Coupon as Template
from shuke.engine.checkout import codes
from shuke.kit.clock import day_start
from shuke.loyalty import queries
from shuke.loyalty.actions import coupons
from shuke.loyalty.actions.coupons import CouponRefused, Issue, batches
from shuke.loyalty.models import Coupon, CouponMove, CouponTally
from shuke.loyalty.queries import coupons as stored
from shuke.members.models import TimelineLine
from tests import cast
from tests.loyalty.books import NOW, member
from tests.loyalty.till import give, open_till, template

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    merchant = cast.lan().merchant
    open_till(merchant)
    return merchant


def refused(why, call, **arguments):
    with pytest.raises(CouponRefused) as caught:
        call(**arguments)
    assert caught.value.code == why
    assert caught.value.say("zh") != caught.value.say("en")


def issue(merchant, *issues, now=NOW):
    return coupons.issue(merchant=merchant, issues=list(issues), now=now, actor="test")


def sound(merchant):
    assert [f for f in queries.verify(merchant).findings if f.invariant.startswith("C")] == []


def test_a_new_version_of_a_template_leaves_what_was_issued_alone(shop):
    template(shop)
    (old,) = give(shop, member(shop))
    template(shop, amount="5")
    (new,) = give(shop, member(shop, 2))
    assert [stored.terms_of(stored.one(shop, pk).template).amount for pk in (old, new)] == [10, 5]
    assert len(stored.versions(shop, "ten")) == 2
    template(shop, amount="5")
    assert len(stored.versions(shop, "ten")) == 2  # the same text again is no news


def test_templates_that_cannot_be_are_refused_with_the_reason(shop):
    refused("template_invalid", template, merchant=shop, kind="percent")
    template(shop, limits={"issued": 5})
    give(shop, member(shop), number=3)
    refused("below_spent", template, merchant=shop, limits={"issued": 2})
    refused("no_such_template", coupons.pause_template, merchant=shop, key="x", paused=True, now=NOW, actor="t")


def test_validity_counts_from_issue_or_is_a_window(shop):
    def times(**valid):
        told = Template.model_validate(
            {"key": "k", "name": {"zh": "券", "en": "c"}, "kind": "amount", "amount": 1, "valid": valid}
        )
        from shuke.loyalty.actions.coupons.issuing import validity

        return validity(told, NOW, shop)

    day = NOW.astimezone(shop.tz).date()

    def start(days):
        return day_start(day + timedelta(days=days), shop.tz)

    assert times() == (None, None)
    assert times(days=7) == (None, start(8))  # the seventh day after is the last one
    assert times(days=7, after_days=1) == (start(1), start(9))
    assert times(until_date=str(day)) == (None, start(1))
    assert times(days=30, until_date=str(day)) == (None, start(1))


def test_issuing_keeps_the_limits_and_gives_a_reason(shop):
    template(shop, limits={"issued": 3, "per_member": 2})
    ann, bob = member(shop), member(shop, 2)
    told = issue(shop, Issue("ten", ann, "hand", copies=2), Issue("ten", ann, "hand"), Issue("ten", bob, "hand", copies=2), Issue("x", bob, "hand"))  # fmt: skip
    assert [(len(one.coupons), one.code) for one in told] == [
        (2, ""),
        (0, "member_has_enough"),
        (0, "all_issued"),
        (0, "no_such_template"),
    ]
    coupons.pause_template(merchant=shop, key="ten", paused=True, now=NOW, actor="t")
    assert issue(shop, Issue("ten", bob, "hand"))[0].code == "paused"
    assert CouponTally.objects.get().issued == 2
    assert TimelineLine.objects.filter(kind="coupon.issued").count() == 1
    sound(shop)


def test_what_a_coupon_was_given_for_gives_it_once(shop):
    template(shop)
    ann = member(shop)
    wish = Issue("ten", ann, "birthday", "birthday:2026")
    assert [one.again for one in issue(shop, wish, wish)] == [False, True]
    assert issue(shop, wish, now=NOW + timedelta(days=5))[0].again
    assert Coupon.objects.count() == 1


def test_what_somebody_gave_meanwhile_for_the_same_is_not_given_twice(shop, monkeypatch):
    """Both looked before either of them wrote: on PostgreSQL whoever comes second learns it from the row itself."""
    template(shop)
    wish = Issue("ten", member(shop), "hand", "complaint:7")
    (first,) = issue(shop, wish)
    look = stored.sources_given
    looks = iter([lambda *_: set(), look])
    monkeypatch.setattr(stored, "sources_given", lambda *told: next(looks)(*told))
    (second,) = issue(shop, wish)
    assert (second.again, second.coupons) == (True, ())
    assert coupons.given_before(merchant=shop, one=wish) == list(first.coupons)
    assert CouponTally.objects.get(key="ten").issued == Coupon.objects.count() == 1


def test_codes_in_bulk_are_made_in_chunks_and_exist_once(shop, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 40)
    template(shop, codes="unique", limits={"issued": 130})
    batch = coupons.begin_batch(merchant=shop, key="ten", count=100, label="flyer", now=NOW, actor="t")
    refused("all_issued", coupons.begin_batch, merchant=shop, key="ten", count=31, label="", now=NOW, actor="t")

    def killed(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        coupons.make_codes(batch_id=batch.pk, now=NOW, progress=killed)
    assert Coupon.objects.count() == 40
    sound(shop)  # what is still to be made counts as issued
    assert coupons.make_codes(batch_id=batch.pk, now=NOW) == 60
    assert coupons.make_codes(batch_id=batch.pk, now=NOW) == 0
    batch.refresh_from_db()
    assert (batch.state, batch.made) == ("done", 100)
    told = list(batches.codes_of(batch))
    assert len(set(told)) == 100
    assert told[5] not in repr(Coupon.objects.values_list())  # the database does not know them
    assert {stored.find_code(shop, codes.shown(code)).coupon.batch_id for code in told} == {batch.pk}
    assert coupons.void_batch(merchant=shop, batch_id=batch.pk, reason="leaked", now=NOW, actor="t") == 100
    sound(shop)


def test_a_code_that_exists_already_is_drawn_anew(shop, monkeypatch):
    template(shop, codes="unique")
    first = coupons.begin_batch(merchant=shop, key="ten", count=3, label="", now=NOW, actor="t")
    coupons.make_codes(batch_id=first.pk, now=NOW)
    again = coupons.begin_batch(merchant=shop, key="ten", count=3, label="", now=NOW, actor="t")
    type(again).objects.filter(pk=again.pk).update(seed=first.seed)  # the same draw, by design of the test
    coupons.make_codes(batch_id=again.pk, now=NOW)
    again.refresh_from_db()
    assert again.salts == {"0": 1}
    assert not set(batches.codes_of(again)) & set(batches.codes_of(first))
    assert Coupon.objects.count() == 6


def test_claiming_by_template_by_shared_and_by_unique_code(shop):
    template(shop, claim=True, limits={"per_member": 1})
    template(shop, "spring", codes="shared", limits={"per_member": 1})
    template(shop, "flyer", codes="unique")
    ann, bob = member(shop), member(shop, 2)

    def claim(who, **how):
        return coupons.claim(merchant=shop, member_id=who, now=NOW, actor="t", **how)

    claim(ann, key="ten")
    refused("member_has_enough", claim, who=ann, key="ten")
    refused("not_claimable", claim, who=ann, key="spring")
    coupons.make_shared_code(merchant=shop, key="spring", code="Spring 20", now=NOW, actor="t")
    refused("code_taken", coupons.make_shared_code, merchant=shop, key="spring", code="SPRING20", now=NOW, actor="t")
    claim(ann, found=stored.find_code(shop, "spring20"))
    refused("member_has_enough", claim, who=ann, found=stored.find_code(shop, "SPRING-20"))
    batch = coupons.begin_batch(merchant=shop, key="flyer", count=1, label="", now=NOW, actor="t")
    coupons.make_codes(batch_id=batch.pk, now=NOW)
    batch.refresh_from_db()
    (code,) = batches.codes_of(batch)
    mine = claim(bob, found=stored.find_code(shop, code))
    assert claim(bob, found=stored.find_code(shop, code)) == mine  # again: the same
    refused("code_refused", claim, who=ann, found=stored.find_code(shop, code))
    refused("code_refused", claim, who=ann, found=stored.find_code(shop, "nothing"))
    assert coupons.end_shared_code(merchant=shop, code="spring20", now=NOW)
    assert not stored.find_code(shop, "spring20")
    sound(shop)


def test_void_and_expire_are_booked_with_their_moves(shop):
    template(shop, valid={"days": 7})
    ann = member(shop)
    one, other = give(shop, ann, number=2)
    assert coupons.void(merchant=shop, coupon_ids=[one], reason="wrong member", now=NOW, actor="boss") == 1
    refused("not_open", coupons.void, merchant=shop, coupon_ids=[one], reason="again", now=NOW, actor="boss")
    assert coupons.expire(merchant=shop, now=NOW + timedelta(days=7)) == 0
    assert coupons.expire(merchant=shop, now=NOW + timedelta(days=8)) == 1
    told = [(m.kind, m.before, m.after, m.ref) for m in stored.history(shop, one)]
    assert told == [("issue", "", "open", ""), ("void", "open", "void", "wrong member")]
    assert stored.one(shop, other).state == "expired"
    (view,) = stored.overview(shop)
    assert (view.tally.issued, view.tally.void, view.tally.expired, view.open) == (2, 1, 1, 0)
    sound(shop)


def test_moves_cannot_be_changed(shop):
    template(shop)
    give(shop, member(shop))
    for change in (lambda: CouponMove.objects.update(actor="nobody"), lambda: CouponMove.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_guessing_is_slowed_down_per_caller_and_then_for_all(shop):
    def wait(*callers):
        return stored.wait_minutes(shop, callers, NOW)

    for _ in range(9):
        coupons.note_bad_code(merchant=shop, callers=["ip:a", "token:1"], now=NOW)
    assert wait("ip:a") == 0
    coupons.note_bad_code(merchant=shop, callers=["ip:a"], now=NOW)
    assert wait("ip:a") == 15
    assert wait("ip:b") == wait("token:1") == 0
    assert stored.wait_minutes(shop, ["ip:a"], NOW + timedelta(minutes=15)) == 0
    for n in range(300):
        coupons.note_bad_code(merchant=shop, callers=[f"ip:{n}"], now=NOW)
    assert wait("ip:z") == 1
    assert stored.wait_minutes(shop, ["ip:z"], NOW + timedelta(seconds=10)) == 0
    coupons.sweep_tries(merchant=shop, now=NOW + timedelta(days=2))
    assert wait("ip:a") == 0


@pytest.mark.parametrize(
    ("invariant", "damage"),
    [
        ("C1", "UPDATE loyalty_coupon_tally SET issued = issued + 1"),
        ("C2", "UPDATE loyalty_coupon_tally SET spent_minor = spent_minor + 1"),
        ("C4", "UPDATE loyalty_coupon SET state = 'void'"),
        ("C5", "UPDATE loyalty_coupon SET state = 'held', checkout_id = 7"),
        ("C6", "UPDATE loyalty_coupon SET state = 'void' WHERE batch_id IS NOT NULL"),
    ],
)
def test_verify_finds_what_was_changed_behind_its_back(shop, invariant, damage):
    template(shop, codes="unique")
    give(shop, member(shop))
    batch = coupons.begin_batch(merchant=shop, key="ten", count=1, label="", now=NOW, actor="t")
    coupons.make_codes(batch_id=batch.pk, now=NOW)
    sound(shop)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(damage)
    assert invariant in {f.invariant for f in queries.verify(shop).findings}
