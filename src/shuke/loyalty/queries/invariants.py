"""The invariants of the books as questions to the database. The numbers are those of docs/algorithms/ledger.md.

A note like `/*member l.member_id*/` says what a question can be narrowed by: members whose books were touched, or postings from
one on (`/*txn …*/`). `of_part` makes a condition of it; where there is none, a question is about everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# (invariants, what they say, query giving (row, detail …) of every violation, sentence)
CHECKS: list[tuple[str, str, str, str]] = [
    (
        "I1",
        "legs of every posting add up to 0",
        "SELECT txn_id, SUM(amount) FROM loyalty_entry WHERE merchant_id = %s /*txn txn_id*/ GROUP BY txn_id HAVING SUM(amount) <> 0",
        "posting {0}: legs add up to {1}",
    ),
    (
        "I1",
        "every leg has its posting",
        "SELECT e.id, e.txn_id FROM loyalty_entry e LEFT JOIN loyalty_txn t ON t.id = e.txn_id AND t.merchant_id = e.merchant_id "
        "WHERE e.merchant_id = %s /*txn e.txn_id*/ AND t.id IS NULL",
        "leg {0}: posting {1} is missing",
    ),
    (
        "I2",
        "a member's balance and debt are the sums of its legs",
        # No join: whatever the statistics say, wallets and legs are read once, in the order they lie in.
        "SELECT holder, SUM(balance), SUM(held), SUM(debt), SUM(owed) FROM ("
        "SELECT +member_id AS holder, balance, 0 AS held, debt, 0 AS owed FROM loyalty_wallet "
        "WHERE +merchant_id = %s /*member member_id*/ UNION ALL "
        "SELECT +member_id, 0, CASE WHEN account = 'member' THEN amount ELSE 0 END, 0, "
        "CASE WHEN account = 'debt' THEN -amount ELSE 0 END FROM loyalty_entry "
        "WHERE +merchant_id = %s /*member member_id*/ AND member_id IS NOT NULL) AS both_sides "
        "GROUP BY holder HAVING SUM(balance) <> SUM(held) OR SUM(debt) <> SUM(owed)",
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
        "SELECT id, granted, remaining, held FROM loyalty_lot WHERE merchant_id = %s /*member member_id*/ "
        "AND NOT (0 <= held AND held <= remaining AND remaining <= granted)",
        "lot {0}: granted {1}, remaining {2}, held {3}",
    ),
    (
        "I5",
        "granted − remaining = Σ uses of every lot",
        "SELECT l.id, l.granted, l.remaining, COALESCE(SUM(u.amount), 0) FROM loyalty_lot l "
        "LEFT JOIN loyalty_use u ON u.merchant_id = l.merchant_id AND u.lot_id = l.id "
        "WHERE l.merchant_id = %s /*member l.member_id*/ GROUP BY l.id, l.granted, l.remaining HAVING l.granted - l.remaining <> COALESCE(SUM(u.amount), 0)",
        "lot {0}: granted {1}, remaining {2}, uses {3}",
    ),
    (
        "I6",
        "what a member holds is what is left in the lots",
        "SELECT w.member_id, w.balance, w.held, COALESCE(SUM(l.remaining), 0), COALESCE(SUM(l.held), 0) FROM loyalty_wallet w "
        "LEFT JOIN loyalty_lot l ON l.merchant_id = w.merchant_id AND l.member_id = w.member_id "
        "WHERE w.merchant_id = %s /*member w.member_id*/ GROUP BY w.member_id, w.balance, w.held "
        "HAVING w.balance <> COALESCE(SUM(l.remaining), 0) OR w.held <> COALESCE(SUM(l.held), 0)",
        "member {0}: balance {1}, held {2}, but lots have {3}, held {4}",
    ),
    (
        "I7",
        "nobody who owes has points free",
        "SELECT member_id, balance, held, debt FROM loyalty_wallet WHERE merchant_id = %s /*member member_id*/ "
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
        "SELECT id, earned_at, expires_at FROM loyalty_lot WHERE merchant_id = %s /*member member_id*/ AND expires_at <= earned_at",
        "lot {0}: earned {1}, expires {2}",
    ),
    (
        "I12",
        "nothing is held but by open holds; a resolved one took at most what it held",
        "SELECT h.member_id, SUM(CASE WHEN h.state = 'open' THEN h.amount ELSE 0 END), w.held FROM loyalty_hold h "
        "JOIN loyalty_wallet w ON w.member_id = h.member_id WHERE h.merchant_id = %s /*member h.member_id*/ "
        "GROUP BY h.member_id, w.held "
        "HAVING SUM(CASE WHEN h.state = 'open' THEN h.amount ELSE 0 END) < w.held OR MAX(h.captured - h.amount) > 0",
        "member {0}: open holds {1}, held {2}",
    ),
    (
        "I14",
        "a member's legs are numbered without gap, and each running balance is the one before plus its amount",
        "SELECT id, seq, prev_seq, amount, balance_after FROM (SELECT id, account, amount, balance_after, seq, "
        "LAG(seq, 1, 0) OVER (PARTITION BY member_id ORDER BY seq) AS prev_seq, "
        "LAG(balance_after, 1, 0) OVER (PARTITION BY member_id, account ORDER BY seq) AS prev_balance "
        "FROM loyalty_entry WHERE merchant_id = %s /*member member_id*/ AND member_id IS NOT NULL) AS legs "
        "WHERE seq <> prev_seq + 1 OR balance_after <> prev_balance + amount",
        "leg {0}: number {1} after {2}, amount {3}, balance after it {4}",
    ),
    (
        "I14",
        "a wallet counts all its legs",
        "SELECT holder, SUM(seq), SUM(n) FROM ("
        "SELECT +member_id AS holder, seq, 0 AS n FROM loyalty_wallet WHERE +merchant_id = %s /*member member_id*/ UNION ALL "
        "SELECT +member_id, 0, 1 FROM loyalty_entry WHERE +merchant_id = %s /*member member_id*/ AND member_id IS NOT NULL) AS both_sides "
        "GROUP BY holder HAVING SUM(seq) <> SUM(n)",
        "member {0}: {1} legs by the wallet, {2} found",
    ),
    (
        "I15",
        "every lot has the posting that granted it",
        "SELECT l.id, l.txn_id FROM loyalty_lot l LEFT JOIN loyalty_txn t ON t.id = l.txn_id AND t.merchant_id = l.merchant_id "
        "WHERE l.merchant_id = %s /*member l.member_id*/ AND t.id IS NULL",
        "lot {0}: posting {1} is missing",
    ),
    (
        "I16",
        "what members hand to one another adds up to 0",
        "SELECT 0, SUM(amount) FROM loyalty_entry WHERE merchant_id = %s AND account = 'transferred' HAVING SUM(amount) <> 0",
        "transfers add up to {1}",
    ),
    (
        "I16",
        "points that crossed to or from partners of a coalition have their movement",
        "SELECT id, legs, moved FROM (SELECT m.id, (SELECT COALESCE(SUM(amount), 0) FROM loyalty_entry "
        "WHERE merchant_id = m.id AND account = 'settlement') AS legs, (SELECT COALESCE(SUM(CASE WHEN kind = 'used' THEN points "
        "WHEN kind = 'redeemed' AND other_id <> merchant_id THEN -points ELSE 0 END), 0) FROM loyalty_coalition_movement "
        "WHERE merchant_id = m.id) AS moved FROM shops_merchant m WHERE m.id = %s) AS both_sides WHERE legs <> moved",
        "merchant {0}: {1} points crossed by the books, {2} by the movements",
    ),
    (
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
    (
        "I18",
        "every posting is of a member who has an account",
        "SELECT t.id, t.member_id FROM loyalty_txn t LEFT JOIN loyalty_wallet w "
        "ON w.member_id = t.member_id AND w.merchant_id = t.merchant_id "
        "WHERE t.merchant_id = %s /*txn t.id*/ AND t.member_id IS NOT NULL AND w.member_id IS NULL",
        "posting {0}: member {1} has no account",
    ),
    (
        "I18",
        "every lot is of a member who has an account",
        "SELECT l.id, l.member_id FROM loyalty_lot l LEFT JOIN loyalty_wallet w "
        "ON w.member_id = l.member_id AND w.merchant_id = l.merchant_id "
        "WHERE l.merchant_id = %s /*member l.member_id*/ AND w.member_id IS NULL",
        "lot {0}: member {1} has no account",
    ),
    (
        "I18",
        "every leg of a member is of one who has an account",
        "SELECT e.id, e.member_id FROM loyalty_entry e LEFT JOIN loyalty_wallet w "
        "ON w.member_id = e.member_id AND w.merchant_id = e.merchant_id "
        "WHERE e.merchant_id = %s /*txn e.txn_id*/ AND e.member_id IS NOT NULL AND w.member_id IS NULL",
        "leg {0}: member {1} has no account",
    ),
    (
        "I18",
        "issued − taken back + adjusted + opened = held by members + spent + expired + gone to partners − debt",
        "SELECT 0, SUM(CASE WHEN account IN ('issued', 'adjusted', 'opening', 'written_off') THEN -amount ELSE 0 END), "
        "SUM(CASE WHEN account IN ('member', 'debt', 'spent', 'breakage', 'settlement') THEN amount ELSE 0 END) "
        "FROM loyalty_entry WHERE merchant_id = %s "
        "HAVING SUM(CASE WHEN account IN ('issued', 'adjusted', 'opening', 'written_off') THEN -amount ELSE 0 END) "
        "<> SUM(CASE WHEN account IN ('member', 'debt', 'spent', 'breakage', 'settlement') THEN amount ELSE 0 END)",
        "came in {1}, accounted for {2}",
    ),
    (
        "I19",
        "a member's growth value is the sum of what was booked",
        "SELECT holder, SUM(growth), SUM(booked) FROM ("
        "SELECT +member_id AS holder, growth, 0 AS booked FROM loyalty_wallet WHERE +merchant_id = %s /*member member_id*/ UNION ALL "
        "SELECT +member_id, 0, growth FROM loyalty_txn WHERE +merchant_id = %s /*member member_id*/ AND growth IS NOT NULL) AS both_sides "
        "GROUP BY holder HAVING SUM(growth) <> SUM(booked) OR SUM(growth) < 0",
        "member {0}: growth value {1}, but bookings add up to {2}",
    ),
    (
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


def of_part(sql: str, *, members: Iterable[int], since: int) -> str | None:
    """A question about these members and the postings from `since` on only; None where it cannot be asked of a part."""
    if not _PART.search(sql):
        return None
    some = ", ".join(str(int(m)) for m in members) or "0"
    told = {"member": f"IN ({some})", "txn": f">= {int(since)}"}
    narrowed = _PART.sub(lambda found: f"AND {found[2]} {told[found[1]]}", sql)
    return narrowed.replace("+merchant_id", "merchant_id")  # an index is worth it for so few


_PART = re.compile(r"/\*(member|txn) ([\w.]+)\*/")
