"""Breakage by monthly cohort: how much of the points issued in a month is used or lapses, by age; and how much will be.

The estimate is the chain ladder of actuaries: the growth of used points from one age to the next, weighted by volume, is
carried on to the youngest cohorts (Mack 1993, with his standard error). A cohort of which less than a quarter has come in
yet is too young to be multiplied: it gets the rate of all cohorts for the part still to come (Bornhuetter-Ferguson).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

YOUNG = 0.25  # of what is expected has come in: below it a cohort is not multiplied
RUN_OFF = 0.01  # a cohort of which no more than this is still open has told its story
FEWEST_MONTHS = 4
FEWEST_RUN_OFF = 3
TWO_YEARS = 24


class Use(NamedTuple):
    """Points of one cohort that moved in one month. `kind`: used | lapsed | taken (taken back: never really issued)."""

    cohort: int
    month: int
    kind: str
    points: int


class Cohort(NamedTuple):
    """Points issued in one month, less what was taken back; used and lapsed so far, by age 0, 1, 2 … in months."""

    month: int
    issued: int
    used: tuple[int, ...]
    lapsed: tuple[int, ...]

    @property
    def age(self) -> int:
        return len(self.used) - 1

    @property
    def open(self) -> int:
        return self.issued - self.used[-1] - self.lapsed[-1]


class Expected(NamedTuple):
    """What a cohort comes to: points that will have been used at the end, and the standard error of that."""

    cohort: Cohort
    ultimate: float
    error: float | None
    method: str  # "done" | "ladder" | "rate"

    @property
    def share(self) -> float:
        return self.ultimate / self.cohort.issued if self.cohort.issued else 0.0


class Estimate(NamedTuple):
    """`rate` is the ultimate redemption rate (URR); `thin` says why not to trust it, empty where it can be."""

    until: int
    cohorts: list[Expected]
    factors: list[float]
    rate: float | None
    error: float | None
    thin: list[str]  # few_months | nobody_redeemed | not_run_off | open_tail | one_season

    @property
    def firm(self) -> bool:
        """Good enough to put breakage into the books; short of that no breakage is assumed (IFRS 15.B46)."""
        return self.rate is not None and not {"few_months", "nobody_redeemed", "not_run_off", "open_tail"} & set(
            self.thin
        )


class Backtest(NamedTuple):
    """The last `hidden` months were hidden and predicted from what was known before."""

    hidden: int
    cohorts: int
    issued: int
    predicted: int  # points used within the hidden months
    actual: int
    firm: bool  # what was known before would have been enough to book on

    @property
    def error(self) -> float:
        """Of the redemption rate, in shares of what was issued: +0.01 said one point in a hundred too many."""
        return (self.predicted - self.actual) / self.issued if self.issued else 0.0


def cohorts(grants: Mapping[int, int], uses: Iterable[Use], *, until: int) -> list[Cohort]:
    """The triangle as it stood at the end of month `until`; later months are not looked at."""
    moved: dict[int, dict[str, dict[int, int]]] = {}
    for use in uses:
        if use.month <= until and use.cohort <= until:
            kinds = moved.setdefault(use.cohort, {"used": {}, "lapsed": {}, "taken": {}})
            by_month = kinds[use.kind]
            by_month[use.month] = by_month.get(use.month, 0) + use.points
    found = []
    for month in sorted(grants):
        if month > until:
            break
        kinds = moved.get(month, {"used": {}, "lapsed": {}, "taken": {}})
        issued = grants[month] - sum(kinds["taken"].values())
        ages = range(month, until + 1)
        if issued > 0:
            found.append(Cohort(month, issued, _running(kinds["used"], ages), _running(kinds["lapsed"], ages)))
    return found


def _running(by_month: dict[int, int], ages: range) -> tuple[int, ...]:
    whole = sum(points for month, points in by_month.items() if month < ages.start)
    sums = []
    for month in ages:
        whole += by_month.get(month, 0)
        sums.append(whole)
    return tuple(sums)


def estimate(triangle: list[Cohort], *, until: int) -> Estimate:
    """Ultimate redemption of every cohort and of all together."""
    factors, sigmas, weights = _development(triangle)
    to_come = _to_come(factors)
    rate = _rate_of_all(triangle, to_come)
    expected = []
    for cohort in triangle:
        used, ceiling = cohort.used[-1], cohort.issued - cohort.lapsed[-1]
        left = to_come[min(cohort.age, len(to_come) - 1)]
        if cohort.open <= 0:
            expected.append(Expected(cohort, float(used), 0.0, "done"))
        elif used and 1 / left >= YOUNG:
            whole = min(used * left, ceiling)
            expected.append(
                Expected(cohort, max(float(used), whole), _error(cohort, factors, sigmas, weights), "ladder")
            )
        else:
            whole = min(used + cohort.issued * rate * (1 - 1 / left), ceiling)
            expected.append(Expected(cohort, max(float(used), whole), None, "rate"))
    issued = sum(cohort.issued for cohort in triangle)
    overall = sum(e.ultimate for e in expected) / issued if issued else None
    return Estimate(
        until, expected, factors, overall, _error_of_all(expected, factors, sigmas, weights), _thin(triangle)
    )


def _development(triangle: list[Cohort]) -> tuple[list[float], list[float], list[float]]:
    """Factors from age a to a + 1, their variances σ², and the volume each rests on."""
    oldest = max((cohort.age for cohort in triangle), default=0)
    factors: list[float] = []
    sigmas: list[float] = []
    weights: list[float] = []
    for age in range(oldest):
        pairs = [(c.used[age], c.used[age + 1]) for c in triangle if c.age > age]
        volume, after = sum(a for a, _ in pairs), sum(b for _, b in pairs)
        factor = after / volume if volume else 1.0
        told = [(a, b) for a, b in pairs if a]
        spread = sum(a * (b / a - factor) ** 2 for a, b in told) / (len(told) - 1) if len(told) > 1 else None
        if spread is None:  # one pair tells no spread: Mack carries on the fall of the two before
            one, two = [0.0, 0.0, *sigmas][-2:]
            spread = min(two * two / one, one, two) if one else min(one, two)
        factors.append(factor)
        sigmas.append(spread)
        weights.append(float(volume))
    return factors, sigmas, weights


def _to_come(factors: list[float]) -> list[float]:
    """By age: by how much used points still grow. Nothing is known beyond the oldest cohort, so nothing is assumed."""
    found = [1.0]
    for factor in reversed(factors):
        found.append(found[-1] * max(factor, 1e-9))
    return found[::-1]


def _rate_of_all(triangle: list[Cohort], to_come: list[float]) -> float:
    """Used of all cohorts over what of their points should have come in by now (Cape Cod)."""
    due = sum(c.issued / to_come[min(c.age, len(to_come) - 1)] for c in triangle)
    return min(1.0, sum(c.used[-1] for c in triangle) / due) if due else 0.0


def _error(cohort: Cohort, factors: list[float], sigmas: list[float], weights: list[float]) -> float:
    value, whole = float(cohort.used[-1]), 0.0
    for age in range(cohort.age, len(factors)):
        if value and weights[age] and factors[age]:
            whole += sigmas[age] / factors[age] ** 2 * (1 / value + 1 / weights[age])
        value *= factors[age]
    return value * math.sqrt(whole)


def _error_of_all(
    expected: list[Expected], factors: list[float], sigmas: list[float], weights: list[float]
) -> float | None:
    """Standard error of the rate; cohorts share their factors, so their errors do not cancel. None: nothing was laddered."""
    ladder = sorted((e for e in expected if e.method == "ladder"), key=lambda e: e.cohort.month)
    issued = sum(e.cohort.issued for e in expected)
    if not ladder or not issued:
        return None
    whole = 0.0
    for i, one in enumerate(ladder):
        later = sum(other.ultimate for other in ladder[i + 1 :])
        shared = sum(
            2 * sigmas[age] / factors[age] ** 2 / weights[age]
            for age in range(one.cohort.age, len(factors))
            if weights[age] and factors[age]
        )
        whole += (one.error or 0.0) ** 2 + one.ultimate * later * shared
    return math.sqrt(whole) / issued


def _thin(triangle: list[Cohort]) -> list[str]:
    """Why the estimate is not to be trusted, gravest first."""
    said = []
    if len(triangle) < FEWEST_MONTHS:
        said.append("few_months")
    if not any(cohort.used[-1] for cohort in triangle):
        said.append("nobody_redeemed")
    if sum(1 for c in triangle if c.open <= RUN_OFF * c.issued) < FEWEST_RUN_OFF:
        said.append("not_run_off")
        if triangle and triangle[0].open > RUN_OFF * triangle[0].issued:
            said.append("open_tail")
    if triangle and triangle[-1].month - triangle[0].month + 1 < TWO_YEARS:
        said.append("one_season")
    return said


def backtest(grants: Mapping[int, int], uses: Iterable[Use], *, until: int, hidden: int) -> Backtest | None:
    """Hide the last months, predict what is used in them, and compare. None where too little is left to predict from."""
    told = list(uses)
    before = cohorts(grants, told, until=until - hidden)
    if len(before) < FEWEST_MONTHS:
        return None
    after = {cohort.month: cohort for cohort in cohorts(grants, told, until=until)}
    factors, _, _ = _development(before)
    to_come = _to_come(factors)
    rate = _rate_of_all(before, to_come)
    predicted = actual = issued = 0.0
    for cohort in before:
        now, then = (to_come[min(cohort.age + n, len(to_come) - 1)] for n in (0, hidden))
        used, ceiling = cohort.used[-1], cohort.issued - cohort.lapsed[-1]
        grown = used * now / then if used and 1 / now >= YOUNG else used + cohort.issued * rate * (1 / then - 1 / now)
        predicted += max(used, min(grown, ceiling)) - used
        actual += after[cohort.month].used[-1] - used if cohort.month in after else 0
        issued += cohort.issued
    firm = estimate(before, until=until - hidden).firm
    return Backtest(hidden, len(before), int(issued), round(predicted), int(actual), firm)
