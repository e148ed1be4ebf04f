"""Why a member has this tier, in words: what decided it, what is missing, what is needed to keep it until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shuke.doors.console import tiers, words
from shuke.doors.console.access import StaffRequest
from shuke.doors.console.person import Says
from shuke.engine.charter.terms import Terms
from shuke.loyalty.models import TierChange
from shuke.loyalty.queries.member import GrowthLine, TierWhy


class Step(NamedTuple):
    """One condition of a tier, or a group of them (`parts`)."""

    met: bool
    label: str
    share: float
    missing: str
    parts: tuple[Step, ...] = ()
    every: bool = False


class Grades:
    """Sentences about tiers for one reader."""

    def __init__(self, request: StaffRequest, says: Says, terms: Terms | None) -> None:
        self._request = request
        self._says = says
        self._terms = terms

    def box(self, why: TierWhy) -> dict[str, Any]:
        """What the card of a member's page shows."""
        day = self._says.day
        return {
            "why": why,
            "tier_name": self._local(why.name),
            "tier_since": day(why.since),
            "tier_cause": self.cause(why.cause, why.decided_by),
            "next_name": self._local(why.next_name),
            "reach": self.steps(why.missing) if why.next_tier else None,
            "reach_ways": self.ways(why.missing_ways),
            "keep": self.steps(why.keep) if why.keep else None,
            "keep_ways": self.ways(why.keep_ways),
            "keep_met": bool(why.keep) and not why.keep_ways,
            "review_day": day(why.review_at) if why.review_at else "",
            "notice_day": day(why.notice_at) if why.notice_at else "",
            "floor_day": self._says.last_day(why.floor_until) if why.floor_until else "",
            "memberships": self.memberships(why),
        }

    def memberships(self, why: TierWhy) -> list[dict[str, Any]]:
        """Paid memberships that run, each with the name of what ends it."""
        return [
            {
                "name": self.membership(one["key"]),
                "tier": one["tier"],
                "until": self._says.last_day(one["end"]),
                "event": one["event"],
            }
            for one in why.memberships
        ]

    def membership(self, key: str) -> str:
        for one in self._terms.charter.memberships if self._terms else ():
            if one.key == key:
                return self._local(one.name.model_dump())
        return key

    def cause(self, code: str, why: Mapping[str, Any]) -> str:
        if code == "charter" and "reach" not in why:
            return {
                "renamed": _("the charter gave the tier another name"),
                "merged": _("the charter joined this tier with another"),
                "removed": _("the charter did away with the former tier"),
            }.get(str(why.get("charter")), _("by a change of the charter"))
        return {
            "joined": _("everybody starts here"),
            "reached": _("reached by purchases"),
            "review": _("result of the review"),
            "manual": _("given by hand"),
            "invited": _("by invitation"),
            "charter": _("reached by the conditions of a new charter"),
            "refund": _("after goods came back"),
            "floor_end": _("what was given by hand ended"),
            "bought": _("paid membership"),
            "membership_end": _("the paid membership ended"),
            "membership_back": _("the paid membership was given back"),
        }.get(code, code)

    def history(self, changes: Iterable[TierChange]) -> list[dict[str, Any]]:
        """Every change with its cause and the figures that decided."""
        return [
            {
                "day": self._says.day(change.at),
                "before": change.before,
                "after": change.after,
                "cause": self.cause(change.cause, change.why),
                "figures": [text for tree in ("reach", "keep") for text in self._leaves(change.why.get(tree) or {})],
                "version": change.charter_version,
            }
            for change in changes
        ]

    def growth(self, lines: Iterable[GrowthLine]) -> list[dict[str, Any]]:
        """The ledger of growth value, ready to be shown."""
        return [
            {
                "day": self._says.minute(line.at),
                "title": self._booking(line.kind),
                "about": self._says.event(line.event),
                "why": " · ".join(filter(None, (self._cause_of_growth(row) for row in line.why if "growth" in row))),
                "amount": f"{line.amount:+,}",
                "balance": f"{line.balance_after:,}",
                "until": self._says.last_day(line.expires_at) if line.expires_at else "",
            }
            for line in lines
        ]

    def steps(self, tree: Mapping[str, Any]) -> Step | None:
        """The condition tree of the engine as something to look at; None where there is no condition."""
        for kind in ("all", "any"):
            if kind in tree:
                parts = tuple(p for p in (self.steps(part) for part in tree[kind]) if p is not None)
                return Step(tree["met"], "", 1.0 if tree["met"] else 0.0, "", parts, kind == "all")
        if "measure" not in tree:
            return None
        figure, least = tree["figure"], tree["at_least"]
        share = 1.0 if not least else min(1.0, figure / least)
        return Step(tree["met"], self._condition(tree), share, self._missing(tree))

    def ways(self, ways: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
        """The alternatives, each a sentence of all that is still to be done; none where one bar says it already."""
        if sum(map(len, ways)) < 2:
            return []
        return [_(" and ").join(self._missing(leaf) for leaf in way) for way in ways]

    def _local(self, name: Mapping[str, str]) -> str:
        return name.get("zh" if words.language().startswith("zh") else "en", "")

    def _leaves(self, tree: Mapping[str, Any]) -> list[str]:
        for kind in ("all", "any"):
            if kind in tree:
                return [text for part in tree[kind] for text in self._leaves(part)]
        return [self._condition(tree)] if "measure" in tree else []

    def _condition(self, leaf: Mapping[str, Any]) -> str:
        figure, least = leaf["figure"], leaf["at_least"]
        if leaf["measure"] in ("amount", "single_order"):
            figure, least = self._says.money(figure), self._says.money(least)
        else:
            figure, least = f"{figure:,}", f"{least:,}"
        pattern = {
            "amount": _("Spend: %(figure)s of %(least)s"),
            "orders": _("Orders: %(figure)s of %(least)s"),
            "single_order": _("Largest order: %(figure)s of %(least)s"),
            "growth": _("Growth value: %(figure)s of %(least)s"),
            "points": _("Points earned: %(figure)s of %(least)s"),
            "invited": _("Invitation"),
        }[leaf["measure"]]
        text = pattern % {"figure": figure, "least": least}
        if leaf.get("from"):
            text += " " + _("(since %(day)s)") % {"day": leaf["from"]}
        return text

    def _missing(self, leaf: Mapping[str, Any]) -> str:
        if leaf["met"]:
            return ""
        missing = leaf["missing"]
        if leaf["measure"] == "amount":
            return _("%(money)s more to spend") % {"money": self._says.money(missing)}
        if leaf["measure"] == "single_order":
            return _("one order of %(money)s") % {"money": self._says.money(leaf["at_least"])}
        if leaf["measure"] == "orders":
            return ngettext("%(n)s more order", "%(n)s more orders", missing) % {"n": f"{missing:,}"}
        if leaf["measure"] == "invited":
            return _("needs an invitation")
        if leaf["measure"] == "growth":
            return _("%(n)s more growth value") % {"n": f"{missing:,}"}
        return _("%(n)s more points") % {"n": f"{missing:,}"}

    def _booking(self, kind: str) -> str:
        named = {
            "activity": _("Activity"),
            "growth": _("Growth value by hand"),
            "growth_lapse": _("Growth value expired"),
            "growth_fade": _("Yearly share taken off"),
        }
        return named.get(kind) or self._says.posting(kind)

    def _cause_of_growth(self, row: Mapping[str, Any]) -> str:
        named = {
            "growth": _("by purchases"),
            "growth_loss": _("yearly loss"),
            "adjusted": "",
            "opening": _("brought along"),
        }
        if "order" in row:
            return f"{self._says.event(str(row['order'])) or row['order']} {row['growth']}"
        rule = str(row.get("rule", ""))
        for known in self._terms.charter.earning if self._terms else ():
            if known.key == rule:
                return f"{self._local(known.name.model_dump())} {row['growth']}"
        return f"{named.get(rule, rule)} {row['growth']}" if named.get(rule, rule) else ""


def named_tiers(request: StaffRequest) -> list[tuple[str, str]]:
    """Tiers one can be given: all but the one everybody has."""
    return [(code, name) for code, (name, _shade) in tiers.every(request).items()][1:]
