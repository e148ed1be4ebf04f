"""Closing a month for the bookkeeper, and saying how points are put into the books."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from shuke.engine.finance import journal, months
from shuke.engine.finance.policy import Policy
from shuke.kit import audit, reading
from shuke.loyalty.models import ClosedMonth, FinancePolicy
from shuke.loyalty.queries import finance
from shuke.shops.models import Merchant


def close_month(*, merchant: Merchant, month: int, now: datetime, actor: str) -> ClosedMonth:
    """Keep the month's entries as they are now, for ever. A month closed before is answered with what was kept then.

    Raises CannotClose. Whatever becomes known of the month later is in the entries of the first open one.
    """
    kept = ClosedMonth.objects.filter(merchant=merchant, month=month).first()
    if kept is not None:
        return kept
    refused = finance.may_close(merchant, month, now)
    if refused is not None:
        raise refused
    with reading.read_only():  # all figures from one state of the database
        last = finance.last_closed(merchant)
        document = finance.document(merchant, month, now, last)
    previous = b"\0" * 32 if last is None else bytes(last.digest)
    try:
        with transaction.atomic():
            kept = ClosedMonth.objects.create(
                merchant=merchant,
                month=month,
                document=document,
                previous=previous,
                digest=journal.digest(previous, document),
                closed_at=now,
                closed_by=actor,
            )
            audit.record(
                merchant_id=merchant.pk, at=now, actor=actor, verb="month.closed", object=f"month {months.label(month)}"
            )
    except IntegrityError:  # somebody else closed it between our reading and our writing: theirs counts
        return ClosedMonth.objects.get(merchant=merchant, month=month)
    return kept


@transaction.atomic
def set_finance_policy(*, merchant: Merchant, policy: Policy, now: datetime, actor: str) -> None:
    """From the next open month on. What another method would have booked until now is caught up there in one entry."""
    FinancePolicy.objects.update_or_create(
        merchant=merchant, defaults={"document": policy.model_dump(mode="json"), "set_at": now, "set_by": actor}
    )
    audit.record(
        merchant_id=merchant.pk,
        at=now,
        actor=actor,
        verb="finance.set",
        object=f"merchant {merchant.pk}",
        detail={"method": policy.method},
    )
