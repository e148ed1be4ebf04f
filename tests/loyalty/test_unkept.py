"""Keys and reasons no book can keep are refused in the action, so on SQLite as on PostgreSQL, and nothing is done."""

from __future__ import annotations

import re

import pytest

from shuke.kit.models import AuditLine
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, NotAsked
from shuke.loyalty.actions.corrections import correct
from shuke.loyalty.models import Correction, Txn
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


def test_the_longest_are_kept_whole(lan, two):
    ann, _bo = two
    key, reason = "键" * 200, "长" * 200
    waiting = correct(merchant=lan.merchant, key=key, member_id=ann, amount=500, reason=reason, now=NOW, actor="till")
    assert (waiting.key, waiting.reason) == (key, reason)
    [done] = actions.ask(merchant=lan.merchant, asks=[Ask("k" * 200, "burn", ann, 5)], now=NOW, actor="till")
    assert done.done
    assert queries.verify(lan.merchant).findings == []
