"""Vouchers for the bookkeeper: balanced, numbered the same on every run, and what came late in the open month.

A month's entries are a difference: the running totals at its end, as the facts are known now, less what closed months have
booked. So nothing is booked twice and nothing is lost, in whatever order facts arrive; a closed month is never asked again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from shuke.engine.finance import months
from shuke.engine.finance.policy import Policy
from shuke.engine.insight.wording import Wording
from shuke.kit.money import allocate

FORMAT = 1
# Running total → roles of debit and credit, and what the entry says.
FLOWS: dict[str, tuple[str, str, Wording]] = {
    "deferred": (
        "revenue", "contract_liability",
        Wording("{month} 随销售发放积分，递延收入", "{month} revenue deferred for points issued with sales"),
    ),
    "recognised": (
        "contract_liability", "revenue",
        Wording("{month} 积分兑换及失效，确认收入", "{month} revenue recognised for points redeemed and lapsed"),
    ),
    "provided": (
        "expense", "provision",
        Wording("{month} 计提积分费用", "{month} provision for points expected to be redeemed"),
    ),
    "settled": (
        "provision", "redeemed",
        Wording("{month} 积分兑换，冲减计提", "{month} points redeemed, provision used"),
    ),
}  # fmt: skip
LATE = Wording("（以前月份补记）", " (of earlier months, known only now)")
IN_TIME = Wording("", "")


class Entry(NamedTuple):
    """One line of a voucher."""

    number: str
    day: date
    said: Wording
    account: str
    name: str
    debit: int
    credit: int


def vouchers(
    policy: Policy,
    month: int,
    *,
    own: Mapping[str, int],
    late: Mapping[str, int],
    days: Mapping[str, Mapping[date, int]],
    per: str,
) -> list[Entry]:
    """Entries of a month: number 000 for what came late, then one voucher for the month or one for each day (001 … 031)."""
    first, last = months.first_day(month), months.first_day(month + 1) - timedelta(days=1)
    found: list[Entry] = []
    for flow in FLOWS:
        found += _pair(policy, flow, month, first, 0, late.get(flow, 0), LATE)
    if per == "month":
        for flow in FLOWS:
            found += _pair(policy, flow, month, last, 1, own.get(flow, 0))
        return found
    by_day: dict[date, list[Entry]] = {}
    for flow in FLOWS:
        weights = days.get(flow) or {last: 1}
        known = sorted(weights)
        for day, amount in zip(known, allocate(own.get(flow, 0), [weights[d] for d in known]), strict=True):
            by_day.setdefault(day, []).extend(_pair(policy, flow, month, day, day.day, amount))
    for day in sorted(by_day):
        found += by_day[day]
    return found


def _pair(
    policy: Policy, flow: str, month: int, day: date, slot: int, amount: int, more: Wording = IN_TIME
) -> list[Entry]:
    """Debit and credit; an amount below zero goes the other way round, so that no column holds negative figures."""
    if not amount:
        return []
    debit, credit, said = FLOWS[flow]
    if amount < 0:
        debit, credit, amount = credit, debit, -amount
    number = f"{policy.prefix}{months.label(month).replace('-', '')}-{slot:03d}"
    label = months.label(month)
    text = Wording(said.zh.format(month=label) + more.zh, said.en.format(month=label) + more.en)
    one, other = policy.account(debit), policy.account(credit)
    return [
        Entry(number, day, text, one.code, one.name, amount, 0),
        Entry(number, day, text, other.code, other.name, 0, amount),
    ]


def document(
    policy: Policy,
    month: int,
    *,
    currency: str,
    totals: Mapping[str, int],
    before: Mapping[str, int],
    booked: Mapping[str, int],
    days: Mapping[str, Mapping[date, int]],
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    """All of a month as plain values: what is kept, for ever, when it is closed.

    `totals`, `before`: running totals at the end of this month and of the one before, as known now; `booked`: those that
    closed months have put into the books.
    """
    flows = [flow for flow in FLOWS if flow in totals or booked.get(flow)]
    own = {flow: totals.get(flow, 0) - before.get(flow, 0) for flow in flows}
    late = {flow: before.get(flow, 0) - booked.get(flow, 0) for flow in flows}
    return {
        "format": FORMAT,
        "month": months.label(month),
        "currency": currency,
        "policy": policy.model_dump(mode="json"),
        "totals": {flow: totals.get(flow, 0) for flow in flows},
        "own": own,
        "late": late,
        "entries": {
            per: [_plain(e) for e in vouchers(policy, month, own=own, late=late, days=days, per=per)]
            for per in ("month", "day")
        },
        "figures": dict(figures),
    }


def _plain(entry: Entry) -> list[Any]:
    return [
        entry.number, entry.day.isoformat(), entry.said.zh, entry.said.en, entry.account, entry.name, entry.debit, entry.credit,
    ]  # fmt: skip


def entries(document: Mapping[str, Any], per: str) -> list[Entry]:
    return [
        Entry(number, date.fromisoformat(day), Wording(zh, en), account, name, debit, credit)
        for number, day, zh, en, account, name, debit, credit in document["entries"][per]
    ]


def canonical(document: Mapping[str, Any]) -> bytes:
    """The document as bytes that are the same wherever it is read back."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(previous: bytes, document: Mapping[str, Any]) -> bytes:
    """Each closed month covers the one before: none can be changed or left out unseen."""
    return hashlib.sha256(previous + canonical(document)).digest()


def balanced(found: Sequence[Entry]) -> bool:
    """Every voucher's debits equal its credits."""
    sums: dict[str, int] = {}
    for entry in found:
        sums[entry.number] = sums.get(entry.number, 0) + entry.debit - entry.credit
    return not any(sums.values())
