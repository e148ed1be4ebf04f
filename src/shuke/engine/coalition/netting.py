"""Who pays whom: as few payments as settle all balances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

EXACT_UP_TO = 12  # parties with a balance; beyond, one payment less than there are parties


class Payment(NamedTuple):
    payer: str
    payee: str
    minor: int


def net(balances: Mapping[str, int]) -> list[Payment]:
    """Payments that settle balances adding up to 0 (> 0 is to be paid).

    n parties need n − 1 payments, less one for every further group of them that adds up to 0 by itself: the most such groups
    are looked for. The same balances always give the same payments.
    """
    open_ = {party: minor for party, minor in sorted(balances.items()) if minor}
    assert sum(open_.values()) == 0, "balances must add up to 0"
    payments: list[Payment] = []
    for group in _groups(open_) if len(open_) <= EXACT_UP_TO else [list(open_)]:
        payments += _settle({party: open_[party] for party in group})
    return sorted(payments)


def _groups(open_: Mapping[str, int]) -> list[list[str]]:
    """The most groups that add up to 0 each, by going through all subsets."""
    parties = list(open_)
    size = 1 << len(parties)
    sums = [0] * size
    for subset in range(1, size):
        low = subset & -subset
        sums[subset] = sums[subset ^ low] + open_[parties[low.bit_length() - 1]]
    most, last = [0] * size, [0] * size  # groups closed on the way to a subset, and who was added last
    for subset in range(1, size):
        best = -1
        for i in range(len(parties)):
            if subset >> i & 1 and most[subset ^ (1 << i)] > best:
                best, last[subset] = most[subset ^ (1 << i)], i
        most[subset] = best + (sums[subset] == 0)
    groups: list[list[str]] = []
    group: list[str] = []
    subset = size - 1
    while subset:
        group.append(parties[last[subset]])
        subset ^= 1 << last[subset]
        if not sums[subset]:
            groups.append(sorted(group))
            group = []
    return sorted(groups)


def _settle(balances: dict[str, int]) -> list[Payment]:
    """The largest debt pays the largest claim, until nothing is open."""
    payments = []
    while any(balances.values()):
        payer = min(balances, key=lambda party: (balances[party], party))
        payee = max(balances, key=lambda party: (balances[party], party))
        minor = min(-balances[payer], balances[payee])
        payments.append(Payment(payer, payee, minor))
        balances[payer] += minor
        balances[payee] -= minor
    return payments
