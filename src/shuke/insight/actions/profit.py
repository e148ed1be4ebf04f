"""What members earned and cost, why they come back and what keeping them is worth: one row a member, as of the end of a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import transaction

from shuke.engine.insight import budget, profit, traits
from shuke.insight.actions.profit_figures import figures
from shuke.insight.models import ProfitReport
from shuke.insight.queries import profit_inputs as inputs
from shuke.insight.queries import value
from shuke.kit import bulk
from shuke.loyalty.queries import member_costs
from shuke.shops.models import Merchant

_TABLE = "insight_memberprofit"
_CHUNK = 20_000
_QUIET = {"degrading", "lost"}


def profit_report(*, merchant: Merchant, day: date, now: datetime) -> ProfitReport:
    """Compute and keep the report of `day` and the row of every member. The columns must be fresh (`snapshot` sees to it).

    The same day again gives the same figures. A day before the latest report only gets its figures.
    """
    terms, told = inputs.terms_of(merchant), inputs.stated(merchant)
    who = inputs.people(merchant, day, told, now)
    bought = inputs.bought(inputs.purchases(merchant, day, told, terms.margin), who, day, terms.margin)
    spent = inputs.costs(merchant, who, day)
    ever = bought.margin - sum(spent.ever.values())
    year = bought.year_margin - sum(spent.year.values())
    facts = _facts(merchant, who, bought, spent, year)
    measures = traits.Measures.of(bought.price, profit.best_fifth(year))
    rows: dict[str, np.ndarray] = {
        "net_minor": bought.net, "year_net_minor": bought.year_net,
        "margin_minor": bought.margin, "year_margin_minor": bought.year_margin,
        **{f"{kind}_minor": spent.ever[kind] for kind in profit.KINDS},
        **{f"year_{kind}_minor": spent.year[kind] for kind in profit.KINDS},
        "profit_minor": ever, "year_profit_minor": year,
        "stated_permille": _share(bought.stated, bought.kept),
        "price_permille": facts.price,
        "price_orders": bought.price.orders if bought.price else np.zeros_like(ever),
        "returned_permille": facts.returned, "friends": facts.friends,
        "loyalty": np.array(traits.TYPES, object)[traits.loyalty_type(facts, measures)],
        "quality": np.array(traits.QUALITIES, object)[traits.quality(facts, measures)],
    }  # fmt: skip
    rows |= _budget(merchant, who, bought, spent, terms)
    with transaction.atomic():
        if not ProfitReport.objects.filter(merchant=merchant, day__gt=day).exists():
            _write(merchant, who.member, rows, day)
        kept, _new = ProfitReport.objects.update_or_create(
            merchant=merchant,
            day=day,
            defaults={
                "made_at": now,
                "figures": figures(merchant, day, who, rows, bought, measures, terms, told),
            },
        )
        # One report per month is history enough, as with goods and value.
        ProfitReport.objects.filter(merchant=merchant, day__year=day.year, day__month=day.month, day__lt=day).delete()
    return kept


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part * 1000 // np.maximum(whole, 1), 0)


def _facts(
    merchant: Merchant, who: inputs.People, bought: inputs.Bought, spent: inputs.Costs, year_profit: np.ndarray
) -> traits.Facts:
    friends = member_costs.friends_bought(merchant)
    price = np.full(who.member.size, -1, np.int64)
    if bought.price is not None:
        known = bought.price.orders >= traits.ORDERS_NEEDED
        price[known] = np.clip(np.rint(bought.price.shrunk[known] * 1000), 0, 1000).astype(np.int64)
    stages = np.array(who.groups["stage"], object)
    return traits.Facts(
        year_days=who.year_days,
        in_rhythm=(stages == "forming") | (stages == "stable"),
        price=price,
        friends=np.array([friends.get(member, 0) for member in who.member.tolist()], np.int64),
        recommend=who.recommend,
        returned=np.minimum(_share(who.refunded, bought.net + who.refunded), 1000),
        orders=who.orders,
        year_margin=bought.year_margin,
        year_profit=year_profit,
        year_serving=spent.year["care"] + spent.year["service"],
    )


def _budget(
    merchant: Merchant, who: inputs.People, bought: inputs.Bought, spent: inputs.Costs, terms: inputs.Terms
) -> dict[str, np.ndarray]:
    size = who.member.size
    orders, spend, low, high = (np.zeros(size, np.int64) for _ in range(4))
    orders -= 1
    for start in range(0, size, _CHUNK):
        part = who.member[start : start + _CHUNK].tolist()
        found = value.of_members(merchant, part)
        for i, member in enumerate(part, start):
            one = found.get(member)
            if one is not None and one.expected_spend is not None:
                orders[i], spend[i] = one.expected_orders, one.expected_spend
                low[i], high[i] = one.spend_low or 0, one.spend_high or one.expected_spend
    years = np.maximum(who.span_days + np.nan_to_num(who.gap), 365.0) / 365.0
    net = np.maximum(bought.net, 1)
    known = budget.Known(
        expected_orders=orders,
        expected_spend=spend,
        spend_low=low,
        spend_high=high,
        usual_gap=who.gap,
        past_year=np.floor(bought.net / years).astype(np.int64),
        margin=np.where(bought.net > 0, bought.margin * 1000 // net, terms.margin),
        rewards=np.where(bought.net > 0, spent.ever["reward"] * 1000 // net, 0),
        serving=spent.year["care"] + spent.year["service"],
        quiet=np.isin(np.array(who.groups["stage"], object), list(_QUIET)),
    )
    told = budget.budget(known, uplift=terms.uplift)
    unknown = told.advice == budget.UNKNOWN
    columns = {
        "leaving_permille": told.leaving, "stays_minor": told.if_stays, "worth_minor": told.worth, "budget_minor": told.most,
        "budget_low": told.low, "budget_high": told.high,
    }  # fmt: skip
    masked: dict[str, np.ndarray] = {}
    for name, column in columns.items():
        masked[name] = column.astype(object)
        masked[name][unknown] = None
    return masked | {"advice": np.array(budget.ADVICE, object)[told.advice]}


def _write(merchant: Merchant, member: np.ndarray, rows: dict[str, np.ndarray], day: date) -> None:
    """Bring the table to `rows`, touching only those that differ; rows of who is no member any more go away."""
    names = tuple(rows)
    known_price = rows["price_permille"].astype(object)
    known_price[rows["price_permille"] < 0] = None
    rows = rows | {"price_permille": known_price}
    for low, high in _chunks(member):
        known = _known(merchant, names, int(member[low]), int(member[high - 1]))
        fresh: list[tuple[Any, ...]] = []
        changed: list[tuple[Any, ...]] = []
        columns = [rows[name][low:high].tolist() for name in names]
        for pk, row in zip(member[low:high].tolist(), zip(*columns, strict=True), strict=True):
            before = known.get(pk)
            if before is None:
                fresh.append((pk, merchant.pk, day.isoformat(), *row))
            elif before != row:
                changed.append((day.isoformat(), *row, pk))
        bulk.insert(_TABLE, ("member_id", "merchant_id", "day", *names), fresh)
        bulk.update(_TABLE, ("day", *names), changed, key="member_id")
    bulk.execute(
        f"DELETE FROM {_TABLE} WHERE merchant_id = %s AND member_id IN "
        "(SELECT id FROM members_member WHERE merchant_id = %s AND state <> 'active')",
        [merchant.pk, merchant.pk],
    )


def _chunks(member: np.ndarray) -> Iterator[tuple[int, int]]:
    for low in range(0, member.size, _CHUNK):
        yield low, min(low + _CHUNK, member.size)


def _known(merchant: Merchant, names: tuple[str, ...], first: int, last: int) -> dict[int, tuple[Any, ...]]:
    rows = bulk.select(
        f"SELECT member_id, {', '.join(names)} FROM {_TABLE} WHERE merchant_id = %s AND member_id BETWEEN %s AND %s",
        [merchant.pk, first, last],
    )
    return {row[0]: tuple(row[1:]) for row in rows}
