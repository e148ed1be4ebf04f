"""The pieces of the pages Value and How good is this: tables whose figures open to their members, and two charts."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from shuke.doors.console import charts, words
from shuke.doors.console.figure_table import BLANK, Cell, Table, figure, name
from shuke.doors.console.words import percent_of
from shuke.engine.insight import chances
from shuke.engine.insight.value_words import about
from shuke.kit import money

FRAME = charts.Frame(720, 260, 44, 8, 12, 34)
SQUARE = charts.Frame(420, 380, 48, 12, 12, 44)


def members_url(*pairs: tuple[str, str]) -> str:
    return reverse("console:members") + "?" + urlencode(pairs)


def band(low: int | None, high: int | None, currency: str) -> str:
    """“about 120–260”: two figures, whole units."""
    if low is None or high is None:
        return BLANK
    ends = [_whole(about(one, currency), currency) for one in (low, high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} – {ends[1]}"


def tables(told: dict[str, Any]) -> list[Table]:
    """Who will buy, what is expected by layer and by band, who is expected to spend most."""
    found = [_chances(told)]
    if told["layers"]:
        found += [_layers(told), _bands(told), _top(told)]
    return found


def _chances(told: dict[str, Any]) -> Table:
    rows = []
    for word in chances.BANDS:
        cells = [name(words.chance(word))]
        for days in chances.DAYS:
            count = told["bands"][str(days)][word]
            cells.append(figure(f"{count:,}", members_url(("chance", f"{days}-{word}")), count, count))
        rows.append(cells)
    meaning = _(
        "Likely: a chance of %(likely)s %% or more to buy within so many days; possible: from %(possible)s %% on; unlikely: below."
        " From how often and how lately each member bought, put right by what came of earlier chances in this shop."
    )
    bounds = {"likely": chances.LIKELY_FROM // 10, "possible": chances.POSSIBLE_FROM // 10}
    heads = [(_("Members"), False), (_("within 30 days"), True), (_("within 90 days"), True)]
    return Table(_("Who will buy"), heads, rows, meaning % bounds, key="chances")


def _layers(told: dict[str, Any]) -> Table:
    currency, rows = told["currency"], []
    for row in told["layers"]:
        url = members_url(("layer", row["layer"]), ("expects_from", "0"), ("sort", "-expects"))
        spend = row["spend"]
        rows.append(
            [
                name(row["name"]),
                figure(f"{row['members']:,}", url, row["members"], row["members"]),
                Cell(f"{row['orders']:,}", value=row["orders"], plain="measure"),
                Cell(_whole(spend["expected"], currency), value=_major(spend["expected"], currency), plain="measure"),
                Cell(f"{_whole(spend['low'], currency)} – {_whole(spend['high'], currency)}", plain="measure"),
            ]
        )
    heads = [
        (_("Layer"), False), (_("Members"), True), (_("Orders"), True), (_("Expected spend"), True), (_("Four times of five"), True),
    ]  # fmt: skip
    meaning = _(
        "Net spend expected of today's members within 12 months, by the layer they are in. Newcomers are not in it. The band holds what"
        " the draw of members, chance, and the miss of the tests on the past may change."
    )
    return Table(_("Expected spend by layer, 12 months"), heads, rows, meaning, key="layers")


def _bands(told: dict[str, Any]) -> Table:
    currency, rows = told["currency"], []
    for row in told["spend_bands"]:
        pairs = [("expects_from", str(row["from"]))] + ([("expects_to", str(row["to"]))] if row["to"] else [])
        label = _("%(low)s and more") if row["to"] is None else _("%(low)s to %(high)s")
        ends = {"low": _whole(row["from"], currency), "high": _whole(row["to"] or 0, currency)}
        rows.append(
            [
                name(label % ends),
                figure(
                    f"{row['members']:,}", members_url(*pairs, ("sort", "-expects")), row["members"], row["members"]
                ),
                Cell(_whole(row["spend"], currency), value=_major(row["spend"], currency), plain="measure"),
            ]
        )
    heads = [(_("Expected of each"), False), (_("Members"), True), (_("Together"), True)]
    meaning = _("Net spend expected of each member within 12 months, in bands at round amounts.")
    return Table(_("Expected spend, 12 months"), heads, rows, meaning, key="bands")


def _top(told: dict[str, Any]) -> Table:
    currency, rows = told["currency"], []
    for row in told["top"]:
        rows.append(
            [
                name(row["name"], reverse("console:member", args=[row["member"]])),
                Cell(f"{row['says_30']} · {percent_of(row['chance_30'])}", number=False, value=row["chance_30"] / 1000),
                Cell(band(row["low"], row["high"], currency), value=_major(row["expected_spend"], currency), plain="measure"),
                Cell(_whole(row["year_net_minor"], currency), value=_major(row["year_net_minor"], currency), plain="measure"),
            ]
        )  # fmt: skip
    heads = [
        (_("Member"), False),
        (_("within 30 days"), False),
        (_("Expected in 12 months"), True),
        (_("Last 365 days"), True),
    ]
    meaning = _(
        "The members of whom most spend is expected. The band is what half of the members of such an expectation really spent when it was tested."
    )
    return Table(_("Most is expected of"), heads, rows, meaning, key="top")


def methods(test: dict[str, Any]) -> Table:
    """The model beside the plain rules it has to beat."""
    rows = [
        [
            name(("✓ " if one["shown"] else "") + one["says"]),
            _number(one["expected"], 0), _percent(one["ratio"]), _number(one["mae"], 2), _number(one["spearman"], 3),
            _number(one["gini"], 3), _percent(one["capture"]), _percent(one["money_ratio"]), _percent(one["money_capture"]),
        ]
        for one in test["methods"]
    ]  # fmt: skip
    heads = [
        (_("Way"), False), (_("Orders expected"), True), (_("of what came"), True), (_("Mean error"), True), (_("Order of members"), True),
        (_("Concentration found"), True), (_("Best fifth brought"), True), (_("Money, of what came"), True), (_("Best fifth, money"), True),
    ]  # fmt: skip
    meaning = _(
        "Each way was given only what was known on the first day and then compared with what came. Mean error: orders by which a member was"
        " missed (MAE). Order of members: 1 is perfect (Spearman). Concentration found: normalised Gini, 1 is perfect. Best fifth: the share"
        " of all orders, or of money, that came from the fifth ranked highest. ✓ is what is shown on the pages."
    )
    return Table(_("The model against plain rules"), heads, rows, meaning, key="methods")


def deciles(test: dict[str, Any]) -> Table:
    rows = [
        [name(f"{i}"), Cell(f"{n:,}", value=n, plain="measure"), _number(expected, 2), _number(came, 2)]
        for i, (n, expected, came) in enumerate(test["deciles"], 1)
    ]
    heads = [(_("Tenth"), False), (_("Members"), True), (_("Expected orders each"), True), (_("Came, each"), True)]
    meaning = _("Members known on the first day, in ten parts by the orders expected of them; the first tenth most.")
    return Table(_("Expected and come, by tenths of members"), heads, rows, meaning, key="deciles")


def chance_table(one: dict[str, Any]) -> Table:
    rows = [
        [name(f"{i}"), Cell(f"{n:,}", value=n, plain="measure"), _percent(stated), _percent(came)]
        for i, (n, stated, came) in enumerate(one["tenths"], 1)
    ]
    heads = [(_("Tenth"), False), (_("Members"), True), (_("Stated chance"), True), (_("Bought in the end"), True)]
    meaning = _(
        "Members in ten parts by the chance stated on %(day)s, and the share of each that bought within the %(days)s days after."
    )
    told = {"day": one["from"], "days": one["days"]}
    title = _("Does a stated chance come true? %(days)s days") % told
    return Table(title, heads, rows, meaning % told, key=f"chance-{one['days']}")


class Pair(NamedTuple):
    label: str
    expected: charts.Bar
    came: charts.Bar
    said: str


def decile_chart(test: dict[str, Any]) -> dict[str, Any]:
    """Two bars for each tenth: what was expected, what came."""
    rows = test["deciles"]
    top, step = charts.nice_top(max((max(one[1], one[2]) for one in rows), default=0))
    slot = FRAME.inner_width / max(len(rows), 1)
    pairs = []
    for i, (_members, expected, came) in enumerate(rows):
        bars = []
        for side, value in enumerate((expected, came)):
            share, left = min(max(value / top, 0.0), 1.0), FRAME.left + slot * (i + 0.12 + 0.4 * side)
            bars.append(
                charts.Bar(
                    charts.one(left), charts.one(FRAME.y(share)), charts.one(slot * 0.36), charts.one(share * FRAME.inner_height),
                    charts.one(FRAME.left + slot * (i + 0.5)), value,
                )
            )  # fmt: skip
        said = _("Tenth %(n)s: expected %(expected)s, came %(came)s orders each") % {
            "n": i + 1, "expected": f"{expected:.2f}", "came": f"{came:.2f}",
        }  # fmt: skip
        pairs.append(Pair(str(i + 1), bars[0], bars[1], said))
    return {
        "frame": FRAME, "pairs": pairs, "end": charts.one(FRAME.width - FRAME.right), "label_y": charts.one(FRAME.height - 12),
        "ticks": [(tick.at, f"{tick.value:g}") for tick in charts.ticks(top, step, FRAME)],
    }  # fmt: skip


def reliability_chart(one: dict[str, Any]) -> dict[str, Any]:
    """A point for each tenth: the chance stated, the share that bought. On the line all would be true."""
    dots = [
        {
            "x": charts.one(SQUARE.x(stated)),
            "y": charts.one(SQUARE.y(came)),
            "said": f"{stated:.0%} → {came:.0%} ({n:,})",
        }
        for n, stated, came in one["tenths"]
    ]
    marks = [(charts.one(SQUARE.x(i / 4)), charts.one(SQUARE.y(i / 4)), f"{i * 25} %") for i in range(5)]
    return {
        "frame": SQUARE, "dots": dots, "marks": marks, "left": charts.one(SQUARE.left), "right": charts.one(SQUARE.x(1)),
        "top": charts.one(SQUARE.y(1)), "bottom": charts.one(SQUARE.y(0)), "label_y": charts.one(SQUARE.y(0) + 20),
        "title_y": charts.one(SQUARE.height - 4), "middle": charts.one(SQUARE.x(0.5)),
    }  # fmt: skip


BADGE = {
    "months": lambda: _("months of history"),
    "repeaters": lambda: _("members who bought on more than one day"),
    "identified": lambda: _("of revenue with a known member"),
    "silence": lambda: _("days since the last order"),
}


def badge_lines(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(light, figure, what) of each part of the data badge."""
    found = []
    for part in told["badge"]["parts"]:
        value = part["value"]
        shown = BLANK if value is None else f"{value:.0%}" if part["key"] == "identified" else f"{value:,.0f}"
        found.append((part["light"], shown, BADGE[part["key"]]()))
    return found


def _number(value: float | None, places: int) -> Cell:
    return (
        Cell(BLANK, plain="measure")
        if value is None
        else Cell(f"{round(value, places) + 0.0:,.{places}f}", value=round(value, 4), plain="measure")
    )


def _percent(value: float | None) -> Cell:
    return (
        Cell(BLANK, plain="measure") if value is None else Cell(f"{value:.1%}", value=round(value, 4), plain="measure")
    )


def _major(minor: int, currency: str) -> float:
    return minor / 10 ** money.digits(currency)


def _whole(minor: int, currency: str) -> str:
    """An amount without its small change."""
    unit = 10 ** money.digits(currency)
    text = money.show(round(minor / unit) * unit, currency)
    return text.partition(".")[0] if unit > 1 else text
