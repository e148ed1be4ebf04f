"""RFM cut points: those in force, those that were, and how many members others would put in each class."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from django.conf import settings

from shuke.engine.insight.rfm import RfmCuts, Tally, check, score, tally
from shuke.insight.models import CutPoints, MemberScore, OfDay, Snapshot
from shuke.kit import clock
from shuke.shops.models import Merchant


class Values(NamedTuple):
    """R, F and M of all members with a purchase, one element each."""

    days: np.ndarray
    order_days: np.ndarray
    net: np.ndarray


class Chapter(NamedTuple):
    """Cut points from one day on, until the next ones."""

    day: date
    made_at: datetime
    actor: str  # "" = the night run
    cuts: RfmCuts


def in_force(merchant: Merchant) -> RfmCuts | None:
    """The cut points of the latest snapshot; None before the first."""
    latest = _latest(merchant)
    return RfmCuts.from_json(latest.cuts["rfm"]) if latest and latest.cuts else None


def history(merchant: Merchant, limit: int = 100) -> list[Chapter]:
    """Newest first. A snapshot was scored by the newest of these up to its day."""
    kept = CutPoints.objects.filter(merchant=merchant).order_by("-day", "-id")[:limit]
    return [Chapter(one.day, one.made_at, one.actor, RfmCuts.from_json(one.cuts)) for one in kept]


def recut_days(merchant: Merchant, *, since: date, until: date) -> list[date]:
    """Days in between on which the measure itself changed."""
    kept = CutPoints.objects.filter(merchant=merchant, day__gt=since, day__lte=until)
    return sorted(set(kept.values_list("day", flat=True)))


def preview(merchant: Merchant, cuts: RfmCuts) -> Tally | None:
    """How many members these would put where, as of the latest snapshot; None before the first. Raises BadCutPoints."""
    check(cuts)
    latest = _latest(merchant)
    if latest is None:
        return None
    return tally(score(*values_of(merchant, latest), cuts))


def values_of(merchant: Merchant, latest: Snapshot) -> Values:
    """From the file the night left beside the columns; from the scores where there is none, or another night's."""
    try:
        with np.load(values_path(merchant), allow_pickle=False) as kept:
            if str(kept["mark"]) == mark_of(latest):
                return Values(kept["days"], kept["order_days"], kept["net"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not there, or cut off: it is only a copy
    rows = MemberScore.objects.filter(merchant=merchant, order_days__gt=0).values_list(
        "last_paid_at", "order_days", "net_minor"
    )
    days, order_days, net = [], [], []
    for last, count, money in rows.iterator(chunk_size=20_000):
        assert last is not None
        days.append((latest.day - clock.day_of(last, merchant.tz)).days)
        order_days.append(count)
        net.append(money)
    return Values(*(np.array(one, dtype=np.int64) for one in (days, order_days, net)))


def values_path(merchant: Merchant) -> Path:
    """A million members take 24 MB; scoring them by other cut points then takes milliseconds, while somebody types."""
    return Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.pk) / "values.npz"


def mark_of(snapshot: OfDay) -> str:
    return f"{snapshot.day.isoformat()} {snapshot.made_at.timestamp():.6f}"


def _latest(merchant: Merchant) -> Snapshot | None:
    return Snapshot.objects.filter(merchant=merchant).defer("figures").order_by("-day").first()
