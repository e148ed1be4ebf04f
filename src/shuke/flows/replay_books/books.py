"""A replayed list through the books of one merchant, in order; what came of it is read back from the tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shuke.engine import facts
from shuke.engine.charter import document
from shuke.engine.replay import vouchers
from shuke.engine.replay.draws import SHOP
from shuke.engine.replay.fields import REQUESTS, VALUE, Line
from shuke.engine.replay.outcome import Answer, Booked, LotEnd, MemberEnd, Outcome
from shuke.engine.replay.rules import News, Nights
from shuke.engine.replay.value import standing
from shuke.flows import coupons as coupon_flows
from shuke.flows import join as joining
from shuke.flows import referral
from shuke.flows.replay_books.cards import Cards
from shuke.flows.replay_books.desks import Desks
from shuke.flows.replay_books.household import Household
from shuke.flows.replay_books.partners import Partners
from shuke.flows.replay_books.shop import ACTOR, Shop
from shuke.flows.replay_books.till import Till
from shuke.flows.replay_books.vouchers import Vouchers
from shuke.kit import bulk
from shuke.loyalty import actions as loyalty
from shuke.loyalty import queries
from shuke.loyalty.actions.transfers import Transfer, transfer
from shuke.loyalty.models import Coupon, CouponMove
from shuke.loyalty.queries import activities, charters
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries.stored.views import purses_of, read_purse
from shuke.shops import actions as shops
from shuke.shops.models import Merchant


def open_shop(
    *, charter: document.Charter, since: datetime, zone: str, lines: Sequence[Line], now: datetime
) -> Merchant:
    """A merchant for this list alone, with its stores, under the charter from the first event on."""
    merchant = shops.create_merchant(name=SHOP, zone=zone, currency=charter.currency, now=now, actor=ACTOR)
    places = {(line.platform, line.store, line.store) for line in lines if line.event in ("order", "benefit")}
    shops.ensure_stores(merchant=merchant, stores=sorted(places | {("pos", "main", "main")}))
    loyalty.publish_charter(merchant=merchant, charter=charter, effective_from=since, now=now, actor=ACTOR)
    coupon_flows.adopt_charter(merchant=merchant, now=now)
    return merchant


class Books:
    """Runs lines through the books of one merchant, in order."""

    def __init__(self, merchant: Merchant, charter: document.Charter) -> None:
        self.merchant, self.charter = merchant, charter
        self.answers: dict[int, Answer] = {}
        taken: set[str] = set()
        self.shop = Shop(merchant, taken)
        self.cards = Cards(self.shop)
        self.vouchers = Vouchers(self.shop)
        self.till = Till(self.shop, charter.currency, self.cards, self.vouchers)
        self.desks = Desks(self.shop)
        self.household = Household(self.shop)
        self.partners = Partners(self.shop)
        self._taken = taken

    def run(self, lines: Sequence[Line], until: datetime | None = None) -> Outcome:
        self._taken.update(line.id for line in lines if line.id)
        news, nights = News(), Nights(self.vouchers.versions)
        for line in lines:
            if until is not None and line.at > until:
                break
            self._nights(nights, line.at, news)
            self.answers[line.number] = answer = self._one(line)
            self._settle_referrals(line.at)
            news.of(answer, line.member, self.vouchers.by_rule(line.at))
        end = until or max(line.at for line in lines)
        self._nights(nights, end, news)
        self.desks.night(end)
        self._settle_referrals(end)
        news.between(end, self.vouchers.by_rule(end))
        members = {name: self._end(name, m.pk, end) for name, m in self.shop.members.items()}
        bearers = self._coupons(None) if self.shop.bearers else []
        return Outcome(
            end, self.answers, members, news.clock, self.cards.end(end), [one for one in bearers if one["history"]]
        )

    def _nights(self, nights: Nights, at: datetime, news: News) -> None:
        for midnight in nights.until(at):
            news.between(midnight, self.vouchers.by_rule(midnight))

    def _settle_referrals(self, at: datetime) -> None:
        """As the worker does, which here is never late."""
        if self.charter.referral is not None:
            referral.settle_due(merchant=self.merchant, now=at, actor="clock")
            self.shop.fresh_coupons()

    def _one(self, line: Line) -> Answer:
        desk = {
            "order": self.till.order,
            "return": self.till.returned,
            "price": self.till.price,
            "coupon_redeem": self.till.redeem,
            "coupon_issue": self.vouchers.issue,
            "coupon_claim": self.vouchers.claim,
            "coupon_codes": self.vouchers.make_codes,
            "coupon_void": self.vouchers.void,
            "complaint": self.vouchers.complaint,
            "special_days": self.household.special_days,
            "benefit": self.household.hand_out,
            "benefit_undo": self.household.take_back,
            "family": self.household.family,
            "family_join": self.household.family,
            "family_leave": self.household.leave,
            "gift_offer": self.desks.gift_offer,
            "gift": self.desks.gift,
            "gift_hand_over": self.desks.gift_end,
            "gift_cancel": self.desks.gift_end,
            "gift_return": self.desks.gift_end,
            "draw_offer": self.desks.draw_offer,
            "draw": self.desks.draw,
            "referral": self.desks.referral,
            "join": self._join,
            "transfer": self._transfer,
            "tier": self._tier,
            "invite": self._tier,
            **dict.fromkeys(VALUE, self.desks.value),
            **dict.fromkeys(REQUESTS, self._request),
        }.get(line.event)
        if line.event.startswith("partner"):
            return self.partners.do(line)
        if line.event.startswith("card_"):
            return self.cards.do(line)
        if desk is not None:
            return desk(line)
        self.desks.night(line.at)
        return Answer(True)

    def _request(self, line: Line) -> Answer:
        if line.pool:
            return self.household.spend(line)
        kind = REQUESTS[line.event]
        ask = loyalty.Ask(
            line.id,
            kind,
            self.shop.member(line.member),
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
        return Answer(answer.done, answer.code, figures, events=[(line.member, f"{kind}:{line.id}")])

    def _transfer(self, line: Line) -> Answer:
        giver, receiver = self.shop.member(line.member), self.shop.member(line.ref)
        one = Transfer(line.id, giver, receiver, line.points, line.reason)
        (answer,) = transfer(merchant=self.merchant, transfers=[one], now=line.at, actor=ACTOR)
        events = [(line.member, f"handed:{line.id}"), (line.ref, f"taken:{line.id}")]
        return Answer(answer.done, answer.code, dict(answer.figures), events=events)

    def _join(self, line: Line) -> Answer:
        profile: dict[str, Any] = {}
        if line.birthday:
            month, day, lunar = line.birthday
            profile = {"birthday": facts.Birthday(0, month, day, lunar)}
        joined = joining.join(
            merchant=self.merchant, said=joining.Said(profile=profile), source="replay", now=line.at, actor=ACTOR
        )
        self.shop.members[line.member] = joined.member
        return Answer(True, events=[(line.member, "joined")])

    def _tier(self, line: Line) -> Answer:
        known = charters.in_force(self.merchant, line.at).rank
        if line.ref not in known:
            return Answer(False, "no_such_tier", {"tier": line.ref, "known": ", ".join(known)})
        loyalty.give_tier(
            merchant=self.merchant,
            member_id=self.shop.member(line.member),
            tier=line.ref,
            until=line.until,
            reason=line.reason,
            now=line.at,
            actor=ACTOR,
            invited=line.event == "invite",
        )
        return Answer(True)

    # -- read back ---------------------------------------------------------------------------------------------------

    def _end(self, name: str, member: int, until: datetime) -> MemberEnd:
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
                self.shop.names.lot(
                    LotEnd(x.key, x.granted, x.remaining, x.held, x.earned_at, x.available_at, x.expires_at)
                )
                for _, _, x in lots
                if x.granted
            ],
            history=[(c.at, c.before, c.after, c.cause) for c in history],
            booked=[self.shop.names.booked(one) for one in self._booked(member)],
            coupons=self._coupons(member),
            value=self._value(member, until),
            gifts=self.desks.taken_by(name),
            tickets=self.desks.tickets_of(name),
            brought=self.desks.brought(name),
            benefits=self.household.handed_to(name),
            family=self.household.kin_of(name),
        )

    def _coupons(self, member: int | None) -> list[dict[str, Any]]:
        moves: dict[int, list[vouchers.Move]] = {}
        for coupon, at, kind, after, amount in (
            CouponMove.objects.filter(merchant=self.merchant, coupon__member=member)
            .order_by("id")
            .values_list("coupon_id", "at", "kind", "after", "amount_minor")
        ):
            moves.setdefault(coupon, []).append(vouchers.Move(at, kind, after, amount))
        return [
            vouchers.told(
                self.shop.coupon_name(c.pk),
                c.key,
                c.source,
                c.state,
                c.issued_at,
                c.valid_from,
                c.valid_until,
                c.amount_minor,
                moves.get(c.pk, []),
            )
            for c in Coupon.objects.filter(merchant=self.merchant, member=member).order_by("pk")
        ]

    def _value(self, member: int, until: datetime) -> dict[str, Any]:
        purses = purses_of(self.merchant, member)
        purse = read_purse(self.merchant, purses) if purses else None
        return standing(purse.lots.values() if purse else (), purse, until, self.shop.names)

    def _booked(self, member: int) -> list[Booked]:
        """Postings by event: what was corrected later is added up, the first posting says what kind it was, the last one why."""
        found: dict[str, Booked] = {}
        for pk, event, kind, at, growth, version, why in bulk.select(
            "SELECT id, event, kind, at, growth, charter_version, why FROM loyalty_txn WHERE merchant_id = %s AND member_id = %s "
            "AND kind <> 'refused' ORDER BY id",
            [self.merchant.pk, member],
        ):
            moment = bulk.read_moment(at)
            assert moment is not None
            told = json.loads(why) if isinstance(why, str) else why
            one = found.setdefault(event, Booked(event, kind, moment, {}, 0, told))
            one.growth += growth or 0
            one.why = told if version else one.why  # without a version: what the event had done is taken back
            for account, amount in bulk.select(
                "SELECT account, amount FROM loyalty_entry WHERE merchant_id = %s AND txn_id = %s",
                [self.merchant.pk, pk],
            ):
                one.legs[account] = one.legs.get(account, 0) + amount
                if not one.legs[account]:
                    del one.legs[account]
        undone = activities.undone_events(self.merchant, [member])
        return [one for one in found.values() if one.event not in undone[member]]
