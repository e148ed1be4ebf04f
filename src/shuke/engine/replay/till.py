"""The till while the list runs: orders, baskets that are priced and paid with points, coupons and stored value, returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shuke.engine.charter.terms import Versions
from shuke.engine.checkout import Basket, GiftCard, Holdings, Priced, document, price
from shuke.engine.checkout.refunding import Refund, in_all, points_back
from shuke.engine.checkout.returning import Back, returned
from shuke.engine.facts import LineBack
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.came_back import Money, Sold, came_back
from shuke.engine.replay.baskets import basket_of, numbered, sold_goods, to_use, void, why_unused
from shuke.engine.replay.cards import Cards, hint
from shuke.engine.replay.codes import Codes
from shuke.engine.replay.fields import Goods, Line
from shuke.engine.replay.member import Ask, Member
from shuke.engine.replay.outcome import Answer, Names, with_names
from shuke.engine.replay.returns import Plan, Returns
from shuke.engine.replay.value import Value
from shuke.engine.replay.vouchers import Voucher, Vouchers
from shuke.engine.simulation.classes import bits

HELD = timedelta(minutes=15)


@dataclass(slots=True)
class Paid:
    """A basket that was paid at the till. `number`: the how manieth, as the books know it."""

    number: str
    member: str
    priced: Priced
    points: int
    value: int
    back: dict[str, int] = field(default_factory=dict)  # line → thousandths that came back
    given: Back = field(default_factory=Back)
    paid: ev.HoldCaptured | None = None  # the spend of the points
    refunds: list[Refund] = field(default_factory=list)  # told by money
    followed: list[ev.BurnReturned] = field(default_factory=list)  # the points that follow them


class Told(NamedTuple):
    """A refund of an order, and the lines it named."""

    event: ev.Refunded
    lines: tuple[LineBack, ...]


class Seen(NamedTuple):
    """A priced basket, what the list calls its coupons and cards, and what its codes stand for."""

    priced: Priced
    names: Mapping[str, str] = {}
    codes: Mapping[str, Voucher | str] = {}


class Till:
    def __init__(
        self,
        versions: Versions,
        members: Mapping[str, Member],
        vouchers: Vouchers,
        codes: Codes,
        value: Value,
        cards: Cards,
        names: Names,
    ) -> None:
        self.versions, self.members = versions, members
        self.vouchers, self.codes, self.value, self.cards, self.names = vouchers, codes, value, cards, names
        self.returns = Returns()
        self.priced: dict[str, Paid] = {}  # order → basket
        self.goods: dict[str, tuple[Goods, ...]] = {}  # event of an order → its lines, with what came back of each
        self.refunds: dict[str, list[Told]] = {}  # order → what came back, with the lines that were named
        self.count = 0

    # ---- pricing ------------------------------------------------------------------------------------------------------

    def price(self, line: Line) -> Answer:
        try:
            seen = self._price(dict(line.basket or {}), line.member, line.codes, line.at)
        except document.BasketInvalid as error:
            return Answer(False, "basket_invalid", {"places": str(error)})
        return Answer(True, priced=with_names(seen.priced.to_plain(), seen.names))

    def _price(self, plain: dict[str, Any], member: str, shown: Sequence[str], at: datetime) -> Seen:
        """Raises BasketInvalid. Coupons are called by their names in the list, and by numbers inside; `shown`: their codes."""
        terms = self.versions.at(at)
        told = document.from_plain(plain)
        if not member:
            return Seen(price(terms, document.basket(told, terms.currency), document.holdings(told), at))
        renamed, names = numbered(plain, {v.name: v.number for v in self.vouchers.all.values()}, {c: c for c in shown})
        told = document.from_plain(renamed)
        basket = document.basket(told, terms.currency)
        found, refused = self.codes.asked(shown, at)
        asked = self.cards.asked(list(basket.asks.gift_cards), at)
        basket = without_codes(basket, self.cards)
        holdings = replace(
            self._holdings(member, basket, names, found, refused, at),
            gift_cards=tuple(GiftCard(c.number, self.cards.balance(c, at), hint(c.number)) for c in asked[0].values()),
            cards_refused=tuple((called(self.cards, code), why) for code, why in asked[1].items()),
        )
        return Seen(price(terms, basket, holdings, at), names | self.cards.numbers(), found)

    def _holdings(
        self,
        name: str,
        basket: Basket,
        names: Mapping[str, str],
        found: Mapping[str, Voucher | str],
        refused: Mapping[str, str],
        at: datetime,
    ) -> Holdings:
        member = self.members[name]
        fold = member.advance(at)
        asked = {names[ref] for ref in basket.asks.coupons if ref in names.keys() - found.keys() - refused.keys()}
        mine = self.vouchers.of_member(name, asked, basket.asks.best, at)
        by_code, not_theirs = self.codes.in_hand(found, name, mine, at)
        tier = fold.tier_at(self.versions.at(at))
        return Holdings(
            tier=tier,
            named=self.versions.named(tier, at),
            points=max(0, fold.books.available(at)),
            points_refused="no_coalition" if basket.asks.coalition else "",  # a list is of one shop
            stored_value=self.value.available(name, at),
            purchases=fold.books.standing.purchases,
            birthday=member.birthday,
            coupons=(*(self.vouchers.for_till(v) for v in mine), *by_code),
            refused=tuple({**refused, **not_theirs}.items()),
            stored_value_off=not self.value.is_on(at),
        )

    # ---- selling ------------------------------------------------------------------------------------------------------

    def order(self, line: Line) -> Answer:
        parts = ev.Parts(line.freight, 0, line.discount) if self.versions.needs_parts else None
        if line.tenders is not None:
            return self._priced_order(line)
        self.returns.sell(line, line.paid + line.freight, line.goods, line.freight)
        self._purchase(line, line.paid, line.goods, parts)
        return Answer(True, events=[(line.member, line.order_event)])

    def _purchase(self, line: Line, net: int, goods: tuple[Goods, ...], parts: ev.Parts | None) -> None:
        purchase = ev.Purchase(
            line.order_event, line.at, net, self._goods(goods), line.store, line.platform, line.channel, line.done, parts
        )  # fmt: skip
        self.goods[line.order_event] = goods
        self.members[line.member].happen(purchase)

    def _places(self, goods: tuple[Goods, ...]) -> list[int]:
        """Lines in the order in which the books read them, so that the last fen of a split falls on the same goods."""
        places = list(range(len(goods)))
        if not self.versions.each_line:
            rules = self.versions.goods_rules
            places.sort(key=lambda n: bits(rules, goods[n].category, goods[n].product, goods[n].brand))
        return places

    def _goods(self, goods: tuple[Goods, ...]) -> tuple[ev.GoodsLine, ...]:
        told = (goods[n] for n in self._places(goods))
        return tuple(
            ev.GoodsLine(g.amount, g.category, g.product, g.brand, g.pieces_milli if g.amount > 0 else 0) for g in told
        )

    def _priced_order(self, line: Line) -> Answer:
        """Priced, paid with what was asked for, and then an order of what money is left to pay, stored value included."""
        assert line.tenders is not None
        seen = self._price(basket_of(line), line.member, line.tenders.codes, line.at)
        priced = seen.priced
        plain = with_names(priced.to_plain(), seen.names)
        if line.paid_told and priced.due != line.paid:
            return Answer(False, "price_changed", {"due_minor": priced.due, "expected_minor": line.paid}, plain)
        answer = self._pay(line, line.order, basket_of(line), seen, line.tenders.codes)
        if not answer.done:
            answer.priced = plain
            return answer
        goods, freight = sold_goods(line, priced.lines)
        paid = priced.due + priced.stored_value + priced.gift_cards
        self.returns.sell(line, paid, goods, freight, is_basket=True)
        parts = None
        if self.versions.needs_parts:
            totals = plain["totals"]
            parts = ev.Parts(
                freight=freight,
                discount=totals["tier_price_minor"] + totals["offers_minor"],
                coupon=totals["coupons_minor"],
                points=totals["points_minor"],
                stored_value=totals["stored_value_minor"] + totals["gift_cards_minor"],
            )
        self._purchase(line, paid - freight, goods, parts)
        answer.priced = plain
        answer.events = [(line.member, line.order_event), *answer.events]
        return answer

    def redeem(self, line: Line) -> Answer:
        """A coupon used on a basket, which is paid at once."""
        plain, used, shown = to_use(line)
        try:
            seen = self._price(plain, line.member, shown, line.at)
        except document.BasketInvalid as error:
            return Answer(False, "basket_invalid", {"places": str(error)})
        told = with_names(seen.priced.to_plain(), seen.names)
        if code := why_unused(told, used):
            return Answer(False, code, {"coupon": used}, told)
        answer = self._pay(line, line.id, plain, seen, shown)
        answer.priced = told
        return answer

    def _pay(self, line: Line, key: str, plain: dict[str, Any], seen: Seen, shown: Sequence[str]) -> Answer:
        """Points, stored value and coupons set aside, and used: as the till holds and captures."""
        name, at, due = line.member, line.at, seen.priced.due
        if shown or plain["asks"].get("gift_cards"):
            # Codes are looked at once to price and once to hold, and by then they may have to wait.
            seen = self._price(plain, name, shown, at)
            if seen.priced.due != due:
                return Answer(False, "price_changed")
        priced = seen.priced
        used = {a.ref: a.amount for a in priced.applied if a.step == "coupons"}
        uses = self.codes.turn_into(used, seen.codes, name, at)
        self.count += 1
        number, member = f"{self.count:019d}", self.members[name]
        if uses is None or not self.vouchers.hold(uses, number, at):
            return Answer(False, "busy")
        self.names.baskets[number] = key
        answer, spent = Answer(True), None
        if priced.points:
            hold, paid = f"checkout:{number}:points", f"checkout:{number}:paid"
            member.ask(Ask(hold, "hold", priced.points, until=at + HELD), at)
            member.ask(Ask(paid, "capture", priced.points, ref=hold), at)
            spent = next(e for e in member.events if isinstance(e, ev.HoldCaptured) and e.event == f"capture:{paid}")
            answer.events += [
                (name, self.names.event(f"{kind}:{k}")) for kind, k in (("hold", hold), ("capture", paid))
            ]
        answer.did += self._pay_by_card(number, priced, at)
        if priced.stored_value:
            hold, paid = f"checkout:{number}:stored", f"checkout:{number}:stored:paid"
            self.value.ask(name, hold, "hold", priced.stored_value, "", at)
            done = self.value.ask(name, paid, "capture", priced.stored_value, hold, at, kind="spend_value")
            answer.did += done.did
        answer.did += self.vouchers.redeem(number, at)
        self.priced[key] = Paid(number, name, priced, priced.points, priced.stored_value, paid=spent)
        return answer

    def _pay_by_card(self, number: str, priced: Priced, at: datetime) -> list[dict[str, Any]]:
        told = []
        for one in sorted((one for one in priced.applied if one.step == "gift_cards"), key=lambda one: int(one.ref)):
            card, hold = self.cards.by_number(one.ref), f"checkout:{number}:card:{one.ref}"
            self.value.ask(card.holder, hold, "hold", one.amount, "", at)
            done = self.value.ask(card.holder, f"{hold}:paid", "capture", one.amount, hold, at)
            told += self.cards.told(card, done, "card_spend").did
        return told

    # ---- returns ------------------------------------------------------------------------------------------------------

    def returned(self, line: Line) -> Answer:
        plan = self.returns.plan(line)
        if plan.code:
            return Answer(False, plan.code, dict(plan.figures))
        basket = self.priced.get(line.order) if self.returns.sold[line.order].is_basket else None
        if plan.of_basket and basket is not None:
            return self._goods_back(line, plan, basket)
        if basket is None:
            return self._refund(line, plan, plan.amount)
        sold, lines = self.returns.sold[line.order], basket.priced.lines
        money = sold.money + plan.amount
        whole = money >= sold.paid
        back = in_all(lines, money, whole=whole, paid=sold.paid, back_to=basket.priced.back_to)
        # The money is with the buyer whatever we say: of cards that are void nothing follows it.
        had = dict(basket.given.gift_cards)
        gone = [
            ref for ref, n in _in_order(back.minus(basket.given)) if n and self.cards.by_number(ref).state == "void"
        ]
        kept = tuple((ref, had.get(ref, 0) if ref in gone else n) for ref, n in back.gift_cards)
        answer = self._refund(line, plan, plan.amount)
        self._follow(answer, line, basket, plan.amount, sold.paid, whole)
        self._give_back(answer, line, basket, replace(back, gift_cards=kept), whole, followed=True)
        answer.left += [void(self.cards.by_number(ref).code) for ref in gone]
        return answer

    def _refund(self, line: Line, plan: Plan, amount: int) -> Answer:
        self.returns.done(line, plan, amount)
        if amount <= 0:
            return Answer(True)
        sold = self.returns.sold[line.order].line
        name = f"refund:{sold.order_event}:{line.id}"
        self._came_back(
            line.order, Told(ev.Refunded(name, line.at, sold.order_event, amount), self.returns.named(line))
        )
        return Answer(True, figures={"amount": amount}, events=[(sold.member, name)])

    def _came_back(self, order: str, news: Told) -> None:
        """A refund that names no goods takes its share of what others leave, so all of an order are told together."""
        sold = self.returns.sold[order]
        before = self.refunds.get(order, [])
        told = sorted([*before, news], key=lambda one: ev.order_of(one.event))
        lines = [Sold(g.amount, g.pieces_milli, product=g.product) for g in sold.cost]
        came = came_back(lines, sold.net, [Money(one.event.amount, one.lines) for one in told])
        place = {n: k for k, n in enumerate(self._places(sold.cost))}
        gone = [0] * len(lines)
        now = []
        for one, (parts, known) in zip(told, came, strict=True):
            back = tuple(sorted(part._replace(line=place[part.line]) for part in parts))
            for part in parts:
                gone[part.line] += part.amount
            now.append(Told(one.event._replace(back=back, told=known), one.lines))
        self.refunds[order] = now
        self.goods[sold.line.order_event] = tuple(g._replace(refunded=n) for g, n in zip(sold.cost, gone, strict=True))
        self.members[sold.line.member].happen_instead([one.event for one in before], [one.event for one in now])

    def _goods_back(self, line: Line, plan: Plan, basket: Paid) -> Answer:
        """Of a priced basket: each line's share of money, points, stored value and coupons."""
        lines, after = basket.priced.lines, dict(basket.back)
        if plan.quantities is None:
            after = {one.key: one.quantity for one in lines}
        else:
            for key, quantity in plan.quantities.items():
                after[key] = after.get(key, 0) + quantity
        back = returned(lines, after, basket.priced.back_to)
        whole = all(after.get(one.key, 0) == one.quantity for one in lines if one.list)
        money = back.minus(basket.given)
        if self._gone(money):
            return Answer(False, "return_refused", {"order": line.order})
        basket.back, answer = after, Answer(True)
        self._give_back(answer, line, basket, back, whole)
        paid = money.due + money.stored_value + sum(n for _, n in money.gift_cards)
        refund = self._refund(line, plan, paid)
        answer.events, answer.figures = refund.events + answer.events, refund.figures
        return answer

    def _follow(self, answer: Answer, line: Line, basket: Paid, amount: int, paid: int, whole: bool) -> None:
        """Points follow the refunds of the order, each on its day: as `loyalty.queries.refunds` reads them from the archive."""
        spent = basket.paid
        if spent is None:
            return
        basket.refunds.append(Refund(f":{line.id}", line.at, amount))
        told = points_back(basket.priced.lines, basket.refunds, paid=paid, whole=whole, back_to=basket.priced.back_to)
        name = f"return:checkout:{basket.number}:refund"
        back = [
            ev.BurnReturned(
                f"{name}{one.name}", one.at, spent.event, one.amount, spent.nth if one.at == spent.at else 0
            )
            for one in told
        ]
        self.members[basket.member].happen_instead(basket.followed, back)
        basket.followed = back
        if any(one.event == f"{name}:{line.id}" for one in back):
            answer.events.append((basket.member, self.names.event(f"{name}:{line.id}")))

    def _give_back(
        self, answer: Answer, line: Line, basket: Paid, back: Back, whole: bool, *, followed: bool = False
    ) -> None:
        """The difference to what was given back before, to where it came from. `followed`: the points are there already."""
        more, number, at = back.minus(basket.given), basket.number, line.at
        basket.given = back
        if more.points > 0 and not followed:
            key = f"checkout:{number}:back:{back.points}"
            self.members[basket.member].ask(Ask(key, "return", more.points, f"checkout:{number}:paid"), at)
            answer.events.append((basket.member, self.names.event(f"return:{key}")))
        in_all = dict(back.gift_cards)
        for ref, part in _in_order(more):
            card, hold = self.cards.by_number(ref), f"checkout:{number}:card:{ref}"
            self.cards.may_come_back(card)
            done = self.value.ask(card.holder, f"{hold}:back:{in_all[ref]}", "return", part, f"{hold}:paid", at)
            answer.did += self.cards.told(card, done, "card_give_back").did
        if more.stored_value > 0:
            key = f"checkout:{number}:stored:back:{back.stored_value}"
            ref = f"checkout:{number}:stored:paid"
            answer.did += self.value.ask(
                basket.member, key, "return", more.stored_value, ref, at, kind="give_back_value"
            ).did
        if whole:
            answer.did += self.vouchers.give_back(number, at)

    def _gone(self, more: Back) -> bool:
        """Would something go back to a card that is void?"""
        return any(self.cards.by_number(ref).state == "void" for ref, _ in more.gift_cards)


def _in_order(back: Back) -> list[tuple[str, int]]:
    """What goes back to gift cards, told in the order in which they were made."""
    return sorted(back.gift_cards, key=lambda told: int(told[0]))


def without_codes(basket: Basket, cards: Cards) -> Basket:
    refs = tuple(dict.fromkeys(called(cards, code) for code in basket.asks.gift_cards))
    return replace(basket, asks=replace(basket.asks, gift_cards=refs))


def called(cards: Cards, code: str) -> str:
    """As `flows.checkout.prepaid` calls cards: by number; those that nobody has by the end of what was told."""
    card = cards.all.get(code)
    return card.number if card is not None else f"…{code[-4:]}"
