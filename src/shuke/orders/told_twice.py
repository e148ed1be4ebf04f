"""Refunds of a list that may be returns told before under another number, by the counter or a program.

A guess, and so never acted upon (decision 0021): two creams of one order may come back on one day. Whoever imports is told, and decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from shuke.orders.models import Refund
from shuke.orders.refund_merging import Known

NEAR = timedelta(days=3)  # a register closes its day late, and a list may tell the day alone


class Twice(NamedTuple):
    """One document of a list beside one told before: same order, same amount, close in time, another number."""

    number: str
    order: str
    amount_minor: int
    other: str
    at: datetime | None  # of the other


def told_twice(
    merchant_id: int,
    new: Mapping[tuple[int, str], tuple[str, Known]],
    listed: Collection[tuple[int, str]],
    seen: set[int] | None = None,
) -> list[Twice]:
    """Of the new documents of a list, by store and number with the number of their order. Each return told before stands for one of
    them, unless the list knows it by its own number (`listed`) or a list told before stands for it already. `seen`: returns that an
    earlier part of the list stands for; these are added."""
    wanted = {key: one for key, one in new.items() if one[1].mark.done and one[1].mark.amount > 0}
    there = _there(merchant_id, {(store, order) for (store, _), (order, _) in wanted.items()})
    found = []
    for (store, number), (order, known) in sorted(wanted.items()):
        alike = [one for one in there[store, order] if one.amount_minor == known.mark.amount and _near(one, known)]
        told = [one for one in alike if one.batch_id is None and (store, one.number) not in listed]
        stood_for = sum(1 for one in alike if one.batch_id is not None)
        free = [one for one in told[stood_for:] if seen is None or one.pk not in seen]
        if free:
            one = free[0]
            there[store, order].remove(one)
            if seen is not None:
                seen.add(one.pk)
            found.append(Twice(number, order, one.amount_minor, one.number, one.finished_at))
    return found


def _there(merchant_id: int, orders: set[tuple[int, str]]) -> dict[tuple[int, str], list[Refund]]:
    """Finished documents of these orders, oldest first."""
    found: dict[tuple[int, str], list[Refund]] = defaultdict(list)
    rows = Refund.objects.filter(
        merchant_id=merchant_id, done=True, store_id__in={store for store, _ in orders},
        order_number__in={order for _, order in orders},
    )  # fmt: skip
    for row in rows.order_by("finished_at", "number") if orders else ():
        found[row.store_id, row.order_number].append(row)
    return found


def _near(one: Refund, known: Known) -> bool:
    return one.finished_at is None or not known.dated or abs(one.finished_at - known.mark.at) <= NEAR
