"""Word of mouth through the room: recounted by hand, thin shops, assumptions, the members behind each figure."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.core.cache import cache

from shuke.engine.insight.word_of_mouth import BadAssumption
from shuke.insight import actions
from shuke.insight.actions.word_of_mouth import assume_mouth
from shuke.insight.queries import word_of_mouth as mouth
from shuke.kit.models import AuditLine
from shuke.loyalty.actions import coupons
from shuke.loyalty.queries import referral_worth
from shuke.members.models import Member, MemberState
from tests.engine.insight.worked import table
from tests.insight import profits
from tests.insight.mouths import DAY, bind, talk
from tests.insight.till import member, night, sell
from tests.loyalty.books import NOW
from tests.loyalty.till import open_till, template

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(lan):
    return talk(lan)


def told_of(shop):
    return mouth.report(shop.merchant, now=night(shop, "2026-06-30"))


def test_the_report_is_that_of_a_recount(lan, people):
    told = told_of(lan)
    assert (told["as_of"], told["bonds"], told["void"], told["brought_a_year"]) == ("2026-06-30", 15, 1, 15)
    first, second = told["steps"]
    margin = lan.merchant.margin_permille / 1000
    profit = 12 * 30_000 * margin
    assert [first[k] for k in ("friends", "buyers", "net", "rewards", "profit")] == [12, 12, 360_000, 500, profit]
    assert first["kept"] == round(profit * 0.7) - 500
    assert [second[k] for k in ("step", "friends", "net", "kept")] == [2, 3, 30_000, round(30_000 * margin * 0.7)]
    branch = next(row for row in told["branches"] if row["member"] == people.root.pk)
    assert branch["kept"] == round(profit * 0.7) - 500 + round(30_000 * margin * 0.49)
    assert mouth.of_member(lan.merchant, people.root.pk, now=night(lan, "2026-06-30"))["kept"] == branch["kept"]


@pytest.mark.parametrize("told", table("word_of_mouth", "used by"), ids=lambda row: row["used by"])
def test_a_coupon_costs_what_it_took_off_whoever_uses_it(lan, told):
    open_till(lan.merchant)
    template(lan.merchant)
    ada, ben = member(lan, "Ada"), member(lan, "Ben")
    bond = bind(lan, ben, ada)
    side, user = ("friend", ben) if told["used by"] == "Ben" else ("referrer", ada)
    given = coupons.Issue("ten", user.pk, "referral", f"referral:{bond.pk}:{side}:0")
    [issued] = coupons.issue(merchant=lan.merchant, issues=[given], now=NOW, actor="t")
    if told["used by"] != "nobody yet":
        profits.priced(lan, user, 30_000, coupons=issued.coupons)
        profits.told_by_the_till(sell(lan, user, "2026-06-01", 29_000))
    if told["used by"] != "Ben":
        sell(lan, ben, "2026-06-01", 30_000)
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    [step] = told_of(lan)["steps"]
    shown = [step[name] for name in ("net", "taken", "rewards", "kept")]
    assert shown == [int(told[name]) for name in ("Ben's net", "taken off", "rewards", "kept")]
    tree = referral_worth.tree_of(lan.merchant, ada.pk, night(lan, "2026-06-30")).branch
    [branch] = referral_worth.branches(lan.merchant, night(lan, "2026-06-30"))
    assert [(one.net, one.rewards) for one in (tree, branch.direct, branch.whole)] == [
        (step["net"], step["rewards"])
    ] * 3
    of_ada = mouth.of_member(lan.merchant, ada.pk, now=night(lan, "2026-06-30"))
    assert (of_ada["kept"], of_ada["second"]["friends"]) == (step["kept"], 0)


def test_friends_are_set_against_those_of_the_same_month_and_way(lan, people):
    told = told_of(lan)["compared"]
    assert (told["matched"], told["by_month"], told["unmatched"], told["others"]) == (12, 0, 3, 20)
    others = sum(20_000 + 100 * n for n in range(20)) / 20
    assert (told["brought_each"], told["others_each"], told["surely"]) == (30_000, round(others), 1)
    assert told["low"] < told["difference"] == round(30_000 - others) < told["high"]


def test_every_figure_opens_to_as_many(lan, people):
    def ids(figure, step=0):
        return {one.member for one in mouth.members_behind_mouth(lan.merchant, figure, step)}

    assert ids("brought") == {one.pk for one in people.friends + people.second}
    assert ids("step", 1) == {one.pk for one in people.friends}
    assert ids("step", 2) == {one.pk for one in people.second}
    assert ids("matched") == {one.pk for one in people.friends}
    assert ids("unmatched") == {one.pk for one in people.second}
    assert ids("others") == {one.pk for one in people.others}
    assert ids("referrers") == {people.root.pk, people.friends[0].pk}
    with pytest.raises(mouth.NoSuchFigure, match="rumours"):
        ids("rumours")


def test_own_assumptions_take_the_place_of_the_usual_ones_and_are_named(lan, people):
    before = told_of(lan)
    assert before["terms"]["own"] == []
    assert [before["terms"][k] for k in ("hear", "want", "buy", "anyway_permille")] == [25, 8, 1, 300]
    now = night(lan, "2026-06-30")
    assume_mouth(merchant=lan.merchant, now=now, actor="lan.owner", anyway_permille=1000, hear=10, want=5, buy=2)
    told = told_of(lan)
    assert sorted(told["terms"]["own"]) == ["anyway_permille", "buy", "hear", "want"]
    assert told["steps"][0]["kept"] == -500
    assert AuditLine.objects.filter(verb="mouth.assumed").count() == 1
    with pytest.raises(BadAssumption):
        assume_mouth(merchant=lan.merchant, now=now, actor="lan.owner", hear=3)
    assume_mouth(merchant=lan.merchant, now=now, actor="lan.owner")
    assert told_of(lan)["terms"] == before["terms"]


def test_the_saying_multiplies_the_loyal_and_says_what_is_measured_apart(lan, people):
    told = told_of(lan)
    said = told["saying"]
    assert said["hear"] == 25 * said["satisfied"]
    assert told["newcomer_worth"] == round(390_000 / 15 * lan.merchant.margin_permille / 1000)


def test_the_night_answers_what_the_page_asks_until_something_changes(lan, people, monkeypatch):
    computed, now = told_of(lan), night(lan, "2026-06-30")
    actions.profile_columns(merchant=lan.merchant, day=DAY, now=now)
    cache.clear()
    asked = Mock(side_effect=mouth._newcomers)
    monkeypatch.setattr(mouth, "_newcomers", asked)
    assert told_of(lan) == computed
    assert not asked.called
    assume_mouth(merchant=lan.merchant, now=now, actor="lan.owner", anyway_permille=0)
    assert told_of(lan)["steps"][0]["kept"] > computed["steps"][0]["kept"]
    assert asked.called


def test_who_is_gone_counts_no_more(lan, people):
    Member.objects.filter(pk=people.friends[3].pk).update(state=MemberState.FORGOTTEN)
    Member.objects.filter(pk=people.friends[4].pk).update(state=MemberState.MERGED, merged_into=people.friends[5])
    told = mouth._report(
        lan.merchant, mouth.figures.latest(lan.merchant), mouth.terms(lan.merchant), night(lan, "2026-06-30")
    )
    assert told["steps"][0]["friends"] == 10


@pytest.mark.parametrize("history", ["nobody", "nobody_brought", "one_friend", "only_refunds"])
def test_thin_shops(lan, history):
    buyers = [member(lan, f"会员{n}", "2026-06-01") for n in range(12)] if history != "nobody" else []
    for n, one in enumerate(buyers):
        sell(
            lan,
            one,
            f"2026-06-{n + 10}",
            0 if history == "only_refunds" else 5_000,
            refunded=5_000 if history == "only_refunds" else 0,
        )
    if history in ("one_friend", "only_refunds"):
        bind(lan, buyers[1], buyers[0], bound_at=night(lan, "2026-06-10") - timedelta(hours=3))
    assert told_of(lan) is None  # before the first night
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    told = told_of(lan)
    assert told["compared"]["difference"] is None
    assert told["bonds"] == sum(row["friends"] for row in told["steps"])
    assert (told["newcomer_worth"] is None) == (history == "nobody")
