"""What members will probably buy and spend: of single ones, in totals and groups, and the report behind it.

`ValueReport.figures` has the shape that insight/actions/value.py writes; see `report`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Count, Q, Sum

from shuke.engine.insight import chances
from shuke.engine.insight.port import Columns
from shuke.insight.models import MemberScore, ValueReport
from shuke.insight.models import MemberValue as Stored
from shuke.insight.queries.cut_points import mark_of
from shuke.insight.queries.kept_rows import kept
from shuke.insight.queries.order_columns import fetch
from shuke.kit import bulk
from shuke.shops.models import Merchant

_ROW = "member_id, chance_30, chance_90, expected_orders, expected_spend, spend_low, spend_high, rule"
TABLE = "insight_membervalue"
COLUMNS = ("chance_30", "chance_90", "expected_orders", "expected_spend", "spend_low", "spend_high", "rule")
NONE = -(1 << 53)  # money that is not told, among whole numbers
GOOD = ("key", "main", "potential")  # layers: the upper fifth of buyers
QUIET = ("degrading", "lost")
GROUPS = ("layer", "stage", "rfm", "bond")


class MemberValue(NamedTuple):
    """One member. Money is net, in minor units of the merchant's currency, over the 12 months after `as_of`."""

    member: int
    chance_30: int  # permille: to buy within 30 days
    chance_90: int
    expected_orders: int  # thousandths
    expected_spend: int | None  # None, and so the band: too few members to say it of one
    spend_low: int | None  # half of members of such an expectation spend between low and high
    spend_high: int | None
    rule: str  # model | plain
    as_of: date

    def band(self, days: int = 30) -> str:
        """likely | possible | unlikely."""
        return chances.band(self.chance_30 if days == 30 else self.chance_90)


class Group(NamedTuple):
    """Members alike, e.g. of one layer."""

    key: str
    members: int
    expected_orders: int  # thousandths
    expected_spend: int


def of_members(merchant: Merchant, members: Iterable[int]) -> dict[int, MemberValue]:
    """By member id. Nobody who has not bought, and nobody at all where the shop's history is too thin (see `refusal`)."""
    wanted = sorted(set(members))
    day = last_day(merchant)
    if not wanted or day is None:
        return {}
    condition, parameter = bulk.among("member_id", wanted)
    rows = bulk.select(
        f"SELECT {_ROW} FROM insight_membervalue WHERE +merchant_id = %s AND {condition}", [merchant.pk, parameter]
    )
    return {row[0]: MemberValue._make((*row, day)) for row in rows}


def columns(merchant: Merchant) -> Columns:
    """`member`, ascending, and COLUMNS as whole numbers, of everybody something is told of; NONE: money that is not told, `rule` 1: the model's."""
    if last_day(merchant) is None:
        return {name: np.empty(0, np.int64) for name in ("member", *COLUMNS)}
    found = copied(merchant)
    return found if found is not None else read(merchant, 0, np.iinfo(np.int64).max)


def copied(merchant: Merchant) -> Columns | None:
    """The copy that the latest report left, if the table still has these rows."""
    kept_report = latest(merchant)
    return kept(merchant, TABLE, mark_of(kept_report)) if kept_report else None


def latest(merchant: Merchant) -> ValueReport | None:
    return ValueReport.objects.filter(merchant=merchant).only("day", "made_at").order_by("-day").first()


def read(merchant: Merchant, first: int, last: int) -> Columns:
    """The same of members from one id to another, from the table."""
    said = [f"COALESCE({name}, {NONE})" for name in COLUMNS[:-1]]
    return fetch(
        f"SELECT member_id, {', '.join(said)}, CASE WHEN rule = 'model' THEN 1 ELSE 0 END FROM {TABLE} "
        "WHERE +merchant_id = %s AND member_id BETWEEN %s AND %s ORDER BY member_id",
        [merchant.pk, first, last],
        ("member", *COLUMNS),
    )


def of_member(merchant: Merchant, member: int) -> MemberValue | None:
    return of_members(merchant, [member]).get(member)


def total(merchant: Merchant) -> Group:
    """All members together, as the rows of single ones add up."""
    found = Stored.objects.filter(merchant=merchant).aggregate(
        n=Count("pk"), orders=Sum("expected_orders"), spend=Sum("expected_spend")
    )
    return Group("", found["n"], found["orders"] or 0, found["spend"] or 0)


def by_group(merchant: Merchant, what: str) -> list[Group]:
    """Sums by a column of the members' scores: layer, stage, rfm or bond; members without a row are in none."""
    assert what in GROUPS, what
    # The plus keeps SQLite from walking an index: both tables are read side by side in the order of members.
    rows = bulk.select(
        f"SELECT COALESCE(score.{what}, '') AS key, COUNT(*), COALESCE(SUM(told.expected_orders), 0), "
        "COALESCE(SUM(told.expected_spend), 0) FROM insight_membervalue AS told "
        "LEFT JOIN insight_member_score AS score ON score.member_id = told.member_id "
        f"WHERE +told.merchant_id = %s GROUP BY COALESCE(score.{what}, '') ORDER BY key",
        [merchant.pk],
    )
    return [Group(str(key), members, int(orders), int(spend)) for key, members, orders, spend in rows]


def quiet(merchant: Merchant) -> dict[str, int]:
    """Good members who have gone quiet, and what they spent in the last year."""
    found = MemberScore.objects.filter(merchant=merchant, layer__in=GOOD, stage__in=QUIET)
    sums = found.aggregate(members=Count("pk"), year=Sum("year_net_minor"))
    return {"members": sums["members"], "year_net_minor": sums["year"] or 0}


def bands(merchant: Merchant, days: int = 30) -> dict[str, int]:
    """How many members are likely, possible, unlikely to buy within so many days (30 or 90)."""
    column = f"chance_{days}"
    counted = {
        word: Count("pk", filter=Q(**{f"{column}__gte": low, f"{column}__lt": high}))
        for word, (low, high) in ((word, chances.bounds(word)) for word in chances.BANDS)
    }
    return Stored.objects.filter(merchant=merchant).aggregate(**counted)


def top(merchant: Merchant, limit: int = 20) -> list[MemberValue]:
    """Those of whom most spend is expected, most first."""
    kept = Stored.objects.filter(merchant=merchant, expected_spend__isnull=False).order_by(
        "-expected_spend", "-member_id"
    )
    chosen = list(kept.values_list("member_id", flat=True)[:limit])
    found = of_members(merchant, chosen)
    return [found[member] for member in chosen if member in found]


def last_day(merchant: Merchant) -> date | None:
    """The day of the latest report, which the figures of members are as of."""
    return ValueReport.objects.filter(merchant=merchant).order_by("-day").values_list("day", flat=True).first()


def report(merchant: Merchant, day: date | None = None) -> dict[str, Any] | None:
    """The figures of the latest report, or of the last up to `day`. None before the first."""
    kept = ValueReport.objects.filter(merchant=merchant).order_by("-day")
    if day is not None:
        kept = kept.filter(day__lte=day)
    found = kept.first()
    return found.figures | {"made_at": found.made_at.isoformat()} if found else None
