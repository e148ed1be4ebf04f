"""The worked tables of docs/algorithms/checkout.md, as they stand there."""

import re
from datetime import datetime
from pathlib import Path

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms
from shuke.engine.checkout import PricedLine, price, sale
from shuke.engine.checkout import document as baskets
from shuke.engine.checkout.pricing import SKIPPED
from shuke.engine.checkout.reasons import REASONS
from shuke.engine.checkout.refunding import Refund, points_back
from shuke.engine.checkout.returning import returned
from tests.engine.checkout.till import NOW, SHANGHAI

PAGE = (Path(__file__).parents[3] / "docs" / "algorithms" / "checkout.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    return re.search(rf"```{kind}\n(.*?)```", PAGE, re.S).group(1)


def table(first: str) -> list[list[str]]:
    rows = PAGE[PAGE.index(f"| {first} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def worked():
    told = baskets.read(block("json basket"))
    terms = Terms(document.read(block("yaml charter")), SHANGHAI, 1)
    return price(terms, baskets.basket(told, "CNY"), baskets.holdings(told), NOW)


def test_the_worked_basket():
    priced = worked()
    shares = {one.ref: (one.amount, *one.shares) for one in priced.applied}
    shares["(list)"] = (priced.list, *(x.list for x in priced.lines))
    shares["(due)"] = (priced.due, *(x.due for x in priced.lines))
    documented = {row[0]: tuple(map(int, row[1:])) for row in table("applied | minor | tea | cup | post")}
    assert documented == shares


def test_the_worked_returns():
    priced = worked()
    rows = table("tea come back, in all | money | points (as money) | tea3 | full | N-1")
    for count, money, points, *discounts in rows:
        back = returned(priced.lines, {"tea": int(count) * 1000})
        gone = dict(back.discounts)
        assert [back.due, f"{back.points} ({back.points_amount})", gone["tea3"], gone["full"], gone["N-1"]] == [
            int(money),
            points,
            *map(int, discounts),
        ]


def test_the_worked_refunds_told_late():
    paid = (PricedLine("a", 1000, 9000, (), 800, 800, 0, 8200),)
    rows = table("refund | day | money | points back")
    told = [Refund(name, datetime.fromisoformat(day), int(money)) for name, day, money, _ in reversed(rows)]
    back = points_back(paid, told, paid=8200, whole=True)
    assert [[one.name, one.at.date().isoformat(), one.amount] for one in back] == [
        [name, day, int(points)] for name, day, _, points in rows
    ]


def test_the_worked_returns_to_several_tenders():
    cups = (PricedLine("cup", 3000, 30000, (), 2000, 2000, 6000, 9000, (("A", 5000), ("B", 8000))),)
    rows = table("back_to | cups back, in all | cash | points | A | B | stored value")
    assert len(rows) == 9
    for back_to, count, *figures in rows:
        back = returned(cups, {"cup": int(count) * 1000}, tuple(filter(None, back_to.split(", "))))
        cards = dict(back.gift_cards)
        assert [back.due, back.points, cards["A"], cards["B"], back.stored_value] == [int(n) for n in figures]


def test_the_worked_order():
    priced, told = worked(), baskets.read(block("json basket")).model_dump(mode="json")
    place = sale.Place("pos", "XH", "1")
    one = sale.order(place, told, priced.lines, currency="CNY", at=NOW, paid_by="cash", buyer=None, staff="")
    assert (one.goods_minor, sum(line.amount_minor for line in one.lines)) == (24_900, priced.due - 1_000 + 4_300)
    rows = {row[0]: row[1:] for row in table("| paid | freight | discount | points | refund")}
    for state, back in (("sold", 0), ("1 tea back", 1), ("3 teas back", 3)):
        refund = returned(priced.lines, {"tea": back * 1000}).due
        points = dict(one.tenders)["points"]
        assert rows[state] == [
            *map(str, (one.paid_minor, one.freight_minor, one.discount_minor, points)),
            str(refund or ""),
        ]
        lines = sale.lines_after(told, priced.lines, {"tea": back * 1000})
        assert [line.refunded_minor for line in lines] == [(2 * lines[0].amount_minor * back + 3) // 6, 0]


def test_a_number_that_is_made_is_the_same_whenever_it_is_asked():
    assert sale.number_of("till-1", NOW) == sale.number_of("till-1", NOW)
    made = {sale.number_of(f"till-{n}", NOW) for n in range(2_000)}
    assert len(made) == 2_000
    assert all(re.fullmatch(r"\d{6}-[0-9A-HJKMNP-TV-Z]{6}", number) for number in made)


def test_every_reason_is_documented():
    rows = {row[0]: set(re.findall(r"`(\w+)`", row[1])) for row in table("| codes")}
    assert rows["skipped"] == SKIPPED
    assert rows["applied"] | rows["skipped"] | rows["inapplicable"] == set(REASONS)
