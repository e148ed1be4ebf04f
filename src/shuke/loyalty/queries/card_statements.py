"""The papers of what a card partner owes: the statement as JSON, its movements as CSV; and whether they are as they were."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from shuke.engine.partner_cards.charging import Moved
from shuke.kit import bulk
from shuke.loyalty.models import CardStatement
from shuke.loyalty.queries.settlement import csv_line, instant, lines_digest, text
from shuke.shops.models import Merchant

COLUMNS = (
    "id",
    "at",
    "file",
    "row",
    "card",
    "spent_on",
    "amount_minor",
    "kind",
    "points",
    "price_micro",
    "amount_micro",
)


def moved(merchant: int, statement: int) -> list[Moved]:
    rows = bulk.select(
        "SELECT kind, month, price_micro, COUNT(*), CAST(SUM(points) AS BIGINT) FROM loyalty_card_move "
        "WHERE merchant_id = %s AND statement_id = %s GROUP BY kind, month, price_micro ORDER BY month, kind, price_micro",
        [merchant, statement],
    )
    return [Moved(*row) for row in rows]


def movements(merchant: int, statement: int) -> Iterator[bytes]:
    """Every movement in the order of ids: the partner finds its own rows again by file, row, day, amount and the card's end.
    Nothing says whose they are."""
    yield csv_line(COLUMNS)
    last = 0
    while True:
        rows = bulk.select(
            "SELECT m.id, m.at, f.name, l.row, l.shown, l.spent_on, l.amount_minor, m.kind, m.points, m.price_micro "
            "FROM loyalty_card_move m JOIN loyalty_card_line l ON l.id = m.line_id JOIN loyalty_card_file f ON f.id = l.file_id "
            "WHERE m.merchant_id = %s AND m.statement_id = %s AND m.id > %s ORDER BY m.id LIMIT 2000",
            [merchant, statement, last],
        )
        for pk, at, file, row, shown, day, amount, kind, points, price in rows:
            moment = bulk.read_moment(at)
            assert moment is not None
            yield csv_line((pk, instant(moment), file, row, shown, day, amount, kind, points, price, points * price))
        if len(rows) < 2000:
            return
        last = rows[-1][0]


def movements_digest(merchant: int, statement: int) -> tuple[int, str]:
    return lines_digest(movements(merchant, statement))


def files(one: CardStatement) -> dict[str, bytes]:
    """Name → bytes."""
    stem = f"{one.document['programme']['key']}-{one.number:03d}"
    return {f"{stem}.json": text(one.document), f"{stem}.csv": b"".join(movements(one.merchant_id, one.pk))}


def digest(one: CardStatement) -> str:
    """SHA-256 of the statement's own file."""
    return hashlib.sha256(text(one.document)).hexdigest()


def faults(merchant: Merchant) -> list[tuple[str, str]]:
    """What must never be: (row, problem)."""
    found = []
    previous: dict[int, bytes] = {}
    for one in CardStatement.objects.filter(merchant=merchant).order_by("programme_id", "number"):
        name, document = f"card statement {one.document['programme']['key']} {one.number}", one.document
        if sum(line["minor"] for line in document["lines"]) != one.due_minor or document["due_minor"] != one.due_minor:
            found.append((name, f"its lines do not add up to {one.due_minor}"))
        if movements_digest(merchant.pk, one.pk) != (document["movements"], document["movements_sha256"]):
            found.append((name, "its movements were changed after closing"))
        before = previous.get(one.programme_id, b"\0" * 32)
        if hashlib.sha256(before + text(document)).digest() != bytes(one.digest):
            found.append((name, "it was changed after closing"))
        previous[one.programme_id] = bytes(one.digest)
    rows = bulk.select(
        "SELECT l.id, l.points, CAST(COALESCE(SUM(m.points), 0) AS BIGINT) FROM loyalty_card_line l "
        "LEFT JOIN loyalty_card_move m ON m.line_id = l.id AND m.merchant_id = l.merchant_id WHERE l.merchant_id = %s "
        "GROUP BY l.id, l.points HAVING l.points <> COALESCE(SUM(m.points), 0) LIMIT 100",
        [merchant.pk],
    )
    found += [(f"card line {pk}", f"{points} points, but {charged} are charged") for pk, points, charged in rows]
    key = "CASE WHEN m.points > 0 THEN 'card:partner:' ELSE 'card:partner-undo:' END || CAST(m.line_id AS TEXT)"
    rows = []
    for kind, same in (
        ("<> 'capped'", f"= {key}"),
        ("= 'capped'", f"LIKE {key} || ':%%'"),
    ):  # a line can be capped often
        rows += bulk.select(
            f"SELECT m.id, m.points FROM loyalty_card_move m WHERE m.merchant_id = %s AND m.kind {kind} AND NOT EXISTS "
            f"(SELECT 1 FROM loyalty_txn t WHERE t.merchant_id = m.merchant_id AND t.key {same}) LIMIT 100",
            [merchant.pk],
        )
    return found + [(f"card movement {pk}", f"{points} points are charged and not in the books") for pk, points in rows]
