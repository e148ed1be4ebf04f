"""The night answers what the pages of growth, cohorts and movement ask every day, and stores the answers beside the snapshot.

In this process from one reading of the orders (engine.insight.purchases); on a cluster, where they may be too many for this
machine, the cluster is asked, and only by month. Answers that follow from what the last ones were made from are kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import numpy as np
from django.db import transaction

from shuke.engine.insight import growth as engine_growth
from shuke.engine.insight import kpi
from shuke.engine.insight.port import Columns, Engine
from shuke.engine.insight.purchases import COLUMNS, Purchases
from shuke.insight.actions import columns
from shuke.insight.models import Snapshot, StoredReport
from shuke.insight.queries import analytics, figures, growth, growth_stored, transitions
from shuke.insight.queries.growth_parts import DIVISIONS, Division, Living, divided
from shuke.kit import bulk, ids
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

MOST_CELLS = 3_000_000  # of one answer: a thousand stores by week are computed when somebody asks
_TABLE = "insight_stored_report"
_COLUMNS = ("id", "merchant_id", "question", "mark", "source", "format", "body")


def keep_reports(*, merchant: Merchant, kept: Snapshot, people: Living) -> int:
    """Store the answers as of the latest snapshot, of the same members; how many were made anew. Older ones go."""
    first = kept.figures["history"]["first_day"]
    mark = figures.mark_of(kept)
    made = dict(_moved(merchant))
    source = _source(merchant, kept, people)
    here = StoredReport.objects.filter(merchant=merchant)
    same = here.exclude(question__in=made).filter(source=source, format=growth_stored.FORMAT)
    if first and not same.exists():
        made |= _answers(merchant, people, kept.day, date.fromisoformat(first))
    with transaction.atomic():
        same.update(mark=mark)
        here.exclude(source=source, format=growth_stored.FORMAT).delete()
        here.filter(question__in=made).delete()
        rows = [
            (id_, merchant.pk, question, mark, source, growth_stored.FORMAT, body)
            for id_, (question, body) in zip(ids.take(len(made)), made.items(), strict=True)
        ]
        bulk.insert(_TABLE, _COLUMNS, rows)
    return len(made)


def _source(merchant: Merchant, kept: Snapshot, people: Living) -> str:
    """Whatever an answer is made from: the orders' own fingerprints by day, the members, the stores, the day."""
    told = hashlib.sha256(f"{kept.day} {analytics.on_cluster()} {merchant.zone}".encode())
    told.update(columns.manifest_text(merchant).encode())
    for column in people[:4]:
        told.update(column.tobytes())
    told.update(json.dumps([people.ways, [(one.pk, one.platform) for one in shops.stores(merchant)]]).encode())
    return told.hexdigest()


def _answers(merchant: Merchant, people: Living, as_of: date, first: date) -> Iterator[tuple[str, bytes]]:
    stores = list(shops.stores(merchant))
    cluster = analytics.on_cluster()
    grains = ("month",) if cluster else engine_growth.GRAINS[::-1]  # from the longest stretch of days to the shortest
    with _asked(merchant, people, as_of) as engine:
        for by in DIVISIONS:
            division = divided(stores, people, by)
            for grain in grains:
                yield from _of_growth(engine, division, people, grain, as_of, first)
                if grain in growth.COHORT_GRAINS:
                    yield from _of_cohorts(engine, division, grain, as_of, first)


@contextmanager
def _asked(merchant: Merchant, people: Living, as_of: date) -> Iterator[engine_growth.Runs]:
    if not analytics.on_cluster():
        yield Purchases(_heads(merchant), people.member, people.joined, as_of=kpi.day_number(as_of))
        return
    with analytics.opened() as engine:
        growth.load(engine, merchant, people)
        yield engine


def _heads(merchant: Merchant) -> Columns:
    with Engine(memory="256MB") as engine:
        months = [engine.read(path, COLUMNS) for path in columns.files(merchant)["heads"]]
    return {name: np.concatenate([month[name] for month in months] or [np.empty(0, np.int64)]) for name in COLUMNS}


def _of_growth(
    engine: engine_growth.Runs, division: Division, people: Living, grain: str, as_of: date, first: date
) -> Iterator[tuple[str, bytes]]:
    listed = growth.asked(None, None, grain, as_of=as_of, first=first)
    if len(listed) * len(division.keys) * len(engine_growth.Growth.__slots__) > MOST_CELLS:
        return
    found = engine_growth.grown(
        engine, listed, division.parts, as_of=as_of, joined=people.joined, first_day=kpi.day_number(first)
    )
    kept = growth_stored.Kept(division.keys, found.whole, found.course)
    yield growth_stored.of_growth(grain, division.by), growth_stored.packed_growth(kept, listed)


def _of_cohorts(
    engine: engine_growth.Runs, division: Division, grain: str, as_of: date, first: date
) -> Iterator[tuple[str, bytes]]:
    try:
        listed = engine_growth.stretches(first, as_of, grain, as_of=as_of, most=growth.MOST_COHORT_STRETCHES)
    except engine_growth.TooManyStretches:
        return  # the page says so
    if len(listed) ** 2 * len(division.keys) > MOST_CELLS:
        return
    found = engine_growth.cohorts(engine, listed, division.parts, as_of=as_of)
    yield growth_stored.of_cohorts(grain, division.by), growth_stored.packed_cohorts(division.keys, found)


def _moved(merchant: Merchant) -> Iterator[tuple[str, bytes]]:
    """From a month before the latest snapshot to it."""
    meant = transitions.between(figures.days(merchant), None, None)
    if meant is None:
        return
    for what in transitions.WHATS:
        flows = transitions.counted(merchant, what=what, since=meant[0], until=meant[1])
        yield transitions.question(what), transitions.packed(flows, *meant)
