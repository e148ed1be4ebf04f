"""`shuke ledger verify`: are the books right?"""

from __future__ import annotations

import click

from shuke.doors.cli.bars import Bars
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import REFUSED
from shuke.doors.cli.words import _


@click.group("ledger", help=_("The books of the points."))
def command() -> None:
    """The books."""


@declared(
    "verify",
    _(
        "Check every invariant of the books (I1 to I18), fold each member's facts anew and compare, and walk the hash chain. "
        "Changes nothing. Ends with 1 when anything is wrong."
    ),
    "shuke ledger verify\nshuke ledger verify --json",
    group=command,
)
def verify(desk: Desk) -> int:
    from shuke.loyalty import queries as loyalty

    with Bars(quiet=desk.as_json) as progress:
        progress.total(None, _("members checked"))
        report = loyalty.verify(desk.merchant, progress=progress.advance)
    if desk.as_json:
        desk.json({"ok": report.ok, **report._asdict(), "state_hash": loyalty.state_hash(desk.merchant)})
        return 0 if report.ok else REFUSED
    wrong = {finding.invariant for finding in report.findings}
    desk.table(
        ["", "", _("always true")],
        [("✗" if code in wrong else "✓", code, says) for code, says in report.checked],
    )
    desk.facts([(name, count) for name, count in report.figures.items()])
    for finding in report.findings:
        desk.say(f"✗ {finding.invariant} {finding.row}: {finding.problem}")
    desk.say(_("state {hash}").format(hash=loyalty.state_hash(desk.merchant)))
    desk.say(
        _("The books are right.")
        if report.ok
        else _("The books are wrong in {count} places.").format(count=len(report.findings))
    )
    return 0 if report.ok else REFUSED
