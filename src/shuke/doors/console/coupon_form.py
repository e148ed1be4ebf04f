"""A coupon template as a form: fields with their values, and what was filled in as a template again.

The form knows what shops use from day to day; what a template says beyond that (days of the week, several rules) is kept
as it is when the form is saved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from shuke.engine.charter.selling import Coupon
from shuke.kit import misread

Text = str | Promise


class Field(NamedTuple):
    """One input. `path` is its place in the template's document; `type` an input type, or choice, tick, list."""

    name: str
    label: Text
    path: tuple[str, ...]
    type: str = "text"
    options: tuple[tuple[str, Text], ...] = ()
    hint: Text = ""
    only: str = ""  # kinds it is for
    value: Any = ""


KINDS = (
    ("amount", _("money off")),
    ("percent", _("percent off")),
    ("item", _("goods for nothing")),
    ("freight", _("no freight")),
)
CODES = (
    ("none", _("none: given to members")),
    ("shared", _("one code for all, such as SPRING20")),
    ("unique", _("a code for each coupon")),
)
RULES = (
    ("", _("no rule")),
    ("birthday", _("birthday")),
    ("joined", _("joining")),
    ("first_purchase", _("first purchase")),
    ("tier_up", _("a risen tier")),
    ("win_back", _("staying away")),
    ("complaint", _("a settled complaint")),
)
RETURNED = (("give_back", _("the coupon comes back")), ("keep", _("the coupon is gone")))

GROUPS: tuple[tuple[Text, tuple[Field, ...]], ...] = (
    (
        _("What it is"),
        (
            Field("key", _("Key"), ("key",), hint=_("small letters, digits and _; for ever")),
            Field("name_zh", _("Name in Chinese"), ("name", "zh")),
            Field("name_en", _("Name in English"), ("name", "en")),
        ),
    ),
    (
        _("What it gives"),
        (
            Field("kind", _("Kind"), ("kind",), "choice", KINDS),
            Field("amount", _("Money off"), ("amount",), "number", only="amount freight"),
            Field("percent", _("Percent off"), ("percent",), "number", hint=_("12 means 12% off (8.8 折)"), only="percent"),
            Field("cap", _("At most so much off"), ("cap",), "number", only="percent"),
            Field("pieces", _("Pieces for nothing"), ("pieces",), "number", only="item"),
        ),
    ),
    (
        _("For what"),
        (
            Field("min_amount", _("From so much on"), ("when", "min_amount"), "number"),
            Field("categories", _("Categories"), ("when", "categories"), "list"),
            Field("products", _("Products"), ("when", "products"), "list"),
            Field("brands", _("Brands"), ("when", "brands"), "list"),
            Field("without", _("Not for these products"), ("when", "without", "products"), "list"),
            Field("stores", _("Stores"), ("when", "stores"), "list"),
            Field("channels", _("Channels"), ("when", "channels"), "list"),
            Field("tiers", _("Tiers"), ("when", "tiers"), "list"),
        ),
    ),
    (
        _("How long"),
        (
            Field("days", _("Days after issue"), ("valid", "days"), "number"),
            Field("after_days", _("Usable only after so many days"), ("valid", "after_days"), "number"),
            Field("from_date", _("First day"), ("valid", "from_date"), "date"),
            Field("until_date", _("Last day"), ("valid", "until_date"), "date"),
        ),
    ),
    (
        _("How many"),
        (
            Field("issued", _("Issued in all"), ("limits", "issued"), "number"),
            Field("per_member", _("For one member"), ("limits", "per_member"), "number"),
            Field("per_order", _("On one order"), ("limits", "per_order"), "number"),
            Field("budget", _("Budget"), ("limits", "budget"), "number", hint=_("sum of all discounts; a hard stop")),
        ),
    ),
    (
        _("How it is given and used"),
        (
            Field("codes", _("Codes"), ("codes",), "choice", CODES),
            Field("rule", _("Issued by rule"), ("issue", "on"), "choice", RULES),
            Field("rule_days", _("Days of the rule"), ("issue", "days"), "number", hint=_("before the birthday; without a purchase")),
            Field("claim", _("Members may take it themselves"), ("claim",), "tick"),
            Field("alone", _("With no other offer"), ("alone",), "tick"),
            Field("full_price", _("Full-price goods only"), ("on_discounted",), "tick"),
            Field("returned", _("When the whole order comes back"), ("returned",), "choice", RETURNED),
            Field("grace", _("Days of grace if it ran out meanwhile"), ("returned_grace_days",), "number"),
        ),
    ),
)  # fmt: skip


def shown(
    document: Mapping[str, Any], tiers: Mapping[str, str], told: Mapping[str, str] | None = None
) -> list[tuple[Text, list[Field]]]:
    """The form filled from a template's document, or from what was sent and could not be saved. `tiers`: name → key."""
    names = {key: name for name, key in tiers.items()}
    groups = []
    for title, fields in GROUPS:
        filled = []
        for field in fields:
            value = _from_document(document, field, names) if told is None else told.get(field.name, "")
            filled.append(field._replace(value=value))
        groups.append((title, filled))
    return groups


def _from_document(document: Mapping[str, Any], field: Field, tiers: Mapping[str, str]) -> Any:
    if field.path[0] == "issue":
        rules = document.get("issue") or [{}]
        return rules[0].get(field.path[1], "")
    value: Any = document
    for part in field.path:
        value = value.get(part) if isinstance(value, Mapping) else None
    if field.name == "full_price":
        return value is False
    if field.type == "list":
        return "，".join(tiers.get(one, one) if field.name == "tiers" else one for one in value or [])
    return "" if value is None else value


def read(told: Mapping[str, str], document: Mapping[str, Any], tiers: Mapping[str, str], language: str) -> Coupon:
    """The template the form describes; what it does not know stays as in `document`. Raises Wrong.

    `tiers`: name → key, since people write what tiers are called.
    """
    plain: dict[str, Any] = {k: (dict(v) if isinstance(v, Mapping) else v) for k, v in document.items()}
    for _title, fields in GROUPS:
        for field in fields:
            if field.path[0] != "issue":
                _put(plain, field, told.get(field.name, "").strip())
    if chosen := plain["when"].get("tiers"):
        plain["when"]["tiers"] = [tiers.get(one, one) for one in chosen]
        if tiers and (unknown := [one for one in plain["when"]["tiers"] if one not in tiers.values()]):
            said = _("There is no tier %(tier)s; there are %(known)s.")
            raise Wrong([(_("Tiers"), said % {"tier": unknown[0], "known": ", ".join(tiers)})])
    rule = told.get("rule", "")
    others = list(document.get("issue") or [])[1:]
    first = dict((document.get("issue") or [{}])[0])
    days = told.get("rule_days", "").strip()
    if rule:
        first = {**(first if first.get("on") == rule else {}), "on": rule, "days": days or 0}
    plain["issue"] = ([first] if rule else []) + others
    try:
        return Coupon.model_validate(plain)
    except ValidationError as error:
        found = misread.news(error.errors(include_url=False))
        raise Wrong([(_place(e["loc"]), misread.wrong(e, language)) for e in found]) from error


def _put(plain: dict[str, Any], field: Field, text: str) -> None:
    value: Any = text
    if field.type == "tick":
        value = bool(text) != (field.name == "full_price")
    elif field.type == "list":
        value = [part.strip() for part in re.split(r"[,，、;；\n]", text) if part.strip()]
    inner = plain
    for part in field.path[:-1]:
        inner[part] = dict(inner.get(part) or {})
        inner = inner[part]
    if value in ("", []):
        inner.pop(field.path[-1], None)
    else:
        inner[field.path[-1]] = value


def _place(location: tuple[Any, ...]) -> Text:
    """The label of the field a fault is about."""
    path = tuple(part for part in location if isinstance(part, str))
    for _title, fields in GROUPS:
        for field in fields:
            if field.path == path[: len(field.path)]:
                return field.label
    return ".".join(map(str, location))


class Wrong(ValueError):
    """What was filled in is no template; (label, what is wrong) for each fault."""

    def __init__(self, faults: list[tuple[Text, str]]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{label}: {text}" for label, text in faults))
