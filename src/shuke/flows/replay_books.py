"""The same list of events through flows and actions, in a throw-away database: it must print what the engine alone prints.

Everything goes in by the door it always uses: members join, orders and returns are taken in, requests are asked of the
books, at their own times. What is printed is read back from the tables.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shuke.engine import facts
from shuke.engine.charter import document
from shuke.engine.replay.lines import REQUESTS, Line
from shuke.engine.replay.outcome import Answer, Booked, LotEnd, MemberEnd, Outcome
from shuke.flows import join as joining
from shuke.flows.take_orders import take_orders
from shuke.kit import bulk
from shuke.loyalty import actions as loyalty
from shuke.loyalty import queries
from shuke.loyalty.actions.transfers import Transfer, transfer
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters
from shuke.members.models import Member
from shuke.shops import actions as shops
from shuke.shops.models import Merchant

ACTOR = "replay"


def open_shop(
    *, charter: document.Charter, since: datetime, zone: str, lines: Sequence[Line], now: datetime
) -> Merchant:
    """A merchant for this list alone, with its stores, under the charter from the first event on."""
    merchant = shops.create_merchant(name="Replay", zone=zone, currency=charter.currency, now=now, actor=ACTOR)
    places = {(line.platform, line.store, line.store) for line in lines if line.event == "order"}
    shops.ensure_stores(merchant=merchant, stores=sorted(places | {("pos", "main", "main")}))
    loyalty.publish_charter(merchant=merchant, charter=charter, effective_from=since, now=now, actor=ACTOR)
    return merchant


class Books:
    """Runs lines through the books of one merchant, in order."""

    def __init__(self, merchant: Merchant, charter: document.Charter) -> None:
        self.merchant, self.charter = merchant, charter
        self.members: dict[str, Member] = {}
        self.orders: dict[str, Line] = {}
        self.returned: dict[str, int] = {}
        self.answers: dict[int, Answer] = {}

    def run(self, lines: Sequence[Line], until: datetime | None = None) -> Outcome:
        for line in lines:
            if until is not None and line.at > until:
                break
            self.answers[line.number] = self._one(line)
        end = until or max(line.at for line in lines)
        loyalty.run_clock(merchant=self.merchant, now=end)
        return Outcome(end, self.answers, {name: self._end(m.pk, end) for name, m in self.members.items()})

    def _one(self, line: Line) -> Answer:
        if line.event == "clock":
            loyalty.run_clock(merchant=self.merchant, now=line.at)
            return Answer(True)
        if line.event == "join":
            return self._join(line)
        if line.event == "order":
            return self._order(line)
        if line.event == "return":
            return self._return(line)
        if line.event == "price":
            return self._price(line)
        member = self.members[line.member].pk
        if line.event in ("tier", "invite"):
            return self._tier(line, member)
        if line.event == "transfer":
            receiver = self.members[line.ref].pk
            one = Transfer(line.id, member, receiver, line.points, line.reason)
            (answer,) = transfer(merchant=self.merchant, transfers=[one], now=line.at, actor=ACTOR)
            return Answer(answer.done, answer.code, dict(answer.figures))
        ask = loyalty.Ask(
            line.id,
            REQUESTS[line.event],
            member,
            line.points,
            line.ref,
            until=line.until if line.event == "hold" else None,
            expires_at=line.until if line.event == "adjust" else None,
            reason=line.reason,
        )
        (answer,) = loyalty.ask(merchant=self.merchant, asks=[ask], now=line.at, actor=ACTOR)
        figures: dict[str, Any] = dict(answer.figures)
        if not answer.done and line.ref:
            figures["ref"] = line.ref
        return Answer(answer.done, answer.code, figures)

    def _join(self, line: Line) -> Answer:
        profile: dict[str, Any] = {}
        if line.birthday:
            month, day, lunar = line.birthday
            profile = {"birthday": facts.Birthday(0, month, day, lunar)}
        joined = joining.join(
            merchant=self.merchant, said=joining.Said(profile=profile), source="replay", now=line.at, actor=ACTOR
        )
        self.members[line.member] = joined.member
        return Answer(True)

    def _order(self, line: Line) -> Answer:
        self.orders[line.order] = line
        claim = facts.Claim(facts.IdentityKind.CARD, self.members[line.member].card, "", True)
        goods = line.goods
        order = facts.Order(
            platform=line.platform,
            shop=line.store,
            number=line.order,
            status=facts.OrderStatus.FINISHED if line.done else facts.OrderStatus.PAID,
            created_at=line.at,
            paid_at=line.at,
            finished_at=line.done,
            currency=self.charter.currency,
            discount_minor=line.discount,
            freight_minor=line.freight,
            paid_minor=line.paid + line.freight,
            lines=tuple(
                facts.Line(g.product or "–", g.pieces_milli, g.amount, g.product, category=g.category, brand=g.brand)
                for g in goods
            )
            if goods
            else None,
            person=facts.Person(claims=(claim,)),
            channel=line.channel,
            stated_at=line.at,
        )
        take_orders(merchant=self.merchant, orders=[order], now=line.at, actor=ACTOR)
        return Answer(True)

    def _return(self, line: Line) -> Answer:
        sold = self.orders[line.order]
        left = sold.paid + sold.freight - self.returned.get(line.order, 0)
        amount = left if line.whole else line.paid
        if amount > left or amount <= 0:
            return Answer(False, "more_than_paid", {"amount": amount, "left": left})
        self.returned[line.order] = self.returned.get(line.order, 0) + amount
        refund = facts.Refund(
            sold.platform, sold.store, line.order, line.id, amount, line.at, currency=self.charter.currency
        )
        take_orders(merchant=self.merchant, orders=[], refunds=[refund], now=line.at, actor=ACTOR)
        return Answer(True, figures={"amount": amount})

    def _tier(self, line: Line, member: int) -> Answer:
        known = charters.in_force(self.merchant, line.at).rank
        if line.ref not in known:
            return Answer(False, "no_such_tier", {"tier": line.ref, "known": ", ".join(known)})
        loyalty.give_tier(
            merchant=self.merchant,
            member_id=member,
            tier=line.ref,
            until=line.until,
            reason=line.reason,
            now=line.at,
            actor=ACTOR,
            invited=line.event == "invite",
        )
        return Answer(True)

    def _price(self, line: Line) -> Answer:
        from shuke.engine.checkout import document as baskets
        from shuke.engine.checkout import price

        terms = charters.in_force(self.merchant, line.at)
        basket = dict(line.basket or {})
        if line.member:
            basket["member"] = self._figures(self.members[line.member].pk, line.at) | dict(basket.get("member") or {})
        try:
            told = baskets.from_plain(basket)
            priced = price(terms, baskets.basket(told, terms.currency), baskets.holdings(told), line.at)
        except baskets.BasketInvalid as error:
            return Answer(False, "basket_invalid", {"places": "; ".join(error.places)})
        return Answer(True, priced=priced.to_plain())

    def _figures(self, member: int, at: datetime) -> dict[str, Any]:
        standing = stored.heads(self.merchant, [member])[member].standing
        return {
            "tier": queries.why_tier(self.merchant, member, at).tier,
            "points": queries.balance(self.merchant, member, at).available,
            "purchases": standing.purchases if standing else 0,
        }

    # -- read back ---------------------------------------------------------------------------------------------------

    def _end(self, member: int, until: datetime) -> MemberEnd:
        held = queries.balance(self.merchant, member, until)
        why = queries.why_tier(self.merchant, member, until)
        lots = stored.lots(self.merchant, [member], only_open=False)
        history = sorted(why.history, key=lambda change: (change.at, change.pk))
        return MemberEnd(
            available=held.available,
            pending=held.pending,
            held=held.held,
            debt=held.debt,
            growth=why.growth,
            tier=why.tier,
            review_at=why.review_at,
            lots=[
                LotEnd(x.key, x.granted, x.remaining, x.held, x.earned_at, x.available_at, x.expires_at)
                for _, _, x in lots
                if x.granted
            ],
            history=[(c.at, c.before, c.after, c.cause) for c in history],
            booked=self._booked(member),
        )

    def _booked(self, member: int) -> list[Booked]:
        """Postings by event: what was corrected later is added up, the first posting says what kind it was."""
        found: dict[str, Booked] = {}
        for pk, event, kind, at, growth, why in bulk.select(
            "SELECT id, event, kind, at, growth, why FROM loyalty_txn WHERE merchant_id = %s AND member_id = %s "
            "AND kind <> 'refused' ORDER BY id",
            [self.merchant.pk, member],
        ):
            moment = bulk.read_moment(at)
            assert moment is not None
            told = json.loads(why) if isinstance(why, str) else why
            one = found.setdefault(event, Booked(event, kind, moment, {}, 0, told))
            one.growth += growth or 0
            one.why = told or one.why  # of the last posting that says why
            for account, amount in bulk.select(
                "SELECT account, amount FROM loyalty_entry WHERE merchant_id = %s AND txn_id = %s",
                [self.merchant.pk, pk],
            ):
                one.legs[account] = one.legs.get(account, 0) + amount
                if not one.legs[account]:
                    del one.legs[account]
        return list(found.values())
