"""Money given or taken by hand. Beyond the charter's limit of a day somebody else has to agree, and nobody agrees with themselves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.engine.charter.stored import minor
from shuke.kit import audit, money
from shuke.loyalty.actions import alone
from shuke.loyalty.actions.corrections import verdict
from shuke.loyalty.actions.own_account import is_own
from shuke.loyalty.actions.stored.asking import Answer, Ask, KeyReused
from shuke.loyalty.actions.stored.refusals import StoredRefused
from shuke.loyalty.actions.stored.requests import ask
from shuke.loyalty.models import StoredCorrection, StoredTxn
from shuke.loyalty.queries.stored.terms import terms_of
from shuke.members.queries.families import living
from shuke.shops.models import Merchant


def correct(
    *, merchant: Merchant, key: str, member_id: int, amount: int, account: str, reason: str, now: datetime, actor: str
) -> Answer | StoredCorrection:
    """Give (`amount` > 0) or take principal or bonus by hand: done at once, or kept waiting for a second person where this
    person, or this member, comes to more than the charter's limit on this day. The same key again gives the same;
    with another request KeyReused."""
    terms = terms_of(merchant, now)
    if terms is None:
        raise StoredRefused("stored_value_off")
    if not reason.strip():
        raise StoredRefused("no_reason")
    if not amount:
        raise StoredRefused("not_positive")
    one = Ask(key, "adjust", member_id, amount, account=account, reason=reason.strip()[:200])
    if not 1 <= len(key) <= 200:
        raise StoredRefused("no_key")
    if is_own(merchant, actor, member_id):
        raise StoredRefused("own_account")
    with transaction.atomic():
        alone.one_at_a_time(merchant)
        before = StoredCorrection.objects.filter(merchant=merchant, key=key).select_related("member").first()
        if before is not None and (before.decided_by or before.state == "waiting"):
            one_person = living(merchant.pk, before.member_id) == living(merchant.pk, member_id)
            if not one_person or (before.account, before.amount) != (account, amount):
                raise KeyReused(key)
            return before
        if before is None and not StoredTxn.objects.filter(merchant=merchant, key=key).exists():
            new = StoredCorrection(
                merchant=merchant, key=key, member_id=member_id, account=account, amount=amount, reason=one.reason,
                asked_by=actor, asked_at=now,
            )  # fmt: skip
            alone.with_the_day(StoredCorrection.objects.all(), new, minor(terms.second_person_above, merchant.currency))
            if alone.why_waits(new):
                new.save(force_insert=True)
                _audit(merchant, new, "asked", now, actor)
                return new
            [answer] = ask(merchant=merchant, asks=[one], now=now, actor=actor)
            if answer.done:
                new.state = "done"
                new.save(force_insert=True)
            return answer
        return ask(merchant=merchant, asks=[one], now=now, actor=actor)[0]


def why_waits(one: StoredCorrection, language: str = "en") -> str:
    """The sentence; "" where one person may do it alone."""
    return alone.why_waits_said(one, lambda n: money.show(n, one.merchant.currency), language)


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
    found.state = verdict(merchant, found, actor, agree, reason, StoredRefused)
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
