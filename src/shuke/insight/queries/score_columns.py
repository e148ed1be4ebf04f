"""The scores of members as whole numbers by column: from the copy the night left, or from the table."""

from __future__ import annotations

import numpy as np

from shuke.engine.insight import lifecycle, pyramid
from shuke.engine.insight.port import Columns
from shuke.insight.models import Snapshot
from shuke.insight.queries.cut_points import mark_of
from shuke.insight.queries.kept_rows import kept
from shuke.insight.queries.order_columns import fetch
from shuke.kit import bulk
from shuke.shops.models import Merchant

TABLE = "insight_member_score"
# Columns of the table: moments in seconds since 1970 (0: none), the gap in hundredths of a day (-1: none), places in NAMES (-1: none);
# a class as the number it looks like (0: none).
COLUMNS = (
    "first_paid_at", "last_paid_at", "order_count", "order_days", "year_order_days", "net_minor", "year_net_minor", "refunded_minor",
    "usual_gap_days", "r5", "f5", "m5", "rfm", "layer", "stage", "bond",
)  # fmt: skip
NAMES = {"layer": pyramid.LAYERS, "stage": lifecycle.STAGES, "bond": pyramid.BONDS}


def scores(merchant: Merchant) -> Columns:
    """`member`, ascending, and COLUMNS, of everybody who has a row."""
    found = copied(merchant)
    return found if found is not None else read(merchant, 0, np.iinfo(np.int64).max)


def copied(merchant: Merchant) -> Columns | None:
    """The copy that the latest snapshot left, if the table still has these rows."""
    snapshot = latest(merchant)
    return kept(merchant, TABLE, mark_of(snapshot)) if snapshot else None


def latest(merchant: Merchant) -> Snapshot | None:
    return Snapshot.objects.filter(merchant=merchant).only("day", "made_at").order_by("-day").first()


def read(merchant: Merchant, first: int, last: int) -> Columns:
    """The same of members from one id to another, from the table."""
    epoch = "COALESCE({}, 0)".format(
        "FLOOR(EXTRACT(EPOCH FROM {}))::bigint" if bulk.is_postgres() else "CAST(strftime('%%s', {}) AS INTEGER)"
    )
    said = {name: name for name in COLUMNS}
    said |= {name: epoch.format(name) for name in COLUMNS[:2]}
    said["usual_gap_days"] = "CAST(ROUND(COALESCE(usual_gap_days * 100, -1)) AS BIGINT)"
    said |= {name: f"COALESCE({name}, 0)" for name in ("r5", "f5", "m5")}
    said["rfm"] = "CASE WHEN rfm = '' THEN 0 ELSE CAST(rfm AS INTEGER) END"
    for column, names in NAMES.items():
        whens = " ".join(f"WHEN '{name}' THEN {code}" for code, name in enumerate(names))
        said[column] = f"CASE {column} {whens} ELSE -1 END"
    return fetch(
        f"SELECT member_id, {', '.join(said.values())} FROM {TABLE} "
        "WHERE +merchant_id = %s AND member_id BETWEEN %s AND %s ORDER BY member_id",
        [merchant.pk, first, last],
        ("member", *COLUMNS),
    )
