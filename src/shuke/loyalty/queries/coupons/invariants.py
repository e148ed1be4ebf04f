"""What must hold of coupons: asked of the database by `shuke ledger verify`, as C1 to C6 (docs/algorithms/coupons.md)."""

from __future__ import annotations

# (invariant, what it says, query giving (row, detail …) of every violation, sentence)
CHECKS: list[tuple[str, str, str, str]] = [
    (
        "C1",
        "a template's tally counts its coupons by state",
        "SELECT t.key, t.issued, COALESCE(c.n, 0) + COALESCE(b.n, 0), t.held, COALESCE(c.held, 0), t.redeemed, "
        "COALESCE(c.redeemed, 0), t.void, COALESCE(c.void, 0), t.expired, COALESCE(c.expired, 0) "
        "FROM loyalty_coupon_tally t LEFT JOIN (SELECT merchant_id, key, COUNT(*) AS n, "
        "SUM(CASE WHEN state = 'held' THEN 1 ELSE 0 END) AS held, SUM(CASE WHEN state = 'redeemed' THEN 1 ELSE 0 END) AS redeemed, "
        "SUM(CASE WHEN state = 'void' THEN 1 ELSE 0 END) AS void, SUM(CASE WHEN state = 'expired' THEN 1 ELSE 0 END) AS expired "
        "FROM loyalty_coupon GROUP BY merchant_id, key) c ON c.merchant_id = t.merchant_id AND c.key = t.key "
        "LEFT JOIN (SELECT b.merchant_id, p.key, SUM(b.count - b.made) AS n FROM loyalty_coupon_batch b "
        "JOIN loyalty_coupon_template p ON p.id = b.template_id GROUP BY b.merchant_id, p.key) b "
        "ON b.merchant_id = t.merchant_id AND b.key = t.key WHERE t.merchant_id = %s AND (t.issued <> COALESCE(c.n, 0) + COALESCE(b.n, 0) "
        "OR t.held <> COALESCE(c.held, 0) OR t.redeemed <> COALESCE(c.redeemed, 0) OR t.void <> COALESCE(c.void, 0) "
        "OR t.expired <> COALESCE(c.expired, 0))",
        "template {0}: issued {1} but {2} exist; held {3}/{4}, redeemed {5}/{6}, void {7}/{8}, expired {9}/{10}",
    ),
    (
        "C2",
        "the money a template holds and gave is that of its coupons",
        "SELECT t.key, t.held_minor, COALESCE(SUM(CASE WHEN c.state = 'held' THEN c.amount_minor END), 0), t.spent_minor, "
        "COALESCE(SUM(CASE WHEN c.state = 'redeemed' THEN c.amount_minor END), 0) FROM loyalty_coupon_tally t "
        "LEFT JOIN loyalty_coupon c ON c.merchant_id = t.merchant_id AND c.key = t.key AND c.state IN ('held', 'redeemed') "
        "WHERE t.merchant_id = %s GROUP BY t.id, t.key, t.held_minor, t.spent_minor "
        "HAVING t.held_minor <> COALESCE(SUM(CASE WHEN c.state = 'held' THEN c.amount_minor END), 0) "
        "OR t.spent_minor <> COALESCE(SUM(CASE WHEN c.state = 'redeemed' THEN c.amount_minor END), 0)",
        "template {0}: held {1} but coupons hold {2}; given {3} but coupons gave {4}",
    ),
    (
        "C3",
        "no budget and no limit is overspent",
        "SELECT key, budget_minor, held_minor + spent_minor, most_issued, issued, most_redeemed, held + redeemed FROM loyalty_coupon_tally "
        "WHERE merchant_id = %s AND (held_minor + spent_minor > budget_minor OR issued > most_issued OR held + redeemed > most_redeemed)",
        "template {0}: budget {1}, used {2}; at most {3} issued, {4} are; at most {5} redeemed, {6} are",
    ),
    (
        "C4",
        "a coupon's moves follow one another, and the last one says its state",
        "SELECT coupon_id, before, expected, after, state, is_last FROM (SELECT m.coupon_id, m.before, m.after, c.state, "
        "LAG(m.after) OVER (PARTITION BY m.coupon_id ORDER BY m.id) AS expected, "
        "CASE WHEN LEAD(m.id) OVER (PARTITION BY m.coupon_id ORDER BY m.id) IS NULL THEN 1 ELSE 0 END AS is_last "
        "FROM loyalty_coupon_move m JOIN loyalty_coupon c ON c.id = m.coupon_id WHERE m.merchant_id = %s) AS moves "
        "WHERE (expected IS NOT NULL AND before <> expected) OR (is_last = 1 AND after <> state)",
        "coupon {0}: a move from {1} after {2}; the last move says {3}, the coupon {4}",
    ),
    (
        "C5",
        "a held or redeemed coupon belongs to a basket that is open or captured",
        "SELECT c.id, c.state, k.state FROM loyalty_coupon c LEFT JOIN loyalty_checkout k ON k.id = c.checkout_id "
        "AND k.merchant_id = c.merchant_id WHERE c.merchant_id = %s AND ((c.state = 'held' AND COALESCE(k.state, '') <> 'open') "
        "OR (c.state = 'redeemed' AND COALESCE(k.state, '') <> 'captured'))",
        "coupon {0} is {1}, its basket {2}",
    ),
    (
        "C6",
        "nothing changed without a move: what is not open has one",
        "SELECT c.id, c.state FROM loyalty_coupon c WHERE c.merchant_id = %s AND c.state <> 'open' "
        "AND NOT EXISTS (SELECT 1 FROM loyalty_coupon_move m WHERE m.coupon_id = c.id AND m.merchant_id = c.merchant_id)",
        "coupon {0} is {1} without a move that says why",
    ),
]
