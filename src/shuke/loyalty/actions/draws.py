"""Lucky draws: made, committed to, drawn from, closed and revealed. What a ticket draws is engine.draws; here it is kept honest.

The seed lies sealed under the master key until it is revealed; nothing but this module opens it, and only while it draws.
Tickets of one draw are numbered one after the other under the lock of its row (after that of the member's wallet).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from shuke.engine import draws as engine
from shuke.engine.draws import asking
from shuke.engine.draws.drawing import SEED_BYTES, moment_text
from shuke.engine.draws.terms import FORMAT
from shuke.engine.gifts import has_thing
from shuke.kit import audit, crypto
from shuke.kit.refusal import Refusal, sentence
from shuke.loyalty.actions.asking import LONGEST_REWARD_KEY, Ask, KeyReused, check_asked
from shuke.loyalty.actions.coupons.issuing import Issue, issue
from shuke.loyalty.actions.requests import ask
from shuke.loyalty.actions.settling import lock_heads
from shuke.loyalty.models import Draw, DrawTicket
from shuke.loyalty.queries import draws as stored
from shuke.members.actions.timeline import Note, note
from shuke.members.models import Member
from shuke.members.queries.families import family
from shuke.shops.models import Merchant, Store

REFUSALS = {
    "no_such_draw": ("There is no draw {draw}.", "没有抽奖 {draw}。"),
    "not_open": ("{name} is not open now: from {opens} until {closes}.", "{name}现在不在抽奖时间内：{opens} 至 {closes}。"),
    "stopped": ("{name} was stopped.", "{name}已停止。"),
    "no_such_way": ("{name} gives no tickets that way.", "{name}没有这种获得抽奖机会的方式。"),
    "limit": ("{name}: no tickets are left for this member within the limits.", "{name}：该会员的抽奖次数已达上限。"),
    "no_source": ("{name}: no order or activity is left that gives a ticket.", "{name}：没有可用于抽奖的订单或活动。"),
    "not_enough": ("A ticket of {name} takes {points} points; {available} are available.", "{name}每次需要 {points} 积分，可用 {available}。"),
    "word": ("The word may have at most 20 letters or digits, and no phone number: it will be published.", "幸运词最多 20 个字母、汉字或数字，且不能是电话号码：它会被公布。"),
    "frozen": ("This member is frozen.", "该会员已冻结。"),
    "no_prize": ("This ticket has no prize to hand over, or it was handed over already.", "这张券没有待发的奖品，或已发放。"),
}  # fmt: skip


WRONG = {
    "code": ("A draw's code has small letters, digits, - and _, at most 40.", "抽奖编码只含小写字母、数字、- 和 _，最多 40 个字符。"),
    "committed": (
        "The commitment of {draw} has been published; its terms no longer change. Make another draw instead.",
        "{draw} 的承诺值已公布，规则不能再改。请另建一个抽奖。",
    ),
    "over": ("{draw} would close before it begins; change its times first.", "{draw} 的截止时间已过，请先修改时间。"),
    "not_running": ("{draw} is not running.", "{draw} 不在进行中。"),
    "too_early": (
        "{draw} closes at {closes}; before that whoever knows the seed knows every outcome.",
        "{draw} 于 {closes} 截止；在此之前知道种子就知道所有结果，不能公布。",
    ),
    "no_such_draw": ("There is no draw {draw}.", "没有抽奖 {draw}。"),
}  # fmt: skip


class DrawRefused(Refusal):
    """The draw cannot be changed so; the message says why and what to do. `code` is for programs."""

    sentences = WRONG


class Drawn(NamedTuple):
    """`code` is "" when a ticket was drawn. A replay gives the first answer again."""

    done: bool
    code: str
    ticket: DrawTicket | None
    figures: dict[str, Any]
    replayed: bool = False

    def say(self, language: str) -> str:
        return sentence(REFUSALS, self.code, self.figures, language) if self.code else ""


# -- the draw -----------------------------------------------------------------------------------------------------


@transaction.atomic
def save_draw(
    *, merchant: Merchant, code: str, terms: Mapping[str, Any], now: datetime, actor: str, seed: bytes | None = None
) -> Draw:
    """Make a draw, or change one that was not committed to yet. Raises DrawInvalid, DrawRefused.

    `seed` is for a draw that is held once more, as it was (flows.replay_books); a real one takes what chance gives.
    """
    code = code.strip()
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", code):
        raise DrawRefused("code")
    plain = {**terms, "format": FORMAT, "draw": code, "shop": merchant.name, "zone": merchant.zone}
    told = engine.read_terms(plain)
    plain["opens_at"], plain["closes_at"] = moment_text(told.opens_at), moment_text(told.closes_at)
    row = Draw.objects.select_for_update().filter(merchant=merchant, code=code).first()
    if row is not None and row.state != Draw.State.DRAFT:
        raise DrawRefused("committed", draw=code)
    if row is None:
        row = Draw(merchant=merchant, code=code, public=secrets.token_hex(12), made_at=now, made_by=actor[:60])
        row.secret = _seal(row, seed or os.urandom(SEED_BYTES), os.urandom(32))
    row.terms, row.opens_at, row.closes_at = plain, told.opens_at, told.closes_at
    row.save()
    audit.record(merchant_id=merchant.pk, at=now, actor=actor, verb="draw.saved", object=f"draw {code}")
    return row


@transaction.atomic
def commit_draw(*, merchant: Merchant, code: str, now: datetime, actor: str) -> Draw:
    """Publish terms and commitment; from here on both stand. Raises DrawRefused, DrawInvalid."""
    row = _locked(merchant, code)
    if row.state != Draw.State.DRAFT:
        raise DrawRefused("committed", draw=code)
    if row.closes_at <= now:
        raise DrawRefused("over", draw=code)
    engine.read_terms(row.terms)
    seed, _ = _open(row)
    row.commitment = engine.commitment(engine.canonical(row.terms), seed)
    row.head = engine.first_link(row.commitment)
    row.state, row.committed_at, row.committed_by = Draw.State.COMMITTED, now.replace(microsecond=0), actor[:60]
    row.save(update_fields=["commitment", "head", "state", "committed_at", "committed_by"])
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb="draw.committed", object=f"draw {code}",
        detail={"commitment": row.commitment},
    )  # fmt: skip
    return row


@transaction.atomic
def stop_draw(*, merchant: Merchant, code: str, now: datetime, actor: str) -> Draw:
    """No more tickets. The seed still waits for the published closing time. Raises DrawRefused."""
    row = _locked(merchant, code)
    if row.state != Draw.State.COMMITTED:
        raise DrawRefused("not_running", draw=code)
    row.state, row.stopped_at = Draw.State.STOPPED, now
    row.save(update_fields=["state", "stopped_at"])
    audit.record(merchant_id=merchant.pk, at=now, actor=actor, verb="draw.stopped", object=f"draw {code}")
    return row


@transaction.atomic
def reveal_draw(*, merchant: Merchant, code: str, now: datetime, actor: str) -> Draw:
    """Publish the seed, once no ticket can be drawn any more. Raises DrawRefused."""
    row = _locked(merchant, code)
    if row.state == Draw.State.REVEALED:
        return row
    if row.state == Draw.State.DRAFT or now < row.closes_at:
        raise DrawRefused("too_early", draw=code, closes=row.terms["closes_at"])
    row.seed, row.state, row.revealed_at = _open(row)[0].hex(), Draw.State.REVEALED, now.replace(microsecond=0)
    row.save(update_fields=["seed", "state", "revealed_at"])
    audit.record(merchant_id=merchant.pk, at=now, actor=actor, verb="draw.revealed", object=f"draw {code}")
    return row


# -- tickets ------------------------------------------------------------------------------------------------------


@transaction.atomic
def draw_ticket(
    *,
    merchant: Merchant,
    draw: str,
    member_id: int,
    key: str,
    way: str,
    now: datetime,
    actor: str,
    word: str = "",
    source: str = "",
) -> Drawn:
    """One ticket, drawn at once. Raises NoCharter, KeyReused, NotAsked.

    Effects: wallet and draw locked; points burnt, or the oldest unused order or activity used up (`source` names one);
    ticket numbered, drawn, chained; points and coupons among the prizes given; one timeline line. A refusal is remembered.
    """
    check_asked(key, most=LONGEST_REWARD_KEY)
    lock_heads(merchant, [member_id])
    payload = hashlib.blake2b(
        json.dumps([member_id, draw, way, word, source]).encode(), digest_size=16
    ).digest()  # fmt: skip
    before = DrawTicket.objects.filter(merchant=merchant, key=key).select_related("draw").first()
    if before is not None:
        return _replay(before, payload)
    row = Draw.objects.select_for_update(no_key=True).filter(merchant=merchant, code=draw).first()
    if row is None or row.state == Draw.State.DRAFT:
        return Drawn(False, "no_such_draw", None, {"draw": draw})
    terms = engine.read_terms(row.terms)
    ticket = DrawTicket(
        merchant=merchant,
        key=key,
        payload=payload,
        draw=row,
        member_id=member_id,
        way=way[:10],
        at=now,
        actor=actor[:60],
    )
    figures: dict[str, Any] = {
        "name": dict(terms.name),
        "opens": f"{terms.opens_at.astimezone(terms.zone):%Y-%m-%d %H:%M}",
        "closes": f"{terms.closes_at.astimezone(terms.zone):%Y-%m-%d %H:%M}",
    }
    code, source = _may(merchant, row, terms, ticket, word, source, now)
    if not code and way == "points":
        ticket.points = int(terms.ways["points"])
        told = ask(
            merchant=merchant,
            asks=[Ask(f"draw:{key}", "burn", member_id, ticket.points, reason=row.code)],
            now=now,
            actor=actor,
        )[0]
        if not told.done:
            code = told.code if told.code in REFUSALS else "not_enough"
            figures |= {"points": ticket.points, "available": told.figures.get("available", 0)}
    if code:
        ticket.code, ticket.points, ticket.figures = code, 0, figures
        _save(ticket)
        return Drawn(False, code, ticket, figures)
    _draw(row, terms, ticket, word, source, now)
    _give(merchant, row, ticket, now, actor)
    _save(ticket)
    body: dict[str, Any] = {"draw": row.code, "label": dict(terms.name), "number": ticket.number, "won": ticket.won}
    if ticket.won:
        body["prize"] = dict(stored.prize(row, ticket.won).get("name") or {})
    note(
        merchant=merchant,
        lines=[Note(member_id, now, "draw.ticket", f"draw:{row.code}:{ticket.number}", body)],
        now=now,
    )
    return Drawn(True, "", ticket, figures)


def _may(
    merchant: Merchant, row: Draw, terms: engine.DrawTerms, ticket: DrawTicket, word: str, source: str, now: datetime
) -> tuple[str, str]:
    """Why no ticket is given, and what it is given for."""
    own = family(merchant.pk, ticket.member_id)
    seen = asking.Situation(
        running=row.state == Draw.State.COMMITTED and (row.committed_at is None or now >= row.committed_at),
        stopped=row.state == Draw.State.STOPPED,
        frozen=Member.objects.filter(merchant=merchant, pk=ticket.member_id, frozen_at__isnull=False).exists(),
        left=stored.left(row, terms, own, now),
        free=lambda: stored.unused(row, stored.sources(merchant, terms, ticket.way, own, now)),
    )
    return asking.may(terms, seen, ticket.way, word, source, now)


def _draw(row: Draw, terms: engine.DrawTerms, ticket: DrawTicket, word: str, source: str, now: datetime) -> None:
    """Number, outcome, link. The row is locked: this ticket follows the last one, in time too."""
    seed, salt = _open(row)
    last = stored.tickets(row).order_by("-number").values_list("at", flat=True).first()
    at = max(now, last) if last is not None else now
    ticket.number, ticket.word, ticket.source, ticket.at = row.issued + 1, word, source, at
    ticket.who = pseudonym(salt, ticket.member_id)
    ticket.drew = engine.drawn(terms, row.commitment, seed, f"{ticket.number}:{word}")
    ticket.won = engine.settle(terms, ticket.drew, row.given)
    outcome = engine.Outcome(ticket.drew, ticket.won)
    ticket.link = engine.link(row.head, ticket.number, word, ticket.who, moment_text(at), ticket.way, outcome)
    row.issued, row.head = ticket.number, ticket.link
    if ticket.won:
        row.given = {**row.given, ticket.won: row.given.get(ticket.won, 0) + 1}
    row.save(update_fields=["issued", "head", "given"])


def _give(merchant: Merchant, row: Draw, ticket: DrawTicket, now: datetime, actor: str) -> None:
    """Points and coupons are given at once; the thing that goes with them, or is all there is, waits to be handed over."""
    prize = stored.prize(row, ticket.won)
    points, coupon = int(prize.get("points") or 0), str(prize.get("coupon") or "")
    missing = has_thing(int(prize.get("worth_minor") or 0), gives=bool(points or coupon))
    if points:
        told = ask(
            merchant=merchant,
            asks=[Ask(f"draw:{ticket.key}:prize", "adjust", ticket.member_id, points, reason=row.code)],
            now=now,
            actor=actor,
        )[0]
        assert told.done, told
    if coupon:
        wanted = Issue(coupon, ticket.member_id, "draw", f"draw:{row.pk}:{ticket.number}", 1, now)
        if issue(merchant=merchant, issues=[wanted], now=now, actor=actor)[0].code:
            missing = True  # it waits for somebody to make it good
    if ticket.won and not missing:
        ticket.handed_at, ticket.handed_by = now, "draw"


@transaction.atomic
def hand_over_prize(
    *, merchant: Merchant, ticket_id: int, now: datetime, actor: str, store: Store | None = None
) -> Drawn:
    """Say that a prize was handed over, once."""
    row = DrawTicket.objects.select_for_update().filter(merchant=merchant, pk=ticket_id).first()
    if row is None or not row.won or row.handed_at is not None:
        return Drawn(False, "no_prize", row, {})
    row.handed_at, row.handed_by, row.store = now, actor[:60], store
    row.save(update_fields=["handed_at", "handed_by", "store"])
    body: dict[str, Any] = {"draw": row.draw.code, "label": dict(row.draw.terms.get("name") or {}), "by": actor,
            "prize": dict(stored.prize(row.draw, row.won).get("name") or {})}  # fmt: skip
    if worth := int(stored.prize(row.draw, row.won).get("worth_minor") or 0):
        body["cost_minor"] = worth
    note(
        merchant=merchant,
        lines=[Note(row.member_id, now, "draw.handed", f"draw:{row.draw.code}:{row.number}", body)],
        now=now,
    )
    return Drawn(True, "", row, {})


def pseudonym(salt: bytes, member_id: int) -> str:
    """Who a member is in one draw's list: a keyed hash, of use nowhere else."""
    digest = hmac.digest(salt, str(member_id).encode(), "sha256")
    return base64.b32encode(digest)[:10].decode()


def _replay(before: DrawTicket, payload: bytes) -> Drawn:
    if bytes(before.payload) != payload:
        raise KeyReused(before.key)
    unknown = dict.fromkeys(("points", "available", "opens", "closes"), "–")  # of refusals older than `figures`
    named = {"name": dict(before.draw.terms.get("name") or {}), "draw": before.draw.code}
    figures = before.figures or unknown | named
    return Drawn(not before.code, before.code, before, figures, True)


def _save(ticket: DrawTicket) -> None:
    try:
        with transaction.atomic():
            ticket.save(force_insert=True)
    except IntegrityError as error:
        raise KeyReused(ticket.key) from error


def _locked(merchant: Merchant, code: str) -> Draw:
    row = Draw.objects.select_for_update().filter(merchant=merchant, code=code).first()
    if row is None:
        raise DrawRefused("no_such_draw", draw=code)
    return row


def _seal(row: Draw, seed: bytes, salt: bytes) -> bytes:
    return crypto.seal(seed + salt, crypto.key_for("draw", row.merchant_id), b"draw %d" % row.pk)


def _open(row: Draw) -> tuple[bytes, bytes]:
    plain = crypto.unseal(bytes(row.secret), crypto.key_for("draw", row.merchant_id), b"draw %d" % row.pk)
    return plain[:SEED_BYTES], plain[SEED_BYTES:]
