"""Members who take part: under a number that says nothing of them, with their consent, until they take it back."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from shuke.engine.checkout import codes
from shuke.kit import audit, crypto
from shuke.loyalty.actions.coalition.gathering import Linked, gather_links
from shuke.loyalty.actions.coalition.movements import Moved, write
from shuke.loyalty.actions.coalition.refusals import CoalitionRefused
from shuke.loyalty.actions.settling import lock_heads, lock_living
from shuke.loyalty.models import Coalition, CoalitionLink
from shuke.loyalty.queries import books
from shuke.loyalty.queries import coalition as stored
from shuke.members.actions import Note, note
from shuke.members.actions.consents import Statement, consent
from shuke.members.models import Member
from shuke.members.values import luhn_digit
from shuke.shops.models import Merchant

CODE_MINUTES = 30
PURPOSE = "coalition"


@transaction.atomic
def link(
    *,
    merchant: Merchant,
    member_id: int,
    source: str,
    evidence: str,
    code: str = "",
    now: datetime,
    actor: str,
) -> CoalitionLink:
    """A member takes part; with a `code` from another partner their account here joins the one there. Raises
    CoalitionRefused. What they hold comes into the pool. Linked already, by that code if there is one: nothing is done.
    """
    seat = stored.partner_of(merchant, now)
    if seat is None:
        raise CoalitionRefused("no_coalition", merchant=merchant.name)
    coalition = seat.coalition
    if not evidence.strip():
        raise CoalitionRefused("no_consent")
    heads, heirs = lock_living(merchant, [member_id])
    member_id = heirs.get(member_id, member_id)
    there = _behind_code(coalition, merchant, code, now)
    mine = stored.link_of(merchant, member_id)
    if mine is not None and there is not None and there.number == mine.number:
        return mine  # asked again by whoever did not hear the answer: the code was used for this
    if code and (there is None or there.code_until is None or there.code_until <= now):
        raise CoalitionRefused("code_refused", minutes=CODE_MINUTES)
    if mine is not None:
        if there is not None:
            raise CoalitionRefused("linked_otherwise")
        return mine
    number = there.number if there else _new_number(coalition, merchant, member_id)
    other = stored.members_by_number(merchant, coalition, number)
    if other is not None:
        raise CoalitionRefused("number_taken", card=other.card)
    if there is not None:
        CoalitionLink.objects.filter(pk=there.pk).update(code_until=None)  # used; which one it was stays known
    made = _begin(
        coalition,
        merchant,
        heads[member_id],
        number=number,
        brought_by=there.brought_by_id if there else merchant.pk,
        source=source,
        evidence=evidence,
        now=now,
        actor=actor,
    )
    said = Statement(member_id, "any", PURPOSE, True, now, source, coalition.wording, actor, evidence)
    consent(merchant=merchant, statements=[said], now=now)
    note(merchant=merchant, lines=[Note(member_id, now, "coalition.linked", number, {"name": coalition.name})], now=now)
    _audit(merchant, made, "coalition.linked", now, actor)
    return made


def _begin(
    coalition: Coalition,
    merchant: Merchant,
    head: books.Head,
    *,
    number: str,
    brought_by: int,
    source: str,
    evidence: str,
    now: datetime,
    actor: str,
) -> CoalitionLink:
    made = CoalitionLink.objects.create(
        merchant=merchant,
        coalition=coalition,
        member_id=head.member_id,
        number=number,
        brought_by_id=brought_by,
        linked_at=now,
        linked_by=actor,
        source=source[:60],
        wording=coalition.wording,
        evidence=evidence.strip(),
        gathered=head.seq,
    )
    brought = Moved(merchant.pk, head.member_id, number, "brought", head.balance, now)
    write(coalition, stored.agreed(coalition), [brought], now)
    return made


@transaction.atomic
def make_code(*, merchant: Merchant, member_id: int, now: datetime, actor: str) -> tuple[str, datetime]:
    """A code that links this member's account to one with another partner: once, and for half an hour. Shown once."""
    mine = stored.link_of(merchant, member_id)
    if mine is None or stored.partner_of(merchant, now) is None:
        raise CoalitionRefused("not_linked")
    told = codes.code_of(secrets.randbits(codes.BITS))
    until = now + timedelta(minutes=CODE_MINUTES)
    CoalitionLink.objects.filter(pk=mine.pk).update(code=_digest(mine.coalition, told), code_until=until)
    _audit(merchant, mine, "coalition.code", now, actor)
    return codes.shown(told), until


def _behind_code(coalition: Coalition, merchant: Merchant, told: str, now: datetime) -> CoalitionLink | None:
    """Another partner's account that made this code last; without `code_until` the code was used."""
    plain = codes.unique_code(told)
    if not plain:
        return None
    partners = [p.merchant_id for p in stored.partners(coalition) if stored.takes_part(p, now)]
    return (
        CoalitionLink.objects.select_for_update(no_key=True)
        .filter(merchant_id__in=partners, coalition=coalition, code=_digest(coalition, plain), ended_at__isnull=True)
        .exclude(merchant=merchant)
        .first()
    )


def _digest(coalition: Coalition, code: str) -> bytes:
    return crypto.blind(codes.plain(code), f"coalition/{coalition.pk}/code", coalition.merchant_id)


def _new_number(coalition: Coalition, merchant: Merchant, member_id: int) -> str:
    """Fifteen digits that only this installation can make, and a check digit. Nothing of the member is in them."""
    key = crypto.key_for(f"coalition/{coalition.pk}", coalition.merchant_id)
    partners = [p.merchant_id for p in stored.partners(coalition)]
    for attempt in range(100):
        drawn = hmac.digest(key, f"{merchant.pk}:{member_id}:{attempt}".encode(), "sha256")
        body = f"{int.from_bytes(drawn[:8], 'big') % 10**15:015d}"
        number = body + luhn_digit(body)
        taken = CoalitionLink.objects.filter(merchant_id__in=partners, coalition=coalition, number=number)
        mine = taken.filter(merchant=merchant, member_id=member_id).exists()  # who comes back has the number they had
        if mine or not taken.exists():
            return number
    raise AssertionError("a hundred numbers in a row were taken")


@transaction.atomic
def unlink(*, merchant: Merchant, member_id: int, because: str, now: datetime, actor: str) -> bool:
    """A member takes part no more; their points stay theirs, here. False: they did not take part."""
    lock_heads(merchant, [member_id])
    mine = stored.link_of(merchant, member_id)
    if mine is None:
        return False
    _finish(mine.coalition, merchant, mine, because, now, actor)
    said = Statement(member_id, "any", PURPOSE, False, now, because[:60], mine.wording, actor, "")
    consent(merchant=merchant, statements=[said], now=now)
    return True


def end_links(*, coalition: Coalition, merchant: Merchant, because: str, now: datetime, actor: str) -> int:
    """All of a partner's members at once, some in each transaction; how many."""
    ended = 0
    while True:
        with transaction.atomic():
            some = CoalitionLink.objects.filter(merchant=merchant, coalition=coalition, ended_at__isnull=True)
            members = list(some.order_by("member_id").values_list("member_id", flat=True)[:200])
            if not members:
                return ended
            lock_heads(merchant, members)
            for one in some.filter(member_id__in=members).order_by("id"):
                _finish(coalition, merchant, one, because, now, actor)
                ended += 1


def _finish(
    coalition: Coalition, merchant: Merchant, mine: CoalitionLink, because: str, now: datetime, actor: str
) -> None:
    """The wallet is locked. What is in the books is gathered first; what is left in the lots leaves the pool at the price it
    came in for."""
    locked = CoalitionLink.objects.select_for_update(no_key=True).get(pk=mine.pk)
    agreed = stored.agreed(coalition)
    plain = Linked(locked.pk, locked.member_id, locked.number, locked.linked_at, locked.gathered)
    gather_links(coalition, merchant.pk, agreed, [plain], now)
    left = [
        Moved(
            merchant.pk,
            locked.member_id,
            locked.number,
            "withdrawn",
            lot.remaining,
            now,
            priced_at=max(lot.earned_at, locked.linked_at),
        )
        for _, _, lot in books.lots(merchant, [locked.member_id], only_open=True)
    ]
    write(coalition, agreed, left, now)
    CoalitionLink.objects.filter(pk=locked.pk).update(
        ended_at=now, ended_by=actor, ended_because=because[:60], code=None, code_until=None
    )
    body = {"name": coalition.name, "because": because}
    note(
        merchant=merchant, lines=[Note(locked.member_id, now, "coalition.left", locked.number, body)], now=now
    )  # fmt: skip
    _audit(merchant, locked, "coalition.unlinked", now, actor)


def follow_merges(*, coalition: Coalition, merchant: Merchant, now: datetime, actor: str) -> int:
    """Links of members who live on in another go with them; how many."""
    strays = Member.objects.filter(merchant=merchant, merged_into__isnull=False)
    mine = CoalitionLink.objects.filter(merchant=merchant, coalition=coalition, ended_at__isnull=True)
    moved = 0
    for one in list(mine.filter(member__in=strays).select_related("member")):
        with transaction.atomic():
            heads = lock_heads(merchant, sorted({one.member_id, one.member.merged_into_id or 0}))
            heir = heads[one.member_id].heir
            still = CoalitionLink.objects.filter(pk=one.pk, ended_at__isnull=True).exists()
            if heir is None or heir not in heads or not still:
                continue
            _finish(coalition, merchant, one, "merged", now, actor)
            if stored.link_of(merchant, heir) is None:
                _begin(
                    coalition,
                    merchant,
                    heads[heir],
                    number=one.number,
                    brought_by=one.brought_by_id,
                    source=one.source,
                    evidence=one.evidence,
                    now=now,
                    actor=actor,
                )
            moved += 1
    return moved


def _audit(merchant: Merchant, one: CoalitionLink, verb: str, now: datetime, actor: str) -> None:
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb=verb, object=f"member {one.member_id}",
        detail={"coalition": str(one.coalition_id), "number": one.number},
    )  # fmt: skip
