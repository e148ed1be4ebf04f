"""The books as of any moment are what the engine's replay up to that moment gives, whatever order facts arrived in."""

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from shuke.engine.finance import months
from shuke.engine.ledger.fold import replay
from shuke.kit import clock
from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask
from shuke.loyalty.queries import as_of, books, charters, cohorts, facts
from shuke.orders.models import Order
from tests.loyalty.books import NOW, START, member, order, publish, refund, take

pytestmark = pytest.mark.django_db


def vanish(lan, number: str, now) -> None:
    """The order turns out to count for nothing, as when its import is taken back."""
    found = Order.objects.get(merchant=lan.merchant, number=number)
    Order.objects.filter(pk=found.pk).update(excluded="test")
    actions.settle(merchant=lan.merchant, order_ids=[found.pk], now=now, actor="test")


def lived(lan, seed: int) -> list[int]:
    """Three members with a year of purchases, late and changed and vanished orders, refunds, spends, holds, adjustments."""
    rng = random.Random(seed)
    publish(lan.merchant)
    buyers = [member(lan.merchant, n) for n in (1, 2, 3)]
    orders = [(b, f"{i}-{n}", rng.uniform(0, 330), rng.choice([80, 120, 333, 900])) for i, b in enumerate(buyers) for n in range(7)]  # fmt: skip
    rng.shuffle(orders)
    seen: list[tuple] = []
    for n, (buyer, number, day, yuan) in enumerate(orders):
        take(lan.merchant, buyer, order(number, day, yuan), now=START + timedelta(days=max(day, 200)))
        seen.append((buyer, number, day, yuan))
        who, name, bought, paid = rng.choice(seen)
        at = START + timedelta(days=rng.uniform(200, 380), hours=n)
        match rng.randrange(8):
            case 0:
                take(lan.merchant, who, refund(f"r{n}", name, bought + rng.uniform(0, 20), round(paid * 0.4)))
            case 1:  # the same order, at another time and for another price
                take(lan.merchant, who, order(name, bought + 3, paid + 50, stated_at=at))
            case 2:  # at another time, for the same price: nothing is posted
                take(lan.merchant, who, order(name, bought + 40, paid, stated_at=at))
            case 3 | 4:
                actions.ask(merchant=lan.merchant, asks=[Ask(f"b{n}", "burn", who, 60)], now=at, actor="till")
            case 5:
                actions.ask(merchant=lan.merchant, asks=[Ask(f"a{n}", "adjust", who, rng.choice([40, -25]))], now=at, actor="till")  # fmt: skip
            case 6:
                hold = Ask(f"h{n}", "hold", who, 30, until=at + timedelta(days=9))
                actions.ask(merchant=lan.merchant, asks=[hold], now=at, actor="till")
                if rng.random() < 0.5:
                    actions.ask(merchant=lan.merchant, asks=[Ask(f"c{n}", "capture", who, 20, ref=f"h{n}")], now=at + timedelta(days=2), actor="till")  # fmt: skip
            case 7:
                vanish(lan, name, at)
    actions.run_clock(merchant=lan.merchant, now=NOW)
    return buyers


def folded(lan, buyers, at):
    """The engine's books of each member at a moment, from the facts before it."""
    versions = charters.versions(lan.merchant)
    heads = books.heads(lan.merchant, buyers)
    bought = facts.bought(lan.merchant, versions, member_ids=buyers).events
    asked = facts.requests(lan.merchant, buyers)
    for buyer in buyers:
        told = [e for e in bought.get(buyer, []) + asked.get(buyer, []) if e.at < at]
        yield replay(versions, told, joined_at=heads[buyer].joined_at, birthdays=heads[buyer].birthdays, until=at).books


def midnights(lan, seed: int) -> list:
    """Some midnights, where lots lapse, and some moments in between."""
    rng = random.Random(seed)
    days = [clock.day_start((START + timedelta(days=rng.randrange(5, 500))).date(), lan.merchant.tz) for _ in range(4)]
    ends = [clock.day_start(months.first_day(months.read(text)), lan.merchant.tz) for text in ("2025-07", "2025-11", "2026-02")]  # fmt: skip
    return [*days, *ends, START + timedelta(days=rng.uniform(200, 380)), NOW]


@pytest.mark.parametrize("seed", range(8))
def test_as_of_is_what_a_replay_until_then_gives(lan, seed):
    buyers = lived(lan, seed)
    for at in midnights(lan, seed):
        told = as_of.as_of(lan.merchant, at)
        available = pending = held = debt = 0
        expiries: Counter = Counter()
        for one in folded(lan, buyers, at):
            available += one.available(at)
            pending += one.pending(at)
            debt += one.debt
            for lot in one.lots.values():
                if lot.remaining and lot.expires_at and lot.expires_at > at:
                    held += lot.held
                    last = clock.day_of(lot.expires_at - timedelta(microseconds=1), lan.merchant.tz)
                    expiries[months.label(months.of(last))] += lot.remaining
        assert (told.available, told.pending, told.held, told.debt) == (available, pending, held, debt), at
        assert {part.key: part.points for part in told.by_expiry} == dict(expiries), at
        assert told.differences == {"lots": 0, "debt": 0, "accounts": 0}, at
        for parts in (told.by_age, told.by_tier, told.by_store, told.by_funder):
            assert sum(p.points for p in parts) == told.points
            assert sum(p.money_minor for p in parts) == told.money_minor
    assert queries.verify(lan.merchant).findings == []


@pytest.mark.parametrize("seed", range(3))
def test_a_period_rolls_forward_to_the_point_and_periods_follow_on_each_other(lan, seed):
    lived(lan, seed)
    marks = sorted(midnights(lan, seed))
    before = None
    for since, until in pairwise(marks):
        if since == until:
            continue
        rolled = cohorts.roll_forward(lan.merchant, since, until)
        assert set(rolled.differences.values()) == {0}, rolled
        table = rolled.table
        assert table.opening.points + sum(line.points for line in table.lines) == table.closing.points
        assert table.opening.money_minor + sum(line.money_minor for line in table.lines) == table.closing.money_minor
        if before is not None:
            assert (table.opening.points, table.opening.money_minor, table.owed_before) == before
        before = table.closing.points, table.closing.money_minor, table.owed_after
        told = as_of.as_of(lan.merchant, until)
        assert table.closing.points == told.points + told.lapsed_unbooked
    assert queries.verify(lan.merchant).findings == []


@pytest.mark.parametrize("seed", range(3))
def test_months_of_issue_add_up_to_what_is_open(lan, seed):
    lived(lan, seed)
    for at in midnights(lan, seed):
        told = cohorts.history(lan.merchant, at)
        if told is None:
            continue
        now = as_of.as_of(lan.merchant, at)
        open_points = sum(g.points for g in told.grants) - sum(f.points for f in told.fates)
        assert open_points == now.points + now.lapsed_unbooked
        assert sum(g.micro for g in told.grants) - sum(f.micro for f in told.fates) >= 0


def test_an_order_whose_time_is_corrected_counts_from_its_true_time(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 10, 100))
    take(lan.merchant, buyer, order("a", 50, 100, stated_at=NOW))
    before, after = (as_of.as_of(lan.merchant, START + timedelta(days=day)) for day in (30, 60))
    assert (before.points, before.accounts.get("member", 0)) == (0, 0)
    assert after.points == after.accounts["member"] == 153  # 100 + a third of it again + 20 for the first


def test_points_of_the_last_day_of_a_month_lapse_within_it(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 10, 100))  # 11 January: lapses with the end of April
    actions.run_clock(merchant=lan.merchant, now=NOW)
    april, may = (clock.day_start(months.first_day(months.read(m)), lan.merchant.tz) for m in ("2025-04", "2025-05"))
    rolled = cohorts.roll_forward(lan.merchant, april, may).table
    assert [(line.row, line.points) for line in rolled.lines] == [("expired", -153)]
    assert rolled.closing.points == 0


def test_another_merchants_points_are_not_counted(lan, mingde):
    publish(lan.merchant)
    publish(mingde.merchant)
    take(lan.merchant, member(lan.merchant), order("a", 10, 100))
    found = as_of.as_of(mingde.merchant, START + timedelta(days=60))
    assert (found.points, found.accounts, cohorts.history(mingde.merchant, NOW)) == (0, {}, None)


def test_every_movement_has_its_row(lan):
    publish(lan.merchant)
    buyer = member(lan.merchant)
    take(lan.merchant, buyer, order("a", 10, 100), order("b", 12, 90))  # 153 and 120

    def ask(kind: str, amount: int, day: int, ref: str = "") -> None:
        one = Ask(f"{kind}{day}", kind, buyer, amount, ref=ref)
        assert actions.ask(merchant=lan.merchant, asks=[one], now=START + timedelta(days=day), actor="till")[0].done

    ask("opening", 40, 20)
    ask("burn", 50, 22)
    ask("return", 20, 23, ref="burn22")
    ask("adjust", -10, 24)
    ask("adjust", 7, 25)
    take(lan.merchant, buyer, refund("r", "b", 30, 90))
    table = cohorts.roll_forward(lan.merchant, START, START + timedelta(days=60)).table
    assert {line.row: line.points for line in table.lines} == {
        "issued": 273, "taken_back": -120, "opened": 40, "adjusted": -3, "redeemed": -50, "given_back": 20,
    }  # fmt: skip
    assert table.closing.points == 160
