"""What pays after everything that discounts: points as money, gift cards, and stored value."""

from __future__ import annotations

from collections.abc import Sequence

from shuke.engine.checkout.basket import MOST, Basket, Holdings, Line
from shuke.engine.checkout.priced import Applied, Left
from shuke.engine.checkout.reasons import Reason
from shuke.engine.checkout.rules import Ratio, Rule, Rules, among
from shuke.kit.money import allocate

POINTS = ("积分抵扣", "Points")
COALITION = ("联盟积分抵扣", "Coalition points")
STORED_VALUE = ("储值", "Stored value")
GIFT_CARD = ("礼品卡 {hint}", "Gift card {hint}")
TENDERS = ("points", "gift_cards", "stored_value")


def worth(points: int, ratio: Ratio) -> int:
    """Money of so many points, the fraction of a minor unit dropped."""
    return points * ratio[0] // ratio[1]


def points_for(amount: int, ratio: Ratio) -> int:
    """The fewest points that are worth `amount`."""
    return -(-amount * ratio[1] // ratio[0])


def points(
    rules: Rules, basket: Basket, holdings: Holdings, chosen: Sequence[Rule], amounts: list[int]
) -> Applied | Reason:
    """Let points pay as much as is asked, has and may be used; takes it off `amounts`. Never a point that buys nothing."""
    pay = rules.selling.points
    if pay is None:
        return Reason("points_off")
    if holdings.points_refused:
        return Reason(holdings.points_refused)
    for rule in chosen:
        if not {rule.key, rule.group, rule.step}.isdisjoint(pay.not_with) or "points" in rule.not_with:
            return Reason("excluded_by", (("other", rule.key),))
    lines = basket.lines
    goods = sum(a for a, line in zip(amounts, lines, strict=True) if not line.freight)
    if goods < (least := rules.minor(pay.min_order)):
        return Reason("order_too_small", (("missing", least - goods), ("threshold", least)))
    usable = [i for i, line in enumerate(lines) if amounts[i] > 0 and _payable(rules, line)]
    base = sum(amounts[i] for i in usable)
    if not base:
        return Reason("nothing_to_pay")
    asked = basket.asks.points
    most_money = int(base * pay.share / 100)
    limits = {
        "available": holdings.points,
        "share" if most_money < base else "due": _most_points(most_money, rules.point_worth),
    }
    if pay.most is not None:
        limits["most"] = pay.most
    use = min(limits.values()) if asked == MOST else min(asked, *limits.values())
    cap = "" if use == asked else min(limits, key=lambda name: limits[name])
    if use % pay.step:
        use, cap = use - use % pay.step, cap if limits.get(cap, 0) % pay.step else "step"
    money = worth(use, rules.point_worth)
    # Points that only make up a fraction of a minor unit are not taken.
    use = -(-points_for(money, rules.point_worth) // pay.step) * pay.step
    if money <= 0 or use < pay.least:
        needed = max(pay.least, points_for(1, rules.point_worth), pay.step)
        return Reason("no_points", (("available", min(use, holdings.points)), ("least", needed)))
    shares = allocate(money, [amounts[i] for i in usable])
    whole = [0] * len(lines)
    for i, share in zip(usable, shares, strict=True):
        whole[i] = share
        amounts[i] -= share
    reason = (
        Reason("points_capped", (("points", use), ("amount", money), ("cap", cap)))
        if cap and asked != MOST
        else Reason("points_used", (("points", use), ("amount", money)))
    )
    name = COALITION if basket.asks.coalition else POINTS
    return Applied("points", "points", "points", name, money, tuple(whole), reason, use, tuple(allocate(use, whole)))


def _most_points(money: int, ratio: Ratio) -> int:
    """The most points whose worth is not above `money`."""
    return -(-(money + 1) * ratio[1] // ratio[0]) - 1


def _payable(rules: Rules, line: Line) -> bool:
    pay = rules.selling.points
    assert pay is not None
    if line.gift or "points" in line.excluded or "all" in line.excluded:
        return False
    return pay.freight if line.freight else not among(pay.without, line.category, line.sku, line.brand)


def stored_value(basket: Basket, holdings: Holdings, amounts: list[int], step_on: bool) -> Applied | Reason | None:
    """A means of payment, not a discount: takes what is asked and there from `amounts`."""
    asked = basket.asks.stored_value
    if not asked:
        return None
    if not step_on:
        return Reason("step_off")
    if holdings.stored_value_off:
        return Reason("stored_value_off")
    if holdings.stored_value <= 0:
        return Reason("no_stored_value")
    use, shares = _pay(
        basket, "stored_value", holdings.stored_value if asked == MOST else min(asked, holdings.stored_value), amounts
    )
    if not use:
        return Reason("nothing_to_pay")
    capped = asked != MOST and use < asked and use == holdings.stored_value
    reason = Reason("stored_value_capped" if capped else "stored_value_used", (("amount", use),))
    return Applied("stored_value", "stored_value", "stored_value", STORED_VALUE, use, shares, reason)


def gift_cards(basket: Basket, holdings: Holdings, amounts: list[int], step_on: bool) -> list[Applied | Left]:
    """Each card asked for pays what it has, in the order asked, until nothing is left to pay."""
    known = {card.ref: card for card in holdings.gift_cards}
    refused = dict(holdings.cards_refused)
    told: list[Applied | Left] = []
    for ref in basket.asks.gift_cards:
        card = known.get(ref)
        hint = card.hint or ref if card is not None else ref
        name = (GIFT_CARD[0].format(hint=hint), GIFT_CARD[1].format(hint=hint))
        reason = None
        if not step_on:
            reason = Reason("step_off")
        elif holdings.stored_value_off:
            reason = Reason("stored_value_off")
        elif card is None:
            reason = Reason(refused.get(ref, "card_refused"))
        elif card.balance <= 0:
            reason = Reason("card_empty")
        if reason is None and card is not None:
            use, shares = _pay(basket, "gift_cards", card.balance, amounts)
            if use:
                applied = Reason("card_used", (("amount", use), ("left", card.balance - use)))
                told.append(Applied("gift_cards", "gift_cards", ref, name, use, shares, applied))
                continue
            reason = Reason("nothing_to_pay")
        assert reason is not None
        told.append(Left("gift_cards", "gift_cards", ref, name, reason))
    return told


def _pay(basket: Basket, step: str, most: int, amounts: list[int]) -> tuple[int, tuple[int, ...]]:
    """Take up to `most` off what is left of the lines that `step` may pay, in proportion; how much, and each line's share."""
    usable = [
        i
        for i, line in enumerate(basket.lines)
        if amounts[i] > 0 and not line.gift and not {step, "all"} & line.excluded
    ]
    use = min(sum(amounts[i] for i in usable), most)
    whole = [0] * len(amounts)
    if use:
        for i, share in zip(usable, allocate(use, [amounts[i] for i in usable]), strict=True):
            whole[i] = share
            amounts[i] -= share
    return use, tuple(whole)
