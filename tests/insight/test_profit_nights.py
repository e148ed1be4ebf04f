"""Night after night the profit report reckons anew only what changed. Whatever changed, it is what a report from nothing would be."""

import shutil
from datetime import date

import numpy as np
import pytest
from django.db import transaction

from shuke.insight import actions
from shuke.insight.actions import Statement, columns, order_sums
from shuke.insight.models import MemberProfit, MemberScore, MemberValue, ProfitReport
from shuke.insight.queries import analytics, kept_rows, profit_inputs, score_columns, value
from shuke.members.actions import Cost, book_costs
from shuke.members.models import Member
from shuke.orders.models import Order, OrderLine
from tests.insight import profits
from tests.insight.till import at, member, night

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(lan):
    return profits.shop(lan)


def told(shop) -> tuple:
    """All cells of all rows but the day a row last changed, and all figures but the moment they were made."""
    rows = list(MemberProfit.objects.order_by("member").values())
    for row in rows:
        del row["day"]
    return rows, ProfitReport.objects.filter(merchant=shop.merchant).order_by("-day").first().figures


def from_nothing(shop, day: date) -> tuple:
    """What a report makes of the shop that knows nothing of the nights before; leaves no trace."""
    home = columns.folder(shop.merchant)
    aside = home.with_name("aside")
    shutil.copytree(home, aside)
    try:
        with transaction.atomic():
            ProfitReport.objects.all().delete()
            MemberProfit.objects.all().delete()
            for left in (*home.glob("sums*"), *home.glob("*.npz")):
                left.unlink()
            actions.profit_report(merchant=shop.merchant, day=day, now=night(shop, day.isoformat()))
            found = told(shop)
            transaction.set_rollback(True)
    finally:
        shutil.rmtree(home)
        aside.rename(home)
    return found


def late_refund(shop):
    order = Order.objects.filter(member=shop.wen).earliest("paid_at")
    Order.objects.filter(pk=order.pk).update(refunded_minor=4_000, net_minor=6_000)
    OrderLine.objects.filter(order=order).update(refunded_minor=4_000)


def merged(shop):
    Order.objects.filter(member=shop.chi).update(member=shop.wen)
    Member.objects.filter(pk=shop.chi.pk).update(state="merged", merged_into=shop.wen)


def undone_import(shop):
    gone = Order.objects.filter(member=shop.bo).order_by("paid_at")[:3]
    OrderLine.objects.filter(order__in=list(gone)).delete()
    Order.objects.filter(pk__in=[one.pk for one in gone]).delete()


def edited_costs(shop):
    """What was booked stays; it is put right by a further booking."""
    said = [Cost(shop.wen.pk, "care", -200, at(shop, "2026-10-01"), "visit:1:less"), Cost(shop.bo.pk, "care", 333, at(shop, "2026-12-30"), "visit:9")]  # fmt: skip
    book_costs(merchant=shop.merchant, costs=said, now=night(shop, "2026-12-31"), actor="o")


def other_margins(shop):
    said = [Statement("category", "食品/茶", 500), Statement("product", "C", cost_minor=1_100), Statement("channel", "朋友圈", cost_minor=1)]  # fmt: skip
    actions.state_costs(merchant=shop.merchant, statements=said, now=night(shop, "2027-01-02"), actor="o")


def other_terms(shop):
    actions.set_terms(merchant=shop.merchant, now=night(shop, "2027-01-02"), actor="o", margin_permille=210, uplift_permille=150, years_tenths=40)  # fmt: skip


def newcomer(shop):
    shop.bought(member(shop, "武", "2027-01-02"), "2027-01-02", "K", 7_000)


def moved_order(shop):
    order = Order.objects.filter(member=shop.wen).latest("paid_at")
    Order.objects.filter(pk=order.pk).update(paid_at=at(shop, "2026-03-03"))


STORY = (
    ("2027-01-01", (late_refund, newcomer, edited_costs)), ("2027-01-02", (other_margins,)),
    ("2027-01-02", (merged, undone_import, moved_order)), ("2027-02-20", (other_terms,)), ("2027-11-30", ()),
)  # fmt: skip


def test_every_night_says_what_a_report_from_nothing_would_say(shop):
    for day, changes in STORY:
        for change in changes:
            change(shop)
        profits.report(shop, day)
        assert told(shop) == from_nothing(shop, date.fromisoformat(day)), day


def test_orders_month_by_month_are_those_of_the_whole_history_at_once(shop):
    merged(shop)
    profits.report(shop, "2027-01-01")
    stated = profit_inputs.stated(shop.merchant)
    margins, taken = profit_inputs.margins_of(shop.merchant, stated), (np.empty(0, np.int64), np.empty(0, np.int64))
    [first, *rest] = order_sums.purchases(shop.merchant, date(2026, 12, 15), margins, 300, taken)
    parts = {name: np.concatenate([first[name], *(part[name] for part in rest)]) for name in first}
    with analytics.opened() as engine:
        whole = order_sums.whole(engine, shop.merchant, margins, 300, taken, 20_802)
    order = np.argsort(parts["who"], kind="stable")
    assert len(rest) == 11
    assert {name: column[order].tolist() for name, column in parts.items()} == {
        name: column.tolist() for name, column in whole.items()
    }


def test_only_months_whose_lines_changed_are_added_up_anew_and_only_rows_that_differ_are_written(shop):
    home = columns.folder(shop.merchant)
    before = {path.name: path.stat().st_ino for path in home.glob("sums-*.parquet")}
    late_refund(shop)
    profits.report(shop, "2027-01-01")
    changed = {path.name for path in home.glob("sums-*.parquet") if before.get(path.name) != path.stat().st_ino}
    assert changed == {"sums-2026-01.parquet"}
    assert len(before) == 12
    assert {one.member.name: one.day.isoformat() for one in MemberProfit.objects.all()} == {
        "文": "2027-01-01", "波": "2026-12-31", "池": "2026-12-31", "丹": "2026-12-31",
    }  # fmt: skip


def test_copies_say_what_the_tables_say_and_are_not_believed_when_a_row_is_gone(shop):
    merchant = shop.merchant
    for copied, read, rows in (
        (score_columns.copied, score_columns.read, MemberScore),
        (value.copied, value.read, MemberValue),
    ):
        copy, table = copied(merchant), read(merchant, 0, 1 << 62)
        assert (copy is None) == (rows is MemberValue)  # of four members nothing is foretold
        if copy is not None:
            assert {name: column.tolist() for name, column in copy.items()} == {
                name: column.tolist() for name, column in table.items()
            }
    MemberScore.objects.filter(member=shop.dan).delete()
    assert score_columns.copied(merchant) is None
    profits.report(shop)
    assert MemberScore.objects.count() == 4


def test_a_copy_of_another_night_or_cut_off_is_not_taken(shop):
    merchant, path = shop.merchant, kept_rows.path(shop.merchant, score_columns.TABLE)
    assert kept_rows.kept(merchant, score_columns.TABLE, "another") is None
    path.write_bytes(path.read_bytes()[:200])
    assert score_columns.copied(merchant) is None
    assert score_columns.scores(merchant)["member"].size == 4
    actions.forget(merchant=merchant, members=[shop.wen.pk])
    assert not path.exists()
