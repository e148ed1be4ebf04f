"""A shop in which some cheat: whoever answers for it sees who, how much and to whom, and every number opens to what is behind it."""

import re
from datetime import timedelta

import pytest

from shuke.flows import checkout
from shuke.loyalty import actions
from shuke.loyalty.actions import coupons, stored
from shuke.loyalty.queries import by_hand
from shuke.shops import actions as shops
from shuke.shops.queries import now as shop_now
from tests.doors.console.test_people_pages import browser, page
from tests.loyalty.books import CHARTER, member, order, publish, take
from tests.loyalty.stored import STORED
from tests.loyalty.till import SELLING, basket, template

DAY = timedelta(days=1)


@pytest.fixture
def shop(lan):
    """The manager gives a friend who never bought, and an account that slept; the assistant scans their own card at others'
    purchases; the owner does what owners do."""
    points = CHARTER["points"] | {"second_person_above": 1000}
    publish(lan.merchant, CHARTER | {"points": points, "selling": SELLING, "stored": STORED})
    shop, today = lan.merchant, shop_now(lan.merchant).replace(hour=8, minute=0)
    buyer, friend, sleeper, own = (member(shop, n) for n in range(1, 5))
    take(shop, buyer, order("b1", 1, 300, paid_at=today - 20 * DAY), now=today)
    take(shop, sleeper, order("s1", 1, 300, paid_at=today - 200 * DAY), now=today)

    def gave(key, who, n, actor, days_ago=1, **more):
        told = {"merchant": shop, "key": key, "member_id": who, "amount": n, "reason": f"because {key}"}
        return actions.correct(**told, now=today - days_ago * DAY, actor=actor, **more)

    for day in range(1, 6):
        gave(f"friend{day}", friend, 900, "lan.manager", day)
    gave("sleeper", sleeper, 400, "lan.manager", 6)
    gave("taken", sleeper, -100, "lan.manager", 4)
    token, _ = shops.make_token(merchant=shop, name="sheet", may_write=True, now=today, staff=lan.manager)
    gave("token", friend, 50, f"token:{token.pk}", 8)
    gave("honest", buyer, 30, "lan.owner", 2)
    gave("growth", buyer, 20, "lan.owner", 2, kind="growth")
    waits = gave("waits", buyer, 5000, "lan.owner", 2)
    actions.decide_correction(merchant=shop, correction_id=waits.pk, agree=True, now=today, actor="lan.manager")
    gave("declined", buyer, 6000, "lan.owner", 2)
    gave("long ago", friend, 900, "lan.manager", 45)
    actions.give_tier(
        merchant=shop, member_id=friend, tier=CHARTER["tiers"][-1]["key"], until=None, reason="kind", now=today - DAY, actor="lan.manager"
    )  # fmt: skip
    template(shop)
    coupons.issue(
        merchant=shop, issues=[coupons.Issue("ten", friend, "hand", copies=3)], now=today - DAY, actor="lan.manager"
    )
    top_up = stored.Ask("cash", "top_up", buyer, 50000, paid_by="cash")
    stored.ask(merchant=shop, asks=[top_up], now=today - DAY, actor="lan.assistant")

    def sells(key, who, actor, days_ago):
        engine, told = basket(80)
        at = today - days_ago * DAY
        checkout.hold(merchant=shop, key=key, basket=engine, told=told, member_id=who, now=at, actor=actor)
        checkout.capture(merchant=shop, key=key, order_event=f"o{key}", now=at, actor=actor)

    for n in range(5):
        sells(f"own{n}", own, "lan.assistant", 1)
    sells("once", buyer, "lan.assistant", 1)
    for n in range(3):
        sells(f"usual{n}", buyer, "lan.assistant", 3 + n)
    sells("owner", buyer, "lan.owner", 1)
    return lan, today, {"buyer": buyer, "friend": friend, "sleeper": sleeper, "own": own}


def test_the_figures_are_what_was_planted(shop):
    lan, today, who = shop
    found = by_hand.report(lan.merchant, (today - 29 * DAY).date(), today.date())
    manager, owner, assistant = found.people
    assert (manager.person, manager.count) == ("lan.manager", 10)  # also what was asked through their token
    assert (manager.given, manager.taken, manager.tiers, manager.coupons) == (5 * 900 + 400 + 50, 100, 1, 3)
    assert (manager.never, manager.quiet) == (8, 2)
    assert (owner.person, owner.count, owner.given, owner.growth) == ("lan.owner", 3, 5030, 20)
    assert (owner.never, owner.quiet) == (0, 0)
    assert (assistant.person, assistant.top_up_minor) == ("lan.assistant", 50000)
    worst, other = found.tills
    assert (worst.person, worst.again, worst.cards, worst.usual) == ("lan.assistant", 5, 2, 1)
    assert worst.busiest == (today - DAY).date()
    assert (other.person, other.again) == ("lan.owner", 0)
    assert {one.member_id for one in by_hand.chosen_baskets(found, "lan.assistant", "again")} == {who["own"]}
    assert len(by_hand.chosen_deeds(found, "lan.manager", "never")) == 8
    assert [one.alone for one in by_hand.chosen_deeds(found, "lan.owner", "given")] == [True, False]
    assert by_hand.report(lan.merchant, today.date() + DAY, today.date() + DAY).people == []


def test_every_number_opens_to_as_many_lines(shop):
    client = browser("lan.owner")
    html = client.get("/people/by-hand").content.decode()
    links = re.findall(r'<a href="(\?[^"]+)#lines">([^<]+)</a>', html)
    assert len(links) > 12
    for link, shown in links:
        link = link.replace("&amp;", "&")
        opened = client.get(f"/people/by-hand{link}").content.decode()
        section = opened.split('id="lines"')[1].split("</section>")[0]
        rows = section.count("<li>")
        if "what=again" in link or re.search("what=(never|quiet|tiers)|what=$", link):
            assert rows == int(shown), link
        else:
            assert rows > 0, link
    opened = page(client.get("/people/by-hand?who=lan.manager&what=quiet"))
    assert "because sleeper" in opened
    assert "quiet for half a year" in opened
    assert "because friend1" not in opened
    assert "a second person agreed" in page(client.get("/people/by-hand?who=lan.owner&what=given"))
    assert "with this card 5 times that day" in page(client.get("/people/by-hand?who=lan.assistant&what=again"))
    assert "long ago" not in page(client.get("/people/by-hand?who=lan.manager&what=given"))
    long = client.get("/people/by-hand?from=2020-01-01&who=lan.manager&what=given")
    assert "long ago" in page(long)


def test_only_owners_and_auditors_look_and_odd_addresses_harm_nothing(shop, mingde):
    for name, status in (("owner", 200), ("auditor", 200), ("manager", 403), ("specialist", 403), ("assistant", 403)):
        assert browser(f"lan.{name}").get("/people/by-hand").status_code == status
    client = browser("lan.owner")
    for odd in (
        "from=x&to=9999-99-99",
        "who=nobody&what=given",
        "what=drop",
        "from=2030-01-01&to=2020-01-01",
        "what=busiest",
    ):
        assert client.get(f"/people/by-hand?{odd}").status_code == 200
    assert "because" not in page(browser("mingde.owner").get("/people/by-hand?what=given"))


def test_the_owner_says_which_member_somebody_is(lan):
    publish(lan.merchant, CHARTER)
    who = member(lan.merchant, 1)
    owner, path = browser("lan.owner"), f"/people/{lan.manager.pk}"
    told = {"do": "card", "card": "00000001", "reason": "joined herself", "revision": lan.manager.revision}
    assert "saved." in page(owner.post(path, told, follow=True))
    assert "nothing was different" in page(owner.post(path, told, follow=True))
    assert "Own member card" in page(owner.get(path))
    assert "no member with this card" in page(owner.post(path, told | {"card": "77"}, follow=True))
    assert "why" in page(owner.post(path, told | {"card": "", "reason": " "})).lower()
    manager = browser("lan.manager")
    gift = {"do": "adjust", "points": "5", "reason": "x"}
    assert "ask a colleague" in page(manager.post(f"/members/{who}/points/change", gift))
    tier = {"do": "give", "tier": CHARTER["tiers"][-1]["key"], "reason": "x", "how": "floor"}
    assert "ask a colleague" in page(manager.post(f"/members/{who}/tier", tier, follow=True))
    assert manager.post(path, told).status_code == 403
    assert "saved." in page(owner.post(path, told | {"card": ""}, follow=True))
    assert manager.post(f"/members/{who}/points/change", gift).status_code == 302
