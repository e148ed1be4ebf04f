"""A shop of ninety members, so that profiles can tell groups apart."""

from __future__ import annotations

from datetime import date, timedelta

from shuke.insight import actions
from shuke.members.models import AttributeKind, Member
from tests.cast import Shop
from tests.insight.till import member, night, sell

DAY = date(2026, 6, 30)


def crowd(lan: Shop) -> list[Member]:
    """Of the forty online ones all are women of 30 who buy on Saturdays at nine in the evening; ten of the others never bought."""
    for key, kind, options in (("skin", "choice", ["oily", "dry"]), ("secret", "text", []), ("kids", "number", [])):
        AttributeKind.objects.create(
            merchant=lan.merchant, key=key, label_zh=f"{key} 需求", label_en=key.title(), type=kind, options=options,
            sensitive=key == "secret",
        )  # fmt: skip
    found = []
    for n in range(90):
        online = n < 40
        told = {"skin": "dry" if online else "oily", "secret": str(n % 2), "kids": n % 7} if n % 3 else {}
        found.append(
            member(
                lan, f"会员{n}", "2026-01-05", gender="f" if (online or n % 2) else "m", birth_year=1996 if online else None,
                city="杭州" if n % 4 else "", attributes=told, home_store=lan.online if online else lan.street,
            )
        )  # fmt: skip
        if n < 80:
            first = date(2026, 5, 2) if online else date(2026, 5, 4)  # a Saturday, a Monday
            for step in range(1 + n % 3):
                day = (first + timedelta(days=7 * step)).isoformat()
                sell(
                    lan,
                    found[n],
                    day,
                    10_000 + 1_000 * n,
                    time="21:10" if online else "00:00",
                    store=lan.online if online else lan.street,
                )
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    actions.profile_columns(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    return found
