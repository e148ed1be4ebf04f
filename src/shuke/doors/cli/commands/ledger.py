"""`shuke ledger verify`: are the books right?"""

from __future__ import annotations

import click

from shuke.doors.cli.bars import Bars
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import REFUSED
from shuke.doors.cli.words import _, language


@click.group("ledger", help=_("The books of the points."))
def command() -> None:
    """The books."""


@declared(
    "verify",
    _(
        "Check every invariant of the books (I1 to I18), fold each member's facts anew and compare, and walk the hash chain. "
        "--recent: only what was booked since the books were last found right. Changes nothing but remembers what it found "
        "(`shuke doctor` tells it). Ends with 1 when anything is wrong."
    ),
    "shuke ledger verify\nshuke ledger verify --recent\nshuke ledger verify --json",
    group=command,
)
@click.option("--recent", is_flag=True, help=_("only what was booked since the last look that found nothing"))
def verify(desk: Desk, recent: bool) -> int:
    from shuke.loyalty import actions
    from shuke.loyalty import queries as loyalty
    from shuke.loyalty.queries.book_words import say

    with Bars(quiet=desk.as_json) as progress:
        progress.total(None, _("members checked"))
        told = actions.verify_books(merchant=desk.merchant, whole=not recent, now=desk.now, progress=progress.advance)
    report = told.report
    if desk.as_json:
        plain = {**report._asdict(), "reached": report.reached._asdict(), "whole": told.row.whole}
        more = {"state_hash": loyalty.state_hash(desk.merchant)} if told.row.whole else {}
        desk.json({"ok": report.ok, **plain, **more})
        return 0 if report.ok else REFUSED
    wrong = {finding.invariant for finding in report.findings}
    desk.table(
        ["", "", _("always true")],
        [("✗" if code in wrong else "✓", code, say(says, language())) for code, says in report.checked],
    )
    desk.facts([(say(name, language()), count) for name, count in report.figures.items()])
    for finding in report.findings:
        desk.say(f"✗ {finding.invariant} {say(finding.row, language())}: {say(finding.problem, language())}")
    if told.row.whole:
        desk.say(_("state {hash}").format(hash=loyalty.state_hash(desk.merchant)))
    desk.say(
        _("The books are right.")
        if report.ok
        else _("The books are wrong in {count} places.").format(count=len(report.findings))
    )
    return 0 if report.ok else REFUSED
