"""A basket of 20 lines under 100 live rules, priced in-process; beside a till that applies every rule it can, in order.

Ten kinds of baskets over a shop with tier prices, offers in exclusivity groups, ladders, buy-n-get-one, coupons and
points. The peer makes no search and gives no reasons: each rule in turn, the first of a group wins. The ratio says what
the best combination and the explanations cost; "saved" says what they bring.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms
from shuke.engine.checkout import MOST, Asks, Basket, Coupon, Holdings, Line, price
from shuke.engine.checkout.moves import State, off
from shuke.engine.checkout.pricing import _coupons, _live
from shuke.engine.checkout.reasons import Reason
from shuke.engine.checkout.rules import rules_of

NOW = datetime(2026, 6, 8, 4, tzinfo=UTC)
ROUNDS = 400


def named(key: str) -> dict:
    return {"key": key, "name": {"zh": key, "en": key}}


def shop() -> Terms:
    """10 tier prices, 60 offers (24 of them in 6 groups), 30 coupon templates; every one of them live."""
    dice = random.Random(7)
    goods = [{"products": [f"P{i}" for i in range(n * 3, n * 3 + 9)]} for n in range(10)]
    goods += [{"categories": [f"C{n}"]} for n in range(6)] + [{}, {}]
    prices = [
        named(f"price{i}") | {"percent": dice.choice([3, 5, 8]), "when": goods[i] | {"tiers": ["gold"]}}
        for i in range(10)
    ]
    offers: list[dict] = []
    for i in range(60):
        kind = ["percent", "amount", "ladder", "buy_get", "off_each", "price"][i % 6]
        more: dict = {
            "percent": {"percent": dice.choice([5, 10, 15])},
            "amount": {"amount": dice.randint(3, 12)},
            "ladder": {"rungs": [{"at_least": 100, "off": 8}, {"at_least": 300, "off": 30}]},
            "buy_get": {"buy": 2, "get": 1},
            "off_each": {"amount": 0.5},
            "price": {"amount": dice.randint(15, 40)},
        }[kind]
        where = dict(dice.choice(goods))
        if i % 5 == 0:
            where["min_amount"] = dice.choice([50, 120, 260])
        if i % 4 == 0:
            more = more | {"group": f"g{i // 4 % 6}"}
        offers.append(named(f"offer{i}") | {"kind": kind, "when": where} | more)
    coupons = [
        named(f"coupon{i}")
        | ({"kind": "amount", "amount": 5 + i} if i % 2 else {"kind": "percent", "percent": 5 + i % 10, "cap": 40})
        | {"when": {"min_amount": 20 + 5 * i}}
        for i in range(30)
    ]
    return Terms(
        document.from_plain(
            {
                "name": {"zh": "店", "en": "shop"},
                "currency": "CNY",
                "tiers": [named("member"), named("gold") | {"reach": {"measure": "amount", "at_least": 100}}],
                "selling": {"prices": prices, "offers": offers, "coupons": coupons, "points": {}, "most_coupons": 2},
            }
        ),
        ZoneInfo("Asia/Shanghai"),
        1,
    )


def baskets() -> list[Basket]:
    dice = random.Random(11)
    asks = Asks((), MOST, 0, True)
    return [
        Basket(
            "CNY",
            tuple(
                Line(
                    str(i),
                    dice.randint(500, 9000) * n,
                    n * 1000,
                    0,
                    f"P{dice.randrange(40)}",
                    f"C{dice.randrange(8)}/x",
                )
                for i, n in enumerate(dice.choices([1, 1, 2, 3], k=20))
            ),
            "XH",
            asks=asks,
        )
        for _ in range(10)
    ]


def naive(terms: Terms, basket: Basket, holdings: Holdings) -> int:
    rules = rules_of(terms)
    moves: list = []
    for step in ("tier_price", "offers"):
        _live(rules, step, basket, holdings, NOW, moves, [])
    _coupons(rules, basket, holdings, NOW, moves, [])
    state, groups, coupons, saved = State([x.amount for x in basket.lines], [0] * 20), set(), 0, 0
    for move in moves:
        if move.rule.group in groups or (move.rule.step == "coupons" and coupons == 2):
            continue
        shares = off(move, state, basket.lines)
        if isinstance(shares, Reason):
            continue
        saved += state.take(move, shares)
        coupons += move.rule.step == "coupons"
        if move.rule.group:
            groups.add(move.rule.group)
    return saved


def main() -> None:
    terms, tills = shop(), baskets()
    holdings = Holdings("gold", 5000, coupons=tuple(Coupon(f"c{i}", f"coupon{i}") for i in range(30)))
    ours, busy, theirs, saved, plain, exact = [], [], [], 0, 0, 0
    for n in range(ROUNDS):
        basket = tills[n % 10]
        start, cpu = time.perf_counter(), time.process_time()
        priced = price(terms, basket, holdings, NOW)
        middle = time.perf_counter()
        busy.append(time.process_time() - cpu)
        least = naive(terms, basket, holdings)
        end = time.perf_counter()
        ours.append(middle - start)
        theirs.append(end - middle)
        saved, plain, exact = saved + priced.discount, plain + least, exact + priced.search.exact
    ours.sort()
    theirs.sort()
    busy.sort()
    p50, p95 = ours[ROUNDS // 2] * 1e3, ours[ROUNDS * 95 // 100] * 1e3
    peer = theirs[ROUNDS // 2] * 1e3
    print(
        f"priced      p50 {p50:6.2f} ms   p95 {p95:6.2f} ms   (bar: p95 under 10 ms; processor {busy[ROUNDS * 95 // 100] * 1e3:.2f})   exact in {exact / ROUNDS:.0%}"
    )
    print(
        f"naive peer  p50 {peer:6.2f} ms   ratio {peer / p50:.2f}   ours saves {saved / plain - 1:+.1%} more for the member"
    )
    print(
        f"search steps at most {terms.charter.selling.effort}, kinds applied {len(priced.applied)} of {10 + 60 + 30} live rules"
    )


if __name__ == "__main__":
    main()
