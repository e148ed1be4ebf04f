"""The brake on guessing passwords. Failures are lines of the audit log, so no other store is needed to count them.

Within a quarter of an hour: five failures for one account from one address, or thirty from one address whatever the
account, and that pair or address has to wait until the oldest of them is a quarter of an hour old. An account is not
locked for other addresses: nobody can lock out the owner by guessing badly from elsewhere.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from shuke.kit import audit
from shuke.kit.models import AuditLine

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 5
PER_ADDRESS = 30
VERB = "staff.sign_in_failed"


def wait_minutes(*, username: str, address: str, now: datetime) -> int:
    """Minutes to wait before the next try; 0 = try now."""
    failures = AuditLine.objects.filter(merchant_id=None, verb=VERB, address=address, at__gt=now - WINDOW)
    newest_first = list(failures.order_by("-at").values_list("object", "at")[:PER_ADDRESS])
    account = _account(username)
    own = [at for name, at in newest_first if name == account]
    until = now
    if len(own) >= PER_ACCOUNT:
        until = max(until, own[PER_ACCOUNT - 1] + WINDOW)
    if len(newest_first) >= PER_ADDRESS:
        until = max(until, newest_first[-1][1] + WINDOW)
    return -(-int((until - now).total_seconds()) // 60)


def note_failure(*, username: str, address: str, now: datetime) -> None:
    """Remember one failure. The name typed may be a password typed in the wrong box, so only its digest is kept."""
    audit.record(merchant_id=None, at=now, actor="nobody", verb=VERB, object=_account(username), address=address)


def _account(username: str) -> str:
    return "account " + hashlib.sha256(username.strip().casefold().encode()).hexdigest()[:16]
