"""Many tills at once, each in its own process: stored value is never spent twice, no card is redeemed twice or held for more
than is on it."""

from __future__ import annotations

import multiprocessing

import pytest

from shuke.loyalty import queries
from shuke.loyalty.actions import stored
from shuke.loyalty.models import GiftCard
from shuke.loyalty.queries import stored as books
from tests.loyalty.books import NOW, member
from tests.loyalty.stored import do, open_stored
from tests.loyalty.till import basket


def _work(merchant_id: int, name: str, jobs: list[tuple], answers) -> None:
    from django.db import connections

    connections.close_all()  # a connection does not survive the fork
    from shuke.flows.checkout import CheckoutRefused
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    for kind, key, who, amount, more in jobs:
        try:
            answers.put((kind, key, *_do(merchant, name, kind, key, who, amount, more)))
        except (stored.StoredRefused, stored.KeyReused, CheckoutRefused) as refused:
            answers.put((kind, key, False, getattr(refused, "code", "key_reused"), {}))
        except Exception as error:  # a deadlock, say: nobody at a till should hear of it
            answers.put((kind, key, False, repr(error), {}))
    connections.close_all()


def _do(merchant, name: str, kind: str, key: str, who: int, amount: int, more) -> tuple:
    from shuke.flows import checkout

    if kind == "basket":
        engine, told = basket(amount, gift_cards=[more], stored_value_minor="most")
        held = checkout.hold(merchant=merchant, key=key, basket=engine, told=told, member_id=who, now=NOW, actor=name)
        used = {one["step"]: one["amount_minor"] for one in held.priced["applied"]}
        return True, "", used
    if kind in ("take", "leave"):
        end = {"order_event": "", "now": NOW, "actor": name}
        told = checkout.capture(merchant=merchant, key=more, **end) if kind == "take" else None
        told = told or checkout.release(merchant=merchant, key=more, now=NOW, actor=name)
        return not told.replayed, "", {}
    if kind == "redeem":
        told = stored.redeem_card(merchant=merchant, card_id=more, member_id=who, key=key, now=NOW, actor=name)
    elif kind == "void":
        gone = stored.void_card(merchant=merchant, card_id=more, reason="lost", now=NOW, actor=name)
        return True, "", {"amount": gone}
    else:
        one = stored.Ask(key, kind, who, amount, **more)
        [told] = stored.ask(merchant=merchant, asks=[one], now=NOW, actor=name)
    return told.done and not told.replayed, told.code, told.figures


def at_once(merchant, work: list[list[tuple]]) -> list[tuple]:
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    people = [fork.Process(target=_work, args=(merchant.pk, f"till {i}", jobs, answers)) for i, jobs in enumerate(work)]
    for person in people:
        person.start()
    told = [answers.get(timeout=120) for jobs in work for _ in jobs]
    for person in people:
        person.join(timeout=60)
        assert person.exitcode == 0
    return told


@pytest.fixture
def shop(transactional_db):
    from tests import cast

    merchant = cast.lan().merchant
    open_stored(merchant, ladder=[], most_balance=0, cards={"most": 1000})
    return merchant


def sound(merchant):
    assert queries.verify(merchant).findings == []


def test_never_more_is_spent_than_there_is(shop):
    ann = member(shop)
    do(shop, ann, "top_up", 100)
    work = [[("spend", f"s{i}-{n}", ann, 700 + i, {}) for n in range(6)] for i in range(4)]
    told = at_once(shop, work)
    spent = sum(figures["amount"] for _, _, done, _, figures in told if done)
    assert {code for *_, code, _ in told} == {"", "not_enough"}
    assert books.balance(shop, ann, NOW).available == 10_000 - spent < 703
    sound(shop)


def test_one_key_is_one_payment_however_many_send_it(shop):
    ann, bob = member(shop), member(shop, 2)
    for who in (ann, bob):
        do(shop, who, "top_up", 100)
    work = [
        [("spend", "same", who, 300, {}), ("top_up", f"new{i}", who, 100, {})]
        for i, who in enumerate([ann, ann, bob, bob])
    ]
    told = at_once(shop, work)
    assert sum(done for kind, _, done, *_ in told if kind == "spend") == 1
    assert sum(books.balance(shop, who, NOW).available for who in (ann, bob)) == 20_000 - 300 + 400
    sound(shop)


def test_a_hold_is_resolved_once_and_a_payment_comes_back_once(shop):
    ann = member(shop)
    do(shop, ann, "top_up", 100)
    do(shop, ann, "hold", 50, "h")
    told = at_once(
        shop,
        [[("capture" if i % 2 else "release", f"c{i}", ann, 3000 if i % 2 else 0, {"ref": "h"})] for i in range(4)],
    )
    assert sum(done for _, _, done, *_ in told) == 1
    paid = do(shop, ann, "spend", 20)
    told = at_once(shop, [[("return", f"r{i}-{n}", ann, 700, {"ref": paid.key}) for n in range(2)] for i in range(4)])
    assert sum(done for _, _, done, *_ in told) == 2, "2 × 7.00 of 20.00, the third would be too much"
    sound(shop)


def sold_card(shop, yuan: int = 500, key: str = "sale") -> tuple[int, str]:
    """A card that was sold: its row, and its code."""
    batch = stored.begin_cards(merchant=shop, count=1, value=yuan * 100, now=NOW, actor="t")
    stored.make_cards(batch_id=batch.pk)
    [card] = books.cards_of_batch(shop, batch.pk, 1, 1)
    stored.sell_cards(merchant=shop, cards=[card.pk], key=key, now=NOW, actor="t")
    batch.refresh_from_db()
    return card.pk, next(stored.card_codes(batch))


def on_card(shop, card: int) -> tuple[int, int]:
    """What is free on a card, and what is held."""
    balance = books.seen(shop, GiftCard.objects.get(pk=card), NOW).balance
    return balance.available, balance.held


def test_a_card_is_redeemed_once(shop):
    card, _ = sold_card(shop)
    people = [member(shop, n) for n in range(1, 5)]
    told = at_once(shop, [[("redeem", f"k{who}", who, 0, card)] for who in people])
    assert sum(done for _, _, done, *_ in told) == 1
    assert sum(books.balance(shop, who, NOW).available for who in people) == 50_000
    sound(shop)


def test_a_card_is_held_for_no_more_than_is_on_it_and_each_hold_ends_once(shop):
    card, _ = sold_card(shop, 100)
    held = at_once(
        shop, [[("hold", f"h{i}-{n}", None, 700 + i, {"card_id": card}) for n in range(6)] for i in range(4)]
    )
    placed = {key: figures["amount"] for _, key, done, _, figures in held if done}
    assert {code for *_, code, _ in held} == {"", "not_enough"}
    assert on_card(shop, card) == (10_000 - sum(placed.values()), sum(placed.values()))
    assert 10_000 - sum(placed.values()) < 703
    first, second, *_ = placed
    ends = [
        ("capture", f"c{i}", None, placed[first], {"card_id": card, "ref": first})
        if i % 2
        else ("release", f"c{i}", None, 0, {"card_id": card, "ref": first})
        for i in range(4)
    ]
    same = ("capture", "same", None, placed[second], {"card_id": card, "ref": second})
    told = at_once(shop, [[end, same] for end in ends])
    assert sum(done for _, key, done, *_ in told if key != "same") == 1
    assert sum(done for _, key, done, *_ in told if key == "same") == 1
    assert {code for *_, code, _ in told} <= {"", "no_such_hold"}
    spent = sum(figures["amount"] for kind, _, done, _, figures in told if done and kind == "capture")
    assert sum(on_card(shop, card)) == 10_000 - spent
    sound(shop)


def test_baskets_with_one_card_and_whoever_redeems_or_voids_it_do_not_get_in_each_other_s_way(shop):
    """The same member pays at two tills with the card and with stored value, while the card is redeemed and declared lost."""
    ann = member(shop)
    do(shop, ann, "top_up", 100)
    for n in range(4):
        before = books.balance(shop, ann, NOW).available
        card, code = sold_card(shop, 100, f"sale{n}")
        work = [[("basket", f"b{n}-{i}", ann, 60, code), ("leave", "", ann, 0, f"b{n}-{i}")] for i in range(2)]
        work += [[("redeem", f"r{n}", ann, 0, card)], [("void", "", ann, 0, card)]]
        told = at_once(shop, work)
        gone = [(kind, figures["amount"]) for kind, _, done, _, figures in told if done and kind in ("redeem", "void")]
        assert len(gone) <= 1
        assert {code for kind, *_, code, _ in told if kind != "leave"} <= {
            "", "card_held", "card_refused", "card_not_active", "price_changed", "lost",
        }  # fmt: skip
        redeemed = sum(amount for kind, amount in gone if kind == "redeem")
        assert books.balance(shop, ann, NOW).available == before + redeemed
        assert on_card(shop, card) == (0 if gone else 10_000, 0)
    sound(shop)
