"""Benefits and families of a replayed list, through the actions of a running Shuke."""

from __future__ import annotations

from typing import Any

from shuke.engine.replay import benefits as handing
from shuke.engine.replay.fields import Line
from shuke.engine.replay.outcome import Answer
from shuke.engine.replay.sharing import joined
from shuke.flows import join as joining
from shuke.flows.join import Day
from shuke.flows.replay_books.shop import ACTOR, Shop
from shuke.loyalty.actions import benefits, families
from shuke.loyalty.actions.families import FamilyRefused
from shuke.loyalty.actions.transfers import relatives, spend_from_family
from shuke.loyalty.models import BenefitUse, Relative
from shuke.shops.models import Store

REFUSED = {"empty": "empty_family"}


class Household:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.uses: dict[str, int] = {}  # id of a hand-out → its row
        self.families: dict[str, int] = {}

    # ---- benefits -----------------------------------------------------------------------------------------------------

    def hand_out(self, line: Line) -> Answer:
        merchant, key = self.shop.merchant, line.ref
        told = benefits.hand_out(
            merchant=merchant,
            member_id=self.shop.member(line.member),
            benefit=key,
            key=line.id,
            now=line.at,
            actor=ACTOR,
            store=Store.objects.get(merchant=merchant, platform="pos", code=line.store),
        )
        if not told.done:
            return handing.refused(told.code, key, told.figures)
        use = told.use
        assert use is not None
        self.uses[line.id] = use.pk
        self.shop.names.benefits[str(use.pk)] = line.id
        left = told.figures.get("left")
        moved = handing.handed(key, use.cost_minor, left if isinstance(left, int) else None)
        events = [(line.member, self.shop.names.event(f"adjust:benefit:{use.pk}"))] if use.points else []
        return Answer(True, did=[moved], events=events)

    def take_back(self, line: Line) -> Answer:
        pk = self.uses.get(line.ref, 0)
        told = benefits.take_back(
            merchant=self.shop.merchant, use_id=pk, now=line.at, actor=ACTOR, because="replay", late=line.late
        )
        if not told.done:
            shown = {k: v for k, v in told.figures.items() if k in ("minutes", "points")}
            return Answer(False, handing.REFUSED.get(told.code, told.code), {"handed": line.ref, **shown})
        use = told.use
        if told.replayed or use is None:
            return Answer(True)
        event = f"adjust:benefit:{pk}:undo:{line.at.timestamp():.0f}"
        who = self.shop.name_of(use.member_id)
        events = [(who, self.shop.names.event(event))] if use.points else []
        return Answer(True, did=[handing.undone(use.benefit)], events=events)

    def handed_to(self, member: str) -> list[dict[str, Any]]:
        names = {pk: name for name, pk in self.uses.items()}
        rows = BenefitUse.objects.filter(
            merchant=self.shop.merchant, member_id=self.shop.member(member), pk__in=list(names)
        )
        return [
            handing.told(names[u.pk], u.benefit, u.at, u.state, u.points, u.cost_minor) for u in rows.order_by("pk")
        ]

    def special_days(self, line: Line) -> Answer:
        days = [Day(kind, "", 0, month, day, lunar) for kind, month, day, lunar in line.days]
        joining.tell(
            merchant=self.shop.merchant, member_id=self.shop.member(line.member), said=joining.Said(days=days),
            source="replay", now=line.at, actor=ACTOR,
        )  # fmt: skip
        return Answer(True)

    # ---- families -----------------------------------------------------------------------------------------------------

    def family(self, line: Line) -> Answer:
        merchant, name = self.shop.merchant, line.ref
        try:
            if line.event == "family":
                members = [self.shop.member(one) for one in line.members]
                self.families[name] = families.found_family(
                    merchant=merchant, name=name, members=members, now=line.at, actor=ACTOR
                ).pk
            else:
                families.join_family(
                    merchant=merchant, family_id=self.families.get(name, 0), members=[self.shop.member(line.member)],
                    now=line.at, actor=ACTOR,
                )  # fmt: skip
        except FamilyRefused as refused:
            return Answer(False, REFUSED.get(refused.code, refused.code), self._figures(refused, name))
        return Answer(True, did=[joined(line.event, name)])

    def _figures(self, refused: FamilyRefused, name: str) -> dict[str, Any]:
        if refused.code == "in_another":
            return {"member": next(n for n, m in self.shop.members.items() if m.card == refused.figures["card"])}
        if refused.code == "empty":
            return {}
        return {"family": name, **refused.figures}

    def leave(self, line: Line) -> Answer:
        merchant, member = self.shop.merchant, self.shop.member(line.member)
        mine = Relative.objects.filter(merchant=merchant, member_id=member).first()
        families.leave_family(merchant=merchant, member_id=member, now=line.at, actor=ACTOR)
        if mine is None:
            return Answer(False, "in_no_family", {"member": line.member})
        name = next(name for name, pk in self.families.items() if pk == mine.family_id)
        return Answer(True, did=[joined("family_leave", name)])

    def spend(self, line: Line) -> Answer:
        merchant, member = self.shop.merchant, self.shop.member(line.member)
        pool = relatives(merchant, member)
        answer = spend_from_family(
            merchant=merchant, key=line.id, member_id=member, amount=line.points, now=line.at, actor=ACTOR
        )
        events = []
        for n, giver in enumerate(pool):
            events += [
                (self.shop.name_of(giver), f"handed:{line.id}|family{n}"),
                (line.member, f"taken:{line.id}|family{n}"),
            ]
        events.append((line.member, f"burn:{line.id}"))
        return Answer(answer.done, answer.code, dict(answer.figures), events=events)

    def kin_of(self, member: str) -> list[str]:
        mine = Relative.objects.filter(merchant=self.shop.merchant, member_id=self.shop.member(member)).first()
        if mine is None:
            return []
        rows = Relative.objects.filter(merchant=self.shop.merchant, family_id=mine.family_id)
        return [self.shop.name_of(pk) for pk in rows.order_by("joined_at", "id").values_list("member_id", flat=True)]
