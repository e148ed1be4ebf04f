"""Handing out: quota, log, cost, undo, plans; once per key, whoever asks how often."""

from datetime import timedelta

import pytest

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import KeyReused
from shuke.loyalty.actions.benefits import REFUSALS, hand_out, hand_over, take_back
from shuke.loyalty.models import BenefitUse
from shuke.loyalty.queries import benefits
from shuke.members.models import SpecialDay, TimelineLine
from tests.loyalty.books import CHARTER, START, member, order, publish, refund, take

NOW = START + timedelta(days=20)


def named(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


RIGHTS = {
    "benefits": [
        {"key": "wrap", "name": named("礼品包装"), "kind": "gift_wrap", "grants": [{"times": 2}], "cost": "3.50"},
        {"key": "lounge", "name": named("贵宾室"), "kind": "lounge", "grants": [{"tiers": ["gold"]}]},
        {"key": "price", "name": named("九五折"), "kind": "discount", "grants": [{}]},
        {"key": "cake", "name": named("生日蛋糕"), "kind": "birthday_gift", "per": "year", "grants": [{"times": 1}], "when": {"birthday": "month"}},
        {"key": "roses", "name": named("花束"), "kind": "special_day_gift", "grants": [{"times": 1}], "when": {"special_days": ["wedding"]}},
        {"key": "tea", "name": named("茶"), "grants": [{"times": 1}], "when": {"stores": ["XH"]}},
    ],
    "plans": [
        {"key": "spend", "name": named("累计"), "steps": [{"at_least": 300, "name": named("小样"), "points": 50, "cost": 8}]},
        {"key": "care", "name": named("护肤"), "counts": "pieces", "of": {"categories": ["护肤"]}, "repeat": True, "per": "lifetime",
         "steps": [{"at_least": 2, "name": named("送一")}]},
        {"key": "fan", "name": named("常客"), "counts": "orders", "honour": True, "steps": [{"at_least": 1, "name": named("铜")}]},
    ],
}  # fmt: skip


@pytest.fixture
def shop(lan):
    publish(lan.merchant, {**CHARTER, "rights": RIGHTS})
    return lan


def give(shop, who, benefit="wrap", key="k1", now=NOW, actor="lan.assistant", **more):
    return hand_out(merchant=shop.merchant, member_id=who, benefit=benefit, key=key, now=now, actor=actor, **more)


def codes(shop, who, now=NOW, store=""):
    return {r.key: r.code for r in benefits.rights_of(shop.merchant, who, now, store)}


def test_two_of_two_and_the_third_is_refused_and_remembered(shop):
    who = member(shop.merchant)
    told = [give(shop, who, key=f"k{n}") for n in range(3)]
    assert [t.code for t in told] == ["", "", "used_up"]
    assert [t.figures.get("left") for t in told[:2]] == [1, 0]
    assert told[2].say("en") == "礼品包装 is used up: 2 of 2 in this period."
    assert give(shop, who, key="k2").code == "used_up"
    take_back(merchant=shop.merchant, use_id=told[0].use.pk, now=NOW, actor="lan.assistant")
    again = give(shop, who, key="k2")  # a retry of the refused one never flips, a new one is served
    assert (again.code, again.replayed) == ("used_up", True)
    assert again.say("en") == told[2].say("en")
    assert give(shop, who, key="k3").done


def test_the_same_key_is_one_hand_out_and_another_request_under_it_an_error(shop):
    who, other = member(shop.merchant), member(shop.merchant, 2)
    assert give(shop, who).use == give(shop, who).use
    assert benefits.log(shop.merchant).count() == 1
    for wrong in ({"benefit": "lounge"}, {}):
        with pytest.raises(KeyReused):
            give(shop, who if wrong else other, **wrong)


def test_every_hand_out_is_logged_costed_and_on_the_timeline(shop):
    who = member(shop.merchant)
    give(shop, who, store=shop.street, note_text="红色缎带")
    row = benefits.log(shop.merchant).get()
    assert (row.actor, row.store, row.note, row.cost_minor, row.tier) == (
        "lan.assistant",
        shop.street,
        "红色缎带",
        350,
        "member",
    )
    line = TimelineLine.objects.get(member_id=who, kind="benefit.used")
    assert (line.body["benefit"], line.body["cost_minor"]) == ("wrap", 350)
    assert benefits.costs_of(shop.merchant, [who]) == {who: 350}
    told = benefits.report(shop.merchant, START, NOW + timedelta(days=1))
    assert [(u.benefit, u.tier, u.times, u.members, u.cost_minor) for u in told] == [("wrap", "member", 1, 1, 350)]


def test_taking_back_frees_quota_and_cost_within_the_minutes(shop):
    who = member(shop.merchant)
    use = give(shop, who).use
    late = NOW + timedelta(minutes=31)
    refused = take_back(merchant=shop.merchant, use_id=use.pk, now=late, actor="lan.assistant")
    assert (refused.code, refused.say("en")[:31]) == ("too_late", "It can be taken back for 30 min")
    done = take_back(merchant=shop.merchant, use_id=use.pk, now=late, actor="lan.manager", late=True, because="认错人")
    assert done.done
    assert take_back(merchant=shop.merchant, use_id=use.pk, now=late, actor="lan.manager").replayed
    assert benefits.costs_of(shop.merchant, [who]) == {}
    assert [r.left for r in benefits.rights_of(shop.merchant, who, NOW) if r.key == "wrap"] == [2]
    assert take_back(merchant=shop.merchant, use_id=1, now=NOW, actor="x").code == "not_handed_out"


def test_each_reason_has_a_sentence_in_both_languages(shop):
    who = member(shop.merchant)
    gold = member(shop.merchant, 2, birth_month=1, birth_day=3)
    SpecialDay.objects.create(merchant=shop.merchant, member_id=gold, kind="wedding", month=5, day=20)
    take(shop.merchant, gold, order("a", 1, 900))
    assert codes(shop, who) == {
        "wrap": "", "lounge": "not_this_tier", "price": "automatic", "cake": "no_birthday", "roses": "no_special_day", "tea": "not_here",
    }  # fmt: skip
    assert codes(shop, gold, store="XH") == {
        "wrap": "",
        "lounge": "",
        "price": "automatic",
        "cake": "",
        "roses": "not_now",
        "tea": "",
    }
    for n, key in enumerate(("nothing", "lounge", "cake", "roses", "tea", "price", "spend.0", "spend.9", "fan.0")):
        told = give(shop, who, key, f"r{n}")
        assert told.code in REFUSALS
        assert told.say("en") != told.say("zh") != ""
    assert give(shop, who, "tea", "r99", store=shop.street).done


def test_the_tier_that_counts_is_that_of_the_moment(shop):
    who = member(shop.merchant)
    assert codes(shop, who)["lounge"] == "not_this_tier"
    take(shop.merchant, who, order("a", 1, 900))
    assert codes(shop, who)["lounge"] == ""
    # Gold for 900 in January falls at the second review, in July, 7 days of grace later; nobody has run the clock.
    assert codes(shop, who, START + timedelta(days=230))["lounge"] == "not_this_tier"


def test_a_frozen_member_gets_nothing(shop):
    who = member(shop.merchant, frozen_at=NOW)
    assert give(shop, who).code == "frozen"


# -- plans --------------------------------------------------------------------------------------------------------


def plan(shop, who, key, now=NOW):
    return next(c for c in benefits.close_to(shop.merchant, who, now) if c.key == key)


def test_a_step_of_the_ladder_is_claimed_once_with_its_points(shop):
    who = member(shop.merchant)
    take(shop.merchant, who, order("a", 1, 200), now=NOW)
    assert (plan(shop, who, "spend").missing, give(shop, who, "spend.0", "c0").code) == (10_000, "not_reached")
    take(shop.merchant, who, order("b", 2, 100), now=NOW)
    before = queries.balance(shop.merchant, who, NOW).available
    told = give(shop, who, "spend.0", "c1")
    assert (told.done, told.use.points, told.use.cost_minor) == (True, 50, 800)
    assert queries.balance(shop.merchant, who, NOW).available == before + 50
    assert give(shop, who, "spend.0", "c2").code == "not_reached"
    assert give(shop, who, "spend.0", "c1").replayed
    assert queries.balance(shop.merchant, who, NOW).available == before + 50
    take_back(merchant=shop.merchant, use_id=told.use.pk, now=NOW, actor="lan.assistant")
    assert queries.balance(shop.merchant, who, NOW).available == before
    assert give(shop, who, "spend.0", "c3").done
    assert queries.verify(shop.merchant).findings == []


def test_points_that_are_spent_keep_a_step_from_being_taken_back(shop):
    who = member(shop.merchant)
    take(shop.merchant, who, order("a", 16, 400), now=NOW)  # its own points are pending still
    use = give(shop, who, "spend.0", "c1").use
    actions.ask(merchant=shop.merchant, asks=[actions.Ask("b", "burn", who, 10)], now=NOW, actor="x")
    told = take_back(merchant=shop.merchant, use_id=use.pk, now=NOW, actor="lan.assistant")
    assert (told.code, BenefitUse.objects.get(pk=use.pk).state) == ("points_spent", "done")
    later = NOW + timedelta(minutes=5)
    actions.ask(merchant=shop.merchant, asks=[actions.Ask("a", "adjust", who, 10)], now=later, actor="x")
    assert take_back(merchant=shop.merchant, use_id=use.pk, now=later, actor="lan.assistant").done


def test_pieces_of_chosen_goods_count_net_of_returns(shop):
    who = member(shop.merchant)
    take(shop.merchant, who, *(order(f"o{n}", n, 90) for n in range(1, 6)), now=NOW)
    assert [(i, n) for i, _, n in plan(shop, who, "care").due] == [(0, 2)]  # five creams: twice two
    assert give(shop, who, "care.0", "c1").done
    take(shop.merchant, who, refund("r1", "o1", 6, 90), refund("r2", "o2", 6, 90), now=NOW)
    seen = plan(shop, who, "care")
    assert (seen.due, seen.have, seen.missing) == ((), 1000, 1000)  # three left: one round, claimed
    assert give(shop, who, "care.0", "c2").code == "not_reached"


def test_part_of_an_order_that_came_back_counts_in_part(shop):
    who = member(shop.merchant)
    take(shop.merchant, who, order("o1", 1, 90), refund("r1", "o1", 2, 45), now=NOW)
    assert plan(shop, who, "care").have == 500
    assert plan(shop, who, "spend").have == 4500


def test_orders_fully_given_back_are_no_orders(shop):
    who = member(shop.merchant)
    take(shop.merchant, who, order("o1", 1, 90), order("o2", 2, 90), refund("r1", "o1", 2, 90), now=NOW)
    seen = plan(shop, who, "fan")
    assert (seen.kind, seen.have, [step.name.zh for _, step, _ in seen.reached]) == ("honour", 1, ["铜"])


def test_another_merchants_charter_log_and_rights_are_not_ours(shop, mingde):
    publish(mingde.merchant)
    who = member(shop.merchant)
    give(shop, who)
    assert benefits.log(mingde.merchant).count() == 0
    assert benefits.rights_of(mingde.merchant, member(mingde.merchant), NOW) == []


def test_what_was_handed_out_before_a_merge_counts_for_the_one_who_lives_on(shop):
    from shuke.flows.merge_members import merge
    from shuke.loyalty.actions import gifts

    one, other = member(shop.merchant), member(shop.merchant, 2)
    take(shop.merchant, other, order("a", 1, 900), now=NOW)
    give(shop, other)
    use = give(shop, other, "spend.0", "step").use
    values = {"name_zh": "杯", "name_en": "Mug", "points": 100, "per_member": 1}
    gifts.save_gift(merchant=shop.merchant, code="mug", values=values, now=NOW, actor="x")
    had = gifts.order(
        merchant=shop.merchant, member_id=other, gift="mug", key="g", at_once=True, now=NOW, actor="x"
    ).order
    merge(merchant=shop.merchant, survivor_id=one, absorbed_id=other, reason="同一人", now=NOW, actor="lan.owner")
    later = NOW + timedelta(minutes=1)
    assert [r.left for r in benefits.rights_of(shop.merchant, one, later) if r.key == "wrap"] == [1]
    assert (
        gifts.order(
            merchant=shop.merchant, member_id=one, gift="mug", key="g2", at_once=True, now=later, actor="x"
        ).code
        == "limit"
    )
    assert gifts.give_back(merchant=shop.merchant, order_id=had.pk, key="b", now=later, actor="x").code == "merged"
    before = queries.balance(shop.merchant, one, later).available
    assert take_back(merchant=shop.merchant, use_id=use.pk, now=later, actor="x").done
    assert queries.balance(shop.merchant, one, later).available == before - 50
    assert queries.verify(shop.merchant).findings == []


def test_the_thing_that_goes_with_a_steps_points_is_handed_over_later_once(shop):
    who = member(shop.merchant)
    take(shop.merchant, who, order("a", 1, 400), now=NOW)
    before = queries.balance(shop.merchant, who, NOW).available
    use = give(shop, who, "spend.0", "claim", actor="token:7").use
    assert queries.balance(shop.merchant, who, NOW + timedelta(seconds=1)).available == before + 50
    assert [u.pk for u in benefits.things_waiting(shop.merchant, who)] == [use.pk]
    later = NOW + timedelta(days=3)
    same = {"merchant": shop.merchant, "use_id": use.pk, "store": shop.street}
    assert hand_over(**same, now=later, actor="lan.assistant").done
    told = hand_over(**same, now=later, actor="lan.manager")
    assert (told.done, told.code) == (False, "nothing_waits")
    assert told.say("zh") != told.say("en")
    row = BenefitUse.objects.get(pk=use.pk)
    assert (row.handed_at, row.handed_by, row.store, row.actor) == (later, "lan.assistant", shop.street, "token:7")
    assert TimelineLine.objects.get(member_id=who, kind="benefit.handed").body["by"] == "lan.assistant"
    assert not benefits.things_waiting(shop.merchant).exists()


def test_a_step_of_a_thing_alone_is_handed_out_as_it_is_claimed_and_what_is_taken_back_waits_no_more(shop):
    who = member(shop.merchant)
    take(shop.merchant, who, order("a", 1, 400), order("b", 2, 400), now=NOW)
    assert not give(shop, who, "care.0", "thing").use.waits
    use = give(shop, who, "spend.0", "claim").use
    assert benefits.things_waiting(shop.merchant).exists()
    assert take_back(merchant=shop.merchant, use_id=use.pk, now=NOW, actor="lan.assistant").done
    assert not benefits.things_waiting(shop.merchant).exists()
    assert hand_over(merchant=shop.merchant, use_id=use.pk, now=NOW, actor="x").code == "nothing_waits"
