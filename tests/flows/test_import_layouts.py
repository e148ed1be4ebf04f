"""Every layout from the file to the archive: seen exactly before, the same again nothing, taken back as if it had never been."""

from __future__ import annotations

from datetime import datetime

import pytest

from shuke.connect.samples import layouts
from shuke.connect.samples.taobao_shop.reports import SHOP
from shuke.flows import imports
from shuke.flows.imports import reading
from shuke.flows.undo_import import undo
from shuke.loyalty import queries as books
from shuke.members.models import Member
from shuke.orders.models import Order, OrderLine, Refund
from shuke.shops.models import Store
from tests.cast import NOON as NOW
from tests.flows.test_imports import begin, counted
from tests.loyalty.books import CHARTER, publish

pytestmark = pytest.mark.django_db
AT = datetime(2026, 5, 20, 10, 0)


def sample(folder, key: str, *, count: int = 15):
    return layouts.write(folder, key, at=AT, count=count)


def sizes() -> tuple[int, ...]:
    return (*(m.objects.count() for m in (Order, OrderLine, Refund)), Member.objects.filter(state="active").count())


@pytest.mark.parametrize("key", [one.key for one in layouts.CATALOGUE])
def test_every_layout_is_previewed_exactly_taken_in_once_and_taken_back(lan, tmp_path, key, monkeypatch):
    if key in ("shopify-orders", "woocommerce-orders"):
        lan.merchant.currency = "USD"  # books are kept in one currency: a shop of yuan keeps these rows out
        lan.merchant.save()
    publish(lan.merchant, CHARTER | {"currency": lan.merchant.currency})
    monkeypatch.setattr(reading, "ORDERS", 6)
    empty = sizes()
    file = sample(tmp_path, key).path
    batch = begin(lan, file, shop=SHOP)
    seen = imports.preview(batch, now=NOW)
    assert sizes() == empty
    done = imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    assert (counted(seen), seen.odd) == (counted(done), done.counts["odd"])
    assert any(done.counts[n] for n in ("orders_new", "refunds_new", "customers"))
    full = sizes()
    assert Member.objects.filter(state="active").count() == done.counts["members_new"]

    again = begin(lan, file, shop=SHOP)
    same = imports.preview(again, now=NOW)
    imports.run(merchant=lan.merchant, batch_id=again.pk, now=NOW)
    news = {n: c for n, c in counted(same).items() if n.endswith(("_new", "_changed")) or n == "openings"}
    assert (news, sizes()) == ({}, full)

    undo(merchant=lan.merchant, batch_id=batch.pk, now=NOW, actor="lan.owner")
    assert sizes() == empty
    assert books.verify(lan.merchant).findings == []


@pytest.mark.parametrize("key", [one.key for one in layouts.CATALOGUE if "youzan" not in one.key])
def test_a_file_of_one_shop_makes_no_other_store_than_that_shop(lan, tmp_path, key):
    before = set(Store.objects.values_list("platform", "code"))
    batch = begin(lan, sample(tmp_path, key).path, shop=SHOP)
    imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    new = set(Store.objects.values_list("platform", "code")) - before
    sold_at = {("pos", code) for code in Store.objects.filter(platform="pos").values_list("code", flat=True)}
    assert {code for platform, code in new - sold_at} <= {SHOP}


def test_youzans_own_shop_makes_one_store_and_no_till(lan, tmp_path):
    before = set(Store.objects.values_list("platform", "code"))
    for name in ("", "小满美肤"):  # as the file says; as somebody said
        batch = begin(lan, sample(tmp_path, "youzan-orders").path, shop=name)
        imports.run(merchant=lan.merchant, batch_id=batch.pk, now=NOW)
    assert set(Store.objects.values_list("platform", "code")) - before == {("youzan", "小满美肤")}
