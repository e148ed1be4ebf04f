"""Folding a share of the members under each charter: in this process, or as a process of its own.

    python -m shuke.engine.simulation.share < request.json

reads where the history lies and what to fold, says on its output how many members are done, and leaves its result in a
file. Processes of their own, not forks: the caller may be a worker with threads and an open database, and a share must
be able to reach neither.
"""

from __future__ import annotations

import gc
import json
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from shuke.engine.charter import document
from shuke.engine.charter.rules import Rule
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold, replay
from shuke.engine.ledger.purse import ClosedPurse, Grant, Purse
from shuke.engine.simulation.figures import Figures
from shuke.engine.simulation.history import Goods, History, Life, load
from shuke.engine.simulation.selling import Pricer, Selling

YEAR = timedelta(days=364)  # whole weeks, so that a Saturday's trade is repeated on a Saturday


class Version(NamedTuple):
    """One version of a charter: since when, its number, the document."""

    since: datetime
    number: int
    document: dict[str, Any]


class Setting(NamedTuple):
    """One side: the versions that count, and until when the history runs.

    `echo_from`: events of the year before this moment are repeated a year later, up to `until`; None: nothing is.
    `grants`: what events draw from budgets: "booked" what the books have, "wished" all they ask for, or a file that says.
    """

    versions: tuple[Version, ...]
    zone: str
    until: datetime
    echo_from: datetime | None = None
    grants: str = "booked"

    def compiled(self) -> Versions:
        zone = ZoneInfo(self.zone)
        return Versions([(v.since, Terms(document.published(v.document), zone, v.number)) for v in self.versions])


@dataclass(slots=True)
class Side:
    """What one charter makes of a share of the members; arrays in the order of the members."""

    figures: Figures = field(default_factory=Figures)
    tier: list[str] = field(default_factory=list)
    points: list[int] = field(default_factory=list)  # available at the end
    outstanding: list[int] = field(default_factory=list)
    debt: list[int] = field(default_factory=list)
    issued: list[int] = field(default_factory=list)
    wishes: list[tuple[datetime, str, str, int, int]] = field(default_factory=list)  # at, event, rule, wanted, budget
    selling: Selling = field(default_factory=Selling)

    def add(
        self, fold: Fold, versions: Versions, until: datetime, months: dict[tuple[int, int, int, int], str]
    ) -> None:
        self.figures.add(fold, versions, until, months)
        self.tier.append(fold.tier_at(versions.at(until)))
        self.points.append(fold.books.available(until))
        self.outstanding.append(fold.books.balance)
        self.debt.append(fold.books.debt)
        self.issued.append(-sum(e.legs.get("issued", 0) for e in fold.effects))

    def merge(self, other: Side) -> None:
        self.figures.merge(other.figures)
        self.selling.merge(other.selling)
        for name in ("tier", "points", "outstanding", "debt", "issued", "wishes"):
            getattr(self, name).extend(getattr(other, name))


class Wishes(Purse):
    """A purse that never runs dry, and remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.budgets: dict[str, int] = {}

    def draw(self, rule: Rule, event: str, wanted: int) -> int:
        assert rule.budget is not None
        self.budgets[rule.key] = rule.budget.points
        return super().draw(rule, event, wanted)

    def left(self, rule: Rule) -> int:
        return 1 << 62

    def told(self, events: Sequence[ev.Event]) -> list[tuple[datetime, str, str, int, int]]:
        """What these events asked for; forgotten afterwards."""
        at = {e.event: e.at for e in events}
        found = [
            (at[event], event, rule, grant.wanted, self.budgets[rule])
            for (event, rule), grant in self.grants.items()
            if event in at
        ]
        self.grants.clear()
        return found


def allot(wishes: list[tuple[datetime, str, str, int, int]]) -> list[tuple[str, str, int, int, int]]:
    """Budgets given out in the order of events: who comes first gets all, the last what is left."""
    taken: dict[str, int] = {}
    found = []
    for _, event, rule, wanted, budget in sorted(wishes):
        given = max(0, min(wanted, budget - taken.get(rule, 0)))
        taken[rule] = taken.get(rule, 0) + given
        found.append((event, rule, wanted, given, 0))
    return found


def purse_for(history: History, setting: Setting, versions: Versions) -> Purse | None:
    if not versions.has_budgets:
        return None
    if setting.grants == "wished":
        return Wishes()
    rows = history.grants if setting.grants == "booked" else json.loads(Path(setting.grants).read_text())
    return ClosedPurse({(event, rule): Grant(*figures) for event, rule, *figures in rows})


def fold_of(life: Life, setting: Setting, versions: Versions, purse: Purse | None = None) -> Fold:
    """One member's whole history under one charter."""
    return replay(
        versions,
        told(life.events, setting),
        joined_at=life.joined_at,
        birthdays=life.birthdays,
        until=setting.until,
        purse=purse,
    )


def told(events: Sequence[ev.Event], setting: Setting) -> list[Any]:
    """What counts up to `until`, and where nothing is known yet, last year's trade once more."""
    known = [e for e in events if e.at <= setting.until]
    if setting.echo_from is None:
        return known
    seen: set[str] = set()
    for event in events:
        again = event.at + YEAR
        if not setting.echo_from < again <= setting.until:
            continue
        if type(event) is ev.Purchase:
            seen.add(event.event)
            known.append(event._replace(event=event.event + "~", at=again))
        elif type(event) is ev.Refunded and event.order in seen:
            known.append(event._replace(event=event.event + "~", order=event.order + "~", at=again))
    return known


def fold_all(
    history: History,
    setting: Setting,
    *,
    first: int = 0,
    last: int | None = None,
    tell: Callable[[int], object] = lambda done: None,
) -> Side:
    """A share of the members under one charter. `tell` hears every hundred members."""
    versions = setting.compiled()
    purse = purse_for(history, setting, versions)
    side = Side()
    months: dict[tuple[int, int, int, int], str] = {}
    done = 0
    pricer = Pricer(history, versions, setting.until)
    row = history.rows_of(first, last)[0]
    for life in history.lives(Goods(history, versions, first, last), first, last):
        fold = fold_of(life, setting, versions, purse)
        side.add(fold, versions, setting.until, months)
        if pricer.on:
            bought = [e for e in life.events if type(e) is ev.Purchase]
            pricer.look(fold, _rows(bought, row, setting), life.birthdays)
            row += len(bought)
        if isinstance(purse, Wishes):
            side.wishes += purse.told(told(life.events, setting))
        done += 1
        if done == 100:
            tell(done)
            done = 0
    tell(done)
    side.selling = pricer.found
    return side


def _rows(bought: Sequence[ev.Purchase], first: int, setting: Setting) -> list[tuple[int, ev.Purchase]]:
    """Purchases that count, with the rows of their goods, as they happened; those that are repeated have those of the first."""
    row_of = {purchase.event: first + n for n, purchase in enumerate(bought)}
    known = [(row_of[p.event.removesuffix("~")], p) for p in told(bought, setting)]
    return sorted(known, key=lambda one: (one[1].at, one[1].event))


def shares(history: History, count: int) -> list[tuple[int, int]]:
    """Ranges of members with about as many purchases each."""
    if count <= 1 or len(history.members) < 2:
        return [(0, len(history.members))]
    rows = history.kinds.get("Purchase")
    weight = np.ones(len(history.members), np.int64)
    if rows is not None:
        weight += np.bincount(rows.owner, minlength=len(history.members)) * 4
    sums = np.cumsum(weight)
    cuts = np.searchsorted(sums, [sums[-1] * n // count for n in range(1, count)]).tolist()
    bounds = sorted({0, *cuts, len(history.members)})
    return list(pairwise(bounds))


# -- as a process -----------------------------------------------------------------------------------------------------


def request(setting: Setting, history: Path, first: int, last: int, result: Path) -> str:
    """What a process of its own is told on its input."""
    return json.dumps(
        {
            "versions": [[v.since.isoformat(), v.number, v.document] for v in setting.versions],
            "zone": setting.zone,
            "until": setting.until.isoformat(),
            "echo_from": setting.echo_from.isoformat() if setting.echo_from else None,
            "grants": setting.grants,
            "history": str(history),
            "first": first,
            "last": last,
            "result": str(result),
        }
    )


def main() -> None:
    gc.disable()  # a fold leaves no cycles behind, and looking for them takes a sixth of the time
    asked = json.load(sys.stdin)
    setting = Setting(
        tuple(Version(datetime.fromisoformat(s), n, d) for s, n, d in asked["versions"]),
        asked["zone"],
        datetime.fromisoformat(asked["until"]),
        datetime.fromisoformat(asked["echo_from"]) if asked["echo_from"] else None,
        asked["grants"],
    )
    side = fold_all(
        load(Path(asked["history"])),
        setting,
        first=asked["first"],
        last=asked["last"],
        tell=lambda done: print(done, flush=True),
    )
    with Path(asked["result"]).open("wb") as file:
        pickle.dump(side, file)


if __name__ == "__main__":
    from shuke.engine.simulation.share import (
        main as fold_my_share,
    )  # so that results are of the module, not of __main__

    fold_my_share()
