"""The invariants of the books as questions to the database. The numbers are those of docs/algorithms/ledger.md.

A note like `/*member l.member_id*/` says what a question can be narrowed by: members whose books were touched, or postings from
one on (`/*txn …*/`). `of_part` makes a condition of it; where there is none, a question is about everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Check(NamedTuple):
    """An invariant as a question."""

    invariant: str
    says: str
    sql: str  # gives (row, detail …) of every violation
    sentence: str
    broken: int | None = None  # where one query answers several questions: the column that says it is this one
    part: str = ""  # the same asked of a part of the books, where that is another query

    def of_part(self) -> Check:
        return self._replace(sql=self.part, broken=None, part="") if self.part else self


# What is read once for several questions. No join: whatever the statistics say, wallets, legs and lots are read in the
# order they lie in.
_MEMBERS = (
    "SELECT * FROM (SELECT holder, balance, held, debt, owed, seq, legs, leg, balance <> held OR debt <> owed AS wrong, "
    "seq <> legs AS uncounted, accounts = 0 AS nobody FROM ("
    "SELECT holder, SUM(accounts) AS accounts, SUM(balance) AS balance, SUM(held) AS held, SUM(debt) AS debt, SUM(owed) AS owed, "
    "SUM(seq) AS seq, SUM(legs) AS legs, MIN(leg) AS leg FROM ("
    "SELECT +member_id AS holder, 1 AS accounts, balance, 0 AS held, debt, 0 AS owed, seq, 0 AS legs, NULL AS leg "
    "FROM loyalty_wallet WHERE +merchant_id = %s /*member member_id*/ UNION ALL "
    "SELECT +member_id, 0, 0, CASE WHEN account = 'member' THEN amount ELSE 0 END, 0, "
    "CASE WHEN account = 'debt' THEN -amount ELSE 0 END, 0, 1, id FROM loyalty_entry "
    "WHERE +merchant_id = %s /*member member_id*/ AND member_id IS NOT NULL) AS both_sides "
    "GROUP BY holder) AS sums) AS told WHERE wrong OR uncounted OR nobody"
)
_ACCOUNTS = (
    "SELECT * FROM (SELECT 0, total, handed, came_in, there, crossed, moved, total <> 0 AS wrong, handed <> 0 AS uneven, "
    "came_in <> there AS lost, crossed <> moved AS unmoved FROM (SELECT COALESCE(SUM(amount), 0) AS total, "
    "COALESCE(SUM(CASE WHEN account = 'transferred' THEN amount END), 0) AS handed, "
    "COALESCE(SUM(CASE WHEN account = 'settlement' THEN amount END), 0) AS crossed, "
    "COALESCE(SUM(CASE WHEN account IN ('issued', 'adjusted', 'opening', 'written_off') THEN -amount END), 0) AS came_in, "
    "COALESCE(SUM(CASE WHEN account IN ('member', 'debt', 'spent', 'breakage', 'settlement') THEN amount END), 0) AS there "
    "FROM loyalty_entry WHERE +merchant_id = %s) AS legs, (SELECT COALESCE(SUM(CASE WHEN kind = 'used' THEN points "
    "WHEN kind = 'redeemed' AND other_id <> merchant_id THEN -points ELSE 0 END), 0) AS moved FROM loyalty_coalition_movement "
    "WHERE merchant_id = %s) AS movements) AS told WHERE wrong OR uneven OR lost OR unmoved"
)
_LOTS = (
    "SELECT * FROM (SELECT id, granted, remaining, held, earned_at, expires_at, "
    "NOT (0 <= held AND held <= remaining AND remaining <= granted) AS beyond, expires_at <= earned_at AS early "
    "FROM loyalty_lot WHERE +merchant_id = %s /*member member_id*/) AS lots WHERE beyond OR early"
)

CHECKS: list[Check] = [
    Check(
        "I1",
        "legs of every posting add up to 0",
        "SELECT txn_id, SUM(amount) FROM loyalty_entry WHERE merchant_id = %s /*txn txn_id*/ GROUP BY txn_id HAVING SUM(amount) <> 0",
        "posting {0}: legs add up to {1}",
    ),
    Check(
        "I1",
        "every leg has its posting",
        "SELECT e.id, e.txn_id FROM loyalty_entry e LEFT JOIN loyalty_txn t ON t.id = e.txn_id AND t.merchant_id = e.merchant_id "
        "WHERE e.merchant_id = %s /*txn e.txn_id*/ AND t.id IS NULL",
        "leg {0}: posting {1} is missing",
    ),
    Check(
        "I2",
        "a member's balance and debt are the sums of its legs",
        _MEMBERS,
        "member {0}: balance {1} but legs {2}; debt {3} but legs {4}",
        broken=8,
    ),
    Check("I3", "all accounts together are 0", _ACCOUNTS, "all accounts add up to {1}", broken=7),
    Check(
        "I4",
        "0 ≤ held ≤ remaining ≤ granted for every lot",
        _LOTS,
        "lot {0}: granted {1}, remaining {2}, held {3}",
        broken=6,
    ),
    Check(
        "I5",
        "granted − remaining = Σ uses of every lot",
        "SELECT lot, SUM(granted), SUM(remaining), SUM(used) FROM ("
        "SELECT id AS lot, granted, remaining, 0 AS used FROM loyalty_lot WHERE +merchant_id = %s UNION ALL "
        "SELECT lot_id, 0, 0, amount FROM loyalty_use WHERE +merchant_id = %s) AS both_sides "
        "GROUP BY lot HAVING SUM(granted) - SUM(remaining) <> SUM(used)",
        "lot {0}: granted {1}, remaining {2}, uses {3}",
        part="SELECT l.id, l.granted, l.remaining, COALESCE(SUM(u.amount), 0) FROM loyalty_lot l "
        "LEFT JOIN loyalty_use u ON u.merchant_id = l.merchant_id AND u.lot_id = l.id "
        "WHERE l.merchant_id = %s /*member l.member_id*/ GROUP BY l.id, l.granted, l.remaining "
        "HAVING l.granted - l.remaining <> COALESCE(SUM(u.amount), 0)",
    ),
    Check(
        "I6",
        "what a member holds is what is left in the lots",
        "SELECT holder, SUM(balance), SUM(held), SUM(remaining), SUM(set_aside) FROM ("
        "SELECT +member_id AS holder, balance, held, 0 AS remaining, 0 AS set_aside FROM loyalty_wallet "
        "WHERE +merchant_id = %s /*member member_id*/ UNION ALL "
        "SELECT +member_id, 0, 0, remaining, held FROM loyalty_lot WHERE +merchant_id = %s /*member member_id*/) AS both_sides "
        "GROUP BY holder HAVING SUM(balance) <> SUM(remaining) OR SUM(held) <> SUM(set_aside)",
        "member {0}: balance {1}, held {2}, but lots have {3}, held {4}",
    ),
    Check(
        "I7",
        "nobody who owes has points free",
        "SELECT member_id, balance, held, debt FROM loyalty_wallet WHERE merchant_id = %s /*member member_id*/ "
        "AND (balance < 0 OR debt < 0 OR (debt > 0 AND balance <> held))",
        "member {0}: balance {1}, held {2}, debt {3}",
    ),
    Check(
        "I8",
        "a key has one posting",
        "SELECT MIN(id), key, COUNT(*) FROM loyalty_txn WHERE merchant_id = %s GROUP BY key HAVING COUNT(*) > 1",
        "posting {0}: key {1} was posted {2} times",
    ),
    Check("I9", "no lot expires before it was earned", _LOTS, "lot {0}: earned {4}, expires {5}", broken=7),
    Check(
        "I12",
        "nothing is held but by open holds; a resolved one took at most what it held",
        "SELECT h.member_id, SUM(CASE WHEN h.state = 'open' THEN h.amount ELSE 0 END), w.held FROM loyalty_hold h "
        "JOIN loyalty_wallet w ON w.member_id = h.member_id WHERE h.merchant_id = %s /*member h.member_id*/ "
        "GROUP BY h.member_id, w.held "
        "HAVING SUM(CASE WHEN h.state = 'open' THEN h.amount ELSE 0 END) < w.held OR MAX(h.captured - h.amount) > 0",
        "member {0}: open holds {1}, held {2}",
    ),
    Check(
        "I14",
        "a member's legs are numbered without gap, and each running balance is the one before plus its amount",
        # As many as come before it, and what they add up to: one walk along the legs, where asking each for the one before it in
        # its account takes two.
        "SELECT id, seq, place - 1, amount, balance_after FROM (SELECT id, account, amount, balance_after, seq, "
        "ROW_NUMBER() OVER legs AS place, SUM(CASE WHEN account = 'member' THEN amount ELSE 0 END) OVER legs AS held, "
        "SUM(CASE WHEN account = 'member' THEN 0 ELSE amount END) OVER legs AS owed "
        "FROM loyalty_entry WHERE +merchant_id = %s /*member member_id*/ AND member_id IS NOT NULL AND seq IS NOT NULL "
        "WINDOW legs AS (PARTITION BY member_id ORDER BY seq ROWS UNBOUNDED PRECEDING)) AS numbered "
        "WHERE seq <> place OR balance_after <> CASE WHEN account = 'member' THEN held ELSE owed END",
        "leg {0}: number {1} after {2}, amount {3}, balance after it {4}",
    ),
    Check(
        "I14",
        "a wallet counts all its legs",
        _MEMBERS,
        "member {0}: {5} legs by the wallet, {6} found",
        broken=9,
    ),
    Check(
        "I15",
        "every lot has the posting that granted it",
        "SELECT l.id, l.txn_id FROM loyalty_lot l LEFT JOIN loyalty_txn t ON t.id = l.txn_id AND t.merchant_id = l.merchant_id "
        "WHERE l.merchant_id = %s /*member l.member_id*/ AND t.id IS NULL",
        "lot {0}: posting {1} is missing",
    ),
    Check("I16", "what members hand to one another adds up to 0", _ACCOUNTS, "transfers add up to {2}", broken=8),
    Check(
        "I16",
        "points that crossed to or from partners of a coalition have their movement",
        _ACCOUNTS,
        "{5} points crossed by the books, {6} by the movements",
        broken=10,
    ),
    Check(
        "I16",
        "what a linked member brought into a coalition less what left it is what they hold, as far as it was looked at",
        "SELECT l.member_id, w.balance, COALESCE(SUM(CASE WHEN m.kind IN ('brought', 'issued') THEN m.points "
        "WHEN m.kind = 'redeemed' AND m.other_id <> m.merchant_id THEN 0 ELSE -m.points END), 0) FROM loyalty_coalition_link l "
        "JOIN loyalty_wallet w ON w.member_id = l.member_id LEFT JOIN loyalty_coalition_movement m "
        "ON m.merchant_id = l.merchant_id AND m.member_id = l.member_id "
        "WHERE l.merchant_id = %s AND l.ended_at IS NULL AND l.gathered = w.seq GROUP BY l.member_id, w.balance "
        "HAVING w.balance <> COALESCE(SUM(CASE WHEN m.kind IN ('brought', 'issued') THEN m.points "
        "WHEN m.kind = 'redeemed' AND m.other_id <> m.merchant_id THEN 0 ELSE -m.points END), 0)",
        "member {0}: holds {1}, but movements of the coalition add up to {2}",
    ),
    Check(
        "I18",
        "every posting is of a member who has an account",
        "SELECT t.id, t.member_id FROM loyalty_txn t LEFT JOIN loyalty_wallet w "
        "ON w.member_id = t.member_id AND w.merchant_id = t.merchant_id "
        "WHERE t.merchant_id = %s /*txn t.id*/ AND t.member_id IS NOT NULL AND w.member_id IS NULL",
        "posting {0}: member {1} has no account",
    ),
    Check(
        "I18",
        "every lot is of a member who has an account",
        "SELECT l.id, l.member_id FROM loyalty_lot l LEFT JOIN loyalty_wallet w "
        "ON w.member_id = l.member_id AND w.merchant_id = l.merchant_id "
        "WHERE l.merchant_id = %s /*member l.member_id*/ AND w.member_id IS NULL",
        "lot {0}: member {1} has no account",
    ),
    Check(
        "I18",
        "every leg of a member is of one who has an account",
        _MEMBERS,
        "leg {7}: member {0} has no account",
        broken=10,
        part="SELECT e.member_id, 0, 0, 0, 0, 0, 0, e.id FROM loyalty_entry e LEFT JOIN loyalty_wallet w "
        "ON w.member_id = e.member_id AND w.merchant_id = e.merchant_id "
        "WHERE e.merchant_id = %s /*txn e.txn_id*/ AND e.member_id IS NOT NULL AND w.member_id IS NULL",
    ),
    Check(
        "I18",
        "issued − taken back + adjusted + opened = held by members + spent + expired + gone to partners − debt",
        _ACCOUNTS,
        "came in {3}, accounted for {4}",
        broken=9,
    ),
    Check(
        "I19",
        "a member's growth value is the sum of what was booked",
        "SELECT holder, SUM(growth), SUM(booked) FROM ("
        "SELECT +member_id AS holder, growth, 0 AS booked FROM loyalty_wallet WHERE +merchant_id = %s /*member member_id*/ UNION ALL "
        "SELECT +member_id, 0, growth FROM loyalty_txn WHERE +merchant_id = %s /*member member_id*/ AND growth IS NOT NULL) AS both_sides "
        "GROUP BY holder HAVING SUM(growth) <> SUM(booked) OR SUM(growth) < 0",
        "member {0}: growth value {1}, but bookings add up to {2}",
    ),
    Check(
        "I20",
        "what a budget has given is the sum of what events got",
        "SELECT b.rule, b.taken, COALESCE(SUM(g.granted - g.returned), 0) FROM loyalty_budget b LEFT JOIN loyalty_grant g "
        "ON g.merchant_id = b.merchant_id AND g.rule = b.rule WHERE b.merchant_id = %s "
        "GROUP BY b.rule, b.taken HAVING b.taken <> COALESCE(SUM(g.granted - g.returned), 0)",
        "rule {0}: taken {1}, but events got {2}",
    ),
]

BEYOND_SQL = [
    ("I10", "points are used oldest expiry first (by folding the facts anew)"),
    ("I11", "each order's points are what the charter gives for its net (by folding the facts anew)"),
    ("I13", "postings, legs and uses cannot be changed: the triggers stand"),
    ("I16", "settlement statements and the pool add up to 0, and are as they were closed"),
    ("I17", "the hash chain is whole from the first posting to the last"),
    ("I21", "no budget gave more than any version of the charter set aside for it"),
]


def together(checks: Iterable[Check]) -> list[list[Check]]:
    """Questions that one query answers, beside one another."""
    found: dict[str, list[Check]] = {}
    for check in checks:
        found.setdefault(check.sql, []).append(check)
    return list(found.values())


def of_part(sql: str, *, members: Iterable[int], since: int) -> str | None:
    """A question about these members and the postings from `since` on only; None where it cannot be asked of a part."""
    if not _PART.search(sql):
        return None
    some = ", ".join(str(int(m)) for m in members) or "0"
    told = {"member": f"IN ({some})", "txn": f">= {int(since)}"}
    narrowed = _PART.sub(lambda found: f"AND {found[2]} {told[found[1]]}", sql)
    return narrowed.replace("+merchant_id", "merchant_id")  # an index is worth it for so few


_PART = re.compile(r"/\*(member|txn) ([\w.]+)\*/")
