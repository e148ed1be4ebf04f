"""Complaints written down, settled and reopened. Each state is left by one conditional update: of two who settle, one does."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import ClassVar, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import F

from shuke.kit.refusal import Refusal, Sentences
from shuke.members.actions import Note, note
from shuke.members.queries.families import living
from shuke.service.models import Complaint
from shuke.service.queries import CHANNELS, NoSuchComplaint, bought, complaint, timeline_ref
from shuke.shops.models import Merchant

LONGEST = 2000
SHOWN = 200  # of a text, on the timeline


class ComplaintRefused(Refusal):
    """Nothing was written."""

    sentences: ClassVar[Sentences] = {
        "what_missing": (
            "Write what the member was not content with, in at most {most} characters.",
            "请写明会员不满意什么，最多 {most} 个字。",
        ),
        "note_missing": (
            "Write how it was settled, in at most {most} characters: whoever reads it next was not there.",
            "请写明怎样处理的，最多 {most} 个字，以便后来的人了解。",
        ),
        "reason_missing": (
            "Write why it is opened again, in at most {most} characters.",
            "请写明为什么重新处理，最多 {most} 个字。",
        ),
        "no_such_channel": (
            "There is no channel {channel}. Known are: {known}.",
            "没有渠道 {channel}，可选：{known}。",
        ),
        "no_such_order": (
            "This member has no order {number}. Check the number, or leave it out.",
            "该会员没有订单 {number}，请核对订单号，或不填。",
        ),
        "no_such_complaint": ("There is no complaint {complaint}.", "没有投诉 {complaint}。"),
        "settled_before": (
            "It is settled already, by {by}: “{note}”. Open it again, if that was not enough.",
            "该投诉已由 {by} 处理：“{note}”。若仍未解决，请重新打开。",
        ),
        "open_already": ("It is open: nobody has settled it yet.", "该投诉尚未处理，无需重新打开。"),
        "key_missing": (
            "Give the complaint a key of 1 to 160 characters (the header Idempotency-Key, or `key`), so that it can be sent again.",
            "请提供 1 至 160 个字符的键（请求头 Idempotency-Key 或字段 key），以便安全重发。",
        ),
        "key_reused": (
            "The key {key} was used before for another complaint. Use a new key for a new one.",
            "键 {key} 已用于另一投诉，新的投诉请用新键。",
        ),
    }


class Opened(NamedTuple):
    complaint: Complaint
    replayed: bool  # this key had written it down before


def open_complaint(
    *,
    merchant: Merchant,
    key: str,
    member_id: int,
    what: str,
    channel: str,
    order_number: str = "",
    now: datetime,
    actor: str,
) -> Opened:
    """Write a complaint down. The same key with the same words is the same complaint. One line on the timeline."""
    what, order_number = what.strip(), order_number.strip()
    if not 0 < len(key) <= 160:
        raise ComplaintRefused("key_missing")
    if not 0 < len(what) <= LONGEST:
        raise ComplaintRefused("what_missing", most=LONGEST)
    if channel not in CHANNELS:
        raise ComplaintRefused("no_such_channel", channel=channel, known=", ".join(CHANNELS))
    told = json.dumps([member_id, what, channel, order_number], ensure_ascii=False)
    payload = hashlib.blake2b(told.encode(), digest_size=16).digest()
    if (before := _before(merchant, key, payload)) is not None:
        return Opened(before, True)
    if order_number and not bought(merchant, member_id, order_number):
        raise ComplaintRefused("no_such_order", number=order_number)
    row = Complaint(
        merchant=merchant, member_id=member_id, key=key, payload=payload, what=what, channel=channel,
        order_number=order_number, opened_at=now, opened_by=actor[:60],
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            body = {"channel": channel, "by": actor[:60], "text": what[:SHOWN], "number": order_number}
            _tell(row, "complaint.opened", now, body)
    except IntegrityError:
        before = _before(merchant, key, payload)
        if before is None:
            raise
        return Opened(before, True)
    return Opened(row, False)


def settle(*, merchant: Merchant, complaint_id: int, note_text: str, now: datetime, actor: str) -> Complaint:
    """It is settled: how, and by whom. One line on the timeline, by which whatever is given for it is given once."""
    note_text = note_text.strip()
    if not 0 < len(note_text) <= LONGEST:
        raise ComplaintRefused("note_missing", most=LONGEST)
    with transaction.atomic():
        row = _found(merchant, complaint_id)
        open_one = Complaint.objects.filter(merchant=merchant, pk=row.pk, settled_at=None)
        if not open_one.update(settled_at=now, settled_by=actor[:60], note=note_text):
            row.refresh_from_db()
            raise ComplaintRefused("settled_before", by=row.settled_by, note=row.note[:SHOWN])
        row.refresh_from_db()
        _tell(row, "complaint.settled", now, {"by": actor[:60], "text": note_text[:SHOWN]})
        return row


def reopen(*, merchant: Merchant, complaint_id: int, reason: str, now: datetime, actor: str) -> Complaint:
    """It was not settled after all."""
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST:
        raise ComplaintRefused("reason_missing", most=LONGEST)
    with transaction.atomic():
        row = _found(merchant, complaint_id)
        settled = Complaint.objects.filter(merchant=merchant, pk=row.pk, settled_at__isnull=False)
        if not settled.update(settled_at=None, reopened=F("reopened") + 1):
            raise ComplaintRefused("open_already")
        row.refresh_from_db()
        _tell(row, "complaint.reopened", now, {"by": actor[:60], "text": reason[:SHOWN]})
        return row


def _before(merchant: Merchant, key: str, payload: bytes) -> Complaint | None:
    found = Complaint.objects.filter(merchant=merchant, key=key).first()
    if found is not None and bytes(found.payload) != payload:
        raise ComplaintRefused("key_reused", key=key)
    return found


def _found(merchant: Merchant, complaint_id: int) -> Complaint:
    try:
        return complaint(merchant, complaint_id)
    except NoSuchComplaint as error:
        raise ComplaintRefused("no_such_complaint", complaint=complaint_id) from error


def _tell(row: Complaint, kind: str, now: datetime, body: dict[str, str]) -> None:
    """On the timeline of whoever the member lives on in."""
    member = living(row.merchant_id, row.member_id)
    line = Note(member, now, kind, timeline_ref(row), {name: said for name, said in body.items() if said})
    note(merchant=row.merchant, lines=[line], now=now)
