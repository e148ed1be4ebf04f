"""The tables of docs/algorithms/stored-value.md, computed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import yaml

from shuke.engine.charter.stored import Stored, bonus_for
from shuke.engine.stored import BONUS, PRINCIPAL, Lot, Purse, plan, share_back

PAGE = (Path(__file__).parents[3] / "docs" / "algorithms" / "stored-value.md").read_text(encoding="utf-8")
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def table(first: str) -> list[list[str]]:
    """Rows of the table whose head begins with `first`."""
    [block] = re.findall(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.M)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().split("\n")]


def test_what_a_payment_uses():
    for money, bonus, pays, order, of_money, of_bonus in table("money"):
        lots = [Lot("m", PRINCIPAL, "t", int(money), int(money), T0), Lot("b", BONUS, "t", int(bonus), int(bonus), T0)]
        used = dict(plan([(lot, lot.remaining) for lot in lots], int(pays), order))
        assert (used.get("m", 0), used.get("b", 0)) == (int(of_money), int(of_bonus)), (money, bonus, pays, order)


def test_where_a_return_goes():
    for money, bonus, back, to_money, to_bonus in table("gave: money"):
        shares = dict(share_back({"m": int(money), "b": int(bonus)}, int(back)))
        assert (shares.get("m", 0), shares.get("b", 0)) == (int(to_money), int(to_bonus)), (money, bonus, back)


def test_what_is_given_up_with_money_paid_back():
    for money, bonus, back, *given_up in table("left of the top-up: money"):
        for forfeit, wanted in zip(("proportion", "all", "none"), given_up, strict=True):
            purse = Purse()
            purse.top_up("t", int(money), int(bonus), T0)
            assert purse.withdraw(int(back), forfeit, T0).sum("forfeited") == int(wanted), (money, back, forfeit)


def test_what_is_added_to_a_top_up():
    [text] = re.findall(r"```yaml stored\n(.*?)```", PAGE, re.S)
    raw = yaml.load(text, Loader=yaml.BaseLoader)
    for paid, added, again in table("paid in"):
        assert bonus_for(Stored.model_validate(raw), int(paid), "CNY") == int(added), paid
        assert bonus_for(Stored.model_validate(raw | {"repeat": "true"}), int(paid), "CNY") == int(again), paid
