"""`ledger verify` looks at gifts' stock and at the promises of lucky draws: what a hand in the database did is found."""

from datetime import timedelta

import pytest
from django.db import connection

from shuke.loyalty import queries
from shuke.loyalty.actions import draws, gifts
from tests.loyalty.books import START, member, order, publish, take

pytestmark = pytest.mark.django_db
NOW = START + timedelta(days=20)
DRAW = {
    "name": {"zh": "春日抽奖", "en": "Spring draw"},
    "opens_at": "2025-01-10T00:00:00Z",
    "closes_at": "2025-02-01T00:00:00Z",
    "prizes": [
        {"key": "cream", "name": {"zh": "面霜", "en": "Cream"}, "odds": "1/2", "stock": 3, "when_gone": "sample"},
        {"key": "sample", "name": {"zh": "小样", "en": "Sample"}, "odds": "1/2", "stock": None},
    ],
    "ways": {"given": True},
}


@pytest.fixture
def shop(lan):
    """Gifts in every state, and a draw with twelve tickets, revealed."""
    publish(lan.merchant)
    who = member(lan.merchant)
    take(lan.merchant, who, order("a", 1, 2000), now=NOW)
    same = {"merchant": lan.merchant, "now": NOW, "actor": "t"}
    gifts.save_gift(code="cup", values={"name_zh": "杯", "name_en": "Mug", "points": 100, "stock": 20}, **same)
    gifts.save_gift(code="free", values={"name_zh": "贴纸", "name_en": "Sticker", "points": 1, "stock": None}, **same)
    made = {}
    for key, more in {"held": {}, "gone": {}, "done": {"at_once": True}, "back": {"at_once": True, "count": 3}}.items():
        made[key] = gifts.order(member_id=who, gift="cup", key=key, **same, **more).order
    gifts.order(member_id=who, gift="free", key="sticker", at_once=True, **same)
    gifts.cancel(order_id=made["gone"].pk, **same)
    gifts.give_back(order_id=made["back"].pk, key="b1", count=1, **same)
    gifts.give_back(order_id=made["back"].pk, key="b2", count=1, restock=False, **same)  # broken: not restocked
    draws.save_draw(code="spring", terms=DRAW, **same | {"now": START})
    draws.commit_draw(code="spring", **same | {"now": START})
    for n in range(12):
        assert draws.draw_ticket(draw="spring", member_id=who, key=f"t{n}", way="given", **same).done
    assert queries.verify(lan.merchant).findings == []  # the seed is still a secret
    draws.reveal_draw(code="spring", **same | {"now": NOW + timedelta(days=40)})
    report = queries.verify(lan.merchant)
    assert report.findings == []
    assert {"G1", "G2", "G3", "D1", "D2"} <= {invariant for invariant, _ in report.checked}
    return lan.merchant


TAMPERINGS = {
    "a stock": ("UPDATE loyalty_gift SET stock = stock + 1 WHERE code = 'cup'", {"G1"}),
    "a piece slipped in": ("UPDATE loyalty_gift_move SET amount = amount + 1 WHERE why = 'received'", {"G1"}),
    "a piece taken twice": (
        "UPDATE loyalty_gift_move SET amount = amount - 1 WHERE why = 'taken' AND ref = 'done'",
        {"G1", "G2"},
    ),
    "an order that never was": ("UPDATE loyalty_gift_move SET ref = 'nobody' WHERE ref = 'done'", {"G2", "G3"}),
    "a cancelled order handed over": ("UPDATE loyalty_gift_order SET state = 'done' WHERE key = 'gone'", {"G2"}),
    "more was taken": ("UPDATE loyalty_gift_order SET count = 5 WHERE key = 'back'", {"G2"}),
    "a prize": ("UPDATE loyalty_draw_ticket SET won = '' WHERE number = 2", {"D1", "D2"}),
    "an outcome": ("UPDATE loyalty_draw_ticket SET drew = 'cream' WHERE drew = 'sample'", {"D1", "D2"}),
    "a ticket's moment": ("UPDATE loyalty_draw_ticket SET at = '2025-01-12 00:00:00+00' WHERE number = 3", {"D1"}),
    "a ticket's owner": ("UPDATE loyalty_draw_ticket SET who = 'SOMEBODY' WHERE number = 3", {"D1"}),
    "a ticket less": ("DELETE FROM loyalty_draw_ticket WHERE number = 12", {"D1", "D2"}),
    "the count": ("UPDATE loyalty_draw SET issued = issued + 1", {"D1"}),
    "the end of the chain": ("UPDATE loyalty_draw SET head = commitment", {"D1"}),
    "the promise": ("UPDATE loyalty_draw SET commitment = head", {"D1", "D2"}),
    "the seed": (f"UPDATE loyalty_draw SET seed = '{'ab' * 32}'", {"D2"}),
    "what was given": ("UPDATE loyalty_draw SET given = '{\"cream\": 1}'", {"D2"}),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_verify_names_what_was_changed(shop, what):
    sql, finds = TAMPERINGS[what]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql)
        assert cursor.rowcount > 0
    assert {f.invariant for f in queries.verify(shop).findings} == finds


def test_the_list_of_checks_is_in_order(shop):
    told = [invariant for invariant, _ in queries.verify(shop).checked]
    letters = [name[0] for name in told]
    assert letters == sorted(letters, key="ICSGD".index)
    for letter in "ICSGD":
        numbers = [int(name[1:]) for name in told if name[0] == letter]
        assert numbers == sorted(numbers)
