"""Sums and special functions the models need, in forms that stay finite and exact where textbook forms do not."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, gammaln, hyp2f1, psi

_TERMS = 1_024
_BLOCK = 65_536
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(8)


def running(values: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, 2 … values."""
    return np.concatenate(([0.0], np.cumsum(values)))


def running_inverse(start: float, count: int) -> np.ndarray:
    """Σ_{i<m} 1 / (start + i) for m = 0 … count: ψ(start + m) − ψ(start), without its cancellation."""
    return running(1.0 / (start + np.arange(count)))


def running_log(start: float, count: int) -> np.ndarray:
    """Σ_{i<m} ln(start + i) for m = 0 … count: ln Γ(start + m) − ln Γ(start)."""
    return running(np.log(start + np.arange(count)))


def chance_fewer(size: np.ndarray, z: np.ndarray, count: int) -> np.ndarray:
    """P(N < count) for N ~ negative binomial(size, z): the chance of fewer events than `count`."""
    if count <= 0:
        return np.zeros(np.broadcast(size, z).shape)
    return betainc(size, float(count), 1.0 - z)


def still_buying(a: float, stayed: np.ndarray, big: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Expected purchases of living customers for k = 1: closed form where it is safe, positive series where it is not.

    (a + s − 1) / (a − 1) · [1 − (1 − z)^R ₂F₁(R, s; a + s − 1; z)], by Euler's transformation with parameters that keep the
    hypergeometric series short. Near a = 1, for tiny horizons, for very many purchases and for huge b the difference in it
    loses its digits; those rows are summed term by term instead.
    """
    c = a + stayed - 1.0
    mean = big * z / (1.0 - z)  # if nobody ever left
    with np.errstate(all="ignore"):
        power = np.exp((c - stayed) * np.log1p(-z))  # (1 − z)^R · (1 − z)^(c − R − s)
        core = 1.0 - power * hyp2f1(c - big, a - 1.0, c, z)
        found = c / (a - 1.0) * core
    risky = ~np.isfinite(found) | (np.abs(core) < 1e-5) | (found < 0) | (found > mean * (1 + 1e-9))
    risky |= (big > 80.0) | (c <= 0)
    if abs(a - 1.0) < 1e-3:
        risky |= True
    if risky.any():
        found[risky] = series_sum(a, stayed[risky], big[risky], z[risky])
    return found


def series_sum(
    a: float, stayed: np.ndarray, big: np.ndarray, z: np.ndarray, *, k: int = 1, begun: int = 0
) -> np.ndarray:
    """Σ_n P(N = n) · C(⌊(begun + n) / k⌋), N ~ negative binomial(big, z), C(M) = Σ_{m ≤ M} Π_{i < m−1} (stayed + i)/(a + stayed + i).

    Rows leave the sum as soon as what is left of the distribution cannot matter any more; what lies beyond a thousand terms
    (a customer of a day, asked about for years) is an integral.
    """
    out = np.zeros(big.size)
    for begin in range(0, big.size, _BLOCK):
        part = slice(begin, begin + _BLOCK)
        out[part] = _series_block(a, stayed[part], big[part], z[part], k, begun)
    return out


def _series_block(a: float, stayed: np.ndarray, big: np.ndarray, z: np.ndarray, k: int, begun: int) -> np.ndarray:
    out = np.zeros(big.size)
    place = np.arange(big.size)
    log_z = np.log(z)
    log_p = big * np.log1p(-z)  # logarithm: P(N = 0) underflows for customers with hundreds of purchases
    weight = np.ones(big.size)  # of the next purchase to count
    counted = np.zeros(big.size)  # C so far
    total = np.zeros(big.size)
    for n in range(1, _TERMS + 1):
        log_p = log_p + np.log((big + n - 1) / n) + log_z
        if (begun + n) % k == 0:
            m = (begun + n) // k
            counted = counted + weight
            weight = weight * (stayed + m - 1) / (a + stayed + m - 1)
        p = np.exp(log_p)
        total += p * counted
        if n % 16 == 0:
            # The tail falls at least as fast as a geometric series with this ratio, once past the mean.
            ratio = z * (big + n) / (n + 1)
            left = np.where(ratio < 1, p * (counted + n) / np.maximum(1 - ratio, 1e-12) ** 2, np.inf)
            done = (n > big * z / (1.0 - z)) & (left < 1e-14 * np.maximum(total, 1e-3))
            if done.any():
                out[place[done]] = total[done]
                keep = ~done
                place, big, z, log_z, stayed = place[keep], big[keep], z[keep], log_z[keep], stayed[keep]
                log_p, weight, counted, total = log_p[keep], weight[keep], counted[keep], total[keep]
        if not place.size:
            return out
    for begin in range(0, place.size, 256):
        part = slice(begin, begin + 256)
        out[place[part]] = total[part] + _beyond(a, stayed[part], big[part], z[part], k, begun)
    return out


def _beyond(a: float, stayed: np.ndarray, big: np.ndarray, z: np.ndarray, k: int, begun: int) -> np.ndarray:
    """The terms after the first `_TERMS`, as an integral over n in logarithmic steps: there they change slowly."""
    scale = z / (1.0 - z)  # N is Poisson around a gamma variate of this scale
    spread = 12.0 * np.sqrt(big)
    low = np.maximum(_TERMS + 0.5, scale * (big - spread) - 12.0 * np.sqrt(scale * big))
    high = np.maximum(scale * (big + spread + 50.0), low * 1.0001)
    blocks = 96
    edges = np.arange(blocks)[:, None] + (_POINTS[None, :] + 1) / 2
    step = np.log(high / low)[:, None] / blocks
    n = low[:, None] * np.exp(step * edges.ravel()[None, :])
    weights = np.tile(_WEIGHTS / 2, blocks)[None, :] * step * n
    r, s = big[:, None], stayed[:, None]
    log_p = gammaln(r + n) - gammaln(r) - gammaln(n + 1) + r * np.log1p(-z)[:, None] + n * np.log(z)[:, None]
    purchases = (begun + n) / k - (k - 1) / (2 * k)  # the mean of the whole numbers of purchases thereabouts
    counted = _purchases_kept(a, s, purchases)
    return (weights * np.exp(log_p) * counted).sum(axis=1)


def _purchases_kept(a: float, s: np.ndarray, m: np.ndarray) -> np.ndarray:
    """C(m) = (a + s − 1 − Γ(s + m) Γ(a + s) / (Γ(s) Γ(a + s + m − 1))) / (a − 1) for real m, a logarithm at a = 1."""
    off = a - 1.0
    if abs(off) < 1e-3:
        fall = psi(s + off / 2 + m) - psi(s + off / 2)  # the slope of ln Γ half way, exact to off²
        return (off + s) * (fall if off == 0.0 else -np.expm1(-off * fall) / off)
    ratio = np.exp(gammaln(s + m) - gammaln(s) - gammaln(a + s + m - 1.0) + gammaln(a + s))
    return (off + s - ratio) / off
