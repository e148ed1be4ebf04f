"""Profit per member against an independent recount, what is stated, thin shops, and who goes away."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from shuke.engine.insight.profit import KINDS
from shuke.insight import actions
from shuke.insight.actions import BadStatement, Statement
from shuke.insight.models import MemberProfit, MemberValue, ProfitReport, StatedCost, ValueReport
from shuke.insight.queries import profit, profit_inputs
from shuke.loyalty.actions import Ask, ask
from shuke.members.models import Member, MemberCost
from shuke.orders.models import Order, OrderLine, Product
from tests.engine.insight.worked import table
from tests.insight import profits
from tests.insight.till import member, night, sell
from tests.loyalty.books import NOW
from tests.loyalty.till import give, open_till, template

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(lan):
    return profits.shop(lan)


def row(who) -> MemberProfit:
    return MemberProfit.objects.get(member=who)


def recounted(shop, who, since=date(2026, 1, 1)) -> tuple[int, int]:
    """Net and margin, order by order and line by line, in fractions."""
    net = margin = 0
    for order in Order.objects.filter(member=who).prefetch_related("orderline_set__product"):
        if order.net_minor <= 0 or order.paid_at.astimezone(shop.merchant.tz).date() < since:
            continue
        [line] = order.orderline_set.all()
        kept = line.amount_minor - line.refunded_minor
        rate = {"T": Fraction(45, 100), "C": 1, "K": Fraction(30, 100)}[line.product.code]
        exact = order.net_minor * Fraction(kept, kept) * rate - (2_000 if line.product.code == "C" else 0)
        net += order.net_minor
        margin += int(exact + Fraction(1, 2))
    return net, margin


def test_every_member_as_counted_by_hand(shop):
    costs = {  # acquisition, care, service, reward, recovery
        shop.wen: (1_200, 700, 0, 0, 0), shop.bo: (2_500, 0, 0, 0, 0), shop.chi: (800, 0, 4_500, 0, 0), shop.dan: (0, 0, 0, 0, 300),
    }  # fmt: skip
    for who, spent in costs.items():
        found, (net, margin) = row(who), recounted(shop, who)
        assert (found.net_minor, found.margin_minor) == (net, margin)
        assert tuple(getattr(found, f"{kind}_minor") for kind in KINDS) == spent
        assert found.profit_minor == margin - sum(spent)
        assert found.year_profit_minor == found.profit_minor  # all of it happened within the year
    assert (row(shop.wen).net_minor, row(shop.wen).margin_minor, row(shop.dan).profit_minor) == (240_000, 108_000, -300)


def number(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-").replace("–", "0"))


def test_a_used_coupon_is_in_the_profit_once_and_in_full(lan):
    """The worked table, as money: what came into the till less what went to whoever made the goods or carried the parcel."""
    told = table("profit", "order")
    open_till(lan.merchant, points={"share": 100})
    for kind, yuan in (("amount", 10), ("freight", 10), ("large", 50)):
        template(lan.merchant, kind, kind="freight" if kind == "freight" else "amount", amount=str(yuan))
    pot = [Product.objects.create(merchant=lan.merchant, code=code, title=code) for code in ("tea", "cup")]
    said = [Statement("product", "tea", 450), Statement("product", "cup", cost_minor=6_200)]
    actions.state_costs(merchant=lan.merchant, statements=said, now=night(lan, "2026-12-30"), actor="lan.owner")
    people = [member(lan, f"会员{n}", "2026-01-05") for n in range(len(told))]
    for who, one in zip(people, told, strict=True):
        off, back = number(one["took off"]), number(one["given back"])
        if one["by"] != "–":
            asks: dict = {"points": 1_000}
            if one["by"] == "points":
                ask(merchant=lan.merchant, asks=[Ask(f"gift{who.pk}", "adjust", who.pk, 1_000)], now=NOW, actor="t")
            else:
                asks = {"coupons": give(lan.merchant, who.pk, "large" if off == 5_000 else one["by"])}
            profits.priced(lan, who, 10_000, **asks)
        order = sell(lan, who, "2026-06-01", number(one["counts as"]), refunded=back)
        profits.told_by_the_till(order)
        OrderLine.objects.filter(order=order).update(
            product=pot[one["goods"] == "cup"], amount_minor=10_000, refunded_minor=5_000 if back else 0
        )
    profits.report(lan)
    for who, one in zip(people, told, strict=True):
        found, off = row(who), number(one["took off"])
        wanted = tuple(number(one[name]) for name in ("counts as", "margin", "reward", "profit"))
        assert (found.net_minor, found.margin_minor, found.reward_minor, found.profit_minor) == wanted
        goods = 6_200 if one["goods"] == "cup" else 2_750 if number(one["given back"]) else 5_500
        carried = off if one["by"] == "freight" else 0
        in_the_till = 10_000 - (off - carried) - number(one["given back"])
        assert found.profit_minor == in_the_till - goods - carried


def test_a_year_later_only_what_is_left_of_the_year_counts(shop, lan):
    profits.report(lan, "2027-09-30")
    net, margin = recounted(shop, shop.wen, since=date(2026, 10, 1))
    found = row(shop.wen)
    assert (found.year_net_minor, found.year_margin_minor) == (net, margin)
    assert (found.year_care_minor, found.care_minor, found.year_acquisition_minor, found.acquisition_minor) == (
        700,
        700,
        0,
        1_200,
    )
    profits.report(lan, "2027-10-01")
    assert row(shop.wen).year_care_minor == 0


def test_the_totals_add_up_and_say_what_was_stated(shop):
    figures = profit.report(shop.merchant)
    rows = list(MemberProfit.objects.all())
    for name in ("net", "margin", *KINDS, "profit"):
        assert figures["whole"]["ever"][name] == sum(getattr(one, f"{name}_minor") for one in rows)
    assert sum(one["members"] for one in figures["types"]) == figures["whole"]["members"] == 4
    assert sum(one["members"] for one in figures["budgets"]) == 4
    kept_of_pots = 8_000 + 3 * 2_000
    assert figures["stated_share"] == 1000 * (240_000 + 12 * 3_001) // (240_000 + 12 * 3_001 + kept_of_pots)
    assert figures["terms"]["margin_assumed"]
    assert figures["terms"]["stated"] == {"product": 1, "category": 1, "channel": 1, "store": 1}


@pytest.mark.parametrize("what", ["tier", "layer", "rfm"])
def test_groups_leave_nobody_out(shop, what):
    told = profit.report(shop.merchant)
    parts = [one for one in told["groups"] if one["key"].startswith(f"{what}:")]
    assert sum(one["members"] for one in parts) == told["whole"]["members"]
    assert sum(one["ever"]["profit"] for one in parts) == told["whole"]["ever"]["profit"]
    in_none = {one["key"]: one["members"] for one in parts if one["key"] == f"{what}:"}
    assert (
        in_none == {"tier": {"tier:": 4}, "layer": {}, "rfm": {"rfm:": 1}}[what]
    )  # Dan never bought; no books were opened


def test_types_qualities_and_their_reasons(shop):
    told = {
        one.member.name: one
        for one in profit.of_members(shop.merchant, [shop.wen.pk, shop.bo.pk, shop.chi.pk, shop.dan.pk])
    }
    assert {name: (one.row.loyalty, one.row.quality) for name, one in told.items()} == {
        "文": ("high", "quality"), "波": ("price", ""), "池": ("habit", "costly"), "丹": ("", "costly"),
    }  # fmt: skip
    assert ("friends", {"n": 1}) in told["文"].reasons
    assert "on_promotion" in dict(told["波"].reasons)
    assert {"returns", "served", "price_unknown"} <= dict(told["池"].reasons).keys()
    assert ("loses", {"profit": -300}) in told["丹"].reasons
    assert [one.member.name for one in profit.best(shop.merchant)] == ["文", "波"]
    assert [one.member.name for one in profit.worst(shop.merchant)] == ["池", "丹"]


def test_what_somebody_said_makes_high_loyalty_and_nonsense_does_not(shop, lan):
    from shuke.members.actions import Definition, define_attributes

    define_attributes(
        merchant=lan.merchant, definitions=[Definition("recommend", "number"), Definition("wallet_share", "number")]
    )
    Member.objects.filter(pk=shop.bo.pk).update(attributes={"recommend": 9, "wallet_share": 25})
    Member.objects.filter(pk=shop.wen.pk).update(attributes={"recommend": 99, "wallet_share": "?"})
    profits.report(lan)
    assert row(shop.bo).loyalty == "high"
    figures = profit.report(lan.merchant)
    net = row(shop.bo).year_net_minor
    assert (figures["recommend"], figures["wallet"]) == (1, {"members": 1, "net": net, "elsewhere": 3 * net})


def test_without_expected_value_no_budget_is_invented(shop):
    assert [one.advice for one in MemberProfit.objects.all()] == [""] * 4
    assert row(shop.wen).budget_minor is None


def test_budgets_from_value_and_stated_uplift(shop, lan):
    now = night(lan, "2026-12-31")
    ValueReport.objects.get_or_create(merchant=lan.merchant, day=date(2026, 12, 31), defaults={"made_at": now})
    for who, orders, spend in ((shop.wen, 10_000, 100_000), (shop.chi, 2_000, 12_000)):
        MemberValue.objects.create(
            merchant=lan.merchant, member=who, as_of=date(2026, 12, 31), chance_30=500, chance_90=900,
            expected_orders=orders, expected_spend=spend, spend_low=spend // 2, spend_high=spend * 2, rule="model",
        )  # fmt: skip
    actions.set_terms(
        merchant=lan.merchant,
        now=now,
        actor="o",
        margin_permille=None,
        uplift_permille=200,
        years_tenths=20,
        uplift_source="双十一",
    )
    actions.profit_report(merchant=lan.merchant, day=profits.DAY, now=now)
    wen, chi = row(shop.wen), row(shop.chi)
    rhythm = 365 / float(shop.wen.memberscore.usual_gap_days)
    leaving = int(1000 * (1 - 10 / rhythm) + 0.5)
    stays = int(min(10_000 * rhythm, 240_000) + 0.5)
    worth = int(stays * 0.45 + 0.5) - 700
    assert (wen.leaving_permille, wen.stays_minor, wen.worth_minor) == (leaving, stays, worth)
    assert wen.budget_minor == int(worth * 0.2 * leaving / 1000 + 0.5)
    assert wen.budget_low < wen.budget_minor < wen.budget_high
    assert (chi.advice, chi.worth_minor < 0) == ("let_go", True)
    terms = profit.report(lan.merchant)["terms"]
    assert (terms["uplift"], terms["uplift_source"], terms["years_tenths"], terms["margin_assumed"]) == (
        200,
        "双十一",
        20,
        True,
    )
    assert profit.of_member(lan.merchant, shop.wen.pk).plain_worth == (108_000 - 700) * 2


def test_the_same_day_again_changes_no_row_and_merged_members_go(shop, lan):
    before = list(MemberProfit.objects.order_by("pk").values_list())
    profits.report(lan)
    assert list(MemberProfit.objects.order_by("pk").values_list()) == before
    Member.objects.filter(pk=shop.dan.pk).update(state="merged", merged_into=shop.wen)
    profits.report(lan)
    assert not MemberProfit.objects.filter(member=shop.dan).exists()
    assert row(shop.wen).recovery_minor == 300


def test_a_report_is_wanted_after_a_night_and_when_something_was_stated(shop, lan):
    now = night(lan, "2026-12-31")
    assert not profit.unreported(lan.merchant, now)
    actions.state_costs(
        merchant=lan.merchant, statements=[Statement("product", "C")], now=now + timedelta(minutes=1), actor="o"
    )
    assert StatedCost.objects.filter(what="product").count() == 0  # stated as nothing: taken back
    assert profit.unreported(lan.merchant, now)
    profits.report(lan, "2027-01-01")
    assert not profit.unreported(lan.merchant, now)
    assert ProfitReport.objects.count() == 2


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (("staff", "x", 100), "bad_what"), (("product", "", 100), "no_key"), (("product", "Z", 100), "unknown_product"),
        (("category", "肉", 100), "unknown_category"), (("store", "x", None, 100), "unknown_store"), (("product", "T", 100, 100), "both"),
        (("product", "T", 1_001), "bad_margin"), (("channel", "x", 100), "bad_margin"), (("category", "器皿", None, 100), "bad_cost"),
        (("channel", "x", None, -1), "bad_cost"),
    ],
)  # fmt: skip
def test_what_cannot_be_stated(shop, said, code):
    with pytest.raises(BadStatement) as refused:
        actions.state_costs(
            merchant=shop.merchant, statements=[Statement("product", "K", 100), Statement(*said)], now=night(shop, "2026-12-31"), actor="o"
        )  # fmt: skip
    assert refused.value.code == code
    assert not StatedCost.objects.filter(key="K").exists()


def test_a_list_keeps_what_is_good_and_gives_back_the_rest(shop, tmp_path):
    path = tmp_path / "成本.csv"
    path.write_text(
        "类型,商品编码,毛利率,成本\n商品,K,35%,\n,T,,12.5\n类目,器皿,0.4,\n渠道,抖音,,30\n商品,Z,20%,\n商品,K,abc,\n商品,C,,\n",
        encoding="utf-8",
    )
    taken = actions.take_list(merchant=shop.merchant, path=path, now=night(shop, "2026-12-31"), actor="o")
    assert taken.stated == 4
    assert [(one.row, one.why.code) for one in taken.rejected] == [
        (6, "unknown_product"),
        (7, "bad_margin"),
        (8, "nothing_stated"),
    ]
    told = profit_inputs.stated(shop.merchant)
    assert (told["product"]["K"], told["product"]["T"]) == ((350, None), (None, 1_250))
    assert (told["category"]["器皿"].margin_permille, told["channel"]["抖音"].cost_minor) == (400, 3_000)
    path.write_text("name,price\nx,1\n")
    with pytest.raises(BadStatement, match="columns"):
        actions.take_list(merchant=shop.merchant, path=path, now=night(shop, "2026-12-31"), actor="o")


@pytest.mark.parametrize("kind", ["nobody", "nothing bought", "one day", "only refunds", "one wholesaler"])
def test_thin_shops_are_told_as_far_as_they_go(lan, kind):
    people = [member(lan, f"会员{n}", "2026-01-05") for n in range(0 if kind == "nobody" else 3)]
    for who in people if kind in ("one day", "only refunds") else ():
        sell(
            lan,
            who,
            "2026-06-01",
            0 if kind == "only refunds" else 5_000,
            refunded=5_000 if kind == "only refunds" else 0,
        )
    if kind == "one wholesaler":
        sell(lan, people[0], "2026-06-01", 10**11)
    figures = profits.report(lan, "2026-06-30").figures
    assert figures["whole"]["members"] == len(people)
    assert figures["whole"]["year"]["margin"] == figures["whole"]["year"]["net"] * 3 // 10
    assert figures["price"] is None
    assert figures["budgets"][0]["members"] == len(people)
    assert profit.best(lan.merchant, 5) == [] or figures["whole"]["buyers"]


def test_who_asks_to_be_forgotten_leaves_no_row(shop):
    actions.forget(merchant=shop.merchant, members=[shop.wen.pk])
    assert not MemberProfit.objects.filter(member=shop.wen).exists()
    assert MemberProfit.objects.count() == 3


def test_another_shop_sees_nothing(shop, mingde):
    assert profit.report(mingde.merchant) is None
    assert profit.of_member(mingde.merchant, shop.wen.pk) is None
    assert MemberCost.objects.filter(merchant=mingde.merchant).count() == 0
