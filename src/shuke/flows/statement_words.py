"""A member's statement in words: what each line is, what it is about, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from shuke.engine.finance import wording
from shuke.engine.insight.wording import Wording
from shuke.kit import money
from shuke.loyalty.queries import charters, draws, gifts
from shuke.loyalty.queries.member import GrowthLine, StatementLine
from shuke.loyalty.queries.statements import Line, MemberStatement, OpenLot
from shuke.shops.models import Merchant

_HEAD = [
    Wording("时间", "When"),
    Wording("事项", "What"),
    Wording("关于", "About"),
    Wording("说明", "Why"),
    Wording("积分", "Points"),
    Wording("余额", "Balance"),
]
_OPENING, _CLOSING = Wording("期初", "Opening"), Wording("期末", "Closing")
_LOT = Wording("结余批次，{day} 前有效", "Left, usable until {day}")
_FOREVER = Wording("结余批次，不过期", "Left, never lapses")


class Saying:
    """How a merchant's statement speaks to one reader."""

    def __init__(self, merchant: Merchant, language: str) -> None:
        self.merchant, self.language = merchant, language
        # What every version called its rules and tiers: an old line is of a version that may be gone. The latest name counts.
        self._rules: dict[str, Wording] = {}
        try:
            every = charters.versions(merchant).begun
        except charters.NoCharter:
            every = ()
        for _since, terms in every:
            named = [(rule.key, rule.name) for rule in terms.charter.earning]
            named += [(f"tier:{tier.key}", tier.name) for tier in terms.charter.tiers]
            named += [(f"benefit:{one.key}", one.name) for one in terms.charter.rights.benefits]
            named += [(f"benefit:{one.key}", one.name) for one in terms.charter.rights.plans]
            self._rules |= {key: Wording(name.zh, name.en) for key, name in named}

    def minute(self, at: datetime) -> str:
        return f"{at.astimezone(self.merchant.tz):%Y-%m-%d %H:%M}"

    def day(self, at: datetime) -> str:
        return f"{at.astimezone(self.merchant.tz):%Y-%m-%d}"

    def kind(self, line: Line | StatementLine) -> str:
        return wording.named(wording.KINDS, line.kind, self.language)

    def about(self, line: Line | StatementLine | GrowthLine) -> str:
        return wording.about(line.event, self.language)

    def why(self, line: Line | StatementLine) -> str:
        told = [wording.reason(w, self.language, money=self._money, rules=self._rules) for w in line.why]
        if isinstance(line, Line) and line.was is not None:
            told.append(wording.was(line.was, self.language))
        told.append(self.given_for(line))
        return " · ".join(part for part in told if part)

    def given_for(self, line: Line | StatementLine) -> str:
        """What points by hand were given or taken for: gift, draw or benefit by name, else what somebody wrote."""
        what = "family" if "|family" in line.event else line.event.partition(":")[2].partition(":")[0]
        if what not in wording.FOR:
            return line.reason
        names = {"gift": self._gifts, "draw": self._draws, "benefit": self._rules}.get(what, {})
        found = names.get(f"{what}:{line.reason}")
        return wording.FOR[what].said(self.language) + (f" · {found.said(self.language)}" if found else "")

    @cached_property
    def _gifts(self) -> dict[str, Wording]:
        every = gifts.gifts(self.merchant, with_inactive=True)
        return {f"gift:{one.code}": Wording(one.name_zh, one.name_en) for one in every}

    @cached_property
    def _draws(self) -> dict[str, Wording]:
        named = {f"draw:{one.code}": one.terms.get("name", {}) for one in draws.draws(self.merchant)}
        return {key: Wording(name.get("zh", ""), name.get("en", "")) for key, name in named.items()}

    def lot(self, lot: OpenLot) -> str:
        return wording.about(lot.event, self.language) or wording.named(
            wording.KINDS, lot.event.split(":")[0], self.language
        )

    def last_day(self, lot: OpenLot) -> str:
        """The last day the points can be used; expiry itself is the midnight after it."""
        return "" if lot.expires_at is None else self.day(lot.expires_at - timedelta(microseconds=1))

    def _money(self, minor: int) -> str:
        return money.show(minor, self.merchant.currency)


def statement_rows(told: MemberStatement, saying: Saying) -> tuple[list[str], list[list[Any]]]:
    """Header and rows for a file: opening, lines, closing, and what the closing is made of."""
    language = saying.language
    last = saying.day(told.last - timedelta(microseconds=1))
    rows: list[list[Any]] = [[saying.day(told.first), _OPENING.said(language), "", "", None, told.opening]]
    rows += [
        [saying.minute(x.at), saying.kind(x), saying.about(x), saying.why(x), x.amount, x.balance] for x in told.lines
    ]
    rows.append([last, _CLOSING.said(language), "", "", None, told.closing])
    for lot in told.lots:
        said = _LOT.said(language, day=saying.last_day(lot)) if lot.expires_at else _FOREVER.said(language)
        rows.append([saying.day(lot.earned_at), said, saying.lot(lot), "", lot.left, None])
    return [name.said(language) for name in _HEAD], rows
