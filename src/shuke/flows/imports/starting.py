"""Take files in: store them, recognise what they are, open the batch."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from shuke.connect.importers import LAYOUTS, Recognised, TabularError, count_rows, recognise_file, sentence
from shuke.connect.importers.cells import REJECT_NAMES
from shuke.connect.importers.sources import file_problem
from shuke.engine.facts import Problem
from shuke.flows.imports.reading import limits_of
from shuke.kit import ids
from shuke.kit.tabular import MOST_UNPACKED
from shuke.kit.tabular.header import digest_text, normal
from shuke.orders import actions as archive
from shuke.orders.models import ColumnMapping, ImportBatch
from shuke.shops.models import Merchant, Store

OPTIONS = {
    "platform": "taobao, tmall, jd, … where the layout does not say it",
    "shop": "name of the shop the files belong to, for files that do not name it",
    "layout": "read the files as this layout, whatever they look like",
    "mapping": "columns of a plain file",
    "language": "of the reasons in the file of rejected rows: en or zh",
    "max_unpacked": "megabytes a ZIP or XLSX may unpack to; else SHUKE_MAX_UNPACKED",
    "stated_at": "when the files were made, ISO; else from their names, else their own time",
}
_STAMP = re.compile(
    r"(?<!\d)(20\d{2})[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?:[-_. T]?([01]\d|2[0-3])[-_.:]?([0-5]\d)[-_.:]?([0-5]\d)?)?"
)
_PIECE = 1 << 20


class BadOption(ValueError):
    """An import option that does not exist or cannot be."""


@dataclass(slots=True)
class _Stored:
    path: Path
    name: str
    sha256: str
    size: int
    modified_at: datetime


def start(
    *,
    merchant: Merchant,
    files: Sequence[tuple[Path, str]],
    options: Mapping[str, Any] | None = None,
    now: datetime,
    actor: str,
) -> ImportBatch:
    """Open a batch for these files (path, and the name to show). Nothing is read beyond their first rows.

    In this order: options checked (BadOption); files copied under SHUKE_HOME/uploads and hashed; layouts recognised; a
    saved column mapping found by header where none was given; the batch written. A file that cannot be a table, or a
    full disk, gives a batch in state FAILED whose `error` says what to do; nothing of it stays on disk.
    """
    options = _checked(options or {})
    batch_id = ids.new()
    folder = Path(settings.SHUKE_HOME) / "uploads" / str(merchant.id) / str(batch_id)
    language = options.get("language", "en")
    told: list[dict[str, Any]] = []
    try:
        stored = [_store(path, name, folder / str(n)) for n, (path, name) in enumerate(_each(files))]
        if not stored:
            return _failed(merchant, batch_id, options, now, actor, Problem("missing", 0, file="–"), language)
        for one in stored:
            stated_at = _stated_at(merchant, one, options, now)
            told.append(_told(merchant, one, stated_at, options))
        shops = _shops(merchant, told)
        for file in told:
            file["shops"] = shops
    except TabularError as error:
        shutil.rmtree(folder, ignore_errors=True)
        problem = file_problem(error, error.params.get("file", "–"))
        return _failed(merchant, batch_id, options, now, actor, problem, language)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        return _failed(merchant, batch_id, options, now, actor, disk_problem(error), language)
    return archive.open_batch(merchant=merchant, batch_id=batch_id, files=told, options=options, now=now, actor=actor)


def _shops(merchant: Merchant, files: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Platform → shop for files that do not say whose they are, as item and refund reports do: the one shop that the other
    files of the upload name, else the only one the merchant has there. Kept with the batch, so that a resumed import
    decides the same."""
    named: dict[str, set[str]] = {}
    asked: set[str] = set()
    for file in files:
        for one in file["members"] or [file]:
            if one["shop"]:
                named.setdefault(one["platform"], set()).add(one["shop"])
            elif one["platform"]:
                asked.add(one["platform"])
    for platform, code in Store.objects.filter(merchant=merchant, platform__in=asked - named.keys()).values_list(
        "platform", "code"
    ):
        named.setdefault(platform, set()).add(code)
    return {platform: min(shops) for platform, shops in named.items() if len(shops) == 1}


def disk_problem(error: OSError) -> Problem:
    """A file system's refusal as a value."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    code = "disk_full" if full else "missing" if isinstance(error, FileNotFoundError) else "unreadable"
    name = os.path.basename(str(error.filename)) if error.filename else "–"
    return Problem(code, 0, "", "", (("why", error.strerror or str(error)),), True, name)


def _failed(
    merchant: Merchant, batch_id: int, options: dict, now: datetime, actor: str, problem: Problem, language: str
) -> ImportBatch:
    return archive.open_batch(
        merchant=merchant,
        batch_id=batch_id,
        files=[],
        options=options,
        now=now,
        actor=actor,
        error=sentence(problem, language),
    )


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(options) - OPTIONS.keys())
    if unknown:
        raise BadOption(f"There is no import option {', '.join(unknown)}. Known: {', '.join(OPTIONS)}.")
    told = {key: value for key, value in options.items() if value not in (None, "")}
    if told.get("layout", "") and told["layout"] not in LAYOUTS:
        raise BadOption(f"There is no layout '{told['layout']}'. Known: {', '.join(LAYOUTS)}.")
    if "max_unpacked" in told:
        most = MOST_UNPACKED // 1_000_000
        if not str(told["max_unpacked"]).isdecimal() or not 0 < int(told["max_unpacked"]) <= most:
            raise BadOption(f"max_unpacked is a number of megabytes from 1 to {most:,}, not '{told['max_unpacked']}'.")
        told["max_unpacked"] = int(told["max_unpacked"])
    if isinstance(told.get("stated_at"), datetime):
        told["stated_at"] = told["stated_at"].isoformat()
    return told


def _each(files: Sequence[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Folders opened up, in the order of their names."""
    found: list[tuple[Path, str]] = []
    for path, name in files:
        path = Path(path)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
            found += [(p, p.name) for p in inside]
        else:
            found.append((path, name or path.name))
    return found


def _store(path: Path, name: str, folder: Path) -> _Stored:
    """Copy one file and hash it on the way. The name is kept, for people; anything that could leave the folder is not."""
    name = Path(name.replace("\\", "/")).name.strip().lstrip(".")[:120] or "file"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / name
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as source, open(target, "wb") as copy:
        while piece := source.read(_PIECE):
            digest.update(piece)
            copy.write(piece)
            size += len(piece)
    modified = datetime.fromtimestamp(os.stat(path).st_mtime, UTC).replace(microsecond=0)
    return _Stored(target, name, digest.hexdigest(), size, modified)


def _stated_at(merchant: Merchant, one: _Stored, options: Mapping[str, Any], now: datetime) -> datetime:
    """When the file was made. The very same file again was made when it was made before, whatever its copy says."""
    if told := options.get("stated_at"):
        moment = datetime.fromisoformat(told)
        return moment if moment.tzinfo else moment.replace(tzinfo=merchant.tz)
    same_name: datetime | None = None
    for files in (
        ImportBatch.objects.filter(merchant=merchant).order_by("-started_at").values_list("files", flat=True)[:200]
    ):
        for known in files:
            if not known.get("stated_at"):
                continue
            stated_at = datetime.fromisoformat(known["stated_at"])
            if known.get("sha256") == one.sha256:
                return stated_at
            if known.get("name") == one.name:
                same_name = max(stated_at, same_name or stated_at)
    moment, precision = _moment_of(merchant, one, now)
    if same_name is not None and moment <= same_name < moment + precision:
        return same_name + timedelta(seconds=1)  # the file under its name once more, corrected: the later word
    return moment


def _moment_of(merchant: Merchant, one: _Stored, now: datetime) -> tuple[datetime, timedelta]:
    """By its name, else by its own time; and how exactly that tells."""
    if stamp := _STAMP.search(one.name):
        year, month, day, hour, minute, second = (int(part or 0) for part in stamp.groups())
        try:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=merchant.tz).astimezone(UTC)
        except ValueError:
            moment = now + timedelta(days=1)
        if moment <= now:
            return moment, timedelta(days=1) if stamp.group(4) is None else timedelta(minutes=1)
    return min(one.modified_at, now), timedelta(minutes=1)


def _told(merchant: Merchant, one: _Stored, stated_at: datetime, options: dict[str, Any]) -> dict[str, Any]:
    """What the batch remembers of a file. A known header brings its saved mapping along."""
    limits = limits_of(options)
    found = recognise_file(one.path, name=one.name, limits=limits)
    told = {
        "name": one.name,
        "path": str(one.path.relative_to(settings.SHUKE_HOME)),
        "sha256": one.sha256,
        "size": one.size,
        "stated_at": stated_at.isoformat(),
        "rows": count_rows(one.path, limits=limits),
        **_seen(found),
        "members": [{"name": inside.file, **_seen(inside)} for inside in found.members],
    }
    plain = found.layout == "unknown" or found.layout.startswith("plain.")
    if plain and "mapping" not in options and found.columns:
        digest = header_digest(found.columns)
        saved = ColumnMapping.objects.filter(merchant=merchant, header_digest=digest).order_by("-saved_at").first()
        if saved is not None:
            # Its header may stand elsewhere this time: titles above it come and go.
            told["mapping"] = {**saved.mapping, "header_row": found.header_row}
            told["mapping_name"] = saved.name
    return told


def header_digest(columns: Sequence[str]) -> str:
    """What a saved column mapping is found by. A file of rejected rows is of the kind of the file they come from."""
    own = [name for name in columns if normal(name) not in REJECT_NAMES]
    return hashlib.blake2b(digest_text(own).encode(), digest_size=16).hexdigest()


def _seen(found: Recognised) -> dict[str, Any]:
    return {
        "layout": found.layout,
        "generation": found.generation,
        "title_en": found.title_en,
        "title_zh": found.title_zh,
        "kind": found.kind,
        "encoding": found.encoding,
        "header_row": found.header_row,
        "confidence": round(found.confidence, 2),
        "columns": list(found.columns),
        "missing": list(found.missing),
        "unknown": list(found.unknown),
        "shop": found.shop,
        "platform": found.platform,
    }
