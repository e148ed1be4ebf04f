"""Gamma-Gamma: what an order of a customer is worth, own average drawn towards the shop's as far as the data ask for it.

The mean z̄ of m orders of a customer, whose orders are gamma(p, ν) with ν ~ gamma(q, γ), has (Fader & Hardie 2013)

    f(z̄ | m) = Γ(pm + q) / (Γ(pm) Γ(q)) · γ^q z̄^(pm−1) m^(pm) / (γ + m z̄)^(pm+q);

the expected order value is p (γ + m z̄) / (pm + q − 1): the own mean, and the shop's p γ / (q − 1) for who has none. With q near
1 or below the shop's mean does not exist (the source of negative values elsewhere), so q stays above 1.05.

m counts all orders, the first included: on every real history tried that ranked next spend better than repeats alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, psi

from shuke.engine.insight.clv.fitted import Fit, fitted
from shuke.engine.insight.clv.rows import BadRows

NAMES = ("p", "q", "gamma")
LEAST_Q = 1.05
CAP_AT = 99.5  # per cent: order values above are capped for the model; one wholesaler must not set the shop's mean
WHOLESALE_MEDIANS = 10.0  # and whose orders lie above so many medians too is no shopper


class Independence(NamedTuple):
    """How far often-buyers spend other amounts per order: the model takes them for independent."""

    correlation: float
    fine: bool  # within ± 0.3


class Surface:
    """The log-likelihood over (ln p, ln(q − 1.05), ln γ), with its gradient. One element per customer, or group of n."""

    names: tuple[str, ...] = NAMES

    def __init__(self, orders: np.ndarray, mean: np.ndarray, n: np.ndarray) -> None:
        self.m, self.mean, self.n = orders, mean, n
        self.seen, self.where = np.unique(orders, return_inverse=True)
        self.by_m = np.bincount(self.where, weights=n)
        self.spent = orders * mean
        self.log_mean = np.log(mean)
        self.constant = -float(n @ self.log_mean)

    def start(self) -> np.ndarray:
        """p = 2, q = 3, and γ so that the mean is the shop's."""
        shop = float(np.exp((self.n @ self.log_mean) / self.n.sum()))
        return np.log([2.0, 3.0 - LEAST_Q, shop])

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        p, over, gamma = np.exp(theta)
        q = over + LEAST_Q
        m, n, u = self.m, self.n, self.seen
        pm = p * u
        ends = gammaln(pm + q) - gammaln(pm) - gammaln(q) + pm * np.log(u)
        log_all = np.log(gamma + self.spent)
        size = p * m + q
        value = float(self.by_m @ ends) + float(n.sum()) * q * np.log(gamma) + self.constant
        value += float(n @ (p * m * self.log_mean - size * log_all))
        both = psi(pm + q)
        by_p = float(self.by_m @ (u * (both - psi(pm) + np.log(u)))) + float(n @ (m * (self.log_mean - log_all)))
        by_q = float(self.by_m @ (both - psi(q))) + n.sum() * np.log(gamma) - float(n @ log_all)
        by_gamma = n.sum() * q / gamma - float(n @ (size / (gamma + self.spent)))
        return value, np.array([by_p * p, by_q * over, by_gamma * gamma])


def fit(
    orders: np.ndarray, mean: np.ndarray, n: np.ndarray | None = None, *, prior: bool = True, cap: bool = False
) -> Fit:
    """Fit to customers with `orders` ≥ 1 orders of `mean` > 0 each (equally long; n: how many are alike).

    Rows with a mean that is missing, 0 or below, or with no orders, are left out; `cap` caps means at the 99.5th percentile.
    Raises BadRows where nobody is left.
    """
    orders, mean, n = kept(orders, mean, n)
    if cap:
        mean = np.minimum(mean, np.percentile(mean, CAP_AT))
    return fitted(
        "gamma_gamma",
        Surface(orders, mean, n),
        prior=prior,
        customers=float(n.sum()),
        rows=orders.size,
        floors=(0.0, LEAST_Q, 0.0),
    )


def kept(
    orders: np.ndarray, mean: np.ndarray, n: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The customers a spend model can learn from."""
    orders, mean = np.asarray(orders, np.float64), np.asarray(mean, np.float64)
    n = np.ones(orders.size) if n is None else np.asarray(n, np.float64)
    if not orders.shape == mean.shape == n.shape or orders.ndim != 1:
        raise BadRows("length", "Orders, mean spend and counts must be equally long columns.")
    use = np.isfinite(mean) & (mean > 0) & (orders >= 1) & (n > 0)
    if not use.any():
        raise BadRows("empty", "No customer has an order with an amount above 0, so there is no spend to learn from.")
    return orders[use], mean[use], n[use]


def expected_order_value(fit: Fit, orders: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """What the next orders of each customer will be worth on average (float64); the shop's mean for who has none."""
    p, q, gamma = fit.params
    orders, mean = np.asarray(orders, np.float64), np.asarray(mean, np.float64)
    use = np.isfinite(mean) & (mean > 0) & (orders >= 1)
    m, spent = np.where(use, orders, 0.0), np.where(use, orders * np.where(use, mean, 0.0), 0.0)
    return p * (gamma + spent) / np.where(use, p * m + q - 1.0, q - 1.0)


def shop_mean(fit: Fit) -> float:
    """The mean order value over all customers of the model: p γ / (q − 1)."""
    p, q, gamma = fit.params
    return p * gamma / (q - 1.0)


def wholesale_from(mean: np.ndarray) -> float:
    """The mean order value above which a customer is taken for a wholesaler, and counted with this much; inf where nobody is."""
    known = mean[np.isfinite(mean) & (mean > 0)]
    if known.size < 2:
        return float("inf")
    bound = max(float(np.percentile(known, CAP_AT, method="lower")), WHOLESALE_MEDIANS * float(np.median(known)))
    return bound if (known > bound).any() else float("inf")


def independence(orders: np.ndarray, mean: np.ndarray) -> Independence:
    """The correlation of frequency and order value among customers with at least two orders."""
    orders, mean, _n = kept(orders, mean)
    several = orders >= 2
    if several.sum() < 3 or np.ptp(orders[several]) == 0 or np.ptp(mean[several]) == 0:
        return Independence(0.0, True)
    found = float(np.corrcoef(orders[several], mean[several])[0, 1])
    return Independence(found, abs(found) <= 0.3)
