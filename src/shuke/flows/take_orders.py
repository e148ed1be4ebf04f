"""Orders come in: who bought, what is new, what it earns. The one way in, for a file's chunk and for a single sale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.engine.facts import CouponUse, Order, Person, Product, Refund
from shuke.flows import opening, referral
from shuke.flows.checkout import Returned, follow_orders
from shuke.loyalty import actions as loyalty
from shuke.members import actions as members
from shuke.members.actions import Note, Recognised
from shuke.members.actions.merging import remember_facts
from shuke.members.models import TimelineLine
from shuke.orders import actions as archive
from shuke.orders.actions import News, Outcome, Recorded, RefundsTaken
from shuke.orders.actions.weighing import numbering_store, order_key
from shuke.shops.models import Merchant
from shuke.shops.queries import stores_by_code


class Taken(NamedTuple):
    """What became of one call."""

    orders: list[Recorded]  # each order once; those that said the same as ever are only counted
    same: int
    refunds: RefundsTaken
    people: list[Recognised]  # of the customer records, in their order
    created: tuple[int, ...]  # members made (or woken) by this call
    products: int  # goods that are new or changed in the catalogue
    coupons: int  # coupon uses that were news
    postings: int
    openings: opening.Brought = opening.Brought()
    returns: tuple[Returned, ...] = ()  # of baskets whose orders were refunded

    def count(self, outcome: Outcome) -> int:
        return sum(r.outcome is outcome for r in self.orders)


def take_orders(
    *,
    merchant: Merchant,
    orders: Sequence[Order],
    refunds: Sequence[Refund] = (),
    people: Sequence[Person] = (),
    products: Sequence[Product] = (),
    coupons: Sequence[CouponUse] = (),
    now: datetime,
    batch_id: int | None = None,
    actor: str,
    settle: bool = True,
) -> Taken:
    """Take in what one chunk of a file, one webhook or one till says. All of it or nothing.

    In this order: orders that say exactly the same as before are put aside; goods; who bought (members are made,
    never merged); orders and refund documents; the books of all members touched; one line on the timeline per real
    change. A single sale is a batch of one. `settle=False` leaves the books to the caller.
    """
    with transaction.atomic():
        archive.hold_still(merchant, orders, refunds)  # all at once, and before people: nobody waits in another order
        digests, known = archive.said_before(merchant.id, orders, stores_by_code(merchant))
        fresh = [i for i in range(len(orders)) if i not in known]
        told = [orders[i] for i in fresh]
        changed_products = archive.know_products(merchant=merchant, products=products) if products else 0
        recognised = _recognise(merchant, people, told, coupons, now, batch_id)
        seen_people = recognised[: len(people)]
        buyers = recognised[len(people) : len(people) + len(told)]
        recorded = archive.record(
            merchant=merchant,
            orders=told,
            member_ids=[b.member_id for b in buyers],
            now=now,
            batch_id=batch_id,
            digests=[digests[i] for i in fresh],
        )
        _remember_halves(merchant, told, buyers, recorded)
        # The same order under another account name: that account was renamed, or somebody's order was put right.
        moved = [(r.former_member_id, r.member_id) for r in recorded if r.former_member_id and r.member_id]
        members.suspect(merchant=merchant, pairs=moved, reason="renamed", now=now)
        given_back = archive.record_refunds(merchant=merchant, refunds=refunds, now=now, batch_id=batch_id)
        postings, openings = 0, opening.Brought()
        if settle:
            rebooked = {who.member_id for who in recognised if who.rebooked and who.member_id is not None}
            rebooked |= set(archive.take_reclassified(merchant=merchant))
            postings = _settle(merchant, recorded, given_back, rebooked, now, actor)
            openings = opening.bring(
                merchant=merchant,
                people=people,
                member_ids=[who.member_id for who in seen_people],
                now=now,
                batch_id=batch_id,
                actor=actor,
            )
        touched = {r.key: r.order_id for r in recorded if r.outcome is not Outcome.SAME}
        touched |= {r.key: r.order_id for r in given_back.orders if r.changed or r.redated}
        returns = follow_orders(merchant=merchant, orders=touched, now=now, actor=actor)
        if people:
            ids = [who.member_id for who in seen_people]
            referral.bind_imported(merchant=merchant, people=people, member_ids=ids, now=now, actor=actor)
        bought = [m for r in recorded if r.outcome is not Outcome.SAME for m in (r.member_id, r.former_member_id)]
        bought += [r.member_id for r in given_back.orders if r.changed or r.redated]
        referral.follow(merchant=merchant, member_ids=bought, now=now, actor=actor)
        _note_orders(merchant, recorded, given_back, now)
        used = _note_coupons(merchant, coupons, recognised[len(people) + len(told) :], now)
        created = tuple(r.member_id for r in recognised if r.created and r.member_id is not None)
    return Taken(
        recorded,
        len(known),
        given_back,
        seen_people,
        created,
        changed_products,
        used,
        postings,
        openings,
        tuple(returns),
    )


def _recognise(
    merchant: Merchant,
    people: Sequence[Person],
    orders: Sequence[Order],
    coupons: Sequence[CouponUse],
    now: datetime,
    batch_id: int | None,
) -> list[Recognised]:
    """One answer per customer record, order and coupon use, in this order."""
    everybody = [*people, *(o.person for o in orders), *(Person(claims=(c.claim,)) for c in coupons)]
    if not everybody:
        return []
    met = [p.joined_at for p in people]
    met += [o.created_at or o.paid_at or o.finished_at for o in orders]
    met += [c.used_at for c in coupons]
    return members.recognise(merchant=merchant, people=everybody, now=now, batch_id=batch_id, seen_at=met)


def _settle(
    merchant: Merchant,
    recorded: Sequence[Recorded],
    given_back: RefundsTaken,
    rebooked: set[int],
    now: datetime,
    actor: str,
) -> int:
    """The books of everybody touched: buyers, whose order changed or went to somebody else, whose birthday became known,
    whose goods moved category."""
    order_ids = [r.order_id for r in recorded if r.outcome is not Outcome.SAME and r.member_id is not None]
    order_ids += [r.order_id for r in given_back.orders if (r.changed or r.redated) and r.member_id is not None]
    former = {
        r.former_member_id for r in recorded if r.former_member_id is not None and r.former_member_id != r.member_id
    }
    # An order told anew may count from another time: also where that is later than all that is booked, it is no new one.
    changed = {r.member_id for r in recorded if r.outcome is Outcome.CHANGED and r.member_id is not None}
    again = former | rebooked | changed
    if not order_ids and not again:
        return 0
    done = loyalty.settle(
        merchant=merchant, order_ids=list(dict.fromkeys(order_ids)), also_members=again, now=now, actor=actor
    )
    return done.postings


def _remember_halves(
    merchant: Merchant, told: Sequence[Order], buyers: Sequence[Recognised], recorded: Sequence[Recorded]
) -> None:
    """Orders of somebody who has been merged into another: should that be taken back, they go along."""
    halves = {
        order_key(*numbering_store(o.platform, o.shop, o.store_code), o.number): b.via
        for o, b in zip(told, buyers, strict=True)
        if b.via
    }
    if not halves:
        return
    of: dict[int, list[int]] = {}
    for one in recorded:
        if half := halves.get(one.key):
            of.setdefault(half, []).append(one.order_id)
    remember_facts(merchant=merchant, of=of, what="order")


def _note_orders(merchant: Merchant, recorded: Sequence[Recorded], given_back: RefundsTaken, now: datetime) -> None:
    lines = [_line(r.member_id, r.key, news, now) for r in recorded if r.member_id is not None for news in r.news]
    lines += [
        _line(r.member_id, r.key, news, now) for r in given_back.orders if r.member_id is not None for news in r.news
    ]
    members.note(merchant=merchant, lines=lines, now=now)


def _line(member_id: int, key: str, news: News, now: datetime) -> Note:
    return Note(member_id, news.at or now, news.kind, key, news.body)


def _note_coupons(merchant: Merchant, coupons: Sequence[CouponUse], users: Sequence[Recognised], now: datetime) -> int:
    """Coupons of another system are news once: the same use in the next file is known by its reference."""
    lines = {
        (who.member_id, ref): Note(who.member_id, use.used_at, "coupon.used", ref, {"campaign": use.campaign})
        for use, who in zip(coupons, users, strict=True)
        if who.member_id is not None
        for ref in [f"coupon:{use.platform}:{use.code}:{use.used_at:%Y%m%d}"]
    }
    if not lines:
        return 0
    known = set(
        TimelineLine.objects.filter(
            merchant=merchant, member_id__in={m for m, _ in lines}, kind="coupon.used"
        ).values_list("member_id", "ref")
    )
    fresh = [note for key, note in lines.items() if key not in known]
    members.note(merchant=merchant, lines=fresh, now=now)
    return len(fresh)
