"""What callers ask of stored value: top up, spend, hold, capture, release, give back, pay out, correct. Idempotent by the
caller's key, which stands in the posting for ever; a refusal by the books is remembered like a success."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum

from shuke.engine.charter.stored import Stored
from shuke.engine.stored import judging
from shuke.loyalty.actions.stored.asking import KINDS, MOST_MINUTES, Answer, Ask, KeyReused, payload_of
from shuke.loyalty.actions.stored.ledger import Ledger, Purses, lock_card, lock_members
from shuke.loyalty.actions.stored.refusals import StoredRefused
from shuke.loyalty.models import GiftCard, StoredTxn, StoredUse
from shuke.loyalty.queries.stored.terms import terms_of
from shuke.members.models import Member
from shuke.shops.models import Merchant

OPENING = ("top_up", "spend", "hold", "adjust")  # what nobody can do where there is no stored value
NEEDS_THAW = ("spend", "hold", "withdraw")


def ask(*, merchant: Merchant, asks: Sequence[Ask], now: datetime, actor: str) -> list[Answer]:
    """Do or refuse each request; answers in the order of the asks. Raises KeyReused, StoredRefused (`stored_value_off`,
    `no_key`): then nothing of the call is done."""
    for one in asks:
        if one.kind not in KINDS:
            raise ValueError(f"Unknown request kind {one.kind}; known are {', '.join(KINDS)}.")
        if not 1 <= len(one.key) <= 200:
            raise StoredRefused("no_key")
        if one.kind == "hold" and not 1 <= one.minutes <= MOST_MINUTES:
            raise ValueError(f"A hold lasts 1 to {MOST_MINUTES} minutes.")
    try:
        with transaction.atomic():
            return _ask(merchant, asks, now, actor)
    except IntegrityError:
        # The same key at the same moment for somebody else, whose purse was not locked here: look again, now it is booked.
        with transaction.atomic():
            return _ask(merchant, asks, now, actor)


def _ask(merchant: Merchant, asks: Sequence[Ask], now: datetime, actor: str) -> list[Answer]:
    terms = terms_of(merchant, now)
    people = {one.member_id for one in asks if one.member_id is not None}
    payers = _payers(merchant, [one.ref for one in asks if one.kind == "return"])
    locked = lock_members(merchant, sorted(people | payers), make=terms is not None)
    card_ids = sorted({one.card_id for one in asks if one.card_id is not None})
    list(GiftCard.objects.select_for_update(no_key=True).filter(merchant=merchant, pk__in=card_ids).order_by("id"))
    cards = {pk: lock_card(merchant, pk) for pk in card_ids}
    ledger = Ledger(
        merchant, [p for purses in (*locked.values(), *cards.values()) for p in purses], now=now, actor=actor
    )
    known = {t.key: t for t in StoredTxn.objects.filter(merchant=merchant, key__in=[one.key for one in asks])}
    answers = []
    for one in asks:
        purses = cards[one.card_id] if one.card_id is not None else locked[one.member_id or 0]
        if terms is None and (one.kind in OPENING or not any(p.seq for p in purses)):
            raise StoredRefused("stored_value_off")
        if not purses:
            raise StoredRefused("card_refused" if one.card_id else "stored_value_off")
        before = known.get(one.key)
        if before is not None:
            answers.append(_replay(before, one, purses))
            continue
        if one.card_id is not None:
            _look_at_card(merchant, one, now)
        answer, txn = _do(merchant, ledger, terms or Stored(), one, purses)
        known[one.key] = txn
        answers.append(answer)
    ledger.finish()
    return answers


def _look_at_card(merchant: Merchant, one: Ask, now: datetime) -> None:
    """Only a card that was sold and has not run out pays. Goods that come back make a card that was redeemed one again."""
    row = GiftCard.objects.get(merchant=merchant, pk=one.card_id or 0)
    over = row.expires_at is not None and row.expires_at <= now
    if one.kind in ("spend", "hold") and (row.state != "active" or over):
        raise StoredRefused("card_refused")
    if one.kind == "return" and row.state == "void":
        raise StoredRefused("card_not_active", ref=f"…{row.hint}", state=row.state)
    if one.kind == "return" and row.state == "redeemed":
        row.state = "active"
        row.save(update_fields=["state"])


def _replay(before: StoredTxn, one: Ask, purses: Purses) -> Answer:
    if bytes(before.payload) != payload_of(one) or before.purse_id not in {p.pk for p in purses}:
        raise KeyReused(one.key)
    told = before.answer
    return Answer(one.key, told["done"], told["code"], told["figures"], True)


def _do(merchant: Merchant, ledger: Ledger, terms: Stored, one: Ask, purses: Purses) -> tuple[Answer, StoredTxn]:
    """One request: judged, done by the engine, booked."""
    purse = ledger.purse(purses)
    spent = _spent(merchant, purses, one.ref) if one.kind == "return" else None
    left = {str(lot): n for lot, n in spent[1].items()} if spent is not None else None
    asked = judging.Request(one.key, one.kind, one.amount, one.ref, one.minutes, one.account, left)
    code, figures = judging.judge(
        terms, merchant.currency, asked, purse, ledger.now, frozen=one.kind in NEEDS_THAW and _frozen(merchant, purses)
    )
    request = _request(one)
    if code:
        answer = Answer(one.key, False, code, figures)
        txn = ledger.post(
            None,
            purses[0].pk,
            one.key,
            payload=payload_of(one),
            request=request | {"kind": one.kind},
            answer=_plain(answer),
        )
        return answer, txn
    if spent is not None:
        names = ledger.reopen(purse, list(spent[1]))
        asked = asked._replace(left={names[pk]: n for pk, n in spent[1].items()})
    effect = judging.carry_out(terms, merchant.currency, merchant.tz, asked, purse, ledger.now, own=purses[0].pk)
    about = spent[0] if spent is not None else None
    for key in [key for key, lot in purse.lots.items() if lot.purse not in {p.pk for p in purses}]:
        del purse.lots[key]  # somebody else's again, who was one with this member when they paid
    figures = judging.figures_of(asked, effect, purse, ledger.now)
    answer = Answer(one.key, True, "", figures)
    txn = ledger.post(
        effect, purses[0].pk, one.key, payload=payload_of(one), request=request, answer=_plain(answer), about=about
    )
    if one.kind == "hold":
        ledger.place_hold(purse.holds[one.key], purses[0].pk)
    elif one.kind == "capture":
        ledger.close_hold(one.ref, "captured", captured=one.amount)
    elif one.kind == "release":
        ledger.close_hold(one.ref, "released")
    for lapsed in purse.advance(ledger.now):  # what was held beyond its end and is free again
        own = ledger.lots[lapsed.ref].purse
        told = {"amount": lapsed.sum("lapsed"), "ref": lapsed.ref}
        ledger.post(lapsed, own, f"lapse|{txn.pk}|{lapsed.ref}"[:300], request=told, actor="clock")
    return answer, txn


def _frozen(merchant: Merchant, purses: Purses) -> bool:
    member = purses[0].member_id
    return member is not None and Member.objects.filter(merchant=merchant, pk=member, frozen_at__isnull=False).exists()


def _payers(merchant: Merchant, payments: Sequence[str]) -> set[int]:
    """Whose money these payments took. Members who were merged paid with what both had; parted again, each gets their own back."""
    if not payments:
        return set()
    used = StoredUse.objects.filter(merchant=merchant, txn__key__in=payments, lot__purse__member__isnull=False)
    return {member for member in used.values_list("lot__purse__member_id", flat=True) if member is not None}


def _spent(merchant: Merchant, purses: Purses, key: str) -> tuple[int, dict[int, int]] | None:
    """A payment by its key: its posting, and what of each lot did not come back yet."""
    row = StoredTxn.objects.filter(
        merchant=merchant, key=key, kind__in=("spend", "capture"), purse_id__in=[p.pk for p in purses]
    ).first()
    if row is None:
        return None
    left: dict[int, int] = {}
    used = StoredUse.objects.filter(merchant=merchant, txn=row, kind="spend").order_by("id")
    for lot, n in used.values_list("lot_id", "amount"):
        left[lot] = left.get(lot, 0) + n
    backs = StoredTxn.objects.filter(merchant=merchant, about=row.pk).values("pk")
    came = StoredUse.objects.filter(merchant=merchant, txn__in=backs, kind="back").values_list("lot_id")
    for lot, n in came.annotate(n=Sum("amount")):
        left[lot] += n
    return row.pk, left


def _request(one: Ask) -> dict[str, Any]:
    told = {"amount": one.amount, "ref": one.ref, "paid_by": one.paid_by, "reason": one.reason}
    if one.kind == "adjust":
        told["account"] = one.account
    return {k: v for k, v in told.items() if v}


def _plain(answer: Answer) -> dict[str, Any]:
    return {"done": answer.done, "code": answer.code, "figures": answer.figures}
