"""Coupons as pages and reports show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from shuke.engine.charter.selling import Coupon as Template
from shuke.kit import bulk
from shuke.kit.clock import day_start
from shuke.loyalty.models import Coupon, CouponBatch, CouponMove, CouponTally, CouponTemplate, SharedCode
from shuke.loyalty.queries.coupons.looking_up import latest_of, terms_of
from shuke.members.queries.families import family
from shuke.shops.models import Merchant


class Overview(NamedTuple):
    """A template with its figures."""

    row: CouponTemplate
    terms: Template
    tally: CouponTally

    @property
    def open(self) -> int:
        t = self.tally
        return t.issued - t.held - t.redeemed - t.void - t.expired

    @property
    def budget_left(self) -> int | None:
        t = self.tally
        return None if t.budget_minor is None else t.budget_minor - t.held_minor - t.spent_minor

    @property
    def used_share(self) -> float:
        """Redeemed of issued."""
        return self.tally.redeemed / self.tally.issued if self.tally.issued else 0.0


def overview(merchant: Merchant, key: str = "") -> list[Overview]:
    """Templates, newest first; or the one with this key."""
    counted = CouponTally.objects.filter(merchant=merchant, **({"key": key} if key else {}))
    tallies = {t.key: t for t in counted}
    rows = latest_of(merchant, tallies)
    told = [Overview(row, terms_of(row), tallies[k]) for k, row in rows.items()]
    return sorted(told, key=lambda one: (-one.row.made_at.timestamp(), one.row.key))


def versions(merchant: Merchant, key: str) -> list[CouponTemplate]:
    return list(CouponTemplate.objects.filter(merchant=merchant, key=key).order_by("-version"))


def batches(merchant: Merchant, key: str = "") -> list[CouponBatch]:
    rows = CouponBatch.objects.filter(merchant=merchant, **({"template__key": key} if key else {}))
    return list(rows.select_related("template").order_by("-made_at", "-id")[:200])


def batch(merchant: Merchant, batch_id: int) -> CouponBatch | None:
    return CouponBatch.objects.filter(merchant=merchant, pk=batch_id).select_related("template", "merchant").first()


def shared_codes(merchant: Merchant, key: str) -> list[SharedCode]:
    return list(SharedCode.objects.filter(merchant=merchant, key=key).order_by("-made_at", "-id"))


def of_member(merchant: Merchant, member_id: int, *, limit: int = 200) -> list[Coupon]:
    """All coupons of a member, usable ones first, then the latest."""
    mine = Coupon.objects.filter(merchant=merchant, member_id__in=family(merchant.pk, member_id))
    rows = list(mine.select_related("template").order_by("-issued_at", "-id")[:limit])
    return sorted(rows, key=lambda c: (c.state != "open", c.state != "held"))


def one(merchant: Merchant, coupon_id: int) -> Coupon | None:
    rows = Coupon.objects.filter(merchant=merchant, pk=coupon_id)
    return rows.select_related("template", "member", "batch").first()


def history(merchant: Merchant, coupon_id: int) -> list[CouponMove]:
    return list(CouponMove.objects.filter(merchant=merchant, coupon_id=coupon_id).order_by("id"))


class ReportRow(NamedTuple):
    """What became of a template's coupons between two days."""

    key: str
    issued: int
    redeemed: int
    returned: int
    void: int
    expired: int
    cost_minor: int  # given by redemptions less what came back


def report(merchant: Merchant, since: date, until: date) -> Sequence[ReportRow]:
    """Per template, from the first to the last day: issued (bulk codes too), redeemed, given back, and what it cost."""
    start, end = day_start(since, merchant.tz), day_start(until, merchant.tz)
    at = bulk.moment()
    span: list[Any] = [merchant.pk, at(start), at(end)]
    figures: dict[str, dict[str, int]] = {}
    for key, kind, count, amount in bulk.select(
        "SELECT c.key, m.kind, COUNT(*), SUM(m.amount_minor) FROM loyalty_coupon_move m JOIN loyalty_coupon c ON c.id = m.coupon_id "
        "WHERE m.merchant_id = %s AND m.at >= %s AND m.at < %s GROUP BY c.key, m.kind",
        span,
    ):
        mine = figures.setdefault(key, {})
        mine[kind] = count
        mine[f"{kind}_minor"] = int(amount or 0)
    for key, count in bulk.select(
        "SELECT p.key, SUM(b.made) FROM loyalty_coupon_batch b JOIN loyalty_coupon_template p ON p.id = b.template_id "
        "WHERE b.merchant_id = %s AND b.made_at >= %s AND b.made_at < %s GROUP BY p.key",
        span,
    ):
        mine = figures.setdefault(key, {})
        mine["issue"] = mine.get("issue", 0) + int(count or 0)
    return [
        ReportRow(
            key,
            f.get("issue", 0),
            f.get("redeem", 0),
            f.get("return", 0),
            f.get("void", 0),
            f.get("expire", 0),
            f.get("redeem_minor", 0) - f.get("return_minor", 0),
        )
        for key, f in sorted(figures.items())
    ]


def due_to_expire(merchant: Merchant, now: datetime) -> bool:
    return Coupon.objects.filter(merchant=merchant, state="open", valid_until__lte=now).exists()
