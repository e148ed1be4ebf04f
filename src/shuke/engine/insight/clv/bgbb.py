"""BG/BB: customers who may buy once at each of a few set occasions (a yearly appeal, a monthly box).

At each occasion a living customer buys with chance p ~ beta(α, β), then leaves before the next with chance θ ~ beta(γ, δ).
Fader, Hardie & Shang 2010. Rows: x occasions with a purchase of T whole ones, the last of them the t_x-th. The likelihood is

    B(α+x, β+T−x)/B(α,β) · B(γ, δ+T)/B(γ,δ) + Σ_{i < T−t_x} B(α+x, β+t_x−x+i)/B(α,β) · B(γ+1, δ+t_x+i)/B(γ,δ):

alive at the end, or gone after occasion t_x + i. All beta functions are running sums over whole numbers.
"""

from __future__ import annotations

import numpy as np

from shuke.engine.insight.clv.rows import BadRows, Rows
from shuke.engine.insight.clv.special import running_inverse, running_log

NAMES = ("alpha", "beta", "gamma", "delta")


class _Tables:
    """ln Γ(v + m) − ln Γ(v), and its derivative, for whole m, of the six arguments that occur."""

    def __init__(self, params: tuple[float, ...], most: int) -> None:
        alpha, beta, gamma, delta = params
        self.starts = (alpha, beta, alpha + beta, gamma, delta, gamma + delta)
        self.log = [running_log(v, most) for v in self.starts]
        self.most = most

    def slopes(self) -> list[np.ndarray]:
        return [running_inverse(v, self.most) for v in self.starts]

    def bought(self, x: np.ndarray, missed: np.ndarray) -> np.ndarray:
        """ln B(α + x, β + missed) / B(α, β)."""
        return self.log[0][x] + self.log[1][missed] - self.log[2][x + missed]

    def stayed(self, times: np.ndarray) -> np.ndarray:
        """ln B(γ, δ + times) / B(γ, δ)."""
        return self.log[4][times] - self.log[5][times]

    def left(self, times: np.ndarray) -> np.ndarray:
        """ln B(γ + 1, δ + times) / B(γ, δ)."""
        return np.log(self.starts[3]) + self.log[4][times] - self.log[5][times + 1]


def _whole(x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = []
    for name, values in (("x", x), ("t_x", t_x), ("T", T)):
        values = np.asarray(values, np.float64)
        whole = np.rint(values)
        if (np.abs(values - whole) > 1e-9).any():
            raise BadRows("whole", f"BG/BB counts occasions: {name} must be a whole number in every row.")
        found.append(whole.astype(np.int64))
    if (found[0] > found[1]).any() or (found[1] > found[2]).any():
        raise BadRows("order", "BG/BB counts occasions: x must not be above t_x, nor t_x above T.")
    return found[0], found[1], found[2]


class _Ways:
    """All the ways each row can have come about: alive to the end, or gone after one of the silent occasions."""

    def __init__(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> None:
        self.x, self.t_x, self.T = x, t_x, T
        silent = T - t_x
        self.heads = np.concatenate(([0], np.cumsum(silent + 1)[:-1])).astype(np.int64)  # the first way is "alive"
        self.row = np.repeat(np.arange(x.size), silent + 1)
        step = np.arange(self.row.size) - self.heads[self.row]
        self.alive = step == 0
        self.end = np.where(self.alive, T[self.row], t_x[self.row] + step - 1)
        self.bought = x[self.row]
        self.missed = self.end - self.bought

    def logs(self, tables: _Tables) -> tuple[np.ndarray, np.ndarray]:
        """ln of each way, and of their sum by row."""
        each = tables.bought(self.bought, self.missed)
        each = each + np.where(self.alive, tables.stayed(self.end), tables.left(self.end))
        top = np.maximum.reduceat(each, self.heads)
        total = top + np.log(np.add.reduceat(np.exp(each - top[self.row]), self.heads))
        return each, total


class Surface:
    """The log-likelihood of grouped rows over (ln α, ln β, ln γ, ln δ), with its gradient."""

    names: tuple[str, ...] = NAMES

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.x, self.t_x, self.T = _whole(rows.x, rows.t_x, rows.T)
        self.most = int(self.T.max()) + 2
        self.ways = _Ways(self.x, self.t_x, self.T)

    def start(self) -> np.ndarray:
        rows = self.rows
        share = float(rows.n @ rows.x) / max(float(rows.n @ rows.T), 1e-9)
        share = min(max(1.5 * share, 0.05), 0.9)  # of the living: some have left
        return np.log([1.5 * share, 1.5 * (1 - share), 0.6, 2.5])

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        params = tuple(np.exp(theta))
        tables, ways = _Tables(params, self.most), self.ways
        each, total = ways.logs(tables)
        share = np.exp(each - total[ways.row]) * self.rows.n[ways.row]
        a, b, ab, _c, d, cd = tables.slopes()
        by_ab = ab[ways.bought + ways.missed]
        gone = ~ways.alive
        longer = cd[ways.end + gone]
        gradient = np.array(
            [
                share @ (a[ways.bought] - by_ab),
                share @ (b[ways.missed] - by_ab),
                share @ (gone / params[2] - longer),
                share @ (d[ways.end] - longer),
            ]
        )
        return float(self.rows.n @ total), gradient * params


# ---- what follows from the parameters --------------------------------------------------------------------------------


def p_alive(params: tuple[float, ...], x: np.ndarray, t_x: np.ndarray, T: np.ndarray, ahead: int = 1) -> np.ndarray:
    """The chance to be alive at the `ahead`-th occasion after the T observed (the paper's figure: the next one, 1)."""
    x, t_x, T = _whole(x, t_x, T)
    tables = _Tables(params, int(T.max()) + ahead + 2)
    _each, total = _Ways(x, t_x, T).logs(tables)
    return np.exp(tables.bought(x, T - x) + tables.stayed(T + ahead) - total)


def chance_to_buy(
    params: tuple[float, ...], x: np.ndarray, t_x: np.ndarray, T: np.ndarray, horizon: float
) -> np.ndarray:
    """The chance of a purchase at one of the next `horizon` occasions: one less what silence through them would be worth."""
    x, t_x, T = _whole(x, t_x, T)
    ahead = round(horizon)
    tables = _Tables(params, int(T.max()) + ahead + 2)
    _each, now = _Ways(x, t_x, T).logs(tables)
    _each, silent = _Ways(x, t_x, T + ahead).logs(tables)
    return -np.expm1(silent - now)


def expected_orders(
    params: tuple[float, ...], x: np.ndarray, t_x: np.ndarray, T: np.ndarray, horizon: float
) -> np.ndarray:
    """Purchases expected at the next `horizon` occasions; a sum over them, so γ = 1 is nothing special."""
    x, t_x, T = _whole(x, t_x, T)
    ahead = round(horizon)
    tables = _Tables(params, int(T.max()) + ahead + 3)
    _each, total = _Ways(x, t_x, T).logs(tables)
    buys = tables.bought(x + 1, T - x)
    found = np.zeros(x.size)
    for i in range(1, ahead + 1):
        found += np.exp(buys + tables.stayed(T + i) - total)
    return found
