"""Orders, baskets and returns of a replayed list, through the till and the archive of a running Shuke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shuke.engine import facts
from shuke.engine.checkout import Priced, document
from shuke.engine.checkout import price as price_by
from shuke.engine.replay.baskets import basket_of, numbered, sold_goods, to_use, void, why_unused
from shuke.engine.replay.cards import moved
from shuke.engine.replay.fields import Goods, Line
from shuke.engine.replay.outcome import Answer, with_names
from shuke.engine.replay.returns import Plan, Returns
from shuke.engine.replay.value import did
from shuke.flows import checkout
from shuke.flows.checkout import CheckoutRefused
from shuke.flows.checkout.pricing import look_up_codes, see
from shuke.flows.replay_books.cards import Cards
from shuke.flows.replay_books.shop import ACTOR, Shop
from shuke.flows.replay_books.vouchers import Vouchers
from shuke.flows.take_orders import take_orders
from shuke.loyalty import actions as loyalty
from shuke.loyalty.models import Checkout, Coupon, CouponMove, StoredTxn
from shuke.loyalty.queries import charters


class Till:
    def __init__(self, shop: Shop, currency: str, cards: Cards, vouchers: Vouchers) -> None:
        self.shop, self.currency, self.cards, self.vouchers = shop, currency, cards, vouchers
        self.returns = Returns()
        self.keys: dict[str, int] = {}  # order or redemption → its basket's row

    def price(self, line: Line) -> Answer:
        try:
            priced, names, _ = self._price(dict(line.basket or {}), line, line.codes)
        except document.BasketInvalid as error:
            return Answer(False, "basket_invalid", {"places": str(error)})
        return Answer(True, priced=with_names(priced.to_plain(), names))

    def _price(
        self, plain: dict[str, Any], line: Line, shown: Sequence[str]
    ) -> tuple[Priced, dict[str, str], dict[str, Any]]:
        """Raises BasketInvalid. The third is the basket as a till would send it; `shown`: codes of coupons."""
        merchant, at = self.shop.merchant, line.at
        terms = charters.in_force(merchant, at)
        told = document.from_plain(plain)
        if not line.member:
            return price_by(terms, document.basket(told, terms.currency), document.holdings(told), at), {}, plain
        loyalty.run_clock(merchant=merchant, now=at)  # a till prices by the tier as the worker left it
        rows = {name: str(pk) for name, pk in self.shop.coupons.items()}
        renamed, names = numbered(plain, rows, self.vouchers.in_basket(shown))
        renamed, names = self.cards.in_basket(renamed), names | self.cards.numbers()
        basket = document.basket(document.from_plain(renamed), terms.currency)
        codes = look_up_codes(merchant, basket.asks, [ACTOR], at)
        return see(merchant, basket, self.shop.member(line.member), codes, at).priced, names, renamed

    # ---- selling ------------------------------------------------------------------------------------------------------

    def order(self, line: Line) -> Answer:
        answer = Answer(True, events=[(line.member, line.order_event)])
        if line.tenders is None:
            self._take_in(line, line.goods, line.paid + line.freight, line.freight, line.discount)
            self.returns.sell(line, line.paid + line.freight, line.goods, line.freight)
            return answer
        priced, names, told = self._price(basket_of(line), line, line.tenders.codes)
        plain = with_names(priced.to_plain(), names)
        if line.paid_told and priced.due != line.paid:
            return Answer(False, "price_changed", {"due_minor": priced.due, "expected_minor": line.paid}, plain)
        paid = self._pay(line, line.order, told, priced.due, line.order_event)
        if paid.done:
            goods, freight = sold_goods(line, priced.lines)
            money = priced.due + priced.stored_value + priced.gift_cards
            self._take_in(line, goods, money, freight, None)
            self.returns.sell(line, money, goods, freight, is_basket=True)
            paid.events = answer.events + paid.events
        paid.priced = plain
        return paid

    def _take_in(self, line: Line, goods: tuple[Goods, ...], paid: int, freight: int, discount: int | None) -> None:
        claim = facts.Claim(facts.IdentityKind.CARD, self.shop.members[line.member].card, "", True)
        order = facts.Order(
            platform=line.platform,
            shop=line.store,
            number=line.order,
            status=facts.OrderStatus.FINISHED if line.done else facts.OrderStatus.PAID,
            created_at=line.at,
            paid_at=line.at,
            finished_at=line.done,
            currency=self.currency,
            discount_minor=discount,
            freight_minor=freight,
            paid_minor=paid,
            lines=_lines(goods),
            person=facts.Person(claims=(claim,)),
            channel=line.channel,
            stated_at=line.at,
        )
        take_orders(merchant=self.shop.merchant, orders=[order], now=line.at, actor=ACTOR)

    def redeem(self, line: Line) -> Answer:
        plain, used, shown_codes = to_use(line)
        try:
            priced, names, told = self._price(plain, line, shown_codes)
        except document.BasketInvalid as error:
            return Answer(False, "basket_invalid", {"places": str(error)})
        shown = with_names(priced.to_plain(), names)
        if code := why_unused(shown, used):
            return Answer(False, code, {"coupon": used}, shown)
        answer = self._pay(line, line.id, told, priced.due, "")
        answer.priced = shown
        return answer

    def _pay(self, line: Line, key: str, told: dict[str, Any], due: int, order_event: str) -> Answer:
        """Held and captured, as a till does it."""
        merchant, at, member = self.shop.merchant, line.at, self.shop.member(line.member)
        basket = document.basket(document.from_plain(told), self.currency)
        try:
            held = checkout.hold(
                merchant=merchant,
                key=key,
                basket=basket,
                told=told,
                member_id=member,
                expect_due=due,
                now=at,
                actor=ACTOR,
            )
        except CheckoutRefused as refused:
            return Answer(False, refused.code)
        self.shop.fresh_coupons()  # whoever shows a code that many share gets a coupon of their own
        checkout.capture(merchant=merchant, key=key, order_event=order_event, now=at, actor=ACTOR)
        row = Checkout.objects.get(merchant=merchant, pk=held.id)
        self.keys[key] = row.pk
        self.shop.names.baskets[str(row.pk)] = key
        answer = Answer(True)
        if row.points:
            for kind, what in (("hold", "points"), ("capture", "paid")):
                answer.events.append((line.member, self.shop.names.event(f"{kind}:checkout:{row.pk}:{what}")))
        for card in sorted(row.gift_cards, key=int):  # their numbers are given in the order in which they were made
            answer.did.append(self._by_card(f"checkout:{row.pk}:card:{card}:paid", "card_spend", card))
        if row.stored_value_minor:
            answer.did.append(self._value(f"checkout:{row.pk}:stored:paid", "spend_value"))
        used = CouponMove.objects.filter(
            merchant=merchant, coupon__checkout_id=row.pk, kind="redeem", ref=order_event or f"checkout:{key}"
        )
        for pk, amount in used.order_by("coupon_id").values_list("coupon_id", "amount_minor"):
            answer.did.append({"kind": "coupon_redeem", "coupon": self.shop.coupon_name(pk), "amount_minor": amount})
        return answer

    def _by_card(self, key: str, kind: str, card: str) -> dict[str, Any]:
        figures = StoredTxn.objects.get(merchant=self.shop.merchant, key=key).answer["figures"]
        return moved(kind, self.cards.numbers()[card], figures)

    def _value(self, key: str, kind: str) -> dict[str, Any]:
        return did(kind, StoredTxn.objects.get(merchant=self.shop.merchant, key=key).answer["figures"])

    # ---- returns ------------------------------------------------------------------------------------------------------

    def returned(self, line: Line) -> Answer:
        plan = self.returns.plan(line)
        if plan.code:
            return Answer(False, plan.code, dict(plan.figures))
        if not plan.of_basket:
            before = self._so_far(line.order)
            answer = self._refund(line, plan, plan.amount)
            self._given_back(answer, line, before, f"refund:{line.id}")
            return answer
        before = self._so_far(line.order)
        try:
            told = checkout.give_back(
                merchant=self.shop.merchant,
                key=line.order,
                return_key=line.id,
                quantities=plan.quantities,
                now=line.at,
                actor=ACTOR,
            )
        except CheckoutRefused as refused:
            return Answer(False, refused.code, {"order": line.order})
        money = told.back["due_minor"] + told.back["stored_value_minor"]
        money += sum(one["amount_minor"] for one in told.back["gift_cards"])
        answer = Answer(True)
        self._given_back(answer, line, before)
        refund = self._refund(line, plan, money)
        answer.events, answer.figures = refund.events + answer.events, refund.figures
        return answer

    def _refund(self, line: Line, plan: Plan, amount: int) -> Answer:
        """The document of the money that goes back, with the lines that came back."""
        self.returns.done(line, plan, amount)
        if amount <= 0:
            return Answer(True)
        sold = self.returns.sold[line.order].line
        refund = facts.Refund(
            sold.platform, sold.store, line.order, line.id, amount, line.at,
            currency=self.currency, lines=self.returns.named(line),
        )  # fmt: skip
        taken = take_orders(merchant=self.shop.merchant, orders=[], refunds=[refund], now=line.at, actor=ACTOR)
        event = f"refund:{sold.order_event}:{line.id}"
        gone = sorted(card.card for one in taken.returns for card in one.void)
        left = [void(self.cards.numbers()[str(card)]) for card in gone]
        return Answer(True, figures={"amount": amount}, left=left, events=[(sold.member, event)])

    def _so_far(self, order: str) -> tuple[int, int, set[int], dict[str, int]]:
        """What of a basket came back before: points, stored value, coupons, by gift card."""
        row = Checkout.objects.filter(pk=self.keys.get(order, 0)).first()
        if row is None:
            return 0, 0, set(), {}
        cards = {card: back for card, (_, back) in row.gift_cards.items()}
        return row.returned_points, row.returned_stored_minor, set(self._used(row.pk)), cards

    def _used(self, basket: int) -> list[int]:
        rows = Coupon.objects.filter(merchant=self.shop.merchant, checkout_id=basket, state="redeemed")
        return list(rows.order_by("pk").values_list("pk", flat=True))

    def _given_back(
        self, answer: Answer, line: Line, before: tuple[int, int, set[int], dict[str, int]], named: str = ""
    ) -> None:
        """What came back since: read from the tables. `named`: the refund that points follow."""
        if line.order not in self.keys:
            return
        row = Checkout.objects.get(pk=self.keys[line.order])
        member = self.returns.sold[line.order].line.member
        if row.returned_points > before[0]:
            name = f"return:checkout:{row.pk}:{named or f'back:{row.returned_points}'}"
            answer.events.append((member, self.shop.names.event(name)))
        for card in sorted(row.gift_cards, key=int):
            back = row.gift_cards[card][1]
            if back > before[3].get(card, 0):
                answer.did.append(self._by_card(f"checkout:{row.pk}:card:{card}:back:{back}", "card_give_back", card))
        if row.returned_stored_minor > before[1]:
            answer.did.append(
                self._value(f"checkout:{row.pk}:stored:back:{row.returned_stored_minor}", "give_back_value")
            )
        for pk in sorted(before[2] - set(self._used(row.pk))):
            answer.did.append({"kind": "coupon_return", "coupon": self.shop.coupon_name(pk)})


def _lines(goods: tuple[Goods, ...]) -> tuple[facts.Line, ...] | None:
    return tuple(
        facts.Line(
            g.product or "–", g.pieces_milli, g.amount, g.product, category=g.category, brand=g.brand
        )
        for g in goods
    ) or None  # fmt: skip
