"""What refunds say of goods is read by every page: columns, goods, favourites, the member's orders. The arithmetic here is our own:
net of a line = what it cost less its pieces that came back."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from shuke.engine.facts import Line, LineBack, Order, OrderStatus, Refund
from shuke.flows.take_orders import take_orders
from shuke.insight.actions import columns
from shuke.insight.queries import portrait
from shuke.insight.queries.goods_sales import shelf, sold
from shuke.orders.models import Order as Row
from shuke.orders.models import Product
from shuke.orders.queries.purchases import purchases_of
from tests.insight.test_columns import month_files, read, whole_anew
from tests.insight.till import at, member

pytestmark = pytest.mark.django_db
GOODS = {"T": ("食品/茶", 6_000, 2), "C": ("器皿/杯", 4_000, 4), "B": ("食品/饼", 900, 3)}  # kind, amount, pieces


@pytest.fixture
def tell(lan):
    def post(*what):
        take_orders(
            merchant=lan.merchant, now=at(lan, "2026-06-01"), actor="test",
            orders=[one for one in what if isinstance(one, Order)], refunds=[one for one in what if isinstance(one, Refund)],
        )  # fmt: skip

    return post


def order(lan, number="1", day="2026-03-02", goods="TCB", **more):
    lines = tuple(
        Line(code, GOODS[code][2] * 1_000, GOODS[code][1], code, category=GOODS[code][0], sub_number=f"{number}-{code}")
        for code in goods
    )
    told = {"paid_minor": sum(one.amount_minor for one in lines), "finished_at": at(lan, day)} | more
    return Order("pos", "XH", number, OrderStatus.FINISHED, at(lan, day), at(lan, day), lines=lines, **told)


def refund(lan, number, money, *lines, of="1", day="2026-03-05", **more):
    return Refund("pos", "XH", of, number, money, at(lan, day), lines=lines, **more)


def net(lan) -> dict[str, int]:
    """By goods, of the columns as the night keeps them."""
    columns.refresh(merchant=lan.merchant)
    code = dict(Product.objects.filter(merchant=lan.merchant).values_list("pk", "code"))
    found = Counter()
    for product, amount, back in read(lan.merchant, "lines", "product, amount, refunded"):
        found[code[product]] += amount - back
    return dict(found)


@pytest.mark.parametrize(
    ("refunds", "left"),
    [
        ([("R1", 3_000, LineBack(position=1, quantity_milli=1_000))], {"T": 3_000}),
        ([("R1", 1_000, LineBack(product_code="C"))], {"C": 3_000}),
        ([("R1", 900, LineBack("1-B")), ("R2", 6_000, LineBack("1-T"))], {"B": 0, "T": 0}),
        ([("R1", 1_300, LineBack("", 2, "", 1_000, 1_000), LineBack("", 3, "", None, 300))], {"C": 3_000, "B": 600}),
        ([("R1", 3_000)], {}),  # nobody told which goods
    ],
)
def test_net_sales_of_goods_are_lines_less_what_came_back(lan, tell, refunds, left):
    tell(order(lan))
    assert net(lan) == {code: amount for code, (_, amount, _) in GOODS.items()}
    for number, money, *lines in refunds:
        tell(refund(lan, number, money, *lines))
    wanted = {code: left.get(code, amount) for code, (_, amount, _) in GOODS.items()}
    assert net(lan) == wanted
    shelves = shelf(lan.merchant)
    sales, _ = sold(lan.merchant, shelves, "product", date(2026, 4, 1))
    code = dict(Product.objects.filter(merchant=lan.merchant).values_list("pk", "code"))
    assert {code[i]: int(n) for i, n in zip(sales.items[sales.item], sales.amount, strict=True)} == wanted
    assert {code[i] for i, kept in zip(sales.items[sales.item], sales.kept, strict=True) if not kept} == {
        c for c, n in wanted.items() if not n
    }
    kept = read(lan.merchant, "lines"), read(lan.merchant, "heads")
    whole_anew(lan.merchant)
    assert (read(lan.merchant, "lines"), read(lan.merchant, "heads")) == kept


def test_other_goods_of_the_same_refund_are_noticed_by_the_next_night(lan, tell):
    tell(order(lan), order(lan, "2", "2026-04-02"))
    tell(refund(lan, "R1", 900))
    assert net(lan)["B"] == 1_800
    before = month_files(lan.merchant)
    tell(refund(lan, "R1", 900, LineBack(product_code="B")))  # the report comes again, with the goods
    assert net(lan)["B"] == 900
    assert {name for name, wrote in month_files(lan.merchant).items() if wrote != before[name]} == {
        "head-2026-03.parquet",
        "line-2026-03.parquet",
    }
    tell(refund(lan, "R1", 900, day="2026-03-06"))  # a plain list, later: what was told stays told
    assert net(lan)["B"] == 900


def test_an_order_of_one_line_needs_nobody_to_say_which_line_it_was(lan, tell):
    tell(order(lan, goods="T", paid_minor=6_800, freight_minor=800), order(lan, "2", goods="C", refunded_minor=1_500))
    tell(refund(lan, "R1", 2_000))
    assert net(lan) == {"T": 4_000, "C": 2_500}


def test_any_refunds_in_any_order_leave_what_paper_says(lan, tell):
    """Forty orders, their pieces given back one by one in refunds told by place, goods or number, some twice and some without goods
    the second time."""
    dice = random.Random(7)
    orders = [order(lan, str(n), (date(2026, 1, 5) + timedelta(days=3 * n)).isoformat()) for n in range(40)]
    paper = Counter()
    told = []
    for n, one in enumerate(orders):
        pieces = [(code, k) for code, (_, _, many) in GOODS.items() for k in range(many)]
        gone = dice.sample(pieces, dice.randrange(len(pieces)))
        for code, (_, amount, many) in GOODS.items():
            paper[code] += amount - amount // many * sum(1 for c, _ in gone if c == code)
        for k, (code, _) in enumerate(gone):
            _, amount, many = GOODS[code]
            names = [
                LineBack(f"{n}-{code}"),
                LineBack(position=list(GOODS).index(code) + 1),
                LineBack(product_code=code),
            ]
            how = dice.choice(names)._replace(quantity_milli=1_000)
            document = refund(lan, f"R{n}.{k}", amount // many, how, of=str(n), day=one.paid_at.date().isoformat())
            told.append(document)
            if dice.random() < 0.3:  # told again, later, by a list that knows no goods
                told.append(document._replace(lines=(), finished_at=document.finished_at + timedelta(days=1)))
    everything = orders + told
    dice.shuffle(everything)
    for low in range(0, len(everything), 25):
        tell(*everything[low : low + 25])
        if low == 100:
            net(lan)  # a night in between
    assert net(lan) == dict(paper)


def test_orders_and_favourites_of_a_member_say_which_lines_came_back(lan, tell):
    who = member(lan, "梅")
    tell(order(lan), order(lan, "2", "2026-03-09"), order(lan, "3", "2026-03-10"))
    tell(
        refund(lan, "R1", 3_000, LineBack(position=1, quantity_milli=1_000)),
        refund(lan, "R2", 900, LineBack("1-B")),
        refund(lan, "R3", 10_900, of="2"),
        refund(lan, "R4", 500, of="3"),
    )
    Row.objects.update(member=who)
    found = {
        one.order.number: [line.refunded_minor for line in one.lines] for one in purchases_of(lan.merchant, who.pk)
    }
    assert found == {"1": [3_000, 0, 900], "2": [6_000, 4_000, 900], "3": [0, 0, 0]}
    # Order 2 came back whole, of order 1 half the tea and the cake; what the 5.00 of order 3 were for nobody told.
    told = {one.category: one.net_minor for one in portrait.favourites(lan.merchant, who.pk)}
    assert told == {"食品 / 茶": 3_000 + 6_000, "器皿 / 杯": 4_000 + 4_000, "食品 / 饼": 0 + 900}
