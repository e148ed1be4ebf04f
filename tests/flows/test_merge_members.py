"""Two members become one, and two again: the books are those of the facts, whatever was merged in between."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine import facts
from shuke.flows import merge_members
from shuke.flows.merge_members import MergeRefused
from shuke.flows.take_orders import take_orders
from shuke.kit.models import AuditLine
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask
from shuke.loyalty.models import Txn, Wallet
from shuke.loyalty.queries import books as stored
from shuke.members import actions as members_actions
from shuke.members import queries as members
from shuke.members.actions import Statement
from shuke.members.models import Identity, Member, MemberState, Merge, Suspicion
from shuke.orders.models import Order
from tests.cast import OPENED
from tests.loyalty.books import NOW, START, order, publish, refund
from tests.members.people import nick, person, phone

pytestmark = pytest.mark.django_db

A, B = "甲", "乙"


def of(who: str, one: facts.Order) -> facts.Order:
    """The order as the file of this account states it."""
    return one._replace(person=person(nick(who)))


def history(seed: int, who: str) -> list[facts.Order | facts.Refund]:
    rng = random.Random(f"{seed}{who}")
    told: list[facts.Order | facts.Refund] = []
    for n in range(rng.randint(1, 7)):
        day, yuan = rng.uniform(1, 400), rng.choice([19.9, 88, 150, 320.5, 700])
        told.append(of(who, order(f"{who}{n}", day, yuan)))
        if rng.random() < 0.3:
            told.append(refund(f"R{who}{n}", f"{who}{n}", day + rng.uniform(1, 60), yuan / 2))
    return told


def take(shop, what, now=NOW):
    take_orders(
        merchant=shop.merchant,
        orders=[w for w in what if isinstance(w, facts.Order)],
        refunds=[w for w in what if isinstance(w, facts.Refund)],
        now=now,
        actor="test",
    )


def who(shop, account: str) -> int:
    (found,) = members_actions.recognise(merchant=shop.merchant, people=[person(nick(account))], now=NOW)
    assert found.member_id is not None
    return found.member_id


def met(shop, account: str) -> int:
    """The record itself, merged away or not."""
    return Identity.objects.get(merchant=shop.merchant, shown=account).member_id


def ask(shop, member: int, key: str, kind: str, amount: int, days: float, **more) -> actions.Answer:
    moment = START + timedelta(days=days)
    one = Ask(key, kind, member, amount, **more)
    return actions.ask(merchant=shop.merchant, asks=[one], now=moment, actor="till")[0]


def join(shop, survivor: int, absorbed: int, **more) -> Merge:
    done = merge_members.merge(
        merchant=shop.merchant,
        survivor_id=survivor,
        absorbed_id=absorbed,
        reason="told us",
        now=NOW,
        actor="lan",
        **more,
    )
    return done.merge


def part(shop, merge: Merge, **more) -> merge_members.Merged:
    return merge_members.unmerge(
        merchant=shop.merchant, merge_id=merge.pk, reason="two sisters", now=NOW, actor="lan", **more
    )


def fingerprint(shop, member: int) -> list[str]:
    """Everything in a member's books, free of ids."""
    head = stored.heads(shop.merchant, [member])[member]
    told = [f"debt {head.debt} tier {head.tier} balance {head.balance} {head.standing.to_json()}"]
    told += [
        f"{lot.key} {stored.figures_of(lot)}"
        for _, _, lot in stored.lots(shop.merchant, [member], only_open=False)
        if lot.granted
    ]
    why = queries.why_tier(shop.merchant, member, NOW)
    told += [f"{c.at} {c.before} {c.after} {c.cause}" for c in why.history]
    return sorted(told)


def settled(shop, now=NOW) -> str:
    actions.run_clock(merchant=shop.merchant, now=now)
    report = queries.verify(shop.merchant)
    assert report.findings == []
    return queries.state_hash(shop.merchant)


def two(shop, seed: int = 1) -> tuple[int, int]:
    publish(shop.merchant)
    take(shop, history(seed, A))
    take(shop, history(seed, B))
    return who(shop, A), who(shop, B)


# ---- the law ------------------------------------------------------------------------------------------------------


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 10**6), asks=st.booleans(), late=st.booleans(), again=st.booleans())
def test_merged_books_are_those_of_one_member_and_parted_ones_as_if_nothing_had_been(
    lan, mingde, seed, asks, late, again
):
    from django.db import transaction

    with transaction.atomic():
        for shop in (lan, mingde):
            two(shop, seed)
            if asks:
                for account in (A, B):
                    member = who(shop, account)
                    ask(shop, member, f"gift-{account}", "adjust", 40, 401)
                    ask(shop, member, f"spend-{account}", "burn", 25, 402)
                    ask(shop, member, f"back-{account}", "return", 10, 403, ref=f"spend-{account}")
                    ask(shop, member, f"basket-{account}", "hold", 5, 404, until=START + timedelta(days=404.5))
        extra = history(seed + 1, A + "2") + history(seed + 1, B + "2") if late else []
        extra = [w._replace(person=person(nick(w.number[0]))) if isinstance(w, facts.Order) else w for w in extra]

        # mingde is never merged; lan is, hears more facts meanwhile, and is parted again
        take(mingde, extra)
        done = join(lan, met(lan, A), met(lan, B))
        settled(lan)
        take(lan, extra)
        settled(lan)
        assert Order.objects.filter(merchant=lan.merchant, member_id=met(lan, B)).count() == 0
        if again:
            part(lan, done)
            settled(lan)
            done = join(lan, met(lan, A), met(lan, B))
            settled(lan)
        one = fingerprint(lan, met(lan, A))

        part(lan, done)
        assert settled(lan) == settled(mingde)
        for account in (A, B):
            assert fingerprint(lan, met(lan, account)) == fingerprint(mingde, met(mingde, account))

        # what was merged is what one member has who did all of it from the start
        if not asks:
            whole = facts_of_one(mingde, seed, extra)
            assert one == whole
        transaction.set_rollback(True)


def facts_of_one(shop, seed: int, extra: list) -> list[str]:
    """Make another member of the same merchant do everything, and look at the books."""
    from shuke.orders.actions.moving import move_orders

    first = met(shop, A)
    for account in (B,):
        move_orders(merchant=shop.merchant, owner=met(shop, account), to=first)
    joined = min(Member.objects.filter(merchant=shop.merchant).values_list("joined_at", flat=True))
    Member.objects.filter(pk=first).update(joined_at=joined)
    actions.settle(merchant=shop.merchant, order_ids=[], also_members=[first, met(shop, B)], now=NOW, actor="test")
    actions.run_clock(merchant=shop.merchant, now=NOW)
    return fingerprint(shop, first)


# ---- what people see ----------------------------------------------------------------------------------------------


def test_orders_move_and_numbers_of_either_find_the_survivor(lan):
    one, other = two(lan)
    card = Member.objects.get(pk=other).card
    orders = Order.objects.filter(merchant=lan.merchant).count()
    join(lan, one, other)
    assert Order.objects.filter(member_id=one).count() == orders
    assert members.member_of(lan.merchant.pk, card).pk == one
    assert [hit.member_id for hit in members.find(lan.merchant, B)] == [one]
    assert who(lan, B) == one
    assert {i.shown for i in members.identities_of(lan.merchant, one)} == {A, B}


def test_what_is_told_of_the_absorbed_record_while_merged_goes_back_with_it(lan):
    one, other = two(lan)
    done = join(lan, one, other)
    number = "+8613800138222"
    told = of(B, order("new", 300, 60))._replace(person=person(nick(B), phone(number), phones=(number,)))
    take(lan, [told, of(A, order("own", 301, 60))])
    take(lan, [told])  # twice, and nothing is doubled
    assert members.find(lan.merchant, "138222")[0].member_id == one
    part(lan, done)
    assert Order.objects.get(number="new").member_id == other
    assert Order.objects.get(number="own").member_id == one
    assert [h.member_id for h in members.find(lan.merchant, "138222")] == [other]
    assert members.contacts_of(lan.merchant, one) == []
    settled(lan)


def test_the_preview_says_what_the_merge_then_does(lan):
    one, other = two(lan, 5)
    seen = merge_members.preview(merchant=lan.merchant, survivor_id=one, absorbed_id=other, now=NOW)
    assert Merge.objects.count() == 0
    join(lan, one, other)
    settled(lan)
    now_held = queries.balance(lan.merchant, one, NOW)
    assert seen.together is not None
    assert (seen.together.available, seen.together.pending) == (now_held.available, now_held.pending)
    assert seen.together.tier == queries.why_tier(lan.merchant, one, NOW).tier
    assert seen.survivor.orders + seen.absorbed.orders == Order.objects.filter(member_id=one).count()


def test_the_profile_fills_gaps_and_takes_what_is_chosen_and_gives_it_back(lan):
    one, other = two(lan)
    Member.objects.filter(pk=one).update(name="张小明", city="上海", tags=["老客"], note="喜欢橙色")
    Member.objects.filter(pk=other).update(
        name="张明",
        gender="m",
        tags=["老客", "干皮"],
        note="电话联系",
        attributes={"skin": "dry"},
        birth_month=5,
        birth_day=1,
    )
    before = Member.objects.filter(pk=one).values().get()
    done = join(lan, one, other, take={"name": "absorbed"})
    held = Member.objects.get(pk=one)
    assert (held.name, held.gender, held.city, held.tags) == ("张明", "m", "上海", ["老客", "干皮"])
    assert (held.note, held.attributes, held.birth_month) == ("喜欢橙色\n电话联系", {"skin": "dry"}, 5)
    assert [h.member_id for h in members.find(lan.merchant, "张小明")] == [one]
    Member.objects.filter(pk=one).update(city="北京")  # edited since: stays
    part(lan, done)
    assert Member.objects.filter(pk=one).values().get() == before | {"city": "北京"}
    settled(lan)


def test_of_two_words_on_consent_the_stricter_holds_and_a_refusal_meanwhile_binds_both(lan):
    one, other = two(lan)

    def say(member, channel, granted, day):
        at = START + timedelta(days=day)
        members_actions.consent(
            merchant=lan.merchant, statements=[Statement(member, channel, "care", granted, at, "counter")], now=NOW
        )

    def holds(member):
        return {key[0]: c.granted for key, c in members.current_consents(lan.merchant, member).items()}

    say(one, "sms", True, 5)
    say(other, "sms", False, 1)  # the older word, and the stricter
    say(other, "email", True, 2)
    say(one, "phone", False, 1)
    say(other, "phone", True, 9)
    seen = merge_members.preview(merchant=lan.merchant, survivor_id=one, absorbed_id=other, now=NOW)
    assert {c[0]: c[4] for c in seen.consents} == {"sms": False, "email": True, "phone": False}
    done = join(lan, one, other)
    assert holds(one) == {"sms": False, "email": True, "phone": False}
    members_actions.consent(
        merchant=lan.merchant, statements=[Statement(one, "email", "care", False, NOW, "portal")], now=NOW
    )
    part(lan, done)
    assert holds(one) == {"sms": True, "email": False, "phone": False}
    assert holds(other) == {"sms": False, "email": False, "phone": True}


def test_a_suspicion_ends_with_the_merge_and_is_remembered_as_wrong_when_parted(lan):
    one, other = two(lan)
    Suspicion.objects.create(
        merchant=lan.merchant, member_id=min(one, other), other_id=max(one, other), reason="same_phone", noted_at=NOW
    )
    assert len(members.suspicions(lan.merchant)) == 1
    done = join(lan, one, other)
    assert members.suspicions(lan.merchant) == []
    part(lan, done)
    assert members.suspicions(lan.merchant) == []
    assert [p.reasons for p in members.suspicions(lan.merchant, state="different")] == [("same_phone",)]
    part(lan, join(lan, one, other), different=False)
    assert len(members.suspicions(lan.merchant)) == 1


def test_it_is_on_the_timeline_and_in_the_audit_log(lan):
    one, other = two(lan)
    part(lan, join(lan, one, other))
    assert [line.kind for line in members.timeline(lan.merchant, one) if line.ref.startswith("merge:")] == [
        "unmerged",
        "merged",
    ]
    lines = (
        AuditLine.objects.filter(verb__startswith="member.")
        .order_by("id")
        .values_list("verb", "actor", "detail__reason")
    )
    assert list(lines) == [("member.merged", "lan", "told us"), ("member.unmerged", "lan", "two sisters")]


def test_the_same_again_does_nothing(lan):
    one, other = two(lan)
    done = join(lan, one, other)
    postings = Txn.objects.count()
    again = merge_members.merge(
        merchant=lan.merchant, survivor_id=one, absorbed_id=other, reason="told us", now=NOW, actor="lan"
    )
    assert (again.replayed, again.merge.pk, Txn.objects.count()) == (True, done.pk, postings)
    part(lan, done)
    assert part(lan, done).replayed


@pytest.mark.parametrize(
    "code", ["same_member", "already_merged", "in_chain", "holds_open", "no_reason", "undone", "no_merge"]
)
def test_what_cannot_be_merged_is_refused_and_nothing_is_changed(lan, code):
    one, other = two(lan)
    third = members_actions.recognise(merchant=lan.merchant, people=[person(nick("丙"))], now=NOW)[0].member_id
    call = {
        "merchant": lan.merchant,
        "survivor_id": one,
        "absorbed_id": other,
        "reason": "same",
        "now": NOW,
        "actor": "lan",
    }
    if code == "same_member":
        call["absorbed_id"] = one
    elif code == "already_merged":
        join(lan, third, other)
    elif code == "in_chain":
        join(lan, other, third)
    elif code == "holds_open":
        ask(lan, other, "gift", "adjust", 50, 450)
        ask(lan, other, "basket", "hold", 20, 451, until=NOW + timedelta(hours=1))
    elif code == "no_reason":
        call["reason"] = " "
    elif code == "undone":
        Member.objects.filter(pk=other).update(state=MemberState.UNDONE)
    merges, postings = Merge.objects.count(), Txn.objects.count()
    do = merge_members.merge
    if code == "no_merge":
        do = merge_members.unmerge
        call = {"merchant": lan.merchant, "merge_id": 1, "reason": "", "now": NOW, "actor": "lan"}
    with pytest.raises(MergeRefused) as refused:
        do(**call)
    assert refused.value.code == code
    assert (Merge.objects.count(), Txn.objects.count()) == (merges, postings)


def test_another_merchants_member_is_nobody(lan, mingde):
    one, _ = two(lan)
    stranger = who(mingde, A)
    with pytest.raises(members.NoSuchMember):
        join(lan, one, stranger)


def test_an_order_that_came_in_the_moment_of_the_merge_is_brought_home(lan):
    one, other = two(lan)
    done = join(lan, one, other)
    Order.objects.filter(number=f"{B}0").update(member_id=other)  # as an import that had asked just before would write
    assert merge_members.gather_strays(merchant=lan.merchant, now=NOW, actor="clock") == 1
    assert Order.objects.get(number=f"{B}0").member_id == one
    settled(lan)
    part(lan, done)
    assert Order.objects.get(number=f"{B}0").member_id == other
    settled(lan)


def test_points_spent_together_stay_with_the_one_who_stays(lan):
    """A spend made while merged was the survivor's word; what it took beyond their own points becomes debt."""
    one, other = two(lan)
    ask(lan, other, "gift", "adjust", 100, 480)
    done = join(lan, one, other)
    spent = queries.balance(lan.merchant, one, START + timedelta(days=481)).available
    assert ask(lan, one, "all", "burn", spent, 481).done
    part(lan, done)
    settled(lan)
    assert queries.balance(lan.merchant, one, NOW).debt > 0
    assert queries.balance(lan.merchant, other, NOW).available > 0
    assert not Wallet.objects.filter(member_id=one, balance__gt=0, debt__gt=0).exists()


def test_the_opening_balance_of_either_half_is_not_brought_again(lan):
    publish(lan.merchant)
    told = [person(nick(n))._replace(opening_points=50, joined_at=OPENED) for n in (A, B)]
    for _ in range(2):
        take_orders(merchant=lan.merchant, orders=[], people=told, now=NOW, actor="test")
    one, other = who(lan, A), who(lan, B)
    join(lan, one, other)
    take_orders(merchant=lan.merchant, orders=[], people=told, now=NOW, actor="test")
    assert queries.balance(lan.merchant, one, NOW).available == 100
    settled(lan)


def test_one_order_under_two_account_names_is_a_suspicion_and_merges_to_what_it_was(lan):
    """A renamed Taobao account: the later export of the same order names somebody new."""
    publish(lan.merchant)
    take(lan, [of(A, order("8000", 20, 100)), of(A, order("8001", 30, 100))])
    one = who(lan, A)
    settled(lan)
    before = fingerprint(lan, one)
    take(lan, [of(B, order("8001", 30, 100))._replace(stated_at=NOW)])
    other = who(lan, B)
    assert [(p.one.pk, p.other.pk, p.reasons) for p in members.suspicions(lan.merchant)] == [(one, other, ("renamed",))]
    take(lan, [of(B, order("8001", 30, 100))._replace(stated_at=NOW)])
    assert len(members.suspicions(lan.merchant)) == 1
    join(lan, one, other)
    settled(lan)
    assert fingerprint(lan, one) == before


def test_requests_under_the_old_id_are_the_survivors_and_answered_ones_stay_answered(lan):
    a, b = two(lan)
    first = ask(lan, b, "spend", "burn", 10, 450)
    assert first.done
    join(lan, a, b)
    assert ask(lan, b, "spend", "burn", 10, 450) == first._replace(replayed=True)
    assert ask(lan, a, "spend", "burn", 10, 450) == first._replace(replayed=True)
    before = queries.balance(lan.merchant, a, START + timedelta(days=460)).available
    assert ask(lan, b, "gift", "adjust", 25, 455).done
    assert ask(lan, a, "back", "return", 10, 456, ref="spend").done
    assert queries.balance(lan.merchant, a, START + timedelta(days=460)).available == before + 35
    with pytest.raises(actions.KeyReused):
        ask(lan, a, "spend", "burn", 11, 457)
    assert queries.verify(lan.merchant).findings == []
