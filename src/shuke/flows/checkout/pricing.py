"""The dry run: the basket as the till tells it, the member's figures from the books, the answer of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from shuke.engine.checkout import Asks, Basket, Coupon, Holdings, Priced
from shuke.engine.checkout import price as price_by
from shuke.flows.checkout import pooled, prepaid
from shuke.kit import numbers
from shuke.loyalty import queries as loyalty
from shuke.loyalty.actions import coupons as coupon_actions
from shuke.loyalty.actions.coupons.issuing import validity
from shuke.loyalty.models import Coupon as CouponRow
from shuke.loyalty.models import CouponState, CouponTemplate
from shuke.loyalty.queries import charters
from shuke.loyalty.queries import coupons as stored
from shuke.loyalty.queries import stored as money
from shuke.loyalty.queries.coupons.looking_up import tallies
from shuke.members.queries.families import family
from shuke.shops.models import Merchant


class Codes(NamedTuple):
    """The codes of a basket, looked up once: what each stands for, and why the others were refused."""

    found: Mapping[str, stored.Found]
    refused: Mapping[str, str]
    cards: prepaid.Cards


class Seen(NamedTuple):
    """A priced basket and the rows behind the coupons it names."""

    priced: Priced
    rows: Mapping[str, CouponRow]  # by ref
    shared: Mapping[str, str]  # ref → key of the template behind a shared code


def price(
    *,
    merchant: Merchant,
    basket: Basket,
    member_id: int | None,
    now: datetime,
    at: datetime | None = None,
    callers: Sequence[str] = (),
) -> Priced:
    """What the basket costs at `at` (now, if not told) under the charter of that moment. Writes nothing but bad codes."""
    codes = look_up_codes(merchant, basket.asks, callers, now)
    return see(merchant, basket, member_id, codes, at or now).priced


def look_up_codes(merchant: Merchant, asks: Asks, callers: Sequence[str], now: datetime) -> Codes:
    """What the asked codes stand for. A bad one counts against its caller, so this stands before any transaction."""
    found: dict[str, stored.Found] = {}
    refused: dict[str, str] = {}
    told = [ref for ref in asks.coupons if not is_id(ref)]
    seen: set[tuple[int, int]] = set()
    for ref in told:
        if stored.wait_minutes(merchant, callers, now):
            refused[ref] = "try_later"
            continue
        one = stored.find_code(merchant, ref)
        known = one.shared is not None or (one.coupon is not None and _may_be_used(one.coupon, now))
        if known:
            # A code may be typed in several ways, and told twice it is still one coupon.
            what = (one.coupon.pk if one.coupon else 0, one.shared.pk if one.shared else 0)
            if what not in seen:
                found[ref] = one
            seen.add(what)
        else:
            refused[ref] = "code_refused"
            coupon_actions.note_bad_code(merchant=merchant, callers=[*callers] or ["nobody"], now=now)
    return Codes(found, refused, prepaid.look_up(merchant, asks, callers, now))


def is_id(ref: str) -> bool:
    """Coupons of a member are named by their id; codes are shorter or have letters."""
    return ref.isdigit() and len(ref) >= 14


def _may_be_used(coupon: CouponRow, now: datetime) -> bool:
    """Unknown, used, foreign and expired codes are all answered alike."""
    return coupon.state == CouponState.OPEN and (coupon.valid_until is None or coupon.valid_until > now)


def see(merchant: Merchant, basket: Basket, member_id: int | None, codes: Codes, at: datetime) -> Seen:
    """Price with what the books say now."""
    terms = charters.in_force(merchant, at)
    basket = prepaid.without_codes(basket, codes.cards)
    rows, refused = _coupon_rows(merchant, basket.asks, member_id, codes, at)
    shared = {ref: one.shared.key for ref, one in codes.found.items() if one.shared is not None}
    templates = stored.latest_of(merchant, set(shared.values())) if shared else {}
    keys = {row.key for row in rows.values()} | set(shared.values())
    left = (
        {key: stored.figures_of(tally).budget_left() for key, tally in tallies(merchant, keys).items()} if keys else {}
    )
    told = [
        Coupon(
            ref,
            row.key,
            row.valid_from,
            row.valid_until,
            row.state,
            left.get(row.key),
            stored.terms_of(row.template),
            str(row.pk),
        )
        for ref, row in rows.items()
    ]
    for ref, key in shared.items():
        coupon = _shared_coupon(merchant, ref, key, templates.get(key), member_id, at, left.get(key))
        if coupon is None:
            refused[ref] = "code_refused"
        else:
            told.append(coupon)
    holdings = holdings_of(merchant, member_id, at, basket.asks, tuple(told), tuple(refused.items()))
    holdings = replace(
        holdings,
        gift_cards=prepaid.on_cards(merchant, codes.cards, at),
        cards_refused=tuple((codes.cards.ref(code), why) for code, why in codes.cards.refused.items()),
    )
    return Seen(price_by(terms, basket, holdings, at), rows, shared)


def _coupon_rows(
    merchant: Merchant, asks: Asks, member_id: int | None, codes: Codes, at: datetime
) -> tuple[dict[str, CouponRow], dict[str, str]]:
    """Coupons by the name the caller uses: the member's own by id, others by code. One coupon counts once."""
    refused = dict(codes.refused)
    rows: dict[str, CouponRow] = {}
    asked = [pk for ref in asks.coupons if is_id(ref) and (pk := numbers.whole(ref)) is not None]
    if member_id is not None and (asked or asks.best):
        for row in stored.held_by_member(merchant, member_id, at, refs=asked):
            if asks.best or row.pk in asked:
                rows[str(row.pk)] = row
    by_code = [one.coupon.pk for one in codes.found.values() if one.coupon is not None]
    if not by_code:
        return rows, refused
    kin = {m["pk"] for m in family(merchant.pk, member_id)} if member_id is not None else set()
    # Read anew: between looking the code up and now somebody may have used it.
    fresh = {
        row.pk: row for row in CouponRow.objects.select_related("template").filter(merchant=merchant, pk__in=by_code)
    }
    for ref, one in codes.found.items():
        if one.coupon is None:
            continue
        row = fresh[one.coupon.pk]
        if row.member_id is not None and row.member_id not in kin:
            refused[ref] = "code_refused"
        elif str(row.pk) not in rows:
            rows[ref] = row
    return rows, refused


def _shared_coupon(
    merchant: Merchant,
    ref: str,
    key: str,
    row: CouponTemplate | None,
    member_id: int | None,
    at: datetime,
    left: int | None,
) -> Coupon | None:
    """A shared code as the coupon it would become; None where it cannot become one."""
    if row is None:
        return None
    template = stored.terms_of(row)
    tally = stored.tally(merchant, key)
    if tally is None or tally.paused or (tally.most_issued is not None and tally.issued >= tally.most_issued):
        return None
    if template.limits.per_member is not None and (
        member_id is None or stored.count_of_member(merchant, key, member_id) >= template.limits.per_member
    ):
        return None
    start, end = validity(template, at, merchant)
    return Coupon(ref, key, start, end, "open", left, template, f"~{ref}")  # those that are there come before it


def holdings_of(
    merchant: Merchant,
    member_id: int | None,
    at: datetime,
    asks: Asks,
    coupons: tuple[Coupon, ...],
    refused: tuple[tuple[str, str], ...],
) -> Holdings:
    """The member's figures from the books; what nobody asks for is not read."""
    money_on = bool(asks.stored_value or asks.gift_cards) and money.is_on(merchant, at)
    if member_id is None:
        return Holdings(coupons=coupons, refused=refused, stored_value_off=not money_on)
    who = loyalty.bearings(merchant, member_id, at)
    points, refused_points = pooled.points_of(merchant, member_id, at, asks) if asks.points else (0, "")
    return Holdings(
        tier=who.tier,
        named=who.named,
        points=points,
        points_refused=refused_points,
        stored_value=money.balance(merchant, member_id, at).available if asks.stored_value and money_on else 0,
        stored_value_off=not money_on,
        purchases=who.purchases,
        birthday=who.birthday,
        coupons=coupons,
        refused=refused,
    )
