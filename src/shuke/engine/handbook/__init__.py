"""The member handbook 会员手册 of one charter: its sentences, its figures in tables, and examples worked by the engine itself.

    book = handbook(terms, language="zh", shop="兰记", since=date(2026, 7, 1))

Nothing in it is written by hand, so it is always true: a member can compute their own points from the tables, and a test
does so. The web page and the PDF both show this.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple

from shuke.engine.charter.describe import Section, describe
from shuke.engine.charter.earning import Earning
from shuke.engine.charter.sentences_en import English, nth, number
from shuke.engine.charter.sentences_zh import Chinese
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.came_back import Money, Sold, came_back
from shuke.engine.ledger.fold import Fold, replay
from shuke.kit import money

BEFORE = timedelta(days=40)
AMOUNTS = (
    Decimal("268.50"),
    Decimal(100),
    Decimal("88.80"),
    Decimal(500),
    Decimal(1000),
    Decimal(3000),
    Decimal(10000),
)


class Table(NamedTuple):
    """A heading, the names of the columns and the rows, all text."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


class Example(NamedTuple):
    """A purchase as a story, how its points come about row by row, and the sum."""

    story: str
    rows: list[tuple[str, str]]
    total: str
    after: str  # from when and until when they can be used


class Handbook(NamedTuple):
    """Everything a member may hold the shop to."""

    language: str
    shop: str
    title: str
    version: int
    since: date
    sections: list[Section]
    tables: list[Table]
    how: list[str]  # the steps of computing points
    examples: list[Example]
    words: dict[str, str]  # headings


WORDS = {
    "zh": {
        "examples": "算给您看", "how": "{points}怎么算", "contents": "目录", "version": "第 {version} 版，自 {since} 起施行", "total": "共得",
        "made": "本手册由现行章程自动生成，与系统计算完全一致。", "handbook": "会员手册", "page": "第 {page} 页，共 {pages} 页",
    },
    "en": {
        "examples": "Worked examples", "how": "How {points} are computed", "contents": "Contents",
        "version": "Version {version}, in force from {since} on", "total": "earned",
        "made": "This handbook is made from the charter in force; the system computes exactly what it says.",
        "handbook": "Member handbook", "page": "Page {page} of {pages}",
    },
}  # fmt: skip


def handbook(terms: Terms, *, language: str, shop: str, since: date) -> Handbook:
    charter = terms.charter
    language = "zh" if language.startswith("zh") else "en"
    say = Chinese(charter) if language == "zh" else English(charter)
    return Handbook(
        language=language,
        shop=shop,
        title=getattr(charter.name, language),
        version=terms.version,
        since=since,
        sections=describe(charter, language),
        tables=[_tiers(say), *_rules(say)],
        how=_how(say),
        examples=list(_Examples(terms, say, since).all()),
        words=WORDS[language] | {"how": WORDS[language]["how"].format(points=say.points_name)},
    )


# -- tables -----------------------------------------------------------------------------------------------------------


def _tiers(say: English) -> Table:
    chinese = say.code == "zh"
    rows: list[tuple[str, ...]] = []
    for tier in say.charter.tiers:
        if tier.paid_only:
            reach = "付费开通或由本店授予" if chinese else "paid membership, or given by the shop"
        elif tier.reach is None:
            reach = "入会即为" if chinese else "everybody, from joining on"
        else:
            reach = say.condition(tier.reach)
        keep = (
            say.condition(tier.keep)
            if tier.keep
            else ("同升级条件" if chinese else "as reached")
            if tier.reach
            else "–"
        )
        rows.append((getattr(tier.name, say.code), reach, keep, f"× {number(tier.multiplier)}"))
    columns = (
        ("等级", "达到条件", "保级条件", f"消费{say.points_name}倍数")
        if chinese
        else ("Tier", "Reached by", "Kept by", f"{say.called} on purchases")
    )
    return Table("tiers", say.titles["tiers"], columns, rows)


def _rules(say: English) -> list[Table]:
    """Rules for orders that give points; activities have their sentences."""
    chinese = say.code == "zh"
    rules = [r for r in say.charter.earning if r.kind != "activity" and r.gives == "points"]
    if not rules:
        return []
    columns = ("规则", "得", "每", "条件", "上限") if chinese else ("Rule", "Gives", "For each", "When", "At most")
    rows: list[tuple[str, ...]] = []
    for r in rules:
        gives = f"× {number(r.times)}" if r.kind == "multiply" else say.some(r.points)
        each = (
            say.money(r.per)
            if r.kind == "per_amount"
            else ("件" if chinese else "piece")
            if r.kind == "per_item"
            else "–"
        )
        when = say.when(r.when).strip(" ，,")
        more = " ".join(filter(None, (say.caps(r.caps, r).strip(), say.limits(r.limits).strip())))
        rows.append((getattr(r.name, say.code), gives, each, when or "–", more or "–"))
    return [Table("rules", say.titles["earning"], columns, rows)]


def _how(say: English) -> list[str]:
    """The order of computing, for whoever wants to do it with pencil and paper (docs/algorithms/earning.md)."""
    chinese = say.code == "zh"
    points = say.charter.points
    combine = {
        "multiply": ("相乘", "multiply one another"),
        "best": ("取最大的一个", "count only once, the largest"),
        "add": ("相加（多出的部分相加）", "add up (what each gives more is added)"),
    }[points.multipliers]
    rounding = {
        "floor": ("舍去", "dropped"),
        "half_up": ("四舍五入", "rounded half up"),
        "ceil": ("进位", "rounded up"),
    }[points.rounding]
    place = 0 if chinese else 1
    if chinese:
        return [
            say.base(),
            "按金额（或按件）的规则逐条计算，适用的相加，保留小数。",
            f"再乘以等级倍数与适用的倍数规则，多个倍数{combine[place]}。",
            f"小数部分{rounding[place]}，{'每单' if points.round_per == 'order' else '每行'}一次。",
            "最后加上适用的固定奖励。",
            *say.tier_before(),
        ]
    return [
        say.base(),
        "Every rule per amount (or per piece) that applies is computed and added, with its fraction.",
        f"The tier's multiplier and the multipliers that apply come next; several {combine[place]}.",
        f"The fraction is {rounding[place]}, once per {'order' if points.round_per == 'order' else 'line'}.",
        "Fixed bonuses that apply are added last.",
        *say.tier_before(),
    ]


# -- examples ---------------------------------------------------------------------------------------------------------


class _Case(NamedTuple):
    """A made-up purchase."""

    at: datetime
    amount: int
    tier: str
    before: int  # purchases the member made before
    goods: tuple[str, str, str] = ("", "", "")
    pieces: int = 1
    store: str = ""
    platform: str = ""
    channel: str = ""
    birthday: tuple[int, int, bool] | None = None
    returned: int = 0


class _Examples:
    """One plain purchase per tier, one for each rule that has conditions, one return: computed, not written."""

    def __init__(self, terms: Terms, say: English, since: date) -> None:
        self.terms, self.say, self.since = terms, say, since
        self.versions = Versions([(datetime(1970, 1, 1, tzinfo=UTC), terms)])
        self.names = {r.key: getattr(r.name, say.code) for r in terms.charter.earning}
        self.chinese = say.code == "zh"
        # Purchases made before an ordinary one: at least one, and no rule speaks of the next by its number.
        spoken = {n for r in terms.charter.earning for n in r.when.nth_purchases}
        self.before = next(n for n in count(1) if n + 1 not in spoken)

    def all(self) -> Iterator[Example]:
        lowest = self.terms.tiers[0].key
        plain = self._plain_day()
        shown: set[tuple] = set()
        for tier in self.terms.charter.tiers:
            case = _Case(plain, self._minor(AMOUNTS[0]), tier.key, before=self.before)
            yield self._told(case)
        for rule in self.terms.charter.earning:
            if rule.kind == "activity" or rule.gives != "points":
                continue
            found = self._case_for(rule, lowest)
            if (
                found is not None
                and found not in shown
                and found != _Case(plain, self._minor(AMOUNTS[0]), lowest, before=self.before)
            ):
                shown.add(found)
                yield self._told(found)
        case = _Case(plain, self._minor(AMOUNTS[0]), lowest, before=self.before)
        yield self._told(case._replace(returned=case.amount * 2 // 5))

    def _plain_day(self) -> datetime:
        """The first day from the beginning on of which no rule of the calendar speaks."""
        quiet = []
        for n in range(40):
            at = self._noon(self.since + timedelta(days=n))
            fold = self._fold(_Case(at, self._minor(AMOUNTS[0]), self.terms.tiers[0].key, before=self.before))
            effect = self._effect(fold)
            quiet.append((0 if effect is None else len(effect.why), n, at))
        return min(quiet)[2]

    def _case_for(self, rule: Earning, lowest: str) -> _Case | None:
        """A purchase in which this rule gives something; None where none was found (a rule that has ended)."""
        when = rule.when
        tier = when.tiers[0] if when.tiers else lowest
        goods = (when.categories[:1] or ("",))[0], (when.products[:1] or ("",))[0], (when.brands[:1] or ("",))[0]
        wanted = _Case(
            self._noon(self.since),
            0,
            tier,
            0 if when.first_purchase else when.nth_purchases[0] - 1 if when.nth_purchases else self.before,
            goods,
            max(1, when.min_pieces, 2 if rule.kind == "per_item" else 1),
            (when.stores[:1] or ("",))[0],
            (when.platforms[:1] or ("",))[0],
            (when.channels[:1] or ("",))[0],
        )
        start = max(self.since, when.from_date or self.since)
        hour = when.hours[0] if when.hours else 12
        amounts = [a for a in AMOUNTS if a >= when.min_amount] or [when.min_amount]
        for n in range(400):
            day = start + timedelta(days=n)
            at = self._noon(day, hour)
            birthday = (day.month, min(day.day, 28), False) if when.birthday else None
            case = wanted._replace(at=at, amount=self._minor(amounts[0]), birthday=birthday)
            effect = self._effect(self._fold(case))
            if effect is not None and any(w.get("rule") == rule.key for w in effect.why):
                return case
        return None

    def _fold(self, case: _Case) -> Fold:
        joined = case.at - BEFORE
        told: list[ev.Event] = [
            ev.Purchase(f"order:before:{n}", joined + timedelta(hours=n + 1), self._minor(Decimal(1)))
            for n in range(case.before)
        ]
        told.append(ev.TierGiven("tier:given", case.at - timedelta(hours=1), case.tier, None))
        sold = Sold(case.amount, case.pieces * 1000, case.returned)
        lines = (ev.GoodsLine(case.amount, *case.goods, sold.pieces_milli),)
        store, platform = case.store, case.platform
        parts = ev.Parts() if self.versions.needs_parts else None
        told.append(
            ev.Purchase("order:example", case.at, case.amount, lines, store, platform, case.channel, case.at, parts)
        )
        if case.returned:
            (came,) = came_back([sold], case.amount, [Money(case.returned)])
            told.append(
                ev.Refunded("refund:example", case.at + timedelta(days=2), "order:example", case.returned, *came)
            )
        birthdays = [(None, case.birthday)] if case.birthday else []
        return replay(self.versions, told, joined_at=joined, birthdays=birthdays)

    def _effect(self, fold: Fold, event: str = "order:example") -> Any:
        return next((e for e in fold.effects if e.event == event), None)

    def _told(self, case: _Case) -> Example:
        fold = self._fold(case)
        effect = self._effect(fold)
        rows = [] if effect is None else [self._row(w) for w in effect.why if "points" in w]
        given = 0 if effect is None else -effect.legs.get("issued", 0)
        after = ""
        lot = fold.books.lots.get("order:example")
        if lot is not None:
            first, last = lot.available_at.astimezone(self.terms.zone), lot.expires_at
            end = "" if last is None else f"{(last - timedelta(microseconds=1)).astimezone(self.terms.zone):%Y-%m-%d}"
            if self.chinese:
                after = f"自 {first:%Y-%m-%d} 起可用" + (f"，{end} 止。" if end else "，长期有效。")
            else:
                after = f"Usable from {first:%Y-%m-%d}" + (
                    f" until {end}, that day included." if end else "; they do not lapse."
                )
        if case.returned:
            back = self._effect(fold, "refund:example")
            taken = 0 if back is None else back.legs.get("issued", 0)
            rows.append((self._word("returned", money=self._money(case.returned)), f"−{taken:,}"))
            given -= taken
        return Example(self._story(case), rows, self.say.some(given), after)

    def _row(self, why: dict[str, Any]) -> tuple[str, str]:
        rule, points = why["rule"], why["points"]
        if rule == "rounding":
            return self._word("rounding"), points.replace("-", "−")
        if rule.startswith("tier:"):
            name = self.say.tier_names.get(rule.removeprefix("tier:"), rule)
        else:
            name = self.names.get(rule, rule)
        if "times" in why:
            name += f" × {why['times']}"
        elif "base" in why:
            name += f" · {self._money(why['base'])}"
        return name, points if points.startswith("-") else f"+ {points}"

    def _story(self, case: _Case) -> str:
        local = case.at.astimezone(self.terms.zone)
        tier = self.say.tier_names[case.tier]
        paid = self._money(case.amount)
        goods = "、".join(filter(None, case.goods)) if self.chinese else ", ".join(filter(None, case.goods))
        day = f"{local:%Y-%m-%d %H:%M}" if self.terms.needs_hour else f"{local:%Y-%m-%d}"
        week = self.say.weekdays[local.weekday()]
        if self.chinese:
            which = (
                "首次购买"
                if case.before == 0
                else f"第 {case.before + 1} 次购买"
                if case.before != self.before
                else "消费"
            )
            extra = (
                "，当天是其生日"
                if case.birthday and case.birthday[1] == local.day
                else "，当月是其生日月"
                if case.birthday
                else ""
            )
            text = f"{tier}于 {day}（{week}）{which}，实付 {paid}"
            text += f"（{goods}）" if goods else ""
            text += f"，共 {case.pieces} 件" if case.pieces > 1 else ""
            where = "、".join(filter(None, (case.store, case.platform, case.channel)))
            text += f"，在 {where}" if where else ""
            text += f"{extra}。"
            return text + (f"两天后退回 {self._money(case.returned)}。" if case.returned else "")
        which = (
            "buys for the first time"
            if case.before == 0
            else "buys"
            if case.before == self.before
            else f"buys for the {nth(case.before + 1)} time"
        )
        text = f"On {week} {day} a member of tier {tier} {which} and pays {paid}"
        text += f" for {goods}" if goods else ""
        text += f", {case.pieces} pieces" if case.pieces > 1 else ""
        where = ", ".join(filter(None, (case.store, case.platform, case.channel)))
        text += f" at {where}" if where else ""
        if case.birthday:
            text += "; it is their birthday" if case.birthday[1] == local.day else "; it is the month of their birthday"
        text += "."
        return text + (f" Two days later {self._money(case.returned)} of it are returned." if case.returned else "")

    def _word(self, key: str, **more: str) -> str:
        words = {
            "rounding": ("取整", "rounding"),
            "returned": ("退货 {money}，收回", "taken back for {money} returned"),
        }[key]
        return words[0 if self.chinese else 1].format(**more)

    def _money(self, minor: int) -> str:
        return money.show(minor, self.terms.currency)

    def _minor(self, amount: Decimal) -> int:
        return self.terms.minor(amount)

    def _noon(self, day: date, hour: int = 12) -> datetime:
        return datetime(day.year, day.month, day.day, hour, 0, tzinfo=self.terms.zone).astimezone(UTC)
