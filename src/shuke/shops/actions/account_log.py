"""What was done with somebody's account, for the page that shows its history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shuke.kit import audit
from shuke.shops.models import Staff


def noted(
    person: Staff, what: str, now: datetime, actor: str, address: str = "", detail: dict[str, Any] | None = None
) -> None:
    """One line, within the caller's transaction. `what`: the participle after `staff.`"""
    audit.record(
        merchant_id=person.merchant_id, at=now, actor=actor, verb=f"staff.{what}", object=f"staff {person.pk}",
        detail=detail, address=address,
    )  # fmt: skip
