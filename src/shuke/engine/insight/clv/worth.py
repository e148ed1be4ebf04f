"""What a customer is worth in the months ahead: expected orders × expected order value × margin, discounted by month."""

from __future__ import annotations

import numpy as np

from shuke.engine.insight.clv import predict
from shuke.engine.insight.clv.fitted import Fit
from shuke.engine.insight.clv.spend import expected_order_value

MONTH_DAYS = 365.25 / 12
MOST_MONTHS = 24


def expected_spend(
    purchases: Fit,
    values: Fit,
    x: np.ndarray,
    t_x: np.ndarray,
    T: np.ndarray,
    paid: np.ndarray,
    mean_spend: np.ndarray,
    *,
    months: int = 12,
    unit: float = 7.0,
    margin: float = 1.0,
    monthly_discount: float = 0.0,
) -> np.ndarray:
    """Expected spend (float64) of each customer over the next months, 24 at most: there is no endless value.

    purchases, values: fits of `fit.fit` and `spend.fit`. x, t_x, T in units of `unit` days; paid, mean_spend as in `history.Summary`.
    margin: the share of spend that is earned (1: spend itself). monthly_discount: 0.01 takes a hundredth off per month ahead.
    """
    if not 1 <= months <= MOST_MONTHS:
        raise ValueError(f"Value is told for 1 to {MOST_MONTHS} months ahead, not for {months}.")
    worth = expected_order_value(values, paid, mean_spend) * margin
    if monthly_discount == 0.0:
        return predict.expected_orders(purchases, x, t_x, T, months * MONTH_DAYS / unit) * worth
    total, before = np.zeros(worth.size), np.zeros(worth.size)
    for month in range(1, months + 1):
        upto = predict.expected_orders(purchases, x, t_x, T, month * MONTH_DAYS / unit)
        total += (upto - before) / (1.0 + monthly_discount) ** (month - 0.5)  # orders come through the month
        before = upto
    return total * worth
