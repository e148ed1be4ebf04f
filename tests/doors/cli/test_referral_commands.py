"""`shuke referral …` and the same over the wire: codes, binding, what is held, the tree, what it was worth."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from shuke.kit import clock
from shuke.loyalty.models import Referral, ReferralCode
from shuke.members.models import Member
from shuke.shops import actions
from tests import cast
from tests.loyalty.books import START, order
from tests.loyalty.friends import NOW, bind, buy, open_shop, settle, someone
from tests.loyalty.test_referral import phone

LATELY = (NOW - timedelta(days=2) - START).days


@pytest.fixture
def shop(db):
    merchant = cast.lan().merchant
    merchant.clock_shift = round((NOW - clock.utc_now()).total_seconds())
    merchant.save()
    open_shop(merchant)
    return merchant


def card(who):
    return Member.objects.get(pk=who).card


def test_a_code_its_link_and_its_qr(shop, shuke, tmp_path):
    ann = card(someone(shop, 1))
    told = shuke("referral", "code", ann, "--base", "https://shop.example/", "--svg", str(tmp_path / "q.svg"), "--json")
    code = ReferralCode.objects.get().code
    assert told.json["link"] == f"https://shop.example/r/{shop.pk:x}/{code}"
    assert (tmp_path / "q.svg").read_text().startswith("<svg")
    assert shuke("referral", "code", ann, "--svg", str(tmp_path / "q.svg")).code == 1
    assert shuke("referral", "code", ann, "--renew", "--json").json["code"] != code


def test_a_newcomer_is_bound_listed_and_rewarded(shop, shuke):
    ann, ben, cid = someone(shop, 1), someone(shop, 2, joined=LATELY), someone(shop, 3, joined=LATELY)
    code = shuke("referral", "code", card(ann), "--json").json["code"]
    assert shuke("referral", "bind", card(ben), code).code == 0
    assert shuke("referral", "bind", card(cid), card(ann)).code == 0
    told = shuke("referral", "bind", card(ben), card(cid))
    assert told.code == 1
    assert f"brought by somebody else already (card {card(ann)})" in told.err
    assert "no code of any member" in shuke("referral", "bind", card(cid), "nonsense").err
    assert [row["how"] for row in shuke("referral", "list", "--json").json] == ["staff", "staff"]


def test_held_ones_are_decided_and_the_tree_adds_up(shop, shuke):
    ann, ben, cid = (someone(shop, n) for n in (1, 2, 3))
    row = bind(shop, ben, ann)
    bind(shop, cid, ben, at=11)
    for who in (ann, ben):
        phone(shop, who, "+8613900000001")
    for n, who in enumerate((ben, cid)):
        buy(shop, who, order(f"o{n}", 20, 150))
    assert shuke("referral", "settle", "--json").json["given"] == 2
    (held,) = shuke("referral", "list", "--review", "--json").json
    assert (held["number"], held["signals"][0]["kind"]) == (str(row.pk), "phone")
    decide = ("referral", "decide", str(row.pk))
    assert shuke(*decide, "--reason", "x").code == 2  # which of the two?
    assert shuke(*decide, "--approve", "--reason", "sisters", "--json").json["state"] == "rewarded"
    assert shuke(*decide, "--decline", "--reason", "no").code == 1
    (most, *_) = shuke("referral", "tree", "--json").json
    assert most["member"] == card(ann)
    assert most["whole"]["net"] == 30000
    root = shuke("referral", "tree", card(ann), "--json").json
    assert root["friends"][0]["friends"][0]["member"] == str(cid)
    assert "¥150.00" in shuke("referral", "tree", card(ann)).out
    (month,) = shuke("referral", "worth", "--months", "24", "--json").json
    assert (month["brought"], month["brought_net"], month["others"]) == (2, 30000, 1)


def test_without_the_part_in_the_charter_a_sentence_says_what_to_do(db, shuke):
    merchant = cast.lan().merchant
    told = shuke("referral", "code", card(someone(merchant, 1)))
    assert told.code == 1
    assert "Add the part “referral” first" in told.err


def test_who_joins_can_name_a_code(shop, shuke):
    ann = someone(shop, 1)
    code = shuke("referral", "code", card(ann), "--json").json["code"]
    assert shuke("members", "add", "--name", "陈小红", "--phone", "13900000009", "--referred-by", code).code == 0
    assert Referral.objects.get().referrer_id == ann


# ---- over the wire ----------------------------------------------------------------------------------------------------


@pytest.fixture
def wire(shop):
    def caller(may_write=True):
        _, token = actions.make_token(merchant=shop, name="app", may_write=may_write, now=cast.OPENED)
        return Client(headers={"authorization": f"Bearer {token}"})

    return caller


def test_the_wire_binds_and_tells(shop, wire):
    ann, ben = someone(shop, 1), someone(shop, 2, joined=LATELY)
    reader, writer = wire(may_write=False), wire()
    path = f"/api/v1/members/{card(ann)}/referral/code"
    assert reader.get(path).status_code == 403  # none is made yet
    code = writer.get(path).json()["code"]
    assert reader.get(path).json()["code"] == code

    def post(client, who, told):
        told = json.dumps({"code": told})
        return client.post(f"/api/v1/members/{card(who)}/referral", told, content_type="application/json")

    assert post(reader, ben, code).status_code == 403
    assert post(writer, ben, "ABC").json()["code"] == "no_such_code"
    assert post(writer, ben, code).json()["state"] == "waiting"
    assert post(writer, ben, code).status_code == 200
    other = writer.get(f"/api/v1/members/{card(someone(shop, 3))}/referral/code").json()["code"]
    assert (post(writer, ben, other).status_code, post(writer, ben, other).json()["code"]) == (409, "already_bound")
    buy(shop, ben, order("o1", LATELY - 100, 150))
    settle(shop)
    (told,) = reader.get(f"/api/v1/members/{card(ann)}/referrals").json()
    assert (told["newcomer"], told["state"], told["reason"]) == (card(ben), "missed", "not_new")


def test_guessing_over_the_wire_is_braked(shop, wire):
    from shuke.engine.referral.codes import code_of

    ben, app = someone(shop, 2, joined=LATELY), wire()
    answers = [
        app.post(
            f"/api/v1/members/{card(ben)}/referral", json.dumps({"code": code_of(n)}), content_type="application/json"
        ).status_code
        for n in range(12)
    ]
    assert answers == [404] * 10 + [429] * 2
