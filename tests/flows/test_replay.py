"""The engine without a database prints what the books print: for any list of events, under any charter."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.replay import lines as reading
from shuke.engine.replay.report import report
from shuke.engine.replay.run import Replay
from shuke.flows.replay_books import Books, open_shop
from tests.loyalty.books import CHARTER
from tests.loyalty.test_rich_charter import RICH, ROLLING

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 1, 1, 4, tzinfo=UTC)
OPEN = CHARTER | {"points": CHARTER["points"] | {"transfer": "anyone", "transfer_most_per_day": 300}}
CHARTERS = {"plain": CHARTER, "rich": RICH, "rolling": ROLLING, "transfers": OPEN}
GOODS = [("A1", "护肤/面霜"), ("B1", "彩妆/口红"), ("C1", "男士")]


def events(seed: int) -> list[dict]:
    """Half a year of three members: what shops send, and what they should not."""
    rng = random.Random(seed)
    members = ["ann", "bo", "cy"]

    def at(days: float) -> str:
        # Many things happen at the same moment: whole hours of few days.
        return (BEGIN + timedelta(days=int(days), hours=rng.choice([0, 1, 1, 5]))).isoformat()

    found: list[dict] = [{"at": BEGIN.isoformat(), "event": "join", "member": m} for m in members]
    if rng.random() < 0.5:
        found[0]["birthday"] = "03-08"
    orders: list[tuple[str, float, float]] = []
    for n in range(rng.randint(2, 12)):
        day, paid = rng.uniform(1, 170), rng.choice([0.05, 19.9, 88.0, 150.0, 320.5, 999.99])
        order = {"at": at(day), "event": "order", "member": rng.choice(members), "order": f"T{n}", "paid": paid}
        if rng.random() < 0.7:
            parts = [round(paid / 3, 2), round(paid - round(paid / 3, 2), 2)]
            order["lines"] = [
                {"amount": a, "product": p, "category": c, "quantity": rng.choice([1, 2, 0.5])}
                for a, (p, c) in zip(parts, rng.sample(GOODS, 2), strict=True)
            ]
        if rng.random() < 0.3:
            order |= {"freight": 6, "discount": rng.choice([0, 12.5])}
        if rng.random() < 0.5:
            order["done"] = at(day + 4)
        found.append(order)
        orders.append((f"T{n}", day, paid))
    for n, (order_, day, paid) in enumerate(orders):
        for i in range(rng.choice([0, 0, 1, 2])):
            back = {"at": at(day + rng.uniform(1, 40)), "event": "return", "order": order_, "id": f"R{n}-{i}"}
            found.append(
                back
                | ({"whole": True} if rng.random() < 0.3 else {"amount": round(paid * rng.choice([0.2, 0.5, 1]), 2)})
            )
    for n in range(rng.randint(0, 8)):
        day, who = rng.uniform(5, 178), rng.choice(members)
        kind = rng.choice(
            ["redeem", "adjust", "adjust", "hold", "activity", "growth", "tier", "invite", "clock", "transfer", "price"]
        )
        one: dict = {"at": at(day), "event": kind, "member": who, "id": f"{kind}{n}"}
        if kind in ("redeem", "hold"):
            one["points"] = rng.choice([1, 40, 300, 100_000])
            if kind == "hold":
                one["until"] = at(day + 3)
                if rng.random() < 0.6:
                    end = {"at": at(day + rng.choice([0, 1, 4])), "member": who, "hold": one["id"], "id": f"end{n}"}
                    more = (
                        {"event": "capture", "points": rng.choice([1, 30])}
                        if rng.random() < 0.5
                        else {"event": "release"}
                    )
                    found.append(end | more)
            elif rng.random() < 0.6:
                found.append({"at": at(day + 2), "event": "give_back", "member": who, "redeem": one["id"], "points": rng.choice([1, 30]), "id": f"back{n}"})  # fmt: skip
        elif kind == "adjust":
            one["points"] = rng.choice([-30, 0, 25, 500])
        elif kind == "growth":
            one["points"] = rng.choice([120, -40])
        elif kind == "activity":
            one["activity"] = rng.choice(["check_in", "referral", "nothing"])
        elif kind in ("tier", "invite"):
            one |= {"tier": rng.choice(["gold", "gold", "no_such"])}
            del one["id"]
            if kind == "tier":
                one["until"] = at(day + 30)
        elif kind == "transfer":
            one |= {"to": rng.choice(members), "points": rng.choice([5, 250, 9999])}
        elif kind == "price":
            one = {
                "at": one["at"],
                "event": "price",
                "member": who,
                "basket": {"lines": [{"price_minor": 9900, "quantity": 2}]},
            }
        else:
            one = {"at": one["at"], "event": "clock"}
        found.append(one)
    rng.shuffle(found)  # the order of the file does not matter
    return found


def both(merchant_free_charter: dict, told: list[dict], until: datetime | None) -> tuple[dict, dict]:
    charter = document.from_plain(merchant_free_charter)
    text = [json.dumps(e, ensure_ascii=False) for e in told]
    lines = reading.read(text, ZONE, charter.currency)
    since = BEGIN - timedelta(days=1)
    engine = Replay(Versions([(since, Terms(charter, ZONE, 1))]))
    alone = engine.run(lines, until)
    merchant = open_shop(charter=charter, since=since, zone="Asia/Shanghai", lines=lines, now=since)
    books = Books(merchant, charter).run(lines, until)
    return report(lines, alone, engine), report(lines, books, engine)


@pytest.mark.parametrize("name", CHARTERS)
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_books_print_what_the_engine_prints(name, seed):
    from django.db import transaction

    with transaction.atomic():
        alone, books = both(CHARTERS[name], events(seed), BEGIN + timedelta(days=200))
        transaction.set_rollback(True)
    assert alone["events"] == books["events"]
    assert alone["by_the_clock"] == books["by_the_clock"]
    assert alone == books


def test_the_law_would_notice(monkeypatch):
    """The harness itself: an engine that forgets one kind of event prints something else."""
    told = [
        {"at": "2026-01-02", "event": "join", "member": "ann"},
        {"at": "2026-01-03", "event": "order", "member": "ann", "order": "1", "paid": 100},
        {"at": "2026-01-20", "event": "redeem", "member": "ann", "points": 10, "id": "r"},
    ]
    alone, books = both(CHARTER, told, BEGIN + timedelta(days=60))
    assert alone == books
    assert alone["members"]["ann"]["available"] == 100 + 20 - 10
    told[2]["points"] = 11
    other, _ = both(CHARTER, told, BEGIN + timedelta(days=60))
    assert other != books
