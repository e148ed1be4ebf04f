"""Handing out benefits and steps of plans, and taking them back. Idempotent by key; no quota can be overspent.

The lock is the member's wallet, the same that points take: two tills with one member wait for one another, whatever they do.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction

from shuke.engine.benefits import Right, right
from shuke.engine.charter.rights import Plan, Step
from shuke.engine.gifts import has_thing
from shuke.kit import audit
from shuke.kit.refusal import sentence
from shuke.loyalty.actions.asking import LONGEST_REWARD_KEY, Ask, KeyReused, check_asked, check_reason
from shuke.loyalty.actions.requests import ask
from shuke.loyalty.actions.settling import lock_heads
from shuke.loyalty.models import BenefitUse
from shuke.loyalty.queries import benefits as stored
from shuke.members.actions.timeline import Note, note
from shuke.members.queries.families import living
from shuke.shops.models import Merchant, Store

REFUSALS = {
    "unknown_benefit": (
        "The charter in force has no benefit {benefit}. Look at what it has, and choose one of those.",
        "现行章程没有权益 {benefit}，请从现有权益中选择。",
    ),
    "not_this_tier": ("{name} is not for this member's tier.", "该会员的等级不享有{name}。"),
    "no_birthday": ("{name} needs the member's birthday; it is not on file.", "{name}需要会员生日，档案中没有。"),
    "no_special_day": (
        "{name} needs a special day of the member; none is on file.",
        "{name}需要会员的特别日子，档案中没有。",
    ),
    "over": ("{name} is over.", "{name}已结束。"),
    "not_here": ("{name} is for other stores.", "{name}不适用于本店。"),
    "not_now": ("{name} cannot be had now; the next day is {next}.", "{name}现在不可用，下一个可用日：{next}。"),
    "automatic": ("{name} applies by itself; there is nothing to hand out.", "{name}自动生效，无需发放。"),
    "frozen": ("This member is frozen.", "该会员已冻结。"),
    "used_up": ("{name} is used up: {used} of {allowed} in this period.", "{name}本期已用完：{used}/{allowed}。"),
    "not_reached": ("{name} has not been reached, or was claimed already.", "{name}尚未达到，或已领取。"),
    "not_handed_out": ("This was not handed out, or has been taken back.", "没有这次发放，或已撤销。"),
    "nothing_waits": (
        "Nothing waits to be handed over here, or it was handed over already.",
        "这里没有待发放的东西，或已发放。",
    ),
    "too_late": (
        "It can be taken back for {minutes} minutes; now only a manager can.",
        "发放后 {minutes} 分钟内可撤销；现在只有店长可以。",
    ),
    "points_spent": (
        "The {points} points given with it are no longer there to be taken back.",
        "随之发放的 {points} 积分已不足，无法收回。",
    ),
}


_UNKNOWN = dict.fromkeys(("used", "allowed", "next"), "–")  # of refusals older than `figures`


class Handed(NamedTuple):
    """`code` is "" when it was done. A replay gives the first answer again."""

    done: bool
    code: str
    use: BenefitUse | None
    figures: dict[str, object]
    replayed: bool = False

    def say(self, language: str) -> str:
        """Why not, as a sentence; "" when it was done."""
        return sentence(REFUSALS, self.code, self.figures, language) if self.code else ""


class _Asked(NamedTuple):
    """What is to be handed out, looked up in the charter."""

    code: str
    label: dict[str, str]
    cost: int
    points: int
    figures: dict[str, object]


@transaction.atomic
def hand_out(
    *,
    merchant: Merchant,
    member_id: int,
    benefit: str,
    key: str,
    now: datetime,
    actor: str,
    store: Store | None = None,
    note_text: str = "",
) -> Handed:
    """Give one benefit, or one step of a plan (`plan.step`), now. Raises NoCharter, KeyReused, NotAsked.

    Effects: wallet locked; quota looked at; one row written, refusals too; points of a plan's step granted, and the thing that
    goes with them waits to be handed over; one timeline line with what it cost.
    """
    note_text = note_text.strip()
    check_asked(key, note_text, LONGEST_REWARD_KEY)
    lock_heads(merchant, [member_id])
    payload = hashlib.blake2b(json.dumps([member_id, benefit]).encode(), digest_size=16).digest()
    before = BenefitUse.objects.filter(merchant=merchant, key=key).first()
    if before is not None:
        return _replay(before, payload)
    seen = stored.known(merchant, member_id, now)
    found = _look_up(merchant, member_id, seen, benefit, now, store)
    done = not found.code
    row = BenefitUse(
        merchant=merchant,
        key=key,
        payload=payload,
        member_id=member_id,
        benefit=benefit[:40],
        label=found.label,
        state=BenefitUse.State.DONE if done else BenefitUse.State.REFUSED,
        code=found.code,
        figures=None if done else found.figures,
        at=now,
        tier=seen.tier,
        charter_version=seen.terms.version,
        store=store,
        actor=actor[:60],
        note=note_text,
        cost_minor=found.cost if done else 0,
        points=found.points if done else 0,
        waits=done and found.points > 0 and has_thing(found.cost, gives=True),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:  # somebody else's member, at the same moment
        raise KeyReused(key) from error
    if not done:
        return Handed(False, found.code, row, found.figures)
    if found.points:
        ask(
            merchant=merchant,
            asks=[Ask(f"benefit:{row.pk}", "adjust", member_id, found.points, reason=benefit)],
            now=now,
            actor=actor,
        )
    _note(merchant, row, "benefit.used", now)
    return Handed(True, "", row, found.figures)


@transaction.atomic
def hand_over(*, merchant: Merchant, use_id: int, now: datetime, actor: str, store: Store | None = None) -> Handed:
    """Say that the thing that went with a step's points was handed over, once: another till that says so is refused."""
    row = BenefitUse.objects.select_for_update().filter(merchant=merchant, pk=use_id).first()
    if row is None or row.state != BenefitUse.State.DONE or not row.waits:
        return Handed(False, "nothing_waits", row, {})
    row.waits, row.handed_at, row.handed_by, row.store = False, now, actor[:60], store or row.store
    row.save(update_fields=["waits", "handed_at", "handed_by", "store"])
    body = {"benefit": row.benefit, "label": row.label, "by": row.handed_by}
    note(merchant=merchant, lines=[Note(row.member_id, now, "benefit.handed", f"benefit:{row.pk}", body)], now=now)
    return Handed(True, "", row, {})


def _replay(before: BenefitUse, payload: bytes) -> Handed:
    if bytes(before.payload) != payload:
        raise KeyReused(before.key)
    if before.state == BenefitUse.State.REFUSED:
        return _refused(before)
    return Handed(True, "", before, {}, True)


def _refused(row: BenefitUse) -> Handed:
    kept = row.figures or _UNKNOWN | {"name": row.label, "benefit": row.benefit}
    return Handed(False, row.code, row, kept, True)


def why_refused(row: BenefitUse, language: str) -> str:
    """The sentence that was said when it was refused; "" of what was handed out."""
    return _refused(row).say(language)


def _look_up(
    merchant: Merchant, member_id: int, seen: stored.Known, key: str, now: datetime, store: Store | None
) -> _Asked:
    rights = seen.terms.charter.rights
    benefit = next((b for b in rights.benefits if b.key == key), None)
    if benefit is not None:
        told: Right = right(seen.terms, benefit, seen.who, now, store.code if store else "")
        label = benefit.name.model_dump()
        figures: dict[str, object] = {
            "name": label,
            "used": told.used,
            "allowed": "∞" if told.allowed is None else told.allowed,
            "next": told.next_on.isoformat() if told.next_on else "–",
            "left": None if told.left is None else told.left - (0 if told.code else 1),
        }
        return _Asked(told.code, label, told.cost, 0, figures)
    step = _step(rights.plans, key)
    if step is None:
        return _Asked("unknown_benefit", {}, 0, 0, {"benefit": key})
    plan, number, gives = step
    label = {
        "zh": f"{plan.name.zh}：{gives.name.zh}",
        "en": f"{plan.name.en}: {gives.name.en}",
    }
    close = next((c for c in stored.progress_of(merchant, member_id, seen, now) if c.key == plan.key), None)
    due = next((n for i, _, n in close.due if i == number), 0) if close is not None else 0
    code = "frozen" if seen.who.frozen else "" if due else "not_reached"
    return _Asked(code, label, seen.terms.minor(gives.cost), gives.points, {"name": label, "left": max(0, due - 1)})


def _step(plans: tuple[Plan, ...], key: str) -> tuple[Plan, int, Step] | None:
    name, _, number = key.partition(".")
    plan = next((p for p in plans if p.key == name), None)
    if plan is None or not number.isdecimal() or int(number) >= len(plan.steps) or plan.honour:
        return None
    return plan, int(number), plan.steps[int(number)]


@transaction.atomic
def take_back(
    *, merchant: Merchant, use_id: int, now: datetime, actor: str, because: str = "", late: bool = False
) -> Handed:
    """Undo a hand-out: its quota is free again, points given with it are taken back.

    `late`: the caller may do so after the charter's minutes (a manager). The same call again says it was done. Raises NotAsked.
    """
    because = because.strip()
    check_reason(because)
    found = BenefitUse.objects.filter(merchant=merchant, pk=use_id).first()
    if found is None or found.state == BenefitUse.State.REFUSED:
        return Handed(False, "not_handed_out", found, {})
    owner = living(merchant.pk, found.member_id)
    lock_heads(merchant, [owner])
    row = BenefitUse.objects.get(merchant=merchant, pk=use_id)
    if row.state == BenefitUse.State.UNDONE:
        return Handed(True, "", row, {}, True)
    minutes = stored.charters.in_force(merchant, now).charter.rights.undo_minutes
    if not late and now - row.at > timedelta(minutes=minutes):
        return Handed(False, "too_late", row, {"minutes": minutes})
    if row.points:
        told = ask(
            merchant=merchant,
            asks=[
                Ask(
                    f"benefit:{row.pk}:undo:{now.timestamp():.0f}",
                    "adjust",
                    owner,
                    -row.points,
                    reason=row.benefit,
                )
            ],
            now=now,
            actor=actor,
        )[0]
        if not told.done:
            return Handed(False, "points_spent", row, {"points": row.points})
    row.state, row.undone_at, row.undone_by = BenefitUse.State.UNDONE, now, actor[:60]
    row.undone_because, row.waits = because, False
    row.save(update_fields=["state", "undone_at", "undone_by", "undone_because", "waits"])
    _note(merchant, row, "benefit.undone", now)
    if late:
        audit.record(
            merchant_id=merchant.pk, at=now, actor=actor, verb="benefit.undone", object=f"benefit {row.pk}"
        )  # fmt: skip
    return Handed(True, "", row, {})


def _note(merchant: Merchant, row: BenefitUse, kind: str, now: datetime) -> None:
    body = {"benefit": row.benefit, "label": row.label, "by": row.actor}
    if row.cost_minor:
        body["cost_minor"] = row.cost_minor
    note(merchant=merchant, lines=[Note(row.member_id, now, kind, f"benefit:{row.pk}", body)], now=now)
