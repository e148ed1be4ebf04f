"""The pieces of the goods page: each view as one table whose figures open to their members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from shuke.doors.console import words
from shuke.doors.console.figure_table import Cell, Table
from shuke.insight.queries.goods import Wanted
from shuke.kit import money

VIEWS = ("hot", "slow", "opening", "together", "again", "ladder", "check")


def view_names() -> dict[str, str]:
    return {
        "hot": _("Hot"), "slow": _("Slow"), "opening": _("First baskets"), "together": _("Bought together"),
        "again": _("Due again"), "ladder": _("Need ladder"), "check": _("How good is it?"),
    }  # fmt: skip


def group_name(key: str) -> str:
    what, _colon, code = key.partition(":")
    if what == "all":
        return _("Everybody")
    return {"layer": words.layer, "stage": words.stage, "rfm": words.rfm_class}[what](code)


def behind(figure: str, level: str, item: str, other: str = "", group: str = "") -> str:
    asked = {"figure": figure, "level": level, "item": item} | ({"other": other} if other else {})
    asked |= {"group": group} if group not in ("", "all") else {}
    return reverse("console:insight-goods-members") + "?" + urlencode(asked)


def tables(told: dict[str, Any], view: str, group: str, currency: str) -> list[Table]:
    """The table, or tables, of one view."""
    makers: dict[str, Callable[[], list[Table]]] = {
        "hot": lambda: [_hot(told, group, currency)],
        "slow": lambda: [_slow(told, group)],
        "opening": lambda: [_opening(told)],
        "together": lambda: [_together(told)],
        "again": lambda: [_again(told)],
        "ladder": lambda: [_ladder(told)],
        "check": lambda: _check(told),
    }
    return [table._replace(rows=[_opened(row) for row in table.rows]) for table in makers[view]()]


def _opened(row: list[Cell]) -> list[Cell]:
    """Shares and expectations open to the members of the first count of their row."""
    first = next((cell for cell in row if cell.url), None)
    if first is None:
        return row
    return [
        row[0],
        *(
            cell._replace(url=cell.url or first.url, members=cell.members or first.members) if cell.number else cell
            for cell in row[1:]
        ),
    ]


def _figure(count: int, figure: str, told: dict[str, Any], item: str, other: str = "", group: str = "") -> Cell:
    return Cell(f"{count:,}", behind(figure, told["level"], item, other, group) if count else "", count)


def _name(text: str) -> Cell:
    return Cell(text, number=False)


def _percent(share: float | None, places: int = 1) -> Cell:
    return Cell("–" if share is None else f"{share:.{places}%}")


def _sure(surely: int) -> Cell:
    if surely > 0:
        return Cell(_("surely more"), number=False, tone="up")
    return Cell(_("surely less") if surely else "", number=False, tone="down" if surely else "")


def _group(told: dict[str, Any], group: str) -> dict[str, Any]:
    return next((one for one in told["groups"] if one["key"] == group), told["groups"][0])


def _hot(told: dict[str, Any], group: str, currency: str) -> Table:
    chosen = _group(told, group)
    whole = chosen["key"] == "all"
    rows = []
    for r in chosen["hot"]:
        buyers = _figure(r["buyers"], "bought", told, r["item"], group=chosen["key"])
        rows.append(
            [_name(r["item_name"]), buyers, _percent(r["share"]), _percent(r["share_of_others"]), _sure(r["surely"]),
             Cell(money.show(r["net"], currency))]
        )  # fmt: skip
    heads = [
        (_("Product or kind"), False),
        (_("Buyers"), True),
        (_("of the group"), True),
        (_("of others"), True),
        ("", False),
        (_("Net amount"), True),
    ]
    if whole:
        rows = [[row[0], row[1], row[2], row[5]] for row in rows]
        heads = [heads[0], heads[1], (_("of all buyers"), True), heads[5]]
    return Table(
        _("Hot: most buyers within 90 days"), heads, rows,
        _("Members who bought the goods within 90 days and kept them. Sorted by buyers, so that one wholesaler makes nothing hot. Surely: the difference to all other members is above two standard errors."),
    )  # fmt: skip


def _slow(told: dict[str, Any], group: str) -> Table:
    chosen = _group(told, group)
    rows = [
        [_name(r["item_name"]), Cell(f"{r['before']:,}"), Cell(f"{r['expected']:,.0f}"), Cell(f"{r['bought']:,}"),
         Cell(f"−{r['missing']:,.0f}", behind("stopped", told["level"], r["item"], group=chosen["key"]), 1, tone="down"),
         Cell(r["last_day"], number=False)]
        for r in chosen["slow"]
    ]  # fmt: skip
    return Table(
        _("Slow: sells surely less than before"),
        [(_("Product or kind"), False), (_("90 days before"), True), (_("Expected"), True), (_("Bought"), True), (_("Missing"), True), (_("Last sold"), False)],
        rows,
        _("Buying days within 90 days against the 90 days before, moved as all goods moved. Shown when what is missing is above two standard errors; those who stopped are behind the figure."),
    )  # fmt: skip


def _opening(told: dict[str, Any]) -> Table:
    opened = told["opening"]
    rows = [
        [_name(r["item_name"]), _figure(r["begun"], "began", told, r["item"]), _percent(r["share"]), _percent(r["share_later"]),
         _figure(r["again"], "returned", told, r["item"]), _percent(r["rate"]), Cell(f"{r['low']:.0%}–{r['high']:.0%}"), _percent(r["others"]), _sure(r["surely"])]
        for r in opened["items"]
    ]  # fmt: skip
    note = _(
        "%(judged)s beginners judged, %(again)s came again within %(days)s days. Left out: %(new)s began later than that, %(unseen)s were there when the history begins."
    ) % {
        "judged": f"{opened['judged']:,}", "again": f"{opened['again']:,}", "days": opened["follow_days"],
        "new": f"{opened['too_new']:,}", "unseen": f"{opened['unseen']:,}",
    }  # fmt: skip
    return Table(
        _("What opens a relation, and what keeps it"),
        [(_("First basket held"), False), (_("Members"), True), (_("of beginners"), True), (_("in later baskets"), True), (_("Came again"), True),
         (_("Rate"), True), (_("95 %"), True), (_("Others"), True), ("", False)],
        rows,
        _("Who bought these goods on their first day, and how many of them bought again on another day. Others: the rate of those who began without them. Surely is judged as strictly as there are goods in the table."),
        note,
    )  # fmt: skip


def _together(told: dict[str, Any]) -> Table:
    both = told["together"]
    rows = [
        [_name(f"{r['item_name']} + {r['with_name']}"), Cell(f"{r['both']:,}", behind("together", told["level"], r["item"], r["with"]), 1),
         Cell(f"{r['with_first']:,}"), Cell(f"{r['with_second']:,}"), _percent(r["support"], 2), _percent(r["confidence"]),
         Cell(f"{r['lift']:.2f}"), Cell(f"+{r['extra']:,.0f}")]
        for r in both["pairs"]
    ]  # fmt: skip
    return Table(
        _("Bought together"),
        [(_("Product or kind"), False), (_("Orders with both"), True), (_("with the first"), True), (_("with the second"), True), (_("Support"), True),
         (_("Confidence"), True), (_("Lift"), True), (_("Extra orders"), True)],
        rows,
        _("Sorted by extra orders: those with both beyond what chance alone brings together. Never by lift, which favours what is rare. Behind the figure: members with such an order."),
        _("Of %(orders)s orders; %(pairs)s pairs are above chance.") % {"orders": f"{both['orders']:,}", "pairs": f"{both['all']:,}"},
    )  # fmt: skip


def _again(told: dict[str, Any]) -> Table:
    due = told["again"]
    rows = [
        [_name(r["item_name"]), Cell("–" if r["gap"] is None else f"{r['gap']:.0f}"), Cell(f"{r['buyers']:,}"),
         _percent(r["again"] / r["buyers"] if r["buyers"] else None), _figure(r["due"], "due", told, r["item"]), _figure(r["overdue"], "overdue", told, r["item"])]
        for r in due["items"]
    ]  # fmt: skip
    return Table(
        _("Due again"),
        [(_("Product or kind"), False), (_("Usual gap, days"), True), (_("Buyers"), True), (_("bought again"), True), (_("Due now"), True), (_("Overdue"), True)],
        rows,
        _("When members need again what they buy again: by the member's own gap for the goods, drawn to the goods' usual gap. Due from three quarters of that gap on, overdue above one and a half."),
        _("%(due)s members have something due, %(late)s something overdue.") % {"due": f"{due['members_due']:,}", "late": f"{due['members_overdue']:,}"},
    )  # fmt: skip


def _ladder(told: dict[str, Any]) -> Table:
    rows = [
        [_name(f"{r['from_name']} → {r['to_name']}"), _figure(r["satisfied"], "satisfied", told, r["from"]), Cell(f"{r['steppers']:,}"),
         _figure(r["went"], "step", told, r["from"], r["to"]), _percent(r["share"]), Cell(f"{r['expected']:,.0f}"), Cell(f"{r['days']:.0f}")]
        for r in told["ladder"]
    ]  # fmt: skip
    return Table(
        _("Need ladder"),
        [(_("From → to"), False), (_("Satisfied"), True), (_("of them took up something new"), True), (_("of these, this"), True), ("%", True), (_("Expected"), True), (_("Days later"), True)],
        rows,
        _("What members took up next who were satisfied: they kept the goods and bought them again. Expected: if they were like all satisfied members who had not had the second yet. Shown are ways far above that."),
    )  # fmt: skip


def _method(name: str) -> str:
    return {
        "bestsellers": _("Bestsellers"), "own_count": _("Own count"), "again": _("Due again"), "basket": _("Like baskets"),
        "customer": _("Like customers"), "both": _("Both"), "lift": _("Lift alone"),
    }[name]  # fmt: skip


def _check(told: dict[str, Any]) -> list[Table]:
    found = told.get("check") or {"splits": [], "earned": "bestsellers"}
    if found["earned"] == "bestsellers":
        note = _(
            "For goods new to a member nothing is surely better than bestsellers in this shop: bestsellers are shown, and named so."
        )
    else:
        note = _(
            "For goods new to a member “%(method)s” hits surely more often than bestsellers in this shop, and is shown."
        ) % {"method": _method(found["earned"])}
    tested = _("Tested on %(day)s, and anew every four weeks") % {"day": found["made_on"]} if "made_on" in found else ""
    shown = []
    for kind, title in (
        ("every", _("Any goods: hit rate of ten")),
        ("new", _("Goods new to the member: hit rate of ten")),
    ):
        methods = [rate["method"] for rate in found["splits"][0][kind]] if found["splits"] else []
        rows = [
            [_name(f"{one['cut']}, " + (_("%(n)s days") % {"n": one["within"]} if one["within"] else _("next day"))), Cell(f"{one[kind][0]['members']:,}")]
            + [
                Cell(f"{rate['rate']:.1%}", tone="up" if rate["surely"] > 0 else "down" if rate["surely"] else "")
                for rate in one[kind]
            ]
            for one in found["splits"]
        ]  # fmt: skip
        shown.append(
            Table(
                title, [(_("Known up to, counted"), False), (_("Members"), True), *((_method(m), True) for m in methods)], rows,
                _("Ten goods are named to each member with what was known on that day; a hit is at least one of them bought on the next day with a purchase. Green: surely better than bestsellers, red: surely worse."),
                note if kind == "new" else tested,
            )
        )  # fmt: skip
    return shown


def card(wanted: Wanted) -> list[tuple[str, str, str, str]]:
    """(what, name, why, tone) of what a member needs next: what is due first, a step up the ladder, then what is new."""
    lines = []
    for one in sorted((o for o in wanted.again if o.state in ("due", "overdue")), key=lambda o: o.due or wanted.as_of)[
        :2
    ]:
        tone = "warn" if one.state == "overdue" else ""
        why = _("due %(day)s; bought %(times)s times, about every %(days)s days")
        lines.append(
            (_("Buys again"), one.name, why % {"day": one.due, "times": one.times, "days": f"{one.gap_days:.0f}"}, tone)
        )
    for one in wanted.ladder[:1]:
        lines.append((_("One step further"), one.name, _("after %(other)s") % {"other": one.because}, ""))
    for one in wanted.new[:1]:
        why = (
            _("%(members)s members bought it and %(other)s") % {"members": one.buyers, "other": one.because}
            if one.because
            else _("a bestseller")
        )
        lines.append((_("New and likely"), one.name, why, ""))
    return lines
