"""Parts of a charter that contradict one another: refused, with where and what to do."""

import pytest

from shuke.engine.charter import document, telling
from shuke.engine.charter.compare import compare
from shuke.engine.charter.faults import CharterInvalid
from tests.loyalty.books import CHARTER


def gold(**more):
    return CHARTER | {"tiers": [CHARTER["tiers"][0], CHARTER["tiers"][1] | more]}


def codes(raw) -> list[tuple[str, str]]:
    try:
        document.from_plain(raw)
    except CharterInvalid as error:
        return [(fault.where, fault.code) for fault in error.faults]
    return []


def amount(n, **window):
    return {"measure": "amount", "at_least": n} | ({"window": window} if window else {})


YEAR, LIFE = {"kind": "calendar_year"}, {"kind": "lifetime"}


@pytest.mark.parametrize(
    ("reach", "keep", "sound"),
    [
        (amount(5000), amount(3000), True),
        (amount(5000), amount(5000), True),
        (amount(5000), amount(6000), False),
        (amount(5000), {"all": [amount(6000), {"measure": "orders", "at_least": 3}]}, False),
        ({"any": [amount(5000), {"measure": "orders", "at_least": 20}]}, amount(6000), False),
        ({"any": [amount(5000), amount(8000, **LIFE)]}, amount(6000), False),
        (amount(2000, kind="rolling", months=3), amount(5000, kind="rolling", months=12), True),  # longer: it may make sense
        (amount(5000, kind="rolling", months=12), amount(6000, kind="rolling", months=6), False),
        (amount(5000, **YEAR), amount(6000, kind="calendar_quarter"), False),
        (amount(5000, **LIFE), amount(1000, **YEAR), True),
        (amount(5000), {"measure": "growth", "at_least": 9000}, True),  # another measure
        ({"measure": "invited"}, amount(6000), True),
        ({"any": [{"measure": "invited"}, amount(5000)]}, {"measure": "invited"}, True),
    ],
)  # fmt: skip
def test_to_keep_a_tier_asks_no_more_than_to_reach_it(reach, keep, sound):
    found = codes(gold(reach=reach, keep=keep))
    assert found == ([] if sound else [("tiers.1.keep", "keep_above_reach")])


def test_it_says_where_and_what_to_do_in_both_languages():
    (english,) = telling.problems(gold(reach=amount(5000), keep=amount(6000)), "en")
    (chinese,) = telling.problems(gold(reach=amount(5000), keep=amount(6000)), "zh")
    assert "“Gold” asks for more" in english.text
    assert "6000, not 5000" in english.text
    assert chinese.label == "等级 · 金卡 · 保级条件（不填同升级）"
    assert "请把保级门槛改为 5000 或更低" in chinese.text


def test_a_former_tier_goes_to_one_tier_and_is_no_more():
    assert codes(gold(was=["silver"])) == []
    assert codes(gold(was=["member"])) == [("tiers.1.was", "was_is_here")]
    first = CHARTER["tiers"][0] | {"was": ["silver"]}
    assert codes(CHARTER | {"tiers": [first, CHARTER["tiers"][1] | {"was": ["silver"]}]}) == [
        ("tiers.1.was", "was_twice")
    ]


def test_what_nobody_hands_out_is_not_counted():
    def benefit(kind, **more):
        rights = {"benefits": [{"key": "b", "name": {"zh": "权益", "en": "Benefit"}, "kind": kind, "grants": [more]}]}
        return CHARTER | {
            "rights": rights | {"kinds": [{"key": "own", "name": {"zh": "自", "en": "Own"}, "handed_out": False}]}
        }

    assert codes(benefit("parking", times=2)) == []
    assert codes(benefit("priority")) == []
    for kind in ("discount", "birthday_discount", "member_day", "priority", "own"):
        assert codes(benefit(kind, times=2)) == [("rights.benefits.0.grants.0.times", "never_counted")]


def test_who_changes_tier_by_a_new_charter_is_told_in_sentences():
    star = CHARTER["tiers"][1] | {"key": "star", "name": {"zh": "星卡", "en": "Star"}}
    old = document.from_plain(CHARTER)

    def told(tiers, language):
        return [
            c.after for c in compare(old, document.from_plain(CHARTER | {"tiers": tiers}), language) if not c.before
        ]

    renamed = [CHARTER["tiers"][0], star]
    assert told(renamed, "en")[0] == "Members who have “Gold” have “Star” from then on: it is the same tier."
    assert told(renamed, "zh")[0] == "“金卡”会员从此为“星卡”会员，等级不变。"
    assert told(CHARTER["tiers"][:1], "zh")[0].startswith("不再有“金卡”：其会员成为“普通”")
    assert told(CHARTER["tiers"], "zh") == []
