"""`shuke insight engine`: where the analyses run, what a night costs there, and when a cluster is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shuke.doors.cli.commands.insight import command
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import NOT_READY
from shuke.doors.cli.words import _

if TYPE_CHECKING:
    from shuke.engine.insight.port_estimate import Outlook

GB = 1 << 30


@declared(
    "engine",
    _(
        "Where the analyses run, what a night will take there, and whether this machine still suits the history. Ends with 3 when the engine does not answer."
    ),
    "shuke insight engine\nshuke insight engine --ask",
    group=command,
)
@click.option("--ask", is_flag=True, help=_("ask the engine something, to see that it answers"))
def engine(desk: Desk, ask: bool) -> int:
    from shuke.insight.queries import analytics

    told = analytics.outlooks()[desk.merchant.pk]
    failure = _asked() if ask else None
    if desk.as_json:
        desk.json(
            {"engine": analytics.address() or "duckdb", **told._asdict(), "hand_over": told.hand_over}
            | ({"answers": failure is None, "failure": failure} if ask else {})
        )
        return NOT_READY if failure else 0
    desk.facts(
        [
            (_("engine"), analytics.address() or _("DuckDB, in this process")),
            (
                _("history"),
                _("{orders:,} orders, {lines:,} lines, {members:,} members").format(**told.size._asdict()),
            ),
            (_("a night takes about"), minutes(told.seconds)),
            (
                _("temporary files of about"),
                _("{need:.1f} GB; {free:.1f} GB of disk are free").format(
                    need=told.temp_bytes / GB, free=told.free_disk / GB
                ),
            ),
        ],
        title=_("Analyses"),
    )
    desk.say(advice(told, on_cluster=analytics.on_cluster()))
    if ask:
        desk.say(failure or _("The engine answers."))
    return NOT_READY if failure else 0


def minutes(seconds: float) -> str:
    return (
        _("{n:.0f} seconds").format(n=max(seconds, 1)) if seconds < 120 else _("{n:.0f} minutes").format(n=seconds / 60)
    )


def advice(told: Outlook, *, on_cluster: bool) -> str:
    """When to hand over, in words."""
    if not told.hand_over:
        if on_cluster:
            return _(
                "One machine would do: a cluster of as many cores takes three to nine times as long. Unset SHUKE_ANALYTICS to come back."
            )
        return _("This machine suits the history.")
    why = {
        "temp": _("the temporary files would take more than half of the free disk, or more than they may"),
        "time": _("the night would be longer than {window}").format(window=minutes(told.window)),
        "queue": _("the nights of all shops here, one after another, would take {time}, longer than {window}").format(
            time=minutes(told.all_seconds), window=minutes(told.window)
        ),
    }
    reasons = "; ".join(why[code] for code in told.reasons)
    if on_cluster:
        return _("A cluster is right for this history: on one machine {reasons}.").format(reasons=reasons)
    return _(
        "This machine is too small for the history: {reasons}. Give it more disk or cores, or set SHUKE_ANALYTICS to a Spark cluster (docs/scale.md)."
    ).format(reasons=reasons)


def _asked() -> str | None:
    """What went wrong when the engine was asked, None if nothing."""
    from shuke.engine.insight.port import EngineFailed
    from shuke.insight.queries import analytics

    try:
        with analytics.opened() as there:
            there.files("heads", [])
            there.run("history", as_of=0)
    except EngineFailed as error:
        return str(error)
    return None
