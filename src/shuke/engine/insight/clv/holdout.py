"""Is a model worth showing for this shop? Fit on the past before a cut, ask for the time after it, lay beside what came.

Customers are those who had bought by the cut; newcomers are counted apart. What the model has to beat are the plain rules
anybody can have for nothing: everybody goes on at their past rate, does what they did in the same weeks a year ago, is ranked
by how lately they bought, or does what the mean does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from shuke.engine.insight.clv import calibrate, measures, predict, spend, traits
from shuke.engine.insight.clv.fit import fit
from shuke.engine.insight.clv.fitted import Fit
from shuke.engine.insight.clv.history import WEEK, Summary, Visits, Window, summary_of

DEFAULT = ("mbg_nbd", 1)
CANDIDATES = (DEFAULT, ("bg_nbd", 1), ("mbg_cnbd", 2), ("mbg_cnbd", 3))
BETTER_BY = 0.98  # an alternative takes the default's place only if its MAE is at least 2 % lower
LEAST_DAYS, LEAST_GAPS = 28, 2.0
YEAR = 364  # whole weeks, so that weekends meet weekends
TOTAL_FROM, TOTAL_TO = 0.7, 1.4
CAPTURE_ROOM = 0.02
LEAST_DAYS_APART = 30  # of the days whose chances are laid beside what came


class Scored(NamedTuple):
    """How one way of predicting did. Orders, and money (None where the rule says nothing of it, or amounts are unknown)."""

    name: str
    predicted: float | None
    ratio: float | None  # predicted over actual; None for a mere order of customers
    mae: float | None
    spearman: float | None
    gini: float | None
    capture: float | None
    money_predicted: float | None = None
    money_ratio: float | None = None
    money_gini: float | None = None
    money_capture: float | None = None


class Spread(NamedTuple):
    """How far the spend of alike customers lies from what was expected of them: the middle half, as multiples of it.

    least: the expected spend per unit of time from which on customers belong here; the next higher one goes before.
    """

    least: float
    low: float
    high: float


class Gate(NamedTuple):
    """Whether the model is shown. `shown` is its name, or that of the plain rule that takes its place."""

    earned: bool
    shown: str
    total_good: bool
    mae_good: bool
    capture_good: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A holdout. Days count as the orders do. `actual_orders`, `actual_spend`: of customers known at the cut."""

    begin: int  # the cut: the last day a model has seen
    end: int
    customers: int
    newcomers: int
    newcomer_orders: int
    actual_orders: float
    actual_spend: float
    model: str
    k: int
    methods: tuple[Scored, ...]
    deciles: tuple[measures.Tenth, ...]  # of expected orders
    spreads: tuple[Spread, ...]  # of expected spend, highest first; empty where amounts are not known
    chance_days: int
    chance: measures.Calibration
    scale: calibrate.Scale
    gate: Gate

    def method(self, name: str) -> Scored:
        return next(one for one in self.methods if one.name == name)

    def to_json(self) -> dict[str, Any]:
        def plain(value: Any) -> Any:
            if hasattr(value, "_asdict"):
                return {key: plain(inner) for key, inner in value._asdict().items()}
            return [plain(one) for one in value] if isinstance(value, tuple) else value

        told = {name: plain(getattr(self, name)) for name in self.__slots__}
        return told | {"says_en": sentence(self, "en"), "says_zh": sentence(self, "zh")}


def cut_for(seen: Visits, *, end: int | None = None) -> int:
    """The day before which a model learns: two typical gaps and four weeks before the end, at most a third of the history."""
    end = int(seen.day.max()) if end is None else end
    begin = int(seen.day.min())
    same = seen.customer[1:] == seen.customer[:-1]
    gaps = (seen.day[1:] - seen.day[:-1])[same]
    wanted = max(float(LEAST_DAYS), LEAST_GAPS * float(np.median(gaps)) if gaps.size else 0.0, 0.25 * (end - begin))
    return end - int(min(wanted, (end - begin) / 3))


def cuts_for(seen: Visits, *, end: int | None = None) -> tuple[tuple[int, int], ...]:
    """Cuts and ends to test: the latest, and the same weeks a year earlier where as much history lies before those."""
    end = int(seen.day.max()) if end is None else end
    cut = cut_for(seen, end=end)
    earlier = cut - YEAR
    if earlier - int(seen.day.min()) < end - cut:
        return ((cut, end),)
    return ((cut, end), (earlier, end - YEAR))


def spend_band(spreads: tuple[Spread, ...], expected: np.ndarray, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """Low and high (float64) of the middle half that customers of such an expectation really spent in the test.

    expected: spend within `horizon` (in units of time) of each customer, as `worth.expected_spend` gives it.
    """
    if not spreads:
        return np.full(expected.size, np.nan), np.full(expected.size, np.nan)
    floors = np.array([one.least for one in reversed(spreads)])
    place = np.clip(np.searchsorted(floors, expected / horizon, side="right") - 1, 0, len(spreads) - 1)
    low, high = (np.array([getattr(one, name) for one in reversed(spreads)]) for name in ("low", "high"))
    return expected * low[place], expected * high[place]


def try_models(
    seen: Visits,
    *,
    cut: int | None = None,
    end: int | None = None,
    chance_days: int = 30,
    unit: float = WEEK,
    models: tuple[tuple[str, int], ...] = CANDIDATES,
) -> Report:
    """Fit each model on what is known at day `cut`, score it on the days after it up to `end`, and choose."""
    end = int(seen.day.max()) if end is None else end
    cut = cut_for(seen, end=end) if cut is None else cut
    told = summary_of(seen, end=cut, unit=unit)
    came = Window(seen, told.customer, begin=cut, end=end)
    horizon = (end - cut) / unit
    values = _order_values(told)
    rows = told.rows()
    scored: dict[tuple[str, int], tuple[Scored, Fit, np.ndarray]] = {}
    for model, k in models:
        found = fit(rows, model, k=k if model == "mbg_cnbd" else None)
        if not found.verdict.usable:
            continue
        expected = predict.expected_orders(found, told.x, told.t_x, told.T, horizon)
        money = None if values is None else expected * values
        scored[model, k] = (score(name_of(model, k), expected, came, money), found, expected)
    if not scored:
        raise ValueError("No model could be fitted to this history; show the plain rules.")
    plain = plain_rules(seen, told, came, cut=cut, end=end)
    best = _choose({key: one[0] for key, one in scored.items()}, plain)
    chosen, found, expected = scored[best]
    days = min(chance_days, end - cut)
    scale = learned_scale(seen, found, cut=cut, days=days, unit=unit)
    chance = scale.put_right(predict.chance_to_buy(found, told.x, told.t_x, told.T, days / unit))
    bought = Window(seen, told.customer, begin=cut, end=cut + days).orders > 0
    methods = (chosen, *(one for key, (one, _f, _e) in scored.items() if key != best), *plain)
    return Report(
        cut,
        end,
        int(told.x.size),
        came.newcomers,
        came.newcomer_orders,
        float(came.orders.sum()),
        float(came.spend.sum()),
        best[0],
        best[1],
        methods,
        measures.tenths(expected, came.orders),
        () if values is None else spreads_of(expected * values, came.spend, horizon),
        days,
        measures.calibration(chance, bought),
        scale,
        gate(chosen, plain),
    )


def learned_scale(
    seen: Visits,
    told: Fit,
    *,
    cut: int,
    days: int,
    unit: float = WEEK,
    own: tuple[tuple[str, ...], np.ndarray] | None = None,
) -> calibrate.Scale:
    """What fits of earlier days said, beside what came until the cut: nothing after it is looked at. As for `stated_before`."""
    return calibrate.learn(stated_before(seen, told, cut=cut, days=days, unit=unit, own=own))


def stated_before(
    seen: Visits,
    told: Fit,
    *,
    cut: int,
    days: int,
    unit: float = WEEK,
    own: tuple[tuple[str, ...], np.ndarray] | None = None,
    since: int | None = None,
) -> list[calibrate.Earlier]:
    """Chances of `days` as they would have been stated on earlier days, each by a fit of its own, the latest first.

    The latest window ends at the cut; the others begin half a window (30 days at least) earlier each, back to `since` (default: a
    year of them), as far as a window of history lies before. own: names and values of traits of `seen.customers`, where the fit has them.
    """
    found: list[calibrate.Earlier] = []
    since = cut - days - YEAR if since is None else since
    k = told.k if told.model == "mbg_cnbd" else None
    for begin in range(cut - days, max(since - 1, int(seen.day.min()) + days), -max(LEAST_DAYS_APART, days // 2)):
        then = summary_of(seen, end=begin, unit=unit)
        if not found and then.x.size < calibrate.LEAST_CUSTOMERS:
            break
        if own is None:
            earlier = fit(then.rows(), told.model, k=k, prior=told.prior)
            chance = predict.chance_to_buy(earlier, then.x, then.t_x, then.T, days / unit)
        else:
            values = own[1][np.searchsorted(seen.customers, then.customer)]
            parted = traits.fit(then.x, then.t_x, then.T, values, own[0], told.model, k=k, prior=told.prior)
            chance = traits.chance_to_buy(parted, then.x, then.t_x, then.T, values, days / unit)
        bought = Window(seen, then.customer, begin=begin, end=begin + days).orders > 0
        found.append(calibrate.Earlier(begin, begin + days, chance, bought))
    return found


def plain_rules(seen: Visits, told: Summary, came: Window, *, cut: int, end: int) -> tuple[Scored, ...]:
    """The rules a model must beat, scored: past_rate, last_year (where the history reaches back), recency, mean."""
    rate, money = plain_expectation("past_rate", seen, told, cut=cut, days=end - cut)
    found = [score("past_rate", rate, came, money)]
    if int(seen.day.min()) <= cut - YEAR and end - YEAR <= cut:  # a longer holdout would look into itself
        orders, spent = plain_expectation("last_year", seen, told, cut=cut, days=end - cut)
        found.append(score("last_year", orders, came, spent))
    found.append(score("recency", told.last_day.astype(np.float64), came, None, only_order=True))
    flat = np.full(told.x.size, rate.mean())
    found.append(score("mean", flat, came, np.full(told.x.size, float(money.mean()))))
    return tuple(found)


def plain_expectation(rule: str, seen: Visits, told: Summary, *, cut: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Orders and spend (float64) that a plain rule expects of each customer in the `days` after `cut`: past_rate or last_year."""
    if rule == "last_year":
        then = Window(seen, told.customer, begin=cut - YEAR, end=cut - YEAR + days)
        return then.orders, np.maximum(then.spend, 0.0)
    age = np.maximum(told.T * told.unit, 1.0)
    return told.x / age * days, np.maximum(told.spend / age * days, 0.0)


def score(
    name: str, expected: np.ndarray, came: Window, money: np.ndarray | None, *, only_order: bool = False
) -> Scored:
    """Lay expected orders (and money) beside what came. `only_order`: the values only rank customers."""
    actual, total, spent = came.orders, float(came.orders.sum()), float(came.spend.sum())
    kept = np.maximum(came.spend, 0.0)
    about = money if money is not None else expected
    return Scored(
        name,
        None if only_order else float(expected.sum()),
        None if only_order or total <= 0 else float(expected.sum()) / total,
        None if only_order else float(np.abs(expected - actual).mean()),
        measures.spearman(expected, actual),
        measures.normalised_gini(expected, actual),
        measures.capture(expected, actual),
        None if money is None else float(money.sum()),
        None if money is None or spent <= 0 else float(money.sum()) / spent,
        measures.normalised_gini(about, kept),
        measures.capture(about, kept),
    )


def gate(model: Scored, plain: tuple[Scored, ...]) -> Gate:
    """On if the total is within 0.7 to 1.4 or nearer than the past rate's, the MAE better than the past rate's, and the best
    fifth found is not smaller than any plain rule's by more than two points."""
    rate = next(one for one in plain if one.name == "past_rate")

    total = (model.ratio is not None and TOTAL_FROM <= model.ratio <= TOTAL_TO) or _off(model.ratio) < _off(rate.ratio)
    near = model.mae is not None and rate.mae is not None and model.mae < rate.mae
    best = max((one.capture for one in plain if one.capture is not None and one.name != "mean"), default=None)
    found = best is None or (model.capture is not None and model.capture >= best - CAPTURE_ROOM)
    earned = total and near and found
    return Gate(earned, model.name if earned else _plain_instead(plain), total, near, found)


def sentence(report: Report, language: str) -> str:
    """One sentence for the manager, in "en" or "zh"."""
    model, rate = report.methods[0], report.method("past_rate")
    days = report.end - report.begin
    expected, came = round(model.predicted or 0.0), round(report.actual_orders)
    miss = 0.0 if model.ratio is None else model.ratio - 1
    if language == "zh":
        way = "准确" if abs(miss) < 0.005 else f"{'偏高' if miss > 0 else '偏低'} {abs(miss):.0%}"
        found = f"排在前 20% 的顾客带来了 {model.capture or 0:.1%} 的购买，按过往频率排序为 {rate.capture or 0:.1%}。"
        last = (
            "因此显示模型的结果。"
            if report.gate.earned
            else f"简单规则不逊于模型，因此改用“{RULES[report.gate.shown][1]}”。"
        )
        return f"用最近 {days} 天检验：预计 {expected:,} 笔，实际 {came:,} 笔（{way}）。{found}{last}"
    way = "right on" if abs(miss) < 0.005 else f"{abs(miss):.0%} {'high' if miss > 0 else 'low'}"
    found = (
        f"Of the 20 % we ranked highest came {model.capture or 0:.1%} of the purchases; sorting by past rate would have given"
        f" {rate.capture or 0:.1%}."
    )
    last = (
        "So the model is shown."
        if report.gate.earned
        else f"A plain rule does as well, so {RULES[report.gate.shown][0]} is shown."
    )
    return f"Tested on the last {days} days: we expected {expected:,} orders, {came:,} came ({way}). {found} {last}"


RULES = {
    "past_rate": ("the past rate", "过往频率"),
    "last_year": ("the same weeks of last year", "去年同期"),
    "recency": ("the order of last purchases", "最近购买顺序"),
    "mean": ("the mean of all", "总体平均"),
}


def name_of(model: str, k: int) -> str:
    return f"{model}_{k}" if model == "mbg_cnbd" else model


def spreads_of(expected: np.ndarray, came: np.ndarray, horizon: float) -> tuple[Spread, ...]:
    """By tenths of expected spend within `horizon`: what customers of such an expectation really spent."""
    order = np.argsort(-expected, kind="stable")
    found = []
    for part in np.array_split(order, 10):
        if part.size and (mean := float(expected[part].mean())) > 0:
            low, high = np.percentile(came[part], [25, 75]) / mean
            found.append(Spread(float(expected[part].min()) / horizon, max(float(low), 0.0), max(float(high), 0.0)))
    return tuple(found)


def _plain_instead(plain: tuple[Scored, ...]) -> str:
    """The plain rule to show: of those that give numbers the one with the smallest error."""
    told = [one for one in plain if one.mae is not None and one.name != "mean"]
    return min(told, key=lambda one: one.mae if one.mae is not None else math.inf).name


def _choose(scored: dict[tuple[str, int], Scored], plain: tuple[Scored, ...]) -> tuple[str, int]:
    """The default, unless another is clearly nearer without being worse at anything else: a low MAE alone is cheap, whoever
    foresees too little has it."""
    if DEFAULT not in scored:
        return min(scored, key=lambda key: scored[key].mae or 0.0)
    usual, best = scored[DEFAULT], DEFAULT
    for key, one in scored.items():
        better = nearer(one, usual) and (one.mae or 0.0) < (scored[best].mae or 0.0)
        if better and gate(one, plain).earned >= gate(usual, plain).earned:
            best = key
    return best


def nearer(one: Scored, usual: Scored) -> bool:
    """Whether another form of a model has earned the place of the usual one: clearly nearer on single customers, in all else as good."""
    better = (one.mae or 0.0) < BETTER_BY * (usual.mae or 0.0)
    return (
        better
        and (one.capture or 0.0) >= (usual.capture or 0.0) - 0.005
        and _off(one.ratio) <= _off(usual.ratio) + 0.05
    )


def _off(ratio: float | None) -> float:
    """How far a total is off, as much for half as for double."""
    return math.inf if ratio is None or ratio <= 0 else abs(math.log(ratio))


def _order_values(told: Summary) -> np.ndarray | None:
    """Expected order values of the customers at the cut; None where no amounts are known."""
    if not np.isfinite(told.mean_spend).any():
        return None
    mean = np.minimum(told.mean_spend, spend.wholesale_from(told.mean_spend))
    return spend.expected_order_value(spend.fit(told.paid, mean, cap=True), told.paid, mean)
