"""The worked table of docs/algorithms/earning.md, row by row, and the refund below it."""

from datetime import date
from decimal import Decimal

from shuke.engine.charter.earn import Basket, Slice, earn
from tests.engine.charter.test_earn import BASE, terms
from tests.engine.insight.worked import table
from tests.house.source import ROOT

RULES = terms(
    BASE,
    {"key": "care", "kind": "per_amount", "points": 1, "per": 2, "when": {"categories": ["护肤"]}},
    {"key": "day", "kind": "multiply", "times": 2, "when": {"month_days": [8]}},
    {"key": "bonus", "kind": "fixed", "points": 20, "when": {"min_amount": 300}},
    tiers=[{"key": "gold", "name": {"zh": "金", "en": "Gold"}, "multiplier": "1.5"}],
)
EIGHTH = date(2026, 6, 8)


def number(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace(" ", "").replace("*", ""))


def test_the_worked_purchase_earns_what_each_row_says():
    *rows, total = table("earning", "| base | points")
    basket = Basket(32050, EIGHTH, "gold", (Slice(10000, "护肤"), Slice(22050, "彩妆")))
    earned = earn(RULES, basket, {})
    assert earned.points == number(total["points"])
    assert [Decimal(str(why["points"])) for why in earned.why] == [number(row["points"]) for row in rows]
    assert [why["rule"] for why in earned.why] == ["base", "care", "tier:gold", "day", "rounding", "bonus"]
    assert [why.get("base") for why in earned.why[:2]] == [int(number(row["base"]) * 100) for row in rows[:2]]


def test_the_refund_below_it():
    text = (ROOT / "docs" / "algorithms" / "earning.md").read_text(encoding="utf-8")
    rest = earn(RULES, Basket(22050, EIGHTH, "gold", (Slice(0, "护肤"), Slice(22050, "彩妆"))), {}).points
    assert f"= {rest} and no bonus. Taken back: 1131 − {rest} = {1131 - rest}." in text
