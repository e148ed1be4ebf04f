"""`shuke insight rfm|pyramid|lifecycle|kpi`: the figures of a day's snapshot."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language

RATES = ("_rate",)


@click.group("insight", help=_("RFM, pyramid, life cycle and key figures, as of the last night run."))
def command() -> None:
    """The figures of a day."""


DAY = click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help=_("as of this day; default: the latest there is")
)


def figures_of(desk: Desk, day: datetime | None) -> dict[str, Any]:
    """The snapshot's figures; refuses when there is none."""
    from shuke.insight.queries import figures

    found = figures.on(desk.merchant, day.date()) if day else figures.latest(desk.merchant)
    if found is None:
        raise Refused(_("There are no figures yet: they are made at night. Run `shuke night` to have them now."))
    return found


def said(words: Any) -> str:
    return words.said("zh" if language() == "zh-hans" else "en")


def share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


@declared(
    "rfm",
    _("The eight RFM classes with what to do about each, and the map of recency and frequency."),
    "shuke insight rfm",
    group=command,
)
@DAY
def rfm(desk: Desk, day: datetime | None) -> None:
    from shuke.engine.insight import wording

    told = figures_of(desk, day)
    if desk.as_json:
        desk.json({"as_of": told["as_of"], **told["rfm"]})
        return
    classes = told["rfm"]["classes"]
    whole, money = sum(c["count"] for c in classes), sum(c["net_minor"] for c in classes)
    desk.table(
        ["", _("class"), _("members"), "%", _("spent"), "%", _("what to do")],
        [
            (
                c["code"],
                said(wording.RFM_NAMES[c["code"]]),
                c["count"],
                share(c["count"], whole),
                desk.money(c["net_minor"]),
                share(c["net_minor"], money),
                said(wording.RFM_STRATEGIES[c["code"]]),
            )
            for c in classes
        ],
        title=_("RFM classes on {day}").format(day=told["as_of"]),
        right=(2, 3, 4, 5),
    )
    cells = {(cell["r"], cell["f"]): cell["count"] for cell in told["rfm"]["map"]}
    desk.table(
        [_("recency ↓ frequency →"), *(f"F{f}" for f in range(1, 6))],
        [(f"R{r}", *(cells.get((r, f), 0) for f in range(1, 6))) for r in range(5, 0, -1)],
        right=(1, 2, 3, 4, 5),
    )


@declared(
    "pyramid",
    _("The pyramid of members, how firmly they hold to the shop, and what the best of them bring."),
    "shuke insight pyramid",
    group=command,
)
@DAY
def pyramid(desk: Desk, day: datetime | None) -> None:
    from shuke.engine.insight import wording

    told = figures_of(desk, day)
    if desk.as_json:
        desk.json({"as_of": told["as_of"], **told["pyramid"]})
        return
    layers = told["pyramid"]["layers"]
    whole, money = sum(x["count"] for x in layers), sum(x["net_minor"] for x in layers)
    desk.table(
        [_("layer"), _("members"), "%", _("spent in a year"), "%", _("from")],
        [
            (
                said(wording.LAYERS[x["layer"]]),
                x["count"],
                share(x["count"], whole),
                desk.money(x["net_minor"]),
                share(x["net_minor"], money),
                desk.money(x["from_minor"]),
            )
            for x in layers
        ],
        title=_("Pyramid on {day}").format(day=told["as_of"]),
        right=(1, 2, 3, 4, 5),
    )
    bonds = told["pyramid"].get("bonds", [])
    if bonds:
        desk.table(
            [_("loyalty layer"), _("members"), "%", _("spent in a year"), _("meaning")],
            [
                (
                    said(wording.BONDS[x["bond"]]),
                    x["count"],
                    share(x["count"], whole),
                    desk.money(x["net_minor"]),
                    said(wording.BOND_MEANINGS[x["bond"]]),
                )
                for x in bonds
            ],
            right=(1, 2, 3),
        )
    top = told["pyramid"]["top20_share"]
    if top is not None:
        desk.say(_("The best 20 % of buyers bring {share} of what members spend.").format(share=f"{top:.1%}"))


@declared(
    "lifecycle",
    _("The stages of a member's life, each judged by the member's own rhythm."),
    "shuke insight lifecycle",
    group=command,
)
@DAY
def lifecycle(desk: Desk, day: datetime | None) -> None:
    from shuke.engine.insight import wording

    told = figures_of(desk, day)
    if desk.as_json:
        desk.json({"as_of": told["as_of"], **told["lifecycle"]})
        return
    stages = told["lifecycle"]["stages"]
    whole = sum(x["count"] for x in stages)
    desk.table(
        [_("stage"), _("members"), "%", _("spent in all"), _("meaning")],
        [
            (
                said(wording.STAGES[x["stage"]]),
                x["count"],
                share(x["count"], whole),
                desk.money(x["net_minor"]),
                said(wording.STAGE_MEANINGS[x["stage"]]),
            )
            for x in stages
        ],
        title=_("Stages of life on {day}").format(day=told["as_of"]),
        right=(1, 2, 3),
    )


@declared(
    "kpi",
    _("New members, churn, repeat rate, basket value, items per basket, and the stores beside each other."),
    "shuke insight kpi\nshuke insight kpi --date 2026-10-31 --json",
    group=command,
)
@DAY
def kpi(desk: Desk, day: datetime | None) -> None:
    from shuke.insight.queries import figures

    told = figures_of(desk, day)
    if desk.as_json:
        desk.json({"as_of": told["as_of"], "kpi": told["kpi"], "stores": told["stores"], "missing": told["missing"]})
        return
    spoken = "zh" if language() == "zh-hans" else "en"
    rows = []
    for name, value in told["kpi"].items():
        try:
            label = figures.name(name, spoken)
        except KeyError:
            continue  # a figure that only explains another
        rows.append((label, shown(desk, name, value)))
    desk.facts(rows, title=_("Key figures on {day}").format(day=told["as_of"]))
    if told["stores"]:
        desk.table(
            [
                _("store"),
                _("net amount"),
                _("orders"),
                _("buyers"),
                _("basket value"),
                _("items per basket"),
                _("repeat rate"),
            ],
            [
                (
                    s["name"],
                    desk.money(s["net_minor"]),
                    s["orders"],
                    s["buyers"],
                    shown(desk, "basket_minor", s["basket_minor"]),
                    shown(desk, "items_milli", s["items_milli"]),
                    shown(desk, "repeat_rate", s["repeat_rate"]),
                )
                for s in told["stores"]
            ],
            right=(1, 2, 3, 4, 5, 6),
        )


def shown(desk: Desk, name: str, value: Any) -> str:
    """A figure in the form its name calls for; — where it could not be observed."""
    if value is None:
        return "—"
    if name.endswith("_minor"):
        return desk.money(value)
    if name.endswith("_rate"):
        return f"{value:.1%}"
    if name.endswith("_milli"):
        return f"{value / 1000:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
