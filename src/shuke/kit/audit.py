"""The audit log: who did or saw what, when and from where. Append-only, and never itself a place for personal data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shuke.kit.models import AuditLine


def record(
    *,
    merchant_id: int | None,
    at: datetime,
    actor: str,
    verb: str,
    object: str = "",
    detail: dict[str, Any] | None = None,
    address: str = "",
) -> None:
    """Add one line, inside the caller's transaction, so that a deed and its line stand or fall together.

    `verb` is `noun.participle` ("charter.published"), `object` names a row ("member 42"), never a person; `address` is
    the network address the request came from.
    """
    AuditLine.objects.create(
        merchant_id=merchant_id,
        at=at,
        actor=actor[:80],
        verb=verb[:40],
        object=object[:120],
        detail=detail or {},
        address=address[:45],
    )
