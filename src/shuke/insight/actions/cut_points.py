"""Cut points a shop sets itself, in place of those learnt from its members."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from shuke.engine.insight.rfm import BadCutPoints, RfmCuts, check, cut_points
from shuke.engine.insight.standing import Published
from shuke.insight.actions.snapshots import snapshot
from shuke.insight.models import Snapshot
from shuke.insight.queries.cut_points import values_of
from shuke.kit import audit
from shuke.shops.models import Merchant

__all__ = ["BadCutPoints", "NothingToCut", "learn_cut_points", "set_cut_points"]


class NothingToCut(LookupError):
    """There is no snapshot yet, so nobody has a score."""


def set_cut_points(*, merchant: Merchant, cuts: RfmCuts, now: datetime, actor: str) -> Snapshot:
    """Score by these from now on: the latest snapshot is made again with them, and no night makes them anew.

    Earlier snapshots keep what they were scored by. Raises BadCutPoints, NothingToCut.
    """
    check(cuts)
    with transaction.atomic():
        latest = _latest(merchant)
        return _publish(merchant, latest, replace(cuts, own=True, fixed_on=latest.day), now, actor)


def learn_cut_points(*, merchant: Merchant, now: datetime, actor: str) -> Snapshot:
    """Give up own cut points: the latest snapshot is made again with ones learnt from its members."""
    with transaction.atomic():
        latest = _latest(merchant)
        values = values_of(merchant, latest)
        learnt = cut_points(values.days, values.order_days, values.net, fixed_on=latest.day)
        return _publish(merchant, latest, learnt, now, actor)


def _publish(merchant: Merchant, latest: Snapshot, cuts: RfmCuts, now: datetime, actor: str) -> Snapshot:
    """Only these change; layers and rhythm stay as published."""
    latest.cuts = replace(Published.from_json(latest.cuts), rfm=cuts).to_json()
    latest.save(update_fields=["cuts"])
    audit.record(
        merchant_id=merchant.pk,
        at=now,
        actor=actor,
        verb="cut_points.set" if cuts.own else "cut_points.learnt",
        object=f"snapshot {latest.day}",
        detail=cuts.to_json(),
    )
    return snapshot(merchant=merchant, day=latest.day, now=now, actor=actor)


def _latest(merchant: Merchant) -> Snapshot:
    found = Snapshot.objects.select_for_update().filter(merchant=merchant).order_by("-day").first()
    if found is None:
        raise NothingToCut("Nobody has a score yet: scores are made at night, after the first import.")
    return found
