"""The batch's files as a stream of facts in a fixed order, cut into chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings

from shuke.connect.importers import Fact, Options, read
from shuke.engine.facts import CouponUse, Order, Person, Problem, Product, Refund
from shuke.kit.tabular import MOST_UNPACKED, Limits
from shuke.orders.actions.checking import CLOCKS
from shuke.orders.models import ImportBatch
from shuke.shops.models import Merchant

ORDERS, LINES, FACTS = 5_000, 60_000, 20_000  # a chunk is full when it has so many of one of them
# Problems of a file as a whole: nothing of the batch must stay when one turns up.
_FILE_CODES = frozenset(
    "missing empty not_a_table wrong_encoding cut_off encrypted bomb unpacks_too_big unsafe_xml too_big too_many_columns line_too_long "
    "no_sheet too_many_members".split()
)


class FileRefused(Exception):
    """One of the files cannot be taken in at all; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


@dataclass(slots=True)
class Chunk:
    """Some thousand facts, to be taken in together."""

    orders: list[Order] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    coupons: list[CouponUse] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    facts: int = 0
    lines: int = 0
    rows: int = 0  # about how many rows of the files it came from

    def add(self, fact: Fact) -> None:
        self.facts += 1
        if isinstance(fact, Order):
            self.orders.append(fact)
            lines = len(fact.lines) if fact.lines else 1
            self.lines += lines
            self.rows += lines
            return
        self.rows += 1
        if isinstance(fact, Problem):
            if fact.code in _FILE_CODES or (fact.row == 0 and fact.reject):
                raise FileRefused(fact)
            self.problems.append(fact)
        elif isinstance(fact, Product):
            self.products.append(fact)
        elif isinstance(fact, Person):
            self.people.append(fact)
        elif isinstance(fact, Refund):
            self.refunds.append(fact)
        else:
            self.coupons.append(fact)

    @property
    def full(self) -> bool:
        return len(self.orders) >= ORDERS or self.lines >= LINES or self.facts >= FACTS


def chunks(merchant: Merchant, batch: ImportBatch, offset: int = 0) -> Iterator[Chunk]:
    """The facts from `offset` on, in chunks whose cuts depend on nothing but where they begin."""
    chunk = Chunk()
    for fact in islice(_facts(merchant, batch), offset, None):
        chunk.add(fact)
        if chunk.full:
            yield chunk
            chunk = Chunk()
    if chunk.facts:
        yield chunk


def _facts(merchant: Merchant, batch: ImportBatch) -> Iterator[Fact]:
    """File by file, as they were given, each with the moment it was made. Refund reports come after the orders they speak
    of, so that nothing of one upload is counted as waiting; tables that belong together come last."""
    home = Path(settings.SHUKE_HOME)
    together: list[dict[str, Any]] = []
    for file in sorted(batch.files, key=lambda file: file["layout"].endswith(".refunds")):
        if file["kind"] == "parquet":
            together.append(file)
            continue
        yield from read(
            [home / file["path"]], layout=batch.options.get("layout"), options=_options(merchant, batch, file)
        )
    if together:
        latest = max(together, key=lambda file: file["stated_at"])
        yield from read([home / file["path"] for file in together], options=_options(merchant, batch, latest))


def limits_of(options: Mapping[str, Any]) -> Limits:
    """How much of a stranger's file is opened: what this import allows, else the installation's setting (megabytes)."""
    allowed = int(options.get("max_unpacked") or settings.SHUKE_MAX_UNPACKED) * 1_000_000
    return Limits(unpacked=min(allowed, MOST_UNPACKED))


def _options(merchant: Merchant, batch: ImportBatch, file: dict[str, Any]) -> Options:
    told = batch.options
    return Options(
        zone=merchant.tz,
        currency=merchant.currency,
        shop=told.get("shop", ""),
        platform=told.get("platform"),
        mapping=told.get("mapping") or file.get("mapping"),
        stated_at=datetime.fromisoformat(file["stated_at"]),
        latest=batch.started_at + CLOCKS,
        shops=file.get("shops") or {},
        limits=limits_of(told),
    )
