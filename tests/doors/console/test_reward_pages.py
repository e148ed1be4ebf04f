"""Benefits used, gifts and lucky draws in the console; the public page of a draw."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shuke.engine import draws as engine
from shuke.loyalty.actions import benefits, draws, gifts
from shuke.loyalty.models import Draw, Gift, GiftOrder
from shuke.loyalty.queries import draws as stored
from shuke.shops import queries as shops
from shuke.shops.actions import make_token
from tests.doors.counter.shop import furnish


@pytest.fixture
def who(lan) -> int:
    return furnish(lan)


def now(lan):
    return shops.now(lan.merchant)


def text(answer) -> str:
    return answer.content.decode()


def test_the_log_says_which_program_handed_it_out(see, lan, who):
    token, _ = make_token(merchant=lan.merchant, name="Web shop", may_write=True, now=now(lan))
    for n, actor in enumerate((f"token:{token.pk}", "cli:root", "token:7")):
        benefits.hand_out(merchant=lan.merchant, member_id=who, benefit="wrap", key=f"k{n}", now=now(lan), actor=actor)
    page = text(see(lan.owner).get("/rewards/benefits"))
    assert "program “Web shop”" in page
    assert "command line (root)" in page
    assert str(token.pk) not in page


def test_the_log_filters_reports_exports_and_takes_back(see, lan, who):
    for n in range(3):
        benefits.hand_out(
            merchant=lan.merchant, member_id=who, benefit="wrap", key=f"k{n}", now=now(lan), actor="lan.assistant",
            store=lan.street, note_text="=1+1",
        )  # fmt: skip
    client = see(lan.owner)
    page = text(client.get("/rewards/benefits"))
    assert (page.count("handed out"), "¥7.00" in page, "is used up: 2 of 2" in page) >= (2, True, True)
    assert "used up" not in text(client.get("/rewards/benefits?state=done"))
    assert "Nothing here" in text(client.get("/rewards/benefits?benefit=lounge"))
    assert "Nothing here" in text(client.get("/rewards/benefits?member=nobody"))
    file = b"".join(client.get("/rewards/benefits?export=csv&state=done").streaming_content).decode("utf-8-sig")
    assert (len(file.splitlines()), "'=1+1" in file) == (3, True)
    row = benefits.BenefitUse.objects.filter(state="done").first()
    assert see(lan.assistant).post(f"/rewards/benefits/{row.pk}/undo").status_code == 403
    see(lan.manager).post(f"/rewards/benefits/{row.pk}/undo", {"because": "认错人"})
    row.refresh_from_db()
    assert (row.state, row.undone_because) == ("undone", "认错人")
    assert see(lan.auditor).get("/rewards/benefits?export=csv").status_code == 403


def test_a_gift_is_made_changed_stocked_and_has_a_picture(see, lan, who, mingde):
    client = see(lan.specialist)
    form = {"code": "bag", "kind": "goods", "name_zh": "帆布袋", "name_en": "Bag", "points": "500", "cash": "5.50", "stock": "10",
            "hold_days": "3", "active": "1", "tiers": ["gold"]}  # fmt: skip
    assert client.post("/rewards/gifts/new", form).status_code == 302
    row = Gift.objects.get(code="bag")
    assert (row.points, row.cash_minor, row.stock, row.tiers) == (500, 550, 10, ["gold"])
    assert client.post("/rewards/gifts/new", form).status_code == 422
    for wrong in ({"points": "x"}, {"points": "0"}, {"cash": "much"}, {"from": "tomorrow"}, {"name_en": ""}):
        answer = client.post(f"/rewards/gifts/{row.pk}", {**form, **wrong})
        assert (answer.status_code, 'role="alert"' in text(answer)) == (422, True), wrong
    assert 'value="帆布袋"' in text(client.get(f"/rewards/gifts/{row.pk}"))
    client.post(f"/rewards/gifts/{row.pk}/stock", {"amount": "-4", "corrected": "1", "remark": "摔坏"})
    row.refresh_from_db()
    assert row.stock == 6
    assert client.get(f"/rewards/gifts/{row.pk}/picture").status_code == 404
    gifts.set_picture(merchant=lan.merchant, code="bag", body=b"\x89PNG\r\n\x1a\n0", now=now(lan), actor="x")
    shown = client.get(f"/rewards/gifts/{row.pk}/picture")
    assert (shown.headers["Content-Type"], shown.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert see(mingde.owner).get(f"/rewards/gifts/{row.pk}/picture").status_code == 404


def test_orders_of_gifts_are_handed_over_cancelled_and_taken_back(see, lan, who):
    orders = [
        gifts.order(merchant=lan.merchant, member_id=who, gift="mug", key=f"o{n}", now=now(lan), actor="web").order
        for n in range(3)
    ]
    client = see(lan.manager)
    assert text(client.get("/rewards/orders")).count("Hand over") == 3
    client.post(f"/rewards/orders/{orders[0].pk}", {"do": "done"})
    client.post(f"/rewards/orders/{orders[1].pk}", {"do": "cancel"})
    client.post(f"/rewards/orders/{orders[2].pk}", {"do": "done"})
    client.post(f"/rewards/orders/{orders[2].pk}", {"do": "back", "token": "t"})
    states = dict(GiftOrder.objects.values_list("key", "state"))
    assert states == {"o0": "done", "o1": "cancelled", "o2": "returned"}
    assert "No such orders" in text(client.get("/rewards/orders"))
    assert text(client.get("/rewards/orders?state=all")).count("Mug") == 3


FORM = {
    "code": "autumn", "name_zh": "秋日抽奖", "name_en": "Autumn draw", "opens_at": "2027-09-01T10:00", "closes_at": "2027-10-01T00:00",
    "way_points": "100", "way_order": "200", "way_wait": "7", "per_day": "2", "way_given": "1",
    "zh1": "面霜", "en1": "Cream", "odds1": "1/100", "stock1": "3", "gone1": "2", "worth1": "99",
    "zh2": "积分", "en2": "Points", "odds2": "1/4", "points2": "20",
}  # fmt: skip


def test_a_draw_by_form_promised_and_then_fixed(see, lan, who):
    client = see(lan.owner)
    for wrong in (
        {"odds1": "2"},
        {"odds1": "x"},
        {"opens_at": ""},
        {"way_points": "", "way_order": "", "way_given": ""},
        {"code": "Ä"},
    ):
        answer = client.post("/rewards/draws/new", {**FORM, **wrong})
        assert (answer.status_code, 'role="alert"' in text(answer)) == (422, True), wrong
    assert client.post("/rewards/draws/new", FORM).status_code == 302
    row = Draw.objects.get(code="autumn")
    assert row.terms["opens_at"] == "2027-09-01T02:00:00Z"  # ten in the morning in Shanghai
    assert row.terms["prizes"][0] == {
        "key": "p1", "name": {"zh": "面霜", "en": "Cream"}, "odds": "1/100", "stock": 3, "when_gone": "p2", "worth_minor": 9900,
    }  # fmt: skip
    assert 'value="1/100"' in text(client.get(f"/rewards/draws/{row.pk}/edit"))
    client.post(f"/rewards/draws/{row.pk}/edit", {**FORM, "odds1": "1/50"})
    client.post(f"/rewards/draws/{row.pk}/step", {"do": "promise"})
    row.refresh_from_db()
    assert (row.state, row.terms["prizes"][0]["odds"], len(row.commitment)) == ("committed", "1/50", 64)
    assert client.post(f"/rewards/draws/{row.pk}/edit", FORM).status_code == 422
    client.post(f"/rewards/draws/{row.pk}/step", {"do": "reveal"})
    row.refresh_from_db()
    assert row.state == "committed"
    assert row.commitment in text(client.get(f"/rewards/draws/{row.pk}"))
    assert see(lan.specialist).post(f"/rewards/draws/{row.pk}/step", {"do": "stop"}).status_code == 403


def test_the_public_page_says_everything_but_who_and_the_seed(client, lan, who, monkeypatch):
    for n in range(4):
        draws.draw_ticket(
            merchant=lan.merchant, draw="summer", member_id=who, key=f"t{n}", way="points", word=f"福{n}", now=now(lan), actor="x"
        )  # fmt: skip
    one = stored.draw(lan.merchant, "summer")
    address = f"/draws/{stored.public_name(one)}"
    page = text(client.get(address, headers={"Accept-Language": "en"}))
    assert one.commitment in page
    assert "1/2" in page
    assert "福3" in page
    assert "张小明" not in page
    assert str(who) not in page
    file = json.loads(client.get(f"{address}.json").content)
    assert (engine.verify(file).holds, file["seed"]) == (True, "")
    draws.reveal_draw(merchant=lan.merchant, code="summer", now=now(lan) + timedelta(days=30), actor="x")
    file = json.loads(client.get(f"{address}.json").content)
    assert engine.verify(file).findings == []
    assert file["seed"] in text(client.get(address))
    assert client.get("/draws/1-abc").status_code == 404


def test_the_members_page_shows_what_they_may_have(see, lan, who):
    page = text(see(lan.assistant).get(f"/members/{who}"))
    assert "2 of 2 left this month" in page
    assert f"/counter/m/{who}" in page
    assert "To be claimed" in page
