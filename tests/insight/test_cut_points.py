from dataclasses import replace
from datetime import date

import pytest

from shuke.engine.insight.rfm import Cuts, RfmCuts
from shuke.insight import actions
from shuke.insight.models import MemberScore, Snapshot
from shuke.insight.queries import cut_points, figures
from shuke.kit.models import AuditLine
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
    actions.set_cut_points(merchant=open_shop.merchant, cuts=OWN, now=night(open_shop, "2026-04-18"), actor="lan.owner")
    assert scores(open_shop) == {"梅": (5, 3, 4, "222"), "红": (2, 1, 1, "111")}
    actions.snapshot(merchant=open_shop.merchant, day=date(2026, 5, 3), now=night(open_shop, "2026-05-03"))
    cuts = figures.latest(open_shop.merchant)["rfm"]["cuts"]
    assert (cuts["own"], cuts["f"], cuts["two"]["f"]) == (True, [2, 3, 5, 10], 3)
    assert scores(open_shop) == {"梅": (4, 3, 4, "222"), "红": (1, 1, 1, "111")}


def test_given_up_they_are_learnt_again(open_shop):
    before = scores(open_shop)
    actions.set_cut_points(merchant=open_shop.merchant, cuts=OWN, now=night(open_shop, "2026-04-18"), actor="lan.owner")
    actions.learn_cut_points(merchant=open_shop.merchant, now=night(open_shop, "2026-04-18"), actor="lan.owner")
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
            merchant=open_shop.merchant,
            cuts=replace(OWN, **broken),
            now=night(open_shop, "2026-04-18"),
            actor="lan.owner",
        )
    assert refusal.value.dimension == dimension
    assert scores(open_shop) == before


def test_without_a_snapshot_there_is_nothing_to_cut(lan):
    with pytest.raises(actions.NothingToCut, match="after the first import"):
        actions.set_cut_points(merchant=lan.merchant, cuts=OWN, now=night(lan, "2026-04-18"), actor="lan.owner")


def test_movement_says_when_the_measure_itself_changed(open_shop):
    shot = actions.snapshot(merchant=open_shop.merchant, day=date(2026, 4, 19), now=night(open_shop, "2026-04-19"))
    assert shot.figures["movement"]["recut"] is False
    shot = actions.snapshot(merchant=open_shop.merchant, day=date(2026, 5, 1), now=night(open_shop, "2026-05-01"))
    assert shot.figures["movement"]["recut"] is True


def published(shop, cuts=OWN):
    return actions.set_cut_points(merchant=shop.merchant, cuts=cuts, now=night(shop, "2026-04-18"), actor="lan.owner")


def test_a_preview_says_what_publishing_then_makes_true(open_shop):
    before = scores(open_shop)
    foretold = cut_points.preview(open_shop.merchant, OWN)
    assert scores(open_shop) == before
    published(open_shop)
    told = figures.latest(open_shop.merchant)["rfm"]
    assert foretold.classes == {row["code"]: row["count"] for row in told["classes"]}
    assert (foretold.classes["222"], foretold.classes["111"]) == (1, 1)
    assert (foretold.r, foretold.f, foretold.m) == ((0, 1, 0, 0, 1), (1, 0, 1, 0, 0), (1, 0, 0, 1, 0))


def test_a_preview_without_the_nights_file_reads_the_table(open_shop):
    foretold = cut_points.preview(open_shop.merchant, OWN)
    path = cut_points.values_path(open_shop.merchant)
    path.unlink(missing_ok=True)
    assert cut_points.preview(open_shop.merchant, OWN) == foretold
    path.write_bytes(b"PK cut off")
    assert cut_points.preview(open_shop.merchant, OWN) == foretold


@pytest.mark.django_db(transaction=True)
def test_the_file_of_the_night_is_read_and_that_of_another_night_is_not(open_shop):
    latest = Snapshot.objects.get(merchant=open_shop.merchant)
    path = cut_points.values_path(open_shop.merchant)
    assert path.exists()
    by_file = cut_points.values_of(open_shop.merchant, latest)
    MemberScore.objects.filter(merchant=open_shop.merchant).update(order_days=77)
    assert cut_points.values_of(open_shop.merchant, latest).order_days.tolist() == by_file.order_days.tolist() == [3, 1]
    latest.made_at = night(open_shop, "2026-04-19")
    assert cut_points.values_of(open_shop.merchant, latest).order_days.tolist() == [77, 77]


def test_who_changed_the_measure_is_on_record_and_layers_stay(open_shop):
    bounds = figures.latest(open_shop.merchant)["pyramid"]["layers"]
    published(open_shop)
    actions.learn_cut_points(merchant=open_shop.merchant, now=night(open_shop, "2026-04-18"), actor="lan.owner")
    told = [(one.actor, one.cuts.own, one.day) for one in cut_points.history(open_shop.merchant)]
    assert told == [("lan.owner", False, DAY), ("lan.owner", True, DAY), ("", False, DAY)]
    lines = AuditLine.objects.filter(merchant_id=open_shop.merchant.pk, verb__startswith="cut_points").order_by("id")
    assert [(line.verb, line.actor) for line in lines] == [
        ("cut_points.set", "lan.owner"),
        ("cut_points.learnt", "lan.owner"),
    ]
    assert lines[0].detail["f"] == [2, 3, 5, 10]
    assert figures.latest(open_shop.merchant)["pyramid"]["layers"] == bounds


def test_older_snapshots_keep_the_cut_points_they_were_scored_by(open_shop):
    actions.snapshot(merchant=open_shop.merchant, day=date(2026, 4, 19), now=night(open_shop, "2026-04-19"))
    old = Snapshot.objects.get(merchant=open_shop.merchant, day=DAY)
    published(open_shop)
    assert figures.on(open_shop.merchant, date(2026, 4, 19))["rfm"]["cuts"]["own"] is True
    kept = Snapshot.objects.get(merchant=open_shop.merchant, day=DAY)
    assert (kept.cuts, kept.figures) == (old.cuts, old.figures)
    assert cut_points.recut_days(open_shop.merchant, since=DAY, until=date(2026, 4, 19)) == [date(2026, 4, 19)]
