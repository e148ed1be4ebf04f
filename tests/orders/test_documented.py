"""The worked table of docs/algorithms/orders.md: three statements about one order, in any order of arrival."""

import re
from datetime import UTC, datetime

import pytest

from shuke.engine.facts import Order, OrderStatus
from shuke.orders import merging
from tests.engine.insight.worked import table


def said(day: int, **told) -> merging.Known:
    order = Order("pos", "XH", "1", stated_at=datetime(2026, 3, day, tzinfo=UTC), **told)
    return merging.stated(order, None, None, None)


STATEMENTS = {
    "A": said(1, paid_minor=100, status=OrderStatus.PAID),
    "B": said(3, goods_minor=120, status=OrderStatus.FINISHED),
    "C": said(2, paid_minor=90),
}


@pytest.mark.parametrize("row", table("orders", "arrived | paid"), ids=lambda row: row["arrived"])
def test_what_is_known_after_each_arrival(row):
    first, *others = row["arrived"].split(", ")
    known = STATEMENTS[first]
    for name in others:
        known = merging.merged(known, STATEMENTS[name])
    told = dict(zip(merging.FIELDS, known.values, strict=True))
    shown = {name: "–" if told[f"{name}_minor"] is None else str(told[f"{name}_minor"]) for name in ("paid", "goods")}
    assert shown == {name: row[name] for name in shown}
    assert OrderStatus(told["status"]).name.lower() == row["status"]
    assert known.at.day == int(re.sub(r"\D", "", row["stated_at"]))
    older = {merging.FIELDS[index].removesuffix("_minor"): at.day for index, at in known.older.items()}
    # Of the status no moment counts, and what nobody states has none.
    older = {name: day for name, day in older.items() if name in shown}
    assert older == {name: int(day) for name, day in re.findall(r"(\w+): (\d+)", row["older"])}
