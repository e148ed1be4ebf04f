"""The till over the wire: the same body tried and done, keys, returns, coupons, and codes that are not good."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from shuke.loyalty.actions import coupons, stored
from shuke.loyalty.queries.stored import find_card
from shuke.members.models import Member, TimelineLine
from shuke.orders.models import Order
from shuke.shops import actions
from shuke.shops.queries import now as shop_now
from tests import cast
from tests.flows.test_gift_cards import made, sell
from tests.loyalty.books import CHARTER, member, publish
from tests.loyalty.stored import STORED
from tests.loyalty.till import SELLING, open_till, template

BASKET = {"lines": [{"key": "a", "sku": "A1", "price_minor": 10000, "quantity": 1}], "store": "XH"}


@pytest.fixture
def shop(db):
    merchant = cast.lan().merchant
    open_till(merchant)
    return merchant


@pytest.fixture
def card(shop):
    return Member.objects.get(pk=member(shop)).card


class Till:
    def __init__(self, merchant, *, may_write=True) -> None:
        _, token = actions.make_token(merchant=merchant, name="till", may_write=may_write, now=cast.OPENED)
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def post(self, path, body=None, **headers):
        answer = self.client.post(
            f"/api/v1{path}", json.dumps(body or {}), content_type="application/json", headers=headers
        )
        return answer.status_code, answer.json()

    def get(self, path):
        answer = self.client.get(f"/api/v1{path}")
        return answer.status_code, answer.json()


@pytest.fixture
def till(shop):
    return Till(shop)


def test_a_basket_is_priced_held_captured_and_returned(till, shop, card):
    template(shop)
    status, (coupon,) = till.post(f"/members/{card}/coupons", {"template": "ten", "ref": "sorry"})
    assert (status, coupon["state"]) == (200, "open")
    assert till.post(f"/members/{card}/coupons", {"template": "ten", "ref": "sorry"}) == (200, [coupon]), "sent twice"
    body = BASKET | {"member": card, "asks": {"coupons": [coupon["id"]]}}
    status, tried = till.post("/checkout/price", body)
    assert (status, tried["totals"]["due_minor"]) == (200, 9000)
    status, held = till.post("/checkouts", body | {"expect_due_minor": 9000}, **{"Idempotency-Key": "k1"})
    assert (status, held["state"], held["key"]) == (200, "open", "k1")
    assert held["priced"]["lines"] == tried["lines"]
    assert till.post("/checkouts", body | {"expect_due_minor": 9000, "key": "k1"})[1]["replayed"]
    assert till.get("/checkouts/k1")[1]["state"] == "open"
    status, done = till.post("/checkouts/k1/capture", {"order": {"store": "XH", "number": "7"}})
    assert (status, done["order"]) == (200, "order:pos:XH:7")
    status, back = till.post("/checkouts/k1/returns", {"key": "r1", "lines": {"a": 0.5}})
    assert (status, back["back"]["due_minor"]) == (200, 4500)
    status, back = till.post("/checkouts/k1/returns", {"key": "r2"})
    assert (back["back"]["due_minor"], back["back"]["coupons"]) == (4500, [coupon["id"]])
    assert till.get(f"/members/{card}/coupons")[1][0]["state"] == "open"
    void = f"/coupons/{coupon['id']}/void"
    status, told = till.post(void, {"reason": "mistake", "key": "v1"})
    assert (status, told["state"], told["replayed"]) == (200, "void", False)
    assert till.post(void, {"reason": "mistake"}, **{"Idempotency-Key": "v1"}) == (200, told | {"replayed": True})
    for body in ({"reason": "stolen", "key": "v1"}, {"reason": "mistake", "key": "v2"}, {"reason": "mistake"}):
        assert till.post(void, body)[1]["code"] == ("key_reused" if body.get("key") == "v1" else "not_open")
    (view,) = till.get("/coupons/templates")[1]
    assert (view["issued"], view["redeemed"], view["open"]) == (1, 0, 0)


def test_what_a_key_claimed_or_was_refused_it_answers_for_ever(till, shop, card):
    template(shop, claim=True, limits={"per_member": 2})
    claim = f"/members/{card}/coupons/claim"
    status, first = till.post(claim, {"template": "ten", "key": "c1"})
    assert till.post(claim, {"template": "ten", "key": "c1"}) == (status, first | {"replayed": True}) != (422, first)
    assert till.post(claim, {"template": "other", "key": "c1"})[1]["code"] == "key_reused"
    assert till.post(f"/coupons/{first['id']}/void", {"reason": "x", "key": "c1"})[1]["code"] == "key_reused"
    assert till.post(claim, {"template": "ten", "key": "c2"})[1]["id"] != first["id"]
    refused = till.post(claim, {"template": "ten", "key": "c3"})
    assert (refused[0], refused[1]["code"]) == (422, "member_has_enough")
    template(shop, claim=True, limits={"per_member": 9})
    assert till.post(claim, {"template": "ten", "key": "c3"}) == refused
    assert till.post(claim, {"template": "ten", "key": "c4"})[0] == 200
    for n in range(10):  # a code that is wrong counts against its caller, once for a key
        for _ in range(2):
            assert till.post(claim, {"code": "WRONG", "key": f"w{n}"})[1]["code"] == "code_refused"
    assert till.post(claim, {"code": "WRONG", "key": "w10"})[1]["code"] == "try_later"
    assert till.post(claim, {"code": "WRONG", "key": "w9"})[1]["code"] == "code_refused", "what was answered stays"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/checkouts", BASKET, 422, "key_missing"),
        ("/checkouts", BASKET | {"key": "k", "minutes": 0}, 422, "hold_too_long"),
        ("/checkouts", BASKET | {"key": "k", "expect_due_minor": 1}, 409, "price_changed"),
        ("/checkouts/none/capture", {}, 404, "no_such_checkout"),
        ("/checkouts/none/release", {}, 404, "no_such_checkout"),
        ("/checkouts/none/returns", {"key": "r"}, 404, "no_such_checkout"),
        ("/checkout/price", {"lines": [{"key": "a"}, {"key": "a"}]}, 400, "basket_invalid"),
        ("/checkout/price", BASKET | {"currency": "USD"}, 400, "basket_invalid"),
        ("/members/CARD/coupons", {"template": "none"}, 404, "no_such_template"),
        ("/members/CARD/coupons/claim", {"template": "ten"}, 422, "not_claimable"),
        ("/members/CARD/coupons/claim", {"code": "WRONG"}, 422, "code_refused"),
        ("/coupons/7/void", {"reason": "x"}, 404, "no_such_coupon"),
    ],
)
def test_refusals_have_a_code_and_a_sentence(till, shop, card, path, body, status, code):
    template(shop)
    told, answer = till.post(path.replace("CARD", card), body)
    assert (told, answer["code"]) == (status, code)
    assert answer["error"]


def test_the_same_key_with_another_basket_is_refused(till, shop):
    assert till.post("/checkouts", BASKET | {"key": "k"})[0] == 200
    status, answer = till.post("/checkouts", BASKET | {"key": "k", "store": "JA"})
    assert (status, answer["code"]) == (422, "key_reused")
    till.post("/checkouts/k/release")
    status, answer = till.post("/checkouts/k/capture", {})
    assert (status, answer["code"]) == (409, "checkout_over")


def test_a_reading_token_prices_and_holds_nothing(shop):
    reader = Till(shop, may_write=False)
    assert reader.post("/checkout/price", BASKET)[0] == 200
    assert reader.post("/checkouts", BASKET | {"key": "k"})[0] == 403


def test_another_merchant_sees_nothing(shop, card, till):
    till.post("/checkouts", BASKET | {"key": "k"})
    other = cast.mingde().merchant
    open_till(other)
    stranger = Till(other)
    assert stranger.get("/checkouts/k")[0] == 404
    assert stranger.post("/checkouts/k/capture")[0] == 404
    assert stranger.get(f"/members/{card}/coupons")[0] == 404


def test_guessing_codes_ends_soon_and_good_codes_look_no_different_from_bad_ones(till, shop, card):
    template(shop, codes="shared")
    coupons.make_shared_code(merchant=shop, key="ten", code="GOOD2026", now=shop_now(shop), actor="t")

    def ask(code, caller):
        body = BASKET | {"asks": {"coupons": [code]}, "caller": caller}
        return till.post("/checkout/price", body)[1]

    for n in range(10):
        assert ask(f"BAD{n:04}", "robot")["inapplicable"][1]["reason"] == "code_refused"
    assert ask("GOOD2026", "robot")["inapplicable"][1]["reason"] == "try_later"
    assert ask("GOOD2026", "shopper")["applied"][0]["ref"] == "GOOD2026"
    assert till.post(f"/members/{card}/coupons/claim", {"code": "GOOD2026", "caller": "robot"})[0] == 429
    assert till.post(f"/members/{card}/coupons/claim", {"code": "GOOD2026", "caller": "shopper"})[0] == 200


def test_a_refund_that_a_void_card_cannot_take_says_so_in_the_answer_and_on_the_timeline(lan):
    shop, till = lan.merchant, Till(lan.merchant)
    publish(shop, CHARTER | {"stored": STORED, "selling": SELLING})
    card = Member.objects.get(pk=member(shop)).card
    batch, codes = made(shop, value=5_000)
    sell(shop, batch, 1)
    sold = codes[0]
    body = BASKET | {"member": card, "asks": {"gift_cards": [sold]}, "key": "k"}
    assert till.post("/checkouts", body)[1]["priced"]["totals"]["due_minor"] == 5_000
    till.post("/checkouts/k/capture", {"order": {"store": "XH", "number": "7"}})
    now = shop_now(shop)
    stored.void_card(merchant=shop, card_id=find_card(shop, sold).pk, reason="lost", now=now, actor="t")
    refund = {
        "number": "7", "store": "XH", "created_at": now.isoformat(), "paid_minor": 10_000, "refunded_minor": 10_000,
        "buyer": {"card": card},
    }  # fmt: skip
    told = till.post("/orders", {"orders": [refund]}, **{"Accept-Language": "zh"})[1]
    (left,) = told["not_given_back"]
    assert (left["number"], left["code"], left["amount_minor"]) == ("7", "void_card", 5_000)
    assert "¥50.00 应退回礼品卡" in left["error"]
    again = till.post("/orders", {"orders": [refund]})[1]
    assert (again["same"], again["not_given_back"]) == (1, []), "told once, with the refund"
    (line,) = TimelineLine.objects.filter(merchant=shop, kind="refund.not_given_back")
    assert (line.member.card, line.body["amount_minor"], "which is void" in line.body["why"]["en"]) == (
        card,
        5_000,
        True,
    )


def test_a_capture_can_book_the_order_and_what_comes_back_is_told_to_the_archive(till, shop, card):
    till.post("/checkouts", BASKET | {"member": card, "key": "k1"})
    body = {"order": {"store": "XH", "number": "A-1"}, "book": {"paid_by": "微信支付", "staff": "7"}}
    status, answer = till.post("/checkouts/k1/capture", body)
    assert (status, answer["booked"], answer["number"], answer["earned"] >= 100) == (200, True, "A-1", True)
    again = till.post("/checkouts/k1/capture", body)[1]
    assert (again["replayed"], again["earned"]) == (True, answer["earned"])
    row = Order.objects.get()
    assert (row.number, row.paid_minor, row.tenders, row.staff_code) == ("A-1", 10_000, [["wechat", 10_000]], "7")
    order = {"store": "XH", "number": "A-1", "created_at": row.paid_at.isoformat(), "paid_minor": 10_000}
    assert till.post("/orders", {"orders": [order | {"buyer": {"card": card}}]})[1]["postings"] == 0
    till.post("/checkouts/k1/returns", {"key": "r1", "lines": {"a": "0.5"}})
    row.refresh_from_db()
    assert (row.refunded_minor, till.get("/checkouts/k1")[1]["booked"]) == (5_000, True)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"book": {}}, 422, "order_missing"),
        ({"order": {"store": "XH"}}, 422, "order_missing"),
        ({"order": {"store": "XH", "number": "B-1"}, "book": {}}, 409, "order_differs"),
    ],
)
def test_an_order_to_be_booked_is_named_and_is_this_one(till, shop, card, body, status, code):
    order = {"store": "XH", "number": "B-1", "created_at": "2026-01-01T00:00:00Z", "paid_minor": 77}
    till.post("/orders", {"orders": [order]})
    till.post("/checkouts", BASKET | {"member": card, "key": "k1"})
    answer = till.post("/checkouts/k1/capture", body)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert till.get("/checkouts/k1")[1]["state"] == "open"


def test_a_number_left_out_is_made(till, shop, card):
    till.post("/checkouts", BASKET | {"member": card, "key": "k1"})
    answer = till.post("/checkouts/k1/capture", {"order": {"store": "XH"}, "book": {}})[1]
    assert Order.objects.get().number == answer["number"] != ""
