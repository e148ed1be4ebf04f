"""JSON read strictly: what Python's reader lets pass beyond the standard, nobody meant. Of two amounts it would take the last."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from shuke.kit.refusal import Refusal, Sentences


class NotRead(Refusal):
    """The text is no JSON, or says what can be kept nowhere."""

    sentences: ClassVar[Sentences] = {
        "not_json": ("This is no valid JSON in UTF-8{place}.", "不是有效的 JSON（UTF-8）{place}。"),
        "field_twice": ("{field} is said twice; say it once.", "{field} 出现了两次，请只写一次。"),
        "bad_text": (
            "There is a character that is no text (U+0000, or half of a surrogate pair). Leave it out.",
            "含有不能作为文字的字符（U+0000 或不完整的代理对），请去掉。",
        ),
    }


def read(text: str, parse_float: Callable[[str], Any] = float) -> Any:
    """Finite numbers, no field twice, nothing but text in texts. Raises NotRead."""
    try:
        told = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=parse_float)
    except NotRead:
        raise
    except json.JSONDecodeError as error:
        place = {
            "en": f": line {error.lineno}, column {error.colno}",
            "zh": f"：第 {error.lineno} 行第 {error.colno} 列",
        }
        raise NotRead("not_json", place=place) from error
    except (ValueError, RecursionError) as error:  # too many digits, nested too deep
        raise NotRead("not_json", place="") from error
    # Most texts have no such escape, and are not looked through.
    folded = text.lower()
    if ("\\u0000" in folded or "\\ud" in folded) and not all(map(is_text, _texts(told))):
        raise NotRead("bad_text")
    return told


def is_text(word: str) -> bool:
    """PostgreSQL keeps no U+0000, and nothing that is not Unicode can be written down as UTF-8."""
    return "\0" not in word and not any("\ud800" <= letter <= "\udfff" for letter in word)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        names = [name for name, _ in pairs]
        raise NotRead("field_twice", field=next(name for name in names if names.count(name) > 1))
    return told


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _texts(told: Any) -> Iterable[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for name, value in told.items():
            yield name
            yield from _texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from _texts(value)
