"""Where members stood at the end of one day and at the end of a later one: everybody, those who stayed included."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from datetime import date

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from shuke.insight.models import MemberScore, Movement
from shuke.insight.queries import growth_stored
from shuke.insight.queries.figures import Flow
from shuke.kit import bulk
from shuke.members.models import Member
from shuke.shops.models import Merchant

WHATS = ("rfm", "layer", "stage")

# A member stood on a day where the first step after that day began; without such a step, where the member stands now. So of each
# member the first step between the two days matters (`past` 0), and the first one after both. The plus keeps SQLite from
# walking all steps there ever were, in the order of members.
_STEPS = """
  SELECT member_id, COALESCE(MAX(CASE WHEN past = 0 THEN before END), MAX(CASE WHEN past = 1 THEN before END)) AS was,
    MAX(CASE WHEN past = 1 THEN before END) AS has
  FROM (
    SELECT member_id, before, past, ROW_NUMBER() OVER (PARTITION BY member_id, past ORDER BY day) AS step
    FROM (SELECT +member_id AS member_id, before, day, CASE WHEN day > %s THEN 1 ELSE 0 END AS past FROM insight_movement
      WHERE merchant_id = %s AND what = %s AND day > %s) AS later) AS steps
  WHERE step = 1 GROUP BY member_id
"""


def transitions(merchant: Merchant, *, what: str, since: date, until: date) -> list[Flow]:
    """Members of today by where they stood at the end of `since` and of `until`; "" = in no class, or not a member yet."""
    assert what in WHATS, what
    found = growth_stored.body(merchant, question(what))
    kept = json.loads(zlib.decompress(found)) if found is not None else {}
    if kept.get("days") == [since.isoformat(), until.isoformat()]:
        return [Flow(*flow) for flow in kept["flows"]]
    return counted(merchant, what=what, since=since, until=until)


def counted(merchant: Merchant, *, what: str, since: date, until: date) -> list[Flow]:
    """Only who moved since is looked at one by one; the others stand where they stood."""
    moved = bulk.select(
        f"SELECT went.was, COALESCE(went.has, score.{what}), score.{what}, COUNT(*) FROM ({_STEPS}) AS went "
        "JOIN insight_member_score AS score ON score.member_id = went.member_id AND +score.merchant_id = %s "
        f"GROUP BY went.was, COALESCE(went.has, score.{what}), score.{what}",
        [until.isoformat(), merchant.pk, what, since.isoformat(), merchant.pk],
    )
    now = bulk.select(
        f"SELECT {what}, COUNT(*) FROM insight_member_score WHERE merchant_id = %s GROUP BY {what}", [merchant.pk]
    )
    flows = Counter({(place, place): number for place, number in now})
    for before, after, place, number in moved:
        flows[place, place] -= number
        flows[before, after] += number
    rows = [Flow(*ends, number) for ends, number in flows.items() if number]
    return sorted(rows, key=lambda flow: (-flow.members, flow.before, flow.after))


def question(what: str) -> str:
    """The name under which the night stores it, of the days that a page shows first."""
    return f"moved:{what}"


def packed(flows: list[Flow], since: date, until: date) -> bytes:
    return zlib.compress(json.dumps({"days": [since.isoformat(), until.isoformat()], "flows": flows}).encode())


def between(days: list[date], since: date | None, until: date | None) -> tuple[date, date] | None:
    """The days with a snapshot that are meant: the last ones up to those asked for, else the latest and a month before.

    None when there are not two. `days` oldest first.
    """
    if len(days) < 2:
        return None
    end = max((day for day in days[1:] if until is None or day <= until), default=days[1])
    earlier = [day for day in days if day < end]
    if since is not None:
        return max((day for day in earlier if day <= since), default=earlier[0]), end
    return max((day for day in earlier if (end - day).days >= 28), default=earlier[0]), end


def moved(merchant: Merchant, *, what: str, since: date, until: date, before: str | None, after: str | None) -> Q:
    """The members of one cell of the table; None = any. With `before` and `after` alike: those who stayed."""
    if before is not None and before == after:
        return _stayed(merchant, what, since, until, before)
    steps = Movement.objects.filter(merchant=merchant, member=OuterRef("pk"), what=what, day__gt=since, day__lte=until)
    ends = (
        Member.objects.filter(merchant=merchant)
        .annotate(
            was=Subquery(steps.order_by("day").values("before")[:1]),
            has=Subquery(steps.order_by("-day").values("after")[:1]),
        )
        .filter(was__isnull=False)
        .exclude(was=F("has"))
    )
    if before is not None:
        ends = ends.filter(was=before)
    if after is not None:
        ends = ends.filter(has=after)
    return Q(pk__in=ends.values("pk"))


def stood(merchant: Merchant, *, what: str, day: date, place: str) -> Q:
    """Today's members who stood there at the end of a day: the sums of the table."""
    steps = Movement.objects.filter(merchant=merchant, member=OuterRef("member"), what=what, day__gt=day).order_by(
        "day"
    )
    candidates = MemberScore.objects.filter(merchant=merchant).filter(
        Q(**{what: place}) | Exists(steps.filter(before=place))
    )
    then = candidates.annotate(was=Coalesce(Subquery(steps.values("before")[:1]), F(what)))
    return Q(pk__in=then.filter(was=place).values("member"))


def _stayed(merchant: Merchant, what: str, since: date, until: date, place: str) -> Q:
    steps = Movement.objects.filter(merchant=merchant, member=OuterRef("member"), what=what).order_by("day")
    later = steps.filter(day__gt=since)
    # Who stands there now, or stood there once: everybody else is out before any step is looked up.
    candidates = MemberScore.objects.filter(merchant=merchant).filter(
        Q(**{what: place}) | Exists(later.filter(before=place))
    )
    kept = candidates.annotate(
        was=Coalesce(Subquery(later.values("before")[:1]), F(what)),
        has=Coalesce(Subquery(steps.filter(day__gt=until).values("before")[:1]), F(what)),
    ).filter(was=place, has=place)
    return Q(pk__in=kept.values("member"))
