"""What is wrong with a charter in the making: at which field, in words, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from shuke.engine.charter import document, labels
from shuke.engine.charter.document import Charter
from shuke.engine.charter.faults import CharterInvalid, Fault
from shuke.engine.charter.rights import KINDS
from shuke.kit import misread

LARGEST = 1_000_000

# Type of a pydantic error: (中文, English). {limit} and {given} are filled in.
TYPES: dict[str, tuple[str, str]] = {
    "missing": ("必须填写。", "must be filled in."),
    "greater_than": ("必须大于 {limit}，而不是 {given}。", "must be more than {limit}, not {given}."),
    "greater_than_equal": ("不能小于 {limit}（给出的是 {given}）。", "must be {limit} or more, not {given}."),
    "less_than": ("必须小于 {limit}，而不是 {given}。", "must be less than {limit}, not {given}."),
    "less_than_equal": ("不能大于 {limit}（给出的是 {given}）。", "must be {limit} or less, not {given}."),
    "literal_error": ("只能是 {limit} 之一，而不是 {given}。", "must be one of {limit}, not {given}."),
    "extra_forbidden": (
        "章程没有这一项，请删除或更正名称。",
        "is nothing the charter knows; remove it or correct its name.",
    ),
    "int_parsing": ("须为整数，而不是 {given}。", "must be a whole number, not {given}."),
    "int_from_float": ("须为整数，而不是 {given}。", "must be a whole number, not {given}."),
    "decimal_parsing": ("须为数字，而不是 {given}。", "must be a number, not {given}."),
    "decimal_type": ("须为数字，而不是 {given}。", "must be a number, not {given}."),
    "decimal_max_places": ("小数位最多 {limit} 位（给出的是 {given}）。", "has at most {limit} decimals, not {given}."),
    "decimal_max_digits": ("位数过多，最多 {limit} 位。", "has too many digits, at most {limit}."),
    "bool_parsing": ("只能是 true 或 false，而不是 {given}。", "must be true or false, not {given}."),
    "string_type": ("须为文字，而不是 {given}。", "must be a text, not {given}."),
    "string_pattern_mismatch": (
        "格式不对：{given}。键用小写字母开头，只含小写字母、数字和下划线，最长 30 个字符；币种为三个大写字母。",
        "is not written as it must be: {given}. Keys begin with a small letter and have small letters, digits and _, at "
        "most 30; a currency is three capitals.",
    ),
    "too_short": ("至少需要 {limit} 项。", "needs at least {limit}."),
    "too_long": ("最多 {limit} 项。", "may have at most {limit}."),
    "model_type": ("须由具名部分组成，而不是 {given}。", "must be made of named parts, not {given}."),
    "tuple_type": ("须为列表，而不是 {given}。", "must be a list, not {given}."),
    "date_from_datetime_parsing": (
        "须为日期，如 2026-12-31，而不是 {given}。",
        "must be a date like 2026-12-31, not {given}.",
    ),
    "date_parsing": ("须为日期，如 2026-12-31，而不是 {given}。", "must be a date like 2026-12-31, not {given}."),
}
_LIMITS = ("gt", "ge", "lt", "le", "expected", "decimal_places", "max_digits", "min_length", "max_length")


class Problem(NamedTuple):
    """One thing to mend: the place in the document, its name, what is wrong, a stable code."""

    where: str
    label: str
    text: str
    code: str


def problems(
    raw: Mapping[str, Any], language: str, also: Callable[[Charter], list[Fault]] = lambda charter: []
) -> list[Problem]:
    """Everything that stands between this document and a charter; [] = it is one. `also`: what a shop misses of it."""
    try:
        found = also(document.from_plain(dict(raw)))
    except CharterInvalid as error:
        if any(fault.code == "field" for fault in error.faults):
            return _fields(raw, language)
        found = [*error.faults, *also(document.published(dict(raw)))]
    return [_of(fault, raw, language) for fault in found]


def warnings(raw: Mapping[str, Any], language: str, also: Callable[[Charter], list[Fault]]) -> list[Problem]:
    """What nobody must mend and somebody may have mistyped, of a document that can be read; names as they were written."""
    try:
        found = also(document.from_plain(dict(raw)))
    except CharterInvalid as error:
        if any(fault.code == "field" for fault in error.faults):
            return []
        found = also(document.published(dict(raw)))
    return [
        Problem(
            one.where,
            name_of(one.where, raw, language),
            one.say(language).removeprefix(f"{one.where}: "),
            one.code,
        )
        for one in found
    ]


def read_text(text: str) -> dict[str, Any]:
    """A document as far as it is readable as YAML. Raises CharterInvalid when it is not."""
    if len(text) > LARGEST:
        raise CharterInvalid([Fault("document", "not_a_charter")])
    return document.parts(text) if text.strip() else {}


def write_text(raw: Mapping[str, Any]) -> str:
    """A document in the making as YAML, whatever state it is in."""
    return yaml.safe_dump(dict(raw), allow_unicode=True, sort_keys=False, width=110)


def _fields(raw: Mapping[str, Any], language: str) -> list[Problem]:
    try:
        Charter.model_validate(raw)
    except ValidationError as error:
        return [_field(e["loc"], e, raw, language) for e in misread.news(error.errors(include_url=False))]
    return []


def _field(place: tuple, error: Any, raw: Mapping[str, Any], language: str) -> Problem:
    where = ".".join(str(step) for step in place) or "document"
    chinese, english = TYPES.get(error["type"], ("{message}", "{message}"))
    told = error.get("ctx") or {}
    limit = next((told[name] for name in _LIMITS if name in told), "")
    if error["type"] == "literal_error":
        limit = str(limit).replace("'", "").replace(" or ", ", ")
    given = error.get("input", "")
    text = (chinese if language.startswith("zh") else english).format(
        limit=limit, given="“" + str(given)[:60] + "”", message=error["msg"]
    )
    return Problem(where, name_of(where, raw, language), text, error["type"])


def _of(fault: Fault, raw: Mapping[str, Any], language: str) -> Problem:
    """A form shows no keys to whoever fills it in: things are called by their names there, figures by their labels."""
    names = {key: f"“{name}”" for key, name in _names(raw, language)}
    if fault.code == "unknown_kind":
        names |= {
            key: f"{key}（{zh}）" if language.startswith("zh") else f"{key} ({en})"
            for key, (zh, en, _) in KINDS.items()
        }
    told = {
        figure: value if (fault.code, figure) == ("key_twice", "key") else _called(figure, value, names, raw, language)
        for figure, value in fault.params.items()
    }
    text = Fault(fault.where, fault.code, **told).say(language).removeprefix(f"{fault.where}: ")
    return Problem(fault.where, name_of(fault.where, raw, language), text, fault.code)


def _called(figure: str, value: str, names: Mapping[str, str], raw: Mapping[str, Any], language: str) -> str:
    if figure == "measure":
        return labels.choice("Condition", "measure", value, language)
    if figure in ("kind", "field"):
        return (
            labels.choice("Offer", "kind", value, language)
            if figure == "kind"
            else labels.field("Offer", value, language)
        )
    if figure == "known":
        return ", ".join(names.get(key, key) for key in value.split(", "))
    if figure == "other" and "." in value:  # another place of the document
        return f"“{name_of(value, raw, language)}”"
    return names.get(value, value)


def _names(part: Any, language: str) -> Iterator[tuple[str, str]]:
    """Every key of a document in the making with the name beside it."""
    if isinstance(part, Mapping):
        name = part.get("name")
        if isinstance(name, Mapping) and part.get("key"):
            yield str(part["key"]), str(name.get("zh" if language.startswith("zh") else "en") or part["key"])
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _names(one, language)


def name_of(where: str, raw: Mapping[str, Any], language: str) -> str:
    """`tiers.1.reach` → “Gold · how it is reached”: the named thing it is in, and the field."""
    steps = where.split(".")
    at: Any = raw
    owner, last, section = "", "", steps[0]
    for step in steps:
        if isinstance(at, list):
            at = at[int(step)] if step.isdigit() and int(step) < len(at) else None
            name = at.get("name") if isinstance(at, dict) else None
            if isinstance(name, dict):
                owner = str(name.get("zh" if language.startswith("zh") else "en") or at.get("key") or int(step) + 1)
            elif step.isdigit():
                owner = owner or str(int(step) + 1)
            last = ""
            continue
        at = at.get(step) if isinstance(at, dict) else None
        last = step
    parts = [labels.field("Charter", section, language)]
    if owner:
        parts.append(owner)
    if last and last != section:
        parts.append(labels.field("", last, language))
    return " · ".join(parts)
