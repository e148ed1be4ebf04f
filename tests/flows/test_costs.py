"""What programmes cost: every kind with a figure worked out by hand, its rows behind it, at every door."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.test import Client

from shuke.flows import costs_report
from shuke.loyalty.actions import benefits, draws, gifts
from shuke.loyalty.actions import coupons as coupon_actions
from shuke.loyalty.actions.coupons import Use
from shuke.loyalty.models import BenefitUse
from shuke.loyalty.queries import costs
from shuke.shops import actions as shops
from tests.loyalty.books import CHARTER, NOW, START, member, order, publish, take
from tests.loyalty.stored import STORED, do
from tests.loyalty.test_benefits import RIGHTS
from tests.loyalty.till import give, template

DRAW = {
    "name": {"zh": "抽奖", "en": "Draw"},
    "opens_at": "2026-05-01T00:00:00Z",
    "closes_at": "2026-07-01T00:00:00Z",
    "prizes": [
        {"key": "cream", "name": {"zh": "面霜", "en": "Cream"}, "odds": "1/1", "stock": None, "worth_minor": 9900}
    ],
    "ways": {"given": True},
}
LATER = NOW + timedelta(days=40)


@pytest.fixture
def shop(lan):
    """Ann and Bob with a gift each (Ann's second came back), a coupon each (Bob's came back), a prize, bonus spent."""
    publish(lan.merchant, CHARTER | {"stored": STORED | {"order": "bonus_first"}, "rights": RIGHTS})
    ann, bob = member(lan.merchant, 1), member(lan.merchant, 2)
    same = {"merchant": lan.merchant, "now": NOW, "actor": "t"}
    for n, who in enumerate((ann, bob)):
        take(lan.merchant, who, order(f"o{n}", 510, 3000))
    cup = {"name_zh": "杯", "name_en": "Mug", "points": 100, "cash_minor": 500, "cost_minor": 1500, "stock": 20}
    gifts.save_gift(code="cup", values=cup, **same)
    mine = gifts.order(member_id=ann, gift="cup", key="g1", count=2, at_once=True, **same)
    gifts.order(member_id=bob, gift="cup", key="g2", **same)  # set aside only: costs nothing yet
    gifts.give_back(order_id=mine.order.pk, key="b", merchant=lan.merchant, now=LATER, actor="t")
    template(lan.merchant)
    for n, who in enumerate((ann, bob)):
        (pk,) = give(lan.merchant, who)
        coupon_actions.hold(uses=[Use(pk, 1000)], checkout_id=n + 1, ref=f"c{n}", **same)
        coupon_actions.redeem(checkout_id=n + 1, ref=f"order:{n}", **same)
    coupon_actions.give_back(checkout_id=2, ref="order:1", **same | {"now": LATER})
    draws.save_draw(code="summer", terms=DRAW, **same | {"now": START})
    draws.commit_draw(code="summer", **same | {"now": START})
    ticket = draws.draw_ticket(draw="summer", member_id=bob, key="t", way="given", **same).ticket
    draws.hand_over_prize(ticket_id=ticket.pk, **same)
    do(lan.merchant, ann, "top_up", 1000)
    paid = do(lan.merchant, ann, "spend", 60)
    do(lan.merchant, ann, "return", 20, ref=paid.key, now=LATER)
    return SimpleNamespace(merchant=lan.merchant, owner=lan.owner, assistant=lan.assistant, ann=ann, bob=bob)


def asked(**more):
    return costs.Asked(START, LATER + timedelta(days=1), **more)


def told(shop, **more):
    return {
        (t.kind, t.programme): (t.members, t.pieces, t.cost_minor, t.received_minor)
        for t in costs.totals(shop.merchant, asked(**more))
    }


def test_every_kind_adds_up(shop):
    assert told(shop) == {
        ("gift", "cup"): (1, 1, 1500, 500),
        ("coupon", "ten"): (2, 1, 1000, 0),
        ("draw", "summer"): (1, 1, 9900, 0),
        ("bonus", "stored_value"): (1, 0, 4000, 0),
    }


def test_what_came_back_later_is_booked_later(shop):
    before = costs.Asked(START, NOW + timedelta(days=1))
    assert {(t.kind, t.pieces, t.cost_minor) for t in costs.totals(shop.merchant, before)} == {
        ("gift", 2, 3000), ("coupon", 2, 2000), ("draw", 1, 9900), ("bonus", 1, 6000),
    }  # fmt: skip
    after = costs.Asked(LATER - timedelta(days=1), LATER + timedelta(days=1))
    assert {(t.kind, t.pieces, t.cost_minor) for t in costs.totals(shop.merchant, after)} == {
        ("gift", -1, -1500), ("coupon", -1, -1000), ("bonus", -1, -2000),
    }  # fmt: skip


@pytest.mark.parametrize("more", [{}, {"kind": "gift"}, {"kind": "coupon", "programme": "ten"}, {"kind": "bonus"}])
def test_every_figure_is_the_sum_of_the_rows_behind_it(shop, more):
    rows = costs.lines(shop.merchant, asked(**more))
    sums = {}
    for row in rows:
        have = sums.setdefault((row.kind, row.programme), [0, 0, 0])
        for i, n in enumerate((row.pieces, row.cost_minor, row.received_minor)):
            have[i] += n
    assert sums == {key: list(figures[1:]) for key, figures in told(shop, **more).items()}
    assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)


def test_of_one_member(shop):
    assert told(shop, member_id=shop.bob) == {("coupon", "ten"): (1, 0, 0, 0), ("draw", "summer"): (1, 1, 9900, 0)}


def test_benefits_with_their_cost_and_their_name_then(shop):
    done = benefits.hand_out(
        merchant=shop.merchant, member_id=shop.ann, benefit=next(iter_keys(shop)), key="u", now=NOW, actor="t"
    )
    assert done.done, done.code
    BenefitUse.objects.filter(pk=done.use.pk).update(cost_minor=700)
    (one,) = costs.totals(shop.merchant, asked(kind="benefit"))
    assert (one.cost_minor, one.name) == (700, done.use.label)
    benefits.take_back(merchant=shop.merchant, use_id=done.use.pk, now=NOW, actor="t", because="x")
    assert costs.totals(shop.merchant, asked(kind="benefit")) == []


def iter_keys(shop):
    from shuke.loyalty.queries import benefits as books

    seen = books.known(shop.merchant, shop.ann, NOW)
    return (right.key for right in books.rights(seen.terms, seen.who, NOW, "") if not right.code)


def test_another_shop_sees_nothing(shop, mingde):
    assert costs.totals(mingde.merchant, asked()) == []


def test_the_report_adds_up_and_cuts(shop):
    report = costs_report.costs_of(shop.merchant, date(2025, 1, 1), date(2026, 8, 1), "zh", lines=2)
    assert report.plain["cost_minor"] == sum(k["cost_minor"] for k in report.plain["kinds"]) == 16_400
    assert len(report.plain["lines"]) == 2
    assert report.notes[-1] == "只列出最近 2 笔。"
    assert [table.key for table in report.tables] == ["by_kind", "by_programme", "lines"]


def test_the_page_opens_every_figure(shop, client):
    client.force_login(shop.owner)
    client.cookies["django_language"] = "en"
    span = "from=2025-01-01&to=2026-08-01"
    page = client.get(f"/finance/costs?{span}").content.decode()
    assert "¥99.00" in page
    assert "kind=draw" in page
    opened = client.get(f"/finance/costs?{span}&kind=gift&programme=cup").content.decode()
    assert f"/members/{shop.ann}?show=rewards" in opened
    assert "¥-15.00" in opened or "-¥15.00" in opened or "−¥15.00" in opened
    assert "There is no member with this card." in client.get("/finance/costs?member=99999999").content.decode()
    answer = client.get(f"/finance/costs?{span}&file=csv&table=lines")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 1 + len(costs.lines(shop.merchant, asked()))
    client.force_login(shop.assistant)
    assert client.get("/finance/costs").status_code == 403


def test_the_api_and_its_refusal(shop):
    _, token = shops.make_token(merchant=shop.merchant, name="books", may_write=False, now=NOW)
    client = Client(headers={"authorization": f"Bearer {token}"})
    told = client.get("/api/v1/finance/costs?from=2025-01-01&to=2026-08-01&kind=draw&lines=5").json()
    assert (told["cost_minor"], told["lines"][0]["programme"]) == (9900, "summer")
    wrong = client.get("/api/v1/finance/costs?from=2026-08-01&to=2025-01-01")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "from_after_to")


def test_a_plain_report_is_json(shop):
    report = costs_report.costs_of(shop.merchant, date(2025, 1, 1), date(2026, 8, 1), "en", lines=9)
    assert json.loads(json.dumps(report.plain, default=str))["programmes"]
