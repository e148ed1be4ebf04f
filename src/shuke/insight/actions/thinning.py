"""Old days are thinned to month ends: what a shop still asks of them is where members stood, not on which Tuesday.

Snapshots of the last quarter stay day by day. Of an older month the last snapshot stays, and the movement of the month
becomes one step per member, from where the month found the member to where it left the member, dated on that day. Who
went where between any two days that stay is the same before and after.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction

from shuke.engine.insight import kpi
from shuke.insight.models import Movement, Snapshot
from shuke.kit import bulk
from shuke.shops.models import Merchant

DAILY = 92  # days that keep their own snapshot and movement


def thin(*, merchant: Merchant, day: date) -> int:
    """Thin the months that ended more than DAILY days before `day`; how many there were to thin. Again: none."""
    limit = day - timedelta(days=DAILY)
    days = Snapshot.objects.filter(merchant=merchant, day__lt=limit).order_by("day").values_list("day", flat=True)
    by_month: dict[int, list[date]] = {}
    for one in days:
        if kpi.month_end(kpi.month_number(one)) < limit:
            by_month.setdefault(kpi.month_number(one), []).append(one)
    crowded = {month: kept for month, kept in by_month.items() if len(kept) > 1}
    for month, kept in crowded.items():
        with transaction.atomic():
            _one_step_each(merchant, kpi.month_end(month - 1), kept[-1])
            Snapshot.objects.filter(merchant=merchant, day__in=kept[:-1]).delete()
    return len(crowded)


def _one_step_each(merchant: Merchant, after: date, last: date) -> None:
    """Make one step per member and kind of all steps after a day up to the one that stays."""
    here = "merchant_id = %s AND day > %s AND day <= %s"
    bounds = [merchant.pk, after.isoformat(), last.isoformat()]
    same = (
        "other.merchant_id = insight_movement.merchant_id AND other.member_id = insight_movement.member_id "
        "AND other.what = insight_movement.what AND other.day > %s AND other.day <= %s"
    )
    span = bounds[1:]
    later = f"EXISTS (SELECT 1 FROM insight_movement AS other WHERE {same} AND other.day > insight_movement.day)"
    bulk.execute(
        "UPDATE insight_movement SET before = "
        f"(SELECT other.before FROM insight_movement AS other WHERE {same} ORDER BY other.day LIMIT 1) "
        f"WHERE {here} AND NOT {later}",
        [*span, *bounds, *span],
    )
    bulk.execute(f"DELETE FROM insight_movement WHERE {here} AND {later}", [*bounds, *span])
    bulk.execute(f"DELETE FROM insight_movement WHERE {here} AND before = after", bounds)
    Movement.objects.filter(merchant=merchant, day__gt=after, day__lte=last).update(day=last)
