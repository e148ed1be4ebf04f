"""The books against the facts they come from: every member's history folded anew, compared figure by figure (I10, I11)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from shuke.engine.ledger.fold import Fold, replay
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters, facts
from shuke.loyalty.queries.budgets import closed_purse
from shuke.shops.models import Merchant

Fault = tuple[str, str, str]  # invariant, row, what is wrong


def against_facts(merchant: Merchant, members: list[int]) -> Iterable[Fault]:
    """Fold every member's facts anew and compare figure by figure (I10, I11 and the cached standing)."""
    heads = stored.heads(merchant, members)
    rows: dict[int, dict[str, tuple]] = {m: {} for m in members}
    for member, key, figures in stored.lot_figures(merchant, members):
        if figures[0]:  # granted
            rows[member][key] = figures
    open_holds: dict[int, dict[str, list]] = {m: {} for m in members}
    for member, held in stored.holds(merchant, members):
        open_holds[member][held.key] = sorted(held.lots)
    for member, fold in _refolded(merchant, heads):
        head = heads[member]
        # A hold covers what it was placed for, less what a vanished or cheaper order has taken the ground from.
        holds = {key: sorted(held.lots) for key, held in fold.books.holds.items()}
        if holds != open_holds[member]:
            yield ("I12", f"member {member}", f"holds are {open_holds[member]}, by the facts {holds}")
        target = {k: stored.figures_of(lot) for k, lot in fold.books.lots.items()}
        for key in sorted({*target, *rows[member]}) if target != rows[member] else ():
            if target.get(key) != rows[member].get(key):
                yield (
                    "I11" if (target.get(key, (0,))[0] != rows[member].get(key, (0,))[0]) else "I10",
                    f"member {member}, lot {key}",
                    f"the charter gives {_lot(target.get(key))}, the books have {_lot(rows[member].get(key))}",
                )
        if fold.books.debt != head.debt:
            yield ("I11", f"member {member}", f"debt is {head.debt}, by the facts {fold.books.debt}")
        if head.is_settled and not _is_standing(head, fold):
            yield ("I11", f"member {member}", "the stored standing is not what the facts give")


def _is_standing(head: stored.Head, fold: Fold) -> bool:
    plain = fold.books.standing.to_json()
    return plain == json.loads(head.standing_text) or plain == head.standing.to_json()


def _lot(figures: tuple | None) -> str:
    return "nothing" if figures is None else f"granted {figures[0]}, remaining {figures[1]}, held {figures[2]}"


def _refolded(merchant: Merchant, heads: dict[int, stored.Head]) -> Iterable[tuple[int, Fold]]:
    """Each member's whole history folded anew up to the moment the books have reached."""
    members = [m for m, head in heads.items() if head.is_settled]
    if not members:
        return
    versions = charters.versions(merchant)
    bought = facts.bought(merchant, versions, member_ids=members).events
    asked = facts.requests(merchant, members)
    purse = closed_purse(merchant, versions, members)
    for member in members:
        yield (
            member,
            replay(
                versions,
                bought.get(member, []) + asked.get(member, []),
                joined_at=heads[member].joined_at,
                birthdays=heads[member].birthdays,
                until=heads[member].settled_to,
                purse=purse,
                tells=False,
            ),
        )
