"""Money paid in advance: topped up with bonus, spent, held, given back, paid out, corrected; and it all adds up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from shuke.flows import merge_members
from shuke.kit import bulk
from shuke.loyalty import queries
from shuke.loyalty.actions import sealing, stored
from shuke.loyalty.actions.stored import Ask, KeyReused, StoredRefused
from shuke.loyalty.models import StoredHold, StoredLot, StoredPurse, StoredTxn
from shuke.loyalty.queries import stored as books
from shuke.members.actions.merging import MergeRefused
from shuke.members.models import Member, TimelineLine
from tests.loyalty.books import NOW, member, publish
from tests.loyalty.stored import do, open_stored


@pytest.fixture
def shop(lan):
    open_stored(lan.merchant)
    return lan.merchant


@pytest.fixture
def ann(shop):
    return member(shop)


def sound(merchant):
    assert queries.verify(merchant).findings == []


def has(merchant, who, now=NOW):
    told = books.balance(merchant, who, now)
    return told.principal / 100, told.bonus / 100, told.available / 100


def test_without_a_word_in_the_charter_there_is_no_stored_value(lan):
    publish(lan.merchant)
    ann = member(lan.merchant)
    for kind in ("top_up", "spend", "hold", "capture", "release", "return", "withdraw", "adjust"):
        with pytest.raises(StoredRefused) as refused:
            do(lan.merchant, ann, kind, 10)
        assert refused.value.code == "stored_value_off"
    with pytest.raises(StoredRefused, match="no stored value"):
        stored.begin_cards(merchant=lan.merchant, count=1, value=100, now=NOW, actor="t")
    assert not StoredPurse.objects.exists()
    assert not books.is_shown(lan.merchant, NOW)


def test_a_charter_that_drops_it_keeps_nobodys_money(shop, ann):
    do(shop, ann, "top_up", 100)
    paid = do(shop, ann, "spend", 40)
    from shuke.engine.charter import document
    from shuke.loyalty import actions
    from tests.loyalty.books import CHARTER

    later = NOW + timedelta(days=1)
    actions.publish_charter(
        merchant=shop, charter=document.from_plain(CHARTER), effective_from=later, now=NOW, actor="test"
    )
    after = later + timedelta(hours=1)
    with pytest.raises(StoredRefused):
        do(shop, ann, "spend", 1, now=after)
    assert do(shop, ann, "return", 40, ref=paid.key, now=after).done
    assert do(shop, ann, "withdraw", 100, now=after).done
    assert has(shop, ann, after) == (0, 0, 0)
    assert books.is_shown(shop, after)
    sound(shop)


def test_top_up_brings_the_bonus_of_the_highest_step(shop, ann):
    assert do(shop, ann, "top_up", 499.99).figures["bonus"] == 0
    assert do(shop, ann, "top_up", 500).figures == {
        "amount": 50_000,
        "principal": 50_000,
        "bonus": 3000,
        "available": 102_999,
    }
    assert do(shop, ann, "top_up", 1000, paid_by="wechat").figures["bonus"] == 10_000
    told = books.balance(shop, ann, NOW)
    assert [n for _, n in told.next_expiry] == [13_000]
    assert f"{told.next_expiry[0][0].astimezone(shop.tz):%Y-%m-%d %H:%M}" == "2027-06-02 00:00"
    sound(shop)


def test_what_the_charter_limits_is_refused_with_figures(lan):
    shop = lan.merchant
    open_stored(shop, least=50, most_balance=2000, ladder=[])
    ann = member(shop)
    assert do(shop, ann, "top_up", 49).code == "below_least"
    do(shop, ann, "top_up", 1500)
    answer = do(shop, ann, "top_up", 501)
    assert (answer.code, answer.figures["room"]) == ("above_balance", 50_000)
    assert "¥500.00" in stored.why_refused(Ask("k", "top_up", ann, 50_100), answer, "CNY")
    assert "最多还能充 ¥500.00" in stored.why_refused(Ask("k", "top_up", ann, 50_100), answer, "CNY", "zh")
    assert do(shop, ann, "top_up", 500).done
    assert do(shop, ann, "spend", 2000.01).code == "not_enough"
    assert do(shop, ann, "withdraw", 2000.01).code == "not_enough_money"
    assert do(shop, ann, "spend", 0).code == do(shop, ann, "spend", -1).code == "not_positive"
    assert {
        stored.why_refused(Ask("k", "spend", ann), do(shop, ann, "capture", 1, ref="x"), "CNY", lang)
        for lang in ("en", "zh")
    }
    sound(shop)


def test_the_same_key_gives_the_same_answer_for_ever_and_another_request_is_an_error(shop, ann):
    first = do(shop, ann, "top_up", 1000, "till-1")
    again = do(shop, ann, "top_up", 1000, "till-1")
    assert again == first._replace(replayed=True)
    with pytest.raises(KeyReused):
        do(shop, ann, "top_up", 1001, "till-1")
    with pytest.raises(KeyReused):
        do(shop, member(shop, 2), "top_up", 1000, "till-1")
    poor = do(shop, ann, "spend", 5000, "till-2")
    assert poor.code == "not_enough"
    do(shop, ann, "top_up", 4000, "till-3")
    assert do(shop, ann, "spend", 5000, "till-2") == poor._replace(replayed=True), "a refusal is remembered"
    assert has(shop, ann) == (5000, 200, 5200)
    sound(shop)


def test_goods_that_come_back_go_to_what_they_were_paid_from(lan):
    shop = lan.merchant
    open_stored(shop, order="proportion")
    ann = member(shop)
    do(shop, ann, "top_up", 1000)
    paid = do(shop, ann, "spend", 333.33)
    assert (paid.figures["principal"], paid.figures["bonus"]) == (30_303, 3030)
    for part, money in ((111.11, 10_101), (0.01, 1), (222.21, 20_201)):
        told = do(shop, ann, "return", part, ref=paid.key).figures
        assert told["principal"] == money
    assert do(shop, ann, "return", 0.01, ref=paid.key).code == "more_than_spent"
    assert do(shop, ann, "return", 1, ref="who?").code == "no_such_spend"
    assert has(shop, ann) == (1000, 100, 1100)
    sound(shop)


def test_a_hold_is_captured_released_or_times_out_once(shop, ann):
    do(shop, ann, "top_up", 1000)
    do(shop, ann, "hold", 600, "h1", minutes=10)
    assert has(shop, ann) == (1000, 100, 500)
    assert do(shop, ann, "spend", 501).code == "not_enough"
    assert do(shop, ann, "capture", 601, ref="h1").code == "more_than_held"
    assert do(shop, ann, "capture", 400, ref="h1").done
    assert has(shop, ann) == (600, 100, 700)
    assert do(shop, ann, "capture", 1, ref="h1").code == do(shop, ann, "release", ref="h1").code == "no_such_hold"
    do(shop, ann, "hold", 700, "h2", minutes=10)
    assert do(shop, ann, "release", ref="h2").done
    do(shop, ann, "hold", 700, "h3", minutes=10)
    later = NOW + timedelta(minutes=10)
    assert has(shop, ann, later) == (600, 100, 700), "by dates alone, before the clock ran"
    assert stored.run_stored_clock(merchant=shop, now=later) == 1
    assert stored.run_stored_clock(merchant=shop, now=later) == 0
    assert sorted(StoredHold.objects.values_list("key", "state")) == [
        ("h1", "captured"), ("h2", "released"), ("h3", "timed_out"),
    ]  # fmt: skip
    assert do(shop, ann, "capture", 1, ref="h3", now=later).code == "no_such_hold"
    sound(shop)


def test_bonus_lapses_and_money_never_does(shop, ann):
    do(shop, ann, "top_up", 1000)
    end = books.balance(shop, ann, NOW).next_expiry[0][0]
    assert has(shop, ann, end - timedelta(seconds=1)) == (1000, 100, 1100)
    assert has(shop, ann, end) == (1000, 0, 1000)
    stored.run_stored_clock(merchant=shop, now=end)
    assert has(shop, ann, end + timedelta(days=9999)) == (1000, 0, 1000)
    told = books.report(shop, end + timedelta(seconds=1))
    assert (told.bonus.moves["lapsed"], told.bonus.closing, told.money.closing) == (10_000, 0, 100_000)
    assert told.adds_up
    sound(shop)


def test_money_is_paid_back_and_the_bonus_given_up_in_proportion(shop, ann):
    do(shop, ann, "top_up", 1000)
    do(shop, ann, "spend", 250)
    told = do(shop, ann, "withdraw", 250, paid_by="cash").figures
    assert (told["principal"], told["forfeited"]) == (25_000, 3333)
    assert do(shop, ann, "withdraw", 500).figures["forfeited"] == 6667
    assert has(shop, ann) == (0, 0, 0)
    sound(shop)


def test_a_shop_may_not_pay_back(lan):
    open_stored(lan.merchant, refund={"allowed": "false"})
    ann = member(lan.merchant)
    do(lan.merchant, ann, "top_up", 10)
    assert do(lan.merchant, ann, "withdraw", 1).code == "no_refunds"


def test_a_frozen_member_pays_in_and_gets_goods_back_but_nothing_goes_out(shop, ann):
    paid = None
    do(shop, ann, "top_up", 100)
    paid = do(shop, ann, "spend", 10)
    Member.objects.filter(pk=ann).update(frozen_at=NOW)
    assert {do(shop, ann, kind, 1).code for kind in ("spend", "hold", "withdraw")} == {"frozen"}
    assert do(shop, ann, "return", 10, ref=paid.key).done


def test_a_large_correction_waits_for_a_second_person(shop, ann):
    def correct(yuan, key, account="principal", **more):
        told = {"reason": "miscounted", "now": NOW, "actor": "lan.assistant"} | more
        return stored.correct(merchant=shop, key=key, member_id=ann, amount=yuan * 100, account=account, **told)

    def decide(one, agree=True, actor="lan.manager", reason=""):
        return stored.decide_correction(
            merchant=shop, correction_id=one.pk, agree=agree, now=NOW, actor=actor, reason=reason
        )

    assert correct(50, "c1").done
    waiting = correct(51, "c2", "bonus")
    assert (waiting.state, correct(51, "c2", "bonus").pk) == ("waiting", waiting.pk)
    assert has(shop, ann) == (50, 0, 50)
    with pytest.raises(KeyReused):
        correct(52, "c2", "bonus")
    with pytest.raises(StoredRefused) as refused:
        decide(waiting, actor="lan.assistant")
    assert refused.value.code == "same_person"
    assert decide(waiting)[0].state == "done"
    with pytest.raises(StoredRefused):
        decide(waiting)
    assert has(shop, ann) == (50, 51, 101)
    assert decide(correct(-51, "c3"))[0].state == "refused", "there is no more than 50"
    with pytest.raises(StoredRefused) as refused:
        decide(correct(-99, "c4"), agree=False, reason=" ")
    assert refused.value.code == "why_declined"
    declined = decide(correct(-99, "c4"), agree=False, reason="no receipt")[0]
    assert (declined.state, declined.decided_because) == ("declined", "no receipt")
    assert decide(correct(-99, "c6"), agree=False, actor="lan.assistant")[0].state == "withdrawn"
    with pytest.raises(StoredRefused) as refused:
        correct(1, "c5", reason=" ")
    assert refused.value.code == "no_reason"
    assert books.corrections_waiting(shop) == 0
    sound(shop)


def test_the_statement_tells_every_change_with_both_balances(shop, ann):
    do(shop, ann, "top_up", 1000, paid_by="cash")
    paid = do(shop, ann, "spend", 1050, now=NOW + timedelta(days=1))
    do(shop, ann, "return", 105, ref=paid.key, now=NOW + timedelta(days=2))
    lines = books.statement(shop, ann)
    assert [(x.kind, x.principal, x.bonus, x.principal_after, x.bonus_after) for x in lines] == [
        ("return", 10_000, 500, 10_000, 5500),
        ("spend", -100_000, -5000, 0, 5000),
        ("top_up", 100_000, 10_000, 100_000, 10_000),
    ]
    assert books.statement(shop, ann, first=NOW + timedelta(days=1), end=NOW + timedelta(days=2))[0].kind == "spend"
    told = books.report(shop, NOW + timedelta(days=9), first=NOW + timedelta(days=1))
    assert (told.money.opening, told.money.moves["sold"], told.money.closing) == (100_000, 90_000, 10_000)
    assert (told.money.moves["received"], told.adds_up) == (0, True)
    assert books.report(shop, NOW + timedelta(days=9)).received_by == {"cash": 100_000}


def test_every_change_is_a_line_on_the_timeline(lan):
    open_stored(lan.merchant, ladder=[{"at_least": 100, "bonus": 10}], bonus_months=1, order="bonus_first")
    shop, ann = lan.merchant, member(lan.merchant)
    do(shop, ann, "top_up", 100)
    paid = do(shop, ann, "spend", 15)
    do(shop, ann, "spend", 900)  # refused: nothing happened
    held = do(shop, ann, "hold", 20)
    do(shop, ann, "release", ref=held.key)
    do(shop, ann, "return", 12, ref=paid.key)
    do(shop, ann, "withdraw", 5)
    do(shop, ann, "adjust", 2, account="bonus", reason="sorry")
    batch = stored.begin_cards(merchant=shop, count=1, value=3_000, now=NOW, actor="t")
    stored.make_cards(batch_id=batch.pk)
    [card] = books.cards_of_batch(shop, batch.pk, 1, 1)
    stored.sell_cards(merchant=shop, cards=[card.pk], key="sale", now=NOW, actor="t")
    stored.redeem_card(merchant=shop, card_id=card.pk, member_id=ann, key="r", now=NOW, actor="t")
    stored.run_stored_clock(merchant=shop, now=NOW + timedelta(days=40))
    lines = TimelineLine.objects.filter(member_id=ann).order_by("id")
    told = [(line.kind, line.body.get("principal_minor", 0), line.body.get("bonus_minor", 0)) for line in lines]
    balance = books.balance(shop, ann, NOW + timedelta(days=40))
    assert [kind for kind, _, _ in told] == [
        "stored.top_up", "stored.spent", "stored.returned", "stored.paid_out", "stored.adjusted", "stored.redeemed",
        "stored.lapsed",
    ]  # fmt: skip
    assert told[0] == ("stored.top_up", 10_000, 1_000)
    assert told[1] == ("stored.spent", -500, -1_000)
    assert told[5] == ("stored.redeemed", 3_000, 0)
    assert sum(principal for _, principal, _ in told) == balance.principal
    assert sum(bonus for _, _, bonus in told) == balance.bonus


def test_two_members_that_are_merged_spend_from_both_and_part_again(shop, ann):
    bob = member(shop, 2)
    do(shop, ann, "top_up", 100)
    paid_by_bob = do(shop, bob, "top_up", 50)
    spent = do(shop, bob, "spend", 20)
    done = merge_members.merge(merchant=shop, survivor_id=ann, absorbed_id=bob, reason="one", now=NOW, actor="t")
    assert has(shop, ann) == has(shop, bob) == (130, 0, 130)
    assert do(shop, bob, "top_up", 50, paid_by_bob.key).replayed
    assert do(shop, ann, "return", 20, ref=spent.key).done
    assert do(shop, ann, "spend", 140, "both").done
    sound(shop)
    merge_members.unmerge(merchant=shop, merge_id=done.merge.pk, reason="two", now=NOW, actor="t")
    assert has(shop, ann)[0] + has(shop, bob)[0] == 10
    sound(shop)


def test_what_was_paid_together_comes_back_to_each_after_they_are_parted(shop, ann):
    bob = member(shop, 2)
    do(shop, ann, "top_up", 100)
    do(shop, bob, "top_up", 50)
    done = merge_members.merge(merchant=shop, survivor_id=ann, absorbed_id=bob, reason="one", now=NOW, actor="t")
    assert do(shop, ann, "hold", 140, "basket").done
    with pytest.raises(MergeRefused) as refused:
        merge_members.unmerge(merchant=shop, merge_id=done.merge.pk, reason="two", now=NOW, actor="t")
    assert refused.value.code == "money_held"
    later = NOW + timedelta(hours=1)
    assert stored.run_stored_clock(merchant=shop, now=later) == 1  # the hold set money of both aside, and timed out
    assert do(shop, ann, "spend", 140, "both", now=later).done
    merge_members.unmerge(merchant=shop, merge_id=done.merge.pk, reason="two", now=later, actor="t")
    told = do(shop, ann, "return", 140, ref="both", now=later)
    assert (told.done, told.figures["available"]) == (True, 10_000)
    assert has(shop, ann, later)[0] == 100
    assert has(shop, bob, later)[0] == 50
    sound(shop)


def test_a_sale_in_the_moment_of_a_merge_is_folded_as_it_was_read(shop, ann, monkeypatch):
    """A till that asked who is who just before the merge was written draws on its own purse; its posting is numbered later."""
    bob = member(shop, 2)
    do(shop, bob, "top_up", 50, now=NOW - timedelta(days=1))  # older money: one who reads both spends it first
    do(shop, ann, "top_up", 100)
    done = merge_members.merge(merchant=shop, survivor_id=ann, absorbed_id=bob, reason="one", now=NOW, actor="t")
    with monkeypatch.context() as before:
        before.setattr("shuke.loyalty.actions.stored.ledger.absorbed_by", lambda merchant, members: {})
        assert do(shop, ann, "spend", 20).done
    assert do(shop, ann, "spend", 30).done
    assert (has(shop, ann)[0], has(shop, bob)[0]) == (100, 100)
    sound(shop)
    with monkeypatch.context() as before:
        before.setattr("shuke.loyalty.actions.stored.ledger.absorbed_by", lambda merchant, members: {})
        assert do(shop, ann, "hold", 20, "basket").done
        assert do(shop, ann, "capture", 20, ref="basket").done
    sound(shop)
    merge_members.unmerge(merchant=shop, merge_id=done.merge.pk, reason="two", now=NOW, actor="t")
    assert (has(shop, ann)[0], has(shop, bob)[0]) == (60, 20)
    sound(shop)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE loyalty_stored_leg SET account = 'bonus' WHERE account = 'principal' AND amount = 5000",
        "UPDATE loyalty_stored_use SET amount = amount + 1 WHERE kind = 'spend'",
        "UPDATE loyalty_stored_lot SET remaining = remaining - 1 WHERE remaining > 0",
    ],
)
def test_money_of_merged_members_is_folded_anew_too(shop, ann, statement):
    bob = member(shop, 2)
    do(shop, ann, "top_up", 100)
    merge_members.merge(merchant=shop, survivor_id=ann, absorbed_id=bob, reason="one", now=NOW, actor="t")
    do(shop, bob, "top_up", 50)
    do(shop, ann, "spend", 120)
    sound(shop)
    tamper(statement)
    assert "S13" in {found.invariant for found in queries.verify(shop).findings}


def test_the_database_itself_refuses_to_change_a_posting(shop, ann):
    do(shop, ann, "top_up", 100)
    do(shop, ann, "spend", 1)
    for statement in (
        "UPDATE loyalty_stored_leg SET amount = amount + 1",
        "DELETE FROM loyalty_stored_leg",
        "DELETE FROM loyalty_stored_txn",
        "UPDATE loyalty_stored_txn SET kind = 'spend', seal = 1",
        "UPDATE loyalty_stored_txn SET answer = '{}', seal = 1",
        "UPDATE loyalty_stored_use SET amount = 1",
        "UPDATE loyalty_stored_lot SET expires_at = at",
        "UPDATE loyalty_stored_purse SET principal_minor = -1",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert sealing.seal_stored(merchant=shop, now=NOW) == 2
    do(shop, ann, "spend", 5)
    assert sealing.seal_stored(merchant=shop, now=NOW) == 1
    assert sealing.seal_stored(merchant=shop, now=NOW) == 0
    sound(shop)


@pytest.mark.parametrize(
    ("statement", "finds"),
    [
        ("UPDATE loyalty_stored_purse SET principal_minor = principal_minor + 1", {"S2", "S6"}),
        ("UPDATE loyalty_stored_lot SET remaining = remaining - 1 WHERE kind = 'principal'", {"S5", "S6", "S13"}),
        ("UPDATE loyalty_stored_hold SET state = 'released'", {"S7", "S13"}),
        ("UPDATE loyalty_stored_seal SET digest = previous", {"S12"}),
        ("UPDATE loyalty_stored_leg SET amount = amount + 1 WHERE account = 'sold'", {"S1", "S3", "S12", "S13"}),
        ("UPDATE loyalty_stored_leg SET account = 'granted' WHERE account = 'received'", {"S3", "S12", "S13"}),
        ("UPDATE loyalty_stored_txn SET request = '{}' WHERE kind = 'top_up'", {"S12", "S13"}),
        ("UPDATE loyalty_stored_use SET amount = amount - 1 WHERE kind = 'back'", {"S5", "S9", "S12", "S13"}),
        ("UPDATE loyalty_stored_leg SET seq = seq + 7 WHERE seq = 2", {"S8", "S12"}),
    ],
)
def test_whatever_is_changed_behind_the_books_back_is_found(shop, ann, statement, finds):
    do(shop, ann, "top_up", 1000)
    paid = do(shop, ann, "spend", 10)
    do(shop, ann, "return", 10, ref=paid.key)
    do(shop, ann, "hold", 5)
    sealing.seal_stored(merchant=shop, now=NOW)
    sound(shop)
    tamper(statement)
    assert {f.invariant for f in queries.verify(shop).findings} - {"S11"} == finds


def tamper(*statements):
    """Change what is booked as a thief would, the triggers taken away."""
    with connection.cursor() as cursor:
        if bulk.is_postgres():
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in ("txn", "leg", "use", "seal"):
                cursor.execute(f"ALTER TABLE loyalty_stored_{table} DISABLE TRIGGER USER")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'loyalty_stored%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            cursor.execute(statement)


def test_more_bonus_than_the_charter_gives_is_found_though_every_sum_agrees(shop, ann):
    """Somebody who knows the tables adds 7.00 of bonus everywhere it counts. Only folding anew sees it."""
    do(shop, ann, "top_up", 1000)
    sound(shop)
    tamper(
        "UPDATE loyalty_stored_leg SET amount = amount - 700 WHERE account = 'granted'",
        "UPDATE loyalty_stored_leg SET amount = amount + 700, balance_after = balance_after + 700 WHERE account = 'bonus'",
        "UPDATE loyalty_stored_lot SET granted = granted + 700, remaining = remaining + 700 WHERE kind = 'bonus'",
        "UPDATE loyalty_stored_purse SET bonus_minor = bonus_minor + 700",
    )
    assert {f.invariant for f in queries.verify(shop).findings} - {"S11"} == {"S13"}


def test_what_the_clock_did_and_cards_are_folded_anew_too(lan):
    """Bonus that lapsed, a hold that timed out, a correction, a card redeemed and one void: nothing of it is a finding."""
    open_stored(lan.merchant, ladder=[{"at_least": 100, "bonus": 10}], bonus_months=1, order="bonus_first")
    shop, ann = lan.merchant, member(lan.merchant)
    do(shop, ann, "top_up", 100)
    do(shop, ann, "hold", 105, minutes=30)
    later = NOW + timedelta(days=40)
    stored.run_stored_clock(merchant=shop, now=later)
    sound(shop)
    do(shop, ann, "adjust", 5, now=later, account="bonus", reason="sorry")
    do(shop, ann, "adjust", -3, now=later, account="principal", reason="wrong")
    paid = do(shop, ann, "spend", 60, now=later)
    do(shop, ann, "return", 20, now=later, ref=paid.key)
    do(shop, ann, "withdraw", 30, now=later)
    batch = stored.begin_cards(merchant=shop, count=2, value=5_000, price=4_500, now=later, actor="t")
    stored.make_cards(batch_id=batch.pk)
    one, two = (card.pk for card in books.cards_of_batch(shop, batch.pk, 1, 2))
    stored.sell_cards(merchant=shop, cards=[one, two], key="sale", now=later, actor="t")
    do(shop, None, "spend", 10, now=later, card_id=one)
    stored.redeem_card(merchant=shop, card_id=one, member_id=ann, key="r", now=later, actor="t")
    stored.void_card(merchant=shop, card_id=two, reason="lost", now=later, actor="t")
    sound(shop)
    assert len(has(shop, ann, later)) == 3


def test_a_missing_trigger_is_found(shop):
    name = "loyalty_stored_leg_append_only" if bulk.is_postgres() else "loyalty_stored_leg_no_update"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}" + (" ON loyalty_stored_leg" if bulk.is_postgres() else ""))
    assert [f.row for f in queries.verify(shop).findings if f.invariant == "S11"] == [name]


def test_books_of_another_shop_are_another_matter(shop, ann, mingde):
    do(shop, ann, "top_up", 100)
    open_stored(mingde.merchant)
    assert books.report(mingde.merchant, NOW + timedelta(days=1)).money.closing == 0
    assert StoredLot.objects.filter(merchant=mingde.merchant).count() == 0
    assert StoredTxn.objects.count() == 1
    sound(mingde.merchant)
