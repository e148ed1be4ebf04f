"""Keys and reasons no book can keep are refused in the action, so on SQLite as on PostgreSQL, and nothing is done."""

from __future__ import annotations

import re

import pytest

from shuke.kit.models import AuditLine
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, NotAsked, benefits, draws, gifts
from shuke.loyalty.actions.coalition import returning, spending
from shuke.loyalty.actions.corrections import correct
from shuke.loyalty.models import BenefitUse, Correction, DrawTicket, GiftOrder, ManualTier, Txn
from tests.loyalty.books import CHARTER, NOW, member, order, publish, take

pytestmark = pytest.mark.django_db
KEYS = ["", " ", "\t", "k" * 201, "k" * 1000]
UNKEPT = [
    *((key, "why", "no_key") for key in KEYS),
    ("k", "长" * 201, "long_reason"),
    ("k", "长" * 5000, "long_reason"),
]


@pytest.fixture
def two(lan):
    """One has 500 points and more; above 100 a second person has to agree."""
    publish(lan.merchant, CHARTER | {"points": CHARTER["points"] | {"transfer": "anyone", "second_person_above": 100}})
    ann, bo = member(lan.merchant, 1), member(lan.merchant, 2)
    take(lan.merchant, ann, order("a", 480, 500))
    return ann, bo


@pytest.mark.parametrize("deed", ["burn", "adjust", "hold", "reinstate", "by hand", "by two hands", "transfer"])
@pytest.mark.parametrize(("key", "reason", "code"), UNKEPT)
def test_what_no_book_can_keep_is_refused_and_nothing_is_done(lan, two, deed, key, reason, code):
    ann, bo = two

    def state():
        balances = [queries.balance(lan.merchant, who, NOW) for who in two]
        return balances, Txn.objects.count(), Correction.objects.count(), AuditLine.objects.count()

    before, told = state(), {"merchant": lan.merchant, "now": NOW, "actor": "till"}
    ways = {
        "by hand": lambda: correct(key=key, member_id=ann, amount=5, reason=reason, **told),
        "by two hands": lambda: correct(key=key, member_id=ann, amount=500, reason=reason, **told),
        "transfer": lambda: actions.transfer(transfers=[actions.Transfer(key, ann, bo, 5, reason)], **told),
    }
    two_asks = [Ask("good", "burn", ann, 1), Ask(key, deed, ann, 5, reason=reason)]  # done whole or not at all
    with pytest.raises(NotAsked) as refused:
        ways.get(deed, lambda: actions.ask(asks=two_asks, **told))()
    assert (refused.value.code, state()) == (code, before)
    assert "200" in refused.value.say("en")
    assert re.search("[\u4e00-\u9fff]", refused.value.say("zh"))


@pytest.fixture
def rewards(lan):
    """Somebody with points, a mug that waits and one that was handed over, a wrapping that was given, a draw."""
    wrap = {"key": "wrap", "name": {"zh": "包装", "en": "Wrapping"}, "kind": "gift_wrap", "grants": [{"times": 9}]}
    publish(lan.merchant, CHARTER | {"rights": {"benefits": [wrap]}})
    ann = member(lan.merchant)
    told = {"merchant": lan.merchant, "now": NOW, "actor": "till"}
    actions.ask(asks=[Ask("gift", "adjust", ann, 500)], **told)
    mug = {"name_zh": "马克杯", "name_en": "Mug", "points": 100, "stock": 9}
    gifts.save_gift(code="mug", values=mug, **told)
    terms = {
        "name": {"zh": "抽奖", "en": "Draw"},
        "opens_at": "2025-01-01T00:00:00Z",
        "closes_at": "2027-01-01T00:00:00Z",
        "prizes": [{"key": "p", "name": {"zh": "积分", "en": "Points"}, "odds": "1/4", "stock": None, "points": 20}],
        "ways": {"given": True},
    }
    draws.save_draw(code="draw", terms=terms, **told)
    draws.commit_draw(code="draw", **told)
    waits = gifts.order(member_id=ann, gift="mug", key="waits", **told).order
    gone = gifts.order(member_id=ann, gift="mug", key="gone", at_once=True, **told).order
    given = benefits.hand_out(member_id=ann, benefit="wrap", key="given", **told).use
    return {
        "gift": lambda key, _: gifts.order(member_id=ann, gift="mug", key=key, **told),
        "gift back": lambda key, why: gifts.give_back(order_id=gone.pk, key=key, because=why, **told),
        "gift cancelled": lambda _, why: gifts.cancel(order_id=waits.pk, because=why, **told),
        "benefit": lambda key, why: benefits.hand_out(member_id=ann, benefit="wrap", key=key, note_text=why, **told),
        "benefit back": lambda _, why: benefits.take_back(use_id=given.pk, because=why, **told),
        "ticket": lambda key, _: draws.draw_ticket(draw="draw", member_id=ann, key=key, way="given", **told),
        "tier": lambda key, why: actions.give_tier(member_id=ann, tier="gold", until=None, reason=why, key=key, **told),
        "coalition": lambda key, _: spending.spend(member_id=ann, amount=5, key=key, **told),
        "coalition back": lambda key, _: returning.give_back(of="x", amount=5, key=key, **told),
    }  # fmt: skip


NO_KEY, NO_REASON = {"gift cancelled", "benefit back"}, {"gift", "ticket", "coalition", "coalition back"}
REWARDS = [
    "gift",
    "gift back",
    "gift cancelled",
    "benefit",
    "benefit back",
    "ticket",
    "tier",
    "coalition",
    "coalition back",
]


@pytest.mark.parametrize("deed", REWARDS)
def test_rewards_refuse_alike_and_nothing_is_done(lan, rewards, deed):
    def state():
        return [
            list(rows.objects.order_by("pk").values()) for rows in (GiftOrder, BenefitUse, DrawTicket, ManualTier, Txn)
        ]

    before = state()
    odd = [("k" * 201, "why", "no_key")] if deed not in NO_KEY else []
    odd += [(" ", "why", "no_key")] if deed not in NO_KEY else []
    odd += [("k", "长" * 201, "long_reason")] if deed not in NO_REASON else []
    for key, reason, code in odd:
        with pytest.raises(NotAsked) as refused:
            rewards[deed](key, reason)
        assert (refused.value.code, state()) == (code, before)


@pytest.mark.parametrize("deed", ["gift", "gift back", "benefit", "ticket"])
def test_the_longest_keys_of_rewards_are_kept(lan, rewards, deed):
    told = rewards[deed]("键" * 150, "长" * 200)
    assert told.done, told
    assert queries.verify(lan.merchant).findings == []


def test_the_longest_are_kept_whole(lan, two):
    ann, _bo = two
    key, reason = "键" * 200, "长" * 200
    waiting = correct(merchant=lan.merchant, key=key, member_id=ann, amount=500, reason=reason, now=NOW, actor="till")
    assert (waiting.key, waiting.reason) == (key, reason)
    [done] = actions.ask(merchant=lan.merchant, asks=[Ask("k" * 200, "burn", ann, 5)], now=NOW, actor="till")
    assert done.done
    assert queries.verify(lan.merchant).findings == []
