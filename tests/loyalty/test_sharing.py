"""Points that change hands: given away, spent from a family's pool, corrected by hand with a second pair of eyes."""

from datetime import timedelta

import pytest

from shuke.engine.charter import document
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, Transfer
from shuke.loyalty.models import Correction, Family, Lot, Relative, Txn
from shuke.members.models import Member
from tests.loyalty.books import START, member, order, publish, refund, take
from tests.trust.exercise_book import CHARTER

pytestmark = pytest.mark.django_db
DAY20, DAY30 = START + timedelta(days=20), START + timedelta(days=30)


def charter(**points) -> dict:
    return CHARTER | {"points": CHARTER["points"] | points}


@pytest.fixture
def family(lan):
    """Grandmother has 500 points that end in April, mother 300 that end in May, the child none."""
    publish(lan.merchant, charter())
    people = [member(lan.merchant, n) for n in (1, 2, 3)]
    take(lan.merchant, people[0], order("a", 5, 500))
    take(lan.merchant, people[1], order("b", 40, 300))
    actions.found_family(merchant=lan.merchant, name="王家", members=people, now=DAY20, actor="owner")
    return lan.merchant, *people


def give(merchant, key, giver, receiver, points, now=DAY20):
    return actions.transfer(
        merchant=merchant, transfers=[Transfer(key, giver, receiver, points)], now=now, actor="owner"
    )[0]


def available(merchant, who, now):
    return queries.balance(merchant, who, now).available


def test_what_is_given_keeps_its_expiry(family):
    merchant, granny, _, child = family
    told = give(merchant, "g1", granny, child, 120)
    assert (told.done, told.figures) == (True, {"amount": 120, "available": 380})
    lots = {x.member_id: x for x in Lot.objects.filter(key__in=["order:taobao:兰记护肤:a", "taken:g1"])}
    assert lots[child].granted == 120
    assert (lots[child].expires_at, lots[child].earned_at) == (lots[granny].expires_at, lots[granny].earned_at)
    assert give(merchant, "g1", granny, child, 120) == told._replace(replayed=True)
    assert available(merchant, child, DAY20) == 120
    assert queries.verify(merchant).findings == []


def test_what_changes_hands_twice_in_one_moment_keeps_the_order_it_was_granted_in(family):
    """`verify` folds both anew: by name mother would give of her own first, and not of what she had just been given."""
    merchant, granny, mother, _ = family
    now = START + timedelta(days=50)
    both = [Transfer("z", granny, mother, 100), Transfer("a", mother, granny, 50)]
    assert all(one.done for one in actions.transfer(merchant=merchant, transfers=both, now=now, actor="owner"))
    assert Lot.objects.get(member_id=mother, key="taken:z").remaining == 50
    assert queries.verify(merchant).findings == []


def test_a_refund_learnt_of_later_is_the_givers_affair(family):
    merchant, granny, _, child = family
    give(merchant, "g1", granny, child, 450)
    take(merchant, granny, refund("r", "a", 25, 500), now=DAY30)
    assert queries.balance(merchant, granny, DAY30).debt == 450
    assert available(merchant, child, DAY30) == 450
    assert queries.verify(merchant).findings == []


@pytest.mark.parametrize(
    ("points", "amount", "code"),
    [
        ({}, 501, "not_enough"),
        ({}, 0, "not_positive"),
        ({"transfer": "no"}, 10, "no_transfers"),
        ({"transfer": "family"}, 10, "not_family"),
        ({"transfer_most_per_day": 50}, 51, "too_much_today"),
    ],
)
def test_refusals_say_why_and_are_remembered(lan, points, amount, code):
    publish(lan.merchant, charter(**({"transfer": "anyone"} | points)))
    giver, receiver = member(lan.merchant, 1), member(lan.merchant, 2)
    take(lan.merchant, giver, order("a", 5, 500))
    told = give(lan.merchant, "x", giver, receiver, amount)
    assert (told.done, told.code) == (False, code)
    assert give(lan.merchant, "x", giver, receiver, amount) == told._replace(replayed=True)
    one = Ask("x", "handed", giver, amount)
    for language in ("zh", "en"):
        assert "{" not in actions.why_refused(one, told, language)
    with pytest.raises(actions.KeyReused):
        give(lan.merchant, "x", giver, receiver, amount + 1)
    assert available(lan.merchant, giver, DAY20) == 500


def test_a_gift_that_is_refused_leaves_a_hold_that_timed_out_to_the_clock(family):
    merchant, granny, _, child = family
    hold = Ask("h", "hold", granny, 100, until=DAY20 + timedelta(minutes=5))
    assert actions.ask(merchant=merchant, asks=[hold], now=DAY20, actor="till")[0].done
    assert give(merchant, "g", granny, child, 900, now=DAY30).code == "not_enough"
    assert queries.verify(merchant).findings == []
    assert give(merchant, "g2", granny, child, 500, now=DAY30).done
    assert queries.verify(merchant).findings == []


def test_nobody_gives_more_in_a_day_than_the_charter_lets(lan):
    publish(lan.merchant, charter(transfer="anyone", transfer_most_per_day=100))
    giver, receiver = member(lan.merchant, 1), member(lan.merchant, 2)
    take(lan.merchant, giver, order("a", 5, 500))
    assert give(lan.merchant, "1", giver, receiver, 60).done
    assert give(lan.merchant, "2", giver, receiver, 60).code == "too_much_today"
    assert give(lan.merchant, "3", giver, receiver, 40).done
    assert give(lan.merchant, "4", giver, receiver, 100, now=DAY20 + timedelta(days=1)).done


def test_frozen_members_neither_spend_nor_give(family):
    merchant, granny, _, child = family
    Member.objects.filter(pk=granny).update(frozen_at=DAY20, frozen_because="lost card")
    assert give(merchant, "g", granny, child, 10).code == "frozen"
    asks = [Ask("s", "burn", granny, 10), Ask("h", "hold", granny, 10, until=DAY30), Ask("a", "adjust", granny, 10)]
    told = actions.ask(merchant=merchant, asks=asks, now=DAY20, actor="till")
    assert [(t.done, t.code) for t in told] == [(False, "frozen"), (False, "frozen"), (True, "")]


def test_the_family_pays_what_one_lacks_who_joined_first_first(family):
    merchant, granny, mother, child = family
    now = START + timedelta(days=50)
    told = actions.spend_from_family(merchant=merchant, key="doll", member_id=child, amount=620, now=now, actor="till")
    assert told.done
    assert [available(merchant, m, now) for m in (granny, mother, child)] == [0, 180, 0]
    again = actions.spend_from_family(merchant=merchant, key="doll", member_id=child, amount=620, now=now, actor="till")
    assert again == told._replace(replayed=True)
    # what is given back comes back to the child, with the days it had
    back = actions.ask(merchant=merchant, asks=[Ask("back", "return", child, 620, ref="doll")], now=now, actor="till")
    assert back[0].done
    assert available(merchant, child, now) == 620
    assert queries.verify(merchant).findings == []


def test_a_family_that_has_not_enough_gives_nothing(family):
    merchant, granny, mother, child = family
    now = START + timedelta(days=50)
    told = actions.spend_from_family(merchant=merchant, key="car", member_id=child, amount=801, now=now, actor="till")
    assert (told.done, told.code) == (False, "not_enough")
    assert [available(merchant, m, now) for m in (granny, mother, child)] == [500, 300, 0]
    assert not Txn.objects.filter(kind="handed").exists()


def test_a_charter_without_transfers_stops_the_pool_whole(family):
    merchant, granny, _, child = family
    actions.publish_charter(
        merchant=merchant,
        charter=document.from_plain(charter(transfer="no")),
        effective_from=DAY20,
        now=DAY20,
        actor="owner",
    )
    told = actions.spend_from_family(merchant=merchant, key="d", member_id=child, amount=20, now=DAY30, actor="till")
    assert (told.done, told.code) == (False, "not_enough")
    assert available(merchant, granny, DAY30) == 500


def test_families_are_small_and_nobody_is_in_two(family):
    merchant, granny, mother, child = family
    other = member(merchant, 9)
    with pytest.raises(actions.FamilyRefused) as told:
        actions.found_family(merchant=merchant, name="二", members=[child, other], now=DAY20, actor="owner")
    assert told.value.code == "in_another"
    assert Family.objects.count() == 1
    many = [member(merchant, n) for n in range(20, 30)]
    with pytest.raises(actions.FamilyRefused, match="at most 12"):
        actions.join_family(
            merchant=merchant, family_id=Family.objects.get().pk, members=many, now=DAY20, actor="owner"
        )
    for who in (granny, mother):
        assert actions.leave_family(merchant=merchant, member_id=who, now=DAY20, actor="owner")
    assert not Family.objects.exists()
    assert not Relative.objects.exists()
    assert not actions.leave_family(merchant=merchant, member_id=child, now=DAY20, actor="owner")


def test_large_corrections_wait_for_somebody_else(lan):
    publish(lan.merchant, charter(second_person_above=200))
    who = member(lan.merchant)

    def correct(key, points, reason="double scan"):
        return actions.correct(
            merchant=lan.merchant, key=key, member_id=who, amount=points, reason=reason, now=DAY20, actor="assistant"
        )

    assert correct("small", 200).done
    waiting = correct("large", 201)
    assert isinstance(waiting, Correction)
    assert correct("large", 201).pk == waiting.pk
    with pytest.raises(actions.KeyReused):
        correct("large", 202)
    with pytest.raises(actions.CorrectionRefused) as told:
        correct("none", 5, reason="  ")
    assert told.value.code == "no_reason"
    assert available(lan.merchant, who, DAY20) == 200

    def decide(agree, actor):
        return actions.decide_correction(
            merchant=lan.merchant, correction_id=waiting.pk, agree=agree, now=DAY20, actor=actor
        )

    with pytest.raises(actions.CorrectionRefused) as told:
        decide(True, "assistant")
    assert told.value.code == "same_person"
    found, answer = decide(True, "owner")
    assert (found.state, answer.done) == ("done", True)
    with pytest.raises(actions.CorrectionRefused) as told:
        decide(False, "owner")
    assert told.value.code == "decided"
    assert available(lan.merchant, who, DAY20) == 401
    away = correct("away", -402)
    found, answer = actions.decide_correction(
        merchant=lan.merchant, correction_id=away.pk, agree=True, now=DAY20, actor="owner"
    )
    assert (found.state, answer.code) == ("refused", "not_enough")
    assert available(lan.merchant, who, DAY20) == 401
