"""Invariants of gifts and lucky draws, asked by `shuke ledger verify`. The numbers are those of docs/algorithms/ledger.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shuke.engine.draws import verify as check
from shuke.loyalty.models import Draw
from shuke.loyalty.queries import draws
from shuke.shops.models import Merchant

CHECKS: list[tuple[str, str, str, str]] = [
    (
        "G1",
        "the stock of a gift is what came in and was corrected, less what was taken, plus what was given back",
        "SELECT g.code, g.stock, COALESCE(SUM(m.amount), 0) FROM loyalty_gift g LEFT JOIN loyalty_gift_move m "
        "ON m.merchant_id = g.merchant_id AND m.gift_id = g.id WHERE g.merchant_id = %s AND g.stock IS NOT NULL "
        "GROUP BY g.id, g.code, g.stock HAVING g.stock <> COALESCE(SUM(m.amount), 0)",
        "gift {0}: stock {1}, but its moves add up to {2}",
    ),
    (
        "G2",
        "an order of a gift keeps so many pieces from the stock as are set aside or handed over and not restocked",
        # Pieces that came back broken are not restocked, so what is handed over has a bound on either side.
        "SELECT o.key, o.state, o.count, o.returned, COALESCE(SUM(m.amount), 0) FROM loyalty_gift_order o "
        "JOIN loyalty_gift g ON g.id = o.gift_id AND g.stock IS NOT NULL LEFT JOIN loyalty_gift_move m "
        "ON m.merchant_id = o.merchant_id AND m.gift_id = o.gift_id AND m.ref = o.key AND m.why IN ('taken', 'given_back') "
        "WHERE o.merchant_id = %s GROUP BY o.id, o.key, o.state, o.count, o.returned HAVING NOT (CASE "
        "WHEN o.state = 'held' THEN COALESCE(SUM(m.amount), 0) = -o.count "
        "WHEN o.state IN ('done', 'returned') THEN COALESCE(SUM(m.amount), 0) BETWEEN -o.count AND o.returned - o.count "
        "ELSE COALESCE(SUM(m.amount), 0) = 0 END)",
        "order {0} of a gift is {1}: {2} pieces, {3} came back, but its stock moved by {4}",
    ),
    (
        "G3",
        "what was taken from or given back to a stock names the order it was for",
        "SELECT m.id, m.ref, m.amount FROM loyalty_gift_move m LEFT JOIN loyalty_gift_order o "
        "ON o.merchant_id = m.merchant_id AND o.gift_id = m.gift_id AND o.key = m.ref "
        "WHERE m.merchant_id = %s AND m.why IN ('taken', 'given_back') AND o.id IS NULL",
        "move {0} of a gift's stock by {2} is for the order {1}, which is not there",
    ),
]
BEYOND_SQL = [
    ("D1", "the tickets of every draw are numbered without gap and chained from the promise that was published"),
    (
        "D2",
        "a draw's prizes given are those of its tickets, by the stock rule; once revealed, every outcome is the seed's",
    ),
]
OF_THE_CHAIN = {"number", "link", "head", "backwards", "time", "committed_late", "ticket"}


def faults(merchant: Merchant) -> Iterator[tuple[str, str, str]]:
    """Draws checked from their own published file, as anybody can, and the draw's row against it."""
    for one in Draw.objects.filter(merchant=merchant).exclude(state=Draw.State.DRAFT).order_by("id"):
        verdict = check(draws.file(one))
        for found in verdict.findings:
            if found.code != "no_seed":
                yield "D1" if found.code in OF_THE_CHAIN else "D2", f"draw {one.code}", found.say("en")
        if (one.issued, one.head) != (verdict.tickets, verdict.head):
            yield (
                "D1",
                f"draw {one.code}",
                f"draw {one.code} counts {one.issued} tickets; {verdict.tickets} are in its list",
            )
        given = Counter({prize: n for prize, n in verdict.won.items() if n})
        if given != Counter({prize: n for prize, n in one.given.items() if n}):
            yield "D2", f"draw {one.code}", f"draw {one.code} says it gave {one.given}; its tickets won {dict(given)}"
