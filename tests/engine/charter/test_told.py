"""What a charter says, its handbook tells: whoever changes a figure finds the change in the sentences of both languages."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.describe import describe

CHARTER: dict[str, Any] = {
    "name": {"zh": "章", "en": "Ch"},
    "currency": "CNY",
    "points": {"groups": [{"key": "g", "take": "best"}], "caps": {"per_day": 500}, "base": {}},
    "tiers": [
        {"key": "member", "name": {"zh": "普", "en": "M"}},
        {
            "key": "silver",
            "name": {"zh": "银", "en": "S"},
            "multiplier": "1.2",
            "reach": {"measure": "amount", "at_least": 1000},
            "keep": {"measure": "amount", "at_least": 900},
            "benefits": [{"zh": "b", "en": "b"}],
        },
        {
            "key": "gold",
            "name": {"zh": "金", "en": "G"},
            "reach": {
                "any": [
                    {"measure": "amount", "at_least": 3000, "window": {"kind": "rolling", "months": 6}},
                    {"measure": "growth", "at_least": 10},
                ]
            },
        },
    ],
    "memberships": [
        {"key": "card", "name": {"zh": "卡", "en": "card"}, "tier": "gold", "price": 99, "products": ["C1"]}
    ],
    "earning": [
        {"key": "base", "name": {"zh": "消", "en": "buy"}, "kind": "per_amount"},
        {
            "key": "piece",
            "name": {"zh": "件", "en": "piece"},
            "kind": "per_item",
            "group": "g",
            "when": {
                "categories": ["c"],
                "products": ["p"],
                "brands": ["b"],
                "stores": ["s"],
                "platforms": ["pf"],
                "channels": ["ch"],
                "tiers": ["gold"],
                "weekdays": [2],
                "month_days": [8],
                "days": [{"festival": "mid_autumn", "before": 1}],
                "hours": [9],
                "birthday": "month",
                "nth_purchases": [2],
                "from_date": "2026-01-01",
                "until_date": "2026-12-31",
                "min_amount": 10,
                "min_pieces": 2,
            },
            "caps": {"per_order": 10},
            "limits": {"per_day": 1},
        },
        {
            "key": "fix",
            "name": {"zh": "定", "en": "fix"},
            "kind": "fixed",
            "group": "g",
            "budget": {"points": 1000},
            "when": {"min_amount": 20},
        },
        {"key": "mul", "name": {"zh": "倍", "en": "mul"}, "kind": "multiply", "caps": {"per_month": 100}},
        {
            "key": "sign",
            "name": {"zh": "签", "en": "sign"},
            "kind": "activity",
            "activity": "check_in",
            "streaks": [{"days": 7, "points": 5}],
            "limits": {"per_day": 1},
        },
        {"key": "gr", "name": {"zh": "长", "en": "gr"}, "kind": "fixed", "gives": "growth"},
    ],
    "selling": {
        "groups": [{"key": "xg", "per": "order"}],
        "prices": [
            {
                "key": "vip_price",
                "name": {"zh": "会员价", "en": "member price"},
                "percent": 10,
                "group": "xg",
                "when": {
                    "tiers": ["gold"],
                    "weekdays": [2],
                    "hours": [9],
                    "month_days": [8],
                    "days": [{"month_day": 9}],
                    "nth_purchases": [2],
                    "birthday": "week",
                    "stores": ["s"],
                    "platforms": ["p"],
                    "channels": ["c"],
                    "without": {"products": ["w"]},
                },
            },
            {"key": "everybodys", "name": {"zh": "全员价", "en": "everybody's price"}, "percent": 5},
        ],
        "offers": [
            {
                "key": "ladder",
                "name": {"zh": "满减", "en": "ladder"},
                "kind": "ladder",
                "rungs": [{"at_least": 100, "off": 10}],
                "repeat": True,
                "most_times": 3,
                "cap": 50,
                "not_with": ["points"],
            },
            {
                "key": "bg",
                "name": {"zh": "买赠", "en": "buy get"},
                "kind": "buy_get",
                "buy": 2,
                "most_times": 2,
                "of": {"products": ["z"]},
            },
            {
                "key": "fr",
                "name": {"zh": "包邮", "en": "free"},
                "kind": "freight",
                "amount": 5,
                "when": {"min_amount": 50},
                "group": "xg",
            },
        ],
        "coupons": [
            {
                "key": "bday",
                "name": {"zh": "生日券", "en": "birthday coupon"},
                "kind": "amount",
                "amount": 20,
                "when": {"min_amount": 100},
                "valid": {"days": 30, "after_days": 1},
                "limits": {"issued": 100, "redeemed": 90, "per_member": 2, "budget": 1000},
                "issue": [{"on": "birthday", "tiers": ["gold"], "days": 7}, {"on": "win_back", "days": 90}],
                "claim": True,
            },
            {
                "key": "pc",
                "name": {"zh": "折扣券", "en": "percent coupon"},
                "kind": "percent",
                "percent": 12,
                "cap": 30,
            },
            {"key": "it", "name": {"zh": "兑换券", "en": "item coupon"}, "kind": "item", "when": {"products": ["p"]}},
        ],
        "points": {
            "share": 50,
            "most": 5000,
            "step": 100,
            "least": 100,
            "min_order": 50,
            "without": {"products": ["q"]},
            "not_with": ["bday"],
        },
        "back_to": ["points"],
    },
    "rights": {
        "benefits": [
            {
                "key": "wrap",
                "name": {"zh": "包装", "en": "wrap"},
                "kind": "gift_wrap",
                "about": {"zh": "a", "en": "a"},
                "grants": [{"tiers": ["gold"], "times": 2}, {"times": 1}],
                "when": {"special_days": ["child"], "before": 1, "after": 2, "weekdays": [1]},
            },
            {"key": "d", "name": {"zh": "折", "en": "disc"}, "kind": "discount", "percent": 5},
        ],
        "plans": [
            {
                "key": "tea",
                "name": {"zh": "茶", "en": "tea"},
                "counts": "pieces",
                "of": {"products": ["t"]},
                "stores": ["s"],
                "tiers": ["gold"],
                "steps": [{"at_least": 10, "name": {"zh": "一杯", "en": "a cup"}, "points": 5}],
                "repeat": True,
            }
        ],
    },
    "referral": {"friend": {"points": 50}, "steps": [{"at_least": 1, "points": 100}]},
    "stored": {"ladder": [{"at_least": 100, "bonus": 10}], "bonus_months": 3},
    "duties": [{"zh": "责", "en": "duty"}],
}

# Of no concern to members: how the shop guards itself, what things cost it, and what depends on another choice.
SILENT = {
    "points.second_person_above", "points.pending_most_days", "rights.undo_minutes", "selling.effort", "stored.second_person_above",
    "points.expiry.days", "points.expiry.years", "points.expiry.month", "points.expiry.on",  # of another kind of expiry
    "points.expiry.to_month_end",
    "grading.review.days", "grading.review.month", "grading.review.day",  # of another kind of review
    "grading.growth_loss.month", "grading.growth_loss.day", "grading.growth_loss.to_month_end",  # of loss there is none
}  # fmt: skip
# Wherever they stand: names of the machine (what a former tier becomes is told where versions are compared), costs, choices of another kind of rule, and an amount of what where none is asked.
ANYWHERE = {
    "key", "shuke_charter", "currency", "cost", "gift_cost", "refunds_return", "paid_only", "honour", "priority", "activity", "codes",
    "min_amount_of", "on_tier_change", "was",
}  # fmt: skip
BY_KIND = {
    "earning": {"points", "per", "whole", "times", "exclusive"}, "offers": {"percent", "amount", "measure", "repeat", "most_times", "buy", "get"},
    "coupons": {"percent", "amount", "pieces", "cap"}, "benefits": {"per"}, "watch": set(), "friend": {"coupons"}, "steps": {"coupons"},
}  # fmt: skip
FIGURES = ("1", "2", "3", "7", "40", "1200")
WORDS = (
    "xg",     "no", "never", "anyone", "all", "best", "first", "add", "line", "list", "completion", "restart", "at_review", "at_once", "to_fit", "keep",
    "balance", "half_up", "lifetime", "year", "week", "pieces", "orders", "total", "after", "yearly", "monthly", "calendar_year",
    "bonus_first", "forfeit",
)  # fmt: skip
LISTS = (["X9"], ["gold"], ["silver"], [1], [3], [5], ["wedding"], ["birthday"], ["offers"], ["coupons"], [])


def others(value: Any) -> tuple[Any, ...]:
    """What could stand there instead."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, list):
        return LISTS
    if value is None:
        return (*FIGURES, "2026-03-01", *WORDS)
    return FIGURES if str(value).replace(".", "").isdigit() else ("2026-03-01", *WORDS)


def sentences(raw: dict[str, Any]) -> list[list[str]]:
    charter = document.from_plain(raw)
    return [[line for part in describe(charter, language) for line in part.sentences] for language in ("zh", "en")]


def figures(part: Any, place: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    if isinstance(part, dict):
        for name, value in part.items():
            yield from figures(value, (*place, name))
    elif isinstance(part, list) and part and isinstance(part[0], dict):
        for n, value in enumerate(part):
            yield from figures(value, (*place, n))
    else:
        yield place, part


def put(raw: dict[str, Any], place: tuple, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(raw)
    at: Any = changed
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    return changed


def silent(place: tuple) -> bool:
    name = place[-1]
    told = ".".join(str(step) for step in place if not isinstance(step, int))
    if told in SILENT or name in ANYWHERE or "watch" in place or name in ("zh", "en"):
        return True
    return any(name in BY_KIND[part] for part in place if part in BY_KIND)


def test_no_figure_changes_without_a_sentence():
    whole = document.from_plain(CHARTER).model_dump(mode="json")
    before = sentences(whole)
    untold = []
    for place, value in figures(whole):
        if silent(place) or (
            value is None and place[-1] == "at_least"
        ):  # a condition of several has no figure of its own
            continue
        tried = 0
        for other in others(value):
            if str(other) == str(value):
                continue
            try:
                after = sentences(put(whole, place, other))
            except document.CharterInvalid:
                continue
            if after[0] != before[0] and after[1] != before[1]:
                tried = -1
                break
            tried += 1
            if tried > 3:
                break
        if tried > 0:
            untold.append(".".join(str(step) for step in place))
    assert untold == []


def test_points_are_called_what_the_shop_calls_them():
    """A café gives beans: no sentence of its handbook speaks of points, but those the shop wrote itself."""
    raw = document.to_plain(document.ready("cafe"))
    assert not [line for line in sentences(raw)[0] if "积分" in line]
    assert not [line for line in sentences(raw)[1] if re.search(r"\bpoints\b", line, re.IGNORECASE)]


@pytest.mark.parametrize("part", ["prices", "offers", "coupons"])
def test_an_unknown_festival_is_refused_wherever_it_stands(part):
    raw = copy.deepcopy(CHARTER)
    raw["selling"][part][0].setdefault("when", {})["days"] = [{"festival": "no_such_day"}]
    with pytest.raises(document.CharterInvalid) as caught:
        document.from_plain(raw)
    assert [fault.code for fault in caught.value.faults] == ["unknown_festival"]
