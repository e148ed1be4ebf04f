"""What is always true of the books, and what was found wrong, is said in Chinese too."""

import re

from shuke.loyalty.queries import rewards
from shuke.loyalty.queries.book_words import CHINESE, say
from shuke.loyalty.queries.coupons.invariants import CHECKS as COUPONS
from shuke.loyalty.queries.invariants import BEYOND_SQL, CHECKS, Check
from shuke.loyalty.queries.stored import invariants as money


def test_every_check_and_what_it_finds_has_its_chinese():
    checks = [*CHECKS, *(Check(*told) for told in (*COUPONS, *money.CHECKS, *rewards.CHECKS))]
    said = {check.says for check in checks} | {
        text for _, text in (*BEYOND_SQL, *money.BEYOND_SQL, *rewards.BEYOND_SQL)
    }
    found = {re.sub(r"\{\d+\}", "{}", check.sentence) for check in checks}
    assert (said | found) - set(CHINESE) == set()


def test_figures_are_all_told():
    for english, chinese in CHINESE.items():
        figures = [f"#{n}" for n in range(english.count("{}"))]
        assert all(figure in chinese.format(*figures) for figure in figures), english


def test_a_finding_in_chinese():
    assert say("member 7: balance 5 but legs 4; debt 0 but legs 0", "zh") == "会员 7：余额 5，分录 4；欠分 0，分录 0"
    assert say("member 7: balance 5 but legs 4; debt 0 but legs 0", "en").startswith("member 7")
    assert (
        say("the charter gives nothing, the books have granted 5, remaining 5, held 0", "zh-hans")
        == "按章程应为 无，账册为 发放 5、剩余 5、冻结 0"
    )
