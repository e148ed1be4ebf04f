"""One member's tier in the console: what is missing and until when, its history, growth value, by hand, paid memberships."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask
from shuke.loyalty.models import ManualTier
from shuke.shops.queries import now
from tests.loyalty.books import START, member, order, publish, take
from tests.loyalty.test_rich_charter import RICH

GOLD = {"any": [
    {"all": [{"measure": "orders", "at_least": 30}, {"measure": "amount", "at_least": 9000}]},
    {"measure": "growth", "at_least": 50_000}, {"measure": "invited", "at_least": 1},
]}  # fmt: skip
CHARTER = RICH | {"tiers": [*RICH["tiers"][:2], RICH["tiers"][2] | {"reach": GOLD}]}


@pytest.fixture
def ann(lan):
    publish(lan.merchant, CHARTER)
    pk = member(lan.merchant)
    recent = (now(lan.merchant) - START).days - 5
    take(
        lan.merchant,
        pk,
        order("a", recent - 2, 700, lines=()),
        order("b", recent, 400, lines=()),
        now=now(lan.merchant),
    )
    return pk


@pytest.fixture
def page(see, lan, ann):
    def read(staff=None, language="en", **asked):
        client = see(staff or lan.owner, language)
        answer = client.get(f"/members/{ann}/tier", asked)
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))

    return read


def send(see, staff, ann, **told):
    return see(staff, "en").post(f"/members/{ann}/tier", told, follow=True)


def grade(lan, ann):
    return queries.why_tier(lan.merchant, ann, now(lan.merchant))


def test_what_is_missing_is_said_as_alternatives(page, lan, ann):
    said = page()
    why = grade(lan, ann)
    assert (why.tier, why.next_tier) == ("silver", "gold")
    assert "Still missing, one of these:" in said
    assert "needs an invitation" in said
    assert "28 more orders and ¥7,900.00 more to spend" in said
    assert f"{50_000 - why.growth:,} more growth value" in said
    assert "还差，满足其一即可" in page(language="zh-hans")


def test_the_member_page_leads_there_and_shows_the_same(see, lan, ann):
    said = see(lan.assistant, "en").get(f"/members/{ann}").content.decode()
    assert f"/members/{ann}/tier" in said
    assert "28 more orders and ¥7,900.00 more to spend" in said


def test_growth_value_and_history_are_told_line_by_line(page, lan, ann):
    actions.ask(
        merchant=lan.merchant, asks=[Ask("r1", "activity", ann, ref="referral")], now=now(lan.merchant), actor="t"
    )
    said = page()
    assert "推荐 150" in said
    assert f"Growth value, newest first {grade(lan, ann).growth:,}" in said
    assert "charter version 1" in said
    assert "Growth value: 700 of 600" in said  # what decided, as it stood then


def test_a_tier_by_hand_is_a_floor_until_its_last_day(see, lan, ann):
    last = date(2099, 3, 31)
    answer = send(see, lan.manager, ann, do="give", tier="gold", until=last.isoformat(), reason="moved from partner")
    why = grade(lan, ann)
    assert why.tier == "gold"
    assert why.floor_until.astimezone(lan.merchant.tz).date() == last + timedelta(days=1)
    assert "Guaranteed until 2099-03-31" in answer.content.decode()
    row = ManualTier.objects.get()
    assert (row.actor, row.reason, row.cause) == ("lan.manager", "moved from partner", "manual")


def test_the_same_form_gives_a_tier_once_and_says_when_it_differs(see, lan, ann):
    told = {"do": "give", "tier": "gold", "reason": "moved here", "until": "", "key": "console:1g"}
    for _ in range(2):
        assert send(see, lan.owner, ann, **told).status_code == 200
    assert ManualTier.objects.count() == 1
    answer = send(see, lan.owner, ann, **told | {"reason": "another"})
    assert "sent before with something else" in answer.content.decode()
    assert ManualTier.objects.count() == 1


def test_an_invitation_is_told_as_one(see, lan, ann):
    send(see, lan.owner, ann, do="give", tier="gold", reason="jubilee", how="invite")
    assert ManualTier.objects.get().cause == "invited"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"tier": "diamond", "reason": "x"}, "Choose the tier"),
        ({"tier": "gold", "reason": " "}, "Say why"),
        ({"tier": "gold", "reason": "x", "until": "2020-01-01"}, "after today"),
        ({"tier": "gold", "reason": "x", "until": "soon"}, "after today"),
    ],
)
def test_what_cannot_be_given_is_said_and_nothing_happens(see, lan, ann, told, said):
    assert said in send(see, lan.owner, ann, do="give", **told).content.decode()
    assert not ManualTier.objects.exists()


def test_a_membership_is_sold_once_and_ended(see, lan, ann):
    for _ in range(2):
        answer = send(see, lan.owner, ann, do="sell", membership="plus", key="console:1")
    assert "卡 (paid) until" in answer.content.decode()
    (running,) = grade(lan, ann).memberships
    assert (running["key"], grade(lan, ann).tier) == ("plus", "gold")
    answer = send(see, lan.owner, ann, do="sell", membership="nope", key="console:1")
    assert "sent before with something else" in answer.content.decode()
    send(see, lan.owner, ann, do="end", event=running["event"], key="console:2")
    assert (grade(lan, ann).memberships, grade(lan, ann).tier) == ([], "silver")
    answer = send(see, lan.owner, ann, do="end", event=running["event"], key="console:3")
    assert "There is no membership" in answer.content.decode()


def test_only_those_who_may_adjust_have_the_forms(see, page, lan, ann):
    assert "Give a tier by hand" in page(lan.manager)
    assert "Give a tier by hand" not in page(lan.assistant)
    for told in ({"do": "give", "tier": "gold", "reason": "x"}, {"do": "sell", "membership": "plus"}):
        assert send(see, lan.assistant, ann, **told).status_code == 403
    assert not ManualTier.objects.exists()


def test_without_a_charter_the_page_says_so(see, mingde):
    pk = member(mingde.merchant, 9)
    assert "No charter is in force yet" in see(mingde.owner, "en").get(f"/members/{pk}/tier").content.decode()
