"""`shuke ledger verify`: every invariant asked of the stored books, and the books against the facts they come from.

Each finding names the invariant and the row. The numbers I1 … I18 are those of docs/algorithms/ledger.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from shuke.engine.charter.standing import GROWTH
from shuke.engine.ledger.books import FAR
from shuke.kit import abreast, bulk
from shuke.loyalty.models import Seal, Verification
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import card_statements, chain, charters, rewards, settlement
from shuke.loyalty.queries.coupons.invariants import CHECKS as COUPON_CHECKS
from shuke.loyalty.queries.invariants import BEYOND_SQL, CHECKS, Check, together
from shuke.loyalty.queries.refolding import against_facts
from shuke.loyalty.queries.stored import invariants as money
from shuke.shops.models import Merchant

LETTERS = "ICSGD"  # points, coupons, stored value, gifts, draws: the order in which checks are listed
FOLDED_AT_ONCE = 200  # members
WORTH_A_PROCESS = 20_000  # postings: fewer are read sooner than another process is begun

Part = tuple[
    str, Any
]  # "ask": which checks · "look": at what else · "seal": the one before and itself · "fold": members


class Finding(NamedTuple):
    """Something that must never be: which invariant, which row, what is wrong."""

    invariant: str
    row: str
    problem: str


class Reached(NamedTuple):
    """The last seal that was looked at: everything up to it is known to be right, or not."""

    seal: int
    digest: str

    @classmethod
    def of(cls, seal: Seal | None) -> Reached:
        return cls(0, "") if seal is None else cls(seal.number, bytes(seal.digest).hex())


class Report(NamedTuple):
    """What was checked, and what was found."""

    findings: list[Finding]
    checked: list[tuple[str, str]]  # invariant, what it says
    figures: dict[str, int]
    reached: Reached = Reached(0, "")

    @property
    def ok(self) -> bool:
        return not self.findings


def verify(merchant: Merchant, *, progress: Callable[[int], None] | None = None, limit: int = 100) -> Report:
    """Check everything; at most `limit` findings per check are named. Large books are read by several processes at once. All
    of it is read as it was at one moment: who sells meanwhile is no finding."""
    checks = [*CHECKS, *(Check(*told) for told in (*COUPON_CHECKS, *money.CHECKS, *rewards.CHECKS))]
    checked = [(check.invariant, check.says) for check in checks]
    checked += [*BEYOND_SQL, *money.BEYOND_SQL, *rewards.BEYOND_SQL]
    asked = together(checks)
    looks = (
        lambda: [Finding(*told) for told in money.beyond_sql(merchant, limit)],
        lambda: [Finding(*told) for told in rewards.faults(merchant)],
        lambda: triggers(),
        lambda: [*budgets(merchant)],
        lambda: [Finding("I16", row, problem) for row, problem in settlement.faults(merchant)],
        lambda: [Finding("I16", row, problem) for row, problem in card_statements.faults(merchant)],
    )

    def work(part: Part) -> list[Finding]:
        kind, told = part
        if kind == "ask":
            return ask(merchant, asked[told], limit)
        if kind == "look":
            return looks[told]()
        if kind == "seal":
            return of_seal(merchant, *told)
        return [Finding(*one) for one in islice(against_facts(merchant, told), limit)]

    with abreast.standing_still(work, processes=processes_for(merchant)) as spread:
        members = _everybody(merchant)
        seals = chain.POINTS.links(merchant)
        parts: list[Part] = [("look", n) for n in range(len(looks))]
        parts += [("ask", n) for n in range(len(asked))]
        parts += [("seal", (seals[n - 1] if n else None, seal)) for n, seal in enumerate(seals)]
        parts += [("fold", members[n : n + FOLDED_AT_ONCE]) for n in range(0, len(members), FOLDED_AT_ONCE)]
        told = spread(parts)
        figures = _figures(merchant, len(members))  # here, while the others work
        findings = list(gathered(told, parts, progress))
        reached = Reached.of(seals[-1] if seals else None)
    return Report(findings, in_place(checked), figures, reached)


def processes_for(merchant: Merchant) -> int | None:
    """One for small books; else as many as there are cores."""
    [(sealed,)] = bulk.select("SELECT COALESCE(SUM(count), 0) FROM loyalty_seal WHERE merchant_id = %s", [merchant.pk])
    return 1 if sealed < WORTH_A_PROCESS else None


def ask(merchant: Merchant, checks: Sequence[Check], limit: int, sql: str = "") -> list[Finding]:
    """What one query says to the questions it answers; `sql`: asked of a part of the books."""
    sql = sql or checks[0].sql
    rows = bulk.select(sql, [merchant.pk] * sql.count("%s"))
    found = []
    for check in checks:
        broken = rows if check.broken is None else [row for row in rows if row[check.broken]]
        found += [Finding(check.invariant, str(row[0]), check.sentence.format(*row)) for row in broken[:limit]]
    return found


def of_seal(merchant: Merchant, before: Seal | None, seal: Seal) -> list[Finding]:
    return [Finding("I17", f"seal {seal.number}", told) for told in chain.POINTS.faults(merchant, before, seal)]


def gathered(
    told: Iterable[tuple[int, Any]], parts: list[Part], progress: Callable[[int], None] | None = None
) -> Iterator[Finding]:
    """What takes long, in parts: questions to the database, seals of the chain, members folded anew. Told in order of the parts."""
    found: dict[int, list[Finding]] = {}
    for n, findings in told:
        found[n] = findings
        if progress is not None and parts[n][0] == "fold":
            progress(len(parts[n][1]))
    for n in sorted(found):
        yield from found[n]


def in_place(checked: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Checks in the order in which they are listed."""
    return sorted(checked, key=lambda c: (LETTERS.find(c[0][0]), int(c[0][1:])))


def _figures(merchant: Merchant, members: int) -> dict[str, int]:
    found = {"members": members}
    for name in ("txn", "entry", "lot", "use", "seal"):
        found[name] = bulk.select(f"SELECT COUNT(*) FROM loyalty_{name} WHERE merchant_id = %s", [merchant.pk])[0][0]
    return found


def triggers() -> list[Finding]:
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


def budgets(merchant: Merchant) -> Iterable[Finding]:
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
    return [
        m
        for (m,) in bulk.select("SELECT member_id FROM loyalty_wallet WHERE merchant_id = %s ORDER BY 1", [merchant.pk])
    ]


def last_settled(merchant: Merchant) -> datetime | None:
    (moment,) = bulk.select("SELECT MAX(settled_to) FROM loyalty_wallet WHERE merchant_id = %s", [merchant.pk])[0]
    return bulk.read_moment(moment)


def last_verification(merchant: Merchant, *, whole: bool = False) -> Verification | None:
    """What was found when somebody last looked; `whole`: at everything."""
    rows = Verification.objects.filter(merchant=merchant).order_by("-id")
    return (rows.filter(whole=True) if whole else rows).first()
