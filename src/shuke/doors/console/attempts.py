"""The brake on guessing passwords. Failures are lines of the audit log, so no other store is needed to count them.

Within a quarter of an hour: five failures for one account from one address, or thirty from one address whatever the
account, and that pair or address has to wait until the oldest of them is a quarter of an hour old. An account is not
locked for other addresses: nobody can lock out the owner by guessing badly from elsewhere.

Whoever guesses at the second factor knows the password already, and may come from many addresses: after twenty wrong codes
within an hour the account takes no more codes until the oldest is an hour old, wherever they are typed.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from shuke.kit import audit
from shuke.kit.models import AuditLine
from shuke.shops.models import Staff

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 5
PER_ADDRESS = 30
VERB = "staff.sign_in_failed"
CODE_WINDOW, PER_CODE, CODE_VERB = timedelta(hours=1), 20, "staff.code_failed"


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


def wait_for_code(staff: Staff, *, address: str, now: datetime) -> int:
    """Minutes to wait before the next code; 0 = try now."""
    failures = AuditLine.objects.filter(
        merchant_id=staff.merchant_id, verb=CODE_VERB, object=f"staff {staff.pk}", at__gt=now - CODE_WINDOW
    )
    newest_first = list(failures.order_by("-at").values_list("at", flat=True)[:PER_CODE])
    until = newest_first[-1] + CODE_WINDOW if len(newest_first) >= PER_CODE else now
    here = wait_minutes(username=staff.username, address=address, now=now)
    return max(here, -(-int((until - now).total_seconds()) // 60))


def note_wrong_code(staff: Staff, *, address: str, now: datetime) -> None:
    """It counts as a failure to sign in as well, and stands in the account's history: its owner's password is known to somebody."""
    note_failure(username=staff.username, address=address, now=now)
    audit.record(
        merchant_id=staff.merchant_id,
        at=now,
        actor="nobody",
        verb=CODE_VERB,
        object=f"staff {staff.pk}",
        address=address,
    )


def note_failure(*, username: str, address: str, now: datetime) -> None:
    """Remember one failure. The name typed may be a password typed in the wrong box, so only its digest is kept."""
    audit.record(merchant_id=None, at=now, actor="nobody", verb=VERB, object=_account(username), address=address)


def _account(username: str) -> str:
    return "account " + hashlib.sha256(username.strip().casefold().encode()).hexdigest()[:16]
