"""BG/NBD, MBG/NBD and their cousins with regular gaps (CNBD-k): buy, and after each purchase perhaps leave for good.

Purchases of a customer come with Erlang-k gaps of rate λ (k = 1: a Poisson process), λ ~ gamma(r, α) over customers; after a
purchase the customer leaves with chance p ~ beta(a, b). In the modified models (MBG) that may happen after the first purchase
too, which is why their one-time buyers are not all taken for alive.

Fader, Hardie & Lee 2005 (BG/NBD); Batislam, Denizel & Filiztekin 2007 (MBG/NBD); Platzer & Reutterer 2016 (regularity). With

    R = r + kx,   z = (T − t_x) / (α + T),   S = Σ_{j<k} (R)_j / j! · z^j,   D = a / (b + x) · ((α + T) / (α + t_x))^R

the likelihood of a row is Γ(R)/Γ(r) · α^r (α + T)^−R · B(a, b + x + 1) / B(a, b) · (S + D); in BG/NBD with x in place of x + 1,
b + x − 1 in place of b + x, and D = 0 where x = 0. D / (S + D) is the chance that the customer has left.

Every gamma function meets whole numbers only, so it is a running sum over 0, 1, 2 … : one table per evaluation.
"""

from __future__ import annotations

import math

import numpy as np

from shuke.engine.insight.clv.rows import Rows
from shuke.engine.insight.clv.special import (
    chance_fewer,
    running,
    running_inverse,
    running_log,
    series_sum,
    still_buying,
)

NAMES = ("r", "alpha", "a", "b")


class Surface:
    """The log-likelihood of grouped rows over (ln r, ln α, ln a, ln b), with its gradient."""

    names: tuple[str, ...] = NAMES

    def __init__(self, rows: Rows, *, modified: bool, k: int = 1) -> None:
        self.rows, self.modified, self.k = rows, modified, k
        self.x = rows.x.astype(np.int64)
        self.most = int(self.x.max())
        self.by_x = np.bincount(self.x, weights=rows.n, minlength=self.most + 1)
        self.seen = np.flatnonzero(self.by_x)
        # In BG/NBD a customer without a repeat cannot have left: those rows have no second way to come about.
        self.mortal = np.ones(self.x.size, dtype=bool) if modified else self.x > 0
        self.whole = bool(self.mortal.all())
        self.rest = rows.T - rows.t_x
        self.constant = 0.0
        if k > 1:
            self.constant = -math.lgamma(k) * float(rows.n @ rows.x)
            self.constant += (k - 1) * (rows.log_gaps or 0.0)

    def start(self) -> np.ndarray:
        """Where to begin, and the middle of the weak prior: the shop's own rate, and a dropout as shops have it."""
        rows = self.rows
        time = float(rows.n @ rows.T)
        rate = max(float(rows.n @ rows.x), 0.5) / time if time > 0 else 1.0
        return np.log([0.5, 0.5 / (self.k * rate), 0.8, 2.0])

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        r, alpha, a, b = np.exp(theta)
        rows, k, seen, by_x = self.rows, self.k, self.seen, self.by_x
        n, total = rows.n, float(rows.n.sum())
        kept = self.most + 2
        left_out = 1 if self.modified else 0
        stays = running(np.log1p(-a / (a + b + np.arange(kept))))[seen + left_out]
        stays_a = -running_inverse(a + b, kept)[seen + left_out]
        stays_b = running(a / ((b + np.arange(kept)) * (a + b + np.arange(kept))))[seen + left_out]
        stages = running_log(r, k * self.most)[k * seen]
        stages_r = running_inverse(r, k * self.most)[k * seen]
        counts = by_x[seen]
        value = float(counts @ (stages + stays)) + total * r * math.log(alpha) + self.constant
        g_r = float(counts @ stages_r) + total * math.log(alpha)
        g_alpha = total * r / alpha
        g_a, g_b = float(counts @ stays_a), float(counts @ stays_b)

        big = r + k * rows.x
        log_T = np.log(alpha + rows.T)
        value -= float(n @ (big * log_T))
        g_r -= float(n @ log_T)
        g_alpha -= float(n @ (big / (alpha + rows.T)))
        # ln(S + D): first S alone, then D where it can be.
        if k > 1:
            log_s, s_r, s_alpha = _stay_sum(big, self.rest, alpha + rows.T, k)
        at = slice(None) if self.whole else self.mortal
        base = (b + rows.x[at]) if self.modified else (b + rows.x[at] - 1.0)
        drop = np.log((alpha + rows.T[at]) / (alpha + rows.t_x[at]))
        d = math.log(a) - np.log(base) + big[at] * drop
        if k > 1:
            d -= log_s[at]
        small = np.exp(-np.abs(d))
        dead = np.where(d > 0, 1.0 / (1.0 + small), small / (1.0 + small))
        m = n[at]
        value += float(m @ (np.maximum(d, 0.0) + np.log1p(small)))
        gone = m * dead
        g_r += float(gone @ drop)
        g_alpha += float(gone @ (big[at] * (1.0 / (alpha + rows.T[at]) - 1.0 / (alpha + rows.t_x[at]))))
        g_a += float(gone.sum()) / a
        g_b -= float(gone @ (1.0 / base))
        if k > 1:
            value += float(n @ log_s)
            alive = n.copy()
            alive[at] -= gone
            g_r += float(alive @ s_r)
            g_alpha += float(alive @ s_alpha)
        return value, np.array([g_r * r, g_alpha * alpha, g_a * a, g_b * b])


def _stay_sum(
    big: np.ndarray, rest: np.ndarray, scaled: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ln S with its derivatives by R and by α: the chance, up to a factor, that the next purchase is still under way."""
    z = rest / scaled
    term, by_r, by_z = np.ones(big.size), np.zeros(big.size), np.zeros(big.size)
    total, total_r, total_z = term.copy(), by_r.copy(), by_z.copy()
    for j in range(1, k):
        factor = (big + j - 1) / j
        # d/dR, d/dz of term·factor·z
        by_r = (by_r * factor + term / j) * z
        by_z = factor * (by_z * z + term)
        term = term * factor * z
        total += term
        total_r += by_r
        total_z += by_z
    return np.log(total), total_r / total, -total_z * z / scaled / total


# ---- what follows from the parameters --------------------------------------------------------------------------------


def p_alive(
    params: tuple[float, ...], x: np.ndarray, t_x: np.ndarray, T: np.ndarray, *, modified: bool, k: int = 1
) -> np.ndarray:
    """The chance that the customer has not left. Not for showing: one-time buyers of BG/NBD are all 1."""
    r, alpha, a, b = params
    big = r + k * x
    base = b + x if modified else np.where(x > 0, b + x - 1.0, 1.0)
    log_d = math.log(a) - np.log(base) + big * np.log((alpha + T) / (alpha + t_x))
    if k > 1:
        log_d -= _stay_sum(big, T - t_x, alpha + T, k)[0]
    alive = 1.0 / (1.0 + np.exp(np.minimum(log_d, 700.0)))
    return alive if modified else np.where(x > 0, alive, 1.0)


def chance_to_buy(
    params: tuple[float, ...],
    x: np.ndarray,
    t_x: np.ndarray,
    T: np.ndarray,
    horizon: float,
    *,
    modified: bool,
    k: int = 1,
) -> np.ndarray:
    """The chance of at least one purchase in (T, T + horizon]."""
    r, alpha, _a, _b = params
    alive = p_alive(params, x, t_x, T, modified=modified, k=k)
    big, z = r + k * x, horizon / (alpha + T + horizon)
    if k == 1:
        return alive * -np.expm1(big * np.log1p(-z))
    none = np.zeros(x.size)
    for j, share in enumerate(_stages(big, T - t_x, alpha + T, k)):
        none += share * chance_fewer(big + j, z, k - j)
    return alive * (1.0 - none)


def expected_orders(
    params: tuple[float, ...],
    x: np.ndarray,
    t_x: np.ndarray,
    T: np.ndarray,
    horizon: float,
    *,
    modified: bool,
    k: int = 1,
) -> np.ndarray:
    """Purchases expected in (T, T + horizon].

    Alive, a customer goes through N ~ negative binomial(R + j, z) stages, j being the stage already reached; every k-th is a
    purchase, and the m-th purchase counts if the customer stayed m − 1 times: Π (b' + i) / (a + b' + i). For k = 1 the sum
    over m has a closed form with ₂F₁, which is used where it is safe.
    """
    r, alpha, a, b = params
    alive = p_alive(params, x, t_x, T, modified=modified, k=k)
    if horizon <= 0:
        return np.zeros(x.size)
    stayed = b + x + (1.0 if modified else 0.0)
    big, z = r + k * x, horizon / (alpha + T + horizon)
    if k == 1:
        return alive * still_buying(a, stayed, big, z)
    found = np.zeros(x.size)
    for j, share in enumerate(_stages(big, T - t_x, alpha + T, k)):
        found += share * series_sum(a, stayed, big + j, z, k=k, begun=j)
    return alive * found


def _stages(big: np.ndarray, rest: np.ndarray, scaled: np.ndarray, k: int) -> list[np.ndarray]:
    """How likely a living customer is in stage 0 … k − 1 of the way to the next purchase."""
    z, term, terms = rest / scaled, np.ones(big.size), []
    for j in range(k):
        terms.append(term)
        term = term * (big + j) / (j + 1) * z
    total = np.sum(terms, axis=0)
    return [one / total for one in terms]


def chance_of_count(params: tuple[float, ...], count: int, time: float, *, modified: bool) -> float:
    """The chance that a new customer makes exactly `count` repeat purchases within `time` (k = 1)."""
    r, alpha, a, b = params
    z = time / (alpha + time)
    fewer = float(chance_fewer(np.array([r]), np.array([z]), count)[0])
    upto = float(chance_fewer(np.array([r]), np.array([z]), count + 1)[0])
    m = count + 1 if modified else count
    steps = np.arange(max(m, 1))
    stays = float(np.log1p(-a / (a + b + steps[:m])).sum())
    still = math.exp(stays) * (upto - fewer)
    if not modified and count == 0:
        return still
    # stayed one time less, then left
    left = math.exp(float(np.log1p(-a / (a + b + steps[: m - 1])).sum())) * a / (a + b + m - 1)
    return still + left * (1.0 - fewer)
