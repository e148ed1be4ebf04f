"""The papers of a settlement: statements as JSON, movements as CSV. Made of rows that never change, so always the same bytes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from shuke.kit import bulk
from shuke.loyalty.models import CoalitionPeriod, CoalitionStatement
from shuke.shops.models import Merchant

MOST_SIGNS = 24  # two such names of three bytes a sign, dates and endings fit the 255 bytes a disk allows
COLUMNS = ("id", "at", "noted_at", "number", "kind", "other", "points", "price_micro", "amount_micro")


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def text(document: dict[str, Any]) -> bytes:
    """The one way a document is written: keys in order, whole numbers, UTF-8."""
    return (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(text(document)).hexdigest()


def movements(merchant: int, period: int) -> Iterator[bytes]:
    """Every movement of one partner in a period as CSV, in the order of their ids; names of members are not in it."""
    yield csv_line(COLUMNS)
    last = 0
    while True:
        rows = bulk.select(
            "SELECT id, at, noted_at, number, kind, other_id, points, price_micro, amount_micro "
            "FROM loyalty_coalition_movement WHERE merchant_id = %s AND period_id = %s AND id > %s ORDER BY id LIMIT 2000",
            [merchant, period, last],
        )
        for pk, at, noted, number, kind, other, points, price, micro in rows:
            when = [instant(moment) for moment in map(bulk.read_moment, (at, noted)) if moment is not None]
            yield csv_line((pk, *when, number, kind, other or "", points, price, micro))
        if len(rows) < 2000:
            return
        last = rows[-1][0]


def csv_line(row: tuple) -> bytes:
    """The one way a movement is written."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(row)
    return out.getvalue().encode()


def lines_digest(lines: Iterator[bytes]) -> tuple[int, str]:
    """How many movements a file has below its heading, and SHA-256 of all of it."""
    seen, sha = -1, hashlib.sha256()
    for line in lines:
        seen += 1
        sha.update(line)
    return seen, sha.hexdigest()


def movements_digest(merchant: int, period: int) -> tuple[int, str]:
    return lines_digest(movements(merchant, period))


class Paper(NamedTuple):
    """One file of a period: its place in an address, what it is called on a disk, what is in it."""

    key: str
    name: str
    made: Callable[[], bytes]


def papers(period: CoalitionPeriod, merchant: Merchant | None = None) -> list[Paper]:
    """The period itself, and each partner's statement and movements (or one partner's own).

    They are called after coalition, number, first and last day and partner, as these were when the period was closed: whoever
    files them finds them again, and no later name changes one.
    """
    told, zone = period.document, period.coalition.merchant.tz
    since, until = (datetime.fromisoformat(told[k]).astimezone(zone) for k in ("since", "until"))
    last = max(since, until - timedelta(microseconds=1))
    stem = f"{file_name(told['coalition']['name'])}_{period.number:03d}_{since:%Y-%m-%d}_{last:%Y-%m-%d}"
    names = partner_names({int(one["id"]): one["name"] for one in told["partners"]})
    found = [Paper("settlement", f"{stem}_settlement.json", lambda: text(told))]
    mine = CoalitionStatement.objects.filter(period=period).order_by("merchant_id")
    for one in mine if merchant is None else mine.filter(merchant=merchant):
        pk, own = one.merchant_id, f"{stem}_{names[one.merchant_id]}"
        found.append(Paper(f"statement-{pk}", f"{own}_statement.json", partial(text, one.document)))
        lines = partial(movements, pk, period.pk)
        found.append(Paper(f"movements-{pk}", f"{own}_movements.csv", lambda lines=lines: b"".join(lines())))  # type: ignore[misc]
    return found


def files(period: CoalitionPeriod, merchant: Merchant | None = None) -> dict[str, bytes]:
    """Name → bytes of the papers."""
    return {one.name: one.made() for one in papers(period, merchant)}


def file_name(name: str) -> str:
    """A name as part of a file's on any disk: letters and digits of any script, the rest a hyphen."""
    kept = "".join(sign if sign.isalnum() else "-" for sign in unicodedata.normalize("NFC", name))
    return re.sub("-+", "-", kept).strip("-")[:MOST_SIGNS].rstrip("-") or "-"


def partner_names(names: Mapping[int, str]) -> dict[int, str]:
    """File names of partners. Where two would be one, even on a disk that knows no capitals, later ones get a number."""
    found: dict[int, str] = {}
    taken: set[str] = set()
    for pk, name in sorted(names.items()):
        plain, nth = file_name(name), 1
        told = plain
        while told.casefold() in taken:
            nth += 1
            told = f"{plain}-{nth}"
        taken.add(told.casefold())
        found[pk] = told
    return found


def faults(merchant: Merchant) -> list[tuple[str, str]]:
    """What must never be in the settlements this merchant founded or takes part in: (row, problem)."""
    found = []
    mine = CoalitionPeriod.objects.filter(pk__in=CoalitionStatement.objects.filter(merchant=merchant).values("period"))
    for period in mine.order_by("number"):
        name = f"settlement {period.number}"
        sums = list(
            CoalitionStatement.objects.filter(period=period).values_list("merchant_id", "due_minor", "document")
        )
        if sum(due for _, due, _ in sums) + period.pool_due_minor:
            found.append(
                (name, f"statements add up to {sum(d for _, d, _ in sums)}, the pool has {period.pool_due_minor}")
            )
        told = {p["id"]: p for p in period.document["partners"]}
        for pk, due, document in sums:
            if sum(line["minor"] for line in document["lines"]) != due or document["due_minor"] != due:
                found.append((name, f"the lines of partner {pk} do not add up to {due}"))
            if told[str(pk)]["sha256"] != digest(document):
                found.append((name, f"the statement of partner {pk} was changed after closing"))
            if pk == merchant.pk and movements_digest(pk, period.pk) != (
                document["movements"],
                document["movements_sha256"],
            ):
                found.append((name, f"movements of partner {pk} were changed after closing"))
        if hashlib.sha256(bytes(period.previous) + text(period.document)).digest() != bytes(period.digest):
            found.append((name, "the period was changed after closing"))
        (away, arrived) = _crossed(period.pk, [pk for pk, _, _ in sums])
        if away != arrived:
            found.append((name, f"{away} points went to partners' tills, but {arrived} arrived there"))
    return found


def _crossed(period: int, merchants: list[int]) -> tuple[int, int]:
    where, values = bulk.among("merchant_id", merchants)
    return bulk.select(
        "SELECT CAST(COALESCE(SUM(CASE WHEN kind = 'used' THEN points END), 0) AS BIGINT), "
        "CAST(COALESCE(SUM(CASE WHEN kind = 'redeemed' AND other_id <> merchant_id THEN points END), 0) AS BIGINT) "
        f"FROM loyalty_coalition_movement WHERE {where} AND period_id = %s",
        [values, period],
    )[0]  # type: ignore[return-value]
