"""Gift cards: ordered, made by a worker, sold, looked at, redeemed or spent by whoever has the code, renewed, void."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shuke.engine.checkout import codes
from shuke.flows import stored as flow
from shuke.kit import clock, jobs
from shuke.kit.models import AuditLine
from shuke.loyalty import queries
from shuke.loyalty.actions import stored
from shuke.loyalty.actions.stored import Ask, KeyReused, StoredRefused
from shuke.loyalty.models import GiftCard
from shuke.loyalty.queries import stored as books
from tests.loyalty.books import NOW, member
from tests.loyalty.stored import do, open_stored


@pytest.fixture
def shop(lan):
    open_stored(lan.merchant, ladder=[])
    return lan.merchant


def made(shop, count=3, value=20_000, **more):
    batch = stored.begin_cards(merchant=shop, count=count, value=value, now=NOW, actor="t", **more)
    stored.make_cards(batch_id=batch.pk)
    batch.refresh_from_db()
    return batch, [codes.shown(code) for code in stored.card_codes(batch)]


def sell(shop, batch, first=1, last=1, key="sale", now=NOW):
    cards = [card.pk for card in books.cards_of_batch(shop, batch.pk, first, last)]
    return stored.sell_cards(merchant=shop, cards=cards, key=key, paid_by="cash", now=now, actor="t")


def look(shop, code, caller="till", now=NOW):
    return flow.card_balance(merchant=shop, code=code, callers=[caller], now=now)


def redeem(shop, code, who, key="r1", now=NOW):
    return flow.redeem_code(merchant=shop, code=code, member_id=who, key=key, callers=["t"], now=now, actor="t")


def use(shop, code, kind, yuan, key, now=NOW, **more):
    one = Ask(key, kind, amount=round(yuan * 100), **more)
    return flow.use_code(merchant=shop, code=code, one=one, callers=["t"], now=now, actor="t")


def refused(code, call, *args, **more):
    with pytest.raises(StoredRefused) as error:
        call(*args, **more)
    assert error.value.code == code
    assert error.value.say("zh") != error.value.say("en")


def sound(shop):
    assert queries.verify(shop).findings == []


def test_a_worker_makes_what_was_ordered_and_no_code_is_in_the_database(shop):
    ordered = flow.order_cards(merchant=shop, count=7, value=5_000, label="新年", now=NOW, actor="lan.owner")
    while running := jobs.claim(worker="w", now=clock.utc_now()):
        assert jobs.run(running) == "done"
    batch = books.batch(shop, ordered.batch.pk)
    told = list(stored.card_codes(batch))
    assert (batch.made, len(set(told)), batch.state) == (7, 7, "done")
    assert all(codes.unique_code(code) == code for code in told)
    row = GiftCard.objects.values().first()
    assert told[0] not in str(row)
    lines = "".join(flow.export_cards(merchant=shop, batch_id=batch.pk, now=NOW, actor="lan.owner")).splitlines()
    assert lines[1] == f"{batch.pk}/1,{codes.shown(told[0])},¥50.00"
    assert len(lines) == 8
    assert AuditLine.objects.filter(verb="giftcard.cards_exported", actor="lan.owner").exists()


def test_limits_of_the_charter(shop):
    refused("above_card_limit", made, shop, value=100_001)
    refused("price_above_value", made, shop, price=20_001)
    refused("too_many_cards", made, shop, count=0)
    refused("not_positive", made, shop, value=0)
    batch, _ = made(shop, value=100_000)
    assert batch.value_minor == 100_000


def test_worthless_until_sold_then_as_good_as_money(shop):
    batch, told = made(shop)
    refused("card_refused", look, shop, told[0])
    first = sell(shop, batch, 1, 2)
    assert [answer.figures["available"] for answer in first] == [20_000, 20_000]
    assert all(answer.replayed for answer in sell(shop, batch, 1, 2))
    refused("card_not_for_sale", sell, shop, batch, key="other")
    assert look(shop, told[0].lower().replace("-", " ")).balance.available == 20_000
    report = books.report(shop, NOW + timedelta(days=1))
    assert (report.money.of_cards, report.received_by, report.adds_up) == (40_000, {"cash": 40_000}, True)
    sound(shop)


def test_redeemed_into_a_members_stored_value_once(shop):
    ann = member(shop)
    batch, told = made(shop, price=18_000)
    sell(shop, batch)
    answer = redeem(shop, told[0], ann)
    assert answer.figures == {"amount": 20_000, "principal": 18_000, "bonus": 2_000, "available": 20_000}
    assert redeem(shop, told[0], ann).replayed
    refused("card_refused", redeem, shop, told[0], ann, "r2")
    sell(shop, batch, 2, 2, "sale2")
    with pytest.raises(KeyReused):
        redeem(shop, told[1], ann)
    assert books.balance(shop, ann, NOW).principal == 18_000
    assert GiftCard.objects.get(batch=batch, number=1).member_id == ann
    sound(shop)


def test_a_member_who_has_the_most_already_cannot_redeem(shop):
    ann = member(shop)
    batch, told = made(shop)
    sell(shop, batch)
    do(shop, ann, "top_up", 4900)
    refused("above_balance", redeem, shop, told[0], ann)
    assert look(shop, told[0]).balance.available == 20_000


def test_spent_by_whoever_has_the_code_and_given_back(shop):
    batch, told = made(shop)
    sell(shop, batch)
    assert use(shop, told[0], "spend", 150, "s1").figures["available"] == 5_000
    assert use(shop, told[0], "spend", 150, "s1").replayed
    assert use(shop, told[0], "spend", 51, "s2").code == "not_enough"
    assert use(shop, told[0], "return", 30, "b1", ref="s1").figures["available"] == 8_000
    assert use(shop, told[0], "return", 121, "b2", ref="s1").code == "more_than_spent"
    ann = member(shop)
    redeem(shop, told[0], ann)
    assert use(shop, told[0], "return", 20, "b3", ref="s1").done, "the card lives again"
    assert look(shop, told[0]).balance.available == 2_000
    sound(shop)


def test_a_card_that_ran_out_is_renewed_and_nothing_on_it_is_lost(lan):
    shop = lan.merchant
    open_stored(shop, cards={"months": 36})
    batch, told = made(shop)
    sell(shop, batch)
    end = GiftCard.objects.get(batch=batch, number=1).expires_at
    assert f"{end.astimezone(shop.tz):%Y-%m-%d}" == "2029-06-02"
    assert look(shop, told[0], now=end - timedelta(seconds=1)).balance.available == 20_000
    refused("card_refused", look, shop, told[0], now=end)
    refused("card_refused", use, shop, told[0], "spend", 1, "s", now=end)
    card = GiftCard.objects.get(batch=batch, number=1)
    refused("not_later", stored.renew_card, merchant=shop, card_id=card.pk, until=end, now=end, actor="t")
    stored.renew_card(merchant=shop, card_id=card.pk, until=end + timedelta(days=30), now=end, actor="t")
    assert use(shop, told[0], "spend", 200, "s", now=end).done
    sound(shop)


def test_void_cards_pay_nothing(shop):
    batch, told = made(shop)
    sell(shop, batch, 1, 2)
    use(shop, told[0], "spend", 50, "s1")
    one, two, three = (GiftCard.objects.get(batch=batch, number=n) for n in (1, 2, 3))

    def void(card, **more):
        told = {"reason": "stolen", "now": NOW, "actor": "t"} | more
        return stored.void_card(merchant=shop, card_id=card.pk, **told)

    refused("no_reason", void, one, reason=" ")
    assert void(one, paid_out=True) == 15_000
    assert void(two) == 20_000
    assert void(three) == void(one) == 0
    refused("card_refused", use, shop, told[0], "spend", 1, "s2")
    refused("card_not_active", use, shop, told[0], "return", 1, "b", ref="s1")
    moves = books.report(shop, NOW + timedelta(days=1)).money.moves
    assert (moves["received"], moves["paid_out"], moves["voided"], moves["sold"]) == (40_000, 15_000, 20_000, 5_000)
    sound(shop)


def test_whoever_guesses_waits(shop):
    batch, told = made(shop)
    sell(shop, batch)
    for n in range(10):
        refused("card_refused", look, shop, codes.code_of(n))
    refused("try_later", look, shop, told[0])
    assert look(shop, told[0], "somebody else").balance.available == 20_000
    assert look(shop, told[0], now=NOW + timedelta(minutes=16)).balance.available == 20_000


def test_cards_of_another_shop_are_unknown(shop, mingde):
    open_stored(mingde.merchant)
    batch, told = made(shop)
    sell(shop, batch)
    refused("card_refused", look, mingde.merchant, told[0])
    refused(
        "no_such_card",
        stored.sell_cards,
        merchant=mingde.merchant,
        cards=[GiftCard.objects.first().pk],
        key="k",
        now=NOW,
        actor="t",
    )
