"""A shop whose members buy tea every three weeks, some of them a cup once."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

from shuke.insight import actions
from shuke.orders.models import OrderLine, Product
from tests.cast import Shop
from tests.insight.till import member, night, sell

DAY = date(2026, 6, 30)


def stock(lan: Shop) -> SimpleNamespace:
    """Twelve members who buy tea every 20 days, six of them cups once; a guest; a kettle given back."""
    named = {
        code: Product.objects.create(merchant=lan.merchant, code=code, title=title, category=kind)
        for code, title, kind in (
            ("T", "茶", "食品/茶"),
            ("C", "杯", "器皿"),
            ("K", "壶", "器皿"),
            ("B", "饼", "食品/饼"),
        )
    }

    def bought(buyer, day, *codes, refunded=0):
        order = sell(lan, buyer, day, 1_000 * len(codes), quantities=(1_000,) * len(codes), refunded=refunded)
        for line, code in zip(OrderLine.objects.filter(order=order).order_by("position"), codes, strict=True):
            OrderLine.objects.filter(pk=line.pk).update(product=named[code], refunded_minor=refunded)
        return order

    people = [member(lan, f"会员{n}", "2026-01-01") for n in range(12)]
    for n, buyer in enumerate(people):
        for step in range(8):
            day = date(2026, 1, 20) + timedelta(days=20 * step)
            bought(buyer, day.isoformat(), *(("T", "C") if n < 6 and step == 3 else ("T",)))
    bought(None, "2026-06-25", "B", "T")
    bought(people[0], "2026-06-20", "K", refunded=1_000)
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    return SimpleNamespace(**lan._asdict(), people=people, bought=bought, goods=named)
