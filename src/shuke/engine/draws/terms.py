"""The public terms of a draw: what can be won, at which odds, how tickets are got, until when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shuke.kit.refusal import Refusal

FORMAT = "shuke-draw-1"
WAYS = ("points", "order", "activity", "given")
LARGEST = 10**12  # denominator that all odds have in common: far below the range that is drawn from

WRONG = {
    "not_a_draw": (
        "This is no draw of ours: `format` must be shuke-draw-1.",
        "这不是熟客的抽奖文件：format 应为 shuke-draw-1。",
    ),
    "field": ("{where}: {what}", "{where}：{what}"),
    "no_prizes": ("A draw needs at least one prize.", "抽奖至少要有一个奖品。"),
    "key_twice": ("Two prizes have the key {key}; give one another.", "两个奖品的键都是 {key}，请换一个。"),
    "odds": (
        "Odds of {key} must be a fraction above 0 and at most 1, like 1/100, not {odds}.",
        "{key} 的中奖率须为大于 0 且不超过 1 的分数，如 1/100，而不是 {odds}。",
    ),
    "odds_sum": (
        "The odds add up to {sum}, more than 1. Lower some of them.",
        "各奖品的中奖率合计 {sum}，超过 1，请降低。",
    ),
    "odds_fine": (
        "The odds have no common denominator below {limit}; use rounder fractions.",
        "各中奖率的公分母超过 {limit}，请使用更简单的分数。",
    ),
    "stock": ("Stock of {key} must be 1 or more, or left out for no limit.", "{key} 的数量须不小于 1，不限量时请留空。"),
    "when_gone": (
        "{key} gives {other} instead when it is gone, but there is no such prize after it in the list.",
        "{key} 发完后改发 {other}，但列表中它之后没有这个奖品。",
    ),
    "times": ("The draw closes at {closes}, not after it opens at {opens}.", "截止时间 {closes} 不晚于开始时间 {opens}。"),
    "no_way": ("Say how one gets a ticket: points, order, activity or given.", "请写明如何获得抽奖机会：points、order、activity 或 given。"),
}  # fmt: skip


class DrawInvalid(Refusal):
    """The terms are no draw; the message says what and what to do. `code` is for programs."""

    sentences = WRONG


class Prize(NamedTuple):
    key: str
    name: Mapping[str, str]
    odds: Fraction
    stock: int | None  # None: without limit
    when_gone: str  # "": nothing; else the key of the prize given instead
    points: int = 0  # given at once
    worth_minor: int = 0


class DrawTerms(NamedTuple):
    draw: str
    name: Mapping[str, str]
    opens_at: datetime
    closes_at: datetime
    zone: ZoneInfo
    prizes: tuple[Prize, ...]
    ways: Mapping[str, Any]  # points: how many; order: {min_minor, after_days}; activity: its kind; given: true
    per_member: int | None
    per_day: int | None
    width: int  # common denominator of all odds

    def prize(self, key: str) -> Prize | None:
        return next((p for p in self.prizes if p.key == key), None)


def canonical(plain: Mapping[str, Any]) -> bytes:
    """The one way to write terms as bytes: JSON, keys sorted, no spaces, UTF-8, no number but integers."""
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read_terms(plain: Any) -> DrawTerms:
    """Terms as published → values. Raises DrawInvalid."""
    if not isinstance(plain, Mapping) or plain.get("format") != FORMAT:
        raise DrawInvalid("not_a_draw")
    opens, closes = _moment(plain, "opens_at"), _moment(plain, "closes_at")
    if closes <= opens:
        raise DrawInvalid("times", opens=plain["opens_at"], closes=plain["closes_at"])
    try:
        zone = ZoneInfo(str(plain.get("zone", "")))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise DrawInvalid("field", where="zone", what="?") from error
    told = plain.get("prizes")
    if not isinstance(told, list) or not told:
        raise DrawInvalid("no_prizes")
    prizes = tuple(_prize(p) for p in told)
    for i, prize in enumerate(prizes):
        if any(p.key == prize.key for p in prizes[:i]):
            raise DrawInvalid("key_twice", key=prize.key)
        # Only downwards, so that no chain of replacements goes round in a circle.
        if prize.when_gone and not any(p.key == prize.when_gone for p in prizes[i + 1 :]):
            raise DrawInvalid("when_gone", key=prize.key, other=prize.when_gone)
    whole = sum((p.odds for p in prizes), Fraction(0))
    if whole > 1:
        raise DrawInvalid("odds_sum", sum=whole)
    width = lcm(*(p.odds.denominator for p in prizes))
    if width > LARGEST:
        raise DrawInvalid("odds_fine", limit=LARGEST)
    ways, limits = plain.get("ways") or {}, plain.get("limits") or {}
    if not isinstance(ways, Mapping) or not ways or set(ways) - set(WAYS):
        raise DrawInvalid("no_way")
    return DrawTerms(
        str(plain.get("draw", "")),
        plain.get("name") or {},
        opens,
        closes,
        zone,
        prizes,
        ways,
        _whole(limits, "per_member"),
        _whole(limits, "per_day"),
        width,
    )


def _prize(plain: Any) -> Prize:
    if not isinstance(plain, Mapping) or not plain.get("key"):
        raise DrawInvalid("field", where="prizes", what="key?")
    key, odds = str(plain["key"]), str(plain.get("odds", ""))
    try:
        share = Fraction(odds)
    except (ValueError, ZeroDivisionError) as error:
        raise DrawInvalid("odds", key=key, odds=odds or "?") from error
    if not 0 < share <= 1:
        raise DrawInvalid("odds", key=key, odds=odds)
    stock = plain.get("stock")
    if stock is not None and (not isinstance(stock, int) or isinstance(stock, bool) or stock < 1):
        raise DrawInvalid("stock", key=key)
    return Prize(
        key,
        plain.get("name") or {},
        share,
        stock,
        str(plain.get("when_gone") or ""),
        int(plain.get("points") or 0),
        int(plain.get("worth_minor") or 0),
    )


def _whole(plain: Mapping[str, Any], name: str) -> int | None:
    value = plain.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise DrawInvalid("field", where=f"limits.{name}", what=f"≥ 1 ({value})")
    return value


def _moment(plain: Mapping[str, Any], name: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(plain.get(name, "")))
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DrawInvalid("field", where=name, what=f"2026-06-01T00:00:00Z? ({plain.get(name)})") from error
    raise DrawInvalid("field", where=name, what="2026-06-01T00:00:00Z?")
