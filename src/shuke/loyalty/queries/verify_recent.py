"""What was booked since the books were last found right: a look of two seconds, for every night.

A posting whose legs add up leaves every sum over all members as it was, and a member nobody touched is as they were. So it is
enough to look at the new links of the chain, at the new postings, and at the members they are of: their invariants, and
their whole history folded anew. What somebody changed behind the books of others shows in the whole verify.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, pairwise

from shuke.kit import abreast, bulk
from shuke.loyalty.models import Seal, Verification
from shuke.loyalty.queries import chain
from shuke.loyalty.queries.invariants import BEYOND_SQL, CHECKS, of_part, together
from shuke.loyalty.queries.refolding import against_facts
from shuke.loyalty.queries.verify import (
    FOLDED_AT_ONCE,
    Finding,
    Part,
    Reached,
    Report,
    ask,
    budgets,
    gathered,
    in_place,
    of_seal,
    triggers,
)
from shuke.shops.models import Merchant

MOST_MEMBERS = 20_000  # more are read sooner by looking at everything
FOLDED_HERE = 1_000  # fewer are folded sooner than another process is begun


class TooMuch(Exception):
    """So much was booked that only the whole verify makes sense."""


def verify_recent(
    merchant: Merchant, base: Verification, *, progress: Callable[[int], None] | None = None, limit: int = 100
) -> Report:
    """Check what came after `base`, which found the books right. Raises TooMuch."""
    asked_of_part = [check.of_part() for check in CHECKS]
    touched = _since(merchant, base.seal)[1]
    if len(touched) > MOST_MEMBERS:
        raise TooMuch

    def work(part: Part) -> list[Finding]:
        kind, told = part
        if kind == "fold":
            return [Finding(*one) for one in islice(against_facts(merchant, told), limit)]
        if kind == "seal":
            return of_seal(merchant, *told)
        asked, sql = told
        return ask(merchant, asked, limit, sql)

    with abreast.standing_still(work, processes=1 if len(touched) < FOLDED_HERE else None) as spread:
        first, members = _since(merchant, base.seal)  # as of this moment
        seals = chain.POINTS.links(merchant, since=base.seal)
        findings = [*triggers(), *budgets(merchant), *_moved(base, seals)]
        parts: list[Part] = [("seal", pair) for pair in pairwise(seals)]
        if not base.seal and seals:
            parts.insert(0, ("seal", (None, seals[0])))
        blocks = [members[n : n + FOLDED_AT_ONCE] for n in range(0, len(members), FOLDED_AT_ONCE)]
        for asked in together(asked_of_part):
            narrowed = {of_part(asked[0].sql, members=block, since=first) for block in blocks}
            parts += [("ask", (asked, sql)) for sql in sorted(sql for sql in narrowed if sql)]
        parts += [("fold", block) for block in blocks]
        findings += gathered(spread(parts), parts, progress)
        reached = Reached.of(seals[-1]) if seals else Reached(base.seal, base.digest)
    checked = [(c.invariant, c.says) for c in asked_of_part if of_part(c.sql, members=[], since=0)]
    checked += [one for one in BEYOND_SQL if one[0] != "I16"]
    figures = {"members": len(members), "seal": len(seals) - bool(base.seal and seals)}
    return Report(findings, in_place(checked), figures, reached)


def _since(merchant: Merchant, seal: int) -> tuple[int, list[int]]:
    """The first posting after a seal, however late it was written, and the members of all since."""
    sealed = bulk.select(
        "SELECT MIN(first_id) FROM loyalty_seal WHERE merchant_id = %s AND number > %s", [merchant.pk, seal]
    )
    firsts = [first for (first,) in sealed if first is not None] + chain.POINTS.unsealed(merchant, 1)
    if not firsts:
        return 0, []
    first = min(firsts)
    rows = bulk.select(
        "SELECT DISTINCT member_id FROM loyalty_txn WHERE +merchant_id = %s AND id >= %s AND member_id IS NOT NULL "
        "ORDER BY member_id",
        [merchant.pk, first],
    )
    return first, [member for (member,) in rows]


def _moved(base: Verification, seals: list[Seal]) -> list[Finding]:
    """The link that was right then must be the same today: else the chain was written anew behind our back."""
    if not base.seal:
        return []
    if seals and seals[0].number == base.seal and bytes(seals[0].digest).hex() == base.digest:
        return []
    return [
        Finding(
            "I17", f"seal {base.seal}", f"seal {base.seal} is not the one that was verified at {base.at:%Y-%m-%d %H:%M}"
        )
    ]
