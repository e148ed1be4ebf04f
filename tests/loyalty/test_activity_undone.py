"""An activity tapped for the wrong member is taken back: the books are as if it had never been, and say why."""

import json
import random
from datetime import timedelta

import pytest

from shuke.flows.merge_members import merge
from shuke.loyalty import queries
from shuke.loyalty.actions import Ask, ask, take_back_activity
from shuke.loyalty.models import Txn, Wallet
from shuke.loyalty.queries import activities
from shuke.loyalty.queries.budgets import budgets
from shuke.loyalty.queries.member import explain
from shuke.loyalty.queries.statements import member_statement
from shuke.members.models import TimelineLine
from tests.loyalty.books import NOW, START, member, order, publish, take
from tests.loyalty.test_rich_charter import RICH

pytestmark = pytest.mark.django_db
BUDGET = {
    **RICH,
    "earning": [r | {"budget": {"points": 12, "refunds_return": True}} if r["key"] == "sign" else r for r in RICH["earning"]],
}  # fmt: skip


def did(merchant, buyer, key, day, what="check_in", by="yu"):
    one = Ask(key, "activity", buyer, ref=what)
    [answer] = ask(merchant=merchant, asks=[one], now=START + timedelta(days=day), actor=by)
    assert answer.done
    return answer.figures["amount"]


def undo(merchant, buyer, of, day, key="", by="yu", late=False):
    return take_back_activity(
        merchant=merchant, key=key or f"undo:{of}", member_id=buyer, activity=of,
        now=START + timedelta(days=day), actor=by, late=late,
    )  # fmt: skip


def spend(merchant, buyer, key, day, points):
    [answer] = ask(
        merchant=merchant, asks=[Ask(key, "burn", buyer, points)], now=START + timedelta(days=day), actor="x"
    )
    return answer.done


def standing(merchant, buyer):
    """All that the books hold of a member, but which posting it came from."""
    wallet = Wallet.objects.get(merchant=merchant, member_id=buyer)
    lots = sorted(
        (x.granted, x.remaining, x.earned_at, x.expires_at) for x in wallet.member.lot_set.filter(granted__gt=0)
    )
    told = json.loads(
        json.dumps(wallet.standing).replace(f"-{buyer}", "")
    )  # names of orders and keys end with whose they are
    return wallet.balance, wallet.debt, wallet.growth, wallet.tier, lots, told


def test_taken_back_on_the_same_day_by_who_told_it(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 399, 100))
    before = standing(lan.merchant, buyer)
    assert did(lan.merchant, buyer, "k1", 400.1) == 2
    answer = undo(lan.merchant, buyer, "k1", 400.2)
    assert (answer.done, answer.figures, answer.replayed) == (True, {"amount": 2, "growth": 0}, False)
    assert standing(lan.merchant, buyer) == before
    assert undo(lan.merchant, buyer, "k1", 400.3).replayed
    again = undo(lan.merchant, buyer, "k1", 400.3, key="another")
    assert (again.done, again.code) == (False, "undone_before")
    assert queries.verify(lan.merchant).findings == []
    # The day's one check-in is free again.
    assert did(lan.merchant, buyer, "k2", 400.4) == 2


def test_the_statement_and_the_timeline_say_so(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    did(lan.merchant, buyer, "k1", 400.1)
    undo(lan.merchant, buyer, "k1", 400.2)
    last, first, *_ = explain(lan.merchant, buyer)
    assert [(x.kind, x.amount) for x in (first, last)] == [("activity", 2), ("correct", -2)]
    assert last.why == [{"rule": "taken_back"}]
    told = member_statement(lan.merchant, buyer, START, START + timedelta(days=500))
    assert [(x.kind, x.amount, x.was, x.why) for x in told.lines][-1] == ("cancelled", 0, 2, [{"rule": "taken_back"}])
    assert told.closing == 0
    line = TimelineLine.objects.get(member_id=buyer, kind="activity.undone")
    assert (line.body["points"], line.body["by"], line.body["noted_by"]) == (2, "yu", "yu")


def test_somebody_else_or_another_day_needs_who_may_at_any_time(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    did(lan.merchant, buyer, "k1", 400.1)
    assert undo(lan.merchant, buyer, "k1", 400.2, by="lin").code == "not_yours_to_undo"
    assert undo(lan.merchant, buyer, "k1", 401.2).code == "not_yours_to_undo"
    assert not Txn.objects.filter(key="undo:k1").exists()
    assert undo(lan.merchant, buyer, "k1", 401.3, by="lan.owner", late=True).done
    # Sent again by whoever, the next day: what was answered stays answered.
    assert undo(lan.merchant, buyer, "k1", 402).replayed


def test_what_was_spent_meanwhile_is_owed(lan):
    publish(lan.merchant, RICH)
    buyer = member(lan.merchant)
    assert did(lan.merchant, buyer, "k1", 400) == 2
    assert spend(lan.merchant, buyer, "s", 400.1, 2)
    assert undo(lan.merchant, buyer, "k1", 400.2).done
    held = queries.balance(lan.merchant, buyer, NOW)
    assert (held.available, held.debt) == (0, 2)
    assert queries.verify(lan.merchant).findings == []


def test_growth_and_the_tier_it_had_reached_go_with_it(lan):
    publish(lan.merchant, RICH | {"memberships": []})
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 399, 500))
    did(lan.merchant, buyer, "k1", 400, what="referral")
    assert Wallet.objects.get(member_id=buyer).tier == "silver"
    assert undo(lan.merchant, buyer, "k1", 400.1).figures == {"amount": 0, "growth": 150}
    wallet = Wallet.objects.get(member_id=buyer)
    assert (wallet.tier, wallet.growth) == ("member", 500)
    assert did(lan.merchant, buyer, "k2", 400.2, what="referral") == 0  # the month's one is free again
    assert Wallet.objects.get(member_id=buyer).tier == "silver"
    assert queries.verify(lan.merchant).findings == []


def test_a_budget_gets_back_what_it_gave(lan):
    publish(lan.merchant, BUDGET)
    one, other = member(lan.merchant, 1), member(lan.merchant, 2)
    did(lan.merchant, one, "k1", 400)
    did(lan.merchant, other, "k2", 400)
    [sign] = [b for b in budgets(lan.merchant, NOW) if b.rule == "sign"]
    assert sign.taken == 4
    undo(lan.merchant, one, "k1", 400.1)
    [sign] = [b for b in budgets(lan.merchant, NOW) if b.rule == "sign"]
    assert (sign.taken, sign.left) == (2, 10)
    assert queries.verify(lan.merchant).findings == []


def test_nothing_there_and_what_is_another_members(lan):
    publish(lan.merchant, RICH)
    one, other = member(lan.merchant, 1), member(lan.merchant, 2)
    did(lan.merchant, one, "k1", 400)
    assert undo(lan.merchant, other, "k1", 400.1, key="a").code == "no_such_doing"
    assert undo(lan.merchant, one, "", 400.1, key="b").code == "no_such_doing"
    assert spend(lan.merchant, one, "s", 400.1, 2)
    assert undo(lan.merchant, one, "s", 400.1, key="c").code == "no_such_doing"
    assert activities.of_member(lan.merchant, one)[0].undone_at is None


def test_after_two_were_merged_it_is_taken_back_from_the_one_they_are(lan):
    publish(lan.merchant, RICH)
    one, other = member(lan.merchant, 1), member(lan.merchant, 2)
    did(lan.merchant, other, "k1", 400)
    merge(
        merchant=lan.merchant, survivor_id=one, absorbed_id=other, reason="the same person",
        now=START + timedelta(days=400.1), actor="lan.owner",
    )  # fmt: skip
    assert undo(lan.merchant, other, "k1", 400.2).done
    assert [d.undone_by for d in activities.of_member(lan.merchant, one)] == ["yu"]
    assert queries.verify(lan.merchant).findings == []


@pytest.mark.parametrize("seed", range(6))
def test_any_history_with_things_taken_back_is_the_history_without_them(lan, seed):
    """Two members live alike but for what is noted of the one by mistake and taken back: in the end they have the same."""
    rng, shop = random.Random(seed), lan.merchant
    publish(shop, RICH)
    wronged, other = member(shop, 1), member(shop, 2)
    wrong: list[str] = []
    day = 395.0
    for n in range(30):
        day += rng.choice([0.2, 0.4, 1.0])
        what = rng.choice(["tap", "tap", "wrong", "wrong", "buy", "undo"])
        kind = rng.choice(["check_in", "check_in", "referral"])
        yuan = rng.choice([50, 180, 320])
        if what == "wrong":
            did(shop, wronged, f"w{n}", day, kind)
            wrong.append(f"w{n}")
        elif what == "undo" and wrong:
            assert undo(shop, wronged, wrong.pop(rng.randrange(len(wrong))), day, late=True).done
        else:
            for buyer in (wronged, other):
                if what == "buy":
                    take(shop, buyer, order(f"o{n}-{buyer}", day, yuan), now=START + timedelta(days=day))
                else:
                    did(shop, buyer, f"k{n}-{buyer}", day, kind)
    for key in wrong:
        assert undo(shop, wronged, key, day + 1, late=True).done
    for buyer in (wronged, other):  # the clock has run as far for both
        did(shop, buyer, f"end-{buyer}", day + 2)
    assert standing(shop, wronged) == standing(shop, other)
    assert queries.verify(shop).findings == []
