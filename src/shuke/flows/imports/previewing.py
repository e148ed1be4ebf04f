"""See what an import would do: every row is read and weighed, nothing of members or orders is written."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine.facts import Person, Problem
from shuke.flows import opening
from shuke.flows.imports.reading import Chunk, FileRefused, chunks
from shuke.flows.imports.tally import Tally, counted_twice
from shuke.kit.progress import Progress, Silent
from shuke.members import actions as members
from shuke.orders.actions import Outcome
from shuke.orders.foresight import Foresight
from shuke.orders.models import ImportBatch
from shuke.shops.models import Merchant
from shuke.shops.queries import stores_by_code


class Preview(NamedTuple):
    """What running the batch now would come to."""

    files: list[dict[str, Any]]  # as start() recognised them: name, layout, generation, titles, columns, missing …
    counts: dict[str, int]  # tally.COUNTS
    bad: list[Problem]  # the first rows that would be kept out, with their reasons
    odd: dict[str, int]  # how many oddities by code
    examples: dict[str, list[Problem]]
    failure: Problem | None  # set: a file cannot be taken in at all, and neither would the batch be


def preview(
    batch: ImportBatch, progress: Progress | None = None, *, now: datetime, merchant: Merchant | None = None
) -> Preview:
    """Check ALL rows of the batch's files. Memory does not grow with them; no lock is held, nothing is written."""
    merchant = merchant or batch.merchant
    progress = progress or Silent()
    tally = Tally()
    failure = None
    newcomers = members.Newcomers()
    openings = _Openings(merchant, now)
    rows = sum(file.get("rows") or 0 for file in batch.files)
    progress.total(rows or None, "rows")
    with Foresight(merchant.id, stores_by_code(merchant)) as foresight:
        try:
            for chunk in chunks(merchant, batch):
                _weigh(chunk, tally, foresight, newcomers, openings, merchant, now)
                progress.advance(chunk.rows)
        except FileRefused as refused:
            failure = refused.problem
    return Preview(batch.files, tally.counts, tally.bad, tally.odd, tally.examples, failure)


def _weigh(
    chunk: Chunk,
    tally: Tally,
    foresight: Foresight,
    newcomers: members.Newcomers,
    openings: _Openings,
    merchant: Merchant,
    now: datetime,
) -> None:
    before = newcomers.count
    people = [*chunk.people, *(o.person for o in chunk.orders)]
    seen = members.preview(merchant=merchant, people=people, now=now, newcomers=newcomers)
    buyers = [
        who.member_id if who.member_id is not None else (-who.newcomer or None) for who in seen[len(chunk.people) :]
    ]
    found, same = foresight.orders(chunk.orders, buyers)
    count_orders(tally, [(f.outcome, f.again, f.oddities) for f in found], same)
    new, changed, again, parked, twice = foresight.refunds(chunk.refunds)
    tally.add("refunds_new", new)
    tally.add("refunds_changed", changed)
    tally.add("refunds_same", again)
    tally.add("refunds_parked", parked)
    tally.problems(counted_twice(twice, merchant))
    openings.weigh(chunk.people, seen[: len(chunk.people)], tally)
    tally.add("customers", len(chunk.people))
    tally.add("members_new", newcomers.count - before)
    tally.add("products", len(chunk.products))
    tally.add("coupons", len(chunk.coupons))
    tally.problems(chunk.problems)


class _Openings:
    """Balances that would be taken over, from chunk to chunk."""

    def __init__(self, merchant: Merchant, now: datetime) -> None:
        self.merchant, self.has_charter = merchant, opening.has_charter(merchant, now)
        self.stands: dict[tuple[Hashable, str], opening.Standing] = {}

    def weigh(self, people: Sequence[Person], seen: Sequence[members.Seen], tally: Tally) -> None:
        if not any(person.opening_points is not None for person in people):
            return
        whose = [one.member_id or -one.newcomer or None for one in seen]
        stands = opening.standing(self.merchant, {m for m in whose if m is not None and m > 0}) | self.stands
        found = opening.weigh(people, whose, stands, has_charter=self.has_charter)
        self.stands.update({place: opening.Standing(points, 0, "") for place, points in found.new.items()})
        tally.add("openings", len(found.new))
        tally.problems(found.odd)


def count_orders(tally: Tally, found: list[tuple[Outcome, bool, tuple[str, ...]]], same: int) -> None:
    """Each order counts once per batch, however often its files speak of it."""
    tally.add("orders_same", same)
    for outcome, again, oddities in found:
        if not again:
            tally.add(f"orders_{outcome.value}")
        for code in oddities:
            tally.oddity(code, "")
