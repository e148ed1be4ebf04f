"""Stored value, gifts, draws and referrals of a replayed list, through the actions of a running Shuke."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shuke.engine.replay import draws as drawing
from shuke.engine.replay import gifts as giving
from shuke.engine.replay import referrals as bonds
from shuke.engine.replay.draws import REFUSED
from shuke.engine.replay.fields import VALUE, Line
from shuke.engine.replay.outcome import Answer
from shuke.engine.replay.value import did
from shuke.engine.replay.vouchers import issued
from shuke.flows.replay_books.shop import ACTOR, Shop
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions import coupons, draws, gifts, referral, stored
from shuke.loyalty.actions.draws import DrawRefused
from shuke.loyalty.actions.referral import ReferralRefused
from shuke.loyalty.actions.stored import StoredRefused
from shuke.loyalty.models import Draw, DrawTicket, GiftOrder, Referral, ReferralReward
from shuke.loyalty.queries import gifts as shelf


class Desks:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.taken: dict[str, int] = {}  # id of a gift taken → its row
        self.draws: set[str] = set()

    # ---- stored value -------------------------------------------------------------------------------------------------

    def value(self, line: Line) -> Answer:
        one = stored.Ask(line.id, VALUE[line.event], self.shop.member(line.member), line.paid, line.ref)
        try:
            (told,) = stored.ask(merchant=self.shop.merchant, asks=[one], now=line.at, actor=ACTOR)
        except StoredRefused as refused:
            return Answer(False, refused.code)
        if not told.done:
            return Answer(False, told.code, dict(told.figures) | ({"ref": line.ref} if line.ref else {}))
        return Answer(True, figures=dict(told.figures), did=[did(line.event, told.figures)])

    # ---- gifts --------------------------------------------------------------------------------------------------------

    def gift_offer(self, line: Line) -> Answer:
        told = line.offered
        assert told is not None
        values: dict[str, Any] = {
            "kind": told.kind,
            "name_zh": line.ref,
            "name_en": line.ref,
            "points": told.points,
            "stock": told.stock,
            "per_member": told.per_member,
            "tiers": list(told.tiers),
            "coupon": told.template,
            "hold_days": told.hold_days,
            "from_at": told.from_at,
            "until_at": told.until_at,
        }
        gifts.save_gift(merchant=self.shop.merchant, code=line.ref, values=values, now=line.at, actor=ACTOR)
        return Answer(True)

    def gift(self, line: Line) -> Answer:
        merchant, figures = self.shop.merchant, {"gift": line.ref}
        told = gifts.order(
            merchant=merchant,
            member_id=self.shop.member(line.member),
            gift=line.ref,
            key=line.id,
            count=line.copies,
            at_once=not line.wait,
            now=line.at,
            actor=ACTOR,
        )
        if not told.done:
            if told.code == "out_of_stock":
                figures["left"] = told.figures["left"]
            elif told.code == "no_coupon":
                figures["why"] = told.figures["why"]
            elif told.code == "not_enough":
                figures |= {"amount": told.figures["points"], "available": told.figures["available"]}
            return Answer(False, told.code, figures)
        assert told.order is not None
        self.taken[line.id] = told.order.pk
        kind = "hold" if told.order.state == GiftOrder.State.HELD else "burn"
        moved: list[dict[str, Any]] = [giving.moved("gift", line.ref, line.copies)]
        if names := self.shop.fresh_coupons():
            moved.append(issued(told.order.gift.coupon, names))
        return Answer(True, events=[(line.member, f"{kind}:gift:{line.id}")], did=moved)

    def gift_end(self, line: Line) -> Answer:
        """Handed over, cancelled, or brought back."""
        merchant, pk = self.shop.merchant, self.taken.get(line.ref)
        if pk is None:
            return Answer(False, "no_such_gift_taken", {"taken": line.ref})
        before = GiftOrder.objects.select_related("gift").get(pk=pk)
        who, code, count = self.shop.name_of(before.member_id), before.gift.code, before.count
        if line.event == "gift_hand_over":
            told = gifts.hand_over(merchant=merchant, order_id=pk, now=line.at, actor=ACTOR)
            event = f"capture:gift:{line.ref}:done"
        elif line.event == "gift_cancel":
            told = gifts.cancel(merchant=merchant, order_id=pk, now=line.at, actor=ACTOR)
            event = f"release:gift:{line.ref}:release"
        else:
            count = line.copies
            told = gifts.give_back(merchant=merchant, order_id=pk, key=line.id, count=count, now=line.at, actor=ACTOR)
            event = f"return:gift:back:{line.id}"
        if not told.done:
            figures = {"taken": line.ref, **{k: v for k, v in told.figures.items() if k in ("left", "state")}}
            return Answer(False, told.code, figures)
        if told.replayed:
            return Answer(True)
        return Answer(True, events=[(who, event)], did=[giving.moved(line.event, code, count)])

    def taken_by(self, member: str) -> list[dict[str, Any]]:
        names = {pk: name for name, pk in self.taken.items()}
        rows = shelf.orders(self.shop.merchant, member_id=self.shop.member(member)).order_by("id")
        return [
            giving.told(names[row.pk], row.gift.code, row.count, row.points, row.state, row.returned) for row in rows
        ]

    # ---- draws --------------------------------------------------------------------------------------------------------

    def draw_offer(self, line: Line) -> Answer:
        merchant = self.shop.merchant
        draws.save_draw(
            merchant=merchant, code=line.ref, terms=line.terms or {}, now=line.at, actor=ACTOR, seed=line.seed
        )
        try:
            row = draws.commit_draw(merchant=merchant, code=line.ref, now=line.at, actor=ACTOR)
        except DrawRefused:
            return Answer(False, "draw_over", {"draw": line.ref})
        self.draws.add(line.ref)
        return Answer(True, did=[{"kind": "draw_offer", "draw": line.ref, "commitment": row.commitment}])

    def draw(self, line: Line) -> Answer:
        if line.ref not in self.draws:
            return Answer(False, "no_such_draw", {"draw": line.ref})
        way = line.way or next(iter(Draw.objects.get(merchant=self.shop.merchant, code=line.ref).terms["ways"]))
        told = draws.draw_ticket(
            merchant=self.shop.merchant,
            draw=line.ref,
            member_id=self.shop.member(line.member),
            key=line.id,
            way=way,
            word=line.word,
            now=line.at,
            actor=ACTOR,
        )
        if not told.done:
            figures: dict[str, Any] = {"draw": line.ref}
            if told.code == "not_enough":
                figures |= {"amount": told.figures["points"], "available": told.figures["available"]}
            return Answer(False, REFUSED.get(told.code, told.code), figures)
        one = told.ticket
        assert one is not None
        answer = Answer(
            True, did=[{"kind": "draw", "draw": line.ref, "number": one.number, "drew": one.drew, "won": one.won}]
        )
        if way == "points":
            answer.events.append((line.member, f"burn:draw:{line.id}"))
        answer.events.append((line.member, f"adjust:draw:{line.id}:prize"))
        if names := self.shop.fresh_coupons():
            prize = next(p for p in one.draw.terms["prizes"] if p["key"] == one.won)
            answer.did.append(issued(prize["coupon"], names))
        return answer

    def tickets_of(self, member: str) -> list[dict[str, Any]]:
        rows = DrawTicket.objects.filter(
            merchant=self.shop.merchant, member_id=self.shop.member(member), number__isnull=False
        )
        return [
            drawing.told(t.key, t.draw.code, t.number or 0, t.way, t.drew, t.won, t.handed_at is not None)
            for t in rows.select_related("draw").order_by("draw_id", "number")
        ]

    # ---- referrals ----------------------------------------------------------------------------------------------------

    def referral(self, line: Line) -> Answer:
        newcomer, referrer = self.shop.member(line.member), self.shop.member(line.ref)
        known = Referral.objects.filter(merchant=self.shop.merchant, newcomer_id=newcomer).first()
        try:
            row = referral.bind(
                merchant=self.shop.merchant,
                newcomer_id=newcomer,
                referrer_id=referrer,
                how="staff",
                now=line.at,
                actor=ACTOR,
            )
        except ReferralRefused as refused:
            figures: dict[str, Any] = {}
            if refused.code == "already_bound" and known is not None:
                figures = {"by": self.shop.name_of(known.referrer_id)}
            elif refused.code == "too_late":
                figures = {"days": refused.figures["days"]}
            return Answer(False, "referral_off" if refused.code == "off" else refused.code, figures)
        if known is not None:
            return Answer(True)
        self.shop.names.bonds[str(row.pk)] = line.member
        return Answer(True, did=[{"kind": "referral", "by": line.ref}])

    def brought(self, member: str) -> dict[str, Any] | None:
        row = Referral.objects.filter(merchant=self.shop.merchant, newcomer_id=self.shop.member(member)).first()
        if row is None:
            return None
        given = ReferralReward.objects.filter(merchant=self.shop.merchant, referral=row)
        rewards = sorted(((r.side, r.kind, r.what), r) for r in given if r.amount or r.owed or r.short)
        return bonds.told(
            self.shop.name_of(row.referrer_id),
            row.bound_at,
            row.state,
            row.reason,
            row.rank,
            row.order,
            row.due_at,
            [bonds.reward(key, r.amount, r.owed, r.short) for key, r in rewards],
        )

    def night(self, at: datetime) -> None:
        """What the clock does beside points."""
        merchant = self.shop.merchant
        gifts.lapse_orders(merchant=merchant, now=at)
        coupons.expire(merchant=merchant, now=at)
        stored.run_stored_clock(merchant=merchant, now=at)
        loyalty.run_clock(merchant=merchant, now=at)
