"""What the members of one shop will buy and spend, by the way that this shop's own past has earned.

    checked = check(seen, end=today)            # every few weeks: tests on the past, the rule, its chances, the width of bands
    told = outlook(seen, checked, end=today)    # every night: one refit, and a figure for each customer

`check` gives a JSON-ready dictionary, so that nights in between can go by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from shuke.engine.insight.clv import by_trait, calibrate, holdout, measures, plain, predict, spend, totals, worth
from shuke.engine.insight.clv.enough import enough
from shuke.engine.insight.clv.fit import fit
from shuke.engine.insight.clv.fitted import SOUND, Fit
from shuke.engine.insight.clv.history import WEEK, Summary, Visits, Window, summary_of
from shuke.engine.insight.clv.rows import BadRows
from shuke.engine.insight.lifecycle import Chance

YEAR_DAYS = 12 * worth.MONTH_DAYS
CHANCE_DAYS = (30, 90)
SAMPLE = 200_000  # customers: a test says no more of a million than of so many
DRAWS = 50  # shops drawn anew for the spread of totals
MANY_CUSTOMERS, FEW_DRAWS = 20_000, 10  # of so many, chance in the sample is nothing beside the miss
LEAST_TESTED = 30  # customers known at the cut
PLAIN_ROOM = 1.02  # a model's chances are shown unless the plain ones erred by so much less
EIGHTY = 1.2816


@dataclass(frozen=True, slots=True)
class Outlook:
    """One element per customer who has bought, ascending by id. Money as the amounts of the orders."""

    customer: np.ndarray
    order_days: np.ndarray
    first_day: np.ndarray
    last_day: np.ndarray
    chance: dict[int, np.ndarray]  # by days ahead, 0 … 1
    orders: np.ndarray  # within 12 months
    spend: np.ndarray | None  # None: too few customers to say it of one, or amounts are not known
    low: np.ndarray | None
    high: np.ndarray | None
    rule: str  # model | plain
    wholesale: np.ndarray  # bool: counted with the bound, not with their own order value
    wholesale_from: float
    whole: dict[str, Any]  # totals with bands, JSON-ready
    fit: dict[str, Any] | None  # to begin from the next night


def check(
    seen: Visits,
    *,
    end: int,
    groups: np.ndarray | None = None,
    begin: dict[str, Any] | None = None,
    own: by_trait.Own | None = None,
) -> dict[str, Any]:
    """What this shop's past earns. Of each of `seen.customers`: `groups`, a whole number (e.g. the layer), for bands of groups;
    `own`, words that say how they came (channel, acquisition), tried as traits."""
    judged = enough(seen, end=end)
    told: dict[str, Any] = judged._asdict() | {"end": end, "rule": "", "tests": []}
    told["warnings"] = list(judged.warnings)
    if not seen.day.size:
        return told | {"level": "none", "code": "no_purchases"}
    if judged.level == "none":
        return told
    some, chosen_groups = _sampled(seen, groups)
    tests = _tests(some, end)
    if not tests:
        return told | {"level": "none", "code": "untested"}
    latest = tests[0]
    model, k, gate = latest.model, latest.k, latest.gate
    shown = {"rule": "model" if gate.earned else "plain", "shown": gate.shown, "model": model, "k": k}
    found = _fit(summary_of(some, end=end), model, k, begin)
    parted = None
    if own:
        place = np.searchsorted(seen.customers, some.customers)
        parted = by_trait.tried(some, {name: words[place] for name, words in own.items()}, latest)
    return told | shown | {
        "sampled": some.customers.size < seen.customers.size,
        "traits": parted,
        "tests": _told(tests, parted),
        "spreads": [list(one) for one in (latest.spreads if gate.earned else _plain_spreads(some, latest))],
        "chances": {str(days): _chance(some, model, k, end, days) for days in CHANCE_DAYS},
        "reach": _reach(some, found, tests, end, chosen_groups),
    }  # fmt: skip


def outlook(
    seen: Visits,
    checked: dict[str, Any],
    *,
    end: int,
    groups: np.ndarray | None = None,
    begin: dict[str, Any] | None = None,
    own: by_trait.Own | None = None,
) -> Outlook | None:
    """The figures of every customer as of day `end`; None where the shop's history is too thin to tell any.

    groups, own: as for `check`. begin: `Outlook.fit` of an earlier night.
    """
    if checked["level"] == "none":
        return None
    told = summary_of(seen, end=end)
    bound = spend.wholesale_from(told.mean_spend)
    mean = np.minimum(told.mean_spend, bound)
    money = bool(np.isfinite(mean).any())
    found = _fit(told, checked["model"], checked["k"], begin)
    columns = told.x, told.t_x, told.T
    if checked["rule"] == "model" and found.verdict.usable:
        orders = predict.expected_orders(found, told.x, told.t_x, told.T, YEAR_DAYS / told.unit)
        if own and wants_traits(checked):
            names = tuple(checked["traits"]["names"])
            parted = by_trait.expected_orders(
                told, seen.customers, own, names, found.model, found.k, YEAR_DAYS / told.unit
            )
            orders = orders if parted is None else parted
        values = spend.fit(told.paid, mean, cap=True) if money else None
        spent = None if values is None else orders * spend.expected_order_value(values, told.paid, mean)
    else:
        rule = checked["shown"] if checked["rule"] == "plain" else "past_rate"
        orders, spent_plain = holdout.plain_expectation(rule, seen, told, cut=end, days=round(YEAR_DAYS))
        orders = np.minimum(orders, YEAR_DAYS)
        spent = spent_plain if money else None
    spreads = tuple(holdout.Spread(*one) for one in checked["spreads"])
    alone = spent is not None and checked["level"] == "full"
    low, high = (
        holdout.spend_band(spreads, spent, YEAR_DAYS / told.unit) if alone and spent is not None else (None, None)
    )
    chance = {
        days: _stated(checked["chances"][str(days)], found, *columns, told.orders, end - told.last_day, days)
        for days in CHANCE_DAYS
    }
    for short, long in pairwise(CHANCE_DAYS):  # each is put right by itself; more days are never less of a chance
        chance[long] = np.maximum(chance[long], chance[short])
    mine = None if groups is None else groups[np.searchsorted(seen.customers, told.customer)]
    return Outlook(
        told.customer,
        told.orders,
        told.first_day,
        told.last_day,
        chance,
        orders,
        spent if alone else None,
        low,
        high,
        checked["rule"],
        told.mean_spend > bound,
        bound,
        _whole(seen, told, orders, spent, mine, checked["reach"], end),
        kept_fit(found),
    )


def wants_traits(checked: dict[str, Any]) -> bool:
    """Whether this shop's past has shown that channel and acquisition of customers make expected orders nearer."""
    return bool((checked.get("traits") or {}).get("earned"))


def chance_of(checked: dict[str, Any], begin: dict[str, Any] | None, days: int = 90) -> Chance | None:
    """The chance to buy within so many days by what an earlier night learnt, for members as they stand on any day."""
    if checked["level"] == "none" or begin is None:
        return None
    way, found = checked["chances"][str(days)], _begun(begin)

    def chance(order_days: np.ndarray, first_day: np.ndarray, last_day: np.ndarray, today: int) -> np.ndarray:
        x, t_x, T = (order_days - 1).astype(np.float64), (last_day - first_day) / WEEK, (today - first_day) / WEEK
        return _stated(way, found, x, t_x, T, order_days, today - last_day, days)

    return chance


def kept_fit(told: Fit) -> dict[str, Any] | None:
    """A fit as JSON, to begin from; None if it is not worth that."""
    if not told.verdict.usable:
        return None
    return {name: getattr(told, name) for name in ("model", "k", "params", "customers", "theta", "centre", "hessian")}


def _fit(told: Summary, model: str, k: int, begin: dict[str, Any] | None) -> Fit:
    rows, of = told.rows(), (k if model == "mbg_cnbd" else None)
    if begin and begin["model"] == model and begin["k"] == k:
        again = fit(rows, model, k=of, begin=_begun(begin))
        if again.verdict.usable:
            return again
    return fit(rows, model, k=of)


def _begun(told: dict[str, Any]) -> Fit:
    size = len(told["params"])
    return Fit(
        told["model"], told["k"], (), tuple(told["params"]), (math.nan,) * size, math.nan, SOUND, True, told["customers"], 0,
        tuple(told["theta"]), tuple(told["centre"]), tuple(map(tuple, told["hessian"])), 0.0, 0,
    )  # fmt: skip


def _sampled(seen: Visits, groups: np.ndarray | None) -> tuple[Visits, np.ndarray | None]:
    size = seen.customers.size
    if size <= SAMPLE:
        return seen, groups
    chosen = np.zeros(size, bool)
    chosen[np.random.default_rng(1).choice(size, SAMPLE, replace=False)] = True
    place = np.cumsum(chosen) - 1
    visit, back = chosen[seen.customer], chosen[seen.returned_customer]
    return (
        Visits(
            seen.customers[chosen], place[seen.customer[visit]], seen.day[visit], seen.amount[visit],
            place[seen.returned_customer[back]], seen.returned_day[back], seen.returned[back],
        ),
        None if groups is None else groups[chosen],
    )  # fmt: skip


def _tests(seen: Visits, end: int) -> list[holdout.Report]:
    """The latest test with all models, and the chosen one a year earlier where history reaches so far."""
    found: list[holdout.Report] = []
    for cut, last in holdout.cuts_for(seen, end=end):
        first = seen.day <= cut
        if np.unique(seen.customer[first]).size < LEAST_TESTED:
            continue
        models = holdout.CANDIDATES if not found else ((found[0].model, found[0].k),)
        try:
            found.append(holdout.try_models(seen, cut=cut, end=last, models=models))
        except (BadRows, ValueError):
            continue
        if last != end and len(found) == 1:
            return []  # only the year before can be tested: that is no test of today
    return found


def _told(tests: list[holdout.Report], parted: dict[str, Any] | None) -> list[dict[str, Any]]:
    told = [one.to_json() for one in tests]
    if parted:
        told[0]["methods"].append(parted["scored"])
        if parted["earned"]:
            told[0]["gate"]["shown"] = parted["scored"]["name"]
    return told


def _plain_spreads(seen: Visits, report: holdout.Report) -> tuple[holdout.Spread, ...]:
    told = summary_of(seen, end=report.begin)
    came = Window(seen, told.customer, begin=report.begin, end=report.end)
    rule, days = report.gate.shown, report.end - report.begin
    _orders, money = holdout.plain_expectation(rule, seen, told, cut=report.begin, days=days)
    return holdout.spreads_of(money, came.spend, days / told.unit)


def _chance(seen: Visits, model: str, k: int, end: int, days: int) -> dict[str, Any]:
    """How stated chances came true in the last `days`, and what is needed to state them from now on."""
    cut = end - days
    enough_before = cut - int(seen.day.min()) >= 2 * days
    told = summary_of(seen, end=cut) if enough_before else None
    if told is None or told.x.size < LEAST_TESTED:
        return {"days": days, "tested": False, "shown": "model"} | _scale_json(calibrate.AS_STATED)
    bought = Window(seen, told.customer, begin=cut, end=end).orders > 0
    found = _fit(told, model, k, None)
    stated = predict.chance_to_buy(found, told.x, told.t_x, told.T, days / told.unit)
    windows = holdout.stated_before(seen, found, cut=end, days=days, since=cut - days - holdout.YEAR)
    known = [one for one in windows if one.end <= cut]  # what could be learnt for the test, no day of it seen
    scaled = calibrate.learn(known).put_right(stated)
    silence = cut - told.last_day
    before = summary_of(seen, end=cut - days)
    came = Window(seen, before.customer, begin=cut - days, end=cut).orders > 0
    former = plain.learn(before.orders, cut - days - before.last_day, came)
    by_model = measures.calibration(scaled, bought)
    by_habit = measures.calibration(former.chance(told.orders, silence), bought)
    shown = "model" if found.verdict.usable and by_model.brier <= PLAIN_ROOM * by_habit.brier else "plain"
    used = by_model if shown == "model" else by_habit
    habit = plain.learn(told.orders, silence, bought)
    return {
        "days": days,
        "tested": True,
        "from": cut,
        "customers": int(told.x.size),
        "bought": int(bought.sum()),
        "shown": shown,
        "model": {"auc": by_model.auc, "brier": by_model.brier, "worst": by_model.worst},
        "plain": {"auc": by_habit.auc, "brier": by_habit.brier, "worst": by_habit.worst},
        "recency_auc": measures.auc(told.last_day.astype(np.float64), bought),
        "base_brier": used.base_brier,
        "tenths": [list(one) for one in used.tenths],
        "habit": [list(line) for line in habit.share],
    } | _scale_json(calibrate.learn([one for one in windows if one.begin >= end - days - holdout.YEAR]))


def _scale_json(scale: calibrate.Scale) -> dict[str, Any]:
    return {"scale": list(scale)}


def _stated(
    way: dict[str, Any],
    found: Fit,
    x: np.ndarray,
    t_x: np.ndarray,
    T: np.ndarray,
    order_days: np.ndarray,
    silence: np.ndarray,
    days: int,
) -> np.ndarray:
    """The chance of each by the way that has shown to be nearer."""
    if "habit" in way and (way["shown"] == "plain" or not found.verdict.usable):
        return plain.Habit(tuple(map(tuple, way["habit"])), 0).chance(order_days, silence)
    stated = predict.chance_to_buy(found, x, t_x, T, days / WEEK)
    return calibrate.Scale(*way["scale"]).put_right(stated)


def _reach(
    seen: Visits, found: Fit, tests: list[holdout.Report], end: int, groups: np.ndarray | None
) -> dict[str, Any]:
    """By how many times totals may be too low or too high, four times of five: {"orders", "spend", "groups": {code: …}}."""
    report = tests[0]
    shown = [one.method(report.gate.shown) for one in tests if report.gate.shown in {m.name for m in one.methods}]
    by_orders = _miss([one.ratio for one in shown])
    by_money = _miss([one.money_ratio or one.ratio for one in shown])
    if not report.gate.earned or not found.verdict.usable:
        return {"orders": _wide(by_orders), "spend": _wide(by_money), "groups": {}}
    told = summary_of(seen, end=end)
    columns = (found, told.x, told.t_x, told.T, YEAR_DAYS / told.unit)
    many = told.x.size > MANY_CUSTOMERS
    drawn = totals.drawn_orders(*columns, draws=FEW_DRAWS if many else DRAWS)
    orders = totals.expected_orders(*columns, miss=by_orders, drawn=drawn)[0]
    mean = np.minimum(told.mean_spend, spend.wholesale_from(told.mean_spend))
    reach: dict[str, Any] = {"orders": _times(orders), "spend": _wide(by_money), "groups": {}}
    if np.isfinite(mean).any():
        values = spend.fit(told.paid, mean, cap=True)
        value = spend.expected_order_value(values, told.paid, mean)
        jitter = 1.0 / values.params[0]

        def of(mine: np.ndarray | None) -> list[totals.Band]:
            return totals.expected_orders(*columns, groups=mine, worth=value, jitter=jitter, miss=by_money, drawn=drawn)

        reach["spend"] = _times(of(None)[0])
        if groups is not None:
            bands = of(groups[np.searchsorted(seen.customers, told.customer)])
            reach["groups"] = {str(i): _times(band) for i, band in enumerate(bands) if band.expected > 0}
    return reach


def _miss(ratios: list[float | None]) -> float | None:
    """How far off totals were: the mean over the tests of predicted over actual, up and down alike."""
    logs = [math.log(one) for one in ratios if one]
    return math.exp(math.sqrt(sum(one * one for one in logs) / len(logs))) if logs else None


def _times(band: totals.Band) -> float:
    return band.high / band.expected if band.expected > 0 else 1.0


def _wide(miss: float | None) -> float:
    return math.exp(EIGHTY * abs(math.log(miss))) if miss and miss > 0 else 2.0


def _whole(
    seen: Visits,
    told: Summary,
    orders: np.ndarray,
    spent: np.ndarray | None,
    groups: np.ndarray | None,
    reach: dict[str, Any],
    end: int,
) -> dict[str, Any]:
    year = Window(seen, told.customer, begin=end - 365, end=end)

    def band(expected: float, times: float) -> dict[str, float]:
        return {"low": expected / times, "expected": expected, "high": expected * times}

    whole: dict[str, Any] = {
        "customers": int(told.x.size),
        "orders": band(float(orders.sum()), reach["orders"]),
        "spend": None if spent is None else band(float(spent.sum()), reach["spend"]),
        "past_orders": float(year.orders.sum()),
        "past_spend": float(year.spend.sum()),
        "groups": [],
    }
    if groups is not None and spent is not None:
        for code in np.unique(groups).tolist():
            mine = groups == code
            times = reach["groups"].get(str(code), reach["spend"])
            whole["groups"].append(
                {"group": code, "customers": int(mine.sum()), "orders": float(orders[mine].sum()), "past_spend": float(year.spend[mine].sum())}
                | {"spend": band(float(spent[mine].sum()), times)}
            )  # fmt: skip
    return whole
