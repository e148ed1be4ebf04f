"""Value in the shop: what a night keeps of every member, who stands behind each figure, and what thin shops are told."""

from datetime import date, timedelta

import numpy as np
import pytest

from shuke.engine.insight import chances
from shuke.insight import actions
from shuke.insight.actions import value as value_actions
from shuke.insight.actions.differing import alike
from shuke.insight.models import MemberScore, MemberValue, ValueReport
from shuke.insight.queries import value, value_told
from shuke.insight.queries.directory import count, directory
from shuke.insight.queries.filters import parse
from shuke.insight.queries.value_visits import visits_of, ways_of
from shuke.members.models import Member, MemberState
from shuke.orders.models import Order
from tests.insight.regulars import DAY, regulars
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db
NIGHT = DAY.isoformat()


def test_a_night_tells_of_every_buyer_and_every_figure_opens_to_its_members(lan):
    people = regulars(lan)
    now = night(lan, NIGHT)
    told = value_told.told(lan.merchant, "en", now=now)
    assert told is not None
    assert (told["level"], told["rule"], told["buyers"]) == ("full", "model", len(people))
    # Who will buy.
    for days in ("30", "90"):
        assert sum(told["bands"][days].values()) == len(people)
        for word, members in told["bands"][days].items():
            assert count(lan.merchant, parse({"chance": f"{days}-{word}"}), now=now) == members
    # What is expected, by layer and band, adds up to the total and opens to as many.
    rows = MemberValue.objects.filter(merchant=lan.merchant)
    assert sum(told_of.expected_spend or 0 for told_of in rows) == pytest.approx(
        told["spend"]["expected"], abs=len(people)
    )
    for layer in told["layers"]:
        assert count(lan.merchant, parse({"layer": layer["layer"], "expects_from": "0"}), now=now) == layer["members"]
    for band in told["spend_bands"]:
        asked = {"expects_from": str(band["from"])} | ({"expects_to": str(band["to"])} if band["to"] else {})
        assert count(lan.merchant, parse(asked), now=now) == band["members"]
    assert sum(band["members"] for band in told["spend_bands"]) == len(people)
    # The list in the order of expected spend begins with those of whom most is expected.
    page = directory(lan.merchant, parse({"expects_from": "0"}), now=now, sort="-expects")
    assert [row.id for row in page.rows[:20]] == [one["member"] for one in told["top"]]
    assert page.rows[0].expected_spend == told["top"][0]["expected_spend"]
    # Good members gone quiet.
    quiet = parse([("layer", one) for one in value.GOOD] + [("stage", one) for one in value.QUIET])
    assert count(lan.merchant, quiet, now=now) == told["quiet"]["members"] > 0
    # The wholesaler is told of apart.
    assert told["wholesale"]["members"] == 1
    assert "wholesalers" in told["missing"][0]


def test_stored_chances_are_those_of_the_formula_and_came_true_before(lan):
    """The last test of the report, counted anew from the orders."""
    regulars(lan)
    report = value.report(lan.merchant)
    assert report is not None
    way = report["check"]["chances"]["30"]
    cut = date(1970, 1, 1) + timedelta(days=way["from"])
    paid = [
        (one.member_id, one.paid_at.astimezone(lan.merchant.tz).date())
        for one in Order.objects.filter(merchant=lan.merchant)
    ]
    known = {who for who, day in paid if day <= cut}
    assert way["customers"] == len(known)
    assert way["bought"] == len({who for who, day in paid if cut < day <= DAY} & known)
    latest = report["check"]["tests"][0]
    begin = date(1970, 1, 1) + timedelta(days=latest["begin"])
    before = {who for who, day in paid if day <= begin}
    assert latest["actual_orders"] == len({(who, day) for who, day in paid if begin < day <= DAY and who in before})
    assert latest["newcomers"] == len({who for who, day in paid if begin < day <= DAY} - before)
    # MBG/NBD by hand, for members at random: chance = alive × (1 − ((α+T)/(α+T+h))^(r+x)), then put right on the log-odds.
    fit, (shift, slope, learned) = report["fit"], report["check"]["chances"]["30"]["scale"]
    if fit["model"] == "mbg_nbd" and way["shown"] == "model":
        r, alpha, a, b = fit["params"]
        for member_id, row in value.of_members(lan.merchant, list(known)[::31]).items():
            days = sorted({day for who, day in paid if who == member_id})
            x, t, age = len(days) - 1, (days[-1] - days[0]).days / 7, (DAY - days[0]).days / 7
            left = a / (b + x) * ((alpha + age) / (alpha + t)) ** (r + x)
            chance = 1 / (1 + left) * (1 - ((alpha + age) / (alpha + age + 30 / 7)) ** (r + x))
            if learned:
                chance = 1 / (1 + np.exp(-(shift + slope * np.log(chance / (1 - chance)))))
            assert row.chance_30 == pytest.approx(1000 * chance, abs=1)


def test_the_same_night_again_changes_nothing_and_the_next_only_what_moved(lan):
    regulars(lan, 210)
    kept = list(MemberValue.objects.order_by("pk").values_list())
    figures = {k: v for k, v in ValueReport.objects.get().figures.items() if k != "fit"}
    actions.value_report(merchant=lan.merchant, day=DAY, now=night(lan, NIGHT))
    assert list(MemberValue.objects.order_by("pk").values_list()) == kept
    again = ValueReport.objects.get().figures
    assert {k: v for k, v in again.items() if k not in ("fit", "whole")} == {
        k: v for k, v in figures.items() if k != "whole"
    }
    assert again["check"]["made_on"] == NIGHT
    following = DAY + timedelta(days=1)
    gone = Member.objects.get(card="R3")
    Member.objects.filter(pk=gone.pk).update(state=MemberState.MERGED)
    actions.value_report(merchant=lan.merchant, day=following, now=night(lan, following.isoformat()))
    assert not MemberValue.objects.filter(pk=gone.pk).exists()
    # Where next to nothing has changed nothing is written; the page says what the rows say.
    assert MemberValue.objects.filter(as_of=DAY).count() > 20
    assert ValueReport.objects.order_by("-day")[0].figures["bands"]["30"] == value.bands(lan.merchant, 30)
    assert (
        ValueReport.objects.order_by("-day")[0].figures["check"]["made_on"] == NIGHT
    )  # tests are not made every night
    assert value.last_day(lan.merchant) == following


def test_single_members_are_told_of_by_stage_in_words_and_not_once_forgotten(lan):
    regulars(lan)
    # Nobody is called lost who will more likely than not be back.
    lost = MemberScore.objects.filter(merchant=lan.merchant, stage="lost")
    back = value.of_members(lan.merchant, lost.values_list("pk", flat=True))
    assert back
    assert max(one.chance_90 for one in back.values()) < chances.LIKELY_FROM
    assert MemberScore.objects.filter(merchant=lan.merchant, stage="degrading").exists()
    # In words, never in parameters.
    first = value.top(lan.merchant, 1)[0]
    told = value_told.one(lan.merchant, first.member, "zh")
    assert told is not None
    assert told["says_30"] in ("很可能购买", "有可能购买", "不太可能购买")
    assert "天有购买" in told["reasons"][0]
    assert told["as_of"] == NIGHT
    assert value_told.one(lan.merchant, member(lan, "新").pk, "zh") is None
    actions.forget(merchant=lan.merchant, members=[first.member])
    assert value.of_member(lan.merchant, first.member) is None


def thin(lan, kind: str) -> None:
    people = [member(lan, f"会员{n}") for n in range(12)]
    for n, who in enumerate(people):
        if kind == "twelve":
            for month in (2, 3, 4):
                sell(lan, who, f"2026-{month:02d}-{n + 1:02d}", 5_000)
        elif kind == "one day" or (kind == "wholesaler" and n):
            sell(lan, who, "2026-06-30", 5_000)
        elif kind == "wholesaler":
            for day in range(1, 29):
                sell(lan, who, f"2026-05-{day:02d}", 90_000_000)
        elif kind == "refunds":
            sell(lan, who, "2026-06-01", 0, refunded=5_000)
        elif kind == "future":
            sell(lan, who, "2027-03-01", 5_000)


@pytest.mark.parametrize(
    ("kind", "code", "buyers"),
    [
        ("twelve", "few_repeaters", 12),
        ("one day", "few_repeaters", 12),
        ("wholesaler", "few_repeaters", 12),
        ("refunds", "no_purchases", 0),
        ("future", "no_purchases", 0),
        ("nothing", "no_purchases", 0),
    ],
)
def test_thin_shops_are_told_what_is_missing(lan, kind, code, buyers):
    thin(lan, kind)
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, NIGHT))
    report = value.report(lan.merchant)
    assert report is not None
    assert (report["check"]["code"], report["buyers"]) == (code, buyers)
    assert not MemberValue.objects.exists()
    for language in ("zh", "en"):
        told = value_told.told(lan.merchant, language, now=night(lan, NIGHT))
        tested = value_told.tested(lan.merchant, language, now=night(lan, NIGHT))
        assert told is not None
        assert tested is not None
        assert told["missing"]
        assert told["missing"] == tested["missing"]
        assert (told["bands"], tested["tests"]) == (None, [])
    if kind == "future":
        assert "12" in told["missing"][-1]


def test_few_orders_are_read_from_the_table_as_many_are_from_the_columns(lan, monkeypatch):
    people = [member(lan, f"会员{n}") for n in range(3)]
    sell(lan, people[0], "2026-05-01", 5_000)
    sell(lan, people[0], "2026-05-01", 3_000, time="23:50")
    sell(lan, people[0], "2026-05-02", 2_000, time="00:10")
    sell(lan, people[1], "2026-05-03", 0, refunded=9_000)
    sell(lan, people[1], "2026-05-04", 0)
    sell(lan, None, "2026-05-04", 7_000)
    sell(lan, people[2], "2026-07-04", 7_000)
    sell(lan, people[2], "2026-05-04", 7_000, excluded="test")
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, NIGHT))
    few = visits_of(lan.merchant, DAY)
    monkeypatch.setattr("shuke.insight.queries.value_visits.FEW_ORDERS", 0)
    many = visits_of(lan.merchant, DAY)
    assert few.customer.tolist() == [0, 0, 1]
    assert few.amount.tolist() == [8_000.0, 2_000.0, 0.0]
    for one, other in zip(vars_of(few), vars_of(many), strict=True):
        assert one.tolist() == other.tolist()


def vars_of(seen):
    return [getattr(seen, name) for name in seen.__slots__]


def test_channel_and_acquisition_are_tried_and_the_page_says_what_came_of_it(lan):
    people = regulars(lan)
    assert value.report(lan.merchant)["check"]["traits"] is None  # all came alike
    friends = [one.pk for n, one in enumerate(people) if n % 3 == 0]
    Member.objects.filter(pk__in=friends).update(acquired_by="朋友圈")
    Member.objects.filter(pk__in=friends[:30]).update(home_store=lan.online)
    own = ways_of(lan.merchant, visits_of(lan.merchant, DAY))
    assert (own["channel"] == lan.online.platform).sum() == 30
    assert (own["acquisition"] == "朋友圈").sum() == len(friends)
    actions.value_report(merchant=lan.merchant, day=DAY, now=night(lan, NIGHT), whole_check=True)
    parted = value.report(lan.merchant)["check"]["traits"]
    assert parted["names"] == ["acquisition=朋友圈"]  # thirty of one channel are too few
    told = value_told.tested(lan.merchant, "zh", now=night(lan, NIGHT))
    ways = {way["name"]: way for way in told["tests"][0]["methods"]}
    assert ways[parted["scored"]["name"]]["says"] == "模型，分渠道与获客方式"
    assert ways[parted["scored"]["name"]]["shown"] == parted["earned"]


def test_a_row_is_written_when_one_of_its_figures_says_something_else():
    dice = np.random.default_rng(3)
    before = np.column_stack(
        (dice.integers(0, 1001, (400, 2)), dice.integers(0, 90_000, (400, 4)), np.ones(400, np.int64))
    )
    now = before + dice.integers(-6, 7, before.shape) * (dice.random(before.shape) < 0.3)
    now[:, 2:6] += (now[:, 2:6] * 0.06 * dice.random((400, 4)) * (dice.random((400, 4)) < 0.2)).astype(np.int64)
    before[::17, 3:6] = value_actions._NONE  # too few members to say it, then
    now[::23, 3:6] = value_actions._NONE
    now[::40, 6] = 0  # by another rule

    def matters(was: list[int], has: list[int]) -> bool:
        if any(abs(a - b) >= 5 or chances.band(a) != chances.band(b) for a, b in zip(was[:2], has[:2], strict=True)):
            return True
        known = [(a == value_actions._NONE) == (b == value_actions._NONE) for a, b in zip(was, has, strict=True)]
        return (
            was[6] != has[6]
            or not all(known)
            or any(abs(a - b) > 0.03 * abs(b) for a, b in zip(was[2:6], has[2:6], strict=True))
        )

    told = value_actions._matters(before, now).tolist()
    assert told == [matters(*pair) for pair in zip(before.tolist(), now.tolist(), strict=True)]
    assert 50 < sum(told) < 350


def test_rows_are_written_together_of_which_the_same_columns_differ():
    differs = np.random.default_rng(5).random((60, 3)) < 0.4
    found = np.zeros_like(differs)
    for rows, listed in alike(differs):
        assert not found[rows].any()
        found[np.ix_(rows, listed)] = True
    assert (found == differs).all()
    assert len(list(alike(differs))) == len({tuple(row) for row in differs.tolist() if any(row)})
