"""Coupons that rules of the charter give, while the list runs: after every event, and at midnight where the calendar gives them.

A worker that is never late asks who has reason; each occasion gives its coupons once. What did not apply has its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from shuke.engine.charter.selling import Issue as Rule
from shuke.engine.charter.terms import Versions
from shuke.engine.checkout.occasions import BACK, RECENT, birthday_years, quiet_between
from shuke.engine.replay.fields import Line
from shuke.engine.replay.member import Member
from shuke.engine.replay.outcome import Answer
from shuke.engine.replay.vouchers import Vouchers, issued
from shuke.kit.clock import day_of, day_start

BY_CALENDAR = ("birthday", "win_back")
SEEN = {"join": ("joined",), "order": ("first_purchase", "tier_up")}  # what is told of an event where nothing was given


class Ruled(NamedTuple):
    """One member had reason: what they got, or why not."""

    member: str
    template: str
    on: str
    ref: str
    coupons: tuple[str, ...] = ()
    code: str = ""

    def told(self) -> dict[str, Any]:
        if self.code:
            return {"coupon": self.template, "on": self.on, "code": self.code}
        return issued(self.template, list(self.coupons)) | {"on": self.on}


class Rules:
    def __init__(self, versions: Versions, members: Mapping[str, Member], vouchers: Vouchers) -> None:
        self.versions, self.members, self.vouchers = versions, members, vouchers
        self.given: set[tuple[str, str, str]] = set()  # template, member, what for
        self.risen: dict[str, set[tuple[str, datetime]]] = {}  # member → event, at; what was told is not taken back
        self.settled: list[tuple[str, datetime, str]] = []  # complaints: member, at, id
        self.is_on = has_rules(versions)
        self._seen: dict[str, tuple[Any, ...]] = {}  # member → how they were when there was nothing more for them
        self._kept: dict[str, tuple[int, list[datetime]]] = {}

    def run(self, at: datetime) -> list[Ruled]:
        """Only of members of whom something is new, or who were refused before, can anything be due before the next day."""
        if not self.is_on:
            return []
        today = day_of(at, self.versions.last.zone)
        fresh = [one for one in self.members.values() if self._seen.get(one.name) != self._now(one, today)]
        for member in fresh:
            member.advance(at)
            self._note_rises(member)
        found: list[Ruled] = []
        if not fresh:
            return found
        for template in sorted(self.versions.at(at).charter.selling.coupons, key=lambda t: t.key):
            for rule in template.issue:
                for who, ref in self._occasions(fresh, rule, at, today):
                    if (template.key, who, ref) in self.given:
                        continue
                    told = self.vouchers.issue(template.key, who, rule.count, rule.on, at)
                    if told.done:
                        self.given.add((template.key, who, ref))
                        found.append(Ruled(who, template.key, rule.on, ref, tuple(told.did[0]["coupons"])))
                    else:
                        found.append(Ruled(who, template.key, rule.on, ref, code=told.code))
        again = {one.member for one in found if one.code}
        for member in fresh:
            self._seen[member.name] = () if member.name in again else self._now(member, today)
        return found

    def _now(self, member: Member, today: date) -> tuple[Any, ...]:
        return today, len(member.events), len(member.fold.moves), id(member.fold), len(self.settled)

    def _note_rises(self, member: Member) -> None:
        for move in member.fold.moves:
            if move.step > 0:
                self.risen.setdefault(member.name, set()).add((move.event, move.at))

    def _occasions(self, members: Iterable[Member], rule: Rule, at: datetime, today: date) -> Iterator[tuple[str, str]]:
        terms = self.versions.at(at)
        for member in members:
            if rule.tiers and self.versions.named(member.fold.tier_at(terms), at).isdisjoint(rule.tiers):
                continue
            for ref in sorted(set(self._refs(rule, member, at, today))):
                yield member.name, ref

    def _refs(self, rule: Rule, member: Member, at: datetime, today: date) -> Iterator[str]:
        """What this member has reason for: by how the coupon remembers it."""
        zone = self.versions.last.zone
        if rule.on == "birthday" and member.birthday is not None:
            for year in birthday_years(member.birthday, rule.days, today):
                yield f"birthday:{year}"
        elif rule.on == "joined" and at - BACK < member.joined_at <= at:
            yield "joined"
        elif rule.on == "tier_up":
            for event, when in self.risen.get(member.name, ()):
                if when > at - RECENT:
                    yield f"tier_up:{event or when.astimezone(UTC).isoformat()}"
        elif rule.on == "complaint":
            for name, when, ref in self.settled:
                if name == member.name and when > at - RECENT:
                    yield f"complaint:{ref}"
        elif rule.on == "first_purchase":
            bought = self._bought(member)
            if bought and at - BACK < bought[0] <= at:
                yield "first_purchase"
        elif rule.on == "win_back":
            bought, (since, until) = self._bought(member), quiet_between(rule.days, today, zone)
            if bought and since <= bought[-1] < until:
                yield f"win_back:{day_of(bought[-1], zone).isoformat()}"

    def _bought(self, member: Member) -> list[datetime]:
        """When something was bought of which not everything came back, oldest first."""
        count = len(member.events)
        if self._kept.get(member.name, (-1,))[0] != count:
            bought = sorted(p.at for p, back in member.bought() if p.net > sum(r.amount for r in back))
            self._kept[member.name] = count, bought
        return self._kept[member.name][1]

    # ---- why a rule gave nothing ------------------------------------------------------------------------------------

    def why_not(self, line: Line, found: Iterable[Ruled]) -> list[dict[str, Any]]:
        """Rules of what happened that had no reason. Those that had one and were refused stand in `found`."""
        seen = {(one.template, one.on) for one in found if one.member == line.member}
        return [
            {"coupon": template.key, "on": rule.on, "code": code}
            for template in self.versions.at(line.at).charter.selling.coupons
            for rule in template.issue
            if rule.on in SEEN.get(line.event, ()) and (template.key, rule.on) not in seen
            if (code := self._why_not(rule, line))
        ]

    def _why_not(self, rule: Rule, line: Line) -> str:
        member = self.members[line.member]
        if rule.on == "first_purchase" and self._bought(member)[:1] != [line.at]:
            return "not_first"
        if rule.on == "tier_up" and not any(when == line.at for _, when in self.risen.get(line.member, ())):
            return "no_rise"
        tier = member.fold.tier_at(self.versions.at(line.at))
        return "other_tier" if rule.tiers and self.versions.named(tier, line.at).isdisjoint(rule.tiers) else ""


# ---- what both the engine and the books do with it -----------------------------------------------------------------------


def has_rules(versions: Versions, on: tuple[str, ...] = ()) -> bool:
    return any(
        not on or rule.on in on
        for _, terms in versions.begun
        for template in terms.charter.selling.coupons
        for rule in template.issue
    )


class Nights:
    """Midnights of the shop between the events, where the calendar gives coupons."""

    def __init__(self, versions: Versions) -> None:
        self.zone = versions.last.zone
        self.is_on = has_rules(versions, BY_CALENDAR)
        self._last: datetime | None = None

    def until(self, at: datetime) -> list[datetime]:
        """Those since the last call, this moment included."""
        since, self._last = self._last, at
        if not self.is_on or since is None:
            return []
        day, found = day_of(since, self.zone), []
        while (midnight := day_start(day := day + timedelta(days=1), self.zone)) <= at:
            found.append(midnight)
        return found


class News:
    """A refusal is told once, however often the rules run."""

    def __init__(self) -> None:
        self._told: set[Ruled] = set()
        self.clock: list[dict[str, Any]] = []  # what happened between the events

    def of(self, answer: Answer, member: str, found: Iterable[Ruled]) -> None:
        """After an event."""
        for one in self._new(found):
            told = one.told() | ({"member": one.member} if one.member != member else {})
            (answer.left if one.code else answer.did).append(told)

    def between(self, at: datetime, found: Iterable[Ruled]) -> None:
        for one in self._new(found):
            kind = {"kind": "coupon_refused"} if one.code else {}
            entry = {"at": at.astimezone(UTC).isoformat(), "member": one.member, "event": f"coupon:{one.on}"}
            self.clock.append(entry | kind | one.told())

    def _new(self, found: Iterable[Ruled]) -> Iterator[Ruled]:
        for one in found:
            if one.code:
                if one in self._told:
                    continue
                self._told.add(one)
            yield one
