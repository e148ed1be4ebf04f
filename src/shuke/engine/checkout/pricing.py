"""Price a basket: the declared steps in their order, the best of what may be combined, then what pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shuke.engine.charter.selling import PREPAID
from shuke.engine.charter.terms import Terms
from shuke.engine.checkout import paying
from shuke.engine.checkout.basket import Basket, Coupon, Holdings, Line
from shuke.engine.checkout.moves import Move, State, off
from shuke.engine.checkout.priced import Applied, Found, Left, Priced, PricedLine
from shuke.engine.checkout.reasons import Reason
from shuke.engine.checkout.rules import Rule, Rules, rules_of
from shuke.engine.checkout.search import Best, best

SKIPPED = {
    "excluded_by", "better_without", "too_many_coupons", "per_order", "nothing_left", "lower_price",
}  # fmt: skip


def price(terms: Terms, basket: Basket, holdings: Holdings, at: datetime) -> Priced:
    """What the basket costs at `at` under one charter version, with everything that applied and everything that did not."""
    rules = rules_of(terms)
    lines = basket.lines
    now = at.astimezone(terms.zone)
    if not holdings.tier:
        holdings = replace(holdings, tier=terms.tiers[0].key)
    selling = rules.selling
    moves: list[Move] = []
    left: list[tuple[int, Left]] = []  # place in the order of application
    for step in rules.steps:
        if step == "tier_price" or step == "offers":
            _live(rules, step, basket, holdings, now, moves, left)
        elif step == "coupons":
            _coupons(rules, basket, holdings, at, moves, left)
        elif step == "points" and basket.asks.points and selling.points is not None and _points_come_early(rules):
            moves.append(_points_move(rules, basket, holdings))
    _set_conflicts(moves)
    found = best(
        moves, lines, effort=selling.effort, most_coupons=selling.most_coupons, first=selling.choose == "first"
    )
    return _carry_out(terms, rules, basket, holdings, at, moves, left, found)


# ---- what may apply -----------------------------------------------------------------------------------------------


def open_to(line: Line, step: str) -> bool:
    """May a step touch this line at all?"""
    return not line.gift and (not line.excluded or (step not in line.excluded and "all" not in line.excluded))


def _live(
    rules: Rules,
    step: str,
    basket: Basket,
    holdings: Holdings,
    now: datetime,
    moves: list[Move],
    left: list[tuple[int, Left]],
) -> None:
    lines = basket.lines
    usable = [i for i, line in enumerate(lines) if open_to(line, step) and not line.freight]
    bits = [rules.chosen_by(lines[i].category, lines[i].sku, lines[i].brand) for i in usable]
    for place, rule in enumerate(rules.live):
        if rule.step != step:
            continue
        reason = rule.stands_against(basket, holdings, now)
        chosen = tuple([i for i, bit in zip(usable, bits, strict=True) if bit >> place & 1])
        _consider(rule, rule.key, chosen, reason, lines, moves, left)


def _coupons(
    rules: Rules, basket: Basket, holdings: Holdings, at: datetime, moves: list[Move], left: list[tuple[int, Left]]
) -> None:
    asked = set(basket.asks.coupons)
    refused = dict(holdings.refused)
    known = {c.ref for c in holdings.coupons}
    for ref in basket.asks.coupons:
        if ref not in known:
            left.append((len(moves), Left("coupons", "", ref, (ref, ref), Reason(refused.get(ref, "not_held")))))
    order = {key: place for place, key in enumerate(rules.templates)}
    mine = [c for c in holdings.coupons if c.ref in asked or basket.asks.best]
    mine.sort(
        key=lambda c: (order.get(c.template, len(order)), c.template, c.valid_until or _never(at), c.place or c.ref)
    )
    lines = basket.lines
    usable = [i for i, line in enumerate(lines) if open_to(line, "coupons") and not line.freight]
    now = at.astimezone(rules.zone)
    before: dict[str, int] = {}
    for coupon in mine:
        template = coupon.terms or rules.templates.get(coupon.template)
        if template is None:
            told = (coupon.template, coupon.template)
            left.append((len(moves), Left("coupons", coupon.template, coupon.ref, told, Reason("no_such_template"))))
            continue
        rule = rules.coupon(template)
        reason = _usable(coupon, now) or rule.stands_against(basket, holdings, now)
        chosen = tuple([i for i in usable if rule.chooses(lines[i].category, lines[i].sku, lines[i].brand)])
        if _consider(rule, coupon.ref, chosen, reason, lines, moves, left):
            moves[-1].budget_left = coupon.budget_left
            moves[-1].twin = before.get(coupon.template, -1)
            before[coupon.template] = len(moves) - 1


def _never(at: datetime) -> datetime:
    return datetime.max.replace(tzinfo=at.tzinfo)


def _usable(coupon: Coupon, now: datetime) -> Reason | None:
    """`now` in the shop's zone, whose days are told: the last one on which it could be used, the first one."""
    if coupon.state == "expired" or (coupon.valid_until is not None and coupon.valid_until <= now):
        last = coupon.valid_until and (coupon.valid_until.astimezone(now.tzinfo) - timedelta(microseconds=1))
        return Reason("expired", (("day", last.date().isoformat() if last else "–"),))
    if coupon.state != "open":
        return Reason("not_open", (("state", coupon.state),))
    if coupon.valid_from is not None and coupon.valid_from > now:
        return Reason("not_yet", (("day", coupon.valid_from.astimezone(now.tzinfo).date().isoformat()),))
    return None


def _consider(
    rule: Rule,
    ref: str,
    chosen: tuple[int, ...],
    reason: Reason | None,
    lines: tuple[Line, ...],
    moves: list[Move],
    left: list[tuple[int, Left]],
) -> bool:
    given: tuple[int, ...] = ()
    if reason is None and rule.kind == "freight":
        given = tuple(i for i, line in enumerate(lines) if line.freight and line.amount > 0)
        reason = None if given else Reason("no_freight")
    elif reason is None and rule.of is not None:
        given = tuple(
            i
            for i, line in enumerate(lines)
            if open_to(line, rule.step) and not line.freight and rule.gives(line.category, line.sku, line.brand)
        )
        reason = None if given else Reason("no_goods")
    if reason is None and not chosen and not (rule.kind == "freight" and rule.goods is None):
        reason = Reason("no_goods")
    if reason is not None:
        left.append((len(moves), Left(rule.step, rule.key, ref, rule.name, reason)))
        return False
    ceiling = sum([lines[i].amount for i in (given or chosen)])
    if rule.cap is not None:
        ceiling = min(ceiling, rule.cap)
    if rule.kind == "amount" or (rule.kind == "freight" and rule.amount):
        ceiling = min(ceiling, rule.amount)
    elif rule.kind == "percent" and rule.percent is not None:
        ceiling = ceiling * rule.percent[0] // rule.percent[1] + len(chosen)
    elif rule.kind == "off_each":
        ceiling = min(ceiling, sum(rule.amount * lines[i].quantity // 1000 + 1 for i in chosen))
    elif rule.kind == "ladder":
        ceiling = min(ceiling, _ladder_ceiling(rule, ceiling))
    bits = 0
    for i in chosen + given:
        bits |= 1 << i
    moves.append(Move(rule, ref, chosen, given, ceiling, bits=bits))
    return True


def _ladder_ceiling(rule: Rule, base: int) -> int:
    most = 0
    for at_least, amount, percent in rule.rungs:
        if amount is None:
            assert percent is not None
            most = max(most, base * percent[0] // percent[1] + 1)
        elif rule.repeat and not rule.by_pieces:
            most = max(most, amount * max(1, base // at_least))
        else:
            most = max(most, amount if not rule.repeat else base)
    return most


def _points_come_early(rules: Rules) -> bool:
    """Do points pay before something that looks at what they leave?"""
    after = rules.steps[rules.steps.index("points") + 1 :]
    return not {"tier_price", "offers", "coupons"}.isdisjoint(after)


def _points_move(rules: Rules, basket: Basket, holdings: Holdings) -> Move:
    def pays(amounts: list[int]) -> list[int]:
        paid = paying.points(rules, basket, holdings, (), amounts.copy())
        return list(paid.shares) if isinstance(paid, Applied) else []

    assert rules.selling.points is not None
    everything = tuple(range(len(basket.lines)))
    rule = replace(rules.nothing, step="points", key="points", not_with=frozenset(rules.selling.points.not_with))
    whole = sum(line.amount for line in basket.lines)
    return Move(rule, "points", everything, (), whole, bits=(1 << len(everything)) - 1, pays=pays)


def _set_conflicts(moves: list[Move]) -> None:
    """Bits of what does not go together: groups, `alone`, `not_with` (a key, a group or a step), from either side."""
    named: dict[str, int] = {}  # key, group or step → bits of its moves
    prices = 0
    for k, move in enumerate(moves):
        rule = move.rule
        for name in {rule.key, rule.step, rule.group or rule.key}:
            named[name] = named.get(name, 0) | 1 << k
        prices |= (move.pays is None) << k
    for k, move in enumerate(moves):
        rule = move.rule
        against = prices if rule.alone else 0
        if rule.group is not None and not rule.group_per_line:
            against |= sum(1 << j for j in _bits(named[rule.group]) if moves[j].rule.group == rule.group)
        for name in rule.not_with:
            against |= named.get(name, 0)
        # Two coupons of one template get on: limits.per_order says how many.
        against &= ~(named[rule.key] if rule.step == "coupons" else 1 << k)
        if against:
            move.conflicts |= against
            for j in _bits(against):
                moves[j].conflicts |= 1 << k


def _bits(bits: int) -> list[int]:
    found = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found


# ---- the chosen combination, step by step -------------------------------------------------------------------------


def _carry_out(
    terms: Terms,
    rules: Rules,
    basket: Basket,
    holdings: Holdings,
    at: datetime,
    moves: list[Move],
    left: list[tuple[int, Left]],
    found: Best,
) -> Priced:
    lines = basket.lines
    state = State([line.amount for line in lines], [0] * len(lines))
    applied: list[Applied] = []
    coupons = sum(found.chosen >> k & 1 for k, move in enumerate(moves) if move.rule.step == "coupons")
    for step in rules.steps:
        if step == "points":
            _pay_points(rules, basket, holdings, moves, found.chosen, state, applied, left)
            continue
        if step in PREPAID:
            continue
        for k, move in enumerate(moves):
            if move.rule.step != step or move.pays is not None:
                continue
            shares = off(move, state, lines)
            if not found.chosen >> k & 1:
                left.append((k, _why_left(k, moves, found.chosen, shares, coupons, rules)))
                continue
            assert not isinstance(shares, Reason)
            amount = state.take(move, shares)
            applied.append(_applied(move, amount, shares, len(lines)))
    if "tier_price" in rules.steps:
        applied = _lowest_price_counts(applied, len(lines))
    for step in sorted(PREPAID, key=lambda one: rules.steps.index(one) if one in rules.steps else len(rules.steps)):
        on = step in rules.steps
        if step == "gift_cards":
            for one in paying.gift_cards(basket, holdings, state.amounts, on):
                if isinstance(one, Applied):
                    applied.append(one)
                else:
                    left.append((len(moves), one))
            continue
        paid = paying.stored_value(basket, holdings, state.amounts, on)
        if isinstance(paid, Applied):
            applied.append(paid)
        elif paid is not None:
            left.append((len(moves), Left("stored_value", "stored_value", "stored_value", paying.STORED_VALUE, paid)))
    left.sort(key=lambda one: one[0])
    return Priced(
        currency=basket.currency,
        at=at,
        charter_version=terms.version,
        lines=_lines(lines, applied),
        applied=tuple(applied),
        skipped=tuple(one for _, one in left if one.reason.code in SKIPPED),
        inapplicable=tuple(one for _, one in left if one.reason.code not in SKIPPED),
        search=Found(found.steps, rules.selling.effort, found.exact, found.could_save),
        back_to=rules.selling.back_to,
    )


def _applied(move: Move, amount: int, shares: list[tuple[int, int]], count: int) -> Applied:
    spread = [0] * count
    for i, share in shares:
        spread[i] += share
    return Applied(
        move.rule.step,
        move.rule.key,
        move.ref,
        move.rule.name,
        amount,
        tuple(spread),
        Reason("applied", (("amount", amount),)),
    )


def _why_left(
    k: int, moves: list[Move], chosen: int, shares: list[tuple[int, int]] | Reason, coupons: int, rules: Rules
) -> Left:
    move = moves[k]
    rule = move.rule
    against = chosen & move.conflicts
    most = rules.selling.most_coupons
    twins, before = 0, move.twin
    while before >= 0:
        twins += chosen >> before & 1
        before = moves[before].twin
    if against:
        other = moves[(against & -against).bit_length() - 1]
        reason = Reason("excluded_by", (("other", other.rule.key),))
    elif isinstance(shares, Reason):
        reason = shares
    elif rule.step == "coupons" and most is not None and coupons >= most:
        reason = Reason("too_many_coupons", (("most", most),))
    elif twins >= rule.per_order:
        reason = Reason("per_order", (("most", rule.per_order),))
    else:
        reason = Reason("better_without")
    return Left(rule.step, rule.key, move.ref, rule.name, reason)


def _lowest_price_counts(applied: list[Applied], count: int) -> list[Applied]:
    """Where several tier prices took off a line step by step, all of it belongs to the last, the lowest one."""
    owner: dict[int, int] = {}
    for place, one in enumerate(applied):
        if one.step == "tier_price":
            owner |= dict.fromkeys((i for i, share in enumerate(one.shares) if share), place)
    told: list[Applied] = []
    prices = [one for one in applied if one.step == "tier_price"]
    if len(prices) < 2:
        return applied
    for place, one in enumerate(applied):
        if one.step != "tier_price":
            told.append(one)
            continue
        shares = tuple(sum(p.shares[i] for p in prices) if owner.get(i) == place else 0 for i in range(count))
        if amount := sum(shares):
            reason = Reason("applied", (("amount", amount),))
            told.append(Applied(one.step, one.key, one.ref, one.name, amount, shares, reason))
    return told


def _pay_points(
    rules: Rules,
    basket: Basket,
    holdings: Holdings,
    moves: list[Move],
    chosen: int,
    state: State,
    applied: list[Applied],
    left: list[tuple[int, Left]],
) -> None:
    if not basket.asks.points:
        return
    paid = paying.points(
        rules, basket, holdings, [m.rule for k, m in enumerate(moves) if chosen >> k & 1], state.amounts
    )
    if isinstance(paid, Applied):
        applied.append(paid)
    else:
        left.append(
            (
                len(moves),
                Left("points", "points", "points", paying.COALITION if basket.asks.coalition else paying.POINTS, paid),
            )
        )


def _lines(lines: tuple[Line, ...], applied: list[Applied]) -> tuple[PricedLine, ...]:
    told = []
    for i, line in enumerate(lines):
        discounts = tuple((a.ref, a.shares[i]) for a in applied if a.step not in paying.TENDERS and a.shares[i])
        points_amount = sum(a.shares[i] for a in applied if a.step == "points")
        points = sum(a.point_shares[i] for a in applied if a.step == "points")
        stored = sum(a.shares[i] for a in applied if a.step == "stored_value")
        cards = tuple((a.ref, a.shares[i]) for a in applied if a.step == "gift_cards" and a.shares[i])
        due = line.amount - sum(s for _, s in (*discounts, *cards)) - points_amount - stored
        told.append(
            PricedLine(line.key, line.quantity, line.amount, discounts, points_amount, points, stored, due, cards)
        )
    return tuple(told)
