"""Everything that writes the seller's own tables: merchants, stores, staff."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from shuke.kit import audit, bulk, instances
from shuke.shops.models import ApiToken, Merchant, Role, Staff, Store
from shuke.shops.queries import TOKEN_MARK, token_digest


class UnknownZone(ValueError):
    """The time zone has no such name."""


class UsernameTaken(ValueError):
    """Somebody on this installation already signs in by that name."""


class WeakPassword(ValueError):
    """The password is too short or too common; the message says which."""


def create_merchant(
    *,
    name: str,
    now: datetime,
    zone: str = "Asia/Shanghai",
    currency: str = "CNY",
    clock_shift: int = 0,
    margin_permille: int = 300,
    actor: str = "",
) -> Merchant:
    """Open the books of one business. `clock_shift` (seconds) is only for demos that live in recorded history."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnknownZone(f"There is no time zone called “{zone}”. Write it like Asia/Shanghai.") from error
    with transaction.atomic():
        merchant = Merchant.objects.create(
            name=name,
            zone=zone,
            currency=currency,
            clock_shift=clock_shift,
            margin_permille=margin_permille,
            created_at=now,
        )
        audit.record(merchant_id=merchant.id, at=now, actor=actor or "system", verb="merchant.created")
    return merchant


def set_clock_shift(*, merchant: Merchant, seconds: int) -> None:
    """Move the merchant's clock (the demo's stands at the end of its history)."""
    Merchant.objects.filter(pk=merchant.pk).update(clock_shift=seconds)
    merchant.clock_shift = seconds


def ensure_stores(*, merchant: Merchant, stores: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], Store]:
    """Make the stores that are not there yet, from (platform, code, name); answer all asked for, by (platform, code).

    Safe beside another process doing the same: the unique constraint decides, both get the same rows. A store that
    exists keeps its name.
    """
    asked = {(platform, code): name for platform, code, name in stores}
    if not asked:
        return {}
    known = _stores(merchant, asked)
    missing = [
        Store(merchant=merchant, platform=platform, code=code, name=(name or code)[:100])
        for (platform, code), name in asked.items()
        if (platform, code) not in known
    ]
    if missing:
        Store.objects.bulk_create(missing, ignore_conflicts=True)
        known = _stores(merchant, asked)
    return known


def _stores(merchant: Merchant, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Store]:
    wanted = set(asked)
    where, codes = bulk.among("code", {code for _, code in wanted})
    rows = instances.read(Store, f"WHERE merchant_id = %s AND {where}", [merchant.pk, codes])
    return {(s.platform, s.code): s for s in rows if (s.platform, s.code) in wanted}


def create_store(*, merchant: Merchant, platform: str, code: str, name: str) -> Store:
    """One store; the existing one if there is one by that platform and code."""
    return ensure_stores(merchant=merchant, stores=[(platform, code, name)])[platform, code]


def create_staff(
    *,
    merchant: Merchant,
    username: str,
    password: str,
    role: Role | str,
    now: datetime,
    name: str = "",
    store: Store | None = None,
    actor: str = "",
) -> Staff:
    """Let somebody sign in. Refuses a taken name and a weak password."""
    if Staff.objects.filter(username=username).exists():
        raise UsernameTaken(f"Somebody already signs in as “{username}”. Choose another name.")
    person = Staff(merchant=merchant, username=username, name=name, role=Role(role), store=store)
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error
    person.set_password(password)
    with transaction.atomic():
        Staff.objects.bulk_create([person])
        audit.record(
            merchant_id=merchant.id,
            at=now,
            actor=actor or "system",
            verb="staff.created",
            object=f"staff {person.id}",
            detail={"role": str(person.role)},
        )
    return person


def set_password(*, staff: Staff, password: str, now: datetime, actor: str = "") -> None:
    """Give a new password; the old one stops working at once, also in sessions that are open."""
    try:
        validate_password(password, staff)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error
    staff.set_password(password)
    with transaction.atomic():
        staff.save(update_fields=["password"])
        audit.record(
            merchant_id=staff.merchant_id,
            at=now,
            actor=actor or "system",
            verb="staff.password",
            object=f"staff {staff.id}",
        )


def make_token(
    *, merchant: Merchant, name: str, may_write: bool, may_decide: bool = False, now: datetime, actor: str = ""
) -> tuple[ApiToken, str]:
    """Let a program in. Answers the row and the token itself, which nobody can read again afterwards. Who may decide may
    write."""
    # The merchant is part of it, so that even the look-up by hash stays within one merchant's keys.
    secret = secrets.token_urlsafe(32)
    text = f"{TOKEN_MARK}{merchant.pk:x}_{secret}"
    token = ApiToken(
        merchant=merchant,
        name=name[:60],
        shown=secret[:6],
        digest=token_digest(text),
        may_write=may_write or may_decide,
        may_decide=may_decide,
        made_at=now,
    )
    with transaction.atomic():
        ApiToken.objects.bulk_create([token])
        audit.record(
            merchant_id=merchant.pk,
            at=now,
            actor=actor or "system",
            verb="token.created",
            object=f"token {token.pk}",
            detail={"writes": token.may_write, "decides": may_decide},
        )
    return token, text


def revoke_token(*, merchant: Merchant, token_id: int, now: datetime, actor: str = "") -> bool:
    """Shut a program out, at once; False when there is no such token in force."""
    with transaction.atomic():
        shut = ApiToken.objects.filter(merchant=merchant, pk=token_id, revoked_at__isnull=True).update(revoked_at=now)
        if shut:
            audit.record(
                merchant_id=merchant.pk,
                at=now,
                actor=actor or "system",
                verb="token.revoked",
                object=f"token {token_id}",
            )
    return bool(shut)
