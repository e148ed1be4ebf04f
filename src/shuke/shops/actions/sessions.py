"""Who is signed in where: noted while they look, ended by them, or by whoever closes their account."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.shops.actions.account_log import noted
from shuke.shops.models import Session, Staff


def seen(*, session: Session, at: datetime) -> None:
    """They are here, in this browser. `at` is the real time, as everything about sessions."""
    with transaction.atomic():
        Session.objects.filter(pk=session.pk, seen_at__lt=at).update(seen_at=at)
        Staff.objects.filter(pk=session.staff_id or 0).update(seen_at=at)
    session.seen_at = at


def arrived(*, staff: Staff, at: datetime) -> None:
    """They signed in. Sessions of anybody that ran out meanwhile are cleared away."""
    with transaction.atomic():
        Session.objects.filter(expire_date__lt=at).delete()
        Staff.objects.filter(pk=staff.pk).update(seen_at=at)


def end_session(*, staff: Staff, key: str, now: datetime, address: str = "") -> bool:
    """Sign out one of one's own browsers; False when it was not signed in any more."""
    with transaction.atomic():
        ended, _rows = Session.objects.filter(merchant_id=staff.merchant_id, staff=staff, pk=key).delete()
        if ended:
            noted(staff, "signed_out_elsewhere", now, staff.username, address, {"sessions": 1})
    return bool(ended)


def end_other_sessions(*, staff: Staff, keep: str, now: datetime, address: str = "") -> int:
    """Sign out all of one's own browsers but this one; how many there were."""
    with transaction.atomic():
        ended = end_sessions(staff, keep=keep)
        if ended:
            noted(staff, "signed_out_elsewhere", now, staff.username, address, {"sessions": ended})
    return ended


def end_sessions(staff: Staff, keep: str = "") -> int:
    """All sessions of somebody but `keep`. Within the caller's transaction, who says why."""
    ended, _rows = (
        Session.objects.filter(merchant_id=staff.merchant_id, staff_id=staff.pk).exclude(pk=keep or "-").delete()
    )
    return ended
