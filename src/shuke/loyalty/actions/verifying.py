"""Looking at the books, and remembering what was found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from shuke.loyalty import queries
from shuke.loyalty.models import Verification
from shuke.loyalty.queries.verify_recent import TooMuch, verify_recent
from shuke.shops.models import Merchant

WHOLE_EVERY = timedelta(days=7)
KEPT = 20  # findings; verify tells all of them whenever it is asked


class Verified(NamedTuple):
    """What was found, and how much was looked at."""

    report: queries.Report
    row: Verification


def verify_books(
    *,
    merchant: Merchant,
    whole: bool | None = None,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> Verified:
    """Verify everything, or (`whole=False`) what was booked since the last look that found the books right; where there was none,
    or too much was booked, everything too. None: everything once a week. Changes nothing but the memory of it."""
    base = queries.last_verification(merchant)
    if whole is None:
        last = queries.last_verification(merchant, whole=True)
        whole = last is None or now - last.at >= WHOLE_EVERY
    report = None
    if not whole and base is not None and base.ok:
        with suppress(TooMuch):
            report = verify_recent(merchant, base, progress=progress)
    whole = report is None
    if report is None:
        report = queries.verify(merchant, progress=progress)
    row = Verification.objects.create(
        merchant=merchant,
        at=now,
        whole=whole,
        ok=report.ok,
        seal=report.reached.seal,
        digest=report.reached.digest,
        members=report.figures["members"],
        findings=[list(found) for found in report.findings[:KEPT]],
        count=len(report.findings),
    )
    return Verified(report, row)
