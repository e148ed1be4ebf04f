"""A version that grades otherwise comes into force: the books of everybody say so, at once and for ever the same."""

import random
from datetime import timedelta
from itertools import pairwise

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.selling import Issue
from shuke.flows import publish_charter
from shuke.flows.checkout import price
from shuke.flows.night import night_run
from shuke.kit import clock, jobs
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import gift_shelf
from shuke.loyalty.actions import gifts as orders
from shuke.loyalty.models import TierChange, Wallet
from shuke.loyalty.queries import benefits, gifts
from shuke.loyalty.queries.coupons.occasions import Occasion, in_tiers, occasions
from shuke.loyalty.queries.member import bearings
from shuke.members.models import TimelineLine
from tests.loyalty.books import CHARTER, NOW, START, member, order, publish, refund, take
from tests.loyalty.till import basket, give, template

pytestmark = pytest.mark.django_db
BEGINS = NOW + timedelta(days=3)
GRADED = CHARTER | {
    "grading": CHARTER["grading"] | {"window": {"kind": "rolling", "months": 12}, "review": {"kind": "never"}}
}


def tiers(*told):
    """`("star", 800, ["gold"])` …, above the lowest."""
    found = [CHARTER["tiers"][0]]
    for key, least, was in told:
        name = {"zh": f"{key}卡", "en": key.title()}
        found.append({"key": key, "name": name, "was": was, "reach": {"measure": "amount", "at_least": least}})
    return found


def second(merchant, *told, at=BEGINS, now=NOW, **more):
    charter = document.from_plain(GRADED | {"tiers": tiers(*told)} | more)
    return publish_charter.publish(merchant=merchant, charter=charter, effective_from=at, now=now, actor="owner")


@pytest.fixture
def shop(lan):
    publish(lan.merchant, GRADED)
    for n, yuan in enumerate((100, 900, 5000), 1):
        take(lan.merchant, member(lan.merchant, n), order(f"A{n}", 400, yuan))
    return lan.merchant


def held() -> list[str]:
    return list(Wallet.objects.order_by("member_id").values_list("tier", flat=True))


def test_everybody_has_the_tier_of_the_new_charter_the_moment_it_begins(shop):
    second(shop, ("star", 800, []), ("sun", 4000, []))
    assert held() == ["member", "gold", "gold"]
    job = jobs.Job.objects.get(name=publish_charter.BEGIN)
    assert job.due_at == BEGINS - timedelta(seconds=shop.clock_shift)
    assert actions.run_clock(merchant=shop, now=BEGINS - timedelta(minutes=1)).members >= 0
    assert held() == ["member", "gold", "gold"]
    actions.run_clock(merchant=shop, now=BEGINS)
    assert held() == ["member", "star", "sun"]
    assert queries.tier_counts(shop) == {"member": 1, "star": 1, "sun": 1}
    assert queries.verify(shop).findings == []
    before = queries.state_hash(shop)
    assert actions.run_clock(merchant=shop, now=BEGINS + timedelta(hours=1)).members == 0
    assert queries.state_hash(shop) == before


def test_the_night_does_it_where_no_worker_runs(shop):
    second(shop, ("star", 800, []))
    night_run(merchant=shop, day=BEGINS.date(), now=BEGINS + timedelta(days=1))
    assert held() == ["member", "star", "star"]


def test_a_version_that_grades_alike_looks_at_nobody(shop):
    same = GRADED | {"duties": [{"zh": "请爱护", "en": "Be kind"}]}
    publish_charter.publish(
        merchant=shop, charter=document.from_plain(same), effective_from=BEGINS, now=NOW, actor="owner"
    )
    assert not jobs.Job.objects.filter(name=publish_charter.BEGIN).exists()
    actions.run_clock(merchant=shop, now=BEGINS - timedelta(minutes=1))  # points lapse
    assert actions.run_clock(merchant=shop, now=BEGINS + timedelta(minutes=1)).members == 0


def test_a_rename_is_no_rise_and_no_new_tier(shop):
    who = Wallet.objects.order_by("member_id")[1].member_id
    since = Wallet.objects.get(member_id=who).tier_since
    second(shop, ("star", 800, []))
    actions.run_clock(merchant=shop, now=BEGINS)
    line = TimelineLine.objects.get(member_id=who, at=BEGINS, kind__startswith="tier.")
    assert (line.kind, line.body["before"], line.body["after"]) == ("tier.renamed", "gold", "star")
    assert Wallet.objects.get(member_id=who).tier_since == since
    why = queries.why_tier(shop, who, BEGINS)
    assert (why.tier, why.since, why.cause) == ("star", START + timedelta(days=400), "reached")
    assert [(c.before, c.after, c.cause) for c in why.history[:2]] == [
        ("gold", "star", "charter"),
        ("member", "gold", "reached"),
    ]
    assert benefits.known(shop, who, BEGINS).who.tiers[-1] == (START + timedelta(days=400), "star")


def test_who_asks_before_the_clock_has_run_is_told_the_same(shop):
    who = Wallet.objects.order_by("member_id")[2].member_id
    second(shop, ("star", 800, ["gold"]), ("sun", 4000, []))
    early = queries.why_tier(shop, who, BEGINS)
    actions.run_clock(merchant=shop, now=BEGINS)
    late = queries.why_tier(shop, who, BEGINS)
    told = [
        (w.tier, w.since, w.cause, w.decided_by, [(c.at, c.before, c.after, c.cause, c.why) for c in w.history])
        for w in (early, late)
    ]
    assert told[0] == told[1]
    assert (late.tier, late.cause, late.decided_by["reach"]["figure"]) == ("sun", "charter", 500000)


def test_coupons_for_rising_are_for_those_who_rose(shop):
    second(shop, ("star", 800, []), ("sun", 4000, []))
    actions.run_clock(merchant=shop, now=BEGINS)
    after = BEGINS + timedelta(hours=1)
    risen = {
        o.member_id
        for o in occasions(shop, Issue(on="tier_up"), after, after + timedelta(days=9000))
        if "charter" in o.ref
    }
    assert risen == set()  # ids are made by the real clock, which is far from this story's
    kinds = (
        TimelineLine.objects.filter(at=BEGINS, kind__startswith="tier.")
        .order_by("member_id")
        .values_list("kind", flat=True)
    )
    assert list(kinds) == ["tier.renamed", "tier.up"]


def test_a_gift_and_a_coupon_for_a_tier_are_for_it_under_its_new_name_too(shop):
    plain, gold, best = Wallet.objects.order_by("member_id").values_list("member_id", flat=True)
    for code, tier in (("cup", ["gold"]), ("hat", ["member"])):
        gift_shelf.save_gift(
            merchant=shop,
            code=code,
            values={"name_zh": "杯", "name_en": "Cup", "points": 10, "tiers": tier},
            now=NOW,
            actor="owner",
        )
    template(shop, when={"tiers": ["gold"]})
    give(shop, gold)
    second(shop, ("star", 800, []), ("sun", 4000, []))
    actions.run_clock(merchant=shop, now=BEGINS)

    asks = [actions.Ask(f"p{who}", "adjust", who, 50) for who in (plain, gold, best)]
    assert all(told.done for told in actions.ask(merchant=shop, asks=asks, now=BEGINS, actor="owner"))

    def offered(who):
        return [o.gift.code for o in gifts.offers(shop, who, bearings(shop, who, BEGINS).tier, BEGINS) if not o.code]

    assert (offered(plain), offered(gold), offered(best)) == (["hat"], ["cup"], [])
    assert orders.order(merchant=shop, member_id=gold, gift="cup", key="g", now=BEGINS, actor="till").done
    assert price(merchant=shop, basket=basket(100, best=True)[0], member_id=gold, now=BEGINS).discount == 1_000
    rule = Issue(on="birthday", tiers=("gold",), days=7)
    everybody = [Occasion(who, "x") for who in (plain, gold, best)]
    assert [one.member_id for one in in_tiers(shop, rule, everybody, BEGINS)] == [gold]


def test_a_longer_window_counts_what_was_bought_before_it(lan):
    """Daily figures older than any window are forgotten; a version with a longer one gathers them again."""
    shop = lan.merchant
    publish(shop, GRADED | {"grading": GRADED["grading"] | {"window": {"kind": "rolling", "months": 3}}})
    who = member(shop)
    take(shop, who, order("A", 20, 700))
    take(shop, who, order("B", 480, 700))
    assert held() == ["member"]
    longer = {"grading": GRADED["grading"] | {"window": {"kind": "rolling", "months": 24}}}
    second(shop, ("gold", 1400, []), **longer)
    assert jobs.Job.objects.filter(name=publish_charter.SETTLE).exists()
    while running := jobs.claim(worker="test", now=clock.utc_now()):
        jobs.handlers()[running.name](running)
        jobs.Job.objects.filter(pk=running.id).update(state="done")
    assert queries.verify(shop).findings == []
    actions.run_clock(merchant=shop, now=BEGINS)
    assert held() == ["gold"]
    assert queries.verify(shop).findings == []


@pytest.mark.parametrize("seed", range(6))
def test_books_are_the_fold_of_the_facts_through_three_charters(lan, seed):
    """Bought before, between and after, told in time or late, with returns, a tier by hand and a paid card."""
    shop, rng = lan.merchant, random.Random(seed)
    first = GRADED | {
        "grading": GRADED["grading"] | {"review": {"kind": "monthly", "day": 5}, "grace_days": rng.choice([0, 9])}
    }
    publish(shop, first)
    buyers = [member(shop, n) for n in range(1, 4)]
    for n in range(20):
        take(shop, rng.choice(buyers), order(f"A{n}", rng.uniform(300, 510), rng.choice([90, 300, 900])))
    second(shop, ("star", 800, []), ("sun", 3000, []), grading=first["grading"])
    given = rng.choice(buyers)
    actions.give_tier(
        merchant=shop,
        member_id=given,
        tier="gold",
        until=BEGINS + timedelta(days=30),
        reason="好友",
        now=NOW,
        actor="owner",
    )
    day, late = (BEGINS - START).days, []
    for n in range(12):
        when = rng.uniform(day, day + 20)
        told = order(f"B{n}", when, rng.choice([90, 300, 900]))
        if n % 4 == 0:
            late.append(told)
        else:
            now = START + timedelta(days=when + 5)
            take(shop, rng.choice(buyers), told, now=now)
            if n % 3 == 0:
                actions.run_clock(merchant=shop, now=now)
    third = BEGINS + timedelta(days=21)
    second(shop, ("moon", 500, ["star", "sun"]), at=third, now=third - timedelta(hours=1), grading=first["grading"])
    actions.run_clock(merchant=shop, now=third)
    end = third + timedelta(days=40)
    for told in late:
        take(shop, rng.choice(buyers), told, refund(f"R{told.number}", told.number, day + 30, 80), now=end)
    actions.run_clock(merchant=shop, now=end)
    assert queries.verify(shop).findings == []
    assert set(held()) <= {"member", "moon"}
    for buyer in buyers:
        live = list(TierChange.objects.filter(member_id=buyer, superseded_at=None).order_by("at", "id"))
        chain = [(c.before, c.after) for c in live]
        assert all(a[1] == b[0] for a, b in pairwise(chain)), chain
