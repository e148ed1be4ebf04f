"""What each row of a spend file means: whose it is, whether it is known, what it gives, or takes back.

A member's points for one month of spending are min(limit, Σ points of what is left of each spending). A row gives or takes the
difference. So the sum does not depend on the order in which files come, nor on how they are cut.

Rows are judged one after another on a `State`: what is stored, plus what the rows before have changed. The preview goes
through a whole file on one State and writes nothing; taking the file judges the same rows in the same order, some hundred
at a time, and writes what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from shuke.engine.partner_cards import terms as agreement
from shuke.engine.partner_cards.terms import Terms


class Spending(NamedTuple):
    """A row that could be read. `card` is the keyed hash of its token. `gives_back`: money came back to the card; then
    `original` is the key of the spending it is about, where the file says it, and `perhaps` that of one with the same reference."""

    row: int
    key: bytes
    card: bytes
    amount: int
    day: date
    category: str = ""
    gives_back: bool = False
    original: bytes | None = None
    perhaps: bytes | None = None


class Card(NamedTuple):
    """Somebody's card, from a day on and until before another."""

    member: int
    since: date
    ended: date | None


@dataclass(slots=True)
class Line:
    """A spending as it stands: `left` of it has not come back, `full` points are due for that before the month's limit."""

    id: int
    member: int | None
    card: bytes
    amount: int
    day: date
    category: str
    left: int
    full: int = 0


@dataclass(slots=True)
class Month:
    """A member's month of spending: points due before the limit, points posted."""

    full: int = 0
    posted: int = 0


@dataclass(slots=True)
class State:
    """What rows are judged by."""

    terms: Sequence[Terms]
    ends: date | None  # first day that earns no more
    today: date
    cards: dict[bytes, list[Card]] = field(default_factory=dict)
    lines: dict[bytes, Line] = field(default_factory=dict)  # spendings by key
    seen: set[bytes] = field(default_factory=set)  # keys of rows that gave back
    of_card: dict[bytes, list[Line]] = field(default_factory=dict)
    months: dict[tuple[int, int], Month] = field(default_factory=dict)


class Verdict(NamedTuple):
    """What a row comes to: earned | nothing | reversed | unmatched | same | rejected. `points` are given (> 0) or taken.
    `code` says why it was rejected, or why nobody's; `value` what the sentence needs."""

    state: str
    code: str = ""
    value: str = ""
    line: Line | None = None  # the spending itself, or the one that came back
    points: int = 0


def month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def judge(state: State, told: Spending, new_id: Callable[[], int]) -> Verdict:
    """One row; the state is changed by it."""
    if told.day > state.today:
        return Verdict("rejected", "in_future", told.day.isoformat())
    return _back(state, told) if told.gives_back else _spent(state, told, new_id)


def _spent(state: State, told: Spending, new_id: Callable[[], int]) -> Verdict:
    known = state.lines.get(told.key)
    if known is not None:
        if (known.card, known.amount) != (told.card, told.amount):
            return Verdict("rejected", "other_before")
        return Verdict("same", line=known)
    terms = agreement.at(state.terms, told.day)
    if terms is None or (state.ends is not None and told.day >= state.ends):
        return Verdict("rejected", "no_agreement", told.day.isoformat())
    member, code = whose(state.cards.get(told.card, ()), told.day)
    if code == "before_enrolment":
        return Verdict("rejected", code)
    line = Line(new_id(), None, told.card, told.amount, told.day, told.category, told.amount)
    state.lines[told.key] = line
    state.of_card.setdefault(told.card, []).append(line)
    if member is None:
        return Verdict("unmatched", code, line=line)
    points = settle(state, line, member)
    return Verdict("earned" if points else "nothing", line=line, points=points)


def whose(cards: Sequence[Card], day: date) -> tuple[int | None, str]:
    """The member whose card it was that day, or why nobody's. Of two who could be meant nobody is guessed."""
    if not cards:
        return None, "not_enrolled"
    then = {card.member for card in cards if card.since <= day and (card.ended is None or day < card.ended)}
    if not then:
        return None, "before_enrolment"
    return (None, "ambiguous") if len(then) > 1 else (then.pop(), "")


def settle(state: State, line: Line, member: int) -> int:
    """The spending is this member's: what it gives within the month's limit."""
    terms = agreement.at(state.terms, line.day)
    assert terms is not None
    line.member = member
    line.full = agreement.points_of(terms, line.left, line.category)
    month = state.months.setdefault((member, month_of(line.day)), Month())
    month.full += line.full
    given = min(line.full, max(0, _due(terms, month) - month.posted))
    month.posted += given
    return given


def _back(state: State, told: Spending) -> Verdict:
    if told.key in state.seen:
        return Verdict("same")
    line, code = _original(state, told)
    if line is None:
        return Verdict("rejected", code)
    state.seen.add(told.key)
    return Verdict("reversed", line=line, points=-reduce(state, line, told.amount))


def reduce(state: State, line: Line, amount: int) -> int:
    """Part of a spending came back: how many points go."""
    line.left -= amount
    if line.member is None:
        return 0
    terms = agreement.at(state.terms, line.day)
    assert terms is not None
    month = state.months.setdefault((line.member, month_of(line.day)), Month())
    full = agreement.points_of(terms, line.left, line.category)
    gone, line.full = line.full - full, full
    month.full -= gone
    # Two members who became one may have had the month's limit twice: what came back takes no more than its own.
    taken = min(gone, max(0, month.posted - _due(terms, month)))
    month.posted -= taken
    return taken


def restore(state: State, line: Line, amount: int) -> int:
    """What had come back is spent again, because the row that said so was taken back: how many points are given."""
    line.left += amount
    if line.member is None:
        return 0
    month = state.months.setdefault((line.member, month_of(line.day)), Month())
    month.full -= line.full
    return settle(state, line, line.member)


def evened(spendings: Sequence[tuple[int, int, int]], most: int | None) -> dict[int, int]:
    """What makes a month right whose member became another's, or somebody of their own again: by spending the points that
    come (> 0) or go. `spendings`: number, points due before the limit, points posted; the earliest first. The latest lose
    first, the earliest get first."""
    due = sum(full for _, full, _ in spendings)
    lack = (due if most is None else min(most, due)) - sum(posted for _, _, posted in spendings)
    moves: dict[int, int] = {}
    for number, full, posted in spendings if lack > 0 else reversed(spendings):
        move = min(lack, max(0, full - posted)) if lack > 0 else -min(-lack, max(0, posted))
        if move:
            moves[number] = move
            lack -= move
    return moves


def _due(terms: Terms, month: Month) -> int:
    return month.full if terms.month_most is None else min(terms.month_most, month.full)


def _original(state: State, told: Spending) -> tuple[Line | None, str]:
    """The spending that came back: by the file's word, else the latest of this card of just this amount, else the latest that
    is large enough."""
    named = told.original
    if named is None and told.perhaps is not None and told.perhaps in state.lines:
        named = told.perhaps
    if named is not None:
        line = state.lines.get(named)
        if line is None:
            return None, "no_original"
        if line.card != told.card:
            return None, "other_card"
        return (line, "") if told.amount <= line.left else (None, "too_much")
    could = [x for x in state.of_card.get(told.card, ()) if x.left >= told.amount and x.day <= told.day]
    exact = [x for x in could if x.left == told.amount]
    found = max(exact or could, key=lambda x: (x.day, x.id), default=None)
    return found, "" if found else "no_original"
