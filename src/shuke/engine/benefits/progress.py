"""What a member is close to: steps of cumulative plans, streaks, the offers of today's basket. One pure view.

A plan counts net of returns, so what came back lowers it; what was claimed before stays claimed, and nothing more is due until
the count has caught up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from shuke.engine.benefits.periods import Span, span
from shuke.engine.charter.parts import Name
from shuke.engine.charter.rights import Plan, Step
from shuke.engine.charter.selling import Offer
from shuke.engine.charter.terms import Terms
from shuke.kit.clock import day_of


class Streak(NamedTuple):
    """An activity done on so many days in a row, the last of them on `last`."""

    activity: str
    last: date
    days: int


class Done(NamedTuple):
    """What of a member the view depends on."""

    joined: date
    tier: str
    counted: Mapping[str, int]  # plan → minor units, thousandths of pieces, or orders, net of returns, within its span
    claimed: Mapping[str, int]  # "plan.step number" → times claimed within the span
    streaks: Mapping[str, Streak]


class Doing(NamedTuple):
    """An activity that staff can record: what one time gives, how long the row is, and where its next reward stands."""

    activity: str
    names: tuple[Name, ...]
    points: int  # the most one time gives, rewards of rows and all limits aside
    growth: int
    today: bool  # done today, as far as rows are counted
    days: int  # in a row, up to today or yesterday
    need: int  # days of the next reward; 0: no rule counts rows
    extra: int


class Close(NamedTuple):
    """One thing within reach. `have` of `need` in `unit`; `missing` to the next step."""

    kind: str  # plan | honour | streak | offer
    key: str
    name: Name
    next_name: Name | None  # what the next step gives; None: everything is reached
    unit: str  # minor | pieces_milli | orders | days
    have: int
    need: int
    missing: int
    span: Span | None
    due: tuple[tuple[int, Step, int], ...] = ()  # steps that can be claimed: number, step, how many
    reached: tuple[tuple[int, Step, int], ...] = ()  # steps reached so far: number, step, how often

    @property
    def permille(self) -> int:
        return min(1000, self.have * 1000 // self.need) if self.need else 1000


def progress(terms: Terms, done: Done, at: datetime) -> list[Close]:
    """What can be claimed first, then what is nearest, then the offers that every basket can have."""
    day = day_of(at, terms.zone)
    found = [
        _plan(terms, plan, done, day)
        for plan in terms.charter.rights.plans
        if runs(plan, day) and (not plan.tiers or done.tier in plan.tiers)
    ]
    found += _streaks(terms, done, day)
    found.sort(key=lambda c: (not c.due, c.next_name is None, -c.permille, c.key))
    return found + _offers(terms, done, day)


def runs(plan: Plan, day: date) -> bool:
    return (plan.from_date is None or plan.from_date <= day) and (plan.until_date is None or day <= plan.until_date)


def plan_span(terms: Terms, plan: Plan, day: date, joined: date) -> Span:
    """The period a plan counts over, within the plan's own dates."""
    period = span(plan.per, day, joined, terms.zone)
    start = period.start if plan.from_date is None else max(period.start, terms.start(plan.from_date))
    if plan.until_date is None:
        return Span(start, period.end)
    ends = terms.start(date.fromordinal(plan.until_date.toordinal() + 1))
    return Span(start, ends if period.end is None else min(period.end, ends))


def thresholds(terms: Terms, plan: Plan) -> list[int]:
    """Steps in the unit that is counted."""
    if plan.counts == "amount":
        return [terms.minor(s.at_least) for s in plan.steps]
    return [int(s.at_least * (1000 if plan.counts == "pieces" else 1)) for s in plan.steps]


def reached(plan: Plan, steps: list[int], counted: int) -> list[int]:
    """How often each step has been reached."""
    if not plan.repeat:
        return [1 if counted >= at else 0 for at in steps]
    rounds, rest = divmod(max(0, counted), steps[-1])
    return [rounds + (1 if rest >= at else 0) for at in steps]


def _plan(terms: Terms, plan: Plan, done: Done, day: date) -> Close:
    steps = thresholds(terms, plan)
    counted = max(0, done.counted.get(plan.key, 0))
    times = reached(plan, steps, counted)
    within = counted % steps[-1] if plan.repeat else counted
    ahead = next((i for i, at in enumerate(steps) if within < at), None)
    due = [
        (i, step, times[i] - done.claimed.get(f"{plan.key}.{i}", 0))
        for i, step in enumerate(plan.steps)
        if not plan.honour and times[i] > done.claimed.get(f"{plan.key}.{i}", 0)
    ]
    return Close(
        "honour" if plan.honour else "plan",
        plan.key,
        plan.name,
        None if ahead is None else plan.steps[ahead].name,
        {"amount": "minor", "pieces": "pieces_milli", "orders": "orders"}[plan.counts],
        within,
        steps[-1] if ahead is None else steps[ahead],
        0 if ahead is None else steps[ahead] - within,
        plan_span(terms, plan, day, done.joined),
        tuple(due),
        tuple((i, plan.steps[i], n) for i, n in enumerate(times) if n),
    )


def doings(terms: Terms, streaks: Mapping[str, Streak], at: datetime) -> list[Doing]:
    """What the charter rewards beside buying and is told by somebody. Joining tells itself."""
    day, found = day_of(at, terms.zone), []
    for activity, rules in terms.activities.items():
        if activity == "join":
            continue
        keys = {rule.key for rule in rules}
        named = [rule for rule in terms.charter.earning if rule.key in keys]
        streak = streaks.get(activity)
        days = streak.days if streak is not None and (day - streak.last).days <= 1 else 0
        ends = [next_reward([(s.days, s.points) for s in rule.streaks], days) for rule in named if rule.streaks]
        need, extra = min(ends, key=lambda end: (end[0], -end[1]), default=(0, 0))
        found.append(
            Doing(
                activity,
                tuple(dict.fromkeys(rule.name for rule in named)),
                sum(rule.points for rule in named if rule.gives == "points"),
                sum(rule.points for rule in named if rule.gives == "growth"),
                bool(need) and streak is not None and streak.last == day,
                days,
                need,
                extra,
            )
        )
    return found


def next_reward(lengths: Iterable[tuple[int, int]], days: int) -> tuple[int, int]:
    """The nearest end of a row that is longer than `days`, and what it gives. Each length counts again at its multiples
    (engine/charter/activity.py)."""
    need, less = min((((days // length) + 1) * length, -points) for length, points in lengths)
    return need, -less


def _streaks(terms: Terms, done: Done, day: date) -> list[Close]:
    found = []
    for rule in terms.charter.earning:
        if rule.kind != "activity" or not rule.streaks or rule.activity is None:
            continue
        streak = done.streaks.get(rule.activity)
        # A day that was left out begins the row anew; today's may still come.
        days = streak.days if streak is not None and (day - streak.last).days <= 1 else 0
        need, extra = next_reward([(s.days, s.points) for s in rule.streaks], days)
        gives = Name(zh=f"{terms.charter.points.name.zh} +{extra}", en=f"+{extra} {terms.charter.points.name.en}")
        found.append(Close("streak", rule.key, rule.name, gives, "days", days, need, need - days, None))
    return found


def _offers(terms: Terms, done: Done, day: date) -> list[Close]:
    """Ladders and buy-n-get-one of the till: they begin anew with every basket, so all of the step is missing."""
    found = []
    for offer in terms.charter.selling.offers:
        when = offer.when
        runs_now = (when.from_date is None or when.from_date <= day) and (
            when.until_date is None or day <= when.until_date
        )
        if not runs_now or (when.tiers and done.tier not in when.tiers):
            continue
        if offer.kind == "ladder" and offer.rungs:
            rung = offer.rungs[0]
            milli = offer.measure == "pieces"
            need = int(rung.at_least * 1000) if milli else terms.minor(rung.at_least)
            unit = "pieces_milli" if milli else "minor"
            found.append(Close("offer", offer.key, offer.name, _off(offer), unit, 0, need, need, None))
        elif offer.kind == "buy_get":
            need = offer.buy * 1000
            found.append(Close("offer", offer.key, offer.name, _given(offer), "pieces_milli", 0, need, need, None))
    return found


def _off(offer: Offer) -> Name:
    rung = offer.rungs[0]
    if rung.percent is not None:
        return Name(zh=f"减 {_plain(rung.percent)}%", en=f"{_plain(rung.percent)}% off")
    return Name(zh=f"减 {_plain(rung.off or Decimal(0))}", en=f"{_plain(rung.off or Decimal(0))} off")


def _given(offer: Offer) -> Name:
    if offer.percent is None or offer.percent == 100:
        return Name(zh=f"送 {offer.get} 件", en=f"{offer.get} free")
    return Name(zh=f"{offer.get} 件减 {_plain(offer.percent)}%", en=f"{_plain(offer.percent)}% off {offer.get}")


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
