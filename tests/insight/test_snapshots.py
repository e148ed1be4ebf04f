from datetime import date

import pytest

from shuke.insight import actions
from shuke.insight.actions import scores, snapshots
from shuke.insight.models import MemberScore, Movement, Snapshot
from shuke.insight.queries import figures
from shuke.members.models import Member, MemberState, TimelineLine
from shuke.orders.models import Order
from tests.engine.insight import worked
from tests.insight.till import at, member, night, sell

pytestmark = pytest.mark.django_db


def rhythmic(lan):
    """梅 comes every ten days until April, 红 goes on, 静 bought once, 空 never did."""
    mei, hong, jing, kong = (member(lan, name) for name in "梅红静空")
    for day in ("2026-02-01", "2026-02-11", "2026-02-21", "2026-03-03", "2026-03-13", "2026-03-23", "2026-04-02"):
        sell(lan, mei, day, 20_000)
        sell(lan, hong, day, 5_000)
    sell(lan, hong, "2026-04-12", 5_000)
    sell(lan, jing, "2026-04-05", 1_000)
    return mei, hong, jing, kong


def take(lan, day: str) -> Snapshot:
    return actions.snapshot(merchant=lan.merchant, day=date.fromisoformat(day), now=night(lan, day))


def stages(lan) -> dict[str, str]:
    return dict(MemberScore.objects.filter(merchant=lan.merchant).values_list("member__name", "stage"))


def told(lan) -> list[tuple]:
    lines = TimelineLine.objects.filter(merchant=lan.merchant, kind="stage.changed").order_by("at", "member__name")
    return [(line.member.name, line.ref, line.body["before"], line.body["after"]) for line in lines]


def everything(lan) -> list[list[tuple]]:
    """All that insight holds, without the ids."""
    return [
        list(MemberScore.objects.filter(merchant=lan.merchant).order_by("member_id").values_list()),
        sorted(
            Movement.objects.filter(merchant=lan.merchant).values_list("member_id", "day", "what", "before", "after")
        ),
        list(
            Snapshot.objects.filter(merchant=lan.merchant)
            .order_by("day")
            .values_list("day", "made_at", "figures", "cuts")
        ),
        told(lan),
    ]


def test_a_snapshot_keeps_what_lists_filter_by(lan):
    mei, _, _, kong = rhythmic(lan)
    sell(lan, mei, "2026-04-03", 0, refunded=9_000)
    take(lan, "2026-04-05")
    score = MemberScore.objects.get(member=mei)
    assert (score.first_paid_at, score.last_paid_at) == (at(lan, "2026-02-01"), at(lan, "2026-04-02"))
    assert (score.order_count, score.order_days, score.year_order_days) == (7, 7, 7)
    assert (score.net_minor, score.year_net_minor, score.refunded_minor) == (140_000, 140_000, 9_000)
    assert (score.usual_gap_days, score.layer, score.stage) == (10.0, "key", "stable")
    never = MemberScore.objects.get(member=kong)
    assert (never.order_count, never.first_paid_at, never.rfm, never.r5, never.layer, never.stage) == (
        0,
        None,
        "",
        None,
        "target",
        "",
    )


def test_silence_longer_than_the_own_rhythm_moves_a_member_and_is_noted(lan):
    rhythmic(lan)
    take(lan, "2026-04-12")
    assert stages(lan) == {"梅": "stable", "红": "stable", "静": "observing", "空": ""}
    shot = take(lan, "2026-04-18")
    assert stages(lan) == {"梅": "degrading", "红": "stable", "静": "observing", "空": ""}
    assert shot.figures["movement"]["since"] == "2026-04-12"
    assert shot.figures["movement"]["stage"] == [{"before": "stable", "after": "degrading", "count": 1}]
    take(lan, "2026-05-04")
    assert told(lan) == [
        ("梅", "day:2026-04-18", "stable", "degrading"),
        ("梅", "day:2026-05-04", "degrading", "lost"),
        ("红", "day:2026-05-04", "stable", "degrading"),
        ("静", "day:2026-05-04", "observing", "degrading"),
    ]


def test_the_same_day_again_changes_nothing(lan):
    rhythmic(lan)
    take(lan, "2026-04-12")
    take(lan, "2026-04-18")
    before = everything(lan)
    take(lan, "2026-04-18")
    assert everything(lan) == before


def test_the_same_day_again_after_a_late_sale_is_as_if_it_had_been_known(lan):
    mei, *_ = rhythmic(lan)
    take(lan, "2026-04-12")
    take(lan, "2026-04-18")
    sell(lan, mei, "2026-04-17", 20_000)
    shot = take(lan, "2026-04-18")
    assert shot.figures["movement"]["stage"] == []
    assert stages(lan)["梅"] == "stable"
    assert not Movement.objects.filter(merchant=lan.merchant, day=date(2026, 4, 18), what="stage").exists()


def test_an_older_day_gets_its_figures_and_leaves_scores_alone(lan):
    rhythmic(lan)
    take(lan, "2026-04-18")
    before = everything(lan)
    shot = take(lan, "2026-03-15")
    assert shot.figures["kpi"]["buyers"] == 2
    after = everything(lan)
    assert after[:2] == before[:2]
    assert figures.days(lan.merchant) == [date(2026, 3, 15), date(2026, 4, 18)]


def test_only_rows_that_differ_are_written(lan):
    mei, *_ = rhythmic(lan)
    take(lan, "2026-04-12")
    sell(lan, mei, "2026-04-13", 20_000)
    take(lan, "2026-04-13")
    days = dict(MemberScore.objects.filter(merchant=lan.merchant).values_list("member__name", "day"))
    assert (days["梅"], days["空"]) == (date(2026, 4, 13), date(2026, 4, 12))


def test_who_is_no_longer_a_member_has_no_score(lan):
    mei, *_ = rhythmic(lan)
    take(lan, "2026-04-12")
    Member.objects.filter(pk=mei.pk).update(state=MemberState.FORGOTTEN)
    shot = take(lan, "2026-04-13")
    assert set(stages(lan)) == {"红", "静", "空"}
    assert shot.figures["kpi"]["identified_rate"] == round(41_000 / 181_000, 4)


def test_forgetting_purges_scores_and_movements(lan):
    mei, hong, *_ = rhythmic(lan)
    take(lan, "2026-04-12")
    take(lan, "2026-05-04")
    actions.forget(merchant=lan.merchant, members=[mei.pk])
    assert not MemberScore.objects.filter(member=mei).exists()
    assert not Movement.objects.filter(member=mei).exists()
    assert Movement.objects.filter(member=hong).exists()


def test_another_merchant_is_not_touched_and_not_counted(lan, mingde):
    rhythmic(lan)
    sell(mingde, member(mingde, "明"), "2026-04-01", 999_900)
    shot = take(lan, "2026-04-12")
    assert (shot.figures["kpi"]["members"], shot.figures["kpi"]["net_minor"]) == (4, 7 * 25_000 + 5_000 + 1_000)
    assert not Snapshot.objects.filter(merchant=mingde.merchant).exists()
    assert not MemberScore.objects.filter(merchant=mingde.merchant).exists()


def test_a_history_just_brought_gets_its_month_ends(lan):
    rhythmic(lan)
    made = actions.backfill(merchant=lan.merchant, day=date(2026, 4, 18), now=night(lan, "2026-04-18"))
    assert [shot.day.isoformat() for shot in made] == ["2026-02-28", "2026-03-31", "2026-04-18"]
    assert figures.series(lan.merchant, "kpi", "orders") == [
        (date(2026, 2, 28), 6), (date(2026, 3, 31), 12), (date(2026, 4, 18), 16),
    ]  # fmt: skip
    flows = figures.movement(lan.merchant, what="stage", since=date(2026, 2, 28), until=date(2026, 4, 18))
    assert [tuple(flow) for flow in flows] == [
        ("", "observing", 1),
        ("forming", "degrading", 1),
        ("forming", "stable", 1),
    ]


def test_backfill_after_a_kill_ends_where_an_undisturbed_one_does(lan, monkeypatch):
    rhythmic(lan)
    keep, kept = snapshots._keep, []

    def dies_at_the_second(*args, **more):
        if len(kept) == 1:
            raise KeyboardInterrupt
        kept.append(1)
        return keep(*args, **more)

    run = {"merchant": lan.merchant, "day": date(2026, 4, 18), "now": night(lan, "2026-04-18")}
    with monkeypatch.context() as patched:
        patched.setattr(snapshots, "_keep", dies_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            actions.backfill(**run)
    actions.backfill(**run)
    resumed = everything(lan)
    for model in (MemberScore, Movement, Snapshot, TimelineLine):
        model.objects.filter(merchant=lan.merchant).delete()
    actions.backfill(**run)
    assert everything(lan) == resumed


def test_a_snapshot_of_a_shop_with_nothing_says_what_is_missing(lan):
    shot = take(lan, "2026-04-18")
    assert figures.latest(lan.merchant) == shot.figures
    assert figures.why_missing(shot.figures, "zh-hans") == ["还没有会员。", "会员还没有购买记录，导入订单后即可分析。"]
    assert actions.backfill(merchant=lan.merchant, day=date(2026, 4, 18), now=night(lan, "2026-04-18")) == []


def test_large_shops_are_written_in_parts(lan, monkeypatch):
    rhythmic(lan)
    monkeypatch.setattr(scores, "_CHUNK", 2)
    take(lan, "2026-04-18")
    in_parts = everything(lan)[0]
    MemberScore.objects.filter(merchant=lan.merchant).delete()
    monkeypatch.undo()
    take(lan, "2026-04-18")
    assert everything(lan)[0] == in_parts


def test_the_worked_table_of_a_late_refund(lan):
    rows = [(date.fromisoformat(row["figures as of"]), row["May"]) for row in worked.table("kpi", "figures as of")]
    order = sell(lan, member(lan, "梅"), "2026-05-10", 10_000)
    for day, _may in rows:
        if day == date(2026, 6, 12):
            Order.objects.filter(pk=order.pk).update(net_minor=6_000, refunded_minor=4_000)
        take(lan, str(day))
    for day, may in rows:
        months = {month["month"]: month["net_minor"] for month in figures.on(lan.merchant, day)["months"]}
        assert f"{months['2026-05'] / 100:.2f}" == may, day
        assert months.get("2026-06", 0) == 0
    assert len({may for _day, may in rows}) == 2


def test_scores_written_column_by_column_are_those_written_anew(lan):
    """Each night some columns of some members change: sales, a late refund, a merge, new cut points on the first of a month."""
    mei, hong, jing, kong = rhythmic(lan)
    take(lan, "2026-04-05")
    sell(lan, kong, "2026-04-20", 3_000)
    take(lan, "2026-04-20")
    Order.objects.filter(member=hong, paid_at=at(lan, "2026-04-12")).update(net_minor=1_000, refunded_minor=4_000)
    Order.objects.filter(member=jing).update(member=mei)
    Member.objects.filter(pk=jing.pk).update(state=MemberState.MERGED, merged_into=mei)
    for day in ("2026-05-01", "2026-07-15"):
        take(lan, day)
    listed = [field.attname for field in MemberScore._meta.fields if field.name != "day"]
    told = list(MemberScore.objects.order_by("member_id").values_list(*listed))
    MemberScore.objects.all().delete()
    take(lan, "2026-07-15")
    assert told == list(MemberScore.objects.order_by("member_id").values_list(*listed))
    assert len(told) == 3
