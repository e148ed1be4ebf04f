"""Many at once, each in its own process: one referrer binds a newcomer, one settlement pays a reward, one budget is kept."""

import multiprocessing
from collections import Counter

import pytest

from shuke.loyalty import queries
from shuke.loyalty.models import Referral, ReferralBudget, ReferralCode, ReferralReward
from tests.loyalty.friends import NOW, bind, buy, day, have, open_shop, order, settle, someone


def _work(merchant_id: int, jobs: list[tuple], answers) -> None:
    from django.db import connections

    connections.close_all()  # a connection does not survive the fork
    from shuke.flows import referral as flow
    from shuke.loyalty.actions import referral
    from shuke.loyalty.actions.referral import ReferralRefused
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    for kind, *told in jobs:
        try:
            if kind == "bind":
                newcomer, referrer = told
                made = referral.bind(
                    merchant=merchant, newcomer_id=newcomer, referrer_id=referrer, how="code", now=day(10), actor="x"
                )
                answers.put(made.referrer_id)
            elif kind == "code":
                answers.put(referral.code_for(merchant=merchant, member_id=told[0], now=NOW).code)
            elif kind == "touch":
                answers.put(referral.touch(merchant=merchant, member_ids=told, now=NOW))
            else:
                answers.put(flow.settle_due(merchant=merchant, now=NOW, actor="x").given)
        except ReferralRefused as refused:
            answers.put(refused.code)
    connections.close_all()


def at_once(merchant, work: list[list[tuple]]) -> list:
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    people = [fork.Process(target=_work, args=(merchant.pk, jobs, answers)) for jobs in work]
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
    open_shop(merchant)
    return merchant


def test_of_four_who_bind_a_newcomer_at_once_one_does(shop):
    hosts = [someone(shop, n) for n in range(1, 5)]
    friends = [someone(shop, n) for n in range(10, 16)]
    told = at_once(shop, [[("bind", friend, host) for friend in friends] for host in hosts])
    assert Referral.objects.count() == len(friends)
    said = Counter("bound" if isinstance(t, int) else t for t in told)
    assert said == {"bound": len(friends), "already_bound": 3 * len(friends)}


def test_a_member_gets_one_code(shop):
    ann = someone(shop, 1)
    assert len(set(at_once(shop, [[("code", ann)]] * 4))) == 1
    assert ReferralCode.objects.count() == 1


def test_a_reward_is_paid_once_however_many_settle(shop):
    ann = someone(shop, 1)
    friends = [someone(shop, n) for n in range(2, 8)]
    for n, friend in enumerate(friends):
        bind(shop, friend, ann, at=10 + n / 100)
        buy(shop, friend, order(f"b{n}", 20, 150))
    told = at_once(shop, [[("settle",), ("touch", *friends), ("settle",)] for _ in range(4)])
    assert sum(told) >= 2 * len(friends)
    settle(shop)
    assert have(shop, ann) == 100 * len(friends)
    assert [have(shop, friend) for friend in friends] == [50] * len(friends)
    assert ReferralReward.objects.filter(turns=1).count() == 2 * len(friends)
    assert queries.verify(shop).findings == []


def test_referrers_who_brought_one_another_do_not_wait_for_ever(shop):
    """Each settlement locks the wallets of both sides; all take them in one order."""
    people = [someone(shop, n) for n in range(1, 7)]
    for n, who in enumerate(people):
        bind(shop, who, people[(n + 1) % len(people)], at=10 + n / 100)
        buy(shop, who, order(f"b{n}", 20, 150))
    at_once(shop, [[("settle",), ("touch", *people), ("settle",)] for _ in range(4)])
    assert set(Referral.objects.values_list("state", flat=True)) == {"held"}  # a ring of six


def test_a_budget_of_three_rewards_gives_three(transactional_db):
    from tests import cast

    merchant = cast.lan().merchant
    open_shop(merchant, friend={}, budget=300)
    for n in range(1, 7):  # six referrers, so that nothing but the budget keeps them apart
        host, friend = someone(merchant, n), someone(merchant, n + 10)
        bind(merchant, friend, host)
        buy(merchant, friend, order(f"b{n}", 20, 150))
    at_once(merchant, [[("settle",)] for _ in range(4)])
    assert ReferralBudget.objects.get().points == 300
    assert sum(ReferralReward.objects.values_list("amount", flat=True)) == 300
