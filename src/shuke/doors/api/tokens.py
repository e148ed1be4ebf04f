"""Who asks: the token of a program, for one merchant."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from shuke.shops import queries
from shuke.shops.models import ApiToken


class Request(HttpRequest):
    """What a route gets: `auth` is set by Reader."""

    auth: ApiToken


class Reader(HttpBearer):
    """Any token in force."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        return queries.token_of(token)


class Forbidden(PermissionError):
    """The token is good, but not for this."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"The token “{name}” may only read. Make one with `shuke tokens make NAME --write`.")


class OfficeOnly(PermissionError):
    """The token may write, but this is the office's to decide."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"The token “{name}” may not decide for the office. Make one with `shuke tokens make NAME --office`."
        )


def office(token: ApiToken) -> ApiToken:
    """The same token, if it may decide what a till may not: a stolen till's token must not publish charters, take lists of
    codes out or agree to corrections. Raises Forbidden, OfficeOnly."""
    if not writer(token).may_decide:
        raise OfficeOnly(token.name)
    return token


def writer(token: ApiToken) -> ApiToken:
    """The same token, if it may write. Raises Forbidden."""
    if not token.may_write:
        raise Forbidden(token.name)
    return token
