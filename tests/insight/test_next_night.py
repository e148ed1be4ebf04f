"""A night that takes over what did not change leaves what a night leaves that makes everything anew, cell by cell."""

from datetime import date

import numpy as np
import pytest

from shuke.insight import actions
from shuke.insight.actions import Mark
from shuke.insight.models import GoodsReport
from shuke.insight.queries import goods_model, goods_sales, month_sales, profile_traits
from shuke.insight.queries.goods_sales import LEVELS
from shuke.members.models import AttributeKind, Member, MemberState
from shuke.orders.models import Order, OrderLine, Product
from tests.insight.shelves import stock
from tests.insight.test_profiles import cells
from tests.insight.till import night

pytestmark = pytest.mark.django_db
DAY = date(2026, 7, 2)


def the_night(shop):
    """All that the jobs of goods and profiles leave, as plain values."""
    merchant, now = shop.merchant, night(shop, DAY.isoformat())
    actions.snapshot(merchant=merchant, day=DAY, now=now)
    actions.goods_report(merchant=merchant, day=DAY, now=now)
    actions.profile_columns(merchant=merchant, day=DAY, now=now)
    reports = [report.figures for report in GoodsReport.objects.filter(day=DAY).order_by("level")]
    models = {}
    for level in LEVELS:
        with np.load(goods_model.path(merchant, level)) as file:
            models[level] = {name: str(file[name].tolist()) for name in file.files}
    with np.load(profile_traits.path(merchant)) as file:
        answers = {name: file[name].tobytes() for name in file.files if name.startswith("told_")}
    return reports, models, cells(profile_traits.kept(merchant)), answers


def months(shop, level="kind"):
    """When the sales of each month were made."""
    files = goods_sales.files_of(shop.merchant)["lines"]
    return {path.stem: month_sales.path(path, level).stat().st_mtime_ns for path in files}


def bought_since(shop):
    shop.bought(shop.people[2], "2026-07-01", "T", "C")
    shop.bought(None, "2026-07-02", "B")


def given_back_late(shop):
    old = Order.objects.filter(member=shop.people[0]).order_by("paid_at")[1]
    Order.objects.filter(pk=old.pk).update(net_minor=0, refunded_minor=1_000)
    OrderLine.objects.filter(order=old).update(refunded_minor=1_000)


def merged(shop):
    gone, into = shop.people[3], shop.people[8]
    Order.objects.filter(member=gone).update(member=into)
    Member.objects.filter(pk=gone.pk).update(state=MemberState.MERGED, merged_into=into)


def told_otherwise(shop):
    AttributeKind.objects.create(
        merchant=shop.merchant, key="skin", label_zh="肤质", label_en="Skin", type="choice", options=["油", "干"]
    )
    for n, one in enumerate(shop.people[:11]):
        Member.objects.filter(pk=one.pk).update(
            birth_year=1990 + n,
            gender="fm"[n % 2],
            city=" 杭州 " if n % 2 else "宁波",
            attributes={"skin": "油干"[n % 3 == 0]},
        )


def undone(shop):
    import_ = Order.objects.filter(member=shop.people[1]).order_by("paid_at")
    OrderLine.objects.filter(order=import_[0]).delete()
    Order.objects.filter(pk=import_[0].pk).delete()
    Order.objects.filter(pk=import_[2].pk).update(excluded="brushing")


def goods_said_otherwise(shop):
    Product.objects.filter(pk=shop.goods["B"].pk).update(category="器皿")
    marks = [Mark("T", need="提神"), Mark("C", durable="yes", out_of_stock=True)]
    actions.mark_goods(merchant=shop.merchant, marks=marks, now=night(shop, DAY.isoformat()), actor="lan")


def forgotten(shop):
    Order.objects.filter(member=shop.people[5]).update(member=None)
    Member.objects.filter(pk=shop.people[5].pk).update(state=MemberState.FORGOTTEN)
    actions.forget(merchant=shop.merchant, members=[shop.people[5].pk])


ORDERS = (bought_since, given_back_late, undone)
PEOPLE = (merged, told_otherwise, forgotten)


def test_what_is_taken_over_and_what_is_made_anew_are_one(lan, settings, tmp_path):
    shop, own = stock(lan), settings.SHUKE_HOME
    former = the_night(shop)
    kept = months(shop)
    for number, changes in enumerate((ORDERS, PEOPLE, (goods_said_otherwise,))):
        for change in changes:
            change(shop)
        found = the_night(shop)
        settings.SHUKE_HOME = tmp_path / str(number)
        assert found == the_night(shop), changes
        settings.SHUKE_HOME = own
        assert found != former, f"{changes} change nothing"
        former, before, kept = found, kept, months(shop)
        anew = {month for month, made in kept.items() if before.get(month) != made}
        if changes is ORDERS:
            assert anew == {"line-2026-01", "line-2026-02", "line-2026-03", "line-2026-07"}
        else:
            assert anew == (set() if changes is PEOPLE else set(kept))  # whose orders they are is in no such file


def test_a_month_that_was_cut_off_or_belongs_to_other_lines_is_made_anew(lan):
    shop = stock(lan)
    whole = the_night(shop)
    lines = goods_sales.files_of(shop.merchant)["lines"]
    month_sales.path(lines[0], "product").write_bytes(b"cut off")
    month_sales.path(lines[1], "product").write_bytes(month_sales.path(lines[2], "product").read_bytes())
    left = month_sales.path(lines[0].with_name("line-1999-01.parquet"), "product")
    left.write_bytes(b"")
    assert the_night(shop) == whole
    assert not left.exists()
