"""The counter through the test client: who may stand there, every deed, and that a finger may tap twice."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from shuke.doors.counter.urls import urlpatterns
from shuke.engine.charter import document
from shuke.kit import clock
from shuke.loyalty import actions as loyalty
from shuke.loyalty import queries
from shuke.loyalty.actions import draws
from shuke.loyalty.models import BenefitUse, DrawTicket, Gift, GiftOrder, Txn
from shuke.loyalty.queries import charters, stored
from shuke.members.models import Member, TimelineLine
from shuke.shops import queries as shops
from shuke.shops.actions import change_staff
from shuke.shops.models import Staff
from tests import cast
from tests.doors.counter.shop import DRAW, furnish
from tests.loyalty.books import CHARTER

HTMX = {"HX-Request": "true"}


@pytest.fixture
def who(lan) -> int:
    return furnish(lan)


def points(lan, who):
    return queries.balance(lan.merchant, who, shops.now(lan.merchant)).available


def do(client, who, deed, token="t1", **told):
    return client.post(f"/counter/m/{who}/{deed}", {"token": token, **told}, headers=HTMX)


def test_every_view_is_declared_and_asks_for_a_sign_in(client, db):
    for pattern in urlpatterns:
        assert hasattr(pattern.callback, "counter_acts"), pattern.name
        url = reverse(f"counter:{pattern.name}", kwargs=dict.fromkeys(pattern.pattern.converters, 1))
        answer = client.get(url)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in")
        assert client.get(url, headers=HTMX).headers["HX-Redirect"].startswith("/sign-in")


def test_deeds_take_post_and_somebody_who_may_record(see, lan, who):
    acting = {p.name: p.pattern.converters for p in urlpatterns if p.callback.counter_acts}
    assert len(acting) == 21
    client = see(lan.auditor)
    assert client.get(f"/counter/m/{who}").status_code == 200
    for name in acting:
        url = reverse(f"counter:{name}", args=[who] if acting[name] else [])
        assert client.post(url).status_code == 403
        assert see(lan.assistant).get(url).status_code == 405
        client = see(lan.auditor)


def test_another_merchants_member_is_not_found(see, lan, mingde, who):
    stranger = Member.objects.create(
        merchant=mingde.merchant, card="2000000008", joined_at=cast.OPENED, name="Not Lan's"
    )
    client = see(lan.assistant)
    assert client.get(f"/counter/m/{stranger.pk}").status_code == 404
    assert do(client, stranger.pk, "benefit", benefit="wrap").status_code == 404
    other = GiftOrder.objects.filter(merchant=lan.merchant).first()
    assert other is None
    assert do(client, who, "order", order="1").status_code == 404
    assert do(client, who, "undo", use="1").status_code == 404
    assert do(client, who, "prize", ticket="1").status_code == 404


def test_enter_opens_the_first_hit_and_a_card_its_member(see, lan, who):
    client = see(lan.assistant)
    card = Member.objects.get(pk=who).card
    for text in ("1234", card, "张小明"):
        assert client.get("/counter", {"q": text}).headers["Location"] == f"/counter/m/{who}"
    nobody = client.get("/counter", {"q": "99999"})
    assert (nobody.status_code, "Nobody is found" in nobody.content.decode()) == (200, True)
    hits = client.get("/counter/hits", {"q": "1234"}, headers=HTMX).content.decode()
    assert "张小明" in hits
    assert "13800001234" not in hits


def test_a_benefit_in_one_tap_and_back(see, lan, who):
    client = see(lan.assistant)
    page = client.get(f"/counter/m/{who}").content.decode()
    assert 'value="wrap"' in page
    assert 'value="price"' not in page  # applies by itself
    first = do(client, who, "benefit", benefit="wrap").content.decode()
    assert "Handed out: 礼品包装" in first
    do(client, who, "benefit", benefit="wrap")  # the same finger once more
    assert BenefitUse.objects.filter(state="done").count() == 1
    row = BenefitUse.objects.get()
    assert (row.actor, row.store) == ("lan.assistant", lan.street)
    assert "Taken back" in do(client, who, "undo", use=row.pk).content.decode()
    for n in range(3):
        last = do(client, who, "benefit", token=f"n{n}", benefit="wrap")
    assert (last.status_code, "used up" in last.content.decode()) == (422, True)


def test_points_off_the_bill_and_back(see, lan, who):
    client = see(lan.assistant)
    said = do(client, who, "points", amount="500").content.decode()
    assert (points(lan, who), "500 points redeemed, 730 are left" in said) == (730, True)
    do(client, who, "points", amount="500")
    assert points(lan, who) == 730
    burn = re.search(r'name="burn" value="([^"]+)"', said).group(1)
    do(client, who, "points/back", burn=burn, amount="500")
    assert points(lan, who) == 1230
    assert do(client, who, "points", token="t2", amount="9999").status_code == 422
    assert do(client, who, "points/back", burn="somebody-elses", amount="5").status_code == 404
    assert queries.verify(lan.merchant).findings == []


def test_a_gift_over_the_counter_with_its_money_and_back(see, lan, who):
    client = see(lan.assistant)
    page = client.get(f"/counter/m/{who}").content.decode()
    assert "not enough points" in page
    said = do(client, who, "gift", gift="mug").content.decode()
    assert "Handed over: Mug for 300 points and ¥9.90" in said
    assert (points(lan, who), Gift.objects.get(code="mug").stock) == (930, 4)
    row = GiftOrder.objects.get()
    do(client, who, "order", order=row.pk, do="back")
    assert (points(lan, who), Gift.objects.get(code="mug").stock) == (1230, 5)
    assert do(client, who, "gift", token="t2", gift="car").status_code == 422


def test_what_was_set_aside_is_handed_over_or_cancelled(see, lan, who):
    from shuke.loyalty.actions import gifts

    now = shops.now(lan.merchant)
    orders = [
        gifts.order(merchant=lan.merchant, member_id=who, gift="mug", key=f"w{n}", now=now, actor="web").order
        for n in range(2)
    ]
    client = see(lan.assistant)
    assert "Waiting to be handed over" in client.get(f"/counter/m/{who}").content.decode()
    do(client, who, "order", order=orders[0].pk, do="done")
    do(client, who, "order", order=orders[1].pk, do="cancel")
    assert [GiftOrder.objects.get(pk=o.pk).state for o in orders] == ["done", "cancelled"]


def test_whoever_may_adjust_gives_a_ticket_where_the_draw_says_so(see, lan, who):
    """A draw whose tickets the shop gives away has a button for it; one that does not, and other people, have none."""
    now = clock.utc_now()
    terms = DRAW | {"ways": {"given": True}}
    times = {"opens_at": (now - timedelta(days=1)).isoformat(), "closes_at": (now + timedelta(days=9)).isoformat()}
    draws.save_draw(merchant=lan.merchant, code="gift", terms=terms | times, now=now, actor="lan.owner")
    draws.commit_draw(merchant=lan.merchant, code="gift", now=now - timedelta(hours=1), actor="lan.owner")
    assert see(lan.assistant).get(f"/counter/m/{who}").content.decode().count("a present of the shop") == 0
    client = see(lan.owner)
    assert client.get(f"/counter/m/{who}").content.decode().count("a present of the shop") == 1
    assert "Ticket 1" in do(client, who, "draw", draw="gift", way="given").content.decode()


def test_a_ticket_is_drawn_and_its_prize_handed_over(see, lan, who):
    client = see(lan.assistant)
    said = do(client, who, "draw", draw="summer", way="points", word="福").content.decode()
    ticket = DrawTicket.objects.get()
    assert f"{ticket.number}:{ticket.link[:16]}" in said
    do(client, who, "draw", draw="summer", way="points", word="福")
    assert DrawTicket.objects.count() == 1
    for n in range(8):
        do(client, who, "draw", token=f"d{n}", draw="summer", way="points")
    won = DrawTicket.objects.filter(won="cream", handed_at=None).first()
    assert won is not None
    assert "Handed over: Cream" in do(client, who, "prize", ticket=won.pk).content.decode()
    assert do(client, who, "prize", ticket=won.pk).status_code == 422
    assert (
        do(client, who, "draw", token="x", draw="summer", way="given").status_code == 404
    )  # an assistant gives none away


def test_without_scripts_every_deed_leads_back_to_the_member(see, lan, who):
    answer = see(lan.assistant).post(f"/counter/m/{who}/benefit", {"token": "t", "benefit": "wrap"}, follow=True)
    assert (answer.redirect_chain, "Handed out: 礼品包装" in answer.content.decode()) == (
        [(f"/counter/m/{who}", 302)],
        True,
    )


def test_a_shop_without_a_charter_says_so(see, lan):
    who = Member.objects.create(merchant=lan.merchant, card="10000009", joined_at=cast.OPENED, name="新客")
    assert "no charter in force" in see(lan.assistant).get(f"/counter/m/{who.pk}").content.decode()


def open_stored(lan):
    """The shop's charter with stored value in it, from today on."""
    change_charter(lan, stored={"ladder": [{"at_least": 100, "bonus": 10}], "least": 20})


def change_charter(lan, **parts):
    now = shops.now(lan.merchant)
    charter = charters.in_force(lan.merchant, now).charter
    loyalty.publish_charter(
        merchant=lan.merchant, charter=document.from_plain({**document.to_plain(charter), **parts}), effective_from=now,
        now=now, actor="lan.owner",
    )  # fmt: skip


SIGN = {
    "key": "sign", "name": {"zh": "签到", "en": "Check-in"}, "kind": "activity", "activity": "check_in", "points": 5,
    "limits": {"per_day": 1},
}  # fmt: skip


def test_money_is_paid_in_with_its_bonus_once(see, lan, who):
    client = see(lan.assistant)
    assert "Money paid in" not in client.get(f"/counter/m/{who}").content.decode()
    open_stored(lan)
    assert "¥100.00 + ¥10.00 bonus" in client.get(f"/counter/m/{who}").content.decode()
    for _ in range(2):  # a finger that taps twice
        answer = do(client, who, "top-up", amount="120", paid_by="wechat")
        assert answer.status_code == 200
        assert "¥120.00 paid in, ¥10.00 added; ¥130.00 can be used." in answer.content.decode()
    now = shops.now(lan.merchant)
    assert stored.balance(lan.merchant, who, now).available == 13_000
    (line,) = TimelineLine.objects.filter(member_id=who, kind="stored.top_up")
    assert line.body == {"principal_minor": 12_000, "bonus_minor": 1_000, "by": lan.assistant.username}
    told = client.get(f"/members/{who}?show=money").content.decode()
    assert "Stored value topped up" in told
    assert "¥130.00" in told


@pytest.mark.parametrize(
    ("amount", "paid_by", "status", "says"),
    [
        ("10", "cash", 422, "¥20.00"),
        ("much", "cash", 422, "Write an amount of money"),
        ("6000", "cash", 422, "¥5,000.00"),
        ("100", "shells", 404, ""),
    ],
)
def test_what_cannot_be_paid_in_says_why(see, lan, who, amount, paid_by, status, says):
    open_stored(lan)
    answer = do(see(lan.assistant), who, "top-up", amount=amount, paid_by=paid_by)
    assert answer.status_code == status
    assert says in answer.content.decode()


def test_the_same_button_with_another_amount_is_told(see, lan, who):
    open_stored(lan)
    client = see(lan.assistant)
    do(client, who, "top-up", amount="100", paid_by="cash")
    assert do(client, who, "top-up", amount="200", paid_by="cash").status_code == 422
    assert stored.balance(lan.merchant, who, shops.now(lan.merchant)).principal == 10_000


def test_whoever_works_at_two_stores_says_where_they_stand(see, lan, who):
    told = {"merchant": lan.merchant, "reason": "helps out", "now": cast.NOON, "actor": "t"}
    change_staff(username="lan.assistant", stores=[lan.street, lan.second], **told)
    client = see(lan.assistant)
    page = client.get("/counter").content.decode()
    assert "徐汇店" in page
    assert "静安店" in page
    assert "兰记护肤淘宝店" not in page
    client.post("/counter/stand", {"store": lan.second.pk})
    assert f'value="{lan.second.pk}" selected' in client.get("/counter").content.decode()
    for elsewhere in (lan.online.pk, "x", "9" * 30):
        answer = client.post("/counter/stand", {"store": elsewhere}, follow=True).content.decode()
        assert "You do not work at this store" in answer
    assert Staff.objects.get(pk=lan.assistant.pk).store == lan.second
    assert 'name="store"' not in client.get(f"/counter/m/{who}/till").content.decode().split("<main")[1]
    client.post("/counter/stand", {"store": ""})
    form = client.get(f"/counter/m/{who}/till").content.decode().split("<main")[1]
    assert re.findall(r'<option value="(\w+)"', form) == ["JA", "XH"]  # of all three only theirs


def test_who_is_not_found_becomes_a_member_by_phone_once(see, lan, who):
    client = see(lan.assistant)
    page = client.get("/counter?q=13900139001").content.decode()
    assert ('value="13900139001"' in page, "New member" in page) == (True, True)
    assert (
        'name="name" maxlength="60" autocomplete="off" value="王五"' in client.get("/counter?q=王五").content.decode()
    )
    first = client.post("/counter/new", {"phone": "139 0013 9001", "name": "王五"})
    made = Member.objects.get(name="王五")
    assert (first.headers["Location"], made.home_store) == (f"/counter/m/{made.pk}", lan.street)
    again = client.post("/counter/new", {"phone": "13900139001", "name": "王五"})
    assert (again.headers["Location"], Member.objects.filter(name="王五").count()) == (f"/counter/m/{made.pk}", 1)
    assert "This phone is known already" in client.get(again.headers["Location"]).content.decode()
    for told, said in [({"phone": "12"}, "needs its whole number"), ({"name": "x"}, "Write the phone")]:
        wrong = client.post("/counter/new", told)
        assert (wrong.status_code, said in wrong.content.decode()) == (422, True)
    assert "New member" not in see(lan.auditor).get("/counter?q=13900139002").content.decode()


def test_a_check_in_says_what_it_gave_and_how_the_row_stands(see, lan):
    rule = {"key": "sign_in", "name": {"zh": "签到", "en": "Check in"}, "kind": "activity", "activity": "check_in", "points": 5,
            "limits": {"per_day": 1}, "streaks": [{"days": 2, "points": 20}]}  # fmt: skip
    evening = {"key": "evening", "name": {"zh": "沙龙", "en": "Evening"}, "kind": "activity", "activity": "event", "points": 30,
               "limits": {"per_member": 1}}  # fmt: skip
    who = furnish(lan, earning=[*CHARTER["earning"], rule, evening])
    client, before = see(lan.assistant), points(lan, who)
    page = client.get(f"/counter/m/{who}").content.decode()
    assert "day 0 of 2, then +20" in page
    first = do(client, who, "activity", activity="check_in").content.decode()
    assert "Check in: +5 points · 1 day in a row · one more day: +20" in first
    assert "done today" in first
    do(client, who, "activity", activity="check_in")
    assert (
        "gives nothing more for it now" in do(client, who, "activity", token="t2", activity="check_in").content.decode()
    )
    assert "Evening: +30 points" in do(client, who, "activity", activity="event").content.decode()
    wrong = do(client, who, "activity", token="t3", activity="flying")
    assert (wrong.status_code, "nothing for the activity flying" in wrong.content.decode()) == (422, True)
    assert points(lan, who) == before + 35


def test_the_thing_that_goes_with_a_steps_points_waits_and_is_handed_over(see, lan, who):
    client = see(lan.assistant)
    assert "press Hand over" in do(client, who, "benefit", benefit="spend.0").content.decode()
    use = BenefitUse.objects.get(benefit="spend.0")
    page = client.get(f"/counter/m/{who}").content.decode()
    assert f'name="use" value="{use.pk}"' in page.split("Waiting to be handed over")[2].split("</section>")[0]
    told = do(client, who, "prize", use=use.pk)
    assert "Handed over: " in told.content.decode()
    assert "Waiting to be handed over" not in client.get(f"/counter/m/{who}").content.decode()
    assert do(client, who, "prize", use=use.pk).status_code == 422
    assert do(client, who, "prize", use="1").status_code == 404


def test_a_tap_for_the_wrong_member_is_taken_back(see, lan, who):
    change_charter(lan, earning=[*CHARTER["earning"], SIGN])
    client = see(lan.assistant)
    before = points(lan, who)
    page = do(client, who, "activity", activity="check_in").content.decode()
    assert (points(lan, who) > before, "Take back" in page) == (True, True)
    key = Txn.objects.get(kind="activity", member_id=who).key
    # Seen later: the member's page still lists it, to whoever tapped, not to a colleague.
    assert f'value="{key}"' in client.get(f"/counter/m/{who}").content.decode()
    assert f'value="{key}"' in see(lan.owner).get(f"/counter/m/{who}").content.decode()
    said = do(client, who, "activity/back", did=key)
    assert (said.status_code, "Taken back" in said.content.decode(), points(lan, who)) == (200, True, before)
    assert do(client, who, "activity/back", did=key).status_code == 200  # a finger that taps twice
    assert points(lan, who) == before
    assert f'value="{key}"' not in client.get(f"/counter/m/{who}").content.decode()
    assert do(client, who, "activity/back", did="counter:nothing").status_code == 404
    assert TimelineLine.objects.filter(member_id=who, kind="activity.undone").count() == 1


def test_a_colleagues_tap_is_left_to_them_and_to_the_manager(see, lan, who):
    change_charter(lan, earning=[*CHARTER["earning"], SIGN])
    do(see(lan.assistant), who, "activity", activity="check_in")
    row = Txn.objects.get(kind="activity", member_id=who)
    specialist = see(lan.specialist)
    assert f'value="{row.key}"' not in specialist.get(f"/counter/m/{who}").content.decode()
    refused = do(specialist, who, "activity/back", did=row.key)
    assert (refused.status_code, "whoever noted it" in refused.content.decode()) == (422, True)
    assert do(see(lan.manager), who, "activity/back", did=row.key).status_code == 200
