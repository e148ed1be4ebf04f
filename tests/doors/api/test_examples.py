"""docs/api-examples.md is a shop's whole life over the wire, and every line of it is so.

A block says a request and what is answered; `<word>` is what the server made up, remembered the first time and the same ever
after. Of an answer the document tells what is worth telling: fields and items it leaves out may be anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import pytest
from django.db import transaction
from django.test import Client

from shuke.flows import referral
from shuke.kit import clock, jobs
from shuke.loyalty.actions import run_clock
from shuke.shops import actions
from shuke.shops.models import Merchant
from tests import cast
from tests.house.source import ROOT
from tests.trust.rows import rows

PAGE = ROOT / "docs" / "api-examples.md"
BLOCK = re.compile(r"^```http\n(.*?)^```$|^\*([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{5})[^*]*\*$", re.M | re.S)
ELSEWHERE = (
    "/insight/",
    "/members/{card}/next",
    "/members/{card}/profit",
    "/members/{card}/costs",
)  # figures of the night


# Without a key these say how things are, or ask for another of a kind; a line in the log, or a later statement of the same, is no harm.
SAYS = re.compile(
    "/orders|/gifts|/draws|/partner-cards|/partner-cards/bank/terms|/charter/simulate|/finance/policy|/coupons/batches/[0-9]+/void|"
    "/coupons/templates/flyer/pause|/gift-cards/[0-9]+/1/renew|/members/[0-9]+/coalition/code"
)


class Example(NamedTuple):
    line: int
    clock: str
    method: str = ""
    path: str = ""
    headers: dict[str, str] = {}
    body: str = ""
    status: int = 0
    answer: str = ""


def examples() -> Iterator[Example]:
    page = PAGE.read_text(encoding="utf-8")
    for found in BLOCK.finditer(page):
        line = page.count("\n", 0, found.start()) + 1
        if found[2]:
            yield Example(line, found[2])
            continue
        asked, answered = re.split(r"\n\n(?=\d{3}\n)", found[1], maxsplit=1)
        first, *rest = asked.split("\n")
        method, path = first.split(" ", 1)
        told = [one for one in rest if re.match(r"[A-Z][A-Za-z-]+: ", one)]
        status, _, answer = answered.partition("\n")
        yield Example(
            line, "", method, path, dict(one.split(": ", 1) for one in told), "\n".join(rest[len(told) :]), int(status), answer
        )  # fmt: skip


class Told:
    """What the server made up, by the word the document calls it."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}

    def fill(self, text: str) -> str:
        return re.sub(r"<([a-z-]+)>", lambda word: self.words.get(word[1], word[0]), text)

    def same(self, told: object, found: object, where: str = "") -> None:
        """Everything the document tells is so."""
        if isinstance(told, str) and re.search("<[a-z-]+>", told):
            pattern = "(.+?)".join(re.escape(part) for part in re.split("<[a-z-]+>", told))
            match = re.fullmatch(pattern, str(found))
            assert match, f"{where}: {found!r} is not like {told!r}"
            for word, value in zip(re.findall("<([a-z-]+)>", told), match.groups(), strict=True):
                assert self.words.setdefault(word, value) == value, (
                    f"{where}: <{word}> was {self.words[word]}, is {value}"
                )
        elif isinstance(told, dict):
            assert isinstance(found, dict), f"{where}: {found!r}"
            for key, value in told.items():
                assert key in found, f"{where}: no {key} in {sorted(found)}"
                self.same(value, found[key], f"{where}.{key}")
        elif isinstance(told, list):
            assert isinstance(found, list), f"{where}: {found!r}"
            assert len(found) >= len(told), f"{where}: only {len(found)} of {len(told)} in {found!r}"
            assert told or not found, f"{where}: {found!r} where nothing is told"
            for n, value in enumerate(told):
                self.same(value, found[n], f"{where}[{n}]")
        else:
            assert told == found, f"{where}: {found!r}, told {told!r}"


@pytest.fixture
def shops(db) -> dict[str, Merchant]:
    return {"lan": cast.lan().merchant, "mingde": cast.mingde().merchant}


def tokens(shops: dict[str, Merchant]) -> dict[str, str]:
    made = {}
    for name, merchant, office in (
        ("OFFICE", shops["lan"], True),
        ("TILL", shops["lan"], False),
        ("OWNER", shops["lan"], True),
        ("MINGDE", shops["mingde"], True),
    ):
        _, made[name] = actions.make_token(
            merchant=merchant, name=name.lower(), may_write=True, may_decide=office, now=cast.OPENED
        )
    return made


def set_clock(shops: dict[str, Merchant], text: str) -> None:
    """Nothing stands still: the worker does meanwhile what is due."""
    at = datetime.fromisoformat(f"{text}:00+08:00")
    for merchant in shops.values():
        merchant.clock_shift = round((at - clock.utc_now()).total_seconds())
        merchant.save(update_fields=["clock_shift"])
        if merchant.name.startswith("Lan"):
            run_clock(merchant=merchant, now=at)
            referral.settle_due(merchant=merchant, now=at, actor="worker")
    while (running := jobs.claim(worker="w", now=clock.utc_now())) is not None:
        assert jobs.run(running) == "done", running


@pytest.mark.django_db(transaction=True)
def test_the_whole_life_is_as_it_is_told(shops):
    """And whoever did not hear an answer and sends the request again finds that it was done once."""
    keys, told, wrong = tokens(shops), Told(), []
    for one in examples():
        if one.clock:
            set_clock(shops, one.clock)
            continue
        path = told.fill(one.path)
        headers = {"Authorization": "Bearer TILL"} | {k: told.fill(v) for k, v in one.headers.items()}
        for name, token in keys.items():
            headers["Authorization"] = headers["Authorization"].replace(f"Bearer {name}", f"Bearer {token}")
        body = told.fill(one.body)
        if body:
            json.loads(body)
        client = Client(headers=headers)
        if one.method == "GET":
            found = client.get(f"/api/v1{path}")
        else:
            found = client.post(f"/api/v1{path}", body, content_type="application/json")
        text = (b"".join(found.streaming_content) if found.streaming else found.content).decode(
            "utf-8-sig", "replace"
        )  # a picture is no text
        where = f"docs/api-examples.md:{one.line} {one.method} {path}"
        assert found.status_code == one.status, f"{where}: {found.status_code} {text}"
        if one.method == "POST" and found.status_code == 200:
            before = rows()
            with transaction.atomic():
                again = client.post(f"/api/v1{path}", body, content_type="application/json")
                keyed = "Idempotency-Key" in headers or "key" in (json.loads(body) if body else {})
                if (rows() != before and not SAYS.fullmatch(path)) or (keyed and again.status_code != 200):
                    wrong.append(f"{where}: sent again {again.status_code} {again.content[:300]!r}")
                transaction.set_rollback(True)
        if not one.answer.strip():
            continue
        if found["Content-Type"].startswith("application/json"):
            told.same(json.loads(one.answer), json.loads(text), where)
        else:
            for line in one.answer.strip().split("\n"):
                pattern = "([^,\r\n]+)".join(re.escape(part) for part in re.split("<[a-z-]+>", told.fill(line)))
                match = re.search(pattern, text)
                assert match, f"{where}: no {line!r} in {text!r}"
                told.words.update(zip(re.findall("<([a-z-]+)>", told.fill(line)), match.groups(), strict=True))
    assert not wrong, "\n".join(wrong)


def test_every_call_has_an_example(db):
    schema = Client().get("/api/v1/openapi.json").json()
    done = {(one.method, one.path.partition("?")[0]) for one in examples() if one.method and one.status == 200}
    missing = []
    for path, methods in schema["paths"].items():
        short = path.removeprefix("/api/v1")
        if short.startswith(ELSEWHERE):
            continue
        pattern = re.compile(re.sub(r"\{[a-z_]+\}", "[^/]+", short))
        for method in methods:
            if not any(m == method.upper() and pattern.fullmatch(p) for m, p in done):
                missing.append(f"{method.upper()} {short}")
    assert not missing, "\n".join(missing)


def test_a_till_may_not_decide_for_the_office(lan):
    """◆ in docs/api.md, and nothing else, is refused to a token that may only write."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    marked = {
        re.sub(r"\{[a-z_]+\}", "x", path) for path in re.findall(r"^\| `POST (/[^`?]+)[^`]*` ◆", page, re.M)
    }  # fmt: skip
    _, token = actions.make_token(merchant=lan.merchant, name="till", may_write=True, now=cast.OPENED)
    patterns = {
        re.compile(re.sub(r"\{[a-z_]+\}", "[^/]+", path.removeprefix("/api/v1"))): re.sub(
            r"\{[a-z_]+\}", "x", path.removeprefix("/api/v1")
        )
        for path in Client().get("/api/v1/openapi.json").json()["paths"]
    }
    refused, done = set(), set()
    for one in examples():
        if one.method != "POST" or one.status != 200:
            continue
        path = re.sub("<[a-z-]+>", "1", one.path)
        body = re.sub("<[a-z-]+>", "1", one.body)
        short = next(
            name for pattern, name in sorted(patterns.items(), key=lambda p: "[" in p[0].pattern)
            if pattern.fullmatch(path.partition("?")[0])
        )  # fmt: skip
        client = Client(headers={"authorization": f"Bearer {token}"})
        told = client.post(f"/api/v1{path}", body, content_type="application/json")
        (refused if told.status_code == 403 and told.json()["code"] == "office_only" else done).add(short)
    assert refused == marked
    assert not refused & done


def test_chinese_is_told_what_is_missing(lan):
    _, token = actions.make_token(merchant=lan.merchant, name="till", may_write=True, now=cast.OPENED)
    client = Client(headers={"authorization": f"Bearer {token}", "accept-language": "zh-CN"})
    cases = {
        "/members": ({}, 422, "nothing_told", "请至少填写姓名"),
        "/draws/none/promise": ({}, 403, "office_only", "不能代办公室决定"),
        "/points/corrections/7/agree": ({}, 403, "office_only", "不能代办公室决定"),
        "/coupons/find": ({"code": "nonsense"}, 404, "no_such_coupon", "没有券"),
    }
    for path, (body, status, code, text) in cases.items():
        told = client.post(f"/api/v1{path}", json.dumps(body), content_type="application/json")
        assert (told.status_code, told.json()["code"]) == (status, code), path
        assert text in told.json()["error"], path
