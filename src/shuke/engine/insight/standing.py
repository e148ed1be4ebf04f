"""Where each member stands on one day: sums, scores, layer and stage, side by side as columns.

Cut points, bounds and the shop's rhythm are published: kept from day to day until they are due anew, so that members move by what they do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import numpy as np

from shuke.engine.insight import kpi, lifecycle, pyramid, rfm
from shuke.engine.insight.port import Columns

REFRESH_DAY = 1  # day of the month on which cut points are made anew


@dataclass(frozen=True, slots=True)
class Published:
    """The measures in force, and how many buyers there were when they were made."""

    rfm: rfm.RfmCuts
    pyramid: pyramid.Bounds
    rhythm: lifecycle.Rhythm
    buyers: int

    def to_json(self) -> dict:
        return {
            "rfm": self.rfm.to_json(),
            "pyramid": self.pyramid.to_json(),
            "rhythm": self.rhythm._asdict(),
            "buyers": self.buyers,
        }

    @classmethod
    def from_json(cls, told: dict) -> Published:
        return cls(
            rfm.RfmCuts.from_json(told["rfm"]),
            pyramid.Bounds.from_json(told["pyramid"]),
            lifecycle.Rhythm(**told["rhythm"]),
            told["buyers"],
        )


class Members(NamedTuple):
    """One element per living member of the day, by ascending id. Money is minor units; days are day numbers."""

    member: np.ndarray  # int64
    joined: np.ndarray  # int32
    orders: np.ndarray  # int64, 0: no purchase yet, and then every following figure is 0
    order_days: np.ndarray
    window_days: np.ndarray  # order days within the window
    net: np.ndarray
    window_net: np.ndarray
    refunded: np.ndarray  # also of orders given back whole
    first_s: np.ndarray  # seconds since 1970 UTC
    last_s: np.ndarray
    last_day: np.ndarray
    usual_gap: np.ndarray  # float64, NaN: not known
    r5: np.ndarray  # int8, 0: no purchase
    f5: np.ndarray
    m5: np.ndarray
    rfm: np.ndarray  # int16, 222 … 111, 0: no purchase
    layer: np.ndarray  # int8, index into pyramid.LAYERS
    stage: np.ndarray  # int8, index into lifecycle.STAGES, -1: no purchase
    bond: np.ndarray  # int8, index into pyramid.BONDS


def due_anew(former: Published | None, as_of: date, buyers: int) -> bool:
    """Whether cut points and bounds must be made anew on this day. Cut points a shop set itself stay all the same."""
    if former is None:
        return True
    return as_of >= next_refresh(former.pyramid.fixed_on) or not 0.8 * former.buyers <= buyers <= 1.25 * former.buyers


def next_refresh(fixed_on: date) -> date:
    """The first refresh day after `fixed_on`."""
    month = kpi.month_number(fixed_on) + (fixed_on.day >= REFRESH_DAY)
    return date(month // 12, month % 12 + 1, REFRESH_DAY)


def stand(
    everyone: Columns,
    totals: Columns,
    gaps: Columns,
    as_of: date,
    former: Published | None,
    chance: lifecycle.Chance | None = None,
) -> tuple[Members, Published]:
    today = kpi.day_number(as_of)
    who = everyone["who"]
    at = np.searchsorted(who, totals["who"])

    def spread(values: np.ndarray) -> np.ndarray:
        wide = np.zeros(who.size, dtype=values.dtype)
        wide[at] = values
        return wide

    order_days, net, last_day = spread(totals["order_days"]), spread(totals["net_sum"]), spread(totals["last_day"])
    window_net = spread(totals["window_net"])
    bought = order_days > 0
    silence = (today - last_day[bought]).astype(np.int64)

    window_days = spread(totals["window_days"])
    in_window = window_days > 0
    learnt = lifecycle.rhythm(gaps["gaps"], gaps["gap_days"], gaps["log_sum"], gaps["log_squares"])
    published = former
    buyers = int(bought.sum())
    if published is None or due_anew(former, as_of, buyers):
        own = former is not None and former.rfm.own
        published = Published(
            former.rfm if former and own else rfm.cut_points(silence, order_days[bought], net[bought], fixed_on=as_of),
            pyramid.bounds(window_net[in_window], fixed_on=as_of),
            learnt,
            buyers,
        )
    elif published.rhythm.shop_gap is None and learnt.shop_gap is not None:
        published = replace(published, rhythm=learnt)  # at last there are gaps enough
    scores = rfm.score(silence, order_days[bought], net[bought], published.rfm)

    own_gaps, own_logs = np.zeros(who.size), np.zeros(who.size)
    with_gaps = np.searchsorted(who, gaps["who"])
    own_gaps[with_gaps], own_logs[with_gaps] = gaps["gaps"], gaps["log_sum"]
    usual = lifecycle.usual_gaps(own_gaps[bought], own_logs[bought], published.rhythm)

    def only_buyers(values: np.ndarray, nobody: float) -> np.ndarray:
        wide = np.full(who.size, nobody, dtype=values.dtype)
        wide[bought] = values
        return wide

    back = None
    if chance is not None:
        back = chance(order_days[bought], spread(totals["first_day"])[bought], last_day[bought], today)
    stage = only_buyers(lifecycle.stages(order_days[bought], silence, usual, back), -1)
    return (
        Members(
            member=who,
            joined=everyone["joined_day"],
            orders=spread(totals["orders"]),
            order_days=order_days,
            window_days=window_days,
            net=net,
            window_net=window_net,
            refunded=spread(totals["refunded_sum"]),
            first_s=spread(totals["first_s"]),
            last_s=spread(totals["last_s"]),
            last_day=last_day,
            usual_gap=only_buyers(usual, np.nan),
            r5=only_buyers(scores.r5, 0),
            f5=only_buyers(scores.f5, 0),
            m5=only_buyers(scores.m5, 0),
            rfm=only_buyers(scores.classes, 0),
            layer=pyramid.layers(window_net, published.pyramid),
            stage=stage,
            bond=pyramid.bonds(order_days, window_days, stage),
        ),
        published,
    )
