"""Goods of a captured basket come back: points to their lots, coupons where their template says so, to the cent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.charter.selling import Tender
from shuke.engine.checkout.refunding import in_all
from shuke.engine.checkout.returning import Back, ReturnRefused, returned
from shuke.flows.checkout import pooled, prepaid
from shuke.flows.checkout.keys import hash_of
from shuke.flows.checkout.refusals import CheckoutRefused
from shuke.kit.money import show
from shuke.kit.refusal import LANGUAGES
from shuke.loyalty.actions import checkouts
from shuke.loyalty.actions import coupons as coupon_actions
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import checkouts as stored
from shuke.loyalty.queries import refunds
from shuke.loyalty.queries.checkouts import BY_MONEY
from shuke.members.actions import Note, note
from shuke.members.models import TimelineLine
from shuke.members.queries.families import survivors_of
from shuke.orders.models import Order
from shuke.orders.queries.archive import by_event, ids_by_event
from shuke.shops.models import Merchant


class Returned(NamedTuple):
    """What one return gave back, and what it could not: what belongs on gift cards that are void by now, or all (`refused`)."""

    key: str
    back: dict[str, Any]  # due_minor, points, points_minor, stored_value_minor, discounts, coupons
    replayed: bool = False
    order_event: str = ""
    void: tuple[prepaid.Void, ...] = ()
    refused: CheckoutRefused | None = None

    @property
    def number(self) -> str:
        """Of the order."""
        return self.order_event.rpartition(":")[2]

    def not_given_back(self, currency: str) -> list[CheckoutRefused]:
        """What did not follow the buyer's money, each with its reason and what to do."""
        void = [
            CheckoutRefused("void_card", card=one.hint, amount=show(one.amount_minor, currency), minor=one.amount_minor)
            for one in self.void
        ]
        return void if self.refused is None else [*void, self.refused]


def give_back(
    *,
    merchant: Merchant,
    key: str,
    return_key: str,
    quantities: Mapping[str, int] | None,
    now: datetime,
    actor: str,
) -> Returned:
    """So much of these lines (thousandths) comes back now; `quantities` None: all that is left.

    The same return key with the same goods gives the first answer; with others it is an error.
    """
    payload = hash_of({"checkout": key, "quantities": quantities})
    with transaction.atomic():
        row = stored.checkout(merchant, key, lock=True)
        if row is None:
            raise CheckoutRefused("no_such_checkout", key=key)
        before = stored.return_of(merchant, return_key)
        if before is not None:
            if bytes(before.payload) != payload:
                raise CheckoutRefused("key_reused", key=return_key)
            return Returned(return_key, before.back, replayed=True)
        if row.state != "captured":
            raise CheckoutRefused("not_captured", key=key, state=row.state)
        lines = stored.lines_of(row)
        had = {k: n for k, n in row.returned.items() if k != BY_MONEY}
        if quantities is None:
            after = {line.key: line.quantity for line in lines}
        else:
            after = dict(had)
            for line, quantity in quantities.items():
                after[line] = after.get(line, 0) + quantity
        try:
            back = returned(lines, after, _back_to(row))
        except ReturnRefused as error:
            raise CheckoutRefused("return_refused", problem=error.told) from error
        whole = all(after.get(line.key, 0) == line.quantity for line in lines if line.list)
        given = stored.given_by_requests(row)
        if (
            BY_MONEY in row.returned
        ):  # who tells the goods knows better than the order's refunds, whose points no longer count
            checkouts.tell_goods(row=row, returned=after)
            pooled.settle_buyers(merchant, [row], now, actor)
        return _write(merchant, row, return_key, payload, after, back, whole, now, actor, given=given)


def follow_orders(*, merchant: Merchant, orders: Mapping[str, int], now: datetime, actor: str) -> list[Returned]:
    """The archive heard news of these orders (event → id): where a basket became one of them, give back what was refunded.

    What could not be given back stands on the buyer's timeline, for whoever opens the member.
    """
    if not orders or not stored.any_captured(merchant):
        return []
    baskets = stored.of_orders(merchant, orders)
    told = {
        event: refunds.Refunds(event, 0, 0, False, None, ())
        for event, row in baskets.items()
        if BY_MONEY in row.returned
    }
    told |= refunds.refunded(merchant, {event: orders[event] for event in baskets})
    ids = {orders[event]: event for event in told}
    buyers = {
        ids[pk]: member or baskets[ids[pk]].member_id
        for pk, member in Order.objects.filter(merchant=merchant, pk__in=list(ids)).values_list("pk", "member_id")
    }
    heirs = survivors_of(merchant.pk, {one for one in buyers.values() if one is not None})
    done = _follow_each(merchant, {event: baskets[event] for event in told}, told, now, actor)
    lines = [
        Note(heirs.get(buyer, buyer), now, "refund.not_given_back", one.order_event, _left_out(one.number, left))
        for one in done
        if (buyer := buyers[one.order_event]) is not None
        for left in one.not_given_back(merchant.currency)
    ]
    note(merchant=merchant, lines=[line for line in lines if not _stands(merchant, line)], now=now)
    return done


def _stands(merchant: Merchant, line: Note) -> bool:
    """An order is told again and again; what hinders its refund is news once."""
    there = TimelineLine.objects.filter(merchant=merchant, member_id=line.member_id, kind=line.kind, ref=line.ref)
    return line.body in list(there.values_list("body", flat=True))


def _left_out(number: str, left: CheckoutRefused) -> dict[str, Any]:
    amount = {} if left.amount_minor is None else {"amount_minor": left.amount_minor}
    return {"number": number, "why": {spoken: left.say(spoken) for spoken in LANGUAGES}, **amount}


def follow_event(*, merchant: Merchant, event: str, now: datetime, actor: str) -> None:
    """A basket became an order that the archive may know already: what was refunded of it is given back."""
    found = by_event(merchant, event)
    if found is not None:
        follow_orders(merchant=merchant, orders={event: found}, now=now, actor=actor)


def follow_undone(*, merchant: Merchant, events: Iterable[str], now: datetime, actor: str) -> None:
    """These orders were taken out of the archive or put back as they were: points that followed their refunds follow again."""
    if not stored.any_captured(merchant):
        return
    baskets = stored.of_orders(merchant, list(events))
    here = ids_by_event(merchant, baskets)
    follow_orders(merchant=merchant, orders=here, now=now, actor=actor)
    gone = [row for event, row in baskets.items() if event not in here and BY_MONEY in row.returned]
    pooled.settle_buyers(merchant, gone, now, actor)
    for row in gone:
        if not pooled.of_coalition(row):
            checkouts.follow_points(row=row, points=stored.given_by_requests(row))


def _follow_each(
    merchant: Merchant,
    baskets: Mapping[str, Checkout],
    refunded: Mapping[str, refunds.Refunds],
    now: datetime,
    actor: str,
) -> list[Returned]:
    """For baskets whose returns were told by goods nothing is done: who told them so knows better. Safe to call again. The
    money is with the buyer whatever we say: what cannot follow it is told, and hinders nothing else."""
    pooled.settle_buyers(merchant, baskets.values(), now, actor)
    done = []
    for event, row in sorted(baskets.items()):
        try:
            told = _follow(merchant, event, row.key, refunded[event], now, actor)
        except CheckoutRefused as refused:
            told = Returned(row.key, {}, order_event=event, refused=refused)
        if told is not None:
            done.append(told)
    return done


def _follow(
    merchant: Merchant, event: str, key: str, order: refunds.Refunds, now: datetime, actor: str
) -> Returned | None:
    """None: there is nothing to give back that was not given back before. Raises CheckoutRefused."""
    with transaction.atomic():
        row = stored.checkout(merchant, key, lock=True)
        assert row is not None
        if row.state != "captured" or (row.returned and BY_MONEY not in row.returned):
            return None
        known, money = row.returned.get(BY_MONEY, -1), order.money
        back = in_all(stored.lines_of(row), money, whole=order.whole, paid=order.paid, back_to=_back_to(row))
        if order.whole:
            money = max(money, row.due_minor)
        if money <= known:
            # Told before, or a correction downwards: money, coupons and what partners settled stay given; points are counted anew.
            if not pooled.of_coalition(row):
                checkouts.follow_points(row=row, points=max(back.points, stored.given_by_requests(row)))
            return None
        back, void = prepaid.without_void(merchant, row, back)
        return_key = f"{row.key}:refunded:{money}"
        payload = hash_of({"checkout": row.key, "money": money})
        at = order.came_back_at(row.resolved_at or now)
        told = _write(merchant, row, return_key, payload, {BY_MONEY: money}, back, order.whole, now, actor, at=at)
        return told._replace(order_event=event, void=void)


def _back_to(row: Checkout) -> tuple[Tender, ...]:
    """In which order the tenders are refunded: as the charter said when the basket was priced."""
    return tuple(row.priced.get("back_to", ()))


def _write(
    merchant: Merchant,
    row: Checkout,
    return_key: str,
    payload: bytes,
    after: Mapping[str, int],
    back: Back,
    whole: bool,
    now: datetime,
    actor: str,
    *,
    given: int | None = None,
    at: datetime | None = None,
) -> Returned:
    """Give back the difference to what was given back before: by goods, after `given` points; or after the refund of an order,
    which was at `at`."""
    now_back: dict[str, Any] = {
        "due_minor": back.due - row.returned_due_minor,
        "points": back.points - row.returned_points,
        "stored_value_minor": back.stored_value - row.returned_stored_minor,
        "gift_cards": [
            {"ref": card, "amount_minor": n - row.gift_cards[card][1]}
            for card, n in back.gift_cards
            if n - row.gift_cards[card][1]
        ],
    }
    if given is None:
        hindered = pooled.follow(merchant, row, back.points, now, actor)
    else:
        hindered = pooled.give_back(merchant, row, back.points, given, now, actor)
    if hindered is None:
        hindered = prepaid.give_back(merchant, row, back, now, actor)
    if hindered is not None:
        raise CheckoutRefused("return_refused", problem=hindered)
    coupons: list[int] = []
    if whole:
        ref = row.order_event or f"checkout:{row.key}"
        coupons = coupon_actions.give_back(merchant=merchant, checkout_id=row.pk, ref=ref, now=now, actor=actor, at=at)
    told = {
        **now_back,
        "coupons": [str(pk) for pk in coupons],
        "in_all": {
            "due_minor": back.due,
            "points": back.points,
            "points_minor": back.points_amount,
            "stored_value_minor": back.stored_value,
            "gift_cards": [{"ref": card, "amount_minor": n} for card, n in back.gift_cards],
            "discounts": [{"ref": ref, "amount_minor": amount} for ref, amount in back.discounts],
        },
        "whole": whole,
        **({"followed": True} if given is None else {}),
    }
    checkouts.record_return(row=row, key=return_key, payload=payload, returned=after, back=told, now=now, actor=actor)
    return Returned(return_key, told)
