from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest

from shuke.engine.facts import OrderStatus
from shuke.engine.insight import kpi
from shuke.insight.actions import columns
from shuke.orders.models import Order
from tests.engine.insight.worked import table
from tests.insight.till import member, sell

pytestmark = pytest.mark.django_db


def read(merchant, table: str, listed: str = "*") -> list[tuple]:
    paths = [str(path) for path in columns.files(merchant)[table]]
    if not paths:
        return []
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {listed} FROM read_parquet({paths}) ORDER BY ALL").fetchall()


def month_files(merchant) -> dict[str, int]:
    """When each file was written, in nanoseconds."""
    return {path.name: path.stat().st_mtime_ns for path in columns.folder(merchant).glob("*.parquet")}


def test_orders_leave_as_columns_with_days_of_the_shops_own_clock(lan):
    mei = member(lan, "梅")
    late = sell(lan, mei, "2026-02-28", 9_900, time="23:59", quantities=(2_000, 1_000))
    early = sell(lan, None, "2026-03-01", 5_000, time="00:01", sold_at=lan.second)
    assert columns.refresh(merchant=lan.merchant) == {"months": 2, "rewritten": 2, "orders": 2, "lines": 3}
    assert read(lan.merchant, "heads", "order_id, member, store, day, month, net, items_milli, counted") == [
        (late.pk, mei.pk, lan.street.pk, kpi.day_number(date(2026, 2, 28)), 2026 * 12 + 1, 9_900, 3_000, 1),
        (early.pk, 0, lan.second.pk, kpi.day_number(date(2026, 3, 1)), 2026 * 12 + 2, 5_000, 1_000, 1),
    ]
    assert read(lan.merchant, "lines", "order_id, product, quantity_milli, amount") == [
        (late.pk, 0, 1_000, 4_950),
        (late.pk, 0, 2_000, 4_950),
        (early.pk, 0, 1_000, 5_000),
    ]


def test_orders_that_are_no_purchase_stay_at_home(lan):
    mei = member(lan, "梅")
    sell(lan, mei, "2026-03-02", status=OrderStatus.UNPAID, paid_at=None)
    sell(lan, mei, "2026-03-02", status=OrderStatus.CLOSED_UNPAID)
    sell(lan, mei, "2026-03-02", excluded="brushing")
    sell(lan, mei, "2026-03-02", 0, refunded=10_000, status=OrderStatus.CLOSED_REFUNDED)
    columns.refresh(merchant=lan.merchant)
    assert read(lan.merchant, "heads", "net, refunded, counted") == [(0, 10_000, 0)]


def test_columns_are_complete_from_a_night_on_until_a_file_is_gone_or_the_shop_moves(lan):
    sell(lan, member(lan, "梅"), "2026-03-02")
    assert not columns.complete(lan.merchant)
    columns.refresh(merchant=lan.merchant)
    assert columns.complete(lan.merchant)
    lan.merchant.zone = "Europe/Berlin"
    assert not columns.complete(lan.merchant)
    lan.merchant.zone = "Asia/Shanghai"
    columns.files(lan.merchant)["lines"][0].unlink()
    assert not columns.complete(lan.merchant)


def test_only_months_that_changed_are_written_again(lan):
    mei, hong = member(lan, "梅"), member(lan, "红")
    orders = [sell(lan, mei, f"2026-0{month}-10") for month in (1, 2, 3)]
    columns.refresh(merchant=lan.merchant)
    before = month_files(lan.merchant)
    assert columns.refresh(merchant=lan.merchant)["rewritten"] == 0

    Order.objects.filter(pk=orders[1].pk).update(refunded_minor=4_000, net_minor=6_000)
    assert columns.refresh(merchant=lan.merchant)["rewritten"] == 1
    after = month_files(lan.merchant)
    assert {name for name in after if after[name] != before[name]} == {"head-2026-02.parquet", "line-2026-02.parquet"}

    Order.objects.filter(pk=orders[0].pk).update(member=hong)  # a merge moves orders to another member
    assert columns.refresh(merchant=lan.merchant)["rewritten"] == 1
    assert read(lan.merchant, "heads", "member, net") == sorted([(hong.pk, 10_000), (mei.pk, 6_000), (mei.pk, 10_000)])


def whole_anew(merchant) -> list[list[tuple]]:
    """What the files say when nothing is known before."""
    for path in columns.folder(merchant).iterdir():
        path.unlink()
    columns.refresh(merchant=merchant)
    return [read(merchant, table) for table in ("heads", "lines")]


def test_within_a_month_only_orders_that_changed_are_read_again(lan):
    mei, hong = member(lan, "梅"), member(lan, "红")
    orders = [sell(lan, mei, f"2026-03-{day:02}", quantities=(2_000, 1_000)) for day in (1, 1, 2, 3, 4, 5)]
    columns.refresh(merchant=lan.merchant)
    quiet, refunded, merged, moved, undone, _other = orders
    Order.objects.filter(pk=refunded.pk).update(refunded_minor=4_000, net_minor=6_000)
    refunded.orderline_set.update(refunded_minor=2_000)
    Order.objects.filter(pk=merged.pk).update(member=hong)
    Order.objects.filter(pk=moved.pk).update(paid_at=moved.paid_at + timedelta(days=6))
    undone.delete()
    sell(lan, hong, "2026-03-20", quantities=(3_000,))
    # The merged one changes its head alone; the moved one too. Its neighbour of the same day is not read.
    assert columns.refresh(merchant=lan.merchant) == {"months": 1, "rewritten": 1, "orders": 4, "lines": 3}
    told = [read(lan.merchant, table) for table in ("heads", "lines")]
    assert quiet.pk in {row[0] for row in told[0]}
    assert told == whole_anew(lan.merchant)


def test_an_order_paid_in_another_month_than_told_before_moves_with_its_lines(lan):
    mei = member(lan, "梅")
    orders = [sell(lan, mei, day, quantities=(2_000, 1_000)) for day in ("2026-02-28", "2026-03-05", "2026-05-05")]
    columns.refresh(merchant=lan.merchant)
    Order.objects.filter(pk=orders[0].pk).update(paid_at=orders[1].paid_at)
    Order.objects.filter(pk=orders[2].pk).update(paid_at=orders[0].paid_at - timedelta(days=60))
    told = columns.refresh(merchant=lan.merchant)
    assert (told["months"], told["orders"], told["lines"]) == (2, 2, 4)
    told_now = [read(lan.merchant, table) for table in ("heads", "lines")]
    assert told_now == whole_anew(lan.merchant)


def test_a_merge_that_touches_years_reads_its_orders_once_and_no_line(lan):
    mei, hong = member(lan, "梅"), member(lan, "红")
    mine = [sell(lan, mei, f"2026-{month:02}-10") for month in (1, 2, 4)]
    for month in (1, 3, 4):
        sell(lan, hong, f"2026-{month:02}-10", 7_000)
    columns.refresh(merchant=lan.merchant)
    for back in (hong, mei):  # merged, and parted again
        Order.objects.filter(pk__in=[one.pk for one in mine]).update(member=back)
        assert columns.refresh(merchant=lan.merchant) == {"months": 4, "rewritten": 3, "orders": 3, "lines": 0}
    told = [read(lan.merchant, table) for table in ("heads", "lines")]
    assert told == whole_anew(lan.merchant)


def test_files_newer_than_the_manifest_are_found_to_be_right(lan, monkeypatch):
    """Killed after the last file and before the manifest."""
    order = sell(lan, member(lan, "梅"), "2026-03-01")
    columns.refresh(merchant=lan.merchant)
    Order.objects.filter(pk=order.pk).update(net_minor=6_000, refunded_minor=4_000)
    with monkeypatch.context() as patched:
        patched.setattr(columns, "_keep_manifest", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            columns.refresh(merchant=lan.merchant)
    assert columns.refresh(merchant=lan.merchant) == {"months": 1, "rewritten": 0, "orders": 0, "lines": 0}
    assert read(lan.merchant, "heads", "net") == [(6_000,)]
    assert columns.orders(lan.merchant) == 1


def test_lines_that_changed_under_the_same_sums_are_noticed(lan):
    order = sell(lan, member(lan, "梅"), "2026-03-01", quantities=(2_000, 1_000))
    columns.refresh(merchant=lan.merchant)
    Order.objects.filter(pk=order.pk).update(lines_digest=b"other lines say!")
    order.orderline_set.filter(position=1).update(quantity_milli=4_000)
    columns.refresh(merchant=lan.merchant)
    assert read(lan.merchant, "heads", "items_milli") != [(3_000,)]


@pytest.mark.parametrize(
    "digests", [(b"short", None), (b"short", b"other"), (b"one of 16 bytes.", b"one of 16 bytes!")]
)
def test_any_other_digest_of_lines_is_noticed(lan, digests):
    order, _other = (sell(lan, member(lan, name), "2026-03-01") for name in "梅红")
    for digest in digests:
        columns.refresh(merchant=lan.merchant)
        Order.objects.filter(pk=order.pk).update(lines_digest=digest)
        assert columns.refresh(merchant=lan.merchant) == {"months": 1, "rewritten": 1, "orders": 1, "lines": 1}


def test_a_merge_leaves_the_file_of_lines_alone(lan):
    order = sell(lan, member(lan, "梅"), "2026-03-01")
    columns.refresh(merchant=lan.merchant)
    before = month_files(lan.merchant)
    Order.objects.filter(pk=order.pk).update(member=member(lan, "红"))
    columns.refresh(merchant=lan.merchant)
    assert {name for name, at in month_files(lan.merchant).items() if before[name] != at} == {"head-2026-03.parquet"}


def test_two_orders_that_swap_their_buyers_are_noticed(lan):
    mei, hong = member(lan, "梅"), member(lan, "红")
    one, other = sell(lan, mei, "2026-03-01"), sell(lan, hong, "2026-03-01")
    columns.refresh(merchant=lan.merchant)
    Order.objects.filter(pk=one.pk).update(member=hong)
    Order.objects.filter(pk=other.pk).update(member=mei)
    assert columns.refresh(merchant=lan.merchant)["rewritten"] == 1


def test_a_month_whose_orders_were_undone_disappears(lan):
    mei = member(lan, "梅")
    sell(lan, mei, "2026-01-10")
    gone = sell(lan, mei, "2026-02-10")
    columns.refresh(merchant=lan.merchant)
    gone.delete()
    columns.refresh(merchant=lan.merchant)
    assert sorted(month_files(lan.merchant)) == ["head-2026-01.parquet", "line-2026-01.parquet"]


def test_files_that_were_deleted_by_hand_come_back_with_the_manifest(lan):
    sell(lan, member(lan, "梅"), "2026-01-10")
    columns.refresh(merchant=lan.merchant)
    for path in columns.folder(lan.merchant).iterdir():
        path.unlink()
    assert columns.refresh(merchant=lan.merchant)["orders"] == 1
    assert len(read(lan.merchant, "heads")) == 1


def test_a_deleted_month_file_is_written_again(lan):
    sell(lan, member(lan, "梅"), "2026-01-10")
    columns.refresh(merchant=lan.merchant)
    (columns.folder(lan.merchant) / "head-2026-01.parquet").unlink()
    columns.refresh(merchant=lan.merchant)
    assert len(read(lan.merchant, "heads")) == 1


def test_a_write_that_was_killed_is_done_again(lan, monkeypatch):
    mei = member(lan, "梅")
    sell(lan, mei, "2026-01-10")
    sell(lan, mei, "2026-02-10")
    write = columns._write_whole
    with monkeypatch.context() as patched:
        patched.setattr(
            columns,
            "_write_whole",
            lambda *args: (_ for _ in ()).throw(KeyboardInterrupt) if args[4] == "2026-02" else write(*args),
        )
        with pytest.raises(KeyboardInterrupt):
            columns.refresh(merchant=lan.merchant)
    assert columns.refresh(merchant=lan.merchant) == {"months": 2, "rewritten": 1, "orders": 1, "lines": 1}


def test_weighed_and_measured_goods_count_as_one_piece_a_line(lan):
    sell(lan, member(lan, "梅"), "2026-01-10", quantities=(2_000, 750, 1_250, 17_000_000, 0))
    columns.refresh(merchant=lan.merchant)
    assert read(lan.merchant, "heads", "items_milli") == [(2_000 + 1_000 + 1_000 + 1_000 + 0,)]


@pytest.mark.parametrize("line", table("loyalty_types", "own discounts"), ids=lambda line: " ".join(line.values()))
def test_what_was_taken_off_the_whole_order_is_shared_by_its_lines(lan, line):
    def figures(name: str) -> list[int]:
        return [int(text.replace(",", "")) for text in line[name].split()]

    order = sell(lan, member(lan, "梅"), "2026-03-01", quantities=(1_000, 1_000))
    [stated], [paid] = figures("order states"), figures("paid")
    Order.objects.filter(pk=order.pk).update(discount_minor=stated, paid_minor=paid, lines_minor=10_000)
    for position, minor in enumerate(figures("own discounts")):
        order.orderline_set.filter(position=position).update(discount_minor=minor)
    columns.refresh(merchant=lan.merchant)
    told = sorted((row[0] for row in read(lan.merchant, "lines", "discount")), reverse=True)
    assert told == figures("lines' discounts")


def test_a_discount_told_later_is_noticed(lan):
    order = sell(lan, member(lan, "梅"), "2026-03-01")
    Order.objects.filter(pk=order.pk).update(lines_minor=10_000)
    columns.refresh(merchant=lan.merchant)
    Order.objects.filter(pk=order.pk).update(discount_minor=800, paid_minor=9_200)
    columns.refresh(merchant=lan.merchant)
    assert read(lan.merchant, "lines", "discount") == [(800,)]


def test_nothing_of_another_merchant_is_written(lan, mingde):
    sell(lan, member(lan, "梅"), "2026-01-10")
    sell(mingde, member(mingde, "明"), "2026-01-10", 77_700)
    columns.refresh(merchant=lan.merchant)
    assert read(lan.merchant, "heads", "net") == [(10_000,)]
    assert columns.files(mingde.merchant) == {"heads": [], "lines": []}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC"])
def test_days_are_the_zones_also_where_clocks_change(zone):
    there = ZoneInfo(zone)
    start = int(datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp())
    seconds = np.arange(start, start + 366 * 86_400, 1_799, dtype=np.int64)
    expected = [kpi.day_number(datetime.fromtimestamp(s, there).date()) for s in seconds.tolist()]
    assert columns.shop_days(seconds, there).tolist() == expected
