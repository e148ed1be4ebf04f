"""A shop with something of everything a counter hands over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shuke.engine.facts import Claim, IdentityKind, Person, Phone
from shuke.kit import clock
from shuke.loyalty.actions import draws, gifts
from shuke.members.actions import recognise
from tests import cast
from tests.loyalty.books import CHARTER, order, publish, take
from tests.loyalty.test_benefits import RIGHTS

DRAW = {
    "name": {"zh": "夏日抽奖", "en": "Summer draw"},
    "prizes": [
        {"key": "cream", "name": {"zh": "面霜", "en": "Cream"}, "odds": "1/2", "stock": 5, "when_gone": "points"},
        {"key": "points", "name": {"zh": "20 积分", "en": "20 points"}, "odds": "1/2", "points": 20},
    ],
    "ways": {"points": 50},
}  # fmt: skip


def furnish(lan: cast.Shop, **charter: Any) -> int:
    """A member with 1,230 points, gold, whom 1234 finds; benefits, gifts and a running draw. Their id. `charter`: parts of it."""
    now = clock.utc_now()
    publish(lan.merchant, {**CHARTER, "rights": {**RIGHTS, "undo_minutes": 30}, **charter})
    phone = Phone("+8613800001234", "member")
    person = Person(claims=(Claim(IdentityKind.PHONE, phone.number, "", True),), name="张小明", phones=(phone,))
    who = recognise(merchant=lan.merchant, people=[person], now=now)[0].member_id
    assert who is not None
    days = (now - now.replace(year=2025, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)).days
    take(lan.merchant, who, order("a", days - 10, 900), now=now)
    for code, values in {
        "mug": {"name_zh": "马克杯", "name_en": "Mug", "points": 300, "stock": 5, "cash_minor": 990},
        "car": {"name_zh": "模型车", "name_en": "Model car", "points": 9000, "stock": 1},
        "books": {"kind": "donation", "name_zh": "捐书", "name_en": "Books for a school", "points": 100,
                  "about_zh": "山区小学", "about_en": "A village school"},
    }.items():  # fmt: skip
        gifts.save_gift(merchant=lan.merchant, code=code, values=values, now=now, actor="lan.owner")
    terms = {
        **DRAW,
        "opens_at": (now - timedelta(days=1)).isoformat(),
        "closes_at": (now + timedelta(days=9)).isoformat(),
    }
    draws.save_draw(merchant=lan.merchant, code="summer", terms=terms, now=now, actor="lan.owner")
    draws.commit_draw(merchant=lan.merchant, code="summer", now=now - timedelta(hours=1), actor="lan.owner")
    return who
