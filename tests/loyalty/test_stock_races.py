"""Many at once for the last pieces: gifts and prizes, each caller in its own process."""

import json
import multiprocessing
from datetime import timedelta

import pytest

from shuke.engine import draws as engine
from shuke.loyalty import actions, queries
from shuke.loyalty.models import DrawTicket, Gift, GiftOrder
from shuke.loyalty.queries import draws as shown_draws
from shuke.loyalty.queries import gifts as shown
from tests.loyalty.books import START, member, publish
from tests.loyalty.test_draws import TERMS

NOW = START + timedelta(days=20)


def _call(merchant_id, jobs, answers):
    from django.db import connections

    connections.close_all()
    from shuke.loyalty.actions import draws, gifts
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    for name, given in jobs:
        told = getattr({"gifts": gifts, "draws": draws}[name.split(".")[0]], name.split(".")[1])(
            merchant=merchant, now=NOW, actor="till", **given
        )
        answers.put((told.done, told.code, told.replayed))
    connections.close_all()


def at_once(merchant, work):
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    tills = [fork.Process(target=_call, args=(merchant.pk, jobs, answers)) for jobs in work]
    for till in tills:
        till.start()
    told = [answers.get(timeout=120) for jobs in work for _ in jobs]
    for till in tills:
        till.join(timeout=60)
        assert till.exitcode == 0
    return told


@pytest.fixture
def shop(transactional_db):
    from tests import cast

    lan = cast.lan()
    publish(lan.merchant)
    return lan


def people(shop, count, points):
    who = [member(shop.merchant, n) for n in range(1, count + 1)]
    asks = [actions.Ask(f"start:{m}", "adjust", m, points) for m in who]
    actions.ask(merchant=shop.merchant, asks=asks, now=NOW - timedelta(days=1), actor="x")
    return who


def cup(shop, stock):
    from shuke.loyalty.actions import gifts

    values = {"name_zh": "杯", "name_en": "Mug", "points": 10, "stock": stock}
    return gifts.save_gift(merchant=shop.merchant, code="cup", values=values, now=NOW, actor="x")


def test_seven_pieces_are_seven_however_many_want_them(shop):
    cup(shop, 7)
    who = people(shop, 8, 1000)
    work = [
        [("gifts.order", {"member_id": m, "gift": "cup", "key": f"{i}-{m}", "at_once": i % 2 == 0}) for m in who]
        for i in range(4)
    ]
    told = at_once(shop.merchant, work)
    assert sum(done for done, _, _ in told) == 7
    assert {code for done, code, _ in told if not done} == {"out_of_stock"}
    assert Gift.objects.get(code="cup").stock == 0
    assert shown.stock_that_does_not_add_up(shop.merchant) == []
    assert sum(queries.balance(shop.merchant, m, NOW).available for m in who) == 8000 - 70
    assert queries.verify(shop.merchant).findings == []


def test_an_order_handed_over_and_cancelled_at_once_is_one_of_the_two(shop):
    from shuke.loyalty.actions import gifts

    cup(shop, 10)
    who = people(shop, 1, 1000)[0]
    orders = [
        gifts.order(merchant=shop.merchant, member_id=who, gift="cup", key=f"k{n}", now=NOW, actor="x").order.pk
        for n in range(6)
    ]
    told = at_once(
        shop.merchant,
        [
            [("gifts.hand_over", {"order_id": pk}) for pk in orders],
            [("gifts.cancel", {"order_id": pk}) for pk in orders],
        ]
        * 2,
    )
    done = GiftOrder.objects.filter(state="done").count()
    assert sum(1 for ok, _, replayed in told if ok and not replayed) == 6
    assert done + GiftOrder.objects.filter(state="cancelled").count() == 6
    assert Gift.objects.get(code="cup").stock == 10 - done
    assert queries.balance(shop.merchant, who, NOW).available == 1000 - 10 * done
    assert shown.stock_that_does_not_add_up(shop.merchant) == []
    assert queries.verify(shop.merchant).findings == []


def test_tickets_drawn_at_once_are_numbered_without_a_gap_and_stock_holds(shop):
    from shuke.loyalty.actions import draws

    terms = {**TERMS, "limits": {"per_member": 6}}
    draws.save_draw(merchant=shop.merchant, code="spring", terms=terms, now=START, actor="x")
    draws.commit_draw(merchant=shop.merchant, code="spring", now=START, actor="x")
    who = people(shop, 4, 10_000)
    work = [
        [("draws.draw_ticket", {"draw": "spring", "member_id": m, "key": f"{i}-{m}-{n}", "way": "points"}) for n in range(3) for m in who]
        for i in range(3)
    ]  # fmt: skip
    told = at_once(shop.merchant, work)
    assert sum(done for done, _, _ in told) == 24  # six each, of nine tried
    assert {code for done, code, _ in told if not done} == {"limit"}
    assert sorted(DrawTicket.objects.filter(number__isnull=False).values_list("number", flat=True)) == list(
        range(1, 25)
    )
    after = NOW + timedelta(days=30)
    draws.reveal_draw(merchant=shop.merchant, code="spring", now=after, actor="x")
    file = json.loads(json.dumps(shown_draws.file(shown_draws.draw(shop.merchant, "spring"))))
    told = engine.verify(file)
    assert (told.findings, told.won["cream"] <= 3) == ([], True)
    assert queries.verify(shop.merchant).findings == []
