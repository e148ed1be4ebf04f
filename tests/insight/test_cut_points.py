from dataclasses import replace
from datetime import date

import pytest

from shuke.engine.insight.rfm import Cuts, RfmCuts
from shuke.insight import actions
from shuke.insight.models import MemberScore
from shuke.insight.queries import figures
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db
DAY = date(2026, 4, 18)
OWN = RfmCuts(DAY, Cuts((90, 60, 30, 7), 30), Cuts((2, 3, 5, 10), 3), Cuts((10_000, 50_000, 100_000, 500_000), 100_000))


@pytest.fixture
def open_shop(lan):
    mei, hong = member(lan, "梅"), member(lan, "红")
    for day in ("2026-02-01", "2026-03-01", "2026-04-17"):
        sell(lan, mei, day, 40_000)
    sell(lan, hong, "2026-02-01", 8_000)
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, "2026-04-18"))
    return lan


def scores(shop) -> dict[str, tuple]:
    rows = MemberScore.objects.filter(merchant=shop.merchant)
    return {row.member.name: (row.r5, row.f5, row.m5, row.rfm) for row in rows.select_related("member")}


def test_a_shops_own_cut_points_hold_at_once_and_at_every_later_night(open_shop):
    actions.set_cut_points(merchant=open_shop.merchant, cuts=OWN, now=night(open_shop, "2026-04-18"))
    assert scores(open_shop) == {"梅": (5, 3, 4, "222"), "红": (2, 1, 1, "111")}
    actions.snapshot(merchant=open_shop.merchant, day=date(2026, 5, 3), now=night(open_shop, "2026-05-03"))
    cuts = figures.latest(open_shop.merchant)["rfm"]["cuts"]
    assert (cuts["own"], cuts["f"], cuts["two"]["f"]) == (True, [2, 3, 5, 10], 3)
    assert scores(open_shop) == {"梅": (4, 3, 4, "222"), "红": (1, 1, 1, "111")}


def test_given_up_they_are_learnt_again(open_shop):
    before = scores(open_shop)
    actions.set_cut_points(merchant=open_shop.merchant, cuts=OWN, now=night(open_shop, "2026-04-18"))
    actions.learn_cut_points(merchant=open_shop.merchant, now=night(open_shop, "2026-04-18"))
    assert scores(open_shop) == before
    assert figures.latest(open_shop.merchant)["rfm"]["cuts"]["own"] is False


@pytest.mark.parametrize(
    ("broken", "dimension", "says"),
    [
        ({"recency": Cuts((7, 30, 60, 90), 30)}, "r", r"steps of R must fall"),
        ({"frequency": Cuts((2, 5, 3, 10), 3)}, "f", r"steps of F must rise.*\[2, 5, 3, 10\]"),
        ({"money": Cuts((1, 2, None, 4), 3)}, "m", "M needs four steps"),
        ({"money": Cuts((1, 2, 3, 4), None)}, "m", "M needs four steps"),
    ],
)
def test_cut_points_that_contradict_themselves_are_refused(open_shop, broken, dimension, says):
    before = scores(open_shop)
    with pytest.raises(actions.BadCutPoints, match=says) as refusal:
        actions.set_cut_points(
            merchant=open_shop.merchant, cuts=replace(OWN, **broken), now=night(open_shop, "2026-04-18")
        )
    assert refusal.value.dimension == dimension
    assert scores(open_shop) == before


def test_without_a_snapshot_there_is_nothing_to_cut(lan):
    with pytest.raises(actions.NothingToCut, match="after the first import"):
        actions.set_cut_points(merchant=lan.merchant, cuts=OWN, now=night(lan, "2026-04-18"))


def test_movement_says_when_the_measure_itself_changed(open_shop):
    shot = actions.snapshot(merchant=open_shop.merchant, day=date(2026, 4, 19), now=night(open_shop, "2026-04-19"))
    assert shot.figures["movement"]["recut"] is False
    shot = actions.snapshot(merchant=open_shop.merchant, day=date(2026, 5, 1), now=night(open_shop, "2026-05-01"))
    assert shot.figures["movement"]["recut"] is True
