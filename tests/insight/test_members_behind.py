"""Every number opens to the members behind it: as many as it says."""

from datetime import date
from random import Random

import pytest

from shuke.insight import actions
from shuke.insight.queries import figures
from shuke.insight.queries.members_behind import NoSuchFigure, members_behind
from shuke.members.models import Member, MemberState
from shuke.orders.models import Order
from tests import cast
from tests.insight.till import at, member, night, sell

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 30)


def open_busy(lan: cast.Shop) -> cast.Shop:
    """Thirty members with all sorts of habits over fourteen months, guests, refunds, three stores; seeded."""
    luck = Random(20_261_130)
    people = [member(lan, f"会员{i}", f"2025-{luck.randint(10, 12)}-{luck.randint(1, 28):02d}") for i in range(22)]
    people += [member(lan, f"新客{i}", f"2026-{month:02d}-03") for i, month in enumerate((1, 3, 5, 7, 9, 11, 11, 12))]
    for buyer in people[:27]:
        for _ in range(luck.choice((0, 1, 2, 4, 9))):
            month = luck.randint(0, 13)
            day = f"{2025 + (9 + month) // 12}-{(9 + month) % 12 + 1:02d}-{luck.randint(1, 28):02d}"
            paid = at(lan, day)
            if paid < buyer.joined_at:
                continue
            refunded = luck.choice((0, 0, 0, 500))
            net = 0 if refunded and luck.random() < 0.5 else luck.randint(1, 900) * 100
            sell(
                lan,
                buyer,
                day,
                net,
                refunded=refunded,
                store=luck.choice((lan.street, lan.online)),
                sold_at=luck.choice((None, lan.second)),
            )
    sell(lan, people[0], "2026-07-10")  # active ninety days before the last day, and not since
    Order.objects.filter(member=people[0], paid_at__gt=at(lan, "2026-07-11")).delete()
    sell(lan, None, "2026-11-11", 8_800)
    for day in (date(2026, 10, 31), DAY):
        actions.snapshot(merchant=lan.merchant, day=day, now=night(lan, day.isoformat()))
    return lan


@pytest.fixture
def busy(lan):
    return open_busy(lan)


def behind(shop, figure: str, **key) -> int:
    return members_behind(shop.merchant, figure, **key).count()


def test_every_key_figure_opens_to_as_many_members(busy):
    kpi = figures.latest(busy.merchant)["kpi"]
    assert {
        "members": behind(busy, "members"),
        "buyers": behind(busy, "buyers"),
        "new_members": behind(busy, "new_members"),
        "active": behind(busy, "active"),
        "churned": behind(busy, "churned"),
        "repeat_buyers": behind(busy, "repeat_buyers"),
        "degrading": behind(busy, "stage", stage="degrading"),
        "lost": behind(busy, "stage", stage="lost"),
    } == {
        name: kpi[name]
        for name in ("members", "buyers", "new_members", "active", "churned", "repeat_buyers", "degrading", "lost")
    }
    assert kpi["churned"] > 0
    assert kpi["new_members"] == 2


def test_every_class_cell_layer_and_stage_opens_to_its_members(busy):
    told = figures.latest(busy.merchant)
    rows = [("class", {"rfm": row["code"]}, row["count"]) for row in told["rfm"]["classes"]]
    rows += [("map", {"r": row["r"], "f": row["f"]}, row["count"]) for row in told["rfm"]["map"]]
    rows += [("monetary", {"m": row["m"]}, row["count"]) for row in told["rfm"]["monetary"]]
    rows += [("layer", {"layer": row["layer"]}, row["count"]) for row in told["pyramid"]["layers"]]
    rows += [("bond", {"bond": row["bond"]}, row["count"]) for row in told["pyramid"]["bonds"]]
    rows += [("stage", {"stage": row["stage"]}, row["count"]) for row in told["lifecycle"]["stages"]]
    rows += [("unbought", {}, told["rfm"]["none"]), ("without_purchase", {}, told["pyramid"]["without_purchase"])]
    assert [(figure, key, behind(busy, figure, **key)) for figure, key, _ in rows] == rows


def test_every_month_and_store_opens_to_its_buyers(busy):
    told = figures.latest(busy.merchant)
    for row in told["months"]:
        assert behind(busy, "month", month=row["month"]) == row["buyers"]
        if row is not told["months"][0]:
            assert behind(busy, "new_members", month=row["month"]) == row["new_members"]
    assert {row["name"] for row in told["stores"]} == {"徐汇店", "静安店", "兰记护肤淘宝店"}
    for row in told["stores"]:
        assert behind(busy, "store", store=row["store"]) == row["buyers"]
    for row in told["store_months"]["rows"]:
        for month, buyers in zip(told["store_months"]["months"], row["buyers"], strict=True):
            assert behind(busy, "store", store=row["store"], month=month) == (buyers or 0)


def test_every_flow_opens_to_the_members_who_went(busy):
    span = {"since": date(2026, 10, 31), "until": DAY}
    for what in ("rfm", "layer", "stage"):
        flows = figures.movement(busy.merchant, what=what, **span)
        assert [{"before": f.before, "after": f.after, "count": f.members} for f in flows] == sorted(
            figures.latest(busy.merchant)["movement"][what],
            key=lambda row: (-row["count"], row["before"], row["after"]),
        )
        for flow in flows:
            assert behind(busy, "moved", what=what, before=flow.before, after=flow.after, **span) == flow.members
        assert behind(busy, "moved", what=what, **span) == sum(flow.members for flow in flows)


def test_a_member_who_has_gone_is_not_shown(busy):
    before = behind(busy, "buyers")
    gone = members_behind(busy.merchant, "buyers").first()
    Member.objects.filter(pk=gone.pk).update(state=MemberState.MERGED)
    assert behind(busy, "buyers") == before - 1


def test_nothing_of_another_merchant_is_behind_a_figure(busy, mingde):
    stranger = member(mingde, "明", "2026-11-05")
    sell(mingde, stranger, "2026-11-20")
    actions.snapshot(merchant=mingde.merchant, day=DAY, now=night(mingde, DAY.isoformat()))
    assert stranger not in members_behind(busy.merchant, "members")
    assert list(members_behind(mingde.merchant, "active")) == [stranger]


def test_before_the_first_night_nobody_is_behind_anything(lan):
    member(lan, "梅")
    assert behind(lan, "members") == 0
    assert figures.latest(lan.merchant) is None


def test_an_unknown_figure_or_key_is_refused_with_what_there_is(busy):
    with pytest.raises(NoSuchFigure, match=r"no figure 'profit'. Known are: active, bond, buyers, .*without_purchase"):
        members_behind(busy.merchant, "profit")
    with pytest.raises(NoSuchFigure, match="needs other keys: r, f"):
        members_behind(busy.merchant, "map", r=5)


def test_there_and_back_between_two_days_is_no_movement(lan):
    mei, hong = member(lan, "梅"), member(lan, "红")
    for day in ("2026-02-01", "2026-02-11", "2026-02-21", "2026-03-03", "2026-03-13", "2026-03-23"):
        sell(lan, mei, day)
        sell(lan, hong, day)
    for day in ("2026-03-25", "2026-04-10"):
        actions.snapshot(merchant=lan.merchant, day=date.fromisoformat(day), now=night(lan, day))
    sell(lan, mei, "2026-04-11")
    actions.snapshot(merchant=lan.merchant, day=date(2026, 4, 11), now=night(lan, "2026-04-11"))
    flows = figures.movement(lan.merchant, what="stage", since=date(2026, 3, 25), until=date(2026, 4, 11))
    assert [tuple(flow) for flow in flows] == [("stable", "degrading", 1)]
    assert [
        m.name
        for m in members_behind(lan.merchant, "moved", what="stage", since=date(2026, 3, 25), until=date(2026, 4, 11))
    ] == ["红"]


def test_figures_carry_their_definition_in_both_languages(busy):
    told = figures.latest(busy.merchant)
    assert figures.definition("active", told, "en") == "Members who bought within the last 90 days."
    assert figures.definition("active", told, "zh-hans") == "近 90 天有购买的会员。"
    assert "2026-11-30" in figures.definition("pyramid", told, "en")
    for name in told["kpi"]:
        if name in ("churn_base", "churned", "window_buyers", "repeat_buyers", "month_orders", "month_net_minor"):
            continue  # parts of a rate or of another period
        assert figures.definition(name, told, "en")
        assert figures.name(name, "zh") != figures.name(name, "en")
