"""Somebody with tiers over time, and a charter with benefits."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from shuke.engine.benefits import Someone
from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms

SHANGHAI = ZoneInfo("Asia/Shanghai")
BASE = {
    "name": {"zh": "章程", "en": "Charter"},
    "currency": "CNY",
    "tiers": [
        {"key": "member", "name": {"zh": "普通", "en": "Member"}},
        {"key": "gold", "name": {"zh": "金卡", "en": "Gold"}, "reach": {"measure": "amount", "at_least": 800}},
    ],
}


def named(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def benefit(key: str = "ironing", **changes) -> dict:
    return {"key": key, "name": named(key), "kind": "ironing", "grants": [{"times": 2}], **changes}


def terms(*benefits: dict, plans: list[dict] | None = None, **rest) -> Terms:
    rights = {"benefits": list(benefits), "plans": plans or [], **rest.pop("rights", {})}
    return Terms(document.from_plain({**BASE, "rights": rights, **rest}), SHANGHAI, 1)


def at(text: str) -> datetime:
    """A moment in Shanghai: "2026-06-01" is its midnight, "2026-06-01 09:30" a time of day."""
    told = datetime.fromisoformat(text)
    return told.replace(tzinfo=SHANGHAI).astimezone(UTC)


def someone(*tiers: tuple[str, str], joined: str = "2025-01-01", **changes) -> Someone:
    told = tiers or (("2025-01-01", "member"),)
    return Someone(date.fromisoformat(joined), [(at(since), tier) for since, tier in told], **changes)
