"""Every kind of line that any room writes on a timeline has its words at every door that shows timelines."""

from __future__ import annotations

import ast
import re

import pytest
from django.utils import translation

from shuke.doors.cli.commands.members import KINDS
from shuke.doors.console import happenings
from shuke.doors.console.person import Says
from shuke.engine.charter import document
from shuke.loyalty import actions
from shuke.members.models import TimelineLine
from shuke.shops.queries import now as shop_now
from tests.house.source import ROOT
from tests.loyalty.books import CHARTER, NOW, publish
from tests.loyalty.till import template

SOURCE = ROOT / "src/shuke"
KIND = re.compile(r"[a-z]+(\.[a-z_]+)?")

# Where the kind is worked out before the line is made: all it can be, each to be found in the file named.
WORKED_OUT = {
    "flows/take_orders.py": ("orders/actions/weighing.py", {
        "order.placed", "order.paid", "order.shipped", "order.finished", "order.refunded", "order.closed"}),
    "loyalty/actions/benefits.py": ("", {"benefit.used", "benefit.handed", "benefit.undone"}),
    "loyalty/actions/gifts.py": ("", {"gift.ordered", "gift.taken", "gift.cancelled", "gift.returned"}),
    "loyalty/actions/posting.py": ("", {"tier.up", "tier.down", "tier.renamed"}),
    "loyalty/actions/referral/rewarding.py": ("", {"referral.rewarded", "referral.returned"}),
    "loyalty/actions/stored/ledger.py": ("", {
        "stored.top_up", "stored.spent", "stored.returned", "stored.paid_out", "stored.adjusted", "stored.redeemed",
        "stored.lapsed"}),
    "members/actions/cards.py": ("", {"card.lost", "card.found", "card.replaced", "frozen", "unfrozen"}),
    "members/actions/merging.py": ("", {"merged", "merged.away", "unmerged"}),
    "service/actions.py": ("", {"complaint.opened", "complaint.settled", "complaint.reopened"}),
    "members/actions/writing.py": ("", {"joined", "woken"}),
}  # fmt: skip


def written() -> tuple[dict[str, str], set[str]]:
    """Kinds that stand in a call of Note(member, at, kind, …) or note_alike(kind=…) → where; and where it is a variable."""
    told: dict[str, str] = {}
    variable: set[str] = set()
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        text = path.read_text(encoding="utf-8")
        if (
            not ("Note(" in text or "note_alike(" in text)
            or name.startswith("doors/")
            or name == "members/actions/timeline.py"
        ):
            continue
        for node in ast.walk(ast.parse(text)):
            called = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if called == "Note":
                kind = node.args[2]
            elif called == "note_alike":
                kind = next(one.value for one in node.keywords if one.arg == "kind")
            else:
                continue
            parts = [kind.body, kind.orelse] if isinstance(kind, ast.IfExp) else [kind]
            for part in parts:
                if isinstance(part, ast.Constant):
                    told[part.value] = f"{name}:{node.lineno}"
                else:
                    variable.add(name)
    return told, variable


def every_kind() -> dict[str, str]:
    told, _variable = written()
    return told | {kind: name for name, (_, kinds) in WORKED_OUT.items() for kind in kinds}


def test_the_source_is_read_and_what_it_works_out_is_told_above():
    told, variable = written()
    assert {"comment", "coupon.issued", "draw.ticket", "referral.bound", "points.expired"} <= told.keys()
    assert all(KIND.fullmatch(kind) and len(kind) <= 24 for kind in told)
    assert variable == WORKED_OUT.keys(), "a kind that is a variable: say in WORKED_OUT what it can be"
    for name, (place, kinds) in WORKED_OUT.items():
        text = (SOURCE / (place or name)).read_text(encoding="utf-8")
        assert {kind for kind in kinds if f'"{kind}"' not in text} == set(), name


def test_every_kind_has_a_picture_and_words_in_the_console():
    known = happenings.titles()
    assert {kind: place for kind, place in every_kind().items() if kind not in known} == {}
    assert known.keys() == every_kind().keys(), "words for lines that nobody writes"
    assert all(one.icon and one.title for one in known.values())


def test_the_command_line_says_the_same_words():
    with translation.override("en"):
        console = {kind: one.title for kind, one in happenings.titles().items()}
        assert {kind: str(word) for kind, word in KINDS.items()} == console


def test_every_title_has_its_chinese():
    with translation.override("en"):
        english = {kind: one.title for kind, one in happenings.titles().items()}
    with translation.override("zh-hans"):
        chinese = {kind: one.title for kind, one in happenings.titles().items()}
    assert {kind for kind in english if english[kind] == chinese[kind]} == set()


def test_every_tab_names_kinds_that_are_written():
    shown = {kind for kinds in happenings.TABS.values() for kind in kinds}
    assert shown <= every_kind().keys()


@pytest.mark.parametrize("kind", sorted(happenings.titles()))
def test_a_line_of_which_little_is_known_is_still_told(rf, lan, kind):
    request = rf.get("/")
    request.user = request.staff = lan.owner
    request.merchant, request.now = lan.merchant, shop_now(lan.merchant)
    for body in ({}, {"points": 5, "label": {"zh": "伞", "en": "Umbrella"}, "key": "A", "count": 2, "side": "friend"}):
        line = TimelineLine(kind=kind, body=body)
        (told,) = happenings.Timeline(request, Says(request)).lines([line])
        assert told.title


def test_a_coupon_is_told_by_its_name_and_a_tier_of_a_charter_before_by_what_it_was_called(rf, lan):
    publish(lan.merchant)
    template(lan.merchant, "spring")
    tiers = [{"key": "basic", "name": {"zh": "新人", "en": "Basic"}}]
    actions.publish_charter(
        merchant=lan.merchant, charter=document.from_plain(CHARTER | {"tiers": tiers}), effective_from=NOW, now=NOW, actor="boss"
    )  # fmt: skip
    request = rf.get("/")
    request.user = request.staff = lan.owner
    request.merchant, request.now = lan.merchant, NOW
    lines = [
        TimelineLine(kind="coupon.issued", body={"key": "spring"}),
        TimelineLine(kind="tier.up", body={"before": "basic", "after": "gold"}),
    ]
    with translation.override("zh-hans"):
        told = happenings.Timeline(request, Says(request)).lines(lines)
    assert [one.detail for one in told] == ["券spring", "新人 → 金卡"]
