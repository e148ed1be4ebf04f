"""Random lists of events for replay: half a year of a few members, with what shops send and what they should not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.loyalty.books import CHARTER
from tests.loyalty.test_rich_charter import RICH, ROLLING

BEGIN = datetime(2026, 1, 1, 4, tzinfo=UTC)
GOODS = [("A1", "护肤/面霜"), ("B1", "彩妆/口红"), ("C1", "男士")]


def name(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


SELLING = {
    "prices": [{"key": "gold_price", "name": name("金卡价"), "percent": 5, "when": {"tiers": ["gold"]}}],
    "offers": [
        {"key": "full", "name": name("满减"), "kind": "ladder", "rungs": [{"at_least": 200, "off": 20}]},
        {"key": "third", "name": name("三免一"), "kind": "buy_get", "buy": 2, "get": 1, "when": {"categories": ["彩妆"]}},
    ],
    "coupons": [
        {"key": "ten", "name": name("十元"), "kind": "amount", "amount": 10, "valid": {"days": 20}, "claim": True,
         "limits": {"per_member": 3, "per_order": 2}},
        {"key": "tenth", "name": name("九折"), "kind": "percent", "percent": 10, "limits": {"budget": 60, "issued": 5},
         "returned_grace_days": 0, "valid": {"after_days": 1, "days": 30}},
        {"key": "spring", "name": name("春"), "kind": "amount", "amount": 5, "returned": "keep",
         "valid": {"until_date": "2026-03-31"}, "alone": True},
    ],
    "points": {"share": 60, "step": 10, "worth": "0.05"},
    "most_coupons": 3,
}  # fmt: skip
STORED = {
    "ladder": [{"at_least": 100, "bonus": 10}, {"at_least": 300, "percent": 12}], "order": "proportion", "bonus_months": 2,
    "least": 5, "most_balance": 800, "returned_grace_days": 9,
    "cards": {"months": 2, "most": 300},
}  # fmt: skip
REFERRAL = {
    "friend": {"points": 30, "coupon": "ten"},
    "steps": [
        {"at_least": 1, "points": 50, "growth": 20},
        {"at_least": 2, "points": 80, "coupon": "tenth", "honour": name("星")},
    ],
    "join_days": 40, "order_days": 60, "pending_days": 10, "min_amount": 20, "budget": 150, "caps": {"per_month": 1},
    "watch": {"rush": 3, "rush_days": 3, "once_only": None},
}  # fmt: skip
TILL = CHARTER | {
    "points": CHARTER["points"] | {"transfer": "anyone"},
    "selling": SELLING,
    "stored": STORED,
    "referral": REFERRAL,
}
FULL = RICH | {
    "selling": SELLING | {"back_to": ["stored_value", "points"], "rounding": "line"},
    "stored": STORED | {"order": "bonus_first"},
    "referral": REFERRAL | {"order": "any", "on_refund": "keep", "budget": None, "caps": {}},
}  # fmt: skip
FOLLOW = ROLLING | {"selling": SELLING, "stored": STORED | {"order": "principal_first"}, "referral": REFERRAL}
RIGHTS = {
    "benefits": [
        {"key": "wrap", "name": name("包装"), "kind": "gift_wrap", "per": "month", "cost": 2.5,
         "grants": [{"tiers": ["gold"], "times": 3}, {"times": 1}]},
        {"key": "parking", "name": name("停车"), "kind": "parking", "per": "quarter", "on_tier_change": "prorate",
         "grants": [{"tiers": ["gold"], "times": 4}, {"times": 1}], "when": {"stores": ["main"]}},
        {"key": "cake", "name": name("生日礼"), "kind": "birthday_gift", "per": "year", "when": {"birthday": "month"},
         "grants": [{"times": 1}]},
        {"key": "day", "name": name("会员日"), "kind": "member_day", "when": {"month_days": [8]}},
        {"key": "wedding", "name": name("纪念日"), "kind": "special_day_gift", "per": "year", "grants": [{"times": 2}],
         "when": {"special_days": ["wedding", "child"], "before": 5, "after": 5}},
        {"key": "feast", "name": name("节日"), "kind": "gift_wrap", "per": "month", "grants": [{"times": 1}],
         "when": {"days": [{"festival": "spring_festival", "before": 9, "after": 9}, {"nth": 1, "weekday": 6}, {"month_day": 8}]}},
    ],
    "plans": [
        {"key": "ladder", "name": name("满赠"), "per": "quarter", "steps": [
            {"at_least": 150, "name": name("小礼"), "points": 15, "cost": 3}, {"at_least": 600, "name": name("大礼"), "cost": 20}]},
        {"key": "five", "name": name("买四赠一"), "counts": "pieces", "of": {"categories": ["彩妆"]}, "repeat": True, "per": "lifetime",
         "steps": [{"at_least": 2, "name": name("赠一"), "points": 9}]},
        {"key": "often", "name": name("常客"), "counts": "orders", "per": "month", "steps": [{"at_least": 2, "name": name("礼"), "points": 5}]},
    ],
    "undo_minutes": 60,
}  # fmt: skip
RULED = TILL | {"points": CHARTER["points"] | {"transfer": "family", "transfer_most_per_day": 250}, "rights": RIGHTS, "selling": SELLING | {"coupons": [
    *SELLING["coupons"],
    {"key": "born", "name": name("生日"), "kind": "amount", "amount": 8, "valid": {"days": 9},
     "issue": [{"on": "birthday", "days": 2}, {"on": "birthday", "tiers": ["gold"]}]},
    {"key": "hello", "name": name("新客"), "kind": "amount", "amount": 3, "limits": {"issued": 6},
     "issue": [{"on": "joined"}, {"on": "first_purchase"}]},
    {"key": "up", "name": name("升级"), "kind": "percent", "percent": 5, "issue": [{"on": "tier_up", "count": 2}],
     "limits": {"per_member": 3, "per_order": 2}, "valid": {"days": 30}},
    {"key": "back", "name": name("回来"), "kind": "amount", "amount": 6, "limits": {"per_member": 2},
     "issue": [{"on": "win_back", "days": 20}, {"on": "complaint"}]},
    {"key": "shared", "name": name("口令"), "kind": "amount", "amount": 4, "codes": "shared",
     "limits": {"per_member": 2, "issued": 3}},
    {"key": "unique", "name": name("券码"), "kind": "amount", "amount": 9, "codes": "unique", "valid": {"days": 40}},
]}}  # fmt: skip
OPEN = CHARTER | {"points": CHARTER["points"] | {"transfer": "anyone", "transfer_most_per_day": 300}}
CHARTERS = {
    "plain": CHARTER, "rich": RICH, "rolling": ROLLING, "transfers": OPEN, "till": TILL, "full": FULL, "follow": FOLLOW,
    "ruled": RULED,
}  # fmt: skip
DRAW = {
    "name": name("抽奖"), "opens_at": "2026-02-01T00:00:00+08:00", "closes_at": "2026-05-01T00:00:00+08:00",
    "prizes": [
        {"key": "points", "name": name("积分"), "odds": "1/3", "stock": 2, "when_gone": "cup", "points": 40},
        {"key": "coupon", "name": name("券"), "odds": "1/4", "coupon": "ten"},
        {"key": "cup", "name": name("杯"), "odds": "1/5", "stock": 2},
    ],
    "ways": {"points": 20, "order": {"min_minor": 5000, "after_days": 3}, "activity": "check_in", "given": True},
    "limits": {"per_member": 5, "per_day": 2},
}  # fmt: skip


class Story:
    """Collects the events of one list."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.members = ["ann", "bo", "cy", "di"]
        self.found: list[dict[str, Any]] = []
        self.orders: list[tuple[str, float, float, int]] = []  # number, day, paid, lines
        self.since: dict[str, float] = {}  # when those joined who were not there from the beginning
        self.n = 0

    def at(self, days: float) -> str:
        # Many things happen at the same moment: whole hours of few days.
        return (BEGIN + timedelta(days=int(days), hours=self.rng.choice([0, 1, 1, 5]))).isoformat()

    def fresh(self, kind: str) -> str:
        self.n += 1
        return f"{kind}{self.n}"

    def add(self, days: float, /, event: str, **fields: Any) -> dict[str, Any]:
        one = {"at": self.at(days), "event": event, **fields}
        self.found.append(one)
        return one

    def shown(self) -> list[str]:
        """Codes at the till: of those there are by now, wherever in the list they are made, or guessed."""
        made = [code for e in self.found if e["event"] == "coupon_codes" for code in e["codes"]]
        return self.rng.sample([*made, "GUESSED", "GUESSED-2"], self.rng.choice([1, 1, 2]))

    def day(self) -> float:
        return self.rng.uniform(1, 170)

    def who(self) -> str:
        """One of those who were there from the beginning."""
        return self.rng.choice(self.members[:4])


def events(seed: int, *, shelves: bool = False) -> list[dict[str, Any]]:
    """`shelves`: with coupons, stored value, gifts, draws and referrals, which only some charters have."""
    story = Story(seed)
    rng = story.rng
    for place, member in enumerate(story.members):
        story.found.append(
            {"at": (BEGIN + timedelta(hours=9 * (place // 2))).isoformat(), "event": "join", "member": member}
        )
    if rng.random() < 0.5:
        story.found[0]["birthday"] = rng.choice(["03-08", "L01-15"])
    for n in range(rng.randint(2, 10)):
        _order(story, f"T{n}", priced=shelves and rng.random() < 0.5)
    for order, day, paid, lines in story.orders:
        for _ in range(rng.choice([0, 0, 1, 2])):
            _return(story, order, day, paid, lines)
    if shelves:  # something to begin with
        for member in story.members:
            story.add(1, "opening", member=member, points=rng.choice([40, 300]), id=story.fresh("o"))
    kinds = [*POINTS] + ([*SHELVES] * 2 if shelves else [])
    for _ in range(rng.randint(2, 18 if shelves else 8)):
        kind = rng.choice(kinds)
        kind(story)
    if shelves:
        story.add(
            rng.uniform(1, 60),
            "gift_offer",
            gift="mug",
            points=rng.choice([20, 60]),
            stock=3,
            per_member=2,
            hold_days=4,
        )
        story.add(
            1, "gift_offer", gift="ticket", points=30, kind="coupon", template=rng.choice(["tenth", "spring", "none"])
        )
        story.add(1, "draw_offer", draw="wheel", terms=DRAW, seed=f"{rng.getrandbits(256):064x}")
        story.found = _ordered(story.found)
    rng.shuffle(story.found)  # the order of the file does not matter
    return story.found


def _ordered(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gifts and tickets are asked for after they are offered: else the list is refused."""
    offers = {e.get("gift") or e.get("draw"): e["at"] for e in found if e["event"].endswith("_offer")}
    return [
        e
        for e in found
        if e["event"] not in ("gift", "draw") or offers.get(e.get("gift") or e.get("draw"), "9") <= e["at"]
    ]


def _order(story: Story, number: str, *, priced: bool) -> None:
    rng = story.rng
    day, paid = story.day(), rng.choice([0.05, 19.9, 88.0, 150.0, 320.5, 999.99])
    one = story.add(day, "order", member=story.who(), order=number, paid=paid)
    parts = [round(paid / 3, 2), round(paid - round(paid / 3, 2), 2)]
    lines = [
        {"amount": a, "product": p, "category": c, "quantity": rng.choice([1, 2, 3, 0.5])}
        for a, (p, c) in zip(parts, rng.sample(GOODS, 2), strict=True)
    ]
    if priced:
        del one["paid"]
        one |= {"lines": lines, "tenders": {
            "points": rng.choice([0, 30, 100, "most"]), "stored_value": rng.choice([0, 20, "most"]),
            "coupons": rng.sample(COUPONS, rng.choice([0, 1, 2])), "best": rng.random() < 0.4,
        }}  # fmt: skip
        if rng.random() < 0.3:
            one["tenders"]["codes"] = story.shown()
        if rng.random() < 0.1:
            one["paid"] = 1.23
    elif rng.random() < 0.7:
        one["lines"] = lines
    if rng.random() < 0.3:
        one |= {"freight": 6} | ({} if priced else {"discount": rng.choice([0, 12.5])})
    if rng.random() < 0.5:
        one["done"] = story.at(day + 4)
    story.orders.append((number, day, paid, len(one.get("lines", ()))))


def _return(story: Story, order: str, day: float, paid: float, lines: int) -> None:
    rng = story.rng
    back = story.add(day + rng.uniform(1, 40), "return", order=order, id=story.fresh("R"))
    way = rng.random()
    if way < 0.25:
        back["whole"] = True
    elif way < 0.6 and lines:
        back["lines"] = [{"line": rng.randint(1, lines), "quantity": rng.choice([0.25, 0.5, 1, 2])}]
    else:
        back["amount"] = round(paid * rng.choice([0.2, 0.5, 1]), 2)


# Coupons that lists name: of these some are never issued.
COUPONS = ["c1", "c2", "c3", "c4-1", "c4-2", "referral-1", "gift-1", "draw-1", "joined-1", "tier_up-1"]


def _redeem(story: Story) -> None:
    rng, day, who = story.rng, story.rng.uniform(5, 178), story.who()
    one = story.add(day, "redeem", member=who, id=story.fresh("r"), points=rng.choice([1, 40, 300, 100_000]))
    if rng.random() < 0.6:
        story.add(day + 2, "give_back", member=who, redeem=one["id"], points=rng.choice([1, 30]), id=story.fresh("b"))


def _hold(story: Story) -> None:
    rng, day, who = story.rng, story.rng.uniform(5, 178), story.who()
    one = story.add(
        day, "hold", member=who, id=story.fresh("h"), points=rng.choice([1, 40, 300]), until=story.at(day + 3)
    )
    if rng.random() < 0.6:
        more = {"event": "capture", "points": rng.choice([1, 30])} if rng.random() < 0.5 else {"event": "release"}
        story.add(day + rng.choice([0, 1, 4]), member=who, hold=one["id"], id=story.fresh("e"), **more)


def _by_hand(story: Story) -> None:
    rng, who = story.rng, story.who()
    kind = rng.choice(["adjust", "adjust", "growth", "activity", "tier", "invite", "opening", "reinstate", "transfer"])
    day = rng.uniform(5, 178)
    one = story.add(day, kind, member=who)
    if kind in ("tier", "invite"):
        one["tier"] = rng.choice(["gold", "gold", "no_such"])
        if kind == "tier":
            one["until"] = story.at(rng.uniform(100, 200))
        return
    one["id"] = story.fresh("x")
    if kind == "activity":
        one["activity"] = rng.choice(["check_in", "check_in", "referral", "nothing"])
        _taken_back(story, day, one)
        return
    one["points"] = rng.choice(
        {"adjust": [-30, 0, 25, 500], "growth": [120, -40], "reinstate": [1, 40]}.get(kind, [5, 250])
    )
    if kind == "transfer":
        one["to"] = story.who()


def _taken_back(story: Story, day: float, one: dict[str, Any]) -> None:
    """Noted by mistake: taken back, now and then twice, or from another member."""
    rng = random.Random(one["at"])  # of its own: the other events stay what they were
    for n in range(rng.choice([0, 0, 1, 1, 2])):
        whose = one["member"] if rng.random() < 0.9 else story.members[rng.randrange(4)]
        day += rng.choice([0, 0.1, 5, 60])
        story.add(day, "activity_undo", member=whose, told=one["id"], id=f"{one['id']}-undone-{n}")


def _clock(story: Story) -> None:
    story.add(story.rng.uniform(5, 178), "clock")


def _membership(story: Story) -> None:
    who, day = story.who(), story.rng.uniform(5, 150)
    one = story.add(day, "membership", member=who, membership=story.rng.choice(["plus", "none"]), id=story.fresh("m"))
    if story.rng.random() < 0.5:
        story.add(day + 9, "membership_end", member=who, membership=one["id"], id=story.fresh("m"))


def _price(story: Story) -> None:
    asks = {"points": story.rng.choice([0, 50]), "stored_value_minor": story.rng.choice([0, "most"])}
    if story.rng.random() < 0.5:
        asks |= {"coupons": story.rng.sample(COUPONS, 2), "best": story.rng.random() < 0.5}
    basket = {"lines": [{"price_minor": 9900, "quantity": 2, "sku": "B1", "category": "彩妆/口红"}], "asks": asks}
    story.add(story.rng.uniform(5, 178), "price", basket=basket, member=story.who())


def _coupon(story: Story) -> None:
    rng, day, who = story.rng, story.rng.uniform(1, 150), story.who()
    template = rng.choice(["ten", "ten", "tenth", "spring", "none"])
    wanted = rng.choice(["c1", "c2", "c3", "c4"])
    if any(e.get("id") == wanted for e in story.found):
        wanted = story.fresh("k")
    if rng.random() < 0.3:
        story.add(day, "coupon_claim", member=who, template=template, id=wanted)
    else:
        story.add(
            day,
            "coupon_issue",
            member=who,
            template=template,
            id=wanted,
            count=2 if wanted == "c4" else rng.choice([1, 1, 4]),
        )
    coupon = f"{wanted}-1" if wanted == "c4" else wanted
    if rng.random() < 0.5:
        basket = {
            "lines": [{"price_minor": rng.choice([900, 9900]), "sku": "A1", "category": "护肤/面霜"}],
            "asks": {"points": rng.choice([0, 20])},
        }
        story.add(
            day + rng.uniform(0, 40),
            "coupon_redeem",
            member=rng.choice([who, who, who, story.who()]),
            coupon=coupon,
            basket=basket,
            id=story.fresh("u"),
        )
    if rng.random() < 0.3:
        story.add(day + rng.uniform(0, 30), "coupon_void", coupon=coupon)


def _coupon_order(story: Story) -> None:
    """A coupon that is used on an order of the same member, which may come back."""
    rng, day, who = story.rng, story.rng.uniform(1, 60), story.who()
    coupon, order = story.fresh("k"), story.fresh("U")
    story.add(day, "coupon_issue", member=who, template=rng.choice(["ten", "tenth", "spring"]), id=coupon)
    lines = [
        {"amount": rng.choice([30, 99.99]), "product": p, "category": c, "quantity": rng.choice([1, 2])}
        for p, c in GOODS[: rng.choice([1, 2])]
    ]
    tenders = {
        "coupons": [coupon],
        "points": rng.choice([0, 50, "most"]),
        "stored_value": rng.choice([0, 10, "most"]),
    }
    when = day + rng.uniform(1, 12)
    story.add(when, "order", member=who, order=order, lines=lines, tenders=tenders)
    for _ in range(rng.choice([0, 1, 1, 2])):
        _return(story, order, when, lines[0]["amount"], len(lines))


def _friend(story: Story) -> None:
    """Somebody new is brought, buys, and may give it back."""
    rng, who, day = story.rng, story.fresh("new"), story.rng.uniform(2, 90)
    at = story.add(day, "join", member=who)["at"]
    story.members.append(who)
    story.since[who] = day
    story.found.append({"at": at, "event": "referral", "member": who, "by": story.members[rng.choice([0, 0, 1])]})
    order = story.fresh("F")
    story.add(day + 1, "order", member=who, order=order, paid=rng.choice([10, 60, 300]))
    for _ in range(rng.choice([0, 0, 1, 2])):
        _return(story, order, day + 1 + rng.choice([0, 20]), 60, 0)


def _value(story: Story) -> None:
    rng, day, who = story.rng, story.rng.uniform(1, 120), story.who()
    story.add(day, "top_up", member=who, amount=rng.choice([2, 50, 100, 333.33, 500]), id=story.fresh("t"))
    if rng.random() < 0.7:
        one = story.add(
            day + rng.uniform(0, 70),
            "spend_value",
            member=who,
            amount=rng.choice([0.01, 33.33, 110]),
            id=story.fresh("s"),
        )
        if rng.random() < 0.6:
            story.add(
                day + 72,
                "give_back_value",
                member=who,
                spend=one["id"],
                amount=rng.choice([0.01, 11.11, 33.33]),
                id=story.fresh("g"),
            )
    if rng.random() < 0.3:
        story.add(
            day + rng.uniform(0, 90), "pay_out_value", member=who, amount=rng.choice([10, 400]), id=story.fresh("p")
        )


def _gift(story: Story) -> None:
    rng, day = story.rng, story.rng.uniform(20, 160)
    one = story.add(
        day,
        "gift",
        member=story.who(),
        gift=rng.choice(["mug", "mug", "ticket"]),
        id=story.fresh("gift"),
        count=rng.choice([1, 1, 2]),
    )
    if rng.random() < 0.5:
        one["wait"] = True
        if rng.random() < 0.7:
            story.add(day + rng.choice([0, 2, 6]), rng.choice(["gift_hand_over", "gift_cancel"]), taken=one["id"])
    if rng.random() < 0.4:
        story.add(day + 8, "gift_return", taken=one["id"], id=story.fresh("gr"))


def _draw(story: Story) -> None:
    way = story.rng.choice(["points", "points", "order", "activity", "given", "none"])
    story.add(
        story.rng.uniform(30, 125),
        "draw",
        member=story.who(),
        draw="wheel",
        id=story.fresh("d"),
        way=way,
        word=story.rng.choice(["", "", "luck", "12345678"]),
    )


def _codes(story: Story) -> None:
    """Codes of a batch, or one that all share; claimed, once too often, or guessed."""
    rng, day = story.rng, story.rng.uniform(1, 100)
    mine = [f"CODE-{story.fresh('x')}" for _ in range(rng.choice([1, 2]))]
    story.add(day, "coupon_codes", template=rng.choice(["unique", "unique", "shared", "ten", "none"]), codes=mine)
    for _ in range(rng.choice([1, 2, 3])):
        code = rng.choice([*mine, mine[0].lower(), "GUESSED"])
        story.add(day + rng.uniform(0, 45), "coupon_claim", member=story.who(), code=code, id=story.fresh("q"))
    if rng.random() < 0.7:
        _shown_codes(story, mine, day)
    if rng.random() < 0.2:
        at = story.add(day, "clock")["at"]
        story.found += [
            {"at": at, "event": "coupon_claim", "member": "ann", "code": "GUESSED", "id": story.fresh("q")}
            for _ in range(11)
        ]


def _shown_codes(story: Story, mine: list[str], day: float) -> None:
    """At the till, before or after somebody claimed them; what they paid for comes back, and they are claimed again."""
    rng = story.rng
    for _ in range(rng.choice([1, 2, 3])):
        when, who, code = day + rng.uniform(0, 45), story.who(), rng.choice([*mine * 3, "GUESSED"])
        lines = [{"amount": rng.choice([30, 99.99]), "product": p, "category": c} for p, c in GOODS[:1]]
        basket = {"lines": [{"price_minor": 4500, "sku": "A1"}], "asks": {"points": rng.choice([0, 20])}}
        what = rng.choice(["order", "order", "price", "coupon_redeem"])
        if what == "order":
            order = story.fresh("S")
            tenders = {"codes": list(dict.fromkeys([code, rng.choice(mine)])), "best": rng.random() < 0.3}
            story.add(when, what, member=who, order=order, lines=lines, tenders=tenders)
            if rng.random() < 0.6:
                _return(story, order, when, lines[0]["amount"], 1)
                story.add(when + 20, "coupon_claim", member=story.who(), code=code, id=story.fresh("q"))
        elif what == "price":
            story.add(when, what, member=who, basket=basket, codes=[code.lower()])
        else:
            story.add(when, what, member=who, basket=basket, code=code, id=story.fresh("u"))


def _benefit(story: Story) -> None:
    rng, day, who = story.rng, story.rng.uniform(2, 160), story.who()
    for _ in range(rng.choice([1, 1, 2, 3])):
        key = rng.choice(
            [
                "wrap",
                "wrap",
                "parking",
                "cake",
                "day",
                "feast",
                "none",
                "ladder.0",
                "ladder.1",
                "five.0",
                "often.0",
                "often.7",
            ]
        )
        day += rng.choice([0, 0, 5])
        one = story.add(day, "benefit", member=who, benefit=key, id=story.fresh("n"))
        if rng.random() < 0.3:
            one["store"] = "other"
        if rng.random() < 0.4:
            story.add(day + rng.choice([0, 1]), "benefit_undo", handed=one["id"], late=rng.random() < 0.5)


def _plan(story: Story) -> None:
    """Steps of plans are claimed after buying, again after some of it came back, and taken back."""
    rng, day, who = story.rng, story.rng.uniform(2, 120), story.who()
    for n in range(rng.choice([1, 2])):
        paid, order = rng.choice([19.9, 320.5, 999.99]), story.fresh("P")
        lines = [
            {"amount": a, "product": p, "category": c, "quantity": rng.choice([1, 3])}
            for a, (p, c) in zip((round(paid / 3, 2), round(paid - round(paid / 3, 2), 2)), rng.sample(GOODS, 2), strict=True)
        ]  # fmt: skip
        story.add(day + n, "order", member=who, order=order, paid=paid, lines=lines)
        if rng.random() < 0.5:
            _return(story, order, day + n, paid, 2)
    for _ in range(rng.choice([1, 2, 3])):
        key = rng.choice(["ladder.0", "ladder.1", "five.0", "five.0", "often.0"])
        one = story.add(day + rng.choice([2, 3, 30]), "benefit", member=who, benefit=key, id=story.fresh("n"))
        if rng.random() < 0.3:
            story.add(day + rng.choice([2, 3, 31]), "benefit_undo", handed=one["id"], late=True)


def _special(story: Story) -> None:
    """Days of a member's life are told, or taken back, and what is given around them is asked for."""
    rng, day, who = story.rng, story.rng.uniform(2, 160), story.who()
    on = BEGIN + timedelta(days=day + rng.choice([-4, 0, 3, 30]))
    days = [f"{rng.choice(['wedding', 'child', 'other'])} {on:%m-%d}", "child L01-15"]
    story.add(day, "special_days", member=who, days=rng.choice([days, days[:1], []]))
    for _ in range(rng.choice([1, 2, 3])):
        story.add(day + rng.choice([0, 1, 2]), "benefit", member=who, benefit="wedding", id=story.fresh("n"))
    if rng.random() < 0.3:
        story.add(day + 1, "special_days", member=who, days=days[1:])


def _family(story: Story) -> None:
    """A family is founded, somebody comes, somebody goes, and its points are spent."""
    rng, day, kin = story.rng, story.rng.uniform(1, 60), story.fresh("kin")
    story.add(day, "family", family=kin, members=[story.who() for _ in range(rng.choice([2, 3, 4]))])
    for _ in range(rng.choice([0, 1, 2])):
        who = rng.choice([*story.members[4:], story.who()])
        when = max(day + rng.uniform(0, 60), story.since.get(who, 0) + 1)
        story.add(when, "family_join", family=rng.choice([kin, kin, kin, "none"]), member=who)
    if rng.random() < 0.4:
        story.add(day + rng.uniform(20, 90), "family_leave", member=story.who())
    for _ in range(rng.choice([1, 2, 3])):
        points = rng.choice([50, 200, 400, 900])
        story.add(day + rng.uniform(0, 90), "redeem", member=story.who(), points=points, id=story.fresh("r"), pool=True)


def _cards(story: Story) -> None:
    """Gift cards: made, sold, spent by whoever has one, at the till too, redeemed, void, renewed."""
    rng, day = story.rng, story.rng.uniform(1, 100)
    cards = [f"CARD-{story.fresh('y')}" for _ in range(rng.choice([1, 2]))]
    made = story.add(day, "card_make", cards=cards, amount=rng.choice([50, 120, 120, 250, 250, 400]))
    if rng.random() < 0.25:
        made["price"] = rng.choice([40, 49.99, 500])
    for card in cards:
        if rng.random() < 0.9:
            story.add(day + rng.choice([1, 1, 0]), "card_sell", card=card, id=story.fresh("cs"))
    for _ in range(rng.choice([1, 2, 3])):
        when, card = day + rng.choice([2, 3, 10, 10, 62, 64]), rng.choice([*cards * 4, "CARD-none"])
        what = rng.choice(["order", "order", "card_spend", "card_spend", "card_redeem", "card_void", "card_renew"])
        if what == "order":
            order = story.fresh("C")
            lines = [
                {"amount": rng.choice([30, 99.99]), "product": p, "category": c, "quantity": 2} for p, c in GOODS[:2]
            ]
            tenders = {
                "gift_cards": rng.sample([*cards, "CARD-none"], 2), "points": rng.choice([0, 40]),
                "stored_value": rng.choice([0, 10, "most"]),
            }  # fmt: skip
            story.add(when, "order", member=story.who(), order=order, lines=lines, tenders=tenders)
            for _ in range(rng.choice([0, 1, 2])):
                _return(story, order, when, 60, 2)
        elif what == "card_spend":
            one = story.add(when, what, card=card, amount=rng.choice([0.01, 33.33, 200]), id=story.fresh("cp"))
            if rng.random() < 0.7:
                amount = rng.choice([0.01, 20, 33.33])
                story.add(when + 2, "card_give_back", card=card, spend=one["id"], amount=amount, id=story.fresh("cg"))
        elif what == "card_redeem":
            story.add(when, what, member=story.who(), card=card, id=story.fresh("cr"))
        elif what == "card_void":
            story.add(when, what, card=card, paid_out=rng.random() < 0.5)
        else:
            story.add(when, what, card=card, until=story.at(when + rng.choice([-5, 60])))


def _partner(story: Story) -> None:
    """Spending with a co-branded card: before and after it is somebody's, over the month's limit, given back in parts."""
    rng, day = story.rng, story.rng.uniform(1, 120)
    bank, cards = story.fresh("bank"), ["4321", "8765"]
    first = story.add(day, "partner", partner=bank, points=rng.choice([1, 3]), per=rng.choice([10, 7.5]))
    if rng.random() < 0.6:
        first["month_most"] = rng.choice([8, 30])
    for _ in range(rng.choice([1, 2, 2])):
        who, when = story.who(), day + rng.choice([1, 3, 9])
        story.add(when, "partner_card", member=who, partner=bank, card=rng.choice(cards))
    for _ in range(rng.choice([1, 3, 5])):
        when, card = day + rng.choice([1, 3, 9, 20, 45]), rng.choice(cards)
        amount = rng.choice([9.99, 60, 128.5, 300])
        one = story.add(when, "partner_spend", partner=bank, card=card, amount=amount, id=story.fresh("bs"))
        for _ in range(rng.choice([0, 0, 1, 2])):
            part = rng.choice([amount, 9.99, 30])
            back = story.add(when + rng.choice([0, 2]), "partner_return", partner=bank, card=rng.choice([card, card, "4321"]), amount=part, id=story.fresh("br"))  # fmt: skip
            if rng.random() < 0.6:
                back["spend"] = rng.choice([one["id"], one["id"], "no-such"])


def _complaint(story: Story) -> None:
    story.add(story.rng.uniform(1, 170), "complaint", member=story.who(), id=story.fresh("w"))


def _referral(story: Story) -> None:
    story.add(story.rng.uniform(2, 60), "referral", member=story.who(), by=story.who())


POINTS: tuple[Callable[[Story], None], ...] = (_redeem, _hold, _by_hand, _by_hand, _clock, _membership, _price)
SHELVES: tuple[Callable[[Story], None], ...] = (
    _coupon, _coupon_order, _coupon_order, _value, _gift, _draw, _referral, _friend,
    _codes, _complaint, _benefit, _special, _plan, _family, _cards, _cards, _partner,
)  # fmt: skip
