"""What members bought, added up from parts of the history: net, margin, and how much of it on promotion."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import numpy as np

from shuke.engine.insight import kpi, profit, traits
from shuke.engine.insight.port import Columns
from shuke.insight.queries.kept_rows import places


class Bought(NamedTuple):
    """Per member: sums of what they bought."""

    net: np.ndarray
    year_net: np.ndarray
    margin: np.ndarray
    year_margin: np.ndarray
    kept: np.ndarray
    stated: np.ndarray
    price: traits.Price | None
    halves: dict[
        str, tuple[float, int]
    ]  # split-half: correlation and members, by how many orders each half has at least


class _Rows(NamedTuple):
    """Orders of members: the member's place, and what is added up. Compact, as all years of them are held at once."""

    place: np.ndarray  # int32
    net: np.ndarray
    margin: np.ndarray
    kept: np.ndarray
    stated: np.ndarray
    recent: np.ndarray  # bool
    share: np.ndarray  # of its goods on promotion; -1: no goods are known


def added_up(sold: Iterable[Columns], member: np.ndarray, day: date, default: int) -> Bought:
    """sold: the columns of sql/profit_orders.sql, the oldest part first. member: ascending; purchases of others are left out.

    default: the margin, in thousandths, of orders of which no line is known.
    """
    parts = [_rows(part, member, day, default) for part in sold]
    rows = _Rows(*(np.concatenate(column) for column in zip(_NOTHING, *parts, strict=True)))

    # By member, and within each in the order of time, as the parts are: the place and the row as one number sort faster than
    # a sort that must keep what is equal.
    size = max(rows.place.size, 1)
    order = np.sort(rows.place.astype(np.int64) * size + np.arange(rows.place.size)) % size
    place, share, recent = rows.place[order], rows.share[order], rows.recent[order]
    begins = np.flatnonzero(np.diff(place, prepend=-1))

    def sums(column: np.ndarray) -> np.ndarray:
        found = np.zeros(member.size, np.int64)
        if begins.size:
            found[place[begins]] = np.add.reduceat(column, begins)
        return found

    net, margin = rows.net[order], rows.margin[order]
    told = share >= 0
    whose, share = (place, share) if told.all() else (place[told], share[told])
    return Bought(
        sums(net), sums(net * recent), sums(margin), sums(margin * recent), sums(rows.kept[order]), sums(rows.stated[order]),
        traits.price_sensitivity(whose, share, member.size),
        {
            str(least): traits.split_half(whose, share, member.size, least=least)
            for least in (1, traits.ORDERS_NEEDED)
        },
    )  # fmt: skip


_WHOLE = np.empty(0, np.int64)
_NOTHING = _Rows(np.empty(0, np.int32), _WHOLE, _WHOLE, _WHOLE, _WHOLE, np.empty(0, bool), np.empty(0, np.float64))


def _rows(sold: Columns, member: np.ndarray, day: date, default: int) -> _Rows:
    # Looked up in their order: a million ids are found in a third of the time where each is near the one before.
    order = np.argsort(sold["who"])
    at, there = np.empty(order.size, np.int64), np.empty(order.size, bool)
    at[order], there[order] = places(member, sold["who"][order])
    here = np.flatnonzero(there)
    sold = {name: column[here].astype(np.int64) for name, column in sold.items()}
    taken = profit.left_of(sold["taken"], sold["net_paid"], sold["given_back"])
    margin = profit.margins(
        sold["net_paid"], sold["kept"], sold["weighted"], sold["costed"], sold["cost_milli"], taken, default=default
    )
    recent = sold["on_day"] > kpi.day_number(day) - kpi.WINDOW_DAYS
    share = np.where(sold["asked"] > 0, sold["reduced"] / np.maximum(sold["asked"], 1), -1.0)
    return _Rows(at[here].astype(np.int32), sold["net_paid"], margin, sold["kept"], sold["stated"], recent, share)
