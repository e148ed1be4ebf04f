"""A card partner's spend file: looked at before anything is written, taken, its rejected rows given back; and undone."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from shuke.connect.importers import partner_card as reading
from shuke.connect.importers.cells import REJECT_COLUMNS
from shuke.connect.importers.partner_card import Layout, Odd, Spent
from shuke.connect.importers.problems import harmless, sentence
from shuke.engine.facts import Problem
from shuke.engine.partner_cards.judging import Verdict
from shuke.kit import ids, jobs
from shuke.kit.clock import day_of, day_start
from shuke.kit.tabular import TabularError
from shuke.loyalty.actions import partner_cards as cards
from shuke.loyalty.actions.partner_cards import CardRefused
from shuke.loyalty.actions.partner_cards.refusals import COLUMN_OF
from shuke.loyalty.models import CardFile, CardProgramme
from shuke.loyalty.queries import partner_cards as stored
from shuke.loyalty.queries.card_state import Reader, judged
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

AT_ONCE = 500  # rows in one transaction
WHILE_ASKED = 2_000  # rows taken while the page waits; more are the worker's
SHOWN = 60  # rows of a kind that a preview shows
JOB = "partner-card-file"
WAITS = timedelta(days=7)  # a file that was looked at and not taken


class Taken(NamedTuple):
    """A spend file after it was taken. `replayed`: it had been taken before, nothing was done."""

    file: CardFile
    tally: stored.Tally
    replayed: bool


class Seen(NamedTuple):
    """A row of a preview."""

    row: int
    state: str
    code: str
    value: str
    shown: str
    amount_minor: int | None
    spent_on: date | None
    points: int
    member: int | None


class Preview(NamedTuple):
    """What taking a file would come to; nothing was written."""

    tally: stored.Tally
    rows: list[Seen]  # the first of each kind
    members: int


class NoColumns(CardRefused):
    """The headers do not say which column is what; `layout` is what was found."""

    def __init__(self, name: str, layout: Layout) -> None:
        super().__init__("no_columns", file=name, missing=", ".join(layout.missing))
        self.layout = layout


# ---- reading ------------------------------------------------------------------------------------------------------


def layout(merchant: Merchant, programme: str, path: Path, name: str) -> tuple[CardProgramme, Layout]:
    """Raises CardRefused (NoColumns), TabularError."""
    one = stored.programme(merchant, programme)
    if one is None:
        raise CardRefused("no_such_programme", key=programme)
    found = reading.layout_of(path, one.columns)
    if found.missing:
        raise NoColumns(name, found)
    return one, found


def sample(merchant: Merchant, path: Path, found: Layout, rows: int = 3) -> list[tuple[str, ...]]:
    """The first cells under a header that was not understood, without card numbers: digits in a row are not shown at all."""
    some = islice(reading.open_table(path).rows(), found.row + 1, found.row + 1 + rows)
    return [tuple("…" if reading.is_clear(cell) else cell[:40] for cell in row) for row in some]


def _cells(merchant: Merchant, path: Path, found: Layout) -> Iterator[tuple[int, list[str]]]:
    return reading.cells_of(path, found, lambda digits: stored.veil_of(merchant, digits))


def _rows(one: CardProgramme, found: Layout, cells: Iterator[tuple[int, list[str]]]) -> Iterator[Spent | Odd]:
    merchant = one.merchant
    return reading.read(
        cells, layout=found, kind=one.token_kind, currency=merchant.currency, zone=merchant.tz, minor=one.in_minor
    )


def _kept(file: CardFile) -> tuple[Layout, Path]:
    """Raises CardRefused, where it was sent otherwise than through the console."""
    if not file.kept or not (Path(settings.SHUKE_HOME) / file.kept).is_file():
        raise CardRefused("send_again")
    return Layout(0, tuple(file.header), dict(file.columns), ()), Path(settings.SHUKE_HOME) / file.kept


def _again(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that were kept for the person to look at."""
    with path.open(encoding="utf-8") as told:
        for line in told:
            number, cells = json.loads(line)
            yield number, cells


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _in_two(rows: Iterable[Spent | Odd], *, backs: bool) -> Iterator[Spent | Odd]:
    """What was spent first, then what came back: a file may say them in any order."""
    return (row for row in rows if (isinstance(row, Spent) and row.gives_back) is backs)


# ---- before anything is written -----------------------------------------------------------------------------------


def preview(merchant: Merchant, programme: str, path: Path, name: str, now: datetime) -> Preview:
    """Raises CardRefused, TabularError."""
    one, found = layout(merchant, programme, path, name)
    one.merchant = merchant
    return _preview(one, now, lambda: _rows(one, found, _cells(merchant, path, found)))


def preview_kept(file: CardFile, now: datetime) -> Preview:
    """Of a file that waits."""
    found, path = _kept(file)
    one = file.programme
    one.merchant = file.merchant
    return _preview(one, now, lambda: _rows(one, found, _again(path)))


def _preview(one: CardProgramme, now: datetime, rows: Callable[[], Iterable[Spent | Odd]]) -> Preview:
    reader = Reader(one, day_of(now, one.merchant.tz))
    counts: dict[str, int] = {}
    points = taken = 0
    shown: dict[str, list[Seen]] = {}
    members: set[int] = set()
    for backs in (False, True):
        some = _in_two(rows(), backs=backs)
        while part := list(islice(some, AT_ONCE * 4)):
            told = [(row, reader.spending(row) if isinstance(row, Spent) else None) for row in part]
            for (row, _), verdict in zip(told, judged(reader, told), strict=True):
                counts[verdict.state] = counts.get(verdict.state, 0) + 1
                points += max(0, verdict.points)
                taken -= min(0, verdict.points)
                if verdict.points and verdict.line is not None and verdict.line.member is not None:
                    members.add(verdict.line.member)
                if len(kept := shown.setdefault(verdict.state, [])) < SHOWN:
                    kept.append(_seen(row, verdict))
    tally = stored.Tally(**counts, points=points, taken=taken)
    rows_shown = sorted((one for some in shown.values() for one in some), key=lambda one: one.row)
    return Preview(tally, rows_shown, len(members))


def _seen(row: Spent | Odd, verdict: Verdict) -> Seen:
    whose = verdict.line.member if verdict.line is not None else None
    if isinstance(row, Odd):
        return Seen(row.row, verdict.state, verdict.code, verdict.value, "", None, None, 0, None)
    amount = -row.amount_minor if row.gives_back else row.amount_minor
    return Seen(
        row.row, verdict.state, verdict.code, verdict.value, row.token[-4:], amount, row.spent_on, verdict.points, whose
    )


def keep(*, merchant: Merchant, programme: str, path: Path, name: str, now: datetime, actor: str) -> CardFile:
    """Put a file aside to be looked at: its rows without card numbers. Taken before: that file. Raises CardRefused,
    TabularError."""
    one, found = layout(merchant, programme, path, name)
    home, place = Path(settings.SHUKE_HOME), Path("uploads") / str(merchant.pk) / f"card-{ids.new()}.jsonl"
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(home / place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        for number, cells in _cells(merchant, path, found):
            out.write(json.dumps([number, cells], ensure_ascii=False) + "\n")
    file = cards.begin_file(
        merchant=merchant, programme=one.key, name=name, digest=_digest(path), header=found.header, columns=found.places,
        kept=str(place), state="waiting", now=now, actor=actor,
    )  # fmt: skip
    if file.kept != str(place):
        (home / place).unlink()
    return file


def discard(*, merchant: Merchant, file_id: int) -> None:
    """Raises CardRefused."""
    _forget(cards.discard_file(merchant=merchant, file_id=file_id).kept)


def forget_waiting(*, merchant: Merchant, now: datetime) -> int:
    """Files that were looked at and that nobody has taken since: their rows are people's spendings. Returns how many."""
    old = CardFile.objects.filter(merchant=merchant, state="waiting", taken_at__lt=now - WAITS)
    gone = 0
    for pk in list(old.values_list("pk", flat=True)):
        with suppress(CardRefused):  # somebody takes it in this moment
            discard(merchant=merchant, file_id=pk)
            gone += 1
    return gone


def _forget(kept: str) -> None:
    if kept:
        with suppress(FileNotFoundError):
            (Path(settings.SHUKE_HOME) / kept).unlink()


# ---- taking -------------------------------------------------------------------------------------------------------


def take_file(*, merchant: Merchant, programme: str, path: Path, name: str, now: datetime, actor: str) -> Taken:
    """Take a partner's file in. Killed half way it is simply taken again: rows that were done stay done. Raises CardRefused,
    TabularError."""
    one, found = layout(merchant, programme, path, name)
    one.merchant = merchant
    file = cards.begin_file(
        merchant=merchant, programme=programme, name=name, digest=_digest(path), header=found.header, columns=found.places,
        now=now, actor=actor,
    )  # fmt: skip
    if file.state == "done":
        return Taken(file, stored.tally(file), True)
    return _take(file, lambda: _rows(one, found, _cells(merchant, path, found)), now, actor)


def take_kept(*, merchant: Merchant, file_id: int, now: datetime, actor: str) -> Taken:
    """Take the file that was looked at. Raises CardRefused."""
    file = stored.file(merchant, file_id)
    if file is None or file.state == "undone":
        raise CardRefused("no_such_file", number=file_id)
    if file.state == "done":
        return Taken(file, stored.tally(file), True)
    found, path = _kept(file)
    file = cards.begin_file(
        merchant=merchant, programme=file.programme.key, name=file.name, digest=bytes(file.digest), header=file.header,
        columns=file.columns, now=now, actor=actor,
    )  # fmt: skip
    one = file.programme
    one.merchant = merchant
    return _take(file, lambda: _rows(one, found, _again(path)), now, actor)


def take_told(
    *, merchant: Merchant, programme: str, name: str, rows: Sequence[Spent | Odd], now: datetime, actor: str
) -> Taken:
    """Spendings that a program sends, as a file of their own: the same ones again are the same file. Raises CardRefused."""
    plain = json.dumps([[str(cell) for cell in row] for row in rows], ensure_ascii=False)
    file = cards.begin_file(
        merchant=merchant, programme=programme, name=name, digest=hashlib.sha256(plain.encode()).digest(),
        header=list(Spent._fields[1:8]), columns={}, now=now, actor=actor,
    )  # fmt: skip
    if file.state == "done":
        return Taken(file, stored.tally(file), True)
    return _take(file, lambda: rows, now, actor)


def _take(file: CardFile, rows: Callable[[], Iterable[Spent | Odd]], now: datetime, actor: str) -> Taken:
    equal: Counter[bytes] = Counter()
    kept = file.kept
    for backs in (False, True):
        some = _in_two(rows(), backs=backs)
        while part := list(islice(some, AT_ONCE)):
            cards.take_rows(file=file, rows=part, equal=equal, now=now, actor=actor)
    cards.end_file(file=file, now=now, actor=actor)
    _forget(kept)
    file.refresh_from_db()
    return Taken(file, stored.tally(file), False)


def rows_kept(file: CardFile) -> int:
    """How many rows wait."""
    with _kept(file)[1].open(encoding="utf-8") as told:
        return sum(1 for _ in told)


def take_later(*, file: CardFile, actor: str, now: datetime) -> None:
    """Let the worker take it."""
    jobs.enqueue(
        JOB, {"file_id": file.pk, "actor": actor}, merchant_id=file.merchant_id, now=now, key=f"{JOB}:{file.pk}",
        max_attempts=3,
    )  # fmt: skip


@jobs.handler(JOB)
def run_take(running: jobs.Running) -> None:
    merchant = Merchant.objects.get(pk=running.merchant_id)
    told = running.arguments
    try:
        take_kept(merchant=merchant, file_id=told["file_id"], now=shop_now(merchant), actor=told["actor"])
    except CardRefused as refused:
        raise jobs.Permanent(str(refused)) from refused


# ---- rejected rows ------------------------------------------------------------------------------------------------


def rejects(file: CardFile, language: str) -> list[list[str]]:
    """The rejected rows with their reasons: corrected, they can be taken as a file of their own. Cells are harmless to
    spreadsheets; where a card number was in clear there is none."""
    kept = reading.kept_columns(file.header)
    header = [file.header[n] for n in kept]
    named = {field: file.header[place] for field, place in file.columns.items() if place < len(file.header)}
    told = [[harmless(title) for title in [*header, *REJECT_COLUMNS]]]
    for line in stored.rejects(file):
        cells = [*line.raw, *[""] * (len(header) - len(line.raw))][: len(header)]
        field = COLUMN_OF.get(line.code, "")
        beside = [str(line.row), named.get(field, field), cards.why(line, language)]
        told.append([harmless(cell) for cell in [*cells, *beside]])
    return told


def write_rejects(path: Path, file: CardFile, language: str) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows(rejects(file, language))


def unreadable(error: TabularError, language: str) -> str:
    """Why a file cannot be read, as a sentence."""
    params = tuple(error.params.items())
    return sentence(Problem(error.code, 0, params=params, file=error.params.get("file", "")), language)


def month_end(merchant: Merchant, now: datetime) -> datetime:
    """What can be closed at the latest: the months that are over."""
    return day_start(day_of(now, merchant.tz).replace(day=1), merchant.tz)
