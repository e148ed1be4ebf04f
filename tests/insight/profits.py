"""A small shop whose members' profits can be reckoned by hand: what they bought, what was spent on them, all of it listed here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from types import SimpleNamespace

from shuke.engine.checkout import document as documents
from shuke.flows import checkout
from shuke.insight import actions
from shuke.insight.actions import Statement
from shuke.loyalty.queries.facts import order_event
from shuke.members.actions import Cost, book_costs
from shuke.members.models import Member
from shuke.orders.models import Order, OrderLine, Product
from tests.cast import Shop
from tests.insight.till import at, member, night, sell
from tests.loyalty.books import NOW

DAY = date(2026, 12, 31)
GOODS = {"T": "食品/茶", "C": "器皿", "K": "器皿/壶"}


def shop(lan: Shop, *, snapshot: bool = True) -> SimpleNamespace:
    """Wen buys tea every 20 days; Bo buys cups, reduced; Chi sends most back and calls often; Dan never bought."""
    named = {
        code: Product.objects.create(merchant=lan.merchant, code=code, title=code, category=kind)
        for code, kind in GOODS.items()
    }
    wen = member(lan, "文", "2026-01-05", acquired_by="朋友圈")
    bo = member(lan, "波", "2026-01-05", acquisition_cost_minor=2_500, referred_by=wen)
    chi = member(lan, "池", "2026-02-01", home_store=lan.street)
    dan = member(lan, "丹", "2026-03-01")

    def bought(buyer, day, code, net, *, discount=0, refunded=0, pieces=1):
        order = sell(lan, buyer, day, net - refunded, refunded=refunded, quantities=(pieces * 1_000,))
        OrderLine.objects.filter(order=order).update(
            product=named[code], amount_minor=net, discount_minor=discount, refunded_minor=refunded
        )

    for month in range(1, 13):
        for day in (10, 28):
            bought(wen, f"2026-{month:02}-{day}", "T", 10_000)
        bought(bo, f"2026-{month:02}-15", "C", 3_001, discount=900)
    for month in (6, 8, 9, 11):
        bought(chi, f"2026-{month:02}-20", "K", 8_000, refunded=0 if month == 6 else 6_000)
    bought(None, "2026-05-05", "T", 99_000)
    book_costs(
        merchant=lan.merchant,
        costs=[
            Cost(chi.pk, "service", 4_500, at(lan, "2026-09-21"), "call:1"),
            Cost(wen.pk, "care", 700, at(lan, "2026-10-01"), "visit:1"),
            Cost(dan.pk, "recovery", 300, at(lan, "2026-12-31", "23:59"), "letter:1"),
        ],
        now=night(lan, "2026-12-31"),
        actor="lan.owner",
    )
    said = [
        Statement("category", "食品/茶", 450),
        Statement("product", "C", cost_minor=2_000),
        Statement("channel", "朋友圈", cost_minor=1_200),
        Statement("store", lan.street.name, cost_minor=800),
    ]
    actions.state_costs(merchant=lan.merchant, statements=said, now=night(lan, "2026-12-31"), actor="lan.owner")
    if snapshot:
        report(lan)
    return SimpleNamespace(**lan._asdict(), wen=wen, bo=bo, chi=chi, dan=dan, bought=bought, goods=named)


def priced(lan: Shop, who: Member, goods: int, *, coupons: Sequence[int] = (), points: int = 0) -> None:
    """A basket of goods, with 10.00 of freight, priced and paid at the till with coupons or points; its order is told later."""
    lines = [{"key": "a", "amount_minor": goods}, {"key": "f", "amount_minor": 1_000, "freight": True}]
    told = {"lines": lines, "asks": {"coupons": [str(one) for one in coupons], "points": points}}
    basket, key = documents.basket(documents.from_plain(told), "CNY"), f"basket{who.pk}"
    checkout.hold(merchant=lan.merchant, key=key, basket=basket, told=told, member_id=who.pk, now=NOW, actor="t")
    event = order_event(lan.street.platform, lan.street.code, f"till:{who.pk}")
    checkout.capture(merchant=lan.merchant, key=key, order_event=event, now=NOW, actor="t")


def told_by_the_till(order: Order) -> None:
    """This is the order of the basket that was priced for its member."""
    Order.objects.filter(pk=order.pk).update(number=f"till:{order.member_id}")


def report(lan: Shop, day: str = "2026-12-31", *, now: datetime | None = None):
    """A night: snapshot, value, profit."""
    moment = now or night(lan, day)
    that = date.fromisoformat(day)
    actions.snapshot(merchant=lan.merchant, day=that, now=moment)
    return actions.profit_report(merchant=lan.merchant, day=that, now=moment)
