"""Tokens of programs."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from shuke.kit import audit
from shuke.shops.actions.refusals import StaffRefused
from shuke.shops.models import ApiToken, Merchant, Staff
from shuke.shops.queries import TOKEN_MARK, token_digest


def make_token(
    *,
    merchant: Merchant,
    name: str,
    may_write: bool,
    may_decide: bool = False,
    now: datetime,
    actor: str = "",
    staff: Staff | None = None,
) -> tuple[ApiToken, str]:
    """Let a program in. Answers the row and the token itself, which nobody can read again afterwards. Who may decide may
    write; `staff` answers for it."""
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
        staff=staff,
        made_at=now,
    )
    with transaction.atomic():
        if staff is not None and not Staff.objects.select_for_update(no_key=True).get(pk=staff.pk).is_active:
            raise StaffRefused("closed", username=staff.username)
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
