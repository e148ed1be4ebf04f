"""The charter as a typed document, read from and written to YAML or JSON.

Amounts are in major units as people write them (`amount: 1000` is a thousand yuan); `terms.py` turns them into minor
units. Everything has a default where the field agrees on one (docs/algorithms/charter.md says which and why).
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from shuke.engine.charter.faults import CharterInvalid, Fault
from shuke.engine.charter.parts import Count, Key, Name, Part, Positive, When
from shuke.engine.charter.selling import Selling, check_selling

FORMAT = 1


class Window(Part):
    """Over which time a figure is added up. Bounds are shop days, the end exclusive."""

    kind: Literal["rolling", "calendar_year", "anniversary", "lifetime"] = "rolling"
    months: Annotated[int, Field(ge=1, le=120)] = 12  # only for rolling


class Condition(Part):
    """A tree: exactly one of `all`, `any`, or one measure with `at_least`."""

    all: tuple[Condition, ...] | None = None
    any: tuple[Condition, ...] | None = None
    measure: Literal["amount", "orders", "single_order", "growth", "points", "invited"] | None = None
    at_least: Decimal | None = None
    window: Window | None = None  # None: the grading window


class Tier(Part):
    key: Key
    name: Name
    multiplier: Positive = Decimal(1)  # on purchase points
    reach: Condition | None = None  # the lowest tier has none
    keep: Condition | None = None  # None: the same as reach
    benefits: tuple[Name, ...] = ()


class Review(Part):
    """When a grade is looked at again."""

    kind: Literal["after_months", "yearly", "join_anniversary", "never"] = "after_months"
    months: Annotated[int, Field(ge=1, le=120)] = 12  # after_months
    month: Annotated[int, Field(ge=1, le=12)] = 1  # yearly
    day: Annotated[int, Field(ge=1, le=31)] = 1


class Grading(Part):
    window: Window = Window()
    review: Review = Review()
    grace_days: Annotated[int, Field(ge=0, le=366)] = 0
    fall: Literal["one_step", "to_fit"] = "one_step"
    growth_per: Positive = Decimal(1)  # one growth value for each of this amount spent


class Expiry(Part):
    """When points lapse, counted from the day they were earned. The day named is the last one they can be used."""

    kind: Literal["months", "days", "year_end", "fixed", "never"] = "months"
    months: Annotated[int, Field(ge=1, le=240)] = 12
    to_month_end: bool = True
    days: Annotated[int, Field(ge=1, le=7300)] = 365
    years: Annotated[int, Field(ge=0, le=20)] = 1  # year_end: 0 this year's end, 1 next year's
    on: date | None = None  # fixed


class Points(Part):
    name: Name = Name(zh="积分", en="points")
    pending_days: Annotated[int, Field(ge=0, le=365)] = 7  # the return window
    expiry: Expiry = Expiry()
    value: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=8)] = Decimal("0.01")  # of one point, in money
    returned_grace_days: Annotated[int, Field(ge=0, le=366)] = 30
    multipliers: Literal["multiply", "best"] = "multiply"


class Caps(Part):
    """Most points a rule gives."""

    per_order: Count | None = None
    per_day: Count | None = None
    per_month: Count | None = None
    per_member: Count | None = None


class Earning(Part):
    key: Key
    name: Name
    kind: Literal["per_amount", "fixed", "multiply"]
    points: Count = 1  # per_amount, fixed
    per: Positive = Decimal(1)  # per_amount: so much money
    times: Positive = Decimal(2)  # multiply: purchase points times this
    when: When = When()
    caps: Caps = Caps()
    exclusive: bool = False  # where it applies, other per_amount rules do not


class Charter(Part):
    """The whole document."""

    shuke_charter: Annotated[int, Field(ge=1, le=FORMAT)] = FORMAT  # version of this format
    name: Name
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    points: Points = Points()
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=30)]
    grading: Grading = Grading()
    earning: Annotated[tuple[Earning, ...], Field(max_length=200)] = ()
    selling: Selling = Selling()
    duties: tuple[Name, ...] = ()


def read(text: str) -> Charter:
    """YAML or JSON text → Charter. Raises CharterInvalid."""
    try:
        # BaseLoader keeps 0.01 a text, so that Decimal sees what was written and not a float near it.
        raw = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "document"
        raise CharterInvalid([Fault(where, "not_yaml", problem=str(getattr(error, "problem", "") or error))]) from error
    if not isinstance(raw, dict):
        raise CharterInvalid([Fault("document", "not_a_charter")])
    return from_plain(raw)


def from_plain(raw: dict[str, Any]) -> Charter:
    """A document as parsed JSON → Charter. Raises CharterInvalid."""
    try:
        charter = Charter.model_validate(raw)
    except ValidationError as error:
        told = error.errors(include_url=False)
        # A list of which a part is wrong is also called too short: only the part is news.
        places = {e["loc"] for e in told}
        news = [e for e in told if not any(p != e["loc"] and p[: len(e["loc"])] == e["loc"] for p in places)]
        raise CharterInvalid([_field_fault(e["loc"], e["msg"], e.get("input", "")) for e in news]) from error
    faults = check(charter)
    if faults:
        raise CharterInvalid(faults)
    return charter


def _field_fault(place: tuple, message: str, given: object) -> Fault:
    where = ".".join(str(part) for part in place) or "document"
    return Fault(where, "field", message=message, given=str(given)[:60])


def to_plain(charter: Charter) -> dict[str, Any]:
    """Charter → plain values for JSON; numbers as text keep every digit."""
    return charter.model_dump(mode="json", exclude_defaults=True) | {"shuke_charter": FORMAT}


def to_yaml(charter: Charter) -> str:
    return yaml.safe_dump(to_plain(charter), allow_unicode=True, sort_keys=False, width=110)


def to_json(charter: Charter) -> str:
    return json.dumps(to_plain(charter), ensure_ascii=False, indent=2)


def schema() -> dict[str, Any]:
    """JSON Schema of the document, for editors."""
    return Charter.model_json_schema()


def check(charter: Charter) -> list[Fault]:
    """Contradictions that types cannot see."""
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    keys = [(f"tiers.{i}.key", t.key) for i, t in enumerate(charter.tiers)]
    keys += [(f"earning.{i}.key", r.key) for i, r in enumerate(charter.earning)]
    for where, key in keys:
        if key in seen:
            faults.append(Fault(where, "key_twice", key=key, other=seen[key]))
        seen[key] = where
    if charter.tiers[0].reach is not None:
        faults.append(Fault("tiers.0.reach", "lowest_has_reach", tier=charter.tiers[0].key))
    for i, tier in enumerate(charter.tiers[1:], 1):
        if tier.reach is None:
            faults.append(Fault(f"tiers.{i}.reach", "no_reach", tier=tier.key))
        for field in ("reach", "keep"):
            condition = getattr(tier, field)
            if condition is not None:
                _check_condition(condition, f"tiers.{i}.{field}", faults)
    _check_order(charter, faults)
    names = {t.key for t in charter.tiers}
    for i, rule in enumerate(charter.earning):
        where = f"earning.{i}"
        for key in rule.when.tiers:
            if key not in names:
                faults.append(Fault(f"{where}.when.tiers", "unknown_tier", key=key, known=", ".join(sorted(names))))
        start, end = rule.when.from_date, rule.when.until_date
        if start and end and end < start:
            faults.append(Fault(f"{where}.when", "ends_before_start", start=str(start), end=str(end)))
        if rule.kind == "multiply" and rule.exclusive:
            faults.append(Fault(f"{where}.exclusive", "exclusive_multiply", rule=rule.key))
    if charter.points.expiry.kind == "fixed" and charter.points.expiry.on is None:
        faults.append(Fault("points.expiry.on", "no_fixed_date"))
    review = charter.grading.review
    if review.kind == "yearly":
        try:
            date(2023, review.month, review.day)
        except ValueError:
            faults.append(Fault("grading.review", "no_such_day", month=str(review.month), day=str(review.day)))
    return faults + check_selling(charter.selling, names)


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


def ready(name: str = "general") -> Charter:
    """One of the charters to start from: general, grocer, beauty."""
    from importlib.resources import files

    source = files("shuke.engine.charter") / "ready" / f"{name}.yaml"
    if not source.is_file():
        known = ", ".join(sorted(p.name[:-5] for p in source.parent.iterdir()))  # type: ignore[attr-defined]
        raise CharterInvalid([Fault("name", "no_such_ready", name=name, known=known)])
    return read(source.read_text(encoding="utf-8"))
