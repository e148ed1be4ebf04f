"""Simulation: the whole history under a changed charter, beside today's, before anything is published.

    seen = simulate(merchant=shop, charter=draft, since=None, now=now)

The history is read once, in one read-only transaction, and kept as columns under SHUKE_HOME/simulation until something
in it changes; what today's charter makes of it is kept beside. The folding is done by processes that know no database.
Nothing is written to any table. docs/algorithms/simulation.md.
"""

from __future__ import annotations

import json
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from django.conf import settings

from shuke.engine.charter import document
from shuke.engine.charter.succession import heirs
from shuke.engine.charter.tiering import Tier
from shuke.engine.simulation import member as one_member
from shuke.engine.simulation import selling
from shuke.engine.simulation.history import History
from shuke.engine.simulation.share import YEAR, Setting, Side, Version, allot, fold_all, request, shares
from shuke.flows.kept_history import Kept
from shuke.kit import clock, jobs
from shuke.kit.money import digits
from shuke.kit.progress import Progress, Silent
from shuke.kit.refusal import Refusal, Sentences
from shuke.loyalty.queries import charters
from shuke.loyalty.queries import simulation as stored
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

HERE_AT_MOST = 4_000  # purchases folded in this process; starting others takes longer than that
AFTER = timedelta(days=92)  # how far beyond a coming date the clock runs on
JOB = "simulate-charter"
KEEP = timedelta(days=7)
SHOWN = 500  # members named in the list of who moves; the counts are always of all


class TooFar(Refusal):
    """The date is further ahead than last year's trade can be repeated."""

    sentences: ClassVar[Sentences] = {
        "too_far_ahead": (
            "{since} is too far ahead: at most {most} can be simulated.",
            "{since} 太远：最多可模拟到 {most}。",
        )
    }


class Mover(NamedTuple):
    """Somebody whose tier would be another."""

    member_id: int
    before: str
    after: str
    up: bool
    points_before: int
    points_after: int


@dataclass(slots=True)
class Simulation:
    """Both sides. `moves` counts (tier now, tier then) over everybody; `movers` names the first of those who move."""

    as_of: datetime
    until: datetime
    since: date | None
    repeated: bool  # last year's trade stands for what is to come
    purchases: int
    members: int
    before: dict[str, Any] | None  # figures under the published charters; None: there are none
    after: dict[str, Any]
    moves: list[tuple[str, str, int]]
    movers: list[Mover]
    up: int
    down: int
    seconds: dict[str, float]
    tiers_before: list[dict[str, Any]]  # the ladder: key, names
    tiers_after: list[dict[str, Any]]
    assumed: list[dict[str, Any]]  # what the discounts rest on, each with a sentence in both languages

    def plain(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of.isoformat(),
            "until": self.until.isoformat(),
            "since": self.since.isoformat() if self.since else None,
            "repeated": self.repeated,
            "purchases": self.purchases,
            "members": self.members,
            "before": self.before,
            "after": self.after,
            "up": self.up,
            "down": self.down,
            "moves": [list(m) for m in self.moves],
            "movers": [m._asdict() for m in self.movers],
            "seconds": self.seconds,
            "tiers_before": self.tiers_before,
            "tiers_after": self.tiers_after,
            "assumed": self.assumed,
        }


def simulate(
    *,
    merchant: Merchant,
    charter: document.Charter,
    since: date | None = None,
    now: datetime,
    progress: Progress | None = None,
    processes: int | None = None,
    keep: bool = True,
) -> Simulation:
    """What the books would be. `since`: the changed charter counts from this shop day on, the published ones before it;
    None: it counts for all of history. A day still to come is simulated by letting the clock run on and repeating the
    trade of a year before, on both sides alike. Raises TooFar.
    """
    shown = progress or Silent()
    began = time.perf_counter()
    today, changed = sides(merchant, charter, since, now)
    with Kept(merchant, keep) as kept:
        history = kept.history(shown)
        read = time.perf_counter()
        count = processes or _processors()
        if history.purchases <= HERE_AT_MOST and processes is None:
            count = 0
        wanted = {"after": changed}
        before = kept.side(today) if today is not None else None
        if today is not None and before is None:
            wanted["before"] = today
        budgeted = changed.compiled().has_budgets
        shown.total(len(history.members) * (len(wanted) + budgeted), "members")

        if count:
            history = kept.read = history.outline()

        def fold(settings_: dict[str, Setting]) -> dict[str, Side]:
            return (
                _fold_here(history, settings_, shown)
                if not count
                else _fold_in_processes(kept, settings_, count, shown)
            )

        if budgeted:  # who gets what of a budget is known only when everybody has asked
            grants = kept.scratch / "grants.json"
            grants.write_text(json.dumps(allot(fold({"wishes": changed._replace(grants="wished")})["wishes"].wishes)))
            wanted["after"] = changed._replace(grants=str(grants))
        done = fold(wanted)
        if "before" in done and today is not None:
            before = done["before"]
            kept.keep_side(today, before)
    folded = time.perf_counter()
    used = stored.coupons_used(merchant, selling.LEAST)
    seconds = {"read": read - began, "fold": folded - read}
    return _told(history, today, changed, before, done["after"], since, now, seconds, used)


def explain(
    *, merchant: Merchant, charter: document.Charter, member_id: int, since: date | None = None, now: datetime
) -> dict[str, Any] | None:
    """One member under both charters, each point and each tier explained; None: nobody of this number."""
    today, changed = sides(merchant, charter, since, now)
    with Kept(merchant, True) as kept:
        history = kept.history(Silent())
    places = [n for n, pk in enumerate(history.members.tolist()) if pk == member_id]
    if not places:
        return None
    if changed.compiled().has_budgets:
        changed = changed._replace(grants="wished")  # one member alone finds every budget full
    both = {"after": changed} if today is None else {"before": today, "after": changed}
    return one_member.beside(history, places[0], both)


def sides(
    merchant: Merchant, charter: document.Charter, since: date | None, now: datetime
) -> tuple[Setting | None, Setting]:
    """Today's versions, and the same with the changed charter: for everything, or from a day on."""
    as_of = now.replace(
        minute=0, second=0, microsecond=0
    )  # so that the next one within the hour finds today's side kept
    published = charters.published(merchant)
    number = max((v.number for v in published), default=0) + 1
    plain = document.to_plain(charter)
    until, echo = as_of, None
    if since is None:
        first = min((v.since for v in published), default=as_of)
        versions: tuple[Version, ...] = (Version(first, number, plain),)
    else:
        start = clock.day_start(since, merchant.tz)
        if start > as_of:
            until, echo = start + AFTER, as_of
            if until > as_of + YEAR:
                raise TooFar("too_far_ahead", since=since, most=(as_of + YEAR - AFTER).date())
        versions = (*(v for v in published if v.since < start), Version(start, number, plain))
    zone = merchant.zone
    today = Setting(tuple(published), zone, until, echo) if published else None
    return today, Setting(versions, zone, until, echo)


def _processors() -> int:
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return min(8, len(allowed))


def _told(
    history: History,
    today: Setting | None,
    changed: Setting,
    before: Side | None,
    after: Side,
    since: date | None,
    now: datetime,
    seconds: dict[str, float],
    used: dict[str, float],
) -> Simulation:
    both = [setting.compiled().last.charter for setting in (today, changed) if setting is not None]
    sides_ = [side.selling for side in (before, after) if side is not None]
    ladder_after = _ladder(changed)
    ladder_before = _ladder(today) if today is not None else []
    rank = {t["key"]: n for n, t in enumerate(ladder_after)}
    heir = heirs(_tiers(today), _tiers(changed)) if today is not None else {}
    counts: dict[tuple[str, str], int] = {}
    movers: list[Mover] = []
    if before is not None:
        for n, (was, will) in enumerate(zip(before.tier, after.tier, strict=True)):
            counts[was, will] = counts.get((was, will), 0) + 1
            if was != will and (step := rank[will] - rank[heir[was].key] or -(heir[was].how == "removed")):
                points = before.points[n], after.points[n]  # the same tier by another name is no move
                movers.append(Mover(int(history.members[n]), was, will, step > 0, *points))
    # Who falls comes first: that is what one wants to know before publishing.
    movers.sort(key=lambda m: (m.up, -abs(m.points_after - m.points_before), m.member_id))
    return Simulation(
        as_of=now,
        until=changed.until,
        since=since,
        repeated=changed.echo_from is not None,
        purchases=history.purchases,
        members=len(history.members),
        before=_figures(before, today, used) if before is not None and today is not None else None,
        after=_figures(after, changed, used),
        moves=sorted((was, will, n) for (was, will), n in counts.items()),
        movers=[m for m in movers if not m.up][:SHOWN] + [m for m in movers if m.up][:SHOWN],
        up=sum(m.up for m in movers),
        down=sum(not m.up for m in movers),
        seconds={name: round(value, 2) for name, value in seconds.items()},
        tiers_before=ladder_before,
        tiers_after=ladder_after,
        assumed=selling.assumed(sides_, both, used, used.keys() - {""}),
    )


def _figures(side: Side, setting: Setting, used: dict[str, float]) -> dict[str, Any]:
    """One side as numbers: the books, and what is taken off prices."""
    versions = setting.compiled()
    coupons = {t.key: t for _, terms in versions.begun for t in terms.charter.selling.coupons}
    return side.figures.plain() | selling.plain(side.selling, coupons, used, 10 ** digits(versions.last.currency))


def _tiers(setting: Setting) -> tuple[Tier, ...]:
    return setting.compiled().at(setting.until).charter.tiers


def _ladder(setting: Setting) -> list[dict[str, Any]]:
    return [{"key": t.key, "name": t.name.model_dump(), "multiplier": str(t.multiplier)} for t in _tiers(setting)]


# -- as a job -----------------------------------------------------------------------------------------------------------


def simulate_later(
    *,
    merchant: Merchant,
    charter: document.Charter,
    since: date | None,
    draft: tuple[int, int] | None,
    now: datetime,
    actor: str,
) -> int:
    """Let the worker simulate; the job's id. `draft`: id and revision of what is simulated. Raises TooFar."""
    sides(merchant, charter, since, now)  # a day too far ahead is refused at once
    arguments = {
        "document": document.to_plain(charter),
        "since": since.isoformat() if since else None,
        "draft": list(draft) if draft else None,
        "actor": actor,
    }
    return jobs.enqueue(JOB, arguments, merchant_id=merchant.pk, now=clock.utc_now(), max_attempts=2)


@jobs.handler(JOB)
def run_simulation(running: jobs.Running) -> None:
    """The job: what came out is a file under its number, for a week. A second start writes the same file again."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    asked = running.arguments
    try:
        seen = simulate(
            merchant=merchant,
            charter=document.from_plain(asked["document"]),
            since=date.fromisoformat(asked["since"]) if asked["since"] else None,
            now=shop_now(merchant),
            progress=Shown(running),
        )
    except TooFar as error:
        raise jobs.Permanent(str(error)) from error
    path = result_file(merchant.pk, running.id)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(seen.plain(), ensure_ascii=False))
    draft.replace(path)
    for old in path.parent.glob("job-*.json"):
        if old.stat().st_mtime < clock.utc_now().timestamp() - KEEP.total_seconds():
            old.unlink(missing_ok=True)


def result_file(merchant_id: int, job_id: int) -> Path:
    return Path(settings.SHUKE_HOME) / "simulation" / str(merchant_id) / f"job-{job_id}.json"


def result(merchant_id: int, job_id: int) -> dict[str, Any] | None:
    """What a simulation came to; None when it has not ended, or its file is gone."""
    path = result_file(merchant_id, job_id)
    return json.loads(path.read_text()) if path.exists() else None


class Shown:
    """Progress of the simulation in the job's row, at most a few times a second."""

    def __init__(self, running: jobs.Running) -> None:
        self._running = running
        self._total: int | None = None
        self._done, self._what, self._said = 0, "", 0.0

    def total(self, count: int | None, what: str = "") -> None:
        self._total, self._done, self._what, self._said = count, 0, what, 0.0
        self._say()

    def advance(self, count: int = 1) -> None:
        self._done += count
        if time.monotonic() - self._said > 0.3:
            self._say()

    def note(self, text: str) -> None:
        self._what = text
        self._say()

    def _say(self) -> None:
        self._said = time.monotonic()
        self._running.progress(self._done, self._total, self._what)


# -- folding ----------------------------------------------------------------------------------------------------------


def _fold_here(history: History, wanted: dict[str, Setting], shown: Progress) -> dict[str, Side]:
    return {name: fold_all(history, setting, tell=shown.advance) for name, setting in wanted.items()}


def _fold_in_processes(kept: Kept, wanted: dict[str, Setting], count: int, shown: Progress) -> dict[str, Side]:
    """Shares of the members to processes of their own; several shares each, so that none waits long for another."""
    history = kept.read
    assert history is not None
    todo = [
        (name, setting, first, last, kept.scratch / f"{name}-{first}.pickle")
        for name, setting in wanted.items()
        for first, last in shares(history, max(1, count // len(wanted)) if count >= len(wanted) else 1)
    ]
    said: queue.Queue[int | None] = queue.Queue()
    running: list[subprocess.Popen[str]] = []
    try:
        waiting = list(todo)
        open_ = 0
        while waiting or open_:
            while waiting and open_ < count:
                name, setting, first, last, result = waiting.pop(0)
                running.append(_start(setting, kept.columns, first, last, result, said))
                open_ += 1
            done = said.get()
            if done is None:
                open_ -= 1
            else:
                shown.advance(done)
        for process in running:
            if process.wait():
                raise RuntimeError(
                    f"A share of the simulation failed: {(process.stderr and process.stderr.read()) or ''}"[-2000:]
                )
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
    sides: dict[str, Side] = {}
    for name, _, _, _, result in todo:  # in the order of the members
        with result.open("rb") as file:
            part: Side = pickle.load(file)
        if name in sides:
            sides[name].merge(part)
        else:
            sides[name] = part
    return sides


def _start(
    setting: Setting, columns: Path, first: int, last: int, result: Path, said: queue.Queue[int | None]
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "shuke.engine.simulation.share"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert process.stdin is not None
    process.stdin.write(request(setting, columns, first, last, result))
    process.stdin.close()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.put(int(line))
        said.put(None)

    threading.Thread(target=listen, daemon=True).start()
    return process
