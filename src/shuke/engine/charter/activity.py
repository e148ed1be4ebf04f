"""What an activity gives: sign-in, survey, review, event, referral, a completed profile, and the shop's own."""

from __future__ import annotations

from typing import Any, NamedTuple

from shuke.engine.charter.earn import ALL, Basket, Draw, applies
from shuke.engine.charter.terms import Terms


class Rewarded(NamedTuple):
    points: int
    growth: int
    why: list[dict[str, Any]]
    counted: dict[str, int]
    drawn: dict[str, int]


def reward(
    terms: Terms, activity: str, basket: Basket, room: dict[str, int], streak: int, draw: Draw | None
) -> Rewarded:
    """Points and growth value of one activity. `streak` is how many days in a row it has now been done."""
    points = growth = 0
    why: list[dict[str, Any]] = []
    counted: dict[str, int] = {}
    drawn: dict[str, int] = {}
    for rule in terms.activities.get(activity, ()):
        if not applies(rule, basket):
            continue
        if rule.limited and room.get(rule.key + "#", 1) <= 0:
            why.append({"rule": rule.key, "points": "0", "code": "limit"})
            continue
        # The longest streak reached today; several that end today (3 and 6 of 6) do not add up.
        extra = max((n for days, n in rule.streaks if streak and streak % days == 0), default=0)
        given = rule.points + extra
        caps = [n for n in (rule.caps[0], room.get(rule.key)) if n is not None]
        given = min([given, *caps])
        if rule.budget is not None and draw is not None and given:
            given = min(given, draw(rule, given))
            drawn[rule.key] = given
        grows = rule.key in terms.growing
        if terms.capped and not grows:
            most = [n for n in (terms.all_caps[0], room.get(ALL)) if n is not None]
            given = min([given, *(n - counted.get(ALL, 0) for n in most)])
            counted[ALL] = counted.get(ALL, 0) + given
        if caps:
            counted[rule.key] = given
        if not given:
            why.append({"rule": rule.key, "points": "0", "code": "cap"})
            continue
        if rule.limited:
            counted[rule.key + "#"] = 1
        told: dict[str, Any] = {"rule": rule.key, ("growth" if grows else "points"): str(given)}
        if streak > 1:
            told["streak"] = streak
        why.append(told)
        if grows:
            growth += given
        else:
            points += given
    return Rewarded(points, growth, why, counted, drawn)
