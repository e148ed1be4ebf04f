"""Codes, and newcomers bound to whoever brought them: once and for ever, whoever else tries at the same moment."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from shuke.engine.referral import codes
from shuke.engine.referral.judging import told_before
from shuke.kit import audit, bulk
from shuke.kit.clock import day_of
from shuke.loyalty.actions.referral.refusals import ReferralRefused
from shuke.loyalty.models import Referral, ReferralCode
from shuke.loyalty.queries import referral as stored
from shuke.members.actions import edit_profile
from shuke.members.actions.timeline import Note, note
from shuke.members.models import Member
from shuke.members.queries.families import absorbed_by, survivors_of
from shuke.shops.models import Merchant


def code_for(*, merchant: Merchant, member_id: int, now: datetime) -> ReferralCode:
    """The member's code in use, made on first need."""
    found = stored.code_in_use(merchant, member_id)
    while found is None:
        try:
            with transaction.atomic():
                code = codes.code_of(secrets.randbits(codes.BITS))
                found = ReferralCode.objects.create(merchant=merchant, member_id=member_id, code=code, made_at=now)
        except IntegrityError:  # somebody else made one meanwhile, or chance drew one that is taken
            found = stored.code_in_use(merchant, member_id)
    return found


def renew_code(*, merchant: Merchant, member_id: int, now: datetime, actor: str) -> ReferralCode:
    """Another code for a member whose own is passed around too widely; the old one binds nobody any more."""
    with transaction.atomic():
        ReferralCode.objects.filter(merchant=merchant, member_id=member_id, ended_at=None).update(ended_at=now)
        made = code_for(merchant=merchant, member_id=member_id, now=now)
        audit.record(
            merchant_id=merchant.pk, at=now, actor=actor, verb="referral.code_renewed", object=f"member {member_id}"
        )
    return made


def count_visit(*, merchant: Merchant, code_id: int) -> None:
    """A link was opened. Only counted: nothing of the visitor is kept here."""
    ReferralCode.objects.filter(merchant=merchant, pk=code_id).update(visits=F("visits") + 1)


def bind(
    *,
    merchant: Merchant,
    newcomer_id: int,
    referrer_id: int,
    how: str,
    now: datetime,
    actor: str,
    code: str = "",
    bound_at: datetime | None = None,
    device: bytes | None = None,
) -> Referral:
    """Bind a newcomer to whoever brought them. The same pair again answers with the bond there is.

    `bound_at`: an import says when it was; the days to tell a code then do not count. Raises ReferralRefused. Effects:
    the profile's “brought by” filled where it is empty; the bond; a line on both timelines.
    """
    if (terms := stored.part_in_force(merchant, now)) is None:
        raise ReferralRefused("off")
    part = terms.charter.referral
    assert part is not None
    home = survivors_of(merchant.pk, [newcomer_id, referrer_id])
    newcomer_id, referrer_id = home.get(newcomer_id, newcomer_id), home.get(referrer_id, referrer_id)
    if newcomer_id == referrer_id:
        raise ReferralRefused("own_code")
    with transaction.atomic():
        who = Member.objects.select_for_update(no_key=True).get(merchant=merchant, pk=newcomer_id)
        if (bond := stored.bond_of(merchant, newcomer_id)) is not None:
            return _again(merchant, bond, referrer_id)
        since = bound_at or now
        if bound_at is None and now >= told_before(part, who.joined_at, merchant.tz):
            day = day_of(who.joined_at, merchant.tz)
            raise ReferralRefused("too_late", days=part.join_days, day=day.isoformat())
        if stored.has_bought(merchant, newcomer_id, since):
            raise ReferralRefused("has_bought")
        try:
            with transaction.atomic():
                made = Referral.objects.create(
                    merchant=merchant,
                    newcomer_id=newcomer_id,
                    referrer_id=referrer_id,
                    how=how,
                    code=code,
                    bound_at=since,
                    made_at=now,
                    actor=actor[:60],
                    device=device,
                    look_at=now,
                )
        except IntegrityError:
            bond = stored.bond_of(merchant, newcomer_id)
            assert bond is not None
            return _again(merchant, bond, referrer_id)
        if who.referred_by_id is None and how != "import":  # an undone import must find nobody dealt with by hand
            edit_profile(
                merchant=merchant, member_id=newcomer_id, changes={"referred_by": referrer_id}, now=now, actor=actor
            )
        lines = [Note(newcomer_id, since, "referral.bound", f"referral:{made.pk}", {"how": how, "side": "friend"})]
        lines.append(
            Note(referrer_id, since, "referral.bound", f"referral:{made.pk}", {"how": how, "side": "referrer"})
        )
        note(merchant=merchant, lines=lines, now=now)
    return made


def _again(merchant: Merchant, bond: Referral, referrer_id: int) -> Referral:
    home = survivors_of(merchant.pk, [bond.referrer_id])
    if home.get(bond.referrer_id, bond.referrer_id) != referrer_id:
        raise ReferralRefused("already_bound", card=bond.referrer.card)
    return bond


def touch(*, merchant: Merchant, member_ids: Iterable[int], now: datetime, brought: bool = False) -> int:
    """Orders of these members changed: bonds in which they are the newcomer are judged again; how many there are.

    `brought`: also the bonds of friends they brought (they were merged with somebody, or parted).
    """
    wanted = sorted({m for m in member_ids if m is not None})
    if not wanted:
        return 0
    members = sorted({*wanted, *absorbed_by(merchant.pk, wanted)})
    condition, parameter = bulk.among("newcomer_id", members)
    told = [parameter]
    if brought:
        condition = f"({condition} OR {condition.replace('newcomer_id', 'referrer_id')})"
        told.append(parameter)
    at = bulk.moment()(now)
    mine = f"merchant_id = %s AND (look_at IS NULL OR look_at > %s) AND {condition}"
    if (
        bulk.is_postgres()
    ):  # locked in the order in which a settlement locks them; an update alone takes them as they lie
        mine = f"id IN (SELECT id FROM loyalty_referral WHERE {mine} ORDER BY id FOR NO KEY UPDATE)"
    return bulk.execute(f"UPDATE loyalty_referral SET look_at = %s WHERE {mine}", [at, merchant.pk, at, *told])
