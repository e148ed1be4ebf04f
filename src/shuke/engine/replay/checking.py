"""What only the whole list shows: who is there by then, which orders, gifts and draws, and no id twice."""

from __future__ import annotations

from collections.abc import Sequence

from shuke.engine.checkout.codes import plain
from shuke.engine.replay.fields import Line, LineFault
from shuke.kit import money


def checked(lines: Sequence[Line], currency: str) -> list[LineFault]:
    """Everything that is wrong with a list whose lines are right one by one, in the order in which they happen."""
    look = _Look(currency)
    for line in lines:
        look.at(line)
    return look.faults


class _Look:
    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.faults: list[LineFault] = []
        self.members: set[str] = set()
        self.orders: dict[str, Line] = {}
        self.ids: set[str] = set()
        self.goods: dict[str, tuple[str, str, int]] = {}
        self.offers: set[tuple[str, str]] = set()

    def fault(self, line: Line, code: str, **params: object) -> None:
        self.faults.append(LineFault(line.number, code, {k: str(v)[:80] for k, v in params.items()}))

    def at(self, line: Line) -> None:
        if line.event == "join":
            if line.member in self.members:
                self.fault(line, "member_twice", member=line.member, field="member")
            self.members.add(line.member)
            return
        for field, member in (("member", line.member), ("to", line.ref), ("by", line.ref)):
            other = {"to": "transfer", "by": "referral"}.get(field)
            if member and (other is None or line.event == other) and member not in self.members:
                self.fault(line, "unknown_member", member=member, field=field)
        for member in line.members:
            if member not in self.members:
                self.fault(line, "unknown_member", member=member, field="members")
        if line.event == "partner":
            if ("partner", line.ref) in self.offers:
                self.fault(line, "offered_twice", name=line.ref, field="partner")
            self.offers.add(("partner", line.ref))
        elif line.partner and ("partner", line.partner) not in self.offers:
            self.fault(line, "not_offered", name=line.partner, event="partner", field="partner")
        if line.event == "family":
            if ("family", line.ref) in self.offers:
                self.fault(line, "offered_twice", name=line.ref, field="family")
            self.offers.add(("family", line.ref))
        if line.event == "order":
            self._order(line)
        elif line.event == "return":
            self._return(line)
        elif line.event in ("gift_offer", "draw_offer"):
            what = (line.event, line.ref)
            if what in self.offers:
                self.fault(line, "offered_twice", name=line.ref, field=line.event.partition("_")[0])
            self.offers.add(what)
        elif line.event in ("gift", "draw") and (f"{line.event}_offer", line.ref) not in self.offers:
            self.fault(line, "not_offered", name=line.ref, event=f"{line.event}_offer", field=line.event)
        elif line.event == "coupon_claim" and bool(line.ref) == bool(line.code):
            self.fault(line, "template_or_code", field="code")
        elif line.event == "coupon_redeem" and bool(line.ref) == bool(line.code):
            self.fault(line, "coupon_or_code", field="code")
        elif line.event == "price" and line.codes and not line.member:
            self.fault(line, "codes_need_member", field="codes")
        for code in line.codes if line.event in ("coupon_codes", "card_make") else ():
            if ("code", plain(code)) in self.offers:
                self.fault(line, "offered_twice", name=code, field="codes")
            self.offers.add(("code", plain(code)))
        if line.basket is not None and line.member:
            asks = line.basket.get("asks")
            cards = isinstance(asks, dict) and asks.get("gift_cards")
            if "member" in line.basket or line.basket.get("gift_cards") or cards:
                self.fault(line, "member_told_twice", field="basket")
        if line.id:
            if line.id in self.ids:
                self.fault(line, "id_twice", id=line.id, field="id")
            self.ids.add(line.id)

    def _order(self, line: Line) -> None:
        if line.order in self.orders:
            self.fault(line, "order_twice", order=line.order, field="order")
        self.orders[line.order] = line
        if line.tenders is not None:
            if not line.goods or line.discount:
                self.fault(line, "tenders_need_lines", field="lines")
        elif not line.paid_told:
            self.fault(line, "missing_field", event="order", field="paid")
        elif line.goods and (whole := sum(g.amount for g in line.goods)) != line.paid:
            told = {name: money.show(n, self.currency) for name, n in (("sum", whole), ("paid", line.paid))}
            self.fault(line, "lines_differ", field="lines", **told)
        for good in line.goods:
            known = self.goods.setdefault(good.product, (good.category, good.brand, line.number))
            if good.product and known[:2] != (good.category, good.brand):
                self.fault(line, "product_changed", product=good.product, other=known[2], field="lines")

    def _return(self, line: Line) -> None:
        sold = self.orders.get(line.order)
        if sold is None:
            self.fault(line, "unknown_order", order=line.order, field="order")
            return
        if sum((bool(line.back), line.whole, bool(line.paid))) > 1:
            self.fault(line, "amount_twice", field="amount")
        for place, _ in line.back:
            if place > len(sold.goods):
                self.fault(line, "no_such_line", order=line.order, count=len(sold.goods), place=place, field="lines")
