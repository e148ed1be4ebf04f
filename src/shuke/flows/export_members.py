"""Give a filtered member list out as a file: at once while it is short, by a job while the reader goes on when it is long.

Phones leave masked as they are on screen; in full only if somebody who may reveal them asks for it. Each export is a line in the audit log with who,
how many and by which filters, since a copied customer list is what a leaving employee takes along. Files stay for a day
under SHUKE_HOME/exports and are swept by the next export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from shuke.connect.exporters.tables import WRITERS, Cell
from shuke.insight.queries.directory import Row, count, every_row
from shuke.insight.queries.filters import Filters, parse
from shuke.kit import audit, clock, ids, jobs, money
from shuke.members.queries.reaching import numbers_of
from shuke.shops import queries as shops
from shuke.shops.models import Merchant, Staff

DIRECT_ROWS = 5_000  # writing 100,000 rows of XLSX takes 17 s; nobody should watch a blank page for that
KEEP = timedelta(days=1)
JOB = "export-members"

Words = Mapping[
    str, Mapping[str, str]
]  # "tier" | "stage" | "layer" | "bond" | "rfm" → code → name in the asker's language
_Cell = Callable[[Row, ZoneInfo, str, Words], Cell]


class NotAllowed(PermissionError):
    """This person's role may not take member lists out."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file that is ready (`path`), or the job that is making it."""

    rows: int
    path: Path | None = None
    job_id: int | None = None


def _local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return None if moment is None else moment.astimezone(zone).replace(tzinfo=None, microsecond=0)


def _day(moment: datetime | None, zone: ZoneInfo) -> Cell:
    return None if moment is None else clock.day_of(moment, zone)


def _amount(minor: int | None, currency: str) -> Cell:
    return None if minor is None else Decimal(minor).scaleb(-money.digits(currency))


def _word(words: Words, kind: str, code: str) -> str:
    return words.get(kind, {}).get(code, code)


COLUMNS: dict[str, _Cell] = {
    "card": lambda r, z, c, w: r.card,
    "name": lambda r, z, c, w: r.name,
    "nickname": lambda r, z, c, w: r.nickname,
    "phone": lambda r, z, c, w: r.phone_hint,
    "tier": lambda r, z, c, w: _word(w, "tier", r.tier),
    "points": lambda r, z, c, w: r.points,
    "last": lambda r, z, c, w: _local(r.last_paid_at, z),
    "first": lambda r, z, c, w: _local(r.first_paid_at, z),
    "orders": lambda r, z, c, w: r.orders,
    "spent": lambda r, z, c, w: _amount(r.net_minor, c),
    "year": lambda r, z, c, w: _amount(r.year_net_minor, c),
    "profit": lambda r, z, c, w: _amount(r.year_profit_minor, c),
    "budget": lambda r, z, c, w: _amount(r.budget_minor, c),
    "loyalty": lambda r, z, c, w: _word(w, "loyalty", r.loyalty),
    "quality": lambda r, z, c, w: _word(w, "quality", r.quality),
    "gap": lambda r, z, c, w: None if r.usual_gap_days is None else round(Decimal(r.usual_gap_days), 1),
    "stage": lambda r, z, c, w: _word(w, "stage", r.stage),
    "rfm": lambda r, z, c, w: _word(w, "rfm", r.rfm),
    "scores": lambda r, z, c, w: "" if r.r5 is None else f"{r.r5}-{r.f5}-{r.m5}",
    "layer": lambda r, z, c, w: _word(w, "layer", r.layer),
    "bond": lambda r, z, c, w: _word(w, "bond", r.bond),
    "chance": lambda r, z, c, w: None if r.chance_30 is None else Decimal(r.chance_30).scaleb(-3),
    "expects": lambda r, z, c, w: _amount(r.expected_spend, c),
    "joined": lambda r, z, c, w: _day(r.joined_at, z),
    "store": lambda r, z, c, w: r.store,
    "by": lambda r, z, c, w: r.acquired_by,
    "city": lambda r, z, c, w: r.city,
    "gender": lambda r, z, c, w: r.gender,
    "tags": lambda r, z, c, w: ", ".join(r.tags),
}


def export_members(
    *,
    merchant: Merchant,
    staff: Staff,
    filters: Filters,
    columns: Sequence[str],
    headings: Sequence[str],
    words: Words,
    form: str,
    now: datetime,
    sort: str = "-last",
    found: list[int] | None = None,
    only: list[int] | None = None,
    clear: bool = False,
    address: str = "",
) -> Export:
    """Write the list, or enqueue the job that will; either way one audit line, in the same transaction as the job.

    `columns` are keys of COLUMNS, `headings` their names in the asker's language, `form` csv or xlsx. `found` are the
    members a text search gave, `only` the ticked ones. `clear` gives phones in full. Raises NotAllowed
    without the permission "export", and for `clear` without "reveal".
    """
    if not shops.may(staff, "export"):
        raise NotAllowed(f"The role “{staff.role}” may not export members. Ask the owner or a manager.")
    if clear and not shops.may(staff, "reveal"):
        raise NotAllowed(f"The role “{staff.role}” may not see full phone numbers. Export them masked.")
    rows = len(only) if only is not None else count(merchant, filters, now=now, found=found)
    asked: dict[str, Any] = {
        "filters": filters.params(),
        "columns": list(columns),
        "headings": list(headings),
        "words": {kind: dict(names) for kind, names in words.items()},
        "form": form,
        "sort": sort,
        "found": found,
        "only": only,
        "clear": clear,
        "now": now.isoformat(),
    }
    with transaction.atomic():
        audit.record(
            merchant_id=merchant.id,
            at=now,
            actor=staff.username,
            verb="members.exported",
            object="member list",
            # What was searched for may be a phone number, so only that something was searched is kept.
            detail={
                "rows": rows,
                "form": form,
                "columns": list(columns),
                "filters": [[n, "…" if n == "q" else v] for n, v in filters.params()],
                "ticked": only is not None,
                "phones": "in full" if clear and "phone" in columns else "masked",
            },
            address=address,
        )
        if rows > DIRECT_ROWS:
            job_id = jobs.enqueue(JOB, asked, merchant_id=merchant.id, now=clock.utc_now(), max_attempts=3)
            return Export(rows, job_id=job_id)
    sweep()
    path = file_of(merchant.id, ids.new(), form)
    write(merchant, asked, path)
    return Export(rows, path=path)


def write(
    merchant: Merchant, asked: Mapping[str, Any], path: Path, *, tell: Callable[[int], object] = lambda done: None
) -> int:
    """Write the list that was asked for; rows written. `tell` hears how many were read, chunk by chunk."""
    cells = [COLUMNS[key] for key in asked["columns"]]
    zone, currency, words = merchant.tz, merchant.currency, asked["words"]

    in_full = asked.get("clear", False) and "phone" in asked["columns"]

    def rows() -> Iterator[list[Cell]]:
        done = 0
        for chunk in every_row(
            merchant,
            parse((name, value) for name, value in asked["filters"]),
            now=datetime.fromisoformat(asked["now"]),
            sort=asked["sort"],
            found=asked["found"],
            only=asked["only"],
        ):
            # Opened chunk by chunk: memory never holds more numbers than are being written.
            numbers = numbers_of(merchant.id, [row.id for row in chunk]) if in_full else {}
            for row in chunk:
                shown = row._replace(phone_hint=numbers[row.id][0]) if row.id in numbers else row
                yield [cell(shown, zone, currency, words) for cell in cells]
            done += len(chunk)
            tell(done)

    return WRITERS[asked["form"]](path, asked["headings"], rows())


@jobs.handler(JOB)
def run_export(running: jobs.Running) -> None:
    """The job: write the file under the job's own number. A second start writes the same file again."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    sweep()
    asked = running.arguments
    filters = parse((name, value) for name, value in asked["filters"])
    total = (
        len(asked["only"])
        if asked["only"] is not None
        else count(merchant, filters, now=datetime.fromisoformat(asked["now"]), found=asked["found"])
    )
    running.progress(0, total)
    written = write(
        merchant,
        asked,
        file_of(merchant.id, running.id, asked["form"]),
        tell=lambda done: running.progress(done, total),
    )
    running.progress(written, written)


def file_of(merchant_id: int, number: int, form: str) -> Path:
    """Where one export of a merchant lies. `number` is its job's or a fresh id, so it cannot be guessed into."""
    return Path(settings.SHUKE_HOME) / "exports" / str(merchant_id) / f"{number}.{form}"


def sweep() -> int:
    """Remove files older than a day; how many."""
    limit = clock.utc_now().timestamp() - KEEP.total_seconds()
    old = [p for p in (Path(settings.SHUKE_HOME) / "exports").glob("*/*") if p.stat().st_mtime < limit]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
