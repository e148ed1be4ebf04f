"""Which of the moves that fit, taken together, save most.

Moves are decided one after the other in the order they are applied, with what earlier ones left of the lines. A move is
*contested* when leaving it out may be better: it excludes another, may take the ground from under another's threshold,
takes full-price goods away from another, or changes which pieces are the cheapest. Only these are tried both ways, and a
branch is left as soon as all that is still to come could not save more than the best found. What is not contested only
ever helps: with less on every line, whatever follows costs no more, but for the minor units that rounding may shift. So
with a few moves all are tried both ways, and with more the answer is exact to one minor unit per rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from shuke.engine.checkout.basket import Line
from shuke.engine.checkout.moves import Move, State, off
from shuke.engine.checkout.reasons import Reason

FEW = 7  # so many moves can all be tried both ways within the usual effort


@dataclass(slots=True)
class Best:
    """The moves to make, as bits of their places."""

    chosen: int = 0
    saved: int = -1
    steps: int = 0
    exact: bool = True
    could_save: int = 0


def best(moves: list[Move], lines: tuple[Line, ...], *, effort: int, most_coupons: int | None, first: bool) -> Best:
    """Decide every move. `first`: no search, each move is made where nothing before it stands against it."""
    _contest(moves, lines, most_coupons)
    found = Best()
    search = _Search(moves, lines, effort, most_coupons, first, found)
    found.could_save = min(search.still[0], sum(line.amount for line in lines))
    search.down(0, State([line.amount for line in lines], [0] * len(lines)), 0, 0, 0)
    if first:
        found.exact = False
    elif found.exact:
        found.could_save = found.saved
    return found


class _Search:
    def __init__(
        self, moves: list[Move], lines: tuple[Line, ...], effort: int, most: int | None, first: bool, found: Best
    ) -> None:
        self.moves, self.lines, self.effort, self.first, self.found = moves, lines, effort, first, found
        self.most = most if most is not None else len(moves)
        self.still = ceilings(moves, self.most)

    def down(self, k: int, state: State, chosen: int, saved: int, coupons: int) -> None:
        """Decide move k and all after it. Works on `state` in place, copies only where it tries both ways."""
        moves, found = self.moves, self.found
        while k < len(moves):
            if saved + self.still[k] <= found.saved:
                return
            if found.steps >= self.effort and found.saved >= 0:
                found.exact = False
                return
            move = moves[k]
            is_coupon = move.rule.step == "coupons"
            if chosen & move.conflicts or (is_coupon and not self._may_use(move, chosen, coupons)):
                k += 1
                continue
            found.steps += 1
            shares = off(move, state, self.lines)
            if isinstance(shares, Reason):
                k += 1
                continue
            take = sum([s for _, s in shares]) if move.pays is None else 0
            tiny = take < move.slack and move.pays is None
            if not self.first and (move.contested or tiny):
                other = state.copy()
                other.take(move, shares)
                self.down(k + 1, other, chosen | 1 << k, saved + take, coupons + is_coupon)
            else:
                state.take(move, shares)
                chosen, saved, coupons = chosen | 1 << k, saved + take, coupons + is_coupon
            k += 1
        if saved > found.saved:
            found.chosen, found.saved = chosen, saved

    def _may_use(self, move: Move, chosen: int, coupons: int) -> bool:
        """Coupons of one template are alike: the second comes only after the first."""
        if coupons >= self.most:
            return False
        count, k = 0, move.twin
        if k >= 0 and not chosen >> k & 1:
            return False
        while k >= 0:
            count += chosen >> k & 1
            k = self.moves[k].twin
        return count < move.rule.per_order


def ceilings(moves: list[Move], most_coupons: int) -> list[int]:
    """For every place: what all moves from there on can save at most.

    Of moves that all exclude one another only the largest counts; of coupons only as many as an order takes.
    """
    still = [0] * (len(moves) + 1)
    cliques: list[list[int]] = []  # bits, largest ceiling
    largest: list[int] = []  # of coupons
    whole = 0
    for k in range(len(moves) - 1, -1, -1):
        move = moves[k]
        if move.pays is not None:
            still[k] = whole
            continue
        if move.rule.step == "coupons":
            # Once an order is full, one more coupon can only take the place of a smaller one.
            largest = sorted([*largest, move.ceiling])
            whole += move.ceiling
            if len(largest) > most_coupons:
                whole -= largest.pop(0)
            still[k] = whole
            continue
        mine = next((c for c in cliques if c[0] & move.conflicts == c[0]), None) if move.conflicts else None
        if mine is None:
            cliques.append([1 << k, move.ceiling])
            whole += move.ceiling
        else:
            mine[0] |= 1 << k
            whole += max(0, move.ceiling - mine[1])
            mine[1] = max(mine[1], move.ceiling)
        still[k] = whole
    return still


def _contest(moves: list[Move], lines: tuple[Line, ...], most_coupons: int | None) -> None:
    """Mark the moves that may be better left out."""
    coupons = sum(m.rule.step == "coupons" for m in moves)
    slack = 0
    for move in reversed(moves):
        move.slack = slack
        slack += move.bits.bit_count()
    for move in moves:
        rule = move.rule
        move.contested = bool(move.conflicts) or rule.group_per_line
        if rule.step == "coupons" and most_coupons is not None and coupons > most_coupons:
            move.contested = True
    templates: dict[str, list[Move]] = {}
    for move in moves:
        if move.rule.step == "coupons":
            templates.setdefault(move.rule.key, []).append(move)
    for same in templates.values():
        if len(same) > same[0].rule.per_order:
            for move in same:
                move.contested = True
    _contest_thresholds(moves, lines)
    if len(moves) <= FEW:
        for move in moves:
            move.contested = move.pays is None


def _contest_thresholds(moves: list[Move], lines: tuple[Line, ...]) -> None:
    """Earlier moves on the goods of a later one that looks at what they left."""
    for k, watcher in enumerate(moves):
        by_pieces = watcher.rule.kind in ("buy_get", "item") and watcher.bits & (watcher.bits - 1)
        full_price = not watcher.rule.on_discounted
        if not full_price and not by_pieces and not _thresholds(watcher) and watcher.budget_left is None:
            continue
        earlier = [m for m in moves[:k] if m.bits & watcher.bits]
        if not earlier:
            continue
        if not full_price and not by_pieces:
            whole = sum([lines[i].amount for i in watcher.lines])
            if not _crossed(watcher, max(0, whole - sum([m.ceiling for m in earlier])), whole):
                continue
        watcher.contested = watcher.contested or full_price
        for move in earlier:
            move.contested = move.contested or move.pays is None


def _thresholds(move: Move) -> bool:
    rule = move.rule
    return bool(rule.min_minor and not rule.min_of_list) or (rule.kind == "ladder" and not rule.by_pieces)


def _crossed(move: Move, lowest: int, whole: int) -> bool:
    """May some threshold lie between what is there now and what earlier moves leave at worst?"""
    rule = move.rule
    marks = [rule.min_minor] if rule.min_minor and not rule.min_of_list else []
    if rule.kind == "ladder" and not rule.by_pieces:
        marks += [r[0] for r in rule.rungs]
        if rule.repeat and lowest // rule.rungs[-1][0] != whole // rule.rungs[-1][0]:
            return True
    return any(lowest < mark <= whole for mark in marks) or move.budget_left is not None
