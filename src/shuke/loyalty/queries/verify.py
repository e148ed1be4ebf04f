"""`shuke ledger verify`: every invariant asked of the stored books, and the books against the facts they come from.

Each finding names the invariant and the row. The numbers I1 … I18 are those of docs/algorithms/ledger.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from shuke.engine.charter.standing import GROWTH
from shuke.engine.ledger.books import FAR
from shuke.engine.ledger.fold import Fold, replay
from shuke.kit import bulk
from shuke.loyalty.models import Seal
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import card_statements, charters, facts, rewards, settlement
from shuke.loyalty.queries.budgets import closed_purse
from shuke.loyalty.queries.chain import content_of, digest_of
from shuke.loyalty.queries.coupons.invariants import CHECKS as COUPON_CHECKS
from shuke.loyalty.queries.invariants import BEYOND_SQL, CHECKS
from shuke.loyalty.queries.stored import invariants as money
from shuke.shops.models import Merchant

LETTERS = "ICSGD"  # points, coupons, stored value, gifts, draws: the order in which checks are listed


class Finding(NamedTuple):
    """Something that must never be: which invariant, which row, what is wrong."""

    invariant: str
    row: str
    problem: str


class Report(NamedTuple):
    """What was checked, and what was found."""

    findings: list[Finding]
    checked: list[tuple[str, str]]  # invariant, what it says
    figures: dict[str, int]

    @property
    def ok(self) -> bool:
        return not self.findings


def verify(merchant: Merchant, *, progress: Callable[[int], None] | None = None, limit: int = 100) -> Report:
    """Check everything; at most `limit` findings per check are named."""
    findings: list[Finding] = []
    checked: list[tuple[str, str]] = []
    for invariant, says, sql, sentence in [*CHECKS, *COUPON_CHECKS, *money.CHECKS, *rewards.CHECKS]:
        checked.append((invariant, says))
        rows = bulk.select(sql, [merchant.pk])
        findings += [Finding(invariant, str(row[0]), sentence.format(*row)) for row in rows[:limit]]
    checked += [*BEYOND_SQL, *money.BEYOND_SQL, *rewards.BEYOND_SQL]
    findings += [Finding(*told) for told in money.beyond_sql(merchant, limit)]
    findings += [Finding(*told) for told in rewards.faults(merchant)]
    findings += _triggers()
    findings += _chain(merchant)
    findings += _budgets(merchant)
    findings += [Finding("I16", row, problem) for row, problem in settlement.faults(merchant)]
    findings += [Finding("I16", row, problem) for row, problem in card_statements.faults(merchant)]
    members = [
        m
        for (m,) in bulk.select("SELECT member_id FROM loyalty_wallet WHERE merchant_id = %s ORDER BY 1", [merchant.pk])
    ]
    for start in range(0, len(members), 500):
        part = members[start : start + 500]
        findings += list(_against_facts(merchant, part))[:limit]
        if progress is not None:
            progress(len(part))
    return Report(
        findings, sorted(checked, key=lambda c: (LETTERS.find(c[0][0]), int(c[0][1:]))), _figures(merchant, len(members))
    )


def _figures(merchant: Merchant, members: int) -> dict[str, int]:
    found = {"members": members}
    for name in ("txn", "entry", "lot", "use", "seal"):
        found[name] = bulk.select(f"SELECT COUNT(*) FROM loyalty_{name} WHERE merchant_id = %s", [merchant.pk])[0][0]
    return found


def _triggers() -> list[Finding]:
    if bulk.is_postgres():
        rows = bulk.select("SELECT tgname FROM pg_trigger WHERE tgname LIKE %s AND tgenabled <> 'D'", ["loyalty%"])
        wanted = {
            "loyalty_entry_append_only",
            "loyalty_use_append_only",
            "loyalty_txn_no_delete",
            "loyalty_txn_seal_only",
            "loyalty_coalition_period_append_only",
            "loyalty_coalition_statement_append_only",
            "loyalty_coalition_movement_period_only",
            "loyalty_coalition_movement_no_delete",
            "loyalty_card_statement_append_only",
            "loyalty_card_move_once",
            "loyalty_card_move_no_delete",
        }
    else:
        rows = bulk.select("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", ["loyalty%"])
        wanted = {
            "loyalty_entry_no_update",
            "loyalty_entry_no_delete",
            "loyalty_use_no_update",
            "loyalty_txn_seal_only",
            "loyalty_txn_growth_kept",
            "loyalty_coalition_period_no_update",
            "loyalty_coalition_statement_no_update",
            "loyalty_coalition_movement_period_only",
            "loyalty_coalition_movement_no_delete",
            "loyalty_card_statement_no_update",
            "loyalty_card_move_once",
            "loyalty_card_move_no_delete",
        }
    gone = wanted - {r[0] for r in rows}
    return [Finding("I13", name, f"trigger {name} is missing: run `shuke init`") for name in sorted(gone)]


def _chain(merchant: Merchant) -> Iterable[Finding]:
    previous = b"\0" * 32
    number = 0
    for one in Seal.objects.filter(merchant=merchant).order_by("number"):
        number += 1
        if one.number != number or bytes(one.previous) != previous:
            yield Finding("I17", f"seal {one.number}", f"seal {one.number} does not follow seal {number - 1}")
        if digest_of(previous, content_of(merchant, one.number, one.first_id, one.last_id)) != bytes(one.digest):
            yield Finding("I17", f"seal {one.number}", f"what seal {one.number} covers was changed after sealing")
        previous = bytes(one.digest)
        number = one.number


def _budgets(merchant: Merchant) -> Iterable[Finding]:
    try:
        budgeted = charters.versions(merchant).budgeted
    except charters.NoCharter:
        return
    most: dict[str, int] = {}
    for rule in budgeted:
        assert rule.budget is not None
        most[rule.key] = max(most.get(rule.key, 0), rule.budget.points)
    for rule_key, taken in bulk.select("SELECT rule, taken FROM loyalty_budget WHERE merchant_id = %s", [merchant.pk]):
        if taken > most.get(rule_key, 0):
            yield Finding("I21", rule_key, f"rule {rule_key} gave {taken} points out of {most.get(rule_key, 0)}")


def _against_facts(merchant: Merchant, members: list[int]) -> Iterable[Finding]:
    """Fold every member's facts anew and compare figure by figure (I10, I11 and the cached standing)."""
    heads = stored.heads(merchant, members)
    rows: dict[int, dict[str, tuple]] = {m: {} for m in members}
    for member, _, lot in stored.lots(merchant, members, only_open=False):
        if lot.granted:
            rows[member][lot.key] = stored.figures_of(lot)
    open_holds: dict[int, dict[str, list]] = {m: {} for m in members}
    for member, held in stored.holds(merchant, members):
        open_holds[member][held.key] = sorted(held.lots)
    for member, fold in refolded(merchant, heads):
        head = heads[member]
        # A hold covers what it was placed for, less what a vanished or cheaper order has taken the ground from.
        holds = {key: sorted(held.lots) for key, held in fold.books.holds.items()}
        if holds != open_holds[member]:
            yield Finding("I12", f"member {member}", f"holds are {open_holds[member]}, by the facts {holds}")
        target = {k: stored.figures_of(lot) for k, lot in fold.books.lots.items()}
        for key in sorted({*target, *rows[member]}):
            if target.get(key) != rows[member].get(key):
                yield Finding(
                    "I11" if (target.get(key, (0,))[0] != rows[member].get(key, (0,))[0]) else "I10",
                    f"member {member}, lot {key}",
                    f"the charter gives {_lot(target.get(key))}, the books have {_lot(rows[member].get(key))}",
                )
        if fold.books.debt != head.debt:
            yield Finding("I11", f"member {member}", f"debt is {head.debt}, by the facts {fold.books.debt}")
        if head.is_settled and fold.books.standing.to_json() != head.standing.to_json():
            yield Finding("I11", f"member {member}", "the stored standing is not what the facts give")


def _lot(figures: tuple | None) -> str:
    return "nothing" if figures is None else f"granted {figures[0]}, remaining {figures[1]}, held {figures[2]}"


def refolded(merchant: Merchant, heads: dict[int, stored.Head]) -> Iterable[tuple[int, Fold]]:
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
            ),
        )


def state_hash(merchant: Merchant) -> str:
    """One fingerprint of what everybody holds: lots, debts, tiers with history. Free of ids and of arrival.

    Members are told apart by the orders in their books, so that two databases filled in different order compare equal.
    """
    people: dict[int, list[str]] = {}
    for member, head in stored.heads(merchant, _everybody(merchant)).items():
        people[member] = [f"debt {head.debt}|tier {head.tier}|balance {head.balance}"]
        if head.is_settled:
            people[member].append(f"growth {head.standing.totals[GROWTH]}|paid {len(head.standing.paid)}")
    for member, _, lot in stored.lots(merchant, people, only_open=False):
        if lot.granted:
            expires = (lot.expires_at or FAR).isoformat()
            people[member].append(
                f"{lot.key.replace(str(member), 'member')}|{lot.granted}|{lot.remaining}|{lot.held}|{lot.available_at.isoformat()}|{expires}"
            )
    for member, at, before, after, cause in bulk.select(
        "SELECT member_id, at, before, after, cause FROM loyalty_tier_change WHERE merchant_id = %s AND superseded_at IS NULL",
        [merchant.pk],
    ):
        if cause != "joined":
            moment = bulk.read_moment(at)
            assert moment is not None
            people[member].append(f"{moment.isoformat()}|{before}|{after}|{cause}")
    digest = hashlib.sha256()
    for text in sorted("\n".join(sorted(lines)) for lines in people.values()):
        digest.update(text.encode() + b"\n\n")
    return digest.hexdigest()


def _everybody(merchant: Merchant) -> list[int]:
    return [m for (m,) in bulk.select("SELECT member_id FROM loyalty_wallet WHERE merchant_id = %s", [merchant.pk])]


def last_settled(merchant: Merchant) -> datetime | None:
    (moment,) = bulk.select("SELECT MAX(settled_to) FROM loyalty_wallet WHERE merchant_id = %s", [merchant.pk])[0]
    return bulk.read_moment(moment)
