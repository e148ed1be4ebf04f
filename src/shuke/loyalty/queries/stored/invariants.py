"""The invariants of stored value as questions to the database. The numbers are those of docs/algorithms/stored-value.md."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from shuke.kit import bulk
from shuke.loyalty.queries.stored import refold
from shuke.loyalty.queries.stored.chain import broken_seals
from shuke.shops.models import Merchant

MONEY = "'principal', 'received', 'adjusted', 'sold', 'paid_out', 'voided'"
CHECKS: list[tuple[str, str, str, str]] = [
    (
        "S1",
        "stored value: legs of every posting add up to 0, and every leg has its posting",
        "SELECT g.txn_id, SUM(g.amount), MAX(CASE WHEN t.id IS NULL THEN 1 ELSE 0 END) FROM loyalty_stored_leg g "
        "LEFT JOIN loyalty_stored_txn t ON t.id = g.txn_id AND t.merchant_id = g.merchant_id WHERE g.merchant_id = %s "
        "GROUP BY g.txn_id HAVING SUM(g.amount) <> 0 OR MAX(CASE WHEN t.id IS NULL THEN 1 ELSE 0 END) = 1",
        "stored value: posting {0}: legs add up to {1}; missing: {2}",
    ),
    (
        "S2",
        "stored value: a purse holds the sums of its legs",
        "SELECT p.id, p.principal_minor, COALESCE(SUM(CASE WHEN g.account = 'principal' THEN g.amount END), 0), p.bonus_minor, "
        "COALESCE(SUM(CASE WHEN g.account = 'bonus' THEN g.amount END), 0) FROM loyalty_stored_purse p "
        "LEFT JOIN loyalty_stored_leg g ON g.merchant_id = p.merchant_id AND g.purse_id = p.id WHERE p.merchant_id = %s "
        "GROUP BY p.id, p.principal_minor, p.bonus_minor "
        "HAVING p.principal_minor <> COALESCE(SUM(CASE WHEN g.account = 'principal' THEN g.amount END), 0) "
        "OR p.bonus_minor <> COALESCE(SUM(CASE WHEN g.account = 'bonus' THEN g.amount END), 0)",
        "stored value: purse {0}: money {1} but legs {2}; bonus {3} but legs {4}",
    ),
    (
        "S3",
        "stored value: money received + corrected = outstanding + spent + paid out + voided; bonus never becomes money",
        f"SELECT 0, SUM(amount) FROM loyalty_stored_leg WHERE merchant_id = %s AND account IN ({MONEY}) HAVING SUM(amount) <> 0",
        "stored value: accounts of money add up to {1}",
    ),
    (
        "S3",
        "stored value: bonus granted + corrected = outstanding + spent + given up + lapsed",
        f"SELECT 0, SUM(amount) FROM loyalty_stored_leg WHERE merchant_id = %s AND account NOT IN ({MONEY}) "
        "HAVING SUM(amount) <> 0",
        "stored value: accounts of bonus add up to {1}",
    ),
    (
        "S4",
        "stored value: 0 ≤ held ≤ remaining ≤ granted for every lot, and money has no end",
        "SELECT id, granted, remaining, held FROM loyalty_stored_lot WHERE merchant_id = %s "
        "AND (NOT (0 <= held AND held <= remaining AND remaining <= granted) OR (kind = 'principal' AND expires_at IS NOT NULL))",
        "stored value: lot {0}: granted {1}, remaining {2}, held {3}",
    ),
    (
        "S5",
        "stored value: granted − remaining = Σ uses of every lot",
        "SELECT l.id, l.granted, l.remaining, COALESCE(SUM(u.amount), 0) FROM loyalty_stored_lot l "
        "LEFT JOIN loyalty_stored_use u ON u.merchant_id = l.merchant_id AND u.lot_id = l.id WHERE l.merchant_id = %s "
        "GROUP BY l.id, l.granted, l.remaining HAVING l.granted - l.remaining <> COALESCE(SUM(u.amount), 0)",
        "stored value: lot {0}: granted {1}, remaining {2}, uses {3}",
    ),
    (
        "S6",
        "stored value: what a purse holds is what is left in its lots",
        "SELECT p.id, p.principal_minor, COALESCE(SUM(CASE WHEN l.kind = 'principal' THEN l.remaining END), 0), p.bonus_minor, "
        "COALESCE(SUM(CASE WHEN l.kind = 'bonus' THEN l.remaining END), 0), p.held_minor, COALESCE(SUM(l.held), 0) "
        "FROM loyalty_stored_purse p LEFT JOIN loyalty_stored_lot l ON l.merchant_id = p.merchant_id AND l.purse_id = p.id "
        "WHERE p.merchant_id = %s GROUP BY p.id, p.principal_minor, p.bonus_minor, p.held_minor "
        "HAVING p.principal_minor <> COALESCE(SUM(CASE WHEN l.kind = 'principal' THEN l.remaining END), 0) "
        "OR p.bonus_minor <> COALESCE(SUM(CASE WHEN l.kind = 'bonus' THEN l.remaining END), 0) "
        "OR p.held_minor <> COALESCE(SUM(l.held), 0)",
        "stored value: purse {0}: money {1}, lots {2}; bonus {3}, lots {4}; held {5}, lots {6}",
    ),
    (
        "S7",
        "stored value: open holds are covered, and none took more than it held",
        "SELECT h.merchant_id, SUM(CASE WHEN h.state = 'open' THEN h.amount ELSE 0 END), MAX(h.captured - h.amount), "
        "(SELECT COALESCE(SUM(held), 0) FROM loyalty_stored_lot l WHERE l.merchant_id = h.merchant_id) "
        "FROM loyalty_stored_hold h WHERE h.merchant_id = %s GROUP BY h.merchant_id "
        "HAVING SUM(CASE WHEN h.state = 'open' THEN h.amount ELSE 0 END) <> "
        "(SELECT COALESCE(SUM(held), 0) FROM loyalty_stored_lot l WHERE l.merchant_id = h.merchant_id) "
        "OR MAX(h.captured - h.amount) > 0",
        "stored value: open holds {1}, lots have {3} set aside, most taken beyond a hold {2}",
    ),
    (
        "S8",
        "stored value: legs of a purse are numbered without gap, and each balance is the one before plus its amount",
        "SELECT id, seq, prev_seq, amount, balance_after FROM (SELECT id, amount, balance_after, seq, "
        "LAG(seq, 1, 0) OVER (PARTITION BY purse_id ORDER BY seq) AS prev_seq, "
        "LAG(balance_after, 1, 0) OVER (PARTITION BY purse_id, account ORDER BY seq) AS prev_balance "
        "FROM loyalty_stored_leg WHERE merchant_id = %s AND purse_id IS NOT NULL) AS legs "
        "WHERE seq <> prev_seq + 1 OR balance_after <> prev_balance + amount",
        "stored value: leg {0}: number {1} after {2}, amount {3}, balance after it {4}",
    ),
    (
        "S9",
        "stored value: no lot of a payment gets back more than it gave",
        "SELECT s.txn_id, s.lot_id, SUM(s.amount) FROM (SELECT u.txn_id, u.lot_id, u.amount FROM loyalty_stored_use u "
        "WHERE u.merchant_id = %s AND u.kind = 'spend' UNION ALL SELECT t.about, u.lot_id, u.amount FROM loyalty_stored_use u "
        "JOIN loyalty_stored_txn t ON t.id = u.txn_id AND t.merchant_id = u.merchant_id WHERE u.kind = 'back') AS s "
        "GROUP BY s.txn_id, s.lot_id HAVING SUM(s.amount) < 0 AND MAX(s.amount) > 0",
        "stored value: payment {0}, lot {1}: {2} more came back than went out",
    ),
    (
        "S10",
        "gift cards: only a card that was sold has money, and none that was redeemed or is void has any",
        "SELECT c.id, c.state, p.principal_minor + p.bonus_minor FROM loyalty_gift_card c LEFT JOIN loyalty_stored_purse p "
        "ON p.merchant_id = c.merchant_id AND p.card_id = c.id WHERE c.merchant_id = %s "
        "AND ((c.state = 'active' AND p.id IS NULL) OR (c.state IN ('made', 'redeemed', 'void') "
        "AND COALESCE(p.principal_minor + p.bonus_minor, 0) <> 0))",
        "gift card {0} is {1} and has {2}",
    ),
]
BEYOND_SQL = [
    ("S11", "stored value: postings, legs and uses cannot be changed: the triggers stand"),
    ("S12", "stored value: the hash chain is whole from the first posting to the last"),
    ("S13", "stored value: every posting is what charter and engine make of what was asked (by folding them anew)"),
]


def beyond_sql(merchant: Merchant, limit: int = 100) -> Iterator[tuple[str, str, str]]:
    """What SQL alone does not see: triggers, chain, and whether each posting follows from what was asked."""
    for name in _gone():
        yield "S11", name, f"trigger {name} is missing: run `shuke init`"
    for number, problem in broken_seals(merchant):
        yield "S12", f"seal {number}", problem
    for row, problem in islice(refold.faults(merchant), limit):
        yield "S13", row, problem


def _gone() -> list[str]:
    tables = ("loyalty_stored_leg", "loyalty_stored_use", "loyalty_stored_seal")
    wanted = {"loyalty_stored_txn_no_delete", "loyalty_stored_txn_seal_only"}
    if bulk.is_postgres():
        rows = bulk.select("SELECT tgname FROM pg_trigger WHERE tgname LIKE %s AND tgenabled <> 'D'", ["loyalty%"])
        wanted |= {f"{table}_append_only" for table in tables}
    else:
        rows = bulk.select("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", ["loyalty%"])
        wanted |= {f"{table}_no_{what}" for table in tables for what in ("update", "delete")}
    return sorted(wanted - {name for (name,) in rows})
