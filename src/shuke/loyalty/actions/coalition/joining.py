"""Who is in a coalition, and at what price. Prices hold once both sides agreed, and never for what has happened."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from shuke.engine.coalition.prices import MICRO, Prices, prices_at
from shuke.engine.coalition.settling import nearest
from shuke.kit import audit
from shuke.loyalty.actions.asking import KeyReused
from shuke.loyalty.actions.coalition.linking import end_links
from shuke.loyalty.actions.coalition.refusals import CoalitionRefused
from shuke.loyalty.models import Coalition, CoalitionPack, CoalitionPartner, CoalitionTerms
from shuke.loyalty.queries import coalition as stored
from shuke.shops.models import Merchant

MOST_IN_A_PACK = 10**10


@transaction.atomic
def found(
    *,
    merchant: Merchant,
    name: str,
    prices: Prices,
    notice_days: int = 30,
    wording: str = "1",
    now: datetime,
    actor: str,
) -> Coalition:
    """A merchant begins a coalition and is its first partner. Raises CoalitionRefused."""
    _check(prices)
    coalition = Coalition.objects.create(
        merchant=merchant,
        name=name.strip()[:60] or "·",
        currency=merchant.currency,
        starts_at=now,
        notice_days=max(0, notice_days),
        wording=wording[:40],
        made_at=now,
        made_by=actor,
    )
    _seat(coalition, merchant, "in", now, actor)
    _propose(coalition, merchant, prices, now, now, actor, agreed=True)
    _audit(merchant, coalition, "coalition.founded", now, actor)
    return coalition


@transaction.atomic
def invite(
    *, merchant: Merchant, coalition_id: int, partner: Merchant, prices: Prices, now: datetime, actor: str
) -> CoalitionPartner:
    """The founder asks another merchant in, at these prices. Raises CoalitionRefused."""
    coalition = _own(merchant, coalition_id)
    _check(prices)
    if partner.currency != coalition.currency:
        raise CoalitionRefused(
            "other_currency", currency=coalition.currency, merchant=partner.name, other=partner.currency
        )
    again = CoalitionPartner.objects.filter(merchant=partner, coalition=coalition).first()
    if again is not None and again.state in ("invited", "in"):
        raise CoalitionRefused("invited_already", merchant=partner.name)
    if again is not None:  # declined, or left and asked back
        again.state, again.invited_at, again.invited_by, again.leaves_at, again.leaves_because = (
            "invited",
            now,
            actor,
            None,
            "",
        )
        again.save(update_fields=["state", "invited_at", "invited_by", "leaves_at", "leaves_because"])
        seat = again
    else:
        seat = _seat(coalition, partner, "invited", now, actor)
    _propose(coalition, partner, prices, now, now, actor, agreed=False)
    _audit(merchant, coalition, "coalition.invited", now, actor, partner=str(partner.pk))
    return seat


@transaction.atomic
def accept(*, merchant: Merchant, coalition_id: int, now: datetime, actor: str) -> CoalitionPartner:
    """An invited merchant comes in and agrees to the prices. Raises CoalitionRefused."""
    seat = _invitation(merchant, coalition_id)
    terms = stored.waiting_terms(merchant, seat.coalition)
    assert terms is not None
    seat.state, seat.joined_at, seat.joined_by = "in", now, actor
    try:
        with transaction.atomic():
            seat.save(update_fields=["state", "joined_at", "joined_by"])
    except IntegrityError as error:
        raise CoalitionRefused("in_another", merchant=merchant.name) from error
    _agree(terms, now, actor)
    _audit(merchant, seat.coalition, "coalition.joined", now, actor)
    return seat


@transaction.atomic
def decline(*, merchant: Merchant, coalition_id: int, now: datetime, actor: str) -> None:
    """An invited merchant stays out. Raises CoalitionRefused."""
    seat = _invitation(merchant, coalition_id)
    seat.state = "declined"
    seat.save(update_fields=["state"])
    _audit(merchant, seat.coalition, "coalition.declined", now, actor)


@transaction.atomic
def propose(
    *,
    merchant: Merchant,
    coalition_id: int,
    partner: Merchant,
    prices: Prices,
    now: datetime,
    actor: str,
) -> CoalitionTerms:
    """The founder proposes new prices to a partner, from a day on; they hold when the partner agrees. The founder's own
    hold at once. Raises CoalitionRefused."""
    coalition = _own(merchant, coalition_id)
    _check(prices)
    if prices.effective_from < now:
        raise CoalitionRefused("in_the_past", day=_day(coalition, prices.effective_from))
    seat = CoalitionPartner.objects.filter(merchant=partner, coalition=coalition, state="in").first()
    if seat is None:
        raise CoalitionRefused("not_invited", merchant=partner.name)
    return _propose(coalition, partner, prices, prices.effective_from, now, actor, agreed=partner.pk == merchant.pk)


@transaction.atomic
def agree(*, merchant: Merchant, coalition_id: int, version: int, now: datetime, actor: str) -> CoalitionTerms:
    """A partner agrees to proposed prices; they hold from their day on, and not before now. Raises CoalitionRefused."""
    coalition = _any(coalition_id)
    terms = stored.waiting_terms(merchant, coalition)
    seat = CoalitionPartner.objects.filter(merchant=merchant, coalition=coalition, state="in").first()
    if seat is None or terms is None or terms.version != version:
        raise CoalitionRefused("no_such_terms", version=version, merchant=merchant.name)
    _agree(terms, now, actor)
    _audit(merchant, coalition, "coalition.agreed", now, actor, version=version)
    return terms


@transaction.atomic
def leave(
    *, merchant: Merchant, coalition_id: int, partner: Merchant, at: datetime, because: str, now: datetime, actor: str
) -> CoalitionPartner:
    """A partner says it will leave, or the founder sends one away; both keep the notice. Raises CoalitionRefused.

    From that moment on its members' points are its own again: what they were paid for is paid back (`see_off`).
    """
    coalition = _any(coalition_id)
    if merchant.pk not in (partner.pk, coalition.merchant_id):
        raise CoalitionRefused("not_founder", founder=coalition.merchant.name)
    if partner.pk == coalition.merchant_id:
        raise CoalitionRefused("founder_stays")
    seat = CoalitionPartner.objects.filter(merchant=partner, coalition=coalition, state="in").first()
    if seat is None:
        raise CoalitionRefused("no_coalition", merchant=partner.name)
    if seat.leaves_at is not None:
        raise CoalitionRefused("leaving_already", merchant=partner.name, day=_day(coalition, seat.leaves_at))
    _keep_notice(coalition, at, now)
    seat.leaves_at, seat.leaves_because = at, because.strip()[:200]
    seat.save(update_fields=["leaves_at", "leaves_because"])
    _audit(merchant, coalition, "coalition.leaving", now, actor, partner=str(partner.pk))
    return seat


@transaction.atomic
def end(*, merchant: Merchant, coalition_id: int, at: datetime, now: datetime, actor: str) -> Coalition:
    """The founder ends the coalition, with the same notice. Raises CoalitionRefused."""
    coalition = _own(merchant, coalition_id)
    _keep_notice(coalition, at, now)
    coalition.ends_at = at
    coalition.save(update_fields=["ends_at"])
    _audit(merchant, coalition, "coalition.ending", now, actor)
    return coalition


def see_off(*, coalition: Coalition, now: datetime) -> int:
    """Partners whose time is over go: their members' links end and what is left of their points leaves the pool."""
    gone = 0
    for seat in stored.partners(coalition):
        if seat.state == "in" and coalition.starts_at <= now and not stored.takes_part(seat, now):
            end_links(coalition=coalition, merchant=seat.merchant, because="partner_left", now=now, actor="clock")
            gone += CoalitionPartner.objects.filter(merchant=seat.merchant, coalition=coalition, state="in").update(
                state="left"
            )
    return gone


@transaction.atomic
def buy_pack(
    *, merchant: Merchant, coalition_id: int, partner: Merchant, key: str, points: int, now: datetime, actor: str
) -> CoalitionPack:
    """The founder books that a partner paid for points in advance, at its price of issue. The same key again is the same pack."""
    coalition = _own(merchant, coalition_id)
    if not 0 < points <= MOST_IN_A_PACK:
        raise CoalitionRefused("pack_invalid", most=f"{MOST_IN_A_PACK:,}")
    told = stored.agreed(coalition).get(partner.pk)
    if told is None:
        raise CoalitionRefused("not_invited", merchant=partner.name)
    price = prices_at(told, now).issue_micro
    pack, fresh = CoalitionPack.objects.get_or_create(
        merchant=partner,
        key=key[:80],
        defaults={
            "coalition": coalition, "points": points, "price_micro": price, "paid_minor": nearest(points * price),
            "bought_at": now, "bought_by": actor,
        },
    )  # fmt: skip
    if not fresh and (pack.points, pack.coalition_id) != (points, coalition.pk):
        raise KeyReused(key)
    if fresh:
        _audit(merchant, coalition, "coalition.pack", now, actor, partner=str(partner.pk), points=points)
    return pack


def _seat(coalition: Coalition, merchant: Merchant, state: str, now: datetime, actor: str) -> CoalitionPartner:
    is_in = {"joined_at": now, "joined_by": actor} if state == "in" else {}
    try:
        with transaction.atomic():
            return CoalitionPartner.objects.create(
                merchant=merchant, coalition=coalition, state=state, invited_at=now, invited_by=actor, **is_in
            )
    except IntegrityError as error:
        raise CoalitionRefused("in_another", merchant=merchant.name) from error


def _propose(
    coalition: Coalition,
    partner: Merchant,
    prices: Prices,
    effective_from: datetime,
    now: datetime,
    actor: str,
    *,
    agreed: bool,
) -> CoalitionTerms:
    newest = CoalitionTerms.objects.filter(merchant=partner, coalition=coalition).order_by("-version").first()
    return CoalitionTerms.objects.create(
        merchant=partner,
        coalition=coalition,
        version=newest.version + 1 if newest else 1,
        proposed_at=now,
        proposed_by=actor,
        agreed_at=now if agreed else None,
        agreed_by=actor if agreed else "",
        **prices._replace(effective_from=effective_from)._asdict(),
    )


def _agree(terms: CoalitionTerms, now: datetime, actor: str) -> None:
    terms.effective_from, terms.agreed_at, terms.agreed_by = max(terms.effective_from, now), now, actor
    terms.save(update_fields=["effective_from", "agreed_at", "agreed_by"])


def _check(prices: Prices) -> None:
    for told in (prices.issue_micro, prices.redeem_micro):
        if not 0 <= told <= 10**6 * MICRO:
            raise CoalitionRefused("price_invalid", told=told)


def _keep_notice(coalition: Coalition, at: datetime, now: datetime) -> None:
    earliest = now + timedelta(days=coalition.notice_days)
    if at < earliest:
        raise CoalitionRefused("notice_too_short", days=coalition.notice_days, day=_day(coalition, earliest))


def _any(coalition_id: int) -> Coalition:
    found_ = Coalition.objects.select_related("merchant").filter(pk=coalition_id).first()
    if found_ is None:
        raise CoalitionRefused("no_such_coalition")
    return found_


def _own(merchant: Merchant, coalition_id: int) -> Coalition:
    """The coalition, if this merchant founded it; its row is locked, so that closing and changing wait for one another."""
    coalition = _any(coalition_id)
    if coalition.merchant_id != merchant.pk:
        raise CoalitionRefused("not_founder", founder=coalition.merchant.name)
    Coalition.objects.select_for_update(no_key=True).get(pk=coalition_id)
    return coalition


def _invitation(merchant: Merchant, coalition_id: int) -> CoalitionPartner:
    seats = CoalitionPartner.objects.select_for_update(no_key=True, of=("self",)).select_related("coalition__merchant")
    seat = seats.filter(merchant=merchant, coalition_id=coalition_id, state="invited").first()
    if seat is None:
        raise CoalitionRefused("not_invited", merchant=merchant.name)
    return seat


def _day(coalition: Coalition, at: datetime) -> str:
    return at.astimezone(coalition.merchant.tz).date().isoformat()


def _audit(merchant: Merchant, coalition: Coalition, verb: str, now: datetime, actor: str, **detail: object) -> None:
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb=verb, object=f"coalition {coalition.pk}", detail=dict(detail)
    )
