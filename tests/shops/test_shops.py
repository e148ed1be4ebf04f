"""The seller's own tables."""

import pytest

from shuke.kit.models import AuditLine
from shuke.shops import actions, queries
from shuke.shops.models import Role, Store
from tests import cast


def test_stores_are_made_once_and_keep_their_first_name(lan):
    asked = [("pos", "XH", "another name"), ("jd", "兰记", "兰记京东店")]
    once = actions.ensure_stores(merchant=lan.merchant, stores=asked)
    again = actions.ensure_stores(merchant=lan.merchant, stores=asked)
    assert once == again
    assert {key: store.name for key, store in again.items()} == {("pos", "XH"): "徐汇店", ("jd", "兰记"): "兰记京东店"}


def test_a_store_of_the_same_code_belongs_to_each_merchant_apart(lan, mingde):
    assert queries.stores_by_code(lan.merchant)["pos", "XH"].name == "徐汇店"
    assert queries.stores_by_code(mingde.merchant)["pos", "XH"].name == "徐家汇店"
    assert Store.objects.count() == 6


def test_the_only_merchant_need_not_be_named(lan):
    assert queries.sole_merchant() == lan.merchant
    actions.create_merchant(name="二号", now=cast.OPENED)
    with pytest.raises(queries.SeveralMerchants, match="二号"):
        queries.sole_merchant()
    assert queries.merchant_by_name("二号").name == "二号"
    with pytest.raises(queries.NoMerchant, match="Lan's Shop"):
        queries.merchant_by_name("三号")


def test_an_empty_installation_says_what_to_run(db):
    with pytest.raises(queries.NoMerchant, match="shuke init"):
        queries.sole_merchant()


def test_the_demo_clock_stands_apart_from_the_real_one(lan):
    actions.set_clock_shift(merchant=lan.merchant, seconds=-86_400)
    shifted = queries.now(lan.merchant)
    lan.merchant.clock_shift = 0
    assert (queries.now(lan.merchant) - shifted).total_seconds() == pytest.approx(86_400, abs=5)


def test_a_weak_password_or_a_taken_name_is_refused_and_nothing_written(lan):
    lines = AuditLine.objects.count()
    with pytest.raises(actions.WeakPassword):
        actions.create_staff(merchant=lan.merchant, username="x", password="short", role=Role.OWNER, now=cast.NOON)
    with pytest.raises(actions.UsernameTaken, match=r"lan\.owner"):
        actions.create_staff(
            merchant=lan.merchant, username="lan.owner", password=cast.PASSWORD, role=Role.OWNER, now=cast.NOON
        )
    assert queries.staff_by_username(lan.merchant, "x") is None
    assert AuditLine.objects.count() == lines


def test_an_unknown_zone_is_refused(db):
    with pytest.raises(actions.UnknownZone, match="Asia/Shanghai"):
        actions.create_merchant(name="x", zone="Shanghai", now=cast.NOON)


def test_roles_may_what_their_work_needs(lan):
    assert [p.role for p in lan[4:] if queries.may(p, "charter")] == [Role.OWNER]
    assert [p.role for p in lan[4:] if queries.may(p, "reveal")] == [Role.OWNER, Role.MANAGER, Role.SPECIALIST]
    assert [p.role for p in lan[4:] if queries.may(p, "audit")] == [Role.OWNER, Role.AUDITOR]
    lan.owner.is_active = False
    assert not queries.may(lan.owner, "charter")
