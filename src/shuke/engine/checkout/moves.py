"""What one rule does to the lines: shares off, in minor units, that add up to the discount exactly.

A move works on the running amounts, that is what earlier steps left of each line. It never takes more than there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shuke.engine.checkout.basket import Line
from shuke.engine.checkout.reasons import Reason
from shuke.engine.checkout.rules import Ratio, Rule
from shuke.kit.money import allocate

Shares = list[tuple[int, int]]  # place of the line, amount off
_FINE = 1_000_000  # pieces are compared by their price to a millionth


@dataclass(slots=True, eq=False)
class Move:
    """One rule on one basket. `conflicts` are bits of moves it does not go together with."""

    rule: Rule
    ref: str
    lines: tuple[int, ...]  # places of the lines it chooses
    given: tuple[int, ...] = ()  # buy_get with `of`: places of the pieces that may be given
    ceiling: int = 0  # it can never take off more
    conflicts: int = 0
    bits: int = 0  # of all lines it may touch or counts
    twin: int = -1  # place of the move before it that is another coupon of the same template
    budget_left: int | None = None
    slack: int = 0  # what rounding of later moves may make of it
    contested: bool = False  # leaving it out may be better
    pays: Callable[[list[int]], list[int]] | None = None  # points that pay before a later step: amounts → shares


@dataclass(slots=True)
class State:
    """Where the lines stand between two moves."""

    amounts: list[int]
    priced: list[int]  # of each line: taken off by tier prices
    touched: int = 0  # bits of lines that something of ours made cheaper
    taken: dict[str, int] = field(default_factory=dict)  # group per line → bits of its lines

    def copy(self) -> State:
        return State(self.amounts.copy(), self.priced.copy(), self.touched, self.taken.copy() if self.taken else {})

    def take(self, move: Move, shares: Shares) -> int:
        """Apply shares; their sum."""
        whole, bits = 0, 0
        is_price = move.rule.step == "tier_price"
        for i, share in shares:
            self.amounts[i] -= share
            if is_price:
                self.priced[i] += share
            whole += share
            bits |= 1 << i
        self.touched |= bits
        if move.rule.group_per_line and move.rule.group is not None:
            self.taken[move.rule.group] = self.taken.get(move.rule.group, 0) | bits
        return whole


def off(move: Move, state: State, lines: tuple[Line, ...]) -> Shares | Reason:
    """The shares a move takes off here, or why it does not."""
    if move.pays is not None:
        return [(i, share) for i, share in enumerate(move.pays(state.amounts)) if share]
    rule, usable = move.rule, move.lines
    if not rule.on_discounted and state.touched:
        usable = tuple(i for i in usable if not state.touched >> i & 1)
        if not usable:
            return Reason("only_discounted_goods")
    if rule.group_per_line and (taken := state.taken.get(rule.group or "", 0)):
        usable = tuple(i for i in usable if not taken >> i & 1)
        if not usable:
            return Reason("nothing_left")
    amounts = state.amounts
    if rule.min_minor:
        base = sum([lines[i].amount for i in usable] if rule.min_of_list else [amounts[i] for i in usable])
        if base < rule.min_minor:
            return Reason("below_threshold", (("missing", rule.min_minor - base), ("threshold", rule.min_minor)))
    if rule.min_pieces:
        pieces = sum(lines[i].pieces for i in usable)
        if pieces < rule.min_pieces:
            return Reason("too_few_pieces", (("missing_pieces", rule.min_pieces - pieces),))
    found = _SHARES[rule.kind](move, state, lines, usable)
    if isinstance(found, Reason):
        return found
    if not found:
        return Reason("lower_price" if rule.step == "tier_price" else "nothing_left")
    if move.budget_left is not None and (wanted := sum(s for _, s in found)) > move.budget_left:
        return Reason("budget_exhausted", (("amount", wanted), ("left", max(0, move.budget_left))))
    return found


def half_up(value: int, ratio: Ratio) -> int:
    """value × ratio, halves up."""
    up, down = ratio
    return (2 * value * up + down) // (2 * down)


def spread(whole: int, usable: tuple[int, ...], amounts: list[int]) -> Shares:
    """An amount over lines in proportion to what they cost, by largest remainder (kit.money.allocate, in a hurry)."""
    weights = [amounts[i] for i in usable]
    total = sum(weights)
    if whole <= 0 or not total:
        return []
    if whole == total:
        return [(i, w) for i, w in zip(usable, weights, strict=True) if w]
    if len(usable) == 1:
        return [(usable[0], whole)]
    parts = [whole * w // total for w in weights]
    rest = whole - sum(parts)
    if rest:
        for place in sorted(
            range(len(weights)), key=[p * total - whole * w for p, w in zip(parts, weights, strict=True)].__getitem__
        )[:rest]:
            parts[place] += 1
    return [(i, part) for i, part in zip(usable, parts, strict=True) if part]


def _capped(shares: Shares, cap: int | None) -> Shares:
    if cap is None or sum(s for _, s in shares) <= cap:
        return shares
    parts = allocate(cap, [s for _, s in shares])
    return [(i, part) for (i, _), part in zip(shares, parts, strict=True) if part]


def _by_percent(move: Move, state: State, lines: tuple[Line, ...], usable: tuple[int, ...]) -> Shares:
    rule, amounts = move.rule, state.amounts
    assert rule.percent is not None
    if rule.step == "tier_price":
        return _lower([(i, half_up(amounts[i] + state.priced[i], rule.percent)) for i in usable], state)
    if rule.round_lines:
        return _capped([(i, s) for i in usable if (s := half_up(amounts[i], rule.percent))], rule.cap)
    whole = half_up(sum([amounts[i] for i in usable]), rule.percent)
    return spread(whole if rule.cap is None else min(whole, rule.cap), usable, amounts)


def _by_amount(move: Move, state: State, lines: tuple[Line, ...], usable: tuple[int, ...]) -> Shares:
    return spread(min(move.rule.amount, sum([state.amounts[i] for i in usable])), usable, state.amounts)


def _to_price(move: Move, state: State, lines: tuple[Line, ...], usable: tuple[int, ...]) -> Shares:
    rule, amounts = move.rule, state.amounts
    targets = [(i, half_up(rule.amount, (lines[i].quantity, 1000))) for i in usable]
    if rule.step == "tier_price":
        return _lower([(i, amounts[i] + state.priced[i] - t) for i, t in targets], state)
    return _capped([(i, amounts[i] - t) for i, t in targets if amounts[i] > t], rule.cap)


def _off_each(move: Move, state: State, lines: tuple[Line, ...], usable: tuple[int, ...]) -> Shares:
    rule, amounts = move.rule, state.amounts
    each = [(i, half_up(rule.amount, (lines[i].quantity, 1000))) for i in usable]
    if rule.step == "tier_price":
        return _lower([(i, min(e, amounts[i] + state.priced[i])) for i, e in each], state)
    return _capped([(i, min(e, amounts[i])) for i, e in each if amounts[i]], rule.cap)


def _lower(wanted: Shares, state: State) -> Shares:
    """Tier prices do not add up: a further one takes off only what makes the line cheaper still."""
    return [(i, min(w - state.priced[i], state.amounts[i])) for i, w in wanted if w > state.priced[i]]


def _ladder(move: Move, state: State, lines: tuple[Line, ...], usable: tuple[int, ...]) -> Shares | Reason:
    rule = move.rule
    base = sum([state.amounts[i] for i in usable])
    figure = sum(lines[i].pieces for i in usable) if rule.by_pieces else base
    reached = [rung for rung in rule.rungs if rung[0] <= figure]
    if not reached:
        need = rule.rungs[0][0]
        if rule.by_pieces:
            return Reason("too_few_pieces", (("missing_pieces", need - figure),))
        return Reason("below_threshold", (("missing", need - figure), ("threshold", need)))
    at_least, amount, percent = reached[-1]
    if percent is not None:
        whole = half_up(base, percent)
    else:
        assert amount is not None
        times = figure // at_least if rule.repeat and reached[-1] is rule.rungs[-1] else 1
        whole = amount * min(times, rule.most_times or times)
    whole = min(whole, base, rule.cap if rule.cap is not None else base)
    return spread(whole, usable, state.amounts)


def _buy_get(move: Move, state: State, lines: tuple[Line, ...], usable: tuple[int, ...]) -> Shares | Reason:
    rule = move.rule
    have = sum(lines[i].pieces for i in usable)
    if rule.of is None:
        rounds, rest = divmod(have, rule.buy + rule.get)
        if rule.most_times is not None and rounds >= rule.most_times:
            rounds, rest = rule.most_times, 0
        free = rounds * rule.get + max(0, rest - rule.buy)
        if not free:
            return Reason("too_few_pieces", (("missing_pieces", rule.buy + 1 - rest),))
        return _capped(_pieces(free, usable, state, lines, rule, cheapest=True), rule.cap)
    if rule.buy and have < rule.buy:
        return Reason("too_few_pieces", (("missing_pieces", rule.buy - have),))
    rounds = have // rule.buy if rule.buy else rule.most_times or 1
    given = tuple(i for i in move.given if not state.taken.get(rule.group or "", 0) >> i & 1)
    free = min(rounds, rule.most_times or rounds) * rule.get
    found = _pieces(free, given, state, lines, rule, cheapest=True)
    return _capped(found, rule.cap) if found else Reason("no_goods")


def _item(move: Move, state: State, lines: tuple[Line, ...], usable: tuple[int, ...]) -> Shares:
    return _capped(_pieces(move.rule.get, usable, state, lines, move.rule, cheapest=False), move.rule.cap)


def _pieces(
    free: int, among: tuple[int, ...], state: State, lines: tuple[Line, ...], rule: Rule, *, cheapest: bool
) -> Shares:
    """So many whole pieces for less or nothing: the cheapest ones, or for an exchange coupon the dearest."""
    piles = sorted(
        ((state.amounts[i] * _FINE // lines[i].quantity, i) for i in among if lines[i].pieces and state.amounts[i]),
        key=lambda pile: (pile[0] if cheapest else -pile[0], pile[1]),
    )
    shares: Shares = []
    for _, i in piles:
        pieces = lines[i].pieces
        count = min(free, pieces)
        # Of 2.5 kg only the two whole ones can be given: a piece is a thousand thousandths.
        worth = half_up(state.amounts[i], (count * 1000, lines[i].quantity))
        shares.append((i, worth if rule.percent is None else half_up(worth, rule.percent)))
        free -= count
        if not free:
            break
    return sorted((i, s) for i, s in shares if s)


def _freight(move: Move, state: State, lines: tuple[Line, ...], usable: tuple[int, ...]) -> Shares:
    base = sum([state.amounts[i] for i in move.given])
    return spread(min(base, move.rule.amount) if move.rule.amount else base, move.given, state.amounts)


_SHARES = {
    "percent": _by_percent,
    "amount": _by_amount,
    "price": _to_price,
    "off_each": _off_each,
    "ladder": _ladder,
    "buy_get": _buy_get,
    "item": _item,
    "freight": _freight,
}
