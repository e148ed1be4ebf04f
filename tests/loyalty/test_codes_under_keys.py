"""Printed codes and card programmes keep the key they began with; what is begun later is under the newest."""

from __future__ import annotations

from datetime import date

import pytest

from shuke.loyalty.actions import coupons, stored
from shuke.loyalty.actions import partner_cards as cards
from shuke.loyalty.actions.coupons.batches import codes_of
from shuke.loyalty.actions.stored.cards import card_codes
from shuke.loyalty.models import CardProgramme, Coupon, PartnerCard
from shuke.loyalty.queries import coupons as coupon_books
from shuke.loyalty.queries import partner_cards as card_books
from shuke.loyalty.queries.stored.cards import find_card
from shuke.loyalty.queries.under_keys import dependents
from shuke.members.actions.reindexing import reindex
from shuke.members.actions.rekeying import rewrap
from tests.loyalty.books import NOW, member
from tests.loyalty.stored import open_stored
from tests.loyalty.till import template

pytestmark = pytest.mark.django_db
OLD, NEW = "11" * 32, "22" * 32


def printed(shop) -> tuple[list[str], list[str]]:
    """Two coupon codes and a gift card, as they would stand on paper."""
    batch = coupons.begin_batch(merchant=shop, key="ten", count=2, label="flyer", now=NOW, actor="t")
    coupons.make_codes(batch_id=batch.pk, now=NOW)
    batch.refresh_from_db()
    paid = stored.begin_cards(merchant=shop, count=1, value=5000, label="spring", now=NOW, actor="t")
    stored.make_cards(batch_id=paid.pk)
    paid.refresh_from_db()
    return list(codes_of(batch)), list(card_codes(paid))


def bound(shop, key: str, who: int) -> str:
    told = {"name": key, "issuer": "", "token_kind": "hash"}
    cards.save_programme(merchant=shop, key=key, now=NOW, actor="owner", **told)
    token = key[0] * 64
    cards.bind(merchant=shop, programme=key, member_id=who, token=token, since=date(2025, 1, 1), now=NOW, actor="till")
    return token


def is_found(shop, codes: list[str], gifts: list[str]) -> bool:
    return all(coupon_books.find_code(shop, code).coupon for code in codes) and all(find_card(shop, g) for g in gifts)


@pytest.fixture
def shop(lan, settings):
    settings.SHUKE_MASTER_KEY = OLD
    open_stored(lan.merchant, cards={"months": 24})
    template(lan.merchant, codes="unique", valid={"days": 30})
    return lan.merchant


def test_what_was_printed_goes_on_and_what_is_printed_later_is_under_the_newest_key(shop, settings):
    ann = member(shop)
    old, token = printed(shop), bound(shop, "bank", ann)
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW}"
    halfway = printed(shop)  # the key is there, nobody has rotated: other processes may not know it
    rewrap()
    reindex()
    new, fresh = printed(shop), bound(shop, "club", ann)
    for codes, gifts in (old, halfway, new):
        assert is_found(shop, codes, gifts)
    for key, text in (("bank", token), ("club", fresh)):
        one = CardProgramme.objects.get(key=key)
        assert bytes(PartnerCard.objects.get(programme=one).blind) == card_books.blind_of(one, text)
    assert list(Coupon.objects.order_by("batch_id").values_list("batch__key_number", flat=True)) == [1, 1, 1, 1, 2, 2]

    settings.SHUKE_MASTER_KEY = (
        f"{'33' * 32},{NEW}"  # without the first key nothing of before is known, all of later is
    )
    assert is_found(shop, *new)
    assert not any(is_found(shop, [code], []) for code in old[0])
    assert not is_found(shop, [], old[1])


def test_an_old_key_is_needed_until_the_last_code_under_it_has_ended(shop, settings):
    printed(shop)
    bound(shop, "bank", member(shop))
    assert dependents(NOW) == []
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW}"
    rewrap()
    reindex()
    told = {one.what: one for one in dependents(NOW)}
    assert {what: (one.left, one.number) for what, one in told.items()} == {
        "coupons": (2, 1),
        "gift_cards": (1, 1),
        "partner_cards": (1, 1),
    }
    assert [one.until is None for one in (told["coupons"], told["gift_cards"], told["partner_cards"])] == [
        False,
        True,
        True,
    ]
    until = told["coupons"].until
    assert until is not None
    assert {one.what for one in dependents(until)} == {"gift_cards", "partner_cards"}
