"""Other software at the API, in this very process: every request with a key, sent again when it was not done."""

from __future__ import annotations

import json

from django.db import close_old_connections
from django.test import Client

from shuke.shops.actions import make_token
from tests import cast


class Till:
    def __init__(self, merchant) -> None:
        _, token = make_token(merchant=merchant, name="till", may_write=True, now=cast.OPENED)
        self.client = Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)

    def __call__(self, path: str, **body) -> tuple[int, dict]:
        close_old_connections()  # as the server does before each request; the test client leaves it out
        answer = self.client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
        plain = answer.headers["Content-Type"].startswith("application/json")
        return answer.status_code, answer.json() if plain else {"code": "not even JSON"}
