"""How a request is read: strictly, so that nothing is guessed and nothing gets as far as a database that cannot keep it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest
from ninja.parser import Parser

from shuke.kit import strict_json
from shuke.kit.strict_json import NotRead


class Strictly(Parser):
    """The body of a request."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            return strict_json.read(request.body.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise NotRead("not_json", place="") from error


def check_address(request: HttpRequest, values: Iterable[object]) -> None:
    """The words of the path, of the query, and the key. Raises NotRead."""
    words = [
        *map(str, values),
        unquote(request.META.get("QUERY_STRING", "")),
        request.headers.get("Idempotency-Key", ""),
    ]
    if not all(map(strict_json.is_text, words)):
        raise NotRead("bad_text")
