"""Draws in the shop: terms that stand, tickets by points, orders, activities and by hand, and a file that holds."""

import json
from datetime import timedelta

import pytest

from shuke.engine import draws as engine
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import KeyReused, draws
from shuke.loyalty.actions.draws import REFUSALS, DrawRefused
from shuke.loyalty.models import Coupon, Draw, DrawTicket
from shuke.loyalty.queries import draws as shown
from shuke.members.models import TimelineLine
from tests.loyalty.books import CHARTER, START, member, order, publish, refund, take
from tests.loyalty.till import template

NOW = START + timedelta(days=20)
SIGN_IN = {
    "key": "sign_in", "name": {"zh": "签到", "en": "Sign-in"}, "kind": "activity", "activity": "check_in", "points": 1,
    "limits": {"per_day": 1},
}  # fmt: skip
TERMS = {
    "name": {"zh": "春日抽奖", "en": "Spring draw"},
    "opens_at": "2025-01-10T00:00:00Z",
    "closes_at": "2025-02-01T00:00:00Z",
    "prizes": [
        {"key": "cream", "name": {"zh": "面霜", "en": "Cream"}, "odds": "1/2", "stock": 3, "when_gone": "points", "worth_minor": 9900},
        {"key": "points", "name": {"zh": "20 积分", "en": "20 points"}, "odds": "1/4", "stock": None, "points": 20},
    ],
    "ways": {"points": 50, "order": {"min_minor": 10000, "after_days": 5}, "activity": "check_in", "given": True},
    "limits": {"per_member": 30, "per_day": 20},
}  # fmt: skip


@pytest.fixture
def shop(lan):
    publish(lan.merchant, {**CHARTER, "earning": [*CHARTER["earning"], SIGN_IN]})
    return lan


@pytest.fixture
def buyer(shop):
    who = member(shop.merchant)
    take(shop.merchant, who, order("a", 1, 900), now=NOW)  # 1,230 points
    return who


def begin(shop, code="spring", commit=True, **changes):
    draws.save_draw(merchant=shop.merchant, code=code, terms={**TERMS, **changes}, now=START, actor="lan.owner")
    if commit:
        draws.commit_draw(merchant=shop.merchant, code=code, now=START, actor="lan.owner")
    return shown.draw(shop.merchant, code)


def pull(shop, who, key, way="points", now=NOW, draw="spring", **more):
    return draws.draw_ticket(
        merchant=shop.merchant, draw=draw, member_id=who, key=key, way=way, now=now, actor="till", **more
    )


def end(shop, code="spring"):
    after = NOW + timedelta(days=30)
    draws.reveal_draw(merchant=shop.merchant, code=code, now=after, actor="lan.owner")
    return json.loads(json.dumps(shown.file(shown.draw(shop.merchant, code))))


def test_a_whole_draw_can_be_checked_by_anybody(shop, buyer):
    one = begin(shop)
    other = member(shop.merchant, 2)
    for n in range(15):
        assert pull(shop, buyer, f"k{n}", word=f"福{n}").done
        assert pull(shop, other, f"g{n}", "given").done
    receipts = {t.number: t.link for t in shown.tickets_of(shop.merchant, buyer)}
    running = engine.verify(json.loads(json.dumps(shown.file(shown.draw(shop.merchant, "spring")))), receipts)
    assert (running.holds, running.revealed) == (True, False)
    file = end(shop)
    told = engine.verify(file, receipts)
    assert (told.findings, told.tickets, told.won["cream"] <= 3) == ([], 30, True)
    assert one.commitment == file["commitment"]
    assert len({t["who"] for t in file["tickets"]}) == 2
    whole = json.dumps(file)
    assert str(buyer) not in whole
    assert "会员" not in whole
    file["tickets"][4]["won"] = "" if file["tickets"][4]["won"] else "cream"
    assert not engine.verify(file).holds


def test_points_pay_for_tickets_and_points_are_won(shop, buyer):
    begin(shop)
    before = queries.balance(shop.merchant, buyer, NOW).available
    told = [pull(shop, buyer, f"k{n}").ticket for n in range(10)]
    gained = sum(20 for t in told if t.won == "points")
    assert queries.balance(shop.merchant, buyer, NOW + timedelta(seconds=1)).available == before - 500 + gained
    assert {t.handed_at for t in told if t.won == "points"} == ({NOW} if gained else set())
    assert TimelineLine.objects.filter(member_id=buyer, kind="draw.ticket").count() == 10
    assert queries.verify(shop.merchant).findings == []


def test_the_same_key_draws_once(shop, buyer):
    begin(shop)
    first = pull(shop, buyer, "k", word="福")
    again = pull(shop, buyer, "k", word="福", now=NOW + timedelta(hours=1))
    assert (again.replayed, again.ticket) == (True, first.ticket)
    with pytest.raises(KeyReused):
        pull(shop, buyer, "k", word="禄")
    poor = member(shop.merchant, 2)
    assert pull(shop, poor, "p").code == "not_enough"
    actions.ask(merchant=shop.merchant, asks=[actions.Ask("a", "adjust", poor, 500)], now=NOW, actor="x")
    assert pull(shop, poor, "p").code == "not_enough"
    assert pull(shop, poor, "p2").done


def test_each_order_gives_one_ticket_once_its_return_window_is_over(shop):
    begin(shop)
    who = member(shop.merchant)
    take(shop.merchant, who, order("early", 8, 500), order("small", 11, 99), order("b", 11, 200), order("c", 16, 300),
         order("back", 12, 300), refund("r", "back", 13, 300), now=NOW)  # fmt: skip
    assert [
        e.rsplit(":", 1)[1] for e in shown.chances(shop.merchant, shown.draw(shop.merchant, "spring"), who, NOW).orders
    ] == ["b"]
    assert pull(shop, who, "o1", "order").ticket.source.endswith(":b")
    assert pull(shop, who, "o2", "order").code == "no_source"
    later = NOW + timedelta(days=2)
    assert pull(shop, who, "o3", "order", now=later).ticket.source.endswith(":c")
    assert pull(shop, who, "o4", "order", now=later, source="order:taobao:兰记护肤:c").code == "no_source"


def test_each_activity_gives_one_ticket(shop):
    begin(shop)
    who = member(shop.merchant)
    for n in (1, 2):
        told = actions.ask(
            merchant=shop.merchant, asks=[actions.Ask(f"in{n}", "activity", who, ref="check_in")],
            now=NOW + timedelta(days=n), actor="x",
        )  # fmt: skip
        assert told[0].done
    later = NOW + timedelta(days=3)
    assert [pull(shop, who, f"t{n}", "activity", now=later).code for n in range(3)] == ["", "", "no_source"]


def test_limits_per_day_are_the_shops_days(shop, buyer):
    begin(shop, limits={"per_day": 2, "per_member": 3})
    evening = NOW.replace(hour=15, minute=59)  # 23:59 in Shanghai
    assert [pull(shop, buyer, f"k{n}", now=evening).code for n in range(3)] == ["", "", "limit"]
    assert [pull(shop, buyer, f"n{n}", now=evening + timedelta(minutes=1)).code for n in range(2)] == ["", "limit"]


def test_every_refusal_costs_nothing_and_has_a_sentence(shop, buyer):
    begin(shop, ways={"points": 50})
    begin(shop, "draft", commit=False)
    begin(shop, "halted")
    draws.stop_draw(merchant=shop.merchant, code="halted", now=NOW, actor="x")
    frozen = member(shop.merchant, 2, frozen_at=NOW)
    before = queries.balance(shop.merchant, buyer, NOW).available
    told = {
        "no_such_draw": pull(shop, buyer, "1", draw="draft"),
        "stopped": pull(shop, buyer, "2", draw="halted"),
        "not_open": pull(shop, buyer, "3", now=START + timedelta(days=40)),
        "no_such_way": pull(shop, buyer, "4", "order"),
        "word": pull(shop, buyer, "5", word="13800001234"),
        "frozen": pull(shop, frozen, "6"),
    }
    for code, answer in told.items():
        assert (answer.done, answer.code) == (False, code)
        assert answer.say("en") != answer.say("zh") != ""
        assert code in REFUSALS
    again = pull(shop, buyer, "3", now=START + timedelta(days=41))
    assert (again.replayed, again.say("en")) == (True, told["not_open"].say("en"))
    assert queries.balance(shop.merchant, buyer, NOW).available == before
    assert DrawTicket.objects.filter(number__isnull=False).count() == 0


def test_what_was_promised_cannot_be_changed_and_the_secret_stays_in(shop, buyer):
    one = begin(shop)
    with pytest.raises(DrawRefused, match="no longer change"):
        begin(shop, commit=False)
    with pytest.raises(DrawRefused, match="published"):
        draws.commit_draw(merchant=shop.merchant, code="spring", now=NOW, actor="x")
    with pytest.raises(DrawRefused, match="before that"):
        draws.reveal_draw(merchant=shop.merchant, code="spring", now=NOW, actor="x")
    pull(shop, buyer, "k")
    assert shown.file(shown.draw(shop.merchant, "spring"))["seed"] == ""
    file = end(shop)
    assert file["seed"] not in bytes(one.secret).hex()
    assert pull(shop, buyer, "late", now=NOW + timedelta(days=40)).code == "not_open"


def test_a_clock_set_back_does_not_turn_the_list_round(shop, buyer):
    begin(shop)
    pull(shop, buyer, "k1")
    pull(shop, buyer, "k2", now=NOW - timedelta(hours=1))
    assert engine.verify(end(shop)).findings == []


def test_prizes_are_handed_over_once(shop, buyer):
    begin(shop, prizes=[{"key": "cream", "name": {"zh": "面霜", "en": "Cream"}, "odds": "1"}])
    ticket = pull(shop, buyer, "k").ticket
    assert [t.pk for t in shown.prizes_waiting(shop.merchant, buyer)] == [ticket.pk]
    assert draws.hand_over_prize(
        merchant=shop.merchant, ticket_id=ticket.pk, now=NOW, actor="x", store=shop.street
    ).done
    assert draws.hand_over_prize(merchant=shop.merchant, ticket_id=ticket.pk, now=NOW, actor="x").code == "no_prize"
    assert not shown.prizes_waiting(shop.merchant).exists()


def test_a_public_name_opens_only_what_was_committed(shop, mingde):
    draft = begin(shop, "draft", commit=False)
    one = begin(shop)
    assert shown.by_public_name(shown.public_name(one)) == one
    assert shown.by_public_name(shown.public_name(draft)) is None
    assert shown.by_public_name(f"{mingde.merchant.pk:x}-{one.public}") is None
    for rubbish in ("", "x-y", "-", "ffffffffffffffffffff-1"):
        assert shown.by_public_name(rubbish) is None


def test_a_dump_of_the_database_does_not_tell_the_seed(shop):
    one = begin(shop)
    opened = draws._open(one)[0]
    assert opened.hex() not in bytes(one.secret).hex()
    assert Draw.objects.filter(seed="").count() == 1


def test_a_thing_that_is_won_with_points_or_a_coupon_waits_at_the_counter(shop, buyer):
    """Cream and 20 points: the points are there at once, the cream is handed over, once, by whom and where is written."""
    begin(shop, prizes=[{"key": "both", "name": {"zh": "面霜和积分", "en": "Cream and points"}, "odds": "1", "points": 20, "worth_minor": 9900}])  # fmt: skip
    before = queries.balance(shop.merchant, buyer, NOW).available
    ticket = pull(shop, buyer, "k").ticket
    assert queries.balance(shop.merchant, buyer, NOW + timedelta(seconds=1)).available == before - 50 + 20
    assert ticket.handed_at is None
    assert [t.pk for t in shown.prizes_waiting(shop.merchant, buyer)] == [ticket.pk]
    later = NOW + timedelta(days=2)
    same = {"merchant": shop.merchant, "ticket_id": ticket.pk, "store": shop.street}
    assert draws.hand_over_prize(**same, now=later, actor="lan.assistant").done
    assert draws.hand_over_prize(**same, now=later, actor="lan.manager").code == "no_prize"  # not twice, at two tills
    ticket.refresh_from_db()
    assert (ticket.handed_at, ticket.handed_by, ticket.store) == (later, "lan.assistant", shop.street)
    line = TimelineLine.objects.get(member_id=buyer, kind="draw.handed")
    assert (line.body["by"], line.body["cost_minor"]) == ("lan.assistant", 9900)
    assert queries.verify(shop.merchant).findings == []


def test_a_prize_of_points_and_a_coupon_gives_both(lan):
    publish(lan.merchant)
    template(lan.merchant, "tea")
    who = member(lan.merchant)
    begin(lan, ways={"given": True}, prizes=[{"key": "both", "name": {"zh": "都有", "en": "Both"}, "odds": "1", "points": 20, "coupon": "tea"}])  # fmt: skip
    ticket = pull(lan, who, "k", "given").ticket
    assert queries.balance(lan.merchant, who, NOW + timedelta(seconds=1)).available == 20
    assert Coupon.objects.filter(member_id=who).count() == 1
    assert (ticket.handed_at, ticket.handed_by) == (NOW, "draw")
