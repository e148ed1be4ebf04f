"""`shuke worker`: does what is due, until stopped."""

from __future__ import annotations

import click

from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _


@declared(
    "worker",
    _(
        "Do the work that waits: imports, exports, the night run. `shuke serve` starts one by itself. Ctrl-C lets it finish "
        "the job in hand; killed at any moment, the next worker takes over."
    ),
    "shuke worker\nshuke worker --once",
)
@click.option("--once", is_flag=True, help=_("end when nothing is due"))
def command(desk: Desk, once: bool) -> None:
    from shuke.flows import timetable
    from shuke.kit.worker import Worker

    timetable.install()
    worker = Worker(tick=timetable.tick, tell=lambda line: click.echo(line, err=True))
    worker.listen_to_signals()
    ended = worker.run(once=once)
    if desk.as_json:
        desk.json(ended)
