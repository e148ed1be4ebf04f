"""The tables of the pages Profit, Retention budget and Loyalty types: each figure opens to its members."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from shuke.doors.console import tiers, words
from shuke.doors.console.access import StaffRequest
from shuke.doors.console.figure_table import BLANK, Cell, Table, figure, name
from shuke.engine.insight import profit_words, traits
from shuke.engine.insight.profit import KINDS
from shuke.insight.queries.filters import NOT_STATED
from shuke.insight.queries.profit import Told
from shuke.insight.queries.profit_inputs import Terms
from shuke.kit import money

GROUPS = ("tier", "layer", "rfm")


def members_url(*pairs: tuple[str, str]) -> str:
    return reverse("console:members") + "?" + urlencode(pairs)


def percent(permille: int | None) -> str:
    return BLANK if permille is None else f"{permille / 10:.0f} %"


def assumed(text: str) -> str:
    return _("%(figure)s (assumption)") % {"figure": text}


def terms_said(terms: Terms) -> list[tuple[str, str]]:
    """Margin, uplift and years with their labels; what nobody stated or measured is named an assumption."""
    margin, uplift, years = percent(terms.margin), percent(terms.uplift), f"{terms.years_tenths / 10:g}"
    return [
        (_("Margin of all other goods"), assumed(margin) if terms.margin_assumed else margin),
        (_("Uplift: of those who would leave, an effort keeps"), f"{uplift} ({terms.uplift_source})" if terms.uplift_source else assumed(uplift)),
        (_("Years of the plain formula"), assumed(years) if terms.years_assumed else years),
    ]  # fmt: skip


class Tables:
    """Builds tables from one report, in one reader's language and the shop's currency."""

    def __init__(self, request: StaffRequest, told: dict[str, Any]) -> None:
        self.request, self.told, self.currency = request, told, told["currency"]

    def _money(self, minor: int) -> Cell:
        return Cell(money.show(minor, self.currency), value=minor / 10 ** money.digits(self.currency), plain="measure")

    def _opens(self, minor: int, members: int, *pairs: tuple[str, str]) -> Cell:
        text = money.show(minor, self.currency)
        return figure(text, members_url(*pairs), members, minor / 10 ** money.digits(self.currency))

    def profit(self, by: str) -> list[Table]:
        return [self._whole(), self._groups(by)]

    def _whole(self) -> Table:
        whole, costs = self.told["whole"], self.told["with_costs"]
        rows = [
            [
                name(_("Net amount")),
                self._opens(whole["year"]["net"], whole["buyers"], ("bought", "year")),
                self._money(whole["ever"]["net"]),
            ]
        ]
        rows.append([name(_("Margin")), self._money(whole["year"]["margin"]), self._money(whole["ever"]["margin"])])
        rows += [
            [
                name("− " + words.said(profit_words.COSTS[kind])),
                self._opens(whole["year"][kind], costs[kind], ("cost", kind)),
                self._money(whole["ever"][kind]),
            ]
            for kind in KINDS
        ]
        total = [name(_("Profit")), self._money(whole["year"]["profit"]), self._money(whole["ever"]["profit"])]
        meanings = " ".join(
            f"{words.said(profit_words.COSTS[kind])}: {words.said(profit_words.COST_MEANINGS[kind])}" for kind in KINDS
        )
        meaning = " ".join((
            _("Margin of what members bought and kept, less what was spent on them."),
            _("Coupons and points used at the till lower the margin by all they took off: goods cost no less for it."),
            meanings,
        ))  # fmt: skip
        return Table(
            _("What members brought and cost"), [(_("What"), False), (_("365 days"), True), (_("Ever"), True)], rows, meaning, key="profit", total=total
        )  # fmt: skip

    def _groups(self, by: str) -> Table:
        shown = {"tier": lambda code: tiers.look(self.request, code)[0], "layer": words.layer, "rfm": words.rfm_class}[
            by
        ]
        rows = []
        found = {
            code: one for one in self.told["groups"] for what, _, code in [one["key"].partition(":")] if what == by
        }
        in_none = _("nothing bought yet") if by == "rfm" else _("No tier")
        highest_first = [*reversed(tiers.every(self.request))] if by == "tier" else []
        for code in sorted(found, key=lambda code: highest_first.index(code) if code in highest_first else len(found)):
            one = found[code]
            rows.append([
                name(shown(code) if code else in_none), figure(f"{one['members']:,}", self._behind(by, code), one["members"], one["members"]),
                *self._sums(one["year"], one["members"]),
            ])  # fmt: skip
        heads = [
            (_("Group"), False),
            (_("Members"), True),
            (_("Net amount"), True),
            (_("Margin"), True),
            (_("Costs"), True),
            (_("Profit"), True),
            (_("per member"), True),
        ]
        return Table(
            _("By group, 365 days"),
            heads,
            rows,
            _("Members as they stand today; what they bought and cost within 365 days."),
            key="groups",
        )

    def _behind(self, by: str, code: str) -> str:
        """The list of a group; those in no class are those who never bought."""
        if by == "rfm" and not code:
            return members_url(("joined", f"..{self.told['as_of']}"), ("bought", "never"))
        return members_url((by, code or NOT_STATED))

    def _sums(self, year: dict[str, int], members: int) -> list[Cell]:
        spent = sum(year[kind] for kind in KINDS)
        each = year["profit"] // members if members else 0
        return [
            self._money(year["net"]),
            self._money(year["margin"]),
            self._money(spent),
            self._money(year["profit"]),
            self._money(each),
        ]

    def members(
        self, title: str, listed: list[Told], meaning: str, key: str, *, budget: bool = False, empty: str = ""
    ) -> Table:
        heads = [(_("Member"), False), (_("Profit, 365 days"), True)]
        heads += (
            [(_("Chance to leave"), True), (_("If they stay, a year is worth"), True), (_("Budget"), True)]
            if budget
            else []
        )
        heads += [(_("Why"), False)]
        rows = []
        for one in listed:
            row = [
                name(str(one.member), reverse("console:member", args=[one.member.pk])),
                self._money(one.row.year_profit_minor),
            ]
            if budget:
                row += [
                    Cell(percent(one.row.leaving_permille), plain="measure"),
                    self._money(one.row.worth_minor or 0),
                    self._money(one.row.budget_minor or 0),
                ]
            rows.append([*row, name(" ".join(reasons(one, self.currency)))])
        return Table(title, heads, rows, meaning, key=key, empty=empty)

    def budgets(self) -> Table:
        rows = []
        for one in self.told["budgets"]:
            code = one["key"] or "unknown"
            money_of = (
                [self._money(one[what]) for what in ("worth", "low", "budget", "high")]
                if one["key"]
                else [name("")] * 4
            )
            rows.append([
                name(words.said(profit_words.ADVICE[one["key"]])),
                figure(f"{one['members']:,}", members_url(("advice", code)), one["members"], one["members"]),
                *money_of, name(words.said(profit_words.ADVICE_MEANINGS[one["key"]])),
            ])  # fmt: skip
        heads = [
            (_("Advice"), False), (_("Members"), True), (_("If they stay, a year is worth"), True), (_("from"), True), (_("Budget"), True), (_("to"), True), (_("What it means"), False),
        ]  # fmt: skip
        meaning = _(
            "Budget = uplift × chance to leave × what a year with the member is worth (spend if they stay × margin less rewards, less care and service). The band is that of the expected spend. Below 0: that much would be lost by keeping them."
        )
        return Table(_("What it is worth at most to keep members"), heads, rows, meaning, key="budgets")

    def types(self) -> list[Table]:
        return [
            self._kinds("types", "loyalty", _("Why members come back"), profit_words.TYPES, profit_words.TYPE_MEANINGS),
            self._kinds("qualities", "quality", _("Quality and costly members"), profit_words.QUALITIES, profit_words.QUALITY_MEANINGS),
        ]  # fmt: skip

    def _kinds(self, key: str, filter_name: str, title: str, names: Any, meanings: Any) -> Table:
        whole = max(self.told["whole"]["members"], 1)
        rows = [
            [
                name(words.said(names[one["key"]])),
                figure(f"{one['members']:,}", members_url((filter_name, one["key"] or "none")), one["members"], one["members"]),
                Cell(f"{one['members'] / whole:.1%}", plain="measure"), self._money(one["year"]["net"]), self._money(one["year"]["profit"]),
                name(words.said(meanings[one["key"]])),
            ]
            for one in self.told[key]
        ]  # fmt: skip
        heads = [
            ("", False),
            (_("Members"), True),
            ("%", True),
            (_("Net amount"), True),
            (_("Profit"), True),
            (_("What it means"), False),
        ]
        heads[0] = (_("Type") if key == "types" else _("Quality"), False)
        return Table(
            title,
            heads,
            rows,
            _("Of 365 days. Every member is in one; the reasons stand on the member's page."),
            key=key,
        )

    def price(self) -> Table | None:
        """How well price sensitivity repeats itself in this shop."""
        price = self.told["price"]
        if price is None:
            return None
        rows = [
            [
                name(_("at least %(n)s") % {"n": least}), Cell(f"{price['halves'][least]['members']:,}", plain="measure"),
                Cell(BLANK if price["halves"][least]["r"] is None else f"{price['halves'][least]['r']:.2f}", plain="measure"),
            ]
            for least in ("1", str(traits.ORDERS_NEEDED))
        ]  # fmt: skip
        measures = self.told["measures"]
        note = _("Members buy %(mean)s on promotion. From %(cut)s on somebody comes for the price, up to %(low)s they pay full price. It is told of the %(n)s members with ten orders or more.") % {
            "mean": percent(measures["price_mean"]), "cut": percent(measures["price_cut"]), "low": percent(measures["price_low"]), "n": f"{price['published']:,}",
        }  # fmt: skip
        return Table(
            _("Price sensitivity: is it a trait here?"), [(_("Orders in each half"), False), (_("Members"), True), (_("Correlation"), True)], rows,
            _("The share bought on promotion in the first half of each member's orders against the second half. Near 1: members are like that; near 0: it is chance."),
            note, key="price",
        )  # fmt: skip


def reasons(told: Told, currency: str) -> list[str]:
    return [
        profit_words.reason(code, figures, words.language(), lambda minor: money.show(minor, currency))
        for code, figures in told.reasons
    ]


def said_by_hand(attributes: dict[str, Any]) -> list[tuple[str, str]]:
    """What the member said of themselves; what nobody told is said to be not known."""
    return [
        (
            words.said(label),
            str(attributes[key]) if attributes.get(key) not in (None, "") else words.said(profit_words.NOT_KNOWN),
        )
        for key, label in profit_words.SAID_BY_HAND.items()
    ]


def member_words(found: Told | None, currency: str) -> dict[str, Any]:
    """Type, quality, advice and reasons of one member in words."""
    if found is None:
        return {}
    row = found.row
    return {
        "kind": words.said(profit_words.TYPES[row.loyalty]),
        "quality": words.said(profit_words.QUALITIES[row.quality]) if row.quality else "",
        "advice": words.said(profit_words.ADVICE[row.advice]),
        "advice_means": words.said(profit_words.ADVICE_MEANINGS[row.advice]),
        "reasons": reasons(found, currency),
        "leaving": percent(row.leaving_permille),
    }
