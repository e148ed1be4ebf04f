"""What can contradict itself in a charter beyond what types see. Everything found is told, not only the first."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from shuke.engine.charter.earning import Earning
from shuke.engine.charter.faults import Fault
from shuke.engine.charter.occasions import check_days, check_span
from shuke.engine.charter.parts import When
from shuke.engine.charter.referring import check_referral
from shuke.engine.charter.rights import check_rights
from shuke.engine.charter.selling import check_selling
from shuke.engine.charter.stored import check_stored
from shuke.engine.charter.tiering import Condition, Grading, Review, Tier, Window

if TYPE_CHECKING:
    from shuke.engine.charter.document import Charter


def check(charter: Charter) -> list[Fault]:
    """Contradictions that types cannot see."""
    faults: list[Fault] = []
    _check_keys(charter, faults)
    _check_tiers(charter, faults)
    _check_order(charter, faults)
    for i, tier in enumerate(charter.tiers):
        _check_keep(charter, tier, f"tiers.{i}.keep", faults)
    _check_former(charter, faults)
    names = {t.key for t in charter.tiers}
    for i, rule in enumerate(charter.earning):
        _check_rule(charter, rule, f"earning.{i}", faults)
        _check_when(rule.when, f"earning.{i}.when", names, faults)
    _check_groups(charter, faults)
    for i, sold in enumerate(charter.memberships):
        if sold.tier not in names:
            faults.append(Fault(f"memberships.{i}.tier", "unknown_tier", key=sold.tier, known=", ".join(sorted(names))))
        if not sold.months and not sold.days:
            faults.append(Fault(f"memberships.{i}", "no_duration", key=sold.key))
    if charter.points.expiry.kind == "fixed" and charter.points.expiry.on is None:
        faults.append(Fault("points.expiry.on", "no_fixed_date"))
    _check_grading(charter.grading, faults)
    for i, tier in enumerate(charter.tiers):
        if tier.review is not None:
            _check_review(tier.review, f"tiers.{i}.review", faults)
    faults += check_referral(charter.referral) + check_stored(charter.stored)
    return faults + check_selling(charter.selling, names) + check_rights(charter.rights, names, charter.selling)


def _check_keys(charter: Charter, faults: list[Fault]) -> None:
    seen: dict[str, str] = {}
    keys = [(f"tiers.{i}.key", t.key) for i, t in enumerate(charter.tiers)]
    keys += [(f"earning.{i}.key", r.key) for i, r in enumerate(charter.earning)]
    keys += [(f"memberships.{i}.key", m.key) for i, m in enumerate(charter.memberships)]
    for where, key in keys:
        if key in seen:
            faults.append(Fault(where, "key_twice", key=key, other=seen[key]))
        seen[key] = where


def _check_tiers(charter: Charter, faults: list[Fault]) -> None:
    if charter.tiers[0].reach is not None:
        faults.append(Fault("tiers.0.reach", "lowest_has_reach", tier=charter.tiers[0].key))
    for i, tier in enumerate(charter.tiers[1:], 1):
        if tier.reach is None and not tier.paid_only:
            faults.append(Fault(f"tiers.{i}.reach", "no_reach", tier=tier.key))
        if tier.reach is not None and tier.paid_only:
            faults.append(Fault(f"tiers.{i}.reach", "paid_only_has_reach", tier=tier.key))
        for field in ("reach", "keep"):
            condition = getattr(tier, field)
            if condition is not None:
                _check_condition(condition, f"tiers.{i}.{field}", faults)


def _check_keep(charter: Charter, tier: Tier, where: str, faults: list[Fault]) -> None:
    """Nobody should lose at a review what the very same figures give back with the next purchase."""
    ways = [leaf for leaf in _leaves(tier.reach) if leaf.at_least is not None]
    for leaf in _leaves(tier.keep):
        over = leaf.window or charter.grading.window
        alike = [
            w.at_least
            for w in ways
            if w.at_least is not None
            and w.measure == leaf.measure
            and _within(over, w.window or charter.grading.window)
        ]
        if alike and leaf.at_least is not None and leaf.at_least > max(alike):
            figures = {"figure": str(leaf.at_least), "lower": str(max(alike)), "measure": str(leaf.measure)}
            faults.append(Fault(where, "keep_above_reach", tier=tier.key, **figures))


_CALENDAR = ("calendar_month", "calendar_quarter", "calendar_year")


def _within(one: Window, other: Window) -> bool:
    """Is `one`, whenever it is looked at, no longer than `other`?"""
    if one.kind == "rolling" == other.kind:
        return one.months <= other.months
    if one.kind in _CALENDAR and other.kind in _CALENDAR:
        return _CALENDAR.index(one.kind) <= _CALENDAR.index(other.kind)
    return one.kind == other.kind


def _check_former(charter: Charter, faults: list[Fault]) -> None:
    """A tier of earlier versions goes to one tier, and is itself no more."""
    here, heirs = {t.key for t in charter.tiers}, dict[str, str]()
    for i, tier in enumerate(charter.tiers):
        for key in tier.was:
            if key in here:
                faults.append(Fault(f"tiers.{i}.was", "was_is_here", key=key))
            elif key in heirs:
                faults.append(Fault(f"tiers.{i}.was", "was_twice", key=key, other=heirs[key]))
            heirs.setdefault(key, tier.key)


def _check_rule(charter: Charter, rule: Earning, where: str, faults: list[Fault]) -> None:
    if rule.kind == "multiply" and rule.exclusive:
        faults.append(Fault(f"{where}.exclusive", "exclusive_multiply", rule=rule.key))
    if (rule.activity is not None) != (rule.kind == "activity"):
        faults.append(Fault(f"{where}.activity", "activity_kind", rule=rule.key))
    if rule.streaks and rule.kind != "activity":
        faults.append(Fault(f"{where}.streaks", "streaks_kind", rule=rule.key))
    if rule.kind == "activity" and rule.activity != "join" and not _bounded(rule):
        faults.append(Fault(f"{where}.limits", "activity_without_limit", rule=rule.key))
    if rule.budget is not None and rule.gives == "growth":
        faults.append(Fault(f"{where}.budget", "budget_of_growth", rule=rule.key))
    groups = {g.key for g in charter.points.groups}
    if rule.group is not None and rule.group not in groups:
        known = ", ".join(sorted(groups)) or "–"
        faults.append(Fault(f"{where}.group", "unknown_group", key=rule.group, known=known))
    if rule.group is not None and (rule.gives == "growth" or rule.kind == "activity"):
        faults.append(Fault(f"{where}.group", "group_of_purchases", rule=rule.key))


def _bounded(rule: Earning) -> bool:
    caps, limits = rule.caps, rule.limits
    told = (caps.per_day, caps.per_week, caps.per_month, caps.per_member)
    return any(n is not None for n in (*told, limits.per_day, limits.per_week, limits.per_month, limits.per_member))


def _check_when(when: When, where: str, names: set[str], faults: list[Fault]) -> None:
    for key in when.tiers:
        if key not in names:
            faults.append(Fault(f"{where}.tiers", "unknown_tier", key=key, known=", ".join(sorted(names))))
    faults += check_span(where, when.from_date, when.until_date)
    faults += check_days(f"{where}.days", when.days)


def _check_groups(charter: Charter, faults: list[Fault]) -> None:
    seen: set[str] = set()
    for i, group in enumerate(charter.points.groups):
        if group.key in seen:
            faults.append(Fault(f"points.groups.{i}.key", "key_twice", key=group.key, other="points.groups"))
        seen.add(group.key)
        if sum(r.group == group.key for r in charter.earning) < 2:
            faults.append(Fault(f"points.groups.{i}", "small_group", key=group.key))


def _check_grading(grading: Grading, faults: list[Fault]) -> None:
    _check_review(grading.review, "grading.review", faults)
    if grading.upgrade == "at_review" and grading.review.kind == "never":
        faults.append(Fault("grading.upgrade", "never_reviewed"))
    if grading.growth_loss.yearly_percent:
        loss = grading.growth_loss
        _check_review(Review(kind="yearly", month=loss.month, day=loss.day), "grading.growth_loss", faults)


def _check_review(review: Review, where: str, faults: list[Fault]) -> None:
    month, day = str(review.month), str(review.day)
    if review.kind == "yearly":
        try:
            date(2023, review.month, review.day)
        except ValueError:
            faults.append(Fault(where, "no_such_day", month=month, day=day))
    if review.kind in ("quarterly", "monthly") and review.day > 28:
        faults.append(Fault(where, "late_day", day=day))
    if review.kind == "quarterly" and review.month > 3:
        faults.append(Fault(where, "quarter_month", month=month))


def _check_condition(condition: Condition, where: str, faults: list[Fault]) -> None:
    told = [n for n in ("all", "any", "measure") if getattr(condition, n) is not None]
    if len(told) != 1:
        faults.append(Fault(where, "one_of"))
        return
    for name in ("all", "any"):
        parts = getattr(condition, name)
        if parts is not None:
            if not parts:
                faults.append(Fault(f"{where}.{name}", "empty_group"))
            for i, part in enumerate(parts):
                _check_condition(part, f"{where}.{name}.{i}", faults)
    if condition.measure and condition.measure != "invited" and (condition.at_least is None or condition.at_least <= 0):
        faults.append(Fault(f"{where}.at_least", "no_threshold", measure=condition.measure))


def _leaves(condition: Condition | None) -> list[Condition]:
    if condition is None:
        return []
    if condition.measure:
        return [condition]
    return [leaf for part in (condition.all or ()) + (condition.any or ()) for leaf in _leaves(part)]


def _check_order(charter: Charter, faults: list[Fault]) -> None:
    """A higher tier must not be as easy or easier to reach than a lower one by the same single measure."""
    lowest: dict[tuple, tuple[str, Decimal]] = {}
    for i, tier in enumerate(charter.tiers[1:], 1):
        reach = tier.reach
        # Only an OR or a single measure makes each leaf sufficient on its own.
        sufficient = _leaves(reach) if reach and (reach.any or reach.measure) and not _has_all(reach) else []
        for leaf in sufficient:
            if leaf.measure == "invited" or leaf.at_least is None:
                continue
            what = (leaf.measure, leaf.window or charter.grading.window)
            if what in lowest and leaf.at_least <= lowest[what][1]:
                other, figure = lowest[what]
                faults.append(
                    Fault(
                        f"tiers.{i}.reach",
                        "not_above" if leaf.at_least < figure else "same_threshold",
                        tier=tier.key,
                        other=other,
                        measure=str(leaf.measure),
                        figure=str(leaf.at_least),
                        lower=str(figure),
                    )
                )
            else:
                lowest[what] = (tier.key, leaf.at_least)


def _has_all(condition: Condition) -> bool:
    return condition.all is not None or any(_has_all(p) for p in condition.any or ())
