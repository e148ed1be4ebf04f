"""The worked tables of docs/algorithms/ledger.md, grading.md and earning.md (activities), as they stand there.

Days and moments are executed by tests/trust/test_clock.py.
"""

import re
from datetime import date, timedelta

import pytest

from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold
from tests.engine.insight.worked import table
from tests.engine.ledger.test_earning_events import SIGN, sign
from tests.engine.ledger.test_fold import SHANGHAI, at, back, buy, life

YEAR = 2026
MONTHS = {name: n for n, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


def day(text: str) -> date:
    number, month = text.split()[:2]
    return date(YEAR, MONTHS[month[:3]], int(number))


def legs(text: str) -> dict[str, int]:
    """ "member −130, spent +130; a remark" as the engine has it."""
    told = re.findall(r"(\w+) ([−+]\d+)", text.split(";")[0])
    return {account: int(amount.replace("−", "-")) for account, amount in told}


def last(fold: Fold) -> dict[str, int]:
    return fold.effects[-1].legs


LEGS = {
    "earn 120": lambda: life(buy("a", at(1, 15), 120)),
    "spend 130 of lots 100 and 100": lambda: life(
        buy("a", at(1, 15), 100), buy("b", at(2, 15), 100), ev.Burn("burn:x", at(3, 1), 130)
    ),
    "70 lapse": lambda: life(buy("a", at(1, 15), 70), until=at(5, 2)),
    "refund takes 100 back; 20 of its lot are left, 80 were spent": lambda: life(
        buy("a", at(1, 15), 100), ev.Burn("burn:x", at(1, 16), 80), back("a", at(1, 20), 100)
    ),
    "the next 50 earned repay": lambda: life(
        buy("a", at(1, 15), 100), ev.Burn("burn:x", at(1, 16), 80), back("a", at(1, 20), 100), buy("b", at(2, 1), 50)
    ),
}  # fmt: skip
IN_LETTERS = {  # rows whose amount is x: told with 30
    "lapsed points reinstated, at most what lapsed within `reinstate_days`": lambda: life(
        buy("a", at(1, 15), 70), ev.Reinstated("reinstate:1", at(5, 20), 30), points={"reinstate_days": 90}
    ),
    "spend given back": lambda: life(
        buy("a", at(1, 15), 100), ev.Burn("burn:x", at(1, 16), 80), ev.BurnReturned("return:1", at(1, 17), "burn:x", 30)
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", table("ledger", "event | legs"), ids=lambda row: row["event"])
def test_every_posting_has_the_legs_the_page_says(row):
    if row["event"] in IN_LETTERS:
        told, fold = re.sub(r"([−+])x", r"\g<1>30", row["legs"]), IN_LETTERS[row["event"]]()
    else:
        told, fold = row["legs"], LEGS[row["event"]]()
    assert last(fold) == legs(told)
    if row["event"].startswith("spend 130"):
        assert [n for _, _, n in fold.effects[-1].uses] == [100, 30]


def test_points_that_change_hands_have_the_legs_the_page_says():
    [row] = table("ledger", "event | legs of the giver")
    gives = life(buy("a", at(1, 15), 200), ev.HandedOver("handed:k", at(1, 20), 120))
    lot = gives.books.lots["order:a"]
    parcel = ev.Parcel(120, lot.earned_at, lot.expires_at, lot.cost_micro)
    takes = life(ev.TakenOver("taken:k", at(1, 20), (parcel,)))
    assert (last(gives), last(takes)) == (legs(row["legs of the giver"]), legs(row["legs of the receiver"]))
    assert takes.books.lots["taken:k"].expires_at == lot.expires_at


def test_a_row_of_sign_ins():
    head = "sign-in, 2 points, 10 more on every 3rd day in a row, once a day"
    row, points = table("earning", head)
    days = [column for column in row if column != head]
    hours: dict[date, int] = {}
    signs = []
    for text in days:
        hours[day(text)] = hours.get(day(text), 3) + 1
        signs.append(sign(day(text).month, day(text).day, hours[day(text)]))
    fold = life(*signs, earning=[SIGN])
    assert [str(e.legs.get("member", 0)) for e in fold.effects] == [points[text] for text in days]
    assert [row[text] for text in days if "again" in text] == ["–"]


def test_growth_value_that_counts_one_month():
    told = [
        (day(row["1 per yuan, counts one month"].split(",")[0]), row["entry"], row["balance"])
        for row in table("grading", "1 per yuan, counts one month")
    ]
    loss = {"growth_per": 1, "growth_loss": {"months": 1, "to_month_end": False}}
    rule = [{"key": "base", "name": {"zh": "消", "en": "Base"}, "kind": "per_amount"}]
    fold = life(buy("a", at(1, 5), 300), back("a", at(1, 9), 100), until=at(2, 10), grading=loss, earning=rule)
    moves = [(e.at.astimezone(SHANGHAI).date(), e.growth) for e in fold.effects if e.growth]
    assert [(when, f"{'+' if n > 0 else '−'} {abs(n)}") for when, n in moves] == [(when, n) for when, n, _ in told]
    assert [str(sum(n for _, n in moves[: i + 1])) for i in range(len(moves))] == [left for *_, left in told]


def test_one_purchase_and_its_reviews():
    """The page's table: up, kept, in grace, down; and the window of each look."""
    rows = table("grading", "day")
    gold = {"key": "gold", "name": {"zh": "金", "en": "Gold"}, "reach": {"measure": "amount", "at_least": 1000}}
    tiers = [{"key": "member", "name": {"zh": "普", "en": "Member"}}, gold]
    up, kept, grace, down = (day(row["day"]) for row in rows)
    fold = life(buy("a", at(up.month, up.day), 5000), until=at(12, 31), tiers=tiers)
    moves = [(m.after, m.at.astimezone(SHANGHAI).date()) for m in fold.moves[1:]]
    assert moves == [("gold", up), ("member", down)]
    for row, when in zip(rows, (up, kept, grace, down), strict=True):
        first, final = (day(part) for part in row["window"].split(" – "))
        looked = when if when == up else when - timedelta(days=1)  # a review looks at the day before
        assert final == looked
        bought = first.replace(year=YEAR - (first > final)) <= up <= final
        assert row["figure"] == ("5,000" if bought else "0")
    before = {
        when: life(buy("a", at(up.month, up.day), 5000), until=at(when.month, when.day), tiers=tiers)
        for when in (up, kept, grace)
    }
    review = {when: fold.books.standing.review_at.astimezone(SHANGHAI).date() for when, fold in before.items()}
    assert rows[0]["result"].endswith(f"review on {kept.day} April")
    assert review[up] == kept
    assert rows[1]["result"].endswith(f"review on {grace.day} July")
    assert review[kept] == grace
    assert rows[2]["result"] == f"grace until {down.day} July"
