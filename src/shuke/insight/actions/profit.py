"""What members earned and cost, why they come back and what keeping them is worth: one row a member, as of the end of a day."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
from django.db import transaction

from shuke.engine.insight import budget, profit, traits
from shuke.insight.actions import profit_rows
from shuke.insight.actions.order_sums import purchases
from shuke.insight.actions.profit_figures import figures
from shuke.insight.models import ProfitReport
from shuke.insight.queries import profit_inputs as inputs
from shuke.insight.queries import profit_people
from shuke.insight.queries.kept_rows import places
from shuke.insight.queries.profit_bought import Bought, added_up
from shuke.insight.queries.profit_columns import NONE
from shuke.insight.queries.profit_people import Costs, People
from shuke.loyalty.queries import member_costs
from shuke.shops.models import Merchant

_QUIET, _IN_RHYTHM = {"degrading", "lost"}, {"forming", "stable"}


def profit_report(*, merchant: Merchant, day: date, now: datetime) -> ProfitReport:
    """Compute and keep the report of `day` and the row of every member. The columns must be fresh (`snapshot` sees to it).

    The same day again gives the same figures. A day before the latest report only gets its figures.
    """
    terms, told = inputs.terms_of(merchant), inputs.stated(merchant)
    who = profit_people.people(merchant, day, told, now)
    taken, margins = inputs.taken_of(merchant), inputs.margins_of(merchant, told)
    bought = added_up(purchases(merchant, day, margins, terms.margin, taken), who.member, day, terms.margin)
    spent = profit_people.costs(merchant, who, day)
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
        "loyalty": traits.loyalty_type(facts, measures), "quality": traits.quality(facts, measures),
    }  # fmt: skip
    rows |= _budget(merchant, who, bought, spent, terms)
    latest = not ProfitReport.objects.filter(merchant=merchant, day__gt=day).exists()
    if latest:
        profit_rows.write(merchant, who.member, rows, day)
    with transaction.atomic():
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
    if latest:
        profit_rows.leave_copy(merchant, who.member, rows, kept)
    return kept


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part * 1000 // np.maximum(whole, 1), 0)


def _facts(merchant: Merchant, who: People, bought: Bought, spent: Costs, year_profit: np.ndarray) -> traits.Facts:
    brought = np.array(sorted(member_costs.friends_bought(merchant).items()), np.int64).reshape(-1, 2)
    friends = np.zeros(who.member.size, np.int64)
    at, there = places(who.member, brought[:, 0])
    friends[at[there]] = brought[there, 1]
    price = np.full(who.member.size, -1, np.int64)
    if bought.price is not None:
        known = bought.price.orders >= traits.ORDERS_NEEDED
        price[known] = np.clip(np.rint(bought.price.shrunk[known] * 1000), 0, 1000).astype(np.int64)
    return traits.Facts(
        year_days=who.year_days,
        in_rhythm=_of_stages(who, _IN_RHYTHM),
        price=price,
        friends=friends,
        recommend=who.recommend,
        returned=np.minimum(_share(who.refunded, bought.net + who.refunded), 1000),
        orders=who.orders,
        year_margin=bought.year_margin,
        year_profit=year_profit,
        year_serving=spent.year["care"] + spent.year["service"],
    )


def _of_stages(who: People, wanted: set[str]) -> np.ndarray:
    stages = who.groups["stage"]
    return np.isin(stages.code, [code for code, name in enumerate(stages.names) if name in wanted])


def _budget(merchant: Merchant, who: People, bought: Bought, spent: Costs, terms: inputs.Terms) -> profit_rows.Rows:
    foretold = profit_people.expected(merchant, who)
    years = np.maximum(who.span_days + np.nan_to_num(who.gap), 365.0) / 365.0
    net = np.maximum(bought.net, 1)
    known = budget.Known(
        expected_orders=foretold.orders,
        expected_spend=foretold.spend,
        spend_low=foretold.low,
        spend_high=foretold.high,
        usual_gap=who.gap,
        past_year=np.floor(bought.net / years).astype(np.int64),
        margin=np.where(bought.net > 0, bought.margin * 1000 // net, terms.margin),
        rewards=np.where(bought.net > 0, spent.ever["reward"] * 1000 // net, 0),
        serving=spent.year["care"] + spent.year["service"],
        quiet=_of_stages(who, _QUIET),
    )
    told = budget.budget(known, uplift=terms.uplift)
    unknown = told.advice == budget.UNKNOWN
    columns = {
        "leaving_permille": told.leaving, "stays_minor": told.if_stays, "worth_minor": told.worth, "budget_minor": told.most,
        "budget_low": told.low, "budget_high": told.high,
    }  # fmt: skip
    return {name: np.where(unknown, NONE, column) for name, column in columns.items()} | {"advice": told.advice}
