"""Which goods came back with which refund: by the refunds that tell, then by what the order tells, then shared."""

from __future__ import annotations

from shuke.engine.facts import LineBack
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.came_back import Came, Money, Sold, came_back
from shuke.engine.ledger.events import Back
from tests.engine.insight.worked import table
from tests.engine.ledger.test_fold import at, life

CREAM, STICK, SOAP = Sold(6000, 2000, 0, "A1", "901"), Sold(4000, 1000, 0, "B1", "902"), Sold(0, 1000, 0, "G1", "903")
GOODS = [CREAM, STICK, SOAP]


def back(*lines: LineBack, amount: int = 1000, goods=GOODS, net: int = 10000) -> tuple[Back, ...]:
    ((parts, told),) = came_back(goods, net, [Money(amount, lines)])
    assert told
    return parts


def test_a_line_is_named_by_its_number_its_place_or_its_goods():
    for one in (LineBack("902"), LineBack(position=2), LineBack(product_code="B1"), LineBack("999", 0, "B1")):
        assert back(one, amount=4000) == (Back(1, 4000, 1000),)


def test_pieces_tell_their_price_and_money_its_pieces():
    assert back(LineBack("901", quantity_milli=1000), amount=2500) == (Back(0, 3000, 1000),)
    assert back(LineBack("901", amount_minor=3000), amount=3000) == (Back(0, 3000, 1000),)
    assert back(LineBack("901", quantity_milli=1000, amount_minor=2000), amount=2000) == (Back(0, 2000, 1000),)
    ((none, told),) = came_back(GOODS, 10000, [Money(1000, (LineBack("903", quantity_milli=1000),))])
    assert (none, told) == ((), True)  # a gift came back: it had earned nothing
    assert back(LineBack("901", quantity_milli=1000, amount_minor=6000), amount=6000) == (Back(0, 6000, 2000),)


def test_what_no_line_can_bear_is_dropped():
    assert back(LineBack("902"), amount=9000) == (Back(1, 4000, 1000),)
    assert back(LineBack("902", quantity_milli=5000), amount=4000) == (Back(1, 4000, 1000),)


def test_of_an_order_with_a_discount_the_money_of_a_line_takes_the_line():
    """10% off the order: who gets 36.00 back for the stick has given back all of it."""
    assert back(LineBack("902"), amount=3600, net=9000) == (Back(1, 4000, 1000),)
    assert back(LineBack("901", amount_minor=2700), amount=2700, net=9000) == (Back(0, 3000, 1000),)


def test_goods_on_two_lines_come_back_from_the_first():
    twice = [CREAM, CREAM._replace(sub_number="904")]
    assert back(LineBack(product_code="A1", quantity_milli=3000), goods=twice, net=12000) == (
        Back(0, 6000, 2000),
        Back(1, 3000, 1000),
    )


def test_parts_of_a_line_add_up_to_the_line():
    third = LineBack("901", quantity_milli=1000)
    goods = [Sold(1000, 3000, 0, "A1", "901")]
    came = came_back(goods, 1000, [Money(333, (third,))] * 4)
    assert [c.back for c in came] == [(Back(0, 333, 1000),), (Back(0, 334, 1000),), (Back(0, 333, 1000),), ()]


def test_what_only_the_order_tells_is_shared_among_the_refunds_that_tell_nothing():
    told = [CREAM._replace(refunded=6000), STICK]
    came = came_back(told, 10000, [Money(2000), Money(4000)])
    assert came == [Came((Back(0, 2000, 667),), False), Came((Back(0, 4000, 1333),), False)]
    assert came_back(told, 10000, [Money(6000)]) == [Came((Back(0, 6000, 2000),), True)]  # it can only be this one
    # One tells its lines: the other one has what is left.
    both = [CREAM._replace(refunded=6000), STICK._replace(refunded=4000)]
    came = came_back(both, 10000, [Money(4000, (LineBack("902"),)), Money(6000)])
    assert came == [Came((Back(1, 4000, 1000),), True), Came((Back(0, 6000, 2000),), True)]


def test_a_line_that_is_not_there_says_nothing():
    assert came_back(GOODS, 10000, [Money(500, (LineBack("777"), LineBack(position=9), LineBack()))]) == [
        Came((), False)
    ]
    assert came_back([], 0, [Money(500, (LineBack("901"),))]) == [Came((), False)]


RULES = [
    {"key": "base", "name": {"zh": "消费", "en": "Purchases"}, "kind": "per_amount"},
    {"key": "care", "name": {"zh": "护肤", "en": "Care"}, "kind": "per_amount", "points": 2, "when": {"categories": ["护肤"]}},
]  # fmt: skip
NAMED = {"one cream": "901", "the stick": "902", "the other cream": "901", "not told": ""}


def test_the_page_of_earning_is_true():
    rows = table("earning", "day | refund")
    goods = (ev.GoodsLine(6000, "护肤", "A1", "", 2000), ev.GoodsLine(4000, "彩妆", "B1", "", 1000))
    bought = ev.Purchase("order:t", at(1, 1), 10000, goods)
    for told in (rows[:3], rows[3:]):
        names = [NAMED[row["of"]] for row in told]
        money = [
            Money(fen(row["refund"]), (LineBack(name),) if name else ()) for row, name in zip(told, names, strict=True)
        ]
        came = came_back([CREAM, STICK], 10000, money)
        events = [
            ev.Refunded(f"refund:{row['day']}", at(1, int(row["day"].split()[-1])), "order:t", one.amount, *parts)
            for row, one, parts in zip(told, money, came, strict=True)
        ]
        bought_, *back_ = life(bought, *events, earning=RULES).effects
        assert bought_.legs["issued"] == -220
        assert [e.legs["issued"] for e in back_] == [int(row["taken back"]) for row in told]
        assert [e.why[0]["net"] for e in back_] == [fen(row["net left"]) for row in told]
        assert [e.why[0]["earned"] for e in back_] == [sum(map(int, row["earned"].split("+"))) for row in told]
        assert [{"rule": "goods_not_told"} in e.why for e in back_] == [not name for name in names]


def fen(text: str) -> int:
    return round(float(text) * 100)
