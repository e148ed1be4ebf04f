"""May this member have this benefit now, and how often still? Pure: charter and facts in, an answer with its reason out.

A quota counts uses within one period of the shop's calendar. Where the tier changed within the period the charter says what
counts (docs/algorithms/benefits.md): the best of the tiers held (`keep`), each tier's share by days (`prorate`), or the
present one (`now`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from shuke.engine.benefits.periods import Span, days_of, span
from shuke.engine.calendar.birthdays import celebrated
from shuke.engine.charter.parts import Name
from shuke.engine.charter.rights import KINDS, Benefit, Occasion
from shuke.engine.charter.rules import is_one_of
from shuke.engine.charter.terms import Terms
from shuke.kit.clock import day_of

NO_LIMIT = 1 << 40
LOOK_AHEAD = 370  # days in which the next occasion is looked for


class Given(NamedTuple):
    """One benefit handed out and not taken back."""

    benefit: str
    at: datetime


class Someone(NamedTuple):
    """What a quota depends on besides the charter."""

    joined: date
    tiers: Sequence[tuple[datetime, str]]  # since when which, oldest first; the last is the present one
    birthday: tuple[int, int, bool] | None = None  # month, day, lunar
    special_days: Sequence[tuple[str, int, int, bool]] = ()  # kind, month, day, lunar
    given: Sequence[Given] = ()
    frozen: bool = False


class Right(NamedTuple):
    """One benefit as it stands for one member. `code` says why it cannot be handed out now; "" = it can."""

    key: str
    name: Name
    kind: str
    code: str  # "" | automatic | frozen | not_this_tier | no_birthday | no_special_day | not_here | not_now | over | used_up
    allowed: int | None  # per period; None: without limit
    used: int
    left: int | None
    span: Span
    next_on: date | None  # not_now: the next day on which it can be had
    cost: int  # minor units
    benefit: Benefit


def is_handed_out(terms: Terms, kind: str) -> bool:
    if kind in KINDS:
        return KINDS[kind][2]
    return next((k.handed_out for k in terms.charter.rights.kinds if k.key == kind), True)


def rights(terms: Terms, who: Someone, at: datetime, store: str = "") -> list[Right]:
    """All benefits of the charter, in its order, those of other tiers too."""
    return [right(terms, one, who, at, store) for one in terms.charter.rights.benefits]


def right(terms: Terms, benefit: Benefit, who: Someone, at: datetime, store: str = "") -> Right:
    day = day_of(at, terms.zone)
    period = span(benefit.per, day, who.joined, terms.zone, who.tiers[-1][0])
    allowed = _allowed(benefit, who, period, day, at, terms)
    used = sum(1 for g in who.given if g.benefit == benefit.key and period.holds(g.at))
    local = at.astimezone(terms.zone)
    code, next_on = "", None
    if not allowed:
        code = "not_this_tier"
    elif (missing := _never(benefit.when, who)) != "":
        code = missing
    elif benefit.when.until_date is not None and day > benefit.when.until_date:
        code = "over"
    elif benefit.when.stores and store not in benefit.when.stores:
        code = "not_here"
    elif not _fits(benefit.when, day, who) or (benefit.when.hours and local.hour not in benefit.when.hours):
        code, next_on = "not_now", _next(benefit.when, day, who)
    elif not is_handed_out(terms, benefit.kind):
        code = "automatic"
    elif who.frozen:
        code = "frozen"
    elif used >= allowed:
        code = "used_up"
    limited = allowed < NO_LIMIT
    return Right(
        benefit.key,
        benefit.name,
        benefit.kind,
        code,
        allowed if limited else None,
        used,
        max(0, allowed - used) if limited else None,
        period,
        next_on,
        terms.minor(benefit.cost),
        benefit,
    )


def times_for(benefit: Benefit, tier: str) -> int:
    """How often per period somebody of this tier may have it; 0 = not at all."""
    others = None
    for grant in benefit.grants:
        if tier in grant.tiers:
            return grant.times or NO_LIMIT
        if not grant.tiers:
            others = grant.times or NO_LIMIT
    return others or 0


def _allowed(benefit: Benefit, who: Someone, period: Span, day: date, at: datetime, terms: Terms) -> int:
    present = times_for(benefit, who.tiers[-1][1])
    if benefit.on_tier_change == "now" or benefit.per == "tier" or len(who.tiers) == 1:
        return present
    if benefit.on_tier_change == "keep":
        return max(times_for(benefit, tier) for tier in _held(who.tiers, period.start, at))
    bounds = days_of(benefit.per, day, who.joined)
    assert bounds is not None  # check: what is shared out has an end
    return _by_days(benefit, who, bounds, terms)


def _held(tiers: Sequence[tuple[datetime, str]], start: datetime, at: datetime) -> list[str]:
    """Tiers held at some moment from `start` to `at`."""
    ends = [since for since, _ in tiers[1:]] + [None]
    return [
        tier for (since, tier), end in zip(tiers, ends, strict=True) if since <= at and (end is None or end > start)
    ] or [tiers[-1][1]]


def _by_days(benefit: Benefit, who: Someone, bounds: tuple[date, date], terms: Terms) -> int:
    """Each tier's quota for its share of the period's days, in all rounded up. A day counts for the tier it ended in; the
    present tier is taken to last, the first one to have been there from the beginning."""
    first, after = bounds
    changes = [max(first, terms.day(since)) for since, _ in who.tiers]
    changes[0] = first
    ends = [min(after, c) for c in [*changes[1:], after]]
    shares = sum(
        times_for(benefit, tier) * max(0, (end - start).days)
        for (_, tier), start, end in zip(who.tiers, changes, ends, strict=True)
    )
    return -(-shares // (after - first).days)


# -- occasions ----------------------------------------------------------------------------------------------------


def _never(when: Occasion, who: Someone) -> str:
    if when.birthday and who.birthday is None:
        return "no_birthday"
    if when.special_days and not any(kind in when.special_days for kind, *_ in who.special_days):
        return "no_special_day"
    return ""


def _fits(when: Occasion, day: date, who: Someone) -> bool:
    return (
        (when.from_date is None or when.from_date <= day)
        and (when.until_date is None or day <= when.until_date)
        and (not when.weekdays or day.isoweekday() in when.weekdays)
        and (not when.month_days or day.day in when.month_days)
        and (not when.days or is_one_of(when.days, day))
        and (when.birthday is None or _is_birthday(when.birthday, day, who))
        and (not when.special_days or _is_special(when, day, who))
    )


def _is_birthday(how: str, day: date, who: Someone) -> bool:
    assert who.birthday is not None
    month, on, lunar = who.birthday
    for year in (day.year - 1, day.year, day.year + 1):  # the week of a birthday may begin in the year before
        born = celebrated(month, on, lunar, year)
        if born is None:
            continue
        if how == "day" and born == day:
            return True
        if how == "month" and (born.year, born.month) == (day.year, day.month):
            return True
        if how == "week" and born - timedelta(days=born.weekday()) == day - timedelta(days=day.weekday()):
            return True
    return False


def _is_special(when: Occasion, day: date, who: Someone) -> bool:
    for kind, month, on, lunar in who.special_days:
        if kind not in when.special_days:
            continue
        for year in (day.year - 1, day.year, day.year + 1):
            held = celebrated(month, on, lunar, year)
            if held is not None and -when.before <= (day - held).days <= when.after:
                return True
    return False


def _next(when: Occasion, day: date, who: Someone) -> date | None:
    ahead = (day + timedelta(days=n) for n in range(0 if when.hours else 1, LOOK_AHEAD))
    return next((d for d in ahead if _fits(when, d, who)), None)
