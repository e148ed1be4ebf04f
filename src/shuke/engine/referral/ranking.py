"""All bonds of one referrer together: the how manieth success each is, and what both sides get for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shuke.engine.charter.referring import ReferralReward, ReferralStep, Referring
from shuke.engine.charter.terms import Terms
from shuke.engine.referral.judging import Bond, Judged


class Give(NamedTuple):
    """One thing one side gets. `what`: key of the coupon, or the names of gift or honour."""

    side: str  # friend | referrer
    kind: str  # points | growth | coupon | gift | honour
    amount: int
    what: str = ""
    name: tuple[str, str] = ("", "")  # Chinese, English
    cost: int = 0


What = tuple[str, str, str]  # side, kind, what


def to_move(gives: Iterable[Give], have: Mapping[What, int]) -> list[tuple[What, Give | None, int]]:
    """What is due and what was moved before, in the order in which the rest is moved: key, what is due, how much of it."""
    wanted = {(give.side, give.kind, give.what): give for give in gives}
    return [(key, wanted.get(key), wanted[key].amount if key in wanted else 0) for key in sorted({*wanted, *have})]


class Case(NamedTuple):
    """A bond as it stands before ranking. `hold`: somebody has to look at it first."""

    bond: Bond
    terms: Terms
    judged: Judged
    hold: bool = False


class Outcome(NamedTuple):
    """`state`: waiting | pending | held | rewarded | returned | missed."""

    judged: Judged
    state: str
    code: str = ""
    rank: int = 0
    gives: tuple[Give, ...] = ()


def fold(cases: Iterable[Case]) -> dict[int, Outcome]:
    """Outcomes by bond. Successes are counted in the order in which they fell due, never in that in which they were told."""
    found: dict[int, Outcome] = {}
    rank, paid = 0, 0
    months: Counter[str] = Counter()
    honours: set[str] = set()
    for case in sorted(cases, key=_place):
        state, code = _state(case)
        if state != "rewarded":
            found[case.bond.key] = Outcome(case.judged, state, code)
            continue
        part = case.terms.charter.referral
        assert part is not None
        assert case.judged.due_at is not None
        rank += 1
        gives = _gives("friend", part.friend, case.terms)
        month = f"{case.terms.day(case.judged.due_at):%Y-%m}"
        if _capped(part, months[month], paid):
            code = "cap"
        elif (step := _step(part, rank)) is not None:
            months[month] += 1
            paid += 1
            gives += _gives("referrer", step, case.terms)
        for one in part.steps:  # an honour stands for the number of friends, whatever a month may pay
            if one.honour is not None and rank >= one.at_least and one.honour.zh not in honours:
                honours.add(one.honour.zh)
                gives += (Give("referrer", "honour", 1, one.honour.zh[:40], (one.honour.zh, one.honour.en)),)
        found[case.bond.key] = Outcome(case.judged, state, code, rank, gives)
    return found


def _place(case: Case) -> tuple[bool, float, int]:
    due = case.judged.due_at
    return due is None, due.timestamp() if due else 0.0, case.bond.key


def _state(case: Case) -> tuple[str, str]:
    judged = case.judged
    if judged.state != "due":
        return ("missed", "declined") if case.bond.decision == "declined" else (judged.state, judged.code)
    if case.bond.decision == "declined":
        return "missed", "declined"
    if case.hold:
        return "held", ""
    part = case.terms.charter.referral
    if judged.back_at is not None and part is not None and part.on_refund == "return":
        return "returned", "refunded"
    return "rewarded", ""


def _capped(part: Referring, in_month: int, ever: int) -> bool:
    caps = part.caps
    return (caps.per_month is not None and in_month >= caps.per_month) or (
        caps.per_member is not None and ever >= caps.per_member
    )


def _step(part: Referring, rank: int) -> ReferralStep | None:
    reached = [step for step in part.steps if step.at_least <= rank]
    return reached[-1] if reached else None


def _gives(side: str, reward: ReferralReward, terms: Terms) -> tuple[Give, ...]:
    told = []
    if reward.points:
        told.append(Give(side, "points", reward.points))
    if reward.growth:
        told.append(Give(side, "growth", reward.growth))
    if reward.coupon:
        told.append(Give(side, "coupon", reward.coupons, reward.coupon))
    if reward.gift:
        gift = (reward.gift.zh, reward.gift.en)
        told.append(Give(side, "gift", 1, "", gift, terms.minor(reward.gift_cost)))
    return tuple(told)
