"""Points and growth value by hand. Beyond the charter's limit of a day somebody else has to agree, and nobody agrees with
themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from shuke.kit import audit
from shuke.kit.refusal import Refusal
from shuke.loyalty.actions import alone
from shuke.loyalty.actions.asking import OWN_ACCOUNT, Answer, Ask, KeyReused, check_asked
from shuke.loyalty.actions.own_account import is_own
from shuke.loyalty.actions.requests import ask
from shuke.loyalty.models import Correction
from shuke.loyalty.models.corrections import ByHand
from shuke.loyalty.queries import charters, facts
from shuke.members.queries.families import living
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

# Shared with corrections of stored value.
DECIDING = {
    "own_account": OWN_ACCOUNT,
    "may_not_decide": (
        "You may not decide about corrections any more. Nothing was changed.",
        "您已无权审批更正，未作任何更改。",
    ),
    "why_declined": ("Say why you decline: who asked reads it.", "请填写不同意的原因，提出人会看到。"),
}
REFUSALS = {
    "same_person": (
        "Who asked for a correction cannot agree to it. Let somebody else look at it.",
        "提出更正的人不能自己审批，请由另一位同事审核。",
    ),
    "decided": ("This correction was decided already.", "这笔更正已经处理过了。"),
    "no_reason": ("Say why: points by hand need a reason.", "请填写原因：手工调整积分必须说明理由。"),
    **DECIDING,
    "no_such_correction": ("There is no such correction.", "没有这笔更正。"),
}

UNITS = {
    "adjust": ("{:,} points", "{:,} 积分"),
    "reinstate": ("{:,} points", "{:,} 积分"),
    "growth": ("{:,} growth value", "{:,} 成长值"),
}


class CorrectionRefused(Refusal):
    """`code`: one of REFUSALS."""

    sentences = REFUSALS


def correct(
    *,
    merchant: Merchant,
    key: str,
    member_id: int,
    amount: int,
    reason: str,
    now: datetime,
    actor: str,
    kind: str = "adjust",
) -> Answer | Correction:
    """Give (`amount` > 0) or take points by hand, bring lapsed ones back (`reinstate`), give or take growth value (`growth`):
    done at once, or kept waiting for a second person where the charter in force wants one for what this person, or this member,
    comes to on this day. The same key again gives the same; with another request KeyReused; what cannot be kept is NotAsked."""
    if not reason.strip():
        raise CorrectionRefused("no_reason")
    check_asked(key, reason, amount=amount)
    limit = charters.in_force(merchant, now).charter.points.second_person_above
    one = Ask(key, kind, member_id, amount, reason=reason)
    if is_own(merchant, actor, member_id):
        raise CorrectionRefused("own_account")
    with transaction.atomic():
        alone.one_at_a_time(merchant)
        before = Correction.objects.filter(merchant=merchant, key=key).select_related("member").first()
        if before is not None and (before.decided_by or before.state == "waiting"):
            return _again(merchant, one, before)
        if before is None and amount and not facts.known_requests(merchant, [key]):
            new = Correction(
                merchant=merchant, key=key, member_id=member_id, amount=amount, kind=kind, reason=reason.strip(),
                asked_by=actor, asked_at=now,
            )  # fmt: skip
            together = ("growth",) if kind == "growth" else ("adjust", "reinstate")
            alone.with_the_day(Correction.objects.filter(kind__in=together), new, limit)
            if alone.why_waits(new):
                new.save(force_insert=True)
                _audit(merchant, new, "correction.asked", now, actor)
                return new
            [answer] = ask(merchant=merchant, asks=[one], now=now, actor=actor)
            if answer.done:
                new.state = "done"
                new.save(force_insert=True)
            return answer
        return ask(merchant=merchant, asks=[one], now=now, actor=actor)[0]


def _again(merchant: Merchant, one: Ask, before: Correction) -> Correction:
    """What waited under this key, or was decided. Raises KeyReused where something else is asked now."""
    one_person = living(merchant.pk, before.member_id) == living(merchant.pk, one.member_id)
    if not one_person or (before.kind, before.amount) != (one.kind, one.amount):
        raise KeyReused(one.key)
    return before


@transaction.atomic
def decide_correction(
    *, merchant: Merchant, correction_id: int, agree: bool, now: datetime, actor: str, reason: str = ""
) -> tuple[Correction, Answer | None]:
    """A second person agrees, or declines with a reason; who asked may take it back. Raises CorrectionRefused. Where the
    books refuse (not enough points by now) the correction ends as refused."""
    found = Correction.objects.select_for_update(no_key=True).filter(merchant=merchant, pk=correction_id).first()
    if found is None:
        raise CorrectionRefused("no_such_correction")
    if found.state != "waiting":
        raise CorrectionRefused("decided")
    found.state = verdict(merchant, found, actor, agree, reason, CorrectionRefused)
    found.decided_because, answer = reason.strip()[:200], None
    if agree:
        one = Ask(found.key, found.kind, found.member_id, found.amount, reason=found.reason)
        [answer] = ask(merchant=merchant, asks=[one], now=now, actor=actor)
        found.state = "done" if answer.done else "refused"
    found.decided_by, found.decided_at = actor, now
    found.save(update_fields=["state", "decided_by", "decided_at", "decided_because"])
    _audit(merchant, found, f"correction.{found.state}", now, actor)
    return found, answer


def verdict(
    merchant: Merchant, one: ByHand, actor: str, agree: bool, reason: str, refused: Callable[[str], Exception]
) -> str:
    """What becomes of it when it is not agreed to. Refuses whoever asked (also through a token they answer for), whoever may
    no longer decide although their page is still open, whoever would get it themselves, and declining without a word."""
    own = shops.person_behind(merchant, one.asked_by) == shops.person_behind(merchant, actor)
    if own and agree:
        raise refused("same_person")
    if agree and is_own(merchant, actor, one.member_id):
        raise refused("own_account")
    staff = shops.staff_by_username(merchant, actor)
    if not own and staff is not None and not shops.may(staff, "adjust"):
        raise refused("may_not_decide")
    if not own and not agree and not reason.strip():
        raise refused("why_declined")
    return "withdrawn" if own else "declined"


def why_waits(one: Correction, language: str = "en") -> str:
    """The sentence; "" where one person may do it alone."""
    unit = UNITS[one.kind][language.startswith("zh")]
    return alone.why_waits_said(one, unit.format, language)


def _audit(merchant: Merchant, one: Correction, verb: str, now: datetime, actor: str) -> None:
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb=verb, object=f"member {one.member_id}",
        detail={"key": one.key, "growth" if one.kind == "growth" else "points": one.amount, "reason": one.reason}
        | ({"because": one.decided_because} if one.decided_because else {}),
    )  # fmt: skip
