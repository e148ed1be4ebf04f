"""Plain tables of refunds: one row a refund, or one for each of its goods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shuke.connect.importers.cells import RowError, number_id, plain, quantity
from shuke.connect.importers.grouping import Group, Grouped
from shuke.connect.importers.layouts import Reading
from shuke.engine.facts import LineBack, Refund


class Places(Protocol):
    def __getitem__(self, field: str, /) -> int: ...


def refunds_together(reading: Reading, at: Places) -> Grouped:
    """Rows of one refund that stand together are its goods, each with its own amount. `at`: where each field stands."""
    title, moment, amount = reading.columns.title, reading.moment, reading.amount

    def numbered(row: list[str]) -> tuple[str, str]:
        return (
            number_id(row[at["number"]], title(at["number"])),
            number_id(row[at["order_number"]], title(at["order_number"])),
        )

    def row_to_refund(row: list[str]) -> Refund:
        given = amount(row[at["amount"]], title(at["amount"]))
        if given is None:
            raise RowError("amount_missing", title(at["amount"]))
        code = plain(row[at["product_code"]]) and number_id(
            row[at["product_code"]], title(at["product_code"]), digits=False
        )
        pieces = quantity(row[at["quantity"]], title(at["quantity"])) if plain(row[at["quantity"]]) else None
        status = plain(row[at["status"]])
        done = not any(
            word in status.lower() for word in ("关闭", "拒绝", "处理", "申请", "pending", "open", "rejected", "closed")
        )
        number, order = numbered(row)
        return Refund(
            reading.platform, reading.options.shop, order, number, given,
            moment(row[at["finished_at"]], title(at["finished_at"])), None, done, status, plain(row[at["reason"]]),
            currency=reading.options.currency, lines=(LineBack("", 0, code, pieces),) if code else (),
        )  # fmt: skip

    last, runs = ("", ""), 0

    def start(row: list[str]) -> str:
        """A refund told again further down is another statement of it, as in another file."""
        nonlocal last, runs
        if (which := numbered(row)) != last:
            last, runs = which, runs + 1
        return f"{which[0]} ({runs})"

    def finish(group: Group) -> Refund:
        told = [row_to_refund(row) for row in group.each()]
        group.current = 0
        return _together(told)

    return Grouped(start, finish)


def _together(told: Sequence[Refund]) -> Refund:
    """One refund of several goods, where each row names other goods; else the same told again, and what is further on counts."""
    goods = [line.product_code for one in told for line in one.lines]
    if len(goods) < len(told) or len(set(goods)) < len(goods) or len({one.done for one in told}) > 1:
        last = max(reversed(told), key=_how_far)
        alike = [one for one in told if one.lines and one.amount_minor == last.amount_minor]
        return last._replace(lines=max(reversed(alike), key=_how_far).lines) if alike and not last.lines else last
    whole = max(told, key=lambda one: one.finished_at.timestamp() if one.finished_at else 0)
    lines = tuple(
        line._replace(amount_minor=one.amount_minor) if line.quantity_milli is None and len(told) > 1 else line
        for one in told
        for line in one.lines
    )
    return whole._replace(amount_minor=sum(one.amount_minor for one in told), lines=lines)


def _how_far(one: Refund) -> tuple[bool, float]:
    return one.done, one.finished_at.timestamp() if one.finished_at else 0
