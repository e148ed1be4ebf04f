"""What one person does alone by hand in a day counts together: a large correction cut into small ones waits all the same."""

import multiprocessing
from datetime import timedelta

import pytest

from shuke.engine.charter import document
from shuke.flows.merge_members import merge
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import coupons, stored
from shuke.loyalty.models import Correction, StoredCorrection
from shuke.members.actions.own_cards import tell_own_card
from shuke.shops import actions as shops
from tests.loyalty.books import CHARTER, START, member, publish
from tests.loyalty.stored import STORED, open_stored
from tests.loyalty.till import template

LIMIT = 1000
DAY20 = START + timedelta(days=20)
NEXT_DAY = DAY20 + timedelta(days=1)


def open_shop(lan, limit=LIMIT):
    publish(lan.merchant, CHARTER | {"points": CHARTER["points"] | {"second_person_above": limit}})
    return lan.merchant


@pytest.fixture
def shop(lan):
    return open_shop(lan)


def by_hand(merchant, key, who, points, actor="lan.manager", kind="adjust", now=DAY20):
    return actions.correct(
        merchant=merchant, key=key, member_id=who, amount=points, reason="late receipt", now=now, actor=actor, kind=kind
    )


def state(told):
    return ("done" if told.done else told.code) if isinstance(told, actions.Answer) else told.state


def has(merchant, who, at=DAY20):
    return queries.balance(merchant, who, at).available


def test_ten_of_a_thousand_are_ten_thousand(shop):
    who = [member(shop, n) for n in range(10)]
    told = [by_hand(shop, f"k{n}", who[n], 1000) for n in range(10)]
    assert [state(one) for one in told] == ["done"] + ["waiting"] * 9
    assert sum(has(shop, one) for one in who) == 1000
    assert actions.why_waits(told[1]) == (
        "Somebody else has to agree: with this the same person comes to 2,000 points by hand alone today, above 1,000 points."
    )
    assert actions.why_waits(told[1], "zh") == (
        "须另一位同事同意：加上这一笔，同一人今天独自手工调整共 2,000 积分，超过 1,000 积分。"
    )
    # Sent again each is what it was: nothing is counted twice, and what was done stays done.
    assert [state(by_hand(shop, f"k{n}", who[n], 1000)) for n in range(10)] == [state(one) for one in told]
    assert Correction.objects.count() == 10
    assert queries.verify(shop).findings == []


def test_one_member_by_many_hands(shop):
    who, other = member(shop, 1), member(shop, 2)
    assert state(by_hand(shop, "a", who, 600)) == "done"
    second = by_hand(shop, "b", who, 600, actor="lan.owner")
    assert state(second) == "waiting"
    assert "the member comes to 1,200 points by hand today" in actions.why_waits(second)
    assert state(by_hand(shop, "c", other, 600, actor="lan.owner")) == "done"
    assert has(shop, who) == 600


def test_a_mistake_put_right_counts_once_and_another_member_is_another(shop):
    who, other = member(shop, 1), member(shop, 2)
    assert state(by_hand(shop, "a", who, 900)) == "done"
    assert state(by_hand(shop, "b", who, -900)) == "done", "nothing is given any more"
    assert state(by_hand(shop, "c", who, 400)) == "done"
    assert state(by_hand(shop, "d", who, -300)) == "done"
    assert state(by_hand(shop, "e", other, 900)) == "done", "100 here and 900 there"
    assert state(by_hand(shop, "f", other, 1)) == "waiting"
    assert state(by_hand(shop, "g", who, -100)) == "done"
    assert state(by_hand(shop, "h", other, 100)) == "done", "what was put right gives room again"


def test_a_day_is_the_shops_and_what_a_second_person_agreed_to_is_not_alone(shop):
    who = member(shop, 1)
    late = DAY20.astimezone(shop.tz).replace(hour=23, minute=59)
    assert state(by_hand(shop, "a", who, 1000, now=late)) == "done"
    one = by_hand(shop, "b", who, 1000, now=late)
    assert state(one) == "waiting"
    actions.decide_correction(merchant=shop, correction_id=one.pk, agree=True, now=late, actor="lan.owner")
    assert has(shop, who, late) == 2000
    after = late + timedelta(minutes=1)
    assert state(by_hand(shop, "c", who, 1000, now=after)) == "done", (
        "another day, and what was agreed to does not count"
    )
    assert state(by_hand(shop, "d", who, 1, now=after)) == "waiting"


def test_a_token_is_the_person_who_answers_for_it(shop, lan):
    token, _ = shops.make_token(merchant=shop, name="sheet", may_write=True, now=DAY20, staff=lan.manager)
    assert state(by_hand(shop, "a", member(shop, 1), 700)) == "done"
    told = by_hand(shop, "b", member(shop, 2), 700, actor=f"token:{token.pk}")
    assert (state(told), told.person) == ("waiting", "lan.manager")


def test_a_program_nobody_answers_for_gives_many_members_a_little_and_one_of_them_not_much(shop):
    token, _ = shops.make_token(merchant=shop, name="app", may_write=True, now=DAY20)
    actor, many = f"token:{token.pk}", [member(shop, n) for n in range(1, 7)]
    assert {state(by_hand(shop, f"k{who}", who, 400, actor=actor)) for who in many[:5]} == {"done"}
    assert state(by_hand(shop, "again", many[0], 700, actor=actor)) == "waiting"
    assert state(by_hand(shop, "large", many[5], 1001, actor=actor)) == "waiting"


def test_two_records_of_one_person_are_one_member(shop):
    one, other = member(shop, 1), member(shop, 2)
    assert state(by_hand(shop, "a", one, 600)) == "done"
    merge(merchant=shop, survivor_id=other, absorbed_id=one, reason="told us", now=DAY20, actor="lan.owner")
    for who in (one, other):
        assert state(by_hand(shop, f"b{who}", who, 600, actor="lan.owner")) == "waiting"


def test_lapsed_points_count_as_points_and_growth_on_its_own(shop):
    who = member(shop, 1)
    ends = DAY20 - timedelta(days=1)
    gift = actions.Ask("gift", "adjust", who, 900, expires_at=ends)
    actions.ask(merchant=shop, asks=[gift], now=START, actor="t")
    assert state(by_hand(shop, "a", who, 500)) == "done"
    assert state(by_hand(shop, "b", who, 500, kind="reinstate")) == "done"
    assert has(shop, who) == 1000
    one = by_hand(shop, "c", who, 400, kind="reinstate")
    assert (state(one), one.kind) == ("waiting", "reinstate")
    assert state(by_hand(shop, "d", who, 1000, kind="growth")) == "done"
    more = by_hand(shop, "e", who, 1, kind="growth")
    assert "1,001 growth value by hand alone today" in actions.why_waits(more)
    for waits in (one, more):
        found, answer = actions.decide_correction(
            merchant=shop, correction_id=waits.pk, agree=True, now=DAY20, actor="lan.owner"
        )
        assert (found.state, answer.done) == ("done", True)
    assert has(shop, who) == 1400
    assert queries.growth_lines(shop, who)[0].balance_after == 1001
    with pytest.raises(actions.KeyReused):
        by_hand(shop, "c", who, 400)  # asked for as something else
    assert queries.verify(shop).findings == []


def test_what_the_books_refuse_counts_for_nothing(shop):
    who = member(shop, 1)
    assert state(by_hand(shop, "a", who, -900)) == "not_enough"
    assert state(by_hand(shop, "b", who, 1000)) == "done"
    assert state(by_hand(shop, "a", who, -900)) == "not_enough", "the same answer for ever"


def test_the_limit_changed_and_the_same_was_sent_again(shop):
    """What waits goes on waiting, and what was booked is not asked for again."""
    who = member(shop, 1)
    assert (state(by_hand(shop, "a", who, 1000)), state(by_hand(shop, "b", who, 500))) == ("done", "waiting")
    wide = document.from_plain(CHARTER | {"points": CHARTER["points"] | {"second_person_above": 10000}})
    actions.publish_charter(merchant=shop, charter=wide, effective_from=NEXT_DAY, now=NEXT_DAY, actor="o")
    assert state(by_hand(shop, "b", who, 500, now=NEXT_DAY)) == "waiting"
    narrow = document.from_plain(CHARTER | {"points": CHARTER["points"] | {"second_person_above": 10}})
    later = NEXT_DAY + timedelta(hours=1)
    actions.publish_charter(merchant=shop, charter=narrow, effective_from=later, now=later, actor="o")
    assert by_hand(shop, "a", who, 1000, now=later).replayed
    assert has(shop, who, later) == 1000


def test_without_a_limit_everything_is_done_at_once_and_kept(lan):
    shop = open_shop(lan, None)
    assert state(by_hand(shop, "a", member(shop, 1), 10**6)) == "done"
    assert Correction.objects.get().decided_by == ""


def test_money_by_hand_counts_together_too(lan):
    shop = lan.merchant
    open_stored(shop)  # 50 yuan
    ann, bob = member(shop, 1), member(shop, 2)

    def money(key, who, minor, actor="lan.manager", account="principal"):
        told = stored.correct(
            merchant=shop,
            key=key,
            member_id=who,
            amount=minor,
            account=account,
            reason="miscounted",
            now=DAY20,
            actor=actor,
        )
        return ("done" if told.done else told.code) if isinstance(told, stored.Answer) else told

    assert money("a", ann, 3000) == "done"
    assert money("b", ann, 2000, account="bonus") == "done"
    waits = money("c", bob, 1)
    assert "¥50.01 by hand alone today, above ¥50.00" in stored.why_waits(waits)
    assert "¥50.01" in stored.why_waits(waits, "zh")
    assert money("c", bob, 1).pk == waits.pk
    assert money("d", ann, -5000) == "not_enough", "only 30 were money"
    assert money("e", ann, 1, actor="lan.owner").state == "waiting"
    assert StoredCorrection.objects.filter(state="done").count() == 2


# ---- one's own account ----------------------------------------------------------------------------------------------


@pytest.fixture
def own(lan):
    """The manager is member 1, and shares points with member 2; 3 is anybody. Limits of 100 points and 50 yuan."""
    points = CHARTER["points"] | {"second_person_above": 100, "transfer": "family"}
    publish(lan.merchant, CHARTER | {"points": points, "selling": {"points": {"share": 50}}, "stored": STORED})
    who = [member(lan.merchant, n) for n in (1, 2, 3)]
    actions.found_family(merchant=lan.merchant, name="王家", members=who[:2], now=DAY20, actor="lan.owner")
    told = {"merchant": lan.merchant, "staff": lan.manager, "reason": "told us", "now": DAY20, "actor": "lan.owner"}
    assert tell_own_card(member_id=who[0], **told)
    assert not tell_own_card(member_id=who[0], **told), "said again it is no news"
    return lan, who, told


def refusal(call, *asked, **more):
    with pytest.raises((actions.CorrectionRefused, actions.NotAsked, stored.StoredRefused)) as refused:
        call(*asked, **more)
    return refused.value.code


def test_nobody_gives_themselves_or_their_family_anything(own):
    lan, who, _ = own
    shop = lan.merchant
    token, _ = shops.make_token(merchant=shop, name="sheet", may_write=True, now=DAY20, staff=lan.manager)
    template(shop)
    for actor in ("lan.manager", f"token:{token.pk}"):
        told = {"merchant": shop, "reason": "x", "now": DAY20, "actor": actor}
        for n, mine in enumerate(who[:2]):
            for kind in ("adjust", "reinstate", "growth"):
                assert refusal(by_hand, shop, f"{kind}{n}", mine, 5, actor=actor, kind=kind) == "own_account"
            money = {"key": "m", "member_id": mine, "amount": 5, "account": "bonus"}
            assert refusal(stored.correct, **money, **told) == "own_account"
            assert refusal(actions.give_tier, member_id=mine, tier="gold", until=None, **told) == "own_account"
            issue = [coupons.Issue("ten", mine, "hand"), coupons.Issue("ten", who[2], "hand")]
            mine_, other = coupons.issue(merchant=shop, issues=issue, now=DAY20, actor=actor)
            assert (mine_.code, len(other.coupons)) == ("own_account", 1)
    assert Correction.objects.count() == StoredCorrection.objects.count() == 0
    assert state(by_hand(shop, "other", who[2], 5)) == "done"
    assert state(by_hand(shop, "owner", who[0], 5, actor="lan.owner")) == "done", "a colleague may"
    with pytest.raises(actions.CorrectionRefused, match="ask a colleague"):
        by_hand(shop, "again", who[0], 5)


def test_nobody_agrees_to_what_they_get_themselves(own):
    lan, who, told = own
    shop = lan.merchant
    one = by_hand(shop, "a", who[1], 500, actor="lan.owner")

    def decide(agree, actor="lan.manager"):
        return actions.decide_correction(
            merchant=shop, correction_id=one.pk, agree=agree, now=DAY20, actor=actor, reason="no"
        )

    assert refusal(decide, True) == "own_account"
    money = stored.correct(
        merchant=shop, key="m", member_id=who[0], amount=9000, account="bonus", reason="x", now=DAY20, actor="lan.owner"
    )
    told_money = {"merchant": shop, "correction_id": money.pk, "agree": True, "now": DAY20, "actor": "lan.manager"}
    assert refusal(stored.decide_correction, **told_money) == "own_account"
    assert tell_own_card(member_id=None, **told)
    assert decide(True)[0].state == "done"


def test_who_they_are_follows_a_merge(own):
    lan, who, _ = own
    merge(merchant=lan.merchant, survivor_id=who[2], absorbed_id=who[0], reason="one", now=DAY20, actor="lan.owner")
    assert refusal(by_hand, lan.merchant, "a", who[2], 5) == "own_account"
    assert refusal(by_hand, lan.merchant, "b", who[0], 5) == "own_account"


# ---- two at once ----------------------------------------------------------------------------------------------------


def _give(merchant_id, jobs, answers):
    from django.db import connections

    connections.close_all()  # a connection does not survive the fork
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    for key, who, points, actor in jobs:
        try:
            answers.put((key, state(by_hand(merchant, key, who, points, actor=actor))))
        except Exception as error:
            answers.put((key, repr(error)))
    connections.close_all()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", ["person", "member"])
def test_many_at_once_come_to_no_more_than_the_limit(lan, same):
    shop = open_shop(lan)
    who = [member(shop, n) for n in range(12)]
    work = [
        [
            (
                f"{n}-{i}",
                who[4 * n + i] if same == "person" else who[0],
                300,
                "lan.manager" if same == "person" else f"p{n}{i}",
            )
            for i in range(4)
        ]
        for n in range(3)
    ]
    work.append(work[0])  # and one of them sends everything twice
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    people = [fork.Process(target=_give, args=(shop.pk, jobs, answers)) for jobs in work]
    for one in people:
        one.start()
    told = [answers.get(timeout=120) for jobs in work for _ in jobs]
    for one in people:
        one.join(timeout=60)
    assert sorted(set(told)) == sorted(dict(told).items()), "the same key, the same answer"
    assert sorted(dict(told).values()) == ["done"] * 3 + ["waiting"] * 9
    assert sum(has(shop, one) for one in set(who)) == 900
    assert queries.verify(shop).findings == []
