"""Stored value and gift cards over the wire: each call once, refusals with a code, off where the charter has none."""

import json
import re

import pytest
from django.test import Client

from shuke.engine.checkout import codes
from shuke.loyalty import queries
from shuke.loyalty.actions import stored
from shuke.shops import actions
from shuke.shops.queries import now as shop_now
from tests import cast
from tests.loyalty.books import member, publish
from tests.loyalty.stored import open_stored


class Till:
    def __init__(self, merchant, may_write=True):
        _, token = actions.make_token(merchant=merchant, name=f"till{may_write}", may_write=may_write, now=cast.OPENED)
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def __call__(self, path, headers=None, **body):
        answer = self.client.post(
            f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers or {}
        )
        return answer.status_code, answer.json()

    def look(self, path):
        answer = self.client.get(f"/api/v1/{path}")
        return answer.status_code, answer.json()


ANN = "members/00000001/stored"


@pytest.fixture
def shop(lan):
    open_stored(lan.merchant)
    member(lan.merchant)
    return lan.merchant


@pytest.fixture
def till(shop):
    return Till(shop)


@pytest.fixture
def code(shop):
    now = shop_now(shop)
    batch = stored.begin_cards(merchant=shop, count=1, value=20_000, now=now, actor="t")
    stored.make_cards(batch_id=batch.pk)
    batch.refresh_from_db()
    return codes.shown(next(stored.card_codes(batch)))


def test_everything_is_refused_where_the_charter_has_none(lan):
    publish(lan.merchant)
    member(lan.merchant)
    till = Till(lan.merchant)
    told = {"amount_minor": 100, "key": "k", "of": "x", "hold": "x", "reason": "r", "code": "K7QM-2XWD-9PTAC"}
    described = till.client.get("/api/v1/openapi.json").json()
    shapes = described["components"]["schemas"]
    # What was sold or asked while there was a charter for it can be looked at, decided and renewed afterwards too.
    lasting = re.compile("corrections|batch|report")
    money = {p: how for p, how in described["paths"].items() if "/stored" in p or "/gift-cards" in p}
    ours = {p: how for p, how in money.items() if not lasting.search(p)}
    assert len(ours) == 15
    for path, how in ours.items():
        path = path.removeprefix("/api/v1/").replace("{card}", "00000001")
        if "get" in how:
            call = till.look(path)
        else:
            shape = how["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
            call = till(path, **{name: it for name, it in told.items() if name in shapes[shape]["properties"]})
        assert (call[0], call[1]["code"]) == (409, "stored_value_off"), path


def test_pay_in_spend_and_give_back_once_each(till, shop):
    status, first = till(f"{ANN}/topup", amount_minor=100_000, paid_by="wechat", key="t1")
    assert (status, first["principal_minor"], first["bonus_minor"], first["replayed"]) == (200, 100_000, 10_000, False)
    assert till(f"{ANN}/topup", amount_minor=100_000, paid_by="wechat", key="t1") == (200, first | {"replayed": True})
    status, told = till(f"{ANN}/topup", amount_minor=100_001, paid_by="wechat", key="t1")
    assert (status, told["code"]) == (422, "key_reused")
    assert till(f"{ANN}/spend", {"Idempotency-Key": "s1"}, amount_minor=5_000)[1]["available_minor"] == 105_000
    assert till(f"{ANN}/return", amount_minor=1_000, of="s1", key="r1")[1]["principal_minor"] == 1_000
    status, told = till(f"{ANN}/return", amount_minor=4_001, of="s1", key="r2")
    assert (status, told["code"], told["figures"]["left"]) == (409, "more_than_spent", 4_000)
    assert till(f"{ANN}/spend", amount_minor=1)[1]["code"] == "no_key"
    told = till.look(ANN)[1]
    assert (told["available_minor"], told["lapses"][0]["bonus_minor"]) == (106_000, 10_000)
    assert [line["kind"] for line in till.look(f"{ANN}/lines?limit=2")[1]] == ["return", "spend"]
    assert queries.verify(shop).findings == []


def test_hold_capture_release_and_refund(till):
    till(f"{ANN}/topup", amount_minor=100_000, key="t1")
    held = {"amount_minor": 60_000, "key": "h1"}
    assert till(f"{ANN}/hold", **held)[1]["available_minor"] == 50_000
    assert till(f"{ANN}/hold", **held)[1]["replayed"], "minutes later it is still the same request"
    assert till(f"{ANN}/capture", amount_minor=50_000, hold="h1", key="c1")[1]["available_minor"] == 60_000
    assert till(f"{ANN}/release", hold="h1", key="l1")[1]["code"] == "no_such_hold"
    told = till(f"{ANN}/refund", amount_minor=25_000, paid_by="cash", key="w1")[1]
    assert (told["principal_minor"], told["forfeited_minor"]) == (25_000, 5_000)


def test_by_hand_with_a_second_person(till):
    small = {"amount_minor": 5_000, "reason": "sorry", "key": "a1"}
    assert till(f"{ANN}/adjust", **small)[1]["state"] == "done"
    large = {"amount_minor": 5_001, "account": "bonus", "reason": "sorry", "key": "a2"}
    assert till(f"{ANN}/adjust", **large)[1]["state"] == "waiting"
    assert till.look(ANN)[1]["available_minor"] == 5_000
    assert till(f"{ANN}/adjust", **small | {"amount_minor": -5_001, "key": "a3"})[1]["state"] == "waiting"
    assert till(f"{ANN}/adjust", **small | {"amount_minor": -5_000, "account": "bonus", "key": "a4"})[0] == 409


def test_a_gift_card_from_sale_to_its_end(till, code):
    assert till("gift-cards/balance", code=code)[1]["code"] == "card_refused"
    assert till("gift-cards/sell", code=code, paid_by="cash", key="g1")[1]["available_minor"] == 20_000
    assert till("gift-cards/balance", code=code)[1]["available_minor"] == 20_000
    assert till("gift-cards/spend", code=code, amount_minor=15_000, key="g2")[1]["available_minor"] == 5_000
    assert till("gift-cards/return", code=code, amount_minor=1_000, of="g2", key="g3")[1]["available_minor"] == 6_000
    assert till(f"{ANN}/redeem", code=code, key="g4")[1]["amount_minor"] == 6_000
    assert till(f"{ANN}/redeem", code=code, key="g4")[1]["replayed"]
    assert till("gift-cards/sell", code="K7QM", key="g5")[0] == 404
    for n in range(9):  # the first balance above was the tenth
        till("gift-cards/balance", code=codes.code_of(n), caller="guest")
    assert till("gift-cards/balance", code=code, caller="guest")[0] == 409
    assert till("gift-cards/balance", code=code, caller="guest")[0] == 429
    assert till("gift-cards/balance", code=code, caller="other")[0] == 409


def test_a_reading_token_moves_nothing_and_sentences_come_in_chinese(till, shop, code):
    reader = Till(shop, may_write=False)
    assert reader.look(ANN)[0] == 200
    assert reader(f"{ANN}/topup", amount_minor=100, key="x")[0] == 403
    assert reader("gift-cards/sell", code=code, key="x")[0] == 403
    told = till(f"{ANN}/spend", {"Accept-Language": "zh-CN"}, amount_minor=100, key="x")[1]
    assert told["error"] == "需要 ¥1.00，可用 ¥0.00。请减少金额，或先充值。"
