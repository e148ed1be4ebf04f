"""Co-branded cards over the wire: binding, spendings a partner's program sends, the statement."""

import pytest

from shuke.loyalty import queries
from shuke.loyalty.actions import partner_cards as cards
from shuke.loyalty.models import CardLine
from shuke.members.models import Member
from shuke.shops import queries as shops
from tests.doors.api.test_coalition import Till
from tests.flows.test_partner_card import HASHES, programme
from tests.loyalty.books import member, publish
from tests.loyalty.partners import DAY, NOW, PLAIN

CARD = "members/00000001/partner-cards"


@pytest.fixture
def till(lan, monkeypatch):
    publish(lan.merchant, PLAIN)
    programme(lan.merchant)
    member(lan.merchant, 1)
    monkeypatch.setattr(shops, "now", lambda merchant: NOW)
    monkeypatch.setattr("shuke.doors.api.partner_cards.shop_now", lambda merchant: NOW)
    return lan, Till(lan.merchant)


def spending(n, amount, **more):
    return {"token": HASHES[0], "amount_minor": amount, "spent_on": "2025-01-10", "reference": f"R{n}"} | more


def test_a_card_is_bound_and_its_spendings_earn_once(till):
    lan, one = till
    status, card = one.post(CARD, programme="bank", token=HASHES[0], since="2025-01-01")
    assert (status, card["end"], card["programme"]) == (200, HASHES[0][-4:], "bank")
    assert one.post(CARD, programme="bank", token=HASHES[0], since="2025-01-01") == (200, card), "sent again"
    rows = [
        spending(1, 5000), spending(2, 2000, returned=True, original="R1"), spending(3, 500, token=HASHES[1]),
        spending(4, 500, token="4111111111111111", category="4111111111111111"), spending(5, 500, token="?? ??"),
    ]  # fmt: skip
    status, told = one.post("partner-cards/bank/spendings", name="day 1", spendings=rows)
    assert (status, told["points"], told["taken"], told["replayed"]) == (200, 5, 2, False)
    assert [(x["state"], x["code"]) for x in told["rows"]] == [
        ("earned", ""), ("reversed", ""), ("unmatched", "not_enrolled"), ("rejected", "clear_number"),
        ("rejected", "bad_token"),
    ]  # fmt: skip
    assert "4111111111111111" not in str(list(CardLine.objects.values()))
    assert one.post("partner-cards/bank/spendings", name="day 1", spendings=rows)[1]["replayed"]
    again = one.post("partner-cards/bank/spendings", name="day 1", spendings=rows[:1])[1]
    assert [x["state"] for x in again["rows"]] == ["same"]
    assert queries.balance(lan.merchant, Member.objects.get().pk, NOW).available == 3
    assert one.get("partner-cards")[1][0]["terms"][0]["price_micro"] == 800_000
    cards.close(merchant=lan.merchant, programme="bank", until=NOW + DAY, now=NOW + DAY, actor="o")
    status, paper = one.get("partner-cards/bank/statements/1")
    assert (status, paper["due_minor"], len(paper["file_sha256"])) == (200, 2, 64)
    assert one.post(f"{CARD}/{card['number']}/end") == (200, [])
    assert one.post(f"{CARD}/{card['number']}/end") == (200, []), "sent again"
    assert one.get(CARD) == (200, [])


def test_refusals(till):
    lan, one = till
    assert one.post(CARD, programme="bank", token="4111 1111 1111 1111")[1]["code"] == "clear_number"
    assert one.post(CARD, programme="none", token=HASHES[0])[0] == 404
    assert one.post(f"{CARD}/5/end")[0] == 404
    assert one.post("partner-cards/none/spendings", name="x", spendings=[spending(1, 5)])[0] == 404
    assert one.get("partner-cards/none/statements/1")[0] == 404
    assert one.get("partner-cards/bank/statements/1")[1]["code"] == "no_such_statement"
    assert Till(lan.merchant, may_write=False).post(CARD, programme="bank", token=HASHES[0])[0] == 403
    status, told = one.post(f"{CARD}/5/end", headers={"Accept-Language": "zh-CN"})
    assert (status, told["error"]) == (404, "该会员没有这张联名卡。")
