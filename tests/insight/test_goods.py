"""Goods through the room: the report of a night, one member's next things, what sellers mark, and the members behind a figure."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from shuke.flows import timetable
from shuke.insight import actions
from shuke.insight.actions import Mark
from shuke.insight.models import GoodsReport
from shuke.insight.queries import goods, goods_model, goods_sales
from shuke.kit import jobs
from shuke.kit.models import AuditLine
from shuke.members.models import MemberState
from tests.insight.shelves import DAY, stock
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelves(lan):
    return stock(lan)


def made(shop, **more):
    actions.goods_report(merchant=shop.merchant, day=DAY, now=night(shop, "2026-06-30"), **more)
    return goods.report(shop.merchant)


def test_a_night_keeps_a_report_for_products_and_kinds(shelves):
    told = made(shelves)
    assert goods.levels(shelves.merchant) == ["product", "kind"]
    assert (told["level"], told["covered"], told["as_of"]) == ("product", 1.0, "2026-06-30")
    hot = told["groups"][0]["hot"]
    assert [(row["item_name"], row["buyers"]) for row in hot] == [("茶", 12), ("杯", 0)][:1]
    kinds = goods.report(shelves.merchant, "kind")
    assert [row["item"] for row in kinds["groups"][0]["hot"]] == ["食品/茶"]
    assert told["check"]["earned"] == "bestsellers"  # twelve members prove nothing


def baskets(sold):
    found = {}
    for order, *row in zip(*(column.tolist() for column in sold[:6]), strict=True):
        found.setdefault(order, []).append(row)
    return sorted(found.values())


@pytest.mark.parametrize("level", goods_sales.LEVELS)
def test_files_read_here_say_what_the_analysis_says_on_a_cluster(shelves, monkeypatch, level):
    type(shelves.people[3]).objects.filter(pk=shelves.people[3].pk).update(state=MemberState.MERGED)
    shelf = goods_sales.shelf(shelves.merchant)
    for day in (DAY, date(2026, 5, 31)):
        here, share = goods_sales.sold(shelves.merchant, shelf, level, day)
        with monkeypatch.context() as cluster:
            cluster.setattr(goods_sales.analytics, "on_cluster", lambda: True)
            there, its_share = goods_sales.sold(shelves.merchant, shelf, level, day)
        assert here.day.size
        assert share == its_share
        assert baskets(here) == baskets(there)  # orders are numbered as they are read, month by month or all at once
        assert all(np.array_equal(one, other) for one, other in zip(here[6:], there[6:], strict=True))


def test_a_second_night_of_the_month_takes_the_place_of_the_first(shelves):
    made(shelves)
    actions.goods_report(merchant=shelves.merchant, day=DAY, now=night(shelves, "2026-06-30"))
    assert GoodsReport.objects.filter(merchant=shelves.merchant).count() == 2


def test_a_member_is_told_what_is_due_and_what_is_new(shelves):
    made(shelves)
    told = goods.for_member(shelves.merchant, shelves.people[8], "product", now=night(shelves, "2026-06-30"))
    tea = told.again[0]
    assert (tea.name, tea.times, tea.last, tea.own) == ("茶", 8, date(2026, 6, 9), True)
    assert tea.due == date(2026, 6, 29)
    assert tea.state == "due"
    assert [(one.name, one.why) for one in told.new] == [("杯", "bestseller")]


def test_an_order_of_this_morning_counts_at_once(shelves):
    made(shelves)
    shelves.bought(shelves.people[8], "2026-07-01", "T")
    told = goods.for_member(shelves.merchant, shelves.people[8], "product", now=night(shelves, "2026-07-01"))
    assert (told.again[0].last, told.again[0].state) == (date(2026, 7, 1), "not_yet")


def test_what_cannot_be_had_and_a_durable_just_bought_are_hidden(shelves):
    now = night(shelves, "2026-06-30")
    actions.mark_goods(merchant=shelves.merchant, marks=[Mark("C", out_of_stock=True)], now=now, actor="lan")
    made(shelves)
    told = goods.for_member(shelves.merchant, shelves.people[8], "product", now=now)
    assert (told.new, told.hidden) == ([], 1)
    actions.mark_goods(merchant=shelves.merchant, marks=[Mark("C", out_of_stock=False)], now=now, actor="lan")
    actions.mark_goods(merchant=shelves.merchant, marks=[Mark("T", durable="yes")], now=now, actor="lan")
    made(shelves)
    told = goods.for_member(shelves.merchant, shelves.people[8], "product", now=now)
    assert [one.name for one in told.again] == []
    assert [one.name for one in told.new] == ["杯"]
    assert AuditLine.objects.filter(verb="goods.marked").count() == 3


def test_a_need_a_seller_writes_stands_before_the_category(shelves):
    now = night(shelves, "2026-06-30")
    actions.mark_goods(merchant=shelves.merchant, marks=[Mark("T", need="提神")], now=now, actor="lan")
    made(shelves)
    assert goods.report(shelves.merchant, "kind")["groups"][0]["hot"][0]["item"] == "提神"


def test_an_unknown_code_changes_nothing(shelves):
    with pytest.raises(actions.UnknownGoods, match="X9"):
        actions.mark_goods(
            merchant=shelves.merchant, marks=[Mark("T", need="提神"), Mark("X9")], now=night(shelves, "2026-06-30"), actor="lan"
        )  # fmt: skip
    assert not AuditLine.objects.filter(verb="goods.marked").exists()


def test_every_figure_opens_to_as_many_members_as_it_says(shelves):
    told = made(shelves)
    tea, cup = (str(shelves.goods[code].pk) for code in "TC")
    behind = {
        figure: {one.member for one in goods.members_behind_goods(shelves.merchant, figure, "product", tea)}
        for figure in ("bought", "stopped", "due", "overdue", "began", "satisfied")
    }
    everybody = {one.pk for one in shelves.people}
    again = told["again"]["items"][0]
    assert behind["bought"] == behind["satisfied"] == everybody
    assert behind["stopped"] == behind["began"] == set()
    assert (len(behind["due"]), len(behind["overdue"])) == (again["due"], again["overdue"]) == (12, 0)
    both = goods.members_behind_goods(shelves.merchant, "together", "product", tea, cup)
    assert {one.member for one in both} == {one.pk for one in shelves.people[:6]}
    stopped = goods.members_behind_goods(shelves.merchant, "stopped", "product", cup)
    assert {(one.member, one.day) for one in stopped} == {(one.pk, date(2026, 3, 21)) for one in shelves.people[:6]}


def test_what_is_not_known_is_refused_by_name(shelves):
    made(shelves)
    for figure, key in (("liked", "1"), ("bought", "x"), ("together", str(shelves.goods["T"].pk))):
        with pytest.raises(goods.NoSuchGoods):
            goods.members_behind_goods(shelves.merchant, figure, "product", key)


def test_who_left_is_a_guest(shelves):
    type(shelves.people[3]).objects.filter(pk=shelves.people[3].pk).update(state=MemberState.FORGOTTEN)
    told = made(shelves)
    assert told["groups"][0]["hot"][0]["buyers"] == 11


def test_without_the_file_there_is_nothing_to_say_and_no_error(shelves):
    made(shelves)
    goods_model.path(shelves.merchant, "product").write_bytes(b"cut off")
    assert goods.for_member(shelves.merchant, shelves.people[0], "product", now=night(shelves, "2026-06-30")) is None


def test_a_shop_without_goods_has_an_empty_report(lan):
    sell(lan, member(lan, "梅"), "2026-06-01")
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    told = made(lan)
    assert (told["items"], told["groups"][0]["hot"], told["ladder"]) == (0, [], [])


def test_the_worker_reports_goods_after_the_night_and_once(shelves, mingde):
    now = night(shelves, "2026-06-30")
    assert goods.unreported(shelves.merchant, now)
    assert not goods.unreported(mingde.merchant, now)  # no night yet: nothing to report
    timetable.install()
    jobs.handlers()["goods"](SimpleNamespace(merchant_id=shelves.merchant.pk))
    assert GoodsReport.objects.filter(merchant=shelves.merchant, day=DAY).exists()
    assert not goods.unreported(shelves.merchant, now)
