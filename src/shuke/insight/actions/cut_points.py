"""Cut points a shop sets itself, in place of those learnt from its members."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from django.db import transaction

from shuke.engine.insight.rfm import Cuts, RfmCuts
from shuke.engine.insight.standing import Published
from shuke.insight.actions.snapshots import snapshot
from shuke.insight.models import Snapshot
from shuke.shops.models import Merchant


class BadCutPoints(ValueError):
    """Cut points that contradict themselves. `dimension` is r, f or m."""

    def __init__(self, dimension: str, message: str) -> None:
        super().__init__(message)
        self.dimension = dimension


class NothingToCut(LookupError):
    """There is no snapshot yet, so nobody has a score."""


def set_cut_points(*, merchant: Merchant, cuts: RfmCuts, now: datetime) -> Snapshot:
    """Score by these from now on: the latest snapshot is made again with them, and no night makes them anew.

    Each dimension needs all four steps and the two-level bound; steps must not get easier (days fall, order days and
    money rise). Raises BadCutPoints, NothingToCut.
    """
    for dimension, one in (("r", cuts.recency), ("f", cuts.frequency), ("m", cuts.money)):
        _check(dimension, one)
    with transaction.atomic():
        latest = _latest(merchant)
        published = Published.from_json(latest.cuts)
        own = replace(cuts, own=True, fixed_on=latest.day)
        latest.cuts = replace(published, rfm=own).to_json()
        latest.save(update_fields=["cuts"])
        return snapshot(merchant=merchant, day=latest.day, now=now)


def learn_cut_points(*, merchant: Merchant, now: datetime) -> Snapshot:
    """Give up own cut points: the latest snapshot is made again with learnt ones."""
    with transaction.atomic():
        latest = _latest(merchant)
        latest.cuts = {}
        latest.save(update_fields=["cuts"])
        return snapshot(merchant=merchant, day=latest.day, now=now)


def _latest(merchant: Merchant) -> Snapshot:
    found = Snapshot.objects.select_for_update().filter(merchant=merchant).order_by("-day").first()
    if found is None:
        raise NothingToCut("Nobody has a score yet: scores are made at night, after the first import.")
    return found


def _check(dimension: str, cuts: Cuts) -> None:
    steps = [step for step in cuts.steps if step is not None]
    if len(steps) < 4 or cuts.two is None:
        raise BadCutPoints(
            dimension, f"{dimension.upper()} needs four steps, for scores 2 to 5, and the bound of high and low."
        )
    sign = -1 if dimension == "r" else 1
    if any(sign * later < sign * earlier for earlier, later in pairwise(steps)):
        order = "fall: fewer days are better" if dimension == "r" else "rise"
        raise BadCutPoints(dimension, f"The steps of {dimension.upper()} must {order}, and these do not: {steps}.")
