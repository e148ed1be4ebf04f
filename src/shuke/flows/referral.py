"""Members bring friends: a code is told, an import names who brought whom, orders come and go, the clock moves.

Binding happens in the caller's transaction. Rewards are settled after it, each referrer in a transaction of its own: at once
after a single sale, by the job within minutes after an import.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from django.db import transaction

from shuke.engine.facts import Person
from shuke.engine.referral import codes
from shuke.kit import jobs
from shuke.loyalty.actions import coupons, referral
from shuke.loyalty.actions.referral import ReferralRefused, Rewarded
from shuke.loyalty.models import Referral, ReferralCode
from shuke.loyalty.queries import referral as stored
from shuke.loyalty.queries.coupons import wait_minutes
from shuke.members.queries import NoSuchMember, member_of
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

JOB = "referral"
AT_ONCE = 20  # so many bonds touched by one call are settled right after it
log = logging.getLogger(__name__)


def find_code(*, merchant: Merchant, told: str, callers: Sequence[str], now: datetime) -> ReferralCode:
    """Whose code this is. A wrong one counts against its callers. Raises ReferralRefused.

    A typing error is seen by the check sign and counts for nothing: whoever guesses does not make one.
    """
    if minutes := wait_minutes(merchant, callers, now):
        raise ReferralRefused("try_later", minutes=minutes)
    code = codes.read(told)
    found = stored.by_code(merchant, code) if code else None
    if found is None:
        if code:
            coupons.note_bad_code(merchant=merchant, callers=callers, now=now)
        raise ReferralRefused("no_such_code")
    return found


def bind_by_code(
    *, merchant: Merchant, newcomer_id: int, told: str, how: str, callers: Sequence[str], now: datetime, actor: str
) -> Referral:
    """A newcomer tells a code, or an assistant types the card of whoever brought them. Raises ReferralRefused."""
    if codes.read(told) is None and how == "staff":
        try:
            member_id, code = member_of(merchant.pk, told).pk, ""
        except NoSuchMember:
            raise ReferralRefused("no_such_code") from None
    else:
        found = find_code(merchant=merchant, told=told, callers=callers, now=now)
        member_id, code = found.member_id, found.code
    return referral.bind(
        merchant=merchant, newcomer_id=newcomer_id, referrer_id=member_id, how=how, code=code, now=now, actor=actor
    )


def bind_on_joining(
    *, merchant: Merchant, newcomer_id: int, referrer_id: int | None, code: ReferralCode | None, how: str,
    now: datetime, actor: str, device: bytes | None = None,
) -> Referral | None:  # fmt: skip
    """Somebody just joined with a code, or an assistant named who brought them. Where the charter gives nothing for it, that
    is no reason to refuse the newcomer."""
    brought_by = code.member_id if code is not None else referrer_id
    if brought_by is None:
        return None
    try:
        return referral.bind(
            merchant=merchant, newcomer_id=newcomer_id, referrer_id=brought_by, how=how,
            code=code.code if code is not None else "", now=now, actor=actor, device=device,
        )  # fmt: skip
    except ReferralRefused as refused:
        if refused.code != "off":
            raise
        return None


def bind_imported(
    *, merchant: Merchant, people: Sequence[Person], member_ids: Sequence[int | None], now: datetime, actor: str
) -> int:
    """A file of customers says who brought them, by card or code. How many bonds are new; what cannot be is left out:
    a file must not fail because of an old note in it."""
    told = [(p, m) for p, m in zip(people, member_ids, strict=True) if p.brought_by and m is not None]
    if not told or stored.part_in_force(merchant, now) is None:
        return 0
    made = 0
    for person, newcomer_id in told:
        assert newcomer_id is not None
        code = codes.read(person.brought_by)
        found = stored.by_code(merchant, code) if code else None
        try:
            referrer = found.member_id if found is not None else member_of(merchant.pk, person.brought_by).pk
            row = referral.bind(
                merchant=merchant, newcomer_id=newcomer_id, referrer_id=referrer, how="import", code=code or "",
                now=now, actor=actor, bound_at=min(person.joined_at or now, now),
            )  # fmt: skip
        except (NoSuchMember, ReferralRefused):
            continue
        made += row.made_at == now
    return made


def follow(*, merchant: Merchant, member_ids: Iterable[int | None], now: datetime, actor: str) -> None:
    """Orders of these members are new, changed or gone. Few bonds are settled as soon as the caller has committed."""
    touched = referral.touch(merchant=merchant, member_ids=[m for m in member_ids if m is not None], now=now)
    if 0 < touched <= AT_ONCE:
        transaction.on_commit(partial(_after, merchant, now, actor), robust=True)


def _after(merchant: Merchant, now: datetime, actor: str) -> None:
    settle_due(merchant=merchant, now=now, actor=actor, rounds=1)


def settle_due(*, merchant: Merchant, now: datetime, actor: str, rounds: int = 200) -> Rewarded:
    """Settle everything that is due, a few hundred referrers at a time; what cannot be settled now does not stop the rest."""
    done, seen = Rewarded(), set[int]()
    for _ in range(rounds):
        due = [m for m in stored.due_referrers(merchant, now, 500 + len(seen)) if m not in seen]
        if not due:
            break
        for referrer in due:
            seen.add(referrer)
            try:
                told = referral.settle_referrals(merchant=merchant, referrer_ids=[referrer], now=now, actor=actor)
                done = done.plus(told)
            except AssertionError:
                log.exception("The referrals of member %s could not be settled; the others go on.", referrer)
    return done


@jobs.handler(JOB)
def run(running: jobs.Running) -> None:
    """Every few minutes while something is due: rewards past their return window, refunds, decisions."""
    merchant = Merchant.objects.get(pk=running.merchant_id)
    done = settle_due(merchant=merchant, now=shop_now(merchant), actor="clock")
    running.progress(1, 1, **done._asdict())
