"""From orders to what the models need: repeats, last purchase, age and mean spend of each customer.

Purchases of a customer on one day are one purchase (the papers' convention; split orders are one visit). A day on which more
was given back than bought is no purchase; what was given back counts against the customer's spend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shuke.engine.insight.clv.rows import BadRows, Rows, group

WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Summary:
    """One element per customer who had bought by `end`, ascending by customer. Times in units of `unit` days.

    x, t_x, T: as in `rows.Rows`, float64. first_day, last_day: whole days, as the orders count them.
    orders: days with a purchase (x + 1). paid: of these, days with an amount above 0. spend: sum of all amounts, less what was
    given back. mean_spend: spend / paid, NaN where there is none above 0. log_gaps: Σ ln(gap) of the customer's repeats.
    """

    customer: np.ndarray
    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    first_day: np.ndarray
    last_day: np.ndarray
    orders: np.ndarray
    paid: np.ndarray
    spend: np.ndarray
    mean_spend: np.ndarray
    log_gaps: np.ndarray
    end: int
    unit: float

    def rows(self) -> Rows:
        return group(self.x, self.t_x, self.T, log_gaps=float(self.log_gaps.sum()))


@dataclass(frozen=True, slots=True)
class Visits:
    """Days with a purchase, ascending by customer and day: what all windows of a history are counted from.

    customer: place in `customers`. day: whole days. amount: what was bought and kept that day. returned: by customer, amounts of
    days that are no purchase (0 or below), with their days in `returned_day`, `returned_customer`.
    """

    customers: np.ndarray
    customer: np.ndarray
    day: np.ndarray
    amount: np.ndarray
    returned_customer: np.ndarray
    returned_day: np.ndarray
    returned: np.ndarray


def visits(customer: np.ndarray, day: np.ndarray, amount: np.ndarray | None = None) -> Visits:
    """Merge order rows, one element each and in any order, into days with a purchase.

    customer: ids, numbers or text. day: whole days from any beginning. amount: money kept, negative for what was given back;
    None where amounts are not known (every row is a purchase then).
    """
    customer, day = np.asarray(customer), np.asarray(day)
    if customer.ndim != 1 or customer.shape != day.shape or (amount is not None and np.shape(amount) != day.shape):
        raise BadRows("length", "Customers, days and amounts must be equally long columns.")
    if customer.size == 0:
        raise BadRows("empty", "There are no orders in these rows.")
    known, code = np.unique(customer, return_inverse=True)
    day = day.astype(np.int64)
    begin = int(day.min())
    width = int(day.max()) - begin + 1
    key = code.astype(np.int64) * width + (day - begin)
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.ones(key.size, dtype=bool)
    first[1:] = key[1:] != key[:-1]
    heads = np.flatnonzero(first)
    if amount is None:
        net, bought = np.zeros(heads.size), np.ones(heads.size, dtype=bool)
    else:
        values = np.asarray(amount, np.float64)[order]
        if not np.isfinite(values).all():
            raise BadRows("number", "Amounts must be numbers in every row; some are missing or infinite.")
        net = np.add.reduceat(values, heads)
        bought = net > -1e-9  # an order of nothing was still an order, one that was given back whole was not
        bought &= ~((np.abs(net) < 1e-9) & (np.add.reduceat((values < 0).astype(np.int64), heads) > 0))
    whom, when = np.divmod(key[heads], width)
    when += begin
    back = ~bought
    return Visits(known, whom[bought], when[bought], net[bought], whom[back], when[back], net[back])


def summary(
    customer: np.ndarray,
    day: np.ndarray,
    amount: np.ndarray | None = None,
    *,
    end: int | None = None,
    unit: float = WEEK,
) -> Summary:
    """Summarise order rows (as for `visits`) up to day `end` inclusive (default: the last day there is)."""
    seen = visits(customer, day, amount)
    return summary_of(seen, end=int(seen.day.max()) if end is None else end, unit=unit)


def summary_of(seen: Visits, *, end: int, unit: float = WEEK) -> Summary:
    """As `summary`, from merged days: for several ends of one history."""
    upto = seen.day <= end
    whom, when, net = seen.customer[upto], seen.day[upto], seen.amount[upto]
    if whom.size == 0:
        raise BadRows("empty", "Nobody had bought by the end of the calibration.")
    first = np.ones(whom.size, dtype=bool)
    first[1:] = whom[1:] != whom[:-1]
    heads = np.flatnonzero(first)
    present = whom[heads]
    orders = np.diff(np.append(heads, whom.size))
    tails = heads + orders - 1
    first_day, last_day = when[heads], when[tails]
    gaps = np.zeros(whom.size)
    gaps[~first] = np.log((when[1:] - when[:-1])[~first[1:]] / unit)
    back = seen.returned_day <= end
    returned = np.bincount(seen.returned_customer[back], weights=seen.returned[back], minlength=seen.customers.size)
    spend = np.add.reduceat(net, heads) + returned[present]
    paid = np.add.reduceat((net > 1e-9).astype(np.int64), heads)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where((paid > 0) & (spend > 0), spend / paid, np.nan)
    return Summary(
        seen.customers[present],
        (orders - 1).astype(np.float64),
        (last_day - first_day) / unit,
        (end - first_day) / unit,
        first_day,
        last_day,
        orders,
        paid,
        spend,
        mean,
        np.add.reduceat(gaps, heads),
        end,
        unit,
    )


class Window:
    """What customers did in the days after `begin`, up to and with `end`."""

    def __init__(self, seen: Visits, customers: np.ndarray, *, begin: int, end: int) -> None:
        within = (seen.day > begin) & (seen.day <= end)
        size = seen.customers.size
        at = np.searchsorted(seen.customers, customers)
        orders = np.bincount(seen.customer[within], minlength=size)
        spend = np.bincount(seen.customer[within], weights=seen.amount[within], minlength=size).astype(np.float64)
        back = (seen.returned_day > begin) & (seen.returned_day <= end)
        spend += np.bincount(seen.returned_customer[back], weights=seen.returned[back], minlength=size)
        self.orders: np.ndarray = orders[at].astype(np.float64)
        self.spend: np.ndarray = spend[at]
        known = np.zeros(size, dtype=bool)
        known[at] = True
        self.newcomers = int(((orders > 0) & ~known).sum())
        self.newcomer_orders = int(orders[~known].sum())
