"""What of an order is judged: its goods by class, and the parts of its price that count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shuke.engine.charter.earn import Basket, Slice
from shuke.engine.charter.terms import Terms
from shuke.engine.ledger import events as ev
from shuke.kit.money import allocate


def slices_of(terms: Terms, p: ev.Purchase, net: int, back: Sequence[Sequence[int]] = ()) -> tuple[Slice, ...]:
    """The order's net over its goods by largest remainder; after refunds by what is left of each line. `back`: amount and
    pieces that came back of each.

    Lines that all rules treat alike are one slice: a basket of thirty lines is two or three to the engine.
    """
    classes: dict[Any, list] = {}
    for n, line in enumerate(p.lines):
        key = n if terms.each_line else terms.chosen_by(line.category, line.product, line.brand)
        gone, fewer = back[n] if back else (0, 0)
        left, pieces = line.amount - gone, line.pieces_milli - fewer
        found = classes.get(key)
        if found is None:
            classes[key] = [max(0, left), max(0, line.amount), line, pieces]
        else:
            found[0] += max(0, left)
            found[1] += max(0, line.amount)
            found[3] += pieces
    weights = [c[0] for c in classes.values()]
    if not any(weights):
        weights = [c[1] for c in classes.values()]
    shares = allocate(net, weights)
    if not terms.counts_pieces:
        return tuple(
            Slice(share, line.category, line.product, line.brand)
            for share, (_, _, line, _) in zip(shares, classes.values(), strict=True)
        )
    return tuple(
        Slice(share, line.category, line.product, line.brand, pieces // 1000 if share else 0)
        for share, (_, _, line, pieces) in zip(shares, classes.values(), strict=True)
    )


def base_of(terms: Terms, p: ev.Purchase, net: int) -> int:
    """What of an order earns points: its net, and what the charter counts beside it or leaves out."""
    parts, base = p.parts, terms.charter.points.base
    if terms.plain_base or parts is None:
        return net
    counted = net
    counted += parts.freight * base.freight + parts.discount * base.discounts
    counted += parts.coupon * base.coupons + parts.points * base.points
    counted -= parts.tax * (not base.tax) + parts.stored_value * (not base.stored_value)
    counted -= sum(amount for name, amount in parts.tenders if name in base.without_tenders)
    return max(0, counted)


def in_full(terms: Terms, p: ev.Purchase, basket: Basket, number: int) -> Basket:
    """What only some charters look at: hour, number of the purchase, another base, amounts before discounts."""
    parts = p.parts
    base = base_of(terms, p, basket.net)
    slices = basket.slices
    if base != basket.net and slices:
        shares = allocate(base, [s.net for s in slices])
        slices = tuple(s._replace(net=share) for s, share in zip(slices, shares, strict=True))
    gross = basket.net + (parts.discount + parts.coupon + parts.points if parts else 0)
    return basket._replace(
        net=base,
        slices=slices,
        hour=p.at.astimezone(terms.zone).hour if terms.needs_hour else -1,
        number=number,
        paid=basket.net + (parts.freight if parts else 0),
        gross=gross,
    )
