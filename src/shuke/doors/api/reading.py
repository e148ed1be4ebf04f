"""How a request is read: strictly, so that nothing is guessed and nothing gets as far as a database that cannot keep it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import unquote

from django.http import HttpRequest
from ninja.parser import Parser

from shuke.kit.refusal import Refusal, Sentences


class NotReadable(Refusal):
    """The request says something no call can take, whichever it is."""

    sentences: ClassVar[Sentences] = {
        "not_json": ("The body of the request is no valid JSON (UTF-8).", "请求正文不是有效的 JSON（UTF-8）。"),
        "field_twice": (
            "The body of the request says {field} twice. Say it once.",
            "请求正文中 {field} 出现了两次，请只写一次。",
        ),
        "bad_text": (
            "The request has a character that is no text (U+0000, or half of a surrogate pair). Leave it out.",
            "请求中含有不能作为文字的字符（U+0000 或不完整的代理对），请去掉。",
        ),
        "too_big": (
            "The body of the request is larger than this server takes. Send it in several parts.",
            "请求正文超过本服务器的上限，请分几次发送。",
        ),
    }


class Strictly(Parser):
    """JSON as RFC 8259 has it: UTF-8, finite numbers, no field twice. What Python's reader lets pass beyond that, a
    caller did not mean: of two amounts it would take the last."""

    def parse_body(self, request: HttpRequest) -> Any:
        body = request.body
        try:
            told = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number)
        except NotReadable:
            raise
        except (ValueError, RecursionError) as error:  # also: too many digits, nested too deep
            raise NotReadable("not_json") from error
        # Neither can stand in valid UTF-8 JSON but escaped; most bodies have no such escape, and are not looked through.
        folded = body.lower()
        if (b"\\u0000" in folded or b"\\ud" in folded) and not all(map(is_text, _texts(told))):
            raise NotReadable("bad_text")
        return told


def check_address(request: HttpRequest, values: Iterable[object]) -> None:
    """The words of the path, of the query, and the key. Raises NotReadable."""
    words = [
        *map(str, values),
        unquote(request.META.get("QUERY_STRING", "")),
        request.headers.get("Idempotency-Key", ""),
    ]
    if not all(map(is_text, words)):
        raise NotReadable("bad_text")


def is_text(word: str) -> bool:
    """PostgreSQL keeps no U+0000, and nothing that is not Unicode can be written down as UTF-8."""
    return "\0" not in word and not any("\ud800" <= letter <= "\udfff" for letter in word)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise NotReadable("field_twice", field=twice)
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
