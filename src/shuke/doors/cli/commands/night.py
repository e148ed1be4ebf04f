"""`shuke night`: what the worker does at two in the morning, now."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from shuke.doors.cli.bars import Bars
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _


@declared(
    "night",
    _(
        "Run the night: points expire, tiers are reviewed, figures of the day are kept, the books are sealed. Safe to run twice."
    ),
    "shuke night\nshuke night --date 2026-11-21",
)
@click.option("--date", "day", type=DAY, help=_("the shop day that is over; default: yesterday"))
def command(desk: Desk, day: datetime | None) -> None:
    from shuke.flows.night import night_run
    from shuke.flows.timetable import book_night
    from shuke.shops import queries

    today = queries.today(desk.merchant)
    over = day.date() if day else today - timedelta(days=1)
    if over >= today:
        raise Refused(
            _("{day} is not over yet. The latest day a night can follow is {last}.").format(
                day=over, last=today - timedelta(days=1)
            )
        )
    with Bars(quiet=desk.as_json) as progress:
        night = night_run(merchant=desk.merchant, day=over, now=desk.now, progress=progress)
    book_night(desk.merchant, over)
    if desk.as_json:
        desk.json(night)
        return
    desk.facts(
        [
            (_("day"), night.day),
            (_("members whose books moved"), night.members),
            (_("postings"), night.postings),
            (_("snapshots"), night.snapshots),
            (_("postings sealed"), night.sealed),
        ]
    )
