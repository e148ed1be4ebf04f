"""Stored value and gift cards in the console: at the counter, by hand with a second person, cards from making to void."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from shuke.kit import clock, jobs
from shuke.kit.models import AuditLine
from shuke.loyalty import queries
from shuke.loyalty.models import GiftCard, StoredTxn
from shuke.loyalty.queries import stored as books
from tests.doors.console import people
from tests.loyalty.books import publish
from tests.loyalty.stored import open_stored


@pytest.fixture
def shop(lan):
    open_stored(lan.merchant)
    return lan


@pytest.fixture
def ann(shop):
    return people.make(shop.merchant, 1, clock.utc_now(), [shop.street], tiers=["gold"])[0]


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def page(ann):
    return reverse("console:member-stored", args=[ann.pk])


def do(client, ann, what, key="k", **more):
    return client.post(page(ann), {"do": what, "key": key, **more}, follow=True)


def test_there_is_no_page_and_no_link_where_the_charter_has_none(see, lan):
    publish(lan.merchant)
    ann = people.make(lan.merchant, 1, clock.utc_now(), [lan.street], tiers=["gold"])[0]
    client = see(lan.owner)
    for url in (page(ann), reverse("console:stored"), reverse("console:stored-cards")):
        assert client.get(url).status_code == 404
    assert "Stored value" not in text(client.get(reverse("console:member", args=[ann.pk])))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_member_pays_in_at_the_counter(see, shop, ann, language):
    client = see(shop.assistant, language)
    said = text(do(client, ann, "top_up", amount="1,000", paid_by="wechat"))
    assert ("¥1,000.00 paid in, ¥100.00 added" in said) == (language == "en")
    do(client, ann, "top_up", amount="1000", paid_by="wechat")
    assert books.balance(shop.merchant, ann.pk, clock.utc_now()).principal == 100_000, "pressed twice, booked once"
    said = text(client.get(page(ann)))
    assert ("WeChat Pay" if language == "en" else "微信支付") in said
    if language == "zh-hans":
        assert not re.search(r"(Top up|Paid in|Bonus|Set aside)", said)
    assert "¥1,100.00" in text(client.get(reverse("console:member", args=[ann.pk])))


def test_what_cannot_be_done_is_said_and_what_was_typed_stays(see, shop, ann):
    client = see(shop.owner)
    answer = do(client, ann, "top_up", amount="6000")
    assert answer.status_code == 422
    assert "at most ¥5,000.00 can be paid in" in text(answer)
    assert 'value="6000"' in answer.content.decode()
    assert "Write an amount of money" in text(do(client, ann, "top_up", "k2", amount="much"))
    do(client, ann, "top_up", "k3", amount="10")
    assert "sent before with something else" in text(do(client, ann, "top_up", "k3", amount="11"))
    assert client.post(page(ann), {"do": "nonsense"}).status_code == 404


def test_who_may_what(see, shop, ann):
    do(see(shop.assistant), ann, "top_up", amount="100")
    assert do(see(shop.assistant), ann, "pay_back", "w", amount="10").status_code == 403
    assert do(see(shop.assistant), ann, "correct", "c", amount="10", reason="x").status_code == 403
    assert do(see(shop.auditor), ann, "top_up", "t", amount="10").status_code == 403
    assert "Top up" not in text(see(shop.auditor).get(page(ann)))
    assert see(shop.assistant).post(reverse("console:stored-cards"), {"count": 1, "value": 1}).status_code == 403
    assert StoredTxn.objects.count() == 1


def test_paid_back_with_the_bonus_given_up(see, shop, ann):
    client = see(shop.manager)
    do(client, ann, "top_up", amount="1000")
    said = text(do(client, ann, "pay_back", "w", amount="500", paid_by="cash"))
    assert "Pay out ¥500.00. ¥50.00 of bonus are given up, ¥550.00 are left." in said
    assert "all of it adds up" in text(client.get(reverse("console:stored")))


def test_by_hand_a_second_person_decides(see, shop, ann):
    client = see(shop.manager)
    assert "Booked." in text(do(client, ann, "correct", "c1", amount="50", reason="miscounted"))
    said = text(do(client, ann, "correct", "c2", amount="80", account="bonus", reason="sorry"))
    assert "It waits for a second person." in said
    own = client.get(reverse("console:stored"))
    assert "You asked for this" in text(own)
    [row] = own.context["waiting"]
    url = reverse("console:stored-correction", args=[row["one"].pk])
    assert "cannot agree to it" in text(client.post(url, {"do": "agree"}, follow=True))
    assert "Booked." in text(see(shop.owner).post(url, {"do": "agree"}, follow=True))
    assert books.balance(shop.merchant, ann.pk, clock.utc_now()).bonus == 8_000
    assert "decided already" in text(see(shop.owner).post(url, {"do": "decline"}, follow=True))
    assert see(shop.owner).post(reverse("console:stored-correction", args=[1])).status_code == 404


def test_gift_cards_from_making_to_void(see, shop, ann):
    client = see(shop.owner)
    cards = reverse("console:stored-cards")
    assert "No gift cards yet" in text(client.get(cards))
    assert "at most ¥1,000.00" in text(client.post(cards, {"count": 3, "value": "1000.01"}, follow=True))
    client.post(cards, {"count": 3, "value": "100", "label": "春节"})
    while running := jobs.claim(worker="w", now=clock.utc_now()):
        assert jobs.run(running) == "done"
    batch = GiftCard.objects.first().batch_id
    lines = b"".join(client.get(reverse("console:stored-batch-codes", args=[batch])).streaming_content).decode(
        "utf-8-sig"
    )
    codes = [line.split(",")[1] for line in lines.splitlines()[1:]]
    sheet = client.get(reverse("console:stored-batch-sheet", args=[batch])).content.decode()
    assert all(code in sheet for code in codes)
    assert sheet.count("<svg") == 3
    assert set(AuditLine.objects.filter(verb__startswith="giftcard.").values_list("verb", flat=True)) >= {
        "giftcard.cards_exported", "giftcard.cards_printed",
    }  # fmt: skip
    sell = reverse("console:stored-batch-sell", args=[batch])
    assert "2 cards sold for ¥200.00." in text(
        client.post(sell, {"first": 1, "last": 2, "key": "s", "paid_by": "cash"}, follow=True)
    )
    assert "There is no gift card" in text(client.post(sell, {"first": 9, "key": "s9"}, follow=True))
    find = reverse("console:stored-card-find")
    assert "¥100.00" in text(client.get(find, {"q": codes[0]}, follow=True))
    assert "cannot be used" in text(client.get(find, {"q": codes[2]}, follow=True)), "not sold yet"
    assert "for sale" in text(client.get(find, {"q": f"{batch}/3"}, follow=True))
    assert "¥100.00 from the card" in text(do(client, ann, "redeem", "r", code=codes[0].lower()))
    second = GiftCard.objects.get(batch=batch, number=2)
    url = reverse("console:stored-card", args=[second.pk])
    assert "2040-01-31" in text(client.post(url, {"do": "renew", "day": "2040-01-31"}, follow=True))
    assert "lies in the past" in text(client.post(url, {"do": "renew", "day": "soon"}, follow=True))
    assert "¥100.00 were on it" in text(
        client.post(url, {"do": "void", "reason": "lost", "paid_out": "1"}, follow=True)
    )
    assert [f for f in queries.verify(shop.merchant).findings if f.invariant.startswith("S")] == []


def test_another_shops_cards_and_batches_are_not_found(see, shop, mingde):
    open_stored(mingde.merchant)
    from shuke.loyalty.actions import stored

    batch = stored.begin_cards(merchant=mingde.merchant, count=1, value=100, now=clock.utc_now(), actor="t")
    stored.make_cards(batch_id=batch.pk)
    client = see(shop.owner)
    for name in ("stored-batch-codes", "stored-batch-sheet"):
        assert client.get(reverse(f"console:{name}", args=[batch.pk])).status_code == 404
    assert client.post(reverse("console:stored-batch-sell", args=[batch.pk])).status_code == 404
    assert client.get(reverse("console:stored-card", args=[GiftCard.objects.first().pk])).status_code == 404
