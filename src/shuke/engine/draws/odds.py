"""Whether what was drawn fits the stated odds: Pearson's chi-square, prizes too rare to be judged put together."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, lgamma, log
from typing import NamedTuple

from shuke.engine.draws.terms import DrawTerms

LEAST = 5  # a cell must be expected so often


class Fit(NamedTuple):
    """`p`: how often fair draws look at least as odd as this one."""

    statistic: float
    freedom: int
    p: float


def fit(terms: DrawTerms, drew: Mapping[str, int], tickets: int) -> Fit | None:
    """None where there are too few tickets to say anything. `drew` counts what the odds gave, before the stock."""
    cells = [(float(p.odds) * tickets, drew.get(p.key, 0)) for p in terms.prizes]
    cells.append((tickets - sum(e for e, _ in cells), tickets - sum(n for _, n in cells)))
    cells = sorted(c for c in cells if c[0] > 1e-9 or c[1])
    merged: list[tuple[float, int]] = []
    rest_e, rest_n = 0.0, 0
    for expected, seen in cells:
        rest_e, rest_n = rest_e + expected, rest_n + seen
        if rest_e >= LEAST:
            merged.append((rest_e, rest_n))
            rest_e, rest_n = 0.0, 0
    if rest_e and merged:
        last_e, last_n = merged.pop()
        merged.append((last_e + rest_e, last_n + rest_n))
    if len(merged) < 2:
        return None
    statistic = sum((n - e) ** 2 / e for e, n in merged)
    return Fit(statistic, len(merged) - 1, upper_tail(statistic, len(merged) - 1))


def upper_tail(statistic: float, freedom: int) -> float:
    """P(chi-square with `freedom` degrees > statistic): the regularised upper incomplete gamma function."""
    a, x = freedom / 2, statistic / 2
    if x <= 0:
        return 1.0
    scale = exp(a * log(x) - x - lgamma(a))
    if x < a + 1:  # the lower one by its series
        term = total = 1 / a
        n = a
        while abs(term) > abs(total) * 1e-15:
            n += 1
            term *= x / n
            total += term
        return max(0.0, 1 - total * scale)
    b, c = x + 1 - a, 1e300  # the upper one by Lentz's continued fraction
    d = 1 / b
    h = d
    for i in range(1, 10_000):
        an = -i * (i - a)
        b += 2
        d = 1 / (an * d + b)
        c = b + an / c
        h *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return scale * h
