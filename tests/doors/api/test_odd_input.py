"""What no caller means: every oddity, in every field of every body, is refused with a sentence and a code, and changes nothing."""

from __future__ import annotations

import copy
import inspect
import json
import re
from collections import Counter
from datetime import timedelta
from importlib import import_module
from itertools import cycle
from pkgutil import iter_modules

import pytest
from django.db import transaction
from django.test import Client
from pydantic import BaseModel

from shuke.doors import api
from shuke.engine.checkout import codes
from shuke.kit import clock
from shuke.loyalty import queries
from shuke.loyalty.actions import stored
from shuke.members.models import Member
from shuke.shops import actions
from tests import cast
from tests.loyalty.books import CHARTER, member, order, publish, take
from tests.loyalty.stored import STORED
from tests.loyalty.test_benefits import RIGHTS
from tests.loyalty.till import SELLING, template

CHINESE = re.compile("[\u4e00-\u9fff]")
RICH = {
    **CHARTER,
    "points": CHARTER["points"] | {"pending_days": 0, "transfer": "anyone", "reinstate_days": 30, "expiry": {"kind": "never"}},
    "rights": RIGHTS,
    "selling": SELLING,
    "stored": STORED,
    "referral": {"friend": {"points": 50}, "steps": [{"points": 100}]},
}  # fmt: skip
AT = "2026-05-20T10:00:00+08:00"
# Texts, numbers, moments and shapes that nobody means, as they stand in JSON.
ODD = [
    "null", "true", "-1", "1.5", "1e400", "9" * 30, "9" * 5000, "NaN", "-Infinity", "[]", "{}", "[[null]]",
    '""', '"x\\u0000"', '"\\ud800"', json.dumps("长" * 2000), '"99999999999999999999"', '"٣²"', '"{0}%s"', '"../../x"',
    '"0001-01-01"', '"9999-12-31"', '"2026-02-30"', '"2026-05-20T10:00:00"',
    '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-12:00"',
]  # fmt: skip
# Bodies that are no object, or no JSON.
NO_BODY = [
    b"[]", b"1", b'"x"', b"{", b"nul", b"\xff\xfe{}", b'{"key": "\xff"}', b"{'a': 1}", b"[" * 100_000, b'{"a":' * 50_000,
    b'{"key": "a", "key": "b"}',
]  # fmt: skip


class Till:
    """A program with a token; what it is told is checked whatever it asks."""

    def __init__(self, merchant) -> None:
        _, token = actions.make_token(merchant=merchant, name="odd", may_write=True, may_decide=True, now=cast.OPENED)
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def __call__(self, path, body: bytes | str | None = None, language="en", **headers):
        ask = {"path": f"/api/v1{path}", "headers": {"Accept-Language": language, **headers}}
        if body is None:
            answer = self.client.get(**ask)
        else:
            answer = self.client.post(data=body, content_type="application/json", **ask)
        told = answer.json()
        if answer.status_code >= 400:
            assert 400 <= answer.status_code < 500, (path, body, told)
            assert told["code"], (path, body, told)
            assert 0 < len(told["error"]) < 3000, (path, body, told)
            assert bool(CHINESE.search(told["error"])) or language == "en", (path, body, told)
        return answer.status_code, told


@pytest.fixture
def shop(lan):
    publish(lan.merchant, RICH)
    template(lan.merchant)
    template(lan.merchant, "unique", codes="unique")
    return lan.merchant


@pytest.fixture
def card(shop):
    ann = member(shop)
    take(shop, ann, order("a", 500, 3000))
    return Member.objects.get(pk=ann).card


@pytest.fixture
def till(shop):
    return Till(shop)


@pytest.fixture
def gift_card(shop):
    now = clock.utc_now()
    batch = stored.begin_cards(merchant=shop, count=1, value=20_000, now=now, actor="t")
    stored.make_cards(batch_id=batch.pk)
    batch.refresh_from_db()
    return codes.shown(next(stored.card_codes(batch)))


def bodies(card, gift_card):
    """Of every kind of deed a body with all its fields, which is taken as it stands."""
    line = {"key": "a", "sku": "A1", "category": "护肤", "brand": "b", "quantity": 2, "price_minor": 10_000, "freight": False,
            "gift": False, "excluded": ["points"]}  # fmt: skip
    asks = {"coupons": ["10000000000000"], "points": 10, "stored_value_minor": 100, "best": True, "gift_cards": [gift_card],
            "coalition": False}  # fmt: skip
    basket = {"member": card, "store": "XH", "platform": "pos", "channel": "shop", "currency": "CNY", "caller": "x",
              "lines": [line], "asks": asks}  # fmt: skip
    sold = {"number": "7", "store": "XH", "platform": "pos", "status": "finished", "created_at": AT, "paid_at": AT,
            "currency": "CNY", "paid_minor": 100, "discount_minor": 0, "freight_minor": 0, "refunded_minor": 50,
            "refunded_at": AT, "refunds": [{"number": "r", "amount_minor": 5, "refunded_at": AT}], "tax_minor": 1,
            "tenders": [{"tender": "cash", "amount_minor": 100}], "staff": "s",
            "lines": [{"title": "t", "quantity": 1, "amount_minor": 100, "product_code": "A1", "category": "c", "brand": "b"}],
            "buyer": {"card": card, "phone": "13800001234", "name": "n"}}  # fmt: skip
    who = f"/members/{card}"
    return {
        "/checkout/price": basket | {"at": AT},
        "/checkouts": basket | {"key": "K", "minutes": 5},
        "/checkouts/HELD/capture": {"order": {"platform": "pos", "store": "XH", "number": "9"}},
        "/checkouts/DONE/returns": {"key": "K", "lines": {"a": 1}},
        "/orders": {"orders": [sold]},
        f"{who}/coupons": {"template": "ten", "count": 1, "ref": "K"},
        f"{who}/benefits": {"benefit": "wrap", "key": "K", "store": "XH", "note": "n"},
        f"{who}/points/spend": {"points": 1, "key": "K", "family": False},
        f"{who}/points/hold": {"points": 1, "minutes": 5, "key": "K"},
        f"{who}/points/give": {"points": 1, "to": "00000002", "key": "K"},
        f"{who}/stored/topup": {"amount_minor": 100, "paid_by": "cash", "key": "K"},
        f"{who}/tier": {"tier": "gold", "until": "2029-12-31", "reason": "r", "invite": False, "key": "K"},
        "/gift-cards/sell": {"code": gift_card, "paid_by": "cash", "key": "K"},
        "/members": {"name": "n", "nickname": "m", "gender": "f", "birthday": "1990-08-15L", "province": "p", "city": "c",
                     "occupation": "o", "note": "n", "acquired_by": "a", "store": "XH", "phones": ["13900001234"],
                     "email": "a@b.cn", "address": "s", "accounts": [{"platform": "taobao", "name": "n"}], "attributes": {},
                     "tags": ["t"], "days": [{"kind": "child", "day": "05-31", "name": "k"}],
                     "consents": [{"channel": "sms", "purpose": "care", "granted": True}], "wording": "w", "evidence": "e",
                     "code": "", "shared_phone": True, "key": "K"},
        f"{who}/family": {"members": ["00000002"], "name": "n"},
        "/gifts": {"code": "mug", "kind": "goods", "name_zh": "z", "name_en": "e", "about_zh": "z", "about_en": "e",
                   "points": 5, "cash_minor": 0, "cost_minor": 1, "stock": 5, "per_member": 0, "tiers": ["gold"], "coupon": "",
                   "hold_days": 7, "ship": True, "active": True, "from_at": AT, "until_at": "2030-01-01T00:00:00+08:00"},
        "/coupons/batches": {"template": "unique", "count": 3, "label": "l", "key": "K"},
        "/gift-cards/batches": {"count": 2, "value_minor": 500, "price_minor": 400, "label": "l", "key": "K"},
        "/finance/policy": {"method": "provision", "expected_percent": "80", "tax_permille": 130, "chart": "small",
                            "per": "day", "prefix": "P", "accounts": {"revenue": "6001"}},
        "/coalition": {"name": "n", "notice_days": 5, "key": "K", "prices": {
            "issue_micro": 5, "redeem_micro": 4, "prepaid": True, "warn_below": 1, "limit_minor": 9, "most_per_day": 3}},
        "/partner-cards": {"key": "bank", "name": "n", "issuer": "i", "token": "hash", "ends_on": "2029-01-01"},
        "/charter/publish": {"yaml": json.dumps(RICH | {"name": {"zh": "新", "en": "New"}}), "day": "2029-01-01", "note": "n",
                             "language": "en", "key": "K"},
    }  # fmt: skip


def places(told, path=()):
    """Every field of a body, those within others too."""
    for name, value in told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ():
        yield (*path, name)
        yield from places(value, (*path, name))


def with_odd(body, place, odd):
    told = copy.deepcopy(body)
    within = told
    for name in place[:-1]:
        within = within[name]
    within[place[-1]] = "@"
    return json.dumps(told).replace('"@"', odd, 1)


def begin(till, card):
    """A basket that is held, one that was paid for, and somebody to give points to."""
    member(Member.objects.get(card=card).merchant, 2)
    till(f"/members/{card}/stored/topup", json.dumps({"amount_minor": 60_000, "key": "t"}))
    basket = {
        "member": card,
        "store": "XH",
        "lines": [{"key": "a", "price_minor": 1000, "quantity": 3}],
        "asks": {"points": 10},
    }
    for key in ("HELD", "DONE"):
        assert till("/checkouts", json.dumps(basket | {"key": key}))[0] == 200
    assert till("/checkouts/DONE/capture", json.dumps({"order": {"store": "XH", "number": "8"}}))[0] == 200


def test_every_field_of_every_body_takes_every_oddity(shop, till, card, gift_card):
    begin(till, card)
    told = Counter()
    for path, body in bodies(card, gift_card).items():
        oddities = [with_odd(body, place, odd) for place in places(body) for odd in ODD]
        every = (json.dumps(body), json.dumps(body | {"tpyo": 1}), *oddities, *NO_BODY)
        for language, text in zip(cycle(("en", "zh", "zh", "en")), every, strict=False):
            with transaction.atomic():  # so that each meets the same shop
                status, said = till(path, text, language)
                told[status, said.get("code") if isinstance(said, dict) else ""] += 1
                if text == json.dumps(body):
                    assert status == 200, (path, said)
                elif "tpyo" in str(text):
                    assert (status, said["code"], "tpyo" in said["error"]) == (400, "not_understood", True), path
                transaction.set_rollback(True)
    assert {(400, "not_understood"), (400, "not_json"), (400, "bad_text"), (400, "field_twice")} <= set(told)
    assert queries.verify(shop).findings == []


@pytest.mark.parametrize("card", ["9" * 5000, "x" * 3000, "%00", "%FF", "９", str(2**63), "' OR 1=1 --"])
def test_a_member_nobody_can_be(till, card):
    for path, body in (
        ("", None),
        ("/points", None),
        ("/coupons", None),
        ("/points/spend", '{"points": 1, "key": "k"}'),
    ):
        for language in ("en", "zh"):
            assert till(f"/members/{card}{path}", body, language)[1]["code"] in ("no_such_member", "bad_text")


def test_numbers_and_keys_that_nothing_has(till, card):
    for number in ("0", "-1", "9" * 30, str(2**63), "%00"):
        for path in ("/coupons/{}/void", "/benefits/{}/undo", "/gift-orders/{}/done", "/charter/versions/{}/withdraw"):
            assert till(path.format(number), '{"reason": "r"}' if "coupons" in path else "{}")[0] in (400, 404, 409)
        assert till(f"/charter/versions/{number}")[0] in (400, 404)
    for key in ("9" * 5000, "%00", "%FF"):
        assert till(f"/checkouts/{key}")[0] in (400, 404)
        assert till(f"/checkouts/{key}/capture", "{}")[0] in (400, 404)
    spend = f"/members/{card}/points/spend", '{"points": 1}'
    assert till(*spend, **{"Idempotency-Key": "k" * 161})[1]["code"] == "not_understood"
    assert till(*spend, **{"Idempotency-Key": "a\0b"})[1]["code"] == "bad_text"


DAYS = ["", "x", "0001-01-01", "9999-12-31", "2026-02-30", "9" * 30, "%00", "nan"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_days_and_months_that_no_shop_has(till, card, language):
    for day in DAYS:
        for path in (
            f"/members/{card}/points/statement?from={day}", f"/finance/costs?from={day}&to=2026-01-01",
            f"/finance/costs?from=2026-01-01&to={day}", f"/finance/liability?at={day}", f"/finance/deferral?at={day}",
            f"/finance/movements?since={day or 'x'}", f"/finance/entries?month={day}",
        ):  # fmt: skip
            assert till(path, None, language)[0] == 400, path
        assert till(f"/finance/close?month={day}", b"", language)[0] == 400
    told = {till(f"/finance/{path}", None, language)[1]["code"] for path in (
        "costs?from=2026-02-01&to=2026-01-01", "movements?since=2026-02&until=2026-01", "entries?month=2026-13",
        "entries?month=2999-01", "liability?at=0001-01-01",
    )}  # fmt: skip
    assert told == {"from_after_to", "bad_span", "bad_month", "not_in_the_books", "bad_day"}


def test_too_much_at_once(till, card):
    lines = [{"key": str(n), "price_minor": 100} for n in range(10_000)]
    told = till("/checkout/price", json.dumps({"member": card, "lines": lines}))
    assert (told[0], told[1]["code"], "500" in told[1]["error"]) == (400, "not_understood", True)
    assert till("/checkout/price", json.dumps({"member": card, "lines": []}))[1]["code"] == "not_understood"
    assert till("/orders", b" " * 6_000_000 + b"{}")[1]["code"] == "too_big"


def test_what_is_another_merchants_is_nobodys_here(shop, till, card, mingde):
    begin(till, card)
    coupon = till(f"/members/{card}/coupons", '{"template": "ten"}')[1][0]["id"]
    publish(mingde.merchant, RICH)
    other = Till(mingde.merchant)
    pk = Member.objects.get(card=card, merchant=shop).pk
    for path, body in {
        f"/members/{pk}": None,
        f"/members/{pk}/points/spend": {"points": 1, "key": "k"},
        f"/coupons/{coupon}/void": {"reason": "r"},
        "/checkouts/HELD": None,
        "/checkouts/HELD/capture": {},
        "/checkouts/DONE/returns": {"key": "r"},
    }.items():
        assert other(path, None if body is None else json.dumps(body))[0] == 404, path
    body = {"lines": [{"price_minor": 10_000}], "asks": {"coupons": [coupon]}}
    status, told = other("/checkout/price", json.dumps(body))
    assert (status, told["applied"], told["totals"]["due_minor"]) == (200, [], 10_000)
    assert queries.verify(shop).findings == queries.verify(mingde.merchant).findings == []


def test_no_two_shapes_share_a_name_in_the_description():
    """openapi.json knows a shape by its name alone: of two, one would describe the other's calls."""
    modules = [import_module(f"{api.__name__}.{one.name}") for one in iter_modules(api.__path__)]
    shapes = {
        shape
        for module in modules
        for _, shape in inspect.getmembers(module, inspect.isclass)
        if issubclass(shape, BaseModel) and shape.__module__ == module.__name__
    }
    assert [name for name, n in Counter(shape.__name__ for shape in shapes).items() if n > 1] == []


def test_an_hour_that_is_no_more_is_refused_before_it_is_booked(till, card):
    """Not every moment of the calendar exists in every zone: the first and the last are shifted out of it."""
    late = (clock.utc_now() + timedelta(days=1)).isoformat()
    body = {"orders": [{"number": "7", "store": "XH", "created_at": "0001-01-01T00:00:00+14:00", "paid_minor": 1}]}
    assert till("/orders", json.dumps(body))[1]["code"] == "not_understood"
    body["orders"][0] |= {"created_at": AT, "refunded_minor": 1, "refunded_at": late}
    assert till("/orders", json.dumps(body))[1]["code"] == "refund_in_future"
