"""The second factor: a code from somebody's phone beside their password (time-based codes, RFC 6238, as every authenticator app
makes them), and ten recovery codes for the day the phone is gone.

A secret is sealed, a recovery code is kept as a keyed hash: a copy of the database signs in nobody. A code is good for its
half-minute and the ones beside it, and for one use. `at` is the real time: phones know no other.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import unicodedata
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.db import transaction

from shuke.kit import crypto
from shuke.shops import queries
from shuke.shops.actions.account_log import noted
from shuke.shops.actions.passwords import LETTERS
from shuke.shops.actions.refusals import StaffRefused
from shuke.shops.actions.sessions import end_sessions
from shuke.shops.models import RecoveryCode, SecondFactor, Staff

STEP, DIGITS, SECRET_BYTES = 30, 6, 20  # what every app takes for granted
BESIDE = 1  # steps a phone's clock may be off
CODES = 10


def begin_factor(*, staff: Staff) -> None:
    """A fresh secret to be scanned. Nothing changes for signing in before one of its codes was typed."""
    with transaction.atomic():
        person = Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
        row, _made = SecondFactor.objects.get_or_create(merchant_id=person.merchant_id, staff=person)
        old, number = _open(row, row.secret), crypto.newest_version()
        row.key_number = number
        row.coming = _sealed(row, secrets.token_bytes(SECRET_BYTES), number)
        row.secret = _sealed(row, old, number) if old else None
        row.save()


def coming_factor(*, staff: Staff) -> tuple[str, str]:
    """What is to be scanned, as an address (otpauth:) and as letters to be typed; "" when nothing was begun."""
    row = SecondFactor.objects.filter(merchant_id=staff.merchant_id, staff=staff).first()
    secret = row and _open(row, row.coming)
    if not secret:
        return "", ""
    return _totp(secret).get_provisioning_uri(staff.username, staff.merchant.name), base64.b32encode(secret).decode()


def confirm_factor(
    *,
    staff: Staff,
    password: str,
    code: str,
    present: str = "",
    at: datetime,
    now: datetime,
    keep: str,
    address: str = "",
) -> list[str]:
    """From now on signing in asks for codes of what was scanned; other browsers are signed out. Answers the recovery codes.

    `present`: where another phone is in force, a code of that one or a recovery code.
    Raises StaffRefused (wrong_password, wrong_code, not_begun).
    """
    with transaction.atomic():
        person, row = _with_password(staff, password)
        coming = row and _open(row, row.coming)
        if row is None or not coming:
            raise StaffRefused("not_begun")
        if person.factor_since is not None and not _take(person, row, present, at):
            raise StaffRefused("wrong_code")
        step = _step_of(coming, code, at)
        if step is None:
            raise StaffRefused("wrong_code")
        row.secret, row.coming, row.last_step = row.coming, None, step
        row.save()
        what = "factor_on" if person.factor_since is None else "factor_replaced"
        person.factor_since = now
        person.save(update_fields=["factor_since"])
        codes = _fresh_codes(person)
        noted(person, what, now, person.username, address, {"sessions": end_sessions(person, keep=keep)})
    staff.factor_since = now
    return codes


def fits(*, staff: Staff, code: str, at: datetime) -> str:
    """Whether this code lets them in, and takes it: "phone", "recovery" or "". One of two at once gets in."""
    with transaction.atomic():
        person = Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
        row = SecondFactor.objects.filter(merchant_id=person.merchant_id, staff=person).first()
        return _take(person, row, code, at) if row is not None and person.factor_since is not None else ""


def new_recovery_codes(*, staff: Staff, code: str, at: datetime, now: datetime, address: str = "") -> list[str]:
    """Ten others; the old ones stop working. Raises StaffRefused (wrong_code, no_factor)."""
    with transaction.atomic():
        if not fits(staff=staff, code=code, at=at):
            raise StaffRefused("wrong_code")
        codes = _fresh_codes(staff)
        noted(staff, "recovery_codes", now, staff.username, address)
    return codes


def drop_own_factor(*, staff: Staff, password: str, code: str, at: datetime, now: datetime, address: str = "") -> None:
    """Back to the password alone, where the shop does not ask for more.

    Raises StaffRefused (factor_asked, no_factor, wrong_password, wrong_code).
    """
    with transaction.atomic():
        person, row = _with_password(staff, password)
        if queries.factor_asked_of(person):
            raise StaffRefused("factor_asked")
        if row is None or person.factor_since is None:
            raise StaffRefused("no_factor", username=person.username)
        if not _take(person, row, code, at):
            raise StaffRefused("wrong_code")
        forget_factor(person)
        noted(person, "factor_off", now, person.username, address)
    staff.factor_since = None


def forget_factor(person: Staff) -> None:
    """Within the caller's transaction, who says why."""
    SecondFactor.objects.filter(merchant_id=person.merchant_id, staff=person).delete()
    RecoveryCode.objects.filter(merchant_id=person.merchant_id, staff=person).delete()
    person.factor_since = None
    person.save(update_fields=["factor_since"])


# ---- what they share -------------------------------------------------------------------------------------------------


def _with_password(staff: Staff, password: str) -> tuple[Staff, SecondFactor | None]:
    """The person as they are now, locked, if the password is theirs."""
    person = Staff.objects.select_for_update(no_key=True).select_related("merchant").get(pk=staff.pk)
    if not person.is_active or not person.check_password(password):
        raise StaffRefused("wrong_password")
    return person, SecondFactor.objects.filter(merchant_id=person.merchant_id, staff=person).first()


def _take(person: Staff, row: SecondFactor, code: str, at: datetime) -> str:
    secret, typed = _open(row, row.secret), _typed(code)
    if not secret or not typed:
        return ""
    step = _step_of(secret, code, at)
    if step is not None and step > row.last_step:
        row.last_step = step
        row.save(update_fields=["last_step"])
        return "phone"
    for kept in RecoveryCode.objects.filter(merchant_id=person.merchant_id, staff=person, used_at__isnull=True):
        if hmac.compare_digest(bytes(kept.digest), _digest(person, typed, kept.key_number)):
            kept.used_at = at
            kept.save(update_fields=["used_at"])
            return "recovery"
    return ""


def _step_of(secret: bytes, code: str, at: datetime) -> int | None:
    """The latest half-minute near `at` whose code this is."""
    typed, now = _typed(code).encode(), int(at.timestamp()) // STEP
    for step in range(now + BESIDE, now - BESIDE - 1, -1):
        if hmac.compare_digest(_totp(secret).generate(step * STEP), typed):
            return step
    return None


def _typed(code: str) -> str:
    """As it was meant: a phone groups digits, a Chinese keyboard makes them wide, paper has hyphens."""
    plain = unicodedata.normalize("NFKC", code)[:40].casefold()
    return "".join(letter for letter in plain if letter.isalnum() and letter.isascii())


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP)


def _fresh_codes(person: Staff) -> list[str]:
    RecoveryCode.objects.filter(merchant_id=person.merchant_id, staff=person).delete()
    codes = ["".join(secrets.choice(LETTERS) for _ in range(10)) for _ in range(CODES)]
    number = crypto.newest_version()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(
            merchant_id=person.merchant_id, staff=person, digest=_digest(person, code, number), key_number=number
        )
        for code in codes
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _digest(person: Staff, code: str, number: int) -> bytes:
    key = crypto.key_for("second-factor/codes", person.merchant_id, number)
    return hmac.digest(key, f"{person.pk}:{code}".encode(), "sha256")


def _sealed(row: SecondFactor, secret: bytes, number: int) -> bytes:
    key = crypto.key_for("second-factor", row.merchant_id, number)
    return crypto.seal(secret, key, b"second factor of %d" % row.staff_id)


def _open(row: SecondFactor, sealed: Any) -> bytes:
    if not sealed:
        return b""
    key = crypto.key_for("second-factor", row.merchant_id, row.key_number)
    return crypto.unseal(bytes(sealed), key, b"second factor of %d" % row.staff_id)
