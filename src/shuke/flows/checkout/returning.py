"""Goods of a captured basket come back: points to their lots, coupons where their template says so, to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.charter.selling import Tender
from shuke.engine.checkout.returning import Back, ReturnRefused, by_money, counted, returned
from shuke.engine.facts import OrderStatus
from shuke.flows.checkout import pooled, prepaid
from shuke.flows.checkout.keys import hash_of
from shuke.flows.checkout.refusals import CheckoutRefused
from shuke.kit.money import show
from shuke.kit.refusal import LANGUAGES
from shuke.loyalty.actions import checkouts
from shuke.loyalty.actions import coupons as coupon_actions
from shuke.loyalty.models import Checkout
from shuke.loyalty.queries import checkouts as stored
from shuke.members.actions import Note, note
from shuke.members.models import TimelineLine
from shuke.members.queries.families import survivors_of
from shuke.orders.models import Order
from shuke.orders.queries.archive import by_event
from shuke.shops.models import Merchant

BY_MONEY = "*"  # in Checkout.returned: minor units given back in all, where the goods were not told


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
        return _write(merchant, row, return_key, payload, after, back, whole, now, actor)


def follow_orders(*, merchant: Merchant, orders: Mapping[str, int], now: datetime, actor: str) -> list[Returned]:
    """The archive heard news of these orders (event → id): where a basket became one of them, give back what was refunded.

    What could not be given back stands on the buyer's timeline, for whoever opens the member.
    """
    if not orders or not stored.any_captured(merchant):
        return []
    baskets = stored.of_orders(merchant, orders)
    ids = {orders[event]: event for event in baskets}
    told: dict[str, tuple[int, bool, int]] = {}
    buyers: dict[str, int | None] = {}
    for pk, refund, paid, status, member in Order.objects.filter(merchant=merchant, pk__in=list(ids)).values_list(
        "pk", "refunded_minor", "paid_minor", "status", "member_id"
    ):
        whole = status == OrderStatus.CLOSED_REFUNDED or (refund > 0 and refund >= paid)
        if refund or whole:
            told[ids[pk]] = (refund, whole, paid)
            buyers[ids[pk]] = member or baskets[ids[pk]].member_id
    heirs = survivors_of(merchant.pk, {one for one in buyers.values() if one is not None})
    done = give_back_for_orders(merchant=merchant, refunded=told, now=now, actor=actor)
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


def give_back_for_orders(
    *, merchant: Merchant, refunded: Mapping[str, tuple[int, bool, int]], now: datetime, actor: str
) -> list[Returned]:
    """Orders of the archive were refunded: per order event the money given back in all, whether that was everything, and
    what the archive says was paid.

    For baskets whose returns were told by goods nothing is done: who told them so knows better. Safe to call again. The
    money is with the buyer whatever we say: what cannot follow it is told, and hinders nothing else.
    """
    done = []
    for event, row in sorted(stored.of_orders(merchant, refunded).items()):
        try:
            told = _follow(merchant, event, row.key, *refunded[event], now, actor)
        except CheckoutRefused as refused:
            told = Returned(row.key, {}, order_event=event, refused=refused)
        if told is not None:
            done.append(told)
    return done


def _follow(
    merchant: Merchant, event: str, key: str, money: int, whole: bool, paid: int, now: datetime, actor: str
) -> Returned | None:
    """None: there is nothing to give back that was not given back before. Raises CheckoutRefused."""
    with transaction.atomic():
        locked = stored.checkout(merchant, key, lock=True)
        assert locked is not None
        if locked.state != "captured" or (locked.returned and BY_MONEY not in locked.returned):
            return None
        known = locked.returned.get(BY_MONEY, -1)
        lines = stored.lines_of(locked)
        if whole:
            everything = {line.key: line.quantity for line in lines}
            money, back = max(money, locked.due_minor), returned(lines, everything, _back_to(locked))
        else:
            back = by_money(lines, money, _back_to(locked), counted(lines, paid))
        if money <= known:
            return None  # told before, or a correction downwards: what was given back stays given
        back, void = prepaid.without_void(merchant, locked, back)
        return_key = f"{locked.key}:refunded:{money}"
        payload = hash_of({"checkout": locked.key, "money": money})
        told = _write(merchant, locked, return_key, payload, {BY_MONEY: money}, back, whole, now, actor)
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
) -> Returned:
    """Give back the difference to what was given back before."""
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
    coupons: list[int] = []
    hindered = pooled.give_back(merchant, row, back.points, now, actor)
    if hindered is None:
        hindered = prepaid.give_back(merchant, row, back, now, actor)
    if hindered is not None:
        raise CheckoutRefused("return_refused", problem=hindered)
    if whole:
        ref = row.order_event or f"checkout:{row.key}"
        coupons = coupon_actions.give_back(merchant=merchant, checkout_id=row.pk, ref=ref, now=now, actor=actor)
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
    }
    checkouts.record_return(row=row, key=return_key, payload=payload, returned=after, back=told, now=now, actor=actor)
    return Returned(return_key, told)
