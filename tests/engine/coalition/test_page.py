"""The tables of docs/algorithms/coalition.md, executed."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from shuke.engine.coalition import charging, netting, settling, strength
from shuke.engine.coalition.charging import Posting, Used
from shuke.engine.coalition.drawing import draw
from shuke.engine.coalition.prices import MICRO
from shuke.engine.coalition.settling import Line, Opening
from shuke.engine.ledger.books import Lot
from shuke.engine.partner_cards import judging
from shuke.engine.partner_cards import terms as card_terms
from shuke.engine.partner_cards.charging import Moved
from shuke.engine.partner_cards.charging import statement as card_statement
from tests.house.source import ROOT

PAGE = (ROOT / "docs" / "algorithms" / "coalition.md").read_text(encoding="utf-8").replace("−", "-")
DAY = datetime(2026, 3, 1, tzinfo=UTC)
MERCHANTS = {"A": 1, "B": 2, "C": 3}


def rows(name):
    table = PAGE.split(f"<!-- tested: {name} -->\n")[1].split("\n\n")[0].splitlines()[2:]
    assert table, name
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table]


@pytest.mark.parametrize("row", rows("flows"), ids=lambda row: row[0])
def test_flows(row):
    _, member, spent, settlement, uses, movement = row
    told = tuple(Used(kind, int(n), DAY) for kind, n in re.findall(r"([a-z]+) (-?\d+)", uses))
    found = charging.flows(Posting(DAY, int(member), int(spent), int(settlement), told), linked_at=DAY)
    assert ", ".join(f"{f.kind} {f.points}" for f in found) == movement


@pytest.mark.parametrize("row", rows("draw"))
def test_draw(row):
    accounts, spend, taken = row
    lots = {}
    for part in accounts.split(" · "):
        name, told = part.split(": ")
        lots[MERCHANTS[name]] = [
            Lot(f"{i}", int(n), int(n), DAY, DAY, None if ends == "for ever" else DAY + timedelta(days=int(ends[6:])))
            for i, (n, ends) in enumerate(re.findall(r"(\d+) (until \d+|for ever)", told))
        ]
    amount, till = re.fullmatch(r"(\d+) at ([A-C])", spend).groups()
    expected = {MERCHANTS[m]: int(n) for m, n in re.findall(r"([A-C]) (\d+)", taken)} or None
    assert draw(lots, int(amount), MERCHANTS[till]) == expected


@pytest.mark.parametrize("row", rows("statement"))
def test_statement(row):
    issued, redeemed = int(row[0]), int(row[1])
    issue, redeem, carried, packs = (int(Decimal(cell) * MICRO) for cell in row[2:6])
    lines = [
        Line(kind, None, 0, 1, points, charging.amount_micro(kind, points, issue, redeem))
        for kind, points in (("issued", issued), ("redeemed", redeemed))
    ]
    made = settling.statement(lines, Opening(carried, packs, packs > 0))
    told = (made.due, Decimal(made.carry_micro) / MICRO, Decimal(made.deposit_micro) / MICRO)
    assert told == tuple(Decimal(cell) for cell in row[6:9])


@pytest.mark.parametrize("row", rows("netting"))
def test_netting(row):
    balances = {party: int(minor) for party, minor in re.findall(r"(\w+) (-?\d+)", row[0])}
    assert ", ".join(f"{p.payer}→{p.payee} {p.minor}" for p in netting.net(balances)) == row[1]


@pytest.mark.parametrize("row", rows("strength"))
def test_strength(row):
    told = [tuple(map(int, cell.split(", "))) for cell in row[:3]]
    month = {n: strength.Month(used_elsewhere=brings, taken=takes) for n, (brings, takes) in enumerate(told)}
    even = strength.fairness(month)
    assert ("–" if even is None else f"{even // 10} %") == row[3]


CARD_TERMS = card_terms.Terms(date(2026, 3, 1), 1, 1000, 0, 20, card_terms.rules_of("5411=2; 6011=0"))


@pytest.mark.parametrize("row", rows("cards"), ids=lambda row: row[0])
def test_cards(row):
    told, points, month = row
    state = judging.State([CARD_TERMS], None, date(2026, 3, 31), {b"card": [judging.Card(1, date(2026, 3, 1), None)]})
    found = []
    for n, part in enumerate(told.split(" · ")):
        back, name, amount, category = re.fullmatch(r"(-?)([a-z]) ([0-9.]+)(?: x:(\d+))?", part).groups()
        spending = judging.Spending(
            n, f"{name}{n}".encode() if back else name.encode(), b"card", int(Decimal(amount) * 100), date(2026, 3, 9),
            category or "", bool(back), name.encode() if back else None,
        )  # fmt: skip
        found.append(judging.judge(state, spending, lambda n=n: n).points)
    assert (", ".join(map(str, found)), sum(found)) == (points, int(month))


@pytest.mark.parametrize("row", rows("card statement"))
def test_card_statement(row):
    given, price, taken, carried, due, on = (Decimal(cell) for cell in row)
    moved = [
        Moved(kind, 24315, int(price * MICRO), 1, int(n)) for kind, n in (("given", given), ("reversed", -taken)) if n
    ]
    made = card_statement(moved, int(carried * MICRO))
    assert (made.due, made.carry_micro) == (due, on * MICRO)
