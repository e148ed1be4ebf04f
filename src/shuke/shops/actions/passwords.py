"""Passwords: made for somebody, to be replaced by their own at first; and one's own."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from shuke.shops.actions.account_log import noted
from shuke.shops.actions.refusals import StaffRefused
from shuke.shops.actions.sessions import end_sessions
from shuke.shops.models import Staff

ONE_TIME = timedelta(days=3)  # a weekend long; whoever is later gets another
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read wrongly from a screen


class WeakPassword(ValueError):
    """The password is too short or too common; the message says which."""


def new_password() -> str:
    """Four groups of four, 79 bits: good enough to keep, easy enough to type once."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def checked(password: str, person: Staff) -> str:
    """The password, if it is good enough. Raises WeakPassword."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error
    return password


def set_password(*, staff: Staff, password: str, now: datetime, actor: str = "") -> None:
    """Give a new password that stays; the old one stops working at once, and sessions that are open end."""
    staff.set_password(checked(password, staff))
    staff.one_time_until = None
    with transaction.atomic():
        staff.save(update_fields=["password", "one_time_until"])
        end_sessions(staff)
        noted(staff, "password", now, actor or "system")


def set_own_password(*, staff: Staff, present: str, password: str, now: datetime, keep: str, address: str = "") -> None:
    """Somebody chooses their own password, knowing the present one. All their sessions but `keep` end.

    Raises StaffRefused (wrong_password, same_password) and WeakPassword. The hash is read anew under the lock: a password
    that was reset meanwhile is not overwritten by whoever knew the one before.
    """
    with transaction.atomic():
        person = Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
        if not person.is_active or not person.check_password(present):
            raise StaffRefused("wrong_password")
        if present == password:
            raise StaffRefused("same_password")
        person.set_password(checked(password, person))
        person.one_time_until = None
        person.save(update_fields=["password", "one_time_until"])
        end_sessions(person, keep=keep)
        noted(person, "password", now, person.username, address)
    staff.password, staff.one_time_until = person.password, None
