"""Coupons of a replayed list, through the actions of a running Shuke: by hand, by rule, by code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shuke.engine.charter.terms import Versions
from shuke.engine.checkout.codes import plain
from shuke.engine.replay.codes import made
from shuke.engine.replay.fields import Line
from shuke.engine.replay.outcome import Answer
from shuke.engine.replay.rules import Ruled, has_rules
from shuke.engine.replay.vouchers import claimed, issued
from shuke.flows import coupons as flow
from shuke.flows.replay_books.shop import ACTOR, Shop
from shuke.kit import clock
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions import coupons
from shuke.loyalty.actions.coupons import CouponRefused
from shuke.loyalty.actions.coupons.batches import codes_of
from shuke.loyalty.models import Coupon, CouponBatch
from shuke.loyalty.queries import charters
from shuke.loyalty.queries.coupons import find_code
from shuke.members.actions import Note, note


class Vouchers:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.codes: dict[str, str] = {}  # code of the list → the one that was made for it
        self.versions: Versions = charters.versions(shop.merchant)
        self.is_on = has_rules(self.versions)

    def issue(self, line: Line) -> Answer:
        one = coupons.Issue(line.ref, self.shop.member(line.member), "hand", copies=line.copies)
        (told,) = coupons.issue(merchant=self.shop.merchant, issues=[one], now=line.at, actor=ACTOR)
        if told.code:
            return Answer(False, told.code, {"template": line.ref})
        return Answer(True, did=[issued(line.ref, self.shop.fresh_coupons(line.id, line.copies))])

    def void(self, line: Line) -> Answer:
        pk = self.shop.coupons.get(line.ref)
        if pk is None:
            return Answer(False, "no_such_coupon", {"coupon": line.ref})
        try:
            coupons.void(merchant=self.shop.merchant, coupon_ids=[pk], reason=line.reason, now=line.at, actor=ACTOR)
        except CouponRefused as refused:
            return Answer(False, refused.code, {"coupon": line.ref, "state": str(refused.figures["state"])})
        return Answer(True, did=[{"kind": "coupon_void", "coupon": line.ref}])

    # ---- by code ------------------------------------------------------------------------------------------------------

    def make_codes(self, line: Line) -> Answer:
        """Unique codes are the shop's own random ones; the list goes on calling them as it did."""
        merchant, key = self.shop.merchant, line.ref
        template = next((t for t in charters.in_force(merchant, line.at).charter.selling.coupons if t.key == key), None)
        try:
            if template is not None and template.codes == "shared":
                for code in line.codes:
                    coupons.make_shared_code(merchant=merchant, key=key, code=code, now=line.at, actor=ACTOR)
            else:
                self._unique(line)
        except CouponRefused as refused:
            return Answer(False, refused.code, {"template": key})
        return Answer(True, did=[made(key, len(line.codes))])

    def _unique(self, line: Line) -> None:
        count = len(line.codes)
        batch = coupons.begin_batch(
            merchant=self.shop.merchant, key=line.ref, count=count, label="", now=line.at, actor=ACTOR
        )
        coupons.make_codes(batch_id=batch.pk, now=line.at)
        batch = CouponBatch.objects.get(pk=batch.pk)
        self.codes |= dict(zip(map(plain, line.codes), codes_of(batch), strict=True))
        for code, made_for in zip(line.codes, codes_of(batch), strict=True):
            found = find_code(self.shop.merchant, made_for).coupon
            assert found is not None
            self.shop.bearers[found.pk] = code
            self.shop.pass_over(found.pk)

    def in_basket(self, told: Sequence[str]) -> dict[str, str]:
        """Codes shown at the till, as they were made."""
        return {code: self.codes.get(plain(code), code) for code in told}

    def claim(self, line: Line) -> Answer:
        member, merchant = self.shop.member(line.member), self.shop.merchant
        code = self.codes.get(plain(line.code), line.code)
        figures: dict[str, Any] = {"told": line.code} if code else {"template": line.ref}
        try:
            pk = flow.claim(
                merchant=merchant, member_id=member, template=line.ref, code=code, now=line.at, actor=ACTOR,
                callers=[f"member:{member}"],
            )  # fmt: skip
        except CouponRefused as refused:
            if refused.code == "try_later":
                figures["minutes"] = refused.figures["minutes"]
            return Answer(False, refused.code, figures)
        one = Coupon.objects.get(merchant=merchant, pk=pk)
        if one.batch_id is not None:
            return Answer(True, did=[claimed(one.key, self.shop.claimed_coupon(pk, line.id))])
        return Answer(True, did=[issued(one.key, self.shop.fresh_coupons(line.id))])

    # ---- by rule ------------------------------------------------------------------------------------------------------

    def complaint(self, line: Line) -> Answer:
        told = Note(self.shop.member(line.member), line.at, "complaint.settled", line.id)
        note(merchant=self.shop.merchant, lines=[told], now=line.at)
        return Answer(True)

    def by_rule(self, at: datetime) -> list[Ruled]:
        """As the worker does every hour, which here is never late."""
        if not self.is_on:
            return []
        merchant = self.shop.merchant
        loyalty.run_clock(merchant=merchant, now=at)
        heard: list[coupons.Issued] = []
        flow.issue_by_rule(merchant=merchant, now=at, real_now=clock.utc_now(), hear=heard.append)
        self.shop.fresh_coupons()
        return [
            Ruled(
                self.shop.name_of(one.asked.member_id),
                one.asked.key,
                one.asked.source,
                one.asked.ref,
                tuple(self.shop.coupon_name(pk) for pk in one.coupons),
                one.code,
            )
            for one in heard
        ]
