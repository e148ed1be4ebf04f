"""The last weeks of the made-up shop as its people lived them: a shelf of gifts, lucky draws, coupons, benefits handed out, friends who
brought friends, families, a correction that waits for a second person. So every page of a new shop's console has something to show.

All of it goes through the actions a screen would call, at hours when the counter is open. No order and no member is made up here:
those are what the files say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.db import transaction
from django.db.models import F, Sum

from shuke.engine.charter import document
from shuke.engine.charter.selling import Coupon as Template
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions import benefits, coupons, draws, gift_shelf, gifts, referral
from shuke.loyalty.actions.coupons import Issue
from shuke.loyalty.actions.drafts import begin_draft
from shuke.loyalty.models import Gift, Lot, Wallet
from shuke.loyalty.queries import charters
from shuke.members.models import Member
from shuke.orders.models import Order
from shuke.shops.models import Merchant, Store

OWNER, SPECIALIST, ASSISTANT = "xiaoman.owner", "xiaoman.specialist", "xiaoman.assistant"


def named(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


SHELF: tuple[tuple[str, dict[str, Any]], ...] = (
    ("wipes", {"kind": "goods", "name_zh": "宝宝棉柔巾 6 包", "name_en": "Baby wipes, 6 packs", "points": 600, "cost_minor": 1800,
               "stock": 80, "per_member": 2, "ship": True}),
    ("cleanser", {"kind": "goods", "name_zh": "旅行装洁面乳", "name_en": "Cleanser, travel size", "points": 300, "cost_minor": 900,
                  "stock": 150}),
    ("candle", {"kind": "goods", "name_zh": "限量香薰蜡烛", "name_en": "Scented candle, limited", "points": 800, "cash_minor": 990,
                "cost_minor": 3500, "stock": 4, "per_member": 1, "tiers": ["vip", "supreme"]}),
    ("coupon20", {"kind": "coupon", "name_zh": "新年 20 元券", "name_en": "New Year coupon", "points": 200, "coupon": "new_year"}),
    ("books", {"kind": "donation", "name_zh": "捐一本绘本", "name_en": "Give a picture book", "points": 100, "cost_minor": 1200,
               "about_zh": "捐给乡村幼儿园的图书角", "about_en": "For the reading corner of a village kindergarten"}),
)  # fmt: skip

NEW_YEAR = Template.model_validate(
    {"key": "new_year", "name": named("新年满 150 减 20", "New Year: 20 off 150"), "kind": "amount", "amount": Decimal(20),
     "when": {"min_amount": 150}, "valid": {"days": 14}}
)  # fmt: skip
FLYER = Template.model_validate(
    {"key": "flyer", "name": named("传单券九折", "Flyer: 10 % off"), "kind": "percent", "percent": 10, "codes": "unique",
     "valid": {"days": 60}, "limits": {"issued": 500}}
)  # fmt: skip

DOUBLE_TWELVE: dict[str, Any] = {
    "name": named("双十二抽奖", "Double Twelve draw"),
    "prizes": [
        {"key": "cream", "name": named("面霜一瓶", "A jar of cream"), "odds": "1/10", "stock": 2, "when_gone": "points",
         "worth_minor": 12900},
        {"key": "points", "name": named("50 积分", "50 points"), "odds": "3/10", "stock": None, "points": 50},
    ],
    "ways": {"points": 20},
    "limits": {"per_member": 3},
}  # fmt: skip
NEW_YEAR_DRAW: dict[str, Any] = {
    "name": named("新年抽奖", "New Year draw"),
    "prizes": [
        {"key": "set", "name": named("护肤礼盒", "Skin care set"), "odds": "1/50", "stock": 1, "when_gone": "coupon", "worth_minor": 29900},
        {"key": "towel", "name": named("宝宝浴巾", "A baby's bath towel"), "odds": "1/8", "stock": 10, "worth_minor": 3900},
        {"key": "coupon", "name": named("新年券一张", "A New Year coupon"), "odds": "1/4", "stock": None, "coupon": "new_year"},
    ],
    "ways": {"points": 20, "given": True},
    "limits": {"per_member": 5, "per_day": 2},
}  # fmt: skip


@transaction.atomic
def furnish(merchant: Merchant, ends: datetime) -> None:
    """What a console of a living shop shows, up to the evening before `ends`; all of it or none, and only once."""
    if Gift.objects.filter(merchant=merchant).exists():
        return
    _LastWeeks(merchant, ends).live()


class _LastWeeks:
    """`day` is the last whole day of the shop; its counter is open from ten to nine."""

    def __init__(self, merchant: Merchant, ends: datetime) -> None:
        self.merchant, self.ends = merchant, ends
        self.day = (ends - timedelta(days=1)).replace(hour=0, minute=0)
        self.counter = Store.objects.filter(merchant=merchant, platform="pos").first()
        self.number = 0

    def live(self) -> None:
        self.bring_friends()
        self.fill_the_shelf()
        self.draw_on_double_twelve()
        self.send_coupons()
        self.exchange_gifts()
        self.hand_out_benefits()
        self.draw_for_the_new_year()
        self.make_families()
        self.correct_by_hand()
        self.think_of_next_year()

    def at(self, hour: int, minute: int = 0, days_ago: int = 0) -> datetime:
        return self.day + timedelta(days=-days_ago, hours=hour, minutes=minute)

    def key(self) -> str:
        self.number += 1
        return f"demo:{self.number}"

    def free(self, points: int, at: datetime, tiers: tuple[str, ...] = ()) -> Iterator[int]:
        """Members with so many points to spend at `at` and nothing in their books after it, as they happen to come in."""
        wallets = Wallet.objects.filter(
            merchant=self.merchant, settled_to__lt=at, member__frozen_at=None, member__merged_into=None
        )
        if tiers:
            wallets = wallets.filter(tier__in=tiers)
        lots = Lot.objects.filter(
            merchant=self.merchant, member__in=wallets.values("member"), remaining__gt=0, available_at__lte=at, expires_at__gt=at
        )  # fmt: skip
        left = lots.values_list("member_id").annotate(left=Sum(F("remaining") - F("held")))
        able = [member for member, _ in left.filter(left__gte=points).order_by("-left", "member_id")]
        Random(f"{points} {at:%d %H}").shuffle(able)
        return iter(able)

    # ---- one method a page --------------------------------------------------------------------------------------------

    def bring_friends(self) -> None:
        """Buyers of the last months whom members of rank had brought: told at the counter before their first order."""
        first = (
            Order.objects.filter(merchant=self.merchant, member__joined_at__gte=self.at(0, days_ago=100), paid_at__isnull=False)
            .order_by("paid_at", "id").values_list("member_id", flat=True)
        )  # fmt: skip
        newcomers = Member.objects.filter(merchant=self.merchant, referred_by=None).in_bulk(
            list(dict.fromkeys(first))[:24]
        )
        ranked = Wallet.objects.filter(merchant=self.merchant, tier__in=("vip", "supreme", "senior"))
        before = ranked.filter(member__joined_at__lt=self.at(0, days_ago=130)).order_by("-seq", "member_id")
        referrers = list(before.values_list("member_id", flat=True)[:7])
        for n, newcomer in enumerate(newcomers.values()):
            if not referrers:
                return
            referral.bind(
                merchant=self.merchant, newcomer_id=newcomer.pk, referrer_id=referrers[n * n % len(referrers)], how="staff",
                now=self.at(20), actor=ASSISTANT, bound_at=newcomer.joined_at - timedelta(minutes=5),
            )  # fmt: skip

    def fill_the_shelf(self) -> None:
        coupons.save_template(merchant=self.merchant, template=NEW_YEAR, now=self.at(9, days_ago=30), actor=SPECIALIST)
        for code, values in SHELF:
            gift_shelf.save_gift(
                merchant=self.merchant, code=code, values=values, now=self.at(9, 30, days_ago=30), actor=SPECIALIST
            )

    def draw_on_double_twelve(self) -> None:
        """Over: its seed is published, and anybody can check it."""
        noon = self.day.replace(day=12) + timedelta(hours=12)
        self.hold_draw("double-twelve", DOUBLE_TWELVE, noon - timedelta(days=2), noon + timedelta(hours=12))
        for n, member in zip(range(16), self.free(60, noon), strict=False):
            won = self.pull("double-twelve", member, "points", noon + timedelta(minutes=7 * n))
            if won is not None:
                draws.hand_over_prize(
                    merchant=self.merchant,
                    ticket_id=won,
                    now=noon + timedelta(days=2),
                    actor=ASSISTANT,
                    store=self.counter,
                )
        draws.reveal_draw(merchant=self.merchant, code="double-twelve", now=noon + timedelta(days=1), actor=OWNER)

    def send_coupons(self) -> None:
        """To those who bought in the last two months; and codes for a flyer."""
        bought = Order.objects.filter(
            merchant=self.merchant,
            member__merged_into=None,
            paid_at__gte=self.at(0, days_ago=60),
            paid_at__lt=self.at(0),
        )
        members = sorted(set(bought.values_list("member_id", flat=True)) - {None})[:120]
        sent = [Issue("new_year", member, "hand", "new-year") for member in members]
        coupons.issue(merchant=self.merchant, issues=sent, now=self.at(9), actor=SPECIALIST)
        coupons.save_template(merchant=self.merchant, template=FLYER, now=self.at(9, 5), actor=SPECIALIST)
        batch = coupons.begin_batch(
            merchant=self.merchant, key="flyer", count=200, label="梧桐街传单", now=self.at(9, 6), actor=SPECIALIST
        )
        coupons.make_codes(batch_id=batch.pk, now=self.at(9, 6))

    def exchange_gifts(self) -> None:
        """Handed over at the counter, waiting to be picked up, to be sent; one comes back, one is called off."""
        for n, member in zip(range(6), self.free(600, self.at(10)), strict=False):
            done = self.order_gift(member, "wipes" if n % 2 else "cleanser", self.at(10, 10 * n), at_once=True)
            if n == 5 and done.order is not None:
                gifts.give_back(
                    merchant=self.merchant,
                    order_id=done.order.pk,
                    key=self.key(),
                    now=self.at(15),
                    actor=ASSISTANT,
                    because="包装破损",
                )
        for n, member in zip(range(5), self.free(800, self.at(11)), strict=False):
            kept = self.order_gift(member, "wipes", self.at(11, 7 * n), way="ship" if n in (1, 3) else "pickup")
            if n == 4 and kept.order is not None:
                gifts.cancel(
                    merchant=self.merchant,
                    order_id=kept.order.pk,
                    now=self.at(16),
                    actor=ASSISTANT,
                    because="会员改选其他礼品",
                )
        for n, member in zip(range(3), self.free(900, self.at(12), ("vip", "supreme")), strict=False):
            self.order_gift(member, "candle", self.at(12, 9 * n), at_once=True)
        for n, member in zip(range(7), self.free(250, self.at(13)), strict=False):
            self.order_gift(member, "books" if n % 2 else "coupon20", self.at(13, 5 * n))

    def hand_out_benefits(self) -> None:
        ranked = Wallet.objects.filter(
            merchant=self.merchant, tier__in=("vip", "supreme"), settled_to__lt=self.at(14), member__merged_into=None
        )
        members = list(ranked.order_by("-balance", "member_id").values_list("member_id", flat=True))
        Random("benefits").shuffle(members)
        for n, member in enumerate(members[:9]):
            handed = benefits.hand_out(
                merchant=self.merchant, member_id=member, benefit="sample", key=self.key(), now=self.at(14, 6 * n),
                actor=ASSISTANT, store=self.counter,
            )  # fmt: skip
            if n == 8 and handed.use is not None and handed.done:
                benefits.take_back(
                    merchant=self.merchant,
                    use_id=handed.use.pk,
                    now=self.at(14, 55),
                    actor=ASSISTANT,
                    because="点错会员",
                )

    def draw_for_the_new_year(self) -> None:
        """Still open when the demo begins."""
        self.hold_draw("new-year", NEW_YEAR_DRAW, self.at(8), self.at(21, days_ago=-6))
        for n, member in zip(range(18), self.free(100, self.at(17)), strict=False):
            self.pull("new-year", member, "given" if n % 6 == 0 else "points", self.at(17, 4 * n))

    def make_families(self) -> None:
        willing = list(zip(range(5), self.free(1, self.at(18)), strict=False))
        people = [member for _, member in willing]
        for name, members in (("团子一家", people[:2]), ("豆包一家", people[2:])):
            if len(members) > 1:
                loyalty.found_family(
                    merchant=self.merchant, name=name, members=members, now=self.at(18, 30), actor=ASSISTANT
                )

    def correct_by_hand(self) -> None:
        """A little at once; a lot waits for a second person. And a standing by hand, with a reason and an end."""
        people = list(zip(range(3), self.free(1, self.at(19)), strict=False))
        for (_, member), (points, reason, who) in zip(
            people, ((66, "客服致歉", ASSISTANT), (1500, "双十一订单漏记积分，核对后补发", SPECIALIST)), strict=False
        ):
            loyalty.correct(
                merchant=self.merchant,
                key=self.key(),
                member_id=member,
                amount=points,
                reason=reason,
                now=self.at(19, 5),
                actor=who,
            )
        if len(people) == 3:
            loyalty.give_tier(
                merchant=self.merchant, member_id=people[2][1], tier="vip", until=self.ends + timedelta(days=180),
                reason="母婴博主合作", now=self.at(19, 10), actor=OWNER, key=self.key(),
            )  # fmt: skip

    def think_of_next_year(self) -> None:
        """A draft of next year's charter, ready to be simulated."""
        now = charters.in_force(self.merchant, self.ends).charter
        plain = document.to_plain(now)
        plain["tiers"][-1]["multiplier"] = 2.5
        text = document.to_yaml(document.from_plain(plain))
        begin_draft(
            merchant=self.merchant, title="2026 年章程", text=text, based_on=1, now=self.at(20, 30), actor=OWNER
        )

    # ---- what they share ----------------------------------------------------------------------------------------------

    def hold_draw(self, code: str, terms: dict[str, Any], opens: datetime, closes: datetime) -> None:
        """With a seed of its own, so that every demo is alike; a real draw takes what chance gives."""
        whole = {**terms, "opens_at": opens.isoformat(), "closes_at": closes.isoformat()}
        before = opens - timedelta(days=1)
        draws.save_draw(
            merchant=self.merchant, code=code, terms=whole, now=before, actor=SPECIALIST,
            seed=hashlib.sha256(f"demo {code}".encode()).digest(),
        )  # fmt: skip
        draws.commit_draw(merchant=self.merchant, code=code, now=before + timedelta(hours=1), actor=OWNER)

    def pull(self, draw: str, member: int, way: str, at: datetime) -> int | None:
        """One ticket; its number in the books if a thing was won that waits to be handed over."""
        drawn = draws.draw_ticket(
            merchant=self.merchant, draw=draw, member_id=member, key=self.key(), way=way, now=at, actor=ASSISTANT
        )
        ticket = drawn.ticket
        return ticket.pk if ticket is not None and ticket.won and ticket.handed_at is None else None

    def order_gift(self, member: int, gift: str, at: datetime, **how: Any) -> gifts.Ordered:
        return gifts.order(
            merchant=self.merchant,
            member_id=member,
            gift=gift,
            key=self.key(),
            now=at,
            actor=ASSISTANT,
            store=self.counter,
            **how,
        )
