"""Revenue that is deferred because points were promised with it (IFRS 15.B39–B46, Example 52; 企业会计准则第14号).

The price of a sale is allocated to goods and points in proportion to what each would sell for alone; for points that is
what they take off a price, times the share expected to be redeemed. What was allocated becomes revenue as points are
redeemed, in proportion to all that are expected to be; a new expectation changes the running total, and the difference is
caught up at once. Points are taken together by month of issue: lots know theirs, so nothing is averaged over months.

The second way, for shops that do not defer: an expense and a provision for what the points expected to be redeemed cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

MILLION = 1_000_000


def points_share(price: int, alone: int) -> int:
    """The part of a price that belongs to points which would sell for `alone`; the goods sell for `price` alone."""
    return _divided(price * alone, price + alone) if price + alone > 0 else 0


def recognised(allocated: int, redeemed: int, expected: int) -> int:
    """Running total of revenue: what was allocated × redeemed so far / expected to be redeemed in all."""
    if redeemed <= 0:
        return 0
    return allocated if expected <= redeemed else _divided(allocated * redeemed, expected)


def _divided(above: int, below: int) -> int:
    """Half up, alike on both sides of zero."""
    sign = -1 if (above < 0) != (below < 0) else 1
    above, below = abs(above), abs(below)
    return sign * ((2 * above + below) // (2 * below))


class Issue(NamedTuple):
    """Points issued in one month, told at the end of that month and of each later one. All running totals."""

    month: int
    price: Sequence[int]  # what the sales came to, less refunds so far, minor units
    issued: Sequence[int]  # points, less what was taken back so far
    used: Sequence[int]
    lapsed: Sequence[int]
    value_micro: int  # what one point takes off a price

    def at(self, month: int) -> Told:
        i = min(month - self.month, len(self.issued) - 1)
        return Told(self.price[i], self.issued[i], self.used[i], self.lapsed[i])


class Told(NamedTuple):
    price: int
    issued: int
    used: int
    lapsed: int

    def expected(self, share_millionths: int) -> int:
        """Points that will have been redeemed at the end: never fewer than were, never more than still can be."""
        by_share = _divided(self.issued * share_millionths, MILLION)
        still = max(0, self.issued - self.used - self.lapsed)
        return min(max(self.used, by_share), self.used + still)


class Month(NamedTuple):
    """Running totals at the end of a month, minor units. `balance` is the liability."""

    month: int
    first: int  # deferred so far | expensed so far
    second: int  # recognised so far | settled so far

    @property
    def balance(self) -> int:
        return self.first - self.second


# Expected share in millionths, by month of the estimate, then by month of issue.
Shares = Mapping[int, Mapping[int, int]]


def deferred(issues: Sequence[Issue], shares: Shares, *, months: range) -> list[Month]:
    """Contract liability month by month. What was allocated at issue stays, unless the sale itself shrinks by a refund."""
    found = []
    for month in months:
        allocated = revenue = 0
        for issue in issues:
            if issue.month > month:
                continue
            told = issue.at(month)
            then = shares[issue.month][issue.month]
            alone = _divided(told.issued * issue.value_micro * then, MILLION * MILLION)
            part = points_share(max(0, told.price), max(0, alone))
            allocated += part
            expected = told.expected(shares[month][issue.month])
            closed = told.issued - told.used - told.lapsed <= 0
            # When nothing is open any more, nothing is owed: also where all of it lapsed unused.
            revenue += part if closed else recognised(part, told.used, expected)
        found.append(Month(month, allocated, revenue))
    return found


def provided(issues: Sequence[Issue], shares: Shares, *, months: range) -> list[Month]:
    """Provision month by month: expense for all that is expected to be redeemed, settled as it is."""
    found = []
    for month in months:
        expense = settled = 0
        for issue in issues:
            if issue.month > month:
                continue
            told = issue.at(month)
            expense += _divided(told.expected(shares[month][issue.month]) * issue.value_micro, MILLION)
            settled += _divided(told.used * issue.value_micro, MILLION)
        found.append(Month(month, expense, settled))
    return found


def without_tax(amount: int, tax_permille: int) -> int:
    """A price with its value-added tax → without it."""
    return _divided(amount * 1000, 1000 + tax_permille)
