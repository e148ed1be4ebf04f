"""`shuke insight goods|goods-mark`: what sells, opens, goes together, is due and leads on; what sellers say about products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from shuke.doors.cli.commands.insight import command, share
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _

VIEWS = ("hot", "slow", "opening", "together", "again", "ladder", "check")
SHOWN = 20


@declared(
    "goods",
    _(
        "Goods: hot and slow, what opens a relation, bought together, due again, the need ladder; --member: what one member needs next."
    ),
    "shuke insight goods\n"
    "shuke insight goods --view ladder --level kind\n"
    "shuke insight goods --view hot --group layer:key\n"
    "shuke insight goods --member M10023\n"
    "shuke insight goods --check",
    group=command,
)
@click.option("--view", type=click.Choice(VIEWS), default="hot", show_default=True, help=_("which table"))
@click.option(
    "--level", type=click.Choice(["product", "kind"]), help=_("single products, or kinds of goods (needs, categories)")
)
@click.option(
    "--group", default="all", show_default=True, help=_("of hot and slow: all, layer:key, stage:stable, rfm:222 …")
)
@click.option(
    "--member", help=_("a card, phone or name: what this member buys again and when, and what is new and likely")
)
@click.option(
    "--check",
    is_flag=True,
    help=_("compute anew, and test on the past against bestsellers: hit rate@10 on time splits"),
)
def goods(desk: Desk, view: str, level: str | None, group: str, member: str | None, check: bool) -> None:
    from shuke.insight.queries import goods as told

    if check:
        _anew(desk, level, whole_check=True)
        view = "check"
    elif told.unreported(desk.merchant, desk.now):
        _anew(desk, None)
    found = told.told(desk.merchant, level or "")
    if member:
        _say_member(desk, member, found["level"])
        return
    if desk.as_json:
        desk.json(found)
        return
    rows = found.get(view)
    if view in ("hot", "slow"):
        groups = {one["key"]: one for one in found["groups"]}
        if group not in groups:
            raise Refused(
                _("There is no group {group}. There are: {groups}.").format(group=group, groups=", ".join(groups))
            )
        rows = groups[group][view]
    _TABLES[view](desk, found, rows)


def _anew(desk: Desk, level: str | None, *, whole_check: bool = False) -> None:
    from shuke.insight import actions
    from shuke.insight.queries import figures

    day = figures.there(figures.last_day(desk.merchant))
    levels = (level,) if level else ()
    actions.goods_report(merchant=desk.merchant, day=day, now=desk.now, levels=levels, whole_check=whole_check)


def _title(found: dict[str, Any], text: str) -> str:
    return f"{text} · {found['as_of']}"


def _sure(surely: int) -> str:
    return {1: _("surely more"), -1: _("surely less"), 0: ""}[surely]


def _hot(desk: Desk, found: dict[str, Any], rows: list[dict]) -> None:
    desk.table(
        [_("goods"), _("buyers"), "%", _("% of others"), "", _("net amount")],
        [
            (r["item_name"], r["buyers"], f"{r['share']:.1%}", "" if r["share_of_others"] is None else f"{r['share_of_others']:.1%}",
             _sure(r["surely"]), desk.money(r["net"]))
            for r in rows
        ],
        title=_title(found, _("Hot: buyers within 90 days")), right=(1, 2, 3, 5),
    )  # fmt: skip


def _slow(desk: Desk, found: dict[str, Any], rows: list[dict]) -> None:
    desk.table(
        [_("goods"), _("bought"), _("90 days before"), _("expected"), _("missing"), _("last sold")],
        [(r["item_name"], r["bought"], r["before"], r["expected"], r["missing"], r["last_day"]) for r in rows],
        title=_title(found, _("Slow: sells surely less than before")), right=(1, 2, 3, 4),
    )  # fmt: skip


def _opening(desk: Desk, found: dict[str, Any], told: dict) -> None:
    desk.table(
        [_("first basket held"), _("members"), _("came again"), "%", _("95 %"), _("of others"), ""],
        [
            (r["item_name"], r["begun"], r["again"], f"{r['rate']:.1%}", f"{r['low']:.0%}–{r['high']:.0%}",
             "" if r["others"] is None else f"{r['others']:.1%}", _sure(r["surely"]))
            for r in told["items"][:SHOWN]
        ],
        title=_title(found, _("What opens a relation, and what keeps it")), right=(1, 2, 3, 4, 5),
    )  # fmt: skip
    desk.say(
        _(
            "{judged} beginners judged; {new} began less than {days} days ago, {unseen} were there when the history begins."
        ).format(judged=told["judged"], new=told["too_new"], days=told["follow_days"], unseen=told["unseen"])
    )


def _together(desk: Desk, found: dict[str, Any], told: dict) -> None:
    desk.table(
        [_("goods"), _("with"), _("orders with both"), _("with first"), _("with second"), _("support"), _("confidence"), _("lift"), _("extra orders")],
        [
            (r["item_name"], r["with_name"], r["both"], r["with_first"], r["with_second"], f"{r['support']:.2%}", f"{r['confidence']:.1%}",
             f"{r['lift']:.2f}", f"{r['extra']:.0f}")
            for r in told["pairs"][:SHOWN]
        ],
        title=_title(found, _("Bought together, of {orders} orders").format(orders=f"{told['orders']:,}")), right=(2, 3, 4, 5, 6, 7, 8),
    )  # fmt: skip


def _again(desk: Desk, found: dict[str, Any], told: dict) -> None:
    desk.table(
        [_("goods"), _("usual gap, days"), _("buyers"), _("bought again"), _("due now"), _("overdue")],
        [
            (r["item_name"], "—" if r["gap"] is None else r["gap"], r["buyers"], share(r["again"], r["buyers"]), r["due"], r["overdue"])
            for r in told["items"][:SHOWN]
        ],
        title=_title(found, _("Bought again")), right=(1, 2, 3, 4, 5),
    )  # fmt: skip


def _ladder(desk: Desk, found: dict[str, Any], rows: list[dict]) -> None:
    desk.table(
        [_("satisfied with"), _("took up next"), _("members"), _("of those who moved on"), "%", _("expected"), _("days")],
        [
            (r["from_name"], r["to_name"], r["went"], r["steppers"], f"{r['share']:.1%}", r["expected"], f"{r['days']:.0f}")
            for r in rows[:SHOWN]
        ],
        title=_title(found, _("Need ladder")), right=(2, 3, 4, 5, 6),
    )  # fmt: skip


def _check(desk: Desk, found: dict[str, Any], told: dict) -> None:
    for kind, title in (("every", _("Hit rate@10, any goods")), ("new", _("Hit rate@10, goods new to the member"))):
        methods = [rate["method"] for rate in told["splits"][0][kind]] if told["splits"] else []
        mark = {1: " +", -1: " −", 0: ""}
        desk.table(
            [_("known up to"), _("counted"), _("members"), *methods],
            [
                (
                    one["cut"], _("{days} days").format(days=one["within"]) if one["within"] else _("next day"),
                    one[kind][0]["members"], *(f"{rate['rate']:.3f}{mark[rate['surely']]}" for rate in one[kind]),
                )
                for one in told["splits"]
            ],
            title=_title(found, title), right=tuple(range(2, 3 + len(methods))),
        )  # fmt: skip
    if "made_on" in told:
        desk.say(_("Tested on %(day)s, and anew every four weeks") % {"day": told["made_on"]})
    if told["earned"] == "bestsellers":
        desk.say(_("For new goods nothing is surely better than bestsellers here: bestsellers are shown."))
    else:
        desk.say(
            _("For new goods “{method}” is surely better than bestsellers here, and is shown.").format(
                method=told["earned"]
            )
        )


_TABLES: dict[str, Callable[[Desk, dict[str, Any], Any], None]] = {
    "hot": _hot, "slow": _slow, "opening": _opening, "together": _together, "again": _again, "ladder": _ladder, "check": _check,
}  # fmt: skip


def _say_member(desk: Desk, asked: str, level: str) -> None:
    from shuke.doors.cli.commands.members import member_named
    from shuke.insight.queries import figures
    from shuke.insight.queries import goods as told

    who = member_named(desk, asked)
    wanted = figures.there(told.for_member(desk.merchant, who, level, now=desk.now))
    if desk.as_json:
        desk.json({"member": who.card, "level": level, **wanted._asdict()})
        return
    states = {"not_yet": _("not yet"), "due": _("due now"), "overdue": _("overdue"), "given_up": _("long silent")}
    desk.table(
        [_("buys again"), _("times"), _("last"), _("usual gap, days"), _("due"), ""],
        [(one.name, one.times, one.last, one.gap_days, one.due, states[one.state]) for one in wanted.again],
        title=str(who), right=(1, 3),
    )  # fmt: skip
    desk.table(
        [_("new and likely"), _("because of"), _("members")],
        [(one.name, one.because or _("a bestseller"), one.buyers) for one in wanted.new],
        right=(2,),
    )


@declared(
    "goods-mark",
    _("Say of products which need they meet, whether they last, and whether they can be had."),
    "shuke insight goods-mark OC01 OC02 --need 控油\nshuke insight goods-mark K100 --durable yes\nshuke insight goods-mark OC01 --out-of-stock",
    group=command,
)
@click.argument("codes", nargs=-1, required=True, metavar=_("CODE…"))
@click.option("--need", help=_('the need these products meet; "" gives it up: the category stands for it again'))
@click.option(
    "--durable",
    type=click.Choice(["yes", "no", "auto"]),
    help=_("whether one is enough for a year; auto: as buyers show"),
)
@click.option(
    "--out-of-stock/--in-stock", "gone", default=None, help=_("hide them from suggestions, or show them again")
)
def goods_mark(desk: Desk, codes: tuple[str, ...], need: str | None, durable: str | None, gone: bool | None) -> None:
    from shuke.insight import actions

    if need is None and durable is None and gone is None:
        raise click.UsageError(_("Say something of them: --need, --durable, --out-of-stock or --in-stock."))
    lasts = "" if durable == "auto" else durable
    try:
        count = actions.mark_goods(
            merchant=desk.merchant,
            marks=[actions.Mark(code, need, lasts, gone) for code in codes],
            now=desk.now,
            actor=desk.actor,
        )
    except actions.UnknownGoods as error:
        raise Refused(_("No product has the code {codes}.").format(codes=", ".join(error.codes[:5]))) from error
    if desk.as_json:
        desk.json({"marked": count})
        return
    desk.say(_("{count} products marked. Tonight's report counts with it.").format(count=count))
