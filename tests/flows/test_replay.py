"""The engine without a database prints what the books print: for any list of events, under any charter, byte for byte."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.checkout.returning import Back
from shuke.engine.draws.drawing import drawn
from shuke.engine.replay import draws as drawing
from shuke.engine.replay import lines as reading
from shuke.engine.replay import vouchers
from shuke.engine.replay.benefits import Benefits
from shuke.engine.replay.cards import Card
from shuke.engine.replay.gifts import Gifts
from shuke.engine.replay.member import Member
from shuke.engine.replay.partners import Partners
from shuke.engine.replay.referrals import Referrals
from shuke.engine.replay.report import report
from shuke.engine.replay.rules import Rules
from shuke.engine.replay.run import Replay
from shuke.engine.replay.sharing import Sharing
from shuke.engine.stored import Purse, StoredValueError
from shuke.flows import simulate_charter
from shuke.flows.replay_books import Books, open_shop
from shuke.loyalty import queries
from shuke.loyalty.queries import simulation
from shuke.shops.models import Merchant
from tests.flows.replay_lists import BEGIN, CHARTERS, events
from tests.house.source import ROOT
from tests.trust import chance, size

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")
SINCE, UNTIL = BEGIN - timedelta(days=1), BEGIN + timedelta(days=200)
SHELVES = ("till", "full", "follow", "ruled")
CI = {name: 3 if name in SHELVES and name != "ruled" else 2 for name in CHARTERS}  # 19; SHUKE_SOAK=100: a thousand


def engine_alone(charter: document.Charter, told: list[dict], until: datetime | None) -> tuple[list, Replay, Any]:
    text = [json.dumps(e, ensure_ascii=False) for e in told]
    lines = reading.read(text, ZONE, charter.currency)
    engine = Replay(Versions([(SINCE, Terms(charter, ZONE, 1))]))
    return lines, engine, engine.run(lines, until)


def both(charter_plain: dict, told: list[dict], until: datetime) -> tuple[dict, dict, Merchant]:
    """What the engine prints, and what the books print."""
    charter = document.from_plain(charter_plain)
    lines, engine, alone = engine_alone(charter, told, until)
    merchant = open_shop(charter=charter, since=SINCE, zone="Asia/Shanghai", lines=lines, now=SINCE)
    books = Books(merchant, charter).run(lines, until)
    return report(lines, alone, engine), report(lines, books, engine), merchant


def simulated(merchant: Merchant, charter: document.Charter) -> list[tuple]:
    """Everybody as the simulation of the unchanged charter sees them, in the order in which they joined."""
    today, _ = simulate_charter.sides(merchant, charter, None, UNTIL)
    assert today is not None
    side = simulate_charter.fold_all(simulation.history(merchant), today)
    return list(zip(side.points, side.outstanding, side.debt, side.tier, strict=True))


@pytest.mark.parametrize("name", CHARTERS)
def test_engine_books_and_simulation_say_the_same(name):
    """To the point and the cent, and byte for byte what is printed."""
    seeds = chance(f"replay {name}")
    charter = document.from_plain(CHARTERS[name])
    for n in range(size(CI[name], 53 * CI[name])):
        seed = seeds.randrange(10**9)
        where = f"{name} {seed}"
        with transaction.atomic():
            alone, books, merchant = both(CHARTERS[name], events(seed, shelves=name in SHELVES), UNTIL)
            seen = simulated(merchant, charter)
            if n % 5 == 0:
                assert queries.verify(merchant).findings == [], where
            transaction.set_rollback(True)
        for mine, theirs in zip(alone["events"], books["events"], strict=True):
            assert mine == theirs, f"{where}: line {mine['line']} {mine['event']}"
        assert alone["by_the_clock"] == books["by_the_clock"], where
        assert alone["members"] == books["members"], where
        assert json.dumps(alone) == json.dumps(books), where
        joined = [alone["members"][e["member"]] for e in alone["events"] if e["event"] == "join"]
        left = [(m["available"], sum(lot["remaining"] for lot in m["lots"]), m["debt"], m["tier"]) for m in joined]
        assert left == seen, where


@pytest.mark.parametrize("part", ["counter", "house", "goods"])
def test_the_page_is_true_of_the_books_too(part):
    page = (ROOT / "docs" / "algorithms" / "replay.md").read_text(encoding="utf-8")
    charter, told = (re.search(rf"```{kind} {part}\n(.*?)```", page, re.S)[1] for kind in ("yaml", "jsonl"))
    plain = document.read(charter).model_dump(mode="json", exclude_defaults=True)
    alone, books, merchant = both(plain, [json.loads(row) for row in told.splitlines()], UNTIL)
    assert json.dumps(alone) == json.dumps(books)
    assert queries.verify(merchant).findings == []


LATE = [
    {"at": "2026-01-02", "event": "join", "member": "cy"},
    {"at": "2026-01-02", "event": "opening", "member": "cy", "points": 300, "id": "o1"},
    {"at": "2026-01-03", "event": "order", "member": "cy", "order": "1", "lines": [{"amount": 100}], "tenders": {}},
    {"at": "2026-03-03T12:00", "event": "redeem", "member": "cy", "points": 1, "id": "r1"},
    {"at": "2026-03-03T12:00", "event": "return", "order": "1", "whole": True, "id": "b1"},
]
# The last mug, let go and wanted again.
SHELF = [
    {"at": "2026-01-02", "event": "join", "member": "ann"},
    {"at": "2026-01-02", "event": "opening", "member": "ann", "points": 300, "id": "o1"},
    {"at": "2026-01-02", "event": "gift_offer", "gift": "mug", "points": 20, "stock": 1},
    {"at": "2026-01-03", "event": "gift", "member": "ann", "gift": "mug", "wait": True, "id": "g1"},
    {"at": "2026-01-04", "event": "gift_cancel", "taken": "g1"},
    {"at": "2026-01-05", "event": "gift", "member": "ann", "gift": "mug", "id": "g2"},
]
# Goods paid with points that come back piece by piece.
PIECES = [
    {"at": "2026-01-02", "event": "join", "member": "ann"},
    {"at": "2026-01-02", "event": "opening", "member": "ann", "points": 300, "id": "o1"},
    {"at": "2026-01-03", "event": "order", "member": "ann", "order": "1", "lines": [{"amount": 90, "quantity": 3}],
     "tenders": {"points": "most"}},
    {"at": "2026-01-04", "event": "return", "order": "1", "lines": [{"line": 1, "quantity": 1}], "id": "b4"},
    {"at": "2026-01-05", "event": "return", "order": "1", "lines": [{"line": 1, "quantity": 1}], "id": "b5"},
]  # fmt: skip


def printed(name: str, told: list[dict]) -> dict:
    """What the engine prints of a history."""
    lines, engine, alone = engine_alone(document.from_plain(CHARTERS[name]), told, UNTIL)
    return report(lines, alone, engine)


SOMEONE, POST = Benefits._someone, Partners._post
FAULTS = {
    "a coupon comes back though its terms keep it": (vouchers, "comes_back", lambda template, end, now, zone: (True, end)),
    "bonus never lapses": (Purse, "advance", lambda self, now: []),
    "an order in arrears is not folded in": (Member, "happen", lambda self, e: (self.events.append(e), self.fold.run([e]))),
    "returns forget what came back before": (Back, "minus", lambda self, before: self),
    "referrals do not hear of returns": (Referrals, "touch", lambda self, newcomer, at: None),
    "stock is not given back": (Gifts, "_restock", lambda self, one, count: None),
    "a ticket's word counts for nothing": (
        drawing.engine, "drawn", lambda terms, promise, seed, ticket: drawn(terms, promise, seed, ticket.partition(":")[0]),
    ),
    "the rules forget what they gave": (Rules, "why_not", lambda self, line, found: self.given.clear() or []),
    "a code can be claimed again": (vouchers.Vouchers, "take", lambda self, one, name, member, at: None),
    "a code that nobody claimed is never used up": (vouchers.Vouchers, "_every", lambda self: [*self.all.values()]),
    "what was handed out is forgotten": (Benefits, "_someone", lambda self, *who: SOMEONE(self, *who)._replace(given=[])),
    "special days are forgotten": (Benefits, "_someone", lambda self, *who: SOMEONE(self, *who)._replace(special_days=())),
    "a partner's returns take nothing": (Partners, "_post", lambda self, answer, verdict, row, at: POST(self, answer, verdict, row, at) if verdict.points > 0 else None),
    "cards pay before they are sold": (Card, "seen", lambda self, at: "active"),
    "nobody in a family helps": (Sharing, "family_of", lambda self, member: ""),
    "a coupon of a member is everybody's": (vouchers.Vouchers, "of_member", lambda self, who, asked, best, at: [v for v in self.all.values() if v.name in asked]),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_the_law_would_notice(fault, monkeypatch):
    """The harness itself: an engine with one of these faults prints something else than the books, which print the same as
    the engine without it."""
    owner, attribute, planted = FAULTS[fault]
    histories = [
        ("follow", LATE),
        ("till", SHELF),
        ("till", PIECES),
        *(("ruled", events(seed, shelves=True)) for seed in range(40)),
    ]
    for name, told in histories:
        sound = printed(name, told)
        with monkeypatch.context() as faulty:
            faulty.setattr(owner, attribute, planted)
            try:
                now = printed(name, told)
            except (AssertionError, KeyError, StoredValueError):
                return  # it fell over its own fault
        if now != sound:
            return
    raise AssertionError(f"nobody noticed: {fault}")


def test_a_fault_of_the_books_is_noticed(monkeypatch):
    told = [
        {"at": "2026-01-02", "event": "join", "member": "ann"},
        {"at": "2026-01-02", "event": "join", "member": "bo"},
        {"at": "2026-01-03", "event": "referral", "member": "bo", "by": "ann"},
        {"at": "2026-01-04", "event": "order", "member": "bo", "order": "1", "paid": 100},
    ]
    alone, books, _ = both(CHARTERS["till"], told, UNTIL)
    assert alone == books
    assert alone["members"]["ann"]["available"] == 50
    assert [x["points"] for x in alone["by_the_clock"] if x["kind"] == "adjust"] == [50, 30]
    monkeypatch.setattr("shuke.loyalty.actions.referral.rewarding.to_move", lambda gives, have: [])
    alone, books, _ = both(CHARTERS["till"], told, UNTIL)
    assert alone != books


def test_what_arrives_late_corrects_the_reason_too():
    """A spend prolongs what is there. An order that comes back at the same moment was no longer there to prolong: the spend
    took the same points, but what is told about it changes."""
    alone, books, merchant = both(CHARTERS["follow"], LATE, UNTIL)
    assert alone == books
    (spent,) = (e["applied"] for e in books["events"] if e["event"] == "redeem")
    assert [(one["points"], one["why"][0]["lots"]) for one in spent] == [
        (-1, 2)
    ]  # what joining gave, and what was there
    assert queries.verify(merchant).findings == []


def test_a_void_card_keeps_no_refund_from_being_booked():
    """Told by money the buyer has it already; told by goods somebody stands at the till, who hears why not."""
    told = [
        {"at": "2026-01-02", "event": "join", "member": "ann"},
        {"at": "2026-01-02", "event": "opening", "member": "ann", "points": 200, "id": "o1"},
        {"at": "2026-01-02", "event": "card_make", "cards": ["CARD-A"], "amount": 50},
        {"at": "2026-01-02T13:00", "event": "card_sell", "card": "CARD-A", "id": "s1"},
        *(
            {"at": f"2026-01-03T1{n}:00", "event": "order", "member": "ann", "order": f"V{n}", "lines": [{"amount": 40}],
             "tenders": {"gift_cards": ["CARD-A"], "points": 100}}
            for n in (1, 2)
        ),
        {"at": "2026-01-04", "event": "card_void", "card": "CARD-A"},
        {"at": "2026-01-05", "event": "return", "order": "V1", "amount": 35},
        {"at": "2026-01-05T13:00", "event": "return", "order": "V2", "lines": [{"line": 1}]},
    ]  # fmt: skip
    alone, books, merchant = both(CHARTERS["till"], told, UNTIL)
    assert alone == books
    by_money, by_goods = books["events"][-2:]
    assert [(one["code"], one["card"]) for one in by_money["skipped"]] == [("card_not_active", "CARD-A")]
    assert {one["kind"] for one in by_money["applied"]} >= {"refund", "return"}
    assert [one["code"] for one in by_goods["inapplicable"]] == ["return_refused"]
    assert queries.verify(merchant).findings == []
