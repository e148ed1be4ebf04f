"""What the night stored is what would be computed, to the last cell; pages read it alone, and never an older one."""

from __future__ import annotations

from datetime import date
from unittest.mock import Mock

import pytest

from shuke.insight import actions
from shuke.insight.actions import reports
from shuke.insight.models import StoredReport
from shuke.insight.queries import analytics, growth, transitions
from shuke.insight.queries.figures import NoFigures
from shuke.members.models import Member
from tests.insight.test_members_behind import DAY, busy  # noqa: F401 - a shop with fourteen months of all sorts of habits
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db
MONTH_AGO = date(2026, 10, 31)


@pytest.fixture
def ways(busy):  # noqa: F811
    """Members of three ways of acquisition and three homes, after a night."""
    for i, one in enumerate(Member.objects.filter(merchant=busy.merchant).order_by("pk")):
        home = (busy.street, busy.online, None)[i % 3]
        Member.objects.filter(pk=one.pk).update(acquired_by=("", "朋友", "商场")[i % 3], home_store=home)
    actions.snapshot(merchant=busy.merchant, day=DAY, now=night(busy, DAY.isoformat()))
    return busy


EVERY = [(by, grain) for by in growth.DIVISIONS for grain in growth.GRAINS]
SOME = [("", "day"), ("", "week"), ("store", "month"), ("channel", "quarter"), ("acquisition", "year")]


def answers(shop, asked=EVERY) -> dict[tuple, object]:
    """What the pages offer without a date being typed."""
    found: dict[tuple, object] = {}
    for by, grain in asked:
        told = growth.growth(shop.merchant, grain=grain, by=by)
        found["growth", by, grain] = told._replace(course=dict(told.course))
        if grain in growth.COHORT_GRAINS:
            begun = growth.cohorts(shop.merchant, grain=grain, by=by)
            found["parts", by, grain] = begun.parts
            for part in begun.parts:
                found["cohorts", by, grain, part.key] = growth.cohort_rows(begun, part.number)
                found["together", by, grain, part.key] = begun.cohorts.together(part.number, 5)
    for what in transitions.WHATS:
        found["moved", what] = transitions.transitions(shop.merchant, what=what, since=MONTH_AGO, until=DAY)
    return found


def test_what_is_stored_is_what_would_be_computed_and_no_order_is_read_for_it(ways, monkeypatch):
    opened, counted = Mock(side_effect=analytics.opened), Mock(side_effect=transitions.counted)
    monkeypatch.setattr(analytics, "opened", opened)
    monkeypatch.setattr(transitions, "counted", counted)
    stored = answers(ways)
    assert not opened.called
    assert not counted.called
    assert {part.key for part in stored["growth", "acquisition", "month"].parts} == {"-", "朋友", "商场", "guests"}
    assert len(stored["growth", "", "day"].course[0]) == 30
    StoredReport.objects.all().delete()
    computed = answers(ways, SOME)
    assert computed == {key: stored[key] for key in computed}
    assert (opened.call_count, counted.call_count) == (len(SOME) + len(SOME) - 1, 3)


def test_after_another_night_the_new_figures_are_told_and_nothing_is_piled_up(ways):
    before = growth.growth(ways.merchant)
    many = StoredReport.objects.count()
    sell(ways, member(ways, "新月", "2026-12-01"), "2026-12-01", 77_000)
    assert growth.growth(ways.merchant) == before  # until the night, as every other figure
    actions.snapshot(merchant=ways.merchant, day=date(2026, 12, 1), now=night(ways, "2026-12-01"))
    fresh = growth.growth(ways.merchant)
    assert (fresh.as_of, fresh.course[0][-1].net_minor, fresh.course[0][-1].newcomers) == (date(2026, 12, 1), 77_000, 1)
    assert StoredReport.objects.count() == many


def test_the_same_night_again_computes_only_what_changed(ways, monkeypatch):
    before, made = growth.growth(ways.merchant), Mock(side_effect=reports._answers)
    monkeypatch.setattr(reports, "_answers", made)
    actions.snapshot(
        merchant=ways.merchant, day=DAY, now=night(ways, "2026-12-01")
    )  # a day later, say for other cut points
    assert not made.called
    told = growth.growth(ways.merchant)
    assert told == before._replace(made_at=told.made_at)
    assert told.made_at == night(ways, "2026-12-01")
    sell(ways, None, "2026-11-29", 5_000)
    actions.snapshot(merchant=ways.merchant, day=DAY, now=night(ways, "2026-12-01"))
    assert made.called
    assert growth.growth(ways.merchant).whole[0].net_minor == told.whole[0].net_minor + 5_000


def test_an_answer_of_an_older_snapshot_is_not_shown(ways):
    right = growth.growth(ways.merchant)
    StoredReport.objects.update(mark="2026-11-29-0", body=b"not even readable")
    assert growth.growth(ways.merchant)._replace(course={}) == right._replace(course={})


def test_other_questions_are_computed_as_ever(ways):
    named = growth.growth(ways.merchant, since=date(2026, 9, 1), until=date(2026, 10, 15))
    assert [row.stretch.label for row in named.course[0]] == ["2026-09", "2026-10"]
    usual = growth.growth(ways.merchant)
    assert named.course[0][0].orders == next(r for r in usual.course[0] if r.stretch.label == "2026-09").orders > 0


def test_a_shop_of_many_parts_stores_what_is_small(ways, monkeypatch):
    monkeypatch.setattr(reports, "MOST_CELLS", 24 * 13 * 2)
    StoredReport.objects.all().delete()
    actions.snapshot(merchant=ways.merchant, day=DAY, now=night(ways, DAY.isoformat()))
    kept = set(StoredReport.objects.values_list("question", flat=True))
    assert {"growth:month:", "cohorts:quarter:"} <= kept
    assert not {"growth:week:store", "cohorts:week:"} & kept
    assert growth.cohorts(ways.merchant, grain="week").parts


def test_on_a_cluster_the_cluster_is_asked_for_months(ways, monkeypatch):
    wanted = {by: growth.growth(ways.merchant, by=by) for by in growth.DIVISIONS}
    monkeypatch.setattr(analytics, "on_cluster", lambda: True)
    actions.snapshot(merchant=ways.merchant, day=DAY, now=night(ways, DAY.isoformat()))
    kept = set(StoredReport.objects.exclude(question__startswith="moved").values_list("question", flat=True))
    assert kept == {f"{what}:month:{by}" for what in ("growth", "cohorts") for by in growth.DIVISIONS}
    for by, told in wanted.items():
        assert growth.growth(ways.merchant, by=by)._replace(course={}) == told._replace(course={})


def test_a_shop_without_orders_stores_nothing_and_says_so(lan):
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, DAY.isoformat()))
    assert not StoredReport.objects.exists()
    with pytest.raises(NoFigures):
        growth.growth(lan.merchant)
