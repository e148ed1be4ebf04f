"""`shuke insight pyramid|lifecycle|kpi|cuts|moved`: the figures of a day's snapshot. `rfm` stands with the files it reads too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from shuke.doors.cli import days
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language

RATES = ("_rate",)


@click.group("insight", help=_("RFM, pyramid, life cycle and key figures, as of the last night run."))
def command() -> None:
    """The figures of a day."""


DAY = click.option("--date", "day", type=days.DAY, help=_("as of this day; default: the latest there is"))


def figures_of(desk: Desk, day: datetime | None) -> dict[str, Any]:
    """The snapshot's figures; refuses when there is none."""
    from shuke.insight.queries import figures

    return figures.told(desk.merchant, day.date() if day else None)


def said(words: Any) -> str:
    return words.said("zh" if language() == "zh-hans" else "en")


def share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


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
    known = told["pyramid"].get("identified_rate")
    if known is not None:
        desk.say(_("{share} of revenue has a member; all below is of these.").format(share=f"{known:.1%}"))
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
        desk.say(
            _("Gini: {gini} (0: all spend alike, 1: one spends all).").format(gini=f"{told['pyramid']['gini']:.2f}")
        )


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


BOUNDS = "R5,R4,R3,R2/HIGH"


@declared(
    "cuts",
    _(
        "The RFM cut points in force and who set which when; with bounds of your own: what they would change, and --publish."
    ),
    "shuke insight cuts\n"
    "shuke insight cuts --r 7,30,60,90/30 --f 10,5,3,2/3 --m 5000,1000,500,100/1000\n"
    "shuke insight cuts --f 10,5,3,2/3 --publish\n"
    "shuke insight cuts --learn",
    group=command,
)
@click.option(
    "--r", "recency", metavar=BOUNDS, help=_("days since the last order, at most, for scores 5 to 2, / for high")
)
@click.option("--f", "frequency", metavar=BOUNDS, help=_("days with a purchase, at least; same form"))
@click.option("--m", "money", metavar=BOUNDS, help=_("net spend of all time, at least, as people write it; same form"))
@click.option("--publish", is_flag=True, help=_("put these in force; without it they are only tried"))
@click.option("--learn", is_flag=True, help=_("give up own cut points: learn them from the members again"))
def cuts(desk: Desk, recency: str | None, frequency: str | None, money: str | None, publish: bool, learn: bool) -> None:
    from dataclasses import replace

    from shuke.insight import actions
    from shuke.insight.queries import cut_points

    figures_of(desk, None)
    asked = {"r": recency, "f": frequency, "m": money}
    own = {key: bounds(desk, key, text) for key, text in asked.items() if text}
    if learn and (own or publish):
        raise click.UsageError(_("--learn gives up own cut points; it takes no others."))
    if publish and not own:
        raise click.UsageError(_("--publish needs bounds: --r, --f or --m."))
    now = cut_points.in_force(desk.merchant)
    assert now is not None
    names = {"r": "recency", "f": "frequency", "m": "money"}
    wanted = replace(now, **{names[key]: one for key, one in own.items()})
    tally = None
    try:
        tally = cut_points.preview(desk.merchant, wanted) if own else None
        if publish:
            actions.set_cut_points(merchant=desk.merchant, cuts=wanted, now=desk.now, actor=desk.actor)
    except actions.BadCutPoints as error:
        raise Refused(str(error)) from error
    if learn:
        actions.learn_cut_points(merchant=desk.merchant, now=desk.now, actor=desk.actor)
    told = figures_of(desk, None)
    if desk.as_json:
        desk.json(
            {
                "as_of": told["as_of"],
                "in_force": told["rfm"]["cuts"],
                "preview": tally,
                "history": [
                    {"from": one.day, "made_at": one.made_at, "by": one.actor or "night", **one.cuts.to_json()}
                    for one in cut_points.history(desk.merchant)
                ],
            }
        )
        return
    _say_cuts(desk, told, tally, published=publish or learn)


def _say_cuts(desk: Desk, told: dict[str, Any], tally: Any, *, published: bool) -> None:
    from shuke.engine.insight import wording
    from shuke.insight.queries import cut_points

    if published:
        desk.say(_("In force from the snapshot of {day} on.").format(day=told["as_of"]))
    elif tally is not None:
        desk.table(
            ["", _("class"), _("now"), _("then")],
            [
                (row["code"], said(wording.RFM_NAMES[row["code"]]), row["count"], tally.classes[row["code"]])
                for row in told["rfm"]["classes"]
            ],
            title=_("With these cut points (nothing is changed; --publish puts them in force)"),
            right=(2, 3),
        )
    desk.table(
        [_("from"), _("by"), "R", "F", "M"],
        [
            (
                one.day,
                one.actor or _("the night run"),
                shown_bounds(desk, "r", one.cuts.recency),
                shown_bounds(desk, "f", one.cuts.frequency),
                shown_bounds(desk, "m", one.cuts.money),
            )
            for one in cut_points.history(desk.merchant, 20)
        ],
        title=_("Cut points, scores 5, 4, 3, 2 / high"),
    )


def bounds(desk: Desk, key: str, text: str) -> Any:
    """`10,5,3,2/3` as cut points; money in the merchant's unit becomes minor units."""
    from decimal import Decimal, InvalidOperation

    from shuke.engine.insight.rfm import Cuts
    from shuke.kit import money

    scale = money.digits(desk.merchant.currency) if key == "m" else 0
    steps, _slash, two = text.partition("/")
    try:
        five, four, three, low, high = (Decimal(part.strip()) for part in (*steps.split(","), two))
    except (ValueError, InvalidOperation):
        raise click.UsageError(
            _("--{key}: write four bounds and the one of high, like {example}; this is {text!r}.").format(
                key=key, example="7,30,60,90/30" if key == "r" else "10,5,3,2/3", text=text
            )
        ) from None

    def plain(number: Decimal) -> float:
        scaled = number.scaleb(scale)
        return int(scaled) if scaled == int(scaled) else float(scaled)

    return Cuts((plain(low), plain(three), plain(four), plain(five)), plain(high))


def shown_bounds(desk: Desk, key: str, one: Any) -> str:
    def write(bound: float | None) -> str:
        if bound is None:
            return "–"
        return desk.money(round(bound)) if key == "m" else f"{bound:g}"

    return ", ".join(write(step) for step in reversed(one.steps)) + " / " + write(one.two)


@declared(
    "moved",
    _("Who went where: members by their class, layer or stage on two days, those who stayed included."),
    "shuke insight moved --what stage --since 2026-09-30\nshuke insight moved --json",
    group=command,
)
@click.option(
    "--what", type=click.Choice(["rfm", "layer", "stage"]), default="rfm", show_default=True, help=_("what to compare")
)
@click.option("--since", type=days.DAY, help=_("from the end of this day; default: a month earlier"))
@click.option("--until", type=days.DAY, help=_("to the end of this day; default: the latest there is"))
def moved(desk: Desk, what: str, since: datetime | None, until: datetime | None) -> None:
    from shuke.insight.queries import figures
    from shuke.insight.queries.transitions import between

    days = between(figures.days(desk.merchant), since.date() if since else None, until.date() if until else None)
    if days is None:
        raise Refused(
            _("Movement needs two days with figures. There are not that many yet; `shuke night` makes one more.")
        )
    from shuke.engine.insight import wording
    from shuke.insight.queries.transitions import transitions

    flows = transitions(desk.merchant, what=what, since=days[0], until=days[1])
    if desk.as_json:
        desk.json({"what": what, "since": days[0], "until": days[1], "flows": flows})
        return
    names = {"rfm": wording.RFM_NAMES, "layer": wording.LAYERS, "stage": wording.STAGES}[what]

    def place(code: str) -> str:
        return said(names[code]) if code else _("none")

    desk.table(
        [_("from"), _("to"), _("members")],
        [(place(flow.before), place(flow.after), flow.members) for flow in flows],
        title=_("From the end of {since} to the end of {until}").format(since=days[0], until=days[1]),
        right=(2,),
    )
