"""A shop in which one member brought twelve friends, one of whom brought three more; twenty others came by themselves."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

from shuke.insight import actions
from shuke.loyalty.models import Referral, ReferralReward
from tests.cast import Shop
from tests.insight.till import at, member, night, sell

DAY = date(2026, 6, 30)


def bind(lan: Shop, newcomer, referrer, **more) -> Referral:
    moment = at(lan, "2026-03-10")
    values = {"how": "staff", "bound_at": moment, "made_at": moment, "actor": "lan.owner", "state": "rewarded"} | more
    return Referral.objects.create(merchant=lan.merchant, newcomer=newcomer, referrer=referrer, **values)


def talk(lan: Shop) -> SimpleNamespace:
    """Friends spend 300.00 each, their friends 100.00, the others 200.00 to 219.00; a gift of 5.00 was given for the first friend."""
    root = member(lan, "老顾客", "2026-01-05", home_store=lan.street)
    friends = [member(lan, f"朋友{n}", "2026-03-10", home_store=lan.street) for n in range(12)]
    second = [member(lan, f"朋友的朋友{n}", "2026-04-10", home_store=lan.online) for n in range(3)]
    others = [member(lan, f"路过{n}", "2026-03-12", home_store=lan.street) for n in range(20)]
    for people, net in ((friends, 30_000), (second, 10_000)):
        for one in people:
            sell(lan, one, "2026-05-01", net)
    for n, one in enumerate(others):
        sell(lan, one, "2026-05-02", 20_000 + 100 * n)
    bonds = [bind(lan, one, root) for one in friends] + [bind(lan, one, friends[0]) for one in second]
    ReferralReward.objects.create(
        merchant=lan.merchant, referral=bonds[0], member=root, side="referrer", kind="gift", amount=1, cost_minor=500, at=at(lan, "2026-05-10")
    )  # fmt: skip
    known = member(lan, "早就认识", "2026-03-01")
    bind(lan, known, root, state="missed", reason="not_new")
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    return SimpleNamespace(root=root, friends=friends, second=second, others=others, known=known, bonds=bonds)
