"""Money given or taken by hand. Beyond the charter's limit somebody else has to agree, and nobody agrees with themselves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.engine.charter.stored import minor
from shuke.kit import audit
from shuke.loyalty.actions.corrections import verdict
from shuke.loyalty.actions.stored.asking import Answer, Ask, KeyReused
from shuke.loyalty.actions.stored.refusals import StoredRefused
from shuke.loyalty.actions.stored.requests import ask
from shuke.loyalty.models import StoredCorrection, StoredTxn
from shuke.loyalty.queries.stored.terms import terms_of
from shuke.shops.models import Merchant


def correct(
    *, merchant: Merchant, key: str, member_id: int, amount: int, account: str, reason: str, now: datetime, actor: str
) -> Answer | StoredCorrection:
    """Give (`amount` > 0) or take principal or bonus by hand: done at once, or kept waiting for a second person. The same
    key again gives the same; with another request KeyReused."""
    terms = terms_of(merchant, now)
    if terms is None:
        raise StoredRefused("stored_value_off")
    if not reason.strip():
        raise StoredRefused("no_reason")
    if not amount:
        raise StoredRefused("not_positive")
    one = Ask(key, "adjust", member_id, amount, account=account, reason=reason.strip()[:200])
    if abs(amount) <= minor(terms.second_person_above, merchant.currency):
        return ask(merchant=merchant, asks=[one], now=now, actor=actor)[0]
    if not 1 <= len(key) <= 200:
        raise StoredRefused("no_key")
    with transaction.atomic():
        waiting, fresh = StoredCorrection.objects.get_or_create(
            merchant=merchant,
            key=key,
            defaults={
                "member_id": member_id, "account": account, "amount": amount, "reason": one.reason, "asked_by": actor,
                "asked_at": now,
            },
        )  # fmt: skip
        if not fresh and (waiting.member_id, waiting.account, waiting.amount) != (member_id, account, amount):
            raise KeyReused(key)
        if fresh:
            if StoredTxn.objects.filter(merchant=merchant, key=key).exists():
                raise KeyReused(key)
            _audit(merchant, waiting, "asked", now, actor)
    return waiting


@transaction.atomic
def decide_correction(
    *, merchant: Merchant, correction_id: int, agree: bool, now: datetime, actor: str, reason: str = ""
) -> tuple[StoredCorrection, Answer | None]:
    """A second person agrees, or declines with a reason; who asked may take it back. Where the books refuse (not enough by now) the correction ends as refused."""
    found = StoredCorrection.objects.select_for_update(no_key=True).filter(merchant=merchant, pk=correction_id).first()
    if found is None:
        raise StoredRefused("no_such_correction")
    if found.state != "waiting":
        raise StoredRefused("decided")
    found.state = verdict(merchant, found.asked_by, actor, agree, reason, StoredRefused)
    found.decided_because, answer = reason.strip()[:200], None
    if agree:
        told = f"{found.reason} ({found.asked_by})"[:200]
        one = Ask(found.key, "adjust", found.member_id, found.amount, account=found.account, reason=told)
        [answer] = ask(merchant=merchant, asks=[one], now=now, actor=actor)
        found.state = "done" if answer.done else "refused"
    found.decided_by, found.decided_at = actor, now
    found.save(update_fields=["state", "decided_by", "decided_at", "decided_because"])
    _audit(merchant, found, found.state, now, actor)
    return found, answer


def _audit(merchant: Merchant, one: StoredCorrection, what: str, now: datetime, actor: str) -> None:
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb=f"stored.correction_{what}", object=f"member {one.member_id}",
        detail={"key": one.key, "account": one.account, "minor": one.amount, "reason": one.reason}
        | ({"because": one.decided_because} if one.decided_because else {}),
    )  # fmt: skip
