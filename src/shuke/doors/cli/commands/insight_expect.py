"""`shuke insight value` and `shuke insight value-test`: what members will probably buy and spend, and how good that is."""

from __future__ import annotations

from typing import Any

import click

from shuke.doors.cli.commands.insight import command
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@declared(
    "value",
    _("What members will probably buy and spend in 12 months, and who will buy within 30 and 90 days."),
    "shuke insight value\nshuke insight value --member 660000001271\nshuke insight value --anew --json",
    group=command,
)
@click.option("--member", metavar=_("MEMBER"), help=_("one member: a card, phone or name"))
@click.option("--anew", is_flag=True, help=_("compute it now, with the tests on the past, as of the last night"))
def value(desk: Desk, member: str | None, anew: bool) -> None:
    from shuke.insight.queries import figures, value_told

    if anew:
        _anew(desk)
    if member:
        _one(desk, member)
        return
    told = figures.there(value_told.told(desk.merchant, language(), now=desk.now))
    if _begun(desk, told):
        return
    if told["bands"] is None:
        desk.facts([(_("have bought"), told["buyers"]), (_("on more than one day"), told["repeaters"])])
        return
    facts: list[tuple[str, Any]] = [(_("order days in 12 months"), _band(told["orders"], lambda n: f"{n:,}"))]
    if told["spend"]:
        facts.append((_("spend in 12 months"), _band(told["spend"], desk.money)))
    facts += [
        (_("last 365 days"), f"{desk.money(round(told['past_spend']))} · {told['past_orders']:,.0f}"),
        (_("told by"), told["rule_says"]),
    ]
    if told["plain"]:
        facts.append((_("by the plain formula of the trade"), desk.money(told["plain"]["worth"])))
    quiet = told["quiet"]
    facts.append((_("good members gone quiet"), f"{quiet['members']:,} · {desk.money(quiet['year_net_minor'])}"))
    desk.facts(facts, title=_("What to expect, as of {day}").format(day=told["as_of"]))
    from shuke.engine.insight import value_words

    desk.table(
        [_("members"), _("30 days"), _("90 days")],
        [
            (words.said(language()), told["bands"]["30"][band], told["bands"]["90"][band])
            for band, words in value_words.CHANCES.items()
        ],
        right=(1, 2),
    )
    if told["layers"]:
        desk.table(
            [_("layer"), _("members"), _("orders"), _("spend"), _("from"), _("to")],
            [
                (row["name"], row["members"], row["orders"], *(desk.money(row["spend"][end]) for end in ("expected", "low", "high")))
                for row in told["layers"]
            ],
            right=(1, 2, 3, 4, 5),
        )  # fmt: skip


@declared(
    "value-test",
    _(
        "How good the forecast is: what was foreseen on the shop's own past beside what came, and plain rules beside it."
    ),
    "shuke insight value-test\nshuke insight value-test --anew\nshuke insight value-test --json",
    group=command,
)
@click.option("--anew", is_flag=True, help=_("test now; by itself it is done every four weeks"))
def value_test(desk: Desk, anew: bool) -> None:
    from shuke.insight.queries import figures, value_told

    if anew:
        _anew(desk)
    told = figures.there(value_told.tested(desk.merchant, language(), now=desk.now))
    if _begun(desk, told):
        return
    for one in told["tests"]:
        desk.say(one["says"])
    if not told["tests"]:
        return
    latest = told["tests"][0]
    for good, sentence in latest["gate"]:
        desk.say(f"{'✓' if good else '✗'} {sentence}")
    desk.table(
        [_("way"), _("expected"), _("of what came"), "MAE", "Spearman", "Gini", _("best fifth"), _("money, of what came")],
        [
            (
                ("✓ " if row["shown"] else "") + row["says"], _number(row["expected"], 0), _share(row["ratio"]), _number(row["mae"], 3),
                _number(row["spearman"], 3), _number(row["gini"], 3), _share(row["capture"]), _share(row["money_ratio"]),
            )
            for row in latest["methods"]
        ],
        title=_("{from_day} to {to_day}, {members} members").format(
            from_day=latest["from"], to_day=latest["to"], members=f"{latest['customers']:,}"
        ),
        right=(1, 2, 3, 4, 5, 6, 7),
    )  # fmt: skip
    for one in told["chances"]:
        if one["tested"]:
            shown = one[one["shown"]]
            desk.say(
                _("Chance within {days} days: AUC {auc}, widest gap of a tenth {gap}, {bought} of {members} bought.").format(
                    days=one["days"], auc=_number(shown["auc"], 3), gap=_share(shown["worst"]),
                    bought=f"{one['bought']:,}", members=f"{one['customers']:,}",
                )
            )  # fmt: skip


def _begun(desk: Desk, told: dict[str, Any]) -> bool:
    """Say what is missing; true where a program asked, and has it all."""
    if desk.as_json:
        desk.json(told)
    for sentence in told["missing"]:
        desk.say(sentence)
    return desk.as_json


def _anew(desk: Desk) -> None:
    from shuke.insight import actions
    from shuke.insight.queries import figures

    day = figures.there(figures.last_day(desk.merchant))
    actions.value_report(merchant=desk.merchant, day=day, now=desk.now, whole_check=True)


def _one(desk: Desk, member: str) -> None:
    from shuke.engine.insight.value_words import about
    from shuke.insight.queries import value_told
    from shuke.members import queries as members

    who = members.member_of(desk.merchant.pk, member)
    told = value_told.one(desk.merchant, who.pk, language())
    if told is None:
        raise Refused(_("Nothing can be told of {card}: no purchase yet, or too little history.").format(card=who.card))
    if desk.as_json:
        desk.json({"card": who.card} | told)
        return
    facts = [
        (_("within 30 days"), f"{told['says_30']} ({told['chance_30'] / 10:.0f} %)"),
        (_("within 90 days"), f"{told['says_90']} ({told['chance_90'] / 10:.0f} %)"),
        (_("order days in 12 months"), f"{told['expected_orders']:.1f}"),
    ]
    if told["low"] is not None:
        ends = (desk.money(about(told[end], desk.merchant.currency)) for end in ("low", "high"))
        facts.append((_("spend in 12 months"), " – ".join(ends)))
    desk.facts(facts, title=f"{who.card} {who.name}".strip())
    for sentence in told["reasons"]:
        desk.say(sentence)


def _band(band: dict[str, int], shown: Any) -> str:
    return f"{shown(band['expected'])} ({shown(band['low'])} – {shown(band['high'])})"


def _number(value: float | None, places: int) -> str:
    return "–" if value is None else f"{value:,.{places}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
