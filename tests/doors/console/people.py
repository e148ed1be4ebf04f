"""Made-up members with figures, for the console's tests and for people who want to look at pages."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from shuke.engine.facts import Address, Birthday, Claim, IdentityKind, Person, Phone
from shuke.insight.models import MemberScore
from shuke.kit import clock
from shuke.loyalty.models import Wallet
from shuke.members import actions
from shuke.members.models import Member
from shuke.shops.models import Merchant, Store

FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = ["欣怡", "梓涵", "建国", "秀英", "静", "磊", "雪梅", "志强", "小燕", "宇轩", "丽华", "晨曦"]
STAGES = ["observing", "forming", "stable", "stable", "stable", "degrading", "lost"]
RFM = ["222", "212", "122", "112", "221", "211", "121", "111"]


def person(number: int) -> Person:
    """Somebody with a phone and a name, and nothing else."""
    phone = f"+86191{number:08d}"
    claims = (Claim(IdentityKind.PHONE, phone, "", verified=True),)
    return Person(claims=claims, name="新来的", phones=(Phone(phone, "buyer"),))


def make(
    merchant: Merchant, count: int, now: datetime, stores: list[Store], *, tiers: list[str], seed: int = 7
) -> list[Member]:
    """`count` members with phones, nicknames, scores and wallets. The same seed makes the same people."""
    dice = random.Random(seed)
    people = []
    for i in range(count):
        name = dice.choice(FAMILY) + dice.choice(GIVEN)
        nickname = f"tb_{dice.choice('abcdefgh')}{seed}_{i:05d}"
        number = f"+86190{dice.randrange(10**8):08d}"
        people.append(
            Person(
                claims=(
                    Claim(IdentityKind.NICKNAME, nickname, "taobao"),
                    Claim(IdentityKind.PHONE, number, "", verified=True),
                ),
                name=name,
                nickname=nickname,
                phones=(Phone(number, "buyer"),),
                address=Address(f"某某路{i}号", "上海", "上海市", "徐汇区"),
                birthday=Birthday(1985 + i % 20, 1 + i % 12, 1 + i % 28),
                gender=dice.choice("fm"),
                consents=(("sms", "promotion", i % 3 > 0), ("wecom", "care", True)),
                joined_at=now - timedelta(days=dice.randrange(20, 400)),
                acquired_by=dice.choice(["taobao", "store", "referral"]),
            )
        )
    found = actions.recognise(merchant=merchant, people=people, now=now)
    members = list(Member.objects.filter(id__in=[r.member_id for r in found]).order_by("id"))
    scores, wallets = [], []
    for i, member in enumerate(members):
        member.home_store = stores[i % len(stores)]
        member.tags = dice.sample(["敏感肌", "企微好友", "易退货", "母婴", "vip"], i % 3)
        orders = dice.randrange(1, 40)
        silent = dice.randrange(0, 260)
        scores.append(
            MemberScore(
                merchant=merchant,
                member=member,
                day=clock.day_of(now, merchant.tz),
                first_paid_at=member.joined_at,
                last_paid_at=now - timedelta(days=silent, minutes=i),
                order_count=orders,
                order_days=orders,
                net_minor=orders * dice.randrange(2000, 40000),
                year_net_minor=orders * 1800,
                usual_gap_days=float(dice.randrange(6, 60)),
                r5=dice.randrange(1, 6),
                f5=dice.randrange(1, 6),
                m5=dice.randrange(1, 6),
                rfm=dice.choice(RFM),
                layer=dice.choice(["key", "main", "potential", "target", "target"]),
                stage=dice.choice(STAGES),
            )
        )
        wallets.append(
            Wallet(
                merchant=merchant,
                member=member,
                balance=dice.randrange(0, 5000),
                tier=dice.choice(tiers),
                tier_since=member.joined_at,
            )
        )
    Member.objects.bulk_update(members, ["home_store", "tags"])
    MemberScore.objects.bulk_create(scores)
    Wallet.objects.bulk_create(wallets)
    return members
