"""The charter as a page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shuke.engine.charter import describe, document
from shuke.loyalty.models import PublishedCharter
from shuke.shops import queries as shops
from tests import cast


def publish(shop: cast.Shop, version: int, name: str, since, note: str = "") -> document.Charter:
    text = document.ready(name)
    PublishedCharter.objects.create(
        merchant=shop.merchant,
        version=version,
        effective_from=since,
        published_at=since,
        document=document.to_plain(text),
        published_by="lan.owner",
        note=note,
    )
    return text


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_holds_every_sentence_of_the_charter(see, lan, language):
    text = publish(lan, 1, "beauty", cast.OPENED)
    page = see(lan.auditor, language).get("/charter").content.decode()
    for section in describe.describe(text, language[:2]):
        for sentence in [section.title, *section.sentences]:
            assert sentence.replace("'", "&#x27;") in page


def test_former_and_coming_versions_can_be_read_and_say_what_they_are(see, lan):
    now = shops.now(lan.merchant)
    publish(lan, 1, "general", now - timedelta(days=300), note="The first")
    publish(lan, 2, "beauty", now - timedelta(days=10))
    publish(lan, 3, "general", now + timedelta(days=10))
    client = see(lan.owner)
    shown = {ask: client.get(f"/charter{ask}").content.decode() for ask in ("", "?version=1", "?version=3")}
    assert "Supreme VIP" in shown[""]
    assert "in force</span>" in shown[""]
    assert "former version</span>" in shown["?version=1"]
    assert "The first" in shown["?version=1"]
    assert "not yet in force</span>" in shown["?version=3"]
    assert client.get("/charter?version=9").status_code == 404


def test_without_a_charter_it_says_how_to_publish_one(see, lan):
    assert "shuke charter publish" in see(lan.owner).get("/charter").content.decode()


def test_another_merchants_charter_is_never_shown(see, lan, mingde):
    publish(mingde, 1, "beauty", cast.OPENED)
    assert "No charter is in force" in see(lan.owner).get("/charter").content.decode()


def test_it_costs_the_same_few_queries_however_many_versions(see, lan, django_assert_num_queries):
    publish(lan, 1, "general", cast.OPENED)
    client = see(lan.owner)
    with django_assert_num_queries(5):
        client.get("/charter")
    for version in (2, 3):
        publish(lan, version, "beauty", cast.OPENED + timedelta(days=version))
    with django_assert_num_queries(5):
        client.get("/charter")
