"""docs/algorithms/field-settings.md, executed: every piece of a charter is valid and does what its example says."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from shuke.engine.charter import document
from shuke.engine.charter.describe import describe
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.checkout import document as baskets
from shuke.engine.checkout import price
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import begin
from shuke.kit.clock import day_start

PAGE = (Path(__file__).parents[3] / "docs" / "algorithms" / "field-settings.md").read_text(encoding="utf-8")
CASES = re.findall(r"^## ([^\n]+)\n+```yaml\n(.+?)```", PAGE, re.M | re.S)
BASKETS = re.findall(r"^## ([^\n]+)\n+```yaml till\n(.+?)```", PAGE, re.M | re.S)
SYSTEMS = {"Odoo", "ERPNext", "Open", "Square", "Voucherify", "Talon.One", "Taobao", "WeChat"}
ZONE = ZoneInfo("Asia/Shanghai")
JOINED = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("cases", [CASES, BASKETS])
def test_the_page_speaks_of_every_system(cases):
    assert {name.split(":")[0].split(" ")[0] for name, _ in cases} == SYSTEMS
    assert len(CASES) + len(BASKETS) == PAGE.count("```yaml")


def fen(text: str) -> int:
    return int(Decimal(text) * 100)


def happening(told: dict[str, str], n: int) -> ev.Event | None:
    if "clock" in told:
        return None
    at = datetime.combine(date.fromisoformat(told["on"]), datetime.min.time(), ZONE).replace(hour=12, second=n)
    if "buy" in told:
        freight = fen(told.get("freight", "0"))
        lines = tuple(
            ev.GoodsLine(
                fen(line["amount"]), line.get("category", ""), line.get("product", ""), "",
                1000 * int(line.get("pieces", 1)),
            )
            for line in told.get("lines", ())
        )  # fmt: skip
        parts = ev.Parts(freight, *(fen(told.get(k, "0")) for k in ("tax", "discount", "coupon", "points")))
        done = datetime.combine(date.fromisoformat(told["done"]), datetime.min.time(), ZONE) if "done" in told else None
        return ev.Purchase(f"order:{told['buy']}", at, fen(told["paid"]) - freight, lines, done_at=done, parts=parts)
    if "refund" in told:
        return ev.Refunded(f"refund:{n}", at, f"order:{told['refund']}", fen(told["amount"]))
    if "spend" in told:
        return ev.Burn(f"burn:{n}", at, int(told["spend"]))
    return ev.Activity(f"activity:{n}", at, told["activity"])


@pytest.mark.parametrize(("name", "text"), CASES, ids=[name for name, _ in CASES])
def test_the_settings_do_what_the_example_says(name, text):
    plain = yaml.load(text, Loader=yaml.BaseLoader)
    example = plain.pop("example")
    if "groups" in example:
        plain["points"]["groups"] = example["groups"]
    head = {
        "name": {"zh": name, "en": name},
        "currency": "CNY",
        "tiers": [{"key": "all", "name": {"zh": "会", "en": "All"}}],
    }
    charter = document.from_plain(head | plain)
    assert all(section.sentences for language in ("zh", "en") for section in describe(charter, language))
    versions = Versions([(JOINED, Terms(charter, ZONE, 1))])
    fold = begin(versions, joined_at=JOINED)
    if "joins" in example:
        assert fold.books.balance == int(example["joins"])
    for n, told in enumerate(example["events"]):
        event = happening(told, n)
        before = len(fold.effects)
        if event is None:
            at = day_start(date.fromisoformat(told["clock"]), ZONE)
            fold.advance(at)
        else:
            at = event.at
            fold.run([event])
        if "earns" in told:
            mine = [e for e in fold.effects[before:] if event is not None and e.event == event.event]
            assert sum(e.legs.get("member", 0) + e.legs.get("debt", 0) for e in mine) == int(told["earns"]), told
        if "tier" in told:
            assert fold.tier_at(versions.last) == told["tier"], told
        if "available" in told:
            assert fold.books.available(at) == int(told["available"]), told
        if "balance" in told:
            assert fold.books.balance == int(told["balance"]), told
        if "expires" in told:
            expires = fold.books.lots[event.event].expires_at
            assert expires is not None
            # The day said is the last one on which the points can be used.
            assert (expires.astimezone(ZONE).date() - date.fromisoformat(told["expires"])).days == 1, told


@pytest.mark.parametrize(("name", "text"), BASKETS, ids=[name for name, _ in BASKETS])
def test_what_goes_together_at_the_till(name, text):
    selling = yaml.load(text, Loader=yaml.BaseLoader)
    example = selling.pop("example")
    charter = document.from_plain(
        {"name": {"zh": name, "en": name}, "currency": "CNY", "selling": selling, "earning": [],
         "tiers": [{"key": "all", "name": {"zh": "会", "en": "All"}}]}
    )  # fmt: skip
    assert all(section.sentences for language in ("zh", "en") for section in describe(charter, language))
    for told in example:
        asked = told.get("asks", [])
        lines = [{"key": k, "category": k, "amount_minor": fen(yuan)} for k, yuan in told["goods"].items()]
        coupons = [{"ref": key, "template": key} for key in asked]
        plain = {"lines": lines, "member": {"tier": "all", "coupons": coupons}, "asks": {"coupons": asked}}
        basket = baskets.from_plain(plain)
        priced = price(Terms(charter, ZONE, 1), baskets.basket(basket, "CNY"), baskets.holdings(basket), JOINED)
        off = {one.ref: one.amount for one in priced.applied}
        assert off == {key: fen(yuan) for key, yuan in told.get("off", {}).items()}, told
        assert priced.due == fen(told["due"]), told
