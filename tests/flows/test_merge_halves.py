"""Whoever lives on in whom, and how often: what was asked of either half is that half's when they part."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.flows import merge_members
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, KeyReused
from shuke.loyalty.models import RequestOwner, Txn
from shuke.members.models import MergedFact
from tests.loyalty.books import CHARTER, START, order, publish

from .test_merge_members import A, B, fingerprint, met, of, settled, take

pytestmark = pytest.mark.django_db

FIRST = 450  # day of the first phase; a phase has ten
OPEN_HANDED = CHARTER | {"points": CHARTER["points"] | {"transfer": "anyone"}}
WHAT = ("adjust", "burn", "return", "hold", "capture", "release", "growth", "tier", "order", "give")

one_ask = st.tuples(st.sampled_from(WHAT), st.sampled_from((A, B)), st.integers(1, 20), st.sampled_from((0, 0.3)))
phases = st.lists(st.lists(one_ask, max_size=5), min_size=5, max_size=5)


@dataclass
class Told:
    """Asks both shops the same, in the same words; what is returned or captured is the last that still can be."""

    shops: list
    day: float = FIRST
    burns: dict[str, list[str]] = field(default_factory=lambda: {A: [], B: []})
    holds: dict[str, list[str]] = field(default_factory=lambda: {A: [], B: []})
    n: int = 0

    def ask(self, kind: str, who: str, amount: int, later: float = 0.3) -> None:
        """`later`: so many days after the one before; 0 is the same instant."""
        self.n, self.day = self.n + 1, self.day + later
        key = f"{kind}{self.n}"
        if kind == "order":
            for shop in self.shops:
                take(shop, [of(who, order(key, self.day, amount * 10))], now=self.now)
            return
        open_ = {"return": self.burns, "capture": self.holds, "release": self.holds}.get(kind)
        if open_ is not None and not open_[who]:
            return
        ref = open_[who].pop() if open_ is not None else ""
        if kind in ("burn", "capture"):
            self.burns[who].append(key)
        elif kind == "hold":
            self.holds[who].append(key)
        for shop in self.shops:
            self._ask(shop, key, kind, met(shop, who), min(amount, 3) if ref else amount + 3, ref)

    def _ask(self, shop, key: str, kind: str, member: int, amount: int, ref: str) -> None:
        told = {"merchant": shop.merchant, "now": self.now, "actor": "till"}
        if kind == "tier":
            until = self.now + timedelta(days=40)
            actions.give_tier(member_id=member, tier="gold", until=until, reason="kind", key=key, **told)
        elif kind == "give":
            (answer,) = actions.transfer(transfers=[actions.Transfer(key, member, met(shop, "丙"), amount)], **told)
            assert answer.done, answer
        else:
            until = self.now + timedelta(days=3) if kind == "hold" else None
            (answer,) = actions.ask(asks=[Ask(key, kind, member, amount, ref=ref, until=until)], **told)
            assert answer.done, answer

    @property
    def now(self):
        return START + timedelta(days=self.day)

    def close_baskets(self) -> None:
        for who, open_ in self.holds.items():
            while open_:
                self.ask("release", who, 1)

    def next_phase(self, later: bool) -> None:
        self.close_baskets()
        self.day = FIRST + 10 * (1 + (self.day - FIRST) // 10) if later else self.day


def join(shop, survivor: str, absorbed: str, at):
    ids = {"survivor_id": met(shop, survivor), "absorbed_id": met(shop, absorbed)}
    return merge_members.merge(merchant=shop.merchant, **ids, reason="told us", now=at, actor="lan").merge


def part(shop, merge, at) -> None:
    merge_members.unmerge(merchant=shop.merchant, merge_id=merge.pk, reason="two sisters", now=at, actor="lan")


def open_two(*shops) -> Told:
    told = Told(list(shops))
    for shop in shops:
        publish(shop.merchant, OPEN_HANDED)
        take(shop, [of(who, order(f"first{n}", 440 + n, 90)) for n, who in enumerate((A, B, "丙"))], now=told.now)
    for who in (A, B):
        told.ask("adjust", who, 500)  # so that whatever is spent could have been spent by the half alone
    return told


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(told=phases, ways=st.tuples(st.booleans(), st.booleans()), at_once=st.booleans())
def test_what_was_asked_of_a_half_in_any_phase_is_that_halfs_after_the_undo(lan, mingde, told, ways, at_once):
    """Apart, merged one way, apart, merged the same or the other way, apart: mingde is never merged, and ends the same."""
    from django.db import transaction

    with transaction.atomic():
        both = open_two(lan, mingde)
        merge = None
        for phase, asks in enumerate(told):
            both.next_phase(later=not at_once)
            if phase % 2:
                survivor, absorbed = (A, B) if ways[phase // 2] else (B, A)
                merge = join(lan, survivor, absorbed, both.now)
            elif merge is not None:
                part(lan, merge, both.now)
            for one in asks:
                both.ask(*one)
            if phase and not phase % 2:
                both.close_baskets()
                assert settled(lan, both.now) == settled(mingde, both.now)
                for who in (A, B):
                    assert fingerprint(lan, met(lan, who)) == fingerprint(mingde, met(mingde, who))
        transaction.set_rollback(True)


def test_a_return_is_where_its_spend_is_whoever_asked_for_it(lan):
    told = open_two(lan)
    a, b = met(lan, A), met(lan, B)
    before = queries.balances(lan.merchant, [a, b], told.now)
    done = join(lan, A, B, told.now)
    for key, spender, asker in (("of-a", a, b), ("of-b", b, a)):
        told.day += 1
        for one in (Ask(key, "burn", spender, 30), Ask(f"{key}-back", "return", asker, 10, ref=key)):
            assert actions.ask(merchant=lan.merchant, asks=[one], now=told.now, actor="till")[0].done
    part(lan, done, told.now)
    after = queries.balances(lan.merchant, [a, b], told.now)
    assert [before[m].available - after[m].available for m in (a, b)] == [20, 20]
    settled(lan, told.now)


def test_a_retry_of_either_half_after_the_undo_gets_the_answer_of_then(lan):
    told = open_two(lan)
    a, b = met(lan, A), met(lan, B)
    done = join(lan, A, B, told.now)

    def ask(*asks: Ask) -> list[actions.Answer]:
        return actions.ask(merchant=lan.merchant, asks=asks, now=told.now, actor="till")

    def give(who: int, points: int) -> list[actions.Answer]:
        move = actions.Transfer("given", who, met(lan, "丙"), points)
        return actions.transfer(merchant=lan.merchant, transfers=[move], now=told.now, actor="app")

    asks = [Ask("spend", "burn", b, 30), Ask("too-much", "burn", b, 10**6)]
    first, moved = ask(*asks), give(b, 7)
    assert [one.done for one in first + moved] == [True, False, True]
    part(lan, done, told.now)
    again = [one._replace(replayed=True) for one in first + moved]
    assert ask(*asks) + give(b, 7) == again
    assert ask(*(one._replace(member_id=a) for one in asks)) == again[:2]  # it was done in these books
    with pytest.raises(KeyReused):
        ask(Ask("spend", "burn", met(lan, "丙"), 30))
    with pytest.raises(KeyReused):
        give(b, 8)


def test_a_request_that_came_in_the_moment_of_the_merge_is_brought_home(lan):
    told = open_two(lan)
    a, b = met(lan, A), met(lan, B)
    done = join(lan, A, B, told.now)
    of_b = Txn.objects.get(key="adjust2")
    RequestOwner.objects.filter(txn=of_b).delete()  # as a till that had waited for the wallet would have left it
    MergedFact.objects.filter(what="request", object_id=of_b.pk).delete()
    merge_members.gather_strays(merchant=lan.merchant, now=told.now, actor="clock")
    assert RequestOwner.objects.get(txn=of_b).member_id == a
    assert queries.balance(lan.merchant, a, told.now).available >= 1000
    part(lan, done, told.now)
    assert queries.balance(lan.merchant, b, told.now).available >= 500
    settled(lan, told.now)
