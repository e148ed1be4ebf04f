"""What is wrong with a field of something a program sent, in both languages. pydantic says it in English; what is not here is
told in its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CHINESE = {
    "missing": "缺少此项",
    "extra_forbidden": "不认识此项",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "decimal_parsing": "应为数字",
    "decimal_type": "应为数字",
    "decimal_max_places": "最多 {decimal_places} 位小数",
    "decimal_max_digits": "最多 {max_digits} 位数字",
    "decimal_whole_digits": "小数点前最多 {whole_digits} 位",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "int_parsing_size": "数字位数过多",
    "finite_number": "应为有限的数字",
    "string_type": "应为文本",
    "list_type": "应为列表",
    "tuple_type": "应为列表",
    "dict_type": "应为对象",
    "model_attributes_type": "应为对象",
    "model_type": "应为对象",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "string_too_long": "最多 {max_length} 个字符",
    "string_too_short": "至少 {min_length} 个字符",
    "too_long": "最多 {max_length} 项",
    "too_short": "至少 {min_length} 项",
    "string_pattern_mismatch": "应符合 {pattern}",
    "literal_error": "应为 {expected}",
    "datetime_type": "应为时刻，如 2026-05-20T10:00:00+08:00",
    "datetime_parsing": "应为时刻，如 2026-05-20T10:00:00+08:00",
    "datetime_from_date_parsing": "应为时刻，如 2026-05-20T10:00:00+08:00",
    "timezone_aware": "应带时区，如 2026-05-20T10:00:00+08:00",
    "date_parsing": "应为日期，如 2026-05-20",
    "date_from_datetime_parsing": "应为日期，如 2026-05-20",
    "date_from_datetime_inexact": "应为日期，如 2026-05-20",
    "date_type": "应为日期，如 2026-05-20",
}


def wrong(error: Mapping[str, Any], language: str) -> str:
    """What is wrong, without the place. `error`: as pydantic tells it."""
    if language.startswith("zh") and error["type"] in CHINESE:
        return CHINESE[error["type"]].format(**error.get("ctx", {})).replace(" or ", " 或 ")
    return str(error["msg"])


def of_field(error: Mapping[str, Any], language: str) -> str:
    """One field and what is wrong with it."""
    told = wrong(error, language)
    # Which of several shapes a value failed to have is pydantic's affair: a reader knows the field.
    place = ".".join(part for part in map(str, error["loc"]) if not part.startswith(("constrained-", "literal[")))
    return f"{place}: {told}" if place else told


def news(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A list of which a part is wrong is also called too short: only the part is news."""
    places = {one["loc"] for one in errors}
    return [one for one in errors if not any(p != one["loc"] and p[: len(one["loc"])] == one["loc"] for p in places)]


def sentence(errors: Sequence[Mapping[str, Any]], language: str) -> str:
    between = "；" if language.startswith("zh") else "; "
    return between.join(of_field(one, language) for one in errors)
