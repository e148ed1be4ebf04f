"""A shop to look around in, from nothing to the first morning: the same path a seller's own files would take.

    report = run(shop="taobao", home=Path("./var"), progress=Silent(), now=utc_now())

Nothing in it is special to a demo except where the files come from and that the shop's clock stands at the end of its
history (docs/decisions/0003-demo-clock.md).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from shuke.engine.charter import document
from shuke.flows.demo.histories import SHOPS, DemoShop, NoHistory
from shuke.flows.demo.taking import take_in
from shuke.flows.night import night_run
from shuke.flows.open_shop import open_shop
from shuke.flows.stats import stats
from shuke.flows.timetable import book_night
from shuke.kit import schema
from shuke.kit.progress import Progress
from shuke.members import actions as members
from shuke.shops import actions as shops
from shuke.shops import queries
from shuke.shops.models import Merchant

__all__ = ["SHOPS", "DemoReport", "NoHistory", "NotOnlyDemos", "UnknownShop", "run"]

ACTOR = "demo"


class UnknownShop(LookupError):
    """No demo is called that."""


class NotOnlyDemos(RuntimeError):
    """Starting anew would delete a shop that is not a demo."""


@dataclass(frozen=True)
class DemoReport:
    """What the demo made, or had made before (`made` is False then). Everything is plain, fit for JSON."""

    shop: str
    merchant: str
    made: bool
    clock: str  # the shop's own time at the end of the demo, ISO with offset
    users: list[dict[str, str]] = field(default_factory=list)  # username, name, role
    password: str = ""  # the same for all of them
    seconds: dict[str, float] = field(default_factory=dict)  # step → wall seconds
    counts: dict[str, int] = field(default_factory=dict)  # as `shuke stats`
    files: list[str] = field(default_factory=list)
    rejected: int = 0
    rejects: list[str] = field(default_factory=list)  # files with the rows that were turned down, and why


def run(*, shop: str, home: Path, progress: Progress, now: datetime, fresh: bool = False) -> DemoReport:
    """Make the demo shop `shop` ("completejourney" or "taobao") in the database of `home`. `now` is the real time.

    In this order: database; merchant, owner, stores, charter from the first day of history; staff; custom attributes;
    files; import; what its people did in the last weeks; night run; the clock. Every step is idempotent: a demo that was killed is finished by running it
    again, and one that is there is only reported. `fresh` deletes what is there first, if it is nothing but demos.

    Raises UnknownShop, NoHistory (the data is not installed), NotOnlyDemos.
    """
    if shop not in SHOPS:
        raise UnknownShop(f"There is no demo shop called “{shop}”. There are: {', '.join(SHOPS)}.")
    demo = SHOPS[shop]
    folder = home / "demo" / demo.key
    if fresh:
        _clear(home)
    if schema.state() in (schema.State.EMPTY, schema.State.OLDER):
        call_command("migrate", verbosity=0, interactive=False)
    if (there := _finished(demo, folder)) is not None:
        return there
    folder.mkdir(parents=True, exist_ok=True)
    return _Making(demo, folder, progress, now).make()


class _Making:
    """One demo in the making: its steps, and how long each took."""

    def __init__(self, demo: DemoShop, folder: Path, progress: Progress, now: datetime) -> None:
        self.demo, self.folder, self.progress, self.now = demo, folder, progress, now
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 2)

    def make(self) -> DemoReport:
        demo = self.demo
        with self.step("files"):  # first: without history nothing should be begun
            history = demo.history(self.folder)
        with self.step("shop"):
            merchant, password = self.open(history.stores)
        rejects: list[Path] = []
        rejected = 0
        with self.step("import"):
            for one in history.imports:
                taken = take_in(merchant, one.files, one.options, now=demo.ends, actor=ACTOR, progress=self.progress)
                rejected += taken.rejected
                rejects += [taken.rejects] if taken.rejects else []
        if demo.furnish is not None:
            with self.step("last weeks"):
                demo.furnish(merchant, demo.ends)
        if not connection.in_atomic_block:
            connection.close()  # what it keeps of the import's pages, a night needs no more
        with self.step("night"):
            yesterday = (demo.ends - timedelta(days=1)).date()
            night_run(merchant=merchant, day=yesterday, now=demo.ends, progress=self.progress)
            book_night(merchant, yesterday)
        shops.set_clock_shift(merchant=merchant, seconds=_shift(demo, self.now + self.elapsed()))
        report = DemoReport(
            shop=demo.key,
            merchant=merchant.name,
            made=True,
            clock=demo.ends.isoformat(),
            users=[{"username": u, "name": n, "role": r} for u, n, r in demo.staff],
            password=password,
            seconds=self.seconds,
            counts={name: value for name, value in stats(merchant)._asdict().items() if isinstance(value, int)},
            files=[str(path) for one in history.imports for path in one.files],
            rejected=rejected,
            rejects=[str(path) for path in rejects],
        )
        _note(self.folder / "done.json", asdict(report))
        return report

    def elapsed(self) -> timedelta:
        return timedelta(seconds=sum(self.seconds.values()))

    def open(self, stores: tuple[tuple[str, str, str], ...]) -> tuple[Merchant, str]:
        """The merchant with everything it needs before the first order, all or nothing."""
        demo = self.demo
        password = _password(self.folder / "password")
        with transaction.atomic():
            owner, owner_name, _ = demo.staff[0]
            opened = open_shop(
                name=demo.name, zone=demo.zone, currency=demo.currency, stores=[*demo.stores, *stores], owner=owner, owner_name=owner_name,
                password=password, charter=document.ready(demo.charter), charter_from=demo.begins,
                clock_shift=_shift(demo, self.now), now=demo.begins, actor=ACTOR,
            )  # fmt: skip
            for username, name, role in demo.staff[1:]:
                if queries.staff_by_username(opened.merchant, username) is None:
                    shops.create_staff(
                        merchant=opened.merchant, username=username, password=password, name=name, role=role,
                        now=demo.begins, actor=ACTOR,
                    )  # fmt: skip
            if demo.attributes:
                members.define_attributes(merchant=opened.merchant, definitions=demo.attributes)
        return opened.merchant, password


def _shift(demo: DemoShop, now: datetime) -> int:
    """Seconds from the real time to the end of the demo's history."""
    return round((demo.ends - now).total_seconds())


def _password(path: Path) -> str:
    """One password for all accounts of the demo, made once and kept readable by its owner alone."""
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(shops.new_password())
    return path.read_text().strip()


def _finished(demo: DemoShop, folder: Path) -> DemoReport | None:
    """The report of a demo that was made to the end, if its merchant is still in this database."""
    done = folder / "done.json"
    if not done.exists():
        return None
    merchant = Merchant.objects.filter(name=demo.name).first()
    if merchant is None:
        done.unlink()  # the database was emptied since
        return None
    told = json.loads(done.read_text())
    clock = queries.now(merchant).astimezone(merchant.tz).replace(microsecond=0).isoformat()
    return DemoReport(**{**told, "made": False, "clock": clock})


def _note(path: Path, content: dict) -> None:
    """Whole or not at all: a half-written note would call an unfinished demo finished."""
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
    draft.replace(path)


def _clear(home: Path) -> None:
    """Delete the database and the demo's files, if every merchant in it is a demo."""
    if connection.vendor != "sqlite":
        raise NotOnlyDemos(
            "--fresh only empties a database of its own, in SHUKE_HOME. On PostgreSQL, make an empty database and name it "
            "in DATABASE_URL."
        )
    if schema.state() is schema.State.CURRENT:
        names = {demo.name for demo in SHOPS.values()}
        others = [merchant.name for merchant in queries.merchants() if merchant.name not in names]
        if others:
            raise NotOnlyDemos(
                f"“{'”, “'.join(others)}” lives in {settings.SHUKE_HOME} and is no demo, so nothing was deleted. "
                "Set SHUKE_HOME to another folder for the demo."
            )
    database = Path(connection.settings_dict["NAME"])
    connection.close()
    for path in (database, *database.parent.glob(database.name + "-*")):
        path.unlink(missing_ok=True)
    for demo in SHOPS.values():
        for path in sorted((home / "demo" / demo.key).rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
