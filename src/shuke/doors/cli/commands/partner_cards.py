"""`shuke partner-cards …`: co-branded cards, whose spending earns here by the partner's files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from shuke.doors.cli.commands.coalition import Group, micro_of, price
from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _


@click.group(
    "partner-cards",
    cls=Group,
    help=_("Co-branded cards: programmes, members' cards, the partner's spend files, what it owes."),
)
def command() -> None:
    """Partner cards."""


@declared("list", _("Programmes, what holds now, and the files."), "shuke partner-cards list", group=command)
def list_(desk: Desk) -> None:
    from shuke.engine.partner_cards.terms import rules_text
    from shuke.loyalty.queries import partner_cards as stored

    today = desk.now.astimezone(desk.merchant.tz).date()
    programmes = [(one, stored.terms_now(one, today)) for one in stored.programmes(desk.merchant)]
    files, bound = stored.files(desk.merchant), stored.bound(desk.merchant)
    if desk.as_json:
        desk.json(
            {
                "programmes": [
                    {
                        "key": one.key,
                        "name": one.name,
                        "issuer": one.issuer,
                        "token": one.token_kind,
                        "columns": one.columns,
                        "ends_on": one.ends_on,
                        "cards": bound.get(one.pk, 0),
                        "terms": [terms_plain(terms) for terms in stored.terms(one)],
                    }
                    for one, _terms in programmes
                ],
                "files": [file_plain(one, tally) for one, tally in files],
                "waiting": stored.waiting_count(desk.merchant),
            }
        )
        return
    desk.table(
        [_("key"), _("called"), _("issuer"), _("points"), _("for every"), _("pays a point"), _("most a month"), _("categories"), _("cards")],
        [
            (
                one.key, one.name, one.issuer, terms.points if terms else "", desk.money(terms.per_minor) if terms else "",
                price(terms.price_micro, desk) if terms else "", terms.month_most or "" if terms else "",
                rules_text(terms.rules) if terms else "", bound.get(one.pk, 0),
            )
            for one, terms in programmes
        ],
        right=(3, 4, 5, 6, 8),
    )  # fmt: skip
    desk.table(
        [_("number"), _("file"), _("state"), *(label for _key, label in counts()), _("points")],
        [
            (
                str(one.pk),
                one.name,
                state(one.state),
                *(getattr(t, key) for key, _label in counts()),
                t.points - t.taken,
            )
            for one, t in files
        ],
        right=tuple(range(3, 10)),
    )


def counts() -> list[tuple[str, str]]:
    return [
        ("earned", _("earned")), ("reversed", _("came back")), ("unmatched", _("waiting")), ("nothing", _("too small")),
        ("same", _("same")), ("rejected", _("rejected")),
    ]  # fmt: skip


def state(code: str) -> str:
    return {
        "waiting": _("to be looked at"), "running": _("not finished"), "done": _("done"), "undone": _("taken back"),
    }.get(code, code)  # fmt: skip


def terms_plain(terms: Any) -> dict[str, Any]:
    return {
        "starts": terms.starts,
        "points": terms.points,
        "per_minor": terms.per_minor,
        "price_micro": terms.price_micro,
        "month_most": terms.month_most,
        "rules": [{"categories": list(rule.categories), "points": rule.points} for rule in terms.rules],
    }


def file_plain(one: Any, tally: Any) -> dict[str, Any]:
    return {
        "number": str(one.pk),
        "name": one.name,
        "programme": one.programme.key,
        "state": one.state,
        **tally._asdict(),
    }


@declared(
    "save",
    _("Make a programme, or change it. Columns are recognised by themselves; say those that are not."),
    "shuke partner-cards save bank --name 银行联名卡 --issuer 某银行 --token hash\n"
    "shuke partner-cards save bank --name 银行联名卡 --token hash --column token=卡片编号 --column amount=入账额",
    group=command,
)
@click.argument("key", metavar=_("KEY"))
@click.option("--name", required=True, metavar=_("NAME"), help=_("what members call it"))
@click.option("--issuer", default="", metavar=_("NAME"), help=_("the bank or company"))
@click.option("--token", required=True, type=click.Choice(["hash", "masked"]), help=_("how the file names a card"))
@click.option("--column", "columns", multiple=True, metavar=_("FIELD=HEADER"), help=_("token, amount, spent_on, reference, category, kind, original: their headers in the file"))  # fmt: skip
@click.option("--cents", is_flag=True, help=_("the file's amounts are in cents or fen"))
@click.option("--ends", type=DAY, help=_("first day whose spending earns no more"))
def save(
    desk: Desk,
    key: str,
    name: str,
    issuer: str,
    token: str,
    columns: tuple[str, ...],
    cents: bool,
    ends: datetime | None,
) -> None:
    from shuke.loyalty.actions import partner_cards as cards

    told = {field: header for field, _eq, header in (text.partition("=") for text in columns)}
    one = cards.save_programme(
        merchant=desk.merchant,
        key=key,
        name=name,
        issuer=issuer,
        token_kind=token,
        columns=told or None,
        in_minor=cents,
        ends_on=ends.date() if ends else None,
        now=desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json({"key": one.key, "columns": one.columns})
    desk.say(_("Saved: {name}.").format(name=one.name))


@declared(
    "terms",
    _("What was agreed from a day on: points for every full amount spent, what the partner pays, the most a month, other categories."),
    "shuke partner-cards terms bank --from 2026-01-01 --points 1 --per 10 --pays 0.008 --most 5000\n"
    "shuke partner-cards terms bank --from 2026-07-01 --points 1 --per 10 --pays 0.008 --categories '5411,5812-5814=2; 6011=0'",
    group=command,
)  # fmt: skip
@click.argument("key", metavar=_("KEY"))
@click.option(
    "--from", "starts", required=True, type=DAY, help=_("first day; after the first terms the first of a month")
)
@click.option("--points", required=True, type=click.IntRange(0, 10**6), help=_("points for every full amount"))
@click.option("--per", required=True, metavar=_("MONEY"), help=_("the amount, for example 10"))
@click.option(
    "--pays", default="0", metavar=_("PRICE"), help=_("money the partner pays a point: 0.008; without: you bear them")
)
@click.option("--most", type=click.IntRange(1), help=_("the most points of a member for one month of spending"))
@click.option(
    "--categories", default="", metavar=_("RULES"), help=_("points by merchant category: 5411,5812-5814=2; 6011=0")
)
def terms(
    desk: Desk, key: str, starts: datetime, points: int, per: str, pays: str, most: int | None, categories: str
) -> None:
    from shuke.engine.partner_cards.terms import BadTerms, Terms, rules_of
    from shuke.kit import money
    from shuke.loyalty.actions import partner_cards as cards

    try:
        per_minor = money.parse(per, desk.merchant.currency)
        rules = rules_of(categories)
    except (money.NotMoney, BadTerms) as error:
        raise cards.CardRefused("terms_invalid", problem=str(error)) from error
    told = Terms(starts.date(), points, per_minor, micro_of(pays, desk), most, rules)
    cards.set_terms(merchant=desk.merchant, programme=key, terms=told, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json({"key": key, **terms_plain(told)})
    desk.say(_("From {day}: {points} points for every {money}.").format(day=told.starts, points=points, money=desk.money(per_minor)))  # fmt: skip


@declared(
    "bind",
    _("A member's card earns: by its token, a hash or the number masked. Numbers in clear are refused."),
    "shuke partner-cards bind bank 100000018 '622202******1234' --since 2026-01-01",
    group=command,
)
@click.argument("key", metavar=_("KEY"))
@click.argument("member", metavar=_("MEMBER"))
@click.argument("token", metavar=_("TOKEN"))
@click.option("--since", type=DAY, help=_("first day that earns; default: today"))
def bind(desk: Desk, key: str, member: str, token: str, since: datetime | None) -> None:
    from shuke.loyalty.actions import partner_cards as cards

    who = member_named(desk, member)
    card = cards.bind(
        merchant=desk.merchant,
        programme=key,
        member_id=who.pk,
        token=token,
        since=since.date() if since else desk.now.astimezone(desk.merchant.tz).date(),
        now=desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json({"member": who.card, "number": str(card.pk), "shown": card.shown, "since": card.since})
    desk.say(_("{member}: card …{end} earns from {day}.").format(member=who, end=card.shown, day=card.since))


@declared("unbind", _("A member's card earns no more."), "shuke partner-cards unbind 100000018 1234", group=command)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("end_of_card", metavar=_("LAST4"))
def unbind(desk: Desk, member: str, end_of_card: str) -> None:
    from shuke.loyalty.actions import partner_cards as cards
    from shuke.loyalty.queries import partner_cards as stored

    who = member_named(desk, member)
    wanted = end_of_card.lstrip("….*")
    mine = [card for card in stored.cards(desk.merchant, who.pk) if wanted in (card.shown, str(card.pk))]
    if not mine:
        raise cards.CardRefused("no_such_card")
    today = desk.now.astimezone(desk.merchant.tz).date()
    for card in mine:
        cards.unbind(
            merchant=desk.merchant, member_id=who.pk, card_id=card.pk, on=today, now=desk.now, actor=desk.actor
        )
    if desk.as_json:
        desk.json({"member": who.card, "ended": len(mine)})
    desk.say(_("{member}: card …{end} earns no more.").format(member=who, end=wanted))


@declared("waiting", _("Cards in files that no member has bound, or that could be several members'."), "shuke partner-cards waiting", group=command)  # fmt: skip
def waiting(desk: Desk) -> None:
    from shuke.loyalty.queries import partner_cards as stored

    found = stored.waiting(desk.merchant)
    if desk.as_json:
        desk.json(
            [
                {
                    "number": str(one.number),
                    "programme": one.programme.key,
                    "shown": one.shown,
                    "rows": one.rows,
                    "amount_minor": one.amount_minor,
                    "first": one.first,
                    "last": one.last,
                    "members": [str(pk) for pk in one.members],
                }
                for one in found
            ]
        )
        return
    desk.table(
        [_("number"), _("programme"), _("card"), _("rows"), _("amount"), _("from"), _("to")],
        [
            (str(one.number), one.programme.name, f"…{one.shown}", one.rows, desk.money(one.amount_minor), one.first, one.last)
            for one in found
        ],
        right=(3, 4),
    )  # fmt: skip


@declared(
    "match",
    _("Say whose card it is that a waiting spending was paid with: it is bound, and what waits earns."),
    "shuke partner-cards match 250177169358061569 100000018",
    group=command,
)
@click.argument("number", metavar=_("NUMBER"), type=int)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--since", type=DAY, help=_("first day that earns; default: that of the first waiting spending"))
def match(desk: Desk, number: int, member: str, since: datetime | None) -> None:
    from shuke.loyalty.actions import partner_cards as cards

    who = member_named(desk, member)
    card, count = cards.match(
        merchant=desk.merchant,
        line_id=number,
        member_id=who.pk,
        since=since.date() if since else None,
        now=desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json({"member": who.card, "shown": card.shown, "since": card.since, "rows": count})
    desk.say(_("{member}: card …{end} earns from {day}; {count} waiting rows are theirs.").format(member=who, end=card.shown, day=card.since, count=count))  # fmt: skip
