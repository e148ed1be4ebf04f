"""`shuke ledger verify`: every invariant asked of the stored books, and the books against the facts they come from.

Each finding names the invariant and the row. The numbers I1 … I18 are those of docs/algorithms/ledger.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from shuke.engine.ledger.books import FAR
from shuke.engine.ledger.fold import Fold, replay
from shuke.kit import bulk
from shuke.loyalty.models import Seal
from shuke.loyalty.queries import books as stored
from shuke.loyalty.queries import charters, facts
from shuke.loyalty.queries.chain import content_of, digest_of
from shuke.shops.models import Merchant


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


# (invariants, what they say, query giving (row, detail …) of every violation, sentence)
_CHECKS: list[tuple[str, str, str, str]] = [
    (
        "I1",
        "legs of every posting add up to 0",
        "SELECT txn_id, SUM(amount) FROM loyalty_entry WHERE merchant_id = %s GROUP BY txn_id HAVING SUM(amount) <> 0",
        "posting {0}: legs add up to {1}",
    ),
    (
        "I1",
        "every leg has its posting",
        "SELECT e.id, e.txn_id FROM loyalty_entry e LEFT JOIN loyalty_txn t ON t.id = e.txn_id AND t.merchant_id = e.merchant_id "
        "WHERE e.merchant_id = %s AND t.id IS NULL",
        "leg {0}: posting {1} is missing",
    ),
    (
        "I2",
        "a member's balance and debt are the sums of its legs",
        "SELECT w.member_id, w.balance, COALESCE(SUM(CASE WHEN e.account = 'member' THEN e.amount END), 0), w.debt, "
        "-COALESCE(SUM(CASE WHEN e.account = 'debt' THEN e.amount END), 0) FROM loyalty_wallet w "
        "LEFT JOIN loyalty_entry e ON e.merchant_id = w.merchant_id AND e.member_id = w.member_id "
        "WHERE w.merchant_id = %s GROUP BY w.member_id, w.balance, w.debt "
        "HAVING w.balance <> COALESCE(SUM(CASE WHEN e.account = 'member' THEN e.amount END), 0) "
        "OR w.debt <> -COALESCE(SUM(CASE WHEN e.account = 'debt' THEN e.amount END), 0)",
        "member {0}: balance {1} but legs {2}; debt {3} but legs {4}",
    ),
    (
        "I3",
        "all accounts together are 0",
        "SELECT 0, SUM(amount) FROM loyalty_entry WHERE merchant_id = %s HAVING SUM(amount) <> 0",
        "all accounts add up to {1}",
    ),
    (
        "I4",
        "0 ≤ held ≤ remaining ≤ granted for every lot",
        "SELECT id, granted, remaining, held FROM loyalty_lot WHERE merchant_id = %s "
        "AND NOT (0 <= held AND held <= remaining AND remaining <= granted)",
        "lot {0}: granted {1}, remaining {2}, held {3}",
    ),
    (
        "I5",
        "granted − remaining = Σ uses of every lot",
        "SELECT l.id, l.granted, l.remaining, COALESCE(SUM(u.amount), 0) FROM loyalty_lot l "
        "LEFT JOIN loyalty_use u ON u.merchant_id = l.merchant_id AND u.lot_id = l.id WHERE l.merchant_id = %s "
        "GROUP BY l.id, l.granted, l.remaining HAVING l.granted - l.remaining <> COALESCE(SUM(u.amount), 0)",
        "lot {0}: granted {1}, remaining {2}, uses {3}",
    ),
    (
        "I6",
        "what a member holds is what is left in the lots",
        "SELECT w.member_id, w.balance, w.held, COALESCE(SUM(l.remaining), 0), COALESCE(SUM(l.held), 0) FROM loyalty_wallet w "
        "LEFT JOIN loyalty_lot l ON l.merchant_id = w.merchant_id AND l.member_id = w.member_id WHERE w.merchant_id = %s "
        "GROUP BY w.member_id, w.balance, w.held "
        "HAVING w.balance <> COALESCE(SUM(l.remaining), 0) OR w.held <> COALESCE(SUM(l.held), 0)",
        "member {0}: balance {1}, held {2}, but lots have {3}, held {4}",
    ),
    (
        "I7",
        "nobody who owes has points free",
        "SELECT member_id, balance, held, debt FROM loyalty_wallet WHERE merchant_id = %s "
        "AND (balance < 0 OR debt < 0 OR (debt > 0 AND balance <> held))",
        "member {0}: balance {1}, held {2}, debt {3}",
    ),
    (
        "I8",
        "a key has one posting",
        "SELECT MIN(id), key, COUNT(*) FROM loyalty_txn WHERE merchant_id = %s GROUP BY key HAVING COUNT(*) > 1",
        "posting {0}: key {1} was posted {2} times",
    ),
    (
        "I9",
        "no lot expires before it was earned",
        "SELECT id, earned_at, expires_at FROM loyalty_lot WHERE merchant_id = %s AND expires_at <= earned_at",
        "lot {0}: earned {1}, expires {2}",
    ),
    (
        "I12",
        "an open hold is covered by held points; a resolved one took at most what it held",
        "SELECT h.member_id, SUM(CASE WHEN h.state = 'open' THEN h.amount ELSE 0 END), w.held FROM loyalty_hold h "
        "JOIN loyalty_wallet w ON w.member_id = h.member_id WHERE h.merchant_id = %s GROUP BY h.member_id, w.held "
        "HAVING SUM(CASE WHEN h.state = 'open' THEN h.amount ELSE 0 END) <> w.held OR MAX(h.captured - h.amount) > 0",
        "member {0}: open holds {1}, held {2}",
    ),
    (
        "I14",
        "a member's legs are numbered without gap, and each running balance is the one before plus its amount",
        "SELECT id, seq, prev_seq, amount, balance_after FROM (SELECT id, account, amount, balance_after, seq, "
        "LAG(seq, 1, 0) OVER (PARTITION BY member_id ORDER BY seq) AS prev_seq, "
        "LAG(balance_after, 1, 0) OVER (PARTITION BY member_id, account ORDER BY seq) AS prev_balance "
        "FROM loyalty_entry WHERE merchant_id = %s AND member_id IS NOT NULL) AS legs "
        "WHERE seq <> prev_seq + 1 OR balance_after <> prev_balance + amount",
        "leg {0}: number {1} after {2}, amount {3}, balance after it {4}",
    ),
    (
        "I14",
        "a wallet counts all its legs",
        "SELECT w.member_id, w.seq, COUNT(e.id) FROM loyalty_wallet w LEFT JOIN loyalty_entry e "
        "ON e.merchant_id = w.merchant_id AND e.member_id = w.member_id WHERE w.merchant_id = %s "
        "GROUP BY w.member_id, w.seq HAVING w.seq <> COUNT(e.id)",
        "member {0}: {1} legs by the wallet, {2} found",
    ),
    (
        "I15",
        "every lot has the posting that granted it",
        "SELECT l.id, l.txn_id FROM loyalty_lot l LEFT JOIN loyalty_txn t ON t.id = l.txn_id AND t.merchant_id = l.merchant_id "
        "WHERE l.merchant_id = %s AND t.id IS NULL",
        "lot {0}: posting {1} is missing",
    ),
    (
        "I18",
        "every lot is of a member who has an account",
        "SELECT l.id, l.member_id FROM loyalty_lot l LEFT JOIN loyalty_wallet w "
        "ON w.member_id = l.member_id AND w.merchant_id = l.merchant_id "
        "WHERE l.merchant_id = %s AND w.member_id IS NULL",
        "lot {0}: member {1} has no account",
    ),
    (
        "I18",
        "every leg of a member is of one who has an account",
        "SELECT e.id, e.member_id FROM loyalty_entry e LEFT JOIN loyalty_wallet w "
        "ON w.member_id = e.member_id AND w.merchant_id = e.merchant_id "
        "WHERE e.merchant_id = %s AND e.member_id IS NOT NULL AND w.member_id IS NULL",
        "leg {0}: member {1} has no account",
    ),
    (
        "I18",
        "issued − taken back + adjusted + opened = held by members + spent + expired − debt",
        "SELECT 0, SUM(CASE WHEN account IN ('issued', 'adjusted', 'opening', 'written_off') THEN -amount ELSE 0 END), "
        "SUM(CASE WHEN account IN ('member', 'debt', 'spent', 'breakage') THEN amount ELSE 0 END) "
        "FROM loyalty_entry WHERE merchant_id = %s "
        "HAVING SUM(CASE WHEN account IN ('issued', 'adjusted', 'opening', 'written_off') THEN -amount ELSE 0 END) "
        "<> SUM(CASE WHEN account IN ('member', 'debt', 'spent', 'breakage') THEN amount ELSE 0 END)",
        "came in {1}, accounted for {2}",
    ),
]

BEYOND_SQL = [
    ("I10", "points are used oldest expiry first (by folding the facts anew)"),
    ("I11", "each order's points are what the charter gives for its net (by folding the facts anew)"),
    ("I13", "postings, legs and uses cannot be changed: the triggers stand"),
    ("I17", "the hash chain is whole from the first posting to the last"),
]


def verify(merchant: Merchant, *, progress: Callable[[int], None] | None = None, limit: int = 100) -> Report:
    """Check everything; at most `limit` findings per check are named."""
    findings: list[Finding] = []
    checked: list[tuple[str, str]] = []
    for invariant, says, sql, sentence in _CHECKS:
        checked.append((invariant, says))
        rows = bulk.select(sql, [merchant.pk])
        findings += [Finding(invariant, str(row[0]), sentence.format(*row)) for row in rows[:limit]]
    checked += BEYOND_SQL
    findings += _triggers()
    findings += _chain(merchant)
    members = [
        m
        for (m,) in bulk.select("SELECT member_id FROM loyalty_wallet WHERE merchant_id = %s ORDER BY 1", [merchant.pk])
    ]
    for start in range(0, len(members), 500):
        part = members[start : start + 500]
        findings += list(_against_facts(merchant, part))[:limit]
        if progress is not None:
            progress(len(part))
    return Report(findings, sorted(checked, key=lambda c: int(c[0][1:])), _figures(merchant, len(members)))


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
        }
    else:
        rows = bulk.select("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", ["loyalty%"])
        wanted = {
            "loyalty_entry_no_update",
            "loyalty_entry_no_delete",
            "loyalty_use_no_update",
            "loyalty_txn_seal_only",
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


def _against_facts(merchant: Merchant, members: list[int]) -> Iterable[Finding]:
    """Fold every member's facts anew and compare figure by figure (I10, I11 and the cached standing)."""
    heads = stored.heads(merchant, members)
    rows: dict[int, dict[str, tuple]] = {m: {} for m in members}
    for member, _, lot in stored.lots(merchant, members, only_open=False):
        if lot.granted:
            rows[member][lot.key] = stored.figures_of(lot)
    for member, fold in refolded(merchant, heads):
        head = heads[member]
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
    bought = facts.purchases(merchant, member_ids=members, goods_rules=versions.goods_rules).events
    asked = facts.requests(merchant, members)
    for member in members:
        yield (
            member,
            replay(
                versions,
                bought.get(member, []) + asked.get(member, []),
                joined_at=heads[member].joined_at,
                birthdays=heads[member].birthdays,
                until=heads[member].settled_to,
            ),
        )


def state_hash(merchant: Merchant) -> str:
    """One fingerprint of what everybody holds: lots, debts, tiers with history. Free of ids and of arrival.

    Members are told apart by the orders in their books, so that two databases filled in different order compare equal.
    """
    people: dict[int, list[str]] = {}
    for member, head in stored.heads(merchant, _everybody(merchant)).items():
        people[member] = [f"debt {head.debt}|tier {head.tier}|balance {head.balance}"]
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
