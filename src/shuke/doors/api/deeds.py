"""What routes that do something share: who asks and for whom, and that a request sent again is done once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

from django.http import HttpResponse
from ninja import Header, Query
from pydantic import Field

from shuke.doors.api.shapes import CodedRefusal
from shuke.doors.api.tokens import Request, office, writer
from shuke.kit.refusal import Refusal
from shuke.loyalty.actions import under_keys
from shuke.shops import queries as shops
from shuke.shops.models import Merchant, Store

OwnKey = Annotated[str, Field(max_length=160, description="or the header Idempotency-Key; without one each is another")]
KeyHeader = Annotated[str, Header(alias="Idempotency-Key", max_length=160)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10**9)]
Reason = Annotated[str, Field(min_length=1, max_length=200)]
REFUSED: dict[Any, Any] = dict.fromkeys((400, 403, 404, 409, 422), CodedRefusal)


class Call(NamedTuple):
    """Who asks, when. What an action needs beside its own arguments."""

    merchant: Merchant
    now: datetime
    actor: str


def till(request: Request) -> Call:
    """A call of a token that may write. Raises Forbidden."""
    return _call(request, writer(request.auth))


def desk(request: Request) -> Call:
    """A call of a token that may decide. Raises Forbidden, OfficeOnly."""
    return _call(request, office(request.auth))


def _call(request: Request, token: Any) -> Call:
    return Call(token.merchant, shops.now(token.merchant), f"token:{token.pk}")


def once(
    call: Call, key: str, asked: Sequence[object], do: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """What the deed answers, and whether it is an earlier answer under this key. Without a key it is done each time."""
    if not key:
        return do(), False
    return under_keys.once(merchant=call.merchant, key=key, asked=asked, deed=do, now=call.now, actor=call.actor)


class NoStore(Refusal):
    sentences = {
        "no_such_store": ("There is no store {store}; known are {known}.", "没有门店 {store}；现有：{known}。")
    }


def store_of(merchant: Merchant, code: str) -> Store | None:
    """The store with this code; none for no code. Raises NoStore."""
    found = shops.stores(merchant)
    mine = next((one for one in found if one.code == code), None)
    if code and mine is None:
        raise NoStore("no_such_store", store=code, known=", ".join(one.code for one in found))
    return mine


def status_of(code: str) -> int:
    """404 nothing of that name, 409 not as things stand."""
    return 404 if code.startswith("no_such") else 409


def paper(name: str, data: bytes) -> HttpResponse:
    """A file to keep, by its name."""
    kind = "application/json" if name.endswith(".json") else "text/csv; charset=utf-8"
    return HttpResponse(
        data,
        content_type=kind,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            "X-Content-Type-Options": "nosniff",
        },
    )
