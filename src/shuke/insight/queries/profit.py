"""Profit, costs, loyalty types and retention budgets: the report of a night, and one member's row in words.

`ProfitReport.figures`, money in minor units, shares in thousandths:

    {"as_of": "2017-12-31", "currency": "USD", "window_days": 365,
     "terms": queries.profit_inputs.Terms, with "stated": {"product": 12, "category": 3, "channel": 0, "store": 1},
     "stated_share": 640,                  of what members kept: share whose margin or piece cost was stated
     "whole": SUMS, "groups": [{"key": "tier:gold" | "layer:key" | "rfm:222"} + SUMS, …],  "tier:", "rfm:": in none
     "types": [{"key": "" | "habit" | "price" | "high"} + SUMS], "qualities": [{"key": "" | "quality" | "costly"} + SUMS],
        SUMS: {"members", "buyers" (within the window), "year": {"net", "margin", "acquisition", "care", "service", "reward",
               "recovery", "profit"}, "ever": the same}
     "measures": engine.insight.traits.Measures,
     "price": null | {"mean", "between", "within": shares and variances, "published": members with enough orders,
              "halves": {"1": {"r": 0.48 | null, "members"}, "10": …}},   split-half, by orders each half has at least
     "budgets": [{"key": "" (not known) | "at_ease" | "keep" | "win_back" | "let_go", "members", "stays", "worth", "budget",
                  "low", "high"}, …],
     "losing": members who cost more than they brought within the window, "with_costs": {"care": members with any then, …},
     "wallet": {"members": who told, "net", "elsewhere"}, "recommend": members who told}
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np

from shuke.engine.insight import profit, traits
from shuke.insight.models import MemberProfit, MemberScore, ProfitPolicy, ProfitReport, StatedCost, ValueReport
from shuke.insight.queries import figures
from shuke.insight.queries.profit_inputs import Terms, terms_of, told_of
from shuke.members.models import Member, MemberState
from shuke.shops.models import Merchant

Reason = tuple[str, dict[str, int]]


class Told(NamedTuple):
    """One member as the last report has them. `reasons`: codes of engine.insight.profit_words.REASONS with their figures."""

    member: Member
    row: MemberProfit
    reasons: list[Reason]
    plain_worth: int  # yearly profit × years − promotion, care and service


def report(merchant: Merchant, day: date | None = None) -> dict[str, Any] | None:
    """The figures of the latest report, or of the last up to `day`. None before the first."""
    kept = ProfitReport.objects.filter(merchant=merchant).order_by("-day")
    found = (kept if day is None else kept.filter(day__lte=day)).first()
    return found.figures | {"made_at": found.made_at.isoformat()} if found else None


def unreported(merchant: Merchant, now: datetime) -> bool:
    """Whether the day of the latest snapshot has no report yet, or what it rests on has changed since: value, margins, terms."""
    day = figures.last_day(merchant)
    if day is None:
        return False
    made = ProfitReport.objects.filter(merchant=merchant, day__gte=day).values_list("made_at", flat=True).first()
    if made is None:
        return True
    return (
        ValueReport.objects.filter(merchant=merchant, made_at__gt=made).exists()
        or ProfitPolicy.objects.filter(merchant=merchant, stated_at__gt=made).exists()
        or StatedCost.objects.filter(merchant=merchant, stated_at__gt=made).exists()
    )


def of_member(merchant: Merchant, member_id: int) -> Told | None:
    """None before the first report after the member joined."""
    found = of_members(merchant, [member_id])
    return found[0] if found else None


def of_members(merchant: Merchant, members: Iterable[int]) -> list[Told]:
    """In the order asked for; without those no report knows yet."""
    found = report(merchant)
    if found is None:
        return []
    wanted = list(members)
    people = Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE).in_bulk(wanted)
    # By the member alone: asked for the merchant too, SQLite reads all of it by an index that begins so.
    rows = {pk: row for pk, row in MemberProfit.objects.in_bulk(wanted).items() if row.merchant_id == merchant.pk}
    scores = MemberScore.objects.in_bulk([pk for pk in wanted if pk in rows])
    measures, terms = traits.Measures(**found["measures"]), terms_of(merchant)
    return [
        Told(
            people[pk],
            rows[pk],
            traits.reasons(_facts(people[pk], rows[pk], scores.get(pk)), measures),
            _plain(rows[pk], terms),
        )
        for pk in wanted
        if pk in people and pk in rows
    ]


def best(merchant: Merchant, limit: int = 10) -> list[Told]:
    """Who earned the shop most within the window, most first."""
    rows = MemberProfit.objects.filter(merchant=merchant, year_profit_minor__gt=0)
    order = rows.order_by("-year_profit_minor", "-member_id")
    return of_members(merchant, order.values_list("member_id", flat=True)[:limit])


def worst(merchant: Merchant, limit: int = 10) -> list[Told]:
    """Who cost the shop more than they brought within the window, the dearest first; then those with the least profit of all who are costly."""
    rows = MemberProfit.objects.filter(merchant=merchant, quality="costly")
    order = rows.order_by("year_profit_minor", "member_id")
    return of_members(merchant, order.values_list("member_id", flat=True)[:limit])


def worth_keeping(merchant: Merchant, advice: str, limit: int = 20) -> list[Told]:
    """Members with this advice, by budget, largest first (to let go: the dearest first)."""
    rows = MemberProfit.objects.filter(merchant=merchant, advice=advice)
    order = rows.order_by(*(("worth_minor",) if advice == "let_go" else ("-budget_minor",)), "-member_id")
    return of_members(merchant, order.values_list("member_id", flat=True)[:limit])


def _facts(member: Member, row: MemberProfit, score: MemberScore | None) -> traits.Facts:
    def one(number: int) -> np.ndarray:
        return np.array([number])

    return traits.Facts(
        year_days=one(score.year_order_days if score else 0),
        in_rhythm=np.array([score is not None and score.stage in ("forming", "stable")]),
        price=one(-1 if row.price_permille is None else row.price_permille),
        friends=one(row.friends),
        recommend=one(told_of(member.attributes)[0]),
        returned=one(row.returned_permille),
        orders=one(score.order_count if score else 0),
        year_margin=one(row.year_margin_minor),
        year_profit=one(row.year_profit_minor),
        year_serving=one(row.year_care_minor + row.year_service_minor),
    )


def _plain(row: MemberProfit, terms: Terms) -> int:
    return profit.plain_worth(
        yearly_margin=row.year_margin_minor,
        years_tenths=terms.years_tenths,
        promotion=row.year_reward_minor,
        care=row.year_care_minor,
        service=row.year_service_minor,
    )
