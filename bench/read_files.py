"""How fast files are read: GBK CSV and XLSX recognised and turned into orders, the raw parse of the same file beside.

    .venv/bin/python bench/read_files.py [--rows 1000000] [--xlsx-rows 200000] [--keep FOLDER]

Made-up rows with a fixed seed. Each figure is the median of three runs, raw and ours in turn, so that a busy machine
slows both. The ratio is what matters between machines; the rates are this machine's. The wanted rates (60,000 CSV and
25,000 XLSX rows a second) are held against processor time.
"""

from __future__ import annotations

import argparse
import csv
import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import xlsxwriter
from python_calamine import CalamineWorkbook

from shuke.connect import importers
from shuke.engine.facts import Order

SHORT = (
    "订单编号 买家会员名 买家下单时间 买家付款时间 买家实付金额 订单状态 收货人姓名 联系手机 收货地址 宝贝标题".split()
)
LONG = (
    "订单编号 买家会员名 买家支付宝账号 买家应付货款 买家应付邮费 买家支付积分 总金额 返点积分 买家实际支付金额 买家实际支付积分 订单状态 买家留言 "
    "收货人姓名 收货地址 运送方式 联系电话 联系手机 订单创建时间 订单付款时间 宝贝标题 宝贝种类 物流单号 物流公司 订单备注 宝贝总数量 店铺Id 店铺名称 "
    "订单关闭原因 卖家服务费 买家服务费 发票抬头 是否手机订单 分阶段订单信息 特权订金订单id 定金排名 修改后的sku 修改后的收货地址 异常信息 天猫卡券抵扣 "
    "集分宝抵扣 是否是O2O交易"
).split()
TITLES = ["燕麦洁面乳 温和 100ml", "婴儿连体衣，纯棉 秋冬款", "保湿面霜 50g", "控油面膜，10片装", "儿童雨鞋 防滑"]
PLACES = [
    "浙江省 杭州市 西湖区 文新街道",
    "上海 上海市 徐汇区 漕河泾街道",
    "广东省 广州市 天河区 石牌街道",
    "四川省 成都市 武侯区 玉林街道",
]


class Taken(NamedTuple):
    """Seconds on the wall and of this process's processor time: on a busy machine only the second means much."""

    wall: float
    cpu: float


class Figure(NamedTuple):
    what: str
    rows: int
    raw: Taken
    ours: Taken

    def line(self) -> str:
        rates = (self.rows / seconds for seconds in (self.raw.wall, self.ours.wall, self.raw.cpu, self.ours.cpu))
        return (
            f"{self.what:<46}{self.rows:>10,}"
            + "".join(f"{rate:>12,.0f}" for rate in rates)
            + f"{self.raw.cpu / self.ours.cpu:>8.2f}×"
        )


def cells(count: int, *, long: bool) -> Iterator[list[str]]:
    dice = random.Random(7)
    for serial in range(count):
        second = serial * 29 % 86_400
        day = f"{2016 + serial // 400_000}-{1 + serial // 34_000 % 12:02d}-{1 + serial // 1_200 % 28:02d}"
        created = f"{day} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        paid_second = (second + 60) % 86_400
        paid = f"{day} {paid_second // 3600:02d}:{paid_second // 60 % 60:02d}:{paid_second % 60:02d}"
        amount = f"{dice.randrange(990, 99_900) / 100:.2f}"
        number, nick = f"{160_000_000_000_000_000 + serial * 977}", f"买家{dice.randrange(300_000)}号"
        place = f"{dice.choice(PLACES)} 第{dice.randrange(900)}弄{dice.randrange(60)}号(310000)"
        phone, title = f"13{dice.randrange(10**9):09d}", dice.choice(TITLES)
        if long:
            yield [
                f'="{number}"', nick, "", amount, "0.00", "0", amount, "0", amount, "0", "交易成功", "null", "林小满", place, "快递",
                "", f"'{phone}", created, paid, title, "1", f"No:{serial}", "圆通", "'", "1", "0", "小满铺", "订单未关闭", "0元", "0元",
                "", "手机订单", "", "", "", "", "", "", "0", "0", "",
            ]  # fmt: skip
        else:
            yield [number, nick, created, paid, amount, "交易成功", "林小满", phone, place, title]


def write_csv(path: Path, count: int, *, long: bool) -> Path:
    with open(path, "w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(LONG if long else SHORT)
        writer.writerows(cells(count, long=long))
    return path


def write_xlsx(path: Path, count: int) -> Path:
    with xlsxwriter.Workbook(str(path), {"constant_memory": False}) as book:
        sheet = book.add_worksheet()
        for place, title in enumerate(SHORT):
            sheet.write_string(0, place, title)
        for number, row in enumerate(cells(count, long=False), 1):
            for place, cell in enumerate(row):
                if place == 4:
                    sheet.write_number(number, place, float(cell))
                else:
                    sheet.write_string(number, place, cell)
    return path


def raw_csv(path: Path) -> int:
    with open(path, encoding="gb18030", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def raw_xlsx(path: Path) -> int:
    return sum(1 for _ in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).iter_rows()) - 1


def ours(path: Path) -> int:
    assert importers.recognise_file(path).layout == "taobao.orders"
    options = importers.Options(limits=importers.Limits(unpacked=2_000_000_000))
    return sum(1 for fact in importers.read(path, options=options) if isinstance(fact, Order))


def timed(work: Callable[[Path], int], path: Path, expected: int) -> Taken:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    found = work(path)
    taken = Taken(time.perf_counter() - wall, time.process_time() - cpu)
    assert found == expected, f"{work.__name__} found {found} rows in {path.name}, not {expected}"
    return taken


def measure(what: str, path: Path, count: int, raw: Callable[[Path], int], rounds: int) -> Figure:
    pairs = [(timed(raw, path, count), timed(ours, path, count)) for _ in range(rounds)]
    raw_taken, our_taken = zip(*pairs, strict=True)
    return Figure(what, count, median(raw_taken), median(our_taken))


def median(taken: Sequence[Taken]) -> Taken:
    return Taken(statistics.median(one.wall for one in taken), statistics.median(one.cpu for one in taken))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--xlsx-rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="make the files here and leave them")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        figures = []
        print(
            f"{'rows a second, on the wall and of processor time':<56}{'raw':>12}{'ours':>12}{'raw cpu':>12}{'ours cpu':>12}{'ratio':>9}"
        )
        for what, name, make, count, raw in (
            ("GBK CSV, 10 columns (raw: csv module)", "short.csv", lambda p, n: write_csv(p, n, long=False), asked.rows, raw_csv),
            ("GBK CSV, 41 columns (raw: csv module)", "long.csv", lambda p, n: write_csv(p, n, long=True), asked.rows, raw_csv),
            ("XLSX, 10 columns (raw: calamine, loads it all)", "short.xlsx", write_xlsx, asked.xlsx_rows, raw_xlsx),
        ):  # fmt: skip
            path = folder / name
            if not path.exists():
                make(path, count)
            figure = measure(what, path, count, raw, asked.rounds)
            figures.append(figure)
            print(figure.line(), flush=True)
    wanted = (60_000, 0, 25_000)
    missed = [f.what for f, least in zip(figures, wanted, strict=True) if f.rows / f.ours.cpu < least]
    for what in missed:
        print(f"below the figure wanted: {what}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
